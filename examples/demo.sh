#!/bin/sh
# From hyperparameters to a trained network in one C file, and the proof that the file computes what was trained:
# `make demo` runs this.  Everything it makes is in build/demo.
set -eu
cd "$(dirname "$0")/.."
demo=build/demo
epochs=${EPOCHS:-8}

say() {
    printf '\n== %s\n' "$*"
}
run() {
    printf '$ %s\n' "$*"
    "$@"
}

rm -rf "$demo"
mkdir -p "$demo"

say "Draw a network from examples/theta.json"
run build/nagoc examples/theta.json --emit=summary -o "$demo/summary.txt"
head -n 12 "$demo/summary.txt"

say "Train it on the built-in images"
run build/nago train examples/theta.json --data shapes --epochs "$epochs" --lr 0.008 --time-limit 60s --out "$demo"

say "Compile the trained network, one C file with its weights inside"
run cc -O3 -march=native -DNET_MAIN "$demo/net.c" -o "$demo/net" -lm

say "Run it on images that it has not seen"
run build/nago data shapes --split test --export "$demo/test.bin"
printf '$ %s\n' "$demo/net < $demo/test.bin"
"$demo/net" <"$demo/test.bin" >"$demo/net.out"
tail -n 1 "$demo/net.out"

say "The same images through the trainer's own engine"
run build/nago eval "$demo" --data shapes --split test | tee "$demo/eval.out"

# The first percentage, or the first ratio, of each.
accuracy() {
    grep -Eo '[0-9]+\.[0-9]+ *%' "$1" | tail -n 1 | tr -d ' %'
}
say "Accuracy: net.c $(accuracy "$demo/net.out") %, nago eval $(accuracy "$demo/eval.out") %"
awk -v a="$(accuracy "$demo/net.out")" -v b="$(accuracy "$demo/eval.out")" 'BEGIN {
    if (a == "" || b == "" || (a - b) ^ 2 > 0.11 ^ 2) { print "They differ: something is wrong."; exit 1 }
}'
