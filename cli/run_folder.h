// run_folder.h - the folder of a training run: its files, its lock, its metrics.
#ifndef NAGO_RUN_FOLDER_H
#define NAGO_RUN_FOLDER_H

#include "../compiler/base.h"

// The names in it.
#define RUN_ARCH "arch.json"
#define RUN_WEIGHTS "weights.safetensors"
#define RUN_CHECKPOINT "checkpoint.safetensors"
#define RUN_METRICS "metrics.jsonl"
#define RUN_C_FILE "net.c"
#define RUN_RANGES "ranges.json" // of int8

typedef struct {
    const char *path;
    int metrics; // descriptor of metrics.jsonl, locked while open; -1: closed
    int64_t metrics_bytes;
} RunFolder;

// "FOLDER/NAME"; lives in `pool`.
const char *run_file(const RunFolder *folder, const char *name, Pool *pool);

// Opens the folder, made where missing, and locks it against a second run in the same place
// (error). Nothing in it has changed yet, but that temporary files of killed runs are gone.
bool run_folder_open(RunFolder *folder, const char *path, Err *err);
void run_folder_close(RunFolder *folder);

// Cuts metrics.jsonl to its first `bytes` bytes: those that belong to the checkpoint.
bool run_metrics_cut(RunFolder *folder, int64_t bytes, Err *err);
// Appends whole lines; they are on the disk when this returns.
bool run_metrics_add(RunFolder *folder, const Text *lines, Err *err);

// Removes a result of an earlier run, if it is there.
void run_file_remove(const RunFolder *folder, const char *name);

#endif
