// file.c - whole files: read with a limit, written whole or not at all, folders made.
//
// A file is written under a temporary name in its own folder, flushed to disk and renamed: a
// reader, or a run killed half-way, sees the old file or the new one, never a part.

#define _GNU_SOURCE
#include "base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *shown_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

// Reads until the end or until more than max_bytes have come; returns false with errno set.
static bool descriptor_read(int descriptor, size_t max_bytes, Text *bytes)
{
    char chunk[65536];
    while (bytes->length <= max_bytes) {
        ssize_t got = read(descriptor, chunk, sizeof chunk);
        if (got == 0)
            return true;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        text_add(bytes, chunk, (size_t)got);
    }
    return true;
}

static bool too_large(const char *path, size_t max_bytes, Err *err)
{
    return err_input(err, "%s: error: larger than %zu MB, the largest file read here",
                     shown_name(path), max_bytes >> 20);
}

// A regular file of known size is read into one block; all else (pipes) grows.
static bool opened_read(int descriptor, const char *path, size_t max_bytes, Text *bytes, Err *err)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return err_input(err, "%s: error: cannot read: %s", shown_name(path), strerror(errno));
    if (S_ISDIR(status.st_mode))
        return err_input(err, "%s: error: is a folder, a file was expected", shown_name(path));
    if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > max_bytes)
        return too_large(path, max_bytes, err);
    text_add(bytes, "", 0);
    if (S_ISREG(status.st_mode) && status.st_size > 0) {
        bytes->capacity = (size_t)status.st_size + 2;
        free(bytes->data);
        bytes->data = xmalloc(bytes->capacity);
        bytes->data[0] = '\0';
    }
    if (!descriptor_read(descriptor, max_bytes, bytes))
        return err_input(err, "%s: error: cannot read: %s", shown_name(path), strerror(errno));
    if (bytes->length > max_bytes)
        return too_large(path, max_bytes, err);
    return true;
}

bool file_read(const char *path, size_t max_bytes, char **data, size_t *size, Err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int descriptor = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return err_input(err, "%s: error: cannot open: %s", path, strerror(errno));
    Text bytes = {0};
    bool done = opened_read(descriptor, path, max_bytes, &bytes, err);
    if (!is_stdin)
        close(descriptor);
    if (!done) {
        text_free(&bytes);
        return false;
    }
    *data = bytes.data;
    *size = bytes.length;
    return true;
}

static bool descriptor_write(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t part = size < (size_t)1 << 30 ? size : (size_t)1 << 30;
        ssize_t wrote = write(descriptor, bytes, part);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        bytes += wrote;
        size -= (size_t)wrote;
    }
    return true;
}

static bool cannot_write(const char *path, int number, Err *err)
{
    return err_run(err, "%s: error: cannot write: %s", path, strerror(number));
}

// What is not a regular file (a terminal, a pipe, /dev/null) cannot be renamed over: written as it
// is.
static bool special_write(const char *path, const void *data, size_t size, Err *err)
{
    int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return cannot_write(path, errno, err);
    bool done = descriptor_write(descriptor, data, size);
    int number = errno;
    close(descriptor);
    return done || cannot_write(path, number, err);
}

static bool stdout_write(const void *data, size_t size, Err *err)
{
    if (fflush(stdout) != 0 || !descriptor_write(STDOUT_FILENO, data, size))
        return cannot_write("standard output", errno, err);
    return true;
}

// Writes and flushes the temporary file; on failure it is gone again and errno tells why.
static bool temporary_write(const char *temporary, const void *data, size_t size)
{
    unlink(temporary); // left by a killed process of the same number
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return false;
    bool done = descriptor_write(descriptor, data, size) && fsync(descriptor) == 0;
    int number = errno;
    if (close(descriptor) != 0 && done) {
        done = false;
        number = errno;
    }
    if (!done)
        unlink(temporary);
    errno = number;
    return done;
}

// The rename itself reaches the disk with its folder.
static void folder_sync(const char *path)
{
    char *folder = strdup(path);
    if (!folder)
        return;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int descriptor = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

bool file_write(const char *path, const void *data, size_t size, Err *err)
{
    if (strcmp(path, "-") == 0)
        return stdout_write(data, size, err);
    struct stat status;
    bool exists = stat(path, &status) == 0;
    if (exists && S_ISDIR(status.st_mode))
        return cannot_write(path, EISDIR, err);
    if (exists && !S_ISREG(status.st_mode))
        return special_write(path, data, size, err);
    char *target = exists ? realpath(path, NULL) : NULL; // a link keeps pointing where it does
    const char *place = target ? target : path;
    Text temporary = {0};
    text_printf(&temporary, "%s.tmp%ld", place, (long)getpid());
    bool done = temporary_write(temporary.data, data, size);
    if (done && rename(temporary.data, place) != 0) {
        int number = errno;
        unlink(temporary.data);
        errno = number;
        done = false;
    }
    int number = errno;
    if (done)
        folder_sync(place);
    text_free(&temporary);
    free(target);
    return done || cannot_write(path, number, err);
}

static bool folder_make_one(const char *path, Err *err)
{
    if (mkdir(path, 0777) == 0)
        return true;
    int number = errno;
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    if (number == EEXIST)
        number = ENOTDIR;
    return err_run(err, "%s: error: cannot make the folder: %s", path, strerror(number));
}

bool folder_make(const char *path, Err *err)
{
    char *part = strdup(path);
    if (!part)
        return err_run(err, "%s: error: out of memory", path);
    bool done = true;
    for (char *c = part + 1; done && part[0] && *c; c++) {
        if (*c != '/' || c[-1] == '/')
            continue;
        *c = '\0';
        done = folder_make_one(part, err);
        *c = '/';
    }
    done = done && folder_make_one(part, err);
    free(part);
    return done;
}
