// cmd_eval.c - `nago eval`: trained weights and images come in, accuracy and loss go out.
//
// The architecture comes from the weights' metadata (nago.arch), else from the arch.json beside
// them; pixels are normalised with the weights' own mean and deviation, whatever the data set's
// are: a net sees the numbers it was trained on.
#define _GNU_SOURCE
#include "../runtime/board.h"
#include "../runtime/evaluate.h"
#include "../runtime/kernels.h"
#include "../runtime/weights.h"
#include "options.h"
#include "progress.h"
#include "run_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const split_names[] = {"train", "val", "test", NULL};
static const char *const quantize_names[] = {"int8", NULL};
static const char *const jit_names[] = {"tcc", "gcc", NULL};
static const char *const machine_names[] = {"here",
                                            "qemu:cortex-m4",
                                            "qemu:cortex-m7",
                                            "qemu:cortex-m33",
                                            "qemu:cortex-m55",
                                            "qemu:rv32imc",
                                            NULL}; // from 1 on as TargetKind from TARGET_CORTEX_M4
enum { MAX_ARCH_BYTES = 64 << 20 };

typedef struct {
    const char *input, *data, *predictions, *ranges;
    int split, batch, threads, limit, jit, quantize, machine;
    bool per_class, confusion, json;
} Request;

// Everything that one evaluation holds.
typedef struct {
    const Request *request;
    Pool *pool;
    const char *path; // of the weights
    TensorFile file;
    Ranges ranges; // with --quantize
    Arch arch;
    WeightsMeta meta;
    Dataset *data;
    Net *net;
    Team *team;
    Memory memory;
    NetMemory net_memory;
    uint32_t *train, *val;
    ImageList list;
    int *predictions; // [list.count]
    int64_t *counts;  // [class][predicted class]
    Progress progress;
    Evaluation result;
    double images_per_second;
    BoardResult board; // where a machine is given
} Eval;

// ---- what is evaluated -------------------------------------------------------------------------

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// The architecture text: from the metadata, or the file beside the weights.
static bool arch_find(Eval *eval, Err *err)
{
    const char *text = tensors_metadata(&eval->file, "nago.arch");
    if (text)
        return arch_parse(eval->path, text, strlen(text), &eval->arch, eval->pool, err);
    const char *slash = strrchr(eval->path, '/');
    int folder = slash ? (int)(slash - eval->path) + 1 : 0;
    const char *beside = pool_printf(eval->pool, "%.*s%s", folder, eval->path, RUN_ARCH);
    char *bytes;
    size_t size;
    Err cause = {0};
    if (!file_read(beside, MAX_ARCH_BYTES, &bytes, &size, &cause))
        return err_input(err,
                         "%s: error: which network is it for? There is no nago.arch in its "
                         "metadata and no %s to read",
                         eval->path, beside);
    bool ok = arch_parse(beside, bytes, size, &eval->arch, eval->pool, err);
    free(bytes);
    return ok;
}

static bool weights_open(Eval *eval, Err *err)
{
    const Request *request = eval->request;
    const RunFolder folder = {.path = request->input};
    bool in_folder = is_folder(request->input);
    eval->path = in_folder ? run_file(&folder, RUN_WEIGHTS, eval->pool) : request->input;
    struct stat status;
    if (in_folder && stat(eval->path, &status) != 0)
        return err_input(err,
                         "%s: error: this folder holds no %s\n"
                         "  hint: an unfinished run has none yet: nago train --resume %s",
                         request->input, RUN_WEIGHTS, request->input);
    return tensors_read(eval->path, &eval->file, eval->pool, err) && arch_find(eval, err);
}

// The weights' own normalisation replaces the data set's; says so where they have none.
static bool meta_apply(Eval *eval, Err *err)
{
    Dataset *data = eval->data;
    bool has_mean;
    if (!weights_meta_read(eval->path, &eval->file, data->channels, data->classes, &eval->meta,
                           &has_mean, eval->pool, err))
        return false;
    if (!has_mean)
        fprintf(stderr,
                "nago eval: %s has no nago.mean and nago.std: pixels are normalised with the data "
                "set's own\n",
                eval->path);
    for (int c = 0; has_mean && c < data->channels; c++) {
        data->mean[c] = eval->meta.mean[c];
        data->deviation[c] = eval->meta.deviation[c];
    }
    for (int i = 0; eval->meta.class_names && i < data->classes; i++) {
        if (strcmp(eval->meta.class_names[i], data->class_names[i]) == 0)
            continue;
        fprintf(stderr,
                "nago eval: class %d is \"%s\" in the weights and \"%s\" in the data: are these "
                "the same classes?\n",
                i, eval->meta.class_names[i], data->class_names[i]);
        break;
    }
    return true;
}

static bool split_choose(Eval *eval, Err *err)
{
    const Dataset *data = eval->data;
    Split split = (Split)eval->request->split;
    int n_train, n_val;
    if (split == SPLIT_VAL && eval->meta.val_fraction <= 0)
        return err_input(err, "--split val: these weights were trained without a validation split\n"
                              "  hint: --split test, or train with --val-fraction");
    dataset_split(data, eval->meta.val_fraction, eval->meta.seed, &eval->train, &n_train,
                  &eval->val, &n_val);
    eval->list =
        (ImageList){data, split == SPLIT_TEST ? &data->test : &data->train, NULL, data->test.count};
    if (split != SPLIT_TEST) {
        eval->list.indices = split == SPLIT_TRAIN ? eval->train : eval->val;
        eval->list.count = split == SPLIT_TRAIN ? n_train : n_val;
    }
    int limit = eval->request->limit;
    if (limit > 0 && limit < eval->list.count)
        eval->list.count = limit;
    return eval->list.count > 0 || err_input(err, "--data %s: the %s split has no images",
                                             eval->request->data, split_names[split]);
}

static bool eval_prepare(Eval *eval, Err *err)
{
    const Request *request = eval->request;
    if (!weights_open(eval, err))
        return false;
    DataShape shape = {eval->arch.channels, eval->arch.height, eval->arch.width};
    eval->data = dataset_open(request->data, shape, err);
    if (!eval->data || !dataset_fits(eval->data, request->data, &eval->arch, eval->path, err) ||
        !meta_apply(eval, err) || !split_choose(eval, err))
        return false;
    NetOptions options = {.threads = request->threads,
                          .conv = kernels_conv(),
                          .batch = request->batch,
                          .plan = true,
                          .jit = (JitKind)request->jit};
    int64_t batches;
    if (request->ranges) {
        if (!ranges_load(request->ranges, &eval->ranges, eval->pool, err))
            return false;
        options.weights = &eval->file;
        options.ranges = &eval->ranges;
    }
    if (request->machine)
        return true;
    eval->net = net_open(&eval->arch, &options, kernels_table(), err);
    eval->team = eval->net ? team_open(request->threads, err) : NULL;
    return eval->team && net_memory_open(&eval->net_memory, eval->net, false, &eval->memory, err) &&
           (request->ranges ||
            weights_load(eval->path, &eval->file, eval->net, eval->net_memory.params,
                         eval->net_memory.state, &batches, err));
}

// ---- evaluation --------------------------------------------------------------------------------

static bool eval_tick(void *user, int done)
{
    Eval *eval = user;
    progress_update(&eval->progress, done, "%s", split_names[eval->request->split]);
    return true;
}

static void run_here(Eval *eval)
{
    progress_open(&eval->progress, "images", 0, eval->list.count);
    evaluate(&eval->net_memory, eval->team, &eval->list, eval->predictions, eval_tick, eval,
             &eval->result);
    eval->images_per_second = progress_rate(&eval->progress);
    progress_close(&eval->progress);
}

static bool run_on_board(Eval *eval, Err *err)
{
    const BoardRequest request = {.target =
                                      (TargetKind)(TARGET_CORTEX_M4 + eval->request->machine - 1),
                                  .arch = &eval->arch,
                                  .weights = &eval->file,
                                  .ranges = &eval->ranges,
                                  .list = &eval->list};
    return board_evaluate(&request, eval->predictions, &eval->result, &eval->board, err);
}

static bool eval_run(Eval *eval, Err *err)
{
    int classes = eval->arch.classes;
    eval->predictions = xcalloc((size_t)eval->list.count, sizeof *eval->predictions);
    eval->counts = xcalloc((size_t)classes * (size_t)classes, sizeof *eval->counts);
    if (!eval->request->machine)
        run_here(eval);
    else if (!run_on_board(eval, err))
        return false;
    for (int i = 0; i < eval->list.count; i++) {
        uint32_t index = eval->list.indices ? eval->list.indices[i] : (uint32_t)i;
        int label = eval->list.images->labels[index];
        eval->counts[(size_t)label * (size_t)classes + (size_t)eval->predictions[i]]++;
    }
    return true;
}

// ---- results -----------------------------------------------------------------------------------

static int64_t class_images(const Eval *eval, int label)
{
    int64_t sum = 0;
    for (int c = 0; c < eval->arch.classes; c++)
        sum += eval->counts[(size_t)label * (size_t)eval->arch.classes + (size_t)c];
    return sum;
}

static int64_t class_correct(const Eval *eval, int label)
{
    return eval->counts[(size_t)label * (size_t)eval->arch.classes + (size_t)label];
}

static void per_class_print(const Eval *eval, Text *out)
{
    text_printf(out, "\n%-24s %9s %9s  %s\n", "class", "images", "correct", "accuracy");
    for (int i = 0; i < eval->arch.classes; i++) {
        int64_t images = class_images(eval, i), correct = class_correct(eval, i);
        text_printf(out, "%-24s %9lld %9lld  ", eval->data->class_names[i], (long long)images,
                    (long long)correct);
        if (images)
            text_printf(out, "%6.2f %%\n", 100.0 * (double)correct / (double)images);
        else
            text_puts(out, "     -\n");
    }
}

static void confusion_print(const Eval *eval, Text *out)
{
    int classes = eval->arch.classes;
    text_puts(out, "\nconfusion: a row is what an image is, a column what it was taken for\n    ");
    for (int c = 0; c < classes; c++)
        text_printf(out, " %5d", c);
    text_puts(out, "\n");
    for (int r = 0; r < classes; r++) {
        text_printf(out, "%4d", r);
        for (int c = 0; c < classes; c++)
            text_printf(out, " %5lld", (long long)eval->counts[(size_t)r * (size_t)classes + c]);
        text_printf(out, "  %s\n", eval->data->class_names[r]);
    }
}

static void board_words(const Eval *eval, Text *out)
{
    const BoardResult *board = &eval->board;
    text_printf(out, "on %s; self-test passed\n", machine_names[eval->request->machine]);
    if (board->different)
        text_printf(out, "%d of %d images have other logits than the same file gives here\n",
                    board->different, eval->result.count);
    else
        text_puts(out, "all logits are those that the same file gives here, bit for bit\n");
    text_printf(out, "%.2f million instructions an image, at most; %lld bytes of stack\n",
                1e-6 * (double)board->instructions, (long long)board->stack_bytes);
}

static void words_print(const Eval *eval, Text *out)
{
    const Evaluation *result = &eval->result;
    if (eval->request->per_class)
        per_class_print(eval, out);
    if (eval->request->confusion)
        confusion_print(eval, out);
    text_printf(out, "%saccuracy %.2f %% (%d of %d %s images), loss %.4f, ",
                out->length ? "\n" : "", 100 * evaluation_accuracy(result), result->correct,
                result->count, split_names[eval->request->split], result->loss);
    if (eval->request->machine)
        board_words(eval, out);
    else
        text_printf(out, "%.0f images/s\n", eval->images_per_second);
}

static void json_string(const char *text, Text *out)
{
    text_puts(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            text_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            text_printf(out, "\\u%04x", (unsigned)*c);
        else
            text_add(out, c, 1);
    }
    text_puts(out, "\"");
}

static void json_per_class(const Eval *eval, Text *out)
{
    text_puts(out, ",\"per_class\":[");
    for (int i = 0; i < eval->arch.classes; i++) {
        text_printf(out, "%s{\"class\":", i ? "," : "");
        json_string(eval->data->class_names[i], out);
        text_printf(out, ",\"images\":%lld,\"correct\":%lld}", (long long)class_images(eval, i),
                    (long long)class_correct(eval, i));
    }
    text_puts(out, "]");
}

static void json_confusion(const Eval *eval, Text *out)
{
    int classes = eval->arch.classes;
    text_puts(out, ",\"confusion\":[");
    for (int r = 0; r < classes; r++) {
        text_puts(out, r ? ",[" : "[");
        for (int c = 0; c < classes; c++)
            text_printf(out, "%s%lld", c ? "," : "",
                        (long long)eval->counts[(size_t)r * (size_t)classes + (size_t)c]);
        text_puts(out, "]");
    }
    text_puts(out, "]");
}

static void json_print(const Eval *eval, Text *out)
{
    const Evaluation *result = &eval->result;
    text_printf(out,
                "{\"split\":\"%s\",\"images\":%d,\"correct\":%d,\"accuracy\":%.6g,\"loss\":%.6g",
                split_names[eval->request->split], result->count, result->correct,
                evaluation_accuracy(result), result->loss);
    if (eval->request->machine)
        text_printf(out,
                    ",\"on\":\"%s\",\"images_that_differ\":%d,\"instructions\":%lld,"
                    "\"stack_bytes\":%lld",
                    machine_names[eval->request->machine], eval->board.different,
                    (long long)eval->board.instructions, (long long)eval->board.stack_bytes);
    else
        text_printf(out, ",\"images_per_second\":%.1f", eval->images_per_second);
    if (eval->request->per_class)
        json_per_class(eval, out);
    if (eval->request->confusion)
        json_confusion(eval, out);
    text_puts(out, "}\n");
}

static bool predictions_write(const Eval *eval, Err *err)
{
    Text lines = {0};
    for (int i = 0; i < eval->list.count; i++)
        text_printf(&lines, "%d\n", eval->predictions[i]);
    bool ok = file_write(eval->request->predictions, lines.data, lines.length, err);
    text_free(&lines);
    return ok;
}

static bool results_report(const Eval *eval, Err *err)
{
    if (eval->request->predictions && !predictions_write(eval, err))
        return false;
    Text out = {0};
    if (eval->request->json)
        json_print(eval, &out);
    else
        words_print(eval, &out);
    bool is_taken = eval->request->predictions && strcmp(eval->request->predictions, "-") == 0;
    fwrite(out.data, 1, out.length, is_taken ? stderr : stdout);
    text_free(&out);
    return true;
}

static void eval_close(Eval *eval)
{
    free(eval->train);
    free(eval->val);
    free(eval->predictions);
    free(eval->counts);
    team_close(eval->team);
    if (eval->net)
        net_close(eval->net);
    dataset_close(eval->data);
    memory_release(&eval->memory);
    pool_free(eval->pool);
}

// ---- options -----------------------------------------------------------------------------------

static const char description[] =
    "Runs the network on the images of one split and prints how many it gets right. The operand is "
    "the folder that nago train wrote, or a safetensors file with the architecture in its metadata "
    "(nago.arch) or in an arch.json beside it. Pixels are normalised with the mean and deviation "
    "that are stored with the weights.";

static const char examples[] =
    "nago eval run --data shapes\n"
    "    Accuracy on the test split.\n"
    "nago eval run/weights.safetensors --data cifar10:data --per-class --confusion\n"
    "    Where it goes wrong.\n"
    "nago eval run --data shapes --quantize int8 --ranges R.json --on qemu:cortex-m4 --limit 200\n"
    "    On an emulated microcontroller: accuracy, and whether every bit is the same.";

static void request_read(int argc, char **argv, Command *command, Request *request)
{
    const Option options[] = {
        OPTION_STRING("data", 'd', "SPEC", &request->data,
                      "images: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR"),
        OPTION_CHOICE("split", 0, "train|val|test", &request->split, split_names,
                      "which images; val: those that the training run held out"),
        OPTION_INT("limit", 'n', "N", &request->limit, 0, INT32_MAX,
                   "only the first N images; 0: all"),
        OPTION_CHOICE("quantize", 0, "int8", &request->quantize, quantize_names,
                      "compute in int8, bit for bit as nagoc --quantize int8 compiles it"),
        OPTION_STRING("ranges", 0, "FILE", &request->ranges,
                      "what nago calibrate wrote, for --quantize"),
        OPTION_GROUP("Output"),
        OPTION_FLAG("per-class", 0, &request->per_class, "images and accuracy of each class"),
        OPTION_FLAG("confusion", 0, &request->confusion, "which class was taken for which"),
        OPTION_STRING("predictions", 'o', "FILE", &request->predictions,
                      "write the predicted labels, one number a line; - is "
                      "standard output (the accuracy then goes to standard error)"),
        OPTION_FLAG("json", 0, &request->json, "print one JSON object"),
        OPTION_GROUP("Machine"),
        OPTION_CHOICE("on", 0, "qemu:TARGET", &request->machine, machine_names,
                      "run the int8 file on an emulated board (cortex-m4, cortex-m7, cortex-m33, "
                      "cortex-m55, rv32imc) and compare every logit with the file's here"),
        OPTION_INT("batch", 'b', "N", &request->batch, 1, 4096, "images of one call"),
        OPTION_INT("threads", 't', "N", &request->threads, 0, 256, "threads; 0: one a processor"),
        OPTION_CHOICE("jit", 0, "tcc|gcc", &request->jit, jit_names,
                      "compiler of the program around the kernels; the result is the same"),
        OPTION_END,
    };
    int count;
    command->options = options;
    request->input = command_parse(command, argc, argv, &count)[0];
    if (request->threads == 0)
        request->threads = team_processors();
    if ((request->quantize >= 0) != (request->ranges != NULL))
        command_usage(command, "--quantize and --ranges: go together");
    if (request->machine && !request->ranges)
        command_usage(command, "--on: goes with --quantize=int8: the boards are small");
    if (!request->data)
        command_usage(command, "--data is missing: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or "
                               "images:DIR");
    command->options = NULL; // they end here; messages need them no more
}

int cmd_eval(int argc, char **argv)
{
    Request request = {.split = SPLIT_TEST, .batch = 32, .threads = 1, .quantize = -1};
    Command command = {
        .name = "nago eval",
        .summary = "measure the accuracy of a trained network",
        .synopsis = "[OPTION]... DIR|W.safetensors --data SPEC",
        .description = description,
        .examples = examples,
        .see_also = "nago-train(1), nago-data(1)",
        .min_operands = 1,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    Eval eval = {.request = &request, .pool = pool_new()};
    Err err = {0};
    bool ok = eval_prepare(&eval, &err);
    ok = ok && eval_run(&eval, &err) && results_report(&eval, &err);
    const bool differs = eval.board.different > 0;
    eval_close(&eval);
    return !ok ? command_fail(&command, &err) : differs ? EXIT_RUN_FAILED : EXIT_DONE;
}
