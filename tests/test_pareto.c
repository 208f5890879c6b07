// Tests of search/pareto.c and search/hypervolume.c, against pagmo's volumes and Monte Carlo.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../search/pareto.h"

// Volumes below (1, ..., 1) of uniform points, as pagmo 2.18 gives them (tests/pagmo_volumes.cpp).
static const struct {
    int k, n;
    double volume;
} sets[] = {{2, 1, 0.29401319324772562}, {2, 7, 0.47798512480980093},  {2, 60, 0.88949167557722175},
            {3, 5, 0.64909073200090872}, {3, 60, 0.74627881953193165}, {3, 200, 0.9501879017522129},
            {4, 4, 0.30828740872209059}, {4, 40, 0.57712433144654907}, {5, 30, 0.49423028422828003},
            {6, 20, 0.10448586900079604}};
static const double ones[MAX_OBJECTIVES] = {1, 1, 1, 1, 1, 1, 1, 1};

static double *set_draw(int k, int n)
{
    Random random = random_stream(1, "volume", (uint64_t)k, (uint64_t)n);
    double *points = xmalloc((size_t)(n * k) * sizeof *points);
    for (int i = 0; i < n * k; i++)
        points[i] = random_unit(&random);
    return points;
}

static void test_volumes_of_pagmo(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT_OF(sets); s++) {
        double *points = set_draw(sets[s].k, sets[s].n);
        double volume = hypervolume(points, sets[s].n, sets[s].k, ones);
        assert_float_equal(volume, sets[s].volume, 1e-9);
        free(points);
    }
}

static void test_pagmo_again(void **state)
{
    (void)state;
    const char *build = getenv("BUILD");
    char command[1024];
    if (!getenv("NAGO_LONG")) {
        print_message("skipped: pagmo's program is built in the long tier\n");
        return;
    }
    snprintf(command, sizeof command,
             "g++ -O1 tests/pagmo_volumes.cpp -lpagmo -ltbb -o %s/tmp/pagmo_volumes 2>/dev/null",
             build ? build : "build");
    if (system(command) != 0) {
        print_message("skipped: libpagmo-dev is not here\n");
        return;
    }
    for (size_t s = 0; s < COUNT_OF(sets); s++) {
        char path[256], line[64] = "";
        double *points = set_draw(sets[s].k, sets[s].n);
        snprintf(path, sizeof path, "%s/tmp/pagmo_volumes.txt", build ? build : "build");
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "%d %d\n", sets[s].k, sets[s].n);
        for (int i = 0; i < sets[s].n * sets[s].k; i++)
            fprintf(file, "%.17g\n", points[i]);
        fclose(file);
        snprintf(command, sizeof command, "%s/tmp/pagmo_volumes < %s > %s.out",
                 build ? build : "build", path, path);
        assert_int_equal(system(command), 0);
        strcat(path, ".out");
        file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(line, sizeof line, file));
        fclose(file);
        assert_float_equal(hypervolume(points, sets[s].n, sets[s].k, ones), atof(line), 1e-9);
        free(points);
    }
}

// What must hold for any set: dominated and repeated points add nothing, order does not matter,
// another point never takes volume away, shares are what is lost without a point.
static void test_volume_properties(void **state)
{
    (void)state;
    for (int k = 1; k <= 5; k++) {
        enum { N = 24 };
        double points[(2 * N + 1) * 5], shares[N], shuffled[N * 5];
        Random random = random_stream(2, "test", (uint64_t)k, 0);
        for (int i = 0; i < N * k; i++)
            points[i] = floor(8 * random_unit(&random)) / 8; // with ties
        double volume = hypervolume(points, N, k, ones);
        double before = 0;
        for (int n = 1; n <= N; n++) {
            double now = hypervolume(points, n, k, ones);
            assert_true(now >= before - 1e-12);
            before = now;
        }
        uint32_t order[N];
        for (uint32_t i = 0; i < N; i++)
            order[i] = i;
        random_shuffle(&random, order, N);
        for (int i = 0; i < N; i++)
            memcpy(shuffled + i * k, points + (int)order[i] * k, (size_t)k * sizeof *points);
        assert_float_equal(hypervolume(shuffled, N, k, ones), volume, 1e-12);
        memcpy(points + N * k, points, N * (size_t)k * sizeof *points);
        for (int i = 0; i < k; i++)
            points[2 * N * k + i] = 2; // beyond the reference
        assert_float_equal(hypervolume(points, 2 * N + 1, k, ones), volume, 1e-12);
        hypervolume_shares(points, N, k, ones, shares);
        for (int i = 0; i < N; i++)
            assert_true(shares[i] >= 0 && shares[i] <= volume);
    }
}

static void test_stairs(void **state)
{
    (void)state;
    Random random = random_stream(4, "test", 0, 0);
    for (int run = 0; run < 200; run++) {
        double points[21 * 2], stairs[20 * 2];
        int n = (int)random_below(&random, 21);
        for (int i = 0; i < 2 * (n + 1); i++)
            points[i] = floor(10 * random_unit(&random)) / 8;
        memcpy(stairs, points, sizeof stairs);
        int kept = stairs_make(stairs, n, ones);
        double gain = stairs_gain(stairs, kept, ones, points + 2 * n);
        double expected = hypervolume(points, n + 1, 2, ones) - hypervolume(points, n, 2, ones);
        assert_float_equal(gain, expected, 1e-12);
    }
}

static void test_gain(void **state)
{
    (void)state;
    Random random = random_stream(5, "test", 0, 0);
    for (int run = 0; run < 300; run++) {
        double points[16 * 5], front[15 * 5];
        int k = 1 + run % 5, n = (int)random_below(&random, 16);
        for (int i = 0; i < k * (n + 1); i++)
            points[i] = floor(10 * random_unit(&random)) / 8;
        memcpy(front, points, sizeof front);
        int kept = front_keep(front, n, k);
        double gain = hypervolume_gain(front, kept, k, ones, points + k * n);
        double expected = hypervolume(points, n + 1, k, ones) - hypervolume(points, n, k, ones);
        assert_float_equal(gain, expected, 1e-12);
        assert_float_equal(hypervolume_gain(points, n, k, ones, points + k * n), expected, 1e-12);
    }
}

static void test_ranks(void **state)
{
    (void)state;
    const double values[] = {1, 5, 2, 3, 4, 1, 3, 4, 5, 5, 2, 3};
    const int expected[] = {0, 0, 0, 1, 2, 0};
    int rank[6];
    pareto_ranks(values, 6, 2, rank);
    assert_memory_equal(rank, expected, sizeof rank);
    assert_true(pareto_dominates(values + 2, values + 6, 2));
    assert_false(pareto_dominates(values + 2, values + 10, 2));
}

static void test_order_of_a_rung(void **state)
{
    (void)state;
    const double values[][2] = {{1, 5}, {1.1, 4.9}, {3, 3}, {5, 1}, {6, 6}};
    HistoryTrial trials[5] = {0};
    int rows[5] = {4, 3, 2, 1, 0};
    for (int i = 0; i < 5; i++) {
        trials[i].id = i;
        memcpy(trials[i].values, values[i], sizeof values[i]);
    }
    pareto_order(trials, rows, 5, 2, 3); // the crowded pair loses one of its two
    assert_int_equal(rows[4], 4);
    assert_int_equal(rows[3], 0);
    const int by_value[] = {0, 1, 2, 3, 4};
    pareto_order(trials, rows, 5, 1, 3);
    assert_memory_equal(rows, by_value, sizeof rows);
}

static void test_reference_point(void **state)
{
    (void)state;
    const double values[] = {1, 5, 3, 1, 9, 9}, single[] = {2, 0};
    double reference[2];
    reference_point_infer(values, 3, 2, reference);
    assert_float_equal(reference[0], 3.2, 1e-12);
    assert_float_equal(reference[1], 5.4, 1e-12);
    reference_point_infer(single, 1, 2, reference);
    assert_float_equal(reference[0], 2.2, 1e-12);
    assert_float_equal(reference[1], 0.1, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_volumes_of_pagmo),
        cmocka_unit_test(test_pagmo_again),
        cmocka_unit_test(test_volume_properties),
        cmocka_unit_test(test_stairs),
        cmocka_unit_test(test_gain),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_order_of_a_rung),
        cmocka_unit_test(test_reference_point),
    };
    return cmocka_run_group_tests_name("pareto", tests, NULL, NULL);
}
