// cmd_gc.c - `nago gc`: removes files beside a study that no trial can need any more.
//
// A checkpoint is needed while its trial waits or runs, and while a trial may still be promoted
// from it: the next rung of its bracket has room.  Without one a trial trains again, so that
// nothing is lost but time.
#define _GNU_SOURCE
#include "../search/brackets.h"
#include "study_view.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    const StudyView *view;
    BracketPlan plan;
    bool all, dry_run;
    int files;
    int64_t bytes;
} Sweep;

static bool may_be_promoted(const Sweep *sweep, const StudyTrial *trial)
{
    const StudyView *view = sweep->view;
    int next = 0;
    if (trial->state != STUDY_FINISHED || trial->bracket < 0 ||
        trial->rung + 1 >= sweep->plan.n_rungs)
        return false;
    for (int i = 0; i < view->count; i++) {
        const StudyTrial *other = &view->trials[i];
        if (other->parent == trial->id)
            return other->state <= STUDY_RUNNING; // it goes on from here
        next += other->bracket == trial->bracket && other->rung == trial->rung + 1;
    }
    return next < bracket_slots(&sweep->plan, trial->bracket, trial->rung + 1);
}

static bool is_needed(const Sweep *sweep, int64_t id)
{
    if (id < 0 || id >= sweep->view->count)
        return false;
    const StudyTrial *trial = &sweep->view->trials[id];
    if (trial->state == STUDY_QUEUED || trial->state == STUDY_RUNNING)
        return true;
    return !sweep->all && may_be_promoted(sweep, trial);
}

// "7.safetensors", "7.log"; "7.safetensors.tmp123" of a process that has ended.
static bool is_garbage(const Sweep *sweep, const char *name)
{
    char *end;
    long long id = strtoll(name, &end, 10);
    if (end == name)
        return false; // not ours
    if (strcmp(end, ".safetensors") == 0)
        return !is_needed(sweep, id);
    if (strcmp(end, ".log") == 0)
        return sweep->all && !is_needed(sweep, id);
    const char *temporary = strstr(end, ".tmp");
    long pid = temporary ? strtol(temporary + 4, NULL, 10) : 0;
    return pid > 0 && kill((pid_t)pid, 0) != 0;
}

static bool folder_sweep(Sweep *sweep, Err *err)
{
    const char *folder = study_folder(sweep->view->study);
    DIR *listing = opendir(folder);
    const struct dirent *entry;
    while (listing && (entry = readdir(listing)) != NULL) {
        struct stat status;
        const char *path = pool_printf(sweep->view->pool, "%s/%s", folder, entry->d_name);
        if (!is_garbage(sweep, entry->d_name) || stat(path, &status) != 0)
            continue;
        if (!sweep->dry_run && unlink(path) != 0) {
            closedir(listing);
            return err_run(err, "%s: error: cannot remove", path);
        }
        sweep->files++;
        sweep->bytes += status.st_size;
    }
    if (listing)
        closedir(listing);
    return true;
}

int cmd_gc(int argc, char **argv)
{
    Sweep sweep = {0};
    const char *path = NULL;
    const Option options[] = {
        OPTION_STRING("study", 0, "FILE", &path, "the study"),
        OPTION_FLAG("all", 'a', &sweep.all,
                    "checkpoints of trials that may be promoted, too (they would train again), and "
                    "logs of crashes"),
        OPTION_FLAG("dry-run", 0, &sweep.dry_run, "remove nothing, print how much it would be"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago gc",
        .summary = "remove checkpoints that no trial needs any more",
        .synopsis = "--study FILE [OPTION]...",
        .description = "Removes from FILE.d the checkpoints of trials that cannot be continued: "
                       "those at the largest budget, failed ones, and those that were not promoted "
                       "from a full rung. The study itself is not touched.",
        .see_also = "nago-search(1)",
        .options = options,
    };
    int count;
    command_parse(&command, argc, argv, &count);
    if (!path)
        command_usage(&command, "--study is missing");
    StudyView view;
    Err err = {0};
    bool ok = view_open(&view, &command, path, STUDY_READ, &err);
    if (ok) {
        const SearchOptions *search = &view.plan->search;
        double budgets[MAX_RUNGS];
        bool has_rungs = optimizer_budgets(search, budgets) > 1;
        sweep.view = &view;
        ok = !has_rungs || brackets_plan(search->min_budget, search->max_budget, search->eta,
                                         search->brackets, &sweep.plan);
        ok = ok && folder_sweep(&sweep, &err);
    }
    if (ok)
        printf("%s %d file%s, %.1f MB\n", sweep.dry_run ? "would remove" : "removed", sweep.files,
               sweep.files == 1 ? "" : "s", (double)sweep.bytes / 1e6);
    view_close(&view);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
