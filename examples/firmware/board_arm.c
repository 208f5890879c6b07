// board_arm.c - start-up of a Cortex-M: vectors, floating point on, memory set up; the timer.
#include "board.h"
#include "semihost.h"

extern uint32_t data_load[], data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
int main(void);

enum { PATTERN = 0x5a5a5a5a, WHOLE = 0xffffff };
static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010;
static volatile uint32_t *const coprocessors = (volatile uint32_t *)0xe000ed88;

// Memory below the stack pointer belongs to nobody yet, up to the end of .bss.
static void paint_stack(void)
{
    const uint32_t *here;
    __asm__ volatile("mov %0, sp" : "=r"(here));
    for (volatile uint32_t *at = bss_end; at < here; at++)
        *at = PATTERN;
}

_Noreturn void reset(void)
{
    *coprocessors |= 0xf00000; // full access to floating point and Helium
    __asm__ volatile("dsb\nisb");
    for (volatile uint32_t *to = data_begin, *from = data_load; to < data_end;)
        *to++ = *from++;
    for (volatile uint32_t *to = bss_begin; to < bss_end;)
        *to++ = 0;
    paint_stack();
    host_exit(main());
}

static void fault(void)
{
    host_print("error: the processor faulted\n");
    host_exit(1);
}

__attribute__((section(".vectors"), used)) static void (*const vectors[16])(void) = {
    (void (*)(void))stack_top, (void (*)(void))reset, fault, fault, fault, fault, fault, fault,
    fault, fault, fault, fault, fault, fault, fault, fault};

void board_timer_start(void)
{
    systick[1] = WHOLE; // reload
    systick[2] = 0;     // any write clears
    systick[0] = 5;     // on, at the processor's clock
}

// One tick is 1 / CLOCK_MHZ microseconds, and a nanosecond is an instruction.
uint32_t board_timer_instructions(void)
{
    return (WHOLE - systick[2]) * (1000 / CLOCK_MHZ);
}

uint32_t board_stack_used(void)
{
    const volatile uint32_t *at = bss_end;
    while (*at == PATTERN)
        at++;
    return (uint32_t)((const char *)stack_top - (const char *)at);
}
