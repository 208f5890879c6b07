// widths.c - which tensors of an int8 program have 16 bits.
//
// In a map of a few channels nothing averages the rounding of one number away, and such a map is
// small: most often a program needs its memory elsewhere, in the head or at the highest resolution.
// So tensors of few channels (quantise.c) have 16 bits, from the smallest upwards, as long as the
// planned arena does not grow.
#include "ir.h"

#include <stdlib.h>
#include <string.h>

// The arena of the program quantised so, in floats; -1 and an error.  `ir` stays as it is.
static int64_t arena_of(const Ir *ir, const Ranges *ranges, int64_t widest, Err *err)
{
    Ir *trial = pool_alloc(ir->pool, sizeof *trial);
    *trial = *ir;
    trial->cap_tensors = (size_t)ir->n_tensors;
    trial->tensors = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *trial->tensors);
    memcpy(trial->tensors, ir->tensors, (size_t)ir->n_tensors * sizeof *trial->tensors);
    if (!quantise(trial, ranges, widest, true, err))
        return -1;
    schedule_ops(trial);
    plan_memory(trial, true);
    return trial->arena_floats;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// The sizes of the tensors that may be wide, ascending, each once; the first is 0.
static int candidates(const Ir *ir, int64_t *sizes)
{
    int n = 0, kept = 1;
    sizes[n++] = 0;
    for (int t = 0; t < ir->n_tensors; t++) {
        const Tensor *tensor = &ir->tensors[t];
        if (tensor->layout == LAYOUT_PIXELS && may_be_wide(tensor))
            sizes[n++] = (int64_t)tensor->channels * tensor->height * tensor->width;
    }
    qsort(sizes, (size_t)n, sizeof *sizes, by_size);
    for (int i = 1; i < n; i++)
        if (sizes[i] != sizes[kept - 1])
            sizes[kept++] = sizes[i];
    return kept;
}

int64_t widest_free(const Ir *ir, const Ranges *ranges, Err *err)
{
    int64_t *sizes = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *sizes);
    int free = 0, dear = candidates(ir, sizes);
    const int64_t arena = arena_of(ir, ranges, 0, err);
    if (arena < 0)
        return -1;
    while (free + 1 < dear) {
        const int middle = (free + dear) / 2;
        if (arena_of(ir, ranges, sizes[middle], err) <= arena)
            free = middle;
        else
            dear = middle;
    }
    return sizes[free];
}
