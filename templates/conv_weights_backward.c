// conv_weights_backward.c - gradient of a convolution's weights, batch innermost:
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

// A strip of filters is two vectors; sums of a tile are columns x vectors, in 32 or 16 registers. A
// column is a channel's tap.
#define NK_TURN_STRIP (2 * NK_VECTOR)
#if NK_VECTOR == 16 || defined(__aarch64__)
#define NK_TURN_TILE 14
#else
#define NK_TURN_TILE 6
#endif
enum { NK_TURN_PIXELS = 8, NK_TURN_COLUMNS = 256 }; // that go through together

// Where a pixel's value for a column lies.
typedef struct nk_column {
    ptrdiff_t at; // floats from the pixel's own place in channel 0
    int r, s;     // rows and columns from the pixel
} nk_column;

NK_INLINE nk_column nk_find_column(int column, int height, int width, int kernel_h, int kernel_w)
{
    const int taps = kernel_h * kernel_w, c = column / taps, r = column % taps / kernel_w,
              s = column % kernel_w;
    nk_column found = {0, r - kernel_h / 2, s - kernel_w / 2};
    found.at = (c * (ptrdiff_t)height * width + found.r * (ptrdiff_t)width + found.s) * NK_LANES;
    return found;
}

// sums[columns][filter vectors] += over pixels first..first+count: the columns of x, d turned.
NK_INLINE void nk_turned_tile(float *sums, const float *x, const float *d, const nk_column *columns,
                              int height, int width, int first, int count, const int tile,
                              const int vectors)
{
    nk_vector sum[NK_TURN_TILE][2];
#pragma GCC unroll 16
    for (int j = 0; j < tile; j++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++)
            sum[j][v] = nk_load(sums + (j * vectors + v) * NK_VECTOR);
    for (int i = first, h = first / width, w = first % width; i < first + count; i++, w++) {
        if (w == width) {
            w = 0;
            h++;
        }
        for (int unit = 0; unit < NK_LANES; unit += NK_VECTOR) {
            float value[NK_TURN_TILE][NK_VECTOR];
            const float *in = x + (size_t)i * NK_LANES + unit;
#pragma GCC unroll 16
            for (int j = 0; j < tile; j++) {
                const int inside = (unsigned)(h + columns[j].r) < (unsigned)height &&
                                   (unsigned)(w + columns[j].s) < (unsigned)width;
                nk_store(value[j], inside ? nk_load(in + columns[j].at) : nk_zero_vector());
            }
            for (int l = 0; l < NK_VECTOR; l++, d += vectors * NK_VECTOR) {
                nk_vector y[2];
#pragma GCC unroll 2
                for (int v = 0; v < vectors; v++)
                    y[v] = nk_load(d + v * NK_VECTOR);
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
            nk_store(sums + (j * vectors + v) * NK_VECTOR, sum[j][v]);
}

// `own` columns: in near-equal tiles where each size has its function, else in whole ones and some
// of 4 and 1, whose sizes are constants.
#ifndef NK_CONV_DISPATCH
NK_INLINE void nk_turned_columns(float *sums, const float *x, const float *d,
                                 const nk_column *columns, int height, int width, int first,
                                 int count, int own, const int vectors)
{
    int j = 0;
    for (; j + NK_TURN_TILE <= own; j += NK_TURN_TILE)
        nk_turned_tile(sums + j * vectors * NK_VECTOR, x, d, columns + j, height, width, first,
                       count, NK_TURN_TILE, vectors);
    for (; j + 4 <= own; j += 4)
        nk_turned_tile(sums + j * vectors * NK_VECTOR, x, d, columns + j, height, width, first,
                       count, 4, vectors);
    for (; j < own; j++)
        nk_turned_tile(sums + j * vectors * NK_VECTOR, x, d, columns + j, height, width, first,
                       count, 1, vectors);
}
#else
NK_INLINE void nk_turned_columns(float *sums, const float *x, const float *d,
                                 const nk_column *columns, int height, int width, int first,
                                 int count, int own, int vectors)
{
    for (int j = 0, pieces = (own + NK_TURN_TILE - 1) / NK_TURN_TILE; pieces > 0; pieces--) {
        const int tile = (own - j + pieces - 1) / pieces;
        nk_turned_block(sums + j * vectors * NK_VECTOR, x, d, columns + j, height, width, first,
                        count, tile, vectors);
        j += tile;
    }
}
#endif

// Pixels first..first+count of `filters` filters from dy on, zero from there to the strip's end ->
// d[pixel][lane][vectors of filters].
NK_INLINE void nk_turn(float *d, const float *dy, size_t plane, int first, int count, int filters,
                       int vectors)
{
    for (int i = first; i < first + count; i++)
        for (int unit = 0; unit < NK_LANES; unit += NK_VECTOR) {
            for (int v = 0; v < vectors; v++) {
                const float *at = dy + v * NK_VECTOR * plane + (size_t)i * NK_LANES + unit;
                const int whole = filters - v * NK_VECTOR >= NK_VECTOR;
                nk_vector a[NK_VECTOR];
                if (whole) {
#pragma GCC unroll 16
                    for (int k = 0; k < NK_VECTOR; k++)
                        a[k] = nk_load(at + k * plane);
                } else {
                    for (int k = 0; k < NK_VECTOR; k++)
                        a[k] = v * NK_VECTOR + k < filters ? nk_load(at + k * plane)
                                                           : nk_zero_vector();
                }
                nk_transpose(a);
#pragma GCC unroll 16
                for (int l = 0; l < NK_VECTOR; l++)
                    nk_store(d + (l * vectors + v) * NK_VECTOR, a[l]);
            }
            d += vectors * NK_VECTOR * NK_VECTOR;
        }
}

// Columns c0..c0+own of one strip, filters k0.. of it.
NK_INLINE void nk_turned_strip(float *dw, const float *x, const float *dy, int channels, int height,
                               int width, int filters, int kernel_h, int kernel_w, int groups,
                               int k0, int c0, int own)
{
    const int size = height * width, kept = nk_min(NK_TURN_STRIP, filters - k0),
              vectors = kept > NK_VECTOR ? 2 : 1, all = channels * kernel_h * kernel_w;
    const size_t plane = nk_plane(size);
    float sums[NK_TURN_COLUMNS * NK_TURN_STRIP], d[NK_TURN_PIXELS * NK_LANES * NK_TURN_STRIP];
    nk_column columns[NK_TURN_COLUMNS];
    for (int j = 0; j < own; j++)
        columns[j] = nk_find_column(c0 + j, height, width, kernel_h, kernel_w);
    memset(sums, 0, (size_t)own * vectors * NK_VECTOR * sizeof *sums);
    for (int g = 0; g < groups; g++)
        for (int first = 0; first < size; first += NK_TURN_PIXELS) {
            const int count = nk_min(NK_TURN_PIXELS, size - first);
            nk_turn(d, dy + ((size_t)g * filters + k0) * plane, plane, first, count, kept, vectors);
            const float *in = x + (size_t)g * channels * plane;
            if (vectors == 2)
                nk_turned_columns(sums, in, d, columns, height, width, first, count, own, 2);
            else
                nk_turned_columns(sums, in, d, columns, height, width, first, count, own, 1);
        }
    for (int k = 0; k < kept; k++)
        for (int j = 0; j < own; j++)
            dw[(size_t)(k0 + k) * all + c0 + j] = sums[j * vectors * NK_VECTOR + k];
}

// Threads share out strips and blocks of columns; every sum runs over all pixels in their order.
NK_INLINE void nk_turned_weights(float *dw, const float *x, const float *dy, int channels,
                                 int height, int width, int filters, int kernel_h, int kernel_w,
                                 int groups, int part, int parts)
{
    const int all = channels * kernel_h * kernel_w,
              strips = (filters + NK_TURN_STRIP - 1) / NK_TURN_STRIP,
              blocks = nk_max((all + NK_TURN_COLUMNS - 1) / NK_TURN_COLUMNS,
                              nk_min(all, (parts + strips - 1) / strips)),
              items = strips * blocks;
    for (int i = nk_share(items, part, parts); i < nk_share(items, part + 1, parts); i++) {
        const int block = i % blocks, c0 = nk_share(all, block, blocks);
        nk_turned_strip(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                        i / blocks * NK_TURN_STRIP, c0, nk_share(all, block + 1, blocks) - c0);
    }
}

// ---- few filters --------------------------------------------------------------------------------

// Registers: filters x columns sums, the columns of x, one of dy.
#if NK_VECTOR == 16 || defined(__aarch64__)
#define NK_DW_CHANNELS 6
#define NK_DW_FILTERS(columns) ((columns) == 6 ? 4 : (columns) == 5 ? 5 : 7)
#else
#define NK_DW_CHANNELS 3
#define NK_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define NK_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? NK_DW_CHANNELS : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
NK_INLINE void nk_dw_pixel(nk_vector sum[7][6], const float *x, const float *dy, size_t plane,
                           const int filters, const int columns, const int step, const int kernel_w,
                           int w, int width, const int edge)
{
    for (int l = 0; l < NK_LANES; l += NK_VECTOR) {
        nk_vector column[6];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside =
                edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
            column[j] = outside ? nk_zero_vector() : nk_load(x + (ptrdiff_t)j * step + l);
        }
#pragma GCC unroll 8
        for (int k = 0; k < filters; k++) {
            const nk_vector d = nk_load(dy + k * plane + l);
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                sum[k][j] += d * column[j];
        }
    }
}

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all
// pixels of all groups.
NK_INLINE void nk_dw_tile(float *dw, const float *x, const float *dy, int channels, int height,
                          int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                          const int tile, int c0, const int columns, int r)
{
    const size_t plane = nk_plane(height * width);
    const int step = kernel_w == 1 ? (int)plane : NK_LANES;
    const int h0 = nk_max(0, kernel_h / 2 - r), h1 = nk_min(height, height + kernel_h / 2 - r);
    nk_vector sum[7][6];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = nk_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row =
                x + (g * channels + c0) * plane +
                ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * NK_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * NK_LANES;
            const int left = nk_min(kernel_w / 2, width),
                      right = nk_max(left, width - kernel_w / 2);
            for (int i = 0; i < left + width - right; i++) {
                const int w = i < left ? i : right + i - left;
                nk_dw_pixel(sum, row + w * NK_LANES, drow + w * NK_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 1);
            }
            for (int w = left; w < right; w++)
                nk_dw_pixel(sum, row + w * NK_LANES, drow + w * NK_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 0);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] =
                nk_sum_vector(sum[k][j]);
        }
}

#ifndef NK_CONV_DISPATCH
// Whole tiles, and those of the last few filters or channels where there are any: sizes are
// constants where the shape is.
NK_INLINE void nk_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                           int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                           int tile, int c0, int columns, int r)
{
    const int all = NK_DW_COLUMNS(kernel_w), most = NK_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = kernel_w == 1 ? channels % all : 0;
    if (filters >= most && channels >= (kernel_w == 1 ? all : 1) && tile == most && columns == all)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, all, r);
    else if (last_tile && channels >= (kernel_w == 1 ? all : 1) && columns == all)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, all, r);
    else if (last_columns && filters >= most && tile == most)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, last_columns, r);
    else if (last_tile && last_columns)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, last_columns, r);
}
#endif

NK_INLINE void nk_conv_weights_backward(float *dw, const float *x, const float *dy, int channels,
                                        int height, int width, int filters, int kernel_h,
                                        int kernel_w, int groups, int part, int parts)
{
    // A vector of turned filters is filled up with zeros: worth it where most of it is used.
    if (2 * filters > (filters + NK_VECTOR - 1) / NK_VECTOR * NK_VECTOR) {
        nk_turned_weights(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups,
                          part, parts);
        return;
    }
    const int columns = NK_DW_COLUMNS(kernel_w), tile = NK_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile,
              blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = nk_share(items, part, parts); i < nk_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step,
                  r = i % kernel_h;
        nk_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                    nk_min(tile, filters - k0), c0,
                    kernel_w == 1 ? nk_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
NK_INLINE void nk_channel_sum(float *db, const float *dy, int channels, int size, int groups,
                              int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        float lane[NK_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NK_LANES; l++)
                    lane[l] +=
                        dy[((size_t)g * channels + c) * nk_plane(size) + (size_t)i * NK_LANES + l];
        for (int l = 0; l < NK_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// Gradients that are zero in exact arithmetic: the biases of convolutions whose results are
// batch-normalised.
NK_INLINE void nk_zero(float *const *gs, int inputs, int size, int part, int parts)
{
    for (int j = nk_share(inputs, part, parts); j < nk_share(inputs, part + 1, parts); j++)
        for (int i = 0; i < size; i++)
            gs[j][i] = 0.0f;
}
