// int8_image.c - a normalised image, channel by channel, to what the int8 network reads:
// [H][W][channels], round(x / scale) + zero.

// rule: zero, low, high.  A division, since a product could be contracted with the sum: the same
// bits on every machine.
NK_OUTLINE void nk_int8_image(void *y, const float *image, const int32_t *rule, int channels,
                              int size, float scale)
{
    for (int p = 0; p < size; p++)
        for (int c = 0; c < channels; c++) {
            const float v = image[(int32_t)c * size + p] / scale;
            const int32_t whole = v < -32768.0f  ? -32768
                                  : v > 32768.0f ? 32768
                                                 : (int32_t)(v < 0.0f ? v - 0.5f : v + 0.5f);
            const int32_t q = whole + rule[0];
            nk_int8_put(y, (int32_t)p * channels + c,
                        q < rule[1]   ? rule[1]
                        : q > rule[2] ? rule[2]
                                      : q,
                        nk_int8_is_wide(rule[2]));
        }
}
