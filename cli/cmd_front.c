// cmd_front.c - `nago front`: the trials of a study that no other one beats in every objective.
#include "study_view.h"

#include <stdio.h>

static void reference_print(const StudyView *view, Text *out)
{
    const StudyResults *results = &view->results;
    if (!results->has_reference || view->plan->search.n_objectives < 2)
        return;
    text_printf(out, "hypervolume %.6g with reference point", results->hypervolume);
    for (int i = 0; i < view->plan->search.n_objectives; i++) {
        text_puts(out, i ? ", " : " ");
        view_value(view->plan, i, results->reference[i], out);
    }
    text_printf(out, "%s; %d of %d judged trials are on the front\n",
                view->plan->search.has_reference ? "" : " (inferred)", results->n_front,
                results->n_judged);
}

static void front_json(const StudyView *view, Text *out)
{
    const StudyResults *results = &view->results;
    text_printf(out, "{\"budget\": %.17g", results->budget);
    if (results->has_reference && view->plan->search.n_objectives > 1) {
        text_puts(out, ", \"reference\": [");
        for (int i = 0; i < view->plan->search.n_objectives; i++)
            text_printf(out, "%s%.17g", i ? ", " : "", results->reference[i]);
        text_printf(out, "], \"hypervolume\": %.17g", results->hypervolume);
    }
    text_puts(out, ", \"front\": [");
    for (int i = 0; i < results->n_front; i++) {
        text_puts(out, i ? ",\n " : "\n ");
        view_trial_json(view->plan, results->front[i], "", out);
    }
    text_puts(out, "]}\n");
}

int cmd_front(int argc, char **argv)
{
    ViewOptions options = {.path = "generated/study.db"};
    Command command = {
        .name = "nago front",
        .summary = "show the Pareto front of a study",
        .synopsis = "--study FILE [OPTION]...",
        .description =
            "Prints the finished trials that no other one equals or betters in every objective, "
            "and the hypervolume between them and the reference point. Trials of different budgets "
            "do not compare: those at the largest budget that has results are judged.",
        .see_also = "nago-search(1), nago-best(1), nago-retrain(1)",
    };
    StudyView view;
    Text out = {0};
    view_begin(&view, &command, NULL, &options, argc, argv);
    if (options.json) {
        front_json(&view, &out);
    } else {
        view_table(&view, view.results.front, view.results.n_front, &out);
        reference_print(&view, &out);
    }
    fputs(out.data, stdout);
    text_free(&out);
    view_close(&view);
    return EXIT_DONE;
}
