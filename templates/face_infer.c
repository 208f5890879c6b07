// face_infer.c - how a program calls an inference file.

// images: [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits: [NK_BATCH][NK_CLASSES].
// arena: NK_ARENA_BYTES, aligned to 64 bytes.  Reentrant.
void nk_infer_in(void *arena, const float *images, float *logits)
{
    for (int n = 0; n < NK_BATCH; n++) {
        const nk_call call = {.arena = (float *)arena,
                              .images = images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                              .logits = logits + (size_t)n * NK_CLASSES,
                              .count = 1};
        nk_program_infer(&call);
    }
}

void nk_infer(const float *images, float *logits)
{
    nk_infer_in(nk_arena, images, logits);
}
