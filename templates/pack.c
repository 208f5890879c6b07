// pack.c - from a caller's arrays to the layouts that kernels read, and back.

// y[group][c][h][w][lane] = images[32 group + lane][c][h][w]; lanes beyond count are zero.
NK_INLINE void nk_pack_images(float *y, const float *images, int channels, int height, int width,
                              int groups, int count, int part, int parts)
{
    const int pixels = height * width, size = channels * pixels;
    for (int g = 0; g < groups; g++) {
        for (int i = nk_share(size, part, parts); i < nk_share(size, part + 1, parts); i++)
            for (int l = 0; l < NK_LANES; l++) {
                const int n = g * NK_LANES + l;
                const size_t at = ((size_t)g * channels + i / pixels) * nk_plane(pixels);
                y[at + (size_t)(i % pixels) * NK_LANES + l] =
                    n < count ? images[(size_t)n * size + i] : 0.0f;
            }
    }
}

// p[c][r][s][k] = w[k][c][r][s]: a kernel reads the filters of one tap next to each other.
NK_INLINE void nk_pack_weights(float *p, const float *w, int filters, int channels, int kernel_h,
                               int kernel_w, int part, int parts)
{
    const int taps = channels * kernel_h * kernel_w;
    for (int t = nk_share(taps, part, parts); t < nk_share(taps, part + 1, parts); t++)
        for (int k = 0; k < filters; k++)
            p[(size_t)t * filters + k] = w[(size_t)k * taps + t];
}

// p[k][r][s][c] = w[k][c][kernel_h-1-r][kernel_w-1-s]: the same convolution kernel then computes
// the gradient of its input, with filters and channels exchanged.
NK_INLINE void nk_pack_weights_backward(float *p, const float *w, int filters, int channels,
                                        int kernel_h, int kernel_w, int part, int parts)
{
    const int taps = kernel_h * kernel_w;
    for (int k = nk_share(filters, part, parts); k < nk_share(filters, part + 1, parts); k++)
        for (int t = 0; t < taps; t++)
            for (int c = 0; c < channels; c++)
                p[((size_t)k * taps + t) * channels + c] =
                    w[((size_t)k * channels + c) * taps + (taps - 1 - t)];
}

// logits[n][k] = x[group][k][lane] for the count images of the call; logits may be NULL (training
// asks for none).
NK_INLINE void nk_unpack_logits(float *logits, const float *x, int classes, int count, int part,
                                int parts)
{
    if (!logits)
        return;
    for (int n = nk_share(count, part, parts); n < nk_share(count, part + 1, parts); n++)
        for (int k = 0; k < classes; k++)
            logits[(size_t)n * classes + k] =
                x[((size_t)(n / NK_LANES) * classes + k) * NK_LANES + n % NK_LANES];
}
