// winograd.c - 3x3 and 5x5 convolutions by Winograd's minimal filtering F(4x4, 3x3) and F(4x4,
// 5x5), batch innermost (Lavin & Gray 2015):
//
//   y tile [4][4] = A^T [ sum_c (G w G^T) . (B^T d B) ] A,    d: the 6x6 (8x8) inputs around the
//   tile
//
// 36 multiplications instead of 144 (64 instead of 400).  Images lie in the lanes, so the
// transforms are plain vector arithmetic without any shuffle, and for each of the points the sum
// over channels is a small matrix product with broadcast weights.  Interpolation points 0,
// infinity and pairs +-p, whose powers are exact: 3/4, 3/2 for 3x3 (half the rounding error of 1,
// 2), and 1/2, 1, 2 for 5x5 (the best of those tried).
//
// `side` is the side of d: kernel + 3.  A unit is NK_VECTOR images of one tile; NK_UNITS of them
// make a tile's group.  Tiles go through in blocks whose transformed inputs
// V[unit][channel][point][lanes] and products M[unit][filter][point][lanes] stay in the second
// cache.  Maps mostly do not: the transforms, which would wait for them, find what they touch
// fetched while the products kept the vector units busy.  The gradient of the input is the same
// convolution of dy with nk_winograd_pack_backward's weights.

#define NK_UNITS (NK_LANES / NK_VECTOR)
#define NK_POINTS(side) ((side) * (side))
// Vectors of lanes from one channel's points to the next one's: not a power of two, or all channels
// would meet in the same places of the first cache.
#define NK_POINT_STEP(side) ((side) == 8 ? 65 : 36)

// Pairs 0, 1, ... of points: p, its square, and 1 / (2 p^2 times p^2 - q^2 of the other pairs q).
#define NK_WP(side, pair) \
    ((side) == 6 ? (pair) ? 1.5f : 0.75f : (pair) == 0 ? 0.5f : (pair) == 1 ? 1.0f : 2.0f)
#define NK_WP2(side, pair) (NK_WP(side, pair) * NK_WP(side, pair))
#define NK_WN(side, pair)                                                                     \
    ((side) == 6   ? 1.0f / (2.0f * NK_WP2(6, pair) * (NK_WP2(6, pair) - NK_WP2(6, !(pair)))) \
     : (pair) == 0 ? 32.0f / 45.0f                                                            \
     : (pair) == 1 ? -2.0f / 9.0f                                                             \
                   : 1.0f / 90.0f)
// 1 / the product of all p^2 with their sign: the weight of point 0.
#define NK_WN0(side) ((side) == 6 ? 1.0f / (NK_WP2(6, 0) * NK_WP2(6, 1)) : -1.0f)

// ---- weights ------------------------------------------------------------------------------------

enum { NK_PACK = 16 }; // filters whose points are made together, side by side

// G w: the taps of a row or column -> points, NK_PACK filters at once.
NK_INLINE void nk_winograd_g(float out[8][NK_PACK], float tap[5][NK_PACK], const int side)
{
    for (int l = 0; l < NK_PACK; l++) {
#pragma GCC unroll 3
        for (int pair = 0; pair < side / 2 - 1; pair++) {
            const float p = NK_WP(side, pair), p2 = NK_WP2(side, pair), n = NK_WN(side, pair);
            float even = tap[0][l] + p2 * tap[2][l], odd = tap[1][l];
            if (side == 8) {
                even += p2 * p2 * tap[4][l];
                odd += p2 * tap[3][l];
            }
            out[1 + 2 * pair][l] = even * n + odd * (p * n);
            out[2 + 2 * pair][l] = even * n - odd * (p * n);
        }
        out[0][l] = tap[0][l] * NK_WN0(side);
        out[side - 1][l] = tap[side - 4][l];
    }
}

// The points of `count` filters, their taps `step` floats apart in w -> u, `points` floats from
// point to point; `flip` turns them by half a turn.
NK_INLINE void nk_winograd_filters(float *u, const float *w, size_t step, int count, size_t points,
                                   const int flip, const int side)
{
    const int kernel = side - 3, taps = kernel * kernel;
    float tap[5][5][NK_PACK], column[8][5][NK_PACK], half[8][NK_PACK];
    for (int t = 0; t < taps; t++) {
        const int at = flip ? taps - 1 - t : t; // by columns
        for (int l = 0; l < NK_PACK; l++)
            tap[at % kernel][at / kernel][l] = l < count ? w[l * step + t] : 0.0f;
    }
    for (int s = 0; s < kernel; s++) {
        nk_winograd_g(half, tap[s], side);
        for (int i = 0; i < side; i++)
            memcpy(column[i][s], half[i], sizeof half[i]);
    }
    for (int i = 0; i < side; i++) {
        nk_winograd_g(half, column[i], side);
        for (int j = 0; j < side; j++) {
            float *at = u + (size_t)(i * side + j) * points;
            if (count == NK_PACK)
                memcpy(at, half[j], sizeof half[j]);
            else
                for (int l = 0; l < count; l++)
                    at[l] = half[j][l];
        }
    }
}

// u[point][c][k] from w[k][c][kernel_h][kernel_h].
NK_INLINE void nk_winograd_pack(float *u, const float *w, int filters, int channels, int kernel_h,
                                int part, int parts)
{
    const size_t taps = (size_t)kernel_h * kernel_h, points = (size_t)channels * filters;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int k = 0; k < filters; k += NK_PACK) {
            float *to = u + (size_t)c * filters + k;
            const float *from = w + ((size_t)k * channels + c) * taps;
            const int count = nk_min(NK_PACK, filters - k);
            if (kernel_h == 3)
                nk_winograd_filters(to, from, channels * taps, count, points, 0, 6);
            else
                nk_winograd_filters(to, from, channels * taps, count, points, 0, 8);
        }
}

// u[point][k][c] from w turned by half a turn: for the gradient of the input.
NK_INLINE void nk_winograd_pack_backward(float *u, const float *w, int filters, int channels,
                                         int kernel_h, int part, int parts)
{
    const size_t taps = (size_t)kernel_h * kernel_h, points = (size_t)channels * filters;
    for (int k = nk_share(filters, part, parts); k < nk_share(filters, part + 1, parts); k++)
        for (int c = 0; c < channels; c += NK_PACK) {
            float *to = u + (size_t)k * channels + c;
            const float *from = w + ((size_t)k * channels + c) * taps;
            const int count = nk_min(NK_PACK, channels - c);
            if (kernel_h == 3)
                nk_winograd_filters(to, from, taps, count, points, 1, 6);
            else
                nk_winograd_filters(to, from, taps, count, points, 1, 8);
        }
}

// ---- input --------------------------------------------------------------------------------------

// The rows of B^T are polynomials: point 0's and infinity's vanish at all pairs, so they hold every
// other value of d only; those of a pair +-p are even +- p odd, and `rest`, which vanishes at the
// other pairs, makes both halves from every other value.
NK_INLINE nk_vector nk_winograd_end(nk_vector d0, nk_vector d2, nk_vector d4, nk_vector d6,
                                    const int side)
{
    if (side == 8)
        return 5.25f * (d2 - d4) + (d6 - d0);
    return NK_WP2(6, 0) * NK_WP2(6, 1) * d0 + (d4 - (NK_WP2(6, 0) + NK_WP2(6, 1)) * d2);
}

NK_INLINE nk_vector nk_winograd_rest(nk_vector d2, nk_vector d4, nk_vector d6, const int side,
                                     const int pair)
{
    if (side == 6)
        return d4 - NK_WP2(6, !pair) * d2;
    if (pair == 0)
        return 4.0f * d2 + (d6 - 5.0f * d4);
    if (pair == 1)
        return d2 + (d6 - 4.25f * d4);
    return 0.25f * d2 + (d6 - 1.25f * d4);
}

// B^T d of one row -> v.
NK_INLINE void nk_winograd_store_row(float *v, int row, const nk_vector d[8], const int side)
{
    const nk_vector d6 = side == 8 ? d[6] : d[0], d7 = side == 8 ? d[7] : d[0];
    v += row * side * NK_VECTOR;
    nk_store(v, nk_winograd_end(d[0], d[2], d[4], d6, side));
#define NK_PAIR(pair)                                                             \
    {                                                                             \
        const nk_vector even = nk_winograd_rest(d[2], d[4], d6, side, pair),      \
                        odd = nk_winograd_rest(d[1], d[3], d[5], side, pair);     \
        nk_store(v + (1 + 2 * pair) * NK_VECTOR, even + NK_WP(side, pair) * odd); \
        nk_store(v + (2 + 2 * pair) * NK_VECTOR, even - NK_WP(side, pair) * odd); \
    }
    NK_PAIR(0)
    NK_PAIR(1)
    if (side == 8)
        NK_PAIR(2)
#undef NK_PAIR
    nk_store(v + (side - 1) * NK_VECTOR, nk_winograd_end(d[1], d[3], d[5], d7, side));
}

// Borders that a tile lies at: kernel / 2 rows or columns of its inputs are outside the image
// there, and zero.
enum { NK_TOP = 1, NK_BOTTOM = 2, NK_LEFT = 4, NK_RIGHT = 8 };

NK_INLINE nk_vector nk_winograd_value(const float *d, size_t pitch, size_t step, const int i,
                                      const int j, const int side, const int borders)
{
    const int pad = (side - 3) / 2;
    if (i >= side || (i < pad && (borders & NK_TOP)) ||
        (i >= side - pad && (borders & NK_BOTTOM)) || (j < pad && (borders & NK_LEFT)) ||
        (j >= side - pad && (borders & NK_RIGHT)))
        return nk_zero_vector();
    return nk_load(d + i * pitch + j * step);
}

// Rows 1 + 2 pair and 2 + 2 pair of the points.
NK_INLINE void nk_winograd_input_pair(float *v, const float *d, size_t pitch, size_t step,
                                      const int side, const int borders, const int pair)
{
    nk_vector a[8], b[8];
#define NK_WD(i) nk_winograd_value(d, pitch, step, i, j, side, borders)
#pragma GCC unroll 8
    for (int j = 0; j < side; j++) {
        const nk_vector even = nk_winograd_rest(NK_WD(2), NK_WD(4), NK_WD(6), side, pair),
                        odd = nk_winograd_rest(NK_WD(1), NK_WD(3), NK_WD(5), side, pair);
        a[j] = even + NK_WP(side, pair) * odd;
        b[j] = even - NK_WP(side, pair) * odd;
    }
    nk_winograd_store_row(v, 1 + 2 * pair, a, side);
    nk_winograd_store_row(v, 2 + 2 * pair, b, side);
}

// One unit and channel: d[side rows, `pitch` floats apart][side columns, `step` apart] ->
// v[point][lanes].  Rows of the vertical transform are made two at a time: all at once would not
// fit the registers.
NK_INLINE void nk_winograd_input(float *v, const float *d, size_t pitch, size_t step,
                                 const int side, const int borders)
{
    nk_vector a[8], b[8];
#pragma GCC unroll 8
    for (int j = 0; j < side; j++) {
        a[j] = nk_winograd_end(NK_WD(0), NK_WD(2), NK_WD(4), NK_WD(6), side);
        b[j] = nk_winograd_end(NK_WD(1), NK_WD(3), NK_WD(5), NK_WD(7), side);
    }
    nk_winograd_store_row(v, 0, a, side);
    nk_winograd_store_row(v, side - 1, b, side);
    nk_winograd_input_pair(v, d, pitch, step, side, borders, 0);
    nk_winograd_input_pair(v, d, pitch, step, side, borders, 1);
    if (side == 8)
        nk_winograd_input_pair(v, d, pitch, step, side, borders, 2);
#undef NK_WD
}

// All units of one channel of a tile whose borders are the constant `borders`; d: its first input,
// perhaps outside the image. next: floats of v between two units.
#define NK_WINOGRAD_TILE(side, borders)                                                        \
    NK_OUTLINE void nk_winograd_tile_##side##_##borders(float *v, const float *d, size_t next, \
                                                        size_t pitch)                          \
    {                                                                                          \
        for (int unit = 0; unit < NK_UNITS; unit++)                                            \
            nk_winograd_input(v + unit * next, d + unit * NK_VECTOR, pitch, NK_LANES, side,    \
                              borders);                                                        \
    }
// clang-format off
#define NK_EACH_BORDER(M, side) \
    M(side, 0) M(side, 1) M(side, 2) M(side, 3) M(side, 4) M(side, 5) M(side, 6) M(side, 7) \
    M(side, 8) M(side, 9) M(side, 10) M(side, 11) M(side, 12) M(side, 13) M(side, 14) M(side, 15)
NK_EACH_BORDER(NK_WINOGRAD_TILE, 6)
NK_EACH_BORDER(NK_WINOGRAD_TILE, 8)
#define NK_TILE_NAME(side, borders) nk_winograd_tile_##side##_##borders,
typedef void nk_winograd_tile(float *v, const float *d, size_t next, size_t pitch);
static nk_winograd_tile *const nk_winograd_tiles_6[16] = {NK_EACH_BORDER(NK_TILE_NAME, 6)};
static nk_winograd_tile *const nk_winograd_tiles_8[16] = {NK_EACH_BORDER(NK_TILE_NAME, 8)};
// clang-format on

// A tile whose border is none of these: from a copy with zeros beyond the image.
NK_OUTLINE void nk_winograd_ragged_tile(float *v, const float *x, size_t next, int height,
                                        int width, int h, int w, int side)
{
    float edge[64 * NK_VECTOR];
    for (int unit = 0; unit < NK_UNITS; unit++) {
        for (int i = 0; i < side; i++)
            for (int j = 0; j < side; j++) {
                const int in = h + i >= 0 && h + i < height && w + j >= 0 && w + j < width;
                const float *at =
                    x + ((int64_t)(h + i) * width + (w + j)) * NK_LANES + unit * NK_VECTOR;
                nk_store(edge + (i * side + j) * NK_VECTOR, in ? nk_load(at) : nk_zero_vector());
            }
        if (side == 6)
            nk_winograd_input(v + unit * next, edge, 6 * NK_VECTOR, NK_VECTOR, 6, 0);
        else
            nk_winograd_input(v + unit * next, edge, 8 * NK_VECTOR, NK_VECTOR, 8, 0);
    }
}

// Which borders the inputs from..from+side of `size` lie at, the first of them or the last; -1:
// partly, further out.
NK_INLINE int nk_winograd_borders(int from, int size, int side, int first, int last)
{
    const int end = from + side, pad = (side - 3) / 2;
    if (end > size && end != size + pad)
        return -1;
    return (from < 0 ? first : 0) | (end > size ? last : 0);
}

// `count` tiles from `first` on, counted over all groups, row by row of tiles: channels c0..c0+own
// -> v[tile][unit][own][point][lanes]. Channel by channel, so that neighbouring tiles find their
// common columns in the first cache.
NK_INLINE void nk_winograd_input_tiles(float *v, const float *x, int channels, int c0, int own,
                                       int height, int width, int side, int first, int count)
{
    const int tiles_w = (width + 3) / 4, tiles = (height + 3) / 4 * tiles_w, pad = (side - 3) / 2;
    const size_t plane = nk_plane(height * width), step = (size_t)NK_POINT_STEP(side) * NK_VECTOR,
                 next = own * step;
    for (int c = 0; c < own; c++)
        for (int i = 0; i < count; i++) {
            const int g = (first + i) / tiles, tile = (first + i) % tiles,
                      h = tile / tiles_w * 4 - pad, w = tile % tiles_w * 4 - pad;
            const float *in = x + ((size_t)g * channels + c0 + c) * plane;
            float *out = v + i * NK_UNITS * next + c * step;
            const int rows = nk_winograd_borders(h, height, side, NK_TOP, NK_BOTTOM),
                      columns = nk_winograd_borders(w, width, side, NK_LEFT, NK_RIGHT);
            if (rows < 0 || columns < 0)
                nk_winograd_ragged_tile(out, in, next, height, width, h, w, side);
            else
                (side == 6 ? nk_winograd_tiles_6 : nk_winograd_tiles_8)[rows | columns](
                    out, in + ((int64_t)h * width + w) * NK_LANES, next, (size_t)width * NK_LANES);
        }
}

// Piece `piece` of `pieces` of channels c0..c0+own of `count` tiles from `first` on, and `pad`
// pixels around them: into the cache.
NK_INLINE void nk_winograd_prefetch(const float *x, int channels, int c0, int own, int height,
                                    int width, int pad, int first, int count, int piece, int pieces)
{
    const int tiles_w = (width + 3) / 4, tiles = (height + 3) / 4 * tiles_w, items = count * own;
    const size_t plane = nk_plane(height * width);
    for (int n = nk_share(items, piece, pieces); n < nk_share(items, piece + 1, pieces); n++) {
        const int i = first + n / own, c = c0 + n % own, g = i / tiles, tile = i % tiles,
                  h = tile / tiles_w * 4, w = tile % tiles_w * 4;
        const int h0 = h ? h + pad : 0, h1 = nk_min(h + 4 + pad, height), w0 = w ? w + pad : 0,
                  w1 = nk_min(w + 4 + pad, width); // earlier tiles have fetched the rest
        const float *in = x + ((size_t)g * channels + c) * plane;
        for (int row = h0; row < h1; row++)
            for (size_t at = nk_plane(row * width + w0); at < nk_plane(row * width + w1); at += 16)
                nk_prefetch(in + at);
    }
}

// ---- products -----------------------------------------------------------------------------------

// Filters k0..k0+tile of point f for all units of a block, two units at a time.
NK_INLINE void nk_winograd_product_tile(float *m, const float *v, const float *u, int channels,
                                        int filters, int side, int units, int f, int k0,
                                        const int tile)
{
    const size_t step = (size_t)NK_POINT_STEP(side) * NK_VECTOR;
    const float *weights = u + (size_t)f * channels * filters + k0;
    for (int i = 0; i < units; i += 2) {
        const float *in = v + i * channels * step + f * NK_VECTOR;
        const float *next = in + channels * step;
        float *out = m + ((size_t)i * filters + k0) * step + f * NK_VECTOR;
        nk_vector sum[NK_CONV_TILE][2];
#pragma GCC unroll 16
        for (int k = 0; k < tile; k++)
            sum[k][0] = sum[k][1] = nk_zero_vector();
        const float *weight = weights;
        for (int c = 0; c < channels; c++, weight += filters) {
            const nk_vector x0 = nk_load(in + c * step);
            const nk_vector x1 = nk_load(next + c * step);
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] += weight[k] * x0;
                sum[k][1] += weight[k] * x1;
            }
        }
#pragma GCC unroll 16
        for (int k = 0; k < tile; k++) {
            nk_store(out + k * step, sum[k][0]);
            nk_store(out + ((size_t)filters + k) * step, sum[k][1]);
        }
    }
}

#ifndef NK_CONV_DISPATCH
NK_INLINE void nk_winograd_product(float *m, const float *v, const float *u, int channels,
                                   int filters, int side, int units, int f, int k0, int tile)
{
    const nk_conv_split split = nk_split_filters(filters);
    if (tile == split.tile)
        nk_winograd_product_tile(m, v, u, channels, filters, side, units, f, k0, split.tile);
    else
        nk_winograd_product_tile(m, v, u, channels, filters, side, units, f, k0, split.tile - 1);
}
#endif

// ---- output -------------------------------------------------------------------------------------

// A^T m.
NK_INLINE void nk_winograd_a(nk_vector out[4], const nk_vector m[8], const int side)
{
    if (side == 6) {
        const nk_vector s = m[1] + m[2], t = m[3] + m[4], p = m[1] - m[2], q = m[3] - m[4];
        out[0] = m[0] + s + t;
        out[1] = 0.75f * p + 1.5f * q;
        out[2] = NK_WP2(6, 0) * s + NK_WP2(6, 1) * t;
        out[3] = (0.75f * NK_WP2(6, 0) * p + m[5]) + 1.5f * NK_WP2(6, 1) * q;
    } else {
        const nk_vector s0 = m[1] + m[2], s1 = m[3] + m[4], s2 = m[5] + m[6], p0 = m[1] - m[2],
                        p1 = m[3] - m[4], p2 = m[5] - m[6];
        out[0] = (m[0] + s0) + (s1 + s2);
        out[1] = 0.5f * p0 + (p1 + 2.0f * p2);
        out[2] = 0.25f * s0 + (s1 + 4.0f * s2);
        out[3] = (0.125f * p0 + m[7]) + (p1 + 8.0f * p2);
    }
}

// One unit and filter: m[point][lanes] -> rows x columns (at most 4x4) results.
NK_INLINE void nk_winograd_output(float *y, const float *m, int rows, int columns, size_t pitch,
                                  float bias, const int accumulate, const int side)
{
    nk_vector half[4][8];
#pragma GCC unroll 8
    for (int j = 0; j < side; j++) {
        nk_vector d[8], out[4];
#pragma GCC unroll 8
        for (int i = 0; i < side; i++)
            d[i] = nk_load(m + (i * side + j) * NK_VECTOR);
        nk_winograd_a(out, d, side);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            half[i][j] = out[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        nk_vector out[4];
        nk_winograd_a(out, half[i], side);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            if (i < rows && j < columns) {
                float *at = y + i * pitch + (size_t)j * NK_LANES;
                nk_store(at, accumulate ? nk_load(at) + out[j] : out[j] + bias);
            }
    }
}

#define NK_WINOGRAD_OUTPUT(name, rows, columns, accumulate, side)                                  \
    NK_OUTLINE void nk_winograd_##name##_##side(float *y, const float *m, const float *b,          \
                                                int filters, size_t plane, size_t pitch, int high, \
                                                int wide)                                          \
    {                                                                                              \
        (void)high;                                                                                \
        (void)wide;                                                                                \
        for (int unit = 0; unit < NK_UNITS; unit++)                                                \
            for (int k = 0; k < filters; k++, m += NK_POINT_STEP(side) * NK_VECTOR)                \
                nk_winograd_output(y + k * plane + unit * NK_VECTOR, m, rows, columns, pitch,      \
                                   b ? b[k] : 0.0f, accumulate, side);                             \
    }
#define NK_WINOGRAD_OUTPUTS(side)                                        \
    NK_WINOGRAD_OUTPUT(write_whole, 4, 4, 0, side)                       \
    NK_WINOGRAD_OUTPUT(write_ragged, high, wide, 0, side)                \
    NK_WINOGRAD_OUTPUT(add_whole, 4, 4, 1, side)                         \
    NK_WINOGRAD_OUTPUT(add_ragged, high, wide, 1, side)                  \
    static nk_winograd_write *const nk_winograd_writes_##side[4] = {     \
        nk_winograd_write_ragged_##side, nk_winograd_write_whole_##side, \
        nk_winograd_add_ragged_##side, nk_winograd_add_whole_##side};
typedef void nk_winograd_write(float *y, const float *m, const float *b, int filters, size_t plane,
                               size_t pitch, int high, int wide);
NK_WINOGRAD_OUTPUTS(6)
NK_WINOGRAD_OUTPUTS(8)

// Tile `tile` of a group, all its units and filters.
NK_INLINE void nk_winograd_output_tile(float *y, const float *m, const float *b, int height,
                                       int width, int filters, int side, int accumulate, int tile)
{
    const int tiles_w = (width + 3) / 4, h = tile / tiles_w * 4, w = tile % tiles_w * 4;
    const int rows = nk_min(4, height - h), columns = nk_min(4, width - w),
              which = 2 * !!accumulate + (rows == 4 && columns == 4);
    (side == 6 ? nk_winograd_writes_6 : nk_winograd_writes_8)[which](
        y + ((size_t)h * width + w) * NK_LANES, m, b, filters, nk_plane(height * width),
        (size_t)width * NK_LANES, rows, columns);
}

// scratch: `parts` times block tiles' V and M.  block: tiles that go through together.
NK_INLINE void nk_winograd(float *y, float *scratch, const float *x, const float *u, const float *b,
                           int channels, int height, int width, int filters, int kernel_h,
                           int block, int accumulate, int groups, int part, int parts)
{
    const int tiles = ((height + 3) / 4) * ((width + 3) / 4), all = groups * tiles,
              side = kernel_h + 3;
    const size_t plane = nk_plane(height * width), unit = NK_POINT_STEP(side) * NK_VECTOR;
    float *v = scratch + (size_t)part * block * NK_UNITS * unit * (size_t)(channels + filters);
    float *m = v + block * NK_UNITS * unit * (size_t)channels;
    const nk_conv_split split = nk_split_filters(filters);
    const int last = nk_share(all, part + 1, parts);
    for (int first = nk_share(all, part, parts); first < last; first += block) {
        const int count = nk_min(block, last - first);
        const int soon = nk_min(block, last - first - count);
        nk_winograd_input_tiles(v, x, channels, 0, channels, height, width, side, first, count);
        for (int f = 0; f < NK_POINTS(side); f++) {
            nk_winograd_prefetch(y, filters, 0, filters, height, width, 0, first, count, f,
                                 NK_POINTS(side));
            nk_winograd_prefetch(x, channels, 0, channels, height, width, kernel_h / 2,
                                 first + count, soon, f, NK_POINTS(side));
            for (int t = 0; t < split.tiles; t++) {
                const int narrow = t >= split.wide;
                nk_winograd_product(m, v, u, channels, filters, side, count * NK_UNITS, f,
                                    t * (split.tile - 1) + (narrow ? split.wide : t),
                                    split.tile - narrow);
            }
        }
        for (int i = 0; i < count; i++)
            nk_winograd_output_tile(y + (first + i) / tiles * filters * plane,
                                    m + i * NK_UNITS * unit * filters, b, height, width, filters,
                                    side, accumulate, (first + i) % tiles);
    }
}
