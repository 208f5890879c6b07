// int8_conv.c - convolution of one image, [H][W][channels], stride 1, zero padding kernel/2:
//
//   y[p][k] = clamp(zero_y + scale_k (bias[k] + sum over taps t of w[k][t] * column_p[t]))
//
// as TFLite's CONV_2D with weights symmetric per channel; bias holds the input's zero point:
// bias[k] - zero_x * sum of w[k].  What lies outside the image is zero_x.  nk_int8_conv reads 8
// bits, nk_int8_conv_wide 16.
//
// rule: zero_x, low_x, zero_y, low_y, high_y.  Inputs below low_x count as low_x: a ReLU of the
// reader's own (low_x = zero_x), or nothing (the least there is).  scratch: NK_INT8_PIXELS columns
// (and one of bytes), 4-byte numbers aligned to 8.

// n numbers, those below `low` raised to it.
NK_INLINE void nk_int8_copy_raised(void *to, int32_t at, const void *from, int32_t from_at, int n,
                                   int low, int wide)
{
    if (!wide)
        nk_int8_copy((int8_t *)to + at, (const int8_t *)from + from_at, n, low);
    else
        for (int i = 0; i < n; i++) {
            const int16_t v = ((const int16_t *)from)[from_at + i];
            ((int16_t *)to)[at + i] = (int16_t)(v < low ? low : v);
        }
}

// The input of pixel (h, w), tap after tap.
NK_INLINE void nk_int8_gather(void *to, const void *x, const int32_t *rule, int channels,
                              int height, int width, int kernel_h, int kernel_w, int h, int w,
                              int wide)
{
    const int left = w - kernel_w / 2, row = kernel_w * channels;
    const int s0 = left < 0 ? -left : 0, s1 = left + kernel_w > width ? width - left : kernel_w;
    for (int r = 0, t = 0; r < kernel_h; r++, t += row) {
        const int at = h + r - kernel_h / 2;
        if (at < 0 || at >= height) {
            nk_int8_fill(to, t, rule[0], row, wide);
            continue;
        }
        nk_int8_fill(to, t, rule[0], s0 * channels, wide);
        nk_int8_copy_raised(to, t + s0 * channels, x, ((int32_t)at * width + left + s0) * channels,
                            (s1 - s0) * channels, rule[1], wide);
        nk_int8_fill(to, t + s1 * channels, rule[0], (kernel_w - s1) * channels, wide);
    }
}

#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE) && defined(__arm__)
// Widened; straight from the image where whole rows of the kernel lie in it and end with a word.
NK_INLINE void nk_int8_prepare(nk_int8_column *to, int8_t *bytes, const int8_t *x,
                               const int32_t *rule, int channels, int height, int width,
                               int kernel_h, int kernel_w, int h, int w)
{
    const int row = kernel_w * channels, top = h - kernel_h / 2, left = w - kernel_w / 2;
    const int taps = kernel_h * row;
    if (row % 4 == 0 && top >= 0 && top + kernel_h <= height && left >= 0 &&
        left + kernel_w <= width) {
        for (int r = 0; r < kernel_h; r++, to += row)
            nk_int8_widen(to, x + ((int32_t)(top + r) * width + left) * channels, row, rule[1]);
        return;
    }
    nk_int8_gather(bytes, x, rule, channels, height, width, kernel_h, kernel_w, h, w, 0);
    nk_int8_fill(bytes, taps, 0, nk_int8_pitch(taps) - taps, 0);
    nk_int8_widen(to, bytes, nk_int8_pitch(taps), -128);
}
#else
NK_INLINE void nk_int8_prepare(nk_int8_column *to, int8_t *bytes, const int8_t *x,
                               const int32_t *rule, int channels, int height, int width,
                               int kernel_h, int kernel_w, int h, int w)
{
    (void)bytes;
    nk_int8_gather(to, x, rule, channels, height, width, kernel_h, kernel_w, h, w, 0);
}
#endif

// The columns of pixels p .. p + NK_INT8_PIXELS - 1 into scratch; behind the last pixel, it again.
NK_OUTLINE void nk_int8_columns(void *scratch, const int8_t *x, const int32_t *rule, int channels,
                                int height, int width, int kernel_h, int kernel_w, int p)
{
    const int pitch = nk_int8_pitch(kernel_h * kernel_w * channels);
    nk_int8_column *columns = scratch;
    int8_t *bytes = (int8_t *)(columns + NK_INT8_PIXELS * pitch);
    for (int i = 0; i < NK_INT8_PIXELS; i++) {
        const int at = p + i < height * width ? p + i : height * width - 1;
        nk_int8_prepare(columns + i * pitch, bytes, x, rule, channels, height, width, kernel_h,
                        kernel_w, at / width, at % width);
    }
}

NK_OUTLINE void nk_int8_columns_wide(int16_t *columns, const int16_t *x, const int32_t *rule,
                                     int channels, int height, int width, int kernel_h,
                                     int kernel_w, int p)
{
    const int taps = kernel_h * kernel_w * channels, pitch = nk_int8_pitch(taps);
    for (int i = 0; i < NK_INT8_PIXELS; i++, columns += pitch) {
        const int at = p + i < height * width ? p + i : height * width - 1;
        nk_int8_gather(columns, x, rule, channels, height, width, kernel_h, kernel_w, at / width,
                       at % width, 1);
        nk_int8_fill(columns, taps, 0, pitch - taps, 1);
    }
}

// What becomes of the sums of two filters, k and k + 1, of `count` pixels; y: of the first one.
NK_INLINE void nk_int8_store_pair(void *y, int32_t sum[NK_INT8_PIXELS][2], const int32_t *bias,
                                  const int32_t *multiplier, const int8_t *shift,
                                  const int32_t *rule, int filters, int k, int count)
{
    const int32_t zero = rule[2], low = rule[3], high = rule[4];
    const int wide = nk_int8_is_wide(high);
    for (int j = k; j < k + 2 && j < filters; j++) {
        const int32_t b = bias[j], m = multiplier[j];
        const int e = shift[j];
        for (int i = 0; i < count; i++)
            nk_int8_put(y, i * filters + j,
                        nk_int8_result(sum[i][j - k] + b, m, e, zero, low, high), wide);
    }
}

// Results of NK_INT8_PIXELS pixels, the first `count` of them stored, from number `at` of y on.
NK_INLINE void nk_int8_pixels(void *y, int32_t at, const void *columns, const void *w,
                              const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                              const int32_t *rule, int taps, int filters, int count, int wide)
{
    const int pitch = nk_int8_pitch(taps);
    void *to = nk_int8_is_wide(rule[4]) ? (void *)((int16_t *)y + at) : (void *)((int8_t *)y + at);
    const int bytes = pitch * (wide ? 2 : 1);
    for (int k = 0; k < filters; k += 2, w = (const int8_t *)w + 2 * bytes) {
        const void *next = k + 1 < filters ? (const int8_t *)w + bytes : w;
        int32_t sum[NK_INT8_PIXELS][2];
        if (wide)
            nk_int8_dot_wide(sum, columns, pitch, w, next, taps);
        else
            nk_int8_dot(sum, columns, pitch, w, next, taps);
        nk_int8_store_pair(to, sum, bias, multiplier, shift, rule, filters, k, count);
    }
}

NK_INLINE void nk_int8_conv_any(void *y, void *scratch, const void *x, const void *w,
                                const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                                const int32_t *rule, int channels, int height, int width,
                                int filters, int kernel_h, int kernel_w, int wide)
{
    const int size = height * width;
    for (int p = 0; p < size; p += NK_INT8_PIXELS) {
        const int count = size - p < NK_INT8_PIXELS ? size - p : NK_INT8_PIXELS;
        if (wide)
            nk_int8_columns_wide(scratch, x, rule, channels, height, width, kernel_h, kernel_w, p);
        else
            nk_int8_columns(scratch, x, rule, channels, height, width, kernel_h, kernel_w, p);
        nk_int8_pixels(y, (int32_t)p * filters, scratch, w, bias, multiplier, shift, rule,
                       kernel_h * kernel_w * channels, filters, count, wide);
    }
}

NK_OUTLINE void nk_int8_conv(void *y, void *scratch, const void *x, const void *w,
                             const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                             const int32_t *rule, int channels, int height, int width, int filters,
                             int kernel_h, int kernel_w)
{
    nk_int8_conv_any(y, scratch, x, w, bias, multiplier, shift, rule, channels, height, width,
                     filters, kernel_h, kernel_w, 0);
}

NK_OUTLINE void nk_int8_conv_wide(void *y, void *scratch, const void *x, const void *w,
                                  const int32_t *bias, const int32_t *multiplier,
                                  const int8_t *shift, const int32_t *rule, int channels,
                                  int height, int width, int filters, int kernel_h, int kernel_w)
{
    nk_int8_conv_any(y, scratch, x, w, bias, multiplier, shift, rule, channels, height, width,
                     filters, kernel_h, kernel_w, 1);
}
