# What becomes of a generated file: every compiler takes it silently, alone and beside another, and it computes.

$ cp $ROOT/tests/golden/tiny/theta.json tiny.json; cp $ROOT/tests/golden/separable/theta.json large.json; cp $ROOT/tests/golden/attention/theta.json a.json; cp $ROOT/tests/golden/concat/theta.json c.json
$ for n in tiny large a c; do nagoc $n.json -o $n.c --header $n.h && nagoc $n.json -e weights -o $n.safetensors && nagoc $n.json -w $n.safetensors --prefix fixed -o $n-fixed.c; done
$ for n in tiny large a c tiny-fixed large-fixed a-fixed c-fixed; do gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only $n.c; for cc in "gcc -O1" "clang -O0" tcc; do command -v ${cc% *} >/dev/null && { $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -DNET_MAIN -DFIXED_MAIN -c $n.c -o $n.o || echo $n $cc failed; }; done; done 2>&1

# It allocates nothing and needs libc and libm alone.

$ gcc -O1 -c a.c -o a.o && nm -u a.o | awk '{ print $2 }' | grep -vE '^(exp|exp2|log|pow|sqrt|fmin|fmax|cos|sin|floor|ceil|fabs)f?$|^_GLOBAL_OFFSET_TABLE_$|^mem(set|cpy|move)$|^__stack_chk_fail$'
[1]
$ gcc -O1 -c a-fixed.c -o a-fixed.o && nm -u a-fixed.o | awk '{ print $2 }' | grep -vE '^(exp|exp2|log|sqrt|fmin|fmax)f?$|^_GLOBAL_OFFSET_TABLE_$|^mem(set|cpy|move)$|^__stack_chk_fail$'
[1]

# Without any flag, and with -std=c11, gcc contracts to fused multiply-adds where the machine has them.

$ grep -qw fma /proc/cpuinfo || exit 0; for f in tiny.c a-fixed.c; do test $(gcc -std=c11 -O2 -mavx2 -mfma -S $f -o - | grep -c vfmadd) -gt 20 || echo $f: no fused multiply-adds; done

# Two networks in one program; every name outside begins with the prefix.

$ nagoc tiny.json --prefix one -o one.c && nagoc a.json --prefix two -o two.c && printf '#include "one.c"\n#include "two.c"\nint main(void) { one_init(1); two_init(1); return 0; }\n' >both.c && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror both.c -o both -lm && ./both && echo both
both
$ gcc -c one.c -o one.o && nm -g --defined-only one.o | awk '{ print $3 }' | grep -v ^one_
[1]

# The header is enough to call it.

$ printf '#include "tiny.h"\n#include <stdio.h>\nstatic float x[NET_BATCH * NET_CHANNELS * NET_HEIGHT * NET_WIDTH], y[NET_BATCH * NET_CLASSES];\nint main(void) { net_init(3); net_infer(x, y); printf("%%d\\n", y[0] == y[0]); return 0; }\n' >call.c && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror call.c tiny.c -o call -lm && ./call
1

# The trainable file with its own initial weights and the inference file with the same weights agree.

$ nagoc a.json --seed 2 -o train.c && nagoc a.json --seed 2 -e weights -o w.safetensors && nagoc a.json --seed 2 -w w.safetensors -o infer.c
$ awk 'BEGIN { srand(1); for (i = 0; i < 40 * (1 + 3 * 16 * 12); i++) printf "%c", i % 577 == 0 ? i / 577 % 9 + 1 : 1 + int(rand() * 126) }' >test.bin; stat -c %s test.bin
23080
$ for n in train infer; do gcc -O1 -DNET_MAIN -DNET_SEED=2 $n.c -o $n -lm && ./$n <test.bin >$n.out && wc -l <$n.out; done
41
41
$ head -40 train.out >t; head -40 infer.out >i; paste -d ' ' t i | awk '{ for (k = 1; k <= 10; k++) { d = $k - $(k + 10); if (d < 0) d = -d; if (!(d < 1e-3)) bad++ } } END { print bad + 0 }'
0

# A record cut short or a label out of range is refused.

$ head -c 1000 test.bin | ./infer >/dev/null
error: bad record: 423 bytes of 577, label .* (re)
[2]
$ printf '\377' | cat - test.bin | ./infer >/dev/null
error: bad record: 577 bytes of 577, label 255 of 10 classes
[2]
$ ./infer </dev/null | tail -1
accuracy 0.00 % (0 of 0)

# The other forms of weights give the same answers.

$ for f in list bin; do nagoc a.json --seed 2 -w w.safetensors --weights-form $f -o $f.c && gcc -O1 -DNET_MAIN $f.c -o $f -lm && ./$f <test.bin | cmp - infer.out; done

# A file with a self-test passes it, from main and through the function, whatever its form; a weight that is another fails it.

$ nagoc a.json --seed 2 -w w.safetensors --self-test --weights-form list -o tested.c --header tested.h && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -DNET_MAIN tested.c -o tested -lm && ./tested --self-test
self-test: the logits of 2 images are right
$ ./tested <test.bin | cmp - infer.out
$ ./tested --help; ./infer --self-test
error: "--help" is no argument of this program
error: "--self-test" is no argument of this program
[2]
$ printf '#include "tested.h"\nint main(void) { return net_self_test(); }\n' >call.c && gcc -std=c11 -Wall -Wextra -Werror call.c tested.c -o call -lm && ./call
$ first=$(grep -n 'net_weights = {{' tested.c | cut -d: -f1); last=$(grep -n '^}};' tested.c | head -1 | cut -d: -f1); for tenth in 1 5 9; do sed "$((first + (last - first) * tenth / 10))s/^[^,]*,/1.5f,/" tested.c >damaged.c && gcc -O1 -w -DNET_MAIN damaged.c -o damaged -lm && ! ./damaged --self-test || cmp tested.c damaged.c; done
self-test: the weights are damaged
self-test: the weights are damaged
self-test: the weights are damaged
$ nagoc a.json --self-test
nagoc: --self-test: goes with --weights (see nagoc --help)
[2]

# The raw pixels of the self-test follow the layout that the file reads.

$ nagoc a.json --seed 2 -w w.safetensors --self-test --input-layout hwc --batch 3 --prefix other -o hwc.c && gcc -O1 -DOTHER_MAIN hwc.c -o hwc -lm && ./hwc --self-test
self-test: the logits of 2 images are right

# --profile: without -D NET_PROFILE the same numbers and no clock; with it a row for each op, and the parts sum up to the whole.

$ nagoc a.json --seed 2 -w w.safetensors --profile -o timed.c --header timed.h && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -DNET_MAIN timed.c -o timed -lm && ./timed <test.bin | cmp - infer.out; nm -u timed | grep timespec
[1]
$ gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -DNET_MAIN -DNET_PROFILE timed.c -o timed -lm && ./timed <test.bin 2>report | cmp - infer.out; head -1 report; awk 'NR > 1 { all += $3; if ($2 != 40 || $1 < 1) bad++ } END { print (NR > 30), bad + 0, (all > 99 && all < 101) }' report; test $(($(wc -l <report) - 1)) = $(grep -c 'net_mark([0-9]' timed.c) && echo every op
ticks a call      calls      %  op
1 0 1
every op

# The clock may be the user's.

$ printf '#include "timed.h"\n#include <stdio.h>\nstatic uint64_t now;\nuint64_t steps(void);\nuint64_t steps(void) { return now++; }\nstatic float x[NET_CHANNELS * NET_HEIGHT * NET_WIDTH], y[NET_CLASSES];\nint main(void) { net_infer(x, y); net_infer(x, y); printf("%%s %%d %%d\\n", net_profile[0].op, (int)net_profile[0].ticks, (int)net_profile[0].calls); return 0; }\n' >call.c && gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -DNET_PROFILE -DNET_PROFILE_CLOCK=steps call.c timed.c -o call -lm && ./call
tile_image 2 2
$ nagoc a.json --profile
nagoc: --profile: goes with --weights (see nagoc --help)
[2]

# --threads: the bits of one thread, whether threads take parts of ops or images of a batch; no race (ThreadSanitizer).  Small ops stay whole: these nets have none that is cut, S has.

$ cp $ROOT/examples/bench/S.theta.json S.json; nagoc S.json -e weights -o S.w; for o in "" "--threads 2 --no-plan" "--threads 3 --no-plan --target native" "--threads 3 --batch 4"; do nagoc S.json -w S.w --self-test $o -o S.c; grep -c 'net_run_shared(net_op' S.c; gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only S.c; done | awk '{ print ($1 > 3) }'
0
1
1
0
$ awk 'BEGIN { srand(2); for (i = 0; i < 24; i++) { printf "%c", 1; for (p = 0; p < 3072; p++) printf "%c", 1 + int(rand() * 126) } }' | tr '\177-\377' a >S.bin
$ for target in generic native; do nagoc S.json -w S.w --target $target -o one.c; gcc -O2 -march=native -DNET_MAIN one.c -o one -lm; ./one <S.bin >one.out; wc -l <one.out; for o in "--threads 2" "--threads 3 --batch 4"; do nagoc S.json -w S.w --target $target $o --self-test -o more.c; gcc -O2 -march=native -DNET_MAIN more.c -o more -lm -pthread; ./more <S.bin | cmp - one.out && ./more --self-test; done; done
25
self-test: the logits of 2 images are right
self-test: the logits of 2 images are right
25
self-test: the logits of 2 images are right
self-test: the logits of 2 images are right
$ for o in "--threads 2 --no-plan" "--threads 2 --batch 2"; do NAGO_SKIP_PASSES=leave_small_ops nagoc S.json -w S.w $o -o S.c; gcc -O1 -march=native -g -fsanitize=thread -DNET_MAIN S.c -o raced -lm -pthread && setarch -R ./raced <S.bin 2>&1 | awk '/^accuracy/ { done = 1 } /WARNING: ThreadSanitizer/ { races++ } END { print done + 0, races + 0 }'; done
1 0
1 0
$ nagoc a.json --threads 2
nagoc: --threads: goes with --weights (see nagoc --help)
[2]
$ nagoc a.json -w w.safetensors --threads 2 --target cortex-m4
nagoc: --threads: is for float files with --target generic or native (see nagoc --help)
[2]
