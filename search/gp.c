// gp.c - a Gaussian process with a Matern 5/2 kernel and a length scale for each input.
//
// In: points and values.  Out: posterior mean and variance.  The scales, the signal's and the
// noise's variance maximise the marginal likelihood times broad log-normal priors, by Rprop on its
// gradient:
//     k(x, x') = s^2 (1 + a + a^2 / 3) exp(-a),   a = sqrt(5 sum_j ((x_j - x'_j) / l_j)^2)
// Sources: Rasmussen and Williams 2006, chapters 2 and 5; the prior's median length scale grows
// with the square root of the dimensions, as in Hvarfner et al. 2024; Igel and Huesken 2003
// (Rprop); Wilson et al. 2020 for samples: a prior draw of random Fourier features, corrected at
// the data.

#include "gp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

extern void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
extern void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a,
                    const int *lda, double *b, const int *ldb, int *info);

// One thread: the matrices are small, and trials train on the other cores.
extern void openblas_set_num_threads(int count);
extern int openblas_get_num_threads(void);

enum { MAX_D = SPACE_MAX_FEATURES + 1, N_FOURIER = 256, ITERATIONS = 60 };
#define LEAST_NOISE 1e-6

// Logarithms, so that every value is allowed: d length scales, signal variance, noise variance.
typedef struct {
    double log_length[MAX_D], log_signal, log_noise;
} Hyper;

struct Gp {
    int n, d;
    double *x, *y;
    double *factor;  // Cholesky factor of the kernel matrix, lower (column-major), [n][n]
    double *inverse; // its inverse, full
    double *weights; // inverse y
    Hyper hyper;
};

static double distance2(const Hyper *hyper, const double *a, const double *b, int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double z = (a[j] - b[j]) * hyper->log_length[j]; // inverse lengths, see lengths_invert
        sum += z * z;
    }
    return sum;
}

// A copy whose length scales are replaced by 1 / l, ready for distance2.
static Hyper lengths_invert(const Hyper *hyper, int d)
{
    Hyper inverse = *hyper;
    for (int j = 0; j < d; j++)
        inverse.log_length[j] = exp(-hyper->log_length[j]);
    return inverse;
}

static double matern(double squared)
{
    double a = sqrt(5 * squared);
    return (1 + a + a * a / 3) * exp(-a);
}

// Factor, inverse and weights for gp->hyper; false if the matrix is not positive definite.
static bool matrix_solve(Gp *gp)
{
    int n = gp->n, info = 0, one = 1;
    Hyper inverse = lengths_invert(&gp->hyper, gp->d);
    double signal = exp(gp->hyper.log_signal), noise = LEAST_NOISE + exp(gp->hyper.log_noise);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double k =
                signal * matern(distance2(&inverse, gp->x + i * gp->d, gp->x + j * gp->d, gp->d));
            gp->factor[j * n + i] = k + (i == j ? noise : 0);
        }
    }
    dpotrf_("L", &n, gp->factor, &n, &info);
    if (info)
        return false;
    size_t bytes = (size_t)n * (size_t)n * sizeof(double);
    memcpy(gp->inverse, gp->factor, bytes);
    dpotri_("L", &n, gp->inverse, &n, &info);
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < i; j++)
            gp->inverse[i * n + j] = gp->inverse[j * n + i];
    }
    memcpy(gp->weights, gp->y, (size_t)n * sizeof(double));
    dpotrs_("L", &n, &one, gp->factor, &n, gp->weights, &n, &info);
    return info == 0;
}

// ---- hyperparameters ---------------------------------------------------------------------------

static double prior(double value, double mean, double deviation, double *gradient)
{
    double z = (value - mean) / deviation;
    *gradient -= z / deviation;
    return -0.5 * z * z;
}

// Log posterior of the hyperparameters (up to a constant) and its gradient, in Hyper's order.
static double posterior(const Gp *gp, Hyper *gradient)
{
    int n = gp->n, d = gp->d;
    Hyper inverse = lengths_invert(&gp->hyper, d);
    double value = 0, signal = exp(gp->hyper.log_signal);
    *gradient = (Hyper){{0}, 0, 0};
    for (int i = 0; i < n; i++) {
        const double *x = gp->x + i * d;
        value -= 0.5 * gp->y[i] * gp->weights[i] + log(gp->factor[i * n + i]);
        double w = 0.5 * (gp->weights[i] * gp->weights[i] - gp->inverse[i * n + i]);
        gradient->log_noise += w * exp(gp->hyper.log_noise);
        gradient->log_signal += w * signal;
        for (int j = 0; j < i; j++) {
            const double *other = gp->x + j * d;
            double a = sqrt(5 * distance2(&inverse, x, other, d)), e = exp(-a) * signal;
            w = gp->weights[i] * gp->weights[j] - gp->inverse[i * n + j]; // both halves
            gradient->log_signal += w * e * (1 + a + a * a / 3);
            double slope = w * e * 5.0 / 3 * (1 + a);
            for (int k = 0; k < d; k++) {
                double z = (x[k] - other[k]) * inverse.log_length[k];
                gradient->log_length[k] += slope * z * z;
            }
        }
    }
    for (int k = 0; k < d; k++)
        value +=
            prior(gp->hyper.log_length[k], log(0.5) + 0.5 * log(d), 1, &gradient->log_length[k]);
    value += prior(gp->hyper.log_signal, 0, 1, &gradient->log_signal);
    value += prior(gp->hyper.log_noise, log(1e-3), 3, &gradient->log_noise);
    return value;
}

static double *hyper_entry(Hyper *hyper, int i, int d)
{
    return i < d ? &hyper->log_length[i] : i == d ? &hyper->log_signal : &hyper->log_noise;
}

// Rprop: each entry has its own step, longer while its gradient keeps its sign.
static void hyper_fit(Gp *gp)
{
    Hyper best = gp->hyper, gradient, last = {{0}, 0, 0}, step;
    double best_value = -INFINITY;
    for (int i = 0; i < gp->d + 2; i++)
        *hyper_entry(&step, i, gp->d) = 0.3;
    int iterations = gp->n > 150 ? ITERATIONS / 2 : ITERATIONS; // more data, sharper optimum
    for (int iteration = 0; iteration < iterations; iteration++) {
        double value = matrix_solve(gp) ? posterior(gp, &gradient) : -INFINITY;
        if (!isfinite(value)) {
            gp->hyper = best; // shorter steps from the best so far
            for (int i = 0; i < gp->d + 2; i++)
                *hyper_entry(&step, i, gp->d) *= 0.3;
            continue;
        }
        if (value > best_value) {
            best_value = value;
            best = gp->hyper;
        }
        for (int i = 0; i < gp->d + 2; i++) {
            double *g = hyper_entry(&gradient, i, gp->d), *s = hyper_entry(&step, i, gp->d);
            double agree = *g * *hyper_entry(&last, i, gp->d);
            *s = agree > 0 ? fmin(*s * 1.2, 1) : agree < 0 ? fmax(*s * 0.5, 1e-4) : *s;
            *g = agree < 0 ? 0 : *g;
            *hyper_entry(&gp->hyper, i, gp->d) += *g > 0 ? *s : *g < 0 ? -*s : 0;
        }
        last = gradient;
    }
    gp->hyper = best;
}

Gp *gp_fit(const double *x, const double *y, int n, int d)
{
    Gp *gp = xmalloc(sizeof *gp);
    size_t square = (size_t)n * (size_t)n;
    *gp = (Gp){.n = n, .d = d};
    gp->x = xmalloc((size_t)n * (size_t)d * sizeof *x);
    gp->y = xmalloc((size_t)n * sizeof *y);
    gp->factor = xcalloc(square, sizeof *gp->factor);
    gp->inverse = xcalloc(square, sizeof *gp->inverse);
    gp->weights = xmalloc((size_t)n * sizeof *gp->weights);
    memcpy(gp->x, x, (size_t)n * (size_t)d * sizeof *x);
    memcpy(gp->y, y, (size_t)n * sizeof *y);
    for (int j = 0; j < d; j++)
        gp->hyper.log_length[j] = log(0.5) + 0.5 * log(d);
    gp->hyper.log_noise = log(1e-3);
    int threads = openblas_get_num_threads();
    openblas_set_num_threads(1);
    hyper_fit(gp);
    while (!matrix_solve(gp)) // duplicates and rounding: more noise makes any matrix definite
        gp->hyper.log_noise = log(exp(gp->hyper.log_noise) * 10 + LEAST_NOISE);
    openblas_set_num_threads(threads);
    return gp;
}

void gp_free(Gp *gp)
{
    if (!gp)
        return;
    free(gp->x);
    free(gp->y);
    free(gp->factor);
    free(gp->inverse);
    free(gp->weights);
    free(gp);
}

// ---- predictions -------------------------------------------------------------------------------

void gp_predict(const Gp *gp, const double *x, int n_points, Prediction *out)
{
    int n = gp->n, d = gp->d;
    Hyper inverse = lengths_invert(&gp->hyper, d);
    double signal = exp(gp->hyper.log_signal), *k = xmalloc((size_t)n * sizeof *k);
    for (int p = 0; p < n_points; p++) {
        double mean = 0, explained = 0;
        for (int i = 0; i < n; i++) {
            k[i] = signal * matern(distance2(&inverse, x + p * d, gp->x + i * d, d));
            mean += k[i] * gp->weights[i];
        }
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += gp->inverse[i * n + j] * k[j];
            explained += sum * k[i];
        }
        double floor_variance = 1e-10 * signal; // what rounding leaves of a difference
        out[p] = (Prediction){mean, fmax(signal - explained, floor_variance),
                              LEAST_NOISE + exp(gp->hyper.log_noise)};
    }
    free(k);
}

// Rasmussen and Williams 2006, equation 5.12.
double gp_left_out(const Gp *gp)
{
    double sum = 0;
    for (int i = 0; i < gp->n; i++) {
        double variance = 1 / gp->inverse[i * gp->n + i], error = gp->weights[i] * variance;
        sum += 0.5 * (log(6.283185307179586 * variance) + error * error / variance);
    }
    return sum / gp->n;
}

typedef struct {
    double weight[N_FOURIER], phase[N_FOURIER];
    double *frequency; // [N_FOURIER][d]
} Features;

static double features_value(const Features *features, const double *x, int d)
{
    double sum = 0;
    for (int f = 0; f < N_FOURIER; f++) {
        double angle = features->phase[f];
        for (int j = 0; j < d; j++)
            angle += features->frequency[f * d + j] * x[j];
        sum += features->weight[f] * cos(angle);
    }
    return sum;
}

// The spectrum of the Matern 5/2 kernel is Student's t with 5 degrees of freedom.
static void features_draw(const Gp *gp, Random *random, Features *features)
{
    double scale = sqrt(2 * exp(gp->hyper.log_signal) / N_FOURIER);
    for (int f = 0; f < N_FOURIER; f++) {
        double chi2 = 0;
        for (int i = 0; i < 5; i++)
            chi2 += pow(random_normal(random), 2);
        for (int j = 0; j < gp->d; j++)
            features->frequency[f * gp->d + j] =
                random_normal(random) * sqrt(5 / chi2) * exp(-gp->hyper.log_length[j]);
        features->phase[f] = 6.283185307179586 * random_unit(random);
        features->weight[f] = scale * random_normal(random);
    }
}

void gp_sample(const Gp *gp, Random *random, const double *x, int n_points, double *out)
{
    int n = gp->n, d = gp->d, one = 1, info = 0;
    Features features;
    features.frequency = xmalloc((size_t)N_FOURIER * (size_t)d * sizeof(double));
    features_draw(gp, random, &features);
    double noise = sqrt(LEAST_NOISE + exp(gp->hyper.log_noise));
    double signal = exp(gp->hyper.log_signal), *residual = xmalloc((size_t)n * sizeof *residual);
    for (int i = 0; i < n; i++)
        residual[i] =
            gp->y[i] - features_value(&features, gp->x + i * d, d) - noise * random_normal(random);
    dpotrs_("L", &n, &one, gp->factor, &n, residual, &n, &info);
    Hyper inverse = lengths_invert(&gp->hyper, d);
    for (int p = 0; p < n_points; p++) {
        out[p] = features_value(&features, x + p * d, d);
        for (int i = 0; i < n; i++)
            out[p] +=
                signal * matern(distance2(&inverse, x + p * d, gp->x + i * d, d)) * residual[i];
    }
    free(residual);
    free(features.frequency);
}
