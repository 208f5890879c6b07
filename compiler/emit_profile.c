// emit_profile.c - the timing hooks of a generated file, compiled in by -D NET_PROFILE: a row for
// each op of the program, and a mark behind each.
#include "emit_ops.h"

void emit_profile_declarations(const Ir *ir, const char *prefix, Text *out)
{
    Text text = {0};
    text_printf(&text,
                "#ifdef NK_PROFILE\n"
                "// What each op took since the rows were last zeroed, in ticks of the clock: "
                "nanoseconds, or whatever the\n"
                "// function counts that -D NK_PROFILE_CLOCK=NAME names: uint64_t NAME(void).\n"
                "typedef struct {\n    const char *op, *result;\n    uint64_t ticks;\n    uint32_t "
                "calls;\n} nk_profile_row;\n"
                "extern nk_profile_row nk_profile[%d];\n#endif\n",
                ir->n_ops);
    template_rename(text.data, prefix, out);
    text_free(&text);
}

void emit_profile(const Ir *ir, const EmitStyle *style, Text *out)
{
    Text text = {0};
    text_printf(&text, "#ifdef NK_PROFILE\nenum { NK_PROFILE_ROWS = %d };\n", ir->n_ops);
    text_puts(&text, "nk_profile_row nk_profile[NK_PROFILE_ROWS] = {\n");
    for (int o = 0; o < ir->n_ops; o++)
        text_printf(&text, "    {\"%s\", \"%s\", 0, 0},\n", op_info[ir->ops[o].kind].kernel,
                    ir->tensors[ir->ops[o].args[0]].name);
    text_puts(&text, "};\n#endif\n");
    template_rename(text.data, style->prefix, out);
    text_free(&text);
    template_paste("profile", style->prefix, out);
    text_puts(out, "\n");
}

void emit_mark(int op, const EmitStyle *style, Text *out)
{
    if (style->profile)
        text_printf(out, "    %s_mark(%d);\n", style->prefix, op);
}
