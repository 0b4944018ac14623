"""Matrix products of the engine against the machine's measured multiply-add peak, next to NumPy's BLAS.

    python benchmarks/gemm.py [--threads 1 2] [--quick]

Every size is listed, also those where NumPy is faster. Results kept: benchmarks/results/gemm.md.
"""

import argparse
import functools
import os
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _kernels import header, median, op_call, run_threads, seconds

from pykeras import _core

# m, n, k, transposed operands: what it stands for
SIZES = [
    (1024, 1024, 1024, "", "the target: 70 % of the peak"),
    (512, 512, 512, "", ""),
    (2048, 2048, 2048, "", ""),
    (1024, 1024, 1024, "b", "gradient of a dense input"),
    (1024, 1024, 1024, "a", "gradient of a dense kernel"),
    (128, 128, 9216, "", "MNIST CNN, Dense 128 at batch 128"),
    (128, 9216, 128, "b", "its input gradient"),
    (9216, 128, 128, "a", "its kernel gradient"),
    (32, 1000, 2048, "", "ResNet50's classifier at batch 32"),
    (100, 300, 70, "", "odd sizes"),
    (8, 512, 512, "", "few rows"),
    (1, 1000, 2048, "", "one row"),
    (1, 32, 10, "", "first layer of a small network at batch 1 (mostly the call itself)"),
]


def worker(threads: int, quick: bool) -> None:
    """Prints the table of one number of threads."""
    _core.set_num_threads(threads)
    print(f"\n## {threads} thread{'s' if threads > 1 else ''}\n")
    print("| dtype | m × n × k | T | median | best | GFLOP/s | of peak | best | NumPy | NumPy/ours | |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for dtype in ("float32", "float64"):
        for m, n, k, trans, note in SIZES[:1] if quick else SIZES:
            rng = np.random.default_rng(0)
            a = rng.standard_normal((k, m) if trans == "a" else (m, k)).astype(dtype)
            b = rng.standard_normal((n, k) if trans == "b" else (k, n)).astype(dtype)
            attrs = {"trans_a": trans == "a", "trans_b": trans == "b"}
            ours, result = op_call("matmul", [a, b], attrs)
            x, w, out = a.T if trans == "a" else a, b.T if trans == "b" else b, np.empty((m, n), dtype)
            # The peak before and after: what the machine gives at this moment.
            peak = _core.fma_peak(threads)
            numpy_call = functools.partial(np.matmul, x, w, out=out)
            (mine, theirs), quiet = seconds([ours, numpy_call])
            peak = max(peak, _core.fma_peak(threads)) * (1 if dtype == "float32" else 0.5)
            assert np.allclose(result(), out, rtol=1e-3, atol=1e-3)
            flops, t = 2.0 * m * n * k, median(mine)
            print(
                f"| {dtype} | {m} × {n} × {k} | {trans} | {t * 1e6:.1f} µs | {min(mine) * 1e6:.1f} µs "
                f"| {flops / t * 1e-9:.1f} | {100 * flops / t / peak:.0f} % "
                f"| {100 * flops / min(mine) / peak:.0f} % "
                f"| {median(theirs) * 1e6:.1f} µs | {median(theirs) / t:.2f} "
                f"| {note} |{'' if quiet else ' ~'}",
                flush=True,
            )


def main() -> None:
    """Parses the arguments; one process per number of threads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true", help="only 1024³")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.quick)
        return
    print(header("Matrix products"))
    print("NumPy/ours above 1: the engine is faster. T: the operand that is given transposed.", flush=True)
    more = ["--quick"] * args.quick
    run_threads(os.path.abspath(__file__), args.threads, more)


if __name__ == "__main__":
    main()
