// evaluate.c - a net with its memory and a team: batches of images in, predictions out.
//
// In: a compiled net, its parameters and a list of images.  Out: how many it gets right, the mean
// cross entropy, each prediction.  A batch is one run of the team: the threads share out the images
// to prepare (each image has a random stream of its own, so who prepares it does not matter), meet
// in a barrier, and run the net's program.  The little that is left is done in double by the
// caller.
#include "evaluate.h"

#include <math.h>
#include <string.h>

// ---- memory ------------------------------------------------------------------------------------

static size_t floats_bytes(int64_t count)
{
    return (size_t)count * sizeof(float);
}

bool net_memory_open(NetMemory *out, const Net *net, bool is_training, Memory *memory, Err *err)
{
    const Arch *arch = net->arch;
    int64_t pixels = (int64_t)arch->channels * arch->height * arch->width;
    const size_t want[] = {
        (size_t)net->arena_bytes,
        floats_bytes(net->param_count),
        floats_bytes(is_training ? net->state_count : net->running_count),
        is_training ? floats_bytes(net->param_count) : 0,
        floats_bytes(net->batch * pixels),
        floats_bytes((int64_t)net->batch * arch->classes),
        (size_t)net->batch * sizeof(int),
    };
    void *piece[COUNT_OF(want)];
    size_t bytes = 0;
    for (size_t i = 0; i < COUNT_OF(want); i++)
        bytes += memory_round(want[i]);
    if (!memory_reserve(memory, bytes, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(want); i++)
        piece[i] = memory_take(memory, want[i]);
    *out = (NetMemory){.net = net,
                       .arena = piece[0],
                       .params = piece[1],
                       .state = piece[2],
                       .grads = is_training ? piece[3] : NULL,
                       .images = piece[4],
                       .logits = piece[5],
                       .labels = piece[6],
                       .bytes = bytes};
    memset(out->params, 0, want[1]);
    memset(out->state, 0, want[2]);
    return true;
}

nk_call net_memory_call(const NetMemory *memory, Team *team)
{
    return (nk_call){.arena = memory->arena,
                     .params = memory->params,
                     .grads = memory->grads,
                     .state = memory->state,
                     .images = memory->images,
                     .labels = memory->labels,
                     .logits = memory->logits,
                     .barrier = team_barrier,
                     .team = team};
}

// ---- batches -----------------------------------------------------------------------------------

void batch_prepare(const NetMemory *memory, const ImageList *list, int first, int count,
                   const Augment *augment, uint64_t seed, uint64_t epoch, int part, int parts)
{
    const Dataset *data = list->data;
    static const Augment none = {0};
    size_t pixels = (size_t)data->channels * (size_t)data->height * (size_t)data->width;
    for (int i = part; i < count; i += parts) {
        uint32_t position = (uint32_t)(first + i);
        uint32_t index = list->indices ? list->indices[position] : position;
        dataset_image(data, list->images, index, augment ? augment : &none, seed, epoch, position,
                      memory->images + (size_t)i * pixels);
        memory->labels[i] = list->images->labels[index];
    }
}

typedef struct {
    const NetMemory *memory;
    const ImageList *list;
    int first;
    nk_call call;
} InferJob;

static void infer_job(void *argument, int part, int parts)
{
    const InferJob *job = argument;
    batch_prepare(job->memory, job->list, job->first, job->call.count, NULL, 0, 0, part, parts);
    team_barrier(job->call.team);
    job->memory->net->infer(&job->call, part, parts);
}

static int largest(const float *logits, int classes)
{
    int best = 0;
    for (int i = 1; i < classes; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static double cross_entropy(const float *logits, int classes, int label)
{
    double top = logits[largest(logits, classes)], sum = 0;
    for (int i = 0; i < classes; i++)
        sum += exp(logits[i] - top);
    return log(sum) + top - logits[label];
}

double evaluation_accuracy(const Evaluation *evaluation)
{
    return evaluation->count ? (double)evaluation->correct / evaluation->count : 0.0;
}

bool evaluate(const NetMemory *memory, Team *team, const ImageList *list, int *predictions,
              bool (*tick)(void *user, int done), void *user, Evaluation *out)
{
    const int batch = memory->net->batch, classes = memory->net->arch->classes;
    InferJob job = {memory, list, 0, net_memory_call(memory, team)};
    double loss = 0;
    *out = (Evaluation){0};
    bool goes_on = true;
    while (out->count < list->count && goes_on) {
        job.first = out->count;
        job.call.count = list->count - job.first < batch ? list->count - job.first : batch;
        team_run(team, infer_job, &job);
        for (int i = 0; i < job.call.count; i++) {
            const float *logits = memory->logits + (size_t)i * (size_t)classes;
            int guess = largest(logits, classes);
            out->correct += guess == memory->labels[i];
            loss += cross_entropy(logits, classes, memory->labels[i]);
            if (predictions)
                predictions[job.first + i] = guess;
        }
        out->count += job.call.count;
        goes_on = !tick || tick(user, out->count);
    }
    out->loss = out->count ? loss / out->count : 0;
    return out->count == list->count;
}

// ---- do they fit -------------------------------------------------------------------------------

bool dataset_fits(const Dataset *data, const char *spec, const Arch *arch, const char *arch_path,
                  Err *err)
{
    bool shape_fits = data->channels == arch->channels && data->height == arch->height &&
                      data->width == arch->width;
    if (!shape_fits)
        return err_input(
            err,
            "%s: error: the net takes images of %dx%dx%d (channels, height, width), --data %s "
            "has %dx%dx%d\n  hint: in theta.json, \"input\": {\"channels\": %d, "
            "\"height\": %d, \"width\": %d}",
            arch_path, arch->channels, arch->height, arch->width, spec, data->channels,
            data->height, data->width, data->channels, data->height, data->width);
    if (data->classes != arch->classes)
        return err_input(err,
                         "%s: error: the net has %d classes, --data %s has %d\n"
                         "  hint: in theta.json, \"classes\": %d%s",
                         arch_path, arch->classes, spec, data->classes, data->classes,
                         strcmp(data->kind, "shapes") ? "" : "; or --data shapes:classes=N");
    return true;
}
