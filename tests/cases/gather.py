"""Ops that choose elements by whole numbers."""

from __future__ import annotations

import numpy as np

from . import In, OpCase, integers

INDICES = ("int32", "int64")
TYPES = ("int32", "int64", "uint8", "bool")


def gather_grad(g: np.ndarray, indices: np.ndarray, params: np.ndarray) -> np.ndarray:
    out = np.zeros(params.shape)
    np.add.at(out, indices, g)
    return out


def one_hot(indices: np.ndarray, n: int, dtype: str) -> np.ndarray:
    return (np.asarray(indices)[..., None] == np.arange(n)).astype(dtype)


def pick(x: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, index[..., None], -1)[..., 0]


def pick_grad(g: np.ndarray, index: np.ndarray, x: np.ndarray) -> np.ndarray:
    out = np.zeros(x.shape)
    np.put_along_axis(out, index[..., None], g[..., None], -1)
    return out


def in_top_k(predictions: np.ndarray, targets: np.ndarray, k: int) -> np.ndarray:
    inside = (targets >= 0) & (targets < predictions.shape[1])
    score = pick(predictions, np.where(inside, targets, 0))
    return inside & ((predictions > score[:, None]).sum(1) < k)


def index(*shape: int | None, dtype: str = "int32", n: int = 5) -> In:
    return In(shape, dtype, integers(0, n))


CASES = [
    *[
        case
        for d in INDICES
        for case in (
            OpCase("gather", lambda p, i: p[i], [In((5, 3)), index(None, 4, dtype=d)], label=d),
            OpCase("gather", lambda p, i: p[i], [In((5,)), index(None, dtype=d)], label=f"vector {d}"),
            OpCase("gather", lambda p, i: p[i], [In((5, 2, 3)), index(dtype=d)], label=f"one {d}"),
            OpCase(
                "gather_grad", gather_grad, [In((None, 4, 3)), index(None, 4, dtype=d), In((5, 3))], label=d
            ),
            OpCase("pick", pick, [In((None, 5)), index(None, dtype=d)], label=d),
            OpCase("pick", pick, [In((None, 3, 5)), index(None, 3, dtype=d)], label=f"3d {d}"),
            OpCase(
                "pick_grad", pick_grad, [In((None, 3)), index(None, 3, dtype=d), In((None, 3, 5))], label=d
            ),
            OpCase("one_hot", one_hot, [index(None, 3, dtype=d)], {"n": 5, "dtype": "float32"}, label=d),
        )
    ],
    OpCase(
        "gather",
        lambda p, i: p[i],
        [In((5, 3), domain=integers(0, 2)), index(None, 4)],
        label="types",
        dtypes=TYPES,
    ),
    OpCase("pick", pick, [In((None, 5), domain=integers(0, 2)), index(None)], label="types", dtypes=TYPES),
    *[
        OpCase(
            "one_hot",
            one_hot,
            [In((None,), "int32", integers(-2, 7))],
            {"n": 5, "dtype": d},
            label=f"outside {d}",
        )
        for d in ("float32", "float64", *TYPES)
    ],
    OpCase(
        "one_hot",
        one_hot,
        [In((None,), "uint8", integers(0, 9))],
        {"n": 5, "dtype": "float32"},
        label="uint8",
    ),
    *[
        OpCase(
            "in_top_k", in_top_k, [In((None, 6)), In((None,), d, integers(-1, 7))], {"k": k}, label=f"{d}{k}"
        )
        for d in INDICES
        for k in (1, 3, 6)
    ],
    OpCase(
        "in_top_k", in_top_k, [In((None, 4), domain=integers(0, 2)), index(None, n=4)], {"k": 2}, label="ties"
    ),
]
