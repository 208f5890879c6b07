// kernels.h - the kernels of templates/ built by gcc for several instruction sets, and which of
// them this machine runs.
#ifndef NAGO_KERNELS_H
#define NAGO_KERNELS_H

#include "../compiler/nagoc.h"

// The table for this machine, for net_open: the best instruction set the processor has.
// NAGO_ISA=avx512|avx2|base overrides (an unknown or unsupported name is an input error),
// NAGO_CONV=blas takes its convolutions from conv_blas.c.  NULL on error.
const KernelEntry *kernels_open(Err *err);
// What NAGO_CONV=direct|winograd|blas asks of the compiler for use with this table (blas: the
// direct ops); CONV_AUTO unset.
ConvKind kernels_conv(void);
// The same, or the error printed and the process ended (exit 2): for programs whose environment is
// their user's.
const KernelEntry *kernels_table(void);
// "avx512", "avx2", "base": what kernels_open chooses; for --version.
const char *kernels_isa(void);

// Multiply-adds on registers, `rounds` of them on 12 vectors, in the chosen instruction set;
// returns how many floating-point operations that were.
double kernels_multiply_add(int rounds);

// conv_blas.c: convolutions as im2col and OpenBLAS's sgemm, on one thread, bit-identical run for
// run.
void conv_blas(float *y, const float *x, const float *p, const float *b, int channels, int height,
               int width, int filters, int kernel_h, int kernel_w, int accumulate, int groups,
               int part, int parts);
void conv_weights_backward_blas(float *dw, const float *x, const float *dy, int channels,
                                int height, int width, int filters, int kernel_h, int kernel_w,
                                int groups, int part, int parts);

#endif
