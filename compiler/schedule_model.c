// schedule_model.c - what an order of the ops costs (schedule.h).
//
// In: a program.  Out: which ops wait for which, what is alive as ops are done one by one, and a
// bound that every order obeys.  Dependences are those of memory: a reader waits for the writers
// before it, a writer for readers and writers; parts of a concat may be written in any order.
#include "schedule.h"

#include <string.h>

int64_t tensor_bytes(const Tensor *tensor)
{
    const int64_t bytes = tensor->floats * (int64_t)sizeof(float);
    return (bytes + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
}

// ---- who touches what ---------------------------------------------------------------------------

// Rows of at most `total` numbers, to be filled row after row.
static Rows rows_new(int n, size_t total, Pool *pool)
{
    return (Rows){pool_alloc(pool, (size_t)(n + 1) * sizeof(int)),
                  pool_alloc(pool, (total + 1) * sizeof(int))};
}

static void row_add(Rows *rows, int row, int value)
{
    for (int i = rows->begin[row]; i < rows->begin[row + 1]; i++)
        if (rows->at[i] == value)
            return;
    rows->at[rows->begin[row + 1]++] = value;
}

// The row after `row` begins where that one ends.
static void row_end(Rows *rows, int row, int n)
{
    if (row + 1 < n)
        rows->begin[row + 2] = rows->begin[row + 1];
}

Rows rows_reverse(const Rows *rows, int n, int n_reversed, Pool *pool)
{
    Rows r = rows_new(n_reversed, (size_t)rows->begin[n], pool);
    int *at = pool_alloc(pool, (size_t)(n_reversed + 1) * sizeof *at);
    for (int i = 0; i < rows->begin[n]; i++)
        r.begin[rows->at[i] + 1]++;
    for (int i = 0; i < n_reversed; i++) {
        r.begin[i + 1] += r.begin[i];
        at[i] = r.begin[i];
    }
    for (int row = 0; row < n; row++)
        for (int i = rows->begin[row]; i < rows->begin[row + 1]; i++)
            r.at[at[rows->at[i]]++] = row;
    return r;
}

static size_t count_args(const Ir *ir)
{
    size_t n = 0;
    for (int o = 0; o < ir->n_ops; o++)
        n += (size_t)ir->ops[o].n_args;
    return n;
}

static void find_touched(MemoryModel *m, const Ir *ir, Rows *all, size_t args, Pool *pool)
{
    m->touched = rows_new(ir->n_ops, args, pool);
    m->donors = rows_new(ir->n_ops, args, pool);
    *all = rows_new(ir->n_ops, args, pool);
    for (int o = 0; o < ir->n_ops; o++) {
        const Op *op = &ir->ops[o];
        for (int i = 0; i < op->n_args; i++) {
            const int t = op->args[i];
            if (t >= 0)
                row_add(all, o, t);
            if (t >= 0 && m->bytes[t])
                row_add(&m->touched, o, t);
            if (ir_takes_over(ir, op, i))
                row_add(&m->donors, o, t);
        }
        row_end(all, o, ir->n_ops);
        row_end(&m->touched, o, ir->n_ops);
        row_end(&m->donors, o, ir->n_ops);
    }
}

// ---- who waits for whom -------------------------------------------------------------------------

// How an op touches a tensor, over all its arguments.
static unsigned access_of(const Op *op, int tensor)
{
    unsigned access = 0;
    for (int i = 0; i < op->n_args; i++)
        if (op->args[i] == tensor)
            access |= (unsigned)op_arg(op, i).access;
    return access;
}

// Writes a part of a tensor that other ops write other parts of.
static bool writes_part(const Op *op, unsigned access)
{
    return op->kind == OP_CONCAT_PART && access == ACCESS_WRITE;
}

// Op `ops[at]`, number `at` of those that touch `tensor`, waits for these before it.
static void wait_for(MemoryModel *m, const Ir *ir, int tensor, const int *ops, int at)
{
    const Op *op = &ir->ops[ops[at]];
    const unsigned access = access_of(op, tensor);
    const bool is_part = writes_part(op, access);
    for (int i = at - 1; i >= 0; i--) {
        const Op *other = &ir->ops[ops[i]];
        const unsigned others = access_of(other, tensor);
        const bool other_part = writes_part(other, others);
        if (((access | others) & ACCESS_WRITE) && !(is_part && other_part))
            row_add(&m->before, ops[at], ops[i]);
        if ((others & ACCESS_WRITE) && !other_part)
            break; // those before it wait on each other
    }
}

static void find_dependences(MemoryModel *m, const Ir *ir, const Rows *all, Pool *pool)
{
    const Rows of_tensor = rows_reverse(all, m->n_ops, m->n_tensors, pool);
    size_t most = 0;
    for (int t = 0; t < m->n_tensors; t++) {
        const size_t n = (size_t)(of_tensor.begin[t + 1] - of_tensor.begin[t]);
        most += n * (n - 1) / 2 * (n > 0);
    }
    m->before = rows_new(m->n_ops, most, pool);
    for (int o = 0; o < m->n_ops; o++) {
        for (int i = all->begin[o]; i < all->begin[o + 1]; i++) {
            const int t = all->at[i], *ops = of_tensor.at + of_tensor.begin[t];
            int at = 0;
            while (ops[at] != o)
                at++;
            wait_for(m, ir, t, ops, at);
        }
        row_end(&m->before, o, m->n_ops);
    }
    m->after = rows_reverse(&m->before, m->n_ops, m->n_ops, pool);
}

// What follows from who touches what.
static void count_touchers(MemoryModel *m, Pool *pool)
{
    m->touchers = rows_reverse(&m->touched, m->n_ops, m->n_tensors, pool);
    m->left = pool_alloc(pool, (size_t)(m->n_tensors + 1) * sizeof *m->left);
    for (int t = 0; t < m->n_tensors; t++)
        m->left[t] = m->touchers.begin[t + 1] - m->touchers.begin[t];
}

MemoryModel *memory_model(const Ir *ir, Pool *pool)
{
    MemoryModel *m = pool_alloc(pool, sizeof *m);
    m->n_ops = ir->n_ops;
    m->n_tensors = ir->n_tensors;
    m->bytes = pool_alloc(pool, (size_t)(ir->n_tensors + 1) * sizeof *m->bytes);
    m->result = pool_alloc(pool, (size_t)(ir->n_ops + 1) * sizeof *m->result);
    for (int t = 0; t < ir->n_tensors; t++)
        m->bytes[t] = ir->tensors[t].space == SPACE_ARENA ? tensor_bytes(&ir->tensors[t]) : 0;
    for (int o = 0; o < ir->n_ops; o++)
        m->result[o] = ir->ops[o].args[0];
    Rows all;
    find_touched(m, ir, &all, count_args(ir), pool);
    count_touchers(m, pool);
    find_dependences(m, ir, &all, pool);
    return m;
}

// The rows from the last to the first; `mirror`: the numbers in them, too.
static Rows rows_backwards(const Rows *rows, int n, bool mirror, Pool *pool)
{
    Rows r = rows_new(n, (size_t)rows->begin[n], pool);
    for (int row = 0, count = 0; row < n; row++) {
        for (int i = rows->begin[n - 1 - row]; i < rows->begin[n - row]; i++)
            r.at[count++] = mirror ? n - 1 - rows->at[i] : rows->at[i];
        r.begin[row + 1] = count;
    }
    return r;
}

MemoryModel *model_backwards(const MemoryModel *m, Pool *pool)
{
    MemoryModel *b = pool_alloc(pool, sizeof *b);
    *b = *m;
    b->is_backwards = !m->is_backwards;
    b->result = pool_alloc(pool, (size_t)(m->n_ops + 1) * sizeof *b->result);
    for (int o = 0; o < m->n_ops; o++)
        b->result[o] = m->result[m->n_ops - 1 - o];
    b->touched = rows_backwards(&m->touched, m->n_ops, false, pool);
    b->donors = rows_backwards(&m->donors, m->n_ops, false, pool);
    b->before = rows_backwards(&m->after, m->n_ops, true, pool);
    b->after = rows_reverse(&b->before, m->n_ops, m->n_ops, pool);
    count_touchers(b, pool);
    return b;
}

// ---- what is alive ------------------------------------------------------------------------------

static bool is_untouched(const MemoryModel *m, int tensor)
{
    return m->left[tensor] == m->touchers.begin[tensor + 1] - m->touchers.begin[tensor];
}

// Bytes that op's result does not need because it takes over an argument's: the one begins where
// the other ends.
static int64_t taken_over(const MemoryModel *m, int op)
{
    for (int i = m->donors.begin[op]; i < m->donors.begin[op + 1]; i++) {
        const int donor = m->donors.at[i], result = m->result[op];
        const int ends = m->is_backwards ? result : donor,
                  begins = m->is_backwards ? donor : result;
        if (m->left[ends] == 1 && is_untouched(m, begins))
            return m->bytes[donor];
    }
    return 0;
}

int64_t model_do(MemoryModel *m, int op)
{
    const int from = m->touched.begin[op], to = m->touched.begin[op + 1];
    const int64_t saved = taken_over(m, op);
    for (int i = from; i < to; i++)
        if (is_untouched(m, m->touched.at[i]))
            m->live += m->bytes[m->touched.at[i]];
    const int64_t during = m->live - saved;
    for (int i = from; i < to; i++)
        if (--m->left[m->touched.at[i]] == 0)
            m->live -= m->bytes[m->touched.at[i]];
    return during;
}

void model_undo(MemoryModel *m, int op)
{
    for (int i = m->touched.begin[op]; i < m->touched.begin[op + 1]; i++) {
        const int t = m->touched.at[i];
        if (m->left[t]++ == 0)
            m->live += m->bytes[t];
        if (is_untouched(m, t))
            m->live -= m->bytes[t];
    }
}

int64_t model_peak(MemoryModel *m, const int *order)
{
    int64_t peak = 0;
    for (int i = 0; i < m->n_ops; i++) {
        const int64_t during = model_do(m, order ? order[i] : i);
        peak = during > peak ? during : peak;
    }
    for (int i = m->n_ops - 1; i >= 0; i--)
        model_undo(m, order ? order[i] : i);
    return peak;
}

// ---- what every order obeys ---------------------------------------------------------------------

static void close_rows(uint64_t *sets, int words, const Rows *rows, int row)
{
    uint64_t *set = sets + (size_t)row * (size_t)words;
    for (int i = rows->begin[row]; i < rows->begin[row + 1]; i++) {
        const int other = rows->at[i];
        const uint64_t *from = sets + (size_t)other * (size_t)words;
        for (int w = 0; w < words; w++)
            set[w] |= from[w];
        set[other / 64] |= 1ull << (other % 64);
    }
}

Precedence precedence(const MemoryModel *m, Pool *pool)
{
    Precedence p = {.n = m->n_ops, .words = (m->n_ops + 63) / 64};
    const size_t size = (size_t)p.n * (size_t)p.words + 1;
    p.before = pool_alloc(pool, size * sizeof *p.before);
    p.after = pool_alloc(pool, size * sizeof *p.after);
    for (int o = 0; o < p.n; o++)
        close_rows(p.before, p.words, &m->before, o);
    for (int o = p.n - 1; o >= 0; o--)
        close_rows(p.after, p.words, &m->after, o);
    return p;
}

// Whether some op that touches `tensor` comes before `op` (first) or after it in every order.
static bool is_forced(const MemoryModel *m, const Precedence *p, int tensor, int op, bool first)
{
    for (int i = m->touchers.begin[tensor]; i < m->touchers.begin[tensor + 1]; i++)
        if (first ? must_precede(p, m->touchers.at[i], op) : must_precede(p, op, m->touchers.at[i]))
            return true;
    return false;
}

int64_t model_bound(const MemoryModel *m, const Precedence *p)
{
    int64_t bound = 0;
    for (int o = 0; o < m->n_ops; o++) {
        int64_t bytes = 0, saved = 0;
        for (int t = 0; t < m->n_tensors; t++)
            if (m->bytes[t] && is_forced(m, p, t, o, true) && is_forced(m, p, t, o, false))
                bytes += m->bytes[t];
        for (int i = m->touched.begin[o]; i < m->touched.begin[o + 1]; i++) {
            const int t = m->touched.at[i];
            if (!is_forced(m, p, t, o, true) || !is_forced(m, p, t, o, false))
                bytes += m->bytes[t];
        }
        for (int i = m->donors.begin[o]; i < m->donors.begin[o + 1]; i++)
            if (!is_forced(m, p, m->donors.at[i], o, false))
                saved = m->bytes[m->donors.at[i]];
        bound = bytes - saved > bound ? bytes - saved : bound;
    }
    return bound;
}
