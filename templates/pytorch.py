#!/usr/bin/env python3
"""A random network as a PyTorch module, under the parameter names of its weights.safetensors.

As a module:
    from net import Net, load_weights, save_weights
    model = Net()                                   # initial weights
    load_weights(model, "weights.safetensors")      # trained ones
    save_weights(model, "back.safetensors")         # and back

As a program:
    python3 net.py --weights weights.safetensors --input images.bin     print logits
    python3 net.py --batch 32 --threads 1                               time training steps

Images are (batch, channels, height, width), normalised.  --input takes .npy, .safetensors (a tensor
"x"), or records of one label byte and the pixel bytes, channel by channel, as CIFAR-10 has them.
Needs torch 1.13 or newer, nothing else (numpy for .npy).
"""
import argparse
import json
import struct
import time

import torch
from torch import nn
import torch.nn.functional as F

# What is computed: cells in three stages, each a graph of nodes, each a graph of ops.  "inputs" are
# siblings by number (none: the input of the graph around them); a graph's output is the mean of what
# no sibling reads.
ARCH = {}

KERNEL = {
    "conv3x3": (3, 3), "conv5x5": (5, 5), "conv1x1": (1, 1), "conv3x1": (3, 1), "conv1x3": (1, 3),
    "pool3x3": (3, 3), "pool5x5": (5, 5),
}
HEAD_CHANNELS = 1280


# ---- pieces --------------------------------------------------------------------------------------


class Separable(nn.Module):
    """A depthwise convolution, then a 1x1 that mixes the channels."""

    def __init__(self, in_channels, out_channels, kernel, padding, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, kernel, stride, padding, groups=in_channels)
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))


class ReluConvNorm(nn.Module):
    """ReLU, convolution, batch normalisation.  The convolution's attribute is "op" in an op, "conv" in the stem."""

    def __init__(self, name, conv, channels):
        super().__init__()
        self.name = name
        self.add_module(name, conv)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.bn(getattr(self, self.name)(F.relu(x)))


class Scale(nn.Module):
    """x times the sigmoid of a learned scalar."""

    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return torch.sigmoid(self.mean) * x


def add_up(terms):
    """The sum of a list of tensors of one shape."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def resize(x, size):
    """Adaptive average pooling where x is larger than size."""
    return F.adaptive_avg_pool2d(x, size) if x.shape[2] > size[0] or x.shape[3] > size[1] else x


# ---- the hierarchy -------------------------------------------------------------------------------


def output_indices(vertices):
    """The vertices that no sibling reads."""
    read = {j for vertex in vertices for j in vertex["inputs"]}
    return [i for i in range(len(vertices)) if i not in read]


class Vertex(nn.Module):
    """A cell, a node or an op: its inputs merged, then its graph or its operation."""

    def __init__(self, spec, in_channels, separable):
        super().__init__()
        self.inputs, self.merge = spec["inputs"], spec["merge"]
        self.channels = sum(in_channels) if self.merge == "concat" else in_channels[-1]
        self.out_channels = spec["out_channels"]
        if self.merge in ("sum", "attention"):
            self.merger = nn.ModuleList(
                Scale() if c == self.channels else nn.Conv2d(c, self.channels, 1) for c in in_channels)
            if self.merge == "attention":
                self.merger.append(Scale())
        if "op" in spec:
            self.operation = operation(spec["op"], self.channels, self.out_channels, separable)
        else:
            self.node_ops = vertices(spec["nodes"], self.channels, separable)
            self.outputs = output_indices(spec["nodes"])

    def forward(self, xs):
        x = self.merged(xs)
        if hasattr(self, "operation"):
            return self.operation(x)
        results = run_graph(self.node_ops, x)
        return mean_of([results[i] for i in self.outputs])

    def merged(self, xs):
        if self.merge == "single":
            return xs[0]
        if self.merge == "concat":
            return torch.cat(xs, 1)
        terms = [merger(x) for merger, x in zip(self.merger, xs)]
        if self.merge == "sum":
            return add_up(terms)
        # attention: the first input, brought to 0..1 in each sample, weighs the sum of the others
        first, rest = terms[0], add_up(terms[1:])
        low = first.amin((1, 2, 3), keepdim=True)
        high = first.amax((1, 2, 3), keepdim=True)
        return self.merger[-1](rest) + rest * ((first - low) / (high - low).clamp(min=1e-12))


def operation(name, in_channels, out_channels, separable):
    kernel = KERNEL[name]
    padding = (kernel[0] // 2, kernel[1] // 2)
    if name.startswith("pool"):
        return nn.AvgPool2d(kernel, 1, padding)
    if separable:
        conv = Separable(in_channels, out_channels, kernel, padding)
    else:
        conv = nn.Conv2d(in_channels, out_channels, kernel, 1, padding)
    return ReluConvNorm("op", conv, out_channels)


def vertices(specs, in_channels, separable):
    """The vertices of one graph, whose own input has in_channels."""
    made = nn.ModuleList()
    for spec in specs:
        channels = [made[j].out_channels for j in spec["inputs"]] or [in_channels]
        made.append(Vertex(spec, channels, separable))
    return made


def run_graph(graph, x):
    """Results of all vertices of a graph with input x."""
    results = []
    for vertex in graph:
        results.append(vertex([results[j] for j in vertex.inputs] or [x]))
    return results


def mean_of(results):
    return results[0] if len(results) == 1 else add_up(results) / len(results)


class Net(nn.Module):
    """The network of ARCH (or of the architecture given, as arch.json has it)."""

    def __init__(self, arch=None, dropout=0.2):
        super().__init__()
        arch = arch or ARCH
        height, width = arch["input"]["height"], arch["input"]["width"]
        separable = arch["conv_type"] == "depthwise_separable"
        stem, halvings = (small_stem, 0) if min(height, width) < 40 else (large_stem, 2)
        self.sizes = [(height >> halvings + cell["stage"], width >> halvings + cell["stage"]) for cell in arch["cells"]]
        self.first_conv = stem(arch["input"]["channels"], arch["stem_channels"])
        self.node_ops = vertices(arch["cells"], arch["stem_channels"], separable)
        self.outputs = output_indices(arch["cells"])
        channels = [self.node_ops[i].out_channels for i in self.outputs]
        self.out_mergers = nn.ModuleDict(
            {str(j): nn.Conv2d(c, channels[-1], 1) for j, c in enumerate(channels) if c != channels[-1]})
        self.conv_out = nn.Sequential(
            nn.ReLU(), nn.Conv2d(channels[-1], HEAD_CHANNELS, 1), nn.BatchNorm2d(HEAD_CHANNELS), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(HEAD_CHANNELS, arch["classes"])
        self.apply(init_conv)

    def forward(self, images):
        x = self.first_conv(images)
        results = []
        for cell, size in zip(self.node_ops, self.sizes):
            inputs = [results[j] for j in cell.inputs] or [x]
            results.append(cell([resize(y, size) for y in inputs]))
        x = self.conv_out(self.joined([results[i] for i in self.outputs]))
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.fc(self.dropout(x))

    def joined(self, results):
        """The mean of the output cells, all at the smallest size and the last one's channels."""
        size = min(y.shape[2] for y in results), min(y.shape[3] for y in results)
        results = [resize(y, size) for y in results]
        for j, projection in self.out_mergers.items():
            results[int(j)] = projection(results[int(j)])
        return mean_of(results)


def small_stem(in_channels, channels):
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels))


def large_stem(in_channels, channels):
    half = max(1, channels // 2)
    return nn.Sequential(
        Separable(in_channels, half, 3, 1, stride=2), nn.BatchNorm2d(half),
        ReluConvNorm("conv", Separable(half, channels, 3, 1, stride=2), channels))


def init_conv(module):
    """He normal, fan out; all other initial values are PyTorch's own."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


# ---- weights in safetensors files ----------------------------------------------------------------

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64, "I32": torch.int32, "U8": torch.uint8}


def read_tensors(path):
    """All tensors of a safetensors file by name, and its metadata: a header's length, the header in JSON, the data."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        flat = torch.frombuffer(data[begin:end], dtype=dtype) if end > begin else torch.empty(0, dtype=dtype)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def load_weights(model, path):
    """Loads every parameter and statistic; returns the file's metadata (mean, deviation and names of the classes)."""
    tensors, metadata = read_tensors(path)
    state = model.state_dict()
    for name in state:
        if name in tensors:  # num_batches_tracked has shape [1] in these files
            tensors[name] = tensors[name].reshape(state[name].shape)
    model.load_state_dict(tensors)
    return metadata


def save_weights(model, path, metadata=None):
    """Writes what load_weights reads; pass on its result as metadata."""
    header, blobs, at = {"__metadata__": metadata or {}}, [], 0
    for name, tensor in model.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        tensor = tensor.reshape(1) if tensor.dim() == 0 else tensor
        blob = tensor.numpy().tobytes()
        dtype = "I64" if tensor.dtype == torch.int64 else "F32"
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        at += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


# ---- the program ---------------------------------------------------------------------------------


def read_images(path, metadata):
    """Images and, where the file has them, labels."""
    if path.endswith(".safetensors"):
        tensors, _ = read_tensors(path)
        return tensors["x"].float(), tensors.get("y")
    if path.endswith(".npy"):
        import numpy
        return torch.from_numpy(numpy.load(path)).float(), None
    shape = [ARCH["input"][side] for side in ("channels", "height", "width")]
    with open(path, "rb") as file:
        records = torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)
    records = records.reshape(-1, 1 + shape[0] * shape[1] * shape[2])
    mean, deviation = (torch.tensor([float(value) for value in metadata.get(key, default).split(",")]).reshape(-1, 1, 1)
                       for key, default in (("nago.mean", "0"), ("nago.std", "1")))
    return (records[:, 1:].reshape(-1, *shape) / 255.0 - mean) / deviation, records[:, 0].long()


def print_logits(model, images, labels, batch):
    """As a generated C program does: a line of logits an image, then the accuracy."""
    model.eval()
    right = 0
    for at in range(0, len(images), batch):
        with torch.no_grad():
            logits = model(images[at:at + batch])
        for row in logits.tolist():
            print(" ".join("%.6g" % value for value in row))
        if labels is not None:
            right += int((logits.argmax(1) == labels[at:at + batch]).sum())
    if labels is not None:
        print("accuracy %.2f %% (%d of %d)" % (100.0 * right / len(images), right, len(images)))


class Training:
    """Steps of SGD on one batch of random images."""

    def __init__(self, model, batch, channels_last=False, compiled=False):
        self.model = model.train()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
        shape = [ARCH["input"][side] for side in ("channels", "height", "width")]
        self.images = torch.rand(batch, *shape) * 2 - 1
        self.labels = torch.arange(batch) % ARCH["classes"]
        if channels_last:
            self.model = self.model.to(memory_format=torch.channels_last)
            self.images = self.images.contiguous(memory_format=torch.channels_last)
        if compiled:
            self.model = torch.compile(self.model)

    def step(self):
        """Forward, backward and update; returns the milliseconds it took."""
        begin = time.perf_counter()
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.model(self.images), self.labels)
        loss.backward()
        self.optimizer.step()
        return 1e3 * (time.perf_counter() - begin)


def main():
    parser = argparse.ArgumentParser(description="Prints the network's logits for --input, or times training steps.")
    parser.add_argument("--weights", metavar="FILE", help="weights (safetensors) to load")
    parser.add_argument("--input", metavar="FILE", help="images: .npy, .safetensors, or records of bytes")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=10, help="steps to time")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true", help="use torch.compile (torch 2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Net()
    try:
        metadata = load_weights(model, options.weights) if options.weights else {}
        if options.input:
            print_logits(model, *read_images(options.input, metadata), options.batch)
            return
    except (OSError, ValueError, KeyError, RuntimeError, struct.error) as error:
        parser.exit(2, "%s: error: %s\n" % (parser.prog, error))
    training = Training(model, options.batch, options.channels_last, options.compile)
    first = training.step()
    times = sorted(training.step() for _ in range(options.steps))
    print("first step %.1f ms, then %.2f ms (median %.2f), batch %d" % (
        first, times[0], times[len(times) // 2], options.batch))


if __name__ == "__main__":
    main()
