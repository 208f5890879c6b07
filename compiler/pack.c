// pack.c - laying blocks with times of life into an arena that is as small as can be.
//
// In: blocks that are alive between two ops each, and a packing of them.  Out: one that is smaller,
// if it is found.  The bound is the most that is alive at once; most programs of convolutions reach
// it (MiniMalloc, Moffitt 2023).
//
// First pack_sweep.c looks for one that reaches the bound.  Otherwise blocks are placed one after
// another, each as low as those already placed leave room, in an order of priority: large,
// long-lived or early ones first.  Then the blocks that stick out are placed earlier, again and
// again ("squeaky wheel": Joslin and Clements 1999).
#include "pack.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_WIDTH = 4096, MOST_LAYOUTS = 1500000, ROUNDS = 300, MOST_CHECKS = 60000000 };

int64_t blocks_alive(const Block *blocks, int n, int n_ops, Pool *pool)
{
    int64_t *change = pool_alloc(pool, (size_t)(n_ops + 2) * sizeof *change), alive = 0, most = 0;
    for (int i = 0; i < n; i++) {
        change[blocks[i].first] += blocks[i].bytes;
        change[blocks[i].last + 1] -= blocks[i].bytes;
    }
    for (int o = 0; o < n_ops; o++) {
        alive += change[o];
        most = alive > most ? alive : most;
    }
    return most;
}

typedef struct {
    Block *blocks;
    int n;
    int *order;       // blocks by priority
    double *priority; // large first
    int *placed;      // blocks placed, by offset
    int64_t *offsets; // the best packing found
    int64_t checks;   // effort
} Packing;

// The lowest place for a block among those placed, which lie in the order of their offsets.
static int64_t lowest_place(Packing *p, const Block *block, int n_placed)
{
    int64_t at = 0;
    for (int i = 0; i < n_placed; i++) {
        const Block *other = &p->blocks[p->placed[i]];
        if (other->offset >= at + block->bytes)
            break;
        if (other->first <= block->last && block->first <= other->last &&
            other->offset + other->bytes > at)
            at = other->offset + other->bytes;
    }
    p->checks += n_placed;
    return at;
}

static int64_t place_all(Packing *p)
{
    int64_t end = 0;
    for (int n = 0; n < p->n; n++) {
        Block *block = &p->blocks[p->order[n]];
        block->offset = lowest_place(p, block, n);
        int i = n;
        for (; i > 0 && p->blocks[p->placed[i - 1]].offset > block->offset; i--)
            p->placed[i] = p->placed[i - 1];
        p->placed[i] = p->order[n];
        if (block->offset + block->bytes > end)
            end = block->offset + block->bytes;
    }
    return end;
}

// Orders all blocks by falling priority; equal ones as they come.
static void sort_blocks(Packing *p)
{
    // insertion sort: from round to round little moves
    for (int i = 1; i < p->n; i++) {
        const int b = p->order[i];
        int j = i;
        for (; j > 0 && (p->priority[p->order[j - 1]] < p->priority[b] ||
                         (p->priority[p->order[j - 1]] == p->priority[b] && p->order[j - 1] > b));
             j--)
            p->order[j] = p->order[j - 1];
        p->order[j] = b;
    }
}

static double first_priority(const Block *b, int rule)
{
    const double size = (double)b->bytes, life = b->last - b->first + 1;
    switch (rule) {
    case 0:
        return size * 1e6 + life;
    case 1:
        return size * life;
    case 2:
        return life * 1e9 + size;
    case 3:
        return -b->first;
    default:
        return size * (double)(1 + (int)(life > 8));
    }
}

static void keep(Packing *p)
{
    for (int i = 0; i < p->n; i++)
        p->offsets[i] = p->blocks[i].offset;
}

// Rounds of placing from one first order; returns the best size, `end` if none is better.
static int64_t improve(Packing *p, int rule, int64_t alive, int64_t end)
{
    double most = 0.0;
    for (int i = 0; i < p->n; i++) {
        p->order[i] = i;
        p->priority[i] = first_priority(&p->blocks[i], rule);
        most = p->priority[i] > most ? p->priority[i] : most;
    }
    for (int round = 0; round < ROUNDS && end > alive && p->checks < MOST_CHECKS; round++) {
        sort_blocks(p);
        const int64_t size = place_all(p);
        if (size < end) {
            end = size;
            keep(p);
        }
        for (int i = 0; i < p->n; i++) // to the front, those that stick out
            if (p->blocks[i].offset + p->blocks[i].bytes > alive)
                p->priority[i] = most + 1.0 + round + p->priority[i] / (most + 1.0);
        most += 2.0;
    }
    return end;
}

int64_t pack_blocks(Block *blocks, int n, int64_t alive, int64_t end, Pool *pool)
{
    for (int width = 16; width <= MOST_WIDTH && width * n <= MOST_LAYOUTS; width *= 4)
        for (int backwards = 0; backwards < 2; backwards++)
            if (sweep_blocks(blocks, n, alive, width, backwards))
                return alive;
    const size_t count = (size_t)(n + 1);
    Packing p = {blocks,
                 n,
                 pool_alloc(pool, count * sizeof *p.order),
                 pool_alloc(pool, count * sizeof *p.priority),
                 pool_alloc(pool, count * sizeof *p.placed),
                 pool_alloc(pool, count * sizeof *p.offsets),
                 0};
    keep(&p);
    for (int rule = 0; rule < 5 && end > alive; rule++)
        end = improve(&p, rule, alive, end);
    for (int i = 0; i < n; i++)
        blocks[i].offset = p.offsets[i];
    return end;
}
