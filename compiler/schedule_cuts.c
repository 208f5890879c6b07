// schedule_cuts.c - from which states an order can be finished within a budget of bytes, as far as
// minimum cuts see it (schedule.h).
//
// In: the ops of a program with their memory, a state and a budget.  Out: whether the rest may fit,
// and if not, a bound.  A state is a set of ops done that holds with an op all that it waits for.
// The bytes alive in it are
//
//     sum over tensors of size [one of the ops that touch it is done] [one is not]
//
// which a minimum cut makes smallest over all states that hold some ops and not others: a tensor is
// an edge from "touched" to "over", what may not be cut an edge without end (Picard 1976).
//
// From a state on, a set grows by the ops that can run within the budget in some state made of it,
// whether or not that one can be reached.  If it stops growing early, no order from here keeps to
// the budget.  The state found for each op is remembered: mostly it will do the next time, too.
#include "schedule.h"

#include <string.h>

typedef struct {
    int to, next;     // the next edge from the same node; edge e ^ 1 goes back
    int64_t capacity; // that is left
} Edge;

// Ops that touch a tensor: those of one word of a set.
typedef struct {
    int word;
    uint64_t ops;
} Touchers;

struct Cuts {
    const MemoryModel *model;
    Precedence precedence;
    int64_t *alone;      // of each op: bytes of the tensors that no other touches
    int n_arena, *arena; // the others, by the first op that touches them
    int *over;           // of each of them: it and those before it are touched by no op behind
    int *begin;          // of each of them, in touchers
    int *first, *last;   // of each tensor: the toucher before (after) all others; -1: none
    Touchers *touchers;
    int *node;             // of each op: its node; -1: not in the graph
    int n_nodes, n_edges;  // of the graph of this cut; nodes 0 and 1 are done and not done
    int n_free, *free_ops; // the ops in it
    int *head, *queue, *via;
    Edge *edges;
    bool *is_reached;
    int words;            // of a set of ops
    const uint64_t *held; // by all states of the last cut
    uint64_t *in, *out, *with, *grown, *state, *touching;
    int *sequence, *next;   // all ops, as they grew last, within
    int64_t grew_within;    // bytes, after
    int n_done;             // that were done
    uint64_t *witness;      // of each op: the last state found that it may run in
    int64_t *witness_bytes; // that it needs there; 0: none
    int64_t *witness_alive; // the same if nothing is taken over
    int64_t alive;          // in the last cut
    int *stamp, n_stamps;   // of tensors
    int culprit;            // the last op that could not run, -1: none
    int64_t effort;
};

enum { DONE, NOT_DONE };

static const int64_t without_end = INT64_MAX / 4;

// ---- sets of ops --------------------------------------------------------------------------------

static bool has(const uint64_t *set, int op)
{
    return set[op / 64] >> (op % 64) & 1;
}

static void put(uint64_t *set, int op)
{
    set[op / 64] |= 1ull << (op % 64);
}

static uint64_t *row(uint64_t *sets, int words, int op)
{
    return sets + (size_t)op * (size_t)words;
}

static void add_set(uint64_t *to, const uint64_t *from, int words)
{
    for (int w = 0; w < words; w++)
        to[w] |= from[w];
}

// The first op that is not in a set; the last one.
static int first_missing(const uint64_t *set, int words)
{
    for (int w = 0; w < words; w++)
        if (~set[w])
            return w * 64 + __builtin_ctzll(~set[w]);
    return words * 64;
}

static int last_missing(const uint64_t *set, int words)
{
    for (int w = words - 1; w >= 0; w--)
        if (~set[w])
            return w * 64 + 63 - __builtin_clzll(~set[w]);
    return -1;
}

static bool is_subset(const uint64_t *set, const uint64_t *of, int words)
{
    for (int w = 0; w < words; w++)
        if (set[w] & ~of[w])
            return false;
    return true;
}

// ---- the least that is alive --------------------------------------------------------------------

// The toucher that all others come after (before), -1: none.
static int outermost_toucher(const MemoryModel *m, const Precedence *p, int tensor, bool first)
{
    for (int i = m->touchers.begin[tensor]; i < m->touchers.begin[tensor + 1]; i++) {
        const int o = m->touchers.at[i];
        bool is = true;
        for (int j = m->touchers.begin[tensor]; j < m->touchers.begin[tensor + 1] && is; j++) {
            const int other = m->touchers.at[j];
            is = other == o || (first ? must_precede(p, o, other) : must_precede(p, other, o));
        }
        if (is)
            return o;
    }
    return -1;
}

// Lists tensors and their touchers, by the words of sets.
static void list_touchers(Cuts *c, Pool *pool)
{
    const MemoryModel *m = c->model;
    for (int o = 0; o < m->n_ops; o++)
        for (int i = m->touched.begin[o]; i < m->touched.begin[o + 1]; i++) {
            const int t = m->touched.at[i];
            if (m->touchers.begin[t + 1] - m->touchers.begin[t] == 1)
                c->alone[o] += m->bytes[t];
            else if (m->touchers.at[m->touchers.begin[t]] == o)
                c->arena[c->n_arena++] = t;
        }
    c->begin = pool_alloc(pool, (size_t)(c->n_arena + 1) * sizeof *c->begin);
    c->touchers = pool_alloc(pool, (size_t)(m->touched.begin[m->n_ops] + 1) * sizeof *c->touchers);
    for (int i = 0, n = 0; i < c->n_arena; i++) {
        const int t = c->arena[i];
        for (int j = m->touchers.begin[t]; j < m->touchers.begin[t + 1]; j++) {
            const int o = m->touchers.at[j];
            if (n == c->begin[i] || c->touchers[n - 1].word != o / 64) // they ascend
                c->touchers[n++] = (Touchers){o / 64, 0};
            c->touchers[n - 1].ops |= 1ull << (o % 64);
        }
        c->begin[i + 1] = n;
        const int last = m->touchers.at[m->touchers.begin[t + 1] - 1];
        c->over[i] = i > 0 && c->over[i - 1] > last ? c->over[i - 1] : last;
    }
}

Cuts *cuts_new(const MemoryModel *m, const Precedence *p, Pool *pool)
{
    Cuts *c = pool_alloc(pool, sizeof *c);
    const size_t tensors = (size_t)m->n_tensors + 1, ops = (size_t)m->n_ops + 1;
    const size_t edges =
        (size_t)m->touched.begin[m->n_ops] * 2 + tensors + (size_t)m->before.begin[m->n_ops];
    c->model = m;
    c->precedence = *p;
    c->words = p->words;
    c->culprit = -1;
    c->arena = pool_alloc(pool, tensors * sizeof *c->arena);
    c->first = pool_alloc(pool, tensors * sizeof *c->first);
    c->last = pool_alloc(pool, tensors * sizeof *c->last);
    c->over = pool_alloc(pool, tensors * sizeof *c->over);
    c->alone = pool_alloc(pool, ops * sizeof *c->alone);
    list_touchers(c, pool);
    for (int i = 0; i < c->n_arena; i++) {
        c->first[c->arena[i]] = outermost_toucher(m, p, c->arena[i], true);
        c->last[c->arena[i]] = outermost_toucher(m, p, c->arena[i], false);
    }
    const size_t nodes = ops + 2 * (size_t)c->n_arena + 2;
    c->node = pool_alloc(pool, ops * sizeof *c->node);
    memset(c->node, -1, ops * sizeof *c->node);
    c->free_ops = pool_alloc(pool, ops * sizeof *c->free_ops);
    c->head = pool_alloc(pool, nodes * sizeof *c->head);
    c->queue = pool_alloc(pool, nodes * sizeof *c->queue);
    c->via = pool_alloc(pool, nodes * sizeof *c->via);
    c->is_reached = pool_alloc(pool, nodes);
    c->edges = pool_alloc(pool, 2 * edges * sizeof *c->edges);
    c->in = pool_alloc(pool, (size_t)p->words * sizeof *c->in);
    c->out = pool_alloc(pool, (size_t)p->words * sizeof *c->out);
    c->with = pool_alloc(pool, (size_t)p->words * sizeof *c->with);
    c->grown = pool_alloc(pool, (size_t)p->words * sizeof *c->grown);
    c->state = pool_alloc(pool, (size_t)p->words * sizeof *c->state);
    c->touching = pool_alloc(pool, (size_t)p->words * sizeof *c->touching);
    c->sequence = pool_alloc(pool, ops * sizeof *c->sequence);
    c->next = pool_alloc(pool, ops * sizeof *c->next);
    for (int o = 0; o < m->n_ops; o++)
        c->sequence[o] = o;
    c->witness = pool_alloc(pool, ops * (size_t)p->words * sizeof *c->witness);
    c->witness_bytes = pool_alloc(pool, ops * sizeof *c->witness_bytes);
    c->witness_alive = pool_alloc(pool, ops * sizeof *c->witness_alive);
    c->stamp = pool_alloc(pool, tensors * sizeof *c->stamp);
    return c;
}

static int add_node(Cuts *c)
{
    c->head[c->n_nodes] = -1;
    return c->n_nodes++;
}

static void add_edge(Cuts *c, int from, int to, int64_t capacity)
{
    c->edges[c->n_edges] = (Edge){to, c->head[from], capacity};
    c->head[from] = c->n_edges++;
    c->edges[c->n_edges] = (Edge){from, c->head[to], 0};
    c->head[to] = c->n_edges++;
}

// Adds a tensor with free touchers: what is done leads to "touched", "over" to what is done.
static void add_tensor(Cuts *c, int tensor, bool is_touched, bool is_kept)
{
    const MemoryModel *m = c->model;
    const int first = c->first[tensor], last = c->last[tensor];
    int touched = DONE, over = NOT_DONE;
    if (!is_touched) // otherwise the first, too, is free
        touched = first >= 0 ? c->node[first] : add_node(c);
    if (!is_kept)
        over = last >= 0 ? c->node[last] : add_node(c);
    add_edge(c, touched, over, m->bytes[tensor]);
    for (int i = m->touchers.begin[tensor]; i < m->touchers.begin[tensor + 1]; i++) {
        const int node = c->node[m->touchers.at[i]];
        if (node < 0)
            continue;
        if (!is_touched && first < 0)
            add_edge(c, node, touched, without_end);
        if (!is_kept && last < 0)
            add_edge(c, over, node, without_end);
    }
}

static int begins(const Cuts *c, int i)
{
    return c->model->touchers.at[c->model->touchers.begin[c->arena[i]]];
}

// The place in c->arena before which all tensors are over when the ops of a set are done.
static int first_alive(const Cuts *c, const uint64_t *done)
{
    const int missing = first_missing(done, c->words);
    int low = 0, high = c->n_arena;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (c->over[middle] < missing)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Makes nodes of the ops in neither set.
static void add_free_ops(Cuts *c, const uint64_t *in, const uint64_t *out)
{
    for (int i = 0; i < c->n_free; i++)
        c->node[c->free_ops[i]] = -1;
    c->n_free = 0;
    for (int w = 0; w < c->words; w++)
        for (uint64_t bits = ~(in[w] | out[w]); bits; bits &= bits - 1) {
            const int o = w * 64 + __builtin_ctzll(bits);
            if (o >= c->model->n_ops)
                return;
            c->free_ops[c->n_free++] = o;
            c->node[o] = add_node(c);
        }
}

// The graph of the states that hold `in` and nothing of `out`, in which `running` (-1: none) runs;
// returns the bytes alive in all of them.
static int64_t build(Cuts *c, int running, const uint64_t *in, const uint64_t *out)
{
    const MemoryModel *m = c->model;
    int64_t bytes = 0;
    c->n_nodes = c->n_edges = 0;
    add_node(c);
    add_node(c);
    add_free_ops(c, in, out);
    memcpy(c->touching, in, (size_t)c->words * sizeof *in);
    int last = last_missing(out, c->words);
    if (running >= 0) { // it is in `out`, too
        put(c->touching, running);
        bytes += c->alone[running];
        last = running > last ? running : last;
    }
    for (int i = first_alive(c, in); i < c->n_arena && begins(c, i) <= last; i++) {
        uint64_t touching = 0, keeping = 0, free = 0;
        c->effort++;
        for (int j = c->begin[i]; j < c->begin[i + 1]; j++) {
            const Touchers t = c->touchers[j];
            touching |= c->touching[t.word] & t.ops;
            keeping |= out[t.word] & t.ops;
            free |= t.ops & ~(in[t.word] | out[t.word]);
        }
        if (touching && keeping)
            bytes += m->bytes[c->arena[i]];
        else if (free)
            add_tensor(c, c->arena[i], touching, keeping);
    }
    for (int f = 0; f < c->n_free; f++) {
        const int o = c->free_ops[f];
        for (int i = m->before.begin[o]; i < m->before.begin[o + 1]; i++)
            if (c->node[m->before.at[i]] >= 0)
                add_edge(c, c->node[o], c->node[m->before.at[i]], without_end);
    }
    c->effort += c->n_edges;
    return bytes;
}

// One more path for the flow; returns what goes along it, 0: there is none.
static int64_t augment(Cuts *c)
{
    memset(c->is_reached, 0, (size_t)c->n_nodes);
    c->is_reached[DONE] = true;
    c->queue[0] = DONE;
    for (int i = 0, n = 1; i < n && !c->is_reached[NOT_DONE]; i++)
        for (int e = c->head[c->queue[i]]; e >= 0; e = c->edges[e].next) {
            const int to = c->edges[e].to;
            if (c->edges[e].capacity == 0 || c->is_reached[to])
                continue;
            c->is_reached[to] = true;
            c->via[to] = e;
            c->queue[n++] = to;
        }
    if (!c->is_reached[NOT_DONE])
        return 0;
    c->effort += c->n_edges;
    int64_t flow = without_end;
    for (int v = NOT_DONE; v != DONE; v = c->edges[c->via[v] ^ 1].to)
        flow = c->edges[c->via[v]].capacity < flow ? c->edges[c->via[v]].capacity : flow;
    for (int v = NOT_DONE; v != DONE; v = c->edges[c->via[v] ^ 1].to) {
        c->edges[c->via[v]].capacity -= flow;
        c->edges[c->via[v] ^ 1].capacity += flow;
    }
    return flow;
}

// The least bytes alive while `running` runs in a state that holds `in` and nothing of `out`, if
// nothing is taken over.  Both are closed: in with what its ops wait for, out with what waits for
// its; `running` is in out.
static int64_t least_alive(Cuts *c, int running, const uint64_t *in, const uint64_t *out)
{
    int64_t bytes = build(c, running, in, out);
    c->held = in;
    for (int64_t flow = augment(c); flow > 0; flow = augment(c))
        bytes += flow;
    c->alive = bytes;
    return bytes;
}

// What must be done (backwards: must not be) for `donor` to be taken over by `running`, added to
// c->in (c->out) in c->with; false: it cannot.
static bool add_taking_over(Cuts *c, int running, int donor)
{
    const MemoryModel *m = c->model;
    const Precedence *p = &c->precedence;
    const uint64_t *against = m->is_backwards ? c->in : c->out;
    memcpy(c->with, m->is_backwards ? c->out : c->in, (size_t)c->words * sizeof *c->with);
    for (int i = m->touchers.begin[donor]; i < m->touchers.begin[donor + 1]; i++) {
        const int o = m->touchers.at[i];
        if (o == running)
            continue;
        if (has(against, o))
            return false;
        add_set(c->with, row(m->is_backwards ? p->after : p->before, p->words, o), p->words);
        put(c->with, o);
    }
    return true;
}

// The least bytes alive while `op` runs, in a state that holds c->in and nothing of c->out; above
// `limit` it may be any such state.
static int64_t least_during(Cuts *c, int op, int64_t limit)
{
    const MemoryModel *m = c->model;
    int64_t least = least_alive(c, op, c->in, c->out);
    for (int i = m->donors.begin[op]; i < m->donors.begin[op + 1] && least > limit; i++) {
        const int donor = m->donors.at[i];
        if (!add_taking_over(c, op, donor))
            continue;
        const int64_t bytes = least_alive(c, op, m->is_backwards ? c->in : c->with,
                                          m->is_backwards ? c->with : c->out) -
                              m->bytes[donor];
        least = bytes < least ? bytes : least;
    }
    return least;
}

// ---- what a budget allows -----------------------------------------------------------------------

static bool is_alive_in(const Cuts *c, const uint64_t *state, int tensor, int running)
{
    const Rows *touchers = &c->model->touchers;
    bool is_touched = false, is_kept = false;
    for (int i = touchers->begin[tensor]; i < touchers->begin[tensor + 1]; i++) {
        const int o = touchers->at[i];
        is_touched = is_touched || o == running || has(state, o);
        is_kept = is_kept || o == running || !has(state, o);
    }
    return is_touched && is_kept;
}

// How many bytes more are alive while `running` runs in c->state than in `before`, a part of it.
static int64_t more_alive(Cuts *c, const uint64_t *before, int running)
{
    const MemoryModel *m = c->model;
    int64_t bytes = 0;
    c->n_stamps++;
    for (int w = 0; w < c->words; w++)
        for (uint64_t bits = c->state[w] & ~before[w]; bits; bits &= bits - 1) {
            const int o = w * 64 + __builtin_ctzll(bits);
            for (int i = m->touched.begin[o]; i < m->touched.begin[o + 1]; i++) {
                const int t = m->touched.at[i];
                if (c->stamp[t] == c->n_stamps)
                    continue;
                c->stamp[t] = c->n_stamps;
                c->effort++;
                bytes += m->bytes[t] * (is_alive_in(c, c->state, t, running) -
                                        is_alive_in(c, before, t, running));
            }
        }
    return bytes;
}

// Whether the state that `op` was last found to run in will do: it holds c->in and nothing of
// c->out.  If it lacks some of c->in, they are added to see whether it still will.
static bool witness_holds(Cuts *c, int op, int64_t budget)
{
    uint64_t *witness = row(c->witness, c->words, op);
    bool lacks = false;
    if (c->witness_bytes[op] == 0 || c->witness_bytes[op] > budget)
        return false;
    for (int w = 0; w < c->words; w++) {
        if (witness[w] & c->out[w])
            return false;
        lacks = lacks || (c->in[w] & ~witness[w]);
    }
    if (!lacks)
        return true;
    memcpy(c->state, witness, (size_t)c->words * sizeof *c->state);
    add_set(c->state, c->in, c->words);
    const int64_t alive = c->witness_alive[op] + more_alive(c, witness, op);
    if (alive > budget)
        return false;
    memcpy(witness, c->state, (size_t)c->words * sizeof *c->state);
    c->witness_bytes[op] = c->witness_alive[op] = alive;
    return true;
}

// Notes the state that the last cut found.
static void keep_witness(Cuts *c, int op, int64_t bytes)
{
    uint64_t *witness = row(c->witness, c->words, op);
    memcpy(witness, c->held, (size_t)c->words * sizeof *witness);
    for (int i = 0; i < c->n_free; i++)
        if (c->is_reached[c->node[c->free_ops[i]]])
            put(witness, c->free_ops[i]);
    c->witness_bytes[op] = bytes;
    c->witness_alive[op] = c->alive;
}

// The least bytes alive while `op` runs in a state that holds `done` and else only what has grown;
// at most `budget` if it may.
static int64_t least_from(Cuts *c, const uint64_t *done, int op, int64_t budget)
{
    const Precedence *p = &c->precedence;
    const uint64_t *before = row(p->before, p->words, op), *after = row(p->after, p->words, op);
    for (int w = 0; w < c->words; w++) {
        c->in[w] = done[w] | before[w];
        c->out[w] = after[w] | ~c->grown[w];
    }
    put(c->out, op);
    if (witness_holds(c, op, budget))
        return budget;
    const int64_t bytes = least_during(c, op, budget);
    if (bytes <= budget)
        keep_witness(c, op, bytes);
    return bytes;
}

// Whether all ops grow from `done` in the sequence in which they last did.  An op that all of
// `done` comes before has no less to choose from than then.
static bool grows_again(Cuts *c, const uint64_t *done, int64_t budget)
{
    const Precedence *p = &c->precedence;
    if (c->grew_within == 0 || c->grew_within > budget)
        return false;
    for (int i = 0; i < p->n; i++) {
        const int o = c->sequence[i];
        if (has(c->grown, o))
            continue;
        if ((i < c->n_done || !is_subset(done, row(p->before, p->words, o), c->words)) &&
            least_from(c, done, o, budget) > budget)
            return false;
        put(c->grown, o);
    }
    return true;
}

int64_t cuts_reach(Cuts *c, const uint64_t *done, int64_t budget)
{
    const Precedence *p = &c->precedence;
    int n = 0;
    c->effort += p->n;
    if (c->culprit >= 0 && !has(done, c->culprit)) { // most likely the same again
        memset(c->grown, -1, (size_t)c->words * sizeof *c->grown);
        const int64_t bytes = least_from(c, done, c->culprit, budget);
        if (bytes > budget)
            return bytes;
    }
    memcpy(c->grown, done, (size_t)c->words * sizeof *c->grown);
    if (grows_again(c, done, budget))
        return budget;
    c->effort += p->n / 8 * c->words;
    memcpy(c->grown, done, (size_t)c->words * sizeof *c->grown);
    for (int i = 0; i < p->n; i++)
        if (has(done, c->sequence[i]))
            c->next[n++] = c->sequence[i];
    const int n_done = n;
    while (n < p->n) {
        const int n_before = n;
        int64_t least = INT64_MAX;
        int culprit = -1;
        for (int i = 0; i < p->n; i++) {
            const int o = c->sequence[i];
            if (has(c->grown, o) || !is_subset(row(p->before, p->words, o), c->grown, c->words))
                continue;
            const int64_t bytes = least_from(c, done, o, budget);
            least = bytes < least ? bytes : least;
            if (bytes > budget) {
                culprit = o;
                continue;
            }
            put(c->grown, o);
            c->next[n++] = o;
        }
        if (n == n_before) {
            c->culprit = culprit;
            return least;
        }
    }
    memcpy(c->sequence, c->next, (size_t)n * sizeof *c->sequence);
    c->n_done = n_done;
    c->grew_within = budget;
    return budget;
}

int64_t cuts_effort(const Cuts *c)
{
    return c->effort;
}

bool cuts_is_valley(Cuts *c, const uint64_t *from, const uint64_t *to, int64_t alive)
{
    for (int w = 0; w < c->words; w++)
        c->out[w] = ~to[w];
    return least_alive(c, -1, from, c->out) >= alive;
}
