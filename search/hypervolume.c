// hypervolume.c - the volume that a set of points dominates, bounded by a reference point.
//
// In: points to be minimised.  Out: exact volumes.  Two objectives: a sweep along the first.
// Three: a sweep along the third that keeps the staircase of the other two.  More: the sum of what
// each point adds to those after it, by the WFG recursion (While, Bradstreet, Barone 2012) down to
// the sweep.

#include "pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int k;                   // objectives
    const double *reference; // of k numbers
} Box;

// Points in ascending order of the last objective (then of those before it), for all sweeps.
static int compare_last(const double *a, const double *b, int k)
{
    for (int i = k - 1; i >= 0; i--) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

static int compare_first(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] != y[0] ? (x[0] < y[0] ? -1 : 1) : (x[1] > y[1]) - (x[1] < y[1]);
}

static int compare2(const void *a, const void *b)
{
    return compare_last(a, b, 2);
}

static int compare3(const void *a, const void *b)
{
    return compare_last(a, b, 3);
}

static double volume2(double *points, int n, const double *reference)
{
    double volume = 0, left = reference[0];
    qsort(points, (size_t)n, 2 * sizeof *points, compare2);
    for (int i = 0; i < n; i++) { // the second objective ascends: only a smaller first one adds
        if (points[2 * i] < left) {
            volume += (left - points[2 * i]) * (reference[1] - points[2 * i + 1]);
            left = points[2 * i];
        }
    }
    return volume;
}

// Adds (x, y) to a staircase (x ascending, y descending) and returns the area it adds.
static double stair_add(double *stair, int *n, double x, double y, const double *reference)
{
    int at = 0;
    while (at < *n && stair[2 * at] <= x)
        at++;
    double height = at > 0 ? stair[2 * at - 1] : reference[1]; // y of the step to the left
    if (height <= y)
        return 0;
    double area = 0, from = x;
    int end = at > 0 && stair[2 * at - 2] == x ? at - 1 : at; // a step at the same x is covered
    int keep_from = end;
    for (end = at; end < *n && stair[2 * end + 1] >= y; end++) {
        area += (stair[2 * end] - from) * (height - y);
        from = stair[2 * end];
        height = stair[2 * end + 1];
    }
    area += ((end < *n ? stair[2 * end] : reference[0]) - from) * (height - y);
    memmove(stair + 2 * keep_from + 2, stair + 2 * end, (size_t)(*n - end) * 2 * sizeof *stair);
    stair[2 * keep_from] = x;
    stair[2 * keep_from + 1] = y;
    *n += keep_from + 1 - end;
    return area;
}

int stairs_make(double *values, int n, const double *reference)
{
    int kept = 0;
    qsort(values, (size_t)n, 2 * sizeof *values, compare_first);
    for (int i = 0; i < n; i++) {
        double below = kept ? values[2 * kept - 1] : reference[1];
        if (values[2 * i] < reference[0] && values[2 * i + 1] < below) {
            values[2 * kept] = values[2 * i];
            values[2 * kept++ + 1] = values[2 * i + 1];
        }
    }
    return kept;
}

double stairs_gain(const double *stairs, int n, const double *reference, const double *point)
{
    double gain = 0, from = point[0], height = reference[1];
    for (int i = 0; i < n && height > point[1]; i++) {
        if (stairs[2 * i] > from) {
            gain += (stairs[2 * i] - from) * (height - point[1]);
            from = stairs[2 * i];
        }
        height = stairs[2 * i + 1];
    }
    if (height > point[1] && from < reference[0])
        gain += (reference[0] - from) * (height - point[1]);
    return gain;
}

static double volume3(double *points, int n, const double *reference)
{
    double *stair = xmalloc(((size_t)n + 1) * 2 * sizeof *stair);
    double volume = 0, area = 0;
    int steps = 0;
    qsort(points, (size_t)n, 3 * sizeof *points, compare3);
    for (int i = 0; i < n; i++) {
        area += stair_add(stair, &steps, points[3 * i], points[3 * i + 1], reference);
        double next = i + 1 < n ? points[3 * i + 5] : reference[2];
        volume += area * (next - points[3 * i + 2]);
    }
    free(stair);
    return volume;
}

int front_keep(double *points, int n, int k)
{
    int kept = 0;
    size_t bytes = (size_t)k * sizeof *points;
    for (int i = 0; i < n; i++) {
        const double *point = points + i * k;
        bool dominated = false;
        for (int j = 0; j < n && !dominated; j++) {
            const double *other = j < i ? NULL : points + j * k; // those before i may have moved
            if (other && j != i)
                dominated = pareto_dominates(other, point, k);
        }
        for (int j = 0; j < kept && !dominated; j++)
            dominated = pareto_dominates(points + j * k, point, k) ||
                        memcmp(points + j * k, point, bytes) == 0;
        if (!dominated)
            memmove(points + kept++ * k, point, bytes);
    }
    return kept;
}

static double volume_any(double *points, int n, const Box *box);

static double box_volume(const double *point, const Box *box)
{
    double volume = 1;
    for (int i = 0; i < box->k; i++)
        volume *= box->reference[i] - point[i];
    return volume;
}

// What each point adds to those after it: its own box less what they cover of it, which is the
// volume of those points moved into the box.
static double volume_wfg(const double *points, int n, const Box *box)
{
    int k = box->k;
    double volume = 0;
    double *limited = xmalloc(((size_t)n + 1) * (size_t)k * sizeof *limited);
    for (int i = 0; i < n; i++) {
        int count = n - i - 1;
        for (int j = 0; j < count; j++) {
            for (int o = 0; o < k; o++)
                limited[j * k + o] = fmax(points[i * k + o], points[(i + 1 + j) * k + o]);
        }
        count = front_keep(limited, count, k);
        volume += box_volume(points + i * k, box) - volume_any(limited, count, box);
    }
    free(limited);
    return volume;
}

static double volume_any(double *points, int n, const Box *box)
{
    if (n == 0)
        return 0;
    if (n == 1)
        return box_volume(points, box);
    if (box->k == 2)
        return volume2(points, n, box->reference);
    return box->k == 3 ? volume3(points, n, box->reference) : volume_wfg(points, n, box);
}

double hypervolume(const double *values, int n, int n_objectives, const double *reference)
{
    int k = n_objectives, count = 0;
    double *points = xmalloc(((size_t)n + 1) * (size_t)k * sizeof *points);
    for (int i = 0; i < n; i++) {
        bool inside = true;
        for (int o = 0; o < k; o++)
            inside = inside && values[i * k + o] < reference[o];
        if (inside)
            memcpy(points + count++ * k, values + i * k, (size_t)k * sizeof *points);
    }
    count = k > 3 || k == 1 ? front_keep(points, count, k) : count;
    double volume = volume_any(points, count, &(Box){k, reference});
    free(points);
    return volume;
}

double hypervolume_gain(const double *front, int n, int n_objectives, const double *reference,
                        const double *point)
{
    int k = n_objectives, count = 0;
    Box box = {k, reference};
    for (int o = 0; o < k; o++) {
        if (!(point[o] < reference[o]))
            return 0;
    }
    double *limited = xmalloc(((size_t)n + 1) * (size_t)k * sizeof *limited);
    bool dominated = false;
    for (int i = 0; i < n && !dominated; i++) {
        bool inside = true;
        dominated = true;
        for (int o = 0; o < k; o++) {
            double value = front[i * k + o];
            limited[count * k + o] = fmax(value, point[o]);
            inside = inside && value < reference[o];
            dominated = dominated && value <= point[o];
        }
        count += inside;
    }
    double gain = 0;
    if (!dominated) {
        count = front_keep(limited, count, k);
        gain = box_volume(point, &box) - volume_any(limited, count, &box);
    }
    free(limited);
    return fmax(0, gain);
}

void hypervolume_shares(const double *values, int n, int n_objectives, const double *reference,
                        double *shares)
{
    int k = n_objectives;
    double whole = hypervolume(values, n, k, reference);
    double *others = xmalloc(((size_t)n + 1) * (size_t)k * sizeof *others);
    for (int i = 0; i < n; i++) {
        memcpy(others, values, (size_t)i * (size_t)k * sizeof *others);
        memcpy(others + i * k, values + (i + 1) * k,
               (size_t)(n - i - 1) * (size_t)k * sizeof *others);
        shares[i] = fmax(0, whole - hypervolume(others, n - 1, k, reference));
    }
    free(others);
}
