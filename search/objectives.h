// objectives.h - what a search minimises and what it bounds.
//
// All objectives are minimised.  The exact ones (weights, macs, ram, flash, cycles, train_memory)
// follow from the architecture alone and cost no training; latency is measured, without training;
// error, log_loss and train_time need a trained network, and are of the validation split.  ram,
// flash, error and log_loss are those of the deployed file: for its machine, in int8 where that is
// wanted.
#ifndef NAGO_OBJECTIVES_H
#define NAGO_OBJECTIVES_H

#include "deployed.h"

typedef enum {
    OBJECTIVE_ERROR,        // share of validation images that are classified wrongly
    OBJECTIVE_LOG_LOSS,     // mean cross entropy of the validation images
    OBJECTIVE_WEIGHTS,      // trainable numbers in the file
    OBJECTIVE_MACS,         // multiply-adds of one image
    OBJECTIVE_RAM,          // bytes: arena of the inference file; on a microcontroller all it takes
    OBJECTIVE_FLASH,        // bytes: its constants; on a microcontroller with tables and code
    OBJECTIVE_CYCLES,       // of one image on a microcontroller, in int8; an estimate
    OBJECTIVE_TRAIN_MEMORY, // bytes: arena, weights, gradients and momentum of a training step
    OBJECTIVE_LATENCY,      // ms of one image
    OBJECTIVE_TRAIN_TIME,   // seconds of training up to the budget
    OBJECTIVE_COUNT
} ObjectiveKind;

enum { MAX_CONSTRAINTS = 16, MAX_GOALS = 8 };

// What it costs to know an objective.
typedef enum { NEED_ARCH, NEED_CLOCK, NEED_TRAINING } ObjectiveNeed;
typedef struct {
    const char *name, *unit, *about;
    ObjectiveNeed need;
} ObjectiveInfo;
extern const ObjectiveInfo objective_info[OBJECTIVE_COUNT];

// `value` of `kind` must be at most (>= with is_least: at least) `bound`.
typedef struct {
    ObjectiveKind kind;
    bool is_least;
    double bound;
} Constraint;

// A name to its kind; the error lists the names.  `option`: "--objective".
bool objective_parse(const char *option, const char *name, ObjectiveKind *kind, Err *err);
// "ram<=256K", "error<=0.2", "weights>=10000": numbers may end in K, M, G (powers of 1024 for
// bytes, of 1000 for counts), or in % for error.
bool constraint_parse(const char *text, Constraint *constraint, Err *err);
void constraint_print(const Constraint *constraint, Text *out);

// Values by kind; NAN: not known.
typedef struct {
    double of[OBJECTIVE_COUNT];
} Measures;
Measures measures_none(void);
// How far the known values break the constraints: the sum of relative excesses; 0: feasible.
double measures_violation(const Measures *measures, const Constraint *constraints, int count);

// Fills all that follow from the architecture and how it is deployed.
bool objective_measure(const Arch *arch, const Deployment *deployment, Measures *measures,
                       Err *err);

// {"error": 0.25, "ram": 123456, ..., "split": "validation", "images": 400}: the known ones.
// `images` 0: no split.
void measures_print(const Measures *measures, int images, Text *out);
// The reverse; unknown members are left out.
void measures_parse(const char *text, Measures *measures);
// A value for humans: "12.5 %", "256 KB", "1.25 M".
void objective_show(ObjectiveKind kind, double value, Text *out);

#endif
