// study.h - the study store: the single source of truth of a search.
//
// A study is one database: options that decide its results, and trials.  Whatever a search needs to
// go on is in it, so that resuming is reading it back.  Any number of processes may work on one
// study at a time; a trial belongs to the process that has claimed it by a lease, which it renews.
// Nothing but this interface knows which database is behind it.  Schema: docs/study.md.
#ifndef NAGO_STUDY_H
#define NAGO_STUDY_H

#include "../compiler/base.h"

enum { STUDY_MAX_VALUES = 8, STUDY_SCHEMA = 1, STUDY_LEASE = 60, STUDY_ATTEMPTS = 3 };

typedef enum {
    STUDY_QUEUED,    // waits for a worker
    STUDY_RUNNING,   // claimed
    STUDY_FINISHED,  // has values
    STUDY_FAILED,    // crashed, diverged, ran out of time or memory; `error` says which
    STUDY_INFEASIBLE // breaks a constraint by `violation`
} StudyState;
extern const char *const study_state_name[5];

// One evaluation.  JSON texts are as stored; NULL where there is none.
typedef struct {
    int64_t id; // 0, 1, ... without gaps
    StudyState state;
    int bracket, rung;
    double budget;
    int64_t parent; // the trial that it continues; -1: none
    int n_x;
    const double *x;    // its point in the unit cube
    const char *params; // JSON object: the point in the space's own terms
    const char *reason; // JSON object: why it was suggested
    const char *theta;  // theta.json of its network; NULL before there is one
    int draws;          // networks drawn until one was feasible
    int n_values;
    double values[STUDY_MAX_VALUES]; // of the objectives, in their order
    double violation;                // of the constraints; 0: feasible
    const char *measures;            // JSON object: everything that was measured, with its split
    const char *error;               // why it failed
    int attempts;                    // claims so far
    const char *owner;               // of the last claim
    double lease;                    // seconds since 1970; 0: none
    double created, started, ended;  // seconds since 1970; 0: not yet
    int64_t queued; // study_add: the waiting point that becomes this trial; -1: none
} StudyTrial;

typedef struct Study Study;

typedef enum { STUDY_READ, STUDY_WRITE, STUDY_CREATE } StudyMode;

// Opens a study file; STUDY_CREATE makes one that is missing.  Error: no study, a damaged one, one
// of a later schema; an older schema is brought up to date first (not by STUDY_READ, which
// refuses).
bool study_open(const char *path, StudyMode mode, Study **study, Err *err);
void study_close(Study *study); // NULL is allowed
const char *study_path(const Study *study);
// "FILE.d": where checkpoints lie.  Made by study_open unless it only reads.
const char *study_folder(const Study *study);
// For tests of a full disk: the file may not grow beyond so many pages of 4096 bytes.
void study_limit_pages(Study *study, int pages);

// ---- options: what the study was begun with
// ------------------------------------------------------

typedef struct {
    const char *name, *value;
} StudyOption;
// Begins a study whole or not at all.  *is_first: this call has done it; else there were options
// already and nothing has changed.
bool study_begin(Study *study, const StudyOption *options, int count, bool *is_first, Err *err);
// All options by name; none: the study is not begun.  They live in `pool`.
bool study_options(Study *study, StudyOption **options, int *count, Pool *pool, Err *err);
// Notes that are no options ("reference": the point of the hypervolume).  NULL: none.
bool study_note(Study *study, const char *name, const char **value, Pool *pool, Err *err);
bool study_note_write(Study *study, const char *name, const char *value, Err *err);

// ---- trials -------------------------------------------------------------------------------------

// All trials by id, or one (*trial NULL: there is none); everything lives in `pool`.
bool study_trials(Study *study, StudyTrial **trials, int *count, Pool *pool, Err *err);
bool study_trial(Study *study, int64_t id, StudyTrial **trial, Pool *pool, Err *err);

// Adds trials with ids trials[0].id, ...; all fields count (a trial may come finished, from another
// study).  *is_late: another process has added some meanwhile, so that the suggestion did not see
// them; nothing was added.
bool study_add(Study *study, const StudyTrial *trials, int count, bool *is_late, Err *err);

// The next functions tell in *is_ours whether the trial belonged to `owner` (was queued, for a
// claim); if not, nothing has changed.  That is no error.
bool study_claim(Study *study, int64_t id, const char *owner, bool *is_ours, Err *err);
bool study_beat(Study *study, int64_t id, const char *owner, bool *is_ours, Err *err);
// Ends a trial: state, theta, draws, values, violation, measures and error count.
bool study_end(Study *study, const StudyTrial *result, const char *owner, bool *is_ours, Err *err);
// Puts a trial back, to be claimed anew; it keeps its id.  `counts`: as an attempt.
bool study_release(Study *study, int64_t id, const char *owner, bool counts, bool *is_ours,
                   Err *err);
// Puts back every running trial whose lease is over, or whose process on this machine has ended.
// After STUDY_ATTEMPTS claims a trial counts as failed.  *count: how many were put back.
bool study_recover(Study *study, int *count, Err *err);
// Ends several trials that nobody claims (asked ones), all or none.  *bad: the first that is not
// waiting for a result, or -1.
bool study_tell(Study *study, const StudyTrial *results, int count, int64_t *bad, Err *err);

// This process as an owner: "host:pid:start".  Lives in `pool`.
const char *study_owner(Pool *pool);
// Is this owner a process of this machine, and gone?
bool study_owner_is_dead(const char *owner);
// Trials handed out by `nago ask` belong to nobody and wait for ever.
extern const char study_asked[];

// ---- points that go first
// ------------------------------------------------------------------------

typedef struct {
    int64_t id;
    int n_x;
    const double *x;
    const char *params, *source; // source: where it came from
} StudyQueued;
bool study_enqueue(Study *study, const StudyQueued *points, int count, Err *err);
// Those that have not become trials yet.
bool study_queue(Study *study, StudyQueued **points, int *count, Pool *pool, Err *err);

// ---- latencies that were measured
// ----------------------------------------------------------------

// Milliseconds of one op of one shape on one machine; *ms < 0: not measured yet.
bool study_time(Study *study, const char *machine, const char *shape, double *ms, Err *err);
bool study_time_write(Study *study, const char *machine, const char *shape, double ms, Err *err);

#endif
