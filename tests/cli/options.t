# What the option parser says about mistakes; the same code reads the options of all commands.

$ nago
nago: an operand is missing: nago COMMAND [OPTION]... [OPERAND]... (see nago --help)
[2]
$ nago trane
nago: "trane" is not a command; did you mean "train"? (see nago --help)
[2]
$ nago xyzzy
nago: "xyzzy" is not a command (see nago --help)
[2]
$ nago --hlp
nago: unknown option --hlp; did you mean --help? (see nago --help)
[2]
$ nago --version
nago 0.1.0
$ nago --help | head -3
nago - train and measure the networks that nagoc compiles

usage: nago COMMAND [OPTION]... [OPERAND]...
$ nago --help >/dev/full
nago: cannot write the output: No space left on device
[1]
$ nago --man | head -2
.TH nago 1 "" "nago 0.1.0" "User Commands"
.SH NAME
