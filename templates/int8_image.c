// int8_image.c - a normalised image, channel by channel, to what the int8 network reads:
// [H][W][channels], round(x / scale) + zero.

// rule: zero.  A division, since a product could be contracted with the sum: the same bits on every
// machine.
NK_OUTLINE void nk_int8_image(int8_t *y, const float *image, const int32_t *rule, int channels,
                              int size, float scale)
{
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c++) {
            const float v = image[(int32_t)c * size + p] / scale;
            const int32_t whole = v < -256.0f  ? -256
                                  : v > 256.0f ? 256
                                               : (int32_t)(v < 0.0f ? v - 0.5f : v + 0.5f);
            y[(int32_t)p * channels + c] = nk_int8_clamp(whole + rule[0], -128);
        }
}
