// search_display.c - how a search is getting on.
//
//     trial 41  budget 3  error 34.50 %  0:34  model
//       1  trial 42  [======>      ]  epoch 2/3  loss 1.203
//       2  trial 43  [==>          ]  epoch 1/1  loss 1.811
//     42 of 80 trials, rungs 28/10/4; best error 31.20 % (validation), trial 17; 0:51:10 left
#define _GNU_SOURCE
#include "search_display.h"

#include "progress.h"
#include "study_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double terminal_interval = 0.2, pipe_interval = 10; // seconds
enum { BAR = 12 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_width(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void display_open(Display *display, int64_t limit)
{
    *display =
        (Display){.is_terminal = isatty(STDERR_FILENO) == 1, .limit = limit, .opened = now()};
    display->last = display->is_terminal ? 0 : display->opened;
}

static void erase(Display *display)
{
    for (int i = 0; i < display->drawn; i++)
        fputs("\033[A\033[2K", stderr);
    display->drawn = 0;
}

static void put_line(Display *display, const char *line)
{
    fprintf(stderr, "%.*s\n", terminal_width() - 1, line);
    display->drawn++;
}

// ---- the sum -----------------------------------------------------------------------------------

static void rungs_print(const StudyTrial *trials, int count, const StudyPlan *plan, Text *out)
{
    double budgets[MAX_RUNGS];
    int rungs = optimizer_budgets(&plan->search, budgets);
    if (rungs < 2)
        return;
    text_puts(out, ", rungs ");
    for (int r = 0; r < rungs; r++) {
        int ended = 0;
        for (int i = 0; i < count; i++)
            ended += trials[i].state > STUDY_RUNNING && trials[i].bracket >= 0 &&
                     fabs(trials[i].budget - budgets[r]) < 1e-9 * budgets[r];
        text_printf(out, "%s%d", r ? "/" : "", ended);
    }
}

static void best_print(const StudyPlan *plan, const StudyResults *results, Text *out)
{
    if (results->n_front == 0)
        return;
    if (plan->search.n_objectives == 1) {
        text_puts(out, "; best ");
        view_values(plan, results->front[0], out);
        text_printf(out, "%s, trial %lld", view_split(plan), (long long)results->front[0]->id);
        return;
    }
    text_printf(out, "; front of %d", results->n_front);
    if (results->has_reference)
        text_printf(out, ", hypervolume %.5g", results->hypervolume);
}

static void summary_make(Display *display, const Driver *driver)
{
    Pool *pool = pool_new();
    StudyTrial *trials;
    StudyResults results;
    int count, ended = 0, failed = 0;
    Err err = {0};
    if (study_trials(driver->study, &trials, &count, pool, &err)) {
        for (int i = 0; i < count; i++) {
            ended += trials[i].state > STUDY_RUNNING && trials[i].bracket >= 0;
            failed += trials[i].state == STUDY_FAILED;
        }
        results_make(trials, count, driver->plan, driver->study, &results, pool);
        results_reference(driver->study, driver->plan, &results, pool, &err);
        text_free(&display->summary);
        text_printf(&display->summary, "%d", ended);
        if (display->limit)
            text_printf(&display->summary, " of %lld", (long long)display->limit);
        text_puts(&display->summary, " trials");
        rungs_print(trials, count, driver->plan, &display->summary);
        if (failed)
            text_printf(&display->summary, ", %d failed", failed);
        best_print(driver->plan, &results, &display->summary);
        if (!display->has_counted)
            display->first_ended = ended - driver->n_ended;
        display->has_counted = true;
        display->total = ended;
    }
    pool_free(pool);
}

// Seconds left at the pace so far; running trials count by the share that is done.
static double seconds_left(const Display *display, const Driver *driver)
{
    double done = display->total - display->first_ended, seconds = now() - display->opened;
    double left = display->limit - display->total;
    for (int i = 0; i < driver->options.workers; i++)
        if (driver->workers[i].process.pid > 0) {
            done += driver->workers[i].share;
            left -= driver->workers[i].share;
        }
    double by_pace = display->limit > 0 && done > 0 ? left * seconds / done : -1;
    double by_clock = driver->options.seconds > 0 ? driver->options.seconds - seconds : -1;
    return by_clock >= 0 && (by_pace < 0 || by_clock < by_pace) ? by_clock : by_pace;
}

// ---- drawing -----------------------------------------------------------------------------------

static void worker_print(const DriverWorker *worker, int number, Text *out)
{
    int cells = (int)(worker->share * BAR);
    cells = cells < 0 ? 0 : cells > BAR ? BAR : cells;
    char clock[32];
    text_printf(out, "%3d  trial %lld  [%.*s%*s]  %s  %s", number, (long long)worker->trial, cells,
                "============", BAR - cells, "", worker->words,
                progress_clock(now() - worker->started, clock));
}

static void sum_print(const Display *display, const Driver *driver, Text *out)
{
    char clock[32];
    text_puts(out, display->summary.data ? display->summary.data : "no trial has ended");
    double left = seconds_left(display, driver);
    if (left >= 0)
        text_printf(out, "; %s left", progress_clock(left, clock));
}

void display_update(Display *display, const Driver *driver)
{
    double interval = display->is_terminal ? terminal_interval : pipe_interval;
    Text line = {0};
    if (now() - display->last < interval)
        return;
    display->last = now();
    if (!display->summary.data)
        summary_make(display, driver);
    erase(display);
    for (int i = 0; display->is_terminal && i < driver->options.workers; i++) {
        if (driver->workers[i].process.pid == 0)
            continue;
        worker_print(&driver->workers[i], i + 1, &line);
        put_line(display, line.data);
        text_free(&line);
    }
    sum_print(display, driver, &line);
    put_line(display, line.data);
    if (!display->is_terminal)
        display->drawn = 0;
    text_free(&line);
    fflush(stderr);
}

void display_line(Display *display, const char *fmt, ...)
{
    erase(display);
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputs("\n", stderr);
    if (display->is_terminal)
        display->last = 0;
}

void display_trial(Display *display, const Driver *driver, const StudyTrial *trial)
{
    Pool *pool = pool_new();
    Text values = {0};
    char clock[32];
    view_values(driver->plan, trial, &values);
    display_line(display, "trial %lld  budget %g  %s  %s  %s", (long long)trial->id, trial->budget,
                 values.data ? values.data : "", view_reason(trial, pool),
                 progress_clock(trial->ended - trial->started, clock));
    text_free(&values);
    pool_free(pool);
    summary_make(display, driver);
}

void display_close(Display *display)
{
    erase(display);
    text_free(&display->summary);
    fflush(stderr);
}
