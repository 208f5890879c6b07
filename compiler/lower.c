// lower.c - architecture to forward ops, exactly as the network is defined (docs/semantics.md,
// section 3).
//
// Tensors are named by their place ("cell2.node0.op1.conv3x3"), parameters as in the reference
// implementation's state_dict ("node_ops.2.node_ops.0.node_ops.1.operation.op.weight"), so that
// weights travel both ways.
#include "ir.h"

#include <string.h>

typedef struct {
    Ir *ir;
    const Arch *arch;
    bool training;
    int *relu_of; // tensor -> its ReLU, 0: none yet (tensor 0 is the packed images)
    int n_relu_of;
} Lowering;

static char *name(const Lowering *l, const char *base, const char *suffix)
{
    return pool_printf(l->ir->pool, "%s%s", base, suffix);
}

// ---- parameters ---------------------------------------------------------------------------------

static int add_param(Lowering *l, char *param_name, int rank, const int shape[4], InitKind init,
                     int fan)
{
    Ir *ir = l->ir;
    NetTensor p = {.name = param_name, .rank = rank, .count = 1, .init = init, .fan = fan};
    for (int i = 0; i < rank; i++) {
        p.shape[i] = shape[i];
        p.count *= shape[i];
    }
    p.offset = ir->param_count;
    ir->params = pool_grow(ir->pool, ir->params, (size_t)ir->n_params, (size_t)ir->n_params + 1,
                           &ir->cap_params, sizeof *ir->params);
    ir->params[ir->n_params++] = p;
    ir->param_count += p.count;
    return ir_vector(ir, param_name, SPACE_PARAM, p.count, p.offset);
}

static int add_vector_param(Lowering *l, char *param_name, int count, InitKind init, int fan)
{
    return add_param(l, param_name, 1, (int[4]){count}, init, fan);
}

static int add_running(Lowering *l, char *running_name, int channels, InitKind init)
{
    Ir *ir = l->ir;
    ir->running = pool_grow(ir->pool, ir->running, (size_t)ir->n_running, (size_t)ir->n_running + 1,
                            &ir->cap_running, sizeof *ir->running);
    ir->running[ir->n_running++] = (NetTensor){.name = running_name,
                                               .rank = 1,
                                               .shape = {channels},
                                               .offset = ir->running_count,
                                               .count = channels,
                                               .init = init};
    const int tensor = ir_vector(ir, running_name, SPACE_STATE, channels, ir->running_count);
    ir->running_count += channels;
    return tensor;
}

// ---- single ops ---------------------------------------------------------------------------------

static const Tensor *tensor(const Lowering *l, int index)
{
    return &l->ir->tensors[index];
}

// Convolution with bias; `path` names the parameters, `label` the result.
static int lower_conv(Lowering *l, const char *path, char *label, int x, int filters, int kernel_h,
                      int kernel_w, bool linear)
{
    Ir *ir = l->ir;
    const Tensor in = *tensor(l, x);
    const int channels = in.channels, fan_in = channels * kernel_h * kernel_w;
    const int w = add_param(l, name(l, path, ".weight"), linear ? 2 : 4,
                            (int[4]){filters, channels, kernel_h, kernel_w},
                            linear ? INIT_UNIFORM_FAN_IN : INIT_HE_FAN_OUT,
                            linear ? fan_in : filters * kernel_h * kernel_w);
    const int b = add_vector_param(l, name(l, path, ".bias"), filters, INIT_UNIFORM_FAN_IN, fan_in);
    const int p =
        ir_vector(ir, name(l, label, ".packed"), SPACE_ARENA, (int64_t)fan_in * filters, -1);
    const int y = ir_tensor(ir, label, SPACE_ARENA, filters, in.height, in.width);
    const Attr attr = {.channels = channels,
                       .height = in.height,
                       .width = in.width,
                       .filters = filters,
                       .kernel_h = kernel_h,
                       .kernel_w = kernel_w};
    ir_op(ir, OP_PACK_WEIGHTS, (int[]){p, w}, 2, attr);
    ir_op(ir, OP_CONV, (int[]){y, x, p, b}, 4, attr);
    ir->macs += (int64_t)fan_in * filters * in.height * in.width;
    return y;
}

static int lower_depthwise(Lowering *l, const char *path, char *label, int x, int kernel_h,
                           int kernel_w, int stride)
{
    Ir *ir = l->ir;
    const Tensor in = *tensor(l, x);
    const int out_h = (in.height + 2 * (kernel_h / 2) - kernel_h) / stride + 1;
    const int out_w = (in.width + 2 * (kernel_w / 2) - kernel_w) / stride + 1;
    const int w =
        add_param(l, name(l, path, ".weight"), 4, (int[4]){in.channels, 1, kernel_h, kernel_w},
                  INIT_HE_FAN_OUT, in.channels * kernel_h * kernel_w);
    const int b = add_vector_param(l, name(l, path, ".bias"), in.channels, INIT_UNIFORM_FAN_IN,
                                   kernel_h * kernel_w);
    const int y = ir_tensor(ir, label, SPACE_ARENA, in.channels, out_h, out_w);
    ir_op(ir, OP_DEPTHWISE, (int[]){y, x, w, b}, 4,
          (Attr){.channels = in.channels,
                 .height = in.height,
                 .width = in.width,
                 .kernel_h = kernel_h,
                 .kernel_w = kernel_w,
                 .stride = stride,
                 .out_height = out_h,
                 .out_width = out_w});
    ir->macs += (int64_t)in.channels * kernel_h * kernel_w * out_h * out_w;
    return y;
}

// A depthwise convolution, then a 1x1 that mixes the channels.
static int lower_separable(Lowering *l, const char *path, const char *label, int x, int filters,
                           int kernel_h, int kernel_w, int stride)
{
    const int d = lower_depthwise(l, name(l, path, ".depthwise"), name(l, label, ".depthwise"), x,
                                  kernel_h, kernel_w, stride);
    return lower_conv(l, name(l, path, ".pointwise"), name(l, label, ".pointwise"), d, filters, 1,
                      1, false);
}

static int lower_batchnorm(Lowering *l, const char *path, char *label, int y)
{
    Ir *ir = l->ir;
    const Tensor in = *tensor(l, y);
    const int c = in.channels;
    const int gamma = add_vector_param(l, name(l, path, ".weight"), c, INIT_ONE, 0);
    const int beta = add_vector_param(l, name(l, path, ".bias"), c, INIT_ZERO, 0);
    const int mean = add_running(l, name(l, path, ".running_mean"), c, INIT_ZERO);
    const int var = add_running(l, name(l, path, ".running_var"), c, INIT_ONE);
    const int z = ir_tensor(ir, label, SPACE_ARENA, c, in.height, in.width);
    const Attr attr = {.channels = c, .size = in.height * in.width};
    if (!l->training) {
        ir_op(ir, OP_BATCHNORM_INFER, (int[]){z, y, gamma, beta, mean, var}, 6, attr);
        return z;
    }
    const int batch_mean = ir_vector(ir, name(l, label, ".mean"), SPACE_ARENA, c, -1);
    const int batch_rstd = ir_vector(ir, name(l, label, ".rstd"), SPACE_ARENA, c, -1);
    ir_op(ir, OP_BATCHNORM, (int[]){z, batch_mean, batch_rstd, mean, var, y, gamma, beta}, 8, attr);
    return z;
}

// ReLU of a tensor that several ops read is computed once.
static int lower_relu(Lowering *l, int x)
{
    if (x < l->n_relu_of && l->relu_of[x])
        return l->relu_of[x];
    const Tensor in = *tensor(l, x);
    const int y =
        ir_tensor(l->ir, name(l, in.name, ".relu"), SPACE_ARENA, in.channels, in.height, in.width);
    ir_op(l->ir, OP_RELU, (int[]){y, x}, 2,
          (Attr){.channels = in.channels, .size = in.height * in.width});
    if (x >= l->n_relu_of) {
        int *grown = pool_alloc(l->ir->pool, (size_t)(2 * x + 64) * sizeof *grown);
        if (l->n_relu_of)
            memcpy(grown, l->relu_of, (size_t)l->n_relu_of * sizeof *grown);
        l->relu_of = grown;
        l->n_relu_of = 2 * x + 64;
    }
    l->relu_of[x] = y;
    return y;
}

// Adaptive average pooling to height x width; the tensor itself where it is not larger.
static int lower_resize(Lowering *l, int x, int height, int width)
{
    const Tensor in = *tensor(l, x);
    if (in.height <= height && in.width <= width)
        return x;
    const int y =
        ir_tensor(l->ir, name(l, in.name, ".pooled"), SPACE_ARENA, in.channels, height, width);
    ir_op(l->ir, OP_ADAPTIVE_POOL, (int[]){y, x}, 2,
          (Attr){.channels = in.channels,
                 .height = in.height,
                 .width = in.width,
                 .out_height = height,
                 .out_width = width});
    return y;
}

// y = sum_j s_j x_j; scalars[j] < 0: the weight `scale`.
static int lower_weighted_sum(Lowering *l, char *label, const int *xs, const int *scalars, int n,
                              float scale)
{
    const Tensor in = *tensor(l, xs[0]);
    const int y = ir_tensor(l->ir, label, SPACE_ARENA, in.channels, in.height, in.width);
    int *args = pool_alloc(l->ir->pool, (size_t)(2 * n + 1) * sizeof *args);
    args[0] = y;
    memcpy(args + 1, xs, (size_t)n * sizeof *xs);
    memcpy(args + 1 + n, scalars, (size_t)n * sizeof *scalars);
    ir_op(
        l->ir, OP_WEIGHTED_SUM, args, 2 * n + 1,
        (Attr){.inputs = n, .channels = in.channels, .scale = scale, .size = in.height * in.width});
    return y;
}

// The mean of a graph's outputs.
static int lower_mean(Lowering *l, char *label, const int *xs, int n)
{
    if (n == 1)
        return xs[0];
    int *none = pool_alloc(l->ir->pool, (size_t)n * sizeof *none);
    memset(none, -1, (size_t)n * sizeof *none);
    return lower_weighted_sum(l, label, xs, none, n, 1.0f / (float)n);
}

// ---- merges -------------------------------------------------------------------------------------

// g_j of the semantics: a learned scalar where the channels agree, else a 1x1 convolution.  Fills
// xs[j], scalars[j].
static void lower_term(Lowering *l, const char *path, const char *label, int j, int channels,
                       int *x, int *scalar)
{
    const char *term = pool_printf(l->ir->pool, "%s.merger.%d", path, j);
    *scalar = -1;
    if (tensor(l, *x)->channels == channels)
        *scalar = add_vector_param(l, name(l, term, ".mean"), 1, INIT_ONE, 0);
    else
        *x = lower_conv(l, term, pool_printf(l->ir->pool, "%s.projection%d", label, j), *x,
                        channels, 1, 1, false);
}

static int lower_attention(Lowering *l, const char *path, const char *label, int *xs,
                           const int *scalars, int n)
{
    Ir *ir = l->ir;
    const int b =
        add_vector_param(l, pool_printf(ir->pool, "%s.merger.%d.mean", path, n), 1, INIT_ONE, 0);
    const int m =
        scalars[0] < 0 ? xs[0] : lower_weighted_sum(l, name(l, label, ".m"), xs, scalars, 1, 1.0f);
    const int s = n == 2 && scalars[1] < 0 ? xs[1]
                                           : lower_weighted_sum(l, name(l, label, ".s"), xs + 1,
                                                                scalars + 1, n - 1, 1.0f);
    const Tensor in = *tensor(l, m);
    const Attr attr = {.channels = in.channels, .size = in.height * in.width};
    const int64_t lanes = ir->layout == LAYOUT_PIXELS ? 1 : (int64_t)LANES * ir->groups;
    const int range = ir_vector(ir, name(l, label, ".range"), SPACE_ARENA, 2 * lanes, -1);
    const int y =
        ir_tensor(ir, name(l, label, ".attention"), SPACE_ARENA, in.channels, in.height, in.width);
    ir_op(ir, OP_ATTENTION_RANGE, (int[]){range, m}, 2, attr);
    ir_op(ir, OP_ATTENTION, (int[]){y, m, s, range, b}, 5, attr);
    return y;
}

static int lower_concat(Lowering *l, const char *label, const int *xs, int n)
{
    int total = 0, offset = 0;
    for (int j = 0; j < n; j++)
        total += tensor(l, xs[j])->channels;
    const Tensor in = *tensor(l, xs[0]);
    const int y =
        ir_tensor(l->ir, name(l, label, ".concat"), SPACE_ARENA, total, in.height, in.width);
    for (int j = 0; j < n; j++) {
        const int channels = tensor(l, xs[j])->channels;
        ir_op(l->ir, OP_CONCAT_PART, (int[]){y, xs[j]}, 2,
              (Attr){.total = total,
                     .offset = offset,
                     .channels = channels,
                     .size = in.height * in.width});
        offset += channels;
    }
    return y;
}

// Brings a vertex's inputs together.
static int lower_merge(Lowering *l, const char *path, const char *label, const Vertex *v,
                       const int *inputs)
{
    const int n = v->n_inputs;
    if (n <= 1)
        return inputs[0];
    if (v->merge == MERGE_CONCAT)
        return lower_concat(l, label, inputs, n);
    int *xs = pool_alloc(l->ir->pool, (size_t)n * sizeof *xs),
        *scalars = pool_alloc(l->ir->pool, (size_t)n * sizeof *xs);
    for (int j = 0; j < n; j++) {
        xs[j] = inputs[j];
        lower_term(l, path, label, j, v->in_channels, &xs[j], &scalars[j]);
    }
    return v->merge == MERGE_ATTENTION
               ? lower_attention(l, path, label, xs, scalars, n)
               : lower_weighted_sum(l, name(l, label, ".sum"), xs, scalars, n, 1.0f);
}

// ---- the hierarchy ------------------------------------------------------------------------------

static int lower_atom(Lowering *l, const char *path, const char *label, const Vertex *op, int x)
{
    const AtomInfo *info = &atom_info[op->atom];
    char *y_name = pool_printf(l->ir->pool, "%s.%s", label, info->name);
    const Tensor in = *tensor(l, x);
    if (info->is_pool) {
        const int y = ir_tensor(l->ir, y_name, SPACE_ARENA, in.channels, in.height, in.width);
        ir_op(l->ir, OP_AVERAGE_POOL, (int[]){y, x}, 2,
              (Attr){.channels = in.channels,
                     .height = in.height,
                     .width = in.width,
                     .kernel_h = info->kernel_h});
        return y;
    }
    const char *conv = name(l, path, ".operation.op");
    const int r = lower_relu(l, x);
    const int y = l->arch->depthwise ? lower_separable(l, conv, y_name, r, op->out_channels,
                                                       info->kernel_h, info->kernel_w, 1)
                                     : lower_conv(l, conv, y_name, r, op->out_channels,
                                                  info->kernel_h, info->kernel_w, false);
    return lower_batchnorm(l, name(l, path, ".operation.bn"), name(l, label, ".bn"), y);
}

static int lower_vertex(Lowering *l, const char *path, const char *label, const Vertex *v,
                        const int *inputs, int depth);

// A graph of vertices fed by one tensor: returns the mean of its outputs.
static int lower_graph(Lowering *l, const char *path, const char *label, const Vertex *vertices,
                       int n, int x, int depth)
{
    static const char *const word[] = {"cell", "node", "op"};
    Pool *pool = l->ir->pool;
    int *made = pool_alloc(pool, (size_t)n * sizeof *made),
        *outputs = pool_alloc(pool, (size_t)n * sizeof *made);
    int n_outputs = 0;
    for (int i = 0; i < n; i++) {
        const Vertex *v = &vertices[i];
        int *inputs = pool_alloc(pool, (size_t)(v->n_inputs + 1) * sizeof *inputs);
        inputs[0] = x;
        for (int j = 0; j < v->n_inputs; j++)
            inputs[j] = made[v->inputs[j]];
        made[i] =
            lower_vertex(l, pool_printf(pool, "%s.node_ops.%d", path, i),
                         pool_printf(pool, "%s.%s%d", label, word[depth], i), v, inputs, depth);
        if (v->is_output)
            outputs[n_outputs++] = made[i];
    }
    return lower_mean(l, name(l, label, ".mean"), outputs, n_outputs);
}

static int lower_vertex(Lowering *l, const char *path, const char *label, const Vertex *v,
                        const int *inputs, int depth)
{
    const int x = lower_merge(l, path, label, v, inputs);
    return v->n_children ? lower_graph(l, path, label, v->children, v->n_children, x, depth + 1)
                         : lower_atom(l, path, label, v, x);
}

static int lower_stem(Lowering *l, int images)
{
    const int c0 = l->arch->stem_channels, half = c0 / 2 > 1 ? c0 / 2 : 1;
    char *label = pool_strdup(l->ir->pool, "stem");
    if (!l->arch->large_stem) {
        int y = lower_conv(l, "first_conv.0", name(l, label, ".conv0"), images, c0, 3, 3, false);
        y = lower_batchnorm(l, "first_conv.1", name(l, label, ".bn0"), y);
        y = lower_conv(l, "first_conv.3", name(l, label, ".conv1"), lower_relu(l, y), c0, 3, 3,
                       false);
        return lower_batchnorm(l, "first_conv.4", name(l, label, ".bn1"), y);
    }
    int y = lower_separable(l, "first_conv.0", name(l, label, ".conv0"), images, half, 3, 3, 2);
    y = lower_batchnorm(l, "first_conv.1", name(l, label, ".bn0"), y);
    y = lower_separable(l, "first_conv.2.conv", name(l, label, ".conv1"), lower_relu(l, y), c0, 3,
                        3, 2);
    return lower_batchnorm(l, "first_conv.2.bn", name(l, label, ".bn1"), y);
}

// The top-level graph: inputs come at their stage's size; outputs are brought to one size and
// channel count.
static int lower_cells(Lowering *l, int stem)
{
    const Arch *arch = l->arch;
    Pool *pool = l->ir->pool;
    int *made = pool_alloc(pool, (size_t)arch->n_cells * sizeof *made);
    int *outputs = pool_alloc(pool, (size_t)arch->n_cells * sizeof *made), n_outputs = 0;
    int height = MAX_SIDE, width = MAX_SIDE, last = 0;
    for (int i = 0; i < arch->n_cells; i++) {
        const Vertex *cell = &arch->cells[i];
        const int h = arch->stage_height[cell->stage], w = arch->stage_width[cell->stage];
        ir_place(l->ir, pool_printf(pool, "cell %d", i), pool_printf(pool, "cell_%d", i));
        int *inputs = pool_alloc(pool, (size_t)(cell->n_inputs + 1) * sizeof *inputs);
        inputs[0] = stem;
        for (int j = 0; j < cell->n_inputs; j++)
            inputs[j] = made[cell->inputs[j]];
        for (int j = 0; j < cell->n_inputs || j == 0; j++)
            inputs[j] = lower_resize(l, inputs[j], h, w);
        made[i] = lower_vertex(l, pool_printf(pool, "node_ops.%d", i),
                               pool_printf(pool, "cell%d", i), cell, inputs, 0);
        if (!cell->is_output)
            continue;
        outputs[n_outputs++] = made[i];
        height = tensor(l, made[i])->height < height ? tensor(l, made[i])->height : height;
        width = tensor(l, made[i])->width < width ? tensor(l, made[i])->width : width;
        last = tensor(l, made[i])->channels;
    }
    ir_place(l->ir, "head", "head");
    for (int j = 0; j < n_outputs; j++) {
        outputs[j] = lower_resize(l, outputs[j], height, width);
        if (tensor(l, outputs[j])->channels != last)
            outputs[j] = lower_conv(l, pool_printf(pool, "out_mergers.%d", j),
                                    pool_printf(pool, "head.projection%d", j), outputs[j], last, 1,
                                    1, false);
    }
    return lower_mean(l, pool_strdup(pool, "head.mean"), outputs, n_outputs);
}

static int lower_head(Lowering *l, int x)
{
    Ir *ir = l->ir;
    Pool *pool = ir->pool;
    int y = lower_conv(l, "conv_out.1", pool_strdup(pool, "head.conv"), lower_relu(l, x),
                       HEAD_CHANNELS, 1, 1, false);
    y = lower_relu(l, lower_batchnorm(l, "conv_out.2", pool_strdup(pool, "head.bn"), y));
    y = lower_resize(l, y, 1, 1);
    if (l->training) {
        const int d = ir_tensor(ir, "head.dropout", SPACE_ARENA, HEAD_CHANNELS, 1, 1);
        ir_op(ir, OP_DROPOUT, (int[]){d, y}, 2, (Attr){.channels = HEAD_CHANNELS});
        y = d;
    }
    return lower_conv(l, "fc", pool_strdup(pool, "head.logits"), y, l->arch->classes, 1, 1, true);
}

static void lower_results(Lowering *l, int logits)
{
    Ir *ir = l->ir;
    const Attr attr = {.classes = l->arch->classes};
    const int out = ir_vector(ir, "logits", SPACE_LOGITS, (int64_t)ir->batch * l->arch->classes, 0);
    ir->logits = logits;
    ir_op(ir, OP_UNPACK_LOGITS, (int[]){out, logits}, 2, attr);
    if (!l->training)
        return;
    const int labels = ir_vector(ir, "labels", SPACE_LABELS, ir->batch, 0),
              loss = ir_vector(ir, "loss", SPACE_LOSS, 1, 0);
    ir->loss_gradient = ir_tensor(ir, "d.head.logits", SPACE_ARENA, l->arch->classes, 1, 1);
    ir_op(ir, OP_LOSS, (int[]){ir->loss_gradient, loss, logits, labels}, 4, attr);
}

// The tensor that the stem reads: one image as it is, or a batch packed into groups.
static int lower_images(Lowering *l)
{
    Ir *ir = l->ir;
    const Arch *arch = l->arch;
    if (ir->layout == LAYOUT_PIXELS) {
        const int image =
            ir_tensor(ir, "image", SPACE_IMAGES, arch->channels, arch->height, arch->width);
        ir->tensors[image].offset = 0;
        return image;
    }
    const int packed =
        ir_tensor(ir, "images.packed", SPACE_ARENA, arch->channels, arch->height, arch->width);
    const int images =
        ir_vector(ir, "images", SPACE_IMAGES,
                  (int64_t)ir->batch * arch->channels * arch->height * arch->width, 0);
    ir_op(ir, OP_PACK_IMAGES, (int[]){packed, images}, 2,
          (Attr){.channels = arch->channels, .height = arch->height, .width = arch->width});
    return packed;
}

Ir *lower(const Arch *arch, int batch, Layout layout, bool training, Pool *pool)
{
    Lowering l = {ir_new(arch, batch, layout, pool), arch, training, NULL, 0};
    Ir *ir = l.ir;
    ir->name = training ? "gradient" : "infer";
    ir_place(ir, "stem", "stem");
    lower_results(&l, lower_head(&l, lower_cells(&l, lower_stem(&l, lower_images(&l)))));
    ir->n_forward = ir->n_ops;
    return ir;
}
