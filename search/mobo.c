// mobo.c - multi-objective Bayesian optimisation after USeMO.
//
// In: the history.  Out: a point.  A surrogate for each objective gives an acquisition for each;
// NSGA-II finds their Pareto front; one point of it is chosen: the most uncertain one (the paper),
// or the one that promises most hypervolume.  What runs already is penalised, so that batches
// spread. Sources: Belakaria et al. 2020 (USeMO); Ru et al. 2020, section 2.2 (batches, noise).

#include "models.h"
#include "normal.h"
#include "nsga2.h"
#include "pareto.h"
#include "penalise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POPULATION = 100,
    GENERATIONS = 24,
    MAX_POOL = 2 * POPULATION,
    MAX_SEEDS = 30,
    N_SAMPLES = 32,
    N_CLIMBS = 100
};

typedef struct {
    const Optimizer *optimizer;
    const View *view;
    const Models *models;
    double beta;
    uint64_t draw; // of Thompson sampling
    int n_penalties;
    Penalty *penalties; // of trials that run
    // selection by hypervolume:
    int n_front;
    double *front; // with what rivals are expected to give
    double reference[MAX_OBJECTIVES];
    double normals[N_SAMPLES][MAX_OBJECTIVES];
} Search;

static double deviation_of(const Prediction *p)
{
    return sqrt(p->spread);
}

// ---- acquisitions ------------------------------------------------------------------------------

// USeMO's schedule: sqrt(2 ln(t^(d/2 + 2) pi^2 / (3 delta)) / 2) with delta 0.05.
static double usemo_beta(int t, int d)
{
    return sqrt((d / 2.0 + 2) * log(t) + log(9.8696044010893586 / 0.15));
}

static double acquisition(const Search *search, const Prediction *p, int k)
{
    double deviation = deviation_of(p);
    if (search->optimizer->options.acquisition == ACQUISITION_LCB)
        return p->mean - search->beta * deviation;
    double z = (search->models->ideal[k] - 1e-3 - p->mean) / deviation;
    return -deviation * (z * normal_below(z) + normal_density(z));
}

// A point that is likely to break a constraint is worse in every objective.
static void acquisitions(void *context, const double *x, int n, double *values)
{
    const Search *search = context;
    const Models *models = search->models;
    int k = models->k;
    double *infeasible = xmalloc((size_t)n * sizeof *infeasible);
    if (search->optimizer->options.acquisition == ACQUISITION_TS) {
        models_sample(models, search->draw, x, n, values);
    } else {
        Prediction *p = xmalloc((size_t)n * (size_t)k * sizeof *p);
        models_predict(models, x, n, p);
        for (int i = 0; i < n * k; i++)
            values[i] = acquisition(search, &p[i], i % k);
        free(p);
    }
    models_infeasible(models, x, n, infeasible);
    for (int i = 0; i < n * k; i++)
        values[i] += 5 * fmax(0, infeasible[i / k] - 0.25);
    free(infeasible);
}

// ---- selection ---------------------------------------------------------------------------------

static double uncertainty(const Search *search, const double *x)
{
    Prediction p[MAX_OBJECTIVES];
    double sum = 0;
    models_predict(search->models, x, 1, p);
    for (int k = 0; k < search->models->k; k++)
        sum += log(deviation_of(&p[k]) + 1e-12);
    return sum;
}

// Expected growth of the hypervolume, over samples that all candidates share.
static double improvement(const Search *search, const double *x)
{
    int k = search->models->k;
    Prediction p[MAX_OBJECTIVES];
    double sum = 0, added[MAX_OBJECTIVES];
    models_predict(search->models, x, 1, p);
    for (int s = 0; s < N_SAMPLES; s++) {
        for (int o = 0; o < k; o++)
            added[o] = p[o].mean + deviation_of(&p[o]) * search->normals[s][o];
        sum += k == 2
                   ? stairs_gain(search->front, search->n_front, search->reference, added)
                   : hypervolume_gain(search->front, search->n_front, k, search->reference, added);
    }
    return sum / N_SAMPLES;
}

// What a point promises, if it is feasible, times how likely that is.
static double score(const Search *search, SelectionKind selection, const double *x)
{
    double infeasible;
    double worth = selection == SELECTION_UNCERTAINTY ? uncertainty(search, x)
                                                      : log(improvement(search, x) + 1e-300);
    models_infeasible(search->models, x, 1, &infeasible);
    return worth + log1p(-fmin(infeasible, 0.999)) +
           penalty_log(search->penalties, search->n_penalties, x, search->models->space->n_coords);
}

static bool is_new(const Search *search, const double *x)
{
    return search->optimizer->options.duplicates == DUPLICATES_ALLOW ||
           !was_tried(search->optimizer, search->view, x);
}

// Small random steps, kept where the score rises.
static void climb(const Search *search, SelectionKind selection, Random *random, double *x,
                  double *best)
{
    const Space *space = search->models->space;
    double step[SPACE_MAX_COORDS], width = 0.05;
    for (int i = 0; i < N_CLIMBS; i++) {
        for (int j = 0; j < space->n_coords; j++)
            step[j] = x[j] + width * random_normal(random);
        space_round(space, step);
        double here = is_new(search, step) ? score(search, selection, step) : -INFINITY;
        if (here > *best) {
            *best = here;
            memcpy(x, step, (size_t)space->n_coords * sizeof *x);
        } else {
            width = fmax(1e-3, width * 0.96);
        }
    }
}

// The candidate with the highest score; -1 if all were tried, or none is worth anything.
static int select_one(const Search *search, SelectionKind selection, double *best)
{
    int chosen = -1;
    *best = -INFINITY;
    for (int i = 0; i < search->models->n_pool; i++) {
        const double *candidate = search->models->pool + i * search->models->space->n_coords;
        if (!is_new(search, candidate))
            continue;
        double here = score(search, selection, candidate);
        if (here > *best) {
            *best = here;
            chosen = i;
        }
    }
    return chosen;
}

// ---- the search --------------------------------------------------------------------------------

static void reference_find(Search *search)
{
    const SearchOptions *options = &search->optimizer->options;
    const Models *models = search->models;
    int k = models->k;
    if (options->has_reference) {
        for (int o = 0; o < k; o++)
            search->reference[o] = warp_value(&models->warp[o], options->reference[o]);
    } else if (models->n_front) {
        reference_point_infer(models->front, models->n_front, k, search->reference);
    } else {
        for (int o = 0; o < k; o++)
            search->reference[o] = models->ideal[o] + 1;
    }
}

// Whether a point should add to what this trial promises: it runs, or it has finished where the
// suggestion is to go, at a budget too low to be on the front itself.  Without the latter the
// points of a rung would all be the same best one.
static bool is_rival(const Search *search, const HistoryTrial *trial, const Suggestion *suggestion)
{
    return trial->status == TRIAL_RUNNING ||
           (trial->status == TRIAL_FINISHED && trial->bracket == suggestion->bracket &&
            trial->rung == suggestion->rung &&
            trial->budget < search->optimizer->options.max_budget * (1 - 1e-9));
}

static void rivals_add(Search *search, const Suggestion *suggestion)
{
    const View *view = search->view;
    const Models *models = search->models;
    int k = models->k;
    search->penalties = xmalloc(((size_t)view->n + 1) * sizeof *search->penalties);
    search->front = xmalloc(((size_t)(models->n_front + view->n) + 1) * (size_t)k * sizeof(double));
    if (models->n_front)
        memcpy(search->front, models->front, (size_t)models->n_front * (size_t)k * sizeof(double));
    search->n_front = models->n_front;
    for (int i = 0; i < view->n; i++) {
        const double *x = view->trials[i].x;
        if (!is_rival(search, &view->trials[i], suggestion))
            continue;
        if (view->trials[i].status == TRIAL_RUNNING)
            search->penalties[search->n_penalties++] = (Penalty){x, penalty_radius(models, x)};
        Prediction p[MAX_OBJECTIVES];
        models_predict(models, x, 1, p);
        for (int o = 0; o < k; o++)
            search->front[search->n_front * k + o] = p[o].mean;
        search->n_front++;
    }
}

static Search search_open(const Optimizer *optimizer, const View *view, const Models *models,
                          const Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    Search search = {.optimizer = optimizer, .view = view, .models = models};
    search.draw = (uint64_t)suggestion->id;
    search.beta = options->beta > 0 ? options->beta
                                    : usemo_beta(models->n_points, optimizer->space->n_coords);
    reference_find(&search);
    rivals_add(&search, suggestion);
    search.n_front = models->k == 2 ? stairs_make(search.front, search.n_front, search.reference)
                                    : front_keep(search.front, search.n_front, models->k);
    Random random = random_stream(options->seed, "improvement", (uint64_t)models->n_points, 0);
    for (int s = 0; s < N_SAMPLES; s++) {
        for (int o = 0; o < models->k; o++)
            search.normals[s][o] = random_normal(&random);
    }
    return search;
}

static void search_close(Search *search)
{
    free(search->penalties);
    free(search->front);
}

static void suggestion_explain(const Search *search, Suggestion *suggestion)
{
    const Models *models = search->models;
    Prediction p[MAX_OBJECTIVES];
    models_predict(models, suggestion->x, 1, p);
    acquisitions((void *)(uintptr_t)search, suggestion->x, 1, suggestion->acquisition);
    for (int k = 0; k < models->k; k++) {
        double deviation = deviation_of(&p[k]);
        suggestion->mean[k] = unwarp_value(&models->warp[k], p[k].mean);
        suggestion->deviation[k] = 0.5 * (unwarp_value(&models->warp[k], p[k].mean + deviation) -
                                          unwarp_value(&models->warp[k], p[k].mean - deviation));
    }
    suggestion->reason = REASON_USEMO;
    suggestion->model_budget = search->optimizer->options.max_budget;
    suggestion->model_points = models->n_points;
    suggestion->uncertainty = uncertainty(search, suggestion->x);
    if (search->optimizer->options.selection == SELECTION_HYPERVOLUME)
        suggestion->improvement = improvement(search, suggestion->x);
    suggestion->penalty =
        penalty_log(search->penalties, search->n_penalties, suggestion->x, models->space->n_coords);
}

// Adds the front of the acquisitions at one beta to the pool.
static void pool_add(Search *search, Models *models, double beta, Random *random)
{
    int d = models->space->n_coords, k = models->k, rank[POPULATION];
    double *x = xmalloc((size_t)POPULATION * (size_t)d * sizeof *x);
    double *values = xmalloc((size_t)POPULATION * (size_t)k * sizeof *values);
    NsgaProblem problem = {models->space, k, POPULATION, GENERATIONS, acquisitions, search};
    int n_seeds = models->n_front < MAX_SEEDS ? models->n_front : MAX_SEEDS;
    search->beta = beta;
    nsga2_run(&problem, models->front_points, n_seeds, random, x, values);
    pareto_ranks(values, POPULATION, k, rank);
    for (int i = 0; i < POPULATION; i++) {
        if (rank[i] == 0)
            memcpy(models->pool + models->n_pool++ * d, x + i * d, (size_t)d * sizeof *x);
    }
    free(values);
    free(x);
}

// The pool does not know what runs, so that a batch shares one.  Only Thompson sampling draws new
// functions for each point.
static void pool_fill(Search *search, Models *models)
{
    const SearchOptions *options = &search->optimizer->options;
    bool sampled = options->acquisition == ACQUISITION_TS;
    if (models->pool && !sampled)
        return;
    Random random = random_stream(options->seed, "pool", (uint64_t)models->n_points,
                                  sampled ? search->draw : 0);
    double beta = search->beta;
    if (!models->pool)
        models->pool =
            xmalloc((size_t)MAX_POOL * (size_t)models->space->n_coords * sizeof *models->pool);
    models->n_pool = 0;
    if (options->acquisition == ACQUISITION_LCB && options->selection == SELECTION_HYPERVOLUME)
        pool_add(search, models, 0.25 * beta, &random);
    pool_add(search, models, beta, &random);
}

static bool candidates_choose(const Search *search, Random *random, Suggestion *suggestion)
{
    const Models *models = search->models;
    SelectionKind selection = search->optimizer->options.selection;
    double best = 0;
    int d = models->space->n_coords, chosen = select_one(search, selection, &best);
    if (selection == SELECTION_HYPERVOLUME && chosen >= 0 && best < log(1e-200)) {
        selection = SELECTION_UNCERTAINTY; // nothing promises to reach the reference point yet
        chosen = select_one(search, selection, &best);
    }
    if (chosen < 0)
        return false;
    memcpy(suggestion->x, models->pool + chosen * d, (size_t)d * sizeof *suggestion->x);
    if (selection == SELECTION_HYPERVOLUME)
        climb(search, selection, random, suggestion->x, &best);
    return true;
}

// ---- points without a model --------------------------------------------------------------------

// Roberts' sequence: multiples of the powers of the inverse of the generalised golden ratio, from a
// random start.  Any stretch of it fills the cube evenly, in any dimension.
static void sequence_point(const Optimizer *optimizer, uint64_t index, double *x)
{
    int d = optimizer->space->n_coords;
    double ratio = 2;
    for (int i = 0; i < 50; i++)
        ratio = pow(1 + ratio, 1.0 / (d + 1));
    Random random = random_stream(optimizer->options.seed, "sequence", 0, 0);
    double step = 1;
    for (int j = 0; j < d; j++) {
        step /= ratio;
        x[j] = fmod(random_unit(&random) + (double)(index + 1) * step, 1);
    }
    space_round(optimizer->space, x);
}

static int fresh_count(const View *view)
{
    int count = 0;
    for (int i = 0; i < view->n; i++)
        count += view->trials[i].bracket >= 0 && view->trials[i].parent < 0;
    return count;
}

// Points that were begun, and results of another study that say as much as an initial design.
static int known_count(const Optimizer *optimizer, const View *view)
{
    double most = optimizer->options.max_budget;
    int count = fresh_count(view);
    for (int i = 0; i < view->n; i++)
        count += view->trials[i].bracket < 0 && view->trials[i].status == TRIAL_FINISHED &&
                 fabs(view->trials[i].budget - most) < 1e-9 * most;
    return count;
}

static bool suggest_sequence(const Optimizer *optimizer, const View *view, int index,
                             SuggestionReason reason, Suggestion *suggestion)
{
    for (int i = 0; i < MAX_REDRAWS; i++) {
        sequence_point(optimizer, (uint64_t)(index + i), suggestion->x);
        suggestion->reason = reason;
        if (optimizer->options.duplicates == DUPLICATES_ALLOW ||
            !was_tried(optimizer, view, suggestion->x))
            return true;
    }
    return false;
}

// ---- evolution ---------------------------------------------------------------------------------

enum { PARENTS = 20 };

// Rows of the best finished trials at the largest budget, then of those that break the constraints
// least; best first.
static int parents_find(const Optimizer *optimizer, const View *view, int rows[PARENTS])
{
    int k = optimizer->options.n_objectives, n = 0, kept[PARENTS];
    double most = optimizer->options.max_budget;
    double *values = xmalloc(((size_t)view->n + 1) * (size_t)k * sizeof *values);
    int *finished = xmalloc(((size_t)view->n + 1) * sizeof *finished);
    for (int i = 0; i < view->n; i++) {
        const HistoryTrial *trial = &view->trials[i];
        if (trial->status != TRIAL_FINISHED || fabs(trial->budget - most) > 1e-9 * most)
            continue;
        memcpy(values + n * k, trial->values, (size_t)k * sizeof *values);
        finished[n++] = i;
    }
    int count = n < PARENTS ? n : PARENTS;
    nsga2_survivors(values, n, k, count, kept);
    for (int i = 0; i < count; i++)
        rows[i] = finished[kept[i]];
    free(finished);
    free(values);
    return count;
}

static int parents_fill(const View *view, int rows[PARENTS], int count)
{
    double last = -INFINITY;
    for (int least = 0; least >= 0 && count < PARENTS;) {
        least = -1;
        for (int i = 0; i < view->n; i++) {
            const HistoryTrial *trial = &view->trials[i];
            if (trial->status == TRIAL_INFEASIBLE && trial->violation > last &&
                (least < 0 || trial->violation < view->trials[least].violation))
                least = i;
        }
        if (least >= 0) {
            rows[count++] = least;
            last = view->trials[least].violation;
        }
    }
    return count;
}

// Steady state: the parents of each child are drawn from the best trials.
static bool evolve(const Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    int rows[PARENTS], n = parents_fill(view, rows, parents_find(optimizer, view, rows));
    Random random = random_stream(options->seed, "nsga2", (uint64_t)suggestion->id, 0);
    bool found = false;
    for (int i = 0; i < MAX_REDRAWS && n && !found; i++) {
        int parent[2];
        for (int side = 0; side < 2; side++) { // a tournament
            uint64_t a = random_below(&random, (uint64_t)n), b = random_below(&random, (uint64_t)n);
            parent[side] = rows[a < b ? a : b];
        }
        nsga2_child(optimizer->space, view->trials[parent[0]].x, view->trials[parent[1]].x, &random,
                    suggestion->x);
        found =
            options->duplicates == DUPLICATES_ALLOW || !was_tried(optimizer, view, suggestion->x);
    }
    suggestion->reason = REASON_EVOLUTION;
    return found;
}

bool suggest_nsga2(const Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    int fresh = fresh_count(view);
    if (known_count(optimizer, view) < PARENTS)
        return suggest_sequence(optimizer, view, fresh, REASON_INITIAL, suggestion);
    return evolve(optimizer, view, suggestion);
}

// ---- nothing is feasible yet -------------------------------------------------------------------

// Next to nothing has finished: the same method, with the violation of the constraints as the only
// objective.
static bool suggest_less_broken(const Optimizer *optimizer, const View *view,
                                Suggestion *suggestion)
{
    Optimizer other = *optimizer;
    View violations = *view;
    int known = 0;
    violations.trials = xmalloc(((size_t)view->n + 1) * sizeof *violations.trials);
    for (int i = 0; i < view->n; i++) {
        HistoryTrial trial = view->trials[i];
        bool finished = trial.status == TRIAL_FINISHED;
        if (finished || trial.status == TRIAL_INFEASIBLE)
            trial.status = TRIAL_FINISHED;
        trial.values[0] = finished ? 0 : trial.violation;
        trial.budget = optimizer->options.max_budget; // constraints hold or not at every budget
        known += trial.status == TRIAL_FINISHED && isfinite(trial.values[0]);
        violations.trials[i] = trial;
    }
    other.models = NULL;
    other.options.n_objectives = 1;
    other.options.has_reference = false;
    bool found = known >= 2 && suggest_mobo(&other, &violations, suggestion);
    suggestion->mean[0] = suggestion->deviation[0] = suggestion->acquisition[0] = NAN;
    models_free(other.models);
    free(violations.trials);
    return found;
}

// ---- the method --------------------------------------------------------------------------------

// The rows of a closed rung that are as good as `parent`, on the same front of it, and wait still.
static int peers_find(const Optimizer *optimizer, const View *view, int parent, int *peers)
{
    const HistoryTrial *best = &view->trials[parent];
    int k = optimizer->options.n_objectives, n = 0, count = 0, front = 0;
    size_t room = (size_t)view->n;
    int *rows = xmalloc(room * sizeof *rows), *rank = xmalloc(room * sizeof *rank);
    double *values = xmalloc(room * (size_t)k * sizeof *values);
    for (int i = 0; i < view->n; i++) {
        const HistoryTrial *trial = &view->trials[i];
        if (trial->bracket != best->bracket || trial->rung != best->rung ||
            trial->status != TRIAL_FINISHED)
            continue;
        memcpy(values + n * k, trial->values, (size_t)k * sizeof *values);
        rows[n++] = i;
    }
    pareto_ranks(values, n, k, rank);
    for (int i = 0; i < n; i++)
        front = rows[i] == parent ? rank[i] : front;
    for (int i = 0; i < n; i++) {
        if (rank[i] == front && !was_promoted(view->trials, view->n, view->trials[rows[i]].id))
            peers[count++] = rows[i];
    }
    free(values);
    free(rank);
    free(rows);
    return count;
}

int promotion_choose(Optimizer *optimizer, const View *view, int parent,
                     const Suggestion *suggestion)
{
    int *peers = xmalloc((size_t)view->n * sizeof *peers), chosen = parent;
    int count = peers_find(optimizer, view, parent, peers);
    Models *models = count > 1 ? models_fit(optimizer, view) : NULL;
    if (models) {
        double most = 0;
        Search search = search_open(optimizer, view, models, suggestion);
        for (int i = 0; i < count; i++) {
            double here = improvement(&search, view->trials[peers[i]].x);
            if (here > most) {
                most = here;
                chosen = peers[i];
            }
        }
        search_close(&search);
    }
    free(peers);
    return chosen;
}

bool suggest_mobo(Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    int fresh = fresh_count(view), d = optimizer->space->n_coords;
    int n_initial = options->n_initial ? options->n_initial : d + 2;
    if (known_count(optimizer, view) < n_initial)
        return suggest_sequence(optimizer, view, fresh, REASON_INITIAL, suggestion);
    Models *models = models_fit(optimizer, view);
    if (!models)
        return suggest_less_broken(optimizer, view, suggestion);
    Search search = search_open(optimizer, view, models, suggestion);
    Random random = random_stream(options->seed, "mobo", (uint64_t)suggestion->id, 0);
    pool_fill(&search, models);
    bool found = candidates_choose(&search, &random, suggestion);
    if (found)
        suggestion_explain(&search, suggestion);
    search_close(&search);
    return found || suggest_sequence(optimizer, view, fresh, REASON_REFILL, suggestion);
}
