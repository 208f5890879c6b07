// test_templates.c - every file of templates/ compiles as it stands, silently, by each compiler;
// and the kernels for one image, which are not in the runtime's table, against the naive ops.
#define _GNU_SOURCE
#include "generated.h"

#include <glob.h>

#define NK_LANES 1
#include "../templates/prelude.h"

#include "../templates/conv_pixels.c"
#include "../templates/tiles.c"

#define STRICT "-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wcast-qual -Werror"

// ---- each file alone ----------------------------------------------------------------------------

// What the emitter writes around the files that are not kernels.
static const char frame[] =
    "enum { NK_CHANNELS = 3, NK_HEIGHT = 4, NK_WIDTH = 5, NK_CLASSES = 2, NK_BATCH = 2,\n"
    "       NK_PIXELS_ARE_HWC = 0, NK_ARENA_BYTES = 64, NK_PARAM_COUNT = 4, NK_STATE_COUNT = 8 };\n"
    "void nk_infer(const float *images, float *logits);\n"
    "void nk_infer_u8(const uint8_t *images, float *logits);\n"
    "void nk_infer_in(void *arena, const float *images, float *logits);\n"
    "static _Alignas(64) float nk_arena[16];\n"
    "static const float nk_mean[3] = {0}, nk_deviation[3] = {1, 1, 1};\n"
    "#ifndef INT8\n"
    "static void nk_program_infer(const nk_call *call)\n{\n    (void)call;\n}\n"
    "#endif\n";
static const char int8_frame[] =
    "typedef int8_t nk_pixel;\nstatic const nk_pixel nk_pixels[NK_CHANNELS][256] = {{0}};\n"
    "void nk_infer_u8_in(void *arena, const uint8_t *images, float *logits);\n"
    "static nk_pixel *nk_image(void *arena)\n{\n    return arena;\n}\n"
    "static void nk_read_image(void *arena, const float *image)\n{\n"
    "    *nk_image(arena) = (nk_pixel)image[0];\n}\n"
    "static void nk_program_infer(void *arena, float *logits)\n{\n"
    "    logits[0] = *nk_image(arena);\n}\n";
static const char training_frame[] =
    "#define NK_MOMENTUM 0.9f\n#define NK_WEIGHT_DECAY 0.0f\n#define NK_LABEL_SMOOTHING 0.0f\n"
    "#define NK_DROPOUT 0.0f\n#define NK_SEED 1\n"
    "enum { NK_PARAM_TENSORS = 1, NK_STATE_TENSORS = 1 };\n"
    "static const nk_tensor nk_param_table[] = {{\"w\", 1, {4, 0, 0, 0}, 0, 4, 0, 4}};\n"
    "static const nk_tensor nk_state_table[] = {{\"s\", 1, {4, 0, 0, 0}, 0, 4, 3, 4}};\n"
    "static float nk_params[4], nk_grads[4], nk_state[8];\n"
    "void nk_init(uint64_t seed);\n"
    "float nk_train_step(const float *images, const int32_t *labels, int count, float rate);\n"
    "static void nk_program_gradient(const nk_call *call)\n{\n    (void)call;\n}\n"
    "static void nk_program_update(const nk_call *call)\n{\n    (void)call;\n}\n";

#define THREADS_FRAME                                                                      \
    "#define NK_THREADS 2\ntypedef void nk_task(const nk_call *call, int part);\n"         \
    "void nk_stop_threads(void);\nvoid nk_share_op(nk_task *task, const nk_call *call);\n" \
    "static void nk_run_shared(nk_task *task, const nk_call *call);\n"                     \
    "void nk_share_op(nk_task *task, const nk_call *call)\n{\n    nk_run_shared(task, call);\n}\n"
static const char threads_frame[] = THREADS_FRAME;
static const char images_frame[] = "#define NK_SHARES_IMAGES\n" THREADS_FRAME;
static const char profile_frame[] =
    "#define NK_PROFILE\nenum { NK_PROFILE_ROWS = 1 };\ntypedef struct {\n    const char *op, "
    "*result;\n    uint64_t ticks;\n    uint32_t calls;\n} nk_profile_row;\n"
    "static nk_profile_row nk_profile[1];\nstatic void nk_profile_begin(void);\n"
    "static void nk_mark(int op);\nvoid nk_profiled(void);\n"
    "void nk_profiled(void)\n{\n    nk_profile_begin();\n    nk_mark(0);\n}\n";
static const char test_frame[] =
    "#define NK_TEST_IMAGES 1\n#define NK_TEST_TOLERANCE 0.0f\n#define NK_WEIGHTS_HASH 0x0u\n"
    "static const struct {\n    float values[2];\n} nk_weights = {{1.0f, 2.0f}};\n"
    "static const uint8_t nk_test_pixels[1][NK_CHANNELS * NK_HEIGHT * NK_WIDTH] = {{0}};\n"
    "static const float nk_test_logits[1][NK_CLASSES] = {{0}};\n"
    "int nk_self_test(void);\n";

// The files that make a program together, in order; a frame may come first.
typedef struct {
    const char *files[8];
} Program;
static const Program programs[] = {
    {{"init", "training_frame", "face_pixels", "face_train", "main_read", "main_train"}},
    {{"face_pixels", "face_infer", "main_options", "main_read", "main_infer"}},
    {{"threads_frame", "threads", "face_pixels", "face_infer", "main_options", "main_read",
      "main_infer"}},
    {{"images_frame", "threads", "face_pixels", "face_infer", "main_options", "main_read",
      "main_infer"}},
    {{"face_pixels", "face_infer", "test_frame", "self_test", "main_options", "main_read",
      "main_infer"}},
    {{"profile_frame", "profile", "face_pixels", "face_infer", "main_options", "main_read",
      "main_profile", "main_infer"}},
    {{"int8_frame", "face_int8", "main_options", "main_int8"}},
    {{"int8_frame", "face_int8", "test_frame", "self_test", "main_options", "main_int8"}},
};

static void include(Text *text, const char *file)
{
    static const struct {
        const char *name, *text;
    } frames[] = {{"training_frame", training_frame}, {"int8_frame", int8_frame},
                  {"profile_frame", profile_frame},   {"threads_frame", threads_frame},
                  {"images_frame", images_frame},     {"test_frame", test_frame}};
    const size_t length = text->length;
    for (size_t i = 0; i < COUNT_OF(frames); i++)
        if (!strcmp(file, frames[i].name))
            text_puts(text, frames[i].text);
    if (text->length == length)
        text_printf(text, "#include \"../../../templates/%s.c\"\n", file);
}

static void compile(const char *text, const char *flags)
{
    write_text(FOLDER "template.c", text);
    run_silent("gcc " STRICT " %s -fsyntax-only " FOLDER "template.c", flags);
    if (is_installed("clang"))
        run_silent("clang " STRICT " %s -fsyntax-only " FOLDER "template.c", flags);
    if (is_installed("tcc"))
        run_silent("tcc -Wall -Werror %s -c " FOLDER "template.c -o " FOLDER "template.o", flags);
}

static bool is_in_program(const char *file)
{
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        for (size_t i = 0; i < COUNT_OF(programs[p].files) && programs[p].files[i]; i++)
            if (!strcmp(programs[p].files[i], file))
                return true;
    return false;
}

// Kernels that build on another file's: the files before them.
static const struct {
    const char *file, *before[3];
} foundations[] = {
    {"winograd", {"conv"}},
    {"winograd_weights", {"conv", "winograd", "conv_weights_backward"}},
    {"tiles_winograd", {"tiles"}},
    {"tiles_mix", {"tiles"}},
    {"tiles_direct", {"tiles"}},
    {"tiles_attention", {"tiles"}},
    {"tiles_pool", {"tiles"}},
    {"tiles_head", {"tiles"}},
    {"int8_head", {"int8_conv"}},
};

static void include_before(Text *text, const char *file)
{
    for (size_t i = 0; i < COUNT_OF(foundations); i++)
        for (size_t j = 0; j < 3 && !strcmp(foundations[i].file, file); j++)
            if (foundations[i].before[j])
                include(text, foundations[i].before[j]);
}

// A file that is in no program is one of kernels: it needs the prelude and nothing else, but for
// the few above.
static void test_alone(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob("templates/*.c", 0, NULL, &found), 0);
    assert_true(found.gl_pathc > 15);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char file[100];
        snprintf(file, sizeof file, "%s", found.gl_pathv[i] + strlen("templates/"));
        *strrchr(file, '.') = 0;
        if (is_in_program(file))
            continue;
        Text text = {0};
        text_puts(&text, "#include \"../../../templates/prelude.h\"\n");
        if (!strncmp(file, "int8_", 5))
            text_puts(&text, "#include \"../../../templates/int8.h\"\n"
                             "#include \"../../../templates/int8_tiles.h\"\n");
        include_before(&text, file);
        include(&text, file);
        compile(text.data,
                !strcmp(file, "conv_pixels") || !strncmp(file, "tiles", 5) ? "-DNK_LANES=1" : "");
        text_free(&text);
    }
    globfree(&found);
}

static void test_programs(void **state)
{
    (void)state;
    for (size_t p = 0; p < COUNT_OF(programs); p++) {
        Text text = {0};
        text_puts(&text, "#include \"../../../templates/prelude.h\"\n"
                         "#include \"../../../templates/abi.h\"\n");
        text_puts(&text, frame);
        for (size_t i = 0; i < COUNT_OF(programs[p].files) && programs[p].files[i]; i++)
            include(&text, programs[p].files[i]);
        compile(text.data, !strcmp(programs[p].files[0], "int8_frame")
                               ? "-DINT8 -Wno-unused-variable -Wno-unused-const-variable"
                               : "");
        text_free(&text);
    }
}

// The ABI of JIT programs, which are compiled without any header.
static void test_abi(void **state)
{
    (void)state;
    write_text(FOLDER "template.c", "#include \"../../../templates/abi.h\"\n"
                                    "#include \"../../../templates/abi.h\"\n"
                                    "nk_program f;\n"
                                    "void f(const nk_call *call, int part, int parts)\n{\n"
                                    "    if (parts > 1 && part)\n"
                                    "        call->barrier(call->team);\n}\n");
    run_silent("gcc " STRICT " -nostdinc -fsyntax-only " FOLDER "template.c");
}

// ---- one image, pixels in the lanes -------------------------------------------------------------

typedef struct {
    int channels, filters, height, width, kernel_h, kernel_w, relu;
} PixelCase;

static PixelCase draw_case(Random *random)
{
    static const int kernels[][2] = {{3, 3}, {5, 5}, {1, 1}, {3, 1}, {1, 3}};
    const int *kernel = kernels[random_below(random, COUNT_OF(kernels))];
    return (PixelCase){1 + (int)random_below(random, 9),
                       1 + (int)random_below(random, 20),
                       1 + (int)random_below(random, 12),
                       1 + (int)random_below(random, 12),
                       kernel[0],
                       kernel[1],
                       (int)random_below(random, 2)};
}

static float *floats_of(const double *values, size_t count, size_t spare)
{
    float *floats = xcalloc(count + spare, sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)values[i];
    return floats;
}

// p[c][r][s][k] = w[k][c][r][s].
static float *packed(const double *w, const PixelCase *p)
{
    const int taps = p->channels * p->kernel_h * p->kernel_w;
    float *out = xcalloc((size_t)(taps * p->filters), sizeof *out);
    for (int t = 0; t < taps; t++)
        for (int k = 0; k < p->filters; k++)
            out[t * p->filters + k] = (float)w[k * taps + t];
    return out;
}

static void run_pixels(const PixelCase *p, const float *x, const float *w, const float *b, float *y,
                       int parts)
{
    const int pitch = p->width + p->kernel_w - 1, rows = p->height + p->kernel_h - 1;
    float *halo = xmalloc((size_t)(p->channels * rows * pitch + NK_PIXELS_SPARE) * sizeof *halo);
    memset(halo, 0xff, (size_t)(p->channels * rows * pitch + NK_PIXELS_SPARE) * sizeof *halo);
    for (int part = 0; part < parts; part++)
        nk_pad(halo, x, p->channels, p->height, p->width, p->kernel_h, p->kernel_w, part, parts);
    for (int part = 0; part < parts; part++)
        nk_conv_pixels(y, halo, w, b, p->channels, p->height, p->width, p->filters, p->kernel_h,
                       p->kernel_w, p->relu, part, parts);
    free(halo);
}

static void check_pixels(uint64_t seed)
{
    Random random = random_stream(seed, "pixels", 0, 0);
    const PixelCase p = draw_case(&random);
    const ReferenceConv conv = reference_conv((ReferenceShape){1, p.channels, p.height, p.width},
                                              p.filters, p.kernel_h, p.kernel_w, 1, false);
    const size_t n_x = reference_count(conv.in), n_y = reference_count(conv.out);
    const size_t n_w = (size_t)(p.filters * p.channels * p.kernel_h * p.kernel_w);
    double *x = random_values(n_x, seed, 1), *w = random_values(n_w, seed + 1, 1);
    double *b = random_values((size_t)p.filters, seed + 2, 1), *y = xcalloc(n_y, sizeof *y);
    float *fx = floats_of(x, n_x, 0), *fw = packed(w, &p), *fb = floats_of(b, (size_t)p.filters, 0);
    float *one = xcalloc(n_y + 1, sizeof *one), *more = xcalloc(n_y + 1, sizeof *more);
    reference_conv_forward(&conv, x, w, b, y);
    if (p.relu)
        reference_relu_forward(n_y, y, y);
    one[n_y] = more[n_y] = 12345;
    run_pixels(&p, fx, fw, fb, one, 1);
    for (size_t i = 0; i < n_y; i++)
        if (!(fabs((double)one[i] - y[i]) <= 1e-4))
            fail_msg("seed %llu: y[%zu] is %g, expected %g", (unsigned long long)seed, i,
                     (double)one[i], y[i]);
    for (int parts = 2; parts <= 3; parts++) {
        run_pixels(&p, fx, fw, fb, more, parts);
        assert_memory_equal(one, more, (n_y + 1) * sizeof *one);
    }
    free(x);
    free(w);
    free(b);
    free(y);
    free(fx);
    free(fw);
    free(fb);
    free(one);
    free(more);
}

static void test_pixels(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        check_pixels(seed);
}

// A sum of any number of terms may take the place of any of them, bit for bit.
static void test_tile_sum_in_place(void **state)
{
    (void)state;
    enum { MOST = 9, SIZE = 2 * NK_SUM_BLOCK + 48 };
    static float values[MOST][SIZE], terms[MOST][SIZE], wanted[SIZE];
    const float *xs[MOST];
    float as[MOST];
    Random random = random_stream(1, "tile sum", 0, 0);
    for (int j = 0; j < MOST; j++) {
        xs[j] = terms[j];
        as[j] = (float)random_normal(&random);
        for (int i = 0; i < SIZE; i++)
            values[j][i] = (float)random_normal(&random);
    }
    for (int inputs = 1; inputs <= MOST; inputs++)
        for (int place = 0; place < inputs; place++) {
            memcpy(terms, values, sizeof terms);
            nk_tile_sum(wanted, xs, as, inputs, SIZE, place % 2, 0, 1);
            for (int i = 0; i < SIZE; i += 97) {
                double sum = 0.0;
                for (int j = 0; j < inputs; j++)
                    sum += (double)as[j] * (double)values[j][i];
                assert_close(wanted[i], place % 2 ? fmax(sum, 0.0) : sum, 1e-5);
            }
            nk_tile_sum(terms[place], xs, as, inputs, SIZE, place % 2, 0, 1);
            assert_memory_equal(terms[place], wanted, sizeof wanted);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_programs),
        cmocka_unit_test(test_abi),
        cmocka_unit_test(test_pixels),
        cmocka_unit_test(test_tile_sum_in_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
