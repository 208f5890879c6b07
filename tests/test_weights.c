// Tests of runtime/weights.c: initial values, files, and every way in which a file can be wrong.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../runtime/weights.h"

// A net of three tensors and one batch normalisation, made by hand.
enum { CONV = 60 * 50 * 9, LINEAR = 4 * 60, PARAMS = CONV + 60 + LINEAR + 4, RUNNING = 120 };
static const NetTensor param_table[] = {
    {"conv.weight", 4, {60, 50, 3, 3}, 0, CONV, INIT_HE_FAN_OUT, 60 * 9},
    {"conv.bias", 1, {60}, CONV, 60, INIT_UNIFORM_FAN_IN, 50 * 9},
    {"fc.weight", 2, {4, 60}, CONV + 60, LINEAR, INIT_UNIFORM_FAN_IN, 60},
    {"scale.mean", 1, {4}, CONV + 60 + LINEAR, 4, INIT_ONE, 0},
};
static const NetTensor running_table[] = {
    {"bn.running_mean", 1, {60}, 0, 60, INIT_ZERO, 0},
    {"bn.running_var", 1, {60}, 60, 60, INIT_ONE, 0},
};
static const Net net = {.param_count = PARAMS,
                        .running_count = RUNNING,
                        .state_count = RUNNING + PARAMS,
                        .n_params = COUNT_OF(param_table),
                        .n_running = COUNT_OF(running_table),
                        .params = param_table,
                        .running = running_table};
static const char *const file_path = "build/tmp/weights/w.safetensors";

static int folder_setup(void **state)
{
    (void)state;
    Err err = {0};
    return folder_make("build/tmp/weights", &err) ? 0 : -1;
}

static double moment(const float *values, int count, int power)
{
    double sum = 0;
    for (int i = 0; i < count; i++)
        sum += pow((double)values[i], power);
    return sum / count;
}

// ---- initial values ----------------------------------------------------------------------------

static void test_init_distributions(void **state)
{
    (void)state;
    static float params[PARAMS], running[RUNNING];
    weights_init(&net, 7, params, running);
    double variance = 2.0 / (60 * 9);
    assert_true(fabs(moment(params, CONV, 1)) < 4 * sqrt(variance / CONV));
    assert_true(fabs(moment(params, CONV, 2) / variance - 1) < 0.05);
    assert_true(fabs(moment(params, CONV, 4) / (3 * variance * variance) - 1) < 0.1); // a normal
    double bound = 1 / sqrt(60.0);
    const float *linear = params + CONV + 60;
    for (int i = 0; i < LINEAR; i++)
        assert_true(fabs((double)linear[i]) <= bound);
    assert_true(fabs(moment(linear, LINEAR, 2) / (bound * bound / 3) - 1) < 0.25);
    for (int i = 0; i < 60; i++) {
        assert_true(fabs((double)params[CONV + i]) <= 1 / sqrt(450.0));
        assert_true(running[i] == 0 && running[60 + i] == 1);
    }
    for (int i = 0; i < 4; i++)
        assert_true(params[CONV + 60 + LINEAR + i] == 1);
}

static void test_init_streams(void **state)
{
    (void)state;
    static float first[PARAMS], again[PARAMS], other[PARAMS], running[RUNNING];
    weights_init(&net, 7, first, running);
    weights_init(&net, 7, again, running);
    weights_init(&net, 8, other, running);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, CONV * sizeof(float));
    // Without the first tensor the others are drawn as before.
    Net smaller = net;
    smaller.params = param_table + 1;
    smaller.n_params = 3;
    memset(again, 0, sizeof again);
    weights_init(&smaller, 7, again, running);
    assert_memory_equal(first + CONV, again + CONV, (PARAMS - CONV) * sizeof(float));
}

// ---- files -------------------------------------------------------------------------------------

static void test_save_and_load(void **state)
{
    (void)state;
    static float params[PARAMS], running[RUNNING], params2[PARAMS], running2[RUNNING];
    const char *const names[] = {"a \"quoted\" one", "b", "c", "d"};
    WeightsMeta meta = {.channels = 3,
                        .classes = 4,
                        .mean = {0.1f, 0.2f, 0.3333333f},
                        .deviation = {0.25f, 1e-3f, 0.7f},
                        .class_names = names,
                        .arch = "{\"format\": 1}\n",
                        .val_fraction = 0.1,
                        .seed = 9007199254740991u};
    Err err = {0};
    weights_init(&net, 3, params, running);
    assert_true(weights_save(file_path, &net, params, running, 123456789012, &meta, &err));

    Pool *pool = pool_new();
    TensorFile file;
    int64_t batches;
    bool has_mean;
    WeightsMeta back;
    assert_true(tensors_read(file_path, &file, pool, &err));
    assert_int_equal(file.n_tensors, 7);
    const StoredTensor *tracked = tensors_find(&file, "bn.num_batches_tracked");
    assert_non_null(tracked);
    assert_int_equal(tracked->dtype, DTYPE_I64);
    assert_true(tracked->rank == 1 && tracked->shape[0] == 1);
    assert_true(weights_load(file_path, &file, &net, params2, running2, &batches, &err));
    assert_memory_equal(params, params2, sizeof params);
    assert_memory_equal(running, running2, sizeof running);
    assert_int_equal(batches, 123456789012);
    assert_true(weights_meta_read(file_path, &file, 3, 4, &back, &has_mean, pool, &err));
    assert_true(has_mean);
    assert_memory_equal(back.mean, meta.mean, sizeof meta.mean);
    assert_memory_equal(back.deviation, meta.deviation, sizeof meta.deviation);
    for (int i = 0; i < 4; i++)
        assert_string_equal(back.class_names[i], names[i]);
    assert_string_equal(back.arch, meta.arch);
    assert_true(back.val_fraction == 0.1 && back.seed == 9007199254740991u);
    pool_free(pool);
}

// A file with the net's tensors, for a test to spoil.
typedef struct {
    float params[PARAMS], running[RUNNING];
    TensorFile file;
    Pool *pool;
} Draft;

static const int64_t no_batches = 0;

static Draft *draft_new(void)
{
    Draft *draft = xcalloc(1, sizeof *draft);
    draft->pool = pool_new();
    weights_init(&net, 1, draft->params, draft->running);
    int count;
    WeightsEntry *entries =
        weights_entries(&net, draft->params, draft->running, NULL, &count, draft->pool);
    weights_file(entries, count, &no_batches, NULL, &draft->file, draft->pool);
    return draft;
}

static StoredTensor *draft_tensor(Draft *draft, const char *name)
{
    for (int i = 0; i < draft->file.n_tensors; i++)
        if (strcmp(draft->file.tensors[i].name, name) == 0)
            return &draft->file.tensors[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void draft_remove(Draft *draft, const char *name)
{
    *draft_tensor(draft, name) = draft->file.tensors[--draft->file.n_tensors];
}

// Writes the draft, reads it back, loads it and frees it; returns the message, "" when it loads.
static const char *draft_message(Draft *draft)
{
    static Err err;
    static float params[PARAMS], running[RUNNING];
    TensorFile file;
    int64_t batches;
    err = (Err){0};
    assert_true(tensors_write(file_path, &draft->file, &err));
    assert_true(tensors_read(file_path, &file, draft->pool, &err));
    if (weights_load(file_path, &file, &net, params, running, &batches, &err))
        assert_string_equal(err.message, "");
    else
        assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    pool_free(draft->pool);
    free(draft);
    return err.message;
}

static void assert_contains(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part ? part : "", text ? text : "");
}

static void test_complete_file_loads(void **state)
{
    (void)state;
    assert_string_equal(draft_message(draft_new()), "");
    Draft *untracked = draft_new();
    draft_remove(untracked, "bn.num_batches_tracked");
    assert_string_equal(draft_message(untracked), "");
}

static void test_missing(void **state)
{
    (void)state;
    Draft *draft = draft_new();
    draft_remove(draft, "fc.weight");
    draft_remove(draft, "bn.running_var");
    const char *message = draft_message(draft);
    assert_contains(message, "w.safetensors: error: these are not the weights of this net: ");
    assert_contains(message, "2 tensors missing: fc.weight, bn.running_var");
}

static void test_unknown_with_hint(void **state)
{
    (void)state;
    Draft *draft = draft_new();
    draft_tensor(draft, "fc.weight")->name = "fc.weights";
    const char *message = draft_message(draft);
    assert_contains(message, "1 tensor missing: fc.weight;");
    assert_contains(message, "1 unknown: fc.weights (did you mean fc.weight?)");
}

static void test_long_lists_are_cut(void **state)
{
    (void)state;
    Draft *draft = draft_new();
    const char *names[] = {"conv.weight", "conv.bias",       "fc.weight",
                           "scale.mean",  "bn.running_mean", "bn.running_var"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        draft_tensor(draft, names[i])->name = pool_printf(draft->pool, "other.layer.%zu", i);
    const char *message = draft_message(draft);
    assert_contains(message, "6 tensors missing: conv.weight, conv.bias, fc.weight, scale.mean and "
                             "2 more");
    assert_contains(message, "6 unknown: other.layer.0, other.layer.1, other.layer.2, "
                             "other.layer.3 and 2 more");
}

static void test_shape(void **state)
{
    (void)state;
    Draft *draft = draft_new();
    StoredTensor *tensor = draft_tensor(draft, "fc.weight");
    tensor->shape[0] = 60;
    tensor->shape[1] = 4;
    assert_contains(draft_message(draft),
                    "1 of another shape: fc.weight is [60,4], the net wants [4,60]");
    draft = draft_new();
    draft_tensor(draft, "fc.weight")->rank = 1;
    draft_tensor(draft, "fc.weight")->shape[0] = LINEAR;
    assert_contains(draft_message(draft), "fc.weight is [240], the net wants [4,60]");
}

static void test_values(void **state)
{
    (void)state;
    Draft *draft = draft_new();
    draft->params[CONV + 3] = NAN;
    assert_contains(draft_message(draft), "tensor conv.bias holds nan at index 3");
    draft = draft_new();
    static int32_t whole[60];
    draft_tensor(draft, "conv.bias")->dtype = DTYPE_I32;
    draft_tensor(draft, "conv.bias")->data = whole;
    assert_contains(draft_message(draft), "tensor conv.bias holds whole numbers");
    draft = draft_new();
    static double doubles[60];
    draft_tensor(draft, "conv.bias")->dtype = DTYPE_F64;
    draft_tensor(draft, "conv.bias")->data = doubles;
    assert_string_equal(draft_message(draft), "");
}

// ---- metadata ----------------------------------------------------------------------------------

static bool meta_reads(const char *key, const char *value, Err *err)
{
    const char *keys[] = {"nago.mean", "nago.std", "nago.classes", "nago.val_fraction",
                          "nago.seed"};
    const char *values[] = {"0,0,0", "1,1,1", "[\"a\",\"b\"]", "0.5", "1"};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (strcmp(keys[i], key) == 0)
            values[i] = value;
    TensorFile file = {.n_metadata = COUNT_OF(keys), .keys = keys, .values = values};
    WeightsMeta meta;
    bool has_mean;
    Pool *pool = pool_new();
    bool ok = weights_meta_read("w.safetensors", &file, 3, 2, &meta, &has_mean, pool, err);
    pool_free(pool);
    return ok;
}

static void test_metadata_is_checked(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"nago.mean", "0,0"},           {"nago.mean", "0,0,0,0"}, {"nago.mean", "a,b,c"},
        {"nago.mean", "0,nan,0"},       {"nago.mean", ""},        {"nago.std", "1,0,1"},
        {"nago.std", "1,-1,1"},         {"nago.std", "inf,1,1"},  {"nago.classes", "[\"a\"]"},
        {"nago.classes", "[1,2]"},      {"nago.classes", "{}"},   {"nago.classes", "["},
        {"nago.val_fraction", "1"},     {"nago.seed", "x"},       {"nago.seed", ""},
        {"nago.val_fraction", "0.1 or"}};
    Err err = {0};
    assert_true(meta_reads("", "", &err));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        err = (Err){0};
        if (meta_reads(bad[i][0], bad[i][1], &err))
            fail_msg("%s = \"%s\" was accepted", bad[i][0], bad[i][1]);
        assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
        assert_contains(err.message, bad[i][0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_distributions),
        cmocka_unit_test(test_init_streams),
        cmocka_unit_test(test_save_and_load),
        cmocka_unit_test(test_complete_file_loads),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_unknown_with_hint),
        cmocka_unit_test(test_long_lists_are_cut),
        cmocka_unit_test(test_shape),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_metadata_is_checked),
    };
    return cmocka_run_group_tests(tests, folder_setup, NULL);
}
