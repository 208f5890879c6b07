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

enum { STEPS_A_TRY = 4000, STEPS = 300000 };

typedef enum { FOUND, NONE, GAVE_UP } Outcome;

typedef struct {
    int task, place;  // -1: the root
    int module;       // that is to be finished first, -1: none
    int level;        // the choices listed are all those in this module, -1: all there are
    int next, end;    // choices still to try
    bool is_forced;   // the one choice may as well come now
    bool is_settled;  // the module was finished from here: this state leads where that one does
    int64_t fall;     // of `task`; -1: what may come next does not depend on it
    bool is_cut_down; // something was left out because of it
} Frame;

typedef struct {
    int task;
    int64_t change; // of the bytes alive
    int64_t fall;   // from the most alive while it is done to what is alive behind it
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
    int *stamp;              // of each tensor: the task that touched it, + 1, in list_choices
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

// Whether the state, with `module` to be finished and some choices left out because of the `last`
// task (-1: none), was seen before; it is from now on.
static bool was_seen(Search *s, int module, int last)
{
    uint64_t key[2] = {s->state[0], s->state[1]};
    for (int i = 0; module >= 0 && i < 2; i++)
        key[i] ^= s->graph->modules[module].key[i];
    for (int i = 0; last >= 0 && i < 2; i++)
        key[i] ^= s->graph->tasks[last].key[i] << 1;
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

// Of two tasks that touch nothing in common, the one with the deeper fall goes first (Liu 1987), if
// that tears no module apart: whether `choice` had better come before the last task.
static bool goes_before(const Search *s, const Frame *frame, Choice choice)
{
    const TaskGraph *g = s->graph;
    if (frame->fall < 0 || choice.fall < frame->fall ||
        (choice.fall == frame->fall && choice.task > frame->task))
        return false;
    for (int i = g->before.begin[choice.task]; i < g->before.begin[choice.task + 1]; i++)
        if (g->before.at[i] == frame->task)
            return false;
    for (int m = g->tasks[choice.task].module; m >= 0; m = g->modules[m].parent)
        if ((g->modules[m].is_closed || s->is_hasty) && !is_within(g, frame->task, m))
            return false;
    for (int i = g->tasks[choice.task].begin; i < g->tasks[choice.task].end; i++)
        for (int j = s->model->touched.begin[g->ops[i]]; j < s->model->touched.begin[g->ops[i] + 1];
             j++)
            if (s->stamp[s->model->touched.at[j]] == frame->task + 1)
                return false;
    return true;
}

static void stamp_tensors(Search *s, const Frame *frame)
{
    const Task *task = frame->fall >= 0 ? &s->graph->tasks[frame->task] : NULL;
    for (int i = task ? task->begin : 0; task && i < task->end; i++) {
        const int op = s->graph->ops[i];
        for (int j = s->model->touched.begin[op]; j < s->model->touched.begin[op + 1]; j++)
            s->stamp[s->model->touched.at[j]] = frame->task + 1;
    }
}

// Lists what may come next: one task that may as well come now, or all in the module `level` that
// are not in `known`, which lies inside.
static void list_choices(Search *s, Frame *frame, int level, int known)
{
    const int begin = frame->next;
    stamp_tensors(s, frame);
    for (int i = 0; i < s->n_ready; i++) {
        const int t = s->ready[i];
        const int64_t before = s->model->live, peak = do_task(s, i), after = s->model->live;
        const Choice choice = {t, after - before, peak - after};
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
        else if (goes_before(s, frame, choice))
            frame->is_cut_down = true;
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

// Opens the state that `task` (from `place` of the list) led to.
static void open_frame(Search *s, int task, int place)
{
    const Frame *last = s->n_frames ? &s->frames[s->n_frames - 1] : NULL;
    const int begin = last ? last->end : 0;
    const int module = last ? module_after(s, task, last->module, last->is_forced) : -1;
    const bool matters = last && !last->is_forced && module == s->graph->tasks[task].module;
    const int64_t fall = matters ? s->choices[last->next - 1].fall : -1;
    if (task >= 0)
        settle(s, task);
    Frame *frame = &s->frames[s->n_frames++];
    *frame = (Frame){task, place, module, module, begin, begin, false, false, fall, false};
    s->choices = pool_grow(s->pool, s->choices, (size_t)begin, (size_t)(begin + 2 * s->n_ready + 1),
                           &s->cap_choices, sizeof *s->choices);
    list_choices(s, frame, module, module);
    if (!frame->is_forced && was_seen(s, module, frame->is_cut_down ? task : -1))
        frame->is_settled = true;
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
    s->stamp = pool_alloc(pool, ((size_t)graph->model->ir->n_tensors + 1) * sizeof *s->stamp);
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
