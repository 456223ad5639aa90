"""The networks in PyTorch, with our names of parameters (`../common/networks.rs` says the same)."""

import json
import pathlib
import struct
from collections import OrderedDict

import numpy
import torch
from torch import nn
from torch.nn import functional


def named(*layers):
    """A chain of layers: pairs of a name and a layer, or a layer alone."""
    pairs = [layer if isinstance(layer, tuple) else (f"{kind(layer)}_{i}", layer) for i, layer in enumerate(layers)]
    return nn.Sequential(OrderedDict(pairs))


def kind(layer):
    return type(layer).__name__.lower()


def lenet5():
    return named(
        ("conv1", nn.Conv2d(1, 6, 5, padding=2)), nn.ReLU(), nn.MaxPool2d(2),
        ("conv2", nn.Conv2d(6, 16, 5)), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        ("fc1", nn.Linear(400, 120)), nn.ReLU(),
        ("fc2", nn.Linear(120, 84)), nn.ReLU(),
        ("fc3", nn.Linear(84, 10)),
    )  # fmt: skip


def mnist_cnn():
    return named(
        ("conv1", nn.Conv2d(1, 32, 3)), nn.ReLU(),
        ("conv2", nn.Conv2d(32, 64, 3)), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        ("fc1", nn.Linear(9216, 128)), nn.ReLU(),
        ("fc2", nn.Linear(128, 10)),
    )  # fmt: skip


class Residual(nn.Module):
    def __init__(self, chain, shortcut):
        super().__init__()
        self.chain, self.shortcut = chain, shortcut

    def forward(self, x):
        return functional.relu(self.chain(x) + self.shortcut(x))


def conv(i, o, kernel, stride=1, groups=1):
    return nn.Conv2d(i, o, kernel, stride, kernel // 2, groups=groups, bias=False)


def block(first, second, i, o, stride, skip=None):
    """A residual block; `first` and `second` are the numbers of its convolutions."""
    chain = named(
        (f"conv{first}", conv(i, o, 3, stride)), (f"bn{first}", nn.BatchNorm2d(o)), nn.ReLU(),
        (f"conv{second}", conv(o, o, 3)), (f"bn{second}", nn.BatchNorm2d(o)),
    )  # fmt: skip
    return Residual(chain, named((skip, nn.Conv2d(i, o, 1, stride))) if skip else nn.Identity())


def resnet8():
    return named(
        ("conv1", conv(3, 16, 3)), ("bn1", nn.BatchNorm2d(16)), nn.ReLU(),
        block(2, 3, 16, 16, 1), block(4, 5, 16, 32, 2, "skip2"), block(6, 7, 32, 64, 2, "skip3"),
        nn.AvgPool2d(8), nn.Flatten(), ("fc", nn.Linear(64, 10)),
    )  # fmt: skip


def mobilenet_v1():
    layers = [("conv0", conv(3, 8, 3, 2)), ("bn0", nn.BatchNorm2d(8)), nn.ReLU()]
    i = 8
    blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)] + 5 * [(128, 1)] + [(256, 2), (256, 1)]
    for n, (o, stride) in enumerate(blocks, 1):
        layers += [(f"dw{n}", conv(i, i, 3, stride, i)), (f"dw_bn{n}", nn.BatchNorm2d(i)), nn.ReLU()]
        layers += [(f"pw{n}", conv(i, o, 1)), (f"pw_bn{n}", nn.BatchNorm2d(o)), nn.ReLU()]
        i = o
    return named(*layers, nn.AvgPool2d(3), nn.Flatten(), ("fc", nn.Linear(256, 2)))


def conv64():
    return named(("conv1", nn.Conv2d(64, 64, 3, padding=1)), nn.ReLU())


# Name: how it is made, the shape of an input, whether it is trained.
NETWORKS = {
    "lenet5": (lenet5, (1, 28, 28), True),
    "mnist_cnn": (mnist_cnn, (1, 28, 28), True),
    "resnet8": (resnet8, (3, 32, 32), True),
    "mobilenet_v1": (mobilenet_v1, (3, 96, 96), True),
    "conv64": (conv64, (64, 56, 56), False),
}


def export(folder: pathlib.Path):
    """Writes each network as ONNX, its weights under our names, an input and PyTorch's output."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (make, shape, _) in NETWORKS.items():
        torch.manual_seed(0)
        net = make()
        # Running statistics that are not 0 and 1.
        with torch.no_grad():
            for _ in range(3):
                net.train()(torch.randn(8, *shape))
        net.eval()
        x = torch.randn(1, *shape)
        axes = {"x": {0: "n"}, "y": {0: "n"}}
        torch.onnx.export(
            net, (x,), folder / f"{name}.onnx", dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=axes
        )
        with torch.no_grad():
            (folder / f"{name}.y").write_bytes(net(x).numpy().astype("<f4").tobytes())
        (folder / f"{name}.x").write_bytes(x.numpy().astype("<f4").tobytes())
        safetensors(net, folder / f"{name}.safetensors")


def safetensors(net, path):
    header, blob = {}, b""
    for key, tensor in net.state_dict().items():
        if key.endswith("num_batches_tracked"):
            continue
        data = numpy.ascontiguousarray(tensor.numpy(), dtype="<f4").tobytes()
        name = ".".join(key.split(".")[-2:])
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [len(blob), len(blob) + len(data)]}
        blob += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + blob)
