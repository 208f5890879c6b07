// deployed.h - a network as it is deployed: made for one machine, in float or in int8.
#ifndef NAGO_DEPLOYED_H
#define NAGO_DEPLOYED_H

#include "../compiler/emit.h"
#include "../runtime/evaluate.h"

enum { DEPLOYED_CALIBRATION = 512 }; // images, at most

typedef struct {
    TargetKind target;
    bool int8;
} Deployment;

extern const char *const quantize_name[3]; // "none" "int8" NULL

// How its file is emitted; weights are the caller's to fill in, and true ranges in place of
// ranges_any, which serve for sizes.
EmitOptions deployed_options(const Deployment *deployment);

// The ranges that int8 needs, from up to DEPLOYED_CALIBRATION images of a part of the training
// split, drawn without regard to class.  `path` names the weights in messages.
bool deployed_calibrate(const Arch *arch, const char *path, const TensorFile *weights,
                        const ImageList *train, Ranges *ranges, Pool *pool, Err *err);

// Classifies the images in int8, on one thread: what the deployed file computes, bit for bit.
bool deployed_evaluate(const Arch *arch, const TensorFile *weights, const Ranges *ranges,
                       JitKind jit, const ImageList *list, Evaluation *out, Err *err);

#endif
