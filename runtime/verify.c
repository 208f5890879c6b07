// verify.c - an engine's results against an oracle folder: files in, largest errors out.
//
// The network that arch.json describes says which tensors the two files must hold; the reference
// is asked for them, so that a folder is judged before any engine runs.  Tolerances:
// docs/semantics.md, 5.
#include "verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

const char *const verify_quantity_name[VERIFY_QUANTITIES] = {
    "eval_logits", "train_logits", "loss1", "grad", "loss2", "after2",
};

static const size_t ARCH_LIMIT = (size_t)64 << 20;
enum { BATCH_LIMIT = 1 << 16 };

// ---- reading a folder ---------------------------------------------------------------------------

// What a folder is read with; the list grows while the reference's tensors are met.
typedef struct {
    OracleCase *oracle;
    Reference *reference;
    TensorFile expected;
    const char *weights_path, *expected_path;
    OracleTensor *list;
    int n;
} Reader;

static double *stored_values(const StoredTensor *stored, Pool *pool)
{
    double *values = pool_alloc(pool, (size_t)stored->count * sizeof *values);
    for (int64_t i = 0; i < stored->count; i++)
        values[i] = tensor_value(stored, i);
    return values;
}

// The network's tensor that a name in a file stands for, or NULL: `prefix` is taken off first.
static const ReferenceTensor *tensor_of(Reference *reference, const char *name, const char *prefix,
                                        bool params_only)
{
    const ReferenceTensor *tensor = reference_find(reference, name + strlen(prefix));
    return tensor && params_only && tensor->kind != REFERENCE_PARAM ? NULL : tensor;
}

// The first tensor of the file that begins with `prefix` and that the network does not have.
static const char *unknown_name(Reference *reference, const TensorFile *file, const char *prefix,
                                bool params_only)
{
    for (int i = 0; i < file->n_tensors; i++) {
        const char *name = file->tensors[i].name;
        if (!strncmp(name, prefix, strlen(prefix)) &&
            !tensor_of(reference, name, prefix, params_only))
            return name;
    }
    return NULL;
}

// Puts the file's first unknown name behind a message about a missing tensor: most often it is the
// same tensor under another name.
static bool missing_with_hint(const char *unknown, Err *err)
{
    Err first = *err;
    if (!unknown)
        return false;
    return err_input(err, "%s (the file has \"%s\", which the network has not)", first.message,
                     unknown);
}

// Every tensor of the network must stand in `file` under prefix + name, and nothing else under
// prefix.
static bool check_tensors(Reader *reader, const TensorFile *file, const char *path,
                          const char *prefix, bool params_only, Err *err)
{
    const char *unknown = unknown_name(reader->reference, file, prefix, params_only);
    for (int i = 0; i < reference_tensor_count(reader->reference); i++) {
        const ReferenceTensor *tensor = reference_tensor(reader->reference, i);
        if (params_only && tensor->kind != REFERENCE_PARAM)
            continue;
        const char *name = pool_printf(reader->oracle->pool, "%s%s", prefix, tensor->name);
        const StoredTensor *stored = tensors_find(file, name);
        if (!stored && tensor->kind == REFERENCE_COUNTER)
            continue;
        if (!reference_check_stored(tensor, name, stored, path, err))
            return stored ? false : missing_with_hint(unknown, err);
    }
    if (unknown)
        return err_input(err,
                         "%s: error: tensor \"%s\" is not one of the network that arch.json "
                         "describes; names follow PyTorch's state_dict",
                         path, unknown);
    return true;
}

static void list_add(Reader *reader, const StoredTensor *stored, VerifyQuantity quantity,
                     bool is_optional)
{
    reader->list[reader->n++] =
        (OracleTensor){.name = stored->name,
                       .quantity = quantity,
                       .count = (size_t)stored->count,
                       .expected = stored_values(stored, reader->oracle->pool),
                       .is_optional = is_optional};
}

// The tensors of grad. or after2., which check_tensors has passed.
static void list_add_all(Reader *reader, const char *prefix, VerifyQuantity quantity)
{
    for (int i = 0; i < reader->expected.n_tensors; i++) {
        const StoredTensor *stored = &reader->expected.tensors[i];
        if (strncmp(stored->name, prefix, strlen(prefix)) != 0)
            continue;
        const ReferenceTensor *tensor = tensor_of(reader->reference, stored->name, prefix, false);
        list_add(reader, stored, quantity, tensor->kind == REFERENCE_COUNTER);
    }
}

// A tensor that is not the network's own: x, logits, losses.
static bool read_plain(const Reader *reader, const char *name, int rank, const int *shape,
                       const StoredTensor **stored, Err *err)
{
    ReferenceTensor want = {.rank = rank};
    for (int i = 0; i < rank; i++)
        want.shape[i] = shape[i];
    *stored = tensors_find(&reader->expected, name);
    return reference_check_stored(&want, name, *stored, reader->expected_path, err);
}

static bool read_output(Reader *reader, VerifyQuantity quantity, int rank, const int *shape,
                        Err *err)
{
    const StoredTensor *stored;
    if (!read_plain(reader, verify_quantity_name[quantity], rank, shape, &stored, err))
        return false;
    list_add(reader, stored, quantity, false);
    return true;
}

static bool read_labels(Reader *reader, Err *err)
{
    OracleCase *oracle = reader->oracle;
    const StoredTensor *y;
    if (!read_plain(reader, "y", 1, &oracle->batch, &y, err))
        return false;
    int *labels = pool_alloc(oracle->pool, (size_t)oracle->batch * sizeof *labels);
    for (int i = 0; i < oracle->batch; i++) {
        double label = tensor_value(y, i);
        if (!(label >= 0 && label < oracle->arch.classes && label == floor(label)))
            return err_input(
                err,
                "%s: error: label %g at element %d of \"y\"; labels are the numbers of "
                "classes, 0 to %d",
                reader->expected_path, label, i, oracle->arch.classes - 1);
        labels[i] = (int)label;
    }
    oracle->labels = labels;
    return true;
}

static bool read_images(Reader *reader, Err *err)
{
    OracleCase *oracle = reader->oracle;
    const StoredTensor *x = tensors_find(&reader->expected, "x");
    bool has_batch = x && x->rank > 0 && x->shape[0] >= 1;
    if (has_batch && x->shape[0] > BATCH_LIMIT)
        return err_input(err, "%s: error: \"x\" has %lld images; at most %d are read",
                         reader->expected_path, (long long)x->shape[0], BATCH_LIMIT);
    oracle->batch = has_batch ? (int)x->shape[0] : 1;
    int shape[4] = {oracle->batch, oracle->arch.channels, oracle->arch.height, oracle->arch.width};
    if (!read_plain(reader, "x", 4, shape, &x, err))
        return false;
    oracle->images = stored_values(x, oracle->pool);
    float *single = pool_alloc(oracle->pool, (size_t)x->count * sizeof *single);
    for (int64_t i = 0; i < x->count; i++)
        single[i] = (float)oracle->images[i];
    oracle->images_single = single;
    return true;
}

static bool read_expected(Reader *reader, Err *err)
{
    OracleCase *oracle = reader->oracle;
    const char *path = reader->expected_path;
    if (!tensors_read(path, &reader->expected, oracle->pool, err) || !read_images(reader, err) ||
        !read_labels(reader, err))
        return false;
    int logits[2] = {oracle->batch, oracle->arch.classes}, loss = 1;
    reader->list =
        pool_alloc(oracle->pool, (size_t)reader->expected.n_tensors * sizeof *reader->list);
    if (!read_output(reader, VERIFY_EVAL_LOGITS, 2, logits, err) ||
        !read_output(reader, VERIFY_TRAIN_LOGITS, 2, logits, err) ||
        !read_output(reader, VERIFY_LOSS1, 1, &loss, err) ||
        !read_output(reader, VERIFY_LOSS2, 1, &loss, err) ||
        !check_tensors(reader, &reader->expected, path, "grad.", true, err) ||
        !check_tensors(reader, &reader->expected, path, "after2.", false, err))
        return false;
    list_add_all(reader, "grad.", VERIFY_GRADIENTS);
    list_add_all(reader, "after2.", VERIFY_AFTER2);
    return true;
}

static int compare_tensor_names(const void *a, const void *b)
{
    return strcmp(((const OracleTensor *)a)->name, ((const OracleTensor *)b)->name);
}

static bool read_arch(OracleCase *oracle, Err *err)
{
    const char *path = pool_printf(oracle->pool, "%s/arch.json", oracle->folder);
    char *text;
    size_t size;
    if (!file_read(path, ARCH_LIMIT, &text, &size, err))
        return false;
    bool done = arch_parse(path, text, size, &oracle->arch, oracle->pool, err);
    free(text);
    return done;
}

static bool read_tensors(Reader *reader, Err *err)
{
    OracleCase *oracle = reader->oracle;
    reader->weights_path = pool_printf(oracle->pool, "%s/weights.safetensors", oracle->folder);
    reader->expected_path = pool_printf(oracle->pool, "%s/expected.safetensors", oracle->folder);
    if (!tensors_read(reader->weights_path, &oracle->weights, oracle->pool, err) ||
        !check_tensors(reader, &oracle->weights, reader->weights_path, "", false, err) ||
        !read_expected(reader, err))
        return false;
    qsort(reader->list, (size_t)reader->n, sizeof *reader->list, compare_tensor_names);
    oracle->tensors = reader->list;
    oracle->n_tensors = reader->n;
    return true;
}

// "a/b/" -> "b".
static const char *last_component(Pool *pool, const char *folder)
{
    char *name = pool_strdup(pool, folder);
    size_t length = strlen(name);
    while (length > 1 && name[length - 1] == '/')
        name[--length] = 0;
    char *slash = strrchr(name, '/');
    return slash && slash[1] ? slash + 1 : name;
}

OracleCase *oracle_open(const char *folder, Err *err)
{
    Pool *pool = pool_new();
    OracleCase *oracle = pool_alloc(pool, sizeof *oracle);
    oracle->pool = pool;
    oracle->folder = pool_strdup(pool, folder);
    oracle->name = last_component(pool, folder);
    bool done = read_arch(oracle, err);
    if (done) {
        Reader reader = {.oracle = oracle, .reference = reference_open(&oracle->arch)};
        done = read_tensors(&reader, err);
        reference_close(reader.reference);
    }
    if (done)
        return oracle;
    pool_free(pool);
    return NULL;
}

void oracle_close(OracleCase *oracle)
{
    if (oracle)
        pool_free(oracle->pool);
}

// ---- results ------------------------------------------------------------------------------------

VerifyResult *verify_result_open(const OracleCase *oracle)
{
    VerifyResult *result = xcalloc(1, sizeof *result);
    result->oracle = oracle;
    result->actual = xcalloc((size_t)oracle->n_tensors, sizeof *result->actual);
    return result;
}

void verify_result_close(VerifyResult *result)
{
    if (!result)
        return;
    for (int i = 0; i < result->oracle->n_tensors; i++)
        free(result->actual[i]);
    free(result->actual);
    free(result);
}

static const OracleTensor *oracle_find(const OracleCase *oracle, const char *prefix,
                                       const char *name)
{
    Text full = {0};
    text_printf(&full, "%s%s", prefix, name);
    OracleTensor key = {.name = full.data};
    const OracleTensor *found = bsearch(&key, oracle->tensors, (size_t)oracle->n_tensors,
                                        sizeof *oracle->tensors, compare_tensor_names);
    text_free(&full);
    return found;
}

double *verify_slot(VerifyResult *result, const char *prefix, const char *name, size_t count)
{
    const OracleTensor *found = oracle_find(result->oracle, prefix, name);
    if (!found || found->count != count)
        bug("an engine computed \"%s%s\" of %zu elements; the oracle has %zu of that name", prefix,
            name, count, found ? found->count : 0);
    double **actual = &result->actual[found - result->oracle->tensors];
    if (!*actual)
        *actual = xcalloc(count, sizeof **actual);
    return *actual;
}

void verify_put(VerifyResult *result, const char *prefix, const char *name, const float *values,
                size_t count)
{
    double *slot = verify_slot(result, prefix, name, count);
    for (size_t i = 0; i < count; i++)
        slot[i] = (double)values[i];
}

// ---- the reference as an engine -----------------------------------------------------------------

static void put_gradients(Reference *reference, VerifyResult *result)
{
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        const ReferenceTensor *t = reference_tensor(reference, i);
        if (t->kind == REFERENCE_PARAM)
            memcpy(verify_slot(result, "grad.", t->name, t->count), t->grad,
                   t->count * sizeof(double));
    }
}

// A counter is filled in where both files have it: without a start its end says nothing.
static void put_state(Reference *reference, VerifyResult *result)
{
    const OracleCase *oracle = result->oracle;
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        const ReferenceTensor *t = reference_tensor(reference, i);
        bool is_counted = tensors_find(&oracle->weights, t->name) != NULL &&
                          oracle_find(oracle, "after2.", t->name) != NULL;
        if (t->kind != REFERENCE_COUNTER || is_counted)
            memcpy(verify_slot(result, "after2.", t->name, t->count), t->values,
                   t->count * sizeof(double));
    }
}

static void reference_step(Reference *reference)
{
    reference_update(reference, ORACLE_LEARNING_RATE, ORACLE_MOMENTUM, ORACLE_WEIGHT_DECAY);
}

void verify_reference(const OracleCase *oracle, VerifyResult *result)
{
    Err err = {0};
    Reference *reference = reference_open(&oracle->arch);
    if (!reference_load(reference, &oracle->weights, oracle->folder, &err))
        bug("weights that oracle_open has passed do not load: %s", err.message);
    size_t n_logits = (size_t)oracle->batch * (size_t)oracle->arch.classes;
    ReferenceBatch batch = {
        .images = oracle->images, .labels = oracle->labels, .count = oracle->batch};
    reference_infer(reference, oracle->images, oracle->batch,
                    verify_slot(result, "", "eval_logits", n_logits));
    double *train_logits = verify_slot(result, "", "train_logits", n_logits);
    *verify_slot(result, "", "loss1", 1) = reference_gradients(reference, &batch, train_logits);
    put_gradients(reference, result);
    reference_step(reference);
    *verify_slot(result, "", "loss2", 1) = reference_gradients(reference, &batch, NULL);
    reference_step(reference);
    put_state(reference, result);
    reference_close(reference);
}

// ---- judging ------------------------------------------------------------------------------------

typedef struct {
    double value, gradient,
        gradient_floor; // relative; the floor as a share of the largest gradient
} Tolerance;

static const Tolerance tolerances[] = {
    [VERIFY_DOUBLE] = {1e-7, 1e-7, 1e-3},
    [VERIFY_SINGLE] = {1e-4, 5e-3, 0.05},
    [VERIFY_WINOGRAD] = {2e-3, 5e-2, 0},
};

static double largest_magnitude(const OracleTensor *tensor)
{
    double largest = 0;
    for (size_t i = 0; i < tensor->count; i++)
        largest = fmax(largest, fabs(tensor->expected[i]));
    return largest;
}

static double largest_gradient(const OracleCase *oracle)
{
    double largest = 0;
    for (int i = 0; i < oracle->n_tensors; i++)
        if (oracle->tensors[i].quantity == VERIFY_GRADIENTS)
            largest = fmax(largest, largest_magnitude(&oracle->tensors[i]));
    return largest;
}

static double error_of(double actual, double expected)
{
    double error = fabs(actual - expected);
    return isfinite(error) ? error : INFINITY;
}

static double ratio_of(double error, double tolerance)
{
    return error == 0 ? 0 : error / tolerance;
}

static void line_offer(VerifyLine *line, const char *tensor, size_t element, double error,
                       double ratio)
{
    if (line->tensor && ratio <= line->ratio)
        return;
    line->tensor = tensor;
    line->element = element;
    line->error = error;
    line->ratio = ratio;
}

static void judge_tensor(const OracleTensor *tensor, const double *actual,
                         const Tolerance *tolerance, double largest_grad, VerifyLine *line)
{
    bool is_gradient = tensor->quantity == VERIFY_GRADIENTS;
    double scale = fmax(largest_magnitude(tensor), tolerance->gradient_floor * largest_grad);
    for (size_t i = 0; i < tensor->count; i++) {
        double error = error_of(actual[i], tensor->expected[i]);
        double allowed = is_gradient ? tolerance->gradient * scale
                                     : tolerance->value * fmax(1, fabs(tensor->expected[i]));
        line_offer(line, tensor->name, i, error, ratio_of(error, allowed));
    }
}

static double squared_error(const OracleTensor *tensor, const double *actual)
{
    double sum = 0;
    for (size_t i = 0; i < tensor->count; i++) {
        double error = error_of(actual[i], tensor->expected[i]);
        sum += error * error;
    }
    return sum;
}

// ||actual - expected|| / ||expected|| over all gradients together.
static void judge_gradients_together(const VerifyResult *result, double allowed, VerifyLine *line)
{
    const OracleCase *oracle = result->oracle;
    double errors = 0, squares = 0, worst = -1;
    for (int i = 0; i < oracle->n_tensors; i++) {
        const OracleTensor *tensor = &oracle->tensors[i];
        if (tensor->quantity != VERIFY_GRADIENTS || !result->actual[i])
            continue;
        double error = squared_error(tensor, result->actual[i]);
        for (size_t j = 0; j < tensor->count; j++)
            squares += tensor->expected[j] * tensor->expected[j];
        if (error > worst)
            line->tensor = tensor->name;
        worst = fmax(worst, error);
        errors += error;
    }
    line->error = errors == 0 ? 0 : sqrt(errors / squares);
    line->ratio = line->error / allowed;
}

static void judge_quantity(const VerifyResult *result, VerifyQuantity quantity, VerifyRule rule,
                           double largest_grad, VerifyLine *line)
{
    const OracleCase *oracle = result->oracle;
    const char *missing = NULL;
    bool is_together = rule == VERIFY_WINOGRAD && quantity == VERIFY_GRADIENTS;
    for (int i = 0; i < oracle->n_tensors; i++) {
        const OracleTensor *tensor = &oracle->tensors[i];
        if (tensor->quantity != quantity)
            continue;
        if (!result->actual[i] && !tensor->is_optional)
            missing = tensor->name;
        line->is_present |= result->actual[i] != NULL;
        if (result->actual[i] && !is_together)
            judge_tensor(tensor, result->actual[i], &tolerances[rule], largest_grad, line);
    }
    if (is_together && line->is_present)
        judge_gradients_together(result, tolerances[rule].gradient, line);
    if (line->is_present && missing)
        *line = (VerifyLine){.is_present = true,
                             .error = INFINITY,
                             .ratio = INFINITY,
                             .tensor = missing,
                             .is_missing = true};
    line->passed = !line->is_present || line->ratio <= 1;
}

VerifyReport verify_compare(const VerifyResult *result, VerifyRule rule)
{
    VerifyReport report = {0};
    bool is_present = false, passed = true;
    double largest = largest_gradient(result->oracle);
    for (int q = 0; q < VERIFY_QUANTITIES; q++) {
        judge_quantity(result, (VerifyQuantity)q, rule, largest, &report.lines[q]);
        is_present |= report.lines[q].is_present;
        passed &= report.lines[q].passed;
    }
    report.passed = is_present && passed;
    return report;
}

void verify_print(const VerifyReport *report, Text *out)
{
    for (int q = 0; q < VERIFY_QUANTITIES; q++) {
        const VerifyLine *line = &report->lines[q];
        text_printf(out, "%-13s", verify_quantity_name[q]);
        if (!line->is_present)
            text_puts(out, "-\n");
        else if (line->is_missing)
            text_printf(out, "FAIL  %s was not computed\n", line->tensor);
        else
            text_printf(out, "%s  error %.2e, %.3g of the tolerance, at %s[%zu]\n",
                        line->passed ? "ok  " : "FAIL", line->error, line->ratio, line->tensor,
                        line->element);
    }
}
