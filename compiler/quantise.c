// quantise.c - post-training quantisation: a folded inference program to int8 arithmetic.
//
// In: the pixel-layout IR of fold.c (batch normalisation folded, weights as constants) and the
// range of every tensor.  Out: the same list with INT8_ ops, tensors [H][W][C] of bytes, weights
// symmetric per channel, activations asymmetric per tensor, int32 biases with the input's zero
// point folded in, multipliers as TensorFlow Lite computes them.  docs/quantisation.md has the
// arithmetic and the reasons.
//
// On the way: a ReLU that its producer did not take is applied by the reader (low_x), halos are
// gone, and the head's 1280 maps are averaged as they are made.
#include "ir.h"

#include <math.h>
#include <string.h>

// A tensor of the old program in the new one: perhaps seen through a ReLU.
typedef struct {
    int tensor; // -1: not made yet
    bool relu;
} View;

typedef struct {
    Ir *ir;
    const Ranges *ranges;
    const Op *old;
    const float *values; // the folded weights
    int n_old;
    View *views;          // of the old tensors
    int *readers, *first; // how many ops read a tensor, and the first of them
    unsigned char *bytes; // the new constants
    size_t count, capacity;
    Err *err;
} Quantiser;

// ---- constants ----------------------------------------------------------------------------------

// A new constant, aligned to 4 bytes; *bytes to fill, zeroed.
static int new_constant(Quantiser *q, const char *name, int64_t size, unsigned char **bytes)
{
    const size_t room = (size_t)(size + 3) / 4 * 4;
    q->bytes = pool_grow(q->ir->pool, q->bytes, q->count, q->count + room, &q->capacity, 1);
    const int tensor =
        ir_vector(q->ir, name, SPACE_CONST, (int64_t)room / 4, (int64_t)q->count / 4);
    *bytes = q->bytes + q->count;
    memset(*bytes, 0, room);
    q->count += room;
    return tensor;
}

static int constant_of(Quantiser *q, const char *label, const char *what, const void *data,
                       size_t size)
{
    unsigned char *bytes;
    const int tensor =
        new_constant(q, pool_printf(q->ir->pool, "%s.%s", label, what), (int64_t)size, &bytes);
    memcpy(bytes, data, size);
    return tensor;
}

// A kernel's rule: integers.
static int new_rule(Quantiser *q, const char *label, const int32_t *rule, int count)
{
    return constant_of(q, label, "rule", rule, (size_t)count * sizeof *rule);
}

// ---- scales -------------------------------------------------------------------------------------

// The int8 form of old tensor `t`: scale and zero point from its range, which always holds 0; the
// scale is at least `least`.  With relu, low values count as 0.
static bool new_tensor(Quantiser *q, int t, bool relu, double least)
{
    Ir *ir = q->ir;
    const Tensor old = ir->tensors[t];
    const TensorRange *range = ranges_find(q->ranges, old.name);
    if (!range)
        return err_input(q->err,
                         "%s: error: there is no range for \"%s\" (was another network "
                         "calibrated?)\n  hint: nago calibrate ARCH --weights W --data SPEC",
                         q->ranges->path, old.name);
    const double low = relu ? 0.0 : fmin(range->low, 0.0), high = fmax(range->high, 0.0);
    const double scale = fmax(fmax((high - low) / 255.0, least), 1e-9);
    const int64_t size = (int64_t)old.channels * old.height * old.width;
    const int made = ir_tensor(ir, old.name, SPACE_ARENA, old.channels, old.height, old.width);
    Tensor *new = &ir->tensors[made];
    new->dtype = DTYPE_I8;
    new->floats = (size + 3) / 4;
    new->scale = (float)scale;
    if ((double)new->scale < scale) // `least` is kept after rounding, too
        new->scale = nextafterf(new->scale, INFINITY);
    new->zero = (int)fmax(-128.0, fmin(127.0, round(-128.0 - low / (double)new->scale)));
    q->views[t] = (View){made, false};
    return true;
}

static const Tensor *made(const Quantiser *q, int old)
{
    return &q->ir->tensors[q->views[old].tensor];
}

typedef struct {
    int32_t multiplier;
    int shift; // to the right; negative: to the left
} Factor;

// TFLite's QuantizeMultiplier: m = multiplier / 2^31 * 2^-shift.
static Factor factor_of(double m)
{
    int exponent;
    const double fraction = frexp(m, &exponent);
    int64_t fixed = (int64_t)llround(fraction * 2147483648.0);
    if (fixed == INT64_C(1) << 31) {
        fixed /= 2;
        exponent++;
    }
    if (exponent < -31 || m <= 0.0)
        return (Factor){0, 1};
    return (Factor){(int32_t)fixed, -exponent};
}

// Results whose multiplier stays below a half need no shift to the left and at least one to the
// right, which the kernels count on: only tensors of a few accumulator steps would need more.
static double least_scale(double accumulator_scale)
{
    return accumulator_scale * 2.0001;
}

// ---- weights ------------------------------------------------------------------------------------

enum { WEIGHT_MOST = 127, ACCUMULATOR_BITS = 30 };

// The filters of a convolution in int8: [filters][pitch] bytes, or for depthwise [taps][filters].
typedef struct {
    int filters, taps;
    const float *w; // filter k, tap t at w[k * of_filter + t * of_tap]
    const float *b;
    int of_filter, of_tap;
    // made:
    int8_t *q; // [filters][taps]
    int32_t *bias;
    float *scale; // of each filter
    double largest_scale;
} Filters;

static float weight(const Filters *f, int k, int t)
{
    return f->w[(int64_t)k * f->of_filter + (int64_t)t * f->of_tap];
}

// Rounds filter k at its scale; the largest magnitude that its accumulator can have.
static double round_filter(Filters *f, int k, const Tensor *x)
{
    const double s = (double)f->scale[k];
    int64_t sum = 0, magnitudes = 0;
    for (int t = 0; t < f->taps; t++) {
        const int v =
            (int)fmax(-WEIGHT_MOST, fmin(WEIGHT_MOST, round((double)weight(f, k, t) / s)));
        f->q[(int64_t)k * f->taps + t] = (int8_t)v;
        sum += v;
        magnitudes += v < 0 ? -v : v;
    }
    const double bias = round((double)f->b[k] / (s * (double)x->scale)) - (double)x->zero * sum;
    if (fabs(bias) < 2147483647.0)
        f->bias[k] = (int32_t)bias;
    return 128.0 * (double)magnitudes + fabs(bias);
}

// The smallest scale at which weights fit 8 bits and accumulators stay clear of 31 bits.
static void quantise_filters(Quantiser *q, Filters *f, const Tensor *x)
{
    const size_t n = (size_t)f->filters;
    f->q = pool_alloc(q->ir->pool, n * (size_t)f->taps);
    f->bias = pool_alloc(q->ir->pool, n * sizeof *f->bias);
    f->scale = pool_alloc(q->ir->pool, n * sizeof *f->scale);
    for (int k = 0; k < f->filters; k++) {
        double most = 1e-20;
        for (int t = 0; t < f->taps; t++)
            most = fmax(most, fabs((double)weight(f, k, t)));
        f->scale[k] = (float)(most / WEIGHT_MOST);
        while (round_filter(f, k, x) >= (double)(1 << ACCUMULATOR_BITS))
            f->scale[k] *= 2.0f;
        f->largest_scale = fmax(f->largest_scale, (double)f->scale[k]);
    }
}

static int64_t pitch_of(int taps)
{
    return (taps + 3) / 4 * 4;
}

// Rows of weights, one filter each, filled up to whole words.
static int filter_rows(Quantiser *q, const char *label, const Filters *f)
{
    unsigned char *rows;
    const int64_t pitch = pitch_of(f->taps);
    const int tensor =
        new_constant(q, pool_printf(q->ir->pool, "%s.w", label), f->filters * pitch, &rows);
    for (int k = 0; k < f->filters; k++)
        memcpy(rows + k * pitch, f->q + (int64_t)k * f->taps, (size_t)f->taps);
    return tensor;
}

static int filter_columns(Quantiser *q, const char *label, const Filters *f)
{
    unsigned char *columns;
    const int64_t size = (int64_t)f->filters * f->taps;
    const int tensor = new_constant(q, pool_printf(q->ir->pool, "%s.w", label), size, &columns);
    for (int k = 0; k < f->filters; k++)
        for (int t = 0; t < f->taps; t++)
            columns[(int64_t)t * f->filters + k] = (unsigned char)f->q[(int64_t)k * f->taps + t];
    return tensor;
}

// bias, multiplier and shift of each filter, for a result of scale y; into args[0..2].
static void filter_results(Quantiser *q, const char *label, const Filters *f, const Tensor *x,
                           double y_scale, int *args)
{
    Pool *pool = q->ir->pool;
    const size_t n = (size_t)f->filters;
    int32_t *multiplier = pool_alloc(pool, n * sizeof *multiplier);
    int8_t *shift = pool_alloc(pool, n);
    for (size_t k = 0; k < n; k++) {
        const Factor factor = factor_of((double)x->scale * (double)f->scale[k] / y_scale);
        multiplier[k] = factor.multiplier;
        shift[k] = (int8_t)factor.shift;
    }
    args[0] = constant_of(q, label, "bias", f->bias, n * sizeof *f->bias);
    args[1] = constant_of(q, label, "multiplier", multiplier, n * sizeof *multiplier);
    args[2] = constant_of(q, label, "shift", shift, n);
}

// ---- convolutions -------------------------------------------------------------------------------

static const float *folded(const Quantiser *q, int tensor)
{
    return q->values + q->ir->tensors[tensor].offset;
}

static int new_scratch(Quantiser *q, const char *label, int64_t bytes)
{
    return ir_vector(q->ir, pool_printf(q->ir->pool, "%s.scratch", label), SPACE_ARENA,
                     (bytes + 3) / 4, -1);
}

// Two columns of 16 bits and one of bytes, or four of bytes: int8.h.
static int64_t columns_bytes(int taps)
{
    return 5 * pitch_of(taps);
}

// fold.c packs [channel][row][column][filter]; taps are [row][column][channel] here.
static Filters conv_filters(Quantiser *q, const Op *op)
{
    const Attr *a = &op->attr;
    const int window = a->kernel_h * a->kernel_w, taps = window * a->channels;
    const float *packed = folded(q, op->args[2]);
    float *w = pool_alloc(q->ir->pool, (size_t)taps * (size_t)a->filters * sizeof *w);
    for (int t = 0; t < taps; t++)
        memcpy(w + (int64_t)t * a->filters,
               packed + ((int64_t)(t % a->channels) * window + t / a->channels) * a->filters,
               (size_t)a->filters * sizeof *w);
    return (Filters){.filters = a->filters,
                     .taps = taps,
                     .w = w,
                     .b = folded(q, op->args[3]),
                     .of_filter = 1,
                     .of_tap = a->filters};
}

static int low_of(const Tensor *x, bool relu)
{
    return relu ? x->zero : -128;
}

static bool quantise_conv(Quantiser *q, const Op *op)
{
    const char *label = q->ir->tensors[op->args[0]].name;
    const View view = q->views[op->args[1]];
    const Tensor x = q->ir->tensors[view.tensor];
    Filters f = conv_filters(q, op);
    quantise_filters(q, &f, &x);
    const bool relu = op->attr.relu;
    if (!new_tensor(q, op->args[0], relu, least_scale((double)x.scale * f.largest_scale)))
        return false;
    const Tensor y = *made(q, op->args[0]);
    int args[8] = {q->views[op->args[0]].tensor, new_scratch(q, label, columns_bytes(f.taps)),
                   view.tensor};
    args[3] = filter_rows(q, label, &f);
    filter_results(q, label, &f, &x, (double)y.scale, args + 4);
    args[7] =
        new_rule(q, label, (int32_t[]){x.zero, low_of(&x, view.relu), y.zero, low_of(&y, relu)}, 4);
    ir_op(q->ir, OP_INT8_CONV, args, 8, op->attr);
    return true;
}

static bool quantise_depthwise(Quantiser *q, const Op *op)
{
    const Attr *a = &op->attr;
    const char *label = q->ir->tensors[op->args[0]].name;
    const View view = q->views[op->args[1]];
    const Tensor x = q->ir->tensors[view.tensor];
    const int taps = a->kernel_h * a->kernel_w;
    Filters f = {.filters = a->channels,
                 .taps = taps,
                 .w = folded(q, op->args[2]),
                 .b = folded(q, op->args[3]),
                 .of_filter = taps,
                 .of_tap = 1};
    quantise_filters(q, &f, &x);
    if (!new_tensor(q, op->args[0], false, least_scale((double)x.scale * f.largest_scale)))
        return false;
    const Tensor y = *made(q, op->args[0]);
    int args[7] = {q->views[op->args[0]].tensor, view.tensor, filter_columns(q, label, &f)};
    filter_results(q, label, &f, &x, (double)y.scale, args + 3);
    args[6] = new_rule(q, label, (int32_t[]){x.zero, low_of(&x, view.relu), y.zero, -128}, 4);
    ir_op(q->ir, OP_INT8_DEPTHWISE, args, 7, *a);
    return true;
}

// How far each term of the head's average is shifted down so that the sum stays in 30 bits.
static int coarse_of(const Filters *f, int size)
{
    double most = 0.0;
    for (int k = 0; k < f->filters; k++) {
        double magnitudes = fabs((double)f->bias[k]);
        for (int t = 0; t < f->taps; t++)
            magnitudes += 128.0 * fabs((double)f->q[(int64_t)k * f->taps + t]);
        most = fmax(most, magnitudes);
    }
    int coarse = 0;
    while (most * size / (double)(1 << coarse) >= (double)(1 << ACCUMULATOR_BITS))
        coarse++;
    return coarse;
}

// conv1x1 + ReLU + global average: `pool` is the op behind `op`.
static bool quantise_head(Quantiser *q, const Op *op, const Op *pool)
{
    const Attr a = {.channels = op->attr.channels,
                    .filters = op->attr.filters,
                    .size = op->attr.height * op->attr.width};
    const char *label = q->ir->tensors[pool->args[0]].name;
    const View view = q->views[op->args[1]];
    const Tensor x = q->ir->tensors[view.tensor];
    Filters f = conv_filters(q, op);
    quantise_filters(q, &f, &x);
    const int coarse = coarse_of(&f, a.size);
    const double unit = ldexp((double)x.scale, coarse) / a.size;
    if (!new_tensor(q, pool->args[0], true, least_scale(unit * f.largest_scale)))
        return false;
    const Tensor y = *made(q, pool->args[0]);
    const int64_t sums = 4 * (int64_t)((a.filters + 1) / 2 * 2);
    int args[8] = {q->views[pool->args[0]].tensor,
                   new_scratch(q, label, sums + columns_bytes(f.taps)), view.tensor};
    args[3] = filter_rows(q, label, &f);
    filter_results(q, label, &f, &x, (double)y.scale * a.size / ldexp(1.0, coarse), args + 4);
    args[7] = new_rule(q, label, (int32_t[]){x.zero, low_of(&x, view.relu), y.zero, coarse}, 4);
    ir_op(q->ir, OP_INT8_HEAD, args, 8, a);
    return true;
}

static void quantise_linear(Quantiser *q, const Op *op, int logits)
{
    const Attr a = {.channels = op->attr.channels, .classes = op->attr.filters};
    const View view = q->views[op->args[1]];
    const Tensor x = q->ir->tensors[view.tensor];
    Filters f = conv_filters(q, op);
    quantise_filters(q, &f, &x);
    float *scales = pool_alloc(q->ir->pool, (size_t)f.filters * sizeof *scales);
    for (int k = 0; k < f.filters; k++)
        scales[k] = f.scale[k] * x.scale;
    int args[5] = {logits, view.tensor, filter_rows(q, "head.logits", &f)};
    args[3] = constant_of(q, "head.logits", "bias", f.bias, (size_t)f.filters * sizeof *f.bias);
    args[4] = constant_of(q, "head.logits", "scales", scales, (size_t)f.filters * sizeof *scales);
    ir_op(q->ir, OP_INT8_LINEAR, args, 5, a);
}

// ---- merges and pools ---------------------------------------------------------------------------

// The input of an op that applies no ReLU.
static const Tensor *plain_input(const Quantiser *q, int old)
{
    if (q->views[old].relu)
        bug("%s is read through a ReLU by an op that has none", q->ir->tensors[old].name);
    return made(q, old);
}

static double sigmoid(double a)
{
    return 1.0 / (1.0 + exp(-a));
}

// Terms are held with `left` more bits: 20 as in TFLite's ADD, fewer where many terms need room.
static int left_shift_of(int terms)
{
    int left = 20;
    while ((double)terms * 255.0 * ldexp(1.0, left - 1) >= ldexp(1.0, 31))
        left--;
    return left;
}

static bool quantise_sum(Quantiser *q, const Op *op)
{
    Pool *pool = q->ir->pool;
    const int n = op->attr.inputs, relu = op->attr.relu;
    double *scales = pool_alloc(pool, (size_t)n * sizeof *scales), most = 0.0;
    int *args = pool_alloc(pool, (size_t)(n + 2) * sizeof *args);
    int32_t *rule = pool_alloc(pool, (size_t)(5 + 3 * n) * sizeof *rule);
    for (int j = 0; j < n; j++) {
        const int scalar = op->args[1 + n + j];
        scales[j] = (double)plain_input(q, op->args[1 + j])->scale *
                    (scalar >= 0 ? sigmoid((double)*folded(q, scalar)) : (double)op->attr.scale);
        most = fmax(most, scales[j]);
        args[1 + j] = q->views[op->args[1 + j]].tensor;
    }
    const int left = left_shift_of(n);
    most = fmax(most, 1e-30);
    if (!new_tensor(q, op->args[0], relu, least_scale(2.0 * most / ldexp(1.0, left))))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const Factor out = factor_of(2.0 * most / (ldexp(1.0, left) * (double)y.scale));
    memcpy(rule, (int32_t[]){left, out.multiplier, out.shift, y.zero, low_of(&y, relu)},
           5 * sizeof *rule);
    for (int j = 0; j < n; j++) {
        const Factor in = factor_of(scales[j] / (2.0 * most));
        memcpy(rule + 5 + 3 * j,
               (int32_t[]){made(q, op->args[1 + j])->zero, in.multiplier, in.shift},
               3 * sizeof *rule);
    }
    args[0] = q->views[op->args[0]].tensor;
    args[1 + n] = new_rule(q, y.name, rule, 5 + 3 * n);
    ir_op(q->ir, OP_INT8_SUM, args, n + 2,
          (Attr){.inputs = n, .size = op->attr.channels * op->attr.size});
    return true;
}

static bool quantise_concat(Quantiser *q, const Op *op)
{
    const Tensor x = *plain_input(q, op->args[1]);
    if (q->views[op->args[0]].tensor < 0 && !new_tensor(q, op->args[0], false, 0.0))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const Factor factor = factor_of((double)x.scale / (double)y.scale);
    // a part far wider than what was seen of the whole would shift out of 32 bits: it saturates
    const int left = factor.shift < 0 ? (factor.shift < -20 ? 20 : -factor.shift) : 0;
    const int rule = new_rule(
        q, pool_printf(q->ir->pool, "%s.at%d", y.name, op->attr.offset),
        (int32_t[]){x.zero, factor.multiplier, left, factor.shift > 0 ? factor.shift : 0, y.zero},
        5);
    ir_op(q->ir, OP_INT8_CONCAT,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor, rule}, 3, op->attr);
    return true;
}

static bool quantise_attention(Quantiser *q, const Op *op)
{
    const Tensor s = *plain_input(q, op->args[2]);
    plain_input(q, op->args[1]);
    const int relu = op->attr.relu;
    const double unit = (double)s.scale / (1 << 20);
    if (!new_tensor(q, op->args[0], relu, least_scale(unit)))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const double gate = sigmoid((double)*folded(q, op->args[4]));
    const Factor factor = factor_of(unit / (double)y.scale);
    const int rule =
        new_rule(q, y.name,
                 (int32_t[]){(int32_t)lround(gate * (1 << 20)), s.zero, factor.multiplier,
                             factor.shift, y.zero, low_of(&y, relu)},
                 6);
    ir_op(q->ir, OP_INT8_ATTENTION,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor,
                  q->views[op->args[2]].tensor, rule},
          4, (Attr){.size = op->attr.channels * op->attr.size});
    return true;
}

static bool quantise_adaptive_pool(Quantiser *q, const Op *op)
{
    const Attr *a = &op->attr;
    const Tensor x = *plain_input(q, op->args[1]);
    const int h = (a->height + a->out_height - 1) / a->out_height,
              w = (a->width + a->out_width - 1) / a->out_width;
    if (!new_tensor(q, op->args[0], false, least_scale((double)x.scale / (h * w))))
        return false;
    const Tensor y = *made(q, op->args[0]);
    int32_t rule[10] = {x.zero, y.zero};
    for (int i = 0; i < 4; i++) {
        const int count = (h + i / 2) * (w + i % 2);
        const Factor factor = factor_of((double)x.scale / (count * (double)y.scale));
        rule[2 + 2 * i] = factor.multiplier;
        rule[3 + 2 * i] = factor.shift;
    }
    ir_op(q->ir, OP_INT8_ADAPTIVE_POOL,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor,
                  new_rule(q, y.name, rule, 10)},
          3, *a);
    return true;
}

static bool quantise_average_pool(Quantiser *q, const Op *op)
{
    const Attr *a = &op->attr;
    const Tensor x = *plain_input(q, op->args[1]);
    const double unit = (double)x.scale / (a->kernel_h * a->kernel_h);
    if (!new_tensor(q, op->args[0], false, least_scale(unit)))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const Factor factor = factor_of(unit / (double)y.scale);
    ir_op(q->ir, OP_INT8_AVERAGE_POOL,
          (int[]){
              q->views[op->args[0]].tensor, q->views[op->args[1]].tensor,
              new_rule(q, y.name, (int32_t[]){x.zero, factor.multiplier, factor.shift, y.zero}, 4)},
          3, *a);
    return true;
}

// ---- the program --------------------------------------------------------------------------------

static bool quantise_image(Quantiser *q, int image)
{
    if (!new_tensor(q, image, false, 0.0))
        return false;
    const Tensor y = *made(q, image);
    const int rule = new_rule(q, "image", (int32_t[]){y.zero}, 1);
    ir_op(q->ir, OP_INT8_IMAGE, (int[]){q->views[image].tensor, image, rule}, 3,
          (Attr){.channels = y.channels, .size = y.height * y.width, .scale = y.scale});
    return true;
}

// The only op that reads t, or NULL.
static const Op *only_reader(const Quantiser *q, int t)
{
    return q->readers[t] == 1 ? &q->old[q->first[t]] : NULL;
}

static bool quantise_convolution(Quantiser *q, const Op *op)
{
    const Op *reader = only_reader(q, op->args[0]);
    if (reader && reader->kind == OP_UNPACK_LOGITS) {
        quantise_linear(q, op, reader->args[0]);
        return true;
    }
    if (reader && reader->kind == OP_ADAPTIVE_POOL && op->attr.relu &&
        reader->attr.out_height * reader->attr.out_width == 1 &&
        op->attr.kernel_h * op->attr.kernel_w == 1)
        return quantise_head(q, op, reader);
    return quantise_conv(q, op);
}

static bool quantise_op(Quantiser *q, const Op *op)
{
    q->ir->place = op->place;
    switch (op->kind) {
    case OP_PAD:
        q->views[op->args[0]] = q->views[op->args[1]];
        return true;
    case OP_RELU:
        q->views[op->args[0]] = (View){q->views[op->args[1]].tensor, true};
        return true;
    case OP_CONV_PIXELS:
        return quantise_convolution(q, op);
    case OP_DEPTHWISE:
        return quantise_depthwise(q, op);
    case OP_WEIGHTED_SUM:
        return quantise_sum(q, op);
    case OP_CONCAT_PART:
        return quantise_concat(q, op);
    case OP_ATTENTION_RANGE:
    case OP_UNPACK_LOGITS:
        return true;
    case OP_ATTENTION:
        return quantise_attention(q, op);
    case OP_ADAPTIVE_POOL: // the head's is done
        return q->views[op->args[0]].tensor >= 0 || quantise_adaptive_pool(q, op);
    case OP_AVERAGE_POOL:
        return quantise_average_pool(q, op);
    default:
        bug("no int8 form of %s", op_info[op->kind].kernel);
    }
}

static void survey(Quantiser *q)
{
    for (int o = 0; o < q->n_old; o++)
        for (int i = 0; i < q->old[o].n_args; i++) {
            const Arg arg = op_arg(&q->old[o], i);
            if (arg.tensor >= 0 && arg.access == ACCESS_READ && q->readers[arg.tensor]++ == 0)
                q->first[arg.tensor] = o;
        }
}

bool quantise(Ir *ir, const Ranges *ranges, Err *err)
{
    const int n = ir->n_tensors;
    Quantiser q = {.ir = ir, .ranges = ranges, .values = ir->const_data, .err = err};
    q.views = pool_alloc(ir->pool, (size_t)n * sizeof *q.views);
    q.readers = pool_alloc(ir->pool, (size_t)n * sizeof *q.readers);
    q.first = pool_alloc(ir->pool, (size_t)n * sizeof *q.first);
    for (int t = 0; t < n; t++)
        q.views[t] = (View){-1, false};
    q.old = ir_rewrite(ir, &q.n_old);
    survey(&q);
    ir->place = 0;
    for (int t = 0; t < n; t++)
        if (ir->tensors[t].space == SPACE_IMAGES && !quantise_image(&q, t))
            return false;
    for (int o = 0; o < q.n_old; o++)
        if (!quantise_op(&q, &q.old[o]))
            return false;
    ir->n_forward = ir->n_ops;
    ir->const_data = (float *)(void *)q.bytes;
    ir->const_count = (int64_t)q.count / 4;
    ir->cap_const = q.capacity / 4;
    return true;
}
