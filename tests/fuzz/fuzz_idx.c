// Fuzz target: bytes -> (gzip ->) idx file.  What is accepted must lie inside the bytes.
#include <stdlib.h>

#include "../../runtime/data_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_UNPACKED = 1 << 20 };

static void read_as(const char *bytes, size_t size, int rank)
{
    IdxFile file;
    Err err = {0};
    if (!idx_parse("fuzz", bytes, size, rank, &file, &err)) {
        if (err.exit_code != EXIT_BAD_INPUT || !err.message[0])
            bug("refused without a message");
        return;
    }
    size_t items = (size_t)file.count * (size_t)file.height * (size_t)file.width;
    if (file.count < 1 || file.data < (const uint8_t *)bytes ||
        file.data + items != (const uint8_t *)bytes + size)
        bug("the items are not those of the file");
    unsigned sum = 0;
    for (size_t i = 0; i < items; i++)
        sum += file.data[i];
    if (sum > items * 255)
        bug("the sum is wrong");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    read_as(bytes, size, 3);
    read_as(bytes, size, 1);
    char *plain;
    size_t plain_size;
    Err err = {0};
    if (size && gzip_unpack("fuzz", bytes, size, MAX_UNPACKED, &plain, &plain_size, &err)) {
        if (plain_size > MAX_UNPACKED)
            bug("unpacked to %zu bytes", plain_size);
        read_as(plain, plain_size, 3);
        read_as(plain, plain_size, 1);
        free(plain);
    }
    return 0;
}
