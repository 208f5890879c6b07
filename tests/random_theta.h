// random_theta.h - theta.json texts across the whole space, for property tests: all generators,
// merges, ops, odd and rectangular sizes, 2 to 100 classes.  The same number gives the same text.
#ifndef TEST_RANDOM_THETA_H
#define TEST_RANDOM_THETA_H

#include "../compiler/nagoc.h"

static inline int random_between(Random *random, int low, int high)
{
    return low + (int)random_below(random, (uint64_t)(high - low + 1));
}

// A weight that is 0 half of the time.
static inline double random_weight(Random *random)
{
    return random_below(random, 2) ? 0 : random_unit(random);
}

static inline void random_merge(Random *random, Text *out)
{
    text_printf(out, "\"merge\": {\"sum\": %.3f, \"attention\": %.3f, \"concat\": %.3f}",
                0.05 + random_weight(random), random_weight(random), random_weight(random));
}

// A level of 1 (WS: 3) to `largest` nodes that is connected within 200 draws all but surely.
static inline void random_level(Random *random, const char *name, int largest, Text *out)
{
    int kind = (int)random_below(random, 4), n = random_between(random, 1, largest);
    n = kind == 0 && n < 3 ? 3 : n;
    text_printf(out, "\"%s\": {\"graph\": \"%s\", \"n\": %d", name, graph_name[kind], n);
    if (kind == 0)
        text_printf(out, ", \"k\": %d, \"p\": %.3f", random_between(random, n > 12 ? 4 : 2, 9),
                    random_unit(random));
    if (kind == 1)
        text_printf(out, ", \"p\": %.3f", 0.25 + 0.75 * random_unit(random));
    if (kind == 2)
        text_printf(out, ", \"m\": %d", random_between(random, 1, 4));
    if (random_below(random, 4) == 0) {
        text_puts(out, ", ");
        random_merge(random, out);
    }
    text_puts(out, "},\n");
}

static inline void random_ops(Random *random, Text *out)
{
    text_printf(out, "\"ops\": {\"conv3x3\": %.3f", 0.1 + random_unit(random));
    for (int atom = 1; atom < ATOM_COUNT; atom++)
        text_printf(out, ", \"%s\": %.3f", atom_info[atom].name, random_weight(random));
    text_puts(out, "}");
}

// At most largest^3 ops; images of at most `side` pixels (at least 4).
static inline void random_theta(uint64_t number, int largest, int side, Text *out)
{
    Random random = random_stream(number, "random theta", 0, 0);
    text_puts(out, "{");
    for (int level = 0; level < LEVELS; level++)
        random_level(&random, level_name[level], largest, out);
    text_printf(out, "\"stage_ratio\": [%.2f, %.2f, %.2f],\n", random_weight(&random),
                0.1 + random_unit(&random), random_weight(&random));
    text_printf(out, "\"channel_ratio\": [%.2f, %.2f, %.2f],\n", 0.3 + random_unit(&random),
                0.3 + 2 * random_unit(&random), 0.3 + 4 * random_unit(&random));
    random_merge(&random, out);
    text_puts(out, ",\n");
    random_ops(&random, out);
    text_printf(out, ",\n\"conv\": \"%s\", \"params\": %d,\n",
                random_below(&random, 3) ? "normal" : "depthwise_separable", 3000000);
    text_printf(out, "\"input\": {\"channels\": %d, \"height\": %d, \"width\": %d},\n",
                random_between(&random, 1, 4), random_between(&random, 4, side),
                random_between(&random, 4, side));
    text_printf(out, "\"classes\": %d, \"seed\": %d}\n", random_between(&random, 2, 100),
                random_between(&random, 0, 1000000));
}

#endif
