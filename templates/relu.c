// relu.c - y = max(x, 0), and its gradient: dx (+)= dy where y > 0.  size: pixels of a channel.

NK_INLINE void nk_relu(float *y, const float *x, int channels, int size, int groups, int part,
                       int parts)
{
    const size_t plane = nk_plane(size);
    for (int c = nk_share(groups * channels, part, parts);
         c < nk_share(groups * channels, part + 1, parts); c++)
        for (size_t i = c * plane; i < (c + 1) * plane; i++)
            y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

NK_INLINE void nk_relu_backward(float *dx, const float *dy, const float *y, int channels, int size,
                                int accumulate, int groups, int part, int parts)
{
    const size_t plane = nk_plane(size);
    for (int c = nk_share(groups * channels, part, parts);
         c < nk_share(groups * channels, part + 1, parts); c++)
        for (size_t i = c * plane; i < (c + 1) * plane; i++) {
            const float d = y[i] > 0.0f ? dy[i] : 0.0f;
            dx[i] = accumulate ? dx[i] + d : d;
        }
}
