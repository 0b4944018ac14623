"""Convolutions: NHWC data, HWIO kernels, naive loops as the oracle."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from . import In, OpCase


def geometry(
    n: int, kernel: int, stride: int, dilation: int, padding: str, pads: list[int]
) -> tuple[int, int]:
    """Size of the output and the padding in front, along one axis."""
    span = (kernel - 1) * dilation + 1
    if padding == "same":
        out = -(-n // stride)
        return out, max((out - 1) * stride + span - n, 0) // 2
    before, after = pads if padding == "explicit" else (0, 0)
    return (n + before + after - span) // stride + 1, before


def meetings(x: Any, k: Any, strides: Any, padding: str, pads: Any, dilation: Any) -> Any:
    """(out row, out column, kernel row, kernel column, in row, in column) for every real cell met."""
    (oh, top), (ow, left) = (
        geometry(x[a + 1], k[a], strides[a], dilation[a], padding, pads[2 * a : 2 * a + 2]) for a in (0, 1)
    )
    for i, j, p, q in itertools.product(range(oh), range(ow), range(k[0]), range(k[1])):
        r, c = i * strides[0] - top + p * dilation[0], j * strides[1] - left + q * dilation[1]
        if 0 <= r < x[1] and 0 <= c < x[2]:
            yield i, j, p, q, r, c


def output_shape(x: Any, k: Any, channels: int, strides: Any, padding: str, pads: Any, dilation: Any) -> Any:
    sizes = [
        geometry(x[a + 1], k[a], strides[a], dilation[a], padding, pads[2 * a : 2 * a + 2])[0] for a in (0, 1)
    ]
    return (x[0], *sizes, channels)


def conv2d(x: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(output_shape(x.shape, k.shape, k.shape[3], **attrs))
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        y[:, i, j] += x[:, r, c] @ k[p, q]
    return y


def conv2d_input_grad(g: np.ndarray, k: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    dx = np.zeros(x.shape)
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        dx[:, r, c] += g[:, i, j] @ k[p, q].T
    return dx


def conv2d_kernel_grad(x: np.ndarray, g: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    dk = np.zeros(k.shape)
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        dk[p, q] += x[:, r, c].T @ g[:, i, j]
    return dk


def depthwise(x: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    channels, multiplier = k.shape[2:]
    shape = output_shape(x.shape, k.shape, channels * multiplier, **attrs)
    y = np.zeros((*shape[:3], channels, multiplier))
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        y[:, i, j] += x[:, r, c, :, None] * k[p, q]
    return y.reshape(shape)


def depthwise_input_grad(g: np.ndarray, k: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    g = g.reshape(*g.shape[:3], *k.shape[2:])
    dx = np.zeros(x.shape)
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        dx[:, r, c] += (g[:, i, j] * k[p, q]).sum(-1)
    return dx


def depthwise_kernel_grad(x: np.ndarray, g: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    g = g.reshape(*g.shape[:3], *k.shape[2:])
    dk = np.zeros(k.shape)
    for i, j, p, q, r, c in meetings(x.shape, k.shape, **attrs):
        dk[p, q] += (x[:, r, c, :, None] * g[:, i, j]).sum(0)
    return dk


def attributes(
    strides: tuple[int, int] = (1, 1),
    padding: str = "valid",
    pads: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilation: tuple[int, int] = (1, 1),
) -> dict[str, Any]:
    return {"strides": list(strides), "padding": padding, "pads": list(pads), "dilation": list(dilation)}


# label: (input height, width, channels), (kernel height, width, outputs or multiplier), attributes
GEOMETRIES: dict[str, tuple[tuple[int, int, int], tuple[int, int, int], dict[str, Any]]] = {
    "3x3": ((5, 6, 2), (3, 3, 3), attributes()),
    "same": ((5, 4, 2), (3, 3, 2), attributes(padding="same")),
    "same even": ((4, 5, 1), (2, 4, 2), attributes(padding="same")),
    "1x1": ((3, 4, 3), (1, 1, 2), attributes()),
    "1x1 strided": ((4, 5, 2), (1, 1, 3), attributes((2, 2))),
    "strided": ((6, 7, 2), (3, 2, 2), attributes((2, 3))),
    "strided same": ((6, 7, 2), (3, 3, 2), attributes((2, 2), "same")),
    "gaps": ((7, 7, 1), (2, 2, 2), attributes((3, 3), "same")),
    "dilated": ((6, 7, 2), (2, 3, 2), attributes(dilation=(2, 3))),
    "dilated same": ((5, 5, 2), (3, 3, 1), attributes(padding="same", dilation=(2, 2))),
    "explicit": ((4, 4, 2), (3, 3, 2), attributes((2, 1), "explicit", (1, 0, 2, 1))),
    "row": ((1, 8, 3), (1, 4, 2), attributes((1, 2), "same")),
    "whole": ((3, 3, 2), (3, 3, 3), attributes()),
}


def _cases() -> list[OpCase]:
    cases = []
    for label, ((h, w, c), (kh, kw, o), attrs) in GEOMETRIES.items():
        for prefix, refs, outputs in (
            ("conv2d", (conv2d, conv2d_input_grad, conv2d_kernel_grad), o),
            ("depthwise_conv2d", (depthwise, depthwise_input_grad, depthwise_kernel_grad), c * o),
        ):
            x, k = In((None, h, w, c)), In((kh, kw, c, o))
            g = In(output_shape((None, h, w, c), (kh, kw, c, o), outputs, **attrs))
            options: dict[str, Any] = {"attrs": attrs, "label": label, "tol": 5e-6}
            cases.append(OpCase(prefix, refs[0], [x, k], **options))
            cases.append(OpCase(f"{prefix}_input_grad", refs[1], [g, k, x], **options))
            cases.append(OpCase(f"{prefix}_kernel_grad", refs[2], [x, g, k], **options))
    # Sizes at which the blocked kernels have full blocks and edges.
    for (h, w, c), (kh, kw, o), attrs in (
        ((9, 10, 16), (3, 3, 24), attributes(padding="same")),
        ((8, 7, 3), (3, 3, 32), attributes((2, 2), "same")),
        ((6, 9, 33), (1, 1, 17), attributes()),
    ):
        x, k, g = (
            In((None, h, w, c)),
            In((kh, kw, c, o)),
            In(output_shape((None, h, w, c), (kh, kw, c, o), o, **attrs)),
        )
        options = {"attrs": attrs, "label": f"large {kh}x{c}", "tol": 1e-5, "grad": False}
        cases.append(OpCase("conv2d", conv2d, [x, k], **options))
        cases.append(OpCase("conv2d_input_grad", conv2d_input_grad, [g, k, x], **options))
        cases.append(OpCase("conv2d_kernel_grad", conv2d_kernel_grad, [x, g, k], **options))
    for mult in (1, 2):
        x, k = In((None, 6, 7, 20)), In((3, 3, 20, mult))
        attrs = attributes(padding="same")
        g = In((None, 6, 7, 20 * mult))
        options = {"attrs": attrs, "label": f"large {mult}", "tol": 1e-5, "grad": False}
        cases.append(OpCase("depthwise_conv2d", depthwise, [x, k], **options))
        cases.append(OpCase("depthwise_conv2d_input_grad", depthwise_input_grad, [g, k, x], **options))
        cases.append(OpCase("depthwise_conv2d_kernel_grad", depthwise_kernel_grad, [x, g, k], **options))
    return cases


CASES = _cases()
