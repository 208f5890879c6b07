// test_kernels.c - every kernel of the runtime's table, on every instruction set that this machine
// has, and the convolutions of OpenBLAS, against the naive ops in double precision: random shapes,
// ragged counts of images, one to three groups.  What is asked of each: kernel_bench.h.
#define _GNU_SOURCE
#include "kernel_convs.h"
#include "kernel_norms.h"

#include <stdio.h>

bool bench_ran[OP_COUNT];

enum { ROUNDS = 25, FOREIGN_ROUNDS = 2 };

// ---- elementwise and merges ---------------------------------------------------------------------

static void check_relu(Bench *b)
{
    ReferenceShape shape;
    const Attr attr = draw_shape(b, &shape);
    const double *x = bench_activation(b, "x", shape.channels, shape.height, shape.width);
    double *y = bench_result(b, "y", shape.channels, shape.height, shape.width, false);
    reference_relu_forward(reference_count(shape), x, y);
    bench_op(b, OP_RELU, attr, "");
}

// The sign of y, what is kept, tells that of x.
static void check_relu_backward(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.accumulate = (int)random_below(&b->random, 2);
    const double *y = bench_activation(b, "y", shape.channels, shape.height, shape.width);
    const double *dy = bench_gradient(b, "dy", shape.channels, shape.height, shape.width);
    double *dx =
        bench_result_gradient(b, "dx", shape.channels, shape.height, shape.width, attr.accumulate);
    for (size_t i = 0; i < reference_count(shape); i++)
        dx[i] += y[i] > 0 ? dy[i] : 0;
    bench_op(b, OP_RELU_BACKWARD, attr, "");
}

enum { MOST_INPUTS = 5 };

// A term's learned scalar "as0" .. or none.
static const double *draw_gate(Bench *b, int term)
{
    return random_below(&b->random, 2) ? bench_vector(b, pool_printf(b->pool, "as%d", term), 1)
                                       : NULL;
}

static void check_weighted_sum(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const double *xs[MOST_INPUTS], *gates[MOST_INPUTS];
    attr.inputs = bench_draw(b, 1, MOST_INPUTS);
    attr.scale = random_below(&b->random, 2) ? 1.0f : 1.0f / (float)attr.inputs;
    for (int j = 0; j < attr.inputs; j++) {
        xs[j] = bench_activation(b, pool_printf(b->pool, "xs%d", j), shape.channels, shape.height,
                                 shape.width);
        gates[j] = draw_gate(b, j);
    }
    double *y = bench_result(b, "y", shape.channels, shape.height, shape.width, false);
    const size_t n = reference_count(shape);
    for (int j = 0; j < attr.inputs; j++)
        for (size_t i = 0; i < n; i++)
            y[i] += (gates[j] ? reference_sigmoid(*gates[j]) : (double)attr.scale) * xs[j][i];
    attr.relu = draw_relu(b, OP_WEIGHTED_SUM, y, n);
    bench_op(b, OP_WEIGHTED_SUM, attr, "");
}

static void check_weighted_sum_backward(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    attr.accumulate = (int)random_below(&b->random, 2);
    attr.scale = random_below(&b->random, 2) ? 1.0f : 0.25f;
    const double *x = bench_activation(b, "x", shape.channels, shape.height, shape.width);
    const double *dy = bench_gradient(b, "dy", shape.channels, shape.height, shape.width);
    const double *a = random_below(&b->random, 2) ? bench_vector(b, "a", 1) : NULL;
    double *dx =
        bench_result_gradient(b, "dx", shape.channels, shape.height, shape.width, attr.accumulate);
    double *da = a ? bench_result_vector(b, "da", 1, false) : NULL;
    const double gate = a ? reference_sigmoid(*a) : (double)attr.scale;
    for (size_t i = 0; i < reference_count(shape); i++) {
        dx[i] += gate * dy[i];
        if (a)
            *da += dy[i] * x[i] * gate * (1 - gate);
    }
    if (a)
        bench_between(b, "partial", (size_t)shape.channels);
    bench_op(b, OP_WEIGHTED_SUM_BACKWARD, attr, "");
    if (a)
        bench_op(b, OP_SCALAR_BACKWARD, attr, "");
}

static void check_attention(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const double *m = bench_activation(b, "m", shape.channels, shape.height, shape.width);
    const double *s = bench_activation(b, "s", shape.channels, shape.height, shape.width);
    const double *gate = bench_vector(b, "b", 1);
    bench_between(b, "range", (size_t)(2 * LANES * b->ir->groups));
    double *y = bench_result(b, "y", shape.channels, shape.height, shape.width, false);
    reference_attention_forward(shape, m, s, gate, y);
    attr.relu = draw_relu(b, OP_ATTENTION, y, reference_count(shape));
    bench_op(b, OP_ATTENTION_RANGE, attr, "");
    bench_op(b, OP_ATTENTION, attr, "");
}

// Some values coincide: ties for the minimum and the maximum.
static void check_attention_backward(Bench *b)
{
    ReferenceShape shape;
    const Attr attr = draw_shape(b, &shape);
    double *m = bench_activation(b, "m", shape.channels, shape.height, shape.width);
    const double *s = bench_activation(b, "s", shape.channels, shape.height, shape.width);
    const double *dy = bench_gradient(b, "dy", shape.channels, shape.height, shape.width);
    const double *gate = bench_vector(b, "b", 1);
    bench_between(b, "range", (size_t)(2 * LANES * b->ir->groups));
    bench_between(b, "sums", (size_t)(4 * LANES * b->ir->groups));
    const double bound = random_below(&b->random, 2) ? 1 : 10;
    const size_t n = reference_count(shape);
    for (size_t i = 0; i < n; i++) // distances that a float resolves well
        m[i] = fmin(fmax(rint(8 * m[i]) / 8, -bound), bound);
    double *dm = bench_result_gradient(b, "dm", shape.channels, shape.height, shape.width, false);
    double *ds = bench_result_gradient(b, "ds", shape.channels, shape.height, shape.width, false);
    double *db = bench_result_vector(b, "db", 1, false);
    reference_attention_backward(shape, m, s, gate, dy, dm, ds, db);
    bench_op(b, OP_ATTENTION_RANGE, attr, "");
    bench_op(b, OP_ATTENTION_REDUCE, attr, "");
    bench_op(b, OP_ATTENTION_BACKWARD, attr, "");
}

// ---- concatenation ------------------------------------------------------------------------------

// Up to three parts of channels; returns how many, *shape is that of the whole.
static int draw_parts(Bench *b, ReferenceShape *shape, int *channels)
{
    const int n = bench_draw(b, 1, BENCH_OPS);
    draw_shape(b, shape);
    shape->channels = 0;
    for (int j = 0; j < n; j++)
        shape->channels += channels[j] = bench_draw(b, 1, 9);
    return n;
}

static Attr part_attr(const ReferenceShape *shape, const int *channels, int part)
{
    Attr attr = {
        .total = shape->channels, .channels = channels[part], .size = shape->height * shape->width};
    for (int j = 0; j < part; j++)
        attr.offset += channels[j];
    return attr;
}

static void check_concat(Bench *b)
{
    ReferenceShape shape;
    int channels[BENCH_OPS];
    const int n = draw_parts(b, &shape, channels);
    const double *xs[BENCH_OPS];
    for (int j = 0; j < n; j++)
        xs[j] = bench_activation(b, pool_printf(b->pool, "x%d", j), channels[j], shape.height,
                                 shape.width);
    double *y = bench_result(b, "y", shape.channels, shape.height, shape.width, false);
    reference_concat_forward(shape, n, channels, xs, y);
    for (int j = 0; j < n; j++)
        bench_op(b, OP_CONCAT_PART, part_attr(&shape, channels, j),
                 pool_printf(b->pool, "x:x%d", j));
}

static void check_concat_backward(Bench *b)
{
    ReferenceShape shape;
    int channels[BENCH_OPS];
    const int n = draw_parts(b, &shape, channels);
    double *dxs[BENCH_OPS];
    const double *dy = bench_gradient(b, "dy", shape.channels, shape.height, shape.width);
    for (int j = 0; j < n; j++) {
        Attr attr = part_attr(&shape, channels, j);
        attr.accumulate = (int)random_below(&b->random, 2);
        dxs[j] = bench_result_gradient(b, pool_printf(b->pool, "dx%d", j), channels[j],
                                       shape.height, shape.width, attr.accumulate);
        bench_op(b, OP_CONCAT_PART_BACKWARD, attr, pool_printf(b->pool, "dx:dx%d", j));
    }
    reference_concat_backward(shape, n, channels, dy, dxs);
}

// ---- pooling ------------------------------------------------------------------------------------

static Attr draw_resize(Bench *b, ReferenceShape *shape)
{
    Attr attr = draw_shape(b, shape);
    attr.height = shape->height;
    attr.width = shape->width;
    attr.out_height = bench_draw(b, 1, attr.height);
    attr.out_width = bench_draw(b, 1, attr.width);
    return attr;
}

static void check_adaptive_pool(Bench *b)
{
    ReferenceShape shape;
    const Attr a = draw_resize(b, &shape);
    const double *x = bench_activation(b, "x", a.channels, a.height, a.width);
    double *y = bench_result(b, "y", a.channels, a.out_height, a.out_width, false);
    reference_adaptive_forward(shape, a.out_height, a.out_width, x, y);
    bench_op(b, OP_ADAPTIVE_POOL, a, "");
}

static void check_adaptive_pool_backward(Bench *b)
{
    ReferenceShape shape;
    Attr a = draw_resize(b, &shape);
    a.accumulate = (int)random_below(&b->random, 2);
    const double *dy = bench_gradient(b, "dy", a.channels, a.out_height, a.out_width);
    double *dx = bench_result_gradient(b, "dx", a.channels, a.height, a.width, a.accumulate);
    reference_adaptive_backward(shape, a.out_height, a.out_width, dy, dx);
    bench_op(b, OP_ADAPTIVE_POOL_BACKWARD, a, "");
}

static void check_average_pool(Bench *b)
{
    ReferenceShape shape;
    Attr a = draw_resize(b, &shape);
    a.kernel_h = random_below(&b->random, 2) ? 3 : 5;
    a.accumulate = (int)random_below(&b->random, 2);
    if (random_below(&b->random, 2)) { // it is its own gradient
        const double *dy = bench_gradient(b, "dy", a.channels, a.height, a.width);
        double *dx = bench_result_gradient(b, "dx", a.channels, a.height, a.width, a.accumulate);
        reference_pool_backward(shape, a.kernel_h, dy, dx);
        bench_op(b, OP_AVERAGE_POOL, a, "y:dx x:dy");
        return;
    }
    const size_t n = reference_count(shape);
    const double *x = bench_activation(b, "x", a.channels, a.height, a.width);
    double *y = bench_result(b, "y", a.channels, a.height, a.width, a.accumulate);
    double *plain = xcalloc(n, sizeof *plain);
    reference_pool_forward(shape, a.kernel_h, x, plain);
    add(y, plain, n);
    free(plain);
    bench_op(b, OP_AVERAGE_POOL, a, "");
}

// ---- images, head, loss, update -----------------------------------------------------------------

// The caller's array is a plain vector; lanes beyond count become zero.
static void check_pack_images(Bench *b)
{
    ReferenceShape shape;
    Attr attr = draw_shape(b, &shape);
    const size_t n = reference_count(shape);
    attr.height = shape.height;
    attr.width = shape.width;
    const double *images = bench_vector(b, "images", n);
    double *y = bench_result_gradient(b, "y", shape.channels, shape.height, shape.width, false);
    memcpy(y, images, n * sizeof *y);
    bench_op(b, OP_PACK_IMAGES, attr, "");
}

static void check_unpack_logits(Bench *b)
{
    const int classes = bench_draw(b, 2, 100);
    const double *x = bench_activation(b, "x", classes, 1, 1);
    const size_t n = (size_t)(b->count * classes);
    memcpy(bench_result_vector(b, "logits", n, false), x, n * sizeof *x);
    bench_op(b, OP_UNPACK_LOGITS, (Attr){.classes = classes}, "");
}

static void check_loss(Bench *b)
{
    const int classes = bench_draw(b, 2, 100);
    double *logits = bench_activation(b, "logits", classes, 1, 1);
    for (int i = 0; random_below(&b->random, 3) == 0 && i < b->count * classes; i++)
        logits[i] *= 100; // far beyond what a plain exp would take
    const int *labels = bench_labels(b, classes);
    double *dlogits = bench_result_gradient(b, "dlogits", classes, 1, 1, false);
    double *loss = bench_result_vector(b, "loss", 1, false);
    b->call.label_smoothing = random_below(&b->random, 2) ? 0.0f : 0.125f;
    *loss = reference_cross_entropy(b->count, classes, logits, labels,
                                    (double)b->call.label_smoothing, dlogits);
    bench_op(b, OP_LOSS, (Attr){.classes = classes}, "");
}

static void check_sgd(Bench *b)
{
    const int size = bench_draw(b, 1, 1000);
    const double *grads = bench_vector(b, "grads", (size_t)size);
    double *params = bench_result_vector(b, "params", (size_t)size, true);
    double *velocity = bench_result_vector(b, "velocity", (size_t)size, true);
    b->call.learning_rate = 0.1f;
    b->call.momentum = 0.9f;
    b->call.weight_decay = 0.01f;
    reference_sgd((size_t)size, (double)b->call.learning_rate, (double)b->call.momentum,
                  (double)b->call.weight_decay, grads, velocity, params);
    bench_op(b, OP_SGD, (Attr){.size = size}, "");
}

// Which features are dropped is the kernel's own choice: found out by a run on ones, which may hold
// 0 and 1 / (1 - p) only, each image its own; then the same call must drop the same ones.
static void check_dropout(Bench *b)
{
    const Attr attr = {.channels = bench_draw(b, 1, 300)};
    const double *x = bench_gradient(b, "x", attr.channels, 1, 1);
    double *ones = bench_activation(b, "ones", attr.channels, 1, 1);
    bench_result_gradient(b, "y", attr.channels, 1, 1, false);
    double *mask = bench_result(b, "mask", attr.channels, 1, 1, false);
    const size_t n = (size_t)(b->count * attr.channels);
    b->call.dropout = random_below(&b->random, 4) ? 0.2f : 0.0f;
    b->call.seed = random_u64(&b->random);
    b->call.step = random_below(&b->random, 1000);
    for (size_t i = 0; i < n; i++)
        ones[i] = mask[i] = 1;
    bench_tolerance(b, "y", 1e9);
    bench_tolerance(b, "mask", 1);
    bench_op(b, OP_DROPOUT, attr, "y:mask x:ones");
    bench_op(b, OP_DROPOUT, attr, "");
    bench_check(b);
    size_t dropped = 0;
    const double keep = 1 / (1 - (double)b->call.dropout);
    const double *drawn = bench_find(b, "mask", 4)->actual, *got = bench_find(b, "y", 1)->actual;
    for (size_t i = 0; i < n; i++) {
        dropped += drawn[i] == 0;
        if (drawn[i] != 0 && fabs(drawn[i] - keep) > 1e-6)
            bench_fail(b, "dropout: a factor of %g", drawn[i]);
        if (fabs(got[i] - drawn[i] * x[i]) > 1e-6 * fabs(x[i]) * keep)
            bench_fail(b, "dropout: the second draw differs");
    }
    const double share = (double)dropped / (double)n, sigma = sqrt(0.2 * 0.8 / (double)n);
    if (fabs(share - (double)b->call.dropout) > (b->call.dropout > 0 ? 5 * sigma : 0))
        bench_fail(b, "dropout: %g of %g", share, (double)b->call.dropout);
}

// ---- all of them, on every table ----------------------------------------------------------------

typedef struct {
    const char *name;
    void (*check)(Bench *b); // sets the bench up; check_dropout judges, too
    bool is_convolution;     // also through OpenBLAS
} Family;

static const Family families[] = {
    {"conv", check_conv, true},
    {"conv, gradient of the input", check_conv_input, true},
    {"conv, gradient of the weights", check_conv_weights, true},
    {"winograd", check_winograd, false},
    {"winograd, gradient of the input", check_winograd_input, false},
    {"winograd, gradient of the weights", check_winograd_weights, false},
    {"zero", check_zero, false},
    {"depthwise", check_depthwise, false},
    {"depthwise, gradient of the input", check_depthwise_input, false},
    {"depthwise, gradient of the weights", check_depthwise_weights, false},
    {"batchnorm", check_batchnorm, false},
    {"batchnorm, inference", check_batchnorm_infer, false},
    {"batchnorm, backward", check_batchnorm_backward, false},
    {"batchnorm, statistics", check_batchnorm_stats, false},
    {"batchnorm, running statistics", check_batchnorm_running, false},
    {"affine sum", check_affine_sum, false},
    {"affine sum, backward", check_affine_sum_backward, false},
    {"affine sum, sums alone", check_affine_sum_reduce, false},
    {"affine sum, its scalars", check_affine_scalar, false},
    {"pull", check_pull, false},
    {"pull through batchnorm", check_pull_norm, false},
    {"affine pool", check_affine_pool, false},
    {"affine pool, sums", check_affine_pool_reduce, false},
    {"affine pool, backward", check_affine_pool_pull, false},
    {"relu", check_relu, false},
    {"relu, backward", check_relu_backward, false},
    {"weighted sum", check_weighted_sum, false},
    {"weighted sum, backward", check_weighted_sum_backward, false},
    {"attention", check_attention, false},
    {"attention, backward", check_attention_backward, false},
    {"concat", check_concat, false},
    {"concat, backward", check_concat_backward, false},
    {"adaptive pool", check_adaptive_pool, false},
    {"adaptive pool, backward", check_adaptive_pool_backward, false},
    {"average pool", check_average_pool, false},
    {"pack images", check_pack_images, false},
    {"unpack logits", check_unpack_logits, false},
    {"loss", check_loss, false},
    {"sgd", check_sgd, false},
    {"dropout", check_dropout, false},
};

typedef struct {
    const KernelEntry *kernels;
    Foreign *foreign; // another processor's
    const Family *family;
} Job;

static void test_family(void **state)
{
    const Job *job = *state;
    const char *seed = getenv("SEED");
    const uint64_t first = seed ? strtoull(seed, NULL, 10) : 1;
    const uint64_t rounds = job->foreign ? FOREIGN_ROUNDS : ROUNDS;
    const uint64_t last = seed ? first : getenv("NAGO_LONG") ? 20 * rounds : rounds;
    for (uint64_t round = first; round <= last; round++) {
        Bench *b = bench_open(job->kernels, job->foreign, round, job->family->name);
        job->family->check(b);
        if (!b->start) // not judged yet
            bench_check(b);
        bench_close(b);
    }
}

// An op that no family judged is one without a kernel in the table (inference of one image alone)
// or an int8 one: tests/test_int8_nets.c.
static void test_complete(void **state)
{
    const Job *job = *state;
    for (OpKind kind = 0; kind < OP_COUNT; kind++) {
        const KernelEntry *k = job->kernels;
        while (k->name && strcmp(k->name, op_info[kind].kernel) != 0)
            k++;
        if (k->name && !bench_ran[kind] && !op_is_int8(kind))
            fail_msg("no test of %s: add a family to tests/test_kernels.c", op_info[kind].kernel);
        if (!k->name && bench_ran[kind])
            fail_msg("%s has no kernel", op_info[kind].kernel);
    }
}

enum { MOST_TESTS = 6 * (int)COUNT_OF(families) };
static struct CMUnitTest tests[MOST_TESTS];
static Job jobs[MOST_TESTS];
static char names[MOST_TESTS][80];
static size_t n_tests;

static void add_test(const char *table, const Family *family, const KernelEntry *kernels,
                     Foreign *foreign, CMUnitTestFunction function)
{
    Job *job = &jobs[n_tests];
    *job = (Job){kernels, foreign, family};
    snprintf(names[n_tests], sizeof names[n_tests], "%s: %s", table,
             family ? family->name : "every op is tested");
    tests[n_tests] =
        (struct CMUnitTest){.name = names[n_tests], .test_func = function, .initial_state = job};
    n_tests++;
}

// One instruction set, or one way to compute convolutions; all families or the convolutions alone.
static void add_table(const char *name, const char *isa, const char *conv)
{
    Err err = {0};
    setenv("NAGO_ISA", isa, 1);
    setenv("NAGO_CONV", conv, 1);
    const KernelEntry *kernels = kernels_open(&err);
    if (!kernels) {
        print_message("# skipped: %s (%s)\n", name, err.message);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (!strcmp(conv, "direct") || families[i].is_convolution)
            add_test(name, &families[i], kernels, NULL, test_family);
    if (!strcmp(conv, "direct"))
        add_test(name, NULL, kernels, NULL, test_complete);
}

// AArch64's, where a cross compiler and an emulator are.
static void add_foreign(Foreign *foreign)
{
    const char *reason;
    if (!foreign_open(foreign, &reason)) {
        print_message("# skipped: neon (%s)\n", reason);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(families); i++)
        add_test("neon", &families[i], NULL, foreign, test_family);
}

int main(void)
{
    Foreign foreign;
#if defined(__aarch64__)
    add_table("neon", "neon", "direct");
#else
    add_table("avx512", "avx512", "direct");
    add_table("avx2", "avx2", "direct");
    add_table("base", "base", "direct");
#endif
    add_table("blas", "", "blas");
    add_foreign(&foreign);
    const int failed = _cmocka_run_group_tests("kernels", tests, n_tests, NULL, NULL);
    foreign_close(&foreign);
    return failed;
}
