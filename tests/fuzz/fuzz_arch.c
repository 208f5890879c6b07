// Fuzz target: bytes -> architecture -> printed, described, drawn.  What is accepted must read back
// to the same text.
#include <stdlib.h>
#include <string.h>

#include "../../compiler/nagoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pool *pool = pool_new();
    Arch arch, again;
    Err err = {0};
    if (arch_parse("fuzz", (const char *)data, size, &arch, pool, &err)) {
        Text text = {0}, second = {0}, words = {0};
        arch_print(&arch, &text);
        if (!arch_parse("again", text.data, text.length, &again, pool, &err))
            bug("%s", err.message);
        arch_print(&again, &second);
        if (strcmp(text.data, second.data) != 0)
            bug("the architecture changed");
        arch_describe(&arch, &words);
        arch_dot(&arch, &words);
        text_free(&text);
        text_free(&second);
        text_free(&words);
    } else if (err.exit_code != EXIT_BAD_INPUT || !err.message[0]) {
        bug("refused without a message");
    }
    pool_free(pool);
    return 0;
}
