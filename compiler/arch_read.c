// arch_read.c - arch.json to Arch, and the choice between theta.json and arch.json.
//
// In: text.  Out: an architecture that arch_derive has found sound.  What the rules of arch.c find
// wrong is looked up again in the text, so that the message points at the value.

#include "front.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const JsonFile *file;
    Pool *pool;
    Err *err;
} Reader;

static const char *const conv_names[] = {"normal", "depthwise_separable"};

// The member, or an error at the object that lacks it.
static const JsonValue *member(const Reader *reader, const JsonValue *object, const char *key,
                               JsonKind kind)
{
    const JsonValue *value = json_find(object, key);
    char name[40] = "\"";
    strcat(strcat(name, key), "\"");
    if (!value)
        json_error(reader->file, object->offset, "", reader->err, "%s is missing in this object",
                   name);
    else if (json_is(reader->file, value, kind, name, "", reader->err))
        return value;
    return NULL;
}

// The exact ranges are arch_derive's; here a number only has to be an int.
static bool read_int(const Reader *reader, const JsonValue *object, const char *key, int64_t low,
                     int64_t high, int *out)
{
    char name[40] = "\"";
    strcat(strcat(name, key), "\"");
    int64_t number = 0;
    const JsonValue *value = member(reader, object, key, JSON_NUMBER);
    if (!value || !json_integer(reader->file, value, name, low, high, "", &number, reader->err))
        return false;
    *out = (int)number;
    return true;
}

static bool read_inputs(const Reader *reader, const JsonValue *object, Vertex *vertex)
{
    const JsonValue *inputs = member(reader, object, "inputs", JSON_ARRAY);
    if (!inputs)
        return false;
    vertex->inputs = pool_alloc(reader->pool, (size_t)inputs->count * sizeof *vertex->inputs);
    for (const JsonValue *value = inputs->child; value; value = value->next) {
        int64_t number = 0;
        if (!json_integer(reader->file, value, "an input", 0, MAX_OPS - 1,
                          "the position of a vertex in this list, from 0", &number, reader->err))
            return false;
        vertex->inputs[vertex->n_inputs++] = (int)number;
    }
    return true;
}

static bool read_vertex(const Reader *reader, const JsonValue *object, Vertex *vertex, int level)
{
    static const char *const keys[LEVELS][5] = {
        {"stage", "inputs", "merge", "out_channels", "nodes"},
        {"inputs", "merge", "out_channels", "nodes"},
        {"op", "inputs", "merge", "out_channels"}};
    static const char *const words[LEVELS] = {"a cell", "a node", "an op"};
    const JsonFile *file = reader->file;
    if (!json_is(file, object, JSON_OBJECT, words[level], "", reader->err) ||
        !json_keys(file, object, words[level], keys[level], level == LEVEL_TOP ? 5 : 4,
                   reader->err) ||
        !read_inputs(reader, object, vertex))
        return false;
    const JsonValue *merge = member(reader, object, "merge", JSON_STRING);
    size_t choice = 0;
    if (!merge || !json_choice(file, merge, "\"merge\"", merge_name, 4, &choice, reader->err))
        return false;
    vertex->merge = (MergeKind)choice;
    return read_int(reader, object, "out_channels", 1, MAX_CHANNELS, &vertex->out_channels) &&
           (level != LEVEL_TOP || read_int(reader, object, "stage", 0, STAGES - 1, &vertex->stage));
}

static bool read_op(const Reader *reader, const JsonValue *object, Vertex *op)
{
    const char *names[ATOM_COUNT];
    for (int i = 0; i < ATOM_COUNT; i++)
        names[i] = atom_info[i].name;
    size_t choice = 0;
    const JsonValue *name = member(reader, object, "op", JSON_STRING);
    if (!name ||
        !json_choice(reader->file, name, "\"op\"", names, ATOM_COUNT, &choice, reader->err))
        return false;
    op->atom = (AtomKind)choice;
    return true;
}

// Reads a list of vertices and, level by level, all below them.
static bool read_vertices(const Reader *reader, const JsonValue *list, int level, Vertex **out,
                          int *count)
{
    if (list->count > MAX_OPS)
        return json_error(reader->file, list->offset, "", reader->err,
                          "a list has at most %d vertices", (int)MAX_OPS);
    *out = pool_alloc(reader->pool, (size_t)list->count * sizeof **out);
    for (const JsonValue *object = list->child; object; object = object->next) {
        Vertex *vertex = &(*out)[(*count)++];
        if (!read_vertex(reader, object, vertex, level))
            return false;
        if (level == LEVEL_BOTTOM) {
            if (!read_op(reader, object, vertex))
                return false;
            continue;
        }
        const JsonValue *below = member(reader, object, "nodes", JSON_ARRAY);
        if (!below ||
            !read_vertices(reader, below, level + 1, &vertex->children, &vertex->n_children))
            return false;
    }
    return true;
}

static bool read_header(const Reader *reader, const JsonValue *root)
{
    static const char *const format[] = {"hnag-arch"};
    size_t choice;
    int64_t version;
    const JsonValue *value = json_find(root, "format");
    if (value && !json_choice(reader->file, value, "\"format\"", format, 1, &choice, reader->err))
        return false;
    value = json_find(root, "version");
    return !value || json_integer(reader->file, value, "\"version\"", 1, 1,
                                  "a newer format than this program reads", &version, reader->err);
}

static bool read_root(const Reader *reader, Arch *arch)
{
    static const char *const keys[] = {"format",        "version",   "input", "classes",
                                       "stem_channels", "conv_type", "cells"};
    static const char *const input_keys[] = {"channels", "height", "width"};
    const JsonFile *file = reader->file;
    const JsonValue *root = file->root;
    if (!json_keys(file, root, "arch.json", keys, COUNT_OF(keys), reader->err) ||
        !read_header(reader, root))
        return false;
    const JsonValue *input = member(reader, root, "input", JSON_OBJECT);
    if (!input ||
        !json_keys(file, input, "\"input\"", input_keys, COUNT_OF(input_keys), reader->err) ||
        !read_int(reader, input, "channels", 1, 4, &arch->channels) ||
        !read_int(reader, input, "height", 4, MAX_SIDE, &arch->height) ||
        !read_int(reader, input, "width", 4, MAX_SIDE, &arch->width) ||
        !read_int(reader, root, "classes", 2, 1000, &arch->classes) ||
        !read_int(reader, root, "stem_channels", 1, MAX_CHANNELS, &arch->stem_channels))
        return false;
    size_t conv = 0;
    const JsonValue *value = json_find(root, "conv_type");
    if (value && !json_choice(file, value, "\"conv_type\"", conv_names, 2, &conv, reader->err))
        return false;
    arch->depthwise = conv == 1;
    const JsonValue *cells = member(reader, root, "cells", JSON_ARRAY);
    return cells && read_vertices(reader, cells, LEVEL_TOP, &arch->cells, &arch->n_cells);
}

static const JsonValue *item_at(const JsonValue *list, int index)
{
    const JsonValue *item = list->child;
    while (index-- > 0)
        item = item->next;
    return item;
}

// The value in the text that a fault is about.
static const JsonValue *fault_value(const JsonValue *root, const ArchFault *fault)
{
    const JsonValue *value = root;
    const int index[LEVELS] = {fault->cell, fault->node, fault->op};
    for (int level = 0; level < LEVELS && index[level] >= 0; level++)
        value = item_at(json_find(value, level ? "nodes" : "cells"), index[level]);
    const JsonValue *field = fault->field ? json_find(value, fault->field) : NULL;
    if (field && fault->input >= 0)
        return item_at(field, fault->input);
    return field ? field : value;
}

bool arch_from_json(const JsonFile *file, Arch *arch, Pool *pool, Err *err)
{
    Reader reader = {file, pool, err};
    *arch = (Arch){0};
    if (!read_root(&reader, arch))
        return false;
    const char *slash = strrchr(file->path, '/');
    arch->name = pool_strdup(pool, slash ? slash + 1 : file->path);
    ArchFault fault;
    if (arch_derive(arch, &fault))
        return true;
    return json_error(file, fault_value(file->root, &fault)->offset, fault.hint, err, "%s",
                      fault.message);
}

bool object_parse(JsonFile *file, const char *path, const char *text, size_t size, Pool *pool,
                  Err *err)
{
    char *copy = pool_alloc(pool, size + 1);
    if (size)
        memcpy(copy, text, size);
    *file = (JsonFile){.path = strcmp(path, "-") == 0 ? "<stdin>" : pool_strdup(pool, path),
                       .text = copy,
                       .size = size};
    if (size > MAX_JSON_BYTES)
        return err_input(err, "%s: error: larger than %zu MB, the largest file read here",
                         file->path, MAX_JSON_BYTES >> 20);
    return json_parse(file, MAX_JSON_VALUES, pool, err) &&
           json_is(file, file->root, JSON_OBJECT, "the file",
                   "{\"top\": ..., \"mid\": ..., \"bottom\": ...}", err);
}

bool arch_parse(const char *path, const char *text, size_t size, Arch *arch, Pool *pool, Err *err)
{
    JsonFile file;
    return object_parse(&file, path, text, size, pool, err) &&
           arch_from_json(&file, arch, pool, err);
}

bool arch_load(const char *path, bool has_seed, uint64_t seed, Arch *arch, Pool *pool, Err *err)
{
    char *text;
    size_t size;
    if (!file_read(path, MAX_JSON_BYTES, &text, &size, err))
        return false;
    JsonFile file;
    bool done = object_parse(&file, path, text, size, pool, err);
    free(text);
    if (!done)
        return false;
    if (json_find(file.root, "format") || json_find(file.root, "cells"))
        return arch_from_json(&file, arch, pool, err);
    Theta theta;
    if (!theta_from_json(&file, &theta, pool, err))
        return false;
    if (has_seed)
        theta.seed = seed;
    return arch_sample(&theta, arch, pool, err);
}
