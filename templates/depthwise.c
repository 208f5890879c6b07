// depthwise.c - depthwise convolution (one filter a channel), zero padding kernel/2, stride 1 or 2;
// any NK_LANES:
//
//   y[c][i][j][lane] = b[c] + sum over r, s of w[c][r][s] * x[c][stride i + r - kernel_h/2][stride
//   j + s - kernel_w/2][lane]

NK_INLINE void nk_depthwise(float *y, const float *x, const float *w, const float *b, int channels,
                            int height, int width, int kernel_h, int kernel_w, int stride,
                            int out_height, int out_width, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int top = stride * i - kernel_h / 2, left = stride * j - kernel_w / 2;
                    float sum[NK_LANES];
                    for (int l = 0; l < NK_LANES; l++)
                        sum[l] = b[c];
                    for (int r = nk_max(0, -top); r < nk_min(kernel_h, height - top); r++)
                        for (int s = nk_max(0, -left); s < nk_min(kernel_w, width - left); s++) {
                            const float weight = w[(c * kernel_h + r) * kernel_w + s];
                            const float *in =
                                x + ((((size_t)g * channels + c) * height + top + r) * width +
                                     left + s) *
                                        NK_LANES;
                            for (int l = 0; l < NK_LANES; l++)
                                sum[l] += weight * in[l];
                        }
                    memcpy(y + ((((size_t)g * channels + c) * out_height + i) * out_width + j) *
                                   NK_LANES,
                           sum, sizeof sum);
                }
}

// dx[c][h][w] (+)= sum over the outputs that read it of w[c][r][s] * dy[c][i][j], h = stride i + r
// - kernel_h/2.
NK_INLINE void nk_depthwise_backward(float *dx, const float *dy, const float *w, int channels,
                                     int height, int width, int kernel_h, int kernel_w, int stride,
                                     int out_height, int out_width, int accumulate, int groups,
                                     int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int h = 0; h < height; h++)
                for (int v = 0; v < width; v++) {
                    float *out =
                        dx + ((((size_t)g * channels + c) * height + h) * width + v) * NK_LANES;
                    float sum[NK_LANES];
                    for (int l = 0; l < NK_LANES; l++)
                        sum[l] = accumulate ? out[l] : 0.0f;
                    for (int r = 0; r < kernel_h; r++)
                        for (int s = 0; s < kernel_w; s++) {
                            const int i = h + kernel_h / 2 - r, j = v + kernel_w / 2 - s;
                            if (i < 0 || j < 0 || i % stride || j % stride ||
                                i / stride >= out_height || j / stride >= out_width)
                                continue;
                            const float weight = w[(c * kernel_h + r) * kernel_w + s];
                            const float *in =
                                dy + ((((size_t)g * channels + c) * out_height + i / stride) *
                                          out_width +
                                      j / stride) *
                                         NK_LANES;
                            for (int l = 0; l < NK_LANES; l++)
                                sum[l] += weight * in[l];
                        }
                    memcpy(out, sum, sizeof sum);
                }
}

// dw[c][r][s] = sum of dy * x over what the tap meets; db[c] = sum of dy.
NK_INLINE void nk_depthwise_weights_backward(float *dw, float *db, const float *x, const float *dy,
                                             int channels, int height, int width, int kernel_h,
                                             int kernel_w, int stride, int out_height,
                                             int out_width, int groups, int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
        for (int t = -1; t < kernel_h * kernel_w; t++) { // -1: the bias
            const int r = t / kernel_w, s = t % kernel_w;
            float lane[NK_LANES] = {0}, sum = 0.0f;
            for (int g = 0; g < groups; g++)
                for (int i = 0; i < out_height; i++)
                    for (int j = 0; j < out_width; j++) {
                        const int h = stride * i + r - kernel_h / 2,
                                  v = stride * j + s - kernel_w / 2;
                        const float *d =
                            dy + ((((size_t)g * channels + c) * out_height + i) * out_width + j) *
                                     NK_LANES;
                        if (t < 0) {
                            for (int l = 0; l < NK_LANES; l++)
                                lane[l] += d[l];
                        } else if (h >= 0 && h < height && v >= 0 && v < width) {
                            const float *in =
                                x +
                                ((((size_t)g * channels + c) * height + h) * width + v) * NK_LANES;
                            for (int l = 0; l < NK_LANES; l++)
                                lane[l] += d[l] * in[l];
                        }
                    }
            for (int l = 0; l < NK_LANES; l++)
                sum += lane[l];
            if (t < 0)
                db[c] = sum;
            else
                dw[c * kernel_h * kernel_w + t] = sum;
        }
}
