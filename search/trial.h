// trial.h - one evaluation: from a point of the space to values.
#ifndef NAGO_TRIAL_H
#define NAGO_TRIAL_H

#include "../runtime/measure.h"
#include "plan.h"
#include "study.h"

// What a trial is told and whom it tells.
typedef struct {
    const StudyPlan *plan;
    const StudyTrial *trial;  // as claimed
    const StudyTrial *parent; // the trial it continues; NULL: none
    int64_t root;             // the trial that drew its network: itself without a parent
    const char *folder;       // of checkpoints; NULL: neither read nor written
    double time_limit;        // seconds; 0: none
    JitKind jit;
    ShapeTimes times; // for the objective latency
    // After each step: `share` of the trial is done.  False asks for a stop.
    bool (*tell)(void *user, double share, const char *words);
    void *user;
} TrialJob;

typedef enum {
    TRIAL_ENDED,   // `result` holds state and values, or why there are none
    TRIAL_STOPPED, // on request; its checkpoint is written
    TRIAL_BROKEN   // the machine, not the trial, is at fault (`err`): no data, a full disk
} TrialEnd;

// Evaluates a network: draws until one is feasible, compiles, trains to the budget from the
// checkpoint of its own earlier attempt or of its parent, measures on the validation split.  Texts
// of the result live in `pool`.  A function of plan, data and trial alone, however often it is cut.
TrialEnd trial_network(const TrialJob *job, const Dataset *data, StudyTrial *result, Pool *pool,
                       Err *err);

// Runs plan->command with {"id": 7, "params": {...}, "budget": 1} on its stdin and reads {"values":
// [...]} or {"failed": "why"} from its stdout.
TrialEnd trial_command(const TrialJob *job, StudyTrial *result, Pool *pool, Err *err);

// "FOLDER/ID.safetensors"
const char *trial_checkpoint(const char *folder, int64_t id, Pool *pool);
// The trial where the chain of parents begins, in a list by id.
int64_t trial_root(const StudyTrial *trials, int count, const StudyTrial *trial);

#endif
