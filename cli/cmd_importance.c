// cmd_importance.c - `nago importance`: which numbers of theta matter.
#include "../search/influence.h"
#include "study_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    Influence influence;
} Row;

static int by_influence(const void *a, const void *b)
{
    const Row *s = a, *t = b;
    if (s->influence.altogether != t->influence.altogether)
        return s->influence.altogether > t->influence.altogether ? -1 : 1;
    return strcmp(s->name, t->name);
}

// The searched parameters, the most important one first.
static int rows_make(const StudyView *view, const StudyModel *model, Row *rows)
{
    const Space *space = view->plan->space;
    Influence *influences = pool_alloc(view->pool, (size_t)space->n_params * sizeof *influences);
    int count = 0;
    influences_make(model, view->trials, view->count, view->results.budget, influences);
    for (int i = 0; i < space->n_params; i++)
        if (space->params[i].width > 0)
            rows[count++] = (Row){space->params[i].name, influences[i]};
    qsort(rows, (size_t)count, sizeof *rows, by_influence);
    return count;
}

static void table_print(const StudyView *view, const StudyModel *model, const Row *rows, int count,
                        Text *out)
{
    const StudyPlan *plan = view->plan;
    text_printf(out,
                "%s%s at budget %g, a model of %d trials that explains %.0f %% of left-out ones\n",
                view_objective(plan, model->objective, view->pool), view_split(plan),
                view->results.budget, model->n_trials, 100 * (model->r2 > 0 ? model->r2 : 0));
    if (model->r2 < 0.1)
        text_puts(out, "so little that the shares below mean nothing yet\n");
    text_printf(out, "  %-20s %6s  %17s  %6s\n", "parameter", "alone", "with interactions",
                "trend");
    for (int i = 0; i < count; i++)
        text_printf(out, "  %-20s %4.0f %%  %15.0f %%  %+6.2f\n", rows[i].name,
                    100 * rows[i].influence.alone, 100 * rows[i].influence.altogether,
                    rows[i].influence.trend);
}

static void json_print(const StudyView *view, const StudyModel *model, const Row *rows, int count,
                       Text *out)
{
    text_puts(out, "{\"objective\": ");
    view_string(view_objective(view->plan, model->objective, view->pool), out);
    text_printf(out, ", \"budget\": %.17g, \"trials\": %d, \"r2\": %.6g, \"parameters\": [",
                view->results.budget, model->n_trials, model->r2);
    for (int i = 0; i < count; i++) {
        text_printf(out, "%s{\"name\": ", i ? ",\n " : "");
        view_string(rows[i].name, out);
        text_printf(out, ", \"alone\": %.6g, \"altogether\": %.6g, \"trend\": %.6g}",
                    rows[i].influence.alone, rows[i].influence.altogether, rows[i].influence.trend);
    }
    text_puts(out, "]}");
}

static void objective_print(const StudyView *view, int objective, bool json, Text *out)
{
    StudyModel model;
    if (study_model_open(&model, view->plan, view->trials, view->count, objective)) {
        Row *rows =
            pool_alloc(view->pool, ((size_t)view->plan->space->n_params + 1) * sizeof *rows);
        int count = rows_make(view, &model, rows);
        (json ? json_print : table_print)(view, &model, rows, count, out);
    } else if (!json) {
        text_printf(out, "%s: %d finished trials, a model needs %d\n",
                    view_objective(view->plan, objective, view->pool), model.n_trials,
                    (int)MODEL_MIN_TRIALS);
    } else {
        text_printf(out, "{\"trials\": %d}", model.n_trials);
    }
    study_model_close(&model);
}

int cmd_importance(int argc, char **argv)
{
    ViewOptions options = {.path = "generated/study.db"};
    Command command = {
        .name = "nago importance",
        .summary = "show which numbers of theta matter",
        .synopsis = "--study FILE [OPTION]...",
        .description =
            "Fits a model to the finished trials of all budgets and splits its variance over the "
            "space at the largest budget: what each parameter explains alone, and with everything "
            "that it takes part in (Sobol' indices; the second column may sum to more than 100 %). "
            "The trend is the rank correlation of the parameter with the objective, -1 to 1: a "
            "negative one says that larger is better.\n\n"
            "The first line tells how much of the trials that were left out the model explains; "
            "the shares are worth no more than that.",
        .see_also = "nago-search(1), nago-best(1), nago-trials(1)",
    };
    StudyView view;
    Text out = {0};
    view_begin(&view, &command, NULL, &options, argc, argv);
    int n = view.plan->search.n_objectives;
    for (int i = 0; i < n; i++) {
        text_puts(&out, !options.json ? "" : i ? ",\n" : "[");
        objective_print(&view, i, options.json, &out);
    }
    text_puts(&out, options.json ? "]\n" : "");
    fputs(out.data, stdout);
    text_free(&out);
    view_close(&view);
    return EXIT_DONE;
}
