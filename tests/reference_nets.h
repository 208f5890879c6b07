// reference_nets.h - small networks that between them use every op, merge, stem and way of wiring,
// written as compact arch.json text; and a Reference with random weights for one.
#ifndef TEST_REFERENCE_NETS_H
#define TEST_REFERENCE_NETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../runtime/reference.h"

#define NET_VERTEX(inputs, merge, out) \
    "\"inputs\":[" inputs "],\"merge\":\"" merge "\",\"out_channels\":" out
#define NET_OP(op, inputs, merge, out) "{\"op\":\"" op "\"," NET_VERTEX(inputs, merge, out) "}"
#define NET_NODE(inputs, merge, out, ops) "{" NET_VERTEX(inputs, merge, out) ",\"nodes\":[" ops "]}"
#define NET_CELL(stage, inputs, merge, out, nodes) \
    "{\"stage\":" stage "," NET_VERTEX(inputs, merge, out) ",\"nodes\":[" nodes "]}"
#define NET_ARCH(height, width, classes, stem, conv, cells)                                \
    "{\"format\":\"hnag-arch\",\"version\":1,\"input\":{\"channels\":3,\"height\":" height \
    ",\"width\":" width "},\"classes\":" classes ",\"stem_channels\":" stem                \
    ",\"conv_type\":\"" conv "\",\"cells\":[" cells "]}"
// A cell of one node of one op.
#define NET_CELL1(stage, inputs, merge, out, op) \
    NET_CELL(stage, inputs, merge, out, NET_NODE("", "single", out, NET_OP(op, "", "single", out)))

typedef struct {
    const char *name, *text;
} NetText;

// Left as they stand: clang-format would indent each string by the one before it.
// clang-format off

// Every op and merge at every level, two outputs a graph, odd rectangular sizes, a late cell
// without inputs, output cells of several sizes and channels.
static const NetText net_mixed = {
    "mixed",
    NET_ARCH("9", "11", "4", "2", "normal",
        NET_CELL("0", "", "single", "2",
            NET_NODE("", "single", "2",
                NET_OP("conv3x3", "", "single", "2") ","
                NET_OP("conv5x5", "0", "single", "2") ","
                NET_OP("pool3x3", "0", "single", "2") ","
                NET_OP("conv1x3", "0,1,2", "attention", "2") ","
                NET_OP("conv3x1", "1", "single", "2")) ","
            NET_NODE("", "single", "3",
                NET_OP("conv3x1", "", "single", "3")) ","
            NET_NODE("0,1", "sum", "2",
                NET_OP("pool5x5", "", "single", "3") ","
                NET_OP("conv1x1", "0", "single", "2")) ","
            NET_NODE("1", "single", "2",
                NET_OP("conv1x1", "", "single", "2"))) ","
        NET_CELL1("1", "0", "single", "4", "conv3x3") ","
        NET_CELL("1", "", "single", "4",
            NET_NODE("", "single", "4",
                NET_OP("conv1x1", "", "single", "4") ","
                NET_OP("pool3x3", "", "single", "2") ","
                NET_OP("conv3x3", "0,1", "concat", "4"))) ","
        NET_CELL1("2", "0,1,2", "attention", "5", "conv3x3") ","
        NET_CELL1("2", "1,2", "concat", "6", "conv1x1") ","
        NET_CELL1("0", "0", "single", "3", "conv3x3") ","
        NET_CELL1("2", "0,1", "sum", "6", "conv1x1"))};

static const NetText net_depthwise = {
    "depthwise",
    NET_ARCH("8", "8", "3", "3", "depthwise_separable",
        NET_CELL("0", "", "single", "3",
            NET_NODE("", "single", "3",
                NET_OP("conv3x3", "", "single", "3") ","
                NET_OP("conv1x3", "0", "single", "4") ","
                NET_OP("conv5x5", "0,1", "sum", "3") ","
                NET_OP("conv1x1", "0,1", "attention", "3"))) ","
        NET_CELL1("1", "0", "single", "4", "conv3x1"))};

// Large stem; 41 and 47 are odd at each halving; stages 10, 5 and 2 high.
static const NetText net_large = {
    "large",
    NET_ARCH("41", "47", "3", "3", "normal",
        NET_CELL1("0", "", "single", "2", "conv3x3") ","
        NET_CELL1("1", "0", "single", "2", "conv1x1") ","
        NET_CELL1("2", "0,1", "sum", "3", "conv3x3"))};

// One pixel is left in the last stage.
static const NetText net_tiny = {
    "tiny",
    NET_ARCH("4", "5", "2", "1", "normal",
        NET_CELL1("0", "", "single", "1", "conv3x3") ","
        NET_CELL1("2", "0", "single", "2", "conv1x1"))};

// Convolutions of both sizes over tiles of both sizes: rows of tiles that fill vectors (20 x 16, then
// 10 x 8), and rows that do not (19 x 23, then 9 x 11).
#define NET_SQUARES(height, width)                                                     \
    NET_ARCH(height, width, "3", "3", "normal",                                        \
        NET_CELL("0", "", "single", "4",                                               \
            NET_NODE("", "single", "4",                                                \
                NET_OP("conv3x3", "", "single", "3") ","                               \
                NET_OP("conv5x5", "0", "single", "4") ","                              \
                NET_OP("conv3x3", "0,1", "sum", "4") ","                               \
                NET_OP("conv5x5", "0,1,2", "sum", "4"))) ","                           \
        NET_CELL("1", "0", "single", "8",                                              \
            NET_NODE("", "single", "8",                                                \
                NET_OP("conv5x5", "", "single", "8") ","                               \
                NET_OP("conv3x3", "0", "single", "8") ","                              \
                NET_OP("conv5x5", "0,1", "sum", "8"))))
static const NetText net_squares = {"squares", NET_SQUARES("20", "16")};
static const NetText net_ragged = {"ragged", NET_SQUARES("19", "23")};

// 9 x 11.  Cell 0: two output ops, averaged.  Cell 1, of a later stage, has no input and gets the
// stem's output.  Cell 2: attention, the channels of its last input.  Outputs: cell 2 (4 channels,
// 4 x 5) and cell 3 (3 channels, 9 x 11): the smallest size, the last one's channels.
static const NetText net_hand = {
    "hand",
    NET_ARCH("9", "11", "3", "2", "normal",
        NET_CELL("0", "", "single", "2",
            NET_NODE("", "single", "2",
                NET_OP("conv3x3", "", "single", "2") ","
                NET_OP("conv1x1", "", "single", "2"))) ","
        NET_CELL1("1", "", "single", "3", "conv1x1") ","
        NET_CELL1("1", "0,1", "attention", "4", "conv3x3") ","
        NET_CELL1("0", "0", "single", "3", "conv1x3"))};

// clang-format on

// Parses one of the above; the architecture lives in `pool`.
static inline Arch *net_arch(const NetText *net, Pool *pool)
{
    Err err = {0};
    Arch *arch = pool_alloc(pool, sizeof *arch);
    if (!arch_parse(net->name, net->text, strlen(net->text), arch, pool, &err))
        fail_msg("%s", err.message);
    return arch;
}

static inline double *random_values(size_t count, uint64_t seed, double scale)
{
    Random random = random_stream(seed, "test", 0, 0);
    double *values = xcalloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = scale * random_normal(&random);
    return values;
}

// Draws every parameter and statistic; weights of convolutions He-like, all others around their
// start.
static inline void net_randomise(Reference *reference, uint64_t seed)
{
    for (int i = 0; i < reference_tensor_count(reference); i++) {
        ReferenceTensor *tensor = reference_tensor(reference, i);
        if (tensor->kind == REFERENCE_COUNTER)
            continue;
        double fan = tensor->rank > 1 ? (double)tensor->count / tensor->shape[0] : 100;
        double *noise = random_values(tensor->count, seed + (uint64_t)i, sqrt(2 / fan));
        for (size_t j = 0; j < tensor->count; j++)
            tensor->values[j] = tensor->rank > 1 ? noise[j] : tensor->values[j] + noise[j];
        for (size_t j = 0; j < tensor->count && strstr(tensor->name, "running_var"); j++)
            tensor->values[j] = fabs(tensor->values[j]) + 0.1;
        free(noise);
    }
}

// A network with random weights and a batch of three images.
typedef struct {
    Pool *pool;
    Reference *reference;
    double *images;
    int labels[3];
    ReferenceBatch batch;
} Fixture;

static inline Fixture fixture_open(const NetText *net)
{
    Fixture f = {.pool = pool_new(), .labels = {1, 0, 1}};
    const Arch *arch = net_arch(net, f.pool);
    f.reference = reference_open(arch);
    net_randomise(f.reference, 3);
    f.images = random_values((size_t)(3 * 3 * arch->height * arch->width), 4, 1);
    f.batch = (ReferenceBatch){.images = f.images, .count = 3};
    return f;
}

static inline void fixture_close(Fixture *f)
{
    reference_close(f->reference);
    free(f->images);
    pool_free(f->pool);
}

static inline void assert_close(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("got %.17g, expected %.17g", actual, expected);
}

#endif
