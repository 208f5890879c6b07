// winograd_weights.c - gradient of the weights of a 3x3 or 5x5 convolution in the points of
// winograd.c:
//
//   dw = G^T [ sum over tiles and images of (B^T d B) . (A dy A^T) ] G,   d: 6x6 (8x8) inputs,
//   dy: 4x4 gradients of a tile
//
// For each of the points the sum is a matrix product over (tile, image).  It runs over the
// lanes, so one side is transposed: dy (16 values a tile) is turned to have the filters in the
// lanes, V stays as in winograd.c and is read as broadcast scalars.  Threads share out the filters,
// or the channels where the filters fill few vectors; each transforms what it needs of the other
// side again.  Every sum runs over all tiles in their order, for any number of threads.

// The widest tile of sums for each number of filter vectors: channels x vectors, in 32 or 16
// registers.
#if NK_VECTOR == 16 || defined(__aarch64__)
#define NK_WDW_VECTORS 5
static const int nk_wdw_channels[] = {0, 14, 14, 9, 6, 5};
#else
#define NK_WDW_VECTORS 3
static const int nk_wdw_channels[] = {0, 12, 6, 4};
#endif
#define NK_WDW_PAD(filters) (((filters) + 15) / 16 * 16)

// ---- dy, transposed and transformed -------------------------------------------------------------

// A y of four values: the adjoint of A^T.
NK_INLINE void nk_winograd_a_adjoint(nk_vector out[8], nk_vector y0, nk_vector y1, nk_vector y2,
                                     nk_vector y3, const int side)
{
    out[0] = y0;
#define NK_PAIR(pair)                                                                            \
    {                                                                                            \
        const nk_vector even = y0 + NK_WP2(side, pair) * y2, odd = y1 + NK_WP2(side, pair) * y3; \
        out[1 + 2 * pair] = even + NK_WP(side, pair) * odd;                                      \
        out[2 + 2 * pair] = even - NK_WP(side, pair) * odd;                                      \
    }
    NK_PAIR(0)
    NK_PAIR(1)
    if (side == 8)
        NK_PAIR(2)
#undef NK_PAIR
    out[side - 1] = y3;
}

// y[16 pixels][lanes] of one image and NK_VECTOR filters -> d[point][lanes].
NK_INLINE void nk_winograd_dy(float *d, nk_vector y[16], const int side)
{
    nk_vector half[8][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        nk_vector out[8];
        nk_winograd_a_adjoint(out, y[j], y[4 + j], y[8 + j], y[12 + j], side);
#pragma GCC unroll 8
        for (int i = 0; i < side; i++)
            half[i][j] = out[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < side; i++) {
        nk_vector out[8];
        nk_winograd_a_adjoint(out, half[i][0], half[i][1], half[i][2], half[i][3], side);
#pragma GCC unroll 8
        for (int j = 0; j < side; j++)
            nk_store(d + (i * side + j) * NK_VECTOR, out[j]);
    }
}

// Tile `tile` of a group: filter vectors from..to of dy -> d[image][to - from][point][lanes], zero
// beyond the border and the last filter.
NK_INLINE void nk_winograd_dy_tile(float *d, const float *dy, int height, int width, int filters,
                                   int side, int from, int to, int tile)
{
    const int tiles_w = (width + 3) / 4, h = tile / tiles_w * 4, w = tile % tiles_w * 4,
              vectors = to - from;
    const size_t plane = nk_plane(height * width), step = (size_t)NK_POINT_STEP(side) * NK_VECTOR;
    nk_vector turned[NK_VECTOR][16];
    for (int unit = 0; unit < NK_UNITS; unit++)
        for (int kv = 0; kv < vectors; kv++) {
            const int k0 = (from + kv) * NK_VECTOR, whole = filters - k0 >= NK_VECTOR;
            for (int i = 0; i < 16; i++) {
                const int inside = h + i / 4 < height && w + i % 4 < width;
                const float *at = dy + k0 * plane +
                                  ((size_t)(h + i / 4) * width + w + i % 4) * NK_LANES +
                                  unit * NK_VECTOR;
                nk_vector a[NK_VECTOR];
                if (inside && whole) {
#pragma GCC unroll 16
                    for (int k = 0; k < NK_VECTOR; k++)
                        a[k] = nk_load(at + k * plane);
                } else {
                    for (int k = 0; k < NK_VECTOR; k++)
                        a[k] =
                            inside && k0 + k < filters ? nk_load(at + k * plane) : nk_zero_vector();
                }
                nk_transpose(a);
#pragma GCC unroll 16
                for (int l = 0; l < NK_VECTOR; l++)
                    turned[l][i] = a[l];
            }
            for (int l = 0; l < NK_VECTOR; l++) {
                float *out = d + ((size_t)(unit * NK_VECTOR + l) * vectors + kv) * step;
                if (side == 6)
                    nk_winograd_dy(out, turned[l], 6);
                else
                    nk_winograd_dy(out, turned[l], 8);
            }
        }
}

// ---- products -----------------------------------------------------------------------------------

// du[c0..c0+count][vectors of filters] of one point += sum over units and images of V[c] * D[k].
// `du`, `v`, `d` point at channel c0, filter vector kv and the point; `rows` filters lie between
// two channels of du, `vectors` filter vectors in d.
NK_INLINE void nk_wdw_tile(float *du, const float *v, const float *d, int channels, int rows,
                           int vectors, int units, const int side, const int count, const int width)
{
    const size_t step = NK_POINT_STEP(side) * NK_VECTOR;
    nk_vector sum[14][NK_WDW_VECTORS];
#pragma GCC unroll 16
    for (int c = 0; c < count; c++)
#pragma GCC unroll 8
        for (int k = 0; k < width; k++)
            sum[c][k] = nk_load(du + (size_t)c * rows + k * NK_VECTOR);
    for (int unit = 0; unit < units; unit++, v += channels * step)
        for (int l = 0; l < NK_VECTOR; l++, d += vectors * step) {
            nk_vector y[NK_WDW_VECTORS];
#pragma GCC unroll 8
            for (int k = 0; k < width; k++)
                y[k] = nk_load(d + k * step);
#pragma GCC unroll 16
            for (int c = 0; c < count; c++) {
                const float x = v[c * step + l];
#pragma GCC unroll 8
                for (int k = 0; k < width; k++)
                    sum[c][k] += x * y[k];
            }
        }
#pragma GCC unroll 16
    for (int c = 0; c < count; c++)
#pragma GCC unroll 8
        for (int k = 0; k < width; k++)
            nk_store(du + (size_t)c * rows + k * NK_VECTOR, sum[c][k]);
}

#ifndef NK_CONV_DISPATCH
NK_INLINE void nk_wdw_product(float *du, const float *v, const float *d, int channels, int rows,
                              int vectors, int units, int side, int count, int width)
{
    nk_wdw_tile(du, v, d, channels, rows, vectors, units, side, count, width);
}
#endif

// A thread's share of the sums: channels and filter vectors.
typedef struct {
    int c0, c1, v0, v1;
} nk_wdw_share;

// The share's sums at point f, in near-equal tiles.  v: its channels' points, d: its filter
// vectors' points.
NK_INLINE void nk_wdw_point(float *du, const float *v, const float *d, int channels, int rows,
                            nk_wdw_share share, int units, int side, int f)
{
    const int own = share.c1 - share.c0, vectors = share.v1 - share.v0;
    const size_t step = NK_POINT_STEP(side) * NK_VECTOR;
    du += ((size_t)f * channels + share.c0) * rows + share.v0 * NK_VECTOR;
    v += f * NK_VECTOR;
    d += f * NK_VECTOR;
    for (int kv = 0, strips = (vectors + NK_WDW_VECTORS - 1) / NK_WDW_VECTORS; strips > 0;
         strips--) {
        const int width = (vectors - kv + strips - 1) / strips, most = nk_wdw_channels[width];
        for (int c = 0, pieces = (own + most - 1) / most; pieces > 0; pieces--) {
            const int count = (own - c + pieces - 1) / pieces;
            nk_wdw_product(du + (size_t)c * rows + kv * NK_VECTOR, v + c * step, d + kv * step, own,
                           rows, vectors, units, side, count, width);
            c += count;
        }
        kv += width;
    }
}

// du[point][c][filters, padded to 16].  scratch: `parts` times block tiles' V and D.
NK_INLINE void nk_winograd_weights(float *du, float *scratch, const float *x, const float *dy,
                                   int channels, int height, int width, int filters, int kernel_h,
                                   int block, int groups, int part, int parts)
{
    const int tiles = ((height + 3) / 4) * ((width + 3) / 4), all = groups * tiles,
              rows = NK_WDW_PAD(filters), side = kernel_h + 3;
    const int vectors = rows / NK_VECTOR, by_filters = vectors >= 2 * parts;
    const size_t plane = nk_plane(height * width), one = (size_t)NK_POINT_STEP(side) * NK_LANES;
    const nk_wdw_share share = {by_filters ? 0 : nk_share(channels, part, parts),
                                by_filters ? channels : nk_share(channels, part + 1, parts),
                                by_filters ? nk_share(vectors, part, parts) : 0,
                                by_filters ? nk_share(vectors, part + 1, parts) : vectors};
    const int own = share.c1 - share.c0, kept = (share.v1 - share.v0) * NK_VECTOR;
    float *v = scratch + (size_t)part * block * one * (size_t)(channels + rows);
    float *d = v + block * one * (size_t)channels;
    for (int i = 0; i < NK_POINTS(side); i++)
        for (int c = share.c0; c < share.c1; c++)
            memset(du + ((size_t)i * channels + c) * rows + share.v0 * NK_VECTOR, 0,
                   (size_t)kept * sizeof *du);
    for (int first = 0; own > 0 && kept > 0 && first < all; first += block) {
        const int count = nk_min(block, all - first);
        nk_winograd_input_tiles(v, x, channels, share.c0, own, height, width, side, first, count);
        for (int i = 0; i < count; i++) {
            const int g = (first + i) / tiles, tile = (first + i) % tiles;
            nk_winograd_dy_tile(d + i * one * kept, dy + g * filters * plane, height, width,
                                filters, side, share.v0, share.v1, tile);
        }
        const int soon = nk_min(block, all - first - count);
        for (int f = 0; f < NK_POINTS(side); f++) {
            nk_winograd_prefetch(x, channels, share.c0, own, height, width, kernel_h / 2,
                                 first + count, soon, f, NK_POINTS(side));
            nk_winograd_prefetch(dy, filters, share.v0 * NK_VECTOR,
                                 nk_min(kept, filters - share.v0 * NK_VECTOR), height, width, 0,
                                 first + count, soon, f, NK_POINTS(side));
            nk_wdw_point(du, v, d, channels, rows, share, count * NK_UNITS, side, f);
        }
    }
}

// ---- back to taps -------------------------------------------------------------------------------

// G^T d: points -> taps, NK_PACK filters at once.
NK_INLINE void nk_winograd_g_adjoint(float out[5][NK_PACK], float d[8][NK_PACK], const int side)
{
    for (int l = 0; l < NK_PACK; l++) {
        float tap[5] = {d[0][l] * NK_WN0(side), 0, 0, 0, 0};
        tap[side - 4] += d[side - 1][l];
#pragma GCC unroll 3
        for (int pair = 0; pair < side / 2 - 1; pair++) {
            const float p = NK_WP(side, pair), p2 = NK_WP2(side, pair), n = NK_WN(side, pair);
            const float even = (d[1 + 2 * pair][l] + d[2 + 2 * pair][l]) * n,
                        odd = (d[1 + 2 * pair][l] - d[2 + 2 * pair][l]) * (p * n);
            tap[0] += even;
            tap[1] += odd;
            tap[2] += p2 * even;
            if (side == 8) {
                tap[3] += p2 * odd;
                tap[4] += p2 * p2 * even;
            }
        }
#pragma GCC unroll 5
        for (int t = 0; t < side - 3; t++)
            out[t][l] = tap[t];
    }
}

// One channel's taps of NK_PACK filters from the sums, `count` of them kept, dw[count], `next`
// apart.
NK_INLINE void nk_winograd_taps(float *dw, const float *du, size_t points, size_t next, int count,
                                const int side)
{
    const int kernel = side - 3;
    float half[5][8][NK_PACK], d[8][NK_PACK], out[5][NK_PACK];
    for (int j = 0; j < side; j++) {
        for (int i = 0; i < side; i++)
            memcpy(d[i], du + (size_t)(i * side + j) * points, sizeof d[i]);
        nk_winograd_g_adjoint(out, d, side);
        for (int r = 0; r < kernel; r++)
            memcpy(half[r][j], out[r], sizeof out[r]);
    }
    for (int r = 0; r < kernel; r++) {
        nk_winograd_g_adjoint(out, half[r], side);
        for (int l = 0; l < count; l++)
            for (int s = 0; s < kernel; s++)
                dw[l * next + r * kernel + s] = out[s][l];
    }
}

// dw[k][c][kernel_h][kernel_h] from the sums.
NK_INLINE void nk_winograd_weights_finish(float *dw, const float *du, int channels, int filters,
                                          int kernel_h, int part, int parts)
{
    const int rows = NK_WDW_PAD(filters);
    const size_t points = (size_t)channels * rows, taps = (size_t)kernel_h * kernel_h;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int k = 0; k < filters; k += NK_PACK) {
            float *to = dw + ((size_t)k * channels + c) * taps;
            const float *from = du + (size_t)c * rows + k;
            const int count = nk_min(NK_PACK, filters - k);
            if (kernel_h == 3)
                nk_winograd_taps(to, from, points, channels * taps, count, 6);
            else
                nk_winograd_taps(to, from, points, channels * taps, count, 8);
        }
}
