// graph.c - random graphs of one level.
//
// In: a generator and its parameters.  Out: a connected graph whose edges point from the lower to
// the higher index, which makes it acyclic: every node then lies on a path from a node without
// predecessors to one without successors. Sources: Watts & Strogatz 1998 and Erdos & Renyi 1959, as
// networkx 2 draws them (watts_strogatz_graph, gnp_random_graph; tests/graph_stats.py compares);
// Barabasi & Albert 1999 and the orientation as in Xie, Kirillov, Girshick, He, "Exploring Randomly
// Wired Neural Networks for Image Recognition", 2019, section 3.

#include "front.h"

#include <string.h>

enum { TRIES = 200 };

static bool *edge_between(Graph *graph, int a, int b)
{
    return a < b ? &graph->edge[a * graph->n + b] : &graph->edge[b * graph->n + a];
}

static int degree_of(Graph *graph, int node)
{
    int degree = 0;
    for (int other = 0; other < graph->n; other++)
        degree += other != node && *edge_between(graph, node, other);
    return degree;
}

static bool is_connected(Graph *graph)
{
    int queue[MAX_GRAPH], head = 0, tail = 0;
    bool seen[MAX_GRAPH] = {false};
    queue[tail++] = 0;
    seen[0] = true;
    while (head < tail) {
        int node = queue[head++];
        for (int other = 0; other < graph->n; other++) {
            if (!seen[other] && *edge_between(graph, node, other)) {
                seen[other] = true;
                queue[tail++] = other;
            }
        }
    }
    return tail == graph->n;
}

// A ring whose nodes know their k/2 neighbours on either side; then every edge is moved, with
// probability p, to another far end.  A node joined to all others has no edge to move.
static void draw_ws(const LevelTheta *level, Random *random, Graph *graph)
{
    int n = level->n;
    for (int j = 1; j <= level->k / 2; j++) {
        for (int u = 0; u < n; u++)
            *edge_between(graph, u, (u + j) % n) = true;
    }
    for (int j = 1; j <= level->k / 2; j++) {
        for (int u = 0; u < n; u++) {
            if (random_unit(random) >= level->p || degree_of(graph, u) >= n - 1)
                continue;
            int w;
            do {
                w = (int)random_below(random, (uint64_t)n);
            } while (w == u || *edge_between(graph, u, w));
            *edge_between(graph, u, (u + j) % n) = false;
            *edge_between(graph, u, w) = true;
        }
    }
}

// Every pair is joined with probability p.
static void draw_er(const LevelTheta *level, Random *random, Graph *graph)
{
    for (int a = 0; a < level->n; a++) {
        for (int b = a + 1; b < level->n; b++)
            *edge_between(graph, a, b) = random_unit(random) < level->p;
    }
}

// m nodes without edges; each further node joins m different ones, chosen in proportion to their
// degree (the first new node: all m).  `ends` lists both ends of every edge: a uniform draw from it
// is such a choice.
static void draw_ba(const LevelTheta *level, Random *random, Graph *graph)
{
    int ends[MAX_GRAPH * MAX_GRAPH * 2], n_ends = 0;
    for (int node = level->m; node < level->n; node++) {
        int known = n_ends;
        for (int joined = 0; joined < level->m; joined++) {
            int other = known > 0 ? ends[random_below(random, (uint64_t)known)] : joined;
            while (*edge_between(graph, node, other))
                other = ends[random_below(random, (uint64_t)known)];
            *edge_between(graph, node, other) = true;
            ends[n_ends++] = node;
            ends[n_ends++] = other;
        }
    }
}

static void draw_chain(const LevelTheta *level, Graph *graph)
{
    for (int node = 1; node < level->n; node++)
        *edge_between(graph, node - 1, node) = true;
}

static void draw(const LevelTheta *level, Random *random, Graph *graph)
{
    memset(graph->edge, 0, (size_t)graph->n * (size_t)graph->n * sizeof *graph->edge);
    switch (level->graph) {
    case GRAPH_WS:
        draw_ws(level, random, graph);
        break;
    case GRAPH_ER:
        draw_er(level, random, graph);
        break;
    case GRAPH_BA:
        draw_ba(level, random, graph);
        break;
    case GRAPH_CHAIN:
        draw_chain(level, graph);
        break;
    }
}

bool graph_sample(const LevelTheta *level, Random *random, Graph *graph, Pool *pool)
{
    if (level->n < 1 || level->n > MAX_GRAPH)
        bug("a graph of %d nodes", level->n);
    if (level->graph == GRAPH_WS && (level->k < 2 || level->k > level->n - 1))
        bug("k = %d among %d nodes", level->k, level->n);
    if (level->graph == GRAPH_BA && level->n > 1 && (level->m < 1 || level->m > level->n - 1))
        bug("m = %d among %d nodes", level->m, level->n);
    graph->n = level->n;
    graph->edge = pool_alloc(pool, (size_t)level->n * (size_t)level->n * sizeof *graph->edge);
    for (int i = 0; i < TRIES; i++) {
        draw(level, random, graph);
        if (is_connected(graph))
            return true;
    }
    return false;
}
