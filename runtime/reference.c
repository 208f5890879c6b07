// reference.c - interprets an Arch in double precision, forward and backward.
//
// One walk over the hierarchy (stem, cells, nodes, ops, outputs, head) serves everything.  Each
// step of the walk is a function run_NAME that computes a Value from Values and, when gradients are
// wanted, leaves a Record on a tape; the backward pass reads the tape from its end:
//
//     walk:  x -conv-> a -norm-> b -relu-> c ...        tape:  [conv] <- [norm] <- [relu] <- ...
//
// Parameters are declared by the same walk over a batch of zero images, and met again in the same
// order in every later walk.  Definition: docs/semantics.md, 2 to 4.
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct Reference {
    const Arch *arch;
    Pool *pool;
    ReferenceTensor *tensors;
    size_t n_tensors, capacity;
    ReferenceTensor **by_name; // sorted
};

// An activation and, when gradients are wanted, its gradient.
typedef struct {
    ReferenceShape shape;
    double *x, *dx;
} Value;

// One executed op: what its backward function needs.  Each op uses the fields it has a use for.
typedef struct Record Record;
struct Record {
    void (*backward)(const Record *record);
    Record *previous;
    Value *in, *out;
    int n_inputs;            // merges
    Value **inputs;          // merges
    ReferenceTensor **gates; // merges; an entry is NULL where the factor is 1
    double scale;            // merges
    ReferenceTensor *weight, *bias;
    ReferenceConv conv;
    double *mean, *inverse; // batch norm
    int kernel;             // pools
    const double *factors;  // dropout
};

typedef enum { WALK_DECLARE, WALK_INFER, WALK_LOSS, WALK_GRADIENT } Walk;

typedef struct {
    Reference *reference;
    Pool *pool; // ends with the walk
    Walk walk;
    int batch;
    const double *dropout;
    size_t next; // the next tensor of the network to meet
    Record *last;
} Run;

// ---- values, tensors, records -------------------------------------------------------------------

static Value *value_new(Run *run, ReferenceShape shape)
{
    Value *value = pool_alloc(run->pool, sizeof *value);
    value->shape = shape;
    value->x = pool_alloc(run->pool, reference_count(shape) * sizeof(double));
    if (run->walk == WALK_GRADIENT)
        value->dx = pool_alloc(run->pool, reference_count(shape) * sizeof(double));
    return value;
}

static Record *record_new(Run *run, void (*backward)(const Record *), Value *in, Value *out)
{
    Record *record = pool_alloc(run->pool, sizeof *record);
    record->backward = backward;
    record->previous = run->last;
    record->in = in;
    record->out = out;
    run->last = record;
    return record;
}

static ReferenceTensor *tensor_declare(Reference *reference, const char *name, ReferenceKind kind,
                                       int rank, const int *shape)
{
    reference->tensors =
        pool_grow(reference->pool, reference->tensors, reference->n_tensors,
                  reference->n_tensors + 1, &reference->capacity, sizeof *reference->tensors);
    ReferenceTensor *tensor = &reference->tensors[reference->n_tensors++];
    *tensor = (ReferenceTensor){.name = name, .kind = kind, .rank = rank, .count = 1};
    for (int i = 0; i < rank; i++) {
        tensor->shape[i] = shape[i];
        tensor->count *= (size_t)shape[i];
    }
    tensor->values = pool_alloc(reference->pool, tensor->count * sizeof(double));
    if (kind == REFERENCE_PARAM) {
        tensor->grad = pool_alloc(reference->pool, tensor->count * sizeof(double));
        tensor->momentum = pool_alloc(reference->pool, tensor->count * sizeof(double));
    }
    return tensor;
}

static bool name_is(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(prefix);
    return !strncmp(name, prefix, length) && name[length] == '.' &&
           !strcmp(name + length + 1, suffix);
}

// The tensor prefix.suffix: declared in the first walk, the next one in every other.
static ReferenceTensor *tensor_take(Run *run, const char *prefix, const char *suffix,
                                    ReferenceKind kind, int rank, const int *shape)
{
    Reference *reference = run->reference;
    if (run->walk == WALK_DECLARE)
        return tensor_declare(reference, pool_printf(reference->pool, "%s.%s", prefix, suffix),
                              kind, rank, shape);
    ReferenceTensor *tensor = &reference->tensors[run->next++];
    if (run->next > reference->n_tensors || !name_is(tensor->name, prefix, suffix))
        bug("the walk met %s.%s out of order", prefix, suffix);
    return tensor;
}

static ReferenceTensor *vector_take(Run *run, const char *prefix, const char *suffix,
                                    ReferenceKind kind, int count, double start)
{
    ReferenceTensor *tensor = tensor_take(run, prefix, suffix, kind, 1, &count);
    for (size_t i = 0; run->walk == WALK_DECLARE && i < tensor->count; i++)
        tensor->values[i] = start;
    return tensor;
}

static const char *name_join(Run *run, const char *prefix, const char *part)
{
    return *prefix ? pool_printf(run->pool, "%s.%s", prefix, part) : part;
}

static const char *name_index(Run *run, const char *prefix, const char *list, int index)
{
    return name_join(run, prefix, pool_printf(run->pool, "%s.%d", list, index));
}

// ---- convolution, normalisation -----------------------------------------------------------------

static void backward_conv(const Record *r)
{
    reference_conv_backward(&r->conv, r->in->x, r->weight->values, r->out->dx, r->in->dx,
                            r->weight->grad, r->bias->grad);
}

// A convolution with bias; its tensors are name.weight and name.bias.
static Value *run_conv(Run *run, const char *name, Value *in, ReferenceConv conv)
{
    int shape[4] = {conv.out.channels, conv.depthwise ? 1 : conv.in.channels, conv.kernel_h,
                    conv.kernel_w};
    ReferenceTensor *weight = tensor_take(run, name, "weight", REFERENCE_PARAM, 4, shape);
    ReferenceTensor *bias = vector_take(run, name, "bias", REFERENCE_PARAM, conv.out.channels, 0);
    Value *out = value_new(run, conv.out);
    reference_conv_forward(&conv, in->x, weight->values, bias->values, out->x);
    Record *record = record_new(run, backward_conv, in, out);
    record->conv = conv;
    record->weight = weight;
    record->bias = bias;
    return out;
}

static Value *run_conv_normal(Run *run, const char *name, Value *in, int out_channels, int kernel_h,
                              int kernel_w)
{
    return run_conv(run, name, in,
                    reference_conv(in->shape, out_channels, kernel_h, kernel_w, 1, false));
}

static Value *run_conv_separable(Run *run, const char *name, Value *in, int out_channels,
                                 int kernel_h, int kernel_w, int stride)
{
    ReferenceConv depthwise =
        reference_conv(in->shape, in->shape.channels, kernel_h, kernel_w, stride, true);
    Value *middle = run_conv(run, name_join(run, name, "depthwise"), in, depthwise);
    return run_conv_normal(run, name_join(run, name, "pointwise"), middle, out_channels, 1, 1);
}

static void backward_norm(const Record *r)
{
    reference_norm_backward(r->in->shape, r->in->x, r->weight->values, r->mean, r->inverse,
                            r->out->dx, r->in->dx, r->weight->grad, r->bias->grad);
}

// The loss walk must leave the running statistics alone: it passes none.
static void norm_train(Run *run, Record *record, ReferenceTensor *running_mean,
                       ReferenceTensor *running_var, ReferenceTensor *tracked)
{
    Value *in = record->in;
    bool updates = run->walk == WALK_GRADIENT;
    record->mean = pool_alloc(run->pool, (size_t)in->shape.channels * sizeof(double));
    record->inverse = pool_alloc(run->pool, (size_t)in->shape.channels * sizeof(double));
    reference_norm_train(in->shape, in->x, record->weight->values, record->bias->values,
                         updates ? running_mean->values : NULL,
                         updates ? running_var->values : NULL, record->mean, record->inverse,
                         record->out->x);
    tracked->values[0] += updates;
}

static Value *run_norm(Run *run, const char *name, Value *in)
{
    int channels = in->shape.channels;
    Value *out = value_new(run, in->shape);
    Record *record = record_new(run, backward_norm, in, out);
    record->weight = vector_take(run, name, "weight", REFERENCE_PARAM, channels, 1);
    record->bias = vector_take(run, name, "bias", REFERENCE_PARAM, channels, 0);
    ReferenceTensor *mean = vector_take(run, name, "running_mean", REFERENCE_RUNNING, channels, 0);
    ReferenceTensor *var = vector_take(run, name, "running_var", REFERENCE_RUNNING, channels, 1);
    ReferenceTensor *tracked =
        vector_take(run, name, "num_batches_tracked", REFERENCE_COUNTER, 1, 0);
    if (run->walk == WALK_LOSS || run->walk == WALK_GRADIENT)
        norm_train(run, record, mean, var, tracked);
    else
        reference_norm_eval(in->shape, in->x, record->weight->values, record->bias->values,
                            mean->values, var->values, out->x);
    return out;
}

static void backward_relu(const Record *r)
{
    reference_relu_backward(reference_count(r->in->shape), r->in->x, r->out->dx, r->in->dx);
}

static Value *run_relu(Run *run, Value *in)
{
    Value *out = value_new(run, in->shape);
    reference_relu_forward(reference_count(in->shape), in->x, out->x);
    record_new(run, backward_relu, in, out);
    return out;
}

// ---- pools --------------------------------------------------------------------------------------

static void backward_pool(const Record *r)
{
    reference_pool_backward(r->in->shape, r->kernel, r->out->dx, r->in->dx);
}

static Value *run_pool(Run *run, Value *in, int kernel)
{
    Value *out = value_new(run, in->shape);
    reference_pool_forward(in->shape, kernel, in->x, out->x);
    record_new(run, backward_pool, in, out)->kernel = kernel;
    return out;
}

static void backward_adaptive(const Record *r)
{
    reference_adaptive_backward(r->in->shape, r->out->shape.height, r->out->shape.width, r->out->dx,
                                r->in->dx);
}

// Adaptive average pooling to height x width; a value of that size passes as it is.
static Value *run_adaptive(Run *run, Value *in, int height, int width)
{
    if (in->shape.height == height && in->shape.width == width)
        return in;
    ReferenceShape shape = in->shape;
    shape.height = height;
    shape.width = width;
    Value *out = value_new(run, shape);
    reference_adaptive_forward(in->shape, height, width, in->x, out->x);
    record_new(run, backward_adaptive, in, out);
    return out;
}

// ---- merges -------------------------------------------------------------------------------------

static const double *const *values_of(Run *run, Value *const *inputs, int n)
{
    const double **list = pool_alloc(run->pool, (size_t)n * sizeof *list);
    for (int j = 0; j < n; j++)
        list[j] = inputs[j]->x;
    return list;
}

static const double **gate_values(ReferenceTensor *const *gates, int n)
{
    const double **list = xcalloc((size_t)n, sizeof *list);
    for (int j = 0; j < n; j++)
        list[j] = gates[j] ? gates[j]->values : NULL;
    return list;
}

static void backward_combine(const Record *r)
{
    size_t n = (size_t)r->n_inputs;
    const double **x = xcalloc(n, sizeof *x), **gates = gate_values(r->gates, r->n_inputs);
    double **dx = xcalloc(n, sizeof *dx), **dgates = xcalloc(n, sizeof *dgates);
    for (size_t j = 0; j < n; j++) {
        x[j] = r->inputs[j]->x;
        dx[j] = r->inputs[j]->dx;
        dgates[j] = r->gates[j] ? r->gates[j]->grad : NULL;
    }
    reference_combine_backward(reference_count(r->out->shape), r->n_inputs, x, gates, r->scale,
                               r->out->dx, dx, dgates);
    free(x);
    free(gates);
    free(dx);
    free(dgates);
}

// scale * sum_j sigmoid(gates[j]) inputs[j]; a missing gate counts as 1.
static Value *run_combine(Run *run, Value **inputs, ReferenceTensor **gates, int n, double scale)
{
    Value *out = value_new(run, inputs[0]->shape);
    Record *record = record_new(run, backward_combine, NULL, out);
    record->n_inputs = n;
    record->inputs = inputs;
    record->gates = gates;
    record->scale = scale;
    const double **factors = gate_values(gates, n);
    reference_combine_forward(reference_count(out->shape), n, values_of(run, inputs, n), factors,
                              scale, out->x);
    free(factors);
    return out;
}

// What merger.J does to the J-th input: a scalar gate where the channels agree, else a 1x1
// convolution (inputs[j] is replaced by its result).
static void run_mergers(Run *run, const char *name, Value **inputs, ReferenceTensor **gates, int n)
{
    int channels = inputs[n - 1]->shape.channels;
    for (int j = 0; j < n; j++) {
        const char *merger = name_index(run, name, "merger", j);
        if (inputs[j]->shape.channels == channels)
            gates[j] = vector_take(run, merger, "mean", REFERENCE_PARAM, 1, 1);
        else
            inputs[j] = run_conv_normal(run, merger, inputs[j], channels, 1, 1);
    }
}

static void backward_attention(const Record *r)
{
    Value *mask = r->inputs[0], *sum = r->inputs[1];
    reference_attention_backward(mask->shape, mask->x, sum->x, r->weight->values, r->out->dx,
                                 mask->dx, sum->dx, r->weight->grad);
}

static Value *run_attention(Run *run, const char *name, Value **inputs, ReferenceTensor **gates,
                            int n)
{
    Value **pair = pool_alloc(run->pool, 2 * sizeof *pair);
    pair[0] = run_combine(run, inputs, gates, 1, 1);
    pair[1] = run_combine(run, inputs + 1, gates + 1, n - 1, 1);
    Value *out = value_new(run, pair[0]->shape);
    Record *record = record_new(run, backward_attention, NULL, out);
    record->inputs = pair;
    record->weight =
        vector_take(run, name_index(run, name, "merger", n), "mean", REFERENCE_PARAM, 1, 1);
    reference_attention_forward(out->shape, pair[0]->x, pair[1]->x, record->weight->values, out->x);
    return out;
}

static void backward_concat(const Record *r)
{
    int *channels = xcalloc((size_t)r->n_inputs, sizeof *channels);
    double **dx = xcalloc((size_t)r->n_inputs, sizeof *dx);
    for (int j = 0; j < r->n_inputs; j++) {
        channels[j] = r->inputs[j]->shape.channels;
        dx[j] = r->inputs[j]->dx;
    }
    reference_concat_backward(r->out->shape, r->n_inputs, channels, r->out->dx, dx);
    free(channels);
    free(dx);
}

static Value *run_concat(Run *run, Value **inputs, int n)
{
    ReferenceShape shape = inputs[0]->shape;
    int *channels = pool_alloc(run->pool, (size_t)n * sizeof *channels);
    shape.channels = 0;
    for (int j = 0; j < n; j++)
        shape.channels += channels[j] = inputs[j]->shape.channels;
    Value *out = value_new(run, shape);
    reference_concat_forward(shape, n, channels, values_of(run, inputs, n), out->x);
    Record *record = record_new(run, backward_concat, NULL, out);
    record->n_inputs = n;
    record->inputs = inputs;
    return out;
}

// Merges n >= 1 inputs of one size; `inputs` may be overwritten.
static Value *run_merge(Run *run, const char *name, MergeKind merge, Value **inputs, int n)
{
    if (n == 1)
        return inputs[0];
    if (merge == MERGE_CONCAT)
        return run_concat(run, inputs, n);
    ReferenceTensor **gates = pool_alloc(run->pool, (size_t)n * sizeof *gates);
    run_mergers(run, name, inputs, gates, n);
    if (merge == MERGE_ATTENTION)
        return run_attention(run, name, inputs, gates, n);
    return run_combine(run, inputs, gates, n, 1);
}

static Value *run_mean(Run *run, Value **inputs, int n)
{
    if (n == 1)
        return inputs[0];
    return run_combine(run, inputs, pool_alloc(run->pool, (size_t)n * sizeof(ReferenceTensor *)), n,
                       1.0 / n);
}

// ---- the hierarchy ------------------------------------------------------------------------------

// The inputs of a vertex: its siblings' results, or the graph's own input where it has none.
static Value **inputs_of(Run *run, const Vertex *vertex, Value *const *siblings, Value *own, int *n)
{
    *n = vertex->n_inputs > 0 ? vertex->n_inputs : 1;
    Value **inputs = pool_alloc(run->pool, (size_t)*n * sizeof *inputs);
    inputs[0] = own;
    for (int j = 0; j < vertex->n_inputs; j++)
        inputs[j] = siblings[vertex->inputs[j]];
    return inputs;
}

static Value *run_op(Run *run, const char *name, const Vertex *op, Value *in)
{
    const AtomInfo *atom = &atom_info[op->atom];
    if (atom->is_pool)
        return run_pool(run, in, atom->kernel_h);
    const char *conv = name_join(run, name, "operation.op");
    Value *out = run_relu(run, in);
    if (run->reference->arch->depthwise)
        out =
            run_conv_separable(run, conv, out, op->out_channels, atom->kernel_h, atom->kernel_w, 1);
    else
        out = run_conv_normal(run, conv, out, op->out_channels, atom->kernel_h, atom->kernel_w);
    return run_norm(run, name_join(run, name, "operation.bn"), out);
}

// A cell or node (a graph of children) or an op, from its merged input.
static Value *run_vertex(Run *run, const char *name, const Vertex *vertex, Value *in)
{
    if (vertex->n_children == 0)
        return run_op(run, name, vertex, in);
    size_t n = (size_t)vertex->n_children;
    Value **values = pool_alloc(run->pool, n * sizeof *values);
    Value **outputs = pool_alloc(run->pool, n * sizeof *outputs);
    int n_outputs = 0;
    for (int i = 0; i < vertex->n_children; i++) {
        const Vertex *child = &vertex->children[i];
        const char *child_name = name_index(run, name, "node_ops", i);
        int n_inputs;
        Value **inputs = inputs_of(run, child, values, in, &n_inputs);
        Value *merged = run_merge(run, child_name, child->merge, inputs, n_inputs);
        values[i] = run_vertex(run, child_name, child, merged);
        if (child->is_output)
            outputs[n_outputs++] = values[i];
    }
    return run_mean(run, outputs, n_outputs);
}

static Value *run_cell(Run *run, int index, Value *const *cells, Value *stem)
{
    const Arch *arch = run->reference->arch;
    const Vertex *cell = &arch->cells[index];
    int n;
    Value **inputs = inputs_of(run, cell, cells, stem, &n);
    for (int j = 0; j < n; j++)
        inputs[j] = run_adaptive(run, inputs[j], arch->stage_height[cell->stage],
                                 arch->stage_width[cell->stage]);
    const char *name = name_index(run, "", "node_ops", index);
    return run_vertex(run, name, cell, run_merge(run, name, cell->merge, inputs, n));
}

// The output cells (ascending) brought to the smallest size and the last one's channels; their
// mean.
static Value *run_outputs(Run *run, Value **outputs, int n)
{
    int height = outputs[0]->shape.height, width = outputs[0]->shape.width;
    int channels = outputs[n - 1]->shape.channels;
    for (int j = 1; j < n; j++) {
        height = outputs[j]->shape.height < height ? outputs[j]->shape.height : height;
        width = outputs[j]->shape.width < width ? outputs[j]->shape.width : width;
    }
    for (int j = 0; j < n; j++) {
        outputs[j] = run_adaptive(run, outputs[j], height, width);
        if (outputs[j]->shape.channels != channels)
            outputs[j] = run_conv_normal(run, name_index(run, "", "out_mergers", j), outputs[j],
                                         channels, 1, 1);
    }
    return run_mean(run, outputs, n);
}

static Value *run_cells(Run *run, Value *stem)
{
    const Arch *arch = run->reference->arch;
    Value **cells = pool_alloc(run->pool, (size_t)arch->n_cells * sizeof *cells);
    Value **outputs = pool_alloc(run->pool, (size_t)arch->n_cells * sizeof *outputs);
    int n_outputs = 0;
    for (int i = 0; i < arch->n_cells; i++) {
        cells[i] = run_cell(run, i, cells, stem);
        if (arch->cells[i].is_output)
            outputs[n_outputs++] = cells[i];
    }
    return run_outputs(run, outputs, n_outputs);
}

static Value *run_stem(Run *run, Value *images)
{
    const Arch *arch = run->reference->arch;
    int channels = arch->stem_channels, half = channels / 2 > 0 ? channels / 2 : 1;
    if (!arch->large_stem) {
        Value *first = run_conv_normal(run, "first_conv.0", images, channels, 3, 3);
        first = run_relu(run, run_norm(run, "first_conv.1", first));
        Value *second = run_conv_normal(run, "first_conv.3", first, channels, 3, 3);
        return run_norm(run, "first_conv.4", second);
    }
    Value *first = run_conv_separable(run, "first_conv.0", images, half, 3, 3, 2);
    first = run_relu(run, run_norm(run, "first_conv.1", first));
    Value *second = run_conv_separable(run, "first_conv.2.conv", first, channels, 3, 3, 2);
    return run_norm(run, "first_conv.2.bn", second);
}

static void backward_dropout(const Record *r)
{
    for (size_t i = 0; i < reference_count(r->in->shape); i++)
        r->in->dx[i] += r->factors[i] * r->out->dx[i];
}

static Value *run_dropout(Run *run, Value *in)
{
    if (!run->dropout)
        return in;
    Value *out = value_new(run, in->shape);
    for (size_t i = 0; i < reference_count(in->shape); i++)
        out->x[i] = run->dropout[i] * in->x[i];
    record_new(run, backward_dropout, in, out)->factors = run->dropout;
    return out;
}

static void backward_linear(const Record *r)
{
    reference_linear_backward(r->in->shape.batch, r->in->shape.channels, r->out->shape.channels,
                              r->in->x, r->weight->values, r->out->dx, r->in->dx, r->weight->grad,
                              r->bias->grad);
}

static Value *run_linear(Run *run, const char *name, Value *in, int classes)
{
    int shape[2] = {classes, in->shape.channels};
    Value *out = value_new(run, (ReferenceShape){in->shape.batch, classes, 1, 1});
    Record *record = record_new(run, backward_linear, in, out);
    record->weight = tensor_take(run, name, "weight", REFERENCE_PARAM, 2, shape);
    record->bias = vector_take(run, name, "bias", REFERENCE_PARAM, classes, 0);
    reference_linear_forward(in->shape.batch, in->shape.channels, classes, in->x,
                             record->weight->values, record->bias->values, out->x);
    return out;
}

static Value *run_head(Run *run, Value *in)
{
    Value *wide = run_conv_normal(run, "conv_out.1", run_relu(run, in), HEAD_CHANNELS, 1, 1);
    Value *active = run_relu(run, run_norm(run, "conv_out.2", wide));
    Value *features = run_dropout(run, run_adaptive(run, active, 1, 1));
    return run_linear(run, "fc", features, run->reference->arch->classes);
}

// The whole network: images [batch][C][H][W] -> logits [batch][classes].
static Value *run_network(Run *run, const double *images)
{
    const Arch *arch = run->reference->arch;
    Value *in = pool_alloc(run->pool, sizeof *in);
    in->shape = (ReferenceShape){run->batch, arch->channels, arch->height, arch->width};
    if (images) {
        in->x = pool_alloc(run->pool, reference_count(in->shape) * sizeof(double));
        memcpy(in->x, images, reference_count(in->shape) * sizeof(double));
    }
    return run_head(run, run_cells(run, run_stem(run, in)));
}

// ---- the public face ----------------------------------------------------------------------------

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(ReferenceTensor *const *)a)->name, (*(ReferenceTensor *const *)b)->name);
}

Reference *reference_open(const Arch *arch)
{
    Pool *pool = pool_new();
    Reference *reference = pool_alloc(pool, sizeof *reference);
    reference->pool = pool;
    reference->arch = arch;
    Run run = {.reference = reference, .pool = pool_new(), .walk = WALK_DECLARE};
    run_network(&run, NULL);
    pool_free(run.pool);
    reference->by_name = pool_alloc(pool, reference->n_tensors * sizeof *reference->by_name);
    for (size_t i = 0; i < reference->n_tensors; i++)
        reference->by_name[i] = &reference->tensors[i];
    qsort(reference->by_name, reference->n_tensors, sizeof *reference->by_name, compare_names);
    return reference;
}

void reference_close(Reference *reference)
{
    if (reference)
        pool_free(reference->pool);
}

int reference_tensor_count(const Reference *reference)
{
    return (int)reference->n_tensors;
}

ReferenceTensor *reference_tensor(Reference *reference, int index)
{
    return &reference->tensors[index];
}

ReferenceTensor *reference_find(Reference *reference, const char *name)
{
    ReferenceTensor key = {.name = name}, *pointer = &key;
    ReferenceTensor **found = bsearch(&pointer, reference->by_name, reference->n_tensors,
                                      sizeof *reference->by_name, compare_names);
    return found ? *found : NULL;
}

void reference_infer(Reference *reference, const double *images, int count, double *logits)
{
    const Arch *arch = reference->arch;
    size_t pixels = (size_t)arch->channels * (size_t)arch->height * (size_t)arch->width;
    size_t classes = (size_t)arch->classes;
    // In evaluation images do not see each other: one at a time keeps the memory small.
    for (int n = 0; n < count; n++) {
        Run run = {.reference = reference, .pool = pool_new(), .walk = WALK_INFER, .batch = 1};
        const Value *out = run_network(&run, images + (size_t)n * pixels);
        memcpy(logits + (size_t)n * classes, out->x, classes * sizeof *logits);
        pool_free(run.pool);
    }
}

static double batch_walk(Reference *reference, const ReferenceBatch *batch, Walk walk,
                         double *logits)
{
    int classes = reference->arch->classes;
    Run run = {.reference = reference,
               .pool = pool_new(),
               .walk = walk,
               .batch = batch->count,
               .dropout = batch->dropout};
    Value *out = run_network(&run, batch->images);
    double loss = reference_cross_entropy(batch->count, classes, out->x, batch->labels,
                                          batch->label_smoothing, out->dx);
    if (logits)
        memcpy(logits, out->x, reference_count(out->shape) * sizeof *logits);
    for (const Record *r = run.last; walk == WALK_GRADIENT && r; r = r->previous)
        r->backward(r);
    pool_free(run.pool);
    return loss;
}

double reference_gradients(Reference *reference, const ReferenceBatch *batch, double *logits)
{
    for (size_t i = 0; i < reference->n_tensors; i++)
        if (reference->tensors[i].kind == REFERENCE_PARAM)
            memset(reference->tensors[i].grad, 0, reference->tensors[i].count * sizeof(double));
    return batch_walk(reference, batch, WALK_GRADIENT, logits);
}

double reference_loss(Reference *reference, const ReferenceBatch *batch)
{
    return batch_walk(reference, batch, WALK_LOSS, NULL);
}

void reference_update(Reference *reference, double learning_rate, double momentum,
                      double weight_decay)
{
    for (size_t i = 0; i < reference->n_tensors; i++) {
        ReferenceTensor *t = &reference->tensors[i];
        if (t->kind == REFERENCE_PARAM)
            reference_sgd(t->count, learning_rate, momentum, weight_decay, t->grad, t->momentum,
                          t->values);
    }
}

// ---- loading ------------------------------------------------------------------------------------

static bool shape_agrees(const ReferenceTensor *tensor, const StoredTensor *stored)
{
    bool is_scalar = tensor->rank == 1 && tensor->shape[0] == 1 && stored->rank == 0;
    bool agrees = tensor->rank == stored->rank;
    for (int i = 0; agrees && i < tensor->rank; i++)
        agrees = tensor->shape[i] == stored->shape[i];
    return agrees || is_scalar;
}

static void print_shape(Text *out, const StoredTensor *stored)
{
    text_puts(out, "[");
    for (int i = 0; i < stored->rank; i++)
        text_printf(out, "%s%lld", i ? "," : "", (long long)stored->shape[i]);
    text_puts(out, "]");
}

static StoredTensor shape_of(const ReferenceTensor *tensor)
{
    StoredTensor shape = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++)
        shape.shape[i] = tensor->shape[i];
    return shape;
}

static bool value_is_finite(const StoredTensor *stored, const char *where, Err *err)
{
    for (int64_t i = 0; i < stored->count; i++)
        if (!isfinite(tensor_value(stored, i)))
            return err_input(
                err,
                "%s: error: tensor \"%s\" holds %g at element %lld; every value must be finite",
                where, stored->name, tensor_value(stored, i), (long long)i);
    return true;
}

bool reference_check_stored(const ReferenceTensor *tensor, const char *name,
                            const StoredTensor *stored, const char *where, Err *err)
{
    if (stored && shape_agrees(tensor, stored))
        return value_is_finite(stored, where, err);
    Text want = {0}, have = {0};
    StoredTensor shape = shape_of(tensor);
    print_shape(&want, &shape);
    if (!stored) {
        err_input(err, "%s: error: tensor \"%s\" is missing; the network has it with shape %s",
                  where, name, want.data);
    } else {
        print_shape(&have, stored);
        err_input(err, "%s: error: tensor \"%s\" has shape %s; the network wants %s", where, name,
                  have.data, want.data);
    }
    text_free(&want);
    text_free(&have);
    return false;
}

bool reference_load(Reference *reference, const TensorFile *weights, const char *where, Err *err)
{
    for (size_t i = 0; i < reference->n_tensors; i++) {
        ReferenceTensor *tensor = &reference->tensors[i];
        const StoredTensor *stored = tensors_find(weights, tensor->name);
        if (!stored && tensor->kind == REFERENCE_COUNTER)
            continue;
        if (!reference_check_stored(tensor, tensor->name, stored, where, err))
            return false;
        for (size_t j = 0; j < tensor->count; j++)
            tensor->values[j] = tensor_value(stored, (int64_t)j);
        if (tensor->momentum)
            memset(tensor->momentum, 0, tensor->count * sizeof(double));
    }
    return true;
}
