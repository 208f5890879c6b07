// target.c - the machines that inference files are made for: their names, and the command that
// compiles for each.
#include "nagoc.h"

#define ARM "arm-none-eabi-gcc", "-mthumb -mfloat-abi=hard "

const char *const target_names[TARGET_COUNT + 1] = {
    [TARGET_GENERIC] = "generic",       [TARGET_NATIVE] = "native",
    [TARGET_CORTEX_M4] = "cortex-m4",   [TARGET_CORTEX_M7] = "cortex-m7",
    [TARGET_CORTEX_M33] = "cortex-m33", [TARGET_CORTEX_M55] = "cortex-m55",
    [TARGET_RV32IMC] = "rv32imc",
};

const TargetInfo target_info[TARGET_COUNT] = {
    [TARGET_GENERIC] = {"cc", "-O3 -march=native"},
    [TARGET_NATIVE] = {"cc", "-O3 -march=native"},
    [TARGET_CORTEX_M4] = {ARM "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -O2"},
    [TARGET_CORTEX_M7] = {ARM "-mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -O2"},
    [TARGET_CORTEX_M33] = {ARM "-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -O2"},
    [TARGET_CORTEX_M55] = {ARM "-mcpu=cortex-m55 -O2"},
    [TARGET_RV32IMC] = {"riscv64-unknown-elf-gcc", "-march=rv32imc -mabi=ilp32 -ffreestanding -O2"},
};
