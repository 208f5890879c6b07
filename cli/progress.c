// progress.c - the bar on a terminal's last line, or plain lines into a pipe or a file.  Everything
// goes to stderr.
#define _GNU_SOURCE
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static const double terminal_interval = 0.1, pipe_interval = 10; // seconds
enum { BAR_CELLS = 20, NARROW = 60 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void progress_open(Progress *progress, const char *unit, int64_t start, int64_t total)
{
    *progress = (Progress){.unit = unit, .start = start, .done = start, .total = total};
    progress->is_terminal = isatty(STDERR_FILENO) == 1;
    progress->started = now();
    progress->last_drawn = progress->started;
}

double progress_rate(const Progress *progress)
{
    double seconds = now() - progress->started;
    return seconds > 0 ? (double)(progress->done - progress->start) / seconds : 0;
}

double progress_seconds_left(const Progress *progress)
{
    double rate = progress_rate(progress);
    return rate > 0 ? (double)(progress->total - progress->done) / rate : -1;
}

const char *progress_clock(double seconds, char text[32])
{
    if (!(seconds >= 0 && seconds < 360000000)) {
        strcpy(text, "--:--");
        return text;
    }
    int whole = (int)lround(seconds);
    int hours = whole / 3600, minutes = whole / 60 % 60;
    if (hours)
        snprintf(text, 32, "%d:%02d:%02d", hours, minutes, whole % 60);
    else
        snprintf(text, 32, "%d:%02d", minutes, whole % 60);
    return text;
}

// "[=====>     ]  45 %  note  1234 images/s  1:05 left"
static void status_print(const Progress *progress, Text *out)
{
    double share = progress->total > 0 ? (double)progress->done / (double)progress->total : 1;
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    char left[32];
    if (progress->is_terminal && terminal_width() > NARROW) {
        int cells = (int)(share * BAR_CELLS);
        text_printf(out, "[%.*s%s%*s] ", cells,
                    "====================", cells < BAR_CELLS ? ">" : "",
                    cells < BAR_CELLS ? BAR_CELLS - cells - 1 : 0, "");
    }
    text_printf(out, "%3.0f %%  %s  %.*f %s/s  %s left", floor(100 * share), progress->note,
                progress_rate(progress) < 10 ? 1 : 0, progress_rate(progress), progress->unit,
                progress_clock(progress_seconds_left(progress), left));
}

static void bar_erase(Progress *progress)
{
    if (progress->is_drawn)
        fputs("\r\033[K", stderr);
    progress->is_drawn = false;
}

static void bar_draw(Progress *progress)
{
    Text line = {0};
    status_print(progress, &line);
    if (progress->is_terminal) {
        bar_erase(progress);
        fprintf(stderr, "%.*s", terminal_width() - 1, line.data);
        fflush(stderr);
        progress->is_drawn = true;
    } else {
        fprintf(stderr, "%s\n", line.data);
    }
    progress->last_drawn = now();
    text_free(&line);
}

void progress_update(Progress *progress, int64_t done, const char *fmt, ...)
{
    progress->done = done;
    double interval = progress->is_terminal ? terminal_interval : pipe_interval;
    if (now() - progress->last_drawn < interval)
        return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(progress->note, sizeof progress->note, fmt, args);
    va_end(args);
    bar_draw(progress);
}

void progress_line(Progress *progress, const char *fmt, ...)
{
    bool had_bar = progress->is_drawn;
    bar_erase(progress);
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputs("\n", stderr);
    if (had_bar)
        bar_draw(progress);
}

void progress_close(Progress *progress)
{
    bar_erase(progress);
    fflush(stderr);
}
