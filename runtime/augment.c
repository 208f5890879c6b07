// augment.c - one image out of a data set: shifted, mirrored, normalised, with a square cut out.
//
// The recipe is the usual one (He et al. 2016: 4 black pixels on each side, a random 32x32 crop of
// the 40x40, a flip; DeVries & Taylor 2017: cutout), done without the 40x40: a crop at (dy, dx) is
// the image moved by up to the border, with black where nothing was.  All draws come from the
// stream (seed, "augment", epoch, position), always in the same order.
#include "data.h"

#include <string.h>

typedef struct {
    int dy, dx; // where the source row or column of output (0, 0) lies
    bool is_mirrored;
    int top, bottom, left, right; // the square cut out, clipped; empty: top == bottom
} Draw;

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

static Draw draw_make(const Dataset *data, const Augment *augment, Random *random)
{
    Draw draw = {0};
    int height = data->height, width = data->width;
    if (augment->standard) {
        int border_y = height / 8, border_x = width / 8;
        draw.dy = (int)random_below(random, (uint64_t)(2 * border_y + 1)) - border_y;
        draw.dx = (int)random_below(random, (uint64_t)(2 * border_x + 1)) - border_x;
        draw.is_mirrored = random_below(random, 2) == 1;
    }
    if (augment->cutout > 0) {
        // No square needs to be larger than twice the image: the sums below stay small.
        int side = clamp(augment->cutout, 0, 2 * (height > width ? height : width));
        int y = (int)random_below(random, (uint64_t)height) - side / 2;
        int x = (int)random_below(random, (uint64_t)width) - side / 2;
        draw.top = clamp(y, 0, height);
        draw.bottom = clamp(y + side, 0, height);
        draw.left = clamp(x, 0, width);
        draw.right = clamp(x + side, 0, width);
    }
    return draw;
}

// One row: out[x] = source[x + dx] scaled, black outside; mirrored if asked.
static void row_write(const uint8_t *source, int width, const Draw *draw, float scale, float offset,
                      float *restrict out)
{
    // Output columns [first, last) see the source, before mirroring.
    int dx = draw->dx, first = clamp(-dx, 0, width), last = clamp(width - dx, 0, width);
    if (dx != 0)
        for (int x = 0; x < width; x++)
            out[x] = offset;
    if (!draw->is_mirrored)
        for (int x = first; x < last; x++)
            out[x] = (float)source[x + dx] * scale + offset;
    else
        for (int x = first; x < last; x++)
            out[width - 1 - x] = (float)source[x + dx] * scale + offset;
}

static void plane_write(const Dataset *data, const uint8_t *source, const Draw *draw, float mean,
                        float deviation, float *out)
{
    int height = data->height, width = data->width;
    float scale = 1 / (255 * deviation), offset = -mean / deviation;
    for (int y = 0; y < height; y++, out += width) {
        int from = y + draw->dy;
        if (from >= 0 && from < height) {
            row_write(source + (size_t)from * (size_t)width, width, draw, scale, offset, out);
        } else {
            for (int x = 0; x < width; x++)
                out[x] = offset;
        }
        if (y >= draw->top && y < draw->bottom)
            memset(out + draw->left, 0, sizeof *out * (size_t)(draw->right - draw->left));
    }
}

void dataset_image(const Dataset *data, const Images *images, uint32_t index,
                   const Augment *augment, uint64_t seed, uint64_t epoch, uint64_t position,
                   float *out)
{
    size_t plane = (size_t)data->height * (size_t)data->width;
    const uint8_t *source = images->pixels + index * (size_t)data->channels * plane;
    Draw draw = {0};
    if (augment && (augment->standard || augment->cutout > 0)) {
        Random random = random_stream(seed, "augment", epoch, position);
        draw = draw_make(data, augment, &random);
    }
    for (int c = 0; c < data->channels; c++)
        plane_write(data, source + (size_t)c * plane, &draw, data->mean[c], data->deviation[c],
                    out + (size_t)c * plane);
}
