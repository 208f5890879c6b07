// emit_jit.c - the text that the JIT compiles: straight lists of calls of the runtime's kernels,
// reached through function pointers that jit.c fills by name.  No loop, no arithmetic: tcc does not
// optimise, and need not.
#include "emit_ops.h"

void emit_jit(const Ir *infer, const Ir *gradient, const Ir *update, bool profile, Text *out)
{
    const Ir *const programs[] = {infer, gradient, update};
    const EmitStyle style = {.prefix = "nk", .jit = true, .profile = profile};
    bool used[OP_COUNT] = {false};
    template_paste("abi", "nk", out);
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        for (int o = 0; o < programs[p]->n_ops; o++)
            used[programs[p]->ops[o].kind] = true;
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k]) {
            text_printf(out, "static void (*k_%s)", op_info[k].kernel);
            emit_signature((OpKind)k, true, true, out);
            text_puts(out, ";\n");
        }
    text_puts(out, "void *nk_imports[] = {\n");
    for (int k = 0; k < OP_COUNT; k++)
        if (used[k])
            text_printf(out, "    \"%s\", &k_%s,\n", op_info[k].kernel, op_info[k].kernel);
    text_puts(out, "    0};\n#define B if (parts > 1) call->barrier(call->team);\n"
                   "#define M(op) if (part == 0) call->mark(call->mark_user, op);\n\n");
    for (size_t p = 0; p < COUNT_OF(programs); p++)
        emit_program(programs[p], programs[p]->name, &style, out);
}
