"""Inference of a PyTorch module on request:  torch_infer.py NET.py BATCH THREADS

NET.py is what `nagoc --emit=pytorch` writes.  Prints a line of JSON once a call is done; then, for each line "N" on
standard input, the milliseconds of N calls.
"""
import importlib.util
import json
import sys
import time

import torch


def main():
    path, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.Net().eval()
    images = torch.rand(batch, *map(int, sys.argv[4:7])) * 2 - 1

    def call():
        begin = time.perf_counter()
        model(images)
        return 1e3 * (time.perf_counter() - begin)

    with torch.inference_mode():
        print(json.dumps({"first_ms": call()}), flush=True)
        for line in sys.stdin:
            print(json.dumps([call() for _ in range(int(line))]), flush=True)


main()
