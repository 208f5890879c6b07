// data_files.h - what the tests of data sets share: scratch files, and opening with an expected
// end.
#ifndef NAGO_TEST_DATA_FILES_H
#define NAGO_TEST_DATA_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../runtime/data_source.h"

// Each test program defines SCRATCH, a folder of its own, before it includes this.
static inline int scratch_clear(void **state)
{
    (void)state;
    return system("rm -rf " SCRATCH) == 0 ? 0 : -1;
}

static inline void write_file(const char *path, const void *bytes, size_t size)
{
    Err err = {0};
    char folder[512];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    if (!folder_make(folder, &err) || !file_write(path, bytes, size, &err))
        fail_msg("%s", err.message);
}

static inline Dataset *open_shape(const char *spec, DataShape shape)
{
    Err err = {0};
    Dataset *data = dataset_open(spec, shape, &err);
    if (!data)
        fail_msg("%s", err.message);
    return data;
}

static inline Dataset *open_data(const char *spec)
{
    return open_shape(spec, (DataShape){0, 0, 0});
}

static inline void expect_words(const Err *err, const char *words)
{
    if (!strstr(err->message, words))
        fail_msg("the message is \"%s\", without \"%s\"", err->message, words);
    assert_int_equal(err->exit_code, EXIT_BAD_INPUT);
}

// Opening must fail, as bad input, with a message that contains `words`.
static inline void open_fails_shape(const char *spec, DataShape shape, const char *words)
{
    Err err = {0};
    Dataset *data = dataset_open(spec, shape, &err);
    if (data)
        fail_msg("%s opens, though it should say \"%s\"", spec, words);
    expect_words(&err, words);
}

static inline void open_fails(const char *spec, const char *words)
{
    open_fails_shape(spec, (DataShape){0, 0, 0}, words);
}

// Is ../shared here?  Says so where it is not.
static inline const char *shared_path(const char *name, char path[512])
{
    const char *shared = getenv("NAGO_SHARED");
    snprintf(path, 512, "%s/%s", shared ? shared : "../shared", name);
    if (file_exists(path))
        return path;
    print_message("skipped: ../shared is not here\n");
    return NULL;
}

#endif
