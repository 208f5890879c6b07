// engine.h - every way this project has of computing a network, behind one face, for `nago verify`
// and the tests.
#ifndef NAGO_ENGINE_H
#define NAGO_ENGINE_H

#include "verify.h"

typedef struct {
    const char *name;  // "tcc", "gcc-inference" ...
    const char *about; // one line
    VerifyRule rule;
    bool (*run)(const OracleCase *oracle, VerifyResult *result, Err *err);
} Engine;

// reference; the JIT through tcc and gcc, with and without the memory plan; BLAS convolutions; the
// standalone files, trainable and inference, with and without the plan, the list form of weights.
extern const Engine engines[];
extern const int n_engines;

#endif
