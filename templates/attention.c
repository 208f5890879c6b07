// attention.c - the "attention" merge (NAGO, section 2.1), minimum and maximum per sample:
//
//   m' = (m - min m) / max(max m - min m, 1e-12),   y = sigmoid(b) s + s m'
//
// size: pixels of a channel.  range: [groups][2][lanes], minimum and maximum of each image.
// sums: [groups][4][lanes]: sum dy s, sum dy s (m - min), how many values equal the minimum, the
// maximum.

#define NK_ATTENTION_EPSILON 1e-12f

// Where value i of group g's images begins.
NK_INLINE size_t nk_attention_at(int g, int i, int channels, int size)
{
    return ((size_t)g * channels + i / size) * nk_plane(size) + (size_t)(i % size) * NK_LANES;
}

NK_INLINE void nk_attention_range(float *range, const float *m, int channels, int size, int groups,
                                  int part, int parts)
{
    for (int g = nk_share(groups, part, parts); g < nk_share(groups, part + 1, parts); g++) {
        float low[NK_LANES], high[NK_LANES];
        const float *in = m + (size_t)g * channels * nk_plane(size);
        for (int l = 0; l < NK_LANES; l++)
            low[l] = high[l] = in[l];
        for (int i = 1; i < channels * size; i++)
            for (int l = 0; l < NK_LANES; l++) {
                const float v = m[nk_attention_at(g, i, channels, size) + l];
                low[l] = v < low[l] ? v : low[l];
                high[l] = v > high[l] ? v : high[l];
            }
        memcpy(range + (size_t)g * 2 * NK_LANES, low, sizeof low);
        memcpy(range + (size_t)(g * 2 + 1) * NK_LANES, high, sizeof high);
    }
}

// 1 / the spread of each lane's m.
NK_INLINE void nk_attention_inverse(float *inverse, const float *range, int g)
{
    for (int l = 0; l < NK_LANES; l++) {
        const float spread = range[(g * 2 + 1) * NK_LANES + l] - range[g * 2 * NK_LANES + l];
        inverse[l] = 1.0f / (spread < NK_ATTENTION_EPSILON ? NK_ATTENTION_EPSILON : spread);
    }
}

NK_INLINE void nk_attention(float *y, const float *m, const float *s, const float *range,
                            const float *b, int channels, int size, int relu, int groups, int part,
                            int parts)
{
    const float gate = nk_sigmoid(*b);
    for (int g = 0; g < groups; g++) {
        const float *low = range + (size_t)g * 2 * NK_LANES;
        float inverse[NK_LANES];
        nk_attention_inverse(inverse, range, g);
        for (int i = nk_share(channels * size, part, parts);
             i < nk_share(channels * size, part + 1, parts); i++)
            for (int l = 0; l < NK_LANES; l++) {
                const size_t at = nk_attention_at(g, i, channels, size) + l;
                const float value = s[at] * (gate + (m[at] - low[l]) * inverse[l]);
                y[at] = relu && value < 0.0f ? 0.0f : value;
            }
    }
}

NK_INLINE void nk_attention_reduce(float *sums, const float *dy, const float *m, const float *s,
                                   const float *range, int channels, int size, int groups, int part,
                                   int parts)
{
    for (int g = nk_share(groups, part, parts); g < nk_share(groups, part + 1, parts); g++) {
        const float *low = range + (size_t)g * 2 * NK_LANES, *high = low + NK_LANES;
        float sum[4][NK_LANES] = {{0}};
        for (int i = 0; i < channels * size; i++)
            for (int l = 0; l < NK_LANES; l++) {
                const size_t at = nk_attention_at(g, i, channels, size) + l;
                const float d = dy[at] * s[at];
                sum[0][l] += d;
                sum[1][l] += d * (m[at] - low[l]);
                sum[2][l] += m[at] == low[l] ? 1.0f : 0.0f;
                sum[3][l] += m[at] == high[l] ? 1.0f : 0.0f;
            }
        memcpy(sums + (size_t)g * 4 * NK_LANES, sum, sizeof sum);
    }
}

// With D the spread and d = dy s:  ds = dy (sigmoid(b) + m'),  dm = d/D, and where m is the maximum
// - sum d (m - min)/D^2, where it is the minimum + sum d (m - min)/D^2 - sum d/D, shared equally
// among ties; db = sigmoid'(b) sum d.
NK_INLINE void nk_attention_backward(float *dm, float *ds, float *db, const float *dy,
                                     const float *m, const float *s, const float *range,
                                     const float *sums, const float *b, int channels, int size,
                                     int groups, int part, int parts)
{
    const float gate = nk_sigmoid(*b);
    if (part == parts - 1) {
        double total = 0.0;
        for (int g = 0; g < groups; g++)
            for (int l = 0; l < NK_LANES; l++)
                total += sums[(size_t)g * 4 * NK_LANES + l];
        *db = (float)(total * gate * (1.0f - gate));
    }
    for (int g = 0; g < groups; g++) {
        const float *low = range + (size_t)g * 2 * NK_LANES, *high = low + NK_LANES;
        const float *sum = sums + (size_t)g * 4 * NK_LANES;
        float inverse[NK_LANES], at_low[NK_LANES], at_high[NK_LANES];
        nk_attention_inverse(inverse, range, g);
        for (int l = 0; l < NK_LANES; l++) {
            const int clamped = high[l] - low[l] < NK_ATTENTION_EPSILON;
            const float slope = clamped ? 0.0f : sum[NK_LANES + l] * inverse[l] * inverse[l];
            at_low[l] = (slope - sum[l] * inverse[l]) / sum[2 * NK_LANES + l];
            at_high[l] = -slope / sum[3 * NK_LANES + l];
        }
        for (int i = nk_share(channels * size, part, parts);
             i < nk_share(channels * size, part + 1, parts); i++)
            for (int l = 0; l < NK_LANES; l++) {
                const size_t at = nk_attention_at(g, i, channels, size) + l;
                const float d = dy[at], value = m[at];
                const float grad = d * s[at] * inverse[l] + (value == low[l] ? at_low[l] : 0.0f) +
                                   (value == high[l] ? at_high[l] : 0.0f);
                ds[at] = d * (gate + (value - low[l]) * inverse[l]);
                dm[at] = grad;
            }
    }
}
