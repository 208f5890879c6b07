// random.c - counter-based random numbers.
//
// In: a seed, a purpose, two indices.  Out: a stream whose n-th number is Philox4x32-10(key, n),
// where the key is a hash of the stream's name.  No number depends on how many others were drawn
// elsewhere, so that a new draw in one place moves nothing in another. Source: Salmon, Moraes,
// Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011 (Philox, checked against the
// known answers of its authors in tests/test_base.c); Steele, Lea, Flood, "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014 (the mixing function of the key, variant 13 of
// Stafford).

#include "base.h"

#include <math.h>

static uint64_t mix64(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

Random random_stream(uint64_t seed, const char *purpose, uint64_t a, uint64_t b)
{
    uint64_t name = UINT64_C(0xCBF29CE484222325); // FNV-1a of the purpose
    for (const char *c = purpose; *c; c++)
        name = (name ^ (unsigned char)*c) * UINT64_C(0x100000001B3);
    uint64_t key = mix64(seed);
    key = mix64(key ^ name);
    key = mix64(key ^ a);
    key = mix64(key ^ b);
    return (Random){key, 0};
}

// The first 64 of Philox's 128 bits for the counter (low word, high word, 0, 0).
uint64_t random_u64(Random *random)
{
    uint32_t c0 = (uint32_t)random->counter, c1 = (uint32_t)(random->counter >> 32), c2 = 0, c3 = 0;
    uint32_t k0 = (uint32_t)random->key, k1 = (uint32_t)(random->key >> 32);
    random->counter++;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)c0 * 0xD2511F53u, p1 = (uint64_t)c2 * 0xCD9E8D57u;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return (uint64_t)c1 << 32 | c0;
}

double random_unit(Random *random)
{
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

// The lowest 2^64 mod bound numbers are drawn again, so that every remainder is equally likely.
uint64_t random_below(Random *random, uint64_t bound)
{
    if (bound == 0)
        bug("random_below(0)");
    uint64_t uneven = (0 - bound) % bound;
    uint64_t draw;
    do {
        draw = random_u64(random);
    } while (draw < uneven);
    return draw % bound;
}

// Box & Muller 1958; the second number of the pair is dropped, so that one call is two counters.
double random_normal(Random *random)
{
    double radius = sqrt(-2.0 * log(1.0 - random_unit(random)));
    return radius * cos(6.283185307179586476925 * random_unit(random));
}

// Fisher-Yates, from the end.
void random_shuffle(Random *random, uint32_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)random_below(random, i);
        uint32_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}
