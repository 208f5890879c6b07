# A study of networks from its beginning to trained files, small enough for seconds.

$ nago search --study s.db --data shapes:size=16,classes=4,train=120,test=40 --weights 60000 -o error -o ram --method mobohb --max-budget 3 --trials 6 --workers 1 >out 2>err; echo $?
0
$ grep -c '^trial' err; grep 'images' err
6
120 training images, 24 of them for validation: all figures below are of these; the test split is not touched
$ grep -q '(validation)' out && echo named
named
$ nago search --study s.db --trials 6 --workers 1 2>&1 | head -1
nago search: s.db resumed: mobohb, 8 coordinates, budgets 1/3, 1 worker; 6 of 6 trials are there

# The whole is reproducible: another study of the same seed holds the same values.

$ nago search --study t.db --data shapes:size=16,classes=4,train=120,test=40 --weights 60000 -o error -o ram --method mobohb --max-budget 3 --trials 6 --workers 1 >/dev/null 2>&1
$ for s in s t; do nago export --study $s.db | cut -d, -f 1-8,10-; done | sort | uniq -c | awk '$1 != 2' | wc -l
0
$ nago reproduce --study s.db --trial 0 2>/dev/null | grep -c 'the same bits'
2
$ nago reproduce --study s.db --trial 99
nago reproduce: --trial 99: the study has the trials 0 to 5
[2]
$ nago reproduce --study s.db
nago reproduce: --trial is missing (see nago reproduce --help)
[2]

# Networks of a trial, trained and measured on the test split.

$ nago retrain --study s.db --trial 0 -k 2 --epochs 1 --out re 2>/dev/null | sed 's/[0-9.]* %/N %/g; s/+- [0-9.]*/+- N/; s/net[12]/netN/'
trial 0: test error N % +- N over 2 networks, 1 epoch; best by validation: N % (test), re/trial0/netN/net.c
$ ls re/trial0/net1
arch.json
checkpoint.safetensors
metrics.jsonl
net.c
train.log
weights.safetensors
$ nago retrain --study s.db --trial 0 -k 2 --epochs 1 --out re 2>&1 | wc -l
1
$ nago retrain --study s.db
nago retrain: one of --trial and --front is needed (see nago retrain --help)
[2]
$ nago retrain --study s.db --trial 50
nago retrain: --trial 50: the study has the trials 0 to 5
[2]

# What is minimised is of the deployed file: sizes known before training are those that it has.

$ nago search --study q.db --data shapes:size=16,classes=4,train=120,test=40 --weights 60000 -o error -o ram -o flash -o cycles --quantize int8 --target cortex-m4 --method random --max-budget 1 --trials 1 --workers 1 2>/dev/null | grep -c 'error.*ram.*flash.*cycles'
1
$ nago reproduce --study q.db --trial 0 2>/dev/null | grep -c 'the same bits'
4
$ nago retrain --study q.db --trial 0 -k 1 --same-arch --epochs 1 --out q 2>/dev/null | sed 's/[0-9.]* %/N %/g'
trial 0: test error in int8 N % +- 0.00 over 1 network, 1 epoch; best by validation: N % (test), q/trial0/net1/net.c
$ grep -c 'quantize=int8 --ranges=ranges.json --target=cortex-m4' q/trial0/net1/net.c
1
$ nago export --study q.db --format json | grep -oE '"(ram|flash|cycles)": [0-9]+' | sed 's/"//g' | sort -u >study; (cd q/trial0/net1; nagoc arch.json --weights weights.safetensors --quantize int8 --ranges ranges.json --target cortex-m4 --emit=summary --json) | grep -oE '"(ram_bytes|flash_bytes|cycles)": [0-9]+' | sed 's/"//g; s/_bytes//' | sort -u >file; wc -l <file; cmp study file
3
$ nago retrain --study q.db --trial 0 -k 1 --same-arch --epochs 1 --out q --target generic --quantize none 2>/dev/null | sed 's/[0-9.]* %/N %/g'
trial 0: test error N % +- 0.00 over 1 network, 1 epoch; best by validation: N % (test), q/trial0/net1/net.c
$ (cd q/trial0/net1; nagoc arch.json --weights weights.safetensors | cmp - net.c)
$ nago retrain --study q.db --trial 0 --target native
nago retrain: --target=native: is for float files
[2]
$ nago search --data shapes --quantize int8 --target native
nago search: --target=native: is for float files (see nago search --help)
[2]

# Checkpoints that nobody needs.

$ nago gc --study s.db --dry-run | sed 's/[0-9.]* MB/N MB/'
would remove 6 files, N MB
$ nago gc --study s.db --all | sed 's/[0-9.]* MB/N MB/'
removed 6 files, N MB
$ ls s.db.d

# Points of the user's own go first; results of another study feed the models.

$ echo '{"top": {"n": 3, "k": 2, "p": 0.5}, "mid": {"n": 1, "p": 0.5}, "bottom": {"n": 3, "k": 2, "p": 0.5}}' >theta.json
$ nago search --study w.db --data shapes:size=16,classes=4,train=120,test=40 --weights 60000 -o error -o ram --method mobohb --max-budget 3 --trials 1 --workers 1 --enqueue theta.json --warm-start s.db 2>&1 >/dev/null | grep -v left | sed 's/error.*queued.*/-/'
nago search: 6 trials of s.db imported
nago search: w.db begun: mobohb, 8 coordinates, budgets 1/3, 1 worker
120 training images, 24 of them for validation: all figures below are of these; the test split is not touched
trial 6  budget 1  -
$ nago trials --study w.db --state finished --json | grep -c '"reason": "imported"'
6

# What matters, from a command whose values are known.

$ echo '{"x": {"type": "float", "range": [0, 1]}, "y": {"type": "float", "range": [0, 1]}}' >space.json
$ nago ask --study i.db --space space.json --method random -n 12 >asked
$ sed 's/"params": {"x": \([^,]*\), "y": [^}]*}, "budget": 1/"values": [\1]/g' asked | nago tell --study i.db
nago tell: 12 results stored
$ nago importance --study i.db
f1 at budget 1, a model of 12 trials that explains 100 % of left-out ones
  parameter             alone  with interactions   trend
  x                     100 %              100 %   +1.00
  y                       0 %                0 %   +0.31
$ nago importance --study s.db --json | python3 -c 'import json, sys; print([(o["objective"], len(o["parameters"])) for o in json.load(sys.stdin)])'
[('error', 8), ('ram', 8)]
$ nago best --study i.db | tail -1 | sed 's/f1 .*/f1 -/'
trial 11: the model of 12 trials expects f1 -
