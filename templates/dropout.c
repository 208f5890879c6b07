// dropout.c - inverted dropout of the head's features: a feature is zeroed with probability
// `dropout`, else divided by 1 - dropout.  The mask is a hash of (seed, step, image, channel), so
// the backward pass draws the same one again.

NK_INLINE void nk_dropout(float *y, const float *x, int channels, int groups,
                          unsigned long long seed, unsigned long long step, float dropout, int part,
                          int parts)
{
    const float keep = 1.0f / (1.0f - dropout);
    const uint64_t key = nk_mix(seed + 0x9e3779b97f4a7c15u * (step + 1)),
                   bar = (uint64_t)(dropout * 16777216.0f);
    for (int g = 0; g < groups; g++)
        for (int c = nk_share(channels, part, parts); c < nk_share(channels, part + 1, parts); c++)
            for (int l = 0; l < NK_LANES; l++) {
                const size_t at = ((size_t)g * channels + c) * NK_LANES + l;
                const uint64_t draw =
                    nk_mix(key ^ ((uint64_t)(g * NK_LANES + l) << 32 | (uint32_t)c)) >> 40;
                y[at] = draw < bar ? 0.0f : keep * x[at];
            }
}
