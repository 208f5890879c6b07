// influence.h - what the finished trials of a study say about its space: which parameters matter,
// and what a value would be without the luck of one network and one training.
#ifndef NAGO_INFLUENCE_H
#define NAGO_INFLUENCE_H

#include "plan.h"
#include "study.h"
#include "surrogate.h"

// Features are the point and ln(budget), so that the trials of all rungs are of use.
typedef struct {
    Surrogate *surrogate;
    const StudyPlan *plan;
    int objective, n_trials; // it was fitted to so many
    double r2;               // share of the variance of left-out trials that it explains
} StudyModel;

enum { MODEL_MIN_TRIALS = 5 };

// Fits one objective: a Gaussian process, above 300 trials a random forest.  False: fewer than
// MODEL_MIN_TRIALS finished trials.  Released by study_model_close.
bool study_model_open(StudyModel *model, const StudyPlan *plan, const StudyTrial *trials, int count,
                      int objective);
void study_model_close(StudyModel *model);
// For a point at a budget; mean and variances in the objective's unit.
Prediction study_model_predict(const StudyModel *model, const double *x, double budget);

typedef struct {
    double alone;      // share of the model's variance that the parameter explains by itself
    double altogether; // and with everything that it takes part in: interactions count each time
    double trend;      // rank correlation of its value with the objective; 0 for what has no order
} Influence;
// Sobol' indices of the model over the whole space at one budget (Saltelli's design, Jansen's
// estimators, 1024 points), one Influence for each parameter of the space.
void influences_make(const StudyModel *model, const StudyTrial *trials, int count, double budget,
                     Influence *out);

#endif
