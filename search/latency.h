// latency.h - measured times of ops, kept in the study, so that they are measured once a machine.
#ifndef NAGO_LATENCY_H
#define NAGO_LATENCY_H

#include "../runtime/measure.h"
#include "study.h"

typedef struct {
    Study *study;
    bool keeps;        // false: what is not there is measured and forgotten (a study being read)
    char machine[128]; // model of the processor and instruction set of the kernels
} LatencyStore;

// `store` must outlive the ShapeTimes.
ShapeTimes latency_times(LatencyStore *store, Study *study, bool keeps);

#endif
