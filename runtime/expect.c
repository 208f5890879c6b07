// expect.c - the logits that a network must give.
//
// In: an architecture, weights, images.  Out: logits.  In floating point the naive reference gives
// them, which shares no code with what it is to check.  In int8 every machine gives the same bits,
// and the runtime's own kernels are the definition.
#include "expect.h"

#include "evaluate.h"
#include "kernels.h"
#include "reference.h"

#include <string.h>

static size_t image_floats(const Arch *arch)
{
    return (size_t)arch->channels * (size_t)arch->height * (size_t)arch->width;
}

static bool expect_float(const Arch *arch, const TensorFile *weights, const float *images,
                         int count, float *logits, Err *err)
{
    const size_t n_images = (size_t)count * image_floats(arch),
                 n_logits = (size_t)count * (size_t)arch->classes;
    Pool *pool = pool_new();
    double *in = pool_alloc(pool, n_images * sizeof *in);
    double *out = pool_alloc(pool, n_logits * sizeof *out);
    Reference *reference = reference_open(arch);
    const bool done = reference_load(reference, weights, "weights", err);
    for (size_t i = 0; i < n_images; i++)
        in[i] = (double)images[i];
    if (done)
        reference_infer(reference, in, count, out);
    for (size_t i = 0; done && i < n_logits; i++)
        logits[i] = (float)out[i];
    reference_close(reference);
    pool_free(pool);
    return done;
}

static bool expect_int8(const Arch *arch, const EmitOptions *options, const float *images,
                        int count, float *logits, Err *err)
{
    const NetOptions how = {.threads = 1,
                            .conv = CONV_DIRECT,
                            .batch = count,
                            .plan = true,
                            .weights = options->weights,
                            .ranges = options->ranges};
    const KernelEntry *kernels = kernels_open(err);
    Net *net = kernels ? net_open(arch, &how, kernels, err) : NULL;
    Memory memory = {0};
    NetMemory net_memory;
    const bool done = net && net_memory_open(&net_memory, net, false, &memory, err);
    if (done) {
        nk_call call = net_memory_call(&net_memory, NULL);
        call.images = images;
        call.logits = logits;
        call.count = count;
        net->infer(&call, 0, 1);
    }
    memory_release(&memory);
    net_close(net);
    return done;
}

bool expect_logits(const Arch *arch, const EmitOptions *options, const float *images, int count,
                   float *logits, Err *err)
{
    return options->ranges ? expect_int8(arch, options, images, count, logits, err)
                           : expect_float(arch, options->weights, images, count, logits, err);
}
