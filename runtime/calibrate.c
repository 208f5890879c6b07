// calibrate.c - ranges of activations: a float network is run with a mark behind every op, and the
// op's result is looked at where it lies in the arena.
//
// In: an architecture, its weights, images.  Out: a range for every tensor of the folded inference
// program.  The program is the trainer's own, fused no further than ReLU, so that each of those
// tensors exists under the same name.
#include "calibrate.h"

#include "evaluate.h"
#include "kernels.h"
#include "weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const calibrate_names[4] = {"minmax", "percentile", "mse", NULL};

enum { BATCH = 32, BINS = 2048 };

typedef struct {
    float low, high;
    int64_t *bins; // [BINS] between low and high, in the second pass
} Observed;

typedef struct {
    const Net *net;
    const NetMemory *memory;
    Observed *ops;   // of net->infer_ops
    int count;       // images of the running batch
    bool histogram;  // second pass
    const char *bad; // a tensor with a value that is not finite
} Observer;

// ---- looking ------------------------------------------------------------------------------------

// The values of `count` of the 32 images in the lanes.
static void observe_extremes(Observed *o, const float *values, int64_t floats, int count)
{
    for (int64_t i = 0; i < floats; i += BATCH)
        for (int lane = 0; lane < count; lane++) {
            const float v = values[i + lane];
            if (!(v >= o->low))
                o->low = v;
            if (!(v <= o->high))
                o->high = v;
        }
}

static void observe_bins(Observed *o, const float *values, int64_t floats, int count)
{
    const float scale = o->high > o->low ? (float)BINS / (o->high - o->low) : 0.0f;
    for (int64_t i = 0; i < floats; i += BATCH)
        for (int lane = 0; lane < count; lane++) {
            const int bin = (int)((values[i + lane] - o->low) * scale);
            o->bins[bin < BINS ? bin : BINS - 1]++;
        }
}

static void observe(void *user, int index)
{
    Observer *observer = user;
    const NetOp *op = &observer->net->infer_ops[index];
    Observed *o = &observer->ops[index];
    if (!op->floats || !op->complete)
        return;
    const float *values = observer->memory->arena + op->offset;
    if (observer->histogram) {
        observe_bins(o, values, op->floats, observer->count);
        return;
    }
    observe_extremes(o, values, op->floats, observer->count);
    if (!isfinite(o->low) || !isfinite(o->high))
        observer->bad = op->result;
}

static void run_pass(Observer *observer, const Calibration *c, int done, int total)
{
    nk_call call = net_memory_call(observer->memory, NULL);
    call.mark = observe;
    call.mark_user = observer;
    for (int first = 0; first < c->images; first += BATCH) {
        call.count = observer->count = c->images - first < BATCH ? c->images - first : BATCH;
        c->fetch(c->user, first, call.count, observer->memory->images);
        observer->net->infer(&call, 0, 1);
        if (c->tick)
            c->tick(c->user, done + first + call.count, total);
    }
}

// ---- choosing -----------------------------------------------------------------------------------

static double bin_edge(const Observed *o, double bin)
{
    return (double)o->low + ((double)o->high - (double)o->low) * bin / BINS;
}

// Leaves out the share `outside` of the values on either side.
static TensorRange cut_share(const Observed *o, double outside)
{
    double total = 0.0, seen = 0.0;
    int first = 0, last = BINS - 1;
    for (int b = 0; b < BINS; b++)
        total += (double)o->bins[b];
    for (; first < last && (seen += (double)o->bins[first]) <= outside * total; first++)
        continue;
    seen = 0.0;
    for (; last > first && (seen += (double)o->bins[last]) <= outside * total; last--)
        continue;
    return (TensorRange){.low = bin_edge(o, first), .high = bin_edge(o, last + 1)};
}

enum { CUT_FROM = 20, CUT_TO = 100 }; // hundredths

// What lies outside one end of a range: how many values, their squared distances from it.
typedef struct {
    double end, count, error;
} Cut;

// side -1: below the end; 1: above it.
static Cut cut_at(const Observed *o, int side, double end)
{
    Cut cut = {.end = end};
    for (int b = 0; b < BINS; b++) {
        const double out = side * (bin_edge(o, b + 0.5) - end), n = (double)o->bins[b];
        cut.count += out > 0.0 ? n : 0.0;
        cut.error += out > 0.0 ? n * out * out : 0.0;
    }
    return cut;
}

// Each end is drawn towards zero, in steps of a hundredth, to where the squared error of all values
// held in 256 steps is the least: rounding inside (a twelfth of a step squared), distance outside.
static TensorRange cut_error(const Observed *o)
{
    Cut low[CUT_TO + 1], high[CUT_TO + 1];
    double total = 0.0, least = INFINITY;
    TensorRange best = {0};
    for (int b = 0; b < BINS; b++)
        total += (double)o->bins[b];
    for (int i = CUT_FROM; i <= CUT_TO; i++) {
        low[i] = cut_at(o, -1, fmin((double)o->low, 0.0) * i / 100.0);
        high[i] = cut_at(o, 1, fmax((double)o->high, 0.0) * i / 100.0);
    }
    for (int i = CUT_TO; i >= CUT_FROM; i--)
        for (int j = CUT_TO; j >= CUT_FROM; j--) {
            const double step = (high[j].end - low[i].end) / 255.0;
            const double inside = total - low[i].count - high[j].count;
            const double error = inside * step * step / 12.0 + low[i].error + high[j].error;
            if (error < least) {
                least = error;
                best = (TensorRange){.low = low[i].end, .high = high[j].end};
            }
        }
    return best;
}

static TensorRange choose(const Observed *o, const Calibration *c, bool whole)
{
    if (whole || c->method == CALIBRATE_MINMAX || o->low >= o->high)
        return (TensorRange){.low = (double)o->low, .high = (double)o->high};
    return c->method == CALIBRATE_PERCENTILE ? cut_share(o, 0.005 * (100.0 - c->percentile))
                                             : cut_error(o);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const TensorRange *)a)->name, ((const TensorRange *)b)->name);
}

// A map that is pooled to two sizes has two results of one name: they share a range.
static void join_namesakes(Ranges *ranges)
{
    int kept = 0;
    for (int i = 0; i < ranges->n; i++) {
        TensorRange *last = kept ? &ranges->items[kept - 1] : NULL;
        if (!last || strcmp(last->name, ranges->items[i].name) != 0) {
            ranges->items[kept++] = ranges->items[i];
            continue;
        }
        last->low = fmin(last->low, ranges->items[i].low);
        last->high = fmax(last->high, ranges->items[i].high);
    }
    ranges->n = kept;
}

static void collect(const Observer *observer, const Calibration *c, Ranges *ranges, Pool *pool)
{
    const Net *net = observer->net;
    *ranges = (Ranges){.path = "", .method = calibrate_names[c->method], .images = c->images};
    ranges->items = pool_alloc(pool, (size_t)net->n_infer_ops * sizeof *ranges->items);
    for (int i = 0; i < net->n_infer_ops; i++) {
        const NetOp *op = &net->infer_ops[i];
        const bool image = !strcmp(op->kernel, "pack_images");
        if (!op->floats || !op->complete || !strcmp(op->kernel, "pack_weights") ||
            !strcmp(op->kernel, "attention_range"))
            continue;
        TensorRange range = choose(&observer->ops[i], c, image);
        range.name = pool_strdup(pool, image ? "image" : op->result);
        ranges->items[ranges->n++] = range;
    }
    qsort(ranges->items, (size_t)ranges->n, sizeof *ranges->items, by_name);
    join_namesakes(ranges);
}

// ---- the whole ----------------------------------------------------------------------------------

static bool observe_all(Observer *observer, const Calibration *c, Pool *pool, Err *err)
{
    const int n = observer->net->n_infer_ops;
    const bool twice = c->method != CALIBRATE_MINMAX;
    const int total = c->images * (twice ? 2 : 1);
    observer->ops = pool_alloc(pool, (size_t)n * sizeof *observer->ops);
    for (int i = 0; i < n; i++)
        observer->ops[i] = (Observed){INFINITY, -INFINITY, NULL};
    run_pass(observer, c, 0, total);
    if (observer->bad)
        return err_run(err, "\"%s\" takes values that are not finite: are these weights trained?",
                       observer->bad);
    for (int i = 0; twice && i < n; i++)
        observer->ops[i].bins = pool_alloc(pool, BINS * sizeof *observer->ops[i].bins);
    observer->histogram = true;
    if (twice)
        run_pass(observer, c, c->images, total);
    return true;
}

bool calibrate(const Arch *arch, const char *path, const TensorFile *weights,
               const Calibration *calibration, Ranges *ranges, Pool *pool, Err *err)
{
    const NetOptions options = {.threads = 1,
                                .conv = CONV_DIRECT,
                                .batch = BATCH,
                                .plan = true,
                                .profile = true,
                                .plain = true};
    const KernelEntry *kernels = kernels_open(err);
    Net *net = kernels ? net_open(arch, &options, kernels, err) : NULL;
    Memory memory = {0};
    NetMemory net_memory;
    int64_t batches;
    bool done =
        net && net_memory_open(&net_memory, net, false, &memory, err) &&
        weights_load(path, weights, net, net_memory.params, net_memory.state, &batches, err);
    if (done) {
        Observer observer = {.net = net, .memory = &net_memory};
        done = observe_all(&observer, calibration, pool, err);
        if (done)
            collect(&observer, calibration, ranges, pool);
    }
    memory_release(&memory);
    net_close(net);
    return done;
}
