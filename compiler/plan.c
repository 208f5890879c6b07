// plan.c - the memory plan: an offset in the arena for every tensor, so that two tensors share
// memory only when they are never alive together.
//
// Ops are walked in order with a list of free ranges: results take the smallest range that holds
// them, arguments read for the last time give theirs back.  An op that may work in place
// (op_list.h) takes over the memory of an argument that dies there.  Offsets are multiples of 16
// floats (64 bytes).
#include "ir.h"

#include <string.h>

enum { ALIGN = 16 };

typedef struct {
    int64_t offset, floats;
} Range;

typedef struct {
    Range *ranges; // free, by offset, never adjacent
    int n;
    size_t capacity;
    int64_t end; // everything from here on is free
    Pool *pool;
} FreeList;

static int64_t aligned(int64_t floats)
{
    return (floats + ALIGN - 1) / ALIGN * ALIGN;
}

static void remove_range(FreeList *list, int i)
{
    memmove(list->ranges + i, list->ranges + i + 1,
            (size_t)(list->n - i - 1) * sizeof *list->ranges);
    list->n--;
}

static int64_t take(FreeList *list, int64_t floats)
{
    int best = -1;
    for (int i = 0; i < list->n; i++)
        if (list->ranges[i].floats >= floats &&
            (best < 0 || list->ranges[i].floats < list->ranges[best].floats))
            best = i;
    if (best < 0) { // a new end, begun in the free range that touches the old one
        int64_t offset = list->end;
        if (list->n &&
            list->ranges[list->n - 1].offset + list->ranges[list->n - 1].floats == list->end) {
            offset = list->ranges[--list->n].offset;
            list->end = offset;
        }
        list->end += floats;
        return offset;
    }
    const int64_t offset = list->ranges[best].offset;
    list->ranges[best].offset += floats;
    list->ranges[best].floats -= floats;
    if (list->ranges[best].floats == 0)
        remove_range(list, best);
    return offset;
}

static void give(FreeList *list, int64_t offset, int64_t floats)
{
    int i = 0;
    while (i < list->n && list->ranges[i].offset < offset)
        i++;
    const bool joins_left =
        i > 0 && list->ranges[i - 1].offset + list->ranges[i - 1].floats == offset;
    const bool joins_right = i < list->n && offset + floats == list->ranges[i].offset;
    if (joins_left && joins_right) {
        list->ranges[i - 1].floats += floats + list->ranges[i].floats;
        remove_range(list, i);
    } else if (joins_left) {
        list->ranges[i - 1].floats += floats;
    } else if (joins_right) {
        list->ranges[i].offset = offset;
        list->ranges[i].floats += floats;
    } else {
        list->ranges = pool_grow(list->pool, list->ranges, (size_t)list->n, (size_t)list->n + 1,
                                 &list->capacity, sizeof *list->ranges);
        memmove(list->ranges + i + 1, list->ranges + i,
                (size_t)(list->n - i) * sizeof *list->ranges);
        list->ranges[i] = (Range){offset, floats};
        list->n++;
    }
}

static void find_lives(const Ir *ir, int *first, int *last)
{
    for (int t = 0; t < ir->n_tensors; t++)
        first[t] = last[t] = -1;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA)
                continue;
            if (first[t] < 0)
                first[t] = o;
            last[t] = o;
        }
}

// The argument whose memory op o's first result takes over, or -1.
static int takes_over(const Ir *ir, int o, const int *first, const int *last)
{
    const Op *op = &ir->ops[o];
    const int place = op_info[op->kind].inplace;
    if (place < 0 || first[op->args[0]] != o || ir->tensors[op->args[0]].space != SPACE_ARENA)
        return -1;
    const int t = op->args[place];
    return t >= 0 && ir->tensors[t].space == SPACE_ARENA && last[t] == o &&
                   ir->tensors[t].floats == ir->tensors[op->args[0]].floats
               ? t
               : -1;
}

static void plan_op(Ir *ir, int o, FreeList *list, const int *first, int *last)
{
    const Op *op = &ir->ops[o];
    const int donor = takes_over(ir, o, first, last);
    if (donor >= 0) {
        ir->tensors[op->args[0]].offset = ir->tensors[donor].offset;
        last[donor] = -1; // its memory lives on
    }
    for (int i = 0; i < op->n_args; i++) {
        const int t = op->args[i];
        if (t >= 0 && first[t] == o && ir->tensors[t].space == SPACE_ARENA &&
            ir->tensors[t].offset < 0)
            ir->tensors[t].offset = take(list, aligned(ir->tensors[t].floats));
    }
    for (int i = 0; i < op->n_args; i++) {
        const int t = op->args[i];
        if (t < 0 || last[t] != o || ir->tensors[t].space != SPACE_ARENA)
            continue;
        give(list, ir->tensors[t].offset, aligned(ir->tensors[t].floats));
        last[t] = -1; // may appear twice among the arguments
    }
}

// What no op touches (a fusion left it behind) gets no memory.
static void plan_apart(Ir *ir, const int *first)
{
    for (int t = 0; t < ir->n_tensors; t++)
        if (ir->tensors[t].space == SPACE_ARENA && first[t] >= 0) {
            ir->tensors[t].offset = ir->arena_floats;
            ir->arena_floats += aligned(ir->tensors[t].floats);
        }
}

void plan_memory(Ir *ir, bool share)
{
    int *first = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *first);
    int *last = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *last);
    FreeList list = {.pool = ir->pool};
    find_lives(ir, first, last);
    if (!share) {
        plan_apart(ir, first);
        return;
    }
    for (int o = 0; o < ir->n_ops; o++)
        plan_op(ir, o, &list, first, last);
    ir->arena_floats = list.end;
}
