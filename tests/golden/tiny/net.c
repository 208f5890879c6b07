// An HNAG network as standalone C11, to be trained: 1 x 8 x 8 images to 3 classes.
//
//     made by   nagoc --batch=4 --prefix=tiny theta.json
//     compiler  nagoc 0.1.0
//
// 3 cells, 3 nodes, 9 ops (9 conv3x3), sum merges, cells at 2x8x8 (1), 4x4x4 (1), 8x2x2 (1), 1908 op
// weights
// 20042 trained numbers, 0.07 million multiply-adds an image.
//
// Memory: arena 2466624 bytes, parameters, gradients and momentum 80168 bytes each, statistics 10608 bytes.
//
// Compile: cc -O3 -march=native -c FILE.c, link with -lm; -DNK_MAIN makes a program that classifies records
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
// TINY_LANES is the innermost extent of every activation: 32 images of a group in training ([groups][C][H][W][32]),
// 1 in inference files that work on one image ([C][H][W]).  TINY_VECTOR is the number of floats of the machine's
// vector; 1 means plain C (tcc, or a compiler without vector extensions).
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

#if defined(__GNUC__) && !defined(__TINYC__)
#define TINY_NOINLINE __attribute__((noinline))
#else
#define TINY_NOINLINE
#endif

enum {
    TINY_CHANNELS = 1,
    TINY_HEIGHT = 8,
    TINY_WIDTH = 8,
    TINY_CLASSES = 3,
    TINY_BATCH = 4,
    TINY_ARENA_BYTES = 2466624,
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
TINY_INLINE void tiny_pack_images(float *y, const float *images, int channels, int height, int width, int groups, int count,
                              int part, int parts)
{
    const int size = channels * height * width;
    for (int g = 0; g < groups; g++) {
        float *group = y + (size_t)g * size * TINY_LANES;
        for (int i = tiny_share(size, part, parts); i < tiny_share(size, part + 1, parts); i++)
            for (int l = 0; l < TINY_LANES; l++) {
                const int n = g * TINY_LANES + l;
                group[(size_t)i * TINY_LANES + l] = n < count ? images[(size_t)n * size + i] : 0.0f;
            }
    }
}

// p[c][r][s][k] = w[k][c][r][s]: a kernel reads the filters of one tap next to each other.
TINY_INLINE void tiny_pack_weights(float *p, const float *w, int filters, int channels, int kernel_h, int kernel_w, int part,
                               int parts)
{
    const int taps = channels * kernel_h * kernel_w;
    for (int t = tiny_share(taps, part, parts); t < tiny_share(taps, part + 1, parts); t++)
        for (int k = 0; k < filters; k++)
            p[(size_t)t * filters + k] = w[(size_t)k * taps + t];
}

// p[k][r][s][c] = w[k][c][kernel_h-1-r][kernel_w-1-s]: the same convolution kernel then computes the gradient of its
// input, with filters and channels exchanged.
TINY_INLINE void tiny_pack_weights_backward(float *p, const float *w, int filters, int channels, int kernel_h, int kernel_w,
                                        int part, int parts)
{
    const int taps = kernel_h * kernel_w;
    for (int k = tiny_share(filters, part, parts); k < tiny_share(filters, part + 1, parts); k++)
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                p[((size_t)k * taps + t) * channels + c] = w[((size_t)k * channels + c) * taps + (taps - 1 - t)];
}

// logits[n][k] = x[group][k][lane] for the count images of the call; logits may be NULL (training asks for none).
TINY_INLINE void tiny_unpack_logits(float *logits, const float *x, int classes, int count, int part, int parts)
{
    if (!logits)
        return;
    for (int n = tiny_share(count, part, parts); n < tiny_share(count, part + 1, parts); n++)
        for (int k = 0; k < classes; k++)
            logits[(size_t)n * classes + k] = x[((size_t)(n / TINY_LANES) * classes + k) * TINY_LANES + n % TINY_LANES];
}

// ---- conv.c - convolution, stride 1, zero padding kernel/2, batch innermost:
//
//   y[k][h][w][lane] (+)= b[k] + sum over c, r, s of p[c][r][s][k] * x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Images lie in the vector lanes, so every channel count, kernel size and border fills the vectors.  A tile of
// `tile` filters x two vectors stays in registers while all taps are summed; weights are broadcast scalars.
// The gradient of the input is the same convolution of dy with tiny_pack_weights_backward's weights.

// Filters of a tile: two vectors each, plus two of x, in 32 (AVX-512, NEON) or 16 registers.
#if TINY_VECTOR == 16 || defined(__aarch64__)
#define TINY_CONV_TILE 14
#else
#define TINY_CONV_TILE 6
#endif
#define TINY_CONV_STEP (2 * TINY_VECTOR)

// Filters k0..k0+tile of pixels (h, w0..w1), `tile` constant where this is expanded.
TINY_INLINE void tiny_conv_tile(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                            int filters, int kernel_h, int kernel_w, int accumulate, int k0, const int tile, int h)
{
    const size_t plane = (size_t)height * width * TINY_LANES;
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
                    const float *row = x + c * plane + ((int64_t)(h + r - kernel_h / 2) * width + w - kernel_w / 2) * TINY_LANES + l;
                    const float *weight = p + ((size_t)(c * kernel_h + r) * kernel_w) * filters + k0;
                    for (int s = s0; s < s1; s++) {
                        const tiny_vector x0 = tiny_load(row + s * TINY_LANES), x1 = tiny_load(row + s * TINY_LANES + TINY_VECTOR);
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

// Near-equal tiles: 19 filters are 10 + 9, not 14 + 5.  The first `wide` tiles have one filter more.
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

#ifndef TINY_CONV_DISPATCH
// One row of one tile.  The tile is a constant where the shape is: both sizes are expanded in place.
TINY_INLINE void tiny_conv_row(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                           int filters, int kernel_h, int kernel_w, int accumulate, int k0, int tile, int h)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    if (tile == split.tile)
        tiny_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, k0, split.tile, h);
    else
        tiny_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, k0, split.tile - 1, h);
}
#endif

TINY_INLINE void tiny_conv(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                       int filters, int kernel_h, int kernel_w, int accumulate, int groups, int part, int parts)
{
    const tiny_conv_split split = tiny_split_filters(filters);
    const size_t plane = (size_t)height * width * TINY_LANES;
    const int rows = split.tiles * height;
    for (int g = 0; g < groups; g++)
        for (int i = tiny_share(rows, part, parts); i < tiny_share(rows, part + 1, parts); i++) {
            const int t = i / height, narrow = t >= split.wide;
            tiny_conv_row(y + g * filters * plane, x + g * channels * plane, p, b, channels, height, width, filters, kernel_h,
                        kernel_w, accumulate, t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow, i % height);
        }
}

// ---- batchnorm.c - batch normalisation over the count images of a call (Ioffe & Szegedy 2015; PyTorch's constants:
// eps 1e-5, momentum 0.1, running variance unbiased).  size: pixels of a channel.

#define TINY_BN_EPSILON 1e-5f
#define TINY_BN_MOMENTUM 0.1f

// The sum of a channel's count * size values f(y), lanes beyond count left out.  centre: the mean to take squares around.
TINY_INLINE double tiny_bn_sum(const float *y, int channels, int size, int groups, int count, int c, float centre, int squares)
{
    double sum = 0.0;
    for (int g = 0; g < groups; g++) {
        float lane[TINY_LANES] = {0};
        const float *in = y + ((size_t)g * channels + c) * size * TINY_LANES;
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
TINY_INLINE void tiny_bn_apply(float *z, const float *y, int channels, int size, int groups, int c, float scale, float shift,
                           int relu)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = ((size_t)g * channels + c) * size * TINY_LANES;
        for (int i = 0; i < size * TINY_LANES; i++) {
            const float value = scale * y[at + i] + shift;
            z[at + i] = relu && value < 0.0f ? 0.0f : value; // NaN stays NaN
        }
    }
}

// Training: statistics of the batch, which also move the running ones.
TINY_INLINE void tiny_batchnorm(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y,
                            const float *gamma, const float *beta, int channels, int size, int relu, int groups, int count,
                            int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float m = (float)(tiny_bn_sum(y, channels, size, groups, count, c, 0.0f, 0) / n);
        const double rest = tiny_bn_sum(y, channels, size, groups, count, c, m, 0) / n;
        const double var = tiny_bn_sum(y, channels, size, groups, count, c, m, 1) / n - rest * rest;
        mean[c] = m;
        rstd[c] = (float)(1.0 / sqrt(var + TINY_BN_EPSILON));
        running_mean[c] += TINY_BN_MOMENTUM * (m - running_mean[c]);
        running_var[c] += TINY_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
        const float scale = gamma[c] * rstd[c];
        tiny_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * m, relu);
    }
}

// Evaluation: running statistics.
TINY_INLINE void tiny_batchnorm_infer(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean,
                                  const float *running_var, int channels, int size, int relu, int groups, int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float scale = gamma[c] / sqrtf(running_var[c] + TINY_BN_EPSILON);
        tiny_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * running_mean[c], relu);
    }
}

// dbeta = sum dz, dgamma = sum dz xhat, dy = gamma rstd (dz - dbeta/n - xhat dgamma/n), xhat = (y - mean) rstd;
// with relu, dz counts only where the result z is positive.  dy is zero in the lanes beyond count.
TINY_INLINE void tiny_batchnorm_backward(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y,
                                     const float *mean, const float *rstd, const float *gamma, int channels, int size,
                                     int relu, int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        const float m = mean[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * TINY_LANES;
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
        const float a = (float)(scale * sum / n), b = (float)(scale * rstd[c] * rstd[c] * product / n);
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * TINY_LANES;
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

// ---- relu.c - y = max(x, 0), and its gradient: dx (+)= dy where y > 0.  size: values of one image.

TINY_INLINE void tiny_relu(float *y, const float *x, int size, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * TINY_LANES;
        for (int i = TINY_LANES * tiny_share(size, part, parts); i < TINY_LANES * tiny_share(size, part + 1, parts); i++)
            y[at + i] = x[at + i] < 0.0f ? 0.0f : x[at + i];
    }
}

TINY_INLINE void tiny_relu_backward(float *dx, const float *dy, const float *y, int size, int accumulate, int groups, int part,
                                int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * TINY_LANES;
        for (int i = TINY_LANES * tiny_share(size, part, parts); i < TINY_LANES * tiny_share(size, part + 1, parts); i++) {
            const float d = y[at + i] > 0.0f ? dy[at + i] : 0.0f;
            dx[at + i] = accumulate ? dx[at + i] + d : d;
        }
    }
}

// ---- weighted_sum.c - the "sum" merge and the mean of a graph's outputs (NAGO, section 2.1):
//
//   y = sum_j s_j x_j,   s_j = sigmoid(*as[j]) where the term has a learned scalar, else `scale`
//
// size: values of one image.  y may take the place of xs[0].

TINY_INLINE void tiny_weighted_sum(float *y, const float *const *xs, const float *const *as, int inputs, float scale, int size,
                               int relu, int groups, int part, int parts)
{
    enum { BLOCK = 1024 }; // floats that stay in the first cache while the terms are added
    for (int g = 0; g < groups; g++) {
        const size_t first = ((size_t)g * size + tiny_share(size, part, parts)) * TINY_LANES;
        const size_t last = ((size_t)g * size + tiny_share(size, part + 1, parts)) * TINY_LANES;
        for (size_t at = first; at < last; at += BLOCK) {
            const int n = last - at < BLOCK ? (int)(last - at) : BLOCK;
            float sum[BLOCK];
            for (int j = 0; j < inputs; j++) {
                const float s = as[j] ? tiny_sigmoid(*as[j]) : scale;
                const float *x = xs[j] + at;
                if (j == 0)
                    for (int i = 0; i < n; i++)
                        sum[i] = s * x[i];
                else
                    for (int i = 0; i < n; i++)
                        sum[i] += s * x[i];
            }
            for (int i = 0; i < n; i++)
                y[at + i] = relu && sum[i] < 0.0f ? 0.0f : sum[i];
        }
    }
}

// One term: dx (+)= s dy, and (for a learned scalar) partial[c] = sum of dy x over channel c.
// size: pixels of a channel.
TINY_INLINE void tiny_weighted_sum_backward(float *dx, float *partial, const float *dy, const float *x, const float *a,
                                        int channels, float scale, int size, int accumulate, int groups, int part, int parts)
{
    const float s = a ? tiny_sigmoid(*a) : scale;
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        float lane[TINY_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * TINY_LANES;
            if (a)
                for (int i = 0; i < size; i++)
                    for (int l = 0; l < TINY_LANES; l++)
                        lane[l] += dy[at + (size_t)i * TINY_LANES + l] * x[at + (size_t)i * TINY_LANES + l];
            if (accumulate)
                for (int i = 0; i < size * TINY_LANES; i++)
                    dx[at + i] += s * dy[at + i];
            else
                for (int i = 0; i < size * TINY_LANES; i++)
                    dx[at + i] = s * dy[at + i];
        }
        if (!a)
            continue;
        for (int l = 0; l < TINY_LANES; l++)
            sum += lane[l];
        partial[c] = sum;
    }
}

// da = sigmoid'(a) * sum_c partial[c].
TINY_INLINE void tiny_scalar_backward(float *da, const float *partial, const float *a, int channels, int part, int parts)
{
    if (part != parts - 1)
        return;
    double sum = 0.0;
    const float s = tiny_sigmoid(*a);
    for (int c = 0; c < channels; c++)
        sum += partial[c];
    *da = (float)(sum * s * (1.0f - s));
}

// ---- pool.c - adaptive average pooling (PyTorch's adaptive_avg_pool2d) and average pooling with stride 1.

// y[c][i][j] = mean of x over rows floor(i H / h) .. ceil((i+1) H / h) - 1, columns alike.  1 x 1: global pooling.
TINY_INLINE void tiny_adaptive_pool(float *y, const float *x, int channels, int height, int width, int out_height, int out_width,
                                int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height, h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width, w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = x + ((size_t)g * channels + c) * height * width * TINY_LANES;
                    float *out = y + ((((size_t)g * channels + c) * out_height + i) * out_width + j) * TINY_LANES;
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
TINY_INLINE void tiny_adaptive_pool_backward(float *dx, const float *dy, int channels, int height, int width, int out_height,
                                         int out_width, int accumulate, int groups, int part, int parts)
{
    const size_t plane = (size_t)height * width * TINY_LANES;
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
            float *out = dx + ((size_t)g * channels + c) * plane;
            if (!accumulate)
                memset(out, 0, plane * sizeof *out);
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height, h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width, w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = dy + ((((size_t)g * channels + c) * out_height + i) * out_width + j) * TINY_LANES;
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < TINY_LANES; l++)
                                out[((size_t)h * width + w) * TINY_LANES + l] += share * in[l];
                }
        }
}

// y[c][h][w] (+)= 1/kernel^2 * sum of the kernel x kernel window around it; padding counts in the divisor.  It is its own
// gradient: windows are symmetric and every divisor is the same.
TINY_INLINE void tiny_average_pool(float *y, const float *x, int channels, int height, int width, int kernel, int accumulate,
                               int groups, int part, int parts)
{
    const int half = kernel / 2;
    const float share = 1.0f / (float)(kernel * kernel);
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
            const float *in = x + ((size_t)g * channels + c) * height * width * TINY_LANES;
            float *out = y + ((size_t)g * channels + c) * height * width * TINY_LANES;
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

// ---- dropout.c - inverted dropout of the head's features: a feature is zeroed with probability `dropout`, else divided by
// 1 - dropout.  The mask is a hash of (seed, step, image, channel), so the backward pass draws the same one again.

TINY_INLINE void tiny_dropout(float *y, const float *x, int channels, int groups, unsigned long long seed, unsigned long long step,
                          float dropout, int part, int parts)
{
    const float keep = 1.0f / (1.0f - dropout);
    const uint64_t key = tiny_mix(seed + 0x9e3779b97f4a7c15u * (step + 1)), bar = (uint64_t)(dropout * 16777216.0f);
    for (int g = 0; g < groups; g++)
        for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++)
            for (int l = 0; l < TINY_LANES; l++) {
                const size_t at = ((size_t)g * channels + c) * TINY_LANES + l;
                const uint64_t draw = tiny_mix(key ^ ((uint64_t)(g * TINY_LANES + l) << 32 | (uint32_t)c)) >> 40;
                y[at] = draw < bar ? 0.0f : keep * x[at];
            }
}

// ---- loss.c - mean cross entropy of softmax with label smoothing e (PyTorch's CrossEntropyLoss):
//
//   q_k = (1 - e) [k = label] + e / classes,  loss = mean over images of -sum_k q_k log softmax(logits)_k,
//   dlogits = (softmax - q) / count; zero in the lanes beyond count.

TINY_INLINE void tiny_loss(float *dlogits, float *loss, const float *logits, const int *labels, int classes, int count,
                       float label_smoothing, int part, int parts)
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
            const double q = (k == labels[n] ? 1.0 - label_smoothing : 0.0) + (double)label_smoothing / classes;
            total += q * (log(sum) - z);
            dlogits[at + (size_t)k * TINY_LANES] = (float)((exp(z) / sum - q) / count);
        }
    }
    *loss = (float)(total / count);
}

// ---- conv_weights_backward.c - gradient of a convolution's weights, batch innermost:
//
//   dw[k][c][r][s] = sum over h, w, lane of dy[k][h][w][lane] * x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// A tile of filters x columns of vector sums stays in registers while all pixels pass; its lanes are summed at the
// end.  A column is a tap of the row (kernel_w > 1) or a channel (kernel_w == 1).  Lanes beyond the call's images
// add nothing: dy is zero there.

// Registers: filters x columns sums, the columns of x, one of dy.
#if TINY_VECTOR == 16 || defined(__aarch64__)
#define TINY_DW_FILTERS(columns) ((columns) == 5 ? 5 : 7)
#else
#define TINY_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define TINY_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? 3 : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
TINY_INLINE void tiny_dw_pixel(tiny_vector sum[7][5], const float *x, const float *dy, size_t plane, const int filters,
                           const int columns, const int step, const int kernel_w, int w, int width, const int edge)
{
    for (int l = 0; l < TINY_LANES; l += TINY_VECTOR) {
        tiny_vector column[5];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside = edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
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

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all pixels of all groups.
TINY_INLINE void tiny_dw_tile(float *dw, const float *x, const float *dy, int channels, int height, int width, int filters,
                          int kernel_h, int kernel_w, int groups, int k0, const int tile, int c0, const int columns, int r)
{
    const size_t plane = (size_t)height * width * TINY_LANES;
    const int step = kernel_w == 1 ? (int)plane : TINY_LANES;
    const int h0 = tiny_max(0, kernel_h / 2 - r), h1 = tiny_min(height, height + kernel_h / 2 - r);
    tiny_vector sum[7][5];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = tiny_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row = x + (g * channels + c0) * plane +
                               ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * TINY_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * TINY_LANES;
            const int left = tiny_min(kernel_w / 2, width), right = tiny_max(left, width - kernel_w / 2);
            for (int w = 0; w < left; w++)
                tiny_dw_pixel(sum, row + w * TINY_LANES, drow + w * TINY_LANES, plane, tile, columns, step, kernel_w, w, width, 1);
            for (int w = left; w < right; w++)
                tiny_dw_pixel(sum, row + w * TINY_LANES, drow + w * TINY_LANES, plane, tile, columns, step, kernel_w, w, width, 0);
            for (int w = right; w < width; w++)
                tiny_dw_pixel(sum, row + w * TINY_LANES, drow + w * TINY_LANES, plane, tile, columns, step, kernel_w, w, width, 1);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] = tiny_sum_vector(sum[k][j]);
        }
}

#ifndef TINY_CONV_DISPATCH
// A tile of the last few filters or channels is expanded by its own size; all are constants where the shape is.
TINY_INLINE void tiny_dw_block(float *dw, const float *x, const float *dy, int channels, int height, int width, int filters,
                           int kernel_h, int kernel_w, int groups, int k0, int tile, int c0, int columns, int r)
{
    const int all = TINY_DW_COLUMNS(kernel_w), most = TINY_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = channels % all;
    if (tile == most && columns == all)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, most, c0, all, r);
    else if (columns == all)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, last_tile, c0, all, r);
    else if (tile == most)
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, most, c0, last_columns, r);
    else
        tiny_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, last_tile, c0, last_columns, r);
}
#endif

TINY_INLINE void tiny_conv_weights_backward(float *dw, const float *x, const float *dy, int channels, int height, int width,
                                        int filters, int kernel_h, int kernel_w, int groups, int part, int parts)
{
    const int columns = TINY_DW_COLUMNS(kernel_w), tile = TINY_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile, blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = tiny_share(items, part, parts); i < tiny_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step, r = i % kernel_h;
        tiny_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, tiny_min(tile, filters - k0), c0,
                    kernel_w == 1 ? tiny_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
TINY_INLINE void tiny_channel_sum(float *db, const float *dy, int channels, int size, int groups, int part, int parts)
{
    for (int c = tiny_share(channels, part, parts); c < tiny_share(channels, part + 1, parts); c++) {
        float lane[TINY_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < TINY_LANES; l++)
                    lane[l] += dy[(((size_t)g * channels + c) * size + i) * TINY_LANES + l];
        for (int l = 0; l < TINY_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// A gradient that is zero in exact arithmetic: the bias of a convolution whose result is batch-normalised.
TINY_INLINE void tiny_zero(float *g, int size, int part, int parts)
{
    for (int i = tiny_share(size, part, parts); i < tiny_share(size, part + 1, parts); i++)
        g[i] = 0.0f;
}

// ---- sgd.c - stochastic gradient descent with momentum and weight decay, PyTorch's update, in one sweep:
//   g += weight_decay p;  v = momentum v + g;  p -= learning_rate v     (v starts at zero, so the first v is g)

TINY_INLINE void tiny_sgd(float *params, float *velocity, const float *grads, int size, float learning_rate, float momentum,
                      float weight_decay, int part, int parts)
{
    for (int i = tiny_share(size, part, parts); i < tiny_share(size, part + 1, parts); i++) {
        velocity[i] = momentum * velocity[i] + (grads[i] + weight_decay * params[i]);
        params[i] -= learning_rate * velocity[i];
    }
}

// init.c - initial weights from a seed, as PyTorch and the reference implementation draw them: He normal with fan out for
// convolutions, uniform +-1/sqrt(fan in) for biases and the linear layer, ones and zeros.  Each tensor has its own
// stream of draws, named by its name: adding a tensor moves no other.

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

static TINY_NOINLINE void tiny_batchnorm_infer_c2_n64_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 2, 64, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k2_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 2, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c2_h8_w8_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 2, 8, 8, 2, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_infer_c2_n64(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 2, 64, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_relu_n128(float *y, const float *x)
{
    tiny_relu(y, x, 128, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_x2_n128_relu(float *y, const float *const *xs, const float *const *as)
{
    tiny_weighted_sum(y, xs, as, 2, 1.0f, 128, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c2_h8_w8_oh4_ow4(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 2, 8, 8, 4, 4, 1, 0, 1);
}

static TINY_NOINLINE void tiny_relu_n32(float *y, const float *x)
{
    tiny_relu(y, x, 32, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k4_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 4, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c2_h4_w4_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 2, 4, 4, 4, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_infer_c4_n16(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 4, 16, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_relu_n64(float *y, const float *x)
{
    tiny_relu(y, x, 64, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k4_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 4, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h4_w4_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 4, 4, 4, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_x2_n64_relu(float *y, const float *const *xs, const float *const *as)
{
    tiny_weighted_sum(y, xs, as, 2, 1.0f, 64, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c2_h8_w8_oh2_ow2(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 2, 8, 8, 2, 2, 1, 0, 1);
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

static TINY_NOINLINE void tiny_weighted_sum_x2_n16_relu(float *y, const float *const *xs, const float *const *as)
{
    tiny_weighted_sum(y, xs, as, 2, 1.0f, 16, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k8_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 8, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c4_h2_w2_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 4, 2, 2, 8, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_infer_c8_n4(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 8, 4, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k8_c8_r3_s3(float *p, const float *w)
{
    tiny_pack_weights(p, w, 8, 8, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c8_h2_w2_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 8, 2, 2, 8, 3, 3, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_x2_n32_relu(float *y, const float *const *xs, const float *const *as)
{
    tiny_weighted_sum(y, xs, as, 2, 1.0f, 32, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_infer_c8_n4_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 8, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_k1280_c8_r1_s1(float *p, const float *w)
{
    tiny_pack_weights(p, w, 1280, 8, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c8_h2_w2_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 8, 2, 2, 1280, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_infer_c1280_n4_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    tiny_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 1280, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_adaptive_pool_c1280_h2_w2_oh1_ow1(float *y, const float *x)
{
    tiny_adaptive_pool(y, x, 1280, 2, 2, 1, 1, 1, 0, 1);
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

static TINY_NOINLINE void tiny_batchnorm_c2_n64_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 64, 1, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_c2_n64(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 64, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_c4_n16(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 4, 16, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_c8_n4(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 4, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_c8_n4_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 4, 1, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_c1280_n4_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    tiny_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 1280, 4, 1, 1, count, 0, 1);
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

static TINY_NOINLINE void tiny_adaptive_pool_backward_c1280_h2_w2_oh1_ow1(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 1280, 2, 2, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c1280_n4_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 1280, 4, 1, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c8_h2_w2_k1280_r1_s1(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 8, 2, 2, 1280, 1, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_zero_n1280(float *g)
{
    tiny_zero(g, 1280, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k1280_c8_r1_s1(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 1280, 8, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_conv_c1280_h2_w2_k8_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    tiny_conv(y, x, p, b, 1280, 2, 2, 8, 1, 1, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c8_n4_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 8, 4, 1, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 8, 2, 2, 8, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_zero_n8(float *g)
{
    tiny_zero(g, 8, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k8_c8_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 8, 8, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n32(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 32, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_backward_c8_n4(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    tiny_weighted_sum_backward(dx, partial, dy, x, a, 8, 1.0f, 4, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_scalar_backward_c8(float *da, const float *partial, const float *a)
{
    tiny_scalar_backward(da, partial, a, 8, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c8_n4(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 8, 4, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n32_add(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 32, 1, 1, 0, 1);
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

static TINY_NOINLINE void tiny_relu_backward_n16(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 16, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_backward_c4_n4(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    tiny_weighted_sum_backward(dx, partial, dy, x, a, 4, 1.0f, 4, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_scalar_backward_c4(float *da, const float *partial, const float *a)
{
    tiny_scalar_backward(da, partial, a, 4, 0, 1);
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

static TINY_NOINLINE void tiny_adaptive_pool_backward_c2_h8_w8_oh2_ow2(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 2, 8, 8, 2, 2, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c4_n16(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 4, 16, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 4, 4, 4, 4, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_zero_n4(float *g)
{
    tiny_zero(g, 4, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k4_c4_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 4, 4, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n64(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 64, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_backward_c4_n16(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    tiny_weighted_sum_backward(dx, partial, dy, x, a, 4, 1.0f, 16, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n64_add(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 64, 1, 1, 0, 1);
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

static TINY_NOINLINE void tiny_adaptive_pool_backward_c2_h8_w8_oh4_ow4_add(float *dx, const float *dy)
{
    tiny_adaptive_pool_backward(dx, dy, 2, 8, 8, 4, 4, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c2_n64(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 2, 64, 0, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 2, 8, 8, 2, 3, 3, 1, 0, 1);
}

static TINY_NOINLINE void tiny_zero_n2(float *g)
{
    tiny_zero(g, 2, 0, 1);
}

static TINY_NOINLINE void tiny_pack_weights_backward_k2_c2_r3_s3(float *p, const float *w)
{
    tiny_pack_weights_backward(p, w, 2, 2, 3, 3, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n128(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 128, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_weighted_sum_backward_c2_n64(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    tiny_weighted_sum_backward(dx, partial, dy, x, a, 2, 1.0f, 64, 0, 1, 0, 1);
}

static TINY_NOINLINE void tiny_scalar_backward_c2(float *da, const float *partial, const float *a)
{
    tiny_scalar_backward(da, partial, a, 2, 0, 1);
}

static TINY_NOINLINE void tiny_relu_backward_n128_add(float *dx, const float *dy, const float *y)
{
    tiny_relu_backward(dx, dy, y, 128, 1, 1, 0, 1);
}

static TINY_NOINLINE void tiny_batchnorm_backward_c2_n64_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    tiny_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 2, 64, 1, 1, count, 0, 1);
}

static TINY_NOINLINE void tiny_conv_weights_backward_c1_h8_w8_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    tiny_conv_weights_backward(dw, x, dy, 1, 8, 8, 2, 3, 3, 1, 0, 1);
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
    // stem.bn0.relu  [2, 8, 8]
    tiny_batchnorm_infer_c2_n64_relu(arena + 2080, arena + 2080, params + 20, params + 22, state + 0, state + 2);
    // stem.conv1.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 0, params + 24);
    // stem.conv1  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 6176, arena + 2080, arena + 0, params + 60);
    // stem.bn1.relu  [2, 8, 8]
    tiny_batchnorm_infer_c2_n64_relu(arena + 6176, arena + 6176, params + 62, params + 64, state + 4, state + 6);
}

// cell 0
static void tiny_infer_cell_0(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op0.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 0, params + 66);
    // cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 48, arena + 6176, arena + 0, params + 102);
    // cell0.node0.op0.bn  [2, 8, 8]
    tiny_batchnorm_infer_c2_n64(arena + 48, arena + 48, params + 104, params + 106, state + 8, state + 10);
    // cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_relu_n128(arena + 4144, arena + 48);
    // cell0.node0.op1.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 0, params + 108);
    // cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 8240, arena + 4144, arena + 0, params + 144);
    // cell0.node0.op1.bn  [2, 8, 8]
    tiny_batchnorm_infer_c2_n64(arena + 8240, arena + 8240, params + 146, params + 148, state + 12, state + 14);
    // cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_weighted_sum_x2_n128_relu(arena + 48, (const float *const[]){arena + 48, arena + 8240}, (const float *const[]){params + 150, params + 151});
    // cell0.node0.op2.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 0, params + 152);
    // cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 4144, arena + 48, arena + 0, params + 188);
    // cell0.node0.op2.bn  [2, 8, 8]
    tiny_batchnorm_infer_c2_n64(arena + 4144, arena + 4144, params + 190, params + 192, state + 16, state + 18);
}

// cell 1
static void tiny_infer_cell_1(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled  [2, 4, 4]
    tiny_adaptive_pool_c2_h8_w8_oh4_ow4(arena + 8240, arena + 4144);
    // cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_relu_n32(arena + 8240, arena + 8240);
    // cell1.node0.op0.conv3x3.packed
    tiny_pack_weights_k4_c2_r3_s3(arena + 9264, params + 194);
    // cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_conv_c2_h4_w4_k4_r3_s3(arena + 9344, arena + 8240, arena + 9264, params + 266);
    // cell1.node0.op0.bn  [4, 4, 4]
    tiny_batchnorm_infer_c4_n16(arena + 9344, arena + 9344, params + 270, params + 274, state + 20, state + 24);
    // cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_relu_n64(arena + 0, arena + 9344);
    // cell1.node0.op1.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 11392, params + 278);
    // cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 2048, arena + 0, arena + 11392, params + 422);
    // cell1.node0.op1.bn  [4, 4, 4]
    tiny_batchnorm_infer_c4_n16(arena + 2048, arena + 2048, params + 426, params + 430, state + 28, state + 32);
    // cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_weighted_sum_x2_n64_relu(arena + 9344, (const float *const[]){arena + 9344, arena + 2048}, (const float *const[]){params + 434, params + 435});
    // cell1.node0.op2.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 11392, params + 436);
    // cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 0, arena + 9344, arena + 11392, params + 580);
    // cell1.node0.op2.bn  [4, 4, 4]
    tiny_batchnorm_infer_c4_n16(arena + 0, arena + 0, params + 584, params + 588, state + 36, state + 40);
}

// cell 2
static void tiny_infer_cell_2(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_adaptive_pool_c2_h8_w8_oh2_ow2(arena + 2048, arena + 4144);
    // cell1.node0.op2.bn.pooled  [4, 2, 2]
    tiny_adaptive_pool_c4_h4_w4_oh2_ow2(arena + 2304, arena + 0);
    // cell2.projection0.packed
    tiny_pack_weights_k4_c2_r1_s1(arena + 0, params + 592);
    // cell2.projection0  [4, 2, 2]
    tiny_conv_c2_h2_w2_k4_r1_s1(arena + 16, arena + 2048, arena + 0, params + 600);
    // cell2.sum.relu  [4, 2, 2]
    tiny_weighted_sum_x2_n16_relu(arena + 16, (const float *const[]){arena + 16, arena + 2304}, (const float *const[]){NULL, params + 604});
    // cell2.node0.op0.conv3x3.packed
    tiny_pack_weights_k8_c4_r3_s3(arena + 528, params + 605);
    // cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_conv_c4_h2_w2_k8_r3_s3(arena + 816, arena + 16, arena + 528, params + 893);
    // cell2.node0.op0.bn  [8, 2, 2]
    tiny_batchnorm_infer_c8_n4(arena + 816, arena + 816, params + 901, params + 909, state + 44, state + 52);
    // cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_relu_n32(arena + 1840, arena + 816);
    // cell2.node0.op1.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 0, params + 917);
    // cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 2864, arena + 1840, arena + 0, params + 1493);
    // cell2.node0.op1.bn  [8, 2, 2]
    tiny_batchnorm_infer_c8_n4(arena + 2864, arena + 2864, params + 1501, params + 1509, state + 60, state + 68);
    // cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_weighted_sum_x2_n32_relu(arena + 816, (const float *const[]){arena + 816, arena + 2864}, (const float *const[]){params + 1517, params + 1518});
    // cell2.node0.op2.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 0, params + 1519);
    // cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 1840, arena + 816, arena + 0, params + 2095);
    // cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_batchnorm_infer_c8_n4_relu(arena + 1840, arena + 1840, params + 2103, params + 2111, state + 76, state + 84);
}

// head
static void tiny_infer_head(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // head.conv.packed
    tiny_pack_weights_k1280_c8_r1_s1(arena + 2864, params + 2119);
    // head.conv  [1280, 2, 2]
    tiny_conv_c8_h2_w2_k1280_r1_s1(arena + 13104, arena + 1840, arena + 2864, params + 12359);
    // head.bn.relu  [1280, 2, 2]
    tiny_batchnorm_infer_c1280_n4_relu(arena + 13104, arena + 13104, params + 13639, params + 14919, state + 92, state + 1372);
    // head.bn.relu.pooled  [1280, 1, 1]
    tiny_adaptive_pool_c1280_h2_w2_oh1_ow1(arena + 176944, arena + 13104);
    // head.logits.packed
    tiny_pack_weights_k3_c1280_r1_s1(arena + 0, params + 16199);
    // head.logits  [3, 1, 1]
    tiny_conv_c1280_h1_w1_k3_r1_s1(arena + 3840, arena + 176944, arena + 0, params + 20039);
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
    // stem.bn0.relu  [2, 8, 8]
    tiny_batchnorm_c2_n64_relu(arena + 6176, arena + 2048, arena + 2064, state + 0, state + 2, arena + 2080, params + 20, params + 22, call->count);
    // stem.conv1.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 10272, params + 24);
    // stem.conv1  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 10320, arena + 6176, arena + 10272, params + 60);
    // stem.bn1.relu  [2, 8, 8]
    tiny_batchnorm_c2_n64_relu(arena + 14416, arena + 10272, arena + 10288, state + 4, state + 6, arena + 10320, params + 62, params + 64, call->count);
}

// cell 0
static void tiny_gradient_cell_0(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op0.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 18512, params + 66);
    // cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 18560, arena + 14416, arena + 18512, params + 102);
    // cell0.node0.op0.bn  [2, 8, 8]
    tiny_batchnorm_c2_n64(arena + 22656, arena + 10304, arena + 18512, state + 8, state + 10, arena + 18560, params + 104, params + 106, call->count);
    // cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_relu_n128(arena + 26752, arena + 22656);
    // cell0.node0.op1.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 30848, params + 108);
    // cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 30896, arena + 26752, arena + 30848, params + 144);
    // cell0.node0.op1.bn  [2, 8, 8]
    tiny_batchnorm_c2_n64(arena + 34992, arena + 18528, arena + 18544, state + 12, state + 14, arena + 30896, params + 146, params + 148, call->count);
    // cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_weighted_sum_x2_n128_relu(arena + 39088, (const float *const[]){arena + 22656, arena + 34992}, (const float *const[]){params + 150, params + 151});
    // cell0.node0.op2.conv3x3.packed
    tiny_pack_weights_k2_c2_r3_s3(arena + 30848, params + 152);
    // cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 43184, arena + 39088, arena + 30848, params + 188);
    // cell0.node0.op2.bn  [2, 8, 8]
    tiny_batchnorm_c2_n64(arena + 47280, arena + 30848, arena + 30864, state + 16, state + 18, arena + 43184, params + 190, params + 192, call->count);
}

// cell 1
static void tiny_gradient_cell_1(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled  [2, 4, 4]
    tiny_adaptive_pool_c2_h8_w8_oh4_ow4(arena + 51376, arena + 47280);
    // cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_relu_n32(arena + 51376, arena + 51376);
    // cell1.node0.op0.conv3x3.packed
    tiny_pack_weights_k4_c2_r3_s3(arena + 52400, params + 194);
    // cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_conv_c2_h4_w4_k4_r3_s3(arena + 52480, arena + 51376, arena + 52400, params + 266);
    // cell1.node0.op0.bn  [4, 4, 4]
    tiny_batchnorm_c4_n16(arena + 54528, arena + 30880, arena + 52400, state + 20, state + 24, arena + 52480, params + 270, params + 274, call->count);
    // cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_relu_n64(arena + 56576, arena + 54528);
    // cell1.node0.op1.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 58624, params + 278);
    // cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 58768, arena + 56576, arena + 58624, params + 422);
    // cell1.node0.op1.bn  [4, 4, 4]
    tiny_batchnorm_c4_n16(arena + 60816, arena + 52416, arena + 52432, state + 28, state + 32, arena + 58768, params + 426, params + 430, call->count);
    // cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_weighted_sum_x2_n64_relu(arena + 62864, (const float *const[]){arena + 54528, arena + 60816}, (const float *const[]){params + 434, params + 435});
    // cell1.node0.op2.conv3x3.packed
    tiny_pack_weights_k4_c4_r3_s3(arena + 58624, params + 436);
    // cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 64912, arena + 62864, arena + 58624, params + 580);
    // cell1.node0.op2.bn  [4, 4, 4]
    tiny_batchnorm_c4_n16(arena + 66960, arena + 52448, arena + 52464, state + 36, state + 40, arena + 64912, params + 584, params + 588, call->count);
}

// cell 2
static void tiny_gradient_cell_2(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_adaptive_pool_c2_h8_w8_oh2_ow2(arena + 69008, arena + 47280);
    // cell1.node0.op2.bn.pooled  [4, 2, 2]
    tiny_adaptive_pool_c4_h4_w4_oh2_ow2(arena + 47280, arena + 66960);
    // cell2.projection0.packed
    tiny_pack_weights_k4_c2_r1_s1(arena + 58624, params + 592);
    // cell2.projection0  [4, 2, 2]
    tiny_conv_c2_h2_w2_k4_r1_s1(arena + 66960, arena + 69008, arena + 58624, params + 600);
    // cell2.sum.relu  [4, 2, 2]
    tiny_weighted_sum_x2_n16_relu(arena + 67472, (const float *const[]){arena + 66960, arena + 47280}, (const float *const[]){NULL, params + 604});
    // cell2.node0.op0.conv3x3.packed
    tiny_pack_weights_k8_c4_r3_s3(arena + 67984, params + 605);
    // cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_conv_c4_h2_w2_k8_r3_s3(arena + 47792, arena + 67472, arena + 67984, params + 893);
    // cell2.node0.op0.bn  [8, 2, 2]
    tiny_batchnorm_c8_n4(arena + 67984, arena + 58624, arena + 58640, state + 44, state + 52, arena + 47792, params + 901, params + 909, call->count);
    // cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_relu_n32(arena + 48816, arena + 67984);
    // cell2.node0.op1.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 49840, params + 917);
    // cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 69264, arena + 48816, arena + 49840, params + 1493);
    // cell2.node0.op1.bn  [8, 2, 2]
    tiny_batchnorm_c8_n4(arena + 49840, arena + 58656, arena + 58672, state + 60, state + 68, arena + 69264, params + 1501, params + 1509, call->count);
    // cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_weighted_sum_x2_n32_relu(arena + 70288, (const float *const[]){arena + 67984, arena + 49840}, (const float *const[]){params + 1517, params + 1518});
    // cell2.node0.op2.conv3x3.packed
    tiny_pack_weights_k8_c8_r3_s3(arena + 71312, params + 1519);
    // cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 71888, arena + 70288, arena + 71312, params + 2095);
    // cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_batchnorm_c8_n4_relu(arena + 72912, arena + 58688, arena + 58704, state + 76, state + 84, arena + 71888, params + 2103, params + 2111, call->count);
}

// head
static void tiny_gradient_head(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // head.conv.packed
    tiny_pack_weights_k1280_c8_r1_s1(arena + 73936, params + 2119);
    // head.conv  [1280, 2, 2]
    tiny_conv_c8_h2_w2_k1280_r1_s1(arena + 84176, arena + 72912, arena + 73936, params + 12359);
    // head.bn.relu  [1280, 2, 2]
    tiny_batchnorm_c1280_n4_relu(arena + 248016, arena + 73936, arena + 75216, state + 92, state + 1372, arena + 84176, params + 13639, params + 14919, call->count);
    // head.bn.relu.pooled  [1280, 1, 1]
    tiny_adaptive_pool_c1280_h2_w2_oh1_ow1(arena + 411856, arena + 248016);
    // head.dropout  [1280, 1, 1]
    tiny_dropout_c1280(arena + 411856, arena + 411856, call->seed, call->step, call->dropout);
    // head.logits.packed
    tiny_pack_weights_k3_c1280_r1_s1(arena + 76496, params + 16199);
    // head.logits  [3, 1, 1]
    tiny_conv_c1280_h1_w1_k3_r1_s1(arena + 50864, arena + 411856, arena + 76496, params + 20039);
    // logits
    tiny_unpack_logits_k3(call->logits, arena + 50864, call->count);
    // d.head.logits  [3, 1, 1]
    tiny_loss_k3(arena + 50960, call->loss, arena + 50864, call->labels, call->count, call->label_smoothing);
}

// head, backward
static void tiny_gradient_head_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.fc.weight
    tiny_conv_weights_backward_c1280_h1_w1_k3_r1_s1(grads + 16199, arena + 411856, arena + 50960);
    // d.fc.bias
    tiny_channel_sum_c3_n1(grads + 20039, arena + 50960);
    // head.logits.packed_backward
    tiny_pack_weights_backward_k3_c1280_r1_s1(arena + 76496, params + 16199);
    // d.head.dropout  [1280, 1, 1]
    tiny_conv_c3_h1_w1_k1280_r1_s1(arena + 411856, arena + 50960, arena + 76496, NULL);
    // d.head.bn.relu.pooled  [1280, 1, 1]
    tiny_dropout_c1280(arena + 411856, arena + 411856, call->seed, call->step, call->dropout);
    // d.head.bn.relu  [1280, 2, 2]
    tiny_adaptive_pool_backward_c1280_h2_w2_oh1_ow1(arena + 452816, arena + 411856);
    // d.head.conv  [1280, 2, 2]
    tiny_batchnorm_backward_c1280_n4_relu(arena + 452816, grads + 13639, grads + 14919, arena + 452816, arena + 248016, arena + 84176, arena + 73936, arena + 75216, params + 13639, call->count);
    // d.conv_out.1.weight
    tiny_conv_weights_backward_c8_h2_w2_k1280_r1_s1(grads + 2119, arena + 72912, arena + 452816);
    // d.conv_out.1.bias
    tiny_zero_n1280(grads + 12359);
    // head.conv.packed_backward
    tiny_pack_weights_backward_k1280_c8_r1_s1(arena + 73936, params + 2119);
    // d.cell2.node0.op2.bn.relu  [8, 2, 2]
    tiny_conv_c1280_h2_w2_k8_r1_s1(arena + 84176, arena + 452816, arena + 73936, NULL);
}

// cell 2, backward
static void tiny_gradient_cell_2_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell2.node0.op2.conv3x3  [8, 2, 2]
    tiny_batchnorm_backward_c8_n4_relu(arena + 84176, grads + 2103, grads + 2111, arena + 84176, arena + 72912, arena + 71888, arena + 58688, arena + 58704, params + 2103, call->count);
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(grads + 1519, arena + 70288, arena + 84176);
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_n8(grads + 2095);
    // cell2.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c8_r3_s3(arena + 71312, params + 1519);
    // d.cell2.node0.op2.sum.relu  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 71888, arena + 84176, arena + 71312, NULL);
    // d.cell2.node0.op2.sum.relu.before  [8, 2, 2]
    tiny_relu_backward_n32(arena + 71888, arena + 71888, arena + 70288);
    // d.cell2.node0.op0.bn  [8, 2, 2]
    tiny_weighted_sum_backward_c8_n4(arena + 70288, arena + 58688, arena + 71888, arena + 67984, params + 1517);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.0.mean
    tiny_scalar_backward_c8(grads + 1517, arena + 58688, params + 1517);
    // d.cell2.node0.op1.bn  [8, 2, 2]
    tiny_weighted_sum_backward_c8_n4(arena + 67984, arena + 58688, arena + 71888, arena + 49840, params + 1518);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.1.mean
    tiny_scalar_backward_c8(grads + 1518, arena + 58688, params + 1518);
    // d.cell2.node0.op1.conv3x3  [8, 2, 2]
    tiny_batchnorm_backward_c8_n4(arena + 67984, grads + 1501, grads + 1509, arena + 67984, NULL, arena + 69264, arena + 58656, arena + 58672, params + 1501, call->count);
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c8_h2_w2_k8_r3_s3(grads + 917, arena + 48816, arena + 67984);
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.bias
    tiny_zero_n8(grads + 1493);
    // cell2.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c8_r3_s3(arena + 69264, params + 917);
    // d.cell2.node0.op0.bn.relu  [8, 2, 2]
    tiny_conv_c8_h2_w2_k8_r3_s3(arena + 49840, arena + 67984, arena + 69264, NULL);
    // d.cell2.node0.op0.bn  [8, 2, 2]
    tiny_relu_backward_n32_add(arena + 70288, arena + 49840, arena + 48816);
    // d.cell2.node0.op0.conv3x3  [8, 2, 2]
    tiny_batchnorm_backward_c8_n4(arena + 70288, grads + 901, grads + 909, arena + 70288, NULL, arena + 47792, arena + 58624, arena + 58640, params + 901, call->count);
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c4_h2_w2_k8_r3_s3(grads + 605, arena + 67472, arena + 70288);
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.bias
    tiny_zero_n8(grads + 893);
    // cell2.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k8_c4_r3_s3(arena + 67984, params + 605);
    // d.cell2.sum.relu  [4, 2, 2]
    tiny_conv_c8_h2_w2_k4_r3_s3(arena + 68272, arena + 70288, arena + 67984, NULL);
    // d.cell2.sum.relu.before  [4, 2, 2]
    tiny_relu_backward_n16(arena + 68272, arena + 68272, arena + 67472);
    // d.cell2.projection0  [4, 2, 2]
    tiny_weighted_sum_backward_c4_n4(arena + 67472, NULL, arena + 68272, arena + 66960, NULL);
    // d.cell1.node0.op2.bn.pooled  [4, 2, 2]
    tiny_weighted_sum_backward_c4_n4(arena + 66960, arena + 58624, arena + 68272, arena + 47280, params + 604);
    // d.node_ops.2.merger.1.mean
    tiny_scalar_backward_c4(grads + 604, arena + 58624, params + 604);
    // d.node_ops.2.merger.0.weight
    tiny_conv_weights_backward_c2_h2_w2_k4_r1_s1(grads + 592, arena + 69008, arena + 67472);
    // d.node_ops.2.merger.0.bias
    tiny_channel_sum_c4_n4(grads + 600, arena + 67472);
    // cell2.projection0.packed_backward
    tiny_pack_weights_backward_k4_c2_r1_s1(arena + 58624, params + 592);
    // d.cell0.node0.op2.bn.pooled  [2, 2, 2]
    tiny_conv_c4_h2_w2_k2_r1_s1(arena + 47280, arena + 67472, arena + 58624, NULL);
    // d.cell1.node0.op2.bn  [4, 4, 4]
    tiny_adaptive_pool_backward_c4_h4_w4_oh2_ow2(arena + 47536, arena + 66960);
    // d.cell0.node0.op2.bn  [2, 8, 8]
    tiny_adaptive_pool_backward_c2_h8_w8_oh2_ow2(arena + 66960, arena + 47280);
}

// cell 1, backward
static void tiny_gradient_cell_1_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell1.node0.op2.conv3x3  [4, 4, 4]
    tiny_batchnorm_backward_c4_n16(arena + 47536, grads + 584, grads + 588, arena + 47536, NULL, arena + 64912, arena + 52448, arena + 52464, params + 584, call->count);
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(grads + 436, arena + 62864, arena + 47536);
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_n4(grads + 580);
    // cell1.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c4_r3_s3(arena + 58624, params + 436);
    // d.cell1.node0.op2.sum.relu  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 64912, arena + 47536, arena + 58624, NULL);
    // d.cell1.node0.op2.sum.relu.before  [4, 4, 4]
    tiny_relu_backward_n64(arena + 64912, arena + 64912, arena + 62864);
    // d.cell1.node0.op0.bn  [4, 4, 4]
    tiny_weighted_sum_backward_c4_n16(arena + 62864, arena + 52448, arena + 64912, arena + 54528, params + 434);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.0.mean
    tiny_scalar_backward_c4(grads + 434, arena + 52448, params + 434);
    // d.cell1.node0.op1.bn  [4, 4, 4]
    tiny_weighted_sum_backward_c4_n16(arena + 54528, arena + 52448, arena + 64912, arena + 60816, params + 435);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.1.mean
    tiny_scalar_backward_c4(grads + 435, arena + 52448, params + 435);
    // d.cell1.node0.op1.conv3x3  [4, 4, 4]
    tiny_batchnorm_backward_c4_n16(arena + 54528, grads + 426, grads + 430, arena + 54528, NULL, arena + 58768, arena + 52416, arena + 52432, params + 426, call->count);
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c4_h4_w4_k4_r3_s3(grads + 278, arena + 56576, arena + 54528);
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.bias
    tiny_zero_n4(grads + 422);
    // cell1.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c4_r3_s3(arena + 64912, params + 278);
    // d.cell1.node0.op0.bn.relu  [4, 4, 4]
    tiny_conv_c4_h4_w4_k4_r3_s3(arena + 47280, arena + 54528, arena + 64912, NULL);
    // d.cell1.node0.op0.bn  [4, 4, 4]
    tiny_relu_backward_n64_add(arena + 62864, arena + 47280, arena + 56576);
    // d.cell1.node0.op0.conv3x3  [4, 4, 4]
    tiny_batchnorm_backward_c4_n16(arena + 62864, grads + 270, grads + 274, arena + 62864, NULL, arena + 52480, arena + 30880, arena + 52400, params + 270, call->count);
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c2_h4_w4_k4_r3_s3(grads + 194, arena + 51376, arena + 62864);
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.bias
    tiny_zero_n4(grads + 266);
    // cell1.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k4_c2_r3_s3(arena + 64912, params + 194);
    // d.cell0.node0.op2.bn.pooled.relu  [2, 4, 4]
    tiny_conv_c4_h4_w4_k2_r3_s3(arena + 64992, arena + 62864, arena + 64912, NULL);
    // d.cell0.node0.op2.bn.pooled  [2, 4, 4]
    tiny_relu_backward_n32(arena + 64992, arena + 64992, arena + 51376);
    // d.cell0.node0.op2.bn  [2, 8, 8]
    tiny_adaptive_pool_backward_c2_h8_w8_oh4_ow4_add(arena + 66960, arena + 64992);
}

// cell 0, backward
static void tiny_gradient_cell_0_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell0.node0.op2.conv3x3  [2, 8, 8]
    tiny_batchnorm_backward_c2_n64(arena + 66960, grads + 190, grads + 192, arena + 66960, NULL, arena + 43184, arena + 30848, arena + 30864, params + 190, call->count);
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 152, arena + 39088, arena + 66960);
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.bias
    tiny_zero_n2(grads + 188);
    // cell0.node0.op2.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 30848, params + 152);
    // d.cell0.node0.op2.sum.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 43184, arena + 66960, arena + 30848, NULL);
    // d.cell0.node0.op2.sum.relu.before  [2, 8, 8]
    tiny_relu_backward_n128(arena + 43184, arena + 43184, arena + 39088);
    // d.cell0.node0.op0.bn  [2, 8, 8]
    tiny_weighted_sum_backward_c2_n64(arena + 39088, arena + 30848, arena + 43184, arena + 22656, params + 150);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.0.mean
    tiny_scalar_backward_c2(grads + 150, arena + 30848, params + 150);
    // d.cell0.node0.op1.bn  [2, 8, 8]
    tiny_weighted_sum_backward_c2_n64(arena + 22656, arena + 30848, arena + 43184, arena + 34992, params + 151);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.1.mean
    tiny_scalar_backward_c2(grads + 151, arena + 30848, params + 151);
    // d.cell0.node0.op1.conv3x3  [2, 8, 8]
    tiny_batchnorm_backward_c2_n64(arena + 22656, grads + 146, grads + 148, arena + 22656, NULL, arena + 30896, arena + 18528, arena + 18544, params + 146, call->count);
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 108, arena + 26752, arena + 22656);
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.bias
    tiny_zero_n2(grads + 144);
    // cell0.node0.op1.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 30848, params + 108);
    // d.cell0.node0.op0.bn.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 30896, arena + 22656, arena + 30848, NULL);
    // d.cell0.node0.op0.bn  [2, 8, 8]
    tiny_relu_backward_n128_add(arena + 39088, arena + 30896, arena + 26752);
    // d.cell0.node0.op0.conv3x3  [2, 8, 8]
    tiny_batchnorm_backward_c2_n64(arena + 39088, grads + 104, grads + 106, arena + 39088, NULL, arena + 18560, arena + 10304, arena + 18512, params + 104, call->count);
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 66, arena + 14416, arena + 39088);
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.bias
    tiny_zero_n2(grads + 102);
    // cell0.node0.op0.conv3x3.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 18512, params + 66);
    // d.stem.bn1.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 18560, arena + 39088, arena + 18512, NULL);
}

// stem, backward
static void tiny_gradient_stem_backward(const tiny_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.stem.conv1  [2, 8, 8]
    tiny_batchnorm_backward_c2_n64_relu(arena + 18560, grads + 62, grads + 64, arena + 18560, arena + 14416, arena + 10320, arena + 10272, arena + 10288, params + 62, call->count);
    // d.first_conv.3.weight
    tiny_conv_weights_backward_c2_h8_w8_k2_r3_s3(grads + 24, arena + 6176, arena + 18560);
    // d.first_conv.3.bias
    tiny_zero_n2(grads + 60);
    // stem.conv1.packed_backward
    tiny_pack_weights_backward_k2_c2_r3_s3(arena + 10272, params + 24);
    // d.stem.bn0.relu  [2, 8, 8]
    tiny_conv_c2_h8_w8_k2_r3_s3(arena + 10320, arena + 18560, arena + 10272, NULL);
    // d.stem.conv0  [2, 8, 8]
    tiny_batchnorm_backward_c2_n64_relu(arena + 10320, grads + 20, grads + 22, arena + 10320, arena + 6176, arena + 2080, arena + 2048, arena + 2064, params + 20, call->count);
    // d.first_conv.0.weight
    tiny_conv_weights_backward_c1_h8_w8_k2_r3_s3(grads + 0, arena + 0, arena + 10320);
    // d.first_conv.0.bias
    tiny_zero_n2(grads + 18);
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

// One step of SGD on the first `count` <= TINY_BATCH images: forward in training mode, backward, update.  Returns the mean
// loss.  labels: 0 .. TINY_CLASSES - 1.  The gradients stay in tiny_grads.
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

// images: [TINY_BATCH][TINY_CHANNELS][TINY_HEIGHT][TINY_WIDTH], normalised; logits: [TINY_BATCH][TINY_CLASSES]; running statistics.
// arena: TINY_ARENA_BYTES, aligned to 64 bytes.
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

// face_pixels.c - raw pixels to what the network reads: (pixel / 255 - mean) / deviation, per channel.

// One image; hwc tells that the channels of a pixel lie together.
static void tiny_normalise(const uint8_t *pixels, float *image, int hwc)
{
    for (int c = 0; c < TINY_CHANNELS; c++)
        for (int i = 0; i < TINY_HEIGHT * TINY_WIDTH; i++) {
            const uint8_t pixel = hwc ? pixels[i * TINY_CHANNELS + c] : pixels[c * TINY_HEIGHT * TINY_WIDTH + i];
            image[c * TINY_HEIGHT * TINY_WIDTH + i] = ((float)pixel * (1.0f / 255.0f) - tiny_mean[c]) / tiny_deviation[c];
        }
}

void tiny_infer_u8(const uint8_t *images, float *logits)
{
    static float normalised[TINY_BATCH * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH];
    for (int n = 0; n < TINY_BATCH; n++)
        tiny_normalise(images + (size_t)n * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH,
                     normalised + (size_t)n * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH, TINY_PIXELS_ARE_HWC);
    tiny_infer(normalised, logits);
}

#ifdef TINY_MAIN
// main_read.c - records from a file: one label byte, then TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH pixel bytes, channel by
// channel (CIFAR-10's own format).
#include <stdio.h>
#include <stdlib.h>

// Reads up to TINY_BATCH records, normalised; returns how many.  A piece of a record at the end is an error.
static int tiny_read_batch(FILE *file, float *images, int32_t *labels)
{
    static uint8_t record[1 + TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH];
    for (int n = 0; n < TINY_BATCH; n++) {
        const size_t got = fread(record, 1, sizeof record, file);
        if (got == 0)
            return n;
        if (got != sizeof record || record[0] >= TINY_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n", (unsigned long)got,
                    (unsigned long)sizeof record, record[0], TINY_CLASSES);
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
    static float images[TINY_BATCH * TINY_CHANNELS * TINY_HEIGHT * TINY_WIDTH], logits[TINY_BATCH * TINY_CLASSES];
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
    printf("accuracy %.2f %% (%ld of %ld)\n", all ? 100.0 * (double)right / (double)all : 0.0, right, all);
}

// main_train.c - the program that -DNK_MAIN adds to a trainable file:
//   ./net [TRAIN.bin [EPOCHS [LEARNING_RATE]]] < TEST.bin
// trains on the records of TRAIN.bin in their order, then prints the logits of TEST.bin's and the accuracy.
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
        fprintf(stderr, "epoch %d: mean loss %.4f\n", epoch + 1, steps ? loss / (double)steps : 0.0);
    }
    tiny_evaluate(stdin);
    return 0;
}
#endif
