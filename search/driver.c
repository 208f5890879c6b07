// driver.c - the loop of a search.
//
//     store --history--> optimizer --suggestion--> store (queued) --> nago worker (exec) --> store
//
// The driver holds nothing that the store does not: it may be killed at any moment, and any number
// of drivers may share a study.  Workers write their own results; what the driver adds is the end
// of those that could not.
#define _GNU_SOURCE
#include "driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const double recover_interval = 5, hang_grace = 30; // seconds
enum { TICK_MS = 100 };

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void say(const Driver *driver, const char *fmt, ...) NAGO_PRINTF(2, 3);
static void say(const Driver *driver, const char *fmt, ...)
{
    char message[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    driver->watch.line(driver->watch.user, message);
}

static int workers_busy(const Driver *driver)
{
    int busy = 0;
    for (int i = 0; i < driver->options.workers; i++)
        busy += driver->workers[i].process.pid > 0;
    return busy;
}

// ---- a worker's log ----------------------------------------------------------------------------

static const char *log_path(const Driver *driver, int64_t trial, Pool *pool)
{
    return pool_printf(pool, "%s/%lld.log", study_folder(driver->study), (long long)trial);
}

// What the worker said on stderr, its last `max` bytes without the newline at the end; "" if
// nothing.
static const char *log_tail(const Driver *driver, int64_t trial, size_t max, Pool *pool)
{
    char *data;
    size_t size;
    Err err = {0};
    if (!file_read(log_path(driver, trial, pool), 16 << 20, &data, &size, &err))
        return "";
    while (size > 0 && data[size - 1] == '\n')
        data[--size] = '\0';
    const char *tail = pool_strdup(pool, data + (size > max ? size - max : 0));
    free(data);
    return tail;
}

static void log_remove(const Driver *driver, int64_t trial, Pool *pool)
{
    unlink(log_path(driver, trial, pool));
}

// ---- the end of a worker -----------------------------------------------------------------------

// Records what a worker that ended without a result could not.
static bool crash_record(Driver *driver, DriverWorker *worker, const StudyTrial *trial, int status,
                         Pool *pool, Err *err)
{
    bool is_ours = true;
    const char *owner = trial->owner;
    if (trial->state == STUDY_QUEUED) { // it did not even come to claim it
        owner = driver->owner;
        if (!study_claim(driver->study, trial->id, owner, &is_ours, err))
            return false;
    }
    bool is_lost = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !worker->was_killed;
    if (!is_ours || (trial->state == STUDY_RUNNING && !study_owner_is_dead(owner)))
        return true; // another worker has it
    if (is_lost && trial->attempts < STUDY_ATTEMPTS) {
        say(driver, "trial %lld: its worker was killed; the trial is queued again",
            (long long)trial->id);
        return study_release(driver->study, trial->id, owner, true, &is_ours, err);
    }
    const char *tail = log_tail(driver, trial->id, 200, pool), *line = strrchr(tail, '\n');
    line = line ? line + 1 : tail;
    StudyTrial result = *trial;
    result.state = STUDY_FAILED;
    result.error = worker->was_killed
                       ? pool_printf(pool, "it hung: killed %g s after the time limit of %g s",
                                     hang_grace, driver->options.trial_seconds)
                       : pool_printf(pool, "its worker %s%s%s", process_status(status, pool),
                                     *line ? ": " : "", line);
    return study_end(driver->study, &result, owner, &is_ours, err);
}

static bool worker_broken(const Driver *driver, const DriverWorker *worker, Pool *pool, Err *err)
{
    const char *said = log_tail(driver, worker->trial, 1500, pool);
    log_remove(driver, worker->trial, pool);
    return err_run(err, "%s", *said ? said : "a worker could not work and did not say why");
}

static bool worker_finish(Driver *driver, DriverWorker *worker, int status, Err *err)
{
    Pool *pool = pool_new();
    StudyTrial *trial;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    process_close(&worker->process);
    text_free(&worker->output);
    bool ok = code != WORKER_BROKEN || worker_broken(driver, worker, pool, err);
    ok = ok && study_trial(driver->study, worker->trial, &trial, pool, err);
    bool has_result = code == WORKER_DONE || code == WORKER_STOPPED || code == WORKER_TAKEN;
    if (ok && trial && !has_result &&
        (trial->state == STUDY_QUEUED || trial->state == STUDY_RUNNING))
        ok = crash_record(driver, worker, trial, status, pool, err) &&
             study_trial(driver->study, worker->trial, &trial, pool, err);
    if (ok && trial && trial->state > STUDY_RUNNING && code != WORKER_TAKEN) {
        driver->n_ended++;
        driver->watch.ended(driver->watch.user, driver, trial);
    }
    if (ok && has_result)
        log_remove(driver, worker->trial, pool);
    pool_free(pool);
    return ok;
}

static bool workers_reap(Driver *driver, Err *err)
{
    for (int i = 0; i < driver->options.workers; i++) {
        int status;
        DriverWorker *worker = &driver->workers[i];
        if (process_ended(&worker->process, &status) && !worker_finish(driver, worker, status, err))
            return false;
    }
    return true;
}

// ---- looking after workers ---------------------------------------------------------------------

// "0.25 epoch 1/3": the last whole line says how far it is.
static void output_read(DriverWorker *worker)
{
    process_read(&worker->process, &worker->output);
    char *end = worker->output.data ? strrchr(worker->output.data, '\n') : NULL;
    if (!end)
        return;
    *end = '\0';
    char *line = strrchr(worker->output.data, '\n');
    line = line ? line + 1 : worker->output.data;
    char *words;
    worker->share = strtod(line, &words);
    snprintf(worker->words, sizeof worker->words, "%s", words + (*words == ' '));
    text_free(&worker->output);
}

static void hang_check(const Driver *driver, DriverWorker *worker)
{
    double limit = driver->options.trial_seconds;
    if (limit <= 0 || worker->was_killed || seconds_now() - worker->started < limit + hang_grace)
        return;
    worker->was_killed = true;
    process_signal(&worker->process, true, SIGKILL);
}

static void workers_watch(Driver *driver)
{
    struct pollfd outputs[DRIVER_MAX_WORKERS];
    int count = 0;
    for (int i = 0; i < driver->options.workers; i++)
        if (driver->workers[i].process.pid > 0 && driver->workers[i].process.output >= 0)
            outputs[count++] = (struct pollfd){driver->workers[i].process.output, POLLIN, 0};
    poll(outputs, (nfds_t)count, TICK_MS);
    for (int i = 0; i < driver->options.workers; i++)
        if (driver->workers[i].process.pid > 0) {
            output_read(&driver->workers[i]);
            hang_check(driver, &driver->workers[i]);
        }
}

static void workers_signal(Driver *driver, int number)
{
    for (int i = 0; i < driver->options.workers; i++)
        process_signal(&driver->workers[i].process, true, number);
}

// ---- new work ----------------------------------------------------------------------------------

static bool worker_start(Driver *driver, DriverWorker *worker, const StudyTrial *trial, Err *err)
{
    Pool *pool = pool_new();
    const DriverOptions *options = &driver->options;
    const char *argv[] = {options->program,
                          "worker",
                          "--study",
                          study_path(driver->study),
                          "--trial",
                          pool_printf(pool, "%lld", (long long)trial->id),
                          "--jit",
                          options->jit,
                          options->trial_seconds > 0 ? "--time-limit" : NULL,
                          pool_printf(pool, "%.17g", options->trial_seconds),
                          NULL};
    ProcessOrder order = {.argv = argv,
                          .log = log_path(driver, trial->id, pool),
                          .memory_limit = options->trial_memory,
                          .own_group = true};
    *worker = (DriverWorker){.trial = trial->id, .budget = trial->budget, .started = seconds_now()};
    bool ok = process_start(&order, &worker->process, err);
    pool_free(pool);
    return ok;
}

static bool is_mine(const Driver *driver, int64_t trial)
{
    for (int i = 0; i < driver->options.workers; i++)
        if (driver->workers[i].process.pid > 0 && driver->workers[i].trial == trial)
            return true;
    return false;
}

static const StudyTrial *next_queued(const Driver *driver, const StudyTrial *trials, int count)
{
    for (int i = 0; i < count; i++)
        if (trials[i].state == STUDY_QUEUED && !is_mine(driver, trials[i].id))
            return &trials[i];
    return NULL;
}

// Finds work for one free place; *found: there was some.
static bool work_find(Driver *driver, DriverWorker *worker, bool *found, Pool *pool, Err *err)
{
    StudyTrial *trials;
    int count;
    *found = false;
    if (!study_trials(driver->study, &trials, &count, pool, err))
        return false;
    const StudyTrial *next = next_queued(driver, trials, count);
    int64_t left = driver->options.trials - trials_counted(trials, count), first;
    if (!next && (driver->options.trials == 0 || left > 0)) {
        int n = driver->options.batch;
        if (driver->options.trials > 0 && n > left)
            n = (int)left;
        double start = seconds_now();
        if (!suggestions_add(driver->study, driver->optimizer, driver->plan, n, STUDY_QUEUED, NULL,
                             &first, err) ||
            !study_trials(driver->study, &trials, &count, pool, err))
            return false;
        driver->suggest_seconds = (seconds_now() - start) / n;
        next = next_queued(driver, trials, count);
    }
    *found = next != NULL;
    return !next || worker_start(driver, worker, next, err);
}

static bool places_fill(Driver *driver, Err *err)
{
    bool found = true, ok = true;
    for (int i = 0; ok && found && i < driver->options.workers; i++) {
        Pool *pool = pool_new();
        if (driver->workers[i].process.pid == 0)
            ok = work_find(driver, &driver->workers[i], &found, pool, err);
        pool_free(pool);
    }
    return ok;
}

// Puts back what other processes have lost.  Our own workers' trials are ours to judge.
static bool lost_recover(Driver *driver, Err *err)
{
    int count = 0;
    double now = seconds_now();
    if (driver->recovered > 0 && now - driver->recovered < recover_interval)
        return true;
    driver->recovered = now;
    if (!study_recover(driver->study, &count, err))
        return false;
    if (count > 0)
        say(driver, "%d trial%s of a process that has ended %s queued again", count,
            count == 1 ? "" : "s", count == 1 ? "is" : "are");
    return true;
}

// ---- the loop ----------------------------------------------------------------------------------

static void stop_begin(Driver *driver)
{
    if (driver->is_stopping)
        return;
    driver->is_stopping = true;
    workers_signal(driver, SIGTERM);
}

// Ends all workers now; what they have not stored is put back by the next search.
static void workers_end(Driver *driver)
{
    workers_signal(driver, SIGKILL);
    for (int i = 0; i < driver->options.workers; i++) {
        DriverWorker *worker = &driver->workers[i];
        if (worker->process.pid > 0)
            waitpid(worker->process.pid, NULL, 0);
        worker->process.pid = 0;
        process_close(&worker->process);
        text_free(&worker->output);
    }
}

static bool loop_run(Driver *driver, Err *err)
{
    double limit = driver->options.seconds;
    for (;;) {
        if (!workers_reap(driver, err))
            return false;
        if (!driver->is_stopping && (!lost_recover(driver, err) || !places_fill(driver, err)))
            return false;
        if (workers_busy(driver) == 0)
            return true;
        workers_watch(driver);
        driver->is_out_of_time = limit > 0 && seconds_now() - driver->started >= limit;
        DriverWish wish = driver->watch.tick(driver->watch.user, driver);
        if (wish == DRIVER_LEAVES)
            return true;
        if (wish == DRIVER_STOPS || driver->is_out_of_time)
            stop_begin(driver);
    }
}

static bool others_announce(Driver *driver, Err *err)
{
    Pool *pool = pool_new();
    StudyTrial *trials;
    int count, others = 0;
    bool ok = study_trials(driver->study, &trials, &count, pool, err);
    for (int i = 0; ok && i < count; i++)
        others += trials[i].state == STUDY_RUNNING && !study_owner_is_dead(trials[i].owner);
    if (ok && others > 0)
        say(driver, "another search is at work on this study (%d running trial%s): sharing it",
            others, others == 1 ? "" : "s");
    pool_free(pool);
    return ok;
}

bool driver_run(Driver *driver, Err *err)
{
    driver->pool = pool_new();
    driver->owner = study_owner(driver->pool);
    driver->started = seconds_now();
    driver->workers = xcalloc((size_t)driver->options.workers, sizeof *driver->workers);
    for (int i = 0; i < driver->options.workers; i++)
        driver->workers[i].process.output = -1;
    bool ok = optimizer_open(&driver->plan->search, driver->plan->space, &driver->optimizer, err) &&
              lost_recover(driver, err) && others_announce(driver, err) && loop_run(driver, err);
    workers_end(driver);
    optimizer_close(driver->optimizer);
    free(driver->workers);
    pool_free(driver->pool);
    return ok;
}
