// cmd_retrain.c - `nago retrain`: the chosen generators of a study, in earnest.
//
//     trial -> theta -> k networks -> nago train, one process each -> net.c as it is deployed
//                                  -> mean, deviation, winner
//
// The winner is chosen on a validation part of the training images; the test split is measured
// once, at the end of each training, and decides nothing.
#define _GNU_SOURCE
#include "../runtime/process.h"
#include "../search/trial.h"
#include "deployed_folder.h"
#include "run_folder.h"
#include "study_view.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NETWORKS = 4096 };

typedef struct {
    const char *study, *data, *out;
    int trial, count, epochs, workers;
    int target, quantize; // -1: the study's
    bool front, same_arch;
    double val_fraction;
} Request;

typedef struct {
    const StudyTrial *trial;
    int number;
    const char *folder;
    Process process;
    bool is_done, has_failed;
    double val_error, test_error; // NAN: none
} Job;

typedef struct {
    const Request *request;
    Deployment deployment;
    StudyView view;
    const char *program;
    Job *jobs;
    int n_jobs;
} Retrain;

static volatile sig_atomic_t interrupts;

static void interrupt(int number)
{
    if (interrupts++ > 0)
        _exit(128 + number);
}

// ---- networks ----------------------------------------------------------------------------------

// The arch.json of one job: the trial's own network, or another feasible one of its theta.
static bool arch_draw(Retrain *run, const Dataset *data, const Job *job, Arch *arch, Err *err)
{
    const StudyPlan *plan = run->view.plan;
    Pool *pool = run->view.pool;
    const char *text;
    if (run->request->same_arch) {
        Theta theta;
        text = job->trial->theta;
        return theta_parse("theta", text, strlen(text), &theta, pool, err) &&
               arch_sample(&theta, arch, pool, err);
    }
    for (int draw = 0; draw < PLAN_DRAWS; draw++) {
        Measures measures = measures_none();
        Err why = {0};
        int number = PLAN_DRAWS * (job->number + 1) + draw; // none that the search has drawn
        if (plan_network(plan, data, job->trial->x, job->trial->id, number, arch, &text, pool,
                         &why) &&
            objective_measure(arch, &run->deployment, &measures, &why) &&
            measures_violation(&measures, plan->constraints, plan->n_constraints) == 0)
            return true;
        *err = why;
    }
    return err->message[0] != '\0'
               ? false
               : err_run(err, "trial %lld: none of %d networks keeps the constraints",
                         (long long)job->trial->id, (int)PLAN_DRAWS);
}

static bool network_write(Retrain *run, const Dataset *data, Job *job, Err *err)
{
    Arch arch;
    Text text = {0};
    const char *path = pool_printf(run->view.pool, "%s/arch.json", job->folder);
    if (access(path, R_OK) == 0)
        return true; // of an earlier call
    if (!arch_draw(run, data, job, &arch, err) || !folder_make(job->folder, err))
        return false;
    arch_print(&arch, &text);
    bool ok = file_write(path, text.data, text.length, err);
    text_free(&text);
    return ok;
}

static bool jobs_make(Retrain *run, Err *err)
{
    const Request *request = run->request;
    StudyView *view = &run->view;
    const StudyTrial *one = request->front ? NULL : view_trial(view, request->trial, err);
    int n = request->front ? view->results.n_front : 1;
    Dataset *data;
    if (!request->front && !one)
        return false;
    if (n * request->count > MAX_NETWORKS)
        return err_input(err, "%d networks are too many", n * request->count);
    run->jobs = pool_alloc(view->pool, ((size_t)(n * request->count) + 1) * sizeof *run->jobs);
    for (int i = 0; i < n * request->count; i++) {
        Job *job = &run->jobs[run->n_jobs++];
        const StudyTrial *trial = one ? one : view->results.front[i / request->count];
        *job = (Job){.trial = trial,
                     .number = i % request->count,
                     .process = {.output = -1},
                     .val_error = NAN,
                     .test_error = NAN};
        job->folder = pool_printf(view->pool, "%s/trial%lld/net%d", request->out,
                                  (long long)trial->id, job->number + 1);
        if (!trial->theta || trial->state != STUDY_FINISHED)
            return err_input(err, "--trial %lld: has no network, it is %s", (long long)trial->id,
                             study_state_name[trial->state]);
    }
    if (run->n_jobs == 0)
        return err_input(err, "%s: error: no trial has finished", request->study);
    if (!plan_data(view->plan, &data, err))
        return false;
    bool ok = true;
    for (int i = 0; ok && i < run->n_jobs; i++)
        ok = network_write(run, data, &run->jobs[i], err);
    dataset_close(data);
    return ok;
}

// ---- training ----------------------------------------------------------------------------------

// The last line of metrics.jsonl, if it is of the last epoch.
static bool metrics_read(const Request *request, Job *job, Pool *pool)
{
    char *text;
    size_t size;
    Err err = {0};
    if (!file_read(pool_printf(pool, "%s/" RUN_METRICS, job->folder), 64 << 20, &text, &size, &err))
        return false;
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    const char *line = strrchr(text, '\n');
    cJSON *last = cJSON_Parse(line ? line + 1 : text);
    const cJSON *epoch = cJSON_GetObjectItemCaseSensitive(last, "epoch");
    const cJSON *val = cJSON_GetObjectItemCaseSensitive(last, "val_accuracy");
    const cJSON *test = cJSON_GetObjectItemCaseSensitive(last, "test_accuracy");
    bool is_last = cJSON_IsNumber(epoch) && epoch->valueint == request->epochs;
    if (is_last && cJSON_IsNumber(val))
        job->val_error = 1 - val->valuedouble;
    if (is_last && cJSON_IsNumber(test))
        job->test_error = 1 - test->valuedouble;
    cJSON_Delete(last);
    free(text);
    return is_last && access(pool_printf(pool, "%s/" RUN_C_FILE, job->folder), R_OK) == 0;
}

static const char *data_of(const Retrain *run)
{
    return run->request->data ? run->request->data : run->view.plan->data;
}

static const char *number_text(Pool *pool, double number)
{
    return pool_printf(pool, "%.17g", number);
}

static bool job_start(Retrain *run, Job *job, Err *err)
{
    const Request *request = run->request;
    const TrainRecipe *recipe = &run->view.plan->recipe;
    Pool *pool = run->view.pool;
    Random random = random_stream(run->view.plan->search.seed, "retrain", (uint64_t)job->trial->id,
                                  (uint64_t)job->number);
    const char *seed = pool_printf(pool, "%llu", (unsigned long long)(random_u64(&random) >> 11));
    const char *begin[] = {run->program,
                           "train",
                           pool_printf(pool, "%s/arch.json", job->folder),
                           "--data",
                           data_of(run),
                           "--out",
                           job->folder,
                           "--epochs",
                           pool_printf(pool, "%d", request->epochs),
                           "--batch",
                           pool_printf(pool, "%d", recipe->batch),
                           "--lr",
                           number_text(pool, recipe->learning_rate),
                           "--schedule",
                           schedule_name[recipe->schedule],
                           "--momentum",
                           number_text(pool, recipe->momentum),
                           "--weight-decay",
                           number_text(pool, recipe->weight_decay),
                           "--label-smoothing",
                           number_text(pool, recipe->label_smoothing),
                           "--augment",
                           recipe->augment.standard ? "standard" : "none",
                           "--cutout",
                           pool_printf(pool, "%d", recipe->augment.cutout),
                           "--val-fraction",
                           number_text(pool, request->val_fraction),
                           "--seed",
                           seed,
                           NULL};
    const char *go_on[] = {run->program, "train", "--resume", job->folder, NULL};
    bool has_begun = access(pool_printf(pool, "%s/" RUN_CHECKPOINT, job->folder), R_OK) == 0;
    ProcessOrder order = {.argv = has_begun ? go_on : begin,
                          .log = pool_printf(pool, "%s/train.log", job->folder),
                          .own_group = true};
    return process_start(&order, &job->process, err);
}

// The file of a network that was trained to its end; in int8 its errors are those of the file.
static void job_deploy(const Retrain *run, Job *job)
{
    DeployedResult result;
    Err err = {0};
    job->is_done = true;
    job->has_failed =
        !deployed_folder_write(job->folder, data_of(run), &run->deployment, &result, &err);
    if (job->has_failed)
        fprintf(stderr, "%s: trained, but not deployed: %s\n", job->folder, err.message);
    if (result.val.count)
        job->val_error = 1 - evaluation_accuracy(&result.val);
    if (result.test.count)
        job->test_error = 1 - evaluation_accuracy(&result.test);
}

static void job_end(const Retrain *run, Job *job, int status)
{
    Pool *pool = run->view.pool;
    process_close(&job->process);
    if (metrics_read(run->request, job, pool)) {
        job_deploy(run, job);
        if (!job->has_failed)
            fprintf(stderr, "%s: validation error %.2f %%, test error %.2f %%\n", job->folder,
                    100 * job->val_error, 100 * job->test_error);
        return;
    }
    job->is_done = job->has_failed = true;
    if (interrupts == 0)
        fprintf(stderr, "%s: the training %s; %s/train.log says why\n", job->folder,
                process_status(status, pool), job->folder);
}

static Job *job_next(const Retrain *run)
{
    for (int i = 0; i < run->n_jobs; i++)
        if (!run->jobs[i].is_done && run->jobs[i].process.pid == 0)
            return &run->jobs[i];
    return NULL;
}

static bool jobs_run(Retrain *run, Err *err)
{
    int busy = 0;
    bool ok = true;
    for (;;) {
        Job *next = interrupts ? NULL : job_next(run);
        if (!ok || (!next && busy == 0))
            return ok;
        if (next && busy < run->request->workers) {
            if (metrics_read(run->request, next, run->view.pool)) {
                job_deploy(run, next);
                continue;
            }
            ok = job_start(run, next, err);
            busy += ok;
            continue;
        }
        poll(NULL, 0, 100);
        for (int i = 0; i < run->n_jobs; i++) {
            Job *job = &run->jobs[i];
            int status;
            Text ignored = {0};
            process_read(&job->process, &ignored);
            text_free(&ignored);
            if (interrupts == 1)
                process_signal(&job->process, true, SIGTERM);
            if (process_ended(&job->process, &status)) {
                job_end(run, job, status);
                busy--;
            }
        }
    }
}

// ---- results -----------------------------------------------------------------------------------

static void trial_report(const Retrain *run, int first)
{
    const StudyTrial *trial = run->jobs[first].trial;
    const Job *winner = NULL;
    double sum = 0, squares = 0;
    int n = 0;
    for (int i = first; i < first + run->request->count; i++) {
        const Job *job = &run->jobs[i];
        if (job->has_failed || isnan(job->test_error))
            continue;
        n++;
        sum += job->test_error;
        squares += job->test_error * job->test_error;
        bool better = !winner || (isnan(job->val_error) ? job->test_error < winner->test_error
                                                        : job->val_error < winner->val_error);
        if (better)
            winner = job;
    }
    if (n == 0) {
        printf("trial %lld: no network was trained to the end\n", (long long)trial->id);
        return;
    }
    double mean = sum / n, variance = n > 1 ? (squares - n * mean * mean) / (n - 1) : 0;
    printf("trial %lld: test error%s %.2f %% +- %.2f over %d network%s, %d epoch%s; best by "
           "validation: %.2f %% (test), %s/%s\n",
           (long long)trial->id, run->deployment.int8 ? " in int8" : "", 100 * mean,
           100 * sqrt(variance > 0 ? variance : 0), n, n == 1 ? "" : "s", run->request->epochs,
           run->request->epochs == 1 ? "" : "s", 100 * winner->test_error, winner->folder,
           RUN_C_FILE);
}

static bool retrain(Retrain *run, const Command *command, Err *err)
{
    static char program[4096];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return err_run(err, "cannot find this program: /proc/self/exe");
    program[length] = '\0';
    run->program = program;
    if (!view_open(&run->view, command, run->request->study, STUDY_READ, err))
        return false;
    if (run->view.plan->command || run->view.plan->is_asked)
        return err_input(err, "%s: error: a study without networks", run->request->study);
    run->deployment = run->view.plan->deployment;
    if (run->request->target >= 0)
        run->deployment.target = (TargetKind)run->request->target;
    if (run->request->quantize >= 0)
        run->deployment.int8 = run->request->quantize == 1;
    if (run->deployment.int8 && run->deployment.target == TARGET_NATIVE)
        return err_input(err, "--target=native: is for float files");
    if (!jobs_make(run, err) || !jobs_run(run, err))
        return false;
    if (interrupts) {
        fprintf(stderr, "stopped; the same command goes on\n");
        return true;
    }
    for (int i = 0; i < run->n_jobs; i += run->request->count)
        trial_report(run, i);
    return true;
}

static const char description[] =
    "Draws networks from the generator of a trial, or of every trial on the front, trains them on "
    "all training images but a validation part, with the study's recipe, and measures them on the "
    "test split, which the search has never seen. Prints mean and deviation of the test error, and "
    "which network is the best on the validation part; its folder holds net.c, the network in one "
    "C file, made for --target and in int8 where --quantize says so: errors are then those of the "
    "int8 file, and ranges.json is beside it. The same command goes on where it was stopped.";

int cmd_retrain(int argc, char **argv)
{
    Request request = {.out = "generated/retrain",
                       .trial = -1,
                       .count = 8,
                       .epochs = 100,
                       .workers = 1,
                       .val_fraction = 0.1,
                       .target = -1,
                       .quantize = -1};
    const Option options[] = {
        OPTION_STRING("study", 0, "FILE", &request.study, "the study"),
        OPTION_INT("trial", 0, "N", &request.trial, 0, INT32_MAX, "the trial"),
        OPTION_FLAG("front", 0, &request.front, "every trial on the front"),
        OPTION_INT("count", 'k', "N", &request.count, 1, 1000, "networks of each trial"),
        OPTION_FLAG("same-arch", 0, &request.same_arch,
                    "the trial's own network each time, with other first weights"),
        OPTION_INT("epochs", 'e', "N", &request.epochs, 1, 100000, "of training"),
        OPTION_REAL("val-fraction", 0, "X", &request.val_fraction, 0, 0.9,
                    "share of the training images that chooses the best network"),
        OPTION_STRING("data", 'd', "SPEC", &request.data, "in place of the study's own"),
        OPTION_CHOICE("target", 0, NULL, &request.target, target_names,
                      "what net.c is made for, see nagoc(1); in place of the study's own"),
        OPTION_CHOICE("quantize", 0, "none|int8", &request.quantize, quantize_name,
                      "int8: net.c in 8-bit integers; in place of the study's own"),
        OPTION_STRING("out", 'o', "DIR", &request.out, "folder of the results"),
        OPTION_INT("workers", 'j', "N", &request.workers, 1, 256, "trainings at a time"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago retrain",
        .summary = "train networks of chosen trials fully",
        .synopsis = "--study FILE --trial N [OPTION]...\n--study FILE --front [OPTION]...",
        .description = description,
        .see_also = "nago-search(1), nago-front(1), nago-train(1), nago-eval(1)",
        .options = options,
    };
    int count;
    command_parse(&command, argc, argv, &count);
    if (!request.study || (request.trial < 0) == !request.front)
        command_usage(&command, !request.study ? "--study is missing"
                                               : "one of --trial and --front is needed");
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    Retrain run = {.request = &request};
    Err err = {0};
    bool ok = retrain(&run, &command, &err);
    view_close(&run.view);
    return ok ? (interrupts ? 130 : EXIT_DONE) : command_fail(&command, &err);
}
