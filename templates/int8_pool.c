// int8_pool.c - average pooling on int8, [H][W][channels]: an int32 sum times a folded 1/count.

// rule: zero_x, whether x is wide, zero_y, low_y, high_y, then the kernels' own.

// The sum of x - zero over rows h0 .. h1 - 1 and columns w0 .. w1 - 1, for one pixel's channels,
// scaled by factor[0] and a shift of factor[1], from number `at` of y on.
NK_OUTLINE void nk_int8_window(void *y, int32_t at, const void *x, const int32_t *rule,
                               const int32_t *factor, int channels, int width, int h0, int h1,
                               int w0, int w1)
{
    enum { BLOCK = 32 };
    const int wide = rule[1], wide_y = nk_int8_is_wide(rule[4]);
    const int32_t start = -rule[0] * ((h1 - h0) * (w1 - w0));
    for (int c0 = 0; c0 < channels; c0 += BLOCK) {
        const int n = channels - c0 < BLOCK ? channels - c0 : BLOCK;
        nk_int8_lanes sum[BLOCK / NK_INT8_LANES];
        for (int c = 0; c < n; c += NK_INT8_LANES)
            sum[c / NK_INT8_LANES] = nk_int8_all(start);
        for (int h = h0; h < h1; h++)
            for (int w = w0; w < w1; w++) {
                const int32_t in = ((int32_t)h * width + w) * channels + c0;
                for (int c = 0; c < n; c += NK_INT8_LANES)
                    sum[c / NK_INT8_LANES] += nk_int8_read(x, in + c, n - c, wide);
            }
        const nk_int8_lanes m = nk_int8_all(factor[0]), e = nk_int8_all(factor[1]);
        for (int c = 0; c < n; c += NK_INT8_LANES)
            nk_int8_write(y, at + c0 + c,
                          nk_int8_clamp(nk_int8_scale(sum[c / NK_INT8_LANES], m, e) + rule[2],
                                        nk_int8_all(rule[3]), nk_int8_all(rule[4])),
                          n - c, wide_y);
    }
}

// PyTorch's adaptive_avg_pool2d.  Windows have one of two heights and one of two widths: rule goes
// on with multiplier and shift for each of the four counts.
NK_OUTLINE void nk_int8_adaptive_pool(void *y, const void *x, const int32_t *rule, int channels,
                                      int height, int width, int out_height, int out_width)
{
    const int least_h = (height + out_height - 1) / out_height,
              least_w = (width + out_width - 1) / out_width;
    for (int i = 0; i < out_height; i++)
        for (int j = 0; j < out_width; j++) {
            const int h0 = i * height / out_height,
                      h1 = ((i + 1) * height + out_height - 1) / out_height;
            const int w0 = j * width / out_width,
                      w1 = ((j + 1) * width + out_width - 1) / out_width;
            const int count = 2 * (h1 - h0 - least_h) + (w1 - w0 - least_w);
            nk_int8_window(y, ((int32_t)i * out_width + j) * channels, x, rule,
                           rule + 5 + 2 * count, channels, width, h0, h1, w0, w1);
        }
}

// kernel x kernel, stride 1; what lies outside is 0 and counts: always 1/kernel^2, whose multiplier
// and shift are the rest of rule.
NK_OUTLINE void nk_int8_average_pool(void *y, const void *x, const int32_t *rule, int channels,
                                     int height, int width, int kernel_h)
{
    const int half = kernel_h / 2;
    for (int h = 0; h < height; h++)
        for (int w = 0; w < width; w++)
            nk_int8_window(y, ((int32_t)h * width + w) * channels, x, rule, rule + 5, channels,
                           width, h < half ? 0 : h - half,
                           h + half >= height ? height : h + half + 1, w < half ? 0 : w - half,
                           w + half >= width ? width : w + half + 1);
}
