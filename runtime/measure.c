// measure.c - timing steps of training: a plain net for the totals, and the same net with a mark
// after each op for the table of kinds.  The machine is shared and noisy, so the least time of many
// is what is reported.
#define _GNU_SOURCE
#include "measure.h"

#include "evaluate.h"
#include "kernels.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

double measure_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double measure_peak_gflops(void)
{
    double best = 0.0, flops;
    for (int run = 0; run < 40; run++) {
        const double begin = measure_now();
        flops = kernels_multiply_add(20000);
        const double rate = 1e-9 * flops / (measure_now() - begin);
        best = rate > best ? rate : best;
    }
    return best;
}

double measure_bandwidth(void)
{
    enum { FLOATS = 8 << 20 };
    float *x = xcalloc(FLOATS, sizeof *x), *y = xcalloc(FLOATS, sizeof *y);
    double best = 0.0;
    for (int run = 0; run < 10; run++) {
        const double begin = measure_now();
        for (int i = 0; i < FLOATS; i++)
            y[i] += 0.5f * x[i];
        const double rate = 1e-9 * 3.0 * FLOATS * sizeof *x / (measure_now() - begin);
        best = rate > best ? rate : best;
    }
    free(x);
    free(y);
    return best;
}

// ---- a net under the clock ----------------------------------------------------------------------

typedef struct {
    Net *net;
    Memory memory;
    NetMemory net_memory;
    Team *team;
    nk_call call;
    float loss;
    double *op_ms, last; // [n_gradient_ops + 1] least time of each op; the update is the last
    int done;            // ops done in this step
} Bench;

static void mark_op(void *user, int op)
{
    Bench *bench = user;
    const double now = measure_now(), ms = 1e3 * (now - bench->last);
    (void)op;
    if (ms < bench->op_ms[bench->done])
        bench->op_ms[bench->done] = ms;
    bench->done++;
    bench->last = measure_now();
}

static void run_step(void *argument, int part, int parts)
{
    Bench *bench = argument;
    bench->net->gradient(&bench->call, part, parts);
    bench->net->update(&bench->call, part, parts);
}

static void run_infer(void *argument, int part, int parts)
{
    Bench *bench = argument;
    bench->net->infer(&bench->call, part, parts);
}

static double time_once(Bench *bench, TeamJob *job)
{
    const double begin = measure_now();
    bench->last = begin;
    bench->done = 0;
    team_run(bench->team, job, bench);
    return 1e3 * (measure_now() - begin);
}

static bool bench_open(Bench *bench, const Arch *arch, const NetOptions *options, int threads,
                       Err *err)
{
    *bench = (Bench){0};
    const KernelEntry *kernels = kernels_open(err);
    bench->net = kernels ? net_open(arch, options, kernels, err) : NULL;
    bench->team = bench->net ? team_open(threads, err) : NULL;
    if (!bench->team || !net_memory_open(&bench->net_memory, bench->net, true, &bench->memory, err))
        return false;
    const Net *net = bench->net;
    const size_t pixels =
        (size_t)net->batch * (size_t)arch->channels * (size_t)arch->height * (size_t)arch->width;
    Random random = random_stream(0, "bench", 0, 0);
    weights_init(net, 0, bench->net_memory.params, bench->net_memory.state);
    for (size_t i = 0; i < pixels; i++)
        bench->net_memory.images[i] = (float)(2.0 * random_unit(&random) - 1.0);
    for (int i = 0; i < net->batch; i++)
        bench->net_memory.labels[i] = i % arch->classes;
    bench->call = net_memory_call(&bench->net_memory, bench->team);
    bench->call.loss = &bench->loss;
    bench->call.count = net->batch;
    bench->call.learning_rate = 1e-3f;
    bench->call.momentum = 0.9f;
    bench->call.weight_decay = 1e-4f;
    bench->call.dropout = 0.2f;
    bench->call.mark = mark_op;
    bench->call.mark_user = bench;
    bench->op_ms = xcalloc((size_t)net->n_gradient_ops + 16, sizeof *bench->op_ms);
    for (int i = 0; i < net->n_gradient_ops + 16; i++)
        bench->op_ms[i] = 1e30;
    return true;
}

static void bench_close(Bench *bench)
{
    team_close(bench->team);
    memory_release(&bench->memory);
    net_close(bench->net);
    free(bench->op_ms);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int by_time(const void *a, const void *b)
{
    const OpTime *x = a, *y = b;
    return (x->ms < y->ms) - (x->ms > y->ms);
}

// Steps until `seconds` are over, at least five; returns the least and *median.
static double time_steps(Bench *bench, TeamJob *job, double seconds, double *median)
{
    enum { MOST = 1000 };
    double times[MOST];
    int n = 0;
    const double begin = measure_now();
    while (n < 5 || (n < MOST && measure_now() - begin < seconds))
        times[n++] = time_once(bench, job);
    qsort(times, (size_t)n, sizeof *times, by_value);
    *median = times[n / 2];
    return times[0];
}

static void sum_kinds(const Bench *bench, StepTimes *out)
{
    const Net *net = bench->net;
    for (int o = 0; o <= net->n_gradient_ops; o++) {
        const char *kernel = o < net->n_gradient_ops ? net->gradient_ops[o].kernel : "sgd";
        int k = 0;
        while (k < out->n_kinds && strcmp(out->kinds[k].kernel, kernel) != 0)
            k++;
        if (k == (int)COUNT_OF(out->kinds))
            bug("more kinds of ops than %d", k);
        if (k == out->n_kinds)
            out->kinds[out->n_kinds++] = (OpTime){.kernel = kernel};
        out->kinds[k].calls++;
        out->kinds[k].ms += bench->op_ms[o];
        out->kinds[k].flops +=
            o < net->n_gradient_ops ? net->gradient_ops[o].flops * net->batch : 0.0;
    }
    qsort(out->kinds, (size_t)out->n_kinds, sizeof *out->kinds, by_time);
    for (int k = 0; k < out->n_kinds; k++) // the names outlive the net
        for (const KernelEntry *e = kernels_table(); e->name; e++)
            if (!strcmp(e->name, out->kinds[k].kernel))
                out->kinds[k].kernel = e->name;
}

bool measure_steps(const Arch *arch, int batch, int threads, JitKind jit, double seconds,
                   StepTimes *out, Err *err)
{
    Bench bench;
    NetOptions options = {
        .batch = batch, .plan = true, .jit = jit, .threads = threads, .conv = kernels_conv()};
    double ignored;
    *out = (StepTimes){0};
    const bool opened = bench_open(&bench, arch, &options, threads, err);
    if (opened) {
        const Net *net = bench.net;
        out->compile_ms = net->compile_ms;
        out->first_step_ms = time_once(&bench, run_step);
        out->step_ms = time_steps(&bench, run_step, seconds, &out->median_ms);
        out->infer_ms = time_steps(&bench, run_infer, seconds / 4, &ignored);
        out->macs = net->macs;
        out->gflops = 1e-6 * 6.0 * (double)net->macs * batch / out->step_ms;
        out->arena_bytes = net->arena_bytes;
        out->parameter_bytes = net->param_count * (int64_t)sizeof(float);
        out->memory_bytes = (int64_t)bench.net_memory.bytes;
    }
    bench_close(&bench);
    options.profile = true;
    if (!opened || !bench_open(&bench, arch, &options, threads, err)) {
        if (opened)
            bench_close(&bench);
        return false;
    }
    time_steps(&bench, run_step, seconds, &ignored);
    sum_kinds(&bench, out);
    bench_close(&bench);
    return true;
}

// ---- latency -----------------------------------------------------------------------------------

// The least time of each op of an equal shape, however many of them there are in this net.
static double shape_least(const Bench *bench, int op)
{
    const Net *net = bench->net;
    double least = bench->op_ms[op];
    for (int o = 0; o < net->n_infer_ops; o++)
        if (bench->op_ms[o] < least && !strcmp(net->infer_ops[o].shape, net->infer_ops[op].shape))
            least = bench->op_ms[o];
    return least;
}

static bool latency_sum(Bench *bench, const ShapeTimes *kept, double *ms, Err *err)
{
    const Net *net = bench->net;
    double ignored;
    bool is_measured = false;
    *ms = 0;
    for (int o = 0; o < net->n_infer_ops; o++) {
        const char *shape = net->infer_ops[o].shape;
        double time;
        if (!kept->find(kept->user, shape, &time, err))
            return false;
        if (time < 0 && !is_measured)
            time_steps(bench, run_infer, 0.1, &ignored);
        is_measured = is_measured || time < 0;
        if (time < 0) {
            time = shape_least(bench, o);
            if (!kept->keep(kept->user, shape, &time, err))
                return false;
        }
        *ms += time / net->batch;
    }
    return true;
}

bool measure_latency(const Arch *arch, JitKind jit, const ShapeTimes *kept, double *ms, Err *err)
{
    Bench bench;
    const NetOptions options = {.batch = 32,
                                .plan = true,
                                .jit = jit,
                                .threads = 1,
                                .conv = kernels_conv(),
                                .profile = true};
    const bool done =
        bench_open(&bench, arch, &options, 1, err) && latency_sum(&bench, kept, ms, err);
    bench_close(&bench);
    return done;
}
