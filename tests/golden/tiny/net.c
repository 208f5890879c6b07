// An HNAG network as standalone C11, to be trained: 1 x 8 x 8 images to 3 classes.
//
//     made by   nagoc --batch=4 --prefix=tiny theta.json
//     compiler  nagoc 0.1.0
//
// 3 cells, 3 nodes, 9 ops (9 conv3x3), sum merges, cells at 2x8x8 (1), 4x4x4 (1), 8x2x2 (1), 1908 op
// weights
// 20042 trained numbers, 0.07 million multiply-adds an image.
//
// Memory: arena 1010368 bytes, parameters, gradients and momentum 80168 bytes each, statistics 10608 bytes.
//
// Compile: cc -O3 -march=native -c FILE.c, link with -lm; -D TINY_MAIN makes a program that classifies records
// (one label byte, then the pixels channel by channel) from stdin.
//
// This file belongs to whoever generated it: no restriction, no attribution needed, no warranty.

#ifndef TINY_MOMENTUM
#define TINY_MOMENTUM 0.9f
#endif
#ifndef TINY_WEIGHT_DECAY
#define TINY_WEIGHT_DECAY 1e-4f
#endif
#ifndef TINY_LABEL_SMOOTHING
#define TINY_LABEL_SMOOTHING 0.0f
#endif
#ifndef TINY_DROPOUT
#define TINY_DROPOUT 0.2f
#endif
#ifndef TINY_SEED
#define TINY_SEED 0
#endif

#define TINY_LANES 32
#if defined(__GNUC__) && !defined(__clang__) && !defined(__TINYC__)
#pragma GCC optimize("fp-contract=fast", "no-math-errno", "no-trapping-math")
#endif
// prelude.h - what the kernels stand on: vectors, masks, work shares.
//
// TINY_LANES is the innermost extent of every activation: 32 images of a group in training
// ([groups][C][H][W][32]), 1 in inference files that work on one image ([C][H][W]).  TINY_VECTOR is
// the number of floats of the machine's vector; 1 means plain C (tcc, or a compiler without vector
// extensions).
#ifndef TINY_PRELUDE_H
#define TINY_PRELUDE_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef TINY_LANES
#define TINY_LANES 32
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
#define TINY_INLINE static inline __attribute__((always_inline, unused))
#define TINY_OUTLINE static __attribute__((noinline, unused))
#if defined(__AVX512F__)
#define TINY_VECTOR 16
#elif defined(__AVX__)
#define TINY_VECTOR 8
#else
#define TINY_VECTOR 4
#endif
typedef float tiny_vector __attribute__((vector_size(4 * TINY_VECTOR), aligned(4), may_alias));
_Static_assert(sizeof(tiny_vector) == 4 * TINY_VECTOR, "the compiler ignores vector_size");
#else
#define TINY_INLINE static inline
#define TINY_OUTLINE static
#define TINY_VECTOR 1
typedef float tiny_vector;
#endif

TINY_INLINE tiny_vector tiny_load(const float *p)
{
    return *(const tiny_vector *)p;
}

TINY_INLINE void tiny_store(float *p, tiny_vector v)
{
    *(tiny_vector *)p = v;
}

TINY_INLINE tiny_vector tiny_zero_vector(void)
{
    tiny_vector zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

// The sum of a vector's lanes, in pairs: the same order on every run.
TINY_INLINE float tiny_sum_vector(tiny_vector v)
{
    float lane[TINY_VECTOR];
    memcpy(lane, &v, sizeof lane);
    for (int width = TINY_VECTOR / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

// Asks for the line of memory at p, to be read or written soon.
TINY_INLINE void tiny_prefetch(const float *p)
{
#if TINY_VECTOR > 1
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

// Floats from one channel to the next: `size` pixels.
TINY_INLINE size_t tiny_plane(int size)
{
    return (size_t)size * TINY_LANES;
}

// The lanes of a pixel as whole vectors; one number in files that work on one image.
#if TINY_LANES == 1
#define TINY_STEP 1
typedef float tiny_lane;
#else
#define TINY_STEP TINY_VECTOR
typedef tiny_vector tiny_lane;
#endif
#define TINY_VECTORS (TINY_LANES / TINY_STEP)

TINY_INLINE tiny_lane tiny_load_lane(const float *p)
{
    return *(const tiny_lane *)p;
}

TINY_INLINE void tiny_store_lane(float *p, tiny_lane v)
{
    *(tiny_lane *)p = v;
}

TINY_INLINE tiny_lane tiny_zero_lane(void)
{
    tiny_lane zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

TINY_INLINE float tiny_sum_lane(tiny_lane v)
{
#if TINY_LANES == 1
    return v;
#else
    return tiny_sum_vector(v);
#endif
}

// Where part `part` of `parts` begins in `count` items: threads split outputs, never a sum.
TINY_INLINE int tiny_share(int count, int part, int parts)
{
    return (int)((int64_t)count * part / parts);
}

TINY_INLINE int tiny_min(int a, int b)
{
    return a < b ? a : b;
}

TINY_INLINE int tiny_max(int a, int b)
{
    return a > b ? a : b;
}

// A 64-bit mixer (Stafford's variant 13 of the MurmurHash3 finaliser): random bits from a counter.
TINY_INLINE uint64_t tiny_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

TINY_INLINE float tiny_sigmoid(float a)
{
    return 1.0f / (1.0f + expf(-a));
}

#endif

#if defined(__clang__)
#define TINY_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__) && !defined(__TINYC__)
#define TINY_NOINLINE __attribute__((noinline, noclone))
#else
#define TINY_NOINLINE
#endif

enum {
    TINY_CHANNELS = 1,
    TINY_HEIGHT = 8,
    TINY_WIDTH = 8,
    TINY_CLASSES = 3,
    TINY_BATCH = 4,
    TINY_ARENA_BYTES = 1010368,
    TINY_PARAM_COUNT = 20042,
    TINY_STATE_COUNT = 22694,
    TINY_PIXELS_ARE_HWC = 0
};

// Images are [TINY_BATCH][TINY_CHANNELS][TINY_HEIGHT][TINY_WIDTH], normalised; logits are [TINY_BATCH][TINY_CLASSES].
void tiny_infer(const float *images, float *logits);
// Raw pixels (channel by channel); the data set's mean and deviation are applied.
void tiny_infer_u8(const uint8_t *images, float *logits);
// The same as tiny_infer with the caller's arena of TINY_ARENA_BYTES, aligned to 64 bytes: reentrant.
void tiny_infer_in(void *arena, const float *images, float *logits);
void tiny_init(uint64_t seed);
float tiny_train_step(const float *images, const int32_t *labels, int count, float learning_rate);
extern float tiny_params[TINY_PARAM_COUNT], tiny_grads[TINY_PARAM_COUNT], tiny_state[TINY_STATE_COUNT];
extern const char *const tiny_class_names[TINY_CLASSES];
const char *const tiny_class_names[TINY_CLASSES] = {
    "0", "1", "2",
};
static const float tiny_mean[TINY_CHANNELS] = {0.0f};
static const float tiny_deviation[TINY_CHANNELS] = {1.0f};

// One call of a program.
typedef struct {
    float *arena, *params, *grads, *state;
    const float *images;
    const int *labels;
    float *logits, *loss;
    int count;
    float learning_rate, momentum, weight_decay, label_smoothing;
    unsigned long long seed, step;
    float dropout;
} tiny_call;

// ---- pack.c - from a caller's arrays to the layouts that kernels read, and back.

// y[group][c][h][w][lane] = images[32 group + lane][c][h][w]; lanes beyond count are zero.
TINY_INLINE void tiny_pack_images(float *y, const float *images, int channels, int height, int width,
                              int groups, int count, int part, int parts)
{
    const int pixels = height * width, size = channels * pixels;
    for (int g = 0; g < groups; g++) {
        for (int i = tiny_share(size, part, parts); i < tiny_share(size, part + 1, parts); i++)
            for (int l = 0; l < TINY_LANES; l++) {
                const int n = g * TINY_LANES + l;
                const size_t at = ((size_t)g * channels + i / pixels) * tiny_plane(pixels);
                y[at + (size_t)(i % pixels) * TINY_LANES + l] =
                    n < count ? images[(size_t)n * size + i] : 0.0f;
            }
    }
}

// p[c][r][s][k] = w[k][c][r][s]: a kernel reads the filters of one tap next to each other.
TINY_INLINE void tiny_pack_weights(float *p, const float *w, int filters, int channels, int kernel_h,
                               int kernel_w, int part, int parts)
{
    const int taps = channels * kernel_h * kernel_w;
    for (int t = tiny_share(taps, part, parts); t < tiny_share(taps, part + 1, parts); t++)
        for (int k = 0; k < filters; k++)
            p[(size_t)t * filters + k] = w[(size_t)k * taps + t];
}

// p[k][r][s][c] = w[k][c][kernel_h-1-r][kernel_w-1-s]: the same convolution kernel then computes
// the gradient of its input, with filters and channels exchanged.
TINY_INLINE void tiny_pack_weights_backward(float *p, const float *w, int filters, int channels,
                                        int kernel_h, int kernel_w, int part, int parts)
{
    const int taps = kernel_h * kernel_w;
    for (int k = tiny_share(filters, part, parts); k < tiny_share(filters, part + 1, parts); k++)
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                p[((size_t)k * taps + t) * channels + c] =
                    w[((size_t)k * channels + c) * taps + (taps - 1 - t)];
}

// logits[n][k] = x[group][k][lane] for the count images of the call; logits may be NULL (training
// asks for none).
TINY_INLINE void tiny_unpack_logits(float *logits, const float *x, int classes, int count, int part,
                                int parts)
{
    if (!logits)
        return;
    for (int n = tiny_share(count, part, parts); n < tiny_share(count, part + 1, parts); n++)
        for (int k = 0; k < classes; k++)
            logits[(size_t)n * classes + k] =
                x[((size_t)(n / TINY_LANES) * classes + k) * TINY_LANES + n % TINY_LANES];
}

// ---- conv.c - convolution, stride 1, zero padding kernel/2, batch innermost:
//
//   y[k][h][w][lane] (+)= b[k] + sum over c, r, s of p[c][r][s][k] *
//   x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Images lie in the vector lanes, so every channel count, kernel size and border fills the vectors.
// A tile of `tile` filters x two vectors stays in registers while all taps are summed; weights are
// broadcast scalars. The gradient of the input is the same convolution of dy with
// tiny_pack_weights_backward's weights.

// Filters of a tile: two vectors each, plus two of x, in 32 (AVX-512, NEON) or 16 registers.
#if TINY_VECTOR == 16 || defined(__aarch64__)
#define TINY_CONV_TILE 14
#else
#define TINY_CONV_TILE 6
#endif
#define TINY_CONV_STEP (2 * TINY_VECTOR)

// Filters k0..k0+tile of pixels (h, w0..w1), `tile` constant where this is expanded.
TINY_INLINE void tiny_conv_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int height, int width, int filters, int kernel_h, int kernel_w,
                            int accumulate, int k0, const int tile, int h)
{
    const size_t plane = tiny_plane(height * width);
    const int r0 = tiny_max(0, kernel_h / 2 - h), r1 = tiny_min(kernel_h, height + kernel_h / 2 - h);
    for (int w = 0; w < width; w++) {
        const int s0 = tiny_max(0, kernel_w / 2 - w), s1 = tiny_min(kernel_w, width + kernel_w / 2 - w);
        for (int l = 0; l < TINY_LANES; l += TINY_CONV_STEP) {
            tiny_vector sum[TINY_CONV_TILE][2];
            float *out = y + k0 * plane + ((size_t)h * width + w) * TINY_LANES + l;
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = tiny_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += tiny_load(out + k * plane);
                    sum[k][1] += tiny_load(out + k * plane + TINY_VECTOR);
                }
            }
            for (int c = 0; c < channels; c++)
                for (int r = r0; r < r1; r++) {
                    const float *row =
                        x + c * plane +
                        ((int64_t)(h + r - kernel_h / 2) * width + w - kernel_w / 2) * TINY_LANES + l;
                    const float *weight =
                        p + ((size_t)(c * kernel_h + r) * kernel_w) * filters + k0;
                    for (int s = s0; s < s1; s++) {
                        const tiny_vector x0 = tiny_load(row + s * TINY_LANES),
                                        x1 = tiny_load(row + s * TINY_LANES + TINY_VECTOR);
#pragma GCC unroll 16
                        for (int k = 0; k < tile; k++) {
                            sum[k][0] += weight[s * filters + k] * x0;
                            sum[k][1] += weight[s * filters + k] * x1;
                        }
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                tiny_store(out + k * plane, sum[k][0]);
                tiny_store(out + k * plane + TINY_VECTOR, sum[k][1]);
            }
        }
    }
}

// Near-equal tiles: 19 filters are 10 + 9, not 14 + 5.  The first `wide` tiles have one filter
// more.
typedef struct {
    int tiles, wide, tile;
} tiny_conv_split;

TINY_INLINE tiny_conv_split tiny_split_filters(int filters)
{
    tiny_conv_split split;
    split.tiles = (filters + TINY_CONV_TILE - 1) / TINY_CONV_TILE;
    split.tile = (filters + split.tiles - 1) / split.tiles;
    split.wide = filters - split.tiles * (split.tile - 1);
    return split;
}

// A convolution whose taps lie in one line (1x1, 1x3, 3x1) reads few values of every channel for a
// pixel, far apart from each other.  A few pixels of a line are therefore copied together first,
// and all tiles of filters read the copy in the first cache; many channels go through in blocks.
enum {
    TINY_LINE_FLOATS = 8192,
    TINY_LINE_CHANNELS = 128, // of a block
    TINY_LINE_PIXELS = 8,     // of the result
    TINY_LINE_TAPS = 5
};

// Filters k0..k0+tile of `count` pixels, `pitch` floats apart in y, from x[channels][count + taps -
// 1][lanes].
TINY_INLINE void tiny_line_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int taps, size_t plane, size_t pitch, int filters, int accumulate,
                            int k0, const int tile, int count)
{
    const size_t step = (size_t)(count + taps - 1) * TINY_LANES;
    for (int i = 0; i < count; i++)
        for (int l = 0; l < TINY_LANES; l += TINY_CONV_STEP) {
            float *out = y + k0 * plane + i * pitch + l;
            tiny_vector sum[TINY_CONV_TILE][2];
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = tiny_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += tiny_load(out + k * plane);
                    sum[k][1] += tiny_load(out + k * plane + TINY_VECTOR);
                }
            }
            const float *in = x + (size_t)i * TINY_LANES + l, *weight = p + k0;
            for (int c = 0; c < channels; c++, in += step)
                for (int t = 0; t < taps; t++, weight += filters) {
                    const tiny_vector x0 = tiny_load(in + t * TINY_LANES),
                                    x1 = tiny_load(in + t * TINY_LANES + TINY_VECTOR);
#pragma GCC unroll 16
                    for (int k = 0; k < tile; k++) {
                        sum[k][0] += weight[k] * x0;
                        sum[k][1] += weight[k] * x1;
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                tiny_store(out + k * plane, sum[k][0]);
                tiny_store(out + k * plane + TINY_VECTOR, sum[k][1]);
            }
        }
}

#ifndef TINY_CONV_DISPATCH
TINY_INLINE void tiny_line_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int taps, size_t plane, size_t pitch, int filters, int accumulate,
                           int k0, int tile, int count)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    if (tile == split.tile)
        tiny_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0, split.tile,
                     count);
    else
        tiny_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0,
                     split.tile - 1, count);
}

// One row of one tile.  The tile is a constant where the shape is: both sizes are expanded in
// place.
TINY_INLINE void tiny_conv_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int height, int width, int filters, int kernel_h, int kernel_w,
                           int accumulate, int k0, int tile, int h)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    if (tile == split.tile)
        tiny_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile, h);
    else
        tiny_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile - 1, h);
}
#endif

// Pixels first..first+count of a line of `length`, `pitch` floats apart, and taps / 2 more on
// either side, zero beyond the line's ends -> copy[channels][count + taps - 1][lanes].
TINY_INLINE void tiny_copy_line(float *copy, const float *line, int channels, size_t plane,
                            size_t pitch, int length, int taps, int first, int count)
{
    const int all = count + taps - 1;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < all; i++, copy += TINY_LANES) {
            const int at = first + i - taps / 2, inside = at >= 0 && at < length;
            const float *in = line + c * plane + at * (ptrdiff_t)pitch;
            for (int l = 0; l < TINY_LANES; l += TINY_VECTOR)
                tiny_store(copy + l, inside ? tiny_load(in + l) : tiny_zero_vector());
        }
}

// Pixels from..to of one line, which begins at x and y, all filters.
TINY_INLINE void tiny_conv_line(float *y, const float *x, const float *p, const float *b, int channels,
                            size_t plane, size_t pitch, int length, int filters, int taps,
                            int accumulate, int from, int to)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    const int most = tiny_min(channels, TINY_LINE_CHANNELS),
              block = tiny_min(TINY_LINE_PIXELS, TINY_LINE_FLOATS / (most * TINY_LANES) - (taps - 1));
    float copy[TINY_LINE_FLOATS + TINY_LANES * TINY_LINE_CHANNELS * TINY_LINE_TAPS];
    for (int first = from; first < to; first += tiny_max(1, block)) {
        const int count = tiny_min(tiny_max(1, block), to - first);
        for (int c = 0; c < channels; c += most) {
            const int some = tiny_min(most, channels - c);
            tiny_copy_line(copy, x + c * plane, some, plane, pitch, length, taps, first, count);
            for (int t = 0; t < split.tiles; t++) {
                const int narrow = t >= split.wide;
                tiny_line_row(y + first * pitch, copy, p + (size_t)c * taps * filters, c ? NULL : b,
                            some, taps, plane, pitch, filters, accumulate || c,
                            t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                            count);
            }
        }
    }
}

// Lines are rows, or columns where the kernel is upright; a 1x1 kernel sees one line.
TINY_INLINE void tiny_conv_lines(float *y, const float *x, const float *p, const float *b, int channels,
                             int height, int width, int filters, int kernel_h, int kernel_w,
                             int accumulate, int groups, int part, int parts)
{
    const int size = height * width, taps = kernel_h * kernel_w,
              length = taps == 1      ? size
                       : kernel_h > 1 ? height
                                      : width;
    const size_t plane = tiny_plane(size), pitch = tiny_plane(kernel_h > 1 ? width : 1),
                 next = tiny_plane(kernel_h > 1 ? 1 : width);
    const int last = tiny_share(size, part + 1, parts);
    for (int g = 0; g < groups; g++)
        for (int i = tiny_share(size, part, parts), to; i < last; i = to) {
            const int line = i / length, from = i % length;
            to = tiny_min(last, (line + 1) * length);
            tiny_conv_line(y + g * filters * plane + line * next,
                         x + g * channels * plane + line * next, p, b, channels, plane, pitch,
                         length, filters, taps, accumulate, from, from + to - i);
        }
}

TINY_INLINE void tiny_conv(float *y, const float *x, const float *p, const float *b, int channels,
                       int height, int width, int filters, int kernel_h, int kernel_w,
                       int accumulate, int groups, int part, int parts)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    const size_t plane = tiny_plane(height * width);
    const int rows = split.tiles * height;
    if ((kernel_h == 1 || kernel_w == 1) && kernel_h * kernel_w <= TINY_LINE_TAPS) {
        tiny_conv_lines(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                      groups, part, parts);
        return;
    }
    for (int g = 0; g < groups; g++)
        for (int i = tiny_share(rows, part, parts); i < tiny_share(rows, part + 1, parts); i++) {
            const int t = i / height, narrow = t >= split.wide;
            tiny_conv_row(y + g * filters * plane, x + g * channels * plane, p, b, channels, height,
                        width, filters, kernel_h, kernel_w, accumulate,
                        t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                        i % height);
        }
}

// ---- batchnorm.c - batch normalisation over the count images of a call (Ioffe & Szegedy 2015;
// PyTorch's constants: eps 1e-5, momentum 0.1, running variance unbiased).  size: pixels of a
// channel.

#define TINY_BN_EPSILON 1e-5f
#define TINY_BN_MOMENTUM 0.1f

// The sum of a channel's count * size values f(y), lanes beyond count left out.  centre: the mean
// to take squares around.
TINY_INLINE double tiny_bn_sum(const float *y, int channels, int size, int groups, int count, int c,
                           float centre, int squares)
{
    double sum = 0.0;
    for (int g = 0; g < groups; g++) {
        float lane[TINY_LANES] = {0};
        const float *in = y + ((size_t)g * channels + c) * tiny_plane(size);
        for (int i = 0; i < size; i++)
            for (int l = 0; l < TINY_LANES; l++) {
                const float d = in[(size_t)i * TINY_LANES + l] - centre;
                lane[l] += squares ? d * d : d;
            }
        for (int l = 0; l < tiny_min(TINY_LANES, count - g * TINY_LANES); l++)
            sum += lane[l];
    }
    return sum;
}

// z = gamma (y - mean) rstd + beta of one channel, with ReLU on request.
TINY_INLINE void tiny_bn_apply(float *z, const float *y, int channels, int size, int groups, int c,
                           float scale, float shift, int relu)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
        for (int i = 0; i < size * TINY_LANES; i++) {
            const float value = scale * y[at + i] + shift;
            z[at + i] = relu && value < 0.0f ? 0.0f : value; // NaN stays NaN
        }
    }
}

// Training: statistics of the batch, which also move the running ones.
TINY_INLINE void tiny_batchnorm(float *z, float *mean, float *rstd, float *running_mean,
                            float *running_var, const float *y, const float *gamma,
                            const float *beta, int channels, int size, int relu, int groups,
                            int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float m = (float)(tiny_bn_sum(y, channels, size, groups, count, c, 0.0f, 0) / n);
        const double rest = tiny_bn_sum(y, channels, size, groups, count, c, m, 0) / n;
        const double var = tiny_bn_sum(y, channels, size, groups, count, c, m, 1) / n - rest * rest;
        mean[c] = m;
        rstd[c] = (float)(1.0 / sqrt(var + TINY_BN_EPSILON));
        running_mean[c] += TINY_BN_MOMENTUM * (m - running_mean[c]);
        running_var[c] +=
            TINY_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
        const float scale = gamma[c] * rstd[c];
        tiny_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * m, relu);
    }
}

// Evaluation: running statistics.
TINY_INLINE void tiny_batchnorm_infer(float *z, const float *y, const float *gamma, const float *beta,
                                  const float *running_mean, const float *running_var, int channels,
                                  int size, int relu, int groups, int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float scale = gamma[c] / sqrtf(running_var[c] + TINY_BN_EPSILON);
        tiny_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * running_mean[c],
                    relu);
    }
}

// dbeta = sum dz, dgamma = sum dz xhat, dy = gamma rstd (dz - dbeta/n - xhat dgamma/n), xhat = (y -
// mean) rstd; with relu, dz counts only where the result z is positive.  dy is zero in the lanes
// beyond count.
TINY_INLINE void tiny_batchnorm_backward(float *dy, float *dgamma, float *dbeta, const float *dz,
                                     const float *z, const float *y, const float *mean,
                                     const float *rstd, const float *gamma, int channels, int size,
                                     int relu, int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float m = mean[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
            float lane[TINY_LANES] = {0}, lane_product[TINY_LANES] = {0};
            for (int i = 0; i < size; i++)
                for (int l = 0; l < TINY_LANES; l++) {
                    const size_t j = at + (size_t)i * TINY_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    lane[l] += d;
                    lane_product[l] += d * (y[j] - m);
                }
            for (int l = 0; l < TINY_LANES; l++) {
                sum += lane[l];
                product += lane_product[l];
            }
        }
        dbeta[c] = (float)sum;
        dgamma[c] = (float)(product * rstd[c]);
        const float scale = gamma[c] * rstd[c];
        const float a = (float)(scale * sum / n),
                    b = (float)(scale * rstd[c] * rstd[c] * product / n);
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
            float mask[TINY_LANES];
            for (int l = 0; l < TINY_LANES; l++)
                mask[l] = g * TINY_LANES + l < count ? 1.0f : 0.0f;
            for (int i = 0; i < size; i++)
                for (int l = 0; l < TINY_LANES; l++) {
                    const size_t j = at + (size_t)i * TINY_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    dy[j] = mask[l] * (scale * d - a - b * (y[j] - m));
                }
        }
    }
}

// ---- the same as one multiply-add that readers apply (affine.c) ---------------------------------

// Training: scale and shift of z = scale y + shift from the batch's statistics, in one pass over y
// around a pivot near the mean.
TINY_INLINE void tiny_batchnorm_stats(float *scale, float *shift, float *mean, float *rstd,
                                  float *running_mean, float *running_var, const float *y,
                                  const float *gamma, const float *beta, int channels, int size,
                                  int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float pivot = y[c * tiny_plane(size)];
        double sum = 0.0, squares = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * tiny_plane(size);
            tiny_vector s[TINY_LANES / TINY_VECTOR], q[TINY_LANES / TINY_VECTOR];
            float lane[TINY_LANES], lane_squares[TINY_LANES];
#pragma GCC unroll 8
            for (int v = 0; v < TINY_LANES / TINY_VECTOR; v++)
                s[v] = q[v] = tiny_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < TINY_LANES / TINY_VECTOR; v++) {
                    const tiny_vector d = tiny_load(in + (size_t)i * TINY_LANES + v * TINY_VECTOR) - pivot;
                    s[v] += d;
                    q[v] += d * d;
                }
            memcpy(lane, s, sizeof lane);
            memcpy(lane_squares, q, sizeof lane_squares);
            for (int l = 0; l < tiny_min(TINY_LANES, count - g * TINY_LANES); l++) {
                sum += lane[l];
                squares += lane_squares[l];
            }
        }
        const double offset = sum / n, raw = squares / n - offset * offset,
                     var = raw > 0.0 ? raw : 0.0;
        mean[c] = (float)(pivot + offset);
        rstd[c] = (float)(1.0 / sqrt(var + TINY_BN_EPSILON));
        scale[c] = gamma[c] * rstd[c];
        shift[c] = beta[c] - scale[c] * mean[c];
        running_mean[c] += TINY_BN_MOMENTUM * (mean[c] - running_mean[c]);
        running_var[c] +=
            TINY_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
    }
}

// Evaluation: scale and shift from the running statistics.
TINY_INLINE void tiny_batchnorm_running(float *scale, float *shift, const float *gamma,
                                    const float *beta, const float *running_mean,
                                    const float *running_var, int channels, int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        scale[c] = gamma[c] / sqrtf(running_var[c] + TINY_BN_EPSILON);
        shift[c] = beta[c] - scale[c] * running_mean[c];
    }
}

// The gradient from the sums that the readers of z left, with dz = sum_j w_j g_j, w_j =
// sigmoid(*as[j]) or `weight`:
//   dbeta = sum_j w_j qs_j, dgamma = sum_j w_j ps_j, and coefficients[3][channels] of dy = c0 dz +
//   c1 y + c2 (tiny_pull).
TINY_INLINE void tiny_batchnorm_coefficients(float *coefficients, float *dgamma, float *dbeta,
                                         const float *mean, const float *rstd, const float *gamma,
                                         const float *const *qs, const float *const *ps,
                                         const float *const *as, int inputs, int channels,
                                         float weight, int size, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        double q = 0.0, p = 0.0;
        for (int j = 0; j < inputs; j++) {
            const double w = as[j] ? tiny_sigmoid(*as[j]) : weight;
            q += w * qs[j][c];
            p += w * ps[j][c];
        }
        const double scale = (double)gamma[c] * rstd[c];
        dbeta[c] = (float)q;
        dgamma[c] = (float)p;
        coefficients[c] = (float)scale;
        coefficients[channels + c] = (float)(-scale * p / n * rstd[c]);
        coefficients[2 * channels + c] = (float)(scale * (p / n * rstd[c] * mean[c] - q / n));
    }
}

// ---- affine.c - merges and ReLU on batch-normalised values without ever storing them (batch
// normalisation fission and fusion):
//
//   x = [relu] sum_j w_j (s_j[c] y_j + t_j[c]),   w_j = sigmoid(*as[j]), or `scale` where the term
//   has no learned scalar
//
// y_j is what a convolution left; s, t its batch normalisation as one multiply-add (NULL: the value
// as it is).  One pass reads every y once and writes x.  Backward, one pass over the gradient of x
// masks it and leaves per channel all that the gradients of scalars and normalisations need (sums
// of g and of g xhat), and one pass pulls the gradient of y together from its readers. size: pixels
// of a channel.

// Up to four terms of one channel: out[i] = [relu] (add ? out[i] : shift) + sum_j w[j] ys[j][i].
TINY_INLINE void tiny_affine_terms(float *out, const float *const *ys, const float *w, float shift,
                               const int terms, int floats, int add, int relu)
{
    const float *y0 = ys[0], *y1 = ys[terms > 1 ? 1 : 0], *y2 = ys[terms > 2 ? 2 : 0],
                *y3 = ys[terms > 3 ? 3 : 0];
    const float w0 = w[0], w1 = terms > 1 ? w[1] : 0.0f, w2 = terms > 2 ? w[2] : 0.0f,
                w3 = terms > 3 ? w[3] : 0.0f;
    for (int i = 0; i < floats; i++) {
        float sum = (add ? out[i] : shift) + w0 * y0[i];
        if (terms > 1)
            sum += w1 * y1[i];
        if (terms > 2)
            sum += w2 * y2[i];
        if (terms > 3)
            sum += w3 * y3[i];
        out[i] = relu && sum < 0.0f ? 0.0f : sum;
    }
}

TINY_INLINE void tiny_affine_some(float *out, const float *const *ys, const float *w, float shift,
                              int terms, int floats, int add, int relu)
{
    if (terms == 1)
        tiny_affine_terms(out, ys, w, shift, 1, floats, add, relu);
    else if (terms == 2)
        tiny_affine_terms(out, ys, w, shift, 2, floats, add, relu);
    else if (terms == 3)
        tiny_affine_terms(out, ys, w, shift, 3, floats, add, relu);
    else
        tiny_affine_terms(out, ys, w, shift, 4, floats, add, relu);
}

TINY_INLINE void tiny_affine_sum(float *x, const float *const *ys, const float *const *ss,
                             const float *const *ts, const float *const *as, int inputs,
                             int channels, float scale, int size, int relu, int groups, int part,
                             int parts)
{
    const int floats = size * TINY_LANES;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
            float shift = 0.0f;
            for (int j = 0; j < inputs; j++)
                shift += ts[j] ? (as[j] ? tiny_sigmoid(*as[j]) : scale) * ts[j][c] : 0.0f;
            for (int first = 0; first < inputs; first += 4) {
                const int terms = tiny_min(4, inputs - first), last = first + terms == inputs;
                const float *y[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    y[j] = ys[n] + at;
                    w[j] = (as[n] ? tiny_sigmoid(*as[n]) : scale) * (ss[n] ? ss[n][c] : 1.0f);
                }
                if (last && relu)
                    tiny_affine_some(x + at, y, w, shift, terms, floats, first > 0, 1);
                else
                    tiny_affine_some(x + at, y, w, shift, terms, floats, first > 0, 0);
            }
        }
}

// Lanes of d where x is positive.
TINY_INLINE tiny_vector tiny_where_positive(tiny_vector x, tiny_vector d)
{
#if TINY_VECTOR > 1
    typedef int tiny_mask __attribute__((vector_size(4 * TINY_VECTOR), aligned(4), may_alias));
    return (tiny_vector)((tiny_mask)d & (tiny_mask)(x > 0.0f));
#else
    return x > 0.0f ? d : 0.0f;
#endif
}

// One channel and up to three terms: g = dx where x > 0 (mask), sums of g and of g (r y + m) in
// double.
TINY_INLINE void tiny_affine_sums(float *g, double *q, double *p, const float *dx, const float *x,
                              const float *const *ys, const float *r, const float *m,
                              const int terms, int size, int mask)
{
    tiny_vector sum[TINY_VECTORS], product[3][TINY_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < TINY_VECTORS; v++) {
        sum[v] = tiny_zero_vector();
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            product[j][v] = tiny_zero_vector();
    }
    for (int i = 0; i < size; i++)
#pragma GCC unroll 8
        for (int v = 0; v < TINY_VECTORS; v++) {
            const size_t at = (size_t)i * TINY_LANES + v * TINY_VECTOR;
            tiny_vector d = tiny_load(dx + at);
            if (mask) {
                d = tiny_where_positive(tiny_load(x + at), d);
                tiny_store(g + at, d);
            }
            sum[v] += d;
#pragma GCC unroll 3
            for (int j = 0; j < terms; j++)
                product[j][v] += d * (r[j] * tiny_load(ys[j] + at) + m[j]);
        }
#pragma GCC unroll 8
    for (int v = 0; v < TINY_VECTORS; v++) {
        *q += (double)tiny_sum_vector(sum[v]);
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            p[j] += (double)tiny_sum_vector(product[j][v]);
    }
}

// Up to three terms, the number constant where it is expanded.
TINY_INLINE void tiny_affine_sums_of(float *g, double *q, double *p, const float *dx, const float *x,
                                 const float *const *ys, const float *r, const float *m, int terms,
                                 int size, int mask)
{
    if (terms == 0)
        tiny_affine_sums(g, q, p, dx, x, ys, r, m, 0, size, mask);
    else if (terms == 1)
        tiny_affine_sums(g, q, p, dx, x, ys, r, m, 1, size, mask);
    else if (terms == 2)
        tiny_affine_sums(g, q, p, dx, x, ys, r, m, 2, size, mask);
    else
        tiny_affine_sums(g, q, p, dx, x, ys, r, m, 3, size, mask);
}

// q[c] = sum g, ps[j][c] = sum g xhat_j, where xhat_j = (y_j - mean_j) rstd_j (NULL: y_j itself);
// ps[j] is NULL where nobody asks. With a mask g = dx where x is positive and is written; else g is
// dx.
TINY_INLINE void tiny_affine_channel(float *g, float *q, const float *dx, const float *x,
                                 float *const *ps, const float *const *ys,
                                 const float *const *means, const float *const *rstds, int inputs,
                                 int channels, int size, int groups, int c, const int mask)
{
    for (int first = 0; first == 0 || first < inputs; first += 3) {
        const int terms = tiny_min(3, inputs - first), now = mask && first == 0;
        float r[3] = {0}, m[3] = {0};
        double sum = 0.0, product[3] = {0};
        for (int j = 0; j < terms; j++) {
            r[j] = rstds[first + j] ? rstds[first + j][c] : 1.0f;
            m[j] = rstds[first + j] ? -means[first + j][c] * r[j] : 0.0f;
        }
        for (int n = 0; n < groups; n++) {
            const size_t at = ((size_t)n * channels + c) * tiny_plane(size);
            const float *y[3] = {0};
            for (int j = 0; j < terms; j++)
                y[j] = ys[first + j] + at;
            if (now)
                tiny_affine_sums_of(g + at, &sum, product, dx + at, x + at, y, r, m, terms, size, 1);
            else
                tiny_affine_sums_of(NULL, &sum, product, mask ? g + at : dx + at, NULL, y, r, m,
                                  terms, size, 0);
        }
        q[c] = (float)sum;
        for (int j = 0; j < terms; j++)
            if (ps[first + j])
                ps[first + j][c] = (float)product[j];
    }
}

// dx is the gradient of x = relu(sum): g may take its place.
TINY_INLINE void tiny_affine_sum_backward(float *g, float *q, const float *dx, const float *x,
                                      float *const *ps, const float *const *ys,
                                      const float *const *means, const float *const *rstds,
                                      int inputs, int channels, int size, int groups, int part,
                                      int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        tiny_affine_channel(g, q, dx, x, ps, ys, means, rstds, inputs, channels, size, groups, c, 1);
}

// The same without a ReLU: g is dx.
TINY_INLINE void tiny_affine_sum_reduce(float *q, const float *dx, float *const *ps,
                                    const float *const *ys, const float *const *means,
                                    const float *const *rstds, int inputs, int channels, int size,
                                    int groups, int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        tiny_affine_channel(NULL, q, dx, NULL, ps, ys, means, rstds, inputs, channels, size, groups,
                          c, 0);
}

// The gradient of a merge's scalar: da = sigmoid'(a) sum_c (gamma[c] p[c] + beta[c] q[c]); without
// a normalisation p alone.
TINY_INLINE void tiny_affine_scalar_backward(float *da, const float *q, const float *p,
                                         const float *gamma, const float *beta, const float *a,
                                         int channels, int part, int parts)
{
    if (part != parts - 1)
        return;
    const float s = tiny_sigmoid(*a);
    double sum = 0.0;
    for (int c = 0; c < channels; c++)
        sum += gamma ? (double)gamma[c] * p[c] + (double)beta[c] * q[c] : (double)p[c];
    *da = (float)(sum * s * (1.0f - s));
}

// dy (+)= c0[c] sum_j w_j g_j + c1[c] y + c2[c] in the lanes of the count images, 0 beyond
// (coefficients[3][channels], from tiny_batchnorm_coefficients); without coefficients sum_j w_j g_j.
// dy may take the place of gs[0].
TINY_INLINE void tiny_pull(float *dy, const float *y, const float *coefficients, const float *const *gs,
                       const float *const *as, int inputs, int channels, float scale, int size,
                       int accumulate, int groups, int count, int part, int parts)
{
    const int floats = size * TINY_LANES, all = inputs + (coefficients ? 1 : 0);
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
            const float factor = coefficients ? coefficients[c] : 1.0f,
                        shift = coefficients ? coefficients[2 * channels + c] : 0.0f;
            for (int first = 0; first < all; first += 4) {
                const int terms = tiny_min(4, all - first);
                const float *term[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    term[j] = (n < inputs ? gs[n] : y) + at;
                    w[j] = n < inputs ? factor * (as[n] ? tiny_sigmoid(*as[n]) : scale)
                                      : coefficients[channels + c];
                }
                tiny_affine_some(dy + at, term, w, shift, terms, floats, first > 0 || accumulate, 0);
            }
            if (coefficients && (g + 1) * TINY_LANES > count)
                for (int i = 0; i < size; i++)
                    for (int l = tiny_max(0, count - g * TINY_LANES); l < TINY_LANES; l++)
                        dy[at + (size_t)i * TINY_LANES + l] = 0.0f;
        }
}

// ---- global average pooling of a normalised, rectified map, which is never stored ---------------

// p[c][lane] = mean over pixels of relu(s[c] y + t[c]).
TINY_INLINE void tiny_affine_pool(float *p, const float *y, const float *s, const float *t,
                              int channels, int size, int groups, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * tiny_plane(size);
            float *out = p + ((size_t)g * channels + c) * TINY_LANES;
            tiny_vector sum[TINY_VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < TINY_VECTORS; v++)
                sum[v] = tiny_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < TINY_VECTORS; v++) {
                    const tiny_vector z =
                        s[c] * tiny_load(in + (size_t)i * TINY_LANES + v * TINY_VECTOR) + t[c];
                    sum[v] += tiny_where_positive(z, z);
                }
#pragma GCC unroll 8
            for (int v = 0; v < TINY_VECTORS; v++)
                tiny_store(out + v * TINY_VECTOR, share * sum[v]);
        }
}

// From dp: q[c] = sum g, sums[c] = sum g xhat, with g = dp / size where relu passed.
TINY_INLINE void tiny_affine_pool_reduce(float *q, float *sums, const float *dp, const float *y,
                                     const float *s, const float *t, const float *mean,
                                     const float *rstd, int channels, int size, int groups,
                                     int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float shift = -mean[c] * rstd[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * tiny_plane(size),
                        *d = dp + ((size_t)g * channels + c) * TINY_LANES;
            tiny_vector one[TINY_VECTORS],
                xhat[TINY_VECTORS]; // how often relu passed, and what xhat it let through
#pragma GCC unroll 8
            for (int v = 0; v < TINY_VECTORS; v++)
                one[v] = xhat[v] = tiny_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < TINY_VECTORS; v++) {
                    const tiny_vector value = tiny_load(in + (size_t)i * TINY_LANES + v * TINY_VECTOR),
                                    z = s[c] * value + t[c];
                    one[v] += tiny_where_positive(z, tiny_zero_vector() + 1.0f);
                    xhat[v] += tiny_where_positive(z, rstd[c] * value + shift);
                }
#pragma GCC unroll 8
            for (int v = 0; v < TINY_VECTORS; v++) {
                const tiny_vector gradient = share * tiny_load(d + v * TINY_VECTOR);
                sum += (double)tiny_sum_vector(gradient * one[v]);
                product += (double)tiny_sum_vector(gradient * xhat[v]);
            }
        }
        q[c] = (float)sum;
        sums[c] = (float)product;
    }
}

// dy = c0 g + c1 y + c2 with the same g, 0 in the lanes beyond count.  dy may take the place of y.
TINY_INLINE void tiny_affine_pool_pull(float *dy, const float *y, const float *dp, const float *s,
                                   const float *t, const float *coefficients, int channels,
                                   int size, int groups, int count, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * tiny_plane(size);
            const float *d = dp + ((size_t)g * channels + c) * TINY_LANES;
            float lane[TINY_LANES];
            tiny_vector mask[TINY_VECTORS], gradient[TINY_VECTORS];
            for (int l = 0; l < TINY_LANES; l++)
                lane[l] = g * TINY_LANES + l < count ? 1.0f : 0.0f;
#pragma GCC unroll 8
            for (int v = 0; v < TINY_VECTORS; v++) {
                mask[v] = tiny_load(lane + v * TINY_VECTOR);
                gradient[v] = share * coefficients[c] * tiny_load(d + v * TINY_VECTOR);
            }
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < TINY_VECTORS; v++) {
                    const size_t j = at + (size_t)i * TINY_LANES + v * TINY_VECTOR;
                    const tiny_vector value = tiny_load(y + j), z = s[c] * value + t[c];
                    tiny_store(dy + j, mask[v] * (tiny_where_positive(z, gradient[v]) +
                                                coefficients[channels + c] * value +
                                                coefficients[2 * channels + c]));
                }
        }
}

// ---- pool.c - adaptive average pooling (PyTorch's adaptive_avg_pool2d) and average pooling with
// stride 1.

// y[c][i][j] = mean of x over rows floor(i H / h) .. ceil((i+1) H / h) - 1, columns alike.  1 x 1:
// global pooling.
TINY_INLINE void tiny_adaptive_pool(float *y, const float *x, int channels, int height, int width,
                                int out_height, int out_width, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height,
                              h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width,
                              w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = x + ((size_t)g * channels + c) * tiny_plane(height * width);
                    float *out = y + ((size_t)g * channels + c) * tiny_plane(out_height * out_width) +
                                 ((size_t)i * out_width + j) * TINY_LANES;
                    float sum[TINY_LANES] = {0};
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < TINY_LANES; l++)
                                sum[l] += in[((size_t)h * width + w) * TINY_LANES + l];
                    for (int l = 0; l < TINY_LANES; l++)
                        out[l] = share * sum[l];
                }
}

// Each input takes its share of every output whose window it lies in.
TINY_INLINE void tiny_adaptive_pool_backward(float *dx, const float *dy, int channels, int height,
                                         int width, int out_height, int out_width, int accumulate,
                                         int groups, int part, int parts)
{
    const size_t plane = tiny_plane(height * width);
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts);
             c++) {
            float *out = dx + ((size_t)g * channels + c) * plane;
            if (!accumulate)
                memset(out, 0, plane * sizeof *out);
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height,
                              h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width,
                              w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in =
                        dy + ((size_t)g * channels + c) * tiny_plane(out_height * out_width) +
                        ((size_t)i * out_width + j) * TINY_LANES;
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < TINY_LANES; l++)
                                out[((size_t)h * width + w) * TINY_LANES + l] += share * in[l];
                }
        }
}

// y[c][h][w] (+)= 1/kernel^2 * sum of the kernel x kernel window around it; padding counts in the
// divisor.  It is its own gradient: windows are symmetric and every divisor is the same.
TINY_INLINE void tiny_average_pool(float *y, const float *x, int channels, int height, int width,
                               int kernel, int accumulate, int groups, int part, int parts)
{
    const int half = kernel / 2;
    const float share = 1.0f / (float)(kernel * kernel);
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts);
             c++) {
            const float *in = x + ((size_t)g * channels + c) * tiny_plane(height * width);
            float *out = y + ((size_t)g * channels + c) * tiny_plane(height * width);
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++) {
                    float sum[TINY_LANES] = {0};
                    for (int r = tiny_max(0, h - half); r < tiny_min(height, h + half + 1); r++)
                        for (int s = tiny_max(0, w - half); s < tiny_min(width, w + half + 1); s++)
                            for (int l = 0; l < TINY_LANES; l++)
                                sum[l] += in[((size_t)r * width + s) * TINY_LANES + l];
                    float *o = out + ((size_t)h * width + w) * TINY_LANES;
                    for (int l = 0; l < TINY_LANES; l++)
                        o[l] = accumulate ? o[l] + share * sum[l] : share * sum[l];
                }
        }
}

// ---- dropout.c - inverted dropout of the head's features: a feature is zeroed with probability
// `dropout`, else divided by 1 - dropout.  The mask is a hash of (seed, step, image, channel), so
// the backward pass draws the same one again.

TINY_INLINE void tiny_dropout(float *y, const float *x, int channels, int groups,
                          unsigned long long seed, unsigned long long step, float dropout, int part,
                          int parts)
{
    const float keep = 1.0f / (1.0f - dropout);
    const uint64_t key = tiny_mix(seed + 0x9e3779b97f4a7c15u * (step + 1)),
                   bar = (uint64_t)(dropout * 16777216.0f);
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
            for (int l = 0; l < TINY_LANES; l++) {
                const size_t at = ((size_t)g * channels + c) * TINY_LANES + l;
                const uint64_t draw =
                    tiny_mix(key ^ ((uint64_t)(g * TINY_LANES + l) << 32 | (uint32_t)c)) >> 40;
                y[at] = draw < bar ? 0.0f : keep * x[at];
            }
}

// ---- loss.c - mean cross entropy of softmax with label smoothing e (PyTorch's CrossEntropyLoss):
//
//   q_k = (1 - e) [k = label] + e / classes,  loss = mean over images of -sum_k q_k log
//   softmax(logits)_k, dlogits = (softmax - q) / count; zero in the lanes beyond count.

TINY_INLINE void tiny_loss(float *dlogits, float *loss, const float *logits, const int *labels,
                       int classes, int count, float label_smoothing, int part, int parts)
{
    if (part != parts - 1)
        return;
    double total = 0.0;
    const int groups = (count + TINY_LANES - 1) / TINY_LANES;
    for (int n = 0; n < groups * TINY_LANES; n++) {
        const size_t at = (size_t)(n / TINY_LANES) * classes * TINY_LANES + n % TINY_LANES;
        float top = logits[at];
        double sum = 0.0;
        if (n >= count) {
            for (int k = 0; k < classes; k++)
                dlogits[at + (size_t)k * TINY_LANES] = 0.0f;
            continue;
        }
        for (int k = 1; k < classes; k++)
            top = logits[at + (size_t)k * TINY_LANES] > top ? logits[at + (size_t)k * TINY_LANES] : top;
        for (int k = 0; k < classes; k++)
            sum += exp((double)logits[at + (size_t)k * TINY_LANES] - top);
        for (int k = 0; k < classes; k++) {
            const double z = (double)logits[at + (size_t)k * TINY_LANES] - top;
            const double q =
                (k == labels[n] ? 1.0 - label_smoothing : 0.0) + (double)label_smoothing / classes;
            total += q * (log(sum) - z);
            dlogits[at + (size_t)k * TINY_LANES] = (float)((exp(z) / sum - q) / count);
        }
    }
    *loss = (float)(total / count);
}

// ---- conv_weights_backward.c - gradient of a convolution's weights, batch innermost:
//
//   dw[k][c][r][s] = sum over h, w, lane of dy[k][h][w][lane] *
//   x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Two ways.  With many filters: a few pixels of dy are turned to have the filters in the lanes, and
// all taps of x are broadcast against them, the sums standing in the lanes of their filters.  With
// few: a tile of filters x columns of vector sums stays in registers while all pixels pass; its
// lanes are summed at the end.  A column is a tap of the row (kernel_w > 1) or a channel (kernel_w
// == 1).  Lanes beyond the call's images add nothing: dy is zero there.

// ---- many filters -------------------------------------------------------------------------------

#if TINY_VECTOR > 1 && !defined(__clang__)
typedef int tiny_lanes __attribute__((vector_size(4 * TINY_VECTOR)));
#define TINY_LOW(l, s) ((l) & (s) ? TINY_VECTOR + (l) - (s) : (l))
#define TINY_HIGH(l, s) ((l) & (s) ? TINY_VECTOR + (l) : (l) + (s))
#if TINY_VECTOR == 16
#define TINY_PICK(M, s)                                                                             \
    {                                                                                             \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s), M(8, s), M(9, s), \
            M(10, s), M(11, s), M(12, s), M(13, s), M(14, s), M(15, s)                            \
    }
#elif TINY_VECTOR == 8
#define TINY_PICK(M, s)                                                          \
    {                                                                          \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s) \
    }
#else
#define TINY_PICK(M, s)                      \
    {                                      \
        M(0, s), M(1, s), M(2, s), M(3, s) \
    }
#endif
// Exchanges the blocks of s x s beside the diagonal.
#define TINY_EXCHANGE(a, s)                                                             \
    for (int i = 0; i < TINY_VECTOR; i++)                                               \
        if (!(i & (s))) {                                                             \
            const tiny_vector low = a[i], high = a[i + (s)];                            \
            a[i] = __builtin_shuffle(low, high, (tiny_lanes)TINY_PICK(TINY_LOW, s));        \
            a[i + (s)] = __builtin_shuffle(low, high, (tiny_lanes)TINY_PICK(TINY_HIGH, s)); \
        }
#endif

// a[i] lane j <-> a[j] lane i.
TINY_INLINE void tiny_transpose(tiny_vector a[TINY_VECTOR])
{
#if TINY_VECTOR > 1 && !defined(__clang__)
#pragma GCC unroll 16
    TINY_EXCHANGE(a, 1)
#pragma GCC unroll 16
    TINY_EXCHANGE(a, 2)
#if TINY_VECTOR > 4
#pragma GCC unroll 16
    TINY_EXCHANGE(a, 4)
#endif
#if TINY_VECTOR > 8
#pragma GCC unroll 16
    TINY_EXCHANGE(a, 8)
#endif
#else
    float from[TINY_VECTOR][TINY_VECTOR], to[TINY_VECTOR][TINY_VECTOR];
    memcpy(from, a, sizeof from);
    for (int i = 0; i < TINY_VECTOR; i++)
        for (int j = 0; j < TINY_VECTOR; j++)
            to[i][j] = from[j][i];
    memcpy(a, to, sizeof to);
#endif
}

// A strip of filters is two vectors; sums of a tile are columns x vectors, in 32 or 16 registers. A
// column is a channel's tap.
#define TINY_TURN_STRIP (2 * TINY_VECTOR)
#if TINY_VECTOR == 16 || defined(__aarch64__)
#define TINY_TURN_TILE 14
#else
#define TINY_TURN_TILE 6
#endif
enum { TINY_TURN_PIXELS = 8, TINY_TURN_COLUMNS = 256 }; // that go through together

// Where a pixel's value for a column lies.
typedef struct tiny_column {
    ptrdiff_t at; // floats from the pixel's own place in channel 0
    int r, s;     // rows and columns from the pixel
} tiny_column;

TINY_INLINE tiny_column tiny_find_column(int column, int height, int width, int kernel_h, int kernel_w)
{
    const int taps = kernel_h * kernel_w, c = column / taps, r = column % taps / kernel_w,
              s = column % kernel_w;
    tiny_column found = {0, r - kernel_h / 2, s - kernel_w / 2};
    found.at = (c * (ptrdiff_t)height * width + found.r * (ptrdiff_t)width + found.s) * TINY_LANES;
    return found;
}

// sums[columns][filter vectors] += over pixels first..first+count: the columns of x, d turned.
TINY_INLINE void tiny_turned_tile(float *sums, const float *x, const float *d, const tiny_column *columns,
                              int height, int width, int first, int count, const int tile,
                              const int vectors)
{
    tiny_vector sum[TINY_TURN_TILE][2];
#pragma GCC unroll 16
    for (int j = 0; j < tile; j++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            sum[j][v] = tiny_load(sums + (j * vectors + v) * TINY_VECTOR);
    for (int i = first, h = first / width, w = first % width; i < first + count; i++, w++) {
        if (w == width) {
            w = 0;
            h++;
        }
        for (int unit = 0; unit < TINY_LANES; unit += TINY_VECTOR) {
            float value[TINY_TURN_TILE][TINY_VECTOR];
            const float *in = x + (size_t)i * TINY_LANES + unit;
#pragma GCC unroll 16
            for (int j = 0; j < tile; j++) {
                const int inside = (unsigned)(h + columns[j].r) < (unsigned)height &&
                                   (unsigned)(w + columns[j].s) < (unsigned)width;
                tiny_store(value[j], inside ? tiny_load(in + columns[j].at) : tiny_zero_vector());
            }
            for (int l = 0; l < TINY_VECTOR; l++, d += vectors * TINY_VECTOR) {
                tiny_vector y[2];
#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++)
                    y[v] = tiny_load(d + v * TINY_VECTOR);
#pragma GCC unroll 16
                for (int j = 0; j < tile; j++)
#pragma GCC unroll 2
                    for (int v = 0; v < vectors; v++)
                        sum[j][v] += value[j][l] * y[v];
            }
        }
    }
#pragma GCC unroll 16
    for (int j = 0; j < tile; j++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            tiny_store(sums + (j * vectors + v) * TINY_VECTOR, sum[j][v]);
}

// `own` columns: in near-equal tiles where each size has its function, else in whole ones and some
// of 4 and 1, whose sizes are constants.
#ifndef TINY_CONV_DISPATCH
TINY_INLINE void tiny_turned_columns(float *sums, const float *x, const float *d,
                                 const tiny_column *columns, int height, int width, int first,
                                 int count, int own, const int vectors)
{
    int j = 0;
    for (; j + TINY_TURN_TILE <= own; j += TINY_TURN_TILE)
        tiny_turned_tile(sums + j * vectors * TINY_VECTOR, x, d, columns + j, height, width, first,
                       count, TINY_TURN_TILE, vectors);
    for (; j + 4 <= own; j += 4)
        tiny_turned_tile(sums + j * vectors * TINY_VECTOR, x, d, columns + j, height, width, first,
                       count, 4, vectors);
    for (; j < own; j++)
        tiny_turned_tile(sums + j * vectors * TINY_VECTOR, x, d, columns + j, height, width, first,
                       count, 1, vectors);
}
#else
TINY_INLINE void tiny_turned_columns(float *sums, const float *x, const float *d,
                                 const tiny_column *columns, int height, int width, int first,
                                 int count, int own, int vectors)
{
    for (int j = 0, pieces = (own + TINY_TURN_TILE - 1) / TINY_TURN_TILE; pieces > 0; pieces--) {
        const int tile = (own - j + pieces - 1) / pieces;
        tiny_turned_block(sums + j * vectors * TINY_VECTOR, x, d, columns + j, height, width, first,
                        count, tile, vectors);
        j += tile;
    }
}
#endif

// Pixels first..first+count of `filters` filters from dy on, zero from there to the strip's end ->
// d[pixel][lane][vectors of filters].
TINY_INLINE void tiny_turn(float *d, const float *dy, size_t plane, int first, int count, int filters,
                       int vectors)
{
    for (int i = first; i < first + count; i++)
        for (int unit = 0; unit < TINY_LANES; unit += TINY_VECTOR) {
            for (int v = 0; v < vectors; v++) {
                const float *at = dy + v * TINY_VECTOR * plane + (size_t)i * TINY_LANES + unit;
                const int whole = filters - v * TINY_VECTOR >= TINY_VECTOR;
                tiny_vector a[TINY_VECTOR];
                if (whole) {
#pragma GCC unroll 16
                    for (int k = 0; k < TINY_VECTOR; k++)
                        a[k] = tiny_load(at + k * plane);
                } else {
                    for (int k = 0; k < TINY_VECTOR; k++)
                        a[k] = v * TINY_VECTOR + k < filters ? tiny_load(at + k * plane)
                                                           : tiny_zero_vector();
                }
                tiny_transpose(a);
#pragma GCC unroll 16
                for (int l = 0; l < TINY_VECTOR; l++)
                    tiny_store(d + (l * vectors + v) * TINY_VECTOR, a[l]);
            }
            d += vectors * TINY_VECTOR * TINY_VECTOR;
        }
}

// Columns c0..c0+own of one strip, filters k0.. of it.
TINY_INLINE void tiny_turned_strip(float *dw, const float *x, const float *dy, int channels, int height,
                               int width, int filters, int kernel_h, int kernel_w, int groups,
                               int k0, int c0, int own)
{
    const int size = height * width, kept = tiny_min(TINY_TURN_STRIP, filters - k0),
              vectors = kept > TINY_VECTOR ? 2 : 1, all = channels * kernel_h * kernel_w;
    const size_t plane = tiny_plane(size);
    float sums[TINY_TURN_COLUMNS * TINY_TURN_STRIP], d[TINY_TURN_PIXELS * TINY_LANES * TINY_TURN_STRIP];
    tiny_column columns[TINY_TURN_COLUMNS];
    for (int j = 0; j < own; j++)
        columns[j] = tiny_find_column(c0 + j, height, width, kernel_h, kernel_w);
    memset(sums, 0, (size_t)own * vectors * TINY_VECTOR * sizeof *sums);
    for (int g = 0; g < groups; g++)
        for (int first = 0; first < size; first += TINY_TURN_PIXELS) {
            const int count = tiny_min(TINY_TURN_PIXELS, size - first);
            tiny_turn(d, dy + ((size_t)g * filters + k0) * plane, plane, first, count, kept, vectors);
            const float *in = x + (size_t)g * channels * plane;
            if (vectors == 2)
                tiny_turned_columns(sums, in, d, columns, height, width, first, count, own, 2);
            else
                tiny_turned_columns(sums, in, d, columns, height, width, first, count, own, 1);
        }
    for (int k = 0; k < kept; k++)
        for (int j = 0; j < own; j++)
            dw[(size_t)(k0 + k) * all + c0 + j] = sums[j * vectors * TINY_VECTOR + k];
}

// Threads share out strips and blocks of columns; every sum runs over all pixels in their order.
TINY_INLINE void tiny_turned_weights(float *dw, const float *x, const float *dy, int channels,
                                 int height, int width, int filters, int kernel_h, int kernel_w,
                                 int groups, int part, int parts)
{
    const int all = channels * kernel_h * kernel_w,
              strips = (filters + TINY_TURN_STRIP - 1) / TINY_TURN_STRIP,
              blocks = tiny_max((all + TINY_TURN_COLUMNS - 1) / TINY_TURN_COLUMNS,
                              tiny_min(all, (parts + strips - 1) / strips)),
              items = strips * blocks;
    for (int i = tiny_share(items, part, parts); i < tiny_share(items, part + 1, parts); i++) {
        const int block = i % blocks, c0 = tiny_share(all, block, blocks);
        tiny_turned_strip(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                        i / blocks * TINY_TURN_STRIP, c0, tiny_share(all, block + 1, blocks) - c0);
    }
}

// ---- few filters --------------------------------------------------------------------------------

// Registers: filters x columns sums, the columns of x, one of dy.
#if TINY_VECTOR == 16 || defined(__aarch64__)
#define TINY_DW_CHANNELS 6
#define TINY_DW_FILTERS(columns) ((columns) == 6 ? 4 : (columns) == 5 ? 5 : 7)
#else
#define TINY_DW_CHANNELS 3
#define TINY_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define TINY_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? TINY_DW_CHANNELS : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
TINY_INLINE void tiny_dw_pixel(tiny_vector sum[7][6], const float *x, const float *dy, size_t plane,
                           const int filters, const int columns, const int step, const int kernel_w,
                           int w, int width, const int edge)
{
    for (int l = 0; l < TINY_LANES; l += TINY_VECTOR) {
        tiny_vector column[6];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside =
                edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
            column[j] = outside ? tiny_zero_vector() : tiny_load(x + (ptrdiff_t)j * step + l);
        }
#pragma GCC unroll 8
        for (int k = 0; k < filters; k++) {
            const tiny_vector d = tiny_load(dy + k * plane + l);
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                sum[k][j] += d * column[j];
        }
    }
}

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all
// pixels of all groups.
TINY_INLINE void tiny_dw_tile(float *dw, const float *x, const float *dy, int channels, int height,
                          int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                          const int tile, int c0, const int columns, int r)
{
    const size_t plane = tiny_plane(height * width);
    const int step = kernel_w == 1 ? (int)plane : TINY_LANES;
    const int h0 = tiny_max(0, kernel_h / 2 - r), h1 = tiny_min(height, height + kernel_h / 2 - r);
    tiny_vector sum[7][6];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = tiny_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row =
                x + (g * channels + c0) * plane +
                ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * TINY_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * TINY_LANES;
            const int left = tiny_min(kernel_w / 2, width),
                      right = tiny_max(left, width - kernel_w / 2);
            for (int i = 0; i < left + width - right; i++) {
                const int w = i < left ? i : right + i - left;
                tiny_dw_pixel(sum, row + w * TINY_LANES, drow + w * TINY_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 1);
            }
            for (int w = left; w < right; w++)
                tiny_dw_pixel(sum, row + w * TINY_LANES, drow + w * TINY_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 0);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] =
                tiny_sum_vector(sum[k][j]);
        }
}

#ifndef TINY_CONV_DISPATCH
// Whole tiles, and those of the last few filters or channels where there are any: sizes are
// constants where the shape is.
TINY_INLINE void tiny_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                           int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                           int tile, int c0, int columns, int r)
{
    const int all = TINY_DW_COLUMNS(kernel_w), most = TINY_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = kernel_w == 1 ? channels % all : 0;
    if (filters >= most && channels >= (kernel_w == 1 ? all : 1) && tile == most && columns == all)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, all, r);
    else if (last_tile && channels >= (kernel_w == 1 ? all : 1) && columns == all)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, all, r);
    else if (last_columns && filters >= most && tile == most)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, last_columns, r);
    else if (last_tile && last_columns)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, last_columns, r);
}
#endif

TINY_INLINE void tiny_conv_weights_backward(float *dw, const float *x, const float *dy, int channels,
                                        int height, int width, int filters, int kernel_h,
                                        int kernel_w, int groups, int part, int parts)
{
    // A vector of turned filters is filled up with zeros: worth it where most of it is used.
    if (2 * filters > (filters + TINY_VECTOR - 1) / TINY_VECTOR * TINY_VECTOR) {
        tiny_turned_weights(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                          part, parts);
        return;
    }
    const int columns = TINY_DW_COLUMNS(kernel_w), tile = TINY_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile,
              blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = tiny_share(items, part, parts); i < tiny_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step,
                  r = i % kernel_h;
        tiny_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                    tiny_min(tile, filters - k0), c0,
                    kernel_w == 1 ? tiny_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
TINY_INLINE void tiny_channel_sum(float *db, const float *dy, int channels, int size, int groups,
                              int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        float lane[TINY_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < TINY_LANES; l++)
                    lane[l] +=
                        dy[((size_t)g * channels + c) * tiny_plane(size) + (size_t)i * TINY_LANES + l];
        for (int l = 0; l < TINY_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// Gradients that are zero in exact arithmetic: the biases of convolutions whose results are
// batch-normalised.
TINY_INLINE void tiny_zero(float *const *gs, int inputs, int size, int part, int parts)
{
    for (int j = tiny_share(inputs, part, parts); j < tiny_share(inputs, part + 1, parts); j++)
        for (int i = 0; i < size; i++)
            gs[j][i] = 0.0f;
}

// ---- sgd.c - stochastic gradient descent with momentum and weight decay, PyTorch's update, in one
// sweep:
//   g += weight_decay p;  v = momentum v + g;  p -= learning_rate v     (v starts at zero, so the
//   first v is g)

TINY_INLINE void tiny_sgd(float *params, float *velocity, const float *grads, int size,
                      float learning_rate, float momentum, float weight_decay, int part, int parts)
{
    for (int i = tiny_share(size, part, parts); i < tiny_share(size, part + 1, parts); i++) {
        velocity[i] = momentum * velocity[i] + (grads[i] + weight_decay * params[i]);
        params[i] -= learning_rate * velocity[i];
    }
}

// init.c - initial weights from a seed, as PyTorch and the reference implementation draw them: He
// normal with fan out for convolutions, uniform +-1/sqrt(fan in) for biases and the linear layer,
// ones and zeros.  Each tensor has its own stream of draws, named by its name: adding a tensor
// moves no other.

// A named block of the parameter or state vector.
typedef struct {
    const char *name;
    int rank, shape[4];
    long offset, count; // in floats
    int init;           // 0: He normal, 1: uniform, 2: ones, 3: zeros
    int fan;            // fan out (He) or fan in (uniform)
} tiny_tensor;

static void tiny_init_tensor(float *values, const tiny_tensor *tensor, unsigned long long seed)
{
    uint64_t key = 0xcbf29ce484222325u; // FNV-1a of the name
    for (const char *c = tensor->name; *c; c++)
        key = (key ^ (unsigned char)*c) * 0x100000001b3u;
    key = tiny_mix(key ^ tiny_mix((uint64_t)seed + 0x9e3779b97f4a7c15u));
    const double scale = tensor->init == 0   ? sqrt(2.0 / tensor->fan)
                         : tensor->init == 1 ? 1.0 / sqrt((double)tensor->fan)
                                             : 0.0;
    for (long i = 0; i < tensor->count; i++) {
        const uint64_t at = key + 2 * (uint64_t)i * 0x9e3779b97f4a7c15u;
        const double u = ((double)(tiny_mix(at) >> 11) + 0.5) * 0x1p-53;
        const double v = ((double)(tiny_mix(at + 0x9e3779b97f4a7c15u) >> 11) + 0.5) * 0x1p-53;
        if (tensor->init == 0) // Box and Muller
            values[i] = (float)(scale * sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
        else if (tensor->init == 1)
            values[i] = (float)(scale * (2.0 * u - 1.0));
        else
            values[i] = tensor->init == 2 ? 1.0f : 0.0f;
    }
}

enum { TINY_PARAM_TENSORS = 59, TINY_STATE_TENSORS = 24 };
// Where each parameter stands in tiny_params (and tiny_grads; its momentum stands at
// TINY_STATE_COUNT - TINY_PARAM_COUNT + offset of tiny_state), and each running statistic in tiny_state.
extern const tiny_tensor tiny_param_table[TINY_PARAM_TENSORS], tiny_state_table[TINY_STATE_TENSORS];
const tiny_tensor tiny_param_table[59] = {
    {"first_conv.0.weight", 4, {2, 1, 3, 3}, 0, 18, 0, 18},
    {"first_conv.0.bias", 1, {2}, 18, 2, 1, 9},
    {"first_conv.1.weight", 1, {2}, 20, 2, 2, 0},
    {"first_conv.1.bias", 1, {2}, 22, 2, 3, 0},
    {"first_conv.3.weight", 4, {2, 2, 3, 3}, 24, 36, 0, 18},
    {"first_conv.3.bias", 1, {2}, 60, 2, 1, 18},
    {"first_conv.4.weight", 1, {2}, 62, 2, 2, 0},
    {"first_conv.4.bias", 1, {2}, 64, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.op.weight", 4, {2, 2, 3, 3}, 66, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.0.operation.op.bias", 1, {2}, 102, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.weight", 1, {2}, 104, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.bias", 1, {2}, 106, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.weight", 4, {2, 2, 3, 3}, 108, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.bias", 1, {2}, 144, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.weight", 1, {2}, 146, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.bias", 1, {2}, 148, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 150, 1, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 151, 1, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.weight", 4, {2, 2, 3, 3}, 152, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.bias", 1, {2}, 188, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.weight", 1, {2}, 190, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.bias", 1, {2}, 192, 2, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.op.weight", 4, {4, 2, 3, 3}, 194, 72, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.0.operation.op.bias", 1, {4}, 266, 4, 1, 18},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.weight", 1, {4}, 270, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.bias", 1, {4}, 274, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.op.weight", 4, {4, 4, 3, 3}, 278, 144, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.1.operation.op.bias", 1, {4}, 422, 4, 1, 36},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.weight", 1, {4}, 426, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.bias", 1, {4}, 430, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 434, 1, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 435, 1, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.op.weight", 4, {4, 4, 3, 3}, 436, 144, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.2.operation.op.bias", 1, {4}, 580, 4, 1, 36},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.weight", 1, {4}, 584, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.bias", 1, {4}, 588, 4, 3, 0},
    {"node_ops.2.merger.0.weight", 4, {4, 2, 1, 1}, 592, 8, 0, 4},
    {"node_ops.2.merger.0.bias", 1, {4}, 600, 4, 1, 2},
    {"node_ops.2.merger.1.mean", 1, {1}, 604, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.op.weight", 4, {8, 4, 3, 3}, 605, 288, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.0.operation.op.bias", 1, {8}, 893, 8, 1, 36},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.weight", 1, {8}, 901, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.bias", 1, {8}, 909, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.op.weight", 4, {8, 8, 3, 3}, 917, 576, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.1.operation.op.bias", 1, {8}, 1493, 8, 1, 72},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.weight", 1, {8}, 1501, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.bias", 1, {8}, 1509, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 1517, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 1518, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.op.weight", 4, {8, 8, 3, 3}, 1519, 576, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.2.operation.op.bias", 1, {8}, 2095, 8, 1, 72},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.weight", 1, {8}, 2103, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.bias", 1, {8}, 2111, 8, 3, 0},
    {"conv_out.1.weight", 4, {1280, 8, 1, 1}, 2119, 10240, 0, 1280},
    {"conv_out.1.bias", 1, {1280}, 12359, 1280, 1, 8},
    {"conv_out.2.weight", 1, {1280}, 13639, 1280, 2, 0},
    {"conv_out.2.bias", 1, {1280}, 14919, 1280, 3, 0},
    {"fc.weight", 2, {3, 1280}, 16199, 3840, 1, 1280},
    {"fc.bias", 1, {3}, 20039, 3, 1, 1280},
};

const tiny_tensor tiny_state_table[24] = {
    {"first_conv.1.running_mean", 1, {2}, 0, 2, 3, 0},
    {"first_conv.1.running_var", 1, {2}, 2, 2, 2, 0},
    {"first_conv.4.running_mean", 1, {2}, 4, 2, 3, 0},
    {"first_conv.4.running_var", 1, {2}, 6, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.running_mean", 1, {2}, 8, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.running_var", 1, {2}, 10, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {2}, 12, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.running_var", 1, {2}, 14, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.running_mean", 1, {2}, 16, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.running_var", 1, {2}, 18, 2, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.running_mean", 1, {4}, 20, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.running_var", 1, {4}, 24, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {4}, 28, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.running_var", 1, {4}, 32, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.running_mean", 1, {4}, 36, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.running_var", 1, {4}, 40, 4, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.running_mean", 1, {8}, 44, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.running_var", 1, {8}, 52, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {8}, 60, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.running_var", 1, {8}, 68, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.running_mean", 1, {8}, 76, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.running_var", 1, {8}, 84, 8, 2, 0},
    {"conv_out.2.running_mean", 1, {1280}, 92, 1280, 3, 0},
    {"conv_out.2.running_var", 1, {1280}, 1372, 1280, 2, 0},
};

float tiny_params[TINY_PARAM_COUNT], tiny_grads[TINY_PARAM_COUNT], tiny_state[TINY_STATE_COUNT];

static TINY_NOINLINE void tiny_pack_images_c1_h8_w8(float *y, const float *images, int count)
{
    tiny_pack_images(y, images, 1, 8, 8, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k2_c1_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 2, 1, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c1_h8_w8_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 1, 8, 8, 2, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_running_c2(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 2, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x1_c2_n64_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 64, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k2_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 2, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c2_h8_w8_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 2, 8, 8, 2, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x2_c2_n64_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 2, 2, 1.0f, 64, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c2_h8_w8_oh4_ow4(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 2, 8, 8, 4, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x1_c2_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 16, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k4_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 4, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c2_h4_w4_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 2, 4, 4, 4, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_running_c4(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 4, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x1_c4_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 1, 4, 1.0f, 16, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k4_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 4, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h4_w4_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 4, 4, 4, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x2_c4_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 2, 4, 1.0f, 16, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c2_h8_w8_oh2_ow2(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 2, 8, 8, 2, 2, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x1_c2_n4(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 4, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c4_h4_w4_oh2_ow2(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 4, 4, 4, 2, 2, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k4_c2_r1_s1(float *p, const float *w)
{
    tiny_pack_weights(p, w, 4, 2, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c2_h2_w2_k4_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 2, 2, 2, 4, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x2_c4_n4_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 2, 4, 1.0f, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k8_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 8, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h2_w2_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 2, 2, 8, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_running_c8(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 8, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x1_c8_n4_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 1, 8, 1.0f, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k8_c8_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 8, 8, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c8_h2_w2_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 8, 2, 2, 8, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_x2_c8_n4_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    tiny_affine_sum(x, ys, ss, ts, as, 2, 8, 1.0f, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k1280_c8_r1_s1(float *p, const float *w)
{
    tiny_pack_weights(p, w, 1280, 8, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c8_h2_w2_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 8, 2, 2, 1280, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_running_c1280(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 1280, 0, 1);
}

static TINY_NOINLINE void tiny_affine_pool_c1280_n4(float *p, const float *y, const float *s, const float *t)
{
    tiny_affine_pool(p, y, s, t, 1280, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k3_c1280_r1_s1(float *p, const float *w)
{
    tiny_pack_weights(p, w, 3, 1280, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c1280_h1_w1_k3_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 1280, 1, 1, 3, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_unpack_logits_k3(float *logits, const float *x, int count)
{
    tiny_unpack_logits(logits, x, 3, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_stats_c2_n64(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 64, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_stats_c4_n16(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 4, 16, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_stats_c8_n4(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 4, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_stats_c1280_n4(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 1280, 4, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_dropout_c1280(float *y, const float *x, unsigned long long seed, unsigned long long step, float dropout)
{
    tiny_dropout(y, x, 1280, 1, seed, step, dropout, 0, 1);
}

static TINY_NOINLINE void tiny_loss_k3(float *dlogits, float *loss, const float *logits, const int *labels, int count, float label_smoothing)
{
    tiny_loss(dlogits, loss, logits, labels, 3, count, label_smoothing, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c1280_h1_w1_k3_r1_s1(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 1280, 1, 1, 3, 1, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_channel_sum_c3_n1(float *db, const float *dy)
{
    tiny_channel_sum(db, dy, 3, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k3_c1280_r1_s1(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 3, 1280, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c3_h1_w1_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 3, 1, 1, 1280, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_pool_reduce_c1280_n4(float *q, float *sums, const float *dp, const float *y, const float *s, const float *t, const float *mean, const float *rstd)
{
    tiny_affine_pool_reduce(q, sums, dp, y, s, t, mean, rstd, 1280, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x1_c1280_n4(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 1280, 1.0f, 4, count, 0, 1);
}

static TINY_NOINLINE void tiny_affine_pool_pull_c1280_n4(float *dy, const float *y, const float *dp, const float *s, const float *t, const float *coefficients, int count)
{
    tiny_affine_pool_pull(dy, y, dp, s, t, coefficients, 1280, 4, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c8_h2_w2_k1280_r1_s1(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 8, 2, 2, 1280, 1, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k1280_c8_r1_s1(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 1280, 8, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c1280_h2_w2_k8_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 1280, 2, 2, 8, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x1_c8_n4(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 8, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x1_c8_n4(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 8, 1.0f, 4, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x1_c8_n4(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 1, 8, 1.0f, 4, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 8, 2, 2, 8, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k8_c8_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 8, 8, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x2_c8_n4(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 8, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_scalar_backward_c8(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    tiny_affine_scalar_backward(da, q, p, gamma, beta, a, 8, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x2_c8_n4(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 8, 1.0f, 4, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x2_c8_n4(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 2, 8, 1.0f, 4, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c4_h2_w2_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 4, 2, 2, 8, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k8_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 8, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c8_h2_w2_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 8, 2, 2, 4, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x2_c4_n4(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 4, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_scalar_backward_c4(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    tiny_affine_scalar_backward(da, q, p, gamma, beta, a, 4, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x1_c4_n4(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 1, 4, 1.0f, 4, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c2_h2_w2_k4_r1_s1(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 2, 2, 2, 4, 1, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_channel_sum_c4_n4(float *db, const float *dy)
{
    tiny_channel_sum(db, dy, 4, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k4_c2_r1_s1(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 4, 2, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h2_w2_k2_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 2, 2, 2, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_backward_c4_h4_w4_oh2_ow2(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 4, 4, 4, 2, 2, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_reduce_x1_c2_n4(float *q, const float *dx, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_reduce(q, dx, ps, ys, means, rstds, 1, 2, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_backward_c2_h8_w8_oh2_ow2(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 2, 8, 8, 2, 2, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x1_c4_n16(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 4, 1.0f, 16, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x1_c4_n16(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 1, 4, 1.0f, 16, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 4, 4, 4, 4, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k4_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 4, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x2_c4_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 4, 16, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x1_c4_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 4, 16, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x2_c4_n16(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 4, 1.0f, 16, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x2_c4_n16(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 2, 4, 1.0f, 16, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c2_h4_w4_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 2, 4, 4, 4, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k4_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 4, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h4_w4_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 4, 4, 2, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x1_c2_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 2, 16, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_backward_c2_h8_w8_oh4_ow4(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 2, 8, 8, 4, 4, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x2_c2_n64(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 2, 1.0f, 64, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x2_c2_n64(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 2, 2, 1.0f, 64, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 2, 8, 8, 2, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k2_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 2, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x2_c2_n64(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 2, 64, 1, 0, 1);
}

static TINY_NOINLINE void tiny_affine_scalar_backward_c2(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    tiny_affine_scalar_backward(da, q, p, gamma, beta, a, 2, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_coefficients_x1_c2_n64(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    tiny_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 2, 1.0f, 64, count, 0, 1);
}

static TINY_NOINLINE void tiny_pull_x1_c2_n64(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    tiny_pull(dy, y, coefficients, gs, as, 1, 2, 1.0f, 64, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_affine_sum_backward_x1_c2_n64(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    tiny_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 2, 64, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c1_h8_w8_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 1, 8, 8, 2, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_zero_x1_n1280(float *const *gs)
{
    tiny_zero(gs, 1, 1280, 0, 1);
}

static TINY_NOINLINE void tiny_zero_x3_n8(float *const *gs)
{
    tiny_zero(gs, 3, 8, 0, 1);
}

static TINY_NOINLINE void tiny_zero_x3_n4(float *const *gs)
{
    tiny_zero(gs, 3, 4, 0, 1);
}

static TINY_NOINLINE void tiny_zero_x5_n2(float *const *gs)
{
    tiny_zero(gs, 5, 2, 0, 1);
}

static TINY_NOINLINE void tiny_sgd_n20042(float *params, float *velocity, const float *grads, float learning_rate, float momentum, float weight_decay)
{
    tiny_sgd(params, velocity, grads, 20042, learning_rate, momentum, weight_decay, 0, 1);
}

// stem
static void tiny_infer_stem(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // images.packed  [1, 8, 8]
    tiny_pack_images_c1_h8_w8(arena + 0, call->images, call->count);
    // stem.conv0.packed
    tiny_pack_weights_k2_c1_r3_s3(arena + 2048, params + 0);
    // stem.conv0  [2, 8, 8]
    tiny_conv_c1_h8_w8_k2_r3_s3(arena + 2080, arena + 0, arena + 2048, params + 18);
    // stem.bn0.scale
    tiny_batchnorm_running_c2(arena + 0, arena + 16, params + 20, params + 22, state + 0, state + 2);
    // stem.bn0.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 6176, (const float *const[]){arena + 2080}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // stem.conv1.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 0, params + 24);
    // stem.conv1  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 48, arena + 6176, arena + 0, params + 60);
    // stem.bn1.scale
    tiny_batchnorm_running_c2(arena + 0, arena + 16, params + 62, params + 64, state + 4, state + 6);
}

// cell 0
static void tiny_infer_cell_0(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // stem.bn1.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 4144, (const float *const[]){arena + 48}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell0.node0.op0.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 8240, params + 66);
    // cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 0, arena + 4144, arena + 8240, params + 102);
    // cell0.node0.op0.bn.scale
    tiny_batchnorm_running_c2(arena + 4096, arena + 4112, params + 104, params + 106, state + 8, state + 10);
    // cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 4128, (const float *const[]){arena + 0}, (const float *const[]){arena + 4096}, (const float *const[]){arena + 4112}, (const float *const[]){NULL});
    // cell0.node0.op1.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 8224, params + 108);
    // cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 8272, arena + 4128, arena + 8224, params + 144);
    // cell0.node0.op1.bn.scale
    tiny_batchnorm_running_c2(arena + 4128, arena + 4144, params + 146, params + 148, state + 12, state + 14);
    // cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_affine_sum_x2_c2_n64_relu(arena + 4160, (const float *const[]){arena + 0, arena + 8272}, (const float *const[]){arena + 4096, arena + 4128}, (const float *const[]){arena + 4112, arena + 4144}, (const float *const[]){params + 150, params + 151});
    // cell0.node0.op2.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 8256, params + 152);
    // cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 0, arena + 4160, arena + 8256, params + 188);
    // cell0.node0.op2.bn.scale
    tiny_batchnorm_running_c2(arena + 4096, arena + 4112, params + 190, params + 192, state + 16, state + 18);
}

// cell 1
static void tiny_infer_cell_1(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled.raw  [2, 4, 4]
    tiny_adaptive_pool_c2_h8_w8_oh4_ow4(arena + 4128, arena + 0);
    // cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_affine_sum_x1_c2_n16_relu(arena + 5152, (const float *const[]){arena + 4128}, (const float *const[]){arena + 4096}, (const float *const[]){arena + 4112}, (const float *const[]){NULL});
    // cell1.node0.op0.conv3x3.packed
    tiny_pack_weights_k4_c2_r3_s3(arena + 4128, params + 194);
    // cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_conv_c2_h4_w4_k4_r3_s3(arena + 6176, arena + 5152, arena + 4128, params + 266);
    // cell1.node0.op0.bn.scale
    tiny_batchnorm_running_c4(arena + 4128, arena + 4144, params + 270, params + 274, state + 20, state + 24);
    // cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_affine_sum_x1_c4_n16_relu(arena + 8224, (const float *const[]){arena + 6176}, (const float *const[]){arena + 4128}, (const float *const[]){arena + 4144}, (const float *const[]){NULL});
    // cell1.node0.op1.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 4160, params + 278);
    // cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 10272, arena + 8224, arena + 4160, params + 422);
    // cell1.node0.op1.bn.scale
    tiny_batchnorm_running_c4(arena + 12320, arena + 12336, params + 426, params + 430, state + 28, state + 32);
    // cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_affine_sum_x2_c4_n16_relu(arena + 8224, (const float *const[]){arena + 6176, arena + 10272}, (const float *const[]){arena + 4128, arena + 12320}, (const float *const[]){arena + 4144, arena + 12336}, (const float *const[]){params + 434, params + 435});
    // cell1.node0.op2.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 10272, params + 436);
    // cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 4128, arena + 8224, arena + 10272, params + 580);
    // cell1.node0.op2.bn.scale
    tiny_batchnorm_running_c4(arena + 6176, arena + 6192, params + 584, params + 588, state + 36, state + 40);
}

// cell 2
static void tiny_infer_cell_2(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled.raw  [2, 2, 2]
    tiny_adaptive_pool_c2_h8_w8_oh2_ow2(arena + 6208, arena + 0);
    // cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_affine_sum_x1_c2_n4(arena + 0, (const float *const[]){arena + 6208}, (const float *const[]){arena + 4096}, (const float *const[]){arena + 4112}, (const float *const[]){NULL});
    // cell1.node0.op2.bn.pooled.raw  [4, 2, 2]
    tiny_adaptive_pool_c4_h4_w4_oh2_ow2(arena + 256, arena + 4128);
    // cell2.projection0.packed
    tiny_pack_weights_k4_c2_r1_s1(arena + 768, params + 592);
    // cell2.projection0  [4, 2, 2]
    tiny_conv_c2_h2_w2_k4_r1_s1(arena + 784, arena + 0, arena + 768, params + 600);
    // cell2.sum.relu  [4, 2, 2]
    tiny_affine_sum_x2_c4_n4_relu(arena + 1296, (const float *const[]){arena + 784, arena + 256}, (const float *const[]){NULL, arena + 6176}, (const float *const[]){NULL, arena + 6192}, (const float *const[]){NULL, params + 604});
    // cell2.node0.op0.conv3x3.packed
    tiny_pack_weights_k8_c4_r3_s3(arena + 0, params + 605);
    // cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_conv_c4_h2_w2_k8_r3_s3(arena + 1808, arena + 1296, arena + 0, params + 893);
    // cell2.node0.op0.bn.scale
    tiny_batchnorm_running_c8(arena + 0, arena + 16, params + 901, params + 909, state + 44, state + 52);
    // cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 32, (const float *const[]){arena + 1808}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell2.node0.op1.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 1056, params + 917);
    // cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 2832, arena + 32, arena + 1056, params + 1493);
    // cell2.node0.op1.bn.scale
    tiny_batchnorm_running_c8(arena + 32, arena + 48, params + 1501, params + 1509, state + 60, state + 68);
    // cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_affine_sum_x2_c8_n4_relu(arena + 64, (const float *const[]){arena + 1808, arena + 2832}, (const float *const[]){arena + 0, arena + 32}, (const float *const[]){arena + 16, arena + 48}, (const float *const[]){params + 1517, params + 1518});
    // cell2.node0.op2.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 1088, params + 1519);
    // cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 1664, arena + 64, arena + 1088, params + 2095);
    // cell2.node0.op2.bn.scale
    tiny_batchnorm_running_c8(arena + 0, arena + 16, params + 2103, params + 2111, state + 76, state + 84);
}

// head
static void tiny_infer_head(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 32, (const float *const[]){arena + 1664}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // head.conv.packed
    tiny_pack_weights_k1280_c8_r1_s1(arena + 1056, params + 2119);
    // head.conv  [1280, 2, 2]
    tiny_conv_c8_h2_w2_k1280_r1_s1(arena + 11296, arena + 32, arena + 1056, params + 12359);
    // head.bn.scale
    tiny_batchnorm_running_c1280(arena + 0, arena + 1280, params + 13639, params + 14919, state + 92, state + 1372);
    // head.bn.relu.pooled  [1280, 1, 1]
    tiny_affine_pool_c1280_n4(arena + 175136, arena + 11296, arena + 0, arena + 1280);
    // head.logits.packed
    tiny_pack_weights_k3_c1280_r1_s1(arena + 0, params + 16199);
    // head.logits  [3, 1, 1]
    tiny_conv_c1280_h1_w1_k3_r1_s1(arena + 3840, arena + 175136, arena + 0, params + 20039);
    // logits
    tiny_unpack_logits_k3(call->logits, arena + 3840, call->count);
}

static void tiny_program_infer(const tiny_call *call)
{
    tiny_infer_stem(call);
    tiny_infer_cell_0(call);
    tiny_infer_cell_1(call);
    tiny_infer_cell_2(call);
    tiny_infer_head(call);
}

// stem
static void tiny_gradient_stem(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // images.packed  [1, 8, 8]
    tiny_pack_images_c1_h8_w8(arena + 0, call->images, call->count);
    // stem.conv0.packed
    tiny_pack_weights_k2_c1_r3_s3(arena + 2048, params + 0);
    // stem.conv0  [2, 8, 8]
    tiny_conv_c1_h8_w8_k2_r3_s3(arena + 2080, arena + 0, arena + 2048, params + 18);
    // stem.bn0.scale
    tiny_batchnorm_stats_c2_n64(arena + 2048, arena + 2064, arena + 6176, arena + 6192, state + 0, state + 2, arena + 2080, params + 20, params + 22, call->count);
    // stem.bn0.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 6208, (const float *const[]){arena + 2080}, (const float *const[]){arena + 2048}, (const float *const[]){arena + 2064}, (const float *const[]){NULL});
    // stem.conv1.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 10304, params + 24);
    // stem.conv1  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 10352, arena + 6208, arena + 10304, params + 60);
    // stem.bn1.scale
    tiny_batchnorm_stats_c2_n64(arena + 6208, arena + 6224, arena + 6240, arena + 6256, state + 4, state + 6, arena + 10352, params + 62, params + 64, call->count);
}

// cell 0
static void tiny_gradient_cell_0(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // stem.bn1.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 14448, (const float *const[]){arena + 10352}, (const float *const[]){arena + 6208}, (const float *const[]){arena + 6224}, (const float *const[]){NULL});
    // cell0.node0.op0.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 6272, params + 66);
    // cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 18544, arena + 14448, arena + 6272, params + 102);
    // cell0.node0.op0.bn.scale
    tiny_batchnorm_stats_c2_n64(arena + 6272, arena + 6288, arena + 6304, arena + 6320, state + 8, state + 10, arena + 18544, params + 104, params + 106, call->count);
    // cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 14448, (const float *const[]){arena + 18544}, (const float *const[]){arena + 6272}, (const float *const[]){arena + 6288}, (const float *const[]){NULL});
    // cell0.node0.op1.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 6336, params + 108);
    // cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 22640, arena + 14448, arena + 6336, params + 144);
    // cell0.node0.op1.bn.scale
    tiny_batchnorm_stats_c2_n64(arena + 6336, arena + 6352, arena + 6368, arena + 6384, state + 12, state + 14, arena + 22640, params + 146, params + 148, call->count);
    // cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_affine_sum_x2_c2_n64_relu(arena + 14448, (const float *const[]){arena + 18544, arena + 22640}, (const float *const[]){arena + 6272, arena + 6336}, (const float *const[]){arena + 6288, arena + 6352}, (const float *const[]){params + 150, params + 151});
    // cell0.node0.op2.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 6400, params + 152);
    // cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 26736, arena + 14448, arena + 6400, params + 188);
    // cell0.node0.op2.bn.scale
    tiny_batchnorm_stats_c2_n64(arena + 6400, arena + 6416, arena + 6432, arena + 6448, state + 16, state + 18, arena + 26736, params + 190, params + 192, call->count);
}

// cell 1
static void tiny_gradient_cell_1(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled.raw  [2, 4, 4]
    tiny_adaptive_pool_c2_h8_w8_oh4_ow4(arena + 6464, arena + 26736);
    // cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_affine_sum_x1_c2_n16_relu(arena + 7488, (const float *const[]){arena + 6464}, (const float *const[]){arena + 6400}, (const float *const[]){arena + 6416}, (const float *const[]){NULL});
    // cell1.node0.op0.conv3x3.packed
    tiny_pack_weights_k4_c2_r3_s3(arena + 8512, params + 194);
    // cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_conv_c2_h4_w4_k4_r3_s3(arena + 14448, arena + 7488, arena + 8512, params + 266);
    // cell1.node0.op0.bn.scale
    tiny_batchnorm_stats_c4_n16(arena + 16496, arena + 16512, arena + 16528, arena + 16544, state + 20, state + 24, arena + 14448, params + 270, params + 274, call->count);
    // cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_affine_sum_x1_c4_n16_relu(arena + 7488, (const float *const[]){arena + 14448}, (const float *const[]){arena + 16496}, (const float *const[]){arena + 16512}, (const float *const[]){NULL});
    // cell1.node0.op1.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 9536, params + 278);
    // cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 30832, arena + 7488, arena + 9536, params + 422);
    // cell1.node0.op1.bn.scale
    tiny_batchnorm_stats_c4_n16(arena + 16560, arena + 16576, arena + 16592, arena + 16608, state + 28, state + 32, arena + 30832, params + 426, params + 430, call->count);
    // cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_affine_sum_x2_c4_n16_relu(arena + 7488, (const float *const[]){arena + 14448, arena + 30832}, (const float *const[]){arena + 16496, arena + 16560}, (const float *const[]){arena + 16512, arena + 16576}, (const float *const[]){params + 434, params + 435});
    // cell1.node0.op2.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 9536, params + 436);
    // cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 32880, arena + 7488, arena + 9536, params + 580);
    // cell1.node0.op2.bn.scale
    tiny_batchnorm_stats_c4_n16(arena + 16624, arena + 16640, arena + 16656, arena + 16672, state + 36, state + 40, arena + 32880, params + 584, params + 588, call->count);
}

// cell 2
static void tiny_gradient_cell_2(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled.raw  [2, 2, 2]
    tiny_adaptive_pool_c2_h8_w8_oh2_ow2(arena + 16688, arena + 26736);
    // cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_affine_sum_x1_c2_n4(arena + 16944, (const float *const[]){arena + 16688}, (const float *const[]){arena + 6400}, (const float *const[]){arena + 6416}, (const float *const[]){NULL});
    // cell1.node0.op2.bn.pooled.raw  [4, 2, 2]
    tiny_adaptive_pool_c4_h4_w4_oh2_ow2(arena + 17200, arena + 32880);
    // cell2.projection0.packed
    tiny_pack_weights_k4_c2_r1_s1(arena + 17712, params + 592);
    // cell2.projection0  [4, 2, 2]
    tiny_conv_c2_h2_w2_k4_r1_s1(arena + 17728, arena + 16944, arena + 17712, params + 600);
    // cell2.sum.relu  [4, 2, 2]
    tiny_affine_sum_x2_c4_n4_relu(arena + 7488, (const float *const[]){arena + 17728, arena + 17200}, (const float *const[]){NULL, arena + 16624}, (const float *const[]){NULL, arena + 16640}, (const float *const[]){NULL, params + 604});
    // cell2.node0.op0.conv3x3.packed
    tiny_pack_weights_k8_c4_r3_s3(arena + 18240, params + 605);
    // cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_conv_c4_h2_w2_k8_r3_s3(arena + 8000, arena + 7488, arena + 18240, params + 893);
    // cell2.node0.op0.bn.scale
    tiny_batchnorm_stats_c8_n4(arena + 17712, arena + 16944, arena + 16960, arena + 16976, state + 44, state + 52, arena + 8000, params + 901, params + 909, call->count);
    // cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 9024, (const float *const[]){arena + 8000}, (const float *const[]){arena + 17712}, (const float *const[]){arena + 16944}, (const float *const[]){NULL});
    // cell2.node0.op1.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 34928, params + 917);
    // cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 35504, arena + 9024, arena + 34928, params + 1493);
    // cell2.node0.op1.bn.scale
    tiny_batchnorm_stats_c8_n4(arena + 16992, arena + 17008, arena + 17024, arena + 17040, state + 60, state + 68, arena + 35504, params + 1501, params + 1509, call->count);
    // cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_affine_sum_x2_c8_n4_relu(arena + 9024, (const float *const[]){arena + 8000, arena + 35504}, (const float *const[]){arena + 17712, arena + 16992}, (const float *const[]){arena + 16944, arena + 17008}, (const float *const[]){params + 1517, params + 1518});
    // cell2.node0.op2.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 34928, params + 1519);
    // cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 36528, arena + 9024, arena + 34928, params + 2095);
    // cell2.node0.op2.bn.scale
    tiny_batchnorm_stats_c8_n4(arena + 17056, arena + 17072, arena + 17088, arena + 17104, state + 76, state + 84, arena + 36528, params + 2103, params + 2111, call->count);
}

// head
static void tiny_gradient_head(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 9024, (const float *const[]){arena + 36528}, (const float *const[]){arena + 17056}, (const float *const[]){arena + 17072}, (const float *const[]){NULL});
    // head.conv.packed
    tiny_pack_weights_k1280_c8_r1_s1(arena + 37552, params + 2119);
    // head.conv  [1280, 2, 2]
    tiny_conv_c8_h2_w2_k1280_r1_s1(arena + 47792, arena + 9024, arena + 37552, params + 12359);
    // head.bn.scale
    tiny_batchnorm_stats_c1280_n4(arena + 9024, arena + 37552, arena + 38832, arena + 40112, state + 92, state + 1372, arena + 47792, params + 13639, params + 14919, call->count);
    // head.bn.relu.pooled  [1280, 1, 1]
    tiny_affine_pool_c1280_n4(arena + 211632, arena + 47792, arena + 9024, arena + 37552);
    // head.dropout  [1280, 1, 1]
    tiny_dropout_c1280(arena + 211632, arena + 211632, call->seed, call->step, call->dropout);
    // head.logits.packed
    tiny_pack_weights_k3_c1280_r1_s1(arena + 41392, params + 16199);
    // head.logits  [3, 1, 1]
    tiny_conv_c1280_h1_w1_k3_r1_s1(arena + 18240, arena + 211632, arena + 41392, params + 20039);
    // logits
    tiny_unpack_logits_k3(call->logits, arena + 18240, call->count);
    // d.head.logits  [3, 1, 1]
    tiny_loss_k3(arena + 18336, call->loss, arena + 18240, call->labels, call->count, call->label_smoothing);
}

// head, backward
static void tiny_gradient_head_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.fc.weight
    tiny_conv_weights_backward_c1280_h1_w1_k3_r1_s1(grads + 16199, arena + 211632, arena + 18336);
    // d.fc.bias
    tiny_channel_sum_c3_n1(grads + 20039, arena + 18336);
    // head.logits.packed_backward
    tiny_pack_weights_backward_k3_c1280_r1_s1(arena + 41392, params + 16199);
    // d.head.dropout  [1280, 1, 1]
    tiny_conv_c3_h1_w1_k1280_r1_s1(arena + 211632, arena + 18336, arena + 41392, NULL);
    // d.head.bn.relu.pooled  [1280, 1, 1]
    tiny_dropout_c1280(arena + 211632, arena + 211632, call->seed, call->step, call->dropout);
    // d.head.conv.q
    tiny_affine_pool_reduce_c1280_n4(arena + 41392, arena + 42672, arena + 211632, arena + 47792, arena + 9024, arena + 37552, arena + 38832, arena + 40112);
    // d.head.conv.coefficients
    tiny_batchnorm_coefficients_x1_c1280_n4(arena + 43952, grads + 13639, grads + 14919, arena + 38832, arena + 40112, params + 13639, (const float *const[]){arena + 41392}, (const float *const[]){arena + 42672}, (const float *const[]){NULL}, call->count);
    // d.head.conv  [1280, 2, 2]
    tiny_affine_pool_pull_c1280_n4(arena + 47792, arena + 47792, arena + 211632, arena + 9024, arena + 37552, arena + 43952, call->count);
    // cell2.node0.op2.bn.relu.again  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 9024, (const float *const[]){arena + 36528}, (const float *const[]){arena + 17056}, (const float *const[]){arena + 17072}, (const float *const[]){NULL});
    // d.conv_out.1.weight
    tiny_conv_weights_backward_c8_h2_w2_k1280_r1_s1(grads + 2119, arena + 9024, arena + 47792);
    // head.conv.packed_backward
    tiny_pack_weights_backward_k1280_c8_r1_s1(arena + 37552, params + 2119);
    // d.cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_conv_c1280_h2_w2_k8_r1_s1(arena + 211632, arena + 47792, arena + 37552, NULL);
    // d.cell2.node0.op2.bn.relu.before  [8, 2, 2]
    tiny_affine_sum_backward_x1_c8_n4(arena + 211632, arena + 17056, arena + 211632, arena + 9024, (float *const[]){arena + 17072}, (const float *const[]){arena + 36528}, (const float *const[]){arena + 17088}, (const float *const[]){arena + 17104});
}

// cell 2, backward
static void tiny_gradient_cell_2_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell2.node0.op2.conv3x3.coefficients
    tiny_batchnorm_coefficients_x1_c8_n4(arena + 17120, grads + 2103, grads + 2111, arena + 17088, arena + 17104, params + 2103, (const float *const[]){arena + 17056}, (const float *const[]){arena + 17072}, (const float *const[]){NULL}, call->count);
    // d.cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_pull_x1_c8_n4(arena + 211632, arena + 36528, arena + 17120, (const float *const[]){arena + 211632}, (const float *const[]){NULL}, call->count);
    // cell2.node0.op2.sum.relu.again  [8, 2, 2]
    tiny_affine_sum_x2_c8_n4_relu(arena + 9024, (const float *const[]){arena + 8000, arena + 35504}, (const float *const[]){arena + 17712, arena + 16992}, (const float *const[]){arena + 16944, arena + 17008}, (const float *const[]){params + 1517, params + 1518});
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(grads + 1519, arena + 9024, arena + 211632);
    // cell2.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c8_r3_s3(arena + 34928, params + 1519);
    // d.cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 212656, arena + 211632, arena + 34928, NULL);
    // d.cell2.node0.op2.sum.relu.before  [8, 2, 2]
    tiny_affine_sum_backward_x2_c8_n4(arena + 212656, arena + 16992, arena + 212656, arena + 9024, (float *const[]){arena + 17008, arena + 17056}, (const float *const[]){arena + 8000, arena + 35504}, (const float *const[]){arena + 16960, arena + 17024}, (const float *const[]){arena + 16976, arena + 17040});
    // d.node_ops.2.node_ops.0.node_ops.2.merger.0.mean
    tiny_affine_scalar_backward_c8(grads + 1517, arena + 16992, arena + 17008, params + 901, params + 909, params + 1517);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.1.mean
    tiny_affine_scalar_backward_c8(grads + 1518, arena + 16992, arena + 17056, params + 1501, params + 1509, params + 1518);
    // d.cell2.node0.op1.conv3x3.coefficients
    tiny_batchnorm_coefficients_x1_c8_n4(arena + 17072, grads + 1501, grads + 1509, arena + 17024, arena + 17040, params + 1501, (const float *const[]){arena + 16992}, (const float *const[]){arena + 17056}, (const float *const[]){params + 1518}, call->count);
    // d.cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_pull_x1_c8_n4(arena + 9024, arena + 35504, arena + 17072, (const float *const[]){arena + 212656}, (const float *const[]){params + 1518}, call->count);
    // cell2.node0.op0.bn.relu.again  [8, 2, 2]
    tiny_affine_sum_x1_c8_n4_relu(arena + 213680, (const float *const[]){arena + 8000}, (const float *const[]){arena + 17712}, (const float *const[]){arena + 16944}, (const float *const[]){NULL});
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(grads + 917, arena + 213680, arena + 9024);
    // cell2.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c8_r3_s3(arena + 214704, params + 917);
    // d.cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 215280, arena + 9024, arena + 214704, NULL);
    // d.cell2.node0.op0.bn.relu.before  [8, 2, 2]
    tiny_affine_sum_backward_x1_c8_n4(arena + 215280, arena + 16944, arena + 215280, arena + 213680, (float *const[]){arena + 17712}, (const float *const[]){arena + 8000}, (const float *const[]){arena + 16960}, (const float *const[]){arena + 16976});
    // d.cell2.node0.op0.conv3x3.coefficients
    tiny_batchnorm_coefficients_x2_c8_n4(arena + 17024, grads + 901, grads + 909, arena + 16960, arena + 16976, params + 901, (const float *const[]){arena + 16944, arena + 16992}, (const float *const[]){arena + 17712, arena + 17008}, (const float *const[]){NULL, params + 1517}, call->count);
    // d.cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_pull_x2_c8_n4(arena + 215280, arena + 8000, arena + 17024, (const float *const[]){arena + 215280, arena + 212656}, (const float *const[]){NULL, params + 1517}, call->count);
    // cell2.sum.relu.again  [4, 2, 2]
    tiny_affine_sum_x2_c4_n4_relu(arena + 7488, (const float *const[]){arena + 17728, arena + 17200}, (const float *const[]){NULL, arena + 16624}, (const float *const[]){NULL, arena + 16640}, (const float *const[]){NULL, params + 604});
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c4_h2_w2_k8_r3_s3(grads + 605, arena + 7488, arena + 215280);
    // cell2.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c4_r3_s3(arena + 18240, params + 605);
    // d.cell2.sum.relu  [4, 2, 2]
    tiny_conv_c8_h2_w2_k4_r3_s3(arena + 8000, arena + 215280, arena + 18240, NULL);
    // d.cell2.sum.relu.before  [4, 2, 2]
    tiny_affine_sum_backward_x2_c4_n4(arena + 8000, arena + 17712, arena + 8000, arena + 7488, (float *const[]){NULL, arena + 16624}, (const float *const[]){arena + 17728, arena + 17200}, (const float *const[]){NULL, arena + 16656}, (const float *const[]){NULL, arena + 16672});
    // d.node_ops.2.merger.1.mean
    tiny_affine_scalar_backward_c4(grads + 604, arena + 17712, arena + 16624, params + 584, params + 588, params + 604);
    // d.cell2.projection0  [4, 2, 2]
    tiny_pull_x1_c4_n4(arena + 7488, NULL, NULL, (const float *const[]){arena + 8000}, (const float *const[]){NULL}, call->count);
    // cell0.node0.op2.bn.pooled.again  [2, 2, 2]
    tiny_affine_sum_x1_c2_n4(arena + 16944, (const float *const[]){arena + 16688}, (const float *const[]){arena + 6400}, (const float *const[]){arena + 6416}, (const float *const[]){NULL});
    // d.node_ops.2.merger.0.weight
    tiny_conv_weights_backward_c2_h2_w2_k4_r1_s1(grads + 592, arena + 16944, arena + 7488);
    // d.node_ops.2.merger.0.bias
    tiny_channel_sum_c4_n4(grads + 600, arena + 7488);
    // cell2.projection0.packed_backward
    tiny_pack_weights_backward_k4_c2_r1_s1(arena + 16640, params + 592);
    // d.cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_conv_c4_h2_w2_k2_r1_s1(arena + 16944, arena + 7488, arena + 16640, NULL);
    // d.cell1.node0.op2.bn.pooled.raw.whole  [4, 4, 4]
    tiny_adaptive_pool_backward_c4_h4_w4_oh2_ow2(arena + 34928, arena + 8000);
    // d.cell0.node0.op2.bn.pooled.q
    tiny_affine_sum_reduce_x1_c2_n4(arena + 16640, arena + 16944, (float *const[]){arena + 17200}, (const float *const[]){arena + 16688}, (const float *const[]){arena + 6432}, (const float *const[]){arena + 6448});
    // d.cell0.node0.op2.bn.pooled.raw.whole  [2, 8, 8]
    tiny_adaptive_pool_backward_c2_h8_w8_oh2_ow2(arena + 36976, arena + 16944);
}

// cell 1, backward
static void tiny_gradient_cell_1_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell1.node0.op2.conv3x3.coefficients
    tiny_batchnorm_coefficients_x1_c4_n16(arena + 17216, grads + 584, grads + 588, arena + 16656, arena + 16672, params + 584, (const float *const[]){arena + 17712}, (const float *const[]){arena + 16624}, (const float *const[]){params + 604}, call->count);
    // d.cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_pull_x1_c4_n16(arena + 34928, arena + 32880, arena + 17216, (const float *const[]){arena + 34928}, (const float *const[]){params + 604}, call->count);
    // cell1.node0.op2.sum.relu.again  [4, 4, 4]
    tiny_affine_sum_x2_c4_n16_relu(arena + 32880, (const float *const[]){arena + 14448, arena + 30832}, (const float *const[]){arena + 16496, arena + 16560}, (const float *const[]){arena + 16512, arena + 16576}, (const float *const[]){params + 434, params + 435});
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(grads + 436, arena + 32880, arena + 34928);
    // cell1.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c4_r3_s3(arena + 16656, params + 436);
    // d.cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 7488, arena + 34928, arena + 16656, NULL);
    // d.cell1.node0.op2.sum.relu.before  [4, 4, 4]
    tiny_affine_sum_backward_x2_c4_n16(arena + 7488, arena + 16624, arena + 7488, arena + 32880, (float *const[]){arena + 16560, arena + 16576}, (const float *const[]){arena + 14448, arena + 30832}, (const float *const[]){arena + 16528, arena + 16592}, (const float *const[]){arena + 16544, arena + 16608});
    // d.node_ops.1.node_ops.0.node_ops.2.merger.0.mean
    tiny_affine_scalar_backward_c4(grads + 434, arena + 16624, arena + 16560, params + 270, params + 274, params + 434);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.1.mean
    tiny_affine_scalar_backward_c4(grads + 435, arena + 16624, arena + 16576, params + 426, params + 430, params + 435);
    // d.cell1.node0.op1.conv3x3.coefficients
    tiny_batchnorm_coefficients_x1_c4_n16(arena + 16656, grads + 426, grads + 430, arena + 16592, arena + 16608, params + 426, (const float *const[]){arena + 16624}, (const float *const[]){arena + 16576}, (const float *const[]){params + 435}, call->count);
    // d.cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_pull_x1_c4_n16(arena + 32880, arena + 30832, arena + 16656, (const float *const[]){arena + 7488}, (const float *const[]){params + 435}, call->count);
    // cell1.node0.op0.bn.relu.again  [4, 4, 4]
    tiny_affine_sum_x1_c4_n16_relu(arena + 30832, (const float *const[]){arena + 14448}, (const float *const[]){arena + 16496}, (const float *const[]){arena + 16512}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(grads + 278, arena + 30832, arena + 32880);
    // cell1.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c4_r3_s3(arena + 16656, params + 278);
    // d.cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 34928, arena + 32880, arena + 16656, NULL);
    // d.cell1.node0.op0.bn.relu.before  [4, 4, 4]
    tiny_affine_sum_backward_x1_c4_n16(arena + 34928, arena + 16496, arena + 34928, arena + 30832, (float *const[]){arena + 16512}, (const float *const[]){arena + 14448}, (const float *const[]){arena + 16528}, (const float *const[]){arena + 16544});
    // d.cell1.node0.op0.conv3x3.coefficients
    tiny_batchnorm_coefficients_x2_c4_n16(arena + 16576, grads + 270, grads + 274, arena + 16528, arena + 16544, params + 270, (const float *const[]){arena + 16496, arena + 16624}, (const float *const[]){arena + 16512, arena + 16560}, (const float *const[]){NULL, params + 434}, call->count);
    // d.cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_pull_x2_c4_n16(arena + 34928, arena + 14448, arena + 16576, (const float *const[]){arena + 34928, arena + 7488}, (const float *const[]){NULL, params + 434}, call->count);
    // cell0.node0.op2.bn.pooled.relu.again  [2, 4, 4]
    tiny_affine_sum_x1_c2_n16_relu(arena + 17216, (const float *const[]){arena + 6464}, (const float *const[]){arena + 6400}, (const float *const[]){arena + 6416}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c2_h4_w4_k4_r3_s3(grads + 194, arena + 17216, arena + 34928);
    // cell1.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c2_r3_s3(arena + 18240, params + 194);
    // d.cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_conv_c4_h4_w4_k2_r3_s3(arena + 14448, arena + 34928, arena + 18240, NULL);
    // d.cell0.node0.op2.bn.pooled.relu.before  [2, 4, 4]
    tiny_affine_sum_backward_x1_c2_n16(arena + 14448, arena + 6400, arena + 14448, arena + 17216, (float *const[]){arena + 6416}, (const float *const[]){arena + 6464}, (const float *const[]){arena + 6432}, (const float *const[]){arena + 6448});
    // d.cell0.node0.op2.bn.pooled.raw.whole  [2, 8, 8]
    tiny_adaptive_pool_backward_c2_h8_w8_oh4_ow4(arena + 30832, arena + 14448);
}

// cell 0, backward
static void tiny_gradient_cell_0_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell0.node0.op2.conv3x3.coefficients
    tiny_batchnorm_coefficients_x2_c2_n64(arena + 16656, grads + 190, grads + 192, arena + 6432, arena + 6448, params + 190, (const float *const[]){arena + 6400, arena + 16640}, (const float *const[]){arena + 6416, arena + 17200}, (const float *const[]){NULL, NULL}, call->count);
    // d.cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_pull_x2_c2_n64(arena + 30832, arena + 26736, arena + 16656, (const float *const[]){arena + 30832, arena + 36976}, (const float *const[]){NULL, NULL}, call->count);
    // cell0.node0.op2.sum.relu.again  [2, 8, 8]
    tiny_affine_sum_x2_c2_n64_relu(arena + 14448, (const float *const[]){arena + 18544, arena + 22640}, (const float *const[]){arena + 6272, arena + 6336}, (const float *const[]){arena + 6288, arena + 6352}, (const float *const[]){params + 150, params + 151});
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 152, arena + 14448, arena + 30832);
    // cell0.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 6400, params + 152);
    // d.cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 26736, arena + 30832, arena + 6400, NULL);
    // d.cell0.node0.op2.sum.relu.before  [2, 8, 8]
    tiny_affine_sum_backward_x2_c2_n64(arena + 26736, arena + 6336, arena + 26736, arena + 14448, (float *const[]){arena + 6352, arena + 6400}, (const float *const[]){arena + 18544, arena + 22640}, (const float *const[]){arena + 6304, arena + 6368}, (const float *const[]){arena + 6320, arena + 6384});
    // d.node_ops.0.node_ops.0.node_ops.2.merger.0.mean
    tiny_affine_scalar_backward_c2(grads + 150, arena + 6336, arena + 6352, params + 104, params + 106, params + 150);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.1.mean
    tiny_affine_scalar_backward_c2(grads + 151, arena + 6336, arena + 6400, params + 146, params + 148, params + 151);
    // d.cell0.node0.op1.conv3x3.coefficients
    tiny_batchnorm_coefficients_x1_c2_n64(arena + 6416, grads + 146, grads + 148, arena + 6368, arena + 6384, params + 146, (const float *const[]){arena + 6336}, (const float *const[]){arena + 6400}, (const float *const[]){params + 151}, call->count);
    // d.cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_pull_x1_c2_n64(arena + 14448, arena + 22640, arena + 6416, (const float *const[]){arena + 26736}, (const float *const[]){params + 151}, call->count);
    // cell0.node0.op0.bn.relu.again  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 22640, (const float *const[]){arena + 18544}, (const float *const[]){arena + 6272}, (const float *const[]){arena + 6288}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 108, arena + 22640, arena + 14448);
    // cell0.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 6368, params + 108);
    // d.cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 30832, arena + 14448, arena + 6368, NULL);
    // d.cell0.node0.op0.bn.relu.before  [2, 8, 8]
    tiny_affine_sum_backward_x1_c2_n64(arena + 30832, arena + 6272, arena + 30832, arena + 22640, (float *const[]){arena + 6288}, (const float *const[]){arena + 18544}, (const float *const[]){arena + 6304}, (const float *const[]){arena + 6320});
    // d.cell0.node0.op0.conv3x3.coefficients
    tiny_batchnorm_coefficients_x2_c2_n64(arena + 6368, grads + 104, grads + 106, arena + 6304, arena + 6320, params + 104, (const float *const[]){arena + 6272, arena + 6336}, (const float *const[]){arena + 6288, arena + 6352}, (const float *const[]){NULL, params + 150}, call->count);
    // d.cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_pull_x2_c2_n64(arena + 30832, arena + 18544, arena + 6368, (const float *const[]){arena + 30832, arena + 26736}, (const float *const[]){NULL, params + 150}, call->count);
    // stem.bn1.relu.again  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 14448, (const float *const[]){arena + 10352}, (const float *const[]){arena + 6208}, (const float *const[]){arena + 6224}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 66, arena + 14448, arena + 30832);
    // cell0.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 6272, params + 66);
    // d.stem.bn1.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 18544, arena + 30832, arena + 6272, NULL);
    // d.stem.bn1.relu.before  [2, 8, 8]
    tiny_affine_sum_backward_x1_c2_n64(arena + 18544, arena + 6208, arena + 18544, arena + 14448, (float *const[]){arena + 6224}, (const float *const[]){arena + 10352}, (const float *const[]){arena + 6240}, (const float *const[]){arena + 6256});
}

// stem, backward
static void tiny_gradient_stem_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.stem.conv1.coefficients
    tiny_batchnorm_coefficients_x1_c2_n64(arena + 6272, grads + 62, grads + 64, arena + 6240, arena + 6256, params + 62, (const float *const[]){arena + 6208}, (const float *const[]){arena + 6224}, (const float *const[]){NULL}, call->count);
    // d.stem.conv1  [2, 8, 8]
    tiny_pull_x1_c2_n64(arena + 18544, arena + 10352, arena + 6272, (const float *const[]){arena + 18544}, (const float *const[]){NULL}, call->count);
    // stem.bn0.relu.again  [2, 8, 8]
    tiny_affine_sum_x1_c2_n64_relu(arena + 6208, (const float *const[]){arena + 2080}, (const float *const[]){arena + 2048}, (const float *const[]){arena + 2064}, (const float *const[]){NULL});
    // d.first_conv.3.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 24, arena + 6208, arena + 18544);
    // stem.conv1.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 10304, params + 24);
    // d.stem.bn0.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 10352, arena + 18544, arena + 10304, NULL);
    // d.stem.bn0.relu.before  [2, 8, 8]
    tiny_affine_sum_backward_x1_c2_n64(arena + 10352, arena + 2048, arena + 10352, arena + 6208, (float *const[]){arena + 2064}, (const float *const[]){arena + 2080}, (const float *const[]){arena + 6176}, (const float *const[]){arena + 6192});
    // d.stem.conv0.coefficients
    tiny_batchnorm_coefficients_x1_c2_n64(arena + 6208, grads + 20, grads + 22, arena + 6176, arena + 6192, params + 20, (const float *const[]){arena + 2048}, (const float *const[]){arena + 2064}, (const float *const[]){NULL}, call->count);
    // d.stem.conv0  [2, 8, 8]
    tiny_pull_x1_c2_n64(arena + 10352, arena + 2080, arena + 6208, (const float *const[]){arena + 10352}, (const float *const[]){NULL}, call->count);
    // d.first_conv.0.weight
    tiny_conv_weights_backward_c1_h8_w8_k2_r3_s3(grads + 0, arena + 0, arena + 10352);
}

// biases in front of a batch normalisation, backward
static void tiny_gradient_zero_biases_backward(const tiny_call *call)
{
    float *const grads = call->grads;

    // d.conv_out.1.bias
    tiny_zero_x1_n1280((float *const[]){grads + 12359});
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_x3_n8((float *const[]){grads + 2095, grads + 1493, grads + 893});
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_x3_n4((float *const[]){grads + 580, grads + 422, grads + 266});
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_x5_n2((float *const[]){grads + 188, grads + 144, grads + 102, grads + 60, grads + 18});
}

static void tiny_program_gradient(const tiny_call *call)
{
    tiny_gradient_stem(call);
    tiny_gradient_cell_0(call);
    tiny_gradient_cell_1(call);
    tiny_gradient_cell_2(call);
    tiny_gradient_head(call);
    tiny_gradient_head_backward(call);
    tiny_gradient_cell_2_backward(call);
    tiny_gradient_cell_1_backward(call);
    tiny_gradient_cell_0_backward(call);
    tiny_gradient_stem_backward(call);
    tiny_gradient_zero_biases_backward(call);
}

// update
static void tiny_update_update(const tiny_call *call)
{
    float *const params = call->params;
    float *const grads = call->grads;
    float *const state = call->state;

    // params
    tiny_sgd_n20042(params + 0, state + 2652, grads + 0, call->learning_rate, call->momentum, call->weight_decay);
}

static void tiny_program_update(const tiny_call *call)
{
    tiny_update_update(call);
}

// face_pixels.c - raw pixels to what the network reads: (pixel / 255 - mean) / deviation, per
// channel.

// One image; hwc tells that the channels of a pixel lie together.
static void tiny_normalise(const uint8_t *pixels, float *image, int hwc)
{
    for (int c = 0; c < TINY_CHANNELS; c++)
        for (int i = 0; i < TINY_HEIGHT * TINY_WIDTH; i++) {
            const uint8_t pixel =
                hwc ? pixels[i * TINY_CHANNELS + c] : pixels[c * TINY_HEIGHT * TINY_WIDTH + i];
            image[c * TINY_HEIGHT * TINY_WIDTH + i] =
                ((float)pixel * (1.0f / 255.0f) - tiny_mean[c]) / tiny_deviation[c];
        }
}

static _Alignas(64) float tiny_arena[TINY_ARENA_BYTES / 4];

// face_train.c - how a program calls a trainable file.

static unsigned long long tiny_seed, tiny_step;

// Fills tiny_params and tiny_state from a seed; the momentum is zero, running means 0 and variances 1.
void tiny_init(uint64_t seed)
{
    memset(tiny_state, 0, sizeof tiny_state);
    memset(tiny_grads, 0, sizeof tiny_grads);
    for (int i = 0; i < TINY_PARAM_TENSORS; i++)
        tiny_init_tensor(tiny_params + tiny_param_table[i].offset, &tiny_param_table[i], seed);
    for (int i = 0; i < TINY_STATE_TENSORS; i++)
        tiny_init_tensor(tiny_state + tiny_state_table[i].offset, &tiny_state_table[i], seed);
    tiny_seed = seed;
    tiny_step = 0;
}

// One step of SGD on the first `count` <= TINY_BATCH images: forward in training mode, backward,
// update.  Returns the mean loss.  labels: 0 .. TINY_CLASSES - 1.  The gradients stay in tiny_grads.
float tiny_train_step(const float *images, const int32_t *labels, int count, float learning_rate)
{
    float loss = 0.0f;
    const tiny_call call = {.arena = tiny_arena,
                          .params = tiny_params,
                          .grads = tiny_grads,
                          .state = tiny_state,
                          .images = images,
                          .labels = (const int *)labels,
                          .loss = &loss,
                          .count = count,
                          .learning_rate = learning_rate,
                          .momentum = TINY_MOMENTUM,
                          .weight_decay = TINY_WEIGHT_DECAY,
                          .label_smoothing = TINY_LABEL_SMOOTHING,
                          .seed = tiny_seed,
                          .step = tiny_step++,
                          .dropout = TINY_DROPOUT};
    tiny_program_gradient(&call);
    tiny_program_update(&call);
    return loss;
}

// images: [TINY_BATCH][TINY_CHANNELS][TINY_HEIGHT][TINY_WIDTH], normalised; logits: [TINY_BATCH][TINY_CLASSES];
// running statistics. arena: TINY_ARENA_BYTES, aligned to 64 bytes.
void tiny_infer_in(void *arena, const float *images, float *logits)
{
    const tiny_call call = {.arena = (float *)arena,
                          .params = tiny_params,
                          .state = tiny_state,
                          .images = images,
                          .logits = logits,
                          .count = TINY_BATCH};
    tiny_program_infer(&call);
}

void tiny_infer(const float *images, float *logits)
{
    tiny_infer_in(tiny_arena, images, logits);
}

void tiny_infer_u8(const uint8_t *images, float *logits)
{
    static float normalised[TINY_BATCH * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH];
    for (int n = 0; n < TINY_BATCH; n++)
        tiny_normalise(images + (size_t)n * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH,
                     normalised + (size_t)n * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH,
                     TINY_PIXELS_ARE_HWC);
    tiny_infer(normalised, logits);
}

#ifdef TINY_MAIN
// main_read.c - records from a file: one label byte, then TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH pixel
// bytes, channel by channel (CIFAR-10's own format).
#include <stdio.h>
#include <stdlib.h>

// Reads up to TINY_BATCH records, normalised; returns how many.  A piece of a record at the end is an
// error.
static int tiny_read_batch(FILE *file, float *images, int32_t *labels)
{
    static uint8_t record[1 + TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH];
    for (int n = 0; n < TINY_BATCH; n++) {
        const size_t got = fread(record, 1, sizeof record, file);
        if (got == 0)
            return n;
        if (got != sizeof record || record[0] >= TINY_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n",
                    (unsigned long)got, (unsigned long)sizeof record, record[0], TINY_CLASSES);
            exit(2);
        }
        labels[n] = record[0];
        tiny_normalise(record + 1, images + (size_t)n * (sizeof record - 1), 0);
    }
    return TINY_BATCH;
}

// Prints the logits of every record and, at the end, how many were classified right.
static void tiny_evaluate(FILE *file)
{
    static float images[TINY_BATCH * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH],
        logits[TINY_BATCH * TINY_CLASSES];
    static int32_t labels[TINY_BATCH];
    long right = 0, all = 0;
    for (int count; (count = tiny_read_batch(file, images, labels)) > 0; all += count) {
        tiny_infer(images, logits);
        for (int n = 0; n < count; n++) {
            const float *row = logits + n * TINY_CLASSES;
            int best = 0;
            for (int k = 0; k < TINY_CLASSES; k++) {
                printf("%s%.6g", k ? " " : "", (double)row[k]);
                best = row[k] > row[best] ? k : best;
            }
            printf("\n");
            right += best == labels[n];
        }
    }
    printf("accuracy %.2f %% (%ld of %ld)\n", all ? 100.0 * (double)right / (double)all : 0.0,
           right, all);
}

// main_train.c - the program that -D TINY_MAIN adds to a trainable file:
//   ./net [TRAIN.bin [EPOCHS [LEARNING_RATE]]] < TEST.bin
// trains on the records of TRAIN.bin in their order, then prints the logits of TEST.bin's and the
// accuracy.
int main(int argc, char **argv)
{
    static float images[TINY_BATCH * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH];
    static int32_t labels[TINY_BATCH];
    const int epochs = argc > 2 ? atoi(argv[2]) : 1;
    const float learning_rate = argc > 3 ? (float)atof(argv[3]) : 0.05f;
    tiny_init(TINY_SEED);
    for (int epoch = 0; argc > 1 && epoch < epochs; epoch++) {
        FILE *file = fopen(argv[1], "rb");
        double loss = 0.0;
        long steps = 0;
        if (!file) {
            fprintf(stderr, "error: cannot open %s\n", argv[1]);
            return 2;
        }
        for (int count; (count = tiny_read_batch(file, images, labels)) > 0; steps++)
            loss += (double)tiny_train_step(images, labels, count, learning_rate);
        fclose(file);
        fprintf(stderr, "epoch %d: mean loss %.4f\n", epoch + 1,
                steps ? loss / (double)steps : 0.0);
    }
    tiny_evaluate(stdin);
    return 0;
}
#endif
