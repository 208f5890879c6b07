// ir.h - the intermediate representation: a flat list of ops over tensors with fixed shapes, and
// the passes over it.
//
//   Arch --lower--> forward ops --fuse--> --grad--> + backward and update ops --plan--> arena
//   offsets --emit--> C
//
// Tensors are assigned once, except those an op adds to (gradients with several readers, running
// statistics). Each pass is printable (ir_print, --dump-after=PASS) and ir_verify holds after each
// one.
#ifndef NAGO_IR_H
#define NAGO_IR_H

#include "nagoc.h"

enum { LANES = 32 }; // images in one group of a batch-innermost tensor (NK_LANES in templates/)

// Where a tensor lives.
typedef enum {
    SPACE_ARENA,  // planned by liveness
    SPACE_PARAM,  // offset into params
    SPACE_GRAD,   // offset into grads (same offsets as params)
    SPACE_STATE,  // running statistics, then momentum
    SPACE_CONST,  // weights inside an inference file
    SPACE_IMAGES, // call arguments
    SPACE_LABELS,
    SPACE_LOGITS,
    SPACE_LOSS,
    SPACE_COUNT
} Space;

// Physical order of an activation.  Vectors and weights are PLAIN.
typedef enum {
    LAYOUT_PLAIN,
    LAYOUT_BATCH_INNER, // [groups][C][H][W][32]: training, and inference of many images
    LAYOUT_PIXELS,      // [C][H][W] of one image: inference files
    LAYOUT_TILES        // the same by tiles of Tensor.tile pixels squared: templates/tiles.c
} Layout;

typedef struct {
    const char *name;
    Space space;
    Layout layout;
    int channels, height, width; // logical shape of one image; plain: channels only
    int tile;                    // LAYOUT_TILES: 1, 2 or 4
    int64_t floats;              // physical size
    int64_t offset;              // in floats in its space; -1: not planned yet
    Dtype dtype; // DTYPE_I8, DTYPE_I16: a value is scale (q - zero), `floats` rounded up
    float scale;
    int zero;
} Tensor;

#define OP(KIND, kernel, file, tensors, attributes, call, inplace) OP_##KIND,
typedef enum {
#include "op_list.h"
    OP_COUNT
} OpKind;
#undef OP

// In the column `inplace`: any tensor of the list that begins at the argument, not only its first.
enum { EACH = 0x100 };

// All attributes of all ops, on purpose in one struct; op_list.h says which an op has.
typedef struct {
    int channels, height, width, filters, kernel_h, kernel_w, stride, out_height, out_width;
    int classes;
    int relu;          // ReLU on the result
    int relu_x;        // ReLU on the operand while it is loaded
    int accumulate;    // add to the first tensor instead of writing it
    int inputs;        // terms of a weighted sum
    int total, offset; // channels of a whole concat, and before this part
    int size;          // pixels of a channel; of ZERO and SGD: numbers
    int block;         // Winograd tiles that go through together
    int tile; // of LAYOUT_TILES; before a change of it: `from`, behind a pooling: `out_tile`
    int from, out_tile;
    int blocks;  // of filters, as equal as can be: templates/tiles_winograd.c
    float scale; // weight of a term without a learned scalar
} Attr;

typedef struct {
    OpKind kind;
    int n_args;
    int *args; // tensors in op_list.h's order; lists inline; -1: absent
    Attr attr;
    int place;   // index into Ir.places
    bool shared; // threads take parts of it (generated files)
} Op;

// A piece of the net that ops belong to ("cell 2"): one function each in a generated file.
typedef struct {
    const char *name, *symbol;
} Place;

// How good the memory plan is, in bytes of tensors rounded up to the arena's 64.
typedef struct {
    int64_t order_bytes; // the most that is alive at once in the order of the ops: no plan is less
    int64_t bound_bytes; // no order needs less, as long as tensors are stored whole; 0: not known
    double ms;           // that ordering and packing took
} PlanReport;

typedef struct {
    const Arch *arch;
    const char *name; // of the program: "infer", "gradient", "update"
    Pool *pool;
    int batch;  // largest number of images of a call
    int groups; // of LANES images
    Layout layout;
    int n_ops, n_tensors, n_places;
    Op *ops;
    Tensor *tensors;
    Place *places;
    size_t cap_ops, cap_tensors, cap_places, cap_params, cap_running;
    int place;     // where new ops go
    int n_forward; // ops before the backward pass (all of them while there is none)
    int n_params, n_running;
    NetTensor *params, *running;
    int64_t param_count, running_count;
    int64_t macs, arena_floats;
    int margin; // floats before and behind the arena that kernels may read, and mask away
    int logits, loss_gradient; // tensors that the loss reads and writes (training)
    float *const_data;         // values of SPACE_CONST (inference with weights)
    int64_t const_count;
    size_t cap_const;
    PlanReport plan;
} Ir;

typedef struct {
    const char *kernel, *file, *tensors, *attributes, *call;
    int inplace;
} OpInfo;
extern const OpInfo op_info[OP_COUNT];

// Floats of `channels` maps of `size` pixels of one group (one image): nk_plane of
// templates/prelude.h.
int64_t ir_map_floats(Layout layout, int channels, int size);

// Floats of one place in the tile of a map in LAYOUT_TILES: nk_tile_plane of templates/tiles.c.
int ir_tile_plane(int height, int width, int tile);

// ---- ir.c ---------------------------------------------------------------------------------------

Ir *ir_new(const Arch *arch, int batch, Layout layout, Pool *pool);
int ir_tensor(Ir *ir, const char *name, Space space, int channels, int height,
              int width);                                                             // activation
int ir_vector(Ir *ir, const char *name, Space space, int64_t floats, int64_t offset); // plain
// A new tensor of SPACE_CONST; *values, zeroed, is to be filled before the next one is made.
int ir_constant(Ir *ir, const char *name, int64_t count, float **values);
Op *ir_op(Ir *ir, OpKind kind, const int *args, int n_args, Attr attr);
// Begins the list of ops anew for a pass that writes it again: returns the old list and its length.
const Op *ir_rewrite(Ir *ir, int *count);
void ir_keep(Ir *ir, const Op *op); // appends an op of the old list as it is
void ir_place(Ir *ir, const char *name, const char *symbol); // later ops belong here
bool op_is_int8(OpKind kind);                      // its kernel works on bytes, alone, on one image
int64_t ir_group_floats(const Ir *ir, int tensor); // floats of one group (or one image)

// Walks an op's tensor arguments with how it touches them.
typedef enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_UPDATE = 3 } Access;
typedef struct {
    int tensor; // -1: absent
    Access access;
    const char *word; // its name in op_list.h, up to the mark
    int word_length;
    bool in_list, first_of_list, last_of_list;
} Arg;
Arg op_arg(const Op *op, int index);
// Value of a named attribute; *is_float tells `scale`.
double op_attribute(const Op *op, const char *name, int length, bool *is_float);
// Whether the op's first argument may take the place of argument `index` where that one dies: an
// arena tensor of the same size that the op's kernel reads no later than it writes.
bool ir_takes_over(const Ir *ir, const Op *op, int index);
// Where an op stands in the network and what it does, in words, for comments and dumps.
void op_describe(const Ir *ir, const Op *op, Text *out);

// Every read was written before, shapes and sizes agree with the attributes, nothing is written
// twice but by adding; planned offsets do not overlap while live.  On failure names the op in
// `err`.
bool ir_verify(const Ir *ir, Err *err);
void ir_print(const Ir *ir, Text *out);

// ---- passes, in their order ---------------------------------------------------------------------

// lower.c: architecture to forward ops.  training: batch statistics, dropout and loss; else running
// statistics. LAYOUT_PIXELS: inference of one image.
Ir *lower(const Arch *arch, int batch, Layout layout, bool training, Pool *pool);
// fuse.c: batch normalisation as a multiply-add of its readers (before fuse_relu; not for
// LAYOUT_PIXELS, where weights take it).
void fuse_affine(Ir *ir);
// fuse.c: ReLU into the op that makes its only input.
void fuse_relu(Ir *ir);
// fuse.c: a normalised, rectified map that only global pooling reads is not stored (after the other
// two).
void fuse_global_pool(Ir *ir);
// grad.c: appends the backward ops (gradients of every parameter) to a training forward pass.
void differentiate(Ir *ir);
// recompute.c: merges that the backward pass reads are made again there instead of kept.
void recompute(Ir *ir);
// grad.c: the optimiser's step as a program of its own.
Ir *lower_update(const Ir *ir, Pool *pool);
// fold.c: whether the file has every parameter and statistic of the program, finite, in its shape.
bool weights_check(const Ir *ir, const TensorFile *weights, Err *err);
// fold.c: inference of one image with known weights (LAYOUT_PIXELS): batch normalisation into
// convolutions, every parameter to a constant in the order in which kernels read it.  Errors: a
// weight that is missing or misshapen.
bool fold_weights(Ir *ir, const TensorFile *weights, Err *err);
// quantise.c: a folded inference program (fold_weights) to int8 arithmetic, every tensor with the
// scale and zero point that its range asks for; those of few channels and at most `widest` numbers
// in 16 bits.  const_data then holds bytes.  sizes_only: they are zeros.  Errors: a tensor without
// a range.
bool quantise(Ir *ir, const Ranges *ranges, int64_t widest, bool sizes_only, Err *err);
bool may_be_wide(const Tensor *t); // of few enough channels
// The least and the most that a number of such a tensor is.
int int8_least(Dtype dtype);
int int8_most(Dtype dtype);
// widths.c: the largest `widest` for which the planned arena is no larger than in 8 bits alone; -1
// and an error as quantise.
int64_t widest_free(const Ir *ir, const Ranges *ranges, Err *err);
// tiles.c: the folded program over tiles in the lanes, with merges fused into loads and the head
// into one op; unchanged where an op has no kernel for tiles.
typedef struct {
    bool winograd;                                         // tiles larger than a pixel
    bool weigh_winograd;                                   // direct convolutions where they win
    bool inline_sums, fuse_loads, share_inputs, fuse_head; // what tiles.c explains
    int threads; // most parts that the program will run in (scratch for each)
} TileOptions;
void tile_maps(Ir *ir, const TileOptions *options);
// winograd.c: 3x3 and 5x5 convolutions of a training program by Winograd's algorithm, in all three
// directions, where it wins (or, with `everywhere`, wherever it can).  threads: how many parts the
// program will run in at the most (scratch for each).
void choose_winograd(Ir *ir, int threads, bool everywhere);
// share.c: marks the ops that several threads take parts of: those that are large enough, or
// (`small_ones`) all that can be cut.
void share_ops(Ir *ir, bool small_ones);
// schedule.c: brings the ops of a forward pass into the order that needs the least memory, and
// finds a bound that no order goes below (ir->plan).
void schedule_ops(Ir *ir);
// plan.c: gives each arena tensor an offset (floats, multiples of 16); without `share` none
// overlap.
void plan_memory(Ir *ir, bool share);

#endif
