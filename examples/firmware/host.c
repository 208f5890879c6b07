// host.c - semihost.h and board.h on the machine itself, so that main.c runs there too: what a
// board prints and writes is compared with this.
#include "board.h"
#include "semihost.h"

#include <stdio.h>
#include <stdlib.h>

static FILE *files[8];

int host_open(const char *path, int write)
{
    for (int i = 0; i < 8; i++)
        if (!files[i]) {
            files[i] = fopen(path, write ? "wb" : "rb");
            return files[i] ? i : -1;
        }
    return -1;
}

int host_read(int file, void *bytes, size_t count)
{
    return fread(bytes, 1, count, files[file]) == count ? 0 : -1;
}

int host_write(int file, const void *bytes, size_t count)
{
    return fwrite(bytes, 1, count, files[file]) == count ? 0 : -1;
}

void host_close(int file)
{
    fclose(files[file]);
    files[file] = NULL;
}

void host_print(const char *text)
{
    fputs(text, stdout);
}

_Noreturn void host_exit(int status)
{
    exit(status);
}

void board_timer_start(void)
{
}

uint32_t board_timer_instructions(void)
{
    return 0;
}

uint32_t board_stack_used(void)
{
    return 0;
}
