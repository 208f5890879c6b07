// prop_nets.c - what must hold for every network, on networks drawn from the whole space of thetas:
// all generators, merges and ops, odd and rectangular sizes, both stems, 2 to 100 classes, batches
// of 1 to 70 images (up to three groups of 32) and fewer images than the batch.
//
// For each: the IR is right after every pass; live tensors never overlap; the memory plan, the
// second thread and gcc in place of tcc change no bit; what is beyond the count of a call changes
// nothing (those images are NaN, as is all memory before the first step); writing the file twice
// gives the same text; logits, loss, gradients and statistics are the reference's, by direct
// convolutions, by Winograd's, and with no op fused.
//
// The last is a matter of float against double.  Tolerance: the float32 line of docs/semantics.md,
// 5 (1e-4 of max(1, |v|), gradients 5e-3 of the tensor's largest; 20 times that where every 3x3
// convolution is Winograd's), plus NOISE times what the same net's numbers move by when images and
// weights are jittered by a unit in the last place.  Those runs round everywhere differently, so
// they measure what rounding alone does to this net: little in most, much where a batch
// normalisation sees two values or a ReLU sits at its kink.
// Whether such a ReLU falls to the same side is a toss of a coin, so an error that two runs do not
// explain gets up to 40, with jitters that grow to 16 units: it must then be what the exact net
// does a hair's breadth away.  A mistake in a kernel or a pass is explained by none.  The last test
// counts the nets whose tolerance grew large, so that the check cannot go blunt unseen.
//
//     SEED=17 build/tests/prop_nets    one network        NAGO_LONG=1 ...    500 instead of 40
#define _GNU_SOURCE
#include "ir_checks.h"

#include <math.h>
#include <stdio.h>

#include "../compiler/emit.h"
#include "../runtime/evaluate.h"
#include "../runtime/kernels.h"
#include "../runtime/reference.h"
#include "random_theta.h"

enum { SHORT_NETS = 40, LONG_NETS = 500, LARGEST_BATCH = 70, LEAST_JITTERS = 2, MOST_JITTERS = 40 };
#define WORK 6e7           // multiply-adds of a forward pass, all images
#define ARENA_FLOATS 1.5e8 // without plan
#define NOISE 3
#define WINOGRAD 20 // its tolerance is so many times that of direct convolutions

// ---- a network and its data ---------------------------------------------------------------------

typedef struct {
    uint64_t seed;
    Pool *pool;
    Arch arch;
    int batch, count; // images of the net, of the calls
    float smoothing, dropout;
    int n_params, n_running;
    int64_t param_count, running_count;
    const NetTensor *param_tensors, *running_tensors;
    float *params, *running; // the weights that every run starts from
    bool has_statistics;     // running ones as training leaves them
    float *images;           // [batch], those beyond count are NaN
    int *labels;
} Sample;

static void sample_theta(Sample *s, Random *random, Theta *theta)
{
    static const int large[10] = {3, 4, 4, 5, 5, 6, 6, 7, 8, 10};
    const bool is_small = s->seed <= SHORT_NETS, is_large_image = s->seed % 8 == 3;
    const int largest = is_small ? random_between(random, 2, 4) : large[random_below(random, 10)];
    Text text = {0};
    Err err = {0};
    random_theta(s->seed, largest, largest > 5 ? 9 : 15, &text);
    if (!theta_parse("random", text.data, text.length, theta, s->pool, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    theta->params = 500 << random_below(random, 8);
    if (is_large_image) {
        theta->height = random_between(random, 40, 53);
        theta->width = random_between(random, 40, 53);
    }
}

// The drawn budget, or the next power of two above that is feasible.
static void sample_arch(Sample *s, Theta *theta)
{
    Err err = {0};
    while (!arch_sample(theta, &s->arch, s->pool, &err)) {
        if (!strstr(err.message, "\"params\"") || theta->params > MAX_OPS * 1000000ll)
            fail_msg("%s", err.message);
        theta->params *= 2;
        err = (Err){0};
    }
}

// Floats of the whole arena without a plan.
static double sample_floats(const Sample *s, int batch)
{
    Pool *pool = pool_new();
    const PassOptions how = {.training = true, .plan = false};
    const Ir *ir = checked_passes(&s->arch, batch, how, pool);
    const double floats = (double)ir->arena_floats;
    pool_free(pool);
    return floats;
}

// What the net's tensors are, and a batch that the machine can take.
static void sample_sizes(Sample *s, Random *random)
{
    const PassOptions how = {.training = true, .plan = true};
    const Ir *ir = checked_passes(&s->arch, 1, how, s->pool);
    s->n_params = ir->n_params;
    s->n_running = ir->n_running;
    s->param_tensors = ir->params;
    s->running_tensors = ir->running;
    s->param_count = ir->param_count;
    s->running_count = ir->running_count;
    s->batch = random_between(random, 1, LARGEST_BATCH);
    while (s->batch > 1 && (double)ir->macs * s->batch > WORK)
        s->batch = (s->batch + 1) / 2;
    while (s->batch > 1 && sample_floats(s, s->batch) > ARENA_FLOATS)
        s->batch = (s->batch + 1) / 2;
    s->count = random_below(random, 2) ? s->batch : random_between(random, 1, s->batch);
    s->smoothing = random_below(random, 2) ? 0.0f : 0.1f;
    s->dropout = random_below(random, 2) ? 0.0f : 0.2f;
}

// Initial weights with everything that starts at 0 or 1 moved.
static void sample_weights(Sample *s, Random *random)
{
    s->params = pool_alloc(s->pool, (size_t)s->param_count * sizeof *s->params);
    s->running = pool_alloc(s->pool, (size_t)s->running_count * sizeof *s->running);
    net_init(s->param_tensors, s->n_params, s->seed, s->params);
    net_init(s->running_tensors, s->n_running, s->seed, s->running);
    for (int t = 0; t < s->n_params; t++)
        for (int64_t i = 0; s->param_tensors[t].rank == 1 && i < s->param_tensors[t].count; i++)
            s->params[s->param_tensors[t].offset + i] += 0.2f * (float)random_normal(random);
}

static void sample_images(Sample *s, Random *random)
{
    const int size = s->arch.channels * s->arch.height * s->arch.width;
    s->images = pool_alloc(s->pool, (size_t)(s->batch * size) * sizeof *s->images);
    s->labels = pool_alloc(s->pool, (size_t)s->batch * sizeof *s->labels);
    for (int i = 0; i < s->batch * size; i++)
        s->images[i] = i < s->count * size ? (float)random_normal(random) : NAN;
    for (int n = 0; n < s->batch; n++)
        s->labels[n] = n < s->count ? random_between(random, 0, s->arch.classes - 1) : -1000000;
}

static void sample_open(Sample *s, uint64_t seed)
{
    Random random = random_stream(seed, "prop nets", 0, 0);
    Theta theta;
    *s = (Sample){.seed = seed, .pool = pool_new()};
    sample_theta(s, &random, &theta);
    sample_arch(s, &theta);
    sample_sizes(s, &random);
    sample_weights(s, &random);
    sample_images(s, &random);
}

// ---- running it ---------------------------------------------------------------------------------

// What a net computes, in one array: everything that the reference computes too (evaluation; the
// first step of training), then what a second step leaves.
enum { EVAL, TRAIN, LOSS, GRADS, RUNNING, PARAMS, QUANTITIES, AFTER2 = QUANTITIES, PIECES };
static const char *const piece_name[PIECES] = {
    "evaluation logits", "training logits",  "loss", "gradients", "running statistics",
    "parameters",        "second step's end"};

typedef struct {
    size_t begin[PIECES + 1]; // of each piece
    float *values;
} Answer;

static Answer answer_new(const Sample *s)
{
    const int64_t logits = (int64_t)s->count * s->arch.classes;
    const int64_t size[PIECES] = {logits,
                                  logits,
                                  1,
                                  s->param_count,
                                  s->running_count,
                                  s->param_count,
                                  1 + 2 * s->param_count + s->running_count};
    Answer a = {.begin = {0}};
    for (int i = 0; i < PIECES; i++)
        a.begin[i + 1] = a.begin[i] + (size_t)size[i];
    a.values = pool_alloc(s->pool, a.begin[PIECES] * sizeof *a.values);
    return a;
}

static void answer_put(Answer *a, int piece, size_t at, const float *values, int64_t count)
{
    memcpy(a->values + a->begin[piece] + at, values, (size_t)count * sizeof *values);
}

// A net with its memory and threads.
typedef struct {
    const Sample *sample;
    Net *net;
    Team *team;
    Memory memory;
    NetMemory at;
} Engine;

static void engine_open(Engine *e, const Sample *s, NetOptions options)
{
    Err err = {0};
    options.batch = s->batch;
    *e = (Engine){.sample = s, .team = team_open(options.threads, &err)};
    if (e->team)
        e->net = net_open(&s->arch, &options, kernels_table(), &err);
    if (!e->net || !net_memory_open(&e->at, e->net, true, &e->memory, &err))
        fail_msg("%s", err.message);
}

static void engine_close(Engine *e)
{
    memory_release(&e->memory);
    net_close(e->net);
    team_close(e->team);
}

typedef struct {
    nk_program *program;
    const nk_call *call;
} Run;

static void run_part(void *argument, int part, int parts)
{
    const Run *run = argument;
    run->program(run->call, part, parts);
}

// Runs a program; the arena, and the logits, are NaN beforehand.
static void engine_run(Engine *e, nk_program *program, const nk_call *call)
{
    Run run = {program, call};
    memset(e->at.arena, 0xff, (size_t)e->net->arena_bytes);
    memset(e->at.logits, 0xff, (size_t)(e->net->batch * e->sample->arch.classes) * sizeof(float));
    team_run(e->team, run_part, &run);
}

#define LEARNING_RATE 0.05f
#define MOMENTUM 0.9f
#define WEIGHT_DECAY 1e-3f

// What a run starts from: the sample's own numbers, or jittered ones.
typedef struct {
    const float *params, *running, *images;
} Start;

static Start sample_start(const Sample *s)
{
    return (Start){s->params, s->running, s->images};
}

// Evaluation and two steps of training.
static Answer engine_answer(Engine *e, Start from)
{
    const Sample *s = e->sample;
    const int64_t logits = (int64_t)s->count * s->arch.classes;
    Answer a = answer_new(s);
    float loss;
    nk_call call = net_memory_call(&e->at, e->team);
    call.images = from.images;
    call.labels = s->labels;
    call.loss = &loss;
    call.count = s->count;
    call.learning_rate = LEARNING_RATE;
    call.momentum = MOMENTUM;
    call.weight_decay = WEIGHT_DECAY;
    call.label_smoothing = s->smoothing;
    call.dropout = s->dropout;
    call.seed = s->seed;
    memset(e->at.grads, 0xff, (size_t)s->param_count * sizeof(float));
    memset(e->at.state, 0, (size_t)e->net->state_count * sizeof(float));
    memcpy(e->at.params, from.params, (size_t)s->param_count * sizeof(float));
    memcpy(e->at.state, from.running, (size_t)s->running_count * sizeof(float));
    engine_run(e, e->net->infer, &call);
    answer_put(&a, EVAL, 0, e->at.logits, logits);
    engine_run(e, e->net->gradient, &call);
    answer_put(&a, TRAIN, 0, e->at.logits, logits);
    answer_put(&a, LOSS, 0, &loss, 1);
    answer_put(&a, GRADS, 0, e->at.grads, s->param_count);
    answer_put(&a, RUNNING, 0, e->at.state, s->running_count);
    engine_run(e, e->net->update, &call);
    answer_put(&a, PARAMS, 0, e->at.params, s->param_count);
    call.step = 1;
    engine_run(e, e->net->gradient, &call);
    engine_run(e, e->net->update, &call);
    answer_put(&a, AFTER2, 0, &loss, 1);
    answer_put(&a, AFTER2, 1, e->at.params, s->param_count);
    answer_put(&a, AFTER2, 1 + (size_t)s->param_count, e->at.state, e->net->state_count);
    return a;
}

// The name of the tensor that holds element `at` of a piece.
static const char *tensor_at(const Sample *s, int piece, size_t at)
{
    const bool running = piece == RUNNING;
    const NetTensor *t = running ? s->running_tensors : s->param_tensors;
    if (piece != GRADS && piece != PARAMS && !running)
        return "";
    while (at >= (size_t)(t->offset + t->count))
        t++;
    return t->name;
}

static void assert_same_bits(const Sample *s, const Answer *a, const Answer *b, const char *what)
{
    for (int piece = 0; piece < PIECES; piece++)
        for (size_t i = a->begin[piece]; i < a->begin[piece + 1]; i++)
            if (memcmp(a->values + i, b->values + i, sizeof(float)) != 0) {
                const size_t at = i - a->begin[piece];
                fail_msg("%s: %s, element %zu %s: %.9g against %.9g", what, piece_name[piece], at,
                         tensor_at(s, piece, at), (double)b->values[i], (double)a->values[i]);
            }
}

// A net compiled in another way computes the same bits.
static void assert_variant(const Sample *s, const Answer *base, NetOptions options,
                           const char *what)
{
    Engine e;
    engine_open(&e, s, options);
    const Answer a = engine_answer(&e, sample_start(s));
    engine_close(&e);
    assert_same_bits(s, base, &a, what);
}

// Running statistics as training leaves them, with which the logits depend on the image: those of
// the batch, which one step from 0 and 1 moves a tenth of the way to.
static void sample_statistics(Sample *s, Engine *e, Random *random)
{
    const Answer a = engine_answer(e, sample_start(s));
    const float *moved = a.values + a.begin[RUNNING];
    s->has_statistics = true;
    for (int t = 0; t < s->n_running; t++)
        for (int64_t i = 0; i < s->running_tensors[t].count; i++) {
            const int64_t at = s->running_tensors[t].offset + i;
            const float of_batch = s->running[at] + 10.0f * (moved[at] - s->running[at]);
            const float factor = 1.0f + 0.1f * (float)random_normal(random);
            s->running[at] = s->running_tensors[t].init == INIT_ONE
                                 ? fabsf(factor * of_batch) + 0.02f
                                 : factor * of_batch;
        }
}

// ---- the reference ------------------------------------------------------------------------------

// The factors of the head's features that the kernel draws, [count][HEAD_CHANNELS].
static double *dropout_factors(const Sample *s)
{
    typedef void Dropout(float *, const float *, int, int, unsigned long long, unsigned long long,
                         float, int, int);
    const int groups = (s->count + LANES - 1) / LANES, size = groups * HEAD_CHANNELS * LANES;
    float *ones = pool_alloc(s->pool, (size_t)size * sizeof *ones);
    double *factors = pool_alloc(s->pool, (size_t)(s->count * HEAD_CHANNELS) * sizeof *factors);
    const KernelEntry *k = kernels_table();
    for (int i = 0; i < size; i++)
        ones[i] = 1.0f;
    while (strcmp(k->name, "dropout") != 0)
        k++;
    ((Dropout *)k->address)(ones, ones, HEAD_CHANNELS, groups, s->seed, 0, s->dropout, 0, 1);
    for (int n = 0; n < s->count; n++)
        for (int c = 0; c < HEAD_CHANNELS; c++)
            factors[n * HEAD_CHANNELS + c] =
                (double)ones[(n / LANES * HEAD_CHANNELS + c) * LANES + n % LANES];
    return factors;
}

typedef enum { TAKE_VALUES, TAKE_GRADS } Take;

// Copies tensors between the flat vector and the reference by name; checks that shapes agree.
static void exchange(Reference *reference, const NetTensor *tensors, int n, const float *from,
                     double *to, Take take)
{
    for (int t = 0; t < n; t++) {
        ReferenceTensor *r = reference_find(reference, tensors[t].name);
        if (!r || r->rank != tensors[t].rank || (int64_t)r->count != tensors[t].count ||
            memcmp(r->shape, tensors[t].shape, (size_t)r->rank * sizeof *r->shape) != 0)
            fail_msg("%s has another shape in the reference", tensors[t].name);
        for (size_t i = 0; i < r->count; i++)
            if (from)
                r->values[i] = (double)from[(size_t)tensors[t].offset + i];
            else
                to[(size_t)tensors[t].offset + i] = take == TAKE_GRADS ? r->grad[i] : r->values[i];
    }
}

// The same answer (its first QUANTITIES) in double precision.
static double *reference_answer(const Sample *s, const Answer *like)
{
    const int size = s->count * s->arch.channels * s->arch.height * s->arch.width;
    double *images = pool_alloc(s->pool, (size_t)size * sizeof *images);
    double *values = pool_alloc(s->pool, like->begin[QUANTITIES] * sizeof *values);
    Reference *r = reference_open(&s->arch);
    int kept = 0;
    for (int i = 0; i < size; i++)
        images[i] = (double)s->images[i];
    for (int i = 0; i < reference_tensor_count(r); i++)
        kept += reference_tensor(r, i)->kind != REFERENCE_COUNTER;
    assert_int_equal(kept, s->n_params + s->n_running);
    exchange(r, s->param_tensors, s->n_params, s->params, NULL, TAKE_VALUES);
    exchange(r, s->running_tensors, s->n_running, s->running, NULL, TAKE_VALUES);
    reference_infer(r, images, s->count, values + like->begin[EVAL]);
    const ReferenceBatch batch = {images, s->labels, s->count, (double)s->smoothing,
                                  s->dropout > 0 ? dropout_factors(s) : NULL};
    values[like->begin[LOSS]] = reference_gradients(r, &batch, values + like->begin[TRAIN]);
    exchange(r, s->param_tensors, s->n_params, NULL, values + like->begin[GRADS], TAKE_GRADS);
    exchange(r, s->running_tensors, s->n_running, NULL, values + like->begin[RUNNING], TAKE_VALUES);
    reference_update(r, (double)LEARNING_RATE, (double)MOMENTUM, (double)WEIGHT_DECAY);
    exchange(r, s->param_tensors, s->n_params, NULL, values + like->begin[PARAMS], TAKE_VALUES);
    reference_close(r);
    return values;
}

// ---- float against double -----------------------------------------------------------------------

// An error as a multiple of the float32 tolerance, and where it is.
typedef struct {
    double ratio;
    size_t at; // in the piece
} Error;

static void error_max(Error *error, double difference, double tolerance, size_t at)
{
    const double ratio = difference / tolerance;
    if (!(ratio <= error->ratio)) { // NaN counts
        error->ratio = ratio >= 0 ? ratio : INFINITY;
        error->at = at;
    }
}

// Tensor by tensor, against the largest element of the tensor, or a twentieth of the net's.
static Error gradient_error(const Sample *s, const double *actual, const double *expected,
                            const double *exact)
{
    Error error = {0, 0};
    double largest = 0;
    for (int64_t i = 0; i < s->param_count; i++)
        largest = fmax(largest, fabs(exact[i]));
    for (int t = 0; t < s->n_params; t++) {
        const int64_t begin = s->param_tensors[t].offset, end = begin + s->param_tensors[t].count;
        double scale = 0.05 * largest;
        for (int64_t i = begin; i < end; i++)
            scale = fmax(scale, fabs(exact[i]));
        for (int64_t i = begin; i < end; i++)
            error_max(&error, fabs(actual[i] - expected[i]), 5e-3 * scale, (size_t)i);
    }
    return error;
}

// How far two answers are apart, in multiples of what the tolerance is at the exact one.
static void answer_errors(const Sample *s, const Answer *like, const double *actual,
                          const double *expected, const double *exact, Error errors[QUANTITIES])
{
    for (int q = 0; q < QUANTITIES; q++) {
        const size_t begin = like->begin[q], end = like->begin[q + 1];
        errors[q] = (Error){0, 0};
        if (q == GRADS)
            errors[q] = gradient_error(s, actual + begin, expected + begin, exact + begin);
        else
            for (size_t i = begin; i < end; i++)
                error_max(&errors[q], fabs(actual[i] - expected[i]), 1e-4 * fmax(1, fabs(exact[i])),
                          i - begin);
    }
}

static double *as_doubles(const Sample *s, const Answer *a)
{
    double *values = pool_alloc(s->pool, a->begin[QUANTITIES] * sizeof *values);
    for (size_t i = 0; i < a->begin[QUANTITIES]; i++)
        values[i] = (double)a->values[i];
    return values;
}

static float *jittered(const Sample *s, const float *values, size_t count, double ulps,
                       Random *random)
{
    float *moved = pool_alloc(s->pool, count * sizeof *moved);
    for (size_t i = 0; i < count; i++)
        moved[i] =
            (float)((double)values[i] * (1.0 + ulps * (random_unit(random) - 0.5) * 0x1p-22));
    return moved;
}

// One more run that rounds differently everywhere, from numbers moved by up to `ulps` units in the
// last place: raises `noise` to how far its results are from the base's, in multiples of the
// tolerance.
static void measure_noise(const Sample *s, Engine *e, const Answer *base, const double *exact,
                          double ulps, Random *random, double noise[QUANTITIES])
{
    const size_t pixels =
        (size_t)s->batch * (size_t)(s->arch.channels * s->arch.height * s->arch.width);
    const Start start = {jittered(s, s->params, (size_t)s->param_count, ulps, random),
                         jittered(s, s->running, (size_t)s->running_count, ulps, random),
                         jittered(s, s->images, pixels, ulps, random)};
    const Answer a = engine_answer(e, start);
    Error errors[QUANTITIES];
    answer_errors(s, base, as_doubles(s, &a), as_doubles(s, base), exact, errors);
    for (int q = 0; q < QUANTITIES; q++)
        noise[q] = fmax(noise[q], errors[q].ratio);
}

// allowed: 1 for direct convolutions.
static bool is_explained(double error, double noise, double allowed)
{
    return error <= allowed + NOISE * noise;
}

static int n_compared[QUANTITIES], n_blunt[QUANTITIES]; // nets; those with ten times the tolerance

static void judge(const Sample *s, const Error errors[QUANTITIES], const double noise[QUANTITIES],
                  double allowed)
{
    for (int q = 0; q < QUANTITIES; q++) {
        n_compared[q]++;
        n_blunt[q] += NOISE * noise[q] > 9 * allowed;
        if (getenv("NAGO_SHOW"))
            fprintf(stderr, "  %-20s error %8.3g noise %8.3g of the tolerance\n", piece_name[q],
                    errors[q].ratio, noise[q]);
        if (!is_explained(errors[q].ratio, noise[q], allowed))
            fail_msg("%s: %s, element %zu: %.3g times the tolerance; rounding moves it by %.3g",
                     piece_name[q], tensor_at(s, q, errors[q].at), errors[q].at, errors[q].ratio,
                     noise[q]);
    }
}

static void assert_reference(const Sample *s, Engine *e, const Answer *base, const double *exact,
                             double allowed, Random *random)
{
    double noise[QUANTITIES] = {0};
    Error errors[QUANTITIES];
    answer_errors(s, base, as_doubles(s, base), exact, exact, errors);
    bool explained = false;
    for (int i = 0; i < LEAST_JITTERS || (i < MOST_JITTERS && !explained); i++) {
        measure_noise(s, e, base, exact, exp2(i / 8), random, noise);
        explained = true;
        for (int q = 0; q < QUANTITIES; q++)
            explained = explained && is_explained(errors[q].ratio, noise[q], allowed);
    }
    judge(s, errors, noise, allowed);
}

// ---- the file -----------------------------------------------------------------------------------

static char *emit(const Arch *arch, const EmitOptions *options, Pool *pool)
{
    Text text = {0};
    Err err = {0};
    if (!emit_c(arch, options, &text, NULL, &err))
        fail_msg("%s", err.message);
    char *copy = pool_strdup(pool, text.data);
    text_free(&text);
    return copy;
}

// The initial weights of the net as a file in memory.
static TensorFile weights_of(const Sample *s)
{
    TensorFile file;
    Text text = {0};
    Err err = {0};
    if (!emit_weights(&s->arch, s->seed, &text, &err) ||
        !tensors_parse("weights", text.data, text.length, &file, s->pool, &err))
        fail_msg("%s", err.message);
    char *kept = pool_alloc(s->pool, text.length);
    memcpy(kept, text.data, text.length);
    if (!tensors_parse("weights", kept, text.length, &file, s->pool, &err))
        fail_msg("%s", err.message);
    text_free(&text);
    return file;
}

// The same network drawn again and written again is the same text, in both kinds of file.
static void assert_text_repeats(const Sample *s, const TensorFile *weights)
{
    Sample again;
    sample_open(&again, s->seed);
    for (int kind = 0; kind < 2; kind++) {
        EmitOptions options = emit_defaults;
        options.batch = kind ? 1 : s->batch;
        options.weights = kind ? weights : NULL;
        const char *first = emit(&s->arch, &options, s->pool);
        const char *second = emit(&again.arch, &options, s->pool);
        if (strcmp(first, second) != 0)
            fail_msg("the %s file is not the same text twice", kind ? "inference" : "trainable");
    }
    pool_free(again.pool);
}

// Every program is right after every pass, and its live tensors lie apart.
static void assert_passes(const Sample *s, const TensorFile *weights)
{
    for (int plan = 0; plan < 2; plan++) {
        const PassOptions fold = {.plan = plan, .weights = weights};
        Pool *pool = pool_new();
        ir_check_memory(checked_passes(&s->arch, 1, fold, pool));
        const PassOptions native = {.plan = plan, .weights = weights, .target = TARGET_NATIVE};
        ir_check_memory(checked_passes(&s->arch, 1, native, pool));
        for (int conv = CONV_AUTO; conv <= CONV_WINOGRAD; conv++)
            for (int training = 0; training < 2; training++) {
                const PassOptions how = {
                    .plan = plan, .training = training, .conv = (ConvKind)conv};
                ir_check_memory(checked_passes(&s->arch, s->batch, how, pool));
            }
        pool_free(pool);
    }
}

// ---- all of it ----------------------------------------------------------------------------------

// One way to compute convolutions: the same bits however the net is compiled and run, and the
// reference's numbers within `allowed` times the tolerance.
static void assert_conv(Sample *s, ConvKind conv, double allowed, Random *random)
{
    Engine e;
    NetOptions how = {.conv = conv, .plan = true, .threads = 1, .jit = JIT_TCC};
    engine_open(&e, s, how);
    if (!s->has_statistics)
        sample_statistics(s, &e, random);
    const Answer base = engine_answer(&e, sample_start(s));
    how.plan = false;
    assert_variant(s, &base, how, "without the memory plan");
    how.plan = true;
    how.threads = 2;
    assert_variant(s, &base, how, "with two threads");
    how.jit = JIT_GCC;
    if (s->seed % 10 == 0)
        assert_variant(s, &base, how, "through gcc");
    assert_reference(s, &e, &base, reference_answer(s, &base), allowed, random);
    engine_close(&e);
}

static void note_fusion(const Ir *ir, const char *pass, void *user)
{
    (void)ir;
    if (!strncmp(pass, "fuse_", 5))
        text_printf(user, "%s,", pass);
}

// The network as it is defined, op by op: every fusion left out by its name.
static void assert_unfused(Sample *s, Random *random)
{
    Text fusions = {0};
    Err err = {0};
    const PassOptions how = {.training = true, .watch = note_fusion, .user = &fusions};
    assert_non_null(passes_run(&s->arch, 1, &how, s->pool, &err));
    assert_non_null(fusions.data);
    setenv("NAGO_SKIP_PASSES", fusions.data, 1);
    assert_conv(s, CONV_DIRECT, 1, random);
    unsetenv("NAGO_SKIP_PASSES");
    text_free(&fusions);
}

static void test_net(void **state)
{
    Sample s;
    unsetenv("NAGO_SKIP_PASSES"); // a net that failed may have left it
    sample_open(&s, *(const uint64_t *)*state);
    Random random = random_stream(s.seed, "prop nets, data", 0, 0);
    const TensorFile weights = weights_of(&s);
    if (getenv("NAGO_SHOW"))
        fprintf(stderr,
                "net %d: %d ops, %dx%d, %d classes, stem %d, %d of %d images, %lld weights\n",
                (int)s.seed, s.arch.n_ops, s.arch.height, s.arch.width, s.arch.classes,
                s.arch.stem_channels, s.count, s.batch, (long long)s.param_count);
    assert_passes(&s, &weights);
    assert_text_repeats(&s, &weights);
    assert_conv(&s, CONV_DIRECT, 1, &random);
    assert_conv(&s, CONV_WINOGRAD, WINOGRAD, &random);
    if (s.seed % 4 == 1)
        assert_unfused(&s, &random);
    pool_free(s.pool);
}

// The comparison with the reference stays sharp: few nets are so sensitive to rounding that their
// tolerance is ten times the rule's.
static void test_sharpness(void **state)
{
    (void)state;
    for (int q = 0; q < QUANTITIES; q++) {
        fprintf(stderr, "# %s: %d of %d nets compared with more than ten times the tolerance\n",
                piece_name[q], n_blunt[q], n_compared[q]);
        if (n_blunt[q] * 3 > n_compared[q] && n_compared[q] >= SHORT_NETS / 2)
            fail_msg("%s: %d of %d nets are too sensitive to rounding to be compared well",
                     piece_name[q], n_blunt[q], n_compared[q]);
    }
}

int main(void)
{
    static uint64_t seeds[LONG_NETS];
    static char names[LONG_NETS][32];
    static struct CMUnitTest tests[LONG_NETS + 1];
    const char *seed = getenv("SEED");
    const int n = seed ? 1 : getenv("NAGO_LONG") ? LONG_NETS : SHORT_NETS;
    for (int i = 0; i < n; i++) {
        seeds[i] = seed ? strtoull(seed, NULL, 10) : (uint64_t)i + 1;
        snprintf(names[i], sizeof names[i], "net SEED=%llu", (unsigned long long)seeds[i]);
        tests[i] = (struct CMUnitTest){
            .name = names[i], .test_func = test_net, .initial_state = &seeds[i]};
    }
    tests[n] = (struct CMUnitTest){.name = "sharpness", .test_func = test_sharpness};
    return _cmocka_run_group_tests("nets", tests, (size_t)n + 1, NULL, NULL);
}
