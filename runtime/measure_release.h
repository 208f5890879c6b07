// measure_release.h - what a standalone inference file costs and how fast it runs.
#ifndef NAGO_MEASURE_RELEASE_H
#define NAGO_MEASURE_RELEASE_H

#include "../compiler/emit.h"

typedef struct {
    TargetKind target;
    int batch;                 // images of a call
    int threads;               // of the file
    const TensorFile *weights; // NULL: those that net_init makes for the seed
    uint64_t seed;
    double seconds; // how long calls are timed
} ReleaseRequest;

typedef struct {
    PlanFigures plan;
    JitBuild build;                       // by cc -O3 -march=native
    double first_ms, infer_ms, median_ms; // of a call: the first, the least, the median
    double gflops;                        // direct algorithm, padded taps counted, over infer_ms
} ReleaseTimes;

// Emits the file, compiles it, calls it with random images.  Errors: weights that do not fit; no
// compiler.
bool measure_release(const Arch *arch, const ReleaseRequest *request, ReleaseTimes *out, Err *err);

#endif
