"""LeNet-5 on one thread: ours beside PyTorch and ONNX Runtime, one after the other on the same machine.

    pip install torch onnx onnxruntime numpy
    python lenet.py

Prints microseconds: inference of one image, and a training step of 64 (forward, mean cross-entropy, backward, SGD with momentum).
Ours come from criterion (`cargo bench --bench lenet`), theirs are medians of rounds of about a quarter of a second.
"""

import io
import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy
import onnxruntime
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS, SECONDS = 7, 0.25


def microseconds(call):
    """The median time of a call."""
    for _ in range(10):
        call()
    start = time.perf_counter()
    call()
    repeats = max(3, int(SECONDS / (time.perf_counter() - start)))
    rounds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        rounds.append((time.perf_counter() - start) / repeats * 1e6)
    return statistics.median(rounds)


def ours():
    """Forward and training step, by criterion's median."""
    subprocess.run(["cargo", "bench", "--quiet", "--bench", "lenet"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    for name in ("forward_1", "train_64"):
        estimates = json.loads((target / "criterion/lenet" / name / "new/estimates.json").read_text())
        yield estimates["median"]["point_estimate"] / 1e3


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(),
        nn.Linear(120, 84), nn.ReLU(),
        nn.Linear(84, 10),
    )  # fmt: skip


def pytorch(net, image, images, labels):
    with torch.inference_mode():
        forward = microseconds(lambda: net(image))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return forward, microseconds(step)


def onnx_runtime(net, image):
    model = io.BytesIO()
    torch.onnx.export(net, (image,), model, dynamo=False, input_names=["x"], output_names=["y"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.getvalue(), options, providers=["CPUExecutionProvider"])
    x = {"x": numpy.asarray(image)}
    return microseconds(lambda: session.run(None, x))


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = lenet()
    image, images, labels = torch.rand(1, 1, 28, 28), torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
    rows = {"tenonet": tuple(ours())}
    rows[f"ONNX Runtime {onnxruntime.__version__}"] = (onnx_runtime(net, image), None)
    rows[f"PyTorch {torch.__version__.split('+')[0]}"] = pytorch(net, image, images, labels)
    print(f"{'LeNet-5, one thread, µs':26} {'forward, 1':>12} {'training step, 64':>18}")
    for name, (forward, train) in rows.items():
        print(f"{name:26} {forward:12,.1f} {f'{train:,.0f}' if train else '–':>18}")


main()
