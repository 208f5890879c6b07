// footprint.h - what a generated file takes of a microcontroller, measured with its compiler.
#ifndef NAGO_FOOTPRINT_H
#define NAGO_FOOTPRINT_H

#include "../compiler/nagoc.h"

typedef struct {
    TargetKind target; // a microcontroller
    const char *call;  // what the program calls of the file: "infer_u8" (pixels) or "infer"
    const char *flags; // added to the target's compiler flags, separated by blanks; NULL: none
} FootprintRequest;

typedef struct {
    const char *name;
    int64_t bytes;
} FootprintPart;

// Bytes.  Flash is what a program that calls the one function links of the file; RAM what it needs
// for it.
typedef struct {
    const char *compiler, *flags;
    int64_t weights, code, library, constants, data; // flash; library: what the compiler adds
    // RAM: the arena, the caller's image and logits, the deepest stack, other variables.  `data`
    // counts in both.
    int64_t arena, input, output, stack, variables;
    int n_functions;
    FootprintPart *functions; // of the file, largest first
    int n_chain;
    FootprintPart *chain; // of calls that takes the deepest stack, from the call on
    bool assumed_stack;   // a function whose frame is not known lies on it (counted as 64 bytes)
} Footprint;

int64_t footprint_flash(const Footprint *footprint);
int64_t footprint_ram(const Footprint *footprint);

// Compiles the file at `path` for the target, links it with the function that is called, and reads
// what came out.  Everything lives in `pool`.  Errors: not a file of nagoc's; no compiler for the
// target; what the compiler says.
bool footprint_measure(const char *path, const FootprintRequest *request, Footprint *footprint,
                       Pool *pool, Err *err);

#endif
