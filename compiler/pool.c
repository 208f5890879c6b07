// pool.c - memory that ends together.
//
// In: sizes.  Out: zeroed, 16-byte aligned memory that lives until pool_free.
// A pool is a list of blocks; an allocation takes the next bytes of the newest block, or opens a
// new block.  Under AddressSanitizer every allocation is a block of its own, so that a step beyond
// an array's end is seen.  Out of memory ends the process: no caller could go on without.

#define _GNU_SOURCE
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_BYTES ((size_t)0)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BLOCK_BYTES ((size_t)0)
#endif
#endif
#ifndef BLOCK_BYTES
#define BLOCK_BYTES ((size_t)64 * 1024)
#endif

enum { ALIGN = 16 };
#define HUGE_PAGE ((size_t)2 << 20)

typedef struct Block Block;
struct Block {
    Block *older;
    size_t used, capacity;
    void *mapping; // of a large block; NULL: from malloc
    size_t mapping_bytes;
    char *bytes; // behind the header, 16-byte aligned
};

struct Pool {
    Block *newest;
    size_t block_bytes; // of the next block: they double up to a huge page
};

NAGO_NORETURN static void out_of_memory(size_t bytes)
{
    fprintf(stderr, "error: out of memory (%zu bytes more were needed)\n", bytes);
    exit(EXIT_RUN_FAILED);
}

void *xmalloc(size_t bytes)
{
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        out_of_memory(bytes);
    return memory;
}

void *xcalloc(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size ? size : 1);
    if (!memory)
        out_of_memory(size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
    return memory;
}

Pool *pool_new(void)
{
    return xcalloc(1, sizeof(Pool));
}

void pool_free(Pool *pool)
{
    if (!pool)
        return;
    for (Block *block = pool->newest; block;) {
        Block *older = block->older;
        if (block->mapping)
            munmap(block->mapping, block->mapping_bytes);
        else
            free(block);
        block = older;
    }
    free(pool);
}

// Zeroed memory for a block; large ones in whole huge pages, since the first touch of each small
// page costs a fault.
static Block *block_memory(size_t bytes)
{
    if (bytes < HUGE_PAGE)
        return xcalloc(1, bytes);
    void *memory =
        mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        out_of_memory(bytes);
    Block *block = (Block *)(((uintptr_t)memory + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);
    madvise(block, bytes, MADV_HUGEPAGE); // a wish: small pages do as well
    block->mapping = memory;
    block->mapping_bytes = bytes + HUGE_PAGE;
    return block;
}

static Block *block_open(Pool *pool, size_t bytes)
{
    const size_t header = (sizeof(Block) + ALIGN - 1) / ALIGN * ALIGN;
    const size_t usual = pool->newest && BLOCK_BYTES ? pool->block_bytes : BLOCK_BYTES;
    const size_t capacity = bytes > usual ? bytes : usual;
    const size_t whole = header + capacity > HUGE_PAGE && BLOCK_BYTES
                             ? (header + capacity + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE
                             : header + capacity;
    Block *block = block_memory(whole);
    block->capacity = whole - header;
    block->bytes = (char *)block + header;
    pool->block_bytes = usual < HUGE_PAGE ? 2 * usual : usual;
    // A block made for one large allocation goes behind the newest, whose rest stays in use.
    if (pool->newest && bytes > usual / 4) {
        block->older = pool->newest->older;
        pool->newest->older = block;
    } else {
        block->older = pool->newest;
        pool->newest = block;
    }
    return block;
}

void *pool_alloc(Pool *pool, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        out_of_memory(bytes);
    size_t rounded = bytes ? bytes : 1;
    if (BLOCK_BYTES) // without blocks the exact end is what ASan must see
        rounded = (rounded + ALIGN - 1) / ALIGN * ALIGN;
    Block *block = pool->newest;
    if (!block || block->capacity - block->used < rounded)
        block = block_open(pool, rounded);
    char *memory = block->bytes + block->used;
    block->used += rounded;
    return memory;
}

char *pool_strdup(Pool *pool, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(pool_alloc(pool, bytes), text, bytes);
}

char *pool_printf(Pool *pool, const char *fmt, ...)
{
    if (!fmt) // keeps gcc quiet under UBSan
        bug("no format");
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    char shorter[256];
    int length = text_format(shorter, sizeof shorter, fmt, args);
    va_end(args);
    if (length < 0)
        bug("bad format '%s'", fmt);
    char *text = pool_alloc(pool, (size_t)length + 1);
    if ((size_t)length < sizeof shorter)
        memcpy(text, shorter, (size_t)length + 1);
    else
        text_format(text, (size_t)length + 1, fmt, again);
    va_end(again);
    return text;
}

void *pool_grow(Pool *pool, void *old, size_t count, size_t want, size_t *capacity, size_t size)
{
    if (old && want <= *capacity)
        return old;
    size_t room = *capacity ? *capacity : 8;
    while (room < want) {
        if (room > SIZE_MAX / 4 / size)
            out_of_memory(SIZE_MAX);
        room *= 2;
    }
    void *grown = pool_alloc(pool, room * size);
    if (count)
        memcpy(grown, old, count * size);
    *capacity = room;
    return grown;
}
