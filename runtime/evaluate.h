// evaluate.h - a net with its memory and a team: batches of images in, predictions out.
#ifndef NAGO_EVALUATE_H
#define NAGO_EVALUATE_H

#include "../compiler/nagoc.h"
#include "data.h"
#include "memory.h"
#include "team.h"

// The memory that a net's programs work on; everything lives in a Memory.
typedef struct {
    const Net *net;
    float *arena, *params;
    float *state; // running statistics, then (training only) momentum
    float *grads; // training only
    float *images, *logits;
    int *labels;
    size_t bytes; // all together
} NetMemory;

// Lays the net's memory out in `memory`, replacing what was there.  Parameters, running statistics
// and momentum are zero.
bool net_memory_open(NetMemory *out, const Net *net, bool is_training, Memory *memory, Err *err);

// The part of a call that is the same for every batch; the caller sets `count` and what it trains
// by.
nk_call net_memory_call(const NetMemory *memory, Team *team);

// Images of one data set by number: a list of indices into one of its splits.
typedef struct {
    const Dataset *data;
    const Images *images;
    const uint32_t *indices; // [count]; NULL: image i is number i
    int count;
} ImageList;

// Prepares the images first, first + 1, ... of the list (`count` of them) for the net, the share of
// one part: every parts-th image.  Augmentation depends on the position in the list, not on the
// batch.  `augment` NULL: none.
void batch_prepare(const NetMemory *memory, const ImageList *list, int first, int count,
                   const Augment *augment, uint64_t seed, uint64_t epoch, int part, int parts);

// `count` 0: nothing was evaluated.
typedef struct {
    int count, correct;
    double loss; // mean cross entropy
} Evaluation;

// correct / count; 0 for none.
double evaluation_accuracy(const Evaluation *evaluation);

// Classifies the images of the list.  predictions: NULL or [list->count] labels out.  `tick` (may
// be NULL) is called after each batch with the number of images done; when it returns false,
// evaluation ends there.  Returns whether it came to the end.  The same for any number of threads.
bool evaluate(const NetMemory *memory, Team *team, const ImageList *list, int *predictions,
              bool (*tick)(void *user, int done), void *user, Evaluation *out);

// Whether the data are what the net was made for (channels, sides, classes).  Error: an input error
// that names both and how to make them agree.
bool dataset_fits(const Dataset *data, const char *spec, const Arch *arch, const char *arch_path,
                  Err *err);

#endif
