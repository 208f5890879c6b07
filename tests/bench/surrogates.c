// surrogates.c - how well the surrogates predict a function with noise that varies.
//
//   surrogates [SEEDS]
//
// Prints a line of JSON for each surrogate and number of points: mean negative log likelihood, root
// mean square error and cover of the 95 % intervals over 200 test points, averaged over the seeds
// (5).  The function: sin(3 x0) + 0.5 x1^2 - 0.3 x2 in 8 dimensions, noise of deviation 0.03 + 0.3
// x0.
#include "../../search/surrogate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { D = 8, TEST_POINTS = 200, MOST = 150 };

typedef struct {
    double nll, rmse, cover;
} Quality;

static void toy_draw(Random *random, int n, double *x, double *y)
{
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < D; j++)
            x[i * D + j] = random_unit(random);
        const double *at = x + i * D;
        y[i] = sin(3 * at[0]) + 0.5 * at[1] * at[1] - 0.3 * at[2] +
               (0.03 + 0.30 * at[0]) * random_normal(random);
    }
}

static Quality measure(SurrogateKind kind, int n, uint64_t seed)
{
    static double x[(MOST + TEST_POINTS) * D], y[MOST + TEST_POINTS];
    Prediction p[TEST_POINTS];
    Quality quality = {0};
    Random data = random_stream(seed, "toy", 0, 0), fit = random_stream(seed, "fit", 0, 0);
    toy_draw(&data, n + TEST_POINTS, x, y);
    Surrogate *surrogate = surrogate_fit(kind, x, y, n, D, &fit);
    surrogate_predict(surrogate, x + n * D, TEST_POINTS, p);
    for (int i = 0; i < TEST_POINTS; i++) {
        double variance = p[i].spread + p[i].noise, error = y[n + i] - p[i].mean;
        quality.nll +=
            0.5 * (log(6.283185307179586 * variance) + error * error / variance) / TEST_POINTS;
        quality.rmse += error * error / TEST_POINTS;
        quality.cover += (fabs(error) < 1.96 * sqrt(variance)) / (double)TEST_POINTS;
    }
    quality.rmse = sqrt(quality.rmse);
    surrogate_free(surrogate);
    return quality;
}

int main(int argc, char **argv)
{
    int seeds = argc > 1 ? atoi(argv[1]) : 5;
    for (int n = 50; n <= MOST; n += 100) {
        for (int kind = 0; kind < SURROGATE_COUNT; kind++) {
            Quality sum = {0};
            for (int seed = 0; seed < seeds; seed++) {
                Quality one = measure((SurrogateKind)kind, n, (uint64_t)seed);
                sum.nll += one.nll / seeds;
                sum.rmse += one.rmse / seeds;
                sum.cover += one.cover / seeds;
            }
            printf("{\"surrogate\": \"%s\", \"points\": %d, \"nll\": %.4f, \"rmse\": %.4f, "
                   "\"cover\": %.4f}\n",
                   surrogate_name[kind], n, sum.nll, sum.rmse, sum.cover);
            fflush(stdout);
        }
    }
    return 0;
}
