// prelude.h - what the kernels stand on: vectors, masks, work shares.
//
// NK_LANES is the innermost extent of every activation: 32 images of a group in training
// ([groups][C][H][W][32]), 1 in inference files that work on one image ([C][H][W]).  NK_VECTOR is
// the number of floats of the machine's vector; 1 means plain C (tcc, or a compiler without vector
// extensions).
#ifndef NK_PRELUDE_H
#define NK_PRELUDE_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef NK_LANES
#define NK_LANES 32
#endif

#if defined(__GNUC__) && !defined(__TINYC__)
#define NK_INLINE static inline __attribute__((always_inline, unused))
#define NK_OUTLINE static __attribute__((noinline, unused))
#if defined(__AVX512F__)
#define NK_VECTOR 16
#elif defined(__AVX__)
#define NK_VECTOR 8
#else
#define NK_VECTOR 4
#endif
typedef float nk_vector __attribute__((vector_size(4 * NK_VECTOR), aligned(4), may_alias));
_Static_assert(sizeof(nk_vector) == 4 * NK_VECTOR, "the compiler ignores vector_size");
#else
#define NK_INLINE static inline
#define NK_OUTLINE static
#define NK_VECTOR 1
typedef float nk_vector;
#endif

NK_INLINE nk_vector nk_load(const float *p)
{
    return *(const nk_vector *)p;
}

NK_INLINE void nk_store(float *p, nk_vector v)
{
    *(nk_vector *)p = v;
}

NK_INLINE nk_vector nk_zero_vector(void)
{
    nk_vector zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

// The sum of a vector's lanes, in pairs: the same order on every run.
NK_INLINE float nk_sum_vector(nk_vector v)
{
    float lane[NK_VECTOR];
    memcpy(lane, &v, sizeof lane);
    for (int width = NK_VECTOR / 2; width > 0; width /= 2)
        for (int i = 0; i < width; i++)
            lane[i] += lane[i + width];
    return lane[0];
}

// Asks for the line of memory at p, to be read or written soon.
NK_INLINE void nk_prefetch(const float *p)
{
#if NK_VECTOR > 1
    __builtin_prefetch(p, 0, 2);
#else
    (void)p;
#endif
}

// Floats from one channel to the next: `size` pixels.
NK_INLINE size_t nk_plane(int size)
{
    return (size_t)size * NK_LANES;
}

// The lanes of a pixel as whole vectors; one number in files that work on one image.
#if NK_LANES == 1
#define NK_STEP 1
typedef float nk_lane;
#else
#define NK_STEP NK_VECTOR
typedef nk_vector nk_lane;
#endif
#define NK_VECTORS (NK_LANES / NK_STEP)

NK_INLINE nk_lane nk_load_lane(const float *p)
{
    return *(const nk_lane *)p;
}

NK_INLINE void nk_store_lane(float *p, nk_lane v)
{
    *(nk_lane *)p = v;
}

NK_INLINE nk_lane nk_zero_lane(void)
{
    nk_lane zero;
    memset(&zero, 0, sizeof zero);
    return zero;
}

NK_INLINE float nk_sum_lane(nk_lane v)
{
#if NK_LANES == 1
    return v;
#else
    return nk_sum_vector(v);
#endif
}

// Where part `part` of `parts` begins in `count` items: threads split outputs, never a sum.
NK_INLINE int nk_share(int count, int part, int parts)
{
    return (int)((int64_t)count * part / parts);
}

NK_INLINE int nk_min(int a, int b)
{
    return a < b ? a : b;
}

NK_INLINE int nk_max(int a, int b)
{
    return a > b ? a : b;
}

// A 64-bit mixer (Stafford's variant 13 of the MurmurHash3 finaliser): random bits from a counter.
NK_INLINE uint64_t nk_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

NK_INLINE float nk_sigmoid(float a)
{
    return 1.0f / (1.0f + expf(-a));
}

#endif
