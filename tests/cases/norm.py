"""Softmax and batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import In, OpCase, uniform


def softmax(x: np.ndarray, axis: int) -> np.ndarray:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def log_softmax(x: np.ndarray, axis: int) -> np.ndarray:
    x = x - x.max(axis=axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis=axis, keepdims=True))


def _split(x: np.ndarray, axis: int) -> tuple[tuple[int, ...], Any]:
    axes = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    return axes, lambda v: np.expand_dims(v, axes)


def batch_norm_train(x: Any, gamma: Any, beta: Any, axis: int, epsilon: float) -> tuple[np.ndarray, ...]:
    axes, wide = _split(x, axis)
    mean, var = x.mean(axes), x.var(axes)
    return (x - wide(mean)) / np.sqrt(wide(var) + epsilon) * wide(gamma) + wide(beta), mean, var


def batch_norm_train_grad(
    g: Any, x: Any, gamma: Any, mean: Any, var: Any, axis: int, epsilon: float
) -> tuple[np.ndarray, ...]:
    axes, wide = _split(x, axis)
    deviation = np.sqrt(wide(var) + epsilon)
    normed = (x - wide(mean)) / deviation
    dx = g - wide(g.mean(axes)) - normed * wide((g * normed).mean(axes))
    return wide(gamma) / deviation * dx, (g * normed).sum(axes), g.sum(axes)


POSITIVE = uniform(0.5, 2.0)
BIG = uniform(-200.0, 200.0)

CASES = [
    *[
        OpCase(name, ref, [In(shape)], {"axis": axis}, label=f"{len(shape)}d{axis}")
        for name, ref in (("softmax", softmax), ("log_softmax", log_softmax))
        for shape, axis in (
            ((None, 5), -1),
            ((None, 3, 4), 1),
            ((None, 3, 4), -1),
            ((None, 3), 0),
            ((None, 37), 1),
        )
    ],
    OpCase("softmax", softmax, [In((None, 6), domain=BIG)], {"axis": -1}, label="big", grad=False),
    OpCase("log_softmax", log_softmax, [In((None, 6), domain=BIG)], {"axis": -1}, label="big", grad=False),
    *[
        OpCase(
            "batch_norm_train",
            batch_norm_train,
            [In(shape), In((shape[axis],)), In((shape[axis],))],
            {"axis": axis, "epsilon": 1e-3},
            label=f"{len(shape)}d{axis}",
            tol=5e-6,
        )
        for shape, axis in (((None, 5), -1), ((None, 3, 2, 4), 3), ((None, 3, 2, 2), 1), ((None, 4, 3), 1))
    ],
    *[
        OpCase(
            "batch_norm_train_grad",
            batch_norm_train_grad,
            [
                In(shape),
                In(shape),
                In((shape[axis],)),
                In((shape[axis],)),
                In((shape[axis],), domain=POSITIVE),
            ],
            {"axis": axis, "epsilon": 1e-3},
            label=f"{len(shape)}d{axis}",
            tol=5e-6,
        )
        for shape, axis in (((None, 5), -1), ((None, 3, 2, 4), 3), ((None, 3, 2, 2), 1))
    ],
]
