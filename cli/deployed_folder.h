// deployed_folder.h - the file that a training run is deployed as.
#ifndef NAGO_DEPLOYED_FOLDER_H
#define NAGO_DEPLOYED_FOLDER_H

#include "../search/deployed.h"

// How a network does as it is deployed; count 0: nothing was evaluated.
typedef struct {
    Evaluation val, test;
} DeployedResult;

// Writes net.c anew, as `deployment` has it, in a folder that nago train has finished.  In int8:
// calibrates on the run's own training images of `data`, writes RUN_RANGES, and classifies the
// validation and test images; else evaluates nothing.
bool deployed_folder_write(const char *folder, const char *data, const Deployment *deployment,
                           DeployedResult *result, Err *err);

#endif
