// run_folder.c - the folder of a training run.
//
// Everything but metrics.jsonl is written whole (file_write).  The metrics grow line by line, each
// on the disk before the checkpoint that counts it: after a kill the file is at least as long as
// the checkpoint says, and is cut to that.  An advisory lock on it, which ends with its process,
// keeps a second run out.
#define _GNU_SOURCE
#include "run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *run_file(const RunFolder *folder, const char *name, Pool *pool)
{
    size_t length = strlen(folder->path);
    bool ends = length > 0 && folder->path[length - 1] == '/';
    return pool_printf(pool, "%s%s%s", folder->path, ends ? "" : "/", name);
}

void run_file_remove(const RunFolder *folder, const char *name)
{
    Pool *pool = pool_new();
    unlink(run_file(folder, name, pool));
    pool_free(pool);
}

// A file that file_write had begun when its process was killed: "NAME.tmpPID" of one of ours.
static bool is_left_behind(const char *name)
{
    static const char *const names[] = {RUN_ARCH, RUN_WEIGHTS, RUN_CHECKPOINT, RUN_C_FILE,
                                        RUN_RANGES};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t length = strlen(names[i]);
        if (strncmp(name, names[i], length) == 0 && strncmp(name + length, ".tmp", 4) == 0)
            return true;
    }
    return false;
}

static void leftovers_remove(const RunFolder *folder)
{
    DIR *listing = opendir(folder->path);
    const struct dirent *entry;
    while (listing && (entry = readdir(listing)) != NULL)
        if (is_left_behind(entry->d_name))
            run_file_remove(folder, entry->d_name);
    if (listing)
        closedir(listing);
}

static bool metrics_error(const RunFolder *folder, const char *what, Err *err)
{
    return err_run(err, "%s/%s: error: cannot %s: %s", folder->path, RUN_METRICS, what,
                   strerror(errno));
}

bool run_folder_open(RunFolder *folder, const char *path, Err *err)
{
    *folder = (RunFolder){.path = path, .metrics = -1};
    if (!folder_make(path, err))
        return false;
    Pool *pool = pool_new();
    const char *metrics = run_file(folder, RUN_METRICS, pool);
    folder->metrics = open(metrics, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    pool_free(pool);
    struct stat status;
    if (folder->metrics < 0 || fstat(folder->metrics, &status) != 0)
        return metrics_error(folder, "open", err);
    if (!S_ISREG(status.st_mode)) {
        run_folder_close(folder);
        return err_run(err, "%s/%s: error: not a regular file", path, RUN_METRICS);
    }
    if (flock(folder->metrics, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        run_folder_close(folder);
        return err_run(err, "%s: error: another nago train is writing here\n  hint: another --out",
                       path);
    }
    leftovers_remove(folder);
    return true;
}

void run_folder_close(RunFolder *folder)
{
    if (folder->metrics >= 0)
        close(folder->metrics);
    folder->metrics = -1;
}

bool run_metrics_cut(RunFolder *folder, int64_t bytes, Err *err)
{
    struct stat status;
    if (fstat(folder->metrics, &status) != 0)
        return metrics_error(folder, "read", err);
    folder->metrics_bytes = bytes < status.st_size ? bytes : status.st_size; // never grown by zeros
    if (ftruncate(folder->metrics, (off_t)folder->metrics_bytes) != 0)
        return metrics_error(folder, "cut", err);
    return true;
}

bool run_metrics_add(RunFolder *folder, const Text *lines, Err *err)
{
    size_t done = 0;
    while (done < lines->length) {
        ssize_t wrote = pwrite(folder->metrics, lines->data + done, lines->length - done,
                               (off_t)(folder->metrics_bytes + (int64_t)done));
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return metrics_error(folder, "write", err);
        done += (size_t)wrote;
    }
    folder->metrics_bytes += (int64_t)done;
    return fsync(folder->metrics) == 0 || metrics_error(folder, "write", err);
}
