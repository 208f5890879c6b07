// nsga2.h - evolution of a set of points towards a front.
#ifndef NAGO_NSGA2_H
#define NAGO_NSGA2_H

#include "space.h"

// Values of n points, [n][n_coords] -> [n][k], all minimised.
typedef void NsgaEvaluate(void *context, const double *x, int n, double *values);

typedef struct {
    const Space *space;
    int k; // objectives
    int population, generations;
    NsgaEvaluate *evaluate;
    void *context;
} NsgaProblem;

// Evolves `population` points from n_seeds given ones and uniform draws; x [population][n_coords]
// and values [population][k] are the last population, points rounded.
void nsga2_run(const NsgaProblem *problem, const double *seeds, int n_seeds, Random *random,
               double *x, double *values);
// One child of two points: simulated binary crossover, then polynomial mutation; rounded.
void nsga2_child(const Space *space, const double *a, const double *b, Random *random,
                 double *child);
// The best `keep` of n points, by front and then by crowding distance: their indices, best first.
void nsga2_survivors(const double *values, int n, int k, int keep, int *kept);

#endif
