// study_request.h - the options that decide a study: from the command line, into the store, and
// back.
#ifndef NAGO_STUDY_REQUEST_H
#define NAGO_STUDY_REQUEST_H

#include "../search/plan.h"
#include "../search/study.h"
#include "options.h"

enum { REQUEST_MAX_OPTIONS = 80 };

typedef enum { REQUEST_SEARCH, REQUEST_ASK } RequestUse;

// Raw values, as the command line gives them.  `rows` of `options` belong to the study; a command
// may append its own behind them.
typedef struct {
    Option options[REQUEST_MAX_OPTIONS];
    bool given[REQUEST_MAX_OPTIONS];
    int n_rows; // of the study's own
    int count;  // of all
    RequestUse use;
    Pool *pool;
    const char *data, *space, *command, *reference;
    OptionList objective, constraint;
    int n_values, images, method, surrogate, selection, acquisition, brackets, duplicates, schedule,
        augment, target, quantize;
    int64_t weights, params;
    uint64_t seed;
    bool restart;
    SearchOptions search;
    TrainRecipe recipe;
    StudyPlan plan; // made by request_plan
    Space *owned;   // the plan's space
} StudyRequest;

// Defaults, and the study's rows of the option table.
void request_open(StudyRequest *request, RequestUse use, Pool *pool);
void request_close(StudyRequest *request);
// Adds rows (up to OPTION_END) of the command's own.
void request_add(StudyRequest *request, const Option *rows);

// Makes the plan from the raw values; ends the process on options that do not go together.
bool request_plan(StudyRequest *request, const Command *command, Err *err);

// Begins the study with the request's options; or, if it has been begun, takes its options in place
// of those that were not given, and refuses given ones that differ.  Then the plan is made.
bool request_join(StudyRequest *request, const Command *command, Study *study, bool *is_first,
                  Err *err);
// The plan of a study that has been begun, for commands without options of the study.
bool request_recall(StudyRequest *request, const Command *command, Study *study, Err *err);

#endif
