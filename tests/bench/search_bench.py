"""The benchmark behind `make bench-search`:  search_bench.py SEEDS [METHOD...]

Runs this project's optimisers and, where Debian's python3-optuna is installed, Optuna's on problems with known answers,
once for each of SEEDS seeds, and writes docs/search-benchmarks.md (below 3 seeds: $BUILD/bench/search-benchmarks.md).
With METHODs ("mobo4": mobo in batches of 4; "mobo4,bnn"; "none": only the page) the others are shown as far as they ran before.
Every run is kept: ours in $BUILD/bench/search-runs.jsonl until the optimisers change, the peers' in tests/studies/optuna.jsonl
for good, so that they are compared with even where Optuna is not installed.
"""
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

BUILD = os.environ.get("BUILD", "build")
WORK = os.path.join(BUILD, "bench")
PROGRAM = os.path.join(BUILD, "tests", "bench", "search")
RUNS = os.path.join(WORK, "search-runs.jsonl")
PEER_RUNS = os.path.join("tests", "studies", "optuna.jsonl")
POINTS = os.path.join("tests", "studies", "cifar10.csv")
PYTHON = "/usr/bin/python3"
JOBS = int(os.environ.get("JOBS", "1"))

# (problem, title, evaluations, measure, methods); a method: (name, batch, keys).  The first method is compared with.
SINGLE = [("bohb", 1, []), ("hyperband", 1, []), ("random", 1, []), ("optuna-tpe", 1, []), ("optuna-tpe-hyperband", 1, [])]
MULTI = [("mobo", 4, []), ("mobo", 1, []), ("mobo", 4, ["surrogate=bnn"]), ("mobo", 4, ["surrogate=bnn", "selection=uncertainty"]),
         ("nsga2", 4, []), ("random", 4, []), ("optuna-tpe", 1, []), ("optuna-nsga2", 1, [])]
BUDGETS = [("mobohb", 1, []), ("mobo", 1, []), ("random", 1, [])]
REGRET, VOLUME = "regret", "missing hypervolume"
PROBLEMS = [
    ("counting-ones", "Counting ones, 8 + 8 dimensions, budgets 9 to 729", 63, REGRET, SINGLE),
    ("mf-hartmann6", "MFHartmann6 (bias 0.5, noise 0.1), budgets 1 to 100", 50, REGRET, SINGLE),
    ("branin-currin", "Branin-Currin, hypervolume 59.360 at (18, 6)", 86, VOLUME, MULTI),
    ("zdt1", "ZDT1, 8 dimensions, hypervolume 120.667 at (11, 11)", 86, VOLUME, MULTI),
    ("dtlz2", "DTLZ2, 6 dimensions, 2 objectives, hypervolume 0.42460 at (1.1, 1.1)", 86, VOLUME, MULTI),
    ("branin-currin-noisy", "Branin-Currin with noise of deviations 15.19 and 0.63; the true values of the points are judged",
     86, VOLUME, MULTI),
    ("branin-currin-budgets", "Branin-Currin, cheaper at lower fidelity: budgets 1, 3, 9", 40, VOLUME, BUDGETS),
    ("hartmann6-size", "MFHartmann6 and the mean of its coordinates, which is exact at once: budgets 11, 33, 100", 40, VOLUME, BUDGETS),
]
BEST = {"branin-currin": 59.36011874867746, "zdt1": 120 + 2 / 3, "dtlz2": 1.21 - math.pi / 4,
        "branin-currin-noisy": 59.36011874867746, "branin-currin-budgets": 59.36011874867746,
        "hartmann6-size": 2.711}


def note(text):
    print(text, file=sys.stderr, flush=True)


# ---- runs ----------------------------------------------------------------------------------------


def optuna_version():
    found = subprocess.run([PYTHON, "-c", "import optuna; print(optuna.__version__)"], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True) if os.path.exists(PYTHON) else None
    return found.stdout.strip() if found and found.returncode == 0 else None


OPTIMIZERS = ("bnn", "bohb", "brackets", "forest", "gp", "hypervolume", "kde", "mobo", "models", "normal", "nsga2", "optimizer",
              "optimizer_parts", "pareto", "penalise", "space", "surrogate")


def sources_digest():
    """Of what decides our runs: a rebuilt program with the same optimisers keeps them."""
    digest = hashlib.sha256()
    for name in [os.path.join("search", part + end) for part in OPTIMIZERS for end in (".c", ".h")] + [
            "tests/bench/search.c", "tests/bench/problems.h"]:
        if os.path.exists(name):
            with open(name, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()[:12]


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def is_peer(method):
    return method[0].startswith("optuna")


class Runs:
    def __init__(self):
        self.installed, self.digest = optuna_version(), sources_digest()
        self.kept = {row["key"]: row for row in lines_of(PEER_RUNS) + lines_of(RUNS)}
        peers = [key.split()[1] for key in self.kept if key.startswith("optuna ")]
        self.optuna = self.installed or (peers[-1] if peers else None)

    def can_run(self, method):
        return self.installed or not is_peer(method)

    def key(self, problem, evaluations, method, seed):
        of = "optuna " + str(self.optuna) if is_peer(method) else self.digest
        return "%s %s %s %d %s %d" % (of, problem, method[0], method[1], " ".join(method[2] + ["budget=%g" % evaluations]), seed)

    def run(self, problem, evaluations, method, seed):
        key = self.key(problem, evaluations, method, seed)
        if key in self.kept:
            return
        keys = method[2] + ["budget=%g" % evaluations, "reference=1", "batch=%d" % method[1]]
        if is_peer(method):
            command = [PYTHON, "-B", "tests/bench/search_peer.py", problem, method[0].split("-", 1)[1], str(seed)] + keys
        else:
            command = [PROGRAM, problem, method[0], "seeds=%d:%d" % (seed, seed)] + keys
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout)
        self.kept[key] = {"key": key, "distance": row["distance"], "seconds": row["seconds"], "trials": row["trials"]}
        with open(PEER_RUNS if is_peer(method) else RUNS, "a") as file:
            file.write(json.dumps(self.kept[key]) + "\n")

    def of(self, problem, evaluations, method, seeds):
        """The rows of seeds 0, 1, ... as far as there are any."""
        rows = []
        for seed in range(seeds):
            row = self.kept.get(self.key(problem, evaluations, method, seed))
            if not row:
                break
            rows.append(row)
        return rows


# ---- statistics ----------------------------------------------------------------------------------


def wilcoxon(a, b):
    """One-sided p of the paired signed-rank test that a lies below b: exact, ties share their ranks."""
    differences = sorted((y - x for x, y in zip(a, b) if x != y), key=abs)
    ranks, i = [], 0
    while i < len(differences):
        j = i
        while j < len(differences) and abs(differences[j]) == abs(differences[i]):
            j += 1
        ranks += [i + j + 1] * (j - i)  # twice the mean rank
        i = j
    observed = sum(rank for rank, d in zip(ranks, differences) if d > 0)
    ways = {0: 1}
    for rank in ranks:
        for total, count in list(ways.items()):
            ways[total + rank] = ways.get(total + rank, 0) + count
    return sum(count for total, count in ways.items() if total >= observed) / 2 ** len(ranks)


def quartiles(values):
    values = sorted(values)
    return [values[0]] * 3 if len(values) < 2 else statistics.quantiles(values, n=4, method="inclusive")


# ---- the page ------------------------------------------------------------------------------------


def method_title(method):
    return method[0] + "".join(", " + key.split("=")[1] for key in method[2]) + (", batches of %d" % method[1] if method[1] > 1 else "")


def method_label(method):
    return method[0] + (str(method[1]) if method[1] > 1 else "") + "".join("," + key.split("=")[1] for key in method[2])


def problem_table(runs, entry, seeds):
    name, title, evaluations, measure, methods = entry
    first = runs.of(name, evaluations, methods[0], seeds)
    lines = ["### %s" % title, "", "%d evaluations (at the largest budget)." % evaluations, "",
             "| method | seeds | median %s | quartiles |%s seconds | p |" % (measure, " hypervolume |" if measure == VOLUME else ""),
             "| --- | --- | --- | --- | --- |%s --- |" % (" --- |" if measure == VOLUME else "")]
    for method in methods:
        rows = runs.of(name, evaluations, method, seeds)
        if not rows:
            continue
        values = [row["distance"] for row in rows]
        low, middle, high = quartiles(values)
        p = "" if method == methods[0] else "%.2g" % wilcoxon([row["distance"] for row in first], values)
        volume = " %.6g |" % (BEST[name] - middle) if measure == VOLUME else ""
        lines.append("| %s | %d | %.4g | %.4g .. %.4g |%s %.2g | %s |" % (
            method_title(method), len(rows), middle, low, high, volume, statistics.median(row["seconds"] for row in rows), p))
    return "\n".join(lines) + "\n"


def compare(runs, seeds, problem, better, worse):
    entry = next(entry for entry in PROBLEMS if entry[0] == problem)
    a, b = (runs.of(problem, entry[2], method, seeds) for method in (better, worse))
    if not a or not b:
        return "| %s: %s below %s | not run | |" % (problem, method_title(better), method_title(worse))
    common = min(len(a), len(b))
    a, b = ([row["distance"] for row in rows[:common]] for rows in (a, b))
    p = wilcoxon(a, b)
    least = 0.5 ** len(a)
    verdict = "yes" if p < 0.05 else "more seeds needed" if least >= 0.05 and statistics.median(a) < statistics.median(b) else "no"
    return "| %s: %s below %s | %d seeds: p = %.2g, medians %.4g and %.4g | %s |" % (
        problem, method_title(better), method_title(worse), common, p, statistics.median(a), statistics.median(b), verdict)


def batch_loss(runs, seeds, problem):
    entry = next(entry for entry in PROBLEMS if entry[0] == problem)
    both = [runs.of(problem, entry[2], ("mobo", batch, []), seeds) for batch in (4, 1)]
    if not all(both):
        return "| %s: batches of 4 lose less than 5 %% | not run | |" % problem
    common = min(len(rows) for rows in both)
    four, one = (BEST[problem] - statistics.median(row["distance"] for row in rows[:common]) for rows in both)
    loss = 100 * (1 - four / one)
    return "| %s: batches of 4 lose less than 5 %% | %d seeds: hypervolume %.6g against %.6g: %.2f %% | %s |" % (
        problem, common, four, one, loss, "yes" if loss < 5 else "no")


def claims(runs, seeds):
    bohb, hyperband, random, mobo = (name_of for name_of in (("bohb", 1, []), ("hyperband", 1, []), ("random", 1, []), ("mobo", 4, [])))
    lines = ["| claim | measured | holds |", "| --- | --- | --- |"]
    for problem in ("counting-ones", "mf-hartmann6"):
        lines += [compare(runs, seeds, problem, bohb, hyperband), compare(runs, seeds, problem, hyperband, random)]
    for problem in ("branin-currin", "zdt1", "dtlz2"):
        for other in (("nsga2", 4, []), ("random", 4, []), ("optuna-tpe", 1, []), ("optuna-nsga2", 1, [])):
            lines.append(compare(runs, seeds, problem, mobo, other))
        lines.append(batch_loss(runs, seeds, problem))
    rows = runs.of("branin-currin", 86, mobo, seeds)
    if rows:
        volume = BEST["branin-currin"] - statistics.median(row["distance"] for row in rows)
        lines.append("| branin-currin: median hypervolume at least 57 | %.2f of 59.36 | %s |" % (volume, "yes" if volume >= 57 else "no"))
    lines += [compare(runs, seeds, problem, ("mobohb", 1, []), ("mobo", 1, [])) for problem in ("branin-currin-budgets", "hartmann6-size")]
    return "\n".join(lines) + "\n"


def surrogates_table(*arguments):
    done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), "surrogates"), *arguments], stdout=subprocess.PIPE, text=True,
                          check=True)
    lines = ["| surrogate | points | NLL | RMSE | 95 % intervals cover |", "| --- | --- | --- | --- | --- |"]
    for row in map(json.loads, done.stdout.splitlines()):
        lines.append("| %s | %d | %.3f | %.4f | %.3f |" % tuple(row[key] for key in ("surrogate", "points", "nll", "rmse", "cover")))
    return "\n".join(lines) + "\n"


def timing_table():
    done = subprocess.run([PROGRAM, "timing"], stdout=subprocess.PIPE, text=True, check=True)
    t = json.loads(done.stdout)
    rows = [("mobo, 300 trials, 2 objectives, hnag: a batch of 8 (auto)", t["mobo_batch_8_auto"], "2 s"),
            ("the same with the network (bnn)", t["mobo_batch_8_bnn"], "2 s"),
            ("the same with the process (gp)", t["mobo_batch_8_gp"], "2 s"),
            ("BOHB, 300 trials: one point", t["bohb"], "0.005 s"),
            ("the network fitted to 100 points", t["bnn_fit_100"], "0.1 s")]
    return "| what | seconds of one core | limit |\n| --- | --- | --- |\n" + "".join("| %s | %.3g | %s |\n" % row for row in rows)


HEAD = """# How good the searches are

Written by `make bench-search{target}`, up to {seeds} seeds each (the tables say how many ran). Ours are
`build/tests/bench/search PROBLEM METHOD`.
{peers}
A run may spend so many evaluations at the largest budget (cheaper ones count their share), 6 of them on an initial
design. Regret is that of the best observed point at the largest budget, without noise; missing hypervolume is the best
possible minus that of all points at the largest budget. Less is better in both. Seconds are processor time of all
suggestions of a run. p is of the one-sided Wilcoxon signed-rank test that the first method of a table lies
below the others, of the seeds that both have (exact; n seeds allow 1 / 2^n at best).

## Claims

{claims}
## Time

{timing}
## Surrogates

`bnn` is the paper's heteroscedastic network, `bnn-hom` the homoscedastic one; `auto` keeps the network or the process,
whichever predicts left-out points better.

sin(3 x0) + 0.5 x1^2 - 0.3 x2 in 8 dimensions, noise of deviation 0.03 + 0.3 x0: 200 test points, means over 30 seeds
(`build/tests/bench/surrogates 30`). What the network's prior says decides these figures: with a prior N(0, 1) on every
weight it saturates, reached 0.41 and 0.00, and its second output won nothing over a single noise level. Under the prior
used (`search/bnn.c`), sums in every layer have about unit deviation.

{toy}
Our version of table 1 of the paper: {rows} results of three BOHB searches ([a real search](search.md)) as (eight numbers of
theta, log budget) to error, the validation error of small networks on CIFAR-10 after 1, 2 or 4 epochs; 10 random splits, a
third to fit and the rest to test, medians (`build/tests/bench/surrogates {points} 10`). The paper has NLL 3.43
(heteroscedastic) against 5.92 and RMSE 0.01 against 0.02 on its CIFAR-10 results. Here the two are level, also on the 150
results of each search alone (NLL -1.60 against -1.58, -1.63 against -1.64, -1.69 against -1.68): the noise of 800 images is
nearly the same for all, and there is little for a second output to learn.

{real}
## Tables

"""


def machine():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return "%d x %s" % (len(names), names[0]) if names else "an unknown machine"


def page(runs, seeds):
    peers = "Optuna is not installed here (Debian: python3-optuna), and none of its runs is kept."
    if runs.optuna:
        peers = ("Optuna %s (Debian) with its defaults, except: TPE is multivariate, NSGA-II has a population of 20 as ours,\n"
                 "and it gets every result before its next point (no batches)." % runs.optuna)
    text = HEAD.format(target="-full" if seeds >= 20 else "", seeds=seeds, peers=peers,
                       claims=claims(runs, seeds), timing=timing_table(), toy=surrogates_table("30"), points=POINTS,
                       rows=len(open(POINTS).readlines()) - 1, real=surrogates_table(POINTS, "10"))
    text += "\n".join(problem_table(runs, entry, seeds) for entry in PROBLEMS)
    return text + "\nMeasured on %s.\n" % machine()


def main():
    seeds = int((sys.argv[1:] or ["3"])[0])
    os.makedirs(WORK, exist_ok=True)
    runs = Runs()
    if not runs.installed:
        note("Optuna is not installed here: its rows are those that are kept (Debian: apt-get install python3-optuna)")
    only = sys.argv[2:]
    wanted = [(name, evaluations, method, seed) for seed in range(seeds) for name, _, evaluations, _, methods in PROBLEMS
              for method in methods if runs.can_run(method)
              if not only or method_label(method) in only]
    with ThreadPoolExecutor(JOBS) as pool:
        for count, _ in enumerate(pool.map(lambda job: runs.run(*job), wanted)):
            if (count + 1) % 50 == 0 or count + 1 == len(wanted):
                note("%d of %d runs" % (count + 1, len(wanted)))
    text = page(runs, seeds)
    path = "docs/search-benchmarks.md" if seeds >= 3 else os.path.join(WORK, "search-benchmarks.md")
    with open(path, "w") as file:
        file.write(text)
    print(text)
    note("written to " + path)


try:
    main()
except (RuntimeError, ValueError, subprocess.CalledProcessError, OSError) as error:
    sys.exit("make bench-search: %s" % error)
