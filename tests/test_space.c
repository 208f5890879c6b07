// Tests of search/space*.c: spaces, their points, and both as text.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../compiler/nagoc.h"
#include "../search/space.h"
#include "../search/space_count.h"

static const char *const mixed =
    "{\"x\": {\"type\": \"float\", \"range\": [-1, 3]},\n"
    " \"lr\": {\"type\": \"float\", \"range\": [1e-4, 1], \"log\": true},\n"
    " \"k\": {\"type\": \"int\", \"range\": [2, 5]},\n"
    " \"width\": {\"type\": \"int\", \"range\": [1, 1000], \"log\": true},\n"
    " \"op\": {\"type\": \"categorical\", \"choices\": [\"a\", \"b\", 3, true]},\n"
    " \"depth\": {\"type\": \"int\", \"range\": [1, 3], \"when\": {\"op\": [\"b\", 3]}},\n"
    " \"deep\": {\"type\": \"float\", \"range\": [0, 1], \"when\": {\"depth\": 3}},\n"
    " \"merge\": {\"type\": \"simplex\", \"parts\": [\"sum\", \"concat\", \"max\"], \"min\": "
    "0.1},\n"
    " \"ratio\": {\"type\": \"simplex\", \"parts\": 2},\n"
    " \"fixed\": 7}";

static Space *space_of(const char *text)
{
    Err err = {0};
    Space *space;
    if (!space_parse("space.json", text, strlen(text), &space, &err))
        fail_msg("%s", err.message);
    return space;
}

static void test_values(void **state)
{
    (void)state;
    Space *space = space_of(mixed);
    double x[SPACE_MAX_COORDS] = {0.25, 0.5, 0.9999, 0, 0.3, 0.99, 0.7, 0.5, 0.5, 0.25};
    assert_int_equal(space->n_coords, 10);
    space_round(space, x);
    assert_float_equal(space_value(space, x, 0), 0, 1e-12);
    assert_float_equal(space_value(space, x, 1), 1e-2, 1e-12);
    assert_float_equal(space_value(space, x, 2), 5, 0);
    assert_float_equal(x[2], 3.49999 / 3.99998, 1e-12);
    assert_float_equal(space_value(space, x, 3), 1, 0);
    assert_float_equal(space_value(space, x, 4), 1, 0);
    assert_float_equal(x[4], 0.375, 0);
    assert_float_equal(space_value(space, x, 5), 3, 0);
    assert_true(space_is_active(space, x, 6));
    double shares[3];
    space_shares(space, x, 7, shares);
    assert_float_equal(shares[0] + shares[1] + shares[2], 1, 1e-12);
    assert_float_equal(shares[0], 0.1 + 0.7 * (1 - sqrt(0.5)), 1e-12);
    space_shares(space, x, 8, shares);
    assert_float_equal(shares[0], 0.25, 1e-12);
    double value;
    assert_true(space_number(space, x, "lr", &value));
    assert_true(space_number(space, x, "fixed", &value) && value == 7);
    assert_false(space_number(space, x, "op", &value));
    assert_false(space_number(space, x, "none", &value));
    space_close(space);
}

// Every integer and choice must be equally likely, and inactive coordinates hold their place.
static void test_draws_are_uniform(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    Space *space = space_of(mixed);
    Random random = random_stream(5, "test", 0, 0);
    int count[6] = {0}, choices[4] = {0}, active = 0;
    double sum[3] = {0};
    for (int i = 0; i < DRAWS; i++) {
        double x[SPACE_MAX_COORDS], again[SPACE_MAX_COORDS], shares[3];
        space_draw(space, &random, x);
        memcpy(again, x, sizeof again);
        space_round(space, again);
        assert_memory_equal(x, again, (size_t)space->n_coords * sizeof *x);
        count[(int)space_value(space, x, 2)]++;
        choices[(int)space_value(space, x, 4)]++;
        active += space_is_active(space, x, 5);
        assert_true(space_is_active(space, x, 5) || x[5] == SPACE_INACTIVE);
        space_shares(space, x, 7, shares);
        for (int j = 0; j < 3; j++) {
            assert_true(shares[j] >= 0.1 - 1e-12);
            sum[j] += shares[j] / DRAWS;
        }
    }
    for (int i = 0; i < 4; i++) {
        assert_in_range(count[2 + i], DRAWS / 4 - 300, DRAWS / 4 + 300); // 5 deviations
        assert_in_range(choices[i], DRAWS / 4 - 300, DRAWS / 4 + 300);
    }
    assert_in_range(active, DRAWS / 2 - 350, DRAWS / 2 + 350);
    for (int j = 0; j < 3; j++)
        assert_float_equal(sum[j], 1.0 / 3, 0.01);
    space_close(space);
}

static void test_text_and_back(void **state)
{
    (void)state;
    Err err = {0};
    const char *names[] = {"hnag", "hnag-full", "rnag", "darts-like", NULL};
    for (int s = 0; s < 5; s++) {
        Space *space = NULL, *again = NULL;
        if (names[s])
            assert_true(space_load(names[s], &space, &err));
        else
            space = space_of(mixed);
        Text text = {0}, twice = {0};
        space_print(space, &text);
        again = space_of(text.data);
        space_print(again, &twice);
        assert_string_equal(text.data, twice.data);
        Random random = random_stream(1, "test", (uint64_t)s, 0);
        for (int i = 0; i < 200; i++) {
            double x[SPACE_MAX_COORDS], back[SPACE_MAX_COORDS];
            Text params = {0};
            space_draw(space, &random, x);
            space_params_print(space, x, &params);
            if (!space_params_parse(again, "params", params.data, params.length, back, &err))
                fail_msg("%s", err.message);
            for (int j = 0; j < space->n_coords; j++)
                assert_float_equal(x[j], back[j], 1e-9);
            text_free(&params);
        }
        text_free(&text);
        text_free(&twice);
        space_close(space);
        space_close(again);
    }
}

// Points of the built-in spaces are thetas; the point is found again from theta.json.
static void test_theta(void **state)
{
    (void)state;
    Err err = {0};
    int coords[] = {8, 15, 3, 6};
    for (int s = 0; s < n_space_names; s++) {
        Space *space;
        assert_true(space_load(space_names[s], &space, &err));
        assert_int_equal(space->n_coords, coords[s]);
        Random random = random_stream(2, "test", (uint64_t)s, 0);
        ThetaGiven given = {150000, 3, 28, 32, 7, 11};
        for (int i = 0; i < 100; i++) {
            double x[SPACE_MAX_COORDS], back[SPACE_MAX_COORDS];
            Text text = {0};
            Theta theta;
            Pool *pool = pool_new();
            space_draw(space, &random, x);
            space_theta_print(space, x, &given, &text);
            if (!theta_parse("theta.json", text.data, text.length, &theta, pool, &err))
                fail_msg("%s\n%s", err.message, text.data);
            assert_int_equal(theta.params, 150000);
            assert_int_equal(theta.height, 28);
            assert_int_equal(theta.classes, 7);
            assert_int_equal(theta.seed, 11);
            assert_true(space_theta_parse(space, "theta.json", text.data, text.length, back, &err));
            for (int j = 0; j < space->n_coords; j++)
                assert_float_equal(x[j], back[j], 1e-9);
            text_free(&text);
            pool_free(pool);
        }
        space_close(space);
    }
}

static void test_hash_and_size(void **state)
{
    (void)state;
    Space *space = space_of("{\"op\": {\"type\": \"categorical\", \"choices\": [1, 2, 3]},"
                            " \"n\": {\"type\": \"int\", \"range\": [1, 5], \"when\": {\"op\": 1}},"
                            " \"m\": {\"type\": \"int\", \"range\": [1, 2]}}");
    assert_float_equal(space_size(space), (5 + 1 + 1) * 2, 0);
    uint64_t seen[64];
    int n_seen = 0;
    Random random = random_stream(3, "test", 0, 0);
    for (int i = 0; i < 1000; i++) {
        double x[SPACE_MAX_COORDS];
        for (int j = 0; j < space->n_coords; j++)
            x[j] = random_unit(&random); // not rounded: the hash must not care
        uint64_t hash = space_hash(space, x);
        bool known = false;
        for (int j = 0; j < n_seen; j++)
            known = known || seen[j] == hash;
        if (!known) {
            assert_true(n_seen < 64);
            seen[n_seen++] = hash;
        }
    }
    assert_int_equal(n_seen, 14);
    space_close(space);
    space = space_of(mixed);
    assert_true(isinf(space_size(space)));
    assert_int_equal(space_n_features(space), 13);
    space_close(space);
}

static void test_errors(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"[1]", "must be an object"},
        {"{}", "the space has nothing to search"},
        {"{\"x\": {\"range\": [0, 1]}}", "\"type\" is missing in \"x\""},
        {"{\"x\": {\"type\": \"flaot\"}}", "did you mean \"float\"?"},
        {"{\"x\": {\"type\": \"float\"}}", "\"range\" is missing in the float \"x\""},
        {"{\"x\": {\"type\": \"float\", \"range\": [0]}}", "must have 2 numbers, not 1"},
        {"{\"x\": {\"type\": \"float\", \"range\": [2, 1]}}", "is empty: 2 is above 1"},
        {"{\"x\": {\"type\": \"float\", \"range\": [0, 1], \"log\": true}}", "logarithmic range"},
        {"{\"x\": {\"type\": \"int\", \"range\": [0.5, 1]}}", "must be a whole number, got 0.5"},
        {"{\"x\": {\"type\": \"int\", \"range\": [0, 1], \"lgo\": true}}", "unknown key \"lgo\""},
        {"{\"x\": {\"type\": \"categorical\", \"choices\": []}}", "must have 1..256 values"},
        {"{\"x\": {\"type\": \"categorical\", \"choices\": [1, 1]}}", "stands twice"},
        {"{\"x\": {\"type\": \"categorical\", \"choices\": [[1]]}}", "a choice must be"},
        {"{\"x\": {\"type\": \"simplex\", \"parts\": 1}}", "must lie in 2..64, got 1"},
        {"{\"x\": {\"type\": \"simplex\", \"parts\": 2, \"min\": 0.6}}", "must lie in [0, 0.5]"},
        {"{\"x\": 1, \"x\": 2}", "x"},
        {"{\"a\": 1, \"a.b\": {\"type\": \"int\", \"range\": [1, 2]}}", "one inside the other"},
        {"{\"a..b\": {\"type\": \"int\", \"range\": [1, 2]}}", "is no name of a parameter"},
        {"{\"x\": {\"type\": \"int\", \"range\": [1, 2], \"when\": {\"y\": 1}}}",
         "there is no parameter \"y\" above"},
        {"{\"y\": {\"type\": \"float\", \"range\": [1, 2]},"
         " \"x\": {\"type\": \"int\", \"range\": [1, 2], \"when\": {\"y\": 1}}}",
         "must be categorical or int"},
        {"{\"y\": {\"type\": \"int\", \"range\": [1, 2]},"
         " \"x\": {\"type\": \"int\", \"range\": [1, 2], \"when\": {\"y\": 3}}}",
         "must lie in 1..2, got 3"},
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Err err = {0};
        Space *space;
        assert_false(space_parse("s.json", wrong[i][0], strlen(wrong[i][0]), &space, &err));
        if (strncmp(err.message, "s.json:1:", 9) != 0 || !strstr(err.message, wrong[i][1]))
            fail_msg("%s\ngave %s", wrong[i][0], err.message);
        assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    }
}

static void test_point_errors(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"{\"x\": 2}", "must lie in [0, 1], got 2"},
        {"{\"x\": 0.5}", "\"op\" is missing"},
        {"{\"x\": 0.5, \"op\": \"c\"}", "\"op\" cannot be \"c\""},
        {"{\"x\": 0.5, \"op\": \"a\", \"n\": 1}", "does not apply"},
        {"{\"x\": 0.5, \"op\": \"a\", \"z\": 1}", "unknown key \"z\""},
        {"{\"x\": 0.5, \"op\": \"a\", \"w\": [0, 0]}", "are all 0"},
        {"{\"x\": 0.5, \"op\": \"a\", \"w\": [1, 2], \"f\": 3}", "is fixed to 4"},
        {"[]", "must be an object"},
    };
    Space *space =
        space_of("{\"x\": {\"type\": \"float\", \"range\": [0, 1]},"
                 " \"op\": {\"type\": \"categorical\", \"choices\": [\"a\", \"b\"]},"
                 " \"n\": {\"type\": \"int\", \"range\": [1, 2], \"when\": {\"op\": \"b\"}},"
                 " \"w\": {\"type\": \"simplex\", \"parts\": 2}, \"f\": 4}");
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        Err err = {0};
        double x[SPACE_MAX_COORDS];
        assert_false(space_params_parse(space, "p", wrong[i][0], strlen(wrong[i][0]), x, &err));
        if (!strstr(err.message, wrong[i][1]))
            fail_msg("%s\ngave %s", wrong[i][0], err.message);
    }
    space_close(space);
}

// ---- how many networks -------------------------------------------------------------------------

static int different_graphs(const LevelTheta *level, int draws)
{
    static uint64_t seen[1000];
    int count = 0;
    Random random = random_stream(1, "test", 0, 0);
    for (int i = 0; i < draws; i++) {
        Graph graph;
        Pool *pool = pool_new();
        uint64_t bits = 0;
        if (graph_sample(level, &random, &graph, pool)) {
            for (int e = 0; e < graph.n * graph.n; e++)
                bits |= (uint64_t)graph.edge[e] << e;
            int j = 0;
            while (j < count && seen[j] != bits)
                j++;
            assert_true(count < 1000);
            seen[j] = bits;
            count += j == count;
        }
        pool_free(pool);
    }
    return count;
}

// Every graph of the bound does appear (er, ba, chain), and none beyond it (ws).
static void test_graphs_are_counted(void **state)
{
    (void)state;
    static const int connected[] = {0, 1, 1, 4, 38, 728, 26704}; // OEIS A001187
    for (int n = 1; n <= 6; n++) {
        LevelTheta level = {.graph = GRAPH_ER, .n = n, .p = 0.5};
        assert_float_equal(exp(level_log_graphs(&level)), connected[n], 1e-6 * connected[n]);
        if (n <= 5)
            assert_int_equal(different_graphs(&level, 20000), connected[n]);
        level = (LevelTheta){.graph = GRAPH_CHAIN, .n = n};
        assert_int_equal(different_graphs(&level, 10), lround(exp(level_log_graphs(&level))));
        for (int m = 1; m < n && n <= 5; m++) {
            level = (LevelTheta){.graph = GRAPH_BA, .n = n, .m = m};
            assert_int_equal(different_graphs(&level, 5000), lround(exp(level_log_graphs(&level))));
        }
    }
    LevelTheta ws = {.graph = GRAPH_WS, .n = 5, .k = 2, .p = 0.5};
    int found = different_graphs(&ws, 20000), bound = (int)lround(exp(level_log_graphs(&ws)));
    assert_int_equal(bound, 252);
    assert_in_range(found, bound / 2, bound);
}

static void test_networks_are_counted(void **state)
{
    (void)state;
    SpaceCount count;
    Err err = {0};
    Space *space =
        space_of("{\"top.n\": 3, \"top.k\": 2, \"top.p\": 0.5, \"mid.n\": 1, \"mid.p\": 0.5,"
                 " \"bottom.n\": {\"type\": \"int\", \"range\": [3, 4]},"
                 " \"bottom.k\": {\"type\": \"int\", \"range\": [2, 3]},"
                 " \"bottom.p\": 0.5}");
    assert_true(space_count(space, &count, &err));
    assert_int_equal(count.combinations, 4);
    assert_int_equal(count.settings, 2);                           // k = 3 is k = 2 once more
    assert_float_equal(pow(10, count.log10_networks), 3376, 1e-6); // 1 + 15^3
    assert_float_equal(pow(10, count.log10_largest), 3375, 1e-6);
    space_close(space);
    space = space_of("{\"x\": {\"type\": \"float\", \"range\": [0, 1]}}");
    assert_false(space_count(space, &count, &err));
    assert_non_null(strstr(err.message, "unknown key \"x\""));
    space_close(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_draws_are_uniform),
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_theta),
        cmocka_unit_test(test_hash_and_size),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_point_errors),
        cmocka_unit_test(test_graphs_are_counted),
        cmocka_unit_test(test_networks_are_counted),
    };
    return cmocka_run_group_tests_name("space", tests, NULL, NULL);
}
