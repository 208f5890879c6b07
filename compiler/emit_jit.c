// emit_jit.c - the text that the JIT compiles: straight lists of calls of the runtime's kernels,
// reached through function pointers that net.c fills by name.  No loop, no arithmetic: tcc does not
// optimise, and need not.
//
// The text is read by a compiler alone, a thousand ops a search candidate, so it is terse: A, P, G,
// S are the arena, parameters, gradients and state, c the call, g its groups, q and n the part and
// the number of parts; kernels are named by number.
#include "emit_ops.h"

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

static void put_call(const Ir *ir, const Op *op, bool alone, bool profile, Text *out)
{
    put(out, "k");
    put_number(out, op->kind);
    for (int i = 0; i < op->n_args; i++) {
        const Arg arg = op_arg(op, i);
        put(out, i ? "," : "(");
        if (arg.first_of_list)
            put(out, arg.access == ACCESS_READ ? "(F[]){" : "(W[]){");
        put_pointer(ir, arg.tensor, out);
        if (arg.last_of_list)
            put(out, "}");
    }
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
        const bool is_groups = length == 6 && !memcmp(word, "groups", 6);
        put(out, is_groups ? emit_groups_vary(ir) ? ",g" : ",1" : ",c->");
        if (!is_groups)
            text_add(out, word, (size_t)length);
        word += length + (word[length] == ' ');
    }
    put(out, alone ? ",0,1);" : ",q,n);b(c,n);");
    if (profile)
        text_printf(out, "M(%d)", (int)(op - ir->ops));
    put(out, "\n");
}

static void put_program(const Ir *ir, bool alone, bool profile, Text *out)
{
    for (int o = 0; o < ir->n_ops; o++) {
        if (o % OPS_OF_FUNCTION == 0)
            text_printf(out,
                        "static void %s%d(const nk_call *c, int q, int n)\n{\n"
                        "W A=c->arena,P=c->params,G=c->grads,S=c->state; int g=(c->count+%d)/%d;\n",
                        ir->name, o / OPS_OF_FUNCTION, LANES - 1, LANES);
        put_call(ir, &ir->ops[o], alone, profile, out);
        if (o % OPS_OF_FUNCTION == OPS_OF_FUNCTION - 1 || o == ir->n_ops - 1)
            put(out, "}\n");
    }
    text_printf(out, "void nk_program_%s(const nk_call *c, int q, int n)\n{\n", ir->name);
    for (int o = 0; o < ir->n_ops; o += OPS_OF_FUNCTION)
        text_printf(out, "%s%d(c,q,n);\n", ir->name, o / OPS_OF_FUNCTION);
    put(out, "}\n");
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
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        put_program(programs[p], alone, profile, out);
}
