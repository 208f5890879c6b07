// test_plan.c - the order of the ops and the memory plan: brute force over all orders of small
// programs, and what must hold for every network.
#include "ir_checks.h"

#include <math.h>
#include <stdio.h>

#include "../compiler/emit.h"
#include "../compiler/pack.h"
#include "random_theta.h"

// ---- small programs against brute force ---------------------------------------------------------

enum { MOST_OPS = 9, SMALL_PROGRAMS = 600 };

static const Arch no_arch = {0};

static int pick(Random *random, const int *list, int n)
{
    return list[random_below(random, (uint64_t)n)];
}

static int new_tensor(Ir *ir, int channels)
{
    return ir_tensor(ir, pool_printf(ir->pool, "x%d", ir->n_tensors), SPACE_ARENA, channels, 4, 4);
}

// Appends a random op: its result comes from tensors made before, or from none.  What is computed
// does not matter here; sizes and ways to touch them do.
static void random_op(Ir *ir, Random *random, int *made, int *n_made)
{
    const int kind = *n_made ? (int)random_below(random, 7) : 0;
    const int x = *n_made ? pick(random, made, *n_made) : -1;
    const int channels = x < 0 ? 0 : ir->tensors[x].channels, other = random_between(random, 1, 4);
    if (kind == 0) { // a source
        made[*n_made] = new_tensor(ir, other);
        ir_op(ir, OP_PACK_IMAGES, (int[]){made[(*n_made)++], 0}, 2, (Attr){0});
    } else if (kind == 1) { // may work in place
        made[*n_made] = new_tensor(ir, channels);
        ir_op(ir, OP_RELU, (int[]){made[(*n_made)++], x}, 2, (Attr){0});
    } else if (kind == 2 || kind == 3) { // a sum: in place of any of its terms of the same size
        const int y = pick(random, made, *n_made);
        made[*n_made] = new_tensor(ir, channels);
        ir_op(ir, OP_WEIGHTED_SUM, (int[]){made[(*n_made)++], x, y, -1, -1}, 5,
              (Attr){.inputs = 2});
    } else if (kind == 4) { // adds to a tensor there is
        const int y = pick(random, made, *n_made);
        if (x != y)
            ir_op(ir, OP_AVERAGE_POOL, (int[]){y, x}, 2, (Attr){.accumulate = 1});
    } else if (kind == 5) { // with scratch
        made[*n_made] = new_tensor(ir, other);
        ir_op(ir, OP_WINOGRAD, (int[]){made[*n_made], new_tensor(ir, 1), x, x, -1}, 5, (Attr){0});
        (*n_made)++;
    } else { // parts of a concat, each of them an op
        const int y = pick(random, made, *n_made), z = new_tensor(ir, 3);
        ir_op(ir, OP_CONCAT_PART, (int[]){z, x}, 2, (Attr){0});
        ir_op(ir, OP_CONCAT_PART, (int[]){z, y}, 2, (Attr){0});
        made[(*n_made)++] = z;
    }
}

static Ir *random_program(uint64_t seed, Pool *pool)
{
    Random random = random_stream(seed, "random program", 0, 0);
    Ir *ir = ir_new(&no_arch, 1, LAYOUT_PIXELS, pool);
    int made[2 * MOST_OPS], n_made = 0;
    const int most = random_between(&random, 4, MOST_OPS - 1);
    ir->name = "test";
    ir_vector(ir, "images", SPACE_IMAGES, 64, 0);
    while (ir->n_ops < most)
        random_op(ir, &random, made, &n_made);
    for (int i = 0; i < n_made; i++) // some results leave the program
        if (random_below(&random, 3) == 0 && ir->n_ops < MOST_OPS)
            ir_op(ir, OP_UNPACK_LOGITS,
                  (int[]){ir_vector(ir, "logits", SPACE_LOGITS, 1, 0), made[i]}, 2, (Attr){0});
    ir->n_forward = ir->n_ops;
    return ir;
}

// How an op touches a tensor: bits of Access, 4 for a part of a concat.
static unsigned touch_of(const Op *op, int tensor)
{
    unsigned touch = 0;
    for (int i = 0; i < op->n_args; i++)
        if (op->args[i] == tensor)
            touch |= (unsigned)op_arg(op, i).access;
    return touch == ACCESS_WRITE && op->kind == OP_CONCAT_PART ? touch | 4 : touch;
}

// Whether op b, which stands behind a, must stay there.
static bool must_follow(const Ir *ir, int a, int b)
{
    for (int t = 1; t < ir->n_tensors; t++) {
        const unsigned x = touch_of(&ir->ops[a], t), y = touch_of(&ir->ops[b], t);
        if (x && y && ((x | y) & ACCESS_WRITE) && !(x & y & 4))
            return true;
    }
    return false;
}

// Bytes of the arena that a tensor takes.
static int64_t rounded(const Ir *ir, int t)
{
    if (ir->tensors[t].space != SPACE_ARENA)
        return 0;
    return (ir->tensors[t].floats * 4 + 63) / 64 * 64;
}

// Bytes alive while op `now` runs after those in `done`, counted anew from the definition.
static int64_t alive_during(const Ir *ir, unsigned done, int now)
{
    int64_t bytes = 0, saved = 0;
    for (int t = 1; t < ir->n_tensors; t++) {
        bool before = false, here = touch_of(&ir->ops[now], t) > 0, after = false;
        for (int o = 0; o < ir->n_ops; o++)
            if (o != now && touch_of(&ir->ops[o], t))
                *(done >> o & 1 ? &before : &after) = true;
        if (here || (before && after))
            bytes += rounded(ir, t);
        for (int i = 1; here && !after && i < ir->ops[now].n_args; i++)
            if (ir->ops[now].args[i] == t && ir_takes_over(ir, &ir->ops[now], i))
                saved = rounded(ir, t);
    }
    return bytes - saved;
}

// The least peak of all orders, by trying them all.
static int64_t try_all(const Ir *ir, unsigned done, int64_t peak, int64_t best)
{
    if (peak >= best)
        return best;
    if (done == (1u << ir->n_ops) - 1)
        return peak;
    for (int o = 0; o < ir->n_ops; o++) {
        bool may = !(done >> o & 1);
        for (int a = 0; a < o && may; a++)
            may = (done >> a & 1) || !must_follow(ir, a, o);
        if (!may)
            continue;
        const int64_t during = alive_during(ir, done, o);
        best = try_all(ir, done | 1u << o, during > peak ? during : peak, best);
    }
    return best;
}

static int64_t peak_in_order(const Ir *ir)
{
    int64_t peak = 0;
    for (int o = 0; o < ir->n_ops; o++) {
        const int64_t during = alive_during(ir, (1u << o) - 1, o);
        peak = during > peak ? during : peak;
    }
    return peak;
}

static bool same_op(const Op *a, const Op *b)
{
    return a->kind == b->kind && a->n_args == b->n_args && a->args == b->args;
}

// `ir` has the ops of `old`, each once, none before one it must follow.
static void assert_order(const Ir *ir, const Ir *old)
{
    int *place = xcalloc((size_t)old->n_ops, sizeof *place);
    assert_int_equal(ir->n_ops, old->n_ops);
    for (int o = 0; o < old->n_ops; o++) {
        while (place[o] < ir->n_ops && !same_op(&ir->ops[place[o]], &old->ops[o]))
            place[o]++;
        assert_true(place[o] < ir->n_ops);
    }
    for (int a = 0; a < old->n_ops; a++)
        for (int b = a + 1; b < old->n_ops; b++)
            if (place[a] > place[b] && must_follow(old, a, b))
                fail_msg("op %d went before op %d", b, a);
    free(place);
}

static void test_brute_force(void **state)
{
    (void)state;
    int n_moved = 0, n_apart = 0;
    for (uint64_t seed = 1; seed <= SMALL_PROGRAMS; seed++) {
        Pool *pool = pool_new();
        Ir *ir = random_program(seed, pool);
        const Ir old = *ir;
        const int64_t best = try_all(ir, 0, 0, INT64_MAX), in_order = peak_in_order(ir);
        schedule_ops(ir);
        assert_int_equal(peak_in_order(ir), best);
        if (ir->plan.order_bytes != best || ir->plan.bound_bytes != best)
            fail_msg("program %llu: order %lld, bound %lld, best %lld", (unsigned long long)seed,
                     (long long)ir->plan.order_bytes, (long long)ir->plan.bound_bytes,
                     (long long)best);
        assert_order(ir, &old);
        plan_memory(ir, true);
        ir_check_memory(ir);
        assert_true(ir->arena_floats * 4 >= best);
        n_moved += best < in_order;
        n_apart += ir->arena_floats * 4 > best;
        pool_free(pool);
    }
    print_message("# %d of %d programs got better, %d were packed above the bound\n", n_moved,
                  SMALL_PROGRAMS, n_apart);
    assert_true(n_moved > SMALL_PROGRAMS / 20);
    assert_true(n_apart < SMALL_PROGRAMS / 50);
}

// The bytes alive after each op, added up.
static int64_t sum_alive(MemoryModel *model, const int *order)
{
    int64_t sum = 0;
    for (int i = 0; i < model->n_ops; i++) {
        model_do(model, order[i]);
        sum += model->live;
    }
    for (int i = model->n_ops - 1; i >= 0; i--)
        model_undo(model, order[i]);
    return sum;
}

// Refining an order keeps what waits behind what it waits for, and its peak.
static void test_refine(void **state)
{
    (void)state;
    int n_less = 0;
    for (uint64_t seed = 1; seed <= SMALL_PROGRAMS; seed++) {
        Pool *pool = pool_new();
        const Ir *ir = random_program(seed, pool);
        MemoryModel *model = memory_model(ir, pool);
        const Precedence p = precedence(model, pool);
        int order[MOST_OPS];
        for (int o = 0; o < ir->n_ops; o++)
            order[o] = o;
        const int64_t peak = model_peak(model, order), sum = sum_alive(model, order);
        order_refine(model, &p, peak, order, pool);
        assert_true(model_peak(model, order) <= peak);
        assert_true(sum_alive(model, order) <= sum);
        n_less += sum_alive(model, order) < sum;
        for (int i = 0; i < ir->n_ops; i++)
            for (int j = 0; j < i; j++) {
                assert_int_not_equal(order[i], order[j]);
                assert_false(must_precede(&p, order[i], order[j]));
            }
        pool_free(pool);
    }
    print_message("# in %d of %d programs less is alive\n", n_less, SMALL_PROGRAMS);
    assert_true(n_less > SMALL_PROGRAMS / 20);
}

// ---- every network ------------------------------------------------------------------------------

enum { SHORT_NETS = 10, LONG_NETS = 500 };

static int n_nets(void)
{
    return getenv("NAGO_LONG") ? LONG_NETS : SHORT_NETS;
}

// Inference of one image with initial weights, up to the pass `stop`.
static Ir *inference(const Arch *arch, const char *stop, Pool *pool)
{
    Text text = {0};
    TensorFile weights;
    Err err = {0};
    if (!emit_weights(arch, 1, &text, &err) ||
        !tensors_parse("weights", text.data, text.length, &weights, pool, &err))
        fail_msg("%s", err.message);
    Ir *ir = checked_passes(arch, 1, (PassOptions){.weights = &weights, .plan = true, .stop = stop},
                            pool);
    text_free(&text);
    return ir;
}

// A theta of the ranges that NAGO's search draws from (its paper, appendix E): 9 to 1000 ops.
static bool paper_arch(uint64_t seed, Arch *arch, Pool *pool)
{
    Random random = random_stream(seed, "paper", 0, 0);
    const int top = random_between(&random, 3, 10), bottom = random_between(&random, 3, 10),
              mid = random_between(&random, 1, 10);
    int k_top = random_between(&random, 2, 5), k_bottom = random_between(&random, 2, 5);
    const double p_top = 0.1 + 0.8 * random_unit(&random),
                 p_bottom = 0.1 + 0.8 * random_unit(&random),
                 p_mid = 0.1 + 0.8 * random_unit(&random);
    k_top = k_top < top ? k_top : top - 1;
    k_bottom = k_bottom < bottom ? k_bottom : bottom - 1;
    const char *text =
        pool_printf(pool,
                    "{\"top\": {\"n\": %d, \"k\": %d, \"p\": %.3f},"
                    "\"mid\": {\"n\": %d, \"p\": %.3f},"
                    "\"bottom\": {\"n\": %d, \"k\": %d, \"p\": %.3f}, \"seed\": %d}",
                    top, k_top, p_top, mid, p_mid, bottom, k_bottom, p_bottom, (int)seed);
    Theta theta;
    Err err = {0};
    if (!theta_parse("theta", text, strlen(text), &theta, pool, &err))
        fail_msg("%s", err.message);
    return arch_sample(&theta, arch, pool, &err); // false: p_mid connects too little
}

static void assert_plan(Ir *ir)
{
    assert_true(ir->plan.bound_bytes > 0);
    assert_true(ir->plan.bound_bytes <= ir->plan.order_bytes);
    assert_true(ir->plan.order_bytes <= ir->arena_floats * 4);
    ir_check_memory(ir);
}

// Seeds whose best order is hard to find or to prove.
static const uint64_t hard_seeds[] = {17, 36, 65, 72, 83, 96, 132};

// On the thetas of the paper: how often the plan is proven to be the best, and how far off the
// others are.
static void test_paper_thetas(void **state)
{
    (void)state;
    const bool is_long = getenv("NAGO_LONG") != NULL;
    const int n_seeds = is_long ? LONG_NETS : SHORT_NETS + (int)COUNT_OF(hard_seeds);
    int n = 0, n_optimal = 0, n_far = 0, most_ops = 0;
    double worst = 0.0, slowest = 0.0;
    for (uint64_t number = 1; n < n_seeds; number++) {
        const uint64_t seed =
            is_long || number <= SHORT_NETS ? number : hard_seeds[number - SHORT_NETS - 1];
        Pool *pool = pool_new();
        Arch arch;
        if (paper_arch(seed, &arch, pool)) {
            Ir *ir = inference(&arch, NULL, pool);
            const double gap = (double)(ir->arena_floats * 4) / (double)ir->plan.bound_bytes - 1.0;
            assert_plan(ir);
            n++;
            n_optimal += ir->arena_floats * 4 == ir->plan.bound_bytes;
            n_far += gap > 0.05;
            worst = gap > worst ? gap : worst;
            slowest = ir->plan.ms > slowest ? ir->plan.ms : slowest;
            most_ops = ir->n_ops > most_ops ? ir->n_ops : most_ops;
        }
        pool_free(pool);
    }
    print_message(
        "# %d of %d plans are the best there is, %d are more than 5 %% above, none more than %.1f; "
        "up to %d ops, %.2f s\n",
        n_optimal, n, n_far, 100.0 * worst, most_ops, 1e-3 * slowest);
    assert_true(n_optimal * 20 >= n * 19);
    assert_true(n_far * 200 <= n);
}

// All merges, ops and sizes: the ops are the same ones, in an order that their tensors allow; the
// same program comes out the same.
static void test_random_nets(void **state)
{
    (void)state;
    for (int seed = 1; seed <= n_nets(); seed++) {
        Pool *pool = pool_new();
        Text text = {0};
        Theta theta;
        Arch arch;
        Err err = {0};
        random_theta((uint64_t)seed, 4, 15, &text);
        if (!theta_parse("random", text.data, text.length, &theta, pool, &err) ||
            !arch_sample(&theta, &arch, pool, &err))
            fail_msg("%s", err.message);
        Ir *old = inference(&arch, "fold", pool), *ir = inference(&arch, "fold", pool);
        const Ir start = *ir;
        schedule_ops(ir);
        schedule_ops(old);
        for (int o = 0; o < ir->n_ops; o++)
            assert_int_equal(ir->ops[o].args[0], old->ops[o].args[0]);
        assert_order(ir, &start);
        plan_memory(ir, true);
        assert_plan(ir);
        text_free(&text);
        pool_free(pool);
    }
}

// ---- packing ------------------------------------------------------------------------------------

enum { BLOCKS = 24, OPS = 12 };

// Some have an heir, of the same size.
static void random_blocks(Random *random, Block b[BLOCKS])
{
    int64_t end = 0;
    for (int i = 0; i < BLOCKS; i++) {
        const int first = random_between(random, 0, OPS - 1);
        b[i] = (Block){64 * random_between(random, 1, 12), 0, first,
                       random_between(random, first, OPS - 1), -1};
        for (int j = 0; j < i && b[i].heir < 0; j++)
            if (b[j].first == b[i].last && b[j].first > first)
                b[i].heir = j;
        if (b[i].heir >= 0)
            b[i].bytes = b[b[i].heir].bytes;
    }
    for (int i = 0; i < BLOCKS; i++) {
        b[i].offset = end;
        end += b[i].bytes;
    }
}

// Whether two blocks may lie as they do.
static bool get_along(const Block *b, int i, int j)
{
    if (b[i].first > b[j].last || b[j].first > b[i].last ||
        b[i].offset >= b[j].offset + b[j].bytes || b[j].offset >= b[i].offset + b[i].bytes)
        return true;
    return (b[i].heir == j || b[j].heir == i) && b[i].offset == b[j].offset;
}

// Random blocks: packed without overlap but for heirs, in the size that is said, never above the
// one before.
static void test_packing(void **state)
{
    (void)state;
    int n_tight = 0, n_taken = 0, n_apart = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Random random = random_stream(seed, "blocks", 0, 0);
        Pool *pool = pool_new();
        Block b[BLOCKS];
        random_blocks(&random, b);
        int64_t top = 0;
        const int64_t alive = blocks_alive(b, BLOCKS, OPS, pool),
                      end = b[BLOCKS - 1].offset + b[BLOCKS - 1].bytes,
                      size = pack_blocks(b, BLOCKS, alive, end);
        assert_true(size >= alive && size <= end);
        for (int i = 0; i < BLOCKS; i++) {
            top = b[i].offset + b[i].bytes > top ? b[i].offset + b[i].bytes : top;
            assert_true(b[i].offset >= 0);
            for (int j = 0; j < i; j++)
                assert_true(get_along(b, i, j));
            if (b[i].heir >= 0)
                *(b[i].offset == b[b[i].heir].offset ? &n_taken : &n_apart) += 1;
        }
        assert_int_equal(top, size);
        n_tight += size == alive;
        pool_free(pool);
    }
    print_message("# %d of 200 packings of random blocks are as small as what is alive; %d heirs "
                  "took over, %d did not\n",
                  n_tight, n_taken, n_apart);
    assert_true(n_tight > 190);
    assert_true(n_taken > 0 && n_apart > 0);
}

// ---- the drawing --------------------------------------------------------------------------------

typedef struct {
    long long bytes, offset;
    int first, last;
    double x, y, width, height;
} Drawn;

// Reads the next rectangle that has a title; false: there is none.
static bool read_drawn(const char **at, Drawn *d)
{
    const char *rect = *at, *title;
    do {
        rect = strstr(rect + 1, "<rect ");
        title = rect ? strstr(rect, "><") : NULL;
    } while (rect && (!title || strncmp(title, "><title>", 8) != 0 || title > strchr(rect, '\n')));
    if (!rect)
        return false;
    *at = rect;
    assert_int_equal(sscanf(rect, "<rect x=\"%lf\" y=\"%lf\" width=\"%lf\" height=\"%lf\"", &d->x,
                            &d->y, &d->width, &d->height),
                     4);
    const char *numbers = strstr(title, "]: ");
    assert_non_null(numbers);
    assert_int_equal(sscanf(numbers, "]: %lld bytes at %lld, ops %d to %d", &d->bytes, &d->offset,
                            &d->first, &d->last),
                     4);
    return true;
}

// Two tensors that lie in the same bytes are alive one after the other; or the later takes over the
// other's memory in its last op.
static void assert_apart(const Drawn *a, const Drawn *b)
{
    if (a->offset >= b->offset + b->bytes || b->offset >= a->offset + a->bytes)
        return;
    const Drawn *early = a->first < b->first ? a : b, *late = early == a ? b : a;
    if (early->last > late->first || (early->last == late->first && a->offset != b->offset))
        fail_msg("ops %d to %d and %d to %d share bytes %lld and %lld", a->first, a->last, b->first,
                 b->last, a->offset, b->offset);
}

// Every tensor is drawn once, where it lies and as long as it lives, inside the arena.
static void test_drawing(void **state)
{
    (void)state;
    enum { MOST = 2000 };
    Pool *pool = pool_new();
    Arch arch;
    Err err = {0};
    Text svg = {0}, again = {0};
    Drawn *d = pool_alloc(pool, MOST * sizeof *d);
    int n = 0;
    assert_true(arch_load("examples/theta.json", false, 0, &arch, pool, &err));
    assert_true(emit_plan(&arch, &emit_defaults, &svg, &err));
    assert_true(emit_plan(&arch, &emit_defaults, &again, &err));
    assert_string_equal(svg.data, again.data);
    const Ir *ir = inference(&arch, NULL, pool);
    const char *heading = strstr(svg.data, "an arena of ");
    assert_non_null(heading);
    assert_int_equal(strtoll(heading + strlen("an arena of "), NULL, 10), ir->arena_floats * 4);
    const double byte_height = 560.0 / (double)(ir->arena_floats * 4),
                 op_width = 1200.0 / ir->n_ops;
    double top = 1e9;
    for (const char *at = svg.data; n < MOST && read_drawn(&at, &d[n]); n++) {
        assert_true(d[n].offset >= 0 && d[n].offset + d[n].bytes <= ir->arena_floats * 4);
        assert_true(d[n].last < ir->n_ops);
        assert_true(fabs(d[n].width - (d[n].last - d[n].first + 1) * op_width) < 0.02);
        assert_true(fabs(d[n].height - (double)d[n].bytes * byte_height) < 0.02);
        assert_true(fabs(d[n].x - (90.0 + d[n].first * op_width)) < 0.02);
        top = d[n].y < top ? d[n].y : top;
        for (int i = 0; i < n; i++)
            assert_apart(&d[i], &d[n]);
    }
    assert_true(fabs(top - 60.0) < 0.02 + 64 * byte_height); // tensors end in the arena's last 64
    int n_tensors = 0;                                       // in the arena and touched by an op
    for (int t = 0; t < ir->n_tensors; t++)
        n_tensors += ir->tensors[t].space == SPACE_ARENA && ir->tensors[t].offset >= 0;
    assert_int_equal(n, n_tensors);
    text_free(&svg);
    text_free(&again);
    pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brute_force),  cmocka_unit_test(test_refine),
        cmocka_unit_test(test_packing),      cmocka_unit_test(test_random_nets),
        cmocka_unit_test(test_paper_thetas), cmocka_unit_test(test_drawing),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
