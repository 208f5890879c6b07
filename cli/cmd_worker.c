// cmd_worker.c - `nago worker`: claims one trial of a study, evaluates it, stores the result.
//
// `nago search` starts one for each trial, since a program may crash, hang or eat the memory
// without taking the search with it.  A thread renews the lease meanwhile; its end says how it went
// (driver.h), its stdout how far it is.
#define _GNU_SOURCE
#include "../search/driver.h"
#include "../search/latency.h"
#include "../search/trial.h"
#include "study_request.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const jit_names[] = {"tcc", "gcc", NULL};
static const double tell_interval = 0.2; // seconds
enum { BEAT_SECONDS = 10 };

typedef struct {
    const Command *command;
    const char *path, *owner;
    int64_t id;
    double time_limit;
    int jit;
    Study *study;
    StudyRequest request;
    StudyTrial *trial, *parent;
    int64_t root;
    Dataset *data;
    Pool *pool;
    double told;
} Worker;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// ---- signals -----------------------------------------------------------------------------------

static volatile sig_atomic_t is_asked_to_stop;

static void interrupt(int number)
{
    (void)number;
    is_asked_to_stop = 1;
}

static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGXFSZ, SIG_IGN); // a file size limit is an error of the write, with a message
    signal(SIGPIPE, SIG_IGN); // a driver that has ended
}

// ---- the lease ---------------------------------------------------------------------------------

typedef struct {
    const char *path, *owner;
    int64_t id;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ends, is_lost;
} Lease;

// Renews it until told to end; a trial that is somebody else's by now is not worth finishing.
static void *lease_keep(void *argument)
{
    Lease *lease = argument;
    Study *study;
    Err err = {0};
    bool is_ours = true;
    if (!study_open(lease->path, STUDY_WRITE, &study, &err))
        return NULL;
    pthread_mutex_lock(&lease->mutex);
    while (!lease->ends && is_ours) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += BEAT_SECONDS;
        pthread_cond_timedwait(&lease->changed, &lease->mutex, &until);
        if (!lease->ends && study_beat(study, lease->id, lease->owner, &is_ours, &err) && !is_ours)
            is_asked_to_stop = 1;
    }
    pthread_mutex_unlock(&lease->mutex);
    study_close(study);
    return NULL;
}

static bool lease_open(Lease *lease, const Worker *worker, Err *err)
{
    *lease = (Lease){.path = worker->path, .owner = worker->owner, .id = worker->id};
    pthread_mutex_init(&lease->mutex, NULL);
    pthread_cond_init(&lease->changed, NULL);
    return pthread_create(&lease->thread, NULL, lease_keep, lease) == 0 ||
           err_run(err, "cannot start a thread");
}

static void lease_close(Lease *lease)
{
    pthread_mutex_lock(&lease->mutex);
    lease->ends = true;
    pthread_cond_signal(&lease->changed);
    pthread_mutex_unlock(&lease->mutex);
    pthread_join(lease->thread, NULL);
}

// ---- the trial ---------------------------------------------------------------------------------

static bool tell(void *user, double share, const char *words)
{
    Worker *worker = user;
    double now = seconds_now();
    if (now - worker->told > tell_interval) {
        worker->told = now;
        printf("%.4f %s\n", share, words);
        fflush(stdout);
    }
    return !is_asked_to_stop;
}

static bool trial_find(Worker *worker, Err *err)
{
    StudyTrial *trials;
    int count;
    if (!study_trials(worker->study, &trials, &count, worker->pool, err))
        return false;
    if (worker->id >= count)
        return err_input(err, "--trial %lld: the study has %d trials", (long long)worker->id,
                         count);
    worker->trial = &trials[worker->id];
    worker->root = trial_root(trials, count, worker->trial);
    if (worker->trial->parent >= 0 && worker->trial->parent < count)
        worker->parent = &trials[worker->trial->parent];
    return true;
}

static TrialEnd trial_evaluate(Worker *worker, StudyTrial *result, Err *err)
{
    const StudyPlan *plan = &worker->request.plan;
    LatencyStore store;
    TrialJob job = {.plan = plan,
                    .trial = worker->trial,
                    .parent = worker->parent,
                    .root = worker->root,
                    .folder = study_folder(worker->study),
                    .time_limit = worker->time_limit,
                    .jit = (JitKind)worker->jit,
                    .times = latency_times(&store, worker->study, true),
                    .tell = tell,
                    .user = worker};
    if (plan->command)
        return trial_command(&job, result, worker->pool, err);
    if (!plan_data(plan, &worker->data, err))
        return TRIAL_BROKEN;
    return trial_network(&job, worker->data, result, worker->pool, err);
}

static int worker_fail(const Worker *worker, const Err *err)
{
    command_fail(worker->command, err);
    return WORKER_BROKEN;
}

static int result_store(Worker *worker, TrialEnd end, const StudyTrial *result, Err *err)
{
    bool is_ours;
    if (end == TRIAL_ENDED) {
        if (!study_end(worker->study, result, worker->owner, &is_ours, err))
            return worker_fail(worker, err);
        return is_ours ? WORKER_DONE : WORKER_TAKEN;
    }
    Err first = *err;
    bool ok = study_release(worker->study, worker->id, worker->owner, false, &is_ours, err);
    if (end == TRIAL_BROKEN)
        return worker_fail(worker, &first);
    return ok ? WORKER_STOPPED : worker_fail(worker, err);
}

static int worker_run(Worker *worker)
{
    Err err = {0};
    bool is_ours;
    StudyTrial result = {0};
    Lease lease;
    if (!study_open(worker->path, STUDY_WRITE, &worker->study, &err) ||
        !request_recall(&worker->request, worker->command, worker->study, &err) ||
        !trial_find(worker, &err) ||
        !study_claim(worker->study, worker->id, worker->owner, &is_ours, &err))
        return worker_fail(worker, &err);
    if (!is_ours)
        return WORKER_TAKEN;
    if (!lease_open(&lease, worker, &err))
        return worker_fail(worker, &err);
    TrialEnd end = trial_evaluate(worker, &result, &err);
    int code = result_store(worker, end, &result, &err);
    lease_close(&lease);
    return code;
}

static const char description[] =
    "Claims a trial of a study that waits for a worker, evaluates it (draws the network, compiles "
    "it, trains it from the checkpoint of the trial it continues, measures it) and stores the "
    "result. nago search starts one of these for each trial; by hand it is of use to look at a "
    "trial that fails.\n\n"
    "A termination signal ends it after the current step with a checkpoint; the trial is queued "
    "again. Exit status: 0 the result is stored, 4 stopped, 5 the machine is at fault (no data, a "
    "full disk), 6 another worker has the trial; all else is a crash.";

int cmd_worker(int argc, char **argv)
{
    Pool *pool = pool_new();
    Worker worker = {.pool = pool, .path = NULL};
    int trial = -1;
    const Option options[] = {
        OPTION_STRING("study", 0, "FILE", &worker.path, "the study"),
        OPTION_INT("trial", 0, "N", &trial, 0, INT32_MAX, "its trial"),
        OPTION_DURATION("time-limit", 0, "TIME", &worker.time_limit,
                        "the trial fails when it takes longer"),
        OPTION_CHOICE("jit", 0, "tcc|gcc", &worker.jit, jit_names,
                      "compiler of the program around the kernels"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago worker",
        .summary = "evaluate one trial of a study",
        .synopsis = "--study FILE --trial N [OPTION]...",
        .description = description,
        .see_also = "nago-search(1)",
        .options = options,
    };
    int count;
    command_parse(&command, argc, argv, &count);
    if (!worker.path || trial < 0)
        command_usage(&command, "--%s is missing", worker.path ? "trial" : "study");
    worker.command = &command;
    worker.id = trial;
    worker.owner = study_owner(pool);
    worker.request.pool = pool;
    signals_catch();
    int code = worker_run(&worker);
    dataset_close(worker.data);
    request_close(&worker.request);
    study_close(worker.study);
    pool_free(pool);
    return code;
}
