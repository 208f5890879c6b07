// nsga2.c - the genetic algorithm behind the multi-objective searches.
//
// In: a function of several values.  Out: points near its Pareto front.  Parents win a binary
// tournament by dominance; children come from simulated binary crossover (eta 15, each coordinate
// with probability 1/2) and polynomial mutation (eta 20, one coordinate in n on average), both in
// their bounded forms.  A choice is exchanged or drawn anew instead.  Survivors are the first
// fronts, the last of them by crowding distance. Sources: Deb et al. 2002; Deb and Agrawal 1995;
// settings as in Platypus, which USeMO calls.

#include "nsga2.h"
#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ETA_CROSSOVER 15.0
#define ETA_MUTATION 20.0

// ---- operators ---------------------------------------------------------------------------------

static double bounded_beta(double near, double distance, double u)
{
    double alpha = 2 - pow(1 + 2 * near / distance, -(ETA_CROSSOVER + 1));
    double exponent = 1 / (ETA_CROSSOVER + 1);
    return u <= 1 / alpha ? pow(alpha * u, exponent) : pow(1 / (2 - alpha * u), exponent);
}

static double crossed(double a, double b, Random *random)
{
    double low = fmin(a, b), high = fmax(a, b), distance = high - low, u = random_unit(random);
    bool lower = random_unit(random) < 0.5;
    if (distance < 1e-12)
        return a;
    double near = lower ? low : 1 - high;
    double beta = bounded_beta(near, distance, u);
    return 0.5 * (low + high + (lower ? -beta : beta) * distance);
}

static double mutated(double x, Random *random)
{
    double u = random_unit(random), exponent = 1 / (ETA_MUTATION + 1);
    double delta = u < 0.5
                       ? pow(2 * u + (1 - 2 * u) * pow(1 - x, ETA_MUTATION + 1), exponent) - 1
                       : 1 - pow(2 * (1 - u) + 2 * (u - 0.5) * pow(x, ETA_MUTATION + 1), exponent);
    return x + delta;
}

void nsga2_child(const Space *space, const double *a, const double *b, Random *random,
                 double *child)
{
    double rate = 1.0 / space->n_coords;
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        bool choice = param->kind == PARAM_CATEGORICAL;
        for (int j = param->first; j < param->first + param->width; j++) {
            bool cross = random_unit(random) < 0.5, mutate = random_unit(random) < rate;
            child[j] = !cross ? a[j] : choice ? b[j] : crossed(a[j], b[j], random);
            if (mutate)
                child[j] = choice ? random_unit(random) : mutated(child[j], random);
        }
    }
    space_round(space, child);
}

// ---- survival ----------------------------------------------------------------------------------

typedef struct {
    int index, front;
    double crowding, value;
} Member;

static int by_front(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    if (x->front != y->front)
        return x->front - y->front;
    if (x->crowding != y->crowding)
        return x->crowding > y->crowding ? -1 : 1;
    return x->index - y->index;
}

static int by_value(const void *a, const void *b)
{
    const Member *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->index - y->index;
}

// Members of one front; ends are infinitely far, equal points share one place.
static void crowding_fill(Member *members, int n, const double *values, int k)
{
    for (int i = 0; i < n; i++)
        members[i].crowding = 0;
    for (int o = 0; o < k; o++) {
        for (int i = 0; i < n; i++)
            members[i].value = values[members[i].index * k + o];
        qsort(members, (size_t)n, sizeof *members, by_value);
        double range = members[n - 1].value - members[0].value;
        for (int i = 0; i < n && range > 0; i++) {
            bool end = i == 0 || i == n - 1;
            members[i].crowding +=
                end ? INFINITY : (members[i + 1].value - members[i - 1].value) / range;
        }
    }
}

void nsga2_survivors(const double *values, int n, int k, int keep, int *kept)
{
    int *rank = xmalloc((size_t)n * sizeof *rank);
    Member *members = xmalloc((size_t)n * sizeof *members);
    pareto_ranks(values, n, k, rank);
    for (int i = 0; i < n; i++)
        members[i] = (Member){i, rank[i], 0, 0};
    qsort(members, (size_t)n, sizeof *members, by_front);
    for (int start = 0, end = 0; end < n && start < keep; start = end) {
        for (end = start; end < n && members[end].front == members[start].front; end++) {
        }
        crowding_fill(members + start, end - start, values, k);
    }
    qsort(members, (size_t)n, sizeof *members, by_front);
    for (int i = 0; i < keep && i < n; i++)
        kept[i] = members[i].index;
    free(members);
    free(rank);
}

// ---- generations -------------------------------------------------------------------------------

static int tournament(const double *values, int n, int k, Random *random)
{
    int a = (int)random_below(random, (uint64_t)n), b = (int)random_below(random, (uint64_t)n);
    return pareto_dominates(values + b * k, values + a * k, k) ? b : a;
}

static void generation(const NsgaProblem *problem, Random *random, double *x, double *values,
                       int *kept, double *scratch)
{
    int d = problem->space->n_coords, k = problem->k, n = problem->population;
    for (int i = 0; i < n; i++) {
        int a = tournament(values, n, k, random), b = tournament(values, n, k, random);
        nsga2_child(problem->space, x + a * d, x + b * d, random, x + (n + i) * d);
    }
    problem->evaluate(problem->context, x + n * d, n, values + n * k);
    nsga2_survivors(values, 2 * n, k, n, kept);
    for (int i = 0; i < n; i++) {
        memcpy(scratch + i * (d + k), x + kept[i] * d, (size_t)d * sizeof *x);
        memcpy(scratch + i * (d + k) + d, values + kept[i] * k, (size_t)k * sizeof *values);
    }
    for (int i = 0; i < n; i++) {
        memcpy(x + i * d, scratch + i * (d + k), (size_t)d * sizeof *x);
        memcpy(values + i * k, scratch + i * (d + k) + d, (size_t)k * sizeof *values);
    }
}

void nsga2_run(const NsgaProblem *problem, const double *seeds, int n_seeds, Random *random,
               double *x, double *values)
{
    size_t d = (size_t)problem->space->n_coords, k = (size_t)problem->k;
    size_t n = (size_t)problem->population;
    double *all = xmalloc(2 * n * d * sizeof *all), *all_values = xmalloc(2 * n * k * sizeof *all);
    double *scratch = xmalloc(n * (d + k) * sizeof *scratch);
    int *kept = xmalloc(n * sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        if ((int)i < n_seeds)
            memcpy(all + i * d, seeds + i * d, d * sizeof *all);
        else
            space_draw(problem->space, random, all + i * d);
    }
    problem->evaluate(problem->context, all, problem->population, all_values);
    for (int i = 0; i < problem->generations; i++)
        generation(problem, random, all, all_values, kept, scratch);
    memcpy(x, all, n * d * sizeof *x);
    memcpy(values, all_values, n * k * sizeof *values);
    free(kept);
    free(scratch);
    free(all_values);
    free(all);
}
