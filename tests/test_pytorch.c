// test_pytorch.c - the PyTorch module that nagoc writes: its text; and, where torch is installed,
// its numbers against the oracle (pytorch_check.py), its program, and weights that travel there and
// back.
#define _GNU_SOURCE
#include "../compiler/emit.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SCRATCH "build/tmp/pytorch"

static const char *const oracle_names[] = {
    "all-ops",    "attention",  "batch1",       "concat",     "concat-pools", "depthwise",
    "large-stem", "late-input", "many-outputs", "mixed-14px", "sum-conv3x3",
};
static char python[1024]; // "" where torch is not installed

static const char *shared_folder(void)
{
    const char *folder = getenv("NAGO_SHARED");
    return folder ? folder : "../shared";
}

// Ends the test as skipped where torch or, if asked for, the oracle is not here.
static void need_torch(bool oracle)
{
    struct stat info;
    if (!python[0]) {
        print_message("skipped: torch is not installed\n");
        skip();
    }
    if (oracle && stat(shared_folder(), &info) != 0) {
        print_message("skipped: %s is not here\n", shared_folder());
        skip();
    }
}

// Runs a command; its output (stdout and stderr) lives in the pool.
static const char *run(const char *command, int *status, Pool *pool)
{
    Text text = {0};
    char line[4096];
    FILE *pipe = popen(pool_printf(pool, "%s 2>&1", command), "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe))
        text_puts(&text, line);
    *status = pclose(pipe);
    const char *output = pool_strdup(pool, text.data ? text.data : "");
    text_free(&text);
    return output;
}

static void run_well(const char *command, Pool *pool)
{
    int status;
    const char *output = run(command, &status, pool);
    if (status != 0)
        fail_msg("%s: status %d\n%s", command, status, output);
}

static void load(const char *path, Arch *arch, Pool *pool)
{
    Err err = {0};
    if (!arch_load(path, false, 0, arch, pool, &err))
        fail_msg("%s", err.message);
}

static void write_module(const Arch *arch, const char *path)
{
    Err err = {0};
    Text text = {0};
    assert_true(emit_pytorch(arch, &text, &err));
    if (!file_write(path, text.data, text.length, &err))
        fail_msg("%s", err.message);
    text_free(&text);
}

// ---- the text -----------------------------------------------------------------------------------

static void test_text_holds_the_architecture(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    Arch arch;
    Text text = {0}, printed = {0}, again = {0};
    load("examples/theta.json", &arch, pool);
    assert_true(emit_pytorch(&arch, &text, &err));
    assert_true(emit_pytorch(&arch, &again, &err));
    assert_string_equal(text.data, again.data);
    arch_print(&arch, &printed);
    const char *literal = strstr(text.data, "\nARCH = {\n");
    assert_non_null(literal);
    assert_memory_equal(literal + strlen("\nARCH = "), printed.data, printed.length);
    assert_null(strstr(text.data, "ARCH = {}"));
    text_free(&text);
    text_free(&printed);
    text_free(&again);
    pool_free(pool);
}

static void test_text_is_python(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Arch arch;
    int status;
    run("python3 --version", &status, pool);
    if (status != 0) {
        print_message("skipped: python3 is not installed\n");
        pool_free(pool);
        skip();
    }
    load("examples/theta.json", &arch, pool);
    write_module(&arch, SCRATCH "/theta.py");
    run_well("python3 -c 'import ast; ast.parse(open(\"" SCRATCH "/theta.py\").read())'", pool);
    pool_free(pool);
}

// ---- numbers ------------------------------------------------------------------------------------

static void test_oracle(void **state)
{
    (void)state;
    need_torch(true);
    Pool *pool = pool_new();
    Text command = {0};
    text_printf(&command, "%s -B tests/pytorch_check.py %s", python, SCRATCH);
    for (size_t i = 0; i < COUNT_OF(oracle_names); i++) {
        const char *folder = pool_printf(pool, "%s/oracle/%s", shared_folder(), oracle_names[i]);
        Arch arch;
        load(pool_printf(pool, "%s/arch.json", folder), &arch, pool);
        write_module(&arch, pool_printf(pool, SCRATCH "/%s.py", oracle_names[i]));
        text_printf(&command, " %s", folder);
    }
    run_well(command.data, pool);
    text_free(&command);
    pool_free(pool);
}

// The program prints the logits of a file's images, a line each, as a generated C program does.
static void test_program_prints_logits(void **state)
{
    (void)state;
    need_torch(true);
    Pool *pool = pool_new();
    Err err = {0};
    Arch arch;
    TensorFile expected;
    int status;
    const char *folder = pool_printf(pool, "%s/oracle/attention", shared_folder());
    const char *path = pool_printf(pool, "%s/expected.safetensors", folder);
    load(pool_printf(pool, "%s/arch.json", folder), &arch, pool);
    write_module(&arch, SCRATCH "/logits.py");
    assert_true(tensors_read(path, &expected, pool, &err));
    const char *output =
        run(pool_printf(pool, "%s %s/logits.py --weights %s/weights.safetensors --input %s", python,
                        SCRATCH, folder, path),
            &status, pool);
    assert_int_equal(status, 0);
    const StoredTensor *logits = tensors_find(&expected, "eval_logits");
    assert_non_null(logits);
    char *at = (char *)output;
    for (int64_t i = 0; i < logits->count; i++) {
        const double wanted = tensor_value(logits, i), got = strtod(at, &at);
        assert_true(fabs(got - wanted) <= 1e-4 * fmax(1.0, fabs(wanted)));
    }
    assert_non_null(strstr(at, "accuracy "));
    pool_free(pool);
}

static void test_program_refuses(void **state)
{
    (void)state;
    need_torch(false);
    Pool *pool = pool_new();
    Arch arch;
    int status;
    load("examples/theta.json", &arch, pool);
    write_module(&arch, SCRATCH "/refuses.py");
    const char *output =
        run(pool_printf(pool, "%s %s/refuses.py --weights none.safetensors", python, SCRATCH),
            &status, pool);
    assert_int_not_equal(status, 0);
    assert_non_null(strstr(output, "none.safetensors"));
    assert_null(strstr(output, "Traceback"));
    pool_free(pool);
}

// Weights that nagoc makes, read and written by the module, are the same tensors under the same
// names.
static void test_weights_travel(void **state)
{
    (void)state;
    need_torch(false);
    Pool *pool = pool_new();
    Err err = {0};
    Arch arch;
    Text weights = {0};
    TensorFile there, back;
    load("examples/theta.json", &arch, pool);
    write_module(&arch, SCRATCH "/travel.py");
    assert_true(emit_weights(&arch, 3, &weights, &err));
    assert_true(file_write(SCRATCH "/there.safetensors", weights.data, weights.length, &err));
    run_well(pool_printf(pool,
                         "cd %s && %s -B -c 'import travel; m = travel.Net(); "
                         "meta = travel.load_weights(m, \"there.safetensors\"); "
                         "travel.save_weights(m, \"back.safetensors\", meta)'",
                         SCRATCH, python),
             pool);
    assert_true(tensors_read(SCRATCH "/there.safetensors", &there, pool, &err));
    assert_true(tensors_read(SCRATCH "/back.safetensors", &back, pool, &err));
    assert_int_equal(there.n_tensors, back.n_tensors);
    for (int i = 0; i < there.n_tensors; i++) {
        const StoredTensor *a = &there.tensors[i], *b = &back.tensors[i];
        assert_string_equal(a->name, b->name);
        assert_int_equal(a->rank, b->rank);
        assert_memory_equal(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
        for (int64_t k = 0; k < a->count; k++)
            assert_true(tensor_value(a, k) == tensor_value(b, k));
    }
    assert_string_equal(tensors_metadata(&there, "nago.arch"),
                        tensors_metadata(&back, "nago.arch"));
    text_free(&weights);
    pool_free(pool);
}

// ---- main ---------------------------------------------------------------------------------------

static int find_torch(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    int status;
    run("mkdir -p " SCRATCH, &status, pool);
    const char *found = run("tests/bench/find-torch", &status, pool);
    if (status == 0)
        snprintf(python, sizeof python, "%.*s", (int)strcspn(found, "\n"), found);
    pool_free(pool);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_holds_the_architecture),
        cmocka_unit_test(test_text_is_python),
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_program_prints_logits),
        cmocka_unit_test(test_program_refuses),
        cmocka_unit_test(test_weights_travel),
    };
    return cmocka_run_group_tests_name("pytorch", tests, find_torch, NULL);
}
