// face_int8.c - how a program calls an int8 file.

// One image of raw pixels; hwc tells that the channels of a pixel lie together.
static void nk_read_pixels(void *arena, const uint8_t *pixels, int hwc)
{
    nk_pixel *to = nk_image(arena);
    for (int p = 0; p < NK_HEIGHT * NK_WIDTH; p++)
        for (int c = 0; c < NK_CHANNELS; c++)
            *to++ = nk_pixels[c][hwc ? pixels[p * NK_CHANNELS + c]
                                     : pixels[c * NK_HEIGHT * NK_WIDTH + p]];
}

static void nk_infer_pixels(void *arena, const uint8_t *pixels, float *logits)
{
    nk_read_pixels(arena, pixels, NK_PIXELS_ARE_HWC);
    nk_program_infer(arena, logits);
}

// images: [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits: [NK_BATCH][NK_CLASSES].
// arena: NK_ARENA_BYTES, aligned to 8 bytes.  Reentrant.
void nk_infer_in(void *arena, const float *images, float *logits)
{
    for (int n = 0; n < NK_BATCH; n++) {
        nk_read_image(arena, images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH);
        nk_program_infer(arena, logits + (size_t)n * NK_CLASSES);
    }
}

void nk_infer_u8_in(void *arena, const uint8_t *images, float *logits)
{
    for (int n = 0; n < NK_BATCH; n++)
        nk_infer_pixels(arena, images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                        logits + (size_t)n * NK_CLASSES);
}

void nk_infer(const float *images, float *logits)
{
    nk_infer_in(nk_arena, images, logits);
}

void nk_infer_u8(const uint8_t *images, float *logits)
{
    nk_infer_u8_in(nk_arena, images, logits);
}
