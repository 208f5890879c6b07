// arch.c - an explicit network: its rules, its derived sizes, its printed form.
//
// In: a tree of cells, nodes and ops with inputs, merges and channels.  Out: the same tree, known
// to be sound, with the channels that enter each vertex, the size of each stage and the number of
// weights.
//
//   input --stem--> cell 0 --> cell 1 ...      every vertex:  merge inputs --in_channels--> graph
//   or op --out_channels-->
//
// A vertex without inputs gets the input of the graph around it.  Source: docs/semantics.md, 2
// and 3.

#include "front.h"

#include <stdio.h>
#include <string.h>

const AtomInfo atom_info[ATOM_COUNT] = {
    [ATOM_CONV3X3] = {"conv3x3", 3, 3, false}, [ATOM_CONV5X5] = {"conv5x5", 5, 5, false},
    [ATOM_CONV1X1] = {"conv1x1", 1, 1, false}, [ATOM_CONV3X1] = {"conv3x1", 3, 1, false},
    [ATOM_CONV1X3] = {"conv1x3", 1, 3, false}, [ATOM_POOL3X3] = {"pool3x3", 3, 3, true},
    [ATOM_POOL5X5] = {"pool5x5", 5, 5, true},
};
const char *const merge_name[4] = {"sum", "attention", "concat", "single"};

// ---- rules
// ---------------------------------------------------------------------------------------

typedef struct {
    Arch *arch;
    ArchFault *fault;
    int64_t weights; // of everything so far
} Check;

NAGO_PRINTF(4, 5)
static bool found(Check *check, const char *field, const char *hint, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(check->fault->message, sizeof check->fault->message, fmt, args);
    va_end(args);
    check->fault->field = field;
    check->fault->hint = hint;
    return false;
}

static bool in_range(Check *check, const char *field, int value, int low, int high)
{
    return (value >= low && value <= high) ||
           found(check, field, "", "\"%s\" must lie in %d..%d, got %d", field, low, high, value);
}

static bool weights_add(Check *check, int64_t count)
{
    check->weights += count; // at most 2^33 more: no overflow, as the sum is checked each time
    return check->weights <= MAX_WEIGHTS ||
           found(check, NULL, "", "the network has more than %d weights up to here", MAX_WEIGHTS);
}

static bool tensor_fits(Check *check, const char *field, int channels, int height, int width)
{
    return (int64_t)channels * height * width <= MAX_TENSOR ||
           found(check, field, "", "%d channels of %d x %d are more than %d numbers", channels,
                 height, width, MAX_TENSOR);
}

static bool inputs_valid(Check *check, const Vertex *vertex, int index)
{
    ArchFault *fault = check->fault;
    for (int j = 0; j < vertex->n_inputs; j++) {
        fault->input = j;
        if (vertex->inputs[j] < 0 || vertex->inputs[j] >= index)
            return found(check, "inputs", "a vertex reads only what stands before it in its list",
                         "input %d is not among the %d before it", vertex->inputs[j], index);
        if (j > 0 && vertex->inputs[j] <= vertex->inputs[j - 1])
            return found(check, "inputs", "list every input once, the smallest first",
                         "inputs must ascend, got %d after %d", vertex->inputs[j],
                         vertex->inputs[j - 1]);
    }
    fault->input = -1;
    return true;
}

static bool merge_valid(Check *check, const Vertex *vertex)
{
    if (vertex->merge > MERGE_SINGLE)
        return found(check, "merge", "", "no such merge");
    bool single = vertex->merge == MERGE_SINGLE;
    if (vertex->n_inputs > 1 && single)
        return found(check, "merge", "sum, attention or concat",
                     "%d inputs need a merge, got \"single\"", vertex->n_inputs);
    if (vertex->n_inputs <= 1 && !single)
        return found(check, "merge", "", "the merge of %s must be \"single\", got \"%s\"",
                     vertex->n_inputs ? "one input" : "no input", merge_name[vertex->merge]);
    return true;
}

// Sets in_channels and counts the weights of the merge.
static bool channels_enter(Check *check, Vertex *vertex, const Vertex *siblings, int graph_channels)
{
    if (vertex->n_inputs == 0) {
        vertex->in_channels = graph_channels;
        return true;
    }
    int64_t sum = 0;
    for (int j = 0; j < vertex->n_inputs; j++)
        sum += siblings[vertex->inputs[j]].out_channels;
    bool concat = vertex->merge == MERGE_CONCAT;
    if (concat && sum > MAX_CHANNELS)
        return found(check, "inputs", "",
                     "the concatenation has %lld channels, at most %d are possible", (long long)sum,
                     MAX_CHANNELS);
    int last = siblings[vertex->inputs[vertex->n_inputs - 1]].out_channels;
    vertex->in_channels = concat ? (int)sum : last;
    for (int j = 0; !concat && j < vertex->n_inputs; j++) {
        int channels = siblings[vertex->inputs[j]].out_channels;
        if (channels != last && !weights_add(check, (int64_t)channels * last))
            return false;
    }
    return true;
}

static bool vertex_enter(Check *check, Vertex *vertex, const Vertex *siblings, int index,
                         int graph_channels)
{
    return inputs_valid(check, vertex, index) && merge_valid(check, vertex) &&
           in_range(check, "out_channels", vertex->out_channels, 1, MAX_CHANNELS) &&
           channels_enter(check, vertex, siblings, graph_channels);
}

static void outputs_mark(Vertex *vertices, int count)
{
    for (int i = 0; i < count; i++)
        vertices[i].is_output = true;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < vertices[i].n_inputs; j++)
            vertices[vertices[i].inputs[j]].is_output = false;
    }
}

static int64_t op_weights(const Vertex *op, bool depthwise)
{
    const AtomInfo *atom = &atom_info[op->atom];
    int64_t in = op->in_channels, out = op->out_channels,
            area = (int64_t)atom->kernel_h * atom->kernel_w;
    if (atom->is_pool)
        return 0;
    return depthwise ? area * in + in * out : area * in * out;
}

static bool op_check(Check *check, Vertex *op, int stage)
{
    Arch *arch = check->arch;
    if (op->atom < 0 || op->atom >= ATOM_COUNT)
        return found(check, "op", "", "no such op");
    if (op->n_children)
        return found(check, "nodes", "", "an op has no nodes");
    if (atom_info[op->atom].is_pool && op->out_channels != op->in_channels)
        return found(check, "out_channels", "a pooling op keeps its channels",
                     "%s gets %d channels and must give as many, got %d", atom_info[op->atom].name,
                     op->in_channels, op->out_channels);
    if (++arch->n_ops > MAX_OPS)
        return found(check, NULL, "", "a network has at most %d ops", MAX_OPS);
    int64_t weights = op_weights(op, arch->depthwise);
    int height = arch->stage_height[stage], width = arch->stage_width[stage];
    arch->op_weights += weights;
    return weights_add(check, weights) &&
           tensor_fits(check, NULL, op->in_channels, height, width) &&
           tensor_fits(check, "out_channels", op->out_channels, height, width);
}

// All outputs of a cell or node are averaged: they must agree with what it says it gives.
static bool outputs_agree(Check *check, const Vertex *parent, int *place)
{
    for (int i = 0; i < parent->n_children; i++) {
        const Vertex *child = &parent->children[i];
        *place = i;
        if (child->is_output && child->out_channels != parent->out_channels)
            return found(check, "out_channels", "no sibling reads it, so that it is an output",
                         "an output of a graph of %d channels must have as many, got %d",
                         parent->out_channels, child->out_channels);
    }
    *place = -1;
    return true;
}

static bool node_check(Check *check, Vertex *node, int stage)
{
    if (node->n_children < 1)
        return found(check, "nodes", "", "a node needs at least one op");
    for (int i = 0; i < node->n_children; i++) {
        Vertex *op = &node->children[i];
        check->fault->op = i;
        if (!vertex_enter(check, op, node->children, i, node->in_channels) ||
            !op_check(check, op, stage))
            return false;
        op->stage = stage;
    }
    outputs_mark(node->children, node->n_children);
    return outputs_agree(check, node, &check->fault->op);
}

static bool cell_stage_valid(Check *check, const Vertex *cell)
{
    if (!in_range(check, "stage", cell->stage, 0, STAGES - 1))
        return false;
    for (int j = 0; j < cell->n_inputs; j++) {
        const Vertex *input = &check->arch->cells[cell->inputs[j]];
        if (input->stage > cell->stage)
            return found(check, "stage", "images only shrink from stage to stage",
                         "a cell of stage %d cannot read cell %d of stage %d", cell->stage,
                         cell->inputs[j], input->stage);
    }
    return true;
}

static bool cell_check(Check *check, int index)
{
    Arch *arch = check->arch;
    Vertex *cell = &arch->cells[index];
    if (!vertex_enter(check, cell, arch->cells, index, arch->stem_channels) ||
        !cell_stage_valid(check, cell))
        return false;
    int height = arch->stage_height[cell->stage], width = arch->stage_width[cell->stage];
    if (!tensor_fits(check, NULL, cell->in_channels, height, width))
        return false;
    if (cell->n_children < 1)
        return found(check, "nodes", "", "a cell needs at least one node");
    for (int i = 0; i < cell->n_children; i++) {
        Vertex *node = &cell->children[i];
        check->fault->node = i;
        if (!vertex_enter(check, node, cell->children, i, cell->in_channels) ||
            !node_check(check, node, cell->stage))
            return false;
        node->stage = cell->stage;
    }
    outputs_mark(cell->children, cell->n_children);
    return outputs_agree(check, cell, &check->fault->node);
}

// ---- sizes
// ---------------------------------------------------------------------------------------

static void sizes_derive(Arch *arch)
{
    int smaller = arch->height < arch->width ? arch->height : arch->width;
    arch->large_stem = smaller >= 40;
    // Twice 3x3, stride 2, padding 1: the ceiling of the half, twice.
    arch->stem_height = arch->large_stem ? ((arch->height + 1) / 2 + 1) / 2 : arch->height;
    arch->stem_width = arch->large_stem ? ((arch->width + 1) / 2 + 1) / 2 : arch->width;
    for (int stage = 0; stage < STAGES; stage++) {
        int shift = stage + (arch->large_stem ? 2 : 0);
        arch->stage_height[stage] = arch->height >> shift;
        arch->stage_width[stage] = arch->width >> shift;
    }
}

static bool stem_check(Check *check)
{
    Arch *arch = check->arch;
    int64_t c0 = arch->stem_channels, c = arch->channels, half = c0 / 2 > 0 ? c0 / 2 : 1;
    int64_t small = 9 * c0 * (c + c0), large = 9 * c + c * half + 9 * half + half * c0;
    int height = (arch->height + 1) / 2, width = (arch->width + 1) / 2;
    if (!tensor_fits(check, "stem_channels", arch->stem_channels, arch->stem_height,
                     arch->stem_width) ||
        (arch->large_stem && !tensor_fits(check, "stem_channels", (int)half, height, width)))
        return false;
    return weights_add(check, arch->large_stem ? large : small) ||
           found(check, "stem_channels", "", "the stem has more than %d weights", MAX_WEIGHTS);
}

// The last output cell gives the channels of the head, the smallest output its size.
static bool head_check(Check *check)
{
    Arch *arch = check->arch;
    const Vertex *last = &arch->cells[arch->n_cells - 1]; // nothing behind it can read it
    int stage = 0;
    for (int i = 0; i < arch->n_cells; i++) {
        const Vertex *cell = &arch->cells[i];
        if (!cell->is_output)
            continue;
        stage = cell->stage > stage ? cell->stage : stage;
        if (cell->out_channels != last->out_channels &&
            !weights_add(check, (int64_t)cell->out_channels * last->out_channels))
            return false;
    }
    return weights_add(check, (int64_t)HEAD_CHANNELS * (last->out_channels + arch->classes)) &&
           tensor_fits(check, NULL, HEAD_CHANNELS, arch->stage_height[stage],
                       arch->stage_width[stage]);
}

static bool input_check(Check *check)
{
    const Arch *arch = check->arch;
    return in_range(check, "channels", arch->channels, 1, 4) &&
           in_range(check, "height", arch->height, 4, MAX_SIDE) &&
           in_range(check, "width", arch->width, 4, MAX_SIDE) &&
           in_range(check, "classes", arch->classes, 2, 1000) &&
           in_range(check, "stem_channels", arch->stem_channels, 1, MAX_CHANNELS);
}

bool arch_derive(Arch *arch, ArchFault *fault)
{
    Check check = {.arch = arch, .fault = fault};
    *fault = (ArchFault){.cell = -1, .node = -1, .op = -1, .input = -1, .hint = ""};
    arch->n_ops = 0;
    arch->op_weights = 0;
    if (!input_check(&check))
        return false;
    sizes_derive(arch);
    if (!stem_check(&check))
        return false;
    if (arch->n_cells < 1)
        return found(&check, "cells", "", "a network needs at least one cell");
    for (int i = 0; i < arch->n_cells; i++) {
        fault->cell = i;
        fault->node = fault->op = -1;
        if (!cell_check(&check, i))
            return false;
    }
    fault->cell = -1;
    outputs_mark(arch->cells, arch->n_cells);
    return head_check(&check);
}

bool arch_check(Arch *arch, const char *where, Err *err)
{
    ArchFault fault;
    if (arch_derive(arch, &fault))
        return true;
    char place[128] = "";
    int used = 0;
    const int index[LEVELS] = {fault.cell, fault.node, fault.op};
    for (int level = 0; level < LEVELS && index[level] >= 0; level++)
        used += snprintf(place + used, sizeof place - (size_t)used, "%s[%d]",
                         level ? ".nodes" : "cells", index[level]);
    return err_input(err, "%s: error: %s%s%s%s%s", where, place, used ? ": " : "", fault.message,
                     *fault.hint ? "; " : "", fault.hint);
}

// ---- printed form
// --------------------------------------------------------------------------------

// `{"stage": 0, "inputs": [0, 1], "merge": "sum", "out_channels": 4` without the closing brace.
static void vertex_print(const Vertex *vertex, Text *out)
{
    text_puts(out, "\"inputs\": [");
    for (int j = 0; j < vertex->n_inputs; j++)
        text_printf(out, "%s%d", j ? ", " : "", vertex->inputs[j]);
    text_printf(out, "], \"merge\": \"%s\", \"out_channels\": %d", merge_name[vertex->merge],
                vertex->out_channels);
}

static void node_print(const Vertex *node, Text *out)
{
    text_puts(out, "    {");
    vertex_print(node, out);
    text_puts(out, ", \"nodes\": [\n");
    for (int i = 0; i < node->n_children; i++) {
        const Vertex *op = &node->children[i];
        text_printf(out, "      {\"op\": \"%s\", ", atom_info[op->atom].name);
        vertex_print(op, out);
        text_printf(out, "}%s\n", i + 1 < node->n_children ? "," : "");
    }
    text_puts(out, "    ]}");
}

static void cell_print(const Vertex *cell, Text *out)
{
    text_printf(out, "  {\"stage\": %d, ", cell->stage);
    vertex_print(cell, out);
    text_puts(out, ", \"nodes\": [\n");
    for (int i = 0; i < cell->n_children; i++) {
        node_print(&cell->children[i], out);
        text_puts(out, i + 1 < cell->n_children ? ",\n" : "\n");
    }
    text_puts(out, "  ]}");
}

void arch_print(const Arch *arch, Text *out)
{
    text_puts(out, "{\n\"format\": \"hnag-arch\",\n\"version\": 1,\n");
    text_printf(out, "\"input\": {\"channels\": %d, \"height\": %d, \"width\": %d},\n",
                arch->channels, arch->height, arch->width);
    text_printf(
        out, "\"classes\": %d,\n\"stem_channels\": %d,\n\"conv_type\": \"%s\",\n\"cells\": [\n",
        arch->classes, arch->stem_channels, arch->depthwise ? "depthwise_separable" : "normal");
    for (int i = 0; i < arch->n_cells; i++) {
        cell_print(&arch->cells[i], out);
        text_puts(out, i + 1 < arch->n_cells ? ",\n" : "\n");
    }
    text_puts(out, "]\n}\n");
}
