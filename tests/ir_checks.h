// ir_checks.h - the compiler's passes run with the IR verified after each one, and the plan of
// memory looked at pair by pair.
#ifndef TEST_IR_CHECKS_H
#define TEST_IR_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../compiler/passes.h"

static inline void ir_check(const Ir *ir, const char *pass, void *user)
{
    Err err = {0};
    (void)user;
    if (!ir_verify(ir, &err))
        fail_msg("%s program after %s: %s", ir->name, pass, err.message);
}

// All passes; the IR is right after each.
static inline Ir *checked_passes(const Arch *arch, int batch, PassOptions options, Pool *pool)
{
    Err err = {0};
    options.watch = ir_check;
    options.threads = options.threads > 0 ? options.threads : 2;
    Ir *ir = passes_run(arch, batch, &options, pool, &err);
    if (!ir)
        fail_msg("%s", err.message);
    return ir;
}

// Where each arena tensor is first and last touched; -1: never.
static inline void ir_lives(const Ir *ir, int *first, int *last)
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
static inline bool ir_inherits(const Ir *ir, const int *first, const int *last, int heir, int donor)
{
    if (first[heir] != last[donor])
        return false;
    const Op *op = &ir->ops[first[heir]];
    bool inherits = false;
    for (int i = 1; i < op->n_args; i++)
        inherits =
            inherits || (op->args[0] == heir && op->args[i] == donor && ir_takes_over(ir, op, i));
    return inherits;
}

// No two tensors of the arena that are alive together share memory: every pair is looked at, on
// purpose without the planner's own ways.
static inline void ir_check_memory(const Ir *ir)
{
    int *first = xcalloc((size_t)ir->n_tensors, sizeof *first);
    int *last = xcalloc((size_t)ir->n_tensors, sizeof *last);
    ir_lives(ir, first, last);
    for (int a = 0; a < ir->n_tensors; a++)
        for (int b = 0; b < a && first[a] >= 0; b++) {
            const Tensor *x = &ir->tensors[a], *y = &ir->tensors[b];
            if (first[b] < 0 || first[a] > last[b] || first[b] > last[a] ||
                x->offset >= y->offset + y->floats || y->offset >= x->offset + x->floats)
                continue;
            if (!ir_inherits(ir, first, last, a, b) && !ir_inherits(ir, first, last, b, a))
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
