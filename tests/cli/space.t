# nago space: shows a search space, and bounds the networks that it can express.

$ nago space
{"top.n": {"type": "int", "range": [3, 10]},
 "top.k": {"type": "int", "range": [2, 5]},
 "top.p": {"type": "float", "range": [0.1, 0.9]},
 "mid.n": {"type": "int", "range": [1, 10]},
 "mid.p": {"type": "float", "range": [0.1, 0.9]},
 "bottom.n": {"type": "int", "range": [3, 10]},
 "bottom.k": {"type": "int", "range": [2, 5]},
 "bottom.p": {"type": "float", "range": [0.1, 0.9]}}
$ nago space --count
hnag: at most 10^1397.9834 networks (9.62e1397), over 1960 settings of integers and choices
the largest setting alone: 10^1397.9829
formula: sum over settings of T s_t^(n_t - 2) (M s_m^(n_m - 2) (B o^n_b s_b^(n_b - 2))^n_m)^n_t; T, M, B: connected labelled graphs of a level (er: all of n nodes; ws: at most those with n floor(k / 2) edges, binomial(n (n - 1) / 2, edges); ba: the product of binomial(i, m) over i = m + 1 .. n - 1; chain: 1); o: ops of positive share; s: merges of positive share, drawn where a vertex has two inputs or more
$ nago space --count --json rnag | cut -c 1-80
{"space": "rnag", "log10": 511.3206262, "settings": 124, "largest_log10": 511.32
$ echo '{"top.n": 3, "top.k": 2, "top.p": 0.5, "mid.n": 1, "mid.p": 0.5, "bottom.n": {"type": "int", "range": [3, 4]}, "bottom.k": 2, "bottom.p": 0.5}' >small.json
$ nago space --count small.json | head -2
small.json: at most 10^3.5284 networks (3.38e3), over 2 settings of integers and choices
the largest setting alone: 10^3.5283
$ nago space small.json
{"top.n": {"type": "fixed", "value": 3},
 "top.k": {"type": "fixed", "value": 2},
 "top.p": {"type": "fixed", "value": 0.5},
 "mid.n": {"type": "fixed", "value": 1},
 "mid.p": {"type": "fixed", "value": 0.5},
 "bottom.n": {"type": "int", "range": [3, 4]},
 "bottom.k": {"type": "fixed", "value": 2},
 "bottom.p": {"type": "fixed", "value": 0.5}}
$ echo '{"lr": {"type": "float", "range": [0, 1]}}' >other.json; nago space --count other.json
other.json:1:2: error: unknown key "lr" in theta
    1 | {"lr": 0.5}
      |  ^ one of top, mid, bottom, stage_ratio, channel_ratio, merge, ops, conv, params, input, classes, seed
[2]
$ nago space --json
nago space: --json goes with --count: a space is JSON already (see nago space --help)
[2]
$ nago space hnagg
nago space: error: there is no space "hnagg", did you mean "hnag"?; known are hnag, hnag-full, rnag, darts-like, or a file space.json
[2]
