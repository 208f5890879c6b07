// int8_depthwise.c - depthwise convolution of one image, [H][W][channels], zero padding kernel/2,
// stride 1 or 2, as TFLite's DEPTHWISE_CONV_2D with a multiplier of 1:
//
//   y[i][j][c] = clamp(zero_y + scale_c (bias[c] + sum over r, s of w[r][s][c] * x[..][..][c]))
//
// rule, bias and the two widths as in int8_conv.c.

// Channels whose sums are held at a time: in a register where it has several.
enum { NK_INT8_BLOCK = NK_INT8_LANES > 1 ? NK_INT8_LANES : 16 };

// One pixel's result, from number `at` of y on.
NK_INLINE void nk_int8_depthwise_pixel(void *y, int32_t at, const void *x, const void *w,
                                       const int32_t *bias, const int32_t *multiplier,
                                       const int8_t *shift, const int32_t *rule, int channels,
                                       int height, int width, int kernel_h, int kernel_w, int top,
                                       int left, int wide)
{
    const int wide_y = nk_int8_is_wide(rule[4]);
    for (int c0 = 0; c0 < channels; c0 += NK_INT8_BLOCK) {
        const int n = channels - c0 < NK_INT8_BLOCK ? channels - c0 : NK_INT8_BLOCK;
        nk_int8_lanes sum[NK_INT8_BLOCK / NK_INT8_LANES];
        for (int c = 0; c < n; c += NK_INT8_LANES)
            sum[c / NK_INT8_LANES] = nk_int8_read_words(bias + c0 + c, n - c);
        for (int r = 0; r < kernel_h; r++)
            for (int s = 0; s < kernel_w; s++) {
                const int h = top + r, v = left + s;
                const int outside = h < 0 || h >= height || v < 0 || v >= width;
                const int32_t weight = (r * kernel_w + s) * channels + c0;
                const int32_t in = outside ? 0 : ((int32_t)h * width + v) * channels + c0;
                for (int c = 0; c < n; c += NK_INT8_LANES) {
                    const nk_int8_lanes seen = nk_int8_read(x, in + c, n - c, wide);
                    const nk_int8_lanes value =
                        outside ? nk_int8_all(rule[0]) : nk_int8_max(seen, nk_int8_all(rule[1]));
                    sum[c / NK_INT8_LANES] += nk_int8_read(w, weight + c, n - c, wide) * value;
                }
            }
        for (int c = 0; c < n; c += NK_INT8_LANES)
            nk_int8_write(y, at + c0 + c,
                          nk_int8_result(sum[c / NK_INT8_LANES],
                                         nk_int8_read_words(multiplier + c0 + c, n - c),
                                         nk_int8_read(shift, c0 + c, n - c, 0), rule[2], rule[3],
                                         rule[4]),
                          n - c, wide_y);
    }
}

NK_INLINE void nk_int8_depthwise_any(void *y, const void *x, const void *w, const int32_t *bias,
                                     const int32_t *multiplier, const int8_t *shift,
                                     const int32_t *rule, int channels, int height, int width,
                                     int kernel_h, int kernel_w, int stride, int out_height,
                                     int out_width, int wide)
{
    for (int i = 0; i < out_height; i++)
        for (int j = 0; j < out_width; j++)
            nk_int8_depthwise_pixel(y, ((int32_t)i * out_width + j) * channels, x, w, bias,
                                    multiplier, shift, rule, channels, height, width, kernel_h,
                                    kernel_w, stride * i - kernel_h / 2, stride * j - kernel_w / 2,
                                    wide);
}

NK_OUTLINE void nk_int8_depthwise(void *y, const void *x, const void *w, const int32_t *bias,
                                  const int32_t *multiplier, const int8_t *shift,
                                  const int32_t *rule, int channels, int height, int width,
                                  int kernel_h, int kernel_w, int stride, int out_height,
                                  int out_width)
{
    nk_int8_depthwise_any(y, x, w, bias, multiplier, shift, rule, channels, height, width, kernel_h,
                          kernel_w, stride, out_height, out_width, 0);
}

NK_OUTLINE void nk_int8_depthwise_wide(void *y, const void *x, const void *w, const int32_t *bias,
                                       const int32_t *multiplier, const int8_t *shift,
                                       const int32_t *rule, int channels, int height, int width,
                                       int kernel_h, int kernel_w, int stride, int out_height,
                                       int out_width)
{
    nk_int8_depthwise_any(y, x, w, bias, multiplier, shift, rule, channels, height, width, kernel_h,
                          kernel_w, stride, out_height, out_width, 1);
}
