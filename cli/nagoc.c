// nagoc.c - the compiler: a theta.json or arch.json comes in, C (or another view of the same
// network) goes out.  All texts are made before the first is written, so that an error leaves no
// file behind.
#include "../compiler/emit.h"
#include "../runtime/expect.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

typedef enum {
    EMIT_C,
    EMIT_ARCH,
    EMIT_IR,
    EMIT_DOT,
    EMIT_WEIGHTS,
    EMIT_SUMMARY,
    EMIT_PYTORCH,
    EMIT_ONNX,
    EMIT_PLAN
} EmitKind;
static const char *const emit_names[] = {"c",       "arch",    "ir",   "dot",  "weights",
                                         "summary", "pytorch", "onnx", "plan", NULL};
static const char *const form_names[] = {"string", "list", "bin", NULL}; // as WeightsForm
static const char *const quantize_names[] = {"int8", NULL};
static const char *const layout_names[] = {"chw", "hwc", NULL};

typedef struct {
    const char *input, *output, *header, *weights, *prefix, *dump_after, *ranges, *section,
        *max_latency;
    int emit, form, layout, target, quantize, batch, threads;
    bool json, no_plan, self_test, profile, has_seed;
    uint64_t seed;
    int64_t max_ram, max_flash;   // 0: no limit
    double max_seconds, clock_hz; // max_latency, read
} Request;

// What goes out: the file asked for, and what belongs beside it.
typedef struct {
    Text main, header, bin, dump;
} Outputs;

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The command that makes the same bytes again: what changes them, in a fixed order, without
// folders.
static const char *canonical_command(const Request *request, Pool *pool)
{
    Text text = {0};
    text_puts(&text, "nagoc");
    if (request->has_seed)
        text_printf(&text, " --seed=%llu", (unsigned long long)request->seed);
    if (request->weights)
        text_printf(&text, " --weights=%s", base_name(request->weights));
    if (request->form > 0)
        text_printf(&text, " --weights-form=%s", form_names[request->form]);
    if (request->ranges)
        text_printf(&text, " --quantize=int8 --ranges=%s", base_name(request->ranges));
    if (request->target > 0)
        text_printf(&text, " --target=%s", target_names[request->target]);
    if (request->section)
        text_printf(&text, " --weights-section=%s", request->section);
    if (request->batch > 0)
        text_printf(&text, " --batch=%d", request->batch);
    if (strcmp(request->prefix, "net") != 0)
        text_printf(&text, " --prefix=%s", request->prefix);
    if (request->layout > 0)
        text_printf(&text, " --input-layout=%s", layout_names[request->layout]);
    if (request->no_plan)
        text_puts(&text, " --no-plan");
    if (request->self_test)
        text_puts(&text, " --self-test");
    if (request->profile)
        text_puts(&text, " --profile");
    if (request->threads > 1)
        text_printf(&text, " --threads=%d", request->threads);
    if (request->max_ram)
        text_printf(&text, " --max-ram=%lld", (long long)request->max_ram);
    if (request->max_flash)
        text_printf(&text, " --max-flash=%lld", (long long)request->max_flash);
    text_printf(&text, " %s", base_name(request->input));
    const char *command = pool_strdup(pool, text.data);
    text_free(&text);
    return command;
}

static bool emit_c_files(const Arch *arch, const EmitOptions *options, const Request *request,
                         Outputs *out, Err *err)
{
    if (!emit_c(arch, options, &out->main, &out->bin, err))
        return false;
    return !request->header || emit_header(arch, options, &out->header, err);
}

static bool emit_main(const Arch *arch, const EmitOptions *options, const Request *request,
                      Outputs *out, Err *err)
{
    switch ((EmitKind)request->emit) {
    case EMIT_C:
        return emit_c_files(arch, options, request, out, err);
    case EMIT_ARCH:
        arch_print(arch, &out->main);
        return true;
    case EMIT_IR:
        return emit_ir(arch, options, NULL, &out->main, err);
    case EMIT_DOT:
        arch_dot(arch, &out->main);
        return true;
    case EMIT_WEIGHTS:
        return emit_weights(arch, request->seed, &out->main, err);
    case EMIT_SUMMARY:
        return emit_summary(arch, options, request->json, &out->main, err);
    case EMIT_PYTORCH:
        return emit_pytorch(arch, &out->main, err);
    case EMIT_ONNX:
        return emit_onnx(arch, options, &out->main, err);
    case EMIT_PLAN:
        return emit_plan(arch, options, &out->main, err);
    }
    bug("--emit %d", request->emit);
}

static bool make(const Request *request, Pool *pool, Outputs *out, Err *err)
{
    Arch arch;
    TensorFile weights;
    Ranges ranges;
    EmitOptions options = emit_defaults;
    if (!arch_load(request->input, request->has_seed, request->seed, &arch, pool, err))
        return false;
    if (request->weights && !tensors_read(request->weights, &weights, pool, err))
        return false;
    if (request->ranges && !ranges_load(request->ranges, &ranges, pool, err))
        return false;
    options.prefix = request->prefix;
    options.batch = request->batch;
    options.plan = !request->no_plan;
    options.target = request->target > 0 ? (TargetKind)request->target : TARGET_GENERIC;
    options.ranges = request->ranges ? &ranges : request->quantize >= 0 ? &ranges_any : NULL;
    options.max_ram = request->max_ram;
    options.max_flash = request->max_flash;
    options.max_seconds = request->max_seconds;
    options.clock_hz = request->clock_hz;
    options.section = request->section;
    options.hwc = request->layout > 0;
    options.form = request->form > 0 ? (WeightsForm)request->form : WEIGHTS_STRING;
    options.weights = request->weights ? &weights : NULL;
    options.command = canonical_command(request, pool);
    options.bin_name = pool_printf(pool, "%s_weights.bin", request->prefix);
    options.seed = request->seed;
    options.threads = request->threads;
    options.profile = request->profile;
    options.self_test = request->self_test ? expect_logits : NULL;
    if (request->dump_after && !emit_ir(&arch, &options, request->dump_after, &out->dump, err))
        return false;
    return emit_main(&arch, &options, request, out, err);
}

// The binary weights lie in the folder of the C file that includes them.
static bool bin_write(const Request *request, const Text *bin, Err *err)
{
    Text path = {0};
    text_add(&path, request->output, (size_t)(base_name(request->output) - request->output));
    text_printf(&path, "%s_weights.bin", request->prefix);
    bool done = file_write(path.data, bin->data, bin->length, err);
    text_free(&path);
    return done;
}

static bool outputs_write(const Request *request, const Outputs *out, Err *err)
{
    if (out->dump.length)
        fputs(out->dump.data, stderr);
    if (out->bin.length && !bin_write(request, &out->bin, err))
        return false;
    if (request->header && !file_write(request->header, out->header.data, out->header.length, err))
        return false;
    return file_write(request->output, out->main.data, out->main.length, err);
}

static bool is_section(const char *name)
{
    return *name && strlen(name) <= 64 &&
           !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._")];
}

// "100ms@120MHz": how long an image may take, and the clock.
static void latency_read(const Command *command, Request *request)
{
    static const struct {
        const char *name;
        double factor;
    } times[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}},
      clocks[] = {{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}};
    char time[3], clock[4], rest;
    const int count = sscanf(request->max_latency, "%lf%2[a-z]@%lf%3[a-zA-Z]%c",
                             &request->max_seconds, time, &request->clock_hz, clock, &rest);
    double seconds = 0, hertz = 0;
    for (size_t i = 0; count == 4 && i < COUNT_OF(times); i++)
        seconds = strcmp(time, times[i].name) ? seconds : times[i].factor;
    for (size_t i = 0; count == 4 && i < COUNT_OF(clocks); i++)
        hertz = strcmp(clock, clocks[i].name) ? hertz : clocks[i].factor;
    request->max_seconds *= seconds;
    request->clock_hz *= hertz;
    if (!(request->max_seconds > 0 && request->max_seconds < 1e6 && request->clock_hz >= 1 &&
          request->clock_hz < 1e12))
        command_usage(command, "--max-latency: \"%s\" is not a time at a clock, as 100ms@120MHz",
                      request->max_latency);
}

static void check_limits(const Command *command, const Request *request)
{
    const char *option = request->max_ram       ? "--max-ram"
                         : request->max_flash   ? "--max-flash"
                         : request->max_latency ? "--max-latency"
                                                : NULL;
    if (option && request->target < (int)TARGET_CORTEX_M4)
        command_usage(command, "%s: goes with --target of a microcontroller", option);
    if (option && request->emit != EMIT_C && request->emit != EMIT_SUMMARY)
        command_usage(command, "%s: goes with --emit=c or --emit=summary", option);
    if (request->max_latency && request->quantize < 0)
        command_usage(command, "--max-latency: goes with --quantize=int8, whose time is estimated");
}

static void check_together(const Command *command, const Request *request)
{
    bool to_stdout = strcmp(request->output, "-") == 0;
    if (request->json && request->emit != EMIT_SUMMARY)
        command_usage(command, "--json: goes with --emit=summary");
    if (request->header && request->emit != EMIT_C)
        command_usage(command, "--header: goes with --emit=c");
    if (request->header && strcmp(request->header, request->output) == 0)
        command_usage(command, "--header: \"%s\" is where --output goes, too", request->header);
    if (request->form >= 0 && !request->weights)
        command_usage(command, "--weights-form: goes with --weights");
    const bool is_summary = request->emit == EMIT_SUMMARY; // sizes need no trained numbers
    if (request->target >= 0 && !request->weights && !is_summary)
        command_usage(command, "--target: goes with --weights, or --emit=summary");
    if (is_summary ? request->ranges && request->quantize < 0
                   : (request->quantize >= 0) != (request->ranges != NULL))
        command_usage(command, "--quantize and --ranges: go together");
    if (request->quantize >= 0 && !request->weights && !is_summary)
        command_usage(command, "--quantize: goes with --weights");
    if (request->ranges && (request->emit == EMIT_ONNX || request->emit == EMIT_WEIGHTS))
        command_usage(command, "--quantize: does not go with --emit=%s", emit_names[request->emit]);
    if (request->ranges && request->target == TARGET_NATIVE)
        command_usage(command, "--target=native: is for float files");
    if (request->threads > 1 && !request->weights)
        command_usage(command, "--threads: goes with --weights");
    if (request->threads > 1 && (request->ranges || request->target > TARGET_NATIVE))
        command_usage(command, "--threads: is for float files with --target generic or native");
    if (request->profile && !request->weights)
        command_usage(command, "--profile: goes with --weights");
    if (request->self_test && !request->weights)
        command_usage(command, "--self-test: goes with --weights");
    if (request->section && !request->weights)
        command_usage(command, "--weights-section: goes with --weights");
    if (request->section && !is_section(request->section))
        command_usage(command, "--weights-section: \"%s\" is not a name of a linker section",
                      request->section);
    if (request->form == WEIGHTS_BIN && to_stdout && request->emit == EMIT_C)
        command_usage(command, "--weights-form=bin: needs --output FILE, the weights go beside it");
    if (request->weights && request->emit == EMIT_WEIGHTS)
        command_usage(command,
                      "--emit=weights: makes initial weights, it does not go with --weights");
    if (request->weights && request->emit == EMIT_PYTORCH)
        command_usage(command,
                      "--weights: the PyTorch module loads them when it runs, from any file");
    if (!emit_prefix_valid(request->prefix))
        command_usage(command, "--prefix: \"%s\" is not a C identifier that names can begin with",
                      request->prefix);
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
    "nagoc arch.json -w W.safetensors --quantize int8 --ranges R.json -o net.c\n"
    "    The same in 8-bit integers; --target names a microcontroller.\n"
    "nagoc theta.json --emit=summary --target cortex-m4 --quantize int8 --max-ram 64K\n"
    "    Will it fit? Before it is trained.\n"
    "nagoc theta.json --emit=dot | dot -Tsvg > net.svg\n"
    "    A drawing.";

// Reads the command line into *request; `command` keeps what messages need.
static void request_read(int argc, char **argv, Command *command, Request *request)
{
    const Option options[] = {
        // lint: allow-long
        OPTION_GROUP("Output"),
        OPTION_STRING("output", 'o', "FILE", &request->output,
                      "write to FILE, whole or not at all (default - is standard output)"),
        OPTION_CHOICE(
            "emit", 'e', "c|arch|ir|dot|weights|summary|pytorch|onnx|plan", &request->emit,
            emit_names,
            "what to write: the C file; the architecture drawn from theta; the intermediate "
            "representation; "
            "a Graphviz drawing; initial weights (safetensors); a summary of cells, ops, weights, "
            "multiply-adds and memory; the network as a PyTorch module; the network with its "
            "weights as an ONNX model; a drawing (SVG) of the arena of the inference file over "
            "time"),
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
        OPTION_CHOICE("quantize", 0, "int8", &request->quantize, quantize_names,
                      "compute in 8-bit integers, where weights and ranges are given"),
        OPTION_STRING("ranges", 0, "FILE", &request->ranges,
                      "the ranges of activations, from nago calibrate"),
        OPTION_GROUP("C file"),
        OPTION_INT("batch", 'b', "N", &request->batch, 1, 1024,
                   "images of one call (default 32; 1 with weights inside, also in ONNX)"),
        OPTION_CHOICE("target", 0,
                      "generic|native|cortex-m4|cortex-m7|cortex-m33|cortex-m55|rv32imc",
                      &request->target, target_names,
                      "what a file with weights is made for: any machine, in little memory "
                      "(default); speed on the machine that compiles it, with up to four times "
                      "the weights (Winograd); a microcontroller, without stdio"),
        OPTION_STRING("weights-section", 0, "NAME", &request->section,
                      "put the weights into this linker section"),
        OPTION_SIZE("max-ram", 0, "SIZE", &request->max_ram,
                    "fail where the file needs more RAM of its microcontroller: arena, image and "
                    "logits, which are exact, and the stack, which is estimated"),
        OPTION_SIZE("max-flash", 0, "SIZE", &request->max_flash,
                    "fail where it needs more flash: weights and tables, which are exact, and the "
                    "code, which is estimated to 20 %"),
        OPTION_STRING("max-latency", 0, "TIME@CLOCK", &request->max_latency,
                      "fail where an image takes longer, as 100ms@120MHz: instructions are "
                      "estimated to 15 %, the cycles that one takes are assumed"),
        OPTION_INT("threads", 't', "N", &request->threads, 1, 64,
                   "let a file with weights run on N threads: the large ops are cut, the small "
                   "ones are not; the same bits as on one"),
        OPTION_FLAG("self-test", 0, &request->self_test,
                    "put two images, the logits that they must give and a hash of the weights "
                    "inside, and net_self_test, which returns 0 if all is right: logits to 1e-4, "
                    "in int8 to the last bit"),
        OPTION_FLAG("profile", 0, &request->profile,
                    "make the file time each op where it is compiled with -D NET_PROFILE, into "
                    "the rows of net_profile; its program then prints them"),
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
    check_limits(command, request);
    if (request->max_latency)
        latency_read(command, request);
}

int main(int argc, char **argv)
{
    Request request = {
        .output = "-", .form = -1, .target = -1, .quantize = -1, .threads = 1, .prefix = "net"};
    Command command = {
        .name = "nagoc",
        .summary = "compile network generator hyperparameters to standalone C",
        .synopsis = "[OPTION]... theta.json|arch.json",
        .description = description,
        .examples = examples,
        .see_also = "nago(1), nago-train(1), nago-eval(1), nago-size(1)",
        .min_operands = 1,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    Pool *pool = pool_new();
    Outputs out = {0};
    Err err = {0};
    int code = EXIT_DONE;
    if (!make(&request, pool, &out, &err) || !outputs_write(&request, &out, &err))
        code = command_fail(&command, &err);
    text_free(&out.main);
    text_free(&out.header);
    text_free(&out.bin);
    text_free(&out.dump);
    pool_free(pool);
    return output_finish("nagoc", code);
}
