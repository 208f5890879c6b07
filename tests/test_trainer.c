// Tests of runtime/trainer.c, evaluate.c and checkpoint.c, on a softmax regression (linear_net.h).
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../runtime/checkpoint.h"
#include "../runtime/trainer.h"
#include "linear_net.h"

enum { TRAIN_IMAGES = 203, TEST_IMAGES = 90 }; // 203 = 12 batches of 16 and one of 11

static const char *const checkpoint_path = "build/tmp/trainer/checkpoint.safetensors";

// ---- a data set that a linear net can learn ----------------------------------------------------

static void images_draw(Images *images, int count, uint64_t stream)
{
    images->count = count;
    images->pixels = xcalloc((size_t)count, LINEAR_PIXELS);
    images->labels = xcalloc((size_t)count, sizeof *images->labels);
    Random random = random_stream(5, "pixels", stream, 0);
    for (int i = 0; i < count; i++) {
        int label = (int)random_below(&random, LINEAR_CLASSES);
        images->labels[i] = label;
        for (int k = 0; k < LINEAR_PIXELS; k++) { // the class lights up a quarter of the rows
            int row = k / LINEAR_SIDE % LINEAR_SIDE, lit = row / (LINEAR_SIDE / 4) == label;
            images->pixels[i * LINEAR_PIXELS + k] =
                (uint8_t)(random_below(&random, 150) + (lit ? 60 : 0));
        }
    }
}

static const char *linear_names[] = {"zero", "one", "two", "three"};
static Dataset data = {.kind = "made",
                       .channels = LINEAR_CHANNELS,
                       .height = LINEAR_SIDE,
                       .width = LINEAR_SIDE,
                       .classes = LINEAR_CLASSES,
                       .class_names = linear_names,
                       .mean = {0.35f, 0.34f},
                       .deviation = {0.2f, 0.21f}};

static int group_setup(void **state)
{
    (void)state;
    images_draw(&data.train, TRAIN_IMAGES, 0);
    images_draw(&data.test, TEST_IMAGES, 1);
    Err err = {0};
    return folder_make("build/tmp/trainer", &err) ? 0 : -1;
}

static int group_teardown(void **state)
{
    (void)state;
    free(data.train.pixels);
    free(data.train.labels);
    free(data.test.pixels);
    free(data.test.labels);
    return 0;
}

static TrainRecipe recipe_small(void)
{
    TrainRecipe recipe = recipe_default();
    recipe.epochs = 3;
    recipe.batch = LINEAR_BATCH;
    recipe.learning_rate = 0.02;
    recipe.augment.cutout = 2;
    recipe.seed = 11;
    return recipe;
}

// A trainer with what it stands on.
typedef struct {
    Trainer trainer;
    Team *team;
    Memory memory;
} Bench;

static void bench_open(Bench *bench, const TrainRecipe *recipe, int threads)
{
    Err err = {0};
    *bench = (Bench){0};
    bench->team = team_open(threads, &err);
    assert_non_null(bench->team);
    if (!trainer_open(&bench->trainer, &linear_net, &data, recipe, bench->team, &bench->memory,
                      &err))
        fail_msg("%s", err.message);
}

static void bench_close(Bench *bench)
{
    trainer_close(&bench->trainer);
    team_close(bench->team);
    memory_release(&bench->memory);
}

// ---- schedule ----------------------------------------------------------------------------------

static void test_schedules(void **state)
{
    (void)state;
    assert_true(schedule_rate(SCHEDULE_COSINE, 0.4, 0, 100) == 0.4);
    assert_true(fabs(schedule_rate(SCHEDULE_COSINE, 0.4, 50, 100) - 0.2) < 1e-15);
    assert_true(fabs(schedule_rate(SCHEDULE_COSINE, 0.4, 25, 100) - 0.34142135623730951) < 1e-15);
    assert_true(schedule_rate(SCHEDULE_COSINE, 0.4, 99, 100) < 0.4 * 3e-4);
    assert_true(schedule_rate(SCHEDULE_STEP, 1, 49, 100) == 1);
    assert_true(schedule_rate(SCHEDULE_STEP, 1, 50, 100) == 0.1);
    assert_true(schedule_rate(SCHEDULE_STEP, 1, 75, 100) == 0.01);
    assert_true(schedule_rate(SCHEDULE_CONSTANT, 0.3, 99, 100) == 0.3);
}

// ---- training ----------------------------------------------------------------------------------

// Collects what the hooks see.
typedef struct {
    Text metrics;
    EpochResult last;
    int steps, stop_at; // stop_at: the call of the step hook that stops; 0: never
} Log;

static TrainAction log_step(void *user, const Trainer *trainer, int evaluated, Err *err)
{
    (void)trainer, (void)evaluated, (void)err;
    Log *log = user;
    return ++log->steps == log->stop_at ? TRAIN_STOP : TRAIN_GO_ON;
}

static TrainAction log_epoch(void *user, const Trainer *trainer, const EpochResult *result,
                             Err *err)
{
    (void)err;
    Log *log = user;
    assert_int_equal(trainer->at.epoch, result->epoch);
    EpochResult timeless = *result;
    timeless.seconds = timeless.images_per_second = 0;
    epoch_result_print(&timeless, &log->metrics);
    log->last = *result;
    return TRAIN_GO_ON;
}

static TrainEnd run(Bench *bench, Log *log)
{
    Err err = {0};
    const TrainHooks hooks = {log_step, log_epoch, log};
    TrainEnd end = trainer_run(&bench->trainer, &hooks, &err);
    assert_string_equal(err.message, "");
    return end;
}

static void assert_same_weights(const Bench *a, const Bench *b)
{
    const NetMemory *x = &a->trainer.memory, *y = &b->trainer.memory;
    assert_memory_equal(x->params, y->params, LINEAR_PARAMS * sizeof(float));
    assert_memory_equal(x->state, y->state, (LINEAR_RUNNING + LINEAR_PARAMS) * sizeof(float));
}

static void test_training_learns(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    Log log = {0};
    bench_open(&bench, &recipe, 2);
    assert_int_equal(run(&bench, &log), TRAIN_FINISHED);
    assert_int_equal(bench.trainer.at.batches, 3 * 13);
    assert_int_equal(log.last.test.count, TEST_IMAGES);
    assert_true(evaluation_accuracy(&log.last.test) > 0.9);
    assert_true(log.last.loss < 0.5);
    assert_memory_equal(&log.last.test, &bench.trainer.at.test, sizeof log.last.test);
    text_free(&log.metrics);
    bench_close(&bench);
}

static void test_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    recipe.val_fraction = 0.2;
    Bench one;
    Log first = {0};
    bench_open(&one, &recipe, 1);
    run(&one, &first);
    for (int threads = 2; threads <= 5; threads++) {
        Bench many;
        Log log = {0};
        bench_open(&many, &recipe, threads);
        run(&many, &log);
        assert_same_weights(&one, &many);
        assert_string_equal(log.metrics.data, first.metrics.data);
        text_free(&log.metrics);
        bench_close(&many);
    }
    text_free(&first.metrics);
    bench_close(&one);
}

static void test_recipe_matters(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small(), other = recipe;
    other.seed++;
    Bench a, b;
    Log log = {0};
    bench_open(&a, &recipe, 1);
    bench_open(&b, &other, 1);
    run(&a, &log);
    run(&b, &log);
    assert_memory_not_equal(a.trainer.memory.params, b.trainer.memory.params,
                            LINEAR_PARAMS * sizeof(float));
    text_free(&log.metrics);
    bench_close(&a);
    bench_close(&b);
}

// Which images a step's batch holds is seen through the order: each once an epoch, anew each epoch.
static void test_every_image_once_an_epoch(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    Err err = {0};
    uint32_t before[TRAIN_IMAGES];
    bench_open(&bench, &recipe, 1);
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[TRAIN_IMAGES] = {0};
        bench.trainer.at.epoch = epoch;
        bench.trainer.at.step = 0;
        assert_true(trainer_step(&bench.trainer, &err));
        for (int i = 0; i < TRAIN_IMAGES; i++)
            seen[bench.trainer.order[i]]++;
        for (int i = 0; i < TRAIN_IMAGES; i++)
            assert_int_equal(seen[i], 1);
        if (epoch == 1)
            assert_memory_not_equal(before, bench.trainer.order, sizeof before);
        memcpy(before, bench.trainer.order, sizeof before);
    }
    bench_close(&bench);
}

static int last_count;
static void count_gradient(const nk_call *call, int part, int parts)
{
    linear_gradient(call, part, parts);
    last_count = call->count;
}

static void test_ragged_last_batch(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    Err err = {0};
    bench_open(&bench, &recipe, 1);
    Net counting = linear_net;
    counting.gradient = count_gradient;
    bench.trainer.net = &counting;
    assert_int_equal(bench.trainer.steps_per_epoch, 13);
    for (int step = 0; step < 13; step++) {
        assert_true(trainer_step(&bench.trainer, &err));
        assert_int_equal(last_count, step < 12 ? 16 : 11);
    }
    bench_close(&bench);
}

static void test_validation_split(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    recipe.val_fraction = 0.25;
    Bench bench;
    Log log = {0};
    bench_open(&bench, &recipe, 1);
    assert_int_equal(bench.trainer.n_train + bench.trainer.n_val, TRAIN_IMAGES);
    assert_int_equal(bench.trainer.n_val, 51);
    run(&bench, &log);
    assert_int_equal(log.last.val.count, 51);
    assert_int_equal(log.last.test.count, TEST_IMAGES);
    const char *first = strstr(log.metrics.data, "\"test_"); // only after the last epoch
    const char *last = strstr(log.metrics.data, "{\"epoch\":3");
    assert_true(first && last && first > last);
    text_free(&log.metrics);
    bench_close(&bench);
}

static void test_divergence_is_reported(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    recipe.learning_rate = 1e30;
    Bench bench;
    Err err = {0};
    bench_open(&bench, &recipe, 2);
    const TrainHooks hooks = {0};
    assert_int_equal(trainer_run(&bench.trainer, &hooks, &err), TRAIN_FAILED);
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    assert_non_null(strstr(err.message, "not finite"));
    assert_non_null(strstr(err.message, "in epoch 1, step "));
    assert_non_null(strstr(err.message, "a lower --lr (it is 1e+30)"));
    bench_close(&bench);
}

// ---- checkpoint --------------------------------------------------------------------------------

static void checkpoint_load(Bench *bench, int threads)
{
    Err err = {0};
    Pool *pool = pool_new();
    TensorFile file;
    Checkpoint checkpoint;
    if (!checkpoint_read(checkpoint_path, &file, &checkpoint, pool, &err))
        fail_msg("%s", err.message);
    assert_string_equal(checkpoint.data, "made:somewhere");
    assert_string_equal(checkpoint.arch, "{}");
    assert_int_equal(checkpoint.metrics_bytes, 77);
    bench_open(bench, &checkpoint.recipe, threads);
    if (!checkpoint_restore(checkpoint_path, &file, &checkpoint, &bench->trainer, &err))
        fail_msg("%s", err.message);
    pool_free(pool);
}

// Stops at every call of the step hook in turn (steps and evaluations), goes on from the file with
// another number of threads: the end is the same, bit for bit.
static void test_resume_from_every_step(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    recipe.val_fraction = 0.1;
    recipe.epochs = 2;
    Err err = {0};
    Bench unbroken;
    Log whole = {0};
    bench_open(&unbroken, &recipe, 1);
    run(&unbroken, &whole);
    assert_true(whole.steps > 2 * 12);
    for (int stop = 1; stop < whole.steps; stop++) {
        Bench first, second;
        Log log = {.stop_at = stop};
        bench_open(&first, &recipe, 1);
        assert_int_equal(run(&first, &log), TRAIN_STOPPED);
        assert_true(
            checkpoint_write(checkpoint_path, &first.trainer, "made:somewhere", "{}", 77, &err));
        bench_close(&first);
        checkpoint_load(&second, 2);
        log.stop_at = 0;
        assert_int_equal(run(&second, &log), TRAIN_FINISHED);
        assert_same_weights(&unbroken, &second);
        assert_string_equal(log.metrics.data, whole.metrics.data);
        text_free(&log.metrics);
        bench_close(&second);
    }
    text_free(&whole.metrics);
    bench_close(&unbroken);
}

// The error that the checkpoint's bytes, with `from` replaced by `to` (of equal length), give.
static const char *spoiled_message(const char *from, const char *to)
{
    static Err err;
    Pool *pool = pool_new();
    TensorFile file;
    Checkpoint checkpoint;
    char *bytes;
    size_t size;
    err = (Err){0};
    assert_int_equal(strlen(from), strlen(to));
    assert_true(file_read(checkpoint_path, 1 << 20, &bytes, &size, &err));
    char *at = memmem(bytes, size, from, strlen(from));
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    const char *spoiled = "build/tmp/trainer/spoiled.safetensors";
    assert_true(file_write(spoiled, bytes, size, &err));
    free(bytes);
    bool ok = checkpoint_read(spoiled, &file, &checkpoint, pool, &err);
    if (ok) {
        Bench bench;
        bench_open(&bench, &checkpoint.recipe, 1);
        ok = checkpoint_restore(spoiled, &file, &checkpoint, &bench.trainer, &err);
        bench_close(&bench);
    }
    pool_free(pool);
    assert_false(ok);
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    return err.message;
}

static void test_checkpoint_is_checked(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    Err err = {0};
    bench_open(&bench, &recipe, 1);
    assert_true(trainer_step(&bench.trainer, &err));
    assert_true(checkpoint_write(checkpoint_path, &bench.trainer, "made", "{}", 0, &err));
    bench_close(&bench);
    assert_non_null(strstr(spoiled_message("epochs", "epocha"), "\"epochs\" is missing or out of"));
    assert_non_null(strstr(spoiled_message("version\\\":1", "version\\\":2"), "\"version\""));
    assert_non_null(
        strstr(spoiled_message("epoch\\\":0", "epoch\\\":4"), "beyond the end of the run"));
    assert_non_null(strstr(spoiled_message("nago.checkpoint", "nago.checkpoins"), "not a check"));
    assert_non_null(strstr(spoiled_message("momentum.fc.bias", "momentum.fc.bios"),
                           "momentum.fc.bios (did you mean momentum.fc.bias?)"));
}

static void test_checkpoint_of_other_images(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    Err err = {0};
    bench_open(&bench, &recipe, 1);
    assert_true(checkpoint_write(checkpoint_path, &bench.trainer, "made", "{}", 0, &err));
    Pool *pool = pool_new();
    TensorFile file;
    Checkpoint checkpoint;
    assert_true(checkpoint_read(checkpoint_path, &file, &checkpoint, pool, &err));
    data.train.labels[5] ^= 1;
    assert_false(checkpoint_restore(checkpoint_path, &file, &checkpoint, &bench.trainer, &err));
    assert_non_null(strstr(err.message, "other images"));
    data.train.labels[5] ^= 1;
    assert_true(checkpoint_restore(checkpoint_path, &file, &checkpoint, &bench.trainer, &err));
    pool_free(pool);
    bench_close(&bench);
}

// ---- evaluation --------------------------------------------------------------------------------

static void test_evaluation_against_plain_sums(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    bench_open(&bench, &recipe, 3);
    const NetMemory *memory = &bench.trainer.memory;
    const ImageList list = {&data, &data.test, NULL, TEST_IMAGES};
    Evaluation evaluation;
    int predictions[TEST_IMAGES], correct = 0;
    double loss = 0;
    assert_true(evaluate(memory, bench.team, &list, predictions, NULL, NULL, &evaluation));
    float *image = xcalloc(LINEAR_PIXELS, sizeof *image);
    for (int i = 0; i < TEST_IMAGES; i++) {
        nk_call call = {.params = memory->params, .state = memory->state, .images = image};
        float logits[LINEAR_CLASSES];
        const Augment none = {0};
        dataset_image(&data, &data.test, (uint32_t)i, &none, 0, 0, 0, image);
        linear_logits(&call, 0, logits);
        double sum = 0;
        int best = 0;
        for (int c = 0; c < LINEAR_CLASSES; c++) {
            sum += exp((double)logits[c]);
            best = logits[c] > logits[best] ? c : best;
        }
        loss += log(sum) - (double)logits[data.test.labels[i]];
        correct += best == data.test.labels[i];
        assert_int_equal(predictions[i], best);
    }
    free(image);
    assert_int_equal(evaluation.count, TEST_IMAGES);
    assert_int_equal(evaluation.correct, correct);
    assert_true(fabs(evaluation.loss - loss / TEST_IMAGES) < 1e-9);
    bench_close(&bench);
}

static void test_limited_lists_are_spread(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_small();
    Bench bench;
    uint32_t *indices;
    bench_open(&bench, &recipe, 1);
    ImageList list = trainer_images(&bench.trainer, SPLIT_TEST, 9, &indices);
    assert_int_equal(list.count, 9);
    for (int i = 0; i < 9; i++)
        assert_int_equal(indices[i], i * 10);
    free(indices);
    list = trainer_images(&bench.trainer, SPLIT_TEST, 1000, &indices);
    assert_int_equal(list.count, TEST_IMAGES);
    free(indices);
    list = trainer_images(&bench.trainer, SPLIT_VAL, 0, &indices);
    assert_int_equal(list.count, 0);
    free(indices);
    bench_close(&bench);
}

static void test_data_must_fit(void **state)
{
    (void)state;
    Err err = {0};
    Dataset other = data;
    assert_true(dataset_fits(&other, "made", &linear_arch, "linear.json", &err));
    other.height = 9;
    assert_false(dataset_fits(&other, "made", &linear_arch, "linear.json", &err));
    assert_non_null(strstr(err.message, "linear.json: error: the net takes images of 2x8x8"));
    assert_non_null(strstr(err.message, "\"height\": 9"));
    other.height = 8;
    other.classes = 100;
    assert_false(dataset_fits(&other, "made", &linear_arch, "linear.json", &err));
    assert_non_null(strstr(err.message, "the net has 4 classes, --data made has 100"));
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_training_learns),
        cmocka_unit_test(test_same_bits_for_any_number_of_threads),
        cmocka_unit_test(test_recipe_matters),
        cmocka_unit_test(test_every_image_once_an_epoch),
        cmocka_unit_test(test_ragged_last_batch),
        cmocka_unit_test(test_validation_split),
        cmocka_unit_test(test_divergence_is_reported),
        cmocka_unit_test(test_resume_from_every_step),
        cmocka_unit_test(test_checkpoint_is_checked),
        cmocka_unit_test(test_checkpoint_of_other_images),
        cmocka_unit_test(test_evaluation_against_plain_sums),
        cmocka_unit_test(test_limited_lists_are_spread),
        cmocka_unit_test(test_data_must_fit),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
