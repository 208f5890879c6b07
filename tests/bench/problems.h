// problems.h - problems with known answers, for the benchmark of the optimisers and their tests.
//
// Sources: Falkner et al. 2018 (counting ones); mf-prior-bench (MFHartmann, "good": bias 0.5, noise
// 0.1); Belakaria et al. 2019 and BoTorch (Branin-Currin); Zitzler et al. 2000 (ZDT1); Deb et al.
// 2002 (DTLZ2).  Reference points and largest hypervolumes as BoTorch has them; that of
// hartmann6-size by NSGA-II, 400 points in 2000 generations.
#ifndef NAGO_PROBLEMS_H
#define NAGO_PROBLEMS_H

#include "../../search/optimizer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBLEM_PI 3.14159265358979323846

typedef struct Problem Problem;
struct Problem {
    const char *name;
    int n_floats, n_binary, n_objectives;
    double min_budget, max_budget;
    double reference[MAX_OBJECTIVES], best_volume; // several objectives
    // Values of unit coordinates at a budget; `random` is of the trial alone.
    void (*evaluate)(const Problem *problem, const double *x, double budget, Random *random,
                     double *values);
    // How far a point is from the best possible, without noise: one objective.
    double (*regret)(const Problem *problem, const double *x);
};

// ---- one objective, several budgets ------------------------------------------------------------

static inline void counting_ones(const Problem *problem, const double *x, double budget,
                                 Random *random, double *values)
{
    int d = problem->n_floats + problem->n_binary;
    double sum = 0;
    for (int j = 0; j < problem->n_floats; j++) {
        int ones = 0;
        for (int i = 0; i < (int)(budget + 0.5); i++)
            ones += random_unit(random) < x[j];
        sum += ones / floor(budget + 0.5);
    }
    for (int j = problem->n_floats; j < d; j++)
        sum += x[j] > 0.5;
    values[0] = -sum;
}

static inline double counting_ones_regret(const Problem *problem, const double *x)
{
    int d = problem->n_floats + problem->n_binary;
    double sum = 0;
    for (int j = 0; j < d; j++)
        sum += j < problem->n_floats ? x[j] : x[j] > 0.5;
    return 1 - sum / d;
}

static inline double hartmann6(const double *x, double shift)
{
    static const double alpha[4] = {1.0, 1.2, 3.0, 3.2};
    static const double a[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                   {0.05, 10, 17, 0.1, 8, 14},
                                   {3, 3.5, 1.7, 10, 17, 8},
                                   {17, 8, 0.05, 10, 0.1, 14}};
    static const double p[4][6] = {{.1312, .1696, .5569, .0124, .8283, .5886},
                                   {.2329, .4135, .8307, .3736, .1004, .9991},
                                   {.2348, .1451, .3522, .2883, .3047, .6650},
                                   {.4047, .8828, .8732, .5743, .1091, .0381}};
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        double squares = 0;
        for (int j = 0; j < 6; j++)
            squares += a[i][j] * (x[j] - p[i][j]) * (x[j] - p[i][j]);
        sum -= (alpha[i] - shift) * exp(-squares);
    }
    return sum;
}

static inline void mf_hartmann6(const Problem *problem, const double *x, double budget,
                                Random *random, double *values)
{
    (void)problem;
    double u = log(budget) / log(100);
    values[0] = hartmann6(x, 0.5 * (1 - u)) + fabs(random_normal(random)) * 0.1 * (1 - u);
}

static inline double hartmann6_regret(const Problem *problem, const double *x)
{
    (void)problem;
    return hartmann6(x, 0) + 3.32236801141551;
}

// ---- several objectives ------------------------------------------------------------------------

static inline void branin_currin(const Problem *problem, const double *x, double budget,
                                 Random *random, double *values)
{
    (void)problem, (void)budget, (void)random;
    double a = 15 * x[0] - 5, b = 15 * x[1];
    double t = b - 5.1 * a * a / (4 * PROBLEM_PI * PROBLEM_PI) + 5 * a / PROBLEM_PI - 6;
    values[0] = t * t + 10 * (1 - 1 / (8 * PROBLEM_PI)) * cos(a) + 10;
    double factor = x[1] > 0 ? 1 - exp(-1 / (2 * x[1])) : 1, c = x[0];
    values[1] = factor * (2300 * c * c * c + 1900 * c * c + 2092 * c + 60) /
                (100 * c * c * c + 500 * c * c + 4 * c + 20);
}

static inline void branin_currin_noisy(const Problem *problem, const double *x, double budget,
                                       Random *random, double *values)
{
    branin_currin(problem, x, budget, random, values);
    values[0] += 15.19 * random_normal(random);
    values[1] += 0.63 * random_normal(random);
}

// The augmented Branin and the multi-fidelity Currin function, as BoTorch has them; the fidelity is
// the logarithm of the budget.
static inline void branin_currin_budgets(const Problem *problem, const double *x, double budget,
                                         Random *random, double *values)
{
    (void)random;
    double lost =
        1 - log(budget / problem->min_budget) / log(problem->max_budget / problem->min_budget);
    double a = 15 * x[0] - 5, b = 15 * x[1], c = x[0];
    double t =
        b - (5.1 / (4 * PROBLEM_PI * PROBLEM_PI) - 0.1 * lost) * a * a + 5 * a / PROBLEM_PI - 6;
    values[0] = t * t + 10 * (1 - 1 / (8 * PROBLEM_PI)) * cos(a) + 10;
    double factor = x[1] > 0 ? 1 - (1 - 0.1 * lost) * exp(-1 / (2 * x[1])) : 1;
    values[1] = factor * (2300 * c * c * c + 1900 * c * c + 2092 * c + 60) /
                (100 * c * c * c + 500 * c * c + 4 * c + 20);
}

// Something like (error, size) of networks: MFHartmann6, whose noise and bias fade as the budget
// grows, and the mean of the coordinates, which is exact at once.
static inline void hartmann6_size(const Problem *problem, const double *x, double budget,
                                  Random *random, double *values)
{
    mf_hartmann6(problem, x, budget, random, values);
    values[1] = 0;
    for (int j = 0; j < problem->n_floats; j++)
        values[1] += x[j] / problem->n_floats;
}

static inline void zdt1(const Problem *problem, const double *x, double budget, Random *random,
                        double *values)
{
    (void)budget, (void)random;
    double sum = 0;
    for (int j = 1; j < problem->n_floats; j++)
        sum += x[j];
    double g = 1 + 9 * sum / (problem->n_floats - 1);
    values[0] = x[0];
    values[1] = g * (1 - sqrt(x[0] / g));
}

static inline void dtlz2(const Problem *problem, const double *x, double budget, Random *random,
                         double *values)
{
    (void)budget, (void)random;
    int m = problem->n_objectives;
    double g = 0;
    for (int j = m - 1; j < problem->n_floats; j++)
        g += (x[j] - 0.5) * (x[j] - 0.5);
    for (int k = 0; k < m; k++) {
        values[k] = 1 + g;
        for (int j = 0; j < m - 1 - k; j++)
            values[k] *= cos(x[j] * PROBLEM_PI / 2);
        if (k > 0)
            values[k] *= sin(x[m - 1 - k] * PROBLEM_PI / 2);
    }
}

static const Problem problems[] = {
    {"counting-ones", 8, 8, 1, 9, 729, {0}, 0, counting_ones, counting_ones_regret},
    {"mf-hartmann6", 6, 0, 1, 1, 100, {0}, 0, mf_hartmann6, hartmann6_regret},
    {"branin-currin", 2, 0, 2, 1, 1, {18, 6}, 59.36011874867746, branin_currin, NULL},
    {"branin-currin-noisy", 2, 0, 2, 1, 1, {18, 6}, 59.36011874867746, branin_currin_noisy, NULL},
    {"branin-currin-budgets",
     2,
     0,
     2,
     1,
     9,
     {18, 6},
     59.36011874867746,
     branin_currin_budgets,
     NULL},
    {"hartmann6-size", 6, 0, 2, 100.0 / 9, 100, {0, 1}, 2.711, hartmann6_size, NULL},
    {"zdt1", 8, 0, 2, 1, 1, {11, 11}, 120 + 2.0 / 3, zdt1, NULL},
    {"dtlz2", 6, 0, 2, 1, 1, {1.1, 1.1}, 1.21 - PROBLEM_PI / 4, dtlz2, NULL},
    {"dtlz2-3", 6, 0, 3, 1, 1, {1.1, 1.1, 1.1}, 1.331 - PROBLEM_PI / 6, dtlz2, NULL},
};

static inline const Problem *problem_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(problems); i++) {
        if (strcmp(problems[i].name, name) == 0)
            return &problems[i];
    }
    return NULL;
}

// Its space; released by space_close.
static inline Space *problem_space(const Problem *problem)
{
    Text text = {0};
    Err err = {0};
    Space *space = NULL;
    for (int j = 0; j < problem->n_floats + problem->n_binary; j++)
        text_printf(&text, "%s\"x%d\": %s", j ? ", " : "{", j,
                    j < problem->n_floats ? "{\"type\": \"float\", \"range\": [0, 1]}"
                                          : "{\"type\": \"categorical\", \"choices\": [0, 1]}");
    text_puts(&text, "}");
    if (!space_parse(problem->name, text.data, text.length, &space, &err))
        bug("%s", err.message);
    text_free(&text);
    return space;
}

// ---- a study in memory -------------------------------------------------------------------------

typedef struct {
    const Problem *problem;
    const Space *space;
    HistoryTrial *trials;
    int n, capacity;
    double spent; // budget
} Study;

// Evaluates a trial, with the noise of its id and `seed`, and keeps it.
static inline void study_evaluate(Study *study, HistoryTrial trial, uint64_t seed)
{
    if (study->n == study->capacity) {
        study->capacity = study->capacity ? 2 * study->capacity : 256;
        study->trials = realloc(study->trials, (size_t)study->capacity * sizeof *study->trials);
        if (!study->trials)
            bug("out of memory");
    }
    size_t bytes = (size_t)study->space->n_coords * sizeof(double);
    trial.x = memcpy(xmalloc(bytes), trial.x, bytes);
    trial.status = TRIAL_FINISHED;
    Random random = random_stream(seed, "problem", (uint64_t)trial.id, 0);
    study->problem->evaluate(study->problem, trial.x, trial.budget, &random, trial.values);
    study->trials[study->n++] = trial;
    study->spent += trial.budget;
}

// Suggests `first`, then `batch` points at once and evaluates them, until `budget` is spent.
static inline void study_run(Study *study, Optimizer *optimizer, uint64_t seed, int first,
                             int batch, double budget)
{
    int most = first > batch ? first : batch;
    Suggestion *suggestions = xmalloc((size_t)most * sizeof *suggestions);
    while (study->spent < budget * (1 - 1e-9)) {
        SearchHistory history = {.trials = study->trials, .n_trials = study->n};
        int count = study->n == 0 ? first : batch;
        optimizer_suggest(optimizer, &history, study->n, count, suggestions);
        for (int i = 0; i < count; i++) {
            const Suggestion *s = &suggestions[i];
            HistoryTrial trial = {.id = s->id,
                                  .x = s->x,
                                  .bracket = s->bracket,
                                  .rung = s->rung,
                                  .budget = s->budget,
                                  .parent = s->parent};
            study_evaluate(study, trial, seed);
        }
    }
    free(suggestions);
}

static inline void study_free(Study *study)
{
    for (int i = 0; i < study->n; i++)
        free((void *)(uintptr_t)study->trials[i].x);
    free(study->trials);
}

// n finished trials of a space of at least four coordinates, with two noisy objectives.
static inline void history_draw(const Space *space, int n, HistoryTrial *trials,
                                double (*x)[SPACE_MAX_COORDS])
{
    Random random = random_stream(1, "test", 0, 0);
    for (int i = 0; i < n; i++) {
        space_draw(space, &random, x[i]);
        trials[i] = (HistoryTrial){.id = i,
                                   .x = x[i],
                                   .bracket = i / 13,
                                   .rung = 0,
                                   .budget = 1,
                                   .status = TRIAL_FINISHED,
                                   .parent = -1};
        trials[i].values[0] = sin(3 * x[i][0]) + x[i][3] + 0.1 * random_normal(&random);
        trials[i].values[1] = x[i][1] * x[i][1] - x[i][3] + 0.1 * random_normal(&random);
    }
}

#endif
