// conv_pixels.c - convolution of one image, [C][H][W], pixels in the lanes:
//
//   y[k][h][w] = b[k] + sum over c, r, s of p[c][r][s][k] * x[c][h+r-kernel_h/2][w+s-kernel_w/2],
//   then ReLU on request
//
// x comes with a zero halo (nk_pad): [C][H + kernel_h - 1][W + kernel_w - 1], and NK_PIXELS_SPARE
// floats behind.  Rows are run together: a step takes 2 x NK_VECTOR neighbours of the haloed plane
// and simply computes the few results that straddle a row's end, which are not stored; so every
// width fills the vectors and no tap is tested.  A 1x1 convolution needs no halo and reads a map of
// at least one step as it is.

#define NK_PIXELS_TILE 8
#define NK_PIXELS_SPARE 64
#define NK_PIXELS_STEP (2 * NK_VECTOR)

// y: haloed copy of x.
NK_INLINE void nk_pad(float *y, const float *x, int channels, int height, int width, int kernel_h,
                      int kernel_w, int part, int parts)
{
    const int top = kernel_h / 2, left = kernel_w / 2, pitch = width + kernel_w - 1,
              rows = height + kernel_h - 1;
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        float *out = y + (size_t)c * rows * pitch;
        memset(out, 0, (size_t)rows * pitch * sizeof *out);
        for (int h = 0; h < height; h++)
            memcpy(out + (size_t)(h + top) * pitch + left, x + ((size_t)c * height + h) * width,
                   (size_t)width * sizeof *x);
    }
    if (part == parts - 1)
        memset(y + (size_t)channels * rows * pitch, 0, NK_PIXELS_SPARE * sizeof *y);
}

// Filters k0..k0+tile of NK_PIXELS_STEP neighbours from `at` of the haloed plane.
NK_INLINE void nk_pixels_tile(float *y, const float *x, const float *p, const float *b,
                              int channels, int height, int width, int filters, int kernel_h,
                              int kernel_w, int relu, int k0, const int tile, int at)
{
    const int pitch = width + kernel_w - 1, plane = (height + kernel_h - 1) * pitch;
    nk_vector sum[NK_PIXELS_TILE][2];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
        sum[k][0] = sum[k][1] = nk_zero_vector() + b[k0 + k];
    for (int c = 0; c < channels; c++)
        for (int r = 0; r < kernel_h; r++)
            for (int s = 0; s < kernel_w; s++) {
                const float *in = x + (size_t)c * plane + (size_t)r * pitch + s + at;
                const float *weight =
                    p + ((size_t)(c * kernel_h + r) * kernel_w + s) * filters + k0;
                const nk_vector x0 = nk_load(in), x1 = nk_load(in + NK_VECTOR);
#pragma GCC unroll 8
                for (int k = 0; k < tile; k++) {
                    sum[k][0] += weight[k] * x0;
                    sum[k][1] += weight[k] * x1;
                }
            }
    const int last = nk_min(at + NK_PIXELS_STEP, height * pitch);
    for (int k = 0; k < tile; k++) {
        float lane[NK_PIXELS_STEP];
        nk_store(lane, sum[k][0]);
        nk_store(lane + NK_VECTOR, sum[k][1]);
        if (relu)
            for (int i = 0; i < NK_PIXELS_STEP; i++)
                lane[i] = lane[i] < 0.0f ? 0.0f : lane[i];
        for (int i = at; i < last;) { // row by row, without the halo
            const int h = i / pitch, w = i % pitch, n = nk_min(last - i, width - w);
            if (n > 0)
                memcpy(y + ((size_t)(k0 + k) * height + h) * width + w, lane + (i - at),
                       (size_t)n * sizeof *y);
            i += pitch - w;
        }
    }
}

NK_INLINE void nk_conv_pixels(float *y, const float *x, const float *p, const float *b,
                              int channels, int height, int width, int filters, int kernel_h,
                              int kernel_w, int relu, int part, int parts)
{
    const int size = height * (width + kernel_w - 1),
              steps = (size + NK_PIXELS_STEP - 1) / NK_PIXELS_STEP;
    const int whole = filters / NK_PIXELS_TILE * NK_PIXELS_TILE;
    for (int i = nk_share(steps, part, parts); i < nk_share(steps, part + 1, parts); i++) {
        // the last step is moved back to end with the map; what it computes a second time comes out
        // the same
        const int at = nk_max(0, nk_min(i * NK_PIXELS_STEP, size - NK_PIXELS_STEP));
        for (int k = 0; k < whole; k += NK_PIXELS_TILE)
            nk_pixels_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, relu,
                           k, NK_PIXELS_TILE, at);
        if (filters > whole)
            nk_pixels_tile(y, x, p, b, channels, height, width, filters, kernel_h, kernel_w, relu,
                           whole, filters - whole, at);
    }
}
