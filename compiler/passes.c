// passes.c - from an architecture to a planned program: a column of passes.
//
//   lower | fuse_affine, fuse_relu, fuse_global_pool | differentiate or fold_weights |
//   choose_winograd | plan_memory
//
// --dump-after names the stages between the bars: lower, fuse, grad or fold, plan.
#include "passes.h"

#include <string.h>

// Tells the watcher.
static void ran(const Ir *ir, const char *pass, const PassOptions *options)
{
    if (options->watch)
        options->watch(ir, pass, options->user);
}

static bool stops(const PassOptions *options, const char *stage)
{
    return options->stop && !strcmp(options->stop, stage);
}

static void fuse(Ir *ir, const PassOptions *options)
{
    const bool pixels = options->weights != NULL; // there batch normalisation goes into the weights
    if (!pixels) {
        fuse_affine(ir);
        ran(ir, "fuse_affine", options);
    }
    fuse_relu(ir);
    ran(ir, "fuse_relu", options);
    if (!pixels) {
        fuse_global_pool(ir);
        ran(ir, "fuse_global_pool", options);
    }
}

Ir *passes_run(const Arch *arch, int batch, const PassOptions *options, Pool *pool, Err *err)
{
    const bool pixels = options->weights != NULL;
    Ir *ir = lower(arch, pixels ? 1 : batch, pixels ? LAYOUT_PIXELS : LAYOUT_BATCH_INNER,
                   options->training, pool);
    ran(ir, "lower", options);
    if (stops(options, "lower"))
        return ir;
    fuse(ir, options);
    if (stops(options, "fuse"))
        return ir;
    if (options->training) {
        differentiate(ir);
        ran(ir, "differentiate", options);
    }
    if (pixels) {
        if (!fold_weights(ir, options->weights, err))
            return NULL;
        ran(ir, "fold_weights", options);
    }
    if (stops(options, "grad") || stops(options, "fold"))
        return ir;
    if (!pixels && options->conv != CONV_DIRECT) {
        choose_winograd(ir, options->threads, options->conv == CONV_WINOGRAD);
        ran(ir, "choose_winograd", options);
    }
    plan_memory(ir, options->plan);
    ran(ir, "plan_memory", options);
    return ir;
}
