// An HNAG network as standalone C11, to be trained: 3 x 16 x 16 images to 4 classes.
//
//     made by   nagoc sample.theta.json
//     compiler  nagoc 0.1.0
//
// 3 cells, 6 nodes, 18 ops (18 conv3x3), sum merges, cells at 2x16x16 (1), 4x8x8 (1), 8x4x4 (1), 4176
// op weights
// 23759 trained numbers, 0.35 million multiply-adds an image.
//
// Memory: arena 10222208 bytes, parameters, gradients and momentum 95036 bytes each, statistics 10944 bytes.
//
// Compile: cc -O3 -march=native -c FILE.c, link with -lm; -DNK_MAIN makes a program that classifies records
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
// NET_LANES is the innermost extent of every activation: 32 images of a group in training ([groups][C][H][W][32]),
// 1 in inference files that work on one image ([C][H][W]).  NET_VECTOR is the number of floats of the machine's
// vector; 1 means plain C (tcc, or a compiler without vector extensions).
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

#if defined(__GNUC__) && !defined(__TINYC__)
#define NET_NOINLINE __attribute__((noinline))
#else
#define NET_NOINLINE
#endif

enum {
    NET_CHANNELS = 3,
    NET_HEIGHT = 16,
    NET_WIDTH = 16,
    NET_CLASSES = 4,
    NET_BATCH = 32,
    NET_ARENA_BYTES = 10222208,
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
NET_INLINE void net_pack_images(float *y, const float *images, int channels, int height, int width, int groups, int count,
                              int part, int parts)
{
    const int size = channels * height * width;
    for (int g = 0; g < groups; g++) {
        float *group = y + (size_t)g * size * NET_LANES;
        for (int i = net_share(size, part, parts); i < net_share(size, part + 1, parts); i++)
            for (int l = 0; l < NET_LANES; l++) {
                const int n = g * NET_LANES + l;
                group[(size_t)i * NET_LANES + l] = n < count ? images[(size_t)n * size + i] : 0.0f;
            }
    }
}

// p[c][r][s][k] = w[k][c][r][s]: a kernel reads the filters of one tap next to each other.
NET_INLINE void net_pack_weights(float *p, const float *w, int filters, int channels, int kernel_h, int kernel_w, int part,
                               int parts)
{
    const int taps = channels * kernel_h * kernel_w;
    for (int t = net_share(taps, part, parts); t < net_share(taps, part + 1, parts); t++)
        for (int k = 0; k < filters; k++)
            p[(size_t)t * filters + k] = w[(size_t)k * taps + t];
}

// p[k][r][s][c] = w[k][c][kernel_h-1-r][kernel_w-1-s]: the same convolution kernel then computes the gradient of its
// input, with filters and channels exchanged.
NET_INLINE void net_pack_weights_backward(float *p, const float *w, int filters, int channels, int kernel_h, int kernel_w,
                                        int part, int parts)
{
    const int taps = kernel_h * kernel_w;
    for (int k = net_share(filters, part, parts); k < net_share(filters, part + 1, parts); k++)
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                p[((size_t)k * taps + t) * channels + c] = w[((size_t)k * channels + c) * taps + (taps - 1 - t)];
}

// logits[n][k] = x[group][k][lane] for the count images of the call; logits may be NULL (training asks for none).
NET_INLINE void net_unpack_logits(float *logits, const float *x, int classes, int count, int part, int parts)
{
    if (!logits)
        return;
    for (int n = net_share(count, part, parts); n < net_share(count, part + 1, parts); n++)
        for (int k = 0; k < classes; k++)
            logits[(size_t)n * classes + k] = x[((size_t)(n / NET_LANES) * classes + k) * NET_LANES + n % NET_LANES];
}

// ---- conv.c - convolution, stride 1, zero padding kernel/2, batch innermost:
//
//   y[k][h][w][lane] (+)= b[k] + sum over c, r, s of p[c][r][s][k] * x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Images lie in the vector lanes, so every channel count, kernel size and border fills the vectors.  A tile of
// `tile` filters x two vectors stays in registers while all taps are summed; weights are broadcast scalars.
// The gradient of the input is the same convolution of dy with net_pack_weights_backward's weights.

// Filters of a tile: two vectors each, plus two of x, in 32 (AVX-512, NEON) or 16 registers.
#if NET_VECTOR == 16 || defined(__aarch64__)
#define NET_CONV_TILE 14
#else
#define NET_CONV_TILE 6
#endif
#define NET_CONV_STEP (2 * NET_VECTOR)

// Filters k0..k0+tile of pixels (h, w0..w1), `tile` constant where this is expanded.
NET_INLINE void net_conv_tile(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                            int filters, int kernel_h, int kernel_w, int accumulate, int k0, const int tile, int h)
{
    const size_t plane = (size_t)height * width * NET_LANES;
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
                    const float *row = x + c * plane + ((int64_t)(h + r - kernel_h / 2) * width + w - kernel_w / 2) * NET_LANES + l;
                    const float *weight = p + ((size_t)(c * kernel_h + r) * kernel_w) * filters + k0;
                    for (int s = s0; s < s1; s++) {
                        const net_vector x0 = net_load(row + s * NET_LANES), x1 = net_load(row + s * NET_LANES + NET_VECTOR);
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

// Near-equal tiles: 19 filters are 10 + 9, not 14 + 5.  The first `wide` tiles have one filter more.
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

#ifndef NET_CONV_DISPATCH
// One row of one tile.  The tile is a constant where the shape is: both sizes are expanded in place.
NET_INLINE void net_conv_row(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                           int filters, int kernel_h, int kernel_w, int accumulate, int k0, int tile, int h)
{
    const net_conv_split split = net_split_filters(filters);
    if (tile == split.tile)
        net_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, k0, split.tile, h);
    else
        net_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate, k0, split.tile - 1, h);
}
#endif

NET_INLINE void net_conv(float *y, const float *x, const float *p, const float *b, int channels, int height, int width,
                       int filters, int kernel_h, int kernel_w, int accumulate, int groups, int part, int parts)
{
    const net_conv_split split = net_split_filters(filters);
    const size_t plane = (size_t)height * width * NET_LANES;
    const int rows = split.tiles * height;
    for (int g = 0; g < groups; g++)
        for (int i = net_share(rows, part, parts); i < net_share(rows, part + 1, parts); i++) {
            const int t = i / height, narrow = t >= split.wide;
            net_conv_row(y + g * filters * plane, x + g * channels * plane, p, b, channels, height, width, filters, kernel_h,
                        kernel_w, accumulate, t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow, i % height);
        }
}

// ---- batchnorm.c - batch normalisation over the count images of a call (Ioffe & Szegedy 2015; PyTorch's constants:
// eps 1e-5, momentum 0.1, running variance unbiased).  size: pixels of a channel.

#define NET_BN_EPSILON 1e-5f
#define NET_BN_MOMENTUM 0.1f

// The sum of a channel's count * size values f(y), lanes beyond count left out.  centre: the mean to take squares around.
NET_INLINE double net_bn_sum(const float *y, int channels, int size, int groups, int count, int c, float centre, int squares)
{
    double sum = 0.0;
    for (int g = 0; g < groups; g++) {
        float lane[NET_LANES] = {0};
        const float *in = y + ((size_t)g * channels + c) * size * NET_LANES;
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
NET_INLINE void net_bn_apply(float *z, const float *y, int channels, int size, int groups, int c, float scale, float shift,
                           int relu)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = ((size_t)g * channels + c) * size * NET_LANES;
        for (int i = 0; i < size * NET_LANES; i++) {
            const float value = scale * y[at + i] + shift;
            z[at + i] = relu && value < 0.0f ? 0.0f : value; // NaN stays NaN
        }
    }
}

// Training: statistics of the batch, which also move the running ones.
NET_INLINE void net_batchnorm(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y,
                            const float *gamma, const float *beta, int channels, int size, int relu, int groups, int count,
                            int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float m = (float)(net_bn_sum(y, channels, size, groups, count, c, 0.0f, 0) / n);
        const double rest = net_bn_sum(y, channels, size, groups, count, c, m, 0) / n;
        const double var = net_bn_sum(y, channels, size, groups, count, c, m, 1) / n - rest * rest;
        mean[c] = m;
        rstd[c] = (float)(1.0 / sqrt(var + NET_BN_EPSILON));
        running_mean[c] += NET_BN_MOMENTUM * (m - running_mean[c]);
        running_var[c] += NET_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
        const float scale = gamma[c] * rstd[c];
        net_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * m, relu);
    }
}

// Evaluation: running statistics.
NET_INLINE void net_batchnorm_infer(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean,
                                  const float *running_var, int channels, int size, int relu, int groups, int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float scale = gamma[c] / sqrtf(running_var[c] + NET_BN_EPSILON);
        net_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * running_mean[c], relu);
    }
}

// dbeta = sum dz, dgamma = sum dz xhat, dy = gamma rstd (dz - dbeta/n - xhat dgamma/n), xhat = (y - mean) rstd;
// with relu, dz counts only where the result z is positive.  dy is zero in the lanes beyond count.
NET_INLINE void net_batchnorm_backward(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y,
                                     const float *mean, const float *rstd, const float *gamma, int channels, int size,
                                     int relu, int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        const float m = mean[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * NET_LANES;
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
        const float a = (float)(scale * sum / n), b = (float)(scale * rstd[c] * rstd[c] * product / n);
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * NET_LANES;
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

// ---- relu.c - y = max(x, 0), and its gradient: dx (+)= dy where y > 0.  size: values of one image.

NET_INLINE void net_relu(float *y, const float *x, int size, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * NET_LANES;
        for (int i = NET_LANES * net_share(size, part, parts); i < NET_LANES * net_share(size, part + 1, parts); i++)
            y[at + i] = x[at + i] < 0.0f ? 0.0f : x[at + i];
    }
}

NET_INLINE void net_relu_backward(float *dx, const float *dy, const float *y, int size, int accumulate, int groups, int part,
                                int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * NET_LANES;
        for (int i = NET_LANES * net_share(size, part, parts); i < NET_LANES * net_share(size, part + 1, parts); i++) {
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

NET_INLINE void net_weighted_sum(float *y, const float *const *xs, const float *const *as, int inputs, float scale, int size,
                               int relu, int groups, int part, int parts)
{
    enum { BLOCK = 1024 }; // floats that stay in the first cache while the terms are added
    for (int g = 0; g < groups; g++) {
        const size_t first = ((size_t)g * size + net_share(size, part, parts)) * NET_LANES;
        const size_t last = ((size_t)g * size + net_share(size, part + 1, parts)) * NET_LANES;
        for (size_t at = first; at < last; at += BLOCK) {
            const int n = last - at < BLOCK ? (int)(last - at) : BLOCK;
            float sum[BLOCK];
            for (int j = 0; j < inputs; j++) {
                const float s = as[j] ? net_sigmoid(*as[j]) : scale;
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
NET_INLINE void net_weighted_sum_backward(float *dx, float *partial, const float *dy, const float *x, const float *a,
                                        int channels, float scale, int size, int accumulate, int groups, int part, int parts)
{
    const float s = a ? net_sigmoid(*a) : scale;
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        float lane[NET_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * size * NET_LANES;
            if (a)
                for (int i = 0; i < size; i++)
                    for (int l = 0; l < NET_LANES; l++)
                        lane[l] += dy[at + (size_t)i * NET_LANES + l] * x[at + (size_t)i * NET_LANES + l];
            if (accumulate)
                for (int i = 0; i < size * NET_LANES; i++)
                    dx[at + i] += s * dy[at + i];
            else
                for (int i = 0; i < size * NET_LANES; i++)
                    dx[at + i] = s * dy[at + i];
        }
        if (!a)
            continue;
        for (int l = 0; l < NET_LANES; l++)
            sum += lane[l];
        partial[c] = sum;
    }
}

// da = sigmoid'(a) * sum_c partial[c].
NET_INLINE void net_scalar_backward(float *da, const float *partial, const float *a, int channels, int part, int parts)
{
    if (part != parts - 1)
        return;
    double sum = 0.0;
    const float s = net_sigmoid(*a);
    for (int c = 0; c < channels; c++)
        sum += partial[c];
    *da = (float)(sum * s * (1.0f - s));
}

// ---- pool.c - adaptive average pooling (PyTorch's adaptive_avg_pool2d) and average pooling with stride 1.

// y[c][i][j] = mean of x over rows floor(i H / h) .. ceil((i+1) H / h) - 1, columns alike.  1 x 1: global pooling.
NET_INLINE void net_adaptive_pool(float *y, const float *x, int channels, int height, int width, int out_height, int out_width,
                                int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height, h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width, w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = x + ((size_t)g * channels + c) * height * width * NET_LANES;
                    float *out = y + ((((size_t)g * channels + c) * out_height + i) * out_width + j) * NET_LANES;
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
NET_INLINE void net_adaptive_pool_backward(float *dx, const float *dy, int channels, int height, int width, int out_height,
                                         int out_width, int accumulate, int groups, int part, int parts)
{
    const size_t plane = (size_t)height * width * NET_LANES;
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
            float *out = dx + ((size_t)g * channels + c) * plane;
            if (!accumulate)
                memset(out, 0, plane * sizeof *out);
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height, h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width, w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = dy + ((((size_t)g * channels + c) * out_height + i) * out_width + j) * NET_LANES;
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < NET_LANES; l++)
                                out[((size_t)h * width + w) * NET_LANES + l] += share * in[l];
                }
        }
}

// y[c][h][w] (+)= 1/kernel^2 * sum of the kernel x kernel window around it; padding counts in the divisor.  It is its own
// gradient: windows are symmetric and every divisor is the same.
NET_INLINE void net_average_pool(float *y, const float *x, int channels, int height, int width, int kernel, int accumulate,
                               int groups, int part, int parts)
{
    const int half = kernel / 2;
    const float share = 1.0f / (float)(kernel * kernel);
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
            const float *in = x + ((size_t)g * channels + c) * height * width * NET_LANES;
            float *out = y + ((size_t)g * channels + c) * height * width * NET_LANES;
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

// ---- dropout.c - inverted dropout of the head's features: a feature is zeroed with probability `dropout`, else divided by
// 1 - dropout.  The mask is a hash of (seed, step, image, channel), so the backward pass draws the same one again.

NET_INLINE void net_dropout(float *y, const float *x, int channels, int groups, unsigned long long seed, unsigned long long step,
                          float dropout, int part, int parts)
{
    const float keep = 1.0f / (1.0f - dropout);
    const uint64_t key = net_mix(seed + 0x9e3779b97f4a7c15u * (step + 1)), bar = (uint64_t)(dropout * 16777216.0f);
    for (int g = 0; g < groups; g++)
        for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++)
            for (int l = 0; l < NET_LANES; l++) {
                const size_t at = ((size_t)g * channels + c) * NET_LANES + l;
                const uint64_t draw = net_mix(key ^ ((uint64_t)(g * NET_LANES + l) << 32 | (uint32_t)c)) >> 40;
                y[at] = draw < bar ? 0.0f : keep * x[at];
            }
}

// ---- loss.c - mean cross entropy of softmax with label smoothing e (PyTorch's CrossEntropyLoss):
//
//   q_k = (1 - e) [k = label] + e / classes,  loss = mean over images of -sum_k q_k log softmax(logits)_k,
//   dlogits = (softmax - q) / count; zero in the lanes beyond count.

NET_INLINE void net_loss(float *dlogits, float *loss, const float *logits, const int *labels, int classes, int count,
                       float label_smoothing, int part, int parts)
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
            const double q = (k == labels[n] ? 1.0 - label_smoothing : 0.0) + (double)label_smoothing / classes;
            total += q * (log(sum) - z);
            dlogits[at + (size_t)k * NET_LANES] = (float)((exp(z) / sum - q) / count);
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
#if NET_VECTOR == 16 || defined(__aarch64__)
#define NET_DW_FILTERS(columns) ((columns) == 5 ? 5 : 7)
#else
#define NET_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define NET_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? 3 : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
NET_INLINE void net_dw_pixel(net_vector sum[7][5], const float *x, const float *dy, size_t plane, const int filters,
                           const int columns, const int step, const int kernel_w, int w, int width, const int edge)
{
    for (int l = 0; l < NET_LANES; l += NET_VECTOR) {
        net_vector column[5];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside = edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
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

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all pixels of all groups.
NET_INLINE void net_dw_tile(float *dw, const float *x, const float *dy, int channels, int height, int width, int filters,
                          int kernel_h, int kernel_w, int groups, int k0, const int tile, int c0, const int columns, int r)
{
    const size_t plane = (size_t)height * width * NET_LANES;
    const int step = kernel_w == 1 ? (int)plane : NET_LANES;
    const int h0 = net_max(0, kernel_h / 2 - r), h1 = net_min(height, height + kernel_h / 2 - r);
    net_vector sum[7][5];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = net_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row = x + (g * channels + c0) * plane +
                               ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * NET_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * NET_LANES;
            const int left = net_min(kernel_w / 2, width), right = net_max(left, width - kernel_w / 2);
            for (int w = 0; w < left; w++)
                net_dw_pixel(sum, row + w * NET_LANES, drow + w * NET_LANES, plane, tile, columns, step, kernel_w, w, width, 1);
            for (int w = left; w < right; w++)
                net_dw_pixel(sum, row + w * NET_LANES, drow + w * NET_LANES, plane, tile, columns, step, kernel_w, w, width, 0);
            for (int w = right; w < width; w++)
                net_dw_pixel(sum, row + w * NET_LANES, drow + w * NET_LANES, plane, tile, columns, step, kernel_w, w, width, 1);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] = net_sum_vector(sum[k][j]);
        }
}

#ifndef NET_CONV_DISPATCH
// A tile of the last few filters or channels is expanded by its own size; all are constants where the shape is.
NET_INLINE void net_dw_block(float *dw, const float *x, const float *dy, int channels, int height, int width, int filters,
                           int kernel_h, int kernel_w, int groups, int k0, int tile, int c0, int columns, int r)
{
    const int all = NET_DW_COLUMNS(kernel_w), most = NET_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = channels % all;
    if (tile == most && columns == all)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, most, c0, all, r);
    else if (columns == all)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, last_tile, c0, all, r);
    else if (tile == most)
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, most, c0, last_columns, r);
    else
        net_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, last_tile, c0, last_columns, r);
}
#endif

NET_INLINE void net_conv_weights_backward(float *dw, const float *x, const float *dy, int channels, int height, int width,
                                        int filters, int kernel_h, int kernel_w, int groups, int part, int parts)
{
    const int columns = NET_DW_COLUMNS(kernel_w), tile = NET_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile, blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = net_share(items, part, parts); i < net_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step, r = i % kernel_h;
        net_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0, net_min(tile, filters - k0), c0,
                    kernel_w == 1 ? net_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
NET_INLINE void net_channel_sum(float *db, const float *dy, int channels, int size, int groups, int part, int parts)
{
    for (int c = net_share(channels, part, parts); c < net_share(channels, part + 1, parts); c++) {
        float lane[NET_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NET_LANES; l++)
                    lane[l] += dy[(((size_t)g * channels + c) * size + i) * NET_LANES + l];
        for (int l = 0; l < NET_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// A gradient that is zero in exact arithmetic: the bias of a convolution whose result is batch-normalised.
NET_INLINE void net_zero(float *g, int size, int part, int parts)
{
    for (int i = net_share(size, part, parts); i < net_share(size, part + 1, parts); i++)
        g[i] = 0.0f;
}

// ---- sgd.c - stochastic gradient descent with momentum and weight decay, PyTorch's update, in one sweep:
//   g += weight_decay p;  v = momentum v + g;  p -= learning_rate v     (v starts at zero, so the first v is g)

NET_INLINE void net_sgd(float *params, float *velocity, const float *grads, int size, float learning_rate, float momentum,
                      float weight_decay, int part, int parts)
{
    for (int i = net_share(size, part, parts); i < net_share(size, part + 1, parts); i++) {
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

static NET_NOINLINE void net_batchnorm_infer_c2_n256_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 2, 256, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k2_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 2, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c2_h16_w16_k2_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 2, 16, 16, 2, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c2_n256(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 2, 256, 0, 1, 0, 1);
}

static NET_NOINLINE void net_relu_n512(float *y, const float *x)
{
    net_relu(y, x, 512, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_x2_n512_relu(float *y, const float *const *xs, const float *const *as)
{
    net_weighted_sum(y, xs, as, 2, 1.0f, 512, 1, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c2_h16_w16_oh8_ow8(float *y, const float *x)
{
    net_adaptive_pool(y, x, 2, 16, 16, 8, 8, 1, 0, 1);
}

static NET_NOINLINE void net_relu_n128(float *y, const float *x)
{
    net_relu(y, x, 128, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c2_h8_w8_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 2, 8, 8, 4, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c4_n64(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 4, 64, 0, 1, 0, 1);
}

static NET_NOINLINE void net_relu_n256(float *y, const float *x)
{
    net_relu(y, x, 256, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k4_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 4, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h8_w8_k4_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 8, 8, 4, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_x2_n256_relu(float *y, const float *const *xs, const float *const *as)
{
    net_weighted_sum(y, xs, as, 2, 1.0f, 256, 1, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c4_n64_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 4, 64, 1, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c2_h16_w16_oh4_ow4(float *y, const float *x)
{
    net_adaptive_pool(y, x, 2, 16, 16, 4, 4, 1, 0, 1);
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

static NET_NOINLINE void net_weighted_sum_x2_n64_relu(float *y, const float *const *xs, const float *const *as)
{
    net_weighted_sum(y, xs, as, 2, 1.0f, 64, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k8_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 8, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c4_h4_w4_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 4, 4, 4, 8, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c8_n16(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 8, 16, 0, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k8_c8_r3_s3(float *p, const float *w)
{
    net_pack_weights(p, w, 8, 8, 3, 3, 0, 1);
}

static NET_NOINLINE void net_conv_c8_h4_w4_k8_r3_s3(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 8, 4, 4, 8, 3, 3, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_x2_n128_relu(float *y, const float *const *xs, const float *const *as)
{
    net_weighted_sum(y, xs, as, 2, 1.0f, 128, 1, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c8_n16_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 8, 16, 1, 1, 0, 1);
}

static NET_NOINLINE void net_pack_weights_k1280_c8_r1_s1(float *p, const float *w)
{
    net_pack_weights(p, w, 1280, 8, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c8_h4_w4_k1280_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 8, 4, 4, 1280, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_infer_c1280_n16_relu(float *z, const float *y, const float *gamma, const float *beta, const float *running_mean, const float *running_var)
{
    net_batchnorm_infer(z, y, gamma, beta, running_mean, running_var, 1280, 16, 1, 1, 0, 1);
}

static NET_NOINLINE void net_adaptive_pool_c1280_h4_w4_oh1_ow1(float *y, const float *x)
{
    net_adaptive_pool(y, x, 1280, 4, 4, 1, 1, 1, 0, 1);
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

static NET_NOINLINE void net_batchnorm_c2_n256_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 256, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c2_n256(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 2, 256, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c4_n64(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 4, 64, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c4_n64_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 4, 64, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c8_n16(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 16, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c8_n16_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 8, 16, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_batchnorm_c1280_n16_relu(float *z, float *mean, float *rstd, float *running_mean, float *running_var, const float *y, const float *gamma, const float *beta, int count)
{
    net_batchnorm(z, mean, rstd, running_mean, running_var, y, gamma, beta, 1280, 16, 1, 1, count, 0, 1);
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

static NET_NOINLINE void net_adaptive_pool_backward_c1280_h4_w4_oh1_ow1(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 1280, 4, 4, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c1280_n16_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 1280, 16, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c8_h4_w4_k1280_r1_s1(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 8, 4, 4, 1280, 1, 1, 1, 0, 1);
}

static NET_NOINLINE void net_zero_n1280(float *g)
{
    net_zero(g, 1280, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k1280_c8_r1_s1(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 1280, 8, 1, 1, 0, 1);
}

static NET_NOINLINE void net_conv_c1280_h4_w4_k8_r1_s1(float *y, const float *x, const float *p, const float *b)
{
    net_conv(y, x, p, b, 1280, 4, 4, 8, 1, 1, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c8_n16_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 8, 16, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c8_h4_w4_k8_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 8, 4, 4, 8, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_zero_n8(float *g)
{
    net_zero(g, 8, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k8_c8_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 8, 8, 3, 3, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n128(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 128, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_backward_c8_n16(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    net_weighted_sum_backward(dx, partial, dy, x, a, 8, 1.0f, 16, 0, 1, 0, 1);
}

static NET_NOINLINE void net_scalar_backward_c8(float *da, const float *partial, const float *a)
{
    net_scalar_backward(da, partial, a, 8, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c8_n16(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 8, 16, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n128_add(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 128, 1, 1, 0, 1);
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

static NET_NOINLINE void net_relu_backward_n64(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 64, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_backward_c4_n16(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    net_weighted_sum_backward(dx, partial, dy, x, a, 4, 1.0f, 16, 0, 1, 0, 1);
}

static NET_NOINLINE void net_scalar_backward_c4(float *da, const float *partial, const float *a)
{
    net_scalar_backward(da, partial, a, 4, 0, 1);
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

static NET_NOINLINE void net_adaptive_pool_backward_c2_h16_w16_oh4_ow4(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 2, 16, 16, 4, 4, 0, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c4_n64(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 4, 64, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c4_h8_w8_k4_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 4, 8, 8, 4, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_zero_n4(float *g)
{
    net_zero(g, 4, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k4_c4_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 4, 4, 3, 3, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n256(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 256, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_backward_c4_n64(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    net_weighted_sum_backward(dx, partial, dy, x, a, 4, 1.0f, 64, 0, 1, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n256_add(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 256, 1, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c4_n64_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 4, 64, 1, 1, count, 0, 1);
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

static NET_NOINLINE void net_adaptive_pool_backward_c2_h16_w16_oh8_ow8_add(float *dx, const float *dy)
{
    net_adaptive_pool_backward(dx, dy, 2, 16, 16, 8, 8, 1, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c2_n256(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 2, 256, 0, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c2_h16_w16_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 2, 16, 16, 2, 3, 3, 1, 0, 1);
}

static NET_NOINLINE void net_zero_n2(float *g)
{
    net_zero(g, 2, 0, 1);
}

static NET_NOINLINE void net_pack_weights_backward_k2_c2_r3_s3(float *p, const float *w)
{
    net_pack_weights_backward(p, w, 2, 2, 3, 3, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n512(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 512, 0, 1, 0, 1);
}

static NET_NOINLINE void net_weighted_sum_backward_c2_n256(float *dx, float *partial, const float *dy, const float *x, const float *a)
{
    net_weighted_sum_backward(dx, partial, dy, x, a, 2, 1.0f, 256, 0, 1, 0, 1);
}

static NET_NOINLINE void net_scalar_backward_c2(float *da, const float *partial, const float *a)
{
    net_scalar_backward(da, partial, a, 2, 0, 1);
}

static NET_NOINLINE void net_relu_backward_n512_add(float *dx, const float *dy, const float *y)
{
    net_relu_backward(dx, dy, y, 512, 1, 1, 0, 1);
}

static NET_NOINLINE void net_batchnorm_backward_c2_n256_relu(float *dy, float *dgamma, float *dbeta, const float *dz, const float *z, const float *y, const float *mean, const float *rstd, const float *gamma, int count)
{
    net_batchnorm_backward(dy, dgamma, dbeta, dz, z, y, mean, rstd, gamma, 2, 256, 1, 1, count, 0, 1);
}

static NET_NOINLINE void net_conv_weights_backward_c3_h16_w16_k2_r3_s3(float *dw, const float *x, const float *dy)
{
    net_conv_weights_backward(dw, x, dy, 3, 16, 16, 2, 3, 3, 1, 0, 1);
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
    // stem.bn0.relu  [2, 16, 16]
    net_batchnorm_infer_c2_n256_relu(arena + 24640, arena + 24640, params + 56, params + 58, state + 0, state + 2);
    // stem.conv1.packed
    net_pack_weights_k2_c2_r3_s3(arena + 0, params + 60);
    // stem.conv1  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 48, arena + 24640, arena + 0, params + 96);
    // stem.bn1.relu  [2, 16, 16]
    net_batchnorm_infer_c2_n256_relu(arena + 48, arena + 48, params + 98, params + 100, state + 4, state + 6);
}

// cell 0
static void net_infer_cell_0(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 0, params + 102);
    // cell0.node0.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16432, arena + 48, arena + 0, params + 138);
    // cell0.node0.op0.bn  [2, 16, 16]
    net_batchnorm_infer_c2_n256(arena + 16432, arena + 16432, params + 140, params + 142, state + 8, state + 10);
    // cell0.node0.op0.bn.relu  [2, 16, 16]
    net_relu_n512(arena + 0, arena + 16432);
    // cell0.node0.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16384, params + 144);
    // cell0.node0.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 32816, arena + 0, arena + 16384, params + 180);
    // cell0.node0.op1.bn  [2, 16, 16]
    net_batchnorm_infer_c2_n256(arena + 32816, arena + 32816, params + 182, params + 184, state + 12, state + 14);
    // cell0.node0.op2.sum.relu  [2, 16, 16]
    net_weighted_sum_x2_n512_relu(arena + 16432, (const float *const[]){arena + 16432, arena + 32816}, (const float *const[]){params + 186, params + 187});
    // cell0.node0.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 32816, params + 188);
    // cell0.node0.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 0, arena + 16432, arena + 32816, params + 224);
    // cell0.node0.op2.bn.relu  [2, 16, 16]
    net_batchnorm_infer_c2_n256_relu(arena + 0, arena + 0, params + 226, params + 228, state + 16, state + 18);
    // cell0.node1.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 16384, params + 230);
    // cell0.node1.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 16432, arena + 0, arena + 16384, params + 266);
    // cell0.node1.op0.bn  [2, 16, 16]
    net_batchnorm_infer_c2_n256(arena + 16432, arena + 16432, params + 268, params + 270, state + 20, state + 22);
    // cell0.node1.op0.bn.relu  [2, 16, 16]
    net_relu_n512(arena + 32816, arena + 16432);
    // cell0.node1.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 0, params + 272);
    // cell0.node1.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 48, arena + 32816, arena + 0, params + 308);
    // cell0.node1.op1.bn  [2, 16, 16]
    net_batchnorm_infer_c2_n256(arena + 48, arena + 48, params + 310, params + 312, state + 24, state + 26);
    // cell0.node1.op2.sum.relu  [2, 16, 16]
    net_weighted_sum_x2_n512_relu(arena + 16432, (const float *const[]){arena + 16432, arena + 48}, (const float *const[]){params + 314, params + 315});
    // cell0.node1.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 32816, params + 316);
    // cell0.node1.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 0, arena + 16432, arena + 32816, params + 352);
    // cell0.node1.op2.bn  [2, 16, 16]
    net_batchnorm_infer_c2_n256(arena + 0, arena + 0, params + 354, params + 356, state + 28, state + 30);
}

// cell 1
static void net_infer_cell_1(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled  [2, 8, 8]
    net_adaptive_pool_c2_h16_w16_oh8_ow8(arena + 16384, arena + 0);
    // cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_relu_n128(arena + 16384, arena + 16384);
    // cell1.node0.op0.conv3x3.packed
    net_pack_weights_k4_c2_r3_s3(arena + 20480, params + 358);
    // cell1.node0.op0.conv3x3  [4, 8, 8]
    net_conv_c2_h8_w8_k4_r3_s3(arena + 20560, arena + 16384, arena + 20480, params + 430);
    // cell1.node0.op0.bn  [4, 8, 8]
    net_batchnorm_infer_c4_n64(arena + 20560, arena + 20560, params + 434, params + 438, state + 32, state + 36);
    // cell1.node0.op0.bn.relu  [4, 8, 8]
    net_relu_n256(arena + 28752, arena + 20560);
    // cell1.node0.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16384, params + 442);
    // cell1.node0.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 36944, arena + 28752, arena + 16384, params + 586);
    // cell1.node0.op1.bn  [4, 8, 8]
    net_batchnorm_infer_c4_n64(arena + 36944, arena + 36944, params + 590, params + 594, state + 40, state + 44);
    // cell1.node0.op2.sum.relu  [4, 8, 8]
    net_weighted_sum_x2_n256_relu(arena + 20560, (const float *const[]){arena + 20560, arena + 36944}, (const float *const[]){params + 598, params + 599});
    // cell1.node0.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 16384, params + 600);
    // cell1.node0.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 28752, arena + 20560, arena + 16384, params + 744);
    // cell1.node0.op2.bn.relu  [4, 8, 8]
    net_batchnorm_infer_c4_n64_relu(arena + 28752, arena + 28752, params + 748, params + 752, state + 48, state + 52);
    // cell1.node1.op0.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 36944, params + 756);
    // cell1.node1.op0.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 37088, arena + 28752, arena + 36944, params + 900);
    // cell1.node1.op0.bn  [4, 8, 8]
    net_batchnorm_infer_c4_n64(arena + 37088, arena + 37088, params + 904, params + 908, state + 56, state + 60);
    // cell1.node1.op0.bn.relu  [4, 8, 8]
    net_relu_n256(arena + 16384, arena + 37088);
    // cell1.node1.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 45280, params + 912);
    // cell1.node1.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 24576, arena + 16384, arena + 45280, params + 1056);
    // cell1.node1.op1.bn  [4, 8, 8]
    net_batchnorm_infer_c4_n64(arena + 24576, arena + 24576, params + 1060, params + 1064, state + 64, state + 68);
    // cell1.node1.op2.sum.relu  [4, 8, 8]
    net_weighted_sum_x2_n256_relu(arena + 37088, (const float *const[]){arena + 37088, arena + 24576}, (const float *const[]){params + 1068, params + 1069});
    // cell1.node1.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 45280, params + 1070);
    // cell1.node1.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 16384, arena + 37088, arena + 45280, params + 1214);
    // cell1.node1.op2.bn  [4, 8, 8]
    net_batchnorm_infer_c4_n64(arena + 16384, arena + 16384, params + 1218, params + 1222, state + 72, state + 76);
}

// cell 2
static void net_infer_cell_2(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_adaptive_pool_c2_h16_w16_oh4_ow4(arena + 24576, arena + 0);
    // cell1.node1.op2.bn.pooled  [4, 4, 4]
    net_adaptive_pool_c4_h8_w8_oh4_ow4(arena + 0, arena + 16384);
    // cell2.projection0.packed
    net_pack_weights_k4_c2_r1_s1(arena + 2048, params + 1226);
    // cell2.projection0  [4, 4, 4]
    net_conv_c2_h4_w4_k4_r1_s1(arena + 2064, arena + 24576, arena + 2048, params + 1234);
    // cell2.sum.relu  [4, 4, 4]
    net_weighted_sum_x2_n64_relu(arena + 2064, (const float *const[]){arena + 2064, arena + 0}, (const float *const[]){NULL, params + 1238});
    // cell2.node0.op0.conv3x3.packed
    net_pack_weights_k8_c4_r3_s3(arena + 0, params + 1239);
    // cell2.node0.op0.conv3x3  [8, 4, 4]
    net_conv_c4_h4_w4_k8_r3_s3(arena + 4112, arena + 2064, arena + 0, params + 1527);
    // cell2.node0.op0.bn  [8, 4, 4]
    net_batchnorm_infer_c8_n16(arena + 4112, arena + 4112, params + 1535, params + 1543, state + 80, state + 88);
    // cell2.node0.op0.bn.relu  [8, 4, 4]
    net_relu_n128(arena + 0, arena + 4112);
    // cell2.node0.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 8208, params + 1551);
    // cell2.node0.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 8784, arena + 0, arena + 8208, params + 2127);
    // cell2.node0.op1.bn  [8, 4, 4]
    net_batchnorm_infer_c8_n16(arena + 8784, arena + 8784, params + 2135, params + 2143, state + 96, state + 104);
    // cell2.node0.op2.sum.relu  [8, 4, 4]
    net_weighted_sum_x2_n128_relu(arena + 4112, (const float *const[]){arena + 4112, arena + 8784}, (const float *const[]){params + 2151, params + 2152});
    // cell2.node0.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 0, params + 2153);
    // cell2.node0.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 8208, arena + 4112, arena + 0, params + 2729);
    // cell2.node0.op2.bn.relu  [8, 4, 4]
    net_batchnorm_infer_c8_n16_relu(arena + 8208, arena + 8208, params + 2737, params + 2745, state + 112, state + 120);
    // cell2.node1.op0.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 0, params + 2753);
    // cell2.node1.op0.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 576, arena + 8208, arena + 0, params + 3329);
    // cell2.node1.op0.bn  [8, 4, 4]
    net_batchnorm_infer_c8_n16(arena + 576, arena + 576, params + 3337, params + 3345, state + 128, state + 136);
    // cell2.node1.op0.bn.relu  [8, 4, 4]
    net_relu_n128(arena + 4672, arena + 576);
    // cell2.node1.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 0, params + 3353);
    // cell2.node1.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 8768, arena + 4672, arena + 0, params + 3929);
    // cell2.node1.op1.bn  [8, 4, 4]
    net_batchnorm_infer_c8_n16(arena + 8768, arena + 8768, params + 3937, params + 3945, state + 144, state + 152);
    // cell2.node1.op2.sum.relu  [8, 4, 4]
    net_weighted_sum_x2_n128_relu(arena + 576, (const float *const[]){arena + 576, arena + 8768}, (const float *const[]){params + 3953, params + 3954});
    // cell2.node1.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 0, params + 3955);
    // cell2.node1.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 4672, arena + 576, arena + 0, params + 4531);
    // cell2.node1.op2.bn.relu  [8, 4, 4]
    net_batchnorm_infer_c8_n16_relu(arena + 4672, arena + 4672, params + 4539, params + 4547, state + 160, state + 168);
}

// head
static void net_infer_head(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // head.conv.packed
    net_pack_weights_k1280_c8_r1_s1(arena + 8768, params + 4555);
    // head.conv  [1280, 4, 4]
    net_conv_c8_h4_w4_k1280_r1_s1(arena + 19008, arena + 4672, arena + 8768, params + 14795);
    // head.bn.relu  [1280, 4, 4]
    net_batchnorm_infer_c1280_n16_relu(arena + 19008, arena + 19008, params + 16075, params + 17355, state + 176, state + 1456);
    // head.bn.relu.pooled  [1280, 1, 1]
    net_adaptive_pool_c1280_h4_w4_oh1_ow1(arena + 674368, arena + 19008);
    // head.logits.packed
    net_pack_weights_k4_c1280_r1_s1(arena + 0, params + 18635);
    // head.logits  [4, 1, 1]
    net_conv_c1280_h1_w1_k4_r1_s1(arena + 5120, arena + 674368, arena + 0, params + 23755);
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
    // stem.bn0.relu  [2, 16, 16]
    net_batchnorm_c2_n256_relu(arena + 41024, arena + 24576, arena + 24592, state + 0, state + 2, arena + 24640, params + 56, params + 58, call->count);
    // stem.conv1.packed
    net_pack_weights_k2_c2_r3_s3(arena + 57408, params + 60);
    // stem.conv1  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 57456, arena + 41024, arena + 57408, params + 96);
    // stem.bn1.relu  [2, 16, 16]
    net_batchnorm_c2_n256_relu(arena + 73840, arena + 24608, arena + 24624, state + 4, state + 6, arena + 57456, params + 98, params + 100, call->count);
}

// cell 0
static void net_gradient_cell_0(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node0.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 57408, params + 102);
    // cell0.node0.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 90224, arena + 73840, arena + 57408, params + 138);
    // cell0.node0.op0.bn  [2, 16, 16]
    net_batchnorm_c2_n256(arena + 106608, arena + 57408, arena + 57424, state + 8, state + 10, arena + 90224, params + 140, params + 142, call->count);
    // cell0.node0.op0.bn.relu  [2, 16, 16]
    net_relu_n512(arena + 122992, arena + 106608);
    // cell0.node0.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 139376, params + 144);
    // cell0.node0.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 139424, arena + 122992, arena + 139376, params + 180);
    // cell0.node0.op1.bn  [2, 16, 16]
    net_batchnorm_c2_n256(arena + 155808, arena + 57440, arena + 139376, state + 12, state + 14, arena + 139424, params + 182, params + 184, call->count);
    // cell0.node0.op2.sum.relu  [2, 16, 16]
    net_weighted_sum_x2_n512_relu(arena + 172192, (const float *const[]){arena + 106608, arena + 155808}, (const float *const[]){params + 186, params + 187});
    // cell0.node0.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 188576, params + 188);
    // cell0.node0.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 188624, arena + 172192, arena + 188576, params + 224);
    // cell0.node0.op2.bn.relu  [2, 16, 16]
    net_batchnorm_c2_n256_relu(arena + 205008, arena + 139392, arena + 139408, state + 16, state + 18, arena + 188624, params + 226, params + 228, call->count);
    // cell0.node1.op0.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 188576, params + 230);
    // cell0.node1.op0.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 221392, arena + 205008, arena + 188576, params + 266);
    // cell0.node1.op0.bn  [2, 16, 16]
    net_batchnorm_c2_n256(arena + 237776, arena + 188576, arena + 188592, state + 20, state + 22, arena + 221392, params + 268, params + 270, call->count);
    // cell0.node1.op0.bn.relu  [2, 16, 16]
    net_relu_n512(arena + 254160, arena + 237776);
    // cell0.node1.op1.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 270544, params + 272);
    // cell0.node1.op1.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 270592, arena + 254160, arena + 270544, params + 308);
    // cell0.node1.op1.bn  [2, 16, 16]
    net_batchnorm_c2_n256(arena + 286976, arena + 188608, arena + 270544, state + 24, state + 26, arena + 270592, params + 310, params + 312, call->count);
    // cell0.node1.op2.sum.relu  [2, 16, 16]
    net_weighted_sum_x2_n512_relu(arena + 303360, (const float *const[]){arena + 237776, arena + 286976}, (const float *const[]){params + 314, params + 315});
    // cell0.node1.op2.conv3x3.packed
    net_pack_weights_k2_c2_r3_s3(arena + 319744, params + 316);
    // cell0.node1.op2.conv3x3  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 319792, arena + 303360, arena + 319744, params + 352);
    // cell0.node1.op2.bn  [2, 16, 16]
    net_batchnorm_c2_n256(arena + 336176, arena + 270560, arena + 270576, state + 28, state + 30, arena + 319792, params + 354, params + 356, call->count);
}

// cell 1
static void net_gradient_cell_1(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled  [2, 8, 8]
    net_adaptive_pool_c2_h16_w16_oh8_ow8(arena + 352560, arena + 336176);
    // cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_relu_n128(arena + 352560, arena + 352560);
    // cell1.node0.op0.conv3x3.packed
    net_pack_weights_k4_c2_r3_s3(arena + 356656, params + 358);
    // cell1.node0.op0.conv3x3  [4, 8, 8]
    net_conv_c2_h8_w8_k4_r3_s3(arena + 356736, arena + 352560, arena + 356656, params + 430);
    // cell1.node0.op0.bn  [4, 8, 8]
    net_batchnorm_c4_n64(arena + 364928, arena + 319744, arena + 319760, state + 32, state + 36, arena + 356736, params + 434, params + 438, call->count);
    // cell1.node0.op0.bn.relu  [4, 8, 8]
    net_relu_n256(arena + 373120, arena + 364928);
    // cell1.node0.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 381312, params + 442);
    // cell1.node0.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 381456, arena + 373120, arena + 381312, params + 586);
    // cell1.node0.op1.bn  [4, 8, 8]
    net_batchnorm_c4_n64(arena + 389648, arena + 319776, arena + 356656, state + 40, state + 44, arena + 381456, params + 590, params + 594, call->count);
    // cell1.node0.op2.sum.relu  [4, 8, 8]
    net_weighted_sum_x2_n256_relu(arena + 397840, (const float *const[]){arena + 364928, arena + 389648}, (const float *const[]){params + 598, params + 599});
    // cell1.node0.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 381312, params + 600);
    // cell1.node0.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 406032, arena + 397840, arena + 381312, params + 744);
    // cell1.node0.op2.bn.relu  [4, 8, 8]
    net_batchnorm_c4_n64_relu(arena + 414224, arena + 356672, arena + 356688, state + 48, state + 52, arena + 406032, params + 748, params + 752, call->count);
    // cell1.node1.op0.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 381312, params + 756);
    // cell1.node1.op0.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 422416, arena + 414224, arena + 381312, params + 900);
    // cell1.node1.op0.bn  [4, 8, 8]
    net_batchnorm_c4_n64(arena + 430608, arena + 356704, arena + 356720, state + 56, state + 60, arena + 422416, params + 904, params + 908, call->count);
    // cell1.node1.op0.bn.relu  [4, 8, 8]
    net_relu_n256(arena + 438800, arena + 430608);
    // cell1.node1.op1.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 381312, params + 912);
    // cell1.node1.op1.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 446992, arena + 438800, arena + 381312, params + 1056);
    // cell1.node1.op1.bn  [4, 8, 8]
    net_batchnorm_c4_n64(arena + 455184, arena + 381312, arena + 381328, state + 64, state + 68, arena + 446992, params + 1060, params + 1064, call->count);
    // cell1.node1.op2.sum.relu  [4, 8, 8]
    net_weighted_sum_x2_n256_relu(arena + 463376, (const float *const[]){arena + 430608, arena + 455184}, (const float *const[]){params + 1068, params + 1069});
    // cell1.node1.op2.conv3x3.packed
    net_pack_weights_k4_c4_r3_s3(arena + 471568, params + 1070);
    // cell1.node1.op2.conv3x3  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 471712, arena + 463376, arena + 471568, params + 1214);
    // cell1.node1.op2.bn  [4, 8, 8]
    net_batchnorm_c4_n64(arena + 479904, arena + 381344, arena + 381360, state + 72, state + 76, arena + 471712, params + 1218, params + 1222, call->count);
}

// cell 2
static void net_gradient_cell_2(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_adaptive_pool_c2_h16_w16_oh4_ow4(arena + 488096, arena + 336176);
    // cell1.node1.op2.bn.pooled  [4, 4, 4]
    net_adaptive_pool_c4_h8_w8_oh4_ow4(arena + 336176, arena + 479904);
    // cell2.projection0.packed
    net_pack_weights_k4_c2_r1_s1(arena + 381376, params + 1226);
    // cell2.projection0  [4, 4, 4]
    net_conv_c2_h4_w4_k4_r1_s1(arena + 479904, arena + 488096, arena + 381376, params + 1234);
    // cell2.sum.relu  [4, 4, 4]
    net_weighted_sum_x2_n64_relu(arena + 481952, (const float *const[]){arena + 479904, arena + 336176}, (const float *const[]){NULL, params + 1238});
    // cell2.node0.op0.conv3x3.packed
    net_pack_weights_k8_c4_r3_s3(arena + 484000, params + 1239);
    // cell2.node0.op0.conv3x3  [8, 4, 4]
    net_conv_c4_h4_w4_k8_r3_s3(arena + 338224, arena + 481952, arena + 484000, params + 1527);
    // cell2.node0.op0.bn  [8, 4, 4]
    net_batchnorm_c8_n16(arena + 484000, arena + 381376, arena + 381392, state + 80, state + 88, arena + 338224, params + 1535, params + 1543, call->count);
    // cell2.node0.op0.bn.relu  [8, 4, 4]
    net_relu_n128(arena + 342320, arena + 484000);
    // cell2.node0.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 346416, params + 1551);
    // cell2.node0.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 346992, arena + 342320, arena + 346416, params + 2127);
    // cell2.node0.op1.bn  [8, 4, 4]
    net_batchnorm_c8_n16(arena + 489120, arena + 381408, arena + 381424, state + 96, state + 104, arena + 346992, params + 2135, params + 2143, call->count);
    // cell2.node0.op2.sum.relu  [8, 4, 4]
    net_weighted_sum_x2_n128_relu(arena + 493216, (const float *const[]){arena + 484000, arena + 489120}, (const float *const[]){params + 2151, params + 2152});
    // cell2.node0.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 346416, params + 2153);
    // cell2.node0.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 497312, arena + 493216, arena + 346416, params + 2729);
    // cell2.node0.op2.bn.relu  [8, 4, 4]
    net_batchnorm_c8_n16_relu(arena + 501408, arena + 381440, arena + 471568, state + 112, state + 120, arena + 497312, params + 2737, params + 2745, call->count);
    // cell2.node1.op0.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 346416, params + 2753);
    // cell2.node1.op0.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 505504, arena + 501408, arena + 346416, params + 3329);
    // cell2.node1.op0.bn  [8, 4, 4]
    net_batchnorm_c8_n16(arena + 509600, arena + 471584, arena + 471600, state + 128, state + 136, arena + 505504, params + 3337, params + 3345, call->count);
    // cell2.node1.op0.bn.relu  [8, 4, 4]
    net_relu_n128(arena + 513696, arena + 509600);
    // cell2.node1.op1.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 346416, params + 3353);
    // cell2.node1.op1.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 517792, arena + 513696, arena + 346416, params + 3929);
    // cell2.node1.op1.bn  [8, 4, 4]
    net_batchnorm_c8_n16(arena + 521888, arena + 471616, arena + 471632, state + 144, state + 152, arena + 517792, params + 3937, params + 3945, call->count);
    // cell2.node1.op2.sum.relu  [8, 4, 4]
    net_weighted_sum_x2_n128_relu(arena + 525984, (const float *const[]){arena + 509600, arena + 521888}, (const float *const[]){params + 3953, params + 3954});
    // cell2.node1.op2.conv3x3.packed
    net_pack_weights_k8_c8_r3_s3(arena + 346416, params + 3955);
    // cell2.node1.op2.conv3x3  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 530080, arena + 525984, arena + 346416, params + 4531);
    // cell2.node1.op2.bn.relu  [8, 4, 4]
    net_batchnorm_c8_n16_relu(arena + 534176, arena + 471648, arena + 471664, state + 160, state + 168, arena + 530080, params + 4539, params + 4547, call->count);
}

// head
static void net_gradient_head(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const state = call->state;

    // head.conv.packed
    net_pack_weights_k1280_c8_r1_s1(arena + 538272, params + 4555);
    // head.conv  [1280, 4, 4]
    net_conv_c8_h4_w4_k1280_r1_s1(arena + 548512, arena + 534176, arena + 538272, params + 14795);
    // head.bn.relu  [1280, 4, 4]
    net_batchnorm_c1280_n16_relu(arena + 1203872, arena + 351088, arena + 538272, state + 176, state + 1456, arena + 548512, params + 16075, params + 17355, call->count);
    // head.bn.relu.pooled  [1280, 1, 1]
    net_adaptive_pool_c1280_h4_w4_oh1_ow1(arena + 1859232, arena + 1203872);
    // head.dropout  [1280, 1, 1]
    net_dropout_c1280(arena + 1859232, arena + 1859232, call->seed, call->step, call->dropout);
    // head.logits.packed
    net_pack_weights_k4_c1280_r1_s1(arena + 539552, params + 18635);
    // head.logits  [4, 1, 1]
    net_conv_c1280_h1_w1_k4_r1_s1(arena + 352368, arena + 1859232, arena + 539552, params + 23755);
    // logits
    net_unpack_logits_k4(call->logits, arena + 352368, call->count);
    // d.head.logits  [4, 1, 1]
    net_loss_k4(arena + 346416, call->loss, arena + 352368, call->labels, call->count, call->label_smoothing);
}

// head, backward
static void net_gradient_head_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.fc.weight
    net_conv_weights_backward_c1280_h1_w1_k4_r1_s1(grads + 18635, arena + 1859232, arena + 346416);
    // d.fc.bias
    net_channel_sum_c4_n1(grads + 23755, arena + 346416);
    // head.logits.packed_backward
    net_pack_weights_backward_k4_c1280_r1_s1(arena + 539552, params + 18635);
    // d.head.dropout  [1280, 1, 1]
    net_conv_c4_h1_w1_k1280_r1_s1(arena + 1859232, arena + 346416, arena + 539552, NULL);
    // d.head.bn.relu.pooled  [1280, 1, 1]
    net_dropout_c1280(arena + 1859232, arena + 1859232, call->seed, call->step, call->dropout);
    // d.head.bn.relu  [1280, 4, 4]
    net_adaptive_pool_backward_c1280_h4_w4_oh1_ow1(arena + 1900192, arena + 1859232);
    // d.head.conv  [1280, 4, 4]
    net_batchnorm_backward_c1280_n16_relu(arena + 1900192, grads + 16075, grads + 17355, arena + 1900192, arena + 1203872, arena + 548512, arena + 351088, arena + 538272, params + 16075, call->count);
    // d.conv_out.1.weight
    net_conv_weights_backward_c8_h4_w4_k1280_r1_s1(grads + 4555, arena + 534176, arena + 1900192);
    // d.conv_out.1.bias
    net_zero_n1280(grads + 14795);
    // head.conv.packed_backward
    net_pack_weights_backward_k1280_c8_r1_s1(arena + 538272, params + 4555);
    // d.cell2.node1.op2.bn.relu  [8, 4, 4]
    net_conv_c1280_h4_w4_k8_r1_s1(arena + 548512, arena + 1900192, arena + 538272, NULL);
}

// cell 2, backward
static void net_gradient_cell_2_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell2.node1.op2.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16_relu(arena + 548512, grads + 4539, grads + 4547, arena + 548512, arena + 534176, arena + 530080, arena + 471648, arena + 471664, params + 4539, call->count);
    // d.node_ops.2.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 3955, arena + 525984, arena + 548512);
    // d.node_ops.2.node_ops.1.node_ops.2.operation.op.bias
    net_zero_n8(grads + 4531);
    // cell2.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 346416, params + 3955);
    // d.cell2.node1.op2.sum.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 530080, arena + 548512, arena + 346416, NULL);
    // d.cell2.node1.op2.sum.relu.before  [8, 4, 4]
    net_relu_backward_n128(arena + 530080, arena + 530080, arena + 525984);
    // d.cell2.node1.op0.bn  [8, 4, 4]
    net_weighted_sum_backward_c8_n16(arena + 525984, arena + 471648, arena + 530080, arena + 509600, params + 3953);
    // d.node_ops.2.node_ops.1.node_ops.2.merger.0.mean
    net_scalar_backward_c8(grads + 3953, arena + 471648, params + 3953);
    // d.cell2.node1.op1.bn  [8, 4, 4]
    net_weighted_sum_backward_c8_n16(arena + 509600, arena + 471648, arena + 530080, arena + 521888, params + 3954);
    // d.node_ops.2.node_ops.1.node_ops.2.merger.1.mean
    net_scalar_backward_c8(grads + 3954, arena + 471648, params + 3954);
    // d.cell2.node1.op1.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16(arena + 509600, grads + 3937, grads + 3945, arena + 509600, NULL, arena + 517792, arena + 471616, arena + 471632, params + 3937, call->count);
    // d.node_ops.2.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 3353, arena + 513696, arena + 509600);
    // d.node_ops.2.node_ops.1.node_ops.1.operation.op.bias
    net_zero_n8(grads + 3929);
    // cell2.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 346416, params + 3353);
    // d.cell2.node1.op0.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 517792, arena + 509600, arena + 346416, NULL);
    // d.cell2.node1.op0.bn  [8, 4, 4]
    net_relu_backward_n128_add(arena + 525984, arena + 517792, arena + 513696);
    // d.cell2.node1.op0.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16(arena + 525984, grads + 3337, grads + 3345, arena + 525984, NULL, arena + 505504, arena + 471584, arena + 471600, params + 3337, call->count);
    // d.node_ops.2.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 2753, arena + 501408, arena + 525984);
    // d.node_ops.2.node_ops.1.node_ops.0.operation.op.bias
    net_zero_n8(grads + 3329);
    // cell2.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 346416, params + 2753);
    // d.cell2.node0.op2.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 505504, arena + 525984, arena + 346416, NULL);
    // d.cell2.node0.op2.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16_relu(arena + 505504, grads + 2737, grads + 2745, arena + 505504, arena + 501408, arena + 497312, arena + 381440, arena + 471568, params + 2737, call->count);
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 2153, arena + 493216, arena + 505504);
    // d.node_ops.2.node_ops.0.node_ops.2.operation.op.bias
    net_zero_n8(grads + 2729);
    // cell2.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 346416, params + 2153);
    // d.cell2.node0.op2.sum.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 497312, arena + 505504, arena + 346416, NULL);
    // d.cell2.node0.op2.sum.relu.before  [8, 4, 4]
    net_relu_backward_n128(arena + 497312, arena + 497312, arena + 493216);
    // d.cell2.node0.op0.bn  [8, 4, 4]
    net_weighted_sum_backward_c8_n16(arena + 493216, arena + 381440, arena + 497312, arena + 484000, params + 2151);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.0.mean
    net_scalar_backward_c8(grads + 2151, arena + 381440, params + 2151);
    // d.cell2.node0.op1.bn  [8, 4, 4]
    net_weighted_sum_backward_c8_n16(arena + 484000, arena + 381440, arena + 497312, arena + 489120, params + 2152);
    // d.node_ops.2.node_ops.0.node_ops.2.merger.1.mean
    net_scalar_backward_c8(grads + 2152, arena + 381440, params + 2152);
    // d.cell2.node0.op1.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16(arena + 484000, grads + 2135, grads + 2143, arena + 484000, NULL, arena + 346992, arena + 381408, arena + 381424, params + 2135, call->count);
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c8_h4_w4_k8_r3_s3(grads + 1551, arena + 342320, arena + 484000);
    // d.node_ops.2.node_ops.0.node_ops.1.operation.op.bias
    net_zero_n8(grads + 2127);
    // cell2.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k8_c8_r3_s3(arena + 489120, params + 1551);
    // d.cell2.node0.op0.bn.relu  [8, 4, 4]
    net_conv_c8_h4_w4_k8_r3_s3(arena + 346416, arena + 484000, arena + 489120, NULL);
    // d.cell2.node0.op0.bn  [8, 4, 4]
    net_relu_backward_n128_add(arena + 493216, arena + 346416, arena + 342320);
    // d.cell2.node0.op0.conv3x3  [8, 4, 4]
    net_batchnorm_backward_c8_n16(arena + 493216, grads + 1535, grads + 1543, arena + 493216, NULL, arena + 338224, arena + 381376, arena + 381392, params + 1535, call->count);
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c4_h4_w4_k8_r3_s3(grads + 1239, arena + 481952, arena + 493216);
    // d.node_ops.2.node_ops.0.node_ops.0.operation.op.bias
    net_zero_n8(grads + 1527);
    // cell2.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k8_c4_r3_s3(arena + 484000, params + 1239);
    // d.cell2.sum.relu  [4, 4, 4]
    net_conv_c8_h4_w4_k4_r3_s3(arena + 484288, arena + 493216, arena + 484000, NULL);
    // d.cell2.sum.relu.before  [4, 4, 4]
    net_relu_backward_n64(arena + 484288, arena + 484288, arena + 481952);
    // d.cell2.projection0  [4, 4, 4]
    net_weighted_sum_backward_c4_n16(arena + 481952, NULL, arena + 484288, arena + 479904, NULL);
    // d.cell1.node1.op2.bn.pooled  [4, 4, 4]
    net_weighted_sum_backward_c4_n16(arena + 479904, arena + 381376, arena + 484288, arena + 336176, params + 1238);
    // d.node_ops.2.merger.1.mean
    net_scalar_backward_c4(grads + 1238, arena + 381376, params + 1238);
    // d.node_ops.2.merger.0.weight
    net_conv_weights_backward_c2_h4_w4_k4_r1_s1(grads + 1226, arena + 488096, arena + 481952);
    // d.node_ops.2.merger.0.bias
    net_channel_sum_c4_n16(grads + 1234, arena + 481952);
    // cell2.projection0.packed_backward
    net_pack_weights_backward_k4_c2_r1_s1(arena + 381376, params + 1226);
    // d.cell0.node1.op2.bn.pooled  [2, 4, 4]
    net_conv_c4_h4_w4_k2_r1_s1(arena + 336176, arena + 481952, arena + 381376, NULL);
    // d.cell1.node1.op2.bn  [4, 8, 8]
    net_adaptive_pool_backward_c4_h8_w8_oh4_ow4(arena + 337200, arena + 479904);
    // d.cell0.node1.op2.bn  [2, 16, 16]
    net_adaptive_pool_backward_c2_h16_w16_oh4_ow4(arena + 479904, arena + 336176);
}

// cell 1, backward
static void net_gradient_cell_1_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell1.node1.op2.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64(arena + 337200, grads + 1218, grads + 1222, arena + 337200, NULL, arena + 471712, arena + 381344, arena + 381360, params + 1218, call->count);
    // d.node_ops.1.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 1070, arena + 463376, arena + 337200);
    // d.node_ops.1.node_ops.1.node_ops.2.operation.op.bias
    net_zero_n4(grads + 1214);
    // cell1.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 336176, params + 1070);
    // d.cell1.node1.op2.sum.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 471568, arena + 337200, arena + 336176, NULL);
    // d.cell1.node1.op2.sum.relu.before  [4, 8, 8]
    net_relu_backward_n256(arena + 471568, arena + 471568, arena + 463376);
    // d.cell1.node1.op0.bn  [4, 8, 8]
    net_weighted_sum_backward_c4_n64(arena + 463376, arena + 381344, arena + 471568, arena + 430608, params + 1068);
    // d.node_ops.1.node_ops.1.node_ops.2.merger.0.mean
    net_scalar_backward_c4(grads + 1068, arena + 381344, params + 1068);
    // d.cell1.node1.op1.bn  [4, 8, 8]
    net_weighted_sum_backward_c4_n64(arena + 430608, arena + 381344, arena + 471568, arena + 455184, params + 1069);
    // d.node_ops.1.node_ops.1.node_ops.2.merger.1.mean
    net_scalar_backward_c4(grads + 1069, arena + 381344, params + 1069);
    // d.cell1.node1.op1.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64(arena + 430608, grads + 1060, grads + 1064, arena + 430608, NULL, arena + 446992, arena + 381312, arena + 381328, params + 1060, call->count);
    // d.node_ops.1.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 912, arena + 438800, arena + 430608);
    // d.node_ops.1.node_ops.1.node_ops.1.operation.op.bias
    net_zero_n4(grads + 1056);
    // cell1.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 381312, params + 912);
    // d.cell1.node1.op0.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 471568, arena + 430608, arena + 381312, NULL);
    // d.cell1.node1.op0.bn  [4, 8, 8]
    net_relu_backward_n256_add(arena + 463376, arena + 471568, arena + 438800);
    // d.cell1.node1.op0.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64(arena + 463376, grads + 904, grads + 908, arena + 463376, NULL, arena + 422416, arena + 356704, arena + 356720, params + 904, call->count);
    // d.node_ops.1.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 756, arena + 414224, arena + 463376);
    // d.node_ops.1.node_ops.1.node_ops.0.operation.op.bias
    net_zero_n4(grads + 900);
    // cell1.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 381312, params + 756);
    // d.cell1.node0.op2.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 471568, arena + 463376, arena + 381312, NULL);
    // d.cell1.node0.op2.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64_relu(arena + 471568, grads + 748, grads + 752, arena + 471568, arena + 414224, arena + 406032, arena + 356672, arena + 356688, params + 748, call->count);
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 600, arena + 397840, arena + 471568);
    // d.node_ops.1.node_ops.0.node_ops.2.operation.op.bias
    net_zero_n4(grads + 744);
    // cell1.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 381312, params + 600);
    // d.cell1.node0.op2.sum.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 336176, arena + 471568, arena + 381312, NULL);
    // d.cell1.node0.op2.sum.relu.before  [4, 8, 8]
    net_relu_backward_n256(arena + 336176, arena + 336176, arena + 397840);
    // d.cell1.node0.op0.bn  [4, 8, 8]
    net_weighted_sum_backward_c4_n64(arena + 344368, arena + 356672, arena + 336176, arena + 364928, params + 598);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.0.mean
    net_scalar_backward_c4(grads + 598, arena + 356672, params + 598);
    // d.cell1.node0.op1.bn  [4, 8, 8]
    net_weighted_sum_backward_c4_n64(arena + 364928, arena + 356672, arena + 336176, arena + 389648, params + 599);
    // d.node_ops.1.node_ops.0.node_ops.2.merger.1.mean
    net_scalar_backward_c4(grads + 599, arena + 356672, params + 599);
    // d.cell1.node0.op1.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64(arena + 364928, grads + 590, grads + 594, arena + 364928, NULL, arena + 381456, arena + 319776, arena + 356656, params + 590, call->count);
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c4_h8_w8_k4_r3_s3(grads + 442, arena + 373120, arena + 364928);
    // d.node_ops.1.node_ops.0.node_ops.1.operation.op.bias
    net_zero_n4(grads + 586);
    // cell1.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k4_c4_r3_s3(arena + 336176, params + 442);
    // d.cell1.node0.op0.bn.relu  [4, 8, 8]
    net_conv_c4_h8_w8_k4_r3_s3(arena + 381312, arena + 364928, arena + 336176, NULL);
    // d.cell1.node0.op0.bn  [4, 8, 8]
    net_relu_backward_n256_add(arena + 344368, arena + 381312, arena + 373120);
    // d.cell1.node0.op0.conv3x3  [4, 8, 8]
    net_batchnorm_backward_c4_n64(arena + 344368, grads + 434, grads + 438, arena + 344368, NULL, arena + 356736, arena + 319744, arena + 319760, params + 434, call->count);
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h8_w8_k4_r3_s3(grads + 358, arena + 352560, arena + 344368);
    // d.node_ops.1.node_ops.0.node_ops.0.operation.op.bias
    net_zero_n4(grads + 430);
    // cell1.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k4_c2_r3_s3(arena + 336176, params + 358);
    // d.cell0.node1.op2.bn.pooled.relu  [2, 8, 8]
    net_conv_c4_h8_w8_k2_r3_s3(arena + 336256, arena + 344368, arena + 336176, NULL);
    // d.cell0.node1.op2.bn.pooled  [2, 8, 8]
    net_relu_backward_n128(arena + 336256, arena + 336256, arena + 352560);
    // d.cell0.node1.op2.bn  [2, 16, 16]
    net_adaptive_pool_backward_c2_h16_w16_oh8_ow8_add(arena + 479904, arena + 336256);
}

// cell 0, backward
static void net_gradient_cell_0_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.cell0.node1.op2.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256(arena + 479904, grads + 354, grads + 356, arena + 479904, NULL, arena + 319792, arena + 270560, arena + 270576, params + 354, call->count);
    // d.node_ops.0.node_ops.1.node_ops.2.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 316, arena + 303360, arena + 479904);
    // d.node_ops.0.node_ops.1.node_ops.2.operation.op.bias
    net_zero_n2(grads + 352);
    // cell0.node1.op2.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 319744, params + 316);
    // d.cell0.node1.op2.sum.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 319792, arena + 479904, arena + 319744, NULL);
    // d.cell0.node1.op2.sum.relu.before  [2, 16, 16]
    net_relu_backward_n512(arena + 319792, arena + 319792, arena + 303360);
    // d.cell0.node1.op0.bn  [2, 16, 16]
    net_weighted_sum_backward_c2_n256(arena + 303360, arena + 270560, arena + 319792, arena + 237776, params + 314);
    // d.node_ops.0.node_ops.1.node_ops.2.merger.0.mean
    net_scalar_backward_c2(grads + 314, arena + 270560, params + 314);
    // d.cell0.node1.op1.bn  [2, 16, 16]
    net_weighted_sum_backward_c2_n256(arena + 237776, arena + 270560, arena + 319792, arena + 286976, params + 315);
    // d.node_ops.0.node_ops.1.node_ops.2.merger.1.mean
    net_scalar_backward_c2(grads + 315, arena + 270560, params + 315);
    // d.cell0.node1.op1.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256(arena + 237776, grads + 310, grads + 312, arena + 237776, NULL, arena + 270592, arena + 188608, arena + 270544, params + 310, call->count);
    // d.node_ops.0.node_ops.1.node_ops.1.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 272, arena + 254160, arena + 237776);
    // d.node_ops.0.node_ops.1.node_ops.1.operation.op.bias
    net_zero_n2(grads + 308);
    // cell0.node1.op1.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 270544, params + 272);
    // d.cell0.node1.op0.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 270592, arena + 237776, arena + 270544, NULL);
    // d.cell0.node1.op0.bn  [2, 16, 16]
    net_relu_backward_n512_add(arena + 303360, arena + 270592, arena + 254160);
    // d.cell0.node1.op0.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256(arena + 303360, grads + 268, grads + 270, arena + 303360, NULL, arena + 221392, arena + 188576, arena + 188592, params + 268, call->count);
    // d.node_ops.0.node_ops.1.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 230, arena + 205008, arena + 303360);
    // d.node_ops.0.node_ops.1.node_ops.0.operation.op.bias
    net_zero_n2(grads + 266);
    // cell0.node1.op0.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 188576, params + 230);
    // d.cell0.node0.op2.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 221392, arena + 303360, arena + 188576, NULL);
    // d.cell0.node0.op2.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256_relu(arena + 221392, grads + 226, grads + 228, arena + 221392, arena + 205008, arena + 188624, arena + 139392, arena + 139408, params + 226, call->count);
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 188, arena + 172192, arena + 221392);
    // d.node_ops.0.node_ops.0.node_ops.2.operation.op.bias
    net_zero_n2(grads + 224);
    // cell0.node0.op2.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 188576, params + 188);
    // d.cell0.node0.op2.sum.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 188624, arena + 221392, arena + 188576, NULL);
    // d.cell0.node0.op2.sum.relu.before  [2, 16, 16]
    net_relu_backward_n512(arena + 188624, arena + 188624, arena + 172192);
    // d.cell0.node0.op0.bn  [2, 16, 16]
    net_weighted_sum_backward_c2_n256(arena + 172192, arena + 139392, arena + 188624, arena + 106608, params + 186);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.0.mean
    net_scalar_backward_c2(grads + 186, arena + 139392, params + 186);
    // d.cell0.node0.op1.bn  [2, 16, 16]
    net_weighted_sum_backward_c2_n256(arena + 106608, arena + 139392, arena + 188624, arena + 155808, params + 187);
    // d.node_ops.0.node_ops.0.node_ops.2.merger.1.mean
    net_scalar_backward_c2(grads + 187, arena + 139392, params + 187);
    // d.cell0.node0.op1.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256(arena + 106608, grads + 182, grads + 184, arena + 106608, NULL, arena + 139424, arena + 57440, arena + 139376, params + 182, call->count);
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 144, arena + 122992, arena + 106608);
    // d.node_ops.0.node_ops.0.node_ops.1.operation.op.bias
    net_zero_n2(grads + 180);
    // cell0.node0.op1.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 139376, params + 144);
    // d.cell0.node0.op0.bn.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 139424, arena + 106608, arena + 139376, NULL);
    // d.cell0.node0.op0.bn  [2, 16, 16]
    net_relu_backward_n512_add(arena + 172192, arena + 139424, arena + 122992);
    // d.cell0.node0.op0.conv3x3  [2, 16, 16]
    net_batchnorm_backward_c2_n256(arena + 172192, grads + 140, grads + 142, arena + 172192, NULL, arena + 90224, arena + 57408, arena + 57424, params + 140, call->count);
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 102, arena + 73840, arena + 172192);
    // d.node_ops.0.node_ops.0.node_ops.0.operation.op.bias
    net_zero_n2(grads + 138);
    // cell0.node0.op0.conv3x3.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 57408, params + 102);
    // d.stem.bn1.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 90224, arena + 172192, arena + 57408, NULL);
}

// stem, backward
static void net_gradient_stem_backward(const net_call *call)
{
    float *const arena = call->arena;
    float *const params = call->params;
    float *const grads = call->grads;

    // d.stem.conv1  [2, 16, 16]
    net_batchnorm_backward_c2_n256_relu(arena + 90224, grads + 98, grads + 100, arena + 90224, arena + 73840, arena + 57456, arena + 24608, arena + 24624, params + 98, call->count);
    // d.first_conv.3.weight
    net_conv_weights_backward_c2_h16_w16_k2_r3_s3(grads + 60, arena + 41024, arena + 90224);
    // d.first_conv.3.bias
    net_zero_n2(grads + 96);
    // stem.conv1.packed_backward
    net_pack_weights_backward_k2_c2_r3_s3(arena + 57408, params + 60);
    // d.stem.bn0.relu  [2, 16, 16]
    net_conv_c2_h16_w16_k2_r3_s3(arena + 57456, arena + 90224, arena + 57408, NULL);
    // d.stem.conv0  [2, 16, 16]
    net_batchnorm_backward_c2_n256_relu(arena + 57456, grads + 56, grads + 58, arena + 57456, arena + 41024, arena + 24640, arena + 24576, arena + 24592, params + 56, call->count);
    // d.first_conv.0.weight
    net_conv_weights_backward_c3_h16_w16_k2_r3_s3(grads + 0, arena + 0, arena + 57456);
    // d.first_conv.0.bias
    net_zero_n2(grads + 54);
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

// One step of SGD on the first `count` <= NET_BATCH images: forward in training mode, backward, update.  Returns the mean
// loss.  labels: 0 .. NET_CLASSES - 1.  The gradients stay in net_grads.
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

// images: [NET_BATCH][NET_CHANNELS][NET_HEIGHT][NET_WIDTH], normalised; logits: [NET_BATCH][NET_CLASSES]; running statistics.
// arena: NET_ARENA_BYTES, aligned to 64 bytes.
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

// face_pixels.c - raw pixels to what the network reads: (pixel / 255 - mean) / deviation, per channel.

// One image; hwc tells that the channels of a pixel lie together.
static void net_normalise(const uint8_t *pixels, float *image, int hwc)
{
    for (int c = 0; c < NET_CHANNELS; c++)
        for (int i = 0; i < NET_HEIGHT * NET_WIDTH; i++) {
            const uint8_t pixel = hwc ? pixels[i * NET_CHANNELS + c] : pixels[c * NET_HEIGHT * NET_WIDTH + i];
            image[c * NET_HEIGHT * NET_WIDTH + i] = ((float)pixel * (1.0f / 255.0f) - net_mean[c]) / net_deviation[c];
        }
}

void net_infer_u8(const uint8_t *images, float *logits)
{
    static float normalised[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH];
    for (int n = 0; n < NET_BATCH; n++)
        net_normalise(images + (size_t)n * NET_CHANNELS * NET_HEIGHT * NET_WIDTH,
                     normalised + (size_t)n * NET_CHANNELS * NET_HEIGHT * NET_WIDTH, NET_PIXELS_ARE_HWC);
    net_infer(normalised, logits);
}

#ifdef NET_MAIN
// main_read.c - records from a file: one label byte, then NET_CHANNELS * NET_HEIGHT * NET_WIDTH pixel bytes, channel by
// channel (CIFAR-10's own format).
#include <stdio.h>
#include <stdlib.h>

// Reads up to NET_BATCH records, normalised; returns how many.  A piece of a record at the end is an error.
static int net_read_batch(FILE *file, float *images, int32_t *labels)
{
    static uint8_t record[1 + NET_CHANNELS * NET_HEIGHT * NET_WIDTH];
    for (int n = 0; n < NET_BATCH; n++) {
        const size_t got = fread(record, 1, sizeof record, file);
        if (got == 0)
            return n;
        if (got != sizeof record || record[0] >= NET_CLASSES) {
            fprintf(stderr, "error: bad record: %lu bytes of %lu, label %d of %d classes\n", (unsigned long)got,
                    (unsigned long)sizeof record, record[0], NET_CLASSES);
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
    static float images[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH], logits[NET_BATCH * NET_CLASSES];
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
    printf("accuracy %.2f %% (%ld of %ld)\n", all ? 100.0 * (double)right / (double)all : 0.0, right, all);
}

// main_train.c - the program that -DNK_MAIN adds to a trainable file:
//   ./net [TRAIN.bin [EPOCHS [LEARNING_RATE]]] < TEST.bin
// trains on the records of TRAIN.bin in their order, then prints the logits of TEST.bin's and the accuracy.
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
        fprintf(stderr, "epoch %d: mean loss %.4f\n", epoch + 1, steps ? loss / (double)steps : 0.0);
    }
    net_evaluate(stdin);
    return 0;
}
#endif
