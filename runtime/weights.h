// weights.h - parameters of a net: drawn from a seed, read from and written to safetensors.
#ifndef NAGO_WEIGHTS_H
#define NAGO_WEIGHTS_H

#include "../compiler/nagoc.h"
#include "data.h"

// What travels with the weights in the file's __metadata__: the numbers that pixels are normalised
// with, the names of the classes, the architecture, and which images were held out.
typedef struct {
    int channels, classes;
    float mean[4], deviation[4];
    const char *const *class_names; // [classes]; NULL: not known
    const char *arch;               // arch.json text; NULL: not known
    double val_fraction;            // as given to dataset_split, with `seed`
    uint64_t seed;
} WeightsMeta;

// The metadata of a data set's images; arch and the split are left empty.  Points into `data`.
WeightsMeta weights_meta_of(const Dataset *data);

// Fills `params` (param_count floats) and `running` (running_count) by net_init: the numbers that
// net_init(seed) of a generated file makes.
void weights_init(const Net *net, uint64_t seed, float *params, float *running);

// One array that a file must hold.
typedef struct {
    const NetTensor *tensor;
    const char *name; // tensor->name, perhaps with a prefix
    float *values;    // [tensor->count]
} WeightsEntry;

// The net's tensors with their places in `params`, `running` and, if not NULL, `momentum` (named
// "momentum.NAME").  Returns the list, which lives in `pool`, and *count.
WeightsEntry *weights_entries(const Net *net, float *params, float *running, float *momentum,
                              int *count, Pool *pool);

// Fills the entries from a file.  The file must hold these names with these shapes, finite, and
// nothing else but num_batches_tracked; *batches is the largest of those (0 if there is none).
// Error: an input error that lists what is missing, unknown (with a did-you-mean) or of another
// shape.
bool weights_fill(const char *path, const TensorFile *file, const WeightsEntry *entries, int count,
                  int64_t *batches, Err *err);

// The file of these entries: num_batches_tracked = `batches` is added beside each running mean.
// Values are not copied, the rest lives in `pool`.  `meta` may be NULL.
void weights_file(const WeightsEntry *entries, int count, const int64_t *batches,
                  const WeightsMeta *meta, TensorFile *file, Pool *pool);
// Adds a line of metadata to a file made by weights_file (at most 8).
void weights_note(TensorFile *file, const char *key, const char *value);

// The two above for the usual case: all of a net's parameters and running statistics.
bool weights_load(const char *path, const TensorFile *file, const Net *net, float *params,
                  float *running, int64_t *batches, Err *err);
bool weights_save(const char *path, const Net *net, float *params, float *running, int64_t batches,
                  const WeightsMeta *meta, Err *err);

// Reads the metadata back.  has_mean tells whether mean and deviation were there; class_names and
// arch are NULL where absent.  Everything lives in `pool`.  Error: malformed entries.
bool weights_meta_read(const char *path, const TensorFile *file, int channels, int classes,
                       WeightsMeta *meta, bool *has_mean, Pool *pool, Err *err);

#endif
