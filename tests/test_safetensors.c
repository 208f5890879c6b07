// Tests of safetensors.c: what is written reads back, the oracle's files read, and every
// inconsistency is an error that names the file and the tensor or byte.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../compiler/nagoc.h"

// A file made of a header and `data_bytes` bytes of data (0, 1, 2, ...).
static void file_make(const char *header, size_t data_bytes, Text *out)
{
    uint64_t length = strlen(header);
    out->length = 0;
    for (int i = 0; i < 8; i++) {
        char byte = (char)(length >> (8 * i) & 0xFF);
        text_add(out, &byte, 1);
    }
    text_puts(out, header);
    for (size_t i = 0; i < data_bytes; i++) {
        char byte = (char)(i & 0xFF);
        text_add(out, &byte, 1);
    }
}

// An exact-size copy, so that AddressSanitizer sees a read behind the end.
static bool parse_copy(const char *bytes, size_t size, TensorFile *file, Pool *pool, Err *err)
{
    char *copy = xmalloc(size);
    memcpy(copy, bytes, size);
    bool done = tensors_parse("w.st", copy, size, file, pool, err);
    free(copy);
    return done;
}

static const float f32[] = {1.5f, -2, 0, 4, 5, 1e-30f};
static const double f64[] = {0.1};
static const int64_t i64[] = {-7, INT64_C(1) << 40};
static const int32_t i32[] = {-3, 9, 2147483647};
static const uint8_t u8[] = {0, 255, 7};
static StoredTensor table[] = {
    {"f32", DTYPE_F32, 2, {2, 3}, 6, f32},    {"u8 \"odd\"\n", DTYPE_U8, 1, {3}, 3, u8},
    {"f64", DTYPE_F64, 0, {0}, 1, f64},       {"i64", DTYPE_I64, 1, {2}, 2, i64},
    {"i32", DTYPE_I32, 3, {1, 3, 1}, 3, i32}, {"empty", DTYPE_F32, 2, {4, 0}, 0, f32}};
static const char *keys[] = {"nago.classes", "bad\xffutf8"},
                  *values[] = {"a\\b\"c\n\xc3\xa9", "\x01"};
static const TensorFile all_kinds = {.n_tensors = COUNT_OF(table),
                                     .tensors = table,
                                     .n_metadata = 2,
                                     .keys = keys,
                                     .values = values};

static void assert_all_kinds(const TensorFile *file)
{
    assert_int_equal(file->n_tensors, COUNT_OF(table));
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const StoredTensor *tensor = tensors_find(file, table[i].name);
        assert_non_null(tensor);
        assert_int_equal(tensor->dtype, table[i].dtype);
        assert_int_equal(tensor->rank, table[i].rank);
        assert_int_equal(tensor->count, table[i].count);
        assert_int_equal((uintptr_t)tensor->data % 16, 0);
        for (int j = 0; j < tensor->rank; j++)
            assert_int_equal(tensor->shape[j], table[i].shape[j]);
        for (int64_t j = 0; j < tensor->count; j++)
            assert_true(tensor_value(tensor, j) == tensor_value(&table[i], j));
    }
    for (int i = 1; i < file->n_tensors; i++)
        assert_true(strcmp(file->tensors[i - 1].name, file->tensors[i].name) < 0);
    assert_null(tensors_find(file, "f3"));
    assert_string_equal(tensors_metadata(file, "nago.classes"), values[0]);
    assert_string_equal(tensors_metadata(file, "bad\xef\xbf\xbdutf8"), "\x01");
    assert_null(tensors_metadata(file, "nago"));
}

static void test_round_trip(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Text bytes = {0};
    TensorFile file;
    Err err = {0};
    tensors_print(&all_kinds, &bytes);
    if (!parse_copy(bytes.data, bytes.length, &file, pool, &err))
        fail_msg("%s", err.message);
    assert_all_kinds(&file);
    assert_true(tensor_value(tensors_find(&file, "i64"), 0) == -7);
    assert_true(tensor_value(tensors_find(&file, "u8 \"odd\"\n"), 1) == 255);
    assert_true(tensor_value(tensors_find(&file, "f64"), 0) == 0.1);
    assert_true(folder_make("build/tmp", &err));
    assert_true(tensors_write("build/tmp/all.safetensors", &all_kinds, &err));
    assert_true(tensors_read("build/tmp/all.safetensors", &file, pool, &err));
    assert_all_kinds(&file);
    text_free(&bytes);
    pool_free(pool);
}

static void test_empty(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Text bytes = {0};
    TensorFile file, none = {0};
    Err err = {0};
    tensors_print(&none, &bytes);
    assert_true(parse_copy(bytes.data, bytes.length, &file, pool, &err));
    assert_int_equal(file.n_tensors, 0);
    assert_null(tensors_find(&file, "x"));
    text_free(&bytes);
    pool_free(pool);
}

// Tensors may stand in any order in the header; their data follow their offsets.
static void test_order_of_data(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Text bytes = {0};
    TensorFile file;
    Err err = {0};
    file_make("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]},"
              "\"a\":{\"data_offsets\":[0,3],\"shape\":[3],\"dtype\":\"U8\"}}   ",
              5, &bytes);
    assert_true(parse_copy(bytes.data, bytes.length, &file, pool, &err));
    assert_true(tensor_value(tensors_find(&file, "a"), 2) == 2);
    assert_true(tensor_value(tensors_find(&file, "b"), 0) == 3);
    text_free(&bytes);
    pool_free(pool);
}

static void test_oracle(void **state)
{
    (void)state;
    const char *folder = getenv("NAGO_SHARED");
    Pool *pool = pool_new();
    TensorFile file;
    Err err = {0};
    char *path = pool_printf(pool, "%s/oracle/mixed-14px/expected.safetensors",
                             folder ? folder : "../shared");
    if (access(path, R_OK) != 0) {
        fprintf(stderr, "skipped: ../shared is not here\n");
        pool_free(pool);
        skip();
    }
    if (!tensors_read(path, &file, pool, &err))
        fail_msg("%s", err.message);
    const StoredTensor *x = tensors_find(&file, "x"), *y = tensors_find(&file, "y");
    assert_int_equal(x->dtype, DTYPE_F64);
    assert_int_equal(x->rank, 4);
    assert_int_equal(x->shape[2], 14);
    assert_int_equal(y->dtype, DTYPE_I64);
    assert_int_equal(y->shape[0], x->shape[0]);
    assert_in_range(tensor_value(y, 0), 0, 6);
    Text bytes = {0};
    TensorFile again;
    tensors_print(&file, &bytes);
    assert_true(parse_copy(bytes.data, bytes.length, &again, pool, &err));
    assert_int_equal(again.n_tensors, file.n_tensors);
    for (int i = 0; i < file.n_tensors; i++) {
        assert_string_equal(again.tensors[i].name, file.tensors[i].name);
        assert_true(tensor_value(&again.tensors[i], 0) == tensor_value(&file.tensors[i], 0));
    }
    text_free(&bytes);
    pool_free(pool);
}

#define ONE(dtype, shape, offsets) \
    "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static const struct {
    const char *header;
    size_t data;
    const char *message; // after "w.st: error: "
} inconsistent[] = {
    {ONE("\"F16\"", "[2]", "[0,4]"), 4, "tensor \"t\": dtype \"F16\" is not supported"},
    {ONE("\"BF16\"", "[2]", "[0,4]"), 4, "tensor \"t\": dtype \"BF16\" is not supported"},
    {ONE("4", "[2]", "[0,4]"), 4, "tensor \"t\": \"dtype\" must be a string"},
    {ONE("\"F32\"", "2", "[0,8]"), 8, "tensor \"t\": \"shape\" must be an array"},
    {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "tensor \"t\": has 9 dimensions"},
    {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "a side of \"shape\" must lie in 0.."},
    {ONE("\"F32\"", "[1.5]", "[0,6]"), 6, "a side of \"shape\" must be a whole number"},
    {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, "a side of \"shape\" must be a number"},
    {ONE("\"F32\"", "[4294967296,4294967296]", "[0,0]"), 0,
     "tensor \"t\": its shape has more than"},
    {ONE("\"F32\"", "[4503599627370496,4503599627370496,0]", "[0,4]"), 4,
     "tensor \"t\": dtype and shape need 0"},
    {ONE("\"F32\"", "[2]", "[0,4]"), 4,
     "tensor \"t\": dtype and shape need 8 bytes, data_offsets give 4"},
    {ONE("\"F32\"", "[2]", "[0,8]"), 7,
     "tensor \"t\": its data end at byte 8 of 7: the file is truncated"},
    {ONE("\"F32\"", "[1]", "[0,9007199254740993]"), 4, "an offset must lie in"},
    {ONE("\"F32\"", "[0]", "[4,0]"), 4, "tensor \"t\": data_offsets end before they begin"},
    {ONE("\"F32\"", "[1]", "[0,4,8]"), 4, "tensor \"t\": \"data_offsets\" must be [begin, end]"},
    {ONE("\"F32\"", "[1]", "4"), 4, "tensor \"t\": \"data_offsets\" must be [begin, end]"},
    {ONE("\"F32\"", "[1]", "[4,8]"), 8,
     "tensor \"t\": its data begin at byte 4, the tensor before ends at 0 (a gap)"},
    {ONE("\"F32\"", "[1]", "[0,4]"), 9, "5 bytes after the last tensor belong to none"},
    {ONE("\"F32\"", "[1]", "[0,4],\"x\":1"), 4, "unknown key \"x\" in a tensor"},
    {"{\"t\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "tensor \"t\": \"data_offsets\" must be"},
    {"{\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4,
     "tensor \"t\": \"shape\" must be an array"},
    {"{\"t\":7}", 0, "tensor \"t\": must be an object"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
     "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[3,7]}}",
     7, "tensor \"b\": its data begin at byte 3, the tensor before ends at 4 (they overlap)"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
     "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
     0, "the key \"a\" is given twice"},
    {"{\"__metadata__\":{\"a\":1}}", 0, "a value of \"__metadata__\" must be a string, got 1"},
    {"{\"__metadata__\":[]}", 0, "\"__metadata__\" must be an object"},
    {"[]", 0, "the header must be an object"},
    {"{", 0, "a key in double quotes was expected, got the end of the file (at byte 9)"},
    {"", 0, "the file is empty"},
    {"{} x", 0, "the end of the file was expected, got 'x' (at byte 11)"},
};

static void test_inconsistent(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(inconsistent); i++) {
        Pool *pool = pool_new();
        Text bytes = {0};
        TensorFile file;
        Err err = {0};
        file_make(inconsistent[i].header, inconsistent[i].data, &bytes);
        if (parse_copy(bytes.data, bytes.length, &file, pool, &err))
            fail_msg("accepted: %s", inconsistent[i].header);
        assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
        char *start = pool_printf(pool, "w.st: error: %s", inconsistent[i].message);
        if (strncmp(err.message, start, strlen(start)) != 0)
            fail_msg("\"%s\" is not the start of \"%s\"", start, err.message);
        text_free(&bytes);
        pool_free(pool);
    }
}

static void test_header_length(void **state)
{
    (void)state;
    static const struct {
        char bytes[12];
        size_t size;
        const char *part;
    } cases[] = {
        {"", 0, "0 bytes are no safetensors file"},
        {"\x02\0\0\0\0\0\0", 7, "7 bytes are no safetensors file"},
        {"\x03\0\0\0\0\0\0\0{}", 10, "claims 3 bytes, 2 follow"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, "claims 18446744073709551615 bytes, 2 follow"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        TensorFile file;
        Err err = {0};
        assert_false(parse_copy(cases[i].bytes, cases[i].size, &file, pool, &err));
        assert_non_null(strstr(err.message, cases[i].part));
        pool_free(pool);
    }
}

// Every cut of a good file is refused; every changed byte of its header is read or refused, never
// worse.
static void test_damaged(void **state)
{
    (void)state;
    static const char telling[] = "\0\xff\"{}[]:,0-9e";
    Text bytes = {0};
    tensors_print(&all_kinds, &bytes);
    size_t header = 0;
    memcpy(&header, bytes.data, 8);
    for (size_t cut = 0; cut < bytes.length; cut++) {
        Pool *pool = pool_new();
        TensorFile file;
        Err err = {0};
        assert_false(parse_copy(bytes.data, cut, &file, pool, &err));
        pool_free(pool);
    }
    for (size_t i = 0; i < header + 8; i++) {
        char good = bytes.data[i];
        for (size_t j = 0; j < sizeof telling - 1; j++) {
            Pool *pool = pool_new();
            TensorFile file;
            Err err = {0};
            bytes.data[i] = telling[j];
            if (!parse_copy(bytes.data, bytes.length, &file, pool, &err))
                assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
            pool_free(pool);
        }
        bytes.data[i] = good;
    }
    text_free(&bytes);
}

static void test_missing_file(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    TensorFile file;
    Err err = {0};
    assert_false(tensors_read("build/tmp/none.safetensors", &file, pool, &err));
    assert_string_equal(
        err.message, "build/tmp/none.safetensors: error: cannot open: No such file or directory");
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_empty),
        cmocka_unit_test(test_order_of_data), cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_inconsistent),  cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_damaged),       cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
