// emit_ops.h - the pieces that all emitters write: pasted templates, pointers, calls.  Inside
// compiler/ only.
#ifndef NAGO_EMIT_OPS_H
#define NAGO_EMIT_OPS_H

#include "ir.h"

// ---- template.c ---------------------------------------------------------------------------------

// The text of templates/NAME.{c,h}, by the symbol in template_list.h.
const char *template_text(const char *symbol);
// Pastes a template with nk_ and NK_ replaced by the prefix: every file-scope name then starts with
// it.
void template_paste(const char *symbol, const char *prefix, Text *out);
// Pastes a text of our own the same way.
void template_rename(const char *text, const char *prefix, Text *out);

// ---- emit_ops.c ---------------------------------------------------------------------------------

typedef struct {
    const char *prefix;
    bool own_arrays; // arena tensors are arrays of their own (--no-plan in a generated file)
    bool profile;    // a mark behind each op
    int threads;     // that take parts of shared ops; 0 as 1
} EmitStyle;

// Whether a call needs the number of groups at run time.
bool emit_groups_vary(const Ir *ir);
// The tensors of a kernel's parameter list, not closed: "(float *y, const float *x".
void emit_tensor_parameters(OpKind kind, Text *out);
// The parameter list of a kernel: "(float *y, const float *x, int channels, ..., int part, int
// parts)".  Without attributes: only tensors and what the call brings.
void emit_signature(OpKind kind, bool attributes, bool groups, Text *out);
// The arguments of a call whose kernel takes tensors without a type, and the statement's end:
// "(arena + 64, nk_constants + 0, 14, 32);".  `pointer` writes where a tensor lies.
typedef void (*EmitPointer)(const Ir *ir, int tensor, const EmitStyle *style, Text *out);
void emit_arguments(const Ir *ir, const Op *op, EmitPointer pointer, const EmitStyle *style,
                    Text *out);
// The name of an op's wrapper: "net_conv_c14_h32_w32_k14_r3_s3".
void emit_wrapper_name(const Ir *ir, const Op *op, const EmitStyle *style, Text *out);
// One non-inlined wrapper for every distinct shape among the ops of the programs.
void emit_wrappers(const Ir *const *programs, int count, const EmitStyle *style, Pool *pool,
                   Text *out);
// The end of the run of ops from `from` that belong to one piece of the network.
int emit_place_end(const Ir *ir, int from);
// A program: one function per place, then the function that calls them in order.  `name` is
// "infer", "gradient", "update".
void emit_program(const Ir *ir, const char *name, const EmitStyle *style, Text *out);

// ---- emit_int8.c --------------------------------------------------------------------------------

// An int8 program in a generated file: nk_pixels, nk_image, nk_read_image, nk_program_infer.
void emit_int8_program(const Ir *ir, const float *mean, const float *deviation,
                       const EmitStyle *style, Text *out);

// ---- emit_profile.c -----------------------------------------------------------------------------

// The rows of a file with --profile, as its header has them, too.
void emit_profile_declarations(const Ir *ir, const char *prefix, Text *out);
// The table of rows and the functions that fill it.
void emit_profile(const Ir *ir, const EmitStyle *style, Text *out);
// Behind op number `op` of the program; nothing without --profile.
void emit_mark(int op, const EmitStyle *style, Text *out);

// ---- emit_jit.c ---------------------------------------------------------------------------------

// The text that the JIT compiles: the ABI, a function pointer for each kernel used, the three
// programs, and nk_imports, pairs of a kernel's name and where its address goes.  alone: the
// programs will only run in one part, and need no barriers.  profile: a mark after each op.
void emit_jit(const Ir *infer, const Ir *gradient, const Ir *update, bool alone, bool profile,
              Text *out);

// ---- emit_jit_int8.c ----------------------------------------------------------------------------

// The same for an int8 program, alone; nk_constants is where the address of its constants goes.
void emit_jit_int8(const Ir *infer, bool profile, Text *out);

// ---- emit_weights.c -----------------------------------------------------------------------------

#include "emit.h"
// The constants of an inference file.
void emit_const_data(const Ir *ir, const EmitOptions *options, Text *out, Text *bin);
// Numbers as a list, eight to a line.
void emit_floats(const float *values, int64_t count, Text *out);
// The table of names, shapes, offsets of a trainable file: "static const net_tensor
// net_param_table[] = ...".
void emit_table(const NetTensor *tensors, int count, const char *prefix, const char *table,
                Text *out);

// ---- emit_self_test.c ---------------------------------------------------------------------------

// Images and the logits that a file must give for them.
typedef struct TestVectors TestVectors;
// Draws images and lets options->self_test evaluate them; lives in `pool`.  NULL and its error.
const TestVectors *test_vectors_make(const Arch *arch, const EmitOptions *options,
                                     const float *mean, const float *deviation, Pool *pool,
                                     Err *err);
// What templates/self_test.c stands on; `ir` has the weights.
void test_vectors_emit(const TestVectors *vectors, const Ir *ir, const char *prefix, Text *out);

#endif
