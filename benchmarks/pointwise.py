"""Pointwise ops, reductions, softmax, batch normalisation, dropout and a fused Adam step, next to NumPy.

Each line: one call of a compiled function against the same formula in NumPy, alternating in short rounds on
the same arrays; medians, and the best round in brackets. Both allocate their results. GB/s counts what has to
be read and written once.

    python benchmarks/pointwise.py [--threads 1 2] [--isa avx2] [--only tanh adam] [--rounds 15]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from pykeras import _core

Array = np.ndarray


@dataclass
class Case:
    """One line: our function, NumPy's, and what they work on.

    `elements` counts results of pointwise work (for ns/element), `moved` bytes read and written once.
    """

    name: str
    ours: Callable[[], Any]
    numpy: Callable[[], Any]
    elements: int
    moved: int


def data(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def function(name: str, arrays: list[Array], **attrs: Any) -> Callable[[], Any]:
    values = [_core.placeholder(list(a.shape), str(a.dtype), "x") for a in arrays]
    compiled = _core.Function(values, _core.op(name, values, attrs, "bench"), [], name)
    return lambda: compiled(arrays)


def op_case(name: str, arrays: list[Array], numpy: Callable[..., Any], label: str = "", **attrs: Any) -> Case:
    shapes = " ".join("x".join(map(str, a.shape)) or "scalar" for a in arrays)
    result = np.asarray(numpy(*arrays)[0] if isinstance(numpy(*arrays), tuple) else numpy(*arrays))
    moved = sum(a.nbytes for a in arrays) + result.nbytes
    elements = max(result.size, arrays[0].size)
    return Case(
        f"{label or name} {shapes}", function(name, arrays, **attrs), lambda: numpy(*arrays), elements, moved
    )


def np_sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def np_softmax(x: Array) -> Array:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def np_batch_norm(x: Array, gamma: Array, beta: Array) -> tuple[Array, Array, Array]:
    axes = tuple(range(x.ndim - 1))
    mean, var = x.mean(axes), x.var(axes)
    return (x - mean) * (gamma / np.sqrt(var + np.float32(1e-3))) + beta, mean, var


def np_batch_norm_grad(
    g: Array, x: Array, gamma: Array, mean: Array, var: Array
) -> tuple[Array, Array, Array]:
    axes = tuple(range(x.ndim - 1))
    inverse = 1 / np.sqrt(var + np.float32(1e-3))
    normed = (x - mean) * inverse
    d_beta, d_gamma = g.sum(axes), (g * normed).sum(axes)
    n = np.float32(x.size // gamma.size)
    return gamma * inverse * (g - d_beta / n - normed * (d_gamma / n)), d_gamma, d_beta


def np_dropout(x: Array, rate: float) -> Array:
    keep = np.random.default_rng(0).random(x.shape, "float32") >= rate
    return x * keep * np.float32(1 / (1 - rate))


def adam(n: int) -> Case:
    """One step on one weight: three variables updated in one loop."""
    variables = [_core.Variable([n], "float32", name) for name in "wmv"]
    for i, variable in enumerate(variables):
        variable.set(np.abs(data(n, seed=i)))
    w, m, v = (variable.value for variable in variables)
    g_in = _core.placeholder([n], "float32", "g")

    def call(name: str, *values: Any) -> Any:
        return _core.op(name, list(values), {}, "bench")[0]

    def number(x: float) -> Any:
        return _core.constant(np.asarray(x, "float32"))

    new_m = call("add", call("mul", number(0.9), m), call("mul", number(0.1), g_in))
    new_v = call("add", call("mul", number(0.999), v), call("mul", number(0.001), call("square", g_in)))
    step = call("div", call("mul", number(0.001), new_m), call("add", call("sqrt", new_v), number(1e-7)))
    updates = list(zip(variables, [call("sub", w, step), new_m, new_v]))
    compiled = _core.Function([g_in], [], updates, "adam")
    g = data(n, seed=9)
    nw, nm, nv = (variable.get() for variable in variables)

    def numpy() -> None:
        nonlocal nw, nm, nv
        nm = np.float32(0.9) * nm + np.float32(0.1) * g
        nv = np.float32(0.999) * nv + np.float32(0.001) * np.square(g)
        nw = nw - np.float32(0.001) * nm / (np.sqrt(nv) + np.float32(1e-7))

    return Case(f"adam step {n}", lambda: compiled([g]), numpy, n, 7 * 4 * n)


def cases(only: list[str]) -> list[Case]:
    rows, wide = data(512, 512), data(2048, 2048)
    logits, images = data(128, 10), data(64, 28, 28, 64)
    channels = [np.abs(data(64, seed=i)) for i in range(3)]
    row, column = data(512, seed=1), data(512, 1, seed=2)
    sum_rows = {"axes": [1], "keepdims": False}
    made: list[Callable[[], Case]] = [
        lambda: op_case("add", [data(1000), data(1000, seed=1)], np.add),
        lambda: op_case("add", [rows, rows], np.add),
        lambda: op_case("add", [wide, wide], np.add),
        lambda: op_case("mul", [rows, np.float32(3).reshape(())], np.multiply),
        lambda: op_case("add", [rows, row], np.add, "add row"),
        lambda: op_case("add", [data(65536, 4), data(4, seed=1)], np.add, "add row"),
        lambda: op_case("mul", [rows, column], np.multiply, "mul column"),
        lambda: op_case("relu", [rows], lambda x: np.maximum(x, 0)),
        lambda: op_case("greater", [rows, rows[::-1].copy()], np.greater),
        lambda: op_case("sqrt", [np.abs(rows)], np.sqrt),
        lambda: op_case("exp", [rows], np.exp),
        lambda: op_case("exp", [wide], np.exp),
        lambda: op_case("log", [np.abs(rows)], np.log),
        lambda: op_case("log1p", [np.abs(rows)], np.log1p),
        lambda: op_case("expm1", [rows], np.expm1),
        lambda: op_case("tanh", [rows], np.tanh),
        lambda: op_case("sigmoid", [rows], np_sigmoid),
        lambda: op_case("softplus", [rows], lambda x: np.logaddexp(np.float32(0), x)),
        lambda: op_case("sin", [rows], np.sin),
        lambda: op_case("pow", [np.abs(rows), rows], np.power),
        lambda: op_case("tanh", [rows.astype("float64")], np.tanh, "tanh float64"),
        lambda: op_case("sum", [wide], lambda x: x.sum(), "sum all", axes=[0, 1], keepdims=False),
        lambda: op_case("sum", [rows], lambda x: x.sum(1), "sum rows", **sum_rows),
        lambda: op_case("sum", [data(20000, 10)], lambda x: x.sum(1), "sum rows", **sum_rows),
        lambda: op_case("sum", [wide], lambda x: x.sum(0), "sum columns", axes=[0], keepdims=False),
        lambda: op_case(
            "sum", [data(86528, 32)], lambda x: x.sum(0), "sum columns", axes=[0], keepdims=False
        ),
        lambda: op_case("sum", [logits], lambda x: x.sum(0), "sum columns", axes=[0], keepdims=False),
        lambda: op_case("mean", [images], lambda x: x.mean((1, 2)), "mean h w", axes=[1, 2], keepdims=False),
        lambda: op_case("max", [rows], lambda x: x.max(1), "max rows", **sum_rows),
        lambda: op_case("argmax", [data(20000, 10)], lambda x: x.argmax(1), axis=1),
        lambda: op_case("argmax", [rows], lambda x: x.argmax(1), axis=1),
        lambda: op_case("softmax", [logits], np_softmax, axis=1),
        lambda: op_case("softmax", [data(20000, 10)], np_softmax, axis=1),
        lambda: op_case("softmax", [data(256, 1000)], np_softmax, axis=1),
        lambda: op_case("batch_norm_train", [images, *channels[:2]], np_batch_norm, axis=3, epsilon=1e-3),
        lambda: op_case(
            "batch_norm_train_grad",
            [images, images[::-1].copy(), *channels],
            np_batch_norm_grad,
            axis=3,
            epsilon=1e-3,
        ),
        lambda: op_case("dropout", [rows], lambda x: np_dropout(x, 0.5), rate=0.5, seed=1),
        lambda: op_case("transpose", [wide], lambda x: np.ascontiguousarray(x.T), perm=[1, 0]),
        lambda: op_case(
            "transpose", [images], lambda x: np.ascontiguousarray(x.transpose(0, 3, 1, 2)), perm=[0, 3, 1, 2]
        ),
        lambda: op_case("concat", [images, images], lambda a, b: np.concatenate([a, b], -1), axis=3),
        lambda: adam(1000),
        lambda: adam(262144),
        lambda: adam(4194304),
    ]
    all_cases = [make() for make in made]
    return [c for c in all_cases if not only or any(word in c.name for word in only)]


def timed(f: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        f()
    return (time.perf_counter() - start) / calls


def measure(case: Case, rounds: int) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    calls = [max(1, int(3e-3 / max(timed(f, 2), 1e-7))) for f in (case.ours, case.numpy)]
    for _ in range(rounds):
        ours.append(timed(case.ours, calls[0]))
        theirs.append(timed(case.numpy, calls[1]))
    return ours, theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--isa", default="auto")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    _core.set_isa(options.isa)
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, {platform.machine()}, isa {_core.isa()}"
    )
    losses = []
    for threads in options.threads:
        _core.set_num_threads(threads)
        print(f"\n{threads} thread(s)")
        print(f"{'':38}{'median (best) us':>22}{'ns/elem':>9}{'GB/s':>7}{'NumPy us':>18}{'ratio':>8}")
        for case in cases(options.only):
            ours, theirs = measure(case, options.rounds)
            mid, np_mid = statistics.median(ours), statistics.median(theirs)
            mine = f"{mid * 1e6:12.1f} ({min(ours) * 1e6:7.1f})"
            rates = f"{mid / case.elements * 1e9:9.3f}{case.moved / mid / 1e9:7.1f}"
            print(
                f"{case.name[:38]:38}{mine}{rates}{np_mid * 1e6:9.1f} ({min(theirs) * 1e6:6.1f})"
                f"{np_mid / mid:7.2f}x"
            )
            if np_mid < mid:
                losses.append(f"{case.name}, {threads} thread(s): {np_mid / mid:.2f}x")
    print("\nSlower than NumPy:", "; ".join(losses) or "nothing")


if __name__ == "__main__":
    main()
