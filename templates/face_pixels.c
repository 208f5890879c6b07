// face_pixels.c - raw pixels to what the network reads: (pixel / 255 - mean) / deviation, per
// channel.

// One image; hwc tells that the channels of a pixel lie together.
static void nk_normalise(const uint8_t *pixels, float *image, int hwc)
{
    for (int c = 0; c < NK_CHANNELS; c++)
        for (int i = 0; i < NK_HEIGHT * NK_WIDTH; i++) {
            const uint8_t pixel =
                hwc ? pixels[i * NK_CHANNELS + c] : pixels[c * NK_HEIGHT * NK_WIDTH + i];
            image[c * NK_HEIGHT * NK_WIDTH + i] =
                ((float)pixel * (1.0f / 255.0f) - nk_mean[c]) / nk_deviation[c];
        }
}
