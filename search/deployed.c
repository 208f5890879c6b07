// deployed.c - int8 for a search: ranges of a network that was just trained, and how many images
// it classifies rightly in integers.
//
// In: an architecture, its weights, images.  Out: what `nago calibrate` and `nago eval --quantize
// int8` would say.
#include "deployed.h"

#include "../runtime/calibrate.h"
#include "../runtime/kernels.h"

#include <stdlib.h>
#include <string.h>

const char *const quantize_name[3] = {"none", "int8", NULL};

EmitOptions deployed_options(const Deployment *deployment)
{
    EmitOptions options = emit_defaults;
    options.target = deployment->target;
    options.ranges = deployment->int8 ? &ranges_any : NULL;
    return options;
}

// ---- calibration -------------------------------------------------------------------------------

typedef struct {
    const ImageList *list;
    uint32_t *order; // a shuffle of the list
} Source;

static void fetch(void *user, int first, int count, float *images)
{
    const Source *source = user;
    const ImageList *list = source->list;
    const Dataset *data = list->data;
    const size_t pixels = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    for (int i = 0; i < count; i++) {
        const uint32_t at = source->order[first + i];
        dataset_image(data, list->images, list->indices ? list->indices[at] : at, NULL, 0, 0, 0,
                      images + (size_t)i * pixels);
    }
}

bool deployed_calibrate(const Arch *arch, const char *path, const TensorFile *weights,
                        const ImageList *train, Ranges *ranges, Pool *pool, Err *err)
{
    const size_t n = (size_t)train->count;
    Source source = {train, xmalloc((n + 1) * sizeof *source.order)};
    Random random = random_stream(0, "calibrate", 0, 0);
    for (size_t i = 0; i < n; i++)
        source.order[i] = (uint32_t)i;
    random_shuffle(&random, source.order, n);
    const Calibration calibration = {.method = CALIBRATE_MSE,
                                     .fetch = fetch,
                                     .user = &source,
                                     .images =
                                         n < DEPLOYED_CALIBRATION ? (int)n : DEPLOYED_CALIBRATION};
    const bool done = calibrate(arch, path, weights, &calibration, ranges, pool, err);
    free(source.order);
    return done;
}

// ---- evaluation --------------------------------------------------------------------------------

bool deployed_evaluate(const Arch *arch, const TensorFile *weights, const Ranges *ranges,
                       JitKind jit, const ImageList *list, Evaluation *out, Err *err)
{
    const NetOptions options = {.threads = 1,
                                .conv = kernels_conv(),
                                .batch = 32,
                                .plan = true,
                                .jit = jit,
                                .weights = weights,
                                .ranges = ranges};
    Memory memory = {0};
    NetMemory net_memory;
    Net *net = net_open(arch, &options, kernels_table(), err);
    Team *team = net ? team_open(1, err) : NULL;
    const bool done = team && net_memory_open(&net_memory, net, false, &memory, err);
    if (done)
        evaluate(&net_memory, team, list, NULL, NULL, NULL, out);
    memory_release(&memory);
    team_close(team);
    net_close(net);
    return done;
}
