// net.c - an architecture compiled in memory: the pipeline as a column of calls.
#define _GNU_SOURCE
#include "emit_ops.h"
#include "passes.h"

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

static const NetOp *describe_ops(const Ir *ir)
{
    NetOp *ops = pool_alloc(ir->pool, (size_t)ir->n_ops * sizeof *ops);
    for (int o = 0; o < ir->n_ops; o++)
        ops[o] = (NetOp){op_info[ir->ops[o].kind].kernel, ir->tensors[ir->ops[o].args[0]].name,
                         op_flops(&ir->ops[o])};
    return ops;
}

static bool compile(OpenNet *open, const Arch *arch, const NetOptions *options,
                    const KernelEntry *kernels, Err *err)
{
    PassOptions passes = {.conv = options->conv, .plan = options->plan};
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
    open->jit = jit_open(text.data, options->jit, false, err);
    text_free(&text);
    if (!open->jit || !bind_kernels(open->jit, kernels, err))
        return false;
    const int64_t floats =
        infer->arena_floats > gradient->arena_floats ? infer->arena_floats : gradient->arena_floats;
    Net *net = &open->net;
    net->arch = arch;
    net->batch = options->batch;
    net->arena_bytes = floats * (int64_t)sizeof(float);
    net->param_count = gradient->param_count;
    net->running_count = gradient->running_count;
    net->state_count = net->running_count + net->param_count;
    net->n_params = gradient->n_params;
    net->n_running = gradient->n_running;
    net->params = gradient->params;
    net->running = gradient->running;
    net->macs = gradient->macs;
    if (options->profile) {
        net->n_gradient_ops = gradient->n_ops;
        net->n_infer_ops = infer->n_ops;
        net->gradient_ops = describe_ops(gradient);
        net->infer_ops = describe_ops(infer);
    }
    net->infer = program(open->jit, "nk_program_infer");
    net->gradient = program(open->jit, "nk_program_gradient");
    net->update = program(open->jit, "nk_program_update");
    return true;
}

Net *net_open(const Arch *arch, const NetOptions *options, const KernelEntry *kernels, Err *err)
{
    const double begin = now_ms();
    OpenNet *open = xcalloc(1, sizeof *open);
    open->pool = pool_new();
    open->net.handle = open;
    if (!compile(open, arch, options, kernels, err)) {
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
