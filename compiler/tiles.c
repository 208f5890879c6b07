// tiles.c - inference of one image with known weights, made fast: from pixels to tiles in the
// lanes.
//
// In: the folded program of fold.c (LAYOUT_PIXELS).  Out: the same network over LAYOUT_TILES, whose
// kernels are templates/tiles*.c.  On the way, each with an off switch (ir.h, TileOptions):
//
//   inline_sums   a sum that only another sum reads becomes some of its terms; the scalars of
//                 merges become numbers and multiply
//   fuse_loads    ReLU and the sum below it are computed while Winograd's input transform loads its
//                 operands
//   share_inputs  convolutions of one input transform it once
//   fuse_head     1x1 convolution, ReLU and global average as one op that stores no map
//
// Ops are walked in order.  A sum or a ReLU is not computed where it stands but kept as a list of
// terms; whoever reads it takes the terms or has it computed.
#include "ir.h"

#include <math.h>
#include <string.h>

enum {
    TILINGS = 5,      // one more than the largest tile
    DIRECT_STEP = 32, // pixels of NK_DIRECT_STEP of templates/tiles_direct.c, at the most
    MOST_LOADS = 4    // terms that Winograd's input transform adds up
};

typedef struct {
    int n, relu;
    int *terms; // tensors of the program before
    float *scales;
} Sum;

// Winograd's points of a tensor, short of a factor.
typedef struct {
    int tensor; // 0: none
    float scale;
} Points;

// What becomes of a tensor of the program before.
typedef struct {
    int same_as;      // a haloed copy is its source
    int sums, others; // readers: as a term of a sum; in any other way
    bool is_lazy;     // defined by `sum`, not computed yet
    Sum sum;
    int in_tiles[TILINGS]; // the new tensor for each size of tile; 0: none
    Points points[3][2];   // for a side of 4, 6, 8; for 3x3, for 5x5
} Value;

typedef struct {
    Ir *ir;
    const TileOptions *options;
    const Op *old;
    int n_old, n_values;
    Value *values;
    const float *constants; // of the program before
} Tiling;

// ---- the program before -------------------------------------------------------------------------

static int source(const Tiling *t, int tensor)
{
    return t->values[tensor].same_as >= 0 ? t->values[tensor].same_as : tensor;
}

// A copy: passes add tensors while they look at it.
static Tensor shape_of(const Tiling *t, int value)
{
    return t->ir->tensors[value];
}

static const float *constant(const Tiling *t, int tensor)
{
    return t->constants + t->ir->tensors[tensor].offset;
}

static void survey(Tiling *t)
{
    for (int v = 0; v < t->n_values; v++)
        t->values[v].same_as = -1;
    for (int o = 0; o < t->n_old; o++) {
        const Op *op = &t->old[o];
        if (op->kind == OP_PAD) {
            t->values[op->args[0]].same_as = op->args[1];
            continue;
        }
        for (int i = 0; i < op->n_args; i++) {
            const Arg arg = op_arg(op, i);
            if (arg.tensor < 0)
                continue;
            if (arg.access & ACCESS_WRITE)
                continue;
            if (op->kind == OP_WEIGHTED_SUM)
                t->values[arg.tensor].sums++;
            else
                t->values[source(t, arg.tensor)].others++;
        }
    }
}

// ---- shapes -------------------------------------------------------------------------------------

// Side of what Winograd's algorithm transforms: of its points, too.
static int winograd_side(int tile, int kernel)
{
    return tile + kernel - 1;
}

// Multiplications of Winograd's algorithm for all tiles of a map, lanes that idle included.
static int64_t winograd_cost(int height, int width, int tile, int kernel)
{
    const int side = winograd_side(tile, kernel);
    return (int64_t)ir_tile_plane(height, width, tile) * side * side;
}

// The tiling of a map whose maker can choose.
static int best_tile(const Tiling *t, int height, int width)
{
    if (!t->options->winograd || height < 3 || width < 3)
        return 1;
    return winograd_cost(height, width, 4, 3) <= winograd_cost(height, width, 2, 3) ? 4 : 2;
}

static int new_map(Tiling *t, const char *name, int channels, int height, int width, int tile)
{
    const int tensor = ir_tensor(t->ir, name, SPACE_ARENA, channels, height, width);
    Tensor *made = &t->ir->tensors[tensor];
    made->layout = LAYOUT_TILES;
    made->tile = tile;
    made->floats = (int64_t)channels * tile * tile * ir_tile_plane(height, width, tile);
    return tensor;
}

static int new_scratch(Tiling *t, const char *name, int64_t floats)
{
    return ir_vector(t->ir, pool_printf(t->ir->pool, "%s.scratch", name), SPACE_ARENA,
                     floats * t->options->threads, -1);
}

static int new_scales(Tiling *t, const char *name, const Sum *sum)
{
    float *values;
    const int tensor =
        ir_constant(t->ir, pool_printf(t->ir->pool, "%s.scales", name), sum->n, &values);
    memcpy(values, sum->scales, (size_t)sum->n * sizeof *values);
    return tensor;
}

// ---- sums ---------------------------------------------------------------------------------------

static Sum single(Tiling *t, int tensor)
{
    Sum sum = {.n = 1};
    sum.terms = pool_alloc(t->ir->pool, sizeof *sum.terms);
    sum.scales = pool_alloc(t->ir->pool, sizeof *sum.scales);
    sum.terms[0] = tensor;
    sum.scales[0] = 1.0f;
    return sum;
}

// `tensor` as a sum: its terms while it is not computed.
static Sum as_sum(Tiling *t, int tensor)
{
    const Value *v = &t->values[tensor];
    return v->is_lazy ? v->sum : single(t, tensor);
}

static void add_terms(Sum *to, const Sum *from, float scale)
{
    for (int i = 0; i < from->n; i++) {
        int j = 0;
        while (j < to->n && to->terms[j] != from->terms[i])
            j++;
        if (j == to->n) {
            to->terms[to->n] = from->terms[i];
            to->scales[to->n++] = 0.0f;
        }
        to->scales[j] += scale * from->scales[i];
    }
}

static int in_tiles(Tiling *t, int tensor, int tile);

// A list of pointers, then the scales.
static int *sum_arguments(Tiling *t, const Sum *sum, int tile, int before, const char *name,
                          int *count)
{
    int *args = pool_alloc(t->ir->pool, (size_t)(before + sum->n + 1) * sizeof *args);
    for (int i = 0; i < sum->n; i++)
        args[before + i] = in_tiles(t, sum->terms[i], tile);
    args[before + sum->n] = new_scales(t, name, sum);
    *count = before + sum->n + 1;
    return args;
}

static void compute(Tiling *t, int tensor, int tile)
{
    Value *v = &t->values[tensor];
    const Tensor old = shape_of(t, tensor);
    int count;
    int *args = sum_arguments(t, &v->sum, tile, 1, old.name, &count);
    args[0] = v->in_tiles[tile] = new_map(t, old.name, old.channels, old.height, old.width, tile);
    v->is_lazy = false;
    ir_op(t->ir, OP_TILE_SUM, args, count,
          (Attr){.inputs = v->sum.n,
                 .size = (int)t->ir->tensors[args[0]].floats,
                 .relu = v->sum.relu});
}

static void change_tiles(Tiling *t, int tensor, int from, int tile)
{
    const Tensor old = shape_of(t, tensor);
    const int y = new_map(t, pool_printf(t->ir->pool, "%s.tiles%d", old.name, tile), old.channels,
                          old.height, old.width, tile);
    ir_op(t->ir, OP_TILE_CHANGE, (int[]){y, t->values[tensor].in_tiles[from]}, 2,
          (Attr){.height = old.height,
                 .width = old.width,
                 .from = from,
                 .tile = tile,
                 .channels = old.channels});
    t->values[tensor].in_tiles[tile] = y;
}

// The new tensor that holds `tensor` in tiles of `tile`.
static int in_tiles(Tiling *t, int tensor, int tile)
{
    Value *v = &t->values[tensor];
    if (v->is_lazy)
        compute(t, tensor, tile);
    for (int from = 1; from < TILINGS && !v->in_tiles[tile]; from++)
        if (v->in_tiles[from])
            change_tiles(t, tensor, from, tile);
    if (!v->in_tiles[tile])
        bug("%s was not made", shape_of(t, tensor).name);
    return v->in_tiles[tile];
}

static int best_of(const Tiling *t, int tensor)
{
    return best_tile(t, shape_of(t, tensor).height, shape_of(t, tensor).width);
}

// The tiling that a tensor has or, while it is not computed, will have.
static int tile_of(const Tiling *t, int tensor)
{
    for (int tile = 1; tile < TILINGS; tile++)
        if (t->values[tensor].in_tiles[tile])
            return tile;
    return best_of(t, tensor);
}

static void keep_sum(Tiling *t, const Op *op)
{
    const int n = op->attr.inputs, y = op->args[0];
    Sum sum = {.relu = op->attr.relu};
    int room = 0;
    for (int i = 0; i < n; i++)
        room += as_sum(t, op->args[1 + i]).n;
    sum.terms = pool_alloc(t->ir->pool, (size_t)room * sizeof *sum.terms);
    sum.scales = pool_alloc(t->ir->pool, (size_t)room * sizeof *sum.scales);
    for (int i = 0; i < n; i++) {
        const int term = op->args[1 + i], scalar = op->args[1 + n + i];
        const Value *v = &t->values[term];
        const float scale =
            scalar < 0 ? op->attr.scale : (float)(1.0 / (1.0 + exp(-(double)*constant(t, scalar))));
        const bool inlined =
            t->options->inline_sums && v->is_lazy && !v->sum.relu && v->sums == 1 && v->others == 0;
        if (v->is_lazy && !inlined)
            compute(t, term, best_of(t, term));
        const Sum terms = as_sum(t, term);
        add_terms(&sum, &terms, scale);
    }
    t->values[y].sum = sum;
    t->values[y].is_lazy = true;
}

static void keep_relu(Tiling *t, const Op *op)
{
    Value *x = &t->values[op->args[1]];
    if (x->is_lazy && (x->sums > 0 || x->others > 1 || !t->options->fuse_loads))
        compute(t, op->args[1], best_of(t, op->args[1]));
    Value *y = &t->values[op->args[0]];
    y->sum = as_sum(t, op->args[1]);
    y->sum.relu = 1;
    y->is_lazy = true;
}

// ---- convolutions -------------------------------------------------------------------------------

// Blocks of at most `most` filters: those that are summed in the registers of AVX-512 together.
static int count_blocks(int filters, int most)
{
    return (filters + most - 1) / most;
}

// G of templates/tiles_winograd.c: the taps of a row or column -> points, by the pairs +-p that its
// head names.
static void transform_taps(double *out, const double *taps, int kernel, int side)
{
    static const double all_pairs[][3] = {{1.0}, {0.75, 1.5}, {0.5, 1.0, 2.0}};
    const int n_pairs = side / 2 - 1;
    const double *pairs = all_pairs[n_pairs - 1];
    double at_zero = 1.0;
    for (int i = 0; i < n_pairs; i++) {
        const double p = pairs[i], p2 = p * p;
        double even = 0.0, odd = 0.0, norm = 2.0 * p2;
        for (int j = kernel - 1; j >= 0; j--)
            if (j % 2)
                odd = odd * p2 + taps[j];
            else
                even = even * p2 + taps[j];
        for (int j = 0; j < n_pairs; j++)
            norm *= j == i ? 1.0 : p2 - pairs[j] * pairs[j];
        out[1 + 2 * i] = (even + p * odd) / norm;
        out[2 + 2 * i] = (even - p * odd) / norm;
        at_zero *= -p2;
    }
    out[0] = taps[0] / at_zero;
    out[side - 1] = taps[kernel - 1];
}

enum { MOST_TAPS = 5, MOST_POINTS = 8 }; // of a row or column

// The points of filter k, channel c: w[c][kernel][kernel][filters].
static void transform_filter(double *points, const float *w, const Attr *a, int c, int k)
{
    const int kernel = a->kernel_h, side = winograd_side(a->tile, kernel);
    double column[MOST_TAPS][MOST_POINTS], taps[MOST_TAPS];
    const float *tap = w + (int64_t)c * kernel * kernel * a->filters + k;
    for (int s = 0; s < kernel; s++) {
        for (int r = 0; r < kernel; r++)
            taps[r] = (double)tap[(int64_t)(r * kernel + s) * a->filters];
        transform_taps(column[s], taps, kernel, side);
    }
    for (int i = 0; i < side; i++) {
        for (int s = 0; s < kernel; s++)
            taps[s] = column[s][i];
        transform_taps(points + (int64_t)i * side, taps, kernel, side);
    }
}

// u[block][point][c][filter in block].
static int winograd_weights(Tiling *t, const char *name, const float *w, const Attr *a, float scale,
                            int blocks)
{
    const int side = winograd_side(a->tile, a->kernel_h), n_points = side * side;
    const int least = a->filters / blocks, larger = a->filters % blocks;
    float *u;
    const int tensor = ir_constant(t->ir, pool_printf(t->ir->pool, "%s.points", name),
                                   (int64_t)n_points * a->channels * a->filters, &u);
    double points[MOST_POINTS * MOST_POINTS];
    for (int i = 0, k0 = 0; i < blocks; i++) {
        const int filters = least + (i < larger);
        for (int c = 0; c < a->channels; c++)
            for (int k = 0; k < filters; k++) {
                transform_filter(points, w, a, c, k0 + k);
                for (int p = 0; p < n_points; p++)
                    u[((int64_t)p * a->channels + c) * filters + k] =
                        (float)((double)scale * points[p]);
            }
        u += (int64_t)n_points * a->channels * filters;
        k0 += filters;
    }
    return tensor;
}

// w[block][c][tap][filter in block] from w[c][tap][filters].
static int packed_weights(Tiling *t, int weights, const Attr *a, int taps, float scale)
{
    const int least = a->filters / a->blocks, larger = a->filters % a->blocks;
    const int64_t rows = (int64_t)a->channels * taps;
    const float *w = constant(t, weights);
    float *out;
    const int tensor = ir_constant(t->ir, t->ir->tensors[weights].name, rows * a->filters, &out);
    for (int i = 0, k0 = 0; i < a->blocks; i++) {
        const int filters = least + (i < larger);
        for (int64_t r = 0; r < rows; r++, out += filters)
            for (int k = 0; k < filters; k++)
                out[k] = scale * w[r * a->filters + k0 + k];
        k0 += filters;
    }
    return tensor;
}

static int copy_constant(Tiling *t, int tensor)
{
    const Tensor old = t->ir->tensors[tensor];
    float *values;
    const int made = ir_constant(t->ir, old.name, old.floats, &values);
    memcpy(values, constant(t, tensor), (size_t)old.floats * sizeof *values);
    return made;
}

// Direct kernels read as far beyond a map as their taps and a step reach.
static void need_margin(Tiling *t, const Attr *a)
{
    const int reach = a->kernel_h / 2 * a->width + a->kernel_w / 2 + DIRECT_STEP;
    if (t->ir->margin < reach)
        t->ir->margin = (reach + 15) / 16 * 16;
}

// Floats of all points of Winograd's algorithm: nk_tiles_pitch of templates/tiles_winograd.c.
static int64_t points_floats(int rows, int plane, int side)
{
    return (int64_t)side * side * ((int64_t)rows * plane / 16 | 1) * 16;
}

// The Winograd points of `tensor`, but for *scale: that of a single term goes into the weights.
static int transformed(Tiling *t, int tensor, int tile, int kernel, float *scale)
{
    Value *v = &t->values[tensor];
    Points *points = &v->points[winograd_side(tile, kernel) / 2 - 2][kernel == 5];
    if (points->tensor && t->options->share_inputs) {
        *scale = points->scale;
        return points->tensor;
    }
    if (v->is_lazy && (!t->options->fuse_loads || v->sums > 0 || v->sum.n > MOST_LOADS))
        compute(t, tensor, tile);
    const Tensor old = shape_of(t, tensor);
    const Sum sum = as_sum(t, tensor);
    *scale = points->scale = sum.n == 1 ? sum.scales[0] : 1.0f;
    const int plane = ir_tile_plane(old.height, old.width, tile);
    const int guard = ((old.width + tile - 1) / tile + 16) / 16 * 16;
    int count;
    int *args = sum_arguments(t, &sum, tile, 2, old.name, &count);
    args[0] = ir_vector(t->ir, pool_printf(t->ir->pool, "%s.points", old.name), SPACE_ARENA,
                        points_floats(old.channels, plane, winograd_side(tile, kernel)), -1);
    args[1] = new_scratch(t, old.name, 2 * plane + (int64_t)tile * tile * (plane + 2 * guard));
    points->tensor = args[0];
    ir_op(t->ir, OP_TILES_INPUT, args, count,
          (Attr){.height = old.height,
                 .width = old.width,
                 .tile = tile,
                 .kernel_h = kernel,
                 .inputs = sum.n,
                 .channels = old.channels,
                 .relu = sum.relu});
    return args[0];
}

static void winograd_conv(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    a.tile = best_tile(t, a.height, a.width);
    const int plane = ir_tile_plane(a.height, a.width, a.tile);
    a.blocks = count_blocks(a.filters, plane / 16 < 4 ? 28 / (plane / 16) : 7);
    const char *name = t->ir->tensors[op->args[0]].name;
    float scale;
    const int v = transformed(t, source(t, op->args[1]), a.tile, a.kernel_h, &scale);
    const int u = winograd_weights(t, t->ir->tensors[op->args[2]].name, constant(t, op->args[2]),
                                   &a, scale, a.blocks);
    const int y = new_map(t, name, a.filters, a.height, a.width, a.tile);
    const int block = (a.filters + a.blocks - 1) / a.blocks;
    const int m =
        new_scratch(t, name, points_floats(block, plane, winograd_side(a.tile, a.kernel_h)));
    t->values[op->args[0]].in_tiles[a.tile] = y;
    ir_op(t->ir, OP_TILES_FILTERS, (int[]){y, m, v, u, copy_constant(t, op->args[3])}, 5, a);
}

// What a convolution that rectifies its operand while it loads it reads: a tensor in tiles of
// `tile`, whether its ReLU is still to come, and a factor for the weights.
static int operand(Tiling *t, int tensor, int tile, int *relu, float *scale)
{
    const Value *v = &t->values[tensor];
    *relu = 0;
    *scale = 1.0f;
    if (!v->is_lazy || v->sum.n > 1 || !t->options->fuse_loads)
        return in_tiles(t, tensor, tile);
    *relu = v->sum.relu;
    *scale = v->sum.scales[0];
    return in_tiles(t, v->sum.terms[0], tile);
}

static void mix(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    float scale;
    const int from = source(t, op->args[1]);
    const Value *v = &t->values[from];
    a.tile = tile_of(t, v->is_lazy ? v->sum.terms[0] : from);
    const int x = operand(t, from, a.tile, &a.relu_x, &scale);
    const int y =
        new_map(t, t->ir->tensors[op->args[0]].name, a.filters, a.height, a.width, a.tile);
    const int blocks = a.tile * a.tile * ir_tile_plane(a.height, a.width, a.tile) / 16;
    a.blocks = count_blocks(a.filters, blocks % 4 ? 28 : 7);
    const int w = packed_weights(t, op->args[2], &a, 1, scale);
    t->values[op->args[0]].in_tiles[a.tile] = y;
    ir_op(t->ir, OP_TILES_MIX, (int[]){y, x, w, copy_constant(t, op->args[3])}, 4, a);
}

static void direct_conv(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    float scale;
    const int x = operand(t, source(t, op->args[1]), 1, &a.relu_x, &scale);
    const int y = new_map(t, t->ir->tensors[op->args[0]].name, a.filters, a.height, a.width, 1);
    a.blocks = count_blocks(a.filters, 14);
    need_margin(t, &a);
    const int w = packed_weights(t, op->args[2], &a, a.kernel_h * a.kernel_w, scale);
    t->values[op->args[0]].in_tiles[1] = y;
    ir_op(t->ir, OP_TILES_DIRECT, (int[]){y, x, w, copy_constant(t, op->args[3])}, 4, a);
}

// Lanes that multiply, and what the transforms of a tile and channel take, by their side.
static bool winograd_wins(const Tiling *t, const Attr *a)
{
    static const int transform[] = {40, 150, 350};
    const int kernel = a->kernel_h;
    if (!t->options->winograd || kernel != a->kernel_w || (kernel != 3 && kernel != 5))
        return false;
    const int tile = best_tile(t, a->height, a->width);
    if (!t->options->weigh_winograd)
        return tile > 1;
    const int64_t pairs = (int64_t)a->channels * a->filters;
    const int64_t transforms = (int64_t)ir_tile_plane(a->height, a->width, tile) *
                               transform[winograd_side(tile, kernel) / 2 - 2] *
                               (a->channels + a->filters);
    return pairs * winograd_cost(a->height, a->width, tile, kernel) + transforms <
           pairs * (kernel * kernel + 1) * ir_tile_plane(a->height, a->width, 1);
}

static void conv(Tiling *t, const Op *op)
{
    if (op->attr.kernel_h * op->attr.kernel_w == 1)
        mix(t, op);
    else if (winograd_wins(t, &op->attr))
        winograd_conv(t, op);
    else
        direct_conv(t, op);
}

static void depthwise(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    int x = source(t, op->args[1]);
    const Value *v = &t->values[x];
    if (v->is_lazy && v->sum.n == 1 && v->sum.scales[0] == 1.0f && t->options->fuse_loads) {
        a.relu_x = v->sum.relu;
        x = v->sum.terms[0];
    }
    x = in_tiles(t, x, 1);
    const int y =
        new_map(t, t->ir->tensors[op->args[0]].name, a.channels, a.out_height, a.out_width, 1);
    need_margin(t, &a);
    t->values[op->args[0]].in_tiles[1] = y;
    ir_op(t->ir, a.stride > 1 ? OP_TILES_STRIDED : OP_TILES_DEPTHWISE,
          (int[]){y, x, copy_constant(t, op->args[2]), copy_constant(t, op->args[3])}, 4, a);
}

static void average_pool(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    a.kernel_w = a.kernel_h;
    need_margin(t, &a);
    const int x = in_tiles(t, op->args[1], 1);
    const int y = new_map(t, t->ir->tensors[op->args[0]].name, a.channels, a.height, a.width, 1);
    t->values[op->args[0]].in_tiles[1] = y;
    ir_op(t->ir, OP_TILES_AVERAGE_POOL, (int[]){y, x}, 2, a);
}

// ---- the rest -----------------------------------------------------------------------------------

static void pool_map(Tiling *t, const Op *op)
{
    Attr a = op->attr;
    a.tile = tile_of(t, op->args[1]);
    a.out_tile = best_tile(t, a.out_height, a.out_width);
    const char *name = t->ir->tensors[op->args[0]].name;
    const int x = in_tiles(t, op->args[1], a.tile);
    const int y = new_map(t, name, a.channels, a.out_height, a.out_width, a.out_tile);
    const int scratch =
        new_scratch(t, name, (t->ir->tensors[x].floats + t->ir->tensors[y].floats) / a.channels);
    t->values[op->args[0]].in_tiles[a.out_tile] = y;
    ir_op(t->ir, OP_TILES_POOL, (int[]){y, scratch, x}, 3, a);
}

// The op that alone reads a tensor of the program before, haloed copies left out; NULL: several do.
static const Op *only_reader(const Tiling *t, int tensor)
{
    if (t->values[tensor].others != 1 || t->values[tensor].sums)
        return NULL;
    for (int o = 0; o < t->n_old; o++)
        for (int i = 0; i < t->old[o].n_args && t->old[o].kind != OP_PAD; i++)
            if (t->old[o].args[i] >= 0 && source(t, t->old[o].args[i]) == tensor &&
                op_arg(&t->old[o], i).access == ACCESS_READ)
                return &t->old[o];
    return NULL;
}

// The linear layer behind this 1x1 convolution, if between them are ReLU and global average alone.
static const Op *head_linear(const Tiling *t, const Op *op)
{
    if (op->kind != OP_CONV_PIXELS || op->attr.kernel_h * op->attr.kernel_w != 1 ||
        !op->attr.relu || !t->options->fuse_head)
        return NULL;
    const Op *next = only_reader(t, op->args[0]);
    if (next && next->kind == OP_ADAPTIVE_POOL)
        next = only_reader(t, next->args[0]);
    if (!next || next->kind != OP_CONV_PIXELS || next->attr.height * next->attr.width != 1)
        return NULL;
    const Op *last = only_reader(t, next->args[0]);
    return last && last->kind == OP_UNPACK_LOGITS ? next : NULL;
}

static void head(Tiling *t, const Op *op, const Op *linear)
{
    Attr a = op->attr;
    const int from = source(t, op->args[1]);
    a.tile = tile_of(t, from);
    const int x = in_tiles(t, from, a.tile);
    const int64_t vectors = t->ir->tensors[x].floats / a.channels / 16;
    a.blocks = count_blocks(a.filters, vectors % 4 ? 28 : 7);
    const int w = packed_weights(t, op->args[2], &a, 1, 1.0f);
    const int y = ir_vector(t->ir, t->ir->tensors[linear->args[1]].name, SPACE_ARENA,
                            (a.filters + 15) / 16 * 16, -1);
    t->values[source(t, linear->args[1])].in_tiles[1] = y;
    ir_op(t->ir, OP_TILES_HEAD, (int[]){y, x, w, copy_constant(t, op->args[3])}, 4, a);
}

// The linear layer on averages, which are still sums over `pixels`.
static void linear_layer(Tiling *t, const Op *op, int logits, int64_t pixels)
{
    const Attr a = op->attr;
    const int64_t pitch = (a.channels + 15) / 16 * 16;
    const float *from = constant(t, op->args[2]);
    float *w;
    const int weights = ir_constant(t->ir, t->ir->tensors[op->args[2]].name, pitch * a.filters, &w);
    for (int c = 0; c < a.channels; c++)
        for (int k = 0; k < a.filters; k++)
            w[k * pitch + c] = (float)((double)from[(int64_t)c * a.filters + k] / (double)pixels);
    ir_op(t->ir, OP_TILES_LINEAR,
          (int[]){logits, t->values[source(t, op->args[1])].in_tiles[1], weights,
                  copy_constant(t, op->args[3])},
          4, (Attr){.channels = a.channels, .classes = a.filters});
}

// ---- merges -------------------------------------------------------------------------------------

static void attention_range(Tiling *t, const Op *op)
{
    const Tensor shape = shape_of(t, op->args[1]);
    const int tile = tile_of(t, op->args[1]);
    const int range = ir_vector(t->ir, t->ir->tensors[op->args[0]].name, SPACE_ARENA, 2, -1);
    t->values[op->args[0]].in_tiles[1] = range;
    ir_op(t->ir, OP_TILES_RANGE, (int[]){range, in_tiles(t, op->args[1], tile)}, 2,
          (Attr){.height = shape.height,
                 .width = shape.width,
                 .tile = tile,
                 .channels = shape.channels});
}

static void attention(Tiling *t, const Op *op)
{
    const Tensor shape = shape_of(t, op->args[1]);
    const int tile = tile_of(t, op->args[1]);
    float *gate;
    const int b = ir_constant(t->ir, t->ir->tensors[op->args[4]].name, 1, &gate);
    *gate = (float)(1.0 / (1.0 + exp(-(double)*constant(t, op->args[4]))));
    const int m = in_tiles(t, op->args[1], tile), s = in_tiles(t, op->args[2], tile);
    const int y = new_map(t, t->ir->tensors[op->args[0]].name, shape.channels, shape.height,
                          shape.width, tile);
    t->values[op->args[0]].in_tiles[tile] = y;
    ir_op(t->ir, OP_TILES_ATTENTION, (int[]){y, m, s, t->values[op->args[3]].in_tiles[1], b}, 5,
          (Attr){.size = (int)t->ir->tensors[y].floats, .relu = op->attr.relu});
}

// The parts of a concatenation fill one tensor, in the tiling that its first part has.
static void concat_part(Tiling *t, const Op *op)
{
    const Tensor whole = shape_of(t, op->args[0]);
    Value *v = &t->values[op->args[0]];
    int tile = tile_of(t, op->args[1]);
    if (op->attr.offset == 0)
        v->in_tiles[tile] = new_map(t, whole.name, whole.channels, whole.height, whole.width, tile);
    else
        tile = tile_of(t, op->args[0]);
    const int x = in_tiles(t, op->args[1], tile);
    Attr a = op->attr;
    a.size = (int)(t->ir->tensors[x].floats / a.channels);
    ir_op(t->ir, OP_CONCAT_PART, (int[]){v->in_tiles[tile], x}, 2, a);
}

static void image(Tiling *t)
{
    const Arch *arch = t->ir->arch;
    for (int v = 0; v < t->n_values; v++)
        if (t->ir->tensors[v].space == SPACE_IMAGES) {
            const int tile = best_tile(t, arch->height, arch->width);
            const int y =
                new_map(t, "image.tiles", arch->channels, arch->height, arch->width, tile);
            t->values[v].in_tiles[tile] = y;
            ir_op(t->ir, OP_TILE_IMAGE, (int[]){y, v}, 2,
                  (Attr){.channels = arch->channels,
                         .height = arch->height,
                         .width = arch->width,
                         .tile = tile});
        }
}

// Batch normalisation that no convolution could take has no kernel for tiles.
static bool is_supported(const Ir *ir)
{
    for (int o = 0; o < ir->n_ops; o++)
        if (ir->ops[o].kind == OP_BATCHNORM_INFER)
            return false;
    return true;
}

static void results(Tiling *t, const Op *op)
{
    ir_op(t->ir, OP_TILE_LOGITS, (int[]){op->args[0], in_tiles(t, op->args[1], 1)}, 2, op->attr);
}

static void walk_op(Tiling *t, const Op *op)
{
    switch (op->kind) {
    case OP_PAD:
        break;
    case OP_WEIGHTED_SUM:
        keep_sum(t, op);
        break;
    case OP_RELU:
        keep_relu(t, op);
        break;
    case OP_CONV_PIXELS:
        conv(t, op);
        break;
    case OP_DEPTHWISE:
        depthwise(t, op);
        break;
    case OP_AVERAGE_POOL:
        average_pool(t, op);
        break;
    case OP_ADAPTIVE_POOL:
        pool_map(t, op);
        break;
    case OP_ATTENTION_RANGE:
        attention_range(t, op);
        break;
    case OP_ATTENTION:
        attention(t, op);
        break;
    case OP_CONCAT_PART:
        concat_part(t, op);
        break;
    case OP_UNPACK_LOGITS:
        results(t, op);
        break;
    default:
        bug("no tiles for %s", op_info[op->kind].kernel);
    }
}

static void walk(Tiling *t)
{
    for (int o = 0; o < t->n_old; o++) {
        const Op *op = &t->old[o], *linear = head_linear(t, op);
        t->ir->place = op->place;
        if (linear) {
            head(t, op, linear);
            linear_layer(t, linear, t->old[t->n_old - 1].args[0],
                         (int64_t)op->attr.height * op->attr.width);
            break; // nothing is computed behind it
        }
        walk_op(t, op);
    }
}

void tile_maps(Ir *ir, const TileOptions *options)
{
    Tiling t = {.ir = ir,
                .options = options,
                .old = ir->ops,
                .n_old = ir->n_ops,
                .n_values = ir->n_tensors,
                .constants = ir->const_data};
    t.values = pool_alloc(ir->pool, (size_t)t.n_values * sizeof *t.values);
    survey(&t);
    if (!is_supported(ir))
        return;
    t.old = ir_rewrite(ir, &t.n_old);
    ir->const_data = NULL;
    ir->const_count = 0;
    ir->cap_const = 0;
    ir->place = 0;
    image(&t);
    walk(&t);
    ir->n_forward = ir->n_ops;
}
