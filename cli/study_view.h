// study_view.h - a study in words: what searches, tables and reports say about trials.
#ifndef NAGO_STUDY_VIEW_H
#define NAGO_STUDY_VIEW_H

#include "../search/plan.h"
#include "../search/study.h"

// "error 34.50 %  ram 12.3 KB", or why there are none.
void view_values(const StudyPlan *plan, const StudyTrial *trial, Text *out);
// The word that says why the trial was suggested: "model".
const char *view_reason(const StudyTrial *trial, Pool *pool);
// The name of an objective: "error", or "f1" where values have no names.
const char *view_objective(const StudyPlan *plan, int objective, Pool *pool);
// A value in that objective's unit.
void view_value(const StudyPlan *plan, int objective, double value, Text *out);

#endif
