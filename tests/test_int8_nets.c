// test_int8_nets.c - whole networks in int8: how far their logits are from the float ones on the
// oracle folders and on nets of every kind, and that no plan, thread or compiler changes a bit.
#define _GNU_SOURCE
#include "generated.h"
#include "random_theta.h"

#include "../runtime/calibrate.h"
#include "../runtime/evaluate.h"
#include "../runtime/expect.h"
#include "../runtime/kernels.h"
#include "../runtime/verify.h"
#include "../runtime/weights.h"

#include <sys/stat.h>

// ---- images of one kind -------------------------------------------------------------------------

typedef struct {
    uint64_t seed;
    int channels, height, width;
} Scene;

// Images as the oracles' are: each channel a colour, a slow wave and a little noise.
static void fetch_scenes(void *user, int first, int count, float *images)
{
    const Scene *s = user;
    float *pixel = images;
    for (int i = 0; i < count; i++) {
        Random random = random_stream(s->seed, "int8", (uint64_t)(first + i), 0);
        for (int c = 0; c < s->channels; c++) {
            const double colour = random_normal(&random), height = random_normal(&random);
            const double down = 3.0 * random_unit(&random) / s->height,
                         across = 3.0 * random_unit(&random) / s->width,
                         phase = 6.3 * random_unit(&random);
            for (int p = 0; p < s->height * s->width; p++)
                *pixel++ = (float)(colour + 0.3 * random_normal(&random) +
                                   height * sin(phase + down * (p / s->width) * 2.0 +
                                                across * (p % s->width) * 2.0));
        }
    }
}

static Scene scene_of(const Arch *arch, uint64_t seed)
{
    return (Scene){seed, arch->channels, arch->height, arch->width};
}

static Ranges *calibrate_scenes(const Arch *arch, const TensorFile *weights, CalibrateMethod method,
                                Pool *pool)
{
    Scene scene = scene_of(arch, 1);
    const Calibration calibration = {.method = method,
                                     .percentile = 99.99,
                                     .fetch = fetch_scenes,
                                     .user = &scene,
                                     .images = 256};
    Ranges *ranges = pool_alloc(pool, sizeof *ranges);
    Err err = {0};
    if (!calibrate(arch, "weights", weights, &calibration, ranges, pool, &err))
        fail_msg("%s", err.message);
    return ranges;
}

// The logits of `count` images, [count][classes], malloc'ed; ranges NULL: in float.
static float *run_scenes(const Arch *arch, const TensorFile *weights, const Ranges *ranges,
                         NetOptions options, int count)
{
    Err err = {0};
    Memory memory = {0};
    NetMemory m;
    int64_t batches;
    options.batch = 32;
    options.ranges = ranges;
    options.weights = ranges ? weights : NULL;
    options.conv = CONV_DIRECT;
    Net *net = net_open(arch, &options, kernels_table(), &err);
    if (!net || !net_memory_open(&m, net, false, &memory, &err) ||
        !(ranges || weights_load("weights", weights, net, m.params, m.state, &batches, &err)))
        fail_msg("%s", err.message);
    Scene scene = scene_of(arch, 2);
    float *logits = xmalloc((size_t)count * (size_t)arch->classes * sizeof *logits);
    nk_call call = net_memory_call(&m, NULL);
    for (int first = 0; first < count; first += call.count) {
        call.count = count - first < 32 ? count - first : 32;
        call.logits = logits + (size_t)first * (size_t)arch->classes;
        fetch_scenes(&scene, first, call.count, m.images);
        for (int part = options.threads > 1 ? options.threads - 1 : 0; part >= 0; part--)
            net->infer(&call, part, options.threads > 1 ? options.threads : 1);
    }
    memory_release(&memory);
    net_close(net);
    return logits;
}

// Power of the float logits without their mean over that of the difference, in decibels.
static double decibels(const float *exact, const float *rounded, int count)
{
    double mean = 0.0, signal = 0.0, noise = 0.0;
    for (int i = 0; i < count; i++)
        mean += (double)exact[i] / count;
    for (int i = 0; i < count; i++) {
        signal += ((double)exact[i] - mean) * ((double)exact[i] - mean);
        noise += ((double)rounded[i] - (double)exact[i]) * ((double)rounded[i] - (double)exact[i]);
    }
    return 10.0 * log10(signal / noise);
}

// ---- the oracle folders -------------------------------------------------------------------------

enum { LEAST_DECIBELS = 25 };

static void check_oracle(const char *shared, const char *name, CalibrateMethod method)
{
    char folder[300];
    Err err = {0};
    snprintf(folder, sizeof folder, "%s/oracle/%s", shared, name);
    OracleCase *oracle = oracle_open(folder, &err);
    if (!oracle)
        fail_msg("%s", err.message);
    const Arch *arch = &oracle->arch;
    const int count = getenv("NAGO_LONG") ? 500 : 100;
    const NetOptions options = {.threads = 1, .plan = true};
    float *exact = run_scenes(arch, &oracle->weights, NULL, options, count);
    const Ranges *ranges = calibrate_scenes(arch, &oracle->weights, method, oracle->pool);
    float *rounded = run_scenes(arch, &oracle->weights, ranges, options, count);
    const double ratio = decibels(exact, rounded, count * arch->classes);
    print_message("# %s, %s: %.1f dB\n", name, calibrate_names[method], ratio);
    if (ratio < LEAST_DECIBELS)
        fail_msg("%s, %s: %.1f dB, %d are asked for", name, calibrate_names[method], ratio,
                 LEAST_DECIBELS);
    free(rounded);
    free(exact);
    oracle_close(oracle);
}

static void test_oracles(void **state)
{
    (void)state;
    static const char *const folders[] = {"all-ops",      "attention",  "batch1",     "concat",
                                          "concat-pools", "depthwise",  "large-stem", "late-input",
                                          "many-outputs", "mixed-14px", "sum-conv3x3"};
    const char *shared = getenv("NAGO_SHARED") ? getenv("NAGO_SHARED") : "../shared";
    struct stat status;
    if (stat(shared, &status) != 0) {
        print_message("skipped: %s is not here\n", shared);
        skip();
    }
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        check_oracle(shared, folders[i], CALIBRATE_MSE);
}

// ---- generated files ----------------------------------------------------------------------------

enum { FILE_NETS = 3, FILE_IMAGES = 3 };

// The net of a random theta that is small enough to be compiled while one waits.
static Arch *random_net(uint64_t number, Pool *pool)
{
    Arch *arch = pool_alloc(pool, sizeof *arch);
    Text text = {0};
    Err err = {0};
    Theta theta;
    random_theta(number, 3, 16, &text);
    if (!theta_parse("theta", text.data, text.length, &theta, pool, &err) ||
        !arch_sample(&theta, arch, pool, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    return arch;
}

// The file's logits of the images that run_scenes took, against its logits.
static void check_file(const Arch *arch, const EmitOptions *options, const float *expected,
                       const float *images, Pool *pool)
{
    const int pixels = arch->channels * arch->height * arch->width;
    const char *text = emit_text(arch, options, pool);
    Jit *jit = load_text(text, false);
    const LoadedFile file = file_of(jit, options->prefix);
    float *logits = pool_alloc(pool, (size_t)arch->classes * sizeof *logits);
    for (int i = 0; i < FILE_IMAGES; i++) {
        file.infer(images + (size_t)i * (size_t)pixels, logits);
        if (memcmp(logits, expected + (size_t)i * (size_t)arch->classes,
                   (size_t)arch->classes * sizeof *logits) != 0)
            fail_msg("image %d: the file differs from the JIT", i);
    }
    assert_int_equal(file.self_test(), 0);
    jit_close(jit);
}

// What the file's table makes of pixels, against the same pixels normalised.
static void check_pixels(const Arch *arch, const EmitOptions *options, Pool *pool)
{
    static const float mean[] = {0.5f, 0.25f, 0.125f}, deviation[] = {0.5f, 0.25f, 2.0f};
    const int size = arch->height * arch->width;
    uint8_t *raw = pool_alloc(pool, (size_t)(3 * size));
    float *image = pool_alloc(pool, (size_t)(3 * size) * sizeof *image);
    float *of_raw = pool_alloc(pool, (size_t)(2 * arch->classes) * sizeof *of_raw);
    for (int i = 0; i < 3 * size; i++) {
        const int c = i / size;
        const float scale = 1 / (255 * deviation[c]), offset = -mean[c] / deviation[c];
        raw[i] = (uint8_t)(i * 7);
        const float scaled = (float)raw[i] * scale;
        image[i] = scaled + offset;
    }
    Jit *jit = load_text(emit_text(arch, options, pool), false);
    const LoadedFile file = file_of(jit, options->prefix);
    file.infer_u8(raw, of_raw);
    file.infer(image, of_raw + arch->classes);
    assert_memory_equal(of_raw, of_raw + arch->classes, (size_t)arch->classes * sizeof *of_raw);
    jit_close(jit);
}

static void check_net(uint64_t number)
{
    Pool *pool = pool_new();
    const Arch *arch = random_net(number, pool);
    const TensorFile *weights = net_weights(arch, number, pool);
    const Ranges *ranges = calibrate_scenes(arch, weights, CALIBRATE_MINMAX, pool);
    const NetOptions one = {.threads = 1, .plan = true}, apart = {.threads = 3, .plan = false};
    float *logits = run_scenes(arch, weights, ranges, one, FILE_IMAGES);
    float *again = run_scenes(arch, weights, ranges, apart, FILE_IMAGES);
    assert_memory_equal(logits, again, FILE_IMAGES * (size_t)arch->classes * sizeof *logits);
    Scene scene = scene_of(arch, 2);
    float *images = pool_alloc(pool, (size_t)FILE_IMAGES * (size_t)arch->channels *
                                         (size_t)(arch->height * arch->width) * sizeof *images);
    fetch_scenes(&scene, 0, FILE_IMAGES, images);
    EmitOptions options = emit_defaults;
    options.weights = weights;
    options.ranges = ranges;
    options.self_test = expect_logits;
    check_file(arch, &options, logits, images, pool);
    options.plan = false;
    options.form = WEIGHTS_LIST;
    options.target = TARGET_CORTEX_M4;
    options.prefix = "other";
    check_file(arch, &options, logits, images, pool);
    if (arch->channels == 3)
        check_pixels(arch, &options, pool);
    free(logits);
    free(again);
    pool_free(pool);
}

static void test_files(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < (getenv("NAGO_LONG") ? 20 : FILE_NETS); number++)
        check_net(number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_oracles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
