// test_gradients.c - every backward function of the reference against central differences in double
// precision: each op alone, then whole small networks, parameter by parameter.
#include "reference_nets.h"

#include <stdio.h>

// ---- one op -------------------------------------------------------------------------------------

enum { MAX_INPUTS = 5 };

// An op as a function of its inputs (activations and parameters alike): y = forward(x).
typedef struct Case Case;
struct Case {
    void (*forward)(const Case *op, double *y);
    // Adds to dx[j]; any of them may be NULL.
    void (*backward)(const Case *op, const double *dy, double **dx);
    int n_inputs;
    size_t count[MAX_INPUTS], n_outputs;
    double *x[MAX_INPUTS];
    // what the op is set by
    ReferenceShape shape;
    ReferenceConv conv;
    int kernel, height, width, channels[MAX_INPUTS];
    double scale, smoothing;
    const int *labels;
    bool has_gate[MAX_INPUTS];
};

static double weighted_sum(const Case *op, const double *weights, double *y)
{
    double sum = 0;
    op->forward(op, y);
    for (size_t i = 0; i < op->n_outputs; i++)
        sum += weights[i] * y[i];
    return sum;
}

// Fourth-order central difference: the error is about step^4 times the fifth derivative, so that a
// step of 1e-3 leaves 1e-11.
static double difference(const Case *op, const double *weights, double *y, double *x)
{
    static const double step = 1e-3;
    double at = *x, value[4];
    for (int i = 0; i < 4; i++) {
        *x = at + step * (int[]){-2, -1, 1, 2}[i];
        value[i] = weighted_sum(op, weights, y);
    }
    *x = at;
    return (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * step);
}

// The gradient of sum_i weights[i] y[i] for every element of every input; and that backward adds to
// what is there and passes over a gradient that is not wanted.
static void check_op(Case *op)
{
    double *weights = random_values(op->n_outputs, 7, 1), *dx[MAX_INPUTS] = {0};
    double *y = xcalloc(op->n_outputs, sizeof *y);
    for (int j = 0; j < op->n_inputs; j++) {
        dx[j] = xcalloc(op->count[j], sizeof(double));
        for (size_t i = 0; i < op->count[j]; i++)
            dx[j][i] = 0.25;
    }
    op->backward(op, weights, dx);
    for (int j = 0; j < op->n_inputs; j++)
        for (size_t i = 0; i < op->count[j]; i++) {
            double want = 0.25 + difference(op, weights, y, &op->x[j][i]);
            if (!(fabs(dx[j][i] - want) <= 1e-8 * fmax(1, fabs(want))))
                fail_msg("input %d element %zu: backward %.12g, difference %.12g", j, i, dx[j][i],
                         want);
        }
    double *none[MAX_INPUTS] = {0}, *one[MAX_INPUTS] = {0};
    op->backward(op, weights, none);
    for (int j = 0; j < op->n_inputs; j++) {
        one[j] = xcalloc(op->count[j], sizeof(double));
        op->backward(op, weights, one);
        for (size_t i = 0; i < op->count[j]; i++)
            assert_true(fabs(one[j][i] + 0.25 - dx[j][i]) <= 1e-12 * fmax(1, fabs(dx[j][i])));
        free(one[j]);
        one[j] = NULL;
    }
    for (int j = 0; j < op->n_inputs; j++) {
        free(dx[j]);
        free(op->x[j]);
    }
    free(weights);
    free(y);
}

static void case_input(Case *op, size_t count, double scale)
{
    op->count[op->n_inputs] = count;
    op->x[op->n_inputs] = random_values(count, 100 + (uint64_t)op->n_inputs, scale);
    op->n_inputs++;
}

// ---- convolution --------------------------------------------------------------------------------

static void conv_forward(const Case *op, double *y)
{
    reference_conv_forward(&op->conv, op->x[0], op->x[1], op->x[2], y);
}

static void conv_backward(const Case *op, const double *dy, double **dx)
{
    reference_conv_backward(&op->conv, op->x[0], op->x[1], dy, dx[0], dx[1], dx[2]);
}

static void check_conv(ReferenceShape in, int out_channels, int kernel_h, int kernel_w, int stride,
                       bool depthwise)
{
    Case op = {.forward = conv_forward, .backward = conv_backward};
    op.conv = reference_conv(in, out_channels, kernel_h, kernel_w, stride, depthwise);
    op.n_outputs = reference_count(op.conv.out);
    case_input(&op, reference_count(in), 1);
    case_input(&op, (size_t)(out_channels * (depthwise ? 1 : in.channels) * kernel_h * kernel_w),
               0.5);
    case_input(&op, (size_t)out_channels, 1);
    check_op(&op);
}

static void test_conv(void **state)
{
    (void)state;
    const int kernels[][2] = {{3, 3}, {5, 5}, {1, 1}, {3, 1}, {1, 3}};
    const ReferenceShape shapes[] = {{2, 3, 5, 7}, {1, 2, 4, 4}, {2, 1, 1, 1}, {1, 2, 2, 1}};
    for (size_t k = 0; k < COUNT_OF(kernels); k++)
        for (size_t s = 0; s < COUNT_OF(shapes); s++)
            for (int stride = 1; stride <= 3; stride++) {
                int kernel_h = kernels[k][0], kernel_w = kernels[k][1];
                check_conv(shapes[s], 2, kernel_h, kernel_w, stride, false);
                check_conv(shapes[s], shapes[s].channels, kernel_h, kernel_w, stride, true);
            }
}

// ---- batch normalisation ------------------------------------------------------------------------

static void norm_forward(const Case *op, double *y)
{
    double mean[8], inverse[8];
    reference_norm_train(op->shape, op->x[0], op->x[1], op->x[2], NULL, NULL, mean, inverse, y);
}

static void norm_backward(const Case *op, const double *dy, double **dx)
{
    double mean[8], inverse[8];
    double *y = xcalloc(op->n_outputs, sizeof *y);
    reference_norm_train(op->shape, op->x[0], op->x[1], op->x[2], NULL, NULL, mean, inverse, y);
    reference_norm_backward(op->shape, op->x[0], op->x[1], mean, inverse, dy, dx[0], dx[1], dx[2]);
    free(y);
}

static void test_norm(void **state)
{
    (void)state;
    const ReferenceShape shapes[] = {{3, 2, 4, 3}, {1, 3, 3, 3}, {5, 2, 1, 1}, {1, 2, 1, 1}};
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        Case op = {.forward = norm_forward, .backward = norm_backward, .shape = shapes[i]};
        op.n_outputs = reference_count(op.shape);
        case_input(&op, op.n_outputs, 2);
        case_input(&op, (size_t)op.shape.channels, 1);
        case_input(&op, (size_t)op.shape.channels, 1);
        check_op(&op);
    }
}

// ---- elementwise and merges ---------------------------------------------------------------------

static void relu_forward(const Case *op, double *y)
{
    reference_relu_forward(op->n_outputs, op->x[0], y);
}

static void relu_backward(const Case *op, const double *dy, double **dx)
{
    if (dx[0])
        reference_relu_backward(op->n_outputs, op->x[0], dy, dx[0]);
}

static void test_relu(void **state)
{
    (void)state;
    Case op = {.forward = relu_forward, .backward = relu_backward, .n_outputs = 60};
    case_input(&op, 60, 1);
    for (size_t i = 0; i < 60; i++) // away from the kink
        op.x[0][i] += op.x[0][i] < 0 ? -0.1 : 0.1;
    check_op(&op);
}

// Inputs 0..n-1 are activations, the next ones the gates of those that have one.
static void combine_arguments(const Case *op, int n, const double **x, const double **gates)
{
    int next = n;
    for (int j = 0; j < n; j++) {
        x[j] = op->x[j];
        gates[j] = op->has_gate[j] ? op->x[next++] : NULL;
    }
}

static void combine_forward(const Case *op, double *y)
{
    const double *x[MAX_INPUTS], *gates[MAX_INPUTS];
    combine_arguments(op, op->kernel, x, gates);
    reference_combine_forward(op->n_outputs, op->kernel, x, gates, op->scale, y);
}

static void combine_backward(const Case *op, const double *dy, double **dx)
{
    const double *x[MAX_INPUTS], *gates[MAX_INPUTS];
    double *dgates[MAX_INPUTS];
    int next = op->kernel;
    combine_arguments(op, op->kernel, x, gates);
    for (int j = 0; j < op->kernel; j++)
        dgates[j] = op->has_gate[j] ? dx[next++] : NULL;
    reference_combine_backward(op->n_outputs, op->kernel, x, gates, op->scale, dy, dx, dgates);
}

static void check_combine(int n, const bool *has_gate, double scale)
{
    Case op = {.forward = combine_forward, .backward = combine_backward, .kernel = n};
    op.n_outputs = 24;
    op.scale = scale;
    for (int j = 0; j < n; j++)
        case_input(&op, op.n_outputs, 1);
    for (int j = 0; j < n; j++) {
        op.has_gate[j] = has_gate[j];
        if (has_gate[j])
            case_input(&op, 1, 2);
    }
    check_op(&op);
}

static void test_sum_merge(void **state)
{
    (void)state;
    check_combine(2, (const bool[]){true, true}, 1);
    check_combine(3, (const bool[]){false, true, false}, 1);
    check_combine(1, (const bool[]){true}, 1);
}

static void test_mean_of_outputs(void **state)
{
    (void)state;
    check_combine(3, (const bool[]){false, false, false}, 1.0 / 3);
}

static void attention_forward(const Case *op, double *y)
{
    reference_attention_forward(op->shape, op->x[0], op->x[1], op->x[2], y);
}

static void attention_backward(const Case *op, const double *dy, double **dx)
{
    reference_attention_backward(op->shape, op->x[0], op->x[1], op->x[2], dy, dx[0], dx[1], dx[2]);
}

static Case attention_case(ReferenceShape shape)
{
    Case op = {.forward = attention_forward, .backward = attention_backward, .shape = shape};
    op.n_outputs = reference_count(shape);
    case_input(&op, op.n_outputs, 1);
    case_input(&op, op.n_outputs, 1);
    case_input(&op, 1, 1);
    return op;
}

// The minimum and maximum of each sample are moved away from the rest: no step changes which they
// are.
static void test_attention(void **state)
{
    (void)state;
    const ReferenceShape shapes[] = {{3, 2, 3, 4}, {1, 1, 1, 2}, {2, 3, 1, 1}};
    for (size_t s = 0; s < COUNT_OF(shapes); s++) {
        Case op = attention_case(shapes[s]);
        size_t count = op.n_outputs / (size_t)op.shape.batch;
        for (int n = 0; n < op.shape.batch; n++) {
            double *m = op.x[0] + (size_t)n * count;
            for (size_t i = 0; i < count; i++)
                m[i] = tanh(m[i]);
            m[(size_t)n % count] = 1.5;
            m[((size_t)n + 1) % count] = -1.25;
        }
        check_op(&op);
    }
}

// At a tie the function has a kink along one element, not along the direction that moves all tied
// elements together: there the shares must add up to the difference; and they must be equal.
static void check_ties(double tied_value, size_t ties)
{
    ReferenceShape shape = {1, 2, 2, 3};
    Case op = attention_case(shape);
    double m[12] = {-0.5, -0.3, 0.2, 0.4, 0.1, 0.3, 0, 0.25, -0.1, 0.5, -0.2, 0.15};
    double shift[2], y[12], dm[12] = {0}, share[4], sum = 0, *weights = random_values(12, 7, 1);
    memcpy(op.x[0], m, sizeof m);
    for (size_t i = 0; i < ties; i++)
        op.x[0][3 * i + 1] = tied_value;
    reference_attention_backward(shape, op.x[0], op.x[1], op.x[2], weights, dm, NULL, NULL);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < ties; i++)
            op.x[0][3 * i + 1] = tied_value + (side ? 1e-5 : -1e-5);
        shift[side] = weighted_sum(&op, weights, y);
    }
    for (size_t i = 0; i < ties; i++)
        op.x[0][3 * i + 1] = tied_value;
    double together = (shift[1] - shift[0]) / 2e-5;
    // What a tied element gets beside its share of the extreme: through its own m'.
    double range = fabs(tied_value) + 0.5;
    for (size_t i = 0; i < ties; i++) {
        size_t at = 3 * i + 1;
        sum += dm[at];
        share[i] = dm[at] - weights[at] * op.x[1][at] / range;
        assert_true(fabs(share[i] - share[0]) < 1e-12);
    }
    assert_true(fabs(sum - together) < 1e-8);
    assert_true(fabs(share[0]) > 1e-3);
    for (int j = 0; j < op.n_inputs; j++)
        free(op.x[j]);
    free(weights);
}

static void test_attention_ties(void **state)
{
    (void)state;
    for (size_t ties = 1; ties <= 4; ties++) {
        check_ties(2, ties);  // the maximum; the minimum stays the -0.5 of the list
        check_ties(-3, ties); // the minimum; the maximum stays 0.5
    }
}

static void concat_arguments(const Case *op, const double **x)
{
    for (int j = 0; j < op->n_inputs; j++)
        x[j] = op->x[j];
}

static void concat_forward(const Case *op, double *y)
{
    const double *x[MAX_INPUTS];
    concat_arguments(op, x);
    reference_concat_forward(op->shape, op->n_inputs, op->channels, x, y);
}

static void concat_backward(const Case *op, const double *dy, double **dx)
{
    reference_concat_backward(op->shape, op->n_inputs, op->channels, dy, dx);
}

static void test_concat(void **state)
{
    (void)state;
    Case op = {.forward = concat_forward, .backward = concat_backward, .channels = {2, 1, 3}};
    op.shape = (ReferenceShape){3, 6, 2, 3};
    op.n_outputs = reference_count(op.shape);
    for (int j = 0; j < 3; j++)
        case_input(&op, (size_t)(3 * op.channels[j] * 6), 1);
    check_op(&op);
}

// ---- pools --------------------------------------------------------------------------------------

static void pool_forward(const Case *op, double *y)
{
    reference_pool_forward(op->shape, op->kernel, op->x[0], y);
}

static void pool_backward(const Case *op, const double *dy, double **dx)
{
    if (dx[0])
        reference_pool_backward(op->shape, op->kernel, dy, dx[0]);
}

static void test_pool(void **state)
{
    (void)state;
    const ReferenceShape shapes[] = {{2, 2, 5, 7}, {1, 1, 1, 1}, {1, 2, 2, 4}, {1, 1, 3, 2}};
    for (size_t s = 0; s < COUNT_OF(shapes); s++)
        for (int kernel = 3; kernel <= 5; kernel += 2) {
            Case op = {.forward = pool_forward, .backward = pool_backward, .shape = shapes[s]};
            op.kernel = kernel;
            op.n_outputs = reference_count(op.shape);
            case_input(&op, op.n_outputs, 1);
            check_op(&op);
        }
}

static void adaptive_forward(const Case *op, double *y)
{
    reference_adaptive_forward(op->shape, op->height, op->width, op->x[0], y);
}

static void adaptive_backward(const Case *op, const double *dy, double **dx)
{
    if (dx[0])
        reference_adaptive_backward(op->shape, op->height, op->width, dy, dx[0]);
}

static void test_adaptive_pool(void **state)
{
    (void)state;
    const int sizes[][4] = {{8, 8, 4, 4},  {7, 9, 3, 2}, {5, 14, 3, 7}, {13, 12, 12, 12},
                            {11, 5, 1, 1}, {3, 3, 3, 3}, {1, 6, 1, 4},  {4, 7, 4, 3}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        Case op = {.forward = adaptive_forward, .backward = adaptive_backward};
        op.shape = (ReferenceShape){2, 2, sizes[i][0], sizes[i][1]};
        op.height = sizes[i][2];
        op.width = sizes[i][3];
        op.n_outputs = (size_t)(4 * op.height * op.width);
        case_input(&op, reference_count(op.shape), 1);
        check_op(&op);
    }
}

// ---- head and loss ------------------------------------------------------------------------------

static void linear_forward(const Case *op, double *y)
{
    reference_linear_forward(3, 5, 4, op->x[0], op->x[1], op->x[2], y);
}

static void linear_backward(const Case *op, const double *dy, double **dx)
{
    reference_linear_backward(3, 5, 4, op->x[0], op->x[1], dy, dx[0], dx[1], dx[2]);
}

static void test_linear(void **state)
{
    (void)state;
    Case op = {.forward = linear_forward, .backward = linear_backward, .n_outputs = 12};
    case_input(&op, 15, 1);
    case_input(&op, 20, 1);
    case_input(&op, 4, 1);
    check_op(&op);
}

static void entropy_forward(const Case *op, double *y)
{
    *y = reference_cross_entropy(op->height, op->width, op->x[0], op->labels, op->smoothing, NULL);
}

// The loss has no gradient of its own to start from: the weight is put into the result.
static void entropy_backward(const Case *op, const double *dy, double **dx)
{
    double *gradient = xcalloc(op->count[0], sizeof *gradient);
    reference_cross_entropy(op->height, op->width, op->x[0], op->labels, op->smoothing, gradient);
    for (size_t i = 0; dx[0] && i < op->count[0]; i++)
        dx[0][i] += *dy * gradient[i];
    free(gradient);
}

static void test_cross_entropy(void **state)
{
    (void)state;
    const int labels[4] = {2, 0, 4, 2};
    for (int i = 0; i < 4; i++) {
        Case op = {.forward = entropy_forward, .backward = entropy_backward, .n_outputs = 1};
        op.height = 1 + i;
        op.width = 5;
        op.labels = labels;
        op.smoothing = 0.1 * i;
        case_input(&op, (size_t)(op.height * op.width), 3);
        check_op(&op);
    }
}

// ---- whole networks -----------------------------------------------------------------------------

typedef struct {
    Reference *reference;
    ReferenceBatch batch;
    double largest; // gradient of the whole net
} Probe;

static double loss_moved(Probe *net, ReferenceTensor *tensor, const double *direction, double step)
{
    for (size_t i = 0; i < tensor->count; i++)
        tensor->values[i] += step * direction[i];
    double loss = reference_loss(net->reference, &net->batch);
    for (size_t i = 0; i < tensor->count; i++)
        tensor->values[i] -= step * direction[i];
    return loss;
}

// The derivative of the loss along `direction` of one tensor.  A network has kinks (ReLU, minimum,
// maximum), and a step that crosses one measures something else: the smaller the step the rarer,
// but the larger the rounding noise.  A wrong gradient agrees at none of the three.
static void check_direction(Probe *net, ReferenceTensor *tensor, const double *direction)
{
    double want = 0, length = 0, measured = 0;
    for (size_t i = 0; i < tensor->count; i++) {
        want += tensor->grad[i] * direction[i];
        length += fabs(direction[i]);
    }
    double scale = fmax(fabs(want), 1e-2 * net->largest * fmin(length, 1));
    for (double step = 1e-5; step >= 1e-7; step /= 10) {
        measured =
            (loss_moved(net, tensor, direction, step) - loss_moved(net, tensor, direction, -step)) /
            (2 * step);
        if (fabs(measured - want) <= 1e-5 * scale + 1e-14 / step)
            return;
    }
    fail_msg("%s: backward %.10g, difference %.10g", tensor->name, want, measured);
}

// Three random directions and up to four single elements of each parameter.
static void check_tensor(Probe *net, ReferenceTensor *tensor, uint64_t seed)
{
    for (uint64_t i = 0; i < 3; i++) {
        double *direction = random_values(tensor->count, seed + i, 1 / sqrt((double)tensor->count));
        check_direction(net, tensor, direction);
        free(direction);
    }
    double *unit = xcalloc(tensor->count, sizeof *unit);
    size_t stride = tensor->count / 4 + 1;
    for (size_t i = 0; i < tensor->count; i += stride) {
        unit[i] = 1;
        check_direction(net, tensor, unit);
        unit[i] = 0;
    }
    free(unit);
}

static double largest_gradient(Reference *reference)
{
    double largest = 0;
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        const ReferenceTensor *tensor = reference_tensor(reference, i);
        for (size_t j = 0; tensor->grad && j < tensor->count; j++)
            largest = fmax(largest, fabs(tensor->grad[j]));
    }
    return largest;
}

static void check_net(const NetText *text, int count, double smoothing, bool has_dropout)
{
    Pool *pool = pool_new();
    const Arch *arch = net_arch(text, pool);
    Probe net = {.reference = reference_open(arch)};
    net_randomise(net.reference, 11);
    double *images = random_values((size_t)(count * 3 * arch->height * arch->width), 5, 1);
    double *dropout = xcalloc((size_t)count * HEAD_CHANNELS, sizeof *dropout);
    int labels[4];
    for (int i = 0; i < count; i++)
        labels[i] = (i * 3 + 1) % arch->classes;
    for (size_t i = 0; i < (size_t)count * HEAD_CHANNELS; i++)
        dropout[i] = i % 5 == 0 ? 0 : 1.25;
    net.batch = (ReferenceBatch){images, labels, count, smoothing, has_dropout ? dropout : NULL};
    double loss = reference_gradients(net.reference, &net.batch, NULL);
    net.largest = largest_gradient(net.reference);
    assert_true(net.largest > 1e-3);
    assert_true(fabs(loss - reference_loss(net.reference, &net.batch)) < 1e-14);
    for (int i = 0; i < reference_tensor_count(net.reference); i++)
        if (reference_tensor(net.reference, i)->kind == REFERENCE_PARAM)
            check_tensor(&net, reference_tensor(net.reference, i), 1000 + 10 * (uint64_t)i);
    reference_close(net.reference);
    free(images);
    free(dropout);
    pool_free(pool);
}

static void test_net_mixed(void **state)
{
    (void)state;
    check_net(&net_mixed, 3, 0, false);
}

static void test_net_mixed_smoothing_dropout(void **state)
{
    (void)state;
    check_net(&net_mixed, 2, 0.1, true);
}

static void test_net_depthwise(void **state)
{
    (void)state;
    check_net(&net_depthwise, 2, 0.2, false);
}

static void test_net_large(void **state)
{
    (void)state;
    check_net(&net_large, 2, 0, true);
}

static void test_net_tiny(void **state)
{
    (void)state;
    check_net(&net_tiny, 4, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_sum_merge),
        cmocka_unit_test(test_mean_of_outputs),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_attention_ties),
        cmocka_unit_test(test_concat),
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_adaptive_pool),
        cmocka_unit_test(test_linear),
        cmocka_unit_test(test_cross_entropy),
        cmocka_unit_test(test_net_mixed),
        cmocka_unit_test(test_net_mixed_smoothing_dropout),
        cmocka_unit_test(test_net_depthwise),
        cmocka_unit_test(test_net_large),
        cmocka_unit_test(test_net_tiny),
    };
    return cmocka_run_group_tests_name("gradients", tests, NULL, NULL);
}
