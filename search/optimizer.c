// optimizer.c - one suggestion after another, from nothing but the history.
//
// In: options, a space, the trials so far.  Out: suggestions with their reasons.  Where a trial
// goes (bracket, rung, promotion) is brackets.c's part; which point it is, that of the method.

#include "models.h"
#include "optimizer_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const method_name[METHOD_COUNT] = {"random", "hyperband", "bohb",
                                               "mobo",   "mobohb",    "nsga2"};
const char *const surrogate_name[SURROGATE_COUNT] = {"auto", "bnn", "bnn-hom", "gp", "forest"};
const char *const acquisition_name[ACQUISITION_COUNT] = {"lcb", "ei", "ts"};
const char *const selection_name[SELECTION_COUNT] = {"hypervolume", "uncertainty"};
const char *const bracket_table_name[BRACKETS_COUNT] = {"hpbandster", "paper"};
const char *const duplicate_policy_name[DUPLICATES_COUNT] = {"reject", "allow"};
const char *const suggestion_reason_name[REASON_COUNT] = {
    "random", "initial", "model", "promotion", "usemo", "evolution", "queued", "refill"};

SearchOptions search_options_default(void)
{
    return (SearchOptions){.method = METHOD_RANDOM,
                           .n_objectives = 1,
                           .min_budget = 1,
                           .max_budget = 1,
                           .eta = 3,
                           .random_fraction = 1.0 / 3,
                           .top_percent = 15,
                           .n_candidates = 64,
                           .bandwidth_factor = 3,
                           .min_bandwidth = 1e-3,
                           .beta = 2};
}

static bool options_check(const SearchOptions *options, Err *err)
{
    if (options->n_objectives < 1 || options->n_objectives > MAX_OBJECTIVES)
        return err_input(err, "error: objectives must lie in 1..%d, got %d", MAX_OBJECTIVES,
                         options->n_objectives);
    if (!(options->min_budget > 0) || !(options->min_budget <= options->max_budget) ||
        !isfinite(options->max_budget))
        return err_input(err, "error: budgets must be 0 < min <= max, got %g and %g",
                         options->min_budget, options->max_budget);
    if (options->eta < 2 || options->eta > 100)
        return err_input(err, "error: eta must lie in 2..100, got %d", options->eta);
    if (!(options->random_fraction >= 0) || options->random_fraction > 1)
        return err_input(err, "error: random-fraction must lie in [0, 1], got %g",
                         options->random_fraction);
    if (!(options->top_percent > 0) || !(options->top_percent < 100))
        return err_input(err, "error: top-percent must lie between 0 and 100, got %g",
                         options->top_percent);
    if (options->n_candidates < 1 || options->n_candidates > 100000)
        return err_input(err, "error: candidates must lie in 1..100000, got %d",
                         options->n_candidates);
    if (!(options->bandwidth_factor > 0) || !(options->min_bandwidth > 0))
        return err_input(err, "error: bandwidths must be positive, got factor %g and least %g",
                         options->bandwidth_factor, options->min_bandwidth);
    if (!(options->beta >= 0) || !isfinite(options->beta))
        return err_input(err, "error: beta must be at least 0, got %g", options->beta);
    if (options->n_initial < 0 || options->n_initial > 100000)
        return err_input(err, "error: initial must lie in 0..100000, got %d", options->n_initial);
    return true;
}

static bool has_brackets(SearchMethod method)
{
    return method == METHOD_HYPERBAND || method == METHOD_BOHB || method == METHOD_MOBOHB;
}

static bool plan_make(const SearchOptions *options, BracketPlan *plan)
{
    double least = has_brackets(options->method) ? options->min_budget : options->max_budget;
    return brackets_plan(least, options->max_budget, options->eta, options->brackets, plan);
}

bool optimizer_open(const SearchOptions *options, const Space *space, Optimizer **optimizer,
                    Err *err)
{
    BracketPlan plan;
    *optimizer = NULL;
    if (!options_check(options, err))
        return false;
    if (!plan_make(options, &plan))
        return err_input(err,
                         "error: budgets from %g to %g take too many rungs at eta %d\n"
                         "  hint: raise min-budget or eta",
                         options->min_budget, options->max_budget, options->eta);
    *optimizer = xcalloc(1, sizeof **optimizer);
    **optimizer = (Optimizer){.options = *options, .space = space, .plan = plan};
    return true;
}

void optimizer_close(Optimizer *optimizer)
{
    if (optimizer)
        models_free(optimizer->models);
    free(optimizer);
}

int optimizer_budgets(const SearchOptions *options, double budgets[MAX_RUNGS])
{
    BracketPlan plan;
    if (!plan_make(options, &plan))
        return 0;
    memcpy(budgets, plan.budgets, sizeof plan.budgets);
    return plan.n_rungs;
}

void optimizer_cycle(const SearchOptions *options, int *trials, double *budget)
{
    BracketPlan plan;
    *trials = 0;
    *budget = 0;
    if (!plan_make(options, &plan))
        return;
    if (!has_brackets(options->method)) {
        *trials = 1;
        *budget = options->max_budget;
        return;
    }
    for (int bracket = 0; bracket < plan.n_rungs; bracket++) {
        for (int rung = 0; rung < plan.n_rungs; rung++) {
            *trials += bracket_slots(&plan, bracket, rung);
            *budget += bracket_slots(&plan, bracket, rung) * plan.budgets[rung];
        }
    }
}

// ---- points ------------------------------------------------------------------------------------

bool was_tried(const Optimizer *optimizer, const View *view, const double *x)
{
    uint64_t hash = space_hash(optimizer->space, x);
    for (int i = 0; i < view->n; i++) {
        if (view->hashes[i] == hash)
            return true;
    }
    return false;
}

void draw_new(const Optimizer *optimizer, const View *view, Random *random, double *x)
{
    int tries = optimizer->options.duplicates == DUPLICATES_REJECT ? MAX_REDRAWS : 1;
    for (int i = 0; i < tries; i++) {
        space_draw(optimizer->space, random, x);
        if (tries == 1 || !was_tried(optimizer, view, x))
            return;
    }
}

static void suggest_random(const Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    Random random = random_stream(optimizer->options.seed, "random", (uint64_t)suggestion->id, 0);
    suggestion->reason = REASON_RANDOM;
    draw_new(optimizer, view, &random, suggestion->x);
}

static void suggest_fresh(Optimizer *optimizer, const View *view, Suggestion *suggestion)
{
    Suggestion empty = *suggestion;
    bool found = false;
    SearchMethod method = optimizer->options.method;
    if (method == METHOD_BOHB)
        found = suggest_bohb(optimizer, view, suggestion);
    else if (method == METHOD_NSGA2)
        found = suggest_nsga2(optimizer, view, suggestion);
    else if (method == METHOD_MOBO || method == METHOD_MOBOHB)
        found = suggest_mobo(optimizer, view, suggestion);
    if (!found) {
        *suggestion = empty;
        suggest_random(optimizer, view, suggestion);
    }
}

// ---- where it goes -----------------------------------------------------------------------------

static Suggestion suggestion_empty(int64_t id)
{
    Suggestion suggestion = {.id = id,
                             .parent = -1,
                             .model_budget = NAN,
                             .good = NAN,
                             .bad = NAN,
                             .uncertainty = NAN,
                             .improvement = NAN,
                             .penalty = NAN};
    for (int k = 0; k < MAX_OBJECTIVES; k++)
        suggestion.mean[k] = suggestion.deviation[k] = suggestion.acquisition[k] = NAN;
    return suggestion;
}

static void suggest_one(Optimizer *optimizer, const View *view, const double *queued,
                        bool *queue_used, Suggestion *suggestion)
{
    const SearchOptions *options = &optimizer->options;
    int ranked = options->method == METHOD_BOHB ? 1 : options->n_objectives;
    BracketMove move = {0, 0, -1, 0};
    if (has_brackets(options->method))
        move = brackets_next(&optimizer->plan, view->trials, view->n, ranked);
    suggestion->bracket = move.bracket;
    suggestion->rung = move.rung;
    suggestion->budget = optimizer->plan.budgets[move.rung];
    size_t bytes = (size_t)optimizer->space->n_coords * sizeof *suggestion->x;
    if (move.parent >= 0) {
        if (options->method == METHOD_MOBOHB && options->n_objectives > 1)
            move.parent = promotion_choose(optimizer, view, move.parent, suggestion);
        suggestion->parent = view->trials[move.parent].id;
        suggestion->rank = move.rank;
        suggestion->reason = REASON_PROMOTION;
        memcpy(suggestion->x, view->trials[move.parent].x, bytes);
    } else if (queued) {
        suggestion->reason = REASON_QUEUED;
        memcpy(suggestion->x, queued, bytes);
        space_round(optimizer->space, suggestion->x);
        *queue_used = true;
    } else {
        suggest_fresh(optimizer, view, suggestion);
    }
}

// Where a trial of another study, which may have had other budgets, would stand; -1: nowhere.
static int rung_of(const BracketPlan *plan, double budget)
{
    for (int rung = 0; rung < plan->n_rungs; rung++) {
        if (fabs(budget - plan->budgets[rung]) < 1e-6 * budget)
            return rung;
    }
    return -1;
}

void optimizer_suggest(Optimizer *optimizer, const SearchHistory *history, int64_t first_id, int n,
                       Suggestion *out)
{
    int rows = history->n_trials, queue = 0;
    View view = {.n = rows};
    view.trials = xcalloc((size_t)(rows + n) + 1, sizeof *view.trials);
    view.hashes = xcalloc((size_t)(rows + n) + 1, sizeof *view.hashes);
    if (rows)
        memcpy(view.trials, history->trials, (size_t)rows * sizeof *view.trials);
    for (int i = 0; i < rows; i++) {
        view.hashes[i] = space_hash(optimizer->space, view.trials[i].x);
        if (view.trials[i].bracket < 0)
            view.trials[i].rung = rung_of(&optimizer->plan, view.trials[i].budget);
    }
    for (int i = 0; i < n; i++) {
        bool queue_used = false;
        const double *queued = queue < history->n_queued ? history->queued[queue] : NULL;
        out[i] = suggestion_empty(first_id + i);
        suggest_one(optimizer, &view, queued, &queue_used, &out[i]);
        queue += queue_used;
        view.trials[view.n] = (HistoryTrial){.id = out[i].id,
                                             .x = out[i].x,
                                             .bracket = out[i].bracket,
                                             .rung = out[i].rung,
                                             .budget = out[i].budget,
                                             .status = TRIAL_RUNNING,
                                             .parent = out[i].parent};
        view.hashes[view.n++] = space_hash(optimizer->space, out[i].x);
    }
    free(view.hashes);
    free(view.trials);
}

// ---- why ---------------------------------------------------------------------------------------

static void field_print(const char *name, double value, Text *out)
{
    if (isfinite(value))
        text_printf(out, ", \"%s\": %.6g", name, value);
}

static void fields_print(const char *name, const double *values, int count, Text *out)
{
    if (!isfinite(values[0]))
        return;
    text_printf(out, ", \"%s\": [", name);
    for (int i = 0; i < count; i++)
        text_printf(out, "%s%.6g", i ? ", " : "", values[i]);
    text_puts(out, "]");
}

void suggestion_print(const Suggestion *suggestion, int n_objectives, Text *out)
{
    text_printf(out, "{\"reason\": \"%s\"", suggestion_reason_name[suggestion->reason]);
    if (suggestion->rank)
        text_printf(out, ", \"from\": %lld, \"rank\": %d", (long long)suggestion->parent,
                    suggestion->rank);
    field_print("model_budget", suggestion->model_budget, out);
    if (suggestion->model_points)
        text_printf(out, ", \"model_points\": %d", suggestion->model_points);
    field_print("l", suggestion->good, out);
    field_print("g", suggestion->bad, out);
    fields_print("mean", suggestion->mean, n_objectives, out);
    fields_print("deviation", suggestion->deviation, n_objectives, out);
    fields_print("acquisition", suggestion->acquisition, n_objectives, out);
    field_print("uncertainty", suggestion->uncertainty, out);
    field_print("improvement", suggestion->improvement, out);
    field_print("penalty", suggestion->penalty, out);
    text_puts(out, "}");
}
