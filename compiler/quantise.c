// quantise.c - post-training quantisation: a folded inference program to int8 arithmetic.
//
// In: the pixel-layout IR of fold.c (batch normalisation folded, weights as constants) and the
// range of every tensor.  Out: the same list with INT8_ ops, tensors [H][W][C] of bytes, weights
// symmetric per channel, activations asymmetric per tensor, int32 biases with the input's zero
// point folded in, multipliers as TensorFlow Lite computes them.  Tensors of few channels may have
// 16 bits, "wide", and so do the weights that read them (widths.c says which).
// docs/quantisation.md has the arithmetic and the reasons.
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
    int64_t widest;       // numbers of a wide tensor, at the most
    bool sizes_only;      // weights are not looked at
    View *views;          // of the old tensors
    int *readers, *first; // how many ops read a tensor, and the first of them
    int *source;          // what a halo or a ReLU of its own is made from
    bool *narrow;         // the head's input
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

// FEW: maps of more channels take most of the time and of the flash.  ROOM: a wide tensor's range
// is that much larger than what calibration saw, or left of it.
enum { FEW = 16, WIDE_BITS = 14, ROOM = 2 };

bool may_be_wide(const Tensor *t)
{
    return t->channels <= FEW;
}

int int8_least(Dtype dtype)
{
    return dtype == DTYPE_I16 ? -(1 << (WIDE_BITS - 1)) : -128;
}

int int8_most(Dtype dtype)
{
    return -1 - int8_least(dtype);
}

static bool is_wide(const Tensor *t)
{
    return t->dtype == DTYPE_I16;
}

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
    const int64_t size = (int64_t)old.channels * old.height * old.width;
    const bool wide = may_be_wide(&old) && size <= q->widest && !q->narrow[t];
    const double low = (wide ? ROOM : 1) * (relu ? 0.0 : fmin(range->low, 0.0)),
                 high = (wide ? ROOM : 1) * fmax(range->high, 0.0);
    const int made = ir_tensor(ir, old.name, SPACE_ARENA, old.channels, old.height, old.width);
    Tensor *new = &ir->tensors[made];
    new->dtype = wide ? DTYPE_I16 : DTYPE_I8;
    new->floats = wide ? (size + 1) / 2 : (size + 3) / 4;
    const int first = int8_least(new->dtype), last = int8_most(new->dtype);
    const double scale = fmax(fmax((high - low) / (last - first), least), 1e-9);
    new->scale = (float)scale;
    if ((double)new->scale < scale) // `least` is kept after rounding, too
        new->scale = nextafterf(new->scale, INFINITY);
    new->zero = (int)fmax(first, fmin(last, round(first - low / (double)new->scale)));
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

enum { WEIGHT_MOST = 127, WIDE_WEIGHT_MOST = 32767, ACCUMULATOR_BITS = 30 };

// The filters of a convolution in fixed point: [filters][pitch] numbers, or for depthwise
// [taps][filters].
typedef struct {
    int filters, taps;
    int channels;   // of the input that a filter sees: tap t is of channel t % channels
    const float *w; // filter k, tap t at w[k * of_filter + t * of_tap]
    const float *b;
    int of_filter, of_tap;
    // made:
    bool wide;  // 16 bits
    int16_t *q; // [filters][taps]
    int32_t *bias;
    float *scale; // of each filter
    double largest_scale;
} Filters;

static float weight(const Filters *f, int k, int t)
{
    return f->w[(int64_t)k * f->of_filter + (int64_t)t * f->of_tap];
}

static int rounded(double x, int most)
{
    const int v = (int)(x < 0.0 ? x - 0.5 : x + 0.5);
    return v < -most ? -most : v > most ? most : v;
}

// What rounding filter k at scale s does to a result, or more than `bound`: squared errors of the
// weights, and squared sums of them over each channel's taps, since neighbouring pixels are alike.
static double rounding_error(const Filters *f, int k, double s, double bound)
{
    double error = 0.0;
    for (int c = 0; c < f->channels && error < bound; c++) {
        double sum = 0.0;
        for (int t = c; t < f->taps; t += f->channels) {
            const double w = (double)weight(f, k, t), e = s * rounded(w / s, WEIGHT_MOST) - w;
            sum += e;
            error += e * e;
        }
        error += sum * sum;
    }
    return error;
}

// The scale of the least error among those at which the largest weight is 64 .. 127.
static double best_scale(const Filters *f, int k, double largest)
{
    double best = largest / WEIGHT_MOST, least = rounding_error(f, k, best, INFINITY);
    for (int most = WEIGHT_MOST - 1; most > WEIGHT_MOST / 2; most--) {
        const double error = rounding_error(f, k, largest / most, least);
        if (error < least) {
            least = error;
            best = largest / most;
        }
    }
    return best;
}

// Rounds filter k at its scale; the largest magnitude that its accumulator can have.
static double round_filter(Filters *f, int k, const Tensor *x)
{
    const double s = (double)f->scale[k];
    int64_t sum = 0, magnitudes = 0;
    for (int t = 0; t < f->taps; t++) {
        const int v =
            rounded((double)weight(f, k, t) / s, f->wide ? WIDE_WEIGHT_MOST : WEIGHT_MOST);
        f->q[(int64_t)k * f->taps + t] = (int16_t)v;
        sum += v;
        magnitudes += v < 0 ? -v : v;
    }
    const double bias =
        round((double)f->b[k] / (s * (double)x->scale)) - (double)x->zero * (double)sum;
    if (fabs(bias) < 2147483647.0)
        f->bias[k] = (int32_t)bias;
    return -int8_least(x->dtype) * (double)magnitudes + fabs(bias);
}

// Each filter at its scale, or a coarser one at which accumulators stay clear of 31 bits.
static void quantise_filters(Quantiser *q, Filters *f, const Tensor *x)
{
    const size_t n = (size_t)f->filters;
    f->wide = is_wide(x);
    f->q = pool_alloc(q->ir->pool, n * (size_t)f->taps * sizeof *f->q);
    f->bias = pool_alloc(q->ir->pool, n * sizeof *f->bias);
    f->scale = pool_alloc(q->ir->pool, n * sizeof *f->scale);
    for (int k = 0; k < f->filters && !q->sizes_only; k++) {
        double largest = 1e-20;
        for (int t = 0; t < f->taps; t++)
            largest = fmax(largest, fabs((double)weight(f, k, t)));
        f->scale[k] = (float)(f->wide ? largest / WIDE_WEIGHT_MOST : best_scale(f, k, largest));
        while (round_filter(f, k, x) >= (double)(1 << ACCUMULATOR_BITS))
            f->scale[k] *= 1.25f;
        f->largest_scale = fmax(f->largest_scale, (double)f->scale[k]);
    }
}

static int64_t pitch_of(int taps)
{
    return (taps + 3) / 4 * 4;
}

// Number `at` of a constant of weights.
static void put_weight(const Filters *f, unsigned char *bytes, int64_t at, int value)
{
    if (f->wide)
        memcpy(bytes + 2 * at, &(int16_t){(int16_t)value}, 2);
    else
        bytes[at] = (unsigned char)value;
}

static int new_weights(Quantiser *q, const char *label, const Filters *f, int64_t count,
                       unsigned char **bytes)
{
    return new_constant(q, pool_printf(q->ir->pool, "%s.w", label), f->wide ? 2 * count : count,
                        bytes);
}

// Rows of weights, one filter each, filled up to whole words.
static int filter_rows(Quantiser *q, const char *label, const Filters *f)
{
    unsigned char *bytes;
    const int64_t pitch = pitch_of(f->taps);
    const int tensor = new_weights(q, label, f, f->filters * pitch, &bytes);
    for (int k = 0; k < f->filters; k++)
        for (int t = 0; t < f->taps; t++)
            put_weight(f, bytes, k * pitch + t, f->q[(int64_t)k * f->taps + t]);
    return tensor;
}

static int filter_columns(Quantiser *q, const char *label, const Filters *f)
{
    unsigned char *bytes;
    const int tensor = new_weights(q, label, f, (int64_t)f->filters * f->taps, &bytes);
    for (int k = 0; k < f->filters; k++)
        for (int t = 0; t < f->taps; t++)
            put_weight(f, bytes, (int64_t)t * f->filters + k, f->q[(int64_t)k * f->taps + t]);
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

// Four columns of 16 bits, or of whole vectors: int8_tiles.h.
static int64_t tile_bytes(int taps, bool wide)
{
    const int64_t pairs = 2 * pitch_of(taps), vectors = ((wide ? 2 : 1) * taps + 15) / 16 * 16;
    return 4 * (pairs > vectors ? pairs : vectors);
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
                     .channels = a->channels,
                     .w = w,
                     .b = folded(q, op->args[3]),
                     .of_filter = 1,
                     .of_tap = a->filters};
}

static int low_of(const Tensor *x, bool relu)
{
    return relu ? x->zero : int8_least(x->dtype);
}

static int filter_rule(Quantiser *q, const char *label, const Tensor *x, bool relu_x,
                       const Tensor *y, bool relu_y)
{
    return new_rule(
        q, label,
        (int32_t[]){x->zero, low_of(x, relu_x), y->zero, low_of(y, relu_y), int8_most(y->dtype)},
        5);
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
    int args[8] = {q->views[op->args[0]].tensor, new_scratch(q, label, tile_bytes(f.taps, f.wide)),
                   view.tensor};
    args[3] = filter_rows(q, label, &f);
    filter_results(q, label, &f, &x, (double)y.scale, args + 4);
    args[7] = filter_rule(q, label, &x, view.relu, &y, relu);
    ir_op(q->ir, f.wide ? OP_INT8_CONV_WIDE : OP_INT8_CONV, args, 8, op->attr);
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
                 .channels = 1,
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
    args[6] = filter_rule(q, label, &x, view.relu, &y, false);
    ir_op(q->ir, f.wide ? OP_INT8_DEPTHWISE_WIDE : OP_INT8_DEPTHWISE, args, 7, *a);
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
                   new_scratch(q, label, sums + tile_bytes(f.taps, false)), view.tensor};
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

// The largest distance of a number from a zero point.
static int span_of(const Tensor *t)
{
    return int8_most(t->dtype) - int8_least(t->dtype);
}

// Terms are held with `left` more bits: 20 as in TFLite's ADD, fewer where many terms or wide ones
// need room.
static int left_shift_of(int terms, int span)
{
    int left = 20;
    while ((double)terms * span * ldexp(1.0, left - 1) >= ldexp(1.0, 31) ||
           span * ldexp(1.0, left) >= ldexp(1.0, 31))
        left--;
    return left;
}

static bool quantise_sum(Quantiser *q, const Op *op)
{
    Pool *pool = q->ir->pool;
    const int n = op->attr.inputs, relu = op->attr.relu;
    double *scales = pool_alloc(pool, (size_t)n * sizeof *scales), most = 0.0;
    int *args = pool_alloc(pool, (size_t)(n + 2) * sizeof *args), span = 0;
    int32_t *rule = pool_alloc(pool, (size_t)(6 + 4 * n) * sizeof *rule);
    for (int j = 0; j < n; j++) {
        const int scalar = op->args[1 + n + j];
        const Tensor *x = plain_input(q, op->args[1 + j]);
        scales[j] = (double)x->scale *
                    (scalar >= 0 ? sigmoid((double)*folded(q, scalar)) : (double)op->attr.scale);
        most = fmax(most, scales[j]);
        span = span_of(x) > span ? span_of(x) : span;
        args[1 + j] = q->views[op->args[1 + j]].tensor;
    }
    const int left = left_shift_of(n, span);
    most = fmax(most, 1e-30);
    if (!new_tensor(q, op->args[0], relu, least_scale(2.0 * most / ldexp(1.0, left))))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const Factor out = factor_of(2.0 * most / (ldexp(1.0, left) * (double)y.scale));
    memcpy(
        rule,
        (int32_t[]){left, out.multiplier, out.shift, y.zero, low_of(&y, relu), int8_most(y.dtype)},
        6 * sizeof *rule);
    for (int j = 0; j < n; j++) {
        const Tensor *x = made(q, op->args[1 + j]);
        const Factor in = factor_of(scales[j] / (2.0 * most));
        memcpy(rule + 6 + 4 * j, (int32_t[]){x->zero, in.multiplier, in.shift, is_wide(x)},
               4 * sizeof *rule);
    }
    args[0] = q->views[op->args[0]].tensor;
    args[1 + n] = new_rule(q, y.name, rule, 6 + 4 * n);
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
    const int room = left_shift_of(1, span_of(&x));
    const int left = factor.shift >= 0 ? 0 : -factor.shift < room ? -factor.shift : room;
    const int rule =
        new_rule(q, pool_printf(q->ir->pool, "%s.at%d", y.name, op->attr.offset),
                 (int32_t[]){x.zero, factor.multiplier, left, factor.shift > 0 ? factor.shift : 0,
                             y.zero, int8_least(y.dtype), int8_most(y.dtype), is_wide(&x)},
                 8);
    ir_op(q->ir, OP_INT8_CONCAT,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor, rule}, 3, op->attr);
    return true;
}

static bool quantise_attention(Quantiser *q, const Op *op)
{
    const Tensor m = *plain_input(q, op->args[1]), s = *plain_input(q, op->args[2]);
    const int relu = op->attr.relu, bits = is_wide(&s) ? 15 : 20; // g + m' is less than 2
    const double unit = (double)s.scale / (1 << bits);
    if (!new_tensor(q, op->args[0], relu, least_scale(unit)))
        return false;
    const Tensor y = *made(q, op->args[0]);
    const double gate = sigmoid((double)*folded(q, op->args[4]));
    const Factor factor = factor_of(unit / (double)y.scale);
    const int rule = new_rule(q, y.name,
                              (int32_t[]){(int32_t)lround(gate * (1 << bits)), s.zero,
                                          factor.multiplier, factor.shift, y.zero, low_of(&y, relu),
                                          int8_most(y.dtype), bits, is_wide(&m), is_wide(&s)},
                              10);
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
    int32_t rule[13] = {x.zero, is_wide(&x), y.zero, int8_least(y.dtype), int8_most(y.dtype)};
    for (int i = 0; i < 4; i++) {
        const int count = (h + i / 2) * (w + i % 2);
        const Factor factor = factor_of((double)x.scale / (count * (double)y.scale));
        rule[5 + 2 * i] = factor.multiplier;
        rule[6 + 2 * i] = factor.shift;
    }
    ir_op(q->ir, OP_INT8_ADAPTIVE_POOL,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor,
                  new_rule(q, y.name, rule, 13)},
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
    const int32_t rule[] = {x.zero,
                            is_wide(&x),
                            y.zero,
                            int8_least(y.dtype),
                            int8_most(y.dtype),
                            factor.multiplier,
                            factor.shift};
    ir_op(q->ir, OP_INT8_AVERAGE_POOL,
          (int[]){q->views[op->args[0]].tensor, q->views[op->args[1]].tensor,
                  new_rule(q, y.name, rule, COUNT_OF(rule))},
          3, *a);
    return true;
}

// ---- the program --------------------------------------------------------------------------------

static bool quantise_image(Quantiser *q, int image)
{
    if (!new_tensor(q, image, false, 0.0))
        return false;
    const Tensor y = *made(q, image);
    const int rule =
        new_rule(q, "image", (int32_t[]){y.zero, int8_least(y.dtype), int8_most(y.dtype)}, 3);
    ir_op(q->ir, OP_INT8_IMAGE, (int[]){q->views[image].tensor, image, rule}, 3,
          (Attr){.channels = y.channels, .size = y.height * y.width, .scale = y.scale});
    return true;
}

// The only op that reads t, or NULL.
static const Op *only_reader(const Quantiser *q, int t)
{
    return q->readers[t] == 1 ? &q->old[q->first[t]] : NULL;
}

// Whether the map that a convolution makes is only averaged by `reader`.
static bool is_head(const Op *op, const Op *reader)
{
    return op->kind == OP_CONV_PIXELS && reader && reader->kind == OP_ADAPTIVE_POOL &&
           op->attr.relu && reader->attr.out_height * reader->attr.out_width == 1 &&
           op->attr.kernel_h * op->attr.kernel_w == 1;
}

static bool quantise_convolution(Quantiser *q, const Op *op)
{
    const Op *reader = only_reader(q, op->args[0]);
    if (reader && reader->kind == OP_UNPACK_LOGITS) {
        quantise_linear(q, op, reader->args[0]);
        return true;
    }
    return is_head(op, reader) ? quantise_head(q, op, reader) : quantise_conv(q, op);
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
    for (int o = 0; o < q->n_old; o++) {
        const Op *op = &q->old[o];
        if (op->kind == OP_PAD || op->kind == OP_RELU)
            q->source[op->args[0]] = q->source[op->args[1]];
        else if (is_head(op, only_reader(q, op->args[0])))
            q->narrow[q->source[op->args[1]]] = true;
    }
}

bool quantise(Ir *ir, const Ranges *ranges, int64_t widest, bool sizes_only, Err *err)
{
    const size_t n = (size_t)ir->n_tensors;
    Quantiser q = {.ir = ir,
                   .ranges = ranges,
                   .values = ir->const_data,
                   .widest = widest,
                   .sizes_only = sizes_only,
                   .err = err};
    q.views = pool_alloc(ir->pool, n * sizeof *q.views);
    q.readers = pool_alloc(ir->pool, n * sizeof *q.readers);
    q.first = pool_alloc(ir->pool, n * sizeof *q.first);
    q.source = pool_alloc(ir->pool, n * sizeof *q.source);
    q.narrow = pool_alloc(ir->pool, n * sizeof *q.narrow);
    const int n_old = ir->n_tensors;
    for (int t = 0; t < n_old; t++) {
        q.views[t] = (View){-1, false};
        q.source[t] = t;
    }
    q.old = ir_rewrite(ir, &q.n_old);
    survey(&q);
    ir->place = 0;
    for (int t = 0; t < n_old; t++)
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
