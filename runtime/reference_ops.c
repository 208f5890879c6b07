// reference_ops.c - the ops of reference_ops.h as plain loops, each the formula of its header
// comment. The only concession to speed is loop order: a convolution is a sum over kernel taps of
// shifted planes, so that the inner loop runs along a row.
#include "reference_ops.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static const double NORM_EPSILON = 1e-5, NORM_MOMENTUM = 0.1, ATTENTION_EPSILON = 1e-12;

size_t reference_count(ReferenceShape shape)
{
    return (size_t)shape.batch * (size_t)shape.channels * (size_t)shape.height *
           (size_t)shape.width;
}

static size_t plane_count(ReferenceShape shape)
{
    return (size_t)shape.height * (size_t)shape.width;
}

// ---- convolution --------------------------------------------------------------------------------

ReferenceConv reference_conv(ReferenceShape in, int out_channels, int kernel_h, int kernel_w,
                             int stride, bool depthwise)
{
    ReferenceConv conv = {.in = in,
                          .out = in,
                          .kernel_h = kernel_h,
                          .kernel_w = kernel_w,
                          .stride = stride,
                          .pad_h = kernel_h / 2,
                          .pad_w = kernel_w / 2,
                          .depthwise = depthwise};
    conv.out.channels = out_channels;
    conv.out.height = (in.height + 2 * conv.pad_h - kernel_h) / stride + 1;
    conv.out.width = (in.width + 2 * conv.pad_w - kernel_w) / stride + 1;
    return conv;
}

// The output positions first..end-1 along one axis whose input position * stride + shift is inside.
typedef struct {
    int first, end, shift;
} Span;

static Span span_of_tap(int in, int out, int stride, int shift)
{
    int first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int end = in - 1 - shift < 0 ? 0 : (in - 1 - shift) / stride + 1;
    return (Span){first, end < out ? end : out, shift};
}

// One tap of the kernel between one input plane and one output plane.
typedef struct {
    Span rows, columns;
    int in_width, out_width, stride;
} Tap;

static Tap tap_at(const ReferenceConv *conv, int u, int v)
{
    return (Tap){span_of_tap(conv->in.height, conv->out.height, conv->stride, u - conv->pad_h),
                 span_of_tap(conv->in.width, conv->out.width, conv->stride, v - conv->pad_w),
                 conv->in.width, conv->out.width, conv->stride};
}

static ptrdiff_t tap_input_row(const Tap *tap, int row)
{
    return (ptrdiff_t)(row * tap->stride + tap->rows.shift) * tap->in_width + tap->columns.shift;
}

static void tap_forward(const Tap *tap, double w, const double *x, double *y)
{
    for (int row = tap->rows.first; row < tap->rows.end; row++) {
        ptrdiff_t from = tap_input_row(tap, row), to = (ptrdiff_t)row * tap->out_width;
        for (int i = tap->columns.first; i < tap->columns.end; i++)
            y[to + i] += w * x[from + (ptrdiff_t)i * tap->stride];
    }
}

static void tap_backward_input(const Tap *tap, double w, const double *dy, double *dx)
{
    for (int row = tap->rows.first; row < tap->rows.end; row++) {
        ptrdiff_t to = tap_input_row(tap, row), from = (ptrdiff_t)row * tap->out_width;
        for (int i = tap->columns.first; i < tap->columns.end; i++)
            dx[to + (ptrdiff_t)i * tap->stride] += w * dy[from + i];
    }
}

static double tap_backward_weight(const Tap *tap, const double *x, const double *dy)
{
    double sum = 0;
    for (int row = tap->rows.first; row < tap->rows.end; row++) {
        ptrdiff_t from = tap_input_row(tap, row), at = (ptrdiff_t)row * tap->out_width;
        for (int i = tap->columns.first; i < tap->columns.end; i++)
            sum += x[from + (ptrdiff_t)i * tap->stride] * dy[at + i];
    }
    return sum;
}

// What one pair of channels (k of the output, c of the input) works on.
typedef struct {
    size_t x, y, w; // offsets of the input plane, the output plane, the kernel
} ConvPlanes;

static ConvPlanes conv_planes(const ReferenceConv *conv, int n, int k, int c)
{
    size_t per_output = conv->depthwise ? 1 : (size_t)conv->in.channels;
    size_t pair = (size_t)k * per_output + (conv->depthwise ? 0 : (size_t)c);
    return (ConvPlanes){
        .x = ((size_t)n * (size_t)conv->in.channels + (size_t)c) * plane_count(conv->in),
        .y = ((size_t)n * (size_t)conv->out.channels + (size_t)k) * plane_count(conv->out),
        .w = pair * (size_t)conv->kernel_h * (size_t)conv->kernel_w};
}

static int conv_first_input(const ReferenceConv *conv, int k)
{
    return conv->depthwise ? k : 0;
}

static int conv_end_input(const ReferenceConv *conv, int k)
{
    return conv->depthwise ? k + 1 : conv->in.channels;
}

void reference_conv_forward(const ReferenceConv *conv, const double *x, const double *w,
                            const double *bias, double *y)
{
    size_t plane = plane_count(conv->out), count = reference_count(conv->out);
    for (size_t i = 0; i < count; i++)
        y[i] = bias ? bias[i / plane % (size_t)conv->out.channels] : 0;
    for (int u = 0; u < conv->kernel_h; u++)
        for (int v = 0; v < conv->kernel_w; v++) {
            Tap tap = tap_at(conv, u, v);
            int at = u * conv->kernel_w + v;
            for (int n = 0; n < conv->in.batch; n++)
                for (int k = 0; k < conv->out.channels; k++)
                    for (int c = conv_first_input(conv, k); c < conv_end_input(conv, k); c++) {
                        ConvPlanes p = conv_planes(conv, n, k, c);
                        tap_forward(&tap, w[p.w + (size_t)at], x + p.x, y + p.y);
                    }
        }
}

void reference_conv_backward(const ReferenceConv *conv, const double *x, const double *w,
                             const double *dy, double *dx, double *dw, double *dbias)
{
    size_t plane = plane_count(conv->out), count = reference_count(conv->out);
    for (size_t i = 0; dbias && i < count; i++)
        dbias[i / plane % (size_t)conv->out.channels] += dy[i];
    for (int u = 0; u < conv->kernel_h; u++)
        for (int v = 0; v < conv->kernel_w; v++) {
            Tap tap = tap_at(conv, u, v);
            size_t at = (size_t)(u * conv->kernel_w + v);
            for (int n = 0; n < conv->in.batch; n++)
                for (int k = 0; k < conv->out.channels; k++)
                    for (int c = conv_first_input(conv, k); c < conv_end_input(conv, k); c++) {
                        ConvPlanes p = conv_planes(conv, n, k, c);
                        if (dx)
                            tap_backward_input(&tap, w[p.w + at], dy + p.y, dx + p.x);
                        if (dw)
                            dw[p.w + at] += tap_backward_weight(&tap, x + p.x, dy + p.y);
                    }
        }
}

// ---- batch normalisation ------------------------------------------------------------------------

static double square(double a)
{
    return a * a;
}

// Mean and biased variance of one channel over the batch and all pixels.
static void channel_statistics(ReferenceShape shape, const double *x, int c, double *mean,
                               double *variance)
{
    size_t plane = plane_count(shape), step = (size_t)shape.channels * plane;
    const double *first = x + (size_t)c * plane;
    double count = (double)shape.batch * (double)plane, sum = 0, squares = 0;
    for (int n = 0; n < shape.batch; n++)
        for (size_t i = 0; i < plane; i++)
            sum += first[(size_t)n * step + i];
    *mean = sum / count;
    for (int n = 0; n < shape.batch; n++)
        for (size_t i = 0; i < plane; i++)
            squares += square(first[(size_t)n * step + i] - *mean);
    *variance = squares / count;
}

// y = (x - mean) * inverse * gamma + beta on one channel.
static void channel_normalise(ReferenceShape shape, const double *x, int c, double mean,
                              double factor, double beta, double *y)
{
    size_t plane = plane_count(shape);
    for (int n = 0; n < shape.batch; n++) {
        size_t at = ((size_t)n * (size_t)shape.channels + (size_t)c) * plane;
        for (size_t i = at; i < at + plane; i++)
            y[i] = (x[i] - mean) * factor + beta;
    }
}

void reference_norm_train(ReferenceShape shape, const double *x, const double *gamma,
                          const double *beta, double *running_mean, double *running_var,
                          double *mean, double *inverse, double *y)
{
    double count = (double)shape.batch * (double)plane_count(shape);
    for (int c = 0; count > 0 && c < shape.channels; c++) {
        double variance;
        channel_statistics(shape, x, c, &mean[c], &variance);
        inverse[c] = 1 / sqrt(variance + NORM_EPSILON);
        channel_normalise(shape, x, c, mean[c], inverse[c] * gamma[c], beta[c], y);
        if (running_mean) {
            double unbiased = variance * count / fmax(count - 1, 1);
            running_mean[c] += NORM_MOMENTUM * (mean[c] - running_mean[c]);
            running_var[c] += NORM_MOMENTUM * (unbiased - running_var[c]);
        }
    }
}

void reference_norm_eval(ReferenceShape shape, const double *x, const double *gamma,
                         const double *beta, const double *running_mean, const double *running_var,
                         double *y)
{
    for (int c = 0; c < shape.channels; c++)
        channel_normalise(shape, x, c, running_mean[c],
                          gamma[c] / sqrt(running_var[c] + NORM_EPSILON), beta[c], y);
}

// With z = (x - mean) inverse:  dbeta = sum dy,  dgamma = sum dy z,
// dx = gamma inverse (dy - dbeta / count - z dgamma / count).
void reference_norm_backward(ReferenceShape shape, const double *x, const double *gamma,
                             const double *mean, const double *inverse, const double *dy,
                             double *dx, double *dgamma, double *dbeta)
{
    size_t plane = plane_count(shape), step = (size_t)shape.channels * plane;
    double count = (double)shape.batch * (double)plane;
    for (int c = 0; count > 0 && c < shape.channels; c++) {
        double sum = 0, product = 0;
        for (int n = 0; n < shape.batch; n++)
            for (size_t i = 0; i < plane; i++) {
                size_t at = (size_t)n * step + (size_t)c * plane + i;
                sum += dy[at];
                product += dy[at] * (x[at] - mean[c]) * inverse[c];
            }
        for (int n = 0; dx && n < shape.batch; n++)
            for (size_t i = 0; i < plane; i++) {
                size_t at = (size_t)n * step + (size_t)c * plane + i;
                double z = (x[at] - mean[c]) * inverse[c];
                dx[at] += gamma[c] * inverse[c] * (dy[at] - sum / count - z * product / count);
            }
        if (dgamma)
            dgamma[c] += product;
        if (dbeta)
            dbeta[c] += sum;
    }
}

// ---- elementwise and merges ---------------------------------------------------------------------

void reference_relu_forward(size_t count, const double *x, double *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] < 0 ? 0 : x[i]; // NaN stays NaN, as in PyTorch
}

void reference_relu_backward(size_t count, const double *x, const double *dy, double *dx)
{
    for (size_t i = 0; i < count; i++)
        dx[i] += x[i] > 0 ? dy[i] : 0;
}

double reference_sigmoid(double a)
{
    return 1 / (1 + exp(-a));
}

static double gate_value(const double *gate)
{
    return gate ? reference_sigmoid(*gate) : 1;
}

void reference_combine_forward(size_t count, int n_inputs, const double *const *x,
                               const double *const *gates, double scale, double *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = 0;
    for (int j = 0; j < n_inputs; j++) {
        double factor = scale * gate_value(gates[j]);
        for (size_t i = 0; i < count; i++)
            y[i] += factor * x[j][i];
    }
}

void reference_combine_backward(size_t count, int n_inputs, const double *const *x,
                                const double *const *gates, double scale, const double *dy,
                                double *const *dx, double *const *dgates)
{
    for (int j = 0; j < n_inputs; j++) {
        double gate = gate_value(gates[j]), product = 0;
        for (size_t i = 0; i < count; i++)
            product += x[j][i] * dy[i];
        for (size_t i = 0; dx[j] && i < count; i++)
            dx[j][i] += scale * gate * dy[i];
        if (dgates[j])
            *dgates[j] += scale * gate * (1 - gate) * product;
    }
}

typedef struct {
    double low, high, range; // range = max(high - low, 1e-12)
} Extremes;

static Extremes sample_extremes(size_t count, const double *m)
{
    Extremes e = {INFINITY, -INFINITY, 0};
    for (size_t i = 0; i < count; i++) {
        e.low = fmin(e.low, m[i]);
        e.high = fmax(e.high, m[i]);
    }
    e.range = fmax(e.high - e.low, ATTENTION_EPSILON);
    return e;
}

void reference_attention_forward(ReferenceShape shape, const double *m, const double *s,
                                 const double *b, double *y)
{
    size_t count = (size_t)shape.channels * plane_count(shape);
    double gate = reference_sigmoid(*b);
    for (int n = 0; n < shape.batch; n++, m += count, s += count, y += count) {
        Extremes e = sample_extremes(count, m);
        for (size_t i = 0; i < count; i++)
            y[i] = gate * s[i] + s[i] * ((m[i] - e.low) / e.range);
    }
}

// Adds `gradient` to the elements of m that equal `value`, in equal shares.
static void share_gradient(size_t count, const double *m, double value, double gradient, double *dm)
{
    size_t ties = 0;
    for (size_t i = 0; i < count; i++)
        ties += m[i] == value;
    for (size_t i = 0; i < count; i++)
        if (m[i] == value)
            dm[i] += gradient / (double)ties;
}

// With a = dy s (the gradient of m') of one sample:  dm = a / range, and what is left goes to the
// extremes: d low = -sum a / range - d range, d high = d range, d range = -sum a (m - low) /
// range^2 where the range is above the floor of 1e-12, else 0.
static void attention_backward_mask(size_t count, const double *m, const double *s,
                                    const double *dy, double *dm)
{
    Extremes e = sample_extremes(count, m);
    double sum = 0, product = 0;
    for (size_t i = 0; i < count; i++) {
        dm[i] += dy[i] * s[i] / e.range;
        sum += dy[i] * s[i];
        product += dy[i] * s[i] * (m[i] - e.low);
    }
    bool is_floored = e.high - e.low < ATTENTION_EPSILON;
    double drange = is_floored ? 0 : -product / square(e.range);
    share_gradient(count, m, e.low, -sum / e.range - drange, dm);
    share_gradient(count, m, e.high, drange, dm);
}

void reference_attention_backward(ReferenceShape shape, const double *m, const double *s,
                                  const double *b, const double *dy, double *dm, double *ds,
                                  double *db)
{
    size_t count = (size_t)shape.channels * plane_count(shape);
    double gate = reference_sigmoid(*b), product = 0;
    for (int n = 0; n < shape.batch; n++) {
        size_t at = (size_t)n * count;
        Extremes e = sample_extremes(count, m + at);
        for (size_t i = at; i < at + count; i++) {
            product += dy[i] * s[i];
            if (ds)
                ds[i] += dy[i] * (gate + (m[i] - e.low) / e.range);
        }
        if (dm)
            attention_backward_mask(count, m + at, s + at, dy + at, dm + at);
    }
    if (db)
        *db += gate * (1 - gate) * product;
}

void reference_concat_forward(ReferenceShape shape, int n_inputs, const int *channels,
                              const double *const *x, double *y)
{
    for (int n = 0; n < shape.batch; n++)
        for (int j = 0; j < n_inputs; j++) {
            size_t count = (size_t)channels[j] * plane_count(shape);
            memcpy(y, x[j] + (size_t)n * count, count * sizeof *y);
            y += count;
        }
}

void reference_concat_backward(ReferenceShape shape, int n_inputs, const int *channels,
                               const double *dy, double *const *dx)
{
    for (int n = 0; n < shape.batch; n++)
        for (int j = 0; j < n_inputs; j++) {
            size_t count = (size_t)channels[j] * plane_count(shape);
            for (size_t i = 0; dx[j] && i < count; i++)
                dx[j][(size_t)n * count + i] += dy[i];
            dy += count;
        }
}

// ---- pooling ------------------------------------------------------------------------------------

// The part of rows (or columns) first..end-1 that an output of a pooling op averages.
typedef struct {
    int first, end;
} Window;

static Window pool_window(int kernel, int side, int i)
{
    int first = i - kernel / 2, end = first + kernel;
    return (Window){first < 0 ? 0 : first, end < side ? end : side};
}

static Window adaptive_window(int in, int out, int i)
{
    int64_t numerator = (int64_t)(i + 1) * in;
    return (Window){(int)((int64_t)i * in / out), (int)((numerator + out - 1) / out)};
}

static double window_sum(const double *x, int width, Window rows, Window columns)
{
    double sum = 0;
    for (int i = rows.first; i < rows.end; i++)
        for (int j = columns.first; j < columns.end; j++)
            sum += x[(size_t)i * (size_t)width + (size_t)j];
    return sum;
}

static void window_add(double *dx, int width, Window rows, Window columns, double value)
{
    for (int i = rows.first; i < rows.end; i++)
        for (int j = columns.first; j < columns.end; j++)
            dx[(size_t)i * (size_t)width + (size_t)j] += value;
}

void reference_pool_forward(ReferenceShape shape, int kernel, const double *x, double *y)
{
    size_t plane = plane_count(shape);
    for (int p = 0; p < shape.batch * shape.channels; p++, x += plane)
        for (int i = 0; i < shape.height; i++)
            for (int j = 0; j < shape.width; j++)
                *y++ = window_sum(x, shape.width, pool_window(kernel, shape.height, i),
                                  pool_window(kernel, shape.width, j)) /
                       (kernel * kernel);
}

void reference_pool_backward(ReferenceShape shape, int kernel, const double *dy, double *dx)
{
    size_t plane = plane_count(shape);
    for (int p = 0; p < shape.batch * shape.channels; p++, dx += plane)
        for (int i = 0; i < shape.height; i++)
            for (int j = 0; j < shape.width; j++)
                window_add(dx, shape.width, pool_window(kernel, shape.height, i),
                           pool_window(kernel, shape.width, j), *dy++ / (kernel * kernel));
}

static double window_area(Window rows, Window columns)
{
    return (double)(rows.end - rows.first) * (columns.end - columns.first);
}

void reference_adaptive_forward(ReferenceShape in, int height, int width, const double *x,
                                double *y)
{
    size_t plane = plane_count(in);
    for (int p = 0; p < in.batch * in.channels; p++, x += plane)
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++) {
                Window rows = adaptive_window(in.height, height, i);
                Window columns = adaptive_window(in.width, width, j);
                *y++ = window_sum(x, in.width, rows, columns) / window_area(rows, columns);
            }
}

void reference_adaptive_backward(ReferenceShape in, int height, int width, const double *dy,
                                 double *dx)
{
    size_t plane = plane_count(in);
    for (int p = 0; p < in.batch * in.channels; p++, dx += plane)
        for (int i = 0; i < height; i++)
            for (int j = 0; j < width; j++) {
                Window rows = adaptive_window(in.height, height, i);
                Window columns = adaptive_window(in.width, width, j);
                window_add(dx, in.width, rows, columns, *dy++ / window_area(rows, columns));
            }
}

// ---- head, loss, optimiser ----------------------------------------------------------------------

void reference_linear_forward(int batch, int in, int out, const double *x, const double *w,
                              const double *bias, double *y)
{
    for (int n = 0; n < batch; n++)
        for (int k = 0; k < out; k++) {
            double sum = bias[k];
            for (int c = 0; c < in; c++)
                sum +=
                    w[(size_t)k * (size_t)in + (size_t)c] * x[(size_t)n * (size_t)in + (size_t)c];
            y[(size_t)n * (size_t)out + (size_t)k] = sum;
        }
}

void reference_linear_backward(int batch, int in, int out, const double *x, const double *w,
                               const double *dy, double *dx, double *dw, double *dbias)
{
    for (int n = 0; n < batch; n++)
        for (int k = 0; k < out; k++) {
            double d = dy[(size_t)n * (size_t)out + (size_t)k];
            size_t row = (size_t)k * (size_t)in, image = (size_t)n * (size_t)in;
            for (size_t c = 0; dx && c < (size_t)in; c++)
                dx[image + c] += w[row + c] * d;
            for (size_t c = 0; dw && c < (size_t)in; c++)
                dw[row + c] += x[image + c] * d;
            if (dbias)
                dbias[k] += d;
        }
}

double reference_cross_entropy(int batch, int classes, const double *logits, const int *labels,
                               double smoothing, double *dlogits)
{
    double loss = 0;
    for (int n = 0; n < batch; n++) {
        const double *z = logits + (size_t)n * (size_t)classes;
        double highest = z[0], sum = 0;
        for (int k = 1; k < classes; k++)
            highest = fmax(highest, z[k]);
        for (int k = 0; k < classes; k++)
            sum += exp(z[k] - highest);
        for (int k = 0; k < classes; k++) {
            double log_softmax = z[k] - highest - log(sum);
            double target = (k == labels[n] ? 1 - smoothing : 0) + smoothing / classes;
            loss -= target * log_softmax;
            if (dlogits)
                dlogits[(size_t)n * (size_t)classes + (size_t)k] +=
                    (exp(log_softmax) - target) / batch;
        }
    }
    return batch > 0 ? loss / batch : 0;
}

void reference_sgd(size_t count, double learning_rate, double momentum, double weight_decay,
                   const double *grads, double *velocity, double *params)
{
    for (size_t i = 0; i < count; i++) {
        velocity[i] = momentum * velocity[i] + grads[i] + weight_decay * params[i];
        params[i] -= learning_rate * velocity[i];
    }
}
