// share.c - which ops of an inference program are worth cutting into parts for several threads.
//
// Handing an op out and waiting for its end costs half a microsecond, and what another core has
// written must come from its cache.  So only ops that take several microseconds are cut, and only
// those whose kernel has something to cut: the rest run on the caller's thread.  Whether the
// machine's caches make it pay is seen when the file runs (templates/threads.c).
#include "ir.h"

// A core with vectors of 16 does about as many multiply-adds in six microseconds.
enum { LEAST_WORK = 500000 };

// Multiply-adds, or what takes as long.
static double work_of(const Ir *ir, const Op *op)
{
    const Attr *a = &op->attr;
    const double side = a->tile + a->kernel_h - 1.0;
    const double result = (double)ir->tensors[op->args[0]].floats;
    switch (op->kind) {
    case OP_TILES_DIRECT:
    case OP_TILES_MIX:
    case OP_TILES_HEAD:
        return (double)(a->kernel_h * a->kernel_w) * a->channels * a->filters * a->height *
               a->width;
    case OP_TILES_FILTERS:
        return side * side * ir_tile_plane(a->height, a->width, a->tile) * a->filters *
               (a->channels + 6.0);
    case OP_TILES_DEPTHWISE:
    case OP_TILES_STRIDED:
        return result * a->kernel_h * a->kernel_w;
    case OP_TILES_AVERAGE_POOL:
        return result * a->kernel_h * a->kernel_h;
    case OP_TILES_INPUT:
        return result * (6.0 + 2.0 * a->inputs);
    case OP_TILE_SUM:
        return result * 4.0 * (1.0 + a->inputs);
    case OP_TILES_ATTENTION:
    case OP_TILE_CHANGE:
    case OP_TILES_POOL:
        return result * 16.0;
    default: // small, or in one piece
        return 0.0;
    }
}

// Pieces that the op's kernel hands out.
static int pieces_of(const Op *op)
{
    switch (op->kind) {
    case OP_TILES_DIRECT:
        return ir_tile_plane(op->attr.height, op->attr.width, 1) / 32;
    case OP_TILES_MIX:
    case OP_TILES_HEAD:
    case OP_TILES_FILTERS:
        return op->attr.blocks;
    case OP_TILE_SUM:
        return op->attr.size / 1024;
    case OP_TILES_ATTENTION:
        return op->attr.size / 16;
    default:
        return op->attr.channels;
    }
}

void share_ops(Ir *ir, bool small_ones)
{
    for (int o = 0; o < ir->n_ops; o++) {
        const double work = work_of(ir, &ir->ops[o]);
        ir->ops[o].shared =
            work > 0.0 &&
            (small_ones || (pieces_of(&ir->ops[o]) > 1 && work >= (double)LEAST_WORK));
    }
}
