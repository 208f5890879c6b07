// kernel_foreign.h - kernels of another processor for kernel_bench.h: ops are compiled by a cross
// compiler and run by arm/runner.c under qemu.
#ifndef TEST_KERNEL_FOREIGN_H
#define TEST_KERNEL_FOREIGN_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arm/runner.h"

#define FOREIGN_CC "aarch64-linux-gnu-gcc"
#define FOREIGN_ROOT "/usr/aarch64-linux-gnu" // its C library, for qemu

typedef struct {
    FILE *to, *from;
    char source[200], library[200];
    int compiled; // libraries so far
} Foreign;

// What a shell finds under the first of these names, or NULL.
static inline const char *foreign_emulator(void)
{
    static const char *const names[] = {"qemu-aarch64-static", "qemu-aarch64"};
    for (int i = 0; i < 2; i++) {
        char command[100];
        snprintf(command, sizeof command, "command -v %s >/dev/null", names[i]);
        if (system(command) == 0)
            return names[i];
    }
    return NULL;
}

// Starts the runner of this build; false, with a reason, where it cannot.
static inline bool foreign_open(Foreign *foreign, const char **reason)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build", *emulator = foreign_emulator();
    char runner[200];
    int to[2], from[2];
    *foreign = (Foreign){0};
    snprintf(runner, sizeof runner, "%s/tests/arm/runner", build);
    *reason = "no qemu-aarch64 is installed";
    if (!emulator)
        return false;
    *reason = "no " FOREIGN_CC " is installed";
    if (access(runner, X_OK) != 0 || system("command -v " FOREIGN_CC " >/dev/null") != 0)
        return false;
    *reason = "no pipe";
    if (pipe(to) != 0 || pipe(from) != 0)
        return false;
    signal(SIGPIPE, SIG_IGN); // a runner that has crashed is reported by its missing answer
    const pid_t child = fork();
    if (child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(emulator, emulator, "-L", FOREIGN_ROOT, runner, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    foreign->to = fdopen(to[1], "wb");
    foreign->from = fdopen(from[0], "rb");
    return child > 0 && foreign->to && foreign->from;
}

static inline bool foreign_answer(Foreign *foreign)
{
    int failed = 1;
    fflush(foreign->to);
    return fread(&failed, sizeof failed, 1, foreign->from) == 1 && !failed;
}

// Compiles a JIT program's text and loads it.
static inline bool foreign_load(Foreign *foreign, const char *text)
{
    const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
    char command[700];
    RunnerRequest request = {.n_programs = 0};
    snprintf(foreign->source, sizeof foreign->source, "%s/tmp/foreign%d.c", build, getpid());
    snprintf(foreign->library, sizeof foreign->library, "%s/tmp/foreign%d-%d.so", build, getpid(),
             foreign->compiled++);
    FILE *file = fopen(foreign->source, "w");
    if (!file)
        return false;
    fputs(text, file);
    fclose(file);
    snprintf(command, sizeof command, FOREIGN_CC " -std=c11 -w -shared -fPIC -o %s %s",
             foreign->library, foreign->source);
    if (system(command) != 0)
        return false;
    snprintf(request.path, sizeof request.path, "%s", foreign->library);
    fwrite(&request, sizeof request, 1, foreign->to);
    const bool loaded = foreign_answer(foreign);
    unlink(foreign->source);
    unlink(foreign->library);
    return loaded;
}

// Runs what was loaded last; `call` brings the labels.
static inline bool foreign_run(Foreign *foreign, int n_programs, const nk_call *call, int n_labels,
                               float *arena, size_t floats, int parts, bool backwards)
{
    const RunnerRequest request = {.n_programs = n_programs,
                                   .parts = parts,
                                   .backwards = backwards,
                                   .n_labels = n_labels,
                                   .floats = (int64_t)floats,
                                   .call = *call};
    fwrite(&request, sizeof request, 1, foreign->to);
    fwrite(arena, sizeof *arena, floats, foreign->to);
    if (n_labels)
        fwrite(call->labels, sizeof(int), (size_t)n_labels, foreign->to);
    return foreign_answer(foreign) && fread(arena, sizeof *arena, floats, foreign->from) == floats;
}

static inline void foreign_close(Foreign *foreign)
{
    if (foreign->to)
        fclose(foreign->to); // the runner ends
    if (foreign->from)
        fclose(foreign->from);
}

#endif
