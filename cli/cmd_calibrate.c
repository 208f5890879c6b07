// cmd_calibrate.c - `nago calibrate`: an architecture, its weights and images come in, the range of
// every tensor goes out, for nagoc --quantize.
#include "../runtime/calibrate.h"
#include "../runtime/evaluate.h"
#include "../runtime/weights.h"
#include "options.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *arch, *weights, *data, *output;
    int limit, method;
    double percentile;
    bool has_percentile;
} Request;

// Where the images come from: a data set, or a tensor of normalised ones.
typedef struct {
    Arch arch;
    Dataset *data;
    uint32_t *order; // a shuffle of the training images
    const StoredTensor *x;
    Progress progress;
} Source;

// ---- images -------------------------------------------------------------------------------------

static void fetch(void *user, int first, int count, float *images)
{
    const Source *source = user;
    const Arch *arch = &source->arch;
    const int64_t pixels = (int64_t)arch->channels * arch->height * arch->width;
    for (int i = 0; i < count; i++) {
        float *image = images + i * pixels;
        if (source->data)
            dataset_image(source->data, &source->data->train, source->order[first + i], NULL, 0, 0,
                          0, image);
        for (int64_t p = 0; !source->data && p < pixels; p++)
            image[p] = (float)tensor_value(source->x, (first + i) * pixels + p);
    }
}

static bool tick(void *user, int done, int total)
{
    Source *source = user;
    progress_update(&source->progress, done, "of %d", total);
    return true;
}

static bool is_tensor_file(const char *path)
{
    static const char suffix[] = ".safetensors";
    const size_t length = strlen(path), end = sizeof suffix - 1;
    return length > end && !strcmp(path + length - end, suffix);
}

static bool tensor_open(Source *source, const char *path, int *count, Pool *pool, Err *err)
{
    TensorFile *file = pool_alloc(pool, sizeof *file);
    const Arch *arch = &source->arch;
    if (!tensors_read(path, file, pool, err))
        return false;
    const StoredTensor *x = source->x = tensors_find(file, "x");
    if (!x || (x->dtype != DTYPE_F32 && x->dtype != DTYPE_F64))
        return err_input(err,
                         "%s: error: it has no tensor \"x\" of type F32 or F64: normalised "
                         "images [count][channels][height][width]",
                         path);
    if (x->rank != 4 || x->shape[0] < 1 || x->shape[1] != arch->channels ||
        x->shape[2] != arch->height || x->shape[3] != arch->width || x->shape[0] > INT32_MAX)
        return err_input(err,
                         "%s: error: \"x\" does not hold images of %dx%dx%d, which the network "
                         "takes: [count][%d][%d][%d]",
                         path, arch->channels, arch->height, arch->width, arch->channels,
                         arch->height, arch->width);
    *count = (int)x->shape[0];
    return true;
}

// The training images, in an order that no sorting by class survives.
static bool data_open(Source *source, const Request *request, const TensorFile *weights, int *count,
                      Pool *pool, Err *err)
{
    const Arch *arch = &source->arch;
    WeightsMeta meta;
    bool has_mean;
    Dataset *data = source->data =
        dataset_open(request->data, (DataShape){arch->channels, arch->height, arch->width}, err);
    if (!data || !dataset_fits(data, request->data, arch, request->arch, err) ||
        !weights_meta_read(request->weights, weights, arch->channels, arch->classes, &meta,
                           &has_mean, pool, err))
        return false;
    for (int c = 0; has_mean && c < data->channels; c++) {
        data->mean[c] = meta.mean[c];
        data->deviation[c] = meta.deviation[c];
    }
    *count = data->train.count;
    if (*count == 0)
        return err_input(err, "--data %s: there are no training images", request->data);
    source->order = xmalloc((size_t)*count * sizeof *source->order);
    for (int i = 0; i < *count; i++)
        source->order[i] = (uint32_t)i;
    Random random = random_stream(0, "calibrate", 0, 0);
    random_shuffle(&random, source->order, (size_t)*count);
    return true;
}

// ---- the command --------------------------------------------------------------------------------

static bool run(const Request *request, Source *source, Pool *pool, Err *err)
{
    TensorFile weights;
    Calibration calibration = {.method = (CalibrateMethod)request->method,
                               .percentile = request->percentile,
                               .fetch = fetch,
                               .user = source,
                               .tick = tick};
    Ranges ranges;
    if (!arch_load(request->arch, false, 0, &source->arch, pool, err) ||
        !tensors_read(request->weights, &weights, pool, err))
        return false;
    if (is_tensor_file(request->data)
            ? !tensor_open(source, request->data, &calibration.images, pool, err)
            : !data_open(source, request, &weights, &calibration.images, pool, err))
        return false;
    if (request->limit > 0 && request->limit < calibration.images)
        calibration.images = request->limit;
    progress_open(&source->progress, "images", 0, 2 * (int64_t)calibration.images);
    const bool done =
        calibrate(&source->arch, request->weights, &weights, &calibration, &ranges, pool, err);
    progress_close(&source->progress);
    if (!done)
        return false;
    Text text = {0};
    ranges_print(&ranges, &text);
    const bool written = file_write(request->output, text.data, text.length, err);
    text_free(&text);
    return written;
}

static const char description[] =
    "Runs a trained network in float on some images and records what values each of its tensors "
    "takes. nagoc --quantize int8 needs these ranges to choose scales. Images come from the "
    "training split of a data set, drawn without regard to class, or are the normalised ones in "
    "the tensor \"x\" (F32 or F64, [count][channels][height][width]) of a safetensors file.";

static const char examples[] =
    "nago calibrate run/arch.json -w run/weights.safetensors -d shapes -o r.json\n"
    "    Ranges of the network that nago train left in run.\n"
    "nagoc run/arch.json -w run/weights.safetensors --ranges r.json -o net.c\n"
    "    The network in int8.";

static void request_read(int argc, char **argv, Command *command, Request *request)
{
    const Option options[] = {
        OPTION_STRING("weights", 'w', "FILE", &request->weights,
                      "trained weights (safetensors); metadata are not needed"),
        OPTION_STRING("data", 'd', "SPEC|FILE", &request->data,
                      "images: shapes, cifar10:DIR, cifar100:DIR, idx:DIR, images:DIR, or "
                      "FILE.safetensors"),
        OPTION_INT("limit", 'n', "N", &request->limit, 0, INT32_MAX,
                   "look at N images; 0: at all of them"),
        OPTION_CHOICE("method", 'm', "minmax|percentile|mse", &request->method, calibrate_names,
                      "smallest and largest value; leaving out the rarest; least squared error"),
        OPTION_ROW(OPTION_IS_REAL, "percentile", 0, "P", .to.real = &request->percentile, .min = 50,
                   .max = 100, .given = &request->has_percentile,
                   .help = "how many values in a hundred lie inside (method percentile)"),
        OPTION_STRING("output", 'o', "FILE", &request->output, "where the ranges go"),
        OPTION_END,
    };
    int count;
    command->options = options;
    request->arch = command_parse(command, argc, argv, &count)[0];
    if (!request->weights)
        command_usage(command, "--weights is missing: the trained weights (safetensors)");
    if (!request->data)
        command_usage(command, "--data is missing: a data set, or FILE.safetensors");
    if (request->has_percentile && request->method != CALIBRATE_PERCENTILE)
        command_usage(command, "--percentile: goes with --method=percentile");
    command->options = NULL; // they end here; messages need them no more
}

int cmd_calibrate(int argc, char **argv)
{
    Request request = {.output = "-", .limit = 512, .method = CALIBRATE_MSE, .percentile = 99.99};
    Command command = {
        .name = "nago calibrate",
        .summary = "record the ranges of activations that int8 needs",
        .synopsis = "[OPTION]... theta.json|arch.json --weights W.safetensors --data SPEC|FILE",
        .description = description,
        .examples = examples,
        .see_also = "nagoc(1), nago-train(1), nago-eval(1)",
        .min_operands = 1,
        .max_operands = 1,
    };
    request_read(argc, argv, &command, &request);
    Source source = {0};
    Pool *pool = pool_new();
    Err err = {0};
    int code = EXIT_DONE;
    if (!run(&request, &source, pool, &err))
        code = command_fail(&command, &err);
    free(source.order);
    dataset_close(source.data);
    pool_free(pool);
    return code;
}
