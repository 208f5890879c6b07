// grad.c - reverse-mode differentiation: walks the forward ops backwards and appends, for each, the
// ops that take the gradient of its result to the gradients of its arguments.  A tensor that
// several ops read gets its gradient by adding: the first reader met writes, the others accumulate.
#include "ir.h"

#include <string.h>

// A reader's share in the gradient of a tensor: weight times g, the weight being sigmoid(scalar) or
// `scale`.
typedef struct Share Share;
struct Share {
    Share *next;
    int g, scalar;
    float scale;
    int q, p; // per channel, sums of g and of g xhat (of a batch-normalised tensor)
};

typedef struct {
    Ir *ir;
    int n;            // tensors of the forward pass
    int *grad;        // tensor -> tensor of its gradient, -1: none yet
    int *writer;      // tensor -> forward op that writes it
    int *readers;     // how many forward ops read it
    int *last_reader; // one of them
    int *stats;       // BATCHNORM_STATS that reads it, -1: none
    Share **pulls;    // shares not yet added up into `grad`
    Share **sums;     // the same with q and p, of tensors that BATCHNORM_STATS reads
    bool *wants;      // whether anything behind it has parameters
    int *zeros;       // gradients that are zero, see grad_bias
    int n_zeros;
} Gradients;

static const char *grad_name(const Gradients *g, int t)
{
    return pool_printf(g->ir->pool, "d.%s", g->ir->tensors[t].name);
}

// The gradient tensor of activation t; *accumulate tells whether something is in it already.
static int grad_of(Gradients *g, int t, int *accumulate)
{
    *accumulate = g->grad[t] >= 0;
    if (g->grad[t] < 0) {
        const Tensor like = g->ir->tensors[t];
        g->grad[t] =
            ir_tensor(g->ir, grad_name(g, t), SPACE_ARENA, like.channels, like.height, like.width);
    }
    return g->grad[t];
}

// The place in `grads` of a parameter's gradient.
static int param_grad(const Gradients *g, int param)
{
    const Tensor p = g->ir->tensors[param];
    return ir_vector(g->ir, grad_name(g, param), SPACE_GRAD, p.floats, p.offset);
}

static int vector_of(const Gradients *g, const char *name, int64_t floats)
{
    return ir_vector(g->ir, name, SPACE_ARENA, floats, -1);
}

// The gradient of a bias: zero in exact arithmetic where only a batch normalisation reads the
// result, which takes the mean away again.
static void grad_bias(Gradients *g, int y, int bias, int dy)
{
    const Tensor t = g->ir->tensors[y];
    const int db = param_grad(g, bias);
    if (g->stats[y] >= 0 ||
        (g->readers[y] == 1 && g->ir->ops[g->last_reader[y]].kind == OP_BATCHNORM))
        g->zeros[g->n_zeros++] = db;
    else
        ir_op(g->ir, OP_CHANNEL_SUM, (int[]){db, dy}, 2,
              (Attr){.channels = t.channels, .size = t.height * t.width});
}

static void grad_conv(Gradients *g, const Op *op, int dy)
{
    Ir *ir = g->ir;
    const int y = op->args[0], x = op->args[1], w = ir->ops[g->writer[op->args[2]]].args[1];
    const Attr a = op->attr;
    ir_op(ir, OP_CONV_WEIGHTS_BACKWARD, (int[]){param_grad(g, w), x, dy}, 3, a);
    grad_bias(g, y, op->args[3], dy);
    if (!g->wants[x])
        return;
    Attr back = a;
    back.channels = a.filters;
    back.filters = a.channels;
    const int p = vector_of(g, pool_printf(ir->pool, "%s.packed_backward", ir->tensors[y].name),
                            ir->tensors[w].floats);
    ir_op(ir, OP_PACK_WEIGHTS_BACKWARD, (int[]){p, w}, 2, a);
    const int dx = grad_of(g, x, &back.accumulate);
    ir_op(ir, OP_CONV, (int[]){dx, dy, p, -1}, 4, back);
}

static void grad_depthwise(Gradients *g, const Op *op, int dy)
{
    const int x = op->args[1], w = op->args[2], b = op->args[3];
    Attr a = op->attr;
    ir_op(g->ir, OP_DEPTHWISE_WEIGHTS_BACKWARD, (int[]){param_grad(g, w), param_grad(g, b), x, dy},
          4, a);
    if (!g->wants[x])
        return;
    const int dx = grad_of(g, x, &a.accumulate);
    ir_op(g->ir, OP_DEPTHWISE_BACKWARD, (int[]){dx, dy, w}, 3, a);
}

static void grad_batchnorm(Gradients *g, const Op *op, int dz)
{
    const int z = op->args[0], mean = op->args[1], rstd = op->args[2], y = op->args[5],
              gamma = op->args[6];
    int accumulate;
    const int dy = grad_of(g, y, &accumulate);
    if (accumulate)
        bug("%s has readers beside its batch normalisation", g->ir->tensors[y].name);
    ir_op(g->ir, OP_BATCHNORM_BACKWARD,
          (int[]){dy, param_grad(g, gamma), param_grad(g, op->args[7]), dz, op->attr.relu ? z : -1,
                  y, mean, rstd, gamma},
          9, op->attr);
}

// The gradient before a fused ReLU.
static int grad_before_relu(Gradients *g, const Op *op, int dy)
{
    if (!op->attr.relu)
        return dy;
    const Tensor y = g->ir->tensors[op->args[0]];
    const int before = ir_tensor(g->ir, pool_printf(g->ir->pool, "d.%s.before", y.name),
                                 SPACE_ARENA, y.channels, y.height, y.width);
    ir_op(g->ir, OP_RELU_BACKWARD, (int[]){before, dy, op->args[0]}, 3,
          (Attr){.channels = y.channels, .size = y.height * y.width});
    return before;
}

static void grad_relu(Gradients *g, const Op *op, int dy)
{
    Attr a = op->attr;
    const int dx = grad_of(g, op->args[1], &a.accumulate);
    ir_op(g->ir, OP_RELU_BACKWARD, (int[]){dx, dy, op->args[0]}, 3, a);
}

static void grad_weighted_sum(Gradients *g, const Op *op, int dy)
{
    Ir *ir = g->ir;
    const Tensor y = ir->tensors[op->args[0]];
    const int n = op->attr.inputs, before = grad_before_relu(g, op, dy);
    for (int j = 0; j < n; j++) {
        const int x = op->args[1 + j], a = op->args[1 + n + j];
        Attr attr = {.channels = y.channels, .size = y.height * y.width, .scale = op->attr.scale};
        const int partial =
            a < 0 ? -1
                  : vector_of(g, pool_printf(ir->pool, "%s.partial", grad_name(g, a)), y.channels);
        const int dx = grad_of(g, x, &attr.accumulate);
        ir_op(ir, OP_WEIGHTED_SUM_BACKWARD, (int[]){dx, partial, before, x, a}, 5, attr);
        if (a >= 0)
            ir_op(ir, OP_SCALAR_BACKWARD, (int[]){param_grad(g, a), partial, a}, 3, attr);
    }
}

// ---- affine sums: readers leave shares, the writer of a tensor pulls them together --------------

static void add_share(Gradients *g, Share **list, Share share)
{
    Share *added = pool_alloc(g->ir->pool, sizeof *added);
    *added = share;
    added->next = *list;
    *list = added;
}

static int count_shares(const Share *share)
{
    int n = 0;
    for (; share; share = share->next)
        n++;
    return n;
}

// The weight of the shares without a scalar, which is the same for all of them (networks are built
// so).
static float common_scale(const Gradients *g, const Share *share, int t)
{
    float scale = 1.0f;
    bool found = false;
    for (; share; share = share->next)
        if (share->scalar < 0) {
            if (found && share->scale != scale)
                bug("readers of %s weigh it differently", g->ir->tensors[t].name);
            scale = share->scale;
            found = true;
        }
    return scale;
}

// Adds the waiting shares of t into its gradient; coefficients: of its batch normalisation, or -1.
static void pull_shares(Gradients *g, int t, int coefficients)
{
    Ir *ir = g->ir;
    const int n = count_shares(g->pulls[t]);
    if (n == 0)
        return;
    const Tensor like = ir->tensors[t];
    Attr a = {.inputs = n,
              .channels = like.channels,
              .size = like.height * like.width,
              .scale = common_scale(g, g->pulls[t], t)};
    const int dy = grad_of(g, t, &a.accumulate);
    if (a.accumulate && coefficients >= 0)
        bug("%s: nk_pull would leave out the shift", like.name);
    int *args = pool_alloc(ir->pool, (size_t)(3 + 2 * n) * sizeof *args), j = 0;
    args[0] = dy;
    args[1] = coefficients < 0 ? -1 : t;
    args[2] = coefficients;
    for (const Share *s = g->pulls[t]; s; s = s->next, j++) {
        args[3 + j] = s->g;
        args[3 + n + j] = s->scalar;
    }
    ir_op(ir, OP_PULL, args, 3 + 2 * n, a);
    g->pulls[t] = NULL;
}

static void grad_batchnorm_stats(Gradients *g, const Op *op)
{
    Ir *ir = g->ir;
    const int y = op->args[6], n = count_shares(g->sums[y]);
    if (n == 0)
        return;
    const int coefficients = vector_of(g, pool_printf(ir->pool, "%s.coefficients", grad_name(g, y)),
                                       3 * (int64_t)op->attr.channels);
    int *args = pool_alloc(ir->pool, (size_t)(6 + 3 * n) * sizeof *args), j = 0;
    const int head[] = {coefficients,
                        param_grad(g, op->args[7]),
                        param_grad(g, op->args[8]),
                        op->args[2],
                        op->args[3],
                        op->args[7]};
    memcpy(args, head, sizeof head);
    for (const Share *s = g->sums[y]; s; s = s->next, j++) {
        args[6 + j] = s->q;
        args[6 + n + j] = s->p;
        args[6 + 2 * n + j] = s->scalar;
    }
    Attr a = op->attr;
    a.inputs = n;
    a.scale = common_scale(g, g->sums[y], y);
    // statistics are of y at its own size, the sums of a pooled view are the same
    a.size = ir->tensors[y].height * ir->tensors[y].width;
    ir_op(ir, OP_BATCHNORM_COEFFICIENTS, args, 6 + 3 * n, a);
    pull_shares(g, y, coefficients);
}

// The statistics behind the scale of a term, or NULL for a plain tensor.
static const Op *term_stats(const Gradients *g, int scale)
{
    return scale < 0 ? NULL : &g->ir->ops[g->writer[scale]];
}

static void grad_affine_sum(Gradients *g, const Op *op, int dx)
{
    Ir *ir = g->ir;
    const int n = op->attr.inputs, *ys = op->args + 1, *ss = ys + n, *as = ys + 3 * n;
    const Tensor x = ir->tensors[op->args[0]];
    const Attr attr = {.inputs = n, .channels = x.channels, .size = x.height * x.width};
    const int q = vector_of(g, pool_printf(ir->pool, "d.%s.q", x.name), x.channels);
    int *args = pool_alloc(ir->pool, (size_t)(4 + 4 * n) * sizeof *args),
        *ps = pool_alloc(ir->pool, (size_t)n * sizeof *ps);
    int at = 0, dsum = dx;
    if (op->attr.relu) {
        dsum = ir_tensor(ir, pool_printf(ir->pool, "d.%s.before", x.name), SPACE_ARENA, x.channels,
                         x.height, x.width);
        args[at++] = dsum;
    }
    args[at++] = q;
    args[at++] = dx;
    if (op->attr.relu)
        args[at++] = op->args[0];
    for (int j = 0; j < n; j++) {
        const Op *stats = term_stats(g, ss[j]);
        ps[j] = stats || as[j] >= 0
                    ? vector_of(g, pool_printf(ir->pool, "d.%s.p%d", x.name, j), x.channels)
                    : -1;
        args[at + j] = ps[j];
        args[at + n + j] = ys[j];
        args[at + 2 * n + j] = stats ? stats->args[2] : -1;
        args[at + 3 * n + j] = stats ? stats->args[3] : -1;
    }
    ir_op(ir, op->attr.relu ? OP_AFFINE_SUM_BACKWARD : OP_AFFINE_SUM_REDUCE, args, at + 4 * n,
          attr);
    for (int j = 0; j < n; j++) {
        const Op *stats = term_stats(g, ss[j]);
        const Share share = {NULL, dsum, as[j], op->attr.scale, q, ps[j]};
        add_share(g, &g->pulls[ys[j]], share);
        if (stats)
            add_share(g, &g->sums[ys[j]], share);
        if (as[j] >= 0)
            ir_op(ir, OP_AFFINE_SCALAR_BACKWARD,
                  (int[]){param_grad(g, as[j]), q, ps[j], stats ? stats->args[7] : -1,
                          stats ? stats->args[8] : -1, as[j]},
                  6, attr);
    }
}

// The head's pooled map: its gradient is one share of y, made without a tensor of y's size but the
// result.
static void grad_affine_pool(Gradients *g, const Op *op, int dp)
{
    Ir *ir = g->ir;
    const int y = op->args[1], s = op->args[2], t = op->args[3];
    const Op *stats = term_stats(g, s);
    const char *name = grad_name(g, y);
    const int q = vector_of(g, pool_printf(ir->pool, "%s.q", name), op->attr.channels);
    const int p = vector_of(g, pool_printf(ir->pool, "%s.p", name), op->attr.channels);
    const int coefficients = vector_of(g, pool_printf(ir->pool, "%s.coefficients", name),
                                       3 * (int64_t)op->attr.channels);
    int accumulate;
    Attr a = op->attr;
    a.inputs = 1;
    a.scale = 1.0f;
    const int dy = grad_of(g, y, &accumulate);
    if (accumulate || g->sums[y])
        bug("%s has readers beside the head's pooling", ir->tensors[y].name);
    ir_op(ir, OP_AFFINE_POOL_REDUCE, (int[]){q, p, dp, y, s, t, stats->args[2], stats->args[3]}, 8,
          a);
    ir_op(ir, OP_BATCHNORM_COEFFICIENTS,
          (int[]){coefficients, param_grad(g, stats->args[7]), param_grad(g, stats->args[8]),
                  stats->args[2], stats->args[3], stats->args[7], q, p, -1},
          9, a);
    ir_op(ir, OP_AFFINE_POOL_PULL, (int[]){dy, y, dp, s, t, coefficients}, 6, a);
}

// A pooled view of a batch-normalised tensor: its sums are those of the whole, since every output's
// gradient is shared out with total weight one.
static bool grad_pooled_view(Gradients *g, const Op *op)
{
    const int p = op->args[0], y = op->args[1];
    Share *sums = g->sums[p];
    if (!sums)
        return false;
    Share share = *sums;
    if (sums->next) {
        pull_shares(g, p, -1);
        share = (Share){NULL, g->grad[p], -1, 1.0f, -1, -1};
    }
    const int whole = ir_tensor(g->ir, pool_printf(g->ir->pool, "%s.whole", grad_name(g, p)),
                                SPACE_ARENA, op->attr.channels, op->attr.height, op->attr.width);
    ir_op(g->ir, OP_ADAPTIVE_POOL_BACKWARD, (int[]){whole, share.g}, 2, op->attr);
    share.g = whole;
    add_share(g, &g->pulls[y], share);
    for (; sums; sums = sums->next)
        add_share(g, &g->sums[y], *sums);
    return true;
}

static void grad_attention(Gradients *g, const Op *op, int dy)
{
    Ir *ir = g->ir;
    const int m = op->args[1], s = op->args[2], range = op->args[3], b = op->args[4];
    const int before = grad_before_relu(g, op, dy);
    const int sums = vector_of(g, pool_printf(ir->pool, "%s.sums", ir->tensors[op->args[0]].name),
                               2 * ir->tensors[range].floats);
    int more_m, more_s;
    const int dm = grad_of(g, m, &more_m), ds = grad_of(g, s, &more_s);
    if (more_m || more_s)
        bug("%s: the terms of an attention merge have other readers",
            ir->tensors[op->args[0]].name);
    ir_op(ir, OP_ATTENTION_REDUCE, (int[]){sums, before, m, s, range}, 5, op->attr);
    ir_op(ir, OP_ATTENTION_BACKWARD,
          (int[]){dm, ds, param_grad(g, b), before, m, s, range, sums, b}, 9, op->attr);
}

// Ops whose gradient is one op of dy alone, with the same attributes.
static void grad_plain(Gradients *g, const Op *op, int dy, OpKind backward)
{
    Attr a = op->attr;
    const int dx = grad_of(g, op->args[1], &a.accumulate);
    ir_op(g->ir, backward, (int[]){dx, dy}, 2, a);
}

static void grad_op(Gradients *g, const Op *op)
{
    if (op->kind == OP_BATCHNORM_STATS) {
        grad_batchnorm_stats(g, op);
        return;
    }
    if (op->kind == OP_ADAPTIVE_POOL && grad_pooled_view(g, op))
        return;
    if (op->args[0] < g->n && g->stats[op->args[0]] < 0)
        pull_shares(g, op->args[0], -1);
    if (op->args[0] >= g->n || g->grad[op->args[0]] < 0)
        return;
    const int dy = g->grad[op->args[0]];
    switch (op->kind) {
    case OP_AFFINE_POOL:
        grad_affine_pool(g, op, dy);
        break;
    case OP_AFFINE_SUM:
        grad_affine_sum(g, op, dy);
        break;
    case OP_CONV:
        grad_conv(g, op, dy);
        break;
    case OP_DEPTHWISE:
        grad_depthwise(g, op, dy);
        break;
    case OP_BATCHNORM:
        grad_batchnorm(g, op, dy);
        break;
    case OP_RELU:
        grad_relu(g, op, dy);
        break;
    case OP_WEIGHTED_SUM:
        grad_weighted_sum(g, op, dy);
        break;
    case OP_ATTENTION:
        grad_attention(g, op, dy);
        break;
    case OP_CONCAT_PART:
        grad_plain(g, op, dy, OP_CONCAT_PART_BACKWARD);
        break;
    case OP_ADAPTIVE_POOL:
        grad_plain(g, op, dy, OP_ADAPTIVE_POOL_BACKWARD);
        break;
    case OP_AVERAGE_POOL:
        grad_plain(g, op, dy, OP_AVERAGE_POOL);
        break;
    case OP_DROPOUT:
        grad_plain(g, op, dy, OP_DROPOUT);
        break;
    default:
        bug("no gradient rule for %s", op_info[op->kind].kernel);
    }
}

static void survey(Gradients *g)
{
    Ir *ir = g->ir;
    for (int t = 0; t < g->n; t++) {
        g->grad[t] = g->writer[t] = g->last_reader[t] = g->stats[t] = -1;
        g->wants[t] = false;
    }
    for (int o = 0; o < ir->n_forward; o++) {
        bool wants = false;
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const Arg arg = op_arg(&ir->ops[o], i);
            if (arg.tensor < 0)
                continue;
            if (arg.access & ACCESS_READ) {
                g->readers[arg.tensor]++;
                g->last_reader[arg.tensor] = o;
                wants =
                    wants || g->wants[arg.tensor] || ir->tensors[arg.tensor].space == SPACE_PARAM;
            }
            if (arg.access & ACCESS_WRITE)
                g->writer[arg.tensor] = o;
        }
        if (ir->ops[o].kind == OP_BATCHNORM_STATS)
            g->stats[ir->ops[o].args[6]] = o;
        if (ir->tensors[ir->ops[o].args[0]].space == SPACE_ARENA)
            g->wants[ir->ops[o].args[0]] |= wants;
    }
}

// One op for many: a thousand calls that write a few numbers each would be a twentieth of what the
// JIT compiles.
static void grad_zeros(Gradients *g)
{
    enum { MOST = 64 };
    Ir *ir = g->ir;
    if (g->n_zeros)
        ir_place(ir, "biases in front of a batch normalisation", "zero_biases");
    for (int i = 0; i < g->n_zeros; i++) {
        if (g->zeros[i] < 0)
            continue;
        int same[MOST], count = 0;
        const int64_t size = ir->tensors[g->zeros[i]].floats;
        for (int j = i; j < g->n_zeros && count < MOST; j++)
            if (g->zeros[j] >= 0 && ir->tensors[g->zeros[j]].floats == size) {
                same[count++] = g->zeros[j];
                g->zeros[j] = -1;
            }
        ir_op(ir, OP_ZERO, same, count, (Attr){.inputs = count, .size = (int)size});
    }
}

void differentiate(Ir *ir)
{
    const size_t n = (size_t)ir->n_tensors;
    Gradients g = {.ir = ir, .n = ir->n_tensors};
    g.grad = pool_alloc(ir->pool, n * sizeof *g.grad);
    g.writer = pool_alloc(ir->pool, n * sizeof *g.writer);
    g.readers = pool_alloc(ir->pool, n * sizeof *g.readers);
    g.last_reader = pool_alloc(ir->pool, n * sizeof *g.last_reader);
    g.stats = pool_alloc(ir->pool, n * sizeof *g.stats);
    g.pulls = pool_alloc(ir->pool, n * sizeof *g.pulls);
    g.sums = pool_alloc(ir->pool, n * sizeof *g.sums);
    g.wants = pool_alloc(ir->pool, n * sizeof *g.wants);
    g.zeros = pool_alloc(ir->pool, (size_t)ir->n_params * sizeof *g.zeros);
    ir->n_forward = ir->n_ops;
    survey(&g);
    g.grad[ir->logits] = ir->loss_gradient;
    for (int o = ir->n_forward - 1; o >= 0; o--) {
        const Op op = ir->ops[o]; // a copy: the list grows and moves
        if (op.kind == OP_LOSS || op.kind == OP_UNPACK_LOGITS || op.kind == OP_PACK_IMAGES ||
            op.kind == OP_PACK_WEIGHTS)
            continue;
        ir->place = op.place;
        grad_op(&g, &op);
    }
    grad_zeros(&g);
}

Ir *lower_update(const Ir *ir, Pool *pool)
{
    Ir *update = ir_new(ir->arch, ir->batch, ir->layout, pool);
    update->name = "update";
    ir_place(update, "update", "update");
    const int params = ir_vector(update, "params", SPACE_PARAM, ir->param_count, 0);
    const int momentum =
        ir_vector(update, "momentum", SPACE_STATE, ir->param_count, ir->running_count);
    const int grads = ir_vector(update, "grads", SPACE_GRAD, ir->param_count, 0);
    ir_op(update, OP_SGD, (int[]){params, momentum, grads}, 3,
          (Attr){.size = (int)ir->param_count});
    update->n_forward = update->n_ops;
    return update;
}
