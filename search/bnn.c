// bnn.c - the surrogate of the paper: d-10-10-10-2, tanh, sampled by SGHMC.
//
// In: points and values.  Out: networks drawn from the posterior.  The second output is the log
// variance l of the noise:  y | x, w ~ Normal(f(x; w), exp(l(x; w))).  A step descends the energy
// of a minibatch with friction, an estimate of the gradient's scale, and noise. Sources: Chen et
// al. 2014; Springenberg et al. 2016 (step, eq. 10; BOHAMIANN); Ru et al. 2020, section 2.2 (second
// output, equation of the variance).
//
// Eight chains run side by side, one in each lane of a vector: every operation is vertical, and the
// networks come from eight starts instead of one.  All arithmetic is written out on vectors of
// fixed width, without libm and without contraction, so that every machine samples the same
// networks.

#include "bnn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { LANES = 8, HIDDEN = 10, BATCH = 20, BLOCK = 4 };
typedef float Lanes __attribute__((vector_size(4 * LANES)));
typedef uint32_t Words __attribute__((vector_size(4 * LANES)));
typedef int32_t Whole __attribute__((vector_size(4 * LANES)));
#define INLINE static inline __attribute__((always_inline))

// Offsets of the parameters: rows of a layer, then its biases.
typedef struct {
    int d, w1, b1, w2, b2, w3, b3, w4, b4, count;
} Layout;

struct Bnn {
    Layout layout;
    int n_nets;  // vectors of LANES networks
    Lanes *nets; // [n_nets][layout.count]
};

static Layout layout_make(int d)
{
    Layout l = {.d = d};
    l.b1 = d * HIDDEN;
    l.w2 = l.b1 + HIDDEN;
    l.b2 = l.w2 + HIDDEN * HIDDEN;
    l.w3 = l.b2 + HIDDEN;
    l.b3 = l.w3 + HIDDEN * HIDDEN;
    l.w4 = l.b3 + HIDDEN;
    l.b4 = l.w4 + 2 * HIDDEN;
    l.count = l.b4 + 2;
    return l;
}

BnnSettings bnn_settings_default(void)
{
    return (BnnSettings){.heteroscedastic = true,
                         .noise_mean = 0.03,
                         .noise_spread = 0.5,
                         .input_precision = 1,
                         .hidden_precision = 4,
                         .mean_precision = 0.5,
                         .noise_precision = 4,
                         .step = 1.5e-2,
                         .friction = 0.05,
                         .burn_in = 2200,
                         .keep_every = 100,
                         .n_kept = 20};
}

// ---- functions of vectors ----------------------------------------------------------------------

INLINE Lanes all(float value)
{
    return (Lanes){0} + value;
}

INLINE Lanes choose(Whole mask, Lanes yes, Lanes no)
{
    return (Lanes)(((Whole)yes & mask) | ((Whole)no & ~mask));
}

INLINE Lanes clamp(Lanes x, float low, float high)
{
    x = choose(x < low, all(low), x);
    return choose(x > high, all(high), x);
}

// Lambert's continued fraction, cut after the seventh term: within 1e-4 for |x| < 5.
INLINE Lanes tanh_lanes(Lanes x)
{
    x = clamp(x, -4.97f, 4.97f);
    Lanes s = x * x;
    return x * (((s + 378.0f) * s + 17325.0f) * s + 135135.0f) /
           (((28.0f * s + 3150.0f) * s + 62370.0f) * s + 135135.0f);
}

// 2^n e^r with |r| <= ln 2 / 2; a Taylor polynomial for the second factor.
INLINE Lanes exp_lanes(Lanes x)
{
    x = clamp(x, -80, 80);
    Whole n = __builtin_convertvector(x * 1.44269504f + 200.5f, Whole) - 200; // rounds
    Lanes whole = __builtin_convertvector(n, Lanes), r = x - whole * 0.693147181f;
    Lanes p = 1.0f / 720 * r + 1.0f / 120;
    p = (((p * r + 1.0f / 24) * r + 1.0f / 6) * r + 0.5f) * r + 1.0f;
    return (p * r + 1.0f) * (Lanes)((n + 127) << 23);
}

// 1 / sqrt(x) for x > 0: a guess from the exponent, then Newton's method.
INLINE Lanes inverse_root(Lanes x)
{
    Lanes y = (Lanes)(0x5F3759DF - ((Whole)x >> 1));
    y = y * (1.5f - 0.5f * x * y * y);
    y = y * (1.5f - 0.5f * x * y * y);
    return y * (1.5f - 0.5f * x * y * y);
}

// ln(x) for x > 0, from the exponent and the series of atanh.
INLINE Lanes log_lanes(Lanes x)
{
    Whole bits = (Whole)x - 0x3F3504F3; // the mantissa from sqrt(1/2) on
    Whole e = bits >> 23;
    Lanes m = (Lanes)((bits & 0x7FFFFF) + 0x3F3504F3);
    Lanes s = (m - 1.0f) / (m + 1.0f), q = s * s;
    Lanes series = ((q * (1.0f / 9) + 1.0f / 7) * q + 1.0f / 5) * q + 1.0f / 3;
    return __builtin_convertvector(e, Lanes) * 0.693147181f + 2.0f * s * (series * q + 1.0f);
}

// ---- random numbers ----------------------------------------------------------------------------

typedef struct {
    Words s[4];
} Generator;

static void generator_seed(Generator *generator, Random *random)
{
    for (int i = 0; i < 4; i++) {
        for (int lane = 0; lane < LANES; lane++)
            generator->s[i][lane] = (uint32_t)(random_u64(random) >> 32) | (i == 0);
    }
}

// xoshiro128++ of Blackman and Vigna 2018, one for each lane.
INLINE Words generator_next(Generator *generator)
{
    Words *s = generator->s, sum = s[0] + s[3];
    Words result = ((sum << 7) | (sum >> 25)) + s[0], t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >> 21);
    return result;
}

// Two normal numbers a lane (Box and Muller).  The angle is drawn from a quarter of the circle, two
// bits move it to another one.
INLINE void normal_pair(Generator *generator, Lanes *a, Lanes *b)
{
    Words u = generator_next(generator), v = generator_next(generator);
    Lanes unit = (__builtin_convertvector((Whole)(u >> 8), Lanes) + 0.5f) * 0x1p-24f;
    Lanes angle = (__builtin_convertvector((Whole)(v >> 8), Lanes) - 8388607.5f) *
                  (0.785398163f / 8388608.0f);
    Lanes square = -2.0f * log_lanes(unit), radius = square * inverse_root(square);
    Lanes q = angle * angle;
    Lanes sine = angle * (((-1.0f / 5040 * q + 1.0f / 120) * q - 1.0f / 6) * q + 1.0f);
    Lanes cosine = ((-1.0f / 720 * q + 1.0f / 24) * q - 0.5f) * q + 1.0f;
    Whole swap = -(Whole)(v & 1);
    cosine = (Lanes)((Words)cosine ^ ((v & 2) << 30));
    *a = radius * choose(swap, sine, cosine);
    *b = radius * choose(swap, cosine, sine);
}

// ---- one network in each lane ------------------------------------------------------------------

// BLOCK examples go through together, so that each weight is loaded, and the gradient of each is
// stored, once for all of them.
typedef struct {
    Lanes of[BLOCK];
} Block;

// out = tanh(W in + b) or W in + b; W is [n_out][n_in].
INLINE void layer(const Lanes *w, const Lanes *b, const Block *in, int n_in, Block *out, int n_out,
                  bool squash)
{
    for (int o = 0; o < n_out; o++) {
        Block sum;
        for (int e = 0; e < BLOCK; e++)
            sum.of[e] = b[o];
        for (int i = 0; i < n_in; i++) {
            for (int e = 0; e < BLOCK; e++)
                sum.of[e] += w[o * n_in + i] * in[i].of[e];
        }
        for (int e = 0; e < BLOCK; e++)
            out[o].of[e] = squash ? tanh_lanes(sum.of[e]) : sum.of[e];
    }
}

// Given the gradient of the sums of a layer: adds those of its parameters to dw, db, and returns
// that of its input's sums, where the input is a tanh (din NULL: not wanted).
INLINE void layer_back(const Lanes *w, const Block *in, int n_in, const Block *dout, int n_out,
                       Lanes *dw, Lanes *db, Block *din)
{
    for (int o = 0; o < n_out; o++) {
        for (int e = 0; e < BLOCK; e++)
            db[o] += dout[o].of[e];
        for (int i = 0; i < n_in; i++) {
            Lanes sum = dw[o * n_in + i];
            for (int e = 0; e < BLOCK; e++)
                sum += dout[o].of[e] * in[i].of[e];
            dw[o * n_in + i] = sum;
        }
    }
    for (int i = 0; din && i < n_in; i++) {
        Block sum = {{{0}}};
        for (int o = 0; o < n_out; o++) {
            for (int e = 0; e < BLOCK; e++)
                sum.of[e] += w[o * n_in + i] * dout[o].of[e];
        }
        for (int e = 0; e < BLOCK; e++)
            din[i].of[e] = sum.of[e] * (1.0f - in[i].of[e] * in[i].of[e]);
    }
}

typedef struct {
    Block h1[HIDDEN], h2[HIDDEN], h3[HIDDEN], out[2];
} Activations;

INLINE void forward(const Layout *l, const Lanes *net, const Block *x, Activations *a)
{
    layer(net + l->w1, net + l->b1, x, l->d, a->h1, HIDDEN, true);
    layer(net + l->w2, net + l->b2, a->h1, HIDDEN, a->h2, HIDDEN, true);
    layer(net + l->w3, net + l->b3, a->h2, HIDDEN, a->h3, HIDDEN, true);
    layer(net + l->w4, net + l->b4, a->h3, HIDDEN, a->out, 2, false);
}

INLINE void backward(const Layout *l, const Lanes *net, const Block *x, const Activations *a,
                     const Block *dout, Lanes *grad)
{
    Block d3[HIDDEN], d2[HIDDEN], d1[HIDDEN];
    layer_back(net + l->w4, a->h3, HIDDEN, dout, 2, grad + l->w4, grad + l->b4, d3);
    layer_back(net + l->w3, a->h2, HIDDEN, d3, HIDDEN, grad + l->w3, grad + l->b3, d2);
    layer_back(net + l->w2, a->h1, HIDDEN, d2, HIDDEN, grad + l->w2, grad + l->b2, d1);
    layer_back(net + l->w1, x, l->d, d1, HIDDEN, grad + l->w1, grad + l->b1, NULL);
}

// ---- the chains --------------------------------------------------------------------------------

typedef struct {
    const BnnSettings *settings;
    Layout layout;
    int n, batch;
    const float *x; // [n][d]
    const float *y;
    Generator generator;
    Lanes *net, *momentum, *grad, *mean, *square, *window; // [layout.count] each
    float *precision;                                      // [layout.count], of the prior
    Block *inputs;                                         // [d]
} Chains;

// One example for each lane: chains do not share minibatches.
INLINE void example_draw(Chains *chains, int row_in_order, int e, Lanes *y)
{
    int d = chains->layout.d, n = chains->n;
    Words word = generator_next(&chains->generator);
    for (int lane = 0; lane < LANES; lane++) {
        int row = n <= BATCH ? row_in_order : (int)((uint64_t)word[lane] * (uint64_t)n >> 32);
        (*y)[lane] = chains->y[row];
        for (int j = 0; j < d; j++)
            chains->inputs[j].of[e][lane] = chains->x[row * d + j];
    }
}

// N times the gradient of the energy, over one minibatch and the priors.
INLINE void gradient(Chains *chains)
{
    const BnnSettings *s = chains->settings;
    const Layout *l = &chains->layout;
    float scale = (float)chains->n / (float)chains->batch;
    float pull = (float)(1 / (s->noise_spread * chains->batch)), ln_m = (float)log(s->noise_mean);
    for (int i = 0; i < l->count; i++)
        chains->grad[i] = chains->precision[i] * chains->net[i];
    for (int first = 0; first < chains->batch; first += BLOCK) {
        Activations a;
        Block y = {{{0}}}, dout[2] = {{{{0}}}};
        int count = chains->batch - first < BLOCK ? chains->batch - first : BLOCK;
        for (int e = 0; e < count; e++)
            example_draw(chains, first + e, e, &y.of[e]);
        forward(l, chains->net, chains->inputs, &a);
        for (int e = 0; e < count; e++) { // those beyond the batch have no gradient
            Lanes error = a.out[0].of[e] - y.of[e],
                  precision = 1.0f / (exp_lanes(a.out[1].of[e]) + 1e-16f);
            dout[0].of[e] = scale * error * precision;
            dout[1].of[e] =
                scale * 0.5f * (1.0f - error * error * precision) + pull * (a.out[1].of[e] - ln_m);
        }
        backward(l, chains->net, chains->inputs, &a, dout, chains->grad);
    }
    for (int i = 0; i < HIDDEN && !s->heteroscedastic; i++)
        chains->grad[l->w4 + HIDDEN + i] = all(0); // the noise has its bias alone
}

INLINE void adapt(Chains *chains, int i, Lanes grad)
{
    Lanes mean = chains->mean[i], square = chains->square[i], window = chains->window[i];
    Lanes rate = 1.0f / (window + 1.0f);
    chains->window[i] = window + 1.0f - window * mean * mean / (square + 1e-16f);
    chains->mean[i] = mean + rate * (grad - mean);
    chains->square[i] = square + rate * (grad * grad - square);
}

INLINE void move(Chains *chains, int i, Lanes noise)
{
    const BnnSettings *s = chains->settings;
    float step2 = (float)(s->step * s->step), friction = (float)s->friction;
    Lanes inverse = inverse_root(chains->square[i] + 1e-20f);
    Lanes variance = 2.0f * step2 * friction * inverse - step2 * step2;
    variance = choose(variance < 1e-16f, all(1e-16f), variance);
    Lanes *p = &chains->momentum[i];
    *p += variance * inverse_root(variance) * noise - step2 * inverse * chains->grad[i] -
          friction * *p;
    chains->net[i] += *p;
}

INLINE void steps_any(Chains *chains, int count, bool burn_in)
{
    for (int step = 0; step < count; step++) {
        gradient(chains);
        for (int i = 0; i < chains->layout.count; i += 2) { // an even number of parameters
            Lanes noise[2];
            normal_pair(&chains->generator, &noise[0], &noise[1]);
            for (int j = i; j < i + 2; j++) {
                if (burn_in)
                    adapt(chains, j, chains->grad[j]);
                move(chains, j, noise[j - i]);
            }
        }
        const BnnSettings *s = chains->settings;
        for (int i = 0; i < HIDDEN && !s->heteroscedastic; i++)
            chains->net[chains->layout.w4 + HIDDEN + i] = all(0);
    }
}

static void steps_base(Chains *chains, int count, bool burn_in)
{
    steps_any(chains, count, burn_in);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void steps_avx2(Chains *chains, int count, bool burn_in)
{
    steps_any(chains, count, burn_in);
}
#endif

static void steps(Chains *chains, int count, bool burn_in)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        steps_avx2(chains, count, burn_in);
        return;
    }
#endif
    steps_base(chains, count, burn_in);
}

static void *lanes_new(size_t count)
{
    size_t bytes = count * sizeof(Lanes);
    void *memory = aligned_alloc(sizeof(Lanes), bytes);
    if (!memory)
        bug("no memory for %zu vectors", count);
    return memset(memory, 0, bytes);
}

static void layer_init(Lanes *w, int n_in, int n_out, Random *random)
{
    double bound = 1 / sqrt(n_in);
    for (int i = 0; i < n_in * n_out + n_out; i++) {
        for (int lane = 0; lane < LANES; lane++)
            w[i][lane] = (float)(bound * (2 * random_unit(random) - 1));
    }
}

static void fill(float *values, int from, int to, double value)
{
    for (int i = from; i < to; i++)
        values[i] = (float)value;
}

// Biases: 1.
static void precisions_init(Chains *chains)
{
    const BnnSettings *s = chains->settings;
    const Layout *l = &chains->layout;
    float *p = chains->precision = xmalloc((size_t)l->count * sizeof *p);
    fill(p, 0, l->count, 1);
    fill(p, l->w1, l->b1, s->input_precision * l->d);
    fill(p, l->w2, l->b2, s->hidden_precision);
    fill(p, l->w3, l->b3, s->hidden_precision);
    fill(p, l->w4, l->w4 + HIDDEN, s->mean_precision);
    fill(p, l->w4 + HIDDEN, l->b4, s->noise_precision);
}

static void chains_init(Chains *chains, Random *random)
{
    const Layout *l = &chains->layout;
    size_t count = (size_t)l->count;
    chains->net = lanes_new(6 * count);
    chains->momentum = chains->net + count;
    chains->grad = chains->net + 2 * count;
    chains->mean = chains->net + 3 * count;
    chains->square = chains->net + 4 * count;
    chains->window = chains->net + 5 * count;
    chains->inputs = lanes_new((size_t)l->d * BLOCK);
    layer_init(chains->net + l->w1, l->d, HIDDEN, random);
    layer_init(chains->net + l->w2, HIDDEN, HIDDEN, random);
    layer_init(chains->net + l->w3, HIDDEN, HIDDEN, random);
    layer_init(chains->net + l->w4, HIDDEN, 2, random);
    for (int i = 0; i < HIDDEN && !chains->settings->heteroscedastic; i++)
        chains->net[l->w4 + HIDDEN + i] = all(0);
    chains->net[l->b4 + 1] = all((float)log(chains->settings->noise_mean));
    for (int i = 0; i < l->count; i++)
        chains->mean[i] = chains->square[i] = chains->window[i] = all(1);
    generator_seed(&chains->generator, random);
}

Bnn *bnn_fit(const BnnSettings *settings, const double *x, const double *y, int n, int d,
             Random *random)
{
    Chains chains = {
        .settings = settings, .layout = layout_make(d), .n = n, .batch = n < BATCH ? n : BATCH};
    float *numbers = xmalloc((size_t)n * (size_t)(d + 1) * sizeof *numbers);
    for (int i = 0; i < n * d; i++)
        numbers[i] = (float)x[i];
    for (int i = 0; i < n; i++)
        numbers[n * d + i] = (float)y[i];
    chains.x = numbers;
    chains.y = numbers + n * d;
    precisions_init(&chains);
    Bnn *bnn = xmalloc(sizeof *bnn);
    size_t count = (size_t)chains.layout.count;
    *bnn = (Bnn){chains.layout, settings->n_kept, lanes_new((size_t)settings->n_kept * count)};
    chains_init(&chains, random);
    steps(&chains, settings->burn_in, true);
    for (int i = 0; i < settings->n_kept; i++) {
        steps(&chains, settings->keep_every, false);
        memcpy(bnn->nets + (size_t)i * count, chains.net, count * sizeof *bnn->nets);
    }
    free(chains.inputs);
    free(chains.precision);
    free(chains.net);
    free(numbers);
    return bnn;
}

void bnn_free(Bnn *bnn)
{
    if (bnn)
        free(bnn->nets);
    free(bnn);
}

// ---- predictions -------------------------------------------------------------------------------

typedef struct {
    Block sum, squares, noise; // over the networks of a lane
} Sums;

INLINE void sums_any(const Bnn *bnn, const Block *inputs, Sums *sums)
{
    *sums = (Sums){0};
    for (int i = 0; i < bnn->n_nets; i++) {
        Activations a;
        forward(&bnn->layout, bnn->nets + i * bnn->layout.count, inputs, &a);
        for (int e = 0; e < BLOCK; e++) {
            sums->sum.of[e] += a.out[0].of[e];
            sums->squares.of[e] += a.out[0].of[e] * a.out[0].of[e];
            sums->noise.of[e] += exp_lanes(a.out[1].of[e]);
        }
    }
}

static void sums_base(const Bnn *bnn, const Block *inputs, Sums *sums)
{
    sums_any(bnn, inputs, sums);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sums_avx2(const Bnn *bnn, const Block *inputs,
                                                      Sums *sums)
{
    sums_any(bnn, inputs, sums);
}
#endif

static void sums_add(const Bnn *bnn, const Block *inputs, Sums *sums)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) {
        sums_avx2(bnn, inputs, sums);
        return;
    }
#endif
    sums_base(bnn, inputs, sums);
}

// A chain that diverged does not vote.
static BnnPrediction lanes_join(const Bnn *bnn, const Sums *sums, int e)
{
    double sum = 0, squares = 0, noise = 0;
    int count = 0;
    for (int lane = 0; lane < LANES; lane++) {
        double f = (double)sums->sum.of[e][lane], f2 = (double)sums->squares.of[e][lane];
        double s2 = (double)sums->noise.of[e][lane];
        if (!isfinite(f + f2 + s2))
            continue;
        sum += f;
        squares += f2;
        noise += s2;
        count += bnn->n_nets;
    }
    if (!count)
        return (BnnPrediction){0, 1, 1};
    double mean = sum / count;
    return (BnnPrediction){mean, fmax(0, squares / count - mean * mean), noise / count};
}

static void inputs_fill(const Bnn *bnn, const double *x, int count, Block *inputs)
{
    for (int j = 0; j < bnn->layout.d; j++) {
        for (int e = 0; e < BLOCK; e++)
            inputs[j].of[e] = all(e < count ? (float)x[e * bnn->layout.d + j] : 0);
    }
}

void bnn_predict(const Bnn *bnn, const double *x, int n, BnnPrediction *out)
{
    Block *inputs = lanes_new((size_t)bnn->layout.d * BLOCK);
    for (int first = 0; first < n; first += BLOCK) {
        Sums sums;
        int count = n - first < BLOCK ? n - first : BLOCK;
        inputs_fill(bnn, x + first * bnn->layout.d, count, inputs);
        sums_add(bnn, inputs, &sums);
        for (int e = 0; e < count; e++)
            out[first + e] = lanes_join(bnn, &sums, e);
    }
    free(inputs);
}

int bnn_count(const Bnn *bnn)
{
    return bnn->n_nets * LANES;
}

void bnn_sample(const Bnn *bnn, int which, const double *x, int n, double *out)
{
    const Lanes *net = bnn->nets + which / LANES * bnn->layout.count;
    Block *inputs = lanes_new((size_t)bnn->layout.d * BLOCK);
    for (int first = 0; first < n; first += BLOCK) {
        Activations a;
        int count = n - first < BLOCK ? n - first : BLOCK;
        inputs_fill(bnn, x + first * bnn->layout.d, count, inputs);
        forward(&bnn->layout, net, inputs, &a);
        for (int e = 0; e < count; e++) {
            double value = (double)a.out[0].of[e][which % LANES];
            out[first + e] = isfinite(value) ? value : 0;
        }
    }
    free(inputs);
}
