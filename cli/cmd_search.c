// cmd_search.c - `nago search`: a study begun or resumed, and worked on until enough is done.
//
//     options -> plan -> study (SQLite) <-> driver <-> nago worker, one process a trial
//
// The driver (search/driver.c) does the work; here are options, talk and signals.
#define _GNU_SOURCE
#include "../runtime/checkpoint.h"
#include "../runtime/measure.h"
#include "../search/driver.h"
#include "../search/results.h"
#include "progress.h"
#include "search_display.h"
#include "study_request.h"
#include "study_view.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const jit_names[] = {"tcc", "gcc", NULL};
static const char default_study[] = "generated/study.db";
enum { USUAL_CYCLES = 4, USUAL_TRIALS = 60 };

typedef struct {
    StudyRequest request;
    const char *study, *warm_start;
    OptionList enqueue;
    int workers, trials, batch, jit;
    double time, trial_time;
    int64_t trial_memory;
    bool dry_run;
} Request;

// ---- signals -----------------------------------------------------------------------------------

static volatile sig_atomic_t interrupts;

static void interrupt(int number)
{
    (void)number;
    interrupts++;
}

static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); // a file size limit is an error of the write, with a message
    signal(SIGPIPE, SIG_IGN);
}

static DriverWish on_tick(void *user, const Driver *driver)
{
    Display *display = user;
    display_update(display, driver);
    if (interrupts == 1 && !driver->is_stopping)
        display_line(display,
                     "stopping: the running trials write their checkpoints (again: at once)");
    return interrupts == 0 ? DRIVER_GOES_ON : interrupts == 1 ? DRIVER_STOPS : DRIVER_LEAVES;
}

static void on_ended(void *user, const Driver *driver, const StudyTrial *trial)
{
    display_trial(user, driver, trial);
}

static void on_line(void *user, const char *message)
{
    display_line(user, "%s", message);
}

// ---- the beginning -----------------------------------------------------------------------------

static void trials_default(Request *request)
{
    int cycle;
    double budget;
    if (request->trials > 0)
        return;
    optimizer_cycle(&request->request.plan.search, &cycle, &budget);
    request->trials = USUAL_CYCLES * cycle > USUAL_TRIALS ? USUAL_CYCLES * cycle : USUAL_TRIALS;
}

// The images are opened once here, so that a wrong --data is a message and not a hundred failed
// trials; and they must be those that the study was begun with.
static bool data_check(Request *request, Study *study, int *n_images, Err *err)
{
    const StudyPlan *plan = &request->request.plan;
    Pool *pool = request->request.pool;
    const char *stored;
    Dataset *data;
    *n_images = 0;
    if (plan->command)
        return true;
    if (!plan_data(plan, &data, err))
        return false;
    const char *now = pool_printf(pool, "%016llx", (unsigned long long)dataset_fingerprint(data));
    *n_images = data->train.count;
    dataset_close(data);
    if (!study)
        return true;
    if (!study_note(study, "data", &stored, pool, err))
        return false;
    if (!stored)
        return study_note_write(study, "data", now, err);
    return strcmp(stored, now) == 0 ||
           err_input(err, "--data %s: holds other images than those that the study was begun with",
                     plan->data);
}

static bool points_enqueue(const Request *request, Study *study, Err *err)
{
    const Space *space = request->request.plan.space;
    const OptionList *files = &request->enqueue;
    Pool *pool = request->request.pool;
    StudyQueued points[OPTION_LIST_MAX];
    for (int i = 0; i < files->count; i++) {
        char *text;
        size_t size;
        double *x = pool_alloc(pool, ((size_t)space->n_coords + 1) * sizeof *x);
        Text params = {0};
        if (!file_read(files->items[i], 1 << 20, &text, &size, err))
            return false;
        bool ok = request->request.plan.command
                      ? space_params_parse(space, files->items[i], text, size, x, err)
                      : space_theta_parse(space, files->items[i], text, size, x, err);
        free(text);
        if (!ok)
            return false;
        space_params_print(space, x, &params);
        points[i] = (StudyQueued){.n_x = space->n_coords,
                                  .x = x,
                                  .params = pool_strdup(pool, params.data),
                                  .source = files->items[i]};
        text_free(&params);
    }
    return files->count == 0 || study_enqueue(study, points, files->count, err);
}

// ---- warm start --------------------------------------------------------------------------------

// A finished trial of another study, as one that feeds the models only.
static bool trial_import(const Request *request, const StudyTrial *trial, int64_t id,
                         StudyTrial *out, Err *err)
{
    const StudyPlan *plan = &request->request.plan;
    Pool *pool = request->request.pool;
    double *x = pool_alloc(pool, ((size_t)plan->space->n_coords + 1) * sizeof *x);
    if (!space_params_parse(plan->space, request->warm_start, trial->params, strlen(trial->params),
                            x, err))
        return false;
    *out = *trial;
    out->id = id;
    out->bracket = -1;
    out->parent = out->queued = -1;
    out->n_x = plan->space->n_coords;
    out->x = x;
    out->reason =
        pool_printf(pool, "{\"reason\": \"imported\", \"trial\": %lld}", (long long)trial->id);
    return true;
}

static bool trials_import(const Request *request, Study *study, Err *err)
{
    Pool *pool = request->request.pool;
    Study *other;
    StudyTrial *trials, *own;
    int count, n_own, n = 0, skipped = 0;
    bool is_late;
    if (!request->warm_start)
        return true;
    if (!study_open(request->warm_start, STUDY_READ, &other, err))
        return false;
    bool ok = study_trials(other, &trials, &count, pool, err) &&
              study_trials(study, &own, &n_own, pool, err);
    study_close(other);
    if (!ok)
        return false;
    StudyTrial *imported = pool_alloc(pool, ((size_t)count + 1) * sizeof *imported);
    int64_t id = n_own ? own[n_own - 1].id + 1 : 0;
    for (int i = 0; i < count; i++) {
        Err why = {0};
        if (trials[i].state != STUDY_FINISHED ||
            trials[i].n_values != request->request.plan.search.n_objectives)
            continue;
        if (trial_import(request, &trials[i], id + n, &imported[n], &why))
            n++;
        else
            skipped++;
    }
    fprintf(stderr, "nago search: %d trial%s of %s imported%s\n", n, n == 1 ? "" : "s",
            request->warm_start, skipped ? ", the rest lies outside this space" : "");
    return study_add(study, imported, n, &is_late, err);
}

// ---- a forecast --------------------------------------------------------------------------------

static double cycles_budget(const Request *request)
{
    int cycle;
    double budget;
    optimizer_cycle(&request->request.plan.search, &cycle, &budget);
    return budget * request->trials / cycle;
}

// Seconds of one epoch: networks that this study would draw, trained for some steps.
static bool epoch_seconds(const Request *request, double *seconds, Err *err)
{
    const StudyPlan *plan = &request->request.plan;
    Pool *pool = request->request.pool;
    Dataset *data;
    StepTimes times = {0};
    int measured = 0;
    *seconds = 0;
    if (!plan_data(plan, &data, err))
        return false;
    double images = data->train.count;
    for (int i = 0; i < 3; i++) { // three networks that this study would draw
        double x[SPACE_MAX_COORDS];
        Arch arch;
        const char *theta;
        Random random = random_stream(plan->search.seed, "forecast", (uint64_t)i, 0);
        Err why = {0};
        space_draw(plan->space, &random, x);
        if (!plan_network(plan, data, x, i, 0, &arch, &theta, pool, &why) ||
            !measure_steps(&arch, plan->recipe.batch, 1, JIT_TCC, 0.5, &times, &why))
            continue;
        double steps = images * (1 - plan->recipe.val_fraction) / plan->recipe.batch;
        double validation = images * plan->recipe.val_fraction / plan->recipe.batch;
        *seconds += steps * times.median_ms / 1e3 + validation * times.infer_ms / 1e3;
        measured++;
    }
    dataset_close(data);
    if (measured)
        *seconds /= measured;
    return true;
}

static bool dry_run(const Request *request, Err *err)
{
    const StudyPlan *plan = &request->request.plan;
    double budgets[MAX_RUNGS], epochs = cycles_budget(request), seconds = 0;
    int rungs = optimizer_budgets(&plan->search, budgets);
    printf("trials    %d\nbudgets  ", request->trials);
    for (int i = 0; i < rungs; i++)
        printf(" %g", budgets[i]);
    printf("\n");
    if (plan->command) {
        printf("budget    %.0f in all\n", epochs);
        return true;
    }
    if (!plan_trains(plan)) {
        printf("no training: the objectives follow from the networks\n");
        return true;
    }
    if (!epoch_seconds(request, &seconds, err))
        return false;
    char clock[32];
    double checkpoints = 3.0 * 4 * (double)(plan->weights > 0 ? plan->weights : plan->params);
    printf("epochs    %.0f\n", epochs);
    printf("time      %s with %d worker%s (%.1f s an epoch, measured on three networks)\n",
           progress_clock(epochs * seconds / request->workers, clock), request->workers,
           request->workers == 1 ? "" : "s", seconds);
    printf("disk      %.0f MB of checkpoints, until nago gc\n",
           request->trials * checkpoints / 1e6);
    return true;
}

// ---- the run -----------------------------------------------------------------------------------

static void introduce(const Request *request, Study *study, bool is_first, int n_images,
                      int n_trials)
{
    const StudyPlan *plan = &request->request.plan;
    double budgets[MAX_RUNGS];
    int rungs = optimizer_budgets(&plan->search, budgets);
    fprintf(stderr, "nago search: %s %s: %s, %d coordinates, budgets", study_path(study),
            is_first ? "begun" : "resumed", method_name[plan->search.method],
            plan->space->n_coords);
    for (int i = 0; i < rungs; i++)
        fprintf(stderr, "%s%g", i ? "/" : " ", budgets[i]);
    fprintf(stderr, ", %d worker%s", request->workers, request->workers == 1 ? "" : "s");
    if (n_trials)
        fprintf(stderr, "; %d of %d trials are there", n_trials, request->trials);
    fprintf(stderr, "\n");
    if (!plan->command) {
        int val = (int)lround(n_images * plan->recipe.val_fraction);
        fprintf(stderr,
                "%d training images, %d of them for validation: all figures below are of these; "
                "the test split is not touched\n",
                n_images, val);
    }
}

// Nothing to show: an error if every trial failed, with the reason of the last.
static bool nothing_show(const Study *study, const StudyTrial *trials, int count, Err *err)
{
    int failed = 0, last = -1;
    for (int i = 0; i < count; i++) {
        if (trials[i].state == STUDY_FAILED) {
            failed++;
            last = i;
        }
    }
    if (count > 0 && failed == count)
        return err_run(err,
                       "error: no trial has finished: %d failed, the last (trial %lld): %s\n"
                       "  hint: nago trials --study %s lists them",
                       count, (long long)trials[last].id, trials[last].error, study_path(study));
    printf("no trial has finished\n");
    return true;
}

static bool results_show(const Request *request, Study *study, Err *err)
{
    const StudyPlan *plan = &request->request.plan;
    Pool *pool = request->request.pool;
    StudyTrial *trials;
    StudyResults results;
    int count;
    if (!study_trials(study, &trials, &count, pool, err))
        return false;
    results_make(trials, count, plan, study, &results, pool);
    if (!results_reference(study, plan, &results, pool, err))
        return false;
    for (int i = 0; i < results.n_front; i++) {
        Text words = {0};
        view_values(plan, results.front[i], &words);
        printf("%s trial %lld  budget %g  %s%s\n", results.n_front > 1 ? "front" : "best",
               (long long)results.front[i]->id, results.front[i]->budget, words.data,
               view_split(plan));
        text_free(&words);
    }
    if (results.hypervolume > 0)
        printf("hypervolume %.6g of %d judged trials\n", results.hypervolume, results.n_judged);
    return results.n_front > 0 || nothing_show(study, trials, count, err);
}

static bool search_run(Request *request, Study *study, Err *err)
{
    char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return err_run(err, "cannot find this program: /proc/self/exe");
    program[length] = '\0';
    Display display;
    Driver driver = {.study = study,
                     .plan = &request->request.plan,
                     .options = {.program = program,
                                 .workers = request->workers,
                                 .batch = request->batch,
                                 .trials = request->trials,
                                 .seconds = request->time,
                                 .trial_seconds = request->trial_time,
                                 .trial_memory = request->trial_memory,
                                 .jit = jit_names[request->jit]},
                     .watch = {on_tick, on_ended, on_line, &display}};
    signals_catch();
    display_open(&display, request->trials);
    bool ok = driver_run(&driver, err);
    display_close(&display);
    if (ok && interrupts > 0)
        fprintf(stderr, "stopped; to go on: nago search --study %s\n", study_path(study));
    else if (ok && driver.is_out_of_time)
        fprintf(stderr, "the time is up; to go on: nago search --study %s\n", study_path(study));
    return ok;
}

static bool search(Request *request, const Command *command, Err *err)
{
    StudyRequest *study_request = &request->request;
    Pool *pool = study_request->pool;
    Study *study = NULL;
    StudyTrial *trials;
    bool is_first;
    int n_images, count;
    if (request->dry_run && access(request->study, F_OK) != 0) {
        if (!request_plan(study_request, command, err))
            return false;
        trials_default(request);
        return data_check(request, NULL, &n_images, err) && dry_run(request, err);
    }
    // Options and data are checked before a file appears.
    if (access(request->study, F_OK) != 0 &&
        (!request_plan(study_request, command, err) || !data_check(request, NULL, &n_images, err)))
        return false;
    if (request->study == default_study && !folder_make("generated", err))
        return false;
    bool ok = study_open(request->study, STUDY_CREATE, &study, err) &&
              request_join(study_request, command, study, &is_first, err) &&
              data_check(request, study, &n_images, err);
    if (ok) {
        trials_default(request);
        ok = request->dry_run ? dry_run(request, err)
                              : (!is_first || trials_import(request, study, err)) &&
                                    points_enqueue(request, study, err) &&
                                    study_trials(study, &trials, &count, pool, err);
    }
    if (ok && !request->dry_run) {
        introduce(request, study, is_first, n_images, trials_counted(trials, count));
        ok = search_run(request, study, err) && results_show(request, study, err);
    }
    study_close(study);
    return ok;
}

// ---- options -----------------------------------------------------------------------------------

static const char description[] =
    "Searches the hyperparameters of the generator for networks that do well on the images: each "
    "trial draws a network, compiles it, trains it for its budget of epochs and measures it on a "
    "validation part of the training images. The test split is never touched; nago retrain does "
    "that at the end.\n\n"
    "Everything is kept in FILE, and checkpoints in FILE.d. The same command with the same FILE "
    "goes "
    "on where a search was stopped or killed; options that decide the results cannot change. "
    "Several searches may share a study.\n\n"
    "Ctrl-C stops the workers with checkpoints, a second one ends at once. The results are printed "
    "at the end; nago best, front, trials and importance show them at any time.";

static const char examples[] =
    "nago search --data shapes\n"
    "    BOHB over the paper's eight numbers, networks of at most 150 k weights, epochs 1/3/9.\n"
    "nago search --study c.db --data cifar10:data --method mobohb -o error -o ram -c 'ram<=256K'\n"
    "    Accuracy against memory.\n"
    "nago search --study f.db --space space.json --objective-command ./measure --trials 50\n"
    "    Any program in place of networks.";

static void rows_run(Request *request)
{
    const Option rows[] = {
        OPTION_GROUP("The run"),
        OPTION_STRING("study", 0, "FILE", &request->study, "the study"),
        OPTION_INT("trials", 'n', "N", &request->trials, 0, 10000000,
                   "end when the study has so many; 0: four cycles of all brackets, 60 at least"),
        OPTION_DURATION("time", 't', "TIME", &request->time, "stop after this time: 90s, 5m, 2h"),
        OPTION_INT("workers", 'j', "N", &request->workers, 0, DRIVER_MAX_WORKERS,
                   "trials at a time; 0: one a processor"),
        OPTION_INT("batch-points", 0, "N", &request->batch, 1, 1000, "suggestions made at a time"),
        OPTION_LIST("enqueue", 0, "FILE", &request->enqueue,
                    "try this theta.json first; may be given several times"),
        OPTION_STRING("warm-start", 0, "FILE", &request->warm_start,
                      "a new study begins with the results of this one"),
        OPTION_DURATION("trial-time", 0, "TIME", &request->trial_time,
                        "a trial that takes longer fails"),
        OPTION_SIZE("trial-memory", 0, "BYTES", &request->trial_memory,
                    "a trial that wants more address space fails"),
        OPTION_CHOICE("jit", 0, "tcc|gcc", &request->jit, jit_names,
                      "compiler of the program around the kernels; the result is the same"),
        OPTION_FLAG("dry-run", 0, &request->dry_run,
                    "print how many trials, seconds and megabytes it would take"),
        OPTION_END,
    };
    request_add(&request->request, rows);
}

int cmd_search(int argc, char **argv)
{
    Pool *pool = pool_new();
    static Request request;
    request = (Request){.study = default_study, .batch = 1};
    request_open(&request.request, REQUEST_SEARCH, pool);
    rows_run(&request);
    const Command command = {
        .name = "nago search",
        .summary = "search for generators of good networks",
        .synopsis = "--data SPEC [OPTION]...\n--objective-command CMD --space FILE [OPTION]...\n"
                    "--study FILE",
        .description = description,
        .examples = examples,
        .see_also = "nago-best(1), nago-retrain(1), nago-ask(1), nago-train(1), nagoc(1)",
        .options = request.request.options,
    };
    int count;
    Err err = {0};
    command_parse(&command, argc, argv, &count);
    if (request.workers == 0)
        request.workers = team_processors();
    bool ok = search(&request, &command, &err);
    request_close(&request.request);
    pool_free(pool);
    if (!ok)
        return command_fail(&command, &err);
    return interrupts > 1 ? 130 : EXIT_DONE;
}
