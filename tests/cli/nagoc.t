# nagoc: what it takes, what it refuses, and that a refusal leaves no file.

$ cp $ROOT/examples/theta.json theta.json
$ nagoc
nagoc: an operand is missing: nagoc [OPTION]... theta.json|arch.json (see nagoc --help)
[2]
$ nagoc --version
nagoc 0.1.0
$ nagoc --help | head -3
nagoc - compile network generator hyperparameters to standalone C

usage: nagoc [OPTION]... theta.json|arch.json
$ nagoc --help | grep -c -e --weights-form
1
$ nagoc a.json b.json
nagoc: "b.json" is one operand too many (see nagoc --help)
[2]
$ nagoc --bacth 3 theta.json
nagoc: unknown option --bacth; did you mean --batch? (see nagoc --help)
[2]
$ nagoc --batch abc theta.json
nagoc: --batch: "abc" is not a whole number in 1..1024 (see nagoc --help)
[2]
$ nagoc --batch 0 theta.json
nagoc: --batch: "0" is not a whole number in 1..1024 (see nagoc --help)
[2]
$ nagoc --emit=ar theta.json
nagoc: --emit: "ar" is not one of c, arch, ir, dot, weights, summary, pytorch, onnx, plan; did you mean "arch"? (see nagoc --help)
[2]
$ nagoc --seed -1 theta.json
nagoc: --seed: "-1" is not a whole number in 0..9007199254740991 (2^53 - 1) (see nagoc --help)
[2]
$ nagoc --json theta.json
nagoc: --json: goes with --emit=summary (see nagoc --help)
[2]
$ nagoc --emit=dot --header net.h theta.json
nagoc: --header: goes with --emit=c (see nagoc --help)
[2]
$ nagoc --weights-form=list theta.json
nagoc: --weights-form: goes with --weights (see nagoc --help)
[2]
$ nagoc --weights w.safetensors --weights-form=bin theta.json
nagoc: --weights-form=bin: needs --output FILE, the weights go beside it (see nagoc --help)
[2]
$ nagoc --weights w.safetensors --emit=pytorch theta.json
nagoc: --weights: the PyTorch module loads them when it runs, from any file (see nagoc --help)
[2]
$ nagoc --weights w.safetensors --emit=onnx theta.json
w.safetensors: error: cannot open: No such file or directory
[2]
$ nagoc --prefix 3d theta.json
nagoc: --prefix: "3d" is not a C identifier that names can begin with (see nagoc --help)
[2]
$ nagoc --header x -o x theta.json
nagoc: --header: "x" is where --output goes, too (see nagoc --help)
[2]
$ nagoc --dump-after=lover theta.json
nagoc: --dump-after: no pass "lover" here; the passes are lower, fuse, grad, plan
[2]
$ ls
theta.json

# Input that is not there or not right.

$ nagoc nofile.json
nofile.json: error: cannot open: No such file or directory
[2]
$ nagoc .
.: error: is a folder, a file was expected
[2]
$ echo '{"top": {"n": 3, "k": 2, "p": 1.4}}' >bad.json
$ nagoc bad.json -o net.c
bad.json:1:31: error: "p" must lie in [0, 1], got 1.4
    1 | {"top": {"n": 3, "k": 2, "p": 1.4}}
      |                               ^ probability that Watts-Strogatz rewires an edge
[2]
$ nagoc - <bad.json
<stdin>:1:31: error: "p" must lie in [0, 1], got 1.4
    1 | {"top": {"n": 3, "k": 2, "p": 1.4}}
      |                               ^ probability that Watts-Strogatz rewires an edge
[2]
$ nagoc --weights nofile.safetensors theta.json -o net.c
nofile.safetensors: error: cannot open: No such file or directory
[2]
$ echo nonsense >w.safetensors; nagoc --weights w.safetensors theta.json -o net.c
w.safetensors: error: the header claims 7310308002159816558 bytes, 1 follow: truncated, or no safetensors file
[2]
$ ls
bad.json
theta.json
w.safetensors

# Output that cannot be written leaves nothing half-written.

$ nagoc theta.json -o nodir/net.c
nodir/net.c: error: cannot write: No such file or directory
[1]
$ nagoc theta.json -o .
.: error: cannot write: Is a directory
[1]
$ nagoc theta.json >/dev/full
standard output: error: cannot write: No space left on device
[1]
$ nagoc theta.json -o net.c --header nodir/net.h
nodir/net.h: error: cannot write: No such file or directory
[1]
$ echo kept >kept.c; nagoc bad.json -o kept.c 2>/dev/null; cat kept.c
kept
$ ls
bad.json
kept.c
theta.json
w.safetensors

# The same bytes whatever the file is called, and from standard input.

$ mkdir sub; nagoc theta.json -o net.c && nagoc theta.json -o sub/other.c && nagoc theta.json >piped.c && nagoc -o - theta.json | cmp - net.c && cmp net.c sub/other.c && cmp net.c piped.c && echo same
same
$ cp theta.json sub && nagoc sub/theta.json | cmp - net.c && echo same
same
$ nagoc --seed 1 theta.json -e arch >1.json; nagoc --seed 2 theta.json -e arch >2.json; cmp -s 1.json 2.json || echo another network
another network
$ nagoc 1.json -e arch | cmp - 1.json && echo round trip
round trip
$ nagoc theta.json -e dot | dot -Tsvg | grep -c '<svg'
1
$ nagoc theta.json --batch 4 --prefix digits --header digits.h -o digits.c && grep -c digits_infer digits.h && grep -il 'net_' digits.h
4
[1]
$ nagoc theta.json -e weights -o w.safetensors && nagoc theta.json --weights w.safetensors -o a.c && nagoc --weights=w.safetensors theta.json --weights-form bin -o sub/b.c && ls sub
b.c
net_weights.bin
other.c
theta.json
