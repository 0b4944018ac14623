"""Convolutions of the engine, forward and both gradients, as a share of the machine's multiply-add peak.

    python benchmarks/conv.py [--threads 1 2] [--batch 8] [--quick]

The operations counted are those of the plain definition, products with padding included; so a kernel that
leaves those out can pass 100 %. Results kept: benchmarks/results/conv.md.
"""

import argparse
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _kernels import header, median, op_call, run_threads, seconds

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


def layer(batch: int, size: int, c: int, kernel: int, stride: int, co: int, padding: str) -> list[tuple]:
    """The three ops of one layer as (inputs, op), and the multiply-adds of each."""
    rng = np.random.default_rng(0)
    out = -(-size // stride) if padding == "same" else (size - kernel) // stride + 1
    x = rng.standard_normal((batch, size, size, c)).astype("float32")
    k = rng.standard_normal((kernel, kernel, c, co)).astype("float32")
    g = rng.standard_normal((batch, out, out, co)).astype("float32")
    attrs = {"strides": [stride, stride], "padding": padding}
    ops = [("conv2d", [x, k]), ("conv2d_input_grad", [g, k, x]), ("conv2d_kernel_grad", [x, g, k])]
    calls = [op_call(name, inputs, attrs)[0] for name, inputs in ops]
    return calls, g.size * kernel * kernel * c


def worker(threads: int, batch: int, quick: bool) -> None:
    """Prints the tables of one number of threads."""
    _core.set_num_threads(threads)
    for title, layers, size, padding in [
        (f"ResNet50, batch {batch}", RESNET50[:4] if quick else RESNET50, batch, "same"),
        ("MNIST CNN, batch 128", MNIST, 128, "valid"),
    ]:
        print(f"\n## {title}, {threads} thread{'s' if threads > 1 else ''}\n")
        thrice = [f"{what} | of peak | best" for what in ("forward", "input gradient", "kernel gradient")]
        print(f"| image | in | kernel | stride | out | × | {' | '.join(thrice)} |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
        spent, work = [0.0, 0.0, 0.0], 0.0
        rates = []
        for hw, c, kernel, stride, co, times in layers:
            calls, macs = layer(size, hw, c, kernel, stride, co, padding)
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
            print(
                f"| {hw}² | {c} | {kernel}×{kernel} | {stride} | {co} | {times} | {' | '.join(cells)} |"
                f"{'' if quiet else ' ~'}",
                flush=True,
            )
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
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.batch, args.quick)
        return
    print(header("Convolutions"), flush=True)
    more = ["--batch", str(args.batch)] + ["--quick"] * args.quick
    run_threads(os.path.abspath(__file__), args.threads, more)


if __name__ == "__main__":
    main()
