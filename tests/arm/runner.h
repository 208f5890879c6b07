// runner.h - what test_kernels asks of the program that runs another processor's kernels
// (runner.c).
#ifndef TEST_ARM_RUNNER_H
#define TEST_ARM_RUNNER_H

#include <stdint.h>

#include "../../templates/abi.h"

typedef struct {
    char path[256];       // a library of programs to load; else "": run those of the last one
    int n_programs;       // infer, gradient, update
    int parts, backwards; // one after another, the last one first
    int n_labels;
    int64_t floats; // of the arena
    nk_call call;   // without its pointers
} RunnerRequest;

#endif
