// passes.c - from an architecture to a planned program: a column of passes.
//
//   lower | fuse_affine, fuse_relu, fuse_global_pool | differentiate, recompute or fold_weights |
//   quantise | choose_winograd or tile_maps | schedule_ops, plan_memory, share_ops
//
// --dump-after names the stages between the bars: lower, fuse, grad or fold, quantise, tile, plan.
#include "passes.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

// Whether NAGO_SKIP_PASSES, a list of names separated by commas, leaves a fusion out: for measuring
// what it is worth, and for telling a fault of a fusion from one of a kernel.
static bool is_skipped(const char *pass)
{
    const char *list = getenv("NAGO_SKIP_PASSES");
    for (size_t length; list && *list; list += length + (list[length] == ',')) {
        length = strcspn(list, ",");
        if (strlen(pass) == length && !memcmp(list, pass, length))
            return true;
    }
    return false;
}

static void fuse(Ir *ir, const PassOptions *options)
{
    static const struct {
        const char *name;
        void (*pass)(Ir *ir);
        bool for_pixels; // there batch normalisation goes into the weights
    } fusions[] = {
        {"fuse_affine", fuse_affine, false},
        {"fuse_relu", fuse_relu, true},
        {"fuse_global_pool", fuse_global_pool, false},
    };
    const bool pixels = options->weights || options->plain;
    for (size_t i = 0; i < COUNT_OF(fusions); i++)
        if ((!pixels || fusions[i].for_pixels) && !is_skipped(fusions[i].name)) {
            fusions[i].pass(ir);
            ran(ir, fusions[i].name, options);
        }
}

// The parts of tile_maps (and what share_ops leaves whole) are skipped by name like passes of their
// own.
static void tile(Ir *ir, const PassOptions *options)
{
    const TileOptions tiles = {.winograd = options->target == TARGET_NATIVE,
                               .weigh_winograd = !is_skipped("weigh_winograd"),
                               .inline_sums = !is_skipped("inline_sums"),
                               .fuse_loads = !is_skipped("fuse_loads"),
                               .share_inputs = !is_skipped("share_inputs"),
                               .fuse_head = !is_skipped("fuse_head"),
                               .threads = options->threads ? options->threads : 1};
    tile_maps(ir, &tiles);
}

static double now_ms(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

// The order of the ops is searched for where memory counts most: in inference files.
static void plan(Ir *ir, const PassOptions *options)
{
    const double begin = now_ms();
    if (options->weights) {
        schedule_ops(ir);
        ran(ir, "schedule_ops", options);
    }
    plan_memory(ir, options->plan);
    ir->plan.ms = now_ms() - begin;
    ran(ir, "plan_memory", options);
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
        if (!is_skipped("recompute")) {
            recompute(ir);
            ran(ir, "recompute", options);
        }
    }
    if (pixels) {
        if (!fold_weights(ir, options->weights, err))
            return NULL;
        ran(ir, "fold_weights", options);
    }
    if (stops(options, "grad") || stops(options, "fold"))
        return ir;
    if (options->ranges) {
        const int64_t widest = widest_free(ir, options->ranges, err);
        if (widest < 0 || !quantise(ir, options->ranges, widest, false, err))
            return NULL;
        ran(ir, "quantise", options);
        if (stops(options, "quantise"))
            return ir;
    }
    if (!pixels && options->conv != CONV_DIRECT) {
        choose_winograd(ir, options->threads, options->conv == CONV_WINOGRAD);
        ran(ir, "choose_winograd", options);
    }
    if (pixels && !options->ranges && !is_skipped("tile_maps")) {
        tile(ir, options);
        ran(ir, "tile_maps", options);
    }
    if (stops(options, "tile"))
        return ir;
    plan(ir, options);
    if (pixels && options->threads > 1) {
        share_ops(ir, is_skipped("leave_small_ops"));
        ran(ir, "share_ops", options);
    }
    return ir;
}
