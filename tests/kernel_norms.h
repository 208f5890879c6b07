// kernel_norms.h - cases for test_kernels.c: batch normalisation, alone and as a multiply-add of
// its readers (templates/affine.c).
#ifndef TEST_KERNEL_NORMS_H
#define TEST_KERNEL_NORMS_H

#include "kernel_bench.h"

// ---- batch normalisation ------------------------------------------------------------------------

// The deviation of a channel divides its values: two nearly equal ones give a large factor.
static void norm_tolerance(Bench *b, ReferenceShape shape, const double *inverse, const char *name)
{
    double largest = 1;
    for (int c = 0; c < shape.channels; c++)
        largest = fmax(largest, inverse[c]);
    bench_tolerance(b, name, 2e-5 * largest);
}

// Positive statistics: variances.
static double *bench_variances(Bench *b, const char *name, size_t count)
{
    double *values = bench_vector(b, name, count);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(float)(fabs(values[i]) + 0.05);
    return values;
}

static void check_batchnorm(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const size_t n = (size_t)shape.channels;
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *gamma = bench_vector(b, "gamma", n), *beta = bench_vector(b, "beta", n);
    double *z = bench_result(b, "z", shape.channels, shape.height, shape.width, false);
    double *mean = bench_result_vector(b, "mean", n, false);
    double *rstd = bench_result_vector(b, "rstd", n, false);
    double *running_mean = bench_result_vector(b, "running_mean", n, true);
    double *running_var = bench_result_vector(b, "running_var", n, true);
    reference_norm_train(shape, y, gamma, beta, running_mean, running_var, mean, rstd, z);
    norm_tolerance(b, shape, rstd, "z");
    norm_tolerance(b, shape, rstd, "rstd");
    attr.relu = draw_relu(b, OP_BATCHNORM, z, reference_count(shape));
    bench_op(b, OP_BATCHNORM, attr, "");
}

static void check_batchnorm_infer(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const size_t n = (size_t)shape.channels;
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *gamma = bench_vector(b, "gamma", n), *beta = bench_vector(b, "beta", n);
    const double *mean = bench_vector(b, "running_mean", n);
    const double *var = bench_variances(b, "running_var", n);
    double *z = bench_result(b, "z", shape.channels, shape.height, shape.width, false);
    reference_norm_eval(shape, y, gamma, beta, mean, var, z);
    attr.relu = draw_relu(b, OP_BATCHNORM_INFER, z, reference_count(shape));
    bench_op(b, OP_BATCHNORM_INFER, attr, "");
}

// Statistics as the forward op leaves them; ReLU's result is any.
static void check_batchnorm_backward(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const size_t channels = (size_t)shape.channels, n = reference_count(shape);
    const int relu = (int)random_below(&b->random, 2);
    attr.relu = relu;
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *gamma = bench_vector(b, "gamma", channels);
    const double *dz = bench_gradient(b, "dz", shape.channels, shape.height, shape.width);
    const double *z =
        relu ? bench_activation(b, "z", shape.channels, shape.height, shape.width) : NULL;
    double *mean = bench_vector(b, "mean", channels), *rstd = bench_vector(b, "rstd", channels);
    double *dy = bench_result_gradient(b, "dy", shape.channels, shape.height, shape.width, false);
    double *dgamma = bench_result_vector(b, "dgamma", channels, false);
    double *dbeta = bench_result_vector(b, "dbeta", channels, false);
    double *work = xcalloc(n, sizeof *work);
    reference_norm_train(shape, y, gamma, gamma, NULL, NULL, mean, rstd, work);
    for (size_t c = 0; c < channels; c++) {
        mean[c] = (double)(float)mean[c];
        rstd[c] = (double)(float)rstd[c];
    }
    memcpy(work, dz, n * sizeof *work);
    for (size_t i = 0; relu && i < n; i++)
        work[i] = z[i] > 0 ? dz[i] : 0;
    reference_norm_backward(shape, y, gamma, mean, rstd, work, dy, dgamma, dbeta);
    free(work);
    norm_tolerance(b, shape, rstd, "dy");
    norm_tolerance(b, shape, rstd, "dgamma");
    bench_op(b, OP_BATCHNORM_BACKWARD, attr, "");
}

// ---- as a multiply-add of its readers -----------------------------------------------------------

static void check_batchnorm_stats(Bench *b)
{
    ReferenceShape shape;
    const Attr attr = draw_shape(b, &shape);
    const size_t n = (size_t)shape.channels;
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *gamma = bench_vector(b, "gamma", n), *beta = bench_vector(b, "beta", n);
    double *scale = bench_result_vector(b, "scale", n, false);
    double *shift = bench_result_vector(b, "shift", n, false);
    double *mean = bench_result_vector(b, "mean", n, false);
    double *rstd = bench_result_vector(b, "rstd", n, false);
    double *running_mean = bench_result_vector(b, "running_mean", n, true);
    double *running_var = bench_result_vector(b, "running_var", n, true);
    double *z = xcalloc(reference_count(shape), sizeof *z);
    reference_norm_train(shape, y, gamma, beta, running_mean, running_var, mean, rstd, z);
    free(z);
    for (size_t c = 0; c < n; c++) {
        scale[c] = gamma[c] * rstd[c];
        shift[c] = beta[c] - scale[c] * mean[c];
    }
    norm_tolerance(b, shape, rstd, "scale");
    norm_tolerance(b, shape, rstd, "shift");
    norm_tolerance(b, shape, rstd, "rstd");
    bench_op(b, OP_BATCHNORM_STATS, attr, "");
}

static void check_batchnorm_running(Bench *b)
{
    const int channels = bench_draw(b, 1, 100);
    const size_t n = (size_t)channels;
    const double *gamma = bench_vector(b, "gamma", n), *beta = bench_vector(b, "beta", n);
    const double *mean = bench_vector(b, "running_mean", n);
    const double *var = bench_variances(b, "running_var", n);
    double *scale = bench_result_vector(b, "scale", n, false);
    double *shift = bench_result_vector(b, "shift", n, false);
    for (size_t c = 0; c < n; c++) {
        scale[c] = gamma[c] / sqrt(var[c] + 1e-5);
        shift[c] = beta[c] - scale[c] * mean[c];
    }
    bench_op(b, OP_BATCHNORM_RUNNING, (Attr){.channels = channels}, "");
}

enum { MOST_TERMS = 5 }; // more than the kernels take at once

// Item `j` of a list by name.
static const char *item(Bench *b, const char *list, int j)
{
    return pool_printf(b->pool, "%s%d", list, j);
}

// A vector now and then: NULL is legal.
static const double *maybe_vector(Bench *b, const char *name, size_t count)
{
    return random_below(&b->random, 2) ? bench_vector(b, name, count) : NULL;
}

static double gate(const double *a, double scale)
{
    return a ? reference_sigmoid(*a) : scale;
}

// Channel of element i.
static size_t channel_of(ReferenceShape shape, size_t i)
{
    return i / (size_t)(shape.height * shape.width) % (size_t)shape.channels;
}

static void check_affine_sum(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.inputs = bench_draw(b, 1, MOST_TERMS);
    attr.scale = random_below(&b->random, 2) ? 1.0f : 1.0f / (float)attr.inputs;
    double *x = bench_result(b, "x", shape.channels, shape.height, shape.width, false);
    const size_t n = reference_count(shape), channels = (size_t)shape.channels;
    for (int j = 0; j < attr.inputs; j++) {
        const double *y =
            bench_activation(b, item(b, "ys", j), shape.channels, shape.height, shape.width);
        const double *s = maybe_vector(b, item(b, "ss", j), channels);
        const double *t = s ? bench_vector(b, item(b, "ts", j), channels) : NULL;
        const double w = gate(maybe_vector(b, item(b, "as", j), 1), (double)attr.scale);
        for (size_t i = 0; i < n; i++) {
            const size_t c = channel_of(shape, i);
            x[i] += w * ((s ? s[c] : 1) * y[i] + (t ? t[c] : 0));
        }
    }
    attr.relu = draw_relu(b, OP_AFFINE_SUM, x, n);
    bench_op(b, OP_AFFINE_SUM, attr, "");
}

// Sums over the gradient g of a merge: sum g, and sum g xhat of each term.
static void check_affine_sums(Bench *b, OpKind kind)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.inputs = bench_draw(b, 1, MOST_TERMS);
    const bool relu = kind == OP_AFFINE_SUM_BACKWARD;
    const size_t n = reference_count(shape), channels = (size_t)shape.channels;
    const double *dx = bench_gradient(b, "dx", shape.channels, shape.height, shape.width);
    const double *x =
        relu ? bench_activation(b, "x", shape.channels, shape.height, shape.width) : NULL;
    double *g =
        relu ? bench_result_gradient(b, "g", shape.channels, shape.height, shape.width, false)
             : xcalloc(n, sizeof *g);
    double *q = bench_result_vector(b, "q", channels, false);
    for (size_t i = 0; i < n; i++) {
        g[i] = !relu || x[i] > 0 ? dx[i] : 0;
        q[channel_of(shape, i)] += g[i];
    }
    for (int j = 0; j < attr.inputs; j++) {
        const double *y =
            bench_activation(b, item(b, "ys", j), shape.channels, shape.height, shape.width);
        const double *mean = maybe_vector(b, item(b, "means", j), channels);
        const double *rstd = mean ? bench_variances(b, item(b, "rstds", j), channels) : NULL;
        double *p = bench_result_vector(b, item(b, "ps", j), channels, false);
        for (size_t i = 0; i < n; i++) {
            const size_t c = channel_of(shape, i);
            p[c] += g[i] * (mean ? (y[i] - mean[c]) * rstd[c] : y[i]);
        }
    }
    if (!relu)
        free(g);
    bench_op(b, kind, attr, "");
}

static void check_affine_sum_backward(Bench *b)
{
    check_affine_sums(b, OP_AFFINE_SUM_BACKWARD);
}

static void check_affine_sum_reduce(Bench *b)
{
    check_affine_sums(b, OP_AFFINE_SUM_REDUCE);
}

static void check_affine_scalar(Bench *b)
{
    const int channels = bench_draw(b, 1, 100);
    const size_t n = (size_t)channels;
    const double *q = bench_vector(b, "q", n), *p = bench_vector(b, "p", n);
    const double *gamma = maybe_vector(b, "gamma", n);
    const double *beta = gamma ? bench_vector(b, "beta", n) : NULL;
    const double s = reference_sigmoid(*bench_vector(b, "a", 1));
    double *da = bench_result_vector(b, "da", 1, false);
    for (size_t c = 0; c < n; c++)
        *da += s * (1 - s) * (gamma ? gamma[c] * p[c] + beta[c] * q[c] : p[c]);
    bench_op(b, OP_AFFINE_SCALAR_BACKWARD, (Attr){.channels = channels}, "");
}

// The gradient of a normalisation from sums over its readers' gradients: coefficients and pull
// together must be what the reference makes of y and of the sum of those gradients.
static void check_pull_norm(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.inputs = bench_draw(b, 1, MOST_TERMS);
    attr.scale = random_below(&b->random, 2) ? 1.0f : 0.25f;
    const size_t n = reference_count(shape), channels = (size_t)shape.channels;
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *gamma = bench_vector(b, "gamma", channels);
    double *mean = bench_vector(b, "mean", channels), *rstd = bench_vector(b, "rstd", channels);
    double *dz = xcalloc(n, sizeof *dz), *dy = xcalloc(n, sizeof *dy);
    reference_norm_train(shape, y, gamma, gamma, NULL, NULL, mean, rstd, dz);
    memset(dz, 0, n * sizeof *dz);
    for (int j = 0; j < attr.inputs; j++) {
        const double *g =
            bench_gradient(b, item(b, "gs", j), shape.channels, shape.height, shape.width);
        double *q = bench_vector(b, item(b, "qs", j), channels);
        double *p = bench_vector(b, item(b, "ps", j), channels);
        const double w = gate(maybe_vector(b, item(b, "as", j), 1), (double)attr.scale);
        memset(q, 0, channels * sizeof *q);
        memset(p, 0, channels * sizeof *p);
        for (size_t i = 0; i < n; i++) {
            const size_t c = channel_of(shape, i);
            q[c] += g[i];
            p[c] += g[i] * (y[i] - mean[c]) * rstd[c];
            dz[i] += w * g[i];
        }
    }
    bench_between(b, "coefficients", 3 * channels);
    double *dgamma = bench_result_vector(b, "dgamma", channels, false);
    double *dbeta = bench_result_vector(b, "dbeta", channels, false);
    double *sum =
        bench_result_gradient(b, "dy", shape.channels, shape.height, shape.width, attr.accumulate);
    reference_norm_backward(shape, y, gamma, mean, rstd, dz, dy, dgamma, dbeta);
    add(sum, dy, n);
    free(dz);
    free(dy);
    norm_tolerance(b, shape, rstd, "dy");
    norm_tolerance(b, shape, rstd, "dgamma");
    bench_op(b, OP_BATCHNORM_COEFFICIENTS, attr, "");
    bench_op(b, OP_PULL, attr, "");
}

// The gradient of a tensor without a normalisation: the weighted sum of its readers'.
static void check_pull(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.inputs = bench_draw(b, 1, MOST_TERMS);
    attr.scale = random_below(&b->random, 2) ? 1.0f : 0.25f;
    attr.accumulate = (int)random_below(&b->random, 2);
    double *dy =
        bench_result_gradient(b, "dy", shape.channels, shape.height, shape.width, attr.accumulate);
    for (int j = 0; j < attr.inputs; j++) {
        const double *g =
            bench_gradient(b, item(b, "gs", j), shape.channels, shape.height, shape.width);
        const double w = gate(maybe_vector(b, item(b, "as", j), 1), (double)attr.scale);
        for (size_t i = 0; i < reference_count(shape); i++)
            dy[i] += w * g[i];
    }
    bench_op(b, OP_PULL, attr, "");
}

// ---- the head's pooling -------------------------------------------------------------------------

// Values that a float multiplies and adds without rounding, so that no ReLU depends on it.
static void make_exact(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rint(16 * values[i]) / 16;
}

typedef struct {
    ReferenceShape shape;
    Attr attr;
    size_t count, pixels;
    double *y, *s, *t;
} PoolCase;

static PoolCase draw_affine_pool(Bench *b)
{
    PoolCase p;
    p.attr = draw_shape(b, &p.shape);
    p.count = reference_count(p.shape);
    p.pixels = (size_t)p.attr.size;
    p.y = bench_activation(b, "y", p.shape.channels, p.shape.height, p.shape.width);
    p.s = bench_vector(b, "s", (size_t)p.shape.channels);
    p.t = bench_vector(b, "t", (size_t)p.shape.channels);
    make_exact(p.y, p.count);
    make_exact(p.s, (size_t)p.shape.channels);
    make_exact(p.t, (size_t)p.shape.channels);
    return p;
}

static void check_affine_pool(Bench *b)
{
    const PoolCase p = draw_affine_pool(b);
    double *mean = bench_result(b, "p", p.shape.channels, 1, 1, false);
    for (size_t i = 0; i < p.count; i++) {
        const size_t c = channel_of(p.shape, i);
        mean[i / p.pixels] += fmax(p.s[c] * p.y[i] + p.t[c], 0) / (double)p.pixels;
    }
    bench_op(b, OP_AFFINE_POOL, p.attr, "");
}

static void check_affine_pool_reduce(Bench *b)
{
    const PoolCase p = draw_affine_pool(b);
    const size_t channels = (size_t)p.shape.channels;
    const double *dp = bench_gradient(b, "dp", p.shape.channels, 1, 1);
    const double *mean = bench_vector(b, "mean", channels);
    const double *rstd = bench_variances(b, "rstd", channels);
    double *q = bench_result_vector(b, "q", channels, false);
    double *sums = bench_result_vector(b, "sums", channels, false);
    for (size_t i = 0; i < p.count; i++) {
        const size_t c = channel_of(p.shape, i);
        const double g = p.s[c] * p.y[i] + p.t[c] > 0 ? dp[i / p.pixels] / (double)p.pixels : 0;
        q[c] += g;
        sums[c] += g * (p.y[i] - mean[c]) * rstd[c];
    }
    bench_op(b, OP_AFFINE_POOL_REDUCE, p.attr, "");
}

static void check_affine_pool_pull(Bench *b)
{
    const PoolCase p = draw_affine_pool(b);
    const size_t channels = (size_t)p.shape.channels;
    const double *dp = bench_gradient(b, "dp", p.shape.channels, 1, 1);
    const double *k = bench_vector(b, "coefficients", 3 * channels);
    double *dy =
        bench_result_gradient(b, "dy", p.shape.channels, p.shape.height, p.shape.width, false);
    for (size_t i = 0; i < p.count; i++) {
        const size_t c = channel_of(p.shape, i);
        const double g = p.s[c] * p.y[i] + p.t[c] > 0 ? dp[i / p.pixels] / (double)p.pixels : 0;
        dy[i] = k[c] * g + k[channels + c] * p.y[i] + k[2 * channels + c];
    }
    bench_op(b, OP_AFFINE_POOL_PULL, p.attr, "");
}

#endif
