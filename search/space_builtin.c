// space_builtin.c - the spaces that have a name, as the space.json a user could write.
//
// In: a name.  Out: its text.  Sources: the ranges of Ru et al. 2020 (appendix E) for hnag, whose
// eight numbers leave the ratios at 1:1:1 and 1:2:4, merge by weighted sums and convolve 3x3;
// Xie et al. 2019 for rnag (three Watts-Strogatz graphs in a row, one a stage); section 2.1 of the
// former for darts-like (a chain of single-node cells).

#include "space_parts.h"

#include <string.h>

const char *const space_names[] = {"hnag", "hnag-full", "rnag", "darts-like"};
const int n_space_names = COUNT_OF(space_names);

#define HNAG                                                      \
    "{\"top.n\": {\"type\": \"int\", \"range\": [3, 10]},\n"      \
    " \"top.k\": {\"type\": \"int\", \"range\": [2, 5]},\n"       \
    " \"top.p\": {\"type\": \"float\", \"range\": [0.1, 0.9]},\n" \
    " \"mid.n\": {\"type\": \"int\", \"range\": [1, 10]},\n"      \
    " \"mid.p\": {\"type\": \"float\", \"range\": [0.1, 0.9]},\n" \
    " \"bottom.n\": {\"type\": \"int\", \"range\": [3, 10]},\n"   \
    " \"bottom.k\": {\"type\": \"int\", \"range\": [2, 5]},\n"    \
    " \"bottom.p\": {\"type\": \"float\", \"range\": [0.1, 0.9]}"

// A share of 0.05 keeps every stage alive in graphs of ten cells, and every channel count above 0.
static const char *const texts[] = {
    HNAG "}\n",
    HNAG ",\n"
         " \"stage_ratio\": {\"type\": \"simplex\", \"parts\": 3, \"min\": 0.05},\n"
         " \"channel_ratio\": {\"type\": \"simplex\", \"parts\": 3, \"min\": 0.05},\n"
         " \"merge\": {\"type\": \"simplex\", \"parts\": [\"sum\", \"attention\", \"concat\"]},\n"
         " \"ops\": {\"type\": \"simplex\", \"parts\": [\"conv3x3\", \"conv5x5\"]}}\n",
    "{\"top.graph\": \"chain\",\n"
    " \"top.n\": 3,\n"
    " \"mid.n\": 1,\n"
    " \"mid.p\": 0.5,\n"
    " \"bottom.n\": {\"type\": \"int\", \"range\": [10, 40]},\n"
    " \"bottom.k\": {\"type\": \"int\", \"range\": [2, 9]},\n"
    " \"bottom.p\": {\"type\": \"float\", \"range\": [0.1, 0.9]}}\n",
    "{\"top.graph\": \"chain\",\n"
    " \"top.n\": 20,\n"
    " \"mid.n\": 1,\n"
    " \"mid.p\": 0.5,\n"
    " \"bottom.n\": {\"type\": \"int\", \"range\": [3, 8]},\n"
    " \"bottom.k\": {\"type\": \"int\", \"range\": [2, 4]},\n"
    " \"bottom.p\": {\"type\": \"float\", \"range\": [0.1, 0.9]},\n"
    " \"ops\": {\"type\": \"simplex\", \"parts\": [\"conv3x3\", \"conv5x5\", \"conv1x1\", "
    "\"pool3x3\"], \"min\": 0.01}}\n",
};

const char *space_builtin(const char *name)
{
    for (int i = 0; i < n_space_names; i++) {
        if (strcmp(name, space_names[i]) == 0)
            return texts[i];
    }
    return NULL;
}
