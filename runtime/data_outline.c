// data_outline.c - twenty shapes as signed distance functions.
//
// Polygons: the distance to the nearest edge, its sign by counting crossings.  The rest is put
// together from discs, boxes and polygons: union = min, intersection = max, cut = max(a, -b).
// Corners are constants, so that no trigonometry is called.
// Source: Hart, "Sphere tracing", The Visual Computer 1996 (distance bounds of set operations).
#include "data_outline.h"

#include <math.h>
#include <stdbool.h>

typedef struct {
    float x, y;
} Point;

static float least(float a, float b)
{
    return a < b ? a : b;
}

static float most(float a, float b)
{
    return a > b ? a : b;
}

static float disc(float x, float y, float radius)
{
    return sqrtf(x * x + y * y) - radius;
}

static float box(float x, float y, float half_width, float half_height)
{
    float dx = fabsf(x) - half_width, dy = fabsf(y) - half_height;
    float out_x = most(dx, 0), out_y = most(dy, 0);
    return sqrtf(out_x * out_x + out_y * out_y) + least(most(dx, dy), 0);
}

static float polygon(float x, float y, const Point *corners, int count)
{
    float nearest = 1e9f;
    bool is_inside = false;
    for (int i = 0, j = count - 1; i < count; j = i++) {
        Point a = corners[j], b = corners[i];
        float ex = b.x - a.x, ey = b.y - a.y, px = x - a.x, py = y - a.y;
        float along = (px * ex + py * ey) / (ex * ex + ey * ey);
        along = least(most(along, 0), 1);
        float dx = px - along * ex, dy = py - along * ey;
        nearest = least(nearest, dx * dx + dy * dy);
        if ((a.y > y) != (b.y > y) && x < a.x + (y - a.y) * ex / ey)
            is_inside = !is_inside;
    }
    return is_inside ? -sqrtf(nearest) : sqrtf(nearest);
}

#define POLYGON(x, y, corners) polygon(x, y, corners, (int)(sizeof(corners) / sizeof *(corners)))

static float circle(float x, float y)
{
    return disc(x, y, 0.85f);
}

static float square(float x, float y)
{
    return box(x, y, 0.75f, 0.75f);
}

static float triangle(float x, float y)
{
    static const Point corners[] = {{0, -1.1f}, {0.953f, 0.55f}, {-0.953f, 0.55f}};
    return POLYGON(x, y, corners);
}

static float star(float x, float y)
{
    static const Point corners[] = {{0, -1},
                                    {0.2351f, -0.3236f},
                                    {0.9511f, -0.3090f},
                                    {0.3804f, 0.1236f},
                                    {0.5878f, 0.8090f},
                                    {0, 0.4f},
                                    {-0.5878f, 0.8090f},
                                    {-0.3804f, 0.1236f},
                                    {-0.9511f, -0.3090f},
                                    {-0.2351f, -0.3236f}};
    return POLYGON(x, y, corners);
}

static float cross(float x, float y)
{
    return least(box(x, y, 0.95f, 0.33f), box(x, y, 0.33f, 0.95f));
}

static float ring(float x, float y)
{
    return fabsf(disc(x, y, 0.75f)) - 0.22f;
}

static float crescent(float x, float y)
{
    return most(disc(x, y, 0.95f), -disc(x - 0.5f, y, 0.75f));
}

static float hexagon(float x, float y)
{
    static const Point corners[] = {{0.95f, 0},  {0.475f, 0.8227f},   {-0.475f, 0.8227f},
                                    {-0.95f, 0}, {-0.475f, -0.8227f}, {0.475f, -0.8227f}};
    return POLYGON(x, y, corners);
}

// Not the distance but its first-order estimate, good near the outline.
static float ellipse(float x, float y)
{
    const float a = 1.1f, b = 0.55f;
    float level = sqrtf(x * x / (a * a) + y * y / (b * b));
    float slope = sqrtf(x * x / (a * a * a * a) + y * y / (b * b * b * b));
    return slope > 1e-6f ? level * (level - 1) / slope : -b;
}

static float arrow(float x, float y)
{
    static const Point corners[] = {{1, 0},      {0.1f, 0.85f}, {0.1f, 0.3f},  {-1, 0.3f},
                                    {-1, -0.3f}, {0.1f, -0.3f}, {0.1f, -0.85f}};
    return POLYGON(x, y, corners);
}

static float heart(float x, float y)
{
    static const Point corners[] = {{0, -0.35f}, {0.8f, 0}, {0, 1}, {-0.8f, 0}};
    float lobes = least(disc(x - 0.44f, y + 0.3f, 0.46f), disc(x + 0.44f, y + 0.3f, 0.46f));
    return least(lobes, POLYGON(x, y, corners));
}

static float half_disc(float x, float y)
{
    return most(disc(x, y + 0.4f, 1.1f), -(y + 0.4f));
}

static float letter_l(float x, float y)
{
    static const Point corners[] = {{-0.7f, -1},  {-0.1f, -1}, {-0.1f, 0.4f},
                                    {0.8f, 0.4f}, {0.8f, 1},   {-0.7f, 1}};
    return POLYGON(x, y, corners);
}

static float letter_t(float x, float y)
{
    return least(box(x, y + 0.6f, 0.9f, 0.3f), box(x, y - 0.2f, 0.3f, 0.8f));
}

static float bar(float x, float y)
{
    return box(x, y, 1.15f, 0.38f);
}

static float frame(float x, float y)
{
    return fabsf(box(x, y, 0.62f, 0.62f)) - 0.18f;
}

static float drop(float x, float y)
{
    static const Point corners[] = {{0, -1.15f}, {0.55f, -0.01f}, {-0.55f, -0.01f}};
    return least(disc(x, y - 0.3f, 0.63f), POLYGON(x, y, corners));
}

static float clover(float x, float y)
{
    float lobes = least(disc(x, y + 0.5f, 0.48f), disc(x - 0.433f, y - 0.25f, 0.48f));
    return least(lobes, disc(x + 0.433f, y - 0.25f, 0.48f));
}

static float letter_z(float x, float y)
{
    static const Point corners[] = {{-0.9f, -0.9f}, {0.9f, -0.9f}, {0.9f, -0.45f}, {0.0f, 0.4f},
                                    {0.9f, 0.4f},   {0.9f, 0.9f},  {-0.9f, 0.9f},  {-0.9f, 0.45f},
                                    {0.0f, -0.4f},  {-0.9f, -0.4f}};
    return POLYGON(x, y, corners);
}

// A disc with a slice taken out.
static float slice(float x, float y)
{
    static const Point corners[] = {{-0.05f, 0}, {1.5f, -1.1f}, {1.5f, 1.1f}};
    return most(disc(x, y, 0.95f), -POLYGON(x, y, corners));
}

float outline_stroke(float x, float y)
{
    return box(x, y, 1.3f, 0.25f);
}

const struct OutlineRow outlines[SHAPE_KINDS] = {
    {"circle", circle, 0.878f},   {"square", square, 0.883f},   {"triangle", triangle, 1.056f},
    {"star", star, 1.18f},        {"cross", cross, 0.921f},     {"ring", ring, 0.919f},
    {"crescent", crescent, 1.1f}, {"hexagon", hexagon, 0.864f}, {"ellipse", ellipse, 0.96f},
    {"arrow", arrow, 1.1f},       {"heart", heart, 0.94f},      {"half-disc", half_disc, 0.96f},
    {"l", letter_l, 1},           {"t", letter_t, 0.97f},       {"bar", bar, 1},
    {"frame", frame, 1},          {"drop", drop, 1.04f},        {"clover", clover, 0.915f},
    {"z", letter_z, 0.842f},      {"slice", slice, 0.887f},
};
