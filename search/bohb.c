// bohb.c - where the good results are dense and the bad ones are not.
//
// In: the history.  Out: a point.  The results of the largest budget that has enough are split into
// good and bad; candidates are drawn from the density l of the good ones, and the one with the
// smallest g(x) / l(x) is taken.  Source: Falkner et al. 2018 and its code HpBandSter, whose order
// of steps is kept: good are the first max(min_points, 15 %), bad the next max(min_points, 85 %),
// and a model needs more than n_coords points of each.

#include "kde.h"
#include "optimizer_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const double *x;
    int group;   // finished, then infeasible, then failed
    double loss; // of a finished trial; else by how much it breaks its constraints
    int64_t id;
} Result;

static int result_compare(const void *a, const void *b)
{
    const Result *x = a, *y = b;
    if (x->group != y->group)
        return x->group - y->group;
    if (x->loss != y->loss)
        return x->loss < y->loss ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int collect(const View *view, int rung, Result *results)
{
    int n = 0;
    for (int i = 0; i < view->n; i++) {
        const HistoryTrial *trial = &view->trials[i];
        if (trial->rung != rung || trial->status == TRIAL_RUNNING)
            continue;
        bool finished = trial->status == TRIAL_FINISHED && isfinite(trial->values[0]);
        bool infeasible = trial->status == TRIAL_INFEASIBLE;
        double loss = finished ? trial->values[0] : infeasible ? trial->violation : 0;
        results[n++] = (Result){trial->x, finished ? 0 : infeasible ? 1 : 2, loss, trial->id};
    }
    return n;
}

typedef struct {
    int good, bad; // 0: too few results
} Split;

static Split split_counts(const SearchOptions *options, int d, int n)
{
    int least = options->min_points > d + 1 ? options->min_points : d + 1;
    int good = (int)(options->top_percent * n / 100),
        bad = (int)((100 - options->top_percent) * n / 100);
    good = good > least ? good : least;
    bad = bad > least ? bad : least;
    bad = bad < n - good ? bad : n - good;
    return n >= least && bad > d ? (Split){good, bad} : (Split){0, 0};
}

static void fit(const Optimizer *optimizer, const Result *results, int n, Random *random, Kde *kde)
{
    int d = optimizer->space->n_coords;
    double *points = xmalloc((size_t)n * (size_t)d * sizeof *points);
    for (int i = 0; i < n; i++)
        memcpy(points + i * d, results[i].x, (size_t)d * sizeof *points);
    kde_fit(kde, optimizer->space, points, n, optimizer->options.min_bandwidth, random);
    free(points);
}

// The candidate with the smallest ratio that was not tried; false if all were.
static bool best_candidate(const Optimizer *optimizer, const View *view, const Kde *good,
                           const Kde *bad, Random *random, Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    size_t bytes = (size_t)optimizer->space->n_coords * sizeof(double);
    double best = INFINITY;
    for (int i = 0; i < options->n_candidates; i++) {
        double x[SPACE_MAX_COORDS];
        kde_draw(good, options->bandwidth_factor, random, x);
        double l = kde_density(good, x), g = kde_density(bad, x);
        double score = fmax(1e-32, g) / fmax(l, 1e-32);
        if (!(score < best))
            continue;
        space_round(optimizer->space, x);
        if (options->duplicates == DUPLICATES_REJECT && was_tried(optimizer, view, x))
            continue;
        best = score;
        suggestion->good = l;
        suggestion->bad = g;
        memcpy(suggestion->x, x, bytes);
    }
    return best < INFINITY;
}

bool suggest_bohb(const Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    Random random = random_stream(options->seed, "bohb", (uint64_t)suggestion->id, 0);
    if (random_unit(&random) < options->random_fraction)
        return false;
    Result *results = xmalloc(((size_t)view->n + 1) * sizeof *results);
    Split split = {0, 0};
    int rung = optimizer->plan.n_rungs, n = 0;
    while (rung > 0 && !split.good) {
        n = collect(view, --rung, results);
        split = split_counts(options, optimizer->space->n_coords, n);
    }
    bool found = false;
    if (split.good) {
        Kde good, bad;
        qsort(results, (size_t)n, sizeof *results, result_compare);
        fit(optimizer, results, split.good, &random, &good);
        fit(optimizer, results + split.good, split.bad, &random, &bad);
        found = best_candidate(optimizer, view, &good, &bad, &random, suggestion);
        kde_free(&good);
        kde_free(&bad);
        suggestion->reason = REASON_MODEL;
        suggestion->model_budget = optimizer->plan.budgets[rung];
        suggestion->model_points = n;
    }
    free(results);
    return found;
}
