// generated.h - generated files made, compiled and called in tests: as text, as a loaded library,
// as a command line.
#ifndef TEST_GENERATED_H
#define TEST_GENERATED_H

#include "reference_nets.h"

#include <stdio.h>
#include <unistd.h>

#include "../compiler/emit.h"

#define FOLDER "build/tmp/generated/"

// The build under test: its programs.
static inline const char *build_folder(void)
{
    const char *folder = getenv("BUILD");
    return folder ? folder : "build";
}

// ---- commands -----------------------------------------------------------------------------------

static inline bool is_installed(const char *program)
{
    char command[200];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return system(command) == 0;
}

// Runs a shell command; what it prints, both streams, into *output (may be NULL).
NAGO_PRINTF(3, 4)
static inline int run_status(char *output, size_t size, const char *fmt, ...)
{
    char command[2000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(command, sizeof command, fmt, args);
    va_end(args);
    strncat(command, " 2>&1", sizeof command - strlen(command) - 1);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t n = 0;
    for (int c; (c = fgetc(pipe)) != EOF;)
        if (output && n + 1 < size)
            output[n++] = (char)c;
    if (output)
        output[n] = 0;
    const int status = pclose(pipe);
    return status < 0 || status & 0xff ? -1 : status >> 8;
}

// A command that must succeed and print nothing.
#define run_silent(...)                                                                  \
    do {                                                                                 \
        char run_printed[3000];                                                          \
        const int run_result = run_status(run_printed, sizeof run_printed, __VA_ARGS__); \
        if (run_result != 0 || run_printed[0]) {                                         \
            print_error(__VA_ARGS__);                                                    \
            fail_msg(": status %d: %s", run_result, run_printed);                        \
        }                                                                                \
    } while (0)

static inline void write_text(const char *path, const char *text)
{
    Err err = {0};
    if (!folder_make(FOLDER, &err) || !file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.message);
}

// ---- networks -----------------------------------------------------------------------------------

// The net's initial weights as a file in memory, with everything moved that starts at 0 or 1 and
// mean and deviation of a data set.
static inline TensorFile *net_weights(const Arch *arch, uint64_t seed, Pool *pool)
{
    static const char *keys[] = {"nago.mean", "nago.std", "nago.classes"};
    static const char *values[] = {"0.5,0.25,0.125", "0.5,0.25,2", NULL};
    TensorFile *file = pool_alloc(pool, sizeof *file);
    Text text = {0};
    Err err = {0};
    if (!emit_weights(arch, seed, &text, &err))
        fail_msg("%s", err.message);
    char *bytes = pool_alloc(pool, text.length);
    const size_t size = text.length;
    memcpy(bytes, text.data, size);
    text_free(&text);
    if (!tensors_parse("weights", bytes, size, file, pool, &err))
        fail_msg("%s", err.message);
    Random random = random_stream(seed, "generated", 0, 0);
    for (int i = 0; i < file->n_tensors; i++) {
        StoredTensor *t = &file->tensors[i];
        float *moved = pool_alloc(pool, (size_t)t->count * sizeof *moved);
        for (int64_t j = 0; t->dtype == DTYPE_F32 && j < t->count; j++) {
            moved[j] = (float)tensor_value(t, j);
            if (t->rank == 1)
                moved[j] += 0.2f * (float)random_normal(&random);
            if (strstr(t->name, "running_var"))
                moved[j] = fabsf(moved[j]) + 0.1f;
        }
        if (t->dtype == DTYPE_F32)
            t->data = moved;
    }
    file->n_metadata = 2;
    file->keys = keys;
    file->values = values;
    return file;
}

static inline char *emit_text(const Arch *arch, const EmitOptions *options, Pool *pool)
{
    Text text = {0};
    Err err = {0};
    if (!emit_c(arch, options, &text, NULL, &err))
        fail_msg("%s", err.message);
    char *kept = pool_strdup(pool, text.data);
    text_free(&text);
    return kept;
}

// ---- loaded files -------------------------------------------------------------------------------

// nk_tensor of templates/init.c, as a user of a generated file sees it.
typedef struct {
    const char *name;
    int rank, shape[4];
    long offset, count;
    int init, fan;
} FileTensor;

typedef struct {
    Jit *jit;
    const char *prefix;
    void (*infer)(const float *, float *);
    void (*infer_in)(void *, const float *, float *);
    void (*infer_u8)(const uint8_t *, float *);
    int (*self_test)(void);                                          // NULL: made without
    void (*init)(uint64_t);                                          // NULL: inference file
    float (*train_step)(const float *, const int32_t *, int, float); // NULL: inference file
    float *params, *state;
    const FileTensor *param_table, *state_table;
} LoadedFile;

static inline void *file_symbol(const LoadedFile *file, const char *name)
{
    char symbol[100];
    snprintf(symbol, sizeof symbol, "%s_%s", file->prefix, name);
    return jit_symbol(file->jit, symbol);
}

// One network of a loaded library; several may stand in one.
static inline LoadedFile file_of(Jit *jit, const char *prefix)
{
    LoadedFile f = {.jit = jit, .prefix = prefix};
    void *address;
#define LOAD(member)                    \
    address = file_symbol(&f, #member); \
    memcpy(&f.member, &address, sizeof address)
    LOAD(infer);
    LOAD(infer_in);
    LOAD(infer_u8);
    LOAD(self_test);
    LOAD(init);
    LOAD(train_step);
    LOAD(params);
    LOAD(state);
    LOAD(param_table);
    LOAD(state_table);
#undef LOAD
    assert_non_null(f.infer);
    return f;
}

static inline Jit *load_text(const char *text, bool march_native)
{
    Err err = {0};
    Jit *jit = jit_open(text, JIT_GCC, march_native, &err);
    if (!jit)
        fail_msg("%s", err.message);
    return jit;
}

// Fills parameters and statistics of a trainable file.
static inline void file_fill(const LoadedFile *file, const TensorFile *weights)
{
    for (int i = 0; i < weights->n_tensors; i++) {
        const StoredTensor *t = &weights->tensors[i];
        const bool of_state = strstr(t->name, ".running_") != NULL;
        const FileTensor *place = of_state ? file->state_table : file->param_table;
        if (t->dtype != DTYPE_F32)
            continue;
        while (strcmp(place->name, t->name) != 0)
            place++;
        assert_int_equal(place->count, t->count);
        memcpy((of_state ? file->state : file->params) + place->offset, t->data,
               (size_t)t->count * sizeof(float));
    }
}

#endif
