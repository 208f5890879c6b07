// Fuzz target: bytes -> tensors -> bytes -> tensors.  What is accepted must survive being written
// and read.
#include <string.h>

#include "../../compiler/nagoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const TensorFile *a, const TensorFile *b)
{
    if (a->n_tensors != b->n_tensors || a->n_metadata != b->n_metadata)
        bug("tensors or metadata were lost");
    for (int i = 0; i < a->n_tensors; i++) {
        const StoredTensor *x = &a->tensors[i], *y = tensors_find(b, x->name);
        if (!y || x->dtype != y->dtype || x->rank != y->rank || x->count != y->count)
            bug("tensor \"%s\" changed", x->name);
        for (int64_t j = 0; j < x->count; j++) {
            double left = tensor_value(x, j), right = tensor_value(y, j);
            if (memcmp(&left, &right, sizeof left) != 0)
                bug("tensor \"%s\" changed", x->name);
        }
    }
    for (int i = 0; i < a->n_metadata; i++) {
        const char *value = tensors_metadata(b, a->keys[i]);
        if (!value || strcmp(value, a->values[i]) != 0)
            bug("metadata \"%s\" changed", a->keys[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pool *pool = pool_new();
    TensorFile file, again;
    Err err = {0};
    if (tensors_parse("fuzz", data, size, &file, pool, &err)) {
        Text bytes = {0};
        tensors_print(&file, &bytes);
        if (!tensors_parse("again", bytes.data, bytes.length, &again, pool, &err))
            bug("%s", err.message);
        compare(&file, &again);
        text_free(&bytes);
    } else if (err.exit_code != EXIT_BAD_INPUT || !err.message[0]) {
        bug("refused without a message");
    }
    pool_free(pool);
    return 0;
}
