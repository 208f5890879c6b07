# A study of networks on CIFAR-10 (docs/search.md, the small real search), as it was when its time was up.

$ cp $ROOT/tests/studies/cifar10-bohb.db s.db
$ nago best --study s.db | head -2
trial  budget         error  reason     configuration
   23       4       61.75 %  random     top.n=10 top.k=3 top.p=0.251 mid.n=1 mid.p=0.76 bottom.n=7 bottom.k=3 bottom.p=0.117
$ nago trials --study s.db --state finished --json | grep -c '"split": "validation"'
67
$ nago trials --study s.db --json | grep -o '"reason": {"reason": "[a-z]*"' | sort | uniq -c | sed 's/^ *//'
12 "reason": {"reason": "model"
20 "reason": {"reason": "promotion"
37 "reason": {"reason": "random"
$ nago importance --study s.db | head -1
error (validation) at budget 4, a model of 67 trials that explains 61 % of left-out ones
$ nago export --study s.db | head -1 | tr , '\n' | wc -l
28
