// cmd_bench.c - `nago bench`: the machine's limits, then what a network makes of them: in training,
// or, with --release, as a standalone inference file.
#include "options.h"

#include "../runtime/kernels.h"
#include "../runtime/measure.h"
#include "../runtime/measure_release.h"
#include "../runtime/team.h"

#include <stdio.h>

static const char description[] = "Measures this machine's multiply-add peak and memory bandwidth "
                                  "on one thread, then compiles the network and "
                                  "times whole training steps (forward, backward, update) on "
                                  "random images: the least and the median of many. "
                                  "Floating-point operations are those of the direct algorithm, "
                                  "three times the forward pass, padded taps counted; an "
                                  "algorithm that needs fewer may pass the peak.\n\n"
                                  "With --release, what a user would run is measured instead: "
                                  "the inference file that nagoc writes, compiled by cc -O3 "
                                  "-march=native; with its memory plan, the "
                                  "compiler's time and the size of the object.";

static const char examples[] = "nago bench examples/theta.json\n"
                               "    Batch 32, one thread.\n"
                               "nago bench net.arch.json --threads 2 --json\n"
                               "    One JSON object on stdout.\n"
                               "nago bench net.arch.json --release --target generic\n"
                               "    The inference file without Winograd, one image a call.";

typedef struct {
    const char *weights;
    int batch, threads, jit, target; // batch, target: -1 where not given
    double seconds;
    bool json, release, has_seed;
    uint64_t seed;
} BenchRequest;

static const char *const file_names[] = {"generic", "native", NULL}; // as TargetKind

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

static bool run_training(const BenchRequest *request, const Arch *arch, Err *err)
{
    StepTimes times;
    const double peak = measure_peak_gflops(), bandwidth = measure_bandwidth();
    if (!measure_steps(arch, request->batch, request->threads, (JitKind)request->jit,
                       request->seconds, &times, err))
        return false;
    if (request->json)
        print_json(request, peak, bandwidth, &times);
    else
        print_text(request, arch, peak, bandwidth, &times);
    return true;
}

// ---- inference files ----------------------------------------------------------------------------

static void print_release_text(const ReleaseRequest *request, const Arch *arch, double peak,
                               const ReleaseTimes *t)
{
    Text words = {0};
    const double gap = 100.0 * ((double)t->plan.arena_bytes / (double)t->plan.bound_bytes - 1.0);
    arch_describe(arch, &words);
    printf("%s\n\n", words.data);
    text_free(&words);
    printf("machine        %10.1f GFLOP/s peak (%s, one thread)\n", peak, kernels_isa());
    printf("compiler       %10.1f s, cc -O3 -march=native, object %.2f MB\n", t->build.seconds,
           1e-6 * (double)t->build.object_bytes);
    printf("inference      %10.4f ms (median %.4f), --target %s, batch %d, %d thread%s: %.0f "
           "images/s\n",
           t->infer_ms, t->median_ms, target_names[request->target], request->batch,
           request->threads, request->threads > 1 ? "s" : "", 1e3 * request->batch / t->infer_ms);
    printf("               %10.1f GFLOP/s, %.0f %% of the peak\n", t->gflops,
           100.0 * t->gflops / peak);
    printf("arena          %10lld bytes, lower bound %lld (+%.2f %%), planned in %.1f ms\n",
           (long long)t->plan.arena_bytes, (long long)t->plan.bound_bytes, gap, t->plan.ms);
}

static void print_release_json(const ReleaseRequest *request, double peak, const ReleaseTimes *t)
{
    printf("{\"isa\": \"%s\", \"target\": \"%s\", \"batch\": %d, \"threads\": %d, "
           "\"peak_gflops\": %.2f, \"infer_ms\": %.5f, \"infer_median_ms\": %.5f, "
           "\"infer_gflops\": %.2f, \"macs\": %lld, \"arena_bytes\": %lld, "
           "\"arena_lower_bound_bytes\": %lld, \"plan_ms\": %.3f, \"cc_seconds\": %.3f, "
           "\"object_bytes\": %lld}\n",
           kernels_isa(), target_names[request->target], request->batch, request->threads, peak,
           t->infer_ms, t->median_ms, t->gflops, (long long)t->plan.macs,
           (long long)t->plan.arena_bytes, (long long)t->plan.bound_bytes, t->plan.ms,
           t->build.seconds, (long long)t->build.object_bytes);
}

static bool run_release(const BenchRequest *request, const Arch *arch, Pool *pool, Err *err)
{
    TensorFile weights;
    ReleaseTimes times;
    const ReleaseRequest release = {
        .target = (TargetKind)request->target,
        .batch = request->batch,
        .threads = request->threads,
        .weights = request->weights ? &weights : NULL,
        .seed = request->seed,
        .seconds = request->seconds,
    };
    if (request->weights && !tensors_read(request->weights, &weights, pool, err))
        return false;
    const double peak = measure_peak_gflops();
    if (!measure_release(arch, &release, &times, err))
        return false;
    if (request->json)
        print_release_json(&release, peak, &times);
    else
        print_release_text(&release, arch, peak, &times);
    return true;
}

static bool run_bench(const BenchRequest *request, const char *path, Err *err)
{
    Pool *pool = pool_new();
    Arch arch;
    const bool done = arch_load(path, request->has_seed, request->seed, &arch, pool, err) &&
                      (request->release ? run_release(request, &arch, pool, err)
                                        : run_training(request, &arch, err));
    pool_free(pool);
    return done;
}

// What goes with --release alone, what without it alone; then the defaults that differ.
static void settle(const Command *command, BenchRequest *request)
{
    if (!request->release && request->weights)
        command_usage(command, "--weights: goes with --release");
    if (!request->release && request->target >= 0)
        command_usage(command, "--target: goes with --release");
    if (request->release && request->threads > 64)
        command_usage(command, "--threads: an inference file runs on 64 at the most");
    if (request->batch < 0)
        request->batch = request->release ? 1 : 32;
    if (request->target < 0)
        request->target = TARGET_NATIVE;
}

int cmd_bench(int argc, char **argv)
{
    static const char *const jits[] = {"tcc", "gcc", NULL}; // as JitKind
    BenchRequest request = {.batch = -1, .threads = 1, .target = -1, .seconds = 2.0};
    const Option options[] = {
        OPTION_INT("batch", 'b', "N", &request.batch, 1, 4096,
                   "images of one step (32), of one call with --release (1)"),
        OPTION_INT("threads", 't', "N", &request.threads, 1, 256, "threads"),
        OPTION_CHOICE("jit", 0, NULL, &request.jit, jits,
                      "compiler of the program around the kernels"),
        OPTION_FLAG("release", 0, &request.release, "measure the standalone inference file"),
        OPTION_CHOICE("target", 0, "generic|native", &request.target, file_names,
                      "what that file is made for (native)"),
        OPTION_STRING("weights", 'w', "FILE", &request.weights,
                      "its weights; without, those that net_init draws"),
        OPTION_SEED("seed", 's', "N", &request.seed, &request.has_seed,
                    "of the network that a theta.json asks for, and of its weights"),
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
    settle(&command, &request);
    Err err = {0};
    return run_bench(&request, operands[0], &err) ? EXIT_DONE : command_fail(&command, &err);
}
