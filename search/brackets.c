// brackets.c - Hyperband's brackets, derived from the history.
//
// In: the trials of a study.  Out: the next (bracket, rung) and what to evaluate there.  Nothing is
// kept between calls: a bracket's state is the count of its trials.  Brackets are walked oldest
// first; if none can go on before a running trial ends, the next one is opened.
// Sources: Li et al. 2017 (Hyperband); Falkner et al. 2018 (BOHB) and its code HpBandSter for the
// table of that name.  Their floor(log(max / min) / log(eta)) loses a rung at 1..243, eta 3, to
// rounding; here the number of rungs comes from a product, and all counts are integers.

#include "brackets.h"
#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SLOTS = 1000000 };

static int64_t power(int64_t base, int exponent)
{
    int64_t result = 1;
    while (exponent-- > 0 && result <= MAX_SLOTS)
        result *= base;
    return result;
}

bool brackets_plan(double min_budget, double max_budget, int eta, BracketTable table,
                   BracketPlan *plan)
{
    *plan = (BracketPlan){.n_rungs = 1, .eta = eta, .table = table};
    for (double budget = min_budget * eta; budget <= max_budget * (1 + 1e-9); budget *= eta) {
        if (++plan->n_rungs > MAX_RUNGS || power(eta, plan->n_rungs - 1) > MAX_SLOTS / MAX_RUNGS)
            return false;
    }
    for (int k = 0; k < plan->n_rungs; k++)
        plan->budgets[k] = max_budget / (double)power(eta, plan->n_rungs - 1 - k);
    return true;
}

int bracket_first(const BracketPlan *plan, int bracket)
{
    return bracket % plan->n_rungs;
}

int bracket_slots(const BracketPlan *plan, int bracket, int rung)
{
    int first = bracket_first(plan, bracket), s = plan->n_rungs - 1 - first;
    if (rung < first)
        return 0;
    int64_t width = power(plan->eta, s), rungs = plan->n_rungs;
    int64_t start =
        plan->table == BRACKETS_PAPER ? (rungs * width + s) / (s + 1) : rungs / (s + 1) * width;
    int64_t slots = start / power(plan->eta, rung - first);
    return slots > 1 ? (int)slots : 1;
}

// ---- the state of a bracket --------------------------------------------------------------------

typedef struct {
    const BracketPlan *plan;
    const HistoryTrial *trials;
    int n_trials, n_objectives;
    int n_brackets;
    int (*taken)[MAX_RUNGS], (*running)[MAX_RUNGS]; // [n_brackets]
} State;

static void state_count(State *state)
{
    for (int i = 0; i < state->n_trials; i++) {
        if (state->trials[i].bracket >= state->n_brackets)
            state->n_brackets = state->trials[i].bracket + 1;
    }
    state->taken = xcalloc((size_t)state->n_brackets + 1, sizeof *state->taken);
    state->running = xcalloc((size_t)state->n_brackets + 1, sizeof *state->running);
    for (int i = 0; i < state->n_trials; i++) {
        const HistoryTrial *trial = &state->trials[i];
        if (trial->bracket < 0 || trial->rung < 0 || trial->rung >= state->plan->n_rungs)
            continue;
        state->taken[trial->bracket][trial->rung]++;
        state->running[trial->bracket][trial->rung] += trial->status == TRIAL_RUNNING;
    }
}

bool was_promoted(const HistoryTrial *trials, int n_trials, int64_t id)
{
    for (int i = n_trials - 1; i >= 0; i--) {
        if (trials[i].parent == id)
            return true;
    }
    return false;
}

// The best finished trial of the closed rung below that has not gone on yet, among its first
// `slots`.
static int promotion_find(const State *state, int bracket, int rung, int slots, int *rank)
{
    int *rows = xmalloc((size_t)state->n_trials * sizeof *rows), count = 0, found = -1;
    for (int i = 0; i < state->n_trials; i++) {
        const HistoryTrial *trial = &state->trials[i];
        if (trial->bracket == bracket && trial->rung == rung - 1 && trial->status == TRIAL_FINISHED)
            rows[count++] = i;
    }
    pareto_order(state->trials, rows, count, state->n_objectives, slots);
    for (int i = 0; i < count && i < slots && found < 0; i++) {
        if (!was_promoted(state->trials, state->n_trials, state->trials[rows[i]].id)) {
            found = rows[i];
            *rank = i + 1;
        }
    }
    free(rows);
    return found;
}

// What bracket b can start now; false: nothing before one of its trials ends, or it is complete.
static bool bracket_move(const State *state, int bracket, BracketMove *move)
{
    static const int none[MAX_RUNGS];
    const int *taken = bracket < state->n_brackets ? state->taken[bracket] : none;
    const int *running = bracket < state->n_brackets ? state->running[bracket] : none;
    int first = bracket_first(state->plan, bracket);
    for (int rung = first; rung < state->plan->n_rungs; rung++) {
        int slots = bracket_slots(state->plan, bracket, rung);
        if (taken[rung] < slots) {
            *move = (BracketMove){bracket, rung, -1, 0};
            if (rung > first)
                move->parent = promotion_find(state, bracket, rung, slots, &move->rank);
            return true;
        }
        if (running[rung])
            return false;
    }
    return false;
}

BracketMove brackets_next(const BracketPlan *plan, const HistoryTrial *trials, int n_trials,
                          int n_objectives)
{
    State state = {
        .plan = plan, .trials = trials, .n_trials = n_trials, .n_objectives = n_objectives};
    BracketMove move = {0, 0, -1, 0};
    state_count(&state);
    for (int bracket = 0; !bracket_move(&state, bracket, &move); bracket++) {
    }
    free(state.taken);
    free(state.running);
    return move;
}
