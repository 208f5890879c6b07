// semihost.c - semihosting calls: an operation and a block of arguments to the debugger, by an
// instruction that traps there.
#include "semihost.h"

#include <stdint.h>

enum {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE0 = 0x04,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_EXIT = 0x18,
    READ_BINARY = 1,
    WRITE_BINARY = 5,
    STOPPED_WELL = 0x20026,
    STOPPED_BADLY = 0x20023
};

static intptr_t call(intptr_t operation, const void *arguments)
{
#if defined(__riscv)
    register intptr_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = arguments;
    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop\n"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register intptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

int host_open(const char *path, int write)
{
    size_t length = 0;
    while (path[length])
        length++;
    const intptr_t block[3] = {(intptr_t)path, write ? WRITE_BINARY : READ_BINARY,
                               (intptr_t)length};
    return (int)call(SYS_OPEN, block);
}

int host_read(int file, void *bytes, size_t count)
{
    const intptr_t block[3] = {file, (intptr_t)bytes, (intptr_t)count};
    return call(SYS_READ, block) == 0 ? 0 : -1; // the number of bytes that are missing
}

int host_write(int file, const void *bytes, size_t count)
{
    const intptr_t block[3] = {file, (intptr_t)bytes, (intptr_t)count};
    return call(SYS_WRITE, block) == 0 ? 0 : -1;
}

void host_close(int file)
{
    const intptr_t block[1] = {file};
    call(SYS_CLOSE, block);
}

void host_print(const char *text)
{
    call(SYS_WRITE0, text);
}

_Noreturn void host_exit(int status)
{
    for (;;)
        call(SYS_EXIT, (const void *)(intptr_t)(status ? STOPPED_BADLY : STOPPED_WELL));
}
