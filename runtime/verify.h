// verify.h - oracle folders, what an engine computed on one, and whether that is right.
//
// A folder holds arch.json, weights.safetensors and expected.safetensors (docs/semantics.md, 5),
// made by any implementation: the reference one, or a user's own port.  An engine fills a
// VerifyResult by the names of expected.safetensors and verify_compare applies the tolerances:
//
//     OracleCase *oracle = oracle_open(folder, &err);
//     VerifyResult *result = verify_result_open(oracle);
//     verify_reference(oracle, result);                       // or any other engine
//     VerifyReport report = verify_compare(result, VERIFY_DOUBLE);
#ifndef NAGO_VERIFY_H
#define NAGO_VERIFY_H

#include "../compiler/nagoc.h"

typedef enum {
    VERIFY_EVAL_LOGITS,
    VERIFY_TRAIN_LOGITS,
    VERIFY_LOSS1,
    VERIFY_GRADIENTS,
    VERIFY_LOSS2,
    VERIFY_AFTER2,
    VERIFY_QUANTITIES
} VerifyQuantity;
extern const char
    *const verify_quantity_name[VERIFY_QUANTITIES]; // "eval_logits" ... "grad" "after2"

// One tensor of expected.safetensors.
typedef struct {
    const char *name;
    VerifyQuantity quantity;
    size_t count;
    const double *expected;
    bool is_optional; // num_batches_tracked: engines need not count
} OracleTensor;

typedef struct {
    const char *folder, *name; // as given; its last component
    Arch arch;
    TensorFile weights;
    int batch;
    const double *images;       // x: [batch][channels][height][width]
    const float *images_single; // the same in single precision
    const int *labels;          // y: [batch]
    int n_tensors;
    const OracleTensor *tensors; // sorted by name
    Pool *pool;                  // owns all of this
} OracleCase;

// The two steps of SGD behind `after2`: mean cross entropy without label smoothing or dropout.
#define ORACLE_LEARNING_RATE 1e-3
#define ORACLE_MOMENTUM 0.9
#define ORACLE_WEIGHT_DECAY 1e-4

// Reads and checks a folder: every tensor of the network is there with its shape, finite; weights,
// grad. and after2. hold nothing else.  NULL and an input error that names file and tensor
// otherwise.
OracleCase *oracle_open(const char *folder, Err *err);
void oracle_close(OracleCase *oracle); // NULL is allowed

// What one engine computed; a quantity of which nothing was filled in is absent and not judged.
typedef struct {
    const OracleCase *oracle;
    double **actual; // [oracle->n_tensors]; NULL: not filled in
} VerifyResult;
VerifyResult *verify_result_open(const OracleCase *oracle); // the oracle must outlive it
void verify_result_close(VerifyResult *result);             // NULL is allowed

// The place for tensor prefix+name ("grad." "fc.bias"; "" "loss1") of `count` elements, which
// counts as filled in from now on.  A name or count that is not the oracle's is a bug of the engine
// and ends the program.
double *verify_slot(VerifyResult *result, const char *prefix, const char *name, size_t count);
// The same, filled from single precision.
void verify_put(VerifyResult *result, const char *prefix, const char *name, const float *values,
                size_t count);

// Runs the reference (runtime/reference.h): fills every quantity.
void verify_reference(const OracleCase *oracle, VerifyResult *result);

typedef enum {
    VERIFY_DOUBLE,  // 1e-7
    VERIFY_SINGLE,  // float32 with direct convolutions: 1e-4, gradients 5e-3
    VERIFY_WINOGRAD // Winograd (or bf16) convolutions: 2e-3, all gradients together 5e-2
} VerifyRule;

// One quantity judged.  For gradients under VERIFY_WINOGRAD `error` is the relative L2 error of all
// together and `tensor` the one that contributes most; else it is the largest by its tolerance.
typedef struct {
    bool is_present, passed; // absent: passed
    double error, ratio;     // absolute error; error / tolerance (infinite for NaN), passed up to 1
    const char *tensor;      // the worst; NULL if absent
    size_t element;          // in it
    bool is_missing;         // `tensor` was not filled in though others of the quantity were
} VerifyLine;

typedef struct {
    VerifyLine lines[VERIFY_QUANTITIES];
    bool passed; // every present quantity passed, and at least one is present
} VerifyReport;

VerifyReport verify_compare(const VerifyResult *result, VerifyRule rule);
// One line a quantity: name, error, part of the tolerance, worst tensor, verdict.
void verify_print(const VerifyReport *report, Text *out);

#endif
