// test_int8.c - the int8 kernels of templates/int8_*.c against TensorFlow Lite's arithmetic,
// written anew from its definition: gemmlowp's two roundings with divisions of wide integers, the
// reference kernels with offsets (not folded zero points) and one loop a dimension.  Every bit must
// agree.
//
//     SEED=17 build/tests/test_int8    one round
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../compiler/base.h"

#include "../templates/int8.h"
#include "../templates/int8_tiles.h"

#include "../templates/int8_conv.c"
#include "../templates/int8_depthwise.c"
#include "../templates/int8_head.c"
#include "../templates/int8_merge.c"
#include "../templates/int8_pool.c"

enum { ROUNDS = 300, MOST = 4096, MOST_CHANNELS = 20, SCRATCH = 8192 };

// ---- TFLite's arithmetic ------------------------------------------------------------------------

__extension__ typedef __int128 Wide;

// gemmlowp's SaturatingRoundingDoublingHighMul.
static int32_t high_mul(int32_t a, int32_t b)
{
    if (a == INT32_MIN && b == INT32_MIN)
        return INT32_MAX;
    const Wide product = (Wide)a * b;
    const Wide nudge = product >= 0 ? (Wide)1 << 30 : 1 - ((Wide)1 << 30);
    return (int32_t)((product + nudge) / ((Wide)1 << 31)); // division towards zero
}

// gemmlowp's RoundingDivideByPOT: the nearest, halves away from zero.
static int32_t divide_by_power(int32_t x, int exponent)
{
    const int64_t one = (int64_t)1 << exponent, twice = 2 * llabs((int64_t)x) + one;
    const int64_t size = twice / (2 * one);
    return (int32_t)(x < 0 ? -size : size);
}

// MultiplyByQuantizedMultiplier of the reference kernels; shift > 0 is to the left.
static int32_t multiply(int32_t x, int32_t multiplier, int shift)
{
    const int left = shift > 0 ? shift : 0, right = shift > 0 ? 0 : -shift;
    return divide_by_power(high_mul((int32_t)(x * ((int64_t)1 << left)), multiplier), right);
}

static int32_t limited(int64_t x, int32_t low, int32_t high)
{
    return (int32_t)(x < low ? low : x > high ? high : x);
}

// ---- operands -----------------------------------------------------------------------------------

typedef struct {
    Random random;
    uint64_t seed;
} Dice;

static int32_t between(Dice *dice, int32_t low, int32_t high)
{
    return low + (int32_t)(random_unit(&dice->random) * ((double)high - low + 1.0));
}

// A tensor's numbers, in 8 or 16 bits as the kernels see them, and as they are.
typedef struct {
    bool wide;
    int32_t zero, low, high; // limits of the type
    int32_t value[MOST];
    int16_t words[MOST];
    int8_t bytes[MOST];
} Numbers;

static void numbers_kind(Numbers *n, bool wide, Dice *dice)
{
    n->wide = wide;
    n->low = wide ? -32768 : -128;
    n->high = wide ? 32767 : 127;
    n->zero = between(dice, wide ? -8192 : -128, wide ? 8191 : 127);
}

static void numbers_fill(Numbers *n, int count, int32_t most, Dice *dice)
{
    assert_true(count <= MOST);
    for (int i = 0; i < count; i++) {
        n->value[i] = limited(between(dice, -most - 1, most), n->low, n->high);
        n->words[i] = (int16_t)n->value[i];
        n->bytes[i] = (int8_t)n->value[i];
    }
}

static const void *numbers_data(const Numbers *n)
{
    return n->wide ? (const void *)n->words : (const void *)n->bytes;
}

static void numbers_agree(const char *what, const void *result, const Numbers *y, int count,
                          const Dice *dice)
{
    for (int i = 0; i < count; i++) {
        const int32_t got = y->wide ? ((const int16_t *)result)[i] : ((const int8_t *)result)[i];
        if (got != y->value[i])
            fail_msg("%s, SEED=%llu: result %d is %d, TFLite's rules give %d", what,
                     (unsigned long long)dice->seed, i, got, y->value[i]);
    }
}

// Multipliers as QuantizeMultiplier makes them: in 2^30 .. 2^31 - 1, a shift to the right.
static void draw_scales(int32_t *multiplier, int8_t *shift, int count, int least, int most,
                        Dice *dice)
{
    for (int i = 0; i < count; i++) {
        multiplier[i] = between(dice, 1 << 30, INT32_MAX);
        shift[i] = (int8_t)between(dice, least, most);
    }
}

typedef void (*Round)(Dice *dice);

static void run_rounds(Round round)
{
    const char *text = getenv("SEED");
    const uint64_t first = text ? strtoull(text, NULL, 10) : 1, last = text ? first : ROUNDS;
    for (uint64_t seed = first; seed <= last; seed++) {
        Dice dice = {random_stream(seed, "tflite", 0, 0), seed};
        round(&dice);
    }
}

// ---- fixed point --------------------------------------------------------------------------------

static void test_fixed_point(void **state)
{
    (void)state;
    static const int32_t edges[] = {0,
                                    1,
                                    -1,
                                    2,
                                    -2,
                                    3,
                                    -3,
                                    1 << 30,
                                    -(1 << 30),
                                    INT32_MAX,
                                    INT32_MIN + 1,
                                    (1 << 30) + 1,
                                    -(1 << 30) - 1,
                                    12345,
                                    -12345};
    Dice dice = {random_stream(1, "tflite", 1, 0), 1};
    for (int i = 0; i < 200000; i++) {
        const int edge = i < (int)(sizeof edges / sizeof *edges) * 31;
        const int32_t x = edge ? edges[i / 31] : between(&dice, -(1 << 30), 1 << 30),
                      m = between(&dice, 1 << 30, INT32_MAX);
        const int e = edge ? i % 31 : between(&dice, 0, 30);
        const int32_t high = high_mul(x, m);
        if (nk_int8_high(x, m) != high)
            fail_msg("high(%d, %d) is %d, not %d", x, m, nk_int8_high(x, m), high);
        // the kernels' sums stay below 2^30, so that half a unit can be added
        const int32_t part = high / 2, shifted = divide_by_power(part, e);
        if (nk_int8_shift(part, e) != shifted)
            fail_msg("shift(%d, %d) is %d, not %d", part, e, nk_int8_shift(part, e), shifted);
        if (e > 0 && nk_int8_result(x / 2, m, e, 3, -128, 127) !=
                         limited((int64_t)multiply(x / 2, m, -e) + 3, -128, 127))
            fail_msg("result(%d, %d, %d)", x / 2, m, e);
    }
}

// ---- CONV_2D and DEPTHWISE_CONV_2D --------------------------------------------------------------

static const int kernels[][2] = {{1, 1}, {3, 3}, {5, 5}, {1, 3}, {3, 1}, {1, 5}, {5, 1}};

// Of one filter at one pixel, TFLite's way: what lies outside is passed over, offsets are added to
// the inputs.  `step` and `from` pick the channels: all (CONV_2D), or one (DEPTHWISE_CONV_2D).
static int64_t tap_sum(const Numbers *x, const int32_t *w, int channels, int height, int width,
                       int kernel_h, int kernel_w, int top, int left, int from, int count,
                       int32_t floor)
{
    int64_t sum = 0;
    for (int r = 0; r < kernel_h; r++)
        for (int s = 0; s < kernel_w; s++)
            for (int c = from; c < from + count; c++) {
                const int h = top + r, v = left + s;
                if (h < 0 || h >= height || v < 0 || v >= width)
                    continue;
                const int32_t in = x->value[(h * width + v) * channels + c];
                const int32_t raised = in < floor ? floor : in;
                sum += (int64_t)(raised - x->zero) * w[(r * kernel_w + s) * count + c - from];
            }
    return sum;
}

static void conv_round(Dice *dice)
{
    static Numbers x, y, weights;
    static int32_t multiplier[MOST_CHANNELS], bias[MOST_CHANNELS], folded[MOST_CHANNELS];
    static int8_t shift[MOST_CHANNELS];
    static int64_t scratch[SCRATCH];
    static int16_t packed_words[2 * MOST], result[MOST];
    static int8_t packed_bytes[2 * MOST];
    const int *kernel = kernels[between(dice, 0, 6)];
    const int channels = between(dice, 1, 9), filters = between(dice, 1, 9),
              height = between(dice, 1, 8), width = between(dice, 1, 8);
    const int taps = kernel[0] * kernel[1] * channels, pitch = nk_int8_pitch(taps);
    const bool wide = between(dice, 0, 1);
    numbers_kind(&x, wide, dice);
    numbers_kind(&y, between(dice, 0, 1), dice);
    numbers_fill(&x, height * width * channels, wide ? 8191 : 127, dice);
    const int32_t floor = between(dice, 0, 1) ? x.zero : x.low;
    draw_scales(multiplier, shift, filters, wide ? 12 : 6, wide ? 24 : 12, dice);
    memset(packed_words, 0, sizeof packed_words);
    memset(packed_bytes, 0, sizeof packed_bytes);
    for (int k = 0; k < filters; k++) {
        numbers_kind(&weights, wide, dice);
        numbers_fill(&weights, taps, wide ? 300 : 127, dice);
        bias[k] = between(dice, -100000, 100000);
        folded[k] = bias[k];
        for (int t = 0; t < taps; t++) {
            folded[k] -= x.zero * weights.value[t];
            packed_words[k * pitch + t] = weights.words[t];
            packed_bytes[k * pitch + t] = weights.bytes[t];
        }
        for (int p = 0; p < height * width; p++) {
            const int64_t sum = bias[k] + tap_sum(&x, weights.value, channels, height, width,
                                                  kernel[0], kernel[1], p / width - kernel[0] / 2,
                                                  p % width - kernel[1] / 2, 0, channels, floor);
            y.value[p * filters + k] = limited(
                (int64_t)multiply((int32_t)sum, multiplier[k], -shift[k]) + y.zero, y.low, y.high);
        }
    }
    const int32_t rule[] = {x.zero, floor, y.zero, y.low, y.high};
    (wide ? nk_int8_conv_wide : nk_int8_conv)(
        result, scratch, numbers_data(&x),
        wide ? (const void *)packed_words : (const void *)packed_bytes, folded, multiplier, shift,
        rule, channels, height, width, filters, kernel[0], kernel[1]);
    numbers_agree("CONV_2D", result, &y, height * width * filters, dice);
}

static void depthwise_round(Dice *dice)
{
    static Numbers x, y, weights;
    static int32_t multiplier[MOST_CHANNELS], folded[MOST_CHANNELS];
    static int8_t shift[MOST_CHANNELS];
    static int16_t words[MOST], result[MOST];
    static int8_t bytes[MOST];
    const int *kernel = kernels[between(dice, 0, 6)];
    const int channels = between(dice, 1, MOST_CHANNELS), height = between(dice, 1, 8),
              width = between(dice, 1, 8), stride = between(dice, 1, 2);
    const int out_height = (height + stride - 1) / stride,
              out_width = (width + stride - 1) / stride;
    const int taps = kernel[0] * kernel[1];
    const bool wide = between(dice, 0, 1);
    numbers_kind(&x, wide, dice);
    numbers_kind(&y, between(dice, 0, 1), dice);
    numbers_fill(&x, height * width * channels, wide ? 8191 : 127, dice);
    const int32_t floor = between(dice, 0, 1) ? x.zero : x.low;
    draw_scales(multiplier, shift, channels, wide ? 12 : 5, wide ? 24 : 11, dice);
    for (int c = 0; c < channels; c++) {
        numbers_kind(&weights, wide, dice);
        numbers_fill(&weights, taps, wide ? 300 : 127, dice);
        const int32_t bias = between(dice, -10000, 10000);
        folded[c] = bias;
        for (int t = 0; t < taps; t++) {
            folded[c] -= x.zero * weights.value[t];
            words[t * channels + c] = weights.words[t];
            bytes[t * channels + c] = weights.bytes[t];
        }
        for (int p = 0; p < out_height * out_width; p++) {
            const int64_t sum =
                bias + tap_sum(&x, weights.value, channels, height, width, kernel[0], kernel[1],
                               stride * (p / out_width) - kernel[0] / 2,
                               stride * (p % out_width) - kernel[1] / 2, c, 1, floor);
            y.value[p * channels + c] = limited(
                (int64_t)multiply((int32_t)sum, multiplier[c], -shift[c]) + y.zero, y.low, y.high);
        }
    }
    const int32_t rule[] = {x.zero, floor, y.zero, y.low, y.high};
    (wide ? nk_int8_depthwise_wide : nk_int8_depthwise)(
        result, numbers_data(&x), wide ? (const void *)words : (const void *)bytes, folded,
        multiplier, shift, rule, channels, height, width, kernel[0], kernel[1], stride, out_height,
        out_width);
    numbers_agree("DEPTHWISE_CONV_2D", result, &y, out_height * out_width * channels, dice);
}

// ---- ADD, QUANTIZE, averages, FULLY_CONNECTED ---------------------------------------------------

enum { MOST_TERMS = 4 };

// TFLite's ADD has two terms, left = 20 and 8 bits; ours may have more, and 16 bits with less room.
static void sum_round(Dice *dice)
{
    static Numbers x[MOST_TERMS], y;
    static int16_t result[MOST];
    const int terms = between(dice, 2, MOST_TERMS), size = between(dice, 1, 300);
    bool wide = false;
    numbers_kind(&y, between(dice, 0, 1), dice);
    const void *data[MOST_TERMS];
    int32_t rule[6 + 4 * MOST_TERMS];
    for (int j = 0; j < terms; j++) {
        numbers_kind(&x[j], between(dice, 0, 3) == 0, dice);
        numbers_fill(&x[j], size, x[j].wide ? 8191 : 127, dice);
        wide |= x[j].wide;
        data[j] = numbers_data(&x[j]);
        int32_t *term = rule + 6 + 4 * j;
        term[0] = x[j].zero;
        term[1] = between(dice, 1 << 30, INT32_MAX);
        term[2] = between(dice, 2, 6);
        term[3] = x[j].wide;
    }
    const int left = wide ? 14 : 20;
    rule[0] = left;
    rule[1] = between(dice, 1 << 30, INT32_MAX);
    rule[2] = between(dice, 12, 24);
    rule[3] = y.zero, rule[4] = y.low, rule[5] = y.high;
    for (int i = 0; i < size; i++) {
        int32_t sum = 0;
        for (int j = 0; j < terms; j++) {
            const int32_t *term = rule + 6 + 4 * j;
            sum += multiply((x[j].value[i] - x[j].zero) * (1 << left), term[1], -term[2]);
        }
        y.value[i] = limited((int64_t)multiply(sum, rule[1], -rule[2]) + y.zero, y.low, y.high);
    }
    nk_int8_sum(result, data, rule, terms, size);
    numbers_agree("ADD", result, &y, size, dice);
}

static void concat_round(Dice *dice)
{
    static Numbers x, y;
    static int16_t result[MOST];
    const int channels = between(dice, 1, 6), pixels = between(dice, 1, 40);
    numbers_kind(&x, between(dice, 0, 1), dice);
    numbers_kind(&y, between(dice, 0, 1), dice);
    numbers_fill(&x, channels * pixels, x.wide ? 8191 : 127, dice);
    // a real multiplier in 2^-6 .. 2^6
    const int32_t multiplier = between(dice, 1 << 30, INT32_MAX);
    const int shift = between(dice, -6, 6), total = channels + between(dice, 0, 3),
              offset = between(dice, 0, total - channels);
    const int32_t rule[] = {
        x.zero, multiplier, shift > 0 ? shift : 0, shift > 0 ? 0 : -shift, y.zero, y.low,
        y.high, x.wide};
    nk_int8_concat(result, numbers_data(&x), rule, total, offset, channels, pixels);
    // TFLite's CONCATENATION wants equal scales: QUANTIZE brings them there
    for (int i = 0; i < channels * pixels; i++) {
        const int at = i / channels * total + offset + i % channels;
        const int32_t expected = limited(
            (int64_t)multiply(x.value[i] - x.zero, multiplier, shift) + y.zero, y.low, y.high);
        const int32_t got = y.wide ? result[at] : ((int8_t *)result)[at];
        if (got != expected)
            fail_msg("QUANTIZE, SEED=%llu: result %d is %d, TFLite's rules give %d",
                     (unsigned long long)dice->seed, i, got, expected);
    }
}

// Not TFLite's AVERAGE_POOL_2D, which leaves padding out of the count: the sum of offsets over the
// window, times 1/kernel^2 by MultiplyByQuantizedMultiplier, as its MEAN does it.
static void pool_round(Dice *dice)
{
    static Numbers x, y;
    static int16_t result[MOST];
    const int channels = between(dice, 1, MOST_CHANNELS), height = between(dice, 1, 8),
              width = between(dice, 1, 8), kernel = between(dice, 0, 1) ? 3 : 5;
    numbers_kind(&x, between(dice, 0, 1), dice);
    numbers_kind(&y, between(dice, 0, 1), dice);
    numbers_fill(&x, height * width * channels, x.wide ? 8191 : 127, dice);
    const int32_t multiplier = between(dice, 1 << 30, INT32_MAX), shift = between(dice, 2, 6);
    for (int h = 0; h < height; h++)
        for (int w = 0; w < width; w++)
            for (int c = 0; c < channels; c++) {
                int32_t ones[25];
                for (int t = 0; t < 25; t++)
                    ones[t] = 1;
                const int64_t sum = tap_sum(&x, ones, channels, height, width, kernel, kernel,
                                            h - kernel / 2, w - kernel / 2, c, 1, x.low);
                y.value[(h * width + w) * channels + c] = limited(
                    (int64_t)multiply((int32_t)sum, multiplier, -shift) + y.zero, y.low, y.high);
            }
    const int32_t rule[] = {x.zero, x.wide, y.zero, y.low, y.high, multiplier, shift};
    nk_int8_average_pool(result, numbers_data(&x), rule, channels, height, width, kernel);
    numbers_agree("the mean of a window", result, &y, height * width * channels, dice);
}

// The accumulators of FULLY_CONNECTED, given out as they are.
static void linear_round(Dice *dice)
{
    static Numbers x, weights;
    static int8_t packed[2 * MOST];
    const int channels = between(dice, 1, 60), classes = between(dice, 2, 12),
              pitch = nk_int8_pitch(channels);
    int32_t folded[12];
    float scales[12], logits[12], expected[12];
    numbers_kind(&x, false, dice);
    numbers_fill(&x, channels, 127, dice);
    memset(packed, 0, sizeof packed);
    for (int j = 0; j < classes; j++) {
        numbers_kind(&weights, false, dice);
        numbers_fill(&weights, channels, 127, dice);
        const int32_t bias = between(dice, -10000, 10000);
        scales[j] = (float)(1e-3 * random_unit(&dice->random));
        folded[j] = bias;
        for (int i = 0; i < channels; i++) {
            folded[j] -= x.zero * weights.value[i];
            packed[j * pitch + i] = weights.bytes[i];
        }
        const int64_t sum =
            bias + tap_sum(&x, weights.value, channels, 1, 1, 1, 1, 0, 0, 0, channels, x.low);
        expected[j] = (float)(int32_t)sum * scales[j];
    }
    nk_int8_linear(logits, x.bytes, packed, folded, scales, channels, classes);
    for (int j = 0; j < classes; j++)
        if (memcmp(&logits[j], &expected[j], sizeof(float)) != 0)
            fail_msg("FULLY_CONNECTED, SEED=%llu: logit %d is %.9g, not %.9g",
                     (unsigned long long)dice->seed, j, (double)logits[j], (double)expected[j]);
}

static void test_conv(void **state)
{
    (void)state;
    run_rounds(conv_round);
}

static void test_depthwise(void **state)
{
    (void)state;
    run_rounds(depthwise_round);
}

static void test_sum(void **state)
{
    (void)state;
    run_rounds(sum_round);
}

static void test_concat(void **state)
{
    (void)state;
    run_rounds(concat_round);
}

static void test_pool(void **state)
{
    (void)state;
    run_rounds(pool_round);
}

static void test_linear(void **state)
{
    (void)state;
    run_rounds(linear_round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_point), cmocka_unit_test(test_conv),
        cmocka_unit_test(test_depthwise),   cmocka_unit_test(test_sum),
        cmocka_unit_test(test_concat),      cmocka_unit_test(test_pool),
        cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
