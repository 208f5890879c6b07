// schedule_refine.c - of orders with the same peak, one in which less is alive.
//
// In: an order and its peak.  Out: an order that needs no more at any time, in which the bytes
// alive after the ops add up to less: tensors are made later and end earlier, which leaves the
// packing more room.  An op is moved back, and what waits for it with it, to where the sum is
// least; then the same from the end, again and again.
#include "schedule.h"

#include <string.h>

enum { WINDOW = 96, ROUNDS = 8 };

typedef struct {
    MemoryModel *model;
    const Precedence *precedence;
    int64_t peak;
    int *order;
    int64_t *live; // after each op of the order
    int *moved, n_moved, *passed, n_passed;
} Refining;

static bool waits_for_moved(const Refining *r, int op)
{
    for (int i = 0; i < r->n_moved; i++)
        if (must_precede(r->precedence, r->moved[i], op))
            return true;
    return false;
}

// Does the moved ops after those they let pass; adds up what is alive after each.  False: more than
// the peak.  Undone again.
static bool try_moved(Refining *r, int64_t *sum)
{
    int n = 0;
    bool fits = true;
    *sum = 0;
    while (n < r->n_moved && fits) {
        fits = model_do(r->model, r->moved[n++]) <= r->peak;
        *sum += r->model->live;
    }
    while (n > 0)
        model_undo(r->model, r->moved[--n]);
    return fits;
}

// Moves op `at` of the order, all before which are done, back to the best place.  False: it stays.
static bool move_back(Refining *r, int at)
{
    const int n = r->model->n_ops, end = at + WINDOW < n ? at + WINDOW : n;
    int64_t old = r->live[at], passed = 0, best = 0;
    int best_passed = 0, best_moved = 0;
    r->n_moved = r->n_passed = 0;
    r->moved[r->n_moved++] = r->order[at];
    for (int i = at + 1; i < end; i++) {
        const int op = r->order[i];
        old += r->live[i];
        if (waits_for_moved(r, op)) {
            r->moved[r->n_moved++] = op;
            continue;
        }
        r->passed[r->n_passed++] = op;
        const int64_t during = model_do(r->model, op);
        passed += r->model->live;
        if (during > r->peak)
            break;
        int64_t sum;
        if (passed - old < best && try_moved(r, &sum) && passed + sum - old < best) {
            best = passed + sum - old;
            best_passed = r->n_passed;
            best_moved = r->n_moved;
        }
    }
    while (r->n_passed > best_passed)
        model_undo(r->model, r->passed[--r->n_passed]);
    while (r->n_passed > 0)
        model_undo(r->model, r->passed[--r->n_passed]);
    if (best_passed == 0)
        return false;
    memcpy(r->order + at, r->passed, (size_t)best_passed * sizeof *r->order);
    memcpy(r->order + at + best_passed, r->moved, (size_t)best_moved * sizeof *r->order);
    return true;
}

static bool refine_once(Refining *r)
{
    const int n = r->model->n_ops;
    bool moved = false;
    for (int i = 0; i < n; i++) {
        model_do(r->model, r->order[i]);
        r->live[i] = r->model->live;
    }
    for (int i = n - 1; i >= 0; i--) { // the last first: what waits for it gets out of the way
        model_undo(r->model, r->order[i]);
        if (!move_back(r, i))
            continue;
        moved = true;
        for (int j = i; j < n && j < i + WINDOW; j++) {
            model_do(r->model, r->order[j]);
            r->live[j] = r->model->live;
        }
        for (int j = (i + WINDOW < n ? i + WINDOW : n) - 1; j >= i; j--)
            model_undo(r->model, r->order[j]);
    }
    return moved;
}

static void turn_around(int *order, int n)
{
    for (int i = 0; i < n / 2; i++) {
        const int op = order[i];
        order[i] = n - 1 - order[n - 1 - i];
        order[n - 1 - i] = n - 1 - op;
    }
    if (n % 2)
        order[n / 2] = n - 1 - order[n / 2];
}

void order_refine(MemoryModel *model, const Precedence *p, int64_t peak, int *order, Pool *pool)
{
    const size_t n = (size_t)model->n_ops + 1;
    Refining r = {model,
                  p,
                  peak,
                  order,
                  pool_alloc(pool, n * sizeof *r.live),
                  pool_alloc(pool, n * sizeof *r.moved),
                  0,
                  pool_alloc(pool, n * sizeof *r.passed),
                  0};
    MemoryModel *backwards = model_backwards(model, pool);
    const Precedence q = precedence(backwards, pool);
    for (int round = 0; round < ROUNDS; round++) {
        r.model = model;
        r.precedence = p;
        bool moved = refine_once(&r);
        turn_around(order, model->n_ops);
        r.model = backwards;
        r.precedence = &q;
        moved = refine_once(&r) || moved;
        turn_around(order, model->n_ops);
        if (!moved)
            break;
    }
}
