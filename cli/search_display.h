// search_display.h - talk on stderr while a search runs: on a terminal one line a worker and a sum,
// plain lines when piped.
#ifndef NAGO_SEARCH_DISPLAY_H
#define NAGO_SEARCH_DISPLAY_H

#include "../search/driver.h"
#include "../search/results.h"

typedef struct {
    bool is_terminal;
    int drawn;              // lines that stand on the terminal
    int64_t limit;          // of trials; 0: none
    double opened, last;    // monotonic seconds: of the display, of the last drawing
    int first_ended, total; // trials that had ended at the start; that have ended now
    bool has_counted;
    Text summary;          // of the store, made anew whenever a trial has ended
    double n_epochs_ended; // budget of the trials that ended since the start
} Display;

void display_open(Display *display, int64_t limit);
// Draws at most a few times a second; when piped, a line in 10 seconds.
void display_update(Display *display, const Driver *driver);
// A trial has ended: its line, and a new sum.
void display_trial(Display *display, const Driver *driver, const StudyTrial *trial);
// A line that stays.
void display_line(Display *display, const char *fmt, ...) NAGO_PRINTF(2, 3);
// Removes what is not to stay.
void display_close(Display *display);

#endif
