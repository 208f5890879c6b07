// cmd_reproduce.c - `nago reproduce`: evaluates a trial of a study again and compares, bit for bit.
#define _GNU_SOURCE
#include "../search/latency.h"
#include "../search/trial.h"
#include "progress.h"
#include "study_view.h"

#include <stdio.h>
#include <string.h>

static bool show(void *user, double share, const char *words)
{
    progress_update(user, (int64_t)(1000 * share), "%s", words);
    return true;
}

// What a clock measures is not the same twice.
static bool is_exact(const StudyPlan *plan, int objective)
{
    ObjectiveKind kind = plan->objectives[objective];
    return kind != OBJECTIVE_LATENCY && kind != OBJECTIVE_TRAIN_TIME;
}

static bool values_compare(const StudyView *view, const StudyTrial *stored, const StudyTrial *now)
{
    bool same = stored->state == now->state;
    if (!same)
        printf("state: stored %s, now %s\n", study_state_name[stored->state],
               study_state_name[now->state]);
    else if (stored->state == STUDY_FAILED)
        printf("failed again: %s\n", now->error ? now->error : "no reason");
    else if (stored->state == STUDY_INFEASIBLE)
        printf("infeasible again\n");
    for (int i = 0; same && i < stored->n_values; i++) {
        Text before = {0}, after = {0};
        bool equal = stored->values[i] == now->values[i], exact = is_exact(view->plan, i);
        view_value(view->plan, i, stored->values[i], &before);
        view_value(view->plan, i, now->values[i], &after);
        printf("%s: stored %s, now %s: %s\n", view_objective(view->plan, i, view->pool),
               before.data, after.data,
               equal    ? "the same bits"
               : !exact ? "measured by a clock"
                        : "DIFFERENT");
        same = equal || !exact;
        text_free(&before);
        text_free(&after);
    }
    return same;
}

static bool trial_again(StudyView *view, const StudyTrial *trial, bool *same, Err *err)
{
    Dataset *data;
    StudyTrial result = {0};
    Progress progress;
    LatencyStore store;
    TrialJob job = {.plan = view->plan,
                    .trial = trial,
                    .parent = trial->parent >= 0 ? &view->trials[trial->parent] : NULL,
                    .root = trial_root(view->trials, view->count, trial),
                    .times = latency_times(&store, view->study, false),
                    .tell = show,
                    .user = &progress};
    if (!plan_data(view->plan, &data, err))
        return false;
    progress_open(&progress, "permille", 0, 1000);
    TrialEnd end = trial_network(&job, data, &result, view->pool, err);
    progress_close(&progress);
    dataset_close(data);
    if (end == TRIAL_ENDED)
        *same = values_compare(view, trial, &result);
    return end == TRIAL_ENDED;
}

static bool reproduce(StudyView *view, int id, bool *same, Err *err)
{
    const StudyTrial *trial = view_trial(view, id, err);
    if (!trial)
        return false;
    if (view->plan->command || view->plan->is_asked)
        return err_input(err,
                         "%s: error: its values come from elsewhere; only networks can be "
                         "evaluated again",
                         study_path(view->study));
    if (trial->state <= STUDY_RUNNING)
        return err_input(err, "--trial %d: has no result yet, it is %s", id,
                         study_state_name[trial->state]);
    return trial_again(view, trial, same, err);
}

int cmd_reproduce(int argc, char **argv)
{
    const char *path = NULL;
    int id = -1;
    const Option options[] = {
        OPTION_STRING("study", 0, "FILE", &path, "the study"),
        OPTION_INT("trial", 0, "N", &id, 0, INT32_MAX, "the trial"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago reproduce",
        .summary = "evaluate a trial again and compare",
        .synopsis = "--study FILE --trial N",
        .description =
            "Draws the trial's network again, trains it from its first epoch, without any "
            "checkpoint, and compares the values with the stored ones. Exit status 1 "
            "where they differ, as they may on another instruction set (NAGO_ISA).",
        .see_also = "nago-search(1), nago-trials(1)",
        .options = options,
    };
    int count;
    command_parse(&command, argc, argv, &count);
    if (!path || id < 0)
        command_usage(&command, "--%s is missing", path ? "trial" : "study");
    StudyView view;
    Err err = {0};
    bool same = false;
    bool ok =
        view_open(&view, &command, path, STUDY_READ, &err) && reproduce(&view, id, &same, &err);
    view_close(&view);
    if (!ok)
        return command_fail(&command, &err);
    return same ? EXIT_DONE : EXIT_RUN_FAILED;
}
