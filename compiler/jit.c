// jit.c - C text to callable code: libtcc in memory, or gcc as a child process and dlopen.
//
// libtcc compiles under a process-wide lock of its own; its state is freed by jit_close with the
// code.  gcc works in a fresh folder under TMPDIR that is gone before jit_open returns.
#define _GNU_SOURCE
#include "nagoc.h"

#include <dlfcn.h>
#include <errno.h>
#include <libtcc.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct Jit {
    TCCState *tcc;
    void *library;
};

// ---- libtcc -------------------------------------------------------------------------------------

static void keep_first_message(void *opaque, const char *message)
{
    Err *err = opaque;
    if (!err->message[0])
        err_run(err, "internal: tcc: %s", message);
}

static bool open_tcc(Jit *jit, const char *text, Err *err)
{
    jit->tcc = tcc_new();
    if (!jit->tcc)
        return err_run(err, "libtcc cannot start");
    tcc_set_error_func(jit->tcc, err, keep_first_message);
    tcc_set_options(jit->tcc, "-nostdlib -nostdinc");
    tcc_set_output_type(jit->tcc, TCC_OUTPUT_MEMORY);
    if (tcc_compile_string(jit->tcc, text) < 0 || tcc_relocate(jit->tcc, TCC_RELOCATE_AUTO) < 0)
        return err->message[0] ? false : err_run(err, "internal: tcc refused the program");
    return true;
}

// ---- gcc ----------------------------------------------------------------------------------------

// Runs the C compiler with `arguments` (at most 14, then NULL) after its name.
static bool run_compiler(const char *folder, const char *const *arguments, Err *err)
{
    char log[300];
    const char *const cc = getenv("CC") && getenv("CC")[0] ? getenv("CC") : "gcc";
    char *argv[16] = {(char *)cc};
    for (int i = 0; arguments[i]; i++)
        argv[i + 1] = (char *)arguments[i];
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    snprintf(log, sizeof log, "%s/log", folder);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log, 01101 /* write, create, truncate */, 0600);
    const int failed = posix_spawnp(&child, cc, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return err_run(err, "cannot start %s: %s (this needs a C compiler; CC names another)", cc,
                       strerror(failed));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    char *message = NULL;
    size_t size;
    Err ignored = {0};
    if (!file_read(log, 1 << 20, &message, &size, &ignored))
        return err_run(err, "%s failed", cc);
    err_run(err, "%s failed: %.1500s", cc, message);
    free(message);
    return false;
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// net.c to net.o, timed, to net.so.
static bool build_release(const char *folder, JitBuild *build, Err *err)
{
    char source[300], object[300], output[300];
    struct stat file;
    snprintf(source, sizeof source, "%s/net.c", folder);
    snprintf(object, sizeof object, "%s/net.o", folder);
    snprintf(output, sizeof output, "%s/net.so", folder);
    const char *const compile[] = {"-O3", "-march=native", "-fPIC", "-w", "-c",
                                   "-o",  object,          source,  NULL};
    const char *const link[] = {"-shared", "-o", output, object, "-lm", NULL};
    const double begin = now_seconds();
    if (!run_compiler(folder, compile, err))
        return false;
    build->seconds = now_seconds() - begin;
    build->object_bytes = stat(object, &file) == 0 ? (int64_t)file.st_size : 0;
    return run_compiler(folder, link, err);
}

static bool build_quickly(const char *folder, bool march_native, Err *err)
{
    char source[300], output[300];
    snprintf(source, sizeof source, "%s/net.c", folder);
    snprintf(output, sizeof output, "%s/net.so", folder);
    const char *const arguments[] = {
        "-std=c11", "-O1",  "-w",   "-shared", "-fPIC",
        "-o",       output, source, "-lm",     march_native ? "-march=native" : NULL,
        NULL};
    return run_compiler(folder, arguments, err);
}

// build: NULL, or filled in by a build for release.
static bool open_gcc(Jit *jit, const char *text, bool march_native, JitBuild *build, Err *err)
{
    char folder[256], path[300];
    snprintf(folder, sizeof folder, "%s/nagocXXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(folder))
        return err_run(err, "cannot make a folder %s: %s", folder, strerror(errno));
    snprintf(path, sizeof path, "%s/net.c", folder);
    bool done =
        file_write(path, text, strlen(text), err) &&
        (build ? build_release(folder, build, err) : build_quickly(folder, march_native, err));
    if (done) {
        snprintf(path, sizeof path, "%s/net.so", folder);
        jit->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        done = jit->library || err_run(err, "cannot load the compiled net: %s", dlerror());
    }
    static const char *const files[] = {"net.c", "net.o", "net.so", "log"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return done;
}

Jit *jit_open(const char *text, JitKind kind, bool march_native, Err *err)
{
    Jit *jit = xcalloc(1, sizeof *jit);
    if (kind == JIT_TCC ? open_tcc(jit, text, err) : open_gcc(jit, text, march_native, NULL, err))
        return jit;
    jit_close(jit);
    return NULL;
}

Jit *jit_open_release(const char *text, JitBuild *build, Err *err)
{
    Jit *jit = xcalloc(1, sizeof *jit);
    *build = (JitBuild){0};
    if (open_gcc(jit, text, true, build, err))
        return jit;
    jit_close(jit);
    return NULL;
}

void jit_close(Jit *jit)
{
    if (!jit)
        return;
    if (jit->tcc)
        tcc_delete(jit->tcc);
    if (jit->library)
        dlclose(jit->library);
    free(jit);
}

void *jit_symbol(const Jit *jit, const char *name)
{
    return jit->tcc ? tcc_get_symbol(jit->tcc, name) : dlsym(jit->library, name);
}
