// process.c - starting programs by exec, with their stdout in a pipe and limits of their own.
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A file without a name that holds `text`: unlike a pipe it cannot block us.
static int input_open(const char *text)
{
    if (!text)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    int file = memfd_create("input", MFD_CLOEXEC);
    size_t length = strlen(text);
    if (file >= 0 && (write(file, text, length) != (ssize_t)length || lseek(file, 0, SEEK_SET))) {
        close(file);
        return -1;
    }
    return file;
}

// Between fork and exec only calls that are safe there.
NAGO_NORETURN static void child_run(const ProcessOrder *order, pid_t parent, int input, int output,
                                    int log, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (order->own_group)
        setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    if (log >= 0)
        dup2(log, STDERR_FILENO);
    if (order->memory_limit > 0) {
        struct rlimit limit = {(rlim_t)order->memory_limit, (rlim_t)order->memory_limit};
        setrlimit(RLIMIT_AS, &limit);
    }
    if (getppid() == parent && (!order->folder || chdir(order->folder) == 0))
        execvp(order->argv[0], (char *const *)order->argv);
    int code = errno;
    if (write(report, &code, sizeof code) < 0)
        _exit(126);
    _exit(127);
}

typedef struct {
    int input, log, output[2], report[2];
} Ends;

static void ends_close(Ends *ends)
{
    const int all[] = {ends->input,     ends->log,       ends->output[0],
                       ends->output[1], ends->report[0], ends->report[1]};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        if (all[i] >= 0)
            close(all[i]);
}

static bool ends_open(const ProcessOrder *order, Ends *ends)
{
    *ends = (Ends){-1, -1, {-1, -1}, {-1, -1}};
    ends->input = input_open(order->input);
    if (order->log)
        ends->log = open(order->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666);
    return ends->input >= 0 && (!order->log || ends->log >= 0) &&
           pipe2(ends->output, O_CLOEXEC) == 0 && pipe2(ends->report, O_CLOEXEC) == 0;
}

// The pipe that exec closes: what comes through it is why exec failed.
static bool report_read(int report, int *code)
{
    ssize_t got;
    do
        got = read(report, code, sizeof *code);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof *code;
}

bool process_start(const ProcessOrder *order, Process *process, Err *err)
{
    Ends ends;
    int code = 0;
    *process = (Process){.output = -1};
    if (!ends_open(order, &ends)) {
        err_run(err, "cannot start %s: %s", order->argv[0], strerror(errno));
        ends_close(&ends);
        return false;
    }
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child_run(order, parent, ends.input, ends.output[1], ends.log, ends.report[1]);
    code = errno;
    close(ends.report[1]);
    ends.report[1] = -1;
    if (pid < 0 || report_read(ends.report[0], &code)) {
        err_run(err, "cannot start %s: %s", order->argv[0], strerror(code));
        if (pid > 0)
            waitpid(pid, NULL, 0);
        ends_close(&ends);
        return false;
    }
    *process = (Process){pid, ends.output[0]};
    fcntl(process->output, F_SETFL, O_NONBLOCK);
    ends.output[0] = -1;
    ends_close(&ends);
    return true;
}

bool process_read(Process *process, Text *text)
{
    char chunk[4096];
    while (process->output >= 0) {
        ssize_t got = read(process->output, chunk, sizeof chunk);
        if (got > 0) {
            text_add(text, chunk, (size_t)got);
            continue;
        }
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        close(process->output);
        process->output = -1;
    }
    return false;
}

bool process_ended(Process *process, int *status)
{
    if (process->pid == 0 || waitpid(process->pid, status, WNOHANG) != process->pid)
        return false;
    process->pid = 0;
    return true;
}

void process_signal(const Process *process, bool own_group, int number)
{
    if (process->pid > 0)
        kill(own_group ? -process->pid : process->pid, number);
}

void process_close(Process *process)
{
    if (process->output >= 0)
        close(process->output);
    process->output = -1;
}

bool process_run(const ProcessOrder *order, double seconds, Text *text, int *status, Err *err)
{
    Process process;
    if (!process_start(order, &process, err))
        return false;
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    bool killed = false;
    while (!process_ended(&process, status)) {
        // Its output ends when it does, but for what it leaves behind: then the wait is short.
        struct pollfd output = {.fd = process.output, .events = POLLIN};
        poll(&output, 1, process.output >= 0 ? 100 : 1);
        process_read(&process, text);
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (killed || (double)(now.tv_sec - begin.tv_sec) < seconds)
            continue;
        process_signal(&process, order->own_group, SIGKILL);
        killed = true;
        err_run(err, "%s did not end within %.0f seconds", order->argv[0], seconds);
    }
    process_read(&process, text);
    process_close(&process);
    return !killed;
}

const char *process_status(int status, Pool *pool)
{
    if (WIFSIGNALED(status))
        return pool_printf(pool, "was killed by signal %d (%s)", WTERMSIG(status),
                           strsignal(WTERMSIG(status)));
    return pool_printf(pool, "ended with exit status %d", WEXITSTATUS(status));
}
