// int8.h - what the int8 kernels stand on: TensorFlow Lite's fixed-point arithmetic, and numbers in
// memory, one at a time or in the lanes of a vector.
//
// A real number r is held as q with r = scale (q - zero), in 8 bits or, where a tensor is "wide",
// in 16; the weights that a wide tensor meets have 16, too.  Accumulators are int32.  Everything
// here is exact integer arithmetic, so that all machines give the same bits: plain C, Arm's DSP
// instructions (NK_INT8_DSP: two 16-bit products an instruction) and Helium (NK_INT8_MVE: sixteen
// 8-bit ones).
#ifndef NK_INT8_H
#define NK_INT8_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#define NK_INT8_MVE
#include <arm_mve.h>
#elif defined(__ARM_FEATURE_DSP) && defined(__arm__)
#define NK_INT8_DSP
#endif

#ifndef NK_INLINE
#if defined(__GNUC__) && !defined(__TINYC__)
#define NK_INLINE static inline __attribute__((always_inline, unused))
#define NK_OUTLINE static __attribute__((noinline, unused))
#else
#define NK_INLINE static inline
#define NK_OUTLINE static
#endif
#endif

// ---- lanes: four numbers at a time with Helium, else one ----------------------------------------

#ifdef NK_INT8_MVE

#define NK_INT8_LANES 4
typedef int32x4_t nk_int8_lanes;

NK_INLINE nk_int8_lanes nk_int8_all(int32_t x)
{
    return vdupq_n_s32(x);
}

NK_INLINE nk_int8_lanes nk_int8_min(nk_int8_lanes a, nk_int8_lanes b)
{
    return vminq_s32(a, b);
}

NK_INLINE nk_int8_lanes nk_int8_max(nk_int8_lanes a, nk_int8_lanes b)
{
    return vmaxq_s32(a, b);
}

// The sum of the first n.
NK_INLINE int32_t nk_int8_total(nk_int8_lanes x, int n)
{
    return vaddvq_p_s32(x, vctp32q((uint32_t)n));
}

#else

#define NK_INT8_LANES 1
typedef int32_t nk_int8_lanes;

NK_INLINE nk_int8_lanes nk_int8_all(int32_t x)
{
    return x;
}

NK_INLINE nk_int8_lanes nk_int8_min(nk_int8_lanes a, nk_int8_lanes b)
{
    return a < b ? a : b;
}

NK_INLINE nk_int8_lanes nk_int8_max(nk_int8_lanes a, nk_int8_lanes b)
{
    return a > b ? a : b;
}

NK_INLINE int32_t nk_int8_total(nk_int8_lanes x, int n)
{
    return n > 0 ? x : 0;
}

#endif

// low <= high.
NK_INLINE nk_int8_lanes nk_int8_clamp(nk_int8_lanes x, nk_int8_lanes low, nk_int8_lanes high)
{
#ifdef NK_INT8_DSP // two instructions that clear what is negative, where comparisons take six
    const int32_t above = (x - low) & ~((x - low) >> 31), below = high - low - above;
    return high - (below & ~(below >> 31));
#else
    return nk_int8_min(nk_int8_max(x, low), high);
#endif
}

// ---- fixed point --------------------------------------------------------------------------------

// nk_int8_high(x, m) is round(x * m / 2^31), halves upwards: gemmlowp's
// SaturatingRoundingDoublingHighMul, which for m > 0 never saturates.  nk_int8_shift(x, e) is
// round(x / 2^e), halves away from zero, e >= 0: gemmlowp's RoundingDivideByPOT.
#ifdef NK_INT8_MVE
NK_INLINE nk_int8_lanes nk_int8_high(nk_int8_lanes x, nk_int8_lanes m)
{
    return vqrdmulhq_s32(x, m);
}

NK_INLINE nk_int8_lanes nk_int8_high_small(nk_int8_lanes x, nk_int8_lanes m)
{
    return vqrdmulhq_s32(x, m);
}

NK_INLINE nk_int8_lanes nk_int8_shift(nk_int8_lanes x, nk_int8_lanes e)
{
    const nk_int8_lanes right = vnegq_s32(e);
    return vrshlq_s32(vaddq_s32(x, vshrq_n_s32(vandq_s32(x, right), 31)), right);
}
#else
NK_INLINE nk_int8_lanes nk_int8_high(nk_int8_lanes x, nk_int8_lanes m)
{
    return (int32_t)(((int64_t)x * m + (1 << 30)) >> 31);
}

// The same for |x| < 2^30.
NK_INLINE nk_int8_lanes nk_int8_high_small(nk_int8_lanes x, nk_int8_lanes m)
{
#ifdef NK_INT8_DSP
    int32_t product; // the upper half of 2 x * m, rounded
    __asm__("smmulr %0, %1, %2" : "=r"(product) : "r"(x * 2), "r"(m));
    return product;
#else
    return nk_int8_high(x, m);
#endif
}

NK_INLINE nk_int8_lanes nk_int8_shift(nk_int8_lanes x, nk_int8_lanes e)
{
    const int32_t half = (int32_t)((1u << e) >> 1);
    return (x + half + ((x & -e) >> 31)) >> e; // one less where x < 0 < e
}
#endif

// round(x * m / 2^(31 + e)) by both roundings: TFLite's MultiplyByQuantizedMultiplier for a real
// multiplier below one.
NK_INLINE nk_int8_lanes nk_int8_scale(nk_int8_lanes x, nk_int8_lanes m, nk_int8_lanes e)
{
    return nk_int8_shift(nk_int8_high(x, m), e);
}

// An accumulator as a result: |x| < 2^30, e >= 1.
#ifdef NK_INT8_MVE
NK_INLINE nk_int8_lanes nk_int8_result(nk_int8_lanes x, nk_int8_lanes m, nk_int8_lanes e,
                                       int32_t zero, int32_t low, int32_t high)
{
    const nk_int8_lanes product = nk_int8_high(x, m);
    const nk_int8_lanes scaled =
        vrshlq_s32(vaddq_s32(product, vshrq_n_s32(product, 31)), vnegq_s32(e));
    return nk_int8_clamp(vaddq_n_s32(scaled, zero), nk_int8_all(low), nk_int8_all(high));
}
#else
NK_INLINE nk_int8_lanes nk_int8_result(nk_int8_lanes x, nk_int8_lanes m, nk_int8_lanes e,
                                       int32_t zero, int32_t low, int32_t high)
{
    const int32_t product = nk_int8_high_small(x, m);
    return nk_int8_clamp(((product + (1 << (e - 1)) + (product >> 31)) >> e) + zero, low, high);
}
#endif

// ---- numbers of tensors -------------------------------------------------------------------------

NK_INLINE int32_t nk_int8_get(const void *x, int32_t at, int wide)
{
    return wide ? ((const int16_t *)x)[at] : ((const int8_t *)x)[at];
}

NK_INLINE void nk_int8_put(void *y, int32_t at, int32_t value, int wide)
{
    if (wide)
        ((int16_t *)y)[at] = (int16_t)value;
    else
        ((int8_t *)y)[at] = (int8_t)value;
}

// Kernels tell by its upper limit whether a result is wide.
NK_INLINE int nk_int8_is_wide(int32_t high)
{
    return high > 127;
}

// Numbers at, at + 1, ... of a tensor or a list of 32-bit words, as lanes; of those from the n-th
// on nothing is read or written.
#ifdef NK_INT8_MVE
NK_INLINE nk_int8_lanes nk_int8_read(const void *x, int32_t at, int n, int wide)
{
    const int8_t *byte = (const int8_t *)x + at;
    const int16_t *word = (const int16_t *)x + at;
    if (n >= NK_INT8_LANES)
        return wide ? vldrhq_s32(word) : vldrbq_s32(byte);
    const mve_pred16_t first = vctp32q((uint32_t)n);
    return wide ? vldrhq_z_s32(word, first) : vldrbq_z_s32(byte, first);
}

NK_INLINE nk_int8_lanes nk_int8_read_words(const int32_t *x, int n)
{
    return n >= NK_INT8_LANES ? vldrwq_s32(x) : vldrwq_z_s32(x, vctp32q((uint32_t)n));
}

NK_INLINE void nk_int8_write(void *y, int32_t at, nk_int8_lanes value, int n, int wide)
{
    int8_t *byte = (int8_t *)y + at;
    int16_t *word = (int16_t *)y + at;
    const mve_pred16_t first = vctp32q((uint32_t)n);
    if (n >= NK_INT8_LANES && wide)
        vstrhq_s32(word, value);
    else if (n >= NK_INT8_LANES)
        vstrbq_s32(byte, value);
    else if (wide)
        vstrhq_p_s32(word, value, first);
    else
        vstrbq_p_s32(byte, value, first);
}

// Lane i as number at + i * stride.
NK_INLINE void nk_int8_scatter(void *y, int32_t at, int32_t stride, nk_int8_lanes value, int n,
                               int wide)
{
    const uint32x4_t offsets = vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)stride);
    const mve_pred16_t first = vctp32q((uint32_t)n);
    if (wide)
        vstrhq_scatter_shifted_offset_p_s32((int16_t *)y + at, offsets, value, first);
    else
        vstrbq_scatter_offset_p_s32((int8_t *)y + at, offsets, value, first);
}
#else
NK_INLINE nk_int8_lanes nk_int8_read(const void *x, int32_t at, int n, int wide)
{
    (void)n;
    return nk_int8_get(x, at, wide);
}

NK_INLINE nk_int8_lanes nk_int8_read_words(const int32_t *x, int n)
{
    (void)n;
    return *x;
}

NK_INLINE void nk_int8_write(void *y, int32_t at, nk_int8_lanes value, int n, int wide)
{
    (void)n;
    nk_int8_put(y, at, value, wide);
}

NK_INLINE void nk_int8_scatter(void *y, int32_t at, int32_t stride, nk_int8_lanes value, int n,
                               int wide)
{
    (void)stride, (void)n;
    nk_int8_put(y, at, value, wide);
}
#endif

#endif
