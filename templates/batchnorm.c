// batchnorm.c - batch normalisation over the count images of a call (Ioffe & Szegedy 2015;
// PyTorch's constants: eps 1e-5, momentum 0.1, running variance unbiased).  size: pixels of a
// channel.

#define NK_BN_EPSILON 1e-5f
#define NK_BN_MOMENTUM 0.1f

// The sum of a channel's count * size values f(y), lanes beyond count left out.  centre: the mean
// to take squares around.
NK_INLINE double nk_bn_sum(const float *y, int channels, int size, int groups, int count, int c,
                           float centre, int squares)
{
    double sum = 0.0;
    for (int g = 0; g < groups; g++) {
        float lane[NK_LANES] = {0};
        const float *in = y + ((size_t)g * channels + c) * nk_plane(size);
        for (int i = 0; i < size; i++)
            for (int l = 0; l < NK_LANES; l++) {
                const float d = in[(size_t)i * NK_LANES + l] - centre;
                lane[l] += squares ? d * d : d;
            }
        for (int l = 0; l < nk_min(NK_LANES, count - g * NK_LANES); l++)
            sum += lane[l];
    }
    return sum;
}

// z = gamma (y - mean) rstd + beta of one channel, with ReLU on request.
NK_INLINE void nk_bn_apply(float *z, const float *y, int channels, int size, int groups, int c,
                           float scale, float shift, int relu)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = ((size_t)g * channels + c) * nk_plane(size);
        for (int i = 0; i < size * NK_LANES; i++) {
            const float value = scale * y[at + i] + shift;
            z[at + i] = relu && value < 0.0f ? 0.0f : value; // NaN stays NaN
        }
    }
}

// Training: statistics of the batch, which also move the running ones.
NK_INLINE void nk_batchnorm(float *z, float *mean, float *rstd, float *running_mean,
                            float *running_var, const float *y, const float *gamma,
                            const float *beta, int channels, int size, int relu, int groups,
                            int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float m = (float)(nk_bn_sum(y, channels, size, groups, count, c, 0.0f, 0) / n);
        const double rest = nk_bn_sum(y, channels, size, groups, count, c, m, 0) / n;
        const double var = nk_bn_sum(y, channels, size, groups, count, c, m, 1) / n - rest * rest;
        mean[c] = m;
        rstd[c] = (float)(1.0 / sqrt(var + NK_BN_EPSILON));
        running_mean[c] += NK_BN_MOMENTUM * (m - running_mean[c]);
        running_var[c] +=
            NK_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
        const float scale = gamma[c] * rstd[c];
        nk_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * m, relu);
    }
}

// Evaluation: running statistics.
NK_INLINE void nk_batchnorm_infer(float *z, const float *y, const float *gamma, const float *beta,
                                  const float *running_mean, const float *running_var, int channels,
                                  int size, int relu, int groups, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float scale = gamma[c] / sqrtf(running_var[c] + NK_BN_EPSILON);
        nk_bn_apply(z, y, channels, size, groups, c, scale, beta[c] - scale * running_mean[c],
                    relu);
    }
}

// dbeta = sum dz, dgamma = sum dz xhat, dy = gamma rstd (dz - dbeta/n - xhat dgamma/n), xhat = (y -
// mean) rstd; with relu, dz counts only where the result z is positive.  dy is zero in the lanes
// beyond count.
NK_INLINE void nk_batchnorm_backward(float *dy, float *dgamma, float *dbeta, const float *dz,
                                     const float *z, const float *y, const float *mean,
                                     const float *rstd, const float *gamma, int channels, int size,
                                     int relu, int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float m = mean[c];
        double sum = 0.0, product = 0.0;
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            float lane[NK_LANES] = {0}, lane_product[NK_LANES] = {0};
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NK_LANES; l++) {
                    const size_t j = at + (size_t)i * NK_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    lane[l] += d;
                    lane_product[l] += d * (y[j] - m);
                }
            for (int l = 0; l < NK_LANES; l++) {
                sum += lane[l];
                product += lane_product[l];
            }
        }
        dbeta[c] = (float)sum;
        dgamma[c] = (float)(product * rstd[c]);
        const float scale = gamma[c] * rstd[c];
        const float a = (float)(scale * sum / n),
                    b = (float)(scale * rstd[c] * rstd[c] * product / n);
        for (int g = 0; g < groups; g++) {
            const size_t at = ((size_t)g * channels + c) * nk_plane(size);
            float mask[NK_LANES];
            for (int l = 0; l < NK_LANES; l++)
                mask[l] = g * NK_LANES + l < count ? 1.0f : 0.0f;
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NK_LANES; l++) {
                    const size_t j = at + (size_t)i * NK_LANES + l;
                    const float d = relu && !(z[j] > 0.0f) ? 0.0f : dz[j];
                    dy[j] = mask[l] * (scale * d - a - b * (y[j] - m));
                }
        }
    }
}

// ---- the same as one multiply-add that readers apply (affine.c) ---------------------------------

// Training: scale and shift of z = scale y + shift from the batch's statistics, in one pass over y
// around a pivot near the mean.
NK_INLINE void nk_batchnorm_stats(float *scale, float *shift, float *mean, float *rstd,
                                  float *running_mean, float *running_var, const float *y,
                                  const float *gamma, const float *beta, int channels, int size,
                                  int groups, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        const float pivot = y[c * nk_plane(size)];
        double sum = 0.0, squares = 0.0;
        for (int g = 0; g < groups; g++) {
            const float *in = y + ((size_t)g * channels + c) * nk_plane(size);
            nk_vector s[NK_LANES / NK_VECTOR], q[NK_LANES / NK_VECTOR];
            float lane[NK_LANES], lane_squares[NK_LANES];
#pragma GCC unroll 8
            for (int v = 0; v < NK_LANES / NK_VECTOR; v++)
                s[v] = q[v] = nk_zero_vector();
            for (int i = 0; i < size; i++)
#pragma GCC unroll 8
                for (int v = 0; v < NK_LANES / NK_VECTOR; v++) {
                    const nk_vector d = nk_load(in + (size_t)i * NK_LANES + v * NK_VECTOR) - pivot;
                    s[v] += d;
                    q[v] += d * d;
                }
            memcpy(lane, s, sizeof lane);
            memcpy(lane_squares, q, sizeof lane_squares);
            for (int l = 0; l < nk_min(NK_LANES, count - g * NK_LANES); l++) {
                sum += lane[l];
                squares += lane_squares[l];
            }
        }
        const double offset = sum / n, raw = squares / n - offset * offset,
                     var = raw > 0.0 ? raw : 0.0;
        mean[c] = (float)(pivot + offset);
        rstd[c] = (float)(1.0 / sqrt(var + NK_BN_EPSILON));
        scale[c] = gamma[c] * rstd[c];
        shift[c] = beta[c] - scale[c] * mean[c];
        running_mean[c] += NK_BN_MOMENTUM * (mean[c] - running_mean[c]);
        running_var[c] +=
            NK_BN_MOMENTUM * ((float)(n > 1.0 ? var * n / (n - 1.0) : var) - running_var[c]);
    }
}

// Evaluation: scale and shift from the running statistics.
NK_INLINE void nk_batchnorm_running(float *scale, float *shift, const float *gamma,
                                    const float *beta, const float *running_mean,
                                    const float *running_var, int channels, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        scale[c] = gamma[c] / sqrtf(running_var[c] + NK_BN_EPSILON);
        shift[c] = beta[c] - scale[c] * running_mean[c];
    }
}

// The gradient from the sums that the readers of z left, with dz = sum_j w_j g_j, w_j =
// sigmoid(*as[j]) or `weight`:
//   dbeta = sum_j w_j qs_j, dgamma = sum_j w_j ps_j, and coefficients[3][channels] of dy = c0 dz +
//   c1 y + c2 (nk_pull).
NK_INLINE void nk_batchnorm_coefficients(float *coefficients, float *dgamma, float *dbeta,
                                         const float *mean, const float *rstd, const float *gamma,
                                         const float *const *qs, const float *const *ps,
                                         const float *const *as, int inputs, int channels,
                                         float weight, int size, int count, int part, int parts)
{
    const double n = (double)count * size;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        double q = 0.0, p = 0.0;
        for (int j = 0; j < inputs; j++) {
            const double w = as[j] ? nk_sigmoid(*as[j]) : weight;
            q += w * qs[j][c];
            p += w * ps[j][c];
        }
        const double scale = (double)gamma[c] * rstd[c];
        dbeta[c] = (float)q;
        dgamma[c] = (float)p;
        coefficients[c] = (float)scale;
        coefficients[channels + c] = (float)(-scale * p / n * rstd[c]);
        coefficients[2 * channels + c] = (float)(scale * (p / n * rstd[c] * mean[c] - q / n));
    }
}
