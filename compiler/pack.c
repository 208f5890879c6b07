// pack.c - laying blocks with times of life into an arena that is as small as can be.
//
// In: blocks that are alive between two ops each, and a packing of them.  Out: one that is smaller,
// if it is found.  The bound is the most that is alive at once; most programs of convolutions reach
// it (MiniMalloc, Moffitt 2023).  pack_sweep.c looks for one that does, remembering more and more;
// where it fails, the size is halved between what was reached and what was not.
#include "pack.h"

// Layouts that the sweep remembers at a time; over all blocks.
enum { MOST_WIDTH = 4096, MOST_LAYOUTS = 1500000, WIDTH = 256 };

int64_t blocks_alive(const Block *blocks, int n, int n_ops, Pool *pool)
{
    int64_t *change = pool_alloc(pool, (size_t)(n_ops + 2) * sizeof *change), alive = 0, most = 0;
    bool *is_heir = pool_alloc(pool, (size_t)(n + 1));
    for (int i = 0; i < n; i++) {
        const int heir = blocks[i].heir;
        const bool takes_over = heir >= 0 && !is_heir[heir]; // the first of several
        if (takes_over)
            is_heir[heir] = true;
        change[blocks[i].first] += blocks[i].bytes;
        change[blocks[i].last + !takes_over] -= blocks[i].bytes;
    }
    for (int o = 0; o < n_ops; o++) {
        alive += change[o];
        most = alive > most ? alive : most;
    }
    return most;
}

static int64_t size_of(const Block *blocks, int n)
{
    int64_t size = 0;
    for (int i = 0; i < n; i++)
        if (blocks[i].offset + blocks[i].bytes > size)
            size = blocks[i].offset + blocks[i].bytes;
    return size;
}

static bool fits(Block *blocks, int n, int64_t capacity, int width)
{
    return sweep_blocks(blocks, n, capacity, width, false) ||
           sweep_blocks(blocks, n, capacity, width, true);
}

int64_t pack_blocks(Block *blocks, int n, int64_t alive, int64_t end)
{
    for (int width = 16; width <= MOST_WIDTH && width * n <= MOST_LAYOUTS; width *= 4)
        if (fits(blocks, n, alive, width))
            return alive;
    int64_t low = alive;
    while (end - low > alive / 512 + ARENA_ALIGN) {
        const int64_t middle = (low + (end - low) / 2) / ARENA_ALIGN * ARENA_ALIGN;
        if (fits(blocks, n, middle, WIDTH))
            end = size_of(blocks, n);
        else
            low = middle;
    }
    return end;
}
