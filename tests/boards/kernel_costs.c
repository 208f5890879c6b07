// kernel_costs.c - a program for a board of examples/firmware: runs each int8 kernel on several
// shapes and prints the instructions that a call took, for kernel_costs.py.  A line:
// "conv channels height width filters kernel_h kernel_w stride inputs instructions".  Maps of few
// channels are run in 16 bits, too.
//
// A network calls the head and the last layer once, so that gcc makes them for their sizes: with
// ONCE_CHANNELS, ONCE_SIZE and ONCE_CLASSES defined it is they that are run, for these.
#include "board.h"
#include "semihost.h"

#include <stddef.h>
#include <stdint.h>

#include "../../templates/int8.h"
#include "../../templates/int8_tiles.h"

#include "../../templates/int8_conv.c"
#include "../../templates/int8_depthwise.c"
#include "../../templates/int8_head.c"
#include "../../templates/int8_image.c"
#include "../../templates/int8_merge.c"
#include "../../templates/int8_pool.c"

enum {
    IMAGE,
    CONV,
    CONV_WIDE,
    DEPTHWISE,
    DEPTHWISE_WIDE,
    SUM,
    CONCAT,
    ATTENTION,
    ADAPTIVE,
    AVERAGE,
    HEAD,
    LINEAR,
    PIXELS
};
enum { FEW = 16 }; // as compiler/quantise.c has it
static const char *const names[] = {
    "image",     "conv",          "conv_wide",    "depthwise", "depthwise_wide", "sum",   "concat",
    "attention", "adaptive_pool", "average_pool", "head",      "linear",         "pixels"};

typedef struct {
    int kind, channels, height, width, filters, kernel_h, kernel_w, stride, inputs;
} Case;

// What networks have at 32x32, 16x16 and 8x8: odd channels among them, one row of pixels, few.
static const Case cases[] = {
    {CONV, 3, 32, 32, 16, 3, 3, 1, 1},      {CONV, 16, 16, 16, 16, 3, 3, 1, 1},
    {CONV, 14, 32, 32, 14, 3, 3, 1, 1},     {CONV, 28, 16, 16, 28, 3, 3, 1, 1},
    {CONV, 56, 8, 8, 56, 3, 3, 1, 1},       {CONV, 7, 16, 16, 9, 3, 3, 1, 1},
    {CONV, 32, 8, 8, 30, 1, 1, 1, 1},       {CONV, 11, 16, 16, 21, 1, 1, 1, 1},
    {CONV, 64, 16, 16, 32, 1, 1, 1, 1},     {CONV, 12, 8, 8, 12, 5, 5, 1, 1},
    {CONV, 6, 16, 16, 10, 5, 5, 1, 1},      {CONV, 10, 16, 16, 10, 1, 3, 1, 1},
    {CONV, 20, 8, 8, 20, 3, 1, 1, 1},       {CONV, 4, 8, 8, 4, 3, 3, 1, 1},
    {CONV, 40, 4, 4, 40, 3, 3, 1, 1},       {CONV, 2, 28, 28, 2, 3, 3, 1, 1},
    {DEPTHWISE, 16, 16, 16, 1, 3, 3, 1, 1}, {DEPTHWISE, 7, 32, 32, 1, 3, 3, 1, 1},
    {DEPTHWISE, 28, 8, 8, 1, 3, 3, 1, 1},   {DEPTHWISE, 56, 8, 8, 1, 5, 5, 1, 1},
    {DEPTHWISE, 12, 16, 16, 1, 5, 5, 1, 1}, {DEPTHWISE, 10, 32, 32, 1, 3, 3, 2, 1},
    {DEPTHWISE, 33, 16, 16, 1, 1, 3, 1, 1}, {DEPTHWISE, 3, 32, 32, 1, 3, 3, 1, 1},
    {SUM, 16, 16, 16, 1, 1, 1, 1, 2},       {SUM, 14, 32, 32, 1, 1, 1, 1, 1},
    {SUM, 7, 8, 8, 1, 1, 1, 1, 3},          {SUM, 28, 8, 8, 1, 1, 1, 1, 4},
    {SUM, 3, 4, 4, 1, 1, 1, 1, 2},          {SUM, 20, 16, 16, 1, 1, 1, 1, 6},
    {CONCAT, 16, 16, 16, 1, 1, 1, 1, 2},    {CONCAT, 3, 8, 8, 1, 1, 1, 1, 1},
    {CONCAT, 7, 32, 32, 1, 1, 1, 1, 3},     {CONCAT, 40, 8, 8, 1, 1, 1, 1, 2},
    {ATTENTION, 16, 16, 16, 1, 1, 1, 1, 1}, {ATTENTION, 7, 8, 8, 1, 1, 1, 1, 1},
    {ATTENTION, 14, 32, 32, 1, 1, 1, 1, 1}, {ATTENTION, 2, 4, 4, 1, 1, 1, 1, 1},
    {ADAPTIVE, 16, 32, 32, 1, 1, 1, 2, 1},  {ADAPTIVE, 7, 16, 16, 1, 1, 1, 2, 1},
    {ADAPTIVE, 28, 32, 32, 1, 1, 1, 4, 1},  {ADAPTIVE, 33, 8, 8, 1, 1, 1, 2, 1},
    {ADAPTIVE, 4, 16, 16, 1, 1, 1, 1, 1},   {ADAPTIVE, 70, 16, 16, 1, 1, 1, 2, 1},
    {AVERAGE, 16, 16, 16, 1, 3, 3, 1, 1},   {AVERAGE, 7, 32, 32, 1, 3, 3, 1, 1},
    {AVERAGE, 28, 8, 8, 1, 5, 5, 1, 1},     {AVERAGE, 40, 8, 8, 1, 3, 3, 1, 1},
    {AVERAGE, 12, 16, 16, 1, 5, 5, 1, 1},   {IMAGE, 3, 32, 32, 1, 1, 1, 1, 1},
    {IMAGE, 1, 28, 28, 1, 1, 1, 1, 1},      {PIXELS, 3, 32, 32, 1, 1, 1, 1, 1},
    {PIXELS, 1, 28, 28, 1, 1, 1, 1, 1},
};

#ifdef ONCE_CHANNELS
enum { MAP = 16384, WEIGHTS = 148000 };
#else
enum { MAP = 45056, WEIGHTS = 36000 };
#endif
enum { FILTERS = 1284 };
static _Alignas(8) int8_t maps[2][MAP], weights[WEIGHTS];
static _Alignas(8) int8_t scratch[16384];
static float image[3 * 32 * 32], logits[32], scales[32];
static int8_t shift[FILTERS], table[3][256];
static int32_t bias[FILTERS], multiplier[FILTERS];

// Behind a pointer that gcc does not follow, so that the kernels are not made for these places.
static void *volatile hidden;

static void *hide(const void *p)
{
    hidden = (void *)p;
    return hidden;
}

static void fill(void *to, int bytes)
{
    uint32_t random = 1;
    for (uint8_t *b = to; bytes-- > 0; b++) {
        random = random * 1664525u + 1013904223u;
        *b = (uint8_t)(random >> 24);
    }
}

// 16-bit numbers of so many bits, around 0.
static void fill_wide(void *to, int bytes, int bits)
{
    fill(to, bytes);
    for (int16_t *n = to; bytes > 0; bytes -= 2, n++)
        *n = (int16_t)(*n >> (16 - bits));
}

static void prepare(int wide)
{
    if (wide) {
        fill_wide(maps, sizeof maps, 14);
        fill_wide(weights, sizeof weights, 8);
    } else {
        fill(maps, sizeof maps);
        fill(weights, sizeof weights);
    }
    fill(table, sizeof table);
    for (int i = 0; i < FILTERS; i++) {
        shift[i] = 8;
        multiplier[i] = 1 << 30;
        bias[i] = i;
    }
    for (int i = 0; i < 32; i++)
        scales[i] = 0.01f;
    for (int i = 0; i < 3 * 32 * 32; i++)
        image[i] = 0.01f * (float)(i % 300 - 150);
}

// As face_int8.c does it.
__attribute__((noinline)) static void read_pixels(int8_t *to, const uint8_t *pixels, int channels,
                                                  int size)
{
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c++)
            *to++ = table[c][pixels[c * size + p]];
}

// A rule for 8 bits and one for 16.
#define LIMITS(wide) (wide) ? -8192 : -128, (wide) ? 8191 : 127
#define TERM(wide) 3, 1 << 30, 1, wide
#define RULES(wide)                                                                              \
    {                                                                                            \
        .conv = {3, (wide) ? -8192 : -128, 2, LIMITS(wide)}, .image = {1, LIMITS(wide)},         \
        .concat = {3, 1 << 30, 8, 9, 2, LIMITS(wide), wide},                                     \
        .average = {3, wide, 2, LIMITS(wide), 1 << 28, 2},                                       \
        .attention = {1 << ((wide) ? 15 : 20), 3,    1 << 30, (wide) ? 13 : 18, 2, LIMITS(wide), \
                      (wide) ? 15 : 20,        wide, wide},                                      \
        .adaptive = {3, wide, 2, LIMITS(wide), 1 << 28, 2, 1 << 28, 2, 1 << 28, 2, 1 << 28, 2},  \
        .sum = {(wide) ? 14 : 20, 1 << 30,    (wide) ? 12 : 18, 2,                               \
                LIMITS(wide),     TERM(wide), TERM(wide),       TERM(wide),                      \
                TERM(wide),       TERM(wide), TERM(wide)},                                       \
    }

// What every kernel reads first: quantise.c makes them.
typedef struct {
    int32_t conv[5], image[3], concat[8], average[7], attention[10], adaptive[13], sum[30];
} Rules;
static const Rules rules[2] = {RULES(0), RULES(1)};

__attribute__((noinline)) static void run(const Case *c, int kind, int wide)
{
    static const void *const inputs[] = {maps[0],       maps[0] + 100, maps[0] + 200,
                                         maps[0] + 300, maps[0] + 400, maps[0] + 500};
    const int size = c->height * c->width;
    void *y = hide(maps[1]), *work = hide(scratch);
    const void *x = hide(maps[0]), *w = hide(weights);
    const int8_t *e = hide(shift);
    const int32_t *b = hide(bias), *m = hide(multiplier);
    const Rules *rule = hide(&rules[wide]);
    switch (kind) {
    case CONV:
        nk_int8_conv(y, work, x, w, b, m, e, rule->conv, c->channels, c->height, c->width,
                     c->filters, c->kernel_h, c->kernel_w);
        break;
    case CONV_WIDE:
        nk_int8_conv_wide(y, work, x, w, b, m, e, rule->conv, c->channels, c->height, c->width,
                          c->filters, c->kernel_h, c->kernel_w);
        break;
    case DEPTHWISE:
        nk_int8_depthwise(y, x, w, b, m, e, rule->conv, c->channels, c->height, c->width,
                          c->kernel_h, c->kernel_w, c->stride, c->height / c->stride,
                          c->width / c->stride);
        break;
    case DEPTHWISE_WIDE:
        nk_int8_depthwise_wide(y, x, w, b, m, e, rule->conv, c->channels, c->height, c->width,
                               c->kernel_h, c->kernel_w, c->stride, c->height / c->stride,
                               c->width / c->stride);
        break;
    case SUM:
        nk_int8_sum(y, hide(inputs), rule->sum, c->inputs, c->channels * size);
        break;
    case CONCAT:
        nk_int8_concat(y, x, rule->concat, c->channels * c->inputs, 0, c->channels, size);
        break;
    case ATTENTION:
        nk_int8_attention(y, x, (const int8_t *)x + 64, rule->attention, c->channels * size);
        break;
    case ADAPTIVE:
        nk_int8_adaptive_pool(y, x, rule->adaptive, c->channels, c->height, c->width,
                              c->height / c->stride, c->width / c->stride);
        break;
    case AVERAGE:
        nk_int8_average_pool(y, x, rule->average, c->channels, c->height, c->width, c->kernel_h);
        break;
    case IMAGE:
        nk_int8_image(y, hide(image), rule->image, c->channels, size, 0.02f);
        break;
    case PIXELS:
        read_pixels(y, x, c->channels, size);
        break;
    }
}

static void print_number(uint32_t value, const char *end)
{
    char digits[12];
    int at = sizeof digits;
    digits[--at] = 0;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    host_print(digits + at);
    host_print(end);
}

static void print_case(int kind, const int32_t numbers[8], uint32_t instructions)
{
    host_print(names[kind]);
    host_print(" ");
    for (int n = 0; n < 8; n++)
        print_number((uint32_t)numbers[n], " ");
    print_number(instructions, "\n");
}

#ifdef ONCE_CHANNELS
int main(void)
{
    enum { WIDE = 1280 };
    static const int32_t rule[] = {3, -128, 2, 0};
    const int32_t head[8] = {ONCE_CHANNELS, ONCE_SIZE, 1, WIDE, 1, 1, 1, 1},
                  linear[8] = {WIDE, 1, 1, ONCE_CLASSES, 1, 1, 1, 1};
    prepare(0);
    board_timer_start();
    nk_int8_head(hide(maps[1]), hide(scratch), hide(maps[0]), hide(weights), hide(bias),
                 hide(multiplier), hide(shift), hide(rule), ONCE_CHANNELS, WIDE, ONCE_SIZE);
    print_case(HEAD, head, board_timer_instructions());
    board_timer_start();
    nk_int8_linear(hide(logits), hide(maps[0]), hide(weights), hide(bias), hide(scales), WIDE,
                   ONCE_CLASSES);
    print_case(LINEAR, linear, board_timer_instructions());
    return 0;
}
#else
static void run_cases(int wide)
{
    prepare(wide);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        const Case *c = &cases[i];
        if (wide && (c->channels > FEW || c->kind == PIXELS))
            continue;
        const int is_convolution = c->kind == CONV || c->kind == DEPTHWISE;
        const int kind = c->kind + (wide && is_convolution);
        const int32_t numbers[] = {c->channels, c->height,   c->width,  c->filters,
                                   c->kernel_h, c->kernel_w, c->stride, c->inputs};
        board_timer_start();
        run(c, kind, wide);
        print_case(kind, numbers, board_timer_instructions());
    }
}

int main(void)
{
    run_cases(0);
    run_cases(1);
    return 0;
}
#endif
