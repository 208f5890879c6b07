#!/usr/bin/python3
"""Measures what the int8 kernels cost on each microcontroller and writes compiler/target_cost_list.h.

Instructions: kernel_costs.c runs every kernel on several shapes on an emulated board; a linear model
of each kernel is fitted to them.  Code and stack: a few networks are compiled with `nago size`.

    BUILD=build tests/boards/kernel_costs.py            write the header
    BUILD=build tests/boards/kernel_costs.py --check N  compare nagoc's estimates for N networks with measurements

Needs compilers and emulators (make deps-embedded) and numpy.  QEMU counts instructions, not cycles.
"""
import json
import os
import random
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
TARGETS = ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "rv32imc"]
KERNELS = ["image", "conv", "conv_wide", "depthwise", "depthwise_wide", "sum", "concat", "attention", "adaptive_pool",
           "average_pool", "head", "linear"]
GRANULE = {"cortex-m55": 16, "rv32imc": 1}  # weights of an inner step; else 4
TILE = {"cortex-m55": (4, 2), "rv32imc": (2, 2)}  # pixels and filters of it; else 4 and 1

# Networks whose code is looked at: together they have every op.
THETAS = {
    "plain": {"top": {"n": 3, "k": 2, "p": 0}, "mid": {"n": 1, "p": 1}, "bottom": {"n": 3, "k": 2, "p": 0}},
    "dense": {"top": {"n": 4, "k": 2, "p": 0.3}, "mid": {"n": 4, "p": 0.6}, "bottom": {"n": 5, "k": 4, "p": 0.3}},
    "attention": {"top": {"n": 3, "k": 2, "p": 0.3, "merge": {"attention": 1}},
                  "mid": {"n": 3, "p": 0.6, "merge": {"attention": 1}}, "bottom": {"n": 3, "k": 2, "p": 0.3}},
    "concat": {"top": {"n": 3, "k": 2, "p": 0.3}, "mid": {"n": 3, "p": 0.6, "merge": {"concat": 1}},
               "bottom": {"n": 4, "k": 2, "p": 0.3, "merge": {"concat": 1}}},
    "mixed": {"top": {"n": 4, "k": 2, "p": 0.3}, "mid": {"n": 3, "p": 0.6}, "bottom": {"n": 5, "k": 2, "p": 0.3},
              "ops": {"conv3x3": 1, "conv5x5": 1, "conv1x1": 1, "pool3x3": 1, "pool5x5": 1}},
    "separable": {"top": {"n": 3, "k": 2, "p": 0.3}, "mid": {"n": 3, "p": 0.6}, "bottom": {"n": 4, "k": 2, "p": 0.3},
                  "conv": "depthwise_separable"},
    "all": {"top": {"n": 4, "k": 2, "p": 0.3, "merge": {"sum": 1, "attention": 1, "concat": 1}},
            "mid": {"n": 3, "p": 0.6, "merge": {"sum": 1, "attention": 1, "concat": 1}},
            "bottom": {"n": 5, "k": 2, "p": 0.3, "merge": {"sum": 1, "attention": 1, "concat": 1}},
            "ops": {"conv3x3": 1, "conv1x3": 1, "conv3x1": 1, "pool3x3": 1}},
}


def run(command, **options):
    """What a command prints; its errors end the script."""
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if result.returncode:
        sys.exit(f"{' '.join(command)}: {result.stderr or result.stdout}")
    return result.stdout + result.stderr


# ---- instructions -------------------------------------------------------------------------------

def terms(kernel, target, c, h, w, k, kh, kw, stride, n):
    """What the instructions of a call are a linear function of: cost_terms of compiler/costs.c."""
    size, taps, g = h * w, kh * kw * c, GRANULE.get(target, 4)
    if kernel == "conv_wide" and g == 16:
        g = 8  # a vector holds so many numbers of 16 bits
    pixels, filters = TILE.get(target, (4, 1))
    padded, tiled, rows = -(-taps // g) * g, -(-size // pixels) * pixels, -(-k // filters) * filters
    border = size - max(0, h - kh // 2 * 2) * max(0, w - kw // 2 * 2)  # pixels whose window leaves the image
    split = tiled * kh if kw * c % (2 if kernel == "conv_wide" else 4) else 0  # rows that share a word
    out = (h // stride) * (w // stride)
    conv = [tiled * rows * padded, tiled * k, tiled * kh * (-(-kw * c // g) * g), tiled * kh, border * kh, split, 1]
    return {
        "conv": conv,
        "conv_wide": conv,
        "depthwise": [out * kh * kw * c, out * c, out * kh * kw, out, 1],
        "depthwise_wide": [out * kh * kw * c, out * c, out * kh * kw, out, 1],
        "sum": [n * c * size, c * size, n, 1],
        "concat": [c * size, size, 1],
        "attention": [c * size, 1],
        "adaptive_pool": [size * c, out * c, out, 1],
        "average_pool": [size * kh * kh * c, size * c, size, 1],
        "head": [tiled * rows * padded, tiled * k, tiled * padded, k, 1],
        "linear": [c * k, k, 1],
        "image": [c * size, size, 1],
        "pixels": [c * size, size, 1],
    }[kernel]


def fit(rows, values):
    """Coefficients >= 0 with the least relative error: terms that would count backwards are left out."""
    import numpy  # only here: checks do without
    rows, values = numpy.array(rows, float), numpy.array(values, float)
    used = list(range(rows.shape[1]))
    while True:
        found = numpy.linalg.lstsq(rows[:, used] / values[:, None], numpy.ones(len(values)), rcond=None)[0]
        if (found >= 0).all():
            break
        used.pop(int(numpy.argmin(found)))
    result = numpy.zeros(rows.shape[1])
    result[used] = found
    return result, numpy.abs(rows @ result / values - 1).max()


# What is called once in a network and made for its sizes: channels and pixels of the head, classes.
ONCE = [(56, 64, 10), (28, 64, 4), (33, 16, 20), (8, 49, 2), (16, 64, 100), (112, 64, 10), (5, 16, 7), (72, 4, 31)]


def run_program(target, out, defines=""):
    """What kernel_costs.c prints: {kernel: ([terms], [instructions])}."""
    firmware = os.path.join(ROOT, "examples", "firmware")
    os.makedirs(out)
    text = run(["make", "-s", "-f", os.path.join(firmware, "Makefile"), f"TARGET={target}", f"NET={out}", f"OUT={out}",
                f"DEFINES={defines}", "WARN=", f"PROGRAM={ROOT}/tests/boards/kernel_costs.c", "run"])
    found = {}
    for line in text.splitlines():
        word = line.split()
        numbers = [int(x) for x in word[1:]]
        rows, values = found.setdefault(word[0], ([], []))
        rows.append(terms(word[0], target, *numbers[:8]))
        values.append(numbers[8])
    return found


def measure_kernels(target, folder):
    """The model of each kernel and its largest error on the shapes measured; frames and calls of functions."""
    out = os.path.join(folder, target)
    found = run_program(target, out)
    graph = ""
    for i, (channels, size, classes) in enumerate(ONCE):
        defines = f"-DONCE_CHANNELS={channels} -DONCE_SIZE={size} -DONCE_CLASSES={classes}"
        for kernel, (rows, values) in run_program(target, f"{out}-{i}", defines).items():
            all_rows, all_values = found.setdefault(kernel, ([], []))
            all_rows += rows
            all_values += values
    for path in (out, f"{out}-0"):
        with open(os.path.join(path, "firmware.elf-kernel_costs.ci"), encoding="utf-8") as file:
            graph += file.read()
    return {kernel: fit(*measured) for kernel, measured in found.items()}, read_calls(graph)


def plain(name):
    """net.c:net_int8_conv.constprop.0 is int8_conv; library functions keep their name."""
    name = name.split(":")[-1].split(".")[0]
    return re.sub(r"^(nk|net)_", "", name)


def read_calls(text):
    """gcc's call graph: {function: (frame, {callee})}."""
    frames = {plain(title): int(frame) for title, frame in
              re.findall(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes', text)}
    calls = {name: set() for name in frames}  # one name, several graphs: what any of them says
    for source, callee in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
        calls[plain(source)].add(plain(callee))
    return {name: (frames[name], calls[name]) for name in frames}


def reached(calls, name):
    """The functions below one, itself included."""
    found, rest = set(), [name]
    while rest:
        at = rest.pop()
        if at not in found:
            found.add(at)
            rest += calls.get(at, (0, ()))[1]
    return found


def depth(calls, name):
    frame, callees = calls.get(name, (64 if name.startswith("__") else 16, ()))
    return frame + max((depth(calls, c) for c in callees), default=0)


# ---- code and stack -----------------------------------------------------------------------------

def build_nets(folder, thetas, params=20000):
    """An int8 C file of each theta and target: {name: {target: path}}."""
    nagoc, nago = os.path.join(BUILD, "nagoc"), os.path.join(BUILD, "nago")
    for name, theta in thetas.items():
        base = os.path.join(folder, name)
        with open(base + ".theta.json", "w", encoding="utf-8") as file:
            json.dump({"params": params, "seed": 1, **theta}, file)
        run([nagoc, base + ".theta.json", "--emit=arch", "-o", base + ".json"])
        run([nagoc, base + ".json", "--emit=weights", "-o", base + ".st"])
        arch = json.load(open(base + ".json", encoding="utf-8"))
        data = f"shapes:classes={arch['classes']},train=40,test=10"
        run([nago, "calibrate", base + ".json", "--weights", base + ".st", "--data", data, "--limit=8", "-o",
             base + ".ranges"])


def net_command(folder, name, target):
    base = os.path.join(folder, name)
    return [os.path.join(BUILD, "nagoc"), base + ".json", "--weights", base + ".st", "--quantize=int8", "--ranges",
            base + ".ranges", f"--target={target}"]


def measure_net(folder, name, target):
    """nago size of a net, its calls of kernels and their arguments."""
    path = os.path.join(folder, f"{name}-{target}.c")
    run(net_command(folder, name, target) + ["-o", path])
    size = json.loads(run([os.path.join(BUILD, "nago"), "size", path, f"--target={target}", "--json"]))
    with open(path, encoding="utf-8") as file:
        text = file.read()
    program = text[text.index("static net_pixel *net_image"):]
    calls = re.findall(r"^    net_int8_(?!image)\w+\((.*)\);$", program, re.M)
    commas = sum(len(re.sub(r"\{[^}]*\}", "", arguments).split(",")) for arguments in calls)
    places = [sum(len(items.split(",")) for items in re.findall(r"\]\)\{([^}]*)\}", place))
              for place in program.split("\nstatic void net_infer_")]
    return size, [len(calls), commas, sum(places), 1], max(places)


def measure_code(target, folder, calls):
    """Sizes of functions, [(bytes, [kernels])]; of the calls of a program: each, an argument, an item of a list, once;
    the stack above the kernels, but for lists: four bytes for each item in a piece of the network."""
    sizes, glue, frames = {}, [], []
    for name in THETAS:
        size, counts, listed = measure_net(folder, name, target)
        kernels = 0
        for function in size["functions"]:
            key = plain(function["name"])
            if key in calls:
                sizes[key] = max(sizes.get(key, 0), function["bytes"])
                kernels += function["bytes"]
        rest = size["flash"]["code"] + size["flash"]["library"] - kernels
        glue.append((counts, rest))
        chain = size["deepest_stack"]
        frames.append(sum(part["bytes"] for part in chain if plain(part["name"]) not in calls and
                          not part["name"].startswith(("mem", "__"))) - 4 * listed)
    per_call, _ = fit([row for row, _ in glue], [value for _, value in glue])
    below = {kernel: reached(calls, "int8_" + kernel) for kernel in KERNELS}
    functions = [(bytes_, [kernel for kernel in KERNELS if key in below[kernel]])
                 for key, bytes_ in sorted(sizes.items())]
    return [row for row in functions if row[1]], per_call, max(frames)


# ---- the header ---------------------------------------------------------------------------------

def number(value):
    return f"{value:.4g}"


def target_text(target, models, calls, code):
    functions, per_call, above = code
    out = [f"    [TARGET_{target.upper().replace('-', '_')}] = {{", f"        .granule = {GRANULE.get(target, 4)},",
           "        .tile_pixels = %d,\n        .tile_filters = %d," % TILE.get(target, (4, 1)),
           "        .kernels = {"]
    for kernel in KERNELS:
        model = ", ".join(number(v) for v in models[kernel][0])
        out.append(f"            [KERNEL({kernel.upper()})] = {{{depth(calls, 'int8_' + kernel)}, {{{model}}}}},")
    out += ["        },", f"        .pixels = {{{', '.join(number(v) for v in models['pixels'][0])}}},",
            "        .functions = {"]
    for bytes_, kernels in functions:
        out.append(f"            {{{bytes_}, {' | '.join(f'BIT({k.upper()})' for k in kernels)}}},")
    out += ["        },", f"        .call = {number(per_call[0])},", f"        .argument = {number(per_call[1])},",
            f"        .item = {number(per_call[2])},", f"        .once = {number(per_call[3])},",
            f"        .stack = {above},", "    },"]
    return "\n".join(out)


def write_header(folder):
    build_nets(folder, THETAS)
    texts = []
    for target in TARGETS:
        models, calls = measure_kernels(target, folder)
        code = measure_code(target, folder, calls)
        texts.append(target_text(target, models, calls, code))
        print(f"{target}: largest error on the shapes measured: " +
              ", ".join(f"{kernel} {100 * error:.1f} %" for kernel, (_, error) in models.items()))
    path = os.path.join(ROOT, "compiler", "target_cost_list.h")
    with open(path, "w", encoding="utf-8") as file:
        file.write("// target_cost_list.h - what the int8 kernels cost on each microcontroller: measured, and written, by\n"
                   "// tests/boards/kernel_costs.py (make board-costs).  Inside costs.c only, which explains the columns.\n"
                   "static const TargetCosts target_costs[TARGET_COUNT] = {\n" + "\n".join(texts) + "\n};\n")
    print(f"wrote {os.path.relpath(path, ROOT)}")


MOST_WEIGHTS = 60000

# ---- the estimates against measurements ---------------------------------------------------------

def draw_theta(number):
    """A network that the costs were not measured on."""
    draw = random.Random(number)
    weights = lambda names: {name: round(draw.random(), 2) for name in names if draw.random() < 0.5}
    level = lambda least, most: {"n": draw.randint(least, most), "p": round(draw.uniform(0.2, 0.8), 2)}
    side = draw.choice([16, 24, 28, 32])
    theta = {"top": {"k": 2, **level(3, 5)}, "mid": level(2, 4), "bottom": {"k": 2, **level(3, 5)},
             "ops": {"conv3x3": 1, **weights(["conv5x5", "conv1x1", "conv1x3", "pool3x3"])},
             "conv": draw.choice(["normal", "normal", "depthwise_separable"]),
             "input": {"channels": draw.choice([1, 3]), "height": side, "width": side},
             "classes": draw.choice([2, 10]), "params": draw.randint(4000, 60000), "seed": number}
    for name in ("top", "mid", "bottom"):
        theta[name]["merge"] = {"sum": 1, **weights(["attention", "concat"])}
    while count_weights(theta) > MOST_WEIGHTS:
        theta["params"] = theta["params"] * 3 // 4
    return theta


def count_weights(theta):
    text = run([os.path.join(BUILD, "nagoc"), "-", "--emit=summary", "--json"], input=json.dumps(theta))
    return json.loads(text)["weights"]


def check_net(folder, name, target):
    """Errors of nagoc's estimate of code, stack and instructions: estimate over measurement, less 1."""
    net = os.path.join(folder, f"{name}-{target}")
    os.makedirs(net)
    run(net_command(folder, name, target) + ["--self-test", "-o", net + "/net.c", "--header", net + "/net.h"])
    guess = json.loads(run(net_command(folder, name, target) + ["--emit=summary", "--json"]))
    size = json.loads(run([os.path.join(BUILD, "nago"), "size", net + "/net.c", f"--target={target}", "--json"]))
    firmware = os.path.join(ROOT, "examples", "firmware", "Makefile")
    text = run(["make", "-s", "-f", firmware, f"TARGET={target}", f"NET={net}", f"OUT={net}", "run"])
    if "self test: 0\n" not in text:
        sys.exit(f"{name} on {target}: the self-test did not pass: {text}")
    instructions = int(re.search(r"instructions of an image, at most: (\d+)", text).group(1))
    code = size["flash"]["code"] + size["flash"]["library"]
    return {"code": guess["code_bytes"] / code - 1, "stack": guess["stack_bytes"] / size["ram"]["stack"] - 1,
            "RAM": guess["ram_bytes"] / size["ram"]["bytes"] - 1,
            "flash": guess["flash_bytes"] / size["flash"]["bytes"] - 1,
            "instructions": guess["instructions"] / instructions - 1}


def check(folder, count):
    """On every target `count` networks pass their self-test, and nagoc's estimates are as good as it promises; else the
    process fails."""
    thetas = {f"drawn{n}": draw_theta(n) for n in range(count)}
    build_nets(folder, thetas)
    worst = {}
    for name in thetas:
        for target in TARGETS:
            for what, error in check_net(folder, name, target).items():
                low, high = worst.get((what, target), (0, 0))
                worst[what, target] = (min(low, error), max(high, error))
    # gcc makes smaller copies of kernels that are called once: code may be less than estimated
    limits = {"code": (0.10, 0.20), "instructions": (0.16, 0.16), "flash": (0.02, 0.02), "RAM": (0.01, 0.06)}
    failed = [f"{what} on {target}: {100 * low:+.1f} to {100 * high:+.1f} %" for (what, target), (low, high) in
              worst.items() if what in limits and (-low > limits[what][0] or high > limits[what][1])]
    for what in ("code", "stack", "flash", "RAM", "instructions"):
        print(f"{what}: " + ", ".join(f"{target} {100 * worst[what, target][0]:+.1f} to "
                                      f"{100 * worst[what, target][1]:+.1f} %" for target in TARGETS))
    sys.exit("\n".join(["more than is promised (after changes of kernels: make board-costs)"] + failed)
             if failed else 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        if sys.argv[1:2] == ["--check"]:
            check(scratch, int(sys.argv[2]))
        write_header(scratch)
