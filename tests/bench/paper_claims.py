"""The paper's claims about its generator at a small scale, behind `make paper-claims`:

    paper_claims.py [--thetas K] [--networks R] [--epochs 1,2,4] [--images N] [--weights N] ...

Draws K thetas of the space hnag (and of rnag), R networks from each, trains all of them alike, and prints a page:
- the share of the variance of the error that lies between thetas, not within one (Section 4.1 of Ru et al. 2020);
- whether networks of some thetas vary more than those of others, and with which number of theta (Figure 2);
- how well the error after few epochs foretells the one after all of them, for a run that goes on and for one that was
  planned to end there: what `nago search` does without and with --restart;
- the errors of hnag beside those of rnag.
Everything is done by `nago search` (a study whose objective is the number of weights: thetas, and no training) and
`nago retrain`; both go on where they were stopped, so this does.  Validation images judge.  Needs no Python package.
"""
import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("BUILD", "build")
SHARED = os.environ.get("NAGO_SHARED", "../shared")
NAGO = os.path.join(BUILD, "nago")
DRAWS = 4000  # permutations, bootstrap samples


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.path.join(SHARED, "data", "cifar10"), help="folder of CIFAR-10")
    parser.add_argument("--thetas", type=int, default=16, help="of each space")
    parser.add_argument("--networks", type=int, default=4, help="from each theta")
    parser.add_argument("--epochs", default="1,2,4", help="budgets; the last is the full one")
    parser.add_argument("--images", type=int, default=3000, help="training images, validation included")
    parser.add_argument("--val-fraction", type=float, default=0.33)
    parser.add_argument("--weights", type=int, default=100000, help="of a network, at most")
    parser.add_argument("--no-restarts", action="store_true", help="leave out the runs that end at smaller budgets")
    parser.add_argument("--out", default=os.path.join(BUILD, "paper-claims"))
    parser.add_argument("--page-only", action="store_true", help="of the runs that are there")
    args = parser.parse_args()
    args.budgets = [int(word) for word in args.epochs.split(",")]
    return args


# ---- runs ----------------------------------------------------------------------------------------


def data_of(args):
    return "cifar10:%s:limit=%d" % (args.data, args.images)


def study_of(args, space):
    return os.path.join(args.out, space + ".db")


def thetas_draw(args, space):
    """As many trials that have a network as are wanted; a theta whose least network is too large has none."""
    trials = args.thetas
    while True:
        subprocess.run([NAGO, "search", "--study", study_of(args, space), "--data", data_of(args), "--images", "0", "--space", space,
                        "--objective", "weights", "--weights", str(args.weights), "--method", "random", "--max-budget", "1",
                        "--workers", "1", "--trials", str(trials)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        text = subprocess.run([NAGO, "export", "--study", study_of(args, space), "--format", "json"], stdout=subprocess.PIPE,
                              check=True).stdout
        found = [t for t in json.loads(text)["trials"] if t["state"] == "finished"]
        if len(found) >= args.thetas:
            return found[:args.thetas]
        trials += args.thetas - len(found)


def folder_of(args, space, epochs):
    return os.path.join(args.out, "%s-%d" % (space, epochs))


def networks_train(args, space, trial, epochs):
    subprocess.run([NAGO, "retrain", "--study", study_of(args, space), "--trial", str(trial["id"]), "--count", str(args.networks),
                    "--epochs", str(epochs), "--val-fraction", str(args.val_fraction), "--workers", "1",
                    "--out", folder_of(args, space, epochs)], stdout=subprocess.DEVNULL, check=True)


def errors_read(args, space, trial, epochs):
    """[network][epoch] of validation errors; only networks whose run has ended."""
    runs = []
    for number in range(1, args.networks + 1):
        path = os.path.join(folder_of(args, space, epochs), "trial%d" % trial["id"], "net%d" % number, "metrics.jsonl")
        if os.path.exists(path):
            with open(path) as file:
                rows = [json.loads(line) for line in file]
            if len(rows) == epochs:
                runs.append((number, [1 - row["val_accuracy"] for row in rows]))
    return runs


# ---- statistics ----------------------------------------------------------------------------------


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: values[i])
    out, at = [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for i in order[at:end + 1]:
            out[i] = (at + end) / 2
        at = end + 1
    return out


def correlation(a, b):
    mean_a, mean_b = statistics.mean(a), statistics.mean(b)
    top = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    bottom = math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
    return top / bottom if bottom > 0 else 0.0


def spearman(a, b):
    return correlation(ranks(a), ranks(b))


def between_share(groups):
    """Variance component of the groups over all variance, by the one-way analysis of variance; groups of equal sizes."""
    r = len(groups[0])
    between = r * statistics.variance([statistics.mean(g) for g in groups])
    within = statistics.mean([statistics.variance(g) for g in groups])
    component = max(0.0, (between - within) / r)
    return component / (component + within) if component + within > 0 else 0.0


def interval(draw, rng):
    values = sorted(draw(rng) for _ in range(DRAWS))
    return values[int(0.025 * DRAWS)], values[int(0.975 * DRAWS) - 1]


def resampled(groups, rng):
    """Whole groups are drawn: networks of a theta belong together."""
    return [rng.choice(groups) for _ in groups]


def uneven(groups, rng):
    """Brown and Forsythe's statistic (distances from each group's median), its p by permuting them between groups."""
    distances = [[abs(x - statistics.median(g)) for x in g] for g in groups]

    def ratio(of):
        within = statistics.mean([statistics.variance(g) for g in of])
        return statistics.variance([statistics.mean(g) for g in of]) / within if within > 0 else 0.0

    observed, flat, size = ratio(distances), [x for g in distances for x in g], len(groups[0])
    beyond = 0
    for _ in range(DRAWS):
        rng.shuffle(flat)
        beyond += ratio([flat[i:i + size] for i in range(0, len(flat), size)]) >= observed
    return (beyond + 1) / (DRAWS + 1)


def permuted_p(a, b, rng):
    """Two-sided, of Spearman's rank correlation."""
    observed, b = abs(spearman(a, b)), list(b)
    beyond = 0
    for _ in range(DRAWS):
        rng.shuffle(b)
        beyond += abs(spearman(a, b)) >= observed - 1e-12
    return (beyond + 1) / (DRAWS + 1)


# ---- the page ------------------------------------------------------------------------------------


def variance_page(groups, trials, rng):
    errors = [[run[-1] for _, run in g] for g in groups]
    share = between_share(errors)
    low, high = interval(lambda r: between_share(resampled(errors, r)), rng)
    spread = [statistics.stdev(g) for g in errors]
    print("Between thetas lies %.0f %% of the variance of the error (95 %% interval %.0f .. %.0f %%, thetas resampled): deviation of "
          "the means of a theta %.2f points, deviation within one theta %.2f points.\n" % (
              100 * share, 100 * low, 100 * high, 100 * statistics.stdev([statistics.mean(g) for g in errors]),
              100 * math.sqrt(statistics.mean([s * s for s in spread]))))
    print("The deviation within a theta goes from %.2f to %.2f points; that all are the same has p = %.2g (Brown and Forsythe, "
          "by permutation). Its rank correlation with the numbers of theta:\n" % (
              100 * min(spread), 100 * max(spread), uneven(errors, rng)))
    names = [name for name in sorted(trials[0]["params"]) if len({str(t["params"][name]) for t in trials}) > 1]
    print("| | mean error | %s |\n| --- | ---: | %s |" % (" | ".join(names), " | ".join("---:" for _ in names)))
    for title, values in (("deviation", spread), ("mean error", [statistics.mean(g) for g in errors])):
        cells = ["-" if title == "mean error" else "%.2f (p %.2g)" % (
            spearman(values, [statistics.mean(g) for g in errors]), permuted_p(values, [statistics.mean(g) for g in errors], rng))]
        for name in names:
            numbers = [t["params"][name] for t in trials]
            cells.append("%.2f (p %.2g)" % (spearman(values, numbers), permuted_p(values, numbers, rng)))
        print("| %s | %s |" % (title, " | ".join(cells)))
    print()


def budgets_page(args, runs, rng):
    """runs: {space: {epochs: {(trial, network): [errors]}}}"""
    full = args.budgets[-1]
    print("Rank correlation of the error after few epochs with that after %d (95 %% interval, thetas resampled):\n" % full)
    print("| space | epochs | of a run that goes on | of one planned to end there (--restart) |\n| --- | ---: | ---: | ---: |")
    for space, of in runs.items():
        for budget in args.budgets[:-1]:
            cells = []
            for source in (full, budget):
                common = sorted(set(of[full]) & set(of.get(source, {})))
                if len(common) < 5:
                    cells.append("-")
                    continue
                groups = {}
                for key in common:
                    groups.setdefault(key[0], []).append((of[source][key][budget - 1], of[full][key][-1]))
                groups = list(groups.values())
                low, high = interval(lambda r, groups=groups: spearman(*zip(*sum(resampled(groups, r), []))), rng)
                cells.append("%.2f (%.2f .. %.2f), %d networks" % (spearman(*zip(*sum(groups, []))), low, high, len(common)))
            print("| %s | %d | %s |" % (space, budget, " | ".join(cells)))
    print()


def spaces_page(groups, rng):
    means = {space: [statistics.mean([run[-1] for _, run in g]) for g in of] for space, of in groups.items()}
    print("| space | thetas | networks | mean error | best theta | best network |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for space, of in groups.items():
        errors = [run[-1] for g in of for _, run in g]
        print("| %s | %d | %d | %.1f %% | %.1f %% | %.1f %% |" % (space, len(of), len(errors), 100 * statistics.mean(errors),
                                                             100 * min(means[space]), 100 * min(errors)))
    print()
    if len(means) == 2 and all(len(of) > 1 for of in means.values()):
        a, b = means["hnag"], means["rnag"]
        low, high = interval(lambda r: statistics.mean(resampled(a, r)) - statistics.mean(resampled(b, r)), rng)
        print("Mean error of hnag minus that of rnag: %.1f points (95 %% interval %.1f .. %.1f, thetas resampled).\n" % (
            100 * (statistics.mean(a) - statistics.mean(b)), 100 * low, 100 * high))


def page_print(args, trials):
    rng = random.Random(1)
    full = args.budgets[-1]
    groups, kept, runs = {}, {}, {}
    for space in trials:
        whole = [(t, errors_read(args, space, t, full)) for t in trials[space]]
        whole = [(t, g) for t, g in whole if len(g) == args.networks]
        if len(whole) < 2:
            continue
        kept[space], groups[space] = [t for t, _ in whole], [g for _, g in whole]
        runs[space] = {b: {(t["id"], n): run for t in trials[space] for n, run in errors_read(args, space, t, b)} for b in args.budgets}
    if not groups:
        sys.exit("paper_claims: too few runs have ended")
    print("%d training images of CIFAR-10, %.0f %% of them for validation: all errors are of these. At most %d weights, %d epochs, "
          "%d networks of each theta, each with its own graph, first weights and order of images.\n" % (
              args.images, 100 * args.val_fraction, args.weights, full, args.networks))
    spaces_page(groups, rng)
    for space in groups:
        print("%s, %d thetas. " % (space, len(groups[space])), end="")
        variance_page(groups[space], kept[space], rng)
    budgets_page(args, runs, rng)


def main():
    args = arguments()
    os.chdir(ROOT)
    os.makedirs(args.out, exist_ok=True)
    if not os.path.isdir(args.data):
        sys.exit("paper_claims: %s: no folder; --data DIR names the one of CIFAR-10" % args.data)
    trials = {space: thetas_draw(args, space) for space in ("hnag", "rnag")}
    jobs = [args.budgets[-1]] + ([] if args.no_restarts else args.budgets[:-1])
    if not args.page_only:
        for i in range(args.thetas):  # every prefix is a smaller version of the whole
            for space in trials:
                for epochs in jobs:
                    networks_train(args, space, trials[space][i], epochs)
    page_print(args, trials)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("paper_claims: %s" % error)
