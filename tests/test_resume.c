// Tests of `nago train` and `nago eval` as processes: killed at random moments and resumed, stopped
// by signals and time limits, on any number of threads, with wrong options and wrong files.
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../compiler/nagoc.h"

#define FOLDER "build/tmp/resume"
static const char theta[] =
    "{\"top\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"mid\": {\"n\": 1, \"p\": 0.5},"
    " \"bottom\": {\"n\": 3, \"k\": 2, \"p\": 0.3}, \"params\": 4000, \"classes\": 4,"
    " \"merge\": {\"sum\": 2, \"attention\": 1, \"concat\": 1},"
    " \"input\": {\"channels\": 3, \"height\": 16, \"width\": 16}, \"seed\": 3}";
static const char recipe[] = FOLDER "/theta.json --data shapes:size=16,classes=4,train=210,test=60 "
                                    "--epochs 3 --batch 16 --augment standard --cutout 4 "
                                    "--val-fraction 0.2 --seed 5 --checkpoint-every 0.01";

static const char *nago(void)
{
    static char path[4096];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/nago", build ? build : "build");
    return path;
}

// What a command printed, stdout and stderr together; valid until the next one.
static Text output;

// Runs "nago ARGUMENTS" and returns its exit status; -1 if a signal ended it.
static int run(const char *fmt, ...) NAGO_PRINTF(1, 2);
static int run(const char *fmt, ...)
{
    char arguments[4096], chunk[4096];
    va_list args;
    va_start(args, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, args);
    va_end(args);
    Text command = {0};
    text_printf(&command, "%s %s 2>&1", nago(), arguments);
    FILE *pipe = popen(command.data, "r");
    assert_non_null(pipe);
    text_free(&command);
    text_free(&output);
    text_puts(&output, "");
    size_t got;
    while ((got = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        text_add(&output, chunk, got);
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_prints(const char *part)
{
    if (!strstr(output.data, part))
        fail_msg("\"%s\" is not in:\n%s", part, output.data);
}

// Starts "nago ARGUMENTS" (no quotes in it) in the background, silently.
static pid_t start(const char *arguments)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    Text command = {0};
    text_printf(&command, "exec %s %s >" FOLDER "/log 2>&1", nago(), arguments);
    execl("/bin/sh", "sh", "-c", command.data, (char *)NULL);
    _exit(127);
}

static void sleep_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

static char *file_text(const char *path, size_t *size)
{
    Err err = {0};
    char *bytes;
    if (!file_read(path, 64 << 20, &bytes, size, &err))
        fail_msg("%s", err.message);
    return bytes;
}

static void assert_same_file(const char *a, const char *b)
{
    size_t a_size, b_size;
    char *a_bytes = file_text(a, &a_size), *b_bytes = file_text(b, &b_size);
    if (a_size != b_size || memcmp(a_bytes, b_bytes, a_size) != 0)
        fail_msg("%s and %s differ", a, b);
    free(a_bytes);
    free(b_bytes);
}

// metrics.jsonl without its last two fields, which are times.
static Text metrics_timeless(const char *path)
{
    size_t size;
    char *bytes = file_text(path, &size);
    Text text = {0};
    for (char *line = strtok(bytes, "\n"); line; line = strtok(NULL, "\n")) {
        const char *times = strstr(line, ",\"images_per_second\"");
        assert_non_null(times);
        text_add(&text, line, (size_t)(times - line));
        text_puts(&text, "\n");
    }
    free(bytes);
    return text;
}

// A run equals the unbroken one: weights, C file, architecture, metrics.
static void assert_same_run(const char *folder)
{
    static const char *const names[] = {"weights.safetensors", "net.c", "arch.json"};
    char path[256];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char whole[256];
        snprintf(whole, sizeof whole, FOLDER "/whole/%s", names[i]);
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_same_file(whole, path);
    }
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    Text a = metrics_timeless(FOLDER "/whole/metrics.jsonl"), b = metrics_timeless(path);
    assert_string_equal(a.data, b.data);
    text_free(&a);
    text_free(&b);
}

static int group_setup(void **state)
{
    (void)state;
    Err err = {0};
    if (access(nago(), X_OK) != 0) {
        fprintf(stderr, "%s is not built\n", nago());
        return -1;
    }
    if (system("rm -rf " FOLDER) != 0 || !folder_make(FOLDER, &err) ||
        !file_write(FOLDER "/theta.json", theta, strlen(theta), &err))
        return -1;
    if (run("train %s --threads 1 --out " FOLDER "/whole", recipe) != 0) {
        fprintf(stderr, "%s", output.data);
        return -1;
    }
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    text_free(&output);
    return 0;
}

// ---- the same bits -----------------------------------------------------------------------------

static void test_threads_and_jits_agree(void **state)
{
    (void)state;
    assert_int_equal(run("train %s --threads 2 --out " FOLDER "/two", recipe), 0);
    assert_same_run(FOLDER "/two");
    assert_int_equal(run("train %s --threads 3 --jit gcc --out " FOLDER "/three", recipe), 0);
    assert_same_run(FOLDER "/three");
}

// How long an unbroken run takes, in ms: the moments of the kills lie within it.
static int whole_ms(void)
{
    size_t size;
    char *bytes = file_text(FOLDER "/whole/metrics.jsonl", &size);
    const char *seconds = bytes;
    for (const char *next = bytes; (next = strstr(next, "\"seconds\":")) != NULL; next++)
        seconds = next;
    double value = strtod(seconds + strlen("\"seconds\":"), NULL);
    free(bytes);
    return 200 + (int)(1000 * value);
}

static void test_killed_at_random_moments(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    int rounds = getenv("NAGO_LONG") ? 25 : 4, kills = 0, longest = whole_ms();
    Random random = random_stream(seed, "kill", 0, 0);
    print_message("SEED=%llu replays the moments\n", (unsigned long long)seed);
    for (int round = 0; round < rounds; round++) {
        char command[1024];
        snprintf(command, sizeof command, "train %s --threads %d --out " FOLDER "/killed", recipe,
                 1 + round % 2);
        pid_t child = start(command);
        int status = 0;
        for (int part = 0; part < 6; part++) {
            sleep_ms((int)random_below(&random, (uint64_t)longest / 2));
            kill(child, SIGKILL);
            assert_int_equal(waitpid(child, &status, 0), child);
            kills += WIFSIGNALED(status);
            bool has_begun = access(FOLDER "/killed/checkpoint.safetensors", F_OK) == 0;
            child = start(has_begun ? "train --resume " FOLDER "/killed --checkpoint-every 0.01"
                                    : command);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_same_run(FOLDER "/killed");
        assert_int_equal(system("rm -r " FOLDER "/killed"), 0);
    }
    assert_true(kills > 0);
}

static void test_finished_run_resumes_to_itself(void **state)
{
    (void)state;
    assert_int_equal(system("cp -r " FOLDER "/whole " FOLDER "/copy"), 0);
    assert_int_equal(run("train --resume " FOLDER "/copy"), 0);
    assert_prints("after 3 epochs");
    assert_same_run(FOLDER "/copy");
}

// ---- stopping ----------------------------------------------------------------------------------

static void stop_by(int signal_number)
{
    char command[1024];
    snprintf(command, sizeof command, "train %s --out " FOLDER "/stopped", recipe);
    pid_t child = start(command);
    int status;
    while (access(FOLDER "/stopped/arch.json", F_OK) != 0)
        sleep_ms(2);
    sleep_ms(60);
    kill(child, signal_number);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(access(FOLDER "/stopped/weights.safetensors", F_OK), 0);
    assert_int_equal(access(FOLDER "/stopped/net.c", F_OK), 0);
    assert_int_equal(run("train --resume " FOLDER "/stopped"), 0);
    assert_same_run(FOLDER "/stopped");
    assert_int_equal(system("rm -r " FOLDER "/stopped"), 0);
}

static void test_signals_stop_cleanly(void **state)
{
    (void)state;
    stop_by(SIGINT);
    stop_by(SIGTERM);
}

static void test_time_limit(void **state)
{
    (void)state;
    assert_int_equal(
        run("train %s --epochs 100000 --time-limit 0.5s --out " FOLDER "/late", recipe), 0);
    assert_prints("stopped by --time-limit in epoch ");
    assert_prints("continue: nago train --resume " FOLDER "/late");
    assert_int_equal(run("eval " FOLDER "/late --data shapes:size=16,classes=4,train=210,test=60"),
                     0);
    assert_prints("of 60 test images");
}

static void test_divergence(void **state)
{
    (void)state;
    assert_int_equal(run("train %s --lr 1e6 --momentum 0.99 --out " FOLDER "/diverged", recipe), 1);
    assert_prints("the loss is not finite");
    assert_prints("a lower --lr");
}

static void test_two_runs_in_one_folder(void **state)
{
    (void)state;
    char command[1024];
    snprintf(command, sizeof command, "train %s --epochs 100000 --out " FOLDER "/busy", recipe);
    pid_t child = start(command);
    int status;
    while (access(FOLDER "/busy/arch.json", F_OK) != 0)
        sleep_ms(2);
    assert_int_equal(run("%s", command), 1);
    assert_prints("another nago train is writing here");
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
}

// ---- evaluation and hand-over ------------------------------------------------------------------

static void test_eval_agrees_with_training(void **state)
{
    (void)state;
    size_t size;
    char *metrics = file_text(FOLDER "/whole/metrics.jsonl", &size);
    const char *found = strstr(metrics, "\"test_accuracy\":");
    assert_non_null(found);
    double trained = strtod(found + strlen("\"test_accuracy\":"), NULL);
    free(metrics);
    assert_int_equal(run("eval " FOLDER "/whole --data shapes:size=16,classes=4,train=210,test=60 "
                         "--json --batch 7 --predictions " FOLDER "/labels"),
                     0);
    found = strstr(output.data, "\"accuracy\":");
    assert_non_null(found);
    double evaluated = strtod(found + strlen("\"accuracy\":"), NULL);
    assert_true(evaluated - trained < 1e-9 && trained - evaluated < 1e-9);
    char *labels = file_text(FOLDER "/labels", &size);
    int lines = 0;
    for (const char *c = labels; *c; c++)
        lines += *c == '\n';
    assert_int_equal(lines, 60);
    free(labels);
    assert_int_equal(run("eval " FOLDER "/whole/weights.safetensors --split val --per-class "
                         "--data shapes:size=16,classes=4,train=210,test=60 --confusion"),
                     0);
    assert_prints("of 42 val images");
}

// The largest difference of one tensor in two weights files.
static double weights_distance(const char *a_path, const char *b_path, const char *name)
{
    Pool *pool = pool_new();
    Err err = {0};
    TensorFile a, b;
    assert_true(tensors_read(a_path, &a, pool, &err) && tensors_read(b_path, &b, pool, &err));
    const StoredTensor *x = tensors_find(&a, name), *y = tensors_find(&b, name);
    assert_true(x && y && x->count == y->count && x->count > 0);
    double most = 0;
    for (int64_t i = 0; i < x->count; i++)
        most = fmax(most, fabs(tensor_value(x, i) - tensor_value(y, i)));
    pool_free(pool);
    return most;
}

// With a learning rate that is too small to move them, the weights stay what --init says.
static void test_init(void **state)
{
    (void)state;
    const char *whole = FOLDER "/whole/weights.safetensors";
    const char *out = FOLDER "/init/weights.safetensors";
    const char *still = "--epochs 1 --lr 1e-12 --weight-decay 0 --out " FOLDER "/init";
    assert_int_equal(run("train %s %s", recipe, still), 0);
    assert_true(weights_distance(whole, out, "fc.weight") > 1e-4);
    assert_int_equal(run("train %s %s --init %s", recipe, still, whole), 0);
    assert_true(weights_distance(whole, out, "fc.weight") < 1e-7);
    assert_true(weights_distance(whole, out, "conv_out.1.weight") < 1e-7);
    // It counts on: 11 more batches, of 168 images.
    assert_true(weights_distance(whole, out, "conv_out.2.num_batches_tracked") == 11);
    assert_int_equal(run("train %s --init " FOLDER "/theta.json --out " FOLDER "/init", recipe), 2);
    assert_prints("theta.json: error: ");
}

// ---- errors ------------------------------------------------------------------------------------

typedef struct {
    const char *arguments;
    int status;
    const char *message;
} Mistake;

static void test_mistakes(void **state)
{
    (void)state;
    static const Mistake mistakes[] = {
        {"train --data shapes", 2, "a network is missing"},
        {"train " FOLDER "/theta.json", 2, "--data is missing"},
        {"train --resume " FOLDER "/whole --lr 1", 2, "--lr cannot change"},
        {"train x.json --resume " FOLDER "/whole", 2, "takes no network"},
        {"train --resume " FOLDER "/nowhere", 2, "there is no such folder"},
        {"train --resume " FOLDER, 2, "holds no checkpoint.safetensors"},
        {"train " FOLDER "/theta.json --data shapes:size=16", 2, "the net has 4 classes"},
        {"train " FOLDER "/theta.json --data nonsense", 2, "nonsense"},
        {"train nowhere.json --data shapes", 2, "nowhere.json: error: cannot open"},
        {"train " FOLDER "/theta.json --data shapes:size=16,classes=4 --out " FOLDER "/theta.json",
         1, "cannot make the folder"},
        {"train --resume " FOLDER "/whole --data shapes:size=16,classes=4,train=211,test=60", 2,
         "other images"},
        {"eval " FOLDER " --data shapes", 2, "holds no weights.safetensors"},
        {"eval " FOLDER "/nowhere --data shapes", 2, "cannot open"},
        {"eval " FOLDER "/whole", 2, "--data is missing"},
        {"eval " FOLDER "/whole --data shapes:size=16", 2, "the net has 4 classes"},
        {"eval " FOLDER "/theta.json --data shapes", 2, "theta.json: error: "},
    };
    for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
        int status = run("%s", mistakes[i].arguments);
        if (status != mistakes[i].status)
            fail_msg("nago %s: exit %d\n%s", mistakes[i].arguments, status, output.data);
        assert_prints(mistakes[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads_and_jits_agree),
        cmocka_unit_test(test_killed_at_random_moments),
        cmocka_unit_test(test_finished_run_resumes_to_itself),
        cmocka_unit_test(test_signals_stop_cleanly),
        cmocka_unit_test(test_time_limit),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_two_runs_in_one_folder),
        cmocka_unit_test(test_eval_agrees_with_training),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_mistakes),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
