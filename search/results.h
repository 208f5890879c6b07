// results.h - what a study has found: the best trial, the front, its hypervolume.
//
// Trials of different budgets do not compare: only those at the largest budget that has a finished
// trial are judged.
#ifndef NAGO_RESULTS_H
#define NAGO_RESULTS_H

#include "pareto.h"
#include "plan.h"
#include "study.h"

typedef struct {
    double budget;             // of the judged trials
    int n_judged;              // finished ones at that budget
    const StudyTrial **judged; // by id
    int n_front;
    const StudyTrial **front; // by the first objective; one objective: the best alone
    bool has_reference;
    double reference[MAX_OBJECTIVES];
    double hypervolume; // of the front; 0 without a reference point, or with one objective
} StudyResults;

// Texts and lists live in `pool`; the trials in `trials`.
void results_make(const StudyTrial *trials, int count, const StudyPlan *plan, Study *study,
                  StudyResults *results, Pool *pool);
// The stored reference point, or the plan's own; inferred from the front and stored once there are
// RESULTS_FOR_REFERENCE judged trials, so that hypervolumes stay comparable.
enum { RESULTS_FOR_REFERENCE = 5 };
bool results_reference(Study *study, const StudyPlan *plan, StudyResults *results, Pool *pool,
                       Err *err);

#endif
