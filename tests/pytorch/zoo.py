"""The zoo's networks in PyTorch: small versions of them for the tests, and the full ones beside ours.

    pip install torch==2.15.0 numpy safetensors
    python zoo.py
    python zoo.py --full [NAME ...]

The first writes what `zoo.rs` compares with:

- `zoo/<case>.safetensors`, f32: `state_dict()` of each small network, under PyTorch's names.
- `zoo.safetensors`: for each of them a batch, `<case>.x` (bytes b for the inputs (b − 128) / 64) and `<case>.target`, and what PyTorch computes with it in f64, stored as
  f32: the outputs at inference; the loss of the batch in training, with our masks of dropout; its gradient under the names of the state; and the running averages after it.

The second needs cargo too. It gives each full network random weights and a few inputs, has `full.rs` load them, compute, and save, loads in PyTorch what that saved
(`load_state_dict(strict=True)`), and prints the largest differences from PyTorch in f64, relative to the largest magnitude: of the outputs, the loss, and the gradients.
Gradients jump where a ReLU or a maximum is so near its kink that rounding bends it, as some are in a large network; so beside ours stands by how much PyTorch's own change: in
f32, or in f64 where all weights change by a millionth. Building `full.rs` takes several minutes.
"""

import argparse
import math
import os
import pathlib
import subprocess
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from masks import mask

HERE = pathlib.Path(__file__).parent
META = {"made by": f"zoo.py with PyTorch {torch.__version__.split('+')[0]}"}
SEED, STEP = 7, 3  # of the masks
TOLERANCE = 1e-5  # as in reference.rs


class Dropout(nn.Module):
    """Dropout with our masks. `layer` is the row of the network's table, counted from 0."""

    def __init__(self, p, layer):
        super().__init__()
        self.p, self.layer = p, layer

    def forward(self, x):
        if not self.training:
            return x
        masks = [torch.from_numpy(mask(self.p, SEED, STEP, self.layer, image, x.shape[1:])) for image in range(len(x))]
        return x * torch.stack(masks).to(x.dtype) / (1 - self.p)


class Same(nn.Conv2d):
    """TensorFlow's padding: as many outputs as strides, the odd zero at the bottom and at the right."""

    def forward(self, x):
        sides = []
        for size, kernel, stride in zip(reversed(x.shape[2:]), reversed(self.kernel_size), reversed(self.stride)):
            whole = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            sides += [whole // 2, whole - whole // 2]
        return super().forward(F.pad(x, sides))


def chain(*layers):
    """Layers one after another: modules, or a name and a module."""
    named = nn.Sequential()
    for i, layer in enumerate(layers):
        name, module = layer if isinstance(layer, tuple) else (f"_{i}", layer)
        named.add_module(name, module)
    return named



class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def mnist_cnn():
    return chain(
        ("conv1", nn.Conv2d(1, 32, 3)), nn.ReLU(), ("conv2", nn.Conv2d(32, 64, 3)), nn.ReLU(), nn.MaxPool2d(2), Dropout(0.25, 5), nn.Flatten(),
        ("fc1", nn.Linear(9216, 128)), nn.ReLU(), Dropout(0.5, 9), ("fc2", nn.Linear(128, 10)),
    )


class AlexNet(nn.Module):
    """torchvision's."""

    def __init__(self, widths=(64, 192, 384, 256, 256), side=6, hidden=4096, classes=1000):
        super().__init__()
        a, b, c, d, e = widths
        pool = nn.MaxPool2d(3, 2)
        self.features = nn.Sequential(
            nn.Conv2d(3, a, 11, 4, 2), nn.ReLU(), pool, nn.Conv2d(a, b, 5, padding=2), nn.ReLU(), pool, nn.Conv2d(b, c, 3, padding=1), nn.ReLU(),
            nn.Conv2d(c, d, 3, padding=1), nn.ReLU(), nn.Conv2d(d, e, 3, padding=1), nn.ReLU(), pool,
        )
        # Behind `flatten`, the 14th row of the table.
        self.classifier = nn.Sequential(
            Dropout(0.5, 14), nn.Linear(e * side * side, hidden), nn.ReLU(), Dropout(0.5, 17), nn.Linear(hidden, hidden), nn.ReLU(),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Vgg(nn.Module):
    """torchvision's: stages of convolutions with a pooling behind each."""

    def __init__(self, stages=((64,) * 2, (128,) * 2, (256,) * 3, (512,) * 3, (512,) * 3), side=7, hidden=4096, classes=1000):
        super().__init__()
        layers, inputs = [], 3
        for stage in stages:
            for width in stage:
                layers += [nn.Conv2d(inputs, width, 3, padding=1), nn.ReLU()]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        first = len(layers) + 1
        self.classifier = nn.Sequential(
            nn.Linear(inputs * side * side, hidden), nn.ReLU(), Dropout(0.5, first + 2), nn.Linear(hidden, hidden), nn.ReLU(), Dropout(0.5, first + 5),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class BasicBlock(nn.Module):
    def __init__(self, inputs, width, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.downsample = None
        if stride > 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet(nn.Module):
    """torchvision's, of basic blocks: (width, blocks) for each stage."""

    def __init__(self, stages=((64, 2), (128, 2), (256, 2), (512, 2)), classes=1000):
        super().__init__()
        inputs = stages[0][0]
        self.conv1, self.bn1 = nn.Conv2d(3, inputs, 7, 2, 3, bias=False), nn.BatchNorm2d(inputs)
        self.stages = len(stages)
        for i, (width, blocks) in enumerate(stages):
            stride = 1 if i == 0 else 2
            first = BasicBlock(inputs, width, stride)
            self.add_module(f"layer{i + 1}", nn.Sequential(first, *(BasicBlock(width, width, 1) for _ in range(blocks - 1))))
            inputs = width
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for i in range(self.stages):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Fire(nn.Module):
    def __init__(self, inputs, squeezed, width):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeezed, 1)
        self.expand1x1, self.expand3x3 = nn.Conv2d(squeezed, width, 1), nn.Conv2d(squeezed, width, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """torchvision's: (squeezed, expanded) for each Fire module, None for a pooling. `row` is that of dropout."""

    def __init__(self, width=64, fires=((16, 64),) * 2 + (None,) + ((32, 128),) * 2 + (None,) + ((48, 192),) * 2 + ((64, 256),) * 2, row=61, classes=1000):
        super().__init__()
        layers = [nn.Conv2d(3, width, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)]
        for fire in fires:
            if fire is None:
                layers.append(nn.MaxPool2d(3, 2, ceil_mode=True))
            else:
                layers.append(Fire(width, *fire))
                width = 2 * fire[1]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(Dropout(0.5, row), nn.Conv2d(width, classes, 1), nn.ReLU())

    def forward(self, x):
        return self.classifier(self.features(x)).mean((2, 3))


def mobile_net(first, widths, strides, act, names, rate=None, row=0, classes=1000, bias=False):
    """MobileNetV1: `names` are those of the first convolution and the last layer; with `rate`, dropout before that."""
    stem, last = names

    def conv(name, inputs, outputs, kernel, stride=1, groups=1):
        layer = Same(inputs, outputs, kernel, stride, groups=groups, bias=bias)
        return [(name, layer), (f"{name}_bn", nn.BatchNorm2d(outputs, eps=1e-3)), act()]

    layers, inputs = conv(stem, 3, first, 3, 2), first
    for i, (width, stride) in enumerate(zip(widths, strides), 1):
        layers += conv(f"conv_dw_{i}", inputs, inputs, 3, stride, inputs) + conv(f"conv_pw_{i}", inputs, width, 1)
        inputs = width
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    layers += [Dropout(rate, row)] if rate else []
    return chain(*layers, (last, nn.Linear(inputs, classes)))


MOBILE = (2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16, 32, 32)  # widths, in those of the first convolution
HALVINGS = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)


def mobile_net_v1(first):
    # 27 convolutions with normalisation and activation, and the pooling: 82 rows.
    return mobile_net(first, [first * width for width in MOBILE], HALVINGS, nn.ReLU6, ("conv1", "conv_preds"), 1e-3, 82)


def person_detection():
    return mobile_net(8, [8 * width for width in MOBILE], HALVINGS, nn.ReLU, ("conv_0", "fc"), classes=2, bias=True)


class ResNet8(nn.Module):
    def __init__(self, width=16, classes=10):
        super().__init__()
        widths = [width, width, width, 2 * width, 2 * width, 4 * width, 4 * width]
        inputs = 3
        for i, outputs in enumerate(widths, 1):
            setattr(self, f"conv{i}", Same(inputs, outputs, 3, 2 if i in (4, 6) else 1))
            setattr(self, f"bn{i}", nn.BatchNorm2d(outputs, eps=1e-3))
            inputs = outputs
        self.skip2, self.skip3 = nn.Conv2d(width, 2 * width, 1, 2), nn.Conv2d(2 * width, 4 * width, 1, 2)
        self.fc = nn.Linear(inputs, classes)

    def normed(self, i, x):
        return getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x))

    def forward(self, x):
        x = F.relu(self.normed(1, x))
        for first, skip in ((2, lambda x: x), (4, self.skip2), (6, self.skip3)):
            x = F.relu(self.normed(first + 1, F.relu(self.normed(first, x))) + skip(x))
        return self.fc(x.mean((2, 3)))


def ds_cnn(width=64, blocks=4, classes=12):
    layers = [("conv", Same(1, width, (10, 4), 2)), ("bn", nn.BatchNorm2d(width, eps=1e-3)), nn.ReLU(), Dropout(0.2, 3)]
    for i in range(1, blocks + 1):
        for name, layer in (("depthwise", Same(width, width, 3, groups=width)), ("pointwise", Same(width, width, 1))):
            name = f"separable_{i}_{name}"
            layers += [(name, layer), (f"{name}_bn", nn.BatchNorm2d(width, eps=1e-3)), nn.ReLU()]
    layers += [Dropout(0.4, len(layers)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), ("fc", nn.Linear(width, classes))]
    return chain(*layers)


def auto_encoder(size=640, width=128, code=8, layers=4):
    """Its parts are `Sequential`s: names that a list translates."""

    def part(inputs):
        sizes = [inputs] + [width] * layers
        return [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.BatchNorm1d(b, eps=1e-3), nn.ReLU())]

    return chain(
        ("encoder", nn.Sequential(*part(size))), ("code", nn.Sequential(nn.Linear(width, code), nn.BatchNorm1d(code, eps=1e-3), nn.ReLU())),
        ("decoder", nn.Sequential(*part(code))), ("output", nn.Linear(width, size)),
    )


def m5(widths=(32, 32, 64, 64), classes=35):
    """The tutorial's. Our signals are maps of one row, which PyTorch does not have."""
    layers, inputs = [nn.Flatten(2)], 1
    for i, width in enumerate(widths, 1):
        conv = nn.Conv1d(inputs, width, 80, 16) if i == 1 else nn.Conv1d(inputs, width, 3)
        layers += [(f"conv{i}", conv), (f"bn{i}", nn.BatchNorm1d(width)), nn.ReLU(), nn.MaxPool1d(4)]
        inputs = width
    return chain(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), ("fc1", nn.Linear(inputs, classes)))


class UNet(nn.Module):
    def __init__(self, widths=(16, 32, 64, 128)):
        super().__init__()
        self.depth, inputs = len(widths) - 1, 3
        for i, width in enumerate(widths, 1):
            self.twice(f"down{i}" if i <= self.depth else "bottom", inputs, width)
            inputs = width
        for i in range(self.depth, 0, -1):
            width = widths[i - 1]
            setattr(self, f"up{i}", nn.ConvTranspose2d(widths[i], width, 2, 2))
            self.twice(f"across{i}", 2 * width, width)
        self.output = nn.Conv2d(widths[0], 1, 1)

    def twice(self, name, inputs, width):
        for i in (1, 2):
            setattr(self, f"{name}_{i}_conv", nn.Conv2d(inputs, width, 3, padding=1, bias=False))
            setattr(self, f"{name}_{i}_bn", nn.BatchNorm2d(width))
            inputs = width

    def run(self, name, x):
        for i in (1, 2):
            x = F.relu(getattr(self, f"{name}_{i}_bn")(getattr(self, f"{name}_{i}_conv")(x)))
        return x

    def forward(self, x):
        kept = []
        for i in range(1, self.depth + 1):
            x = self.run(f"down{i}", x)
            kept.append(x)
            x = F.max_pool2d(x, 2)
        x = self.run("bottom", x)
        for i in range(self.depth, 0, -1):
            x = self.run(f"across{i}", torch.cat([getattr(self, f"up{i}")(x), kept[i - 1]], 1))
        return self.output(x)


def cross_entropy(outputs, targets):
    return F.cross_entropy(outputs, targets.long())


def squared_error(outputs, targets):
    """Our `SquaredError`: half the squared distance of an input, its mean over the batch."""
    return (outputs - targets).square().sum() / (2 * len(outputs))


SMALL = {
    # case: (input shape, batch, network, loss)
    "alex_net": ((3, 63, 63), 3, lambda: AlexNet((4, 6, 8, 6, 6), 1, 12, 5), cross_entropy),
    "vgg": ((3, 16, 16), 3, lambda: Vgg(((4, 4), (6, 6), (8, 8, 8)), 2, 14, 5), cross_entropy),
    "res_net": ((3, 32, 32), 4, lambda: ResNet(((6, 1), (8, 2)), 5), cross_entropy),
    "mobile_net": ((3, 18, 18), 4, lambda: mobile_net(6, (8, 12), (1, 2), nn.ReLU6, ("conv1", "conv_preds"), 0.25, 16, 7), cross_entropy),
    "squeeze_net": ((3, 31, 31), 3, lambda: SqueezeNet(8, ((4, 6), (4, 6), None, (5, 8)), 25, 5), cross_entropy),
    "u_net": ((3, 12, 12), 3, lambda: UNet((4, 6, 8)), squared_error),
    "m5": ((1, 1, 832), 5, lambda: m5((6, 8), 5), cross_entropy),
    "ds_cnn": ((1, 13, 6), 5, lambda: ds_cnn(8, 2, 5), cross_entropy),
    "res_net8": ((3, 16, 16), 4, lambda: ResNet8(4, 5), cross_entropy),
    "auto_encoder": ((20,), 12, lambda: auto_encoder(20, 10, 4, 2), squared_error),
}
PICTURE = (3, 224, 224)
FULL = {
    "LeNet5": ((1, 28, 28), 4, LeNet5, cross_entropy),
    "MnistCnn": ((1, 28, 28), 4, mnist_cnn, cross_entropy),
    "ResNet8": ((3, 32, 32), 4, ResNet8, cross_entropy),
    "DsCnn": ((1, 49, 10), 4, ds_cnn, cross_entropy),
    "PersonDetection": ((3, 96, 96), 8, person_detection, cross_entropy),
    "AutoEncoder": ((640,), 16, auto_encoder, squared_error),
    "M5": ((1, 1, 8000), 8, m5, cross_entropy),
    "UNet": ((3, 64, 64), 2, UNet, squared_error),
    "AlexNet": (PICTURE, 2, AlexNet, cross_entropy),
    "Vgg16": (PICTURE, 1, Vgg, cross_entropy),
    "ResNet18": (PICTURE, 4, ResNet, cross_entropy),
    "MobileNetV1": (PICTURE, 4, lambda: mobile_net_v1(32), cross_entropy),
    "MobileNetV1Quarter": ((3, 96, 96), 8, lambda: mobile_net_v1(8), cross_entropy),
    "SqueezeNet": (PICTURE, 2, SqueezeNet, cross_entropy),
}


def randomise(net, rng):
    """He's normal distribution for weights, so that signals neither vanish nor grow; something for everything else."""

    def normal(like, scale):
        return scale * torch.randn(like.shape, generator=rng)

    def uniform(like):
        return 0.5 + torch.rand(like.shape, generator=rng)

    with torch.no_grad():
        for layer in net.modules():
            if isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d)):
                layer.weight.copy_(uniform(layer.weight))
                layer.bias.copy_(normal(layer.bias, 0.2))
                layer.running_mean.copy_(normal(layer.running_mean, 0.2))
                layer.running_var.copy_(uniform(layer.running_var))
            elif isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
                fan_in = layer.weight[0].numel() if not isinstance(layer, nn.ConvTranspose2d) else layer.weight.shape[0]
                layer.weight.copy_(normal(layer.weight, math.sqrt(2 / fan_in)))
                if layer.bias is not None:
                    layer.bias.copy_(normal(layer.bias, 0.1))


def batch(shape, n, net, loss, rng):
    """Bytes for inputs, and targets."""
    pixels = torch.randint(0, 256, (n, *shape), generator=rng, dtype=torch.uint8)
    if loss is cross_entropy:
        classes = net(inputs(pixels).float()).shape[1]
        return pixels, torch.randint(0, classes, (n,), generator=rng, dtype=torch.int64)
    if len(shape) == 1:
        return pixels, pixels
    return pixels, (pixels[:, :1] > 128).to(torch.uint8)


def inputs(pixels):
    return (pixels.double() - 128) / 64


def targets(stored, loss, shape):
    if loss is cross_entropy:
        return stored
    return inputs(stored) if len(shape) == 1 else stored.double()


def compute(net, x, target, loss):
    """Outputs at inference, then in training the loss, its gradient, and the state after it."""
    net.eval()
    with torch.no_grad():
        output = net(x)
    net.train()
    net.zero_grad()
    value = loss(net(x), target)
    value.backward()
    grads = {name: p.grad.clone() for name, p in net.named_parameters()}
    after = {name: value.clone() for name, value in net.state_dict().items() if "running" in name}
    return output, value.detach(), grads, after


def double_of(make, state):
    net = make().double()
    net.load_state_dict({name: value.double() if value.is_floating_point() else value for name, value in state.items()})
    return net


def difference(ours, wanted, scale=None):
    """The largest difference, relative to the largest magnitude."""
    scale = wanted.abs().max() if scale is None else scale
    return float((ours.double() - wanted).abs().max() / scale)


def scale_of(name, grads):
    """What a gradient's differences are relative to: the largest magnitude. But before a normalisation a bias changes nothing, and its gradient is what rounding
    left of a sum that cancels; its differences are relative to the gradient of the layer's weight."""
    own, weight = grads[name].abs().max(), grads[name.rpartition(".")[0] + ".weight"].abs().max()
    return weight if own < 1e-9 * weight else own


def jump(make, state, x, target, loss, wanted, noise, seeds):
    """By how much, at the most, gradients change where all weights change by about this part of themselves."""
    most = 0.0
    for seed in range(seeds):
        rng = torch.Generator().manual_seed(seed)
        noisy = {name: value * (1 + noise * torch.randn(value.shape, generator=rng, dtype=torch.float64)) for name, value in state.items()}
        _, _, grads, _ = compute(double_of(make, noisy), x, target, loss)
        most = max([most] + [difference(grads[name], wanted[name], scale_of(name, wanted)) for name in wanted])
    return most


def is_smooth(make, state, x, target, loss):
    """Whether no ReLU or maximum is so near its kink that rounding could bend it: small changes of all weights change all gradients little."""
    _, _, wanted, _ = compute(double_of(make, state), x, target, loss)
    return jump(make, state, x, target, loss, wanted, 2e-6, 3) <= 5e-5


def small():
    (HERE / "zoo").mkdir(exist_ok=True)
    results = {}
    for case, (shape, n, make, loss) in SMALL.items():
        for seed in range(1000):
            rng = torch.Generator().manual_seed(seed)
            net = make()
            randomise(net, rng)
            state = {name: value.clone() for name, value in net.state_dict().items()}
            pixels, stored = batch(shape, n, net.eval(), loss, rng)
            x, target = inputs(pixels), targets(stored, loss, shape)
            if is_smooth(make, state, x, target, loss):
                break
        else:
            raise SystemExit(f"{case}: no seed keeps away from all kinks")
        output, value, grads, after = compute(double_of(make, state), x, target, loss)
        save_file(state, HERE / "zoo" / f"{case}.safetensors", metadata=META)
        found = {"output": output, "loss": value.reshape(1)}
        found |= {f"d.{name}": d for name, d in grads.items()} | {f"after.{name}": a for name, a in after.items()}
        found = {name: value.float().contiguous() for name, value in found.items()}
        found |= {"x": pixels, "target": stored.to(torch.uint8).clone()}
        results |= {f"{case}.{name}": value for name, value in found.items()}
        print(f"{case}: seed {seed}, {sum(p.numel() for p in net.parameters())} parameters, loss {float(value):.4f}")
    save_file(results, HERE / "zoo.safetensors", metadata=META)


def full(names):
    root = HERE.parent.parent
    command = "cargo test --release --features zoo --test pytorch_full".split()
    subprocess.run([*command, "--no-run"], cwd=root, check=True)
    print("| Network | Parameters | Outputs | PyTorch's own in f32 | Loss | Gradients | PyTorch's own |", "|---|---|---|---|---|---|---|", sep="\n")
    faults = []
    for case in names or FULL:
        shape, n, make, loss = FULL[case]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            rng = torch.Generator().manual_seed(1)
            net = make()
            randomise(net, rng)
            state = {name: value.clone() for name, value in net.state_dict().items()}
            pixels, stored = batch(shape, n, net.eval(), loss, rng)
            x, target = inputs(pixels), targets(stored, loss, shape)
            save_file(state, folder / "weights.safetensors")
            save_file({"x": x.float(), "target": target.float().contiguous()}, folder / "batch.safetensors")
            environment = os.environ | {"TENONET_FULL": case, "TENONET_FOLDER": str(folder)}
            subprocess.run([*command, "-q", "--", "--ignored"], cwd=root, env=environment, check=True, stdout=subprocess.DEVNULL)

            # What ours saved is what it loaded, and PyTorch takes it.
            saved = load_file(folder / "saved.safetensors")
            net = make()
            net.load_state_dict(saved, strict=True)
            assert all(torch.equal(saved[name], state[name]) for name in state), f"{case}: what was saved is not what was loaded"
            ours, ours_grads = load_file(folder / "ours.safetensors"), load_file(folder / "gradient.safetensors")
            single = compute(net, x.float(), target if loss is cross_entropy else target.float(), loss)
            output, value, grads, _ = compute(double_of(make, state), x, target, loss)

            def worst_gradient(found):
                return max(difference(found[name], grads[name], scale_of(name, grads)) for name in grads)

            row = [
                difference(ours["output"].reshape(output.shape), output), difference(single[0], output), difference(ours["loss"], value),
                worst_gradient(ours_grads), max(worst_gradient(single[2]), jump(make, state, x, target, loss, grads, 1e-6, 4)),
            ]
        print(f"| {case} | {sum(p.numel() for p in net.parameters()):,} |", " | ".join(f"{d:.1e}" for d in row), "|", flush=True)
        if max(row[0], row[2]) > TOLERANCE or row[3] > max(TOLERANCE, 2 * row[4]):
            faults.append(case)
    if faults:
        raise SystemExit(f"{', '.join(faults)}: outputs or loss differ by more than {TOLERANCE}, or gradients by more than twice PyTorch's own")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--full", nargs="*", choices=[[], *FULL], metavar="NAME", help="compare the full networks, or those of these names")
chosen = parser.parse_args().full
torch.set_num_threads(1)
if chosen is None:
    small()
else:
    full(chosen)
