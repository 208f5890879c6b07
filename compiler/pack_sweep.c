// pack_sweep.c - laying blocks with times of life into an arena of a given size, going through
// time.
//
// In: blocks that are alive between two ops each, and the size of the arena.  Out: a packing, if
// one is found.
//
// A layout says where the blocks lie that are alive at one time.  Each layout kept is extended by
// the block that begins next, at the lower and at the upper end of every gap that holds it; where
// none does, the layout is lost.  Of too many, those are kept that waste least: whose free memory
// is in one piece, now and after each of the blocks that end one by one.  Few blocks are alive at
// a time, so that even few layouts are often all there are.  The sweep may go backwards as well.
#include "pack.h"

#include <stdlib.h>
#include <string.h>

enum { EXTENSIONS = 12 }; // of each layout on average, at the most

typedef struct {
    int parent;     // among the layouts before
    int32_t offset; // of the block that was placed last, in units of the arena
    uint64_t hash;  // of all offsets
    int64_t waste;
} Partial;

typedef struct {
    int block, first, last;
    int32_t size; // in units
} Span;

typedef struct {
    const Block *blocks;
    int n, width; // blocks; layouts kept at a time
    int32_t capacity;
    Span *spans;                     // of blocks, as they begin
    int *alive, n_alive, most_alive; // places in spans
    Partial *layouts, *next;
    int n_layouts, n_next;
    int32_t *offsets, *next_offsets; // a row for each layout: where the blocks of `alive` lie
    int *parents;                    // of each step and layout
    int32_t *placed;
    int *table; // hashes -> numbers of layouts in `next`, + 1; open
    size_t table_size;
    int *by_offset, *by_last;  // of `alive`
    int *partners, n_partners; // of `alive`: whose place the block of this step may take
} Sweep;

// ---- in time ------------------------------------------------------------------------------------

static int by_begin(const void *a, const void *b)
{
    const Span *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    if (x->size != y->size)
        return x->size > y->size ? -1 : 1;
    return x->block - y->block;
}

static int most_alive(const Sweep *s)
{
    int most = 0;
    for (int i = 0; i < s->n; i++) {
        int n = 0;
        for (int j = 0; j < s->n; j++)
            n += s->spans[j].first <= s->spans[i].first && s->spans[i].first <= s->spans[j].last;
        most = n > most ? n : most;
    }
    return most;
}

static Sweep *sweep_new(const Block *blocks, int n, int64_t capacity, int width, bool backwards,
                        Pool *pool)
{
    Sweep *s = pool_alloc(pool, sizeof *s);
    const size_t count = (size_t)n + 1, rows = (size_t)width * EXTENSIONS + 1;
    s->blocks = blocks;
    s->n = n;
    s->width = width;
    s->capacity = (int32_t)(capacity / ARENA_ALIGN);
    s->spans = pool_alloc(pool, count * sizeof *s->spans);
    for (int i = 0; i < n; i++) {
        const Block *b = &blocks[i];
        s->spans[i] = (Span){i, backwards ? -b->last : b->first, backwards ? -b->first : b->last,
                             (int32_t)(b->bytes / ARENA_ALIGN)};
    }
    qsort(s->spans, (size_t)n, sizeof *s->spans, by_begin);
    s->most_alive = most_alive(s);
    const size_t stride = (size_t)s->most_alive;
    s->alive = pool_alloc(pool, stride * sizeof *s->alive);
    s->by_offset = pool_alloc(pool, stride * sizeof *s->by_offset);
    s->by_last = pool_alloc(pool, stride * sizeof *s->by_last);
    s->partners = pool_alloc(pool, stride * sizeof *s->partners);
    s->layouts = pool_alloc(pool, rows * sizeof *s->layouts);
    s->next = pool_alloc(pool, rows * sizeof *s->next);
    s->offsets = pool_alloc(pool, rows * stride * sizeof *s->offsets);
    s->next_offsets = pool_alloc(pool, rows * stride * sizeof *s->next_offsets);
    s->parents = pool_alloc(pool, count * (size_t)width * sizeof *s->parents);
    s->placed = pool_alloc(pool, count * (size_t)width * sizeof *s->placed);
    for (s->table_size = 64; s->table_size < 2 * rows; s->table_size *= 2)
        ;
    s->table = pool_alloc(pool, s->table_size * sizeof *s->table);
    return s;
}

// ---- layouts ------------------------------------------------------------------------------------

static uint64_t hash_of(int block, int32_t offset)
{
    uint64_t x = (uint64_t)(uint32_t)block << 32 | (uint32_t)offset;
    x = (x ^ x >> 31) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9ull;
    return x ^ x >> 32;
}

static int32_t *row_of(const Sweep *s, int32_t *rows, int layout)
{
    return rows + (size_t)layout * (size_t)s->most_alive;
}

// Forgets the blocks that have ended when `first` comes.
static void drop_ended(Sweep *s, int first)
{
    for (int i = 0; i < s->n_alive;) {
        const int block = s->alive[i];
        if (s->spans[block].last >= first) {
            i++;
            continue;
        }
        s->alive[i] = s->alive[--s->n_alive];
        for (int l = 0; l < s->n_layouts; l++) {
            int32_t *row = row_of(s, s->offsets, l);
            s->layouts[l].hash -= hash_of(block, row[i]);
            row[i] = row[s->n_alive];
        }
    }
}

static void sort_by_offset(Sweep *s, const int32_t *row)
{
    for (int i = 0; i < s->n_alive; i++) {
        int j = i;
        for (; j > 0 && row[s->by_offset[j - 1]] > row[i]; j--)
            s->by_offset[j] = s->by_offset[j - 1];
        s->by_offset[j] = i;
    }
}

// Extends a layout by the block, unless the same one is there already.
static void extend(Sweep *s, int layout, int block, int32_t offset)
{
    const uint64_t hash = s->layouts[layout].hash + hash_of(block, offset);
    size_t at = (size_t)hash & (s->table_size - 1);
    for (; s->table[at]; at = (at + 1) & (s->table_size - 1))
        if (s->next[s->table[at] - 1].hash == hash)
            return;
    if (s->n_next == s->width * EXTENSIONS)
        return;
    s->table[at] = s->n_next + 1;
    s->next[s->n_next++] = (Partial){layout, offset, hash, 0};
}

// Lists the places in `alive` of the blocks whose heir this one is, or backwards its heir.
static void find_partners(Sweep *s, int block)
{
    const int b = s->spans[block].block;
    s->n_partners = 0;
    for (int i = 0; i < s->n_alive; i++) {
        const int a = s->spans[s->alive[i]].block;
        if (s->blocks[a].heir == b || s->blocks[b].heir == a)
            s->partners[s->n_partners++] = i;
    }
}

// Whether nothing but the block at `place` of `alive` lies where it does.
static bool lies_alone(const Sweep *s, const int32_t *row, int place)
{
    const int32_t end = row[place] + s->spans[s->alive[place]].size;
    for (int i = 0; i < s->n_alive; i++)
        if (i != place && row[i] < end && row[place] < row[i] + s->spans[s->alive[i]].size)
            return false;
    return true;
}

static void extend_everywhere(Sweep *s, int layout, int block)
{
    const int32_t *row = row_of(s, s->offsets, layout), size = s->spans[block].size;
    int32_t begin = 0;
    for (int i = 0; i < s->n_partners; i++)
        if (lies_alone(s, row, s->partners[i]))
            extend(s, layout, block, row[s->partners[i]]);
    sort_by_offset(s, row);
    for (int i = 0; i <= s->n_alive; i++) {
        const int above = i < s->n_alive ? s->by_offset[i] : -1;
        const int32_t end = above >= 0 ? row[above] : s->capacity;
        if (end - begin >= size) {
            extend(s, layout, block, begin);
            if (s->n_alive > 0)
                extend(s, layout, block, end - size);
        }
        if (above >= 0)
            begin = end + s->spans[s->alive[above]].size;
    }
}

// Free memory that is not in the largest gap, added up over now and after each block that ends.
static int64_t waste_of(Sweep *s, const int32_t *row)
{
    int64_t waste = 0;
    sort_by_offset(s, row);
    for (int ended = 0; ended < s->n_alive; ended++) {
        int32_t begin = 0, largest = 0, used = 0;
        for (int i = 0; i < s->n_alive; i++) {
            const int b = s->by_offset[i];
            if (s->by_last[b] < ended) // its rank among those that end
                continue;
            const int32_t size = s->spans[s->alive[b]].size;
            largest = row[b] - begin > largest ? row[b] - begin : largest;
            begin = row[b] + size;
            used += size;
        }
        largest = s->capacity - begin > largest ? s->capacity - begin : largest;
        waste += s->capacity - used - largest;
    }
    return waste;
}

static void rank_by_last(Sweep *s)
{
    for (int i = 0; i < s->n_alive; i++) {
        s->by_last[i] = 0;
        for (int j = 0; j < s->n_alive; j++) {
            const int x = s->spans[s->alive[i]].last, y = s->spans[s->alive[j]].last;
            s->by_last[i] += y < x || (y == x && j < i);
        }
    }
}

static int by_waste(const void *a, const void *b)
{
    const Partial *x = a, *y = b;
    if (x->waste != y->waste)
        return x->waste < y->waste ? -1 : 1;
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

// Makes the extensions the layouts, at most `width` of them.
static void keep_best(Sweep *s, int step)
{
    const size_t size = (size_t)(s->n_alive - 1) * sizeof *s->offsets;
    if (s->n_next > s->width) {
        int32_t *row = row_of(s, s->next_offsets, 0);
        rank_by_last(s);
        for (int l = 0; l < s->n_next; l++) {
            memcpy(row, row_of(s, s->offsets, s->next[l].parent), size);
            row[s->n_alive - 1] = s->next[l].offset;
            s->next[l].waste = waste_of(s, row);
        }
        qsort(s->next, (size_t)s->n_next, sizeof *s->next, by_waste);
        s->n_next = s->width;
    }
    for (int l = 0; l < s->n_next; l++) {
        int32_t *row = row_of(s, s->next_offsets, l);
        memcpy(row, row_of(s, s->offsets, s->next[l].parent), size);
        row[s->n_alive - 1] = s->next[l].offset;
        s->parents[(size_t)step * (size_t)s->width + (size_t)l] = s->next[l].parent;
        s->placed[(size_t)step * (size_t)s->width + (size_t)l] = s->next[l].offset;
    }
    Partial *layouts = s->layouts;
    s->layouts = s->next;
    s->next = layouts;
    int32_t *offsets = s->offsets;
    s->offsets = s->next_offsets;
    s->next_offsets = offsets;
    s->n_layouts = s->n_next;
}

bool sweep_blocks(Block *blocks, int n, int64_t capacity, int width, bool backwards)
{
    Pool *pool = pool_new();
    Sweep *s = sweep_new(blocks, n, capacity, width, backwards, pool);
    s->n_layouts = 1; // nothing is alive
    for (int step = 0; step < n && s->n_layouts > 0; step++) {
        drop_ended(s, s->spans[step].first);
        memset(s->table, 0, s->table_size * sizeof *s->table);
        s->n_next = 0;
        find_partners(s, step);
        for (int l = 0; l < s->n_layouts; l++)
            extend_everywhere(s, l, step);
        s->alive[s->n_alive++] = step;
        keep_best(s, step);
    }
    const bool fits = s->n_layouts > 0;
    for (int step = n - 1, l = 0; fits && step >= 0; step--) {
        const size_t at = (size_t)step * (size_t)s->width + (size_t)l;
        blocks[s->spans[step].block].offset = (int64_t)s->placed[at] * ARENA_ALIGN;
        l = s->parents[at];
    }
    pool_free(pool);
    return fits;
}
