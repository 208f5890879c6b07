# docs/embedded.md: every command of the page, one after the other; the search takes long.

$ ln -s $ROOT/examples examples
$ awk -v long=$NAGO_LONG '/^## / { skip = /search/ && !long } /^```/ { fenced = !fenced } /^    / && !skip && !fenced { print substr($0, 5) }' $ROOT/docs/embedded.md >commands
$ grep -c '^\(nago\|nagoc\|make\) ' commands | awk '{ print ($1 >= 10) }'
1
$ bash -ex commands >out 2>err || tail -20 err

# What it came to: a network that has learned something, is small enough, and computes the same everywhere.

$ grep -c 'all logits are those that the same file gives here, bit for bit' out
1
$ grep '^accuracy' out | awk '{ a[NR] = $2 } END { print (a[1] > 50), (a[2] - a[1] < 3 && a[1] - a[2] < 3), (a[3] > 50) }'
1 1 1
$ grep -E '^(RAM|flash)' out | awk '{ print (/RAM/ ? "RAM" : "flash"), ($(/on a/ ? 5 : 2) < (/RAM/ ? 65536 : 262144)) }'
RAM 1
flash 1
flash 1
RAM 1
$ grep -E '^(self test|images|right)' err | sed 's/^\(right\): .*/\1/'
self test: 0
images: 200
right

# The page's other names: options that exist, sections that are there.

$ for o in $(grep -o -e '--[a-z][a-z-]*' $ROOT/docs/embedded.md | sort -u); do { nagoc --help; for c in data train search retrain calibrate eval size; do nago $c --help; done; echo " --check"; } | grep -q -e " $o\b" || echo "$o is no option"; done
