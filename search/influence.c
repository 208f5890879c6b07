// influence.c - which parameters matter.
//
//     finished trials -> surrogate -> Sobol' indices over the space
//
// A surrogate stands between trials and indices since trials are few and noisy; how much of
// left-out trials it explains is told beside them, for indices of a model that explains nothing
// mean nothing.  Estimators: M. Jansen, "Analysis of variance designs for model output", 1999.
#include "influence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_POINTS = 1024, N_FOLDS = 5, MOST_FOR_PROCESS = 300 };

// ---- rows --------------------------------------------------------------------------------------

typedef struct {
    int n, width;
    double *x, *y; // [n][width], [n]
} Rows;

static void row_fill(const StudyPlan *plan, const double *x, double budget, double *features)
{
    int width = space_n_features(plan->space);
    double range = log(plan->search.max_budget / plan->search.min_budget);
    space_features(plan->space, x, features);
    features[width] = range > 0 ? log(budget / plan->search.min_budget) / range : 0;
}

static bool is_usable(const StudyPlan *plan, const StudyTrial *trial, int objective)
{
    return trial->state == STUDY_FINISHED && trial->n_values > objective &&
           trial->n_x == plan->space->n_coords && isfinite(trial->values[objective]);
}

static Rows rows_make(const StudyPlan *plan, const StudyTrial *trials, int count, int objective)
{
    Rows rows = {.width = space_n_features(plan->space) + 1};
    rows.x = xmalloc(((size_t)count + 1) * (size_t)rows.width * sizeof *rows.x);
    rows.y = xmalloc(((size_t)count + 1) * sizeof *rows.y);
    for (int i = 0; i < count; i++) {
        if (!is_usable(plan, &trials[i], objective))
            continue;
        row_fill(plan, trials[i].x, trials[i].budget, rows.x + rows.n * rows.width);
        rows.y[rows.n++] = trials[i].values[objective];
    }
    return rows;
}

static void rows_free(Rows *rows)
{
    free(rows->x);
    free(rows->y);
}

static SurrogateKind kind_for(int n)
{
    return n > MOST_FOR_PROCESS ? SURROGATE_FOREST : SURROGATE_GP;
}

// ---- the model ---------------------------------------------------------------------------------

// Squares of what a model of the other folds leaves of one fold.
static double fold_squares(const Rows *rows, int fold, uint64_t seed)
{
    Rows kept = {.width = rows->width};
    Random random = random_stream(seed, "influence", 1, (uint64_t)fold);
    size_t row = (size_t)rows->width * sizeof *rows->x;
    double squares = 0;
    kept.x = xmalloc((size_t)rows->n * row);
    kept.y = xmalloc((size_t)rows->n * sizeof *kept.y);
    for (int i = 0; i < rows->n; i++) {
        if (i % N_FOLDS == fold)
            continue;
        memcpy(kept.x + kept.n * kept.width, rows->x + i * rows->width, row);
        kept.y[kept.n++] = rows->y[i];
    }
    Surrogate *surrogate =
        surrogate_fit(kind_for(rows->n), kept.x, kept.y, kept.n, kept.width, &random);
    for (int i = fold; i < rows->n; i += N_FOLDS) {
        Prediction p;
        surrogate_predict(surrogate, rows->x + i * rows->width, 1, &p);
        squares += (rows->y[i] - p.mean) * (rows->y[i] - p.mean);
    }
    surrogate_free(surrogate);
    rows_free(&kept);
    return squares;
}

static double r2_left_out(const Rows *rows, uint64_t seed)
{
    double mean = 0, total = 0, left = 0;
    for (int i = 0; i < rows->n; i++)
        mean += rows->y[i] / rows->n;
    for (int i = 0; i < rows->n; i++)
        total += (rows->y[i] - mean) * (rows->y[i] - mean);
    for (int fold = 0; total > 0 && fold < N_FOLDS; fold++)
        left += fold_squares(rows, fold, seed);
    return total > 0 ? 1 - left / total : 0;
}

bool study_model_open(StudyModel *model, const StudyPlan *plan, const StudyTrial *trials, int count,
                      int objective)
{
    uint64_t seed = plan->search.seed;
    Rows rows = rows_make(plan, trials, count, objective);
    Random random = random_stream(seed, "influence", 0, 0);
    *model = (StudyModel){.plan = plan, .objective = objective, .n_trials = rows.n};
    if (rows.n >= MODEL_MIN_TRIALS) {
        model->r2 = r2_left_out(&rows, seed);
        model->surrogate =
            surrogate_fit(kind_for(rows.n), rows.x, rows.y, rows.n, rows.width, &random);
    }
    rows_free(&rows);
    return model->surrogate != NULL;
}

void study_model_close(StudyModel *model)
{
    surrogate_free(model->surrogate);
    model->surrogate = NULL;
}

Prediction study_model_predict(const StudyModel *model, const double *x, double budget)
{
    double features[SPACE_MAX_FEATURES + 1];
    Prediction p;
    row_fill(model->plan, x, budget, features);
    surrogate_predict(model->surrogate, features, 1, &p);
    return p;
}

// ---- indices -----------------------------------------------------------------------------------

typedef struct {
    double a[N_POINTS][SPACE_MAX_COORDS], b[N_POINTS][SPACE_MAX_COORDS];
    double at_a[N_POINTS], at_b[N_POINTS], at_mixed[N_POINTS];
} Design;

static double mean_at(const StudyModel *model, const double *x, double budget)
{
    return study_model_predict(model, x, budget).mean;
}

static void design_fill(const StudyModel *model, double budget, Design *design)
{
    const Space *space = model->plan->space;
    Random random = random_stream(model->plan->search.seed, "influence", 2, 0);
    for (int i = 0; i < N_POINTS; i++) {
        space_draw(space, &random, design->a[i]);
        space_draw(space, &random, design->b[i]);
        design->at_a[i] = mean_at(model, design->a[i], budget);
        design->at_b[i] = mean_at(model, design->b[i], budget);
    }
}

static double design_variance(const Design *design)
{
    double mean = 0, squares = 0;
    for (int i = 0; i < N_POINTS; i++)
        mean += 0.5 * (design->at_a[i] + design->at_b[i]) / N_POINTS;
    for (int i = 0; i < N_POINTS; i++)
        squares += (design->at_a[i] - mean) * (design->at_a[i] - mean) +
                   (design->at_b[i] - mean) * (design->at_b[i] - mean);
    return squares / (2 * N_POINTS);
}

// Points of a with one parameter of b; a condition may wake others up, which then sit in the
// middle.
static void design_mix(const StudyModel *model, const Param *param, double budget, Design *design)
{
    size_t size = (size_t)param->width * sizeof(double);
    for (int i = 0; i < N_POINTS; i++) {
        double x[SPACE_MAX_COORDS];
        memcpy(x, design->a[i], sizeof x);
        memcpy(x + param->first, design->b[i] + param->first, size);
        space_round(model->plan->space, x);
        design->at_mixed[i] = mean_at(model, x, budget);
    }
}

static double share(double part, double whole)
{
    return whole > 0 ? fmin(fmax(part / whole, 0), 1) : 0;
}

static Influence influence_of(const Design *design, double variance)
{
    double to_a = 0, to_b = 0;
    for (int i = 0; i < N_POINTS; i++) {
        double a = design->at_mixed[i] - design->at_a[i], b = design->at_mixed[i] - design->at_b[i];
        to_a += a * a / (2 * N_POINTS);
        to_b += b * b / (2 * N_POINTS);
    }
    return (Influence){.alone = share(variance - to_b, variance),
                       .altogether = share(to_a, variance)};
}

// ---- trends ------------------------------------------------------------------------------------

// Mean ranks, 1 for the least.
static void ranks_make(const double *values, int n, double *ranks)
{
    for (int i = 0; i < n; i++) {
        ranks[i] = 0.5;
        for (int k = 0; k < n; k++)
            ranks[i] += values[k] < values[i] ? 1 : values[k] == values[i] ? 0.5 : 0;
    }
}

static double correlation(const double *a, const double *b, int n)
{
    double middle = 0.5 * (n + 1), ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < n; i++) {
        ab += (a[i] - middle) * (b[i] - middle);
        aa += (a[i] - middle) * (a[i] - middle);
        bb += (b[i] - middle) * (b[i] - middle);
    }
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

// Spearman's, over the trials at one budget.
static double trend_of(const StudyModel *model, const StudyTrial *trials, int count, double budget,
                       int which)
{
    const Space *space = model->plan->space;
    double *numbers = xmalloc(4 * ((size_t)count + 1) * sizeof *numbers);
    double *x = numbers, *y = x + count, *rank_x = y + count, *rank_y = rank_x + count;
    int n = 0;
    for (int i = 0; i < count; i++) {
        if (!is_usable(model->plan, &trials[i], model->objective) || trials[i].budget != budget ||
            !space_is_active(space, trials[i].x, which))
            continue;
        x[n] = space_value(space, trials[i].x, which);
        y[n++] = trials[i].values[model->objective];
    }
    ranks_make(x, n, rank_x);
    ranks_make(y, n, rank_y);
    double trend = correlation(rank_x, rank_y, n);
    free(numbers);
    return trend;
}

void influences_make(const StudyModel *model, const StudyTrial *trials, int count, double budget,
                     Influence *out)
{
    const Space *space = model->plan->space;
    Design *design = xcalloc(1, sizeof *design);
    design_fill(model, budget, design);
    double variance = design_variance(design);
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        out[i] = (Influence){0};
        if (param->width == 0)
            continue;
        design_mix(model, param, budget, design);
        out[i] = influence_of(design, variance);
        if (param->kind == PARAM_FLOAT || param->kind == PARAM_INT)
            out[i].trend = trend_of(model, trials, count, budget, i);
    }
    free(design);
}
