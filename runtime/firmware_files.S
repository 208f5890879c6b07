/* firmware_files.S - the files of examples/firmware as bytes inside libnago, each with a zero byte behind it. */
        .section .rodata
#define FIRMWARE(symbol, file)       \
        .global firmware_##symbol  ; \
firmware_##symbol:                 ; \
        .incbin file  ; \
        .byte 0                    ;
#include "firmware_list.h"
        .section .note.GNU-stack,"",%progbits
