// study_view.c - a study in words, tables and JSON.
//
// In: the store.  Out: text.  Every figure that was measured on images names its split.
#include "study_view.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- open --------------------------------------------------------------------------------------

bool view_open(StudyView *view, const Command *command, const char *path, StudyMode mode, Err *err)
{
    *view = (StudyView){.pool = pool_new()};
    view->request.pool = view->pool;
    if (!study_open(path, mode, &view->study, err) ||
        !request_recall(&view->request, command, view->study, err) ||
        !study_trials(view->study, &view->trials, &view->count, view->pool, err))
        return false;
    view->plan = &view->request.plan;
    results_make(view->trials, view->count, view->plan, view->study, &view->results, view->pool);
    return true;
}

void view_close(StudyView *view)
{
    request_close(&view->request);
    study_close(view->study);
    pool_free(view->pool);
}

const StudyTrial *view_trial(const StudyView *view, int64_t id, Err *err)
{
    if (id >= 0 && id < view->count)
        return &view->trials[id];
    err_input(err, "--trial %lld: the study has the trials 0 to %d", (long long)id,
              view->count - 1);
    return NULL;
}

void view_begin(StudyView *view, Command *command, const Option *more, ViewOptions *options,
                int argc, char **argv)
{
    static Option table[32];
    const Option usual[] = {
        OPTION_STRING("study", 0, "FILE", &options->path, "the study"),
        OPTION_FLAG("json", 0, &options->json, "print JSON"),
    };
    size_t n = COUNT_OF(usual);
    int count;
    Err err = {0};
    memcpy(table, usual, sizeof usual);
    for (; more && more->kind != OPTION_IS_END; more++)
        table[n++] = *more;
    table[n] = (Option)OPTION_END;
    command->options = table;
    command_parse(command, argc, argv, &count);
    if (!view_open(view, command, options->path, STUDY_READ, &err)) {
        view_close(view);
        exit(command_fail(command, &err));
    }
}

// ---- words -------------------------------------------------------------------------------------

static bool has_names(const StudyPlan *plan)
{
    return !plan->command && !plan->is_asked;
}

const char *view_split(const StudyPlan *plan)
{
    return has_names(plan) && plan_trains(plan) ? " (validation)" : "";
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

// ---- JSON --------------------------------------------------------------------------------------

void view_string(const char *word, Text *out)
{
    cJSON *string = cJSON_CreateString(word);
    char *printed = cJSON_PrintUnformatted(string);
    text_puts(out, printed);
    cJSON_free(printed);
    cJSON_Delete(string);
}

static void values_json(const StudyPlan *plan, const StudyTrial *trial, Text *out)
{
    Pool *pool = pool_new();
    if (trial->n_values > 0)
        text_puts(out, ", \"values\": {");
    for (int i = 0; i < trial->n_values; i++)
        text_printf(out, "%s\"%s\": %.17g", i ? ", " : "", view_objective(plan, i, pool),
                    trial->values[i]);
    if (trial->n_values > 0)
        text_puts(out, "}");
    pool_free(pool);
}

// Seconds since 1970, and how long it took.
static void times_json(const StudyTrial *trial, Text *out)
{
    text_printf(out, ", \"created\": %.3f", trial->created);
    if (trial->started > 0)
        text_printf(out, ", \"started\": %.3f", trial->started);
    if (trial->ended > 0)
        text_printf(out, ", \"ended\": %.3f", trial->ended);
    if (trial->ended > 0 && trial->started > 0)
        text_printf(out, ", \"seconds\": %.3f", trial->ended - trial->started);
}

void view_trial_json(const StudyPlan *plan, const StudyTrial *trial, const char *extra, Text *out)
{
    text_printf(out,
                "{\"id\": %lld, \"state\": \"%s\", \"bracket\": %d, \"rung\": %d, "
                "\"budget\": %.17g",
                (long long)trial->id, study_state_name[trial->state], trial->bracket, trial->rung,
                trial->budget);
    if (trial->parent >= 0)
        text_printf(out, ", \"parent\": %lld", (long long)trial->parent);
    text_printf(out, ", \"params\": %s, \"reason\": %s", trial->params, trial->reason);
    values_json(plan, trial, out);
    if (trial->measures)
        text_printf(out, ", \"measures\": %s", trial->measures);
    if (trial->state == STUDY_INFEASIBLE)
        text_printf(out, ", \"violation\": %.17g", trial->violation);
    if (trial->draws > 0)
        text_printf(out, ", \"draws\": %d", trial->draws);
    if (trial->error) {
        text_puts(out, ", \"error\": ");
        view_string(trial->error, out);
    }
    times_json(trial, out);
    if (trial->theta)
        text_printf(out, ", \"theta\": %s", trial->theta);
    text_printf(out, "%s}", extra);
}

// ---- tables ------------------------------------------------------------------------------------

// 3 -> 3, {"sum": 0.25, "concat": 0.75} -> {sum=0.25 concat=0.75}: numbers short.
static void value_words(const cJSON *value, Text *out)
{
    const cJSON *item;
    if (cJSON_IsNumber(value)) {
        text_printf(out, "%.3g", value->valuedouble);
    } else if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
        text_puts(out, "{");
        cJSON_ArrayForEach(item, value)
        {
            text_puts(out, item == value->child ? "" : " ");
            if (item->string)
                text_printf(out, "%s=", item->string);
            value_words(item, out);
        }
        text_puts(out, "}");
    } else {
        char *text = cJSON_PrintUnformatted(value);
        text_puts(out, text);
        cJSON_free(text);
    }
}

// {"top.n": 3, "top.k": 2} -> "top.n=3 top.k=2".
static void params_words(const char *params, Text *out)
{
    cJSON *object = cJSON_Parse(params);
    const cJSON *item;
    cJSON_ArrayForEach(item, object)
    {
        text_printf(out, "%s%s=", item == object->child ? "" : " ", item->string);
        value_words(item, out);
    }
    cJSON_Delete(object);
}

static void row_print(const StudyPlan *plan, const StudyTrial *trial, Text *out)
{
    Pool *pool = pool_new();
    text_printf(out, "%5lld  %6g", (long long)trial->id, trial->budget);
    for (int i = 0; i < plan->search.n_objectives && trial->n_values > 0; i++) {
        Text value = {0};
        view_value(plan, i, trial->values[i], &value);
        text_printf(out, "  %12s", value.data);
        text_free(&value);
    }
    if (trial->n_values == 0) {
        Text words = {0};
        view_values(plan, trial, &words);
        int width = 14 * plan->search.n_objectives - 2;
        text_printf(out, "  %*s", width, words.data);
        text_free(&words);
    }
    text_printf(out, "  %-9s  ", view_reason(trial, pool));
    params_words(trial->params, out);
    text_puts(out, "\n");
    pool_free(pool);
}

void view_table(const StudyView *view, const StudyTrial *const *trials, int count, Text *out)
{
    text_puts(out, "trial  budget");
    for (int i = 0; i < view->plan->search.n_objectives; i++)
        text_printf(out, "  %12s", view_objective(view->plan, i, view->pool));
    text_puts(out, "  reason     configuration\n");
    for (int i = 0; i < count; i++)
        row_print(view->plan, trials[i], out);
    if (*view_split(view->plan) && count > 0)
        text_puts(out, "figures of images are of the validation split\n");
}
