// plan.h - what a study does: everything that decides the results of its trials.
#ifndef NAGO_PLAN_H
#define NAGO_PLAN_H

#include "../runtime/trainer.h"
#include "objectives.h"
#include "optimizer.h"

enum { PLAN_DRAWS = 20, PLAN_WEIGHTS = 150000, PLAN_IMAGES = 10000 };

typedef struct {
    const Space *space;
    SearchOptions search;                // n_objectives set; budgets in epochs
    ObjectiveKind objectives[MAX_GOALS]; // of networks; else the values have no names
    Constraint constraints[MAX_CONSTRAINTS];
    int n_constraints;
    // Who computes the values: a command (`command`), someone who asks and tells (is_asked), or
    // networks trained on `data`.
    const char *command;
    bool is_asked;
    const char *data; // --data SPEC
    int images;       // at most so many training images, validation included; 0: all
    int64_t weights;  // a network has at most so many trainable numbers; 0: `params` decides
    int64_t params;   // theta's own budget; 0: theta's default
    Deployment deployment;
    TrainRecipe recipe; // epochs, seed: set for each trial
    bool restarts;      // a promoted trial begins anew with a schedule over its own budget
} StudyPlan;

// Is it an objective, or bounded by a constraint?
bool plan_uses(const StudyPlan *plan, ObjectiveKind kind);
// Does any objective or constraint need a trained network?
bool plan_trains(const StudyPlan *plan);
// Whole epochs of a budget; the epochs that the schedule of a trial spans.
int plan_epochs(const StudyPlan *plan, double budget);
int plan_schedule_epochs(const StudyPlan *plan, double budget);

// The training images of the study: a stratified part of at most plan->images; the test split is
// dropped, so that no search ever sees it.
bool plan_data(const StudyPlan *plan, Dataset **data, Err *err);

// Draws the `draw`-th network (0, 1, ...) of the point x for the trial that `root` began: arch and
// the theta.json it came from.  The same arguments give the same network.  Error: none can be
// drawn.
bool plan_network(const StudyPlan *plan, const Dataset *data, const double *x, int64_t root,
                  int draw, Arch *arch, const char **theta, Pool *pool, Err *err);

#endif
