// pareto.c - who dominates whom, and which of a rung go on.
//
// In: objective vectors.  Out: fronts, orders.  Source: Deb et al. 2002 for the fronts; the cut
// front of a rung is thinned greedily by hypervolume contribution, as in SMS-EMOA (Beume et al.
// 2007), which keeps its extent and its bulges.

#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool pareto_dominates(const double *a, const double *b, int n_objectives)
{
    bool better = false;
    for (int k = 0; k < n_objectives; k++) {
        if (a[k] > b[k])
            return false;
        better = better || a[k] < b[k];
    }
    return better;
}

// Peels front after front.  A point's rank is one more than the largest rank that dominates it.
void pareto_ranks(const double *values, int n, int n_objectives, int *rank)
{
    int *dominators = xcalloc((size_t)n + 1, sizeof *dominators);
    int left = n;
    for (int i = 0; i < n; i++) {
        rank[i] = -1;
        for (int j = 0; j < n; j++)
            dominators[i] += pareto_dominates(values + j * n_objectives, values + i * n_objectives,
                                              n_objectives);
    }
    for (int front = 0; left > 0; front++) {
        for (int i = 0; i < n; i++) {
            if (rank[i] < 0 && dominators[i] == 0) {
                rank[i] = front;
                left--;
            }
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; rank[i] == front && j < n; j++)
                dominators[j] -=
                    rank[j] < 0 && pareto_dominates(values + i * n_objectives,
                                                    values + j * n_objectives, n_objectives);
        }
    }
    free(dominators);
}

void reference_point_infer(const double *values, int n, int n_objectives, double *reference)
{
    int *rank = xmalloc((size_t)n * sizeof *rank);
    pareto_ranks(values, n, n_objectives, rank);
    for (int k = 0; k < n_objectives; k++) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < n; i++) {
            if (rank[i] == 0) {
                low = fmin(low, values[i * n_objectives + k]);
                high = fmax(high, values[i * n_objectives + k]);
            }
        }
        double range = high > low ? high - low : fabs(high) > 0 ? fabs(high) : 1;
        reference[k] = high + 0.1 * range;
    }
    free(rank);
}

// ---- the order of a rung -----------------------------------------------------------------------

typedef struct {
    int row, front;
    int64_t id;
    double value; // the first objective, or what breaks ties within a front
} Entry;

static int entry_compare(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    if (x->front != y->front)
        return x->front < y->front ? -1 : 1;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

// Removes, of one front, the point that adds least until one is left: the last removed is best.
static void front_thin(Entry *entries, int n, const double *values, int n_objectives,
                       const double *reference)
{
    double *kept = xmalloc((size_t)n * (size_t)n_objectives * sizeof *kept);
    double *shares = xmalloc((size_t)n * sizeof *shares);
    for (int left = n; left > 1; left--) {
        for (int i = 0; i < left; i++)
            memcpy(kept + i * n_objectives, values + entries[i].row * n_objectives,
                   (size_t)n_objectives * sizeof *kept);
        hypervolume_shares(kept, left, n_objectives, reference, shares);
        int least = 0;
        for (int i = 1; i < left; i++) {
            if (shares[i] < shares[least] ||
                (shares[i] == shares[least] && entries[i].id > entries[least].id))
                least = i;
        }
        Entry removed = entries[least];
        memmove(entries + least, entries + least + 1, (size_t)(left - 1 - least) * sizeof *entries);
        entries[left - 1] = removed;
    }
    free(shares);
    free(kept);
}

static void fronts_order(const HistoryTrial *trials, Entry *entries, int n, int n_objectives,
                         int keep)
{
    double reference[MAX_OBJECTIVES];
    double *values = xmalloc((size_t)n * (size_t)n_objectives * sizeof *values);
    int *rank = xmalloc((size_t)n * sizeof *rank);
    int *rows = xmalloc((size_t)n * sizeof *rows);
    for (int i = 0; i < n; i++) {
        memcpy(values + i * n_objectives, trials[entries[i].row].values,
               (size_t)n_objectives * sizeof *values);
        rows[i] = entries[i].row;
    }
    pareto_ranks(values, n, n_objectives, rank);
    reference_point_infer(values, n, n_objectives, reference);
    for (int i = 0; i < n; i++) {
        entries[i].front = rank[i];
        entries[i].row = i; // of `values`, until the end
    }
    qsort(entries, (size_t)n, sizeof *entries, entry_compare);
    int start = 0, end = 0;
    for (; end < n && end < keep; start = end) {
        for (end = start; end < n && entries[end].front == entries[start].front; end++) {
        }
        if (end >= keep)
            front_thin(entries + start, end - start, values, n_objectives, reference);
    }
    for (int i = 0; i < n; i++)
        entries[i].row = rows[entries[i].row];
    free(rows);
    free(rank);
    free(values);
}

void pareto_order(const HistoryTrial *trials, int *rows, int n, int n_objectives, int keep)
{
    if (n == 0)
        return;
    Entry *entries = xmalloc((size_t)n * sizeof *entries);
    for (int i = 0; i < n; i++) {
        double value = n_objectives == 1 ? trials[rows[i]].values[0] : 0;
        entries[i] = (Entry){rows[i], 0, trials[rows[i]].id, value};
    }
    if (n_objectives == 1)
        qsort(entries, (size_t)n, sizeof *entries, entry_compare);
    else
        fronts_order(trials, entries, n, n_objectives, keep);
    for (int i = 0; i < n; i++)
        rows[i] = entries[i].row;
    free(entries);
}
