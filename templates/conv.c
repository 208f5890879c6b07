// conv.c - convolution, stride 1, zero padding kernel/2, batch innermost:
//
//   y[k][h][w][lane] (+)= b[k] + sum over c, r, s of p[c][r][s][k] *
//   x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// Images lie in the vector lanes, so every channel count, kernel size and border fills the vectors.
// A tile of `tile` filters x two vectors stays in registers while all taps are summed; weights are
// broadcast scalars. The gradient of the input is the same convolution of dy with
// nk_pack_weights_backward's weights.

// Filters of a tile: two vectors each, plus two of x, in 32 (AVX-512, NEON) or 16 registers.
#if NK_VECTOR == 16 || defined(__aarch64__)
#define NK_CONV_TILE 14
#else
#define NK_CONV_TILE 6
#endif
#define NK_CONV_STEP (2 * NK_VECTOR)

// Filters k0..k0+tile of pixels (h, w0..w1), `tile` constant where this is expanded.
NK_INLINE void nk_conv_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int height, int width, int filters, int kernel_h, int kernel_w,
                            int accumulate, int k0, const int tile, int h)
{
    const size_t plane = nk_plane(height * width);
    const int r0 = nk_max(0, kernel_h / 2 - h), r1 = nk_min(kernel_h, height + kernel_h / 2 - h);
    for (int w = 0; w < width; w++) {
        const int s0 = nk_max(0, kernel_w / 2 - w), s1 = nk_min(kernel_w, width + kernel_w / 2 - w);
        for (int l = 0; l < NK_LANES; l += NK_CONV_STEP) {
            nk_vector sum[NK_CONV_TILE][2];
            float *out = y + k0 * plane + ((size_t)h * width + w) * NK_LANES + l;
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = nk_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += nk_load(out + k * plane);
                    sum[k][1] += nk_load(out + k * plane + NK_VECTOR);
                }
            }
            for (int c = 0; c < channels; c++)
                for (int r = r0; r < r1; r++) {
                    const float *row =
                        x + c * plane +
                        ((int64_t)(h + r - kernel_h / 2) * width + w - kernel_w / 2) * NK_LANES + l;
                    const float *weight =
                        p + ((size_t)(c * kernel_h + r) * kernel_w) * filters + k0;
                    for (int s = s0; s < s1; s++) {
                        const nk_vector x0 = nk_load(row + s * NK_LANES),
                                        x1 = nk_load(row + s * NK_LANES + NK_VECTOR);
#pragma GCC unroll 16
                        for (int k = 0; k < tile; k++) {
                            sum[k][0] += weight[s * filters + k] * x0;
                            sum[k][1] += weight[s * filters + k] * x1;
                        }
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                nk_store(out + k * plane, sum[k][0]);
                nk_store(out + k * plane + NK_VECTOR, sum[k][1]);
            }
        }
    }
}

// Near-equal tiles: 19 filters are 10 + 9, not 14 + 5.  The first `wide` tiles have one filter
// more.
typedef struct {
    int tiles, wide, tile;
} nk_conv_split;

NK_INLINE nk_conv_split nk_split_filters(int filters)
{
    nk_conv_split split;
    split.tiles = (filters + NK_CONV_TILE - 1) / NK_CONV_TILE;
    split.tile = (filters + split.tiles - 1) / split.tiles;
    split.wide = filters - split.tiles * (split.tile - 1);
    return split;
}

// A convolution whose taps lie in one line (1x1, 1x3, 3x1) reads few values of every channel for a
// pixel, far apart from each other.  A few pixels of a line are therefore copied together first,
// and all tiles of filters read the copy in the first cache; many channels go through in blocks.
enum {
    NK_LINE_FLOATS = 8192,
    NK_LINE_CHANNELS = 128, // of a block
    NK_LINE_PIXELS = 8,     // of the result
    NK_LINE_TAPS = 5
};

// Filters k0..k0+tile of `count` pixels, `pitch` floats apart in y, from x[channels][count + taps -
// 1][lanes].
NK_INLINE void nk_line_tile(float *y, const float *x, const float *p, const float *b, int channels,
                            int taps, size_t plane, size_t pitch, int filters, int accumulate,
                            int k0, const int tile, int count)
{
    const size_t step = (size_t)(count + taps - 1) * NK_LANES;
    for (int i = 0; i < count; i++)
        for (int l = 0; l < NK_LANES; l += NK_CONV_STEP) {
            float *out = y + k0 * plane + i * pitch + l;
            nk_vector sum[NK_CONV_TILE][2];
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] = sum[k][1] = nk_zero_vector() + (b ? b[k0 + k] : 0.0f);
                if (accumulate) {
                    sum[k][0] += nk_load(out + k * plane);
                    sum[k][1] += nk_load(out + k * plane + NK_VECTOR);
                }
            }
            const float *in = x + (size_t)i * NK_LANES + l, *weight = p + k0;
            for (int c = 0; c < channels; c++, in += step)
                for (int t = 0; t < taps; t++, weight += filters) {
                    const nk_vector x0 = nk_load(in + t * NK_LANES),
                                    x1 = nk_load(in + t * NK_LANES + NK_VECTOR);
#pragma GCC unroll 16
                    for (int k = 0; k < tile; k++) {
                        sum[k][0] += weight[k] * x0;
                        sum[k][1] += weight[k] * x1;
                    }
                }
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                nk_store(out + k * plane, sum[k][0]);
                nk_store(out + k * plane + NK_VECTOR, sum[k][1]);
            }
        }
}

#ifndef NK_CONV_DISPATCH
NK_INLINE void nk_line_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int taps, size_t plane, size_t pitch, int filters, int accumulate,
                           int k0, int tile, int count)
{
    const nk_conv_split split = nk_split_filters(filters);
    if (tile == split.tile)
        nk_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0, split.tile,
                     count);
    else
        nk_line_tile(y, x, p, b, channels, taps, plane, pitch, filters, accumulate, k0,
                     split.tile - 1, count);
}

// One row of one tile.  The tile is a constant where the shape is: both sizes are expanded in
// place.
NK_INLINE void nk_conv_row(float *y, const float *x, const float *p, const float *b, int channels,
                           int height, int width, int filters, int kernel_h, int kernel_w,
                           int accumulate, int k0, int tile, int h)
{
    const nk_conv_split split = nk_split_filters(filters);
    if (tile == split.tile)
        nk_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile, h);
    else
        nk_conv_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                     k0, split.tile - 1, h);
}
#endif

// Pixels first..first+count of a line of `length`, `pitch` floats apart, and taps / 2 more on
// either side, zero beyond the line's ends -> copy[channels][count + taps - 1][lanes].
NK_INLINE void nk_copy_line(float *copy, const float *line, int channels, size_t plane,
                            size_t pitch, int length, int taps, int first, int count)
{
    const int all = count + taps - 1;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < all; i++, copy += NK_LANES) {
            const int at = first + i - taps / 2, inside = at >= 0 && at < length;
            const float *in = line + c * plane + at * (ptrdiff_t)pitch;
            for (int l = 0; l < NK_LANES; l += NK_VECTOR)
                nk_store(copy + l, inside ? nk_load(in + l) : nk_zero_vector());
        }
}

// Pixels from..to of one line, which begins at x and y, all filters.
NK_INLINE void nk_conv_line(float *y, const float *x, const float *p, const float *b, int channels,
                            size_t plane, size_t pitch, int length, int filters, int taps,
                            int accumulate, int from, int to)
{
    const nk_conv_split split = nk_split_filters(filters);
    const int most = nk_min(channels, NK_LINE_CHANNELS),
              block = nk_min(NK_LINE_PIXELS, NK_LINE_FLOATS / (most * NK_LANES) - (taps - 1));
    float copy[NK_LINE_FLOATS + NK_LANES * NK_LINE_CHANNELS * NK_LINE_TAPS];
    for (int first = from; first < to; first += nk_max(1, block)) {
        const int count = nk_min(nk_max(1, block), to - first);
        for (int c = 0; c < channels; c += most) {
            const int some = nk_min(most, channels - c);
            nk_copy_line(copy, x + c * plane, some, plane, pitch, length, taps, first, count);
            for (int t = 0; t < split.tiles; t++) {
                const int narrow = t >= split.wide;
                nk_line_row(y + first * pitch, copy, p + (size_t)c * taps * filters, c ? NULL : b,
                            some, taps, plane, pitch, filters, accumulate || c,
                            t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                            count);
            }
        }
    }
}

// Lines are rows, or columns where the kernel is upright; a 1x1 kernel sees one line.
NK_INLINE void nk_conv_lines(float *y, const float *x, const float *p, const float *b, int channels,
                             int height, int width, int filters, int kernel_h, int kernel_w,
                             int accumulate, int groups, int part, int parts)
{
    const int size = height * width, taps = kernel_h * kernel_w,
              length = taps == 1      ? size
                       : kernel_h > 1 ? height
                                      : width;
    const size_t plane = nk_plane(size), pitch = nk_plane(kernel_h > 1 ? width : 1),
                 next = nk_plane(kernel_h > 1 ? 1 : width);
    const int last = nk_share(size, part + 1, parts);
    for (int g = 0; g < groups; g++)
        for (int i = nk_share(size, part, parts), to; i < last; i = to) {
            const int line = i / length, from = i % length;
            to = nk_min(last, (line + 1) * length);
            nk_conv_line(y + g * filters * plane + line * next,
                         x + g * channels * plane + line * next, p, b, channels, plane, pitch,
                         length, filters, taps, accumulate, from, from + to - i);
        }
}

NK_INLINE void nk_conv(float *y, const float *x, const float *p, const float *b, int channels,
                       int height, int width, int filters, int kernel_h, int kernel_w,
                       int accumulate, int groups, int part, int parts)
{
    const nk_conv_split split = nk_split_filters(filters);
    const size_t plane = nk_plane(height * width);
    const int rows = split.tiles * height;
    if ((kernel_h == 1 || kernel_w == 1) && kernel_h * kernel_w <= NK_LINE_TAPS) {
        nk_conv_lines(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, accumulate,
                      groups, part, parts);
        return;
    }
    for (int g = 0; g < groups; g++)
        for (int i = nk_share(rows, part, parts); i < nk_share(rows, part + 1, parts); i++) {
            const int t = i / height, narrow = t >= split.wide;
            nk_conv_row(y + g * filters * plane, x + g * channels * plane, p, b, channels, height,
                        width, filters, kernel_h, kernel_w, accumulate,
                        t * (split.tile - 1) + (narrow ? split.wide : t), split.tile - narrow,
                        i % height);
        }
}
