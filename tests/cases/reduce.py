"""Reductions, running sums and products, positions of extrema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import INTS, NUMBERS, In, OpCase, integers, uniform, values

X = In((None, 3, 4))
AXES: list[list[int]] = [[], [0], [1], [2], [0, 1], [1, 2], [0, 2], [0, 1, 2]]


def reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axes, keepdims: function(x, axis=tuple(axes), keepdims=keepdims)


def family(name: str, function: Callable[..., Any], x: In = X, **options: Any) -> list[OpCase]:
    return [
        OpCase(
            name, reduction(function), [x], {"axes": axes, "keepdims": keep}, label=f"{axes}{keep}", **options
        )
        for axes in AXES
        for keep in (False, True)
    ]


def cumulative(function: Callable[..., Any], start: float) -> Callable[..., Any]:
    def ref(x: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
        if reverse:
            x = np.flip(x, axis)
        y = function(x, axis=axis)
        if exclusive:
            y = np.roll(y, 1, axis)
            first = [slice(None)] * y.ndim
            first[axis] = slice(0, 1)
            y[tuple(first)] = start
        return np.flip(y, axis) if reverse else y

    return ref


def linear_scan(a: np.ndarray, b: np.ndarray, axis: int, exclusive: bool, reverse: bool) -> np.ndarray:
    a, b = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    y = np.zeros_like(b)
    order = range(len(b))
    last = np.zeros_like(b[0])
    for k in reversed(order) if reverse else order:
        last = y[k] = a[k] * last + b[k]
    return np.moveaxis(y, 0, axis)


def cumulative_cases(name: str, ref: Callable[..., Any], inputs: list[In], **options: Any) -> list[OpCase]:
    return [
        OpCase(
            name,
            ref,
            inputs,
            {"axis": axis, "exclusive": exclusive, "reverse": reverse},
            label=f"{axis}{'e' * exclusive}{'r' * reverse}{options.get('label', '')}",
            **{k: v for k, v in options.items() if k != "label"},
        )
        for axis in (0, 1, -1)
        for exclusive in (False, True)
        for reverse in (False, True)
    ]


ZEROS = In((None, 3, 4), domain=values(1.5, 0, -2, 0.5, 3))
WHOLE = In((None, 3, 4), domain=integers(0, 5))
BOOL = In((None, 3, 4), "bool", integers(0, 2))
TIES = In((None, 3, 4), domain=integers(0, 3))
NAN = In((None, 3, 4), domain=values(1, 5, np.nan, 2, -1))
LONG = In((None, 1000), domain=uniform(0.0, 1.0))

CASES = [
    *family("sum", np.sum),
    *family("mean", np.mean),
    *family("prod", np.prod),
    *family("max", np.max),
    *family("min", np.min),
    OpCase("prod", reduction(np.prod), [ZEROS], {"axes": [1, 2], "keepdims": False}, label="zeros"),
    OpCase("sum", reduction(np.sum), [WHOLE], {"axes": [1], "keepdims": False}, label="int", dtypes=INTS),
    OpCase(
        "prod",
        reduction(np.prod),
        [In((None, 3), domain=integers(0, 5))],
        {"axes": [1], "keepdims": False},
        label="int",
        dtypes=INTS,
    ),
    OpCase("max", reduction(np.max), [WHOLE], {"axes": [1], "keepdims": False}, label="int", dtypes=INTS),
    OpCase("min", reduction(np.min), [WHOLE], {"axes": [0, 2], "keepdims": True}, label="int", dtypes=INTS),
    OpCase("max", reduction(np.max), [NAN], {"axes": [1], "keepdims": False}, label="nan", grad=False),
    OpCase("min", reduction(np.min), [NAN], {"axes": [2], "keepdims": False}, label="nan", grad=False),
    OpCase(
        "sum",
        reduction(np.sum),
        [LONG],
        {"axes": [1], "keepdims": False},
        label="long",
        tol=2e-5,
        second=False,
    ),
    OpCase(
        "mean",
        reduction(np.mean),
        [LONG],
        {"axes": [0, 1], "keepdims": False},
        label="long",
        tol=2e-5,
        second=False,
    ),
    *family("any", np.any, BOOL),
    *family("all", np.all, BOOL),
    *[
        OpCase(
            name,
            lambda x, axis, f=f: f(x, axis=axis).astype(np.int64),
            [x],
            {"axis": axis},
            label=f"{axis}{label}",
            dtypes=NUMBERS,
        )
        for name, f in (("argmax", np.argmax), ("argmin", np.argmin))
        for axis in (0, 1, -1)
        for label, x in (("", In((None, 3, 4), domain=integers(0, 100))), ("ties", TIES))
    ],
    OpCase("argmax", lambda x, axis: np.argmax(x, axis=axis), [NAN], {"axis": 1}, label="nan"),
    *cumulative_cases("cumsum", cumulative(np.cumsum, 0), [X]),
    *cumulative_cases("cumprod", cumulative(np.cumprod, 1), [X]),
    *cumulative_cases("cumprod", cumulative(np.cumprod, 1), [ZEROS], label="zeros"),
    *cumulative_cases(
        "cumsum",
        cumulative(np.cumsum, 0),
        [In((None, 3, 2), domain=integers(0, 5))],
        label="int",
        dtypes=INTS,
    ),
    *[
        OpCase(
            "linear_scan",
            linear_scan,
            [X, X],
            {"axis": axis, "exclusive": False, "reverse": reverse},
            label=f"{axis}{reverse}",
        )
        for axis in (0, 1, -1)
        for reverse in (False, True)
    ],
]
