// tiles_winograd.c - 3x3 and 5x5 convolutions of one image by Winograd's minimal filtering (Lavin &
// Gray 2015), tiles in the lanes (tiles.c): F(4x4) for maps in tiles of 4, F(2x2) for tiles of 2:
//
//   y tile = A^T [ sum_c (G w G^T) . (B^T relu(sum_j a_j x_j) B) ] A + b
//
// The weights come transformed, u[block of filters][point][c][filter in block], in the order in
// which they are read.  `side` = tile + kernel - 1 is that of what B and A transform.  Points are
// 0, infinity and pairs +-p, as in training: 1 for a side of 4; 3/4, 3/2 for 6; 1/2, 1, 2 for 8.

#define NK_WA 0.75f
#define NK_WB 1.5f
#define NK_WA2 (NK_WA * NK_WA)
#define NK_WB2 (NK_WB * NK_WB)

// Floats from one point to the next, of `rows` channels or filters: an odd number of cache lines,
// so that the points of a tile do not compete for the same few places of the first cache.
NK_INLINE size_t nk_tiles_pitch(int rows, int plane)
{
    return ((size_t)rows * plane / 16 | 1) * 16;
}

// ---- input --------------------------------------------------------------------------------------

// B^T d.
NK_INLINE void nk_tiles_b(nk_vector *out, const nk_vector *d, const int side)
{
    if (side == 4) {
        out[0] = d[2] - d[0];
        out[1] = d[1] + d[2];
        out[2] = d[2] - d[1];
        out[3] = d[3] - d[1];
    } else if (side == 6) {
        const nk_vector s = d[4] - NK_WB2 * d[2], t = d[3] - NK_WB2 * d[1],
                        p = d[4] - NK_WA2 * d[2], q = d[3] - NK_WA2 * d[1];
        out[0] = NK_WA2 * NK_WB2 * d[0] + (d[4] - (NK_WA2 + NK_WB2) * d[2]);
        out[1] = s + NK_WA * t;
        out[2] = s - NK_WA * t;
        out[3] = p + NK_WB * q;
        out[4] = p - NK_WB * q;
        out[5] = NK_WA2 * NK_WB2 * d[1] + (d[5] - (NK_WA2 + NK_WB2) * d[3]);
    } else {
        const nk_vector s = 4.0f * d[2] + (d[6] - 5.0f * d[4]),
                        t = 4.0f * d[1] + (d[5] - 5.0f * d[3]), p = d[2] + (d[6] - 4.25f * d[4]),
                        q = d[1] + (d[5] - 4.25f * d[3]), e = 0.25f * d[2] + (d[6] - 1.25f * d[4]),
                        o = 0.25f * d[1] + (d[5] - 1.25f * d[3]);
        out[0] = 5.25f * (d[2] - d[4]) + (d[6] - d[0]);
        out[1] = s + 0.5f * t;
        out[2] = s - 0.5f * t;
        out[3] = p + q;
        out[4] = p - q;
        out[5] = e + 2.0f * o;
        out[6] = e - 2.0f * o;
        out[7] = 5.25f * (d[3] - d[5]) + (d[7] - d[1]);
    }
}

// Zeros around a plane of tiles, so that a neighbour always exists: above and before the first,
// below and behind the last.
NK_INLINE int nk_tiles_guard(int width, int tile)
{
    return (nk_tile_rows(width, tile) + 16) / 16 * 16;
}

// 1 where a tile has a left (right) neighbour, 0 at the map's border: factors of the lanes.
NK_INLINE void nk_tiles_borders(float *left, float *right, int height, int width, int tile)
{
    const int columns = nk_tile_rows(width, tile), plane = nk_tile_plane(height, width, tile);
    for (int t = 0, j = 0; t < plane; t++) {
        left[t] = j > 0 ? 1.0f : 0.0f;
        right[t] = j < columns - 1 ? 1.0f : 0.0f;
        j = j + 1 < columns ? j + 1 : 0;
    }
}

// Where value i of a tile's transform lies: pixel `place` of the tile `beside` tiles further on.
NK_INLINE int nk_tiles_place(int i, int tile, int side)
{
    return (i + tile - (side - tile) / 2) % tile;
}

NK_INLINE int nk_tiles_beside(int i, int tile, int side)
{
    const int pad = (side - tile) / 2;
    return i < pad ? -1 : i >= tile + pad ? 1 : 0;
}

// One vector of tiles: d, the guarded planes at these tiles, -> v, `points` floats from point to
// point.
NK_INLINE void nk_tiles_transform(float *v, size_t points, const float *d, size_t pitch,
                                  int columns, const float *left, const float *right,
                                  const int tile, const int side)
{
    nk_vector t[8][8];
#pragma GCC unroll 8
    for (int j = 0; j < side; j++) {
        nk_vector column[8], out[8];
        const float *in =
            d + (size_t)nk_tiles_place(j, tile, side) * pitch + nk_tiles_beside(j, tile, side);
#pragma GCC unroll 8
        for (int i = 0; i < side; i++)
            column[i] = nk_load(in + (size_t)(nk_tiles_place(i, tile, side) * tile) * pitch +
                                nk_tiles_beside(i, tile, side) * columns);
        nk_tiles_b(out, column, side);
#pragma GCC unroll 8
        for (int i = 0; i < side; i++) {
            t[i][j] = out[i];
            if (nk_tiles_beside(j, tile, side) < 0)
                t[i][j] *= nk_load(left);
            if (nk_tiles_beside(j, tile, side) > 0)
                t[i][j] *= nk_load(right);
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < side; i++) {
        nk_vector out[8];
        nk_tiles_b(out, t[i], side);
#pragma GCC unroll 8
        for (int j = 0; j < side; j++)
            nk_store(v + (size_t)(i * side + j) * points, out[j]);
    }
}

// ---- where rows of tiles fill a vector ---------------------------------------------------------

// Neighbours are then one shuffle away, and the map is read as it lies.

// [relu] of the sum of the terms at one place.
NK_INLINE nk_vector nk_tiles_load(const float *const *xs, const float *as, size_t at,
                                  const int inputs, const int relu)
{
    nk_vector sum = nk_load(xs[0] + at);
    if (inputs > 1)
        sum *= as[0];
#pragma GCC unroll 4
    for (int j = 1; j < inputs; j++)
        sum += as[j] * nk_load(xs[j] + at);
    return relu ? nk_relu_vector(sum) : sum;
}

#if NK_TILES_SHUFFLE
// For each lane the lane of its neighbour above, below, left and right; above and below in the
// vector before or behind where it is not in the same one, left and right in zeros.
typedef struct {
    nk_lanes up, down, left, right;
} nk_neighbours;

NK_INLINE nk_neighbours nk_find_neighbours(int columns)
{
    nk_neighbours n;
    for (int l = 0; l < NK_VECTOR; l++) {
        n.up[l] = l + NK_VECTOR - columns;
        n.down[l] = l + columns;
        n.left[l] = l % columns ? l - 1 : NK_VECTOR;
        n.right[l] = l % columns < columns - 1 ? l + 1 : NK_VECTOR;
    }
    return n;
}

// One vector of tiles of the channel at `at` in every term, `first` and `last` in its map.
NK_INLINE void nk_tiles_neighbours(float *v, size_t points, const float *const *xs, const float *as,
                                   size_t at, int plane, int first, int last, nk_neighbours n,
                                   const int tile, const int side, const int inputs, const int relu)
{
    const int pad = (side - tile) / 2;
    const nk_vector zero = nk_zero_vector();
    nk_vector t[8][8];
#pragma GCC unroll 4
    for (int s = 0; s < tile; s++) {
        nk_vector column[8], out[8];
#pragma GCC unroll 4
        for (int r = 0; r < tile; r++)
            column[pad + r] =
                nk_tiles_load(xs, as, at + (size_t)(r * tile + s) * plane, inputs, relu);
#pragma GCC unroll 2
        for (int r = 0; r < pad; r++) {
            const size_t bottom = at + (size_t)((tile - pad + r) * tile + s) * plane,
                         top = at + (size_t)(r * tile + s) * plane;
            column[r] =
                nk_shuffle(first ? zero : nk_tiles_load(xs, as, bottom - NK_VECTOR, inputs, relu),
                           column[tile + r], n.up);
            column[pad + tile + r] = nk_shuffle(
                column[pad + r], last ? zero : nk_tiles_load(xs, as, top + NK_VECTOR, inputs, relu),
                n.down);
        }
        nk_tiles_b(out, column, side);
#pragma GCC unroll 8
        for (int i = 0; i < side; i++)
            t[i][pad + s] = out[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < side; i++) {
        nk_vector out[8];
#pragma GCC unroll 2
        for (int s = 0; s < pad; s++) {
            t[i][s] = nk_shuffle(t[i][tile + s], zero, n.left);
            t[i][pad + tile + s] = nk_shuffle(t[i][pad + s], zero, n.right);
        }
        nk_tiles_b(out, t[i], side);
#pragma GCC unroll 8
        for (int j = 0; j < side; j++)
            nk_store(v + (size_t)(i * side + j) * points, out[j]);
    }
}

NK_INLINE void nk_tiles_shuffled(float *v, const float *const *xs, const float *as, int height,
                                 int width, int tile, int side, int inputs, int relu, int channels,
                                 int part, int parts)
{
    const int plane = nk_tile_plane(height, width, tile);
    const size_t map = nk_tile_map(height, width, tile), points = nk_tiles_pitch(channels, plane);
    const nk_neighbours n = nk_find_neighbours(nk_tile_rows(width, tile));
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int t = 0; t < plane; t += NK_VECTOR)
            nk_tiles_neighbours(v + (size_t)c * plane + t, points, xs, as, c * map + t, plane,
                                t == 0, t + NK_VECTOR >= plane, n, tile, side, inputs, relu);
}
#endif

// v[point][channel][tiles] = B^T [relu] (sum_j as[j] xs[j]) B, of at most four terms; a single one
// has no scale.  scratch: for each part two rows of factors and the guarded planes of one channel.
NK_INLINE void nk_tiles_input(float *v, float *scratch, const float *const *xs, const float *as,
                              int height, int width, int tile, int kernel_h, int inputs, int relu,
                              int channels, int part, int parts)
{
    const int plane = nk_tile_plane(height, width, tile), guard = nk_tiles_guard(width, tile);
    const int side = tile + kernel_h - 1;
    const int columns = nk_tile_rows(width, tile), pitch = plane + 2 * guard;
    const size_t map = nk_tile_map(height, width, tile), points = nk_tiles_pitch(channels, plane);
    float *left = scratch + (size_t)part * (2 * plane + tile * tile * pitch), *right = left + plane,
          *planes = right + plane;
#if NK_TILES_SHUFFLE
    if (NK_VECTOR % columns == 0) {
        nk_tiles_shuffled(v, xs, as, height, width, tile, side, inputs, relu, channels, part,
                          parts);
        return;
    }
#endif
    nk_tiles_borders(left, right, height, width, tile);
    for (int p = 0; p < tile * tile; p++) {
        memset(planes + (size_t)p * pitch, 0, (size_t)guard * sizeof *planes);
        memset(planes + (size_t)p * pitch + guard + plane, 0, (size_t)guard * sizeof *planes);
    }
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        for (int p = 0; p < tile * tile; p++)
            for (int t = 0; t < plane; t += NK_VECTOR)
                nk_store(planes + (size_t)p * pitch + guard + t,
                         nk_tiles_load(xs, as, c * map + (size_t)p * plane + t, inputs, relu));
        for (int t = 0; t < plane; t += NK_VECTOR)
            nk_tiles_transform(v + (size_t)c * plane + t, points, planes + guard + t, (size_t)pitch,
                               columns, left + t, right + t, tile, side);
    }
}

// ---- products and output ------------------------------------------------------------------------

// m[k][tiles] = sum_c u[c][k] v[c][tiles] for `filters` filters and `vectors` vectors of tiles.
NK_INLINE void nk_tiles_product(float *m, const float *v, const float *u, int channels, int plane,
                                int block, const int filters, const int vectors)
{
    nk_vector sum[NK_TILE_SUMS][NK_TILE_VECTORS];
#pragma GCC unroll 28
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            sum[k][i] = nk_zero_vector();
    for (int c = 0; c < channels; c++) {
        const float *x = v + (size_t)c * plane, *weight = u + (size_t)c * block;
        nk_vector at[NK_TILE_VECTORS];
#pragma GCC unroll 2
        for (int k = 0; k < filters; k += 16)
            NK_PREFETCH(weight + NK_AHEAD + k);
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            at[i] = nk_load(x + i * NK_VECTOR);
#pragma GCC unroll 28
        for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
            for (int i = 0; i < vectors; i++)
                sum[k][i] += weight[k] * at[i];
    }
#pragma GCC unroll 28
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            nk_store(m + (size_t)k * plane + i * NK_VECTOR, sum[k][i]);
}

// One point of a block of `filters` filters: register tiles over filters and tiles.
NK_INLINE void nk_tiles_point(float *m, const float *v, const float *u, int channels, int plane,
                              const int filters)
{
    const int vectors = nk_min(NK_TILE_VECTORS, plane / NK_VECTOR);
    const int step = NK_TILE_SUMS / vectors, whole = filters / step * step;
    const int most = plane / NK_VECTOR / vectors * vectors * NK_VECTOR;
    for (int t = 0; t < most; t += vectors * NK_VECTOR) {
        for (int k = 0; k < whole; k += step)
            nk_tiles_product(m + (size_t)k * plane + t, v + t, u + k, channels, plane, filters,
                             step, vectors);
        if (filters > whole)
            nk_tiles_product(m + (size_t)whole * plane + t, v + t, u + whole, channels, plane,
                             filters, filters - whole, vectors);
    }
    for (int t = most; t < plane; t += NK_VECTOR) {
        for (int k = 0; k < whole; k += step)
            nk_tiles_product(m + (size_t)k * plane + t, v + t, u + k, channels, plane, filters,
                             step, 1);
        if (filters > whole)
            nk_tiles_product(m + (size_t)whole * plane + t, v + t, u + whole, channels, plane,
                             filters, filters - whole, 1);
    }
}

// A^T m.
NK_INLINE void nk_tiles_a(nk_vector *out, const nk_vector *m, const int tile, const int side)
{
    if (side == 4) {
        out[0] = m[0] + m[1] + m[2];
        out[1] = m[1] - m[2] + m[3];
        return;
    }
    const nk_vector p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
    if (side == 8) {
        const nk_vector e = m[5] + m[6], o = m[5] - m[6];
        out[0] = (m[0] + p) + (r + e);
        out[1] = 0.5f * q + (s + 2.0f * o);
        out[2] = 0.25f * p + (r + 4.0f * e);
        out[3] = (0.125f * q + m[7]) + (s + 8.0f * o);
        return;
    }
    out[0] = m[0] + p + r;
    if (tile == 2) {
        out[1] = m[5] + NK_WA * q + NK_WB * s;
        return;
    }
    out[1] = NK_WA * q + NK_WB * s;
    out[2] = NK_WA2 * p + NK_WB2 * r;
    out[3] = m[5] + NK_WA * NK_WA2 * q + NK_WB * NK_WB2 * s;
}

// One filter and one vector of tiles: m, `points` floats from point to point, -> y.
NK_INLINE void nk_tiles_output(float *y, const float *m, size_t points, float bias, int plane,
                               const int tile, const int side, const int relu)
{
    nk_vector t[4][8];
#pragma GCC unroll 8
    for (int j = 0; j < side; j++) {
        nk_vector column[8], out[4];
#pragma GCC unroll 8
        for (int i = 0; i < side; i++)
            column[i] = nk_load(m + (size_t)(i * side + j) * points);
        nk_tiles_a(out, column, tile, side);
#pragma GCC unroll 4
        for (int i = 0; i < tile; i++)
            t[i][j] = out[i];
    }
#pragma GCC unroll 4
    for (int i = 0; i < tile; i++) {
        nk_vector out[4];
        nk_tiles_a(out, t[i], tile, side);
#pragma GCC unroll 4
        for (int j = 0; j < tile; j++) {
            const nk_vector result = out[j] + bias;
            nk_store(y + (size_t)(i * tile + j) * plane, relu ? nk_relu_vector(result) : result);
        }
    }
}

// All maps of a block; one function for each tile and side.
NK_INLINE void nk_tiles_outputs(float *y, const float *m, const float *b, int height, int width,
                                int filters, int relu, const int tile, const int side)
{
    const int plane = nk_tile_plane(height, width, tile);
    const size_t map = nk_tile_map(height, width, tile);
    for (int k = 0; k < filters; k++) {
        for (int t = 0; t < plane; t += NK_VECTOR)
            nk_tiles_output(y + k * map + t, m + (size_t)k * plane + t,
                            nk_tiles_pitch(filters, plane), b[k], plane, tile, side, relu);
        nk_tile_clear(y + k * map, height, width, tile);
    }
}

#define NK_TILES_OUTPUTS(tile, side)                                                               \
    NK_OUTLINE void nk_tiles_outputs_##tile##_##side(float *y, const float *m, const float *b,     \
                                                     int height, int width, int filters, int relu) \
    {                                                                                              \
        nk_tiles_outputs(y, m, b, height, width, filters, relu, tile, side);                       \
    }
NK_TILES_OUTPUTS(2, 4)
NK_TILES_OUTPUTS(2, 6)
NK_TILES_OUTPUTS(4, 6)
NK_TILES_OUTPUTS(4, 8)
#undef NK_TILES_OUTPUTS

NK_INLINE void nk_tiles_block(float *y, float *m, const float *v, const float *u, const float *b,
                              int channels, int height, int width, const int tile, const int side,
                              int relu, const int filters)
{
    const int plane = nk_tile_plane(height, width, tile);
    for (int p = 0; p < side * side; p++)
        nk_tiles_point(m + p * nk_tiles_pitch(filters, plane),
                       v + p * nk_tiles_pitch(channels, plane), u + (size_t)p * channels * filters,
                       channels, plane, filters);
    if (tile == 2 && side == 4)
        nk_tiles_outputs_2_4(y, m, b, height, width, filters, relu);
    else if (tile == 2)
        nk_tiles_outputs_2_6(y, m, b, height, width, filters, relu);
    else if (side == 6)
        nk_tiles_outputs_4_6(y, m, b, height, width, filters, relu);
    else
        nk_tiles_outputs_4_8(y, m, b, height, width, filters, relu);
}

// y = [relu] (A^T [sum over channels of u v] A + b), `blocks` blocks of filters as equal as can be,
// the larger ones first.  scratch: for each part the products of one block.
NK_INLINE void nk_tiles_filters(float *y, float *scratch, const float *v, const float *u,
                                const float *b, int height, int width, int tile, int kernel_h,
                                int filters, int blocks, int relu, int channels, int part,
                                int parts)
{
    const int least = filters / blocks, larger = filters % blocks, side = tile + kernel_h - 1,
              points = side * side;
    const size_t map = nk_tile_map(height, width, tile);
    float *m =
        scratch + (size_t)part * points *
                      nk_tiles_pitch(least + (larger > 0), nk_tile_plane(height, width, tile));
    for (int i = nk_share(blocks, part, parts); i < nk_share(blocks, part + 1, parts); i++) {
        const int k = i * least + nk_min(i, larger);
        if (i < larger)
            nk_tiles_block(y + k * map, m, v, u + (size_t)points * channels * k, b + k, channels,
                           height, width, tile, side, relu, least + 1);
        else
            nk_tiles_block(y + k * map, m, v, u + (size_t)points * channels * k, b + k, channels,
                           height, width, tile, side, relu, least);
    }
}
