// face_infer.c - how a program calls an inference file.

// One normalised image.
static void nk_infer_image(void *arena, const float *image, float *logits)
{
    nk_call call = {.arena = (float *)arena, .images = image, .logits = logits, .count = 1};
#if defined(NK_THREADS) && !defined(NK_SHARES_IMAGES)
    nk_trial trial = nk_trial_begin();
    call.team = trial.team;
    nk_program_infer(&call);
    nk_trial_end(&trial);
#else
    nk_program_infer(&call);
#endif
}

// One image of raw pixels.
static void nk_infer_pixels(void *arena, const uint8_t *pixels, float *logits)
{
    static float image[NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    nk_normalise(pixels, image, NK_PIXELS_ARE_HWC);
    nk_infer_image(arena, image, logits);
}

#ifdef NK_SHARES_IMAGES
// A share of the images, on an arena of its own.
static void nk_infer_share(const nk_call *call, int part)
{
    for (int n = nk_share(NK_BATCH, part, NK_THREADS); n < nk_share(NK_BATCH, part + 1, NK_THREADS);
         n++)
        nk_infer_image(call->arena + (size_t)part * (NK_ARENA_BYTES / 4 / NK_THREADS),
                       call->images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                       call->logits + (size_t)n * NK_CLASSES);
}
#endif

// images: [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits: [NK_BATCH][NK_CLASSES].
// arena: NK_ARENA_BYTES, aligned to 64 bytes.  Reentrant.
void nk_infer_in(void *arena, const float *images, float *logits)
{
#ifdef NK_SHARES_IMAGES
    const nk_call call = {.arena = (float *)arena,
                          .images = images,
                          .logits = logits,
                          .count = NK_BATCH,
                          .team = nk_claim_helpers()};
    nk_run_shared(nk_infer_share, &call);
    if (call.team)
        nk_dismiss_helpers();
#else
    for (int n = 0; n < NK_BATCH; n++)
        nk_infer_image(arena, images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                       logits + (size_t)n * NK_CLASSES);
#endif
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
