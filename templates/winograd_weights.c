// winograd_weights.c - gradient of the weights of a 3x3 convolution in the points of winograd.c:
//
//   dw = G^T [ sum over tiles and images of (B^T d B) . (A dy A^T) ] G,   d: 6x6 inputs, dy: 4x4
//   gradients of a tile
//
// For each of the 36 points the sum is a matrix product over (tile, image).  It runs over the
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

#if NK_VECTOR > 1 && !defined(__clang__)
typedef int nk_lanes __attribute__((vector_size(4 * NK_VECTOR)));
#define NK_LOW(l, s) ((l) & (s) ? NK_VECTOR + (l) - (s) : (l))
#define NK_HIGH(l, s) ((l) & (s) ? NK_VECTOR + (l) : (l) + (s))
#if NK_VECTOR == 16
#define NK_PICK(M, s)                                                                             \
    {                                                                                             \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s), M(8, s), M(9, s), \
            M(10, s), M(11, s), M(12, s), M(13, s), M(14, s), M(15, s)                            \
    }
#elif NK_VECTOR == 8
#define NK_PICK(M, s)                                                          \
    {                                                                          \
        M(0, s), M(1, s), M(2, s), M(3, s), M(4, s), M(5, s), M(6, s), M(7, s) \
    }
#else
#define NK_PICK(M, s)                      \
    {                                      \
        M(0, s), M(1, s), M(2, s), M(3, s) \
    }
#endif
// Exchanges the blocks of s x s beside the diagonal.
#define NK_EXCHANGE(a, s)                                                             \
    for (int i = 0; i < NK_VECTOR; i++)                                               \
        if (!(i & (s))) {                                                             \
            const nk_vector low = a[i], high = a[i + (s)];                            \
            a[i] = __builtin_shuffle(low, high, (nk_lanes)NK_PICK(NK_LOW, s));        \
            a[i + (s)] = __builtin_shuffle(low, high, (nk_lanes)NK_PICK(NK_HIGH, s)); \
        }
#endif

// a[i] lane j <-> a[j] lane i.
NK_INLINE void nk_transpose(nk_vector a[NK_VECTOR])
{
#if NK_VECTOR > 1 && !defined(__clang__)
#pragma GCC unroll 16
    NK_EXCHANGE(a, 1)
#pragma GCC unroll 16
    NK_EXCHANGE(a, 2)
#if NK_VECTOR > 4
#pragma GCC unroll 16
    NK_EXCHANGE(a, 4)
#endif
#if NK_VECTOR > 8
#pragma GCC unroll 16
    NK_EXCHANGE(a, 8)
#endif
#else
    float from[NK_VECTOR][NK_VECTOR], to[NK_VECTOR][NK_VECTOR];
    memcpy(from, a, sizeof from);
    for (int i = 0; i < NK_VECTOR; i++)
        for (int j = 0; j < NK_VECTOR; j++)
            to[i][j] = from[j][i];
    memcpy(a, to, sizeof to);
#endif
}

// A y of four values: the adjoint of A^T.
NK_INLINE void nk_winograd_a_adjoint(nk_vector out[6], nk_vector y0, nk_vector y1, nk_vector y2,
                                     nk_vector y3)
{
    const nk_vector p = y0 + NK_WA2 * y2, q = y1 + NK_WA2 * y3, s = y0 + NK_WB2 * y2,
                    t = y1 + NK_WB2 * y3;
    out[0] = y0;
    out[1] = p + NK_WA * q;
    out[2] = p - NK_WA * q;
    out[3] = s + NK_WB * t;
    out[4] = s - NK_WB * t;
    out[5] = y3;
}

// y[16 pixels][lanes] of one image and NK_VECTOR filters -> d[36][lanes].
NK_INLINE void nk_winograd_dy(float *d, nk_vector y[16])
{
    nk_vector half[6][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        nk_vector out[6];
        nk_winograd_a_adjoint(out, y[j], y[4 + j], y[8 + j], y[12 + j]);
#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
            half[i][j] = out[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < 6; i++) {
        nk_vector out[6];
        nk_winograd_a_adjoint(out, half[i][0], half[i][1], half[i][2], half[i][3]);
#pragma GCC unroll 6
        for (int j = 0; j < 6; j++)
            nk_store(d + (i * 6 + j) * NK_VECTOR, out[j]);
    }
}

// Tile `tile` of a group: filter vectors from..to of dy -> d[image][to - from][36][lanes], zero
// beyond the border and the last filter.
NK_INLINE void nk_winograd_dy_tile(float *d, const float *dy, int height, int width, int filters,
                                   int from, int to, int tile)
{
    const int tiles_w = (width + 3) / 4, h = tile / tiles_w * 4, w = tile % tiles_w * 4,
              vectors = to - from;
    const size_t plane = nk_plane(height * width);
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
            for (int l = 0; l < NK_VECTOR; l++)
                nk_winograd_dy(d + ((size_t)(unit * NK_VECTOR + l) * vectors + kv) * NK_POINTS *
                                       NK_VECTOR,
                               turned[l]);
        }
}

// ---- products -----------------------------------------------------------------------------------

// du[c0..c0+count][vectors of filters] of one point += sum over units and images of V[c] * D[k].
// `du`, `v`, `d` point at channel c0, filter vector kv and the point; `rows` filters lie between
// two channels of du, `vectors` filter vectors in d.
NK_INLINE void nk_wdw_tile(float *du, const float *v, const float *d, int channels, int rows,
                           int vectors, int units, const int count, const int width)
{
    const size_t step = NK_POINTS * NK_VECTOR;
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
                              int vectors, int units, int count, int width)
{
    nk_wdw_tile(du, v, d, channels, rows, vectors, units, count, width);
}
#endif

// A thread's share of the sums: channels and filter vectors.
typedef struct {
    int c0, c1, v0, v1;
} nk_wdw_share;

// The share's sums at point f, in near-equal tiles.  v: its channels' points, d: its filter
// vectors' points.
NK_INLINE void nk_wdw_point(float *du, const float *v, const float *d, int channels, int rows,
                            nk_wdw_share share, int units, int f)
{
    const int own = share.c1 - share.c0, vectors = share.v1 - share.v0;
    const size_t step = NK_POINTS * NK_VECTOR;
    du += ((size_t)f * channels + share.c0) * rows + share.v0 * NK_VECTOR;
    v += f * NK_VECTOR;
    d += f * NK_VECTOR;
    for (int kv = 0, strips = (vectors + NK_WDW_VECTORS - 1) / NK_WDW_VECTORS; strips > 0;
         strips--) {
        const int width = (vectors - kv + strips - 1) / strips, most = nk_wdw_channels[width];
        for (int c = 0, pieces = (own + most - 1) / most; pieces > 0; pieces--) {
            const int count = (own - c + pieces - 1) / pieces;
            nk_wdw_product(du + (size_t)c * rows + kv * NK_VECTOR, v + c * step, d + kv * step, own,
                           rows, vectors, units, count, width);
            c += count;
        }
        kv += width;
    }
}

// du[point][c][filters, padded to 16].  scratch: `parts` times block tiles' V and D.
NK_INLINE void nk_winograd_weights(float *du, float *scratch, const float *x, const float *dy,
                                   int channels, int height, int width, int filters, int block,
                                   int groups, int part, int parts)
{
    const int tiles = ((height + 3) / 4) * ((width + 3) / 4), all = groups * tiles,
              rows = NK_WDW_PAD(filters);
    const int vectors = rows / NK_VECTOR, by_filters = vectors >= 2 * parts;
    const size_t plane = nk_plane(height * width), one = (size_t)NK_POINTS * NK_LANES;
    const nk_wdw_share share = {by_filters ? 0 : nk_share(channels, part, parts),
                                by_filters ? channels : nk_share(channels, part + 1, parts),
                                by_filters ? nk_share(vectors, part, parts) : 0,
                                by_filters ? nk_share(vectors, part + 1, parts) : vectors};
    const int own = share.c1 - share.c0, kept = (share.v1 - share.v0) * NK_VECTOR;
    float *v = scratch + (size_t)part * block * one * (size_t)(channels + rows);
    float *d = v + block * one * (size_t)channels;
    for (int i = 0; i < NK_POINTS; i++)
        for (int c = share.c0; c < share.c1; c++)
            memset(du + ((size_t)i * channels + c) * rows + share.v0 * NK_VECTOR, 0,
                   (size_t)kept * sizeof *du);
    for (int first = 0; own > 0 && kept > 0 && first < all; first += block) {
        const int count = nk_min(block, all - first);
        nk_winograd_input_tiles(v, x, channels, share.c0, own, height, width, first, count);
        for (int i = 0; i < count; i++) {
            const int g = (first + i) / tiles, tile = (first + i) % tiles;
            nk_winograd_dy_tile(d + i * one * kept, dy + g * filters * plane, height, width,
                                filters, share.v0, share.v1, tile);
        }
        for (int f = 0; f < NK_POINTS; f++)
            nk_wdw_point(du, v, d, channels, rows, share, count * NK_UNITS, f);
    }
}

// ---- back to taps -------------------------------------------------------------------------------

// G^T d of six values, NK_PACK filters at once.
NK_INLINE void nk_winograd_g_adjoint(float out[3][NK_PACK], float d[6][NK_PACK])
{
    for (int l = 0; l < NK_PACK; l++) {
        const float p = (d[1][l] + d[2][l]) * NK_WNA, q = (d[1][l] - d[2][l]) * (NK_WA * NK_WNA);
        const float s = (d[3][l] + d[4][l]) * NK_WNB, t = (d[3][l] - d[4][l]) * (NK_WB * NK_WNB);
        out[0][l] = d[0][l] * (1.0f / (NK_WA2 * NK_WB2)) + p + s;
        out[1][l] = q + t;
        out[2][l] = d[5][l] + NK_WA2 * p + NK_WB2 * s;
    }
}

// dw[k][c][3][3] from the sums.
NK_INLINE void nk_winograd_weights_finish(float *dw, const float *du, int channels, int filters,
                                          int part, int parts)
{
    const int rows = NK_WDW_PAD(filters);
    const size_t points = (size_t)channels * rows;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int k = 0; k < filters; k += NK_PACK) {
            float half[3][6][NK_PACK], d[6][NK_PACK], out[3][NK_PACK];
            for (int j = 0; j < 6; j++) {
                for (int i = 0; i < 6; i++)
                    memcpy(d[i], du + (size_t)(i * 6 + j) * points + (size_t)c * rows + k,
                           sizeof d[i]);
                nk_winograd_g_adjoint(out, d);
                for (int r = 0; r < 3; r++)
                    memcpy(half[r][j], out[r], sizeof out[r]);
            }
            for (int r = 0; r < 3; r++) {
                nk_winograd_g_adjoint(out, half[r]);
                for (int l = 0; l < nk_min(NK_PACK, filters - k); l++)
                    for (int s = 0; s < 3; s++)
                        dw[((size_t)(k + l) * channels + c) * 9 + r * 3 + s] = out[s][l];
            }
        }
}
