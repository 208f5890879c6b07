// kernel_choice.c - which kernel table this machine runs: by what the processor has, or as NAGO_ISA
// and NAGO_CONV ask.
#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
extern const KernelEntry kernels_avx512[], kernels_avx2[];
#endif
#if defined(__aarch64__)
extern const KernelEntry kernels_neon[];
#else
extern const KernelEntry kernels_base[];
#endif

static bool has_avx512(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

static bool has_avx2(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi2");
#else
    return false;
#endif
}

static bool is_always_here(void)
{
    return true;
}

// Best first.
static const struct {
    const char *name;
    const KernelEntry *table;
    bool (*is_here)(void);
} isas[] = {
#if defined(__x86_64__)
    {"avx512", kernels_avx512, has_avx512},
    {"avx2", kernels_avx2, has_avx2},
#endif
#if defined(__aarch64__)
    {"neon", kernels_neon, is_always_here}, // every AArch64 has it
#else
    {"base", kernels_base, is_always_here},
#endif
};

static int choose_isa(Err *err)
{
    const char *asked = getenv("NAGO_ISA");
    for (size_t i = 0; i < COUNT_OF(isas); i++) {
        if (asked && asked[0] && strcmp(asked, isas[i].name) != 0)
            continue;
        if (isas[i].is_here())
            return (int)i;
        if (asked && asked[0])
            return err_input(err,
                             "NAGO_ISA=%s: this processor does not have it (unset NAGO_ISA for the "
                             "best there is)",
                             asked) -
                   1;
    }
#if defined(__x86_64__)
    const char *names = "avx512, avx2 or base";
#else
    const char *names = isas[0].name;
#endif
    return err_input(err, "NAGO_ISA=%s: must be %s", asked ? asked : "", names) - 1;
}

// A copy of the table with the convolutions of conv_blas.c.
static const KernelEntry *with_blas(const KernelEntry *table)
{
    static KernelEntry copy[64];
    int n = 0;
    for (; table[n].name; n++) {
        if (n + 1 >= (int)COUNT_OF(copy))
            bug("more kernels than %zu", COUNT_OF(copy));
        copy[n] = table[n];
        if (!strcmp(copy[n].name, "conv"))
            copy[n].address = (void (*)(void))conv_blas;
        if (!strcmp(copy[n].name, "conv_weights_backward"))
            copy[n].address = (void (*)(void))conv_weights_backward_blas;
    }
    copy[n] = (KernelEntry){NULL, NULL};
    return copy;
}

const KernelEntry *kernels_open(Err *err)
{
    const int isa = choose_isa(err);
    const char *conv = getenv("NAGO_CONV");
    if (isa < 0)
        return NULL;
    if (!conv || !conv[0] || !strcmp(conv, "direct") || !strcmp(conv, "winograd"))
        return isas[isa].table;
    if (!strcmp(conv, "blas"))
        return with_blas(isas[isa].table);
    err_input(err, "NAGO_CONV=%s: must be direct, winograd or blas", conv);
    return NULL;
}

ConvKind kernels_conv(void)
{
    const char *conv = getenv("NAGO_CONV");
    if (!conv || !conv[0])
        return CONV_AUTO;
    return strcmp(conv, "winograd") ? CONV_DIRECT : CONV_WINOGRAD;
}

const KernelEntry *kernels_table(void)
{
    Err err = {0};
    const KernelEntry *table = kernels_open(&err);
    if (!table) {
        fprintf(stderr, "nago: %s\n", err.message);
        exit(err.exit_code);
    }
    return table;
}

double kernels_multiply_add(int rounds)
{
    for (const KernelEntry *k = kernels_table(); k->name; k++)
        if (!strcmp(k->name, "multiply_add"))
            return ((double (*)(int))k->address)(rounds);
    bug("no kernel multiply_add");
}

const char *kernels_isa(void)
{
    Err err = {0};
    const int isa = choose_isa(&err);
    return isa < 0 ? "none" : isas[isa].name;
}
