// pool.c - adaptive average pooling (PyTorch's adaptive_avg_pool2d) and average pooling with
// stride 1.

// y[c][i][j] = mean of x over rows floor(i H / h) .. ceil((i+1) H / h) - 1, columns alike.  1 x 1:
// global pooling.
NK_INLINE void nk_adaptive_pool(float *y, const float *x, int channels, int height, int width,
                                int out_height, int out_width, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height,
                              h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width,
                              w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in = x + ((size_t)g * channels + c) * nk_plane(height * width);
                    float *out = y + ((size_t)g * channels + c) * nk_plane(out_height * out_width) +
                                 ((size_t)i * out_width + j) * NK_LANES;
                    float sum[NK_LANES] = {0};
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < NK_LANES; l++)
                                sum[l] += in[((size_t)h * width + w) * NK_LANES + l];
                    for (int l = 0; l < NK_LANES; l++)
                        out[l] = share * sum[l];
                }
}

// Each input takes its share of every output whose window it lies in.
NK_INLINE void nk_adaptive_pool_backward(float *dx, const float *dy, int channels, int height,
                                         int width, int out_height, int out_width, int accumulate,
                                         int groups, int part, int parts)
{
    const size_t plane = nk_plane(height * width);
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts);
             c++) {
            float *out = dx + ((size_t)g * channels + c) * plane;
            if (!accumulate)
                memset(out, 0, plane * sizeof *out);
            for (int i = 0; i < out_height; i++)
                for (int j = 0; j < out_width; j++) {
                    const int h0 = i * height / out_height,
                              h1 = ((i + 1) * height + out_height - 1) / out_height;
                    const int w0 = j * width / out_width,
                              w1 = ((j + 1) * width + out_width - 1) / out_width;
                    const float share = 1.0f / (float)((h1 - h0) * (w1 - w0));
                    const float *in =
                        dy + ((size_t)g * channels + c) * nk_plane(out_height * out_width) +
                        ((size_t)i * out_width + j) * NK_LANES;
                    for (int h = h0; h < h1; h++)
                        for (int w = w0; w < w1; w++)
                            for (int l = 0; l < NK_LANES; l++)
                                out[((size_t)h * width + w) * NK_LANES + l] += share * in[l];
                }
        }
}

// y[c][h][w] (+)= 1/kernel^2 * sum of the kernel x kernel window around it; padding counts in the
// divisor.  It is its own gradient: windows are symmetric and every divisor is the same.
NK_INLINE void nk_average_pool(float *y, const float *x, int channels, int height, int width,
                               int kernel, int accumulate, int groups, int part, int parts)
{
    const int half = kernel / 2;
    const float share = 1.0f / (float)(kernel * kernel);
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts);
             c++) {
            const float *in = x + ((size_t)g * channels + c) * nk_plane(height * width);
            float *out = y + ((size_t)g * channels + c) * nk_plane(height * width);
            for (int h = 0; h < height; h++)
                for (int w = 0; w < width; w++) {
                    float sum[NK_LANES] = {0};
                    for (int r = nk_max(0, h - half); r < nk_min(height, h + half + 1); r++)
                        for (int s = nk_max(0, w - half); s < nk_min(width, w + half + 1); s++)
                            for (int l = 0; l < NK_LANES; l++)
                                sum[l] += in[((size_t)r * width + s) * NK_LANES + l];
                    float *o = out + ((size_t)h * width + w) * NK_LANES;
                    for (int l = 0; l < NK_LANES; l++)
                        o[l] = accumulate ? o[l] + share * sum[l] : share * sum[l];
                }
        }
}
