// steps.c - training steps on request, so that the benchmark can let this engine and another take
// turns.
//
//   steps ARCH [BATCH [THREADS]]
//       prints a line of JSON about the net once its first step is done; then, for each line "N" on
//       standard input, the milliseconds of N steps
//   steps --compile N THETA
//       prints N times the milliseconds from the file to a callable net
//
// Times begin when main does: reading, drawing, compiling, memory, initial weights and the first
// step are all in "first_step_ms".
#include "../../runtime/evaluate.h"
#include "../../runtime/kernels.h"
#include "../../runtime/measure.h"
#include "../../runtime/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Pool *pool;
    Arch arch;
    Net *net;
    Memory memory;
    NetMemory net_memory;
    Team *team;
    nk_call call;
    float loss;
} Steps;

static bool net_make(Steps *steps, const char *path, int batch, int threads, Err *err)
{
    const NetOptions options = {
        .batch = batch, .plan = true, .threads = threads, .conv = kernels_conv()};
    steps->pool = pool_new();
    const KernelEntry *kernels = kernels_open(err);
    if (!kernels || !arch_load(path, false, 0, &steps->arch, steps->pool, err))
        return false;
    steps->net = net_open(&steps->arch, &options, kernels, err);
    return steps->net;
}

static bool memory_make(Steps *steps, int threads, Err *err)
{
    const Arch *arch = &steps->arch;
    steps->team = team_open(threads, err);
    if (!steps->team || !net_memory_open(&steps->net_memory, steps->net, true, &steps->memory, err))
        return false;
    const NetMemory *m = &steps->net_memory;
    const size_t image = (size_t)arch->channels * (size_t)arch->height * (size_t)arch->width;
    Random random = random_stream(0, "bench", 0, 0);
    weights_init(steps->net, 0, m->params, m->state);
    for (size_t i = 0; i < (size_t)steps->net->batch * image; i++)
        m->images[i] = (float)(2.0 * random_unit(&random) - 1.0);
    for (int i = 0; i < steps->net->batch; i++)
        m->labels[i] = i % arch->classes;
    steps->call = net_memory_call(m, steps->team);
    steps->call.loss = &steps->loss;
    steps->call.count = steps->net->batch;
    steps->call.learning_rate = 1e-3f;
    steps->call.momentum = 0.9f;
    steps->call.weight_decay = 1e-4f;
    steps->call.dropout = 0.2f;
    return true;
}

static void step_part(void *argument, int part, int parts)
{
    Steps *steps = argument;
    steps->net->gradient(&steps->call, part, parts);
    steps->net->update(&steps->call, part, parts);
}

static double step_ms(Steps *steps)
{
    const double begin = measure_now();
    steps->call.step++;
    team_run(steps->team, step_part, steps);
    return 1e3 * (measure_now() - begin);
}

static void steps_close(Steps *steps)
{
    team_close(steps->team);
    memory_release(&steps->memory);
    net_close(steps->net);
    pool_free(steps->pool);
}

static bool serve(const char *path, int batch, int threads, Err *err)
{
    const double begin = measure_now();
    Steps steps = {0};
    bool made = net_make(&steps, path, batch, threads, err);
    const double compiled = measure_now();
    made = made && memory_make(&steps, threads, err);
    if (made) {
        const double ready = measure_now();
        step_ms(&steps);
        const double stepped = measure_now();
        printf(
            "{\"isa\": \"%s\", \"ops\": %d, \"macs\": %lld, \"params\": %lld, \"memory_bytes\": "
            "%zu, "
            "\"arena_bytes\": %lld, \"compile_ms\": %.3f, \"setup_ms\": %.3f, \"step1_ms\": %.3f, "
            "\"first_step_ms\": %.3f}\n",
            kernels_isa(), steps.arch.n_ops, (long long)steps.net->macs,
            (long long)steps.net->param_count, steps.net_memory.bytes,
            (long long)steps.net->arena_bytes, 1e3 * (compiled - begin), 1e3 * (ready - compiled),
            1e3 * (stepped - ready), 1e3 * (stepped - begin));
        fflush(stdout);
    }
    for (int n; made && scanf("%d", &n) == 1;) {
        for (int i = 0; i < n; i++)
            printf("%s%.4f", i ? ", " : "[", step_ms(&steps));
        printf("]\n");
        fflush(stdout);
    }
    steps_close(&steps);
    return made;
}

static bool compile(const char *path, int times, Err *err)
{
    for (int i = 0; i < times; i++) {
        const double begin = measure_now();
        Steps steps = {0};
        const bool made = net_make(&steps, path, 32, 1, err);
        if (made)
            printf("{\"ops\": %d, \"ms\": %.3f, \"net_ms\": %.3f}\n", steps.arch.n_ops,
                   1e3 * (measure_now() - begin), steps.net->compile_ms);
        steps_close(&steps);
        if (!made)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    Err err = {0};
    bool done;
    if (argc == 4 && !strcmp(argv[1], "--compile"))
        done = compile(argv[3], atoi(argv[2]), &err);
    else if (argc >= 2 && argc <= 4)
        done = serve(argv[1], argc > 2 ? atoi(argv[2]) : 32, argc > 3 ? atoi(argv[3]) : 1, &err);
    else
        done = err_input(&err, "usage: steps ARCH [BATCH [THREADS]] | steps --compile N THETA");
    if (!done)
        fprintf(stderr, "%s\n", err.message);
    return done ? EXIT_DONE : EXIT_RUN_FAILED;
}
