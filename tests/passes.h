// passes.h - the compiler's pipeline, pass by pass with the IR verified after each one, as net.c
// and emit.c run it. passes_check holds it against what the compiler itself prints, so that a pass
// that is added there and not here is noticed.
#ifndef TEST_PASSES_H
#define TEST_PASSES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../compiler/emit.h"
#include "../compiler/ir.h"

static inline void passes_verify(const Ir *ir, const char *pass)
{
    Err err = {0};
    if (!ir_verify(ir, &err))
        fail_msg("%s program after %s: %s", ir->name, pass, err.message);
}

// Inference of a batch by the running statistics.
static inline Ir *passes_infer(const Arch *arch, int batch, bool plan, Pool *pool)
{
    Ir *ir = lower(arch, batch, LAYOUT_BATCH_INNER, false, pool);
    passes_verify(ir, "lower");
    fuse_relu(ir);
    passes_verify(ir, "fuse");
    plan_memory(ir, plan);
    passes_verify(ir, "plan");
    return ir;
}

// Forward and backward pass of training.
static inline Ir *passes_gradient(const Arch *arch, int batch, bool plan, Pool *pool)
{
    Ir *ir = lower(arch, batch, LAYOUT_BATCH_INNER, true, pool);
    passes_verify(ir, "lower");
    fuse_relu(ir);
    passes_verify(ir, "fuse");
    differentiate(ir);
    passes_verify(ir, "grad");
    plan_memory(ir, plan);
    passes_verify(ir, "plan");
    return ir;
}

// Inference of one image with constant weights.
static inline Ir *passes_fold(const Arch *arch, const TensorFile *weights, bool plan, Pool *pool)
{
    Err err = {0};
    Ir *ir = lower(arch, 1, LAYOUT_PIXELS, false, pool);
    passes_verify(ir, "lower");
    fuse_relu(ir);
    passes_verify(ir, "fuse");
    if (!fold_weights(ir, weights, &err))
        fail_msg("fold: %s", err.message);
    passes_verify(ir, "fold");
    plan_memory(ir, plan);
    passes_verify(ir, "plan");
    return ir;
}

// The same text as `nagoc --emit=ir` prints: these passes are the compiler's passes.
static inline void passes_check(const Ir *ir, const TensorFile *weights, bool plan)
{
    EmitOptions options = emit_defaults;
    Text ours = {0}, theirs = {0};
    Err err = {0};
    options.batch = ir->batch;
    options.plan = plan;
    options.weights = weights;
    ir_print(ir, &ours);
    if (!emit_ir(ir->arch, &options, NULL, &theirs, &err))
        fail_msg("%s", err.message);
    if (strcmp(ours.data, theirs.data) != 0)
        fail_msg("tests/passes.h does not run the passes that compiler/emit.c runs");
    text_free(&ours);
    text_free(&theirs);
}

// Where each arena tensor is first and last touched; -1: never.
static inline void passes_lives(const Ir *ir, int *first, int *last)
{
    for (int t = 0; t < ir->n_tensors; t++)
        first[t] = last[t] = -1;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA)
                continue;
            first[t] = first[t] < 0 ? o : first[t];
            last[t] = o;
        }
}

// Whether `heir` is written by the op that reads `donor` for the last time and may work in place.
static inline bool passes_inherits(const Ir *ir, const int *first, const int *last, int heir,
                                   int donor)
{
    if (first[heir] != last[donor])
        return false;
    const Op *op = &ir->ops[first[heir]];
    const int place = op_info[op->kind].inplace;
    return place >= 0 && op->args[0] == heir && op->args[place] == donor;
}

// No two tensors of the arena that are alive together share memory: every pair is looked at, on
// purpose without the planner's own ways.
static inline void passes_no_overlap(const Ir *ir)
{
    int *first = xcalloc((size_t)ir->n_tensors, sizeof *first);
    int *last = xcalloc((size_t)ir->n_tensors, sizeof *last);
    passes_lives(ir, first, last);
    for (int a = 0; a < ir->n_tensors; a++)
        for (int b = 0; b < a && first[a] >= 0; b++) {
            const Tensor *x = &ir->tensors[a], *y = &ir->tensors[b];
            if (first[b] < 0 || first[a] > last[b] || first[b] > last[a] ||
                x->offset >= y->offset + y->floats || y->offset >= x->offset + x->floats)
                continue;
            if (!passes_inherits(ir, first, last, a, b) && !passes_inherits(ir, first, last, b, a))
                fail_msg("%s: %s and %s overlap", ir->name, x->name, y->name);
        }
    for (int a = 0; a < ir->n_tensors; a++)
        if (first[a] >= 0 && (ir->tensors[a].offset < 0 || ir->tensors[a].offset % 16 ||
                              ir->tensors[a].offset + ir->tensors[a].floats > ir->arena_floats))
            fail_msg("%s: %s lies badly", ir->name, ir->tensors[a].name);
    free(first);
    free(last);
}

#endif
