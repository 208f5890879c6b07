// models.c - surrogates of a study: one for each objective, one for feasibility.
//
// In: the history.  Out: predictions at any point, as if at the largest budget.  With brackets the
// logarithm of the budget is one more input, so that cheap trials speak for dear ones (the
// extension that footnote 3 of Ru et al. 2020 calls for).

#include "models.h"
#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_SLOPES = 128, MAX_D = SPACE_MAX_FEATURES + 1, MAX_FITTED = 600 };

// ---- warping -----------------------------------------------------------------------------------

static int number_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double warp_value(const Warp *warp, double y)
{
    double w = warp->logarithmic ? log1p(fmax(y - warp->low, -0.5 * warp->width) / warp->width) : y;
    return w / warp->scale;
}

double unwarp_value(const Warp *warp, double value)
{
    double w = value * warp->scale;
    return warp->logarithmic ? warp->low + warp->width * expm1(fmin(w, 300)) : w;
}

// Logarithmic where the values reach much farther above their median than below it: the best ones
// are what matters, and a model of the raw values would spend itself on the worst.
static Warp warp_find(const double *y, int n)
{
    double *sorted = xmalloc((size_t)n * sizeof *sorted);
    memcpy(sorted, y, (size_t)n * sizeof *sorted);
    qsort(sorted, (size_t)n, sizeof *sorted, number_compare);
    double low = sorted[0], middle = sorted[n / 2], high = sorted[n - 1];
    Warp warp = {false, low, middle - low, 1};
    warp.logarithmic = warp.width > 0 && high - middle > 2 * (middle - low);
    free(sorted);
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++)
        mean += warp_value(&warp, y[i]) / n;
    for (int i = 0; i < n; i++)
        sum += pow(warp_value(&warp, y[i]) - mean, 2) / n;
    warp.scale = sum > 1e-300 ? sqrt(sum) : 1;
    return warp;
}

// ---- data --------------------------------------------------------------------------------------

typedef struct {
    int n;
    const HistoryTrial **rows;
    double *features; // [n][n_features]
} Rows;

static double budget_input(const Optimizer *optimizer, double budget)
{
    const BracketPlan *plan = &optimizer->plan;
    double low = log(plan->budgets[0]), high = log(plan->budgets[plan->n_rungs - 1]);
    return high > low ? (log(budget) - low) / (high - low) : 1;
}

static void features_fill(const Models *models, const double *x, double budget, double *features)
{
    space_features(models->space, x, features);
    if (models->with_budget)
        features[models->n_features - 1] = budget;
}

// Without brackets, trials of other budgets (a warm start's) say nothing here.
static bool is_used(const Optimizer *optimizer, const Models *models, const HistoryTrial *trial,
                    bool finished)
{
    double most = optimizer->options.max_budget;
    bool here = models->with_budget || fabs(trial->budget - most) < 1e-9 * most;
    if (!finished)
        return trial->status != TRIAL_RUNNING;
    for (int k = 0; k < models->k; k++)
        here = here && isfinite(trial->values[k]);
    return here && trial->status == TRIAL_FINISHED;
}

// The newest MAX_FITTED, to bound the time.
static Rows rows_collect(const Optimizer *optimizer, const Models *models, const View *view,
                         bool finished)
{
    Rows rows = {.rows = xmalloc(((size_t)view->n + 1) * sizeof *rows.rows)};
    for (int i = view->n - 1; i >= 0 && rows.n < MAX_FITTED; i--) {
        if (is_used(optimizer, models, &view->trials[i], finished))
            rows.rows[rows.n++] = &view->trials[i];
    }
    size_t width = (size_t)models->n_features;
    rows.features = xmalloc(((size_t)rows.n + 1) * width * sizeof *rows.features);
    for (int i = 0; i < rows.n; i++)
        features_fill(models, rows.rows[i]->x, budget_input(optimizer, rows.rows[i]->budget),
                      rows.features + (size_t)i * width);
    return rows;
}

static void rows_free(Rows *rows)
{
    free(rows->rows);
    free(rows->features);
}

static uint64_t rows_key(const Rows *rows, int k)
{
    uint64_t key = UINT64_C(0xCBF29CE484222325) + (uint64_t)rows->n;
    for (int i = 0; i < rows->n; i++) {
        for (int o = -1; o < k; o++) {
            uint64_t bits = (uint64_t)rows->rows[i]->id * 4 + (uint64_t)rows->rows[i]->status;
            if (o >= 0 && rows->rows[i]->status == TRIAL_FINISHED)
                memcpy(&bits, &rows->rows[i]->values[o], sizeof bits);
            key = (key ^ bits) * UINT64_C(0x100000001B3);
            key ^= key >> 29;
        }
    }
    return key;
}

// ---- fitting -----------------------------------------------------------------------------------

static void objectives_fit(const Optimizer *optimizer, Models *models, const Rows *rows)
{
    double *y = xmalloc((size_t)rows->n * sizeof *y);
    for (int k = 0; k < models->k; k++) {
        Random random =
            random_stream(optimizer->options.seed, "surrogate", (uint64_t)rows->n, (uint64_t)k);
        for (int i = 0; i < rows->n; i++)
            y[i] = rows->rows[i]->values[k];
        models->warp[k] = warp_find(y, rows->n);
        models->ideal[k] = INFINITY;
        for (int i = 0; i < rows->n; i++)
            y[i] = warp_value(&models->warp[k], y[i]);
        models->objective[k] = surrogate_fit(optimizer->options.surrogate, rows->features, y,
                                             rows->n, models->n_features, &random);
    }
    free(y);
}

// A forest on 0 and 1: its mean is a probability.
static void infeasible_fit(const Optimizer *optimizer, Models *models, const View *view)
{
    Rows rows = rows_collect(optimizer, models, view, false);
    double *y = xmalloc(((size_t)rows.n + 1) * sizeof *y);
    int bad = 0;
    for (int i = 0; i < rows.n; i++) {
        y[i] = rows.rows[i]->status != TRIAL_FINISHED;
        bad += y[i] > 0;
    }
    Random random = random_stream(optimizer->options.seed, "feasible", (uint64_t)rows.n, 0);
    if (bad > 0)
        models->infeasible =
            surrogate_fit(SURROGATE_FOREST, rows.features, y, rows.n, models->n_features, &random);
    free(y);
    rows_free(&rows);
}

static void means_fill(Models *models, const double *x, int n, double *means)
{
    int k = models->k;
    Prediction *p = xmalloc(((size_t)n * (size_t)k + 1) * sizeof *p);
    models_predict(models, x, n, p);
    for (int i = 0; i < n * k; i++) {
        means[i] = p[i].mean;
        models->ideal[i % k] = fmin(models->ideal[i % k], means[i]);
    }
    free(p);
}

// The front of what the models make of the trials, not of the values themselves: these have luck in
// them, and what was lucky once would keep everything else from being tried.  Without noise both
// are the same.  Only trials at the largest budget count.
static void front_find(const Optimizer *optimizer, Models *models, const Rows *rows)
{
    int k = models->k, n = 0, d = models->space->n_coords;
    double most = optimizer->options.max_budget;
    double *values = xmalloc((size_t)rows->n * (size_t)k * sizeof *values);
    double *points = xmalloc((size_t)rows->n * (size_t)d * sizeof *points);
    int *rank = xmalloc((size_t)rows->n * sizeof *rank);
    for (int pass = 0; pass < 2; pass++) { // those at the largest budget first
        for (int i = 0; i < rows->n; i++) {
            if ((rows->rows[i]->budget >= most * (1 - 1e-9)) == (pass == 0))
                memcpy(points + n++ * d, rows->rows[i]->x, (size_t)d * sizeof *points);
        }
        if (pass == 0)
            models->n_front = n;
    }
    means_fill(models, points, n, values);
    n = models->n_front;
    models->n_front = 0;
    pareto_ranks(values, n, k, rank);
    for (int i = 0; i < n; i++) {
        if (rank[i] == 0) {
            memmove(values + models->n_front * k, values + i * k, (size_t)k * sizeof *values);
            memmove(points + models->n_front++ * d, points + i * d, (size_t)d * sizeof *points);
        }
    }
    models->front = values;
    models->front_points = points;
    free(rank);
}

// The steepest slope of each mean at random points, by differences; at least 1e-7, else 10 (as
// GPyOpt has it).
static void slopes_find(const Optimizer *optimizer, Models *models)
{
    int d = models->space->n_coords, k = models->k;
    const double step = 1e-3;
    Random random = random_stream(optimizer->options.seed, "slopes", 0, 0);
    double x[(SPACE_MAX_COORDS + 1) * SPACE_MAX_COORDS];
    Prediction *p = xmalloc((size_t)(d + 1) * (size_t)k * sizeof *p);
    memset(models->lipschitz, 0, sizeof models->lipschitz);
    for (int i = 0; i < N_SLOPES; i++) {
        for (int j = 0; j < d; j++)
            x[j] = random_unit(&random) * (1 - step);
        for (int j = 0; j < d; j++) {
            memcpy(x + (j + 1) * d, x, (size_t)d * sizeof *x);
            x[(j + 1) * d + j] += step;
        }
        models_predict(models, x, d + 1, p);
        for (int o = 0; o < k; o++) {
            double sum = 0;
            for (int j = 1; j <= d; j++)
                sum += pow((p[j * k + o].mean - p[o].mean) / step, 2);
            models->lipschitz[o] = fmax(models->lipschitz[o], sqrt(sum));
        }
    }
    for (int o = 0; o < k; o++)
        models->lipschitz[o] = models->lipschitz[o] < 1e-7 ? 10 : models->lipschitz[o];
    free(p);
}

Models *models_fit(Optimizer *optimizer, const View *view)
{
    Models *models = xcalloc(1, sizeof *models);
    models->space = optimizer->space;
    models->k = optimizer->options.n_objectives;
    models->with_budget = optimizer->options.method == METHOD_MOBOHB && optimizer->plan.n_rungs > 1;
    models->n_features = space_n_features(models->space) + models->with_budget;
    Rows all = rows_collect(optimizer, models, view, false);
    models->key = rows_key(&all, models->k);
    rows_free(&all);
    if (optimizer->models && optimizer->models->key == models->key) {
        models_free(models);
        return optimizer->models;
    }
    models_free(optimizer->models);
    optimizer->models = NULL;
    Rows rows = rows_collect(optimizer, models, view, true);
    if (rows.n < 2) {
        models_free(models);
    } else {
        models->n_points = rows.n;
        objectives_fit(optimizer, models, &rows);
        infeasible_fit(optimizer, models, view);
        front_find(optimizer, models, &rows);
        slopes_find(optimizer, models);
        optimizer->models = models;
    }
    rows_free(&rows);
    return optimizer->models;
}

void models_free(Models *models)
{
    if (!models)
        return;
    for (int k = 0; k < models->k; k++)
        surrogate_free(models->objective[k]);
    surrogate_free(models->infeasible);
    free(models->front);
    free(models->front_points);
    free(models->pool);
    free(models);
}

// ---- predictions -------------------------------------------------------------------------------

static double *features_of(const Models *models, const double *x, int n)
{
    int d = models->space->n_coords, f = models->n_features;
    double *features = xmalloc((size_t)n * (size_t)f * sizeof *features);
    for (int i = 0; i < n; i++)
        features_fill(models, x + i * d, 1, features + i * f);
    return features;
}

void models_predict(const Models *models, const double *x, int n, Prediction *out)
{
    double *features = features_of(models, x, n);
    Prediction *one = xmalloc((size_t)n * sizeof *one);
    for (int k = 0; k < models->k; k++) {
        surrogate_predict(models->objective[k], features, n, one);
        for (int i = 0; i < n; i++)
            out[i * models->k + k] = one[i];
    }
    free(one);
    free(features);
}

void models_sample(const Models *models, uint64_t draw, const double *x, int n, double *out)
{
    double *features = features_of(models, x, n);
    double *one = xmalloc((size_t)n * sizeof *one);
    for (int k = 0; k < models->k; k++) {
        surrogate_sample(models->objective[k], draw, features, n, one);
        for (int i = 0; i < n; i++)
            out[i * models->k + k] = one[i];
    }
    free(one);
    free(features);
}

void models_infeasible(const Models *models, const double *x, int n, double *out)
{
    memset(out, 0, (size_t)n * sizeof *out);
    if (!models->infeasible)
        return;
    double *features = features_of(models, x, n);
    Prediction *one = xmalloc((size_t)n * sizeof *one);
    surrogate_predict(models->infeasible, features, n, one);
    for (int i = 0; i < n; i++)
        out[i] = fmin(1, fmax(0, one[i].mean));
    free(one);
    free(features);
}
