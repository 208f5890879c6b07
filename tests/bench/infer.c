// infer.c - calls of a generated inference file on request, so that the benchmark can let it and
// other runtimes take turns.
//
//   infer NET.so FLOATS CLASSES
//
// NET.so: a generated file as a shared object; FLOATS: of all images of a call, CLASSES: of all its
// logits.  Prints a line of JSON once a call is done; then, for each line "N" on standard input,
// the milliseconds of N calls.
#include "../../runtime/measure.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void InferFunction(const float *images, float *logits);

static double call_ms(InferFunction *infer, const float *images, float *logits)
{
    const double begin = measure_now();
    infer(images, logits);
    return 1e3 * (measure_now() - begin);
}

static void answer(InferFunction *infer, const float *images, float *logits)
{
    char line[40];
    while (fgets(line, sizeof line, stdin)) {
        const long count = strtol(line, NULL, 10);
        for (long i = 0; i < count; i++)
            printf("%s%.5f", i ? ", " : "[", call_ms(infer, images, logits));
        printf("]\n");
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    void *file = argc == 4 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void *address = file ? dlsym(file, "net_infer") : NULL;
    if (!address) {
        fprintf(stderr, "infer: NET.so FLOATS CLASSES: %s\n", argc == 4 ? dlerror() : "usage");
        return 2;
    }
    InferFunction *infer;
    memcpy(&infer, &address, sizeof infer);
    const size_t floats = strtoul(argv[2], NULL, 10), classes = strtoul(argv[3], NULL, 10);
    float *images = xcalloc(floats, sizeof *images), *logits = xcalloc(classes, sizeof *logits);
    Random random = random_stream(0, "bench", 0, 0);
    for (size_t i = 0; i < floats; i++)
        images[i] = (float)(2.0 * random_unit(&random) - 1.0);
    printf("{\"first_ms\": %.4f}\n", call_ms(infer, images, logits));
    fflush(stdout);
    answer(infer, images, logits);
    fflush(stdout);
    _Exit(0); // the file's threads may still look for work
}
