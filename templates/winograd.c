// winograd.c - 3x3 convolution by Winograd's minimal filtering F(4x4, 3x3), batch innermost (Lavin
// & Gray 2015):
//
//   y tile [4][4] = A^T [ sum_c (G w G^T) . (B^T d B) ] A,    d: the 6x6 inputs around the tile
//
// 36 multiplications instead of 144.  Images lie in the lanes, so the transforms are plain vector
// arithmetic without any shuffle, and for each of the 36 points the sum over channels is a small
// matrix product with broadcast weights. Interpolation points 0, +-3/4, +-3/2, infinity: half the
// rounding error of 0, +-1, +-2, and their powers are exact.
//
// A unit is NK_VECTOR images of one tile; NK_UNITS of them make a tile's group.  Tiles go through
// in blocks whose transformed inputs V[unit][channel][36][lanes] and products
// M[unit][filter][36][lanes] stay in the second cache. The gradient of the input is the same
// convolution of dy with nk_winograd_pack_backward's weights.

#define NK_UNITS (NK_LANES / NK_VECTOR)
#define NK_POINTS 36

// a, b of the points +-a, +-b; their squares; 1 / (2 a^2 (a^2 - b^2)) and its sibling.
#define NK_WA 0.75f
#define NK_WB 1.5f
#define NK_WA2 (NK_WA * NK_WA)
#define NK_WB2 (NK_WB * NK_WB)
#define NK_WNA (1.0f / (2.0f * NK_WA2 * (NK_WA2 - NK_WB2)))
#define NK_WNB (1.0f / (2.0f * NK_WB2 * (NK_WB2 - NK_WA2)))

// ---- weights ------------------------------------------------------------------------------------

enum { NK_PACK = 16 }; // filters whose points are made together, side by side

// G w: 3 taps -> 6 points, NK_PACK filters at once.
NK_INLINE void nk_winograd_g(float out[6][NK_PACK], const float x[NK_PACK], const float y[NK_PACK],
                             const float z[NK_PACK])
{
    for (int l = 0; l < NK_PACK; l++) {
        const float p = (x[l] + NK_WA2 * z[l]) * NK_WNA, q = (x[l] + NK_WB2 * z[l]) * NK_WNB;
        out[0][l] = x[l] * (1.0f / (NK_WA2 * NK_WB2));
        out[1][l] = p + y[l] * (NK_WA * NK_WNA);
        out[2][l] = p - y[l] * (NK_WA * NK_WNA);
        out[3][l] = q + y[l] * (NK_WB * NK_WNB);
        out[4][l] = q - y[l] * (NK_WB * NK_WNB);
        out[5][l] = z[l];
    }
}

// The 36 points of `count` filters, 3x3 taps each, `step` floats apart in w -> u, `points` floats
// from point to point; `flip` turns them by half a turn.
NK_INLINE void nk_winograd_filters(float *u, const float *w, size_t step, int count, size_t points,
                                   const int flip)
{
    float tap[9][NK_PACK], column[3][6][NK_PACK], row[6][NK_PACK];
    for (int t = 0; t < 9; t++)
        for (int l = 0; l < NK_PACK; l++)
            tap[flip ? 8 - t : t][l] = l < count ? w[l * step + t] : 0.0f;
    for (int s = 0; s < 3; s++)
        nk_winograd_g(column[s], tap[s], tap[3 + s], tap[6 + s]);
    for (int i = 0; i < 6; i++) {
        nk_winograd_g(row, column[0][i], column[1][i], column[2][i]);
        for (int j = 0; j < 6; j++) {
            float *at = u + (size_t)(i * 6 + j) * points;
            if (count == NK_PACK)
                memcpy(at, row[j], sizeof row[j]);
            else
                for (int l = 0; l < count; l++)
                    at[l] = row[j][l];
        }
    }
}

// u[point][c][k] from w[k][c][3][3].
NK_INLINE void nk_winograd_pack(float *u, const float *w, int filters, int channels, int part,
                                int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int k = 0; k < filters; k += NK_PACK)
            nk_winograd_filters(u + (size_t)c * filters + k, w + ((size_t)k * channels + c) * 9,
                                (size_t)channels * 9, nk_min(NK_PACK, filters - k),
                                (size_t)channels * filters, 0);
}

// u[point][k][c] from w turned by half a turn: for the gradient of the input.
NK_INLINE void nk_winograd_pack_backward(float *u, const float *w, int filters, int channels,
                                         int part, int parts)
{
    for (int k = nk_share(filters, part, parts); k < nk_share(filters, part + 1, parts); k++)
        for (int c = 0; c < channels; c += NK_PACK)
            nk_winograd_filters(u + (size_t)k * channels + c, w + ((size_t)k * channels + c) * 9, 9,
                                nk_min(NK_PACK, channels - c), (size_t)channels * filters, 1);
}

// ---- input --------------------------------------------------------------------------------------

// B^T d of six values.
NK_INLINE void nk_winograd_b(nk_vector out[6], nk_vector d0, nk_vector d1, nk_vector d2,
                             nk_vector d3, nk_vector d4, nk_vector d5)
{
    const nk_vector s = d4 - NK_WB2 * d2, t = d3 - NK_WB2 * d1, p = d4 - NK_WA2 * d2,
                    q = d3 - NK_WA2 * d1;
    out[0] = NK_WA2 * NK_WB2 * d0 + (d4 - (NK_WA2 + NK_WB2) * d2);
    out[1] = s + NK_WA * t;
    out[2] = s - NK_WA * t;
    out[3] = p + NK_WB * q;
    out[4] = p - NK_WB * q;
    out[5] = NK_WA2 * NK_WB2 * d1 + (d5 - (NK_WA2 + NK_WB2) * d3);
}

NK_INLINE void nk_winograd_store_row(float *v, int row, const nk_vector d[6])
{
    nk_vector out[6];
    nk_winograd_b(out, d[0], d[1], d[2], d[3], d[4], d[5]);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++)
        nk_store(v + (row * 6 + j) * NK_VECTOR, out[j]);
}

// Borders that a tile lies at: the first or last row or column of its 6x6 inputs is outside the
// image, and zero.
enum { NK_TOP = 1, NK_BOTTOM = 2, NK_LEFT = 4, NK_RIGHT = 8 };

// One unit and channel: d[6 rows, `pitch` floats apart][6 columns, `step` apart] -> v[36][lanes].
// Rows of the vertical transform are made two at a time: all 36 at once would not fit the
// registers.
NK_INLINE void nk_winograd_input(float *v, const float *d, size_t pitch, size_t step,
                                 const int borders)
{
    nk_vector a[6], b[6];
#define NK_WOUT(i)                                                              \
    (((i) == 0 && (borders & NK_TOP)) || ((i) == 5 && (borders & NK_BOTTOM)) || \
     (j == 0 && (borders & NK_LEFT)) || (j == 5 && (borders & NK_RIGHT)))
#define NK_WD(i) (NK_WOUT(i) ? nk_zero_vector() : nk_load(d + (i)*pitch + j * step))
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        a[j] = NK_WA2 * NK_WB2 * NK_WD(0) + (NK_WD(4) - (NK_WA2 + NK_WB2) * NK_WD(2));
        b[j] = NK_WA2 * NK_WB2 * NK_WD(1) + (NK_WD(5) - (NK_WA2 + NK_WB2) * NK_WD(3));
    }
    nk_winograd_store_row(v, 0, a);
    nk_winograd_store_row(v, 5, b);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        const nk_vector s = NK_WD(4) - NK_WB2 * NK_WD(2), t = NK_WD(3) - NK_WB2 * NK_WD(1);
        a[j] = s + NK_WA * t;
        b[j] = s - NK_WA * t;
    }
    nk_winograd_store_row(v, 1, a);
    nk_winograd_store_row(v, 2, b);
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        const nk_vector s = NK_WD(4) - NK_WA2 * NK_WD(2), t = NK_WD(3) - NK_WA2 * NK_WD(1);
        a[j] = s + NK_WB * t;
        b[j] = s - NK_WB * t;
    }
    nk_winograd_store_row(v, 3, a);
    nk_winograd_store_row(v, 4, b);
#undef NK_WD
#undef NK_WOUT
}

// All units of one channel of a tile whose borders are the constant `borders`; d: its first input,
// perhaps outside the image. next: floats of v between two units.
#define NK_WINOGRAD_TILE(borders)                                                               \
    NK_OUTLINE void nk_winograd_tile_##borders(float *v, const float *d, size_t next,           \
                                               size_t pitch)                                    \
    {                                                                                           \
        for (int unit = 0; unit < NK_UNITS; unit++)                                             \
            nk_winograd_input(v + unit * next, d + unit * NK_VECTOR, pitch, NK_LANES, borders); \
    }
// clang-format off
NK_WINOGRAD_TILE(0) NK_WINOGRAD_TILE(1) NK_WINOGRAD_TILE(2) NK_WINOGRAD_TILE(3)
NK_WINOGRAD_TILE(4) NK_WINOGRAD_TILE(5) NK_WINOGRAD_TILE(6) NK_WINOGRAD_TILE(7)
NK_WINOGRAD_TILE(8) NK_WINOGRAD_TILE(9) NK_WINOGRAD_TILE(10) NK_WINOGRAD_TILE(11)
NK_WINOGRAD_TILE(12) NK_WINOGRAD_TILE(13) NK_WINOGRAD_TILE(14) NK_WINOGRAD_TILE(15)
    // clang-format on
    typedef void nk_winograd_tile(float *v, const float *d, size_t next, size_t pitch);
static nk_winograd_tile *const nk_winograd_tiles[16] = {
    nk_winograd_tile_0,  nk_winograd_tile_1,  nk_winograd_tile_2,  nk_winograd_tile_3,
    nk_winograd_tile_4,  nk_winograd_tile_5,  nk_winograd_tile_6,  nk_winograd_tile_7,
    nk_winograd_tile_8,  nk_winograd_tile_9,  nk_winograd_tile_10, nk_winograd_tile_11,
    nk_winograd_tile_12, nk_winograd_tile_13, nk_winograd_tile_14, nk_winograd_tile_15};

// A tile that is more than one row or column short: from a copy with zeros beyond the border.
NK_OUTLINE void nk_winograd_ragged_tile(float *v, const float *x, size_t next, int height,
                                        int width, int h, int w)
{
    float edge[36 * NK_VECTOR];
    for (int unit = 0; unit < NK_UNITS; unit++) {
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) {
                const int in = h + i >= 0 && h + i < height && w + j >= 0 && w + j < width;
                const float *at =
                    x + ((int64_t)(h + i) * width + (w + j)) * NK_LANES + unit * NK_VECTOR;
                nk_store(edge + (i * 6 + j) * NK_VECTOR, in ? nk_load(at) : nk_zero_vector());
            }
        nk_winograd_input(v + unit * next, edge, 6 * NK_VECTOR, NK_VECTOR, 0);
    }
}

// `count` tiles from `first` on, counted over all groups, row by row of tiles: channels c0..c0+own
// -> v[tile][unit][own][36][lanes]. Channel by channel, so that neighbouring tiles find their
// common columns in the first cache.
NK_INLINE void nk_winograd_input_tiles(float *v, const float *x, int channels, int c0, int own,
                                       int height, int width, int first, int count)
{
    const int tiles_w = (width + 3) / 4, tiles = (height + 3) / 4 * tiles_w;
    const size_t plane = nk_plane(height * width), next = (size_t)own * NK_POINTS * NK_VECTOR;
    for (int c = 0; c < own; c++)
        for (int i = 0; i < count; i++) {
            const int g = (first + i) / tiles, tile = (first + i) % tiles,
                      h = tile / tiles_w * 4 - 1, w = tile % tiles_w * 4 - 1;
            const float *in = x + ((size_t)g * channels + c0 + c) * plane;
            float *out = v + i * NK_UNITS * next + (size_t)c * NK_POINTS * NK_VECTOR;
            const int borders = (h < 0 ? NK_TOP : 0) | (h + 6 > height ? NK_BOTTOM : 0) |
                                (w < 0 ? NK_LEFT : 0) | (w + 6 > width ? NK_RIGHT : 0);
            if (h + 6 > height + 1 || w + 6 > width + 1)
                nk_winograd_ragged_tile(out, in, next, height, width, h, w);
            else
                nk_winograd_tiles[borders](out, in + ((int64_t)h * width + w) * NK_LANES, next,
                                           (size_t)width * NK_LANES);
        }
}

// ---- products -----------------------------------------------------------------------------------

// Filters k0..k0+tile of point f for all units of a block, two units at a time.
NK_INLINE void nk_winograd_product_tile(float *m, const float *v, const float *u, int channels,
                                        int filters, int units, int f, int k0, const int tile)
{
    const float *weights = u + (size_t)f * channels * filters + k0;
    for (int i = 0; i < units; i += 2) {
        const float *in = v + ((size_t)i * channels * NK_POINTS + f) * NK_VECTOR;
        const float *next = in + (size_t)channels * NK_POINTS * NK_VECTOR;
        float *out = m + (((size_t)i * filters + k0) * NK_POINTS + f) * NK_VECTOR;
        nk_vector sum[NK_CONV_TILE][2];
#pragma GCC unroll 16
        for (int k = 0; k < tile; k++)
            sum[k][0] = sum[k][1] = nk_zero_vector();
        const float *weight = weights;
        for (int c = 0; c < channels; c++, weight += filters) {
            const nk_vector x0 = nk_load(in + (size_t)c * NK_POINTS * NK_VECTOR);
            const nk_vector x1 = nk_load(next + (size_t)c * NK_POINTS * NK_VECTOR);
#pragma GCC unroll 16
            for (int k = 0; k < tile; k++) {
                sum[k][0] += weight[k] * x0;
                sum[k][1] += weight[k] * x1;
            }
        }
#pragma GCC unroll 16
        for (int k = 0; k < tile; k++) {
            nk_store(out + k * NK_POINTS * NK_VECTOR, sum[k][0]);
            nk_store(out + ((size_t)filters + k) * NK_POINTS * NK_VECTOR, sum[k][1]);
        }
    }
}

#ifndef NK_CONV_DISPATCH
NK_INLINE void nk_winograd_product(float *m, const float *v, const float *u, int channels,
                                   int filters, int units, int f, int k0, int tile)
{
    const nk_conv_split split = nk_split_filters(filters);
    if (tile == split.tile)
        nk_winograd_product_tile(m, v, u, channels, filters, units, f, k0, split.tile);
    else
        nk_winograd_product_tile(m, v, u, channels, filters, units, f, k0, split.tile - 1);
}
#endif

// ---- output -------------------------------------------------------------------------------------

// A^T m of six values.
NK_INLINE void nk_winograd_a(nk_vector out[4], const nk_vector m[6])
{
    const nk_vector s = m[1] + m[2], t = m[3] + m[4], p = m[1] - m[2], q = m[3] - m[4];
    out[0] = m[0] + s + t;
    out[1] = NK_WA * p + NK_WB * q;
    out[2] = NK_WA2 * s + NK_WB2 * t;
    out[3] = (NK_WA * NK_WA2 * p + m[5]) + NK_WB * NK_WB2 * q;
}

// One unit and filter: m[36][lanes] -> rows x columns (at most 4x4) results.
NK_INLINE void nk_winograd_output(float *y, const float *m, int rows, int columns, size_t pitch,
                                  float bias, const int accumulate)
{
    nk_vector half[4][6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; j++) {
        nk_vector d[6], out[4];
#pragma GCC unroll 6
        for (int i = 0; i < 6; i++)
            d[i] = nk_load(m + (i * 6 + j) * NK_VECTOR);
        nk_winograd_a(out, d);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            half[i][j] = out[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        nk_vector out[4];
        nk_winograd_a(out, half[i]);
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            if (i < rows && j < columns) {
                float *at = y + i * pitch + (size_t)j * NK_LANES;
                nk_store(at, accumulate ? nk_load(at) + out[j] : out[j] + bias);
            }
    }
}

#define NK_WINOGRAD_OUTPUT(name, rows, columns, accumulate)                                   \
    NK_OUTLINE void nk_winograd_##name(float *y, const float *m, const float *b, int filters, \
                                       size_t plane, size_t pitch, int high, int wide)        \
    {                                                                                         \
        (void)high;                                                                           \
        (void)wide;                                                                           \
        for (int unit = 0; unit < NK_UNITS; unit++)                                           \
            for (int k = 0; k < filters; k++, m += NK_POINTS * NK_VECTOR)                     \
                nk_winograd_output(y + k * plane + unit * NK_VECTOR, m, rows, columns, pitch, \
                                   b ? b[k] : 0.0f, accumulate);                              \
    }
NK_WINOGRAD_OUTPUT(write_whole, 4, 4, 0)
NK_WINOGRAD_OUTPUT(write_ragged, high, wide, 0)
NK_WINOGRAD_OUTPUT(add_whole, 4, 4, 1)
NK_WINOGRAD_OUTPUT(add_ragged, high, wide, 1)

// Tile `tile` of a group, all its units and filters.
NK_INLINE void nk_winograd_output_tile(float *y, const float *m, const float *b, int height,
                                       int width, int filters, int accumulate, int tile)
{
    const int tiles_w = (width + 3) / 4, h = tile / tiles_w * 4, w = tile % tiles_w * 4;
    const int rows = nk_min(4, height - h), columns = nk_min(4, width - w),
              whole = rows == 4 && columns == 4;
    const size_t plane = nk_plane(height * width), pitch = (size_t)width * NK_LANES;
    float *out = y + ((size_t)h * width + w) * NK_LANES;
    if (whole && !accumulate)
        nk_winograd_write_whole(out, m, b, filters, plane, pitch, 4, 4);
    else if (whole)
        nk_winograd_add_whole(out, m, b, filters, plane, pitch, 4, 4);
    else if (!accumulate)
        nk_winograd_write_ragged(out, m, b, filters, plane, pitch, rows, columns);
    else
        nk_winograd_add_ragged(out, m, b, filters, plane, pitch, rows, columns);
}

// scratch: `parts` times block tiles' V and M.  block: tiles that go through together.
NK_INLINE void nk_winograd(float *y, float *scratch, const float *x, const float *u, const float *b,
                           int channels, int height, int width, int filters, int block,
                           int accumulate, int groups, int part, int parts)
{
    const int tiles = ((height + 3) / 4) * ((width + 3) / 4), all = groups * tiles;
    const size_t plane = nk_plane(height * width), unit = NK_POINTS * NK_VECTOR;
    float *v = scratch + (size_t)part * block * NK_UNITS * unit * (size_t)(channels + filters);
    float *m = v + block * NK_UNITS * unit * (size_t)channels;
    const nk_conv_split split = nk_split_filters(filters);
    const int last = nk_share(all, part + 1, parts);
    for (int first = nk_share(all, part, parts); first < last; first += block) {
        const int count = nk_min(block, last - first);
        nk_winograd_input_tiles(v, x, channels, 0, channels, height, width, first, count);
        for (int f = 0; f < NK_POINTS; f++)
            for (int t = 0; t < split.tiles; t++) {
                const int narrow = t >= split.wide;
                nk_winograd_product(m, v, u, channels, filters, count * NK_UNITS, f,
                                    t * (split.tile - 1) + (narrow ? split.wide : t),
                                    split.tile - narrow);
            }
        for (int i = 0; i < count; i++)
            nk_winograd_output_tile(y + (first + i) / tiles * filters * plane,
                                    m + i * NK_UNITS * unit * filters, b, height, width, filters,
                                    accumulate, (first + i) % tiles);
    }
}
