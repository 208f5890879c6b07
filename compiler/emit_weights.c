// emit_weights.c - numbers as C text: constants in a form that compilers read fast, and tables of
// tensors.
#include "emit_ops.h"

#include <string.h>

// Bytes as string literals, 96 to a line.  A string is read by gcc several times faster than a list
// of numbers.
static void emit_string(const unsigned char *bytes, size_t count, Text *out)
{
    char line[4 * 96 + 16];
    for (size_t at = 0; at < count; at += 96) {
        size_t n = 0;
        line[n++] = '"';
        for (size_t i = at; i < at + 96 && i < count; i++) {
            const unsigned char c = bytes[i];
            // '?' could begin a trigraph; octal escapes always take three digits
            if (c >= ' ' && c < 127 && c != '"' && c != '\\' && c != '?')
                line[n++] = (char)c;
            else {
                line[n++] = '\\';
                line[n++] = (char)('0' + (c >> 6));
                line[n++] = (char)('0' + (c >> 3 & 7));
                line[n++] = (char)('0' + (c & 7));
            }
        }
        line[n++] = '"';
        line[n++] = '\n';
        text_add(out, line, n);
    }
}

// Words of int8 programs.
static void emit_words(const float *values, int64_t count, Text *out)
{
    for (int64_t i = 0; i < count; i++) {
        uint32_t word;
        memcpy(&word, &values[i], sizeof word);
        text_printf(out, "0x%xu%s", word, i + 1 == count ? "\n" : i % 8 == 7 ? ",\n" : ", ");
    }
}

void emit_floats(const float *values, int64_t count, Text *out)
{
    for (int64_t i = 0; i < count; i++) {
        Text one = {0};
        text_printf(&one, "%.9g", (double)values[i]);
        const bool whole = !strpbrk(one.data, ".en");
        text_printf(out, "%s%sf%s", one.data, whole ? ".0" : "",
                    i + 1 == count ? "\n"
                    : i % 8 == 7   ? ",\n"
                                   : ", ");
        text_free(&one);
    }
}

static void emit_const_comment(const Ir *ir, const EmitOptions *options, Text *out)
{
    if (options->ranges)
        text_printf(out,
                    "// %lld bytes: weights in int8, then for each filter bias, multiplier and "
                    "shift; the rules of merges and pools.\n",
                    (long long)ir->const_count * 4);
    else
        text_printf(out,
                    "// %lld numbers: for each convolution its weights "
                    "[channel][row][column][filter], batch normalisation folded in,\n"
                    "// then its biases; every tensor begins at a multiple of 64 bytes.\n",
                    (long long)ir->const_count);
}

void emit_const_data(const Ir *ir, const EmitOptions *options, Text *out, Text *bin)
{
    const size_t bytes = (size_t)ir->const_count * sizeof(float);
    const char *prefix = options->prefix, *type = options->ranges ? "uint32_t" : "float";
    const int alignment = options->ranges ? 16 : 64;
    Text section = {0};
    emit_const_comment(ir, options, out);
    text_puts(&section, "");
    if (options->section)
        text_printf(&section, " __attribute__((section(\"%s\")))", options->section);
    if (options->form == WEIGHTS_LIST) {
        text_printf(
            out, "static const _Alignas(%d) struct {\n    %s values[%lld];\n} %s_weights%s = {{\n",
            alignment, type, (long long)ir->const_count, prefix, section.data);
        (options->ranges ? emit_words : emit_floats)(ir->const_data, ir->const_count, out);
        text_puts(out, "}};\n\n");
        text_free(&section);
        return;
    }
    text_puts(out, "#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__\n"
                   "#error \"these weights are little-endian: write the file with --weights-form "
                   "list\"\n#endif\n");
    if (options->form == WEIGHTS_BIN) {
        text_add(bin, (const char *)ir->const_data, bytes);
        text_printf(out,
                    "// %s must lie in the folder where the compiler runs (or give -Wa,-IDIR)\n"
                    "__asm__(\".section %s\\n.balign %d\\n.global "
                    "%s_weights\\n%s_weights:\\n.incbin \\\"%s\\\"\\n.previous\\n\");\n"
                    "extern const struct {\n    %s values[%lld];\n} %s_weights;\n\n",
                    options->bin_name, options->section ? options->section : ".rodata", alignment,
                    prefix, prefix, options->bin_name, type, (long long)ir->const_count, prefix);
        text_free(&section);
        return;
    }
    text_puts(out, "#if defined(__GNUC__) && !defined(__TINYC__)\n#pragma GCC diagnostic push\n"
                   "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n#endif\n");
    text_printf(out,
                "static const _Alignas(%d) union {\n    char bytes[%zu];\n    %s "
                "values[%lld];\n} %s_weights%s = {\n",
                alignment, bytes + 1, type, (long long)ir->const_count, prefix, section.data);
    text_free(&section);
    emit_string((const unsigned char *)ir->const_data, bytes, out);
    text_puts(
        out,
        "};\n#if defined(__GNUC__) && !defined(__TINYC__)\n#pragma GCC diagnostic pop\n#endif\n\n");
}

void emit_table(const NetTensor *tensors, int count, const char *prefix, const char *table,
                Text *out)
{
    static const int init_code[] = {
        [INIT_HE_FAN_OUT] = 0, [INIT_UNIFORM_FAN_IN] = 1, [INIT_ONE] = 2, [INIT_ZERO] = 3};
    text_printf(out, "const %s_tensor %s_%s_table[%d] = {\n", prefix, prefix, table, count);
    for (int i = 0; i < count; i++) {
        const NetTensor *t = &tensors[i];
        text_printf(out, "    {\"%s\", %d, {", t->name, t->rank);
        for (int d = 0; d < t->rank; d++)
            text_printf(out, "%s%d", d ? ", " : "", t->shape[d]);
        text_printf(out, "}, %lld, %lld, %d, %d},\n", (long long)t->offset, (long long)t->count,
                    init_code[t->init], t->fan);
    }
    text_puts(out, "};\n\n");
}
