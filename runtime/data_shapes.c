// data_shapes.c - the built-in data set: one of up to twenty shapes in every image, drawn.
//
// The class is the shape.  Nothing else tells it: colours, place, angle, size, stretch, a gradient
// behind it (dim: the shape is brighter), small pieces of other shapes around it, strokes across it
// and noise are all drawn at random, and the areas of all shapes are about the same.  So a linear
// classifier finds next to nothing and a network has to learn edges, corners and how they go
// together.
//
// A shape is a function (data_outline.c): the signed distance of a point to its outline, negative
// inside, about one unit in radius.  A pixel is covered by clamp(1/2 - distance in pixels), which
// is what anti-aliasing needs.  Image i of a split comes from its own stream (seed, split, i), and
// only IEEE-exact operations (+ - * / sqrt) are used, so that the pixels are the same on every
// machine.
#include "data_outline.h"
#include "data_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_SIDE = 8, MAX_SIDE = 256, MAX_SPLIT = 10000000, MAX_DISTRACTORS = 100 };

typedef struct {
    int classes, distractors;
    double noise;
    uint64_t seed;
} ShapesOptions;

// An image being drawn: planes of red, green, blue in [0, 1].
typedef struct {
    int height, width, side; // side: the smaller one, the unit of all sizes
    float *rgb;
} Canvas;

// Where an outline lies: center and radius in pixels, rotation (cos, sin), stretch of its own axes.
typedef struct {
    float x, y, radius, cosine, sine, stretch_x, stretch_y;
} Pose;

typedef struct {
    float rgb[3];
} Color;

static float draw(Random *random, float low, float high)
{
    return low + (high - low) * (float)random_unit(random);
}

// A direction without sine and cosine: a point in the disc, pushed to its rim.
static void draw_direction(Random *random, float *cosine, float *sine)
{
    float x, y, square;
    do {
        x = draw(random, -1, 1);
        y = draw(random, -1, 1);
        square = x * x + y * y;
    } while (square > 1 || square < 0.01f);
    float length = sqrtf(square);
    *cosine = x / length;
    *sine = y / length;
}

static Color draw_color(Random *random, float brightest)
{
    Color color;
    for (int c = 0; c < 3; c++)
        color.rgb[c] = draw(random, 0, brightest);
    return color;
}

static float luma(const float *rgb)
{
    return 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
}

// A colour that is brighter than `behind`, so that it stands out in grey too.  Were it darker half
// of the time, a small network would need an hour to find out that the sign does not matter.
static Color draw_contrast(Random *random, const Color *behind)
{
    for (int tries = 0; tries < 30; tries++) {
        Color color = draw_color(random, 1);
        if (luma(color.rgb) > luma(behind->rgb) + 0.2f)
            return color;
    }
    return (Color){{1, 1, 1}};
}

static Color canvas_color(const Canvas *canvas, float x, float y)
{
    Color color;
    size_t plane = (size_t)canvas->height * (size_t)canvas->width;
    size_t at = (size_t)y * (size_t)canvas->width + (size_t)x;
    for (int c = 0; c < 3; c++)
        color.rgb[c] = canvas->rgb[(size_t)c * plane + at];
    return color;
}

static void blend(Canvas *canvas, int x, int y, float cover, const Color *color)
{
    size_t plane = (size_t)canvas->height * (size_t)canvas->width;
    float *at = canvas->rgb + (size_t)y * (size_t)canvas->width + x;
    for (int c = 0; c < 3; c++, at += plane)
        *at += cover * (color->rgb[c] - *at);
}

static int limit(float value, int low, int high)
{
    return value < (float)low ? low : value > (float)high ? high : (int)value;
}

// Draws one outline filled with a colour.
static void paint(Canvas *canvas, Outline *outline, const Pose *pose, const Color *color)
{
    float reach = OUTLINE_REACH * pose->radius + 1;
    float thin = pose->stretch_x < pose->stretch_y ? pose->stretch_x : pose->stretch_y;
    int top = limit(pose->y - reach, 0, canvas->height);
    int bottom = limit(pose->y + reach + 1, 0, canvas->height);
    int left = limit(pose->x - reach, 0, canvas->width);
    int right = limit(pose->x + reach + 1, 0, canvas->width);
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++) {
            float dx = ((float)x + 0.5f - pose->x) / pose->radius;
            float dy = ((float)y + 0.5f - pose->y) / pose->radius;
            float u = (pose->cosine * dx + pose->sine * dy) / pose->stretch_x;
            float v = (pose->cosine * dy - pose->sine * dx) / pose->stretch_y;
            float cover = 0.5f - outline(u, v) * pose->radius * thin;
            if (cover > 0)
                blend(canvas, x, y, cover < 1 ? cover : 1, color);
        }
}

static void background_draw(Canvas *canvas, Random *random)
{
    Color from = draw_color(random, 0.6f), to = draw_color(random, 0.6f);
    float cosine, sine;
    draw_direction(random, &cosine, &sine);
    size_t plane = (size_t)canvas->height * (size_t)canvas->width;
    for (int y = 0; y < canvas->height; y++)
        for (int x = 0; x < canvas->width; x++) {
            float u = ((float)x + 0.5f) / (float)canvas->width - 0.5f;
            float v = ((float)y + 0.5f) / (float)canvas->height - 0.5f;
            float share = 0.5f + 0.6f * (cosine * u + sine * v);
            float *at = canvas->rgb + (size_t)y * (size_t)canvas->width + x;
            for (int c = 0; c < 3; c++)
                at[(size_t)c * plane] = from.rgb[c] + share * (to.rgb[c] - from.rgb[c]);
        }
}

static Pose draw_pose(const Canvas *canvas, Random *random, float small, float large)
{
    Pose pose;
    float side = (float)canvas->side;
    pose.radius = side * draw(random, small, large);
    draw_direction(random, &pose.cosine, &pose.sine);
    pose.stretch_x = draw(random, 0.85f, 1.15f);
    pose.stretch_y = draw(random, 0.85f, 1.15f);
    pose.x = draw(random, 0, (float)canvas->width);
    pose.y = draw(random, 0, (float)canvas->height);
    return pose;
}

// A small piece of something: a stroke, or any shape at a third of the size.
static void distractor_draw(Canvas *canvas, Random *random)
{
    Color color = draw_color(random, 1);
    bool is_stroke = random_below(random, 2) == 0;
    Pose pose = draw_pose(canvas, random, 0.07f, 0.14f);
    Outline *outline = outlines[random_below(random, SHAPE_KINDS)].distance;
    paint(canvas, is_stroke ? outline_stroke : outline, &pose, &color);
}

static void subject_draw(Canvas *canvas, int shape, Random *random)
{
    Pose pose = draw_pose(canvas, random, 0.24f, 0.40f);
    float inside = 0.95f * pose.radius;
    pose.x = draw(random, inside, (float)canvas->width - inside);
    pose.y = draw(random, inside, (float)canvas->height - inside);
    Color behind = canvas_color(canvas, pose.x, pose.y);
    Color color = draw_contrast(random, &behind);
    pose.radius *= outlines[shape].scale;
    paint(canvas, outlines[shape].distance, &pose, &color);
}

// Sums of four bytes each: close enough to a normal distribution, and exact.
static float noise_next(Random *random, uint64_t *bits, int *left)
{
    if (*left == 0) {
        *bits = random_u64(random);
        *left = 2;
    }
    int sum = 0;
    for (int i = 0; i < 4; i++, *bits >>= 8)
        sum += (int)(*bits & 255);
    --*left;
    return (float)(sum - 510) / 147.8f; // mean and deviation of such a sum
}

static void canvas_write(const Canvas *canvas, int channels, float noise, Random *random,
                         uint8_t *out)
{
    size_t plane = (size_t)canvas->height * (size_t)canvas->width;
    uint64_t bits = 0;
    int left = 0;
    for (int c = 0; c < channels; c++)
        for (size_t i = 0; i < plane; i++) {
            float rgb[3] = {canvas->rgb[i], canvas->rgb[plane + i], canvas->rgb[2 * plane + i]};
            float value = channels == 1 ? luma(rgb) : rgb[c];
            value += noise * noise_next(random, &bits, &left);
            *out++ = (uint8_t)(value <= 0 ? 0 : value >= 1 ? 255 : value * 255 + 0.5f);
        }
}

static void image_draw(Canvas *canvas, int shape, int channels, const ShapesOptions *options,
                       Random *random, uint8_t *out)
{
    background_draw(canvas, random);
    for (int i = 0; i < options->distractors; i++)
        distractor_draw(canvas, random);
    subject_draw(canvas, shape, random);
    // A few strokes lie across the shape.
    for (int i = 0; i < (options->distractors + 2) / 3; i++) {
        Color color = draw_color(random, 1);
        Pose pose = draw_pose(canvas, random, 0.10f, 0.16f);
        paint(canvas, outline_stroke, &pose, &color);
    }
    canvas_write(canvas, channels, (float)options->noise, random, out);
}

static bool split_draw(const char *name, int count, const ShapesOptions *options, Dataset *data,
                       Images *images, Err *err)
{
    if (!images_reserve(images, count, data, err))
        return false;
    Canvas canvas = {.height = data->height, .width = data->width};
    canvas.side = data->height < data->width ? data->height : data->width;
    size_t plane = (size_t)data->height * (size_t)data->width;
    canvas.rgb = xmalloc(3 * plane * sizeof *canvas.rgb);
    for (int i = 0; i < count; i++) {
        Random random = random_stream(options->seed, name, (uint64_t)i, 0);
        images->labels[i] = i % options->classes;
        image_draw(&canvas, images->labels[i], data->channels, options, &random,
                   images->pixels + (size_t)i * image_bytes(data));
    }
    images->count = count;
    free(canvas.rgb);
    return true;
}

bool shapes_open(const DataSpec *spec, DataShape shape, Dataset *data, Err *err)
{
    int64_t classes = 10, train = 4000, test = 1000, seed = 0, distractors = 6;
    ShapesOptions options = {.noise = 0.06};
    if (!spec_shape(spec, MIN_SIDE, MAX_SIDE, &shape, err) ||
        !spec_int(spec, "classes", 2, SHAPE_KINDS, &classes, err) ||
        !spec_int(spec, "train", 1, MAX_SPLIT, &train, err) ||
        !spec_int(spec, "test", 1, MAX_SPLIT, &test, err) ||
        !spec_int(spec, "seed", 0, (1LL << 53) - 1, &seed, err) ||
        !spec_int(spec, "distractors", 0, MAX_DISTRACTORS, &distractors, err) ||
        !spec_real(spec, "noise", 0, 1, &options.noise, err))
        return false;
    options.classes = (int)classes;
    options.distractors = (int)distractors;
    options.seed = (uint64_t)seed;
    data->channels = shape.channels ? shape.channels : 3;
    data->height = shape.height ? shape.height : shape.width ? shape.width : 32;
    data->width = shape.width ? shape.width : data->height;
    data->classes = options.classes;
    data->class_names = pool_alloc(data->pool, (size_t)classes * sizeof *data->class_names);
    for (int i = 0; i < options.classes; i++)
        data->class_names[i] = outlines[i].name;
    return split_draw("shapes.train", (int)train, &options, data, &data->train, err) &&
           split_draw("shapes.test", (int)test, &options, data, &data->test, err);
}
