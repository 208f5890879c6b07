// int8_merge.c - the merges on int8: weighted sum, concat, attention; numbers one after another, in
// whatever order of pixels and channels.

// y = sum_j g_j x_j.  TFLite's ADD for any number of terms: each is shifted left, brought to a
// common scale, added, and brought to the scale of y.
// rule: left, multiplier, shift, zero_y, low_y, then for each term zero, multiplier, shift.
// y may take the place of xs[0].
NK_OUTLINE void nk_int8_sum(int8_t *y, const int8_t *const *xs, const int32_t *rule, int inputs,
                            int size)
{
    enum { BLOCK = 32 };
    for (int at = 0; at < size; at += BLOCK) {
        const int n = size - at < BLOCK ? size - at : BLOCK;
        int32_t sum[BLOCK] = {0};
        for (int j = 0; j < inputs; j++) {
            const int8_t *x = xs[j] + at;
            const int32_t zero = rule[5 + 3 * j], multiplier = rule[6 + 3 * j];
            const int shift = rule[7 + 3 * j], left = rule[0];
            for (int i = 0; i < n; i++)
                sum[i] += nk_int8_scale((x[i] - zero) * (1 << left), multiplier, shift);
        }
        for (int i = 0; i < n; i++)
            y[at + i] = nk_int8_clamp(nk_int8_scale(sum[i], rule[1], rule[2]) + rule[3], rule[4]);
    }
}

// Channels offset .. offset + channels - 1 of y, which has `total`, brought to its scale as by
// TFLite's QUANTIZE.  rule: zero_x, multiplier, left shift, right shift, zero_y.
NK_OUTLINE void nk_int8_concat(int8_t *y, const int8_t *x, const int32_t *rule, int total,
                               int offset, int channels, int size)
{
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c++) {
            const int32_t v = (x[(int32_t)p * channels + c] - rule[0]) * (1 << rule[2]);
            y[(int32_t)p * total + offset + c] =
                nk_int8_clamp(nk_int8_scale(v, rule[1], rule[3]) + rule[4], -128);
        }
}

// y = s (g + m'), m' = (m - min m) / (max m - min m), 0 where m is constant: factors have 20 bits
// behind the point, one division a sample.
// rule: g, zero_s, multiplier, shift, zero_y, low_y.  y may take the place of m or s.
NK_OUTLINE void nk_int8_attention(int8_t *y, const int8_t *m, const int8_t *s, const int32_t *rule,
                                  int size)
{
    int32_t low = m[0], high = m[0];
    for (int i = 1; i < size; i++) {
        low = m[i] < low ? m[i] : low;
        high = m[i] > high ? m[i] : high;
    }
    const int32_t spread = high - low;
    const int32_t step = spread ? ((1 << 20) + spread / 2) / spread : 0;
    for (int i = 0; i < size; i++) {
        const int32_t factor = rule[0] + (m[i] - low) * step;
        const int32_t product = (s[i] - rule[1]) * factor;
        y[i] = nk_int8_clamp(nk_int8_scale(product, rule[2], rule[3]) + rule[4], rule[5]);
    }
}
