// int8_head.c - the head: a 1x1 convolution, ReLU and the average over all pixels without storing
// the map, then the linear layer.
//
//   y[k] = clamp(zero_y + scale_k sum over pixels p of (max(0, bias[k] + w[k] . x[p]) >> coarse))
//
// coarse keeps the sum inside 31 bits.  rule: zero_x, low_x, zero_y, coarse.  scratch: the sums,
// filters numbers of 4 bytes, then a tile.

// The sums over `count` pixels, at most a tile.
NK_OUTLINE void nk_int8_head_tile(int32_t *sums, const void *tile, const int8_t *w,
                                  const int32_t *bias, int channels, int filters, int count,
                                  int coarse)
{
    const int row = nk_int8_pitch(channels);
    for (int k = 0; k < filters; k += NK_INT8_FILTERS) {
        int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS];
        nk_int8_sums(sum, tile, w + k * row, bias, channels, filters, k, 0);
        for (int j = 0; j < NK_INT8_FILTERS && k + j < filters; j++) {
            int32_t total = sums[k + j];
#pragma GCC unroll 4
            for (int i = 0; i < NK_INT8_PIXELS; i += NK_INT8_LANES)
                total += nk_int8_total(
                    nk_int8_max(nk_int8_read_words(sum[j] + i, NK_INT8_LANES), nk_int8_all(0)) >>
                        coarse,
                    count - i);
            sums[k + j] = total;
        }
    }
}

NK_OUTLINE void nk_int8_head(void *y, void *scratch, const void *x, const void *w,
                             const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                             const int32_t *rule, int channels, int filters, int size)
{
    const nk_int8_map map = {x, channels, 1, size, 1, 1, rule[0], rule[1]};
    int32_t *sums = scratch;
    void *tile = sums + ((filters + 1) & ~1);
    for (int k = 0; k < filters; k++)
        sums[k] = 0;
    for (int p = 0; p < size; p += NK_INT8_PIXELS) {
        nk_int8_tile(tile, &map, p);
        nk_int8_head_tile(sums, tile, w, bias, channels, filters, size - p, rule[3]);
    }
    for (int k = 0; k < filters; k += NK_INT8_LANES) {
        const int n = filters - k;
        nk_int8_write(y, k,
                      nk_int8_result(nk_int8_read_words(sums + k, n),
                                     nk_int8_read_words(multiplier + k, n),
                                     nk_int8_read(shift, k, n, 0), rule[2], rule[2], 127),
                      n, 0);
    }
}

// logits[j] = scales[j] (bias[j] + w[j] . x): not requantised.
NK_OUTLINE void nk_int8_linear(float *logits, const void *x, const void *w, const int32_t *bias,
                               const float *scales, int channels, int classes)
{
    for (int j = 0; j < classes; j++) {
        int32_t sum = bias[j];
        for (int i = 0; i < channels; i++)
            sum +=
                nk_int8_get(w, (int32_t)j * nk_int8_pitch(channels) + i, 0) * nk_int8_get(x, i, 0);
        logits[j] = (float)sum * scales[j];
    }
}
