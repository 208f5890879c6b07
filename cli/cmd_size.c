// cmd_size.c - `nago size`: a generated file comes in, what it takes of a microcontroller's flash
// and RAM goes out.
#include "../runtime/footprint.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    const char *path, *flags;
    int target, call;
    int64_t max_ram, max_flash; // 0: no limit
    bool json;
} Request;

static const char *const call_names[] = {"infer_u8", "infer", NULL};

// ---- results -----------------------------------------------------------------------------------

typedef struct {
    const char *key, *label;
    int64_t bytes;
} Line;

// The lines of a table with their sum above.
static void put_table(const char *title, int64_t sum, const Line *lines, int count, Text *out)
{
    text_printf(out, "%-30s %10lld bytes\n", title, (long long)sum);
    for (int i = 0; i < count; i++)
        if (lines[i].bytes)
            text_printf(out, "  %-28s %10lld\n", lines[i].label, (long long)lines[i].bytes);
}

static void put_json_table(const char *key, int64_t sum, const Line *lines, int count, Text *out)
{
    text_printf(out, "\"%s\":{\"bytes\":%lld", key, (long long)sum);
    for (int i = 0; i < count; i++)
        text_printf(out, ",\"%s\":%lld", lines[i].key, (long long)lines[i].bytes);
    text_puts(out, "}");
}

enum { FLASH_LINES = 5, RAM_LINES = 6 };

static void flash_lines(const Footprint *f, Line lines[FLASH_LINES])
{
    const Line all[FLASH_LINES] = {
        {"weights", "weights", f->weights},
        {"code", "code", f->code},
        {"library", "the compiler's library", f->library},
        {"constants", "tables of pixels, names", f->constants},
        {"data", "initial values of variables", f->data},
    };
    memcpy(lines, all, sizeof all);
}

static void ram_lines(const Footprint *f, Line lines[RAM_LINES])
{
    const Line all[RAM_LINES] = {
        {"arena", "arena", f->arena},
        {"input", "image, the caller's", f->input},
        {"output", "logits, the caller's", f->output},
        {"stack", "deepest stack", f->stack},
        {"variables", "other variables", f->variables},
        {"data", "initialised variables", f->data},
    };
    memcpy(lines, all, sizeof all);
}

static void put_parts(const char *title, const FootprintPart *parts, int count, Text *out)
{
    Text line = {0};
    text_printf(&line, "%s:", title);
    for (int i = 0; i < count; i++) {
        Text part = {0};
        text_printf(&part, " %s %lld%s", parts[i].name, (long long)parts[i].bytes,
                    i + 1 < count ? "," : "");
        if (line.length + part.length > 100) {
            text_printf(out, "%s\n", line.data);
            line.length = 0;
            text_puts(&line, "   ");
        }
        text_puts(&line, part.data);
        text_free(&part);
    }
    text_printf(out, "%s\n", line.data);
    text_free(&line);
}

static void put_json_parts(const char *key, const FootprintPart *parts, int count, Text *out)
{
    text_printf(out, ",\"%s\":[", key);
    for (int i = 0; i < count; i++) // names of C functions need no escapes
        text_printf(out, "%s{\"name\":\"%s\",\"bytes\":%lld}", i ? "," : "", parts[i].name,
                    (long long)parts[i].bytes);
    text_puts(out, "]");
}

static void put_words(const Request *request, const Footprint *f, Text *out)
{
    enum { LARGEST = 8 };
    Line flash[FLASH_LINES], ram[RAM_LINES];
    flash_lines(f, flash);
    ram_lines(f, ram);
    text_printf(out, "%s: %s for %s\n%s %s%s%s\n\n", request->path, call_names[request->call],
                target_names[request->target], f->compiler, f->flags, request->flags ? " " : "",
                request->flags ? request->flags : "");
    put_table("flash", footprint_flash(f), flash, FLASH_LINES, out);
    text_puts(out, "\n");
    put_table("RAM", footprint_ram(f), ram, RAM_LINES, out);
    text_puts(out, "\n");
    put_parts("deepest stack", f->chain, f->n_chain, out);
    if (f->assumed_stack)
        text_puts(out, "(64 bytes are assumed for a function of the compiler's library)\n");
    put_parts("largest functions", f->functions,
              f->n_functions < LARGEST ? f->n_functions : LARGEST, out);
}

static void put_json(const Request *request, const Footprint *f, Text *out)
{
    Line flash[FLASH_LINES], ram[RAM_LINES];
    flash_lines(f, flash);
    ram_lines(f, ram);
    text_printf(out, "{\"target\":\"%s\",\"call\":\"%s\",", target_names[request->target],
                call_names[request->call]);
    put_json_table("flash", footprint_flash(f), flash, FLASH_LINES, out);
    text_puts(out, ",");
    put_json_table("ram", footprint_ram(f), ram, RAM_LINES, out);
    put_json_parts("deepest_stack", f->chain, f->n_chain, out);
    put_json_parts("functions", f->functions, f->n_functions, out);
    text_puts(out, "}\n");
}

static bool is_within(const char *option, const char *what, int64_t bytes, int64_t limit)
{
    if (!limit || bytes <= limit)
        return true;
    fprintf(stderr, "nago size: --%s: %lld bytes of %s are %lld more than the %lld allowed\n",
            option, (long long)bytes, what, (long long)(bytes - limit), (long long)limit);
    return false;
}

// ---- options -----------------------------------------------------------------------------------

static const char description[] =
    "Compiles FILE.c, which nagoc wrote, with the target's compiler at the target's flags, links "
    "what one of its functions needs, and prints what that takes: flash (code, weights, tables) "
    "and "
    "RAM (the arena, the image and the logits that the caller holds, the deepest stack, other "
    "variables).\n\n"
    "The stack is gcc's own figure along the deepest chain of calls. Interrupts come on top: a "
    "Cortex-M pushes 32 bytes for one, 104 where it uses floating point. Startup code and what "
    "else your program has are not in the figures.";

static const char examples[] = "nago size net.c --target=cortex-m4\n"
                               "    What the file takes of a Cortex-M4.\n"
                               "nago size net.c --target=cortex-m4 --max-ram=64K --max-flash=256K\n"
                               "    The same, and exit status 1 if it does not fit.";

static void request_read(int argc, char **argv, Command *command, Request *request)
{
    const Option options[] = {
        OPTION_CHOICE("target", 't', "cortex-m4|cortex-m7|cortex-m33|cortex-m55|rv32imc",
                      &request->target, target_names + TARGET_CORTEX_M4, "the microcontroller"),
        OPTION_CHOICE("call", 0, "infer_u8|infer", &request->call, call_names,
                      "the function that the program calls: with pixels, or normalised floats"),
        OPTION_STRING("cflags", 0, "FLAGS", &request->flags,
                      "add these to the compiler's flags, such as -Os"),
        OPTION_SIZE("max-ram", 0, "SIZE", &request->max_ram,
                    "end with exit status 1 where it needs more RAM (K, M: powers of 1024)"),
        OPTION_SIZE("max-flash", 0, "SIZE", &request->max_flash,
                    "end with exit status 1 where it needs more flash"),
        OPTION_FLAG("json", 0, &request->json, "print one JSON object, with all functions"),
        OPTION_END,
    };
    int count;
    command->options = options;
    request->path = command_parse(command, argc, argv, &count)[0];
    if (request->target < 0)
        command_usage(command, "--target is missing: the microcontroller to measure for");
    request->target += TARGET_CORTEX_M4;
    command->options = NULL; // they end here; messages need them no more
}

int cmd_size(int argc, char **argv)
{
    Request request = {.target = -1};
    Command command = {
        .name = "nago size",
        .summary = "measure the flash and RAM that a generated file takes",
        .synopsis = "[OPTION]... FILE.c --target TARGET",
        .description = description,
        .examples = examples,
        .see_also = "nagoc(1), nago-eval(1)",
        .min_operands = 1,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    const FootprintRequest how = {.target = (TargetKind)request.target,
                                  .call = call_names[request.call],
                                  .flags = request.flags};
    Pool *pool = pool_new();
    Footprint footprint;
    Err err = {0};
    int code = EXIT_DONE;
    if (!footprint_measure(request.path, &how, &footprint, pool, &err)) {
        code = command_fail(&command, &err);
    } else {
        Text out = {0};
        (request.json ? put_json : put_words)(&request, &footprint, &out);
        fputs(out.data, stdout);
        fflush(stdout);
        text_free(&out);
        const bool ram = is_within("max-ram", "RAM", footprint_ram(&footprint), request.max_ram),
                   flash = is_within("max-flash", "flash", footprint_flash(&footprint),
                                     request.max_flash);
        code = ram && flash ? EXIT_DONE : EXIT_RUN_FAILED;
    }
    pool_free(pool);
    return code;
}
