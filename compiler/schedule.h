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
// Backwards it is that of the program seen from its end: op i is the program's n_ops - 1 - i, what
// waits for an op comes before it.  An order and its reverse need the same memory.
typedef struct {
    int n_ops, n_tensors;
    bool is_backwards;
    int64_t *bytes; // of each tensor, as the arena rounds it up; 0: not in the arena
    int *result;    // of each op: its first argument
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
MemoryModel *model_backwards(const MemoryModel *model, Pool *pool);
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

// ---- schedule_cuts.c ----------------------------------------------------------------------------

typedef struct Cuts Cuts;
Cuts *cuts_new(const MemoryModel *model, const Precedence *precedence, Pool *pool);
// Whether orders from a state on (a set of ops done) may keep to a budget: at most `budget` if so;
// else it is too little, and what comes back, too, is a bound that none goes below.
int64_t cuts_reach(Cuts *cuts, const uint64_t *done, int64_t budget);
// Whether no state between `from` and `to`, in which `alive` bytes are, has fewer.
bool cuts_is_valley(Cuts *cuts, const uint64_t *from, const uint64_t *to, int64_t alive);
int64_t cuts_effort(const Cuts *cuts); // so far, about edges looked at

// ---- schedule_refine.c --------------------------------------------------------------------------

// Changes an order so that less is alive for less long, never more than `peak`.
void order_refine(MemoryModel *model, const Precedence *p, int64_t peak, int *order, Pool *pool);

#endif
