// brackets.h - successive halving: which rung of which bracket is next.
#ifndef NAGO_BRACKETS_H
#define NAGO_BRACKETS_H

#include "optimizer.h"

// Bracket b starts at rung first(b) of n_rungs; budgets ascend and end at the largest.
typedef struct {
    int n_rungs, eta;
    BracketTable table;
    double budgets[MAX_RUNGS];
} BracketPlan;

// False if the budgets need more than MAX_RUNGS rungs or a bracket of more than a million points.
bool brackets_plan(double min_budget, double max_budget, int eta, BracketTable table,
                   BracketPlan *plan);
int bracket_first(const BracketPlan *plan, int bracket);
// Evaluations of a bracket at a rung; 0 below its first.
int bracket_slots(const BracketPlan *plan, int bracket, int rung);

typedef struct {
    int bracket, rung;
    int parent; // index into the history of the trial to promote; -1: a fresh point
    int rank;   // of the parent in its rung, from 1
} BracketMove;
// The next evaluation, given the history.  A rung closes when all of its slots are taken and none
// runs; then its best go on.  Slots that too few finished trials leave empty take fresh points.
// With n_objectives > 1 the order is that of pareto_order (pareto.h).
BracketMove brackets_next(const BracketPlan *plan, const HistoryTrial *trials, int n_trials,
                          int n_objectives);
// Does a trial continue the one named `id`?
bool was_promoted(const HistoryTrial *trials, int n_trials, int64_t id);

#endif
