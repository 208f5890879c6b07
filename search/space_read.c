// space_read.c - space.json to a Space, every number checked.
//
// In: JSON text, or the name of a built-in space.  Out: a Space, or a message with line and column.
// A parameter is an object with a "type", or a plain value, which is then fixed.  Conditions refer
// to parameters that stand above, so that no circle can arise.

#include "space_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 20000, MAX_INTEGER = 1 << 30 };
#define MAX_SPACE_BYTES ((size_t)1 << 20)
static const char *const kind_name[] = {"float", "int", "categorical", "simplex", "fixed"};

typedef struct {
    const JsonFile *file;
    Space *space;
    Param *param; // the one being read
    const JsonValue *object;
    Err *err;
} Reader;

static const JsonValue *member(const Reader *reader, const char *key, const char *example)
{
    const JsonValue *value = json_find(reader->object, key);
    if (!value)
        json_error(reader->file, reader->object->offset, example, reader->err,
                   "\"%s\" is missing in the %s \"%.60s\"", key, kind_name[reader->param->kind],
                   reader->param->name);
    return value;
}

const char *json_text(const JsonFile *file, const JsonValue *value, Pool *pool)
{
    Text text = {0};
    switch (value->kind) {
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
        text_puts(&text, value->kind == JSON_NULL   ? "null"
                         : value->kind == JSON_TRUE ? "true"
                                                    : "false");
        break;
    case JSON_NUMBER:
        number_print(value->number, &text);
        break;
    case JSON_STRING:
        string_print(value->string, &text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        text_puts(&text, value->kind == JSON_ARRAY ? "[" : "{");
        for (const JsonValue *child = value->child; child; child = child->next) {
            if (value->kind == JSON_OBJECT) {
                string_print(child->key, &text);
                text_puts(&text, ": ");
            }
            text_puts(&text, json_text(file, child, pool));
            text_puts(&text, child->next ? ", " : "");
        }
        text_puts(&text, value->kind == JSON_ARRAY ? "]" : "}");
    }
    const char *copy = pool_strdup(pool, text.data);
    text_free(&text);
    return copy;
}

// ---- kinds of parameters -----------------------------------------------------------------------

static bool read_bound(const Reader *reader, const JsonValue *value, double low, double *out)
{
    const char *hint = reader->param->log && low > 0 ? "a logarithmic range is positive" : "";
    int64_t whole = 0;
    if (reader->param->kind == PARAM_FLOAT)
        return json_number(reader->file, value, "\"range\"", low, 1e300, hint, out, reader->err);
    if (!json_integer(reader->file, value, "\"range\"", (int64_t)low, MAX_INTEGER, hint, &whole,
                      reader->err))
        return false;
    *out = (double)whole;
    return true;
}

static bool read_flag(const Reader *reader, const char *key, bool *out)
{
    const JsonValue *value = json_find(reader->object, key);
    if (!value)
        return true;
    char shown[JSON_SHOWN];
    if (value->kind != JSON_TRUE && value->kind != JSON_FALSE)
        return json_error(reader->file, value->offset, "", reader->err,
                          "\"%s\" must be true or false, got %s", key,
                          json_show(reader->file, value, shown));
    *out = value->kind == JSON_TRUE;
    return true;
}

static bool read_range(const Reader *reader)
{
    static const char *const keys[] = {"type", "range", "log", "when"};
    Param *param = reader->param;
    bool whole = param->kind == PARAM_INT;
    const char *example = whole ? "\"range\": [2, 5]" : "\"range\": [0, 1]";
    const JsonValue *range = member(reader, "range", example);
    if (!range || !read_flag(reader, "log", &param->log) ||
        !json_keys(reader->file, reader->object, "a parameter", keys, COUNT_OF(keys),
                   reader->err) ||
        !json_is(reader->file, range, JSON_ARRAY, "\"range\"", example, reader->err))
        return false;
    if (range->count != 2)
        return json_error(reader->file, range->offset, example, reader->err,
                          "\"range\" must have 2 numbers, not %d", range->count);
    double least = whole ? -MAX_INTEGER : -1e300;
    least = param->log ? (whole ? 1 : 1e-300) : least;
    param->width = 1;
    if (!read_bound(reader, range->child, least, &param->low) ||
        !read_bound(reader, range->child->next, least, &param->high))
        return false;
    return param->low <= param->high ||
           json_error(reader->file, range->child->offset, "the lower end comes first", reader->err,
                      "\"range\" is empty: %g is above %g", param->low, param->high);
}

static bool read_choices(const Reader *reader)
{
    static const char *const keys[] = {"type", "choices", "when"};
    Param *param = reader->param;
    const char *example = "\"choices\": [\"a\", \"b\"]";
    const JsonValue *list = member(reader, "choices", example);
    if (!list ||
        !json_keys(reader->file, reader->object, "a categorical parameter", keys, COUNT_OF(keys),
                   reader->err) ||
        !json_is(reader->file, list, JSON_ARRAY, "\"choices\"", example, reader->err))
        return false;
    if (list->count < 1 || list->count > SPACE_MAX_CHOICES)
        return json_error(reader->file, list->offset, "", reader->err,
                          "\"choices\" must have 1..%d values, not %d", SPACE_MAX_CHOICES,
                          list->count);
    param->width = 1;
    param->choices = pool_alloc(reader->space->pool, (size_t)list->count * sizeof *param->choices);
    for (const JsonValue *value = list->child; value; value = value->next) {
        if (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY)
            return json_error(reader->file, value->offset, example, reader->err,
                              "a choice must be a string, a number, true, false or null");
        const char *text = json_text(reader->file, value, reader->space->pool);
        for (int i = 0; i < param->n_choices; i++) {
            if (strcmp(param->choices[i], text) == 0)
                return json_error(reader->file, value->offset, "", reader->err,
                                  "the choice %.60s stands twice", text);
        }
        param->choices[param->n_choices++] = text;
    }
    return true;
}

static bool read_parts(const Reader *reader)
{
    static const char *const keys[] = {"type", "parts", "min", "when"};
    Param *param = reader->param;
    const char *example = "\"parts\": [\"sum\", \"concat\"], or 3";
    const JsonValue *parts = member(reader, "parts", example);
    const JsonValue *least = json_find(reader->object, "min");
    int64_t count = 0;
    if (!parts ||
        !json_keys(reader->file, reader->object, "a simplex", keys, COUNT_OF(keys), reader->err))
        return false;
    if (parts->kind == JSON_ARRAY) {
        count = parts->count;
        if (count < 2 || count > SPACE_MAX_COORDS)
            return json_error(reader->file, parts->offset, example, reader->err,
                              "\"parts\" must have 2..%d names, not %d", SPACE_MAX_COORDS,
                              parts->count);
        param->parts = pool_alloc(reader->space->pool, (size_t)count * sizeof *param->parts);
        for (const JsonValue *part = parts->child; part; part = part->next) {
            if (!json_is(reader->file, part, JSON_STRING, "a part", example, reader->err))
                return false;
            for (int i = 0; i < param->n_parts; i++) {
                if (strcmp(param->parts[i], part->string) == 0)
                    return json_error(reader->file, part->offset, "", reader->err,
                                      "the part \"%.60s\" stands twice", part->string);
            }
            param->parts[param->n_parts++] = pool_strdup(reader->space->pool, part->string);
        }
    } else if (!json_integer(reader->file, parts, "\"parts\"", 2, SPACE_MAX_COORDS, example, &count,
                             reader->err)) {
        return false;
    }
    param->n_parts = (int)count;
    param->width = param->n_parts - 1;
    return !least || json_number(reader->file, least, "\"min\"", 0, 1.0 / param->n_parts,
                                 "the least share of a part", &param->min_share, reader->err);
}

static bool read_fixed(const Reader *reader)
{
    static const char *const keys[] = {"type", "value", "when"};
    const JsonValue *value = member(reader, "value", "\"value\": 3");
    if (!value || !json_keys(reader->file, reader->object, "a fixed parameter", keys,
                             COUNT_OF(keys), reader->err))
        return false;
    reader->param->value = json_text(reader->file, value, reader->space->pool);
    return true;
}

// ---- conditions --------------------------------------------------------------------------------

static bool read_condition_value(const Reader *reader, const Param *parent, const JsonValue *value,
                                 double *out)
{
    char shown[JSON_SHOWN];
    if (parent->kind == PARAM_INT) {
        int64_t number = 0;
        if (!json_integer(reader->file, value, parent->name, (int64_t)parent->low,
                          (int64_t)parent->high, "a value of its range", &number, reader->err))
            return false;
        *out = (double)number;
        return true;
    }
    const char *text = json_text(reader->file, value, reader->space->pool);
    for (int i = 0; i < parent->n_choices; i++) {
        *out = i;
        if (strcmp(parent->choices[i], text) == 0)
            return true;
    }
    return json_error(reader->file, value->offset, "", reader->err,
                      "%s is not a choice of \"%.60s\"", json_show(reader->file, value, shown),
                      parent->name);
}

static bool read_condition(const Reader *reader, const JsonValue *member, ParamCondition *condition)
{
    const Space *space = reader->space;
    condition->parent = space_find(space, member->key);
    const Param *parent = condition->parent < 0 ? NULL : &space->params[condition->parent];
    if (!parent)
        return json_error(reader->file, member->key_offset,
                          "a condition names a parameter that stands above", reader->err,
                          "there is no parameter \"%.60s\" above", member->key);
    if (parent->kind != PARAM_CATEGORICAL && parent->kind != PARAM_INT)
        return json_error(reader->file, member->key_offset, "", reader->err,
                          "\"%.60s\" must be categorical or int to be a condition", parent->name);
    bool list = member->kind == JSON_ARRAY;
    int count = list ? member->count : 1;
    if (count < 1)
        return json_error(reader->file, member->offset, "", reader->err,
                          "\"when\" lists no value of \"%.60s\"", parent->name);
    condition->values = pool_alloc(space->pool, (size_t)count * sizeof *condition->values);
    condition->n_values = count;
    const JsonValue *value = list ? member->child : member;
    for (int i = 0; i < count; i++, value = value->next) {
        if (!read_condition_value(reader, parent, value, &condition->values[i]))
            return false;
    }
    return true;
}

static bool read_conditions(const Reader *reader)
{
    Param *param = reader->param;
    const JsonValue *when = json_find(reader->object, "when");
    if (!when)
        return true;
    if (!json_is(reader->file, when, JSON_OBJECT, "\"when\"", "\"when\": {\"op\": [\"a\"]}",
                 reader->err))
        return false;
    size_t bytes = (size_t)(when->count + 1) * sizeof *param->conditions;
    param->conditions = pool_alloc(reader->space->pool, bytes);
    for (const JsonValue *member = when->child; member; member = member->next) {
        if (!read_condition(reader, member, &param->conditions[param->n_conditions]))
            return false;
        param->n_conditions++;
    }
    return true;
}

// ---- the whole ---------------------------------------------------------------------------------

static bool read_typed(const Reader *reader)
{
    static bool (*const read_kind[])(const Reader *) = {read_range, read_range, read_choices,
                                                        read_parts, read_fixed};
    const JsonValue *type = json_find(reader->object, "type");
    size_t kind = 0;
    if (!type)
        return json_error(reader->file, reader->object->offset,
                          "\"type\" is float, int, categorical, simplex or fixed", reader->err,
                          "\"type\" is missing in \"%.60s\"", reader->param->name);
    if (!json_choice(reader->file, type, "\"type\"", kind_name, COUNT_OF(kind_name), &kind,
                     reader->err))
        return false;
    reader->param->kind = (ParamKind)kind;
    return read_kind[kind](reader) && read_conditions(reader);
}

// A name is a path: not empty between its dots, nor the beginning of another's path.
static bool check_name(const Reader *reader, const JsonValue *value)
{
    const char *name = value->key;
    size_t length = strlen(name);
    if (length == 0 || length > 60 || name[0] == '.' || name[length - 1] == '.' ||
        strstr(name, ".."))
        return json_error(reader->file, value->key_offset, "such as \"top.n\"", reader->err,
                          "\"%.60s\" is no name of a parameter", name);
    for (int i = 0; i < reader->space->n_params; i++) {
        const char *other = reader->space->params[i].name;
        size_t shared = strlen(other) < length ? strlen(other) : length;
        const char *longer = strlen(other) < length ? name : other;
        if (strncmp(name, other, shared) == 0 && longer[shared] == '.')
            return json_error(reader->file, value->key_offset, "", reader->err,
                              "\"%.60s\" and \"%.60s\" are one inside the other", other, name);
    }
    return true;
}

static bool read_param(Reader *reader, const JsonValue *value)
{
    Space *space = reader->space;
    if (space->n_params == SPACE_MAX_PARAMS)
        return json_error(reader->file, value->key_offset, "", reader->err,
                          "a space has at most %d parameters", SPACE_MAX_PARAMS);
    reader->param = &space->params[space->n_params];
    reader->param->name = pool_strdup(space->pool, value->key);
    reader->object = value;
    if (!check_name(reader, value))
        return false;
    if (value->kind != JSON_OBJECT) {
        reader->param->kind = PARAM_FIXED;
        reader->param->value = json_text(reader->file, value, space->pool);
    } else if (!read_typed(reader)) {
        return false;
    }
    reader->param->first = space->n_coords;
    space->n_coords += reader->param->width;
    space->n_params++;
    return space->n_coords <= SPACE_MAX_COORDS ||
           json_error(reader->file, value->key_offset, "", reader->err,
                      "a space has at most %d dimensions", SPACE_MAX_COORDS);
}

static bool read_params(Reader *reader)
{
    const JsonFile *file = reader->file;
    int choices = 0;
    if (!json_is(file, file->root, JSON_OBJECT, "a space",
                 "{\"x\": {\"type\": \"float\", \"range\": [0, 1]}}", reader->err))
        return false;
    for (const JsonValue *value = file->root->child; value; value = value->next) {
        if (!read_param(reader, value))
            return false;
        choices += reader->param->n_choices;
        if (choices > SPACE_MAX_CHOICES)
            return json_error(file, value->key_offset, "", reader->err,
                              "a space has at most %d choices in all", SPACE_MAX_CHOICES);
    }
    return reader->space->n_coords > 0 ||
           json_error(file, file->root->offset, "a parameter of type float, int, ...", reader->err,
                      "the space has nothing to search");
}

bool space_parse(const char *path, const char *text, size_t size, Space **space, Err *err)
{
    Pool *pool = pool_new();
    *space = pool_alloc(pool, sizeof **space);
    (*space)->pool = pool;
    (*space)->name = pool_strdup(pool, path);
    (*space)->params = pool_alloc(pool, SPACE_MAX_PARAMS * sizeof *(*space)->params);
    char *copy = pool_alloc(pool, size + 1);
    memcpy(copy, text, size);
    JsonFile file = {.path = path, .text = copy, .size = size};
    Reader reader = {.file = &file, .space = *space, .err = err};
    if (json_parse(&file, MAX_VALUES, pool, err) && read_params(&reader))
        return true;
    pool_free(pool);
    *space = NULL;
    return false;
}

bool space_load(const char *name_or_path, Space **space, Err *err)
{
    const char *builtin = space_builtin(name_or_path);
    if (builtin)
        return space_parse(name_or_path, builtin, strlen(builtin), space, err);
    char *text = NULL;
    size_t size = 0;
    *space = NULL;
    if (!strchr(name_or_path, '.') && !strchr(name_or_path, '/')) {
        const char *near = nearest_word(name_or_path, space_names, (size_t)n_space_names);
        return err_input(err,
                         "error: there is no space \"%s\"%s%s%s; known are hnag, hnag-full, "
                         "rnag, darts-like, or a file space.json",
                         name_or_path, near ? ", did you mean \"" : "", near ? near : "",
                         near ? "\"?" : "");
    }
    if (!file_read(name_or_path, MAX_SPACE_BYTES, &text, &size, err))
        return false;
    bool read = space_parse(name_or_path, text, size, space, err);
    free(text);
    return read;
}

void space_close(Space *space)
{
    if (space)
        pool_free(space->pool);
}
