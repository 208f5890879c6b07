"""A real search, behind `make search-real`:  search_real.py [--epochs N] [--seeds N] [--images N] [--weights N] ...

Random search, BOHB and MO-BOHB on (error, RAM) over the paper's eight numbers, on CIFAR-10, budgets of 1, 2 and 4 epochs.
All may train for the same number of epochs, so that it does not matter what else the machine does meanwhile: random search
spends 4 on a trial, the others 26 on a cycle of 13, since a promoted trial goes on from its checkpoint.  They take turns, two
cycles each, so that all are equally far wherever it is stopped.  Prints a page of Markdown; the studies stay in the folder of
--out, and the same command goes on with them, also with more --epochs.  --page-only makes the page of studies that are there.
Needs no Python package.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
BUILD = os.environ.get("BUILD", "build")
SHARED = os.environ.get("NAGO_SHARED", "../shared")
ARMS = {
    "random": ["--method", "random"],
    "bohb": ["--method", "bohb"],
    "mobohb": ["--method", "mobohb", "-o", "error", "-o", "ram"],
}
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the epochs, for the curve
FULL = 4  # epochs of the largest budget
CYCLE_TRIALS, CYCLE_EPOCHS = 13, 26  # of Hyperband with budgets 1, 2, 4
STEP = 2 * CYCLE_EPOCHS  # epochs that a search goes on before it is the next one's turn


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.path.join(SHARED, "data", "cifar10"), help="folder of CIFAR-10")
    parser.add_argument("--epochs", type=int, default=520, help="of training, for each search; 520: 20 cycles, as the paper")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=4000, help="training images, validation included")
    parser.add_argument("--weights", type=int, default=150000)
    parser.add_argument("--val-fraction", type=float, default=0.2)
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--out", default=os.path.join(BUILD, "search-real"))
    parser.add_argument("--page-only", action="store_true")
    return parser.parse_args()


# ---- the searches --------------------------------------------------------------------------------


def study_path(args, arm, seed):
    return os.path.join(args.out, "%s-%d.db" % (arm, seed))


def trials_wanted(epochs, arm):
    return epochs // FULL if arm == "random" else epochs * CYCLE_TRIALS // CYCLE_EPOCHS


def search_run(nago, args, arm, seed, epochs):
    command = [nago, "search", "--study", study_path(args, arm, seed), "--data", "cifar10:%s:limit=%d" % (args.data, args.images),
               "--images", "0", "--weights", str(args.weights), "--min-budget", "1", "--max-budget", str(FULL), "--eta", "2",
               "--lr", str(args.lr), "--val-fraction", str(args.val_fraction), "--seed", str(seed), "--workers", "1",
               "--trials", str(trials_wanted(epochs, arm))] + ARMS[arm]
    with open(os.path.join(args.out, "%s-%d.log" % (arm, seed)), "a") as log:
        if subprocess.run(command, stdout=log, stderr=log).returncode != 0:
            sys.exit("search_real: the search of %s, seed %d, failed: see its log in %s" % (arm, seed, args.out))


# ---- what they found -----------------------------------------------------------------------------


def trials_of(nago, path):
    text = subprocess.run([nago, "export", "--study", path, "--format", "json"], stdout=subprocess.PIPE, check=True).stdout
    return json.loads(text)["trials"]


def finished(trials, budget=FULL):
    return [t for t in trials if t["state"] == "finished" and t["budget"] == budget]


def error_of(trial):
    return trial["measures"]["error"]


def ram_of(trial):
    return trial["measures"]["ram"]


def front_of(trials):
    """The trials that no other beats in both error and RAM, by RAM."""
    front = []
    for trial in sorted(trials, key=lambda t: (ram_of(t), error_of(t))):
        if not front or error_of(trial) < error_of(front[-1]):
            front.append(trial)
    return front


def hypervolume(trials, reference):
    """Of (error, RAM), both divided by the reference: between 0 and 1."""
    volume, edge = 0.0, 1.0
    for trial in front_of(trials):
        error, ram = error_of(trial) / reference[0], ram_of(trial) / reference[1]
        if error < edge and ram < 1:
            volume += (edge - error) * (1 - ram)
            edge = error
    return volume


def epochs_of(trials):
    """{id: epochs of training that it added}, in the order in which trials ended."""
    budgets = {t["id"]: t["budget"] for t in trials}
    ended = sorted((t for t in trials if t["state"] == "finished"), key=lambda t: t["ended"])
    return {t["id"]: t["budget"] - budgets.get(t.get("parent"), 0) for t in ended}


def until(trials, limit):
    """The trials as far as so many epochs took them: a search may have gone on since."""
    spent, kept = 0, set()
    for number, epochs in epochs_of(trials).items():
        spent += epochs
        if spent > limit + 1e-9:
            break
        kept.add(number)
    last = max((t["ended"] for t in trials if t["id"] in kept), default=0)
    return [t for t in trials if t["id"] in kept or (t["state"] in ("failed", "infeasible") and t["ended"] <= last)]


def best_by(trials, share):
    """Least error at the full budget after a share of the epochs that the search trained."""
    spent, cost = 0, epochs_of(trials)
    by_id, best = {t["id"]: t for t in trials}, None
    for number, epochs in cost.items():
        spent += epochs
        if spent > share * sum(cost.values()) + 1e-9:
            break
        if by_id[number]["budget"] == FULL:
            best = min(error_of(by_id[number]), 1 if best is None else best)
    return best


def row_of(trials, reference):
    ended = [t for t in trials if t["state"] in ("finished", "failed", "infeasible")]
    fresh = [t for t in trials if t["reason"]["reason"] != "promotion"]
    modelled = [t for t in fresh if t["reason"]["reason"] in ("model", "usemo")]
    return {
        "ended": len(ended),
        "failed": sum(t["state"] == "failed" for t in ended),
        "full": len(finished(trials)),
        "epochs": sum(epochs_of(trials).values()),
        "model": len(modelled) / len(fresh),
        "curve": [best_by(trials, share) for share in SHARES],
        "volume": hypervolume(finished(trials), reference),
    }


# ---- how well a rung foretells the next ----------------------------------------------------------


def ranks(values):
    order = sorted(range(len(values)), key=lambda i: values[i])
    out = [0.0] * len(values)
    at = 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and values[order[end + 1]] == values[order[at]]:
            end += 1
        for i in order[at:end + 1]:
            out[i] = (at + end) / 2
        at = end + 1
    return out


def spearman(pairs):
    a, b = ranks([p[0] for p in pairs]), ranks([p[1] for p in pairs])
    mean_a, mean_b = statistics.mean(a), statistics.mean(b)
    top = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b))
    bottom = (sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b)) ** 0.5
    return top / bottom if bottom > 0 else float("nan")


def promotions(studies):
    """{(from budget, to budget): [(error, error)]} of trials and those that they continue."""
    pairs = {}
    for trials in studies:
        by_id = {t["id"]: t for t in trials}
        for trial in trials:
            parent = by_id.get(trial.get("parent"))
            if parent and trial["state"] == "finished" and parent["state"] == "finished":
                pairs.setdefault((parent["budget"], trial["budget"]), []).append((error_of(parent), error_of(trial)))
    return pairs


# ---- the page ------------------------------------------------------------------------------------


def percent(value):
    return "-" if value is None else "%.1f %%" % (100 * value)


def table_print(rows):
    print("| method | seed | trials | epochs | at 4 epochs | by a model | best error after a quarter | half | three quarters | "
          "all epochs | hypervolume |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (arm, seed), row in rows.items():
        print("| %s | %d | %d%s | %d | %d | %.0f %% | %s | %.4f |" % (
            arm, seed, row["ended"], " (%d failed)" % row["failed"] if row["failed"] else "", row["epochs"], row["full"],
            100 * row["model"], " | ".join(percent(v) for v in row["curve"]), row["volume"]))
    print()
    for arm in ARMS:
        errors = [row["curve"][-1] for (a, _), row in rows.items() if a == arm and row["curve"][-1] is not None]
        volumes = [row["volume"] for (a, _), row in rows.items() if a == arm]
        if errors:
            print("- %s: median best error %s, median hypervolume %.4f" % (
                arm, percent(statistics.median(errors)), statistics.median(volumes)))
    print()


def front_print(arm, seed, trials):
    print("The front of %s, seed %d, on the validation images:\n" % (arm, seed))
    print("| trial | error | RAM | weights | top | mid | bottom |\n| ---: | ---: | ---: | ---: | --- | --- | --- |")
    for trial in front_of(finished(trials)):
        theta = trial["theta"]
        levels = [", ".join("%s %.3g" % (k, theta[level][k]) for k in ("n", "k", "p") if k in theta[level])
                  for level in ("top", "mid", "bottom")]
        print("| %d | %s | %.0f KB | %.0f k | %s |" % (trial["id"], percent(error_of(trial)), ram_of(trial) / 1024,
                                                    trial["measures"]["weights"] / 1e3, " | ".join(levels)))
    print()


def page_print(args, studies):
    full = [t for trials in studies.values() for t in finished(trials)]
    if not full:
        sys.exit("search_real: no trial has reached the full budget: more --epochs")
    reference = (0.9, max(ram_of(t) for t in full))
    print("%d training images of CIFAR-10, %.0f %% of them for validation: every error below is of these. At most %d weights, "
          "budgets of 1, 2 and 4 epochs, %d epochs for each search. Hypervolume: share of the box below error 0.9 and %.0f KB of "
          "RAM, trials at 4 epochs.\n" % (args.images, 100 * args.val_fraction, args.weights, args.epochs, reference[1] / 1024))
    table_print({key: row_of(trials, reference) for key, trials in studies.items()})
    pairs = promotions([trials for (arm, _), trials in studies.items() if arm != "random"])
    for (low, high), errors in sorted(pairs.items()):
        if len(errors) >= 5:
            print("Rank correlation of the error at %g and %g epochs, over %d promoted trials (the better of their rungs): "
                  "%.2f.\n" % (low, high, len(errors), spearman(errors)))
    for (arm, seed), trials in studies.items():
        if arm == "mobohb":
            front_print(arm, seed, trials)


def main():
    args = arguments()
    os.chdir(ROOT)
    os.makedirs(args.out, exist_ok=True)
    if not os.path.isdir(args.data):
        sys.exit("search_real: %s: no folder; --data DIR names the one of CIFAR-10" % args.data)
    nago = os.path.join(os.path.abspath(args.out), "nago")
    if not args.page_only:  # a copy: the search goes on with one program whatever is built meanwhile
        shutil.copy2(os.path.join(BUILD, "nago"), nago)
        for epochs in [*range(STEP, args.epochs, STEP), args.epochs]:
            for seed in range(args.seeds):
                for arm in ARMS:
                    search_run(nago, args, arm, seed, epochs)
    paths = {(arm, seed): study_path(args, arm, seed) for arm in ARMS for seed in range(args.seeds)}
    page_print(args, {key: until(trials_of(nago, path), args.epochs) for key, path in paths.items() if os.path.exists(path)})


if __name__ == "__main__":
    main()
