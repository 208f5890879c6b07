// study_view.c - a study in words.
#include "study_view.h"

#include <cjson/cJSON.h>
#include <string.h>

static bool has_names(const StudyPlan *plan)
{
    return !plan->command && !plan->is_asked;
}

const char *view_objective(const StudyPlan *plan, int objective, Pool *pool)
{
    return has_names(plan) ? objective_info[plan->objectives[objective]].name
                           : pool_printf(pool, "f%d", objective + 1);
}

void view_value(const StudyPlan *plan, int objective, double value, Text *out)
{
    if (has_names(plan))
        objective_show(plan->objectives[objective], value, out);
    else
        text_printf(out, "%.6g", value);
}

void view_values(const StudyPlan *plan, const StudyTrial *trial, Text *out)
{
    Pool *pool = pool_new();
    if (trial->state == STUDY_FAILED)
        text_printf(out, "failed: %s", trial->error ? trial->error : "no reason was stored");
    else if (trial->state == STUDY_INFEASIBLE)
        text_printf(out, "infeasible by %.3g, the best of %d draws", trial->violation,
                    trial->draws);
    else if (trial->state != STUDY_FINISHED)
        text_puts(out, study_state_name[trial->state]);
    for (int i = 0; trial->state == STUDY_FINISHED && i < trial->n_values; i++) {
        text_printf(out, "%s%s ", i ? "  " : "", view_objective(plan, i, pool));
        view_value(plan, i, trial->values[i], out);
    }
    pool_free(pool);
}

const char *view_reason(const StudyTrial *trial, Pool *pool)
{
    cJSON *reason = cJSON_Parse(trial->reason ? trial->reason : "{}");
    const cJSON *word = cJSON_GetObjectItemCaseSensitive(reason, "reason");
    const char *copy = pool_strdup(pool, cJSON_IsString(word) ? word->valuestring : "?");
    cJSON_Delete(reason);
    return copy;
}
