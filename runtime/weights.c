// weights.c - parameters of a net: drawn from a seed, read from and written to safetensors.
//
// In: the table of a net's tensors (names, shapes, places: NetTensor) and a seed or a file.  Out:
// the flat vectors that its programs take.  A file holds exactly the reference implementation's
// state_dict: the parameters, running_mean and running_var, and num_batches_tracked as I64 [1].
// Reading trusts nothing: every name, shape and value is checked, and the message names them.
#include "weights.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NOTES = 16, LISTED = 4 };

static const char tracked_suffix[] = ".num_batches_tracked";
static const char mean_suffix[] = ".running_mean";

WeightsMeta weights_meta_of(const Dataset *data)
{
    WeightsMeta meta = {.channels = data->channels,
                        .classes = data->classes,
                        .class_names = (const char *const *)data->class_names};
    memcpy(meta.mean, data->mean, sizeof meta.mean);
    memcpy(meta.deviation, data->deviation, sizeof meta.deviation);
    return meta;
}

// ---- initial values ----------------------------------------------------------------------------

void weights_init(const Net *net, uint64_t seed, float *params, float *running)
{
    net_init(net->params, net->n_params, seed, params);
    net_init(net->running, net->n_running, seed, running);
}

// ---- entries -----------------------------------------------------------------------------------

WeightsEntry *weights_entries(const Net *net, float *params, float *running, float *momentum,
                              int *count, Pool *pool)
{
    int total = net->n_params * (momentum ? 2 : 1) + net->n_running, n = 0;
    WeightsEntry *entries = pool_alloc(pool, ((size_t)total + 1) * sizeof *entries);
    for (int i = 0; i < net->n_params; i++) {
        const NetTensor *tensor = &net->params[i];
        entries[n++] = (WeightsEntry){tensor, tensor->name, params + tensor->offset};
    }
    for (int i = 0; i < net->n_running; i++) {
        const NetTensor *tensor = &net->running[i];
        entries[n++] = (WeightsEntry){tensor, tensor->name, running + tensor->offset};
    }
    for (int i = 0; momentum && i < net->n_params; i++) {
        const NetTensor *tensor = &net->params[i];
        entries[n++] = (WeightsEntry){tensor, pool_printf(pool, "momentum.%s", tensor->name),
                                      momentum + tensor->offset};
    }
    *count = total;
    return entries;
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), tail = strlen(suffix);
    return length > tail && strcmp(name + length - tail, suffix) == 0;
}

// "X.num_batches_tracked" for "X.running_mean"; NULL for any other name.
static const char *tracked_name(const char *name, Pool *pool)
{
    if (!ends_with(name, mean_suffix))
        return NULL;
    int stem = (int)(strlen(name) - strlen(mean_suffix));
    return pool_printf(pool, "%.*s%s", stem, name, tracked_suffix);
}

// ---- reading -----------------------------------------------------------------------------------

// The differences between a file and a net, the first few of each kind in words.
typedef struct {
    int missing, unknown, shapes;
    Text missing_text, unknown_text, shapes_text;
} Mismatch;

static void shape_print(const int64_t *shape, int rank, Text *out)
{
    text_puts(out, "[");
    for (int i = 0; i < rank; i++)
        text_printf(out, "%s%lld", i ? "," : "", (long long)shape[i]);
    text_puts(out, "]");
}

static bool shape_matches(const StoredTensor *stored, const NetTensor *tensor)
{
    if (stored->rank != tensor->rank)
        return false;
    for (int i = 0; i < stored->rank; i++)
        if (stored->shape[i] != tensor->shape[i])
            return false;
    return true;
}

static void note_shape(Mismatch *found, const StoredTensor *stored, const NetTensor *tensor)
{
    if (found->shapes++ >= LISTED)
        return;
    int64_t wanted[4] = {0};
    for (int i = 0; i < tensor->rank; i++)
        wanted[i] = tensor->shape[i];
    text_printf(&found->shapes_text, "%s%s is ", found->shapes > 1 ? ", " : "", stored->name);
    shape_print(stored->shape, stored->rank, &found->shapes_text);
    text_puts(&found->shapes_text, ", the net wants ");
    shape_print(wanted, tensor->rank, &found->shapes_text);
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp((*(const WeightsEntry *const *)a)->name, (*(const WeightsEntry *const *)b)->name);
}

static int entry_compare_name(const void *name, const void *entry)
{
    return strcmp(name, (*(const WeightsEntry *const *)entry)->name);
}

// Entries in the order of their names, for bsearch; lives in `pool`.
static const WeightsEntry **entries_sorted(const WeightsEntry *entries, int count, Pool *pool)
{
    const WeightsEntry **sorted = pool_alloc(pool, ((size_t)count + 1) * sizeof *sorted);
    for (int i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, (size_t)count, sizeof *sorted, entry_compare);
    return sorted;
}

static bool is_tracked_count(const StoredTensor *stored)
{
    return ends_with(stored->name, tracked_suffix) && stored->count == 1;
}

// Notes a tensor that no entry asks for, beside the nearest name that the file lacks.
static void note_unknown(Mismatch *found, const char *name, const char *const *missing)
{
    if (found->unknown++ >= LISTED)
        return;
    const char *near = nearest_word(name, missing, (size_t)found->missing);
    text_printf(&found->unknown_text, "%s%s", found->unknown > 1 ? ", " : "", name);
    if (near)
        text_printf(&found->unknown_text, " (did you mean %s?)", near);
}

static void mismatch_find(const TensorFile *file, const WeightsEntry *entries, int count,
                          Mismatch *found, Pool *pool)
{
    const WeightsEntry **sorted = entries_sorted(entries, count, pool);
    const char **missing = pool_alloc(pool, ((size_t)count + 1) * sizeof *missing);
    for (int i = 0; i < count; i++) {
        const StoredTensor *stored = tensors_find(file, entries[i].name);
        if (!stored) {
            if (found->missing < LISTED)
                text_printf(&found->missing_text, "%s%s", found->missing ? ", " : "",
                            entries[i].name);
            missing[found->missing++] = entries[i].name;
        } else if (!shape_matches(stored, entries[i].tensor)) {
            note_shape(found, stored, entries[i].tensor);
        }
    }
    for (int i = 0; i < file->n_tensors; i++) {
        const char *name = file->tensors[i].name;
        bool known = bsearch(name, sorted, (size_t)count, sizeof *sorted, entry_compare_name);
        if (!known && !is_tracked_count(&file->tensors[i]))
            note_unknown(found, name, missing);
    }
}

static void mismatch_part(Text *out, int count, const char *what, const Text *list)
{
    if (count == 0)
        return;
    text_printf(out, "%s%d %s: %s", out->length ? "; " : "", count, what, list->data);
    if (count > LISTED)
        text_printf(out, " and %d more", count - LISTED);
}

static bool mismatch_report(const char *path, const Mismatch *found, Err *err)
{
    Text text = {0};
    mismatch_part(&text, found->missing, found->missing == 1 ? "tensor missing" : "tensors missing",
                  &found->missing_text);
    mismatch_part(&text, found->unknown, "unknown", &found->unknown_text);
    mismatch_part(&text, found->shapes, "of another shape", &found->shapes_text);
    if (text.length)
        err_input(err, "%s: error: these are not the weights of this net: %s", path, text.data);
    bool ok = text.length == 0;
    text_free(&text);
    return ok;
}

static bool entry_fill(const char *path, const StoredTensor *stored, const WeightsEntry *entry,
                       Err *err)
{
    if (stored->dtype != DTYPE_F32 && stored->dtype != DTYPE_F64)
        return err_input(err, "%s: error: tensor %s holds whole numbers; weights are F32 or F64",
                         path, entry->name);
    for (int64_t i = 0; i < stored->count; i++) {
        float value = (float)tensor_value(stored, i);
        if (!isfinite(value))
            return err_input(err,
                             "%s: error: tensor %s holds %g at index %lld; weights must be finite",
                             path, entry->name, (double)value, (long long)i);
        entry->values[i] = value;
    }
    return true;
}

static int64_t batches_tracked(const TensorFile *file)
{
    double most = 0;
    for (int i = 0; i < file->n_tensors; i++)
        if (is_tracked_count(&file->tensors[i]))
            most = fmax(most, tensor_value(&file->tensors[i], 0));
    return most < 9e15 ? (int64_t)most : 0;
}

bool weights_fill(const char *path, const TensorFile *file, const WeightsEntry *entries, int count,
                  int64_t *batches, Err *err)
{
    Pool *pool = pool_new();
    Mismatch found = {0};
    mismatch_find(file, entries, count, &found, pool);
    bool ok = mismatch_report(path, &found, err);
    text_free(&found.missing_text);
    text_free(&found.unknown_text);
    text_free(&found.shapes_text);
    pool_free(pool);
    for (int i = 0; ok && i < count; i++)
        ok = entry_fill(path, tensors_find(file, entries[i].name), &entries[i], err);
    *batches = batches_tracked(file);
    return ok;
}

bool weights_load(const char *path, const TensorFile *file, const Net *net, float *params,
                  float *running, int64_t *batches, Err *err)
{
    Pool *pool = pool_new();
    int count;
    WeightsEntry *entries = weights_entries(net, params, running, NULL, &count, pool);
    bool ok = weights_fill(path, file, entries, count, batches, err);
    pool_free(pool);
    return ok;
}

// ---- writing -----------------------------------------------------------------------------------

static StoredTensor tensor_stored(const WeightsEntry *entry)
{
    StoredTensor stored = {.name = entry->name,
                           .dtype = DTYPE_F32,
                           .rank = entry->tensor->rank,
                           .count = entry->tensor->count,
                           .data = entry->values};
    for (int i = 0; i < stored.rank; i++)
        stored.shape[i] = entry->tensor->shape[i];
    return stored;
}

void weights_note(TensorFile *file, const char *key, const char *value)
{
    if (file->n_metadata == MAX_NOTES)
        bug("more than %d entries of metadata", MAX_NOTES);
    file->keys[file->n_metadata] = key;
    file->values[file->n_metadata++] = value;
}

static const char *floats_print(const float *values, int count, Pool *pool)
{
    Text text = {0};
    for (int i = 0; i < count; i++)
        text_printf(&text, "%s%.9g", i ? "," : "", (double)values[i]);
    const char *copy = pool_strdup(pool, text.data ? text.data : "");
    text_free(&text);
    return copy;
}

static const char *names_print(const char *const *names, int count, Pool *pool)
{
    cJSON *array = cJSON_CreateStringArray(names, count);
    char *text = array ? cJSON_PrintUnformatted(array) : NULL;
    if (!text)
        bug("no memory for %d class names", count);
    const char *copy = pool_strdup(pool, text);
    cJSON_free(text);
    cJSON_Delete(array);
    return copy;
}

static void meta_note(TensorFile *file, const WeightsMeta *meta, Pool *pool)
{
    weights_note(file, "nago.mean", floats_print(meta->mean, meta->channels, pool));
    weights_note(file, "nago.std", floats_print(meta->deviation, meta->channels, pool));
    if (meta->class_names)
        weights_note(file, "nago.classes", names_print(meta->class_names, meta->classes, pool));
    if (meta->arch)
        weights_note(file, "nago.arch", meta->arch);
    if (meta->val_fraction > 0) {
        weights_note(file, "nago.val_fraction", pool_printf(pool, "%.17g", meta->val_fraction));
        weights_note(file, "nago.seed", pool_printf(pool, "%llu", (unsigned long long)meta->seed));
    }
}

void weights_file(const WeightsEntry *entries, int count, const int64_t *batches,
                  const WeightsMeta *meta, TensorFile *file, Pool *pool)
{
    *file = (TensorFile){0};
    file->tensors = pool_alloc(pool, ((size_t)count * 2 + 1) * sizeof *file->tensors);
    file->keys = pool_alloc(pool, MAX_NOTES * sizeof *file->keys);
    file->values = pool_alloc(pool, MAX_NOTES * sizeof *file->values);
    for (int i = 0; i < count; i++) {
        file->tensors[file->n_tensors++] = tensor_stored(&entries[i]);
        const char *tracked = tracked_name(entries[i].name, pool);
        if (tracked)
            file->tensors[file->n_tensors++] = (StoredTensor){.name = tracked,
                                                              .dtype = DTYPE_I64,
                                                              .rank = 1,
                                                              .shape = {1},
                                                              .count = 1,
                                                              .data = batches};
    }
    if (meta)
        meta_note(file, meta, pool);
}

bool weights_save(const char *path, const Net *net, float *params, float *running, int64_t batches,
                  const WeightsMeta *meta, Err *err)
{
    Pool *pool = pool_new();
    TensorFile file;
    int count;
    WeightsEntry *entries = weights_entries(net, params, running, NULL, &count, pool);
    weights_file(entries, count, &batches, meta, &file, pool);
    bool ok = tensors_write(path, &file, err);
    pool_free(pool);
    return ok;
}

// ---- metadata ----------------------------------------------------------------------------------

static bool floats_parse(const char *path, const char *key, const char *text, float least,
                         float *values, int count, Err *err)
{
    const char *at = text;
    for (int i = 0; i < count; i++) {
        char *end;
        values[i] = strtof(at, &end);
        bool is_last = i == count - 1;
        if (end == at || *end != (is_last ? '\0' : ',') || !isfinite(values[i]) ||
            values[i] < least)
            return err_input(
                err,
                "%s: error: metadata %s is \"%.80s\"; it must be %d finite number%s separated "
                "by commas, one a channel, each at least %g",
                path, key, text, count, count == 1 ? "" : "s", (double)least);
        at = end + 1;
    }
    return true;
}

static const char **names_copy(const cJSON *array, int classes, Pool *pool)
{
    if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != classes)
        return NULL;
    const char **names = pool_alloc(pool, (size_t)classes * sizeof *names);
    const cJSON *item;
    int n = 0;
    cJSON_ArrayForEach(item, array)
    {
        if (!cJSON_IsString(item))
            return NULL;
        names[n++] = pool_strdup(pool, item->valuestring);
    }
    return names;
}

static bool names_parse(const char *path, const char *text, WeightsMeta *meta, Pool *pool, Err *err)
{
    cJSON *array = cJSON_Parse(text);
    meta->class_names = names_copy(array, meta->classes, pool);
    cJSON_Delete(array);
    return meta->class_names ||
           err_input(err, "%s: error: metadata nago.classes must be a JSON array of %d names", path,
                     meta->classes);
}

static bool split_parse(const char *path, const TensorFile *file, WeightsMeta *meta, Err *err)
{
    const char *fraction = tensors_metadata(file, "nago.val_fraction");
    const char *seed = tensors_metadata(file, "nago.seed");
    if (!fraction || !seed)
        return true;
    char *end, *seed_end;
    meta->val_fraction = strtod(fraction, &end);
    meta->seed = strtoull(seed, &seed_end, 10);
    if (end == fraction || *end || !(meta->val_fraction >= 0 && meta->val_fraction < 1))
        return err_input(
            err, "%s: error: metadata nago.val_fraction is \"%.40s\"; it must lie in [0, 1)", path,
            fraction);
    if (seed_end == seed || *seed_end)
        return err_input(err,
                         "%s: error: metadata nago.seed is \"%.40s\"; it must be a whole number",
                         path, seed);
    return true;
}

bool weights_meta_read(const char *path, const TensorFile *file, int channels, int classes,
                       WeightsMeta *meta, bool *has_mean, Pool *pool, Err *err)
{
    *meta = (WeightsMeta){.channels = channels, .classes = classes};
    meta->arch = tensors_metadata(file, "nago.arch");
    const char *mean = tensors_metadata(file, "nago.mean");
    const char *deviation = tensors_metadata(file, "nago.std");
    *has_mean = mean && deviation;
    if (*has_mean &&
        (!floats_parse(path, "nago.mean", mean, -1e6f, meta->mean, channels, err) ||
         !floats_parse(path, "nago.std", deviation, 1e-6f, meta->deviation, channels, err)))
        return false;
    const char *names = tensors_metadata(file, "nago.classes");
    if (names && !names_parse(path, names, meta, pool, err))
        return false;
    return split_parse(path, file, meta, err);
}
