// tiles_mix.c - 1x1 convolutions of one image's maps in tiles (tiles.c): every pixel for itself, so
// that the order of pixels does not matter.

// `filters` filters of `vectors` vectors: y = [relu] (b + sum_c w[c][k] [relu_x] x[c]); w's rows
// are `block` apart, channels of x and y `size` floats.
NK_INLINE void nk_tiles_mix_tile(float *y, const float *x, const float *w, const float *b,
                                 int channels, int size, int block, const int relu_x,
                                 const int relu, const int filters, const int vectors)
{
    nk_vector sum[NK_TILE_SUMS][NK_TILE_VECTORS];
#pragma GCC unroll 28
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            sum[k][i] = nk_zero_vector() + b[k];
    for (int c = 0; c < channels; c++) {
        nk_vector at[NK_TILE_VECTORS];
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            at[i] = relu_x ? nk_relu_vector(nk_load(x + (size_t)c * size + i * NK_VECTOR))
                           : nk_load(x + (size_t)c * size + i * NK_VECTOR);
#pragma GCC unroll 28
        for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
            for (int i = 0; i < vectors; i++)
                sum[k][i] += w[(size_t)c * block + k] * at[i];
    }
#pragma GCC unroll 28
    for (int k = 0; k < filters; k++)
#pragma GCC unroll 4
        for (int i = 0; i < vectors; i++)
            nk_store(y + (size_t)k * size + i * NK_VECTOR,
                     relu ? nk_relu_vector(sum[k][i]) : sum[k][i]);
}

NK_INLINE void nk_tiles_mix_block(float *y, const float *x, const float *w, const float *b,
                                  int channels, int size, int relu_x, int relu, const int filters)
{
    const int most = size / NK_VECTOR, vectors = most % NK_TILE_VECTORS ? 1 : NK_TILE_VECTORS;
    const int step = NK_TILE_SUMS / vectors, whole = filters / step * step;
    for (int t = 0; t < size; t += vectors * NK_VECTOR) {
        for (int k = 0; k < whole; k += step)
            nk_tiles_mix_tile(y + (size_t)k * size + t, x + t, w + k, b + k, channels, size,
                              filters, relu_x, relu, step, vectors);
        if (filters > whole)
            nk_tiles_mix_tile(y + (size_t)whole * size + t, x + t, w + whole, b + whole, channels,
                              size, filters, relu_x, relu, filters - whole, vectors);
    }
}

// Blocks of filters as equal as can be, the larger ones first: w[block][c][filter in block].
NK_INLINE void nk_tiles_mix(float *y, const float *x, const float *w, const float *b, int height,
                            int width, int tile, int filters, int blocks, int relu_x, int relu,
                            int channels, int part, int parts)
{
    const int least = filters / blocks, larger = filters % blocks,
              size = (int)nk_tile_map(height, width, tile);
    for (int i = nk_share(blocks, part, parts); i < nk_share(blocks, part + 1, parts); i++) {
        const int k0 = i * least + nk_min(i, larger);
        float *out = y + (size_t)k0 * size;
        const float *weight = w + (size_t)channels * k0;
        if (i < larger)
            nk_tiles_mix_block(out, x, weight, b + k0, channels, size, relu_x, relu, least + 1);
        else
            nk_tiles_mix_block(out, x, weight, b + k0, channels, size, relu_x, relu, least);
        for (int k = 0; k < least + (i < larger); k++)
            nk_tile_clear(out + (size_t)k * size, height, width, tile);
    }
}
