// schedule.h - the order of the ops and the memory it needs, between schedule.c (the search) and
// schedule_model.c (what an order costs).  Inside compiler/ only.
//
// An op touches tensors of the arena: each is alive from the first op that touches it to the last.
// While an op runs, all it touches is alive; where its result may take over the memory of an
// argument that dies there (op_list.h, inplace) the two count once.  Scratch is a tensor that one
// op alone touches; an op that adds into its destination touches it like any other.  Nothing here
// knows an op by name.
#ifndef NAGO_SCHEDULE_H
#define NAGO_SCHEDULE_H

#include "ir.h"

// Lists of numbers, one a row: row i is at[begin[i]] .. at[begin[i + 1] - 1].
typedef struct {
    int *begin, *at;
} Rows;

// Memory of a program as its ops are done and undone, in any order that its dependences allow.
typedef struct {
    const Ir *ir;
    int n_ops;
    int64_t *bytes; // of each tensor, as the arena rounds it up; 0: not in the arena
    Rows touched;   // op -> arena tensors, each once
    Rows donors;    // op -> those whose memory its first argument may take over
    Rows touchers;  // tensor -> ops, in the order of the program
    Rows before;    // op -> ops that must be done before, each once
    Rows after;     // the reverse
    int *left;      // of each tensor: how many ops still have to touch it
    int64_t live;   // bytes alive between two ops
} MemoryModel;

// The arena's rounding: every tensor begins at a multiple of this many bytes.
enum { ARENA_ALIGN = 64 };
int64_t tensor_bytes(const Tensor *tensor); // rounded up

Rows rows_reverse(const Rows *rows, int n, int n_reversed, Pool *pool);
MemoryModel *memory_model(const Ir *ir, Pool *pool);
// Does an op: returns the bytes alive while it runs.  Undoing goes backwards.
int64_t model_do(MemoryModel *model, int op);
void model_undo(MemoryModel *model, int op);
// The most bytes alive at once in an order (NULL: the program's own).  Nothing may be done yet.
int64_t model_peak(MemoryModel *model, const int *order);

// Which ops come before which in every order, as sets of bits.
typedef struct {
    int n, words;
    uint64_t *before, *after; // row o: the ops that must come before (after) op o
} Precedence;
Precedence precedence(const MemoryModel *model, Pool *pool);
// Whether `b` comes before op `o` in every order.
static inline bool must_precede(const Precedence *p, int b, int o)
{
    return p->before[(size_t)o * (size_t)p->words + (size_t)(b / 64)] >> (b % 64) & 1;
}
// No order needs less: an op's own tensors, and those that are written before it and read after it
// in every order.
int64_t model_bound(const MemoryModel *model, const Precedence *p);

// ---- schedule_tasks.c ---------------------------------------------------------------------------

// Ops that go one right after the other.
typedef struct {
    int begin, end;  // in TaskGraph.ops
    bool is_cut;     // every other task comes before it, or after it, in every order
    int module;      // the smallest that it is in, -1: none
    uint64_t key[2]; // of the set of tasks that are done, exclusive or
} Task;

// Tasks that may as well be done without any other in between, once one of them is begun.
typedef struct {
    int parent;  // the module around it, -1: none
    int n_tasks; // in it and in those inside
    bool is_closed;
    uint64_t key[2];
} Module;

typedef struct {
    MemoryModel *model;
    Pool *pool;
    int n_tasks, n_modules;
    Task *tasks; // each after those it waits for
    Module *modules;
    int *ops, *task_of;
    Rows before, after; // of tasks
} TaskGraph;

TaskGraph *task_graph(MemoryModel *model, const Precedence *precedence, Pool *pool);

#endif
