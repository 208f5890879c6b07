// int8_conv.c - convolution of one image, [H][W][channels], stride 1, zero padding kernel/2:
//
//   y[p][k] = clamp(zero_y + scale_k (bias[k] + sum over taps t of w[k][t] * column_p[t]))
//
// as TFLite's CONV_2D with weights symmetric per channel; bias holds the input's zero point:
// bias[k] - zero_x * sum of w[k].  What lies outside the image is zero_x.  nk_int8_conv reads 8
// bits, nk_int8_conv_wide 16.
//
// rule: zero_x, low_x, zero_y, low_y, high_y.  Inputs below low_x count as low_x: a ReLU of the
// reader's own (low_x = zero_x), or nothing (the least there is).  scratch: a tile, aligned to 8.

// What becomes of the sums of filter k; y: where the first of `count` pixels begins.
NK_INLINE void nk_int8_put_results(void *y, const int32_t sum[NK_INT8_PIXELS], int32_t m, int e,
                                   int32_t zero, int32_t low, int32_t high, int filters, int k,
                                   int count, int wide)
{
    const nk_int8_lanes multiplier = nk_int8_all(m), shift = nk_int8_all(e);
#pragma GCC unroll 4
    for (int i = 0; i < NK_INT8_PIXELS; i += NK_INT8_LANES)
        if (i < count)
            nk_int8_scatter(y, i * filters + k, filters,
                            nk_int8_result(nk_int8_read_words(sum + i, NK_INT8_LANES), multiplier,
                                           shift, zero, low, high),
                            count - i, wide);
}

NK_INLINE void nk_int8_conv_any(void *y, void *scratch, const nk_int8_map *map, const void *w,
                                const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                                const int32_t *rule, int filters, int wide)
{
    const int size = map->height * map->width, taps = nk_int8_taps(map);
    const int row = nk_int8_pitch(taps) << wide, wide_y = nk_int8_is_wide(rule[4]);
    const int32_t zero = rule[2], low = rule[3], high = rule[4]; // y could lie over rule, for gcc
    for (int p = 0; p < size; p += NK_INT8_PIXELS) {
        if (wide)
            nk_int8_tile_wide(scratch, map, p);
        else
            nk_int8_tile(scratch, map, p);
        for (int k = 0; k < filters; k += NK_INT8_FILTERS) {
            int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS];
            nk_int8_sums(sum, scratch, (const int8_t *)w + k * row, bias, taps, filters, k, wide);
            for (int j = 0; j < NK_INT8_FILTERS && k + j < filters; j++)
                if (wide_y)
                    nk_int8_put_results((int16_t *)y + p * filters, sum[j], multiplier[k + j],
                                        shift[k + j], zero, low, high, filters, k + j, size - p, 1);
                else
                    nk_int8_put_results((int8_t *)y + p * filters, sum[j], multiplier[k + j],
                                        shift[k + j], zero, low, high, filters, k + j, size - p, 0);
        }
    }
}

NK_OUTLINE void nk_int8_conv(void *y, void *scratch, const void *x, const void *w,
                             const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                             const int32_t *rule, int channels, int height, int width, int filters,
                             int kernel_h, int kernel_w)
{
    const nk_int8_map map = {x, channels, height, width, kernel_h, kernel_w, rule[0], rule[1]};
    nk_int8_conv_any(y, scratch, &map, w, bias, multiplier, shift, rule, filters, 0);
}

NK_OUTLINE void nk_int8_conv_wide(void *y, void *scratch, const void *x, const void *w,
                                  const int32_t *bias, const int32_t *multiplier,
                                  const int8_t *shift, const int32_t *rule, int channels,
                                  int height, int width, int filters, int kernel_h, int kernel_w)
{
    const nk_int8_map map = {x, channels, height, width, kernel_h, kernel_w, rule[0], rule[1]};
    nk_int8_conv_any(y, scratch, &map, w, bias, multiplier, shift, rule, filters, 1);
}
