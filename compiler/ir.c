// ir.c - building, walking, verifying and printing the IR (ir.h).
#include "ir.h"

#include <string.h>
#include <threads.h>

#define OP(KIND, kernel, file, tensors, attributes, call, inplace) \
    [OP_##KIND] = {#kernel, #file, tensors, attributes, call, inplace},
const OpInfo op_info[OP_COUNT] = {
#include "op_list.h"
};
#undef OP

// ---- building -----------------------------------------------------------------------------------

Ir *ir_new(const Arch *arch, int batch, Layout layout, Pool *pool)
{
    Ir *ir = pool_alloc(pool, sizeof *ir);
    ir->arch = arch;
    ir->pool = pool;
    ir->batch = batch;
    ir->layout = layout;
    ir->groups = layout == LAYOUT_PIXELS ? 1 : (batch + LANES - 1) / LANES;
    ir->logits = ir->loss_gradient = -1;
    return ir;
}

static int add_tensor(Ir *ir, Tensor tensor)
{
    ir->tensors = pool_grow(ir->pool, ir->tensors, (size_t)ir->n_tensors, (size_t)ir->n_tensors + 1,
                            &ir->cap_tensors, sizeof *ir->tensors);
    ir->tensors[ir->n_tensors] = tensor;
    return ir->n_tensors++;
}

int64_t ir_map_floats(Layout layout, int channels, int size)
{
    return (int64_t)channels * size * (layout == LAYOUT_PIXELS ? 1 : LANES);
}

int ir_tile_plane(int height, int width, int tile)
{
    const int rows = (height + tile - 1) / tile, columns = (width + tile - 1) / tile;
    return (rows * columns + 15) / 16 * 16;
}

int ir_tensor(Ir *ir, const char *name, Space space, int channels, int height, int width)
{
    return add_tensor(
        ir, (Tensor){.name = name,
                     .space = space,
                     .layout = ir->layout,
                     .channels = channels,
                     .height = height,
                     .width = width,
                     .floats = ir->groups * ir_map_floats(ir->layout, channels, height * width),
                     .offset = -1});
}

int ir_vector(Ir *ir, const char *name, Space space, int64_t floats, int64_t offset)
{
    return add_tensor(ir, (Tensor){.name = name,
                                   .space = space,
                                   .layout = LAYOUT_PLAIN,
                                   .channels = (int)floats,
                                   .height = 1,
                                   .width = 1,
                                   .floats = floats,
                                   .offset = offset});
}

int ir_constant(Ir *ir, const char *name, int64_t count, float **values)
{
    const size_t at = (size_t)ir->const_count, room = (size_t)(count + 15) / 16 * 16;
    ir->const_data =
        pool_grow(ir->pool, ir->const_data, at, at + room, &ir->cap_const, sizeof *ir->const_data);
    *values = ir->const_data + at;
    memset(*values, 0, room * sizeof **values);
    ir->const_count += (int64_t)room;
    return ir_vector(ir, name, SPACE_CONST, count, (int64_t)at);
}

Op *ir_op(Ir *ir, OpKind kind, const int *args, int n_args, Attr attr)
{
    ir->ops = pool_grow(ir->pool, ir->ops, (size_t)ir->n_ops, (size_t)ir->n_ops + 1, &ir->cap_ops,
                        sizeof *ir->ops);
    Op *op = &ir->ops[ir->n_ops++];
    *op = (Op){.kind = kind, .n_args = n_args, .attr = attr, .place = ir->place};
    op->args = pool_alloc(ir->pool, (size_t)n_args * sizeof *op->args);
    memcpy(op->args, args, (size_t)n_args * sizeof *args);
    return op;
}

const Op *ir_rewrite(Ir *ir, int *count)
{
    const Op *old = ir->ops;
    *count = ir->n_ops;
    ir->cap_ops = (size_t)ir->n_ops + (size_t)ir->n_ops / 2 + 16;
    ir->ops = pool_alloc(ir->pool, ir->cap_ops * sizeof *ir->ops);
    ir->n_ops = 0;
    return old;
}

void ir_keep(Ir *ir, const Op *op)
{
    ir->ops = pool_grow(ir->pool, ir->ops, (size_t)ir->n_ops, (size_t)ir->n_ops + 1, &ir->cap_ops,
                        sizeof *ir->ops);
    ir->ops[ir->n_ops++] = *op;
}

void ir_place(Ir *ir, const char *name, const char *symbol)
{
    ir->places = pool_grow(ir->pool, ir->places, (size_t)ir->n_places, (size_t)ir->n_places + 1,
                           &ir->cap_places, sizeof *ir->places);
    ir->places[ir->n_places] = (Place){pool_strdup(ir->pool, name), pool_strdup(ir->pool, symbol)};
    ir->place = ir->n_places++;
}

int64_t ir_group_floats(const Ir *ir, int tensor)
{
    const Tensor *t = &ir->tensors[tensor];
    return t->layout == LAYOUT_BATCH_INNER ? t->floats / ir->groups : t->floats;
}

bool op_is_int8(OpKind kind)
{
    return kind >= OP_INT8_IMAGE && kind <= OP_INT8_LINEAR;
}

// ---- walking ------------------------------------------------------------------------------------

// op_list.h's tensor texts, taken apart once.
enum { MOST_WORDS = 16 };
typedef struct {
    const char *word;
    int length; // of the name, without marks
    Access access;
    bool in_list;
} Word;
static Word words[OP_COUNT][MOST_WORDS];
static int n_words[OP_COUNT];
static bool accumulates[OP_COUNT];
static once_flag words_once = ONCE_FLAG_INIT;

static void split_words(void)
{
    for (int kind = 0; kind < OP_COUNT; kind++) {
        accumulates[kind] = strstr(op_info[kind].attributes, "accumulate") != NULL;
        for (const char *word = op_info[kind].tensors; *word;) {
            const int length = (int)strcspn(word, " "), name = (int)strcspn(word, "=+?* ");
            if (n_words[kind] == MOST_WORDS)
                bug("%s has more than %d tensors", op_info[kind].kernel, MOST_WORDS);
            words[kind][n_words[kind]++] =
                (Word){word, name,
                       word[name] == '=' && name < length   ? ACCESS_WRITE
                       : word[name] == '+' && name < length ? ACCESS_UPDATE
                                                            : ACCESS_READ,
                       memchr(word, '*', (size_t)length) != NULL};
            word += length + (word[length] == ' ');
        }
    }
}

// A list word ("xs*") takes attr.inputs arguments; every list of an op is equally long.
Arg op_arg(const Op *op, int index)
{
    call_once(&words_once, split_words);
    for (int w = 0, at = 0; w < n_words[op->kind]; w++) {
        const Word *word = &words[op->kind][w];
        const int count = word->in_list ? op->attr.inputs : 1;
        if (index < at + count) {
            Arg arg = {op->args[index],
                       word->access,
                       word->word,
                       word->length,
                       word->in_list,
                       word->in_list && index == at,
                       word->in_list && index == at + count - 1};
            // what may accumulate only writes while the attribute is off
            if (arg.access == ACCESS_UPDATE && accumulates[op->kind] && !op->attr.accumulate)
                arg.access = ACCESS_WRITE;
            return arg;
        }
        at += count;
    }
    bug("argument %d of %s", index, op_info[op->kind].kernel);
}

double op_attribute(const Op *op, const char *name, int length, bool *is_float)
{
#define FIELD(field)                  \
    {                                 \
#field, offsetof(Attr, field) \
    }
    static const struct {
        const char *name;
        size_t offset;
    } fields[] = {FIELD(channels),  FIELD(height),   FIELD(width),  FIELD(filters),
                  FIELD(kernel_h),  FIELD(kernel_w), FIELD(stride), FIELD(out_height),
                  FIELD(out_width), FIELD(classes),  FIELD(relu),   FIELD(accumulate),
                  FIELD(inputs),    FIELD(total),    FIELD(offset), FIELD(size),
                  FIELD(block),     FIELD(tile),     FIELD(from),   FIELD(out_tile),
                  FIELD(blocks),    FIELD(relu_x)};
#undef FIELD
    *is_float = length == 5 && !memcmp(name, "scale", 5);
    if (*is_float)
        return (double)op->attr.scale;
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if ((int)strlen(fields[i].name) == length &&
            !memcmp(fields[i].name, name, (size_t)length)) {
            int value;
            memcpy(&value, (const char *)&op->attr + fields[i].offset, sizeof value);
            return value;
        }
    bug("attribute %.*s of %s", length, name, op_info[op->kind].kernel);
}

bool ir_takes_over(const Ir *ir, const Op *op, int index)
{
    const int inplace = op_info[op->kind].inplace, place = inplace & ~EACH;
    if (inplace < 0 || index < place)
        return false;
    if (index > place && !((inplace & EACH) && op_arg(op, index).in_list &&
                           op_arg(op, index).word == op_arg(op, place).word))
        return false;
    if (op->args[index] < 0 || op_arg(op, 0).access != ACCESS_WRITE)
        return false;
    const Tensor *result = &ir->tensors[op->args[0]], *t = &ir->tensors[op->args[index]];
    return op->args[0] != op->args[index] && result->space == SPACE_ARENA &&
           t->space == SPACE_ARENA && result->floats == t->floats && result->dtype == t->dtype;
}

// ---- verifying ----------------------------------------------------------------------------------

typedef struct {
    const Ir *ir;
    bool *written;
    Err *err;
} Verifier;

static bool verify_fail(const Verifier *v, int op, const char *what, int tensor)
{
    return err_run(v->err, "internal: op %d (%s): %s %s", op, op_info[v->ir->ops[op].kind].kernel,
                   what, tensor >= 0 ? v->ir->tensors[tensor].name : "");
}

// Floats that an op's argument must have by its attributes; 0: no rule.
static int64_t expected_floats(const Ir *ir, const Op *op, const Arg *arg)
{
    const Attr *a = &op->attr;
    const char c = arg->word_length == 1 ? arg->word[0] : 0;
    int64_t channels = a->channels, size = a->size;
    switch (op->kind) {
    case OP_CONV:
        if (c == 'p')
            return channels * a->filters * a->kernel_h * a->kernel_w;
        if (c == 'b')
            return a->filters;
        channels = c == 'y' ? a->filters : a->channels;
        size = a->height * a->width;
        break;
    case OP_BATCHNORM:
    case OP_BATCHNORM_INFER:
    case OP_BATCHNORM_BACKWARD:
        if (!c && !(arg->word_length == 2 && arg->word[0] == 'd'))
            return channels;
        break;
    case OP_WEIGHTED_SUM:
        if (arg->word[0] == 'a')
            return 1;
        break;
    case OP_ADAPTIVE_POOL:
        size = c == 'y' ? a->out_height * a->out_width : a->height * a->width;
        break;
    case OP_CONCAT_PART:
        channels = c == 'y' ? a->total : a->channels;
        break;
    case OP_AVERAGE_POOL:
        size = a->height * a->width;
        break;
    case OP_RELU:
    case OP_RELU_BACKWARD:
        break;
    default:
        return 0;
    }
    return ir->groups * ir_map_floats(ir->layout, (int)channels, (int)size);
}

static bool verify_op(const Verifier *v, int index)
{
    const Ir *ir = v->ir;
    const Op *op = &ir->ops[index];
    for (int i = 0; i < op->n_args; i++) {
        const Arg arg = op_arg(op, i);
        if (arg.tensor < 0)
            continue;
        if (arg.tensor >= ir->n_tensors)
            return verify_fail(v, index, "unknown tensor", -1);
        const Tensor *t = &ir->tensors[arg.tensor];
        // gradients come from the backward pass; the update, which has none, is given them
        const bool has_backward = ir->n_forward < ir->n_ops;
        const bool given = t->space != SPACE_ARENA && !(t->space == SPACE_GRAD && has_backward);
        if ((arg.access & ACCESS_READ) && !given && !v->written[arg.tensor])
            return verify_fail(v, index, "reads before anything is written:", arg.tensor);
        // the parts of a concat fill one tensor together
        if (arg.access == ACCESS_WRITE && v->written[arg.tensor] && op->kind != OP_CONCAT_PART &&
            op->kind != OP_INT8_CONCAT)
            return verify_fail(v, index, "writes a second time:", arg.tensor);
        const int64_t want = expected_floats(ir, op, &arg);
        if (want && t->floats != want)
            return verify_fail(v, index,
                               "has a size that disagrees with its attributes:", arg.tensor);
    }
    for (int i = 0; i < op->n_args; i++)
        if (op->args[i] >= 0 && (op_arg(op, i).access & ACCESS_WRITE))
            v->written[op->args[i]] = true;
    return true;
}

static bool takes_over(const Ir *ir, const Op *op, int tensor)
{
    for (int i = 0; i < op->n_args; i++)
        if (op->args[i] == tensor && ir_takes_over(ir, op, i))
            return true;
    return false;
}

// Planned tensors that are alive together must not share memory, save where an op takes over its
// argument's place.
static bool verify_plan(const Verifier *v)
{
    const Ir *ir = v->ir;
    int *first = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *first);
    int *last = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *last);
    for (int t = 0; t < ir->n_tensors; t++)
        first[t] = last[t] = -1;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA)
                continue;
            if (first[t] < 0)
                first[t] = o;
            last[t] = o;
        }
    // only tensors alive at an op need comparing: quadratic in the widest cut, not in the net
    int *live = pool_alloc(ir->pool, (size_t)ir->n_tensors * sizeof *live);
    int n_live = 0;
    for (int o = 0; o < ir->n_ops; o++) {
        int kept = 0;
        for (int i = 0; i < n_live; i++)
            if (last[live[i]] >= o)
                live[kept++] = live[i];
        n_live = kept;
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA || first[t] != o)
                continue;
            first[t] = -2; // entered
            const Tensor *a = &ir->tensors[t];
            if (a->offset < 0 || a->offset + a->floats > ir->arena_floats)
                return verify_fail(v, o, "is not inside the arena:", t);
            for (int j = 0; j < n_live; j++) {
                const Tensor *b = &ir->tensors[live[j]];
                const bool taken_over =
                    i == 0 && last[live[j]] == o && takes_over(ir, &ir->ops[o], live[j]);
                if (!taken_over && a->offset < b->offset + b->floats &&
                    b->offset < a->offset + a->floats)
                    return verify_fail(v, o, "overlaps a live tensor:", t);
            }
            live[n_live++] = t;
        }
    }
    return true;
}

bool ir_verify(const Ir *ir, Err *err)
{
    Verifier v = {ir, pool_alloc(ir->pool, (size_t)ir->n_tensors + 1), err};
    for (int i = 0; i < ir->n_ops; i++)
        if (!verify_op(&v, i))
            return false;
    return ir->arena_floats == 0 || verify_plan(&v);
}

// ---- printing -----------------------------------------------------------------------------------

static const char *const space_name[SPACE_COUNT] = {"arena",  "params", "grads",  "state", "const",
                                                    "images", "labels", "logits", "loss"};

static void print_tensor(const Ir *ir, int index, Text *out)
{
    const Tensor *t = &ir->tensors[index];
    text_printf(out, "%%%d:%s", index, t->name);
    if (t->layout == LAYOUT_PLAIN)
        text_printf(out, "[%lld]", (long long)t->floats);
    else
        text_printf(out, "[%dx%dx%d]", t->channels, t->height, t->width);
    text_printf(out, "@%s", space_name[t->space]);
    if (t->offset >= 0)
        text_printf(out, "+%lld", (long long)t->offset);
    if (t->scale > 0.0f)
        text_printf(out, "*%.6g(%s%+d)", (double)t->scale, t->dtype == DTYPE_I16 ? "q16" : "q",
                    -t->zero);
}

void op_describe(const Ir *ir, const Op *op, Text *out)
{
    const Tensor *y = &ir->tensors[op->args[0]];
    text_printf(out, "%s", y->name);
    if (y->layout != LAYOUT_PLAIN)
        text_printf(out, "  [%d, %d, %d]", y->channels, y->height, y->width);
}

void ir_print(const Ir *ir, Text *out)
{
    text_printf(out, "; %s, batch %d, %d ops, %d tensors, arena %lld floats\n",
                ir->layout == LAYOUT_PIXELS ? "pixels" : "batch innermost", ir->batch, ir->n_ops,
                ir->n_tensors, (long long)ir->arena_floats);
    int place = -1;
    for (int o = 0; o < ir->n_ops; o++) {
        const Op *op = &ir->ops[o];
        if (op->place != place && ir->n_places)
            text_printf(out, "%s:\n", ir->places[place = op->place].name);
        text_printf(out, "  %-24s", op_info[op->kind].kernel);
        for (int i = 0; i < op->n_args; i++) {
            static const char *const sign[] = {"", "", "=", "+="};
            const Arg arg = op_arg(op, i);
            text_puts(out, " ");
            if (arg.tensor < 0) {
                text_puts(out, "-");
                continue;
            }
            print_tensor(ir, arg.tensor, out);
            text_puts(out, sign[arg.access]);
        }
        text_puts(out, "  {");
        for (const char *word = op_info[op->kind].attributes; *word;) {
            const int length = (int)strcspn(word, " ");
            bool is_float;
            if (*word != '|')
                text_printf(out, " %.*s=%.9g", length, word,
                            op_attribute(op, word, length, &is_float));
            word += length + (word[length] == ' ');
        }
        text_puts(out, " }\n");
    }
}
