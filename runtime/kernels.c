// kernels.c - the kernel texts of templates/ as a table of functions; compiled once per instruction
// set (NK_ISA).
//
// Shapes are known at run time only, so the convolutions are expanded for every size of tile, and a
// row of pixels picks its function.
#include "../compiler/nagoc.h"

#define NK_CONV_DISPATCH
#include "../templates/prelude.h"

#include "../templates/affine.c"
#include "../templates/attention.c"
#include "../templates/batchnorm.c"
#include "../templates/concat.c"
#include "../templates/depthwise.c"
#include "../templates/dropout.c"
#include "../templates/loss.c"
#include "../templates/pack.c"
#include "../templates/pool.c"
#include "../templates/relu.c"
#include "../templates/sgd.c"
#include "../templates/weighted_sum.c"

#include "../templates/int8.h"
#include "../templates/int8_tiles.h"

#include "../templates/int8_conv.c"
#include "../templates/int8_depthwise.c"
#include "../templates/int8_head.c"
#include "../templates/int8_image.c"
#include "../templates/int8_merge.c"
#include "../templates/int8_pool.c"

#define NOINLINE static __attribute__((noinline))

// ---- forward, and the gradient of the input -----------------------------------------------------

static void nk_conv_row(float *y, const float *x, const float *p, const float *b, int channels,
                        int height, int width, int filters, int kernel_h, int kernel_w,
                        int accumulate, int k0, int tile, int h);
static void nk_line_row(float *y, const float *x, const float *p, const float *b, int channels,
                        int taps, size_t plane, size_t pitch, int filters, int accumulate, int k0,
                        int tile, int count);
#include "../templates/conv.c"

// lists, not code
// clang-format off
#if NK_CONV_TILE > 6
#define EACH_TILE(M) \
    M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14)
#else
#define EACH_TILE(M) \
    M(1) M(2) M(3) M(4) M(5) M(6)
#endif
// clang-format on
#define ROW(T)                                                                                     \
    NOINLINE void row_##T(float *y, const float *x, const float *p, const float *b, int channels,  \
                          int height, int width, int filters, int kernel_h, int kernel_w,          \
                          int accumulate, int k0, int h)                                           \
    {                                                                                              \
        nk_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, \
                     k0, T, h);                                                                    \
    }
#define ROW_CASE(T)                                                                               \
    case T:                                                                                       \
        row_##T(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, k0, \
                h);                                                                               \
        break;
EACH_TILE(ROW)

static void nk_conv_row(float *y, const float *x, const float *p, const float *b, int channels,
                        int height, int width, int filters, int kernel_h, int kernel_w,
                        int accumulate, int k0, int tile, int h)
{
    switch (tile) {
        EACH_TILE(ROW_CASE)
    }
}

#define LINE(T)                                                                                    \
    NOINLINE void line_##T(float *y, const float *x, const float *p, const float *b, int channels, \
                           int taps, size_t plane, size_t pitch, int filters, int accumulate,      \
                           int k0, int count)                                                      \
    {                                                                                              \
        nk_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0, T, count); \
    }
#define LINE_CASE(T)                                                                        \
    case T:                                                                                 \
        line_##T(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0, count); \
        break;
EACH_TILE(LINE)

static void nk_line_row(float *y, const float *x, const float *p, const float *b, int channels,
                        int taps, size_t plane, size_t pitch, int filters, int accumulate, int k0,
                        int tile, int count)
{
    switch (tile) {
        EACH_TILE(LINE_CASE)
    }
}

// ---- gradient of the weights --------------------------------------------------------------------

static void nk_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                        int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                        int tile, int c0, int columns, int r);
typedef struct nk_column nk_column;
static void nk_turned_block(float *sums, const float *x, const float *d, const nk_column *columns,
                            int height, int width, int first, int count, int tile, int vectors);
#include "../templates/conv_weights_backward.c"

#define TURNED(T)                                                                        \
    NOINLINE void turned_##T(float *sums, const float *x, const float *d,                \
                             const nk_column *columns, int height, int width, int first, \
                             int count, int vectors)                                     \
    {                                                                                    \
        if (vectors == 2)                                                                \
            nk_turned_tile(sums, x, d, columns, height, width, first, count, T, 2);      \
        else                                                                             \
            nk_turned_tile(sums, x, d, columns, height, width, first, count, T, 1);      \
    }
#define TURNED_CASE(T)                                                         \
    case T:                                                                    \
        turned_##T(sums, x, d, columns, height, width, first, count, vectors); \
        break;
EACH_TILE(TURNED)

static void nk_turned_block(float *sums, const float *x, const float *d, const nk_column *columns,
                            int height, int width, int first, int count, int tile, int vectors)
{
    switch (tile) {
        EACH_TILE(TURNED_CASE)
    }
}

// Filters x columns x kernel width: a wide kernel's columns are its taps, a narrow one's are
// channels.
// lists, not code
// clang-format off
#if NK_DW_CHANNELS == 6
#define EACH_BLOCK(M) \
    M(1, 1, 1) M(2, 1, 1) M(3, 1, 1) M(4, 1, 1) M(1, 2, 1) M(2, 2, 1) M(3, 2, 1) M(4, 2, 1) \
    M(1, 3, 1) M(2, 3, 1) M(3, 3, 1) M(4, 3, 1) M(1, 4, 1) M(2, 4, 1) M(3, 4, 1) M(4, 4, 1) \
    M(1, 5, 1) M(2, 5, 1) M(3, 5, 1) M(4, 5, 1) M(1, 6, 1) M(2, 6, 1) M(3, 6, 1) M(4, 6, 1) \
    M(1, 3, 3) M(2, 3, 3) M(3, 3, 3) M(4, 3, 3) M(5, 3, 3) M(6, 3, 3) M(7, 3, 3) M(1, 5, 5) \
    M(2, 5, 5) M(3, 5, 5) M(4, 5, 5) M(5, 5, 5)
#else
#define EACH_BLOCK(M) \
    M(1, 1, 1) M(2, 1, 1) M(3, 1, 1) M(4, 1, 1) M(1, 2, 1) M(2, 2, 1) M(3, 2, 1) M(4, 2, 1) \
    M(1, 3, 1) M(2, 3, 1) M(3, 3, 1) M(4, 3, 1) M(1, 3, 3) M(2, 3, 3) M(3, 3, 3) M(4, 3, 3) \
    M(1, 5, 5) M(2, 5, 5)
#endif
// clang-format on
#define BLOCK(T, C, S)                                                                             \
    NOINLINE void block_##T##_##C##_##S(float *dw, const float *x, const float *dy, int channels,  \
                                        int height, int width, int filters, int kernel_h,          \
                                        int groups, int k0, int c0, int r)                         \
    {                                                                                              \
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, S, groups, k0, T, c0, C, \
                   r);                                                                             \
    }
#define BLOCK_CASE(T, C, S)                                                                      \
    case 64 * S + 8 * C + T:                                                                     \
        block_##T##_##C##_##S(dw, x, dy, channels, height, width, filters, kernel_h, groups, k0, \
                              c0, r);                                                            \
        break;
EACH_BLOCK(BLOCK)

static void nk_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                        int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                        int tile, int c0, int columns, int r)
{
    switch (64 * kernel_w + 8 * columns + tile) {
        EACH_BLOCK(BLOCK_CASE)
    }
}

// ---- Winograd -----------------------------------------------------------------------------------

static void nk_winograd_product(float *m, const float *v, const float *u, int channels, int filters,
                                int side, int units, int f, int k0, int tile);
#include "../templates/winograd.c"

#define PRODUCT(T)                                                                                 \
    NOINLINE void product_##T(float *m, const float *v, const float *u, int channels, int filters, \
                              int side, int units, int f, int k0)                                  \
    {                                                                                              \
        nk_winograd_product_tile(m, v, u, channels, filters, side, units, f, k0, T);               \
    }
#define PRODUCT_CASE(T)                                              \
    case T:                                                          \
        product_##T(m, v, u, channels, filters, side, units, f, k0); \
        break;
EACH_TILE(PRODUCT)

static void nk_winograd_product(float *m, const float *v, const float *u, int channels, int filters,
                                int side, int units, int f, int k0, int tile)
{
    switch (tile) {
        EACH_TILE(PRODUCT_CASE)
    }
}

static void nk_wdw_product(float *du, const float *v, const float *d, int channels, int rows,
                           int vectors, int units, int side, int count, int width);
#include "../templates/winograd_weights.c"

// Channels x filter vectors.
// lists, not code
// clang-format off
#if NK_WDW_VECTORS == 5
#define EACH_SUM(M) \
    M(1, 1) M(2, 1) M(3, 1) M(4, 1) M(5, 1) M(6, 1) M(7, 1) M(8, 1) M(9, 1) M(10, 1) \
    M(11, 1) M(12, 1) M(13, 1) M(14, 1) M(1, 2) M(2, 2) M(3, 2) M(4, 2) M(5, 2) M(6, 2) \
    M(7, 2) M(8, 2) M(9, 2) M(10, 2) M(11, 2) M(12, 2) M(13, 2) M(14, 2) M(1, 3) M(2, 3) \
    M(3, 3) M(4, 3) M(5, 3) M(6, 3) M(7, 3) M(8, 3) M(9, 3) M(1, 4) M(2, 4) M(3, 4) \
    M(4, 4) M(5, 4) M(6, 4) M(1, 5) M(2, 5) M(3, 5) M(4, 5) M(5, 5)
#else
#define EACH_SUM(M) \
    M(1, 1) M(2, 1) M(3, 1) M(4, 1) M(5, 1) M(6, 1) M(7, 1) M(8, 1) M(9, 1) M(10, 1) \
    M(11, 1) M(12, 1) M(1, 2) M(2, 2) M(3, 2) M(4, 2) M(5, 2) M(6, 2) M(1, 3) M(2, 3) \
    M(3, 3) M(4, 3)
#endif
// clang-format on
#define SUM(C, W)                                                                                  \
    NOINLINE void sum_##C##_##W(float *du, const float *v, const float *d, int channels, int rows, \
                                int vectors, int units, int side)                                  \
    {                                                                                              \
        if (side == 6)                                                                             \
            nk_wdw_tile(du, v, d, channels, rows, vectors, units, 6, C, W);                        \
        else                                                                                       \
            nk_wdw_tile(du, v, d, channels, rows, vectors, units, 8, C, W);                        \
    }
#define SUM_CASE(C, W)                                                 \
    case 8 * C + W:                                                    \
        sum_##C##_##W(du, v, d, channels, rows, vectors, units, side); \
        break;
EACH_SUM(SUM)

static void nk_wdw_product(float *du, const float *v, const float *d, int channels, int rows,
                           int vectors, int units, int side, int count, int width)
{
    switch (8 * count + width) {
        EACH_SUM(SUM_CASE)
    }
}

// ---- the machine's peak, for `nago bench` -------------------------------------------------------

static volatile float multiply_add_sink;

// Twelve independent chains hide the latency of the multiply-add; their values stay finite.
static double nk_multiply_add(int rounds)
{
    nk_vector chain[12], a = nk_zero_vector() + 0.999f, b = nk_zero_vector() + 0.001f;
    for (int i = 0; i < 12; i++)
        chain[i] = nk_zero_vector() + (float)i;
    for (int r = 0; r < rounds; r++)
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            chain[i] = chain[i] * a + b;
    for (int i = 1; i < 12; i++)
        chain[0] += chain[i];
    multiply_add_sink = nk_sum_vector(chain[0]);
    return 2.0 * 12.0 * NK_VECTOR * rounds;
}

// ---- the table ----------------------------------------------------------------------------------

#define KERNEL(name)                     \
    {                                    \
#name, (void (*)(void))nk_##name \
    }
#define TABLE_NAME_(isa) kernels_##isa
#define TABLE_NAME(isa) TABLE_NAME_(isa)
extern const KernelEntry TABLE_NAME(NK_ISA)[];
const KernelEntry TABLE_NAME(NK_ISA)[] = {
    KERNEL(pack_images),
    KERNEL(pack_weights),
    KERNEL(pack_weights_backward),
    KERNEL(conv),
    KERNEL(depthwise),
    KERNEL(batchnorm),
    KERNEL(batchnorm_infer),
    KERNEL(batchnorm_stats),
    KERNEL(batchnorm_running),
    KERNEL(affine_sum),
    KERNEL(affine_sum_backward),
    KERNEL(affine_sum_reduce),
    KERNEL(affine_scalar_backward),
    KERNEL(batchnorm_coefficients),
    KERNEL(pull),
    KERNEL(affine_pool),
    KERNEL(affine_pool_reduce),
    KERNEL(affine_pool_pull),
    KERNEL(relu),
    KERNEL(weighted_sum),
    KERNEL(attention_range),
    KERNEL(attention),
    KERNEL(concat_part),
    KERNEL(adaptive_pool),
    KERNEL(average_pool),
    KERNEL(dropout),
    KERNEL(loss),
    KERNEL(unpack_logits),
    KERNEL(conv_weights_backward),
    KERNEL(channel_sum),
    KERNEL(zero),
    KERNEL(depthwise_backward),
    KERNEL(depthwise_weights_backward),
    KERNEL(batchnorm_backward),
    KERNEL(relu_backward),
    KERNEL(weighted_sum_backward),
    KERNEL(scalar_backward),
    KERNEL(attention_reduce),
    KERNEL(attention_backward),
    KERNEL(concat_part_backward),
    KERNEL(adaptive_pool_backward),
    KERNEL(winograd_pack),
    KERNEL(winograd_pack_backward),
    KERNEL(winograd),
    KERNEL(winograd_weights),
    KERNEL(winograd_weights_finish),
    KERNEL(sgd),
    KERNEL(int8_image),
    KERNEL(int8_conv),
    KERNEL(int8_conv_wide),
    KERNEL(int8_depthwise),
    KERNEL(int8_depthwise_wide),
    KERNEL(int8_sum),
    KERNEL(int8_concat),
    KERNEL(int8_attention),
    KERNEL(int8_adaptive_pool),
    KERNEL(int8_average_pool),
    KERNEL(int8_head),
    KERNEL(int8_linear),
    KERNEL(multiply_add),
    {NULL, NULL},
};
