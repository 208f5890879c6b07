// test_progress.c - the progress bar: its clock, plain lines in a pipe, a bar that leaves nothing
// behind on a terminal.
#define _GNU_SOURCE
#include "../cli/progress.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void test_clock(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(progress_clock(0, text), "0:00");
    assert_string_equal(progress_clock(65.4, text), "1:05");
    assert_string_equal(progress_clock(59.6, text), "1:00");
    assert_string_equal(progress_clock(7384, text), "2:03:04");
    assert_string_equal(progress_clock(-1, text), "--:--");
    assert_string_equal(progress_clock(1e300, text), "--:--");
}

// Points stderr at `descriptor`; returns the old one.
static int stderr_to(int descriptor)
{
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(descriptor, STDERR_FILENO);
    return saved;
}

static void stderr_back(int saved)
{
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void wait_seconds(double seconds)
{
    struct timespec t = {.tv_nsec = (long)(1e9 * seconds)};
    nanosleep(&t, NULL);
}

// A short run with two lines; what it printed comes back in `printed`.
static void short_run(int descriptor)
{
    int saved = stderr_to(descriptor);
    Progress progress;
    progress_open(&progress, "images", 0, 200);
    progress_update(&progress, 50, "epoch 1/2");
    progress_line(&progress, "epoch 1 of 2: loss %.2f", 1.5);
    wait_seconds(0.15);
    progress_update(&progress, 100, "epoch 2/2");
    progress_line(&progress, "epoch 2 of 2: loss %.2f", 1.25);
    progress_close(&progress);
    stderr_back(saved);
}

static void test_pipe_gets_plain_lines(void **state)
{
    (void)state;
    int ends[2];
    char printed[4096] = "";
    assert_int_equal(pipe(ends), 0);
    short_run(ends[1]);
    close(ends[1]);
    assert_true(read(ends[0], printed, sizeof printed - 1) > 0);
    close(ends[0]);
    assert_string_equal(printed, "epoch 1 of 2: loss 1.50\nepoch 2 of 2: loss 1.25\n");
}

static void test_terminal_gets_a_bar(void **state)
{
    (void)state;
    int keyboard = posix_openpt(O_RDWR | O_NOCTTY);
    if (keyboard < 0 || grantpt(keyboard) != 0 || unlockpt(keyboard) != 0)
        skip();
    int screen = open(ptsname(keyboard), O_RDWR | O_NOCTTY);
    assert_true(screen >= 0);
    short_run(screen);
    char printed[4096] = "";
    size_t length = 0;
    struct pollfd ready = {.fd = keyboard, .events = POLLIN};
    while (length < sizeof printed - 1 && poll(&ready, 1, 500) == 1) { // it comes in pieces
        ssize_t got = read(keyboard, printed + length, sizeof printed - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(screen);
    close(keyboard);
    const char *bar = strstr(printed, "[==========>         ]  50 %  epoch 2/2");
    assert_non_null(bar);
    const char *line = strstr(printed, "\r\033[Kepoch 2 of 2: loss 1.25\r\n");
    assert_non_null(line);
    assert_true(bar < line);
    assert_string_equal(printed + strlen(printed) - strlen("\r\033[K"), "\r\033[K");
}

static void test_rate_counts_from_the_start_of_this_run(void **state)
{
    (void)state;
    Progress progress;
    progress_open(&progress, "images", 1000, 2000);
    assert_true(progress_seconds_left(&progress) == -1);
    wait_seconds(0.1);
    progress_update(&progress, 1100, "resumed");
    double rate = progress_rate(&progress); // about 1000 a second
    assert_true(rate > 10 && rate <= 1000);
    double left = progress_seconds_left(&progress);
    assert_true(left > 0.85 && left < 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_pipe_gets_plain_lines),
        cmocka_unit_test(test_terminal_gets_a_bar),
        cmocka_unit_test(test_rate_counts_from_the_start_of_this_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
