// conv_weights_backward.c - gradient of a convolution's weights, batch innermost:
//
//   dw[k][c][r][s] = sum over h, w, lane of dy[k][h][w][lane] *
//   x[c][h+r-kernel_h/2][w+s-kernel_w/2][lane]
//
// A tile of filters x columns of vector sums stays in registers while all pixels pass; its lanes
// are summed at the end.  A column is a tap of the row (kernel_w > 1) or a channel (kernel_w == 1).
// Lanes beyond the call's images add nothing: dy is zero there.

// Registers: filters x columns sums, the columns of x, one of dy.
#if NK_VECTOR == 16 || defined(__aarch64__)
#define NK_DW_CHANNELS 6
#define NK_DW_FILTERS(columns) ((columns) == 6 ? 4 : (columns) == 5 ? 5 : 7)
#else
#define NK_DW_CHANNELS 3
#define NK_DW_FILTERS(columns) ((columns) == 5 ? 2 : 4)
#endif
#define NK_DW_COLUMNS(kernel_w) ((kernel_w) == 1 ? NK_DW_CHANNELS : (kernel_w))

// One pixel's vectors; at an edge of the row the columns that fall outside are left out.
NK_INLINE void nk_dw_pixel(nk_vector sum[7][6], const float *x, const float *dy, size_t plane,
                           const int filters, const int columns, const int step, const int kernel_w,
                           int w, int width, const int edge)
{
    for (int l = 0; l < NK_LANES; l += NK_VECTOR) {
        nk_vector column[6];
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int outside =
                edge && kernel_w > 1 && (w + j < kernel_w / 2 || w + j >= width + kernel_w / 2);
            column[j] = outside ? nk_zero_vector() : nk_load(x + (ptrdiff_t)j * step + l);
        }
#pragma GCC unroll 8
        for (int k = 0; k < filters; k++) {
            const nk_vector d = nk_load(dy + k * plane + l);
#pragma GCC unroll 8
            for (int j = 0; j < columns; j++)
                sum[k][j] += d * column[j];
        }
    }
}

// Filters k0..k0+tile, columns c0 (channel c0's taps of row r, or channels c0..c0+columns): all
// pixels of all groups.
NK_INLINE void nk_dw_tile(float *dw, const float *x, const float *dy, int channels, int height,
                          int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                          const int tile, int c0, const int columns, int r)
{
    const size_t plane = nk_plane(height * width);
    const int step = kernel_w == 1 ? (int)plane : NK_LANES;
    const int h0 = nk_max(0, kernel_h / 2 - r), h1 = nk_min(height, height + kernel_h / 2 - r);
    nk_vector sum[7][6];
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++)
            sum[k][j] = nk_zero_vector();
    for (int g = 0; g < groups; g++)
        for (int h = h0; h < h1; h++) {
            const float *row =
                x + (g * channels + c0) * plane +
                ((ptrdiff_t)(h + r - kernel_h / 2) * width - kernel_w / 2) * NK_LANES;
            const float *drow = dy + (g * filters + k0) * plane + (size_t)h * width * NK_LANES;
            const int left = nk_min(kernel_w / 2, width),
                      right = nk_max(left, width - kernel_w / 2);
            for (int i = 0; i < left + width - right; i++) {
                const int w = i < left ? i : right + i - left;
                nk_dw_pixel(sum, row + w * NK_LANES, drow + w * NK_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 1);
            }
            for (int w = left; w < right; w++)
                nk_dw_pixel(sum, row + w * NK_LANES, drow + w * NK_LANES, plane, tile, columns,
                            step, kernel_w, w, width, 0);
        }
#pragma GCC unroll 8
    for (int k = 0; k < tile; k++)
#pragma GCC unroll 8
        for (int j = 0; j < columns; j++) {
            const int c = kernel_w == 1 ? c0 + j : c0, s = kernel_w == 1 ? 0 : j;
            dw[(((size_t)(k0 + k) * channels + c) * kernel_h + r) * kernel_w + s] =
                nk_sum_vector(sum[k][j]);
        }
}

#ifndef NK_CONV_DISPATCH
// Whole tiles, and those of the last few filters or channels where there are any: sizes are
// constants where the shape is.
NK_INLINE void nk_dw_block(float *dw, const float *x, const float *dy, int channels, int height,
                           int width, int filters, int kernel_h, int kernel_w, int groups, int k0,
                           int tile, int c0, int columns, int r)
{
    const int all = NK_DW_COLUMNS(kernel_w), most = NK_DW_FILTERS(all);
    const int last_tile = filters % most, last_columns = kernel_w == 1 ? channels % all : 0;
    if (filters >= most && channels >= (kernel_w == 1 ? all : 1) && tile == most && columns == all)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, all, r);
    else if (last_tile && channels >= (kernel_w == 1 ? all : 1) && columns == all)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, all, r);
    else if (last_columns && filters >= most && tile == most)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   most, c0, last_columns, r);
    else if (last_tile && last_columns)
        nk_dw_tile(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                   last_tile, c0, last_columns, r);
}
#endif

NK_INLINE void nk_conv_weights_backward(float *dw, const float *x, const float *dy, int channels,
                                        int height, int width, int filters, int kernel_h,
                                        int kernel_w, int groups, int part, int parts)
{
    const int columns = NK_DW_COLUMNS(kernel_w), tile = NK_DW_FILTERS(columns);
    const int channel_step = kernel_w == 1 ? columns : 1;
    const int tiles = (filters + tile - 1) / tile,
              blocks = (channels + channel_step - 1) / channel_step;
    const int items = tiles * blocks * kernel_h;
    for (int i = nk_share(items, part, parts); i < nk_share(items, part + 1, parts); i++) {
        const int k0 = i / (blocks * kernel_h) * tile, c0 = i / kernel_h % blocks * channel_step,
                  r = i % kernel_h;
        nk_dw_block(dw, x, dy, channels, height, width, filters, kernel_h, kernel_w, groups, k0,
                    nk_min(tile, filters - k0), c0,
                    kernel_w == 1 ? nk_min(columns, channels - c0) : columns, r);
    }
}

// db[c] = sum over pixels and lanes of dy[c]: the gradient of a bias.
NK_INLINE void nk_channel_sum(float *db, const float *dy, int channels, int size, int groups,
                              int part, int parts)
{
    for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++) {
        float lane[NK_LANES] = {0}, sum = 0.0f;
        for (int g = 0; g < groups; g++)
            for (int i = 0; i < size; i++)
                for (int l = 0; l < NK_LANES; l++)
                    lane[l] +=
                        dy[((size_t)g * channels + c) * nk_plane(size) + (size_t)i * NK_LANES + l];
        for (int l = 0; l < NK_LANES; l++)
            sum += lane[l];
        db[c] = sum;
    }
}

// Gradients that are zero in exact arithmetic: the biases of convolutions whose results are
// batch-normalised.
NK_INLINE void nk_zero(float *const *gs, int inputs, int size, int part, int parts)
{
    for (int j = nk_share(inputs, part, parts); j < nk_share(inputs, part + 1, parts); j++)
        for (int i = 0; i < size; i++)
            gs[j][i] = 0.0f;
}
