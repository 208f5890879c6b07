// reference.h - the naive reference: an Arch interpreted directly in double precision, NCHW, plain
// loops.  It shares no code with the compiler's IR, so that the two check each other.
// Definition: docs/semantics.md; the ops alone: reference_ops.h.
#ifndef NAGO_REFERENCE_H
#define NAGO_REFERENCE_H

#include "../compiler/nagoc.h"
#include "reference_ops.h"

typedef enum {
    REFERENCE_PARAM,   // trained
    REFERENCE_RUNNING, // running_mean, running_var
    REFERENCE_COUNTER  // num_batches_tracked, shape [1]
} ReferenceKind;

// One tensor under the name and shape that PyTorch's state_dict has.
typedef struct {
    const char *name;
    ReferenceKind kind;
    int rank;
    int shape[4];
    size_t count;
    double *values;          // parameters start at 0, BN weights and running variances at 1
    double *grad, *momentum; // NULL unless REFERENCE_PARAM
} ReferenceTensor;

typedef struct Reference Reference;

// `arch` has passed arch_check and must outlive the reference.  reference_close ends everything.
Reference *reference_open(const Arch *arch);
void reference_close(Reference *reference); // NULL is allowed

// All tensors in the order of the network; they live in the reference, values may be set directly.
int reference_tensor_count(const Reference *reference);
ReferenceTensor *reference_tensor(Reference *reference, int index);
ReferenceTensor *reference_find(Reference *reference, const char *name); // NULL if absent

// Reads every parameter and running statistic from `weights` (num_batches_tracked where it is
// there) and zeroes the momentum.  A missing tensor or a wrong shape is an input error that begins
// with `where`. Tensors that the network does not have are ignored.
bool reference_load(Reference *reference, const TensorFile *weights, const char *where, Err *err);

// Whether `stored` (NULL: missing) is what a file must hold for `tensor`: the same shape ([] serves
// for [1]) and finite values.  `name` is the name it has, or should have, in the file that `where`
// names.
bool reference_check_stored(const ReferenceTensor *tensor, const char *name,
                            const StoredTensor *stored, const char *where, Err *err);

// Evaluation: running statistics, no dropout.  images [count][C][H][W] -> logits [count][classes].
void reference_infer(Reference *reference, const double *images, int count, double *logits);

typedef struct {
    const double *images; // [count][channels][height][width]
    const int *labels;    // [count]
    int count;
    double label_smoothing;
    const double
        *dropout; // factors of the head's features, [count][HEAD_CHANNELS]; NULL: no dropout
} ReferenceBatch;

// Training forward and backward: batch statistics, running statistics updated.  Overwrites every
// grad (weight decay not included), writes logits where not NULL, returns the mean loss.
double reference_gradients(Reference *reference, const ReferenceBatch *batch, double *logits);
// The loss of the same forward pass alone; neither grads nor running statistics change.
double reference_loss(Reference *reference, const ReferenceBatch *batch);
// One step of SGD on every parameter from the present grads.
void reference_update(Reference *reference, double learning_rate, double momentum,
                      double weight_decay);

#endif
