// face_infer.c - how a program calls an inference file.

// One normalised image.
static void nk_infer_image(void *arena, const float *image, float *logits)
{
    const nk_call call = {.arena = (float *)arena, .images = image, .logits = logits, .count = 1};
    nk_program_infer(&call);
}

// One image of raw pixels.
static void nk_infer_pixels(void *arena, const uint8_t *pixels, float *logits)
{
    static float image[NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    nk_normalise(pixels, image, NK_PIXELS_ARE_HWC);
    nk_infer_image(arena, image, logits);
}

// images: [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits: [NK_BATCH][NK_CLASSES].
// arena: NK_ARENA_BYTES, aligned to 64 bytes.  Reentrant.
void nk_infer_in(void *arena, const float *images, float *logits)
{
    for (int n = 0; n < NK_BATCH; n++)
        nk_infer_image(arena, images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                       logits + (size_t)n * NK_CLASSES);
}

void nk_infer(const float *images, float *logits)
{
    nk_infer_in(nk_arena, images, logits);
}

void nk_infer_u8(const uint8_t *images, float *logits)
{
    for (int n = 0; n < NK_BATCH; n++)
        nk_infer_pixels(nk_arena, images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                        logits + (size_t)n * NK_CLASSES);
}
