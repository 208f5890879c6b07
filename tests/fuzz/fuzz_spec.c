// Fuzz target: bytes -> a --data SPEC taken apart, and its options read.
#include <stdlib.h>
#include <string.h>

#include "../../runtime/data_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pool *pool = pool_new();
    char *text = pool_alloc(pool, size + 1);
    if (size)
        memcpy(text, data, size);
    DataSpec spec;
    DataShape shape = {0, 0, 0};
    Err err = {0};
    int64_t number = 0;
    double real = 0;
    bool is_read = spec_parse(text, &spec, pool, &err) && spec_shape(&spec, 8, 256, &shape, &err) &&
                   spec_int(&spec, "classes", 2, 20, &number, &err) &&
                   spec_real(&spec, "noise", 0, 1, &real, &err);
    if (!is_read && (err.exit_code != EXIT_BAD_INPUT || !err.message[0]))
        bug("refused without a message");
    if (is_read && (shape.height > 256 || shape.width > 256 || number > 20 || !(real <= 1)))
        bug("a value out of range is accepted");
    pool_free(pool);
    return 0;
}
