// kernel_bits.c - a program for boards and for this machine: the int8 kernels on drawn shapes and
// numbers.  Prints a hash of what each kernel wrote, which must be the same everywhere: results,
// and the bytes behind results and scratch, which nobody may touch.
#include "board.h"
#include "semihost.h"

#include <stddef.h>
#include <stdint.h>

#include "../../templates/int8.h"
#include "../../templates/int8_tiles.h"

#include "../../templates/int8_conv.c"
#include "../../templates/int8_depthwise.c"
#include "../../templates/int8_head.c"
#include "../../templates/int8_merge.c"
#include "../../templates/int8_pool.c"

enum {
    ROUNDS = 150,
    MAP = 6000,
    WEIGHTS = 12000,
    SCRATCH = 9000,
    GUARD = 16,
    MOST = 36,
    TERMS = 4
};

static _Alignas(8) int8_t x[TERMS][2 * MAP], y[2 * MAP + GUARD], weights[2 * WEIGHTS];
static _Alignas(8) int8_t scratch[SCRATCH + GUARD];
static int32_t bias[MOST], multiplier[MOST];
static int8_t shift[MOST];
static float logits[MOST], scales[MOST];
static uint32_t state, hash;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static int32_t between(int32_t low, int32_t high)
{
    return low + (int32_t)(draw() % (uint32_t)(high - low + 1));
}

static void add_to_hash(const void *bytes, int count)
{
    for (const uint8_t *b = bytes; count-- > 0; b++)
        hash = (hash ^ *b) * 16777619u;
}

// ---- operands -----------------------------------------------------------------------------------

// Numbers of so many bits, and a pattern where results and scratch end.
static void draw_numbers(void *to, int count, int wide, int bits)
{
    for (int i = 0; i < count; i++) {
        const int32_t most = (1 << (bits - 1)) - 1;
        nk_int8_put(to, i, between(-most - 1, most), wide);
    }
}

static void draw_scales(int count, int least, int most)
{
    for (int i = 0; i < count; i++) {
        bias[i] = between(-20000, 20000);
        multiplier[i] = (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff);
        shift[i] = (int8_t)between(least, most);
    }
}

static void clear(int scratch_bytes)
{
    for (int i = 0; i < (int)sizeof y; i++)
        y[i] = 0x5a;
    for (int i = 0; i < GUARD; i++)
        scratch[scratch_bytes + i] = 0x5a;
}

static void add_result(int count, int wide, int scratch_bytes)
{
    add_to_hash(y, (count << wide) + GUARD);
    add_to_hash(scratch + scratch_bytes, GUARD);
}

// As compiler/quantise.c has it.
static int tile_bytes(int taps, int wide)
{
    const int pairs = 2 * nk_int8_pitch(taps), vectors = ((taps << wide) + 15) & ~15;
    return 4 * (pairs > vectors ? pairs : vectors);
}

typedef struct {
    int32_t zero, low, high;
    int wide;
} Kind;

static Kind draw_kind(void)
{
    const int wide = between(0, 3) == 0;
    const int32_t most = wide ? 8191 : 127, zero = between(-most - 1, most);
    return (Kind){zero, between(0, 1) ? zero : -most - 1, most, wide};
}

// ---- rounds -------------------------------------------------------------------------------------

static const int8_t kernels[][2] = {{1, 1}, {3, 3}, {5, 5}, {1, 3}, {3, 1}, {1, 5}, {5, 1}};

static void conv_round(void)
{
    const int8_t *kernel = kernels[between(0, 6)];
    const int channels = between(1, between(0, 1) ? 8 : MOST), filters = between(1, 9),
              height = between(1, 9), width = between(1, 9);
    const int taps = kernel[0] * kernel[1] * channels, pitch = nk_int8_pitch(taps);
    const Kind in = draw_kind(), out = draw_kind();
    const int bytes = tile_bytes(taps, in.wide);
    const int32_t rule[] = {in.zero, in.low, out.zero, out.low, out.high};
    draw_numbers(x[0], height * width * channels, in.wide, in.wide ? 14 : 8);
    draw_numbers(weights, filters * pitch + 12, in.wide, in.wide ? 7 : 8);
    for (int k = 0; k < filters; k++)
        for (int t = taps; t < pitch; t++)
            nk_int8_put(weights, k * pitch + t, 0, in.wide);
    draw_scales(filters, in.wide ? 9 : 6, in.wide ? 20 : 14);
    clear(bytes);
    (in.wide ? nk_int8_conv_wide : nk_int8_conv)(y, scratch, x[0], weights, bias, multiplier, shift,
                                                 rule, channels, height, width, filters, kernel[0],
                                                 kernel[1]);
    add_result(height * width * filters, out.wide, bytes);
}

static void depthwise_round(void)
{
    const int8_t *kernel = kernels[between(0, 6)];
    const int channels = between(1, MOST), height = between(1, 9), width = between(1, 9),
              stride = between(1, 2);
    const int out_height = (height + stride - 1) / stride,
              out_width = (width + stride - 1) / stride;
    const Kind in = draw_kind(), out = draw_kind();
    const int32_t rule[] = {in.zero, in.low, out.zero, out.low, out.high};
    draw_numbers(x[0], height * width * channels, in.wide, in.wide ? 14 : 8);
    draw_numbers(weights, kernel[0] * kernel[1] * channels, in.wide, in.wide ? 10 : 8);
    draw_scales(channels, in.wide ? 9 : 6, in.wide ? 20 : 14);
    clear(0);
    (in.wide ? nk_int8_depthwise_wide
             : nk_int8_depthwise)(y, x[0], weights, bias, multiplier, shift, rule, channels, height,
                                  width, kernel[0], kernel[1], stride, out_height, out_width);
    add_result(out_height * out_width * channels, out.wide, 0);
}

static void head_round(void)
{
    const int channels = between(1, MOST), filters = between(1, 20), size = between(1, 30);
    const int sums = 4 * ((filters + 1) & ~1), bytes = sums + tile_bytes(channels, 0);
    const Kind in = draw_kind();
    const int32_t zero = in.wide ? in.zero >> 6 : in.zero;
    const int32_t rule[] = {zero, in.low == in.zero ? zero : -128, between(-128, 127),
                            between(0, 3)};
    const int pitch = nk_int8_pitch(channels);
    draw_numbers(x[0], size * channels, 0, 8);
    draw_numbers(weights, filters * pitch + 12, 0, 8);
    for (int k = 0; k < filters; k++)
        for (int t = channels; t < pitch; t++)
            weights[k * pitch + t] = 0;
    draw_scales(filters, 8, 16);
    clear(bytes);
    nk_int8_head(y, scratch, x[0], weights, bias, multiplier, shift, rule, channels, filters, size);
    add_result(filters, 0, bytes);
    for (int k = 0; k < filters; k++)
        scales[k] = 1.0f / (float)(1 << between(0, 10));
    nk_int8_linear(logits, x[0], weights, bias, scales, channels, filters);
    add_to_hash(logits, filters * (int)sizeof *logits);
}

static void sum_round(void)
{
    const int inputs = between(1, TERMS), size = between(1, 400), in_place = between(0, 1);
    const void *xs[TERMS];
    int32_t rule[6 + 4 * TERMS];
    const Kind out = draw_kind();
    int any_wide = 0, first_wide = 0;
    for (int j = 0; j < inputs; j++) {
        const Kind in = draw_kind();
        int32_t *term = rule + 6 + 4 * j;
        draw_numbers(x[j], size, in.wide, in.wide ? 14 : 8);
        xs[j] = x[j];
        term[0] = in.zero;
        term[1] = (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff);
        term[2] = between(0, 6);
        term[3] = in.wide;
        any_wide |= in.wide;
        first_wide = j ? first_wide : in.wide;
    }
    rule[0] = any_wide ? 14 : 20;
    rule[1] = (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff);
    rule[2] = between(10, 22);
    rule[3] = out.zero, rule[4] = out.low, rule[5] = out.high;
    clear(0);
    if (in_place && first_wide == out.wide) {
        nk_int8_sum(x[0], xs, rule, inputs, size);
        add_to_hash(x[0], size << out.wide);
    } else {
        nk_int8_sum(y, xs, rule, inputs, size);
        add_result(size, out.wide, 0);
    }
}

static void concat_round(void)
{
    const int channels = between(1, MOST), size = between(1, 20), total = channels + between(0, 5),
              offset = between(0, total - channels), left = between(0, 1) ? between(0, 6) : 0;
    const Kind in = draw_kind(), out = draw_kind();
    const int32_t rule[] = {in.zero,  (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff),
                            left,     left ? 0 : between(0, 6),
                            out.zero, -out.high - 1,
                            out.high, in.wide};
    draw_numbers(x[0], size * channels, in.wide, in.wide ? 14 : 8);
    clear(0);
    nk_int8_concat(y, x[0], rule, total, offset, channels, size);
    add_result(size * total, out.wide, 0);
}

static void attention_round(void)
{
    const int size = between(1, 400);
    const Kind m = draw_kind(), s = draw_kind(), out = draw_kind();
    const int bits = s.wide ? 15 : 20;
    const int32_t rule[] = {between(0, 1 << bits),
                            s.zero,
                            (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff),
                            between(bits - 4, bits),
                            out.zero,
                            out.low,
                            out.high,
                            bits,
                            m.wide,
                            s.wide};
    draw_numbers(x[0], between(0, 9) ? size : 0, m.wide, m.wide ? 14 : 8);
    draw_numbers(x[1], size, s.wide, s.wide ? 14 : 8);
    clear(0);
    nk_int8_attention(y, x[0], x[1], rule, size);
    add_result(size, out.wide, 0);
}

static void pool_round(void)
{
    const int channels = between(1, MOST), height = between(1, 9), width = between(1, 9);
    const int out_height = between(1, height), out_width = between(1, width);
    const Kind in = draw_kind(), out = draw_kind();
    int32_t rule[13] = {in.zero, in.wide, out.zero, -out.high - 1, out.high};
    for (int i = 5; i < 13; i += 2) {
        rule[i] = (1 << 30) + (int32_t)(draw() << 6 & 0x3fffffff);
        rule[i + 1] = between(0, 6);
    }
    draw_numbers(x[0], height * width * channels, in.wide, in.wide ? 14 : 8);
    clear(0);
    nk_int8_adaptive_pool(y, x[0], rule, channels, height, width, out_height, out_width);
    add_result(out_height * out_width * channels, out.wide, 0);
    clear(0);
    nk_int8_average_pool(y, x[0], rule, channels, height, width, between(0, 1) ? 3 : 5);
    add_result(height * width * channels, out.wide, 0);
}

static void run_rounds(const char *name, void (*round)(void))
{
    static const char digits[] = "0123456789abcdef";
    char text[9] = {0};
    state = 1;
    hash = 2166136261u;
    for (int i = 0; i < ROUNDS; i++)
        round();
    for (int i = 0; i < 8; i++)
        text[i] = digits[hash >> (28 - 4 * i) & 15];
    host_print(name);
    host_print(" ");
    host_print(text);
    host_print("\n");
}

int main(void)
{
    run_rounds("conv", conv_round);
    run_rounds("depthwise", depthwise_round);
    run_rounds("head", head_round);
    run_rounds("sum", sum_round);
    run_rounds("concat", concat_round);
    run_rounds("attention", attention_round);
    run_rounds("pool", pool_round);
    return 0;
}
