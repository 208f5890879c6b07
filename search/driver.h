// driver.h - the loop of a search: suggest, start workers, look after them, until enough is done.
#ifndef NAGO_DRIVER_H
#define NAGO_DRIVER_H

#include "../runtime/process.h"
#include "plan.h"
#include "study.h"

// How `nago worker` ends, beside 1 and signals (then the trial has crashed).
enum { WORKER_DONE = 0, WORKER_STOPPED = 4, WORKER_BROKEN = 5, WORKER_TAKEN = 6 };
enum { DRIVER_MAX_WORKERS = 256 };

typedef struct {
    const char *program; // that runs workers: the path of nago
    int workers, batch;  // suggestions made at a time
    int64_t trials;      // of the whole study; 0: no limit
    double seconds;      // of this search; 0: no limit
    double trial_seconds;
    int64_t trial_memory; // bytes; 0: none
    const char *jit;
} DriverOptions;

typedef struct {
    Process process; // pid 0: the place is free
    int64_t trial;
    double budget, share, started;
    char words[96];
    Text output;
    bool was_killed; // by us, for the time limit
} DriverWorker;

typedef enum { DRIVER_GOES_ON, DRIVER_STOPS, DRIVER_LEAVES } DriverWish;

typedef struct Driver Driver;
// Who watches.  `tick` is called several times a second and says what the user wants: to go on, to
// stop cleanly, to leave at once.  `ended`: a trial has come to its end (read from the store).
typedef struct {
    DriverWish (*tick)(void *user, const Driver *driver);
    void (*ended)(void *user, const Driver *driver, const StudyTrial *trial);
    void (*line)(void *user, const char *message); // a message that stays
    void *user;
} DriverWatch;

struct Driver {
    Study *study;
    const StudyPlan *plan;
    DriverOptions options;
    DriverWatch watch;
    Optimizer *optimizer;
    DriverWorker *workers; // [options.workers]
    const char *owner;
    Pool *pool;
    double started, recovered; // monotonic seconds
    int n_ended;               // trials that this driver has seen end
    double suggest_seconds;    // of the last suggestion
    bool is_stopping, is_out_of_time;
};

// Runs the search; returns when the limit is reached or the user wants it.  Error: the machine's
// fault (a full disk, a damaged file); what was stored is safe.
bool driver_run(Driver *driver, Err *err);

// Adds up to `n` suggestions to the study, in state `state` and (may be NULL) of `owner`; the ids
// of the new trials go from *first on.
bool suggestions_add(Study *study, Optimizer *optimizer, const StudyPlan *plan, int n,
                     StudyState state, const char *owner, int64_t *first, Err *err);

// Trials of the study that count against --trials.
int trials_counted(const StudyTrial *trials, int count);

#endif
