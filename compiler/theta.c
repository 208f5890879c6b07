// theta.c - generator hyperparameters: read, checked, defaults filled in, printed.
//
// In: theta.json.  Out: a Theta in which every number obeys its rule, so that nothing later has to
// ask. Source: NAGO paper, section 2.1; docs/semantics.md, 1 and 2 (ranges, defaults, clamping).

#include "front.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const graph_name[4] = {"ws", "er", "ba", "chain"};
const char *const level_name[LEVELS] = {"top", "mid", "bottom"};

#define MAX_SEED ((INT64_C(1) << 53) - 1) // JSON numbers are exact up to here

typedef struct {
    const JsonFile *file;
    Theta *theta;
    Err *err;
} Reader;

// ---- levels
// --------------------------------------------------------------------------------------

static const char *const level_example[LEVELS] = {"{\"n\": 5, \"k\": 4, \"p\": 0.3}",
                                                  "{\"n\": 3, \"p\": 0.5}",
                                                  "{\"n\": 4, \"k\": 2, \"p\": 0.3}"};
static const char *const generator_word[4] = {"a Watts-Strogatz level", "an Erdos-Renyi level",
                                              "a Barabasi-Albert level", "a chain"};
static const char *const p_meaning[4] = {"probability that Watts-Strogatz rewires an edge",
                                         "probability that Erdos-Renyi joins two nodes", "", ""};

// The keys of a level that describe its graph, by generator.
static const char *const graph_keys[4][6] = {{"graph", "merge", "n", "k", "p"},
                                             {"graph", "merge", "n", "p"},
                                             {"graph", "merge", "n", "m"},
                                             {"graph", "merge", "n"}};
static const size_t n_graph_keys[4] = {5, 4, 4, 3};

static const JsonValue *level_member(const Reader *reader, const JsonValue *object, const char *key,
                                     const char *word)
{
    const JsonValue *value = json_find(object, key);
    if (!value)
        json_error(reader->file, object->offset, "", reader->err, "\"%s\" is missing in %s", key,
                   word);
    return value;
}

static bool read_count(const Reader *reader, const JsonValue *object, const char *key, int low,
                       int high, const char *hint, const char *word, int *out)
{
    char name[16];
    int64_t number = 0;
    snprintf(name, sizeof name, "\"%s\"", key);
    const JsonValue *value = level_member(reader, object, key, word);
    if (!value || !json_integer(reader->file, value, name, low, high, hint, &number, reader->err))
        return false;
    *out = (int)number;
    return true;
}

static bool read_weights(const Reader *reader, const JsonValue *object, const char *what,
                         const char *const *names, size_t count, double *out)
{
    if (!json_is(reader->file, object, JSON_OBJECT, what, "", reader->err) ||
        !json_keys(reader->file, object, what, names, count, reader->err))
        return false;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        char name[32];
        const JsonValue *value = json_find(object, names[i]);
        snprintf(name, sizeof name, "\"%s\"", names[i]);
        out[i] = 0;
        if (value && !json_number(reader->file, value, name, 0, 1e6, "its weight in the draw",
                                  &out[i], reader->err))
            return false;
        sum += out[i];
    }
    return sum > 0 ||
           json_error(reader->file, object->offset, "one weight at least must be positive",
                      reader->err, "%s has no positive weight", what);
}

static bool read_generator(const Reader *reader, const JsonValue *object, LevelTheta *level)
{
    const JsonFile *file = reader->file;
    const char *word = generator_word[level->graph];
    int fewest = level->graph == GRAPH_WS ? 3 : 1;
    const char *hint = fewest == 3 ? "number of nodes; Watts-Strogatz needs 3" : "number of nodes";
    if (!json_keys(file, object, word, graph_keys[level->graph], n_graph_keys[level->graph],
                   reader->err) ||
        !read_count(reader, object, "n", fewest, MAX_GRAPH, hint, word, &level->n))
        return false;
    int most = level->n > 1 ? level->n - 1 : 1; // more neighbours than others are clamped
    if (level->graph == GRAPH_WS) {
        if (!read_count(reader, object, "k", 2, INT32_MAX, "neighbours of a node before rewiring",
                        word, &level->k))
            return false;
        level->k = level->k < most ? level->k : most;
    }
    if (level->graph == GRAPH_BA) {
        if (!read_count(reader, object, "m", 1, INT32_MAX, "edges that a new node brings", word,
                        &level->m))
            return false;
        level->m = level->m < most ? level->m : most;
    }
    if (level->graph != GRAPH_WS && level->graph != GRAPH_ER)
        return true;
    const JsonValue *p = level_member(reader, object, "p", word);
    return p &&
           json_number(file, p, "\"p\"", 0, 1, p_meaning[level->graph], &level->p, reader->err);
}

static bool read_level(const Reader *reader, Level which)
{
    static const GraphKind usual[LEVELS] = {GRAPH_WS, GRAPH_ER, GRAPH_WS};
    const JsonFile *file = reader->file;
    LevelTheta *level = &reader->theta->level[which];
    char name[16];
    snprintf(name, sizeof name, "\"%s\"", level_name[which]);
    const JsonValue *object = json_find(file->root, level_name[which]);
    if (!object) {
        char hint[64];
        snprintf(hint, sizeof hint, "for example %s: %s", name, level_example[which]);
        return json_error(file, file->root->offset, hint, reader->err, "%s is missing", name);
    }
    if (!json_is(file, object, JSON_OBJECT, name, level_example[which], reader->err))
        return false;
    const JsonValue *graph = json_find(object, "graph");
    size_t kind = usual[which];
    if (graph && !json_choice(file, graph, "\"graph\"", graph_name, 4, &kind, reader->err))
        return false;
    level->graph = (GraphKind)kind;
    if (!read_generator(reader, object, level))
        return false;
    const JsonValue *p = json_find(object, "p");
    json_position(file, p ? p->offset : object->offset, &reader->theta->p_line[which],
                  &reader->theta->p_column[which]);
    const JsonValue *merge = json_find(object, "merge");
    return !merge ||
           read_weights(reader, merge, "\"merge\"", merge_name, MERGE_DRAWN, level->merge);
}

// Every level is drawn with exactly n nodes, so that the product is the number of ops.
static bool ops_fit(const Reader *reader)
{
    const LevelTheta *level = reader->theta->level;
    int ops = level[LEVEL_TOP].n * level[LEVEL_MID].n * level[LEVEL_BOTTOM].n;
    const JsonValue *bottom = json_find(reader->file->root, "bottom");
    return ops <= MAX_OPS ||
           json_error(reader->file, json_find(bottom, "n")->offset, "make a level smaller",
                      reader->err, "%d x %d x %d nodes are %d ops, at most %d are possible",
                      level[LEVEL_TOP].n, level[LEVEL_MID].n, level[LEVEL_BOTTOM].n, ops,
                      (int)MAX_OPS);
}

// ---- the rest
// ------------------------------------------------------------------------------------

static bool read_ratio(const Reader *reader, const char *key, double low, const char *hint,
                       double *out)
{
    const JsonFile *file = reader->file;
    const JsonValue *list = json_find(file->root, key);
    char name[32], item[64];
    snprintf(name, sizeof name, "\"%s\"", key);
    snprintf(item, sizeof item, "an entry of %s", name);
    if (!list)
        return true;
    if (!json_is(file, list, JSON_ARRAY, name, hint, reader->err))
        return false;
    if (list->count != STAGES)
        return json_error(file, list->offset, hint, reader->err, "%s must have %d numbers, got %d",
                          name, (int)STAGES, list->count);
    double sum = 0;
    for (const JsonValue *value = list->child; value; value = value->next) {
        if (!json_number(file, value, item, low, 1e6, hint, out, reader->err))
            return false;
        sum += *out++;
    }
    return sum > 0 ||
           json_error(file, list->offset, hint, reader->err, "the numbers of %s are all 0", name);
}

static bool read_atoms(const Reader *reader)
{
    double *atoms = reader->theta->atoms;
    const char *names[ATOM_COUNT];
    const JsonValue *ops = json_find(reader->file->root, "ops");
    if (!ops)
        return true;
    for (int i = 0; i < ATOM_COUNT; i++)
        names[i] = atom_info[i].name;
    if (!read_weights(reader, ops, "\"ops\"", names, ATOM_COUNT, atoms))
        return false;
    for (int i = 0; i < ATOM_COUNT; i++) {
        if (!atom_info[i].is_pool && atoms[i] > 0)
            return true;
    }
    return json_error(reader->file, ops->offset,
                      "the last op of every node is drawn without the pools", reader->err,
                      "\"ops\" gives pools only, a convolution is needed");
}

static bool read_merge(const Reader *reader)
{
    const JsonValue *merge = json_find(reader->file->root, "merge");
    LevelTheta *level = reader->theta->level;
    if (merge && !read_weights(reader, merge, "\"merge\"", merge_name, MERGE_DRAWN, level[0].merge))
        return false;
    for (int i = 1; i < LEVELS; i++)
        memcpy(level[i].merge, level[0].merge, sizeof level[i].merge);
    return true;
}

static bool read_root_integer(const Reader *reader, const JsonValue *object, const char *key,
                              int64_t low, int64_t high, const char *hint, int64_t *out)
{
    char name[32];
    const JsonValue *value = json_find(object, key);
    snprintf(name, sizeof name, "\"%s\"", key);
    return !value || json_integer(reader->file, value, name, low, high, hint, out, reader->err);
}

static bool read_input(const Reader *reader)
{
    static const char *const keys[] = {"channels", "height", "width"};
    Theta *theta = reader->theta;
    const JsonValue *input = json_find(reader->file->root, "input");
    int64_t channels = theta->channels, height = theta->height, width = theta->width;
    if (!input)
        return true;
    if (!json_is(reader->file, input, JSON_OBJECT, "\"input\"", "", reader->err) ||
        !json_keys(reader->file, input, "\"input\"", keys, COUNT_OF(keys), reader->err) ||
        !read_root_integer(reader, input, "channels", 1, 4, "3 for colour, 1 for grey images",
                           &channels) ||
        !read_root_integer(reader, input, "height", 4, MAX_SIDE, "in pixels", &height) ||
        !read_root_integer(reader, input, "width", 4, MAX_SIDE, "in pixels", &width))
        return false;
    theta->channels = (int)channels;
    theta->height = (int)height;
    theta->width = (int)width;
    return true;
}

static bool read_limits(const Reader *reader)
{
    Theta *theta = reader->theta;
    const JsonFile *file = reader->file;
    int smaller = theta->height < theta->width ? theta->height : theta->width;
    int64_t classes = theta->classes, seed = 0;
    theta->params = smaller < 40 ? 4000000 : 6000000;
    const JsonValue *params = json_find(file->root, "params");
    if (params)
        json_position(file, params->offset, &theta->params_line, &theta->params_column);
    if (!read_root_integer(reader, file->root, "params", 1, MAX_PARAMS,
                           "upper bound on the weights of all ops", &theta->params) ||
        !read_root_integer(reader, file->root, "classes", 2, 1000, "", &classes) ||
        !read_root_integer(reader, file->root, "seed", 0, MAX_SEED,
                           "exact as a JSON number up to 2^53 - 1", &seed))
        return false;
    theta->classes = (int)classes;
    theta->seed = (uint64_t)seed;
    return true;
}

static bool read_conv(const Reader *reader)
{
    static const char *const names[] = {"normal", "depthwise_separable"};
    size_t choice = 0;
    const JsonValue *conv = json_find(reader->file->root, "conv");
    if (conv && !json_choice(reader->file, conv, "\"conv\"", names, 2, &choice, reader->err))
        return false;
    reader->theta->depthwise = choice == 1;
    return true;
}

static void defaults_fill(Theta *theta)
{
    *theta = (Theta){.channels = 3, .height = 32, .width = 32, .classes = 10};
    theta->level[0].merge[MERGE_SUM] = 1;
    theta->atoms[ATOM_CONV3X3] = 1;
    for (int stage = 0; stage < STAGES; stage++) {
        theta->stage_ratio[stage] = 1;
        theta->channel_ratio[stage] = 1 << stage;
    }
}

bool theta_from_json(const JsonFile *file, Theta *theta, Pool *pool, Err *err)
{
    static const char *const keys[] = {"top",           "mid",   "bottom",  "stage_ratio",
                                       "channel_ratio", "merge", "ops",     "conv",
                                       "params",        "input", "classes", "seed"};
    Reader reader = {file, theta, err};
    defaults_fill(theta);
    theta->path = pool_strdup(pool, file->path);
    theta->source = file->text;
    if (!json_keys(file, file->root, "theta", keys, COUNT_OF(keys), err) || !read_merge(&reader))
        return false;
    for (int level = 0; level < LEVELS; level++) {
        if (!read_level(&reader, (Level)level))
            return false;
    }
    return ops_fit(&reader) &&
           read_ratio(&reader, "stage_ratio", 0, "share of the cells in each of the 3 stages",
                      theta->stage_ratio) &&
           read_ratio(&reader, "channel_ratio", 1e-6, "relative channels of the 3 stages",
                      theta->channel_ratio) &&
           read_atoms(&reader) && read_conv(&reader) && read_input(&reader) && read_limits(&reader);
}

bool theta_parse(const char *path, const char *text, size_t size, Theta *theta, Pool *pool,
                 Err *err)
{
    JsonFile file;
    return object_parse(&file, path, text, size, pool, err) &&
           theta_from_json(&file, theta, pool, err);
}

// ---- printed form
// --------------------------------------------------------------------------------

// The shortest decimal that reads back as the same double.
static void number_print(double number, Text *out)
{
    char digits[32];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_puts(out, digits);
}

static void weights_print(const char *const *names, const double *weights, int count, Text *out)
{
    text_puts(out, "{");
    for (int i = 0; i < count; i++) {
        text_printf(out, "%s\"%s\": ", i ? ", " : "", names[i]);
        number_print(weights[i], out);
    }
    text_puts(out, "}");
}

static void level_print(const LevelTheta *level, const char *name, bool merge, Text *out)
{
    text_printf(out, " \"%s\": {\"graph\": \"%s\", \"n\": %d", name, graph_name[level->graph],
                level->n);
    if (level->graph == GRAPH_WS)
        text_printf(out, ", \"k\": %d", level->k);
    if (level->graph == GRAPH_BA)
        text_printf(out, ", \"m\": %d", level->m);
    if (level->graph == GRAPH_WS || level->graph == GRAPH_ER) {
        text_puts(out, ", \"p\": ");
        number_print(level->p, out);
    }
    if (merge) {
        text_puts(out, ", \"merge\": ");
        weights_print(merge_name, level->merge, MERGE_DRAWN, out);
    }
    text_puts(out, "},\n");
}

static void ratio_print(const char *name, const double *ratio, Text *out)
{
    text_printf(out, " \"%s\": [", name);
    for (int stage = 0; stage < STAGES; stage++) {
        text_puts(out, stage ? ", " : "");
        number_print(ratio[stage], out);
    }
    text_puts(out, "],\n");
}

// Merges stand once when all levels agree, else in each level.
void theta_print(const Theta *theta, Text *out)
{
    const LevelTheta *level = theta->level;
    const char *names[ATOM_COUNT];
    bool differ = false;
    for (int i = 1; i < LEVELS; i++) {
        for (int j = 0; j < MERGE_DRAWN; j++)
            differ = differ || level[i].merge[j] != level[0].merge[j];
    }
    text_puts(out, "{\n");
    for (int i = 0; i < LEVELS; i++)
        level_print(&level[i], level_name[i], differ, out);
    ratio_print("stage_ratio", theta->stage_ratio, out);
    ratio_print("channel_ratio", theta->channel_ratio, out);
    if (!differ) {
        text_puts(out, " \"merge\": ");
        weights_print(merge_name, level[0].merge, MERGE_DRAWN, out);
        text_puts(out, ",\n");
    }
    for (int i = 0; i < ATOM_COUNT; i++)
        names[i] = atom_info[i].name;
    text_puts(out, " \"ops\": ");
    weights_print(names, theta->atoms, ATOM_COUNT, out);
    text_printf(out, ",\n \"conv\": \"%s\",\n",
                theta->depthwise ? "depthwise_separable" : "normal");
    text_printf(out, " \"params\": %lld,\n", (long long)theta->params);
    text_printf(out, " \"input\": {\"channels\": %d, \"height\": %d, \"width\": %d},\n",
                theta->channels, theta->height, theta->width);
    text_printf(out, " \"classes\": %d,\n \"seed\": %llu\n}\n", theta->classes,
                (unsigned long long)theta->seed);
}
