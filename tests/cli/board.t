# nago eval --on: an int8 file on emulated boards, every logit compared with what the file gives here.

$ cp $ROOT/generated/sample.theta.json theta.json
$ nagoc theta.json --emit=arch -o arch.json && nagoc arch.json --emit=weights -o w.safetensors
$ nago calibrate arch.json --weights w.safetensors --data shapes:classes=4,train=100,test=10 --limit 64 -o ranges.json 2>/dev/null
$ echo 'nago eval w.safetensors --data shapes:classes=4,train=100,test=400 --quantize int8 --ranges ranges.json --limit $((NAGO_LONG ? 200 : 5)) "$@" 2>err' >classify
$ sh classify --predictions=here >/dev/null; for t in cortex-m4 cortex-m7 cortex-m33 cortex-m55 rv32imc; do sh classify --on qemu:$t --predictions=there --json | grep -o '"images_that_differ":[0-9]*' && cmp here there; done
"images_that_differ":0
"images_that_differ":0
"images_that_differ":0
"images_that_differ":0
"images_that_differ":0
$ sh classify --on qemu:cortex-m4
accuracy .* % .[0-9]+ of [0-9]+ test images., loss .*, on qemu:cortex-m4; self-test passed (re)
all logits are those that the same file gives here, bit for bit
[0-9.]+ million instructions an image, at most; [0-9]+ bytes of stack (re)
$ sh classify --on qemu:cortex-m55 --per-class | head -3 | tail -1 | cut -c1-24
circle                  

# A bit that differs is seen: here a compiler that reads another table of pixels.

$ printf '#!/bin/sh\nfor a; do case $a in *net.c) sed -i "s/^    {-\\([0-9]*\\), /    {-1, /" $a;; esac; done\nexec gcc "$@"\n' >other-cc && chmod +x other-cc
$ CC=./other-cc sh classify --on qemu:cortex-m4 | sed 1d
[1-9][0-9]* of [0-9]+ images have other logits than the same file gives here (re)
[0-9.]* million instructions an image, at most; [0-9]* bytes of stack (re)
$ CC=./other-cc sh classify --on qemu:cortex-m4 >/dev/null
[1]

# Drawn networks: the self-test passes on every board.

$ $ROOT/tests/boards/self_tests $((NAGO_LONG ? 20 : 1))
[0-9]+ self-tests, 0 failed (re)

# What does not go.

$ nago eval w.safetensors --data shapes:classes=4 --on qemu:cortex-m4
nago eval: --on: goes with --quantize=int8: the boards are small (see nago eval --help)
[2]
$ nago eval w.safetensors --data shapes:classes=4 --quantize int8 --ranges ranges.json --on qemu:z80 2>&1 | cut -c1-60
nago eval: --on: "qemu:z80" is not one of here, qemu:cortex-
$ printf '{"top": {"n": 3, "k": 2, "p": 0}, "mid": {"n": 1, "p": 1}, "bottom": {"n": 3, "k": 2, "p": 0}, "params": 900000, "classes": 4}' >large.json
$ nagoc large.json --emit=arch -o large && nagoc large --emit=weights -o large.safetensors && nago calibrate large --weights large.safetensors --data shapes:classes=4,train=10,test=5 -o large.ranges 2>/dev/null
$ nago eval large.safetensors --data shapes:classes=4,train=10,test=5 --quantize int8 --ranges large.ranges --on qemu:cortex-m55 2>&1 | grep -o 'make ended.*\|will not fit in region.*\|region .flash. overflowed'
make ended with exit status 2:
will not fit in region `flash'
region `flash' overflowed
