// trial.c - one network evaluated.
//
//     point -> theta -> arch (up to 20 draws) -> net -> epochs -> validation -> values
//
// A trial that continues another takes its network and its checkpoint, so that the two together do
// what one long run would have done, bit for bit; where the checkpoint is gone, the epochs are
// trained again, to the same end.  What goes wrong is a result: it is recorded, and the search goes
// on.
#define _GNU_SOURCE
#include "trial.h"

#include "../runtime/checkpoint.h"
#include "../runtime/kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double checkpoint_interval = 60; // seconds

// Everything that one trial holds.
typedef struct {
    const TrialJob *job;
    const Dataset *data;
    StudyTrial *result;
    Pool *pool;
    Arch arch;
    const char *arch_text;
    Measures measures;
    Net *net;
    Team *team;
    Memory memory;
    Trainer trainer;
    int first, target; // epochs behind it at the start, and at its end
    double started, saved;
    bool is_stopped, is_late, is_broken;
} Run;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

const char *trial_checkpoint(const char *folder, int64_t id, Pool *pool)
{
    return pool_printf(pool, "%s/%lld.safetensors", folder, (long long)id);
}

int64_t trial_root(const StudyTrial *trials, int count, const StudyTrial *trial)
{
    while (trial->parent >= 0 && trial->parent < count)
        trial = &trials[trial->parent];
    return trial->id;
}

// ---- the end -----------------------------------------------------------------------------------

// The first line of a message, without the name of a text that nobody has as a file.
static TrialEnd trial_failed(Run *run, const Err *err)
{
    const char *message = err->message, *colon = strstr(message, "error: ");
    if (strncmp(message, "theta:", 6) == 0 && colon)
        message = colon + strlen("error: ");
    run->result->state = STUDY_FAILED;
    run->result->error = pool_printf(run->pool, "%.*s", (int)strcspn(message, "\n"), message);
    return TRIAL_ENDED;
}

static TrialEnd trial_values(Run *run, int images)
{
    const StudyPlan *plan = run->job->plan;
    StudyTrial *result = run->result;
    Text text = {0};
    result->violation = measures_violation(&run->measures, plan->constraints, plan->n_constraints);
    result->state = result->violation > 0 ? STUDY_INFEASIBLE : STUDY_FINISHED;
    bool is_known = true; // an infeasible one was not trained
    for (int i = 0; i < plan->search.n_objectives; i++) {
        result->values[i] = run->measures.of[plan->objectives[i]];
        is_known = is_known && isfinite(result->values[i]);
    }
    result->n_values = is_known ? plan->search.n_objectives : 0;
    measures_print(&run->measures, images, &text);
    result->measures = pool_strdup(run->pool, text.data);
    text_free(&text);
    return TRIAL_ENDED;
}

// ---- the network -------------------------------------------------------------------------------

static bool network_measure(Run *run, const Arch *arch, Measures *measures, Err *err)
{
    const TrialJob *job = run->job;
    *measures = measures_none();
    if (!objective_measure(arch, &job->plan->deployment, measures, err))
        return false;
    return !plan_uses(job->plan, OBJECTIVE_LATENCY) ||
           measure_latency(arch, job->jit, &job->times, &measures->of[OBJECTIVE_LATENCY], err);
}

// The network of the parent: theta.json holds the seed that it was drawn with.
static bool network_recall(Run *run, Err *err)
{
    const char *text = run->job->parent->theta;
    Theta theta;
    run->result->theta = text;
    run->result->draws = run->job->parent->draws;
    return theta_parse("theta", text, strlen(text), &theta, run->pool, err) &&
           arch_sample(&theta, &run->arch, run->pool, err) &&
           network_measure(run, &run->arch, &run->measures, err);
}

// Draws until the constraints that can be known now hold; else keeps the draw that breaks them
// least.  False: not one could be drawn; the last message says why.
static bool network_draw(Run *run, double *violation, Err *err)
{
    const StudyPlan *plan = run->job->plan;
    Err last = {0};
    *violation = INFINITY;
    for (int draw = 0; draw<PLAN_DRAWS && * violation> 0; draw++) {
        Arch arch;
        const char *theta;
        Measures measures;
        Err why = {0};
        run->result->draws = draw + 1;
        if (!plan_network(plan, run->data, run->job->trial->x, run->job->root, draw, &arch, &theta,
                          run->pool, &why) ||
            !network_measure(run, &arch, &measures, &why)) {
            last = why;
            continue;
        }
        double now = measures_violation(&measures, plan->constraints, plan->n_constraints);
        if (now >= *violation)
            continue;
        *violation = now;
        run->arch = arch;
        run->measures = measures;
        run->result->theta = theta;
    }
    if (isfinite(*violation))
        return true;
    *err = last;
    return false;
}

// ---- training ----------------------------------------------------------------------------------

static TrainRecipe trial_recipe(const TrialJob *job)
{
    TrainRecipe recipe = job->plan->recipe;
    const Space *space = job->plan->space;
    const double *x = job->trial->x;
    Random random = random_stream(job->plan->search.seed, "training", (uint64_t)job->root, 0);
    recipe.epochs = plan_schedule_epochs(job->plan, job->trial->budget);
    recipe.seed = random_u64(&random) >> 11;
    recipe.split_seed = job->plan->search.seed;
    space_number(space, x, "train.lr", &recipe.learning_rate);
    space_number(space, x, "train.weight_decay", &recipe.weight_decay);
    space_number(space, x, "train.momentum", &recipe.momentum);
    space_number(space, x, "train.label_smoothing", &recipe.label_smoothing);
    space_number(space, x, "train.dropout", &recipe.dropout);
    return recipe;
}

static bool net_compile(Run *run, Err *err)
{
    const TrainRecipe recipe = trial_recipe(run->job);
    Text text = {0};
    arch_print(&run->arch, &text);
    run->arch_text = pool_strdup(run->pool, text.data);
    text_free(&text);
    NetOptions options = {.batch = recipe.batch,
                          .plan = true,
                          .jit = run->job->jit,
                          .threads = 1,
                          .conv = kernels_conv()};
    run->net = net_open(&run->arch, &options, kernels_table(), err);
    run->team = run->net ? team_open(1, err) : NULL;
    return run->team &&
           trainer_open(&run->trainer, run->net, run->data, &recipe, run->team, &run->memory, err);
}

static bool recipe_equal(const TrainRecipe *a, const TrainRecipe *b)
{
    return a->epochs == b->epochs && a->batch == b->batch && a->seed == b->seed &&
           a->split_seed == b->split_seed && a->learning_rate == b->learning_rate &&
           a->weight_decay == b->weight_decay && a->schedule == b->schedule;
}

// Goes on from the checkpoint of a trial, if there is a fitting one.
static bool checkpoint_take(Run *run, int64_t id)
{
    if (!run->job->folder || id < 0)
        return false;
    TensorFile file;
    Checkpoint stored;
    Err err = {0};
    const char *path = trial_checkpoint(run->job->folder, id, run->pool);
    return access(path, R_OK) == 0 && checkpoint_read(path, &file, &stored, run->pool, &err) &&
           strcmp(stored.arch, run->arch_text) == 0 && stored.at.epoch <= run->target &&
           recipe_equal(&stored.recipe, &run->trainer.recipe) &&
           checkpoint_restore(path, &file, &stored, &run->trainer, &err);
}

static bool checkpoint_save(Run *run, Err *err)
{
    const TrialJob *job = run->job;
    run->saved = seconds_now();
    if (!job->folder || checkpoint_write(trial_checkpoint(job->folder, job->trial->id, run->pool),
                                         &run->trainer, job->plan->data, run->arch_text, 0, err))
        return true;
    run->is_broken = true;
    return false;
}

static TrainAction on_step(void *user, const Trainer *trainer, int evaluated, Err *err)
{
    Run *run = user;
    const TrainPosition *at = &trainer->at;
    double now = seconds_now(), span = run->target - run->first;
    double share = (at->epoch - run->first + (double)at->step / trainer->steps_per_epoch) / span;
    char words[96];
    snprintf(words, sizeof words, "epoch %d/%d%s  loss %.3f", at->epoch + 1, run->target,
             evaluated ? " (validation)" : "", (double)trainer->last_loss);
    if (!run->job->tell(run->job->user, share, words)) {
        run->is_stopped = true;
        return TRAIN_STOP;
    }
    run->is_late = run->job->time_limit > 0 && now - run->started > run->job->time_limit;
    if (run->is_late)
        return TRAIN_STOP;
    if (now - run->saved > checkpoint_interval && !checkpoint_save(run, err))
        return TRAIN_FAIL;
    return TRAIN_GO_ON;
}

static TrainAction on_epoch(void *user, const Trainer *trainer, const EpochResult *result, Err *err)
{
    Run *run = user;
    (void)result;
    if (trainer->at.epoch >= run->target)
        return checkpoint_save(run, err) ? TRAIN_STOP : TRAIN_FAIL;
    return TRAIN_GO_ON;
}

// The validation images once more, classified as the deployed file would.
static bool int8_evaluate(Run *run, Evaluation *val, Err *err)
{
    const Trainer *trainer = &run->trainer;
    const NetMemory *memory = &trainer->memory;
    const ImageList train = {run->data, &run->data->train, trainer->train, trainer->n_train},
                    held_out = {run->data, &run->data->train, trainer->val, trainer->n_val};
    TensorFile file;
    Ranges ranges;
    Text bytes = {0};
    int count;
    const WeightsEntry *entries =
        weights_entries(run->net, memory->params, memory->state, NULL, &count, run->pool);
    weights_file(entries, count, &trainer->at.batches, NULL, &file, run->pool);
    tensors_print(&file, &bytes);
    const bool done =
        tensors_parse("weights", bytes.data, bytes.length, &file, run->pool, err) &&
        deployed_calibrate(&run->arch, "weights", &file, &train, &ranges, run->pool, err) &&
        deployed_evaluate(&run->arch, &file, &ranges, run->job->jit, &held_out, val, err);
    text_free(&bytes);
    return done;
}

static TrialEnd training_end(Run *run, TrainEnd end, Err *err)
{
    const TrainPosition *at = &run->trainer.at;
    if (end == TRAIN_FAILED && run->is_broken)
        return TRIAL_BROKEN;
    if (end == TRAIN_FAILED)
        return trial_failed(run, err);
    if (run->is_late && at->epoch < run->target) {
        err_run(err, "the time limit of %g s has passed in epoch %d of %d", run->job->time_limit,
                at->epoch + 1, run->target);
        return trial_failed(run, err);
    }
    if (at->epoch < run->target)
        return checkpoint_save(run, err) ? TRIAL_STOPPED : TRIAL_BROKEN;
    Evaluation val = at->val;
    if (run->job->plan->deployment.int8 && !int8_evaluate(run, &val, err))
        return trial_failed(run, err);
    run->measures.of[OBJECTIVE_ERROR] = 1 - evaluation_accuracy(&val);
    run->measures.of[OBJECTIVE_LOG_LOSS] = val.loss;
    run->measures.of[OBJECTIVE_TRAIN_TIME] = at->seconds;
    return trial_values(run, val.count);
}

static TrialEnd network_train(Run *run, Err *err)
{
    const TrialJob *job = run->job;
    const TrainHooks hooks = {on_step, on_epoch, run};
    run->target = plan_epochs(job->plan, job->trial->budget);
    if (!net_compile(run, err))
        return trial_failed(run, err);
    if (!checkpoint_take(run, job->trial->id) && !job->plan->restarts)
        checkpoint_take(run, job->trial->parent);
    run->first = run->trainer.at.epoch < run->target ? run->trainer.at.epoch : run->target - 1;
    run->saved = seconds_now();
    TrainEnd end = run->trainer.at.epoch < run->target ? trainer_run(&run->trainer, &hooks, err)
                                                       : TRAIN_STOPPED;
    return training_end(run, end, err);
}

static void run_close(Run *run)
{
    trainer_close(&run->trainer);
    team_close(run->team);
    if (run->net)
        net_close(run->net);
    memory_release(&run->memory);
}

TrialEnd trial_network(const TrialJob *job, const Dataset *data, StudyTrial *result, Pool *pool,
                       Err *err)
{
    Run run = {.job = job, .data = data, .result = result, .pool = pool, .started = seconds_now()};
    double violation = 0;
    *result = (StudyTrial){.id = job->trial->id, .parent = job->trial->parent};
    bool has_parent = job->parent && job->parent->theta;
    bool ok = has_parent ? network_recall(&run, err) : network_draw(&run, &violation, err);
    TrialEnd end;
    if (!ok)
        end = trial_failed(&run, err);
    else if (violation > 0 || !plan_trains(job->plan))
        end = trial_values(&run, 0);
    else
        end = network_train(&run, err);
    run_close(&run);
    return end;
}
