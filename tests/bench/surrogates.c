// surrogates.c - how well the surrogates predict functions with noise that varies.
//
//   surrogates [SEEDS]
//   surrogates FILE.csv SPLITS
//
// Prints a line of JSON for each surrogate (and number of points): negative log likelihood, root
// mean square error and cover of the 95 % intervals.  Without a file, means over the seeds (5) of
// 200 test points of  sin(3 x0) + 0.5 x1^2 - 0.3 x2  in 8 dimensions, with noise of deviation
// 0.03 + 0.3 x0.  With one (columns: method, trial, budget, x0 .. x7, error, ...), medians over
// random splits of its rows, a third to fit and the rest to test, as in table 1 of Ru et al. 2020;
// the logarithm of the budget is one more input, as in mobohb.
#include "../../search/surrogate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 8, TEST_POINTS = 200, MOST = 150, MOST_ROWS = 1000, MOST_SPLITS = 100 };

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

// Of a surrogate fitted to the first n of the points, on the m behind them.
static Quality measure(SurrogateKind kind, const double *x, const double *y, int d, int n, int m,
                       Random *random)
{
    Prediction *p = xmalloc((size_t)m * sizeof *p);
    Quality quality = {0};
    Surrogate *surrogate = surrogate_fit(kind, x, y, n, d, random);
    surrogate_predict(surrogate, x + n * d, m, p);
    for (int i = 0; i < m; i++) {
        double variance = p[i].spread + p[i].noise, error = p[i].mean - y[n + i];
        quality.nll += 0.5 * (log(6.283185307179586 * variance) + error * error / variance) / m;
        quality.rmse += error * error / m;
        quality.cover += (fabs(error) < 1.96 * sqrt(variance)) / (double)m;
    }
    quality.rmse = sqrt(quality.rmse);
    surrogate_free(surrogate);
    free(p);
    return quality;
}

static void quality_print(SurrogateKind kind, int points, Quality quality)
{
    printf("{\"surrogate\": \"%s\", \"points\": %d, \"nll\": %.4f, \"rmse\": %.4f, "
           "\"cover\": %.4f}\n",
           surrogate_name[kind], points, quality.nll, quality.rmse, quality.cover);
    fflush(stdout);
}

// ---- the function ------------------------------------------------------------------------------

static void toy_measure(SurrogateKind kind, int n, int seeds)
{
    static double x[(MOST + TEST_POINTS) * D], y[MOST + TEST_POINTS];
    Quality sum = {0};
    for (int seed = 0; seed < seeds; seed++) {
        Random data = random_stream((uint64_t)seed, "toy", 0, 0);
        Random fit = random_stream((uint64_t)seed, "fit", 0, 0);
        toy_draw(&data, n + TEST_POINTS, x, y);
        Quality one = measure(kind, x, y, D, n, TEST_POINTS, &fit);
        sum.nll += one.nll / seeds;
        sum.rmse += one.rmse / seeds;
        sum.cover += one.cover / seeds;
    }
    quality_print(kind, n, sum);
}

// ---- results of a search -----------------------------------------------------------------------

enum { INPUTS = D + 1 };

typedef struct {
    int count;
    double x[MOST_ROWS][INPUTS], y[MOST_ROWS];
} Rows;

static bool rows_read(const char *path, Rows *rows)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    while (file && rows->count < MOST_ROWS && fgets(line, sizeof line, file)) {
        double numbers[D + 3]; // trial, budget, x0 .. x7, error
        const char *at = strchr(line, ',');
        int n = 0;
        for (char *end; at && n < D + 3; n++, at = *end == ',' ? end : NULL) {
            numbers[n] = strtod(at + 1, &end);
            if (end == at + 1)
                break;
        }
        if (n < D + 3)
            continue; // the names of the columns
        memcpy(rows->x[rows->count], numbers + 2, D * sizeof *numbers);
        rows->x[rows->count][D] = log(numbers[1]);
        rows->y[rows->count++] = numbers[D + 2];
    }
    if (file)
        fclose(file);
    return rows->count > 2;
}

static Quality split_measure(SurrogateKind kind, const Rows *rows, int split)
{
    static double x[MOST_ROWS * INPUTS], y[MOST_ROWS];
    static uint32_t order[MOST_ROWS];
    Random draw = random_stream((uint64_t)split, "split", 0, 0);
    Random fit = random_stream((uint64_t)split, "fit", 0, 0);
    for (int i = 0; i < rows->count; i++)
        order[i] = (uint32_t)i;
    random_shuffle(&draw, order, (size_t)rows->count);
    for (int i = 0; i < rows->count; i++) {
        memcpy(x + i * INPUTS, rows->x[order[i]], sizeof rows->x[0]);
        y[i] = rows->y[order[i]];
    }
    int n = rows->count / 3;
    return measure(kind, x, y, INPUTS, n, rows->count - n, &fit);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return 0.5 * (values[(count - 1) / 2] + values[count / 2]);
}

static void rows_measure(SurrogateKind kind, const Rows *rows, int splits)
{
    double nll[MOST_SPLITS], rmse[MOST_SPLITS], cover[MOST_SPLITS];
    for (int i = 0; i < splits; i++) {
        Quality one = split_measure(kind, rows, i);
        nll[i] = one.nll;
        rmse[i] = one.rmse;
        cover[i] = one.cover;
    }
    quality_print(kind, rows->count / 3,
                  (Quality){median(nll, splits), median(rmse, splits), median(cover, splits)});
}

int main(int argc, char **argv)
{
    static Rows rows;
    int count = argc > 1 ? atoi(argv[argc - 1]) : 5;
    if (argc > 3 || count < 1 || count > MOST_SPLITS || (argc > 2 && !rows_read(argv[1], &rows))) {
        fprintf(stderr, "usage: surrogates [SEEDS]   surrogates FILE.csv SPLITS\n");
        return 2;
    }
    for (int kind = 0; argc > 2 && kind < SURROGATE_COUNT; kind++)
        rows_measure((SurrogateKind)kind, &rows, count);
    for (int n = 50; argc <= 2 && n <= MOST; n += 100)
        for (int kind = 0; kind < SURROGATE_COUNT; kind++)
            toy_measure((SurrogateKind)kind, n, count);
    return 0;
}
