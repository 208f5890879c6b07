# nago verify and nago bench: what they refuse.

$ nago verify
nago verify: no folder given (see nago verify --help)
[2]
$ nago verify nodir
nodir/arch.json: error: cannot open: No such file or directory
[2]
$ mkdir empty; nago verify empty
empty/arch.json: error: cannot open: No such file or directory
[2]
$ mkdir half; nagoc $ROOT/tests/golden/tiny/theta.json -e arch -o half/arch.json; nagoc half/arch.json -e weights -o half/weights.safetensors; nago verify half
half/expected.safetensors: error: cannot open: No such file or directory
[2]
$ nago verify --engine=x half
nago verify: --engine: no engine "x"; --engine-list lists them (see nago verify --help)
[2]
$ nago bench nofile.json
nofile.json: error: cannot open: No such file or directory
[2]
