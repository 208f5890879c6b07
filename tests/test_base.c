// Tests of base.h: pools, texts, errors, files, random streams.
#define _GNU_SOURCE
#include <errno.h>
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

#include "../compiler/base.h"

#define FOLDER "build/tmp/base"

static int folder_setup(void **state)
{
    (void)state;
    Err err = {0};
    return folder_make(FOLDER, &err) ? 0 : -1;
}

// ---- pool, text
// ----------------------------------------------------------------------------------

static void test_pool(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    unsigned char *parts[400];
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        size_t bytes = i * i % 5000 + (i == 77 ? 300000 : 0);
        parts[i] = pool_alloc(pool, bytes);
        assert_int_equal((uintptr_t)parts[i] % 16, 0);
        for (size_t j = 0; j < bytes; j++)
            assert_int_equal(parts[i][j], 0);
        memset(parts[i], (int)i, bytes);
    }
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (size_t j = 0; j < i * i % 5000; j++)
            assert_int_equal(parts[i][j], (unsigned char)i);
    }
    assert_string_equal(pool_strdup(pool, "word"), "word");
    assert_string_equal(pool_printf(pool, "%d-%s", 7, "x"), "7-x");
    pool_free(pool);
    pool_free(NULL);
}

static void test_pool_grow(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    int *numbers = NULL;
    size_t capacity = 0, count = 0;
    for (int i = 0; i < 10000; i++) {
        numbers = pool_grow(pool, numbers, count, count + 1, &capacity, sizeof *numbers);
        assert_true(capacity > count);
        numbers[count++] = i;
    }
    for (int i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], i);
    pool_free(pool);
}

static void test_text(void **state)
{
    (void)state;
    Text text = {0};
    text_puts(&text, "");
    assert_string_equal(text.data, "");
    for (int i = 0; i < 1000; i++)
        text_printf(&text, "%d,", i % 10);
    text_add(&text, "\0x", 2);
    assert_int_equal(text.length, 2002);
    assert_int_equal(strlen(text.data), 2000);
    assert_memory_equal(text.data + 1996, "8,9,\0x", 7);
    text_free(&text);
    assert_null(text.data);
}

// ---- errors
// --------------------------------------------------------------------------------------

static void test_err(void **state)
{
    (void)state;
    Err err = {0};
    char long_word[4000];
    memset(long_word, 'x', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_false(err_input(&err, "%s is %d", "p", 2));
    assert_string_equal(err.message, "p is 2");
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    assert_false(err_run(&err, "%s", long_word));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_string_equal(err.message + sizeof err.message - 6, "xx...");
}

static void test_nearest_word(void **state)
{
    (void)state;
    static const char *const words[] = {"top", "mid", "bottom", "stage_ratio",
                                        "depthwise_separable"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {{"tpo", NULL},
                 {"topp", "top"},
                 {"botom", "bottom"},
                 {"BOTTOM", "bottom"},
                 {"stage-ration", "stage_ratio"},
                 {"depthwise", "depthwise_separable"},
                 {"colour", NULL},
                 {"", NULL},
                 {"x", NULL},
                 {"mid", "mid"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *nearest = nearest_word(cases[i].word, words, COUNT_OF(words));
        if (cases[i].nearest)
            assert_string_equal(nearest, cases[i].nearest);
        else
            assert_null(nearest);
    }
}

static void test_bug_aborts(void **state)
{
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        signal(SIGABRT, SIG_DFL);
        bug("on purpose");
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

// ---- files
// ---------------------------------------------------------------------------------------

static void test_file_round_trip(void **state)
{
    (void)state;
    Err err = {0};
    const char bytes[] = "a\0b\xff";
    char *data;
    size_t size;
    for (int i = 0; i < 2; i++) // new, then replaced
        assert_true(file_write(FOLDER "/f", bytes, sizeof bytes, &err));
    assert_true(file_read(FOLDER "/f", 100, &data, &size, &err));
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(data, bytes, sizeof bytes);
    assert_int_equal(data[size], 0);
    free(data);
    assert_true(file_write(FOLDER "/empty", "", 0, &err));
    assert_true(file_read(FOLDER "/empty", 0, &data, &size, &err));
    assert_int_equal(size, 0);
    assert_int_equal(data[0], 0);
    free(data);
}

static void test_file_read_refuses(void **state)
{
    (void)state;
    Err err = {0};
    char *data;
    size_t size;
    assert_false(file_read(FOLDER "/none", 10, &data, &size, &err));
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    assert_string_equal(err.message, FOLDER "/none: error: cannot open: No such file or directory");
    assert_false(file_read(FOLDER, 10, &data, &size, &err));
    assert_string_equal(err.message, FOLDER ": error: is a folder, a file was expected");
    assert_true(file_write(FOLDER "/big", "0123456789", 10, &err));
    assert_false(file_read(FOLDER "/big", 9, &data, &size, &err));
    assert_non_null(strstr(err.message, "larger than"));
    assert_false(file_read("/dev/zero", 1 << 20, &data, &size, &err));
    assert_string_equal(err.message,
                        "/dev/zero: error: larger than 1 MB, the largest file read here");
}

static void test_file_write_refuses(void **state)
{
    (void)state;
    Err err = {0};
    assert_false(file_write(FOLDER "/no/such/f", "x", 1, &err));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    assert_non_null(strstr(err.message, "No such file or directory"));
    assert_false(file_write(FOLDER, "x", 1, &err));
    assert_non_null(strstr(err.message, "Is a directory"));
    assert_false(file_write("/dev/full", "x", 1, &err));
    assert_non_null(strstr(err.message, "No space left"));
    assert_true(file_write("/dev/null", "x", 1, &err));
}

// A link stays a link, and the file behind it changes.
static void test_file_write_link(void **state)
{
    (void)state;
    Err err = {0};
    struct stat status;
    char *data;
    size_t size;
    unlink(FOLDER "/link");
    assert_true(file_write(FOLDER "/target", "old", 3, &err));
    assert_int_equal(symlink("target", FOLDER "/link"), 0);
    assert_true(file_write(FOLDER "/link", "new", 3, &err));
    assert_int_equal(lstat(FOLDER "/link", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_true(file_read(FOLDER "/target", 10, &data, &size, &err));
    assert_string_equal(data, "new");
    free(data);
}

static void test_folder_make(void **state)
{
    (void)state;
    Err err = {0};
    struct stat status;
    for (int i = 0; i < 2; i++)
        assert_true(folder_make(FOLDER "/a//b/c/", &err));
    assert_int_equal(stat(FOLDER "/a/b/c", &status), 0);
    assert_true(S_ISDIR(status.st_mode));
    assert_true(file_write(FOLDER "/plain", "x", 1, &err));
    assert_false(folder_make(FOLDER "/plain/d", &err));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
}

// ---- random
// --------------------------------------------------------------------------------------

// Known answers of Philox4x32-10 (kat_vectors of Random123), the first two words of four.
static void test_philox_known_answers(void **state)
{
    (void)state;
    Random zero = {0, 0};
    assert_int_equal(random_u64(&zero), UINT64_C(0xE169C58D6627E8D5));
    assert_int_equal(zero.counter, 1);
}

static void test_streams(void **state)
{
    (void)state;
    Random a = random_stream(1, "graph", 2, 3), again = random_stream(1, "graph", 2, 3);
    Random others[] = {random_stream(2, "graph", 2, 3), random_stream(1, "graphs", 2, 3),
                       random_stream(1, "graph", 3, 2), random_stream(1, "graph", 2, 4),
                       random_stream(1, "", 2, 3)};
    uint64_t first = random_u64(&a);
    assert_int_equal(first, random_u64(&again));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_int_not_equal(first, random_u64(&others[i]));
    Random jump = {a.key, 1000};
    for (int i = 1; i < 1000; i++)
        (void)random_u64(&a);
    assert_int_equal(random_u64(&a), random_u64(&jump));
}

// Mean and variance of n draws lie within 5 standard errors.
static void test_moments(void **state)
{
    (void)state;
    const int n = 200000;
    Random random = random_stream(7, "moments", 0, 0);
    double unit = 0, unit2 = 0, normal = 0, normal2 = 0, normal4 = 0;
    for (int i = 0; i < n; i++) {
        double u = random_unit(&random), x = random_normal(&random);
        assert_true(u >= 0 && u < 1 && isfinite(x));
        unit += u;
        unit2 += u * u;
        normal += x;
        normal2 += x * x;
        normal4 += x * x * x * x;
    }
    assert_true(fabs(unit / n - 0.5) < 5 * sqrt(1.0 / 12 / n));
    assert_true(fabs(unit2 / n - 1.0 / 3) < 5 * sqrt(4.0 / 45 / n));
    assert_true(fabs(normal / n) < 5 * sqrt(1.0 / n));
    assert_true(fabs(normal2 / n - 1) < 5 * sqrt(2.0 / n));
    assert_true(fabs(normal4 / n - 3) < 5 * sqrt(96.0 / n));
}

// Chi-squared of 7 equally likely values: below 22.5 with probability 0.999.  A bound of 3 * 2^62
// would be uneven by a factor of two without rejection.
static void test_below(void **state)
{
    (void)state;
    Random random = random_stream(9, "below", 0, 0);
    int counts[7] = {0}, low = 0;
    for (int i = 0; i < 70000; i++)
        counts[random_below(&random, 7)]++;
    double chi2 = 0;
    for (int i = 0; i < 7; i++)
        chi2 += (counts[i] - 10000.0) * (counts[i] - 10000.0) / 10000.0;
    assert_true(chi2 < 22.5);
    for (int i = 0; i < 30000; i++)
        low += random_below(&random, UINT64_C(3) << 62) < UINT64_C(1) << 62;
    assert_true(abs(low - 10000) < 5 * 82);
    assert_int_equal(random_below(&random, 1), 0);
}

static void test_shuffle(void **state)
{
    (void)state;
    Random random = random_stream(3, "shuffle", 0, 0);
    int first[6] = {0};
    for (int round = 0; round < 6000; round++) {
        uint32_t items[] = {0, 1, 2, 3, 4, 5};
        unsigned seen = 0;
        random_shuffle(&random, items, COUNT_OF(items));
        for (size_t i = 0; i < COUNT_OF(items); i++)
            seen |= 1u << items[i];
        assert_int_equal(seen, 63);
        first[items[0]]++;
    }
    for (int i = 0; i < 6; i++)
        assert_true(abs(first[i] - 1000) < 5 * 29);
    random_shuffle(&random, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),
        cmocka_unit_test(test_pool_grow),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_err),
        cmocka_unit_test(test_nearest_word),
        cmocka_unit_test(test_bug_aborts),
        cmocka_unit_test(test_file_round_trip),
        cmocka_unit_test(test_file_read_refuses),
        cmocka_unit_test(test_file_write_refuses),
        cmocka_unit_test(test_file_write_link),
        cmocka_unit_test(test_folder_make),
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_shuffle),
    };
    return cmocka_run_group_tests(tests, folder_setup, NULL);
}
