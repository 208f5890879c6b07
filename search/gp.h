// gp.h - Gaussian process regression.
#ifndef NAGO_GP_H
#define NAGO_GP_H

#include "surrogate.h"

typedef struct Gp Gp;
// x in about the unit cube, y of about zero mean and unit deviation.
Gp *gp_fit(const double *x, const double *y, int n, int d);
void gp_free(Gp *gp); // NULL is allowed
void gp_predict(const Gp *gp, const double *x, int n, Prediction *out);
// Mean negative log likelihood of each value given the others (hyperparameters fitted to all).
double gp_left_out(const Gp *gp);
// A function drawn from the posterior.
void gp_sample(const Gp *gp, Random *random, const double *x, int n, double *out);

#endif
