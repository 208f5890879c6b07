// Tests of theta.c and json.c: defaults, clamping, the canonical form, places in messages, exact
// JSON.  Each message is tested in tests/errors.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../compiler/json.h"
#include "random_theta.h"

static const char smallest[] =
    "{\"top\": {\"n\": 5, \"k\": 9, \"p\": 0.3}, \"mid\": {\"n\": 3, \"p\": 0.5},\n"
    " \"bottom\": {\"n\": 4, \"k\": 2, \"p\": 1}}";

static Theta parse(const char *text, Pool *pool)
{
    Theta theta;
    Err err = {0};
    if (!theta_parse("t.json", text, strlen(text), &theta, pool, &err))
        fail_msg("%s", err.message);
    return theta;
}

static void test_defaults(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Theta theta = parse(smallest, pool);
    assert_int_equal(theta.level[0].graph, GRAPH_WS);
    assert_int_equal(theta.level[1].graph, GRAPH_ER);
    assert_int_equal(theta.level[2].graph, GRAPH_WS);
    assert_int_equal(theta.level[0].k, 4); // clamped to n - 1
    assert_int_equal(theta.level[1].n, 3);
    assert_true(theta.level[0].p == 0.3);
    for (int i = 0; i < LEVELS; i++) {
        assert_true(theta.level[i].merge[MERGE_SUM] == 1);
        assert_true(theta.level[i].merge[MERGE_CONCAT] == 0);
        assert_true(theta.stage_ratio[i] == 1);
        assert_true(theta.channel_ratio[i] == 1 << i);
    }
    for (int i = 0; i < ATOM_COUNT; i++)
        assert_true(theta.atoms[i] == (i == ATOM_CONV3X3));
    assert_false(theta.depthwise);
    assert_int_equal(theta.params, 4000000);
    assert_int_equal(theta.channels * 1000000 + theta.height * 1000 + theta.width, 3032032);
    assert_int_equal(theta.classes, 10);
    assert_int_equal(theta.seed, 0);
    pool_free(pool);
}

static void test_places(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Theta theta = parse(
        "{\"top\": {\"n\": 5, \"k\": 9, \"p\": 0.3},\n\"mid\": {\"graph\": \"chain\", \"n\": 3},\n"
        " \"bottom\": {\"n\": 4, \"k\": 2, \"p\": 1}, \"\\u0070arams\": 5000000}",
        pool);
    const int lines[] = {1, 2, 3}, columns[] = {31, 8, 34};
    for (int i = 0; i < LEVELS; i++) {
        assert_int_equal(theta.p_line[i], lines[i]);
        assert_int_equal(theta.p_column[i], columns[i]);
    }
    assert_int_equal(theta.params, 5000000);
    assert_int_equal(theta.params_line, 3);
    assert_int_equal(theta.params_column, 53);
    pool_free(pool);
}

// The budget grows with the smaller side.
static void test_large_default(void **state)
{
    (void)state;
    static const struct {
        int height, width, params;
    } cases[] = {{224, 224, 6000000}, {39, 1024, 4000000}, {40, 40, 6000000}, {40, 39, 4000000}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Pool *pool = pool_new();
        char *text =
            pool_printf(pool, "%.*s, \"input\": {\"height\": %d, \"width\": %d}}",
                        (int)strlen(smallest) - 1, smallest, cases[i].height, cases[i].width);
        assert_int_equal(parse(text, pool).params, cases[i].params);
        pool_free(pool);
    }
}

// Printed, read and printed again: the same text; and every field survives.
static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < 300; number++) {
        Pool *pool = pool_new();
        Text text = {0}, first = {0}, second = {0};
        random_theta(number, 10, 100, &text);
        Theta a = parse(text.data, pool);
        theta_print(&a, &first);
        Theta b = parse(first.data, pool);
        theta_print(&b, &second);
        assert_string_equal(first.data, second.data);
        assert_memory_equal(a.level, b.level, sizeof a.level);
        assert_memory_equal(a.atoms, b.atoms, sizeof a.atoms);
        assert_memory_equal(a.stage_ratio, b.stage_ratio, sizeof a.stage_ratio);
        assert_memory_equal(a.channel_ratio, b.channel_ratio, sizeof a.channel_ratio);
        assert_true(a.seed == b.seed && a.params == b.params && a.depthwise == b.depthwise);
        assert_true(a.channels == b.channels && a.height == b.height && a.width == b.width);
        text_free(&text);
        text_free(&first);
        text_free(&second);
        pool_free(pool);
    }
}

static void test_canonical(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Text text = {0};
    Theta theta =
        parse("{\"seed\": 9007199254740991, \"bottom\": {\"graph\": \"ba\", \"n\": 4, \"m\": 12, "
              "\"merge\": {\"concat\": 0.1}}, \"mid\": {\"graph\": \"chain\", \"n\": 1}, "
              "\"top\": {\"n\": 3, \"k\": 3, \"p\": 1e-1}, \"params\": 1e6}",
              pool);
    theta_print(&theta, &text);
    assert_string_equal(text.data, "{\n"
                                   " \"top\": {\"graph\": \"ws\", \"n\": 3, \"k\": 2, \"p\": 0.1, "
                                   "\"merge\": {\"sum\": 1, \"attention\": 0, \"concat\": 0}},\n"
                                   " \"mid\": {\"graph\": \"chain\", \"n\": 1, \"merge\": "
                                   "{\"sum\": 1, \"attention\": 0, \"concat\": 0}},\n"
                                   " \"bottom\": {\"graph\": \"ba\", \"n\": 4, \"m\": 3, "
                                   "\"merge\": {\"sum\": 0, \"attention\": 0, \"concat\": 0.1}},\n"
                                   " \"stage_ratio\": [1, 1, 1],\n \"channel_ratio\": [1, 2, 4],\n"
                                   " \"ops\": {\"conv3x3\": 1, \"conv5x5\": 0, \"conv1x1\": 0, "
                                   "\"conv3x1\": 0, \"conv1x3\": 0, "
                                   "\"pool3x3\": 0, \"pool5x5\": 0},\n"
                                   " \"conv\": \"normal\",\n \"params\": 1000000,\n"
                                   " \"input\": {\"channels\": 3, \"height\": 32, \"width\": 32},\n"
                                   " \"classes\": 10,\n \"seed\": 9007199254740991\n}\n");
    text_free(&text);
    pool_free(pool);
}

static void expect_error(const char *text, size_t size, const char *part)
{
    Pool *pool = pool_new();
    Theta theta;
    Err err = {0};
    assert_false(theta_parse("t.json", text, size, &theta, pool, &err));
    assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
    if (!strstr(err.message, part))
        fail_msg("\"%s\" is not in: %s", part, err.message);
    pool_free(pool);
}

// Sizes and depths that no file of the repository should have.
static void test_bombs(void **state)
{
    (void)state;
    size_t size = (size_t)65 << 20;
    char *text = xmalloc(size);
    memset(text, ' ', size);
    expect_error(text, size, "t.json: error: larger than 64 MB");
    expect_error(text, size - ((size_t)1 << 20), "white space");
    memset(text, '[', size);
    expect_error(text, 60 << 20, ":1:65: error: nested deeper than 64 levels");
    memcpy(text, "{\"a\":[", 6);
    for (size_t i = 6; i < (6 << 20); i += 2)
        memcpy(text + i, "0,", 2);
    expect_error(text, 6 << 20, "more than 1000000 values");
    memset(text, '0', 1 << 20);
    text[0] = '1';
    expect_error(text, 1 << 20, "at most 60 characters");
    memset(text, 'x', 1 << 20);
    text[0] = '"';
    text[(1 << 20) - 1] = '"';
    expect_error(text, 1 << 20, "the file must be an object, got \"xxx");
    free(text);
}

// Every prefix and every single changed byte of a good text is read or refused, never worse; an
// exact-size copy lets AddressSanitizer see a step too far.
static void test_damaged(void **state)
{
    (void)state;
    static const char bytes[] = "\0\"\\{}[],:0-e.\x80\xff";
    size_t size = strlen(smallest);
    for (size_t cut = 0; cut < size; cut++) {
        char *copy = xmalloc(cut);
        memcpy(copy, smallest, cut);
        expect_error(copy, cut, "t.json:");
        free(copy);
    }
    for (size_t i = 0; i < size; i++) {
        for (size_t j = 0; j < sizeof bytes - 1; j++) {
            Pool *pool = pool_new();
            Theta theta;
            Err err = {0};
            char *copy = xmalloc(size);
            memcpy(copy, smallest, size);
            copy[i] = bytes[j];
            if (!theta_parse("t.json", copy, size, &theta, pool, &err))
                assert_int_equal(err.exit_code, EXIT_BAD_INPUT);
            free(copy);
            pool_free(pool);
        }
    }
}

// All of JSON, as the tree has it.
static void test_json_tree(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Err err = {0};
    const char text[] = " {\"a\" : [ 1 , -2.5e-3, true,false "
                        ",null],\r\n\t\"\\u00e9\\ud83d\\ude00\": \"\\\"\\n\", \"\": {}} ";
    JsonFile file = {.path = "x", .text = text, .size = strlen(text)};
    if (!json_parse(&file, 100, pool, &err))
        fail_msg("%s", err.message);
    assert_int_equal(file.root->kind, JSON_OBJECT);
    assert_int_equal(file.root->count, 3);
    const JsonValue *a = json_find(file.root, "a");
    assert_int_equal(a->count, 5);
    assert_true(a->child->number == 1);
    assert_true(a->child->next->number == -2.5e-3);
    assert_int_equal(a->child->next->next->kind, JSON_TRUE);
    assert_int_equal(a->child->next->next->next->kind, JSON_FALSE);
    assert_int_equal(a->child->next->next->next->next->kind, JSON_NULL);
    assert_null(a->child->next->next->next->next->next);
    assert_string_equal(json_find(file.root, "\xc3\xa9\xf0\x9f\x98\x80")->string, "\"\n");
    assert_int_equal(json_find(file.root, "")->count, 0);
    assert_null(json_find(file.root, "b"));
    int line, column;
    json_position(&file, json_find(file.root, "")->key_offset, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 32);
    pool_free(pool);
}

// Deep but allowed, and one level more.
static void test_json_depth(void **state)
{
    (void)state;
    for (int depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
        Pool *pool = pool_new();
        Err err = {0};
        char text[200];
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        JsonFile file = {.path = "x", .text = text, .size = (size_t)depth * 2};
        assert_int_equal(json_parse(&file, 100, pool, &err), depth == JSON_MAX_DEPTH);
        pool_free(pool);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x20",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x82",
                                      "\xf5\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xff"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(utf8_length(good[i], strlen(good[i])), strlen(good[i]));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(utf8_length(bad[i], strlen(bad[i])), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_places),
        cmocka_unit_test(test_large_default), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_canonical),     cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_damaged),       cmocka_unit_test(test_json_tree),
        cmocka_unit_test(test_json_depth),    cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
