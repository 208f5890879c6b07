// affine.c - merges and ReLU on batch-normalised values without ever storing them (batch
// normalisation fission and fusion):
//
//   x = [relu] sum_j w_j (s_j[c] y_j + t_j[c]),   w_j = sigmoid(*as[j]), or `scale` where the term
//   has no learned scalar
//
// y_j is what a convolution left; s, t its batch normalisation as one multiply-add (NULL: the value
// as it is).  One pass reads every y once and writes x.  Backward, one pass over the gradient of x
// masks it and leaves per channel all that the gradients of scalars and normalisations need (sums
// of g and of g xhat), and one pass pulls the gradient of y together from its readers. size: pixels
// of a channel.

// Up to four terms of one channel: out[i] = [relu] (add ? out[i] : shift) + sum_j w[j] ys[j][i].
NK_INLINE void nk_affine_terms(float *out, const float *const *ys, const float *w, float shift,
                               const int terms, int floats, int add, int relu)
{
    const float *y0 = ys[0], *y1 = ys[terms > 1 ? 1 : 0], *y2 = ys[terms > 2 ? 2 : 0],
                *y3 = ys[terms > 3 ? 3 : 0];
    const float w0 = w[0], w1 = terms > 1 ? w[1] : 0.0f, w2 = terms > 2 ? w[2] : 0.0f,
                w3 = terms > 3 ? w[3] : 0.0f;
    for (int i = 0; i < floats; i++) {
        float sum = (add ? out[i] : shift) + w0 * y0[i];
        if (terms > 1)
            sum += w1 * y1[i];
        if (terms > 2)
            sum += w2 * y2[i];
        if (terms > 3)
            sum += w3 * y3[i];
        out[i] = relu && sum < 0.0f ? 0.0f : sum;
    }
}

NK_INLINE void nk_affine_some(float *out, const float *const *ys, const float *w, float shift,
                              int terms, int floats, int add, int relu)
{
    if (terms == 1)
        nk_affine_terms(out, ys, w, shift, 1, floats, add, relu);
    else if (terms == 2)
        nk_affine_terms(out, ys, w, shift, 2, floats, add, relu);
    else if (terms == 3)
        nk_affine_terms(out, ys, w, shift, 3, floats, add, relu);
    else
        nk_affine_terms(out, ys, w, shift, 4, floats, add, relu);
}

NK_INLINE void nk_affine_sum(float *x, const float *const *ys, const float *const *ss,
                             const float *const *ts, const float *const *as, int inputs,
                             int channels, float scale, int size, int relu, int groups, int part,
                             int parts)
{
    const int floats = size * NK_LANES;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            float shift = 0.0f;
            for (int j = 0; j < inputs; j++)
                shift += ts[j] ? (as[j] ? nk_sigmoid(*as[j]) : scale) * ts[j][c] : 0.0f;
            for (int first = 0; first < inputs; first += 4) {
                const int terms = nk_min(4, inputs - first), last = first + terms == inputs;
                const float *y[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    y[j] = ys[n] + at;
                    w[j] = (as[n] ? nk_sigmoid(*as[n]) : scale) * (ss[n] ? ss[n][c] : 1.0f);
                }
                if (last && relu)
                    nk_affine_some(x + at, y, w, shift, terms, floats, first > 0, 1);
                else
                    nk_affine_some(x + at, y, w, shift, terms, floats, first > 0, 0);
            }
        }
}

// Lanes of d where x is positive.
NK_INLINE nk_vector nk_where_positive(nk_vector x, nk_vector d)
{
#if NK_VECTOR > 1
    typedef int nk_mask __attribute__((vector_size(4 * NK_VECTOR), aligned(4), may_alias));
    return (nk_vector)((nk_mask)d & (nk_mask)(x > 0.0f));
#else
    return x > 0.0f ? d : 0.0f;
#endif
}

// One channel and up to three terms: g = dx where x > 0 (mask), sums of g and of g (r y + m) in
// double.
NK_INLINE void nk_affine_sums(float *g, double *q, double *p, const float *dx, const float *x,
                              const float *const *ys, const float *r, const float *m,
                              const int terms, int size, int mask)
{
    nk_vector sum[NK_VECTORS], product[3][NK_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++) {
        sum[v] = nk_zero_vector();
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            product[j][v] = nk_zero_vector();
    }
    for (int i = 0; i < size; i++)
#pragma GCC unroll 8
        for (int v = 0; v < NK_VECTORS; v++) {
            const size_t at = (size_t)i * NK_LANES + v * NK_VECTOR;
            nk_vector d = nk_load(dx + at);
            if (mask) {
                d = nk_where_positive(nk_load(x + at), d);
                nk_store(g + at, d);
            }
            sum[v] += d;
#pragma GCC unroll 3
            for (int j = 0; j < terms; j++)
                product[j][v] += d * (r[j] * nk_load(ys[j] + at) + m[j]);
        }
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++) {
        *q += (double)nk_sum_vector(sum[v]);
#pragma GCC unroll 3
        for (int j = 0; j < terms; j++)
            p[j] += (double)nk_sum_vector(product[j][v]);
    }
}

// Up to three terms, the number constant where it is expanded.
NK_INLINE void nk_affine_sums_of(float *g, double *q, double *p, const float *dx, const float *x,
                                 const float *const *ys, const float *r, const float *m, int terms,
                                 int size, int mask)
{
    if (terms == 0)
        nk_affine_sums(g, q, p, dx, x, ys, r, m, 0, size, mask);
    else if (terms == 1)
        nk_affine_sums(g, q, p, dx, x, ys, r, m, 1, size, mask);
    else if (terms == 2)
        nk_affine_sums(g, q, p, dx, x, ys, r, m, 2, size, mask);
    else
        nk_affine_sums(g, q, p, dx, x, ys, r, m, 3, size, mask);
}

// q[c] = sum g, ps[j][c] = sum g xhat_j, where xhat_j = (y_j - mean_j) rstd_j (NULL: y_j itself);
// ps[j] is NULL where nobody asks. With a mask g = dx where x is positive and is written; else g is
// dx.
NK_INLINE void nk_affine_channel(float *g, float *q, const float *dx, const float *x,
                                 float *const *ps, const float *const *ys,
                                 const float *const *means, const float *const *rstds, int inputs,
                                 int channels, int size, int groups, int c, const int mask)
{
    for (int first = 0; first == 0 || first < inputs; first += 3) {
        const int terms = nk_min(3, inputs - first), now = mask && first == 0;
        float r[3] = {0}, m[3] = {0};
        double sum = 0.0, product[3] = {0};
        for (int j = 0; j < terms; j++) {
            r[j] = rstds[first + j] ? rstds[first + j][c] : 1.0f;
            m[j] = rstds[first + j] ? -means[first + j][c] * r[j] : 0.0f;
        }
        for (int n = 0; n < groups; n++) {
            const size_t at = ((size_t)n * channels + c) * nk_plane(size);
            const float *y[3] = {0};
            for (int j = 0; j < terms; j++)
                y[j] = ys[first + j] + at;
            if (now)
                nk_affine_sums_of(g + at, &sum, product, dx + at, x + at, y, r, m, terms, size, 1);
            else
                nk_affine_sums_of(NULL, &sum, product, mask ? g + at : dx + at, NULL, y, r, m,
                                  terms, size, 0);
        }
        q[c] = (float)sum;
        for (int j = 0; j < terms; j++)
            if (ps[first + j])
                ps[first + j][c] = (float)product[j];
    }
}

// dx is the gradient of x = relu(sum): g may take its place.
NK_INLINE void nk_affine_sum_backward(float *g, float *q, const float *dx, const float *x,
                                      float *const *ps, const float *const *ys,
                                      const float *const *means, const float *const *rstds,
                                      int inputs, int channels, int size, int groups, int part,
                                      int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        nk_affine_channel(g, q, dx, x, ps, ys, means, rstds, inputs, channels, size, groups, c, 1);
}

// The same without a ReLU: g is dx.
NK_INLINE void nk_affine_sum_reduce(float *q, const float *dx, float *const *ps,
                                    const float *const *ys, const float *const *means,
                                    const float *const *rstds, int inputs, int channels, int size,
                                    int groups, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        nk_affine_channel(NULL, q, dx, NULL, ps, ys, means, rstds, inputs, channels, size, groups,
                          c, 0);
}

// The gradient of a merge's scalar: da = sigmoid'(a) sum_c (gamma[c] p[c] + beta[c] q[c]); without
// a normalisation p alone.
NK_INLINE void nk_affine_scalar_backward(float *da, const float *q, const float *p,
                                         const float *gamma, const float *beta, const float *a,
                                         int channels, int part, int parts)
{
    if (part != parts - 1)
        return;
    const float s = nk_sigmoid(*a);
    double sum = 0.0;
    for (int c = 0; c < channels; c++)
        sum += gamma ? (double)gamma[c] * p[c] + (double)beta[c] * q[c] : (double)p[c];
    *da = (float)(sum * s * (1.0f - s));
}

// dy (+)= c0[c] sum_j w_j g_j + c1[c] y + c2[c] in the lanes of the count images, 0 beyond
// (coefficients[3][channels], from nk_batchnorm_coefficients); without coefficients sum_j w_j g_j.
// dy may take the place of gs[0].
NK_INLINE void nk_pull(float *dy, const float *y, const float *coefficients, const float *const *gs,
                       const float *const *as, int inputs, int channels, float scale, int size,
                       int accumulate, int groups, int count, int part, int parts)
{
    const int floats = size * NK_LANES, all = inputs + (coefficients ? 1 : 0);
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            const float factor = coefficients ? coefficients[c] : 1.0f,
                        shift = coefficients ? coefficients[2 * channels + c] : 0.0f;
            for (int first = 0; first < all; first += 4) {
                const int terms = nk_min(4, all - first);
                const float *term[4] = {0};
                float w[4] = {0};
                for (int j = 0; j < terms; j++) {
                    const int n = first + j;
                    term[j] = (n < inputs ? gs[n] : y) + at;
                    w[j] = n < inputs ? factor * (as[n] ? nk_sigmoid(*as[n]) : scale)
                                      : coefficients[channels + c];
                }
                nk_affine_some(dy + at, term, w, shift, terms, floats, first > 0 || accumulate, 0);
            }
            if (coefficients && (g + 1) * NK_LANES > count)
                for (int i = 0; i < size; i++)
                    for (int l = nk_max(0, count - g * NK_LANES); l < NK_LANES; l++)
                        dy[at + (size_t)i * NK_LANES + l] = 0.0f;
        }
}

// ---- global average pooling of a normalised, rectified map, which is never stored ---------------

// p[c][lane] = mean over pixels of relu(s[c] y + t[c]).
NK_INLINE void nk_affine_pool(float *p, const float *y, const float *s, const float *t,
                              int channels, int size, int groups, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * nk_plane(size);
            float *out = p + ((size_t)g * channels + c) * NK_LANES;
            nk_vector sum[NK_VECTORS];
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++)
                sum[v] = nk_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NK_VECTORS; v++) {
                    const nk_vector z =
                        s[c] * nk_load(in + (size_t)i * NK_LANES + v * NK_VECTOR) + t[c];
                    sum[v] += nk_where_positive(z, z);
                }
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++)
                nk_store(out + v * NK_VECTOR, share * sum[v]);
        }
}

// From dp: q[c] = sum g, sums[c] = sum g xhat, with g = dp / size where relu passed.
NK_INLINE void nk_affine_pool_reduce(float *q, float *sums, const float *dp, const float *y,
                                     const float *s, const float *t, const float *mean,
                                     const float *rstd, int channels, int size, int groups,
                                     int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float shift = -mean[c] * rstd[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * nk_plane(size),
                        *d = dp + ((size_t)g * channels + c) * NK_LANES;
            nk_vector one[NK_VECTORS],
                xhat[NK_VECTORS]; // how often relu passed, and what xhat it let through
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++)
                one[v] = xhat[v] = nk_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NK_VECTORS; v++) {
                    const nk_vector value = nk_load(in + (size_t)i * NK_LANES + v * NK_VECTOR),
                                    z = s[c] * value + t[c];
                    one[v] += nk_where_positive(z, nk_zero_vector() + 1.0f);
                    xhat[v] += nk_where_positive(z, rstd[c] * value + shift);
                }
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++) {
                const nk_vector gradient = share * nk_load(d + v * NK_VECTOR);
                sum += (double)nk_sum_vector(gradient * one[v]);
                product += (double)nk_sum_vector(gradient * xhat[v]);
            }
        }
        q[c] = (float)sum;
        sums[c] = (float)product;
    }
}

// dy = c0 g + c1 y + c2 with the same g, 0 in the lanes beyond count.  dy may take the place of y.
NK_INLINE void nk_affine_pool_pull(float *dy, const float *y, const float *dp, const float *s,
                                   const float *t, const float *coefficients, int channels,
                                   int size, int groups, int count, int part, int parts)
{
    const float share = 1.0f / (float)size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            const float *d = dp + ((size_t)g * channels + c) * NK_LANES;
            float lane[NK_LANES];
            nk_vector mask[NK_VECTORS], gradient[NK_VECTORS];
            for (int l = 0; l < NK_LANES; l++)
                lane[l] = g * NK_LANES + l < count ? 1.0f : 0.0f;
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++) {
                mask[v] = nk_load(lane + v * NK_VECTOR);
                gradient[v] = share * coefficients[c] * nk_load(d + v * NK_VECTOR);
            }
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NK_VECTORS; v++) {
                    const size_t j = at + (size_t)i * NK_LANES + v * NK_VECTOR;
                    const nk_vector value = nk_load(y + j), z = s[c] * value + t[c];
                    nk_store(dy + j, mask[v] * (nk_where_positive(z, gradient[v]) +
                                                coefficients[channels + c] * value +
                                                coefficients[2 * channels + c]));
                }
        }
}
