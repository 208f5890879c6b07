// bnn.h - a Bayesian neural network, sampled by stochastic-gradient Hamiltonian Monte Carlo.
#ifndef NAGO_BNN_H
#define NAGO_BNN_H

#include "../compiler/base.h"

// How a network is sampled.  A precision p is that of a prior N(0, 1 / p) on each weight.
typedef struct {
    bool heteroscedastic; // the noise is a second output; else one number
    double noise_mean;    // prior of the noise's variance s: ln s ~ N(ln noise_mean, noise_spread)
    double noise_spread;
    double input_precision;  // of the first layer, for each input: times d
    double hidden_precision; // of the second and third layer
    double mean_precision;   // of what leads to the mean
    double noise_precision;  // of what leads to the noise
    double step;             // learning rate
    double friction;         // momentum decay
    int burn_in;             // steps
    int keep_every, n_kept;
} BnnSettings;
// Priors under which the sums in each layer have about unit deviation, and the mean twice that.
BnnSettings bnn_settings_default(void);

typedef struct Bnn Bnn;
// Fits x [n][d] -> y [n], n >= 1, both of about zero mean and unit deviation.
Bnn *bnn_fit(const BnnSettings *settings, const double *x, const double *y, int n, int d,
             Random *random);
void bnn_free(Bnn *bnn); // NULL is allowed

typedef struct {
    double mean;   // over the sampled networks
    double spread; // variance of their means: what is not known yet
    double noise;  // mean of their noise variances: how an observation varies beyond that
} BnnPrediction;
// For n points, [n][d].
void bnn_predict(const Bnn *bnn, const double *x, int n, BnnPrediction *out);
int bnn_count(const Bnn *bnn); // networks
// What network `which` says of n points: one function drawn from the posterior.
void bnn_sample(const Bnn *bnn, int which, const double *x, int n, double *out);

#endif
