// Tests of training real, compiled nets: what lies in the memory before does not matter, and a few
// images can be learned by heart.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../runtime/kernels.h"
#include "../runtime/trainer.h"

// Between them every merge, op and kind of convolution, both stems, odd and oblong sizes.
static const char *const thetas[] = {
    "{\"top\": {\"n\": 5, \"k\": 4, \"p\": 0.5}, \"mid\": {\"n\": 2, \"p\": 0.5},"
    " \"bottom\": {\"n\": 4, \"k\": 2, \"p\": 0.3}, \"params\": 20000, \"classes\": 10,"
    " \"merge\": {\"sum\": 1, \"attention\": 1, \"concat\": 1},"
    " \"ops\": {\"conv3x3\": 1, \"conv5x5\": 1, \"conv1x1\": 1, \"conv3x1\": 1, \"conv1x3\": 1,"
    "           \"pool3x3\": 1, \"pool5x5\": 1},"
    " \"input\": {\"channels\": 3, \"height\": 19, \"width\": 14}, \"seed\": 8}",
    "{\"top\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"mid\": {\"n\": 2, \"p\": 0.9},"
    " \"bottom\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"params\": 20000, \"classes\": 10,"
    " \"conv\": \"depthwise_separable\", \"merge\": {\"sum\": 1, \"attention\": 1, \"concat\": 0},"
    " \"input\": {\"channels\": 3, \"height\": 41, \"width\": 40}, \"seed\": 1}",
    "{\"top\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"mid\": {\"n\": 1, \"p\": 0.5},"
    " \"bottom\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"params\": 10000, \"classes\": 10,"
    " \"input\": {\"channels\": 1, \"height\": 12, \"width\": 12}, \"seed\": 2}",
};

// A net with its data and memory, ready to be trained.
typedef struct {
    Pool *pool;
    Arch arch;
    Net *net;
    Dataset *data;
    Team *team;
    Memory memory;
    Trainer trainer;
} Bench;

static void bench_open(Bench *bench, const char *theta_text, const TrainRecipe *recipe, int threads)
{
    Err err = {0};
    Theta theta;
    NetOptions options = {.batch = recipe->batch, .threads = threads, .plan = true, .jit = JIT_TCC};
    bench->pool = pool_new();
    if (!theta_parse("theta.json", theta_text, strlen(theta_text), &theta, bench->pool, &err) ||
        !arch_sample(&theta, &bench->arch, bench->pool, &err))
        fail_msg("%s", err.message);
    DataShape shape = {theta.channels, theta.height, theta.width};
    bench->data = dataset_open("shapes:train=20,test=20", shape, &err);
    bench->net = net_open(&bench->arch, &options, kernels_table(), &err);
    bench->team = team_open(threads, &err);
    if (!bench->data || !bench->net || !bench->team ||
        !trainer_open(&bench->trainer, bench->net, bench->data, recipe, bench->team, &bench->memory,
                      &err))
        fail_msg("%s", err.message);
}

// Keeps the memory, for the next net.
static void bench_close(Bench *bench)
{
    trainer_close(&bench->trainer);
    team_close(bench->team);
    dataset_close(bench->data);
    net_close(bench->net);
    pool_free(bench->pool);
}

static Evaluation bench_train(Bench *bench)
{
    Err err = {0};
    const TrainHooks hooks = {0};
    if (trainer_run(&bench->trainer, &hooks, &err) != TRAIN_FINISHED)
        fail_msg("%s", err.message);
    return bench->trainer.at.test;
}

// Parameters, running statistics and momentum; malloc'ed.
static float *weights_copy(const Bench *bench, size_t *bytes)
{
    const Net *net = bench->net;
    size_t params = (size_t)net->param_count, state = (size_t)net->state_count;
    float *copy = xmalloc((params + state) * sizeof *copy);
    memcpy(copy, bench->trainer.memory.params, params * sizeof *copy);
    memcpy(copy + params, bench->trainer.memory.state, state * sizeof *copy);
    *bytes = (params + state) * sizeof *copy;
    return copy;
}

// Arena, gradients and batch are filled with NaN, as a net before might have left them.
static void memory_spoil(const NetMemory *memory)
{
    const Net *net = memory->net;
    memset(memory->arena, 0xff, (size_t)net->arena_bytes);
    memset(memory->grads, 0xff, (size_t)net->param_count * sizeof(float));
    memset(memory->images, 0xff,
           (size_t)net->batch * (size_t)net->arch->channels * (size_t)net->arch->height *
               (size_t)net->arch->width * sizeof(float));
}

static void test_memory_before_does_not_matter(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_default();
    recipe.epochs = 1;
    recipe.batch = 12; // the second batch has 8
    for (size_t i = 0; i < COUNT_OF(thetas); i++) {
        Bench clean = {0}, spoiled = {0};
        size_t bytes, same_bytes;
        bench_open(&clean, thetas[i], &recipe, 1);
        Evaluation first = bench_train(&clean);
        bench_open(&spoiled, thetas[i], &recipe, 2);
        memory_spoil(&spoiled.trainer.memory);
        Evaluation second = bench_train(&spoiled);
        float *a = weights_copy(&clean, &bytes), *b = weights_copy(&spoiled, &same_bytes);
        assert_int_equal(bytes, same_bytes);
        assert_memory_equal(a, b, bytes);
        assert_memory_equal(&first, &second, sizeof first);
        free(a);
        free(b);
        bench_close(&clean);
        bench_close(&spoiled);
        memory_release(&clean.memory);
        memory_release(&spoiled.memory);
    }
}

// One memory serves net after net, large and small, as a search uses it.
static void test_memory_serves_net_after_net(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_default();
    recipe.epochs = 1;
    float *alone[COUNT_OF(thetas)];
    size_t bytes[COUNT_OF(thetas)], same;
    for (size_t i = 0; i < COUNT_OF(thetas); i++) {
        Bench bench = {0};
        bench_open(&bench, thetas[i], &recipe, 1);
        bench_train(&bench);
        alone[i] = weights_copy(&bench, &bytes[i]);
        bench_close(&bench);
        memory_release(&bench.memory);
    }
    Memory kept = {0};
    for (size_t round = 0; round < 2 * COUNT_OF(thetas); round++) {
        size_t i = round % COUNT_OF(thetas);
        Bench bench = {.memory = kept};
        bench_open(&bench, thetas[i], &recipe, 1);
        bench_train(&bench);
        float *again = weights_copy(&bench, &same);
        assert_int_equal(same, bytes[i]);
        assert_memory_equal(again, alone[i], same);
        free(again);
        bench_close(&bench);
        kept = bench.memory;
    }
    memory_release(&kept);
    for (size_t i = 0; i < COUNT_OF(thetas); i++)
        free(alone[i]);
}

static void test_images_are_learned_by_heart(void **state)
{
    (void)state;
    TrainRecipe recipe = recipe_default();
    recipe.epochs = 100;
    recipe.batch = 20;
    recipe.dropout = 0;
    recipe.weight_decay = 0;
    recipe.learning_rate = 0.03;
    for (size_t i = 0; i < COUNT_OF(thetas); i++) {
        Bench bench = {0};
        uint32_t *indices;
        Evaluation result;
        bench_open(&bench, thetas[i], &recipe, 2);
        bench_train(&bench);
        ImageList list = trainer_images(&bench.trainer, SPLIT_TRAIN, 0, &indices);
        evaluate(&bench.trainer.memory, bench.team, &list, NULL, NULL, NULL, &result);
        print_message("theta %zu: %d of %d training images right, loss %.4f\n", i, result.correct,
                      result.count, result.loss);
        assert_true(evaluation_accuracy(&result) >= 0.9);
        free(indices);
        bench_close(&bench);
        memory_release(&bench.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_before_does_not_matter),
        cmocka_unit_test(test_memory_serves_net_after_net),
        cmocka_unit_test(test_images_are_learned_by_heart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
