// Every message that a theta.json or arch.json can cause: tests/errors/NAME.json is read as the
// programs read it, and the whole message must equal NAME.expect.  NAGO_REWRITE=1 writes the
// .expect files anew, to be reviewed like code.
#define _GNU_SOURCE
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../compiler/nagoc.h"

enum { MAX_CASES = 1000 };
static const char *const folder = "tests/errors";

// The message that the file causes, ended by a newline as the programs print it.
static void message_of(const char *path, Text *message)
{
    Pool *pool = pool_new();
    Arch arch;
    Err err = {0};
    if (arch_load(path, false, 0, &arch, pool, &err))
        fail_msg("%s is accepted", path);
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    text_printf(message, "%s\n", err.message);
    pool_free(pool);
}

static void test_message(void **state)
{
    const char *name = *state;
    Text path = {0}, expect = {0}, message = {0};
    Err err = {0};
    char *expected;
    size_t size;
    text_printf(&path, "%s/%s.json", folder, name);
    text_printf(&expect, "%s/%s.expect", folder, name);
    message_of(path.data, &message);
    if (getenv("NAGO_REWRITE"))
        assert_true(file_write(expect.data, message.data, message.length, &err));
    if (!file_read(expect.data, 1 << 20, &expected, &size, &err))
        fail_msg("%s", err.message);
    assert_string_equal(message.data, expected);
    free(expected);
    text_free(&path);
    text_free(&expect);
    text_free(&message);
}

static int is_case(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

int main(void)
{
    static struct CMUnitTest tests[MAX_CASES];
    struct dirent **entries;
    int count = scandir(folder, &entries, is_case, alphasort);
    if (count < 1 || count > MAX_CASES) {
        fprintf(stderr, "%s: %d cases\n", folder, count);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        char *name = entries[i]->d_name;
        name[strlen(name) - 5] = '\0';
        tests[i] =
            (struct CMUnitTest){.name = name, .test_func = test_message, .initial_state = name};
    }
    int failed = _cmocka_run_group_tests("errors", tests, (size_t)count, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return failed;
}
