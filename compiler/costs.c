// costs.c - what an int8 file will take of a microcontroller, before it is compiled.
//
// In: the planned program.  Out: flash, RAM and instructions.  Weights, tables, arena, image and
// logits are exact.  The rest is a model whose numbers were measured (target_cost_list.h):
//
//   code           the functions of the kernels that are used, and so many bytes a call, an
//                  argument, an item of a list
//   stack          the deepest kernel, and what lies above it
//   instructions   for each op a linear function of its size: cost_terms
//
// Float files are specialised for every shape: their code, stack and instructions are not modelled.
#include "costs.h"

#include <string.h>

enum { KERNELS = OP_INT8_LINEAR - OP_INT8_IMAGE + 1, TERMS = 7, FUNCTIONS = 32 };

#define KERNEL(kind) (OP_INT8_##kind - OP_INT8_IMAGE)
#define BIT(kind) (1u << KERNEL(kind))

typedef struct {
    int stack;           // bytes from the kernel's own frame down
    double terms[TERMS]; // instructions of a call: times cost_terms
} KernelCosts;

typedef struct {
    int bytes;
    unsigned kernels; // bits of those that call it
} FunctionCosts;

typedef struct {
    int granule, tile_pixels,
        tile_filters; // what an inner loop takes at a time: weights of a filter, ...
    KernelCosts kernels[KERNELS];
    double pixels[TERMS]; // instructions of reading the image: times channels * size, size, 1
    FunctionCosts functions[FUNCTIONS];
    double call, argument, item, once; // bytes of code
    int stack;                         // above the kernels, but for lists: four bytes an item
} TargetCosts;

#include "target_cost_list.h"

// Cycles for an instruction of these kernels.  Not measured, since QEMU has no pipeline: for the
// Cortex-M4 by its manual's timings (52 instructions of the inner loop take 90 cycles, since a load
// of several registers takes one for each and one more; other code about 1.3); for M7 and M33 by
// what the same network takes there and on the M4 in published MLPerf Tiny results; the others
// assumed.
static const double cycles_per_instruction[TARGET_COUNT] = {
    [TARGET_CORTEX_M4] = 1.6,  [TARGET_CORTEX_M7] = 0.92, [TARGET_CORTEX_M33] = 1.44,
    [TARGET_CORTEX_M55] = 1.5, [TARGET_RV32IMC] = 1.3,
};

// ---- instructions -------------------------------------------------------------------------------

static double padded(int n, int granule)
{
    return (n + granule - 1) / granule * granule;
}

static double terms_dot(const double *f, const double *coefficients)
{
    double sum = 0.0;
    for (int i = 0; i < TERMS; i++)
        sum += f[i] * coefficients[i];
    return sum;
}

// Pixels of a convolution whose window leaves the image.
static double border_pixels(const Attr *a)
{
    const int h = a->height - a->kernel_h / 2 * 2, w = a->width - a->kernel_w / 2 * 2;
    return a->height * a->width - (h > 0 && w > 0 ? h * w : 0);
}

// What the instructions of a call are a linear function of: `terms` of
// tests/boards/kernel_costs.py.
static void cost_terms(const Op *op, const TargetCosts *costs, double f[TERMS])
{
    const Attr *a = &op->attr;
    const double size = a->height * a->width, out = a->out_height * a->out_width,
                 taps = a->kernel_h * a->kernel_w, c = a->channels, k = a->filters, n = a->size;
    const double filters = padded(a->filters, costs->tile_filters);
    memset(f, 0, TERMS * sizeof *f);
#define TERMS_ARE(...) \
    memcpy(f, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}))
    switch (op->kind) {
    case OP_INT8_CONV:
    case OP_INT8_CONV_WIDE: {
        const bool wide = op->kind == OP_INT8_CONV_WIDE;
        const int granule = wide && costs->granule == 16 ? 8 : costs->granule; // of 16 bits
        const double tiled = padded(a->height * a->width, costs->tile_pixels);
        const bool split = a->kernel_w * a->channels % (wide ? 2 : 4); // rows share a word
        TERMS_ARE(tiled * filters * padded((int)(taps * c), granule), tiled * k,
                  tiled * a->kernel_h * padded(a->kernel_w * a->channels, granule),
                  tiled * a->kernel_h, border_pixels(a) * a->kernel_h,
                  split ? tiled * a->kernel_h : 0.0, 1);
        break;
    }
    case OP_INT8_DEPTHWISE:
    case OP_INT8_DEPTHWISE_WIDE:
        TERMS_ARE(out * taps * c, out * c, out * taps, out, 1);
        break;
    case OP_INT8_SUM:
        TERMS_ARE(a->inputs * n, n, a->inputs, 1);
        break;
    case OP_INT8_CONCAT:
        TERMS_ARE(c * n, n, 1);
        break;
    case OP_INT8_ATTENTION:
        TERMS_ARE(n, 1);
        break;
    case OP_INT8_ADAPTIVE_POOL:
        TERMS_ARE(size * c, out * c, out, 1);
        break;
    case OP_INT8_AVERAGE_POOL:
        TERMS_ARE(size * a->kernel_h * a->kernel_h * c, size * c, size, 1);
        break;
    case OP_INT8_HEAD: {
        const double tiled = padded(a->size, costs->tile_pixels),
                     row = padded(a->channels, costs->granule);
        TERMS_ARE(tiled * filters * row, tiled * k, tiled * row, k, 1);
        break;
    }
    case OP_INT8_LINEAR:
        TERMS_ARE(c * a->classes, a->classes, 1);
        break;
    default:
        bug("no cost of %s", op_info[op->kind].kernel);
    }
#undef TERMS_ARE
}

// Of one image, from pixels to logits.
static double instructions_of(const Ir *ir, const TargetCosts *costs)
{
    const double size = ir->arch->height * ir->arch->width;
    const double pixels[TERMS] = {ir->arch->channels * size, size, 1};
    double sum = terms_dot(pixels, costs->pixels);
    for (int o = 1; o < ir->n_ops; o++) { // the first reads float images
        double f[TERMS];
        cost_terms(&ir->ops[o], costs, f);
        sum += terms_dot(f, costs->kernels[ir->ops[o].kind - OP_INT8_IMAGE].terms);
    }
    return sum;
}

// ---- code and stack -----------------------------------------------------------------------------

static int64_t code_of(const Ir *ir, const TargetCosts *costs)
{
    unsigned used = 0;
    double bytes = costs->once;
    for (int o = 1; o < ir->n_ops; o++) {
        const Op *op = &ir->ops[o];
        const char *attributes = op_info[op->kind].attributes;
        used |= 1u << (op->kind - OP_INT8_IMAGE);
        bytes += costs->call;
        for (int i = 0; i < op->n_args; i++) {
            const Arg arg = op_arg(op, i);
            bytes += arg.in_list ? costs->item : 0.0;
            bytes += !arg.in_list || arg.first_of_list ? costs->argument : 0.0;
        }
        for (const char *c = attributes; *c; c++)
            bytes += c == attributes || *c == ' ' ? costs->argument : 0.0;
    }
    for (int i = 0; i < FUNCTIONS; i++)
        bytes += costs->functions[i].kernels & used ? costs->functions[i].bytes : 0;
    return (int64_t)(bytes + 0.5);
}

static int64_t stack_of(const Ir *ir, const TargetCosts *costs)
{
    int deepest = 0, items = 0, most_items = 0;
    for (int o = 1; o < ir->n_ops; o++) {
        const Op *op = &ir->ops[o];
        const int stack = costs->kernels[op->kind - OP_INT8_IMAGE].stack;
        deepest = stack > deepest ? stack : deepest;
        if (op->place != ir->ops[o - 1].place)
            items = 0;
        for (int i = 0; i < op->n_args; i++)
            items += op_arg(op, i).in_list;
        most_items = items > most_items ? items : most_items;
    }
    return deepest + costs->stack + 4 * most_items;
}

// ---- the whole ----------------------------------------------------------------------------------

int64_t estimate_flash(const TargetEstimate *estimate)
{
    return estimate->weights + estimate->tables + estimate->code;
}

int64_t estimate_ram(const TargetEstimate *estimate)
{
    return estimate->arena + estimate->input + estimate->output + estimate->stack +
           estimate->variables;
}

// The constants as emit_weights.c declares them: a string has a byte behind it, in whole words.
static int64_t weight_bytes(const Ir *ir, const EmitOptions *options)
{
    return 4 * (ir->const_count + (options->form == WEIGHTS_STRING));
}

TargetEstimate cost_estimate(const Ir *ir, const EmitOptions *options)
{
    const Arch *arch = ir->arch;
    const TargetCosts *costs = &target_costs[options->target];
    const int64_t pixels = (int64_t)arch->channels * arch->height * arch->width,
                  batch = options->batch ? options->batch : 1;
    TargetEstimate e = {.is_modelled = options->ranges != NULL,
                        .weights = weight_bytes(ir, options),
                        .arena = (ir->arena_floats + 2 * ir->margin) * 4,
                        .input = batch * pixels,
                        .output = batch * arch->classes * 4};
    if (!options->plan) // every tensor has an array of its own as well
        e.variables = e.arena;
    if (!e.is_modelled) {
        e.tables = 2 * 4 * arch->channels; // means and deviations
        e.variables += 4 * pixels;         // the normalised image
        return e;
    }
    e.tables = 256 * arch->channels * (ir->tensors[ir->ops[0].args[0]].dtype == DTYPE_I16 ? 2 : 1);
    e.code = code_of(ir, costs);
    e.stack = stack_of(ir, costs);
    e.instructions = instructions_of(ir, costs) * (double)batch;
    e.cycles = e.instructions * cycles_per_instruction[options->target];
    return e;
}
