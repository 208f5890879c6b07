// fuse.c - forward fusions, each with a name; run before differentiation, which knows the fused
// forms.
//
// fuse_affine  batch normalisation becomes statistics and a multiply-add that its readers apply:
// normalised values are not stored fuse_global_pool  the head's last map is averaged as it is
// normalised and rectified, not stored fuse_relu    a ReLU becomes an attribute of the op that
// makes its only input
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

// ReLU(x) -> x's own op with `relu` set, where ReLU is the only reader of x: one pass over memory
// less.
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

// ---- batch normalisation as a multiply-add of its readers ---------------------------------------

typedef struct {
    int y, scale, shift; // z = scale y + shift; y < 0: z is a tensor as it stands
} View;

typedef struct {
    Ir *ir;
    const Op *old;
    int n_old, n_tensors;
    View *views;    // of the tensors there were before
    bool *is_plain; // some reader wants z itself
} Views;

static bool can_absorb(OpKind kind)
{
    return kind == OP_WEIGHTED_SUM || kind == OP_RELU || kind == OP_ADAPTIVE_POOL;
}

static View view_of(const Views *v, int tensor)
{
    return tensor < v->n_tensors && v->views[tensor].y >= 0 ? v->views[tensor]
                                                            : (View){tensor, -1, -1};
}

// x = [relu] sum of the n tensors xs, weighted by the scalars as (or `scale`), through their views.
static void affine_sum(Views *v, int x, const int *xs, const int *as, int n, float scale, int relu)
{
    const Tensor t = v->ir->tensors[x];
    int *args = pool_alloc(v->ir->pool, (size_t)(4 * n + 1) * sizeof *args);
    args[0] = x;
    for (int j = 0; j < n; j++) {
        const View view = view_of(v, xs[j]);
        args[1 + j] = view.y;
        args[1 + n + j] = view.scale;
        args[1 + 2 * n + j] = view.shift;
        args[1 + 3 * n + j] = as[j];
    }
    ir_op(v->ir, OP_AFFINE_SUM, args, 4 * n + 1,
          (Attr){.inputs = n,
                 .channels = t.channels,
                 .scale = scale,
                 .size = t.height * t.width,
                 .relu = relu});
}

// From here on z is scale y + shift; written out only for readers that cannot take it so.
static void set_view(Views *v, int z, int y, int scale, int shift)
{
    v->views[z] = (View){y, scale, shift};
    if (v->is_plain[z])
        affine_sum(v, z, &z, (const int[]){-1}, 1, 1.0f, 0);
}

static void view_batchnorm(Views *v, const Op *op)
{
    Ir *ir = v->ir;
    const bool training = op->kind == OP_BATCHNORM;
    const int z = op->args[0], *a = op->args;
    const char *name = ir->tensors[z].name;
    const int scale =
        ir_vector(ir, pool_printf(ir->pool, "%s.scale", name), SPACE_ARENA, op->attr.channels, -1);
    const int shift =
        ir_vector(ir, pool_printf(ir->pool, "%s.shift", name), SPACE_ARENA, op->attr.channels, -1);
    if (training)
        ir_op(ir, OP_BATCHNORM_STATS,
              (int[]){scale, shift, a[1], a[2], a[3], a[4], a[5], a[6], a[7]}, 9, op->attr);
    else
        ir_op(ir, OP_BATCHNORM_RUNNING, (int[]){scale, shift, a[2], a[3], a[4], a[5]}, 6, op->attr);
    set_view(v, z, training ? a[5] : a[1], scale, shift);
}

// Averages of scale y + shift are scale times averages of y, plus shift.
static void view_pool(Views *v, const Op *op)
{
    const View view = view_of(v, op->args[1]);
    const Tensor t = v->ir->tensors[op->args[0]];
    const int pooled = ir_tensor(v->ir, pool_printf(v->ir->pool, "%s.raw", t.name), SPACE_ARENA,
                                 t.channels, t.height, t.width);
    ir_op(v->ir, OP_ADAPTIVE_POOL, (int[]){pooled, view.y}, 2, op->attr);
    set_view(v, op->args[0], pooled, view.scale, view.shift);
}

static void view_op(Views *v, const Op *op)
{
    const int none = -1;
    v->ir->place = op->place;
    if (op->kind == OP_BATCHNORM || op->kind == OP_BATCHNORM_INFER)
        view_batchnorm(v, op);
    else if (op->kind == OP_ADAPTIVE_POOL && view_of(v, op->args[1]).scale >= 0)
        view_pool(v, op);
    else if (op->kind == OP_RELU && view_of(v, op->args[1]).scale >= 0)
        affine_sum(v, op->args[0], &op->args[1], &none, 1, 1.0f, 1);
    else if (op->kind == OP_WEIGHTED_SUM)
        affine_sum(v, op->args[0], op->args + 1, op->args + 1 + op->attr.inputs, op->attr.inputs,
                   op->attr.scale, op->attr.relu);
    else
        ir_keep(v->ir, op);
}

void fuse_affine(Ir *ir)
{
    const size_t n = (size_t)ir->n_tensors;
    Views v = {ir,
               ir->ops,
               ir->n_ops,
               ir->n_tensors,
               pool_alloc(ir->pool, n * sizeof *v.views),
               pool_alloc(ir->pool, n)};
    for (int t = 0; t < v.n_tensors; t++)
        v.views[t].y = -1;
    for (int o = 0; o < v.n_old; o++)
        for (int i = 0; i < v.old[o].n_args; i++)
            if (v.old[o].args[i] >= 0 && !can_absorb(v.old[o].kind) &&
                op_arg(&v.old[o], i).access == ACCESS_READ)
                v.is_plain[v.old[o].args[i]] = true;
    v.old = ir_rewrite(ir, &v.n_old);
    for (int o = 0; o < v.n_old; o++)
        view_op(&v, &v.old[o]);
    ir->n_forward = ir->n_ops;
}

// ---- the head -----------------------------------------------------------------------------------

// x = relu(scale y + shift), then x's global average, which alone reads it: one op that reads y and
// stores no map.
void fuse_global_pool(Ir *ir)
{
    int *readers = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *readers);
    int *writer = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *writer);
    int kept = 0;
    count_readers(ir, readers, writer);
    for (int o = 0; o < ir->n_ops; o++) {
        Op op = ir->ops[o];
        const int sum = op.kind == OP_ADAPTIVE_POOL && op.attr.out_height * op.attr.out_width == 1
                            ? writer[op.args[1]]
                            : -1;
        const Op *from = sum >= 0 ? &ir->ops[sum] : NULL; // not moved yet: it stands right before
        if (from && sum == kept - 1 && from->kind == OP_AFFINE_SUM && from->attr.inputs == 1 &&
            from->attr.relu && from->args[2] >= 0 && from->args[4] < 0 &&
            from->attr.scale == 1.0f && readers[op.args[1]] == 1) {
            int *args = pool_alloc(ir->pool, 4 * sizeof *args);
            memcpy(args, (const int[]){op.args[0], from->args[1], from->args[2], from->args[3]},
                   4 * sizeof *args);
            op = (Op){.kind = OP_AFFINE_POOL,
                      .n_args = 4,
                      .args = args,
                      .attr = {.channels = from->attr.channels, .size = from->attr.size},
                      .place = op.place};
            kept--;
        }
        for (int i = 0; i < op.n_args; i++)
            if (op.args[i] >= 0 && writer[op.args[i]] == o)
                writer[op.args[i]] = kept;
        ir->ops[kept++] = op;
    }
    ir->n_ops = ir->n_forward = kept;
}
