// progress.h - talk on stderr while something long runs: a bar with the time left on a terminal,
// plain lines when piped.
#ifndef NAGO_PROGRESS_H
#define NAGO_PROGRESS_H

#include "../compiler/base.h"

// State of one bar; use it from one thread.
typedef struct {
    const char *unit; // what is counted: "images"
    int64_t start, done, total;
    bool is_terminal;
    bool is_drawn;              // a bar stands on the terminal's last line
    double started, last_drawn; // seconds, monotonic
    char note[256];
} Progress;

// Starts counting from `start` (0, or what a resumed run has behind it) to `total`; `unit` must
// outlive the bar.
void progress_open(Progress *progress, const char *unit, int64_t start, int64_t total);

// Tells how far it is.  `fmt` says the rest in a few words ("epoch 3/20  loss 1.234").  Cheap:
// draws at most ten times a second on a terminal, prints at most one line in 10 seconds when piped.
void progress_update(Progress *progress, int64_t done, const char *fmt, ...) NAGO_PRINTF(3, 4);

// Prints a line that stays, above the bar; when piped just the line.  No newline in `fmt`.
void progress_line(Progress *progress, const char *fmt, ...) NAGO_PRINTF(2, 3);

// Removes the bar.  Call it before anything else is printed.
void progress_close(Progress *progress);

// Units of `unit` per second since progress_open, and the seconds left at that rate (-1: not known
// yet).
double progress_rate(const Progress *progress);
double progress_seconds_left(const Progress *progress);

// "1:05", "2:03:04": seconds for humans.
const char *progress_clock(double seconds, char text[32]);

#endif
