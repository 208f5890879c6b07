// cmd_bench.c - `nago bench`: the machine's limits, then what a network makes of them.
#include "options.h"

#include "../runtime/kernels.h"
#include "../runtime/measure.h"
#include "../runtime/team.h"

#include <stdio.h>

static const char description[] = "Measures this machine's multiply-add peak and memory bandwidth "
                                  "on one thread, then compiles the network and "
                                  "times whole training steps (forward, backward, update) on "
                                  "random images: the least and the median of many. "
                                  "Floating-point operations are those of the direct algorithm, "
                                  "three times the forward pass, padded taps counted; an "
                                  "algorithm that needs fewer may pass the peak.";

static const char examples[] = "nago bench examples/theta.json\n"
                               "    Batch 32, one thread.\n"
                               "nago bench net.arch.json --threads 2 --json\n"
                               "    One JSON object on stdout.";

typedef struct {
    int batch, threads, jit;
    double seconds;
    bool json;
} BenchRequest;

static void print_text(const BenchRequest *request, const Arch *arch, double peak, double bandwidth,
                       const StepTimes *t)
{
    Text words = {0};
    arch_describe(arch, &words);
    printf("%s\n\n", words.data);
    text_free(&words);
    printf("machine        %8.1f GFLOP/s peak (%s, one thread), %.1f GB/s\n", peak, kernels_isa(),
           bandwidth);
    printf("compile        %8.1f ms from architecture to callable\n", t->compile_ms);
    printf("first step     %8.1f ms\n", t->first_step_ms);
    printf("train step     %8.2f ms (median %.2f), batch %d, %d thread%s: %.0f images/s\n",
           t->step_ms, t->median_ms, request->batch, request->threads,
           request->threads > 1 ? "s" : "", 1e3 * request->batch / t->step_ms);
    printf("               %8.1f GFLOP/s, %.0f %% of one thread's peak\n", t->gflops,
           100.0 * t->gflops / peak);
    printf("inference      %8.2f ms a batch\n", t->infer_ms);
    printf("memory         %8.1f MB: arena %.1f, parameters %.2f\n\n",
           1e-6 * (double)t->memory_bytes, 1e-6 * (double)t->arena_bytes,
           1e-6 * (double)t->parameter_bytes);
    double all = 0.0;
    for (int k = 0; k < t->n_kinds; k++)
        all += t->kinds[k].ms;
    printf("%-28s %6s %10s %6s %9s\n", "op", "calls", "ms", "%", "GFLOP/s");
    for (int k = 0; k < t->n_kinds; k++) {
        printf("%-28s %6d %10.3f %6.1f", t->kinds[k].kernel, t->kinds[k].calls, t->kinds[k].ms,
               100.0 * t->kinds[k].ms / all);
        if (t->kinds[k].flops > 0.0)
            printf(" %9.1f", 1e-6 * t->kinds[k].flops / t->kinds[k].ms);
        printf("\n");
    }
}

static void print_json(const BenchRequest *request, double peak, double bandwidth,
                       const StepTimes *t)
{
    printf("{\"isa\": \"%s\", \"batch\": %d, \"threads\": %d, \"peak_gflops\": %.2f, "
           "\"bandwidth_gbs\": %.2f, \"compile_ms\": %.3f, "
           "\"first_step_ms\": %.3f, \"train_step_ms\": %.4f, \"train_step_median_ms\": %.4f, "
           "\"train_gflops\": %.2f, "
           "\"images_per_second\": %.1f, \"infer_batch_ms\": %.4f, \"macs\": %lld, "
           "\"arena_bytes\": %lld, \"parameter_bytes\": %lld, "
           "\"memory_bytes\": %lld, \"ops\": [",
           kernels_isa(), request->batch, request->threads, peak, bandwidth, t->compile_ms,
           t->first_step_ms, t->step_ms, t->median_ms, t->gflops, 1e3 * request->batch / t->step_ms,
           t->infer_ms, (long long)t->macs, (long long)t->arena_bytes,
           (long long)t->parameter_bytes, (long long)t->memory_bytes);
    for (int k = 0; k < t->n_kinds; k++)
        printf("%s{\"op\": \"%s\", \"calls\": %d, \"ms\": %.4f, \"gflops\": %.2f}", k ? ", " : "",
               t->kinds[k].kernel, t->kinds[k].calls, t->kinds[k].ms,
               t->kinds[k].flops > 0.0 ? 1e-6 * t->kinds[k].flops / t->kinds[k].ms : 0.0);
    printf("]}\n");
}

static bool run_bench(const BenchRequest *request, const char *path, Err *err)
{
    Pool *pool = pool_new();
    Arch arch;
    StepTimes times;
    bool done = arch_load(path, false, 0, &arch, pool, err);
    if (done) {
        const double peak = measure_peak_gflops(), bandwidth = measure_bandwidth();
        done = measure_steps(&arch, request->batch, request->threads, (JitKind)request->jit,
                             request->seconds, &times, err);
        if (done && request->json)
            print_json(request, peak, bandwidth, &times);
        else if (done)
            print_text(request, &arch, peak, bandwidth, &times);
    }
    pool_free(pool);
    return done;
}

int cmd_bench(int argc, char **argv)
{
    static const char *const jits[] = {"tcc", "gcc", NULL}; // as JitKind
    BenchRequest request = {.batch = 32, .threads = 1, .seconds = 2.0};
    const Option options[] = {
        OPTION_INT("batch", 'b', "N", &request.batch, 1, 4096, "images of one step"),
        OPTION_INT("threads", 't', "N", &request.threads, 1, 256, "threads"),
        OPTION_CHOICE("jit", 0, NULL, &request.jit, jits,
                      "compiler of the program around the kernels"),
        OPTION_DURATION("time", 0, "TIME", &request.seconds, "how long steps are measured"),
        OPTION_FLAG("json", 'j', &request.json, "print one JSON object"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago bench",
        .summary = "measure compile time and speed on this machine",
        .synopsis = "[OPTION]... theta.json|arch.json",
        .description = description,
        .examples = examples,
        .see_also = "nago(1), nago-train(1)",
        .options = options,
        .min_operands = 1,
        .max_operands = 1,
    };
    int count;
    char **operands = command_parse(&command, argc, argv, &count);
    Err err = {0};
    return run_bench(&request, operands[0], &err) ? EXIT_DONE : command_fail(&command, &err);
}
