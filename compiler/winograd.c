// winograd.c - which 3x3 and 5x5 convolutions of a training program are computed by Winograd's
// algorithm (templates/winograd.c).
//
// In: the differentiated program.  Out: for each chosen convolution CONV becomes WINOGRAD (forward
// and gradient of the input), CONV_WEIGHTS_BACKWARD becomes WINOGRAD_WEIGHTS and its finish, and
// the packing of the weights their transform. The exact direct path stays for what is left, and for
// everything under NAGO_CONV=direct.
#include "ir.h"

#include <string.h>

enum {
    BLOCK_FLOATS = 75000, // of transformed tiles that stay in the second cache together
};

static int minimum(int a, int b)
{
    return a < b ? a : b;
}

static int padded(int filters)
{
    return (filters + 15) / 16 * 16;
}

// Points of a convolution, and vectors from one channel's points to the next one's (NK_POINT_STEP).
static int count_points(const Attr *a)
{
    return (a->kernel_h + 3) * (a->kernel_h + 3);
}

static int point_step(const Attr *a)
{
    return a->kernel_h == 5 ? 65 : 36;
}

static int count_tiles(const Ir *ir, const Attr *a)
{
    return ir->groups * ((a->height + 3) / 4) * ((a->width + 3) / 4);
}

// Tiles of a block: as many as keep V and M (or D) inside BLOCK_FLOATS, at least one.
static int block_tiles(const Ir *ir, const Attr *a, int channels)
{
    const int fit = BLOCK_FLOATS / (point_step(a) * LANES * channels);
    return minimum(count_tiles(ir, a), fit < 1 ? 1 : fit);
}

// Maps smaller than a tile waste most of it; few channels do not pay for the transforms.
static bool wins(const Attr *a, bool everywhere)
{
    if (a->kernel_h != a->kernel_w || (a->kernel_h != 3 && a->kernel_h != 5))
        return false;
    return everywhere || (a->height >= 3 && a->width >= 3 && a->channels >= 4 && a->filters >= 4);
}

// The same for the gradient of the weights, whose filters are padded to 16.
static bool weights_win(const Attr *a, bool everywhere)
{
    return wins(a, everywhere) && (everywhere || (a->channels >= 8 && a->filters >= 8));
}

static int scratch(Ir *ir, int result, int threads, const Attr *a, int channels)
{
    return ir_vector(ir, pool_printf(ir->pool, "%s.scratch", ir->tensors[result].name), SPACE_ARENA,
                     (int64_t)threads * a->block * point_step(a) * LANES * channels, -1);
}

static void replace_conv(Ir *ir, const Op *op, int threads)
{
    Attr a = op->attr;
    if (a.accumulate && op->args[3] >= 0)
        bug("%s: nk_winograd would leave out the bias", ir->tensors[op->args[0]].name);
    a.block = block_tiles(ir, &a, a.channels + a.filters);
    const int s = scratch(ir, op->args[0], threads, &a, a.channels + a.filters);
    ir_op(ir, OP_WINOGRAD, (int[]){op->args[0], s, op->args[1], op->args[2], op->args[3]}, 5, a);
}

static void replace_weights(Ir *ir, const Op *op, int threads)
{
    Attr a = op->attr;
    const int rows = padded(a.filters);
    a.block = block_tiles(ir, &a, a.channels + rows);
    const char *name = ir->tensors[op->args[0]].name;
    const int du = ir_vector(ir, pool_printf(ir->pool, "%s.points", name), SPACE_ARENA,
                             (int64_t)count_points(&a) * a.channels * rows, -1);
    const int s = scratch(ir, op->args[0], threads, &a, a.channels + rows);
    ir_op(ir, OP_WINOGRAD_WEIGHTS, (int[]){du, s, op->args[1], op->args[2]}, 4, a);
    ir_op(ir, OP_WINOGRAD_WEIGHTS_FINISH, (int[]){op->args[0], du}, 2, a);
}

void choose_winograd(Ir *ir, int threads, bool everywhere)
{
    const int n_forward = ir->n_forward;
    int n_old;
    const Op *old = ir_rewrite(ir, &n_old);
    bool *transformed =
        pool_alloc(ir->pool, (size_t)ir->n_tensors + 1); // packed weights that a WINOGRAD reads
    for (int o = 0; o < n_old; o++)
        if (old[o].kind == OP_CONV && wins(&old[o].attr, everywhere))
            transformed[old[o].args[2]] = true;
    for (int o = 0; o < n_old; o++) {
        const Op *op = &old[o];
        ir->place = op->place;
        if (o == n_forward)
            ir->n_forward = ir->n_ops;
        if (op->kind == OP_CONV && wins(&op->attr, everywhere))
            replace_conv(ir, op, threads);
        else if (op->kind == OP_CONV_WEIGHTS_BACKWARD && weights_win(&op->attr, everywhere))
            replace_weights(ir, op, threads);
        else if ((op->kind == OP_PACK_WEIGHTS || op->kind == OP_PACK_WEIGHTS_BACKWARD) &&
                 transformed[op->args[0]]) {
            Tensor *u = &ir->tensors[op->args[0]];
            u->floats = (int64_t)count_points(&op->attr) * op->attr.channels * op->attr.filters;
            ir_op(ir, op->kind == OP_PACK_WEIGHTS ? OP_WINOGRAD_PACK : OP_WINOGRAD_PACK_BACKWARD,
                  op->args, 2, op->attr);
        } else
            ir_keep(ir, op);
    }
    if (n_forward == n_old)
        ir->n_forward = ir->n_ops;
}
