// schedule.c - the order of the ops that needs the least memory.
//
// In: a program in any order.  Out: the same ops in the best order found, one in which tensors live
// as short as they can (schedule_refine.c), and a bound that no order goes below (Ir.plan).  The
// bound is over plans that store whole tensors; where the order reaches it, it is the best there
// is.
//
// A state is the set of ops done; which bytes are alive follows from it.  Depth-first search looks
// for a way through the states under a budget of bytes and remembers the states that lead nowhere.
// If there is none, the smallest peak that it had to refuse is the new bound, and the next budget;
// the first budget that has a way through is the optimum.  What keeps the states few:
//
// - The bytes alive are a submodular function of the state.  Hence a state that holds no more than
//   any between an earlier one and itself, a valley, is always a good way to go on from there; an
//   op that fits the budget and leaves no more alive than before is the simplest.
// - From a state from which minimum cuts show that some op cannot run, no way is tried
//   (schedule_cuts.c).
// - Ops that every other comes before or after cut the program: what fails behind one fails.
// - The program may be searched from its end as well: the same peaks, but not the same states.
//
// Searching takes so much effort at most, counted, not timed: the same program always comes out the
// same.  Where it runs out, the budget is halved in between, and the gap stays known.
//
// Sources: SERENITY (Ahn et al. 2020: states as frontiers, cuts, soft budgets); Liu 1987 (when a
// valley may come first).
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STATES = 1 << 16 };

static const int64_t EFFORT_A_TRY = 4000000, EFFORT = 2200000000;

typedef enum { FOUND, NONE, GAVE_UP } Outcome;

typedef struct {
    int op, place;   // -1: the root
    int next, end;   // choices still to try
    bool is_forced;  // the one choice may as well come now
    bool is_settled; // this state leads where one further on does, which was tried, or nowhere
    int64_t live;    // bytes alive
} Frame;

typedef struct {
    int op;
    int64_t change; // of the bytes alive
} Choice;

typedef struct {
    MemoryModel *model;
    Cuts *cuts;
    Pool *pool;
    bool *is_cut; // of each op: every other comes before it, or after it, in every order
    int *waits;   // of each op: ops before it that are not done
    int *ready, n_ready;
    int *found; // the last order found
    Frame *frames;
    int n_frames;
    Choice *choices;
    size_t cap_choices;
    uint64_t (*memo)[2]; // states seen; an open hash table
    size_t n_memo;
    uint64_t (*keys)[2], state[2]; // of each op; of the ops done, exclusive or
    int words;
    uint64_t *done;          // ops, a row for each frame
    int64_t budget, refused; // bytes; the smallest peak above the budget
} Search;

// ---- states -------------------------------------------------------------------------------------

// Does a ready op, the one at `place` in the list; returns the most bytes alive meanwhile.
static int64_t do_op(Search *s, int place)
{
    const MemoryModel *m = s->model;
    const int op = s->ready[place];
    const int64_t during = model_do(s->model, op);
    s->ready[place] = s->ready[--s->n_ready];
    for (int i = m->after.begin[op]; i < m->after.begin[op + 1]; i++)
        if (--s->waits[m->after.at[i]] == 0)
            s->ready[s->n_ready++] = m->after.at[i];
    s->state[0] ^= s->keys[op][0];
    s->state[1] ^= s->keys[op][1];
    return during;
}

static void undo_op(Search *s, int op, int place)
{
    const MemoryModel *m = s->model;
    for (int i = m->after.begin[op + 1] - 1; i >= m->after.begin[op]; i--)
        if (s->waits[m->after.at[i]]++ == 0)
            s->n_ready--;
    s->ready[s->n_ready++] = s->ready[place];
    s->ready[place] = op;
    model_undo(s->model, op);
    s->state[0] ^= s->keys[op][0];
    s->state[1] ^= s->keys[op][1];
}

// Whether the state was seen before; it is from now on.
static bool was_seen(Search *s)
{
    size_t at = (size_t)s->state[0] & (2 * MOST_STATES - 1);
    for (; s->memo[at][0] | s->memo[at][1]; at = (at + 1) & (2 * MOST_STATES - 1))
        if (s->memo[at][0] == s->state[0] && s->memo[at][1] == s->state[1])
            return true;
    s->memo[at][0] = s->state[0];
    s->memo[at][1] = s->state[1];
    s->n_memo++;
    return false;
}

// ---- the search ---------------------------------------------------------------------------------

static uint64_t *done_at(const Search *s, int frame)
{
    return s->done + (size_t)frame * (size_t)s->words;
}

static int by_change(const void *a, const void *b)
{
    const Choice *x = a, *y = b;
    if (x->change != y->change)
        return x->change < y->change ? -1 : 1;
    return x->op - y->op;
}

// Lists what may come next: one op that may as well come now, or all that fit the budget.
static void list_choices(Search *s, Frame *frame)
{
    const int begin = frame->next;
    int64_t refused = s->refused;
    for (int i = 0; i < s->n_ready; i++) {
        const int op = s->ready[i];
        const int64_t before = s->model->live, peak = do_op(s, i);
        const Choice choice = {op, s->model->live - before};
        undo_op(s, op, i);
        if (peak <= s->budget && choice.change <= 0) {
            frame->is_forced = true;
            s->choices[begin] = choice;
            frame->end = begin + 1;
            return;
        }
        if (peak > s->budget)
            refused = peak < refused ? peak : refused;
        else
            s->choices[frame->end++] = choice;
    }
    s->refused = refused;
    qsort(s->choices + begin, (size_t)(frame->end - begin), sizeof *s->choices, by_change);
}

// Settles the states that the present one is a valley from: in any order from there, what was done
// since may as well come first.
static void settle_valley(Search *s)
{
    const int now = s->n_frames - 1;
    int settled = now; // from here on all are
    for (int f = now - 1; f >= 0; f--) {
        const Frame *frame = &s->frames[f];
        if (frame->is_forced || frame->live < s->frames[now].live)
            continue;
        if (!cuts_is_valley(s->cuts, done_at(s, f), done_at(s, now), s->frames[now].live))
            break;
        settled = f;
    }
    for (int f = settled; f < now; f++)
        s->frames[f].is_settled = true;
}

// Notes the ops done in the state that `op` leads to from the last one (-1: none is done).
static void note_done(Search *s, int op)
{
    const size_t size = (size_t)s->words * sizeof *s->done;
    uint64_t *done = done_at(s, s->n_frames);
    if (op < 0) {
        memset(done, 0, size);
        return;
    }
    memcpy(done, done_at(s, s->n_frames - 1), size);
    done[op / 64] |= 1ull << (op % 64);
}

// Opens the state that `op` (from `place` of the list) led to.
static void open_frame(Search *s, int op, int place)
{
    const int begin = s->n_frames ? s->frames[s->n_frames - 1].end : 0;
    note_done(s, op);
    Frame *frame = &s->frames[s->n_frames++];
    *frame = (Frame){op, place, begin, begin, false, false, s->model->live};
    s->choices = pool_grow(s->pool, s->choices, (size_t)begin, (size_t)(begin + s->n_ready + 1),
                           &s->cap_choices, sizeof *s->choices);
    list_choices(s, frame);
    if (frame->is_forced)
        return;
    frame->is_settled = was_seen(s);
    if (frame->is_settled)
        return;
    settle_valley(s);
    const int64_t reached = cuts_reach(s->cuts, done_at(s, s->n_frames - 1), s->budget);
    if (reached > s->budget) {
        s->refused = reached < s->refused ? reached : s->refused;
        frame->is_settled = true;
    }
}

static int place_of(const Search *s, int op)
{
    int place = 0;
    while (s->ready[place] != op)
        place++;
    return place;
}

static void close_frames(Search *s)
{
    for (; s->n_frames > 1; s->n_frames--)
        undo_op(s, s->frames[s->n_frames - 1].op, s->frames[s->n_frames - 1].place);
    s->n_frames = 0;
}

// The order that the frames make, with the program's own numbers.
static void note_order(Search *s)
{
    const int last = s->model->n_ops - 1;
    for (int n = 0; n <= last; n++)
        if (s->model->is_backwards)
            s->found[last - n] = last - s->frames[n + 1].op;
        else
            s->found[n] = s->frames[n + 1].op;
}

// Looks for an order whose peak is at most `budget`; FOUND: it stands in s->found.
static Outcome try_budget(Search *s, int64_t budget, int64_t most)
{
    Outcome outcome = NONE;
    s->budget = budget;
    s->refused = INT64_MAX;
    if (s->n_memo)
        memset(s->memo, 0, 2 * MOST_STATES * sizeof *s->memo);
    s->n_memo = 0;
    const int64_t end = cuts_effort(s->cuts) + most;
    open_frame(s, -1, 0);
    while (s->n_frames) {
        Frame *frame = &s->frames[s->n_frames - 1];
        if (s->n_frames == s->model->n_ops + 1) {
            outcome = FOUND;
            note_order(s);
            break;
        }
        if (!frame->is_settled && frame->next < frame->end) {
            if (cuts_effort(s->cuts) > end || s->n_memo >= MOST_STATES) {
                outcome = GAVE_UP;
                break;
            }
            const int op = s->choices[frame->next++].op, place = place_of(s, op);
            do_op(s, place);
            open_frame(s, op, place);
            continue;
        }
        if (frame->op < 0 || s->is_cut[frame->op])
            break; // every order comes through here
        undo_op(s, frame->op, frame->place);
        s->n_frames--;
    }
    close_frames(s);
    return outcome;
}

static bool cuts_program(const Precedence *p, int op)
{
    const size_t row = (size_t)op * (size_t)p->words;
    int related = 0;
    for (int w = 0; w < p->words; w++)
        related += __builtin_popcountll(p->before[row + (size_t)w] | p->after[row + (size_t)w]);
    return related == p->n - 1;
}

static Search *search_new(MemoryModel *model, const Precedence *p, Pool *pool)
{
    Search *s = pool_alloc(pool, sizeof *s);
    const size_t n = (size_t)model->n_ops + 2;
    s->model = model;
    s->pool = pool;
    s->cuts = cuts_new(model, p, pool);
    s->words = p->words;
    s->done = pool_alloc(pool, n * (size_t)p->words * sizeof *s->done);
    s->memo = pool_alloc(pool, 2 * MOST_STATES * sizeof *s->memo);
    s->keys = pool_alloc(pool, n * sizeof *s->keys);
    s->is_cut = pool_alloc(pool, n * sizeof *s->is_cut);
    s->ready = pool_alloc(pool, n * sizeof *s->ready);
    s->frames = pool_alloc(pool, n * sizeof *s->frames);
    s->waits = pool_alloc(pool, n * sizeof *s->waits);
    s->found = pool_alloc(pool, n * sizeof *s->found);
    for (int o = 0; o < model->n_ops; o++) {
        Random random = random_stream(0, "schedule", (uint64_t)o, 0);
        s->keys[o][0] = random_u64(&random);
        s->keys[o][1] = random_u64(&random);
        s->is_cut[o] = cuts_program(p, o);
        s->waits[o] = model->before.begin[o + 1] - model->before.begin[o];
        if (s->waits[o] == 0)
            s->ready[s->n_ready++] = o;
    }
    return s;
}

// ---- budgets ------------------------------------------------------------------------------------

typedef struct {
    MemoryModel *model;
    Search *ways[2]; // from the beginning, from the end: first the one that sees more
    int64_t bound, peak;
    int *order;
} Gap;

static int64_t effort(const Gap *gap)
{
    return cuts_effort(gap->ways[0]->cuts) + cuts_effort(gap->ways[1]->cuts);
}

// Tries a budget both ways.
static Outcome try_both(Gap *gap, int64_t budget, int64_t most)
{
    Outcome outcome = GAVE_UP;
    for (int i = 0; i < 2 && outcome == GAVE_UP && effort(gap) < EFFORT; i++) {
        Search *s = gap->ways[i];
        const int64_t left = EFFORT - effort(gap);
        outcome = try_budget(s, budget, most < left ? most : left);
        if (outcome == FOUND) {
            memcpy(gap->order, s->found, (size_t)s->model->n_ops * sizeof *gap->order);
            gap->peak = model_peak(gap->model, gap->order);
        } else if (outcome == NONE)
            gap->bound = s->refused < gap->peak ? s->refused : gap->peak;
    }
    return outcome;
}

// The bound that cuts see from the first state; at least `bound`, which is one.
static int64_t first_bound(Search *s, int64_t bound)
{
    int64_t before;
    do {
        before = bound;
        bound = cuts_reach(s->cuts, done_at(s, 0), bound);
    } while (bound > before);
    return bound;
}

// Narrows the gap: tries the bound itself, then halves what is between, until a budget and the one
// halfway from it to the peak both take too much effort; then again with more.
static void narrow(Gap *gap)
{
    for (int64_t most = EFFORT_A_TRY; gap->bound < gap->peak && effort(gap) < EFFORT; most *= 4) {
        while (gap->bound < gap->peak && try_both(gap, gap->bound, most) == NONE)
            ;
        int64_t low = gap->bound; // below it there is no use trying with so little effort
        for (int given_up = 0; given_up < 2 && low < gap->peak - gap->peak / 200;) {
            const int64_t budget = low + (gap->peak - low) / 2;
            const Outcome outcome = try_both(gap, budget, most);
            if (outcome == NONE)
                low = gap->bound;
            else if (outcome == GAVE_UP)
                low = budget;
            given_up += outcome == GAVE_UP;
        }
    }
}

// Improves `order`, whose peak is *peak, and raises *bound.
static void search(MemoryModel *model, const Precedence *p, int64_t *bound, int64_t *peak,
                   int *order, Pool *pool)
{
    MemoryModel *backwards = model_backwards(model, pool);
    const Precedence q = precedence(backwards, pool);
    Search *forth = search_new(model, p, pool), *back = search_new(backwards, &q, pool);
    const int64_t forth_bound = first_bound(forth, *bound), back_bound = first_bound(back, *bound);
    const bool back_first = back_bound > forth_bound;
    Gap gap = {model,
               {back_first ? back : forth, back_first ? forth : back},
               back_first ? back_bound : forth_bound,
               *peak,
               order};
    narrow(&gap);
    *bound = gap.bound;
    *peak = gap.peak;
}

void schedule_ops(Ir *ir)
{
    Pool *pool = pool_new();
    MemoryModel *model = memory_model(ir, pool);
    const Precedence p = precedence(model, pool);
    int *order = pool_alloc(pool, (size_t)(ir->n_ops + 1) * sizeof *order);
    for (int o = 0; o < ir->n_ops; o++)
        order[o] = o;
    int64_t bound = model_bound(model, &p), peak = model_peak(model, NULL);
    if (bound < peak)
        search(model, &p, &bound, &peak, order, pool);
    order_refine(model, &p, peak, order, pool);
    Op *ops = pool_alloc(ir->pool, (size_t)(ir->n_ops + 1) * sizeof *ops);
    for (int o = 0; o < ir->n_ops; o++)
        ops[o] = ir->ops[order[o]];
    ir->ops = ops;
    ir->cap_ops = (size_t)ir->n_ops + 1;
    ir->plan.bound_bytes = bound;
    ir->plan.order_bytes = peak;
    pool_free(pool);
}
