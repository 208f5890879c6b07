// space.c - points of the unit cube and the values that they stand for.
//
// In: a Space (space_read.c).  Out: draws, values, hashes, features.  The integer rule is the one
// of ConfigSpace: integers lo..hi share [lo - 0.5, hi + 0.5] evenly (in logarithms if log), so that
// each has the same probability under a uniform draw and a local move can leave any of them.

#include "space_parts.h"

#include <math.h>
#include <string.h>

// A little less than half a bin at either end, so that a rounded end stays inside.
#define BIN_MARGIN 0.49999

static double clamp_unit(double u)
{
    return !(u > 0) ? 0 : u > 1 ? 1 : u;
}

static double scale(bool log_scale, double value)
{
    return log_scale ? log(value) : value;
}

// ---- one parameter -----------------------------------------------------------------------------

static double number_decode(const Param *param, double u)
{
    bool whole = param->kind == PARAM_INT;
    double low = scale(param->log, whole ? param->low - BIN_MARGIN : param->low);
    double high = scale(param->log, whole ? param->high + BIN_MARGIN : param->high);
    double value = low + u * (high - low);
    value = param->log ? exp(value) : value;
    value = whole ? nearbyint(value) : value;
    return value < param->low ? param->low : value > param->high ? param->high : value;
}

double param_encode(const Param *param, double value)
{
    if (param->kind == PARAM_CATEGORICAL)
        return (value + 0.5) / param->n_choices;
    bool whole = param->kind == PARAM_INT;
    double low = scale(param->log, whole ? param->low - BIN_MARGIN : param->low);
    double high = scale(param->log, whole ? param->high + BIN_MARGIN : param->high);
    return high > low ? clamp_unit((scale(param->log, value) - low) / (high - low))
                      : SPACE_INACTIVE;
}

static double param_decode(const Param *param, double u)
{
    if (param->kind != PARAM_CATEGORICAL)
        return number_decode(param, u);
    double index = floor(u * param->n_choices);
    return index < param->n_choices ? index : param->n_choices - 1;
}

// Stick breaking: part i takes 1 - (1 - u)^(1 / parts still to come) of what is left, which makes
// uniform coordinates uniform on the simplex.  Source: Devroye 1986, chapter 5.
void simplex_decode(const Param *param, const double *u, double *shares)
{
    double left = 1;
    for (int i = 0; i < param->n_parts - 1; i++) {
        double part = left * (1 - pow(1 - u[i], 1.0 / (param->n_parts - 1 - i)));
        shares[i] = part;
        left -= part;
    }
    shares[param->n_parts - 1] = left;
    for (int i = 0; i < param->n_parts; i++)
        shares[i] = param->min_share + (1 - param->n_parts * param->min_share) * shares[i];
}

void simplex_encode(const Param *param, const double *shares, double *u)
{
    double left = 1, free = 1 - param->n_parts * param->min_share;
    for (int i = 0; i < param->n_parts - 1; i++) {
        double part = free > 0 ? clamp_unit((shares[i] - param->min_share) / free) : 0;
        double rest = left > 0 ? clamp_unit(1 - part / left) : 0;
        u[i] = clamp_unit(1 - pow(rest, param->n_parts - 1 - i));
        left -= part;
    }
}

// ---- all of them -------------------------------------------------------------------------------

int space_find(const Space *space, const char *name)
{
    for (int i = 0; i < space->n_params; i++) {
        if (strcmp(space->params[i].name, name) == 0)
            return i;
    }
    return -1;
}

double space_value(const Space *space, const double *x, int param)
{
    return param_decode(&space->params[param], x[space->params[param].first]);
}

void space_shares(const Space *space, const double *x, int param, double *shares)
{
    simplex_decode(&space->params[param], x + space->params[param].first, shares);
}

static bool condition_holds(const Space *space, const double *x, const ParamCondition *condition)
{
    if (!space_is_active(space, x, condition->parent))
        return false;
    double value = space_value(space, x, condition->parent);
    for (int i = 0; i < condition->n_values; i++) {
        if (condition->values[i] == value)
            return true;
    }
    return false;
}

// Parents stand above their children, so this ends.
bool space_is_active(const Space *space, const double *x, int param)
{
    const Param *p = &space->params[param];
    for (int i = 0; i < p->n_conditions; i++) {
        if (!condition_holds(space, x, &p->conditions[i]))
            return false;
    }
    return true;
}

// In the order of the parameters: a child sees its parent's rounded value.
void space_round(const Space *space, double *x)
{
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        bool active = space_is_active(space, x, i);
        for (int j = param->first; j < param->first + param->width; j++) {
            x[j] = active ? clamp_unit(x[j]) : SPACE_INACTIVE;
            if (active && (param->kind == PARAM_INT || param->kind == PARAM_CATEGORICAL))
                x[j] = param_encode(param, param_decode(param, x[j]));
        }
    }
}

void space_draw(const Space *space, Random *random, double *x)
{
    for (int i = 0; i < space->n_coords; i++)
        x[i] = random_unit(random);
    space_round(space, x);
}

uint64_t space_hash(const Space *space, const double *x)
{
    double rounded[SPACE_MAX_COORDS];
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    memcpy(rounded, x, (size_t)space->n_coords * sizeof *x);
    space_round(space, rounded);
    for (int i = 0; i < space->n_coords; i++) {
        uint64_t bits;
        double value = rounded[i] + 0.0; // one zero
        memcpy(&bits, &value, sizeof bits);
        for (int byte = 0; byte < 8; byte++)
            hash = (hash ^ (bits >> 8 * byte & 0xFF)) * UINT64_C(0x100000001B3);
    }
    return hash;
}

// The number of configurations of the parameters from `param` on, given the choices made above.
static double count_from(const Space *space, int param, double *x)
{
    if (param == space->n_params)
        return 1;
    const Param *p = &space->params[param];
    if (p->width == 0 || !space_is_active(space, x, param))
        return count_from(space, param + 1, x);
    bool is_parent = false;
    for (int i = param + 1; i < space->n_params; i++) {
        for (int j = 0; j < space->params[i].n_conditions; j++)
            is_parent = is_parent || space->params[i].conditions[j].parent == param;
    }
    double count = p->kind == PARAM_CATEGORICAL ? p->n_choices : p->high - p->low + 1;
    if (!is_parent)
        return count * count_from(space, param + 1, x);
    double sum = 0;
    for (double i = 0; i < count; i++) {
        x[p->first] = param_encode(p, p->kind == PARAM_CATEGORICAL ? i : p->low + i);
        sum += count_from(space, param + 1, x);
    }
    return sum;
}

double space_size(const Space *space)
{
    double x[SPACE_MAX_COORDS] = {0};
    double bound = 1;
    for (int i = 0; i < space->n_params; i++) {
        const Param *p = &space->params[i];
        if ((p->kind == PARAM_FLOAT && p->high > p->low) || p->kind == PARAM_SIMPLEX)
            return INFINITY;
        if (p->kind == PARAM_CATEGORICAL || p->kind == PARAM_INT)
            bound *= p->kind == PARAM_CATEGORICAL ? p->n_choices : p->high - p->low + 1;
    }
    return bound > 1e5 ? bound : count_from(space, 0, x); // with conditions, when it can matter
}

int space_n_features(const Space *space)
{
    int count = space->n_coords;
    for (int i = 0; i < space->n_params; i++) {
        const Param *p = &space->params[i];
        count += p->kind == PARAM_CATEGORICAL && p->n_choices > 2 ? p->n_choices - 1 : 0;
    }
    return count;
}

void space_features(const Space *space, const double *x, double *features)
{
    for (int i = 0; i < space->n_params; i++) {
        const Param *p = &space->params[i];
        if (p->kind != PARAM_CATEGORICAL || p->n_choices <= 2) {
            memcpy(features, x + p->first, (size_t)p->width * sizeof *x);
            features += p->width;
            continue;
        }
        int choice = space_is_active(space, x, i) ? (int)space_value(space, x, i) : -1;
        for (int j = 0; j < p->n_choices; j++)
            *features++ = j == choice;
    }
}
