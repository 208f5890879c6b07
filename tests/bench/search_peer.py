"""Optuna on a problem of tests/bench/search.c:  search_peer.py PROBLEM SAMPLER SEED [KEY=VALUE...]

Samplers: tpe (multivariate), nsga2, tpe-hyperband (multivariate, with Optuna's Hyperband pruner: cheap budgets first).
One trial at a time, which is the best case for it.  $BUILD/tests/bench/search evaluates the points and prints the line
of results, so that both sides are judged by the same code; seconds are those that Optuna's own part took.
"""
import json
import os
import subprocess
import sys
import time
import warnings

import optuna

BUILD = os.environ.get("BUILD", "build")


class Problem:
    def __init__(self, name, seed, keys):
        command = [BUILD + "/tests/bench/search", name, "serve", "seeds=%d:%d" % (seed, seed)] + keys
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.about = json.loads(self.process.stdout.readline())
        self.budgets = self.about["budgets"]
        self.left = self.about["budget"]
        self.waited = 0.0

    def suggest(self, trial):
        x = [trial.suggest_float("x%d" % i, 0, 1) for i in range(self.about["floats"])]
        return x + [trial.suggest_categorical("b%d" % i, [0.25, 0.75]) for i in range(self.about["binary"])]

    def evaluate(self, x, budget):
        start = time.process_time()
        self.process.stdin.write(" ".join("%.17g" % value for value in [budget] + x) + "\n")
        self.process.stdin.flush()
        values = [float(word) for word in self.process.stdout.readline().split()]
        self.left -= budget
        self.waited += time.process_time() - start
        return values

    def result(self):
        self.process.stdin.close()
        return json.loads(self.process.stdout.readline())


def rungs_run(problem, study, trial, x):
    """From the cheapest budget up, until the pruner stops it."""
    for rung, budget in enumerate(problem.budgets):
        if problem.left < budget * 1e-9:
            break
        value = problem.evaluate(x, budget)[0]
        trial.report(value, rung + 1)
        if trial.should_prune():
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            return
    study.tell(trial, value)


def study_run(problem, sampler, seed):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore")
    rungs = sampler == "tpe-hyperband"
    if sampler == "nsga2":
        chosen = optuna.samplers.NSGAIISampler(population_size=20, seed=seed)
    else:
        chosen = optuna.samplers.TPESampler(multivariate=True, seed=seed)
    pruner = optuna.pruners.HyperbandPruner(1, len(problem.budgets), reduction_factor=3) if rungs else None
    study = optuna.create_study(directions=["minimize"] * problem.about["objectives"], sampler=chosen, pruner=pruner)
    while problem.left > problem.budgets[-1] * 1e-6:
        trial = study.ask()
        x = problem.suggest(trial)
        if rungs:
            rungs_run(problem, study, trial, x)
        else:
            study.tell(trial, problem.evaluate(x, problem.budgets[-1]))


def main():
    name, sampler, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    problem = Problem(name, seed, sys.argv[4:])
    start = time.process_time()
    study_run(problem, sampler, seed)
    seconds = time.process_time() - start - problem.waited
    print(json.dumps(dict(problem.result(), method="optuna-" + sampler, seconds=round(seconds, 3))))


main()
