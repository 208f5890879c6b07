// int8_merge.c - the merges on int8: weighted sum, concat, attention; numbers one after another, in
// whatever order of pixels and channels.  Every tensor may be wide.

enum { NK_INT8_GROUP = 4 * NK_INT8_LANES }; // numbers whose sums are held at a time

// One term of `vectors` times NK_INT8_LANES sums, `left` numbers before the end.
NK_INLINE void nk_int8_add_term(nk_int8_lanes *sum, const void *x, int at, const int32_t *term,
                                int32_t unit, int left, int vectors, int wide)
{
    const nk_int8_lanes m = nk_int8_all(term[1]), e = nk_int8_all(term[2]);
    const int32_t zero = term[0];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) {
        const nk_int8_lanes v =
            (nk_int8_read(x, at + i * NK_INT8_LANES, left - i * NK_INT8_LANES, wide) - zero) * unit;
        sum[i] += nk_int8_shift(wide ? nk_int8_high(v, m) : nk_int8_high_small(v, m), e);
    }
}

NK_INLINE void nk_int8_sum_some(void *y, const void *const *xs, const int32_t *rule, int inputs,
                                int at, int left, int vectors)
{
    const int32_t unit = 1 << rule[0], zero = rule[3], low = rule[4], high = rule[5];
    const nk_int8_lanes m = nk_int8_all(rule[1]), e = nk_int8_all(rule[2]);
    nk_int8_lanes sum[NK_INT8_GROUP / NK_INT8_LANES];
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        sum[i] = nk_int8_all(0);
    for (int j = 0; j < inputs; j++)
        if (rule[6 + 4 * j + 3])
            nk_int8_add_term(sum, xs[j], at, rule + 6 + 4 * j, unit, left, vectors, 1);
        else
            nk_int8_add_term(sum, xs[j], at, rule + 6 + 4 * j, unit, left, vectors, 0);
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++)
        nk_int8_write(
            y, at + i * NK_INT8_LANES,
            nk_int8_clamp(nk_int8_scale(sum[i], m, e) + zero, nk_int8_all(low), nk_int8_all(high)),
            left - i * NK_INT8_LANES, nk_int8_is_wide(high));
}

// y = sum_j g_j x_j.  TFLite's ADD for any number of terms: each is shifted left, brought to a
// common scale, added, and brought to the scale of y.
// rule: left, multiplier, shift, zero_y, low_y, high_y, then for each term zero, multiplier, shift,
// whether it is wide.  y may take the place of xs[0].
NK_OUTLINE void nk_int8_sum(void *y, const void *const *xs, const int32_t *rule, int inputs,
                            int size)
{
    const int whole = size / NK_INT8_GROUP * NK_INT8_GROUP;
    for (int at = 0; at < whole; at += NK_INT8_GROUP)
        nk_int8_sum_some(y, xs, rule, inputs, at, NK_INT8_GROUP, NK_INT8_GROUP / NK_INT8_LANES);
    for (int at = whole; at < size; at += NK_INT8_LANES)
        nk_int8_sum_some(y, xs, rule, inputs, at, size - at, 1);
}

// Channels offset .. offset + channels - 1 of y, which has `total`, brought to its scale as by
// TFLite's QUANTIZE.
// rule: zero_x, multiplier, left shift, right shift, zero_y, low_y, high_y, whether x is wide.
NK_OUTLINE void nk_int8_concat(void *y, const void *x, const int32_t *rule, int total, int offset,
                               int channels, int size)
{
    const int wide = rule[7], wide_y = nk_int8_is_wide(rule[6]);
    const nk_int8_lanes m = nk_int8_all(rule[1]), e = nk_int8_all(rule[3]);
    const int32_t unit = 1 << rule[2];
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c += NK_INT8_LANES) {
            const int n = channels - c;
            const nk_int8_lanes v = (nk_int8_read(x, p * channels + c, n, wide) - rule[0]) * unit;
            nk_int8_write(y, p * total + offset + c,
                          nk_int8_clamp(nk_int8_scale(v, m, e) + rule[4], nk_int8_all(rule[5]),
                                        nk_int8_all(rule[6])),
                          n, wide_y);
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
    for (int i = 0; i < size; i += NK_INT8_LANES) {
        const int n = size - i;
        const nk_int8_lanes share = (nk_int8_read(m, i, n, wide_m) - low) * step;
        const nk_int8_lanes factor = ((share + (1 << (drop - 1))) >> drop) + rule[0];
        const nk_int8_lanes product = (nk_int8_read(s, i, n, wide_s) - rule[1]) * factor;
        nk_int8_write(
            y, i,
            nk_int8_clamp(nk_int8_scale(product, nk_int8_all(rule[2]), nk_int8_all(rule[3])) +
                              rule[4],
                          nk_int8_all(rule[5]), nk_int8_all(rule[6])),
            n, wide_y);
    }
}
