// tiles_pool.c - average pooling of one image's maps in tiles (tiles.c).

// Adaptive pooling of rows of pixels: output row i averages input rows floor(i H / h) to
// ceil((i + 1) H / h) - 1, columns alike.
NK_INLINE void nk_pool_rows(float *y, const float *x, int height, int width, int out_height,
                            int out_width)
{
    for (int i = 0; i < out_height; i++) {
        const int r0 = i * height / out_height, r1 = ((i + 1) * height - 1) / out_height + 1;
        for (int j = 0; j < out_width; j++) {
            const int s0 = j * width / out_width, s1 = ((j + 1) * width - 1) / out_width + 1;
            float sum = 0.0f;
            for (int r = r0; r < r1; r++)
                for (int s = s0; s < s1; s++)
                    sum += x[r * width + s];
            y[i * out_width + j] = sum / (float)((r1 - r0) * (s1 - s0));
        }
    }
}

// The same where `by` divides both sides: a whole row at a time.
NK_INLINE void nk_pool_whole_rows(float *y, const float *x, int width, int out_height,
                                  int out_width, const int by)
{
    for (int i = 0; i < out_height; i++) {
        float *out = y + (size_t)i * out_width;
        for (int j = 0; j < out_width; j++)
            out[j] = 0.0f;
        for (int r = 0; r < by; r++)
            for (int s = 0; s < by; s++) {
                const float *in = x + (size_t)(i * by + r) * width + s;
                for (int j = 0; j < out_width; j++)
                    out[j] += in[j * by];
            }
        for (int j = 0; j < out_width; j++)
            out[j] *= 1.0f / (float)(by * by);
    }
}

// Divides both sides of one channel by `by`: tiles of `tile` become tiles of tile / by, place by
// place.
NK_INLINE void nk_pool_tiles(float *y, const float *x, int plane, const int tile, const int by)
{
    for (int r = 0; r < tile / by; r++)
        for (int s = 0; s < tile / by; s++)
            for (int t = 0; t < plane; t += NK_VECTOR) {
                const float *in = x + (size_t)(r * tile + s) * by * plane + t;
                nk_vector sum = nk_zero_vector();
                for (int i = 0; i < by; i++)
                    for (int j = 0; j < by; j++)
                        sum += nk_load(in + (size_t)(i * tile + j) * plane);
                nk_store(y + (size_t)(r * (tile / by) + s) * plane + t,
                         1.0f / (float)(by * by) * sum);
            }
}

// scratch: for each part the rows of one channel before and behind, and what remains of it in
// tiles.
NK_INLINE void nk_tiles_pool(float *y, float *scratch, const float *x, int height, int width,
                             int tile, int out_height, int out_width, int out_tile, int channels,
                             int part, int parts)
{
    const size_t map = nk_tile_map(height, width, tile),
                 out_map = nk_tile_map(out_height, out_width, out_tile);
    const int plane = nk_tile_plane(height, width, tile);
    const int by = height / out_height,
              divides = height == by * out_height && width == by * out_width;
    float *rows = scratch + (size_t)part * (map + out_map), *out_rows = rows + map;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float *in = x + c * map;
        float *out = y + c * out_map;
        if (divides && tile == by * out_tile) {
            nk_pool_tiles(out, in, plane, tile, by);
        } else if (divides && tile % by == 0) {
            nk_pool_tiles(rows, in, plane, tile, by);
            nk_tile_again(out, rows, out_height, out_width, tile / by, out_tile);
        } else {
            if (tile > 1)
                nk_tile_again(rows, in, height, width, tile, 1);
            float *to = out_tile > 1 ? out_rows : out;
            if (divides)
                nk_pool_whole_rows(to, tile > 1 ? rows : in, width, out_height, out_width, by);
            else
                nk_pool_rows(to, tile > 1 ? rows : in, height, width, out_height, out_width);
            if (out_tile > 1)
                nk_tile_again(out, out_rows, out_height, out_width, 1, out_tile);
            else
                nk_tile_clear(out, out_height, out_width, 1);
        }
    }
}
