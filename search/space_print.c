// space_print.c - a space and its points as text, and points read back.
//
// In: points of the unit cube.  Out: space.json, {"x": 0.25, ...}, theta.json; and the reverse of
// the last two, for `tell`, warm starts and --enqueue.

#include "space_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void number_print(double number, Text *out)
{
    char digits[32];
    if (number == (double)(int64_t)fmax(-1e15, fmin(number, 1e15))) {
        text_printf(out, "%.0f", number); // 10, not 1e+01
        return;
    }
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    text_puts(out, digits);
}

void string_print(const char *word, Text *out)
{
    text_puts(out, "\"");
    for (const char *c = word; *c; c++) {
        if (*c == '"' || *c == '\\')
            text_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            text_printf(out, "\\u%04x", *c);
        else
            text_add(out, c, 1);
    }
    text_puts(out, "\"");
}

// ---- the space ---------------------------------------------------------------------------------

static void conditions_print(const Space *space, const Param *param, Text *out)
{
    text_puts(out, param->n_conditions ? ", \"when\": {" : "");
    for (int i = 0; i < param->n_conditions; i++) {
        const ParamCondition *condition = &param->conditions[i];
        const Param *parent = &space->params[condition->parent];
        text_puts(out, i ? ", " : "");
        string_print(parent->name, out);
        for (int j = 0; j < condition->n_values; j++) {
            text_puts(out, j ? ", " : ": [");
            if (parent->kind == PARAM_CATEGORICAL)
                text_puts(out, parent->choices[(int)condition->values[j]]);
            else
                number_print(condition->values[j], out);
        }
        text_puts(out, "]");
    }
    text_puts(out, param->n_conditions ? "}" : "");
}

static void kind_print(const Param *param, Text *out)
{
    switch (param->kind) {
    case PARAM_FLOAT:
    case PARAM_INT:
        text_printf(out, "{\"type\": \"%s\", \"range\": [",
                    param->kind == PARAM_INT ? "int" : "float");
        number_print(param->low, out);
        text_puts(out, ", ");
        number_print(param->high, out);
        text_puts(out, param->log ? "], \"log\": true" : "]");
        break;
    case PARAM_CATEGORICAL:
        for (int i = 0; i < param->n_choices; i++)
            text_printf(out, "%s%s", i ? ", " : "{\"type\": \"categorical\", \"choices\": [",
                        param->choices[i]);
        text_puts(out, "]");
        break;
    case PARAM_SIMPLEX:
        text_puts(out, "{\"type\": \"simplex\", \"parts\": ");
        for (int i = 0; param->parts && i < param->n_parts; i++) {
            text_puts(out, i ? ", " : "[");
            string_print(param->parts[i], out);
        }
        if (param->parts)
            text_puts(out, "]");
        else
            text_printf(out, "%d", param->n_parts);
        text_puts(out, ", \"min\": ");
        number_print(param->min_share, out);
        break;
    case PARAM_FIXED:
        text_printf(out, "{\"type\": \"fixed\", \"value\": %s", param->value);
    }
}

void space_print(const Space *space, Text *out)
{
    for (int i = 0; i < space->n_params; i++) {
        text_puts(out, i ? ",\n " : "{");
        string_print(space->params[i].name, out);
        text_puts(out, ": ");
        kind_print(&space->params[i], out);
        conditions_print(space, &space->params[i], out);
        text_puts(out, "}");
    }
    text_puts(out, "}\n");
}

// ---- a point -----------------------------------------------------------------------------------

static void shares_print(const Space *space, const double *x, int index, Text *out)
{
    const Param *param = &space->params[index];
    double shares[SPACE_MAX_COORDS + 1];
    space_shares(space, x, index, shares);
    text_puts(out, param->parts ? "{" : "[");
    for (int i = 0; i < param->n_parts; i++) {
        text_puts(out, i ? ", " : "");
        if (param->parts) {
            string_print(param->parts[i], out);
            text_puts(out, ": ");
        }
        number_print(shares[i], out);
    }
    text_puts(out, param->parts ? "}" : "]");
}

static void value_print(const Space *space, const double *x, int index, Text *out)
{
    const Param *param = &space->params[index];
    if (param->kind == PARAM_FIXED)
        text_puts(out, param->value);
    else if (param->kind == PARAM_SIMPLEX)
        shares_print(space, x, index, out);
    else if (param->kind == PARAM_CATEGORICAL)
        text_puts(out, param->choices[(int)space_value(space, x, index)]);
    else
        number_print(space_value(space, x, index), out);
}

void space_params_print(const Space *space, const double *x, Text *out)
{
    bool first = true;
    text_puts(out, "{");
    for (int i = 0; i < space->n_params; i++) {
        if (!space_is_active(space, x, i))
            continue;
        text_puts(out, first ? "" : ", ");
        string_print(space->params[i].name, out);
        text_puts(out, ": ");
        value_print(space, x, i, out);
        first = false;
    }
    text_puts(out, "}");
}

bool space_number(const Space *space, const double *x, const char *name, double *value)
{
    int index = space_find(space, name);
    if (index < 0 || !space_is_active(space, x, index))
        return false;
    const Param *param = &space->params[index];
    const char *text = param->value;
    if (param->kind == PARAM_SIMPLEX)
        return false;
    if (param->kind == PARAM_CATEGORICAL)
        text = param->choices[(int)space_value(space, x, index)];
    if (!text) {
        *value = space_value(space, x, index);
        return true;
    }
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0';
}

// ---- theta.json --------------------------------------------------------------------------------

typedef struct {
    const Space *space;
    const double *x;
    Text *out;
} ThetaPrint;

// Does parameter i go into theta.json, below the path `prefix` of `length` characters?
static bool stands_below(const ThetaPrint *print, int i, const char *prefix, size_t length)
{
    const char *name = print->space->params[i].name;
    return strncmp(name, "train.", 6) != 0 && strncmp(name, prefix, length) == 0 &&
           space_is_active(print->space, print->x, i);
}

// Prints the members of the object at `prefix` ("" or "top."): each first step below it once.
static void theta_object_print(const ThetaPrint *print, const char *prefix, bool more)
{
    const Space *space = print->space;
    size_t length = strlen(prefix);
    for (int i = 0; i < space->n_params; i++) {
        if (!stands_below(print, i, prefix, length))
            continue;
        const char *step = space->params[i].name + length;
        size_t end = strcspn(step, "."), before = 0;
        for (int j = 0; j < i && !before; j++)
            before = stands_below(print, j, space->params[i].name, length + end) &&
                     space->params[j].name[length + end] == step[end];
        if (before)
            continue;
        char path[64];
        snprintf(path, sizeof path, "%.*s", (int)(length + end), space->params[i].name);
        text_puts(print->out, more ? ", " : "");
        string_print(path + length, print->out);
        text_puts(print->out, ": ");
        more = true;
        if (step[end] == '\0') {
            value_print(space, print->x, i, print->out);
            continue;
        }
        snprintf(path + length + end, sizeof path - length - end, ".");
        text_puts(print->out, "{");
        theta_object_print(print, path, false);
        text_puts(print->out, "}");
    }
}

static void given_print(const char *name, int64_t value, bool *more, Text *out)
{
    if (value)
        text_printf(out, "%s\"%s\": %lld", *more ? ", " : "", name, (long long)value);
    *more = *more || value;
}

void space_theta_print(const Space *space, const double *x, const ThetaGiven *given, Text *out)
{
    ThetaPrint print = {space, x, out};
    bool more = false, inside = false;
    text_puts(out, "{");
    if (space_find(space, "params") < 0)
        given_print("params", given->params, &more, out);
    if (space_find(space, "classes") < 0)
        given_print("classes", given->classes, &more, out);
    if (space_find(space, "seed") < 0)
        given_print("seed", (int64_t)given->seed, &more, out);
    if (space_find(space, "input") < 0 && (given->channels || given->height || given->width)) {
        text_printf(out, "%s\"input\": {", more ? ", " : "");
        given_print("channels", given->channels, &inside, out);
        given_print("height", given->height, &inside, out);
        given_print("width", given->width, &inside, out);
        text_puts(out, "}");
        more = true;
    }
    theta_object_print(&print, "", more);
    text_puts(out, "}\n");
}

// ---- points read back --------------------------------------------------------------------------

static bool read_shares(const JsonFile *file, const JsonValue *value, const Param *param,
                        const char *name, double *x, Err *err)
{
    double shares[SPACE_MAX_COORDS + 1] = {0}, sum = 0;
    JsonKind kind = param->parts ? JSON_OBJECT : JSON_ARRAY;
    if (!json_is(file, value, kind, name, "its shares", err) ||
        (param->parts && !json_keys(file, value, name, param->parts, (size_t)param->n_parts, err)))
        return false;
    if (!param->parts && value->count != param->n_parts)
        return json_error(file, value->offset, "", err, "%s must have %d numbers, not %d", name,
                          param->n_parts, value->count);
    const JsonValue *item = value->child;
    for (int i = 0; i < param->n_parts; i++) {
        const JsonValue *part = param->parts ? json_find(value, param->parts[i]) : item;
        if (part && !json_number(file, part, name, 0, 1e9, "a share", &shares[i], err))
            return false;
        sum += shares[i];
        item = item ? item->next : NULL;
    }
    if (!(sum > 0))
        return json_error(file, value->offset, "", err, "the shares of %s are all 0", name);
    for (int i = 0; i < param->n_parts; i++)
        shares[i] /= sum;
    simplex_encode(param, shares, x + param->first);
    return true;
}

static bool read_choice(const JsonFile *file, const JsonValue *value, const Param *param,
                        const char *name, double *x, Pool *pool, Err *err)
{
    char shown[JSON_SHOWN];
    const char *text = json_text(file, value, pool);
    for (int i = 0; i < param->n_choices; i++) {
        if (strcmp(text, param->choices[i]) == 0) {
            x[param->first] = param_encode(param, i);
            return true;
        }
    }
    return json_error(file, value->offset, "", err, "%s cannot be %s", name,
                      json_show(file, value, shown));
}

static bool read_value(const JsonFile *file, const JsonValue *value, const Param *param, double *x,
                       Pool *pool, Err *err)
{
    char name[80];
    double number = 0;
    int64_t whole = 0;
    snprintf(name, sizeof name, "\"%s\"", param->name);
    switch (param->kind) {
    case PARAM_FLOAT:
        if (!json_number(file, value, name, param->low, param->high, "its range in the space",
                         &number, err))
            return false;
        x[param->first] = param_encode(param, number);
        return true;
    case PARAM_INT:
        if (!json_integer(file, value, name, (int64_t)param->low, (int64_t)param->high,
                          "its range in the space", &whole, err))
            return false;
        x[param->first] = param_encode(param, (double)whole);
        return true;
    case PARAM_CATEGORICAL:
        return read_choice(file, value, param, name, x, pool, err);
    case PARAM_SIMPLEX:
        return read_shares(file, value, param, name, x, err);
    case PARAM_FIXED:
        break;
    }
    return strcmp(param->value, json_text(file, value, pool)) == 0 ||
           json_error(file, value->offset, "", err, "%s is fixed to %.100s", name, param->value);
}

// The value of a parameter in a tree of objects, by its path, or by its whole name.
static const JsonValue *value_find(const JsonValue *object, const char *path)
{
    const JsonValue *whole = json_find(object, path);
    char step[64];
    while (!whole && object && object->kind == JSON_OBJECT) {
        size_t length = strcspn(path, ".");
        snprintf(step, sizeof step, "%.*s", (int)length, path);
        object = json_find(object, step);
        if (path[length] == '\0')
            return object;
        path += length + 1;
    }
    return whole;
}

// With `strict` the text names each active parameter and nothing else; otherwise it is a theta,
// which has members of its own and knows nothing of fixed values and training.
static bool point_read(const Space *space, const JsonFile *file, bool strict, double *x, Pool *pool,
                       Err *err)
{
    for (int i = 0; i < space->n_coords; i++)
        x[i] = SPACE_INACTIVE;
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        const JsonValue *value = value_find(file->root, param->name);
        bool active = space_is_active(space, x, i), fixed = param->kind == PARAM_FIXED;
        if (strict && value && !active)
            return json_error(file, value->key_offset, "leave it out", err,
                              "\"%.60s\" does not apply to this configuration", param->name);
        if (!active || (!strict && fixed) || (!value && fixed))
            continue;
        if (!value && !strict && strncmp(param->name, "train.", 6) == 0)
            continue;
        if (!value)
            return json_error(file, file->root->offset, "", err, "\"%.60s\" is missing",
                              param->name);
        if (!read_value(file, value, param, x, pool, err))
            return false;
    }
    space_round(space, x);
    return true;
}

static bool known_names(const Space *space, const JsonFile *file, Err *err)
{
    const char *names[SPACE_MAX_PARAMS];
    for (int i = 0; i < space->n_params; i++)
        names[i] = space->params[i].name;
    return json_is(file, file->root, JSON_OBJECT, "a configuration", "{\"x\": 0.25}", err) &&
           json_keys(file, file->root, "a configuration", names, (size_t)space->n_params, err);
}

static bool point_parse(const Space *space, bool strict, const char *path, const char *text,
                        size_t size, double *x, Err *err)
{
    Pool *pool = pool_new();
    char *copy = pool_alloc(pool, size + 1);
    memcpy(copy, text, size);
    JsonFile file = {.path = path, .text = copy, .size = size};
    bool read = json_parse(&file, 100000, pool, err) &&
                (strict ? known_names(space, &file, err)
                        : json_is(&file, file.root, JSON_OBJECT, "theta", "", err)) &&
                point_read(space, &file, strict, x, pool, err);
    pool_free(pool);
    return read;
}

bool space_params_parse(const Space *space, const char *path, const char *text, size_t size,
                        double *x, Err *err)
{
    return point_parse(space, true, path, text, size, x, err);
}

bool space_theta_parse(const Space *space, const char *path, const char *text, size_t size,
                       double *x, Err *err)
{
    return point_parse(space, false, path, text, size, x, err);
}
