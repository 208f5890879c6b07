// memory.h - the numbers of a net in one stretch of huge pages, kept from net to net.
#ifndef NAGO_MEMORY_H
#define NAGO_MEMORY_H

#include "../compiler/base.h"

// One mapping and how much of it is handed out; {0} is an empty one.
typedef struct {
    char *base;
    size_t bytes, used; // multiples of MEMORY_ALIGN
    void *mapping;      // as the system gave it
    size_t mapping_bytes;
} Memory;

enum { MEMORY_ALIGN = 4096 };

// What memory_take of `bytes` uses up.
size_t memory_round(size_t bytes);

// Makes room for `bytes` (a sum of memory_round's) and starts handing out anew: everything taken
// before is gone.  Grows by a new mapping, never shrinks.  Fresh pages are zero, kept ones hold
// what the last net left.  Error: a run failure that says how much was wanted.
bool memory_reserve(Memory *memory, size_t bytes, Err *err);

// The next `bytes`, aligned to a page.  Must fit what was reserved.
void *memory_take(Memory *memory, size_t bytes);

void memory_release(Memory *memory);

#endif
