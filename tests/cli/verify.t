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
$ nago bench --weights w.safetensors $ROOT/generated/sample.theta.json
nago bench: --weights: goes with --release (see nago bench --help)
[2]
$ nago bench --release --threads 2 --time 0.01s $ROOT/generated/sample.theta.json | grep -o '2 threads'
2 threads
$ for t in generic native; do nago bench --release --target $t --time 0.01s --json $ROOT/generated/sample.theta.json | grep -oE '"[a-z_]+": ("[gn][a-z]+"|[0-9.]*[1-9][0-9.]*)' | sed 's/: [0-9].*//' | tr '\n' ' '; echo; done
"target": "generic" "batch" "threads" "peak_gflops" "infer_ms" "infer_median_ms" "infer_gflops" "macs" "arena_bytes" "arena_lower_bound_bytes" "plan_ms" "cc_seconds" "object_bytes" 
"target": "native" "batch" "threads" "peak_gflops" "infer_ms" "infer_median_ms" "infer_gflops" "macs" "arena_bytes" "arena_lower_bound_bytes" "plan_ms" "cc_seconds" "object_bytes" 
