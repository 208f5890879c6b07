// int8_conv.c - convolution of one image, [H][W][channels], stride 1, zero padding kernel/2:
//
//   y[p][k] = clamp(zero_y + scale_k (bias[k] + sum over taps t of w[k][t] * column_p[t]))
//
// as TFLite's CONV_2D with weights symmetric per channel; bias holds the input's zero point:
// bias[k] - zero_x * sum of w[k].  What lies outside the image is zero_x.
//
// rule: zero_x, low_x, zero_y, low_y.  Inputs below low_x count as low_x: a ReLU of the reader's
// own (low_x = zero_x), or nothing (-128).  scratch: NK_INT8_PIXELS columns (and one of bytes),
// 4-byte numbers aligned to 8.  head: see below.

// The input of pixel (h, w) as bytes.
NK_INLINE void nk_int8_gather(int8_t *to, const int8_t *x, const int32_t *rule, int channels,
                              int height, int width, int kernel_h, int kernel_w, int h, int w)
{
    const int left = w - kernel_w / 2, row = kernel_w * channels;
    const int s0 = left < 0 ? -left : 0, s1 = left + kernel_w > width ? width - left : kernel_w;
    for (int r = 0; r < kernel_h; r++, to += row) {
        const int at = h + r - kernel_h / 2;
        if (at < 0 || at >= height) {
            nk_int8_fill(to, (int8_t)rule[0], row);
            continue;
        }
        nk_int8_fill(to, (int8_t)rule[0], s0 * channels);
        nk_int8_copy(to + s0 * channels, x + ((int32_t)at * width + left + s0) * channels,
                     (s1 - s0) * channels, rule[1]);
        nk_int8_fill(to + s1 * channels, (int8_t)rule[0], (kernel_w - s1) * channels);
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
    nk_int8_gather(bytes, x, rule, channels, height, width, kernel_h, kernel_w, h, w);
    nk_int8_fill(bytes + taps, 0, nk_int8_pitch(taps) - taps);
    nk_int8_widen(to, bytes, nk_int8_pitch(taps), -128);
}
#else
NK_INLINE void nk_int8_prepare(nk_int8_column *to, int8_t *bytes, const int8_t *x,
                               const int32_t *rule, int channels, int height, int width,
                               int kernel_h, int kernel_w, int h, int w)
{
    (void)bytes;
    nk_int8_gather(to, x, rule, channels, height, width, kernel_h, kernel_w, h, w);
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

// Results of NK_INT8_PIXELS pixels, the first `count` of them stored.
NK_OUTLINE void nk_int8_pixels(int8_t *y, const void *scratch, const int8_t *w, const int32_t *bias,
                               const int32_t *multiplier, const int8_t *shift, const int32_t *rule,
                               int taps, int filters, int count)
{
    const int pitch = nk_int8_pitch(taps);
    const int32_t zero = rule[2], low = rule[3];
    for (int k = 0; k < filters; k += 2, w += 2 * pitch) {
        const int pair = k + 1 < filters;
        int32_t sum[NK_INT8_PIXELS][2];
        nk_int8_dot(sum, scratch, pitch, w, w + pair * pitch, taps);
        for (int j = 0; j <= pair; j++) {
            const int32_t b = bias[k + j], m = multiplier[k + j];
            const int e = shift[k + j];
            int8_t *to = y + k + j;
            *to = nk_int8_result(sum[0][j] + b, m, e, zero, low);
            for (int i = 1; i < count; i++)
                to[i * filters] = nk_int8_result(sum[i][j] + b, m, e, zero, low);
        }
    }
}

NK_OUTLINE void nk_int8_conv(int8_t *y, void *scratch, const int8_t *x, const int8_t *w,
                             const int32_t *bias, const int32_t *multiplier, const int8_t *shift,
                             const int32_t *rule, int channels, int height, int width, int filters,
                             int kernel_h, int kernel_w)
{
    const int size = height * width;
    for (int p = 0; p < size; p += NK_INT8_PIXELS) {
        const int count = size - p < NK_INT8_PIXELS ? size - p : NK_INT8_PIXELS;
        nk_int8_columns(scratch, x, rule, channels, height, width, kernel_h, kernel_w, p);
        nk_int8_pixels(y + (int32_t)p * filters, scratch, w, bias, multiplier, shift, rule,
                       kernel_h * kernel_w * channels, filters, count);
    }
}
