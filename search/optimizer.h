// optimizer.h - what to try next.
//
// A suggestion is a pure function of (options, space, history, seed, trial number): an optimizer
// keeps nothing but caches, brackets and models are derived from the history.  So resuming a study
// is reading it back, and a serial search is reproducible bit for bit.  Everything is minimised.
#ifndef NAGO_OPTIMIZER_H
#define NAGO_OPTIMIZER_H

#include "space.h"

enum { MAX_OBJECTIVES = 8, MAX_RUNGS = 16 };

typedef enum {
    METHOD_RANDOM,    // uniform draws at the largest budget
    METHOD_HYPERBAND, // successive halving brackets of uniform draws
    METHOD_BOHB,      // the same with a density model; the first objective only
    METHOD_MOBO,      // USeMO with local penalisation, at the largest budget
    METHOD_MOBOHB,    // brackets ranked by non-domination, proposals as in MOBO with log(budget)
    METHOD_NSGA2,     // evolution, at the largest budget
    METHOD_COUNT
} SearchMethod;
// Auto: for each objective, the network or the process, whichever predicts left-out trials better.
typedef enum {
    SURROGATE_AUTO,
    SURROGATE_BNN,     // the paper's, heteroscedastic
    SURROGATE_BNN_HOM, // homoscedastic
    SURROGATE_GP,
    SURROGATE_FOREST,
    SURROGATE_COUNT
} SurrogateKind;
typedef enum { ACQUISITION_LCB, ACQUISITION_EI, ACQUISITION_TS, ACQUISITION_COUNT } AcquisitionKind;
typedef enum { SELECTION_HYPERVOLUME, SELECTION_UNCERTAINTY, SELECTION_COUNT } SelectionKind;
typedef enum { BRACKETS_HPBANDSTER, BRACKETS_PAPER, BRACKETS_COUNT } BracketTable;
typedef enum { DUPLICATES_REJECT, DUPLICATES_ALLOW, DUPLICATES_COUNT } DuplicatePolicy;
extern const char *const method_name[METHOD_COUNT];
extern const char *const surrogate_name[SURROGATE_COUNT];
extern const char *const acquisition_name[ACQUISITION_COUNT];
extern const char *const selection_name[SELECTION_COUNT];
extern const char *const bracket_table_name[BRACKETS_COUNT];
extern const char *const duplicate_policy_name[DUPLICATES_COUNT];

// search_options_default() fills it; optimizer_open checks it.
typedef struct {
    SearchMethod method;
    int n_objectives;
    uint64_t seed;
    double min_budget, max_budget; // 0 < min <= max; 1 and 1 by default
    int eta;                       // halving rate, >= 2
    BracketTable brackets;
    DuplicatePolicy duplicates;
    // BOHB
    double random_fraction;  // of draws that ask no model
    double top_percent;      // of results that count as good
    int n_candidates;        // drawn for each suggestion
    int min_points;          // good ones at least; 0: coordinates + 1
    double bandwidth_factor; // widens the kernels that candidates are drawn from
    double min_bandwidth;
    // MOBO and MO-BOHB
    SurrogateKind surrogate;
    AcquisitionKind acquisition;
    SelectionKind selection; // among the front of the acquisitions; the paper's is uncertainty
    double beta;   // deviations below the mean that LCB looks; 0: USeMO's schedule, which grows
    int n_initial; // points of the initial design; 0: chosen from the space
    bool has_reference;               // else the reference point is inferred from the results
    double reference[MAX_OBJECTIVES]; // of the hypervolume
} SearchOptions;
SearchOptions search_options_default(void);

typedef enum {
    TRIAL_RUNNING,   // claimed or waiting for a worker
    TRIAL_FINISHED,  // has finite values
    TRIAL_FAILED,    // crashed, timed out, NaN: worse than any other
    TRIAL_INFEASIBLE // breaks a constraint by `violation` > 0: worse than any that finished
} TrialStatus;

// One evaluation of one point at one budget.  A promotion is a trial of its own, with a parent.
typedef struct {
    int64_t id; // >= 0, unique; the history is in ascending order
    const double *x;
    int bracket,
        rung; // as suggested; bracket -1: from elsewhere (warm start), feeds the models only
    double budget;
    TrialStatus status;
    double values[MAX_OBJECTIVES]; // of a finished one
    double violation;
    int64_t parent; // the trial it continues, -1 if none
} HistoryTrial;

typedef enum {
    REASON_RANDOM,    // a uniform draw: the method's own, or no model can be fitted yet
    REASON_INITIAL,   // a point of the initial design
    REASON_MODEL,     // BOHB: the best ratio of densities
    REASON_PROMOTION, // among the best of its rung
    REASON_USEMO,     // the most uncertain point on the front of the acquisitions
    REASON_EVOLUTION, // child of two trials
    REASON_QUEUED,    // the user's own
    REASON_REFILL,    // the candidates of the model were all tried: a point that fills the space
    REASON_COUNT
} SuggestionReason;
extern const char *const suggestion_reason_name[REASON_COUNT];

typedef struct {
    int64_t id; // first_id, first_id + 1, ...
    double x[SPACE_MAX_COORDS];
    int bracket, rung;
    double budget;
    int64_t parent; // promotion: the trial to continue, -1 otherwise
    SuggestionReason reason;
    // Why, in numbers; NAN where it does not apply.
    double model_budget;              // model, usemo: results at this budget ...
    int model_points;                 // ... so many of them were fitted (0: none)
    double good, bad;                 // model: densities l(x), g(x)
    double mean[MAX_OBJECTIVES];      // usemo: predicted, in the objectives' units
    double deviation[MAX_OBJECTIVES]; // usemo
    double acquisition[MAX_OBJECTIVES];
    double uncertainty; // usemo: sum of ln(deviation), standardised objectives
    double improvement; // usemo, selection hypervolume: expected, of the standardised hypervolume
    double penalty;     // usemo: sum of ln(phi) over running trials and the batch so far, <= 0
    int rank;           // promotion: place in its rung, from 1; 0 otherwise
} Suggestion;

typedef struct Optimizer Optimizer;
// Checks the options against the space.  `space` must outlive the optimizer.
bool optimizer_open(const SearchOptions *options, const Space *space, Optimizer **optimizer,
                    Err *err);
void optimizer_close(Optimizer *optimizer); // NULL is allowed

typedef struct {
    const HistoryTrial *trials; // all of the study, ascending ids
    int n_trials;
    const double *const
        *queued;  // points that go first, in place of fresh draws; each is taken once
    int n_queued; // (taken: the suggestion's reason is REASON_QUEUED, in this order)
} SearchHistory;
// Suggests n points.  A batch equals n single calls with the earlier suggestions as running trials.
// Every method always has something to suggest: if all brackets wait, the next one is opened.
void optimizer_suggest(Optimizer *optimizer, const SearchHistory *history, int64_t first_id, int n,
                       Suggestion *out);
// One line of JSON: {"reason": "model", "model_budget": 9, "l": ..., "g": ...}; only what applies.
void suggestion_print(const Suggestion *suggestion, int n_objectives, Text *out);

// Budgets of the method's rungs, ascending; the number of rungs (1 for methods without brackets).
int optimizer_budgets(const SearchOptions *options, double budgets[MAX_RUNGS]);
// Evaluations of one cycle (all brackets once) and their budgets' sum: for --dry-run.
void optimizer_cycle(const SearchOptions *options, int *trials, double *budget);

#endif
