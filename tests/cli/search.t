# nago search: options, a study begun, resumed, refused.

$ nago search
nago search: --data is missing: shapes, cifar10:DIR, cifar100:DIR, idx:DIR or images:DIR (see nago search --help)
[2]
$ nago search --data shapes:train=20,test=20 --objective eror
nago search: --objective: "eror" is no objective; did you mean "error"?
  hint: one of error, log_loss, weights, macs, ram, flash, cycles, train_memory, latency, train_time
[2]
$ nago search --data shapes:train=20,test=20 --constraint "cycles<=10M" --quantize int8
nago search: cycles: go with --quantize int8 and a microcontroller as --target (see nago search --help)
[2]
$ nago search --data shapes:train=20,test=20 --constraint "ram=256K"
nago search: --constraint: "ram=256K" is no bound such as "ram<=256K"
[2]
$ nago search --data shapes:train=20,test=20 --constraint "ram<=lots"
nago search: --constraint: "ram<=lots": "lots" is no number such as 256K or 0.2
[2]
$ nago search --data shapes:train=20,test=20 --objective ram --objective ram
nago search: --objective: "ram" is given twice (see nago search --help)
[2]
$ nago search --data shapes:train=20,test=20 --space nothing.json
nothing.json: error: cannot open: No such file or directory
[2]
$ nago search --data shapes:train=20,test=20 --min-budget 3 --max-budget 1
nago search: --min-budget 3 is more than --max-budget 1 (see nago search --help)
[2]
$ nago search --data shapes:train=20,test=20 --objective error --objective ram --reference 0.9
nago search: --reference: "0.9" has 1 number, the study has 2 objectives
[2]
$ nago search --data cifar10:nowhere --study s.db
nowhere: error: No such file or directory
  hint: expected there: data_batch_1.bin ... and test_batch.bin, the binary version
[2]
$ ls

# A search whose objectives follow from the networks trains nothing.

$ nago search --data shapes:size=16,classes=4,train=200 --study e.db --method random --objective weights --objective macs --constraint "macs<=700K" --weights 60000 --max-budget 1 --trials 8 --workers 2 --dry-run
trials    8
budgets   1
no training: the objectives follow from the networks
$ nago search --data shapes:size=16,classes=4,train=200 --study e.db --method random --objective weights --objective macs --constraint "macs<=700K" --weights 60000 --max-budget 1 --trials 8 --workers 1 2>/dev/null | head -1
best trial 4  budget 1  weights 26.4 k  macs 571.6 k
$ nago search --study e.db --trials 8 2>/dev/null | head -1
best trial 4  budget 1  weights 26.4 k  macs 571.6 k
$ nago search --study e.db --seed 1
nago search: --seed 1: the study was begun with 0
  hint: leave the option out, or begin another study
[2]
$ nago search --study e.db --objective error
nago search: --objective: is not what the study was begun with
  hint: leave the option out, or begin another study
[2]
$ nago search --study e.db --data shapes:size=16,classes=4,train=201
nago search: --data shapes:size=16,classes=4,train=201: the study was begun with shapes:size=16,classes=4,train=200
  hint: leave the option out, or begin another study
[2]
$ echo "not a study" >text.db; nago search --study text.db --data shapes:train=20,test=20
text.db: error: no study: not an SQLite database, or one whose first page is damaged
[2]

# Times of ops are measured once and kept, so that a trial of the same network has the same latency.

$ nago search --study l.db --data shapes:size=16,classes=4,train=60,test=20 --weights 60000 -o latency -o macs --method random --trials 2 --workers 1 2>/dev/null | grep -c latency
[12] (re)
$ nago reproduce --study l.db --trial 1 | grep -c 'the same bits'
2

# Any program in place of networks; what it does wrong is the trial's end and not the search's.

$ echo '{"x": {"type": "float", "range": [0, 1]}, "y": {"type": "float", "range": [0, 1]}}' >space.json
$ printf '#!/bin/sh\nsed "s/.*\\"x\\": \\([^,]*\\), \\"y\\": \\([^}]*\\).*/{\\"values\\": [\\1, \\2]}/"\n' >measure; chmod +x measure
$ nago search --study f.db --space space.json --objective-command ./measure --objectives 2 --method random --max-budget 1 --trials 20 --workers 1 2>/dev/null | tail -1
hypervolume 0.62103 of 20 judged trials
$ nago search --study g.db --space space.json --objective-command 'exit 3' --method random --max-budget 1 --trials 1 2>&1 | grep trial.0 | sed 's/0:0.$/-/'
trial 0  budget 1  failed: the command ended with exit status 3  random  -
nago search: error: no trial has finished: 1 failed, the last (trial 0): the command ended with exit status 3
$ nago search --study g.db --trials 1 2>&1 | tail -2
nago search: error: no trial has finished: 1 failed, the last (trial 0): the command ended with exit status 3
  hint: nago trials --study g.db lists them
$ nago search --study m.db --data shapes:size=16,classes=4,train=60,test=20 --weights 500 --method random --max-budget 1 --trials 1 --workers 1 2>&1 | tail -2
nago search: error: no trial has finished: 1 failed, the last (trial 0): "params" must be at least 6264 for the network drawn from this theta and seed, got 500
  hint: nago trials --study m.db lists them
$ nago reproduce --study m.db --trial 0
failed again: "params" must be at least 6264 for the network drawn from this theta and seed, got 500
$ nago search --study h.db --space space.json --objective-command 'echo {}' --method random --max-budget 1 --trials 1 2>&1 | grep trial.0 | sed 's/0:0.$/-/'
trial 0  budget 1  failed: the command printed no {"values": [...]} of 1 finite numbers: {}
nago search: error: no trial has finished: 1 failed, the last (trial 0): the command printed no {"values": [...]} of 1 finite numbers: {}
$ nago search --study i.db --space space.json --objective-command 'sleep 60' --trial-time 0.3 --method random --max-budget 1 --trials 1 2>&1 | grep trial.0 | sed 's/0:0.$/-/'
trial 0  budget 1  failed: the time limit of 0.3 s has passed  random  -
nago search: error: no trial has finished: 1 failed, the last (trial 0): the time limit of 0.3 s has passed
$ nago search --study j.db --space space.json --objective-command './measure' --data shapes:train=20,test=20
nago search: --objective-command and --data do not go together (see nago search --help)
[2]
$ nago worker --study f.db --trial 99
nago worker: --trial 99: the study has 20 trials
[5]
$ nago worker --study f.db --trial 3
[6]
$ nago worker --study none.db --trial 3
none.db: error: No such file or directory; nago search --study FILE begins a study
[5]
