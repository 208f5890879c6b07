// int8.h - what the int8 kernels stand on: TensorFlow Lite's fixed-point arithmetic, copies, and
// the dot products of a tile, for three kinds of machine.
//
// A real number r is held as q with r = scale (q - zero), in 8 bits or, where a tensor is "wide",
// in 16; the weights that a wide tensor meets have 16, too.  Accumulators are int32.  Everything
// here is exact integer arithmetic, so that all machines give the same bits: plain C, Arm's DSP
// instructions (__ARM_FEATURE_DSP: two 16-bit products an instruction) and Helium
// (__ARM_FEATURE_MVE: sixteen 8-bit ones).
#ifndef NK_INT8_H
#define NK_INT8_H

#include <stdint.h>
#include <string.h>

#ifndef NK_INLINE
#if defined(__GNUC__) && !defined(__TINYC__)
#define NK_INLINE static inline __attribute__((always_inline, unused))
#define NK_OUTLINE static __attribute__((noinline, unused))
#else
#define NK_INLINE static inline
#define NK_OUTLINE static
#endif
#endif

// ---- fixed point --------------------------------------------------------------------------------

// round(x * m / 2^31), halves upwards: gemmlowp's SaturatingRoundingDoublingHighMul, which for
// m > 0 never saturates.
NK_INLINE int32_t nk_int8_high(int32_t x, int32_t m)
{
    return (int32_t)(((int64_t)x * m + (1 << 30)) >> 31);
}

// round(x / 2^e), halves away from zero, e >= 0: gemmlowp's RoundingDivideByPOT.
NK_INLINE int32_t nk_int8_shift(int32_t x, int e)
{
    const int32_t half = (int32_t)((1u << e) >> 1);
    return (x + half + (e > 0 ? x >> 31 : 0)) >> e;
}

// round(x * m / 2^(31 + e)) by both roundings: TFLite's MultiplyByQuantizedMultiplier for a real
// multiplier below one.
NK_INLINE int32_t nk_int8_scale(int32_t x, int32_t m, int e)
{
    return nk_int8_shift(nk_int8_high(x, m), e);
}

NK_INLINE int32_t nk_int8_clamp(int32_t x, int32_t low, int32_t high)
{
    return x < low ? low : x > high ? high : x;
}

// An accumulator as a result: e >= 1.
NK_INLINE int32_t nk_int8_result(int32_t x, int32_t m, int e, int32_t zero, int32_t low,
                                 int32_t high)
{
    const int32_t product = nk_int8_high(x, m);
    return nk_int8_clamp(((product + (1 << (e - 1)) + (product >> 31)) >> e) + zero, low, high);
}

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

// ---- words of memory ----------------------------------------------------------------------------

// At any address.  Not by memcpy: freestanding compilers call it.
#if defined(__GNUC__) && !defined(__TINYC__)
typedef struct {
    uint32_t word;
} __attribute__((packed, may_alias)) nk_int8_word;

NK_INLINE uint32_t nk_int8_load(const void *p)
{
    return ((const nk_int8_word *)p)->word;
}

NK_INLINE void nk_int8_store(void *p, uint32_t word)
{
    ((nk_int8_word *)p)->word = word;
}
#else
NK_INLINE uint32_t nk_int8_load(const void *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

NK_INLINE void nk_int8_store(void *p, uint32_t word)
{
    memcpy(p, &word, sizeof word);
}
#endif

NK_INLINE void nk_int8_fill(void *to, int32_t at, int32_t value, int n, int wide)
{
    for (int i = 0; i < n; i++)
        nk_int8_put(to, at + i, value, wide);
}

// ---- dot products: NK_INT8_PIXELS columns of numbers with two rows of weights -------------------
//
// A column is the input of one pixel, tap after tap: [kernel_h][kernel_w][channels].  `taps` is its
// length; rows of weights are nk_int8_pitch(taps) apart, filled up with zeros.

NK_INLINE int nk_int8_pitch(int taps)
{
    return (taps + 3) & ~3;
}

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#include <arm_mve.h>

#define NK_INT8_PIXELS 4
typedef int8_t nk_int8_column;

// n numbers, those below `low` raised to it.
NK_INLINE void nk_int8_copy(int8_t *to, const int8_t *from, int n, int low)
{
    const int8x16_t floor = vdupq_n_s8((int8_t)low);
    for (; n > 0; n -= 16, to += 16, from += 16) {
        const mve_pred16_t tail = vctp8q((uint32_t)n);
        vstrbq_p_s8(to, vmaxq_s8(vldrbq_z_s8(from, tail), floor), tail);
    }
}

NK_INLINE void nk_int8_dot(int32_t sum[NK_INT8_PIXELS][2], const nk_int8_column *x, int pitch,
                           const int8_t *w0, const int8_t *w1, int taps)
{
    const int8_t *x1 = x + pitch, *x2 = x1 + pitch, *x3 = x2 + pitch;
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
    for (int n = taps; n > 0; n -= 16) {
        const mve_pred16_t tail = vctp8q((uint32_t)n);
        const int8x16_t a = vldrbq_z_s8(w0, tail), b = vldrbq_z_s8(w1, tail);
        int8x16_t v = vldrbq_z_s8(x, tail);
        s00 = vmladavaq_p_s8(s00, v, a, tail);
        s01 = vmladavaq_p_s8(s01, v, b, tail);
        v = vldrbq_z_s8(x1, tail);
        s10 = vmladavaq_p_s8(s10, v, a, tail);
        s11 = vmladavaq_p_s8(s11, v, b, tail);
        v = vldrbq_z_s8(x2, tail);
        s20 = vmladavaq_p_s8(s20, v, a, tail);
        s21 = vmladavaq_p_s8(s21, v, b, tail);
        v = vldrbq_z_s8(x3, tail);
        s30 = vmladavaq_p_s8(s30, v, a, tail);
        s31 = vmladavaq_p_s8(s31, v, b, tail);
        w0 += 16, w1 += 16, x += 16, x1 += 16, x2 += 16, x3 += 16;
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
    sum[2][0] = s20, sum[2][1] = s21, sum[3][0] = s30, sum[3][1] = s31;
}

NK_INLINE void nk_int8_dot_wide(int32_t sum[NK_INT8_PIXELS][2], const int16_t *x, int pitch,
                                const int16_t *w0, const int16_t *w1, int taps)
{
    const int16_t *x1 = x + pitch, *x2 = x1 + pitch, *x3 = x2 + pitch;
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
    for (int n = taps; n > 0; n -= 8) {
        const mve_pred16_t tail = vctp16q((uint32_t)n);
        const int16x8_t a = vldrhq_z_s16(w0, tail), b = vldrhq_z_s16(w1, tail);
        int16x8_t v = vldrhq_z_s16(x, tail);
        s00 = vmladavaq_p_s16(s00, v, a, tail);
        s01 = vmladavaq_p_s16(s01, v, b, tail);
        v = vldrhq_z_s16(x1, tail);
        s10 = vmladavaq_p_s16(s10, v, a, tail);
        s11 = vmladavaq_p_s16(s11, v, b, tail);
        v = vldrhq_z_s16(x2, tail);
        s20 = vmladavaq_p_s16(s20, v, a, tail);
        s21 = vmladavaq_p_s16(s21, v, b, tail);
        v = vldrhq_z_s16(x3, tail);
        s30 = vmladavaq_p_s16(s30, v, a, tail);
        s31 = vmladavaq_p_s16(s31, v, b, tail);
        w0 += 8, w1 += 8, x += 8, x1 += 8, x2 += 8, x3 += 8;
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
    sum[2][0] = s20, sum[2][1] = s21, sum[3][0] = s30, sum[3][1] = s31;
}

#else

#define NK_INT8_PIXELS 2

#if defined(__ARM_FEATURE_DSP) && defined(__arm__)

typedef int16_t nk_int8_column; // widened: bytes 0 and 2 of a word, then 1 and 3

// Bytes 0 and 2, and 1 and 3, as two 16-bit numbers.
NK_INLINE uint32_t nk_int8_even(uint32_t bytes)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1" : "=r"(pair) : "r"(bytes));
    return pair;
}

NK_INLINE uint32_t nk_int8_odd(uint32_t bytes)
{
    uint32_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(bytes));
    return pair;
}

NK_INLINE int32_t nk_int8_add(int32_t sum, uint32_t a, uint32_t b)
{
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

// Four bytes, those below the bytes of `floor` raised to them.
NK_INLINE uint32_t nk_int8_raise(uint32_t bytes, uint32_t floor)
{
    uint32_t result;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(bytes), "r"(floor));
    return result;
}

NK_INLINE void nk_int8_copy(int8_t *to, const int8_t *from, int n, int low)
{
    const uint32_t floor = 0x01010101u * (uint8_t)low;
    for (; n >= 4; n -= 4, to += 4, from += 4)
        nk_int8_store(to, nk_int8_raise(nk_int8_load(from), floor));
    for (; n > 0; n--, to++, from++)
        *to = (int8_t)(*from < low ? low : *from);
}

// n numbers, a multiple of 4, raised to `low` and widened.
NK_INLINE void nk_int8_widen(int16_t *to, const int8_t *from, int n, int low)
{
    const uint32_t floor = 0x01010101u * (uint8_t)low;
#pragma GCC unroll 2
    for (; n > 0; n -= 4, to += 4, from += 4) {
        const uint32_t bytes = nk_int8_raise(nk_int8_load(from), floor);
        nk_int8_store(to, nk_int8_even(bytes));
        nk_int8_store(to + 2, nk_int8_odd(bytes));
    }
}

NK_INLINE void nk_int8_dot(int32_t sum[NK_INT8_PIXELS][2], const nk_int8_column *x, int pitch,
                           const int8_t *w0, const int8_t *w1, int taps)
{
    const int16_t *x1 = x + pitch;
    const int8_t *end = w0 + nk_int8_pitch(taps);
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0;
#pragma GCC unroll 4
    for (; w0 != end; w0 += 4, w1 += 4, x += 4, x1 += 4) {
        const uint32_t a = nk_int8_load(w0), b = nk_int8_load(w1);
        const uint32_t a0 = nk_int8_even(a), a1 = nk_int8_odd(a);
        const uint32_t b0 = nk_int8_even(b), b1 = nk_int8_odd(b);
        const uint64_t u = *(const uint64_t *)(const void *)x;
        const uint64_t v = *(const uint64_t *)(const void *)x1;
        s00 = nk_int8_add(s00, (uint32_t)u, a0);
        s01 = nk_int8_add(s01, (uint32_t)u, b0);
        s00 = nk_int8_add(s00, (uint32_t)(u >> 32), a1);
        s01 = nk_int8_add(s01, (uint32_t)(u >> 32), b1);
        s10 = nk_int8_add(s10, (uint32_t)v, a0);
        s11 = nk_int8_add(s11, (uint32_t)v, b0);
        s10 = nk_int8_add(s10, (uint32_t)(v >> 32), a1);
        s11 = nk_int8_add(s11, (uint32_t)(v >> 32), b1);
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
}

NK_INLINE void nk_int8_dot_wide(int32_t sum[NK_INT8_PIXELS][2], const int16_t *x, int pitch,
                                const int16_t *w0, const int16_t *w1, int taps)
{
    const int16_t *x1 = x + pitch, *end = w0 + nk_int8_pitch(taps);
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0;
#pragma GCC unroll 4
    for (; w0 != end; w0 += 2, w1 += 2, x += 2, x1 += 2) {
        const uint32_t a = nk_int8_load(w0), b = nk_int8_load(w1);
        const uint32_t u = nk_int8_load(x), v = nk_int8_load(x1);
        s00 = nk_int8_add(s00, u, a);
        s01 = nk_int8_add(s01, u, b);
        s10 = nk_int8_add(s10, v, a);
        s11 = nk_int8_add(s11, v, b);
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
}

#else

typedef int8_t nk_int8_column;

NK_INLINE void nk_int8_copy(int8_t *to, const int8_t *from, int n, int low)
{
    for (int i = 0; i < n; i++)
        to[i] = (int8_t)(from[i] < low ? low : from[i]);
}

// Either kind of numbers.
NK_INLINE void nk_int8_dot_any(int32_t sum[NK_INT8_PIXELS][2], const void *x, int pitch,
                               const void *w0, const void *w1, int taps, int wide)
{
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0;
    for (int i = 0; i < taps; i++) {
        const int32_t a = nk_int8_get(w0, i, wide), b = nk_int8_get(w1, i, wide);
        const int32_t u = nk_int8_get(x, i, wide), v = nk_int8_get(x, pitch + i, wide);
        s00 += a * u;
        s01 += b * u;
        s10 += a * v;
        s11 += b * v;
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
}

NK_INLINE void nk_int8_dot(int32_t sum[NK_INT8_PIXELS][2], const nk_int8_column *x, int pitch,
                           const int8_t *w0, const int8_t *w1, int taps)
{
    nk_int8_dot_any(sum, x, pitch, w0, w1, taps, 0);
}

NK_INLINE void nk_int8_dot_wide(int32_t sum[NK_INT8_PIXELS][2], const int16_t *x, int pitch,
                                const int16_t *w0, const int16_t *w1, int taps)
{
    nk_int8_dot_any(sum, x, pitch, w0, w1, taps, 1);
}

#endif
#endif

#endif
