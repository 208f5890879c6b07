// replay.c - runs a fuzz harness without libFuzzer: every file of a corpus folder as it is, cut
// short, and with bytes changed, always in the same way.  `make check` links it with each fuzz_*.c;
// a crash ends the program, which the test runner reports with the file named last.
#define _GNU_SOURCE
#include "../../compiler/base.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES = 100, LARGEST_CHANGED = 1 << 20 };
static const size_t largest_input = (size_t)64 << 20;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The harness gets a block of exactly `size` bytes, so that AddressSanitizer sees a read behind its
// end.
static void feed(const char *data, size_t size)
{
    uint8_t *block = xmalloc(size ? size : 1);
    memcpy(block, data, size);
    LLVMFuzzerTestOneInput(block, size);
    free(block);
}

static void change_bytes(char *data, size_t size, Random *random)
{
    static const char telling[] = "\0\xff\x7f\x80{}[]\",:-0e9";
    int count = 1 + (int)random_below(random, 4);
    for (int i = 0; i < count; i++) {
        size_t at = (size_t)random_below(random, size);
        if (random_below(random, 2))
            data[at] = telling[random_below(random, sizeof telling - 1)];
        else
            data[at] ^= (char)(1 << random_below(random, 8));
    }
}

static void feed_variants(const char *data, size_t size, uint64_t number)
{
    feed(data, size);
    if (size == 0 || size > LARGEST_CHANGED)
        return;
    Random random = random_stream(0, "replay", number, 0);
    char *copy = xmalloc(size);
    for (int i = 0; i < CHANGES; i++) {
        memcpy(copy, data, size);
        change_bytes(copy, size, &random);
        feed(copy, random_below(&random, 4) ? size : (size_t)random_below(&random, size));
    }
    free(copy);
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    int count = argc == 2 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    if (count < 0) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_BAD_INPUT;
    }
    feed("", 0);
    int number = 0;
    for (int i = 0; i < count; i++) {
        Text path = {0};
        Err err = {0};
        char *data;
        size_t size;
        text_printf(&path, "%s/%s", argv[1], entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            fprintf(stderr, "%s\n", path.data);
            if (!file_read(path.data, largest_input, &data, &size, &err)) {
                printf("not ok %d - %s\n", ++number, err.message);
                return EXIT_RUN_FAILED;
            }
            feed_variants(data, size, (uint64_t)i);
            free(data);
            printf("ok %d - %s\n", ++number, path.data);
        }
        text_free(&path);
        free(entries[i]);
    }
    free(entries);
    if (number == 0)
        printf("not ok 1 - %s: no corpus\n", argv[1]);
    return number ? EXIT_DONE : EXIT_RUN_FAILED;
}
