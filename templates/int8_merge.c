// int8_merge.c - the merges on int8: weighted sum, concat, attention; numbers one after another, in
// whatever order of pixels and channels.  Every tensor may be wide.

// y = sum_j g_j x_j.  TFLite's ADD for any number of terms: each is shifted left, brought to a
// common scale, added, and brought to the scale of y.
// rule: left, multiplier, shift, zero_y, low_y, high_y, then for each term zero, multiplier, shift,
// whether it is wide.  y may take the place of xs[0].
NK_OUTLINE void nk_int8_sum(void *y, const void *const *xs, const int32_t *rule, int inputs,
                            int size)
{
    enum { BLOCK = 32 };
    const int wide_y = nk_int8_is_wide(rule[5]);
    for (int at = 0; at < size; at += BLOCK) {
        const int n = size - at < BLOCK ? size - at : BLOCK;
        int32_t sum[BLOCK] = {0};
        for (int j = 0; j < inputs; j++) {
            const int32_t *term = rule + 6 + 4 * j;
            const int32_t zero = term[0], multiplier = term[1], left = rule[0];
            const int shift = term[2], wide = term[3];
            for (int i = 0; i < n; i++)
                sum[i] += nk_int8_scale((nk_int8_get(xs[j], at + i, wide) - zero) * (1 << left),
                                        multiplier, shift);
        }
        for (int i = 0; i < n; i++)
            nk_int8_put(
                y, at + i,
                nk_int8_clamp(nk_int8_scale(sum[i], rule[1], rule[2]) + rule[3], rule[4], rule[5]),
                wide_y);
    }
}

// Channels offset .. offset + channels - 1 of y, which has `total`, brought to its scale as by
// TFLite's QUANTIZE.
// rule: zero_x, multiplier, left shift, right shift, zero_y, low_y, high_y, whether x is wide.
NK_OUTLINE void nk_int8_concat(void *y, const void *x, const int32_t *rule, int total, int offset,
                               int channels, int size)
{
    const int wide = rule[7], wide_y = nk_int8_is_wide(rule[6]);
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c++) {
            const int32_t v =
                (nk_int8_get(x, (int32_t)p * channels + c, wide) - rule[0]) * (1 << rule[2]);
            nk_int8_put(
                y, (int32_t)p * total + offset + c,
                nk_int8_clamp(nk_int8_scale(v, rule[1], rule[3]) + rule[4], rule[5], rule[6]),
                wide_y);
        }
}

// y = s (g + m'), m' = (m - min m) / (max m - min m), 0 where m is constant: one division a sample,
// then factors with `bits` bits behind the point.
// rule: g, zero_s, multiplier, shift, zero_y, low_y, high_y, bits, whether m and s are wide.
// y may take the place of m or s.
NK_OUTLINE void nk_int8_attention(void *y, const void *m, const void *s, const int32_t *rule,
                                  int size)
{
    const int wide_m = rule[8], wide_s = rule[9], wide_y = nk_int8_is_wide(rule[6]);
    int32_t low = nk_int8_get(m, 0, wide_m), high = low;
    for (int i = 1; i < size; i++) {
        const int32_t v = nk_int8_get(m, i, wide_m);
        low = v < low ? v : low;
        high = v > high ? v : high;
    }
    const int32_t step = high > low ? (1 << 30) / (high - low) : 0;
    const int drop = 30 - rule[7];
    for (int i = 0; i < size; i++) {
        const int32_t share = (nk_int8_get(m, i, wide_m) - low) * step;
        const int32_t factor = rule[0] + ((share + (1 << (drop - 1))) >> drop);
        const int32_t product = (nk_int8_get(s, i, wide_s) - rule[1]) * factor;
        nk_int8_put(
            y, i,
            nk_int8_clamp(nk_int8_scale(product, rule[2], rule[3]) + rule[4], rule[5], rule[6]),
            wide_y);
    }
}
