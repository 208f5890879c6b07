// forest.c - a forest of regression trees.
//
// In: points and values.  Out: the mean of the trees, how far they disagree, and the noise left in
// their leaves.  Each tree sees a bootstrap sample; a split looks at five sixths of the inputs and
// puts its threshold at random between the two values that it parts, so that trees disagree where
// there are no data.  Sources: Breiman 2001; Hutter et al. 2011 and 2014 (uniform thresholds, the
// law of total variance).

#include "forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_TREES = 64, LEAST_SPLIT = 3 };

typedef struct {
    int input; // -1: a leaf
    double threshold;
    int below, above; // nodes; below: x[input] <= threshold
    double mean, variance;
} Node;

typedef struct {
    Node *nodes;
    int n_nodes;
} Tree;

struct Forest {
    int d;
    Tree trees[N_TREES];
};

typedef struct {
    const double *x, *y;
    int d;
    Tree *tree;
    Random *random;
    int *rows;      // a permutation; a node owns a stretch
    double *values; // scratch for sorting, two a row
} Growth;

typedef struct {
    int input;
    double threshold, gain;
} Split;

static int pair_compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

// The best threshold along one input, by how much the squared error falls.
static void split_along(const Growth *growth, int first, int n, int input, Split *best)
{
    double total = 0, left = 0;
    for (int i = 0; i < n; i++) {
        int row = growth->rows[first + i];
        growth->values[2 * i] = growth->x[row * growth->d + input];
        growth->values[2 * i + 1] = growth->y[row];
        total += growth->y[row];
    }
    qsort(growth->values, (size_t)n, 2 * sizeof *growth->values, pair_compare);
    for (int i = 0; i + 1 < n; i++) {
        left += growth->values[2 * i + 1];
        double low = growth->values[2 * i], high = growth->values[2 * i + 2];
        double gain = left * left / (i + 1) + (total - left) * (total - left) / (n - i - 1) -
                      total * total / n;
        if (high > low && gain > best->gain)
            *best = (Split){input, low + random_unit(growth->random) * (high - low), gain};
    }
}

static Split split_find(const Growth *growth, int first, int n)
{
    Split best = {-1, 0, 1e-12};
    uint32_t inputs[SPACE_MAX_FEATURES + 1];
    for (int j = 0; j < growth->d; j++)
        inputs[j] = (uint32_t)j;
    random_shuffle(growth->random, inputs, (size_t)growth->d);
    int looked_at = (5 * growth->d + 5) / 6;
    for (int j = 0; j < looked_at; j++)
        split_along(growth, first, n, (int)inputs[j], &best);
    return best;
}

static int rows_part(const Growth *growth, int first, int n, const Split *split)
{
    int below = 0;
    for (int i = 0; i < n; i++) {
        int row = growth->rows[first + i];
        if (growth->x[row * growth->d + split->input] <= split->threshold) {
            growth->rows[first + i] = growth->rows[first + below];
            growth->rows[first + below++] = row;
        }
    }
    return below;
}

static int node_grow(const Growth *growth, int first, int n)
{
    Tree *tree = growth->tree;
    int index = tree->n_nodes++;
    double mean = 0, variance = 0;
    for (int i = 0; i < n; i++)
        mean += growth->y[growth->rows[first + i]] / n;
    for (int i = 0; i < n; i++)
        variance += pow(growth->y[growth->rows[first + i]] - mean, 2) / n;
    tree->nodes[index] = (Node){-1, 0, 0, 0, mean, variance};
    if (n < LEAST_SPLIT || variance < 1e-12)
        return index;
    Split split = split_find(growth, first, n);
    if (split.input < 0)
        return index;
    int n_below = rows_part(growth, first, n, &split);
    int below = node_grow(growth, first, n_below);
    int above = node_grow(growth, first + n_below, n - n_below);
    tree->nodes[index] = (Node){split.input, split.threshold, below, above, mean, variance};
    return index;
}

Forest *forest_fit(const double *x, const double *y, int n, int d, Random *random)
{
    Forest *forest = xcalloc(1, sizeof *forest);
    Growth growth = {x, y, d, NULL, random, NULL, NULL};
    forest->d = d;
    growth.rows = xmalloc((size_t)n * sizeof *growth.rows);
    growth.values = xmalloc((size_t)n * 2 * sizeof *growth.values);
    for (int t = 0; t < N_TREES; t++) {
        growth.tree = &forest->trees[t];
        growth.tree->nodes = xmalloc((size_t)(2 * n) * sizeof *growth.tree->nodes);
        for (int i = 0; i < n; i++)
            growth.rows[i] = (int)random_below(random, (uint64_t)n);
        node_grow(&growth, 0, n);
    }
    free(growth.rows);
    free(growth.values);
    return forest;
}

void forest_free(Forest *forest)
{
    for (int t = 0; forest && t < N_TREES; t++)
        free(forest->trees[t].nodes);
    free(forest);
}

static const Node *leaf(const Tree *tree, const double *x)
{
    const Node *node = tree->nodes;
    while (node->input >= 0)
        node = tree->nodes + (x[node->input] <= node->threshold ? node->below : node->above);
    return node;
}

void forest_predict(const Forest *forest, const double *x, int n, Prediction *out)
{
    for (int p = 0; p < n; p++) {
        double sum = 0, squares = 0, noise = 0;
        for (int t = 0; t < N_TREES; t++) {
            const Node *node = leaf(&forest->trees[t], x + p * forest->d);
            sum += node->mean;
            squares += node->mean * node->mean;
            noise += node->variance;
        }
        double mean = sum / N_TREES;
        out[p] = (Prediction){mean, fmax(squares / N_TREES - mean * mean, 1e-10), noise / N_TREES};
    }
}

int forest_count(const Forest *forest)
{
    (void)forest;
    return N_TREES;
}

double forest_tree(const Forest *forest, int which, const double *x)
{
    return leaf(&forest->trees[which], x)->mean;
}
