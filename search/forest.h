// forest.h - random regression forest.
#ifndef NAGO_FOREST_H
#define NAGO_FOREST_H

#include "surrogate.h"

typedef struct Forest Forest;
Forest *forest_fit(const double *x, const double *y, int n, int d, Random *random);
void forest_free(Forest *forest); // NULL is allowed
void forest_predict(const Forest *forest, const double *x, int n, Prediction *out);
int forest_count(const Forest *forest); // trees
// What one tree says.
double forest_tree(const Forest *forest, int which, const double *x);

#endif
