// pareto.h - non-domination and hypervolume.  All objectives are minimised.
#ifndef NAGO_PARETO_H
#define NAGO_PARETO_H

#include "optimizer.h"

// Does a dominate b: nowhere worse, somewhere better?
bool pareto_dominates(const double *a, const double *b, int n_objectives);
// The front (0: not dominated) of each of n points, [n][n_objectives].
void pareto_ranks(const double *values, int n, int n_objectives, int *rank);
// Orders rows (indices of finished trials), best first: by value for one objective, else front by
// front; of the front that the first `keep` rows cut, those go first that together leave the most
// hypervolume.  Ties fall to the lower id.
void pareto_order(const HistoryTrial *trials, int *rows, int n, int n_objectives, int keep);

// Volume that n points dominate and `reference` bounds; points not better than it count nothing.
// Exact: a sweep for 2 and 3 objectives, the WFG algorithm beyond.
double hypervolume(const double *values, int n, int n_objectives, const double *reference);
// Two objectives, many candidates: keeps of n points those that matter, the first objective
// ascending; returns how many.  Then what one more point adds, without sorting anything.
int stairs_make(double *values, int n, const double *reference);
double stairs_gain(const double *stairs, int n, const double *reference, const double *point);
// What one more point adds to the volume of n others; fastest if these are a front, which
// front_keep makes of any points: it drops those dominated or repeated and returns how many are
// left.
double hypervolume_gain(const double *front, int n, int n_objectives, const double *reference,
                        const double *point);
int front_keep(double *points, int n, int n_objectives);
// What each point adds to the others' volume.
void hypervolume_shares(const double *values, int n, int n_objectives, const double *reference,
                        double *shares);
// The nadir of the front, worsened by a tenth of the front's range (of |nadir|, or 1, where the
// range is 0).  n >= 1.
void reference_point_infer(const double *values, int n, int n_objectives, double *reference);

#endif
