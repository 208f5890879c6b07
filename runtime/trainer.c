// trainer.c - training a compiled net.
//
// In: a net's programs, a data set, a recipe.  Out: parameters and running statistics, and one
// result an epoch.  The idea is that a run is a function of (net, data, recipe, first weights)
// alone: whatever is random is drawn from a stream named by seed, epoch, step or position, nothing
// is carried from step to step but the weights and TrainPosition.  So a run that was killed and
// resumed, or ran on another number of threads, ends with the same bits.
//
//     a step, in every thread:   prepare its images | barrier | gradient | barrier | update
//
// Source: SGD with momentum as in PyTorch; cosine annealing: Loshchilov and Hutter 2017, one
// period.
#define _GNU_SOURCE
#include "trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const schedule_name[4] = {"cosine", "step", "constant", NULL};

TrainRecipe recipe_default(void)
{
    return (TrainRecipe){.epochs = 10,
                         .batch = 32,
                         .learning_rate = 0.05,
                         .momentum = 0.9,
                         .weight_decay = 5e-4,
                         .dropout = 0.2};
}

double schedule_rate(Schedule schedule, double learning_rate, int64_t step, int64_t steps)
{
    const double pi = 3.14159265358979323846;
    double share = (double)step / (double)steps;
    switch (schedule) {
    case SCHEDULE_COSINE:
        return learning_rate * 0.5 * (1.0 + cos(pi * share));
    case SCHEDULE_STEP:
        return learning_rate * (share < 0.5 ? 1.0 : share < 0.75 ? 0.1 : 0.01);
    case SCHEDULE_CONSTANT:
        break;
    }
    return learning_rate;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- open and close ----------------------------------------------------------------------------

bool trainer_open(Trainer *trainer, const Net *net, const Dataset *data, const TrainRecipe *recipe,
                  Team *team, Memory *memory, Err *err)
{
    *trainer =
        (Trainer){.net = net, .data = data, .team = team, .recipe = *recipe, .ordered_epoch = -1};
    if (!net_memory_open(&trainer->memory, net, true, memory, err))
        return false;
    dataset_split(data, recipe->val_fraction, recipe->split_seed, &trainer->train,
                  &trainer->n_train, &trainer->val, &trainer->n_val);
    if (trainer->n_train < 1) {
        trainer_close(trainer);
        return err_input(err,
                         "no image is left to train on (%d training images, --val-fraction %g)",
                         data->train.count, recipe->val_fraction);
    }
    trainer->order = xmalloc((size_t)trainer->n_train * sizeof *trainer->order);
    trainer->steps_per_epoch = (trainer->n_train + recipe->batch - 1) / recipe->batch;
    weights_init(net, recipe->seed, trainer->memory.params, trainer->memory.state);
    return true;
}

void trainer_close(Trainer *trainer)
{
    free(trainer->train);
    free(trainer->val);
    free(trainer->order);
    trainer->train = trainer->val = trainer->order = NULL;
}

// ---- one step ----------------------------------------------------------------------------------

typedef struct {
    const Trainer *trainer;
    ImageList list;
    int first;
    nk_call call;
} StepJob;

// Every thread sees the same loss behind the barrier, so all of them update or none does.
static void step_job(void *argument, int part, int parts)
{
    const StepJob *job = argument;
    const Trainer *trainer = job->trainer;
    batch_prepare(&trainer->memory, &job->list, job->first, job->call.count,
                  &trainer->recipe.augment, trainer->recipe.seed, (uint64_t)trainer->at.epoch, part,
                  parts);
    team_barrier(job->call.team);
    trainer->net->gradient(&job->call, part, parts);
    team_barrier(job->call.team);
    if (isfinite(*job->call.loss))
        trainer->net->update(&job->call, part, parts);
}

static void epoch_shuffle(Trainer *trainer)
{
    if (trainer->ordered_epoch == trainer->at.epoch)
        return;
    Random random = random_stream(trainer->recipe.seed, "shuffle", (uint64_t)trainer->at.epoch, 0);
    memcpy(trainer->order, trainer->train, (size_t)trainer->n_train * sizeof *trainer->order);
    random_shuffle(&random, trainer->order, (size_t)trainer->n_train);
    trainer->ordered_epoch = trainer->at.epoch;
}

static int64_t step_number(const Trainer *trainer)
{
    return (int64_t)trainer->at.epoch * trainer->steps_per_epoch + trainer->at.step;
}

static double step_rate(const Trainer *trainer, int64_t step)
{
    int64_t steps = (int64_t)trainer->recipe.epochs * trainer->steps_per_epoch;
    return schedule_rate(trainer->recipe.schedule, trainer->recipe.learning_rate, step, steps);
}

static StepJob step_prepare(Trainer *trainer)
{
    const TrainRecipe *recipe = &trainer->recipe;
    StepJob job = {.trainer = trainer,
                   .list = {trainer->data, &trainer->data->train, trainer->order, trainer->n_train},
                   .first = trainer->at.step * recipe->batch,
                   .call = net_memory_call(&trainer->memory, trainer->team)};
    int left = trainer->n_train - job.first;
    job.call.count = left < recipe->batch ? left : recipe->batch;
    job.call.loss = &trainer->last_loss;
    job.call.learning_rate = (float)step_rate(trainer, step_number(trainer));
    job.call.momentum = (float)recipe->momentum;
    job.call.weight_decay = (float)recipe->weight_decay;
    job.call.label_smoothing = (float)recipe->label_smoothing;
    job.call.dropout = (float)recipe->dropout;
    job.call.seed = recipe->seed;
    job.call.step = (unsigned long long)step_number(trainer);
    return job;
}

static bool diverged(const Trainer *trainer, const char *which, double loss, Err *err)
{
    return err_run(err,
                   "the %sloss is not finite (%g) in epoch %d, step %d of %d: training diverged\n"
                   "  hint: a lower --lr (it is %g)",
                   which, loss, trainer->at.epoch + 1, trainer->at.step, trainer->steps_per_epoch,
                   trainer->recipe.learning_rate);
}

bool trainer_step(Trainer *trainer, Err *err)
{
    double start = seconds_now();
    epoch_shuffle(trainer);
    StepJob job = step_prepare(trainer);
    team_run(trainer->team, step_job, &job);
    double seconds = seconds_now() - start;
    trainer->at.step++;
    trainer->at.batches++;
    trainer->at.loss_sum += (double)trainer->last_loss * job.call.count;
    trainer->at.epoch_seconds += seconds;
    trainer->at.seconds += seconds;
    return isfinite(trainer->last_loss) || diverged(trainer, "", (double)trainer->last_loss, err);
}

// ---- evaluation --------------------------------------------------------------------------------

ImageList trainer_images(const Trainer *trainer, Split split, int limit, uint32_t **indices)
{
    const Dataset *data = trainer->data;
    const uint32_t *from = split == SPLIT_TRAIN ? trainer->train
                           : split == SPLIT_VAL ? trainer->val
                                                : NULL;
    int total = split == SPLIT_TRAIN ? trainer->n_train
                : split == SPLIT_VAL ? trainer->n_val
                                     : data->test.count;
    int count = limit > 0 && limit < total ? limit : total;
    *indices = xmalloc(((size_t)count + 1) * sizeof **indices);
    for (int i = 0; i < count; i++) {
        uint32_t place = (uint32_t)((int64_t)i * total / count);
        (*indices)[i] = from ? from[place] : place;
    }
    return (ImageList){data, split == SPLIT_TEST ? &data->test : &data->train, *indices, count};
}

typedef struct {
    const Trainer *trainer;
    const TrainHooks *hooks;
    TrainAction action;
    Err *err;
} Watch;

static bool watch_tick(void *user, int done)
{
    Watch *watch = user;
    if (watch->hooks->step)
        watch->action = watch->hooks->step(watch->hooks->user, watch->trainer, done, watch->err);
    return watch->action == TRAIN_GO_ON;
}

static TrainAction split_evaluate(Trainer *trainer, Split split, int limit, const TrainHooks *hooks,
                                  Evaluation *out, Err *err)
{
    Watch watch = {trainer, hooks, TRAIN_GO_ON, err};
    uint32_t *indices;
    double start = seconds_now();
    ImageList list = trainer_images(trainer, split, limit, &indices);
    evaluate(&trainer->memory, trainer->team, &list, NULL, watch_tick, &watch, out);
    free(indices);
    trainer->at.seconds += seconds_now() - start;
    if (watch.action == TRAIN_GO_ON && !isfinite(out->loss)) {
        diverged(trainer, split == SPLIT_VAL ? "validation " : "test ", out->loss, err);
        return TRAIN_FAIL;
    }
    return watch.action;
}

static TrainAction epoch_evaluate(Trainer *trainer, const TrainHooks *hooks, Err *err)
{
    Evaluation val = {0}, test = {0};
    TrainAction action = TRAIN_GO_ON;
    bool is_last = trainer->at.epoch + 1 == trainer->recipe.epochs;
    if (trainer->n_val > 0)
        action = split_evaluate(trainer, SPLIT_VAL, 0, hooks, &val, err);
    if (action == TRAIN_GO_ON && (is_last || trainer->n_val == 0))
        action =
            split_evaluate(trainer, SPLIT_TEST, is_last ? 0 : EPOCH_TEST_IMAGES, hooks, &test, err);
    if (action == TRAIN_GO_ON) {
        trainer->at.val = val;
        trainer->at.test = test;
    }
    return action;
}

// ---- the run -----------------------------------------------------------------------------------

// Closes the epoch whose steps and evaluation are done.
static EpochResult epoch_finish(Trainer *trainer)
{
    TrainPosition *at = &trainer->at;
    EpochResult result = {
        .epoch = at->epoch + 1,
        .step = step_number(trainer),
        .learning_rate = step_rate(trainer, step_number(trainer) - 1),
        .loss = at->loss_sum / trainer->n_train,
        .images_per_second = at->epoch_seconds > 0 ? trainer->n_train / at->epoch_seconds : 0,
        .seconds = at->seconds,
        .val = at->val,
        .test = at->test,
    };
    at->epoch++;
    at->step = 0;
    at->loss_sum = at->epoch_seconds = 0;
    return result;
}

static TrainAction epoch_steps(Trainer *trainer, const TrainHooks *hooks, Err *err)
{
    TrainAction action = TRAIN_GO_ON;
    while (action == TRAIN_GO_ON && trainer->at.step < trainer->steps_per_epoch) {
        if (!trainer_step(trainer, err))
            return TRAIN_FAIL;
        if (hooks->step)
            action = hooks->step(hooks->user, trainer, 0, err);
    }
    return action;
}

static TrainAction epoch_run(Trainer *trainer, const TrainHooks *hooks, Err *err)
{
    TrainAction action = epoch_steps(trainer, hooks, err);
    if (action == TRAIN_GO_ON)
        action = epoch_evaluate(trainer, hooks, err);
    if (action != TRAIN_GO_ON)
        return action;
    EpochResult result = epoch_finish(trainer);
    return hooks->epoch ? hooks->epoch(hooks->user, trainer, &result, err) : TRAIN_GO_ON;
}

TrainEnd trainer_run(Trainer *trainer, const TrainHooks *hooks, Err *err)
{
    while (trainer->at.epoch < trainer->recipe.epochs) {
        TrainAction action = epoch_run(trainer, hooks, err);
        if (action == TRAIN_FAIL)
            return TRAIN_FAILED;
        if (action == TRAIN_STOP && trainer->at.epoch < trainer->recipe.epochs)
            return TRAIN_STOPPED;
    }
    return TRAIN_FINISHED;
}

// ---- metrics -----------------------------------------------------------------------------------

static void evaluation_print(const char *split, const Evaluation *evaluation, Text *out)
{
    if (evaluation->count == 0)
        return;
    text_printf(out, ",\"%s_loss\":%.6g,\"%s_accuracy\":%.6g,\"%s_images\":%d", split,
                evaluation->loss, split, evaluation_accuracy(evaluation), split, evaluation->count);
}

void epoch_result_print(const EpochResult *result, Text *out)
{
    text_printf(out, "{\"epoch\":%d,\"step\":%lld,\"lr\":%.6g,\"loss\":%.6g", result->epoch,
                (long long)result->step, result->learning_rate, result->loss);
    evaluation_print("val", &result->val, out);
    evaluation_print("test", &result->test, out);
    text_printf(out, ",\"images_per_second\":%.1f,\"seconds\":%.3f}\n", result->images_per_second,
                result->seconds);
}
