// optimizer_parts.h - what the methods share among themselves.
#ifndef NAGO_OPTIMIZER_PARTS_H
#define NAGO_OPTIMIZER_PARTS_H

#include "brackets.h"
#include "optimizer.h"

enum { MAX_REDRAWS = 200 }; // before a duplicate is accepted after all

typedef struct Models Models; // models.h

struct Optimizer {
    SearchOptions options;
    const Space *space;
    BracketPlan plan;
    Models *models; // of the last call; NULL: none yet
};

// The history, and behind it the batch so far as running trials.
typedef struct {
    HistoryTrial *trials;
    uint64_t *hashes; // space_hash of each
    int n;
} View;

bool was_tried(const Optimizer *optimizer, const View *view, const double *x);
// A uniform draw that was not tried yet, as far as MAX_REDRAWS find one.
void draw_new(const Optimizer *optimizer, const View *view, Random *random, double *x);

// The methods: each fills x, reason and its numbers; false: it has nothing better than a draw.
bool suggest_mobo(Optimizer *optimizer, const View *view, Suggestion *suggestion);
// MO-BOHB: the row of the trial to promote in place of `parent`, of those on the same front of
// their rung: the one that promises most hypervolume beyond what is known and what runs.
int promotion_choose(Optimizer *optimizer, const View *view, int parent,
                     const Suggestion *suggestion);
bool suggest_nsga2(const Optimizer *optimizer, const View *view, Suggestion *suggestion);
bool suggest_bohb(const Optimizer *optimizer, const View *view, Suggestion *suggestion);

#endif
