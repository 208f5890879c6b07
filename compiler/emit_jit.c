// emit_jit.c - the text that the JIT compiles: straight lists of calls of the runtime's kernels,
// reached through function pointers that net.c fills by name.  No loop, no arithmetic: tcc does not
// optimise, and need not.
//
// The text is read by a compiler alone, a thousand ops a search candidate, so it is terse: A, P, G,
// S are the arena, parameters, gradients and state, c the call, q and n the part and the number of
// parts; kernels (k) and their shapes (s) are named by number.
#include "emit_ops.h"

#include <stdlib.h>
#include <string.h>

enum { OPS_OF_FUNCTION = 256 }; // gcc's time grows faster than a function's length

static void put(Text *out, const char *text)
{
    text_add(out, text, strlen(text));
}

static void put_number(Text *out, int64_t value)
{
    char digits[24];
    int at = sizeof digits;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;
    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    text_add(out, digits + at, sizeof digits - (size_t)at);
}

static void put_pointer(const Ir *ir, int tensor, Text *out)
{
    static const char *const base[SPACE_COUNT] = {
        [SPACE_ARENA] = "A+", [SPACE_PARAM] = "P+", [SPACE_GRAD] = "G+", [SPACE_STATE] = "S+"};
    static const char *const whole[SPACE_COUNT] = {[SPACE_IMAGES] = "c->images",
                                                   [SPACE_LABELS] = "c->labels",
                                                   [SPACE_LOGITS] = "c->logits",
                                                   [SPACE_LOSS] = "c->loss"};
    if (tensor < 0) {
        put(out, "0");
        return;
    }
    const Tensor *t = &ir->tensors[tensor];
    if (whole[t->space]) {
        put(out, whole[t->space]);
        return;
    }
    put(out, base[t->space]);
    put_number(out, t->offset);
}

// ---- shapes: one function per kernel and attributes ---------------------------------------------

// An op's call names its tensors alone: the rest is in a function that all ops of its kind and
// attributes share, which halves what tcc has to read.
typedef struct {
    Text functions, key;
    char **keys; // of the functions so far, an open hash table
    int *numbers;
    int count, capacity;
    bool alone;
    struct { // looked at first: comparing attributes is cheaper than printing them
        Attr attr;
        int number; // 0: nothing here
    } recent[OP_COUNT][8];
} Shapes;

static uint32_t hash_key(const char *key)
{
    uint32_t hash = 2166136261u;
    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    return hash;
}

static int find_slot(char *const *keys, int capacity, const char *key)
{
    uint32_t slot = hash_key(key) & (uint32_t)(capacity - 1);
    while (keys[slot] && strcmp(keys[slot], key))
        slot = (slot + 1) & (uint32_t)(capacity - 1);
    return (int)slot;
}

static void grow(Shapes *shapes)
{
    const int capacity = shapes->capacity ? 2 * shapes->capacity : 256;
    char **keys = xcalloc((size_t)capacity, sizeof *keys);
    int *numbers = xcalloc((size_t)capacity, sizeof *numbers);
    for (int i = 0; i < shapes->capacity; i++)
        if (shapes->keys[i]) {
            const int slot = find_slot(keys, capacity, shapes->keys[i]);
            keys[slot] = shapes->keys[i];
            numbers[slot] = shapes->numbers[i];
        }
    free(shapes->keys);
    free(shapes->numbers);
    shapes->keys = keys;
    shapes->numbers = numbers;
    shapes->capacity = capacity;
}

static void shapes_free(Shapes *shapes)
{
    for (int i = 0; i < shapes->capacity; i++)
        free(shapes->keys[i]);
    free(shapes->keys);
    free(shapes->numbers);
    text_free(&shapes->functions);
    text_free(&shapes->key);
}

// The arguments behind the tensors: ",14,32,32,(c->count+31)/32".
static void put_attributes(const Ir *ir, const Op *op, Text *out)
{
    for (const char *word = op_info[op->kind].attributes; *word;) {
        const int length = (int)strcspn(word, " ");
        bool is_float;
        const double value = op_attribute(op, word, length, &is_float);
        put(out, ",");
        if (is_float && value != (int)value)
            text_printf(out, "%.9gf", value);
        else
            put_number(out, (int64_t)value);
        word += length + (word[length] == ' ');
    }
    for (const char *word = op_info[op->kind].call; *word;) {
        const int length = (int)strcspn(word, " ");
        if (length != 6 || memcmp(word, "groups", 6)) {
            put(out, ",c->");
            text_add(out, word, (size_t)length);
        } else if (emit_groups_vary(ir)) {
            text_printf(out, ",(c->count+%d)/%d", LANES - 1, LANES);
        } else {
            put(out, ",1");
        }
        word += length + (word[length] == ' ');
    }
}

// Whether an op's kernel takes something that is known when the program runs.
static bool needs_call(const Ir *ir, OpKind kind)
{
    const char *call = op_info[kind].call;
    return *call && (strcmp(call, "groups") || emit_groups_vary(ir));
}

static void put_shape(Shapes *shapes, const Ir *ir, OpKind kind, const char *attributes)
{
    Text *out = &shapes->functions;
    text_printf(out, "static void s%d", shapes->count + 1);
    emit_tensor_parameters(kind, out);
    put(out, needs_call(ir, kind) ? ",const nk_call *c" : "");
    put(out, shapes->alone ? ")" : ",int part,int parts)");
    text_printf(out, " { k%d", kind);
    const char *comma = "(";
    for (const char *word = op_info[kind].tensors; *word;) {
        const int length = (int)strcspn(word, " ");
        text_printf(out, "%s%.*s", comma, (int)strcspn(word, "=+?* "), word);
        comma = ",";
        word += length + (word[length] == ' ');
    }
    text_printf(out, "%s,%s); }\n", attributes, shapes->alone ? "0,1" : "part,parts");
}

// The number of the function of an op's shape, written when it is the first of it.
static int look_up(Shapes *shapes, const Ir *ir, const Op *op)
{
    shapes->key.length = 0;
    put_number(&shapes->key, op->kind);
    const size_t attributes = shapes->key.length;
    put_attributes(ir, op, &shapes->key);
    if (2 * shapes->count >= shapes->capacity)
        grow(shapes);
    const int slot = find_slot(shapes->keys, shapes->capacity, shapes->key.data);
    if (!shapes->keys[slot]) {
        put_shape(shapes, ir, op->kind, shapes->key.data + attributes);
        shapes->keys[slot] = xcalloc(shapes->key.length + 1, 1);
        memcpy(shapes->keys[slot], shapes->key.data, shapes->key.length);
        shapes->numbers[slot] = ++shapes->count;
    }
    return shapes->numbers[slot];
}

static int shape_of(Shapes *shapes, const Ir *ir, const Op *op)
{
    const int row = (int)COUNT_OF(shapes->recent[0]);
    for (int i = 0; i < row && shapes->recent[op->kind][i].number; i++)
        if (!memcmp(&shapes->recent[op->kind][i].attr, &op->attr, sizeof op->attr))
            return shapes->recent[op->kind][i].number;
    const int number = look_up(shapes, ir, op);
    memmove(&shapes->recent[op->kind][1], &shapes->recent[op->kind][0],
            (size_t)(row - 1) * sizeof shapes->recent[0][0]);
    shapes->recent[op->kind][0].attr = op->attr;
    shapes->recent[op->kind][0].number = number;
    return number;
}

// ---- programs -----------------------------------------------------------------------------------

static void put_call(Shapes *shapes, const Ir *ir, const Op *op, bool profile, Text *out)
{
    put(out, "s");
    put_number(out, shape_of(shapes, ir, op));
    for (int i = 0; i < op->n_args; i++) {
        const Arg arg = op_arg(op, i);
        put(out, i ? "," : "(");
        if (arg.first_of_list)
            put(out, arg.access == ACCESS_READ ? "(F[]){" : "(W[]){");
        put_pointer(ir, arg.tensor, out);
        if (arg.last_of_list)
            put(out, "}");
    }
    put(out, needs_call(ir, op->kind) ? ",c" : "");
    put(out, shapes->alone ? ");" : ",q,n);b(c,n);");
    if (profile)
        text_printf(out, "M(%d)", (int)(op - ir->ops));
    put(out, "\n");
}

// Moves what is in `from` to the end of `out`.
static void put_all(Text *from, Text *out)
{
    text_add(out, from->data, from->length);
    from->length = 0;
}

static void put_program(Shapes *shapes, const Ir *ir, bool profile, Text *out)
{
    Text calls = {0};
    memset(shapes->recent, 0, sizeof shapes->recent); // how a call goes on depends on the program
    for (int o = 0; o < ir->n_ops; o++) {
        put_call(shapes, ir, &ir->ops[o], profile, &calls);
        if (o % OPS_OF_FUNCTION != OPS_OF_FUNCTION - 1 && o != ir->n_ops - 1)
            continue;
        put_all(&shapes->functions, out);
        text_printf(out,
                    "static void %s%d(const nk_call *c, int q, int n)\n{\n"
                    "W A=c->arena,P=c->params,G=c->grads,S=c->state;\n",
                    ir->name, o / OPS_OF_FUNCTION);
        put_all(&calls, out);
        put(out, "}\n");
    }
    text_printf(out, "void nk_program_%s(const nk_call *c, int q, int n)\n{\n", ir->name);
    for (int o = 0; o < ir->n_ops; o += OPS_OF_FUNCTION)
        text_printf(out, "%s%d(c,q,n);\n", ir->name, o / OPS_OF_FUNCTION);
    put(out, "}\n");
    text_free(&calls);
}

void emit_jit(const Ir *infer, const Ir *gradient, const Ir *update, bool alone, bool profile,
              Text *out)
{
    const Ir *const programs[] = {infer, gradient, update};
    bool used[OP_COUNT] = {false};
    template_paste("abi", "nk", out);
    put(out, "typedef float *W;\ntypedef const float *const F;\n");
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        for (int o = 0; o < programs[p]->n_ops; o++)
            used[programs[p]->ops[o].kind] = true;
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k]) {
            text_printf(out, "static void (*k%d)", k);
            emit_signature((OpKind)k, true, true, out);
            text_printf(out, "; // %s\n", op_info[k].kernel);
        }
    put(out, "void *nk_imports[] = {\n");
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k])
            text_printf(out, "    \"%s\", &k%d,\n", op_info[k].kernel, k);
    put(out, "    0};\n"
             "static void b(const nk_call *c, int n) { if (n > 1) c->barrier(c->team); }\n"
             "#define M(op) if (q == 0) c->mark(c->mark_user, op);\n");
    Shapes shapes = {.alone = alone};
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        put_program(&shapes, programs[p], profile, out);
    shapes_free(&shapes);
}
