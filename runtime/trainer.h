// trainer.h - training a compiled net: epochs of shuffled, augmented batches; checkpoint and
// resume.
#ifndef NAGO_TRAINER_H
#define NAGO_TRAINER_H

#include "evaluate.h"
#include "weights.h"

typedef enum { SCHEDULE_COSINE, SCHEDULE_STEP, SCHEDULE_CONSTANT } Schedule;
extern const char *const schedule_name[4]; // ends with NULL

// What decides the weights that come out, together with the net, the data and the first weights:
// the number of threads, the JIT and the moments at which a run was cut do not.
typedef struct {
    int epochs, batch;
    double learning_rate, momentum, weight_decay, label_smoothing, dropout, val_fraction;
    Schedule schedule;
    Augment augment;
    uint64_t seed;       // initial weights, shuffling, augmentation, dropout
    uint64_t split_seed; // which images are held out for validation
} TrainRecipe;

// The recipe that every option of `nago train` starts from.
TrainRecipe recipe_default(void);

// The learning rate of step 0 <= step < steps of the whole run.  Cosine: a half wave from the start
// value to 0; step: a tenth after half of the steps, a hundredth after three quarters.
double schedule_rate(Schedule schedule, double learning_rate, int64_t step, int64_t steps);

// Where a run stands.  Everything a resumed run needs beside the weights.
typedef struct {
    int epoch;            // whole epochs behind it, evaluation included
    int step;             // steps of the current epoch behind it
    double loss_sum;      // over the images of the current epoch
    double epoch_seconds; // training steps of the current epoch
    double seconds;       // everything so far, all processes that worked on it
    int64_t batches;      // num_batches_tracked
    Evaluation val, test; // of the last epoch that was evaluated; count 0: not done
} TrainPosition;

typedef struct {
    const Net *net;
    const Dataset *data;
    Team *team;
    TrainRecipe recipe;
    NetMemory memory;
    uint32_t *train, *val, *order; // order: `train` shuffled for the current epoch
    int n_train, n_val, steps_per_epoch;
    int ordered_epoch; // the epoch that `order` is for, -1: none yet
    float last_loss;
    TrainPosition at;
} Trainer;

// Lays out the memory, splits the data, draws the initial weights.  The net's batch is the
// recipe's. net, data, team and memory must outlive the trainer.
bool trainer_open(Trainer *trainer, const Net *net, const Dataset *data, const TrainRecipe *recipe,
                  Team *team, Memory *memory, Err *err);
void trainer_close(Trainer *trainer);

// Trains on the next batch of the current epoch (there must be one).  Error: the loss is not
// finite.
bool trainer_step(Trainer *trainer, Err *err);

// The images of a split, at most `limit` of them, evenly spread (0: all).  The list's indices are
// malloc'ed: free them through `indices`.
ImageList trainer_images(const Trainer *trainer, Split split, int limit, uint32_t **indices);

// One epoch's results, as written to metrics.jsonl.
typedef struct {
    int epoch; // 1-based
    int64_t step;
    double learning_rate; // of its last step
    double loss, images_per_second, seconds;
    Evaluation val, test; // count 0: not done
} EpochResult;

typedef enum { TRAIN_GO_ON, TRAIN_STOP, TRAIN_FAIL } TrainAction;
typedef enum { TRAIN_FINISHED, TRAIN_STOPPED, TRAIN_FAILED } TrainEnd;

// Who watches a run.  Each may be NULL; TRAIN_FAIL goes with a filled `err`.
typedef struct {
    // after every step, and after every batch of an evaluation (`evaluated` images of it, else 0)
    TrainAction (*step)(void *user, const Trainer *trainer, int evaluated, Err *err);
    // after every epoch and its evaluation; trainer->at.epoch already counts it
    TrainAction (*epoch)(void *user, const Trainer *trainer, const EpochResult *result, Err *err);
    void *user;
} TrainHooks;

enum { EPOCH_TEST_IMAGES = 2000 };

// Runs to the end of the last epoch, from wherever trainer->at is.  Evaluates after each epoch: the
// validation split in whole if there is one, else up to EPOCH_TEST_IMAGES of the test split; after
// the last epoch the whole test split, too.  Stopped in an evaluation, it does that again when
// continued.
TrainEnd trainer_run(Trainer *trainer, const TrainHooks *hooks, Err *err);

// One line of JSON, newline included.
void epoch_result_print(const EpochResult *result, Text *out);

#endif
