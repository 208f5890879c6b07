// emit.h - writing an architecture out: C text, IR, summary.  What the programs in cli/ call.
#ifndef NAGO_EMIT_H
#define NAGO_EMIT_H

#include "nagoc.h"

typedef enum { WEIGHTS_STRING, WEIGHTS_LIST, WEIGHTS_BIN } WeightsForm;

typedef struct EmitOptions EmitOptions;
// The logits, [count][classes], of `count` normalised images under options->weights (and ranges).
typedef bool EmitEvaluate(const Arch *arch, const EmitOptions *options, const float *images,
                          int count, float *logits, Err *err);

struct EmitOptions {
    const char *prefix;           // of every file-scope name; "net"
    int batch;                    // NET_BATCH; 0: 32 for a trainable file, 1 with weights
    bool plan;                    // false: every tensor has an array of its own
    bool hwc;                     // net_infer_u8 takes pixels with their channels together
    TargetKind target;            // of an inference file
    WeightsForm form;             // how the weights stand in the file
    const TensorFile *weights;    // NULL: a trainable file, weights made by net_init
    const Ranges *ranges;         // not NULL: int8, with weights
    const char *section;          // linker section of the weights; NULL: the compiler's choice
    const char *command;          // the command in canonical form, for the banner
    const char *bin_name;         // WEIGHTS_BIN: the name of the file that the C file includes
    uint64_t seed;                // of net_init in a trainable file's main
    int64_t max_ram, max_flash;   // bytes that a file for a microcontroller may take; 0: any
    double max_seconds, clock_hz; // that an image may take there, at this clock; 0: any
    int threads;                  // of an inference file; 0 as 1
    bool profile;                 // an inference file can time each op (-D NET_PROFILE)
    EmitEvaluate *self_test;      // not NULL: an inference file gets test vectors and net_self_test
};

extern const EmitOptions emit_defaults;

// Is `text` a C identifier that a prefix may be?
bool emit_prefix_valid(const char *text);
// What an inference file takes of a microcontroller, called through net_infer_u8: known before it
// is compiled.  Bytes; code, stack and instructions are estimates, of int8 files alone.
typedef struct {
    bool is_modelled; // false: code, stack, instructions and cycles are not known, and 0
    int64_t weights, tables, code;                  // flash; tables: of pixels
    int64_t arena, input, output, stack, variables; // RAM
    double instructions;                            // of a call; as QEMU counts them
    double cycles; // instructions times what one takes: no measurement (costs.c)
} TargetEstimate;
int64_t estimate_flash(const TargetEstimate *estimate);
int64_t estimate_ram(const TargetEstimate *estimate);

// The generated file.  With WEIGHTS_BIN, `bin` takes the bytes that belong next to it (else it may
// be NULL). Errors: weights that do not fit the architecture; limits that are exceeded (what takes
// most, and what helps).
bool emit_c(const Arch *arch, const EmitOptions *options, Text *out, Text *bin, Err *err);
// Its declarations, for --header.
bool emit_header(const Arch *arch, const EmitOptions *options, Text *out, Err *err);
// The IR after `pass` (NULL: the last one): "lower", "fuse", "grad", "fold", "quantise", "plan". An
// unknown pass is an input error that lists them.
bool emit_ir(const Arch *arch, const EmitOptions *options, const char *pass, Text *out, Err *err);
// Cells, ops, weights, MACs, arena and training memory, in words or as one JSON object.
bool emit_summary(const Arch *arch, const EmitOptions *options, bool json, Text *out, Err *err);
// Trainable numbers of the network, head and all: the summary's "weights", without its memory
// plans.
int64_t emit_weight_count(const Arch *arch);
// What the memory plan of an inference file came to, with the weights given or those that net_init
// makes for the seed; with options->ranges, of one in int8.
typedef struct {
    int64_t macs;                     // multiply-adds of an image, direct algorithm
    int64_t arena_bytes, bound_bytes; // no plan that stores whole tensors needs less than the bound
    int64_t weight_bytes;             // constants of the file
    double ms;                        // of ordering the ops and packing
    TargetEstimate estimate;          // where options->target is a microcontroller
} PlanFigures;
bool emit_plan_figures(const Arch *arch, const EmitOptions *options, PlanFigures *plan, Err *err);
// The weights that net_init makes for `seed`, as a safetensors file with the architecture in its
// metadata.
bool emit_weights(const Arch *arch, uint64_t seed, Text *out, Err *err);

// The network with its weights (options->weights, or net_init's for options->seed) as an ONNX
// model, opset 13: input "image" [batch][C][H][W], output "logits" [batch][classes].  Errors:
// weights that do not fit the architecture.
bool emit_onnx(const Arch *arch, const EmitOptions *options, Text *out, Err *err);
// The memory plan of the inference file (options->weights, or net_init's for options->seed) as a
// picture, SVG: which tensor lies where in the arena while which ops run.
bool emit_plan(const Arch *arch, const EmitOptions *options, Text *out, Err *err);
// The network as a self-contained PyTorch module with the parameter names of weights.safetensors.
bool emit_pytorch(const Arch *arch, Text *out, Err *err);

#endif
