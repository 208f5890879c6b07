"""Inference files beside ONNX Runtime and PyTorch: the second half of `make bench`.

Each network's C file is made and compiled as a user would (nagoc, cc -O3 -march=native) and takes turns with ONNX Runtime on
the ONNX export of the same network and weights, and with PyTorch's module in evaluation mode.
"""
import json
import math
import os
import resource
import statistics
import subprocess
import time

NETS = ["XS", "S", "M", "L", "resnet8"]
SINGLE = ["conv5x5", "conv1x3", "depthwise", "attention", "concat"]  # one thread, one image
CLASSES = 10
IMAGE = (3, 32, 32)
ORT = "node/node_modules/onnxruntime-node"


class Bench:
    """Where things lie, and who else is here."""

    def __init__(self, build, work, worker, python, net_path, note):
        self.build, self.work, self.worker, self.python = build, work, worker, python
        self.net_path, self.note = net_path, note
        package = os.path.join(build, "peers", ORT)
        self.ort = package if os.path.isdir(package) else None

    def nagoc(self, *arguments):
        subprocess.run([os.path.join(self.build, "nagoc"), *arguments], check=True)

    def weights(self, name):
        path = os.path.join(self.work, name + ".safetensors")
        self.nagoc(self.net_path(name), "--emit=weights", "-o", path)
        return path

    def compile(self, name, target, batch, threads):
        """A generated file as a shared object; what the compiler needed and made."""
        stem = os.path.join(self.work, "%s-%s-%d-%d" % (name, target, batch, threads))
        self.nagoc(self.net_path(name), "--weights", self.weights(name), "--target", target, "--batch", str(batch),
                   "--threads", str(threads), "-o", stem + ".c")
        compiler = [os.environ.get("CC", "gcc"), "-O3", "-march=native", "-fPIC"]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*compiler, "-c", stem + ".c", "-o", stem + ".o"], check=True,
                       env=dict(os.environ, CCACHE_DISABLE="1"))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*compiler, "-shared", stem + ".o", "-o", stem + ".so", "-lm"], check=True)
        return {"so": stem + ".so", "cc_seconds": after.ru_utime - before.ru_utime,
                "object_bytes": os.path.getsize(stem + ".o")}

    def ours(self, built, batch, threads):
        return self.worker([os.path.join(self.build, "tests/bench/infer"), built["so"], str(batch * math.prod(IMAGE)),
                            str(batch * CLASSES)], threads)

    def theirs(self, name, batch, threads):
        """ONNX Runtime and PyTorch, as far as they are here."""
        found = {}
        if self.ort:
            model = os.path.join(self.work, "%s-%d.onnx" % (name, batch))
            self.nagoc(self.net_path(name), "--weights", self.weights(name), "--emit=onnx", "--batch", str(batch), "-o", model)
            found["ONNX Runtime"] = self.worker(["node", "tests/bench/onnx_worker.js", self.ort, model, str(threads)], threads)
        if self.python:
            module = os.path.join(self.work, name + ".py")
            self.nagoc(self.net_path(name), "--emit=pytorch", "-o", module)
            found["PyTorch"] = self.worker([self.python, "-B", "tests/bench/torch_infer.py", module, str(batch), str(threads),
                                            *map(str, IMAGE)], threads)
        return found


def take_turns(workers, seconds):
    """All in turns of about 30 ms until the time is over; the least of each is what it can do."""
    for worker in workers.values():
        worker.steps = max(1, min(200, math.ceil(30.0 / min(worker.ask(3)))))
    begin, rounds = time.monotonic(), 0
    while rounds < 3 or time.monotonic() - begin < seconds:
        for worker in workers.values():
            worker.turn()
        rounds += 1
    times = {name: {"least": min(w.times), "median": statistics.median(w.times)} for name, w in workers.items()}
    for worker in workers.values():
        worker.close()
    return times


def measure_group(bench, name, batch, threads, targets, seconds):
    """One network under one condition: our files and the others."""
    bench.note("%s, inference, batch %d, %d thread%s ..." % (name, batch, threads, "s" * (threads > 1)))
    built = {target: bench.compile(name, target, batch, threads) for target in targets}
    workers = {target: bench.ours(built[target], batch, threads) for target in targets}
    workers.update(bench.theirs(name, batch, threads))
    return {"name": name, "batch": batch, "threads": threads, "built": built, "times": take_turns(workers, seconds)}


def measure(bench, only, seconds):
    """All rows of the page."""
    both = ["native", "generic"]
    groups = []
    for name in [n for n in NETS + SINGLE if not only or n in only]:
        summary = subprocess.run([os.path.join(bench.build, "nagoc"), bench.net_path(name), "--emit=summary", "--json"],
                                 stdout=subprocess.PIPE, text=True, check=True).stdout
        groups.append(dict(measure_group(bench, name, 1, 1, both, seconds), summary=json.loads(summary)))
        if name in NETS and os.cpu_count() > 1 and not only:
            groups.append(measure_group(bench, name, 1, 2, ["native"], seconds))
            groups.append(measure_group(bench, name, 32, 1, ["native"], seconds))
            groups.append(measure_group(bench, name, 32, 2, ["native"], seconds))
    return groups


def milliseconds(group, who):
    return "%.3f" % group["times"][who]["least"] if who in group["times"] else ""


def ratio(group, who, target):
    times = group["times"]
    return "%.2f" % (times[who]["least"] / times[target]["least"]) if who in times and target in times else ""


def single_table(groups, table):
    heads = ["network", "native, ms", "median", "generic, ms", "ONNX Runtime, ms", "PyTorch, ms", "ORT / native",
             "ORT / generic", "arena, bytes", "bound, bytes", "cc, s", "object, MB"]
    rows = []
    for g in groups:
        if (g["batch"], g["threads"]) != (1, 1):
            continue
        summary, built = g["summary"], g["built"]
        rows.append(["**%s**" % g["name"], "**%s**" % milliseconds(g, "native"), "%.3f" % g["times"]["native"]["median"],
                     milliseconds(g, "generic"), milliseconds(g, "ONNX Runtime"), milliseconds(g, "PyTorch"),
                     "**%s**" % ratio(g, "ONNX Runtime", "native"), ratio(g, "ONNX Runtime", "generic"),
                     "%d" % summary["arena_bytes"], "%d" % summary["arena_lower_bound_bytes"],
                     "%.1f, %.1f" % tuple(built[t]["cc_seconds"] for t in ("native", "generic")),
                     "%.1f, %.1f" % tuple(1e-6 * built[t]["object_bytes"] for t in ("native", "generic"))])
    return table(heads, rows)


def other_table(groups, table):
    heads = ["network", "images a call", "threads", "native, ms", "ONNX Runtime, ms", "PyTorch, ms", "ORT / native"]
    return table(heads, [[g["name"], "%d" % g["batch"], "%d" % g["threads"], milliseconds(g, "native"),
                          milliseconds(g, "ONNX Runtime"), milliseconds(g, "PyTorch"), ratio(g, "ONNX Runtime", "native")]
                         for g in groups if (g["batch"], g["threads"]) != (1, 1)])


ABOUT = """## Inference, one image, one thread

The file that `nagoc --weights` writes, compiled by `cc -O3 -march=native`, beside {others} on the export of the same network
and weights. All take turns of about 30 ms; the least of all calls stands in the table. Arena and bound are those of
`--target generic`; "cc" is the compiler's processor time and "object" the size, native, then generic.

"""


def section(bench, groups, table):
    """The page's part."""
    others = [what for what, here in (("ONNX Runtime", bench.ort), ("PyTorch", bench.python)) if here]
    text = ABOUT.format(others=" and ".join(others) or "nothing (`make peers` gets ONNX Runtime and PyTorch)")
    text += single_table(groups, table) + "\n"
    rest = other_table(groups, table)
    if rest.count("\n") > 2:
        text += "## Inference, batches and threads\n\n" + rest + "\n"
    return text
