// Tests of graph.c: every generator gives connected acyclic graphs; the limits p = 0 and p = 1 are
// known graphs; degree and clustering statistics agree with networkx (tests/graph_stats.py, skipped
// where networkx is absent).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../compiler/nagoc.h"

static bool edge(const Graph *graph, int a, int b)
{
    return a < b ? graph->edge[a * graph->n + b] : graph->edge[b * graph->n + a];
}

static int edge_count(const Graph *graph)
{
    int count = 0;
    for (int i = 0; i < graph->n * graph->n; i++)
        count += graph->edge[i];
    return count;
}

static int degree(const Graph *graph, int node)
{
    int count = 0;
    for (int other = 0; other < graph->n; other++)
        count += other != node && edge(graph, node, other);
    return count;
}

// Edges only upwards; with one node reached from another until all are: connected.
static void assert_sound(const Graph *graph)
{
    int n = graph->n;
    bool reached[64] = {true};
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++)
            assert_false(graph->edge[i * n + j]);
    }
    for (int round = 0; round < n; round++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                if (i != j && reached[i] && edge(graph, i, j))
                    reached[j] = true;
            }
        }
    }
    for (int i = 0; i < n; i++)
        assert_true(reached[i]);
}

static Graph sample(LevelTheta level, uint64_t seed, Pool *pool)
{
    Graph graph;
    Random random = random_stream(seed, "test", 0, 0);
    assert_true(graph_sample(&level, &random, &graph, pool));
    assert_int_equal(graph.n, level.n);
    assert_sound(&graph);
    return graph;
}

static void test_ws_ring(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    for (int n = 3; n <= 64; n++) {
        for (int k = 2; k < n && k < 12; k++) {
            Graph graph = sample((LevelTheta){.graph = GRAPH_WS, .n = n, .k = k, .p = 0}, 1, pool);
            for (int i = 0; i < n; i++) {
                for (int j = i + 1; j < n; j++) {
                    int apart = j - i < n - (j - i) ? j - i : n - (j - i);
                    assert_int_equal(edge(&graph, i, j), apart <= k / 2);
                }
            }
        }
    }
    pool_free(pool);
}

// Rewiring moves edges and makes or loses none.
static void test_ws_rewired(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    int moved = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        int n = 4 + (int)(seed % 30), k = 2 + (int)(seed / 7 % 4);
        k = k < n - 1 ? k : n - 1;
        Graph graph = sample((LevelTheta){.graph = GRAPH_WS, .n = n, .k = k, .p = 0.6}, seed, pool);
        assert_int_equal(edge_count(&graph), n * (k / 2));
        moved += n > 4 && !edge(&graph, 0, 1);
    }
    assert_in_range(moved, 50, 180);
    pool_free(pool);
}

static void test_er(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Graph graph = sample((LevelTheta){.graph = GRAPH_ER, .n = 1, .p = 0}, 1, pool);
    assert_int_equal(edge_count(&graph), 0);
    for (int n = 2; n <= 64; n += 7) {
        graph = sample((LevelTheta){.graph = GRAPH_ER, .n = n, .p = 1}, 1, pool);
        assert_int_equal(edge_count(&graph), n * (n - 1) / 2);
        sample((LevelTheta){.graph = GRAPH_ER, .n = n, .p = 0.5}, (uint64_t)n, pool);
    }
    Random random = random_stream(1, "test", 0, 0);
    LevelTheta hopeless = {.graph = GRAPH_ER, .n = 2, .p = 0};
    assert_false(graph_sample(&hopeless, &random, &graph, pool));
    pool_free(pool);
}

// m edges for each node after the first m; early nodes gather more than late ones.
static void test_ba(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    int early = 0, late = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        for (int m = 1; m < 6; m++) {
            Graph graph = sample((LevelTheta){.graph = GRAPH_BA, .n = 40, .m = m}, seed, pool);
            assert_int_equal(edge_count(&graph), m * (40 - m));
            for (int i = m; i < 40; i++)
                assert_true(degree(&graph, i) >= m);
            early += degree(&graph, m);
            late += degree(&graph, 39);
        }
    }
    assert_true(early > 3 * late);
    assert_int_equal(edge_count(&(Graph){1, (bool[]){false}}), 0);
    Graph one = sample((LevelTheta){.graph = GRAPH_BA, .n = 1, .m = 1}, 0, pool);
    assert_int_equal(edge_count(&one), 0);
    Graph star = sample((LevelTheta){.graph = GRAPH_BA, .n = 8, .m = 7}, 0, pool);
    assert_int_equal(degree(&star, 7), 7);
    pool_free(pool);
}

static void test_chain(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    for (int n = 1; n <= 64; n++) {
        Graph graph = sample((LevelTheta){.graph = GRAPH_CHAIN, .n = n}, 0, pool);
        assert_int_equal(edge_count(&graph), n - 1);
        for (int i = 1; i < n; i++)
            assert_true(edge(&graph, i - 1, i));
    }
    pool_free(pool);
}

// Prints `count` graphs, one a line: the edges as "a-b".
static void graphs_print(const char *name, LevelTheta level, int count, Text *out)
{
    Pool *pool = pool_new();
    for (int seed = 0; seed < count; seed++) {
        Graph graph = sample(level, (uint64_t)seed, pool);
        text_printf(out, "%s %d %d %g", name, level.n, level.graph == GRAPH_BA ? level.m : level.k,
                    level.p);
        for (int i = 0; i < graph.n; i++) {
            for (int j = i + 1; j < graph.n; j++) {
                if (edge(&graph, i, j))
                    text_printf(out, " %d-%d", i, j);
            }
        }
        text_puts(out, "\n");
    }
    pool_free(pool);
}

static void test_networkx(void **state)
{
    (void)state;
    static const LevelTheta levels[] = {{.graph = GRAPH_WS, .n = 10, .k = 4, .p = 0.3},
                                        {.graph = GRAPH_WS, .n = 6, .k = 5, .p = 0.9},
                                        {.graph = GRAPH_WS, .n = 5, .k = 2, .p = 0.5},
                                        {.graph = GRAPH_WS, .n = 32, .k = 4, .p = 0.75},
                                        {.graph = GRAPH_WS, .n = 20, .k = 6, .p = 0.1},
                                        {.graph = GRAPH_ER, .n = 10, .p = 0.4},
                                        {.graph = GRAPH_ER, .n = 4, .p = 0.5},
                                        {.graph = GRAPH_ER, .n = 30, .p = 0.2},
                                        {.graph = GRAPH_BA, .n = 20, .m = 3},
                                        {.graph = GRAPH_BA, .n = 10, .m = 2}};
    Text graphs = {0};
    Err err = {0};
    int count = getenv("NAGO_LONG") ? 4000 : 500;
    for (size_t i = 0; i < COUNT_OF(levels); i++)
        graphs_print(graph_name[levels[i].graph], levels[i], count, &graphs);
    assert_true(folder_make("build/tmp", &err));
    assert_true(file_write("build/tmp/graphs.txt", graphs.data, graphs.length, &err));
    text_free(&graphs);
    int status = system("/usr/bin/python3 tests/graph_stats.py build/tmp/graphs.txt >&2");
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 127) {
        fprintf(stderr, "skipped: python3-networkx is not here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ws_ring), cmocka_unit_test(test_ws_rewired),
        cmocka_unit_test(test_er),      cmocka_unit_test(test_ba),
        cmocka_unit_test(test_chain),   cmocka_unit_test(test_networkx),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
