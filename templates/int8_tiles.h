// int8_tiles.h - what the convolution and the head of an int8 program share: the input of a few
// pixels as columns, and their dot products with a few filters, for three kinds of machine.
//
// A column is the input of one pixel, tap after tap: [kernel_h][kernel_w][channels].  A tile holds
// NK_INT8_PIXELS of them in the machine's own order.  A filter's weights are a row of
// nk_int8_pitch(taps) numbers, zeros at its end; up to 12 bytes behind the last row are read, too,
// but do not count.
#ifndef NK_INT8_TILES_H
#define NK_INT8_TILES_H

NK_INLINE int nk_int8_pitch(int taps)
{
    return (taps + 3) & ~3;
}

// What a convolution reads: `zero` outside of the map, and `low` for what is less.
typedef struct {
    const void *x; // [height][width][channels]
    int channels, height, width, kernel_h, kernel_w, zero, low;
} nk_int8_map;

NK_INLINE int nk_int8_taps(const nk_int8_map *map)
{
    return map->kernel_h * map->kernel_w * map->channels;
}

#ifdef NK_INT8_MVE
// ---- Helium: columns one after another, filled up with zeros to whole vectors -------------------

#define NK_INT8_PIXELS 4
#define NK_INT8_FILTERS 2

typedef struct {
    int8_t *to; // the next byte
    int8x16_t zero, low;
} nk_int8_writer;

NK_INLINE int nk_int8_column_bytes(int taps, int wide)
{
    return ((taps << wide) + 15) & ~15;
}

NK_INLINE int8x16_t nk_int8_raise(int8x16_t v, int8x16_t low, int wide)
{
    return wide
               ? vreinterpretq_s8_s16(vmaxq_s16(vreinterpretq_s16_s8(v), vreinterpretq_s16_s8(low)))
               : vmaxq_s8(v, low);
}

NK_INLINE int8x16_t nk_int8_splat(int32_t value, int wide)
{
    return wide ? vreinterpretq_s8_s16(vdupq_n_s16((int16_t)value)) : vdupq_n_s8((int8_t)value);
}

NK_INLINE void nk_int8_put_zeros(nk_int8_writer *out, int bytes, int wide)
{
    (void)wide;
    for (int n = bytes; n > 0; n -= 16)
        vstrbq_p_s8(out->to + bytes - n, out->zero, vctp8q((uint32_t)n));
    out->to += bytes;
}

// The last vector may overlap the one before.
NK_INLINE void nk_int8_put_copy(nk_int8_writer *out, const int8_t *from, int bytes, int wide)
{
    if (bytes < 16) {
        const mve_pred16_t all = vctp8q((uint32_t)bytes);
        vstrbq_p_s8(out->to, nk_int8_raise(vldrbq_z_s8(from, all), out->low, wide), all);
    } else {
        const int last = bytes - 16;
        for (int at = 0; at < last; at += 16)
            vstrbq_s8(out->to + at, nk_int8_raise(vldrbq_s8(from + at), out->low, wide));
        vstrbq_s8(out->to + last, nk_int8_raise(vldrbq_s8(from + last), out->low, wide));
    }
    out->to += bytes;
}

NK_INLINE nk_int8_writer nk_int8_column(void *tile, const nk_int8_map *map, int pixel, int wide)
{
    const int bytes = nk_int8_column_bytes(nk_int8_taps(map), wide);
    return (nk_int8_writer){(int8_t *)tile + pixel * bytes, nk_int8_splat(map->zero, wide),
                            nk_int8_splat(map->low, wide)};
}

NK_INLINE void nk_int8_end(nk_int8_writer *out, int taps, int wide)
{
    const int bytes = taps << wide;
    out->zero = vdupq_n_s8(0);
    nk_int8_put_zeros(out, nk_int8_column_bytes(taps, wide) - bytes, 0);
}

NK_INLINE int32_t nk_int8_dot_vector(int32_t sum, int8x16_t x, int8x16_t w, int wide)
{
    return wide ? vmladavaq_s16(sum, vreinterpretq_s16_s8(x), vreinterpretq_s16_s8(w))
                : vmladavaq_s8(sum, x, w);
}

NK_INLINE void nk_int8_dot(int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS], const void *tile,
                           const void *w0, const void *w1, int taps, int wide)
{
    const int bytes = nk_int8_column_bytes(taps, wide);
    const int8_t *x0 = tile, *x1 = x0 + bytes, *x2 = x1 + bytes, *x3 = x2 + bytes;
    const int8_t *a = w0, *b = w1, *end = x1;
    int32_t s00 = sum[0][0], s01 = sum[0][1], s02 = sum[0][2], s03 = sum[0][3];
    int32_t s10 = sum[1][0], s11 = sum[1][1], s12 = sum[1][2], s13 = sum[1][3];
    for (; x0 != end; a += 16, b += 16, x0 += 16, x1 += 16, x2 += 16, x3 += 16) {
        const int8x16_t u = vldrbq_s8(a), v = vldrbq_s8(b);
        int8x16_t x = vldrbq_s8(x0);
        s00 = nk_int8_dot_vector(s00, x, u, wide);
        s10 = nk_int8_dot_vector(s10, x, v, wide);
        x = vldrbq_s8(x1);
        s01 = nk_int8_dot_vector(s01, x, u, wide);
        s11 = nk_int8_dot_vector(s11, x, v, wide);
        x = vldrbq_s8(x2);
        s02 = nk_int8_dot_vector(s02, x, u, wide);
        s12 = nk_int8_dot_vector(s12, x, v, wide);
        x = vldrbq_s8(x3);
        s03 = nk_int8_dot_vector(s03, x, u, wide);
        s13 = nk_int8_dot_vector(s13, x, v, wide);
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[0][2] = s02, sum[0][3] = s03;
    sum[1][0] = s10, sum[1][1] = s11, sum[1][2] = s12, sum[1][3] = s13;
}

#elif defined(NK_INT8_DSP)
// ---- Arm's DSP instructions: pairs of 16-bit numbers, those of the pixels beside each other -----
//
// 8 bits are widened: for each four taps, taps 0 and 2 of every pixel, then taps 1 and 3, as the
// instruction takes them from a word of weights.  16 bits: for each two taps those of every pixel.

#define NK_INT8_PIXELS 4
#define NK_INT8_FILTERS 1

// At any address.
typedef struct {
    uint32_t word;
} __attribute__((packed, may_alias)) nk_int8_word;

typedef struct {
    uint32_t *to;        // where this pixel's next word goes
    uint32_t word, bits; // the numbers that do not fill a word yet: so many bits of this one
    uint32_t zero, low;  // words full of the map's
} nk_int8_writer;

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

// The numbers of a word, those below the numbers of `floor` raised to them.
NK_INLINE uint32_t nk_int8_raise(uint32_t word, uint32_t floor, int wide)
{
    uint32_t result;
    if (wide)
        __asm__("ssub16 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(word), "r"(floor));
    else
        __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(word), "r"(floor));
    return result;
}

NK_INLINE uint32_t nk_int8_splat(int32_t value, int wide)
{
    return wide ? 0x10001u * (uint16_t)value : 0x1010101u * (uint8_t)value;
}

// A word of numbers, widened if they are bytes; what the next one follows.
NK_INLINE uint32_t *nk_int8_put_word(uint32_t *to, uint32_t word, uint32_t low, int wide)
{
    const uint32_t raised = nk_int8_raise(word, low, wide);
    to[0] = wide ? raised : nk_int8_even(raised);
    if (!wide)
        to[NK_INT8_PIXELS] = nk_int8_odd(raised);
    return to + (wide ? NK_INT8_PIXELS : 2 * NK_INT8_PIXELS);
}

// Runs are copied, or else are zeros: four bytes of one, from p on.
NK_INLINE uint32_t nk_int8_run_word(const nk_int8_writer *out, const int8_t *p, int copied)
{
    return copied ? ((const nk_int8_word *)(const void *)p)->word : out->zero;
}

// A short one, number by number.
NK_INLINE void nk_int8_put_few(nk_int8_writer *out, const int8_t *from, int bytes, int copied,
                               int wide)
{
    for (int i = 0; i < bytes; i += 1 << wide) {
        const uint32_t number = !copied ? out->zero & (wide ? 0xffff : 0xff)
                                : wide  ? *(const uint16_t *)(const void *)(from + i)
                                        : (uint8_t)from[i];
        out->word |= number << out->bits;
        out->bits += wide ? 16 : 8;
        if (out->bits == 32) {
            out->to = nk_int8_put_word(out->to, out->word, out->low, wide);
            out->word = out->bits = 0;
        }
    }
}

NK_INLINE void nk_int8_put_run(nk_int8_writer *out, const int8_t *from, int bytes, int copied,
                               int wide)
{
    if (bytes < 8) {
        nk_int8_put_few(out, from, bytes, copied, wide);
        return;
    }
    if (out->bits) {
        const int missing = 4 - (int)(out->bits >> 3);
        const uint32_t word = nk_int8_run_word(out, from, copied) << out->bits | out->word;
        out->to = nk_int8_put_word(out->to, word, out->low, wide);
        from += missing;
        bytes -= missing;
    }
#pragma GCC unroll 2
    for (int n = bytes >> 2; n > 0; n--, from += 4)
        out->to = nk_int8_put_word(out->to, nk_int8_run_word(out, from, copied), out->low, wide);
    out->bits = (uint32_t)(bytes & 3) << 3;
    out->word =
        out->bits ? nk_int8_run_word(out, from + (bytes & 3) - 4, copied) >> (32 - out->bits) : 0;
}

NK_INLINE void nk_int8_put_zeros(nk_int8_writer *out, int bytes, int wide)
{
    nk_int8_put_run(out, 0, bytes, 0, wide);
}

NK_INLINE void nk_int8_put_copy(nk_int8_writer *out, const int8_t *from, int bytes, int wide)
{
    nk_int8_put_run(out, from, bytes, 1, wide);
}

NK_INLINE nk_int8_writer nk_int8_column(void *tile, const nk_int8_map *map, int pixel, int wide)
{
    return (nk_int8_writer){(uint32_t *)tile + pixel, 0, 0, nk_int8_splat(map->zero, wide),
                            nk_int8_splat(map->low, wide)};
}

// The last word is filled up with whatever: its weights are zeros.
NK_INLINE void nk_int8_end(nk_int8_writer *out, int taps, int wide)
{
    (void)taps;
    if (out->bits)
        nk_int8_put_word(out->to, out->word, out->low, wide);
}

// Registers r2 to r5 take the pixels' pairs; x and w go on.
#define NK_INT8_ADD_PAIRS(weights)                                                   \
    "ldmia %[x]!, {r2, r3, r4, r5}\n\t"                                              \
    "smlad %[s0], " weights ", r2, %[s0]\n\tsmlad %[s1], " weights ", r3, %[s1]\n\t" \
    "smlad %[s2], " weights ", r4, %[s2]\n\tsmlad %[s3], " weights ", r5, %[s3]\n\t"
#define NK_INT8_ADD_BYTES(word)                                                \
    "sxtb16 %[c], " word "\n\t" NK_INT8_ADD_PAIRS("%[c]") "sxtb16 %[c], " word \
                                                          ", ror #8\n\t" NK_INT8_ADD_PAIRS("%[c]")
#define NK_INT8_ADD(words)                                                           \
    __asm__(words                                                                    \
            : [x] "+r"(x), [w] "+r"(w), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2), \
              [s3] "+r"(s3), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c)                \
            :                                                                        \
            : "r2", "r3", "r4", "r5", "memory")
#define NK_INT8_TWO_WORDS \
    "ldrd %[a], %[b], [%[w]], #8\n\t" NK_INT8_ADD_BYTES("%[a]") NK_INT8_ADD_BYTES("%[b]")
#define NK_INT8_TWO_WIDE \
    "ldrd %[a], %[b], [%[w]], #8\n\t" NK_INT8_ADD_PAIRS("%[a]") NK_INT8_ADD_PAIRS("%[b]")

// Thirteen registers of fourteen: inlined without optimisation, or for size, gcc finds too few.
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__)
#define NK_INT8_DOT NK_INLINE
#else
#define NK_INT8_DOT static __attribute__((noinline, unused, optimize("O2")))
#endif

NK_INT8_DOT void nk_int8_dot(int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS], const void *tile,
                             const void *w0, const void *w1, int taps, int wide)
{
    const uint32_t *x = tile, *w = w0;
    const int words = nk_int8_pitch(taps) >> (2 - wide);
    int32_t s0 = sum[0][0], s1 = sum[0][1], s2 = sum[0][2], s3 = sum[0][3];
    uint32_t a, b, c;
    (void)w1;
    for (int n = words >> 2; n > 0; n--)
        if (wide)
            NK_INT8_ADD(NK_INT8_TWO_WIDE NK_INT8_TWO_WIDE);
        else
            NK_INT8_ADD(NK_INT8_TWO_WORDS NK_INT8_TWO_WORDS);
    for (int n = words & 3; n > 0; n--)
        if (wide)
            NK_INT8_ADD("ldr %[a], [%[w]], #4\n\t" NK_INT8_ADD_PAIRS("%[a]"));
        else
            NK_INT8_ADD("ldr %[a], [%[w]], #4\n\t" NK_INT8_ADD_BYTES("%[a]"));
    sum[0][0] = s0, sum[0][1] = s1, sum[0][2] = s2, sum[0][3] = s3;
}

#else
// ---- plain C: columns one after another ---------------------------------------------------------

#define NK_INT8_PIXELS 2
#define NK_INT8_FILTERS 2

typedef struct {
    void *tile;
    int32_t at, zero, low;
} nk_int8_writer;

NK_INLINE void nk_int8_put_zeros(nk_int8_writer *out, int bytes, int wide)
{
    for (int n = bytes >> wide; n > 0; n--)
        nk_int8_put(out->tile, out->at++, out->zero, wide);
}

NK_INLINE void nk_int8_put_copy(nk_int8_writer *out, const int8_t *from, int bytes, int wide)
{
    const int n = bytes >> wide;
    for (int i = 0; i < n; i++)
        nk_int8_put(out->tile, out->at + i, nk_int8_max(nk_int8_get(from, i, wide), out->low),
                    wide);
    out->at += n;
}

NK_INLINE nk_int8_writer nk_int8_column(void *tile, const nk_int8_map *map, int pixel, int wide)
{
    (void)wide;
    return (nk_int8_writer){tile, pixel * nk_int8_pitch(nk_int8_taps(map)), map->zero, map->low};
}

NK_INLINE void nk_int8_end(nk_int8_writer *out, int taps, int wide)
{
    (void)out, (void)taps, (void)wide;
}

NK_INLINE void nk_int8_dot(int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS], const void *tile,
                           const void *w0, const void *w1, int taps, int wide)
{
    const int pitch = nk_int8_pitch(taps);
    int32_t s00 = sum[0][0], s01 = sum[0][1], s10 = sum[1][0], s11 = sum[1][1];
    for (int i = 0; i < taps; i++) {
        const int32_t a = nk_int8_get(w0, i, wide), b = nk_int8_get(w1, i, wide);
        const int32_t u = nk_int8_get(tile, i, wide), v = nk_int8_get(tile, pitch + i, wide);
        s00 += a * u;
        s01 += a * v;
        s10 += b * u;
        s11 += b * v;
    }
    sum[0][0] = s00, sum[0][1] = s01, sum[1][0] = s10, sum[1][1] = s11;
}

#endif

// ---- tiles --------------------------------------------------------------------------------------

NK_INLINE void nk_int8_put_column(nk_int8_writer *out, const nk_int8_map *map, int p, int wide)
{
    const int h = p / map->width, left = p % map->width - map->kernel_w / 2;
    const int pixel = map->channels << wide, right = left + map->kernel_w;
    const int first = left < 0 ? 0 : left, last = right > map->width ? map->width : right;
    for (int r = h - map->kernel_h / 2; r < h - map->kernel_h / 2 + map->kernel_h; r++) {
        const int outside = r < 0 || r >= map->height;
        nk_int8_put_zeros(out, (outside ? map->kernel_w : first - left) * pixel, wide);
        if (outside)
            continue;
        nk_int8_put_copy(out, (const int8_t *)map->x + (r * map->width + first) * pixel,
                         (last - first) * pixel, wide);
        nk_int8_put_zeros(out, (right - last) * pixel, wide);
    }
}

// The columns of pixels p .. p + NK_INT8_PIXELS - 1; behind the last pixel, it again.
NK_INLINE void nk_int8_fill_tile(void *tile, const nk_int8_map *map, int p, int wide)
{
    const int last = map->height * map->width - 1;
    for (int i = 0; i < NK_INT8_PIXELS; i++) {
        nk_int8_writer out = nk_int8_column(tile, map, i, wide);
        nk_int8_put_column(&out, map, p + i < last ? p + i : last, wide);
        nk_int8_end(&out, nk_int8_taps(map), wide);
    }
}

NK_OUTLINE void nk_int8_tile(void *tile, const nk_int8_map *map, int p)
{
    nk_int8_fill_tile(tile, map, p, 0);
}

NK_OUTLINE void nk_int8_tile_wide(void *tile, const nk_int8_map *map, int p)
{
    nk_int8_fill_tile(tile, map, p, 1);
}

// The sums of filters k .. k + NK_INT8_FILTERS - 1 and a tile, biases added; behind the last
// filter, it again.  w: the row of filter k.
NK_INLINE void nk_int8_sums(int32_t sum[NK_INT8_FILTERS][NK_INT8_PIXELS], const void *tile,
                            const void *w, const int32_t *bias, int taps, int filters, int k,
                            int wide)
{
    const int row = nk_int8_pitch(taps) << wide, pair = k + 1 < filters;
    const int32_t first = bias[k], second = bias[k + pair];
#pragma GCC unroll 2
    for (int j = 0; j < NK_INT8_FILTERS; j++)
#pragma GCC unroll 4
        for (int i = 0; i < NK_INT8_PIXELS; i++)
            sum[j][i] = j ? second : first;
    nk_int8_dot(sum, tile, w, (const int8_t *)w + (pair ? row : 0), taps, wide);
}

#endif
