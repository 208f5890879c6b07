// recompute.c - activations that the backward pass makes again instead of keeping them.
//
// In: the differentiated program.  Out: where a merge (AFFINE_SUM) is read by backward ops and the
// maps that it sums are kept for them anyway, a second one stands before the first of these ops, so
// that its result need not live through the rest of the forward pass.  The same op on the same
// numbers: no bit of a result changes.  After Chen et al., "Training Deep Nets with Sublinear
// Memory Cost" (2016), for what costs a sweep over memory alone.
#include "ir.h"

#include <string.h>

// Merges of more maps cost more memory traffic than their result is worth: a sum of n reads n maps
// and writes one to save one.
enum { MOST_TERMS = 2 };

typedef struct {
    const Op *ops;
    int count, n_forward;
    int *first, *last; // backward readers of a tensor; first: `count` where there is none
} Readers;

static Readers find_readers(const Ir *ir, const Op *ops, int count)
{
    Readers r = {ops, count, ir->n_forward,
                 pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *r.first),
                 pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *r.last)};
    for (int t = 0; t < ir->n_tensors; t++) {
        r.first[t] = count;
        r.last[t] = -1;
    }
    for (int o = ir->n_forward; o < count; o++)
        for (int i = 0; i < ops[o].n_args; i++) {
            const int t = ops[o].args[i];
            if (t < 0)
                continue;
            if (r.first[t] == count)
                r.first[t] = o;
            r.last[t] = o;
        }
    return r;
}

// Is everything large that the merge reads there when it is wanted again, and for longer?
static bool is_cheap(const Ir *ir, const Readers *r, const Op *op)
{
    const int z = op->args[0];
    if (op->kind != OP_AFFINE_SUM || op->attr.inputs > MOST_TERMS || r->first[z] == r->count)
        return false;
    for (int i = 1; i < op->n_args; i++) {
        const int t = op->args[i];
        if (t >= 0 && ir->tensors[t].layout != LAYOUT_PLAIN && r->last[t] < r->first[z])
            return false;
    }
    return true;
}

// The merges to be made again before op o, in the order of the forward pass: the first is the o-th
// of the result, and after merge f comes (*next)[f]; -1 ends.
static const int *find_repeats(const Ir *ir, const Readers *r, const int **next)
{
    int *at = pool_alloc(ir->pool, (size_t)r->count * sizeof *at);
    int *after = pool_alloc(ir->pool, (size_t)r->count * sizeof *after);
    memset(at, -1, (size_t)r->count * sizeof *at);
    for (int f = ir->n_forward - 1; f >= 0; f--)
        if (is_cheap(ir, r, &r->ops[f])) {
            const int o = r->first[r->ops[f].args[0]];
            after[f] = at[o];
            at[o] = f;
        }
    *next = after;
    return at;
}

// The merge again, with a result of its own.
static int repeat(Ir *ir, const Op *op)
{
    const Tensor like = ir->tensors[op->args[0]];
    int *args = pool_alloc(ir->pool, (size_t)op->n_args * sizeof *args);
    memcpy(args, op->args, (size_t)op->n_args * sizeof *args);
    args[0] = ir_tensor(ir, pool_printf(ir->pool, "%s.again", like.name), like.space, like.channels,
                        like.height, like.width);
    ir_op(ir, OP_AFFINE_SUM, args, op->n_args, op->attr);
    return args[0];
}

static void keep_renamed(Ir *ir, const Op *op, const int *again, int n_tensors)
{
    Op copy = *op;
    copy.args = pool_alloc(ir->pool, (size_t)op->n_args * sizeof *copy.args);
    for (int i = 0; i < op->n_args; i++) {
        const int t = op->args[i];
        copy.args[i] = t >= 0 && t < n_tensors && again[t] >= 0 ? again[t] : t;
    }
    ir_keep(ir, &copy);
}

void recompute(Ir *ir)
{
    const int n_forward = ir->n_forward, n_tensors = ir->n_tensors;
    int count;
    const Op *old = ir_rewrite(ir, &count);
    const Readers readers = find_readers(ir, old, count);
    const int *next, *at = find_repeats(ir, &readers, &next);
    int *again = pool_alloc(ir->pool, (size_t)n_tensors * sizeof *again);
    memset(again, -1, (size_t)n_tensors * sizeof *again);
    for (int o = 0; o < n_forward; o++)
        ir_keep(ir, &old[o]);
    ir->n_forward = ir->n_ops;
    for (int o = n_forward; o < count; o++) {
        ir->place = old[o].place;
        for (int f = at[o]; f >= 0; f = next[f])
            again[old[f].args[0]] = repeat(ir, &old[f]);
        keep_renamed(ir, &old[o], again, n_tensors);
    }
}
