// data_outline.h - the shapes of the built-in data set, as signed distances.
#ifndef NAGO_DATA_OUTLINE_H
#define NAGO_DATA_OUTLINE_H

// The distance of (x, y) to the outline, about exact near it; negative inside.  y points down.
typedef float Outline(float x, float y);

enum { SHAPE_KINDS = 20 };
#define OUTLINE_REACH 1.6f // no shape, scaled and stretched, reaches farther from its center

// In the order of the classes: the first ten are what a set of ten classes shows.
extern const struct OutlineRow {
    const char *name;
    Outline *distance;
    float scale; // makes the areas about the same
} outlines[SHAPE_KINDS];

Outline outline_stroke; // a thin bar, of no class

#endif
