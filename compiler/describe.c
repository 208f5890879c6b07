// describe.c - an architecture for humans: one line in words, and a drawing.
//
// In: a checked architecture.  Out: text.  The drawing is Graphviz: cells and nodes are nested
// clusters, each with a point where its inputs are merged and one where its outputs are averaged:
//
//   input -> stem -> (cell: merge -> (node: merge -> ops -> mean) ... -> mean) ... -> mean -> head

#include "front.h"

#include <string.h>

// ---- in words
// ------------------------------------------------------------------------------------

typedef struct {
    int nodes, merges[4], atoms[ATOM_COUNT], cells[STAGES], channels[STAGES];
} Census;

static void vertices_count(const Vertex *vertices, int count, Census *census)
{
    for (int i = 0; i < count; i++)
        census->merges[vertices[i].merge]++;
}

static Census arch_count(const Arch *arch)
{
    Census census = {0};
    vertices_count(arch->cells, arch->n_cells, &census);
    for (int c = 0; c < arch->n_cells; c++) {
        const Vertex *cell = &arch->cells[c];
        census.cells[cell->stage]++;
        census.channels[cell->stage] = cell->out_channels;
        census.nodes += cell->n_children;
        vertices_count(cell->children, cell->n_children, &census);
        for (int n = 0; n < cell->n_children; n++) {
            const Vertex *node = &cell->children[n];
            vertices_count(node->children, node->n_children, &census);
            for (int k = 0; k < node->n_children; k++)
                census.atoms[node->children[k].atom]++;
        }
    }
    return census;
}

static void count_add(Text *out, int count, const char *word)
{
    text_printf(out, "%d %s%s", count, word, count == 1 ? "" : "s");
}

static void merges_add(Text *out, const Census *census)
{
    int kinds = 0, seen = 0;
    for (int i = 0; i < MERGE_DRAWN; i++)
        kinds += census->merges[i] > 0;
    for (int i = 0; i < MERGE_DRAWN; i++) {
        if (census->merges[i]) {
            seen++;
            text_printf(out, "%s%s", seen == 1 || seen < kinds ? ", " : " and ", merge_name[i]);
        }
    }
    text_puts(out, kinds ? " merges" : ", no merges");
}

void arch_describe(const Arch *arch, Text *out)
{
    Census census = arch_count(arch);
    count_add(out, arch->n_cells, "cell");
    text_puts(out, ", ");
    count_add(out, census.nodes, "node");
    text_puts(out, ", ");
    count_add(out, arch->n_ops, "op");
    const char *before = " (";
    for (int i = 0; i < ATOM_COUNT; i++) {
        if (!census.atoms[i])
            continue;
        text_printf(out, "%s%d %s", before, census.atoms[i], atom_info[i].name);
        before = ", ";
    }
    text_puts(out, ")");
    merges_add(out, &census);
    before = ", cells at ";
    for (int stage = 0; stage < STAGES; stage++) {
        if (!census.cells[stage])
            continue;
        text_printf(out, "%s%dx%dx%d", before, census.channels[stage], arch->stage_height[stage],
                    arch->stage_width[stage]);
        if (arch->n_cells > 1)
            text_printf(out, " (%d)", census.cells[stage]);
        before = ", ";
    }
    text_printf(out, ", %lld op weights", (long long)arch->op_weights);
    if (arch->depthwise)
        text_puts(out, ", depthwise-separable");
}

// ---- drawn
// ---------------------------------------------------------------------------------------

static const char *const stage_colour[STAGES] = {"#e8f1fa", "#e9f6e6", "#fdf0e0"};
static const char *const merge_sign[4] = {"+", "attention", "concat", ""};

// The identifier of a vertex: c3, c3n1, c3n1o0.
typedef struct {
    char text[40];
} Name;

static Name name_below(const Name *parent, char letter, int index)
{
    Name name = *parent;
    size_t used = strlen(name.text);
    Text text = {0};
    text_printf(&text, "%c%d", letter, index);
    if (used + text.length < sizeof name.text)
        memcpy(name.text + used, text.data, text.length + 1);
    text_free(&text);
    return name;
}

// Where the inputs of a vertex come together: the op itself unless it merges several.
static void entry_draw(const Vertex *vertex, const Name *name, bool is_op, Text *out)
{
    if (vertex->n_inputs > 1)
        text_printf(out, "%s_in [shape=ellipse, label=\"%s\"];\n", name->text,
                    merge_sign[vertex->merge]);
    else if (!is_op)
        text_printf(out, "%s_in [shape=point];\n", name->text);
}

static void edge_draw(const Name *from, const char *from_end, const Name *to, const Vertex *vertex,
                      bool is_op, Text *out)
{
    bool point = !is_op || vertex->n_inputs > 1;
    text_printf(out, "%s%s -> %s%s;\n", from->text, from_end, to->text, point ? "_in" : "");
}

static void graph_draw(const Vertex *vertices, int count, const Name *parent, Level level,
                       Text *out);

static void vertex_draw(const Vertex *vertex, int index, const Name *name, Level level, Text *out)
{
    bool is_op = level == LEVEL_BOTTOM;
    if (is_op) {
        entry_draw(vertex, name, true, out);
        text_printf(out, "%s [label=\"%s\\n%d -> %d\"%s];\n", name->text,
                    atom_info[vertex->atom].name, vertex->in_channels, vertex->out_channels,
                    atom_info[vertex->atom].is_pool ? ", fillcolor=\"#dddddd\"" : "");
        if (vertex->n_inputs > 1)
            text_printf(out, "%s_in -> %s;\n", name->text, name->text);
        return;
    }
    text_printf(out, "subgraph cluster_%s {\nlabel=\"%s %d: %d -> %d channels\"; bgcolor=\"%s\";\n",
                name->text, level == LEVEL_TOP ? "cell" : "node", index, vertex->in_channels,
                vertex->out_channels, level == LEVEL_TOP ? stage_colour[vertex->stage] : "#ffffff");
    entry_draw(vertex, name, false, out);
    text_printf(out, "%s_out [shape=point];\n", name->text);
    graph_draw(vertex->children, vertex->n_children, name, level + 1, out);
    text_puts(out, "}\n");
}

// One list of vertices and its edges; an input vertex hangs on the parent's entry, an output on its
// exit.
static void graph_draw(const Vertex *vertices, int count, const Name *parent, Level level,
                       Text *out)
{
    static const char letter[LEVELS] = {'c', 'n', 'o'};
    bool is_op = level == LEVEL_BOTTOM;
    const char *end = is_op ? "" : "_out";
    for (int i = 0; i < count; i++) {
        Name name = name_below(parent, letter[level], i);
        const Vertex *vertex = &vertices[i];
        vertex_draw(vertex, i, &name, level, out);
        Name top = {"stem"};
        if (vertex->n_inputs == 0)
            edge_draw(level == LEVEL_TOP ? &top : parent, level == LEVEL_TOP ? "" : "_in", &name,
                      vertex, is_op, out);
        for (int j = 0; j < vertex->n_inputs; j++) {
            Name input = name_below(parent, letter[level], vertex->inputs[j]);
            edge_draw(&input, end, &name, vertex, is_op, out);
        }
        if (vertex->is_output && level == LEVEL_TOP)
            text_printf(out, "%s_out -> mean;\n", name.text);
        else if (vertex->is_output)
            text_printf(out, "%s%s -> %s_out;\n", name.text, end, parent->text);
    }
}

void arch_dot(const Arch *arch, Text *out)
{
    Name top = {""};
    text_puts(out, "digraph hnag {\nnode [shape=box, style=filled, fillcolor=\"#ffffff\", "
                   "fontname=\"Helvetica\"];\n"
                   "graph [fontname=\"Helvetica\"];\n");
    text_printf(out, "input [label=\"input\\n%d x %d x %d\"];\n", arch->channels, arch->height,
                arch->width);
    text_printf(out, "stem [label=\"%s stem\\n%d x %d x %d\"];\ninput -> stem;\n",
                arch->large_stem ? "large" : "small", arch->stem_channels, arch->stem_height,
                arch->stem_width);
    graph_draw(arch->cells, arch->n_cells, &top, LEVEL_TOP, out);
    text_printf(out,
                "mean [shape=ellipse];\nhead [label=\"head\\n%d classes\"];\nmean -> head;\n}\n",
                arch->classes);
}
