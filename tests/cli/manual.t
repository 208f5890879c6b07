# Every command answers --help and --version, and its manual page lists the same options as its help.

$ for c in nagoc nago "nago train" "nago calibrate" "nago eval" "nago verify" "nago data" "nago bench"; do $c --version; $c --help | head -1; done
nagoc 0.1.0
nagoc - compile network generator hyperparameters to standalone C
nago 0.1.0
nago - train and measure the networks that nagoc compiles
nago train 0.1.0
nago train - train a network on images
nago calibrate 0.1.0
nago calibrate - record the ranges of activations that int8 needs
nago eval 0.1.0
nago eval - measure the accuracy of a trained network
nago verify 0.1.0
nago verify - .* (re)
nago data 0.1.0
nago data - show or export a data set
nago bench 0.1.0
nago bench - .* (re)
$ for c in nagoc "nago train" "nago calibrate" "nago eval" "nago verify" "nago data" "nago bench"; do $c --help | grep -oE '^ +(-., )?--[a-z-]+' | sed 's/.*--//' >help; $c --man | grep -oE '\\fB\\-\\-[a-z\\-]+\\fR' | sed 's/\\f[BR]//g; s/\\//g; s/--//' >man; cmp help man && test -s man || echo "$c: the manual differs"; done
$ for c in nagoc nago "nago train" "nago calibrate" "nago eval" "nago verify" "nago data" "nago bench"; do $c --help | awk -v c="$c" 'length > 100 { print c ": " $0 }'; $c --help >/dev/full; done 2>&1 | sort | uniq -c | sed 's/^ *//'
1 nago bench: cannot write the output: No space left on device
1 nago calibrate: cannot write the output: No space left on device
1 nago data: cannot write the output: No space left on device
1 nago eval: cannot write the output: No space left on device
1 nago train: cannot write the output: No space left on device
1 nago verify: cannot write the output: No space left on device
1 nago: cannot write the output: No space left on device
1 nagoc: cannot write the output: No space left on device
$ for p in nagoc nago-train nago-calibrate nago-eval nago-verify nago-data nago-bench; do test -s $BUILD/man/$p.1 || echo "no $p.1"; done

# The same of all that nago lists.

$ nago --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p' >commands; test $(wc -l <commands) -ge 18 && echo all
all
$ while read c; do nago $c --help | grep -oE '^ +(-., )?--[a-z-]+' | sed 's/.*--//' >help; nago $c --man | grep -oE '\\fB\\-\\-[a-z\\-]+\\fR' | sed 's/\\f[BR]//g; s/\\//g; s/--//' >man; cmp help man && test -s man || echo "$c: the manual differs"; test -s $BUILD/man/nago-$c.1 || echo "no nago-$c.1"; nago $c --help | awk -v c="$c" 'length > 100 { print c ": " $0 }'; done <commands
