// Tests of search/influence.c: Sobol' indices against those of a function worked out by hand.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../search/influence.h"

enum { MOST = 400 };

static const char space_text[] =
    "{\"x\": {\"type\": \"float\", \"range\": [0, 1]}, \"y\": {\"type\": \"float\", \"range\": [0, "
    "1]},"
    " \"z\": {\"type\": \"float\", \"range\": [0, 1]}, \"k\": {\"type\": \"int\", \"range\": [1, "
    "4]},"
    " \"op\": {\"type\": \"categorical\", \"choices\": [\"a\", \"b\"]}}";

typedef struct {
    Space *space;
    StudyPlan plan;
    StudyTrial trials[MOST];
    double x[MOST][SPACE_MAX_COORDS];
} Made;

// 3 x - 0.3 k + 2 y [op = a] + noise; every other trial at the smaller budget, where all is 1
// worse.
static double value_of(const Space *space, const double *x, double budget, double noise)
{
    double y = space_value(space, x, 1), is_a = space_value(space, x, 4) == 0;
    return 3 * space_value(space, x, 0) - 0.3 * space_value(space, x, 3) + 2 * y * is_a +
           (budget < 4) + noise;
}

static Made *made_open(int n, double noise)
{
    Made *made = xcalloc(1, sizeof *made);
    Err err = {0};
    Random random = random_stream(3, "test", 0, 0);
    assert_true(space_parse("space", space_text, strlen(space_text), &made->space, &err));
    made->plan = (StudyPlan){.space = made->space, .search = search_options_default()};
    made->plan.search.max_budget = 4;
    made->plan.search.n_objectives = 1;
    for (int i = 0; i < n; i++) {
        double budget = i % 2 ? 1 : 4;
        space_draw(made->space, &random, made->x[i]);
        made->trials[i] = (StudyTrial){
            .id = i,
            .state = STUDY_FINISHED,
            .budget = budget,
            .n_x = made->space->n_coords,
            .x = made->x[i],
            .n_values = 1,
            .values = {value_of(made->space, made->x[i], budget, noise * random_normal(&random))}};
    }
    return made;
}

static void made_close(Made *made)
{
    space_close(made->space);
    free(made);
}

static void expect(double got, double wanted, double tolerance)
{
    if (fabs(got - wanted) > tolerance)
        fail_msg("%g, expected %g +- %g", got, wanted, tolerance);
}

// Variances: x 9/12; k 0.09 * 15/12; op 1/4; y 1/12; op with y 1/12.
static void check_indices(int n, double noise, double tolerance)
{
    Made *made = made_open(n, noise);
    StudyModel model;
    Influence out[5];
    const double whole = 0.75 + 0.1125 + 0.25 + 1.0 / 12 + 1.0 / 12;
    assert_true(study_model_open(&model, &made->plan, made->trials, n, 0));
    assert_int_equal(model.n_trials, n);
    assert_true(model.r2 > 0.8 && model.r2 <= 1);
    influences_make(&model, made->trials, n, 4, out);
    const double alone[] = {0.75, 1.0 / 12, 0, 0.1125, 0.25};
    const double altogether[] = {0.75, 2.0 / 12, 0, 0.1125, 0.25 + 1.0 / 12};
    for (int i = 0; i < 5; i++) {
        expect(out[i].alone, alone[i] / whole, tolerance);
        expect(out[i].altogether, altogether[i] / whole, tolerance);
    }
    assert_true(out[0].trend > 0.5 && out[3].trend < 0 && out[4].trend == 0);
    study_model_close(&model);
    made_close(made);
}

static void test_process(void **state)
{
    (void)state;
    check_indices(80, 0.05, 0.06);
}

static void test_forest(void **state)
{
    (void)state;
    check_indices(MOST, 0.05, 0.12);
}

// A model of noise says so.
static void test_noise(void **state)
{
    (void)state;
    Made *made = made_open(60, 0);
    StudyModel model;
    Random random = random_stream(4, "test", 0, 0);
    for (int i = 0; i < 60; i++)
        made->trials[i].values[0] = random_normal(&random);
    assert_true(study_model_open(&model, &made->plan, made->trials, 60, 0));
    assert_true(model.r2 < 0.3);
    study_model_close(&model);
    made_close(made);
}

// Predictions see the budget; trials without values and too few trials are no model.
static void test_predictions(void **state)
{
    (void)state;
    Made *made = made_open(80, 0.01);
    StudyModel model;
    assert_true(study_model_open(&model, &made->plan, made->trials, 80, 0));
    const double *x = made->x[7];
    double wanted = value_of(made->space, x, 4, 0);
    expect(study_model_predict(&model, x, 4).mean, wanted, 0.3);
    expect(study_model_predict(&model, x, 1).mean, wanted + 1, 0.3);
    study_model_close(&model);
    for (int i = 0; i < 80; i++)
        if (i % 20)
            made->trials[i].state = STUDY_FAILED;
    assert_false(study_model_open(&model, &made->plan, made->trials, 80, 0));
    assert_int_equal(model.n_trials, 4);
    made_close(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_forest),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_predictions),
    };
    return cmocka_run_group_tests_name("influence", tests, NULL, NULL);
}
