// linear_net.h - a softmax regression written as a Net by hand: what the tests of the trainer and
// of evaluation run, so that they need no compiler.
//
// Like a compiled net it works in parts with barriers, keeps a running statistic (the mean of the
// inputs), and draws on (seed, step), so that a resumed run with a wrong step would show.
#ifndef NAGO_LINEAR_NET_H
#define NAGO_LINEAR_NET_H

#include <math.h>
#include <string.h>

#include "../compiler/nagoc.h"

enum { LINEAR_CHANNELS = 2, LINEAR_SIDE = 8, LINEAR_CLASSES = 4, LINEAR_BATCH = 16 };
enum {
    LINEAR_PIXELS = LINEAR_CHANNELS * LINEAR_SIDE * LINEAR_SIDE,
    LINEAR_WEIGHTS = LINEAR_CLASSES * LINEAR_PIXELS,
    LINEAR_PARAMS = LINEAR_WEIGHTS + LINEAR_CLASSES,
    LINEAR_RUNNING = 2 * LINEAR_PIXELS
};

static const NetTensor linear_params[] = {
    {"fc.weight",
     2,
     {LINEAR_CLASSES, LINEAR_PIXELS},
     0,
     LINEAR_WEIGHTS,
     INIT_UNIFORM_FAN_IN,
     LINEAR_PIXELS},
    {"fc.bias",
     1,
     {LINEAR_CLASSES},
     LINEAR_WEIGHTS,
     LINEAR_CLASSES,
     INIT_UNIFORM_FAN_IN,
     LINEAR_PIXELS},
};
static const NetTensor linear_running[] = {
    {"bn.running_mean", 1, {LINEAR_PIXELS}, 0, LINEAR_PIXELS, INIT_ZERO, 0},
    {"bn.running_var", 1, {LINEAR_PIXELS}, LINEAR_PIXELS, LINEAR_PIXELS, INIT_ONE, 0},
};
static const Arch linear_arch = {.channels = LINEAR_CHANNELS,
                                 .height = LINEAR_SIDE,
                                 .width = LINEAR_SIDE,
                                 .classes = LINEAR_CLASSES,
                                 .name = "linear.json"};

static void linear_logits(const nk_call *call, int image, float *logits)
{
    const float *x = call->images + (size_t)image * LINEAR_PIXELS;
    for (int c = 0; c < LINEAR_CLASSES; c++) {
        float sum = call->params[LINEAR_WEIGHTS + c];
        for (int i = 0; i < LINEAR_PIXELS; i++)
            sum += call->params[c * LINEAR_PIXELS + i] * (x[i] - call->state[i]);
        logits[c] = sum;
    }
}

static void linear_infer(const nk_call *call, int part, int parts)
{
    for (int i = part; i < call->count; i += parts)
        linear_logits(call, i, call->logits + (size_t)i * LINEAR_CLASSES);
}

static double linear_softmax(const float *logits, int label, float *gradient)
{
    double sum = 0, top = -INFINITY;
    for (int c = 0; c < LINEAR_CLASSES; c++)
        top = fmax(top, (double)logits[c]);
    for (int c = 0; c < LINEAR_CLASSES; c++)
        sum += exp((double)logits[c] - top);
    double loss = log(sum) + top - (double)logits[label];
    for (int c = 0; c < LINEAR_CLASSES; c++)
        gradient[c] = (float)(exp((double)logits[c] - top) / sum - (c == label));
    return loss;
}

// The arena holds dlogits [count][classes] and the losses [count].
static void linear_gradient(const nk_call *call, int part, int parts)
{
    float *dlogits = call->arena, *losses = call->arena + LINEAR_BATCH * LINEAR_CLASSES;
    for (int i = part; i < call->count; i += parts) {
        float logits[LINEAR_CLASSES];
        linear_logits(call, i, logits);
        losses[i] =
            (float)linear_softmax(logits, call->labels[i], dlogits + (size_t)i * LINEAR_CLASSES);
    }
    call->barrier(call->team);
    const float noise = 1.0f + 0.01f * (float)((call->seed + call->step) % 7);
    for (int c = part; c < LINEAR_CLASSES; c += parts) {
        float *row = call->grads + (size_t)c * LINEAR_PIXELS;
        memset(row, 0, LINEAR_PIXELS * sizeof *row);
        call->grads[LINEAR_WEIGHTS + c] = 0;
        for (int i = 0; i < call->count; i++) {
            float scale = noise * dlogits[i * LINEAR_CLASSES + c] / (float)call->count;
            call->grads[LINEAR_WEIGHTS + c] += scale;
            for (int k = 0; k < LINEAR_PIXELS; k++)
                row[k] += scale * call->images[(size_t)i * LINEAR_PIXELS + (size_t)k];
        }
    }
    call->barrier(call->team);
    for (int k = part; k < LINEAR_PIXELS; k += parts) {
        float sum = 0;
        for (int i = 0; i < call->count; i++)
            sum += call->images[(size_t)i * LINEAR_PIXELS + (size_t)k];
        call->state[k] += 0.1f * (sum / (float)call->count - call->state[k]);
    }
    if (part == 0) {
        float sum = 0;
        for (int i = 0; i < call->count; i++)
            sum += losses[i];
        *call->loss = sum / (float)call->count;
    }
}

static void linear_update(const nk_call *call, int part, int parts)
{
    float *momentum = call->state + LINEAR_RUNNING;
    for (int i = part; i < LINEAR_PARAMS; i += parts) {
        float g = call->grads[i] + call->weight_decay * call->params[i];
        momentum[i] = call->momentum * momentum[i] + g;
        call->params[i] -= call->learning_rate * momentum[i];
    }
}

static const Net linear_net = {.arch = &linear_arch,
                               .batch = LINEAR_BATCH,
                               .arena_bytes = LINEAR_BATCH * (LINEAR_CLASSES + 1) * 4,
                               .param_count = LINEAR_PARAMS,
                               .running_count = LINEAR_RUNNING,
                               .state_count = LINEAR_RUNNING + LINEAR_PARAMS,
                               .n_params = COUNT_OF(linear_params),
                               .n_running = COUNT_OF(linear_running),
                               .params = linear_params,
                               .running = linear_running,
                               .infer = linear_infer,
                               .gradient = linear_gradient,
                               .update = linear_update};

#endif
