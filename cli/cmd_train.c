// cmd_train.c - `nago train`: an architecture and images come in, a folder with a trained net goes
// out.
//
//     theta.json | arch.json -> Arch -> Net (compiled) -> trainer -> DIR/weights.safetensors, net.c
//     DIR/checkpoint.safetensors -------------------------^   (--resume)
//
// The trainer (runtime/trainer.c) does the work; here are options, files, talk and signals.  The
// run's own Arch is always read back from its printed form, so that a resumed run and an unbroken
// one write the same net.c.
#define _GNU_SOURCE
#include "../compiler/emit.h"
#include "../runtime/checkpoint.h"
#include "../runtime/kernels.h"
#include "options.h"
#include "progress.h"
#include "run_folder.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const augment_names[] = {"none", "standard", NULL};
static const char *const jit_names[] = {"tcc", "gcc", NULL};

typedef struct {
    const char *input, *data, *init, *out, *resume;
    TrainRecipe recipe;
    int schedule, augment, jit, threads;
    double time_limit, checkpoint_every; // seconds; time_limit 0: none
} Request;

// Everything that one run holds.
typedef struct {
    const Request *request;
    Pool *pool;
    TrainRecipe recipe;
    const char *data_spec, *arch_text, *checkpoint_path;
    Arch arch;
    Dataset *data;
    Net *net;
    Team *team;
    Memory memory;
    Trainer trainer;
    RunFolder folder;
    TensorFile stored; // the checkpoint resumed from
    Checkpoint checkpoint;
    Progress progress;
    double started, saved; // monotonic seconds: of the command, of the last checkpoint
    bool is_out_of_time;
} Run;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- signals -----------------------------------------------------------------------------------

static volatile sig_atomic_t interrupts;

// The first asks for a clean end, the second ends at once.
static void interrupt(int number)
{
    if (interrupts++ > 0)
        _exit(128 + number);
}

static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

// ---- hooks -------------------------------------------------------------------------------------

static bool run_save(Run *run, const Trainer *trainer, Err *err)
{
    run->saved = seconds_now();
    return checkpoint_write(run->checkpoint_path, trainer, run->data_spec, run->arch_text,
                            run->folder.metrics_bytes, err);
}

static const char *split_name(const Trainer *trainer)
{
    return trainer->n_val > 0 ? "val" : "test";
}

static void progress_show(Run *run, const Trainer *trainer, int evaluated)
{
    const TrainPosition *at = &trainer->at;
    const Evaluation *last = trainer->n_val > 0 ? &at->val : &at->test;
    int64_t seen = (int64_t)at->step * trainer->recipe.batch;
    if (seen > trainer->n_train)
        seen = trainer->n_train;
    char accuracy[64] = "", evaluating[64] = "";
    if (last->count)
        snprintf(accuracy, sizeof accuracy, "  %s accuracy %.1f %%", split_name(trainer),
                 100 * evaluation_accuracy(last));
    if (evaluated)
        snprintf(evaluating, sizeof evaluating, "  evaluating: %d", evaluated);
    progress_update(&run->progress, (int64_t)at->epoch * trainer->n_train + seen,
                    "epoch %d/%d  loss %.3f%s%s", at->epoch + 1, trainer->recipe.epochs,
                    seen ? at->loss_sum / (double)seen : 0.0, accuracy, evaluating);
}

static TrainAction on_step(void *user, const Trainer *trainer, int evaluated, Err *err)
{
    Run *run = user;
    double now = seconds_now(), limit = run->request->time_limit;
    progress_show(run, trainer, evaluated);
    run->is_out_of_time = limit > 0 && now - run->started >= limit;
    if (interrupts > 0 || run->is_out_of_time)
        return TRAIN_STOP;
    if (now - run->saved >= run->request->checkpoint_every && !run_save(run, trainer, err))
        return TRAIN_FAIL;
    return TRAIN_GO_ON;
}

static void evaluation_words(const char *split, const Evaluation *evaluation, Text *out)
{
    if (evaluation->count)
        text_printf(out, "  %s accuracy %.2f %% (%d images, loss %.4f)", split,
                    100 * evaluation_accuracy(evaluation), evaluation->count, evaluation->loss);
}

static TrainAction on_epoch(void *user, const Trainer *trainer, const EpochResult *result, Err *err)
{
    Run *run = user;
    Text line = {0}, words = {0};
    epoch_result_print(result, &line);
    evaluation_words("val", &result->val, &words);
    evaluation_words("test", &result->test, &words);
    progress_line(&run->progress, "epoch %d/%d  loss %.4f%s  %.0f images/s", result->epoch,
                  trainer->recipe.epochs, result->loss, words.data ? words.data : "",
                  result->images_per_second);
    bool ok = run_metrics_add(&run->folder, &line, err) && run_save(run, trainer, err);
    text_free(&line);
    text_free(&words);
    return ok ? TRAIN_GO_ON : TRAIN_FAIL;
}

// ---- start -------------------------------------------------------------------------------------

// A new run: the architecture from the operand, the recipe from the options.
static bool run_begin(Run *run, Err *err)
{
    Arch arch;
    Text text = {0};
    if (!arch_load(run->request->input, false, 0, &arch, run->pool, err))
        return false;
    arch_print(&arch, &text);
    run->arch_text = pool_strdup(run->pool, text.data);
    text_free(&text);
    run->recipe = run->request->recipe;
    run->data_spec = run->request->data;
    return true;
}

// A run to continue: all of that from its checkpoint.
static bool run_recall(Run *run, Err *err)
{
    const char *folder = run->request->resume;
    if (access(folder, F_OK) != 0)
        return err_input(err, "--resume %s: there is no such folder", folder);
    if (access(run->checkpoint_path, F_OK) != 0)
        return err_input(err, "--resume %s: holds no %s, so it is no run of nago train", folder,
                         RUN_CHECKPOINT);
    if (!run_folder_open(&run->folder, folder, err) ||
        !checkpoint_read(run->checkpoint_path, &run->stored, &run->checkpoint, run->pool, err))
        return false;
    run->recipe = run->checkpoint.recipe;
    run->data_spec = run->request->data ? run->request->data : run->checkpoint.data;
    run->arch_text = run->checkpoint.arch;
    return true;
}

static bool run_compile(Run *run, Err *err)
{
    const Request *request = run->request;
    const char *shown = request->resume ? run->checkpoint_path : request->input;
    if (!arch_parse(request->resume ? run->checkpoint_path : RUN_ARCH, run->arch_text,
                    strlen(run->arch_text), &run->arch, run->pool, err))
        return false;
    run->arch.name = RUN_ARCH;
    DataShape shape = {run->arch.channels, run->arch.height, run->arch.width};
    run->data = dataset_open(run->data_spec, shape, err);
    if (!run->data || !dataset_fits(run->data, run->data_spec, &run->arch, shown, err))
        return false;
    NetOptions options = {.batch = run->recipe.batch,
                          .plan = true,
                          .jit = (JitKind)request->jit,
                          .threads = request->threads,
                          .conv = kernels_conv()};
    run->net = net_open(&run->arch, &options, kernels_table(), err);
    run->team = run->net ? team_open(request->threads, err) : NULL;
    return run->team && trainer_open(&run->trainer, run->net, run->data, &run->recipe, run->team,
                                     &run->memory, err);
}

static bool init_load(Run *run, Err *err)
{
    const char *path = run->request->init;
    TensorFile file;
    NetMemory *memory = &run->trainer.memory;
    return tensors_read(path, &file, run->pool, err) &&
           weights_load(path, &file, run->net, memory->params, memory->state,
                        &run->trainer.at.batches, err);
}

// The order matters to a kill in between: the new checkpoint first, then what belongs to no run.
static bool folder_begin(Run *run, Err *err)
{
    if (!run_folder_open(&run->folder, run->request->out, err))
        return false;
    if (access(run->checkpoint_path, F_OK) == 0)
        fprintf(stderr, "nago train: replacing the run in %s\n", run->request->out);
    if (!run_save(run, &run->trainer, err) || !run_metrics_cut(&run->folder, 0, err))
        return false;
    run_file_remove(&run->folder, RUN_WEIGHTS);
    run_file_remove(&run->folder, RUN_C_FILE);
    return true;
}

static bool run_prepare(Run *run, Err *err)
{
    const Request *request = run->request;
    const RunFolder folder = {.path = request->resume ? request->resume : request->out};
    run->checkpoint_path = run_file(&folder, RUN_CHECKPOINT, run->pool);
    if (!(request->resume ? run_recall(run, err) : run_begin(run, err)) || !run_compile(run, err))
        return false;
    if (request->resume) {
        if (!checkpoint_restore(run->checkpoint_path, &run->stored, &run->checkpoint, &run->trainer,
                                err) ||
            !run_metrics_cut(&run->folder, run->checkpoint.metrics_bytes, err))
            return false;
    } else if ((request->init && !init_load(run, err)) || !folder_begin(run, err)) {
        return false;
    }
    return file_write(run_file(&run->folder, RUN_ARCH, run->pool), run->arch_text,
                      strlen(run->arch_text), err);
}

static void run_introduce(const Run *run)
{
    Text words = {0};
    arch_describe(&run->arch, &words);
    fprintf(stderr, "nago train: %s\n", words.data);
    text_free(&words);
    fprintf(stderr,
            "%lld parameters, compiled in %.0f ms; %.0f MB of memory; %d training images; "
            "%d thread%s\n",
            (long long)run->net->param_count, run->net->compile_ms,
            (double)run->trainer.memory.bytes / 1e6, run->trainer.n_train, team_size(run->team),
            team_size(run->team) == 1 ? "" : "s");
    if (run->request->resume)
        fprintf(stderr, "continuing at epoch %d, step %d of %d\n", run->trainer.at.epoch + 1,
                run->trainer.at.step, run->trainer.steps_per_epoch);
}

// ---- end ---------------------------------------------------------------------------------------

// The same bytes as `nagoc DIR/arch.json --weights DIR/weights.safetensors` writes.
static bool c_file_write(Run *run, const char *weights, Err *err)
{
    TensorFile file;
    EmitOptions options = emit_defaults;
    Text text = {0};
    options.weights = &file;
    options.command = "nagoc --weights=" RUN_WEIGHTS " " RUN_ARCH;
    bool ok =
        tensors_read(weights, &file, run->pool, err) &&
        emit_c(&run->arch, &options, &text, NULL, err) &&
        file_write(run_file(&run->folder, RUN_C_FILE, run->pool), text.data, text.length, err);
    text_free(&text);
    return ok;
}

// Weights and C file, as they are now.
static bool results_write(Run *run, Err *err)
{
    const NetMemory *memory = &run->trainer.memory;
    const char *weights = run_file(&run->folder, RUN_WEIGHTS, run->pool);
    WeightsMeta meta = weights_meta_of(run->data);
    meta.arch = run->arch_text;
    meta.val_fraction = run->recipe.val_fraction;
    meta.seed = run->recipe.split_seed;
    return weights_save(weights, run->net, memory->params, memory->state, run->trainer.at.batches,
                        &meta, err) &&
           c_file_write(run, weights, err);
}

static void result_print(const Run *run, TrainEnd end)
{
    const Trainer *trainer = &run->trainer;
    const Evaluation *test = &trainer->at.test;
    char clock[32];
    if (end == TRAIN_STOPPED)
        printf("stopped %s in epoch %d of %d after step %d of %d; continue: nago train --resume "
               "%s\n",
               run->is_out_of_time ? "by --time-limit" : "on request", trainer->at.epoch + 1,
               trainer->recipe.epochs, trainer->at.step, trainer->steps_per_epoch,
               run->folder.path);
    else if (test->count)
        printf("accuracy %.2f %% (%d of %d test images, loss %.4f) after %d epochs, %s\n",
               100 * evaluation_accuracy(test), test->correct, test->count, test->loss,
               trainer->recipe.epochs, progress_clock(trainer->at.seconds, clock));
    else
        printf("trained %d epochs in %s; there are no test images\n", trainer->recipe.epochs,
               progress_clock(trainer->at.seconds, clock));
    fprintf(stderr, "wrote %s/{%s,%s,%s,%s}\n", run->folder.path, RUN_ARCH, RUN_WEIGHTS,
            RUN_METRICS, RUN_C_FILE);
}

static bool run_train(Run *run, Err *err)
{
    const TrainHooks hooks = {on_step, on_epoch, run};
    Trainer *trainer = &run->trainer;
    int64_t behind =
        (int64_t)trainer->at.epoch * trainer->n_train + trainer->at.step * trainer->recipe.batch;
    run->saved = seconds_now();
    signals_catch();
    progress_open(&run->progress, "images", behind,
                  (int64_t)trainer->recipe.epochs * trainer->n_train);
    TrainEnd end = trainer_run(trainer, &hooks, err);
    progress_close(&run->progress);
    if (end == TRAIN_FAILED || (end == TRAIN_STOPPED && !run_save(run, trainer, err)) ||
        !results_write(run, err))
        return false;
    result_print(run, end);
    return true;
}

static void run_close(Run *run)
{
    trainer_close(&run->trainer);
    team_close(run->team);
    if (run->net)
        net_close(run->net);
    dataset_close(run->data);
    memory_release(&run->memory);
    run_folder_close(&run->folder);
    pool_free(run->pool);
}

// ---- options -----------------------------------------------------------------------------------

static const char description[] =
    "Compiles the network and trains it by stochastic gradient descent with momentum. DIR gets "
    "arch.json, weights.safetensors (with the data set's mean, deviation and class names), "
    "metrics.jsonl (one line an epoch), net.c (the trained network in one C file) and "
    "checkpoint.safetensors.\n\n"
    "Without a validation split each epoch is measured on up to 2000 test images; after the last "
    "epoch the whole test split is, and the accuracy is printed.\n\n"
    "Ctrl-C or a termination signal ends after the current step with a checkpoint; a second one "
    "ends at once. --resume continues a run that was stopped or killed to the same weights, bit "
    "for bit, as if it had not been; so does any number of threads.";

static const char examples[] =
    "nago train theta.json --data shapes --epochs 5 --out run\n"
    "    Trains on the built-in data set; run/net.c is the trained network.\n"
    "nago train arch.json --data cifar10:data --augment standard --cutout 8 --epochs 100\n"
    "    The usual recipe for CIFAR-10.\n"
    "nago train --resume run\n"
    "    Goes on with a run that was cut.";

enum { MAX_OPTIONS = 40 };

// With --resume, what decides the weights is not to be changed.
static void check_resume(const Command *command, const Request *request, const bool *given)
{
    static const char *const free_options[] = {"data", "threads", "time-limit",
                                               "jit",  "resume",  "checkpoint-every"};
    if (!request->resume)
        return;
    if (request->input)
        command_usage(command, "--resume %s: takes no network; it continues the one in the folder",
                      request->resume);
    for (int i = 0; command->options[i].kind != OPTION_IS_END; i++) {
        bool is_free = false;
        for (size_t k = 0; k < COUNT_OF(free_options); k++)
            is_free = is_free || strcmp(command->options[i].name, free_options[k]) == 0;
        if (given[i] && !is_free)
            command_usage(command, "--resume %s: continues the run as it began; --%s cannot change",
                          request->resume, command->options[i].name);
    }
}

static void check_new(const Command *command, const Request *request)
{
    if (request->resume)
        return;
    if (!request->input)
        command_usage(command, "a network is missing: theta.json or arch.json");
    if (!request->data)
        command_usage(command, "--data is missing: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or "
                               "images:DIR");
}

static const Option *request_options(Request *request, Option options[MAX_OPTIONS])
{
    TrainRecipe *recipe = &request->recipe;
    const Option table[] = {
        OPTION_GROUP("Data and results"),
        OPTION_STRING("data", 'd', "SPEC", &request->data,
                      "images: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR, each with "
                      "options behind a colon, as limit=N (see nago-data(1))"),
        OPTION_STRING("out", 'o', "DIR", &request->out,
                      "folder of the results; a run that is in it is replaced"),
        OPTION_STRING("resume", 'r', "DIR", &request->resume,
                      "continue the run in DIR from its last checkpoint"),
        OPTION_STRING("init", 0, "FILE", &request->init,
                      "begin with these weights (safetensors) instead of random ones"),
        OPTION_GROUP("Training"),
        OPTION_INT("epochs", 'e', "N", &recipe->epochs, 1, 100000,
                   "passes over the training images"),
        OPTION_INT("batch", 'b', "N", &recipe->batch, 1, 4096, "images of one step"),
        OPTION_REAL("lr", 'l', "X", &recipe->learning_rate, 1e-12, 1e6, "initial learning rate"),
        OPTION_CHOICE("schedule", 0, "cosine|step|constant", &request->schedule, schedule_name,
                      "how the learning rate falls, step by step: along a half wave to zero; to a "
                      "tenth after half of the run and a hundredth after three quarters; not"),
        OPTION_REAL("momentum", 0, "X", &recipe->momentum, 0, 0.9999, "momentum"),
        OPTION_REAL("weight-decay", 0, "X", &recipe->weight_decay, 0, 10,
                    "weight decay, on every parameter"),
        OPTION_REAL("label-smoothing", 0, "X", &recipe->label_smoothing, 0, 0.999,
                    "share of each label spread over all classes"),
        OPTION_CHOICE("augment", 'a', "none|standard", &request->augment, augment_names,
                      "standard: random crops with a border of an eighth, and flips"),
        OPTION_INT("cutout", 0, "N", &recipe->augment.cutout, 0, 1024,
                   "blank out a random square of N x N pixels; 0: none"),
        OPTION_REAL("val-fraction", 0, "X", &recipe->val_fraction, 0, 0.9,
                    "share of the training images held out to measure each epoch"),
        OPTION_SEED("seed", 's', "N", &recipe->seed, NULL,
                    "initial weights, order, augmentation, dropout, validation split (theta.json "
                    "has a seed of its own, for the architecture)"),
        OPTION_GROUP("Machine"),
        OPTION_INT("threads", 't', "N", &request->threads, 0, 256,
                   "threads; 0: one a processor; the result does not depend on it"),
        OPTION_DURATION("time-limit", 0, "TIME", &request->time_limit,
                        "stop with a checkpoint after this time: 90s, 5m, 2h"),
        OPTION_DURATION("checkpoint-every", 0, "TIME", &request->checkpoint_every,
                        "write a checkpoint this often, beside that of each epoch"),
        OPTION_CHOICE("jit", 0, "tcc|gcc", &request->jit, jit_names,
                      "compiler of the program around the kernels; the result is the same"),
        OPTION_END,
    };
    _Static_assert(COUNT_OF(table) <= MAX_OPTIONS, "more options than places");
    memcpy(options, table, sizeof table);
    return options;
}

// Reads the command line into *request; ends the process on errors.
static void request_read(int argc, char **argv, Command *command, Request *request)
{
    static Option options[MAX_OPTIONS];
    static bool given[MAX_OPTIONS];
    command->options = request_options(request, options);
    for (int i = 0; options[i].kind != OPTION_IS_END; i++)
        if (options[i].kind != OPTION_IS_GROUP)
            options[i].given = &given[i];
    int count;
    char **operands = command_parse(command, argc, argv, &count);
    request->input = count ? operands[0] : NULL;
    if (request->threads == 0)
        request->threads = team_processors();
    request->recipe.schedule = (Schedule)request->schedule;
    request->recipe.split_seed = request->recipe.seed;
    request->recipe.augment.standard = request->augment == 1;
    check_resume(command, request, given);
    check_new(command, request);
}

int cmd_train(int argc, char **argv)
{
    Request request = {
        .recipe = recipe_default(), .threads = 1, .out = "generated/run", .checkpoint_every = 30};
    Command command = {
        .name = "nago train",
        .summary = "train a network on images",
        .synopsis = "[OPTION]... theta.json|arch.json --data SPEC\n--resume DIR [OPTION]...",
        .description = description,
        .examples = examples,
        .see_also = "nagoc(1), nago-eval(1), nago-data(1)",
        .min_operands = 0,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    Run run = {.request = &request,
               .pool = pool_new(),
               .folder = {.metrics = -1},
               .started = seconds_now()};
    Err err = {0};
    bool ok = run_prepare(&run, &err);
    if (ok)
        run_introduce(&run);
    ok = ok && run_train(&run, &err);
    run_close(&run);
    return ok ? EXIT_DONE : command_fail(&command, &err);
}
