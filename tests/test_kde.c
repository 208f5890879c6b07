// Tests of search/normal.c and search/kde.c, against statsmodels' KDEMultivariate (0.13.5).
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../search/kde.h"
#include "../search/normal.h"

static Space *space_of(const char *text)
{
    Err err = {0};
    Space *space;
    if (!space_parse("space.json", text, strlen(text), &space, &err))
        fail_msg("%s", err.message);
    return space;
}

static void test_normal(void **state)
{
    (void)state;
    assert_float_equal(normal_below(1.959963984540054), 0.975, 1e-15);
    assert_float_equal(normal_quantile(0.975), 1.959963984540054, 1e-13);
    assert_float_equal(normal_quantile(1e-10), -6.361340902404056, 1e-11);
    assert_true(isinf(normal_quantile(0)) && isinf(normal_quantile(1)));
    for (double z = -7; z < 7; z += 0.01)
        assert_float_equal(normal_quantile(normal_below(z)), z, z > 5 ? 1e-4 : 1e-9);
}

static void test_continuous(void **state)
{
    (void)state;
    Space *space = space_of("{\"x\": {\"type\": \"float\", \"range\": [0, 1]},"
                            " \"y\": {\"type\": \"float\", \"range\": [0, 1]}}");
    const double points[] = {.10, .20, .30, .25, .35, .80, .90, .40, .55, .60};
    Random random = random_stream(1, "test", 0, 0);
    Kde kde;
    kde_fit(&kde, space, points, 5, 1e-3, &random);
    assert_float_equal(kde.bandwidth[0], 0.21961342976701068, 1e-15);
    assert_float_equal(kde.bandwidth[1], 0.1812574503477299, 1e-15);
    assert_float_equal(kde_density(&kde, (double[]){.5, .5}), 1.2036374361580553, 1e-12);
    assert_float_equal(kde_density(&kde, (double[]){0, 1}), 0.1253230322056112, 1e-12);
    kde_free(&kde);
    space_close(space);
}

static void test_choices(void **state)
{
    (void)state;
    Space *space = space_of("{\"x\": {\"type\": \"float\", \"range\": [0, 1]},"
                            " \"y\": {\"type\": \"categorical\", \"choices\": [0, 1, 2]}}");
    const double x[] = {.10, .30, .35, .90, .55, .6, .2, .8};
    const int choice[] = {0, 0, 0, 0, 1, 0, 2, 0};
    double points[16], mass = 0;
    for (int i = 0; i < 8; i++) {
        points[2 * i] = x[i];
        points[2 * i + 1] = (choice[i] + 0.5) / 3;
    }
    Random random = random_stream(1, "test", 0, 0);
    Kde kde;
    kde_fit(&kde, space, points, 8, 1e-3, &random);
    assert_float_equal(kde.bandwidth[1], 0.5216530216532825, 1e-14);
    assert_float_equal(kde_density(&kde, (double[]){.5, .5 / 3}), 0.422776458931951, 1e-12);
    assert_float_equal(kde_density(&kde, (double[]){.5, 2.5 / 3}), 0.28640064047852426, 1e-12);
    assert_float_equal(kde_density(&kde, (double[]){.9, 1.5 / 3}), 0.171699303612308, 1e-12);
    for (int i = -300; i < 400; i++) {
        for (int c = 0; c < 3; c++)
            mass += kde_density(&kde, (double[]){0.01 * i, (c + 0.5) / 3}) * 0.01;
    }
    assert_float_equal(mass, 1, 1e-6);
    for (int i = 0; i < 8; i++)
        points[2 * i + 1] = 0.5; // one choice seen: the others stay possible
    kde_free(&kde);
    kde_fit(&kde, space, points, 8, 1e-3, &random);
    assert_true(kde_density(&kde, (double[]){.5, .5 / 3}) > 0);
    kde_free(&kde);
    space_close(space);
}

// Inactive coordinates borrow the values of points that have them; draws stay inside the cube.
static void test_conditional_draws(void **state)
{
    (void)state;
    Space *space =
        space_of("{\"op\": {\"type\": \"categorical\", \"choices\": [0, 1]},"
                 " \"z\": {\"type\": \"float\", \"range\": [0, 1], \"when\": {\"op\": 1}}}");
    enum { N = 40 };
    double points[2 * N];
    Random random = random_stream(1, "test", 0, 0);
    for (int i = 0; i < N; i++) {
        points[2 * i] = i % 2 ? 0.75 : 0.25;
        points[2 * i + 1] = i % 2 ? 0.9 : SPACE_INACTIVE;
    }
    Kde kde;
    kde_fit(&kde, space, points, N, 1e-3, &random);
    for (int i = 0; i < N; i++)
        assert_float_equal(kde.points[2 * i + 1], 0.9, 0);
    assert_float_equal(kde.bandwidth[1], 1e-3, 0);
    for (int i = 0; i < 1000; i++) {
        double x[2];
        kde_draw(&kde, 3, &random, x);
        assert_true(x[0] == 0.25 || x[0] == 0.75);
        assert_true(fabs(x[1] - 0.9) < 0.02);
    }
    kde_free(&kde);
    space_close(space);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_continuous),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_conditional_draws),
    };
    return cmocka_run_group_tests_name("kde", tests, NULL, NULL);
}
