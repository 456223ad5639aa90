"""PyTorch and ONNX Runtime as contestants of `run`; the protocol is that of `rust/contest/src/lib.rs`.

    contestants.py export FOLDER
    contestants.py torch | ort THREADS FOLDER
"""

import pathlib
import statistics
import sys
import time

import torch
from torch.nn import functional

from networks import NETWORKS, export

BATCH = 64


def slice_of(seconds, call):
    """The median over blocks of about a millisecond, in microseconds a call, after a warm-up of a tenth of the time."""
    start, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - start < 0.1 * seconds:
        call()
        calls += 1
    guess = (time.perf_counter() - start) / calls
    if guess > seconds:
        return guess * 1e6
    block, blocks = max(1, int(1e-3 / guess)), []
    end = time.perf_counter() + seconds
    while not blocks or time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(block):
            call()
        blocks.append((time.perf_counter() - start) / block * 1e6)
    return statistics.median(blocks)


def torch_forward(make, shape, batch):
    net, x = make().eval(), torch.randn(batch, *shape)

    def call():
        with torch.inference_mode():
            net(x)

    return call


def torch_train(make, shape):
    net, x, labels = make().train(), torch.randn(BATCH, *shape), torch.randint(0, 2, (BATCH,))
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def call():
        sgd.zero_grad(set_to_none=True)
        functional.cross_entropy(net(x), labels).backward()
        sgd.step()

    return call


def torch_cases():
    for name, (make, shape, trained) in NETWORKS.items():
        print(f"fact {name}/saved {saved_bytes(make, shape)}")
        yield f"{name}/forward_1", lambda make=make, shape=shape: torch_forward(make, shape, 1)
        yield f"{name}/forward_{BATCH}", lambda make=make, shape=shape: torch_forward(make, shape, BATCH)
        if trained:
            yield f"{name}/train_{BATCH}", lambda make=make, shape=shape: torch_train(make, shape)


def saved_bytes(make, shape):
    """Bytes that autograd keeps of one image between forward and backward: storages, each once, without parameters, statistics and the input itself."""
    net, x = make().train(), torch.randn(BATCH, *shape)
    known = {tensor.untyped_storage().data_ptr() for tensor in [x, *net.parameters(), *net.buffers()]}
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in known:
            # The tensor itself is kept, so that no other storage comes to lie there.
            kept[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = net(x)
        loss = functional.cross_entropy(y, torch.zeros(BATCH, dtype=torch.long)) if y.dim() == 2 else y.sum()
    del loss
    return sum(size for size, _ in kept.values()) // BATCH


def ort_cases(threads, folder):
    import onnxruntime

    def session(name, shape, batch):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        run = onnxruntime.InferenceSession(folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"]).run
        x = {"x": torch.randn(batch, *shape).numpy()}
        return lambda: run(None, x)

    for name, (_, shape, _) in NETWORKS.items():
        for batch in (1, BATCH):
            yield f"{name}/forward_{batch}", lambda name=name, shape=shape, batch=batch: session(name, shape, batch)


def serve(version, cases):
    print("version", version)
    cases = dict(cases)
    for name in cases:
        print("case", name)
    print("ready", flush=True)
    ready = {}
    for line in sys.stdin:
        _, name, seconds = line.split()
        if name not in ready:
            ready[name] = cases[name]()
        print(slice_of(float(seconds), ready[name]), flush=True)


def main():
    what, *arguments = sys.argv[1:]
    if what == "export":
        return export(pathlib.Path(arguments[0]))
    threads, folder = int(arguments[0]), pathlib.Path(arguments[1])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if what == "torch":
        serve(f"PyTorch {torch.__version__.split('+')[0]}", torch_cases())
    else:
        import onnxruntime

        serve(f"ONNX Runtime {onnxruntime.__version__}", ort_cases(threads, folder))


main()
