"""Convolutions of the engine, forward and both gradients, as a share of the machine's multiply-add peak.

    python benchmarks/conv.py [--threads 1 2] [--batch 8] [--sets resnet50 mnist few volumes] [--quick]

The operations counted are those of the plain definition, products with padding included; so a kernel that
leaves those out can pass 100 %. Results kept: benchmarks/results/conv.md.
"""

import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _kernels import Call, header, median, op_call, run_threads, seconds

from pykeras import _core

# Every convolution shape of ResNet50 at 224 x 224: size of the image, channels in, kernel, stride,
# channels out, and how often the network has it.
RESNET50 = [
    (224, 3, 7, 2, 64, 1),
    (56, 64, 1, 1, 64, 1),
    (56, 64, 3, 1, 64, 3),
    (56, 64, 1, 1, 256, 4),
    (56, 256, 1, 1, 64, 2),
    (56, 256, 1, 2, 128, 1),
    (56, 256, 1, 2, 512, 1),
    (28, 128, 3, 1, 128, 4),
    (28, 128, 1, 1, 512, 4),
    (28, 512, 1, 1, 128, 3),
    (28, 512, 1, 2, 256, 1),
    (28, 512, 1, 2, 1024, 1),
    (14, 256, 3, 1, 256, 6),
    (14, 256, 1, 1, 1024, 6),
    (14, 1024, 1, 1, 256, 5),
    (14, 1024, 1, 2, 512, 1),
    (14, 1024, 1, 2, 2048, 1),
    (7, 512, 3, 1, 512, 3),
    (7, 512, 1, 1, 2048, 3),
    (7, 2048, 1, 1, 512, 2),
]
# The MNIST CNN of Keras's examples, 'valid', batch 128.
MNIST = [(28, 1, 3, 1, 32, 1), (26, 32, 3, 1, 64, 1)]
# Few channels in or out, 'same': the first layers of small networks and of discriminators, the last ones of
# generators and of networks that make images larger.
FEW = [
    (32, 3, 3, 1, 32, 1),
    (28, 1, 5, 2, 64, 1),
    (64, 3, 4, 2, 64, 1),
    (64, 64, 3, 1, 3, 1),
    (32, 32, 9, 1, 3, 1),
    (28, 64, 3, 1, 1, 1),
]
SETS = ["resnet50", "mnist", "few", "volumes"]
# Volumes: a cube's side instead of an image's, 'same'; the shapes of a small 3D U-Net and some more.
VOLUMES = [
    (32, 1, 3, 1, 16, 1),
    (32, 1, 5, 2, 32, 1),
    (32, 16, 3, 1, 32, 1),
    (32, 16, 3, 2, 32, 1),
    (16, 32, 3, 1, 64, 1),
    (16, 64, 1, 1, 128, 1),
    (8, 64, 3, 1, 128, 1),
    (4, 128, 3, 1, 256, 1),
    (32, 16, 3, 1, 1, 1),
]


def layer(
    batch: int, size: int, c: int, kernel: int, stride: int, co: int, padding: str, axes: int
) -> tuple[list[Call], int]:
    """The three ops of one layer over so many axes, as calls, and the multiply-adds of each."""
    rng = np.random.default_rng(0)
    out = -(-size // stride) if padding == "same" else (size - kernel) // stride + 1
    x = rng.standard_normal((batch, *[size] * axes, c)).astype("float32")
    k = rng.standard_normal((*[kernel] * axes, c, co)).astype("float32")
    g = rng.standard_normal((batch, *[out] * axes, co)).astype("float32")
    attrs = {"strides": [stride] * axes, "padding": padding}
    name = f"conv{axes}d"
    ops = [(name, [x, k]), (f"{name}_input_grad", [g, k, x]), (f"{name}_kernel_grad", [x, g, k])]
    calls = [op_call(name, inputs, attrs)[0] for name, inputs in ops]
    return calls, g.size * kernel**axes * c


def worker(threads: int, batch: int, sets: list[str], quick: bool) -> None:
    """Prints the tables of one number of threads."""
    _core.set_num_threads(threads)
    tables = {
        "resnet50": (f"ResNet50, batch {batch}", RESNET50, batch, "same", 2),
        "mnist": ("MNIST CNN, batch 128", MNIST, 128, "valid", 2),
        "few": ("Few channels, batch 32", FEW, 32, "same", 2),
        "volumes": ("Volumes, batch 1", VOLUMES, 1, "same", 3),
    }
    for title, layers, size, padding, axes in (tables[name] for name in sets):
        print(f"\n## {title}, {threads} thread{'s' if threads > 1 else ''}\n")
        thrice = [f"{what} | of peak | best" for what in ("forward", "input gradient", "kernel gradient")]
        print(f"| image | in | kernel | stride | out | × | {' | '.join(thrice)} |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
        spent, work = [0.0, 0.0, 0.0], 0.0
        rates = []
        for hw, c, kernel, stride, co, times in layers[: 4 if quick else None]:
            calls, macs = layer(size, hw, c, kernel, stride, co, padding, axes)
            peak = _core.fma_peak(threads)
            runs, quiet = seconds(calls)
            peak = max(peak, _core.fma_peak(threads))
            rates.append(peak)
            cells = []
            for i, run in enumerate(runs):
                t = median(run)
                spent[i] += times * t
                cells.append(
                    f"{t * 1e3:.2f} ms | {200 * macs / t / peak:.0f} % | {200 * macs / min(run) / peak:.0f} %"
                )
            work += 2.0 * times * macs
            shape = (
                f"{hw}{'²³'[axes - 2]} | {c} | {'×'.join([str(kernel)] * axes)} | {stride} | {co} | {times}"
            )
            print(f"| {shape} | {' | '.join(cells)} |{'' if quiet else ' ~'}", flush=True)
        peak = max(rates)
        total = " | ".join(f"{t * 1e3:.1f} ms | {100 * work / t / peak:.0f} % | " for t in spent)
        print(f"| all | | | | | | {total} |\n\nPeak: {peak * 1e-9:.1f} GFLOP/s.", flush=True)


def main() -> None:
    """Parses the arguments; one process per number of threads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--batch", type=int, default=8, help="images per step of the ResNet50 layers")
    parser.add_argument("--quick", action="store_true", help="only the first layers")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS, help="which layers")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.batch, args.sets, args.quick)
        return
    print(header("Convolutions"), flush=True)
    more = ["--batch", str(args.batch), "--sets", *args.sets] + ["--quick"] * args.quick
    run_threads(os.path.abspath(__file__), args.threads, more)


if __name__ == "__main__":
    main()
