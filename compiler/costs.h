// costs.h - what an inference file will take of a microcontroller, without its compiler.  Inside
// compiler/ only; the figures themselves are in emit.h.
#ifndef NAGO_COSTS_H
#define NAGO_COSTS_H

#include "emit.h"
#include "ir.h"

// The estimate for a planned program of options->target, which is a microcontroller.
TargetEstimate cost_estimate(const Ir *ir, const EmitOptions *options);

// Whether the estimate keeps the limits in `options`.  Error: an input error with what takes most
// and what would help.
bool cost_limits_hold(const Ir *ir, const EmitOptions *options, const TargetEstimate *estimate,
                      Err *err);

// The lines of the summary, in words or as members of a JSON object.
void cost_summary(const TargetEstimate *estimate, TargetKind target, bool json, Text *out);
// The lines of the banner that state the estimate, without comment marks.
void cost_banner(const TargetEstimate *estimate, const EmitOptions *options, Text *out);
// What the C compiler can check of it, under the prefix nk_: behind the weights and the arena.
void cost_asserts(const TargetEstimate *estimate, const EmitOptions *options, Text *out);

#endif
