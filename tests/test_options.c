// test_options.c - the option parser: what each kind of value takes and refuses, names, operands;
// help and manual page.  A refusal ends the process, so those run in a child whose exit status and
// message are checked.
#define _GNU_SOURCE
#include "../cli/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct {
    int epochs, schedule, fold;
    double rate, limit;
    int64_t memory;
    const char *out;
    bool quiet, given;
    uint64_t seed;
    char *operands[8];
    int count;
} Values;

static const char *const schedules[] = {"cosine", "step", "constant", NULL};

static Values parse(int argc, char **argv)
{
    Values v = {.epochs = 20, .fold = -1, .rate = 0.05, .memory = 1 << 20};
    const Option options[] = {
        OPTION_GROUP("Training"),
        OPTION_INT("epochs", 'e', "N", &v.epochs, 1, 1000, "passes over the images"),
        OPTION_INT("fold", 0, "N", &v.fold, 0, 9, "the part left out"),
        OPTION_REAL("rate", 0, "RATE", &v.rate, 0, 10, "learning rate"),
        OPTION_CHOICE("schedule", 0, "cosine|step|constant", &v.schedule, schedules, "its course"),
        OPTION_DURATION("time-limit", 0, "TIME", &v.limit, "stop after TIME"),
        OPTION_SIZE("memory", 'm', "SIZE", &v.memory, "memory to use"),
        OPTION_STRING("out", 'o', "DIR", &v.out, "results"),
        OPTION_FLAG("quiet", 'q', &v.quiet, "say nothing"),
        OPTION_SEED("seed", 's', "N", &v.seed, &v.given, "names the draw"),
        OPTION_END,
    };
    const Command command = {
        .name = "nago test",
        .summary = "test",
        .synopsis = "[OPTION]... FILE...\n--other",
        .description = "A paragraph.\n\n.A line that roff must not read \\ as a command.",
        .examples = "nago test x\n    Explains.",
        .options = options,
        .max_operands = 3,
    };
    char **operands = command_parse(&command, argc, argv, &v.count);
    memcpy(v.operands, operands, sizeof *operands * (size_t)v.count);
    return v;
}

// Splits `line` at blanks; "''" is the empty word.
static Values parse_line(const char *line)
{
    static char copy[512]; // values and operands point into it
    char *words[32], *rest = copy, *word;
    int count = 0;
    snprintf(copy, sizeof copy, "test %s", line);
    while ((word = strsep(&rest, " ")))
        words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
    words[count] = NULL;
    return parse(count, words);
}

// Runs parse_line in a child and returns what it printed on both streams; *status is its exit code.
static void run_line(const char *line, char *printed, size_t size, int *status)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        parse_line(line);
        _exit(99);
    }
    close(ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(ends[0], printed + length, size - 1 - length)) > 0;)
        length += (size_t)got;
    printed[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, status, 0), child);
    assert_true(WIFEXITED(*status));
    *status = WEXITSTATUS(*status);
}

static void expect_refusal(const char *line, const char *message)
{
    char printed[4096], want[512];
    int status;
    snprintf(want, sizeof want, "nago test: %s (see nago test --help)\n", message);
    run_line(line, printed, sizeof printed, &status);
    assert_string_equal(printed, want);
    assert_int_equal(status, EXIT_BAD_INPUT);
}

static void test_defaults_stay(void **state)
{
    (void)state;
    char *argv[] = {"test", NULL};
    Values v = parse(1, argv);
    assert_int_equal(v.epochs, 20);
    assert_true(v.rate == 0.05);
    assert_int_equal(v.memory, 1 << 20);
    assert_null(v.out);
    assert_false(v.given);
    assert_int_equal(v.count, 0);
}

static void test_values_in_every_form(void **state)
{
    (void)state;
    Values v = parse_line("--epochs 7 --rate=1e-2 -o dir -qs12 --schedule=step");
    assert_int_equal(v.epochs, 7);
    assert_true(v.rate == 1e-2);
    assert_string_equal(v.out, "dir");
    assert_true(v.quiet);
    assert_true(v.given);
    assert_int_equal(v.seed, 12);
    assert_int_equal(v.schedule, 1);
    v = parse_line("-e1 --epochs=1000 --o=-");
    assert_int_equal(v.epochs, 1000);
    assert_string_equal(v.out, "-");
}

static void test_sizes_and_durations(void **state)
{
    (void)state;
    assert_int_equal(parse_line("-m 4096").memory, 4096);
    assert_int_equal(parse_line("-m 256K").memory, 256 << 10);
    assert_int_equal(parse_line("-m 3G").memory, (int64_t)3 << 30);
    assert_true(parse_line("--time-limit 90").limit == 90);
    assert_true(parse_line("--time-limit 1.5m").limit == 90);
    assert_true(parse_line("--time-limit 2h").limit == 7200);
    assert_true(parse_line("--time-limit 1d").limit == 86400);
}

static void test_operands_between_options(void **state)
{
    (void)state;
    Values v = parse_line("a -e 2 - -- --rate");
    assert_int_equal(v.count, 3);
    assert_string_equal(v.operands[0], "a");
    assert_string_equal(v.operands[1], "-");
    assert_string_equal(v.operands[2], "--rate");
    assert_int_equal(v.epochs, 2);
}

static void test_refused_numbers(void **state)
{
    (void)state;
    const char *rule = "is not a whole number in 1..1000";
    char message[256];
    const char *const bad[] = {"abc", "0", "1001", "-3", "1.5", "5x", "99999999999999999999",
                               "0x10"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char line[64];
        snprintf(line, sizeof line, "--epochs %s", bad[i]);
        snprintf(message, sizeof message, "--epochs: \"%s\" %s", bad[i], rule);
        expect_refusal(line, message);
    }
    expect_refusal("--rate nan", "--rate: \"nan\" is not a number in 0..10");
    expect_refusal("--rate inf", "--rate: \"inf\" is not a number in 0..10");
    expect_refusal("--rate 11", "--rate: \"11\" is not a number in 0..10");
    expect_refusal("--rate -1", "--rate: \"-1\" is not a number in 0..10");
    expect_refusal("-s -1",
                   "--seed: \"-1\" is not a whole number in 0..9007199254740991 (2^53 - 1)");
    expect_refusal("-s 9007199254740992", "--seed: \"9007199254740992\" is not a whole number in "
                                          "0..9007199254740991 (2^53 - 1)");
}

static void test_refused_sizes_and_durations(void **state)
{
    (void)state;
    const char *const sizes[] = {"x", "0", "-1", "1k", "1KB", "9999999999G", "1.5M", "K"};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char line[64], message[256];
        snprintf(line, sizeof line, "-m %s", sizes[i]);
        snprintf(message, sizeof message,
                 "--memory: \"%s\" is not a size such as 4096, 256K, 1M or 2G", sizes[i]);
        expect_refusal(line, message);
    }
    const char *const times[] = {"x", "0", "-1s", "3w", "2hh", "inf", "h"};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        char line[64], message[256];
        snprintf(line, sizeof line, "--time-limit %s", times[i]);
        snprintf(message, sizeof message,
                 "--time-limit: \"%s\" is not a duration such as 90, 90s, 5m, 2h or 1d", times[i]);
        expect_refusal(line, message);
    }
}

static void test_refused_words(void **state)
{
    (void)state;
    expect_refusal("--schedule cosin",
                   "--schedule: \"cosin\" is not one of cosine, step, constant; "
                   "did you mean \"cosine\"?");
    expect_refusal("--schedule xyzzy",
                   "--schedule: \"xyzzy\" is not one of cosine, step, constant");
    expect_refusal("--qiet", "unknown option --qiet; did you mean --quiet?");
    expect_refusal("--xyzzy=1", "unknown option --xyzzy");
    expect_refusal("-z", "unknown option -z");
    expect_refusal("--s 1", "--s may mean --schedule or --seed");
    expect_refusal("--quiet=1", "--quiet: takes no value, got \"1\"");
    expect_refusal("--out", "--out: needs a value DIR");
    expect_refusal("-o", "--out: needs a value DIR");
    expect_refusal("-o ''", "--out: \"\" is empty, it needs a value DIR");
    expect_refusal("--=3", "unknown option --");
    expect_refusal("a b c d", "\"d\" is one operand too many");
}

static void test_help_shows_defaults(void **state)
{
    (void)state;
    char printed[8192];
    int status;
    run_line("--epochs 5 --help --nonsense", printed, sizeof printed, &status);
    assert_int_equal(status, EXIT_DONE);
    assert_non_null(strstr(printed, "\nTraining:\n"));
    assert_non_null(
        strstr(printed, "  -e, --epochs=N            passes over the images (default 20)\n"));
    assert_non_null(strstr(printed, "the part left out\n"));
    assert_non_null(strstr(printed, "its course (default cosine)\n"));
    assert_non_null(strstr(printed, "memory to use (default 1M)\n"));
    assert_non_null(
        strstr(printed, "usage: nago test [OPTION]... FILE...\n   or: nago test --other\n"));
    for (char *line = strtok(printed, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 80);
}

static void test_manual_escapes(void **state)
{
    (void)state;
    char printed[8192];
    int status;
    run_line("--man", printed, sizeof printed, &status);
    assert_int_equal(status, EXIT_DONE);
    assert_non_null(strstr(printed, ".TH nago-test 1 "));
    assert_non_null(strstr(printed, "\n\\&.A line that roff must not read \\e as a command.\n"));
    assert_non_null(strstr(printed, "\\fB\\-\\-time\\-limit\\fR=\\fITIME\\fR\nstop after TIME\n"));
}

static void test_fail_prints_located_messages_alone(void **state)
{
    (void)state;
    static const Option none[] = {OPTION_END};
    const Command command = {.name = "nago test", .summary = "", .synopsis = "", .options = none};
    Err err = {0};
    assert_false(err_input(&err, "theta.json:7:10: error: \"p\" is 1.4\n  rule: one"));
    char path[] = "build/tmp/options-XXXXXX", printed[256] = "";
    int file = mkstemp(path), saved = dup(STDERR_FILENO);
    assert_true(file >= 0 && saved >= 0);
    dup2(file, STDERR_FILENO);
    int code = command_fail(&command, &err);
    Err plain = {0};
    assert_false(err_run(&plain, "the loss is not finite"));
    int second = command_fail(&command, &plain);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_true(pread(file, printed, sizeof printed - 1, 0) > 0);
    close(file);
    unlink(path);
    assert_int_equal(code, EXIT_BAD_INPUT);
    assert_int_equal(second, EXIT_RUN_FAILED);
    assert_string_equal(printed, "theta.json:7:10: error: \"p\" is 1.4\n  rule: one\n"
                                 "nago test: the loss is not finite\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_stay),
        cmocka_unit_test(test_values_in_every_form),
        cmocka_unit_test(test_sizes_and_durations),
        cmocka_unit_test(test_operands_between_options),
        cmocka_unit_test(test_refused_numbers),
        cmocka_unit_test(test_refused_sizes_and_durations),
        cmocka_unit_test(test_refused_words),
        cmocka_unit_test(test_help_shows_defaults),
        cmocka_unit_test(test_manual_escapes),
        cmocka_unit_test(test_fail_prints_located_messages_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
