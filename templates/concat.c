// concat.c - the "concat" merge: one input's channels copied to their place, and the gradient's way
// back. total, offset, size: values of one image of the whole, before this part, of this part.

NK_INLINE void nk_concat_part(float *y, const float *x, int total, int offset, int size, int groups,
                              int part, int parts)
{
    const size_t first = (size_t)nk_share(size, part, parts) * NK_LANES,
                 last = (size_t)nk_share(size, part + 1, parts) * NK_LANES;
    for (int g = 0; g < groups; g++)
        memcpy(y + ((size_t)g * total + offset) * NK_LANES + first,
               x + (size_t)g * size * NK_LANES + first, (last - first) * sizeof *y);
}

NK_INLINE void nk_concat_part_backward(float *dx, const float *dy, int total, int offset, int size,
                                       int accumulate, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++) {
        const float *in = dy + ((size_t)g * total + offset) * NK_LANES;
        float *out = dx + (size_t)g * size * NK_LANES;
        for (int i = NK_LANES * nk_share(size, part, parts);
             i < NK_LANES * nk_share(size, part + 1, parts); i++)
            out[i] = accumulate ? out[i] + in[i] : in[i];
    }
}
