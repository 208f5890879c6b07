// net.c - an architecture compiled in memory: the pipeline as a column of calls.
#define _GNU_SOURCE
#include "emit_ops.h"
#include "passes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_THREADS = 8 }; // scratch for so many parts where the caller does not say

typedef struct {
    Net net; // what the caller sees; first, so that the two pointers are one
    Pool *pool;
    Jit *jit;
} OpenNet;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

// The pair a pointer to an object and a pointer to a function are the same bits on every system
// with dlsym.
static nk_program *program(const Jit *jit, const char *name)
{
    void *symbol = jit_symbol(jit, name);
    nk_program *function;
    memcpy(&function, &symbol, sizeof function);
    return function;
}

// Gives the program the addresses of the kernels it names.
static bool bind_kernels(const Jit *jit, const KernelEntry *kernels, Err *err)
{
    void **imports = jit_symbol(jit, "nk_imports");
    if (!imports)
        bug("a program without nk_imports");
    for (; imports[0]; imports += 2) {
        const KernelEntry *k = kernels;
        while (k->name && strcmp(k->name, imports[0]) != 0)
            k++;
        if (!k->name)
            return err_run(err, "internal: the runtime has no kernel \"%s\"",
                           (const char *)imports[0]);
        memcpy(imports[1], &k->address, sizeof k->address);
    }
    return true;
}

// NAGO_VERIFY_IR: keeps the first fault found in `user`, an Err.
static void verify_pass(const Ir *ir, const char *pass, void *user)
{
    Err found = {0}, *err = user;
    if (!err->message[0] && !ir_verify(ir, &found))
        err_run(err, "%s program after %s: %s", ir->name, pass, found.message);
}

// Multiply-adds of the convolutions count two; padded taps count.
static double op_flops(const Op *op)
{
    const Attr *a = &op->attr;
    const double taps = 2.0 * a->kernel_h * a->kernel_w;
    switch (op->kind) {
    case OP_CONV:
    case OP_CONV_WEIGHTS_BACKWARD:
    case OP_WINOGRAD:
    case OP_WINOGRAD_WEIGHTS:
        return taps * a->channels * a->filters * a->height * a->width;
    case OP_DEPTHWISE:
    case OP_DEPTHWISE_BACKWARD:
    case OP_DEPTHWISE_WEIGHTS_BACKWARD:
        return taps * a->channels * a->out_height * a->out_width;
    default:
        return 0.0;
    }
}

#define FIELD(name)                 \
    {                               \
#name, offsetof(Attr, name) \
    }
static const struct {
    const char *name;
    size_t offset;
} attr_fields[] = {FIELD(channels),  FIELD(height),   FIELD(width),  FIELD(filters),
                   FIELD(kernel_h),  FIELD(kernel_w), FIELD(stride), FIELD(out_height),
                   FIELD(out_width), FIELD(classes),  FIELD(relu),   FIELD(accumulate),
                   FIELD(inputs),    FIELD(total),    FIELD(offset), FIELD(size),
                   FIELD(block),     FIELD(tile),     FIELD(from),   FIELD(out_tile),
                   FIELD(blocks),    FIELD(relu_x)};
#undef FIELD

// What decides how long an op takes: kernel, attributes, which tensors there are.
static const char *describe_shape(const Ir *ir, const Op *op)
{
    Text text = {0};
    text_puts(&text, op_info[op->kind].kernel);
    for (size_t f = 0; f < COUNT_OF(attr_fields); f++) {
        int value;
        memcpy(&value, (const char *)&op->attr + attr_fields[f].offset, sizeof value);
        if (value != 0)
            text_printf(&text, " %s=%d", attr_fields[f].name, value);
    }
    text_puts(&text, " args=");
    for (int a = 0; a < op->n_args; a++)
        text_puts(&text, op->args[a] >= 0 ? "x" : "-");
    const char *shape = pool_strdup(ir->pool, text.data);
    text_free(&text);
    return shape;
}

static const NetOp *describe_ops(const Ir *ir)
{
    NetOp *ops = pool_alloc(ir->pool, (size_t)ir->n_ops * sizeof *ops);
    for (int o = 0; o < ir->n_ops; o++) {
        const int result = ir->ops[o].args[0];
        const Tensor *t = &ir->tensors[result];
        ops[o] = (NetOp){op_info[ir->ops[o].kind].kernel, t->name, describe_shape(ir, &ir->ops[o]),
                         op_flops(&ir->ops[o]),
                         .complete = o + 1 == ir->n_ops || ir->ops[o + 1].args[0] != result};
        if (t->space == SPACE_ARENA) {
            ops[o].offset = t->offset;
            ops[o].floats = t->floats;
        }
    }
    return ops;
}

// Compiles the programs' text and gives it kernels.
static bool link_text(OpenNet *open, Text *text, const NetOptions *options,
                      const KernelEntry *kernels, Err *err)
{
    open->jit = jit_open(text->data, options->jit, false, err);
    text_free(text);
    if (!open->jit || !bind_kernels(open->jit, kernels, err))
        return false;
    open->net.infer = program(open->jit, "nk_program_infer");
    return true;
}

static void describe_net(Net *net, const Ir *ir, const NetOptions *options)
{
    net->batch = options->batch;
    net->param_count = ir->param_count;
    net->running_count = ir->running_count;
    net->state_count = net->running_count + net->param_count;
    net->n_params = ir->n_params;
    net->n_running = ir->n_running;
    net->params = ir->params;
    net->running = ir->running;
    net->macs = ir->macs;
}

static bool compile(OpenNet *open, const Arch *arch, const NetOptions *options,
                    const KernelEntry *kernels, Err *err)
{
    PassOptions passes = {.conv = options->conv, .plan = options->plan, .plain = options->plain};
    passes.threads = options->threads > 0 ? options->threads : DEFAULT_THREADS;
    passes.watch = getenv("NAGO_VERIFY_IR") ? verify_pass : NULL;
    passes.user = err;
    const Ir *infer = passes_run(arch, options->batch, &passes, open->pool, err);
    passes.training = true;
    const Ir *gradient = passes_run(arch, options->batch, &passes, open->pool, err);
    const Ir *update = lower_update(gradient, open->pool);
    Text text = {0};
    if (err->message[0])
        return false;
    emit_jit(infer, gradient, update, options->threads == 1, options->profile, &text);
    if (!link_text(open, &text, options, kernels, err))
        return false;
    const int64_t floats =
        infer->arena_floats > gradient->arena_floats ? infer->arena_floats : gradient->arena_floats;
    Net *net = &open->net;
    describe_net(net, gradient, options);
    net->arena_bytes = floats * (int64_t)sizeof(float);
    if (options->profile) {
        net->n_gradient_ops = gradient->n_ops;
        net->n_infer_ops = infer->n_ops;
        net->gradient_ops = describe_ops(gradient);
        net->infer_ops = describe_ops(infer);
    }
    net->gradient = program(open->jit, "nk_program_gradient");
    net->update = program(open->jit, "nk_program_update");
    return true;
}

static bool compile_int8(OpenNet *open, const Arch *arch, const NetOptions *options,
                         const KernelEntry *kernels, Err *err)
{
    const int threads = options->threads > 0 ? options->threads : DEFAULT_THREADS;
    PassOptions passes = {.weights = options->weights,
                          .ranges = options->ranges,
                          .conv = CONV_DIRECT,
                          .plan = options->plan,
                          .watch = getenv("NAGO_VERIFY_IR") ? verify_pass : NULL,
                          .user = err};
    Ir *infer = passes_run(arch, 1, &passes, open->pool, err);
    if (!infer || err->message[0])
        return false;
    Text text = {0};
    emit_jit_int8(infer, options->profile, &text);
    if (!link_text(open, &text, options, kernels, err))
        return false;
    memcpy(jit_symbol(open->jit, "nk_constants"), &infer->const_data, sizeof infer->const_data);
    describe_net(&open->net, infer, options);
    open->net.arena_bytes = infer->arena_floats * (int64_t)sizeof(float) * threads;
    open->net.param_count = open->net.state_count = open->net.running_count = 0;
    open->net.n_params = open->net.n_running = 0;
    return true;
}

Net *net_open(const Arch *arch, const NetOptions *options, const KernelEntry *kernels, Err *err)
{
    const double begin = now_ms();
    OpenNet *open = xcalloc(1, sizeof *open);
    open->pool = pool_new();
    open->net.handle = open;
    open->net.arch = arch;
    if (!(options->ranges ? compile_int8 : compile)(open, arch, options, kernels, err)) {
        net_close(&open->net);
        return NULL;
    }
    open->net.compile_ms = now_ms() - begin;
    return &open->net;
}

void net_close(Net *net)
{
    if (!net)
        return;
    OpenNet *open = net->handle;
    jit_close(open->jit);
    pool_free(open->pool);
    free(open);
}
