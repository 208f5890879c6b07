// json.c - JSON with places and without surprises.
//
// In: text.  Out: a tree of values, each with the byte where it stands.
// A walker goes over the raw text first.  It accepts exactly RFC 8259 (cJSON takes more, and reads
// 1e999 as infinity), bounds depth and size, and notes where values and keys begin, in document
// order.  cJSON then parses the same text; its tree, visited in the same order, meets the notes one
// by one.  Duplicate keys are found last, by sorting the decoded keys of each object.

#include "json.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// none).
size_t utf8_length(const char *bytes, size_t size)
{
    const unsigned char *b = (const unsigned char *)bytes;
    if (b[0] < 0x80)
        return 1;
    size_t length = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC2 || b[0] > 0xF4 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    }
    bool bad = (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F) ||
               (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F);
    return bad ? 0 : length;
}

// ---- walker
// --------------------------------------------------------------------------------------

typedef struct {
    size_t offset, key_offset;
} Place;

typedef struct {
    const JsonFile *file;
    Err *err;
    size_t at; // next byte
    Place *places;
    size_t n_places, capacity, max_values;
    Pool *scratch;
} Walker;

enum { LONGEST_NUMBER = 60 }; // cJSON parses no more than 63 characters of a number

static int peek(const Walker *walker)
{
    return walker->at < walker->file->size ? (unsigned char)walker->file->text[walker->at] : -1;
}

static void skip_space(Walker *walker)
{
    int c = peek(walker);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        walker->at++;
        c = peek(walker);
    }
}

static bool fail_at(const Walker *walker, size_t offset, const char *hint, const char *message)
{
    return json_error(walker->file, offset, hint, walker->err, "%s", message);
}

static bool fail_unexpected(const Walker *walker, const char *expected)
{
    int c = peek(walker);
    size_t at = walker->at;
    const char *hint = "";
    if (c < 0)
        return json_error(walker->file, at, "", walker->err,
                          "%s was expected, got the end of the file", expected);
    if (c == '\'')
        hint = "strings stand in double quotes";
    else if (c == '/' || c == '#')
        hint = "JSON has no comments";
    else if ((c == '}' || c == ']') && (strstr(expected, "key") || strstr(expected, "value")))
        hint = "is there a comma too many?";
    else if (c == '"')
        hint = "is a comma or a colon missing before it?";
    if (c == 0)
        return json_error(walker->file, at, "", walker->err, "%s was expected, got a NUL byte",
                          expected);
    if (c < 0x20 || c == 0x7F || utf8_length(walker->file->text + at, walker->file->size - at) == 0)
        return json_error(walker->file, at, "JSON is UTF-8 text", walker->err,
                          "%s was expected, got the byte 0x%02X", expected, (unsigned)c);
    int length = (int)utf8_length(walker->file->text + at, walker->file->size - at);
    return json_error(walker->file, at, hint, walker->err, "%s was expected, got '%.*s'", expected,
                      length, walker->file->text + at);
}

static int hex4(const Walker *walker, size_t at)
{
    int value = 0;
    for (size_t i = at; i < at + 4; i++) {
        int c = i < walker->file->size ? walker->file->text[i] : 0;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

// At the backslash of an escape.
static bool walk_escape(Walker *walker)
{
    size_t start = walker->at++;
    int c = peek(walker);
    if (c > 0 && strchr("\"\\/bfnrt", c)) {
        walker->at++;
        return true;
    }
    if (c != 'u')
        return fail_at(walker, start, "one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
                       "unknown escape");
    int unit = hex4(walker, start + 2);
    if (unit < 0)
        return fail_at(walker, start, "", "\\u needs four hexadecimal digits");
    if (unit == 0)
        return fail_at(walker, start, "", "a string must not contain the character NUL");
    walker->at = start + 6;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    bool pair = unit < 0xDC00 && walker->at + 1 < walker->file->size &&
                walker->file->text[walker->at] == '\\' && walker->file->text[walker->at + 1] == 'u';
    int low = pair ? hex4(walker, walker->at + 2) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return fail_at(walker, start, "", "half of a surrogate pair");
    walker->at += 6;
    return true;
}

// At the opening quote.
static bool walk_string(Walker *walker)
{
    size_t start = walker->at++;
    for (int c = peek(walker); c != '"'; c = peek(walker)) {
        if (c < 0 || c == '\n')
            return fail_at(walker, start, "", "the string that starts here is never closed");
        if (c == 0)
            return fail_at(walker, walker->at, "", "NUL byte in a string");
        if (c < 0x20)
            return fail_at(walker, walker->at, "write it as an escape, such as \\t",
                           "control character in a string");
        if (c == '\\') {
            if (!walk_escape(walker))
                return false;
            continue;
        }
        size_t length =
            utf8_length(walker->file->text + walker->at, walker->file->size - walker->at);
        if (length == 0)
            return json_error(walker->file, walker->at, "JSON is UTF-8 text", walker->err,
                              "the byte 0x%02X is not valid UTF-8", (unsigned)c);
        walker->at += length;
    }
    walker->at++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool walk_digits(Walker *walker)
{
    if (!is_digit(peek(walker)))
        return fail_unexpected(walker, "a digit");
    while (is_digit(peek(walker)))
        walker->at++;
    return true;
}

static bool walk_number(Walker *walker)
{
    size_t start = walker->at;
    if (peek(walker) == '-')
        walker->at++;
    if (peek(walker) == 'I' || peek(walker) == 'i')
        return fail_at(walker, start, "", "infinity is not a number in JSON");
    bool zero = peek(walker) == '0';
    size_t first = walker->at;
    if (!walk_digits(walker))
        return false;
    if (zero && walker->at > first + 1)
        return fail_at(walker, start, "", "a number must not start with 0 and another digit");
    if (peek(walker) == '.') {
        walker->at++;
        if (!walk_digits(walker))
            return false;
    }
    if (peek(walker) == 'e' || peek(walker) == 'E') {
        walker->at++;
        if (peek(walker) == '+' || peek(walker) == '-')
            walker->at++;
        if (!walk_digits(walker))
            return false;
    }
    if (walker->at - start > LONGEST_NUMBER)
        return fail_at(walker, start, "17 digits carry all that a double holds",
                       "a number must have at most 60 characters");
    return true;
}

// NaN, Infinity, True, none, ...: letters where a value should be.
static bool walk_word(Walker *walker)
{
    static const char *const words[] = {"null", "true", "false"};
    const char *text = walker->file->text + walker->at;
    size_t length = 0, left = walker->file->size - walker->at;
    while (length < left && length < 40 &&
           ((text[length] >= 'a' && text[length] <= 'z') ||
            (text[length] >= 'A' && text[length] <= 'Z')))
        length++;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (length == strlen(words[i]) && memcmp(text, words[i], length) == 0) {
            walker->at += length;
            return true;
        }
    }
    char word[41];
    memcpy(word, text, length);
    word[length] = '\0';
    if (strcmp(word, "NaN") == 0 || strcmp(word, "nan") == 0)
        return fail_at(walker, walker->at, "", "NaN is not a number in JSON");
    if (strcmp(word, "Infinity") == 0 || strcmp(word, "inf") == 0)
        return fail_at(walker, walker->at, "", "infinity is not a number in JSON");
    const char *near = nearest_word(word, words, COUNT_OF(words));
    char hint[80];
    snprintf(hint, sizeof hint, near ? "did you mean %s?" : "strings stand in double quotes", near);
    return json_error(walker->file, walker->at, hint, walker->err, "a value was expected, got %s",
                      word);
}

static bool walk_value(Walker *walker, size_t key_offset, int depth);

static bool walk_member(Walker *walker, int depth)
{
    size_t key = walker->at;
    if (peek(walker) != '"')
        return fail_unexpected(walker, "a key in double quotes");
    if (!walk_string(walker))
        return false;
    skip_space(walker);
    if (peek(walker) != ':')
        return fail_unexpected(walker, "':' after the key");
    walker->at++;
    skip_space(walker);
    return walk_value(walker, key, depth);
}

// At the opening bracket of an array or object.
static bool walk_list(Walker *walker, int depth)
{
    bool object = peek(walker) == '{';
    int close = object ? '}' : ']';
    if (depth == JSON_MAX_DEPTH)
        return fail_at(walker, walker->at, "", "nested deeper than 64 levels");
    walker->at++;
    skip_space(walker);
    if (peek(walker) == close) {
        walker->at++;
        return true;
    }
    for (;;) {
        if (object ? !walk_member(walker, depth + 1) : !walk_value(walker, 0, depth + 1))
            return false;
        skip_space(walker);
        int c = peek(walker);
        if (c != ',' && c != close)
            return fail_unexpected(walker, object ? "',' or '}'" : "',' or ']'");
        walker->at++;
        if (c == close)
            return true;
        skip_space(walker);
    }
}

static bool walk_value(Walker *walker, size_t key_offset, int depth)
{
    if (walker->n_places == walker->max_values)
        return json_error(walker->file, walker->at, "", walker->err, "more than %zu values",
                          walker->max_values);
    if (walker->n_places == walker->capacity)
        walker->places = pool_grow(walker->scratch, walker->places, walker->n_places,
                                   walker->n_places + 1, &walker->capacity, sizeof *walker->places);
    walker->places[walker->n_places++] = (Place){walker->at, key_offset};
    int c = peek(walker);
    if (c == '{' || c == '[')
        return walk_list(walker, depth);
    if (c == '"')
        return walk_string(walker);
    if (c == '-' || is_digit(c))
        return walk_number(walker);
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
        return walk_word(walker);
    return fail_unexpected(walker, "a value");
}

static bool walk_text(Walker *walker)
{
    const JsonFile *file = walker->file;
    if (file->size >= 3 && memcmp(file->text, "\xEF\xBB\xBF", 3) == 0)
        return fail_at(walker, 0, "save it as UTF-8 without BOM",
                       "the file starts with a byte order mark");
    skip_space(walker);
    if (peek(walker) < 0)
        return json_error(file, 0, "", walker->err,
                          file->size ? "the file holds nothing but white space"
                                     : "the file is empty");
    if (!walk_value(walker, 0, 0))
        return false;
    skip_space(walker);
    return peek(walker) < 0 || fail_unexpected(walker, "the end of the file");
}

// ---- tree
// ----------------------------------------------------------------------------------------

typedef struct {
    JsonFile *file;
    const Place *places;
    size_t next, n_places;
    JsonValue *values;
    Pool *pool;
    Err *err;
} Builder;

static JsonKind kind_of(const cJSON *item)
{
    switch (item->type & 0xFF) {
    case cJSON_False:
        return JSON_FALSE;
    case cJSON_True:
        return JSON_TRUE;
    case cJSON_Number:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

static int by_key(const void *a, const void *b)
{
    const JsonValue *x = *(JsonValue *const *)a, *y = *(JsonValue *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : (x->key_offset > y->key_offset) - (x->key_offset < y->key_offset);
}

// Of several duplicates the first in the text is reported.
static bool keys_are_unique(const Builder *builder, const JsonValue *object)
{
    JsonValue **members = xcalloc((size_t)object->count, sizeof *members);
    size_t n = 0;
    for (JsonValue *member = object->child; member; member = member->next)
        members[n++] = member;
    qsort(members, n, sizeof *members, by_key);
    const JsonValue *first = NULL, *second = NULL;
    for (size_t i = 1; i < n; i++) {
        bool same = strcmp(members[i - 1]->key, members[i]->key) == 0;
        if (same && (!second || members[i]->key_offset < second->key_offset)) {
            first = members[i - 1];
            second = members[i];
        }
    }
    free(members);
    if (!second)
        return true;
    char hint[80];
    int line, column;
    json_position(builder->file, first->key_offset, &line, &column);
    snprintf(hint, sizeof hint, "first given in line %d, column %d", line, column);
    return json_error(builder->file, second->key_offset, hint, builder->err,
                      "the key \"%.60s\" is given twice", second->key);
}

// Copies one cJSON item and all below it; items and places come in the same order.
static JsonValue *build(Builder *builder, const cJSON *item, bool *done)
{
    if (builder->next == builder->n_places)
        bug("cJSON found more values than the walker");
    JsonValue *value = &builder->values[builder->next];
    const Place *place = &builder->places[builder->next++];
    value->kind = kind_of(item);
    value->offset = place->offset;
    value->key_offset = place->key_offset;
    if (item->string)
        value->key = pool_strdup(builder->pool, item->string);
    if (value->kind == JSON_STRING)
        value->string = pool_strdup(builder->pool, item->valuestring);
    if (value->kind == JSON_NUMBER) {
        value->number = item->valuedouble;
        if (!isfinite(value->number))
            *done = json_error(builder->file, value->offset, "", builder->err,
                               "the number is too large for a double");
    }
    JsonValue **link = &value->child;
    for (const cJSON *child = item->child; child && *done; child = child->next) {
        *link = build(builder, child, done);
        link = &(*link)->next;
        value->count++;
    }
    if (*done && value->kind == JSON_OBJECT)
        *done = keys_are_unique(builder, value);
    return value;
}

static bool tree_build(JsonFile *file, const Walker *walker, Pool *pool)
{
    cJSON *root = cJSON_ParseWithLength(file->text, file->size);
    if (!root) // the walker accepts only what cJSON does; what is left is malloc
        return err_run(walker->err, "%s: error: out of memory while parsing", file->path);
    Builder builder = {.file = file,
                       .places = walker->places,
                       .n_places = walker->n_places,
                       .values = pool_alloc(pool, walker->n_places * sizeof(JsonValue)),
                       .pool = pool,
                       .err = walker->err};
    bool done = true;
    file->root = build(&builder, root, &done);
    cJSON_Delete(root);
    if (done && builder.next != builder.n_places)
        bug("cJSON found fewer values than the walker");
    return done;
}

bool json_parse(JsonFile *file, size_t max_values, Pool *pool, Err *err)
{
    Walker walker = {.file = file, .err = err, .max_values = max_values, .scratch = pool_new()};
    bool done = walk_text(&walker) && tree_build(file, &walker, pool);
    pool_free(walker.scratch);
    return done;
}

// ---- messages
// ------------------------------------------------------------------------------------

void json_position(const JsonFile *file, size_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < file->size; i++) {
        if (file->text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)file->text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

enum { EXCERPT = 96, EXCERPT_BEFORE = 56 }; // characters of a long line shown, and before the place

// Adds one line of `text` (from `start`), cut around `column`; returns the column where the caret
// goes.
static int excerpt_add(Text *out, const char *start, int column)
{
    int skip = column > EXCERPT ? column - EXCERPT_BEFORE : 0;
    int shown = 0, caret = column - skip;
    if (skip) {
        text_puts(out, "...");
        caret += 3;
    }
    for (const char *c = start; *c && *c != '\n' && *c != '\r'; c++) {
        bool continues = ((unsigned char)*c & 0xC0) == 0x80;
        if (!continues && skip > 0) {
            skip--;
            while (((unsigned char)c[1] & 0xC0) == 0x80)
                c++;
            continue;
        }
        if (!continues && ++shown > EXCERPT) {
            text_puts(out, "...");
            break;
        }
        bool control =
            (unsigned char)*c < 0x20 || *c == 0x7F || (!continues && !utf8_length(c, strlen(c)));
        text_add(out, control ? (*c == '\t' ? " " : "?") : c, 1);
    }
    return caret;
}

static void source_add(Text *out, const char *text, int line, int column, const char *hint)
{
    const char *start = text;
    for (int i = 1; i < line && start; i++) {
        start = strchr(start, '\n');
        start = start ? start + 1 : NULL;
    }
    if (!start || !*start)
        return;
    text_printf(out, "\n%5d | ", line);
    int caret = excerpt_add(out, start, column);
    text_printf(out, "\n      | %*s^%s%s", caret - 1, "", *hint ? " " : "", hint);
}

static bool message_at(const char *path, const char *text, int line, int column, const char *hint,
                       Err *err, const char *message)
{
    Text out = {0};
    text_puts(&out, path ? path : "theta");
    if (line > 0)
        text_printf(&out, ":%d:%d", line, column);
    text_printf(&out, ": error: %s", message);
    size_t before = out.length;
    if (text && line > 0)
        source_add(&out, text, line, column, hint);
    if (out.length == before && *hint)
        text_printf(&out, " (%s)", hint);
    err_input(err, "%s", out.data);
    text_free(&out);
    return false;
}

bool source_error(const char *path, const char *text, int line, int column, const char *hint,
                  Err *err, const char *fmt, ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return message_at(path, text, line, column, hint, err, message);
}

bool json_error(const JsonFile *file, size_t offset, const char *hint, Err *err, const char *fmt,
                ...)
{
    char message[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    if (file->binary)
        return err_input(err, "%s: error: %s (at byte %zu)%s%s", file->path, message,
                         file->base + offset, *hint ? "; " : "", hint);
    int line, column;
    json_position(file, offset, &line, &column);
    return message_at(file->path, file->text, line, column, hint, err, message);
}

const char *json_show(const JsonFile *file, const JsonValue *value, char shown[JSON_SHOWN])
{
    if (value->kind == JSON_ARRAY || value->kind == JSON_OBJECT)
        return strcpy(shown, value->kind == JSON_ARRAY ? "an array" : "an object");
    const char *text = file->text + value->offset;
    size_t left = file->size - value->offset, length = 0;
    bool string = value->kind == JSON_STRING;
    while (length < left && length < JSON_SHOWN - 8) {
        char c = text[length++];
        if (string && c == '\\')
            length++;
        if (string && length > 1 && c == '"')
            break;
        if (!string && (c == ',' || c == '}' || c == ']' || (unsigned char)c <= ' ')) {
            length--;
            break;
        }
    }
    bool cut = length >= JSON_SHOWN - 8;
    while (cut && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--; // not in the middle of a character
    memcpy(shown, text, length);
    strcpy(shown + length, cut ? "..." : "");
    return shown;
}

// ---- readers
// -------------------------------------------------------------------------------------

JsonValue *json_find(const JsonValue *object, const char *key)
{
    for (JsonValue *member = object->child; member; member = member->next) {
        if (member->key && strcmp(member->key, key) == 0)
            return member;
    }
    return NULL;
}

bool json_is(const JsonFile *file, const JsonValue *value, JsonKind kind, const char *name,
             const char *hint, Err *err)
{
    static const char *const kinds[] = {"null",     "false",    "true",     "a number",
                                        "a string", "an array", "an object"};
    if (value->kind == kind)
        return true;
    char shown[JSON_SHOWN];
    return json_error(file, value->offset, hint, err, "%s must be %s, got %s", name, kinds[kind],
                      json_show(file, value, shown));
}

bool json_integer(const JsonFile *file, const JsonValue *value, const char *name, int64_t low,
                  int64_t high, const char *hint, int64_t *out, Err *err)
{
    char shown[JSON_SHOWN];
    if (!json_is(file, value, JSON_NUMBER, name, hint, err))
        return false;
    double number = value->number;
    if (number != floor(number))
        return json_error(file, value->offset, hint, err, "%s must be a whole number, got %s", name,
                          json_show(file, value, shown));
    if (number >= (double)low && number <= (double)high) {
        *out = (int64_t)number;
        return true;
    }
    json_show(file, value, shown);
    if (low == high)
        return json_error(file, value->offset, hint, err, "%s must be %lld, got %s", name,
                          (long long)low, shown);
    if (high == INT32_MAX)
        return json_error(file, value->offset, hint, err, "%s must be at least %lld, got %s", name,
                          (long long)low, shown);
    return json_error(file, value->offset, hint, err, "%s must lie in %lld..%lld, got %s", name,
                      (long long)low, (long long)high, shown);
}

bool json_number(const JsonFile *file, const JsonValue *value, const char *name, double low,
                 double high, const char *hint, double *out, Err *err)
{
    char shown[JSON_SHOWN];
    if (!json_is(file, value, JSON_NUMBER, name, hint, err))
        return false;
    if (value->number < low || value->number > high)
        return json_error(file, value->offset, hint, err, "%s must lie in [%g, %g], got %s", name,
                          low, high, json_show(file, value, shown));
    *out = value->number;
    return true;
}

// "did you mean X?", or all that is possible.
static void hint_names(const char *word, const char *const *names, size_t count, Text *hint)
{
    const char *near = nearest_word(word, names, count);
    if (near) {
        text_printf(hint, "did you mean \"%s\"?", near);
        return;
    }
    text_puts(hint, count == 1 ? "it is" : "one of");
    for (size_t i = 0; i < count; i++)
        text_printf(hint, "%s %s", i ? "," : "", names[i]);
}

bool json_choice(const JsonFile *file, const JsonValue *value, const char *name,
                 const char *const *names, size_t count, size_t *out, Err *err)
{
    Text hint = {0};
    char shown[JSON_SHOWN];
    for (size_t i = 0; value->kind == JSON_STRING && i < count; i++) {
        if (strcmp(value->string, names[i]) == 0) {
            *out = i;
            return true;
        }
    }
    hint_names(value->kind == JSON_STRING ? value->string : "", names, count, &hint);
    bool string = value->kind == JSON_STRING;
    json_error(file, value->offset, hint.data, err,
               string ? "%s cannot be %s" : "%s must be a string, got %s", name,
               json_show(file, value, shown));
    text_free(&hint);
    return false;
}

bool json_keys(const JsonFile *file, const JsonValue *object, const char *where,
               const char *const *known, size_t count, Err *err)
{
    for (const JsonValue *member = object->child; member; member = member->next) {
        size_t i = 0;
        while (i < count && strcmp(member->key, known[i]) != 0)
            i++;
        if (i < count)
            continue;
        Text hint = {0};
        hint_names(member->key, known, count, &hint);
        json_error(file, member->key_offset, hint.data, err, "unknown key \"%.60s\" in %s",
                   member->key, where);
        text_free(&hint);
        return false;
    }
    return true;
}
