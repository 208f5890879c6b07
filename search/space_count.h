// space_count.h - how many networks a space can express.
#ifndef NAGO_SPACE_COUNT_H
#define NAGO_SPACE_COUNT_H

#include "../compiler/nagoc.h"
#include "space.h"

typedef struct {
    int combinations, valid; // of integers and choices; those that are a theta
    int settings;            // that allow different graphs
    double log10_largest;    // of the networks of the largest setting
    double log10_networks;   // of all: an upper bound
} SpaceCount;
extern const char space_count_formula[];
// Fails (bad input) if the space is not one of theta's numbers, or has more than a million
// combinations.
bool space_count(const Space *space, SpaceCount *out, Err *err);
// Natural logarithms: networks that one theta can express; connected graphs of one level.
double theta_log_networks(const Theta *theta);
double level_log_graphs(const LevelTheta *level);

#endif
