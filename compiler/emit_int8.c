// emit_int8.c - an int8 program as C of a generated file: calls of the kernels with places in the
// arena (NK_AT) and among the weights (NK_W), one function for each piece of the network.
//
// The kernels are not specialised for a shape: on a microcontroller flash is dearer than the few
// instructions that a loop bound costs.  The image is read by functions of its own, from floats by
// the program's first op, from pixels by a table.
#include "emit_ops.h"

#include <math.h>

static void put_pointer(const Ir *ir, int tensor, const EmitStyle *style, Text *out)
{
    const Tensor *t = &ir->tensors[tensor];
    switch (t->space) {
    case SPACE_IMAGES:
        text_puts(out, "image");
        return;
    case SPACE_LOGITS:
        text_puts(out, "logits");
        return;
    case SPACE_CONST:
        text_printf(out, "NK_W(%lld)", 4 * (long long)t->offset);
        return;
    default:
        if (style->own_arrays)
            text_printf(out, "nk_infer_t%d", tensor);
        else
            text_printf(out, "NK_AT(%lld)", 4 * (long long)t->offset);
    }
}

static void put_call(const Ir *ir, const Op *op, const EmitStyle *style, Text *out)
{
    text_puts(out, "    // ");
    op_describe(ir, op, out);
    text_printf(out, "\n    nk_%s", op_info[op->kind].kernel);
    emit_arguments(ir, op, put_pointer, style, out);
}

// The order that needs the least memory may come back to a place: "_part2".
static void put_place_name(const Ir *ir, int from, Text *out)
{
    int part = 1;
    for (int o = 1; o < from; o = emit_place_end(ir, o))
        part += ir->ops[o].place == ir->ops[from].place;
    text_printf(out, "nk_infer_%s", ir->places[ir->ops[from].place].symbol);
    if (part > 1)
        text_printf(out, "_part%d", part);
}

static bool writes_logits(const Ir *ir, int from, int to)
{
    for (int o = from; o < to; o++)
        if (ir->tensors[ir->ops[o].args[0]].space == SPACE_LOGITS)
            return true;
    return false;
}

static void put_place(const Ir *ir, int from, int to, const EmitStyle *style, Text *out)
{
    text_printf(out, "// %s\nstatic void ", ir->places[ir->ops[from].place].name);
    put_place_name(ir, from, out);
    text_printf(out, "(void *arena%s)\n{\n", writes_logits(ir, from, to) ? ", float *logits" : "");
    if (style->own_arrays)
        text_puts(out, "    (void)arena;\n");
    for (int o = from; o < to; o++) {
        put_call(ir, &ir->ops[o], style, out);
        if (style->profile) // renamed with the whole text
            text_printf(out, "    nk_mark(%d);\n", o);
    }
    text_puts(out, "}\n\n");
}

// What nk_int8_image makes of pixel / 255 normalised as the data sets are (augment.c).
static int quantise_pixel(int pixel, float mean, float deviation, const Tensor *y)
{
    const float scale = 1 / (255 * deviation), offset = -mean / deviation;
    const float x = (float)pixel * scale, v = (x + offset) / y->scale;
    const int whole = v < -32768.0f  ? -32768
                      : v > 32768.0f ? 32768
                                     : (int)(v < 0.0f ? v - 0.5f : v + 0.5f);
    const int q = whole + y->zero, low = int8_least(y->dtype), high = int8_most(y->dtype);
    return q < low ? low : q > high ? high : q;
}

static void put_pixels(const Ir *ir, const float *mean, const float *deviation, Text *out)
{
    const Tensor *y = &ir->tensors[ir->ops[0].args[0]];
    text_printf(
        out,
        "// What the network reads of a pixel, by channel: normalised, then in fixed point.\n"
        "typedef int%d_t nk_pixel;\nstatic const nk_pixel nk_pixels[NK_CHANNELS][256] = {\n",
        y->dtype == DTYPE_I16 ? 16 : 8);
    for (int c = 0; c < ir->arch->channels; c++)
        for (int pixel = 0; pixel < 256; pixel++)
            text_printf(out, "%s%d%s", pixel == 0 ? "    {" : "",
                        quantise_pixel(pixel, mean[c], deviation[c], y),
                        pixel == 255      ? "},\n"
                        : pixel % 16 < 15 ? ", "
                                          : ",\n     ");
    text_puts(out, "};\n\n");
}

static void put_own_arrays(const Ir *ir, Text *out)
{
    for (int t = 0; t < ir->n_tensors; t++) {
        const Tensor *tensor = &ir->tensors[t];
        const int bytes = tensor->dtype == DTYPE_I16 ? 2 : 1; // of a number
        if (tensor->space == SPACE_ARENA && tensor->offset >= 0)
            text_printf(out, "static _Alignas(8) int%d_t nk_infer_t%d[%lld]; // %s\n", 8 * bytes, t,
                        4 / bytes * (long long)tensor->floats, tensor->name);
    }
    text_puts(out, "\n");
}

static void put_image(const Ir *ir, const EmitStyle *style, Text *out)
{
    const char *unused = style->own_arrays ? "    (void)arena;\n" : "";
    if (ir->ops[0].kind != OP_INT8_IMAGE)
        bug("an int8 program that begins with %s", op_info[ir->ops[0].kind].kernel);
    text_printf(out,
                "// Where the image stands: [NK_HEIGHT][NK_WIDTH][NK_CHANNELS].\n"
                "static nk_pixel *nk_image(void *arena)\n{\n%s    return (nk_pixel *)",
                unused);
    put_pointer(ir, ir->ops[0].args[0], style, out);
    text_printf(out, ";\n}\n\nstatic void nk_read_image(void *arena, const float *image)\n{\n%s",
                unused);
    put_call(ir, &ir->ops[0], style, out);
    text_puts(out, "}\n\n");
}

void emit_int8_program(const Ir *ir, const float *mean, const float *deviation,
                       const EmitStyle *style, Text *out)
{
    Text text = {0};
    text_puts(&text,
              "#define NK_AT(offset) ((void *)((int8_t *)arena + (offset)))\n"
              "#define NK_W(offset) ((const void *)((const char *)&nk_weights + (offset)))\n\n");
    if (style->own_arrays)
        put_own_arrays(ir, &text);
    put_pixels(ir, mean, deviation, &text);
    put_image(ir, style, &text);
    for (int o = 1; o < ir->n_ops; o = emit_place_end(ir, o))
        put_place(ir, o, emit_place_end(ir, o), style, &text);
    text_puts(&text, "static void nk_program_infer(void *arena, float *logits)\n{\n");
    if (style->profile)
        text_puts(&text, "    nk_profile_begin();\n");
    for (int o = 1; o < ir->n_ops; o = emit_place_end(ir, o)) {
        text_puts(&text, "    ");
        put_place_name(ir, o, &text);
        text_puts(&text, writes_logits(ir, o, emit_place_end(ir, o)) ? "(arena, logits);\n"
                                                                     : "(arena);\n");
    }
    text_puts(&text, "}\n\n");
    template_rename(text.data, style->prefix, out);
    text_free(&text);
}
