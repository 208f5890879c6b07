// emit_jit_int8.c - the text that the JIT compiles for an int8 program: calls of the runtime's int8
// kernels, which need no more than tensors and attributes.
//
// The program works on one image; each part takes every n-th of a call, with an arena of its own.
// Pointers have no types in the text: a kernel knows what it gets.
#include "emit_ops.h"

#include <string.h>

static void put_signature(OpKind kind, Text *out)
{
    const char *comma = "(";
    for (const char *word = op_info[kind].tensors; *word; comma = ", ") {
        const int length = (int)strcspn(word, " ");
        const bool is_list = memchr(word, '*', (size_t)length) != NULL;
        const bool is_made = memchr(word, '=', (size_t)length) != NULL;
        text_puts(out, comma);
        text_puts(out, is_list ? "const void *const *" : is_made ? "void *" : "const void *");
        word += length + (word[length] == ' ');
    }
    for (const char *word = op_info[kind].attributes; *word;) {
        const int length = (int)strcspn(word, " ");
        text_puts(out, length == 5 && !memcmp(word, "scale", 5) ? ", float" : ", int");
        word += length + (word[length] == ' ');
    }
    text_puts(out, ");\n");
}

static void put_pointer(const Ir *ir, int tensor, const EmitStyle *style, Text *out)
{
    (void)style;
    const Tensor *t = &ir->tensors[tensor];
    switch (t->space) {
    case SPACE_IMAGES:
        text_puts(out, "images");
        return;
    case SPACE_LOGITS:
        text_puts(out, "logits");
        return;
    case SPACE_CONST:
        text_printf(out, "nk_constants + %lld", (long long)t->offset);
        return;
    default:
        text_printf(out, "arena + %lld", (long long)t->offset);
    }
}

static void put_call(const Ir *ir, const Op *op, Text *out)
{
    text_printf(out, "    k%d", op->kind);
    emit_arguments(ir, op, put_pointer, NULL, out);
}

static void put_imports(const Ir *ir, Text *out)
{
    bool used[OP_COUNT] = {false};
    for (int o = 0; o < ir->n_ops; o++)
        used[ir->ops[o].kind] = true;
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k]) {
            text_printf(out, "static void (*k%d)", k);
            put_signature((OpKind)k, out);
        }
    text_puts(out, "float *nk_constants;\nvoid *nk_imports[] = {\n");
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k])
            text_printf(out, "    \"%s\", &k%d,\n", op_info[k].kernel, k);
    text_puts(out, "    0};\n");
}

void emit_jit_int8(const Ir *infer, bool profile, Text *out)
{
    const Arch *arch = infer->arch;
    template_paste("abi", "nk", out);
    put_imports(infer, out);
    text_puts(out, "static void run(const nk_call *call, float *arena, const float *images, float "
                   "*logits)\n{\n");
    for (int o = 0; o < infer->n_ops; o++) {
        put_call(infer, &infer->ops[o], out);
        if (profile)
            text_printf(out, "    call->mark(call->mark_user, %d);\n", o);
    }
    text_puts(out, "}\n");
    text_printf(out,
                "void nk_program_infer(const nk_call *call, int part, int parts)\n{\n"
                "    for (int i = part; i < call->count; i += parts)\n"
                "        run(call, call->arena + (long long)part * %lld, call->images + (long "
                "long)i * %d, call->logits + i * %d);\n}\n",
                (long long)infer->arena_floats, arch->channels * arch->height * arch->width,
                arch->classes);
}
