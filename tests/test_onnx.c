// test_onnx.c - the ONNX model that nagoc writes: sound as a graph, the same bytes every time, its
// weights those of the file; and, where npm's onnxruntime-node is installed, its logits against the
// oracle and against the reference.
#define _GNU_SOURCE
#include "generated.h"

#include <onnx.pb-c.h>
#include <sys/stat.h>

#define SCRATCH "build/tmp/onnx"

static const NetText *const nets[] = {&net_mixed, &net_depthwise, &net_large, &net_tiny, &net_hand};
static const char *const oracle_names[] = {
    "all-ops",    "attention",  "batch1",       "concat",     "concat-pools", "depthwise",
    "large-stem", "late-input", "many-outputs", "mixed-14px", "sum-conv3x3",
};
static char package[300]; // onnxruntime-node; "" where it is not installed

static void need_onnxruntime(void)
{
    if (!package[0]) {
        print_message("skipped: onnxruntime-node is not here (make peers)\n");
        skip();
    }
}

static Text model_text(const Arch *arch, const TensorFile *weights, int batch)
{
    EmitOptions options = emit_defaults;
    Text text = {0};
    Err err = {0};
    options.weights = weights;
    options.batch = batch;
    if (!emit_onnx(arch, &options, &text, &err))
        fail_msg("%s", err.message);
    return text;
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
    Err err = {0};
    if (!folder_make(SCRATCH, &err) || !file_write(path, bytes, size, &err))
        fail_msg("%s", err.message);
}

// ---- the graph ----------------------------------------------------------------------------------

typedef struct {
    char **names;
    size_t n;
} Names;

static bool is_known(const Names *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (!strcmp(names->names[i], name))
            return true;
    return false;
}

static void add_name(Names *names, char *name)
{
    if (is_known(names, name))
        fail_msg("\"%s\" is made twice", name);
    names->names[names->n++] = name;
}

// Every node reads what was made before it; names are made once; the output is made.
static void assert_graph(const Onnx__GraphProto *g, Pool *pool)
{
    Names names = {pool_alloc(pool, (g->n_initializer + g->n_node + 1) * sizeof *names.names), 0};
    add_name(&names, g->input[0]->name);
    for (size_t i = 0; i < g->n_initializer; i++) {
        const Onnx__TensorProto *t = g->initializer[i];
        size_t count = 1;
        for (size_t d = 0; d < t->n_dims; d++)
            count *= (size_t)t->dims[d];
        assert_int_equal(t->data_type, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
        assert_int_equal(t->raw_data.len, count * sizeof(float));
        add_name(&names, t->name);
    }
    for (size_t i = 0; i < g->n_node; i++) {
        for (size_t j = 0; j < g->node[i]->n_input; j++)
            if (!is_known(&names, g->node[i]->input[j]))
                fail_msg("%s reads \"%s\" before it is made", g->node[i]->name,
                         g->node[i]->input[j]);
        add_name(&names, g->node[i]->output[0]);
    }
    assert_true(is_known(&names, g->output[0]->name));
}

static const Onnx__TensorProto *find_initializer(const Onnx__GraphProto *g, const char *name)
{
    for (size_t i = 0; i < g->n_initializer; i++)
        if (!strcmp(g->initializer[i]->name, name))
            return g->initializer[i];
    return NULL;
}

// All that is more than a merge's scalar stands in the model under its own name, in its own shape.
static void assert_weights(const Onnx__GraphProto *g, const TensorFile *weights)
{
    for (int i = 0; i < weights->n_tensors; i++) {
        const StoredTensor *want = &weights->tensors[i];
        const Onnx__TensorProto *have = find_initializer(g, want->name);
        if (!have && (want->dtype != DTYPE_F32 || strstr(want->name, "merger.")))
            continue;
        if (!have)
            fail_msg("the model has no \"%s\"", want->name);
        assert_int_equal(have->n_dims, want->rank);
        for (int d = 0; d < want->rank; d++)
            assert_int_equal(have->dims[d], want->shape[d]);
        assert_memory_equal(have->raw_data.data, want->data, have->raw_data.len);
    }
}

static void test_model_is_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        Pool *pool = pool_new();
        const Arch *arch = net_arch(nets[i], pool);
        const TensorFile *weights = net_weights(arch, 5, pool);
        Text text = model_text(arch, weights, 3), again = model_text(arch, weights, 3);
        assert_int_equal(text.length, again.length);
        assert_memory_equal(text.data, again.data, text.length);
        Onnx__ModelProto *model =
            onnx__model_proto__unpack(NULL, text.length, (const uint8_t *)text.data);
        assert_non_null(model);
        assert_int_equal(model->n_opset_import, 1);
        assert_true(model->opset_import[0]->version >= 13);
        const Onnx__TensorShapeProto *in = model->graph->input[0]->type->tensor_type->shape;
        assert_int_equal(in->n_dim, 4);
        assert_int_equal(in->dim[0]->dim_value, 3);
        assert_int_equal(in->dim[2]->dim_value, arch->height);
        assert_int_equal(in->dim[3]->dim_value, arch->width);
        assert_graph(model->graph, pool);
        assert_weights(model->graph, weights);
        onnx__model_proto__free_unpacked(model, NULL);
        text_free(&text);
        text_free(&again);
        pool_free(pool);
    }
}

static const char *metadata_of(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++)
        if (!strcmp(model->metadata_props[i]->key, key))
            return model->metadata_props[i]->value;
    return NULL;
}

// Mean, deviation and the architecture travel with the model.
static void test_metadata(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const Arch *arch = net_arch(&net_mixed, pool);
    Text text = model_text(arch, net_weights(arch, 5, pool), 1), printed = {0};
    Onnx__ModelProto *model =
        onnx__model_proto__unpack(NULL, text.length, (const uint8_t *)text.data);
    arch_print(arch, &printed);
    assert_string_equal(metadata_of(model, "nago.mean"), "0.5,0.25,0.125");
    assert_string_equal(metadata_of(model, "nago.std"), "0.5,0.25,2");
    assert_string_equal(metadata_of(model, "nago.arch"), printed.data);
    onnx__model_proto__free_unpacked(model, NULL);
    text_free(&text);
    text_free(&printed);
    pool_free(pool);
}

// Without weights the model has those that net_init makes for the seed.
static void test_initial_weights(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const Arch *arch = net_arch(&net_mixed, pool);
    EmitOptions options = emit_defaults;
    TensorFile weights;
    Text stored = {0}, text = {0};
    Err err = {0};
    options.seed = 7;
    assert_true(emit_weights(arch, 7, &stored, &err));
    assert_true(tensors_parse("weights", stored.data, stored.length, &weights, pool, &err));
    assert_true(emit_onnx(arch, &options, &text, &err));
    Onnx__ModelProto *model =
        onnx__model_proto__unpack(NULL, text.length, (const uint8_t *)text.data);
    assert_int_equal(model->graph->input[0]->type->tensor_type->shape->dim[0]->dim_value, 1);
    assert_weights(model->graph, &weights);
    onnx__model_proto__free_unpacked(model, NULL);
    text_free(&stored);
    text_free(&text);
    pool_free(pool);
}

static void test_foreign_weights(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    EmitOptions options = emit_defaults;
    Text text = {0};
    Err err = {0};
    options.weights = net_weights(net_arch(&net_tiny, pool), 5, pool);
    assert_false(emit_onnx(net_arch(&net_mixed, pool), &options, &text, &err));
    assert_non_null(strstr(err.message, "the weights"));
    assert_int_equal(text.length, 0);
    text_free(&text);
    pool_free(pool);
}

// ---- its numbers --------------------------------------------------------------------------------

// Writes model and images; adds them to the command that runs them.
static void add_run(Text *command, const char *name, const Arch *arch, const TensorFile *weights,
                    int batch, const double *images, int count, Pool *pool)
{
    const size_t n = (size_t)count * (size_t)(arch->channels * arch->height * arch->width);
    float *input = pool_alloc(pool, n * sizeof *input);
    Text model = model_text(arch, weights, batch);
    for (size_t i = 0; i < n; i++)
        input[i] = (float)images[i];
    write_bytes(pool_printf(pool, SCRATCH "/%s.onnx", name), model.data, model.length);
    write_bytes(pool_printf(pool, SCRATCH "/%s.images", name), input, n * sizeof *input);
    text_printf(command, " %s/%s.onnx %s/%s.images %s/%s.logits", SCRATCH, name, SCRATCH, name,
                SCRATCH, name);
    text_free(&model);
}

static void run_models(const Text *models)
{
    char printed[3000];
    char *command = NULL;
    assert_true(asprintf(&command, "node tests/onnx_run.js %s%s", package, models->data) > 0);
    write_bytes(SCRATCH "/run.sh", command, strlen(command));
    const int status = run_status(printed, sizeof printed, "sh %s/run.sh", SCRATCH);
    if (status != 0)
        fail_msg("status %d: %s", status, printed);
    free(command);
}

static void assert_logits(const char *name, const double *wanted, size_t count)
{
    char path[200];
    float value;
    snprintf(path, sizeof path, SCRATCH "/%s.logits", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fread(&value, sizeof value, 1, file), 1);
        if (!(fabs((double)value - wanted[i]) <= 1e-4 * fmax(1.0, fabs(wanted[i]))))
            fail_msg("%s: logit %zu is %.9g, expected %.9g", name, i, (double)value, wanted[i]);
    }
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
}

static double *values_of(const TensorFile *file, const char *name, size_t *count, Pool *pool)
{
    const StoredTensor *t = tensors_find(file, name);
    assert_non_null(t);
    double *values = pool_alloc(pool, (size_t)t->count * sizeof *values);
    for (int64_t i = 0; i < t->count; i++)
        values[i] = tensor_value(t, i);
    *count = (size_t)t->count;
    return values;
}

static void test_oracle(void **state)
{
    (void)state;
    const char *shared = getenv("NAGO_SHARED") ? getenv("NAGO_SHARED") : "../shared";
    struct stat info;
    need_onnxruntime();
    if (stat(shared, &info) != 0) {
        print_message("skipped: %s is not here\n", shared);
        skip();
    }
    Pool *pool = pool_new();
    Text models = {0};
    double *logits[COUNT_OF(oracle_names)];
    size_t counts[COUNT_OF(oracle_names)], n;
    for (size_t i = 0; i < COUNT_OF(oracle_names); i++) {
        const char *folder = pool_printf(pool, "%s/oracle/%s", shared, oracle_names[i]);
        Arch arch;
        TensorFile weights, expected;
        Err err = {0};
        if (!arch_load(pool_printf(pool, "%s/arch.json", folder), false, 0, &arch, pool, &err) ||
            !tensors_read(pool_printf(pool, "%s/weights.safetensors", folder), &weights, pool,
                          &err) ||
            !tensors_read(pool_printf(pool, "%s/expected.safetensors", folder), &expected, pool,
                          &err))
            fail_msg("%s", err.message);
        const double *images = values_of(&expected, "x", &n, pool);
        const int count = (int)tensors_find(&expected, "x")->shape[0];
        logits[i] = values_of(&expected, "eval_logits", &counts[i], pool);
        // all images in one run, or one by one
        add_run(&models, oracle_names[i], &arch, &weights, i % 2 ? 1 : count, images, count, pool);
    }
    run_models(&models);
    for (size_t i = 0; i < COUNT_OF(oracle_names); i++)
        assert_logits(oracle_names[i], logits[i], counts[i]);
    text_free(&models);
    pool_free(pool);
}

// Odd sizes, every op and merge, weights of all kinds away from their start.
static void test_reference(void **state)
{
    (void)state;
    enum { COUNT = 3 };
    need_onnxruntime();
    Pool *pool = pool_new();
    Text models = {0};
    double *logits[COUNT_OF(nets)];
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        const Arch *arch = net_arch(nets[i], pool);
        const TensorFile *weights = net_weights(arch, 5, pool);
        Reference *reference = reference_open(arch);
        Err err = {0};
        double *images =
            random_values((size_t)(COUNT * arch->channels * arch->height * arch->width), 11, 1.0);
        logits[i] = pool_alloc(pool, COUNT * (size_t)arch->classes * sizeof *logits[i]);
        if (!reference_load(reference, weights, "weights", &err))
            fail_msg("%s", err.message);
        reference_infer(reference, images, COUNT, logits[i]);
        add_run(&models, nets[i]->name, arch, weights, COUNT, images, COUNT, pool);
        reference_close(reference);
        free(images);
    }
    run_models(&models);
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        assert_logits(nets[i]->name, logits[i], COUNT * (size_t)net_arch(nets[i], pool)->classes);
    text_free(&models);
    pool_free(pool);
}

// ---- main ---------------------------------------------------------------------------------------

static int find_onnxruntime(void **state)
{
    (void)state;
    const char *const builds[] = {build_folder(), "build"};
    struct stat info;
    for (size_t i = 0; i < COUNT_OF(builds) && !package[0] && is_installed("node"); i++) {
        snprintf(package, sizeof package, "%s/peers/node/node_modules/onnxruntime-node", builds[i]);
        if (stat(package, &info) != 0)
            package[0] = 0;
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_is_sound),  cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_initial_weights), cmocka_unit_test(test_foreign_weights),
        cmocka_unit_test(test_oracle),          cmocka_unit_test(test_reference),
    };
    return cmocka_run_group_tests_name("onnx", tests, find_onnxruntime, NULL);
}
