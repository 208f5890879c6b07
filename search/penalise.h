// penalise.h - keeping the members of a batch apart.
#ifndef NAGO_PENALISE_H
#define NAGO_PENALISE_H

#include "models.h"

// A point that runs already, with the radius of what its result will tell.
typedef struct {
    const double *x;
    double radius;
} Penalty;

// rho = min_k (|mean_k - ideal_k| + deviation_k) / lipschitz_k: only where every objective is
// explained is a point worth less.
double penalty_radius(const Models *models, const double *x);
// Sum of ln phi_j(x) <= 0,  phi = (q^-5 + 1)^(-1/5),  q = |x - x_j| / rho_j, over d coordinates;
// -INFINITY at one of the points.
double penalty_log(const Penalty *penalties, int n, const double *x, int d);

#endif
