// data_spec.c - a --data SPEC, kind:DIR[:key=value,...], taken apart and its options checked.
//
//     cifar10 : ../data:old : limit=1000
//     kind      folder        options (a last component that begins with key= and has no slash)
//
// What is known about each kind stands in one table: a new source is a row here, a function in
// data.c's table, and a line in data.h.
#define _GNU_SOURCE
#include "data_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *name;
    bool has_folder;
    const char *keys[12]; // options; ends with NULL
} SpecKind;

static const SpecKind spec_kinds[] = {
    {"shapes",
     false,
     {"size", "channels", "classes", "train", "test", "seed", "noise", "distractors", "limit"}},
    {"cifar10", true, {"limit"}},
    {"cifar100", true, {"limit"}},
    {"idx", true, {"classes", "limit"}},
    {"images", true, {"size", "channels", "limit"}},
};

static bool is_key_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

// "limit=10" or "limit=10,size=3", but not "a=b/c".
static bool looks_like_options(const char *text)
{
    size_t letters = 0;
    while (is_key_letter(text[letters]))
        letters++;
    return letters > 0 && text[letters] == '=' && !strchr(text, '/');
}

static const SpecKind *kind_find(const char *text, const char *name, Err *err)
{
    const char *names[COUNT_OF(spec_kinds)];
    for (size_t i = 0; i < COUNT_OF(spec_kinds); i++) {
        names[i] = spec_kinds[i].name;
        if (strcmp(name, names[i]) == 0)
            return &spec_kinds[i];
    }
    struct stat status;
    if (stat(text, &status) == 0 && S_ISDIR(status.st_mode)) {
        err_input(err,
                  "data set %s: a folder needs the kind of its files before it\n"
                  "  hint: cifar10:%s, cifar100:%s, idx:%s or images:%s",
                  text, text, text, text, text);
        return NULL;
    }
    const char *near = nearest_word(name, names, COUNT_OF(names));
    err_input(err,
              "data set %s: \"%s\" is no kind of data%s%s%s\n"
              "  hint: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR",
              text, name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return NULL;
}

static bool key_check(const DataSpec *spec, const SpecKind *kind, const char *key, Err *err)
{
    size_t n_keys = 0;
    Text list = {0};
    for (; kind->keys[n_keys]; n_keys++) {
        if (strcmp(kind->keys[n_keys], key) == 0) {
            text_free(&list);
            return true;
        }
        text_printf(&list, "%s%s", n_keys ? ", " : "", kind->keys[n_keys]);
    }
    const char *near = nearest_word(key, kind->keys, n_keys);
    err_input(err, "data set %s: %s has no option \"%s\"%s%s%s\n  hint: its options are %s",
              spec->text, kind->name, key, near ? "; did you mean \"" : "", near ? near : "",
              near ? "\"?" : "", list.data);
    text_free(&list);
    return false;
}

// Takes "key=value,key=value" (or with colons between) apart; `text` is cut into pieces.
static bool options_parse(DataSpec *spec, const SpecKind *kind, char *text, Err *err)
{
    for (char *rest = text, *part; (part = strsep(&rest, ",:"));) {
        char *equals = strchr(part, '=');
        if (!equals || equals == part || !equals[1])
            return err_input(err, "data set %s: \"%s\" is no option\n  hint: write key=value",
                             spec->text, part);
        *equals = '\0';
        if (!key_check(spec, kind, part, err))
            return false;
        for (int i = 0; i < spec->n_options; i++)
            if (strcmp(spec->options[i].key, part) == 0)
                return err_input(err, "data set %s: \"%s\" is given twice", spec->text, part);
        if (spec->n_options == MAX_SPEC_OPTIONS)
            return err_input(err, "data set %s: more than %d options", spec->text,
                             MAX_SPEC_OPTIONS);
        spec->options[spec->n_options++] = (SpecOption){part, equals + 1};
    }
    return true;
}

// The folder is what is left when option components are taken off the end.
static bool folder_parse(DataSpec *spec, const SpecKind *kind, char *rest, Err *err)
{
    if (rest) {
        for (char *colon; (colon = strrchr(rest, ':')) && looks_like_options(colon + 1);) {
            *colon = '\0';
            if (!options_parse(spec, kind, colon + 1, err))
                return false;
        }
        spec->folder = rest;
    }
    if (!rest || !*rest || looks_like_options(rest))
        return err_input(err, "data set %s: no folder\n  hint: write %s:DIR", spec->text,
                         kind->name);
    return true;
}

bool spec_parse(const char *text, DataSpec *spec, Pool *pool, Err *err)
{
    *spec = (DataSpec){.text = text};
    char *copy = pool_strdup(pool, text);
    char *rest = strchr(copy, ':');
    if (rest)
        *rest++ = '\0';
    const SpecKind *kind = kind_find(text, copy, err);
    if (!kind)
        return false;
    spec->kind = kind->name;
    if (kind->has_folder) {
        if (!folder_parse(spec, kind, rest, err))
            return false;
    } else if (rest && !options_parse(spec, kind, rest, err)) {
        return false;
    }
    int64_t limit = 0;
    if (!spec_int(spec, "limit", 1, INT32_MAX, &limit, err))
        return false;
    spec->limit = (int)limit;
    return true;
}

static const char *option_value(const DataSpec *spec, const char *key)
{
    for (int i = 0; i < spec->n_options; i++)
        if (strcmp(spec->options[i].key, key) == 0)
            return spec->options[i].value;
    return NULL;
}

// Digits only, so that "1e3", " 5" and "+5" are refused rather than half understood.
static bool number_parse(const char *text, size_t length, int64_t *value)
{
    int64_t sum = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || sum > (INT64_MAX - 9) / 10)
            return false;
        sum = sum * 10 + (text[i] - '0');
    }
    *value = sum;
    return length > 0;
}

bool spec_int(const DataSpec *spec, const char *key, int64_t min, int64_t max, int64_t *value,
              Err *err)
{
    const char *text = option_value(spec, key);
    if (!text)
        return true;
    int64_t number;
    if (!number_parse(text, strlen(text), &number) || number < min || number > max)
        return err_input(err,
                         "data set %s: \"%s\" must be a whole number in [%lld, %lld], got \"%s\"",
                         spec->text, key, (long long)min, (long long)max, text);
    *value = number;
    return true;
}

bool spec_real(const DataSpec *spec, const char *key, double min, double max, double *value,
               Err *err)
{
    const char *text = option_value(spec, key);
    if (!text)
        return true;
    char *end;
    double number = strtod(text, &end);
    bool is_plain = *text == '.' || (*text >= '0' && *text <= '9');
    if (!is_plain || *end || !(number >= min && number <= max))
        return err_input(err, "data set %s: \"%s\" must be a number in [%g, %g], got \"%s\"",
                         spec->text, key, min, max, text);
    *value = number;
    return true;
}

// "32" or "24x40" (height x width).
static bool size_option(const DataSpec *spec, int min_side, int max_side, int64_t *height,
                        int64_t *width, Err *err)
{
    const char *text = option_value(spec, "size");
    if (!text)
        return true;
    const char *cross = strchr(text, 'x');
    bool is_right = cross ? number_parse(text, (size_t)(cross - text), height) &&
                                number_parse(cross + 1, strlen(cross + 1), width)
                          : number_parse(text, strlen(text), height);
    if (!cross)
        *width = *height;
    if (!is_right || *height < min_side || *height > max_side || *width < min_side ||
        *width > max_side)
        return err_input(
            err, "data set %s: \"size\" must be N or HxW with sides in [%d, %d], got \"%s\"",
            spec->text, min_side, max_side, text);
    return true;
}

// One dimension: what the caller asks for must not contradict what the spec says.
static bool dimension_merge(const DataSpec *spec, const char *what, int64_t said, int *asked,
                            Err *err)
{
    if (said && *asked && said != *asked)
        return err_input(err, "data set %s: %s %lld is said here, but %d is asked for", spec->text,
                         what, (long long)said, *asked);
    if (said)
        *asked = (int)said;
    return true;
}

bool spec_shape(const DataSpec *spec, int min_side, int max_side, DataShape *shape, Err *err)
{
    int64_t channels = 0, height = 0, width = 0;
    if (!spec_int(spec, "channels", 1, 3, &channels, err) ||
        !size_option(spec, min_side, max_side, &height, &width, err) ||
        !dimension_merge(spec, "channels", channels, &shape->channels, err) ||
        !dimension_merge(spec, "height", height, &shape->height, err) ||
        !dimension_merge(spec, "width", width, &shape->width, err))
        return false;
    if (shape->channels != 0 && shape->channels != 1 && shape->channels != 3)
        return err_input(err, "data set %s: %s are made with 1 or 3 channels, not %d", spec->text,
                         spec->kind, shape->channels);
    if ((shape->height && (shape->height < min_side || shape->height > max_side)) ||
        (shape->width && (shape->width < min_side || shape->width > max_side)))
        return err_input(err, "data set %s: %s are made with sides in [%d, %d], not %dx%d",
                         spec->text, spec->kind, min_side, max_side, shape->height, shape->width);
    return true;
}
