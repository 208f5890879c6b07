// emit.c - the generated file.  emit_trainable and emit_inference read as its table of contents.
#include "emit.h"
#include "costs.h"
#include "emit_ops.h"
#include "passes.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const EmitOptions emit_defaults = {.prefix = "net", .plan = true, .command = "nagoc"};

// What the parts of one file share.
typedef struct {
    const Arch *arch;
    const EmitOptions *options;
    Pool *pool;
    EmitStyle style;
    Ir *infer, *gradient, *update; // the last two are NULL in an inference file
    int batch;
    bool shares_images; // threads take images of a batch, each with an arena, instead of ops
    int64_t arena_floats;
    float mean[4], deviation[4];
    const char **class_names;
    const TestVectors *vectors; // NULL: no self-test
    TargetEstimate estimate;    // of a file for a microcontroller
    Text *out;
} Emission;

bool emit_prefix_valid(const char *text)
{
    if (!isalpha((unsigned char)text[0]) || strlen(text) > 40)
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return true;
}

// ---- what comes from the weights' metadata ------------------------------------------------------

// Up to four numbers separated by commas; `values` keeps its defaults where the text is absent or
// malformed.
static void read_numbers(const char *text, int count, bool positive, float *values)
{
    float read[4];
    for (int i = 0; i < count; i++) {
        char *end;
        read[i] = text ? strtof(text, &end) : 0.0f;
        if (!text || end == text || !(read[i] > -1e6f && read[i] < 1e6f) ||
            (positive && !(read[i] > 0.0f)))
            return;
        text = *end == ',' ? end + 1 : end;
    }
    memcpy(values, read, (size_t)count * sizeof *values);
}

static void read_class_names(Emission *e, const char *json)
{
    const int n = e->arch->classes;
    e->class_names = pool_alloc(e->pool, (size_t)n * sizeof *e->class_names);
    for (int i = 0; i < n; i++)
        e->class_names[i] = pool_printf(e->pool, "%d", i);
    cJSON *list = json ? cJSON_Parse(json) : NULL;
    int i = 0;
    const cJSON *item;
    if (cJSON_GetArraySize(list) == n)
        cJSON_ArrayForEach(item, list)
        {
            if (cJSON_IsString(item))
                e->class_names[i] = pool_strdup(e->pool, item->valuestring);
            i++;
        }
    cJSON_Delete(list);
}

static void read_metadata(Emission *e)
{
    const TensorFile *weights = e->options->weights;
    for (int c = 0; c < 4; c++) {
        e->mean[c] = 0.0f;
        e->deviation[c] = 1.0f;
    }
    if (weights) {
        read_numbers(tensors_metadata(weights, "nago.mean"), e->arch->channels, false, e->mean);
        read_numbers(tensors_metadata(weights, "nago.std"), e->arch->channels, true, e->deviation);
    }
    read_class_names(e, weights ? tensors_metadata(weights, "nago.classes") : NULL);
}

// ---- pieces -------------------------------------------------------------------------------------

// Our own text, with nk_ as the prefix.
static void put(Emission *e, const char *text)
{
    template_rename(text, e->options->prefix, e->out);
}

NAGO_PRINTF(2, 3) static void putf(Emission *e, const char *fmt, ...)
{
    char text[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    put(e, text);
}

// A comment of the banner: "// label: text", long texts broken at blanks.
static void put_comment(Emission *e, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");
        if (n > 100)
            for (n = 100; n > 40 && text[n] != ' '; n--)
                continue;
        text_printf(e->out, "// %.*s\n", (int)n, text);
        text += n;
        while (*text == ' ' || *text == '\n')
            text++;
    }
}

static bool is_embedded(const Emission *e)
{
    return e->options->target > TARGET_NATIVE;
}

static void put_how_to_compile(Emission *e)
{
    const TargetInfo *target = &target_info[e->options->target];
    if (is_embedded(e)) {
        Text lines = {0};
        text_puts(e->out, "//\n");
        cost_banner(&e->estimate, e->options, &lines);
        put_comment(e, lines.data);
        text_free(&lines);
        putf(e, "//\n// Compile: %s %s -c FILE.c\n//\n", target->compiler, target->flags);
        return;
    }
    putf(e,
         "//\n// Compile: cc -O3 -march=native -c FILE.c, link with -lm%s; -D NK_MAIN makes a "
         "program that classifies records\n"
         "// (one label byte, then the pixels channel by channel) from stdin.\n//\n",
         e->options->threads > 1 ? " -pthread" : "");
}

static void put_banner(Emission *e)
{
    const Arch *a = e->arch;
    const bool trainable = e->options->weights == NULL;
    Text words = {0};
    text_printf(&words, "An HNAG network as standalone C11, %s: %d x %d x %d images to %d classes.",
                trainable            ? "to be trained"
                : e->options->ranges ? "in int8 with its trained weights"
                                     : "with its trained weights",
                a->channels, a->height, a->width, a->classes);
    put_comment(e, words.data);
    text_printf(e->out, "//\n//     made by   %s\n//     compiler  nagoc %s\n//\n",
                e->options->command, NAGO_VERSION);
    words.length = 0;
    arch_describe(a, &words);
    put_comment(e, words.data);
    text_printf(e->out, "// %lld trained numbers, %.2f million multiply-adds an image.\n//\n",
                (long long)e->infer->param_count, 1e-6 * (double)e->infer->macs);
    text_printf(e->out, "// Memory: arena %lld bytes", (long long)e->arena_floats * 4);
    if (trainable)
        text_printf(
            e->out,
            ", parameters, gradients and momentum %lld bytes each, statistics %lld bytes.\n",
            (long long)e->infer->param_count * 4, (long long)e->infer->running_count * 4);
    else
        text_printf(e->out, " (static, or the caller's), weights %lld bytes (constant), no heap.\n",
                    (long long)e->infer->const_count * 4);
    put_how_to_compile(e);
    put(e, "// This file belongs to whoever generated it: no restriction, no attribution needed, "
           "no warranty.\n\n");
    text_free(&words);
}

// What the kernels stand on.
static void put_prelude(Emission *e)
{
    if (e->options->ranges) {
        text_puts(e->out, "#include <stddef.h>\n\n");
        template_paste("int8", e->options->prefix, e->out);
        text_puts(e->out, "\n");
        template_paste("int8_tiles", e->options->prefix, e->out);
        text_puts(e->out, "\n");
        return;
    }
    put(e, "#define NK_LANES ");
    text_printf(e->out, "%d\n", e->options->weights ? 1 : LANES);
    put(e, "#if defined(__GNUC__) && !defined(__clang__) && !defined(__TINYC__)\n"
           "#pragma GCC optimize(\"fp-contract=fast\", \"no-math-errno\", "
           "\"no-trapping-math\")\n#endif\n");
    template_paste("prelude", e->options->prefix, e->out);
    put(e, "\n#if defined(__clang__)\n#define NK_NOINLINE __attribute__((noinline))\n"
           "#elif defined(__GNUC__) && !defined(__TINYC__)\n#define NK_NOINLINE "
           "__attribute__((noinline, noclone))\n#else\n#define NK_NOINLINE\n#endif\n\n");
}

static void put_sizes(Emission *e)
{
    const Arch *a = e->arch;
    put_prelude(e);
    putf(e,
         "enum {\n    NK_CHANNELS = %d,\n    NK_HEIGHT = %d,\n    NK_WIDTH = %d,\n    NK_CLASSES = "
         "%d,\n    NK_BATCH = %d,\n",
         a->channels, a->height, a->width, a->classes, e->batch);
    putf(e,
         "    NK_ARENA_BYTES = %lld,\n    NK_PARAM_COUNT = %lld,\n    NK_STATE_COUNT = %lld,\n    "
         "NK_PIXELS_ARE_HWC = %d\n};\n\n",
         (long long)e->arena_floats * 4, (long long)e->infer->param_count,
         (long long)(e->options->weights ? 0 : e->infer->running_count + e->infer->param_count),
         e->options->hwc);
}

static void put_string(Emission *e, const char *text)
{
    text_puts(e->out, "\"");
    for (const char *c = text; *c; c++)
        if (*c == '"' || *c == '\\' || *c == '?' || (unsigned char)*c < ' ')
            text_printf(e->out, "\\%03o", (unsigned char)*c);
        else
            text_add(e->out, c, 1);
    text_puts(e->out, "\"");
}

static void put_numbers(Emission *e, const char *name, const float *values)
{
    putf(e, "static const float nk_%s[NK_CHANNELS] = {", name);
    for (int c = 0; c < e->arch->channels; c++) {
        Text number = {0};
        text_printf(&number, "%.9g", (double)values[c]);
        text_printf(e->out, "%s%s%sf", c ? ", " : "", number.data,
                    strpbrk(number.data, ".e") ? "" : ".0");
        text_free(&number);
    }
    text_puts(e->out, "};\n");
}

static void put_classes(Emission *e)
{
    put(e, "extern const char *const nk_class_names[NK_CLASSES];\nconst char *const "
           "nk_class_names[NK_CLASSES] = {");
    for (int i = 0; i < e->arch->classes; i++) {
        text_puts(e->out, i % 8 ? " " : "\n    ");
        put_string(e, e->class_names[i]);
        text_puts(e->out, ",");
    }
    text_puts(e->out, "\n};\n");
    if (!e->options->ranges) { // int8 files read pixels by a table
        put_numbers(e, "mean", e->mean);
        put_numbers(e, "deviation", e->deviation);
    }
    text_puts(e->out, "\n");
}

// The kernels that the programs use, each text once.
static void put_kernels(Emission *e)
{
    const Ir *const programs[] = {e->infer, e->gradient, e->update};
    for (OpKind k = 0; k < OP_COUNT; k++) {
        bool wanted = false, pasted = false;
        for (int p = 0; p < 3; p++)
            for (int o = 0; programs[p] && o < programs[p]->n_ops && !wanted; o++)
                wanted = !strcmp(op_info[programs[p]->ops[o].kind].file, op_info[k].file);
        for (OpKind j = 0; j < k; j++)
            pasted = pasted || !strcmp(op_info[j].file, op_info[k].file);
        if (wanted && !pasted) {
            put(e, "// ---- ");
            template_rename(template_text(op_info[k].file) + 3, e->options->prefix, e->out);
            text_puts(e->out, "\n");
        }
    }
}

static void put_call_struct(Emission *e)
{
    put(e, "// One call of a program.\ntypedef struct {\n    float *arena, *params, *grads, "
           "*state;\n    const float *images;\n"
           "    const int *labels;\n    float *logits, *loss;\n    int count;\n"
           "    float learning_rate, momentum, weight_decay, label_smoothing;\n    unsigned long "
           "long seed, step;\n    float dropout;\n");
    if (e->options->threads > 1)
        put(e, "    void *team; // the other threads; NULL: alone\n");
    put(e, "} nk_call;\n\n");
}

static void put_threads(Emission *e)
{
    if (e->options->threads < 2)
        return;
    if (e->shares_images)
        put(e, "#define NK_SHARES_IMAGES\n");
    putf(e, "#define NK_THREADS %d\ntypedef void nk_task(const nk_call *call, int part);\n\n",
         e->options->threads);
    template_paste("threads", e->options->prefix, e->out);
    text_puts(e->out, "\n");
}

static int arena_alignment(const Emission *e)
{
    return e->options->ranges ? 8 : 64;
}

static void put_arena(Emission *e)
{
    if (e->style.own_arrays)
        put(e, "// --no-plan: every tensor has an array of its own; the arena of nk_infer_in is "
               "not used.\n");
    putf(e, "static _Alignas(%d) float nk_arena[NK_ARENA_BYTES / 4];\n\n", arena_alignment(e));
}

static void put_declarations(Emission *e)
{
    put(e, "// Images are [NK_BATCH][NK_CHANNELS][NK_HEIGHT][NK_WIDTH], normalised; logits are "
           "[NK_BATCH][NK_CLASSES].\n"
           "void nk_infer(const float *images, float *logits);\n");
    putf(e,
         "// Raw pixels (%s); the data set's mean and deviation are applied.\nvoid "
         "nk_infer_u8(const uint8_t *images, float *logits);\n",
         e->options->hwc ? "a pixel's channels together" : "channel by channel");
    putf(e,
         "// The same as nk_infer with the caller's arena of NK_ARENA_BYTES, aligned to %d "
         "bytes: reentrant.\n"
         "void nk_infer_in(void *arena, const float *images, float *logits);\n",
         arena_alignment(e));
    if (e->options->ranges)
        put(e, "void nk_infer_u8_in(void *arena, const uint8_t *images, float *logits);\n");
    if (e->options->threads > 1)
        put(e, "// Ends the threads that the calls above started.  Not while one of them runs.\n"
               "void nk_stop_threads(void);\n");
    if (e->options->self_test)
        put(e, "// Returns 0 where the weights are whole and the test images give the logits that "
               "they "
               "must.\n"
               "int nk_self_test(void);\n");
    if (e->options->profile)
        emit_profile_declarations(e->infer, e->options->prefix, e->out);
    if (e->options->weights)
        return;
    put(e, "void nk_init(uint64_t seed);\n"
           "float nk_train_step(const float *images, const int32_t *labels, int count, float "
           "learning_rate);\n"
           "extern float nk_params[NK_PARAM_COUNT], nk_grads[NK_PARAM_COUNT], "
           "nk_state[NK_STATE_COUNT];\n");
}

static void put_main(Emission *e, const char *which)
{
    if (is_embedded(e))
        return;
    put(e, "\n#ifdef NK_MAIN\n");
    if (e->options->weights) {
        template_paste("main_options", e->options->prefix, e->out);
        text_puts(e->out, "\n");
        if (e->options->profile)
            template_paste("main_profile", e->options->prefix, e->out);
    }
    if (!e->options->ranges) {
        template_paste("main_read", e->options->prefix, e->out);
        text_puts(e->out, "\n");
    }
    template_paste(which, e->options->prefix, e->out);
    text_puts(e->out, "#endif\n");
}

// How a program calls an inference file.
static void put_inference_face(Emission *e, const char *face)
{
    put_arena(e);
    if (is_embedded(e)) {
        Text text = {0};
        cost_asserts(&e->estimate, e->options, &text);
        put(e, text.data);
        text_free(&text);
    }
    template_paste(face, e->options->prefix, e->out);
    if (!e->vectors)
        return;
    text_puts(e->out, "\n");
    test_vectors_emit(e->vectors, e->infer, e->options->prefix, e->out);
    template_paste("self_test", e->options->prefix, e->out);
}

static void emit_inference(Emission *e, Text *bin)
{
    const Ir *const programs[] = {e->infer};
    put_banner(e);
    put_sizes(e);
    put_declarations(e);
    put_classes(e);
    put_call_struct(e);
    put_kernels(e);
    put_threads(e);
    emit_const_data(e->infer, e->options, e->out, bin);
    emit_wrappers(programs, 1, &e->style, e->pool, e->out);
    if (e->options->profile)
        emit_profile(e->infer, &e->style, e->out);
    emit_program(e->infer, "infer", &e->style, e->out);
    template_paste("face_pixels", e->options->prefix, e->out);
    text_puts(e->out, "\n");
    put_inference_face(e, "face_infer");
    put_main(e, "main_infer");
}

static void emit_int8(Emission *e, Text *bin)
{
    put_banner(e);
    put_sizes(e);
    put_declarations(e);
    put_classes(e);
    put_kernels(e);
    emit_const_data(e->infer, e->options, e->out, bin);
    if (e->options->profile)
        emit_profile(e->infer, &e->style, e->out);
    emit_int8_program(e->infer, e->mean, e->deviation, &e->style, e->out);
    put_inference_face(e, "face_int8");
    put_main(e, "main_int8");
}

static void put_training(Emission *e)
{
    put(e, "#ifndef NK_MOMENTUM\n#define NK_MOMENTUM 0.9f\n#endif\n#ifndef "
           "NK_WEIGHT_DECAY\n#define NK_WEIGHT_DECAY 1e-4f\n#endif\n"
           "#ifndef NK_LABEL_SMOOTHING\n#define NK_LABEL_SMOOTHING 0.0f\n#endif\n#ifndef "
           "NK_DROPOUT\n#define NK_DROPOUT 0.2f\n#endif\n");
    putf(e, "#ifndef NK_SEED\n#define NK_SEED %llu\n#endif\n\n",
         (unsigned long long)e->options->seed);
}

static void put_tables(Emission *e)
{
    template_paste("init", e->options->prefix, e->out);
    putf(e, "\nenum { NK_PARAM_TENSORS = %d, NK_STATE_TENSORS = %d };\n", e->gradient->n_params,
         e->gradient->n_running);
    put(e, "// Where each parameter stands in nk_params (and nk_grads; its momentum stands at\n// "
           "NK_STATE_COUNT - NK_PARAM_COUNT + offset of nk_state), "
           "and each running statistic in nk_state.\n"
           "extern const nk_tensor nk_param_table[NK_PARAM_TENSORS], "
           "nk_state_table[NK_STATE_TENSORS];\n");
    emit_table(e->gradient->params, e->gradient->n_params, e->options->prefix, "param", e->out);
    emit_table(e->gradient->running, e->gradient->n_running, e->options->prefix, "state", e->out);
    put(e,
        "float nk_params[NK_PARAM_COUNT], nk_grads[NK_PARAM_COUNT], nk_state[NK_STATE_COUNT];\n\n");
}

static void emit_trainable(Emission *e)
{
    const Ir *const programs[] = {e->infer, e->gradient, e->update};
    put_banner(e);
    put_training(e);
    put_sizes(e);
    put_declarations(e);
    put_classes(e);
    put_call_struct(e);
    put_kernels(e);
    put_tables(e);
    emit_wrappers(programs, 3, &e->style, e->pool, e->out);
    for (int p = 0; p < 3; p++)
        emit_program(programs[p], programs[p]->name, &e->style, e->out);
    template_paste("face_pixels", e->options->prefix, e->out);
    text_puts(e->out, "\n");
    put_arena(e);
    template_paste("face_train", e->options->prefix, e->out);
    put_main(e, "main_train");
}

// ---- the pipeline -------------------------------------------------------------------------------

// Runs the passes for what `options` ask for; stops after `pass` (NULL: runs all).  *stopped is the
// IR there.
static bool run_passes(Emission *e, const char *pass, const Ir **stopped, Err *err)
{
    PassOptions passes = {.weights = e->options->weights,
                          .ranges = e->options->weights ? e->options->ranges : NULL,
                          .conv = CONV_DIRECT,
                          .target = e->options->target,
                          .plan = e->options->plan,
                          .threads = e->style.threads,
                          .stop = pass};
    *stopped = e->infer = passes_run(e->arch, e->batch, &passes, e->pool, err);
    if (!e->infer)
        return false;
    e->arena_floats = (e->infer->arena_floats + 2 * e->infer->margin) *
                      (e->shares_images ? e->options->threads : 1);
    if (is_embedded(e) && e->options->weights && !pass)
        e->estimate = cost_estimate(e->infer, e->options);
    if (e->options->weights)
        return true;
    passes.training = true;
    *stopped = e->gradient = passes_run(e->arch, e->batch, &passes, e->pool, err);
    e->update = lower_update(e->gradient, e->pool);
    if (e->gradient->arena_floats > e->arena_floats)
        e->arena_floats = e->gradient->arena_floats;
    return true;
}

static Emission emission_open(const Arch *arch, const EmitOptions *options, Text *out)
{
    Emission e = {.arch = arch, .options = options, .pool = pool_new(), .out = out};
    e.batch = options->batch ? options->batch : options->weights ? 1 : LANES;
    e.shares_images = options->threads > 1 && options->plan && e.batch >= options->threads;
    e.style = (EmitStyle){.prefix = options->prefix,
                          .own_arrays = !options->plan,
                          .profile = options->profile,
                          .threads = e.shares_images ? 1 : options->threads};
    read_metadata(&e);
    return e;
}

bool emit_c(const Arch *arch, const EmitOptions *options, Text *out, Text *bin, Err *err)
{
    Emission e = emission_open(arch, options, out);
    const Ir *last;
    bool done = run_passes(&e, NULL, &last, err) &&
                (!is_embedded(&e) || cost_limits_hold(e.infer, options, &e.estimate, err));
    if (done && options->self_test) {
        e.vectors = test_vectors_make(arch, options, e.mean, e.deviation, e.pool, err);
        done = e.vectors != NULL;
    }
    if (done && options->ranges)
        emit_int8(&e, bin);
    else if (done && options->weights)
        emit_inference(&e, bin);
    else if (done)
        emit_trainable(&e);
    pool_free(e.pool);
    return done;
}

bool emit_header(const Arch *arch, const EmitOptions *options, Text *out, Err *err)
{
    Emission e = emission_open(arch, options, out);
    const Ir *last;
    const bool done = run_passes(&e, NULL, &last, err);
    if (done) {
        putf(&e,
             "// Declarations of the network made by\n//     %s\n#ifndef NK_DECLARED\n#define "
             "NK_DECLARED\n\n#include <stdint.h>\n\n",
             options->command);
        put(&e, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
        putf(&e,
             "#define NK_CHANNELS %d\n#define NK_HEIGHT %d\n#define NK_WIDTH %d\n#define "
             "NK_CLASSES %d\n#define NK_BATCH %d\n",
             arch->channels, arch->height, arch->width, arch->classes, e.batch);
        putf(&e,
             "#define NK_ARENA_BYTES %lld\n#define NK_PARAM_COUNT %lld\n#define NK_STATE_COUNT "
             "%lld\n\n",
             (long long)e.arena_floats * 4, (long long)e.infer->param_count,
             (long long)(options->weights ? 0 : e.infer->running_count + e.infer->param_count));
        if (options->self_test)
            put(&e, "#define NK_SELF_TEST 1 // there is nk_self_test\n\n");
        put_declarations(&e);
        put(&e, "extern const char *const nk_class_names[NK_CLASSES];\n\n#ifdef "
                "__cplusplus\n}\n#endif\n\n#endif\n");
    }
    pool_free(e.pool);
    return done;
}

static const char *const passes_with_weights[] = {"lower", "fuse", "fold", "tile", "plan", NULL};
static const char *const passes_int8[] = {"lower", "fuse", "fold", "quantise", "plan", NULL};
static const char *const passes_trainable[] = {"lower", "fuse", "grad", "plan", NULL};

bool emit_ir(const Arch *arch, const EmitOptions *options, const char *pass, Text *out, Err *err)
{
    const char *const *names = options->ranges    ? passes_int8
                               : options->weights ? passes_with_weights
                                                  : passes_trainable;
    bool known = !pass;
    Text list = {0};
    for (int i = 0; names[i]; i++) {
        known = known || !strcmp(pass, names[i]);
        text_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    if (!known)
        err_input(err, "--dump-after: no pass \"%s\" here; the passes are %s", pass, list.data);
    text_free(&list);
    if (!known)
        return false;
    Emission e = emission_open(arch, options, out);
    const Ir *stopped;
    const bool done = run_passes(&e, pass, &stopped, err);
    if (done)
        ir_print(stopped, out);
    pool_free(e.pool);
    return done;
}

// ---- initial weights ----------------------------------------------------------------------------

// The entries of one list, and for a batch normalisation the count of batches that PyTorch keeps
// beside its running mean.
static void add_stored(TensorFile *file, const NetTensor *tensors, int count, const float *values,
                       const int64_t *batches, Pool *pool)
{
    static const char mean[] = ".running_mean";
    for (int i = 0; i < count; i++) {
        const NetTensor *t = &tensors[i];
        StoredTensor s = {.name = t->name,
                          .dtype = DTYPE_F32,
                          .rank = t->rank,
                          .count = t->count,
                          .data = values + t->offset};
        for (int d = 0; d < t->rank; d++)
            s.shape[d] = t->shape[d];
        file->tensors[file->n_tensors++] = s;
        const size_t length = strlen(t->name);
        if (length > sizeof mean && !strcmp(t->name + length - (sizeof mean - 1), mean))
            file->tensors[file->n_tensors++] =
                (StoredTensor){.name = pool_printf(pool, "%.*s.num_batches_tracked",
                                                   (int)(length - (sizeof mean - 1)), t->name),
                               .dtype = DTYPE_I64,
                               .rank = 1,
                               .shape = {1},
                               .count = 1,
                               .data = batches};
    }
}

bool emit_weights(const Arch *arch, uint64_t seed, Text *out, Err *err)
{
    (void)err; // nothing can fail: the architecture was checked
    static const int64_t no_batches = 0;
    Pool *pool = pool_new();
    const Ir *ir = lower(arch, 1, LAYOUT_BATCH_INNER, false, pool);
    float *params = pool_alloc(pool, (size_t)ir->param_count * sizeof *params);
    float *running = pool_alloc(pool, ((size_t)ir->running_count + 1) * sizeof *running);
    Text text = {0};
    net_init(ir->params, ir->n_params, seed, params);
    net_init(ir->running, ir->n_running, seed, running);
    arch_print(arch, &text);
    const char *keys[] = {"nago.arch"}, *values[] = {text.data};
    TensorFile file = {.n_metadata = 1, .keys = keys, .values = values};
    file.tensors =
        pool_alloc(pool, (size_t)(ir->n_params + 2 * ir->n_running) * sizeof *file.tensors);
    add_stored(&file, ir->params, ir->n_params, params, &no_batches, pool);
    add_stored(&file, ir->running, ir->n_running, running, &no_batches, pool);
    tensors_print(&file, out);
    text_free(&text);
    pool_free(pool);
    return true;
}

// ---- summary ------------------------------------------------------------------------------------

int64_t emit_weight_count(const Arch *arch)
{
    Pool *pool = pool_new();
    const int64_t count = lower(arch, 1, LAYOUT_BATCH_INNER, false, pool)->param_count;
    pool_free(pool);
    return count;
}

typedef struct {
    const char *key, *label, *unit;
    int64_t value;
} Figure;

static int count_nodes(const Arch *arch)
{
    int nodes = 0;
    for (int i = 0; i < arch->n_cells; i++)
        nodes += arch->cells[i].n_children;
    return nodes;
}

bool emit_plan_figures(const Arch *arch, const EmitOptions *options, PlanFigures *plan, Err *err)
{
    Text text = {0};
    TensorFile initial;
    EmitOptions how = *options;
    Emission e = emission_open(arch, &how, NULL);
    bool done = true;
    if (!how.weights) {
        done = emit_weights(arch, options->seed, &text, err) &&
               tensors_parse("initial weights", text.data, text.length, &initial, e.pool, err);
        how.weights = &initial;
    }
    const Ir *last;
    done = done && run_passes(&e, NULL, &last, err);
    if (done) {
        plan->macs = e.infer->macs;
        plan->arena_bytes = e.arena_floats * 4;
        plan->weight_bytes = e.infer->const_count * 4;
        // Whatever the plan, kernels read in the margins.
        plan->bound_bytes = e.infer->plan.bound_bytes + 8 * e.infer->margin;
        plan->ms = e.infer->plan.ms;
        plan->estimate = e.estimate;
        done = !is_embedded(&e) || cost_limits_hold(e.infer, &how, &e.estimate, err);
    }
    text_free(&text);
    pool_free(e.pool);
    return done;
}

// How close the plan is to the best there may be.
static void print_plan(const PlanFigures *plan, bool json, Text *out)
{
    const double gap = 100.0 * ((double)plan->arena_bytes / (double)plan->bound_bytes - 1.0);
    const bool is_optimal = plan->arena_bytes == plan->bound_bytes;
    if (json) {
        text_printf(out,
                    ", \"arena_lower_bound_bytes\": %lld, \"arena_optimal\": %s, "
                    "\"plan_ms\": %.3f",
                    (long long)plan->bound_bytes, is_optimal ? "true" : "false", plan->ms);
        return;
    }
    text_printf(out, "%-26s %12lld bytes, ", "arena lower bound", (long long)plan->bound_bytes);
    if (is_optimal)
        text_puts(out, "the plan is optimal\n");
    else
        text_printf(out, "the plan is at most %.2f %% above the best\n", gap);
    text_printf(out, "%-26s %12.1f ms\n", "planned in", plan->ms);
}

bool emit_summary(const Arch *arch, const EmitOptions *options, bool json, Text *out, Err *err)
{
    EmitOptions for_training = *options;
    for_training.weights = NULL;
    Emission train = emission_open(arch, &for_training, out);
    const Ir *last;
    PlanFigures plan;
    if (!run_passes(&train, NULL, &last, err) || !emit_plan_figures(arch, options, &plan, err)) {
        pool_free(train.pool);
        return false;
    }
    const int64_t params = train.infer->param_count, running = train.infer->running_count;
    const Figure figures[] = {
        {"cells", "cells", "", arch->n_cells},
        {"nodes", "nodes", "", count_nodes(arch)},
        {"ops", "ops", "", arch->n_ops},
        {"op_weights", "op weights", "", arch->op_weights},
        {"weights", "weights", "", params},
        {"macs", "multiply-adds of an image", "", train.infer->macs},
        {"arena_bytes", "inference arena", "bytes", plan.arena_bytes},
        {"weight_bytes", "inference weights", "bytes", plan.weight_bytes},
        {"batch", "training batch", "images", train.batch},
        {"train_arena_bytes", "training arena", "bytes", train.arena_floats * 4},
        {"train_memory_bytes", "training memory in all", "bytes",
         (train.arena_floats + 3 * params + running) * 4},
    };
    if (!json) {
        arch_describe(arch, out);
        text_puts(out, "\n");
    }
    for (size_t i = 0; i < COUNT_OF(figures); i++) {
        if (json)
            text_printf(out, "%s\"%s\": %lld", i ? ", " : "{", figures[i].key,
                        (long long)figures[i].value);
        else
            text_printf(out, "%-26s %12lld %s\n", figures[i].label, (long long)figures[i].value,
                        figures[i].unit);
        if (!strcmp(figures[i].key, "arena_bytes"))
            print_plan(&plan, json, out);
    }
    if (is_embedded(&train))
        cost_summary(&plan.estimate, options->target, json, out);
    if (json)
        text_puts(out, "}\n");
    pool_free(train.pool);
    return true;
}
