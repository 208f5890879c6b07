// fuse.c - forward peepholes, each with a name; run before differentiation, which knows the fused forms.
#include "ir.h"

#include <string.h>

// How many ops read each tensor, and which op writes it (-1: none).
static void count_readers(const Ir *ir, int *readers, int *writer)
{
    for (int t = 0; t < ir->n_tensors; t++) {
        readers[t] = 0;
        writer[t] = -1;
    }
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const Arg arg = op_arg(&ir->ops[o], i);
            if (arg.tensor < 0)
                continue;
            if (arg.access & ACCESS_READ)
                readers[arg.tensor]++;
            if (arg.access & ACCESS_WRITE)
                writer[arg.tensor] = o;
        }
}

// ReLU(x) -> x's own op with `relu` set, where ReLU is the only reader of x: one pass over memory less.
void fuse_relu(Ir *ir)
{
    int *readers = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *readers);
    int *writer = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *writer);
    count_readers(ir, readers, writer);
    int kept = 0;
    for (int o = 0; o < ir->n_ops; o++) {
        const Op op = ir->ops[o];
        const int producer = op.kind == OP_RELU ? writer[op.args[1]] : -1;
        const bool fusible = producer >= 0 && readers[op.args[1]] == 1 &&
                             strstr(op_info[ir->ops[producer].kind].attributes, "relu");
        if (!fusible) {
            for (int i = 0; i < op.n_args; i++)
                if (op.args[i] >= 0 && writer[op.args[i]] == o)
                    writer[op.args[i]] = kept; // ops move up as others vanish
            ir->ops[kept++] = op;
            continue;
        }
        ir->ops[producer].attr.relu = 1;
        ir->ops[producer].args[0] = op.args[0];
        writer[op.args[0]] = producer;
    }
    ir->n_ops = ir->n_forward = kept;
}
