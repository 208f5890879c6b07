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
