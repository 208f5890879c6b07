// search.c - runs an optimiser on a problem with a known answer, once for each seed.
//
//   search PROBLEM METHOD [KEY=VALUE...]
//
// Keys: seeds=A:B, batch, budget (in evaluations at the largest budget), initial, surrogate,
// acquisition, brackets, eta.  Prints a line of JSON for each seed: the distance from the best (the
// regret of the best observed point at the largest budget, or the hypervolume that is missing) at
// the end and on the way, and the seconds that suggesting took.
#define _POSIX_C_SOURCE 200809L
#include "problems.h"

#include "../../search/pareto.h"

#include <time.h>

typedef struct {
    const Problem *problem;
    SearchOptions options;
    int first_seed, last_seed, batch;
    double evaluations;
} Run;

static bool choice_set(const char *value, const char *const *names, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(value, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool option_set(Run *run, const char *text)
{
    const char *value = strchr(text, '=');
    int choice = 0;
    if (!value++)
        return false;
    SearchOptions *options = &run->options;
    if (strncmp(text, "seeds=", 6) == 0)
        return sscanf(value, "%d:%d", &run->first_seed, &run->last_seed) == 2;
    if (strncmp(text, "batch=", 6) == 0)
        return (run->batch = atoi(value)) > 0;
    if (strncmp(text, "budget=", 7) == 0)
        return (run->evaluations = atof(value)) > 0;
    if (strncmp(text, "initial=", 8) == 0)
        return (options->n_initial = atoi(value)) > 0;
    if (strncmp(text, "eta=", 4) == 0)
        return (options->eta = atoi(value)) > 1;
    if (strncmp(text, "reference=", 10) == 0) {
        options->has_reference = atoi(value) > 0;
        return true;
    }
    if (strncmp(text, "beta=", 5) == 0)
        return (options->beta = atof(value)) >= 0;
    bool known = false;
    if (strncmp(text, "surrogate=", 10) == 0) {
        known = choice_set(value, surrogate_name, SURROGATE_COUNT, &choice);
        options->surrogate = (SurrogateKind)choice;
    } else if (strncmp(text, "acquisition=", 12) == 0) {
        known = choice_set(value, acquisition_name, ACQUISITION_COUNT, &choice);
        options->acquisition = (AcquisitionKind)choice;
    } else if (strncmp(text, "selection=", 10) == 0) {
        known = choice_set(value, selection_name, SELECTION_COUNT, &choice);
        options->selection = (SelectionKind)choice;
    } else if (strncmp(text, "brackets=", 9) == 0) {
        known = choice_set(value, bracket_table_name, BRACKETS_COUNT, &choice);
        options->brackets = (BracketTable)choice;
    }
    return known;
}

// Of the trials that finished while `budget` was spent.
static double distance(const Run *run, const Study *study, double budget)
{
    const Problem *problem = run->problem;
    int best = -1, count = 0, k = problem->n_objectives;
    double spent = 0, *values = xmalloc(((size_t)study->n + 1) * (size_t)k * sizeof *values);
    for (int i = 0; i < study->n && spent < budget * (1 - 1e-9); i++) {
        const HistoryTrial *trial = &study->trials[i];
        spent += trial->budget;
        if (k > 1) { // without the noise, if there is any
            const Problem *exact = strcmp(problem->name, "branin-currin-noisy") == 0
                                       ? problem_find("branin-currin")
                                       : problem;
            exact->evaluate(exact, trial->x, trial->budget, NULL, values + count++ * k);
        } else if (trial->budget > problem->max_budget * 0.99 &&
                   (best < 0 || trial->values[0] < study->trials[best].values[0])) {
            best = i;
        }
    }
    double result = k > 1 ? problem->best_volume - hypervolume(values, count, k, problem->reference)
                    : best < 0 ? 1
                               : problem->regret(problem, study->trials[best].x);
    free(values);
    return result;
}

static void run_seed(const Run *run, const Space *space, int seed)
{
    Err err = {0};
    Optimizer *optimizer = NULL;
    SearchOptions options = run->options;
    options.seed = (uint64_t)seed;
    options.n_objectives = run->problem->n_objectives;
    memcpy(options.reference, run->problem->reference, sizeof options.reference);
    options.min_budget = run->problem->min_budget;
    options.max_budget = run->problem->max_budget;
    if (!optimizer_open(&options, space, &optimizer, &err)) {
        fprintf(stderr, "%s\n", err.message);
        exit(2);
    }
    Study study = {.problem = run->problem, .space = space};
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    study_run(&study, optimizer, (uint64_t)seed, options.n_initial, run->batch,
              run->evaluations * options.max_budget);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("{\"problem\": \"%s\", \"method\": \"%s\", \"batch\": %d, \"seed\": %d, \"trials\": %d, "
           "\"seconds\": %.3f, \"trace\": [",
           run->problem->name, method_name[options.method], run->batch, seed, study.n,
           (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
    for (int i = 1; i <= 10; i++)
        printf("%s%.6g", i > 1 ? ", " : "",
               distance(run, &study, run->evaluations * options.max_budget * i / 10));
    printf("], \"distance\": %.9g}\n",
           distance(run, &study, run->evaluations * options.max_budget));
    fflush(stdout);
    optimizer_close(optimizer);
    study_free(&study);
}

int main(int argc, char **argv)
{
    Run run = {.options = search_options_default(), .last_seed = 2, .batch = 1, .evaluations = 86};
    int method = 0;
    run.problem = argc > 2 ? problem_find(argv[1]) : NULL;
    bool good = run.problem && choice_set(argv[2], method_name, METHOD_COUNT, &method);
    run.options.method = (SearchMethod)method;
    run.options.n_initial = 6;
    for (int i = 3; good && i < argc; i++)
        good = option_set(&run, argv[i]);
    if (!good) {
        fprintf(stderr, "usage: search PROBLEM METHOD [seeds=A:B] [batch=N] [budget=N] ...\n");
        return 2;
    }
    Space *space = problem_space(run.problem);
    for (int seed = run.first_seed; seed <= run.last_seed; seed++)
        run_seed(&run, space, seed);
    space_close(space);
    return 0;
}
