// checkpoint.c - a run on disk.
//
// In: a trainer between two steps.  Out: one safetensors file with parameters, running statistics
// and momentum, and a JSON text in its metadata with the recipe and the position, such that a run
// continued from it does what the unbroken one would have done, bit for bit: floats are stored as
// they are, and doubles with 17 digits, which read back exactly.
#include "checkpoint.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char metadata_key[] = "nago.checkpoint";
enum { CHECKPOINT_VERSION = 1 };

// ---- fingerprint -------------------------------------------------------------------------------

// FNV-1a.
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

uint64_t dataset_fingerprint(const Dataset *data)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    const int shape[] = {data->channels, data->height,      data->width,
                         data->classes,  data->train.count, data->test.count};
    hash = hash_bytes(hash, shape, sizeof shape);
    hash = hash_bytes(hash, data->mean, (size_t)data->channels * sizeof *data->mean);
    hash = hash_bytes(hash, data->deviation, (size_t)data->channels * sizeof *data->deviation);
    return hash_bytes(hash, data->train.labels,
                      (size_t)data->train.count * sizeof *data->train.labels);
}

// ---- writing -----------------------------------------------------------------------------------

static void recipe_print(const TrainRecipe *recipe, Text *out)
{
    text_printf(out,
                "{\"epochs\":%d,\"batch\":%d,\"lr\":%.17g,\"momentum\":%.17g,"
                "\"weight_decay\":%.17g,\"label_smoothing\":%.17g,\"dropout\":%.17g,"
                "\"val_fraction\":%.17g,\"schedule\":%d,\"standard\":%d,\"cutout\":%d,"
                "\"seed\":%llu,\"split_seed\":%llu}",
                recipe->epochs, recipe->batch, recipe->learning_rate, recipe->momentum,
                recipe->weight_decay, recipe->label_smoothing, recipe->dropout,
                recipe->val_fraction, (int)recipe->schedule, recipe->augment.standard,
                recipe->augment.cutout, (unsigned long long)recipe->seed,
                (unsigned long long)recipe->split_seed);
}

static void evaluation_print(const Evaluation *evaluation, Text *out)
{
    text_printf(out, "{\"count\":%d,\"correct\":%d,\"loss\":%.17g}", evaluation->count,
                evaluation->correct, evaluation->loss);
}

static void position_print(const TrainPosition *at, Text *out)
{
    text_printf(out,
                "{\"epoch\":%d,\"step\":%d,\"loss_sum\":%.17g,\"epoch_seconds\":%.17g,"
                "\"seconds\":%.17g,\"batches\":%lld,\"val\":",
                at->epoch, at->step, at->loss_sum, at->epoch_seconds, at->seconds,
                (long long)at->batches);
    evaluation_print(&at->val, out);
    text_puts(out, ",\"test\":");
    evaluation_print(&at->test, out);
    text_puts(out, "}");
}

// The JSON text of the metadata; lives in `pool`.
static const char *state_print(const Trainer *trainer, int64_t metrics_bytes, Pool *pool)
{
    Text text = {0};
    text_printf(&text, "{\"version\":%d,\"metrics_bytes\":%lld,\"fingerprint\":\"%016llx\",",
                CHECKPOINT_VERSION, (long long)metrics_bytes,
                (unsigned long long)dataset_fingerprint(trainer->data));
    text_puts(&text, "\"recipe\":");
    recipe_print(&trainer->recipe, &text);
    text_puts(&text, ",\"at\":");
    position_print(&trainer->at, &text);
    text_puts(&text, "}");
    const char *copy = pool_strdup(pool, text.data);
    text_free(&text);
    return copy;
}

bool checkpoint_write(const char *path, const Trainer *trainer, const char *data_spec,
                      const char *arch, int64_t metrics_bytes, Err *err)
{
    Pool *pool = pool_new();
    const Net *net = trainer->net;
    const NetMemory *memory = &trainer->memory;
    WeightsMeta meta = weights_meta_of(trainer->data);
    meta.arch = arch;
    meta.val_fraction = trainer->recipe.val_fraction;
    meta.seed = trainer->recipe.split_seed;
    TensorFile file;
    int count;
    WeightsEntry *entries = weights_entries(net, memory->params, memory->state,
                                            memory->state + net->running_count, &count, pool);
    weights_file(entries, count, &trainer->at.batches, &meta, &file, pool);
    weights_note(&file, metadata_key, state_print(trainer, metrics_bytes, pool));
    weights_note(&file, "nago.data", data_spec);
    bool ok = tensors_write(path, &file, err);
    pool_free(pool);
    return ok;
}

// ---- reading -----------------------------------------------------------------------------------

// Reads numbers out of one JSON object; the first that is missing or out of range is noted.
typedef struct {
    const cJSON *object;
    const char *bad; // NULL: all well so far
} Reader;

static double read_number(Reader *reader, const char *key, double low, double high)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->object, key);
    bool ok = cJSON_IsNumber(item) && item->valuedouble >= low && item->valuedouble <= high;
    if (!ok && !reader->bad)
        reader->bad = key;
    return ok ? item->valuedouble : low;
}

static int read_int(Reader *reader, const char *key, int low, int high)
{
    double value = read_number(reader, key, low, high);
    if (value != floor(value) && !reader->bad)
        reader->bad = key;
    return (int)value;
}

static int64_t read_count(Reader *reader, const char *key)
{
    return (int64_t)read_number(reader, key, 0, 9007199254740992.0);
}

static Reader reader_inner(Reader *reader, const char *key)
{
    Reader inner = {cJSON_GetObjectItemCaseSensitive(reader->object, key), reader->bad};
    if (!cJSON_IsObject(inner.object) && !inner.bad)
        inner.bad = key;
    return inner;
}

static void read_recipe(Reader *outer, TrainRecipe *recipe)
{
    Reader reader = reader_inner(outer, "recipe");
    *recipe = (TrainRecipe){
        .epochs = read_int(&reader, "epochs", 1, 1000000),
        .batch = read_int(&reader, "batch", 1, 1 << 20),
        .learning_rate = read_number(&reader, "lr", 0, 1e6),
        .momentum = read_number(&reader, "momentum", 0, 1),
        .weight_decay = read_number(&reader, "weight_decay", 0, 1e6),
        .label_smoothing = read_number(&reader, "label_smoothing", 0, 1),
        .dropout = read_number(&reader, "dropout", 0, 0.999),
        .val_fraction = read_number(&reader, "val_fraction", 0, 0.999999),
        .schedule = (Schedule)read_int(&reader, "schedule", 0, SCHEDULE_CONSTANT),
        .augment = {.standard = read_int(&reader, "standard", 0, 1) != 0,
                    .cutout = read_int(&reader, "cutout", 0, 1 << 16)},
        .seed = (uint64_t)read_count(&reader, "seed"),
    };
    bool has_split = cJSON_HasObjectItem(reader.object, "split_seed"); // older ones: one seed
    recipe->split_seed = has_split ? (uint64_t)read_count(&reader, "split_seed") : recipe->seed;
    outer->bad = reader.bad;
}

static void read_evaluation(Reader *outer, const char *key, Evaluation *evaluation)
{
    Reader reader = reader_inner(outer, key);
    *evaluation = (Evaluation){.count = read_int(&reader, "count", 0, INT32_MAX),
                               .correct = read_int(&reader, "correct", 0, INT32_MAX),
                               .loss = read_number(&reader, "loss", 0, HUGE_VAL)};
    outer->bad = reader.bad;
}

static void read_position(Reader *outer, TrainPosition *at)
{
    Reader reader = reader_inner(outer, "at");
    *at = (TrainPosition){
        .epoch = read_int(&reader, "epoch", 0, 1000000),
        .step = read_int(&reader, "step", 0, INT32_MAX),
        .loss_sum = read_number(&reader, "loss_sum", 0, HUGE_VAL),
        .epoch_seconds = read_number(&reader, "epoch_seconds", 0, HUGE_VAL),
        .seconds = read_number(&reader, "seconds", 0, HUGE_VAL),
        .batches = read_count(&reader, "batches"),
    };
    read_evaluation(&reader, "val", &at->val);
    read_evaluation(&reader, "test", &at->test);
    outer->bad = reader.bad;
}

static uint64_t read_fingerprint(Reader *reader)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(reader->object, "fingerprint");
    if (cJSON_IsString(item))
        return strtoull(item->valuestring, NULL, 16);
    if (!reader->bad)
        reader->bad = "fingerprint";
    return 0;
}

static bool state_parse(const char *path, const char *text, Checkpoint *out, Err *err)
{
    cJSON *root = cJSON_Parse(text);
    Reader reader = {root, cJSON_IsObject(root) ? NULL : metadata_key};
    read_int(&reader, "version", CHECKPOINT_VERSION, CHECKPOINT_VERSION);
    out->metrics_bytes = read_count(&reader, "metrics_bytes");
    out->fingerprint = read_fingerprint(&reader);
    read_recipe(&reader, &out->recipe);
    read_position(&reader, &out->at);
    cJSON_Delete(root);
    return !reader.bad ||
           err_input(err, "%s: error: this checkpoint's \"%s\" is missing or out of range", path,
                     reader.bad);
}

bool checkpoint_read(const char *path, TensorFile *file, Checkpoint *out, Pool *pool, Err *err)
{
    *out = (Checkpoint){0};
    if (!tensors_read(path, file, pool, err))
        return false;
    const char *state = tensors_metadata(file, metadata_key);
    out->data = tensors_metadata(file, "nago.data");
    out->arch = tensors_metadata(file, "nago.arch");
    if (!state || !out->data || !out->arch)
        return err_input(err, "%s: error: not a checkpoint of nago train (metadata %s is missing)",
                         path,
                         !state       ? metadata_key
                         : !out->arch ? "nago.arch"
                                      : "nago.data");
    return state_parse(path, state, out, err);
}

bool checkpoint_restore(const char *path, const TensorFile *file, const Checkpoint *checkpoint,
                        Trainer *trainer, Err *err)
{
    const TrainPosition *at = &checkpoint->at;
    if (checkpoint->fingerprint != dataset_fingerprint(trainer->data))
        return err_input(err,
                         "%s: error: the run was trained on other images than --data has now\n"
                         "  hint: it began with --data %s",
                         path, checkpoint->data);
    if (at->epoch > trainer->recipe.epochs || at->step > trainer->steps_per_epoch)
        return err_input(err, "%s: error: epoch %d, step %d lies beyond the end of the run", path,
                         at->epoch, at->step);
    Pool *pool = pool_new();
    const Net *net = trainer->net;
    NetMemory *memory = &trainer->memory;
    int count;
    WeightsEntry *entries = weights_entries(net, memory->params, memory->state,
                                            memory->state + net->running_count, &count, pool);
    int64_t batches;
    bool ok = weights_fill(path, file, entries, count, &batches, err);
    pool_free(pool);
    trainer->at = *at;
    return ok;
}
