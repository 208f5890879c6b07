# make bench: that the page comes out; its numbers are for bench itself to show.

$ cd $ROOT && NETS=S tests/bench/run 0.5 2>/dev/null >$BUILD/tmp/bench.md; echo $?
0
$ grep -c '^| \*\*S\*\* | \*\*[0-9.]*\*\* | ' $BUILD/tmp/bench.md
2
$ grep '^## ' $BUILD/tmp/bench.md
## Training, one thread
## Inference, one image, one thread
## Where a step's time goes
