// schedule.c - the order of the ops that needs the least memory.
//
// In: a program in any order.  Out: the same ops in the best order found, and a bound that no order
// goes below (Ir.plan).  The bound is over plans that store whole tensors; where the order reaches
// it, it is the best there is.
//
// A state is the set of ops done; which bytes are alive follows from it.  Depth-first search looks
// for a way through the states under a budget of bytes and remembers the states that lead nowhere.
// If there is none, the smallest peak that it had to refuse is the new bound, and the next budget;
// the first budget that has a way through is the optimum.  What keeps the states few:
//
// - An op that fits the budget and leaves no more alive than before goes first, alone: in any order
//   in which it comes later it may as well come now.
// - An op without arguments in the arena (it unpacks weights) goes right before its only reader; so
//   does one that makes its arguments larger (a halo), if the reader needs more than they did.
// - Ops that every other comes before or after cut the program: what fails behind one fails.
//
// Searching takes so many steps at most, counted, not timed: the same program always comes out the
// same.  Where they run out, the budget is halved in between, and the gap stays known.
//
// Sources: SERENITY (Ahn et al. 2020: states as frontiers, cuts, soft budgets); Liu 1987 (when a
// valley may come first).
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS_A_TRY = 4000, STEPS = 150000 };

typedef enum { FOUND, NONE, GAVE_UP } Outcome;

typedef struct {
    int task, place; // -1: the root
    int module;      // that is to be finished first, -1: none
    int level;       // the choices listed are all those in this module, -1: all there are
    int next, end;   // choices still to try
    bool is_forced;  // the one choice may as well come now
    bool is_settled; // this state leads where one further on does, which was tried
    int64_t live;    // bytes alive
} Frame;

typedef struct {
    int task;
    int64_t change; // of the bytes alive
} Choice;

typedef struct {
    TaskGraph *graph;
    MemoryModel *model;
    Pool *pool;
    int *waits; // of each task: tasks before it that are not done
    int *left;  // of each module: tasks that are not done
    int *ready, n_ready;
    int *found; // the last order found, of ops
    Frame *frames;
    int n_frames;
    Choice *choices;
    size_t cap_choices;
    uint64_t (*memo)[2]; // states seen; an open hash table
    size_t n_memo, cap_memo;
    uint64_t state[2];
    struct Since *since;
    int *inside, *part_of_module, *part_of_task, *stamp, *index, n_stamps; // of settle_valley
    int64_t budget, refused; // bytes; the smallest peak above the budget
    int steps;
    bool is_hasty; // treats all modules as closed: few states, but what it does not find may exist
} Search;

// ---- states -------------------------------------------------------------------------------------

// Does a ready task, the one at `place` in the list; returns the most bytes alive meanwhile.
static int64_t do_task(Search *s, int place)
{
    const TaskGraph *g = s->graph;
    const int t = s->ready[place];
    int64_t peak = 0;
    for (int i = g->tasks[t].begin; i < g->tasks[t].end; i++) {
        const int64_t during = model_do(s->model, g->ops[i]);
        peak = during > peak ? during : peak;
    }
    s->ready[place] = s->ready[--s->n_ready];
    for (int i = g->after.begin[t]; i < g->after.begin[t + 1]; i++)
        if (--s->waits[g->after.at[i]] == 0)
            s->ready[s->n_ready++] = g->after.at[i];
    for (int m = g->tasks[t].module; m >= 0; m = g->modules[m].parent)
        s->left[m]--;
    s->state[0] ^= g->tasks[t].key[0];
    s->state[1] ^= g->tasks[t].key[1];
    return peak;
}

static void undo_task(Search *s, int t, int place)
{
    const TaskGraph *g = s->graph;
    for (int i = g->after.begin[t + 1] - 1; i >= g->after.begin[t]; i--)
        if (s->waits[g->after.at[i]]++ == 0)
            s->n_ready--;
    s->ready[s->n_ready++] = s->ready[place];
    s->ready[place] = t;
    for (int i = g->tasks[t].end - 1; i >= g->tasks[t].begin; i--)
        model_undo(s->model, g->ops[i]);
    for (int m = g->tasks[t].module; m >= 0; m = g->modules[m].parent)
        s->left[m]++;
    s->state[0] ^= g->tasks[t].key[0];
    s->state[1] ^= g->tasks[t].key[1];
}

// The module to finish first after `task`, chosen while `module` was.
static int module_after(const Search *s, int task, int module, bool is_forced)
{
    int m = is_forced || task < 0 ? module : s->graph->tasks[task].module;
    while (m >= 0 && s->left[m] == 0)
        m = s->graph->modules[m].parent;
    return m;
}

static bool is_within_module(const TaskGraph *g, int inner, int module)
{
    while (inner != module && inner >= 0)
        inner = g->modules[inner].parent;
    return inner == module;
}

static bool is_within(const TaskGraph *g, int task, int module)
{
    return is_within_module(g, g->tasks[task].module, module);
}

// Whether the state, with `module` to be finished, was seen before; it is from now on.
static bool was_seen(Search *s, int module)
{
    uint64_t key[2] = {s->state[0], s->state[1]};
    for (int i = 0; module >= 0 && i < 2; i++)
        key[i] ^= s->graph->modules[module].key[i];
    size_t at = (size_t)key[0] & (s->cap_memo - 1);
    for (; s->memo[at][0] | s->memo[at][1]; at = (at + 1) & (s->cap_memo - 1))
        if (s->memo[at][0] == key[0] && s->memo[at][1] == key[1])
            return true;
    s->memo[at][0] = key[0];
    s->memo[at][1] = key[1];
    s->n_memo++;
    return false;
}

static void memo_clear(Search *s)
{
    s->cap_memo = 2 * STEPS;
    while (s->cap_memo & (s->cap_memo - 1))
        s->cap_memo += s->cap_memo & -s->cap_memo;
    if (!s->memo)
        s->memo = pool_alloc(s->pool, s->cap_memo * sizeof *s->memo);
    else if (s->n_memo)
        memset(s->memo, 0, s->cap_memo * sizeof *s->memo);
    s->n_memo = 0;
}

// ---- the search ---------------------------------------------------------------------------------

static int by_change(const void *a, const void *b)
{
    const Choice *x = a, *y = b;
    if (x->change != y->change)
        return x->change < y->change ? -1 : 1;
    return x->task - y->task;
}

// Lists what may come next: one task that may as well come now, or all in the module `level` that
// are not in `known`, which lies inside.
static void list_choices(Search *s, Frame *frame, int level, int known)
{
    const int begin = frame->next;
    for (int i = 0; i < s->n_ready; i++) {
        const int t = s->ready[i];
        const int64_t before = s->model->live, peak = do_task(s, i);
        const Choice choice = {t, s->model->live - before};
        undo_task(s, t, i);
        if (peak <= s->budget && choice.change <= 0) {
            frame->is_forced = true;
            s->choices[begin] = choice;
            frame->end = begin + 1;
            return;
        }
        if (!is_within(s->graph, t, level) || (known != level && is_within(s->graph, t, known)))
            continue;
        if (peak > s->budget)
            s->refused = peak < s->refused ? peak : s->refused;
        else
            s->choices[frame->end++] = choice;
    }
    frame->level = level;
    qsort(s->choices + begin, (size_t)(frame->end - begin), sizeof *s->choices, by_change);
}

// The next task to try from a state; -1: none is left.  Tasks outside the module that is under way
// come last, if it cannot be finished from here and is not closed.
static int next_choice(Search *s, Frame *frame)
{
    if (frame->is_settled)
        return -1;
    while (frame->next == frame->end) {
        const int level = frame->level;
        if (frame->is_forced || level < 0 || s->graph->modules[level].is_closed || s->is_hasty)
            return -1;
        list_choices(s, frame, s->graph->modules[level].parent, level);
    }
    return s->choices[frame->next++].task;
}

// `task` has finished modules: the states from which nothing else was done are settled.
static void settle(Search *s, int task)
{
    const TaskGraph *g = s->graph;
    for (int m = g->tasks[task].module; m >= 0 && s->left[m] == 0; m = g->modules[m].parent)
        for (int f = s->n_frames - 1, next = task; f > 0; next = s->frames[f--].task) {
            Frame *frame = &s->frames[f];
            if (!frame->is_forced && (frame->module < 0 || !is_within_module(g, frame->module, m) ||
                                      !is_within(g, next, m)))
                break;
            frame->is_settled = true;
        }
}

// ---- valleys ------------------------------------------------------------------------------------
//
// If the tasks done since an earlier state hold no more than before, and each part of them that
// could be done alone would hold at least as much, then in any order from the earlier state they
// may as well come first: that state leads where the present one does.

enum { MOST_PARTS = 48, MOST_TASKS = 300, MOST_STATES = 1500 };

// What was done since a state.
typedef struct Since {
    int n, part_of[MOST_TASKS];             // by place in the list of tasks
    uint64_t waits[MOST_PARTS];             // for which parts
    int n_tensors, tensors[4 * MOST_TASKS]; // touched
    uint64_t touchers[4 * MOST_TASKS];      // parts
    int n_touches[4 * MOST_TASKS];
    int64_t fixed; // change of the bytes alive, all parts done
    int n_seen;
    uint64_t seen[2 * MOST_STATES]; // states + 1; a hash table
} Since;

// Gives the tasks of frames from `first` on numbers of parts: whole modules count as one.
static bool number_since(Search *s, Since *v, int first)
{
    const TaskGraph *g = s->graph;
    const int count = s->n_frames - first;
    bool fits = count <= MOST_TASKS;
    for (int f = first; fits && f < s->n_frames; f++)
        for (int m = g->tasks[s->frames[f].task].module; m >= 0; m = g->modules[m].parent)
            s->inside[m]++;
    v->n = 0;
    for (int f = first; fits && f < s->n_frames; f++) {
        const int task = s->frames[f].task;
        int whole = -1;
        for (int m = g->tasks[task].module; m >= 0; m = g->modules[m].parent)
            if (s->inside[m] == g->modules[m].n_tasks)
                whole = m;
        int part = v->n;
        if (whole >= 0 && s->part_of_module[whole] >= 0)
            part = s->part_of_module[whole];
        else if (whole >= 0)
            s->part_of_module[whole] = part;
        v->n += part == v->n;
        v->part_of[f - first] = part;
        s->part_of_task[task] = part;
        fits = v->n <= MOST_PARTS;
    }
    for (int f = first; f < s->n_frames && f - first < MOST_TASKS; f++)
        for (int m = g->tasks[s->frames[f].task].module; m >= 0; m = g->modules[m].parent) {
            s->inside[m] = 0;
            s->part_of_module[m] = -1;
        }
    return fits;
}

static bool survey_since(Search *s, Since *v, int first)
{
    const TaskGraph *g = s->graph;
    const MemoryModel *m = s->model;
    memset(v->waits, 0, sizeof v->waits);
    v->n_tensors = 0;
    s->n_stamps++;
    for (int f = first; f < s->n_frames; f++) {
        const int task = s->frames[f].task, part = v->part_of[f - first];
        for (int i = g->before.begin[task]; i < g->before.begin[task + 1]; i++) {
            const int other = s->part_of_task[g->before.at[i]];
            if (other >= 0 && other != part)
                v->waits[part] |= 1ull << other;
        }
        for (int i = g->tasks[task].begin; i < g->tasks[task].end; i++)
            for (int j = m->touched.begin[g->ops[i]]; j < m->touched.begin[g->ops[i] + 1]; j++) {
                const int t = m->touched.at[j];
                if (s->stamp[t] != s->n_stamps) {
                    if (v->n_tensors == 4 * MOST_TASKS)
                        return false;
                    s->stamp[t] = s->n_stamps;
                    s->index[t] = v->n_tensors;
                    v->tensors[v->n_tensors] = t;
                    v->touchers[v->n_tensors] = 0;
                    v->n_touches[v->n_tensors++] = 0;
                }
                v->touchers[s->index[t]] |= 1ull << part;
                v->n_touches[s->index[t]]++;
            }
    }
    return true;
}

// By how much the parts `done` change the bytes alive.
static int64_t change_since(const Search *s, const Since *v, uint64_t done)
{
    const MemoryModel *m = s->model;
    int64_t change = 0;
    for (int i = 0; i < v->n_tensors; i++) {
        const int t = v->tensors[i], all = m->touchers.begin[t + 1] - m->touchers.begin[t];
        const bool is_new = m->left[t] + v->n_touches[i] == all;
        if (is_new && (v->touchers[i] & done))
            change += m->bytes[t];
        if (m->left[t] == 0 && (v->touchers[i] & ~done) == 0)
            change -= m->bytes[t];
    }
    return change;
}

// Whether every state from `done` on holds at least as much as the last; false also: too many.
static bool ends_lowest(const Search *s, Since *v, uint64_t done)
{
    const uint64_t all = ~0ull >> (64 - v->n);
    if (done == all)
        return true;
    size_t at = (size_t)(done * 0x9e3779b97f4a7c15ull >> 40) % (2 * MOST_STATES);
    for (; v->seen[at]; at = (at + 1) % (2 * MOST_STATES))
        if (v->seen[at] == done + 1)
            return true;
    v->seen[at] = done + 1;
    if (++v->n_seen > MOST_STATES || change_since(s, v, done) < v->fixed)
        return false;
    for (int i = 0; i < v->n; i++)
        if (!(done >> i & 1) && (v->waits[i] & ~done) == 0 && !ends_lowest(s, v, done | 1ull << i))
            return false;
    return true;
}

// Whether the state of frame `f` leads where the last one does.
static bool is_valley(Search *s, int f)
{
    Since *v = s->since;
    const int first = f + 1;
    bool is = number_since(s, v, first) && survey_since(s, v, first);
    if (is) {
        v->fixed = change_since(s, v, ~0ull >> (64 - v->n));
        v->n_seen = 0;
        memset(v->seen, 0, sizeof v->seen);
        is = ends_lowest(s, v, 0);
    }
    for (int i = first; i < s->n_frames && i - first < MOST_TASKS; i++)
        s->part_of_task[s->frames[i].task] = -1;
    return is;
}

static void settle_valley(Search *s)
{
    const Frame *now = &s->frames[s->n_frames - 1];
    int settled = s->n_frames - 1; // from here on all are
    for (int f = s->n_frames - 2; f >= 0; f--) {
        const Frame *frame = &s->frames[f];
        if (frame->is_forced || frame->live < now->live)
            continue;
        if (!is_within_module(s->graph, frame->module, now->module) || !is_valley(s, f))
            break;
        settled = f;
    }
    for (int f = settled; f < s->n_frames - 1; f++)
        s->frames[f].is_settled = true;
}

// Opens the state that `task` (from `place` of the list) led to.
static void open_frame(Search *s, int task, int place)
{
    const Frame *last = s->n_frames ? &s->frames[s->n_frames - 1] : NULL;
    const int begin = last ? last->end : 0;
    const int module = last ? module_after(s, task, last->module, last->is_forced) : -1;
    if (task >= 0)
        settle(s, task);
    Frame *frame = &s->frames[s->n_frames++];
    *frame = (Frame){task, place, module, module, begin, begin, false, false, s->model->live};
    s->choices = pool_grow(s->pool, s->choices, (size_t)begin, (size_t)(begin + 2 * s->n_ready + 1),
                           &s->cap_choices, sizeof *s->choices);
    list_choices(s, frame, module, module);
    if (frame->is_forced)
        return;
    if (was_seen(s, module))
        frame->is_settled = true;
    else
        settle_valley(s);
}

static int place_of(const Search *s, int task)
{
    int place = 0;
    while (s->ready[place] != task)
        place++;
    return place;
}

static void close_frames(Search *s)
{
    for (; s->n_frames > 1; s->n_frames--)
        undo_task(s, s->frames[s->n_frames - 1].task, s->frames[s->n_frames - 1].place);
    s->n_frames = 0;
}

// Looks for an order whose peak is at most `budget`; FOUND: it stands in `order` (of ops).
static Outcome try_budget(Search *s, int64_t budget, int most, int *order)
{
    Outcome outcome = NONE;
    int steps = s->steps < most ? s->steps : most;
    s->budget = budget;
    s->refused = INT64_MAX;
    memo_clear(s);
    open_frame(s, -1, 0);
    while (s->n_frames) {
        Frame *frame = &s->frames[s->n_frames - 1];
        if (s->n_frames == s->graph->n_tasks + 1) {
            outcome = FOUND;
            break;
        }
        const int task = next_choice(s, frame);
        if (task >= 0) {
            if (steps == 0) {
                outcome = GAVE_UP;
                break;
            }
            steps--;
            s->steps--;
            const int place = place_of(s, task);
            do_task(s, place);
            open_frame(s, task, place);
            continue;
        }
        if (frame->task < 0 || s->graph->tasks[frame->task].is_cut)
            break; // every order comes through here
        undo_task(s, frame->task, frame->place);
        s->n_frames--;
    }
    for (int f = 1, n = 0; outcome == FOUND && f < s->n_frames; f++)
        for (int i = s->graph->tasks[s->frames[f].task].begin;
             i < s->graph->tasks[s->frames[f].task].end; i++)
            order[n++] = s->graph->ops[i];
    close_frames(s);
    return outcome;
}

// Narrows the gap between *bound, which no order goes below, and *peak, that of `order`: halves it
// with few steps a try, then with more.  Stops when the steps run out.
static void narrow(Search *s, int64_t *bound, int64_t *peak, int *order)
{
    for (int most = STEPS_A_TRY; most <= STEPS; most *= 4) {
        int64_t low = *bound; // below it there is no use trying with so few steps
        while (low < *peak - *peak / 500 && s->steps > 0) {
            const int64_t budget = low + (*peak - 1 - low) / 2;
            const Outcome outcome = try_budget(s, budget, most, s->found);
            if (outcome == FOUND) {
                memcpy(order, s->found, (size_t)s->model->n_ops * sizeof *order);
                *peak = model_peak(s->model, order);
            } else if (outcome == NONE)
                low = *bound = s->refused < *peak ? s->refused : *peak;
            else
                low = budget + 1;
        }
    }
}

static Search *search_new(TaskGraph *graph, Pool *pool)
{
    Search *s = pool_alloc(pool, sizeof *s);
    const size_t n = (size_t)graph->n_tasks + 2;
    s->graph = graph;
    s->model = graph->model;
    s->pool = pool;
    s->steps = STEPS;
    s->ready = pool_alloc(pool, n * sizeof *s->ready);
    s->frames = pool_alloc(pool, n * sizeof *s->frames);
    s->waits = pool_alloc(pool, n * sizeof *s->waits);
    s->left = pool_alloc(pool, n * sizeof *s->left);
    s->since = pool_alloc(pool, sizeof *s->since);
    s->inside = pool_alloc(pool, n * sizeof *s->inside);
    s->part_of_module = pool_alloc(pool, n * sizeof *s->part_of_module);
    s->part_of_task = pool_alloc(pool, n * sizeof *s->part_of_task);
    memset(s->part_of_module, -1, n * sizeof *s->part_of_module);
    memset(s->part_of_task, -1, n * sizeof *s->part_of_task);
    s->stamp = pool_alloc(pool, ((size_t)graph->model->ir->n_tensors + 1) * sizeof *s->stamp);
    s->index = pool_alloc(pool, ((size_t)graph->model->ir->n_tensors + 1) * sizeof *s->index);
    s->found = pool_alloc(pool, ((size_t)graph->model->n_ops + 1) * sizeof *s->found);
    for (int m = 0; m < graph->n_modules; m++)
        s->left[m] = graph->modules[m].n_tasks;
    for (int t = 0; t < graph->n_tasks; t++) {
        s->waits[t] = graph->before.begin[t + 1] - graph->before.begin[t];
        if (s->waits[t] == 0)
            s->ready[s->n_ready++] = t;
    }
    return s;
}

// Improves `order`, whose peak is *peak, and raises *bound.
static void search(MemoryModel *model, const Precedence *p, int64_t *bound, int64_t *peak,
                   int *order, Pool *pool)
{
    Search *s = search_new(task_graph(model, p, pool), pool);
    int64_t floor = *bound;
    s->is_hasty = true;
    narrow(s, &floor, peak, order);
    s->is_hasty = false;
    s->steps = STEPS;
    while (*bound < *peak && s->steps > 0) {
        const Outcome outcome = try_budget(s, *peak - 1, STEPS, s->found);
        if (outcome == NONE)
            *bound = *peak;
        if (outcome != FOUND)
            break;
        memcpy(order, s->found, (size_t)model->n_ops * sizeof *order);
        *peak = model_peak(model, order);
    }
    s->steps = STEPS;
    narrow(s, bound, peak, order);
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
    Op *ops = pool_alloc(ir->pool, (size_t)(ir->n_ops + 1) * sizeof *ops);
    for (int o = 0; o < ir->n_ops; o++)
        ops[o] = ir->ops[order[o]];
    ir->ops = ops;
    ir->cap_ops = (size_t)ir->n_ops + 1;
    ir->plan.bound_bytes = bound;
    ir->plan.order_bytes = peak;
    pool_free(pool);
}
