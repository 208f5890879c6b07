// study_view.h - a study in words, tables, JSON and CSV: what the commands that look at one share.
#ifndef NAGO_STUDY_VIEW_H
#define NAGO_STUDY_VIEW_H

#include "../search/results.h"
#include "study_request.h"

// A study read whole.
typedef struct {
    Pool *pool;
    Study *study;
    StudyRequest request;
    const StudyPlan *plan;
    StudyTrial *trials;
    int count;
    StudyResults results;
} StudyView;

// Opens and reads; view_close releases, also after an error.  mode: STUDY_READ or STUDY_WRITE.
bool view_open(StudyView *view, const Command *command, const char *path, StudyMode mode, Err *err);
void view_close(StudyView *view);
// The trial of an id; NULL and an error if there is none.
const StudyTrial *view_trial(const StudyView *view, int64_t id, Err *err);

// Parses the command line of a command that shows a study: --study, --json and, if not NULL, more
// rows; then opens it.  Ends the process on errors.
typedef struct {
    const char *path;
    bool json;
} ViewOptions;
void view_begin(StudyView *view, Command *command, const Option *more, ViewOptions *options,
                int argc, char **argv);

// " (validation)" where values are of that split, else "".
const char *view_split(const StudyPlan *plan);
// "error 34.50 %  ram 12.3 KB", or why there are none.
void view_values(const StudyPlan *plan, const StudyTrial *trial, Text *out);
// The word that says why the trial was suggested: "model".
const char *view_reason(const StudyTrial *trial, Pool *pool);
// The name of an objective: "error", or "f1" where values have no names.
const char *view_objective(const StudyPlan *plan, int objective, Pool *pool);
// A value in that objective's unit.
void view_value(const StudyPlan *plan, int objective, double value, Text *out);

// One trial as a JSON object; `extra`: members to add, each with its comma, or "".
void view_trial_json(const StudyPlan *plan, const StudyTrial *trial, const char *extra, Text *out);
// A table of trials: id, budget, state, values, reason, configuration.
void view_table(const StudyView *view, const StudyTrial *const *trials, int count, Text *out);
// A word as a JSON string.
void view_string(const char *word, Text *out);

#endif
