// schedule_tasks.c - what the search for an order chooses from: tasks, cuts and modules
// (schedule.h).
//
// In: the ops of a program with their memory.  Out: a smaller graph with the same best order, since
// each of these leaves some best order of the ops in reach:
//
// - An op without arguments in the arena (it unpacks weights) goes right before its only reader; so
//   does one that makes its arguments larger (a halo), if the reader needs more than they did.
//   Together they are a task.
// - A module is what lies between a task and one that all its ways lead to, if it never holds less
//   in between than when it is done.  Whoever has begun it may as well finish it, if that fits the
//   budget.  It is closed if it never holds less than what it may have been the last to read,
//   either, and shares its arguments with nobody: then it need never be left half done, for what is
//   done meanwhile may as well be done before or after (Liu 1987; Kayaaslan et al. 2018).
#include "schedule.h"

#include <stdlib.h>
#include <string.h>

// ---- tasks --------------------------------------------------------------------------------------

static int64_t bytes_of(const MemoryModel *m, int op, bool inputs)
{
    int64_t bytes = 0;
    for (int i = m->touched.begin[op]; i < m->touched.begin[op + 1]; i++) {
        const int t = m->touched.at[i];
        if ((m->touchers.at[m->touchers.begin[t]] != op) == inputs)
            bytes += m->bytes[t];
    }
    return bytes;
}

// Whether op goes right before `reader`, the only one that waits for it, in some best order.
// *inputs: what the ops that do so take, in all.
static bool can_wait(const MemoryModel *m, int op, int reader, int64_t *inputs)
{
    const int64_t in = bytes_of(m, op, true), out = bytes_of(m, op, false);
    if (in == 0)
        return true;
    const bool in_place = m->donors.begin[reader] < m->donors.begin[reader + 1];
    if (in_place || out < in || *inputs + in > bytes_of(m, reader, false))
        return false;
    *inputs += in;
    return true;
}

// Appends the task of `op` and of the ops before it that are marked as joined to it.
static void add_task(TaskGraph *g, int op, const int *joined_to, int *n_ops)
{
    const Rows *before = &g->model->before;
    Task *task = &g->tasks[g->n_tasks];
    task->begin = *n_ops;
    for (int sources = 0; sources < 2; sources++) // last of all what needs no argument
        for (int i = before->begin[op]; i < before->begin[op + 1]; i++) {
            const int b = before->at[i];
            if (joined_to[b] == op && (bytes_of(g->model, b, true) == 0) == sources)
                g->ops[(*n_ops)++] = b;
        }
    g->ops[(*n_ops)++] = op;
    task->end = *n_ops;
    for (int i = task->begin; i < task->end; i++)
        g->task_of[g->ops[i]] = g->n_tasks;
    Random random = random_stream(0, "schedule", (uint64_t)g->n_tasks++, 0);
    task->key[0] = random_u64(&random);
    task->key[1] = random_u64(&random);
}

static void make_tasks(TaskGraph *g)
{
    const MemoryModel *m = g->model;
    int *joined_to = pool_alloc(g->pool, (size_t)(m->n_ops + 1) * sizeof *joined_to), n_ops = 0;
    for (int o = 0; o < m->n_ops; o++)
        joined_to[o] = -1;
    for (int o = m->n_ops - 1; o >= 0; o--) {
        int64_t inputs = 0;
        if (joined_to[o] >= 0)
            continue;
        for (int i = m->before.begin[o]; i < m->before.begin[o + 1]; i++) {
            const int b = m->before.at[i];
            if (m->after.begin[b + 1] - m->after.begin[b] == 1 && can_wait(m, b, o, &inputs))
                joined_to[b] = o;
        }
    }
    for (int o = 0; o < m->n_ops; o++)
        if (joined_to[o] < 0)
            add_task(g, o, joined_to, &n_ops);
}

// What tasks wait for, from what their ops wait for.
static void link_tasks(TaskGraph *g)
{
    const MemoryModel *m = g->model;
    const size_t n = (size_t)g->n_tasks;
    int *seen = pool_alloc(g->pool, (n + 1) * sizeof *seen); // last task that was linked to it, + 1
    g->after = (Rows){pool_alloc(g->pool, (n + 1) * sizeof(int)),
                      pool_alloc(g->pool, ((size_t)m->after.begin[m->n_ops] + 1) * sizeof(int))};
    for (int t = 0, count = 0; t < g->n_tasks; t++) {
        for (int i = g->tasks[t].begin; i < g->tasks[t].end; i++)
            for (int j = m->after.begin[g->ops[i]]; j < m->after.begin[g->ops[i] + 1]; j++) {
                const int later = g->task_of[m->after.at[j]];
                if (later == t || seen[later] == t + 1)
                    continue;
                seen[later] = t + 1;
                g->after.at[count++] = later;
            }
        g->after.begin[t + 1] = count;
    }
    g->before = rows_reverse(&g->after, g->n_tasks, g->n_tasks, g->pool);
}

static void mark_cuts(TaskGraph *g, const Precedence *p)
{
    for (int t = 0; t < g->n_tasks; t++) {
        const size_t row =
            (size_t)g->ops[g->tasks[t].end - 1] * (size_t)p->words; // the others come right before
        int related = 0;
        for (int w = 0; w < p->words; w++)
            related += __builtin_popcountll(p->before[row + (size_t)w] | p->after[row + (size_t)w]);
        g->tasks[t].is_cut = related == p->n - 1;
    }
}

// ---- modules ------------------------------------------------------------------------------------

enum { MOST_STATES = 20000, MOST_PARTS = 60 };

// The task through which all ways from the beginning to `task` lead last; -1: none.
static int meet(const int *dominator, int a, int b)
{
    while (a != b)
        if (a > b)
            a = dominator[a];
        else
            b = dominator[b];
    return a;
}

// Tasks are in an order in which each comes after what it waits for.
static int *find_dominators(const TaskGraph *g)
{
    int *dominator = pool_alloc(g->pool, (size_t)(g->n_tasks + 1) * sizeof *dominator);
    for (int t = 0; t < g->n_tasks; t++) {
        int d = -1;
        for (int i = g->before.begin[t]; i < g->before.begin[t + 1]; i++)
            d = i == g->before.begin[t] ? g->before.at[i] : meet(dominator, d, g->before.at[i]);
        dominator[t] = d;
    }
    return dominator;
}

// What a module is looked at as: parts (tasks, or modules inside that count as one), in an order in
// which each comes after what it waits for.
typedef struct {
    TaskGraph *g;
    int *part_of;               // task -> part, -1: outside
    int n;                      // parts
    uint64_t waits[MOST_PARTS]; // for which parts
    int n_tensors;
    int *tensors;        // that the module touches
    uint64_t *touchers;  // parts that touch it
    bool *is_made;       // here, not outside
    bool *is_read_later; // outside
    bool is_shared;      // reads what others may read while it is under way
    uint64_t *seen;      // states
    int n_seen;
} Parts;

static int outermost(const TaskGraph *g, int task)
{
    int m = g->tasks[task].module;
    while (m >= 0 && g->modules[m].parent >= 0)
        m = g->modules[m].parent;
    return m;
}

// Numbers the parts of the tasks in `inside`; false: too many, or a module half inside.
static bool number_parts(Parts *p, const int *inside, int count)
{
    TaskGraph *g = p->g;
    for (int i = 0; i < count; i++)
        p->part_of[inside[i]] = -2;
    bool whole = true;
    int *of_module = pool_alloc(g->pool, (size_t)(g->n_modules + 1) * sizeof *of_module);
    int *members = pool_alloc(g->pool, (size_t)(g->n_modules + 1) * sizeof *members);
    for (int i = 0; i < count && whole; i++) {
        const int m = outermost(g, inside[i]);
        if (m >= 0 && members[m]++) {
            p->part_of[inside[i]] = of_module[m];
            continue;
        }
        whole = p->n < MOST_PARTS;
        if (m >= 0)
            of_module[m] = p->n;
        p->part_of[inside[i]] = p->n++;
    }
    for (int m = 0; m < g->n_modules; m++)
        whole = whole && (members[m] == 0 || members[m] == g->modules[m].n_tasks);
    return whole;
}

static void clear_parts(Parts *p, const int *inside, int count)
{
    for (int i = 0; i < count; i++)
        p->part_of[inside[i]] = -1;
}

static void add_tensor(Parts *p, int tensor)
{
    const MemoryModel *m = p->g->model;
    for (int i = 0; i < p->n_tensors; i++)
        if (p->tensors[i] == tensor)
            return;
    const int n = p->n_tensors++, from = m->touchers.begin[tensor];
    p->tensors[n] = tensor;
    p->touchers[n] = 0;
    p->is_made[n] = p->part_of[p->g->task_of[m->touchers.at[from]]] >= 0;
    p->is_read_later[n] = false;
    int outside = 0;
    for (int i = from; i < m->touchers.begin[tensor + 1]; i++) {
        const int part = p->part_of[p->g->task_of[m->touchers.at[i]]];
        if (part >= 0)
            p->touchers[n] |= 1ull << part;
        else
            outside++;
    }
    p->is_read_later[n] = outside > 0;
    // written by one op outside, read by none: it dies inside
    if (!p->is_made[n] && outside > 1)
        p->is_shared = true;
}

static void survey_parts(Parts *p, const int *inside, int count)
{
    const TaskGraph *g = p->g;
    memset(p->waits, 0, sizeof p->waits);
    for (int i = 0; i < count; i++) {
        const int t = inside[i], part = p->part_of[t];
        for (int j = g->before.begin[t]; j < g->before.begin[t + 1]; j++) {
            const int other = p->part_of[g->before.at[j]];
            if (other >= 0 && other != part)
                p->waits[part] |= 1ull << other;
        }
        for (int j = g->tasks[t].begin; j < g->tasks[t].end; j++)
            for (int k = g->model->touched.begin[g->ops[j]];
                 k < g->model->touched.begin[g->ops[j] + 1]; k++)
                add_tensor(p, g->model->touched.at[k]);
    }
}

// Bytes that the module holds in a state, and those outside that it may have been the last to read.
static int64_t held(const Parts *p, uint64_t done, int64_t *freed)
{
    int64_t bytes = 0;
    *freed = 0;
    for (int i = 0; i < p->n_tensors; i++) {
        const int64_t size = p->g->model->bytes[p->tensors[i]];
        const bool is_over = (p->touchers[i] & ~done) == 0;
        if (!p->is_made[i])
            *freed += is_over ? size : 0;
        else if ((p->touchers[i] & done) && !(is_over && !p->is_read_later[i]))
            bytes += size;
    }
    return bytes;
}

// Looks at all states from `done` on; false: a valley, or too many.
static bool has_no_valley(Parts *p, uint64_t done, int64_t at_end)
{
    const uint64_t all = ~0ull >> (64 - p->n);
    int64_t freed;
    if (done == all)
        return true;
    size_t at = (size_t)(done * 0x9e3779b97f4a7c15ull >> 40) % (2 * MOST_STATES);
    for (; p->seen[at]; at = (at + 1) % (2 * MOST_STATES))
        if (p->seen[at] == done + 1)
            return true;
    p->seen[at] = done + 1;
    if (++p->n_seen > MOST_STATES)
        return false;
    const int64_t bytes = held(p, done, &freed);
    if (done && bytes < at_end)
        return false;
    if (done && bytes < freed)
        p->is_shared = true;
    for (int i = 0; i < p->n; i++)
        if (!(done >> i & 1) && (p->waits[i] & ~done) == 0 &&
            !has_no_valley(p, done | 1ull << i, at_end))
            return false;
    return true;
}

// Whether the tasks `inside` are a module; they are in order.
static bool is_module(Parts *p, const int *inside, int count)
{
    TaskGraph *g = p->g;
    bool is = number_parts(p, inside, count) && p->n > 1;
    for (int i = 0; i < count - 1 && is; i++) // all ways lead to the last
        for (int j = g->after.begin[inside[i]]; j < g->after.begin[inside[i] + 1]; j++)
            is = is && p->part_of[g->after.at[j]] >= 0;
    if (is) {
        int64_t freed;
        survey_parts(p, inside, count);
        memset(p->seen, 0, 2 * MOST_STATES * sizeof *p->seen);
        p->n_seen = 0;
        is = has_no_valley(p, 0, held(p, ~0ull >> (64 - p->n), &freed));
    }
    clear_parts(p, inside, count);
    p->n = p->n_tensors = 0;
    return is;
}

static void add_module(TaskGraph *g, const int *inside, int count, bool is_closed)
{
    const int m = g->n_modules++;
    g->modules[m] = (Module){-1, count, is_closed, {0, 0}};
    Random random = random_stream(1, "schedule", (uint64_t)m, 0);
    g->modules[m].key[0] = random_u64(&random);
    g->modules[m].key[1] = random_u64(&random);
    for (int i = 0; i < count; i++) {
        const int inner = outermost(g, inside[i]);
        if (inner < 0)
            g->tasks[inside[i]].module = m;
        else if (inner != m)
            g->modules[inner].parent = m;
    }
}

typedef struct {
    int entry, exit, count;
} Region;

static int by_count(const void *a, const void *b)
{
    const Region *x = a, *y = b;
    return x->count != y->count ? x->count - y->count : x->exit - y->exit;
}

// The tasks after `entry` (-1: all) up to `exit`, those in between in every order.
static int list_region(const TaskGraph *g, const Precedence *p, int entry, int exit, int *inside)
{
    int count = 0;
    const int last = g->ops[g->tasks[exit].end - 1];
    for (int t = entry + 1; t <= exit; t++) {
        const int op = g->ops[g->tasks[t].end - 1];
        if ((t == exit || must_precede(p, op, last)) &&
            (entry < 0 || must_precede(p, g->ops[g->tasks[entry].end - 1], op)))
            inside[count++] = t;
    }
    return count;
}

static void find_modules(TaskGraph *g, const Precedence *precedence)
{
    const size_t n = (size_t)g->n_tasks + 1, tensors = (size_t)g->model->ir->n_tensors + 1;
    const int *dominator = find_dominators(g);
    int *inside = pool_alloc(g->pool, n * sizeof *inside), n_regions = 0;
    Region *regions = pool_alloc(g->pool, n * sizeof *regions);
    Parts p = {.g = g,
               .part_of = pool_alloc(g->pool, n * sizeof *p.part_of),
               .tensors = pool_alloc(g->pool, tensors * sizeof *p.tensors),
               .touchers = pool_alloc(g->pool, tensors * sizeof *p.touchers),
               .is_made = pool_alloc(g->pool, tensors),
               .is_read_later = pool_alloc(g->pool, tensors),
               .seen = pool_alloc(g->pool, 2 * MOST_STATES * sizeof *p.seen)};
    g->modules = pool_alloc(g->pool, n * sizeof *g->modules);
    for (int t = 0; t < g->n_tasks; t++) {
        p.part_of[t] = g->tasks[t].module = -1;
        if (dominator[t] >= 0)
            regions[n_regions++] =
                (Region){dominator[t], t, list_region(g, precedence, dominator[t], t, inside)};
    }
    qsort(regions, (size_t)n_regions, sizeof *regions, by_count);
    for (int r = 0; r < n_regions; r++) {
        const int count = list_region(g, precedence, regions[r].entry, regions[r].exit, inside);
        if (count > 1 && is_module(&p, inside, count))
            add_module(g, inside, count, !p.is_shared);
        p.is_shared = false;
    }
}

TaskGraph *task_graph(MemoryModel *model, const Precedence *precedence, Pool *pool)
{
    TaskGraph *g = pool_alloc(pool, sizeof *g);
    const size_t n = (size_t)model->n_ops + 2;
    g->model = model;
    g->pool = pool;
    g->tasks = pool_alloc(pool, n * sizeof *g->tasks);
    g->ops = pool_alloc(pool, n * sizeof *g->ops);
    g->task_of = pool_alloc(pool, n * sizeof *g->task_of);
    make_tasks(g);
    link_tasks(g);
    mark_cuts(g, precedence);
    find_modules(g, precedence);
    return g;
}
