// board.h - an int8 network on an emulated microcontroller, beside the same file on this machine.
#ifndef NAGO_BOARD_H
#define NAGO_BOARD_H

#include "../compiler/emit.h"
#include "evaluate.h"

typedef struct {
    TargetKind target; // a microcontroller
    const Arch *arch;
    const TensorFile *weights;
    const Ranges *ranges;
    const ImageList *list; // classified; pixels are normalised by its data set's numbers
} BoardRequest;

typedef struct {
    int different;        // images of which a bit of a logit is not what this machine computes
    int64_t instructions; // of an image, the most, as QEMU counts them
    int64_t stack_bytes;  // the deepest that the stack has been, main's own share included
} BoardResult;

// Writes the file as nagoc does, with its self-test, builds the firmware of examples/firmware with
// it, runs that in QEMU, and the file here.  predictions: [list->count] labels out, by the board's
// logits.  Errors: no compiler or emulator; a network that is too large for the board; a self-test
// that fails.
bool board_evaluate(const BoardRequest *request, int *predictions, Evaluation *out,
                    BoardResult *result, Err *err);

#endif
