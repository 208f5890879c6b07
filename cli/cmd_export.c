// cmd_export.c - `nago export`: a study as one CSV or JSON file for other programs.
#include "study_view.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

static const char *const formats[] = {"csv", "json", NULL};

static void field_print(const char *text, Text *out)
{
    text_puts(out, ",");
    if (!text)
        return;
    if (!strpbrk(text, ",\"\n")) {
        text_puts(out, text);
        return;
    }
    text_puts(out, "\"");
    for (; *text; text++)
        text_printf(out, *text == '"' ? "\"\"" : "%c", *text);
    text_puts(out, "\"");
}

static void head_print(const StudyView *view, Text *out)
{
    text_puts(out, "id,state,bracket,rung,budget,parent,reason,draws,seconds");
    for (int i = 0; i < view->plan->space->n_params; i++)
        text_printf(out, ",%s", view->plan->space->params[i].name);
    for (int i = 0; i < view->plan->space->n_coords; i++)
        text_printf(out, ",x%d", i);
    for (int i = 0; i < view->plan->search.n_objectives; i++)
        text_printf(out, ",value.%s", view_objective(view->plan, i, view->pool));
    text_puts(out, ",violation,error\n");
}

static void params_print(const StudyView *view, const StudyTrial *trial, Text *out)
{
    cJSON *object = cJSON_Parse(trial->params);
    for (int i = 0; i < view->plan->space->n_params; i++) {
        const cJSON *item =
            cJSON_GetObjectItemCaseSensitive(object, view->plan->space->params[i].name);
        char *text = item ? cJSON_PrintUnformatted(item) : NULL;
        if (cJSON_IsNumber(item))
            text_printf(out, ",%.17g", item->valuedouble);
        else
            field_print(cJSON_IsString(item) ? item->valuestring : text, out);
        cJSON_free(text);
    }
    cJSON_Delete(object);
}

static void row_print(const StudyView *view, const StudyTrial *trial, Text *out)
{
    text_printf(out, "%lld,%s,%d,%d,%.17g,", (long long)trial->id, study_state_name[trial->state],
                trial->bracket, trial->rung, trial->budget);
    if (trial->parent >= 0)
        text_printf(out, "%lld", (long long)trial->parent);
    text_printf(out, ",%s,%d,", view_reason(trial, view->pool), trial->draws);
    if (trial->ended > 0 && trial->started > 0)
        text_printf(out, "%.3f", trial->ended - trial->started);
    params_print(view, trial, out);
    for (int i = 0; i < trial->n_x; i++)
        text_printf(out, ",%.17g", trial->x[i]);
    for (int i = 0; i < view->plan->search.n_objectives; i++) {
        text_puts(out, ",");
        if (trial->n_values > 0)
            text_printf(out, "%.17g", trial->values[i]);
    }
    text_printf(out, ",%.17g", trial->violation);
    field_print(trial->error, out);
    text_puts(out, "\n");
}

static void study_json(const StudyView *view, Text *out)
{
    StudyOption *stored;
    int count;
    Err err = {0};
    text_puts(out, "{\"options\": {");
    if (study_options(view->study, &stored, &count, view->pool, &err))
        for (int i = 0; i < count; i++) {
            text_printf(out, "%s\"%s\": ", i ? ", " : "", stored[i].name);
            view_string(stored[i].value, out);
        }
    text_puts(out, "},\n \"trials\": [");
    for (int i = 0; i < view->count; i++) {
        text_puts(out, i ? ",\n  " : "\n  ");
        view_trial_json(view->plan, &view->trials[i], "", out);
    }
    text_puts(out, "]}\n");
}

int cmd_export(int argc, char **argv)
{
    ViewOptions options = {.path = "generated/study.db"};
    const char *path = "-";
    int format = 0;
    const Option more[] = {
        OPTION_CHOICE("format", 'f', NULL, &format, formats,
                      "csv: one row a trial, with its point "
                      "in the unit cube as x0, x1, ..."),
        OPTION_STRING("out", 'o', "FILE", &path, "where it goes; - is the standard output"),
        OPTION_END,
    };
    Command command = {
        .name = "nago export",
        .summary = "write a study as CSV or JSON",
        .synopsis = "--study FILE [OPTION]...",
        .see_also = "nago-search(1), nago-trials(1)",
    };
    StudyView view;
    Text out = {0};
    Err err = {0};
    view_begin(&view, &command, more, &options, argc, argv);
    if (format == 1 || options.json) {
        study_json(&view, &out);
    } else {
        head_print(&view, &out);
        for (int i = 0; i < view.count; i++)
            row_print(&view, &view.trials[i], &out);
    }
    bool ok = file_write(path, out.data, out.length, &err);
    text_free(&out);
    view_close(&view);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
