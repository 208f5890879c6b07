"""The benchmark behind `make bench`:  bench.py [SECONDS]

Measures the machine, then training steps of this engine and of PyTorch in turns (ours, theirs, ours, theirs, ...), SECONDS
for each network; compile times; the way from theta.json to the first step; inference files beside ONNX Runtime and PyTorch
(release.py).  Prints a page of Markdown and writes it to
docs/benchmarks.md (below 10 seconds: to $BUILD/bench/benchmarks.md); a block of README.md between the lines
<!-- bench --> and <!-- /bench --> gets the first tables.  Needs no Python package itself; PyTorch is looked for by
find-torch and left out where there is none.
"""
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import time

import release

BUILD = os.environ.get("BUILD", "build")
WORK = os.path.join(BUILD, "bench")
SHARED = os.path.join(os.environ.get("NAGO_SHARED", "../shared"), "bench")
BATCH = 32
MALLOC = {  # PyTorch's memory stays mapped from step to step: up to twice as fast as with the defaults
    "MALLOC_MMAP_THRESHOLD_": "2147483648",
    "MALLOC_TRIM_THRESHOLD_": "8589934592",
    "MALLOC_TOP_PAD_": "268435456",
}
MAIN_NETS = ["XS", "S", "M", "L"]
OTHER_NETS = ["conv5x5", "conv1x3", "depthwise", "attention", "concat"]
VARIANTS = ["eager", "channels_last"]
COMPILE_LIMIT = 1200  # seconds that torch.compile may take for one network


def environment(threads):
    """The environment of what is measured: no foreign settings of BLAS and OpenMP; malloc as above."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "OMP_", "MKL_", "GOTO_"))}
    return dict(kept, OMP_NUM_THREADS=str(threads), **MALLOC)


def note(text):
    print(text, file=sys.stderr, flush=True)


def output_of(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout


# ---- what takes turns ----------------------------------------------------------------------------


class Worker:
    """A process that runs steps on request."""

    def __init__(self, command, threads=1):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=environment(threads))
        self.about = self.answer()
        self.times = []

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("%s ended" % " ".join(self.process.args))
        return json.loads(line)

    def ask(self, request):
        self.process.stdin.write("%s\n" % request)
        self.process.stdin.flush()
        return self.answer()

    def calibrate(self, seconds):
        """Decides how many steps a turn has."""
        self.steps = max(2, min(50, math.ceil(1e3 * seconds / min(self.ask(2)))))

    def turn(self):
        """The least of a turn's steps."""
        times = self.ask(self.steps)
        self.times += times
        return min(times)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ours(path, threads=1):
    return Worker([os.path.join(BUILD, "tests/bench/steps"), path, str(BATCH), str(threads)], threads)


def torch_worker(python, path, variant, threads=1):
    module = os.path.join(WORK, os.path.basename(path).split(".")[0] + ".py")
    output_of([os.path.join(BUILD, "nagoc"), "--emit=pytorch", path, "-o", module])
    limit = ["timeout", str(COMPILE_LIMIT)] if variant == "compile" else []
    return Worker([*limit, python, "-B", "tests/bench/torch_worker.py", module, str(BATCH), str(threads), variant],
                  threads)


def take_turns(mine, others, seconds):
    """Turns of mine and each other until the time is over; per other the ratios of turns next to each other.  Who is far
    from the best of the others sits out after two rounds."""
    for worker in [mine, *others.values()]:
        worker.calibrate(0.3)
    ratios = {name: [] for name in others}
    begin, playing, rounds = time.monotonic(), list(others), 0
    while rounds < 3 or time.monotonic() - begin < seconds:
        for name in playing:
            our_ms = mine.turn()
            ratios[name].append(others[name].turn() / our_ms)
        if not others:
            mine.turn()
        rounds += 1
        if rounds == 2 and others:
            best = min(min(others[name].times) for name in playing)
            playing = [name for name in playing if min(others[name].times) < 1.3 * best]
    return ratios


# ---- measurements --------------------------------------------------------------------------------


def net_path(name):
    paths = [os.path.join(SHARED, name + ".arch.json"), "examples/bench/%s.arch.json" % name]
    return next((path for path in paths if os.path.exists(path)), "examples/bench/%s.theta.json" % name)


def shown_path(path):
    """As in the project's folder, wherever the shared files really are."""
    return "../shared/bench/" + os.path.basename(path) if path.startswith(SHARED) else path


def measure_net(name, python, variants, seconds):
    """One row: our steps and PyTorch's in turns."""
    note("%s ..." % name)
    path = net_path(name)
    report = json.loads(output_of([os.path.join(BUILD, "nago"), "bench", path, "--json", "--batch", str(BATCH),
                                   "--time", "%gs" % min(2.0, seconds / 10)]))
    mine, others, failed = ours(path), {}, {}
    for variant in variants:
        try:
            others[variant] = torch_worker(python, path, variant)
        except RuntimeError as error:
            failed[variant] = str(error)
            note(str(error))
    ratios = take_turns(mine, others, seconds)
    row = {"name": name, "path": shown_path(path), "report": report, "mine": mine.about, "times": mine.times, "failed": failed,
           "others": {v: {"times": w.times, "ratios": ratios[v], "about": w.about} for v, w in others.items()}}
    if "eager" in others:
        row["torch_bytes"] = others["eager"].ask("memory")
    for worker in [mine, *others.values()]:
        worker.close()
    return row


def measure_threads(name, python, seconds):
    """One thread and two in turns, and PyTorch's two."""
    note("%s on two threads ..." % name)
    path = net_path(name)
    one, others = ours(path), {"two": ours(path, 2)}
    if python:
        others["torch"] = torch_worker(python, path, "eager", 2)
    for worker in [one, *others.values()]:
        worker.calibrate(0.3)
    pairs, begin = [], time.monotonic()
    while len(pairs) < 3 or time.monotonic() - begin < seconds:
        pairs.append(one.turn() / others["two"].turn())
        if python:
            others["torch"].turn()
    for worker in [one, *others.values()]:
        worker.close()
    return {"name": name, "one": min(one.times), "two": min(others["two"].times), "pairs": pairs,
            "torch": min(others["torch"].times) if python else None}


def measure_compiling(times):
    """Milliseconds from theta.json to a callable net, by number of ops; an op has as many inputs in all of them."""
    sizes = [(1, 2, 5), (10, 2, 5), (30, 2, 5), (50, 4, 5)]
    rows = []
    for top, mid, bottom in sizes:
        path = os.path.join(WORK, "ops%d.theta.json" % (top * mid * bottom))
        with open(path, "w") as file:
            json.dump({"top": {"graph": "ba", "n": top, "m": 2}, "mid": {"graph": "chain", "n": mid},
                       "bottom": {"graph": "ws", "n": bottom, "k": 4, "p": 0.3}, "params": 4000000, "seed": 1}, file)
        lines = output_of([os.path.join(BUILD, "tests/bench/steps"), "--compile", str(times), path]).splitlines()
        runs = [json.loads(line) for line in lines]
        rows.append({"ops": runs[0]["ops"], "ms": min(run["ms"] for run in runs)})
        note("%d ops: %.1f ms" % (rows[-1]["ops"], rows[-1]["ms"]))
    return rows


def measure_first_step(name, runs):
    """From theta.json to the first finished step, each time in a new process; the least of each part."""
    path = "examples/bench/%s.theta.json" % name
    abouts, steady = [], []
    for _ in range(runs):
        worker = ours(path)
        abouts.append(worker.about)
        steady += worker.ask(3)
        worker.close()
    best = {key: min(about[key] for about in abouts)
            for key in ("compile_ms", "setup_ms", "step1_ms", "first_step_ms")}
    return dict(best, name=name, steady_ms=min(steady))


def versions(python):
    """What runs, in words."""
    with open("/proc/cpuinfo") as file:
        model = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    found = {"processor": "%s, %d processors" % (model[0] if model else "unknown", os.cpu_count()),
             "compiler": output_of([os.environ.get("CC", "gcc"), "--version"]).splitlines()[0],
             "nago": output_of([os.path.join(BUILD, "nago"), "--version"]).splitlines()[0]}
    if python:
        ask = "import json, torch; print(json.dumps([torch.__version__, hasattr(torch, 'compile')]))"
        found["torch"], found["compile"] = json.loads(output_of([python, "-c", ask]))
    return found


# ---- the page ------------------------------------------------------------------------------------


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def best_variant(row):
    return min(row["others"], key=lambda v: min(row["others"][v]["times"])) if row["others"] else None


def speed_table(rows, variants, peak):
    heads = ["network", "ms a step", "median", "images/s", "GFLOP/s", "of peak", "compile ms", "MB"]
    heads += ["PyTorch " + variant for variant in variants]
    heads += ["MB", "ratio of minima", "median ratio (pairs)"] if variants else []
    lines = []
    for row in rows:
        ms = min(row["times"])
        gflops = 6e-6 * row["mine"]["macs"] * BATCH / ms
        line = ["**%s**" % row["name"], "**%.2f**" % ms, "%.2f" % statistics.median(row["times"]), "%.0f" % (1e3 * BATCH / ms),
                "%.0f" % gflops, "%.0f %%" % (100 * gflops / peak), "%.1f" % row["report"]["compile_ms"],
                "%.0f" % (1e-6 * row["mine"]["memory_bytes"])]
        line += ["%.1f" % min(row["others"][v]["times"]) if v in row["others"] else "failed" for v in variants]
        best = best_variant(row)
        if best:
            other = row["others"][best]
            line += ["%.0f" % (1e-6 * row["torch_bytes"]) if "torch_bytes" in row else "", "**%.2f**" % (min(other["times"]) / ms),
                     "%.2f (%d)" % (statistics.median(other["ratios"]), len(other["ratios"]))]
        lines.append(line)
    return table(heads, lines)


def kinds_table(row):
    """Where a step's time goes, by kind of op."""
    ops = row["report"]["ops"]
    total = sum(op["ms"] for op in ops)
    shown = [op for op in ops if op["ms"] >= 0.01 * total]
    lines = [[op["op"], "%d" % op["calls"], "%.2f" % op["ms"], "%.1f %%" % (100 * op["ms"] / total),
              "%.0f" % op["gflops"] if op["gflops"] else ""] for op in shown]
    return "%s, %.2f ms in all:\n\n" % (row["name"], total) + table(["op", "calls", "ms", "share", "GFLOP/s"], lines)


def threads_section(threads):
    return "## Two threads\n\n" + table(
        ["network", "one thread, ms", "two, ms", "speed-up of minima", "median (pairs)", "PyTorch on two, ms"],
        [[t["name"], "%.1f" % t["one"], "%.1f" % t["two"], "**%.2f**" % (t["one"] / t["two"]),
          "%.2f (%d)" % (statistics.median(t["pairs"]), len(t["pairs"])), "%.1f" % t["torch"] if t["torch"] else ""]
         for t in threads]) + "\n"


def compiling_section(compiling, first, rows):
    text = "## From theta.json to a callable network\n\n" + table(
        ["ops", "ms, least", "us an op"],
        [["%d" % c["ops"], "%.1f" % c["ms"], "%.0f" % (1e3 * c["ms"] / c["ops"])] for c in compiling]) + "\n"
    text += ("From the start of the program with `examples/bench/%s.theta.json` to its first finished step: **%.0f ms**, a "
             "steady step of %.0f ms included (drawing and compiling %.0f, memory and initial weights %.0f, the first step "
             "%.0f).\n\n" % (first["name"], first["first_step_ms"], first["steady_ms"], first["compile_ms"],
                             first["setup_ms"], first["step1_ms"]))
    for row in rows:
        for variant, other in row["others"].items():
            if row["name"] == first["name"]:
                text += "PyTorch, %s, %s: %.1f s to import, then %.1f s to the first step.\n\n" % (
                    row["name"], variant, 1e-3 * other["about"]["import_ms"], 1e-3 * other["about"]["first_step_ms"])
    return text


HEAD = """# Benchmarks

Written by `make bench`{quick}.

- {processor}; one thread unless said otherwise
- measured on it, one thread: {peak:.0f} GFLOP/s of multiply-adds on registers ({isa}), {bandwidth:.0f} GB/s of memory
- {nago}; {compiler}
- {torch}

A step is forward, backward and SGD (momentum 0.9, weight decay 1e-4) on {batch} images of 3x32x32, dropout 0.2, batch
statistics, cross entropy. GFLOP/s count the direct algorithm, three times the forward pass, padded taps as done: a faster
algorithm may pass the peak. Both engines run in turns of about 0.3 s, in processes of their own. "ms" is the least of all
steps; a ratio is PyTorch's best variant over ours, of minima, and the median over turns next to each other. MB: for us all
memory of training (activations, parameters, gradients, momentum, a batch); for PyTorch the most that its tensors held at
once during a step. Networks: {nets}.

    {ours_command}
    {torch_command}

"""


def page(found, rows, others, threads, compiling, first, inference, variants, seconds):
    all_rows = rows + others
    peak = max(row["report"]["peak_gflops"] for row in all_rows)
    bandwidth = max(row["report"]["bandwidth_gbs"] for row in all_rows)
    torch = "PyTorch is not installed here (`make peers`): no comparison"
    if "torch" in found:
        torch = "PyTorch %s, variants %s; OPENBLAS_*, OMP_*, MKL_* unset, %s, denormals flushed" % (
            found["torch"], ", ".join(variants), " ".join("%s=%s" % item for item in MALLOC.items()))
    text = HEAD.format(
        quick="" if seconds >= 10 else " in a hurry (%g s a network)" % seconds, peak=peak, bandwidth=bandwidth,
        isa=all_rows[0]["mine"]["isa"], torch=torch, batch=BATCH, nets=", ".join("`%s`" % row["path"] for row in all_rows),
        ours_command="build/nago bench %s --batch 32 --threads 1" % all_rows[0]["path"],
        torch_command="build/nagoc --emit=pytorch %s -o net.py && python3 net.py --batch 32 --threads 1" % all_rows[0]["path"],
        **{key: found[key] for key in ("processor", "nago", "compiler")})
    text += "## Training, one thread\n\n"
    text += speed_table(rows, variants, peak) + "\n" if rows else ""
    text += "Other ops and merges:\n\n" + speed_table(others, variants, peak) + "\n" if others else ""
    text += threads_section(threads) if threads else ""
    text += inference
    text += compiling_section(compiling, first, rows) if compiling else ""
    text += "## Where a step's time goes\n\n" + "\n".join(kinds_table(row) for row in rows or others)
    return text


def columns(page, section, heads):
    """Of the first table below a heading of the page: these columns, the first of each name."""
    lines = page[page.index(section):].split("\n")
    begin = next(i for i, line in enumerate(lines) if line.startswith("| "))
    cells = [line.strip("| ").split(" | ") for line in itertools.takewhile(lambda line: line.startswith("|"), lines[begin:])]
    places = [cells[0].index(head) for head in heads if head in cells[0]]
    return table([cells[0][i] for i in places], [[row[i] for i in places] for row in cells[2:]])


def readme_update(page):
    """The block of the README: the machine, and the columns of the page that matter most."""
    with open("README.md") as file:
        text = file.read()
    begin, end = text.find("<!-- bench -->"), text.find("<!-- /bench -->")
    if 0 <= begin < end:
        facts = [line.lstrip("- ") for line in page.split("\n") if line.startswith("- ")]
        block = "Measured on %s: %s; %s; %s.\n\n" % (facts[0].split(",")[0], facts[1].split(": ", 1)[1].rstrip("."), facts[2],
                                                   facts[3].split(",")[0])
        block += "Training steps of batch 32, one thread:\n\n"
        block += columns(page, "## Training", ["network", "ms a step", "images/s", "GFLOP/s", "of peak", "MB", "PyTorch eager",
                                               "PyTorch channels_last", "ratio of minima"])
        if "## Inference, one image" in page:
            block += "\nInference of one image, one thread, `net.c` made for this machine (native) and for any (generic):\n\n"
            block += columns(page, "## Inference, one image", ["network", "native, ms", "generic, ms", "ONNX Runtime, ms",
                                                               "PyTorch, ms", "ORT / native", "ORT / generic", "arena, bytes"])
        with open("README.md", "w") as file:
            file.write(text[:begin] + "<!-- bench -->\n" + block + text[end:])


def main():
    try:
        seconds = float((sys.argv[1:] or ["20"])[0].rstrip("s"))
    except ValueError:
        sys.exit('make bench: TIME: "%s" is not a number of seconds' % sys.argv[1])
    os.makedirs(WORK, exist_ok=True)
    python = subprocess.run(["tests/bench/find-torch"], stdout=subprocess.PIPE, text=True).stdout.strip() or None
    if not python:
        note("PyTorch is not installed here: its columns are left out (make peers gets it)")
    about = versions(python)
    variants = VARIANTS + (["compile"] if about.get("compile") else []) if python else []
    only = os.environ.get("NETS", "").split()
    rows = [measure_net(name, python, variants, seconds) for name in MAIN_NETS if not only or name in only]
    others = [measure_net(name, python, variants, seconds) for name in OTHER_NETS if not only or name in only]
    threads = [measure_threads(name, python, seconds) for name in ("M", "L") if os.cpu_count() > 1 and not only]
    compiling = measure_compiling(5 if seconds < 10 else 20) if not only else []
    first = measure_first_step("M", 3 if seconds < 10 else 10) if not only else {}
    bench = release.Bench(BUILD, WORK, Worker, python, net_path, note)
    inference = release.section(bench, release.measure(bench, only, seconds / 8), table)
    text = page(about, rows, others, threads, compiling, first, inference, variants, seconds)
    hasty = seconds < 10 or only
    path = os.path.join(WORK, "benchmarks.md") if hasty else "docs/benchmarks.md"
    with open(path, "w") as file:
        file.write(text)
    if not hasty:
        readme_update(text)
    print(text)
    note("written to " + path)


try:
    main()
except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
    sys.exit("make bench: %s" % error)
