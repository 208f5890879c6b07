# nago ask and nago tell, and the commands that look at a study.

$ echo '{"x": {"type": "float", "range": [0, 1]}, "k": {"type": "int", "range": [2, 5]}, "op": {"type": "categorical", "choices": ["a", "b"]}}' >space.json
$ nago ask --space space.json
nago ask: --study is missing: where it is kept (see nago ask --help)
[2]
$ nago ask --study s.db
nago ask: --space is missing: a space.json (see nago ask --help)
[2]
$ nago ask --study s.db --space space.json --method random --objectives 2 -n 3 --seed 1
[{"id": 0, "params": {"x": 0.7051226324799613, "k": 3, "op": "b"}, "budget": 1},
 {"id": 1, "params": {"x": 0.5492366611424792, "k": 2, "op": "a"}, "budget": 1},
 {"id": 2, "params": {"x": 0.060609017065980764, "k": 2, "op": "b"}, "budget": 1}]
$ nago ask --study s.db -n 1
[{"id": 3, "params": {"x": 0.5743094298175756, "k": 5, "op": "b"}, "budget": 1}]
$ nago ask --study s.db --space space.json --method random --objectives 2 --seed 1
[{"id": 4, "params": {"x": 0.7462852509355969, "k": 2, "op": "b"}, "budget": 1}]
$ nago ask --study s.db --seed 2
nago ask: --seed 2: the study was begun with 1
  hint: leave the option out, or begin another study
[2]
$ echo '{"x": {"type": "float", "range": [0, 2]}}' >other.json; nago ask --study s.db --space other.json
nago ask: --space: is not what the study was begun with
  hint: leave the option out, or begin another study
[2]

# All results of a tell are stored, or none.

$ echo '[{"id": 0, "values": [0.5, 2]}, {"id": 9, "values": [1, 1]}]' | nago tell --study s.db
stdin:1:40: error: no trial 9 was asked for
    1 | [{"id": 0, "values": [0.5, 2]}, {"id": 9, "values": [1, 1]}]
      |                                        ^
[2]
$ echo '[{"id": 0, "values": [0.5]}]' | nago tell --study s.db
stdin:1:22: error: "values" has 1 numbers, the study has 2 objectives
    1 | [{"id": 0, "values": [0.5]}]
      |                      ^
[2]
$ echo '[{"id": 0, "values": [0.5, 2]}, {"id": 0, "values": [0.5, 2]}]' | nago tell --study s.db
stdin:1:40: error: trial 0 is told twice
    1 | [{"id": 0, "values": [0.5, 2]}, {"id": 0, "values": [0.5, 2]}]
      |                                        ^
[2]
$ echo '[{"id": 0}]' | nago tell --study s.db
stdin:1:2: error: a result needs either "values" or "failed"
    1 | [{"id": 0}]
      |  ^
[2]
$ echo '[{"id": 0, "values": [0.5, 1e999]}]' | nago tell --study s.db
stdin:1:28: error: the number is too large for a double
    1 | [{"id": 0, "values": [0.5, 1e999]}]
      |                            ^
[2]
$ echo 'nothing' | nago tell --study s.db
stdin:1:1: error: a value was expected, got nothing
    1 | nothing
      | ^ strings stand in double quotes
[2]
$ echo '[{"id": 0, "values": [0.5, 2]}, {"id": 2, "values": [1.5, 1]}, {"id": 1, "values": [2, 3]}, {"id": 3, "failed": "it exploded"}]' | nago tell --study s.db
nago tell: 4 results stored
$ echo '[{"id": 2, "values": [0.5, 2]}]' | nago tell --study s.db
stdin:1:9: error: trial 2 has been told already: finished
    1 | [{"id": 2, "values": [0.5, 2]}]
      |         ^
[2]
$ nago search --study s.db
s.db: error: a study of nago ask and nago tell
[2]

# What is there.

$ nago trials --study s.db
trial  budget            f1            f2  reason     configuration
    0       1           0.5             2  random     x=0.705 k=3 op="b"
    1       1             2             3  random     x=0.549 k=2 op="a"
    2       1           1.5             1  random     x=0.0606 k=2 op="b"
    3       1         failed: it exploded  random     x=0.574 k=5 op="b"
    4       1                     running  random     x=0.746 k=2 op="b"
$ nago front --study s.db
trial  budget            f1            f2  reason     configuration
    0       1           0.5             2  random     x=0.705 k=3 op="b"
    2       1           1.5             1  random     x=0.0606 k=2 op="b"
$ nago best --study s.db --by f2 --json | sed -E 's/, "(created|ended)": [0-9.]+//g'
[{"id": 2, "state": "finished", "bracket": 0, "rung": 0, "budget": 1, "params": {"x": 0.060609017065980764, "k": 2, "op": "b"}, "reason": {"reason": "random"}, "values": {"f1": 1.5, "f2": 1}}]
$ nago best --study s.db --by f3
nago best: --by f3: no objective of this study
[2]
$ nago export --study s.db
id,state,bracket,rung,budget,parent,reason,draws,seconds,x,k,op,x0,x1,x2,value.f1,value.f2,violation,error
0,finished,0,0,1,,random,0,,0.70512263247996132,3,b,0.70512263247996132,0.37499937499687491,0.75,0.5,2,0,
1,finished,0,0,1,,random,0,,0.54923666114247915,2,a,0.54923666114247915,0.12499812499062493,0.25,2,3,0,
2,finished,0,0,1,,random,0,,0.060609017065980764,2,b,0.060609017065980764,0.12499812499062493,0.75,1.5,1,0,
3,failed,0,0,1,,random,0,,0.5743094298175756,5,b,0.5743094298175756,0.87500187500937499,0.75,,,0,it exploded
4,running,0,0,1,,random,0,,0.74628525093559694,2,b,0.74628525093559694,0.12499812499062493,0.75,,,0,
$ nago trials --study s.db --state failed --json | sed -E 's/, "(created|ended)": [0-9.]+//g'
[{"id": 3, "state": "failed", "bracket": 0, "rung": 0, "budget": 1, "params": {"x": 0.5743094298175756, "k": 5, "op": "b"}, "reason": {"reason": "random"}, "error": "it exploded"}]
$ nago trials --study none.db
none.db: error: No such file or directory; nago search --study FILE begins a study
[2]

# The same points for the same seed, one by one or at once.

$ nago ask --study one.db --space space.json --method random --seed 7 -n 4 >one
$ for i in 1 2 3 4; do nago ask --study two.db --space space.json --method random --seed 7; done | sed 's/^\[/ /; s/\]$//' >two
$ sed 's/^\[/ /; s/\]$//; s/,$//' one | diff - two && echo same
same
