// latency.c - the study as a memory of measured times.
#include "latency.h"

#include "../runtime/kernels.h"

#include <stdio.h>
#include <string.h>

static bool find(void *user, const char *shape, double *ms, Err *err)
{
    LatencyStore *store = user;
    return study_time(store->study, store->machine, shape, ms, err);
}

// Workers may measure the same shape at once: the first one's time holds for all.
static bool keep(void *user, const char *shape, double *ms, Err *err)
{
    LatencyStore *store = user;
    return !store->keeps || (study_time_write(store->study, store->machine, shape, *ms, err) &&
                             study_time(store->study, store->machine, shape, ms, err));
}

static void machine_name(char *name, size_t size)
{
    char line[256] = "", model[96] = "unknown processor";
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon)
            continue;
        colon += strspn(colon, ": \t");
        snprintf(model, sizeof model, "%.*s", (int)strcspn(colon, "\n"), colon);
        break;
    }
    if (file)
        fclose(file);
    snprintf(name, size, "%s, %s", model, kernels_isa());
}

ShapeTimes latency_times(LatencyStore *store, Study *study, bool keeps)
{
    *store = (LatencyStore){.study = study, .keeps = keeps};
    machine_name(store->machine, sizeof store->machine);
    return (ShapeTimes){find, keep, store};
}
