/* blob.S - the files of templates/ as bytes inside libnagoc, each with a zero byte behind it. */
        .section .rodata
#define TEMPLATE(symbol, file)       \
        .global template_##symbol  ; \
template_##symbol:                 ; \
        .incbin file  ; \
        .byte 0                    ;
#include "template_list.h"
        .section .note.GNU-stack,"",%progbits
