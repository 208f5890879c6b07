// checkpoint.h - a run on disk: everything that a resumed run needs, in one file that appears
// whole.
#ifndef NAGO_CHECKPOINT_H
#define NAGO_CHECKPOINT_H

#include "trainer.h"

// What is in a checkpoint beside the tensors (parameters, running statistics, "momentum.*").
typedef struct {
    TrainRecipe recipe;
    TrainPosition at;
    const char *data;      // the --data SPEC
    const char *arch;      // arch.json text
    uint64_t fingerprint;  // of the data set
    int64_t metrics_bytes; // length of metrics.jsonl that belongs to it
} Checkpoint;

// A number that changes when images, labels or their normalisation do.
uint64_t dataset_fingerprint(const Dataset *data);

// Writes the trainer's state, whole or not at all (the last checkpoint survives a failure).
bool checkpoint_write(const char *path, const Trainer *trainer, const char *data_spec,
                      const char *arch, int64_t metrics_bytes, Err *err);

// Reads and checks the file; everything lives in `pool`.  The caller opens arch, data and net, then
// restores.
bool checkpoint_read(const char *path, TensorFile *file, Checkpoint *out, Pool *pool, Err *err);

// Puts an opened trainer, with the checkpoint's recipe, where the checkpoint was.  Error: tensors
// that are not the net's, a position that is not the run's, other data.
bool checkpoint_restore(const char *path, const TensorFile *file, const Checkpoint *checkpoint,
                        Trainer *trainer, Err *err);

#endif
