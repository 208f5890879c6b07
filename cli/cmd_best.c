// cmd_best.c - `nago best`: the best trials of a study, by one objective.
#include "../search/influence.h"
#include "study_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sorted_by; // for qsort: which objective

static int by_value(const void *a, const void *b)
{
    const StudyTrial *s = *(const StudyTrial *const *)a, *t = *(const StudyTrial *const *)b;
    if (s->values[sorted_by] != t->values[sorted_by])
        return s->values[sorted_by] < t->values[sorted_by] ? -1 : 1;
    return s->id < t->id ? -1 : 1;
}

static bool objective_find(const StudyView *view, const char *name, int *objective, Err *err)
{
    const char *names[MAX_GOALS];
    int n = view->plan->search.n_objectives;
    for (*objective = 0; *objective < n; ++*objective) {
        names[*objective] = view_objective(view->plan, *objective, view->pool);
        if (!name || strcmp(name, names[*objective]) == 0)
            return true;
    }
    const char *near = nearest_word(name, names, (size_t)n);
    return err_input(err, "--by %s: no objective of this study%s%s%s", name,
                     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

// What the trials around it make of a trial: its value without the luck of one network.
static void model_json(const StudyView *view, const StudyModel *model, const StudyTrial *trial,
                       Text *out)
{
    Prediction p = study_model_predict(model, trial->x, trial->budget);
    text_printf(out, ", \"model\": {\"objective\": ");
    view_string(view_objective(view->plan, model->objective, view->pool), out);
    text_printf(out, ", \"mean\": %.17g, \"deviation\": %.17g}", p.mean, sqrt(p.spread + p.noise));
}

static void model_words(const StudyView *view, const StudyModel *model, const StudyTrial *trial,
                        Text *out)
{
    Prediction p = study_model_predict(model, trial->x, trial->budget);
    text_printf(out, "trial %lld: the model of %d trials expects %s ", (long long)trial->id,
                model->n_trials, view_objective(view->plan, model->objective, view->pool));
    view_value(view->plan, model->objective, p.mean, out);
    text_puts(out, " +- ");
    view_value(view->plan, model->objective, sqrt(p.spread + p.noise), out);
    text_puts(out, "\n");
}

static void best_print(const StudyView *view, int count, bool json)
{
    StudyModel model;
    const StudyTrial *const *best = view->results.judged;
    bool has_model = study_model_open(&model, view->plan, view->trials, view->count, sorted_by);
    Text out = {0};
    if (!json)
        view_table(view, best, count, &out);
    for (int i = 0; i < count; i++) {
        Text extra = {0};
        if (has_model && json)
            model_json(view, &model, best[i], &extra);
        else if (has_model)
            model_words(view, &model, best[i], &out);
        if (json) {
            text_puts(&out, i ? ",\n " : "[");
            view_trial_json(view->plan, best[i], extra.data ? extra.data : "", &out);
        }
        text_free(&extra);
    }
    if (json)
        text_puts(&out, count ? "]\n" : "[]\n");
    else if (count == 0)
        text_puts(&out, "no trial has finished\n");
    fputs(out.data, stdout);
    text_free(&out);
    study_model_close(&model);
}

int cmd_best(int argc, char **argv)
{
    ViewOptions options = {.path = "generated/study.db"};
    const char *by = NULL;
    int wanted = 1;
    const Option more[] = {
        OPTION_INT("count", 'n', "N", &wanted, 1, 1000000, "how many"),
        OPTION_STRING("by", 0, "NAME", &by, "the objective; the study's first if left out"),
        OPTION_END,
    };
    Command command = {
        .name = "nago best",
        .summary = "show the best trials of a study",
        .synopsis = "--study FILE [OPTION]...",
        .description = "Prints the finished trials with the least value of an objective, among "
                       "those at the largest budget that has results: trials of different budgets "
                       "do not compare. Beside the observed value stands what a model of all "
                       "finished trials expects there: the best of many noisy values is a lucky "
                       "one.",
        .see_also = "nago-search(1), nago-front(1), nago-importance(1), nago-retrain(1)",
    };
    StudyView view;
    Err err = {0};
    view_begin(&view, &command, more, &options, argc, argv);
    bool ok = objective_find(&view, by, &sorted_by, &err);
    if (ok) {
        StudyResults *results = &view.results;
        if (results->n_judged > 1)
            qsort(results->judged, (size_t)results->n_judged, sizeof *results->judged, by_value);
        best_print(&view, wanted < results->n_judged ? wanted : results->n_judged, options.json);
    }
    view_close(&view);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
