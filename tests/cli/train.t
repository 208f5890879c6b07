# nago train and nago eval, on a network and a data set small enough for a second.

$ echo '{"top": {"n": 3, "k": 2, "p": 0.3}, "mid": {"n": 1, "p": 0.5}, "bottom": {"n": 3, "k": 2, "p": 0.3}, "params": 3000, "input": {"channels": 3, "height": 16, "width": 16}, "classes": 4, "seed": 1}' >theta.json

# What it refuses.

$ nago train
nago train: a network is missing: theta.json or arch.json (see nago train --help)
[2]
$ nago train theta.json
nago train: --data is missing: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR (see nago train --help)
[2]
$ nago train --data shapes
nago train: a network is missing: theta.json or arch.json (see nago train --help)
[2]
$ nago train nofile.json --data shapes --out run
nofile.json: error: cannot open: No such file or directory
[2]
$ nago train theta.json --data shape --out run
nago train: data set shape: "shape" is no kind of data; did you mean "shapes"?
  hint: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR
[2]
$ nago train theta.json --data shapes:classes=3 --out run
theta.json: error: the net has 4 classes, --data shapes:classes=3 has 3
  hint: in theta.json, "classes": 3; or --data shapes:classes=N
[2]
$ nago train theta.json --data cifar10:nodir --out run
nodir: error: No such file or directory
  hint: expected there: data_batch_1.bin ... and test_batch.bin, the binary version
[2]
$ nago train theta.json --data shapes:size=16,classes=4 --epochs many
nago train: --epochs: "many" is not a whole number in 1..100000 (see nago train --help)
[2]
$ nago train theta.json --data shapes:size=16,classes=4 --lr -1
nago train: --lr: "-1" is not a number in 1e-12..1e+06 (see nago train --help)
[2]
$ nago train theta.json --data shapes:size=16,classes=4 --schedule cosin
nago train: --schedule: "cosin" is not one of cosine, step, constant; did you mean "cosine"? (see nago train --help)
[2]
$ nago train theta.json --data shapes:size=16,classes=4 --jit icc
nago train: --jit: "icc" is not one of tcc, gcc; did you mean "tcc"? (see nago train --help)
[2]
$ nago train theta.json --data shapes:size=16,classes=4,train=40,test=20 --epochs 1 --out theta.json
theta.json: error: cannot make the folder: Not a directory
[1]
$ nago train --resume nodir
nago train: --resume nodir: there is no such folder
[2]
$ nago train theta.json --data shapes --init nofile.safetensors
theta.json: error: the net has 4 classes, --data shapes has 10
  hint: in theta.json, "classes": 10; or --data shapes:classes=N
[2]
$ nago eval nodir --data shapes
nodir: error: cannot open: No such file or directory
[2]
$ nago eval theta.json --data shapes
theta.json: error: the header claims 2322206424164475515 bytes, 187 follow: truncated, or no safetensors file
[2]
$ ls
theta.json

# What it writes; the C file answers as `nago eval` does.

$ nago train theta.json --data shapes:size=16,classes=4,train=300,test=100 --epochs 2 --lr 0.02 --seed 3 --out run 2>log | sed 's/[0-9.]* %.*//'; ls run; wc -l <run/metrics.jsonl
accuracy 
arch.json
checkpoint.safetensors
metrics.jsonl
net.c
weights.safetensors
2
$ nago eval run --data shapes:size=16,classes=4,train=300,test=100 --split test --predictions p.txt >eval.txt; cut -d' ' -f1-3 eval.txt | head -1 | tr -d '0-9.'; wc -l <p.txt
accuracy  %
100
$ nago data shapes:size=16,classes=4,train=300,test=100 --split test --export test.bin >/dev/null && gcc -O2 -DNET_MAIN run/net.c -o net -lm && ./net <test.bin | tail -1 >net.txt; test "$(grep -Eo '[0-9.]+ %' net.txt)" = "$(grep -Eo '[0-9.]+ %' eval.txt | head -1)" && echo the same accuracy
the same accuracy

# The same seed gives the same weights, whatever the number of threads.

$ nago train theta.json --data shapes:size=16,classes=4,train=300,test=100 --epochs 2 --lr 0.02 --seed 3 --threads 1 --out run1 >/dev/null 2>&1; cmp run/weights.safetensors run1/weights.safetensors && cmp run/net.c run1/net.c && echo same
same

# A run that diverges stops and says so.

$ nago train theta.json --data shapes:size=16,classes=4,train=300,test=100 --epochs 20 --lr 1e6 --out bad >/dev/null 2>log; echo $?; grep -c 'the loss is not finite' log; ls bad | grep net.c
1
1
[1]

# An interrupt ends it cleanly, with a checkpoint to go on from.

$ timeout --foreground --preserve-status -s INT 2 nago train theta.json --data shapes:size=16,classes=4,train=3000,test=100 --epochs 1000 --out cut >/dev/null 2>log; echo $?; ls cut
0
arch.json
checkpoint.safetensors
metrics.jsonl
net.c
weights.safetensors
$ nago train --resume cut --time-limit 1s >/dev/null 2>&1; echo $?
0
