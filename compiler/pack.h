// pack.h - blocks of memory with times of life, to be laid into one arena.  Inside compiler/ only.
#ifndef NAGO_PACK_H
#define NAGO_PACK_H

#include "schedule.h"

typedef struct {
    int64_t bytes, offset;
    int first, last; // ops between which it is alive, both included
    int heir;        // a block of the same size that begins with `last` and may lie in its place,
                     // if no other does; -1: none
} Block;

// The most bytes alive at once, where all heirs take over: no packing needs less.
int64_t blocks_alive(const Block *blocks, int n, int n_ops, Pool *pool);
// Looks for offsets below `end`, the size of the packing that the blocks have; gives up after so
// many layouts.  alive: of blocks_alive.  Returns the size reached; the blocks' offsets are its.
int64_t pack_blocks(Block *blocks, int n, int64_t alive, int64_t end);

// pack_sweep.c: looks for offsets within `capacity`, remembering at most `width` layouts at a time;
// false: none was found, and the offsets are what they were.
bool sweep_blocks(Block *blocks, int n, int64_t capacity, int width, bool backwards);

#endif
