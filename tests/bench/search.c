// search.c - runs an optimiser on a problem with a known answer, once for each seed.
//
//   search PROBLEM METHOD [KEY=VALUE...]
//   search PROBLEM serve seeds=A:A [KEY=VALUE...]
//   search timing
//
// `serve` evaluates for another program: it prints {"floats": n, "binary": n, "objectives": n,
// "budgets": [..], "budget": all that may be spent}, reads lines "BUDGET X0 X1 ...", answers each
// with its values, and prints the same line of results as it would for a method of its own when its
// input ends.  `timing` prints what suggestions and fits cost.
//
// Keys: seeds=A:B, batch, budget (in evaluations at the largest budget), initial, surrogate,
// acquisition, brackets, eta.  Prints a line of JSON for each seed: the distance from the best (the
// regret of the best observed point at the largest budget, or the hypervolume that is missing) at
// the end and on the way, and the seconds of processor time that suggesting took.
#include "problems.h"

#include "../../search/bnn.h"
#include "../../search/pareto.h"

#include <time.h>

typedef struct {
    const Problem *problem;
    SearchOptions options;
    int first_seed, last_seed, batch;
    double evaluations;
} Run;

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

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
    Random random = random_stream(0, "judged", 0, 0); // the largest budget has no noise left
    double spent = 0, *values = xmalloc(((size_t)study->n + 1) * (size_t)k * sizeof *values);
    for (int i = 0; i < study->n && spent < budget * (1 - 1e-9); i++) {
        const HistoryTrial *trial = &study->trials[i];
        spent += trial->budget;
        if (trial->budget < problem->max_budget * 0.99)
            continue; // cheaper values are of another function
        if (k > 1) {  // without the noise, if there is any
            const Problem *exact = strcmp(problem->name, "branin-currin-noisy") == 0
                                       ? problem_find("branin-currin")
                                       : problem;
            exact->evaluate(exact, trial->x, trial->budget, &random, values + count++ * k);
        } else if (best < 0 || trial->values[0] < study->trials[best].values[0]) {
            best = i;
        }
    }
    double result = k > 1 ? problem->best_volume - hypervolume(values, count, k, problem->reference)
                    : best < 0 ? 1
                               : problem->regret(problem, study->trials[best].x);
    free(values);
    return result;
}

static void result_print(const Run *run, const Study *study, const char *method, int seed,
                         double seconds)
{
    double budget = run->evaluations * run->problem->max_budget;
    printf("{\"problem\": \"%s\", \"method\": \"%s\", \"batch\": %d, \"seed\": %d, \"trials\": %d, "
           "\"seconds\": %.3f, \"trace\": [",
           run->problem->name, method, run->batch, seed, study->n, seconds);
    for (int i = 1; i <= 10; i++)
        printf("%s%.6g", i > 1 ? ", " : "", distance(run, study, budget * i / 10));
    printf("], \"distance\": %.9g}\n", distance(run, study, budget));
    fflush(stdout);
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
    double start = processor_seconds();
    study_run(&study, optimizer, (uint64_t)seed, options.n_initial, run->batch,
              run->evaluations * options.max_budget);
    result_print(run, &study, method_name[options.method], seed, processor_seconds() - start);
    optimizer_close(optimizer);
    study_free(&study);
}

// ---- for other programs ------------------------------------------------------------------------

static void serve_greet(const Run *run, const SearchOptions *options)
{
    double budgets[MAX_RUNGS];
    int n = optimizer_budgets(options, budgets);
    printf("{\"floats\": %d, \"binary\": %d, \"objectives\": %d, \"budget\": %.17g, \"budgets\": [",
           run->problem->n_floats, run->problem->n_binary, run->problem->n_objectives,
           run->evaluations * run->problem->max_budget);
    for (int i = 0; i < n; i++)
        printf("%s%.17g", i ? ", " : "", budgets[i]);
    printf("]}\n");
    fflush(stdout);
}

static bool point_read(const Space *space, double *budget, double *x)
{
    if (scanf("%lf", budget) != 1)
        return false;
    for (int j = 0; j < space->n_coords; j++) {
        if (scanf("%lf", &x[j]) != 1)
            return false;
    }
    return true;
}

static void serve(const Run *run, const Space *space)
{
    SearchOptions options = run->options;
    options.method = METHOD_HYPERBAND;
    options.min_budget = run->problem->min_budget;
    options.max_budget = run->problem->max_budget;
    serve_greet(run, &options);
    Study study = {.problem = run->problem, .space = space};
    double budget, x[SPACE_MAX_COORDS];
    while (point_read(space, &budget, x)) {
        study_evaluate(&study,
                       (HistoryTrial){.id = study.n, .x = x, .budget = budget, .parent = -1},
                       (uint64_t)run->first_seed);
        for (int k = 0; k < run->problem->n_objectives; k++)
            printf("%s%.17g", k ? " " : "", study.trials[study.n - 1].values[k]);
        printf("\n");
        fflush(stdout);
    }
    result_print(run, &study, "serve", run->first_seed, 0);
    study_free(&study);
}

// ---- time --------------------------------------------------------------------------------------

static double suggest_seconds(const SearchOptions *options, const Space *space,
                              const HistoryTrial *trials, int n)
{
    Err err = {0};
    Optimizer *optimizer;
    Suggestion out[8];
    SearchHistory history = {.trials = trials, .n_trials = n};
    if (!optimizer_open(options, space, &optimizer, &err))
        bug("%s", err.message);
    double start = processor_seconds();
    optimizer_suggest(optimizer, &history, n, 8, out);
    double seconds = processor_seconds() - start;
    optimizer_close(optimizer);
    return seconds;
}

static double fit_seconds(void)
{
    enum { N = 100, D = 8 };
    static double x[N * D], y[N];
    double least = INFINITY;
    Random random = random_stream(1, "timing", 0, 0);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < D; j++)
            x[i * D + j] = random_normal(&random);
        y[i] = sin(2 * x[i * D]) + 0.3 * random_normal(&random);
    }
    BnnSettings settings = bnn_settings_default();
    for (int i = 0; i < 5; i++) {
        double start = processor_seconds();
        bnn_free(bnn_fit(&settings, x, y, N, D, &random));
        least = fmin(least, processor_seconds() - start);
    }
    return least;
}

static void timing(void)
{
    enum { N = 300 };
    Err err = {0};
    Space *space;
    static HistoryTrial trials[N];
    static double x[N][SPACE_MAX_COORDS];
    if (!space_load("hnag", &space, &err))
        bug("%s", err.message);
    history_draw(space, N, trials, x);
    SearchOptions options = search_options_default();
    options.n_objectives = 2;
    printf("{\"bnn_fit_100\": %.5f", fit_seconds());
    for (int kind = SURROGATE_AUTO; kind <= SURROGATE_GP; kind++) {
        options.method = METHOD_MOBO;
        options.surrogate = (SurrogateKind)kind;
        printf(", \"mobo_batch_8_%s\": %.4f", surrogate_name[kind],
               suggest_seconds(&options, space, trials, N));
    }
    options.method = METHOD_BOHB;
    options.n_objectives = 1;
    options.random_fraction = 0;
    printf(", \"bohb\": %.6f}\n", suggest_seconds(&options, space, trials, N) / 8);
    space_close(space);
}

int main(int argc, char **argv)
{
    Run run = {.options = search_options_default(), .last_seed = 2, .batch = 1, .evaluations = 86};
    int method = 0;
    run.problem = argc > 2 ? problem_find(argv[1]) : NULL;
    if (argc == 2 && strcmp(argv[1], "timing") == 0) {
        timing();
        return 0;
    }
    bool serves = argc > 2 && strcmp(argv[2], "serve") == 0;
    bool good = run.problem && (serves || choice_set(argv[2], method_name, METHOD_COUNT, &method));
    run.options.method = (SearchMethod)method;
    run.options.n_initial = 6;
    for (int i = 3; good && i < argc; i++)
        good = option_set(&run, argv[i]);
    if (!good) {
        fprintf(stderr, "usage: search PROBLEM METHOD [seeds=A:B] [batch=N] [budget=N] ...\n");
        return 2;
    }
    Space *space = problem_space(run.problem);
    if (serves)
        serve(&run, space);
    for (int seed = run.first_seed; !serves && seed <= run.last_seed; seed++)
        run_seed(&run, space, seed);
    space_close(space);
    return 0;
}
