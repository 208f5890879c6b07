// conv_blas.c - convolutions as im2col and OpenBLAS's sgemm, in the batch-innermost layout of
// templates/conv.c: a second opinion for `nago verify`, the fallback where no tuned kernel exists,
// and a row of the benchmark.
//
// A row of pixels with its images is one stretch of width * 32 numbers, so the columns of im2col
// are rows of x shifted by a tap: [channels * kernel_h * kernel_w][width * 32], and y[k] = p^T
// column.  Work is split by rows of the image; a thread's buffer lives for one call.
#include "kernels.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 32 };

static int share(int count, int part, int parts)
{
    return (int)((int64_t)count * part / parts);
}

// Row h of one group of x as columns, zero where a tap leaves the image.
static void im2col(float *column, const float *x, int channels, int height, int width, int kernel_h,
                   int kernel_w, int h)
{
    const size_t row = (size_t)width * LANES;
    for (int c = 0; c < channels; c++)
        for (int r = 0; r < kernel_h; r++)
            for (int s = 0; s < kernel_w; s++, column += row) {
                const int from = h + r - kernel_h / 2, shift = s - kernel_w / 2;
                const int w0 = shift < 0 ? -shift : 0, w1 = shift > 0 ? width - shift : width;
                memset(column, 0, row * sizeof *column);
                if (from >= 0 && from < height && w1 > w0)
                    memcpy(column + (size_t)w0 * LANES,
                           x + c * (size_t)height * width * LANES +
                               ((size_t)from * width + w0 + shift) * LANES,
                           (size_t)(w1 - w0) * LANES * sizeof *x);
            }
}

void conv_blas(float *y, const float *x, const float *p, const float *b, int channels, int height,
               int width, int filters, int kernel_h, int kernel_w, int accumulate, int groups,
               int part, int parts)
{
    const int taps = channels * kernel_h * kernel_w, row = width * LANES;
    const size_t plane = (size_t)height * width * LANES;
    float *column = xmalloc((size_t)taps * (size_t)row * sizeof *column);
    openblas_set_num_threads(1);
    for (int i = share(groups * height, part, parts); i < share(groups * height, part + 1, parts);
         i++) {
        const int g = i / height, h = i % height;
        float *out = y + (size_t)g * filters * plane + (size_t)h * row;
        im2col(column, x + (size_t)g * channels * plane, channels, height, width, kernel_h,
               kernel_w, h);
        for (int k = 0; b && k < filters; k++)
            for (int j = 0; j < row; j++)
                out[k * plane + j] = b[k] + (accumulate ? out[k * plane + j] : 0.0f);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, filters, row, taps, 1.0f, p, filters,
                    column, row, b || accumulate ? 1.0f : 0.0f, out, (int)plane);
    }
    free(column);
}

// Rows of dw that one product makes: always the same ones, so that sgemm rounds the same way for
// any number of parts.
enum { FILTERS = 16 };

void conv_weights_backward_blas(float *dw, const float *x, const float *dy, int channels,
                                int height, int width, int filters, int kernel_h, int kernel_w,
                                int groups, int part, int parts)
{
    const int taps = channels * kernel_h * kernel_w, row = width * LANES;
    const int blocks = (filters + FILTERS - 1) / FILTERS;
    const int first = share(blocks, part, parts), last = share(blocks, part + 1, parts);
    const size_t plane = (size_t)height * width * LANES;
    if (first == last)
        return;
    float *column = xmalloc((size_t)taps * (size_t)row * sizeof *column);
    openblas_set_num_threads(1);
    for (int i = 0; i < groups * height; i++) {
        const int g = i / height, h = i % height;
        im2col(column, x + (size_t)g * channels * plane, channels, height, width, kernel_h,
               kernel_w, h);
        for (int k = first * FILTERS; k < last * FILTERS && k < filters; k += FILTERS) {
            const int rows = filters - k < FILTERS ? filters - k : FILTERS;
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, rows, taps, row, 1.0f,
                        dy + ((size_t)g * filters + k) * plane + (size_t)h * row, (int)plane,
                        column, row, i ? 1.0f : 0.0f, dw + (size_t)k * taps, taps);
        }
    }
    free(column);
}
