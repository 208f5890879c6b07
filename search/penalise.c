// penalise.c - local penalisation: a batch, and the trials that still run.
//
// In: points under way and the models.  Out: by how much a candidate near them is worth less.
// The hard penaliser of Alvi, Ru et al. 2019, here with each cone cut off for itself (a product of
// cones cut once lets a far point cancel a near one).  Gonzalez et al. 2016 for the radius.

#include "penalise.h"

#include <math.h>

double penalty_radius(const Models *models, const double *x)
{
    Prediction p[MAX_OBJECTIVES];
    double radius = INFINITY;
    models_predict(models, x, 1, p);
    for (int k = 0; k < models->k; k++) {
        double reach = fabs(p[k].mean - models->ideal[k]) + sqrt(p[k].spread + p[k].noise);
        radius = fmin(radius, reach / models->lipschitz[k]);
    }
    return fmax(radius, 1e-9);
}

double penalty_log(const Penalty *penalties, int n, const double *x, int d)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double squared = 0;
        for (int j = 0; j < d; j++)
            squared += (x[j] - penalties[i].x[j]) * (x[j] - penalties[i].x[j]);
        double q = sqrt(squared) / penalties[i].radius;
        sum += q > 0 ? -0.2 * log1p(pow(q, -5)) : -INFINITY;
    }
    return sum;
}
