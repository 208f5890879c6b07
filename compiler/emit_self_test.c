// emit_self_test.c - the test vectors of a generated file: pictures drawn from a fixed stream, and
// the logits that the caller's evaluation gives for them.
//
// The logits are another opinion, not what the file itself computes: a file that is wrong, or
// compiled wrong, does not reproduce them.  A hash of the weights finds damage that the logits of
// a few images would not show.
#include "emit_ops.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 2, NUMBERS_A_LINE = 24 };

struct TestVectors {
    int pixels; // bytes of an image, channel by channel or together as the file has it
    int classes;
    bool exact;
    const uint8_t *images; // [IMAGES][pixels]
    const float *logits;   // [IMAGES][classes]
};

// A wave for each channel, and noise: every value of a pixel comes up, neighbours resemble each
// other.
static void draw_channel(uint8_t *to, int stride, int height, int width, Random *random)
{
    const double down = 0.1 + 0.4 * random_unit(random), across = 0.1 + 0.4 * random_unit(random);
    const double phase = 6.3 * random_unit(random);
    for (int h = 0; h < height; h++)
        for (int w = 0; w < width; w++, to += stride) {
            const double v =
                127.5 + 100.0 * sin(phase + down * h + across * w) + 25.0 * random_normal(random);
            *to = (uint8_t)(v < 0.0 ? 0.0 : v > 255.0 ? 255.0 : v);
        }
}

// Normalised as the data sets of the runtime are, to the last bit: an int8 file must give the bits
// that the evaluation gives.
static void normalise(const uint8_t *from, int stride, int size, float mean, float deviation,
                      float *to)
{
    const float scale = 1 / (255 * deviation), offset = -mean / deviation;
    for (int i = 0; i < size; i++) {
        const float scaled = (float)from[i * stride] * scale;
        to[i] = scaled + offset;
    }
}

const TestVectors *test_vectors_make(const Arch *arch, const EmitOptions *options,
                                     const float *mean, const float *deviation, Pool *pool,
                                     Err *err)
{
    const int size = arch->height * arch->width, pixels = arch->channels * size;
    uint8_t *images = pool_alloc(pool, (size_t)(IMAGES * pixels));
    float *normalised = pool_alloc(pool, (size_t)(IMAGES * pixels) * sizeof *normalised);
    float *logits = pool_alloc(pool, (size_t)(IMAGES * arch->classes) * sizeof *logits);
    TestVectors *vectors = pool_alloc(pool, sizeof *vectors);
    for (int n = 0; n < IMAGES; n++)
        for (int c = 0; c < arch->channels; c++) {
            Random random = random_stream(0, "self test", (uint64_t)n, (uint64_t)c);
            const int stride = options->hwc ? arch->channels : 1;
            uint8_t *channel = images + n * pixels + (options->hwc ? c : c * size);
            draw_channel(channel, stride, arch->height, arch->width, &random);
            normalise(channel, stride, size, mean[c], deviation[c],
                      normalised + n * pixels + c * size);
        }
    *vectors = (TestVectors){pixels, arch->classes, options->ranges != NULL, images, logits};
    return options->self_test(arch, options, normalised, IMAGES, logits, err) ? vectors : NULL;
}

// As templates/self_test.c has it.
static uint32_t hash_weights(const Ir *ir)
{
    uint32_t hash = 0;
    for (int64_t i = 0; i < ir->const_count; i++) {
        uint32_t word;
        memcpy(&word, &ir->const_data[i], sizeof word);
        hash = (hash ^ word) * 16777619u;
        hash ^= hash >> 15;
    }
    return hash;
}

void test_vectors_emit(const TestVectors *vectors, const Ir *ir, const char *prefix, Text *out)
{
    Text text = {0};
    text_printf(&text,
                "// Images, the logits that they must give, and what those may differ by, as a "
                "share of the larger of\n// 1 and their size.\n"
                "#define NK_TEST_IMAGES %d\n#define NK_TEST_TOLERANCE %s\n"
                "#define NK_WEIGHTS_HASH 0x%xu\n"
                "static const uint8_t nk_test_pixels[NK_TEST_IMAGES][%d] = {\n",
                IMAGES, vectors->exact ? "0.0f" : "1e-4f", hash_weights(ir), vectors->pixels);
    for (int n = 0; n < IMAGES; n++)
        for (int i = 0; i < vectors->pixels; i++)
            text_printf(&text, "%s%d%s", i == 0 ? "    {" : "",
                        vectors->images[n * vectors->pixels + i],
                        i + 1 == vectors->pixels                  ? "},\n"
                        : i % NUMBERS_A_LINE < NUMBERS_A_LINE - 1 ? ", "
                                                                  : ",\n     ");
    text_puts(&text, "};\nstatic const float nk_test_logits[NK_TEST_IMAGES][NK_CLASSES] = {\n");
    for (int n = 0; n < IMAGES; n++) {
        text_puts(&text, "    {");
        emit_floats(vectors->logits + n * vectors->classes, vectors->classes, &text);
        text_puts(&text, "    },\n");
    }
    text_puts(&text, "};\n\n");
    template_rename(text.data, prefix, out);
    text_free(&text);
}
