"""Training steps of a PyTorch module on request:  torch_worker.py NET.py BATCH THREADS VARIANT

NET.py is what `nagoc --emit=pytorch` writes; VARIANT is eager, channels_last or compile.  Prints a line of JSON once its
first step is done; then, for each line "N" on standard input, the milliseconds of N steps; for a line "memory", the most
bytes that tensors held at once during a step.
"""
import importlib.util
import json
import sys
import time

begin = time.perf_counter()
import torch  # noqa: E402  the time it takes is told apart


def module_load(path):
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def live_bytes(training):
    """Tensors alive before a step, and the largest sum of what the step allocates and frees on top."""
    tensors = {t.data_ptr(): t.numel() * t.element_size()
               for t in [training.images, training.labels, *training.model.state_dict().values()]}
    for state in training.optimizer.state.values():
        momentum = state["momentum_buffer"]
        tensors[momentum.data_ptr()] = momentum.numel() * momentum.element_size()
    training.optimizer.zero_grad(set_to_none=True)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        training.step()
    events = [e for e in profile.profiler.kineto_results.events() if e.name() == "[memory]"]
    now = most = 0
    for event in sorted(events, key=lambda e: e.start_us() if hasattr(e, "start_us") else e.start_ns()):
        now += event.nbytes()
        most = max(most, now)
    return sum(tensors.values()) + most


def main():
    path, batch, threads, variant = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    net = module_load(path)
    imported = time.perf_counter()
    training = net.Training(net.Net(), batch, channels_last=variant == "channels_last", compiled=variant == "compile")
    training.step()
    print(json.dumps({"import_ms": 1e3 * (imported - begin), "first_step_ms": 1e3 * (time.perf_counter() - imported)}),
          flush=True)
    for line in sys.stdin:
        if line.strip() == "memory":
            print(json.dumps(live_bytes(training)), flush=True)
        else:
            print(json.dumps([training.step() for _ in range(int(line))]), flush=True)


main()
