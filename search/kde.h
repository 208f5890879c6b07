// kde.h - kernel density estimates over the unit cube of a space.
#ifndef NAGO_KDE_H
#define NAGO_KDE_H

#include "space.h"

typedef struct {
    const Space *space;
    int n;
    double *points;                     // [n][n_coords], inactive coordinates filled in
    double bandwidth[SPACE_MAX_COORDS]; // of choices: the probability of another one
    int n_choices[SPACE_MAX_COORDS];    // 0: a continuous coordinate
} Kde;

// Fits n >= 1 points, [n][n_coords]; bandwidths by Scott's normal reference rule, at least
// `min_bandwidth`.  Inactive coordinates are filled from other points, drawn from `random`.
void kde_fit(Kde *kde, const Space *space, const double *points, int n, double min_bandwidth,
             Random *random);
void kde_free(Kde *kde);
double kde_density(const Kde *kde, const double *x);
// A draw near a point of the estimate, its kernels widened by `factor`.
void kde_draw(const Kde *kde, double factor, Random *random, double *x);

#endif
