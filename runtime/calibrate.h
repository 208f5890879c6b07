// calibrate.h - what values the tensors of a trained network take on real images.
#ifndef NAGO_CALIBRATE_H
#define NAGO_CALIBRATE_H

#include "../compiler/nagoc.h"

typedef enum { CALIBRATE_MINMAX, CALIBRATE_PERCENTILE, CALIBRATE_MSE } CalibrateMethod;
extern const char *const calibrate_names[4]; // "minmax" "percentile" "mse" NULL

typedef struct {
    CalibrateMethod method;
    double percentile; // CALIBRATE_PERCENTILE: share of the values that lie inside, 50 .. 100
    // Fills `images` with the images first .. first + count - 1, normalised, [count][C][H][W].
    void (*fetch)(void *user, int first, int count, float *images);
    void *user;
    int images;                                    // there are, at least 1
    bool (*tick)(void *user, int done, int total); // may be NULL
} Calibration;

// Runs the network in float on the images, once for minmax and twice for the others, which count
// values into bins, and finds the range of every tensor that the int8 compiler asks for:
//   minmax      the smallest and largest value
//   percentile  that leaves out (100 - percentile) / 2 % of the values on either side
//   mse         that with the least mean squared error of 256 steps, cutting included
// The image itself always keeps all its values.  `path` names the weights in messages; *ranges
// lives in `pool`.  Errors: weights that do not fit, memory, values that are not finite.
bool calibrate(const Arch *arch, const char *path, const TensorFile *weights,
               const Calibration *calibration, Ranges *ranges, Pool *pool, Err *err);

#endif
