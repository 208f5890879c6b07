// space_count.c - how many networks a space can express.
//
// In: a space of theta's numbers.  Out: the logarithm of a bound, and the formula.  Every
// combination of the searched integers and choices is one setting; settings that allow the same
// graphs count once.  Floats and shares change how likely a network is, not whether it exists, so
// they are not counted (continuous stage and channel ratios neither, though they move channels).
// Two networks differ if their labelled graphs, ops or merges do, as in Ru et al. 2020, section
// 2.1, whose own 4.58e56 comes without its formula.

#include "space_count.h"
#include "space_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SETTINGS = 1000000 };

const char space_count_formula[] =
    "sum over settings of T s_t^(n_t - 2) (M s_m^(n_m - 2) (B o^n_b s_b^(n_b - 2))^n_m)^n_t; "
    "T, M, B: connected labelled graphs of a level (er: all of n nodes; ws: at most those with n "
    "floor(k / 2) edges, binomial(n (n - 1) / 2, edges); ba: the product of binomial(i, m) over "
    "i = m + 1 .. n - 1; chain: 1); o: ops of positive share; s: merges of positive share, drawn "
    "where a vertex has two inputs or more";

// ---- graphs ------------------------------------------------------------------------------------

static double log_binomial(int n, int k)
{
    return lgamma(n + 1.0) - lgamma(k + 1.0) - lgamma(n - k + 1.0);
}

// Connected labelled graphs: the share of all 2^(n (n-1) / 2), by the component of the first node.
static double log_connected(int n)
{
    double *share = xmalloc(((size_t)n + 1) * sizeof *share), result;
    for (int i = 1; i <= n; i++) {
        share[i] = 1;
        for (int k = 1; k < i; k++)
            share[i] -= share[k] * exp(log_binomial(i - 1, k - 1) - k * (i - k) * log(2));
    }
    result = log(share[n]) + n * (n - 1) / 2.0 * log(2);
    free(share);
    return result;
}

double level_log_graphs(const LevelTheta *level)
{
    int n = level->n, pairs = n * (n - 1) / 2;
    double sum = 0;
    switch (level->graph) {
    case GRAPH_WS:
        return level->p > 0 ? log_binomial(pairs, n * (level->k / 2)) : 0;
    case GRAPH_ER:
        return level->p < 1 ? log_connected(n) : 0;
    case GRAPH_BA:
        for (int i = level->m + 1; i < n; i++)
            sum += log_binomial(i, level->m);
        return sum;
    case GRAPH_CHAIN:
        break;
    }
    return 0;
}

// ---- one setting -------------------------------------------------------------------------------

static int positive_count(const double *weights, int n)
{
    int count = 0;
    for (int i = 0; i < n; i++)
        count += weights[i] > 0;
    return count;
}

// A list of vertices of one level: its graph and the merges.
static double log_list(const LevelTheta *level)
{
    int merging = level->graph == GRAPH_CHAIN ? 0 : level->n > 2 ? level->n - 2 : 0;
    return level_log_graphs(level) + merging * log(positive_count(level->merge, MERGE_DRAWN));
}

double theta_log_networks(const Theta *theta)
{
    const LevelTheta *level = theta->level;
    double node = log_list(&level[LEVEL_BOTTOM]) +
                  level[LEVEL_BOTTOM].n * log(positive_count(theta->atoms, ATOM_COUNT));
    double cell = log_list(&level[LEVEL_MID]) + level[LEVEL_MID].n * node;
    return log_list(&level[LEVEL_TOP]) + level[LEVEL_TOP].n * cell;
}

// What decides which networks a theta can express, for comparison byte by byte.
typedef struct {
    double levels[LEVELS][4 + MERGE_DRAWN];
    double atoms[ATOM_COUNT], ratios[2 * STAGES], depthwise;
    double log_networks;
} Setting;

static Setting setting_of(const Theta *theta)
{
    Setting setting;
    memset(&setting, 0, sizeof setting);
    for (int i = 0; i < LEVELS; i++) {
        const LevelTheta *level = &theta->level[i];
        double *out = setting.levels[i];
        out[0] = level->graph;
        out[1] = level->n;
        out[2] = level->graph == GRAPH_WS ? level->k / 2 : level->graph == GRAPH_BA ? level->m : 0;
        out[3] = level->p <= 0 ? 0 : level->p >= 1 ? 1 : 0.5;
        for (int j = 0; j < MERGE_DRAWN; j++)
            out[4 + j] = level->merge[j] > 0;
    }
    for (int i = 0; i < ATOM_COUNT; i++)
        setting.atoms[i] = theta->atoms[i] > 0;
    memcpy(setting.ratios, theta->stage_ratio, sizeof theta->stage_ratio);
    memcpy(setting.ratios + STAGES, theta->channel_ratio, sizeof theta->channel_ratio);
    setting.depthwise = theta->depthwise;
    setting.log_networks = theta_log_networks(theta);
    return setting;
}

static int setting_compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(Setting));
}

// ---- all settings ------------------------------------------------------------------------------

static int choices_of(const Param *param)
{
    if (strncmp(param->name, "train.", 6) == 0)
        return 1;
    return param->kind == PARAM_INT           ? (int)(param->high - param->low) + 1
           : param->kind == PARAM_CATEGORICAL ? param->n_choices
                                              : 1;
}

// The index-th combination; everything else in the middle of its range.
static void combination(const Space *space, int index, double *x)
{
    for (int i = 0; i < space->n_coords; i++)
        x[i] = 0.5;
    for (int i = 0; i < space->n_params; i++) {
        const Param *param = &space->params[i];
        int count = choices_of(param), choice = index % count;
        index /= count;
        if (count > 1 && param->width)
            x[param->first] =
                param_encode(param, param->kind == PARAM_INT ? param->low + choice : choice);
    }
    space_round(space, x);
}

static bool setting_at(const Space *space, int index, Setting *setting, Err *err)
{
    double x[SPACE_MAX_COORDS];
    ThetaGiven given = {0};
    Theta theta;
    Text text = {0};
    Pool *pool = pool_new();
    combination(space, index, x);
    space_theta_print(space, x, &given, &text);
    bool ok = theta_parse(space->name, text.data, text.length, &theta, pool, err);
    if (ok)
        *setting = setting_of(&theta);
    text_free(&text);
    pool_free(pool);
    return ok;
}

static void settings_sum(Setting *settings, int n, SpaceCount *out)
{
    double largest = -INFINITY, sum = 0;
    int kept = 0;
    qsort(settings, (size_t)n, sizeof *settings, setting_compare);
    for (int i = 0; i < n; i++) {
        if (kept == 0 || setting_compare(&settings[kept - 1], &settings[i]) != 0)
            settings[kept++] = settings[i];
    }
    for (int i = 0; i < kept; i++)
        largest = fmax(largest, settings[i].log_networks);
    for (int i = 0; i < kept; i++)
        sum += exp(settings[i].log_networks - largest);
    out->settings = kept;
    out->log10_largest = largest / log(10);
    out->log10_networks = (largest + log(sum)) / log(10);
}

bool space_count(const Space *space, SpaceCount *out, Err *err)
{
    double combinations = 1;
    int n = 0;
    for (int i = 0; i < space->n_params; i++)
        combinations *= choices_of(&space->params[i]);
    if (combinations > MAX_SETTINGS)
        return err_input(err,
                         "%s: %g combinations of integers and choices, at most %d are counted one "
                         "by one",
                         space->name, combinations, MAX_SETTINGS);
    Setting *settings = xmalloc((size_t)combinations * sizeof *settings);
    Err why = {0};
    for (int i = 0; i < (int)combinations; i++)
        n += setting_at(space, i, &settings[n], &why);
    *out = (SpaceCount){.combinations = (int)combinations, .valid = n};
    if (n > 0)
        settings_sum(settings, n, out);
    else
        *err = why;
    free(settings);
    return n > 0;
}
