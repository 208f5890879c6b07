// space.h - what is searched: named parameters, and their places in the unit cube.
//
// A point is a vector x of space->n_coords numbers in [0, 1]; optimisers see nothing else.  A float
// takes one coordinate (linear or logarithmic), an integer one (at the centre of its bin), a
// categorical one (choice i of c stands at (i + 0.5) / c), a simplex of c parts c - 1 (stick
// breaking: uniform coordinates are uniform shares), a fixed value none.  Coordinates of a
// parameter whose condition does not hold are SPACE_INACTIVE: equal configurations have equal
// vectors, and no vector holds a NaN.
#ifndef NAGO_SPACE_H
#define NAGO_SPACE_H

#include "../compiler/base.h"

enum { SPACE_MAX_COORDS = 64, SPACE_MAX_PARAMS = 128, SPACE_MAX_CHOICES = 256 };
#define SPACE_INACTIVE 0.5

typedef enum { PARAM_FLOAT, PARAM_INT, PARAM_CATEGORICAL, PARAM_SIMPLEX, PARAM_FIXED } ParamKind;

// "The parameter `parent` has one of these values": choices of a categorical, values of an integer.
typedef struct {
    int parent; // index of a parameter above this one
    int n_values;
    double *values; // indices of choices, or the integers themselves
} ParamCondition;

typedef struct {
    const char
        *name; // a path of theta.json ("top.n") or any word; "train." starts training options
    ParamKind kind;
    double low, high;     // float and int, both included
    bool log;             // float and int
    int n_choices;        // categorical
    const char **choices; // each as JSON text: "\"a\"", "3", "true"
    int n_parts;          // simplex
    const char **parts;   // names; NULL: its value is an array
    double min_share;     // simplex: the least share of a part
    const char *value;    // fixed: JSON text
    int n_conditions;     // all must hold
    ParamCondition *conditions;
    int first, width; // coordinates first .. first + width - 1
} Param;

typedef struct {
    const char *name; // "hnag", ... or the path it came from
    int n_params, n_coords;
    Param *params;
    Pool *pool; // owns it all
} Space;

// The built-in spaces: "hnag" (the paper's eight numbers), "hnag-full" (with stage and channel
// ratios, merges, ops: 15 coordinates), "rnag" (three Watts-Strogatz graphs in a row),
// "darts-like".
extern const char *const space_names[];
extern const int n_space_names;

// A built-in space by name, else a file space.json.  Errors name line, column, value and rule.
// Released by space_close.
bool space_load(const char *name_or_path, Space **space, Err *err);
// The same from text: {"x": {"type": "float", "range": [0, 1], "log": false},
//   "k": {"type": "int", "range": [2, 5]}, "op": {"type": "categorical", "choices": ["a", "b"]},
//   "w": {"type": "simplex", "parts": ["sum", "concat"], "min": 0.05} (or "parts": 3, an array),
//   "c": {"type": "fixed", "value": 3} (or just "c": 3); any with "when": {"op": ["a"]}}.
bool space_parse(const char *path, const char *text, size_t size, Space **space, Err *err);
void space_close(Space *space); // NULL is allowed
// Canonical space.json: equal text means equal spaces.
void space_print(const Space *space, Text *out);

// A uniform draw (each parameter uniform in its own scale), rounded.
void space_draw(const Space *space, Random *random, double *x);
// Moves x to the nearest point that a configuration has: into [0, 1], integers and choices to the
// centres of their bins, inactive coordinates to SPACE_INACTIVE.  Idempotent.
void space_round(const Space *space, double *x);
bool space_is_active(const Space *space, const double *x, int param);
// The value of a number: a float, an integer, the index of a choice.
double space_value(const Space *space, const double *x, int param);
// The shares of a simplex, n_parts numbers that sum to 1.
void space_shares(const Space *space, const double *x, int param, double *shares);
// Index of a parameter by name; -1 if there is none.
int space_find(const Space *space, const char *name);
// A number of the configuration by name ("train.lr"), searched or fixed; false if it has none.
bool space_number(const Space *space, const double *x, const char *name, double *value);
// Equal for equal configurations only (64 bits): for de-duplication.
uint64_t space_hash(const Space *space, const double *x);
// How many configurations there are: INFINITY if a float or simplex is searched.
double space_size(const Space *space);
// What models are fitted on: as x, but choices one-hot.  At most SPACE_MAX_FEATURES numbers.
enum { SPACE_MAX_FEATURES = SPACE_MAX_COORDS + SPACE_MAX_CHOICES };
int space_n_features(const Space *space);
void space_features(const Space *space, const double *x, double *features);

// {"x": 0.25, "op": "a", ...}: active parameters and fixed ones, in the space's order, on one line.
void space_params_print(const Space *space, const double *x, Text *out);
// The reverse.  Unknown names, values outside their range, missing and inactive ones are errors.
bool space_params_parse(const Space *space, const char *path, const char *text, size_t size,
                        double *x, Err *err);

// What a study says about its networks; what is 0 is left to theta's defaults.
typedef struct {
    int64_t params;
    int channels, height, width, classes;
    uint64_t seed;
} ThetaGiven;
// theta.json: every parameter at its path, those of "train." left out, then what is given.
void space_theta_print(const Space *space, const double *x, const ThetaGiven *given, Text *out);
// The point of a theta.json, for --enqueue.  What the space does not search is not compared.
bool space_theta_parse(const Space *space, const char *path, const char *text, size_t size,
                       double *x, Err *err);

#endif
