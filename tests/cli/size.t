# nago size: flash and RAM of a generated file, as the target's own tools count them.

$ cp $ROOT/generated/sample.theta.json theta.json
$ nagoc theta.json --emit=arch -o arch.json && nagoc arch.json --emit=weights -o w.safetensors
$ nago calibrate arch.json --weights w.safetensors --data shapes:classes=4,train=100,test=10 --limit 64 -o ranges.json 2>/dev/null
$ nagoc arch.json --weights w.safetensors --quantize int8 --ranges ranges.json --target cortex-m4 -o net.c
$ nago size net.c --target cortex-m4
net.c: infer_u8 for cortex-m4
arm-none-eabi-gcc -mthumb -mfloat-abi=hard -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -O2

flash                               [34][0-9]{4} bytes (re)
  weights                           3[0-9]{4} (re)
  code                               [3-7][0-9]{3} (re)
  the compiler's library            .* (re)
  tables of pixels, names            1536

RAM                                  [78][0-9]{3} bytes (re)
  arena                              6[0-9]{3} (re)
  image, the caller's                 768
  logits, the caller's                 16
  deepest stack                       [3-6][0-9]{2} (re)

deepest stack: net_infer_u8 .*net_program_infer .*, (re)
.* (re)
largest functions: net_program_infer .* (re)
.* (re)
.* (re)

# The sum is what the target's `size` says of the same program.

$ echo 'import json, sys; d = json.load(open(sys.argv[1])); f = d["flash"]; r = d["ram"]; text = f["weights"] + f["code"] + f["library"] + f["constants"]; print(text + f["data"], r["arena"] + r["variables"]); assert f["bytes"] == text + f["data"]; assert r["bytes"] == sum(r[k] for k in ("arena", "input", "output", "stack", "variables", "data")); assert r["stack"] == sum(x["bytes"] for x in d["deepest_stack"]); assert sum(x["bytes"] for x in d["functions"]) <= f["code"] <= 64 + sum(x["bytes"] for x in d["functions"])' >sums.py
$ echo 'arm-none-eabi-gcc -mthumb -mfloat-abi=hard -O2 -w -ffunction-sections -fdata-sections -nostdlib -Wl,--gc-sections -Wl,-e,net_infer_u8 "$@" net.c $ROOT/examples/firmware/memory.c -lgcc -o net.elf && arm-none-eabi-size net.elf | awk "NR == 2 { print \$1 + \$2, \$3 }"' >by-hand
$ nago size net.c -t cortex-m4 --json >m4.json && python3 -B sums.py m4.json >ours; sh by-hand -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 >theirs; cmp ours theirs
$ nago size net.c -t cortex-m55 --json >m55.json && python3 -B sums.py m55.json >ours; sh by-hand -mcpu=cortex-m55 >theirs; cmp ours theirs
$ nago size net.c -t rv32imc --json >rv.json && python3 -B sums.py rv.json >/dev/null; nago size net.c -t cortex-m7 --json >m7.json && python3 -B sums.py m7.json >/dev/null; nago size net.c -t cortex-m33 --json >m33.json && python3 -B sums.py m33.json >/dev/null

# The stack that gcc tells of is what a board uses of it, and main.c's own share.

$ mkdir m4 && cp net.c m4 && nagoc arch.json --weights w.safetensors --quantize int8 --ranges ranges.json --target cortex-m4 -o /dev/null --header m4/net.h && make -s -f $ROOT/examples/firmware/Makefile TARGET=cortex-m4 NET=$PWD/m4 OUT=$PWD/m4 run 2>&1 | sed -n 's/.*deepest stack: \([0-9]*\) bytes/\1/p' >painted
$ python3 -c 'import json; s = json.load(open("m4.json"))["ram"]["stack"]; p = int(open("painted").read()); print(s <= p <= s + 128 or (s, p))'
True

# A float file, another function, other flags.

$ nagoc arch.json --weights w.safetensors --target cortex-m7 --prefix two -o two.c && nago size two.c -t cortex-m7 --call=infer | grep -E '^  (weights|image)'
  weights                           85956
  image, the caller's                3072
$ nago size two.c -t rv32imc --call=infer | grep -E '^  (weights|image)'
  weights                           85956
  image, the caller's                3072
$ nago size net.c -t cortex-m4 --cflags=-O0 --json >plain.json; python3 -c 'import json; print(json.load(open("plain.json"))["flash"]["code"] > 2 * json.load(open("m4.json"))["flash"]["code"])'
True

# Limits, and what goes wrong.

$ nago size net.c -t cortex-m4 --max-ram=64K --max-flash=256K >/dev/null
$ nago size net.c -t cortex-m4 --max-ram=4K --max-flash=1M >/dev/null
nago size: --max-ram: [0-9]* bytes of RAM are [0-9]* more than the 4096 allowed (re)
[1]
$ nago size net.c
nago size: --target is missing: the microcontroller to measure for (see nago size --help)
[2]
$ nago size theta.json -t cortex-m4
theta.json: error: this is no C file that nagoc wrote
[2]
$ echo 'int x = ; void net_infer_u8(const uint8_t *images, float *logits);' >bad.c; nago size bad.c -t rv32imc 2>&1 | head -2
nago size: riscv64-unknown-elf-gcc ended with exit status 1:
net.c:1:9: error: expected expression before .* (re)
$ PATH=$(dirname $(command -v nago)) nago size net.c -t cortex-m4
nago size: there is no arm-none-eabi-gcc on this machine
  hint: Debian has it in the packages gcc-arm-none-eabi, gcc-riscv64-unknown-elf, qemu-system-arm, qemu-system-misc, make
  (make deps-embedded installs them)
[1]
$ mkdir scratch && TMPDIR=$PWD/scratch nago size net.c -t cortex-m4 >/dev/null && ls scratch
