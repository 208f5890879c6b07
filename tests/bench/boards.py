#!/usr/bin/python3
"""The embedded part of `make bench`: int8 networks on emulated boards.  Writes docs/embedded-benchmarks.md.

    BUILD=build tests/bench/boards.py

Builds each network for each target, runs it in QEMU and measures the file with `nago size`.  Needs no Python package.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "boards"))
from kernel_costs import BUILD, ROOT, TARGETS, build_nets, net_command, run  # noqa: E402

NETS = {"S": "examples/bench/S.theta.json", "ResNet-8-like": "examples/bench/resnet8.theta.json"}
BOARDS = {"cortex-m4": "mps2-an386", "cortex-m7": "mps2-an500", "cortex-m33": "mps2-an505", "cortex-m55": "mps3-an547",
          "rv32imc": "virt"}
KERNELS = {"cortex-m55": "Helium", "rv32imc": "plain C"}

# MLPerf Tiny, image classification: ResNet-8 on CIFAR-10 in int8, 12.5 million multiply-adds without padded taps; the
# latencies of the results files of rounds 0.7 to 1.2 (github.com/mlcommons/tiny_results_v0.7, _v1.1, _v1.2).
RESNET8_MACS = 12501632
PUBLISHED = [  # core, MHz, software, ms
    ("Cortex-M4", 120, "CMSIS-NN, by Skymizer ONNC", 296.6),
    ("Cortex-M4", 120, "CMSIS-NN, by microTVM", 389.6),
    ("Cortex-M4", 120, "X-CUBE-AI 9", 165.1),
    ("Cortex-M4", 120, "Bosch HALE, which generates C", 179.0),
    ("Cortex-M7", 280, "X-CUBE-AI 9", 40.8),
    ("Cortex-M7", 280, "Bosch HALE", 45.9),
    ("Cortex-M33", 160, "Plumerai", 104.3),
    ("Cortex-M33", 160, "X-CUBE-AI 9", 111.1),
    ("Cortex-M85, Helium", 480, "CMSIS-NN, by TensorFlow Lite Micro", 8.48),
]

HEAD = """# Int8 on microcontrollers

Written by `make bench` (`tests/bench/boards.py`).  %s, %s, QEMU %s.

**Instructions, not cycles**: QEMU counts instructions (`-icount shift=0`) and knows no pipeline, caches or wait states.
They are of one image, from pixels to logits.  Multiply-adds are those of the convolutions and the last layer, padded taps
counted.  RAM is arena, image, logits, deepest stack and variables, flash weights, code and tables, as `nago size` measures
them for `net_infer_u8` at -O2.  First weights: trained ones change no figure but instructions, by a few in a thousand.

"""


def theta_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return json.load(file)


def measure(folder, name, target):
    net = os.path.join(folder, f"{name}-{target}")
    os.makedirs(net)
    run(net_command(folder, name, target) + ["--self-test", "-o", net + "/net.c", "--header", net + "/net.h"])
    size = json.loads(run([os.path.join(BUILD, "nago"), "size", net + "/net.c", f"--target={target}", "--json"]))
    firmware = os.path.join(ROOT, "examples", "firmware", "Makefile")
    text = run(["make", "-s", "-f", firmware, f"TARGET={target}", f"NET={net}", f"OUT={net}", "run"])
    return int(re.search(r"instructions of an image, at most: (\d+)", text).group(1)), size


def rows_of(folder, name):
    summary = json.loads(run(net_command(folder, name, "cortex-m4") + ["--emit=summary", "--json"]))
    out = [f"## {name}\n", f"`{NETS[name]}`: {summary['weights']} trained numbers, {summary['macs'] / 1e6:.1f} million "
           "multiply-adds.\n",
           "| core | board in QEMU | kernels | million instructions | of a multiply-add | RAM | arena | stack | flash | "
           "weights | code |", "| --- | --- | --- |" + " ---: |" * 8]
    for target in TARGETS:
        instructions, size = measure(folder, name, target)
        ram, flash = size["ram"], size["flash"]
        out.append(f"| {target} | {BOARDS[target]} | {KERNELS.get(target, 'SMLAD')} | {instructions / 1e6:.1f} | "
                   f"**{instructions / summary['macs']:.2f}** | **{ram['bytes']}** | {ram['arena']} | {ram['stack']} | "
                   f"**{flash['bytes']}** | {flash['weights']} | {flash['code'] + flash['library']} |")
        print(out[-1], file=sys.stderr, flush=True)
    return out + [""]


CMSIS_NN = os.path.join(BUILD, "peers", "cmsis-nn")


def cmsis_nn_date():
    with open(os.path.join(CMSIS_NN, "Include", "arm_nnfunctions.h"), encoding="utf-8") as file:
        found = re.search(r"\$Date: *(.+?) *$", file.read(), re.M)
    return found.group(1) if found else "an unknown date"


def convolutions(folder, target):
    """What conv_peers.c prints: for each shape channels, height, width, filters, kernel, instructions of ours and theirs."""
    out = os.path.join(folder, f"peers-{target}")
    os.makedirs(out)
    sources = [os.path.join(ROOT, "tests", "boards", "conv_peers.c")]
    for part, pattern in (("ConvolutionFunctions", r"_s8.*\.c"), ("NNSupportFunctions", r".*\.c")):
        path = os.path.join(CMSIS_NN, "Source", part)
        sources += [os.path.join(path, name) for name in sorted(os.listdir(path))
                    if re.search(pattern, name) and not re.search(r"f16|f32|flt", name)]
    firmware = os.path.join(ROOT, "examples", "firmware", "Makefile")
    text = run(["make", "-s", "-f", firmware, f"TARGET={target}", f"NET={out}", f"OUT={out}", "WARN=",
                f"DEFINES=-I{CMSIS_NN}/Include", f"PROGRAM={' '.join(sources)}", "run"])
    if "differ" in text:
        sys.exit(f"{target}: CMSIS-NN gives other bits:\n{text}")
    return [[int(word) for word in line.split()] for line in text.splitlines() if re.fullmatch(r"(\d+ ?){7}", line)]


def beside_cmsis_nn(folder):
    """Our convolutions and CMSIS-NN's on the same numbers; nothing where its sources are not to be had."""
    if not os.path.exists(CMSIS_NN):
        print("CMSIS-NN: not here (make peers CMSIS_NN=DIR): its columns are left out", file=sys.stderr)
        return []
    targets = ["cortex-m4", "cortex-m7", "cortex-m55"]
    found = [convolutions(folder, target) for target in targets]
    out = ["## Beside CMSIS-NN\n",
           f"Instructions of a multiply-add in single convolutions of 8 bits, by our kernel and by `arm_convolve_wrapper_s8` of "
           f"CMSIS-NN\n(its header is of {cmsis_nn_date()}), both at -O2 by the same gcc, on the same numbers; the results are the same, bit for "
           "bit.\nIts M4 kernels compute two pixels at a time, ours four; its Helium kernels have tails predicated in assembly, "
           "ours are C.\n",
           "| channels | map | filters | kernel |" + "".join(f" {t}: ours | CMSIS-NN |" for t in targets),
           "| ---: | ---: | ---: | ---: |" + " ---: |" * (2 * len(targets))]
    for rows in zip(*found):
        channels, height, width, filters, kernel = rows[0][:5]
        macs = channels * height * width * filters * kernel * kernel
        out.append(f"| {channels} | {height}x{width} | {filters} | {kernel}x{kernel} |" +
                   "".join(f" {row[5] / macs:.2f} | {row[6] / macs:.2f} |" for row in rows))
        print(out[-1], file=sys.stderr, flush=True)
    return out + [""]


def published():
    out = ["## Published figures, in cycles\n",
           "No published figure counts instructions: these are latencies on silicon times the clock, of MLPerf Tiny's ResNet-8",
           f"({RESNET8_MACS / 1e6:.1f} million multiply-adds without padded taps; ours has the same three stages, but a wider",
           "head).  A cycle is not an instruction: the M7 issues two at a time, a load on the M4 takes two.\n",
           "| core | MHz | software | ms | cycles a multiply-add |", "| --- | ---: | --- | ---: | ---: |"]
    for core, clock, software, ms in PUBLISHED:
        out.append(f"| {core} | {clock} | {software} | {ms} | {ms * clock * 1e3 / RESNET8_MACS:.2f} |")
    return out


def main():
    version = lambda command: run([command, "--version"]).splitlines()[0]
    about = (version("arm-none-eabi-gcc"), version("riscv64-unknown-elf-gcc"),
             re.search(r"version (\S+)", version("qemu-system-arm")).group(1))
    with tempfile.TemporaryDirectory() as folder:
        build_nets(folder, {name: theta_of(path) for name, path in NETS.items()})
        lines = [line for name in NETS for line in rows_of(folder, name)]
        lines += beside_cmsis_nn(folder)
    path = os.path.join(ROOT, "docs", "embedded-benchmarks.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD % about + "\n".join(lines + published()) + "\n")
    print(f"written to {os.path.relpath(path, ROOT)}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"make bench: {error}")
