// models.h - what the multi-objective methods know: a surrogate for each objective.
#ifndef NAGO_MODELS_H
#define NAGO_MODELS_H

#include "optimizer_parts.h"
#include "surrogate.h"

// Values are warped (an increasing function, so that dominance stays) and then scaled to unit
// deviation: "model units".
typedef struct {
    bool logarithmic;
    double low, width; // w = ln(1 + (y - low) / width), if logarithmic
    double scale;      // model units = w / scale
} Warp;

struct Models {
    uint64_t key; // of the data that it was fitted to
    const Space *space;
    int k, n_features, n_points;
    bool with_budget; // one more input
    Surrogate *objective[MAX_OBJECTIVES];
    Surrogate *infeasible; // how likely a point is to fail or break a constraint; NULL: none did
    Warp warp[MAX_OBJECTIVES];
    double ideal[MAX_OBJECTIVES];     // least mean at a trial, in model units
    double lipschitz[MAX_OBJECTIVES]; // of the means, over the unit cube
    int n_front;
    double *front;        // [n_front][k], model units: means at trials of the largest budget
    double *front_points; // [n_front][n_coords]
    int n_pool;
    double *pool; // [n_pool][n_coords], the front of the acquisitions; mobo.c's
};

// The models of the finished trials, kept in optimizer->models while the data stay the same; NULL:
// too few trials.
Models *models_fit(Optimizer *optimizer, const View *view);
void models_free(Models *models);
// [n][k], model units, at the largest budget.
void models_predict(const Models *models, const double *x, int n, Prediction *out);
// One joint draw of all objectives, [n][k], model units; `draw` names it.
void models_sample(const Models *models, uint64_t draw, const double *x, int n, double *out);
// How likely each of n points is infeasible; 0 without a model.
void models_infeasible(const Models *models, const double *x, int n, double *out);
double warp_value(const Warp *warp, double y);
double unwarp_value(const Warp *warp, double value);

#endif
