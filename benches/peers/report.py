"""What `run` measured, as Markdown."""

# Key: name, what is largest of input + output (+ shortcut) of a single step, in elements.
NETWORKS = {
    # The first convolution with its pooling: 28·28 + 6·14·14.
    "lenet5": ("LeNet-5", 784 + 1176),
    # The second convolution with its pooling: 32·26·26 + 64·12·12.
    "mnist_cnn": ("mnist_cnn", 21632 + 9216),
    # The third convolution, with the block's input that is added: 3 · 16·32·32.
    "resnet8": ("ResNet-8", 3 * 16384),
    # The first 1×1: (8 + 16)·48·48.
    "mobilenet_v1": ("MobileNetV1-0.25 96²", 18432 + 36864),
    # 64·56·56, in and out.
    "conv64": ("conv 64→64 3×3 56²", 2 * 200704),
}
KINDS = {"forward_1": "forward, 1 image", "forward_64": "forward, 64 images", "train_64": "training step, 64 images"}
# The peer, and how many times as long it should take, by kind and network.
TARGETS = {
    "forward_1": ("ONNX Runtime", {"lenet5": 3, "mnist_cnn": 1.5, "resnet8": 1.25, "mobilenet_v1": 1.5, "conv64": 1.05}),
    "forward_64": ("ONNX Runtime", {"lenet5": 2, "mnist_cnn": 1.1, "resnet8": 1.2, "mobilenet_v1": 1.4, "conv64": 1.05}),
    "train_64": ("PyTorch", {"lenet5": 4, "mnist_cnn": 2, "resnet8": 2.2, "mobilenet_v1": 5}),
}
# Of the peak, forward; backward is 60 %.
SHARES = {"conv64.conv1": 85, "mnist_cnn.conv2": 85}
SHARE_OF_RESNET, SHARE_BACKWARD = 70, 60
THREADS, AVX2_SLACK = 1.8, 1.15
MEMORY, LENET_SCRATCH = 1.5, 8 * 1024


def number(value):
    """Three digits or more, with commas."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def mark(value, wanted, at_most=False):
    return "✓" if (value <= wanted if at_most else value >= wanted) else "✗"


def report(results):
    parts = [
        head(results),
        "## Targets, one thread: the peer's time by ours\n\n" + targets(results),
        "## Times, one thread\n\nMicroseconds; in brackets, by ours.\n",
        *(f"### {text[0].upper()}{text[1:]}\n\n" + times(results, kind) for kind, text in KINDS.items()),
        "## Of the peak\n\n" + peak(results),
        "## Layers\n\n" + layers(results),
        "## AVX2 alone\n\n" + avx2(results),
        "## Two threads\n\n" + two(results) if "two" in results else "",
        "## Memory\n\n" + sizes(results) + "\n" + resident(results),
    ]
    return "\n".join(part for part in parts if part)


def head(results):
    options, versions = results["options"], results["versions"]
    lines = ["# Ours beside its peers", ""]
    lines += [f"- {key}: {value}" for key, value in results["machine"].items()]
    peaks = ", ".join(f"{name} {value:.0f} GFLOP/s" for name, value in sorted(results["peak"].items()))
    lines.append(f"- multiply-add peak of a core, in this run: {peaks}")
    lines.append("- contestants: " + ", ".join(versions.values()))
    lines.append(
        f"- medians of {options.rounds} rounds of {options.seconds} s each, everyone in turn; the same core for all at one thread"
    )
    if "apart" in results:
        worst = max(results["apart"].values())
        lines.append(f"- the same networks: with PyTorch's weights, outputs differ from its by {worst:.0e} of the largest at most")
    return "\n".join(lines) + "\n"


def ratio(results, kind, network, peer):
    found = results["one"].get(f"{network}/{kind}", {})
    return found[peer] / found["ours"] if peer in found and "ours" in found else None


def targets(results):
    rows = []
    for kind, (peer, wanted) in TARGETS.items():
        row = [f"{KINDS[kind]}, against {peer}"]
        for network in NETWORKS:
            measured = ratio(results, kind, network, peer) if network in results["networks"] else None
            if network not in wanted:
                row.append("–")
            elif measured is None:
                row.append(f"– (≥ {wanted[network]})")
            else:
                row.append(f"{measured:.2f} (≥ {wanted[network]}) {mark(measured, wanted[network])}")
        rows.append(row)
    return table(["", *(name for name, _ in NETWORKS.values())], rows)


def times(results, kind):
    networks = [name for name in results["networks"] if f"{name}/{kind}" in results["one"]]
    rows = []
    for contestant, version in results["versions"].items():
        row = [version]
        for network in networks:
            found = results["one"][f"{network}/{kind}"]
            by_ours = f" ({found[contestant] / found['ours']:.2f})" if contestant in found and contestant != "ours" else ""
            row.append(number(found.get(contestant)) + by_ours)
        if any(cell != "–" for cell in row[1:]):
            rows.append(row)
    return table(["", *(NETWORKS[name][0] for name in networks)], rows)


def top(results):
    """The highest peak, which is that of the instructions that are used."""
    return max(results["peak"].values(), default=None)


def rate(results, flops, microseconds):
    """GFLOP/s and the share of the peak."""
    gflops = flops / microseconds / 1e3
    return f"{gflops:.0f} ({100 * gflops / top(results):.0f} %)" if top(results) else f"{gflops:.0f}"


def peak(results):
    text = "GFLOP/s of whole networks, in brackets the share of the peak. A training step counts as three forward passes.\n\n"
    rows = []
    for kind, name in KINDS.items():
        row = [name]
        for network in results["networks"]:
            time = results["one"].get(f"{network}/{kind}", {}).get("ours")
            images = int(kind.split("_")[1]) * (3 if kind.startswith("train") else 1)
            flops = 2 * results["facts"][f"{network}/macs"] * images
            row.append(rate(results, flops, time) if time else "–")
        rows.append(row)
    return text + table(["", *(NETWORKS[name][0] for name in results["networks"])], rows)


def layers(results):
    text = (
        "Convolutions by themselves, as they lie inside a network: GFLOP/s and the share of the peak. Forward is one image, with ReLU; dW (with the\n"
        "biases' gradient and ReLU's mask) is a micro-batch; dX is what backward takes longer when it is asked for: of a shortcut (skip) it is\n"
        "added to that of its branch. A network's first convolution has none.\n\n"
    )
    rows = []
    for name in sorted({case.split("/")[1] for case in results["layers"]}):
        times = {what: results["layers"].get(f"layer/{name}/{what}", {}).get("ours") for what in ("forward", "dw", "dw_dx")}
        flops, images = results["facts"][f"{name}/flops"], results["facts"][f"{name}/images"]
        wanted = SHARES.get(name, SHARE_OF_RESNET if name.startswith("resnet8") else None)
        row = [name]
        # Where dX costs nothing that can be measured, its rate would be a fiction.
        d_x = times["dw_dx"] and max(times["dw_dx"] - times["dw"], 0.01 * times["dw"])
        for flops, time, least in (
            (flops, times["forward"], wanted),
            (flops * images, times["dw"], wanted and SHARE_BACKWARD),
            (flops * images, d_x, wanted and SHARE_BACKWARD),
        ):
            if time is None:
                row.append("–")
                continue
            share = 100 * flops / time / 1e3 / top(results) if top(results) else 0
            row.append(rate(results, flops, time) + (f" {mark(share, least)}" if least else ""))
        row.append(f"≥ {wanted} %, ≥ {SHARE_BACKWARD} %" if wanted else "–")
        rows.append(row)
    return text + table(["", "forward", "dW", "dX", "wanted"], rows)


def avx2(results):
    peaks = results["peak"]
    if "avx512" not in peaks:
        return "This machine has nothing above it.\n"
    wanted = peaks["avx512"] / peaks["avx2"]
    text = f"With TENONET_SIMD=avx2: its time by that of AVX-512. The peaks' ratio is {wanted:.2f}; wanted is at most that + 15 %.\n\n"
    rows = []
    for kind, name in KINDS.items():
        row = [name]
        for network in results["networks"]:
            found = results["one"].get(f"{network}/{kind}", {})
            if "ours" in found and "ours, AVX2" in found:
                loss = found["ours, AVX2"] / found["ours"]
                row.append(f"{loss:.2f} {mark(loss, wanted * AVX2_SLACK, at_most=True)}")
            else:
                row.append("–")
        rows.append(row)
    return text + table(["", *(NETWORKS[name][0] for name in results["networks"])], rows)


def two(results):
    text = (
        f"Microseconds; ours wanted ≥ {THREADS} times as fast as on one. Training is the trainer's, with its shuffling and gathering; peers by ours in brackets.\n\n"
    )
    if results.get("together"):
        text += f"Two cores at once reach {results['together']:.2f} times the multiply-adds of one in this run.\n\n"
    rows = []
    for kind, ours, peers in (("forward, 64 images", "forward_64", "forward_64"), ("training step, 64 images", "trainer_64", "train_64")):
        for network in results["networks"]:
            found = dict(results["two"].get(f"{network}/{peers}", {}))
            found.update(results["two"].get(f"{network}/{ours}", {}))
            one, both = found.get("ours, 1"), found.get("ours, 2")
            if not (one and both):
                continue
            row = [f"{NETWORKS[network][0]}, {kind}", number(one), number(both), f"{one / both:.2f} {mark(one / both, THREADS)}"]
            for peer in ("ONNX Runtime", "PyTorch"):
                row.append(f"{number(found[peer])} ({found[peer] / both:.2f})" if peer in found else "–")
            rows.append(row)
    return text + table(["", "ours, 1", "ours, 2", "speed-up", "ONNX Runtime, 2", "PyTorch, 2"], rows)


def sizes(results):
    facts, rows = results["facts"], []
    for network in results["networks"]:
        scratch, bound = facts[f"{network}/scratch"], 4 * NETWORKS[network][1]
        if network == "lenet5":
            bound = max(bound, LENET_SCRATCH)
        tape, saved = facts[f"{network}/tape"], facts.get(f"{network}/saved")
        by_tape = f"{saved:,} ({saved / tape:.1f})" if saved else "–"
        kept = facts[f"{network}/thread"]
        rows.append([NETWORKS[network][0], f"{scratch:,} {mark(scratch, bound, at_most=True)}", f"{bound:,}", f"{kept:,}", f"{tape:,}", by_tape])
    text = (
        "Bytes. Scratch is all that inference of an image needs beside weights, input and output; its bound is the largest input\n"
        "and output of a single step (8 KiB for LeNet-5). On a host, inference borrows so much beside it of a space that each thread keeps for all networks, for\n"
        "Winograd's tiles. The tape is what training keeps of an image between forward and backward; PyTorch's are the storages that autograd saves,\n"
        "each once, without parameters and the input.\n\n"
    )
    return text + table(["", "scratch", "bound", "of the thread", "tape", "PyTorch saves (by ours)"], rows)


def resident(results):
    rows = []
    for network, found in results["memory"].items():
        bound = MEMORY * (found["data"] + found["parameters"] * (3 + found["lanes"]))
        cells = [found[key] / 1e6 for key in ("data", "parameters", "program", "resident")]
        rows.append(
            [NETWORKS[network][0], *(f"{cell:,.1f}" for cell in cells), found["lanes"], f"{bound / 1e6:,.1f}", mark(found["resident"], bound, True)]
        )
    text = "A training on 70,000 images of MNIST's size, batches of 64: megabytes resident at the most; bound: 1.5 × (data + parameters × (3 + lanes)).\n\n"
    return text + table(["", "data", "parameters", "program alone", "resident", "lanes", "bound", ""], rows)
