// board_rv32.c - start-up of a RISC-V core in machine mode; the timer.
#include "board.h"
#include "semihost.h"

extern uint32_t bss_begin[], bss_end[], stack_top[];
int main(void);

enum { PATTERN = 0x5a5a5a5a };

__attribute__((naked, section(".vectors"))) _Noreturn void reset(void)
{
    __asm__ volatile(".option push\n.option arch, +zicsr\n.option norelax\nla gp, __global_pointer$\n"
                     "la sp, stack_top\nla t0, fault\ncsrw mtvec, t0\n.option pop\nj start\n");
}

__attribute__((used, aligned(4))) static void fault(void)
{
    host_print("error: the processor faulted\n");
    host_exit(1);
}

__attribute__((used)) static void start(void)
{
    const uint32_t *here = (const uint32_t *)__builtin_frame_address(0) - 64;
    for (volatile uint32_t *to = bss_begin; to < bss_end;)
        *to++ = 0;
    for (volatile uint32_t *at = bss_end; at < here; at++)
        *at = PATTERN;
    host_exit(main());
}

static uint32_t timer_begin;

static uint32_t cycles(void)
{
    uint32_t count;
    __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, mcycle\n.option pop" : "=r"(count));
    return count;
}

void board_timer_start(void)
{
    timer_begin = cycles();
}

uint32_t board_timer_instructions(void)
{
    return cycles() - timer_begin;
}

uint32_t board_stack_used(void)
{
    const volatile uint32_t *at = bss_end;
    while (*at == PATTERN)
        at++;
    return (uint32_t)((const char *)stack_top - (const char *)at);
}
