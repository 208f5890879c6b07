// face_train.c - how a program calls a trainable file.

static unsigned long long nk_seed, nk_step;

// Fills nk_params and nk_state from a seed; the momentum is zero, running means 0 and variances 1.
void nk_init(uint64_t seed)
{
    memset(nk_state, 0, sizeof nk_state);
    memset(nk_grads, 0, sizeof nk_grads);
    for (int i = 0; i < NK_PARAM_TENSORS; i++)
        nk_init_tensor(nk_params + nk_param_table[i].offset, &nk_param_table[i], seed);
    for (int i = 0; i < NK_STATE_TENSORS; i++)
        nk_init_tensor(nk_state + nk_state_table[i].offset, &nk_state_table[i], seed);
    nk_seed = seed;
    nk_step = 0;
}

// One step of SGD on the first `count` <= NK_BATCH images: forward in training mode, backward,
// update.  Returns the mean loss.  labels: 0 .. NK_CLASSES - 1.  The gradients stay in nk_grads.
float nk_train_step(const float *images, const int32_t *labels, int count, float learning_rate)
{
    float loss = 0.0f;
    const nk_call call = {.arena = nk_arena,
                          .params = nk_params,
                          .grads = nk_grads,
                          .state = nk_state,
                          .images = images,
                          .labels = (const int *)labels,
                          .loss = &loss,
                          .count = count,
                          .learning_rate = learning_rate,
                          .momentum = NK_MOMENTUM,
                          .weight_decay = NK_WEIGHT_DECAY,
                          .label_smoothing = NK_LABEL_SMOOTHING,
                          .seed = nk_seed,
                          .step = nk_step++,
                          .dropout = NK_DROPOUT};
    nk_program_gradient(&call);
    nk_program_update(&call);
    return loss;
}

// images: [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits: [NK_BATCH][NK_CLASSES];
// running statistics. arena: NK_ARENA_BYTES, aligned to 64 bytes.
void nk_infer_in(void *arena, const float *images, float *logits)
{
    const nk_call call = {.arena = (float *)arena,
                          .params = nk_params,
                          .state = nk_state,
                          .images = images,
                          .logits = logits,
                          .count = NK_BATCH};
    nk_program_infer(&call);
}

void nk_infer(const float *images, float *logits)
{
    nk_infer_in(nk_arena, images, logits);
}

void nk_infer_u8(const uint8_t *images, float *logits)
{
    static float normalised[NK_BATCH * NK_CHANNELS * NK_HEIGHT * NK_WIDTH];
    for (int n = 0; n < NK_BATCH; n++)
        nk_normalise(images + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                     normalised + (size_t)n * NK_CHANNELS * NK_HEIGHT * NK_WIDTH,
                     NK_PIXELS_ARE_HWC);
    nk_infer(normalised, logits);
}
