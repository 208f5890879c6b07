// limits.c - --max-ram, --max-flash, --max-latency: what a file takes against what there is, in
// words: an error before anything is written, lines of the banner, assertions in the file.
#include "costs.h"
#include "emit_ops.h"

#include <string.h>

enum { MOST_SHOWN = 5 };

// ---- what takes most ----------------------------------------------------------------------------

typedef struct {
    const char *name;
    int64_t bytes;
} Taker;

// Keeps the largest takers, largest first.
static void take_note(Taker *takers, int *count, Taker one)
{
    int at = *count < MOST_SHOWN ? (*count)++ : MOST_SHOWN;
    for (; at > 0 && takers[at - 1].bytes < one.bytes; at--)
        if (at < MOST_SHOWN)
            takers[at] = takers[at - 1];
    if (at < MOST_SHOWN)
        takers[at] = one;
}

static void put_takers(const Taker *takers, int count, Text *out)
{
    for (int i = 0; i < count; i++)
        text_printf(out, "%s%s %lld", i ? ", " : "", takers[i].name, (long long)takers[i].bytes);
    text_puts(out, "\n");
}

// The op at which most of the arena is alive, and what is.
static int find_peak(const Ir *ir, const int *first, const int *last)
{
    int64_t most = -1;
    int peak = 0;
    for (int o = 0; o < ir->n_ops; o++) {
        int64_t alive = 0;
        for (int t = 0; t < ir->n_tensors; t++)
            if (first[t] >= 0 && first[t] <= o && o <= last[t])
                alive += ir->tensors[t].floats * 4;
        if (alive > most) {
            most = alive;
            peak = o;
        }
    }
    return peak;
}

static void put_peak(const Ir *ir, Text *out)
{
    int *first = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *first),
        *last = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *last);
    Taker takers[MOST_SHOWN];
    int count = 0;
    for (int t = 0; t < ir->n_tensors; t++)
        first[t] = -1;
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_ARENA)
                continue;
            last[t] = o;
            first[t] = first[t] < 0 ? o : first[t];
        }
    const int peak = find_peak(ir, first, last);
    for (int t = 0; t < ir->n_tensors; t++)
        if (first[t] >= 0 && first[t] <= peak && peak <= last[t])
            take_note(takers, &count, (Taker){ir->tensors[t].name, ir->tensors[t].floats * 4});
    text_printf(out, "  the arena is fullest at %s: ", ir->places[ir->ops[peak].place].name);
    put_takers(takers, count, out);
}

// Constants of each piece of the network.
static void put_weights(const Ir *ir, Text *out)
{
    Taker takers[MOST_SHOWN];
    int count = 0;
    bool *counted = pool_alloc(ir->pool, (size_t)(ir->n_tensors + 1) * sizeof *counted);
    int64_t *bytes = pool_alloc(ir->pool, (size_t)(ir->n_places + 1) * sizeof *bytes);
    for (int o = 0; o < ir->n_ops; o++)
        for (int i = 0; i < ir->ops[o].n_args; i++) {
            const int t = ir->ops[o].args[i];
            if (t < 0 || ir->tensors[t].space != SPACE_CONST || counted[t])
                continue;
            counted[t] = true;
            bytes[ir->ops[o].place] += ir->tensors[t].floats * 4;
        }
    for (int p = 0; p < ir->n_places; p++)
        if (bytes[p])
            take_note(takers, &count, (Taker){ir->places[p].name, bytes[p]});
    text_puts(out, "  most weights lie in ");
    put_takers(takers, count, out);
}

// ---- the error ----------------------------------------------------------------------------------

static void put_hint(const EmitOptions *options, const char *smaller, Text *out)
{
    text_printf(out, "  hint: %s%s", options->ranges ? "" : "--quantize int8, ", smaller);
}

static void put_ram(const TargetEstimate *e, Text *out)
{
    text_printf(out, "arena %lld, image %lld, logits %lld", (long long)e->arena,
                (long long)e->input, (long long)e->output);
    if (e->variables)
        text_printf(out, ", other variables %lld", (long long)e->variables);
    if (e->is_modelled)
        text_printf(out, ", stack about %lld", (long long)e->stack);
    else
        text_puts(out, "; the stack comes on top");
}

static void put_flash(const TargetEstimate *e, Text *out)
{
    text_printf(out, "weights %lld, tables %lld", (long long)e->weights, (long long)e->tables);
    if (e->is_modelled)
        text_printf(out, ", code about %lld", (long long)e->code);
    else
        text_puts(out, "; the code comes on top");
}

static void put_excess(const char *option, const char *what, int64_t bytes, int64_t limit,
                       Text *out)
{
    text_printf(out, "--%s: the network needs %lld bytes of %s, %lld more than %lld: ", option,
                (long long)bytes, what, (long long)(bytes - limit), (long long)limit);
}

static bool say(Text *words, Err *err)
{
    err_input(err, "%s", words->data);
    text_free(words);
    return false;
}

bool cost_limits_hold(const Ir *ir, const EmitOptions *options, const TargetEstimate *e, Err *err)
{
    Text words = {0};
    const int64_t ram = estimate_ram(e), flash = estimate_flash(e);
    const double seconds = options->clock_hz > 0.0 ? e->cycles / options->clock_hz : 0.0;
    if (options->max_ram && ram > options->max_ram) {
        put_excess("max-ram", "RAM", ram, options->max_ram, &words);
        put_ram(e, &words);
        text_puts(&words, "\n");
        put_peak(ir, &words);
        put_hint(options,
                 "smaller images, a smaller \"params\" or fewer channels in the first stage",
                 &words);
        return say(&words, err);
    }
    if (options->max_flash && flash > options->max_flash) {
        put_excess("max-flash", "flash", flash, options->max_flash, &words);
        put_flash(e, &words);
        text_puts(&words, "\n");
        put_weights(ir, &words);
        put_hint(options, "a smaller \"params\"", &words);
        return say(&words, err);
    }
    if (options->max_seconds > 0.0 && seconds > options->max_seconds) {
        text_printf(&words,
                    "--max-latency: an image takes about %.3g ms, more than %.3g ms: %.1f million "
                    "instructions, about %.1f million cycles at %.6g MHz\n",
                    1e3 * seconds, 1e3 * options->max_seconds, 1e-6 * e->instructions,
                    1e-6 * e->cycles, 1e-6 * options->clock_hz);
        put_hint(options, "smaller images, a smaller \"params\"", &words);
        return say(&words, err);
    }
    return true;
}

// ---- in the summary ----------------------------------------------------------------------------

void cost_summary(const TargetEstimate *e, TargetKind target, bool json, Text *out)
{
    if (json) {
        text_printf(out, ", \"target\": \"%s\", \"ram_bytes\": %lld, \"flash_bytes\": %lld",
                    target_names[target], (long long)estimate_ram(e), (long long)estimate_flash(e));
        if (e->is_modelled)
            text_printf(out,
                        ", \"stack_bytes\": %lld, \"code_bytes\": %lld, \"instructions\": %.0f, "
                        "\"cycles\": %.0f",
                        (long long)e->stack, (long long)e->code, e->instructions, e->cycles);
        return;
    }
    text_printf(out, "RAM on a %-16s %12lld bytes: ", target_names[target],
                (long long)estimate_ram(e));
    put_ram(e, out);
    text_printf(out, "\n%-26s %12lld bytes: ", "flash", (long long)estimate_flash(e));
    put_flash(e, out);
    text_puts(out, "\n");
    if (e->is_modelled)
        text_printf(out, "%-26s %12.0f instructions, about %.0f cycles\n", "an image takes about",
                    e->instructions, e->cycles);
}

// ---- in the file --------------------------------------------------------------------------------

void cost_banner(const TargetEstimate *e, const EmitOptions *options, Text *out)
{
    text_printf(out, "On a %s, called through %s_infer_u8, in bytes:\nRAM %lld: ",
                target_names[options->target], options->prefix, (long long)estimate_ram(e));
    put_ram(e, out);
    text_printf(out, ".\nFlash %lld: ", (long long)estimate_flash(e));
    put_flash(e, out);
    text_puts(out, ".\n");
    if (e->is_modelled)
        text_printf(out, "A call takes about %.3g million instructions.\n", 1e-6 * e->instructions);
    text_printf(out, "Measure it: nago size FILE.c --target=%s\n", target_names[options->target]);
}

static void put_limit(const char *name, int64_t limit, Text *out)
{
    if (limit)
        text_printf(out, "#ifndef NK_MAX_%s\n#define NK_MAX_%s %lld\n#endif\n", name, name,
                    (long long)limit);
}

void cost_asserts(const TargetEstimate *e, const EmitOptions *options, Text *out)
{
    text_printf(out,
                "// What the head of this file states; NK_MAX_RAM and NK_MAX_FLASH, where they are "
                "defined, are limits.\n"
                "#define NK_STACK_BYTES %lld // %s\n#define NK_CODE_BYTES %lld\n",
                (long long)e->stack, e->is_modelled ? "estimated" : "not known",
                (long long)e->code);
    put_limit("RAM", options->max_ram, out);
    put_limit("FLASH", options->max_flash, out);
    text_printf(out,
                "_Static_assert(sizeof nk_weights == %lld, \"the weights that were planned\");\n"
                "_Static_assert(sizeof nk_arena == %lld, \"the arena that was planned\");\n",
                (long long)e->weights, (long long)e->arena);
    text_printf(out,
                "#ifdef NK_MAX_RAM\n_Static_assert(sizeof nk_arena + NK_BATCH * (NK_CHANNELS * "
                "NK_HEIGHT * NK_WIDTH + 4 * NK_CLASSES) + %lld + NK_STACK_BYTES <= NK_MAX_RAM,\n"
                "               \"more RAM than NK_MAX_RAM\");\n#endif\n",
                (long long)e->variables);
    text_printf(out,
                "#ifdef NK_MAX_FLASH\n_Static_assert(sizeof nk_weights + %lld + NK_CODE_BYTES <= "
                "NK_MAX_FLASH, \"more flash than NK_MAX_FLASH\");\n#endif\n\n",
                (long long)e->tables);
}
