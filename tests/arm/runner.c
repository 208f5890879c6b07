// runner.c - runs ops with the kernels of another processor: built for AArch64, started under
// qemu by test_kernels (kernel_foreign.h), which sends requests on standard input and reads answers
// from standard output.
//
// A request is a RunnerRequest; one that runs is followed by `floats` of the arena and `n_labels`
// labels, and answered by the arena as it is afterwards.  Every answer begins with an int, 0 for
// success.  Both processors agree on the layout of the structs: 64 bits, little end first.
#include "runner.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../compiler/nagoc.h"

extern const KernelEntry kernels_neon[];

static void *library;

static void barrier(void *team)
{
    (void)team; // parts run one after another
}

// Binds the kernels that the library at `path` asks for; returns 0 for success.
static int load(const char *path)
{
    if (library)
        dlclose(library);
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    for (void **import = dlsym(library, "nk_imports"); *import; import += 2) {
        const KernelEntry *k = kernels_neon;
        while (k->name && strcmp(k->name, import[0]) != 0)
            k++;
        if (!k->name) {
            fprintf(stderr, "no kernel %s\n", (const char *)import[0]);
            return 1;
        }
        memcpy(import[1], &k->address, sizeof k->address);
    }
    return 0;
}

static void run(const RunnerRequest *request, float *arena, const int *labels)
{
    static const char *const name[] = {"nk_program_infer", "nk_program_gradient",
                                       "nk_program_update"};
    nk_call call = request->call;
    call.arena = arena;
    call.labels = labels;
    call.barrier = barrier;
    for (int i = 0; i < request->n_programs; i++) {
        nk_program *program;
        void *symbol = dlsym(library, name[i]);
        memcpy(&program, &symbol, sizeof symbol);
        for (int part = 0; part < request->parts; part++)
            program(&call, request->backwards ? request->parts - 1 - part : part, request->parts);
    }
}

static int answer_run(const RunnerRequest *request)
{
    const size_t floats = (size_t)request->floats, n_labels = (size_t)request->n_labels;
    float *arena = aligned_alloc(64, (floats + 16) * sizeof *arena / 64 * 64 + 64);
    int *labels = calloc(n_labels + 1, sizeof *labels), failed = 0;
    if (!arena || !labels || fread(arena, sizeof *arena, floats, stdin) != floats ||
        fread(labels, sizeof *labels, n_labels, stdin) != n_labels)
        return 1;
    run(request, arena, labels);
    fwrite(&failed, sizeof failed, 1, stdout);
    fwrite(arena, sizeof *arena, floats, stdout);
    fflush(stdout);
    free(arena);
    free(labels);
    return 0;
}

int main(void)
{
    RunnerRequest request;
    while (fread(&request, sizeof request, 1, stdin) == 1) {
        if (request.path[0]) {
            const int failed = load(request.path);
            fwrite(&failed, sizeof failed, 1, stdout);
            fflush(stdout);
        } else if (answer_run(&request) != 0)
            return 1;
    }
    return 0;
}
