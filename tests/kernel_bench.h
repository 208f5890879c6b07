// kernel_bench.h - one to three ops of the IR run by the runtime's kernels on operands of our
// making, and their results judged.
//
// The ops are compiled as the JIT compiles a net, so that a kernel's C signature is named in
// op_list.h alone.  Operands carry the names of op_list.h and hold logical values in double,
// [count][C][H][W] or [n]; the bench packs them into groups of 32 images, puts garbage into the
// lanes beyond count (zeros where gradients promise them), NaN everywhere else, and then asks:
//
// - the results are those expected, within a float's tolerance; all inputs are untouched, and so is
//   what lies in groups beyond count;
// - 2 and 3 parts, one after another, forwards and backwards, leave the same bits everywhere;
// - where op_list.h lets the op work in place, that gives the same bits, too.
#ifndef TEST_KERNEL_BENCH_H
#define TEST_KERNEL_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../compiler/emit_ops.h"
#include "../runtime/kernels.h"
#include "../runtime/reference_ops.h"
#include "kernel_foreign.h"

enum { BENCH_OPERANDS = 32, BENCH_OPS = 3 };

typedef struct {
    const char *name;
    int tensor;
    bool is_activation, zero_beyond; // lanes beyond count are 0
    ReferenceShape shape;            // activations
    size_t count;                    // logical values
    double *given, *expected;        // NULL: unset; not judged
    double *actual;                  // afterwards
    double tolerance;                // of the largest expected value, or of 1
} Operand;

typedef struct {
    Pool *pool;
    Random random;
    const KernelEntry *kernels;
    Foreign *foreign; // runs the ops instead, with kernels of its own
    Ir *ir;
    int count, *labels;
    uint64_t seed;
    nk_call call; // what it brings beside memory: learning rate, dropout, ...
    Operand operands[BENCH_OPERANDS];
    int n_operands;
    float *start, *arena, *first; // operands as given; working memory; after one part
} Bench;

extern bool bench_ran[OP_COUNT]; // which ops have been judged

// fail_msg that tells how to see it again.
#define bench_fail(bench, ...)                                        \
    do {                                                              \
        print_error("SEED=%llu ", (unsigned long long)(bench)->seed); \
        fail_msg(__VA_ARGS__);                                        \
    } while (0)

// Images: `count` of them, memory for more groups now and then.
static inline Bench *bench_open(const KernelEntry *kernels, Foreign *foreign, uint64_t seed,
                                const char *family)
{
    static const Arch none = {0};
    Pool *pool = pool_new();
    Bench *b = pool_alloc(pool, sizeof *b);
    *b = (Bench){.pool = pool, .kernels = kernels, .foreign = foreign, .seed = seed};
    b->random = random_stream(seed, family, 0, 0);
    b->count = 1 + (int)random_below(&b->random, random_below(&b->random, 2) ? 96 : 32);
    b->ir = ir_new(&none, b->count + (int)random_below(&b->random, 40), LAYOUT_BATCH_INNER, pool);
    ir_place(b->ir, "bench", "bench");
    return b;
}

static inline int bench_draw(Bench *b, int low, int high)
{
    return low + (int)random_below(&b->random, (uint64_t)(high - low + 1));
}

// ---- operands -----------------------------------------------------------------------------------

static inline Operand *bench_find(Bench *b, const char *name, size_t length)
{
    for (int i = 0; i < b->n_operands; i++)
        if (strlen(b->operands[i].name) == length && !memcmp(b->operands[i].name, name, length))
            return &b->operands[i];
    return NULL;
}

static inline Operand *bench_add(Bench *b, const char *name)
{
    assert_true(b->n_operands < BENCH_OPERANDS);
    Operand *o = &b->operands[b->n_operands++];
    *o = (Operand){.name = pool_strdup(b->pool, name), .tolerance = 2e-5};
    return o;
}

static inline double *bench_normals(Bench *b, size_t count)
{
    double *values = pool_alloc(b->pool, (count + 1) * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (double)(float)random_normal(&b->random);
    return values;
}

static inline Operand *bench_add_activation(Bench *b, const char *name, int channels, int height,
                                            int width)
{
    Operand *o = bench_add(b, name);
    o->is_activation = true;
    o->shape = (ReferenceShape){b->count, channels, height, width};
    o->count = reference_count(o->shape);
    o->tensor = ir_tensor(b->ir, o->name, SPACE_ARENA, channels, height, width);
    return o;
}

static inline Operand *bench_add_vector(Bench *b, const char *name, size_t count)
{
    Operand *o = bench_add(b, name);
    o->count = count;
    o->tensor = ir_vector(b->ir, o->name, SPACE_ARENA, (int64_t)count, -1);
    return o;
}

// Random operands that the ops read; the values.
static inline double *bench_activation(Bench *b, const char *name, int channels, int height,
                                       int width)
{
    Operand *o = bench_add_activation(b, name, channels, height, width);
    return o->given = bench_normals(b, o->count);
}

static inline double *bench_gradient(Bench *b, const char *name, int channels, int height,
                                     int width)
{
    double *values = bench_activation(b, name, channels, height, width);
    b->operands[b->n_operands - 1].zero_beyond = true;
    return values;
}

static inline double *bench_vector(Bench *b, const char *name, size_t count)
{
    Operand *o = bench_add_vector(b, name, count);
    return o->given = bench_normals(b, count);
}

// Memory that one op of the chain fills for the next, or that it works in.
static inline void bench_between(Bench *b, const char *name, size_t floats)
{
    bench_add_vector(b, name, floats);
}

// Results: the place for what is expected, zero so far; where `adds`, the operand and what is
// expected of it begin with the same random values.
static inline double *bench_expect(Bench *b, Operand *o, bool adds)
{
    o->expected = pool_alloc(b->pool, (o->count + 1) * sizeof *o->expected);
    if (adds) {
        o->given = bench_normals(b, o->count);
        memcpy(o->expected, o->given, o->count * sizeof *o->expected);
    }
    return o->expected;
}

static inline double *bench_result(Bench *b, const char *name, int channels, int height, int width,
                                   bool adds)
{
    Operand *o = bench_add_activation(b, name, channels, height, width);
    return bench_expect(b, o, adds);
}

// A gradient: also zero in the lanes beyond count.
static inline double *bench_result_gradient(Bench *b, const char *name, int channels, int height,
                                            int width, bool adds)
{
    double *expected = bench_result(b, name, channels, height, width, adds);
    b->operands[b->n_operands - 1].zero_beyond = true;
    return expected;
}

static inline double *bench_result_vector(Bench *b, const char *name, size_t count, bool adds)
{
    return bench_expect(b, bench_add_vector(b, name, count), adds);
}

static inline void bench_tolerance(Bench *b, const char *name, double tolerance)
{
    bench_find(b, name, strlen(name))->tolerance = tolerance;
}

// Classes of the images, for ops that read `labels`.
static inline int *bench_labels(Bench *b, int classes)
{
    b->labels = pool_alloc(b->pool, (size_t)b->ir->batch * sizeof *b->labels);
    for (int n = 0; n < b->ir->batch; n++)
        b->labels[n] = n < b->count ? bench_draw(b, 0, classes - 1) : -1000000;
    Operand *o = bench_add(b, "labels");
    o->tensor = ir_vector(b->ir, "labels", SPACE_LABELS, b->ir->batch, 0);
    return b->labels;
}

// ---- ops ----------------------------------------------------------------------------------------

static inline bool op_has(OpKind kind, const char *attribute)
{
    const size_t length = strlen(attribute);
    for (const char *word = op_info[kind].attributes; *word;
         word += strcspn(word, " "), word += *word == ' ')
        if (strcspn(word, " ") == length && !memcmp(word, attribute, length))
            return true;
    return false;
}

// The operand for a word of op_list.h: as `renamed` says ("x:dy y:dx"), else the one of that name.
static inline int bench_operand(Bench *b, OpKind kind, const char *word, int name,
                                const char *renamed, bool is_optional)
{
    Operand *o = bench_find(b, word, (size_t)name);
    for (const char *r = renamed; *r; r += strcspn(r, " "), r += *r == ' ')
        if (!strncmp(r, word, (size_t)name) && r[name] == ':')
            o = bench_find(b, r + name + 1, strcspn(r + name + 1, " "));
    if (!o && !is_optional)
        bench_fail(b, "no operand for %.*s of %s", name, word, op_info[kind].kernel);
    return o ? o->tensor : -1;
}

// Appends an op on the operands that have the names of its words; a list takes xs0, xs1, ...
static inline void bench_op(Bench *b, OpKind kind, Attr attr, const char *renamed)
{
    int args[3 * BENCH_OPERANDS], n = 0;
    for (const char *word = op_info[kind].tensors; *word;) {
        const int length = (int)strcspn(word, " "), name = (int)strcspn(word, "=+?* ");
        const bool is_optional = memchr(word, '?', (size_t)length);
        if (memchr(word, '*', (size_t)length))
            for (int j = 0; j < attr.inputs; j++) {
                const char *item = pool_printf(b->pool, "%.*s%d", name, word, j);
                args[n++] = bench_operand(b, kind, item, (int)strlen(item), renamed, true);
            }
        else
            args[n++] = bench_operand(b, kind, word, name, renamed, is_optional);
        word += length + (word[length] == ' ');
    }
    assert_true(b->ir->n_ops < BENCH_OPS);
    ir_op(b->ir, kind, args, n, attr);
    bench_ran[kind] = true;
}

// ---- running ------------------------------------------------------------------------------------

// Where lane `lane` of a pixel of a channel of a group lies in an activation.
static inline size_t bench_at(const Operand *o, size_t group, size_t c, size_t pixel, size_t lane)
{
    const int size = o->shape.height * o->shape.width;
    const int64_t plane = ir_map_floats(LAYOUT_BATCH_INNER, 1, size);
    const int64_t whole = ir_map_floats(LAYOUT_BATCH_INNER, o->shape.channels, size);
    return group * (size_t)whole + c * (size_t)plane + pixel * LANES + lane;
}

// Where logical value `i` lies in the arena.
static inline size_t bench_place(const Bench *b, const Operand *o, size_t i)
{
    const size_t offset = (size_t)b->ir->tensors[o->tensor].offset;
    const size_t pixels = (size_t)(o->shape.height * o->shape.width);
    if (!o->is_activation)
        return offset + i;
    const size_t n = i / pixels / (size_t)o->shape.channels;
    const size_t c = i / pixels % (size_t)o->shape.channels;
    return offset + bench_at(o, n / LANES, c, i % pixels, n % LANES);
}

static inline size_t bench_groups(const Bench *b)
{
    return (size_t)(b->count + LANES - 1) / LANES;
}

// The floats of an operand that the call may touch: whole groups up to count.
static inline size_t bench_touched(const Bench *b, const Operand *o)
{
    return o->is_activation ? bench_at(o, bench_groups(b), 0, 0, 0) : o->count;
}

// Calls visit(place, value's place in memory) for the lanes beyond count of the last group.
static inline void bench_beyond(const Bench *b, const Operand *o,
                                void (*visit)(Bench *, const Operand *, float *), float *memory)
{
    const size_t pixels = (size_t)(o->shape.height * o->shape.width), last = bench_groups(b) - 1;
    float *base = memory + b->ir->tensors[o->tensor].offset;
    for (size_t c = 0; o->is_activation && c < (size_t)o->shape.channels; c++)
        for (size_t i = 0; i < pixels; i++)
            for (size_t lane = (size_t)b->count - last * LANES; lane < LANES; lane++)
                visit((Bench *)b, o, base + bench_at(o, last, c, i, lane));
}

static inline void bench_garbage(Bench *b, const Operand *o, float *value)
{
    *value = o->zero_beyond ? 0.0f : (float)random_normal(&b->random);
}

static inline void bench_fill(Bench *b)
{
    for (int i = 0; i < b->n_operands; i++) {
        const Operand *o = &b->operands[i];
        if (!o->given)
            continue;
        bench_beyond(b, o, bench_garbage, b->start);
        for (size_t j = 0; j < o->count; j++)
            b->start[bench_place(b, o, j)] = (float)o->given[j];
    }
}

typedef struct {
    Jit *jit;
    nk_program *program[BENCH_OPS];
} BenchCode;

// Every op becomes a program of its own.
static inline BenchCode bench_compile(Bench *b)
{
    static const char *const name[BENCH_OPS] = {"infer", "gradient", "update"};
    BenchCode code = {NULL, {NULL}};
    Ir programs[BENCH_OPS];
    Text text = {0};
    Err err = {0};
    for (int i = 0; i < BENCH_OPS; i++) {
        programs[i] = *b->ir;
        programs[i].name = name[i];
        programs[i].ops = b->ir->ops + i;
        programs[i].n_ops = programs[i].n_forward = i < b->ir->n_ops;
    }
    emit_jit(&programs[0], &programs[1], &programs[2], false, false, &text);
    if (b->foreign) {
        const bool loaded = foreign_load(b->foreign, text.data);
        text_free(&text);
        if (!loaded)
            bench_fail(b, "the other processor's program does not compile or load");
        return code;
    }
    code.jit = jit_open(text.data, JIT_TCC, false, &err);
    text_free(&text);
    if (!code.jit)
        bench_fail(b, "%s", err.message);
    for (void **import = jit_symbol(code.jit, "nk_imports"); *import; import += 2) {
        const KernelEntry *k = b->kernels;
        while (k->name && strcmp(k->name, import[0]) != 0)
            k++;
        if (!k->name)
            bench_fail(b, "the runtime has no kernel %s", (const char *)import[0]);
        memcpy(import[1], &k->address, sizeof k->address);
    }
    for (int i = 0; i < b->ir->n_ops; i++) {
        void *symbol = jit_symbol(code.jit, pool_printf(b->pool, "nk_program_%s", name[i]));
        memcpy(&code.program[i], &symbol, sizeof symbol);
    }
    return code;
}

static inline void bench_barrier(void *team)
{
    (void)team; // behind the only op of a program: nobody waits
}

// One op after another, its parts one after another.
static inline void bench_run(Bench *b, const BenchCode *code, int parts, bool backwards)
{
    nk_call call = b->call;
    memcpy(b->arena, b->start, (size_t)b->ir->arena_floats * sizeof(float));
    call.arena = b->arena;
    call.labels = b->labels;
    call.count = b->count;
    call.barrier = bench_barrier;
    if (b->foreign) {
        if (!foreign_run(b->foreign, b->ir->n_ops, &call, b->labels ? b->count : 0, b->arena,
                         (size_t)b->ir->arena_floats, parts, backwards))
            bench_fail(b, "the other processor's program does not answer");
        return;
    }
    for (int i = 0; i < b->ir->n_ops; i++)
        for (int part = 0; part < parts; part++)
            code->program[i](&call, backwards ? parts - 1 - part : part, parts);
}

// ---- judging ------------------------------------------------------------------------------------

static inline bool same_floats(const float *a, const float *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

static inline void bench_judge_values(Bench *b, Operand *o, const char *kernel)
{
    double scale = 1;
    o->actual = pool_alloc(b->pool, (o->count + 1) * sizeof *o->actual);
    for (size_t i = 0; i < o->count; i++)
        scale = fmax(scale, fabs(o->expected[i]));
    for (size_t i = 0; i < o->count; i++) {
        o->actual[i] = (double)b->arena[bench_place(b, o, i)];
        if (!(fabs(o->actual[i] - o->expected[i]) <= o->tolerance * scale))
            bench_fail(b, "%s: %s[%zu] is %.9g, expected %.9g (%d images, %dx%dx%d)", kernel,
                       o->name, i, o->actual[i], o->expected[i], b->count, o->shape.channels,
                       o->shape.height, o->shape.width);
    }
}

static inline void bench_judge_zero(Bench *b, const Operand *o, float *value)
{
    if (o->zero_beyond && *value != 0.0f)
        bench_fail(b, "%s is %g in a lane beyond the %d images", o->name, (double)*value, b->count);
}

// Lanes beyond count of a gradient, and groups beyond count of any result.
static inline void bench_judge_beyond(const Bench *b, const Operand *o, const char *kernel)
{
    const Tensor *t = &b->ir->tensors[o->tensor];
    const size_t touched = bench_touched(b, o);
    bench_beyond(b, o, bench_judge_zero, b->arena);
    if (!same_floats(b->arena + t->offset + touched, b->start + t->offset + touched,
                     (size_t)t->floats - touched))
        bench_fail(b, "%s: touches %s beyond the groups of the call", kernel, o->name);
}

static inline void bench_judge(Bench *b, const char *kernel)
{
    for (int i = 0; i < b->n_operands; i++) {
        Operand *o = &b->operands[i];
        const Tensor *t = &b->ir->tensors[o->tensor];
        if (o->expected)
            bench_judge_values(b, o, kernel);
        if (o->expected && o->is_activation)
            bench_judge_beyond(b, o, kernel);
        if (o->given && !o->expected &&
            !same_floats(b->arena + t->offset, b->start + t->offset, (size_t)t->floats))
            bench_fail(b, "%s: changes its argument %s", kernel, o->name);
    }
}

// Against what one part left; a kernel's scratch is its own affair.
static inline void bench_judge_bits(const Bench *b, const char *kernel, int parts)
{
    for (int i = 0; i < b->n_operands; i++) {
        const Operand *o = &b->operands[i];
        const Tensor *t = &b->ir->tensors[o->tensor];
        if (t->space == SPACE_ARENA && strcmp(o->name, "scratch") != 0 &&
            !same_floats(b->arena + t->offset, b->first + t->offset, (size_t)t->floats))
            bench_fail(b, "%s: gives other bits in %s with %d parts", kernel, o->name, parts);
    }
}

// Runs the last op in the memory of one of its arguments: the same bits.
static inline void bench_judge_in_place_of(Bench *b, const char *kernel, int donor)
{
    Op *op = &b->ir->ops[b->ir->n_ops - 1];
    const int result = op->args[0];
    const Tensor *from = &b->ir->tensors[donor], *to = &b->ir->tensors[result];
    op->args[0] = donor;
    const BenchCode code = bench_compile(b);
    const size_t touched = (size_t)(to->floats / b->ir->groups) * bench_groups(b);
    for (int parts = 1; parts <= 3; parts++) {
        bench_run(b, &code, parts, false);
        if (!same_floats(b->arena + from->offset, b->first + to->offset, touched))
            bench_fail(b, "%s: gives other bits in place of %s, with %d parts", kernel, from->name,
                       parts);
    }
    jit_close(code.jit);
    op->args[0] = result;
}

// The same for every argument that op_list.h lets the result take over.
static inline void bench_judge_in_place(Bench *b, const char *kernel)
{
    const Op *op = &b->ir->ops[b->ir->n_ops - 1];
    for (int i = 1; i < op->n_args; i++)
        if (ir_takes_over(b->ir, op, i))
            bench_judge_in_place_of(b, kernel, op->args[i]);
}

// All of the above, on ops and operands as given.
static inline void bench_check(Bench *b)
{
    const char *kernel = op_info[b->ir->ops[b->ir->n_ops - 1].kind].kernel;
    plan_memory(b->ir, false);
    const size_t floats = (size_t)b->ir->arena_floats;
    // kernels may load whole vectors: 64-byte places, as the runtime hands out
    float *memory[3];
    for (int i = 0; i < 3; i++) {
        memory[i] = aligned_alloc(64, (floats + 16) * sizeof(float) / 64 * 64 + 64);
        memset(memory[i], 0xff, floats * sizeof(float));
    }
    b->start = memory[0];
    b->arena = memory[1];
    b->first = memory[2];
    bench_fill(b);
    const BenchCode code = bench_compile(b);
    bench_run(b, &code, 1, false);
    memcpy(b->first, b->arena, floats * sizeof(float));
    bench_judge(b, kernel);
    for (int parts = 2; parts <= 5; parts++) {
        bench_run(b, &code, 1 + parts / 2, parts % 2);
        bench_judge_bits(b, kernel, 1 + parts / 2);
    }
    jit_close(code.jit);
    bench_judge_in_place(b, kernel);
    for (int i = 0; i < 3; i++)
        free(memory[i]);
}

static inline void bench_close(Bench *b)
{
    pool_free(b->pool);
}

// ---- what many cases draw -----------------------------------------------------------------------

static inline void add(double *sum, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += values[i];
}

// ReLU of what is expected, where the op can do that and a coin says so.
static inline int draw_relu(Bench *b, OpKind kind, double *expected, size_t count)
{
    const bool relu = op_has(kind, "relu") && random_below(&b->random, 2);
    if (relu)
        reference_relu_forward(count, expected, expected);
    return relu;
}

static inline Attr draw_shape(Bench *b, ReferenceShape *shape)
{
    *shape =
        (ReferenceShape){b->count, bench_draw(b, 1, 20), bench_draw(b, 1, 9), bench_draw(b, 1, 9)};
    return (Attr){.channels = shape->channels, .size = shape->height * shape->width};
}

#endif
