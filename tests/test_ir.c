// test_ir.c - op_list.h agrees with itself and with the templates; ir_verify tells broken programs;
// each pass does what it is for, on programs small enough to count.
#define _GNU_SOURCE
#include "ir_checks.h"
#include "reference_nets.h"

#include "../compiler/emit_ops.h"

// ---- op_list.h ----------------------------------------------------------------------------------

// An op with room for any number of arguments, all of them tensor 0, lists of two.
static Op any_op(OpKind kind)
{
    static int zeros[64];
    Op op = {.kind = kind, .args = zeros, .attr = {.inputs = 2}};
    for (const char *word = op_info[kind].tensors; *word; word += *word == ' ') {
        const size_t length = strcspn(word, " ");
        op.n_args += memchr(word, '*', length) ? 2 : 1;
        word += length;
    }
    return op;
}

static bool has_word(const char *list, const char *text)
{
    const size_t length = strlen(text);
    for (const char *word = list; *word; word += *word == ' ') {
        const size_t n = strcspn(word, " ");
        if (n == length && !memcmp(word, text, n))
            return true;
        word += n;
    }
    return false;
}

// A word of `tensors`: letters, then "=" or "+", then "?" and "*" in any order.
static void check_tensor_word(OpKind kind, const char *word, size_t length)
{
    const size_t name = strspn(word, "abcdefghijklmnopqrstuvwxyz_");
    size_t marks = name + (word[name] == '=' || word[name] == '+');
    while (marks < length && strchr("?*", word[marks]))
        marks++;
    if (name == 0 || marks != length)
        fail_msg("%s: tensor word \"%.*s\"", op_info[kind].kernel, (int)length, word);
}

// The result (of ZERO: results) comes first; what may be overwritten in place is an argument that
// is read; lists go with `inputs`; what accumulates says so.
static void check_roles(OpKind kind)
{
    const OpInfo *info = &op_info[kind];
    const Op op = any_op(kind);
    assert_true(op.n_args > 0);
    const Arg first = op_arg(&op, 0);
    if (!(first.access & ACCESS_WRITE) || (first.in_list && kind != OP_ZERO))
        fail_msg("%s: the first tensor is not its result", info->kernel);
    const int place = info->inplace < 0 ? info->inplace : info->inplace & ~EACH;
    if (place >= op.n_args || place < -1 || place == 0 ||
        (place > 0 && op_arg(&op, place).access != ACCESS_READ))
        fail_msg("%s: cannot work in place of argument %d", info->kernel, place);
    if (place > 0 && (info->inplace & EACH) && !op_arg(&op, place).first_of_list)
        fail_msg("%s: argument %d does not begin a list", info->kernel, place);
    if (!strchr(info->tensors, '*') != !has_word(info->attributes, "inputs"))
        fail_msg("%s: lists and the attribute `inputs` go together", info->kernel);
    if (has_word(info->attributes, "accumulate") && first.word[first.word_length] != '+')
        fail_msg("%s: has `accumulate`, but its result is not marked +", info->kernel);
}

static void check_words(OpKind kind)
{
    static const char known[] = "groups count seed step dropout label_smoothing learning_rate "
                                "momentum weight_decay";
    const OpInfo *info = &op_info[kind];
    const Op op = {.kind = kind};
    for (const char *word = info->tensors; *word; word += *word == ' ') {
        check_tensor_word(kind, word, strcspn(word, " "));
        word += strcspn(word, " ");
    }
    for (const char *word = info->attributes; *word; word += *word == ' ') {
        if (*word == '|') { // behind it, what stays a parameter
            word++;
            continue;
        }
        bool is_float; // an unknown attribute ends the program
        op_attribute(&op, word, (int)strcspn(word, " "), &is_float);
        word += strcspn(word, " ");
    }
    for (const char *word = info->call; *word; word += *word == ' ') {
        const size_t length = strcspn(word, " ");
        char text[40] = {0};
        memcpy(text, word, length);
        if (!has_word(known, text))
            fail_msg("%s: nothing brings \"%s\"", info->kernel, text);
        word += length;
    }
}

static void test_rows(void **state)
{
    (void)state;
    for (OpKind kind = 0; kind < OP_COUNT; kind++) {
        check_words(kind);
        check_roles(kind);
        for (OpKind other = 0; other < kind; other++)
            assert_string_not_equal(op_info[kind].kernel, op_info[other].kernel);
    }
}

// The types of a parameter list, without names and spaces: "(float*,constfloat*,int)".
static void types_of(const char *list, Text *out)
{
    text_puts(out, "(");
    for (const char *at = list + 1; at[-1] != ')';) {
        const size_t length = strcspn(at, ",)");
        size_t end = length;
        while (end > 0 && (at[end - 1] == '_' || strchr("abcdefghijklmnopqrstuvwxyz", at[end - 1])))
            end--; // the name
        for (size_t i = 0; i < end; i++)
            if (!strchr(" \n", at[i]))
                text_add(out, at + i, 1);
        text_add(out, at + length, 1);
        at += length + 1;
    }
}

// The function in the template takes what the JIT, which knows op_list.h alone, will pass.
static void test_signatures(void **state)
{
    (void)state;
    for (OpKind kind = 0; kind < OP_COUNT; kind++) {
        Text name = {0}, declared = {0}, ours = {0}, theirs = {0};
        text_printf(&name, "void nk_%s(", op_info[kind].kernel);
        const char *text = strstr(template_text(op_info[kind].file), name.data);
        if (!text)
            fail_msg("templates/%s.c has no \"%s\"", op_info[kind].file, name.data);
        emit_signature(kind, true, true, &declared);
        types_of(declared.data, &ours);
        types_of(strchr(text, '('), &theirs);
        if (strcmp(ours.data, theirs.data) != 0)
            fail_msg("%s: op_list.h makes %s, templates/%s.c has %s", op_info[kind].kernel,
                     ours.data, op_info[kind].file, theirs.data);
        text_free(&name);
        text_free(&declared);
        text_free(&ours);
        text_free(&theirs);
    }
}

// ---- programs by hand ---------------------------------------------------------------------------

// images -> relu -> relu -> ... : `n` of them, 2 x 3 x 3.
static Ir *relu_chain(Pool *pool, int n)
{
    static const Arch none = {0};
    Ir *ir = ir_new(&none, 32, LAYOUT_BATCH_INNER, pool);
    ir->name = "test";
    ir_place(ir, "test", "test");
    const int images = ir_vector(ir, "images", SPACE_IMAGES, 18 * LANES, 0);
    int x = ir_tensor(ir, "x0", SPACE_ARENA, 2, 3, 3);
    ir_op(ir, OP_PACK_IMAGES, (int[]){x, images}, 2,
          (Attr){.channels = 2, .height = 3, .width = 3});
    for (int i = 1; i <= n; i++) {
        const int y = ir_tensor(ir, pool_printf(pool, "x%d", i), SPACE_ARENA, 2, 3, 3);
        ir_op(ir, OP_RELU, (int[]){y, x}, 2, (Attr){.channels = 2, .size = 9});
        x = y;
    }
    return ir;
}

static int tensor_named(const Ir *ir, const char *name)
{
    for (int t = 0; t < ir->n_tensors; t++)
        if (!strcmp(ir->tensors[t].name, name))
            return t;
    fail_msg("no tensor %s", name);
    return -1;
}

static void assert_broken(const Ir *ir, const char *message)
{
    Err err = {0};
    if (ir_verify(ir, &err))
        fail_msg("ir_verify finds nothing; expected: %s", message);
    if (!strstr(err.message, message))
        fail_msg("ir_verify says \"%s\"; expected: %s", err.message, message);
}

static void test_verify_order(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Ir *ir = relu_chain(pool, 3);
    ir_check(ir, "building", NULL);
    const Op last = ir->ops[3];
    ir->ops[3] = ir->ops[2];
    ir->ops[2] = last;
    assert_broken(ir, "reads before anything is written: x2");
    ir = relu_chain(pool, 3);
    ir->ops[3].args[0] = tensor_named(ir, "x1");
    assert_broken(ir, "writes a second time: x1");
    ir = relu_chain(pool, 3);
    ir->ops[2].args[1] = ir->n_tensors;
    assert_broken(ir, "unknown tensor");
    pool_free(pool);
}

static void test_verify_sizes(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Ir *ir = relu_chain(pool, 2);
    ir->ops[2].attr.size++;
    assert_broken(ir, "size that disagrees");
    ir = relu_chain(pool, 2);
    ir->tensors[tensor_named(ir, "x2")].floats -= LANES;
    assert_broken(ir, "size that disagrees");
    pool_free(pool);
}

// x1 = relu(x0), x2 = x0 + x1: all three are alive together.
static Ir *diamond(Pool *pool)
{
    Ir *ir = relu_chain(pool, 1);
    const int x0 = tensor_named(ir, "x0"), x1 = tensor_named(ir, "x1");
    const int y = ir_tensor(ir, "y", SPACE_ARENA, 2, 3, 3);
    ir_op(ir, OP_WEIGHTED_SUM, (int[]){y, x1, x0, -1, -1}, 5,
          (Attr){.inputs = 2, .scale = 1.0f, .channels = 2, .size = 9});
    return ir;
}

static void test_verify_plan(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Ir *ir = diamond(pool);
    plan_memory(ir, true);
    ir_check(ir, "plan", NULL);
    ir->tensors[tensor_named(ir, "x1")].offset = ir->tensors[tensor_named(ir, "x0")].offset;
    assert_broken(ir, "overlaps a live tensor: x1");
    ir = diamond(pool);
    plan_memory(ir, false);
    ir->tensors[tensor_named(ir, "x1")].offset = ir->tensors[tensor_named(ir, "x0")].offset + 16;
    assert_broken(ir, "overlaps a live tensor: x1");
    ir = diamond(pool);
    plan_memory(ir, true);
    ir->arena_floats -= 16;
    assert_broken(ir, "is not inside the arena");
    ir->arena_floats += 16;
    ir->tensors[tensor_named(ir, "y")].offset = -1;
    assert_broken(ir, "is not inside the arena: y");
    // y may take the place of any of its terms whose last reader it is: x0 is read once more
    ir = diamond(pool);
    const int more = ir_tensor(ir, "more", SPACE_ARENA, 2, 3, 3);
    ir_op(ir, OP_RELU, (int[]){more, tensor_named(ir, "x0")}, 2, (Attr){.channels = 2, .size = 9});
    plan_memory(ir, false);
    ir->tensors[tensor_named(ir, "y")].offset = ir->tensors[tensor_named(ir, "x1")].offset;
    ir_check(ir, "plan", NULL);
    ir->tensors[tensor_named(ir, "y")].offset = ir->tensors[tensor_named(ir, "x0")].offset;
    assert_broken(ir, "overlaps a live tensor: y");
    pool_free(pool);
}

// ---- plan ---------------------------------------------------------------------------------------

static void test_plan(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const int64_t one = ir_map_floats(LAYOUT_BATCH_INNER, 2, 9);
    Ir *chain = relu_chain(pool, 20);
    plan_memory(chain, true);
    assert_int_equal(chain->arena_floats, one); // each in the place of the one before
    Ir *apart = relu_chain(pool, 20);
    plan_memory(apart, false);
    assert_int_equal(apart->arena_floats, 21 * one);
    Ir *ir = diamond(pool);
    plan_memory(ir, true);
    assert_int_equal(ir->arena_floats, 2 * one); // y takes over x1
    ir_check_memory(ir);
    ir_check_memory(chain);
    ir_check_memory(apart);
    pool_free(pool);
}

// Memory that is given back serves whoever fits, and a hole is closed by its neighbours.
static void test_plan_reuses(void **state)
{
    (void)state;
    static const Arch none = {0};
    Pool *pool = pool_new();
    Ir *ir = ir_new(&none, 32, LAYOUT_BATCH_INNER, pool);
    ir->name = "test";
    int tensors[7];
    static const int channels[7] = {1, 2, 1, 4, 3, 1, 4};
    const int images = ir_vector(ir, "images", SPACE_IMAGES, 4 * LANES, 0);
    for (int i = 0; i < 7; i++)
        tensors[i] = ir_tensor(ir, pool_printf(pool, "x%d", i), SPACE_ARENA, channels[i], 1, 1);
    for (int i = 0; i < 3; i++) // x0 x1 x2 live side by side: 4 channels
        ir_op(ir, OP_PACK_IMAGES, (int[]){tensors[i], images}, 2,
              (Attr){.channels = channels[i], .height = 1, .width = 1});
    // each is read for the last time; then x3 needs all that they had
    for (int i = 0; i < 3; i++)
        ir_op(ir, OP_UNPACK_LOGITS, (int[]){images, tensors[i]}, 2, (Attr){.classes = channels[i]});
    ir_op(ir, OP_PACK_IMAGES, (int[]){tensors[3], images}, 2,
          (Attr){.channels = 4, .height = 1, .width = 1});
    plan_memory(ir, true);
    assert_int_equal(ir->arena_floats, ir_map_floats(LAYOUT_BATCH_INNER, 4, 1));
    assert_int_equal(ir->tensors[tensors[3]].offset, 0);
    pool_free(pool);
}

// ---- fusions ------------------------------------------------------------------------------------

static int count_ops(const Ir *ir, OpKind kind)
{
    int n = 0;
    for (int o = 0; o < ir->n_ops; o++)
        n += ir->ops[o].kind == kind;
    return n;
}

// x0 -> sum -> s -> relu -> r, and `readers` - 1 more readers of s.
static Ir *sum_then_relu(Pool *pool, int readers)
{
    Ir *ir = diamond(pool);
    const int s = tensor_named(ir, "y");
    for (int i = 0; i < readers; i++) {
        const int r = ir_tensor(ir, pool_printf(pool, "r%d", i), SPACE_ARENA, 2, 3, 3);
        ir_op(ir, OP_RELU, (int[]){r, s}, 2, (Attr){.channels = 2, .size = 9});
    }
    return ir;
}

static void test_fuse_relu(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    Ir *ir = sum_then_relu(pool, 1);
    const int ops = ir->n_ops;
    fuse_relu(ir);
    ir_check(ir, "fuse_relu", NULL);
    assert_int_equal(ir->n_ops, ops - 1);
    assert_int_equal(ir->n_forward, ir->n_ops);
    const Op *sum = &ir->ops[ir->n_ops - 1];
    assert_int_equal(sum->kind, OP_WEIGHTED_SUM);
    assert_int_equal(sum->attr.relu, 1);
    assert_int_equal(sum->args[0], tensor_named(ir, "r0"));
    ir = sum_then_relu(pool, 2); // somebody else reads the sum as it is
    fuse_relu(ir);
    assert_int_equal(ir->n_ops, ops + 1);
    ir = relu_chain(pool, 2); // what packs images cannot rectify
    fuse_relu(ir);
    assert_int_equal(ir->n_ops, 3);
    pool_free(pool);
}

static const NetText *const nets[] = {&net_mixed, &net_depthwise, &net_large, &net_tiny, &net_hand};

// Fused programs keep no batch normalisation of their own and store fewer numbers; programs for one
// image are left to fold_weights.
static void test_fuse_nets(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        Pool *pool = pool_new();
        const Arch *arch = net_arch(nets[i], pool);
        Ir *plain = lower(arch, 32, LAYOUT_BATCH_INNER, true, pool);
        const Ir *fused =
            checked_passes(arch, 32, (PassOptions){.training = true, .stop = "fuse"}, pool);
        const int norms = count_ops(plain, OP_BATCHNORM);
        assert_true(norms > 0);
        assert_int_equal(count_ops(fused, OP_BATCHNORM) + count_ops(fused, OP_BATCHNORM_STATS),
                         norms);
        assert_true(count_ops(fused, OP_RELU) < count_ops(plain, OP_RELU));
        assert_int_equal(fused->n_params, plain->n_params);
        assert_int_equal(fused->macs, plain->macs);
        pool_free(pool);
    }
}

// ---- gradient -----------------------------------------------------------------------------------

// Writers of each tensor in program order; the first must write, the rest add.
static void assert_gradients_add_up(const Ir *ir)
{
    bool *written = xcalloc((size_t)ir->n_tensors, sizeof *written);
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const Arg arg = op_arg(&ir->ops[o], i);
            if (arg.tensor < 0 || arg.access == ACCESS_READ ||
                ir->tensors[arg.tensor].space != SPACE_ARENA)
                continue;
            if (written[arg.tensor] != (arg.access == ACCESS_UPDATE) &&
                ir->ops[o].kind != OP_CONCAT_PART)
                fail_msg("op %d (%s) %s %s", o, op_info[ir->ops[o].kind].kernel,
                         written[arg.tensor] ? "overwrites" : "adds to nothing in",
                         ir->tensors[arg.tensor].name);
            written[arg.tensor] = true;
        }
    free(written);
}

// Every parameter's gradient is written exactly once; nothing pulls a gradient of the images.
static void assert_gradients_complete(const Ir *ir)
{
    int *times = xcalloc((size_t)ir->param_count, sizeof *times);
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const Arg arg = op_arg(&ir->ops[o], i);
            const Tensor *t = arg.tensor < 0 ? NULL : &ir->tensors[arg.tensor];
            if (!t || t->space != SPACE_GRAD || !(arg.access & ACCESS_WRITE))
                continue;
            for (int64_t j = 0; j < t->floats; j++)
                times[t->offset + j]++;
        }
    for (int p = 0; p < ir->n_params; p++)
        for (int64_t j = 0; j < ir->params[p].count; j++)
            if (times[ir->params[p].offset + j] != 1)
                fail_msg("the gradient of %s is written %d times", ir->params[p].name,
                         times[ir->params[p].offset + j]);
    for (int t = 0; t < ir->n_tensors; t++)
        assert_string_not_equal(ir->tensors[t].name, "d.images.packed");
    free(times);
}

static void test_grad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        for (int conv = CONV_AUTO; conv <= CONV_WINOGRAD; conv++) {
            Pool *pool = pool_new();
            const Arch *arch = net_arch(nets[i], pool);
            const PassOptions how = {.training = true, .plan = true, .conv = (ConvKind)conv};
            const Ir *ir = checked_passes(arch, 40, how, pool);
            assert_gradients_add_up(ir);
            assert_gradients_complete(ir);
            ir_check_memory(ir);
            assert_true(ir->n_forward > 0 && ir->n_forward < ir->n_ops);
            pool_free(pool);
        }
}

// ---- the pipeline -------------------------------------------------------------------------------

static void note_pass(const Ir *ir, const char *pass, void *user)
{
    (void)ir;
    text_printf(user, "%s ", pass);
}

static void test_pipeline(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const Arch *arch = net_arch(&net_mixed, pool);
    Text all = {0}, some = {0};
    Err err = {0};
    PassOptions how = {.training = true, .plan = true, .watch = note_pass, .user = &all};
    assert_non_null(passes_run(arch, 8, &how, pool, &err));
    how.user = &some;
    how.stop = "fuse";
    assert_non_null(passes_run(arch, 8, &how, pool, &err));
    assert_int_equal(strncmp(all.data, some.data, some.length), 0);
    assert_int_equal(strncmp(all.data + some.length, "differentiate ", 14), 0);
    assert_non_null(strstr(all.data, "choose_winograd plan_memory "));
    text_free(&all);
    text_free(&some);
    pool_free(pool);
}

// What is made again in the backward pass need not be kept: less memory, by the same ops.
static void test_recompute(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const Arch *arch = net_arch(&net_mixed, pool);
    Err err = {0};
    const PassOptions how = {.training = true, .plan = true};
    setenv("NAGO_SKIP_PASSES", "recompute", 1);
    const Ir *kept = passes_run(arch, 32, &how, pool, &err);
    unsetenv("NAGO_SKIP_PASSES");
    const Ir *again = passes_run(arch, 32, &how, pool, &err);
    assert_non_null(kept);
    assert_non_null(again);
    ir_check(again, "recompute", NULL);
    assert_int_equal(again->n_forward, kept->n_forward);
    assert_true(again->n_ops > kept->n_ops);
    assert_true(again->arena_floats < kept->arena_floats);
    for (int o = kept->n_forward, p = o; p < again->n_ops; p++)
        if (o < kept->n_ops && again->ops[p].kind == kept->ops[o].kind)
            o++;
        else
            assert_int_equal(again->ops[p].kind, OP_AFFINE_SUM);
    pool_free(pool);
}

// One more program for one update: parameters, momentum and gradients of the whole net.
static void test_update(void **state)
{
    (void)state;
    Pool *pool = pool_new();
    const Ir *ir = lower(net_arch(&net_tiny, pool), 1, LAYOUT_BATCH_INNER, true, pool);
    const Ir *update = lower_update(ir, pool);
    ir_check(update, "lower_update", NULL);
    assert_int_equal(update->n_ops, 1);
    for (int i = 0; i < update->ops[0].n_args; i++)
        assert_int_equal(update->tensors[update->ops[0].args[i]].floats, ir->param_count);
    assert_int_equal(update->tensors[update->ops[0].args[1]].offset, ir->running_count);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_verify_order), cmocka_unit_test(test_verify_sizes),
        cmocka_unit_test(test_verify_plan),  cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_reuses),  cmocka_unit_test(test_fuse_relu),
        cmocka_unit_test(test_fuse_nets),    cmocka_unit_test(test_grad),
        cmocka_unit_test(test_pipeline),     cmocka_unit_test(test_update),
        cmocka_unit_test(test_recompute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
