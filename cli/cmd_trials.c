// cmd_trials.c - `nago trials`: what a study has tried.
#include "study_view.h"

#include <stdio.h>
#include <string.h>

static const char *const state_choices[] = {"all",    "queued",     "running", "finished",
                                            "failed", "infeasible", NULL};

static void trials_print(const StudyView *view, const StudyTrial *const *trials, int count,
                         bool json)
{
    Text out = {0};
    if (!json)
        view_table(view, trials, count, &out);
    for (int i = 0; json && i < count; i++) {
        text_puts(&out, i ? ",\n " : "[");
        view_trial_json(view->plan, trials[i], "", &out);
    }
    if (json)
        text_puts(&out, count ? "]\n" : "[]\n");
    fputs(out.data, stdout);
    text_free(&out);
}

int cmd_trials(int argc, char **argv)
{
    ViewOptions options = {.path = "generated/study.db"};
    int state = 0;
    const Option more[] = {
        OPTION_CHOICE("state", 0, NULL, &state, state_choices, "only those"),
        OPTION_END,
    };
    Command command = {
        .name = "nago trials",
        .summary = "list the trials of a study",
        .synopsis = "--study FILE [OPTION]...",
        .description = "Prints every trial with its budget, its values or why it has none, why it "
                       "was suggested, and its configuration. With --json: everything that is "
                       "stored about them.",
        .see_also = "nago-search(1), nago-best(1), nago-export(1)",
    };
    StudyView view;
    view_begin(&view, &command, more, &options, argc, argv);
    const StudyTrial **chosen = pool_alloc(view.pool, ((size_t)view.count + 1) * sizeof *chosen);
    int count = 0;
    for (int i = 0; i < view.count; i++)
        if (state == 0 || (int)view.trials[i].state == state - 1)
            chosen[count++] = &view.trials[i];
    trials_print(&view, chosen, count, options.json);
    view_close(&view);
    return EXIT_DONE;
}
