// semihost.h - files and text on the host, from inside an emulated or debugged board (Arm's
// semihosting, which QEMU offers RISC-V boards too).
#ifndef SEMIHOST_H
#define SEMIHOST_H

#include <stddef.h>

int host_open(const char *path, int write); // a handle; -1: it cannot be opened
// Exactly `count` bytes: 0, else -1.
int host_read(int file, void *bytes, size_t count);
int host_write(int file, const void *bytes, size_t count);
void host_close(int file);
void host_print(const char *text);
_Noreturn void host_exit(int status);

#endif
