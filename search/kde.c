// kde.c - product-kernel density estimates, as BOHB uses them.
//
// In: points of the unit cube.  Out: densities and draws.  Gaussian kernels for floats, integers
// and simplex coordinates, Aitchison and Aitken's for choices:
//     bandwidth_j = 1.06 std_j n^(-1 / (4 + d)),    density(x) = mean_i prod_j K_j(x_j, x_ij)
// Sources: statsmodels' KDEMultivariate, which HpBandSter calls; Falkner et al. 2018.  Two things
// differ: the number of choices is the declared one (theirs, counted from the data, divides by zero
// if one choice was seen), and the bandwidth of choices is at most (c - 1) / c, where the kernel is
// uniform (theirs can pass 1 and turn negative).

#include "kde.h"
#include "normal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double deviation(const double *points, int n, int stride, double unit)
{
    double mean = 0, sum = 0;
    for (int i = 0; i < n; i++)
        mean += points[i * stride] * unit / n;
    for (int i = 0; i < n; i++)
        sum += pow(points[i * stride] * unit - mean, 2);
    return sqrt(sum / n);
}

static bool coords_active(const Space *space, const double *x, bool *active)
{
    bool all = true;
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        bool here = space_is_active(space, x, i);
        for (int j = param->first; j < param->first + param->width; j++)
            active[j] = here;
        all = all && (here || param->width == 0);
    }
    return all;
}

// An inactive coordinate takes the value that it has in another point, drawn among those that have
// one, together with the other missing ones of that point; if none has one, a uniform number.
static void fill_inactive(Kde *kde, Random *random)
{
    int d = kde->space->n_coords;
    bool *active = xcalloc((size_t)kde->n * (size_t)d + 1, sizeof *active), all = true;
    for (int i = 0; i < kde->n; i++)
        all = coords_active(kde->space, kde->points + i * d, active + i * d) && all;
    for (int i = 0; i < kde->n && !all; i++) {
        bool have[SPACE_MAX_COORDS];
        memcpy(have, active + i * d, (size_t)d * sizeof *have);
        for (int j = 0; j < d; j++) {
            int donors = 0, donor = -1;
            for (int other = 0; other < kde->n && !have[j]; other++) {
                if (active[other * d + j] && random_below(random, (uint64_t)++donors) == 0)
                    donor = other;
            }
            if (!have[j] && donor < 0)
                kde->points[i * d + j] = random_unit(random);
            for (int k = j; k < d && donor >= 0; k++) {
                if (!have[k] && active[donor * d + k]) {
                    kde->points[i * d + k] = kde->points[donor * d + k];
                    have[k] = true;
                }
            }
        }
    }
    free(active);
}

void kde_fit(Kde *kde, const Space *space, const double *points, int n, double min_bandwidth,
             Random *random)
{
    int d = space->n_coords;
    size_t bytes = (size_t)n * (size_t)d * sizeof *points;
    *kde = (Kde){.space = space, .n = n, .points = xmalloc(bytes)};
    memcpy(kde->points, points, bytes);
    fill_inactive(kde, random);
    for (int i = 0; i < space->n_params; i++) {
        if (space->params[i].kind == PARAM_CATEGORICAL)
            kde->n_choices[space->params[i].first] = space->params[i].n_choices;
    }
    for (int j = 0; j < d; j++) {
        int choices = kde->n_choices[j];
        double width =
            1.06 * deviation(kde->points + j, n, d, choices ? choices : 1) * pow(n, -1.0 / (4 + d));
        width = fmax(width, min_bandwidth);
        kde->bandwidth[j] = choices ? fmin(width, (choices - 1.0) / choices) : width;
    }
}

void kde_free(Kde *kde)
{
    free(kde->points);
    kde->points = NULL;
}

static bool same_choice(int choices, double a, double b)
{
    return floor(a * choices) == floor(b * choices);
}

// The Gaussians of a point share one exponential: that is most of a suggestion's time.
double kde_density(const Kde *kde, const double *x)
{
    int d = kde->space->n_coords;
    double sum = 0, scale = 1, inverse[SPACE_MAX_COORDS];
    for (int j = 0; j < d; j++) {
        inverse[j] = kde->n_choices[j] ? 0 : 1 / kde->bandwidth[j];
        scale *= kde->n_choices[j] ? 1 : 0.39894228040143267794 * inverse[j];
    }
    for (int i = 0; i < kde->n; i++) {
        const double *point = kde->points + i * d;
        double squares = 0, product = 1;
        for (int j = 0; j < d; j++) {
            int choices = kde->n_choices[j];
            double z = (x[j] - point[j]) * inverse[j], width = kde->bandwidth[j];
            squares += z * z;
            if (choices > 1)
                product *= same_choice(choices, x[j], point[j]) ? 1 - width : width / (choices - 1);
        }
        sum += product * exp(-0.5 * squares);
    }
    return scale * sum / kde->n;
}

// A normal distribution of that mean and deviation, cut off outside [0, 1].
static double draw_cut_normal(double mean, double deviation, Random *random)
{
    double low = normal_below(-mean / deviation), high = normal_below((1 - mean) / deviation);
    double x = mean + deviation * normal_quantile(low + random_unit(random) * (high - low));
    return !(x > 0) ? 0 : x > 1 ? 1 : x;
}

void kde_draw(const Kde *kde, double factor, Random *random, double *x)
{
    int d = kde->space->n_coords;
    const double *point = kde->points + (int)random_below(random, (uint64_t)kde->n) * d;
    for (int j = 0; j < d; j++) {
        int choices = kde->n_choices[j];
        if (!choices)
            x[j] = draw_cut_normal(point[j], factor * kde->bandwidth[j], random);
        else if (random_unit(random) < 1 - kde->bandwidth[j])
            x[j] = point[j];
        else
            x[j] = ((double)random_below(random, (uint64_t)choices) + 0.5) / choices;
    }
}
