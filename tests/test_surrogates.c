// Tests of search/bnn.c, gp.c, forest.c and surrogate.c on functions with known noise.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../search/bnn.h"
#include "../search/surrogate.h"

enum { D = 8, TEST_POINTS = 200, MOST = 150 };

typedef struct {
    double x[(MOST + TEST_POINTS) * D], y[MOST + TEST_POINTS];
} Toy;

// sin(3 x0) + 0.5 x1^2 - 0.3 x2 in 8 dimensions, with noise of deviation 0.03 + 0.30 x0.
static void toy_draw(Toy *toy, int n, uint64_t seed)
{
    Random random = random_stream(seed, "toy", 0, 0);
    for (int i = 0; i < n + TEST_POINTS; i++) {
        double *x = toy->x + i * D;
        for (int j = 0; j < D; j++)
            x[j] = random_unit(&random);
        toy->y[i] = sin(3 * x[0]) + 0.5 * x[1] * x[1] - 0.3 * x[2] +
                    (0.03 + 0.30 * x[0]) * random_normal(&random);
    }
}

typedef struct {
    double nll, rmse, cover;
} Fit;

static Fit toy_measure(SurrogateKind kind, int n, int n_seeds)
{
    Fit fit = {0};
    Toy toy;
    for (int seed = 0; seed < n_seeds; seed++) {
        Prediction p[TEST_POINTS];
        double squares = 0, share = 1.0 / TEST_POINTS / n_seeds;
        Random random = random_stream((uint64_t)seed, "fit", 0, 0);
        toy_draw(&toy, n, (uint64_t)seed);
        Surrogate *surrogate = surrogate_fit(kind, toy.x, toy.y, n, D, &random);
        surrogate_predict(surrogate, toy.x + n * D, TEST_POINTS, p);
        for (int i = 0; i < TEST_POINTS; i++) {
            double variance = p[i].spread + p[i].noise, error = toy.y[n + i] - p[i].mean;
            fit.nll += share * 0.5 * (log(6.283185307179586 * variance) + error * error / variance);
            fit.cover += share * (fabs(error) < 1.96 * sqrt(variance));
            squares += error * error / TEST_POINTS;
        }
        fit.rmse += sqrt(squares) / n_seeds;
        surrogate_free(surrogate);
    }
    print_message("%-8s %3d points: NLL %.3f, RMSE %.3f, 95 %% intervals cover %.3f\n",
                  surrogate_name[kind], n, fit.nll, fit.rmse, fit.cover);
    return fit;
}

// With one chain and a prior N(0, 1) on every weight the heteroscedastic net had NLL 0.38 and
// -0.06, RMSE .344 and .250; the homoscedastic one 1.07 and 0.77.
static void test_toy(void **state)
{
    (void)state;
    Fit het = toy_measure(SURROGATE_BNN, 50, 10), hom = toy_measure(SURROGATE_BNN_HOM, 50, 10);
    assert_true(het.nll < 0.35 && het.rmse < 0.33);
    assert_true(het.nll < hom.nll);
    assert_true(het.cover >= 0.90 && het.cover <= 0.99);
    assert_true(hom.cover >= 0.85);
    het = toy_measure(SURROGATE_BNN, 150, 10);
    hom = toy_measure(SURROGATE_BNN_HOM, 150, 10);
    assert_true(het.nll < -0.1 && het.rmse < 0.25);
    assert_true(het.nll < hom.nll - 0.05);
    Fit gp = toy_measure(SURROGATE_GP, 150, 4), forest = toy_measure(SURROGATE_FOREST, 150, 4);
    assert_true(gp.nll < 0.3 && gp.cover > 0.9);
    assert_true(forest.nll < 0.8 && forest.rmse < 0.4);
}

// The second output is the noise: it must grow with x0 as the toy's does.
static void test_noise_is_learnt(void **state)
{
    (void)state;
    Toy toy;
    double low = 0, high = 0;
    for (uint64_t seed = 0; seed < 5; seed++) {
        Random random = random_stream(seed, "fit", 0, 0);
        Prediction p[2];
        double x[2 * D];
        for (int j = 0; j < 2 * D; j++)
            x[j] = j == 0 ? 0.1 : j == D ? 0.9 : 0.5;
        toy_draw(&toy, MOST, seed);
        Surrogate *surrogate = surrogate_fit(SURROGATE_BNN, toy.x, toy.y, MOST, D, &random);
        surrogate_predict(surrogate, x, 2, p);
        low += sqrt(p[0].noise) / 5;
        high += sqrt(p[1].noise) / 5;
        surrogate_free(surrogate);
    }
    print_message("noise at x0 = 0.1: %.3f (true 0.06), at 0.9: %.3f (true 0.30)\n", low, high);
    assert_true(high > 1.5 * low);
    assert_true(high > 0.18 && high < 0.45 && low < 0.18);
}

// No rounding, no libm: the same networks on every machine.
static void test_network_is_reproducible(void **state)
{
    (void)state;
    Toy toy;
    Prediction p[2][TEST_POINTS];
    toy_draw(&toy, 50, 1);
    for (int i = 0; i < 2; i++) {
        Random random = random_stream(7, "fit", 0, 0);
        Surrogate *surrogate = surrogate_fit(SURROGATE_BNN, toy.x, toy.y, 50, D, &random);
        surrogate_predict(surrogate, toy.x, TEST_POINTS, p[i]);
        surrogate_free(surrogate);
    }
    assert_memory_equal(p[0], p[1], sizeof p[0]);
}

static void test_time(void **state)
{
    (void)state;
    Toy toy;
    double least = INFINITY, y[100];
    toy_draw(&toy, 100, 1);
    memcpy(y, toy.y, sizeof y);
    BnnSettings settings = bnn_settings_default();
    for (int i = 0; i < 5; i++) {
        Random random = random_stream(1, "fit", 0, 0);
        clock_t start = clock();
        bnn_free(bnn_fit(&settings, toy.x, y, 100, D, &random));
        least = fmin(least, (double)(clock() - start) / CLOCKS_PER_SEC);
    }
    print_message("a fit of 100 points: %.1f ms of processor time\n", 1e3 * least);
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && defined(__x86_64__)
    assert_true(least < 0.1);
#endif
}

// Few points, constant values, repeated points, one input: predictions stay finite.
static void test_degenerate_data(void **state)
{
    (void)state;
    for (int kind = 0; kind < SURROGATE_COUNT; kind++) {
        for (int n = 1; n <= 25; n += 8) {
            for (int what = 0; what < 4; what++) {
                double x[25], y[25], out[3];
                Random random = random_stream((uint64_t)n, "test", 0, 0);
                for (int i = 0; i < n; i++) {
                    x[i] = what == 1 ? 0.5 : random_unit(&random);
                    y[i] = what == 0 ? 3 : what == 2 ? 1e9 * x[i] : what == 3 ? -1e-9 * x[i] : i;
                }
                Surrogate *surrogate = surrogate_fit((SurrogateKind)kind, x, y, n, 1, &random);
                Prediction p[3];
                surrogate_predict(surrogate, (double[]){0, 0.5, 1}, 3, p);
                surrogate_sample(surrogate, 5, (double[]){0, 0.5, 1}, 3, out);
                for (int i = 0; i < 3; i++) {
                    assert_true(isfinite(p[i].mean) && isfinite(out[i]));
                    assert_true(p[i].spread >= 0 && p[i].noise >= 0);
                    assert_true(isfinite(p[i].spread) && isfinite(p[i].noise));
                }
                surrogate_free(surrogate);
            }
        }
    }
}

// A process interpolates a smooth function, and its samples agree with it at the data.
static void test_process_interpolates(void **state)
{
    (void)state;
    enum { N = 40 };
    double x[N * 2], y[N], sample[N];
    Random random = random_stream(1, "test", 0, 0);
    for (int i = 0; i < N; i++) {
        x[2 * i] = random_unit(&random);
        x[2 * i + 1] = random_unit(&random);
        y[i] = 100 + 20 * sin(6 * x[2 * i]) * x[2 * i + 1];
    }
    Surrogate *surrogate = surrogate_fit(SURROGATE_GP, x, y, N, 2, &random);
    Prediction p[N], far;
    surrogate_predict(surrogate, x, N, p);
    surrogate_sample(surrogate, 3, x, N, sample);
    for (int i = 0; i < N; i++) {
        assert_float_equal(p[i].mean, y[i], 0.2);
        assert_float_equal(sample[i], y[i], 0.5);
    }
    surrogate_predict(surrogate, (double[]){0.5, 0.5}, 1, &far);
    assert_float_equal(far.mean, 100 + 20 * sin(3) * 0.5, 0.5);
    surrogate_free(surrogate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_toy),
        cmocka_unit_test(test_noise_is_learnt),
        cmocka_unit_test(test_network_is_reproducible),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_degenerate_data),
        cmocka_unit_test(test_process_interpolates),
    };
    return cmocka_run_group_tests_name("surrogates", tests, NULL, NULL);
}
