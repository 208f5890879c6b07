# A study of networks on CIFAR-10 (docs/search.md, a real search): BOHB, seed 1.

$ cp $ROOT/tests/studies/cifar10-bohb.db s.db
$ nago best --study s.db | head -2
trial  budget         error  reason     configuration
  102       4       53.25 %  model      top.n=3 top.k=5 top.p=0.652 mid.n=1 mid.p=0.857 bottom.n=8 bottom.k=3 bottom.p=0.642
$ nago trials --study s.db --state finished --json | grep -c '"split": "validation"'
205
$ nago trials --study s.db --json | grep -o '"reason": {"reason": "[a-z]*"' | sort | uniq -c | sed 's/^ *//'
75 "reason": {"reason": "model"
64 "reason": {"reason": "promotion"
69 "reason": {"reason": "random"
$ nago importance --study s.db | head -1
error (validation) at budget 4, a model of 205 trials that explains 82 % of left-out ones
$ nago export --study s.db | head -1 | tr , '\n' | wc -l
28
