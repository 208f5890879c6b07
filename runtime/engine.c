// engine.c - the engines of engine.h: each computes an oracle folder and fills in what it can.
#define _GNU_SOURCE
#include "engine.h"

#include "../compiler/emit.h"
#include "evaluate.h"
#include "kernels.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>

// ---- the reference ------------------------------------------------------------------------------

static bool run_reference(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    (void)err; // nothing can fail: the folder was checked
    verify_reference(oracle, result);
    return true;
}

// ---- JIT programs -------------------------------------------------------------------------------

static void put_tensors(VerifyResult *result, const char *prefix, const NetTensor *tensors,
                        int count, const float *values)
{
    for (int i = 0; i < count; i++)
        verify_put(result, prefix, tensors[i].name, values + tensors[i].offset,
                   (size_t)tensors[i].count);
}

// The steps behind expected.safetensors, on a net whose weights are loaded.
static void run_net(const OracleCase *oracle, const Net *net, const NetMemory *memory,
                    VerifyResult *result)
{
    const size_t n_logits = (size_t)oracle->batch * (size_t)oracle->arch.classes;
    float loss = 0.0f;
    nk_call call = net_memory_call(memory, NULL);
    call.images = oracle->images_single;
    call.labels = oracle->labels;
    call.loss = &loss;
    call.count = oracle->batch;
    call.learning_rate = (float)ORACLE_LEARNING_RATE;
    call.momentum = (float)ORACLE_MOMENTUM;
    call.weight_decay = (float)ORACLE_WEIGHT_DECAY;
    net->infer(&call, 0, 1);
    verify_put(result, "", "eval_logits", memory->logits, n_logits);
    net->gradient(&call, 0, 1);
    verify_put(result, "", "train_logits", memory->logits, n_logits);
    verify_put(result, "", "loss1", &loss, 1);
    put_tensors(result, "grad.", net->params, net->n_params, memory->grads);
    net->update(&call, 0, 1);
    net->gradient(&call, 0, 1);
    verify_put(result, "", "loss2", &loss, 1);
    net->update(&call, 0, 1);
    put_tensors(result, "after2.", net->params, net->n_params, memory->params);
    put_tensors(result, "after2.", net->running, net->n_running, memory->state);
}

static bool run_jit(const OracleCase *oracle, VerifyResult *result, JitKind jit, bool plan,
                    ConvKind conv, Err *err)
{
    const KernelEntry *kernels = kernels_open(err);
    const NetOptions options = {.batch = oracle->batch, .plan = plan, .jit = jit, .conv = conv};
    Net *net = kernels ? net_open(&oracle->arch, &options, kernels, err) : NULL;
    Memory memory = {0};
    NetMemory net_memory;
    int64_t batches;
    bool done = net && net_memory_open(&net_memory, net, true, &memory, err) &&
                weights_load(oracle->folder, &oracle->weights, net, net_memory.params,
                             net_memory.state, &batches, err);
    if (done)
        run_net(oracle, net, &net_memory, result);
    memory_release(&memory);
    net_close(net);
    return done;
}

static bool run_tcc(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit(oracle, result, JIT_TCC, true, CONV_DIRECT, err);
}

static bool run_tcc_no_plan(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit(oracle, result, JIT_TCC, false, CONV_DIRECT, err);
}

static bool run_gcc(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit(oracle, result, JIT_GCC, true, CONV_DIRECT, err);
}

static bool run_winograd(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit(oracle, result, JIT_TCC, true, CONV_WINOGRAD, err);
}

// run_jit with an environment variable set for its length.
static bool run_jit_with(const char *variable, const char *value, const OracleCase *oracle,
                         VerifyResult *result, Err *err)
{
    const char *before = getenv(variable);
    char *kept = before ? strcpy(xmalloc(strlen(before) + 1), before) : NULL;
    setenv(variable, value, 1);
    const bool done = run_jit(oracle, result, JIT_TCC, true, CONV_DIRECT, err);
    if (kept)
        setenv(variable, kept, 1);
    else
        unsetenv(variable);
    free(kept);
    return done;
}

static bool run_blas(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit_with("NAGO_CONV", "blas", oracle, result, err);
}

static bool run_unfused(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_jit_with("NAGO_SKIP_PASSES", "fuse_affine,fuse_relu,fuse_global_pool", oracle,
                        result, err);
}

// ---- standalone files ---------------------------------------------------------------------------

// nk_tensor of templates/init.c, as a user of a generated file sees it.
typedef struct {
    const char *name;
    int rank, shape[4];
    long offset, count;
    int init, fan;
} FileTensor;

typedef void InferFunction(const float *images, float *logits);
typedef float TrainFunction(const float *images, const int32_t *labels, int count,
                            float learning_rate);
typedef void InitFunction(uint64_t seed);

// A function of a loaded file; ISO C has no cast from void *.
#define FUNCTION(type, name)                               \
    static type *name(const Jit *file, const char *symbol) \
    {                                                      \
        void *address = jit_symbol(file, symbol);          \
        type *function;                                    \
        memcpy(&function, &address, sizeof function);      \
        return function;                                   \
    }
FUNCTION(InferFunction, infer_function)
FUNCTION(TrainFunction, train_function)
FUNCTION(InitFunction, init_function)

// Emits the file, compiles it with the system's compiler, loads it.  without: an instruction set
// that the compiler must not use; NULL: it may use all that the machine has.
static Jit *open_file(const OracleCase *oracle, EmitOptions options, const char *without, Err *err)
{
    Text text = {0};
    if (without)
        text_printf(&text, "#pragma GCC target(\"no-%s\")\n", without);
    options.batch = oracle->batch;
    text_puts(&text, "#define NET_DROPOUT 0.0f\n");
    Jit *file = emit_c(&oracle->arch, &options, &text, NULL, err)
                    ? jit_open(text.data, JIT_GCC, true, err)
                    : NULL;
    text_free(&text);
    return file;
}

static void put_file_tensors(VerifyResult *result, const char *prefix, const FileTensor *table,
                             int count, const float *values)
{
    for (int i = 0; i < count; i++)
        verify_put(result, prefix, table[i].name, values + table[i].offset, (size_t)table[i].count);
}

static void fill_file_tensors(const OracleCase *oracle, const FileTensor *table, int count,
                              float *values)
{
    for (int i = 0; i < count; i++) {
        const StoredTensor *stored = tensors_find(&oracle->weights, table[i].name);
        for (int64_t j = 0; j < stored->count; j++)
            values[table[i].offset + j] = (float)tensor_value(stored, j);
    }
}

// A table's length is an enum in the file; here it follows from the folder: every stored tensor is
// a parameter, a running statistic, or a count of batches.
static int count_tensors(const OracleCase *oracle, bool state)
{
    int n_state = 0, n_tracked = 0;
    for (int i = 0; i < oracle->weights.n_tensors; i++) {
        const char *name = oracle->weights.tensors[i].name;
        n_state += strstr(name, ".running_") != NULL;
        n_tracked += strstr(name, ".num_batches_tracked") != NULL;
    }
    return state ? n_state : oracle->weights.n_tensors - n_state - n_tracked;
}

static bool run_trainable(const OracleCase *oracle, VerifyResult *result, bool plan, Err *err)
{
    EmitOptions options = emit_defaults;
    options.plan = plan;
    Jit *file = open_file(oracle, options, NULL, err);
    if (!file)
        return false;
    const FileTensor *params = jit_symbol(file, "net_param_table"),
                     *state = jit_symbol(file, "net_state_table");
    const int n_params = count_tensors(oracle, false), n_state = count_tensors(oracle, true);
    float *values = jit_symbol(file, "net_params"), *statistics = jit_symbol(file, "net_state");
    const size_t n_logits = (size_t)oracle->batch * (size_t)oracle->arch.classes;
    float *logits = xmalloc(n_logits * sizeof *logits), loss;
    TrainFunction *step = train_function(file, "net_train_step");
    init_function(file, "net_init")(1);
    fill_file_tensors(oracle, params, n_params, values);
    fill_file_tensors(oracle, state, n_state, statistics);
    infer_function(file, "net_infer")(oracle->images_single, logits);
    verify_put(result, "", "eval_logits", logits, n_logits);
    loss = step(oracle->images_single, oracle->labels, oracle->batch, (float)ORACLE_LEARNING_RATE);
    verify_put(result, "", "loss1", &loss, 1);
    put_file_tensors(result, "grad.", params, n_params, jit_symbol(file, "net_grads"));
    loss = step(oracle->images_single, oracle->labels, oracle->batch, (float)ORACLE_LEARNING_RATE);
    verify_put(result, "", "loss2", &loss, 1);
    put_file_tensors(result, "after2.", params, n_params, values);
    put_file_tensors(result, "after2.", state, n_state, statistics);
    free(logits);
    jit_close(file);
    return true;
}

static bool run_train_file(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_trainable(oracle, result, true, err);
}

static bool run_train_file_no_plan(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_trainable(oracle, result, false, err);
}

static bool run_inference(const OracleCase *oracle, VerifyResult *result, bool plan,
                          TargetKind target, WeightsForm form, const char *without, Err *err)
{
    EmitOptions options = emit_defaults;
    options.plan = plan;
    options.target = target;
    options.form = form;
    options.weights = &oracle->weights;
    Jit *file = open_file(oracle, options, without, err);
    if (!file)
        return false;
    const size_t n_logits = (size_t)oracle->batch * (size_t)oracle->arch.classes;
    float *logits = xmalloc(n_logits * sizeof *logits);
    infer_function(file, "net_infer")(oracle->images_single, logits);
    verify_put(result, "", "eval_logits", logits, n_logits);
    free(logits);
    jit_close(file);
    return true;
}

static bool run_infer_file(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_GENERIC, WEIGHTS_STRING, NULL, err);
}

static bool run_infer_file_no_plan(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, false, TARGET_GENERIC, WEIGHTS_LIST, NULL, err);
}

static bool run_native_file(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_NATIVE, WEIGHTS_STRING, NULL, err);
}

static bool run_native_file_no_plan(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, false, TARGET_NATIVE, WEIGHTS_LIST, NULL, err);
}

static bool run_native_avx2(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_NATIVE, WEIGHTS_STRING, "avx512f", err);
}

static bool run_native_plain(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_NATIVE, WEIGHTS_STRING, "avx", err);
}

static bool run_infer_avx2(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_GENERIC, WEIGHTS_STRING, "avx512f", err);
}

static bool run_infer_plain(const OracleCase *oracle, VerifyResult *result, Err *err)
{
    return run_inference(oracle, result, true, TARGET_GENERIC, WEIGHTS_STRING, "avx", err);
}

const Engine engines[] = {
    {"reference", "naive loops in double precision", VERIFY_DOUBLE, run_reference},
    {"tcc", "JIT through libtcc, runtime kernels", VERIFY_SINGLE, run_tcc},
    {"tcc-no-plan", "the same, every tensor in a place of its own", VERIFY_SINGLE, run_tcc_no_plan},
    {"tcc-unfused", "the same without any fusion", VERIFY_SINGLE, run_unfused},
    {"gcc", "JIT through gcc, runtime kernels", VERIFY_SINGLE, run_gcc},
    {"winograd", "JIT through libtcc, every 3x3 and 5x5 convolution by Winograd", VERIFY_WINOGRAD,
     run_winograd},
    {"blas", "JIT through libtcc, convolutions by OpenBLAS", VERIFY_SINGLE, run_blas},
    {"train-file", "standalone trainable file, cc -O1 -march=native", VERIFY_SINGLE,
     run_train_file},
    {"train-file-no-plan", "the same with --no-plan", VERIFY_SINGLE, run_train_file_no_plan},
    {"infer-file", "standalone inference file, weights as a string", VERIFY_SINGLE, run_infer_file},
    {"infer-file-no-plan", "the same with --no-plan, weights as a list", VERIFY_SINGLE,
     run_infer_file_no_plan},
    {"native-file", "standalone inference file with --target native", VERIFY_SINGLE,
     run_native_file},
    {"native-file-no-plan", "the same with --no-plan, weights as a list", VERIFY_SINGLE,
     run_native_file_no_plan},
    {"infer-file-avx2", "infer-file without AVX-512", VERIFY_SINGLE, run_infer_avx2},
    {"infer-file-plain", "infer-file without AVX", VERIFY_SINGLE, run_infer_plain},
    {"native-file-avx2", "native-file without AVX-512", VERIFY_SINGLE, run_native_avx2},
    {"native-file-plain", "native-file without AVX", VERIFY_SINGLE, run_native_plain},
};
const int n_engines = (int)COUNT_OF(engines);
