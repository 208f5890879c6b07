// measure.h - what a machine can do, and what a net makes of it: the numbers behind `nago bench`.
#ifndef NAGO_MEASURE_H
#define NAGO_MEASURE_H

#include "../compiler/nagoc.h"

double measure_now(void); // seconds of a steady clock

// The machine's own limits on one thread, measured in the instruction set the kernels use:
// multiply-adds on registers (GFLOP/s, the best of several short runs) and y = a x + y over 64 MB
// (GB/s).
double measure_peak_gflops(void);
double measure_bandwidth(void);

// Times of one kind of op in a step.
typedef struct {
    const char *kernel;
    int calls;
    double ms, flops; // of a whole step, the least of the steps measured; batch included
} OpTime;

typedef struct {
    double compile_ms, first_step_ms; // arch to callable; the first step, page faults included
    double step_ms, median_ms;        // minimum and median of the steady steps
    double infer_ms;                  // minimum of a batch's forward pass
    double gflops; // 3 x forward, direct algorithm, padded taps counted, over step_ms
    int64_t arena_bytes, parameter_bytes, memory_bytes;
    int64_t macs;
    int n_kinds;
    OpTime kinds[64]; // by time, largest first
} StepTimes;

// Trains a net (weights of net_init, random images) for a few steps on `threads` threads and times
// them for about `seconds`.
bool measure_steps(const Arch *arch, int batch, int threads, JitKind jit, double seconds,
                   StepTimes *out, Err *err);

// Times of ops by their shape (NetOp.shape), kept between calls: found, or *ms < 0.
typedef struct {
    bool (*find)(void *user, const char *shape, double *ms, Err *err);
    bool (*keep)(void *user, const char *shape, double *ms, Err *err); // may replace it
    void *user;
} ShapeTimes;
// Milliseconds of the forward pass of one image, on one thread, in a batch of 32: the sum over the
// ops of the least time that an op of this shape took.  Shapes that are not kept yet are measured
// and kept, so that equal work always costs the same.
bool measure_latency(const Arch *arch, JitKind jit, const ShapeTimes *kept, double *ms, Err *err);

#endif
