"""Holds the PyTorch modules that nagoc wrote to the oracle: python3 pytorch_check.py SCRATCH FOLDER...

Each FOLDER has an arch.json, weights.safetensors and expected.safetensors; SCRATCH/NAME.py is the module of FOLDER's
architecture.  Everything is computed in double precision and must agree to 1e-7, as docs/semantics.md has it.  Prints a
line for each quantity that does not; the exit status says whether there was one.
"""
import importlib.util
import os
import sys

import torch
import torch.nn.functional as F

TOLERANCE = 1e-7
failures = 0


def expect(folder, name, actual, wanted, scale=None):
    """|actual - wanted| <= TOLERANCE * scale, by default max(1, |wanted|)."""
    global failures
    wanted = wanted.reshape(actual.shape)
    allowed = TOLERANCE * (wanted.abs().clamp(min=1) if scale is None else scale)
    excess = ((actual - wanted).abs() - allowed).max().item()
    if not excess <= 0:
        failures += 1
        print("%s: %s is off by %g more than allowed" % (folder, name, excess))


def module_load(path):
    spec = importlib.util.spec_from_file_location("net", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check_logits(folder, net, wanted):
    model = net.Net().double().eval()
    net.load_weights(model, os.path.join(folder, "weights.safetensors"))
    with torch.no_grad():
        expect(folder, "eval_logits", model(wanted["x"]), wanted["eval_logits"])


def check_training(folder, net, wanted):
    model = net.Net(dropout=0.0).double().train()
    net.load_weights(model, os.path.join(folder, "weights.safetensors"))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    logits = model(wanted["x"])
    loss = F.cross_entropy(logits, wanted["y"])
    loss.backward()
    expect(folder, "train_logits", logits, wanted["train_logits"])
    expect(folder, "loss1", loss, wanted["loss1"])
    gradients = {name[5:]: value for name, value in wanted.items() if name.startswith("grad.")}
    largest = max(value.abs().max() for value in gradients.values())
    if set(gradients) != {name for name, _ in model.named_parameters()}:
        expect(folder, "the set of parameters", torch.tensor(1.0), torch.tensor(0.0))
    for name, parameter in model.named_parameters():
        value = gradients[name]
        expect(folder, "grad." + name, parameter.grad, value, max(value.abs().max(), 1e-3 * largest))
    optimizer.step()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(wanted["x"]), wanted["y"])
    expect(folder, "loss2", loss, wanted["loss2"])
    loss.backward()
    optimizer.step()
    for name, value in model.state_dict().items():
        if "after2." + name in wanted:
            expect(folder, "after2." + name, value.double(), wanted["after2." + name].double())


def check_saving(folder, net, scratch):
    """What save_weights writes is what load_weights reads, byte for byte of data."""
    model = net.Net()
    path = os.path.join(folder, "weights.safetensors")
    metadata = net.load_weights(model, path)
    copy = os.path.join(scratch, os.path.basename(folder) + ".safetensors")
    net.save_weights(model, copy, metadata)
    (tensors, _), (again, metadata_again) = net.read_tensors(path), net.read_tensors(copy)
    same = metadata == metadata_again and set(tensors) <= set(again)
    same = same and all(torch.equal(tensors[name].reshape(-1), again[name].reshape(-1)) for name in tensors)
    expect(folder, "a saved copy", torch.tensor(float(same)), torch.tensor(1.0))


def main():
    torch.set_num_threads(1)
    scratch = sys.argv[1]
    for folder in sys.argv[2:]:
        net = module_load(os.path.join(scratch, os.path.basename(folder) + ".py"))
        wanted, _ = net.read_tensors(os.path.join(folder, "expected.safetensors"))
        check_logits(folder, net, wanted)
        check_training(folder, net, wanted)
        check_saving(folder, net, scratch)
    print("%d folders, %d failures" % (len(sys.argv) - 2, failures))
    return failures > 0 or len(sys.argv) < 3


if __name__ == "__main__":
    sys.exit(main())
