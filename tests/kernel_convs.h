// kernel_convs.h - cases for test_kernels.c: convolutions, direct, by Winograd and depthwise, in
// all three directions.
#ifndef TEST_KERNEL_CONVS_H
#define TEST_KERNEL_CONVS_H

#include "kernel_bench.h"

static const int conv_kernels[][2] = {{3, 3}, {5, 5}, {1, 1}, {3, 1}, {1, 3}};

typedef struct {
    int channels, filters, height, width, kernel_h, kernel_w, stride;
} ConvShape;

// Channels to 40 (now and then to 300), sides to 20, small enough together for plain loops.
static ConvShape draw_conv(Bench *b)
{
    ConvShape s;
    do {
        const int most = random_below(&b->random, 4) ? 40 : 300;
        const int *kernel = conv_kernels[random_below(&b->random, COUNT_OF(conv_kernels))];
        s = (ConvShape){bench_draw(b, 1, most),
                        bench_draw(b, 1, most),
                        bench_draw(b, 1, 20),
                        bench_draw(b, 1, 20),
                        kernel[0],
                        kernel[1],
                        bench_draw(b, 1, 2)};
    } while ((double)b->count * s.channels * s.filters * s.height * s.width * s.kernel_h *
                 s.kernel_w >
             4e6);
    return s;
}

static Attr conv_attr(ConvShape s)
{
    return (Attr){.channels = s.channels,
                  .height = s.height,
                  .width = s.width,
                  .filters = s.filters,
                  .kernel_h = s.kernel_h,
                  .kernel_w = s.kernel_w};
}

static ReferenceConv reference_of(const Bench *b, ConvShape s, int stride, bool depthwise)
{
    return reference_conv((ReferenceShape){b->count, s.channels, s.height, s.width},
                          depthwise ? s.channels : s.filters, s.kernel_h, s.kernel_w, stride,
                          depthwise);
}

// ---- convolution --------------------------------------------------------------------------------

static void check_conv(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    const size_t taps = (size_t)(s.channels * s.kernel_h * s.kernel_w),
                 n = reference_count(conv.out);
    const bool has_bias = random_below(&b->random, 3);
    Attr attr = conv_attr(s);
    attr.accumulate = (int)random_below(&b->random, 2);
    const double *w = bench_vector(b, "w", taps * (size_t)s.filters);
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *bias = has_bias ? bench_vector(b, "b", (size_t)s.filters) : NULL;
    bench_between(b, "p", taps * (size_t)s.filters);
    double *y = bench_result(b, "y", s.filters, s.height, s.width, attr.accumulate);
    double *plain = xcalloc(n, sizeof *plain);
    reference_conv_forward(&conv, x, w, bias, plain);
    add(y, plain, n);
    free(plain);
    attr.relu = draw_relu(b, OP_CONV, y, n);
    bench_op(b, OP_PACK_WEIGHTS, attr, "");
    bench_op(b, OP_CONV, attr, "");
}

static void check_conv_input(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    const size_t weights = (size_t)(s.filters * s.channels * s.kernel_h * s.kernel_w);
    Attr back = conv_attr(s);
    back.channels = s.filters;
    back.filters = s.channels;
    back.accumulate = (int)random_below(&b->random, 2);
    const double *w = bench_vector(b, "w", weights);
    const double *dy = bench_gradient(b, "dy", s.filters, s.height, s.width);
    bench_between(b, "p", weights);
    double *dx = bench_result_gradient(b, "dx", s.channels, s.height, s.width, back.accumulate);
    reference_conv_backward(&conv, dx, w, dy, dx, NULL, NULL);
    bench_op(b, OP_PACK_WEIGHTS_BACKWARD, conv_attr(s), "");
    bench_op(b, OP_CONV, back, "y:dx x:dy");
}

static void check_conv_weights(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    const size_t weights = (size_t)(s.filters * s.channels * s.kernel_h * s.kernel_w);
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *dy = bench_gradient(b, "dy", s.filters, s.height, s.width);
    double *dw = bench_result_vector(b, "dw", weights, false);
    double *db = bench_result_vector(b, "db", (size_t)s.filters, false);
    reference_conv_backward(&conv, x, dw, dy, NULL, dw, db);
    bench_op(b, OP_CONV_WEIGHTS_BACKWARD, conv_attr(s), "");
    bench_op(b, OP_CHANNEL_SUM, (Attr){.channels = s.filters, .size = s.height * s.width}, "");
}

static void check_zero(Bench *b)
{
    const int size = bench_draw(b, 1, 100), inputs = bench_draw(b, 1, 5);
    for (int i = 0; i < inputs; i++)
        bench_result_vector(b, pool_printf(b->pool, "gs%d", i), (size_t)size, false);
    bench_op(b, OP_ZERO, (Attr){.inputs = inputs, .size = size}, "");
}

// ---- Winograd -----------------------------------------------------------------------------------

enum { WINOGRAD_PARTS = 3 }; // parts: as many as bench_check runs
#define WINOGRAD_TOLERANCE 2e-4

static size_t count_points(ConvShape s)
{
    return (size_t)((s.kernel_h + 3) * (s.kernel_h + 3));
}

// A 3x3 or 5x5 shape with tiles in blocks of any size, and the scratch for blocks of `rows`
// channels.
static ConvShape draw_winograd(Bench *b)
{
    ConvShape s;
    do
        s = draw_conv(b);
    while (s.kernel_h != s.kernel_w || s.kernel_h == 1);
    return s;
}

static int draw_block(Bench *b, ConvShape s, int rows)
{
    const int block = bench_draw(b, 1, random_below(&b->random, 2) ? 3 : 40);
    bench_between(b, "scratch",
                  (size_t)(WINOGRAD_PARTS * block * LANES * rows) * (s.kernel_h == 3 ? 36 : 65));
    return block;
}

// No program adds to something and has a bias, too.
static void check_winograd(Bench *b)
{
    const ConvShape s = draw_winograd(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    const size_t n = reference_count(conv.out);
    Attr attr = conv_attr(s);
    attr.accumulate = (int)random_below(&b->random, 2);
    attr.block = draw_block(b, s, s.channels + s.filters);
    const double *w =
        bench_vector(b, "w", (size_t)(s.kernel_h * s.kernel_w * s.channels * s.filters));
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *bias = attr.accumulate ? NULL : bench_vector(b, "b", (size_t)s.filters);
    bench_between(b, "u", count_points(s) * (size_t)(s.channels * s.filters));
    double *y = bench_result(b, "y", s.filters, s.height, s.width, attr.accumulate);
    double *plain = xcalloc(n, sizeof *plain);
    reference_conv_forward(&conv, x, w, bias, plain);
    add(y, plain, n);
    free(plain);
    bench_tolerance(b, "y", WINOGRAD_TOLERANCE);
    attr.relu = draw_relu(b, OP_WINOGRAD, y, n);
    bench_op(b, OP_WINOGRAD_PACK, attr, "");
    bench_op(b, OP_WINOGRAD, attr, "");
}

static void check_winograd_input(Bench *b)
{
    const ConvShape s = draw_winograd(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    Attr back = conv_attr(s);
    back.channels = s.filters;
    back.filters = s.channels;
    back.accumulate = (int)random_below(&b->random, 2);
    back.block = draw_block(b, s, s.channels + s.filters);
    const double *w =
        bench_vector(b, "w", (size_t)(s.kernel_h * s.kernel_w * s.channels * s.filters));
    const double *dy = bench_gradient(b, "dy", s.filters, s.height, s.width);
    bench_between(b, "u", count_points(s) * (size_t)(s.channels * s.filters));
    double *dx = bench_result_gradient(b, "dx", s.channels, s.height, s.width, back.accumulate);
    reference_conv_backward(&conv, dx, w, dy, dx, NULL, NULL);
    bench_tolerance(b, "dx", WINOGRAD_TOLERANCE);
    bench_op(b, OP_WINOGRAD_PACK_BACKWARD, conv_attr(s), "");
    bench_op(b, OP_WINOGRAD, back, "y:dx x:dy");
}

static void check_winograd_weights(Bench *b)
{
    const ConvShape s = draw_winograd(b);
    const ReferenceConv conv = reference_of(b, s, 1, false);
    const int rows = (s.filters + 15) / 16 * 16;
    Attr attr = conv_attr(s);
    attr.block = draw_block(b, s, s.channels + rows);
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *dy = bench_gradient(b, "dy", s.filters, s.height, s.width);
    bench_between(b, "du", count_points(s) * (size_t)(s.channels * rows));
    double *dw = bench_result_vector(
        b, "dw", (size_t)(s.kernel_h * s.kernel_w * s.channels * s.filters), false);
    reference_conv_backward(&conv, x, dw, dy, NULL, dw, NULL);
    bench_tolerance(b, "dw", WINOGRAD_TOLERANCE);
    bench_op(b, OP_WINOGRAD_WEIGHTS, attr, "");
    bench_op(b, OP_WINOGRAD_WEIGHTS_FINISH, attr, "");
}

// ---- depthwise ----------------------------------------------------------------------------------

static Attr depthwise_attr(ConvShape s, const ReferenceConv *conv)
{
    Attr attr = conv_attr(s);
    attr.stride = s.stride;
    attr.out_height = conv->out.height;
    attr.out_width = conv->out.width;
    return attr;
}

static void check_depthwise(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, s.stride, true);
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *w = bench_vector(b, "w", (size_t)(s.channels * s.kernel_h * s.kernel_w));
    const double *bias = bench_vector(b, "b", (size_t)s.channels);
    double *y = bench_result(b, "y", s.channels, conv.out.height, conv.out.width, false);
    reference_conv_forward(&conv, x, w, bias, y);
    bench_op(b, OP_DEPTHWISE, depthwise_attr(s, &conv), "");
}

static void check_depthwise_input(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, s.stride, true);
    Attr attr = depthwise_attr(s, &conv);
    attr.accumulate = (int)random_below(&b->random, 2);
    const double *w = bench_vector(b, "w", (size_t)(s.channels * s.kernel_h * s.kernel_w));
    const double *dy = bench_gradient(b, "dy", s.channels, conv.out.height, conv.out.width);
    double *dx = bench_result_gradient(b, "dx", s.channels, s.height, s.width, attr.accumulate);
    reference_conv_backward(&conv, dx, w, dy, dx, NULL, NULL);
    bench_op(b, OP_DEPTHWISE_BACKWARD, attr, "");
}

static void check_depthwise_weights(Bench *b)
{
    const ConvShape s = draw_conv(b);
    const ReferenceConv conv = reference_of(b, s, s.stride, true);
    const double *x = bench_activation(b, "x", s.channels, s.height, s.width);
    const double *dy = bench_gradient(b, "dy", s.channels, conv.out.height, conv.out.width);
    double *dw =
        bench_result_vector(b, "dw", (size_t)(s.channels * s.kernel_h * s.kernel_w), false);
    double *db = bench_result_vector(b, "db", (size_t)s.channels, false);
    reference_conv_backward(&conv, x, dw, dy, NULL, dw, db);
    bench_op(b, OP_DEPTHWISE_WEIGHTS_BACKWARD, depthwise_attr(s, &conv), "");
}

#endif
