// self_test.c - is the file what it was made to be, and does it compute here what it must?

static uint32_t nk_hash_weights(void)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < sizeof nk_weights.values / sizeof nk_weights.values[0]; i++) {
        uint32_t word;
        memcpy(&word, &nk_weights.values[i], sizeof word);
        hash = (hash ^ word) * 16777619u;
        hash ^= hash >> 15;
    }
    return hash;
}

static int nk_test_fails(float got, float expected)
{
    const float apart = got < expected ? expected - got : got - expected;
    const float size = expected < 0.0f ? -expected : expected;
    return !(apart <= NK_TEST_TOLERANCE * (size < 1.0f ? 1.0f : size)); // also if it is no number
}

// The images of nk_test_pixels must give nk_test_logits.  Returns 0; -1 where the weights are not
// those that the file was made with; or which logit is the first that differs, counted from 1
// through all images.
int nk_self_test(void)
{
    static float logits[NK_CLASSES];
    if (nk_hash_weights() != NK_WEIGHTS_HASH)
        return -1;
    for (int n = 0; n < NK_TEST_IMAGES; n++) {
        nk_infer_pixels(nk_arena, nk_test_pixels[n], logits);
        for (int k = 0; k < NK_CLASSES; k++)
            if (nk_test_fails(logits[k], nk_test_logits[n][k]))
                return n * NK_CLASSES + k + 1;
    }
    return 0;
}
