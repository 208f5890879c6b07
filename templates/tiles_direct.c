// tiles_direct.c - convolutions of one image by the direct algorithm, for maps in tiles of one
// pixel: [channel][pixels, padded to a multiple of 16], pixels in the lanes.
//
//   y[k][h][w] = [relu] (b[k] + sum over c, r, s of w[c][r][s][k]
//                               [relu_x] x[c][h+r-kernel_h/2][w+s-kernel_w/2])
//
// Rows are run together: a step is two vectors of neighbouring pixels, whatever the width.  For
// each tap a step has a mask of the lanes whose neighbour lies inside the map; what is loaded
// outside it (from the row, the channel or the tensor before or behind: nothing is read further
// away than the arena's margin) is masked away.  So there is no halo and no copy.

enum { NK_DIRECT_VECTORS = NK_TILE_VECTORS > 1 ? 2 : 1, NK_MOST_TAPS = 25 };
#define NK_DIRECT_STEP (NK_DIRECT_VECTORS * NK_VECTOR)
#define NK_DIRECT_SUMS (NK_TILE_SUMS / NK_DIRECT_VECTORS)

#if NK_VECTOR > 1
typedef int32_t nk_mask __attribute__((vector_size(4 * NK_VECTOR), aligned(4), may_alias));
#else
typedef int32_t nk_mask;
#endif

// [relu] of a vector where its mask is set, else zero.
NK_INLINE nk_vector nk_masked(const float *x, const int32_t *mask, const int relu)
{
#if NK_VECTOR > 1
    const nk_vector v = nk_load(x);
    const nk_mask m = *(const nk_mask *)mask;
    return (nk_vector)((nk_mask)(relu ? nk_relu_vector(v) : v) & m);
#else
    return *mask && (!relu || *x > 0.0f) ? *x : 0.0f;
#endif
}

// Masks of all taps for the NK_DIRECT_STEP pixels from `at`: mask[tap][pixel].
NK_INLINE void nk_direct_masks(int32_t *mask, int at, int height, int width, int kernel_h,
                               int kernel_w)
{
    int32_t row[NK_DIRECT_STEP], column[NK_DIRECT_STEP];
    for (int i = 0; i < NK_DIRECT_STEP; i++) {
        row[i] = (at + i) / width;
        column[i] = (at + i) % width;
    }
    for (int r = 0; r < kernel_h; r++)
        for (int s = 0; s < kernel_w; s++)
            for (int i = 0; i < NK_DIRECT_STEP; i++) {
                const uint32_t h = (uint32_t)(row[i] + r - kernel_h / 2),
                               w = (uint32_t)(column[i] + s - kernel_w / 2);
                mask[(r * kernel_w + s) * NK_DIRECT_STEP + i] =
                    -(int32_t)((h < (uint32_t)height) & (w < (uint32_t)width));
            }
}

// Do the pixels from `at` have the masks of the step before?
NK_INLINE int nk_direct_same(int at, int height, int width, int kernel_h)
{
    const int rows = NK_DIRECT_STEP / width, h = at / width;
    return NK_DIRECT_STEP % width == 0 && h - rows >= kernel_h / 2 &&
           h + rows + kernel_h / 2 <= height;
}

// Filters x vectors in registers, over all channels and taps; w's rows are `block` apart.
NK_INLINE void nk_direct_tile(float *y, const float *x, const float *w, const float *b,
                              const int32_t *mask, int channels, int plane, int width,
                              const int kernel_h, const int kernel_w, int block, const int relu_x,
                              const int relu, const int filters, const int vectors)
{
    nk_vector sum[NK_DIRECT_SUMS][NK_DIRECT_VECTORS];
#pragma GCC unroll 14
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 2
        for (int i = 0; i < vectors; i++)
            sum[k][i] = nk_zero_vector() + b[k];
    for (int c = 0; c < channels; c++)
        for (int r = 0; r < kernel_h; r++) {
            const float *row = x + (size_t)c * plane + (r - kernel_h / 2) * width - kernel_w / 2;
#pragma GCC unroll 5
            for (int s = 0; s < kernel_w; s++) {
                const float *weight = w + (size_t)((c * kernel_h + r) * kernel_w + s) * block;
                nk_vector at[NK_DIRECT_VECTORS];
#pragma GCC unroll 2
                for (int i = 0; i < vectors; i++)
                    at[i] = nk_masked(row + s + i * NK_VECTOR,
                                      mask + (r * kernel_w + s) * NK_DIRECT_STEP + i * NK_VECTOR,
                                      relu_x);
#pragma GCC unroll 14
                for (int k = 0; k < filters; k++)
#pragma GCC unroll 2
                    for (int i = 0; i < vectors; i++)
                        sum[k][i] += weight[k] * at[i];
            }
        }
#pragma GCC unroll 14
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 2
        for (int i = 0; i < vectors; i++)
            nk_store(y + (size_t)k * plane + i * NK_VECTOR,
                     relu ? nk_relu_vector(sum[k][i]) : sum[k][i]);
}

// A block of filters at one step.
NK_INLINE void nk_direct_block(float *y, const float *x, const float *w, const float *b,
                               const int32_t *mask, int channels, int plane, int width,
                               int kernel_h, int kernel_w, int relu_x, int relu, const int filters,
                               const int vectors)
{
    const int pieces = (filters + NK_DIRECT_SUMS - 1) / NK_DIRECT_SUMS,
              step = (filters + pieces - 1) / pieces, whole = filters / step * step;
    for (int k = 0; k < whole; k += step)
        nk_direct_tile(y + (size_t)k * plane, x, w + k, b + k, mask, channels, plane, width,
                       kernel_h, kernel_w, filters, relu_x, relu, step, vectors);
    if (filters > whole)
        nk_direct_tile(y + (size_t)whole * plane, x, w + whole, b + whole, mask, channels, plane,
                       width, kernel_h, kernel_w, filters, relu_x, relu, filters - whole, vectors);
}

// Blocks of filters as equal as can be, the larger ones first: w[block][c][r][s][filter in block].
NK_INLINE void nk_tiles_direct(float *y, const float *x, const float *w, const float *b, int height,
                               int width, int kernel_h, int kernel_w, int filters, int blocks,
                               int relu_x, int relu, int channels, int part, int parts)
{
    const int least = filters / blocks, larger = filters % blocks,
              plane = nk_tile_plane(height, width, 1);
    const int steps = (plane + NK_DIRECT_STEP - 1) / NK_DIRECT_STEP;
    const size_t taps = (size_t)channels * kernel_h * kernel_w;
    int32_t mask[NK_MOST_TAPS * NK_DIRECT_STEP];
    // parts begin at multiples of 16 pixels, so that the last one has all beyond the map's end
    const int unit = (15 + NK_DIRECT_STEP) / NK_DIRECT_STEP, units = (steps + unit - 1) / unit;
    const int first = nk_share(units, part, parts) * unit;
    for (int i = first; i < nk_min(nk_share(units, part + 1, parts) * unit, steps); i++) {
        const int at = i * NK_DIRECT_STEP;
        if (i == first || !nk_direct_same(at, height, width, kernel_h))
            nk_direct_masks(mask, at, height, width, kernel_h, kernel_w);
        for (int j = 0; j < blocks; j++) {
            const int k = j * least + nk_min(j, larger);
            float *out = y + (size_t)k * plane + at;
#define NK_BLOCK(filters, vectors)                                                            \
    nk_direct_block(out, x + at, w + taps * k, b + k, mask, channels, plane, width, kernel_h, \
                    kernel_w, relu_x, relu, filters, vectors)
            if (at + NK_DIRECT_STEP > plane && j < larger)
                NK_BLOCK(least + 1, 1);
            else if (at + NK_DIRECT_STEP > plane)
                NK_BLOCK(least, 1);
            else if (j < larger)
                NK_BLOCK(least + 1, NK_DIRECT_VECTORS);
            else
                NK_BLOCK(least, NK_DIRECT_VECTORS);
#undef NK_BLOCK
        }
    }
    if (part == parts - 1 && !nk_tiles_are_full(height, width, 1))
        for (int k = 0; k < filters; k++)
            nk_tile_clear(y + (size_t)k * plane, height, width, 1);
}

// ---- every channel for itself -------------------------------------------------------------------

// y[c] = b[c] + sum over r, s of w[c][r][s] [relu_x] x[c][h+r-kernel_h/2][w+s-kernel_w/2].
NK_INLINE void nk_tiles_depthwise(float *y, const float *x, const float *w, const float *b,
                                  int height, int width, int kernel_h, int kernel_w, int relu_x,
                                  int channels, int part, int parts)
{
    const int plane = nk_tile_plane(height, width, 1), taps = kernel_h * kernel_w;
    int32_t mask[NK_MOST_TAPS * NK_DIRECT_STEP];
    const int first = nk_share(channels, part, parts), end = nk_share(channels, part + 1, parts);
    for (int at = 0; at < plane; at += NK_DIRECT_STEP) {
        if (at == 0 || !nk_direct_same(at, height, width, kernel_h))
            nk_direct_masks(mask, at, height, width, kernel_h, kernel_w);
        for (int c = first; c < end; c++)
            for (int i = 0; i < nk_min(NK_DIRECT_STEP, plane - at); i += NK_VECTOR) {
                nk_vector sum = nk_zero_vector() + b[c];
                for (int r = 0; r < kernel_h; r++)
                    for (int s = 0; s < kernel_w; s++)
                        sum += w[c * taps + r * kernel_w + s] *
                               nk_masked(x + (size_t)c * plane + at + i +
                                             (r - kernel_h / 2) * width + s - kernel_w / 2,
                                         mask + (r * kernel_w + s) * NK_DIRECT_STEP + i, relu_x);
                nk_store(y + (size_t)c * plane + at + i, sum);
            }
    }
    for (int c = first; c < end; c++)
        nk_tile_clear(y + (size_t)c * plane, height, width, 1);
}

// Average pooling, stride 1, zeros outside counted: kernel squared.
NK_INLINE void nk_tiles_average_pool(float *y, const float *x, int height, int width, int kernel_h,
                                     int channels, int part, int parts)
{
    const int plane = nk_tile_plane(height, width, 1);
    int32_t mask[NK_MOST_TAPS * NK_DIRECT_STEP];
    const int first = nk_share(channels, part, parts), end = nk_share(channels, part + 1, parts);
    for (int at = 0; at < plane; at += NK_DIRECT_STEP) {
        if (at == 0 || !nk_direct_same(at, height, width, kernel_h))
            nk_direct_masks(mask, at, height, width, kernel_h, kernel_h);
        for (int c = first; c < end; c++)
            for (int i = 0; i < nk_min(NK_DIRECT_STEP, plane - at); i += NK_VECTOR) {
                nk_vector sum = nk_zero_vector();
                for (int r = 0; r < kernel_h; r++)
                    for (int s = 0; s < kernel_h; s++)
                        sum += nk_masked(x + (size_t)c * plane + at + i +
                                             (r - kernel_h / 2) * width + s - kernel_h / 2,
                                         mask + (r * kernel_h + s) * NK_DIRECT_STEP + i, 0);
                nk_store(y + (size_t)c * plane + at + i, 1.0f / (float)(kernel_h * kernel_h) * sum);
            }
    }
    for (int c = first; c < end; c++)
        nk_tile_clear(y + (size_t)c * plane, height, width, 1);
}

// The depthwise convolutions of a stem: y smaller than x, which is not rectified.
NK_INLINE void nk_tiles_strided(float *y, const float *x, const float *w, const float *b,
                                int height, int width, int kernel_h, int kernel_w, int stride,
                                int out_height, int out_width, int relu_x, int channels, int part,
                                int parts)
{
    const int plane = nk_tile_plane(height, width, 1),
              out_plane = nk_tile_plane(out_height, out_width, 1);
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        for (int h = 0; h < out_height; h++)
            for (int v = 0; v < out_width; v++) {
                const int top = h * stride - kernel_h / 2, left = v * stride - kernel_w / 2;
                const int r1 = nk_min(kernel_h, height - top), s1 = nk_min(kernel_w, width - left);
                float sum = b[c];
                for (int r = nk_max(0, -top); r < r1; r++)
                    for (int s = nk_max(0, -left); s < s1; s++) {
                        const float in = x[(size_t)c * plane + (top + r) * width + left + s];
                        sum += w[(c * kernel_h + r) * kernel_w + s] *
                               (relu_x && in < 0.0f ? 0.0f : in);
                    }
                y[(size_t)c * out_plane + h * out_width + v] = sum;
            }
        nk_tile_clear(y + (size_t)c * out_plane, out_height, out_width, 1);
    }
}
