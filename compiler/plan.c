// plan.c - the memory plan: an offset in the arena for every tensor, so that two tensors share
// memory only when they are never alive together.
//
// In: a program in its final order.  Each tensor is a block, alive from the first op that touches
// it to the last; where an op may work in place (ir.h, ir_takes_over), its result is an argument's
// heir.  Out: offsets, multiples of 64 bytes.
//
// First by best fit: ops are walked in order with a list of free ranges; heirs take over, other new
// blocks take the smallest range that holds them, dead ones give theirs back.  Where that needs
// more than is ever alive at once, and the order was searched for, pack.c looks for better.
#include "pack.h"

#include <string.h>

typedef struct {
    int64_t offset, bytes;
} Range;

typedef struct {
    Range *ranges; // free, by offset, never adjacent
    int n;
    size_t capacity;
    int64_t end; // everything from here on is free
    Pool *pool;
} FreeList;

static void remove_range(FreeList *list, int i)
{
    memmove(list->ranges + i, list->ranges + i + 1,
            (size_t)(list->n - i - 1) * sizeof *list->ranges);
    list->n--;
}

static int64_t take(FreeList *list, int64_t bytes)
{
    int best = -1;
    for (int i = 0; i < list->n; i++)
        if (list->ranges[i].bytes >= bytes &&
            (best < 0 || list->ranges[i].bytes < list->ranges[best].bytes))
            best = i;
    if (best < 0) { // a new end, begun in the free range that touches the old one
        int64_t offset = list->end;
        if (list->n &&
            list->ranges[list->n - 1].offset + list->ranges[list->n - 1].bytes == list->end) {
            offset = list->ranges[--list->n].offset;
            list->end = offset;
        }
        list->end += bytes;
        return offset;
    }
    const int64_t offset = list->ranges[best].offset;
    list->ranges[best].offset += bytes;
    list->ranges[best].bytes -= bytes;
    if (list->ranges[best].bytes == 0)
        remove_range(list, best);
    return offset;
}

static void give(FreeList *list, int64_t offset, int64_t bytes)
{
    int i = 0;
    while (i < list->n && list->ranges[i].offset < offset)
        i++;
    const bool joins_left =
        i > 0 && list->ranges[i - 1].offset + list->ranges[i - 1].bytes == offset;
    const bool joins_right = i < list->n && offset + bytes == list->ranges[i].offset;
    if (joins_left && joins_right) {
        list->ranges[i - 1].bytes += bytes + list->ranges[i].bytes;
        remove_range(list, i);
    } else if (joins_left) {
        list->ranges[i - 1].bytes += bytes;
    } else if (joins_right) {
        list->ranges[i].offset = offset;
        list->ranges[i].bytes += bytes;
    } else {
        list->ranges = pool_grow(list->pool, list->ranges, (size_t)list->n, (size_t)list->n + 1,
                                 &list->capacity, sizeof *list->ranges);
        memmove(list->ranges + i + 1, list->ranges + i,
                (size_t)(list->n - i) * sizeof *list->ranges);
        list->ranges[i] = (Range){offset, bytes};
        list->n++;
    }
}

// ---- blocks -------------------------------------------------------------------------------------

typedef struct {
    Block *blocks;
    int n;
    int *block_of; // tensor -> block, -1: none
} Blocks;

// The last op that touches each tensor, -1: none.
static int *find_lasts(const Ir *ir)
{
    int *last = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *last);
    for (int t = 0; t < ir->n_tensors; t++)
        last[t] = -1;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++)
            if (ir->ops[o].args[i] >= 0)
                last[ir->ops[o].args[i]] = o;
    return last;
}

// Notes that the blocks of the arguments whose place op o's first result may take have it as heir.
static void find_heir(Blocks *b, const Ir *ir, int o)
{
    const Op *op = &ir->ops[o];
    const int heir = op->n_args > 0 && op->args[0] >= 0 ? b->block_of[op->args[0]] : -1;
    if (heir < 0 || b->blocks[heir].first != o)
        return;
    for (int i = 1; i < op->n_args; i++)
        if (ir_takes_over(ir, op, i) && b->blocks[b->block_of[op->args[i]]].last == o)
            b->blocks[b->block_of[op->args[i]]].heir = heir;
}

// Blocks by their first op.
static Blocks find_blocks(const Ir *ir)
{
    Blocks b = {pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *b.blocks), 0,
                pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *b.block_of)};
    const int *last = find_lasts(ir);
    for (int t = 0; t < ir->n_tensors; t++)
        b.block_of[t] = -1;
    for (int o = 0; o < ir->n_ops; o++) {
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA || b.block_of[t] >= 0)
                continue;
            b.blocks[b.n] = (Block){tensor_bytes(&ir->tensors[t]), 0, o, last[t], -1};
            b.block_of[t] = b.n++;
        }
        find_heir(&b, ir, o);
    }
    return b;
}

// ---- the plan -----------------------------------------------------------------------------------

// Returns the size of the arena.
static int64_t fit_in_order(Blocks *b, int n_ops, Pool *pool)
{
    FreeList list = {.pool = pool};
    int *ending = pool_alloc(pool, (size_t)(n_ops + 1) * sizeof *ending); // lists of blocks, + 1
    int *next = pool_alloc(pool, (size_t)(b->n + 1) * sizeof *next);
    int *donor = pool_alloc(pool, (size_t)(b->n + 1) * sizeof *donor); // of each block, + 1
    for (int i = b->n - 1; i >= 0; i--) {
        next[i] = ending[b->blocks[i].last];
        ending[b->blocks[i].last] = i + 1;
        if (b->blocks[i].heir >= 0)
            donor[b->blocks[i].heir] = i + 1;
    }
    for (int o = 0, i = 0; o < n_ops; o++) {
        for (; i < b->n && b->blocks[i].first == o; i++)
            b->blocks[i].offset =
                donor[i] ? b->blocks[donor[i] - 1].offset : take(&list, b->blocks[i].bytes);
        for (int dead = ending[o]; dead; dead = next[dead - 1]) {
            const Block *block = &b->blocks[dead - 1];
            if (block->heir < 0 || donor[block->heir] != dead)
                give(&list, block->offset, block->bytes);
        }
    }
    return list.end;
}

static int64_t lie_apart(Blocks *b)
{
    int64_t end = 0;
    for (int i = 0; i < b->n; i++) {
        b->blocks[i].offset = end;
        end += b->blocks[i].bytes;
    }
    return end;
}

void plan_memory(Ir *ir, bool share)
{
    Blocks b = find_blocks(ir);
    ir->plan.order_bytes = blocks_alive(b.blocks, b.n, ir->n_ops, ir->pool);
    int64_t end = share ? fit_in_order(&b, ir->n_ops, ir->pool) : lie_apart(&b);
    // where the order was searched for, packing is worth the time, too
    if (share && ir->plan.bound_bytes > 0 && end > ir->plan.order_bytes)
        end = pack_blocks(b.blocks, b.n, ir->plan.order_bytes, end);
    // what no op touches (a fusion left it behind) gets no memory
    for (int t = 0; t < ir->n_tensors; t++)
        if (b.block_of[t] >= 0)
            ir->tensors[t].offset = b.blocks[b.block_of[t]].offset / (int64_t)sizeof(float);
    ir->arena_floats = end / (int64_t)sizeof(float);
}
