// nagoc.h - the public face of libnagoc, in the order in which data flows:
//   theta.json -> Theta -> Graph -> Arch -> (IR, passes, plan: ir.h) -> C text -> callable Net.
// The runtime, the search and the programs see this header and base.h only.
#ifndef NAGO_NAGOC_H
#define NAGO_NAGOC_H

#include "../templates/abi.h"
#include "base.h"

// ---- theta.c: generator hyperparameters
// ----------------------------------------------------------

enum { STAGES = 3, LEVELS = 3, MAX_OPS = 4096, MAX_SIDE = 1024, HEAD_CHANNELS = 1280 };

typedef enum { LEVEL_TOP, LEVEL_MID, LEVEL_BOTTOM } Level;
typedef enum { GRAPH_WS, GRAPH_ER, GRAPH_BA, GRAPH_CHAIN } GraphKind;
typedef enum { MERGE_SUM, MERGE_ATTENTION, MERGE_CONCAT, MERGE_SINGLE } MergeKind;
enum { MERGE_DRAWN = 3 }; // the first three can be drawn; "single" is none or one input

typedef enum {
    ATOM_CONV3X3,
    ATOM_CONV5X5,
    ATOM_CONV1X1,
    ATOM_CONV3X1, // 3 high, 1 wide
    ATOM_CONV1X3,
    ATOM_POOL3X3,
    ATOM_POOL5X5,
    ATOM_COUNT
} AtomKind; // the atomic ops of the bottom level

typedef struct {
    const char *name; // as in theta.json and arch.json
    int kernel_h, kernel_w;
    bool is_pool;
} AtomInfo;
extern const AtomInfo atom_info[ATOM_COUNT];
extern const char *const merge_name[4]; // "sum" "attention" "concat" "single"
extern const char *const graph_name[4]; // "ws" "er" "ba" "chain"
extern const char *const level_name[LEVELS];

typedef struct {
    GraphKind graph;
    int n, k, m; // nodes; WS neighbours; BA edges a node
    double p;    // WS rewiring, ER edge probability
    double merge[MERGE_DRAWN];
} LevelTheta;

// What a generator of networks is set by (semantics: NAGO paper, section 2.1, Table of theta).
typedef struct {
    LevelTheta level[LEVELS];
    double stage_ratio[STAGES], channel_ratio[STAGES];
    double atoms[ATOM_COUNT]; // weights of the draw, not normalised
    bool depthwise;           // "conv": "depthwise_separable"
    int64_t params; // upper bound on op weights that the channel multiplier is derived from
    int channels, height, width, classes;
    uint64_t seed;
    const char *path;                     // for messages; lives in the pool
    int p_line[LEVELS], p_column[LEVELS]; // where each level's p (or the level itself) stands
    int params_line, params_column;
    const char *source; // the text read, for the line under a message
} Theta;

// Fills defaults: merge sum, conv3x3, 1:1:1, 1:2:4, 4e6 params (6e6 large), 3x32x32, 10 classes,
// seed 0. Reads and checks theta.json text; every message says path:line:column, the value, the
// rule, a hint.
bool theta_parse(const char *path, const char *text, size_t size, Theta *theta, Pool *pool,
                 Err *err);
// Canonical theta.json text: every field, fixed order and number format.
void theta_print(const Theta *theta, Text *out);

// ---- graph.c: random graphs
// ----------------------------------------------------------------------

typedef struct {
    int n;
    bool *edge; // [n][n], edge[i*n+j] with i < j: from i to j
} Graph;

// Draws a connected graph; edges point from the lower to the higher index.  At most 200 tries, then
// false (theta's p is to blame; the caller words the message).  Lives in `pool`.
bool graph_sample(const LevelTheta *level, Random *random, Graph *graph, Pool *pool);

// ---- arch.c: an explicit network
// -----------------------------------------------------------------

// One vertex of the hierarchy: a cell (children: nodes), a node (children: ops) or an op (no
// child).
typedef struct Vertex Vertex;
struct Vertex {
    int n_inputs;
    int *inputs;     // siblings, ascending; none: the enclosing graph's own input
    MergeKind merge; // MERGE_SINGLE for none or one input
    int out_channels;
    int n_children;
    Vertex *children;
    int stage;     // cells
    AtomKind atom; // ops
    // derived by arch_check:
    int in_channels;
    bool is_output; // no sibling reads it
};

typedef struct {
    int channels, height, width, classes;
    int stem_channels;
    bool depthwise;
    int n_cells;
    Vertex *cells;
    // derived by arch_check:
    bool large_stem;             // smaller side >= 40
    int stem_height, stem_width; // after the stem
    int stage_height[STAGES], stage_width[STAGES];
    int n_ops;
    int64_t op_weights; // the convolution weights that `params` bounds
    bool has_source;    // sampled from theta below (canonical text), for the banner
    const char *name;   // base name of the input file
} Arch;

// Derives in_channels, sizes and counts and checks the whole structure (acyclic by index, channels
// agree, stages do not fall, limits).  `where` names the input in messages.
bool arch_check(Arch *arch, const char *where, Err *err);
// Samples an architecture (semantics: docs/semantics.md, 1-2); everything drawn from theta->seed.
// Errors: no connected graph (located at the level's p), params too small (names the smallest
// feasible).
bool arch_sample(const Theta *theta, Arch *arch, Pool *pool, Err *err);
// Reads arch.json ("format": "hnag-arch").
bool arch_parse(const char *path, const char *text, size_t size, Arch *arch, Pool *pool, Err *err);
void arch_print(const Arch *arch, Text *out); // arch.json; arch_parse(arch_print(a)) == a
// Reads theta.json or arch.json, told apart by content ("format" or "cells" makes an arch).  `seed`
// overrides theta's when has_seed.  path "-" is stdin.
bool arch_load(const char *path, bool has_seed, uint64_t seed, Arch *arch, Pool *pool, Err *err);
// "1,5,7" style counts for humans: one line in words, e.g. "5 cells, 9 nodes, 40 ops, sum merges".
void arch_describe(const Arch *arch, Text *out);
// Draws the hierarchy as nested Graphviz clusters.
void arch_dot(const Arch *arch, Text *out);

// ---- safetensors.c: named tensors in a file
// ------------------------------------------------------

// DTYPE_I8 and DTYPE_I16 are for the tensors of int8 programs; no file holds them.
typedef enum { DTYPE_F32, DTYPE_F64, DTYPE_I64, DTYPE_I32, DTYPE_U8, DTYPE_I8, DTYPE_I16 } Dtype;
typedef struct {
    const char *name;
    Dtype dtype;
    int rank;
    int64_t shape[8];
    int64_t count;    // product of shape
    const void *data; // little endian, points into the file's bytes
} StoredTensor;
typedef struct {
    int n_tensors;
    StoredTensor *tensors; // sorted by name
    int n_metadata;
    const char **keys, **values; // "__metadata__"
} TensorFile;

// Parses a safetensors image; names, metadata and data live in `pool`.  Every inconsistency (sizes,
// overlaps, gaps, dtypes, duplicate names, bad JSON) is an input error that names the file and the
// tensor or byte.
bool tensors_read(const char *path, TensorFile *file, Pool *pool, Err *err);
bool tensors_parse(const char *path, const void *bytes, size_t size, TensorFile *file, Pool *pool,
                   Err *err);
const StoredTensor *tensors_find(const TensorFile *file, const char *name); // NULL if absent
const char *tensors_metadata(const TensorFile *file, const char *key);      // NULL if absent
double tensor_value(const StoredTensor *tensor, int64_t index);             // any dtype, as double
// Writes the tensors (in the order given; data not copied) and metadata, whole or not at all.
bool tensors_write(const char *path, const TensorFile *file, Err *err);
void tensors_print(const TensorFile *file, Text *out); // the bytes of the file

// ---- ranges.c: what values the tensors of a network take
// -----------------------------------------------------------

typedef struct {
    const char *name; // of the tensor, as in the IR: "cell0.node0.op0.bn"; the input is "image"
    double low, high; // finite, low <= high
} TensorRange;
typedef struct {
    const char *path, *method; // of the file, for messages; "minmax", "percentile", "mse"
    int images;                // that were looked at
    int n;
    TensorRange *items;       // sorted by name
    const TensorRange *other; // of every tensor that is not among them; NULL: that is an error
} Ranges;
// Any range for any tensor: the sizes of an int8 file do not depend on ranges.
extern const Ranges ranges_any;
// Reads ranges.json ("format": "nago-ranges"); everything lives in `pool`.  Every message names the
// place.
bool ranges_parse(const char *path, const char *text, size_t size, Ranges *ranges, Pool *pool,
                  Err *err);
bool ranges_load(const char *path, Ranges *ranges, Pool *pool, Err *err);
void ranges_print(const Ranges *ranges, Text *out); // ranges_parse(ranges_print(r)) == r
// NULL: it has none
const TensorRange *ranges_find(const Ranges *ranges, const char *name);

// ---- net.c: an architecture compiled
// -------------------------------------------------------------

typedef enum { INIT_HE_FAN_OUT, INIT_UNIFORM_FAN_IN, INIT_ONE, INIT_ZERO } InitKind;

// One entry of the flat parameter or state vector, in PyTorch's layout and the reference's names.
typedef struct {
    const char *name;
    int rank;
    int shape[4];
    int64_t offset, count;
    InitKind init;
    int fan; // fan_out for He, fan_in for uniform
} NetTensor;

typedef enum { JIT_TCC, JIT_GCC } JitKind;
// How convolutions are computed: Winograd's algorithm for the 3x3 and 5x5 ones where it wins;
// never; wherever it can.
typedef enum { CONV_AUTO, CONV_DIRECT, CONV_WINOGRAD } ConvKind;
// What an inference file is made for.  Generic: every weight once, the direct algorithm, little
// memory.  Native: speed on the machine that compiles it; Winograd, up to four times the weights.
// The others: microcontrollers, as generic, without stdio.
typedef enum {
    TARGET_GENERIC,
    TARGET_NATIVE,
    TARGET_CORTEX_M4,
    TARGET_CORTEX_M7,
    TARGET_CORTEX_M33,
    TARGET_CORTEX_M55,
    TARGET_RV32IMC,
    TARGET_COUNT
} TargetKind;
typedef struct {
    const char *compiler, *flags; // what compiles a file for it
} TargetInfo;
extern const TargetInfo target_info[TARGET_COUNT]; // target.c
// As --target has them, NULL behind the last; microcontrollers begin at TARGET_CORTEX_M4.
extern const char *const target_names[TARGET_COUNT + 1];
typedef struct {
    int threads; // most parts that a program is run in (each has scratch memory); 0: 8
    ConvKind conv;
    int batch; // largest count of a call
    bool plan; // false: every tensor has its own place (--no-plan)
    JitKind jit;
    bool profile; // programs call nk_call.mark after each op
    bool plain;   // no fusion but of ReLU, so that every normalised value is a tensor
    // Both or none: int8 inference with these weights inside, and no other program.
    const TensorFile *weights;
    const Ranges *ranges;
} NetOptions;

// One op of a program, for profiles.
typedef struct {
    const char *kernel, *result; // "conv", "cell2.node0.op1.conv3x3"
    const char *shape;           // "conv channels=8 height=16 ...": equal for equal work
    double
        flops; // of one image: 2 a multiply-add, padded taps counted; 0 where it multiplies nothing
    // The result's place in the arena and its numbers, [groups][...][32] of images in float
    // programs; floats 0: it is not in the arena.  complete: no later op adds to it.
    int64_t offset, floats;
    bool complete;
} NetOp;

// A text of C made callable, through libtcc or gcc.
typedef struct Jit Jit;
// Compiles `text`.  JIT_TCC: it must need no header and no library.  JIT_GCC: any C file, as a
// shared object; `march_native` builds it for this machine.  Errors: run failures with the
// compiler's own message.
Jit *jit_open(const char *text, JitKind kind, bool march_native, Err *err);
// The same, built as a user would: cc -O3 -march=native; what the compiler needed and made of it.
typedef struct {
    double seconds;
    int64_t object_bytes;
} JitBuild;
Jit *jit_open_release(const char *text, JitBuild *build, Err *err);
void jit_close(Jit *jit);                           // NULL is allowed
void *jit_symbol(const Jit *jit, const char *name); // NULL if there is none

// Draws initial values of `count` tensors into `values` at their offsets, as net_init(seed) of a
// trainable file does (He normal, PyTorch's uniform, ones, zeros; one stream of draws a tensor,
// named by it).
void net_init(const NetTensor *tensors, int count, uint64_t seed, float *values);

// A kernel that a program may call, by name; the table ends with a NULL name.
typedef struct {
    const char *name;
    void (*address)(void);
} KernelEntry;

// A callable net.  The caller provides all memory (nk_call in templates/abi.h).
typedef struct Net {
    const Arch *arch; // as given; must outlive the net
    int batch;
    int64_t arena_bytes, param_count,
        state_count;       // state: running statistics, then momentum (param_count)
    int64_t running_count; // the running statistics alone
    int n_params, n_running;
    const NetTensor *params, *running;
    int64_t macs; // multiply-adds of one image, forward, padded taps counted
    int n_gradient_ops, n_infer_ops;
    const NetOp *gradient_ops, *infer_ops; // with `profile`; else NULL
    double compile_ms;                     // from arch to callable
    nk_program *infer;                     // images -> logits, running statistics
    // The next two are NULL in an int8 net, which has no parameters.
    nk_program *gradient; // images, labels -> loss, grads; updates running statistics
    nk_program *update;   // SGD with momentum and weight decay: params, momentum
    void *handle;         // owned
} Net;

// Lowers, differentiates, plans, emits and compiles.  `kernels` is the runtime's table.  Errors:
// run failures with the compiler's own message.
Net *net_open(const Arch *arch, const NetOptions *options, const KernelEntry *kernels, Err *err);
void net_close(Net *net);

#endif
