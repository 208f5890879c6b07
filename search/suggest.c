// suggest.c - the store's trials to an optimizer's history, its suggestions to trials.
//
// A suggestion may take seconds, and the store is not locked meanwhile: if another process has
// added a trial in between, the suggestion did not see it and is made again.
#include "driver.h"

#include <string.h>

static TrialStatus status_of(StudyState state)
{
    switch (state) {
    case STUDY_FINISHED:
        return TRIAL_FINISHED;
    case STUDY_FAILED:
        return TRIAL_FAILED;
    case STUDY_INFEASIBLE:
        return TRIAL_INFEASIBLE;
    case STUDY_QUEUED:
    case STUDY_RUNNING:
        break;
    }
    return TRIAL_RUNNING;
}

// Trials of another space (a damaged or edited file) are left out.
static int history_make(const StudyTrial *trials, int count, const Space *space,
                        HistoryTrial *history)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        const StudyTrial *trial = &trials[i];
        if (trial->n_x != space->n_coords)
            continue;
        history[n] = (HistoryTrial){.id = trial->id,
                                    .x = trial->x,
                                    .bracket = trial->bracket,
                                    .rung = trial->rung,
                                    .budget = trial->budget,
                                    .status = status_of(trial->state),
                                    .violation = trial->violation,
                                    .parent = trial->parent};
        memcpy(history[n++].values, trial->values, (size_t)trial->n_values * sizeof *trial->values);
    }
    return n;
}

static StudyTrial trial_of(const Suggestion *suggestion, const StudyPlan *plan, Pool *pool)
{
    StudyTrial trial = {.id = suggestion->id,
                        .bracket = suggestion->bracket,
                        .rung = suggestion->rung,
                        .budget = suggestion->budget,
                        .parent = suggestion->parent,
                        .n_x = plan->space->n_coords,
                        .x = suggestion->x,
                        .queued = -1};
    Text params = {0}, reason = {0};
    space_params_print(plan->space, suggestion->x, &params);
    suggestion_print(suggestion, plan->search.n_objectives, &reason);
    trial.params = pool_strdup(pool, params.data);
    trial.reason = pool_strdup(pool, reason.data);
    text_free(&params);
    text_free(&reason);
    return trial;
}

// One try; *is_late as study_add has it.
static bool suggest_once(Study *study, Optimizer *optimizer, const StudyPlan *plan, int n,
                         StudyState state, const char *owner, int64_t *first, bool *is_late,
                         Pool *pool, Err *err)
{
    StudyTrial *trials;
    StudyQueued *queued;
    int count, n_queued;
    if (!study_trials(study, &trials, &count, pool, err) ||
        !study_queue(study, &queued, &n_queued, pool, err))
        return false;
    HistoryTrial *history = pool_alloc(pool, ((size_t)count + 1) * sizeof *history);
    const double **points = pool_alloc(pool, ((size_t)n_queued + 1) * sizeof *points);
    for (int i = 0; i < n_queued; i++)
        points[i] = queued[i].x;
    SearchHistory all = {history, history_make(trials, count, plan->space, history), points,
                         n_queued};
    Suggestion *suggestions = pool_alloc(pool, (size_t)n * sizeof *suggestions);
    StudyTrial *added = pool_alloc(pool, (size_t)n * sizeof *added);
    *first = count ? trials[count - 1].id + 1 : 0;
    optimizer_suggest(optimizer, &all, *first, n, suggestions);
    for (int i = 0, taken = 0; i < n; i++) {
        added[i] = trial_of(&suggestions[i], plan, pool);
        added[i].state = state;
        added[i].owner = owner;
        if (suggestions[i].reason == REASON_QUEUED && taken < n_queued)
            added[i].queued = queued[taken++].id;
    }
    return study_add(study, added, n, is_late, err);
}

bool suggestions_add(Study *study, Optimizer *optimizer, const StudyPlan *plan, int n,
                     StudyState state, const char *owner, int64_t *first, Err *err)
{
    bool is_late = true, ok = true;
    while (ok && is_late) {
        Pool *pool = pool_new();
        ok = suggest_once(study, optimizer, plan, n, state, owner, first, &is_late, pool, err);
        pool_free(pool);
    }
    return ok;
}

int trials_counted(const StudyTrial *trials, int count)
{
    int counted = 0;
    for (int i = 0; i < count; i++)
        counted += trials[i].bracket >= 0;
    return counted;
}
