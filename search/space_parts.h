// space_parts.h - what the files of the space share among themselves.
#ifndef NAGO_SPACE_PARTS_H
#define NAGO_SPACE_PARTS_H

#include "space.h"

#include "../compiler/json.h"

// Unit coordinates of a value (an index, for a categorical) and of shares; the reverse.
double param_encode(const Param *param, double value);
void simplex_encode(const Param *param, const double *shares, double *u);
void simplex_decode(const Param *param, const double *u, double *shares);
// The shortest decimal that reads back as the same double.
void number_print(double number, Text *out);
// A JSON value as compact text, in the pool.
const char *json_text(const JsonFile *file, const JsonValue *value, Pool *pool);
// A word as a JSON string.
void string_print(const char *word, Text *out);
// The built-in space's text; NULL if there is none of that name.
const char *space_builtin(const char *name);

#endif
