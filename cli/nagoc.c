// nagoc.c - the compiler: a theta.json or arch.json comes in, C (or another view of the same
// network) goes out.
#include "../compiler/nagoc.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef enum { EMIT_C, EMIT_ARCH, EMIT_IR, EMIT_DOT, EMIT_WEIGHTS, EMIT_SUMMARY } EmitKind;
static const char *const emit_names[] = {"c", "arch", "ir", "dot", "weights", "summary", NULL};
static const char *const form_names[] = {"string", "list", "bin", NULL};
static const char *const layout_names[] = {"chw", "hwc", NULL};

typedef struct {
    const char *input, *output, *header, *weights, *prefix, *dump_after;
    int emit, form, layout, batch;
    bool json, no_plan, has_seed;
    uint64_t seed;
} Request;

static bool work(const Request *request, Pool *pool, Text *out, Err *err)
{
    Arch arch;
    if (!arch_load(request->input, request->has_seed, request->seed, &arch, pool, err))
        return false;
    switch ((EmitKind)request->emit) {
    case EMIT_ARCH:
        arch_print(&arch, out);
        return true;
    case EMIT_DOT:
        arch_dot(&arch, out);
        return true;
    default:
        return err_run(err, "--emit=%s: not wired", emit_names[request->emit]);
    }
}

static void check_together(const Command *command, const Request *request)
{
    if (request->json && request->emit != EMIT_SUMMARY)
        command_usage(command, "--json: goes with --emit=summary");
    if (request->header && request->emit != EMIT_C)
        command_usage(command, "--header: goes with --emit=c");
    if (request->form >= 0 && !request->weights)
        command_usage(command, "--weights-form: goes with --weights");
}

static const char description[] = "Draws a network from the hyperparameters in theta.json (or "
                                  "takes the one that arch.json spells out) and writes "
                                  "it as one C11 file that allocates nothing and needs libc and "
                                  "libm alone. Without --weights the file can be "
                                  "trained; with --weights it only infers, with the weights "
                                  "inside. The same input, seed and options give the same "
                                  "bytes.\n\n"
                                  "An operand - reads standard input. The generated file belongs "
                                  "to its user, without restriction.";

static const char examples[] =
    "nagoc theta.json -o net.c\n"
    "    A trainable network, 32 images a step.\n"
    "nagoc run/arch.json --weights run/weights.safetensors -o net.c\n"
    "    The trained network; try it: cc -O3 -march=native -DNET_MAIN net.c -lm\n"
    "nagoc theta.json --emit=dot | dot -Tsvg > net.svg\n"
    "    A drawing.";

// Reads the command line into *request; `command` keeps what messages need.
static void request_read(int argc, char **argv, Command *command, Request *request)
{
    const Option options[] = {
        OPTION_GROUP("Output"),
        OPTION_STRING("output", 'o', "FILE", &request->output,
                      "write to FILE, whole or not at all; - is standard output"),
        OPTION_CHOICE(
            "emit", 'e', "c|arch|ir|dot|weights|summary", &request->emit, emit_names,
            "what to write: the C file; the architecture drawn from theta; the intermediate "
            "representation; "
            "a Graphviz drawing; initial weights (safetensors); a summary of cells, ops, weights, "
            "multiply-adds and memory"),
        OPTION_FLAG("json", 0, &request->json, "write the summary as JSON"),
        OPTION_STRING("header", 0, "FILE", &request->header,
                      "also write the C file's declarations to FILE"),
        OPTION_GROUP("Network"),
        OPTION_SEED("seed", 's', "N", &request->seed, &request->has_seed,
                    "draw from seed N instead of theta's own"),
        OPTION_STRING("weights", 'w', "FILE", &request->weights,
                      "put these trained weights (safetensors) inside: an inference-only file"),
        OPTION_CHOICE("weights-form", 0, "string|list|bin", &request->form, form_names,
                      "how weights stand in the C file: string literals (default; compile "
                      "fastest), lists of numbers, "
                      "or a separate binary file beside it"),
        OPTION_GROUP("C file"),
        OPTION_INT("batch", 'b', "N", &request->batch, 1, 1024,
                   "images of one call (default 32, with --weights 1)"),
        OPTION_STRING("prefix", 'p', "NAME", &request->prefix,
                      "begin every name with NAME_ (macros: in capitals)"),
        OPTION_CHOICE("input-layout", 0, "chw|hwc", &request->layout, layout_names,
                      "order of the raw pixels given to net_infer_u8"),
        OPTION_FLAG("no-plan", 0, &request->no_plan,
                    "give every tensor a place of its own instead of sharing memory"),
        OPTION_GROUP("Debugging"),
        OPTION_STRING("dump-after", 0, "PASS", &request->dump_after,
                      "print the intermediate representation after PASS on standard error"),
        OPTION_END,
    };
    int count;
    command->options = options;
    request->input = command_parse(command, argc, argv, &count)[0];
    command->options = NULL; // they end here; messages need them no more
    check_together(command, request);
}

int main(int argc, char **argv)
{
    Request request = {.output = "-", .form = -1, .prefix = "net"};
    Command command = {
        .name = "nagoc",
        .summary = "compile network generator hyperparameters to standalone C",
        .synopsis = "[OPTION]... theta.json|arch.json",
        .description = description,
        .examples = examples,
        .see_also = "nago(1), nago-train(1), nago-eval(1)",
        .min_operands = 1,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    Pool *pool = pool_new();
    Text out = {0};
    Err err = {0};
    int code = EXIT_DONE;
    if (!work(&request, pool, &out, &err) ||
        !file_write(request.output, out.data, out.length, &err))
        code = command_fail(&command, &err);
    text_free(&out);
    pool_free(pool);
    return output_finish("nagoc", code);
}
