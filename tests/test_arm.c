// test_arm.c - generated files on AArch64: compiled by a cross compiler and run under qemu, a
// trainable file and an inference file compute what the machine at hand does (which
// test_generated.c compares with the reference).
#define _GNU_SOURCE
#include "generated.h"
#include "kernel_foreign.h"

enum { BATCH = 3, MOST_FLOATS = 1 << 20 };

// Behind the two files: reads images, writes logits, the loss of a step and what it makes of the
// parameters and of the state.
static const char driver[] = "#include <stdio.h>\n"
                             "static float images[%d], logits[%d];\n"
                             "static void show(const float *values, size_t bytes)\n"
                             "{\n"
                             "    fwrite(values, 1, bytes, stdout);\n"
                             "}\n"
                             "int main(void)\n"
                             "{\n"
                             "    const int32_t labels[] = {1, 0, 1};\n"
                             "    if (fread(images, sizeof images, 1, stdin) != 1)\n"
                             "        return 1;\n"
                             "    fixed_infer(images, logits);\n"
                             "    show(logits, sizeof logits);\n"
                             "    train_init(77);\n"
                             "    train_infer(images, logits);\n"
                             "    show(logits, sizeof logits);\n"
                             "    const float loss = train_train_step(images, labels, 3, 1e-3f);\n"
                             "    show(&loss, sizeof loss);\n"
                             "    show(train_params, sizeof train_params);\n"
                             "    show(train_state, sizeof train_state);\n"
                             "    return 0;\n"
                             "}\n";

static void write_program(const NetText *net)
{
    Pool *pool = pool_new();
    const Arch *arch = net_arch(net, pool);
    const TensorFile *weights = net_weights(arch, 5, pool);
    const int n = BATCH * arch->channels * arch->height * arch->width;
    EmitOptions options = emit_defaults;
    Text text = {0};
    Err err = {0};
    options.batch = BATCH;
    options.prefix = "train";
    text_puts(&text, "#define TRAIN_DROPOUT 0.0f\n");
    text_puts(&text, emit_text(arch, &options, pool));
    options.prefix = "fixed";
    options.weights = weights;
    text_puts(&text, emit_text(arch, &options, pool));
    text_printf(&text, driver, n, BATCH * arch->classes);
    write_text(FOLDER "arm.c", text.data);
    float *images = pool_alloc(pool, (size_t)n * sizeof *images);
    Random random = random_stream(4, "arm", 0, 0);
    for (int i = 0; i < n; i++)
        images[i] = (float)random_normal(&random);
    if (!file_write(FOLDER "arm.in", images, (size_t)n * sizeof *images, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    pool_free(pool);
}

static size_t read_floats(const char *path, float *values)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t n = fread(values, sizeof *values, MOST_FLOATS, file);
    fclose(file);
    return n;
}

static void check_net(const NetText *net, const char *emulator)
{
    static float here[MOST_FLOATS], there[MOST_FLOATS];
    write_program(net);
    run_silent("gcc -std=c11 -O1 -o " FOLDER "arm-here " FOLDER "arm.c -lm && " FOLDER
               "arm-here <" FOLDER "arm.in >" FOLDER "arm.here");
    run_silent(FOREIGN_CC " -std=c11 -Wall -Wextra -Wpedantic -O1 -static -o " FOLDER
                          "arm-there " FOLDER "arm.c -lm && %s " FOLDER "arm-there <" FOLDER
                          "arm.in >" FOLDER "arm.there",
               emulator);
    const size_t n = read_floats(FOLDER "arm.here", here);
    assert_in_range(n, 100, MOST_FLOATS - 1);
    assert_int_equal(read_floats(FOLDER "arm.there", there), n);
    for (size_t i = 0; i < n; i++)
        if (!(fabsf(here[i] - there[i]) <= 2e-4f * fmaxf(1, fabsf(here[i]))))
            fail_msg("%s: number %zu of %zu is %.9g, %.9g here", net->name, i, n, (double)there[i],
                     (double)here[i]);
}

static void test_files(void **state)
{
    static const NetText *const nets[] = {&net_hand, &net_depthwise};
    const char *emulator = foreign_emulator();
    (void)state;
    if (!emulator || !is_installed(FOREIGN_CC)) {
        print_message("skipped: qemu-aarch64 or " FOREIGN_CC " is not here\n");
        skip();
    }
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        check_net(nets[i], emulator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_files)};
    return cmocka_run_group_tests_name("arm", tests, NULL, NULL);
}
