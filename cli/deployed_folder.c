// deployed_folder.c - from arch.json and weights.safetensors of a training run to net.c for a
// target, in float or int8.
#include "deployed_folder.h"

#include "../runtime/weights.h"
#include "run_folder.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    RunFolder folder;
    const Deployment *deployment;
    Pool *pool;
    Arch arch;
    TensorFile weights;
    Ranges ranges;
} Deploying;

// The images as the run saw them: normalised by its numbers, split as it split them.
static bool data_open(Deploying *run, const char *spec, Dataset **data, WeightsMeta *meta, Err *err)
{
    const Arch *arch = &run->arch;
    const char *path = run_file(&run->folder, RUN_WEIGHTS, run->pool);
    bool has_mean;
    *data = dataset_open(spec, (DataShape){arch->channels, arch->height, arch->width}, err);
    if (!*data || !dataset_fits(*data, spec, arch, run->folder.path, err) ||
        !weights_meta_read(path, &run->weights, arch->channels, arch->classes, meta, &has_mean,
                           run->pool, err))
        return false;
    if (has_mean) {
        memcpy((*data)->mean, meta->mean, sizeof meta->mean);
        memcpy((*data)->deviation, meta->deviation, sizeof meta->deviation);
    }
    return true;
}

static bool split_evaluate(const Deploying *run, const ImageList *list, Evaluation *out, Err *err)
{
    return list->count == 0 ||
           deployed_evaluate(&run->arch, &run->weights, &run->ranges, JIT_TCC, list, out, err);
}

static bool int8_measure(Deploying *run, const char *spec, DeployedResult *result, Err *err)
{
    Dataset *data;
    WeightsMeta meta;
    uint32_t *train = NULL, *val = NULL;
    int n_train, n_val;
    const char *path = run_file(&run->folder, RUN_WEIGHTS, run->pool);
    bool ok = data_open(run, spec, &data, &meta, err);
    if (ok) {
        dataset_split(data, meta.val_fraction, meta.seed, &train, &n_train, &val, &n_val);
        const ImageList trained = {data, &data->train, train, n_train},
                        held_out = {data, &data->train, val, n_val},
                        test = {data, &data->test, NULL, data->test.count};
        ok = deployed_calibrate(&run->arch, path, &run->weights, &trained, &run->ranges, run->pool,
                                err) &&
             split_evaluate(run, &held_out, &result->val, err) &&
             split_evaluate(run, &test, &result->test, err);
    }
    free(train);
    free(val);
    dataset_close(data);
    return ok;
}

static bool ranges_write(const Deploying *run, Err *err)
{
    Text text = {0};
    ranges_print(&run->ranges, &text);
    bool ok =
        file_write(run_file(&run->folder, RUN_RANGES, run->pool), text.data, text.length, err);
    text_free(&text);
    return ok;
}

static bool c_write(const Deploying *run, Err *err)
{
    const Deployment *deployment = run->deployment;
    const char *target = target_names[deployment->target];
    Text text = {0};
    EmitOptions options = deployed_options(deployment);
    options.weights = &run->weights;
    options.ranges = deployment->int8 ? &run->ranges : NULL;
    options.command =
        pool_printf(run->pool, "nagoc --weights=" RUN_WEIGHTS "%s%s%s " RUN_ARCH,
                    deployment->int8 ? " --quantize=int8 --ranges=" RUN_RANGES : "",
                    deployment->target ? " --target=" : "", deployment->target ? target : "");
    bool ok =
        emit_c(&run->arch, &options, &text, NULL, err) &&
        file_write(run_file(&run->folder, RUN_C_FILE, run->pool), text.data, text.length, err);
    text_free(&text);
    return ok;
}

bool deployed_folder_write(const char *folder, const char *data, const Deployment *deployment,
                           DeployedResult *result, Err *err)
{
    Deploying run = {.folder = {.path = folder}, .deployment = deployment, .pool = pool_new()};
    *result = (DeployedResult){0};
    bool ok =
        arch_load(run_file(&run.folder, RUN_ARCH, run.pool), false, 0, &run.arch, run.pool, err) &&
        tensors_read(run_file(&run.folder, RUN_WEIGHTS, run.pool), &run.weights, run.pool, err) &&
        (!deployment->int8 || (int8_measure(&run, data, result, err) && ranges_write(&run, err))) &&
        c_write(&run, err);
    pool_free(run.pool);
    return ok;
}
