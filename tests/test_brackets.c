// Tests of search/brackets.c: the tables, and the walk through them.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../search/brackets.h"

static BracketPlan plan_of(double low, double high, int eta, BracketTable table)
{
    BracketPlan plan;
    assert_true(brackets_plan(low, high, eta, table, &plan));
    return plan;
}

// The slots of one bracket, as digits of a list that ends with -1.
static void assert_slots(const BracketPlan *plan, int bracket, const int *slots)
{
    int rung = bracket_first(plan, bracket);
    assert_int_equal(bracket_slots(plan, bracket, rung - 1), 0);
    for (; *slots >= 0; slots++, rung++)
        assert_int_equal(bracket_slots(plan, bracket, rung), *slots);
    assert_int_equal(rung, plan->n_rungs);
}

static void test_tables(void **state)
{
    (void)state;
    static const int nago[2][3][4] = {{{4, 2, 1, -1}, {2, 1, -1}, {3, -1}},
                                      {{4, 2, 1, -1}, {3, 1, -1}, {3, -1}}};
    static const int ones[2][5][6] = {
        {{81, 27, 9, 3, 1, -1}, {27, 9, 3, 1, -1}, {9, 3, 1, -1}, {6, 2, -1}, {5, -1}},
        {{81, 27, 9, 3, 1, -1}, {34, 11, 3, 1, -1}, {15, 5, 1, -1}, {8, 2, -1}, {5, -1}}};
    static const int small[2][4][5] = {{{27, 9, 3, 1, -1}, {9, 3, 1, -1}, {6, 2, -1}, {4, -1}},
                                       {{27, 9, 3, 1, -1}, {12, 4, 1, -1}, {6, 2, -1}, {4, -1}}};
    for (int table = 0; table < 2; table++) {
        BracketPlan plan = plan_of(30, 120, 2, (BracketTable)table);
        assert_int_equal(plan.n_rungs, 3);
        for (int b = 0; b < 6; b++)
            assert_slots(&plan, b, nago[table][b % 3]);
        plan = plan_of(9, 729, 3, (BracketTable)table);
        assert_int_equal(plan.n_rungs, 5);
        for (int b = 0; b < 10; b++)
            assert_slots(&plan, b, ones[table][b % 5]);
        plan = plan_of(1, 27, 3, (BracketTable)table);
        for (int b = 0; b < 4; b++)
            assert_slots(&plan, b, small[table][b]);
    }
}

// Where log(max / min) / log(eta) is a hair below a whole number, and 343 * 7^-2 below 7.
static void test_rounding(void **state)
{
    (void)state;
    static const struct {
        double low, high;
        int eta, rungs;
    } cases[] = {{1, 243, 3, 6},   {1, 100, 10, 3}, {1, 1000, 10, 4}, {0.1, 0.9, 3, 3},
                 {1, 343, 7, 4},   {1, 1, 3, 1},    {1, 2.999, 3, 1}, {1.0 / 3, 9, 3, 4},
                 {1, 1024, 2, 11}, {2, 5, 3, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        BracketPlan plan = plan_of(cases[i].low, cases[i].high, cases[i].eta, BRACKETS_HPBANDSTER);
        assert_int_equal(plan.n_rungs, cases[i].rungs);
        assert_float_equal(plan.budgets[plan.n_rungs - 1], cases[i].high, 0);
        assert_true(plan.budgets[0] >= cases[i].low * (1 - 1e-9));
    }
    BracketPlan seven = plan_of(1, 343, 7, BRACKETS_HPBANDSTER);
    assert_slots(&seven, 0, (int[]){343, 49, 7, 1, -1});
    BracketPlan plan;
    assert_false(brackets_plan(1, 1e12, 2, BRACKETS_PAPER, &plan));
}

static void test_cycle(void **state)
{
    (void)state;
    SearchOptions options = search_options_default();
    int trials;
    double budget;
    options.method = METHOD_BOHB;
    options.min_budget = 30;
    options.max_budget = 120;
    options.eta = 2;
    optimizer_cycle(&options, &trials, &budget);
    assert_int_equal(trials, 13);
    assert_float_equal(budget, 960, 0);
    options = search_options_default();
    options.method = METHOD_HYPERBAND;
    options.min_budget = 9;
    options.max_budget = 729;
    optimizer_cycle(&options, &trials, &budget);
    assert_int_equal(trials, 187); // 121 + 40 + 13 + 8 + 5
    assert_float_equal(budget, 15309, 0);
    options.method = METHOD_MOBO;
    optimizer_cycle(&options, &trials, &budget);
    assert_int_equal(trials, 1);
}

// ---- the walk ----------------------------------------------------------------------------------

enum { MOST = 400 };
static const double nowhere[1];

static void run(HistoryTrial *trials, int *n, BracketMove move, const BracketPlan *plan)
{
    trials[*n] = (HistoryTrial){.id = *n,
                                .x = nowhere,
                                .bracket = move.bracket,
                                .rung = move.rung,
                                .budget = plan->budgets[move.rung],
                                .status = TRIAL_RUNNING,
                                .parent = move.parent < 0 ? -1 : trials[move.parent].id};
    ++*n;
}

static void test_serial_walk(void **state)
{
    (void)state;
    BracketPlan plan = plan_of(30, 120, 2, BRACKETS_HPBANDSTER);
    HistoryTrial trials[MOST];
    static const int rungs[] = {0, 0, 0, 0, 1, 1, 2, 1, 1, 2, 2, 2, 2, 0};
    static const double losses[] = {4, 1, 3, 2, 5, 6, 0, 0, 0, 0, 0, 0, 0, 0};
    static const int parents[] = {-1, -1, -1, -1, 1, 3, 4, -1, -1, 7, -1, -1, -1, -1};
    int n = 0;
    for (int i = 0; i < 14; i++) {
        run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
        assert_int_equal(trials[i].rung, rungs[i]);
        assert_int_equal(trials[i].parent, parents[i]);
        trials[i].status = TRIAL_FINISHED;
        trials[i].values[0] = losses[i];
    }
    assert_int_equal(trials[13].bracket, 3);
}

// While a rung runs, nothing of it goes on; the next bracket opens instead.
static void test_running_rungs_wait(void **state)
{
    (void)state;
    BracketPlan plan = plan_of(30, 120, 2, BRACKETS_HPBANDSTER);
    HistoryTrial trials[MOST];
    int n = 0;
    for (int i = 0; i < 9; i++)
        run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
    assert_int_equal(trials[3].bracket, 0);
    assert_int_equal(trials[4].bracket, 1);
    assert_int_equal(trials[6].bracket, 2);
    for (int i = 0; i < 4; i++) {
        trials[i].status = TRIAL_FINISHED;
        trials[i].values[0] = i;
    }
    BracketMove move = brackets_next(&plan, trials, n, 1);
    assert_int_equal(move.bracket, 0);
    assert_int_equal(move.rung, 1);
    assert_int_equal(move.parent, 0);
    assert_int_equal(move.rank, 1);
}

// Crashed trials leave places in the next rung, which fresh points take there.
static void test_failures_are_replaced(void **state)
{
    (void)state;
    BracketPlan plan = plan_of(30, 120, 2, BRACKETS_HPBANDSTER);
    HistoryTrial trials[MOST];
    int n = 0;
    for (int i = 0; i < 4; i++) {
        run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
        trials[i].status = i == 2 ? TRIAL_FINISHED : i == 3 ? TRIAL_INFEASIBLE : TRIAL_FAILED;
    }
    run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
    assert_int_equal(trials[4].parent, 2);
    run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
    assert_int_equal(trials[5].rung, 1);
    assert_int_equal(trials[5].parent, -1);
}

// In any order of finishing every bracket ends with exactly its slots, and each promotion comes
// from one rung below, once.
static void test_any_order(void **state)
{
    (void)state;
    BracketPlan plan = plan_of(1, 27, 3, BRACKETS_PAPER);
    for (uint64_t seed = 0; seed < 20; seed++) {
        HistoryTrial trials[MOST];
        Random random = random_stream(seed, "test", 0, 0);
        int n = 0;
        for (int step = 0; step < 2 * MOST - 20; step++) {
            int running = 0, chosen = -1;
            for (int i = 0; i < n; i++) {
                if (trials[i].status == TRIAL_RUNNING &&
                    random_below(&random, (uint64_t)++running) == 0)
                    chosen = i;
            }
            if (n < MOST && (running == 0 || random_unit(&random) < 0.5)) {
                run(trials, &n, brackets_next(&plan, trials, n, 1), &plan);
            } else if (chosen >= 0) {
                trials[chosen].status = random_below(&random, 10) ? TRIAL_FINISHED : TRIAL_FAILED;
                trials[chosen].values[0] = random_unit(&random);
            }
        }
        for (int i = 0; i < n; i++) {
            const HistoryTrial *trial = &trials[i];
            int count = 0, children = 0;
            for (int j = 0; j < n; j++) {
                count += trials[j].bracket == trial->bracket && trials[j].rung == trial->rung;
                children += trials[j].parent == trial->id;
            }
            assert_true(count <= bracket_slots(&plan, trial->bracket, trial->rung));
            assert_true(children <= 1);
            if (trial->parent >= 0) {
                assert_int_equal(trials[trial->parent].rung, trial->rung - 1);
                assert_int_equal(trials[trial->parent].status, TRIAL_FINISHED);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_cycle),
        cmocka_unit_test(test_serial_walk),
        cmocka_unit_test(test_running_rungs_wait),
        cmocka_unit_test(test_failures_are_replaced),
        cmocka_unit_test(test_any_order),
    };
    return cmocka_run_group_tests_name("brackets", tests, NULL, NULL);
}
