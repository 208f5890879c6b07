# What a file will take of a microcontroller, told before it is compiled, and limits to it.

$ cp $ROOT/generated/sample.theta.json theta.json
$ nagoc theta.json --emit=arch -o arch.json && nagoc arch.json --emit=weights -o w.safetensors
$ nago calibrate arch.json --weights w.safetensors --data shapes:classes=4,train=100,test=10 --limit 64 -o ranges.json 2>/dev/null
$ nagoc theta.json --emit=summary --target cortex-m4 --quantize int8 | tail -3
RAM on a cortex-m4 .* bytes: arena [0-9]+, image 768, logits 16, stack about [0-9]+ (re)
flash .* bytes: weights [0-9]+, tables 1536, code about [0-9]+ (re)
an image takes about .* instructions, about .* cycles (re)
$ nagoc theta.json --emit=summary --target cortex-m7 | tail -2
RAM on a cortex-m7 .* bytes: arena 6144, image 768, logits 16, other variables 3072; the stack comes on top (re)
flash .* bytes: weights 85956, tables 24; the code comes on top (re)

# Trained numbers change no size.

$ nagoc theta.json -e summary --json --target rv32imc --quantize int8 | sed 's/plan_ms": [0-9.]*/plan_ms/' >before; nagoc arch.json -e summary --json --target rv32imc --quantize int8 --weights w.safetensors --ranges ranges.json | sed 's/plan_ms": [0-9.]*/plan_ms/' >after; cmp before after

# The estimates are within what the manual promises, for networks that they were not made from; those pass their
# self-test on all boards.

$ $ROOT/tests/boards/kernel_costs.py --check $((NAGO_LONG ? 20 : 2)) >errors || cat errors
$ cut -d: -f1 errors
code
stack
flash
RAM
instructions

# Limits that hold, and those that do not: nothing is written.

$ echo 'nagoc arch.json --weights w.safetensors --quantize int8 --ranges ranges.json --target cortex-m4 -o "$@"' >compile
$ sh compile net.c --max-ram=64K --max-flash=256K --max-latency=100ms@120MHz && grep -E '^// (RAM|Flash|A call|Measure)' net.c
// RAM [0-9]+: arena [0-9]+, image 768, logits 16, stack about [0-9]+. (re)
// Flash [0-9]+: weights [0-9]+, tables 1536, code about [0-9]+. (re)
// A call takes about 1.[0-9]* million instructions. (re)
// Measure it: nago size FILE.c --target=cortex-m4
$ sh compile none.c --max-ram=4K
nagoc: --max-ram: the network needs [0-9]+ bytes of RAM, [0-9]+ more than 4096: arena [0-9]+, image 768, logits 16, stack about [0-9]+ (re)
  the arena is fullest at head: head.bn.relu.pooled.scratch [0-9]+, head.bn.relu.pooled 1280, .* (re)
  hint: smaller images, a smaller "params" or fewer channels in the first stage
[2]
$ sh compile none.c --max-flash=20K
nagoc: --max-flash: the network needs [0-9]+ bytes of flash, [0-9]+ more than 20480: weights [0-9]+, tables 1536, code about [0-9]+ (re)
  most weights lie in head [0-9]+, cell 2 [0-9]+, cell 1 [0-9]+, cell 0 [0-9]+, stem [0-9]+ (re)
  hint: a smaller "params"
[2]
$ sh compile none.c --max-latency=1ms@120MHz
nagoc: --max-latency: an image takes about .* ms, more than 1 ms: 1.[0-9] million instructions, about .* million cycles at 120 MHz (re)
  hint: smaller images, a smaller "params"
[2]
$ nagoc arch.json --weights w.safetensors --target cortex-m7 --max-flash=64K -o none.c
nagoc: --max-flash: the network needs 85980 bytes of flash, 20444 more than 65536: weights 85956, tables 24; the code comes on top
  most weights lie in head [0-9]+, .* (re)
  hint: --quantize int8, a smaller "params"
[2]
$ nagoc theta.json --emit=summary --target cortex-m4 --quantize int8 --max-ram=1K -o none.c 2>&1 | head -1
nagoc: --max-ram: the network needs .* (re)
$ ls none.c
ls: cannot access 'none.c': No such file or directory
[2]

# The C compiler holds the file to its limits; a board with less says so with -D.

$ arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -c net.c
$ for d in NET_MAX_RAM=4096 NET_MAX_FLASH=20000; do arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -D$d -c net.c 2>&1 | grep -o 'assertion failed: .*'; done
assertion failed: "more RAM than NET_MAX_RAM"
assertion failed: "more flash than NET_MAX_FLASH"
$ sed 's/NET_ARENA_BYTES \/ 4\]/NET_ARENA_BYTES \/ 4 + 1]/' net.c >changed.c; arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -c changed.c 2>&1 | grep -o 'assertion failed: .*'
assertion failed: "the arena that was planned"
$ for f in list bin; do sh compile other.c --weights-form=$f --prefix=o && arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -c other.c; done; sh compile apart.c --no-plan && arm-none-eabi-gcc -mthumb -mcpu=cortex-m4 -c apart.c

# What does not go together.

$ nagoc theta.json --max-ram=64K
nagoc: --max-ram: goes with --target of a microcontroller (see nagoc --help)
[2]
$ sh compile none.c --max-latency=100@120MHz
nagoc: --max-latency: "100@120MHz" is not a time at a clock, as 100ms@120MHz (see nagoc --help)
[2]
$ nagoc arch.json --weights w.safetensors --target cortex-m4 --max-latency=1s@1GHz
nagoc: --max-latency: goes with --quantize=int8, whose time is estimated (see nagoc --help)
[2]
$ sh compile none.c --max-ram=64KB
nagoc: --max-ram: "64KB" is not a size such as 4096, 256K, 1M or 2G (see nagoc --help)
[2]
$ nagoc theta.json --target cortex-m4
nagoc: --target: goes with --weights, or --emit=summary (see nagoc --help)
[2]
