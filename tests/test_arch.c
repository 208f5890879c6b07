// Tests of arch.c, arch_read.c, sample.c and describe.c: what is read is what the oracle means,
// what is printed reads back, and what is sampled from random thetas obeys docs/semantics.md, 1
// and 2.
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "random_theta.h"

// ---- helpers
// -------------------------------------------------------------------------------------

static const char *shared_folder(void)
{
    const char *folder = getenv("NAGO_SHARED");
    folder = folder ? folder : "../shared";
    if (access(folder, R_OK) == 0)
        return folder;
    fprintf(stderr, "skipped: ../shared is not here\n");
    return NULL;
}

static Arch load(const char *path, Pool *pool)
{
    Arch arch;
    Err err = {0};
    if (!arch_load(path, false, 0, &arch, pool, &err))
        fail_msg("%s", err.message);
    return arch;
}

static Theta theta_of(const char *text, Pool *pool)
{
    Theta theta;
    Err err = {0};
    if (!theta_parse("t.json", text, strlen(text), &theta, pool, &err))
        fail_msg("%s", err.message);
    return theta;
}

static Arch sample(const Theta *theta, Pool *pool)
{
    Arch arch;
    Err err = {0};
    if (!arch_sample(theta, &arch, pool, &err))
        fail_msg("%s", err.message);
    return arch;
}

static void assert_vertices_equal(const Vertex *a, const Vertex *b, int count)
{
    for (int i = 0; i < count; i++) {
        assert_int_equal(a[i].n_inputs, b[i].n_inputs);
        for (int j = 0; j < a[i].n_inputs; j++)
            assert_int_equal(a[i].inputs[j], b[i].inputs[j]);
        assert_int_equal(a[i].merge, b[i].merge);
        assert_int_equal(a[i].in_channels, b[i].in_channels);
        assert_int_equal(a[i].out_channels, b[i].out_channels);
        assert_int_equal(a[i].stage, b[i].stage);
        assert_int_equal(a[i].atom, b[i].atom);
        assert_int_equal(a[i].is_output, b[i].is_output);
        assert_int_equal(a[i].n_children, b[i].n_children);
        assert_vertices_equal(a[i].children, b[i].children, a[i].n_children);
    }
}

static void assert_round_trip(const Arch *arch, Pool *pool)
{
    Text first = {0}, second = {0};
    Arch again;
    Err err = {0};
    arch_print(arch, &first);
    if (!arch_parse("again.json", first.data, first.length, &again, pool, &err))
        fail_msg("%s", err.message);
    assert_int_equal(arch->n_cells, again.n_cells);
    assert_int_equal(arch->stem_channels, again.stem_channels);
    assert_int_equal(arch->n_ops, again.n_ops);
    assert_int_equal(arch->op_weights, again.op_weights);
    assert_vertices_equal(arch->cells, again.cells, arch->n_cells);
    arch_print(&again, &second);
    assert_string_equal(first.data, second.data);
    text_free(&first);
    text_free(&second);
}

// ---- the oracle
// ----------------------------------------------------------------------------------

// The shape of an op's weight says which channels the reference gave it.
static void assert_op_shape(const TensorFile *weights, const Arch *arch, int c, int n, int k)
{
    const Vertex *op = &arch->cells[c].children[n].children[k];
    char name[120];
    if (atom_info[op->atom].is_pool)
        return;
    snprintf(name, sizeof name, "node_ops.%d.node_ops.%d.node_ops.%d.operation.op.%sweight", c, n,
             k, arch->depthwise ? "pointwise." : "");
    const StoredTensor *tensor = tensors_find(weights, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->shape[0], op->out_channels);
    assert_int_equal(tensor->shape[1], op->in_channels);
    if (arch->depthwise)
        return;
    assert_int_equal(tensor->shape[2], atom_info[op->atom].kernel_h);
    assert_int_equal(tensor->shape[3], atom_info[op->atom].kernel_w);
}

// Convolution weights of the ops, counted in the file.
static int64_t stored_op_weights(const TensorFile *weights)
{
    int64_t sum = 0;
    for (int i = 0; i < weights->n_tensors; i++) {
        const char *operation = strstr(weights->tensors[i].name, ".operation.op.");
        if (operation && strstr(operation, "weight"))
            sum += weights->tensors[i].count;
    }
    return sum;
}

static void test_oracle(void **state)
{
    (void)state;
    static const char *const names[] = {"all-ops",      "attention",  "batch1",     "concat",
                                        "concat-pools", "depthwise",  "large-stem", "late-input",
                                        "many-outputs", "mixed-14px", "sum-conv3x3"};
    const char *folder = shared_folder();
    if (!folder)
        skip();
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Pool *pool = pool_new();
        Err err = {0};
        TensorFile weights;
        Arch arch = load(pool_printf(pool, "%s/oracle/%s/arch.json", folder, names[i]), pool);
        if (!tensors_read(pool_printf(pool, "%s/oracle/%s/weights.safetensors", folder, names[i]),
                          &weights, pool, &err))
            fail_msg("%s", err.message);
        for (int c = 0; c < arch.n_cells; c++) {
            for (int n = 0; n < arch.cells[c].n_children; n++) {
                for (int k = 0; k < arch.cells[c].children[n].n_children; k++)
                    assert_op_shape(&weights, &arch, c, n, k);
            }
        }
        assert_int_equal(arch.op_weights, stored_op_weights(&weights));
        assert_string_equal(arch.name, "arch.json");
        assert_false(arch.has_source);
        assert_round_trip(&arch, pool);
        pool_free(pool);
    }
}

static void test_bench_networks(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int ops, channels;
    } cases[] = {{"XS", 180, 3}, {"S", 9, 14}, {"M", 100, 14}, {"L", 200, 19}};
    const char *folder = shared_folder();
    if (!folder)
        skip();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        Arch arch = load(pool_printf(pool, "%s/bench/%s.arch.json", folder, cases[i].name), pool);
        assert_int_equal(arch.n_ops, cases[i].ops);
        assert_int_equal(arch.stem_channels, cases[i].channels);
        assert_round_trip(&arch, pool);
        pool_free(pool);
    }
}

// ---- sampling
// ------------------------------------------------------------------------------------

// Stages of n cells by semantics 2, counted per stage.
static void assert_stages(const char *ratio, int n, int a, int b, int c)
{
    Pool *pool = pool_new();
    Theta theta = theta_of(
        pool_printf(pool,
                    "{\"top\": {\"graph\": \"chain\", \"n\": %d}, \"mid\": {\"n\": 1, \"p\": 1}, "
                    "\"bottom\": {\"graph\": \"chain\", \"n\": 1}, \"stage_ratio\": [%s]}",
                    n, ratio),
        pool);
    Arch arch = sample(&theta, pool);
    int counts[STAGES] = {0};
    for (int i = 0; i < n; i++) {
        assert_true(i == 0 || arch.cells[i].stage >= arch.cells[i - 1].stage);
        counts[arch.cells[i].stage]++;
    }
    if (counts[0] != a || counts[1] != b || counts[2] != c)
        fail_msg("%d cells at %s: %d, %d, %d", n, ratio, counts[0], counts[1], counts[2]);
    pool_free(pool);
}

static void test_stage_table(void **state)
{
    (void)state;
    static const char *const equal[] = {"1, 1, 1", "0.33, 0.33, 0.33", "0.1, 0.1, 0.1",
                                        "7e-5, 7e-5, 7e-5"};
    static const int table[][4] = {{1, 1, 0, 0}, {2, 1, 1, 0}, {3, 1, 1, 1}, {4, 2, 1, 1},
                                   {5, 2, 2, 1}, {6, 2, 2, 2}, {7, 3, 2, 2}, {8, 3, 3, 2},
                                   {9, 3, 3, 3}, {10, 4, 3, 3}};
    for (size_t i = 0; i < COUNT_OF(equal); i++) {
        for (size_t j = 0; j < COUNT_OF(table); j++)
            assert_stages(equal[i], table[j][0], table[j][1], table[j][2], table[j][3]);
    }
    assert_stages("1, 0, 0", 3, 1, 1, 1); // three cells are always one a stage
    assert_stages("1, 0, 0", 5, 5, 0, 0);
    assert_stages("0, 0, 1", 5, 0, 0, 5);
    assert_stages("1, 0, 1", 6, 3, 0, 3);
    assert_stages("1, 2, 1", 8, 2, 4, 2);
    assert_stages("0.1, 0.2, 0.7", 10, 1, 2, 7);
}

static void test_sizes(void **state)
{
    (void)state;
    static const struct {
        int height, width, large, stem[2], stage[3][2];
    } cases[] = {{32, 32, 0, {32, 32}, {{32, 32}, {16, 16}, {8, 8}}},
                 {4, 5, 0, {4, 5}, {{4, 5}, {2, 2}, {1, 1}}},
                 {39, 1024, 0, {39, 1024}, {{39, 1024}, {19, 512}, {9, 256}}},
                 {40, 45, 1, {10, 12}, {{10, 11}, {5, 5}, {2, 2}}},
                 {224, 224, 1, {56, 56}, {{56, 56}, {28, 28}, {14, 14}}},
                 {47, 1023, 1, {12, 256}, {{11, 255}, {5, 127}, {2, 63}}}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        Theta theta = theta_of(
            pool_printf(pool,
                        "{\"top\": {\"n\": 3, \"k\": 2, \"p\": 0}, \"mid\": {\"n\": 1, \"p\": 1}, "
                        "\"bottom\": {\"n\": 3, \"k\": 2, \"p\": 0}, \"params\": 10000, "
                        "\"input\": {\"height\": %d, \"width\": %d}}",
                        cases[i].height, cases[i].width),
            pool);
        Arch arch = sample(&theta, pool);
        assert_int_equal(arch.large_stem, cases[i].large);
        assert_int_equal(arch.stem_height, cases[i].stem[0]);
        assert_int_equal(arch.stem_width, cases[i].stem[1]);
        for (int stage = 0; stage < STAGES; stage++) {
            assert_int_equal(arch.stage_height[stage], cases[i].stage[stage][0]);
            assert_int_equal(arch.stage_width[stage], cases[i].stage[stage][1]);
        }
        pool_free(pool);
    }
}

// For whole ratios and no widening the multiplier is floor(sqrt(params / base)); at the limit, one
// weight less loses a step.
static void test_multiplier_closed_form(void **state)
{
    (void)state;
    static const char *const form =
        "{\"top\": {\"n\": 3, \"k\": 2, \"p\": 0}, \"mid\": {\"n\": 1, \"p\": 1}, \"bottom\": "
        "{\"n\": 3, \"k\": 2, \"p\": 0}, \"params\": %d}";
    const int base = 9 * (3 + (2 + 2 * 4) + (2 * 4 + 2 * 16)); // in -> out of the three cells' ops
    for (int multiplier = 1; multiplier < 60; multiplier += 7) {
        for (int less = 0; less < 2 && multiplier > less; less++) {
            Pool *pool = pool_new();
            Theta theta =
                theta_of(pool_printf(pool, form, base * multiplier * multiplier - less), pool);
            Arch arch = sample(&theta, pool);
            assert_int_equal(arch.stem_channels, multiplier - less);
            assert_int_equal(arch.op_weights, base * (multiplier - less) * (multiplier - less));
            pool_free(pool);
        }
    }
}

static int naive_channels(const Theta *theta, int stage, int multiplier)
{
    int channels = (int)(theta->channel_ratio[stage] * multiplier);
    return channels > 1 ? channels : 1;
}

static int64_t naive_in(const Vertex *vertex, const Vertex *siblings, int64_t own)
{
    int64_t in = vertex->n_inputs ? 0 : own;
    for (int j = 0; j < vertex->n_inputs; j++) {
        int channels = siblings[vertex->inputs[j]].out_channels;
        in = vertex->merge == MERGE_CONCAT ? in + channels : channels;
    }
    return in;
}

// Sets the channels of all vertices for a multiplier, as semantics 2 says it; false beyond arch.c's
// limits.
static bool naive_channels_set(const Theta *theta, int multiplier, Arch *arch)
{
    Err err = {0};
    arch->stem_channels = naive_channels(theta, 0, multiplier);
    for (int c = 0; c < arch->n_cells; c++) {
        Vertex *cell = &arch->cells[c];
        int64_t cell_in = naive_in(cell, arch->cells, arch->stem_channels);
        cell->out_channels = naive_channels(theta, cell->stage, multiplier);
        for (int n = 0; n < cell->n_children; n++) {
            Vertex *node = &cell->children[n];
            int64_t node_in = naive_in(node, cell->children, cell_in);
            node->out_channels = cell->out_channels;
            for (int k = 0; k < node->n_children; k++) {
                Vertex *op = &node->children[k];
                int64_t in = naive_in(op, node->children, node_in);
                if (in > 65535)
                    return false;
                op->out_channels = atom_info[op->atom].is_pool ? (int)in : cell->out_channels;
            }
        }
    }
    return arch_check(arch, "naive", &err);
}

// The multiplier that was chosen: the first that gives all channels.
static int multiplier_of(const Theta *theta, const Arch *arch)
{
    for (int multiplier = 1; multiplier < 100000; multiplier++) {
        bool same = arch->stem_channels == naive_channels(theta, 0, multiplier);
        for (int c = 0; c < arch->n_cells && same; c++)
            same = arch->cells[c].out_channels ==
                   naive_channels(theta, arch->cells[c].stage, multiplier);
        if (same)
            return multiplier;
    }
    fail_msg("no multiplier gives these channels");
    return 0;
}

static Vertex *vertices_copy(const Vertex *vertices, int count, Pool *pool)
{
    Vertex *copy = pool_alloc(pool, (size_t)count * sizeof *copy);
    for (int i = 0; i < count; i++) {
        copy[i] = vertices[i];
        copy[i].in_channels = 0;
        copy[i].children = vertices_copy(vertices[i].children, vertices[i].n_children, pool);
    }
    return copy;
}

// The budget is kept, and the next multiplier that changes a channel breaks it.
static void assert_multiplier_maximal(const Theta *theta, const Arch *arch, Pool *pool)
{
    Arch next = *arch;
    int multiplier = multiplier_of(theta, arch);
    assert_true(arch->op_weights <= theta->params);
    next.cells = vertices_copy(arch->cells, arch->n_cells, pool);
    assert_true(naive_channels_set(theta, multiplier, &next));
    assert_int_equal(next.op_weights, arch->op_weights);
    assert_vertices_equal(next.cells, arch->cells, arch->n_cells);
    do {
        next.cells = vertices_copy(arch->cells, arch->n_cells, pool);
        multiplier++;
        if (!naive_channels_set(theta, multiplier, &next))
            return; // too wide for any network
    } while (next.op_weights == arch->op_weights);
    assert_true(next.op_weights > theta->params);
}

// Inputs and outputs of one graph: every vertex lies on a path from an input to an output.
static void assert_graph(const Vertex *vertices, int count, const LevelTheta *level)
{
    bool read[64] = {false}, forward[64], backward[64] = {false};
    assert_int_equal(count, level->n);
    for (int i = 0; i < count; i++) {
        const Vertex *vertex = &vertices[i];
        forward[i] = vertex->n_inputs == 0;
        for (int j = 0; j < vertex->n_inputs; j++) {
            assert_in_range(vertex->inputs[j], j ? vertex->inputs[j - 1] + 1 : 0, i - 1);
            forward[i] = forward[i] || forward[vertex->inputs[j]];
            read[vertex->inputs[j]] = true;
        }
        assert_true(forward[i]);
        assert_int_equal(vertex->merge == MERGE_SINGLE, vertex->n_inputs < 2);
        if (vertex->n_inputs > 1)
            assert_true(level->merge[vertex->merge] > 0);
    }
    for (int i = count - 1; i >= 0; i--) {
        assert_int_equal(vertices[i].is_output, !read[i]);
        backward[i] = backward[i] || !read[i];
        assert_true(backward[i]);
        for (int j = 0; j < vertices[i].n_inputs; j++)
            backward[vertices[i].inputs[j]] = true;
    }
}

static void assert_ops(const Theta *theta, const Vertex *node)
{
    for (int k = 0; k < node->n_children; k++) {
        const Vertex *op = &node->children[k];
        assert_true(theta->atoms[op->atom] > 0);
        if (atom_info[op->atom].is_pool) {
            assert_false(op->is_output);
            assert_int_equal(op->in_channels, op->out_channels);
        } else {
            assert_int_equal(op->out_channels, node->out_channels);
        }
    }
}

static void assert_sampled(const Theta *theta, const Arch *arch)
{
    assert_graph(arch->cells, arch->n_cells, &theta->level[LEVEL_TOP]);
    assert_true(arch->has_source);
    assert_string_equal(arch->name, "t.json");
    int ops = 1;
    for (int level = 0; level < LEVELS; level++)
        ops *= theta->level[level].n;
    assert_int_equal(arch->n_ops, ops);
    for (int c = 0; c < arch->n_cells; c++) {
        const Vertex *cell = &arch->cells[c];
        assert_graph(cell->children, cell->n_children, &theta->level[LEVEL_MID]);
        for (int n = 0; n < cell->n_children; n++) {
            const Vertex *node = &cell->children[n];
            assert_graph(node->children, node->n_children, &theta->level[LEVEL_BOTTOM]);
            assert_ops(theta, node);
        }
    }
}

// A theta drawn at random may honestly be refused: its concatenations may outgrow the budget or any
// network.
static bool random_sample(uint64_t number, Theta *theta, Arch *arch, Pool *pool)
{
    Text text = {0};
    Err err = {0};
    random_theta(number, 10, 64, &text);
    *theta = theta_of(text.data, pool);
    text_free(&text);
    if (arch_sample(theta, arch, pool, &err))
        return true;
    if (!strstr(err.message, "\"params\""))
        fail_msg("theta %llu: %s", (unsigned long long)number, err.message);
    return false;
}

static void test_random_thetas(void **state)
{
    (void)state;
    int sampled = 0, count = getenv("NAGO_LONG") ? 2000 : 200;
    for (int number = 0; number < count; number++) {
        Pool *pool = pool_new();
        Theta theta;
        Arch arch;
        if (random_sample((uint64_t)number, &theta, &arch, pool)) {
            sampled++;
            assert_sampled(&theta, &arch);
            assert_multiplier_maximal(&theta, &arch, pool);
            assert_round_trip(&arch, pool);
        }
        pool_free(pool);
    }
    assert_true(sampled > count * 3 / 4);
}

// The smallest feasible params named by the message are feasible, and one less is not.
static void test_smallest_params(void **state)
{
    (void)state;
    for (int number = 0; number < 60; number++) {
        Pool *pool = pool_new();
        Theta theta;
        Arch arch;
        Err err = {0};
        if (random_sample((uint64_t)number, &theta, &arch, pool)) {
            theta.params = 1;
            assert_int_equal(arch_sample(&theta, &arch, pool, &err), false);
            assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
            const char *at = strstr(err.message, "must be at least ");
            assert_non_null(at);
            theta.params = atoll(at + strlen("must be at least "));
            sample(&theta, pool);
            theta.params--;
            assert_false(arch_sample(&theta, &arch, pool, &err));
        }
        pool_free(pool);
    }
}

static char *printed(const Theta *theta, Pool *pool)
{
    Text text = {0};
    Arch arch = sample(theta, pool);
    arch_print(&arch, &text);
    char *copy = pool_strdup(pool, text.data);
    text_free(&text);
    return copy;
}

// The same seed gives the same bytes; another seed another network; a changed op weight keeps all
// graphs.
static void test_streams_apart(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Theta theta = theta_of(
        "{\"top\": {\"n\": 6, \"k\": 4, \"p\": 0.5}, \"mid\": {\"n\": 4, \"p\": 0.5}, "
        "\"bottom\": {\"n\": 5, \"k\": 4, \"p\": 0.5}, \"merge\": {\"sum\": 1, \"attention\": 1}, "
        "\"ops\": {\"conv3x3\": 1, \"conv5x5\": 1}, \"seed\": 5}",
        pool);
    char *first = printed(&theta, pool);
    assert_string_equal(first, printed(&theta, pool));
    Arch arch = sample(&theta, pool);
    Theta other = theta;
    other.atoms[ATOM_CONV1X1] = 3;
    other.channel_ratio[1] = 3;
    Arch changed = sample(&other, pool);
    int ops_differ = 0;
    for (int c = 0; c < arch.n_cells; c++) {
        for (int n = 0; n < arch.cells[c].n_children; n++) {
            const Vertex *a = &arch.cells[c].children[n], *b = &changed.cells[c].children[n];
            for (int k = 0; k < a->n_children; k++) {
                const Vertex *x = &a->children[k], *y = &b->children[k];
                assert_int_equal(x->n_inputs, y->n_inputs);
                assert_memory_equal(x->inputs, y->inputs, (size_t)x->n_inputs * sizeof *x->inputs);
                assert_int_equal(x->merge, y->merge);
                ops_differ += x->atom != y->atom;
            }
        }
    }
    assert_true(ops_differ > 0);
    theta.seed = 6;
    assert_string_not_equal(first, printed(&theta, pool));
    pool_free(pool);
}

// Shares of drawn ops and merges follow theta, within 5 standard errors.
static void test_shares(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Theta theta = theta_of(
        "{\"top\": {\"graph\": \"chain\", \"n\": 10}, \"mid\": {\"graph\": \"chain\", \"n\": 6}, "
        "\"bottom\": {\"graph\": \"er\", \"n\": 60, \"p\": 1}, "
        "\"merge\": {\"sum\": 2, \"attention\": 1, \"concat\": 0}, "
        "\"ops\": {\"conv3x3\": 1, \"conv1x1\": 3, \"pool3x3\": 4}}",
        pool);
    Arch arch = sample(&theta, pool);
    int ops[ATOM_COUNT] = {0}, merges[4] = {0}, outputs = 0, output_3x3 = 0;
    for (int c = 0; c < arch.n_cells; c++) {
        for (int n = 0; n < arch.cells[c].n_children; n++) {
            const Vertex *node = &arch.cells[c].children[n];
            for (int k = 0; k < node->n_children; k++) {
                const Vertex *op = &node->children[k];
                merges[op->merge]++;
                if (op->is_output) {
                    outputs++;
                    output_3x3 += op->atom == ATOM_CONV3X3;
                } else {
                    ops[op->atom]++;
                }
            }
        }
    }
    const int inner = 3600 - 60;
    assert_int_equal(outputs, 60);
    assert_true(abs(output_3x3 - 15) < 5 * 4); // a quarter, once the pools are out
    assert_true(fabs(ops[ATOM_CONV3X3] - inner / 8.0) < 5 * 20);
    assert_true(fabs(ops[ATOM_CONV1X1] - inner * 3 / 8.0) < 5 * 29);
    assert_true(fabs(ops[ATOM_POOL3X3] - inner / 2.0) < 5 * 30);
    assert_true(fabs(merges[MERGE_SUM] - (3600 - 120) * 2 / 3.0) < 5 * 28);
    assert_int_equal(merges[MERGE_CONCAT], 0);
    assert_int_equal(merges[MERGE_SINGLE], 120); // the first two of each node
    pool_free(pool);
}

// --seed overrides theta's; an arch.json has none.
static void test_load_seed(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    Arch one, two, three;
    Text a = {0}, b = {0}, c = {0};
    assert_true(arch_load("examples/theta.json", true, 11, &one, pool, &err));
    assert_true(arch_load("examples/theta.json", true, 11, &two, pool, &err));
    assert_true(arch_load("examples/theta.json", true, 12, &three, pool, &err));
    arch_print(&one, &a);
    arch_print(&two, &b);
    arch_print(&three, &c);
    assert_string_equal(a.data, b.data);
    assert_string_not_equal(a.data, c.data);
    assert_string_equal(one.name, "theta.json");
    text_free(&a);
    text_free(&b);
    text_free(&c);
    pool_free(pool);
}

// A theta made by a program has no file: its messages do without a place.
static void test_theta_without_file(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    Arch arch;
    // Four ops 1 -> 1, then 1 -> 2 and three 2 -> 2: 9 * (4 + 2 + 12) weights.
    Theta theta = {.level = {{.graph = GRAPH_CHAIN, .n = 2, .merge = {1}},
                             {.graph = GRAPH_ER, .n = 2, .p = 1, .merge = {1}},
                             {.graph = GRAPH_CHAIN, .n = 2, .merge = {1}}},
                   .stage_ratio = {1, 1, 1},
                   .channel_ratio = {1, 2, 4},
                   .atoms = {1},
                   .params = 8 * 9 * 2,
                   .channels = 1,
                   .height = 8,
                   .width = 8,
                   .classes = 2};
    assert_false(arch_sample(&theta, &arch, pool, &err));
    assert_string_equal(
        err.message,
        "theta: error: \"params\" must be at least 162 for the network drawn from this theta and "
        "seed, got 144 (upper bound on the weights of all ops, here at channel multiplier 1)");
    theta.level[1].p = 0;
    assert_false(arch_sample(&theta, &arch, pool, &err));
    assert_non_null(strstr(err.message, "theta: error: \"mid\": no connected graph of 2 nodes"));
    pool_free(pool);
}

// What only a program can get wrong: arch_check names the vertex by its path.
static void test_check_names_vertex(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    Arch arch = load("examples/theta.json", pool);
    arch.cells[1].children[0].children[2].inputs[0] = 2;
    assert_false(arch_check(&arch, "made", &err));
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    assert_non_null(
        strstr(err.message, "made: error: cells[1].nodes[0].nodes[2]: input 2 is not among"));
    arch.n_cells = 0;
    assert_false(arch_check(&arch, "made", &err));
    assert_non_null(strstr(err.message, "made: error: a network needs at least one cell"));
    pool_free(pool);
}

static void test_examples(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int cells, nodes, ops;
    } cases[] = {
        {"examples/theta.json", 4, 8, 24},          {"examples/darts-like.json", 20, 20, 80},
        {"examples/rnag.json", 3, 3, 96},           {"examples/bench/XS.theta.json", 6, 30, 180},
        {"examples/bench/S.theta.json", 3, 3, 9},   {"examples/bench/M.theta.json", 5, 20, 100},
        {"examples/bench/L.theta.json", 8, 40, 200}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        Text text = {0};
        Arch arch = load(cases[i].path, pool);
        arch_describe(&arch, &text);
        char *start = pool_printf(pool, "%d cells, %d nodes, %d ops (", cases[i].cells,
                                  cases[i].nodes, cases[i].ops);
        assert_memory_equal(text.data, start, strlen(start));
        assert_null(strchr(text.data, '\n'));
        text_free(&text);
        pool_free(pool);
    }
}

// ---- drawing
// -------------------------------------------------------------------------------------

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

static void test_dot(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    Text dot = {0};
    Arch arch = load("examples/theta.json", pool);
    arch_dot(&arch, &dot);
    assert_int_equal(occurrences(dot.data, "subgraph cluster_"), 4 + 8);
    assert_int_equal(
        occurrences(dot.data, "[label=\"conv") + occurrences(dot.data, "[label=\"pool"), 24);
    assert_int_equal(occurrences(dot.data, "{"), occurrences(dot.data, "}"));
    // Graphviz, where it is installed, draws it.
    assert_true(folder_make("build/tmp", &err));
    assert_true(file_write("build/tmp/arch.dot", dot.data, dot.length, &err));
    if (system("command -v dot >/dev/null") == 0)
        assert_int_equal(system("dot -Tsvg build/tmp/arch.dot -o build/tmp/arch.svg"), 0);
    else
        fprintf(stderr, "skipped: graphviz is not here\n");
    text_free(&dot);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_bench_networks),
        cmocka_unit_test(test_stage_table),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_multiplier_closed_form),
        cmocka_unit_test(test_random_thetas),
        cmocka_unit_test(test_smallest_params),
        cmocka_unit_test(test_streams_apart),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_load_seed),
        cmocka_unit_test(test_theta_without_file),
        cmocka_unit_test(test_check_names_vertex),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
