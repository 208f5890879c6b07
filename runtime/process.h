// process.h - programs that we start: a worker for each trial, a command of the user's, a compiler,
// an emulator.
#ifndef NAGO_PROCESS_H
#define NAGO_PROCESS_H

#include "../compiler/base.h"

#include <sys/types.h>

typedef struct {
    const char *const *argv; // [0]: a path, or a name on the PATH; ends with NULL
    const char *input;       // what the program reads on stdin; NULL: nothing
    const char *log;         // file that its stderr is appended to; NULL: ours
    const char *folder;      // where it runs; NULL: here
    int64_t memory_limit;    // bytes of address space; 0: none
    bool own_group;          // a process group of its own: the terminal's Ctrl-C is not for it
} ProcessOrder;

typedef struct {
    pid_t pid;  // 0: none
    int output; // what it writes to stdout, non-blocking; -1: closed
} Process;

// Starts a program; it is asked to end (SIGTERM) when this process does.
bool process_start(const ProcessOrder *order, Process *process, Err *err);
// Appends what has come on stdout; false: it has closed it.
bool process_read(Process *process, Text *text);
// Whether it has ended; then *status is waitpid's and `pid` is 0.
bool process_ended(Process *process, int *status);
// Sends a signal to it, and with own_group to all that it has started.
void process_signal(const Process *process, bool own_group, int number);
void process_close(Process *process);
// Runs a program to its end: what it writes to stdout goes to the end of `text`, *status is
// waitpid's.  One that takes longer than `seconds` is killed, an error.
bool process_run(const ProcessOrder *order, double seconds, Text *text, int *status, Err *err);

// "ended with exit status 3", "was killed by signal 11 (Segmentation fault)"; lives in `pool`.
const char *process_status(int status, Pool *pool);

#endif
