// test_generated.c - the generated file: every compiler takes it silently; it needs nothing beyond
// mem* and libm; its names keep to its prefix; and it computes what the reference does, in every
// form that nagoc can give it.
#define _GNU_SOURCE
#include "generated.h"

enum { BATCH = 3 }; // that of the fixtures

static const NetText *const nets[] = {&net_hand, &net_depthwise, &net_large, &net_tiny, &net_mixed};

static EmitOptions options_of(const char *prefix, const TensorFile *weights)
{
    EmitOptions options = emit_defaults;
    options.prefix = prefix;
    options.weights = weights;
    options.batch = BATCH;
    return options;
}

static size_t image_floats(const Arch *arch)
{
    return (size_t)(arch->channels * arch->height * arch->width);
}

static void assert_floats_close(const char *what, const float *actual, const double *expected,
                                size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)actual[i] - expected[i]) <= tolerance * fmax(1, fabs(expected[i]))))
            fail_msg("%s[%zu] is %.9g, expected %.9g", what, i, (double)actual[i], expected[i]);
}

// ---- what it computes ---------------------------------------------------------------------------

typedef struct {
    Pool *pool;
    const Arch *arch;
    TensorFile *weights;
    Reference *reference;
    double *images;
    float *single; // the same images
    int32_t labels[BATCH];
} Case;

static Case case_open(const NetText *net)
{
    Case c = {.pool = pool_new(), .labels = {1, 0, 1}};
    Err err = {0};
    c.arch = net_arch(net, c.pool);
    c.weights = net_weights(c.arch, 5, c.pool);
    c.reference = reference_open(c.arch);
    if (!reference_load(c.reference, c.weights, net->name, &err))
        fail_msg("%s", err.message);
    const size_t n = BATCH * image_floats(c.arch);
    c.images = random_values(n, 4, 1);
    c.single = pool_alloc(c.pool, n * sizeof *c.single);
    for (size_t i = 0; i < n; i++) {
        c.single[i] = (float)c.images[i];
        c.images[i] = (double)c.single[i];
    }
    return c;
}

static void case_close(Case *c)
{
    reference_close(c->reference);
    free(c->images);
    pool_free(c->pool);
}

static void assert_infers(const Case *c, const LoadedFile *file)
{
    const size_t n = (size_t)(BATCH * c->arch->classes);
    double *expected = pool_alloc(c->pool, n * sizeof *expected);
    float *logits = pool_alloc(c->pool, n * sizeof *logits);
    reference_infer(c->reference, c->images, BATCH, expected);
    file->infer(c->single, logits);
    assert_floats_close(file->prefix, logits, expected, n, 1e-4);
}

// One step on all images, then one on the first two: loss and every parameter.
static void assert_trains(const Case *c, const LoadedFile *file)
{
    for (int count = BATCH; count >= BATCH - 1; count--) {
        const ReferenceBatch batch = {.images = c->images, .labels = c->labels, .count = count};
        const double expected = reference_gradients(c->reference, &batch, NULL);
        reference_update(c->reference, 1e-3, 0.9, 1e-4);
        const float loss = file->train_step(c->single, c->labels, count, 1e-3f);
        assert_floats_close("loss", &loss, &expected, 1, 1e-4);
    }
    for (int i = 0; i < reference_tensor_count(c->reference); i++) {
        const ReferenceTensor *t = reference_tensor(c->reference, i);
        const FileTensor *place =
            t->kind == REFERENCE_PARAM ? file->param_table : file->state_table;
        if (t->kind == REFERENCE_COUNTER)
            continue;
        while (strcmp(place->name, t->name) != 0)
            place++;
        assert_floats_close(
            t->name, (t->kind == REFERENCE_PARAM ? file->params : file->state) + place->offset,
            t->values, t->count, 2e-4);
    }
}

// net_init draws what the compiler stores as initial weights.
static void assert_inits(const Case *c, const LoadedFile *file)
{
    Text text = {0};
    Err err = {0};
    TensorFile stored;
    file->init(77);
    assert_true(emit_weights(c->arch, 77, &text, &err));
    assert_true(tensors_parse("w", text.data, text.length, &stored, c->pool, &err));
    for (int t = 0; t < stored.n_tensors; t++) {
        const StoredTensor *s = &stored.tensors[t];
        const bool of_state = strstr(s->name, ".running_") != NULL;
        const FileTensor *place = of_state ? file->state_table : file->param_table;
        if (s->dtype != DTYPE_F32)
            continue;
        while (strcmp(place->name, s->name) != 0)
            place++;
        if (memcmp((of_state ? file->state : file->params) + place->offset, s->data,
                   (size_t)s->count * sizeof(float)) != 0)
            fail_msg("net_init makes another %s", s->name);
    }
    text_free(&text);
}

// Trainable file and inference file in one library, against the reference.
static void check_net(const NetText *net, bool trainable, bool march_native)
{
    Case c = case_open(net);
    const EmitOptions train = options_of("train", NULL), infer = options_of("fixed", c.weights);
    Text text = {0};
    text_puts(&text, "#define TRAIN_DROPOUT 0.0f\n");
    if (trainable)
        text_puts(&text, emit_text(c.arch, &train, c.pool));
    text_puts(&text, emit_text(c.arch, &infer, c.pool));
    Jit *jit = load_text(text.data, march_native);
    const LoadedFile fixed = file_of(jit, "fixed");
    assert_infers(&c, &fixed);
    if (trainable) {
        const LoadedFile trained = file_of(jit, "train");
        assert_inits(&c, &trained);
        file_fill(&trained, c.weights);
        assert_infers(&c, &trained);
        assert_trains(&c, &trained);
    }
    jit_close(jit);
    text_free(&text);
    case_close(&c);
}

static void test_matches_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) // the last takes gcc long
        check_net(nets[i], i + 1 < COUNT_OF(nets) || getenv("NAGO_LONG"), i % 2);
}

// ---- its forms ----------------------------------------------------------------------------------

static float *logits_of(const Case *c, const LoadedFile *file)
{
    float *logits = pool_alloc(c->pool, (size_t)(BATCH * c->arch->classes) * sizeof *logits);
    file->infer(c->single, logits);
    return logits;
}

static void assert_same_logits(const Case *c, const float *a, const float *b, const char *what)
{
    if (memcmp(a, b, (size_t)(BATCH * c->arch->classes) * sizeof *a) != 0)
        fail_msg("%s: other bits", what);
}

// Raw pixels, a caller's arena, numbers as a list, no plan, channels last: the same bits.
static void test_forms(void **state)
{
    (void)state;
    Case c = case_open(&net_hand);
    EmitOptions plain = options_of("plain", c.weights), list = options_of("list", c.weights),
                apart = options_of("apart", c.weights), hwc = options_of("hwc", c.weights);
    list.form = WEIGHTS_LIST;
    apart.plan = false;
    hwc.hwc = true;
    Text text = {0};
    const EmitOptions *const all[] = {&plain, &list, &apart, &hwc};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        text_puts(&text, emit_text(c.arch, all[i], c.pool));
    Jit *jit = load_text(text.data, true);
    const LoadedFile file = file_of(jit, "plain");
    const float *expected = logits_of(&c, &file);
    for (size_t i = 1; i < COUNT_OF(all); i++) {
        const LoadedFile other = file_of(jit, all[i]->prefix);
        assert_same_logits(&c, logits_of(&c, &other), expected, all[i]->prefix);
    }
    jit_close(jit);
    text_free(&text);
    case_close(&c);
}

// Random pixels, and what the data set's mean and deviation make of them.
static void random_pixels(Case *c, uint8_t *chw, uint8_t *hwc)
{
    static const float mean[] = {0.5f, 0.25f, 0.125f}, deviation[] = {0.5f, 0.25f, 2};
    Random random = random_stream(9, "pixels", 0, 0);
    const size_t plane = (size_t)(c->arch->height * c->arch->width);
    for (size_t n = 0; n < BATCH; n++)
        for (size_t k = 0; k < 3; k++)
            for (size_t i = 0; i < plane; i++) {
                const uint8_t pixel = (uint8_t)random_below(&random, 256);
                const size_t at = (n * 3 + k) * plane + i;
                chw[at] = hwc[(n * plane + i) * 3 + k] = pixel;
                c->single[at] = ((float)pixel * (1.0f / 255.0f) - mean[k]) / deviation[k];
            }
}

static void test_pixels(void **state)
{
    (void)state;
    Case c = case_open(&net_tiny);
    EmitOptions plain = options_of("plain", c.weights), hwc = options_of("hwc", c.weights);
    uint8_t pixels[2][BATCH * 3 * 4 * 5];
    float logits[BATCH * 2];
    hwc.hwc = true;
    Text text = {0};
    text_puts(&text, emit_text(c.arch, &plain, c.pool));
    text_puts(&text, emit_text(c.arch, &hwc, c.pool));
    Jit *jit = load_text(text.data, false);
    const LoadedFile files[] = {file_of(jit, "plain"), file_of(jit, "hwc")};
    random_pixels(&c, pixels[0], pixels[1]);
    const float *expected = logits_of(&c, &files[0]);
    for (int i = 0; i < 2; i++) {
        files[i].infer_u8(pixels[i], logits);
        assert_same_logits(&c, logits, expected, i ? "hwc" : "chw");
    }
    jit_close(jit);
    text_free(&text);
    case_close(&c);
}

// A number that the text defines: "NET_ARENA_BYTES = 12345".
static long text_constant(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    return strtol(at + strlen(name) + 3, NULL, 10);
}

// The caller's memory, filled with NaN bytes before, no byte touched behind it.
static void check_arena(const Case *c, EmitOptions options)
{
    const char *text = emit_text(c->arch, &options, c->pool);
    const size_t bytes = (size_t)text_constant(text, "NET_ARENA_BYTES");
    Jit *jit = load_text(text, false);
    const LoadedFile file = file_of(jit, "net");
    float *logits = pool_alloc(c->pool, (size_t)(BATCH * c->arch->classes) * sizeof *logits);
    char *arena = aligned_alloc(64, (bytes + 127) / 64 * 64), spare[64];
    memset(arena, 0xff, (bytes + 127) / 64 * 64);
    memset(spare, 0xff, sizeof spare);
    if (file.init)
        file.init(3);
    const float *expected = logits_of(c, &file);
    file.infer_in(arena, c->single, logits);
    assert_same_logits(c, logits, expected, "the caller's arena");
    assert_memory_equal(arena + bytes, spare, (bytes + 127) / 64 * 64 - bytes);
    free(arena);
    jit_close(jit);
}

static void test_arena(void **state)
{
    (void)state;
    Case c = case_open(&net_tiny);
    check_arena(&c, options_of("net", NULL));
    check_arena(&c, options_of("net", c.weights));
    case_close(&c);
}

// Weights in a file of their own, found by the assembler.
static void test_bin(void **state)
{
    (void)state;
    Case c = case_open(&net_tiny);
    EmitOptions options = options_of("net", c.weights);
    Text text = {0}, bin = {0};
    Err err = {0};
    options.form = WEIGHTS_BIN;
    options.bin_name = "weights.bin";
    assert_true(emit_c(c.arch, &options, &text, &bin, &err));
    write_text(FOLDER "bin.c", text.data);
    assert_true(file_write(FOLDER "weights.bin", bin.data, bin.length, &err));
    options.form = WEIGHTS_STRING;
    write_text(FOLDER "string.c", emit_text(c.arch, &options, c.pool));
    for (int i = 0; i < 2; i++)
        run_silent("cd " FOLDER
                   " && gcc -std=c11 -Wall -Wextra -Wpedantic -O1 -DNET_MAIN %s.c -o %s -lm",
                   i ? "bin" : "string", i ? "bin" : "string");
    run_silent("cd " FOLDER
               " && head -c 610 bin.c >records && tr '\\000-\\377' '\\000\\001' <records "
               ">r && ./bin <r >1; ./string <r >2; test -s 1 && cmp 1 2");
    text_free(&text);
    text_free(&bin);
    case_close(&c);
}

// ---- training -----------------------------------------------------------------------------------

// Ten images of noise with random labels are learnt by heart, by the same numbers with and without
// the memory plan.
static void test_over_fit(void **state)
{
    (void)state;
    enum { IMAGES = 10, STEPS = 60 };
    Pool *pool = pool_new();
    const Arch *arch = net_arch(&net_hand, pool);
    EmitOptions planned = options_of("planned", NULL), apart = options_of("apart", NULL);
    float *images = pool_alloc(pool, IMAGES * image_floats(arch) * sizeof *images);
    int32_t labels[IMAGES];
    Random random = random_stream(1, "over-fit", 0, 0);
    planned.batch = apart.batch = IMAGES;
    apart.plan = false;
    Text text = {0};
    text_puts(&text, emit_text(arch, &planned, pool));
    text_puts(&text, emit_text(arch, &apart, pool));
    Jit *jit = load_text(text.data, true);
    const LoadedFile a = file_of(jit, "planned"), b = file_of(jit, "apart");
    for (size_t i = 0; i < IMAGES * image_floats(arch); i++)
        images[i] = (float)random_normal(&random);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = (int32_t)random_below(&random, (uint64_t)arch->classes);
    a.init(3);
    b.init(3);
    float first = 0, last = 0;
    for (int step = 0; step < STEPS; step++) {
        const float loss = a.train_step(images, labels, IMAGES, 0.02f);
        const float same = b.train_step(images, labels, IMAGES, 0.02f);
        assert_memory_equal(&loss, &same, sizeof loss);
        first = step ? first : loss;
        last = loss;
    }
    if (!(last < 0.2f * first))
        fail_msg("ten images are not learnt: the loss went from %g to %g", (double)first,
                 (double)last);
    jit_close(jit);
    text_free(&text);
    pool_free(pool);
}

// ---- what it is made of -------------------------------------------------------------------------

#define STRICT "-std=c11 -Wall -Wextra -Wpedantic -Werror"
// What a user's own code could be held to; not: the signs of indices, float to double, and remarks
// on style.  Later compilers have warnings that are not meant here.
#define STRICT_CLANG                                                                               \
    STRICT " -Weverything -Wno-unknown-warning-option -Wno-sign-conversion -Wno-double-promotion " \
           "-Wno-declaration-after-statement -Wno-float-equal -Wno-padded -Wno-unused-macros "     \
           "-Wno-used-but-marked-unused -Wno-unsafe-buffer-usage -Wno-pre-c11-compat"

static void compile_silently(const char *path, bool with_main)
{
    run_silent("gcc " STRICT " %s -fsyntax-only %s", with_main ? "-DNET_MAIN -DOTHER_MAIN" : "",
               path);
    if (is_installed("clang"))
        run_silent("clang " STRICT_CLANG " -DNET_MAIN -DOTHER_MAIN -fsyntax-only %s", path);
    if (is_installed("tcc"))
        run_silent("tcc -Wall -Werror -DNET_MAIN -DOTHER_MAIN -c %s -o " FOLDER "tcc.o", path);
}

// Every net, trainable and not, with and without plan, in both layouts of pixels and another
// prefix.
static void test_silent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        Pool *pool = pool_new();
        const Arch *arch = net_arch(nets[i], pool);
        const TensorFile *weights = net_weights(arch, 1, pool);
        for (int kind = 0; kind < 4; kind++) {
            EmitOptions options = emit_defaults;
            options.weights = kind & 1 ? weights : NULL;
            options.plan = kind < 2;
            options.hwc = kind & 1;
            options.prefix = kind < 2 ? "net" : "other";
            options.form = kind < 2 ? WEIGHTS_STRING : WEIGHTS_LIST;
            write_text(FOLDER "silent.c", emit_text(arch, &options, pool));
            compile_silently(FOLDER "silent.c", i % 2);
        }
        pool_free(pool);
    }
}

// gcc's warnings that need its optimiser; clang's code generator; each object's symbols.
static void check_object(const char *compiler, bool trainable)
{
    static const char needed[] = " exp expf log logf sqrt sqrtf cos sin sincos exp2f memcpy memset "
                                 "memmove memcmp _GLOBAL_OFFSET_TABLE_ ";
    char symbols[20000], want[100];
    run_silent("%s " STRICT " -c " FOLDER "object.c -o " FOLDER "object.o", compiler);
    assert_int_equal(run_status(symbols, sizeof symbols, "nm -P " FOLDER "object.o"), 0);
    int seen = 0;
    for (char *line = strtok(symbols, "\n"); line; line = strtok(NULL, "\n"), seen++) {
        char *space = strchr(line, ' ');
        assert_non_null(space);
        *space = 0;
        snprintf(want, sizeof want, " %s ", line);
        if (space[1] == 'U' && !strstr(needed, want) && strncmp(line, "__stack_chk", 11) != 0)
            fail_msg("%s: the file needs %s", compiler, line);
        if (strchr("TDBRC", space[1]) && strncmp(line, "mine_", 5) != 0)
            fail_msg("%s: the file defines %s", compiler, line);
        // with a dot: a function's own
        if (strchr("tdbr", space[1]) && !strchr(line, '.') && strncmp(line, "mine_", 5) != 0)
            fail_msg("%s: the file has a static %s", compiler, line);
    }
    assert_true(seen > (trainable ? 20 : 5));
}

static void test_symbols(void **state)
{
    (void)state;
    Case c = case_open(&net_hand);
    for (int trainable = 0; trainable < 2; trainable++) {
        const EmitOptions options = options_of("mine", trainable ? NULL : c.weights);
        write_text(FOLDER "object.c", emit_text(c.arch, &options, c.pool));
        check_object("gcc -O2", trainable);
        if (is_installed("clang"))
            check_object("clang -O1", trainable);
    }
    case_close(&c);
}

// Under plain -std=c11 gcc would round after each multiplication: the file itself asks for the
// contraction to fused multiply-adds.
static void test_contraction(void **state)
{
    (void)state;
#if defined(__x86_64__)
    Case c = case_open(&net_tiny);
    for (int trainable = 0; trainable < 2; trainable++) {
        const EmitOptions options = options_of("net", trainable ? NULL : c.weights);
        char count[100];
        write_text(FOLDER "fma.c", emit_text(c.arch, &options, c.pool));
        run_silent("gcc -std=c11 -O3 -march=x86-64-v3 -c " FOLDER "fma.c -o " FOLDER "fma.o");
        run_status(count, sizeof count, "objdump -d " FOLDER "fma.o | grep -c vfmadd");
        if (atoi(count) < 10)
            fail_msg("%s file: %s fused multiply-adds", trainable ? "trainable" : "inference",
                     count);
    }
    case_close(&c);
#else
    print_message("# skipped: x86-64 alone\n");
#endif
}

// Every other name and macro keeps to the prefix, too: nothing of the templates' own shines
// through.
static void test_prefix(void **state)
{
    (void)state;
    Case c = case_open(&net_hand);
    for (int trainable = 0; trainable < 2; trainable++) {
        const EmitOptions options = options_of("mine", trainable ? NULL : c.weights);
        const char *text = emit_text(c.arch, &options, c.pool);
        for (const char *at = text; (at = strpbrk(at, "nN")); at++)
            if (!strncmp(at, "nk_", 3) || !strncmp(at, "NK_", 3))
                fail_msg("the file says %.40s", at);
        write_text(FOLDER "macros.c", text);
        char printed[4000];
        // what the file defines, less what its headers do
        run_status(printed, sizeof printed,
                   "cd " FOLDER " && grep -h '^#include <' macros.c | gcc -std=c11 -dM -E -x c - | "
                   "sort >before && gcc -std=c11 -dM -E macros.c | sort | comm -13 before - | "
                   "grep -v '^#define MINE_'");
        if (printed[0])
            fail_msg("macros without the prefix:\n%s", printed);
    }
    case_close(&c);
}

// ---- around it ----------------------------------------------------------------------------------

// The header alone serves C and C++.
static void test_header(void **state)
{
    (void)state;
    static const char caller[] =
        "#include \"called.h\"\n#include \"called.h\"\n"
        "static float x[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH], "
        "y[NET_BATCH * NET_CLASSES];\n"
        "static int32_t labels[NET_BATCH];\n"
        "int main(void)\n{\n    net_init(1);\n    net_train_step(x, labels, 1, 0.1f);\n"
        "    net_infer(x, y);\n"
        "    return y[0] != y[0] || net_params[NET_PARAM_COUNT - 1] != "
        "net_params[NET_PARAM_COUNT - 1] ||\n           !net_class_names[NET_CLASSES - 1];\n}\n";
    Case c = case_open(&net_tiny);
    const EmitOptions options = options_of("net", NULL);
    Text header = {0};
    Err err = {0};
    assert_true(emit_header(c.arch, &options, &header, &err));
    write_text(FOLDER "called.h", header.data);
    write_text(FOLDER "called.c", emit_text(c.arch, &options, c.pool));
    write_text(FOLDER "caller.c", caller);
    write_text(FOLDER "caller.cc", caller);
    run_silent("cd " FOLDER " && gcc " STRICT " -O0 -c called.c -o called.o && gcc " STRICT
               " caller.c called.o -o caller -lm && ./caller");
    if (is_installed("g++"))
        run_silent("cd " FOLDER " && g++ -Wall -Wextra -Wpedantic -Werror caller.cc called.o -o "
                   "caller -lm && ./caller");
    text_free(&header);
    case_close(&c);
}

// Records of one label byte and the pixels, as a user makes them.
static void write_records(const char *path, const Arch *arch, int count)
{
    Random random = random_stream(2, "records", 0, 0);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int n = 0; n < count; n++) {
        fputc((int)random_below(&random, (uint64_t)arch->classes), file);
        for (size_t i = 0; i < image_floats(arch); i++)
            fputc((int)random_below(&random, 256), file);
    }
    fclose(file);
}

// Under AddressSanitizer every tensor has an array of its own: training and inference touch nothing
// beside them.  The program prints a line of logits a record and the accuracy.
static void test_sanitized_main(void **state)
{
    (void)state;
    const size_t last = getenv("NAGO_LONG") ? COUNT_OF(nets) : 1; // its compilation takes seconds
    for (size_t i = 0; i < last; i++) {
        Pool *pool = pool_new();
        const Arch *arch = net_arch(nets[i], pool);
        EmitOptions options = options_of("net", NULL);
        char printed[4000];
        options.plan = false;
        write_text(FOLDER "sanitized.c", emit_text(arch, &options, pool));
        write_records(FOLDER "sanitized.bin", arch, 2 * BATCH + 1);
        run_silent("gcc -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all "
                   "-DNET_MAIN " FOLDER "sanitized.c -o " FOLDER "sanitized -lm");
        assert_int_equal(run_status(printed, sizeof printed,
                                    "cd " FOLDER
                                    " && ./sanitized sanitized.bin 2 0.01 <sanitized.bin"),
                         0);
        int lines = 0;
        for (const char *c = printed; *c; c++)
            lines += *c == '\n';
        assert_int_equal(lines, 2 + 2 * BATCH + 1 + 1); // epochs, logits, accuracy
        assert_non_null(strstr(printed, "accuracy "));
        assert_non_null(strstr(printed, " of 7)\n"));
        pool_free(pool);
    }
}

// The same bytes, whatever -o says and wherever the theta lies.
static void test_same_bytes(void **state)
{
    (void)state;
    static const char theta[] = "generated/sample.theta.json";
    const char *build = build_folder();
    run_silent("mkdir -p " FOLDER "elsewhere && cp %s " FOLDER "elsewhere/", theta);
    run_silent("%s/nagoc %s -o " FOLDER "a.c", build, theta);
    run_silent("%s/nagoc " FOLDER "elsewhere/sample.theta.json -o " FOLDER "elsewhere/b.c", build);
    run_silent("%s/nagoc %s -o - >" FOLDER "c.c", build, theta);
    run_silent("cmp " FOLDER "a.c " FOLDER "elsewhere/b.c");
    run_silent("cmp " FOLDER "a.c " FOLDER "c.c");
    run_silent("cmp " FOLDER "a.c generated/sample.c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches_reference),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_bin),
        cmocka_unit_test(test_over_fit),
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_contraction),
        cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_sanitized_main),
        cmocka_unit_test(test_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
