// sample.c - from theta to an architecture.
//
// In: theta, with its seed.  Out: a drawn architecture that fits theta's weight budget.
// First the structure: three levels of graphs, a stage for every cell, a merge for every vertex
// with several inputs, an op for every vertex at the bottom.  Then the channels: the largest
// multiplier whose op weights fit, found by bisection.  Each draw has a stream of its own, named by
// purpose and place. Source: NAGO paper, section 2.1; docs/semantics.md, 1 and 2.

#include "front.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const Theta *theta;
    Arch *arch;
    Pool *pool;
    Err *err;
} Sampler;

// ---- structure
// -----------------------------------------------------------------------------------

static int weighted_draw(const double *weights, int count, Random *random)
{
    double sum = 0, reached = 0;
    int last = 0;
    for (int i = 0; i < count; i++)
        sum += weights[i];
    double draw = random_unit(random) * sum;
    for (int i = 0; i < count; i++) {
        if (weights[i] <= 0)
            continue;
        last = i;
        reached += weights[i];
        if (draw < reached)
            break;
    }
    return last; // rounding may leave the draw beyond the end
}

static bool no_graph(const Sampler *sampler, Level which)
{
    const Theta *theta = sampler->theta;
    const LevelTheta *level = &theta->level[which];
    return source_error(theta->path, theta->source, theta->p_line[which], theta->p_column[which],
                        "a larger p or fewer nodes make connected graphs likely", sampler->err,
                        "\"%s\": no connected graph of %d nodes in 200 draws with p = %g",
                        level_name[which], level->n, level->p);
}

// Draws the graph and the merges of one list of vertices; a, b name the place of the list.
static bool draw_vertices(const Sampler *sampler, Level which, uint64_t a, uint64_t b, Vertex **out,
                          int *count)
{
    static const char *const graph_stream[LEVELS] = {"graph.top", "graph.mid", "graph.bottom"};
    static const char *const merge_stream[LEVELS] = {"merge.top", "merge.mid", "merge.bottom"};
    const LevelTheta *level = &sampler->theta->level[which];
    uint64_t seed = sampler->theta->seed;
    Random random = random_stream(seed, graph_stream[which], a, b);
    Graph graph;
    if (!graph_sample(level, &random, &graph, sampler->pool))
        return no_graph(sampler, which);
    int n = graph.n;
    Vertex *vertices = pool_alloc(sampler->pool, (size_t)n * sizeof *vertices);
    for (int i = 0; i < n; i++) {
        Vertex *vertex = &vertices[i];
        vertex->inputs = pool_alloc(sampler->pool, (size_t)i * sizeof *vertex->inputs);
        vertex->is_output = true;
        vertex->merge = MERGE_SINGLE;
        for (int j = 0; j < i; j++) {
            if (!graph.edge[j * n + i])
                continue;
            vertex->inputs[vertex->n_inputs++] = j;
            vertices[j].is_output = false;
        }
        random = random_stream(seed, merge_stream[which], a * MAX_GRAPH + b, (uint64_t)i);
        if (vertex->n_inputs > 1)
            vertex->merge = (MergeKind)weighted_draw(level->merge, MERGE_DRAWN, &random);
    }
    *out = vertices;
    *count = n;
    return true;
}

// An output never pools: its weights are theta's without the pools.
static void draw_atoms(const Sampler *sampler, Vertex *node, uint64_t place)
{
    for (int i = 0; i < node->n_children; i++) {
        Vertex *op = &node->children[i];
        Random random = random_stream(sampler->theta->seed, "op", place, (uint64_t)i);
        double weights[ATOM_COUNT];
        for (int atom = 0; atom < ATOM_COUNT; atom++)
            weights[atom] =
                op->is_output && atom_info[atom].is_pool ? 0 : sampler->theta->atoms[atom];
        op->atom = (AtomKind)weighted_draw(weights, ATOM_COUNT, &random);
    }
}

// The stage whose cumulative share first exceeds i / n; three cells are always one a stage.
static int stage_of(const Theta *theta, int i, int n)
{
    double sum = 0, reached = 0;
    if (n == STAGES)
        return i;
    for (int stage = 0; stage < STAGES; stage++)
        sum += theta->stage_ratio[stage];
    for (int stage = 0; stage < STAGES; stage++) {
        reached += theta->stage_ratio[stage];
        if (i * sum < reached * n - 1e-9 * sum * n)
            return stage;
    }
    bug("cell %d of %d has no stage", i, n);
}

static bool draw_cell(const Sampler *sampler, int index)
{
    Arch *arch = sampler->arch;
    Vertex *cell = &arch->cells[index];
    uint64_t a = (uint64_t)index;
    cell->stage = stage_of(sampler->theta, index, arch->n_cells);
    if (!draw_vertices(sampler, LEVEL_MID, a, 0, &cell->children, &cell->n_children))
        return false;
    for (int i = 0; i < cell->n_children; i++) {
        Vertex *node = &cell->children[i];
        uint64_t b = (uint64_t)i;
        node->stage = cell->stage;
        if (!draw_vertices(sampler, LEVEL_BOTTOM, a, b, &node->children, &node->n_children))
            return false;
        draw_atoms(sampler, node, a * MAX_GRAPH + b);
        for (int j = 0; j < node->n_children; j++)
            node->children[j].stage = cell->stage;
    }
    return true;
}

static bool draw_structure(const Sampler *sampler)
{
    Arch *arch = sampler->arch;
    if (!draw_vertices(sampler, LEVEL_TOP, 0, 0, &arch->cells, &arch->n_cells))
        return false;
    for (int i = 0; i < arch->n_cells; i++) {
        if (!draw_cell(sampler, i))
            return false;
    }
    return true;
}

// ---- channels
// ------------------------------------------------------------------------------------

// Concatenated pools can double the channels from op to op, beyond any integer; both counts stop
// growing here.
#define CHANNELS_END ((int64_t)1 << 28)
#define WEIGHTS_END ((int64_t)1 << 60)

static int stage_channels(const Theta *theta, int stage, int64_t multiplier)
{
    double channels = floor(theta->channel_ratio[stage] * (double)multiplier);
    return channels < 1 ? 1 : channels > (double)CHANNELS_END ? (int)CHANNELS_END : (int)channels;
}

static int entering_channels(const Vertex *vertex, const Vertex *siblings, int graph_channels)
{
    if (vertex->n_inputs == 0)
        return graph_channels;
    if (vertex->merge != MERGE_CONCAT)
        return siblings[vertex->inputs[vertex->n_inputs - 1]].out_channels;
    int64_t sum = 0;
    for (int j = 0; j < vertex->n_inputs; j++)
        sum += siblings[vertex->inputs[j]].out_channels;
    return (int)(sum < CHANNELS_END ? sum : CHANNELS_END);
}

static int64_t op_assign(Vertex *op, int channels, bool depthwise)
{
    const AtomInfo *atom = &atom_info[op->atom];
    int64_t in = op->in_channels, area = (int64_t)atom->kernel_h * atom->kernel_w;
    op->out_channels = atom->is_pool ? op->in_channels : channels;
    if (atom->is_pool)
        return 0;
    return depthwise ? in * (area + channels) : in * channels * area;
}

// Gives every vertex its channels and returns the weights of the ops.
static int64_t channels_assign(const Theta *theta, Arch *arch, int64_t multiplier)
{
    int64_t weights = 0;
    arch->stem_channels = stage_channels(theta, 0, multiplier);
    for (int c = 0; c < arch->n_cells; c++) {
        Vertex *cell = &arch->cells[c];
        int channels = stage_channels(theta, cell->stage, multiplier);
        cell->in_channels = entering_channels(cell, arch->cells, arch->stem_channels);
        cell->out_channels = channels;
        for (int n = 0; n < cell->n_children; n++) {
            Vertex *node = &cell->children[n];
            node->in_channels = entering_channels(node, cell->children, cell->in_channels);
            node->out_channels = channels;
            for (int k = 0; k < node->n_children; k++) {
                Vertex *op = &node->children[k];
                op->in_channels = entering_channels(op, node->children, node->in_channels);
                weights += op_assign(op, channels, theta->depthwise);
                weights = weights < WEIGHTS_END ? weights : WEIGHTS_END;
            }
        }
    }
    return weights;
}

static bool params_error(const Sampler *sampler, const char *hint, const char *message)
{
    const Theta *theta = sampler->theta;
    return source_error(theta->path, theta->source, theta->params_line, theta->params_column, hint,
                        sampler->err, "%s", message);
}

static bool params_too_small(const Sampler *sampler, int64_t smallest)
{
    char message[200];
    if (smallest > MAX_PARAMS) {
        snprintf(message, sizeof message,
                 "the network drawn needs %s%lld op weights at channel multiplier 1, \"params\" "
                 "ends at %lld",
                 smallest == WEIGHTS_END ? "more than " : "", (long long)smallest,
                 (long long)MAX_PARAMS);
        return params_error(sampler, "fewer ops, fewer pools or less concat make it narrower",
                            message);
    }
    snprintf(
        message, sizeof message,
        "\"params\" must be at least %lld for the network drawn from this theta and seed, got %lld",
        (long long)smallest, (long long)sampler->theta->params);
    return params_error(
        sampler, "upper bound on the weights of all ops, here at channel multiplier 1", message);
}

// The largest multiplier whose weights fit; they never fall as it grows.
static bool channels_fit(const Sampler *sampler)
{
    const Theta *theta = sampler->theta;
    int64_t fits = 1, beyond = 2, smallest = channels_assign(theta, sampler->arch, 1);
    if (smallest > theta->params)
        return params_too_small(sampler, smallest);
    while (beyond < INT64_C(1) << 50 &&
           channels_assign(theta, sampler->arch, beyond) <= theta->params) {
        fits = beyond;
        beyond *= 2;
    }
    while (beyond - fits > 1) {
        int64_t middle = fits + (beyond - fits) / 2;
        if (channels_assign(theta, sampler->arch, middle) <= theta->params)
            fits = middle;
        else
            beyond = middle;
    }
    channels_assign(theta, sampler->arch, fits);
    return true;
}

// What arch.c refuses now is a size beyond its limits, reached because the budget allows it.
static bool sizes_fit(const Sampler *sampler)
{
    ArchFault fault;
    char message[400];
    if (arch_derive(sampler->arch, &fault))
        return true;
    snprintf(message, sizeof message, "the network that fits \"params\" = %lld is too large: %s",
             (long long)sampler->theta->params, fault.message);
    return params_error(sampler, "a smaller budget gives fewer channels", message);
}

bool arch_sample(const Theta *theta, Arch *arch, Pool *pool, Err *err)
{
    Sampler sampler = {theta, arch, pool, err};
    const char *path = theta->path ? theta->path : "theta";
    const char *slash = strrchr(path, '/');
    *arch = (Arch){.channels = theta->channels,
                   .height = theta->height,
                   .width = theta->width,
                   .classes = theta->classes,
                   .depthwise = theta->depthwise,
                   .has_source = true,
                   .name = pool_strdup(pool, slash ? slash + 1 : path)};
    return draw_structure(&sampler) && channels_fit(&sampler) && sizes_fit(&sampler);
}
