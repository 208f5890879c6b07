// Fuzz target: bytes -> records of CIFAR-10 and CIFAR-100.  What is accepted must be copied whole,
// with labels in range.
#include <stdlib.h>

#include "../../runtime/data_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_as(const char *bytes, size_t size, CifarFormat format)
{
    int count = 0;
    Err err = {0};
    if (!cifar_check("fuzz", bytes, size, format, &count, &err)) {
        if (err.exit_code != EXIT_BAD_INPUT || !err.message[0])
            bug("refused without a message");
        return;
    }
    const Dataset shape = {.kind = "fuzz", .channels = 3, .height = 32, .width = 32};
    Images images = {0};
    if (!images_reserve(&images, count, &shape, &err))
        bug("%s", err.message);
    cifar_append(bytes, count, format, &images);
    if (images.count != count ||
        (size_t)count * (image_bytes(&shape) + (size_t)format.label_bytes) != size)
        bug("%d records of %zu bytes", count, size);
    for (int i = 0; i < count; i++)
        if (images.labels[i] < 0 || images.labels[i] >= format.classes)
            bug("label %d", (int)images.labels[i]);
    images_free(&images);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as((const char *)data, size, (CifarFormat){1, 10});
    read_as((const char *)data, size, (CifarFormat){2, 100});
    return 0;
}
