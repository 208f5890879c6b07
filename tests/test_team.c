// Tests of runtime/team.c and runtime/memory.c.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../runtime/memory.h"
#include "../runtime/team.h"

enum { MAX_THREADS = 8, ROUNDS = 2000 };

// ---- team --------------------------------------------------------------------------------------

typedef struct {
    Team *team;
    atomic_int runs[MAX_THREADS];
    int parts;
    long cells[MAX_THREADS]; // one a part, not atomic: only the barrier orders them
    int wrong[MAX_THREADS];
} Relay;

static void count_parts(void *argument, int part, int parts)
{
    Relay *relay = argument;
    atomic_fetch_add(&relay->runs[part], 1);
    if (part == 0)
        relay->parts = parts;
}

static void test_every_part_runs_once(void **state)
{
    (void)state;
    Err err = {0};
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        Relay relay = {0};
        Team *team = team_open(threads, &err);
        assert_non_null(team);
        assert_int_equal(team_size(team), threads);
        for (int run = 1; run <= 50; run++) {
            team_run(team, count_parts, &relay);
            assert_int_equal(relay.parts, threads);
            for (int part = 0; part < MAX_THREADS; part++)
                assert_int_equal(relay.runs[part], part < threads ? run : 0);
        }
        team_close(team);
    }
}

// Each round every part adds its left neighbour's cell of the last round: an order that only holds
// when nobody leaves a barrier early.
static void relay_round(void *argument, int part, int parts)
{
    Relay *relay = argument;
    for (int round = 1; round <= ROUNDS; round++) {
        long left = relay->cells[(part + parts - 1) % parts];
        relay->wrong[part] += left != round - 1;
        team_barrier(relay->team);
        relay->cells[part] = round;
        team_barrier(relay->team);
    }
}

static void test_barrier_orders_memory(void **state)
{
    (void)state;
    Err err = {0};
    for (int threads = 1; threads <= MAX_THREADS; threads++) {
        Relay relay = {0};
        relay.team = team_open(threads, &err);
        assert_non_null(relay.team);
        team_run(relay.team, relay_round, &relay);
        for (int part = 0; part < threads; part++) {
            assert_int_equal(relay.wrong[part], 0);
            assert_int_equal(relay.cells[part], ROUNDS);
        }
        team_close(relay.team);
    }
}

// Parts that sleep behind a slow one are woken: the barrier's futex path.
static void slow_first(void *argument, int part, int parts)
{
    Relay *relay = argument;
    volatile double work = 1;
    for (int i = 0; part == 0 && i < 20000000; i++)
        work = work * 1.0000001;
    relay->cells[part] = 1;
    team_barrier(relay->team);
    for (int i = 0; i < parts; i++)
        relay->wrong[part] += relay->cells[i] != 1;
}

static void test_sleepers_are_woken(void **state)
{
    (void)state;
    Err err = {0};
    Relay relay = {0};
    relay.team = team_open(4, &err);
    assert_non_null(relay.team);
    team_run(relay.team, slow_first, &relay);
    for (int part = 0; part < 4; part++)
        assert_int_equal(relay.wrong[part], 0);
    team_close(relay.team);
}

typedef struct {
    double product[MAX_THREADS];
} Tiny;

static void multiply_tiny(void *argument, int part, int parts)
{
    (void)parts;
    Tiny *tiny = argument;
    volatile float small = 1e-38f, factor = 1e-3f;
    tiny->product[part] = (double)(small * factor);
}

static void test_denormals_are_flushed_in_every_thread(void **state)
{
    (void)state;
#if defined(__SSE2__) || defined(__aarch64__)
    Err err = {0};
    Tiny tiny;
    memset(&tiny, 0xff, sizeof tiny);
    Team *team = team_open(3, &err);
    assert_non_null(team);
    team_run(team, multiply_tiny, &tiny);
    for (int part = 0; part < 3; part++)
        assert_true(tiny.product[part] == 0);
    team_close(team);
    multiply_tiny(&tiny, 0, 1); // the caller's own mode is back
    assert_true(tiny.product[0] > 0);
#else
    print_message("skipped: no flush mode known for this processor\n");
#endif
}

static void test_processors(void **state)
{
    (void)state;
    assert_true(team_processors() >= 1);
    team_close(NULL);
}

// ---- memory ------------------------------------------------------------------------------------

static void test_memory_grows_and_stays(void **state)
{
    (void)state;
    Err err = {0};
    Memory memory = {0};
    assert_true(memory_reserve(&memory, memory_round(1000) + memory_round(5000), &err));
    char *first = memory_take(&memory, 1000), *second = memory_take(&memory, 5000);
    assert_int_equal((uintptr_t)first % MEMORY_ALIGN, 0);
    assert_int_equal((uintptr_t)second % MEMORY_ALIGN, 0);
    assert_true(second >= first + 1000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(second[i], 0);
    second[4999] = 1;

    const char *base = memory.base;
    assert_true(memory_reserve(&memory, memory_round(4000), &err)); // smaller: the same place
    assert_ptr_equal(memory.base, base);
    assert_ptr_equal(memory_take(&memory, 4000), base);

    size_t large = (size_t)64 << 20;
    assert_true(memory_reserve(&memory, large, &err));
    char *whole = memory_take(&memory, large);
    whole[0] = whole[large - 1] = 1;
    memory_release(&memory);
    assert_null(memory.base);
    memory_release(&memory);
}

static void test_memory_says_how_much_was_wanted(void **state)
{
    (void)state;
    Err err = {0};
    Memory memory = {0};
    assert_false(memory_reserve(&memory, (size_t)1 << 60, &err));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    assert_non_null(strstr(err.message, "1152921504606.8 MB"));
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_part_runs_once),
        cmocka_unit_test(test_barrier_orders_memory),
        cmocka_unit_test(test_sleepers_are_woken),
        cmocka_unit_test(test_denormals_are_flushed_in_every_thread),
        cmocka_unit_test(test_processors),
        cmocka_unit_test(test_memory_grows_and_stays),
        cmocka_unit_test(test_memory_says_how_much_was_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
