// tiles_head.c - the end of a network for one image: 1x1 convolution, ReLU, global average and the
// linear layer; only one number of each of the many maps is ever stored.

#if NK_TILES_SHUFFLE
// Half the sums of a's and of b's lanes, of neighbours, a's in front.
NK_INLINE nk_vector nk_sum_pairs(nk_vector a, nk_vector b)
{
    nk_lanes even;
    for (int l = 0; l < NK_VECTOR; l++)
        even[l] = 2 * l;
    return nk_shuffle(a, b, even) + nk_shuffle(a, b, even + 1);
}

// sums[i] = the sum of the lanes of v[i]; v is used up.
NK_INLINE void nk_sum_vectors(float *sums, nk_vector *v, const int count)
{
#pragma GCC unroll 28
    for (int i = 0; i < count; i += NK_VECTOR) {
        nk_vector level[NK_VECTOR];
#pragma GCC unroll 16
        for (int j = 0; j < NK_VECTOR; j++)
            level[j] = i + j < count ? v[i + j] : nk_zero_vector();
#pragma GCC unroll 4
        for (int width = NK_VECTOR / 2; width > 0; width /= 2)
#pragma GCC unroll 8
            for (int j = 0; j < width; j++)
                level[j] = nk_sum_pairs(level[2 * j], level[2 * j + 1]);
        memcpy(sums + i, level, (size_t)nk_min(NK_VECTOR, count - i) * sizeof *sums);
    }
}
#else
NK_INLINE void nk_sum_vectors(float *sums, nk_vector *v, const int count)
{
    for (int i = 0; i < count; i++)
        sums[i] = nk_sum_vector(v[i]);
}
#endif

// `filters` filters and `vectors` vectors of pixels: all[k] += relu(b[k] + sum_c w[c][k] x[c]).
// Filters beyond `tile` are a block's rest: w's rows are `block` apart.
NK_INLINE void nk_tiles_rectified(nk_vector *all, const float *x, const float *w, const float *b,
                                  int channels, int size, int block, const int filters,
                                  const int vectors)
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
            at[i] = nk_load(x + (size_t)c * size + i * NK_VECTOR);
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
            all[k] += nk_relu_vector(sum[k][i]);
}

// The `filters` filters of a register tile over a whole map.  Beyond the map's border x is zero:
// relu(b) is added there, too, and taken away again.
NK_INLINE void nk_tiles_average(float *pooled, const float *x, const float *w, const float *b,
                                int channels, int size, int beyond, int block, const int filters,
                                const int vectors)
{
    nk_vector all[NK_TILE_SUMS];
#pragma GCC unroll 28
    for (int k = 0; k < filters; k++)
        all[k] = nk_zero_vector();
    for (int t = 0; t < size; t += vectors * NK_VECTOR)
        nk_tiles_rectified(all, x + t, w, b, channels, size, block, filters, vectors);
    nk_sum_vectors(pooled, all, filters);
    if (beyond > 0)
        for (int k = 0; k < filters; k++)
            pooled[k] -= (float)beyond * (b[k] > 0.0f ? b[k] : 0.0f);
}

NK_INLINE void nk_tiles_pooled(float *pooled, const float *x, const float *w, const float *b,
                               int channels, int size, int beyond, const int filters)
{
    // a map of several vectors has a multiple of NK_TILE_VECTORS of them, or is done singly
    const int most = size / NK_VECTOR, vectors = most % NK_TILE_VECTORS ? 1 : NK_TILE_VECTORS;
    const int step = NK_TILE_SUMS / vectors, whole = filters / step * step;
    for (int k = 0; k < whole; k += step)
        nk_tiles_average(pooled + k, x, w + k, b + k, channels, size, beyond, filters, step,
                         vectors);
    if (filters > whole)
        nk_tiles_average(pooled + whole, x, w + whole, b + whole, channels, size, beyond, filters,
                         filters - whole, vectors);
}

// pooled[filters] of x, in tiles, by blocks of filters as equal as can be, the larger ones first:
// w[block][c][filter in block].
NK_INLINE void nk_tiles_head(float *pooled, const float *x, const float *w, const float *b,
                             int height, int width, int tile, int filters, int blocks, int channels,
                             int part, int parts)
{
    const int least = filters / blocks, larger = filters % blocks,
              size = (int)nk_tile_map(height, width, tile), beyond = size - height * width;
    for (int i = nk_share(blocks, part, parts); i < nk_share(blocks, part + 1, parts); i++) {
        const int k = i * least + nk_min(i, larger);
        const float *weight = w + (size_t)channels * k;
        if (i < larger)
            nk_tiles_pooled(pooled + k, x, weight, b + k, channels, size, beyond, least + 1);
        else
            nk_tiles_pooled(pooled + k, x, weight, b + k, channels, size, beyond, least);
    }
}

// logits = w x + b; x: [channels], padded to a multiple of 16 by zeros, as each row of w.
NK_INLINE void nk_tiles_linear(float *logits, const float *x, const float *w, const float *b,
                               int channels, int classes, int part, int parts)
{
    const int pitch = (channels + 15) / 16 * 16;
    for (int k = nk_share(classes, part, parts); k < nk_share(classes, part + 1, parts); k++) {
        nk_vector sum = nk_zero_vector();
        for (int c = 0; c < pitch; c += NK_VECTOR)
            sum += nk_load(w + (size_t)k * pitch + c) * nk_load(x + c);
        logits[k] = nk_sum_vector(sum) + b[k];
    }
}
