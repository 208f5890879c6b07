// int8_head.c - the head: a 1x1 convolution, ReLU and the average over all pixels without storing
// the map, then the linear layer.
//
//   y[k] = clamp(zero_y + scale_k sum over pixels p of (max(0, bias[k] + w[k] . x[p]) >> coarse))
//
// coarse keeps the sum inside 31 bits.  rule: zero_x, low_x, zero_y, coarse.  scratch: the sums,
// filters numbers of 4 bytes, then the columns as in int8_conv.c.

NK_INLINE int32_t nk_int8_term(int32_t x, int coarse)
{
    return x > 0 ? x >> coarse : 0;
}

NK_OUTLINE void nk_int8_head_pixels(int32_t *sums, const void *columns, const int8_t *w,
                                    const int32_t *bias, int channels, int filters, int count,
                                    int coarse)
{
    const int pitch = nk_int8_pitch(channels);
    for (int k = 0; k < filters; k += 2, w += 2 * pitch) {
        const int pair = k + 1 < filters;
        int32_t sum[NK_INT8_PIXELS][2];
        nk_int8_dot(sum, columns, pitch, w, w + pair * pitch, channels);
        for (int j = 0; j <= pair; j++) {
            int32_t total = nk_int8_term(sum[0][j] + bias[k + j], coarse);
            for (int i = 1; i < count; i++)
                total += nk_int8_term(sum[i][j] + bias[k + j], coarse);
            sums[k + j] += total;
        }
    }
}

NK_OUTLINE void nk_int8_head(void *y, void *scratch, const void *x, const void *w,
                             const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                             const int32_t *rule, int channels, int filters, int size)
{
    int32_t *sums = scratch;
    void *columns = sums + ((filters + 1) & ~1);
    for (int k = 0; k < filters; k++)
        sums[k] = 0;
    for (int p = 0; p < size; p += NK_INT8_PIXELS) {
        const int count = size - p < NK_INT8_PIXELS ? size - p : NK_INT8_PIXELS;
        nk_int8_columns(columns, x, rule, channels, 1, size, 1, 1, p);
        nk_int8_head_pixels(sums, columns, w, bias, channels, filters, count, rule[3]);
    }
    for (int k = 0; k < filters; k++)
        nk_int8_put(y, k, nk_int8_result(sums[k], multiplier[k], shift[k], rule[2], rule[2], 127),
                    0);
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
