// test_reference.c - the reference's ops against values worked out by hand or by another formula;
// its tensors' names; what its passes change and what they leave alone; a network computed by hand.
// (The oracle folders: test_verify.c; derivatives: test_gradients.c.)
#include "reference_nets.h"

#include <stdio.h>

static void assert_values(const double *actual, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_close(actual[i], expected[i], 1e-12);
}

// ---- ops ----------------------------------------------------------------------------------------

static double at_or_zero(const double *plane, int height, int width, int i, int j)
{
    return i < 0 || j < 0 || i >= height || j >= width ? 0 : plane[i * width + j];
}

// One output of a convolution by its definition, one tap at a time with the border tested for each.
static double conv_at(const ReferenceConv *conv, const double *x, const double *w, int n, int k,
                      int i, int j)
{
    int inputs = conv->depthwise ? 1 : conv->in.channels;
    int plane = conv->in.height * conv->in.width;
    double sum = 0;
    for (int c = 0; c < inputs; c++)
        for (int u = 0; u < conv->kernel_h; u++)
            for (int v = 0; v < conv->kernel_w; v++) {
                int channel = n * conv->in.channels + (conv->depthwise ? k : c);
                double value = at_or_zero(x + channel * plane, conv->in.height, conv->in.width,
                                          i * conv->stride + u - conv->kernel_h / 2,
                                          j * conv->stride + v - conv->kernel_w / 2);
                sum += value * w[((k * inputs + c) * conv->kernel_h + u) * conv->kernel_w + v];
            }
    return sum;
}

static void check_conv(ReferenceShape in, int out, int kernel_h, int kernel_w, int stride,
                       bool depthwise)
{
    ReferenceConv conv = reference_conv(in, out, kernel_h, kernel_w, stride, depthwise);
    double *x = random_values(reference_count(in), 1, 1);
    double *w = random_values((size_t)(out * in.channels * kernel_h * kernel_w), 2, 1);
    double *bias = random_values((size_t)out, 3, 1);
    double *y = random_values(reference_count(conv.out), 4, 1); // to be overwritten
    reference_conv_forward(&conv, x, w, bias, y);
    size_t at = 0;
    for (int n = 0; n < in.batch; n++)
        for (int k = 0; k < out; k++)
            for (int i = 0; i < conv.out.height; i++)
                for (int j = 0; j < conv.out.width; j++)
                    assert_close(y[at++], bias[k] + conv_at(&conv, x, w, n, k, i, j), 1e-12);
    reference_conv_forward(&conv, x, w, NULL, y);
    assert_close(y[0], conv_at(&conv, x, w, 0, 0, 0, 0), 1e-12);
    free(x);
    free(w);
    free(bias);
    free(y);
}

static void test_conv(void **state)
{
    (void)state;
    const int kernels[][2] = {{3, 3}, {5, 5}, {1, 1}, {3, 1}, {1, 3}};
    const ReferenceShape shapes[] = {{2, 3, 6, 5}, {1, 2, 1, 1}, {1, 2, 2, 3}, {1, 1, 7, 4}};
    for (size_t k = 0; k < COUNT_OF(kernels); k++)
        for (size_t s = 0; s < COUNT_OF(shapes); s++)
            for (int stride = 1; stride <= 3; stride++) {
                check_conv(shapes[s], 4, kernels[k][0], kernels[k][1], stride, false);
                check_conv(shapes[s], shapes[s].channels, kernels[k][0], kernels[k][1], stride,
                           true);
            }
}

// The stem of large images halves and rounds up.
static void test_conv_size(void **state)
{
    (void)state;
    ReferenceConv odd = reference_conv((ReferenceShape){1, 1, 41, 224}, 1, 3, 3, 2, false);
    assert_int_equal(odd.out.height, 21);
    assert_int_equal(odd.out.width, 112);
    ReferenceConv tall = reference_conv((ReferenceShape){1, 1, 9, 9}, 1, 3, 1, 1, false);
    assert_int_equal(tall.pad_h, 1);
    assert_int_equal(tall.pad_w, 0);
    assert_int_equal(tall.out.height, 9);
    assert_int_equal(tall.out.width, 9);
}

// x = 1, 3: mean 2, variance 1, unbiased variance 2.
static void test_norm(void **state)
{
    (void)state;
    ReferenceShape shape = {2, 1, 1, 1};
    double x[2] = {1, 3}, gamma = 2, beta = 5, mean, inverse, y[2];
    double running_mean = 10, running_var = 20, z = 1 / sqrt(1 + 1e-5);
    reference_norm_train(shape, x, &gamma, &beta, &running_mean, &running_var, &mean, &inverse, y);
    assert_close(mean, 2, 1e-15);
    assert_close(inverse, z, 1e-15);
    assert_values(y, (double[]){5 - 2 * z, 5 + 2 * z}, 2);
    assert_close(running_mean, 9.2, 1e-12);
    assert_close(running_var, 18.2, 1e-12);
    reference_norm_eval(shape, x, &gamma, &beta, &(double){1}, &(double){4 - 1e-5}, y);
    assert_values(y, (double[]){5, 7}, 2);
}

// One value in all: variance 0, and no division by count - 1 = 0.
static void test_norm_of_one_value(void **state)
{
    (void)state;
    double x = 7, gamma = 2, beta = 5, mean, inverse, y, running_mean = 0, running_var = 1;
    reference_norm_train((ReferenceShape){1, 1, 1, 1}, &x, &gamma, &beta, &running_mean,
                         &running_var, &mean, &inverse, &y);
    assert_close(y, 5, 1e-15);
    assert_close(running_mean, 0.7, 1e-15);
    assert_close(running_var, 0.9, 1e-15);
}

static void test_relu(void **state)
{
    (void)state;
    double x[5] = {-2, -0.0, 0, 3, NAN}, y[5], dx[5] = {0}, dy[5] = {1, 1, 1, 1, 1};
    reference_relu_forward(5, x, y);
    assert_values(y, (double[]){0, 0, 0, 3}, 4);
    assert_true(isnan(y[4]));
    reference_relu_backward(4, x, dy, dx);
    assert_values(dx, (double[]){0, 0, 0, 1}, 4); // 0 at the kink, as in PyTorch
}

static void test_combine(void **state)
{
    (void)state;
    double a[2] = {1, 2}, b[2] = {10, 20}, gate = log(3), y[2] = {99, 99}; // sigmoid(ln 3) = 3/4
    const double *x[2] = {a, b}, *gates[2] = {&gate, NULL}, *none[2] = {NULL, NULL};
    reference_combine_forward(2, 2, x, gates, 1, y);
    assert_values(y, (double[]){10.75, 21.5}, 2);
    reference_combine_forward(2, 2, x, none, 0.5, y);
    assert_values(y, (double[]){5.5, 11}, 2);
}

// Each sample has extremes of its own: m = 0 1 3 4 and -5 -5 5 5.
static void test_attention(void **state)
{
    (void)state;
    ReferenceShape shape = {2, 2, 1, 2};
    double m[8] = {0, 1, 3, 4, -5, -5, 5, 5}, s[8] = {1, 2, 4, 8, 1, 2, 4, 8}, b = 0, y[8];
    reference_attention_forward(shape, m, s, &b, y);
    assert_values(y, (double[]){0.5, 1.5, 5, 12, 0.5, 1, 6, 12}, 8);
}

// dy s = 1 2 3 4, m = 0 0 2 2: range 2, product = 2 (3 + 4); d range = -14/4, high gets d range,
// low -10/2 - d range, half of it each.
static void test_attention_ties(void **state)
{
    (void)state;
    double m[4] = {0, 0, 2, 2}, s[4] = {1, 1, 1, 1}, dy[4] = {1, 2, 3, 4}, b = 0, dm[4] = {0};
    reference_attention_backward((ReferenceShape){1, 1, 2, 2}, m, s, &b, dy, dm, NULL, NULL);
    assert_values(dm, (double[]){0.5 - 0.75, 1 - 0.75, 1.5 - 1.75, 2 - 1.75}, 4);
}

// A constant mask: m' = 0, the range is the floor of 1e-12, and the gradients of min and max are
// finite.
static void test_attention_of_constant(void **state)
{
    (void)state;
    double m[3] = {2, 2, 2}, s[3] = {1, 2, 3}, dy[3] = {1, 1, 1}, b = 0, y[3];
    double dm[3] = {0}, ds[3] = {0};
    reference_attention_forward((ReferenceShape){1, 3, 1, 1}, m, s, &b, y);
    assert_values(y, (double[]){0.5, 1, 1.5}, 3);
    reference_attention_backward((ReferenceShape){1, 3, 1, 1}, m, s, &b, dy, dm, ds, NULL);
    assert_values(ds, (double[]){0.5, 0.5, 0.5}, 3);
    assert_close(dm[0] * 1e-12, 1 - 2, 1e-9); // its own share less a third of the minimum's
    assert_close(dm[2] * 1e-12, 3 - 2, 1e-9);
}

// A range below the floor: moving the maximum moves m', not the range it is divided by.
static void test_attention_below_floor(void **state)
{
    (void)state;
    double m[2] = {0, 5e-13}, s[2] = {1, 1}, dy[2] = {0, 1}, b = 0, dm[2] = {0};
    reference_attention_backward((ReferenceShape){1, 1, 1, 2}, m, s, &b, dy, dm, NULL, NULL);
    assert_values(dm, (double[]){-1e12, 1e12}, 2);
}

static void test_concat(void **state)
{
    (void)state;
    double a[4] = {1, 2, 3, 4}, b[8] = {10, 20, 30, 40, 50, 60, 70, 80}, y[12];
    const double *x[2] = {a, b};
    reference_concat_forward((ReferenceShape){2, 3, 1, 2}, 2, (int[]){1, 2}, x, y);
    assert_values(y, (double[]){1, 2, 10, 20, 30, 40, 3, 4, 50, 60, 70, 80}, 12);
}

// The padding counts in the divisor: ones give 4, 6, 9 ninths from the corner to the middle.
static void test_pool(void **state)
{
    (void)state;
    double x[9], y[9];
    for (int i = 0; i < 9; i++)
        x[i] = 9;
    reference_pool_forward((ReferenceShape){1, 1, 3, 3}, 3, x, y);
    assert_values(y, (double[]){4, 6, 4, 6, 9, 6, 4, 6, 4}, 9);
    reference_pool_forward((ReferenceShape){1, 1, 3, 3}, 5, x, y);
    for (int i = 0; i < 9; i++)
        assert_close(y[i], 81.0 / 25, 1e-12);
}

static void test_adaptive_pool(void **state)
{
    (void)state;
    double x[7] = {1, 2, 4, 8, 16, 32, 64}, y[7];
    // 5 -> 3: rows 0-1, 1-3, 3-4.
    reference_adaptive_forward((ReferenceShape){1, 1, 5, 1}, 3, 1, x, y);
    assert_values(y, (double[]){1.5, 14.0 / 3, 12}, 3);
    // 7 -> 2: columns 0-3, 3-6.
    reference_adaptive_forward((ReferenceShape){1, 1, 1, 7}, 1, 2, x, y);
    assert_values(y, (double[]){15.0 / 4, 30}, 2);
    // 7 -> 1: all; 2 x 3 -> 1 x 3: columns stay.
    reference_adaptive_forward((ReferenceShape){1, 1, 1, 7}, 1, 1, x, y);
    assert_close(y[0], 127.0 / 7, 1e-12);
    reference_adaptive_forward((ReferenceShape){1, 1, 2, 3}, 1, 3, x, y);
    assert_values(y, (double[]){4.5, 9, 18}, 3);
}

static void test_linear(void **state)
{
    (void)state;
    double y[4];
    reference_linear_forward(2, 3, 2, (double[]){1, 2, 3, 4, 5, 6}, (double[]){1, 0, 2, 0, 1, 1},
                             (double[]){100, 200}, y);
    assert_values(y, (double[]){107, 205, 116, 211}, 4);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    double logits[4] = {0, log(3), 1000, 1000}, dlogits[4] = {0}; // softmax 1/4 3/4, 1/2 1/2
    int labels[2] = {1, 0};
    double want = (log(4.0 / 3) + log(2)) / 2;
    assert_close(reference_cross_entropy(2, 2, logits, labels, 0, dlogits), want, 1e-12);
    assert_values(dlogits, (double[]){0.125, -0.125, -0.25, 0.25}, 4);
    // Smoothing 0.2 over two classes: 0.9 on the label, 0.1 on the other.
    want = (0.9 * log(4.0 / 3) + 0.1 * log(4) + log(2)) / 2;
    assert_close(reference_cross_entropy(2, 2, logits, labels, 0.2, NULL), want, 1e-12);
    assert_close(reference_cross_entropy(0, 2, logits, labels, 0, NULL), 0, 0);
}

// g = 0.5 + 0.1 * 2 = 0.7, v = 0.7, p = 1.93; then g = 0.5 + 0.193, v = 0.63 + 0.693 = 1.323.
static void test_sgd(void **state)
{
    (void)state;
    double p = 2, v = 0, g = 0.5;
    reference_sgd(1, 0.1, 0.9, 0.1, &g, &v, &p);
    assert_close(v, 0.7, 1e-12);
    assert_close(p, 1.93, 1e-12);
    reference_sgd(1, 0.1, 0.9, 0.1, &g, &v, &p);
    assert_close(v, 1.323, 1e-12);
    assert_close(p, 1.7977, 1e-12);
}

// ---- networks -----------------------------------------------------------------------------------

typedef struct {
    const char *name;
    int rank, shape[4]; // rank 0: must not exist
} Named;

static const Named mixed_names[] = {
    {"first_conv.0.weight", 4, {2, 3, 3, 3}},
    {"first_conv.1.num_batches_tracked", 1, {1}},
    {"first_conv.3.bias", 1, {2}},
    {"first_conv.4.running_var", 1, {2}},
    {"first_conv.2.weight", 0, {0}},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.weight", 4, {2, 2, 5, 5}},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {2}},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.weight", 0, {0}}, // a pool
    {"node_ops.0.node_ops.0.node_ops.3.merger.0.mean", 1, {1}},
    {"node_ops.0.node_ops.0.node_ops.3.merger.2.mean", 1, {1}},
    {"node_ops.0.node_ops.0.node_ops.3.merger.3.mean", 1, {1}}, // b of the attention
    {"node_ops.0.node_ops.0.node_ops.3.operation.op.weight", 4, {2, 2, 1, 3}},
    {"node_ops.0.node_ops.0.node_ops.4.operation.op.weight", 4, {2, 2, 3, 1}},
    {"node_ops.0.node_ops.0.node_ops.4.merger.0.mean", 0, {0}}, // one input
    {"node_ops.0.node_ops.2.merger.0.weight", 4, {3, 2, 1, 1}}, // the last input decides
    {"node_ops.0.node_ops.2.merger.0.mean", 0, {0}},
    {"node_ops.0.node_ops.2.merger.1.mean", 1, {1}},
    {"node_ops.0.node_ops.2.merger.2.mean", 0, {0}}, // a sum has no b
    {"node_ops.2.node_ops.0.node_ops.2.operation.op.weight", 4, {4, 6, 3, 3}},
    {"node_ops.2.node_ops.0.node_ops.2.merger.0.mean", 0, {0}}, // a concat
    {"node_ops.3.merger.0.weight", 4, {4, 2, 1, 1}},
    {"node_ops.3.merger.0.bias", 1, {4}},
    {"node_ops.3.merger.3.mean", 1, {1}},
    {"node_ops.4.node_ops.0.node_ops.0.operation.op.weight", 4, {6, 8, 1, 1}},
    {"out_mergers.0.weight", 4, {6, 5, 1, 1}}, // of cells 3 4 5 6, channels 5 6 3 6
    {"out_mergers.1.weight", 0, {0}},
    {"out_mergers.2.bias", 1, {6}},
    {"out_mergers.3.weight", 0, {0}},
    {"conv_out.1.weight", 4, {1280, 6, 1, 1}},
    {"conv_out.2.weight", 1, {1280}},
    {"fc.weight", 2, {4, 1280}},
};

static const Named large_names[] = {
    {"first_conv.0.depthwise.weight", 4, {3, 1, 3, 3}},
    {"first_conv.0.pointwise.weight", 4, {1, 3, 1, 1}}, // half of 3 channels
    {"first_conv.1.running_mean", 1, {1}},
    {"first_conv.2.conv.depthwise.bias", 1, {1}},
    {"first_conv.2.conv.pointwise.weight", 4, {3, 1, 1, 1}},
    {"first_conv.2.bn.weight", 1, {3}},
    {"first_conv.3.weight", 0, {0}},
    {"node_ops.2.merger.1.mean", 1, {1}},
    {"out_mergers.0.weight", 0, {0}},
};

static const Named depthwise_names[] = {
    {"first_conv.3.weight", 4, {3, 3, 3, 3}},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.depthwise.weight", 4, {4, 1, 5, 5}},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.pointwise.weight", 4, {3, 4, 1, 1}},
    {"node_ops.0.node_ops.0.node_ops.2.merger.0.weight", 4, {4, 3, 1, 1}},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.depthwise.weight", 4, {3, 1, 1, 3}},
    {"node_ops.0.node_ops.0.node_ops.3.operation.op.weight", 0, {0}},
};

static void check_names(const NetText *net, const Named *names, size_t count)
{
    Pool *pool = pool_new();
    Reference *reference = reference_open(net_arch(net, pool));
    for (size_t i = 0; i < count; i++) {
        const ReferenceTensor *tensor = reference_find(reference, names[i].name);
        if ((tensor ? tensor->rank : 0) != names[i].rank)
            fail_msg("%s: %s has rank %d, expected %d", net->name, names[i].name,
                     tensor ? tensor->rank : 0, names[i].rank);
        for (int d = 0; d < names[i].rank; d++)
            assert_int_equal(tensor->shape[d], names[i].shape[d]);
    }
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        ReferenceTensor *tensor = reference_tensor(reference, i);
        assert_ptr_equal(reference_find(reference, tensor->name), tensor); // no name twice
        assert_int_equal(tensor->grad != NULL, tensor->kind == REFERENCE_PARAM);
    }
    assert_null(reference_find(reference, "fc"));
    reference_close(reference);
    pool_free(pool);
}

static void test_names(void **state)
{
    (void)state;
    check_names(&net_mixed, mixed_names, COUNT_OF(mixed_names));
    check_names(&net_large, large_names, COUNT_OF(large_names));
    check_names(&net_depthwise, depthwise_names, COUNT_OF(depthwise_names));
}

static void test_training_pass(void **state)
{
    (void)state;
    Fixture f = fixture_open(&net_mixed);
    f.batch.labels = f.labels;
    ReferenceTensor *mean = reference_find(f.reference, "first_conv.1.running_mean");
    ReferenceTensor *tracked = reference_find(f.reference, "first_conv.1.num_batches_tracked");
    double before = mean->values[0], logits[12], again[12];
    double loss = reference_loss(f.reference, &f.batch);
    assert_close(mean->values[0], before, 0);
    assert_close(tracked->values[0], 0, 0);
    assert_close(reference_gradients(f.reference, &f.batch, logits), loss, 0);
    assert_true(mean->values[0] != before);
    assert_close(tracked->values[0], 1, 0);
    assert_close(reference_cross_entropy(3, 4, logits, f.labels, 0, NULL), loss, 0);
    // Batch statistics: the second pass gives the same logits though the running ones have moved.
    reference_gradients(f.reference, &f.batch, again);
    assert_memory_equal(logits, again, sizeof logits);
    fixture_close(&f);
}

static void test_dropout_mask(void **state)
{
    (void)state;
    Fixture f = fixture_open(&net_depthwise);
    f.batch.labels = f.labels;
    double logits[9], masked[9], *mask = xcalloc(3 * HEAD_CHANNELS, sizeof *mask);
    f.batch.dropout = mask;
    reference_gradients(f.reference, &f.batch, masked);
    ReferenceTensor *bias = reference_find(f.reference, "fc.bias");
    ReferenceTensor *stem = reference_find(f.reference, "first_conv.0.weight");
    for (int n = 0; n < 3; n++)
        assert_values(masked + 3 * n, bias->values, 3);
    for (size_t i = 0; i < stem->count; i++)
        assert_close(stem->grad[i], 0, 0);
    for (size_t i = 0; i < 3 * HEAD_CHANNELS; i++)
        mask[i] = 1;
    reference_gradients(f.reference, &f.batch, masked);
    f.batch.dropout = NULL;
    reference_gradients(f.reference, &f.batch, logits);
    assert_values(masked, logits, 9);
    free(mask);
    fixture_close(&f);
}

// In evaluation an image's answer does not depend on what stands beside it, and nothing changes.
static void test_evaluation(void **state)
{
    (void)state;
    const NetText *nets[] = {&net_mixed, &net_depthwise, &net_large};
    for (size_t k = 0; k < COUNT_OF(nets); k++) {
        Fixture f = fixture_open(nets[k]);
        ReferenceTensor *fc = reference_find(f.reference, "fc.bias");
        size_t classes = fc->count, pixels = 0;
        double together[12], alone[12];
        Arch *arch = net_arch(nets[k], f.pool);
        pixels = (size_t)(3 * arch->height * arch->width);
        reference_infer(f.reference, f.images, 3, together);
        reference_infer(f.reference, f.images + pixels, 1, alone);
        assert_memory_equal(together + classes, alone, classes * sizeof(double));
        assert_memory_not_equal(together, alone, classes * sizeof(double));
        fixture_close(&f);
    }
}

// A few steps on one batch must lower its loss.
static void test_learning(void **state)
{
    (void)state;
    Fixture f = fixture_open(&net_depthwise);
    f.batch.labels = f.labels;
    double first = reference_gradients(f.reference, &f.batch, NULL), last = first;
    for (int i = 0; i < 10; i++) {
        reference_update(f.reference, 0.01, 0.9, 1e-4);
        last = reference_gradients(f.reference, &f.batch, NULL);
    }
    assert_true(last < 0.7 * first);
    fixture_close(&f);
}

// ---- a network by hand --------------------------------------------------------------------------

// An activation of one image in a place of its own.
typedef struct {
    ReferenceShape shape;
    double x[HEAD_CHANNELS * 99];
} Hand;

static const double *hand_values(Reference *reference, const char *name, const char *suffix)
{
    char full[128];
    snprintf(full, sizeof full, "%s.%s", name, suffix);
    const ReferenceTensor *tensor = reference_find(reference, full);
    if (!tensor)
        fail_msg("no tensor %s", full);
    return tensor->values;
}

static void hand_relu(Hand *a)
{
    for (size_t i = 0; i < reference_count(a->shape); i++)
        a->x[i] = fmax(a->x[i], 0);
}

static void hand_conv(Reference *reference, const char *name, int out, int kernel_h, int kernel_w,
                      Hand *a)
{
    ReferenceConv conv = reference_conv(a->shape, out, kernel_h, kernel_w, 1, false);
    double *y = xcalloc(reference_count(conv.out), sizeof *y);
    reference_conv_forward(&conv, a->x, hand_values(reference, name, "weight"),
                           hand_values(reference, name, "bias"), y);
    a->shape = conv.out;
    memcpy(a->x, y, reference_count(conv.out) * sizeof *y);
    free(y);
}

static void hand_norm(Reference *reference, const char *name, Hand *a)
{
    size_t plane = (size_t)a->shape.height * (size_t)a->shape.width;
    for (size_t i = 0; i < reference_count(a->shape); i++) {
        size_t c = i / plane;
        a->x[i] = (a->x[i] - hand_values(reference, name, "running_mean")[c]) /
                      sqrt(hand_values(reference, name, "running_var")[c] + 1e-5) *
                      hand_values(reference, name, "weight")[c] +
                  hand_values(reference, name, "bias")[c];
    }
}

static void hand_op(Reference *reference, const char *name, int out, int kernel_h, int kernel_w,
                    Hand *a)
{
    char part[128];
    hand_relu(a);
    snprintf(part, sizeof part, "%s.operation.op", name);
    hand_conv(reference, part, out, kernel_h, kernel_w, a);
    snprintf(part, sizeof part, "%s.operation.bn", name);
    hand_norm(reference, part, a);
}

static void hand_resize(int height, int width, Hand *a)
{
    double *y = xcalloc(reference_count(a->shape), sizeof *y);
    reference_adaptive_forward(a->shape, height, width, a->x, y);
    a->shape.height = height;
    a->shape.width = width;
    memcpy(a->x, y, reference_count(a->shape) * sizeof *y);
    free(y);
}

static void hand_mean(const Hand *b, Hand *a)
{
    assert_memory_equal(&a->shape, &b->shape, sizeof a->shape);
    for (size_t i = 0; i < reference_count(a->shape); i++)
        a->x[i] = (a->x[i] + b->x[i]) / 2;
}

// x_0 (2 channels, through a 1x1 convolution) is the mask M, sigmoid(a_1) x_1 the sum S.
static void hand_attention(Reference *reference, const Hand *x1, Hand *a)
{
    double low = INFINITY, high = -INFINITY;
    double gate = 1 / (1 + exp(-*hand_values(reference, "node_ops.2.merger.1", "mean")));
    double b = 1 / (1 + exp(-*hand_values(reference, "node_ops.2.merger.2", "mean")));
    hand_conv(reference, "node_ops.2.merger.0", 3, 1, 1, a);
    for (size_t i = 0; i < reference_count(a->shape); i++) {
        low = fmin(low, a->x[i]);
        high = fmax(high, a->x[i]);
    }
    for (size_t i = 0; i < reference_count(a->shape); i++)
        a->x[i] = gate * x1->x[i] * (b + (a->x[i] - low) / (high - low));
}

static void hand_stem(Reference *reference, const double *image, Hand *a)
{
    a->shape = (ReferenceShape){1, 3, 9, 11};
    memcpy(a->x, image, 297 * sizeof *image);
    hand_conv(reference, "first_conv.0", 2, 3, 3, a);
    hand_norm(reference, "first_conv.1", a);
    hand_relu(a);
    hand_conv(reference, "first_conv.3", 2, 3, 3, a);
    hand_norm(reference, "first_conv.4", a);
}

static void hand_head(Reference *reference, Hand *a, double *logits)
{
    hand_relu(a);
    hand_conv(reference, "conv_out.1", HEAD_CHANNELS, 1, 1, a);
    hand_norm(reference, "conv_out.2", a);
    hand_relu(a);
    hand_resize(1, 1, a);
    reference_linear_forward(1, HEAD_CHANNELS, 3, a->x, hand_values(reference, "fc", "weight"),
                             hand_values(reference, "fc", "bias"), logits);
}

static void test_network_by_hand(void **state)
{
    (void)state;
    static Hand cell0, other, cell1, cell2, cell3;
    Fixture f = fixture_open(&net_hand);
    Reference *r = f.reference;
    double logits[3], want[3];
    reference_infer(r, f.images, 1, logits);
    hand_stem(r, f.images, &cell0);
    cell1 = other = cell0;
    hand_op(r, "node_ops.0.node_ops.0.node_ops.0", 2, 3, 3, &cell0);
    hand_op(r, "node_ops.0.node_ops.0.node_ops.1", 2, 1, 1, &other);
    hand_mean(&other, &cell0);
    hand_resize(4, 5, &cell1);
    hand_op(r, "node_ops.1.node_ops.0.node_ops.0", 3, 1, 1, &cell1);
    cell2 = cell3 = cell0;
    hand_resize(4, 5, &cell2);
    hand_attention(r, &cell1, &cell2);
    hand_op(r, "node_ops.2.node_ops.0.node_ops.0", 4, 3, 3, &cell2);
    hand_op(r, "node_ops.3.node_ops.0.node_ops.0", 3, 1, 3, &cell3);
    hand_conv(r, "out_mergers.0", 3, 1, 1, &cell2);
    hand_resize(4, 5, &cell3);
    hand_mean(&cell3, &cell2);
    hand_head(r, &cell2, want);
    assert_values(logits, want, 3);
    assert_true(fabs(logits[0] - logits[1]) > 1e-3);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_conv_size),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_norm_of_one_value),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_combine),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_attention_ties),
        cmocka_unit_test(test_attention_of_constant),
        cmocka_unit_test(test_attention_below_floor),
        cmocka_unit_test(test_concat),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_adaptive_pool),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_training_pass),
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_evaluation),
        cmocka_unit_test(test_learning),
        cmocka_unit_test(test_network_by_hand),
    };
    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
