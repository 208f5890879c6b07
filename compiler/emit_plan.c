// emit_plan.c - the memory plan of the inference file as a picture (SVG): the arena over time.
//
// In: an architecture, and the weights that the file is made for.  Out: ops from left to right in
// the order in which they run, bytes of the arena upwards; each tensor is a rectangle, as wide as
// the time it is alive, as high as it is large.  Its title (a browser shows it) says the rest.
// Where a tensor takes over the memory of another, it covers the other's last op.
#include "emit.h"
#include "passes.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT = 90, TOP = 60, WIDTH = 1200, HEIGHT = 560, BELOW = 60, MOST_SIZES = 6, TICKS = 8 };

static const char *const colours[MOST_SIZES] = {"#4e79a7", "#f28e2b", "#59a14f",
                                                "#b07aa1", "#edc948", "#76b7b2"};
#define SCRATCH_COLOUR "#bab0ac"

typedef struct {
    int first, last; // ops that touch the tensor; first -1: none
} Life;

typedef struct {
    const Ir *ir;
    const Life *lives;
    Text *out;
    double op_width, byte_height;
    int sizes[MOST_SIZES][2], n_sizes; // heights and widths of maps seen, in order
} Picture;

static Life *find_lives(const Ir *ir)
{
    Life *lives = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *lives);
    for (int t = 0; t < ir->n_tensors; t++)
        lives[t] = (Life){-1, -1};
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA)
                continue;
            lives[t].last = o;
            if (lives[t].first < 0)
                lives[t].first = o;
        }
    return lives;
}

static void put_escaped(Text *out, const char *text)
{
    for (; *text; text++)
        if (*text == '&' || *text == '<' || *text == '>' || *text == '"')
            text_printf(out, "&#%d;", *text);
        else
            text_add(out, text, 1);
}

static const char *colour_of(Picture *p, int tensor)
{
    const Tensor *t = &p->ir->tensors[tensor];
    if (p->lives[tensor].first == p->lives[tensor].last)
        return SCRATCH_COLOUR;
    int i = 0;
    while (i < p->n_sizes && (p->sizes[i][0] != t->height || p->sizes[i][1] != t->width))
        i++;
    if (i == p->n_sizes && i < MOST_SIZES) {
        p->sizes[i][0] = t->height;
        p->sizes[i][1] = t->width;
        p->n_sizes++;
    }
    return colours[i < MOST_SIZES ? i : MOST_SIZES - 1];
}

static void put_tensor(Picture *p, int tensor)
{
    const Ir *ir = p->ir;
    const Tensor *t = &ir->tensors[tensor];
    const Life life = p->lives[tensor];
    const int64_t bytes = t->floats * 4, offset = t->offset * 4;
    const double width = (life.last - life.first + 1) * p->op_width,
                 height = (double)bytes * p->byte_height, x = LEFT + life.first * p->op_width,
                 y = TOP + HEIGHT - (double)(offset + bytes) * p->byte_height;
    text_printf(p->out,
                "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"%s\"><title>", x,
                y, width, height, colour_of(p, tensor));
    put_escaped(p->out, t->name);
    text_printf(p->out, " [%dx%dx%d]: %lld bytes at %lld, ops %d to %d (%s to %s)</title></rect>\n",
                t->channels, t->height, t->width, (long long)bytes, (long long)offset, life.first,
                life.last, op_info[ir->ops[life.first].kind].kernel,
                op_info[ir->ops[life.last].kind].kernel);
    if (width > 6.0 * (double)strlen(t->name) && height > 11.0) {
        text_printf(p->out, "<text class=\"name\" x=\"%.2f\" y=\"%.2f\">", x + 3.0,
                    y + height / 2.0 + 3.0);
        put_escaped(p->out, t->name);
        text_puts(p->out, "</text>\n");
    }
}

// The smallest of 1, 2, 5, 10, 20, ... (of powers of two, if `binary`) that needs few ticks.
static int64_t tick_step(int64_t range, bool binary)
{
    static const int factors[] = {1, 2, 5};
    int64_t step = 1, power = 1;
    for (int i = 0; range / step > TICKS; i++) {
        if (i % 3 == 2)
            power *= 10;
        step = binary ? step * 2 : power * factors[(i + 1) % 3];
    }
    return step;
}

static void put_axes(const Picture *p, int64_t arena_bytes)
{
    const int64_t bytes_step = tick_step(arena_bytes, true),
                  ops_step = tick_step(p->ir->n_ops, false);
    for (int64_t at = 0; at <= arena_bytes; at += bytes_step) {
        const double y = TOP + HEIGHT - (double)at * p->byte_height;
        text_printf(p->out,
                    "<line class=\"grid\" x1=\"%d\" y1=\"%.2f\" x2=\"%d\" y2=\"%.2f\"/>\n"
                    "<text class=\"left\" x=\"%d\" y=\"%.2f\">%lld</text>\n",
                    LEFT, y, LEFT + WIDTH, y, LEFT - 6, y + 4.0, (long long)at);
    }
    for (int64_t op = 0; op < p->ir->n_ops; op += ops_step)
        text_printf(p->out, "<text class=\"below\" x=\"%.2f\" y=\"%d\">%lld</text>\n",
                    LEFT + ((double)op + 0.5) * p->op_width, TOP + HEIGHT + 16, (long long)op);
    text_printf(p->out, "<text class=\"below\" x=\"%d\" y=\"%d\">op</text>\n", LEFT - 6,
                TOP + HEIGHT + 16);
}

static void put_level(const Picture *p, const char *class, int64_t bytes)
{
    const double y = TOP + HEIGHT - (double)bytes * p->byte_height;
    text_printf(p->out, "<line class=\"%s\" x1=\"%d\" y1=\"%.2f\" x2=\"%d\" y2=\"%.2f\"/>\n", class,
                LEFT, y, LEFT + WIDTH, y);
}

static void put_legend(const Picture *p)
{
    int x = LEFT;
    for (int i = 0; i <= p->n_sizes; i++, x += 120) {
        text_printf(p->out,
                    "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>"
                    "<text x=\"%d\" y=\"%d\">",
                    x, TOP + HEIGHT + 32, i < p->n_sizes ? colours[i] : SCRATCH_COLOUR, x + 18,
                    TOP + HEIGHT + 42);
        if (i < p->n_sizes)
            text_printf(p->out, "%d x %d</text>\n", p->sizes[i][0], p->sizes[i][1]);
        else
            text_puts(p->out, "of one op alone</text>\n");
    }
}

static void put_heading(const Picture *p, int64_t arena_bytes)
{
    const PlanReport *plan = &p->ir->plan;
    text_printf(p->out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                "font-family=\"sans-serif\" font-size=\"12\">\n"
                "<style>rect{stroke:#fff;stroke-width:.5}.grid{stroke:#ddd}.name{fill:#fff;"
                "font-size:10px}.left{text-anchor:end}.below{text-anchor:middle}"
                ".bound{stroke:#c00;stroke-dasharray:6 4}.arena{stroke:#000}</style>\n"
                "<text x=\"%d\" y=\"20\" font-size=\"15\">",
                LEFT + WIDTH + 30, TOP + HEIGHT + BELOW, LEFT);
    put_escaped(p->out, p->ir->arch->name ? p->ir->arch->name : "net");
    text_printf(p->out,
                ": inference of one image, %d ops, an arena of %lld bytes</text>\n"
                "<text x=\"%d\" y=\"40\">lower bound (dashed) %lld bytes: ",
                p->ir->n_ops, (long long)arena_bytes, LEFT, (long long)plan->bound_bytes);
    if (plan->bound_bytes == arena_bytes)
        text_puts(p->out, "the plan is optimal</text>\n");
    else
        text_printf(p->out, "the plan is at most %.2f %% above the best</text>\n",
                    100.0 * ((double)arena_bytes / (double)plan->bound_bytes - 1.0));
}

static void put_picture(const Ir *ir, Text *out)
{
    const int64_t arena_bytes = ir->arena_floats * 4;
    Picture p = {.ir = ir,
                 .lives = find_lives(ir),
                 .out = out,
                 .op_width = (double)WIDTH / (ir->n_ops > 0 ? ir->n_ops : 1),
                 .byte_height = (double)HEIGHT / (double)(arena_bytes > 0 ? arena_bytes : 1)};
    put_heading(&p, arena_bytes);
    put_axes(&p, arena_bytes);
    for (int o = 0; o < ir->n_ops; o++) // what begins later covers what it takes over
        for (int t = 0; t < ir->n_tensors; t++)
            if (p.lives[t].first == o)
                put_tensor(&p, t);
    put_level(&p, "arena", arena_bytes);
    if (ir->plan.bound_bytes > 0)
        put_level(&p, "bound", ir->plan.bound_bytes);
    put_legend(&p);
    text_puts(out, "</svg>\n");
}

bool emit_plan(const Arch *arch, const EmitOptions *options, Text *out, Err *err)
{
    Pool *pool = pool_new();
    Text text = {0};
    TensorFile initial;
    PassOptions passes = {.weights = options->weights,
                          .conv = CONV_DIRECT,
                          .target = options->target,
                          .plan = options->plan};
    bool done = true;
    if (!passes.weights) {
        done = emit_weights(arch, options->seed, &text, err) &&
               tensors_parse("initial weights", text.data, text.length, &initial, pool, err);
        passes.weights = &initial;
    }
    const Ir *ir = done ? passes_run(arch, 1, &passes, pool, err) : NULL;
    if (ir)
        put_picture(ir, out);
    text_free(&text);
    pool_free(pool);
    return ir != NULL;
}
