// concat.c - the "concat" merge: one input's channels copied to their place, and the gradient's way
// back. total, offset, channels: of the whole, before this part, of this part; size: pixels of a
// channel.

NK_INLINE void nk_concat_part(float *y, const float *x, int total, int offset, int channels,
                              int size, int groups, int part, int parts)
{
    const size_t plane = nk_plane(size);
    const int c0 = nk_share(channels, part, parts), c1 = nk_share(channels, part + 1, parts);
    for (int g = 0; g < groups; g++)
        memcpy(y + ((size_t)g * total + offset + c0) * plane,
               x + ((size_t)g * channels + c0) * plane, (size_t)(c1 - c0) * plane * sizeof *y);
}

NK_INLINE void nk_concat_part_backward(float *dx, const float *dy, int total, int offset,
                                       int channels, int size, int accumulate, int groups, int part,
                                       int parts)
{
    const size_t plane = nk_plane(size);
    const int c0 = nk_share(channels, part, parts), c1 = nk_share(channels, part + 1, parts);
    for (int g = 0; g < groups; g++) {
        const float *in = dy + ((size_t)g * total + offset + c0) * plane;
        float *out = dx + ((size_t)g * channels + c0) * plane;
        for (size_t i = 0; i < (size_t)(c1 - c0) * plane; i++)
            out[i] = accumulate ? out[i] + in[i] : in[i];
    }
}
