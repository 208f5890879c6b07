// memory.c - the two functions of libc that compilers call on their own.
#include <stddef.h>

// gcc makes a call of memset out of a loop that is one, here as well.
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memset(void *to, int value, size_t count);

void *memcpy(void *restrict to, const void *restrict from, size_t count)
{
    char *t = to;
    for (const char *f = from; count--;)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t count)
{
    for (char *t = to; count--;)
        *t++ = (char)value;
    return to;
}
