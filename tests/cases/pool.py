"""Pooling and resizing of NHWC data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import In, OpCase, integers
from .conv import geometry


def windows(shape: Any, pool: Any, strides: Any, padding: str) -> Iterator[tuple[int, int, slice, slice]]:
    """(out row, out column, the window's real rows, its real columns)"""
    (oh, top), (ow, left) = (geometry(shape[a + 1], pool[a], strides[a], 1, padding, [0, 0]) for a in (0, 1))
    for i in range(oh):
        for j in range(ow):
            r, c = i * strides[0] - top, j * strides[1] - left
            rows = slice(max(r, 0), min(r + pool[0], shape[1]))
            yield i, j, rows, slice(max(c, 0), min(c + pool[1], shape[2]))


def pooled_shape(shape: Any, pool: Any, strides: Any, padding: str) -> tuple[Any, ...]:
    sizes = [geometry(shape[a + 1], pool[a], strides[a], 1, padding, [0, 0])[0] for a in (0, 1)]
    return (shape[0], *sizes, shape[3])


def max_pool(x: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(pooled_shape(x.shape, **attrs))
    for i, j, rows, columns in windows(x.shape, **attrs):
        y[:, i, j] = x[:, rows, columns].max(axis=(1, 2))
    return y


def firsts(x: np.ndarray, rows: slice, columns: slice) -> tuple[np.ndarray, ...]:
    """Index arrays of the first maximum of the window, by sample and channel."""
    part = x[:, rows, columns]
    n, h, w, c = part.shape
    at = part.reshape(n, h * w, c).argmax(axis=1)
    samples, channels = np.indices((n, c))
    return samples, rows.start + at // w, columns.start + at % w, channels


def max_pool_grad(g: np.ndarray, x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    x = _consistent(x, y, **attrs)
    dx = np.zeros(x.shape)
    for i, j, rows, columns in windows(x.shape, **attrs):
        np.add.at(dx, firsts(x, rows, columns), g[:, i, j])
    return dx


def max_pool_pick(gg: np.ndarray, x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    x = _consistent(x, y, **attrs)
    out = np.zeros(y.shape)
    for i, j, rows, columns in windows(x.shape, **attrs):
        out[:, i, j] = gg[firsts(x, rows, columns)]
    return out


def _consistent(x: np.ndarray, y: np.ndarray, **attrs: Any) -> np.ndarray:
    np.testing.assert_array_equal(y, max_pool(x, **attrs))  # y is the pooled x, or the case is wrong
    return x


def avg_pool(x: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(pooled_shape(x.shape, **attrs))
    for i, j, rows, columns in windows(x.shape, **attrs):
        y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))
    return y


def avg_pool_grad(g: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    dx = np.zeros(x.shape)
    for i, j, rows, columns in windows(x.shape, **attrs):
        cells = (rows.stop - rows.start) * (columns.stop - columns.start)
        dx[:, rows, columns] += (g[:, i, j] / cells)[:, None, None]
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


def attributes(pool: tuple[int, int], strides: tuple[int, int], padding: str) -> dict[str, Any]:
    return {"pool": list(pool), "strides": list(strides), "padding": padding}


GEOMETRIES: dict[str, tuple[tuple[int, int, int], dict[str, Any]]] = {
    "2x2": ((4, 6, 3), attributes((2, 2), (2, 2), "valid")),
    "rest": ((5, 7, 2), attributes((2, 2), (2, 2), "valid")),
    "rest same": ((5, 7, 2), attributes((2, 2), (2, 2), "same")),
    "overlap": ((5, 6, 2), attributes((3, 3), (2, 2), "valid")),
    "overlap same": ((5, 6, 2), attributes((3, 3), (1, 2), "same")),
    "gaps": ((7, 7, 1), attributes((2, 1), (3, 2), "valid")),
    "row": ((1, 9, 17), attributes((1, 3), (1, 2), "same")),
    "global": ((3, 4, 2), attributes((3, 4), (1, 1), "valid")),
}


def _cases() -> list[OpCase]:
    cases = []
    for label, ((h, w, c), attrs) in GEOMETRIES.items():
        x = In((None, h, w, c))
        y = In(pooled_shape((None, h, w, c), **attrs))
        cases += [
            OpCase("max_pool2d", max_pool, [x], attrs, label=label),
            OpCase(
                "max_pool2d",
                max_pool,
                [In(x.shape, domain=integers(0, 3))],
                attrs,
                label=f"{label} ties",
                grad=False,
            ),
            OpCase("avg_pool2d", avg_pool, [x], attrs, label=label),
            OpCase("avg_pool2d_grad", avg_pool_grad, [y, x], attrs, label=label),
        ]
        pooled = In(y.shape, derive=lambda inputs, attrs=attrs: max_pool(inputs[1], **attrs))  # type: ignore[misc]
        for suffix, data in (("", x), (" ties", In(x.shape, domain=integers(0, 3)))):
            # Their derivatives by x and y are none: the maxima do not move under a small change.
            options: dict[str, Any] = {"attrs": attrs, "label": f"{label}{suffix}", "wrt": [0]}
            cases.append(OpCase("max_pool2d_grad", max_pool_grad, [y, data, pooled], **options))
            cases.append(OpCase("max_pool2d_pick", max_pool_pick, [x, data, pooled], **options))
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
