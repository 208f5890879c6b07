// emit_onnx.c - the network with its weights as an ONNX model: for ONNX Runtime and whatever else
// reads ONNX, and the peer that the benchmark runs.
//
// In: the forward ops of lower.c for one image, as the network is defined (nothing fused, nothing
// folded: that is the reader's business), and weights.  Out: one ONNX node or a few for each op,
// opset 13; parameters are initializers under their own names.  A merge's learned scalars become
// the constants that inference multiplies by, their sigmoids.
#include "emit.h"
#include "ir.h"

#include <math.h>
#include <onnx.pb-c.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 13, IR_VERSION = 7, MOST_INPUTS = 5 };
#define NORM_EPSILON 1e-5f
#define ATTENTION_EPSILON 1e-12f // as in templates/attention.c

typedef struct {
    const Ir *ir;
    const TensorFile *weights;
    Pool *pool;
    int batch;
    Onnx__GraphProto *graph;
    size_t cap_nodes, cap_initializers;
    char **names;  // of the IR's tensors, unique
    bool *is_made; // parameters that are initializers already
    int *writer;   // op that writes a tensor
    int n_parts;   // of the concat under way
} Onnx;

// ---- pieces of a model --------------------------------------------------------------------------

static Onnx__NodeProto *add_node(Onnx *x, const char *type, char *output, char *const *inputs,
                                 int n_inputs)
{
    Onnx__GraphProto *g = x->graph;
    Onnx__NodeProto *node = pool_alloc(x->pool, sizeof *node);
    *node = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    node->op_type = pool_strdup(x->pool, type);
    node->name = output;
    node->n_input = (size_t)n_inputs;
    node->input = pool_alloc(x->pool, (size_t)(n_inputs + 1) * sizeof *node->input);
    memcpy(node->input, inputs, (size_t)n_inputs * sizeof *inputs);
    node->n_output = 1;
    node->output = pool_alloc(x->pool, sizeof *node->output);
    node->output[0] = output;
    g->node = pool_grow(x->pool, g->node, g->n_node, g->n_node + 1, &x->cap_nodes, sizeof *g->node);
    g->node[g->n_node++] = node;
    return node;
}

static Onnx__NodeProto *add_unary(Onnx *x, const char *type, char *output, char *input)
{
    return add_node(x, type, output, &input, 1);
}

static Onnx__NodeProto *add_binary(Onnx *x, const char *type, char *output, char *a, char *b)
{
    return add_node(x, type, output, (char *[]){a, b}, 2);
}

static Onnx__AttributeProto *add_attribute(Onnx *x, Onnx__NodeProto *node, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    enum { MOST = 8 };
    Onnx__AttributeProto *a = pool_alloc(x->pool, sizeof *a);
    *a = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    a->name = pool_strdup(x->pool, name);
    a->has_type = 1;
    a->type = type;
    if (!node->attribute)
        node->attribute = pool_alloc(x->pool, MOST * sizeof *node->attribute);
    if (node->n_attribute == MOST)
        bug("more than %d attributes of %s", MOST, node->op_type);
    node->attribute[node->n_attribute++] = a;
    return a;
}

static void add_int(Onnx *x, Onnx__NodeProto *node, const char *name, int value)
{
    Onnx__AttributeProto *a =
        add_attribute(x, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    a->has_i = 1;
    a->i = value;
}

static void add_float(Onnx *x, Onnx__NodeProto *node, const char *name, float value)
{
    Onnx__AttributeProto *a =
        add_attribute(x, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    a->has_f = 1;
    a->f = value;
}

static void add_ints(Onnx *x, Onnx__NodeProto *node, const char *name, const int *values, int n)
{
    Onnx__AttributeProto *a =
        add_attribute(x, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    a->n_ints = (size_t)n;
    a->ints = pool_alloc(x->pool, (size_t)n * sizeof *a->ints);
    for (int i = 0; i < n; i++)
        a->ints[i] = values[i];
}

// A new initializer of the given shape; returns its values, to be filled.
static float *add_initializer(Onnx *x, char *name, const int *shape, int rank)
{
    Onnx__GraphProto *g = x->graph;
    Onnx__TensorProto *t = pool_alloc(x->pool, sizeof *t);
    size_t count = 1;
    *t = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    t->name = name;
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    t->n_dims = (size_t)rank;
    t->dims = pool_alloc(x->pool, (size_t)(rank + 1) * sizeof *t->dims);
    for (int i = 0; i < rank; i++) {
        t->dims[i] = shape[i];
        count *= (size_t)shape[i];
    }
    t->has_raw_data = 1;
    t->raw_data.len = count * sizeof(float);
    t->raw_data.data = pool_alloc(x->pool, t->raw_data.len);
    g->initializer = pool_grow(x->pool, g->initializer, g->n_initializer, g->n_initializer + 1,
                               &x->cap_initializers, sizeof *g->initializer);
    g->initializer[g->n_initializer++] = t;
    return (float *)(void *)t->raw_data.data;
}

static char *add_scalar(Onnx *x, char *name, double value)
{
    *add_initializer(x, name, NULL, 0) = (float)value;
    return name;
}

// A parameter or running statistic under its own name.
static char *parameter(Onnx *x, int tensor)
{
    if (x->is_made[tensor])
        return x->names[tensor];
    const StoredTensor *s = tensors_find(x->weights, x->ir->tensors[tensor].name);
    int shape[8];
    for (int i = 0; i < s->rank; i++)
        shape[i] = (int)s->shape[i];
    float *values = add_initializer(x, x->names[tensor], shape, s->rank);
    for (int64_t i = 0; i < s->count; i++)
        values[i] = (float)tensor_value(s, i);
    x->is_made[tensor] = true;
    return x->names[tensor];
}

static double scalar_weight(const Onnx *x, int tensor)
{
    const double a = tensor_value(tensors_find(x->weights, x->ir->tensors[tensor].name), 0);
    return 1.0 / (1.0 + exp(-a));
}

static char *suffixed(const Onnx *x, int tensor, const char *suffix)
{
    return pool_printf(x->pool, "%s.%s", x->names[tensor], suffix);
}

// ---- ops ----------------------------------------------------------------------------------------

static void add_window(Onnx *x, Onnx__NodeProto *node, const Attr *a, int stride)
{
    const int h = a->kernel_h / 2, w = a->kernel_w / 2;
    add_ints(x, node, "kernel_shape", (int[]){a->kernel_h, a->kernel_w}, 2);
    add_ints(x, node, "pads", (int[]){h, w, h, w}, 4);
    add_ints(x, node, "strides", (int[]){stride, stride}, 2);
}

static void put_conv(Onnx *x, const Op *op)
{
    const int weight = x->ir->ops[x->writer[op->args[2]]].args[1];
    char *const y = x->names[op->args[0]], *const in = x->names[op->args[1]];
    char *const inputs[] = {in, parameter(x, weight), parameter(x, op->args[3])};
    if (tensors_find(x->weights, x->ir->tensors[weight].name)->rank == 4) {
        add_window(x, add_node(x, "Conv", y, inputs, 3), &op->attr, 1);
        return;
    }
    // the linear layer: of one pixel
    char *const flat = suffixed(x, op->args[0], "flat");
    add_int(x, add_unary(x, "Flatten", flat, in), "axis", 1);
    add_int(x, add_node(x, "Gemm", y, (char *[]){flat, inputs[1], inputs[2]}, 3), "transB", 1);
}

static void put_depthwise(Onnx *x, const Op *op)
{
    char *const inputs[] = {x->names[op->args[1]], parameter(x, op->args[2]),
                            parameter(x, op->args[3])};
    Onnx__NodeProto *node = add_node(x, "Conv", x->names[op->args[0]], inputs, 3);
    add_window(x, node, &op->attr, op->attr.stride);
    add_int(x, node, "group", op->attr.channels);
}

static void put_batchnorm(Onnx *x, const Op *op)
{
    char *inputs[MOST_INPUTS] = {x->names[op->args[1]]};
    for (int i = 1; i < MOST_INPUTS; i++)
        inputs[i] = parameter(x, op->args[1 + i]);
    Onnx__NodeProto *node =
        add_node(x, "BatchNormalization", x->names[op->args[0]], inputs, MOST_INPUTS);
    add_float(x, node, "epsilon", NORM_EPSILON);
}

// y = sum_j s_j x_j: a product for each term that has a weight, then their sum.
static void put_sum(Onnx *x, const Op *op)
{
    const int n = op->attr.inputs, y = op->args[0];
    char **terms = pool_alloc(x->pool, (size_t)n * sizeof *terms);
    for (int j = 0; j < n; j++) {
        const int scalar = op->args[1 + n + j];
        const double weight = scalar < 0 ? (double)op->attr.scale : scalar_weight(x, scalar);
        terms[j] = x->names[op->args[1 + j]];
        if (scalar < 0 && weight == 1.0 && n > 1)
            continue;
        char *const product =
            n == 1 ? x->names[y] : pool_printf(x->pool, "%s.term%d", x->names[y], j);
        char *const factor = pool_printf(x->pool, "%s.weight%d", x->names[y], j);
        add_binary(x, "Mul", product, terms[j], add_scalar(x, factor, weight));
        terms[j] = product;
    }
    if (n > 1)
        add_node(x, n == 2 ? "Add" : "Sum", x->names[y], terms, n);
}

static void put_extreme(Onnx *x, const char *type, char *output, char *input)
{
    Onnx__NodeProto *node = add_unary(x, type, output, input);
    add_ints(x, node, "axes", (int[]){1, 2, 3}, 3);
    add_int(x, node, "keepdims", 1);
}

// y = s (sigmoid(b) + (m - min m) / max(max m - min m, epsilon)), for each image.
static void put_attention(Onnx *x, const Op *op)
{
    const int y = op->args[0];
    char *const m = x->names[op->args[1]], *const low = suffixed(x, y, "low"),
                *const high = suffixed(x, y, "high"), *const spread = suffixed(x, y, "spread"),
                *const above = suffixed(x, y, "above"), *const part = suffixed(x, y, "part"),
                *const range = suffixed(x, y, "range"), *const gate = suffixed(x, y, "gate");
    put_extreme(x, "ReduceMin", low, m);
    put_extreme(x, "ReduceMax", high, m);
    add_binary(x, "Sub", spread, high, low);
    add_binary(x, "Max", range, spread,
               add_scalar(x, suffixed(x, y, "epsilon"), (double)ATTENTION_EPSILON));
    add_binary(x, "Sub", above, m, low);
    add_binary(x, "Div", part, above, range);
    add_binary(x, "Add", gate, part,
               add_scalar(x, suffixed(x, y, "bias"), scalar_weight(x, op->args[4])));
    add_binary(x, "Mul", x->names[y], x->names[op->args[2]], gate);
}

// The parts of a concat stand one after another, in order.
static void put_concat_part(Onnx *x, const Op *op)
{
    const Op *first = op - x->n_parts++;
    if (op->attr.offset + op->attr.channels < op->attr.total)
        return;
    char **parts = pool_alloc(x->pool, (size_t)x->n_parts * sizeof *parts);
    for (int i = 0; i < x->n_parts; i++)
        parts[i] = x->names[first[i].args[1]];
    add_int(x, add_node(x, "Concat", x->names[op->args[0]], parts, x->n_parts), "axis", 1);
    x->n_parts = 0;
}

// A matrix that averages `from` numbers to `to` as adaptive pooling does; [to][from], or
// transposed.
static char *averages(Onnx *x, char *name, int from, int to, bool transposed)
{
    float *values = add_initializer(x, name, transposed ? (int[]){from, to} : (int[]){to, from}, 2);
    for (int i = 0; i < to; i++) {
        const int begin = i * from / to, end = ((i + 1) * from + to - 1) / to;
        for (int j = begin; j < end; j++)
            values[transposed ? j * to + i : i * from + j] = 1.0f / (float)(end - begin);
    }
    return name;
}

static void put_adaptive_pool(Onnx *x, const Op *op)
{
    const Attr *a = &op->attr;
    const int y = op->args[0];
    char *const in = x->names[op->args[1]];
    if (a->out_height * a->out_width == 1) {
        add_unary(x, "GlobalAveragePool", x->names[y], in);
    } else if (a->height % a->out_height == 0 && a->width % a->out_width == 0) {
        const int window[] = {a->height / a->out_height, a->width / a->out_width};
        Onnx__NodeProto *node = add_unary(x, "AveragePool", x->names[y], in);
        add_ints(x, node, "kernel_shape", window, 2);
        add_ints(x, node, "strides", window, 2);
    } else { // windows of different sizes: rows and columns averaged by a matrix each
        char *const columns = suffixed(x, y, "columns");
        add_binary(x, "MatMul", columns, in,
                   averages(x, suffixed(x, y, "by_column"), a->width, a->out_width, true));
        char *const rows = averages(x, suffixed(x, y, "by_row"), a->height, a->out_height, false);
        add_binary(x, "MatMul", x->names[y], rows, columns);
    }
}

static void put_average_pool(Onnx *x, const Op *op)
{
    Attr a = op->attr;
    a.kernel_w = a.kernel_h;
    Onnx__NodeProto *node =
        add_unary(x, "AveragePool", x->names[op->args[0]], x->names[op->args[1]]);
    add_window(x, node, &a, 1);
    add_int(x, node, "count_include_pad", 1);
}

static void put_op(Onnx *x, const Op *op)
{
    switch (op->kind) {
    case OP_PACK_WEIGHTS:    // an order of weights that only our kernels want
    case OP_ATTENTION_RANGE: // part of the attention's nodes
        return;
    case OP_CONV:
        put_conv(x, op);
        return;
    case OP_DEPTHWISE:
        put_depthwise(x, op);
        return;
    case OP_BATCHNORM_INFER:
        put_batchnorm(x, op);
        return;
    case OP_RELU:
        add_unary(x, "Relu", x->names[op->args[0]], x->names[op->args[1]]);
        return;
    case OP_WEIGHTED_SUM:
        put_sum(x, op);
        return;
    case OP_ATTENTION:
        put_attention(x, op);
        return;
    case OP_CONCAT_PART:
        put_concat_part(x, op);
        return;
    case OP_ADAPTIVE_POOL:
        put_adaptive_pool(x, op);
        return;
    case OP_AVERAGE_POOL:
        put_average_pool(x, op);
        return;
    case OP_UNPACK_LOGITS:
        add_unary(x, "Identity", x->names[op->args[0]], x->names[op->args[1]]);
        return;
    default:
        bug("%s in ONNX", op_info[op->kind].kernel);
    }
}

// ---- the model ----------------------------------------------------------------------------------

static Onnx__ValueInfoProto *value_info(const Onnx *x, char *name, const int *shape, int rank)
{
    Onnx__ValueInfoProto *info = pool_alloc(x->pool, sizeof *info);
    Onnx__TypeProto *type = pool_alloc(x->pool, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = pool_alloc(x->pool, sizeof *tensor);
    Onnx__TensorShapeProto *dims = pool_alloc(x->pool, sizeof *dims);
    *info = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    *type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    *tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    *dims = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    info->name = name;
    info->type = type;
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = dims;
    dims->n_dim = (size_t)rank;
    dims->dim = pool_alloc(x->pool, (size_t)rank * sizeof *dims->dim);
    for (int i = 0; i < rank; i++) {
        Onnx__TensorShapeProto__Dimension *dim = pool_alloc(x->pool, sizeof *dim);
        *dim = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        dim->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        dim->dim_value = shape[i];
        dims->dim[i] = dim;
    }
    return info;
}

static int by_name(const void *a, const void *b)
{
    const Tensor *const *x = a, *const *y = b;
    const int order = strcmp((*x)->name, (*y)->name);
    return order ? order : (*x < *y ? -1 : *x > *y);
}

// Names of tensors, with a number behind those that are not the first of their name.
static void name_tensors(Onnx *x)
{
    const Ir *ir = x->ir;
    const size_t n = (size_t)ir->n_tensors;
    const Tensor **sorted = pool_alloc(x->pool, (n + 1) * sizeof *sorted);
    x->names = pool_alloc(x->pool, (n + 1) * sizeof *x->names);
    for (int t = 0; t < ir->n_tensors; t++)
        sorted[t] = &ir->tensors[t];
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++) {
        const int t = (int)(sorted[i] - ir->tensors);
        const bool again = i > 0 && !strcmp(sorted[i]->name, sorted[i - 1]->name);
        x->names[t] = again ? pool_printf(x->pool, "%s#%d", sorted[i]->name, t)
                            : pool_strdup(x->pool, sorted[i]->name);
    }
}

static void put_graph(Onnx *x)
{
    const Ir *ir = x->ir;
    const Arch *arch = ir->arch;
    Onnx__GraphProto *g = x->graph;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++)
            if (ir->ops[o].args[i] >= 0 && (op_arg(&ir->ops[o], i).access & ACCESS_WRITE))
                x->writer[ir->ops[o].args[i]] = o;
    for (int o = 0; o < ir->n_ops; o++)
        put_op(x, &ir->ops[o]);
    g->name = pool_strdup(x->pool, arch->name ? arch->name : "net");
    g->n_input = g->n_output = 1;
    g->input = pool_alloc(x->pool, sizeof *g->input);
    g->output = pool_alloc(x->pool, sizeof *g->output);
    g->input[0] = value_info(x, pool_strdup(x->pool, "image"),
                             (int[]){x->batch, arch->channels, arch->height, arch->width}, 4);
    g->output[0] =
        value_info(x, pool_strdup(x->pool, "logits"), (int[]){x->batch, arch->classes}, 2);
}

// What travels in the metadata of weights: classes, mean and deviation; always the architecture.
static void put_metadata(const Onnx *x, Onnx__ModelProto *model)
{
    const TensorFile *w = x->weights;
    model->metadata_props =
        pool_alloc(x->pool, (size_t)(w->n_metadata + 1) * sizeof *model->metadata_props);
    for (int i = 0; i < w->n_metadata; i++) {
        if (strncmp(w->keys[i], "nago.", 5) != 0 || !strcmp(w->keys[i], "nago.arch"))
            continue;
        Onnx__StringStringEntryProto *entry = pool_alloc(x->pool, sizeof *entry);
        *entry = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
        entry->key = pool_strdup(x->pool, w->keys[i]);
        entry->value = pool_strdup(x->pool, w->values[i]);
        model->metadata_props[model->n_metadata_props++] = entry;
    }
    Onnx__StringStringEntryProto *entry = pool_alloc(x->pool, sizeof *entry);
    Text arch = {0};
    arch_print(x->ir->arch, &arch);
    *entry = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    entry->key = pool_strdup(x->pool, "nago.arch");
    entry->value = pool_strdup(x->pool, arch.data);
    model->metadata_props[model->n_metadata_props++] = entry;
    text_free(&arch);
}

static void write_model(const Onnx *x, Text *out)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    Text words = {0};
    opset.domain = pool_strdup(x->pool, "");
    opset.has_version = model.has_ir_version = 1;
    opset.version = OPSET;
    model.ir_version = IR_VERSION;
    model.n_opset_import = 1;
    model.opset_import = &opsets;
    model.producer_name = pool_strdup(x->pool, "nagoc");
    model.producer_version = pool_strdup(x->pool, NAGO_VERSION);
    arch_describe(x->ir->arch, &words);
    model.doc_string = pool_strdup(x->pool, words.data);
    text_free(&words);
    model.graph = x->graph;
    put_metadata(x, &model);
    const size_t size = onnx__model_proto__get_packed_size(&model);
    uint8_t *bytes = pool_alloc(x->pool, size);
    onnx__model_proto__pack(&model, bytes);
    text_add(out, (const char *)bytes, size);
}

static bool put_model(const Arch *arch, const EmitOptions *options, const TensorFile *weights,
                      Pool *pool, Text *out, Err *err)
{
    const Ir *ir = lower(arch, 1, LAYOUT_PIXELS, false, pool);
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    const size_t n = (size_t)ir->n_tensors + 1;
    Onnx x = {.ir = ir,
              .weights = weights,
              .pool = pool,
              .batch = options->batch > 0 ? options->batch : 1,
              .graph = &graph,
              .is_made = pool_alloc(pool, n * sizeof *x.is_made),
              .writer = pool_alloc(pool, n * sizeof *x.writer)};
    if (!weights_check(ir, weights, err))
        return false;
    name_tensors(&x);
    put_graph(&x);
    write_model(&x, out);
    return true;
}

bool emit_onnx(const Arch *arch, const EmitOptions *options, Text *out, Err *err)
{
    Pool *pool = pool_new();
    Text text = {0};
    TensorFile initial;
    const TensorFile *weights = options->weights;
    bool done = true;
    if (!weights) {
        done = emit_weights(arch, options->seed, &text, err) &&
               tensors_parse("initial weights", text.data, text.length, &initial, pool, err);
        weights = &initial;
    }
    done = done && put_model(arch, options, weights, pool, out, err);
    text_free(&text);
    pool_free(pool);
    return done;
}
