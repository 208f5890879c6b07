// test_release.c - inference files and their self-tests against the reference: both targets, every
// fusion left out by its name, with and without the memory plan, for each instruction set, on
// networks that use every op and merge and on random ones.
#define _GNU_SOURCE
#include "reference_nets.h"

#include <stdio.h>

#include "../compiler/emit.h"
#include "../runtime/expect.h"
#include "random_theta.h"

enum { IMAGES = 2, SHORT_NETS = 2, LONG_NETS = 150 };

// One way to make a file.
typedef struct {
    const char *name;
    TargetKind target;
    bool no_plan;
    const char *skipped, *without; // passes; an instruction set
    int threads;                   // that take images; with no_plan parts of ops
} Variant;
static const Variant variants[] = {
    {"generic", TARGET_GENERIC, false, "", NULL, 1},
    {"native", TARGET_NATIVE, false, "", NULL, 1},
    {"native_avx2", TARGET_NATIVE, false, "", "avx512f", 1},
    {"native_plain", TARGET_NATIVE, true, "", "avx", 1},
    {"generic_plain", TARGET_GENERIC, true, "", "avx", 1},
    {"native_unfused", TARGET_NATIVE, false,
     "fuse_relu,inline_sums,fuse_loads,share_inputs,fuse_head", NULL, 1},
    {"generic_unfused", TARGET_GENERIC, true, "fuse_loads,fuse_head", NULL, 1},
    {"native_everywhere", TARGET_NATIVE, false, "weigh_winograd", NULL, 1},
    {"native_everywhere_avx2", TARGET_NATIVE, false, "weigh_winograd", "avx512f", 1},
    {"native_everywhere_plain", TARGET_NATIVE, true, "weigh_winograd", "avx", 1},
    {"pixels", TARGET_GENERIC, false, "tile_maps", NULL, 1},
    {"generic_images", TARGET_GENERIC, false, "", NULL, 2},
    {"native_parts", TARGET_NATIVE, true, "leave_small_ops", NULL, 3},
    {"generic_parts", TARGET_GENERIC, true, "leave_small_ops", NULL, 2},
    {"native_parts_plain", TARGET_NATIVE, true, "leave_small_ops", "avx", 2},
    {"generic_parts_plain", TARGET_GENERIC, true, "leave_small_ops", "avx", 3},
};

typedef struct {
    Pool *pool;
    const Arch *arch;
    TensorFile weights;
    float *images;
    double *logits; // the reference's
} Case;

static size_t image_floats(const Arch *arch)
{
    return (size_t)(arch->channels * arch->height * arch->width);
}

// Initial weights with everything that starts at 0 or 1 moved, and what the reference makes of two
// images.
static void case_fill(Case *c, uint64_t seed)
{
    Text text = {0};
    Err err = {0};
    Random random = random_stream(seed, "test release", 0, 0);
    if (!emit_weights(c->arch, seed, &text, &err))
        fail_msg("%s", err.message);
    char *bytes = pool_alloc(c->pool, text.length);
    memcpy(bytes, text.data, text.length);
    if (!tensors_parse("weights", bytes, text.length, &c->weights, c->pool, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    for (int i = 0; i < c->weights.n_tensors; i++) {
        StoredTensor *t = &c->weights.tensors[i];
        float *values = pool_alloc(c->pool, (size_t)t->count * sizeof *values);
        for (int64_t j = 0; t->dtype == DTYPE_F32 && t->rank == 1 && j < t->count; j++)
            values[j] = (float)tensor_value(t, j) + 0.4f * (float)random_unit(&random);
        if (t->dtype == DTYPE_F32 && t->rank == 1)
            t->data = values;
    }
    const size_t n = IMAGES * image_floats(c->arch);
    double *images = random_values(n, seed, 1.0);
    c->images = pool_alloc(c->pool, n * sizeof *c->images);
    c->logits = pool_alloc(c->pool, (size_t)(IMAGES * c->arch->classes) * sizeof *c->logits);
    for (size_t i = 0; i < n; i++)
        images[i] = (double)(c->images[i] = (float)images[i]);
    Reference *reference = reference_open(c->arch);
    if (!reference_load(reference, &c->weights, "weights", &err))
        fail_msg("%s", err.message);
    reference_infer(reference, images, IMAGES, c->logits);
    reference_close(reference);
    free(images);
}

static Jit *case_compile(const Case *c, const Variant *v, EmitEvaluate *evaluate)
{
    Text text = {0};
    Err err = {0};
    EmitOptions options = emit_defaults;
    options.weights = &c->weights;
    options.target = v->target;
    options.plan = !v->no_plan;
    options.batch = IMAGES;
    options.threads = v->threads;
    options.self_test = evaluate;
    if (v->without)
        text_printf(&text, "#pragma GCC target(\"no-%s\")\n", v->without);
    setenv("NAGO_SKIP_PASSES", v->skipped, 1);
    const bool done = emit_c(c->arch, &options, &text, NULL, &err);
    unsetenv("NAGO_SKIP_PASSES");
    Jit *file = done ? jit_open(text.data, JIT_GCC, true, &err) : NULL;
    if (!file)
        fail_msg("%s: %s", v->name, err.message);
    text_free(&text);
    return file;
}

typedef int SelfTest(void);

static SelfTest *self_test_of(const Jit *file)
{
    void *address = jit_symbol(file, "net_self_test");
    SelfTest *function;
    memcpy(&function, &address, sizeof function);
    return function;
}

static void close_file(Jit *file)
{
    void *address = jit_symbol(file, "net_stop_threads");
    void (*stop)(void);
    memcpy(&stop, &address, sizeof stop);
    if (stop)
        stop();
    jit_close(file);
}

// Twice, so that what one call leaves in memory is seen to change nothing; with threads often
// enough for calls without helpers and calls with.  Every run must give the bits of the first.
static void case_run(const Case *c, const Variant *v, const char *net)
{
    Jit *file = case_compile(c, v, expect_logits);
    void *address = jit_symbol(file, "net_infer");
    void (*infer)(const float *, float *);
    memcpy(&infer, &address, sizeof infer);
    const int n = IMAGES * c->arch->classes;
    float *logits = xcalloc((size_t)n, sizeof *logits);
    float *first = xcalloc((size_t)n, sizeof *first);
    for (int run = 0; run < (v->threads > 1 ? 12 : 2); run++) {
        infer(c->images, logits);
        if (run == 0)
            memcpy(first, logits, (size_t)n * sizeof *first);
        assert_memory_equal(logits, first, (size_t)n * sizeof *first);
        for (int i = 0; i < n; i++)
            if (!(fabs((double)logits[i] - c->logits[i]) <= 1e-4 * fmax(1.0, fabs(c->logits[i]))))
                fail_msg("%s, %s: logit %d of run %d is %.9g, expected %.9g", net, v->name, i, run,
                         (double)logits[i], c->logits[i]);
    }
    const int failed = self_test_of(file)();
    if (failed)
        fail_msg("%s, %s: the self-test says %d", net, v->name, failed);
    free(first);
    free(logits);
    close_file(file);
}

static void test_nets(void **state)
{
    (void)state;
    const NetText *const nets[] = {&net_mixed, &net_depthwise, &net_large, &net_tiny,
                                   &net_hand,  &net_squares,   &net_ragged};
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        Case c = {.pool = pool_new()};
        c.arch = net_arch(nets[i], c.pool);
        case_fill(&c, 7 + i);
        for (size_t v = 0; v < COUNT_OF(variants); v++)
            if (i == 0 || v < 2 || (i == 1 && variants[v].threads == 3) ||
                (i >= 5 && !strcmp(variants[v].skipped, "weigh_winograd")) || getenv("NAGO_LONG"))
                case_run(&c, &variants[v], nets[i]->name);
        pool_free(c.pool);
    }
}

static void run_random(uint64_t seed)
{
    Case c = {.pool = pool_new()};
    Text text = {0};
    Err err = {0};
    Theta theta;
    Arch arch;
    Random random = random_stream(seed, "test release nets", 0, 0);
    random_theta(seed, 4, 40, &text);
    if (!theta_parse("random", text.data, text.length, &theta, c.pool, &err))
        fail_msg("%s", err.message);
    theta.params = 2000 << random_below(&random, 6);
    while (!arch_sample(&theta, &arch, c.pool, &err)) {
        if (!strstr(err.message, "\"params\""))
            fail_msg("%s", err.message);
        theta.params *= 2;
    }
    c.arch = &arch;
    case_fill(&c, seed);
    char name[40];
    snprintf(name, sizeof name, "random net %llu", (unsigned long long)seed);
    for (size_t v = 0; v < COUNT_OF(variants); v++)
        if (v < 2 || v == 2 + seed % (COUNT_OF(variants) - 2))
            case_run(&c, &variants[v], name);
    text_free(&text);
    pool_free(c.pool);
}

static void test_random(void **state)
{
    (void)state;
    const char *seed = getenv("SEED");
    if (seed) {
        run_random(strtoull(seed, NULL, 10));
        return;
    }
    for (uint64_t n = 1; n <= (getenv("NAGO_LONG") ? LONG_NETS : SHORT_NETS); n++)
        run_random(n);
}

// The evaluation of another network: the second convolution has other weights.
static bool evaluate_other(const Arch *arch, const EmitOptions *options, const float *images,
                           int count, float *logits, Err *err)
{
    TensorFile weights = *options->weights;
    EmitOptions other = *options;
    Pool *pool = pool_new();
    int convolutions = 0;
    weights.tensors = pool_alloc(pool, (size_t)weights.n_tensors * sizeof *weights.tensors);
    memcpy(weights.tensors, options->weights->tensors,
           (size_t)weights.n_tensors * sizeof *weights.tensors);
    for (int i = 0; i < weights.n_tensors; i++)
        if (weights.tensors[i].rank == 4 && ++convolutions == 2) {
            StoredTensor *t = &weights.tensors[i];
            float *values = pool_alloc(pool, (size_t)t->count * sizeof *values);
            for (int64_t j = 0; j < t->count; j++)
                values[j] = 0.5f - (float)tensor_value(t, j);
            t->data = values;
        }
    other.weights = &weights;
    const bool done = expect_logits(arch, &other, images, count, logits, err);
    pool_free(pool);
    return done;
}

// A file that computes another network than it should fails its test, though its weights are whole.
static void test_self_test_fails(void **state)
{
    (void)state;
    Case c = {.pool = pool_new()};
    c.arch = net_arch(&net_mixed, c.pool);
    case_fill(&c, 7);
    Jit *file = case_compile(&c, &variants[0], evaluate_other);
    assert_true(self_test_of(file)() > 0);
    jit_close(file);
    pool_free(c.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nets), cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_self_test_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
