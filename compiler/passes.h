// passes.h - the passes in their order: the one place that net.c, emit.c and the tests run them
// from.
#ifndef NAGO_PASSES_H
#define NAGO_PASSES_H

#include "ir.h"

typedef struct {
    bool training; // batch statistics, loss and the backward pass
    const TensorFile
        *weights;         // not NULL: inference of one image with these as constants; batch is 1
    const Ranges *ranges; // not NULL: in int8 (with weights)
    bool plain;           // no fusion but of ReLU: every normalised value is a tensor
    ConvKind conv;        // CONV_DIRECT: no Winograd
    TargetKind target;    // of inference with weights
    int threads;          // most parts that the program will run in
    bool plan;            // false: every tensor has a place of its own
    const char *stop;     // a name of --dump-after: no pass behind it is run; NULL: all are
    // Called after each pass with its function's name; may be NULL.
    void (*watch)(const Ir *ir, const char *pass, void *user);
    void *user;
} PassOptions;

// Architecture to planned program.  Lives in `pool`.  NULL and an error: the weights do not fit the
// architecture.
Ir *passes_run(const Arch *arch, int batch, const PassOptions *options, Pool *pool, Err *err);

#endif
