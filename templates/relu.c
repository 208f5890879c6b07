// relu.c - y = max(x, 0), and its gradient: dx (+)= dy where y > 0.  size: values of one image.

NK_INLINE void nk_relu(float *y, const float *x, int size, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * NK_LANES;
        for (int i = NK_LANES * nk_share(size, part, parts);
             i < NK_LANES * nk_share(size, part + 1, parts); i++)
            y[at + i] = x[at + i] < 0.0f ? 0.0f : x[at + i];
    }
}

NK_INLINE void nk_relu_backward(float *dx, const float *dy, const float *y, int size,
                                int accumulate, int groups, int part, int parts)
{
    for (int g = 0; g < groups; g++) {
        const size_t at = (size_t)g * size * NK_LANES;
        for (int i = NK_LANES * nk_share(size, part, parts);
             i < NK_LANES * nk_share(size, part + 1, parts); i++) {
            const float d = y[at + i] > 0.0f ? dy[at + i] : 0.0f;
            dx[at + i] = accumulate ? dx[at + i] + d : d;
        }
    }
}
