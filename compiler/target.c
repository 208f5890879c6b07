// target.c - the machines that inference files are made for: the command that compiles for each.
#include "nagoc.h"

#define ARM "arm-none-eabi-gcc", "-mthumb -mfloat-abi=hard "

const TargetInfo target_info[TARGET_COUNT] = {
    [TARGET_GENERIC] = {"generic", "cc", "-O3 -march=native"},
    [TARGET_NATIVE] = {"native", "cc", "-O3 -march=native"},
    [TARGET_CORTEX_M4] = {"cortex-m4", ARM "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -O2"},
    [TARGET_CORTEX_M7] = {"cortex-m7", ARM "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -O2"},
    [TARGET_CORTEX_M33] = {"cortex-m33", ARM "-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -O2"},
    [TARGET_CORTEX_M55] = {"cortex-m55", ARM "-mcpu=cortex-m55 -O2"},
    [TARGET_RV32IMC] = {"rv32imc", "riscv64-unknown-elf-gcc", "-march=rv32imc -mabi=ilp32 -O2"},
};
