// firmware.c - the folder in which a generated file becomes a program for a microcontroller.
#define _GNU_SOURCE
#include "firmware.h"
#include "process.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRMWARE(symbol, file) extern const char firmware_##symbol[];
#include "firmware_list.h"
#undef FIRMWARE

static const struct {
    const char *path, *text; // "examples/firmware/main.c"
} files[] = {
#define FIRMWARE(symbol, file) {file, firmware_##symbol},
#include "firmware_list.h"
#undef FIRMWARE
};

static bool unpack(const Workshop *workshop, Err *err)
{
    Pool *pool = pool_new();
    bool done = folder_make(pool_printf(pool, "%s/firmware/include", workshop->path), err);
    for (size_t i = 0; done && i < COUNT_OF(files); i++)
        done = workshop_write(workshop, files[i].path + strlen("examples/"), files[i].text,
                              strlen(files[i].text), err);
    pool_free(pool);
    return done;
}

bool workshop_open(Workshop *workshop, Err *err)
{
    const char *where = getenv("TMPDIR");
    snprintf(workshop->path, sizeof workshop->path, "%s/nago-XXXXXX",
             where && *where ? where : "/tmp");
    if (!mkdtemp(workshop->path)) {
        err_run(err, "cannot make a folder %s: %s", workshop->path, strerror(errno));
        workshop->path[0] = '\0';
        return false;
    }
    return unpack(workshop, err);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    remove(path);
    return 0;
}

void workshop_close(const Workshop *workshop)
{
    if (workshop->path[0])
        nftw(workshop->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool workshop_write(const Workshop *workshop, const char *name, const void *bytes, size_t size,
                    Err *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", workshop->path, name);
    return file_write(path, bytes, size, err);
}

bool workshop_read(const Workshop *workshop, const char *name, char **bytes, size_t *size, Err *err)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", workshop->path, name);
    return file_read(path, (size_t)1 << 30, bytes, size, err);
}

// What the program said, in one message; its errors may be many pages.
static bool say_failure(const Workshop *workshop, const char *program, int status, Err *err)
{
    char *words = NULL;
    size_t size = 0;
    Err ignored = {0};
    Pool *pool = pool_new();
    workshop_read(workshop, "log", &words, &size, &ignored);
    err_run(err, "%s %s%s%.1500s", program, process_status(status, pool), size ? ":\n" : "",
            size ? words : "");
    free(words);
    pool_free(pool);
    return false;
}

bool workshop_run(const Workshop *workshop, const char *const *argv, double seconds, Text *output,
                  Err *err)
{
    char log[512];
    snprintf(log, sizeof log, "%s/log", workshop->path);
    const ProcessOrder order = {
        .argv = argv, .log = log, .folder = workshop->path, .own_group = true};
    Text unread = {0};
    int status = 0;
    bool done = process_run(&order, seconds, output ? output : &unread, &status, err);
    text_free(&unread);
    if (!done && strstr(err->message, strerror(ENOENT)))
        return err_run(err,
                       "there is no %s on this machine\n"
                       "  hint: Debian has it in the packages gcc-arm-none-eabi, "
                       "gcc-riscv64-unknown-elf, qemu-system-arm, qemu-system-misc, make\n"
                       "  (make deps-embedded installs them)",
                       argv[0]);
    return done && (status == 0 || say_failure(workshop, argv[0], status, err));
}
