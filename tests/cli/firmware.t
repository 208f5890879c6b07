# A network in int8 on emulated boards: every one gives the logits of this machine, bit for bit.

$ cp $ROOT/generated/sample.theta.json theta.json
$ nagoc theta.json --emit=arch -o arch.json && nagoc arch.json --emit=weights -o w.safetensors
$ nago calibrate arch.json --weights w.safetensors --data shapes:classes=4,train=100,test=10 --limit 64 -o ranges.json 2>/dev/null
$ nagoc arch.json --weights w.safetensors --quantize int8 --ranges ranges.json --target cortex-m4 --weights-section .rodata.net -o net.c --header net.h
$ grep -c 'section(".rodata.net")' net.c
1
$ grep -E 'printf|malloc|stdio|math.h' net.c
[1]
$ nago data shapes:classes=4,size=16,train=100,test=10 --split test --export - | head -c $((5 * 769)) >images.bin; wc -c <images.bin
3845
$ echo 'mkdir -p $1 && cp images.bin $1 && make -s -f $ROOT/examples/firmware/Makefile NET=$PWD TARGET=$1 OUT=$PWD/$1 run >$1.out 2>&1; grep -v "^board:" $1.out >$1.same' >run
$ sh run host; grep images: host.same
images: 5
$ for t in cortex-m4 cortex-m7 cortex-m33 cortex-m55 rv32imc; do sh run $t; cmp host.same $t.same && cmp host/logits.bin $t/logits.bin && echo "$t: the same bits" || cat $t.out; done
cortex-m4: the same bits
cortex-m7: the same bits
cortex-m33: the same bits
cortex-m55: the same bits
rv32imc: the same bits
$ for t in cortex-m4 rv32imc; do sed -n 's/.*deepest stack: \([0-9]*\) bytes/\1/p' $t.out | awk '{ print ($1 > 100 && $1 < 2048) }'; done
1
1

# However it is optimised, and without a warning.

$ for o in -O0 -Og -Os -O3; do mkdir m4$o && cp images.bin m4$o && make -s -f $ROOT/examples/firmware/Makefile NET=$PWD TARGET=cortex-m4 DEFINES=$o WARN='-Wall -Wextra -Werror' OUT=$PWD/m4$o run >m4$o.out 2>&1; cmp host/logits.bin m4$o/logits.bin && echo "$o: the same bits" || cat m4$o.out; done
-O0: the same bits
-Og: the same bits
-Os: the same bits
-O3: the same bits

# The kernels alone, on drawn shapes and numbers.

$ cc -std=gnu11 -O1 -I$ROOT/examples/firmware $ROOT/tests/boards/kernel_bits.c $ROOT/examples/firmware/host.c -o bits && ./bits >bits.host; cut -d' ' -f1 bits.host | xargs
conv depthwise head sum concat attention pool
$ for t in cortex-m4 cortex-m7 cortex-m33 cortex-m55 rv32imc; do mkdir bits-$t && make -s -f $ROOT/examples/firmware/Makefile PROGRAM=$ROOT/tests/boards/kernel_bits.c TARGET=$t OUT=$PWD/bits-$t run >bits.$t 2>&1; cmp bits.host bits.$t && echo "$t: the same bits" || cat bits.$t; done
cortex-m4: the same bits
cortex-m7: the same bits
cortex-m33: the same bits
cortex-m55: the same bits
rv32imc: the same bits

# In float: the logits are within the tolerance of the self-test, without a C library, too.

$ for t in cortex-m7 rv32imc; do mkdir float-$t && nagoc arch.json --weights w.safetensors --target $t --self-test -o float-$t/net.c --header float-$t/net.h && make -s -f $ROOT/examples/firmware/Makefile NET=$PWD/float-$t TARGET=$t OUT=$PWD/float-$t run 2>&1 | grep 'self test'; done
self test: 0
self test: 0

# What does not go together.

$ nagoc arch.json --weights w.safetensors --quantize int8
nagoc: --quantize and --ranges: go together (see nagoc --help)
[2]
$ nagoc arch.json --quantize int8 --ranges ranges.json
nagoc: --quantize: goes with --weights (see nagoc --help)
[2]
$ nagoc arch.json --weights w.safetensors --quantize int8 --ranges ranges.json --target native
nagoc: --target=native: is for float files (see nagoc --help)
[2]
$ nagoc arch.json --weights w.safetensors --weights-section 'a b'
nagoc: --weights-section: "a b" is not a name of a linker section (see nagoc --help)
[2]
