// trial_command.c - one evaluation by a command of the user's: JSON in, JSON out.
#define _GNU_SOURCE
#include "../runtime/process.h"
#include "trial.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ANSWER = 1 << 20 };

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static TrialEnd command_failed(StudyTrial *result, const char *why)
{
    result->state = STUDY_FAILED;
    result->error = why;
    return TRIAL_ENDED;
}

// {"values": [...]}, finite and as many as there are objectives, or {"failed": "why"}.
static TrialEnd answer_read(const TrialJob *job, const char *text, StudyTrial *result, Pool *pool)
{
    int wanted = job->plan->search.n_objectives, count = 0;
    cJSON *answer = cJSON_Parse(text);
    const cJSON *failed = cJSON_GetObjectItemCaseSensitive(answer, "failed");
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(answer, "values"), *value;
    bool ok = cJSON_IsArray(values) && cJSON_GetArraySize(values) == wanted;
    if (ok)
        cJSON_ArrayForEach(value, values)
        {
            ok = ok && cJSON_IsNumber(value) && isfinite(value->valuedouble);
            result->values[count++] = value->valuedouble;
        }
    const char *why =
        cJSON_IsString(failed)
            ? pool_printf(pool, "the command says: %.200s", failed->valuestring)
            : pool_printf(pool,
                          "the command printed no {\"values\": [...]} of %d finite numbers: "
                          "%.60s",
                          wanted, text ? text : "(nothing)");
    cJSON_Delete(answer);
    if (!ok)
        return command_failed(result, why);
    result->state = STUDY_FINISHED;
    result->n_values = wanted;
    return TRIAL_ENDED;
}

// Waits until the command has ended and closed its output; *why: NULL, or why it was ended.
static bool command_wait(const TrialJob *job, Process *process, Text *answer, int *status,
                         const char **why, Pool *pool)
{
    double start = seconds_now();
    bool has_ended = false, is_asked_to_stop = false;
    while (!has_ended) {
        struct pollfd waiting = {process->output, POLLIN, 0};
        poll(&waiting, process->output >= 0, 50);
        process_read(process, answer);
        has_ended = process_ended(process, status);
        bool is_late = job->time_limit > 0 && seconds_now() - start > job->time_limit;
        if (is_late && !*why)
            *why = pool_printf(pool, "the time limit of %g s has passed", job->time_limit);
        if (answer->length > MAX_ANSWER && !*why)
            *why = "the command printed more than 1 MB";
        if (!is_asked_to_stop && !job->tell(job->user, 0, "command"))
            is_asked_to_stop = true;
        if (*why || is_asked_to_stop)
            process_signal(process, true, SIGKILL);
    }
    process_read(process, answer);
    process_close(process);
    return !is_asked_to_stop;
}

TrialEnd trial_command(const TrialJob *job, StudyTrial *result, Pool *pool, Err *err)
{
    const char *argv[] = {"/bin/sh", "-c", job->plan->command, NULL};
    const StudyTrial *trial = job->trial;
    ProcessOrder order = {.argv = argv, .own_group = true};
    Process process;
    Text answer = {0};
    int status = 0;
    const char *why = NULL;
    *result = (StudyTrial){.id = trial->id, .parent = trial->parent};
    order.input = pool_printf(pool, "{\"id\": %lld, \"params\": %s, \"budget\": %.17g}\n",
                              (long long)trial->id, trial->params, trial->budget);
    if (!process_start(&order, &process, err))
        return TRIAL_BROKEN;
    bool goes_on = command_wait(job, &process, &answer, &status, &why, pool);
    TrialEnd end = TRIAL_STOPPED;
    if (goes_on && why)
        end = command_failed(result, why);
    else if (goes_on && status != 0)
        end = command_failed(result,
                             pool_printf(pool, "the command %s", process_status(status, pool)));
    else if (goes_on)
        end = answer_read(job, answer.data, result, pool);
    text_free(&answer);
    return end;
}
