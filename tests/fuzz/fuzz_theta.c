// Fuzz target: bytes -> theta -> printed theta -> architecture -> printed architecture.  What is
// accepted must print and read back to the same text.
#include <stdlib.h>
#include <string.h>

#include "../../compiler/nagoc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void sample(const Theta *theta, Pool *pool)
{
    Arch arch, again;
    Err err = {0};
    Text text = {0}, second = {0};
    if (arch_sample(theta, &arch, pool, &err)) {
        arch_print(&arch, &text);
        if (!arch_parse("again", text.data, text.length, &again, pool, &err))
            bug("%s", err.message);
        arch_print(&again, &second);
        if (strcmp(text.data, second.data) != 0)
            bug("the architecture changed");
    } else if (err.exit_code != EXIT_BAD_INPUT || !err.message[0]) {
        bug("refused without a message");
    }
    text_free(&text);
    text_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Pool *pool = pool_new();
    Theta theta, again;
    Err err = {0};
    if (theta_parse("fuzz", (const char *)data, size, &theta, pool, &err)) {
        Text text = {0}, second = {0};
        theta_print(&theta, &text);
        if (!theta_parse("again", text.data, text.length, &again, pool, &err))
            bug("%s", err.message);
        theta_print(&again, &second);
        if (strcmp(text.data, second.data) != 0)
            bug("theta changed");
        text_free(&text);
        text_free(&second);
        // Thousands of ops would only slow the search for bugs down.
        if (theta.level[0].n * theta.level[1].n * theta.level[2].n <= 500)
            sample(&theta, pool);
    } else if (err.exit_code != EXIT_BAD_INPUT || !err.message[0]) {
        bug("refused without a message");
    }
    pool_free(pool);
    return 0;
}
