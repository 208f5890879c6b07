// surrogate.h - regression models with an idea of what they do not know.
#ifndef NAGO_SURROGATE_H
#define NAGO_SURROGATE_H

#include "optimizer.h"

typedef struct {
    double mean;   // of the function
    double spread; // variance of that: what more evaluations would settle
    double noise;  // variance of an observation beyond it
} Prediction;

typedef struct Surrogate Surrogate;
// Fits features x [n][d] (about unit ranges) -> y [n], n >= 1, finite; any scale of y.  The same
// random stream gives the same model.
Surrogate *surrogate_fit(SurrogateKind kind, const double *x, const double *y, int n, int d,
                         Random *random);
void surrogate_free(Surrogate *surrogate); // NULL is allowed
// For n points, [n][d], in units of y.
void surrogate_predict(const Surrogate *surrogate, const double *x, int n, Prediction *out);
// What it is: gp, forest or bnn; of auto, what was chosen.
SurrogateKind surrogate_kind(const Surrogate *surrogate);
// The scale that y was divided by: its deviation, or 1.
double surrogate_scale(const Surrogate *surrogate);
// One function drawn from the posterior (`which` names the draw), at n points.
void surrogate_sample(const Surrogate *surrogate, uint64_t which, const double *x, int n,
                      double *out);

#endif
