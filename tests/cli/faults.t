# kill -9 of a search and of its workers, at random moments.

$ $ROOT/tests/cli/faults ${NAGO_LONG:+5}6
0 finished trials lost, 0 counted twice, 0 missing; some had finished between the kills

# Two searches on one study share it.

$ echo '{"x": {"type": "float", "range": [0, 1]}}' >space.json
$ for i in 1 2; do nago search --study t.db --space space.json --objective-command 'sleep 0.05; echo "{\"values\": [1]}"' --method random --workers 2 --trials 12 >/dev/null 2>err$i & done; wait
$ nago trials --study t.db --json | grep -c '"state": "finished"'
12

# A file that may not grow, and one whose middle is damaged: a message, and what was stored stays.

$ (ulimit -f 80; nago search --study t.db --trials 600 --workers 1 >/dev/null 2>err; echo $?; grep -ci 'full\|large\|write' err)
1
1
$ nago trials --study t.db --json | grep -c '"state": "finished"' | awk '{ print ($1 >= 12) ? "kept" : "lost" }'
kept
$ cp t.db c.db; printf '%08192d' 0 | dd of=c.db bs=1 seek=4096 conv=notrunc 2>/dev/null; nago best --study c.db 2>&1 | head -1
c.db: error: the study file is damaged: *** in database main ***
$ head -c 10000 t.db >u.db; nago search --study u.db --trials 700 2>&1 | cat
u.db: error: the study file is damaged: database disk image is malformed
  hint: sqlite3 u.db .recover | sqlite3 rescued.db saves what is readable

# No room for a checkpoint: the search ends with a message, its trial waits, and the next search finishes it.

$ (ulimit -f 300; nago search --study n.db --data shapes:size=16,classes=4,train=60,test=20 --weights 60000 --method random --max-budget 1 --trials 2 --workers 1 2>&1 | grep -v images)
nago search: n.db begun: random, 8 coordinates, budgets 1, 1 worker
n.db.d/0.safetensors: error: cannot write: File too large
$ nago trials --study n.db --state queued --json | grep -c '"id": 0'
1
$ nago search --study n.db --trials 2 --workers 1 >/dev/null 2>&1; nago trials --study n.db --json | grep -c '"state": "finished"'
2
