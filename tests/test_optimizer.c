// Tests of search/optimizer.c and the methods behind it: what must hold for every suggestion, and
// that the methods find what they should on problems with known answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "bench/problems.h"

#include "../search/models.h"
#include "../search/pareto.h"
#include "../search/penalise.h"

static const char *const mixed =
    "{\"x\": {\"type\": \"float\", \"range\": [0, 1]}, \"k\": {\"type\": \"int\", \"range\": [2, "
    "9]},"
    " \"op\": {\"type\": \"categorical\", \"choices\": [\"a\", \"b\", \"c\"]},"
    " \"z\": {\"type\": \"float\", \"range\": [0, 1], \"when\": {\"op\": [\"b\"]}},"
    " \"w\": {\"type\": \"simplex\", \"parts\": 3}}";

static Space *space_of(const char *text)
{
    Err err = {0};
    Space *space;
    if (!space_parse("space.json", text, strlen(text), &space, &err))
        fail_msg("%s", err.message);
    return space;
}

static Optimizer *open_one(const SearchOptions *options, const Space *space)
{
    Err err = {0};
    Optimizer *optimizer;
    if (!optimizer_open(options, space, &optimizer, &err))
        fail_msg("%s", err.message);
    return optimizer;
}

// Two objectives of a mixed space, with a forbidden corner and now and then a crash.
static void mixed_evaluate(const double *x, uint64_t id, HistoryTrial *trial)
{
    Random random = random_stream(id, "crash", 0, 0);
    trial->status = TRIAL_FINISHED;
    trial->values[0] = x[0] + 0.1 * x[1] + (x[2] < 0.34 ? 0.3 : 0) + 0.2 * x[4];
    trial->values[1] = 1.5 - x[0] + 0.2 * x[3];
    if (x[0] < 0.3) {
        trial->status = TRIAL_INFEASIBLE;
        trial->violation = 0.3 - x[0];
    } else if (random_below(&random, 15) == 0) {
        trial->status = TRIAL_FAILED;
    }
}

enum { MOST = 120 };

typedef struct {
    HistoryTrial trials[MOST];
    Suggestion suggestions[MOST];
    int n;
} Record;

// Runs `until` trials in batches; the results of a batch arrive together.  With `reopen` every call
// is made by a new optimizer; with `single` a batch is asked for one by one.
static void record_run(Record *record, const SearchOptions *options, const Space *space, int until,
                       int batch, bool reopen, bool single)
{
    Optimizer *optimizer = open_one(options, space);
    while (record->n < until) {
        int start = record->n;
        for (int i = 0; i < batch; i += single ? 1 : batch) {
            SearchHistory history = {.trials = record->trials, .n_trials = record->n};
            Suggestion *out = record->suggestions + record->n;
            optimizer_suggest(optimizer, &history, record->n, single ? 1 : batch, out);
            for (int j = 0; j < (single ? 1 : batch); j++)
                record->trials[record->n++] = (HistoryTrial){.id = out[j].id,
                                                             .x = out[j].x,
                                                             .bracket = out[j].bracket,
                                                             .rung = out[j].rung,
                                                             .budget = out[j].budget,
                                                             .status = TRIAL_RUNNING,
                                                             .parent = out[j].parent};
        }
        for (int i = start; i < record->n; i++)
            mixed_evaluate(record->trials[i].x, (uint64_t)i, &record->trials[i]);
        if (reopen) {
            optimizer_close(optimizer);
            optimizer = open_one(options, space);
        }
    }
    optimizer_close(optimizer);
}

static SearchOptions options_of(SearchMethod method)
{
    SearchOptions options = search_options_default();
    options.method = method;
    options.n_objectives = method == METHOD_BOHB ? 1 : 2;
    options.min_budget = 1;
    options.max_budget = 9;
    options.seed = 5;
    options.surrogate = method == METHOD_MOBOHB ? SURROGATE_BNN : SURROGATE_AUTO;
    return options;
}

static void assert_same(const Record *a, const Record *b, int d)
{
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        assert_memory_equal(a->suggestions[i].x, b->suggestions[i].x, (size_t)d * sizeof(double));
        assert_int_equal(a->suggestions[i].reason, b->suggestions[i].reason);
        assert_int_equal(a->suggestions[i].rung, b->suggestions[i].rung);
        assert_int_equal(a->suggestions[i].parent, b->suggestions[i].parent);
    }
}

// A resumed search equals an unbroken one, a batch equals single calls.
static void test_history_is_all_that_counts(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    static Record whole, resumed, single;
    for (int method = 0; method < METHOD_COUNT; method++) {
        SearchOptions options = options_of((SearchMethod)method);
        int until = method >= METHOD_MOBO && method != METHOD_NSGA2 ? 28 : 60;
        whole.n = resumed.n = single.n = 0;
        record_run(&whole, &options, space, until, 4, false, false);
        record_run(&resumed, &options, space, until, 4, true, false);
        record_run(&single, &options, space, until, 4, false, true);
        assert_same(&whole, &resumed, space->n_coords);
        assert_same(&whole, &single, space->n_coords);
    }
    space_close(space);
}

// Points are rounded, no configuration is tried twice at one budget, reasons fit the method, and
// what is printed is one line.
static void test_every_suggestion(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    static Record record;
    for (int method = 0; method < METHOD_COUNT; method++) {
        SearchOptions options = options_of((SearchMethod)method);
        int reasons[REASON_COUNT] = {0};
        record.n = 0;
        record_run(&record, &options, space, method == METHOD_BOHB ? 110 : 40, 2, false, false);
        for (int i = 0; i < record.n; i++) {
            const Suggestion *s = &record.suggestions[i];
            double rounded[SPACE_MAX_COORDS];
            Text text = {0};
            memcpy(rounded, s->x, sizeof rounded);
            space_round(space, rounded);
            assert_memory_equal(rounded, s->x, (size_t)space->n_coords * sizeof *rounded);
            for (int j = 0; j < i && s->parent < 0; j++)
                assert_true(space_hash(space, record.suggestions[j].x) != space_hash(space, s->x));
            suggestion_print(s, options.n_objectives, &text);
            assert_true(text.data[0] == '{' && text.data[text.length - 1] == '}');
            assert_null(strchr(text.data, '\n'));
            assert_null(strstr(text.data, "nan"));
            text_free(&text);
            assert_int_equal(s->id, i);
            reasons[s->reason]++;
        }
        bool brackets =
            method == METHOD_HYPERBAND || method == METHOD_BOHB || method == METHOD_MOBOHB;
        assert_true((reasons[REASON_PROMOTION] > 0) == brackets);
        assert_true((reasons[REASON_MODEL] > 0) == (method == METHOD_BOHB));
        assert_true((reasons[REASON_EVOLUTION] > 0) == (method == METHOD_NSGA2));
        assert_true((reasons[REASON_USEMO] > 0) ==
                    (method == METHOD_MOBO || method == METHOD_MOBOHB));
    }
    space_close(space);
}

// Points that break the constraint become rarer once the model has seen some.
static void test_feasibility_is_learnt(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    static Record record;
    int early = 0, late = 0;
    for (uint64_t seed = 0; seed < 3; seed++) {
        SearchOptions options = options_of(METHOD_MOBO);
        options.seed = seed;
        options.surrogate = SURROGATE_GP;
        options.n_initial = 20;
        record.n = 0;
        record_run(&record, &options, space, 60, 4, false, false);
        for (int i = 0; i < 60; i++) {
            int bad = record.trials[i].status == TRIAL_INFEASIBLE;
            early += i < 20 ? bad : 0;
            late += i >= 40 ? bad : 0;
        }
    }
    print_message("infeasible: %d of the first 60, %d of the last 60\n", early, late);
    assert_true(early >= 10 && 2 * late <= early);
    space_close(space);
}

// Hardly anything is feasible: the methods with a model go to where the constraint is broken less.
static void test_hardly_feasible(void **state)
{
    (void)state;
    enum { N = 80 };
    Space *space = space_of(mixed);
    static const SearchMethod methods[] = {METHOD_RANDOM, METHOD_MOBO, METHOD_NSGA2};
    int found[3] = {0};
    for (int run = 0; run < 9; run++) {
        SearchOptions options = options_of(methods[run % 3]);
        options.seed = (uint64_t)run;
        options.surrogate = SURROGATE_GP;
        Optimizer *optimizer = open_one(&options, space);
        HistoryTrial trials[N];
        static Suggestion out[N];
        for (int n = 0; n < N; n++) {
            SearchHistory history = {.trials = trials, .n_trials = n};
            optimizer_suggest(optimizer, &history, n, 1, &out[n]);
            const double *x = out[n].x;
            trials[n] = (HistoryTrial){.id = n, .x = x, .budget = out[n].budget, .parent = -1};
            trials[n].values[0] = x[1];
            trials[n].values[1] = 1 - x[1] + x[4];
            trials[n].violation = fmax(0, 0.8 - x[0]) + fmax(0, 0.6 - x[1]) + fmax(0, 0.6 - x[4]);
            trials[n].status = trials[n].violation > 0 ? TRIAL_INFEASIBLE : TRIAL_FINISHED;
            found[run % 3] += trials[n].status == TRIAL_FINISHED;
        }
        optimizer_close(optimizer);
    }
    print_message("feasible of 240: %d (random) %d (mobo) %d (nsga2)\n", found[0], found[1],
                  found[2]);
    assert_true(found[0] < 12 && found[1] > 3 * found[0] + 10 && found[2] > 3 * found[0] + 10);
    space_close(space);
}

// Results of another study feed the models at once, at the budgets that both have.
static void test_warm_start(void **state)
{
    (void)state;
    enum { N = 40 };
    Space *space = space_of(mixed);
    HistoryTrial trials[N];
    double x[N][SPACE_MAX_COORDS];
    Suggestion out;
    history_draw(space, N, trials, x);
    for (int method = METHOD_BOHB; method < METHOD_COUNT; method++) {
        SearchOptions options = options_of((SearchMethod)method);
        options.random_fraction = 0;
        SearchHistory history = {.trials = trials, .n_trials = N};
        Optimizer *optimizer = open_one(&options, space);
        for (int budget = 9; budget >= 8; budget--) { // 8 is no budget of this study
            for (int i = 0; i < N; i++) {
                trials[i].bracket = -1;
                trials[i].rung = 0;
                trials[i].budget = budget;
            }
            optimizer_suggest(optimizer, &history, N, 1, &out);
            bool informed = out.reason != REASON_RANDOM && out.reason != REASON_INITIAL;
            bool any = method == METHOD_MOBOHB && budget == 8; // learns from every budget
            assert_int_equal(out.bracket, 0);
            assert_true(any || informed == (budget == 9));
            if (method == METHOD_BOHB && budget == 9)
                assert_float_equal(out.model_budget, 9, 1e-12);
        }
        optimizer_close(optimizer);
    }
    space_close(space);
}

// A space of twelve points: each is tried once, then repeats are accepted; nothing hangs.
static void test_small_space(void **state)
{
    (void)state;
    Space *space = space_of("{\"k\": {\"type\": \"int\", \"range\": [1, 4]},"
                            " \"op\": {\"type\": \"categorical\", \"choices\": [0, 1, 2]}}");
    for (int method = 0; method < METHOD_COUNT; method++) {
        SearchOptions options = options_of((SearchMethod)method);
        options.max_budget = options.min_budget;
        Optimizer *optimizer = open_one(&options, space);
        HistoryTrial trials[30];
        Suggestion suggestions[30];
        int distinct = 0;
        for (int n = 0; n < 30; n++) {
            SearchHistory history = {.trials = trials, .n_trials = n};
            optimizer_suggest(optimizer, &history, n, 1, &suggestions[n]);
            trials[n] = (HistoryTrial){.id = n,
                                       .x = suggestions[n].x,
                                       .budget = 1,
                                       .bracket = suggestions[n].bracket,
                                       .status = TRIAL_FINISHED,
                                       .parent = -1,
                                       .values = {suggestions[n].x[0], -suggestions[n].x[1]}};
            bool seen = false;
            for (int i = 0; i < n; i++)
                seen = seen || space_hash(space, trials[i].x) == space_hash(space, trials[n].x);
            distinct += !seen;
            assert_true(!seen || n >= 10);
        }
        assert_in_range(distinct, 11, 12);
        optimizer_close(optimizer);
    }
    space_close(space);
}

// Queued points go first, in their order, in place of fresh ones.
static void test_queue(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    SearchOptions options = options_of(METHOD_BOHB);
    Optimizer *optimizer = open_one(&options, space);
    const double a[SPACE_MAX_COORDS] = {0.5, 0.5, 0.1, 0.5, 0.2, 0.3};
    const double b[SPACE_MAX_COORDS] = {0.75, 0.5, 0.1, 0.5, 0.2, 0.3};
    const double *queued[] = {a, b};
    Suggestion out[3];
    SearchHistory history = {.queued = queued, .n_queued = 2};
    optimizer_suggest(optimizer, &history, 0, 3, out);
    assert_int_equal(out[0].reason, REASON_QUEUED);
    assert_float_equal(out[1].x[0], 0.75, 0);
    assert_int_equal(out[2].reason, REASON_RANDOM);
    optimizer_close(optimizer);
    space_close(space);
}

static void test_wrong_options(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    Err err = {0};
    Optimizer *optimizer;
    SearchOptions options = search_options_default();
    options.min_budget = 2;
    assert_false(optimizer_open(&options, space, &optimizer, &err));
    assert_non_null(strstr(err.message, "budgets must be 0 < min <= max, got 2 and 1"));
    options = search_options_default();
    options.method = METHOD_BOHB;
    options.max_budget = 1e9;
    options.eta = 2;
    assert_false(optimizer_open(&options, space, &optimizer, &err));
    assert_non_null(strstr(err.message, "too many rungs"));
    options = search_options_default();
    options.n_objectives = MAX_OBJECTIVES + 1;
    assert_false(optimizer_open(&options, space, &optimizer, &err));
    options = search_options_default();
    options.top_percent = 100;
    assert_false(optimizer_open(&options, space, &optimizer, &err));
    space_close(space);
}

// Nothing at the point itself, everything far away.
static void test_penalty(void **state)
{
    (void)state;
    const double a[2] = {0.5, 0.5};
    Penalty penalty = {a, 0.1};
    assert_true(isinf(penalty_log(&penalty, 1, a, 2)));
    assert_float_equal(penalty_log(&penalty, 1, (double[]){10, 0.5}, 2), 0, 1e-8);
    assert_float_equal(penalty_log(&penalty, 1, (double[]){0.6, 0.5}, 2), -0.2 * log(2), 1e-12);
    double last = -INFINITY;
    for (double x = 0.51; x < 1; x += 0.01) {
        double here = penalty_log(&penalty, 1, (double[]){x, 0.5}, 2);
        assert_true(here > last);
        last = here;
    }
}

// ---- how well, and how fast --------------------------------------------------------------------

static double run_problem(const char *name, SearchOptions options, int batch, double evaluations)
{
    const Problem *problem = problem_find(name);
    Space *space = problem_space(problem);
    options.n_objectives = problem->n_objectives;
    options.min_budget = problem->min_budget;
    options.max_budget = problem->max_budget;
    Optimizer *optimizer = open_one(&options, space);
    Study study = {.problem = problem, .space = space};
    study_run(&study, optimizer, options.seed, 6, batch, evaluations * problem->max_budget);
    double result = INFINITY;
    if (problem->n_objectives > 1) {
        double values[200 * 3];
        for (int i = 0; i < study.n; i++)
            memcpy(values + i * problem->n_objectives, study.trials[i].values,
                   (size_t)problem->n_objectives * sizeof *values);
        result = hypervolume(values, study.n, problem->n_objectives, problem->reference);
    } else {
        double best = INFINITY;
        for (int i = 0; i < study.n; i++) {
            const HistoryTrial *trial = &study.trials[i];
            if (trial->budget >= problem->max_budget && trial->values[0] < best) {
                best = trial->values[0];
                result = problem->regret(problem, trial->x);
            }
        }
    }
    optimizer_close(optimizer);
    study_free(&study);
    space_close(space);
    return result;
}

static void test_bohb_beats_hyperband_beats_random(void **state)
{
    (void)state;
    static const struct {
        const char *problem;
        double evaluations;
    } cases[] = {{"counting-ones", 63}, {"mf-hartmann6", 50}};
    for (int c = 0; c < 2; c++) {
        double mean[3] = {0};
        for (int method = 0; method < 3; method++) {
            for (uint64_t seed = 0; seed < 5; seed++) {
                SearchOptions options = search_options_default();
                options.method = (SearchMethod)method;
                options.seed = seed;
                mean[method] += run_problem(cases[c].problem, options, 1, cases[c].evaluations) / 5;
            }
        }
        print_message("%s: regret %.3f (random) %.3f (hyperband) %.3f (bohb)\n", cases[c].problem,
                      mean[0], mean[1], mean[2]);
        assert_true(mean[2] < 0.7 * mean[1] && mean[1] < mean[0]);
    }
}

// Noiseless Branin-Currin, 6 points and 20 batches of 4: at least 57 of 59.36.
static void test_mobo_finds_the_front(void **state)
{
    (void)state;
    SearchOptions options = search_options_default();
    options.method = METHOD_MOBO;
    options.n_initial = 6;
    options.has_reference = true;
    memcpy(options.reference, (double[]){18, 6}, 2 * sizeof(double));
    double volume = run_problem("branin-currin", options, 4, 86);
    print_message("branin-currin: %.2f of 59.36\n", volume);
    assert_true(volume >= 57);
    options.method = METHOD_RANDOM;
    assert_true(run_problem("branin-currin", options, 4, 86) < volume);
}

// The points of a rung compete, so they should be different ones; and what goes on should not be
// dominated by what stays.
static void test_mobohb_rungs(void **state)
{
    (void)state;
    SearchOptions options = search_options_default();
    const Problem *problem = problem_find("branin-currin-budgets");
    Space *space = problem_space(problem);
    options.method = METHOD_MOBOHB;
    options.n_objectives = 2;
    options.min_budget = problem->min_budget;
    options.max_budget = problem->max_budget;
    Study study = {.problem = problem, .space = space};
    Optimizer *optimizer = open_one(&options, space);
    study_run(&study, optimizer, 0, 1, 1, 12 * options.max_budget);
    int pairs = 0, near = 0, promoted = 0;
    for (int i = 0; i < study.n; i++) {
        const HistoryTrial *a = &study.trials[i];
        for (int j = 0; j < i; j++) {
            const HistoryTrial *b = &study.trials[j];
            if (a->bracket == 3 && b->bracket == 3 && a->rung == 0 && b->rung == 0) {
                pairs++;
                near += hypot(a->x[0] - b->x[0], a->x[1] - b->x[1]) < 0.005;
            }
            bool stays = b->bracket == a->bracket && b->rung == a->rung - 1 &&
                         !was_promoted(study.trials, study.n, b->id);
            if (a->parent >= 0 && stays) {
                promoted++;
                assert_false(pareto_dominates(b->values, study.trials[a->parent].values, 2));
            }
        }
    }
    assert_int_equal(pairs, 9 * 8 / 2);
    assert_true(promoted > 0);
    assert_true(near <= 3);
    optimizer_close(optimizer);
    study_free(&study);
    space_close(space);
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void test_time(void **state)
{
    (void)state;
    enum { N = 300, BATCH = 8 };
    Err err = {0};
    Space *space;
    assert_true(space_load("hnag", &space, &err));
    static HistoryTrial trials[N];
    static double x[N][SPACE_MAX_COORDS];
    history_draw(space, N, trials, x);
    SearchOptions options = search_options_default();
    options.method = METHOD_MOBO;
    options.n_objectives = 2;
    Suggestion out[BATCH];
    SearchHistory history = {.trials = trials, .n_trials = N};
    double start = processor_seconds();
    Optimizer *optimizer = open_one(&options, space);
    optimizer_suggest(optimizer, &history, N, BATCH, out);
    double seconds = processor_seconds() - start;
    assert_int_equal(out[7].reason, REASON_USEMO);
    optimizer_close(optimizer);
    options.method = METHOD_BOHB;
    options.n_objectives = 1;
    options.random_fraction = 0;
    optimizer = open_one(&options, space);
    start = processor_seconds();
    optimizer_suggest(optimizer, &history, N, BATCH, out);
    double each = (processor_seconds() - start) / BATCH;
    assert_int_equal(out[7].reason, REASON_MODEL);
    optimizer_close(optimizer);
    print_message("300 trials: 8 points of mobo in %.2f s, one of bohb in %.2f ms\n", seconds,
                  1e3 * each);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
    assert_true(seconds < 2);
    assert_true(each < 5e-3);
#endif
    space_close(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history_is_all_that_counts),
        cmocka_unit_test(test_every_suggestion),
        cmocka_unit_test(test_feasibility_is_learnt),
        cmocka_unit_test(test_hardly_feasible),
        cmocka_unit_test(test_warm_start),
        cmocka_unit_test(test_small_space),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_penalty),
        cmocka_unit_test(test_bohb_beats_hyperband_beats_random),
        cmocka_unit_test(test_mobo_finds_the_front),
        cmocka_unit_test(test_mobohb_rungs),
        cmocka_unit_test(test_time),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
