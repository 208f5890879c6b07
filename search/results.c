// results.c - the best trial, the front and its hypervolume, from the store's trials.
#include "results.h"

#include "study_sqlite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_judged(const StudyTrial *trial, const StudyPlan *plan)
{
    return trial->state == STUDY_FINISHED && trial->n_values == plan->search.n_objectives;
}

static void judged_find(const StudyTrial *trials, int count, const StudyPlan *plan,
                        StudyResults *results, Pool *pool)
{
    results->budget = 0;
    for (int i = 0; i < count; i++)
        if (is_judged(&trials[i], plan) && trials[i].budget > results->budget)
            results->budget = trials[i].budget;
    results->judged = pool_alloc(pool, ((size_t)count + 1) * sizeof *results->judged);
    for (int i = 0; i < count; i++)
        if (is_judged(&trials[i], plan) && trials[i].budget == results->budget)
            results->judged[results->n_judged++] = &trials[i];
}

static int by_first_value(const void *a, const void *b)
{
    const StudyTrial *s = *(const StudyTrial *const *)a, *t = *(const StudyTrial *const *)b;
    if (s->values[0] != t->values[0])
        return s->values[0] < t->values[0] ? -1 : 1;
    return s->id < t->id ? -1 : 1;
}

// Values of trials side by side, as pareto.h wants them.
static double *values_pack(const StudyTrial *const *trials, int count, int n_objectives, Pool *pool)
{
    double *values = pool_alloc(pool, ((size_t)count + 1) * (size_t)n_objectives * sizeof *values);
    for (int i = 0; i < count; i++)
        memcpy(values + (size_t)i * (size_t)n_objectives, trials[i]->values,
               (size_t)n_objectives * sizeof *values);
    return values;
}

static void front_find(const StudyPlan *plan, StudyResults *results, Pool *pool)
{
    int n = results->n_judged, k = plan->search.n_objectives;
    int *rank = pool_alloc(pool, ((size_t)n + 1) * sizeof *rank);
    double *values = values_pack(results->judged, n, k, pool);
    results->front = pool_alloc(pool, ((size_t)n + 1) * sizeof *results->front);
    if (n > 0)
        pareto_ranks(values, n, k, rank);
    for (int i = 0; i < n; i++)
        if (rank[i] == 0)
            results->front[results->n_front++] = results->judged[i];
    if (n > 0)
        qsort(results->front, (size_t)results->n_front, sizeof *results->front, by_first_value);
    if (k == 1 && results->n_front > 1)
        results->n_front = 1;
}

static void volume_find(const StudyPlan *plan, StudyResults *results, Pool *pool)
{
    int k = plan->search.n_objectives;
    if (!results->has_reference || k < 2 || results->n_front == 0)
        return;
    double *values = values_pack(results->front, results->n_front, k, pool);
    results->hypervolume = hypervolume(values, results->n_front, k, results->reference);
}

bool results_reference(Study *study, const StudyPlan *plan, StudyResults *results, Pool *pool,
                       Err *err)
{
    int k = plan->search.n_objectives, n;
    const char *stored;
    if (k < 2 || results->has_reference || results->n_judged < RESULTS_FOR_REFERENCE)
        return true;
    double *values = values_pack(results->front, results->n_front, k, pool);
    reference_point_infer(values, results->n_front, k, results->reference);
    Text text = {0};
    numbers_print(results->reference, k, &text);
    bool ok = study_note_write(study, "reference", text.data, err) &&
              study_note(study, "reference", &stored, pool, err);
    text_free(&text);
    const double *numbers = ok ? numbers_read(stored, &n, pool) : NULL;
    results->has_reference = numbers && n == k;
    if (results->has_reference)
        memcpy(results->reference, numbers, (size_t)k * sizeof *numbers);
    volume_find(plan, results, pool);
    return ok;
}

void results_make(const StudyTrial *trials, int count, const StudyPlan *plan, Study *study,
                  StudyResults *results, Pool *pool)
{
    const SearchOptions *search = &plan->search;
    const char *stored = NULL;
    Err ignored = {0};
    int n = 0;
    *results = (StudyResults){.has_reference = search->has_reference};
    memcpy(results->reference, search->reference, sizeof results->reference);
    judged_find(trials, count, plan, results, pool);
    front_find(plan, results, pool);
    if (!results->has_reference && search->n_objectives > 1 &&
        study_note(study, "reference", &stored, pool, &ignored) && stored) {
        const double *numbers = numbers_read(stored, &n, pool);
        results->has_reference = n == search->n_objectives;
        if (results->has_reference)
            memcpy(results->reference, numbers, (size_t)n * sizeof *numbers);
    }
    volume_find(plan, results, pool);
}
