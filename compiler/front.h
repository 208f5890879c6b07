// front.h - what the files of the front (theta, arch, sample, describe) share among themselves.
#ifndef NAGO_FRONT_H
#define NAGO_FRONT_H

#include "json.h"
#include "nagoc.h"

// Largest sizes of an architecture.  They keep every product of later passes inside 31 bits: a
// tensor of one image, 32 images wide, has at most 2^30 floats, all weights together as many.
enum {
    MAX_CHANNELS = 65535,
    MAX_TENSOR = 1 << 25,  // floats of one image
    MAX_WEIGHTS = 1 << 30, // of the whole net
    MAX_GRAPH = 64,        // nodes of a drawn graph
    MAX_JSON_VALUES = 1000000
};
#define MAX_PARAMS INT64_C(1000000000) // largest "params"
#define MAX_JSON_BYTES ((size_t)64 << 20)

// What is wrong with an architecture, and where: cell, node and op are -1 where the fault lies
// above.
typedef struct {
    int cell, node, op;
    const char *field; // key at fault; NULL: the vertex as a whole
    int input;         // index into "inputs" when that is the field, else -1
    char message[256];
    const char *hint; // "" for none
} ArchFault;

// arch_check, with the fault apart from its wording.
bool arch_derive(Arch *arch, ArchFault *fault);

// The parsers behind theta_parse and arch_parse; file->root is an object.
bool theta_from_json(const JsonFile *file, Theta *theta, Pool *pool, Err *err);
bool arch_from_json(const JsonFile *file, Arch *arch, Pool *pool, Err *err);
// Copies `text` into the pool, parses it and asks for an object at its root.
bool object_parse(JsonFile *file, const char *path, const char *text, size_t size, Pool *pool,
                  Err *err);

#endif
