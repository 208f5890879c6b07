// The deepest chain of calls in gcc's call graphs.
#include "../runtime/call_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define FUNCTION(title, name, frame, kind)                                                       \
    "node: { title: \"" title "\" label: \"" name "\\nnet.c:1:2\\n" frame " bytes (" kind ")\" " \
    "}\n"
#define CALL(from, to) \
    "edge: { sourcename: \"" from "\" targetname: \"" to "\" label: \"net.c:3:4\" }\n"

static void expect_chain(const char *text, const char *from, int64_t bytes,
                         const char *const *names, int count)
{
    Pool *pool = pool_new();
    Err err = {0};
    DeepestStack deepest;
    assert_true(call_graph_deepest(text, from, &deepest, pool, &err));
    assert_int_equal(deepest.bytes, bytes);
    assert_int_equal(deepest.n, count);
    for (int i = 0; i < count; i++)
        assert_string_equal(deepest.chain[i].name, names[i]);
    pool_free(pool);
}

static void expect_error(const char *text, const char *from, const char *words)
{
    Pool *pool = pool_new();
    Err err = {0};
    DeepestStack deepest;
    assert_false(call_graph_deepest(text, from, &deepest, pool, &err));
    assert_non_null(strstr(err.message, words));
    assert_int_equal(err.exit_code, EXIT_RUN_FAILED);
    pool_free(pool);
}

// The deepest chain is neither the longest nor the one with the largest frame on its own.
static void test_deepest(void **state)
{
    (void)state;
    static const char text[] = FUNCTION("net.c:a", "a", "8", "static")
        FUNCTION("net.c:b", "b", "100", "static") FUNCTION("net.c:c", "c", "60", "static")
            FUNCTION("net.c:d", "d", "50", "static") FUNCTION("net.c:e", "e", "1", "static")
                CALL("net.c:a", "net.c:b") CALL("net.c:a", "net.c:c") CALL("net.c:c", "net.c:d")
                    CALL("net.c:b", "net.c:e") CALL("net.c:a", "net.c:e") CALL("net.c:e", "net.c:f")
                        FUNCTION("net.c:f", "f", "2", "dynamic,bounded");
    expect_chain(text, "a", 118, (const char *const[]){"a", "c", "d"}, 3);
    expect_chain(text, "b", 103, (const char *const[]){"b", "e", "f"}, 3);
    expect_chain(text, "f", 2, (const char *const[]){"f"}, 1);
}

// A function of another graph counts its frame; one of a library so many bytes.
static void test_several_graphs(void **state)
{
    (void)state;
    static const char text[] = FUNCTION(
        "net.c:a", "a", "8",
        "static") "node: { title: \"memset\" label: "
                  "\"__builtin_memset\\n<built-in>\" shape : ellipse }\n"
                  "node: { title: \"__divsf3\" label: \"x\" shape : ellipse }\n" CALL(
                      "net.c:a", "memset") "graph: { title: \"memory.c\"\n" FUNCTION("memset",
                                                                                     "memset", "16",
                                                                                     "static");
    expect_chain(text, "a", 24, (const char *const[]){"a", "memset"}, 2);
    static const char unknown[] =
        FUNCTION("net.c:a", "a", "8", "static") CALL("net.c:a", "__divsf3");
    expect_chain(unknown, "a", 8 + UNKNOWN_FRAME, (const char *const[]){"a", "__divsf3"}, 2);
}

static void test_no_limit(void **state)
{
    (void)state;
    expect_error(FUNCTION("a.c:a", "a", "8", "static"), "b", "no function b");
    expect_error(FUNCTION("a.c:a", "a", "8", "static") CALL("a.c:a", "a.c:a"), "a",
                 "a calls itself");
    expect_error(FUNCTION("a.c:a", "a", "8", "static") FUNCTION("a.c:b", "b", "8", "static")
                     CALL("a.c:a", "a.c:b") CALL("a.c:b", "a.c:a"),
                 "b", "calls itself");
    expect_error(FUNCTION("a.c:a", "a", "8", "dynamic"), "a", "stack of a has no limit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deepest),
        cmocka_unit_test(test_several_graphs),
        cmocka_unit_test(test_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
