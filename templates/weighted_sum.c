// weighted_sum.c - the "sum" merge and the mean of a graph's outputs (NAGO, section 2.1):
//
//   y = sum_j s_j x_j,   s_j = sigmoid(*as[j]) where the term has a learned scalar, else `scale`
//
// size: pixels of a channel.  y may take the place of xs[0].

NK_INLINE void nk_weighted_sum(float *y, const float *const *xs, const float *const *as, int inputs,
                               int channels, float scale, int size, int relu, int groups, int part,
                               int parts)
{
    enum { BLOCK = 1024 }; // floats that stay in the first cache while the terms are added
    const size_t plane = nk_plane(size);
    const size_t first = plane * (size_t)nk_share(groups * channels, part, parts);
    const size_t last = plane * (size_t)nk_share(groups * channels, part + 1, parts);
    for (size_t at = first; at < last; at += BLOCK) {
        const int n = last - at < BLOCK ? (int)(last - at) : BLOCK;
        float sum[BLOCK];
        for (int j = 0; j < inputs; j++) {
            const float s = as[j] ? nk_sigmoid(*as[j]) : scale;
            const float *x = xs[j] + at;
            if (j == 0)
                for (int i = 0; i < n; i++)
                    sum[i] = s * x[i];
            else
                for (int i = 0; i < n; i++)
                    sum[i] += s * x[i];
        }
        for (int i = 0; i < n; i++)
            y[at + i] = relu && sum[i] < 0.0f ? 0.0f : sum[i];
    }
}

// One term: dx (+)= s dy, and (for a learned scalar) partial[c] = sum of dy x over channel c.
// size: pixels of a channel.
NK_INLINE void nk_weighted_sum_backward(float *dx, float *partial, const float *dy, const float *x,
                                        const float *a, int channels, float scale, int size,
                                        int accumulate, int groups, int part, int parts)
{
    const float s = a ? nk_sigmoid(*a) : scale;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        float lane[NK_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            if (a)
                for (int i = 0; i < size; i++)
                    for (int l = 0; l < NK_LANES; l++)
                        lane[l] +=
                            dy[at + (size_t)i * NK_LANES + l] * x[at + (size_t)i * NK_LANES + l];
            if (accumulate)
                for (int i = 0; i < size * NK_LANES; i++)
                    dx[at + i] += s * dy[at + i];
            else
                for (int i = 0; i < size * NK_LANES; i++)
                    dx[at + i] = s * dy[at + i];
        }
        if (!a)
            continue;
        for (int l = 0; l < NK_LANES; l++)
            sum += lane[l];
        partial[c] = sum;
    }
}

// da = sigmoid'(a) * sum_c partial[c].
NK_INLINE void nk_scalar_backward(float *da, const float *partial, const float *a, int channels,
                                  int part, int parts)
{
    if (part != parts - 1)
        return;
    double sum = 0.0;
    const float s = nk_sigmoid(*a);
    for (int c = 0; c < channels; c++)
        sum += partial[c];
    *da = (float)(sum * s * (1.0f - s));
}
