// depthwise.c - depthwise convolution (one filter a channel), zero padding kernel/2, stride 1 or 2;
// any NK_LANES:
//
//   y[c][i][j] = b[c] + sum over r, s of w[c][r][s] * x[c][stride i + r - kernel_h/2][stride j + s
//   - kernel_w/2]

NK_INLINE void nk_depthwise_pixel(float *y, const float *x, const float *w, float bias, int height,
                                  int width, int kernel_h, int kernel_w, int top, int left)
{
    const int r0 = nk_max(0, -top), r1 = nk_min(kernel_h, height - top);
    const int s0 = nk_max(0, -left), s1 = nk_min(kernel_w, width - left);
    nk_lane sum[NK_VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++)
        sum[v] = nk_zero_lane() + bias;
    for (int r = r0; r < r1; r++)
        for (int s = s0; s < s1; s++) {
            const float weight = w[r * kernel_w + s];
            const float *in = x + ((int64_t)(top + r) * width + left + s) * NK_LANES;
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++)
                sum[v] += weight * nk_load_lane(in + v * NK_STEP);
        }
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++)
        nk_store_lane(y + v * NK_STEP, sum[v]);
}

NK_INLINE void nk_depthwise(float *y, const float *x, const float *w, const float *b, int channels,
                            int height, int width, int kernel_h, int kernel_w, int stride,
                            int out_height, int out_width, int groups, int part, int parts)
{
    const size_t in = nk_plane(height * width), out = nk_plane(out_height * out_width);
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++)
                    nk_depthwise_pixel(y + ((size_t)g * channels + c) * out +
                                           ((size_t)i * out_width + j) * NK_LANES,
                                       x + ((size_t)g * channels + c) * in,
                                       w + c * kernel_h * kernel_w, b[c], height, width, kernel_h,
                                       kernel_w, stride * i - kernel_h / 2,
                                       stride * j - kernel_w / 2);
}

// dx[c][h][w] (+)= sum over the outputs that read it of w[c][r][s] * dy[c][i][j], h = stride i + r
// - kernel_h/2.
NK_INLINE void nk_depthwise_backward(float *dx, const float *dy, const float *w, int channels,
                                     int height, int width, int kernel_h, int kernel_w, int stride,
                                     int out_height, int out_width, int accumulate, int groups,
                                     int part, int parts)
{
    const size_t plane = nk_plane(height * width), dy_plane = nk_plane(out_height * out_width);
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int at = 0; at < height * width; at++) {
                const int h = at / width + kernel_h / 2,
                          u = at % width + kernel_w / 2; // of output (0, 0), tap (h, u)
                float *out = dx + ((size_t)g * channels + c) * plane + (size_t)at * NK_LANES;
                nk_lane sum[NK_VECTORS];
#pragma GCC unroll 8
                for (int v = 0; v < NK_VECTORS; v++)
                    sum[v] = accumulate ? nk_load_lane(out + v * NK_STEP) : nk_zero_lane();
                for (int r = nk_max(0, h - stride * (out_height - 1)); r < nk_min(kernel_h, h + 1);
                     r++)
                    for (int s = nk_max(0, u - stride * (out_width - 1));
                         s < nk_min(kernel_w, u + 1); s++) {
                        if (stride > 1 && ((h - r) % stride || (u - s) % stride))
                            continue;
                        const float weight = w[(c * kernel_h + r) * kernel_w + s];
                        const float *in =
                            dy + ((size_t)g * channels + c) * dy_plane +
                            ((size_t)((h - r) / stride) * out_width + (u - s) / stride) * NK_LANES;
#pragma GCC unroll 8
                        for (int v = 0; v < NK_VECTORS; v++)
                            sum[v] += weight * nk_load_lane(in + v * NK_STEP);
                    }
#pragma GCC unroll 8
                for (int v = 0; v < NK_VECTORS; v++)
                    nk_store_lane(out + v * NK_STEP, sum[v]);
            }
}

// One output pixel's part in the taps of row r; at the sides of the image taps may fall outside.
NK_INLINE void nk_depthwise_taps(nk_lane sum[5][NK_VECTORS], const float *in, const float *d,
                                 const int kernel_w, int left, int width, const int inside)
{
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++) {
        const nk_lane dy = nk_load_lane(d + v * NK_STEP);
#pragma GCC unroll 8
        for (int s = 0; s < kernel_w; s++)
            if (inside || (left + s >= 0 && left + s < width))
                sum[s][v] += dy * nk_load_lane(in + (int64_t)s * NK_LANES + v * NK_STEP);
    }
}

// dw[c][r][0..kernel_w] of one channel and row of taps.
NK_INLINE void nk_depthwise_row(float *dw, const float *x, const float *dy, int channels,
                                int height, int width, int kernel_h, const int kernel_w, int stride,
                                int out_height, int out_width, int groups, int c, int r)
{
    const size_t plane = nk_plane(height * width), dy_plane = nk_plane(out_height * out_width);
    nk_lane sum[5][NK_VECTORS];
#pragma GCC unroll 8
    for (int s = 0; s < kernel_w; s++)
#pragma GCC unroll 8
        for (int v = 0; v < NK_VECTORS; v++)
            sum[s][v] = nk_zero_lane();
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < out_height; i++) {
            const int h = stride * i + r - kernel_h / 2;
            if (h < 0 || h >= height)
                continue;
            for (int j = 0; j < out_width; j++) {
                const int left = stride * j - kernel_w / 2;
                const float *in =
                    x + ((size_t)g * channels + c) * plane + ((int64_t)h * width + left) * NK_LANES;
                const float *d = dy + ((size_t)g * channels + c) * dy_plane +
                                 ((size_t)i * out_width + j) * NK_LANES;
                if (left >= 0 && left + kernel_w <= width)
                    nk_depthwise_taps(sum, in, d, kernel_w, left, width, 1);
                else
                    nk_depthwise_taps(sum, in, d, kernel_w, left, width, 0);
            }
        }
#pragma GCC unroll 8
    for (int s = 0; s < kernel_w; s++) {
        float total = 0.0f;
#pragma GCC unroll 8
        for (int v = 0; v < NK_VECTORS; v++)
            total += nk_sum_lane(sum[s][v]);
        dw[(c * kernel_h + r) * kernel_w + s] = total;
    }
}

// db[c] = the sum of dy.
NK_INLINE float nk_depthwise_bias(const float *dy, int channels, int size, int groups, int c)
{
    nk_lane sum[NK_VECTORS];
    float total = 0.0f;
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++)
        sum[v] = nk_zero_lane();
    for (int g = 0; g < groups; g++)
        for (int i = 0; i < size; i++)
#pragma GCC unroll 8
            for (int v = 0; v < NK_VECTORS; v++)
                sum[v] += nk_load_lane(dy + ((size_t)g * channels + c) * nk_plane(size) +
                                       (size_t)i * NK_LANES + v * NK_STEP);
#pragma GCC unroll 8
    for (int v = 0; v < NK_VECTORS; v++)
        total += nk_sum_lane(sum[v]);
    return total;
}

// dw[c][r][s] = sum of dy * x over what the tap meets; db[c] = sum of dy.
NK_INLINE void nk_depthwise_weights_backward(float *dw, float *db, const float *x, const float *dy,
                                             int channels, int height, int width, int kernel_h,
                                             int kernel_w, int stride, int out_height,
                                             int out_width, int groups, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        db[c] = nk_depthwise_bias(dy, channels, out_height * out_width, groups, c);
        for (int r = 0; r < kernel_h; r++)
            if (kernel_w == 1)
                nk_depthwise_row(dw, x, dy, channels, height, width, kernel_h, 1, stride,
                                 out_height, out_width, groups, c, r);
            else if (kernel_w == 3)
                nk_depthwise_row(dw, x, dy, channels, height, width, kernel_h, 3, stride,
                                 out_height, out_width, groups, c, r);
            else
                nk_depthwise_row(dw, x, dy, channels, height, width, kernel_h, 5, stride,
                                 out_height, out_width, groups, c, r);
    }
}
