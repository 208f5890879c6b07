// emit_ops.c - ops as C: pointers into the arena, kernel calls, wrappers, programs.
#include "emit_ops.h"

#include <stdlib.h>
#include <string.h>

bool emit_groups_vary(const Ir *ir)
{
    return ir->groups > 1;
}

static bool word_is(const char *word, int length, const char *text)
{
    return (int)strlen(text) == length && !memcmp(word, text, (size_t)length);
}

static bool has_word(const char *list, const char *text)
{
    for (const char *word = list; *word;) {
        const int length = (int)strcspn(word, " ");
        if (word_is(word, length, text))
            return true;
        word += length + (word[length] == ' ');
    }
    return false;
}

// The attributes that stay parameters of a wrapper: the words behind "|".
static const char *free_attributes(OpKind kind)
{
    const char *bar = strstr(op_info[kind].attributes, "| ");
    return bar ? bar + 2 : "";
}

// ---- signatures ---------------------------------------------------------------------------------

static const char *tensor_type(const char *word, int length)
{
    if (memchr(word, '*', (size_t)length))
        return memchr(word, '=', (size_t)length) ? "float *const *" : "const float *const *";
    if (word_is(word, length, "labels"))
        return "const int *";
    return memchr(word, '=', (size_t)length) || memchr(word, '+', (size_t)length) ? "float *"
                                                                                  : "const float *";
}

// What the int8 kernels' tensors hold: numbers of either width, but for these.
static const char *int8_type(const char *word, int length)
{
    static const char *const types[][2] = {
        {"scratch", "void *"},       {"image", "const float *"},  {"logits", "float *"},
        {"scales", "const float *"}, {"bias", "const int32_t *"}, {"multiplier", "const int32_t *"},
        {"rule", "const int32_t *"}, {"shift", "const int8_t *"}};
    const int name = (int)strcspn(word, "=+?* ");
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (word_is(word, name, types[i][0]))
            return types[i][1];
    if (memchr(word, '*', (size_t)length))
        return "const void *const *";
    return memchr(word, '=', (size_t)length) ? "void *" : "const void *";
}

static const char *call_type(const char *word, int length)
{
    if (word_is(word, length, "seed") || word_is(word, length, "step"))
        return "unsigned long long ";
    return word_is(word, length, "groups") || word_is(word, length, "count") ? "int " : "float ";
}

void emit_tensor_parameters(OpKind kind, Text *out)
{
    const char *comma = "(";
    for (const char *word = op_info[kind].tensors; *word;) {
        const int length = (int)strcspn(word, " ");
        text_printf(out, "%s%s%.*s", comma,
                    op_is_int8(kind) ? int8_type(word, length) : tensor_type(word, length),
                    (int)strcspn(word, "=+?* "), word);
        comma = ", ";
        word += length + (word[length] == ' ');
    }
}

// A kernel's parameters, not closed.
static void open_signature(OpKind kind, bool attributes, bool groups, Text *out)
{
    const OpInfo *info = &op_info[kind];
    emit_tensor_parameters(kind, out);
    for (const char *word = attributes ? info->attributes : free_attributes(kind); *word;) {
        const int length = (int)strcspn(word, " ");
        if (*word != '|')
            text_printf(out, ", %s %.*s", word_is(word, length, "scale") ? "float" : "int", length,
                        word);
        word += length + (word[length] == ' ');
    }
    for (const char *word = info->call; *word;) {
        const int length = (int)strcspn(word, " ");
        if (groups || !word_is(word, length, "groups"))
            text_printf(out, ", %s%.*s", call_type(word, length), length, word);
        word += length + (word[length] == ' ');
    }
}

void emit_signature(OpKind kind, bool attributes, bool groups, Text *out)
{
    open_signature(kind, attributes, groups, out);
    text_puts(out, attributes && !op_is_int8(kind) ? ", int part, int parts)" : ")");
}

// ---- arguments ----------------------------------------------------------------------------------

static void emit_pointer(const Ir *ir, int index, const EmitStyle *style, Text *out)
{
    static const char *const base[SPACE_COUNT] = {"arena", "params", "grads", "state", "weights"};
    static const char *const whole[SPACE_COUNT] = {[SPACE_IMAGES] = "call->images",
                                                   [SPACE_LABELS] = "call->labels",
                                                   [SPACE_LOGITS] = "call->logits",
                                                   [SPACE_LOSS] = "call->loss"};
    if (index < 0) {
        text_puts(out, "NULL");
        return;
    }
    const Tensor *t = &ir->tensors[index];
    if (whole[t->space])
        text_puts(out, whole[t->space]);
    else if (t->space == SPACE_ARENA && style->own_arrays)
        text_printf(out, ir->margin ? "%s_%s_t%d + %d" : "%s_%s_t%d", style->prefix, ir->name,
                    index, ir->margin);
    else
        text_printf(out, "%s + %lld", base[t->space], (long long)t->offset);
}

static void emit_tensors(const Ir *ir, const Op *op, EmitPointer pointer, const char *type,
                         const EmitStyle *style, Text *out)
{
    for (int i = 0; i < op->n_args; i++) {
        const Arg arg = op_arg(op, i);
        text_puts(out, i ? ", " : "(");
        if (arg.first_of_list)
            text_printf(out, "(%s%s *const[]){", arg.access == ACCESS_READ ? "const " : "", type);
        pointer(ir, arg.tensor, style, out);
        if (arg.last_of_list)
            text_puts(out, "}");
    }
}

// The numbers of a wrapper's constants (`fixed`), or of what remains its parameter.
static void emit_attributes(const Op *op, bool fixed, Text *out)
{
    for (const char *word = fixed ? op_info[op->kind].attributes : free_attributes(op->kind);
         *word && *word != '|';) {
        const int length = (int)strcspn(word, " ");
        bool is_float;
        const double value = op_attribute(op, word, length, &is_float);
        if (is_float)
            text_printf(out, value == (int)value ? ", %.1ff" : ", %.9gf", value);
        else
            text_printf(out, ", %d", (int)value);
        word += length + (word[length] == ' ');
    }
}

void emit_arguments(const Ir *ir, const Op *op, EmitPointer pointer, const EmitStyle *style,
                    Text *out)
{
    emit_tensors(ir, op, pointer, "void", style, out);
    emit_attributes(op, true, out);
    text_puts(out, ");\n");
}

// ---- wrappers: one function per kernel and shape ------------------------------------------------

// Short names of attributes in wrappers' names.
static void wrapper_part(const char *word, int length, double value, Text *out)
{
    static const char *const letters[][2] = {
        {"channels", "c"},   {"height", "h"},   {"width", "w"},       {"filters", "k"},
        {"kernel_h", "r"},   {"kernel_w", "s"}, {"stride", "stride"}, {"out_height", "oh"},
        {"out_width", "ow"}, {"classes", "k"},  {"inputs", "x"},      {"total", "of"},
        {"offset", "at"},    {"size", "n"},     {"tile", "t"},        {"out_tile", "ot"},
        {"blocks", "by"},    {"from", "from"},  {"pixels", "of"}};
    static const char *const flags[][2] = {
        {"relu", "_relu"}, {"relu_x", "_relux"}, {"accumulate", "_add"}};
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (word_is(word, length, flags[i][0])) {
            text_puts(out, value != 0.0 ? flags[i][1] : "");
            return;
        }
    if (word_is(word, length, "scale")) {
        if (value != 0.0 && value != 1.0)
            text_printf(out, "_mean%d", (int)(1.0 / value + 0.5));
        return;
    }
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        if (word_is(word, length, letters[i][0]))
            text_printf(out, "_%s%d", letters[i][1], (int)value);
}

// Whether threads take parts of the op.
static bool is_shared(const Op *op, const EmitStyle *style)
{
    return op->shared && style->threads > 1;
}

void emit_wrapper_name(const Ir *ir, const Op *op, const EmitStyle *style, Text *out)
{
    (void)ir;
    text_printf(out, "%s_%s", style->prefix, op_info[op->kind].kernel);
    for (const char *word = op_info[op->kind].attributes; *word && *word != '|';) {
        const int length = (int)strcspn(word, " ");
        bool is_float;
        wrapper_part(word, length, op_attribute(op, word, length, &is_float), out);
        word += length + (word[length] == ' ');
    }
    if (op_info[op->kind].attributes[0] == '|') // one for all shapes, and the kernel has its name
        text_puts(out, "_any");
    if (is_shared(op, style))
        text_puts(out, "_part");
}

static void emit_wrapper(const Ir *ir, const Op *op, const char *name, const EmitStyle *style,
                         Text *out)
{
    const OpInfo *info = &op_info[op->kind];
    const bool groups = emit_groups_vary(ir);
    Text body = {0};
    text_printf(out, "static NK_NOINLINE void %s", name);
    open_signature(op->kind, false, groups, out);
    text_puts(out, is_shared(op, style) ? ", int part)" : ")");
    text_printf(&body, "\n{\n    %s_%s", style->prefix, info->kernel);
    const char *comma = "(";
    for (const char *word = info->tensors; *word;) {
        const int length = (int)strcspn(word, " ");
        text_printf(&body, "%s%.*s", comma, (int)strcspn(word, "=+?* "), word);
        comma = ", ";
        word += length + (word[length] == ' ');
    }
    emit_attributes(op, true, &body);
    for (const char *word = free_attributes(op->kind); *word;) {
        const int length = (int)strcspn(word, " ");
        text_printf(&body, ", %.*s", length, word);
        word += length + (word[length] == ' ');
    }
    for (const char *word = info->call; *word;) {
        const int length = (int)strcspn(word, " ");
        if (!groups && word_is(word, length, "groups"))
            text_puts(&body, ", 1");
        else
            text_printf(&body, ", %.*s", length, word);
        word += length + (word[length] == ' ');
    }
    text_puts(&body, is_shared(op, style) ? ", part, NK_THREADS);\n}\n\n" : ", 0, 1);\n}\n\n");
    template_rename(body.data, style->prefix, out);
    text_free(&body);
}

typedef struct {
    const char *name;
    const Ir *ir;
    const Op *op;
    int order;
} Wrapper;

static int by_name(const void *a, const void *b)
{
    const Wrapper *x = a, *y = b;
    const int names = strcmp(x->name, y->name);
    return names ? names : x->order - y->order;
}

static int by_order(const void *a, const void *b)
{
    return ((const Wrapper *)a)->order - ((const Wrapper *)b)->order;
}

void emit_wrappers(const Ir *const *programs, int count, const EmitStyle *style, Pool *pool,
                   Text *out)
{
    int n = 0, kept = 0;
    for (int p = 0; p < count; p++)
        n += programs[p]->n_ops;
    Wrapper *all = pool_alloc(pool, (size_t)(n + 1) * sizeof *all);
    n = 0;
    for (int p = 0; p < count; p++)
        for (int o = 0; o < programs[p]->n_ops; o++, n++) {
            Text name = {0};
            emit_wrapper_name(programs[p], &programs[p]->ops[o], style, &name);
            all[n] = (Wrapper){pool_strdup(pool, name.data), programs[p], &programs[p]->ops[o], n};
            text_free(&name);
        }
    qsort(all, (size_t)n, sizeof *all, by_name);
    for (int i = 0; i < n; i++)
        if (i == 0 || strcmp(all[i].name, all[i - 1].name) != 0)
            all[kept++] = all[i];
    qsort(all, (size_t)kept, sizeof *all, by_order);
    Text text = {0};
    for (int i = 0; i < kept; i++)
        emit_wrapper(all[i].ir, all[i].op, all[i].name, style, &text);
    if (text.data)
        template_rename(text.data, style->prefix, out);
    text_free(&text);
}

// ---- programs -----------------------------------------------------------------------------------

static void emit_call(const Ir *ir, const Op *op, const EmitStyle *style, Text *out)
{
    const OpInfo *info = &op_info[op->kind];
    text_puts(out, "    ");
    emit_wrapper_name(ir, op, style, out);
    emit_tensors(ir, op, emit_pointer, "float", style, out);
    emit_attributes(op, false, out);
    for (const char *word = info->call; *word;) {
        const int length = (int)strcspn(word, " ");
        if (!word_is(word, length, "groups"))
            text_printf(out, ", call->%.*s", length, word);
        else if (emit_groups_vary(ir))
            text_puts(out, ", groups");
        word += length + (word[length] == ' ');
    }
    text_puts(out, is_shared(op, style) ? ", part);\n" : ");\n");
}

// Which spaces and whether `groups` the ops of a function name; shared ones have functions of their
// own (of_task: this is one).
static void emit_bases(const Ir *ir, int from, int to, const EmitStyle *style, bool of_task,
                       Text *out)
{
    static const char *const base[] = {"arena", "params", "grads", "state"};
    bool used[SPACE_COUNT] = {false}, groups = false, written = false;
    for (int o = from; o < to; o++) {
        if (!of_task && is_shared(&ir->ops[o], style))
            continue;
        groups = groups || has_word(op_info[ir->ops[o].kind].call, "groups");
        for (int i = 0; i < ir->ops[o].n_args; i++)
            if (ir->ops[o].args[i] >= 0)
                used[ir->tensors[ir->ops[o].args[i]].space] = true;
    }
    for (int s = 0; s <= SPACE_STATE; s++)
        if (used[s] && !(s == SPACE_ARENA && style->own_arrays)) {
            text_printf(out, "    float *const %s = call->%s", base[s], base[s]);
            if (s == SPACE_ARENA && ir->margin)
                text_printf(out, " + %d", ir->margin);
            text_puts(out, ";\n");
            written = true;
        }
    if (used[SPACE_CONST]) {
        text_printf(out, "    const float *const weights = %s_weights.values;\n", style->prefix);
        written = true;
    }
    if (groups && emit_groups_vary(ir)) {
        text_printf(out, "    const int groups = (call->count + %d) / %d;\n", LANES - 1, LANES);
        written = true;
    }
    if (written)
        text_puts(out, "\n");
}

static void emit_parameters(const EmitStyle *style, Text *out)
{
    text_printf(out, "(const %s_call *call)\n{\n", style->prefix);
}

static const char *direction(const Ir *ir, int op)
{
    return op < ir->n_forward ? "" : "_backward";
}

// The name of the function of the ops from `from`.  The order that needs the least memory may come
// back to a place: "net_infer_cell_2", later "net_infer_cell_2_part2".
static void emit_place_name(const Ir *ir, const char *name, int from, const EmitStyle *style,
                            Text *out)
{
    int part = 1;
    for (int o = 0; o < from; o = emit_place_end(ir, o))
        part += ir->ops[o].place == ir->ops[from].place &&
                (o < ir->n_forward) == (from < ir->n_forward);
    text_printf(out, "%s_%s_%s%s", style->prefix, name, ir->places[ir->ops[from].place].symbol,
                direction(ir, from));
    if (part > 1)
        text_printf(out, "_part%d", part);
}

// The function that computes a part of op number `op`.
static void emit_task(const Ir *ir, int op, const EmitStyle *style, Text *out)
{
    text_puts(out, "// ");
    op_describe(ir, &ir->ops[op], out);
    text_printf(out, "\nstatic void %s_op%d(const %s_call *call, int part)\n{\n", style->prefix, op,
                style->prefix);
    emit_bases(ir, op, op + 1, style, true, out);
    if (style->own_arrays)
        text_puts(out, "    (void)call;\n");
    emit_call(ir, &ir->ops[op], style, out);
    text_puts(out, "}\n\n");
}

static void emit_place(const Ir *ir, const char *name, int from, int to, const EmitStyle *style,
                       Text *out)
{
    const Place *place = &ir->places[ir->ops[from].place];
    for (int o = from; o < to; o++)
        if (is_shared(&ir->ops[o], style))
            emit_task(ir, o, style, out);
    text_printf(out, "// %s%s\nstatic void ", place->name,
                from < ir->n_forward ? "" : ", backward");
    emit_place_name(ir, name, from, style, out);
    emit_parameters(style, out);
    emit_bases(ir, from, to, style, false, out);
    if (style->own_arrays) // a piece that reads no weights may need nothing of it
        text_puts(out, "    (void)call;\n");
    for (int o = from; o < to; o++) {
        text_puts(out, "    // ");
        op_describe(ir, &ir->ops[o], out);
        text_puts(out, "\n");
        if (is_shared(&ir->ops[o], style))
            text_printf(out, "    %s_run_shared(%s_op%d, call);\n", style->prefix, style->prefix,
                        o);
        else
            emit_call(ir, &ir->ops[o], style, out);
        emit_mark(o, style, out);
    }
    text_puts(out, "}\n\n");
}

// The end of the run of ops from `from` that stand in one function.
int emit_place_end(const Ir *ir, int from)
{
    int to = from;
    while (to < ir->n_ops && ir->ops[to].place == ir->ops[from].place &&
           (to < ir->n_forward) == (from < ir->n_forward))
        to++;
    return to;
}

static void emit_own_arrays(const Ir *ir, const EmitStyle *style, Text *out)
{
    if (!style->own_arrays)
        return;
    for (int t = 0; t < ir->n_tensors; t++)
        if (ir->tensors[t].space == SPACE_ARENA && ir->tensors[t].offset >= 0)
            text_printf(out, "static _Alignas(64) float %s_%s_t%d[%lld]; // %s\n", style->prefix,
                        ir->name, t, (long long)ir->tensors[t].floats + 2 * ir->margin,
                        ir->tensors[t].name);
    text_puts(out, "\n");
}

void emit_program(const Ir *ir, const char *name, const EmitStyle *style, Text *out)
{
    const char *prefix = style->prefix;
    emit_own_arrays(ir, style, out);
    for (int o = 0; o < ir->n_ops; o = emit_place_end(ir, o))
        emit_place(ir, name, o, emit_place_end(ir, o), style, out);
    text_printf(out, "static void %s_program_%s", prefix, name);
    emit_parameters(style, out);
    if (style->profile)
        text_printf(out, "    %s_profile_begin();\n", prefix);
    for (int o = 0; o < ir->n_ops; o = emit_place_end(ir, o)) {
        text_puts(out, "    ");
        emit_place_name(ir, name, o, style, out);
        text_puts(out, "(call);\n");
    }
    text_puts(out, "}\n\n");
}
