// expect.h - the logits that a network must give: what a generated file's self-test holds it to.
#ifndef NAGO_EXPECT_H
#define NAGO_EXPECT_H

#include "../compiler/emit.h"

// An EmitEvaluate: the naive reference's logits, in double precision, rounded once; those of the
// runtime's int8 kernels where there are options->ranges.  Errors: weights that do not fit.
bool expect_logits(const Arch *arch, const EmitOptions *options, const float *images, int count,
                   float *logits, Err *err);

#endif
