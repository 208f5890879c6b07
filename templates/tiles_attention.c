// tiles_attention.c - the attention merge of one image's maps in tiles (tiles.c):
//
//   y = [relu] s (sigmoid(b) + (m - min m) / max(max m - min m, 1e-12)),    min and max over
//   channels and
// pixels; gate is sigmoid(b).

// range[0], range[1]: min and max of m over what lies inside the map.
NK_INLINE void nk_tiles_range(float *range, const float *m, int height, int width, int tile,
                              int channels, int part, int parts)
{
    const int columns = nk_tile_rows(width, tile), plane = nk_tile_plane(height, width, tile);
    const size_t map = nk_tile_map(height, width, tile);
    float low[16], high[16];
    if (part > 0) // a few thousand comparisons, in one order
        return;
    (void)parts;
    for (int l = 0; l < 16; l++)
        low[l] = high[l] = m[0];
    for (int c = 0; c < channels; c++)
        for (int p = 0; p < tile * tile; p++) {
            const float *in = m + c * map + (size_t)p * plane;
            const int rows = (height - p / tile + tile - 1) / tile,
                      inside = (width - p % tile + tile - 1) / tile;
            // whole rows are run together
            const int runs = inside == columns ? 1 : rows,
                      length = inside == columns ? rows * columns : inside;
            for (int i = 0; i < runs; i++) {
                const float *run = in + (size_t)i * columns;
                int j = 0;
                for (; j + 16 <= length; j += 16)
                    for (int l = 0; l < 16; l++) {
                        low[l] = run[j + l] < low[l] ? run[j + l] : low[l];
                        high[l] = run[j + l] > high[l] ? run[j + l] : high[l];
                    }
                for (; j < length; j++) {
                    low[0] = run[j] < low[0] ? run[j] : low[0];
                    high[0] = run[j] > high[0] ? run[j] : high[0];
                }
            }
        }
    for (int l = 1; l < 16; l++) {
        low[0] = low[l] < low[0] ? low[l] : low[0];
        high[0] = high[l] > high[0] ? high[l] : high[0];
    }
    range[0] = low[0];
    range[1] = high[0];
}

// `size` floats, a multiple of 16.
NK_INLINE void nk_tiles_attention(float *y, const float *m, const float *s, const float *range,
                                  const float *gate, int size, int relu, int part, int parts)
{
    const float low = range[0], spread = range[1] - low,
                factor = 1.0f / (spread > 1e-12f ? spread : 1e-12f);
    const int first = nk_share(size / 16, part, parts) * 16,
              end = nk_share(size / 16, part + 1, parts) * 16;
    for (int i = first; i < end; i += NK_VECTOR) {
        const nk_vector result = nk_load(s + i) * (gate[0] + (nk_load(m + i) - low) * factor);
        nk_store(y + i, relu ? nk_relu_vector(result) : result);
    }
}
