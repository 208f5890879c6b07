// data_picture.c - one picture of any size to planes of the wanted size.
//
// The picture is scaled, keeping its proportions, until it just covers height x width, and the
// middle is cut out.  Scaling is a triangle filter as wide as the reduction (bilinear when
// enlarging): every source pixel counts, so small pictures do not alias.  Both axes are filtered
// one after the other:
//
//     out[i] = sum over taps t of weight[i][t] * in[first[i] + t]
//
// Source: Turkowski, "Filters for Common Resampling Tasks", Graphics Gems I, 1990.
#include "data_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_png(const char *bytes, size_t size)
{
    return size >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0;
}

static bool is_jpeg(const char *bytes, size_t size)
{
    return size >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0;
}

static bool unknown_error(const char *path, size_t size, Err *err)
{
    if (size == 0)
        return err_input(err, "%s: error: empty file", path);
    return err_input(err, "%s: error: byte 0: neither a JPEG nor a PNG file", path);
}

bool picture_size(const char *path, const char *bytes, size_t size, int *width, int *height,
                  Err *err)
{
    if (is_jpeg(bytes, size))
        return jpeg_size(path, bytes, size, width, height, err);
    if (!is_png(bytes, size))
        return unknown_error(path, size, err);
    if (size < 24)
        return err_input(err, "%s: error: byte %zu: the file ends early", path, size);
    const unsigned char *at = (const unsigned char *)bytes + 16; // IHDR
    int64_t sides[2];
    for (int i = 0; i < 2; i++, at += 4)
        sides[i] = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    if (sides[0] < 1 || sides[1] < 1 || sides[0] > INT32_MAX || sides[1] > INT32_MAX)
        return err_input(err, "%s: error: byte 16: damaged PNG file: its size is %lldx%lld", path,
                         (long long)sides[0], (long long)sides[1]);
    *width = (int)sides[0];
    *height = (int)sides[1];
    return true;
}

bool picture_decode(const char *path, const char *bytes, size_t size, int want_height,
                    int want_width, int64_t max_pixels, Picture *picture, Err *err)
{
    *picture = (Picture){0};
    if (is_jpeg(bytes, size))
        return jpeg_decode(path, bytes, size, want_height, want_width, max_pixels, picture, err);
    if (is_png(bytes, size))
        return png_decode(path, bytes, size, max_pixels, picture, err);
    return unknown_error(path, size, err);
}

// The taps of every output position along one axis.
typedef struct {
    int count, taps; // outputs; taps of each
    int *first;      // [count]
    float *weights;  // [count][taps], each row sums to 1
} Axis;

// `step`: source pixels per output pixel; `start`: where in the source the window begins.
static Axis axis_make(int in, int out, double step, double start)
{
    double support = step > 1 ? step : 1;
    Axis axis = {.count = out, .taps = (int)ceil(2 * support) + 1};
    if (axis.taps > in)
        axis.taps = in;
    axis.first = xcalloc((size_t)out, sizeof *axis.first);
    axis.weights = xcalloc((size_t)out * (size_t)axis.taps, sizeof *axis.weights);
    for (int i = 0; i < out; i++) {
        double center = start + (i + 0.5) * step, sum = 0;
        int first = (int)floor(center - support + 0.5);
        first = first > in - axis.taps ? in - axis.taps : first;
        first = first < 0 ? 0 : first;
        float *weights = axis.weights + (size_t)i * (size_t)axis.taps;
        for (int t = 0; t < axis.taps; t++) {
            double distance = fabs(first + t + 0.5 - center) / support;
            weights[t] = distance < 1 ? (float)(1 - distance) : 0;
            sum += weights[t];
        }
        for (int t = 0; t < axis.taps; t++)
            weights[t] /= (float)sum;
        axis.first[i] = first;
    }
    return axis;
}

static void axis_free(Axis *axis)
{
    free(axis->first);
    free(axis->weights);
}

// Filters one interleaved RGB row along x.
static void row_filter(const Axis *axis, const uint8_t *row, float *out)
{
    for (int x = 0; x < axis->count; x++, out += 3) {
        const float *weights = axis->weights + (size_t)x * (size_t)axis->taps;
        const uint8_t *in = row + 3 * (size_t)axis->first[x];
        out[0] = out[1] = out[2] = 0;
        for (int t = 0; t < axis->taps; t++, in += 3) {
            out[0] += weights[t] * in[0];
            out[1] += weights[t] * in[1];
            out[2] += weights[t] * in[2];
        }
    }
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5f);
}

// One output pixel, from RGB, into the planes.
static void pixel_write(const float rgb[3], int channels, size_t plane, uint8_t *out)
{
    if (channels == 1)
        out[0] = to_byte(0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]);
    else
        for (int c = 0; c < 3; c++)
            out[(size_t)c * plane] = to_byte(rgb[c]);
}

// Filters along y what row_filter made: `rows` begins at source row `top`.
static void columns_filter(const Axis *axis, const float *rows, int top, int channels, int width,
                           uint8_t *out)
{
    size_t plane = (size_t)axis->count * (size_t)width, stride = 3 * (size_t)width;
    for (int y = 0; y < axis->count; y++)
        for (int x = 0; x < width; x++) {
            const float *weights = axis->weights + (size_t)y * (size_t)axis->taps;
            const float *in = rows + (size_t)(axis->first[y] - top) * stride + 3 * (size_t)x;
            float rgb[3] = {0};
            for (int t = 0; t < axis->taps; t++, in += stride)
                for (int c = 0; c < 3; c++)
                    rgb[c] += weights[t] * in[c];
            pixel_write(rgb, channels, plane, out + (size_t)y * (size_t)width + x);
        }
}

void picture_fit(const Picture *picture, int channels, int height, int width, uint8_t *out)
{
    double step_y = (double)picture->height / height, step_x = (double)picture->width / width;
    double step = step_y < step_x ? step_y : step_x;
    // The window starts at a whole pixel of the scaled picture: at step 1 the result is exact.
    double start_y = floor((picture->height / step - height) / 2 + 1e-6) * step;
    double start_x = floor((picture->width / step - width) / 2 + 1e-6) * step;
    Axis down = axis_make(picture->height, height, step, start_y);
    Axis along = axis_make(picture->width, width, step, start_x);
    int top = down.first[0], bottom = down.first[height - 1] + down.taps;
    float *rows = xmalloc((size_t)(bottom - top) * 3 * (size_t)width * sizeof *rows);
    for (int y = top; y < bottom; y++)
        row_filter(&along, picture->rgb + (size_t)y * 3 * (size_t)picture->width,
                   rows + (size_t)(y - top) * 3 * (size_t)width);
    columns_filter(&down, rows, top, channels, width, out);
    free(rows);
    axis_free(&down);
    axis_free(&along);
}
