// firmware.h - what is needed beside a generated file to build it for a microcontroller: a folder
// that goes away, examples/firmware in it, and the compilers and emulators run there.
#ifndef NAGO_FIRMWARE_H
#define NAGO_FIRMWARE_H

#include "../compiler/nagoc.h"

typedef struct {
    char path[256];
} Workshop;

// Makes a fresh folder under TMPDIR with the files of examples/firmware in `firmware/`.
bool workshop_open(Workshop *workshop, Err *err);
// Removes it with all that is in it; of one that was not opened ("" for a path): nothing.
void workshop_close(const Workshop *workshop);
bool workshop_write(const Workshop *workshop, const char *name, const void *bytes, size_t size,
                    Err *err);
// Reads a whole file of the folder; *bytes is malloc'ed, the caller frees it.
bool workshop_read(const Workshop *workshop, const char *name, char **bytes, size_t *size,
                   Err *err);
// Runs a program in the folder for at most `seconds`; `output` (may be NULL) takes what it writes
// to stdout.  Errors, with the program's own words: it is not there (the message says what
// installs it), it fails, it does not end.
bool workshop_run(const Workshop *workshop, const char *const *argv, double seconds, Text *output,
                  Err *err);

#endif
