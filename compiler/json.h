// json.h - JSON with places: every value knows where it stands, so that a message can point at it.
// Inside the compiler only: theta.c, arch_read.c and safetensors.c read through it.
#ifndef NAGO_JSON_H
#define NAGO_JSON_H

#include "base.h"

typedef enum {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} JsonKind;

typedef struct JsonValue JsonValue;
struct JsonValue {
    JsonKind kind;
    size_t offset;      // of its first byte in the text
    size_t key_offset;  // of its key, in an object
    const char *key;    // decoded; NULL outside objects
    const char *string; // decoded
    double number;      // finite
    int count;          // of children
    JsonValue *child;   // first of an array or object
    JsonValue *next;    // sibling
};

// A parsed text.  With `binary` the text is a part of a binary file, `base` bytes from its start:
// messages then name the byte instead of line and column, and show no source line.
typedef struct {
    const char *path, *text;
    size_t size;
    JsonValue *root;
    bool binary;
    size_t base;
} JsonFile;

enum { JSON_MAX_DEPTH = 64 };

// Parses file->text: file->size bytes, then a NUL that is not part of it.  All that is not exact
// JSON is an input error at its place: syntax, duplicate keys, more than JSON_MAX_DEPTH nested
// levels or `max_values` values, NaN, numbers beyond double, NUL, invalid UTF-8.  Values live in
// `pool`.
bool json_parse(JsonFile *file, size_t max_values, Pool *pool, Err *err);

// Length of the valid UTF-8 sequence at `bytes` (size >= 1), 0 if none: overlong forms and
// surrogates are none.
size_t utf8_length(const char *bytes, size_t size);

// Line and column (characters, from 1) of a byte.
void json_position(const JsonFile *file, size_t offset, int *line, int *column);

// "path:line:column: error: message", the source line, and a caret with the hint ("" for none).
// Returns false.
bool json_error(const JsonFile *file, size_t offset, const char *hint, Err *err, const char *fmt,
                ...) NAGO_PRINTF(5, 6);
// The same for a place kept as line and column; `text` may be NULL (no source line), path too.
bool source_error(const char *path, const char *text, int line, int column, const char *hint,
                  Err *err, const char *fmt, ...) NAGO_PRINTF(7, 8);

// The member of an object with that key; NULL if absent.
JsonValue *json_find(const JsonValue *object, const char *key);

// How a value reads in a message: a number or string as written (cut when long), else "an array",
// ... `shown` has at least JSON_SHOWN bytes.
enum { JSON_SHOWN = 64 };
const char *json_show(const JsonFile *file, const JsonValue *value, char shown[JSON_SHOWN]);

// Checked readers.  `name` is the key as the message should show it; `hint` says what the value
// means.
bool json_is(const JsonFile *file, const JsonValue *value, JsonKind kind, const char *name,
             const char *hint, Err *err);
bool json_integer(const JsonFile *file, const JsonValue *value, const char *name, int64_t low,
                  int64_t high, const char *hint, int64_t *out, Err *err);
bool json_number(const JsonFile *file, const JsonValue *value, const char *name, double low,
                 double high, const char *hint, double *out, Err *err);
// One of `count` names; *out is its index.
bool json_choice(const JsonFile *file, const JsonValue *value, const char *name,
                 const char *const *names, size_t count, size_t *out, Err *err);
// Refuses members of `object` that are not among `known`; `where` ends "unknown key ... in".
bool json_keys(const JsonFile *file, const JsonValue *object, const char *where,
               const char *const *known, size_t count, Err *err);

#endif
