// tiles.c - inference of one image: how a map lies in memory, images in, sums, changes of tiling.
//
// A map of height x width is cut into tiles of `tile` x `tile` pixels (1, 2 or 4) and stored by the
// place of a pixel in its tile:
//
//   x[channel][row in tile][column in tile][tiles, row by row, then zeros up to a multiple of 16]
//
// Tiles are neighbours in memory, so they fill the lanes of a vector whatever the size of the map
// or the number of channels, and Winograd's transforms need no shuffle.  With tile == 1 this is
// [channel][height * width].  What lies beyond the map's border in a tile is zero, too: sums, ReLU
// and products without a bias keep it so, every other kernel sees to it.

// Vectors and filters that are summed in registers at once.
#if NK_VECTOR == 16 || (NK_VECTOR == 4 && defined(__aarch64__))
#define NK_TILE_SUMS 28
#define NK_TILE_VECTORS 4
#elif NK_VECTOR > 1
#define NK_TILE_SUMS 12
#define NK_TILE_VECTORS 2
#else
#define NK_TILE_SUMS 4
#define NK_TILE_VECTORS 1
#endif
enum { NK_AHEAD = 2048 }; // floats that weights are asked for ahead of their use

#if defined(__GNUC__) && !defined(__TINYC__)
#define NK_PREFETCH(p) __builtin_prefetch(p)
#else
#define NK_PREFETCH(p) (void)(p)
#endif

NK_INLINE int nk_tile_rows(int height, int tile)
{
    return (height + tile - 1) / tile;
}

// Floats of one place in the tile: all tiles, padded.
NK_INLINE int nk_tile_plane(int height, int width, int tile)
{
    return (nk_tile_rows(height, tile) * nk_tile_rows(width, tile) + 15) / 16 * 16;
}

// Floats of a channel.
NK_INLINE size_t nk_tile_map(int height, int width, int tile)
{
    return (size_t)tile * tile * nk_tile_plane(height, width, tile);
}

// Where pixel (h, w) lies in its channel.
NK_INLINE size_t nk_tile_at(int h, int w, int height, int width, int tile)
{
    return (size_t)(h % tile * tile + w % tile) * nk_tile_plane(height, width, tile) +
           (size_t)(h / tile) * nk_tile_rows(width, tile) + w / tile;
}

// Does a map fill its tiles and its vectors?
NK_INLINE int nk_tiles_are_full(int height, int width, int tile)
{
    return height % tile == 0 && width % tile == 0 && height / tile * (width / tile) % 16 == 0;
}

// Zero beyond the border of one channel.
NK_INLINE void nk_tile_clear(float *y, int height, int width, int tile)
{
    const int rows = nk_tile_rows(height, tile), columns = nk_tile_rows(width, tile);
    const int plane = nk_tile_plane(height, width, tile);
    if (nk_tiles_are_full(height, width, tile))
        return;
    for (int r = 0; r < tile; r++)
        for (int s = 0; s < tile; s++) {
            float *out = y + (size_t)(r * tile + s) * plane;
            if ((rows - 1) * tile + r >= height)
                memset(out + (size_t)(rows - 1) * columns, 0, (size_t)columns * sizeof *out);
            if ((columns - 1) * tile + s >= width)
                for (int i = 0; i < rows; i++)
                    out[(size_t)i * columns + columns - 1] = 0.0f;
            for (int i = rows * columns; i < plane; i++)
                out[i] = 0.0f;
        }
}

// A permutation of two vectors' lanes, where the compiler has one.
#if defined(__GNUC__) && !defined(__clang__) && NK_VECTOR > 1
#define NK_TILES_SHUFFLE 1
typedef int32_t nk_lanes __attribute__((vector_size(4 * NK_VECTOR)));

// Lane l of the result is lane index[l] of x, or of y from NK_VECTOR on.
NK_INLINE nk_vector nk_shuffle(nk_vector x, nk_vector y, nk_lanes index)
{
    return __builtin_shuffle(x, y, index);
}
#else
#define NK_TILES_SHUFFLE 0
#endif

NK_INLINE nk_vector nk_relu_vector(nk_vector x)
{
#if NK_VECTOR == 1
    return x > 0.0f ? x : 0.0f;
#else
    typedef int32_t nk_bits __attribute__((vector_size(4 * NK_VECTOR), may_alias));
    return (nk_vector)((nk_bits)x & (x > nk_zero_vector()));
#endif
}

// y: the planes of one channel from rows of pixels, `pitch` floats apart.
NK_INLINE void nk_tile_from_rows(float *y, const float *x, size_t pitch, int height, int width,
                                 const int tile)
{
    const int columns = nk_tile_rows(width, tile), plane = nk_tile_plane(height, width, tile);
    for (int h = 0; h < height; h++)
        for (int s = 0; s < tile; s++) {
            float *out = y + (size_t)(h % tile * tile + s) * plane + (size_t)(h / tile) * columns;
            const float *in = x + h * pitch + s;
            const int count = (width - s + tile - 1) / tile;
            for (int j = 0; j < count; j++)
                out[j] = in[j * tile];
        }
    nk_tile_clear(y, height, width, tile);
}

// y: tiles of an image [channels][height][width].
NK_INLINE void nk_tile_image(float *y, const float *x, int channels, int height, int width,
                             int tile, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        nk_tile_from_rows(y + c * nk_tile_map(height, width, tile), x + (size_t)c * height * width,
                          (size_t)width, height, width, tile);
}

// ---- sums ---------------------------------------------------------------------------------------

// y = (first: instead of +=) sum of up to four terms, `count` floats of each from `at`.
NK_INLINE void nk_tile_add(float *y, const float *const *xs, const float *as, size_t at, int count,
                           const int terms, const int first, const int relu)
{
    nk_vector a[4];
    const float *x[4];
    for (int j = 0; j < terms; j++) {
        a[j] = nk_zero_vector() + as[j];
        x[j] = xs[j] + at;
    }
    for (int i = 0; i < count; i += NK_VECTOR) {
        nk_vector sum =
            first ? a[0] * nk_load(x[0] + i) : nk_load(y + i) + a[0] * nk_load(x[0] + i);
        if (terms > 1)
            sum += a[1] * nk_load(x[1] + i);
        if (terms > 2)
            sum += a[2] * nk_load(x[2] + i);
        if (terms > 3)
            sum += a[3] * nk_load(x[3] + i);
        nk_store(y + i, relu ? nk_relu_vector(sum) : sum);
    }
}

// y = [relu] sum_j as[j] xs[j], `count` floats (a multiple of 16) from `at`; y may be xs[0] + at.
NK_INLINE void nk_tile_terms(float *y, const float *const *xs, const float *as, size_t at,
                             int inputs, int count, int relu)
{
    int j = 0;
    for (; inputs - j > 4; j += 4)
        if (j == 0)
            nk_tile_add(y, xs, as, at, count, 4, 1, 0);
        else
            nk_tile_add(y, xs + j, as + j, at, count, 4, 0, 0);
#define NK_TERMS(n)                                                  \
    if (inputs - j == (n)) {                                         \
        if (j == 0 && relu)                                          \
            nk_tile_add(y, xs, as, at, count, (n), 1, 1);            \
        else if (j == 0)                                             \
            nk_tile_add(y, xs, as, at, count, (n), 1, 0);            \
        else                                                         \
            nk_tile_add(y, xs + j, as + j, at, count, (n), 0, relu); \
        return;                                                      \
    }
    NK_TERMS(1)
    NK_TERMS(2)
    NK_TERMS(3)
    NK_TERMS(4)
#undef NK_TERMS
}

enum {
    NK_SUM_BLOCK = 1024
}; // floats that go through at once, so that they stay in the first cache

// y = [relu] sum_j as[j] xs[j] over `size` floats, a multiple of 16; y may be any of the xs: it is
// written where all of them have been read.
NK_INLINE void nk_tile_sum(float *y, const float *const *xs, const float *as, int inputs, int size,
                           int relu, int part, int parts)
{
    const int blocks = (size + NK_SUM_BLOCK - 1) / NK_SUM_BLOCK;
    for (int b = nk_share(blocks, part, parts); b < nk_share(blocks, part + 1, parts); b++) {
        const size_t at = (size_t)b * NK_SUM_BLOCK;
        const int count = nk_min(NK_SUM_BLOCK, size - (int)at);
        if (inputs <= 4) {
            nk_tile_terms(y + at, xs, as, at, inputs, count, relu);
        } else {
            float sum[NK_SUM_BLOCK];
            nk_tile_terms(sum, xs, as, at, inputs, count, relu);
            for (int i = 0; i < count; i++)
                y[at + i] = sum[i];
        }
    }
}

// ---- changes of tiling --------------------------------------------------------------------------

// One map in tiles of `tile` instead of `from`, one of which divides the other.
NK_INLINE void nk_tile_again(float *y, const float *x, int height, int width, const int from,
                             const int tile)
{
    const int small = nk_min(from, tile), large = nk_max(from, tile), by = large / small;
    const int rows = nk_tile_rows(height, large), columns = nk_tile_rows(width, large),
              plane = nk_tile_plane(height, width, large);
    const int small_rows = nk_tile_rows(height, small), small_columns = nk_tile_rows(width, small),
              small_plane = nk_tile_plane(height, width, small);
    for (int r = 0; r < large; r++)
        for (int s = 0; s < large; s++)
            for (int i = 0; i < rows && i * by + r / small < small_rows; i++) {
                const size_t at = (size_t)(r * large + s) * plane + (size_t)i * columns;
                const size_t small_at = (size_t)(r % small * small + s % small) * small_plane +
                                        (size_t)(i * by + r / small) * small_columns + s / small;
                const int count = nk_min(columns, (small_columns - s / small + by - 1) / by);
                for (int j = 0; j < count; j++)
                    if (from == small)
                        y[at + j] = x[small_at + j * by];
                    else
                        y[small_at + j * by] = x[at + j];
            }
    nk_tile_clear(y, height, width, tile);
}

NK_INLINE void nk_tile_change(float *y, const float *x, int height, int width, int from, int tile,
                              int channels, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        nk_tile_again(y + c * nk_tile_map(height, width, tile),
                      x + c * nk_tile_map(height, width, from), height, width, from, tile);
}

// The logits, from maps of one pixel.
NK_INLINE void nk_tile_logits(float *logits, const float *x, int classes, int part, int parts)
{
    for (int k = nk_share(classes, part, parts); k < nk_share(classes, part + 1, parts); k++)
        logits[k] = x[k * nk_tile_map(1, 1, 1)];
}
