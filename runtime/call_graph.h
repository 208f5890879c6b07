// call_graph.h - the deepest stack of a program, from what gcc -fcallgraph-info=su writes.
#ifndef NAGO_CALL_GRAPH_H
#define NAGO_CALL_GRAPH_H

#include "../compiler/base.h"

// A frame that gcc does not tell of (functions of a library) is counted as so many bytes.
enum { UNKNOWN_FRAME = 64 };

typedef struct {
    const char *name;
    int64_t frame; // bytes of stack; -1: not known
} CalledFunction;

typedef struct {
    int64_t bytes;
    int n;
    CalledFunction *chain; // from the function asked for to the end
} DeepestStack;

// The calls below `function` that take the most stack together.  `text`: one or several graphs, one
// after another; functions are known by the name that the linker sees.  Lives in `pool`.  Errors:
// the function is not there; recursion; a frame without a limit.
bool call_graph_deepest(const char *text, const char *function, DeepestStack *deepest, Pool *pool,
                        Err *err);

#endif
