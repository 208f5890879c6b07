// surrogate.c - one face for the models: scales on the way in and out.
//
// In: features and values of any scale.  Out: predictions in the same units.  Values are brought to
// zero mean and unit deviation for every model, features for the network too (its initial weights
// and its prior expect that); where a deviation is 0, the scale is 1.

#include "surrogate.h"
#include "bnn.h"
#include "forest.h"
#include "gp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_D = SPACE_MAX_FEATURES + 1 };

struct Surrogate {
    int d;
    double y_mean, y_scale;
    double x_mean[MAX_D], x_scale[MAX_D]; // of the network's inputs
    uint64_t sample_seed;
    Bnn *bnn;
    Gp *gp;
    Forest *forest;
};

static double scale_of(const double *values, int n, int stride, double *mean)
{
    double sum = 0;
    *mean = 0;
    for (int i = 0; i < n; i++)
        *mean += values[i * stride] / n;
    for (int i = 0; i < n; i++)
        sum += (values[i * stride] - *mean) * (values[i * stride] - *mean) / n;
    return sum > 1e-24 * (*mean * *mean + 1e-300) && sum > 0 ? sqrt(sum) : 1;
}

static double *inputs_scale(const Surrogate *surrogate, const double *x, int n)
{
    int d = surrogate->d;
    double *scaled = xmalloc((size_t)n * (size_t)d * sizeof *scaled);
    for (int i = 0; i < n * d; i++)
        scaled[i] = (x[i] - surrogate->x_mean[i % d]) / surrogate->x_scale[i % d];
    return scaled;
}

static Bnn *network_fit(SurrogateKind kind, const double *x, const double *y, int n, int d,
                        Random *random)
{
    BnnSettings settings = bnn_settings_default();
    settings.heteroscedastic = kind != SURROGATE_BNN_HOM;
    return bnn_fit(&settings, x, y, n, d, random);
}

enum { N_FOLDS = 3 };

// Mean negative log likelihood of the trials of one fold, by a network fitted to the others.
static double fold_left_out(const double *x, const double *y, int n, int d, int fold,
                            Random *random)
{
    double *data = xmalloc((size_t)n * (size_t)(d + 1) * sizeof *data), sum = 0;
    double *values = data + n * d;
    int kept = 0, left_out = 0;
    for (int i = 0; i < n; i++) {
        if (i % N_FOLDS == fold)
            continue;
        memcpy(data + kept * d, x + i * d, (size_t)d * sizeof *x);
        values[kept++] = y[i];
    }
    Bnn *bnn = network_fit(SURROGATE_BNN, data, values, kept, d, random);
    for (int i = fold; i < n; i += N_FOLDS, left_out++) {
        BnnPrediction p;
        bnn_predict(bnn, x + i * d, 1, &p);
        double variance = p.spread + p.noise + 1e-12, error = y[i] - p.mean;
        sum += 0.5 * (log(6.283185307179586 * variance) + error * error / variance);
    }
    bnn_free(bnn);
    free(data);
    return sum / left_out;
}

// Keeps the process or the network.  The process is fitted anyway: its own left-out likelihood
// costs nothing.  Below SURE the network is not asked: with noise of a tenth of the deviation,
// which its prior expects, it reaches -0.9 at best.
#define SURE (-1.0)
static void auto_fit(Surrogate *surrogate, const double *x, const double *scaled_x, const double *y,
                     int n, Random *random)
{
    int d = surrogate->d;
    double network = 0;
    surrogate->gp = gp_fit(x, y, n, d);
    double process = gp_left_out(surrogate->gp);
    if (n < 4 * N_FOLDS || process < SURE)
        return;
    for (int fold = 0; fold < N_FOLDS; fold++)
        network += fold_left_out(scaled_x, y, n, d, fold, random) / N_FOLDS;
    if (network < process) {
        gp_free(surrogate->gp);
        surrogate->gp = NULL;
        surrogate->bnn = network_fit(SURROGATE_BNN, scaled_x, y, n, d, random);
    }
}

Surrogate *surrogate_fit(SurrogateKind kind, const double *x, const double *y, int n, int d,
                         Random *random)
{
    Surrogate *surrogate = xcalloc(1, sizeof *surrogate);
    double *scaled = xmalloc((size_t)n * sizeof *scaled);
    *surrogate = (Surrogate){.d = d};
    surrogate->y_scale = scale_of(y, n, 1, &surrogate->y_mean);
    for (int i = 0; i < n; i++)
        scaled[i] = (y[i] - surrogate->y_mean) / surrogate->y_scale;
    for (int j = 0; j < d; j++)
        surrogate->x_scale[j] = scale_of(x + j, n, d, &surrogate->x_mean[j]);
    double *inputs = inputs_scale(surrogate, x, n);
    if (kind == SURROGATE_GP)
        surrogate->gp = gp_fit(x, scaled, n, d);
    else if (kind == SURROGATE_FOREST)
        surrogate->forest = forest_fit(x, scaled, n, d, random);
    else if (kind == SURROGATE_AUTO)
        auto_fit(surrogate, x, inputs, scaled, n, random);
    else
        surrogate->bnn = network_fit(kind, inputs, scaled, n, d, random);
    surrogate->sample_seed = random_u64(random);
    free(inputs);
    free(scaled);
    return surrogate;
}

SurrogateKind surrogate_kind(const Surrogate *surrogate)
{
    return surrogate->gp ? SURROGATE_GP : surrogate->forest ? SURROGATE_FOREST : SURROGATE_BNN;
}

void surrogate_free(Surrogate *surrogate)
{
    if (!surrogate)
        return;
    bnn_free(surrogate->bnn);
    gp_free(surrogate->gp);
    forest_free(surrogate->forest);
    free(surrogate);
}

double surrogate_scale(const Surrogate *surrogate)
{
    return surrogate->y_scale;
}

static void predict_scaled(const Surrogate *surrogate, const double *x, int n, Prediction *out)
{
    if (surrogate->gp) {
        gp_predict(surrogate->gp, x, n, out);
    } else if (surrogate->forest) {
        forest_predict(surrogate->forest, x, n, out);
    } else {
        double *inputs = inputs_scale(surrogate, x, n);
        BnnPrediction *predictions = xmalloc((size_t)n * sizeof *predictions);
        bnn_predict(surrogate->bnn, inputs, n, predictions);
        for (int i = 0; i < n; i++)
            out[i] = (Prediction){predictions[i].mean, predictions[i].spread, predictions[i].noise};
        free(predictions);
        free(inputs);
    }
}

void surrogate_predict(const Surrogate *surrogate, const double *x, int n, Prediction *out)
{
    double scale2 = surrogate->y_scale * surrogate->y_scale;
    predict_scaled(surrogate, x, n, out);
    for (int i = 0; i < n; i++) {
        out[i].mean = surrogate->y_mean + surrogate->y_scale * out[i].mean;
        out[i].spread *= scale2;
        out[i].noise *= scale2;
    }
}

void surrogate_sample(const Surrogate *surrogate, uint64_t which, const double *x, int n,
                      double *out)
{
    Random random = random_stream(surrogate->sample_seed, "posterior", which, 0);
    if (surrogate->gp) {
        gp_sample(surrogate->gp, &random, x, n, out);
    } else if (surrogate->bnn) {
        double *inputs = inputs_scale(surrogate, x, n);
        int net = (int)random_below(&random, (uint64_t)bnn_count(surrogate->bnn));
        bnn_sample(surrogate->bnn, net, inputs, n, out);
        free(inputs);
    } else {
        int tree = (int)random_below(&random, (uint64_t)forest_count(surrogate->forest));
        for (int i = 0; i < n; i++)
            out[i] = forest_tree(surrogate->forest, tree, x + i * surrogate->d);
    }
    for (int i = 0; i < n; i++)
        out[i] = surrogate->y_mean + surrogate->y_scale * out[i];
}
