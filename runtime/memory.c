// memory.c - the numbers of a net in one stretch of huge pages, kept from net to net.
//
// In: how many bytes a net wants (arena, parameters, gradients, state, a batch).  Out: pieces of
// one mapping.  Two measured reasons: the first touch of a page costs a fault and its zeroing,
// which a search that trains thousands of small nets would pay for each of them, so the mapping
// stays; and activations larger than the caches walk many pages, so 2 MB pages are asked for.
#define _GNU_SOURCE
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20 };

size_t memory_round(size_t bytes)
{
    if (bytes > SIZE_MAX - MEMORY_ALIGN)
        bug("memory of %zu bytes", bytes);
    return (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

// More than the machine has would be granted now and kill the process later.
static bool memory_exists(size_t bytes, Err *err)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    double have = (double)pages * (double)page;
    return pages < 0 || page < 0 || (double)bytes <= have ||
           err_run(err,
                   "the net wants %.1f MB of memory, this machine has %.1f MB (hint: a "
                   "smaller --batch)",
                   (double)bytes / 1e6, have / 1e6);
}

static bool memory_grow(Memory *memory, size_t bytes, Err *err)
{
    memory_release(memory);
    if (!memory_exists(bytes, err))
        return false;
    size_t whole = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE + HUGE_PAGE;
    void *mapping = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return err_run(err, "no memory for the net: it wants %.1f MB (%s; hint: a smaller --batch)",
                       (double)bytes / 1e6, strerror(errno));
    uintptr_t start = ((uintptr_t)mapping + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    memory->mapping = mapping;
    memory->mapping_bytes = whole;
    memory->base = (char *)start;
    memory->bytes = whole - HUGE_PAGE;
    madvise(memory->base, memory->bytes, MADV_HUGEPAGE); // a wish: small pages do as well
    return true;
}

bool memory_reserve(Memory *memory, size_t bytes, Err *err)
{
    memory->used = 0;
    return bytes <= memory->bytes || memory_grow(memory, bytes, err);
}

void *memory_take(Memory *memory, size_t bytes)
{
    size_t rounded = memory_round(bytes);
    if (rounded > memory->bytes - memory->used)
        bug("memory: %zu bytes wanted, %zu left", rounded, memory->bytes - memory->used);
    void *piece = memory->base + memory->used;
    memory->used += rounded;
    return piece;
}

void memory_release(Memory *memory)
{
    if (memory->mapping)
        munmap(memory->mapping, memory->mapping_bytes);
    *memory = (Memory){0};
}
