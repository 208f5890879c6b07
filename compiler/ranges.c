// ranges.c - ranges.json: what values the tensors of a network take on real images, as
// `nago calibrate` records them and the int8 compiler reads them.
//
//   {"format": "nago-ranges", "version": 1, "method": "percentile", "images": 512,
//    "tensors": {"image": [-2.1, 2.6], "stem.bn0.relu": [0, 4.3], ...}}
#include "front.h"

#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(((const TensorRange *)a)->name, ((const TensorRange *)b)->name);
}

static const JsonValue *member(const JsonFile *file, const char *key, JsonKind kind, Err *err)
{
    char name[40] = "\"";
    strcat(strcat(name, key), "\"");
    const JsonValue *value = json_find(file->root, key);
    if (!value)
        json_error(file, file->root->offset, "", err, "%s is missing in this object", name);
    else if (json_is(file, value, kind, name, "", err))
        return value;
    return NULL;
}

static bool read_range(const JsonFile *file, const JsonValue *value, TensorRange *range, Err *err)
{
    static const char hint[] = "smallest and largest value of this tensor";
    if (!json_is(file, value, JSON_ARRAY, "a range", hint, err))
        return false;
    if (value->count != 2)
        return json_error(file, value->offset, hint, err, "a range has two numbers, got %d",
                          value->count);
    const JsonValue *low = value->child, *high = low->next;
    range->name = value->key;
    if (!json_number(file, low, "a range's low end", -1e30, 1e30, hint, &range->low, err) ||
        !json_number(file, high, "a range's high end", -1e30, 1e30, hint, &range->high, err))
        return false;
    return range->low <= range->high ||
           json_error(file, high->offset, hint, err, "the range of \"%s\" ends before it begins",
                      value->key);
}

static bool read_head(const JsonFile *file, Ranges *ranges, Err *err)
{
    static const char *const keys[] = {"format", "version", "method", "images", "tensors"};
    int64_t version, images;
    if (!json_keys(file, file->root, "ranges.json", keys, COUNT_OF(keys), err))
        return false;
    const JsonValue *format = member(file, "format", JSON_STRING, err);
    if (!format)
        return false;
    if (strcmp(format->string, "nago-ranges") != 0)
        return json_error(file, format->offset, "nago calibrate writes such files", err,
                          "\"format\" must be \"nago-ranges\"");
    const JsonValue *number = member(file, "version", JSON_NUMBER, err);
    if (!number || !json_integer(file, number, "\"version\"", 1, 1, "", &version, err))
        return false;
    const JsonValue *method = member(file, "method", JSON_STRING, err);
    const JsonValue *count = method ? member(file, "images", JSON_NUMBER, err) : NULL;
    if (!count || !json_integer(file, count, "\"images\"", 1, INT32_MAX, "", &images, err))
        return false;
    ranges->method = method->string;
    ranges->images = (int)images;
    return true;
}

bool ranges_parse(const char *path, const char *text, size_t size, Ranges *ranges, Pool *pool,
                  Err *err)
{
    JsonFile file;
    *ranges = (Ranges){.path = pool_strdup(pool, path)};
    if (!object_parse(&file, path, text, size, pool, err) || !read_head(&file, ranges, err))
        return false;
    const JsonValue *tensors = member(&file, "tensors", JSON_OBJECT, err);
    if (!tensors)
        return false;
    ranges->items = pool_alloc(pool, (size_t)(tensors->count + 1) * sizeof *ranges->items);
    for (const JsonValue *value = tensors->child; value; value = value->next)
        if (!read_range(&file, value, &ranges->items[ranges->n++], err))
            return false;
    qsort(ranges->items, (size_t)ranges->n, sizeof *ranges->items, by_name);
    return true;
}

bool ranges_load(const char *path, Ranges *ranges, Pool *pool, Err *err)
{
    char *text;
    size_t size;
    if (!file_read(path, MAX_JSON_BYTES, &text, &size, err))
        return false;
    const bool done = ranges_parse(path, text, size, ranges, pool, err);
    free(text);
    return done;
}

void ranges_print(const Ranges *ranges, Text *out)
{
    text_printf(out,
                "{\n \"format\": \"nago-ranges\",\n \"version\": 1,\n \"method\": \"%s\",\n"
                " \"images\": %d,\n \"tensors\": {",
                ranges->method, ranges->images);
    for (int i = 0; i < ranges->n; i++)
        text_printf(out, "%s\n  \"%s\": [%.9g, %.9g]", i ? "," : "", ranges->items[i].name,
                    ranges->items[i].low, ranges->items[i].high);
    text_puts(out, "\n }\n}\n");
}

static const TensorRange some_range = {.low = -1, .high = 1};
const Ranges ranges_any = {.path = "ranges", .method = "none", .other = &some_range};

const TensorRange *ranges_find(const Ranges *ranges, const char *name)
{
    const TensorRange key = {.name = name};
    const TensorRange *found = ranges->n > 0 ? bsearch(&key, ranges->items, (size_t)ranges->n,
                                                       sizeof *ranges->items, by_name)
                                             : NULL;
    return found ? found : ranges->other;
}
