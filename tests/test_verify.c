// test_verify.c - the eleven oracle folders against the reference; folders of a user's own and what
// may be wrong with them; and the comparison: that it accepts up to its tolerances and not beyond.
#include "reference_nets.h"

#include "../runtime/verify.h"

#include <stdio.h>
#include <sys/stat.h>

#define SCRATCH "build/tmp/verify"

// ---- oracle folders -----------------------------------------------------------------------------

static const char *const oracle_names[] = {
    "all-ops",    "attention",  "batch1",       "concat",     "concat-pools", "depthwise",
    "large-stem", "late-input", "many-outputs", "mixed-14px", "sum-conv3x3",
};

static const char *shared_folder(void)
{
    const char *folder = getenv("NAGO_SHARED");
    return folder ? folder : "../shared";
}

static void check_oracle(const char *folder)
{
    Err err = {0};
    OracleCase *oracle = oracle_open(folder, &err);
    if (!oracle)
        fail_msg("%s", err.message);
    VerifyResult *result = verify_result_open(oracle);
    verify_reference(oracle, result);
    VerifyReport report = verify_compare(result, VERIFY_DOUBLE);
    Text text = {0};
    verify_print(&report, &text);
    for (int q = 0; q < VERIFY_QUANTITIES; q++)
        if (!report.passed || !report.lines[q].is_present)
            fail_msg("%s:\n%s", folder, text.data);
    text_free(&text);
    verify_result_close(result);
    oracle_close(oracle);
}

static void test_oracle_folders(void **state)
{
    (void)state;
    char folder[4096];
    struct stat info;
    snprintf(folder, sizeof folder, "%s/oracle", shared_folder());
    if (stat(folder, &info) != 0) {
        print_message("skipped: %s is not here\n", shared_folder());
        skip();
    }
    for (size_t i = 0; i < COUNT_OF(oracle_names); i++) {
        snprintf(folder, sizeof folder, "%s/oracle/%s", shared_folder(), oracle_names[i]);
        check_oracle(folder);
    }
}

// ---- a folder of our own ------------------------------------------------------------------------

enum { MAX_STORED = 512 };

// What goes into a safetensors file: its list may be tampered with before it is written.
typedef struct {
    Pool *pool;
    StoredTensor list[MAX_STORED];
    int n;
} Stored;

static void stored_add(Stored *stored, const char *prefix, const char *name, int rank,
                       const int *shape, const double *values)
{
    StoredTensor *tensor = &stored->list[stored->n++];
    assert_true(stored->n <= MAX_STORED);
    *tensor = (StoredTensor){.name = pool_printf(stored->pool, "%s%s", prefix, name),
                             .dtype = DTYPE_F64,
                             .rank = rank,
                             .count = 1};
    for (int i = 0; i < rank; i++)
        tensor->count *= tensor->shape[i] = shape[i];
    double *copy = pool_alloc(stored->pool, (size_t)tensor->count * sizeof *copy);
    memcpy(copy, values, (size_t)tensor->count * sizeof *copy);
    tensor->data = copy;
}

static void stored_add_all(Stored *stored, const char *prefix, Reference *reference)
{
    bool is_grad = !strcmp(prefix, "grad.");
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        const ReferenceTensor *tensor = reference_tensor(reference, i);
        if (!is_grad || tensor->grad)
            stored_add(stored, prefix, tensor->name, tensor->rank, tensor->shape,
                       is_grad ? tensor->grad : tensor->values);
    }
}

static StoredTensor *stored_find(Stored *stored, const char *name)
{
    for (int i = 0; i < stored->n; i++)
        if (!strcmp(stored->list[i].name, name))
            return &stored->list[i];
    fail_msg("no tensor %s", name);
    return NULL;
}

static void stored_write(Stored *stored, const char *path)
{
    Err err = {0};
    TensorFile file = {.n_tensors = stored->n, .tensors = stored->list};
    if (!tensors_write(path, &file, &err))
        fail_msg("%s", err.message);
}

typedef struct {
    Pool *pool;
    Stored weights, expected;
} Folder;

static void folder_write(Folder *folder)
{
    Err err = {0};
    assert_true(folder_make(SCRATCH "/own", &err));
    assert_true(
        file_write(SCRATCH "/own/arch.json", net_depthwise.text, strlen(net_depthwise.text), &err));
    stored_write(&folder->weights, SCRATCH "/own/weights.safetensors");
    stored_write(&folder->expected, SCRATCH "/own/expected.safetensors");
}

// Weights, results and two steps of the depthwise network, as a user's port would write them.
static Folder *folder_new(void)
{
    Fixture f = fixture_open(&net_depthwise);
    Pool *pool = pool_new();
    Folder *folder = pool_alloc(pool, sizeof *folder);
    folder->pool = folder->weights.pool = folder->expected.pool = pool;
    f.batch.labels = f.labels;
    int x[4] = {3, 3, 8, 8}, logits[2] = {3, 3}, three = 3, one = 1;
    double values[9], labels[3] = {1, 0, 1};
    stored_add_all(&folder->weights, "", f.reference);
    stored_add(&folder->expected, "", "x", 4, x, f.images);
    stored_add(&folder->expected, "", "y", 1, &three, labels);
    reference_infer(f.reference, f.images, 3, values);
    stored_add(&folder->expected, "", "eval_logits", 2, logits, values);
    double loss = reference_gradients(f.reference, &f.batch, values);
    stored_add(&folder->expected, "", "train_logits", 2, logits, values);
    stored_add(&folder->expected, "", "loss1", 0, NULL, &loss); // PyTorch's [] for a scalar
    stored_add_all(&folder->expected, "grad.", f.reference);
    reference_update(f.reference, 1e-3, 0.9, 1e-4);
    loss = reference_gradients(f.reference, &f.batch, NULL);
    stored_add(&folder->expected, "", "loss2", 1, &one, &loss);
    reference_update(f.reference, 1e-3, 0.9, 1e-4);
    stored_add_all(&folder->expected, "after2.", f.reference);
    fixture_close(&f);
    return folder;
}

static void test_own_folder(void **state)
{
    (void)state;
    Folder *folder = folder_new();
    folder_write(folder);
    check_oracle(SCRATCH "/own");
    check_oracle(SCRATCH "/own/");
    pool_free(folder->pool);
}

// Writes the folder, which must be refused with a message that contains `want` and names the file.
static void assert_refused(Folder *folder, const char *file, const char *want)
{
    Err err = {0};
    folder_write(folder);
    OracleCase *oracle = oracle_open(SCRATCH "/own", &err);
    if (oracle || !strstr(err.message, want) || !strstr(err.message, file))
        fail_msg("got \"%s\", expected \"%s\" about %s", err.message, want, file);
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
}

static const char weights_file[] = SCRATCH "/own/weights.safetensors: error: ";
static const char expected_file[] = SCRATCH "/own/expected.safetensors: error: ";

static void test_missing_tensors(void **state)
{
    (void)state;
    const char *const names[] = {
        "x", "y", "eval_logits", "loss2", "grad.fc.bias", "after2.first_conv.1.running_var"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Folder *folder = folder_new();
        *stored_find(&folder->expected, names[i]) = folder->expected.list[--folder->expected.n];
        Text want = {0};
        text_printf(&want, "tensor \"%s\" is missing; the network has it with shape [", names[i]);
        assert_refused(folder, expected_file, want.data);
        text_free(&want);
        pool_free(folder->pool);
    }
}

static void test_other_names(void **state)
{
    (void)state;
    Folder *folder = folder_new();
    stored_find(&folder->weights, "fc.bias")->name = "module.fc.bias";
    assert_refused(folder, weights_file,
                   "tensor \"fc.bias\" is missing; the network has it with shape [3] (the file has "
                   "\"module.fc.bias\", which the network has not)");
    pool_free(folder->pool);
    folder = folder_new();
    stored_add(&folder->weights, "", "fc.scale", 1, &(int){1}, &(double){1});
    assert_refused(folder, weights_file, "tensor \"fc.scale\" is not one of the network");
    pool_free(folder->pool);
    folder = folder_new();
    stored_add(&folder->expected, "grad.", "first_conv.1.running_mean", 1, &(int){1}, &(double){1});
    assert_refused(folder, expected_file,
                   "tensor \"grad.first_conv.1.running_mean\" is not one of the network");
    pool_free(folder->pool);
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    Folder *folder = folder_new();
    StoredTensor *weight = stored_find(&folder->weights, "fc.weight");
    weight->shape[0] = 1280;
    weight->shape[1] = 3;
    assert_refused(folder, weights_file,
                   "tensor \"fc.weight\" has shape [1280,3]; the network wants [3,1280]");
    pool_free(folder->pool);
    folder = folder_new();
    stored_find(&folder->expected, "y")->shape[0] = 2;
    stored_find(&folder->expected, "y")->count = 2;
    assert_refused(folder, expected_file, "tensor \"y\" has shape [2]; the network wants [3]");
    pool_free(folder->pool);
}

static void test_wrong_values(void **state)
{
    (void)state;
    Folder *folder = folder_new();
    ((double *)stored_find(&folder->weights, "fc.weight")->data)[5] = NAN;
    assert_refused(folder, weights_file, "tensor \"fc.weight\" holds nan at element 5");
    pool_free(folder->pool);
    const double labels[] = {3, -1, 0.5};
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        folder = folder_new();
        ((double *)stored_find(&folder->expected, "y")->data)[2] = labels[i];
        Text want = {0};
        text_printf(&want, "label %g at element 2 of \"y\"", labels[i]);
        assert_refused(folder, expected_file, want.data);
        text_free(&want);
        pool_free(folder->pool);
    }
}

static void test_counters_are_optional(void **state)
{
    (void)state;
    Folder *folder = folder_new();
    Stored *lists[] = {&folder->weights, &folder->expected};
    for (size_t k = 0; k < 2; k++)
        for (int i = lists[k]->n - 1; i >= 0; i--)
            if (strstr(lists[k]->list[i].name, "num_batches_tracked"))
                lists[k]->list[i] = lists[k]->list[--lists[k]->n];
    folder_write(folder);
    check_oracle(SCRATCH "/own");
    pool_free(folder->pool);
}

static void test_missing_files(void **state)
{
    (void)state;
    const char *const files[] = {"arch.json", "weights.safetensors", "expected.safetensors"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        Err err = {0};
        char path[256];
        Folder *folder = folder_new();
        folder_write(folder);
        snprintf(path, sizeof path, SCRATCH "/own/%s", files[i]);
        assert_int_equal(remove(path), 0);
        assert_null(oracle_open(SCRATCH "/own", &err));
        assert_non_null(strstr(err.message, path));
        assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
        pool_free(folder->pool);
    }
}

// ---- judging ------------------------------------------------------------------------------------

typedef struct {
    OracleCase *oracle;
    VerifyResult *result;
} Judged;

static Judged judged_open(void)
{
    Err err = {0};
    Folder *folder = folder_new();
    folder_write(folder);
    pool_free(folder->pool);
    Judged judged = {.oracle = oracle_open(SCRATCH "/own", &err)};
    if (!judged.oracle)
        fail_msg("%s", err.message);
    judged.result = verify_result_open(judged.oracle);
    verify_reference(judged.oracle, judged.result);
    return judged;
}

static void judged_close(Judged *judged)
{
    verify_result_close(judged->result);
    oracle_close(judged->oracle);
}

static int tensor_index(const OracleCase *oracle, const char *name)
{
    for (int i = 0; i < oracle->n_tensors; i++)
        if (!strcmp(oracle->tensors[i].name, name))
            return i;
    fail_msg("no tensor %s", name);
    return -1;
}

static double *judged_values(Judged *judged, const char *name)
{
    int index = tensor_index(judged->oracle, name);
    return verify_slot(judged->result, "", name, judged->oracle->tensors[index].count);
}

// Moves one element by `error` and expects the verdict, the place and the ratio; then moves it
// back.
static void check_verdict(Judged *judged, VerifyRule rule, VerifyQuantity quantity,
                          const char *name, size_t element, double error, double ratio)
{
    double *value = &judged_values(judged, name)[element], saved = *value;
    *value += error;
    VerifyReport report = verify_compare(judged->result, rule);
    const VerifyLine *line = &report.lines[quantity];
    assert_string_equal(line->tensor, name);
    assert_int_equal(line->element, element);
    assert_close(line->ratio, ratio, 1e-4 * ratio);
    assert_int_equal(line->passed, ratio <= 1);
    assert_int_equal(report.passed, ratio <= 1);
    *value = saved;
    for (int q = 0; q < VERIFY_QUANTITIES; q++)
        if (q != (int)quantity)
            assert_true(report.lines[q].passed);
}

// The tolerance of each rule is met from both sides.
static void test_value_tolerances(void **state)
{
    (void)state;
    Judged judged = judged_open();
    const double relative[] = {
        [VERIFY_DOUBLE] = 1e-7, [VERIFY_SINGLE] = 1e-4, [VERIFY_WINOGRAD] = 2e-3};
    const struct {
        const char *name;
        VerifyQuantity quantity;
        size_t element;
    } places[] = {
        {"eval_logits", VERIFY_EVAL_LOGITS, 4},
        {"train_logits", VERIFY_TRAIN_LOGITS, 0},
        {"loss1", VERIFY_LOSS1, 0},
        {"loss2", VERIFY_LOSS2, 0},
        {"after2.fc.weight", VERIFY_AFTER2, 1000},
        {"after2.first_conv.1.running_var", VERIFY_AFTER2, 1},
    };
    for (size_t i = 0; i < COUNT_OF(places); i++)
        for (VerifyRule rule = VERIFY_DOUBLE; rule <= VERIFY_WINOGRAD; rule++) {
            double v = judged_values(&judged, places[i].name)[places[i].element];
            double tolerance = relative[rule] * fmax(1, fabs(v));
            check_verdict(&judged, rule, places[i].quantity, places[i].name, places[i].element,
                          0.98 * tolerance, 0.98);
            check_verdict(&judged, rule, places[i].quantity, places[i].name, places[i].element,
                          -1.02 * tolerance, 1.02);
        }
    judged_close(&judged);
}

static double largest_of(const double *values, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(values[i]));
    return largest;
}

static void test_gradient_tolerances(void **state)
{
    (void)state;
    Judged judged = judged_open();
    double largest = 0;
    for (int i = 0; i < judged.oracle->n_tensors; i++)
        if (judged.oracle->tensors[i].quantity == VERIFY_GRADIENTS)
            largest = fmax(largest, largest_of(judged.oracle->tensors[i].expected,
                                               judged.oracle->tensors[i].count));
    // The bias of a convolution before BN has a gradient of rounding noise: the floor decides.
    const char *names[] = {"grad.fc.bias", "grad.first_conv.0.bias"};
    for (int k = 0; k < 2; k++) {
        int at = tensor_index(judged.oracle, names[k]);
        const OracleTensor *tensor = &judged.oracle->tensors[at];
        double own = largest_of(tensor->expected, tensor->count);
        assert_int_equal(own < 1e-3 * largest, k);
        double exact = 1e-7 * fmax(own, 1e-3 * largest), single = 5e-3 * fmax(own, 0.05 * largest);
        check_verdict(&judged, VERIFY_DOUBLE, VERIFY_GRADIENTS, names[k], 1, 0.98 * exact, 0.98);
        check_verdict(&judged, VERIFY_DOUBLE, VERIFY_GRADIENTS, names[k], 1, 1.02 * exact, 1.02);
        check_verdict(&judged, VERIFY_SINGLE, VERIFY_GRADIENTS, names[k], 1, 0.98 * single, 0.98);
        check_verdict(&judged, VERIFY_SINGLE, VERIFY_GRADIENTS, names[k], 1, 1.02 * single, 1.02);
    }
    judged_close(&judged);
}

static void test_gradients_together(void **state)
{
    (void)state;
    Judged judged = judged_open();
    double squares = 0;
    for (int i = 0; i < judged.oracle->n_tensors; i++) {
        const OracleTensor *tensor = &judged.oracle->tensors[i];
        for (size_t j = 0; tensor->quantity == VERIFY_GRADIENTS && j < tensor->count; j++)
            squares += tensor->expected[j] * tensor->expected[j];
    }
    double *value = judged_values(&judged, "grad.fc.bias"), saved = *value;
    for (int side = 0; side < 2; side++) {
        double ratio = side ? 1.02 : 0.98;
        *value = saved + ratio * 5e-2 * sqrt(squares);
        VerifyReport report = verify_compare(judged.result, VERIFY_WINOGRAD);
        const VerifyLine *line = &report.lines[VERIFY_GRADIENTS];
        assert_close(line->ratio, ratio, 1e-6);
        assert_close(line->error, ratio * 5e-2, 1e-6);
        assert_string_equal(line->tensor, "grad.fc.bias");
        assert_int_equal(report.passed, !side);
    }
    judged_close(&judged);
}

static void test_not_finite(void **state)
{
    (void)state;
    Judged judged = judged_open();
    const char *names[] = {"eval_logits", "grad.fc.bias", "after2.fc.bias", "loss2"};
    const double wrong[] = {NAN, INFINITY};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        for (size_t k = 0; k < 2; k++)
            for (VerifyRule rule = VERIFY_DOUBLE; rule <= VERIFY_WINOGRAD; rule++) {
                double *value = judged_values(&judged, names[i]), saved = *value;
                *value = wrong[k];
                assert_false(verify_compare(judged.result, rule).passed);
                *value = saved;
                assert_true(verify_compare(judged.result, rule).passed);
            }
    judged_close(&judged);
}

static void drop(Judged *judged, const char *name)
{
    int at = tensor_index(judged->oracle, name);
    free(judged->result->actual[at]);
    judged->result->actual[at] = NULL;
}

static void test_absent_quantities(void **state)
{
    (void)state;
    Judged judged = judged_open();
    drop(&judged, "after2.first_conv.1.num_batches_tracked"); // engines need not count
    drop(&judged, "loss2");
    VerifyReport report = verify_compare(judged.result, VERIFY_DOUBLE);
    assert_true(report.passed);
    assert_false(report.lines[VERIFY_LOSS2].is_present);
    drop(&judged, "grad.fc.bias"); // but part of a quantity is a mistake
    for (VerifyRule rule = VERIFY_DOUBLE; rule <= VERIFY_WINOGRAD; rule++) {
        report = verify_compare(judged.result, rule);
        assert_false(report.passed);
        assert_true(report.lines[VERIFY_GRADIENTS].is_missing);
        assert_string_equal(report.lines[VERIFY_GRADIENTS].tensor, "grad.fc.bias");
    }
    Text text = {0};
    verify_print(&report, &text);
    assert_non_null(strstr(text.data, "grad         FAIL  grad.fc.bias was not computed\n"));
    assert_non_null(strstr(text.data, "loss2        -\n"));
    text_free(&text);
    judged_close(&judged);
}

static void test_nothing_computed(void **state)
{
    (void)state;
    Judged judged = judged_open();
    VerifyResult *empty = verify_result_open(judged.oracle);
    assert_false(verify_compare(empty, VERIFY_WINOGRAD).passed);
    float logits[9];
    for (int i = 0; i < 9; i++)
        logits[i] = (float)judged_values(&judged, "eval_logits")[i];
    verify_put(empty, "", "eval_logits", logits, 9);
    assert_true(verify_compare(empty, VERIFY_SINGLE).passed);
    assert_false(verify_compare(empty, VERIFY_DOUBLE).lines[VERIFY_LOSS1].is_present);
    verify_result_close(empty);
    judged_close(&judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle_folders),        cmocka_unit_test(test_own_folder),
        cmocka_unit_test(test_missing_tensors),       cmocka_unit_test(test_other_names),
        cmocka_unit_test(test_wrong_shapes),          cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_counters_are_optional), cmocka_unit_test(test_missing_files),
        cmocka_unit_test(test_value_tolerances),      cmocka_unit_test(test_gradient_tolerances),
        cmocka_unit_test(test_gradients_together),    cmocka_unit_test(test_not_finite),
        cmocka_unit_test(test_absent_quantities),     cmocka_unit_test(test_nothing_computed),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
