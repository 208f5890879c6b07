// data.c - opens a data set by its spec, takes a part, measures mean and deviation, splits,
// exports.
//
//     spec -> (data_spec.c) -> one source (data_shapes.c, data_cifar.c, data_idx.c, data_folder.c)
//          -> limit -> statistics of the training split -> Dataset
#include "data_source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef bool SourceOpen(const DataSpec *spec, DataShape shape, Dataset *data, Err *err);

static const struct {
    const char *kind;
    SourceOpen *open;
} sources[] = {
    {"shapes", shapes_open}, {"cifar10", cifar_open}, {"cifar100", cifar_open},
    {"idx", idx_open},       {"images", folder_open},
};

static void images_limit(Images *images, const Dataset *data, int keep, Split split)
{
    if (keep >= images->count)
        return;
    Random random = random_stream(0, "limit", split, 0);
    uint32_t *indices =
        stratified_pick(images->labels, images->count, data->classes, keep, &random);
    images_keep(images, data, indices, keep);
    free(indices);
}

// Exact sums over the training split; the same on every machine.
static void statistics_fill(Dataset *data)
{
    size_t plane = (size_t)data->height * (size_t)data->width;
    for (int c = 0; c < data->channels; c++) {
        uint64_t sum = 0, squares = 0;
        for (int i = 0; i < data->train.count; i++) {
            const uint8_t *pixels =
                data->train.pixels + (size_t)i * image_bytes(data) + (size_t)c * plane;
            for (size_t k = 0; k < plane; k++) {
                sum += pixels[k];
                squares += (uint64_t)pixels[k] * pixels[k];
            }
        }
        double count = (double)data->train.count * (double)plane;
        double mean = (double)sum / count;
        double variance = (double)squares / count - mean * mean;
        data->mean[c] = (float)(mean / 255);
        // A constant channel carries nothing; its deviation must only not be zero.
        data->deviation[c] = (float)(sqrt(fmax(variance, 1)) / 255);
    }
}

static bool dataset_fill(Dataset *data, const char *text, DataShape shape, Err *err)
{
    DataSpec spec;
    if (!spec_parse(text, &spec, data->pool, err))
        return false;
    data->kind = spec.kind;
    for (size_t i = 0; i < COUNT_OF(sources); i++)
        if (strcmp(sources[i].kind, spec.kind) == 0 && !sources[i].open(&spec, shape, data, err))
            return false;
    int keep_train, keep_test;
    limit_counts(spec.limit, data->train.count, data->test.count, &keep_train, &keep_test);
    // The folder source has thrown away the rest before decoding it: then nothing happens here.
    images_limit(&data->train, data, keep_train, SPLIT_TRAIN);
    images_limit(&data->test, data, keep_test, SPLIT_TEST);
    statistics_fill(data);
    return true;
}

Dataset *dataset_open(const char *spec, DataShape shape, Err *err)
{
    Dataset *data = xcalloc(1, sizeof *data);
    data->pool = pool_new();
    if (dataset_fill(data, spec, shape, err))
        return data;
    dataset_close(data);
    return NULL;
}

void dataset_close(Dataset *data)
{
    if (!data)
        return;
    images_free(&data->train);
    images_free(&data->test);
    pool_free(data->pool);
    free(data);
}

void dataset_split(const Dataset *data, double fraction, uint64_t seed, uint32_t **train,
                   int *n_train, uint32_t **val, int *n_val)
{
    int count = data->train.count;
    int want = (int)(count * fraction + 0.5);
    if (want > count - 1)
        want = count - 1;
    Random random = random_stream(seed, "validation", 0, 0);
    *val = stratified_pick(data->train.labels, count, data->classes, want, &random);
    *n_val = want;
    *n_train = count - want;
    *train = xcalloc((size_t)*n_train + 1, sizeof **train);
    for (int i = 0, v = 0, t = 0; i < count; i++) {
        if (v < want && (*val)[v] == (uint32_t)i)
            v++;
        else
            (*train)[t++] = (uint32_t)i;
    }
}

bool dataset_export(const Dataset *data, Split split, const char *path, Err *err)
{
    if (split == SPLIT_VAL)
        return err_input(err, "%s: a validation part is drawn while training and is not exported",
                         data->kind);
    const Images *images = split == SPLIT_TRAIN ? &data->train : &data->test;
    size_t bytes = image_bytes(data), record = bytes + 1;
    uint8_t *records = xmalloc((size_t)images->count * record + 1);
    for (int i = 0; i < images->count; i++) {
        if (images->labels[i] > 255) {
            free(records);
            return err_input(err,
                             "%s: image %d has label %d, and a record's label is one byte (0..255)",
                             data->kind, i + 1, (int)images->labels[i]);
        }
        records[(size_t)i * record] = (uint8_t)images->labels[i];
        memcpy(records + (size_t)i * record + 1, images->pixels + (size_t)i * bytes, bytes);
    }
    bool is_written = file_write(path, records, (size_t)images->count * record, err);
    free(records);
    return is_written;
}
