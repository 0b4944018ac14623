"""Broadcasting and its adjoint, and data made from shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import FLOATS, INTS, NUMBERS, In, OpCase, integers

ALL = (*NUMBERS, "bool")


def sum_to_like(g: np.ndarray, x: np.ndarray) -> np.ndarray:
    g = g.sum(axis=tuple(range(g.ndim - x.ndim)))
    return g.sum(axis=tuple(i for i, n in enumerate(x.shape) if n == 1), keepdims=True)


def broadcast_like(g: np.ndarray, x: np.ndarray, axes: list[int]) -> np.ndarray:
    if g.ndim != x.ndim:
        g = np.expand_dims(g, tuple(axes))
    return np.broadcast_to(g, x.shape)


def fill(*_: Any, shape: list[int], value: float, dtype: str) -> np.ndarray:
    return np.full(shape, value, dtype)


def sized(x: np.ndarray, axes: list[int], dtype: str) -> np.ndarray:
    return np.asarray(np.prod([x.shape[i] for i in axes], initial=1), dtype)


def arange(start: float, stop: float, step: float, dtype: str) -> np.ndarray:
    return np.arange(start, stop, step).astype(dtype)


X = In((None, 3, 4))

CASES = [
    OpCase("sum_to_like", sum_to_like, [X, In((4,))], label="row"),
    OpCase("sum_to_like", sum_to_like, [X, In((3, 1))], label="column"),
    OpCase("sum_to_like", sum_to_like, [X, In((None, 1, 4))], label="middle"),
    OpCase("sum_to_like", sum_to_like, [X, In(())], label="scalar"),
    OpCase("sum_to_like", sum_to_like, [X, In((1, 1, 1))], label="ones"),
    OpCase("sum_to_like", sum_to_like, [X, X], label="same"),
    OpCase("broadcast_like", broadcast_like, [In((None, 4)), X], {"axes": [1]}, label="1"),
    OpCase("broadcast_like", broadcast_like, [In((None, 1, 4)), X], {"axes": [1]}, label="1keep"),
    OpCase("broadcast_like", broadcast_like, [In((3,)), X], {"axes": [0, 2]}, label="02"),
    OpCase("broadcast_like", broadcast_like, [In(()), X], {"axes": [0, 1, 2]}, label="all"),
    OpCase("broadcast_like", broadcast_like, [X, X], {"axes": []}, label="none"),
    OpCase(
        "broadcast_like",
        broadcast_like,
        [In((None, 3), domain=integers(0, 9)), X],
        {"axes": [2]},
        label="int",
        dtypes=INTS,
    ),
    *[
        OpCase("axis_size", sized, [X], {"axes": axes, "dtype": dtype}, label=f"{axes}{dtype}")
        for axes in ([], [0], [1, 2], [0, 1, 2])
        for dtype in NUMBERS
    ],
    OpCase("shape", lambda x: np.asarray(x.shape, np.int32), [X]),
    OpCase("shape", lambda x: np.asarray(x.shape, np.int32), [In(())], label="scalar"),
    *[OpCase("fill", fill, [], {"shape": [2, 3], "value": 1.0, "dtype": d}, label=d) for d in ALL],
    OpCase("fill", fill, [], {"shape": [], "value": -2.5, "dtype": "float32"}, label="scalar"),
    OpCase("fill", fill, [], {"shape": [0, 3], "value": 1.0, "dtype": "float32"}, label="empty"),
    *[
        OpCase(
            "fill_like",
            lambda x, value, dtype: np.full(x.shape, value, dtype),
            [X],
            {"value": 3.0, "dtype": d},
            label=d,
        )
        for d in NUMBERS
    ],
    *[OpCase("range", arange, [], {"start": 2, "stop": 17, "step": 3, "dtype": d}, label=d) for d in NUMBERS],
    OpCase("range", arange, [], {"start": 5, "stop": -1, "step": -2, "dtype": "int32"}, label="down"),
    OpCase("range", arange, [], {"start": 5, "stop": 5, "step": 1, "dtype": "int32"}, label="empty"),
    OpCase("range", arange, [], {"start": 0, "stop": 1, "step": 0.3, "dtype": "float64"}, label="fraction"),
    *[
        OpCase(
            "eye", lambda n, m, dtype: np.eye(n, m, dtype=dtype), [], {"n": 3, "m": 4, "dtype": d}, label=d
        )
        for d in FLOATS
    ],
    OpCase(
        "eye",
        lambda n, m, dtype: np.eye(n, m, dtype=dtype),
        [],
        {"n": 3, "m": 2, "dtype": "int32"},
        label="int",
    ),
]
