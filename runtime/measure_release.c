// measure_release.c - a standalone inference file under the clock.
//
// In: an architecture, weights or a seed for them.  Out: what the memory plan, the C compiler and a
// call cost.  The file is made and built as a user would: nagoc, cc -O3 -march=native.  The machine
// is shared and noisy, so the least of many calls is what is reported.
#include "measure_release.h"

#include "measure.h"

#include <stdlib.h>
#include <string.h>

typedef void InferFunction(const float *images, float *logits);

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// Calls until the seconds are over, at least five.
static void time_calls(InferFunction *infer, const float *images, float *logits, double seconds,
                       ReleaseTimes *out)
{
    enum { MOST = 100000 };
    double *ms = xcalloc(MOST, sizeof *ms);
    int n = 0;
    const double begin = measure_now();
    infer(images, logits);
    out->first_ms = 1e3 * (measure_now() - begin);
    while (n < 5 || (n < MOST && measure_now() - begin < seconds)) {
        const double start = measure_now();
        infer(images, logits);
        ms[n++] = 1e3 * (measure_now() - start);
    }
    qsort(ms, (size_t)n, sizeof *ms, by_value);
    out->infer_ms = ms[0];
    out->median_ms = ms[n / 2];
    free(ms);
}

static void time_file(const Jit *file, const Arch *arch, const ReleaseRequest *request,
                      ReleaseTimes *out)
{
    const size_t pixels = (size_t)request->batch * (size_t)arch->channels * (size_t)arch->height *
                          (size_t)arch->width;
    float *images = xcalloc(pixels, sizeof *images);
    float *logits = xcalloc((size_t)(request->batch * arch->classes), sizeof *logits);
    Random random = random_stream(0, "bench release", 0, 0);
    for (size_t i = 0; i < pixels; i++)
        images[i] = (float)(2.0 * random_unit(&random) - 1.0);
    void *const address = jit_symbol(file, "net_infer");
    InferFunction *infer;
    if (!address)
        bug("the file has no net_infer");
    memcpy(&infer, &address, sizeof infer);
    time_calls(infer, images, logits, request->seconds, out);
    out->gflops = 2e-6 * (double)out->plan.macs * request->batch / out->infer_ms;
    free(images);
    free(logits);
}

// Before the file is unloaded: its threads are still about.
static void stop_threads(const Jit *file)
{
    void *const address = jit_symbol(file, "net_stop_threads");
    void (*stop)(void);
    memcpy(&stop, &address, sizeof stop);
    if (stop)
        stop();
}

bool measure_release(const Arch *arch, const ReleaseRequest *request, ReleaseTimes *out, Err *err)
{
    Pool *pool = pool_new();
    Text weights = {0}, text = {0};
    TensorFile initial;
    EmitOptions options = emit_defaults;
    options.target = request->target;
    options.batch = request->batch;
    options.threads = request->threads;
    options.weights = request->weights;
    *out = (ReleaseTimes){0};
    bool done = true;
    if (!options.weights) {
        done = emit_weights(arch, request->seed, &weights, err) &&
               tensors_parse("initial weights", weights.data, weights.length, &initial, pool, err);
        options.weights = &initial;
    }
    done = done && emit_plan_figures(arch, &options, &out->plan, err) &&
           emit_c(arch, &options, &text, NULL, err);
    Jit *file = done ? jit_open_release(text.data, &out->build, err) : NULL;
    if (file) {
        time_file(file, arch, request, out);
        stop_threads(file);
    }
    jit_close(file);
    text_free(&weights);
    text_free(&text);
    pool_free(pool);
    return file != NULL;
}
