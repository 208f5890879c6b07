// fold.c - inference of one image with known weights: every parameter becomes a constant, in the
// order in which kernels read it, and batch normalisation disappears into the convolution before
// it:
//
//   BN(conv(x; w, b)) = conv(x; s w, s (b - mean) + beta),   s = gamma / sqrt(var + eps)
//
// In: the pixel-layout inference IR of lower.c after fuse_relu.  Out: the same list with
// CONV_PIXELS in place of PACK_WEIGHTS + CONV (+ BATCHNORM_INFER), PAD before kernels larger than a
// pixel, constants in ir->const_data.
#include "ir.h"

#include <math.h>
#include <string.h>

enum { SPARE = 64, STEP = 32 }; // as templates/conv_pixels.c: spare floats, the widest step

typedef struct {
    Ir *ir;
    const TensorFile *weights;
    const Op *old;
    int n_old;
    int *readers, *reader; // of each tensor of the forward pass: how many, and one
    int *writer;
    int *constant; // parameter or statistic -> its constant tensor, -1: not made yet
    int n_tensors;
    Err *err;
} Folding;

static const StoredTensor *stored(const Folding *f, int tensor)
{
    return tensors_find(f->weights, f->ir->tensors[tensor].name);
}

// A parameter or running statistic as it is.
static int as_constant(Folding *f, int tensor)
{
    if (tensor < 0 || (f->ir->tensors[tensor].space != SPACE_PARAM &&
                       f->ir->tensors[tensor].space != SPACE_STATE))
        return tensor;
    if (f->constant[tensor] < 0) {
        float *values;
        const StoredTensor *s = stored(f, tensor);
        f->constant[tensor] =
            ir_constant(f->ir, f->ir->tensors[tensor].name, f->ir->tensors[tensor].floats, &values);
        for (int64_t i = 0; i < s->count; i++)
            values[i] = (float)tensor_value(s, i);
    }
    return f->constant[tensor];
}

// The batch normalisation that alone reads y, or NULL.
static const Op *following_batchnorm(const Folding *f, int y)
{
    return f->readers[y] == 1 && f->old[f->reader[y]].kind == OP_BATCHNORM_INFER
               ? &f->old[f->reader[y]]
               : NULL;
}

static void fold_conv(Folding *f, const Op *op)
{
    Ir *ir = f->ir;
    Attr a = op->attr;
    const Op *bn = following_batchnorm(f, op->args[0]);
    const int weight = f->old[f->writer[op->args[2]]].args[1],
              taps = a.channels * a.kernel_h * a.kernel_w;
    const StoredTensor *w = stored(f, weight), *b = stored(f, op->args[3]);
    float *packed, *bias;
    const int cw = ir_constant(ir, ir->tensors[weight].name, (int64_t)taps * a.filters, &packed);
    double *scale = pool_alloc(ir->pool, (size_t)a.filters * sizeof *scale);
    for (int k = 0; k < a.filters; k++) {
        scale[k] = bn ? tensor_value(stored(f, bn->args[2]), k) /
                            sqrt(tensor_value(stored(f, bn->args[5]), k) + 1e-5)
                      : 1.0;
        for (int t = 0; t < taps; t++)
            packed[(int64_t)t * a.filters + k] =
                (float)(scale[k] * tensor_value(w, (int64_t)k * taps + t));
    }
    const int cb = ir_constant(ir, ir->tensors[op->args[3]].name, a.filters, &bias);
    for (int k = 0; k < a.filters; k++)
        bias[k] =
            (float)(bn ? scale[k] * (tensor_value(b, k) - tensor_value(stored(f, bn->args[4]), k)) +
                             tensor_value(stored(f, bn->args[3]), k)
                       : tensor_value(b, k));
    int x = op->args[1];
    if (a.kernel_h * a.kernel_w > 1 || a.height * a.width < STEP) {
        const int64_t halo =
            (int64_t)a.channels * (a.height + a.kernel_h - 1) * (a.width + a.kernel_w - 1);
        const int padded =
            ir_vector(ir, pool_printf(ir->pool, "%s.padded", ir->tensors[op->args[0]].name),
                      SPACE_ARENA, halo + SPARE, -1);
        ir_op(ir, OP_PAD, (int[]){padded, x}, 2, a);
        x = padded;
    }
    a.relu = bn ? bn->attr.relu : 0;
    ir_op(ir, OP_CONV_PIXELS, (int[]){bn ? bn->args[0] : op->args[0], x, cw, cb}, 4, a);
}

static void fold_op(Folding *f, const Op *op)
{
    f->ir->place = op->place;
    if (op->kind == OP_PACK_WEIGHTS)
        return;
    if (op->kind == OP_BATCHNORM_INFER && f->old[f->writer[op->args[1]]].kind == OP_CONV &&
        f->readers[op->args[1]] == 1)
        return;
    if (op->kind == OP_CONV) {
        fold_conv(f, op);
        return;
    }
    int *args = pool_alloc(f->ir->pool, (size_t)op->n_args * sizeof *args);
    for (int i = 0; i < op->n_args; i++)
        args[i] = as_constant(f, op->args[i]);
    ir_op(f->ir, op->kind, args, op->n_args, op->attr);
}

// Every parameter and statistic is there, finite, with its shape.
static bool check_tensors(const TensorFile *weights, const NetTensor *tensors, int n, Err *err)
{
    for (int i = 0; i < n; i++) {
        const NetTensor *want = &tensors[i];
        const StoredTensor *have = tensors_find(weights, want->name);
        if (!have)
            return err_input(err,
                             "the weights have no tensor \"%s\" (this architecture needs it; are "
                             "they another net's?)",
                             want->name);
        bool same = have->rank == want->rank;
        for (int d = 0; same && d < want->rank; d++)
            same = have->shape[d] == want->shape[d];
        if (!same)
            return err_input(err,
                             "the weights' tensor \"%s\" has %lld values in %d dimensions; this "
                             "architecture needs %lld in %d",
                             want->name, (long long)have->count, have->rank, (long long)want->count,
                             want->rank);
        for (int64_t j = 0; j < have->count; j++)
            if (!isfinite(tensor_value(have, j)))
                return err_input(
                    err, "the weights' tensor \"%s\" has a value that is not finite at %lld",
                    want->name, (long long)j);
    }
    return true;
}

bool weights_check(const Ir *ir, const TensorFile *weights, Err *err)
{
    return check_tensors(weights, ir->params, ir->n_params, err) &&
           check_tensors(weights, ir->running, ir->n_running, err);
}

static void survey(Folding *f)
{
    for (int o = 0; o < f->n_old; o++)
        for (int i = 0; i < f->old[o].n_args; i++) {
            const Arg arg = op_arg(&f->old[o], i);
            if (arg.tensor < 0)
                continue;
            if (arg.access & ACCESS_WRITE)
                f->writer[arg.tensor] = o;
            else {
                f->readers[arg.tensor]++;
                f->reader[arg.tensor] = o;
            }
        }
}

bool fold_weights(Ir *ir, const TensorFile *weights, Err *err)
{
    const size_t n = (size_t)ir->n_tensors;
    Folding f = {.ir = ir,
                 .weights = weights,
                 .old = ir->ops,
                 .n_old = ir->n_ops,
                 .n_tensors = ir->n_tensors,
                 .err = err};
    if (!weights_check(ir, weights, err))
        return false;
    f.readers = pool_alloc(ir->pool, n * sizeof *f.readers);
    f.reader = pool_alloc(ir->pool, n * sizeof *f.reader);
    f.writer = pool_alloc(ir->pool, n * sizeof *f.writer);
    f.constant = pool_alloc(ir->pool, n * sizeof *f.constant);
    memset(f.constant, -1, n * sizeof *f.constant);
    survey(&f);
    f.old = ir_rewrite(ir, &f.n_old);
    for (int o = 0; o < f.n_old; o++)
        fold_op(&f, &f.old[o]);
    ir->n_forward = ir->n_ops;
    return true;
}
