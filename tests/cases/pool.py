"""Pooling of NHWC and NDHWC data, resizing of NHWC data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from . import In, OpCase, integers
from .conv import geometry


def axes_of(shape: Any, pool: Any, strides: Any, padding: str) -> list[tuple[int, int]]:
    """Number of windows and padding in front, along every spatial axis."""
    return [geometry(shape[a + 1], pool[a], strides[a], 1, padding, [0, 0]) for a in range(len(pool))]


def windows(shape: Any, pool: Any, strides: Any, padding: str) -> Iterator[tuple[Any, Any]]:
    """(index of the window in the result, the window's real cells as an index of the data)"""
    axes = axes_of(shape, pool, strides, padding)
    for out in itertools.product(*(range(n) for n, _ in axes)):
        firsts = [o * s - before for o, s, (_, before) in zip(out, strides, axes, strict=True)]
        real = (slice(max(f, 0), min(f + p, n)) for f, p, n in zip(firsts, pool, shape[1:], strict=False))
        yield (slice(None), *out), (slice(None), *real)


def pooled_shape(shape: Any, pool: Any, strides: Any, padding: str) -> tuple[Any, ...]:
    return (shape[0], *(n for n, _ in axes_of(shape, pool, strides, padding)), shape[-1])


def max_pool(x: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(pooled_shape(x.shape, **attrs))
    for out, cells in windows(x.shape, **attrs):
        y[out] = x[cells].max(axis=tuple(range(1, x.ndim - 1)))
    return y


def firsts(x: np.ndarray, cells: Any) -> tuple[np.ndarray, ...]:
    """Index arrays of the first maximum of the window, by sample and channel."""
    part = x[cells]
    n, *sizes, c = part.shape
    places = np.unravel_index(part.reshape(n, -1, c).argmax(axis=1), sizes)
    samples, channels = np.indices((n, c))
    return samples, *(s.start + at for s, at in zip(cells[1:], places, strict=True)), channels


def max_pool_grad(g: np.ndarray, x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    x = _consistent(x, y, **attrs)
    dx = np.zeros(x.shape)
    for out, cells in windows(x.shape, **attrs):
        np.add.at(dx, firsts(x, cells), g[out])
    return dx


def max_pool_pick(gg: np.ndarray, x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    x = _consistent(x, y, **attrs)
    picked = np.zeros(y.shape)
    for out, cells in windows(x.shape, **attrs):
        picked[out] = gg[firsts(x, cells)]
    return picked


def _consistent(x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    np.testing.assert_array_equal(y, max_pool(x, **attrs))  # y is the pooled x, or the case is wrong
    return x


def avg_pool(x: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(pooled_shape(x.shape, **attrs))
    for out, cells in windows(x.shape, **attrs):
        y[out] = x[cells].mean(axis=tuple(range(1, x.ndim - 1)))
    return y


def avg_pool_grad(g: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    dx = np.zeros(x.shape)
    for out, cells in windows(x.shape, **attrs):
        part = dx[cells]
        part += (g[out] / np.prod(part.shape[1:-1])).reshape(len(g), *[1] * (x.ndim - 2), -1)
    return dx


def nearest(x: np.ndarray, factors: list[int], half_pixel: bool = False) -> np.ndarray:
    return x.repeat(factors[0], 1).repeat(factors[1], 2)


def lerp_matrix(n: int, factor: int, half_pixel: bool) -> np.ndarray:
    """(n · factor, n): how each output mixes the inputs."""
    m = np.zeros((n * factor, n))
    for i in range(n * factor):
        at = min(max((i + 0.5) / factor - 0.5 if half_pixel else i / factor, 0), n - 1)
        low = int(at)
        m[i, low] += 1 - (at - low)
        m[i, min(low + 1, n - 1)] += at - low
    return m


def bilinear(x: np.ndarray, factors: list[int], half_pixel: bool) -> np.ndarray:
    rows, columns = (lerp_matrix(x.shape[a + 1], factors[a], half_pixel) for a in (0, 1))
    return np.einsum("ih,jw,nhwc->nijc", rows, columns, x)


def bilinear_grad(g: np.ndarray, x: np.ndarray, factors: list[int], half_pixel: bool) -> np.ndarray:
    rows, columns = (lerp_matrix(x.shape[a + 1], factors[a], half_pixel) for a in (0, 1))
    return np.einsum("ih,jw,nijc->nhwc", rows, columns, g)


def attributes(pool: tuple[int, ...], strides: tuple[int, ...], padding: str) -> dict[str, Any]:
    return {"pool": list(pool), "strides": list(strides), "padding": padding}


GEOMETRIES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "2x2": ((4, 6, 3), attributes((2, 2), (2, 2), "valid")),
    "rest": ((5, 7, 2), attributes((2, 2), (2, 2), "valid")),
    "rest same": ((5, 7, 2), attributes((2, 2), (2, 2), "same")),
    "overlap": ((5, 6, 2), attributes((3, 3), (2, 2), "valid")),
    "overlap same": ((5, 6, 2), attributes((3, 3), (1, 2), "same")),
    "gaps": ((7, 7, 1), attributes((2, 1), (3, 2), "valid")),
    "row": ((1, 9, 17), attributes((1, 3), (1, 2), "same")),
    "global": ((3, 4, 2), attributes((3, 4), (1, 1), "valid")),
    "2x2x2": ((4, 2, 6, 3), attributes((2, 2, 2), (2, 2, 2), "valid")),
    "rest 3D": ((3, 5, 4, 2), attributes((2, 2, 2), (2, 2, 2), "valid")),
    "rest same 3D": ((5, 3, 4, 2), attributes((2, 2, 2), (2, 2, 2), "same")),
    "overlap in depth": ((5, 4, 4, 1), attributes((3, 2, 2), (1, 2, 2), "same")),
    "overlap in rows": ((4, 5, 4, 2), attributes((2, 3, 3), (2, 2, 1), "same")),
    "gaps 3D": ((7, 5, 5, 1), attributes((2, 1, 2), (3, 2, 3), "valid")),
    "vectors 3D": ((3, 2, 3, 17), attributes((2, 2, 2), (1, 1, 2), "same")),
    "global 3D": ((2, 3, 2, 2), attributes((2, 3, 2), (1, 1, 1), "valid")),
}


def _cases() -> list[OpCase]:
    cases = []
    for label, (data, attrs) in GEOMETRIES.items():
        maximum, mean = (f"{mode}_pool{len(data) - 1}d" for mode in ("max", "avg"))
        x = In((None, *data))
        ties = In(x.shape, domain=integers(0, 3))
        y = In(pooled_shape(x.shape, **attrs))
        cases += [
            OpCase(maximum, max_pool, [x], attrs, label=label),
            OpCase(maximum, max_pool, [ties], attrs, label=f"{label} ties", grad=False),
            OpCase(mean, avg_pool, [x], attrs, label=label),
            OpCase(f"{mean}_grad", avg_pool_grad, [y, x], attrs, label=label),
        ]
        pooled = In(y.shape, derive=lambda inputs, attrs=attrs: max_pool(inputs[1], **attrs))  # type: ignore[misc]
        for suffix, values in (("", x), (" ties", ties)):
            # Their derivatives by x and y are none: the maxima do not move under a small change.
            options: dict[str, Any] = {"attrs": attrs, "label": f"{label}{suffix}", "wrt": [0]}
            cases.append(OpCase(f"{maximum}_grad", max_pool_grad, [y, values, pooled], **options))
            cases.append(OpCase(f"{maximum}_pick", max_pool_pick, [x, values, pooled], **options))
    return cases


def _resize_cases() -> list[OpCase]:
    x = In((None, 3, 4, 2))
    cases = [
        OpCase("resize_nearest", nearest, [x], {"factors": [2, 3]}),
        OpCase("resize_nearest", nearest, [x], {"factors": [1, 1]}, label="1"),
        OpCase(
            "resize_nearest",
            nearest,
            [In((None, 2, 3, 2), domain=integers(0, 9))],
            {"factors": [3, 2]},
            label="int",
            dtypes=("int32", "int64", "uint8"),
        ),
    ]
    for half in (False, True):
        attrs = {"factors": [2, 3], "half_pixel": half}
        cases.append(OpCase("resize_bilinear", bilinear, [x], attrs, label=str(half)))
        cases.append(
            OpCase("resize_bilinear_grad", bilinear_grad, [In((None, 6, 12, 2)), x], attrs, label=str(half))
        )
    return cases


CASES = _cases() + _resize_cases()
