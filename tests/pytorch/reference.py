"""Writes what PyTorch computes, as safetensors beside this script: the judge of our layers, of LeNet-5 and of a short training.

    pip install torch==2.15.0 numpy safetensors
    python reference.py

- `layers.safetensors`, f64: for each case below `<case>.input`, `.weight`, `.bias` (where it has them), `.output`, `.d_output` (the upstream
  gradient), and the gradients of ⟨d_output, output⟩: `.d_input`, `.d_weight`, `.d_bias`. One input, `[channels, rows, columns]`.
- `lenet_weights.safetensors`, f32: LeNet-5's weights under the names that `network!` gives them.
- `lenet.safetensors`: `images`, `labels` of one batch; `logits` and `losses` (mean cross-entropy before each of ten steps of SGD on this batch) computed in f32
  and in f64 (`logits.f64`, `losses.f64`); the gradients of the first loss in f64, under the weights' names.
- `dropout.safetensors`, f64: a layer `layer.…` as above, for the masks of `MASKS`; and a network `net.…` with two dropouts: `.x` and `.d_output` of three inputs, `.output` at
  inference, `.trained` in training, its weights, and the gradients `.d_…` of the mean of ⟨d_output, trained⟩. `kept`, bytes: a mask of more than one block.
"""

import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from masks import mask

HERE = pathlib.Path(__file__).parent
META = {"made by": f"reference.py with PyTorch {torch.__version__.split('+')[0]}"}
BATCH, STEPS, RATE, MOMENTUM = 8, 10, 0.05, 0.9
MASKS = (7, 3)  # seed and step


def conv(out_channels, kernel, stride=1, padding=(0, 0, 0, 0), dilation=1, groups=1, bias=True):
    """A convolution; padding is (top, bottom, left, right)."""
    top, bottom, left, right = padding

    def layer(x, weight, bias=None):
        x = F.pad(x, (left, right, top, bottom))
        return F.conv2d(x[None], weight, bias, stride=stride, dilation=dilation, groups=groups)[0]

    def params(shape):
        sizes = {"weight": (out_channels, shape[0] // groups, *kernel)}
        return sizes | ({"bias": (out_channels,)} if bias else {})

    return layer, params


def linear(outputs, bias=True):
    def params(shape):
        return {"weight": (outputs, shape[0])} | ({"bias": (outputs,)} if bias else {})

    return (lambda x, weight, bias=None: F.linear(x[:, 0, 0], weight, bias)[:, None, None]), params


def plain(function):
    """A layer without parameters."""
    return function, lambda shape: {}


def max_pool(kernel, stride=None, padding=(0, 0, 0, 0), ceil=False):
    top, bottom, left, right = padding

    def layer(x):
        x = F.pad(x, (left, right, top, bottom), value=-torch.inf)
        return F.max_pool2d(x[None], kernel, stride or kernel, ceil_mode=ceil)[0]

    return plain(layer)


def avg_pool(kernel, stride=None, padding=0, ceil=False):
    """Padding counts as zeros; what a partial window of `ceil` lacks does not count."""
    return plain(lambda x: F.avg_pool2d(x[None], kernel, stride or kernel, padding, ceil_mode=ceil)[0])


def pad(sides, mode="constant"):
    """Padding is (top, bottom, left, right)."""
    top, bottom, left, right = sides
    return plain(lambda x: F.pad(x[None], (left, right, top, bottom), mode=mode)[0])


def upsample(factor, mode="nearest"):
    return plain(lambda x: F.interpolate(x[None], scale_factor=factor, mode=mode)[0])


def per_channel(name, function):
    """A parameter for each channel."""
    return (lambda x, **given: function(x, given[name][:, None, None])), lambda shape: {name: shape[:1]}


def layer_norm(epsilon, flat=False):
    def layer(x, weight, bias):
        return F.layer_norm(x.flatten() if flat else x, weight.shape, weight, bias, epsilon).reshape(x.shape)

    return layer, lambda shape: {key: shape[:1] if flat else shape for key in ("weight", "bias")}


def conv_transpose(out_channels, kernel, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True):
    def layer(x, weight, bias=None):
        return F.conv_transpose2d(x[None], weight, bias, stride, padding, output_padding, groups, dilation)[0]

    def params(shape):
        sizes = {"weight": (shape[0], out_channels // groups, *kernel)}
        return sizes | ({"bias": (out_channels,)} if bias else {})

    return layer, params
def concat(branch, other):
    """The input, what a layer with parameters makes of it, and what a function does, joined along the channels."""
    layer, params = branch
    return lambda x, **given: torch.cat([x, layer(x, **given), other(x)], dim=0), params


CASES = {
    # name: (input shape, layer)
    "conv_plain": ((1, 6, 6), conv(2, (3, 3))),
    "conv_rectangular": ((2, 5, 7), conv(3, (2, 4))),
    "conv_tall": ((2, 7, 4), conv(3, (5, 1), padding=(2, 2, 0, 0))),
    "conv_pointwise": ((5, 3, 4), conv(4, (1, 1))),
    "conv_stride_2": ((2, 7, 8), conv(3, (3, 3), stride=2)),
    "conv_stride_3": ((1, 8, 9), conv(2, (2, 3), stride=3)),
    "conv_stride_pair": ((2, 7, 6), conv(3, (3, 2), stride=(1, 2), padding=(1, 0, 0, 2))),
    "conv_asymmetric_padding": ((2, 4, 5), conv(3, (3, 3), padding=(0, 2, 3, 1))),
    "conv_wide_padding": ((1, 2, 2), conv(2, (3, 3), padding=(3, 3, 3, 3))),
    "conv_dilation_2": ((2, 7, 8), conv(3, (3, 2), dilation=2)),
    "conv_dilation_stride": ((2, 9, 8), conv(2, (2, 3), dilation=(3, 2), stride=(2, 1), padding=(1, 1, 0, 2))),
    "conv_groups_2": ((4, 5, 5), conv(6, (3, 3), groups=2)),
    "conv_depthwise": ((3, 6, 5), conv(3, (3, 3), groups=3, padding=(1, 1, 1, 1))),
    "conv_depthwise_twice": ((3, 5, 5), conv(6, (3, 3), groups=3, stride=2, padding=(1, 1, 1, 1))),
    "conv_no_bias": ((2, 5, 5), conv(3, (3, 3), bias=False)),
    "conv_signal": ((2, 1, 12), conv(3, (1, 5), stride=(1, 2))),
    "conv_many_channels": ((17, 4, 5), conv(9, (2, 2))),
    "max_pool_2": ((3, 4, 6), max_pool(2)),
    "max_pool_rectangular": ((2, 4, 6), max_pool((2, 3))),
    "max_pool_overlapping": ((2, 7, 7), max_pool(3, stride=2)),
    "max_pool_padding": ((2, 6, 6), max_pool(3, stride=3, padding=(1, 2, 1, 2))),
    "max_pool_resnet": ((2, 7, 7), max_pool(3, stride=2, padding=(1, 1, 1, 1))),
    "max_pool_gaps": ((2, 8, 8), max_pool(2, stride=3)),
    "max_pool_floor": ((2, 5, 7), max_pool(2)),
    "max_pool_ceil": ((2, 5, 7), max_pool(2, ceil=True)),
    "avg_pool_2": ((3, 4, 6), avg_pool(2)),
    "avg_pool_rectangular": ((2, 4, 6), avg_pool((2, 3))),
    "avg_pool_overlapping": ((2, 7, 7), avg_pool(3, stride=2)),
    "avg_pool_padding": ((2, 5, 5), avg_pool(3, stride=2, padding=1)),
    "avg_pool_floor": ((2, 5, 7), avg_pool(2)),
    "avg_pool_ceil": ((2, 5, 7), avg_pool(2, ceil=True)),
    "avg_pool_ceil_padding": ((2, 6, 6), avg_pool(3, stride=2, padding=1, ceil=True)),
    "global_avg_pool": ((5, 3, 4), plain(lambda x: x.mean((1, 2))[:, None, None])),
    "linear": ((7, 1, 1), linear(5)),
    "linear_no_bias": ((3, 1, 1), linear(4, bias=False)),
    "softmax": ((7, 1, 1), plain(lambda x: x.softmax(0))),
    "softmax_channels": ((4, 2, 3), plain(lambda x: x.softmax(0))),
    "relu": ((2, 3, 5), plain(F.relu)),
    "relu6": ((2, 3, 5), plain(F.relu6)),
    "leaky_relu": ((2, 3, 5), plain(lambda x: F.leaky_relu(x, 0.1))),
    "elu": ((2, 3, 5), plain(lambda x: F.elu(x, 1.3))),
    "sigmoid": ((2, 3, 5), plain(torch.sigmoid)),
    "tanh": ((2, 3, 5), plain(torch.tanh)),
    "gelu": ((2, 3, 5), plain(F.gelu)),  # x · Φ(x) with the error function, not the approximation by tanh
    "silu": ((2, 3, 5), plain(F.silu)),
    "hard_sigmoid": ((2, 3, 5), plain(lambda x: F.relu6(x + 3) / 6)),  # F.hardsigmoid's own gradient rounds 1/6 to f32, even in f64
    "hard_swish": ((2, 3, 5), plain(F.hardswish)),
    "softplus": ((2, 3, 5), plain(lambda x: F.softplus(x, threshold=1000.0))),  # log(1 + eˣ) everywhere
    "global_max_pool": ((5, 3, 4), plain(lambda x: x.amax((1, 2))[:, None, None])),
    "pad_zero": ((2, 3, 4), pad((1, 0, 3, 2))),
    "pad_reflect": ((2, 4, 3), pad((3, 1, 0, 2), "reflect")),
    "pad_replicate": ((3, 2, 3), pad((0, 4, 5, 1), "replicate")),
    "upsample_nearest": ((2, 3, 4), upsample((3, 2))),
    "upsample_bilinear": ((3, 3, 4), upsample((2, 5), "bilinear")),
    "upsample_bilinear_one": ((2, 1, 3), upsample((3, 3), "bilinear")),
    "scale": ((3, 2, 5), per_channel("weight", torch.mul)),
    "bias": ((3, 2, 5), per_channel("bias", torch.add)),
    "layer_norm": ((3, 4, 5), layer_norm(1e-5)),
    "layer_norm_flat": ((7, 1, 1), layer_norm(0.1, flat=True)),
    "conv_transpose_plain": ((3, 4, 5), conv_transpose(2, (3, 2))),
    "conv_transpose_double": ((5, 3, 4), conv_transpose(7, (4, 4), stride=2, padding=1)),
    "conv_transpose_odd": ((2, 3, 4), conv_transpose(3, (3, 5), stride=(3, 2), padding=(0, 2), output_padding=(2, 1))),
    "conv_transpose_gaps": ((2, 3, 4), conv_transpose(3, (1, 2), stride=(2, 3), output_padding=(1, 2), bias=False)),
    "conv_transpose_dilation": ((2, 4, 3), conv_transpose(3, (2, 3), padding=(1, 0), output_padding=(2, 1), dilation=(3, 2))),
    "conv_transpose_groups": ((4, 3, 2), conv_transpose(6, (3, 2), stride=2, padding=1, output_padding=1, groups=2)),
    "conv_transpose_depthwise": ((5, 3, 3), conv_transpose(5, (3, 3), stride=2, padding=1, groups=5)),
    "conv_transpose_signal": ((3, 1, 5), conv_transpose(2, (1, 4), stride=(1, 2), padding=(0, 1), output_padding=(0, 1))),
    "concat": ((3, 5, 6), concat(conv(4, (3, 3), padding=(1, 1, 1, 1)), lambda x: F.avg_pool2d(x[None], 3, 1, 1)[0])),
    "concat_flat": ((6, 1, 1), concat(linear(4), torch.tanh)),
}
SPREAD = 3.0  # activations bend and saturate between −9 and 9


def layer_cases():
    tensors = {}
    for seed, (name, (shape, (layer, params))) in enumerate(CASES.items()):
        rng = torch.Generator().manual_seed(seed)

        def normal(*size):
            return torch.randn(size, generator=rng, dtype=torch.float64)

        x = (SPREAD * normal(*shape)).requires_grad_()
        given = {key: normal(*size).requires_grad_() for key, size in params(shape).items()}
        y = layer(x, **given)
        dy = normal(*y.shape)
        y.backward(dy)
        case = {"input": x, "output": y, "d_output": dy, "d_input": x.grad}
        case |= given | {f"d_{key}": value.grad for key, value in given.items()}
        tensors |= {f"{name}.{key}": value.detach().contiguous() for key, value in case.items()}
    save_file(tensors, HERE / "layers.safetensors", metadata=META)


class LeNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.fc1 = torch.nn.Linear(400, 120)
        self.fc2 = torch.nn.Linear(120, 84)
        self.fc3 = torch.nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2).flatten(1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


def train(net, images, labels):
    """Logits and gradients of the first step, and the losses of all: the network is trained."""
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=MOMENTUM)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        output = net(images)
        loss = F.cross_entropy(output, labels)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            logits = output.detach()
            grads = {name: p.grad.clone() for name, p in net.named_parameters()}
        optimizer.step()
    return logits, grads, torch.stack(losses)


def lenet():
    torch.manual_seed(1998)
    net = LeNet()
    images = torch.rand(BATCH, 1, 28, 28)
    labels = torch.randint(0, 10, (BATCH,))
    save_file({name: p.detach().clone() for name, p in net.named_parameters()}, HERE / "lenet_weights.safetensors", metadata=META)
    double = LeNet().double()
    double.load_state_dict(net.state_dict())
    logits, _, losses = train(net, images, labels)
    logits64, grads64, losses64 = train(double, images.double(), labels)
    tensors = {"images": images, "labels": labels.to(torch.uint8), "logits": logits, "losses": losses}
    tensors |= {"logits.f64": logits64, "losses.f64": losses64} | grads64
    save_file(tensors, HERE / "lenet.safetensors", metadata=META)
    print("losses:", *(f"{loss:.6f}" for loss in losses64))


def dropout():
    rng = torch.Generator().manual_seed(2014)

    def normal(*size):
        return torch.randn(size, generator=rng, dtype=torch.float64)

    def masks(p, layer, images, *shape):
        return torch.stack([torch.from_numpy(mask(p, *MASKS, layer, image, shape)) for image in range(images)])

    # By hand a map lies in planes, and the layer is the 0th.
    x, dy = normal(3, 5, 6).requires_grad_(), normal(3, 5, 6)
    y = x * masks(0.3, 0, 1, x.numel()).reshape(x.shape) / (1 - 0.3)
    y.backward(dy)
    tensors = {"layer.input": x, "layer.output": y, "layer.d_output": dy, "layer.d_input": x.grad}

    shapes = {
        "conv_0.weight": (3, 2, 3, 3), "conv_0.bias": (3,), "linear_4.weight": (6, 90), "linear_4.bias": (6,), "linear_7.weight": (4, 6), "linear_7.bias": (4,),
    }
    params = {name: (normal(*shape) / 3).requires_grad_() for name, shape in shapes.items()}
    x, dy = normal(3, 2, 6, 5), normal(3, 4)

    def net(first, second):
        z = F.relu(F.conv2d(x, params["conv_0.weight"], params["conv_0.bias"], padding=1)) * first
        z = torch.tanh(F.linear(z.flatten(1), params["linear_4.weight"], params["linear_4.bias"])) * second
        return F.linear(z, params["linear_7.weight"], params["linear_7.bias"])

    output = net(1.0, 1.0)
    trained = net(masks(0.3, 2, 3, 3, 6, 5) / (1 - 0.3), masks(0.5, 6, 3, 6) / (1 - 0.5))
    (trained * dy).sum(1).mean().backward()
    tensors |= {"net.x": x, "net.d_output": dy, "net.output": output, "net.trained": trained}
    tensors |= {f"net.{name}": value for name, value in params.items()} | {f"net.d_{name}": value.grad for name, value in params.items()}
    tensors = {name: value.detach().contiguous() for name, value in tensors.items()}
    tensors["kept"] = masks(0.9, 0, 1, 9000).to(torch.uint8)
    save_file(tensors, HERE / "dropout.safetensors", metadata=META)


torch.set_num_threads(1)
layer_cases()
lenet()
dropout()
