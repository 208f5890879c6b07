// An HNAG network as standalone C11, to be trained: 3 x 16 x 16 images to 4 classes.
//
//     made by   nagoc sample.theta.json
//     compiler  nagoc 0.1.0
//
// 3 cells, 6 nodes, 18 ops (18 conv3x3), sum merges, cells at 2x16x16 (1), 4x8x8 (1), 8x4x4 (1), 4176
// op weights
// 23759 trained numbers, 0.35 million multiply-adds an image.
//
// Memory: arena 3826112 bytes, parameters, gradients and momentum 95036 bytes each, statistics 10944 bytes.
//
// Compile: cc -O3 -march=native -c FILE.c, link with -lm; -D NET_MAIN makes a program that classifies records
// (one label byte, then the pixels channel by channel) from stdin.
//
// This file belongs to whoever generated it: no restriction, no attribution needed, no warranty.

#ifndef NET_MOMENTUM
#define NET_MOMENTUM 0.9f
#endif
#ifndef NET_WEIGHT_DECAY
#define NET_WEIGHT_DECAY 1e-4f
#endif
#ifndef NET_LABEL_SMOOTHING
#define NET_LABEL_SMOOTHING 0.0f
#endif
#ifndef NET_DROPOUT
#define NET_DROPOUT 0.2f
#endif
#ifndef NET_SEED
#define NET_SEED 0
#endif

#define NET_LANES 32
#if defined(__GNUC__) && !defined(__clang__) && !defined(__TINYC__)
#pragma GCC optimize("fp-contract=fast", "no-math-errno", "no-trapping-math")
#endif
// prelude.h - what the kernels stand on: vectors, masks, work shares.
//
// NET_LANES is the innermost extent of every activation: 32 images of a group in training
// ([groups][C][H][W][32]), 1 in inference files that work on one image ([C][H][W]).  NET_VECTOR is
// the number of floats of the machine's vector; 1 means plain C (tcc, or a compiler without vector
// extensions).
#ifndef NET_PRELUDE_H
#define NET_PRELUDE_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef NET_LANES
#define NET_LANES 32
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
#define NET_INLINE static inline __attribute__((always_inline, unused))
#define NET_OUTLINE static __attribute__((noinline, unused))
#if defined(__AVX512F__)
#define NET_VECTOR 16
#elif defined(__AVX__)
#define NET_VECTOR 8
#else
#define NET_VECTOR 4
#endif
typedef float net_vector __attribute__((vector_size(4 * NET_VECTOR), aligned(4), may_alias));
_Static_assert(sizeof(net_vector) == 4 * NET_VECTOR, "the compiler ignores vector_size");
#else
#define NET_INLINE static inline
#define NET_OUTLINE static
#define NET_VECTOR 1
typedef float net_vector;
#endif

NET_INLINE net_vector net_load(const float *p)
{
    return *(const net_vector *)p;
}

NET_INLINE void net_store(float *p, net_vector v)
{
    *(net_vector *)p = v;
}

NET_INLINE net_vector net_zero_vector(void)
{
    net_vector zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

// The sum of a vector's lanes, in pairs: the same order on every run.
NET_INLINE float net_sum_vector(net_vector v)
{
    float lane[NET_VECTOR];
    memcpy(lane, &v, sizeof lane);
    for (int width = NET_VECTOR / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

// Asks for the line of memory at p, to be read or written soon.
NET_INLINE void net_prefetch(const float *p)
{
#if NET_VECTOR > 1
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

// Floats from one channel to the next: `size` pixels.
NET_INLINE size_t net_plane(int size)
{
    return (size_t)size * NET_LANES;
}

// The lanes of a pixel as whole vectors; one number in files that work on one image.
#if NET_LANES == 1
#define NET_STEP 1
typedef float net_lane;
#else
#define NET_STEP NET_VECTOR
typedef net_vector net_lane;
#endif
#define NET_VECTORS (NET_LANES / NET_STEP)

NET_INLINE net_lane net_load_lane(const float *p)
{
    return *(const net_lane *)p;
}

NET_INLINE void net_store_lane(float *p, net_lane v)
{
    *(net_lane *)p = v;
}

NET_INLINE net_lane net_zero_lane(void)
{
    net_lane zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

NET_INLINE float net_sum_lane(net_lane v)
{
#if NET_LANES == 1
    return v;
#else
    return net_sum_vector(v);
#endif
}

// Where part `part` of `parts` begins in `count` items: threads split outputs, never a sum.
NET_INLINE int net_share(int count, int part, int parts)
{
    return (int)((int64_t)count * part / parts);
}

NET_INLINE int net_min(int a, int b)
{
    return a < b ? a : b;
}

NET_INLINE int net_max(int a, int b)
{
    return a > b ? a : b;
}

// A 64-bit mixer (Stafford's variant 13 of the MurmurHash3 finaliser): random bits from a counter.
NET_INLINE uint64_t net_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

NET_INLINE float net_sigmoid(float a)
{
    return 1.0f / (1.0f + expf(-a));
}

#endif

#if defined(__clang__)
#define NET_NOINLINE __attribute__((noinline))
#elif defined(__GNUC__) && !defined(__TINYC__)
#define NET_NOINLINE __attribute__((noinline, noclone))
#else
#define NET_NOINLINE
#endif

enum {
    NET_CHANNELS = 3,
    NET_HEIGHT = 16,
    NET_WIDTH = 16,
    NET_CLASSES = 4,
    NET_BATCH = 32,
    NET_ARENA_BYTES = 3826112,
    NET_PARAM_COUNT = 23759,
    NET_STATE_COUNT = 26495,
    NET_PIXELS_ARE_HWC = 0
};

// Images are [NET_BATCH][NET_CHANNELS][NET_HEIGHT][NET_WIDTH], normalised; logits are [NET_BATCH][NET_CLASSES].
void net_infer(const float *images, float *logits);
// Raw pixels (channel by channel); the data set's mean and deviation are applied.
void net_infer_u8(const uint8_t *images, float *logits);
// The same as net_infer with the caller's arena of NET_ARENA_BYTES, aligned to 64 bytes: reentrant.
void net_infer_in(void *arena, const float *images, float *logits);
void net_init(uint64_t seed);
float net_train_step(const float *images, const int32_t *labels, int count, float learning_rate);
extern float net_params[NET_PARAM_COUNT], net_grads[NET_PARAM_COUNT], net_state[NET_STATE_COUNT];
extern const char *const net_class_names[NET_CLASSES];
const char *const net_class_names[NET_CLASSES] = {
    "0", "1", "2", "3",
};
static const float net_mean[NET_CHANNELS] = {0.0f, 0.0f, 0.0f};
static const float net_deviation[NET_CHANNELS] = {1.0f, 1.0f, 1.0f};

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
} net_call;

// ---- pack.c - from a caller's arrays to the layouts that kernels read, and back.

// y[group][c][h][w][lane] = images[32 group + lane][c][h][w]; lanes beyond count are zero.
NET_INLINE void net_pack_images(float *y, const float *images, int channels, int height, int width,
                              int groups, int count, int part, int parts)
{
    const int pixels = height * width, size = channels * pixels;
    for (int g = 0; g < groups; g++) {
        for (int i = net_share(size, part, parts); i < net_share(size, part + 1, parts); i++)
            for (int l = 0; l < NET_LANES; l++) {
                const int n = g * NET_LANES + l;
                const size_t at = ((size_t)g * channels + i / pixels) * net_plane(pixels);
                y[at + (size_t)(i % pixels) * NET_LANES + l] =
                    n < count ? images[(size_t)n * size + i] : 0.0f;
            }
    }
}

// p[c][r][s][k] = w[k][c][r][s]: a kernel reads the filters of one tap next to each other.
NET_INLINE void net_pack_weights(float *p, const float *w, int filters, int channels, int kernel_h,
                               int kernel_w, int part, int parts)
{
    const int taps = channels * kernel_h * kernel_w;
    for (int t = net_share(taps, part, parts); t < net_share(taps, part + 1, parts); t++)
        for (int k = 0; k < filters; k++)
            p[(size_t)t * filters + k] = w[(size_t)k * taps + t];
}

// p[k][r][s][c] = w[k][c][kernel_h-1-r][kernel_w-1-s]: the same convolution kernel then computes
// the gradient of its input, with filters and channels exchanged.
NET_INLINE void net_pack_weights_backward(float *p, const float *w, int filters, int channels,
                                        int kernel_h, int kernel_w, int part, int parts)
{
    const int taps = kernel_h * kernel_w;
    for (int k = net_share(filters, part, parts); k < net_share(filters, part + 1, parts); k++)
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                p[((size_t)k * taps + t) * channels + c] =
                    w[((size_t)k * channels + c) * taps + (taps - 1 - t)];
}

// logits[n][k] = x[group][k][lane] for the count images of the call; logits may be NULL (training
// asks for none).
NET_INLINE void net_unpack_logits(float *logits, const float *x, int classes, int count, int part,
                                int parts)
{
    if (!logits)
        return;
    for (int n = net_share(count, part, parts); n < net_share(count, part + 1, parts); n++)
        for (int k = 0; k < classes; k++)
            logits[(size_t)n * classes + k] =
                x[((size_t)(n / NET_LANES) * classes + k) * NET_LANES + n % NET_LANES];
}

// ---- conv.c - convolution, stride 1, zero padding kernel/2, batch innermost:
//
//   y[k][h][w][lane] (+)= b[k] + sum over c, r, s of p[c][r][s][k] *
//   x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Images lie in the vector lanes, so every channel count, kernel size and border fills the vectors.
// A tile of `tile` filters x two vectors stays in registers while all taps are summed; weights are
// broadcast scalars. The gradient of the input is the same convolution of dy with
// net_pack_weights_backward's weights.

// Filters of a tile: two vectors each, plus two of x, in 32 (AVX-512, NEON) or 16 registers.
#if NET_VECTOR == 16 || defined(__aarch64__)
#define NET_CONV_TILE 14
#else
#define NET_CONV_TILE 6
#endif
#define NET_CONV_STEP (2 * NET_VECTOR)

// Filters k0..k0+tile of pixels (h, w0..w1), `tile` constant where this is expanded.
NET_INLINE void net_conv_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int height, int width, int filters, int kernel_h, int kernel_w,
                            int accumulate, int k0, const int tile, int h)
{
    const size_t plane = net_plane(height * width);
    const int r0 = net_max(0, kernel_h / 2 - h), r1 = net_min(kernel_h, height + kernel_h / 2 - h);
    for (int w = 0; w < width; w++) {
        const int s0 = net_max(0, kernel_w / 2 - w), s1 = net_min(kernel_w, width + kernel_w / 2 - w);
        for (int l = 0; l < NET_LANES; l += NET_CONV_STEP) {
            net_vector sum[NET_CONV_TILE][2];
            float *out = y + k0 * plane + ((size_t)h * width + w) * NET_LANES + l;
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = net_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += net_load(out + k * plane);
                    sum[k][1] += net_load(out + k * plane + NET_VECTOR);
                }
            }
            for (int c = 0; c < channels; c++)
                for (int r = r0; r < r1; r++) {
                    const float *row =
                        x + c * plane +
                        ((int64_t)(h + r - kernel_h / 2) * width + w - kernel_w / 2) * NET_LANES + l;
                    const float *weight =
                        p + ((size_t)(c * kernel_h + r) * kernel_w) * filters + k0;
                    for (int s = s0; s < s1; s++) {
                        const net_vector x0 = net_load(row + s * NET_LANES),
                                        x1 = net_load(row + s * NET_LANES + NET_VECTOR);
#pragma GCC unroll 16
                        for (int k = 0; k < tile; k++) {
                            sum[k][0] += weight[s * filters + k] * x0;
                            sum[k][1] += weight[s * filters + k] * x1;
                        }
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                net_store(out + k * plane, sum[k][0]);
                net_store(out + k * plane + NET_VECTOR, sum[k][1]);
            }
        }
    }
}

// Near-equal tiles: 19 filters are 10 + 9, not 14 + 5.  The first `wide` tiles have one filter
// more.
typedef struct {
    int tiles, wide, tile;
} net_conv_split;

NET_INLINE net_conv_split net_split_filters(int filters)
{
    net_conv_split split;
    split.tiles = (filters + NET_CONV_TILE - 1) / NET_CONV_TILE;
    split.tile = (filters + split.tiles - 1) / split.tiles;
    split.wide = filters - split.tiles * (split.tile - 1);
    return split;
}

// A convolution whose taps lie in one line (1x1, 1x3, 3x1) reads few values of every channel for a
// pixel, far apart from each other.  A few pixels of a line are therefore copied together first,
// and all tiles of filters read the copy in the first cache; many channels go through in blocks.
enum {
    NET_LINE_FLOATS = 8192,
    NET_LINE_CHANNELS = 128, // of a block
    NET_LINE_PIXELS = 8,     // of the result
    NET_LINE_TAPS = 5
};

// Filters k0..k0+tile of `count` pixels, `pitch` floats apart in y, from x[channels][count + taps -
// 1][lanes].
NET_INLINE void net_line_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int taps, size_t plane, size_t pitch, int filters, int accumulate,
                            int k0, const int tile, int count)
{
    const size_t step = (size_t)(count + taps - 1) * NET_LANES;
    for (int i = 0; i < count; i++)
        for (int l = 0; l < NET_LANES; l += NET_CONV_STEP) {
            float *out = y + k0 * plane + i * pitch + l;
            net_vector sum[NET_CONV_TILE][2];
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = net_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += net_load(out + k * plane);
                    sum[k][1] += net_load(out + k * plane + NET_VECTOR);
                }
            }
            const float *in = x + (size_t)i * NET_LANES + l, *weight = p + k0;
            for (int c = 0; c < channels; c++, in += step)
                for (int t = 0; t < taps; t++, weight += filters) {
                    const net_vector x0 = net_load(in + t * NET_LANES),
                                    x1 = net_load(in + t * NET_LANES + NET_VECTOR);
#pragma GCC unroll 16
                    for (int k = 0; k < tile; k++) {
                        sum[k][0] += weight[k] * x0;
                        sum[k][1] += weight[k] * x1;
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                net_store(out + k * plane, sum[k][0]);
                net_store(out + k * plane + NET_VECTOR, sum[k][1]);
            }
        }
}

#ifndef NET_CONV_DISPATCH
NET_INLINE void net_line_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int taps, size_t plane, size_t pitch, int filters, int accumulate,
                           int k0, int tile, int count)
{
    const net_conv_split split = net_split_filters(filters);
    if (tile == split.tile)
        net_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0, split.tile,
                     count);
    else
        net_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0,
                     split.tile - 1, count);
}

// One row of one tile.  The tile is a constant where the shape is: both sizes are expanded in
// place.
NET_INLINE void net_conv_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int height, int width, int filters, int kernel_h, int kernel_w,
                           int accumulate, int k0, int tile, int h)
{
    const net_conv_split split = net_split_filters(filters);
    if (tile == split.tile)
        net_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile, h);
    else
        net_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile - 1, h);
}
#endif

// Pixels first..first+count of a line of `length`, `pitch` floats apart, and taps / 2 more on
// either side, zero beyond the line's ends -> copy[channels][count + taps - 1][lanes].
NET_INLINE void net_copy_line(float *copy, const float *line, int channels, size_t plane,
                            size_t pitch, int length, int taps, int first, int count)
{
    const int all = count + taps - 1;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < all; i++, copy += NET_LANES) {
            const int at = first + i - taps / 2, inside = at >= 0 && at < length;
            const float *in = line + c * plane + at * (ptrdiff_t)pitch;
            for (int l = 0; l < NET_LANES; l += NET_VECTOR)
                net_store(copy + l, inside ? net_load(in + l) : net_zero_vector());
        }
}

// Pixels from..to of one line, which begins at x and y, all filters.
NET_INLINE void net_conv_line(float *y, const float *x, const float *p, const float *b, int channels,
                            size_t plane, size_t pitch, int length, int filters, int taps,
                            int accumulate, int from, int to)
{
    const net_conv_split split = net_split_filters(filters);
    const int most = net_min(channels, NET_LINE_CHANNELS),
              block = net_min(NET_LINE_PIXELS, NET_LINE_FLOATS / (most * NET_LANES) - (taps - 1));
    float copy[NET_LINE_FLOATS + NET_LANES * NET_LINE_CHANNELS * NET_LINE_TAPS];
    for (int first = from; first < to; first += net_max(1, block)) {
        const int count = net_min(net_max(1, block), to - first);
        for (int c = 0; c < channels; c += most) {
            const int some = net_min(most, channels - c);
            net_copy_line(copy, x + c * plane, some, plane, pitch, length, taps, first, count);
            for (int t = 0; t < split.tiles; t++) {
                const int narrow = t >= split.wide;
                net_line_row(y + first * pitch, copy, p + (size_t)c * taps * filters, c ? NULL : b,
                            some, taps, plane, pitch, filters, accumulate || c,
                            t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                            count);
            }
        }
    }
}

// Lines are rows, or columns where the kernel is upright; a 1x1 kernel sees one line.
NET_INLINE void net_conv_lines(float *y, const float *x, const float *p, const float *b, int channels,
                             int height, int width, int filters, int kernel_h, int kernel_w,
                             int accumulate, int groups, int part, int parts)
{
    const int size = height * width, taps = kernel_h * kernel_w,
              length = taps == 1      ? size
                       : kernel_h > 1 ? height
                                      : width;
    const size_t plane = net_plane(size), pitch = net_plane(kernel_h > 1 ? width : 1),
                 next = net_plane(kernel_h > 1 ? 1 : width);
    const int last = net_share(size, part + 1, parts);
    for (int g = 0; g < groups; g++)
        for (int i = net_share(size, part, parts), to; i < last; i = to) {
            const int line = i / length, from = i % length;
            to = net_min(last, (line + 1) * length);
            net_conv_line(y + g * filters * plane + line * next,
                         x + g * channels * plane + line * next, p, b, channels, plane, pitch,
                         length, filters, taps, accumulate, from, from + to - i);
        }
}

NET_INLINE void net_conv(float *y, const float *x, const float *p, const float *b, int channels,
                       int height, int width, int filters, int kernel_h, int kernel_w,
                       int accumulate, int groups, int part, int parts)
{
    const net_conv_split split = net_split_filters(filters);
    const size_t plane = net_plane(height * width);
    const int rows = split.tiles * height;
    if ((kernel_h == 1 || kernel_w == 1) && kernel_h * kernel_w <= NET_LINE_TAPS) {
        net_conv_lines(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                      groups, part, parts);
        return;
    }
    for (int g = 0; g < groups; g++)
        for (int i = net_share(rows, part, parts); i < net_share(rows, part + 1, parts); i++) {
            const int t = i / height, narrow = t >= split.wide;
            net_conv_row(y + g * filters * plane, x + g * channels * plane, p, b, channels, height,
                        width, filters, kernel_h, kernel_w, accumulate,
                        t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                        i % height);
        }
}

// ---- batchnorm.c - batch normalisation over the count images of a call (Ioffe & Szegedy 2015;
// PyTorch's constants: eps 1e-5, momentum 0.1, running variance unbiased).  size: pixels of a
// channel.

#define NET_BN_EPSILON 1e-5f
#define NET_BN_MOMENTUM 0.1f

// The sum of a channel's count * size values f(y), lanes beyond count left out.  centre: the mean
// to take squares around.
NET_INLINE double net_bn_sum(const float *y, int channels, int size, int groups, int count, int c,
                           float centre, int squares)
{
    double sum = 0.0;
    for (int g = 0; g < groups; g++) {
        float lane[NET_LANES] = {0};
        const float *in = y + ((size_t)g * channels + c) * net_plane(size);
        for (int i = 0; i < size; i++)
            for (int l = 0; l < NET_LANES; l++) {
                const float d = in[(size_t)i * NET_LANES + l] - centre;
                lane[l] += squares ? d * d : d;
            }
        for (int l = 0; l < net_min(NET_LANES, count - g * NET_LANES); l++)
            sum += lane[l];
    }
    return sum;
}

// z = gamma (y - mean) rstd + beta of one channel, with ReLU on request.
NET_INLINE void net_bn_apply(float *z, const float *y, int channels, int size, int groups, int c,
                           float scale, float shift, int relu)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = ((size_t)g * channels + c) * net_plane(size);
        for (int i = 0; i < size * NET_LANES; i++) {
            const float value = scale * y[at + i] + shift;
            z[at + i] = relu && value < 0.0f ? 0.0f : value; // NaN stays NaN
        }
    }
}

// Training: statistics of the batch, which also move the running ones.
NET_INLINE void net_batchnorm(float *z, float *mean, float *rstd, float *running_mean,
                            float *running_var, const float *y, const float *gamma,
                            const float *beta, int channels, int size, int relu, int groups,
                            int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float m = (float)(net_bn_sum(y, channels, size, groups, count, c, 0.0f, 0) / n);
        const double rest = net_bn_sum(y, channels, size, groups, count, c, m, 0) / n;
        const double var = net_bn_sum(y, channels, size, groups, count, c, m, 1) / n - rest * rest;
        mean[c] = m;
        rstd[c] = (float)(1.0 / sqrt(var + NET_BN_EPSILON));
        running_mean[c] += NET_BN_MOMENTUM * (m - running_mean[c]);
        running_var[c] +=
            NET_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
        const float scale = gamma[c] * rstd[c];
        net_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * m, relu);
    }
}

// Evaluation: running statistics.
NET_INLINE void net_batchnorm_infer(float *z, const float *y, const float *gamma, const float *beta,
                                  const float *running_mean, const float *running_var, int channels,
                                  int size, int relu, int groups, int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float scale = gamma[c] / sqrtf(running_var[c] + NET_BN_EPSILON);
        net_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * running_mean[c],
                    relu);
    }
}

// dbeta = sum dz, dgamma = sum dz xhat, dy = gamma rstd (dz - dbeta/n - xhat dgamma/n), xhat = (y -
// mean) rstd; with relu, dz counts only where the result z is positive.  dy is zero in the lanes
// beyond count.
NET_INLINE void net_batchnorm_backward(float *dy, float *dgamma, float *dbeta, const float *dz,
                                     const float *z, const float *y, const float *mean,
                                     const float *rstd, const float *gamma, int channels, int size,
                                     int relu, int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float m = mean[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * net_plane(size);
            float lane[NET_LANES] = {0}, lane_product[NET_LANES] = {0};
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NET_LANES; l++) {
                    const size_t j = at + (size_t)i * NET_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    lane[l] += d;
                    lane_product[l] += d * (y[j] - m);
                }
            for (int l = 0; l < NET_LANES; l++) {
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
            const size_t at = ((size_t)g * channels + c) * net_plane(size);
            float mask[NET_LANES];
            for (int l = 0; l < NET_LANES; l++)
                mask[l] = g * NET_LANES + l < count ? 1.0f : 0.0f;
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NET_LANES; l++) {
                    const size_t j = at + (size_t)i * NET_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    dy[j] = mask[l] * (scale * d - a - b * (y[j] - m));
                }
        }
    }
}

// ---- the same as one multiply-add that readers apply (affine.c) ---------------------------------

// Training: scale and shift of z = scale y + shift from the batch's statistics, in one pass over y
// around a pivot near the mean.
NET_INLINE void net_batchnorm_stats(float *scale, float *shift, float *mean, float *rstd,
                                  float *running_mean, float *running_var, const float *y,
                                  const float *gamma, const float *beta, int channels, int size,
                                  int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float pivot = y[c * net_plane(size)];
        double sum = 0.0, squares = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * net_plane(size);
            net_vector s[NET_LANES / NET_VECTOR], q[NET_LANES / NET_VECTOR];
            float lane[NET_LANES], lane_squares[NET_LANES];
#pragma GCC unroll 8
            for (int v = 0; v < NET_LANES / NET_VECTOR; v++)
                s[v] = q[v] = net_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NET_LANES / NET_VECTOR; v++) {
                    const net_vector d = net_load(in + (size_t)i * NET_LANES + v * NET_VECTOR) - pivot;
                    s[v] += d;
                    q[v] += d * d;
                }
            memcpy(lane, s, sizeof lane);
            memcpy(lane_squares, q, sizeof lane_squares);
            for (int l = 0; l < net_min(NET_LANES, count - g * NET_LANES); l++) {
                sum += lane[l];
                squares += lane_squares[l];
            }
        }
        const double offset = sum / n, raw = squares / n - offset * offset,
                     var = raw > 0.0 ? raw : 0.0;
        mean[c] = (float)(pivot + offset);
        rstd[c] = (float)(1.0 / sqrt(var + NET_BN_EPSILON));
        scale[c] = gamma[c] * rstd[c];
        shift[c] = beta[c] - scale[c] * mean[c];
        running_mean[c] += NET_BN_MOMENTUM * (mean[c] - running_mean[c]);
        running_var[c] +=
            NET_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
    }
}

// Evaluation: scale and shift from the running statistics.
NET_INLINE void net_batchnorm_running(float *scale, float *shift, const float *gamma,
                                    const float *beta, const float *running_mean,
                                    const float *running_var, int channels, int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        scale[c] = gamma[c] / sqrtf(running_var[c] + NET_BN_EPSILON);
        shift[c] = beta[c] - scale[c] * running_mean[c];
    }
}

// The gradient from the sums that the readers of z left, with dz = sum_j w_j g_j, w_j =
// sigmoid(*as[j]) or `weight`:
//   dbeta = sum_j w_j qs_j, dgamma = sum_j w_j ps_j, and coefficients[3][channels] of dy = c0 dz +
//   c1 y + c2 (net_pull).
NET_INLINE void net_batchnorm_coefficients(float *coefficients, float *dgamma, float *dbeta,
                                         const float *mean, const float *rstd, const float *gamma,
                                         const float *const *qs, const float *const *ps,
                                         const float *const *as, int inputs, int channels,
                                         float weight, int size, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        double q = 0.0, p = 0.0;
        for (int j = 0; j < inputs; j++) {
            const double w = as[j] ? net_sigmoid(*as[j]) : weight;
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
NET_INLINE void net_affine_terms(float *out, const float *const *ys, const float *w, float shift,
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

NET_INLINE void net_affine_some(float *out, const float *const *ys, const float *w, float shift,
                              int terms, int floats, int add, int relu)
{
    if (terms == 1)
        net_affine_terms(out, ys, w, shift, 1, floats, add, relu);
    else if (terms == 2)
        net_affine_terms(out, ys, w, shift, 2, floats, add, relu);
    else if (terms == 3)
        net_affine_terms(out, ys, w, shift, 3, floats, add, relu);
    else
        net_affine_terms(out, ys, w, shift, 4, floats, add, relu);
}

NET_INLINE void net_affine_sum(float *x, const float *const *ys, const float *const *ss,
                             const float *const *ts, const float *const *as, int inputs,
                             int channels, float scale, int size, int relu, int groups, int part,
                             int parts)
{
    const int floats = size * NET_LANES;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * net_plane(size);
            float shift = 0.0f;
            for (int j = 0; j < inputs; j++)
                shift += ts[j] ? (as[j] ? net_sigmoid(*as[j]) : scale) * ts[j][c] : 0.0f;
            for (int first = 0; first < inputs; first += 4) {
                const int terms = net_min(4, inputs - first), last = first + terms == inputs;
                const float *y[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    y[j] = ys[n] + at;
                    w[j] = (as[n] ? net_sigmoid(*as[n]) : scale) * (ss[n] ? ss[n][c] : 1.0f);
                }
                if (last && relu)
                    net_affine_some(x + at, y, w, shift, terms, floats, first > 0, 1);
                else
                    net_affine_some(x + at, y, w, shift, terms, floats, first > 0, 0);
            }
        }
}

// Lanes of d where x is positive.
NET_INLINE net_vector net_where_positive(net_vector x, net_vector d)
{
#if NET_VECTOR > 1
    typedef int net_mask __attribute__((vector_size(4 * NET_VECTOR), aligned(4), may_alias));
    return (net_vector)((net_mask)d & (net_mask)(x > 0.0f));
#else
    return x > 0.0f ? d : 0.0f;
#endif
}

// One channel and up to three terms: g = dx where x > 0 (mask), sums of g and of g (r y + m) in
// double.
NET_INLINE void net_affine_sums(float *g, double *q, double *p, const float *dx, const float *x,
                              const float *const *ys, const float *r, const float *m,
                              const int terms, int size, int mask)
{
    net_vector sum[NET_VECTORS], product[3][NET_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < NET_VECTORS; v++) {
        sum[v] = net_zero_vector();
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            product[j][v] = net_zero_vector();
    }
    for (int i = 0; i < size; i++)
#pragma GCC unroll 8
        for (int v = 0; v < NET_VECTORS; v++) {
            const size_t at = (size_t)i * NET_LANES + v * NET_VECTOR;
            net_vector d = net_load(dx + at);
            if (mask) {
                d = net_where_positive(net_load(x + at), d);
                net_store(g + at, d);
            }
            sum[v] += d;
#pragma GCC unroll 3
            for (int j = 0; j < terms; j++)
                product[j][v] += d * (r[j] * net_load(ys[j] + at) + m[j]);
        }
#pragma GCC unroll 8
    for (int v = 0; v < NET_VECTORS; v++) {
        *q += (double)net_sum_vector(sum[v]);
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            p[j] += (double)net_sum_vector(product[j][v]);
    }
}

// Up to three terms, the number constant where it is expanded.
NET_INLINE void net_affine_sums_of(float *g, double *q, double *p, const float *dx, const float *x,
                                 const float *const *ys, const float *r, const float *m, int terms,
                                 int size, int mask)
{
    if (terms == 0)
        net_affine_sums(g, q, p, dx, x, ys, r, m, 0, size, mask);
    else if (terms == 1)
        net_affine_sums(g, q, p, dx, x, ys, r, m, 1, size, mask);
    else if (terms == 2)
        net_affine_sums(g, q, p, dx, x, ys, r, m, 2, size, mask);
    else
        net_affine_sums(g, q, p, dx, x, ys, r, m, 3, size, mask);
}

// q[c] = sum g, ps[j][c] = sum g xhat_j, where xhat_j = (y_j - mean_j) rstd_j (NULL: y_j itself);
// ps[j] is NULL where nobody asks. With a mask g = dx where x is positive and is written; else g is
// dx.
NET_INLINE void net_affine_channel(float *g, float *q, const float *dx, const float *x,
                                 float *const *ps, const float *const *ys,
                                 const float *const *means, const float *const *rstds, int inputs,
                                 int channels, int size, int groups, int c, const int mask)
{
    for (int first = 0; first == 0 || first < inputs; first += 3) {
        const int terms = net_min(3, inputs - first), now = mask && first == 0;
        float r[3] = {0}, m[3] = {0};
        double sum = 0.0, product[3] = {0};
        for (int j = 0; j < terms; j++) {
            r[j] = rstds[first + j] ? rstds[first + j][c] : 1.0f;
            m[j] = rstds[first + j] ? -means[first + j][c] * r[j] : 0.0f;
        }
        for (int n = 0; n < groups; n++) {
            const size_t at = ((size_t)n * channels + c) * net_plane(size);
            const float *y[3] = {0};
            for (int j = 0; j < terms; j++)
                y[j] = ys[first + j] + at;
            if (now)
                net_affine_sums_of(g + at, &sum, product, dx + at, x + at, y, r, m, terms, size, 1);
            else
                net_affine_sums_of(NULL, &sum, product, mask ? g + at : dx + at, NULL, y, r, m,
                                  terms, size, 0);
        }
        q[c] = (float)sum;
        for (int j = 0; j < terms; j++)
            if (ps[first + j])
                ps[first + j][c] = (float)product[j];
    }
}

// dx is the gradient of x = relu(sum): g may take its place.
NET_INLINE void net_affine_sum_backward(float *g, float *q, const float *dx, const float *x,
                                      float *const *ps, const float *const *ys,
                                      const float *const *means, const float *const *rstds,
                                      int inputs, int channels, int size, int groups, int part,
                                      int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        net_affine_channel(g, q, dx, x, ps, ys, means, rstds, inputs, channels, size, groups, c, 1);
}

// The same without a ReLU: g is dx.
NET_INLINE void net_affine_sum_reduce(float *q, const float *dx, float *const *ps,
                                    const float *const *ys, const float *const *means,
                                    const float *const *rstds, int inputs, int channels, int size,
                                    int groups, int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        net_affine_channel(NULL, q, dx, NULL, ps, ys, means, rstds, inputs, channels, size, groups,
                          c, 0);
}

// The gradient of a merge's scalar: da = sigmoid'(a) sum_c (gamma[c] p[c] + beta[c] q[c]); without
// a normalisation p alone.
NET_INLINE void net_affine_scalar_backward(float *da, const float *q, const float *p,
                                         const float *gamma, const float *beta, const float *a,
                                         int channels, int part, int parts)
{
    if (part != parts - 1)
        return;
    const float s = net_sigmoid(*a);
    double sum = 0.0;
    for (int c = 0; c < channels; c++)
        sum += gamma ? (double)gamma[c] * p[c] + (double)beta[c] * q[c] : (double)p[c];
    *da = (float)(sum * s * (1.0f - s));
}

// dy (+)= c0[c] sum_j w_j g_j + c1[c] y + c2[c] in the lanes of the count images, 0 beyond
// (coefficients[3][channels], from net_batchnorm_coefficients); without coefficients sum_j w_j g_j.
// dy may take the place of gs[0].
NET_INLINE void net_pull(float *dy, const float *y, const float *coefficients, const float *const *gs,
                       const float *const *as, int inputs, int channels, float scale, int size,
                       int accumulate, int groups, int count, int part, int parts)
{
    const int floats = size * NET_LANES, all = inputs + (coefficients ? 1 : 0);
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * net_plane(size);
            const float factor = coefficients ? coefficients[c] : 1.0f,
                        shift = coefficients ? coefficients[2 * channels + c] : 0.0f;
            for (int first = 0; first < all; first += 4) {
                const int terms = net_min(4, all - first);
                const float *term[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    term[j] = (n < inputs ? gs[n] : y) + at;
                    w[j] = n < inputs ? factor * (as[n] ? net_sigmoid(*as[n]) : scale)
                                      : coefficients[channels + c];
                }
                net_affine_some(dy + at, term, w, shift, terms, floats, first > 0 || accumulate, 0);
            }
            if (coefficients && (g + 1) * NET_LANES > count)
                for (int i = 0; i < size; i++)
                    for (int l = net_max(0, count - g * NET_LANES); l < NET_LANES; l++)
                        dy[at + (size_t)i * NET_LANES + l] = 0.0f;
        }
}

// ---- global average pooling of a normalised, rectified map, which is never stored ---------------

// p[c][lane] = mean over pixels of relu(s[c] y + t[c]).
NET_INLINE void net_affine_pool(float *p, const float *y, const float *s, const float *t,
                              int channels, int size, int groups, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * net_plane(size);
            float *out = p + ((size_t)g * channels + c) * NET_LANES;
            net_vector sum[NET_VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < NET_VECTORS; v++)
                sum[v] = net_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NET_VECTORS; v++) {
                    const net_vector z =
                        s[c] * net_load(in + (size_t)i * NET_LANES + v * NET_VECTOR) + t[c];
                    sum[v] += net_where_positive(z, z);
                }
#pragma GCC unroll 8
            for (int v = 0; v < NET_VECTORS; v++)
                net_store(out + v * NET_VECTOR, share * sum[v]);
        }
}

// From dp: q[c] = sum g, sums[c] = sum g xhat, with g = dp / size where relu passed.
NET_INLINE void net_affine_pool_reduce(float *q, float *sums, const float *dp, const float *y,
                                     const float *s, const float *t, const float *mean,
                                     const float *rstd, int channels, int size, int groups,
                                     int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float shift = -mean[c] * rstd[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * net_plane(size),
                        *d = dp + ((size_t)g * channels + c) * NET_LANES;
            net_vector one[NET_VECTORS],
                xhat[NET_VECTORS]; // how often relu passed, and what xhat it let through
#pragma GCC unroll 8
            for (int v = 0; v < NET_VECTORS; v++)
                one[v] = xhat[v] = net_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NET_VECTORS; v++) {
                    const net_vector value = net_load(in + (size_t)i * NET_LANES + v * NET_VECTOR),
                                    z = s[c] * value + t[c];
                    one[v] += net_where_positive(z, net_zero_vector() + 1.0f);
                    xhat[v] += net_where_positive(z, rstd[c] * value + shift);
                }
#pragma GCC unroll 8
            for (int v = 0; v < NET_VECTORS; v++) {
                const net_vector gradient = share * net_load(d + v * NET_VECTOR);
                sum += (double)net_sum_vector(gradient * one[v]);
                product += (double)net_sum_vector(gradient * xhat[v]);
            }
        }
        q[c] = (float)sum;
        sums[c] = (float)product;
    }
}

// dy = c0 g + c1 y + c2 with the same g, 0 in the lanes beyond count.  dy may take the place of y.
NET_INLINE void net_affine_pool_pull(float *dy, const float *y, const float *dp, const float *s,
                                   const float *t, const float *coefficients, int channels,
                                   int size, int groups, int count, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * net_plane(size);
            const float *d = dp + ((size_t)g * channels + c) * NET_LANES;
            float lane[NET_LANES];
            net_vector mask[NET_VECTORS], gradient[NET_VECTORS];
            for (int l = 0; l < NET_LANES; l++)
                lane[l] = g * NET_LANES + l < count ? 1.0f : 0.0f;
#pragma GCC unroll 8
            for (int v = 0; v < NET_VECTORS; v++) {
                mask[v] = net_load(lane + v * NET_VECTOR);
                gradient[v] = share * coefficients[c] * net_load(d + v * NET_VECTOR);
            }
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NET_VECTORS; v++) {
                    const size_t j = at + (size_t)i * NET_LANES + v * NET_VECTOR;
                    const net_vector value = net_load(y + j), z = s[c] * value + t[c];
                    net_store(dy + j, mask[v] * (net_where_positive(z, gradient[v]) +
                                                coefficients[channels + c] * value +
                                                coefficients[2 * channels + c]));
                }
        }
}

// ---- pool.c - adaptive average pooling (PyTorch's adaptive_avg_pool2d) and average pooling with
// stride 1.

// y[c][i][j] = mean of x over rows floor(i H / h) .. ceil((i+1) H / h) - 1, columns alike.  1 x 1:
// global pooling.
NET_INLINE void net_adaptive_pool(float *y, const float *x, int channels, int height, int width,
                                int out_height, int out_width, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height,
                              h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width,
                              w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = x + ((size_t)g * channels + c) * net_plane(height * width);
                    float *out = y + ((size_t)g * channels + c) * net_plane(out_height * out_width) +
                                 ((size_t)i * out_width + j) * NET_LANES;
                    float sum[NET_LANES] = {0};
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < NET_LANES; l++)
                                sum[l] += in[((size_t)h * width + w) * NET_LANES + l];
                    for (int l = 0; l < NET_LANES; l++)
                        out[l] = share * sum[l];
                }
}

// Each input takes its share of every output whose window it lies in.
NET_INLINE void net_adaptive_pool_backward(float *dx, const float *dy, int channels, int height,
                                         int width, int out_height, int out_width, int accumulate,
                                         int groups, int part, int parts)
{
    const size_t plane = net_plane(height * width);
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts);
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
                        dy + ((size_t)g * channels + c) * net_plane(out_height * out_width) +
                        ((size_t)i * out_width + j) * NET_LANES;
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < NET_LANES; l++)
                                out[((size_t)h * width + w) * NET_LANES + l] += share * in[l];
                }
        }
}

// y[c][h][w] (+)= 1/kernel^2 * sum of the kernel x kernel window around it; padding counts in the
// divisor.  It is its own gradient: windows are symmetric and every divisor is the same.
NET_INLINE void net_average_pool(float *y, const float *x, int channels, int height, int width,
                               int kernel, int accumulate, int groups, int part, int parts)
{
    const int half = kernel / 2;
    const float share = 1.0f / (float)(kernel * kernel);
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts);
             c++) {
            const float *in = x + ((size_t)g * channels + c) * net_plane(height * width);
            float *out = y + ((size_t)g * channels + c) * net_plane(height * width);
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++) {
                    float sum[NET_LANES] = {0};
                    for (int r = net_max(0, h - half); r < net_min(height, h + half + 1); r++)
                        for (int s = net_max(0, w - half); s < net_min(width, w + half + 1); s++)
                            for (int l = 0; l < NET_LANES; l++)
                                sum[l] += in[((size_t)r * width + s) * NET_LANES + l];
                    float *o = out + ((size_t)h * width + w) * NET_LANES;
                    for (int l = 0; l < NET_LANES; l++)
                        o[l] = accumulate ? o[l] + share * sum[l] : share * sum[l];
                }
        }
}

// ---- dropout.c - inverted dropout of the head's features: a feature is zeroed with probability
// `dropout`, else divided by 1 - dropout.  The mask is a hash of (seed, step, image, channel), so
// the backward pass draws the same one again.

NET_INLINE void net_dropout(float *y, const float *x, int channels, int groups,
                          unsigned long long seed, unsigned long long step, float dropout, int part,
                          int parts)
{
    const float keep = 1.0f / (1.0f - dropout);
    const uint64_t key = net_mix(seed + 0x9e3779b97f4a7c15u * (step + 1)),
                   bar = (uint64_t)(dropout * 16777216.0f);
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
            for (int l = 0; l < NET_LANES; l++) {
                const size_t at = ((size_t)g * channels + c) * NET_LANES + l;
                const uint64_t draw =
                    net_mix(key ^ ((uint64_t)(g * NET_LANES + l) << 32 | (uint32_t)c)) >> 40;
                y[at] = draw < bar ? 0.0f : keep * x[at];
            }
}

// ---- loss.c - mean cross entropy of softmax with label smoothing e (PyTorch's CrossEntropyLoss):
//
//   q_k = (1 - e) [k = label] + e / classes,  loss = mean over images of -sum_k q_k log
//   softmax(logits)_k, dlogits = (softmax - q) / count; zero in the lanes beyond count.

NET_INLINE void net_loss(float *dlogits, float *loss, const float *logits, const int *labels,
                       int classes, int count, float label_smoothing, int part, int parts)
{
    if (part != parts - 1)
        return;
    double total = 0.0;
    const int groups = (count + NET_LANES - 1) / NET_LANES;
    for (int n = 0; n < groups * NET_LANES; n++) {
        const size_t at = (size_t)(n / NET_LANES) * classes * NET_LANES + n % NET_LANES;
        float top = logits[at];
        double sum = 0.0;
        if (n >= count) {
            for (int k = 0; k < classes; k++)
                dlogits[at + (size_t)k * NET_LANES] = 0.0f;
            continue;
        }
        for (int k = 1; k < classes; k++)
            top = logits[at + (size_t)k * NET_LANES] > top ? logits[at + (size_t)k * NET_LANES] : top;
        for (int k = 0; k < classes; k++)
            sum += exp((double)logits[at + (size_t)k * NET_LANES] - top);
        for (int k = 0; k < classes; k++) {
            const double z = (double)logits[at + (size_t)k * NET_LANES] - top;
            const double q =
                (k == labels[n] ? 1.0 - label_smoothing : 0.0) + (double)label_smoothing / classes;
            total += q * (log(sum) - z);
            dlogits[at + (size_t)k * NET_LANES] = (float)((exp(z) / sum - q) / count);
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

#if NET_VECTOR > 1 && !defined(__clang__)
typedef int net_lanes __attribute__((vector_size(4 * NET_VECTOR)));
#define NET_LOW(l, s) ((l) & (s) ? NET_VECTOR + (l) - (s) : (l))
#define NET_HIGH(l, s) ((l) & (s) ? NET_VECTOR + (l) : (l) + (s))
#if NET_VECTOR == 16
#define NET_PICK(M, s)                                                                             \
    {                                                                                             \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s), M(8, s), M(9, s), \
            M(10, s), M(11, s), M(12, s), M(13, s), M(14, s), M(15, s)                            \
    }
#elif NET_VECTOR == 8
#define NET_PICK(M, s)                                                          \
    {                                                                          \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s) \
    }
#else
#define NET_PICK(M, s)                      \
    {                                      \
        M(0, s), M(1, s), M(2, s), M(3, s) \
    }
#endif
// Exchanges the blocks of s x s beside the diagonal.
#define NET_EXCHANGE(a, s)                                                             \
    for (int i = 0; i < NET_VECTOR; i++)                                               \
        if (!(i & (s))) {                                                             \
            const net_vector low = a[i], high = a[i + (s)];                            \
            a[i] = __builtin_shuffle(low, high, (net_lanes)NET_PICK(NET_LOW, s));        \
            a[i + (s)] = __builtin_shuffle(low, high, (net_lanes)NET_PICK(NET_HIGH, s)); \
        }
#endif

// a[i] lane j <-> a[j] lane i.
NET_INLINE void net_transpose(net_vector a[NET_VECTOR])
{
#if NET_VECTOR > 1 && !defined(__clang__)
#pragma GCC unroll 16
    NET_EXCHANGE(a, 1)
#pragma GCC unroll 16
    NET_EXCHANGE(a, 2)
#if NET_VECTOR > 4
#pragma GCC unroll 16
    NET_EXCHANGE(a, 4)
#endif
#if NET_VECTOR > 8
#pragma GCC unroll 16
    NET_EXCHANGE(a, 8)
#endif
#else
    float from[NET_VECTOR][NET_VECTOR], to[NET_VECTOR][NET_VECTOR];
    memcpy(from, a, sizeof from);
    for (int i = 0; i < NET_VECTOR; i++)
        for (int j = 0; j < NET_VECTOR; j++)
            to[i][j] = from[j][i];
    memcpy(a, to, sizeof to);
#endif
}

// A strip of filters is two vectors; sums of a tile are columns x vectors, in 32 or 16 registers. A
// column is a channel's tap.
#define NET_TURN_STRIP (2 * NET_VECTOR)
#if NET_VECTOR == 16 || defined(__aarch64__)
#define NET_TURN_TILE 14
#else
#define NET_TURN_TILE 6
#endif
enum { NET_TURN_PIXELS = 8, NET_TURN_COLUMNS = 256 }; // that go through together

// Where a pixel's value for a column lies.
typedef struct net_column {
    ptrdiff_t at; // floats from the pixel's own place in channel 0
    int r, s;     // rows and columns from the pixel
} net_column;

NET_INLINE net_column net_find_column(int column, int height, int width, int kernel_h, int kernel_w)
{
    const int taps = kernel_h * kernel_w, c = column / taps, r = column % taps / kernel_w,
              s = column % kernel_w;
    net_column found = {0, r - kernel_h / 2, s - kernel_w / 2};
    found.at = (c * (ptrdiff_t)height * width + found.r * (ptrdiff_t)width + found.s) * NET_LANES;
    return found;
}

// sums[columns][filter vectors] += over pixels first..first+count: the columns of x, d turned.
NET_INLINE void net_turned_tile(float *sums, const float *x, const float *d, const net_column *columns,
                              int height, int width, int first, int count, const int tile,
                              const int vectors)
{
    net_vector sum[NET_TURN_TILE][2];
#pragma GCC unroll 16
    for (int j = 0; j < tile; j++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            sum[j][v] = net_load(sums + (j * vectors + v) * NET_VECTOR);
    for (int i = first, h = first / width, w = first % width; i < first + count; i++, w++) {
        if (w == width) {
            w = 0;
            h++;
        }
        for (int unit = 0; unit < NET_LANES; unit += NET_VECTOR) {
            float value[NET_TURN_TILE][NET_VECTOR];
            const float *in = x + (size_t)i * NET_LANES + unit;
#pragma GCC unroll 16
            for (int j = 0; j < tile; j++) {
                const int inside = (unsigned)(h + columns[j].r) < (unsigned)height &&
                                   (unsigned)(w + columns[j].s) < (unsigned)width;
                net_store(value[j], inside ? net_load(in + columns[j].at) : net_zero_vector());
            }
            for (int l = 0; l < NET_VECTOR; l++, d += vectors * NET_VECTOR) {
                net_vector y[2];
#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++)
                    y[v] = net_load(d + v * NET_VECTOR);
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
            net_store(sums + (j * vectors + v) * NET_VECTOR, sum[j][v]);
}

// `own` columns: in near-equal tiles where each size has its function, else in whole ones and some
// of 4 and 1, whose sizes are constants.
#ifndef NET_CONV_DISPATCH
NET_INLINE void net_turned_columns(float *sums, const float *x, const float *d,
                                 const net_column *columns, int height, int width, int first,
                                 int count, int own, const int vectors)
{
    int j = 0;
    for (; j + NET_TURN_TILE <= own; j += NET_TURN_TILE)
        net_turned_tile(sums + j * vectors * NET_VECTOR, x, d, columns + j, height, width, first,
                       count, NET_TURN_TILE, vectors);
    for (; j + 4 <= own; j += 4)
        net_turned_tile(sums + j * vectors * NET_VECTOR, x, d, columns + j, height, width, first,
                       count, 4, vectors);
    for (; j < own; j++)
        net_turned_tile(sums + j * vectors * NET_VECTOR, x, d, columns + j, height, width, first,
                       count, 1, vectors);
}
#else
NET_INLINE void net_turned_columns(float *sums, const float *x, const float *d,
                                 const net_column *columns, int height, int width, int first,
                                 int count, int own, int vectors)
{
    for (int j = 0, pieces = (own + NET_TURN_TILE - 1) / NET_TURN_TILE; pieces > 0; pieces--) {
        const int tile = (own - j + pieces - 1) / pieces;
        net_turned_block(sums + j * vectors * NET_VECTOR, x, d, columns + j, height, width, first,
                        count, tile, vectors);
        j += tile;
    }
}
#endif

// Pixels first..first+count of `filters` filters from dy on, zero from there to the strip's end ->
// d[pixel][lane][vectors of filters].
NET_INLINE void net_turn(float *d, const float *dy, size_t plane, int first, int count, int filters,
                       int vectors)
{
    for (int i = first; i < first + count; i++)
        for (int unit = 0; unit < NET_LANES; unit += NET_VECTOR) {
            for (int v = 0; v < vectors; v++) {
                const float *at = dy + v * NET_VECTOR * plane + (size_t)i * NET_LANES + unit;
                const int whole = filters - v * NET_VECTOR >= NET_VECTOR;
                net_vector a[NET_VECTOR];
                if (whole) {
#pragma GCC unroll 16
                    for (int k = 0; k < NET_VECTOR; k++)
                        a[k] = net_load(at + k * plane);
                } else {
                    for (int k = 0; k < NET_VECTOR; k++)
                        a[k] = v * NET_VECTOR + k < filters ? net_load(at + k * plane)
                                                           : net_zero_vector();
                }
                net_transpose(a);
#pragma GCC unroll 16
                for (int l = 0; l < NET_VECTOR; l++)
                    net_store(d + (l * vectors + v) * NET_VECTOR, a[l]);
            }
            d += vectors * NET_VECTOR * NET_VECTOR;
        }
}

// Columns c0..c0+own of one strip, filters k0.. of it.
NET_INLINE void net_turned_strip(float *dw, const float *x, const float *dy, int channels, int height,
                               int width, int filters, int kernel_h, int kernel_w, int groups,
                               int k0, int c0, int own)
{
    const int size = height * width, kept = net_min(NET_TURN_STRIP, filters - k0),
              vectors = kept > NET_VECTOR ? 2 : 1, all = channels * kernel_h * kernel_w;
    const size_t plane = net_plane(size);
    float sums[NET_TURN_COLUMNS * NET_TURN_STRIP], d[NET_TURN_PIXELS * NET_LANES * NET_TURN_STRIP];
    net_column columns[NET_TURN_COLUMNS];
    for (int j = 0; j < own; j++)
        columns[j] = net_find_column(c0 + j, height, width, kernel_h, kernel_w);
    memset(sums, 0, (size_t)own * vectors * NET_VECTOR * sizeof *sums);
    for (int g = 0; g < groups; g++)
        for (int first = 0; first < size; first += NET_TURN_PIXELS) {
            const int count = net_min(NET_TURN_PIXELS, size - first);
            net_turn(d, dy + ((size_t)g * filters + k0) * plane, plane, first, count, kept, vectors);
            const float *in = x + (size_t)g * channels * plane;
            if (vectors == 2)
                net_turned_columns(sums, in, d, columns, height, width, first, count, own, 2);
            else
                net_turned_columns(sums, in, d, columns, height, width, first, count, own, 1);
        }
    for (int k = 0; k < kept; k++)
        for (int j = 0; j < own; j++)
            dw[(size_t)(k0 + k) * all + c0 + j] = sums[j * vectors * NET_VECTOR + k];
}

// Threads share out strips and blocks of columns; every sum runs over all pixels in their order.
NET_INLINE void net_turned_weights(float *dw, const float *x, const float *dy, int channels,
                                 int height, int width, int filters, int kernel_h, int kernel_w,
                                 int groups, int part, int parts)
{
    const int all = channels * kernel_h * kernel_w,
              strips = (filters + NET_TURN_STRIP - 1) / NET_TURN_STRIP,
              blocks = net_max((all + NET_TURN_COLUMNS - 1) / NET_TURN_COLUMNS,
                              net_min(all, (parts + strips - 1) / strips)),
              items = strips * blocks;
    for (int i = net_share(items, part, parts); i < net_share(items, part + 1, parts); i++) {
        const int block = i % blocks, c0 = net_share(all, block, blocks);
        net_turned_strip(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                        i / blocks * NET_TURN_STRIP, c0, net_share(all, block + 1, blocks) - c0);
    }
}

// ---- few filters --------------------------------------------------------------------------------

// Registers: filters x columns sums, the columns of x, one of dy.
#if NET_VECTOR == 16 || defined(__aarch64__)
#define NET_DW_CHANNELS 6
#define NET_DW_FILTERS(columns) ((columns) == 6 ? 4 : (columns) == 5 ? 5 : 7)
#else
#define NET_DW_CHANNELS 3
#define NET_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define NET_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? NET_DW_CHANNELS : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
NET_INLINE void net_dw_pixel(net_vector sum[7][6], const float *x, const float *dy, size_t plane,
                           const int filters, const int columns, const int step, const int kernel_w,
                           int w, int width, const int edge)
{
    for (int l = 0; l < NET_LANES; l += NET_VECTOR) {
        net_vector column[6];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside =
                edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
            column[j] = outside ? net_zero_vector() : net_load(x + (ptrdiff_t)j * step + l);
        }
#pragma GCC unroll 8
        for (int k = 0; k < filters; k++) {
            const net_vector d = net_load(dy + k * plane + l);
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                sum[k][j] += d * column[j];
        }
    }
}

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all
// pixels of all groups.
NET_INLINE void net_dw_tile(float *dw, const float *x, const float *dy, int channels, int height,
                          int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                          const int tile, int c0, const int columns, int r)
{
    const size_t plane = net_plane(height * width);
    const int step = kernel_w == 1 ? (int)plane : NET_LANES;
    const int h0 = net_max(0, kernel_h / 2 - r), h1 = net_min(height, height + kernel_h / 2 - r);
    net_vector sum[7][6];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = net_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row =
                x + (g * channels + c0) * plane +
                ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * NET_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * NET_LANES;
            const int left = net_min(kernel_w / 2, width),
                      right = net_max(left, width - kernel_w / 2);
            for (int i = 0; i < left + width - right; i++) {
                const int w = i < left ? i : right + i - left;
                net_dw_pixel(sum, row + w * NET_LANES, drow + w * NET_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 1);
            }
            for (int w = left; w < right; w++)
                net_dw_pixel(sum, row + w * NET_LANES, drow + w * NET_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 0);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] =
                net_sum_vector(sum[k][j]);
        }
}

#ifndef NET_CONV_DISPATCH
// Whole tiles, and those of the last few filters or channels where there are any: sizes are
// constants where the shape is.
NET_INLINE void net_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                           int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                           int tile, int c0, int columns, int r)
{
    const int all = NET_DW_COLUMNS(kernel_w), most = NET_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = kernel_w == 1 ? channels % all : 0;
    if (filters >= most && channels >= (kernel_w == 1 ? all : 1) && tile == most && columns == all)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, all, r);
    else if (last_tile && channels >= (kernel_w == 1 ? all : 1) && columns == all)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, all, r);
    else if (last_columns && filters >= most && tile == most)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, last_columns, r);
    else if (last_tile && last_columns)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, last_columns, r);
}
#endif

NET_INLINE void net_conv_weights_backward(float *dw, const float *x, const float *dy, int channels,
                                        int height, int width, int filters, int kernel_h,
                                        int kernel_w, int groups, int part, int parts)
{
    // A vector of turned filters is filled up with zeros: worth it where most of it is used.
    if (2 * filters > (filters + NET_VECTOR - 1) / NET_VECTOR * NET_VECTOR) {
        net_turned_weights(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                          part, parts);
        return;
    }
    const int columns = NET_DW_COLUMNS(kernel_w), tile = NET_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile,
              blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = net_share(items, part, parts); i < net_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step,
                  r = i % kernel_h;
        net_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                    net_min(tile, filters - k0), c0,
                    kernel_w == 1 ? net_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
NET_INLINE void net_channel_sum(float *db, const float *dy, int channels, int size, int groups,
                              int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        float lane[NET_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NET_LANES; l++)
                    lane[l] +=
                        dy[((size_t)g * channels + c) * net_plane(size) + (size_t)i * NET_LANES + l];
        for (int l = 0; l < NET_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// Gradients that are zero in exact arithmetic: the biases of convolutions whose results are
// batch-normalised.
NET_INLINE void net_zero(float *const *gs, int inputs, int size, int part, int parts)
{
    for (int j = net_share(inputs, part, parts); j < net_share(inputs, part + 1, parts); j++)
        for (int i = 0; i < size; i++)
            gs[j][i] = 0.0f;
}

// ---- sgd.c - stochastic gradient descent with momentum and weight decay, PyTorch's update, in one
// sweep:
//   g += weight_decay p;  v = momentum v + g;  p -= learning_rate v     (v starts at zero, so the
//   first v is g)

NET_INLINE void net_sgd(float *params, float *velocity, const float *grads, int size,
                      float learning_rate, float momentum, float weight_decay, int part, int parts)
{
    for (int i = net_share(size, part, parts); i < net_share(size, part + 1, parts); i++) {
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
} net_tensor;

static void net_init_tensor(float *values, const net_tensor *tensor, unsigned long long seed)
{
    uint64_t key = 0xcbf29ce484222325u; // FNV-1a of the name
    for (const char *c = tensor->name; *c; c++)
        key = (key ^ (unsigned char)*c) * 0x100000001b3u;
    key = net_mix(key ^ net_mix((uint64_t)seed + 0x9e3779b97f4a7c15u));
    const double scale = tensor->init == 0   ? sqrt(2.0 / tensor->fan)
                         : tensor->init == 1 ? 1.0 / sqrt((double)tensor->fan)
                                             : 0.0;
    for (long i = 0; i < tensor->count; i++) {
        const uint64_t at = key + 2 * (uint64_t)i * 0x9e3779b97f4a7c15u;
        const double u = ((double)(net_mix(at) >> 11) + 0.5) * 0x1p-53;
        const double v = ((double)(net_mix(at + 0x9e3779b97f4a7c15u) >> 11) + 0.5) * 0x1p-53;
        if (tensor->init == 0) // Box and Muller
            values[i] = (float)(scale * sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v));
        else if (tensor->init == 1)
            values[i] = (float)(scale * (2.0 * u - 1.0));
        else
            values[i] = tensor->init == 2 ? 1.0f : 0.0f;
    }
}

enum { NET_PARAM_TENSORS = 101, NET_STATE_TENSORS = 42 };
// Where each parameter stands in net_params (and net_grads; its momentum stands at
// NET_STATE_COUNT - NET_PARAM_COUNT + offset of net_state), and each running statistic in net_state.
extern const net_tensor net_param_table[NET_PARAM_TENSORS], net_state_table[NET_STATE_TENSORS];
const net_tensor net_param_table[101] = {
    {"first_conv.0.weight", 4, {2, 3, 3, 3}, 0, 54, 0, 18},
    {"first_conv.0.bias", 1, {2}, 54, 2, 1, 27},
    {"first_conv.1.weight", 1, {2}, 56, 2, 2, 0},
    {"first_conv.1.bias", 1, {2}, 58, 2, 3, 0},
    {"first_conv.3.weight", 4, {2, 2, 3, 3}, 60, 36, 0, 18},
    {"first_conv.3.bias", 1, {2}, 96, 2, 1, 18},
    {"first_conv.4.weight", 1, {2}, 98, 2, 2, 0},
    {"first_conv.4.bias", 1, {2}, 100, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.op.weight", 4, {2, 2, 3, 3}, 102, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.0.operation.op.bias", 1, {2}, 138, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.weight", 1, {2}, 140, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.0.operation.bn.bias", 1, {2}, 142, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.weight", 4, {2, 2, 3, 3}, 144, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.1.operation.op.bias", 1, {2}, 180, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.weight", 1, {2}, 182, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.1.operation.bn.bias", 1, {2}, 184, 2, 3, 0},
    {"node_ops.0.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 186, 1, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 187, 1, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.weight", 4, {2, 2, 3, 3}, 188, 36, 0, 18},
    {"node_ops.0.node_ops.0.node_ops.2.operation.op.bias", 1, {2}, 224, 2, 1, 18},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.weight", 1, {2}, 226, 2, 2, 0},
    {"node_ops.0.node_ops.0.node_ops.2.operation.bn.bias", 1, {2}, 228, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.0.operation.op.weight", 4, {2, 2, 3, 3}, 230, 36, 0, 18},
    {"node_ops.0.node_ops.1.node_ops.0.operation.op.bias", 1, {2}, 266, 2, 1, 18},
    {"node_ops.0.node_ops.1.node_ops.0.operation.bn.weight", 1, {2}, 268, 2, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.0.operation.bn.bias", 1, {2}, 270, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.1.operation.op.weight", 4, {2, 2, 3, 3}, 272, 36, 0, 18},
    {"node_ops.0.node_ops.1.node_ops.1.operation.op.bias", 1, {2}, 308, 2, 1, 18},
    {"node_ops.0.node_ops.1.node_ops.1.operation.bn.weight", 1, {2}, 310, 2, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.1.operation.bn.bias", 1, {2}, 312, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.2.merger.0.mean", 1, {1}, 314, 1, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.2.merger.1.mean", 1, {1}, 315, 1, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.2.operation.op.weight", 4, {2, 2, 3, 3}, 316, 36, 0, 18},
    {"node_ops.0.node_ops.1.node_ops.2.operation.op.bias", 1, {2}, 352, 2, 1, 18},
    {"node_ops.0.node_ops.1.node_ops.2.operation.bn.weight", 1, {2}, 354, 2, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.2.operation.bn.bias", 1, {2}, 356, 2, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.op.weight", 4, {4, 2, 3, 3}, 358, 72, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.0.operation.op.bias", 1, {4}, 430, 4, 1, 18},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.weight", 1, {4}, 434, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.bias", 1, {4}, 438, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.op.weight", 4, {4, 4, 3, 3}, 442, 144, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.1.operation.op.bias", 1, {4}, 586, 4, 1, 36},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.weight", 1, {4}, 590, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.bias", 1, {4}, 594, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 598, 1, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 599, 1, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.op.weight", 4, {4, 4, 3, 3}, 600, 144, 0, 36},
    {"node_ops.1.node_ops.0.node_ops.2.operation.op.bias", 1, {4}, 744, 4, 1, 36},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.weight", 1, {4}, 748, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.bias", 1, {4}, 752, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.0.operation.op.weight", 4, {4, 4, 3, 3}, 756, 144, 0, 36},
    {"node_ops.1.node_ops.1.node_ops.0.operation.op.bias", 1, {4}, 900, 4, 1, 36},
    {"node_ops.1.node_ops.1.node_ops.0.operation.bn.weight", 1, {4}, 904, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.0.operation.bn.bias", 1, {4}, 908, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.1.operation.op.weight", 4, {4, 4, 3, 3}, 912, 144, 0, 36},
    {"node_ops.1.node_ops.1.node_ops.1.operation.op.bias", 1, {4}, 1056, 4, 1, 36},
    {"node_ops.1.node_ops.1.node_ops.1.operation.bn.weight", 1, {4}, 1060, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.1.operation.bn.bias", 1, {4}, 1064, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.2.merger.0.mean", 1, {1}, 1068, 1, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.2.merger.1.mean", 1, {1}, 1069, 1, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.2.operation.op.weight", 4, {4, 4, 3, 3}, 1070, 144, 0, 36},
    {"node_ops.1.node_ops.1.node_ops.2.operation.op.bias", 1, {4}, 1214, 4, 1, 36},
    {"node_ops.1.node_ops.1.node_ops.2.operation.bn.weight", 1, {4}, 1218, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.2.operation.bn.bias", 1, {4}, 1222, 4, 3, 0},
    {"node_ops.2.merger.0.weight", 4, {4, 2, 1, 1}, 1226, 8, 0, 4},
    {"node_ops.2.merger.0.bias", 1, {4}, 1234, 4, 1, 2},
    {"node_ops.2.merger.1.mean", 1, {1}, 1238, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.op.weight", 4, {8, 4, 3, 3}, 1239, 288, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.0.operation.op.bias", 1, {8}, 1527, 8, 1, 36},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.weight", 1, {8}, 1535, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.bias", 1, {8}, 1543, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.op.weight", 4, {8, 8, 3, 3}, 1551, 576, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.1.operation.op.bias", 1, {8}, 2127, 8, 1, 72},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.weight", 1, {8}, 2135, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.bias", 1, {8}, 2143, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.2.merger.0.mean", 1, {1}, 2151, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.merger.1.mean", 1, {1}, 2152, 1, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.op.weight", 4, {8, 8, 3, 3}, 2153, 576, 0, 72},
    {"node_ops.2.node_ops.0.node_ops.2.operation.op.bias", 1, {8}, 2729, 8, 1, 72},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.weight", 1, {8}, 2737, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.bias", 1, {8}, 2745, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.0.operation.op.weight", 4, {8, 8, 3, 3}, 2753, 576, 0, 72},
    {"node_ops.2.node_ops.1.node_ops.0.operation.op.bias", 1, {8}, 3329, 8, 1, 72},
    {"node_ops.2.node_ops.1.node_ops.0.operation.bn.weight", 1, {8}, 3337, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.0.operation.bn.bias", 1, {8}, 3345, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.1.operation.op.weight", 4, {8, 8, 3, 3}, 3353, 576, 0, 72},
    {"node_ops.2.node_ops.1.node_ops.1.operation.op.bias", 1, {8}, 3929, 8, 1, 72},
    {"node_ops.2.node_ops.1.node_ops.1.operation.bn.weight", 1, {8}, 3937, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.1.operation.bn.bias", 1, {8}, 3945, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.2.merger.0.mean", 1, {1}, 3953, 1, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.2.merger.1.mean", 1, {1}, 3954, 1, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.2.operation.op.weight", 4, {8, 8, 3, 3}, 3955, 576, 0, 72},
    {"node_ops.2.node_ops.1.node_ops.2.operation.op.bias", 1, {8}, 4531, 8, 1, 72},
    {"node_ops.2.node_ops.1.node_ops.2.operation.bn.weight", 1, {8}, 4539, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.2.operation.bn.bias", 1, {8}, 4547, 8, 3, 0},
    {"conv_out.1.weight", 4, {1280, 8, 1, 1}, 4555, 10240, 0, 1280},
    {"conv_out.1.bias", 1, {1280}, 14795, 1280, 1, 8},
    {"conv_out.2.weight", 1, {1280}, 16075, 1280, 2, 0},
    {"conv_out.2.bias", 1, {1280}, 17355, 1280, 3, 0},
    {"fc.weight", 2, {4, 1280}, 18635, 5120, 1, 1280},
    {"fc.bias", 1, {4}, 23755, 4, 1, 1280},
};

const net_tensor net_state_table[42] = {
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
    {"node_ops.0.node_ops.1.node_ops.0.operation.bn.running_mean", 1, {2}, 20, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.0.operation.bn.running_var", 1, {2}, 22, 2, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.1.operation.bn.running_mean", 1, {2}, 24, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.1.operation.bn.running_var", 1, {2}, 26, 2, 2, 0},
    {"node_ops.0.node_ops.1.node_ops.2.operation.bn.running_mean", 1, {2}, 28, 2, 3, 0},
    {"node_ops.0.node_ops.1.node_ops.2.operation.bn.running_var", 1, {2}, 30, 2, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.running_mean", 1, {4}, 32, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.0.operation.bn.running_var", 1, {4}, 36, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {4}, 40, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.1.operation.bn.running_var", 1, {4}, 44, 4, 2, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.running_mean", 1, {4}, 48, 4, 3, 0},
    {"node_ops.1.node_ops.0.node_ops.2.operation.bn.running_var", 1, {4}, 52, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.0.operation.bn.running_mean", 1, {4}, 56, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.0.operation.bn.running_var", 1, {4}, 60, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.1.operation.bn.running_mean", 1, {4}, 64, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.1.operation.bn.running_var", 1, {4}, 68, 4, 2, 0},
    {"node_ops.1.node_ops.1.node_ops.2.operation.bn.running_mean", 1, {4}, 72, 4, 3, 0},
    {"node_ops.1.node_ops.1.node_ops.2.operation.bn.running_var", 1, {4}, 76, 4, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.running_mean", 1, {8}, 80, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.0.operation.bn.running_var", 1, {8}, 88, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.running_mean", 1, {8}, 96, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.1.operation.bn.running_var", 1, {8}, 104, 8, 2, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.running_mean", 1, {8}, 112, 8, 3, 0},
    {"node_ops.2.node_ops.0.node_ops.2.operation.bn.running_var", 1, {8}, 120, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.0.operation.bn.running_mean", 1, {8}, 128, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.0.operation.bn.running_var", 1, {8}, 136, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.1.operation.bn.running_mean", 1, {8}, 144, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.1.operation.bn.running_var", 1, {8}, 152, 8, 2, 0},
    {"node_ops.2.node_ops.1.node_ops.2.operation.bn.running_mean", 1, {8}, 160, 8, 3, 0},
    {"node_ops.2.node_ops.1.node_ops.2.operation.bn.running_var", 1, {8}, 168, 8, 2, 0},
    {"conv_out.2.running_mean", 1, {1280}, 176, 1280, 3, 0},
    {"conv_out.2.running_var", 1, {1280}, 1456, 1280, 2, 0},
};

float net_params[NET_PARAM_COUNT], net_grads[NET_PARAM_COUNT], net_state[NET_STATE_COUNT];

static NET_NOINLINE void net_pack_images_c3_h16_w16(float *y, const float *images, int count)
{
    net_pack_images(y, images, 3, 16, 16, 1, count, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k2_c3_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 2, 3, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c3_h16_w16_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 3, 16, 16, 2, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_running_c2(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 2, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x1_c2_n256_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 256, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k2_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 2, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c2_h16_w16_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 2, 16, 16, 2, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x2_c2_n256_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 2, 2, 1.0f, 256, 1, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c2_h16_w16_oh8_ow8(float *y, const float *x)
{
    net_adaptive_pool(y, x, 2, 16, 16, 8, 8, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x1_c2_n64_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 64, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c2_h8_w8_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 2, 8, 8, 4, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_running_c4(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 4, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x1_c4_n64_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 1, 4, 1.0f, 64, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h8_w8_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 8, 8, 4, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x2_c4_n64_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 2, 4, 1.0f, 64, 1, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c2_h16_w16_oh4_ow4(float *y, const float *x)
{
    net_adaptive_pool(y, x, 2, 16, 16, 4, 4, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x1_c2_n16(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 1, 2, 1.0f, 16, 0, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c4_h8_w8_oh4_ow4(float *y, const float *x)
{
    net_adaptive_pool(y, x, 4, 8, 8, 4, 4, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c2_r1_s1(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 2, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c2_h4_w4_k4_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 2, 4, 4, 4, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x2_c4_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 2, 4, 1.0f, 16, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k8_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 8, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h4_w4_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 4, 4, 8, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_running_c8(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 8, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x1_c8_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 1, 8, 1.0f, 16, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k8_c8_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 8, 8, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c8_h4_w4_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 8, 4, 4, 8, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_x2_c8_n16_relu(float *x, const float *const *ys, const float *const *ss, const float *const *ts, const float *const *as)
{
    net_affine_sum(x, ys, ss, ts, as, 2, 8, 1.0f, 16, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k1280_c8_r1_s1(float *p, const float *w)
{
    net_pack_weights(p, w, 1280, 8, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c8_h4_w4_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 8, 4, 4, 1280, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_running_c1280(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_running(scale, shift, gamma, beta, running_mean, running_var, 1280, 0, 1);
}

static NET_NOINLINE void net_affine_pool_c1280_n16(float *p, const float *y, const float *s, const float *t)
{
    net_affine_pool(p, y, s, t, 1280, 16, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c1280_r1_s1(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 1280, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c1280_h1_w1_k4_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 1280, 1, 1, 4, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_unpack_logits_k4(float *logits, const float *x, int count)
{
    net_unpack_logits(logits, x, 4, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_stats_c2_n256(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 256, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_stats_c4_n64(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 4, 64, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_stats_c8_n16(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 16, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_stats_c1280_n16(float *scale, float *shift, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm_stats(scale, shift, mean, rstd, running_mean, running_var, y, gamma, beta, 1280, 16, 1, count, 0, 1);
}

static NET_NOINLINE void net_dropout_c1280(float *y, const float *x, unsigned long long seed, unsigned long long step, float dropout)
{
    net_dropout(y, x, 1280, 1, seed, step, dropout, 0, 1);
}

static NET_NOINLINE void net_loss_k4(float *dlogits, float *loss, const float *logits, const int *labels, int count, float label_smoothing)
{
    net_loss(dlogits, loss, logits, labels, 4, count, label_smoothing, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c1280_h1_w1_k4_r1_s1(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 1280, 1, 1, 4, 1, 1, 1, 0, 1);
}

static NET_NOINLINE void net_channel_sum_c4_n1(float *db, const float *dy)
{
    net_channel_sum(db, dy, 4, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k4_c1280_r1_s1(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 4, 1280, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h1_w1_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 1, 1, 1280, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_pool_reduce_c1280_n16(float *q, float *sums, const float *dp, const float *y, const float *s, const float *t, const float *mean, const float *rstd)
{
    net_affine_pool_reduce(q, sums, dp, y, s, t, mean, rstd, 1280, 16, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x1_c1280_n16(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 1280, 1.0f, 16, count, 0, 1);
}

static NET_NOINLINE void net_affine_pool_pull_c1280_n16(float *dy, const float *y, const float *dp, const float *s, const float *t, const float *coefficients, int count)
{
    net_affine_pool_pull(dy, y, dp, s, t, coefficients, 1280, 16, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c8_h4_w4_k1280_r1_s1(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 8, 4, 4, 1280, 1, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k1280_c8_r1_s1(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 1280, 8, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c1280_h4_w4_k8_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 1280, 4, 4, 8, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x1_c8_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 8, 16, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x1_c8_n16(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 8, 1.0f, 16, count, 0, 1);
}

static NET_NOINLINE void net_pull_x1_c8_n16(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 1, 8, 1.0f, 16, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c8_h4_w4_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 8, 4, 4, 8, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k8_c8_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 8, 8, 3, 3, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x2_c8_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 8, 16, 1, 0, 1);
}

static NET_NOINLINE void net_affine_scalar_backward_c8(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    net_affine_scalar_backward(da, q, p, gamma, beta, a, 8, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x2_c8_n16(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 8, 1.0f, 16, count, 0, 1);
}

static NET_NOINLINE void net_pull_x2_c8_n16(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 2, 8, 1.0f, 16, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c4_h4_w4_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 4, 4, 4, 8, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k8_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 8, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c8_h4_w4_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 8, 4, 4, 4, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x2_c4_n16(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 4, 16, 1, 0, 1);
}

static NET_NOINLINE void net_affine_scalar_backward_c4(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    net_affine_scalar_backward(da, q, p, gamma, beta, a, 4, 0, 1);
}

static NET_NOINLINE void net_pull_x1_c4_n16(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 1, 4, 1.0f, 16, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c2_h4_w4_k4_r1_s1(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 2, 4, 4, 4, 1, 1, 1, 0, 1);
}

static NET_NOINLINE void net_channel_sum_c4_n16(float *db, const float *dy)
{
    net_channel_sum(db, dy, 4, 16, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k4_c2_r1_s1(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 4, 2, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h4_w4_k2_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 4, 4, 2, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_backward_c4_h8_w8_oh4_ow4(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 4, 8, 8, 4, 4, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_reduce_x1_c2_n16(float *q, const float *dx, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_reduce(q, dx, ps, ys, means, rstds, 1, 2, 16, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_backward_c2_h16_w16_oh4_ow4(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 2, 16, 16, 4, 4, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x1_c4_n64(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 4, 1.0f, 64, count, 0, 1);
}

static NET_NOINLINE void net_pull_x1_c4_n64(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 1, 4, 1.0f, 64, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c4_h8_w8_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 4, 8, 8, 4, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k4_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 4, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x2_c4_n64(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 4, 64, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x1_c4_n64(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 4, 64, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x2_c4_n64(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 4, 1.0f, 64, count, 0, 1);
}

static NET_NOINLINE void net_pull_x2_c4_n64(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 2, 4, 1.0f, 64, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c2_h8_w8_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 2, 8, 8, 4, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k4_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 4, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h8_w8_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 8, 8, 2, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x1_c2_n64(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 2, 64, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_backward_c2_h16_w16_oh8_ow8(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 2, 16, 16, 8, 8, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x2_c2_n256(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 2, 2, 1.0f, 256, count, 0, 1);
}

static NET_NOINLINE void net_pull_x2_c2_n256(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 2, 2, 1.0f, 256, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c2_h16_w16_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 2, 16, 16, 2, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k2_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 2, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x2_c2_n256(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 2, 2, 256, 1, 0, 1);
}

static NET_NOINLINE void net_affine_scalar_backward_c2(float *da, const float *q, const float *p, const float *gamma, const float *beta, const float *a)
{
    net_affine_scalar_backward(da, q, p, gamma, beta, a, 2, 0, 1);
}

static NET_NOINLINE void net_batchnorm_coefficients_x1_c2_n256(float *coefficients, float *dgamma, float *dbeta, const float *mean, const float *rstd, const float *gamma, const float *const *qs, const float *const *ps, const float *const *as, int count)
{
    net_batchnorm_coefficients(coefficients, dgamma, dbeta, mean, rstd, gamma, qs, ps, as, 1, 2, 1.0f, 256, count, 0, 1);
}

static NET_NOINLINE void net_pull_x1_c2_n256(float *dy, const float *y, const float *coefficients, const float *const *gs, const float *const *as, int count)
{
    net_pull(dy, y, coefficients, gs, as, 1, 2, 1.0f, 256, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_affine_sum_backward_x1_c2_n256(float *g, float *q, const float *dx, const float *x, float *const *ps, const float *const *ys, const float *const *means, const float *const *rstds)
{
    net_affine_sum_backward(g, q, dx, x, ps, ys, means, rstds, 1, 2, 256, 1, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c3_h16_w16_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 3, 16, 16, 2, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_zero_x1_n1280(float *const *gs)
{
    net_zero(gs, 1, 1280, 0, 1);
}

static NET_NOINLINE void net_zero_x6_n8(float *const *gs)
{
    net_zero(gs, 6, 8, 0, 1);
}

static NET_NOINLINE void net_zero_x6_n4(float *const *gs)
{
    net_zero(gs, 6, 4, 0, 1);
}

static NET_NOINLINE void net_zero_x8_n2(float *const *gs)
{
    net_zero(gs, 8, 2, 0, 1);
}

static NET_NOINLINE void net_sgd_n23759(float *params, float *velocity, const float *grads, float learning_rate, float momentum, float weight_decay)
{
    net_sgd(params, velocity, grads, 23759, learning_rate, momentum, weight_decay, 0, 1);
}

// stem
static void net_infer_stem(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // images.packed  [3, 16, 16]
    net_pack_images_c3_h16_w16(arena + 0, call->images, call->count);
    // stem.conv0.packed
    net_pack_weights_k2_c3_r3_s3(arena + 24576, params + 0);
    // stem.conv0  [2, 16, 16]
    net_conv_c3_h16_w16_k2_r3_s3(arena + 24640, arena + 0, arena + 24576, params + 54);
    // stem.bn0.scale
    net_batchnorm_running_c2(arena + 0, arena + 16, params + 56, params + 58, state + 0, state + 2);
    // stem.bn0.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 32, (const float *const[]){arena + 24640}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // stem.conv1.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16416, params + 60);
    // stem.conv1  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16464, arena + 32, arena + 16416, params + 96);
    // stem.bn1.scale
    net_batchnorm_running_c2(arena + 32848, arena + 32864, params + 98, params + 100, state + 4, state + 6);
}

// cell 0
static void net_infer_cell_0(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // stem.bn1.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 0, (const float *const[]){arena + 16464}, (const float *const[]){arena + 32848}, (const float *const[]){arena + 32864}, (const float *const[]){NULL});
    // cell0.node0.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16384, params + 102);
    // cell0.node0.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16432, arena + 0, arena + 16384, params + 138);
    // cell0.node0.op0.bn.scale
    net_batchnorm_running_c2(arena + 32816, arena + 32832, params + 140, params + 142, state + 8, state + 10);
    // cell0.node0.op0.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 0, (const float *const[]){arena + 16432}, (const float *const[]){arena + 32816}, (const float *const[]){arena + 32832}, (const float *const[]){NULL});
    // cell0.node0.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16384, params + 144);
    // cell0.node0.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 32848, arena + 0, arena + 16384, params + 180);
    // cell0.node0.op1.bn.scale
    net_batchnorm_running_c2(arena + 0, arena + 16, params + 182, params + 184, state + 12, state + 14);
    // cell0.node0.op2.sum.relu  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 32, (const float *const[]){arena + 16432, arena + 32848}, (const float *const[]){arena + 32816, arena + 0}, (const float *const[]){arena + 32832, arena + 16}, (const float *const[]){params + 186, params + 187});
    // cell0.node0.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16416, params + 188);
    // cell0.node0.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16464, arena + 32, arena + 16416, params + 224);
    // cell0.node0.op2.bn.scale
    net_batchnorm_running_c2(arena + 32848, arena + 32864, params + 226, params + 228, state + 16, state + 18);
    // cell0.node0.op2.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 0, (const float *const[]){arena + 16464}, (const float *const[]){arena + 32848}, (const float *const[]){arena + 32864}, (const float *const[]){NULL});
    // cell0.node1.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16384, params + 230);
    // cell0.node1.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16432, arena + 0, arena + 16384, params + 266);
    // cell0.node1.op0.bn.scale
    net_batchnorm_running_c2(arena + 32816, arena + 32832, params + 268, params + 270, state + 20, state + 22);
    // cell0.node1.op0.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 32848, (const float *const[]){arena + 16432}, (const float *const[]){arena + 32816}, (const float *const[]){arena + 32832}, (const float *const[]){NULL});
    // cell0.node1.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 0, params + 272);
    // cell0.node1.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 48, arena + 32848, arena + 0, params + 308);
    // cell0.node1.op1.bn.scale
    net_batchnorm_running_c2(arena + 0, arena + 16, params + 310, params + 312, state + 24, state + 26);
    // cell0.node1.op2.sum.relu  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 32848, (const float *const[]){arena + 16432, arena + 48}, (const float *const[]){arena + 32816, arena + 0}, (const float *const[]){arena + 32832, arena + 16}, (const float *const[]){params + 314, params + 315});
    // cell0.node1.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 0, params + 316);
    // cell0.node1.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 48, arena + 32848, arena + 0, params + 352);
    // cell0.node1.op2.bn.scale
    net_batchnorm_running_c2(arena + 0, arena + 16, params + 354, params + 356, state + 28, state + 30);
}

// cell 1
static void net_infer_cell_1(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled.raw  [2, 8, 8]
    net_adaptive_pool_c2_h16_w16_oh8_ow8(arena + 16432, arena + 48);
    // cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_affine_sum_x1_c2_n64_relu(arena + 20528, (const float *const[]){arena + 16432}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell1.node0.op0.conv3x3.packed
    net_pack_weights_k4_c2_r3_s3(arena + 16432, params + 358);
    // cell1.node0.op0.conv3x3  [4, 8, 8]
    net_conv_c2_h8_w8_k4_r3_s3(arena + 24624, arena + 20528, arena + 16432, params + 430);
    // cell1.node0.op0.bn.scale
    net_batchnorm_running_c4(arena + 32, arena + 16432, params + 434, params + 438, state + 32, state + 36);
    // cell1.node0.op0.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 32816, (const float *const[]){arena + 24624}, (const float *const[]){arena + 32}, (const float *const[]){arena + 16432}, (const float *const[]){NULL});
    // cell1.node0.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16448, params + 442);
    // cell1.node0.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 41008, arena + 32816, arena + 16448, params + 586);
    // cell1.node0.op1.bn.scale
    net_batchnorm_running_c4(arena + 49200, arena + 49216, params + 590, params + 594, state + 40, state + 44);
    // cell1.node0.op2.sum.relu  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 32816, (const float *const[]){arena + 24624, arena + 41008}, (const float *const[]){arena + 32, arena + 49200}, (const float *const[]){arena + 16432, arena + 49216}, (const float *const[]){params + 598, params + 599});
    // cell1.node0.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 41008, params + 600);
    // cell1.node0.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 16432, arena + 32816, arena + 41008, params + 744);
    // cell1.node0.op2.bn.scale
    net_batchnorm_running_c4(arena + 32, arena + 24624, params + 748, params + 752, state + 48, state + 52);
    // cell1.node0.op2.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 24640, (const float *const[]){arena + 16432}, (const float *const[]){arena + 32}, (const float *const[]){arena + 24624}, (const float *const[]){NULL});
    // cell1.node1.op0.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16432, params + 756);
    // cell1.node1.op0.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 32832, arena + 24640, arena + 16432, params + 900);
    // cell1.node1.op0.bn.scale
    net_batchnorm_running_c4(arena + 32, arena + 41024, params + 904, params + 908, state + 56, state + 60);
    // cell1.node1.op0.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 41040, (const float *const[]){arena + 32832}, (const float *const[]){arena + 32}, (const float *const[]){arena + 41024}, (const float *const[]){NULL});
    // cell1.node1.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16432, params + 912);
    // cell1.node1.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 16576, arena + 41040, arena + 16432, params + 1056);
    // cell1.node1.op1.bn.scale
    net_batchnorm_running_c4(arena + 16432, arena + 16448, params + 1060, params + 1064, state + 64, state + 68);
    // cell1.node1.op2.sum.relu  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 41040, (const float *const[]){arena + 32832, arena + 16576}, (const float *const[]){arena + 32, arena + 16432}, (const float *const[]){arena + 41024, arena + 16448}, (const float *const[]){params + 1068, params + 1069});
    // cell1.node1.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16432, params + 1070);
    // cell1.node1.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 16576, arena + 41040, arena + 16432, params + 1214);
    // cell1.node1.op2.bn.scale
    net_batchnorm_running_c4(arena + 32, arena + 16432, params + 1218, params + 1222, state + 72, state + 76);
}

// cell 2
static void net_infer_cell_2(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled.raw  [2, 4, 4]
    net_adaptive_pool_c2_h16_w16_oh4_ow4(arena + 24768, arena + 48);
    // cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_affine_sum_x1_c2_n16(arena + 48, (const float *const[]){arena + 24768}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell1.node1.op2.bn.pooled.raw  [4, 4, 4]
    net_adaptive_pool_c4_h8_w8_oh4_ow4(arena + 1072, arena + 16576);
    // cell2.projection0.packed
    net_pack_weights_k4_c2_r1_s1(arena + 0, params + 1226);
    // cell2.projection0  [4, 4, 4]
    net_conv_c2_h4_w4_k4_r1_s1(arena + 3120, arena + 48, arena + 0, params + 1234);
    // cell2.sum.relu  [4, 4, 4]
    net_affine_sum_x2_c4_n16_relu(arena + 5168, (const float *const[]){arena + 3120, arena + 1072}, (const float *const[]){NULL, arena + 32}, (const float *const[]){NULL, arena + 16432}, (const float *const[]){NULL, params + 1238});
    // cell2.node0.op0.conv3x3.packed
    net_pack_weights_k8_c4_r3_s3(arena + 0, params + 1239);
    // cell2.node0.op0.conv3x3  [8, 4, 4]
    net_conv_c4_h4_w4_k8_r3_s3(arena + 288, arena + 5168, arena + 0, params + 1527);
    // cell2.node0.op0.bn.scale
    net_batchnorm_running_c8(arena + 0, arena + 16, params + 1535, params + 1543, state + 80, state + 88);
    // cell2.node0.op0.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 4384, (const float *const[]){arena + 288}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell2.node0.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 8480, params + 1551);
    // cell2.node0.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 9056, arena + 4384, arena + 8480, params + 2127);
    // cell2.node0.op1.bn.scale
    net_batchnorm_running_c8(arena + 32, arena + 48, params + 2135, params + 2143, state + 96, state + 104);
    // cell2.node0.op2.sum.relu  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 4384, (const float *const[]){arena + 288, arena + 9056}, (const float *const[]){arena + 0, arena + 32}, (const float *const[]){arena + 16, arena + 48}, (const float *const[]){params + 2151, params + 2152});
    // cell2.node0.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 0, params + 2153);
    // cell2.node0.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 8480, arena + 4384, arena + 0, params + 2729);
    // cell2.node0.op2.bn.scale
    net_batchnorm_running_c8(arena + 0, arena + 16, params + 2737, params + 2745, state + 112, state + 120);
    // cell2.node0.op2.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 32, (const float *const[]){arena + 8480}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell2.node1.op0.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 4128, params + 2753);
    // cell2.node1.op0.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 4704, arena + 32, arena + 4128, params + 3329);
    // cell2.node1.op0.bn.scale
    net_batchnorm_running_c8(arena + 0, arena + 16, params + 3337, params + 3345, state + 128, state + 136);
    // cell2.node1.op0.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 32, (const float *const[]){arena + 4704}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // cell2.node1.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 4128, params + 3353);
    // cell2.node1.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 8800, arena + 32, arena + 4128, params + 3929);
    // cell2.node1.op1.bn.scale
    net_batchnorm_running_c8(arena + 32, arena + 48, params + 3937, params + 3945, state + 144, state + 152);
    // cell2.node1.op2.sum.relu  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 64, (const float *const[]){arena + 4704, arena + 8800}, (const float *const[]){arena + 0, arena + 32}, (const float *const[]){arena + 16, arena + 48}, (const float *const[]){params + 3953, params + 3954});
    // cell2.node1.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 4160, params + 3955);
    // cell2.node1.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 4736, arena + 64, arena + 4160, params + 4531);
    // cell2.node1.op2.bn.scale
    net_batchnorm_running_c8(arena + 0, arena + 16, params + 4539, params + 4547, state + 160, state + 168);
}

// head
static void net_infer_head(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell2.node1.op2.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 32, (const float *const[]){arena + 4736}, (const float *const[]){arena + 0}, (const float *const[]){arena + 16}, (const float *const[]){NULL});
    // head.conv.packed
    net_pack_weights_k1280_c8_r1_s1(arena + 4128, params + 4555);
    // head.conv  [1280, 4, 4]
    net_conv_c8_h4_w4_k1280_r1_s1(arena + 14368, arena + 32, arena + 4128, params + 14795);
    // head.bn.scale
    net_batchnorm_running_c1280(arena + 0, arena + 1280, params + 16075, params + 17355, state + 176, state + 1456);
    // head.bn.relu.pooled  [1280, 1, 1]
    net_affine_pool_c1280_n16(arena + 669728, arena + 14368, arena + 0, arena + 1280);
    // head.logits.packed
    net_pack_weights_k4_c1280_r1_s1(arena + 0, params + 18635);
    // head.logits  [4, 1, 1]
    net_conv_c1280_h1_w1_k4_r1_s1(arena + 5120, arena + 669728, arena + 0, params + 23755);
    // logits
    net_unpack_logits_k4(call->logits, arena + 5120, call->count);
}

static void net_program_infer(const net_call *call)
{
    net_infer_stem(call);
    net_infer_cell_0(call);
    net_infer_cell_1(call);
    net_infer_cell_2(call);
    net_infer_head(call);
}

// stem
static void net_gradient_stem(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // images.packed  [3, 16, 16]
    net_pack_images_c3_h16_w16(arena + 0, call->images, call->count);
    // stem.conv0.packed
    net_pack_weights_k2_c3_r3_s3(arena + 24576, params + 0);
    // stem.conv0  [2, 16, 16]
    net_conv_c3_h16_w16_k2_r3_s3(arena + 24640, arena + 0, arena + 24576, params + 54);
    // stem.bn0.scale
    net_batchnorm_stats_c2_n256(arena + 24576, arena + 24592, arena + 24608, arena + 24624, state + 0, state + 2, arena + 24640, params + 56, params + 58, call->count);
    // stem.bn0.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 41024, (const float *const[]){arena + 24640}, (const float *const[]){arena + 24576}, (const float *const[]){arena + 24592}, (const float *const[]){NULL});
    // stem.conv1.packed
    net_pack_weights_k2_c2_r3_s3(arena + 57408, params + 60);
    // stem.conv1  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 57456, arena + 41024, arena + 57408, params + 96);
    // stem.bn1.scale
    net_batchnorm_stats_c2_n256(arena + 41024, arena + 41040, arena + 41056, arena + 41072, state + 4, state + 6, arena + 57456, params + 98, params + 100, call->count);
}

// cell 0
static void net_gradient_cell_0(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // stem.bn1.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 57456}, (const float *const[]){arena + 41024}, (const float *const[]){arena + 41040}, (const float *const[]){NULL});
    // cell0.node0.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41088, params + 102);
    // cell0.node0.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 90224, arena + 73840, arena + 41088, params + 138);
    // cell0.node0.op0.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41088, arena + 41104, arena + 41120, arena + 41136, state + 8, state + 10, arena + 90224, params + 140, params + 142, call->count);
    // cell0.node0.op0.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 90224}, (const float *const[]){arena + 41088}, (const float *const[]){arena + 41104}, (const float *const[]){NULL});
    // cell0.node0.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41152, params + 144);
    // cell0.node0.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 106608, arena + 73840, arena + 41152, params + 180);
    // cell0.node0.op1.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41152, arena + 41168, arena + 41184, arena + 41200, state + 12, state + 14, arena + 106608, params + 182, params + 184, call->count);
    // cell0.node0.op2.sum.relu  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 73840, (const float *const[]){arena + 90224, arena + 106608}, (const float *const[]){arena + 41088, arena + 41152}, (const float *const[]){arena + 41104, arena + 41168}, (const float *const[]){params + 186, params + 187});
    // cell0.node0.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41216, params + 188);
    // cell0.node0.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 122992, arena + 73840, arena + 41216, params + 224);
    // cell0.node0.op2.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41216, arena + 41232, arena + 41248, arena + 41264, state + 16, state + 18, arena + 122992, params + 226, params + 228, call->count);
    // cell0.node0.op2.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 122992}, (const float *const[]){arena + 41216}, (const float *const[]){arena + 41232}, (const float *const[]){NULL});
    // cell0.node1.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41280, params + 230);
    // cell0.node1.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 139376, arena + 73840, arena + 41280, params + 266);
    // cell0.node1.op0.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41280, arena + 41296, arena + 41312, arena + 41328, state + 20, state + 22, arena + 139376, params + 268, params + 270, call->count);
    // cell0.node1.op0.bn.relu  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 139376}, (const float *const[]){arena + 41280}, (const float *const[]){arena + 41296}, (const float *const[]){NULL});
    // cell0.node1.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41344, params + 272);
    // cell0.node1.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 155760, arena + 73840, arena + 41344, params + 308);
    // cell0.node1.op1.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41344, arena + 41360, arena + 41376, arena + 41392, state + 24, state + 26, arena + 155760, params + 310, params + 312, call->count);
    // cell0.node1.op2.sum.relu  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 73840, (const float *const[]){arena + 139376, arena + 155760}, (const float *const[]){arena + 41280, arena + 41344}, (const float *const[]){arena + 41296, arena + 41360}, (const float *const[]){params + 314, params + 315});
    // cell0.node1.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 41408, params + 316);
    // cell0.node1.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 172144, arena + 73840, arena + 41408, params + 352);
    // cell0.node1.op2.bn.scale
    net_batchnorm_stats_c2_n256(arena + 41408, arena + 41424, arena + 41440, arena + 41456, state + 28, state + 30, arena + 172144, params + 354, params + 356, call->count);
}

// cell 1
static void net_gradient_cell_1(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled.raw  [2, 8, 8]
    net_adaptive_pool_c2_h16_w16_oh8_ow8(arena + 41472, arena + 172144);
    // cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_affine_sum_x1_c2_n64_relu(arena + 45568, (const float *const[]){arena + 41472}, (const float *const[]){arena + 41408}, (const float *const[]){arena + 41424}, (const float *const[]){NULL});
    // cell1.node0.op0.conv3x3.packed
    net_pack_weights_k4_c2_r3_s3(arena + 49664, params + 358);
    // cell1.node0.op0.conv3x3  [4, 8, 8]
    net_conv_c2_h8_w8_k4_r3_s3(arena + 73840, arena + 45568, arena + 49664, params + 430);
    // cell1.node0.op0.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82032, arena + 82048, arena + 82064, arena + 82080, state + 32, state + 36, arena + 73840, params + 434, params + 438, call->count);
    // cell1.node0.op0.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 45568, (const float *const[]){arena + 73840}, (const float *const[]){arena + 82032}, (const float *const[]){arena + 82048}, (const float *const[]){NULL});
    // cell1.node0.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 53760, params + 442);
    // cell1.node0.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 188528, arena + 45568, arena + 53760, params + 586);
    // cell1.node0.op1.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82096, arena + 82112, arena + 82128, arena + 82144, state + 40, state + 44, arena + 188528, params + 590, params + 594, call->count);
    // cell1.node0.op2.sum.relu  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 45568, (const float *const[]){arena + 73840, arena + 188528}, (const float *const[]){arena + 82032, arena + 82096}, (const float *const[]){arena + 82048, arena + 82112}, (const float *const[]){params + 598, params + 599});
    // cell1.node0.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 53760, params + 600);
    // cell1.node0.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 196720, arena + 45568, arena + 53760, params + 744);
    // cell1.node0.op2.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82160, arena + 82176, arena + 82192, arena + 82208, state + 48, state + 52, arena + 196720, params + 748, params + 752, call->count);
    // cell1.node0.op2.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 45568, (const float *const[]){arena + 196720}, (const float *const[]){arena + 82160}, (const float *const[]){arena + 82176}, (const float *const[]){NULL});
    // cell1.node1.op0.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 53760, params + 756);
    // cell1.node1.op0.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 204912, arena + 45568, arena + 53760, params + 900);
    // cell1.node1.op0.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82224, arena + 82240, arena + 82256, arena + 82272, state + 56, state + 60, arena + 204912, params + 904, params + 908, call->count);
    // cell1.node1.op0.bn.relu  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 45568, (const float *const[]){arena + 204912}, (const float *const[]){arena + 82224}, (const float *const[]){arena + 82240}, (const float *const[]){NULL});
    // cell1.node1.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 53760, params + 912);
    // cell1.node1.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 213104, arena + 45568, arena + 53760, params + 1056);
    // cell1.node1.op1.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82288, arena + 82304, arena + 82320, arena + 82336, state + 64, state + 68, arena + 213104, params + 1060, params + 1064, call->count);
    // cell1.node1.op2.sum.relu  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 45568, (const float *const[]){arena + 204912, arena + 213104}, (const float *const[]){arena + 82224, arena + 82288}, (const float *const[]){arena + 82240, arena + 82304}, (const float *const[]){params + 1068, params + 1069});
    // cell1.node1.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 53760, params + 1070);
    // cell1.node1.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 221296, arena + 45568, arena + 53760, params + 1214);
    // cell1.node1.op2.bn.scale
    net_batchnorm_stats_c4_n64(arena + 82352, arena + 82368, arena + 82384, arena + 82400, state + 72, state + 76, arena + 221296, params + 1218, params + 1222, call->count);
}

// cell 2
static void net_gradient_cell_2(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled.raw  [2, 4, 4]
    net_adaptive_pool_c2_h16_w16_oh4_ow4(arena + 82416, arena + 172144);
    // cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_affine_sum_x1_c2_n16(arena + 83440, (const float *const[]){arena + 82416}, (const float *const[]){arena + 41408}, (const float *const[]){arena + 41424}, (const float *const[]){NULL});
    // cell1.node1.op2.bn.pooled.raw  [4, 4, 4]
    net_adaptive_pool_c4_h8_w8_oh4_ow4(arena + 84464, arena + 221296);
    // cell2.projection0.packed
    net_pack_weights_k4_c2_r1_s1(arena + 86512, params + 1226);
    // cell2.projection0  [4, 4, 4]
    net_conv_c2_h4_w4_k4_r1_s1(arena + 86528, arena + 83440, arena + 86512, params + 1234);
    // cell2.sum.relu  [4, 4, 4]
    net_affine_sum_x2_c4_n16_relu(arena + 45568, (const float *const[]){arena + 86528, arena + 84464}, (const float *const[]){NULL, arena + 82352}, (const float *const[]){NULL, arena + 82368}, (const float *const[]){NULL, params + 1238});
    // cell2.node0.op0.conv3x3.packed
    net_pack_weights_k8_c4_r3_s3(arena + 83440, params + 1239);
    // cell2.node0.op0.conv3x3  [8, 4, 4]
    net_conv_c4_h4_w4_k8_r3_s3(arena + 47616, arena + 45568, arena + 83440, params + 1527);
    // cell2.node0.op0.bn.scale
    net_batchnorm_stats_c8_n16(arena + 86512, arena + 83440, arena + 83456, arena + 83472, state + 80, state + 88, arena + 47616, params + 1535, params + 1543, call->count);
    // cell2.node0.op0.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 47616}, (const float *const[]){arena + 86512}, (const float *const[]){arena + 83440}, (const float *const[]){NULL});
    // cell2.node0.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 83488, params + 1551);
    // cell2.node0.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 229488, arena + 51712, arena + 83488, params + 2127);
    // cell2.node0.op1.bn.scale
    net_batchnorm_stats_c8_n16(arena + 83488, arena + 83504, arena + 83520, arena + 83536, state + 96, state + 104, arena + 229488, params + 2135, params + 2143, call->count);
    // cell2.node0.op2.sum.relu  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 51712, (const float *const[]){arena + 47616, arena + 229488}, (const float *const[]){arena + 86512, arena + 83488}, (const float *const[]){arena + 83440, arena + 83504}, (const float *const[]){params + 2151, params + 2152});
    // cell2.node0.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 83552, params + 2153);
    // cell2.node0.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 233584, arena + 51712, arena + 83552, params + 2729);
    // cell2.node0.op2.bn.scale
    net_batchnorm_stats_c8_n16(arena + 83552, arena + 83568, arena + 83584, arena + 83600, state + 112, state + 120, arena + 233584, params + 2737, params + 2745, call->count);
    // cell2.node0.op2.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 233584}, (const float *const[]){arena + 83552}, (const float *const[]){arena + 83568}, (const float *const[]){NULL});
    // cell2.node1.op0.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 83616, params + 2753);
    // cell2.node1.op0.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 237680, arena + 51712, arena + 83616, params + 3329);
    // cell2.node1.op0.bn.scale
    net_batchnorm_stats_c8_n16(arena + 83616, arena + 83632, arena + 83648, arena + 83664, state + 128, state + 136, arena + 237680, params + 3337, params + 3345, call->count);
    // cell2.node1.op0.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 237680}, (const float *const[]){arena + 83616}, (const float *const[]){arena + 83632}, (const float *const[]){NULL});
    // cell2.node1.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 83680, params + 3353);
    // cell2.node1.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 241776, arena + 51712, arena + 83680, params + 3929);
    // cell2.node1.op1.bn.scale
    net_batchnorm_stats_c8_n16(arena + 83680, arena + 83696, arena + 83712, arena + 83728, state + 144, state + 152, arena + 241776, params + 3937, params + 3945, call->count);
    // cell2.node1.op2.sum.relu  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 51712, (const float *const[]){arena + 237680, arena + 241776}, (const float *const[]){arena + 83616, arena + 83680}, (const float *const[]){arena + 83632, arena + 83696}, (const float *const[]){params + 3953, params + 3954});
    // cell2.node1.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 83744, params + 3955);
    // cell2.node1.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 245872, arena + 51712, arena + 83744, params + 4531);
    // cell2.node1.op2.bn.scale
    net_batchnorm_stats_c8_n16(arena + 83744, arena + 83760, arena + 83776, arena + 83792, state + 160, state + 168, arena + 245872, params + 4539, params + 4547, call->count);
}

// head
static void net_gradient_head(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell2.node1.op2.bn.relu  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 245872}, (const float *const[]){arena + 83744}, (const float *const[]){arena + 83760}, (const float *const[]){NULL});
    // head.conv.packed
    net_pack_weights_k1280_c8_r1_s1(arena + 249968, params + 4555);
    // head.conv  [1280, 4, 4]
    net_conv_c8_h4_w4_k1280_r1_s1(arena + 260208, arena + 51712, arena + 249968, params + 14795);
    // head.bn.scale
    net_batchnorm_stats_c1280_n16(arena + 88576, arena + 45568, arena + 51712, arena + 52992, state + 176, state + 1456, arena + 260208, params + 16075, params + 17355, call->count);
    // head.bn.relu.pooled  [1280, 1, 1]
    net_affine_pool_c1280_n16(arena + 915568, arena + 260208, arena + 88576, arena + 45568);
    // head.dropout  [1280, 1, 1]
    net_dropout_c1280(arena + 915568, arena + 915568, call->seed, call->step, call->dropout);
    // head.logits.packed
    net_pack_weights_k4_c1280_r1_s1(arena + 249968, params + 18635);
    // head.logits  [4, 1, 1]
    net_conv_c1280_h1_w1_k4_r1_s1(arena + 89856, arena + 915568, arena + 249968, params + 23755);
    // logits
    net_unpack_logits_k4(call->logits, arena + 89856, call->count);
    // d.head.logits  [4, 1, 1]
    net_loss_k4(arena + 89984, call->loss, arena + 89856, call->labels, call->count, call->label_smoothing);
}

// head, backward
static void net_gradient_head_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.fc.weight
    net_conv_weights_backward_c1280_h1_w1_k4_r1_s1(grads + 18635, arena + 915568, arena + 89984);
    // d.fc.bias
    net_channel_sum_c4_n1(grads + 23755, arena + 89984);
    // head.logits.packed_backward
    net_pack_weights_backward_k4_c1280_r1_s1(arena + 249968, params + 18635);
    // d.head.dropout  [1280, 1, 1]
    net_conv_c4_h1_w1_k1280_r1_s1(arena + 915568, arena + 89984, arena + 249968, NULL);
    // d.head.bn.relu.pooled  [1280, 1, 1]
    net_dropout_c1280(arena + 915568, arena + 915568, call->seed, call->step, call->dropout);
    // d.head.conv.q
    net_affine_pool_reduce_c1280_n16(arena + 54272, arena + 55552, arena + 915568, arena + 260208, arena + 88576, arena + 45568, arena + 51712, arena + 52992);
    // d.head.conv.coefficients
    net_batchnorm_coefficients_x1_c1280_n16(arena + 249968, grads + 16075, grads + 17355, arena + 51712, arena + 52992, params + 16075, (const float *const[]){arena + 54272}, (const float *const[]){arena + 55552}, (const float *const[]){NULL}, call->count);
    // d.head.conv  [1280, 4, 4]
    net_affine_pool_pull_c1280_n16(arena + 260208, arena + 260208, arena + 915568, arena + 88576, arena + 45568, arena + 249968, call->count);
    // cell2.node1.op2.bn.relu.again  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 245872}, (const float *const[]){arena + 83744}, (const float *const[]){arena + 83760}, (const float *const[]){NULL});
    // d.conv_out.1.weight
    net_conv_weights_backward_c8_h4_w4_k1280_r1_s1(grads + 4555, arena + 51712, arena + 260208);
    // head.conv.packed_backward
    net_pack_weights_backward_k1280_c8_r1_s1(arena + 249968, params + 4555);
    // d.cell2.node1.op2.bn.relu  [8, 4, 4]
    net_conv_c1280_h4_w4_k8_r1_s1(arena + 915568, arena + 260208, arena + 249968, NULL);
    // d.cell2.node1.op2.bn.relu.before  [8, 4, 4]
    net_affine_sum_backward_x1_c8_n16(arena + 915568, arena + 83744, arena + 915568, arena + 51712, (float *const[]){arena + 83760}, (const float *const[]){arena + 245872}, (const float *const[]){arena + 83776}, (const float *const[]){arena + 83792});
}

// cell 2, backward
static void net_gradient_cell_2_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell2.node1.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c8_n16(arena + 83808, grads + 4539, grads + 4547, arena + 83776, arena + 83792, params + 4539, (const float *const[]){arena + 83744}, (const float *const[]){arena + 83760}, (const float *const[]){NULL}, call->count);
    // d.cell2.node1.op2.conv3x3  [8, 4, 4]
    net_pull_x1_c8_n16(arena + 915568, arena + 245872, arena + 83808, (const float *const[]){arena + 915568}, (const float *const[]){NULL}, call->count);
    // cell2.node1.op2.sum.relu.again  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 51712, (const float *const[]){arena + 237680, arena + 241776}, (const float *const[]){arena + 83616, arena + 83680}, (const float *const[]){arena + 83632, arena + 83696}, (const float *const[]){params + 3953, params + 3954});
    // d.node_ops.2.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 3955, arena + 51712, arena + 915568);
    // cell2.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 83744, params + 3955);
    // d.cell2.node1.op2.sum.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 919664, arena + 915568, arena + 83744, NULL);
    // d.cell2.node1.op2.sum.relu.before  [8, 4, 4]
    net_affine_sum_backward_x2_c8_n16(arena + 919664, arena + 83680, arena + 919664, arena + 51712, (float *const[]){arena + 83696, arena + 83744}, (const float *const[]){arena + 237680, arena + 241776}, (const float *const[]){arena + 83648, arena + 83712}, (const float *const[]){arena + 83664, arena + 83728});
    // d.node_ops.2.node_ops.1.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c8(grads + 3953, arena + 83680, arena + 83696, params + 3337, params + 3345, params + 3953);
    // d.node_ops.2.node_ops.1.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c8(grads + 3954, arena + 83680, arena + 83744, params + 3937, params + 3945, params + 3954);
    // d.cell2.node1.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c8_n16(arena + 83760, grads + 3937, grads + 3945, arena + 83712, arena + 83728, params + 3937, (const float *const[]){arena + 83680}, (const float *const[]){arena + 83744}, (const float *const[]){params + 3954}, call->count);
    // d.cell2.node1.op1.conv3x3  [8, 4, 4]
    net_pull_x1_c8_n16(arena + 51712, arena + 241776, arena + 83760, (const float *const[]){arena + 919664}, (const float *const[]){params + 3954}, call->count);
    // cell2.node1.op0.bn.relu.again  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 923760, (const float *const[]){arena + 237680}, (const float *const[]){arena + 83616}, (const float *const[]){arena + 83632}, (const float *const[]){NULL});
    // d.node_ops.2.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 3353, arena + 923760, arena + 51712);
    // cell2.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 83712, params + 3353);
    // d.cell2.node1.op0.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 927856, arena + 51712, arena + 83712, NULL);
    // d.cell2.node1.op0.bn.relu.before  [8, 4, 4]
    net_affine_sum_backward_x1_c8_n16(arena + 927856, arena + 83616, arena + 927856, arena + 923760, (float *const[]){arena + 83632}, (const float *const[]){arena + 237680}, (const float *const[]){arena + 83648}, (const float *const[]){arena + 83664});
    // d.cell2.node1.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c8_n16(arena + 83712, grads + 3337, grads + 3345, arena + 83648, arena + 83664, params + 3337, (const float *const[]){arena + 83616, arena + 83680}, (const float *const[]){arena + 83632, arena + 83696}, (const float *const[]){NULL, params + 3953}, call->count);
    // d.cell2.node1.op0.conv3x3  [8, 4, 4]
    net_pull_x2_c8_n16(arena + 927856, arena + 237680, arena + 83712, (const float *const[]){arena + 927856, arena + 919664}, (const float *const[]){NULL, params + 3953}, call->count);
    // cell2.node0.op2.bn.relu.again  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 51712, (const float *const[]){arena + 233584}, (const float *const[]){arena + 83552}, (const float *const[]){arena + 83568}, (const float *const[]){NULL});
    // d.node_ops.2.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 2753, arena + 51712, arena + 927856);
    // cell2.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 83616, params + 2753);
    // d.cell2.node0.op2.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 931952, arena + 927856, arena + 83616, NULL);
    // d.cell2.node0.op2.bn.relu.before  [8, 4, 4]
    net_affine_sum_backward_x1_c8_n16(arena + 931952, arena + 83552, arena + 931952, arena + 51712, (float *const[]){arena + 83568}, (const float *const[]){arena + 233584}, (const float *const[]){arena + 83584}, (const float *const[]){arena + 83600});
    // d.cell2.node0.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c8_n16(arena + 83616, grads + 2737, grads + 2745, arena + 83584, arena + 83600, params + 2737, (const float *const[]){arena + 83552}, (const float *const[]){arena + 83568}, (const float *const[]){NULL}, call->count);
    // d.cell2.node0.op2.conv3x3  [8, 4, 4]
    net_pull_x1_c8_n16(arena + 931952, arena + 233584, arena + 83616, (const float *const[]){arena + 931952}, (const float *const[]){NULL}, call->count);
    // cell2.node0.op2.sum.relu.again  [8, 4, 4]
    net_affine_sum_x2_c8_n16_relu(arena + 51712, (const float *const[]){arena + 47616, arena + 229488}, (const float *const[]){arena + 86512, arena + 83488}, (const float *const[]){arena + 83440, arena + 83504}, (const float *const[]){params + 2151, params + 2152});
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 2153, arena + 51712, arena + 931952);
    // cell2.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 83552, params + 2153);
    // d.cell2.node0.op2.sum.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 936048, arena + 931952, arena + 83552, NULL);
    // d.cell2.node0.op2.sum.relu.before  [8, 4, 4]
    net_affine_sum_backward_x2_c8_n16(arena + 936048, arena + 83488, arena + 936048, arena + 51712, (float *const[]){arena + 83504, arena + 83552}, (const float *const[]){arena + 47616, arena + 229488}, (const float *const[]){arena + 83456, arena + 83520}, (const float *const[]){arena + 83472, arena + 83536});
    // d.node_ops.2.node_ops.0.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c8(grads + 2151, arena + 83488, arena + 83504, params + 1535, params + 1543, params + 2151);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c8(grads + 2152, arena + 83488, arena + 83552, params + 2135, params + 2143, params + 2152);
    // d.cell2.node0.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c8_n16(arena + 83568, grads + 2135, grads + 2143, arena + 83520, arena + 83536, params + 2135, (const float *const[]){arena + 83488}, (const float *const[]){arena + 83552}, (const float *const[]){params + 2152}, call->count);
    // d.cell2.node0.op1.conv3x3  [8, 4, 4]
    net_pull_x1_c8_n16(arena + 51712, arena + 229488, arena + 83568, (const float *const[]){arena + 936048}, (const float *const[]){params + 2152}, call->count);
    // cell2.node0.op0.bn.relu.again  [8, 4, 4]
    net_affine_sum_x1_c8_n16_relu(arena + 940144, (const float *const[]){arena + 47616}, (const float *const[]){arena + 86512}, (const float *const[]){arena + 83440}, (const float *const[]){NULL});
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 1551, arena + 940144, arena + 51712);
    // cell2.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 83520, params + 1551);
    // d.cell2.node0.op0.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 944240, arena + 51712, arena + 83520, NULL);
    // d.cell2.node0.op0.bn.relu.before  [8, 4, 4]
    net_affine_sum_backward_x1_c8_n16(arena + 944240, arena + 83440, arena + 944240, arena + 940144, (float *const[]){arena + 86512}, (const float *const[]){arena + 47616}, (const float *const[]){arena + 83456}, (const float *const[]){arena + 83472});
    // d.cell2.node0.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c8_n16(arena + 83520, grads + 1535, grads + 1543, arena + 83456, arena + 83472, params + 1535, (const float *const[]){arena + 83440, arena + 83488}, (const float *const[]){arena + 86512, arena + 83504}, (const float *const[]){NULL, params + 2151}, call->count);
    // d.cell2.node0.op0.conv3x3  [8, 4, 4]
    net_pull_x2_c8_n16(arena + 944240, arena + 47616, arena + 83520, (const float *const[]){arena + 944240, arena + 936048}, (const float *const[]){NULL, params + 2151}, call->count);
    // cell2.sum.relu.again  [4, 4, 4]
    net_affine_sum_x2_c4_n16_relu(arena + 948336, (const float *const[]){arena + 86528, arena + 84464}, (const float *const[]){NULL, arena + 82352}, (const float *const[]){NULL, arena + 82368}, (const float *const[]){NULL, params + 1238});
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c4_h4_w4_k8_r3_s3(grads + 1239, arena + 948336, arena + 944240);
    // cell2.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k8_c4_r3_s3(arena + 83440, params + 1239);
    // d.cell2.sum.relu  [4, 4, 4]
    net_conv_c8_h4_w4_k4_r3_s3(arena + 950384, arena + 944240, arena + 83440, NULL);
    // d.cell2.sum.relu.before  [4, 4, 4]
    net_affine_sum_backward_x2_c4_n16(arena + 950384, arena + 86512, arena + 950384, arena + 948336, (float *const[]){NULL, arena + 82352}, (const float *const[]){arena + 86528, arena + 84464}, (const float *const[]){NULL, arena + 82384}, (const float *const[]){NULL, arena + 82400});
    // d.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c4(grads + 1238, arena + 86512, arena + 82352, params + 1218, params + 1222, params + 1238);
    // d.cell2.projection0  [4, 4, 4]
    net_pull_x1_c4_n16(arena + 83440, NULL, NULL, (const float *const[]){arena + 950384}, (const float *const[]){NULL}, call->count);
    // cell0.node1.op2.bn.pooled.again  [2, 4, 4]
    net_affine_sum_x1_c2_n16(arena + 85488, (const float *const[]){arena + 82416}, (const float *const[]){arena + 41408}, (const float *const[]){arena + 41424}, (const float *const[]){NULL});
    // d.node_ops.2.merger.0.weight
    net_conv_weights_backward_c2_h4_w4_k4_r1_s1(grads + 1226, arena + 85488, arena + 83440);
    // d.node_ops.2.merger.0.bias
    net_channel_sum_c4_n16(grads + 1234, arena + 83440);
    // cell2.projection0.packed_backward
    net_pack_weights_backward_k4_c2_r1_s1(arena + 82368, params + 1226);
    // d.cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_conv_c4_h4_w4_k2_r1_s1(arena + 85488, arena + 83440, arena + 82368, NULL);
    // d.cell1.node1.op2.bn.pooled.raw.whole  [4, 8, 8]
    net_adaptive_pool_backward_c4_h8_w8_oh4_ow4(arena + 45568, arena + 950384);
    // d.cell0.node1.op2.bn.pooled.q
    net_affine_sum_reduce_x1_c2_n16(arena + 82368, arena + 85488, (float *const[]){arena + 83440}, (const float *const[]){arena + 82416}, (const float *const[]){arena + 41440}, (const float *const[]){arena + 41456});
    // d.cell0.node1.op2.bn.pooled.raw.whole  [2, 16, 16]
    net_adaptive_pool_backward_c2_h16_w16_oh4_ow4(arena + 229488, arena + 85488);
}

// cell 1, backward
static void net_gradient_cell_1_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell1.node1.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c4_n64(arena + 82416, grads + 1218, grads + 1222, arena + 82384, arena + 82400, params + 1218, (const float *const[]){arena + 86512}, (const float *const[]){arena + 82352}, (const float *const[]){params + 1238}, call->count);
    // d.cell1.node1.op2.conv3x3  [4, 8, 8]
    net_pull_x1_c4_n64(arena + 45568, arena + 221296, arena + 82416, (const float *const[]){arena + 45568}, (const float *const[]){params + 1238}, call->count);
    // cell1.node1.op2.sum.relu.again  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 221296, (const float *const[]){arena + 204912, arena + 213104}, (const float *const[]){arena + 82224, arena + 82288}, (const float *const[]){arena + 82240, arena + 82304}, (const float *const[]){params + 1068, params + 1069});
    // d.node_ops.1.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 1070, arena + 221296, arena + 45568);
    // cell1.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 82384, params + 1070);
    // d.cell1.node1.op2.sum.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 245872, arena + 45568, arena + 82384, NULL);
    // d.cell1.node1.op2.sum.relu.before  [4, 8, 8]
    net_affine_sum_backward_x2_c4_n64(arena + 245872, arena + 82352, arena + 245872, arena + 221296, (float *const[]){arena + 82288, arena + 82304}, (const float *const[]){arena + 204912, arena + 213104}, (const float *const[]){arena + 82256, arena + 82320}, (const float *const[]){arena + 82272, arena + 82336});
    // d.node_ops.1.node_ops.1.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c4(grads + 1068, arena + 82352, arena + 82288, params + 904, params + 908, params + 1068);
    // d.node_ops.1.node_ops.1.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c4(grads + 1069, arena + 82352, arena + 82304, params + 1060, params + 1064, params + 1069);
    // d.cell1.node1.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c4_n64(arena + 82384, grads + 1060, grads + 1064, arena + 82320, arena + 82336, params + 1060, (const float *const[]){arena + 82352}, (const float *const[]){arena + 82304}, (const float *const[]){params + 1069}, call->count);
    // d.cell1.node1.op1.conv3x3  [4, 8, 8]
    net_pull_x1_c4_n64(arena + 221296, arena + 213104, arena + 82384, (const float *const[]){arena + 245872}, (const float *const[]){params + 1069}, call->count);
    // cell1.node1.op0.bn.relu.again  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 213104, (const float *const[]){arena + 204912}, (const float *const[]){arena + 82224}, (const float *const[]){arena + 82240}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 912, arena + 213104, arena + 221296);
    // cell1.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 82384, params + 912);
    // d.cell1.node1.op0.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 45568, arena + 221296, arena + 82384, NULL);
    // d.cell1.node1.op0.bn.relu.before  [4, 8, 8]
    net_affine_sum_backward_x1_c4_n64(arena + 45568, arena + 82224, arena + 45568, arena + 213104, (float *const[]){arena + 82240}, (const float *const[]){arena + 204912}, (const float *const[]){arena + 82256}, (const float *const[]){arena + 82272});
    // d.cell1.node1.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c4_n64(arena + 82304, grads + 904, grads + 908, arena + 82256, arena + 82272, params + 904, (const float *const[]){arena + 82224, arena + 82352}, (const float *const[]){arena + 82240, arena + 82288}, (const float *const[]){NULL, params + 1068}, call->count);
    // d.cell1.node1.op0.conv3x3  [4, 8, 8]
    net_pull_x2_c4_n64(arena + 45568, arena + 204912, arena + 82304, (const float *const[]){arena + 45568, arena + 245872}, (const float *const[]){NULL, params + 1068}, call->count);
    // cell1.node0.op2.bn.relu.again  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 204912, (const float *const[]){arena + 196720}, (const float *const[]){arena + 82160}, (const float *const[]){arena + 82176}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 756, arena + 204912, arena + 45568);
    // cell1.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 82224, params + 756);
    // d.cell1.node0.op2.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 213104, arena + 45568, arena + 82224, NULL);
    // d.cell1.node0.op2.bn.relu.before  [4, 8, 8]
    net_affine_sum_backward_x1_c4_n64(arena + 213104, arena + 82160, arena + 213104, arena + 204912, (float *const[]){arena + 82176}, (const float *const[]){arena + 196720}, (const float *const[]){arena + 82192}, (const float *const[]){arena + 82208});
    // d.cell1.node0.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c4_n64(arena + 82224, grads + 748, grads + 752, arena + 82192, arena + 82208, params + 748, (const float *const[]){arena + 82160}, (const float *const[]){arena + 82176}, (const float *const[]){NULL}, call->count);
    // d.cell1.node0.op2.conv3x3  [4, 8, 8]
    net_pull_x1_c4_n64(arena + 213104, arena + 196720, arena + 82224, (const float *const[]){arena + 213104}, (const float *const[]){NULL}, call->count);
    // cell1.node0.op2.sum.relu.again  [4, 8, 8]
    net_affine_sum_x2_c4_n64_relu(arena + 221296, (const float *const[]){arena + 73840, arena + 188528}, (const float *const[]){arena + 82032, arena + 82096}, (const float *const[]){arena + 82048, arena + 82112}, (const float *const[]){params + 598, params + 599});
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 600, arena + 221296, arena + 213104);
    // cell1.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 82160, params + 600);
    // d.cell1.node0.op2.sum.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 45568, arena + 213104, arena + 82160, NULL);
    // d.cell1.node0.op2.sum.relu.before  [4, 8, 8]
    net_affine_sum_backward_x2_c4_n64(arena + 45568, arena + 82096, arena + 45568, arena + 221296, (float *const[]){arena + 82112, arena + 82160}, (const float *const[]){arena + 73840, arena + 188528}, (const float *const[]){arena + 82064, arena + 82128}, (const float *const[]){arena + 82080, arena + 82144});
    // d.node_ops.1.node_ops.0.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c4(grads + 598, arena + 82096, arena + 82112, params + 434, params + 438, params + 598);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c4(grads + 599, arena + 82096, arena + 82160, params + 590, params + 594, params + 599);
    // d.cell1.node0.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c4_n64(arena + 82176, grads + 590, grads + 594, arena + 82128, arena + 82144, params + 590, (const float *const[]){arena + 82096}, (const float *const[]){arena + 82160}, (const float *const[]){params + 599}, call->count);
    // d.cell1.node0.op1.conv3x3  [4, 8, 8]
    net_pull_x1_c4_n64(arena + 196720, arena + 188528, arena + 82176, (const float *const[]){arena + 45568}, (const float *const[]){params + 599}, call->count);
    // cell1.node0.op0.bn.relu.again  [4, 8, 8]
    net_affine_sum_x1_c4_n64_relu(arena + 188528, (const float *const[]){arena + 73840}, (const float *const[]){arena + 82032}, (const float *const[]){arena + 82048}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 442, arena + 188528, arena + 196720);
    // cell1.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 82128, params + 442);
    // d.cell1.node0.op0.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 204912, arena + 196720, arena + 82128, NULL);
    // d.cell1.node0.op0.bn.relu.before  [4, 8, 8]
    net_affine_sum_backward_x1_c4_n64(arena + 204912, arena + 82032, arena + 204912, arena + 188528, (float *const[]){arena + 82048}, (const float *const[]){arena + 73840}, (const float *const[]){arena + 82064}, (const float *const[]){arena + 82080});
    // d.cell1.node0.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c4_n64(arena + 82128, grads + 434, grads + 438, arena + 82064, arena + 82080, params + 434, (const float *const[]){arena + 82032, arena + 82096}, (const float *const[]){arena + 82048, arena + 82112}, (const float *const[]){NULL, params + 598}, call->count);
    // d.cell1.node0.op0.conv3x3  [4, 8, 8]
    net_pull_x2_c4_n64(arena + 204912, arena + 73840, arena + 82128, (const float *const[]){arena + 204912, arena + 45568}, (const float *const[]){NULL, params + 598}, call->count);
    // cell0.node1.op2.bn.pooled.relu.again  [2, 8, 8]
    net_affine_sum_x1_c2_n64_relu(arena + 83456, (const float *const[]){arena + 41472}, (const float *const[]){arena + 41408}, (const float *const[]){arena + 41424}, (const float *const[]){NULL});
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h8_w8_k4_r3_s3(grads + 358, arena + 83456, arena + 204912);
    // cell1.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k4_c2_r3_s3(arena + 82384, params + 358);
    // d.cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_conv_c4_h8_w8_k2_r3_s3(arena + 73840, arena + 204912, arena + 82384, NULL);
    // d.cell0.node1.op2.bn.pooled.relu.before  [2, 8, 8]
    net_affine_sum_backward_x1_c2_n64(arena + 73840, arena + 41408, arena + 73840, arena + 83456, (float *const[]){arena + 41424}, (const float *const[]){arena + 41472}, (const float *const[]){arena + 41440}, (const float *const[]){arena + 41456});
    // d.cell0.node1.op2.bn.pooled.raw.whole  [2, 16, 16]
    net_adaptive_pool_backward_c2_h16_w16_oh8_ow8(arena + 188528, arena + 73840);
}

// cell 0, backward
static void net_gradient_cell_0_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell0.node1.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c2_n256(arena + 82384, grads + 354, grads + 356, arena + 41440, arena + 41456, params + 354, (const float *const[]){arena + 41408, arena + 82368}, (const float *const[]){arena + 41424, arena + 83440}, (const float *const[]){NULL, NULL}, call->count);
    // d.cell0.node1.op2.conv3x3  [2, 16, 16]
    net_pull_x2_c2_n256(arena + 188528, arena + 172144, arena + 82384, (const float *const[]){arena + 188528, arena + 229488}, (const float *const[]){NULL, NULL}, call->count);
    // cell0.node1.op2.sum.relu.again  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 73840, (const float *const[]){arena + 139376, arena + 155760}, (const float *const[]){arena + 41280, arena + 41344}, (const float *const[]){arena + 41296, arena + 41360}, (const float *const[]){params + 314, params + 315});
    // d.node_ops.0.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 316, arena + 73840, arena + 188528);
    // cell0.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41408, params + 316);
    // d.cell0.node1.op2.sum.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 172144, arena + 188528, arena + 41408, NULL);
    // d.cell0.node1.op2.sum.relu.before  [2, 16, 16]
    net_affine_sum_backward_x2_c2_n256(arena + 172144, arena + 41344, arena + 172144, arena + 73840, (float *const[]){arena + 41360, arena + 41408}, (const float *const[]){arena + 139376, arena + 155760}, (const float *const[]){arena + 41312, arena + 41376}, (const float *const[]){arena + 41328, arena + 41392});
    // d.node_ops.0.node_ops.1.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c2(grads + 314, arena + 41344, arena + 41360, params + 268, params + 270, params + 314);
    // d.node_ops.0.node_ops.1.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c2(grads + 315, arena + 41344, arena + 41408, params + 310, params + 312, params + 315);
    // d.cell0.node1.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c2_n256(arena + 41424, grads + 310, grads + 312, arena + 41376, arena + 41392, params + 310, (const float *const[]){arena + 41344}, (const float *const[]){arena + 41408}, (const float *const[]){params + 315}, call->count);
    // d.cell0.node1.op1.conv3x3  [2, 16, 16]
    net_pull_x1_c2_n256(arena + 73840, arena + 155760, arena + 41424, (const float *const[]){arena + 172144}, (const float *const[]){params + 315}, call->count);
    // cell0.node1.op0.bn.relu.again  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 155760, (const float *const[]){arena + 139376}, (const float *const[]){arena + 41280}, (const float *const[]){arena + 41296}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 272, arena + 155760, arena + 73840);
    // cell0.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41376, params + 272);
    // d.cell0.node1.op0.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 188528, arena + 73840, arena + 41376, NULL);
    // d.cell0.node1.op0.bn.relu.before  [2, 16, 16]
    net_affine_sum_backward_x1_c2_n256(arena + 188528, arena + 41280, arena + 188528, arena + 155760, (float *const[]){arena + 41296}, (const float *const[]){arena + 139376}, (const float *const[]){arena + 41312}, (const float *const[]){arena + 41328});
    // d.cell0.node1.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c2_n256(arena + 41376, grads + 268, grads + 270, arena + 41312, arena + 41328, params + 268, (const float *const[]){arena + 41280, arena + 41344}, (const float *const[]){arena + 41296, arena + 41360}, (const float *const[]){NULL, params + 314}, call->count);
    // d.cell0.node1.op0.conv3x3  [2, 16, 16]
    net_pull_x2_c2_n256(arena + 188528, arena + 139376, arena + 41376, (const float *const[]){arena + 188528, arena + 172144}, (const float *const[]){NULL, params + 314}, call->count);
    // cell0.node0.op2.bn.relu.again  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 122992}, (const float *const[]){arena + 41216}, (const float *const[]){arena + 41232}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 230, arena + 73840, arena + 188528);
    // cell0.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41280, params + 230);
    // d.cell0.node0.op2.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 139376, arena + 188528, arena + 41280, NULL);
    // d.cell0.node0.op2.bn.relu.before  [2, 16, 16]
    net_affine_sum_backward_x1_c2_n256(arena + 139376, arena + 41216, arena + 139376, arena + 73840, (float *const[]){arena + 41232}, (const float *const[]){arena + 122992}, (const float *const[]){arena + 41248}, (const float *const[]){arena + 41264});
    // d.cell0.node0.op2.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c2_n256(arena + 41280, grads + 226, grads + 228, arena + 41248, arena + 41264, params + 226, (const float *const[]){arena + 41216}, (const float *const[]){arena + 41232}, (const float *const[]){NULL}, call->count);
    // d.cell0.node0.op2.conv3x3  [2, 16, 16]
    net_pull_x1_c2_n256(arena + 139376, arena + 122992, arena + 41280, (const float *const[]){arena + 139376}, (const float *const[]){NULL}, call->count);
    // cell0.node0.op2.sum.relu.again  [2, 16, 16]
    net_affine_sum_x2_c2_n256_relu(arena + 73840, (const float *const[]){arena + 90224, arena + 106608}, (const float *const[]){arena + 41088, arena + 41152}, (const float *const[]){arena + 41104, arena + 41168}, (const float *const[]){params + 186, params + 187});
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 188, arena + 73840, arena + 139376);
    // cell0.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41216, params + 188);
    // d.cell0.node0.op2.sum.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 122992, arena + 139376, arena + 41216, NULL);
    // d.cell0.node0.op2.sum.relu.before  [2, 16, 16]
    net_affine_sum_backward_x2_c2_n256(arena + 122992, arena + 41152, arena + 122992, arena + 73840, (float *const[]){arena + 41168, arena + 41216}, (const float *const[]){arena + 90224, arena + 106608}, (const float *const[]){arena + 41120, arena + 41184}, (const float *const[]){arena + 41136, arena + 41200});
    // d.node_ops.0.node_ops.0.node_ops.2.merger.0.mean
    net_affine_scalar_backward_c2(grads + 186, arena + 41152, arena + 41168, params + 140, params + 142, params + 186);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.1.mean
    net_affine_scalar_backward_c2(grads + 187, arena + 41152, arena + 41216, params + 182, params + 184, params + 187);
    // d.cell0.node0.op1.conv3x3.coefficients
    net_batchnorm_coefficients_x1_c2_n256(arena + 41232, grads + 182, grads + 184, arena + 41184, arena + 41200, params + 182, (const float *const[]){arena + 41152}, (const float *const[]){arena + 41216}, (const float *const[]){params + 187}, call->count);
    // d.cell0.node0.op1.conv3x3  [2, 16, 16]
    net_pull_x1_c2_n256(arena + 73840, arena + 106608, arena + 41232, (const float *const[]){arena + 122992}, (const float *const[]){params + 187}, call->count);
    // cell0.node0.op0.bn.relu.again  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 106608, (const float *const[]){arena + 90224}, (const float *const[]){arena + 41088}, (const float *const[]){arena + 41104}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 144, arena + 106608, arena + 73840);
    // cell0.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41184, params + 144);
    // d.cell0.node0.op0.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 139376, arena + 73840, arena + 41184, NULL);
    // d.cell0.node0.op0.bn.relu.before  [2, 16, 16]
    net_affine_sum_backward_x1_c2_n256(arena + 139376, arena + 41088, arena + 139376, arena + 106608, (float *const[]){arena + 41104}, (const float *const[]){arena + 90224}, (const float *const[]){arena + 41120}, (const float *const[]){arena + 41136});
    // d.cell0.node0.op0.conv3x3.coefficients
    net_batchnorm_coefficients_x2_c2_n256(arena + 41184, grads + 140, grads + 142, arena + 41120, arena + 41136, params + 140, (const float *const[]){arena + 41088, arena + 41152}, (const float *const[]){arena + 41104, arena + 41168}, (const float *const[]){NULL, params + 186}, call->count);
    // d.cell0.node0.op0.conv3x3  [2, 16, 16]
    net_pull_x2_c2_n256(arena + 139376, arena + 90224, arena + 41184, (const float *const[]){arena + 139376, arena + 122992}, (const float *const[]){NULL, params + 186}, call->count);
    // stem.bn1.relu.again  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 73840, (const float *const[]){arena + 57456}, (const float *const[]){arena + 41024}, (const float *const[]){arena + 41040}, (const float *const[]){NULL});
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 102, arena + 73840, arena + 139376);
    // cell0.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 41088, params + 102);
    // d.stem.bn1.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 90224, arena + 139376, arena + 41088, NULL);
    // d.stem.bn1.relu.before  [2, 16, 16]
    net_affine_sum_backward_x1_c2_n256(arena + 90224, arena + 41024, arena + 90224, arena + 73840, (float *const[]){arena + 41040}, (const float *const[]){arena + 57456}, (const float *const[]){arena + 41056}, (const float *const[]){arena + 41072});
}

// stem, backward
static void net_gradient_stem_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.stem.conv1.coefficients
    net_batchnorm_coefficients_x1_c2_n256(arena + 41088, grads + 98, grads + 100, arena + 41056, arena + 41072, params + 98, (const float *const[]){arena + 41024}, (const float *const[]){arena + 41040}, (const float *const[]){NULL}, call->count);
    // d.stem.conv1  [2, 16, 16]
    net_pull_x1_c2_n256(arena + 90224, arena + 57456, arena + 41088, (const float *const[]){arena + 90224}, (const float *const[]){NULL}, call->count);
    // stem.bn0.relu.again  [2, 16, 16]
    net_affine_sum_x1_c2_n256_relu(arena + 41024, (const float *const[]){arena + 24640}, (const float *const[]){arena + 24576}, (const float *const[]){arena + 24592}, (const float *const[]){NULL});
    // d.first_conv.3.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 60, arena + 41024, arena + 90224);
    // stem.conv1.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 57408, params + 60);
    // d.stem.bn0.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 57456, arena + 90224, arena + 57408, NULL);
    // d.stem.bn0.relu.before  [2, 16, 16]
    net_affine_sum_backward_x1_c2_n256(arena + 57456, arena + 24576, arena + 57456, arena + 41024, (float *const[]){arena + 24592}, (const float *const[]){arena + 24640}, (const float *const[]){arena + 24608}, (const float *const[]){arena + 24624});
    // d.stem.conv0.coefficients
    net_batchnorm_coefficients_x1_c2_n256(arena + 41024, grads + 56, grads + 58, arena + 24608, arena + 24624, params + 56, (const float *const[]){arena + 24576}, (const float *const[]){arena + 24592}, (const float *const[]){NULL}, call->count);
    // d.stem.conv0  [2, 16, 16]
    net_pull_x1_c2_n256(arena + 57456, arena + 24640, arena + 41024, (const float *const[]){arena + 57456}, (const float *const[]){NULL}, call->count);
    // d.first_conv.0.weight
    net_conv_weights_backward_c3_h16_w16_k2_r3_s3(grads + 0, arena + 0, arena + 57456);
}

// biases in front of a batch normalisation, backward
static void net_gradient_zero_biases_backward(const net_call *call)
{
    float *const grads = call->grads;

    // d.conv_out.1.bias
    net_zero_x1_n1280((float *const[]){grads + 14795});
    // d.node_ops.2.node_ops.1.node_ops.2.operation.op.bias
    net_zero_x6_n8((float *const[]){grads + 4531, grads + 3929, grads + 3329, grads + 2729, grads + 2127, grads + 1527});
    // d.node_ops.1.node_ops.1.node_ops.2.operation.op.bias
    net_zero_x6_n4((float *const[]){grads + 1214, grads + 1056, grads + 900, grads + 744, grads + 586, grads + 430});
    // d.node_ops.0.node_ops.1.node_ops.2.operation.op.bias
    net_zero_x8_n2((float *const[]){grads + 352, grads + 308, grads + 266, grads + 224, grads + 180, grads + 138, grads + 96, grads + 54});
}

static void net_program_gradient(const net_call *call)
{
    net_gradient_stem(call);
    net_gradient_cell_0(call);
    net_gradient_cell_1(call);
    net_gradient_cell_2(call);
    net_gradient_head(call);
    net_gradient_head_backward(call);
    net_gradient_cell_2_backward(call);
    net_gradient_cell_1_backward(call);
    net_gradient_cell_0_backward(call);
    net_gradient_stem_backward(call);
    net_gradient_zero_biases_backward(call);
}

// update
static void net_update_update(const net_call *call)
{
    float *const params = call->params;
    float *const grads = call->grads;
    float *const state = call->state;

    // params
    net_sgd_n23759(params + 0, state + 2736, grads + 0, call->learning_rate, call->momentum, call->weight_decay);
}

static void net_program_update(const net_call *call)
{
    net_update_update(call);
}

// face_pixels.c - raw pixels to what the network reads: (pixel / 255 - mean) / deviation, per
// channel.

// One image; hwc tells that the channels of a pixel lie together.
static void net_normalise(const uint8_t *pixels, float *image, int hwc)
{
    for (int c = 0; c < NET_CHANNELS; c++)
        for (int i = 0; i < NET_HEIGHT * NET_WIDTH; i++) {
            const uint8_t pixel =
                hwc ? pixels[i * NET_CHANNELS + c] : pixels[c * NET_HEIGHT * NET_WIDTH + i];
            image[c * NET_HEIGHT * NET_WIDTH + i] =
                ((float)pixel * (1.0f / 255.0f) - net_mean[c]) / net_deviation[c];
        }
}

static _Alignas(64) float net_arena[NET_ARENA_BYTES / 4];

// face_train.c - how a program calls a trainable file.

static unsigned long long net_seed, net_step;

// Fills net_params and net_state from a seed; the momentum is zero, running means 0 and variances 1.
void net_init(uint64_t seed)
{
    memset(net_state, 0, sizeof net_state);
    memset(net_grads, 0, sizeof net_grads);
    for (int i = 0; i < NET_PARAM_TENSORS; i++)
        net_init_tensor(net_params + net_param_table[i].offset, &net_param_table[i], seed);
    for (int i = 0; i < NET_STATE_TENSORS; i++)
        net_init_tensor(net_state + net_state_table[i].offset, &net_state_table[i], seed);
    net_seed = seed;
    net_step = 0;
}

// One step of SGD on the first `count` <= NET_BATCH images: forward in training mode, backward,
// update.  Returns the mean loss.  labels: 0 .. NET_CLASSES - 1.  The gradients stay in net_grads.
float net_train_step(const float *images, const int32_t *labels, int count, float learning_rate)
{
    float loss = 0.0f;
    const net_call call = {.arena = net_arena,
                          .params = net_params,
                          .grads = net_grads,
                          .state = net_state,
                          .images = images,
                          .labels = (const int *)labels,
                          .loss = &loss,
                          .count = count,
                          .learning_rate = learning_rate,
                          .momentum = NET_MOMENTUM,
                          .weight_decay = NET_WEIGHT_DECAY,
                          .label_smoothing = NET_LABEL_SMOOTHING,
                          .seed = net_seed,
                          .step = net_step++,
                          .dropout = NET_DROPOUT};
    net_program_gradient(&call);
    net_program_update(&call);
    return loss;
}

// images: [NET_BATCH][NET_CHANNELS][NET_HEIGHT][NET_WIDTH], normalised; logits: [NET_BATCH][NET_CLASSES];
// running statistics. arena: NET_ARENA_BYTES, aligned to 64 bytes.
void net_infer_in(void *arena, const float *images, float *logits)
{
    const net_call call = {.arena = (float *)arena,
                          .params = net_params,
                          .state = net_state,
                          .images = images,
                          .logits = logits,
                          .count = NET_BATCH};
    net_program_infer(&call);
}

void net_infer(const float *images, float *logits)
{
    net_infer_in(net_arena, images, logits);
}

void net_infer_u8(const uint8_t *images, float *logits)
{
    static float normalised[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH];
    for (int n = 0; n < NET_BATCH; n++)
        net_normalise(images + (size_t)n * NET_CHANNELS * NET_HEIGHT * NET_WIDTH,
                     normalised + (size_t)n * NET_CHANNELS * NET_HEIGHT * NET_WIDTH,
                     NET_PIXELS_ARE_HWC);
    net_infer(normalised, logits);
}

#ifdef NET_MAIN
// main_read.c - records from a file: one label byte, then NET_CHANNELS * NET_HEIGHT * NET_WIDTH pixel
// bytes, channel by channel (CIFAR-10's own format).
#include <stdio.h>
#include <stdlib.h>

// Reads up to NET_BATCH records, normalised; returns how many.  A piece of a record at the end is an
// error.
static int net_read_batch(FILE *file, float *images, int32_t *labels)
{
    static uint8_t record[1 + NET_CHANNELS * NET_HEIGHT * NET_WIDTH];
    for (int n = 0; n < NET_BATCH; n++) {
        const size_t got = fread(record, 1, sizeof record, file);
        if (got == 0)
            return n;
        if (got != sizeof record || record[0] >= NET_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n",
                    (unsigned long)got, (unsigned long)sizeof record, record[0], NET_CLASSES);
            exit(2);
        }
        labels[n] = record[0];
        net_normalise(record + 1, images + (size_t)n * (sizeof record - 1), 0);
    }
    return NET_BATCH;
}

// Prints the logits of every record and, at the end, how many were classified right.
static void net_evaluate(FILE *file)
{
    static float images[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH],
        logits[NET_BATCH * NET_CLASSES];
    static int32_t labels[NET_BATCH];
    long right = 0, all = 0;
    for (int count; (count = net_read_batch(file, images, labels)) > 0; all += count) {
        net_infer(images, logits);
        for (int n = 0; n < count; n++) {
            const float *row = logits + n * NET_CLASSES;
            int best = 0;
            for (int k = 0; k < NET_CLASSES; k++) {
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

// main_train.c - the program that -D NET_MAIN adds to a trainable file:
//   ./net [TRAIN.bin [EPOCHS [LEARNING_RATE]]] < TEST.bin
// trains on the records of TRAIN.bin in their order, then prints the logits of TEST.bin's and the
// accuracy.
int main(int argc, char **argv)
{
    static float images[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH];
    static int32_t labels[NET_BATCH];
    const int epochs = argc > 2 ? atoi(argv[2]) : 1;
    const float learning_rate = argc > 3 ? (float)atof(argv[3]) : 0.05f;
    net_init(NET_SEED);
    for (int epoch = 0; argc > 1 && epoch < epochs; epoch++) {
        FILE *file = fopen(argv[1], "rb");
        double loss = 0.0;
        long steps = 0;
        if (!file) {
            fprintf(stderr, "error: cannot open %s\n", argv[1]);
            return 2;
        }
        for (int count; (count = net_read_batch(file, images, labels)) > 0; steps++)
            loss += (double)net_train_step(images, labels, count, learning_rate);
        fclose(file);
        fprintf(stderr, "epoch %d: mean loss %.4f\n", epoch + 1,
                steps ? loss / (double)steps : 0.0);
    }
    net_evaluate(stdin);
    return 0;
}
#endif
