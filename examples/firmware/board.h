// board.h - what main.c asks of a board.  On the host all figures are 0.
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

void board_timer_start(void);
// Instructions since then; true under QEMU with -icount shift=0, where one takes a nanosecond.
uint32_t board_timer_instructions(void);
// The deepest that the stack has been, in bytes: start-up fills it with a pattern.
uint32_t board_stack_used(void);

#endif
