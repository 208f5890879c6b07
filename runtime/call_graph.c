// call_graph.c - in: gcc's call graph (VCG), a line for each function and each call.  Out: the
// chain of calls that takes the most stack.
//
//   node: { title: "net.c:net_infer" label: "net_infer\nnet.c:9:6\n16 bytes (static)\n..." }
//   edge: { sourcename: "net.c:net_infer" targetname: "memset" label: "net.c:12:5" }
//
// Functions of other files stand under their plain name, in their own file's graph under
// "file.c:name" when they are static; a name is looked up without its file.
#include "call_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *name;
    int64_t frame; // -1: not known
    bool is_bounded;
    int64_t depth; // of the deepest chain from here; -1: not computed yet, -2: being computed
    int deepest;   // the call that it goes through; -1: none
} Function;

typedef struct {
    int from, to;
} Call;

typedef struct {
    Function *functions;
    Call *calls;
    int n_functions, n_calls;
    size_t cap_functions, cap_calls;
    Pool *pool;
} Graph;

// The string behind `key` on the line: `title: "..."`; NULL if there is none.
static char *field(const char *line, const char *key, Pool *pool)
{
    const char *end = line + strcspn(line, "\n"), *at = strstr(line, key);
    if (!at || at >= end)
        return NULL;
    at += strlen(key);
    return pool_printf(pool, "%.*s", (int)strcspn(at, "\"\n"), at);
}

// "net.c:net_infer" is net_infer.
static const char *plain_name(const char *title)
{
    const char *colon = strrchr(title, ':');
    return colon ? colon + 1 : title;
}

static int function_of(Graph *graph, const char *title)
{
    const char *name = plain_name(title);
    for (int i = 0; i < graph->n_functions; i++)
        if (!strcmp(graph->functions[i].name, name))
            return i;
    graph->functions =
        pool_grow(graph->pool, graph->functions, (size_t)graph->n_functions,
                  (size_t)graph->n_functions + 1, &graph->cap_functions, sizeof *graph->functions);
    graph->functions[graph->n_functions] =
        (Function){.name = name, .frame = -1, .is_bounded = true, .depth = -1, .deepest = -1};
    return graph->n_functions++;
}

// "...\n16 bytes (static)\n0 dynamic objects": the lines of a label are separated by backslash n.
static void read_function(Graph *graph, const char *line)
{
    const char *title = field(line, "title: \"", graph->pool),
               *label = field(line, "label: \"", graph->pool);
    const char *bytes = label ? strstr(label, " bytes (") : NULL;
    if (!title)
        return;
    const int at = function_of(graph, title); // may move the functions
    if (!bytes)
        return;
    Function *f = &graph->functions[at];
    const char *number = bytes;
    while (number > label && number[-1] >= '0' && number[-1] <= '9')
        number--;
    f->frame = strtoll(number, NULL, 10);
    f->is_bounded = strncmp(bytes, " bytes (dynamic)", strlen(" bytes (dynamic)")) != 0;
}

static void read_call(Graph *graph, const char *line)
{
    const char *from = field(line, "sourcename: \"", graph->pool),
               *to = field(line, "targetname: \"", graph->pool);
    if (!from || !to)
        return;
    const Call call = {function_of(graph, from), function_of(graph, to)};
    for (int i = graph->n_calls; i-- > 0 && graph->calls[i].from == call.from;)
        if (graph->calls[i].to == call.to)
            return;
    graph->calls = pool_grow(graph->pool, graph->calls, (size_t)graph->n_calls,
                             (size_t)graph->n_calls + 1, &graph->cap_calls, sizeof *graph->calls);
    graph->calls[graph->n_calls++] = call;
}

static void read_graph(Graph *graph, const char *text)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (!strncmp(line, "node:", 5))
            read_function(graph, line);
        else if (!strncmp(line, "edge:", 5))
            read_call(graph, line);
}

static bool find_depth(Graph *graph, int at, Err *err)
{
    Function *f = &graph->functions[at];
    if (f->depth == -2)
        return err_run(err, "%s calls itself: its stack has no limit", f->name);
    if (f->depth >= 0)
        return true;
    if (!f->is_bounded)
        return err_run(err, "the stack of %s has no limit that gcc knows", f->name);
    f->depth = -2;
    int64_t most = 0;
    for (int i = 0; i < graph->n_calls; i++) {
        const int to = graph->calls[i].to;
        if (graph->calls[i].from != at)
            continue;
        if (!find_depth(graph, to, err))
            return false;
        if (graph->functions[to].depth > most) {
            most = graph->functions[to].depth;
            f->deepest = to;
        }
    }
    f->depth = most + (f->frame < 0 ? UNKNOWN_FRAME : f->frame);
    return true;
}

bool call_graph_deepest(const char *text, const char *function, DeepestStack *deepest, Pool *pool,
                        Err *err)
{
    Graph graph = {.pool = pool};
    read_graph(&graph, text);
    const int known = graph.n_functions, start = function_of(&graph, function);
    if (start == known)
        return err_run(err, "there is no function %s", function);
    if (!find_depth(&graph, start, err))
        return false;
    *deepest = (DeepestStack){.bytes = graph.functions[start].depth};
    deepest->chain = pool_alloc(pool, (size_t)graph.n_functions * sizeof *deepest->chain);
    for (int at = start; at >= 0; at = graph.functions[at].deepest)
        deepest->chain[deepest->n++] =
            (CalledFunction){graph.functions[at].name, graph.functions[at].frame};
    return true;
}
