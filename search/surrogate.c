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

static double log_loss(double mean, double variance, double y)
{
    return 0.5 * (log(6.283185307179586 * variance) + (y - mean) * (y - mean) / variance);
}

// What the network, or the process, fitted to n trials expects of m others.
static void predict_others(SurrogateKind kind, const double *x, const double *y, int n, int d,
                           const double *others, int m, Random *random, Prediction *out)
{
    if (kind == SURROGATE_GP) {
        Gp *gp = gp_fit(x, y, n, d);
        gp_predict(gp, others, m, out);
        gp_free(gp);
        return;
    }
    BnnPrediction *predictions = xmalloc((size_t)m * sizeof *predictions);
    Bnn *bnn = network_fit(kind, x, y, n, d, random);
    bnn_predict(bnn, others, m, predictions);
    for (int i = 0; i < m; i++)
        out[i] = (Prediction){predictions[i].mean, predictions[i].spread, predictions[i].noise};
    bnn_free(bnn);
    free(predictions);
}

enum { N_FOLDS = 3, ENOUGH = 50 };

// Mean negative log likelihood of the trials of one fold, by a model of the others.
static double fold_left_out(SurrogateKind kind, const double *x, const double *y, int n, int d,
                            int fold, Random *random)
{
    size_t bytes = (size_t)d * sizeof *x;
    double *points = xmalloc((size_t)n * bytes), *values = xmalloc((size_t)n * sizeof *values);
    Prediction *out = xmalloc((size_t)n * sizeof *out);
    double sum = 0;
    int kept = 0, end = n; // those left out stand at the end, in reverse order
    for (int i = 0; i < n; i++) {
        int at = i % N_FOLDS == fold ? --end : kept++;
        memcpy(points + at * d, x + i * d, bytes);
        values[at] = y[i];
    }
    predict_others(kind, points, values, kept, d, points + kept * d, n - kept, random, out);
    for (int i = kept; i < n; i++)
        sum += log_loss(out[i - kept].mean, out[i - kept].spread + out[i - kept].noise + 1e-12,
                        values[i]);
    free(out);
    free(values);
    free(points);
    return sum / (n - kept);
}

// Of every trial by a model of the other two folds; of one fold alone, where that is enough.
static double left_out(SurrogateKind kind, const double *x, const double *y, int n, int d,
                       Random *random)
{
    int folds = n / N_FOLDS >= ENOUGH ? 1 : N_FOLDS;
    double sum = 0;
    for (int fold = 0; fold < folds; fold++)
        sum += fold_left_out(kind, x, y, n, d, fold, random) / folds;
    return sum;
}

// Keeps the process or the network, whichever expects left-out trials better.  The process's own
// estimate costs nothing, but its length scales have seen all trials: it only says where the
// network need not be asked, below SURE, noise of a tenth of the deviation.
#define SURE (-1.0)
static void auto_fit(Surrogate *surrogate, const double *x, const double *scaled_x, const double *y,
                     int n, Random *random)
{
    int d = surrogate->d;
    surrogate->gp = gp_fit(x, y, n, d);
    if (n < 4 * N_FOLDS || gp_left_out(surrogate->gp) < SURE)
        return;
    double network = left_out(SURROGATE_BNN, scaled_x, y, n, d, random);
    if (network < left_out(SURROGATE_GP, x, y, n, d, random)) {
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
