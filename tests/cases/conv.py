"""Convolutions: NHWC and NDHWC data, HWIO and DHWIO kernels, naive loops as the oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
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


def axes_of(x: Any, k: Any, strides: Any, padding: str, pads: Any, dilation: Any) -> list[tuple[int, int]]:
    """`geometry` of every spatial axis."""
    return [
        geometry(x[a + 1], k[a], strides[a], dilation[a], padding, pads[2 * a : 2 * a + 2])
        for a in range(len(strides))
    ]


def meetings(x: Any, k: Any, strides: Any, padding: str, pads: Any, dilation: Any) -> Iterator[Any]:
    """(out cell, kernel cell, in cell) for every real cell met; each a tuple of one index per axis."""
    axes = axes_of(x, k, strides, padding, pads, dilation)
    for out in itertools.product(*(range(n) for n, _ in axes)):
        for tap in itertools.product(*(range(k[a]) for a in range(len(axes)))):
            cell = tuple(
                o * s - before + t * d
                for o, s, (_, before), t, d in zip(out, strides, axes, tap, dilation, strict=True)
            )
            if all(0 <= c < n for c, n in zip(cell, x[1:], strict=False)):
                yield (slice(None), *out), tap, (slice(None), *cell)


def output_shape(x: Any, k: Any, channels: int, **attrs: Any) -> Any:
    return (x[0], *(n for n, _ in axes_of(x, k, **attrs)), channels)


def conv(x: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    y = np.zeros(output_shape(x.shape, k.shape, k.shape[-1], **attrs))
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        y[out] += x[cell] @ k[tap]
    return y


def conv_input_grad(g: np.ndarray, k: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    dx = np.zeros(x.shape)
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        dx[cell] += g[out] @ k[tap].T
    return dx


def conv_kernel_grad(x: np.ndarray, g: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    dk = np.zeros(k.shape)
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        dk[tap] += x[cell].T @ g[out]
    return dk


def depthwise(x: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    channels, multiplier = k.shape[2:]
    shape = output_shape(x.shape, k.shape, channels * multiplier, **attrs)
    y = np.zeros((*shape[:3], channels, multiplier))
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        y[out] += x[cell][..., None] * k[tap]
    return y.reshape(shape)


def depthwise_input_grad(g: np.ndarray, k: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    g = g.reshape(*g.shape[:3], *k.shape[2:])
    dx = np.zeros(x.shape)
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        dx[cell] += (g[out] * k[tap]).sum(-1)
    return dx


def depthwise_kernel_grad(x: np.ndarray, g: np.ndarray, k: np.ndarray, **attrs: Any) -> np.ndarray:
    g = g.reshape(*g.shape[:3], *k.shape[2:])
    dk = np.zeros(k.shape)
    for out, tap, cell in meetings(x.shape, k.shape, **attrs):
        dk[tap] += (x[cell][..., None] * g[out]).sum(0)
    return dk


def attributes(
    strides: tuple[int, ...] = (1, 1),
    padding: str = "valid",
    pads: tuple[int, ...] = (0, 0, 0, 0),
    dilation: tuple[int, ...] = (1, 1),
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


def volumes(
    strides: tuple[int, int, int] = (1, 1, 1),
    padding: str = "valid",
    pads: tuple[int, ...] = (0,) * 6,
    dilation: tuple[int, int, int] = (1, 1, 1),
) -> dict[str, Any]:
    return attributes(strides, padding, pads, dilation)


# label: (input depth, height, width, channels), (kernel depth, height, width, outputs), attributes
VOLUMES: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "3x3x3": ((4, 5, 4, 2), (3, 3, 3, 2), volumes()),
    "same": ((3, 4, 5, 2), (3, 3, 3, 2), volumes(padding="same")),
    "same even": ((3, 4, 2, 1), (2, 4, 2, 2), volumes(padding="same")),
    "1x1x1": ((2, 3, 2, 3), (1, 1, 1, 2), volumes()),
    "1x1x1 strided": ((3, 4, 5, 2), (1, 1, 1, 3), volumes((2, 1, 2))),
    "strided": ((5, 6, 4, 2), (3, 2, 2, 2), volumes((2, 3, 1))),
    "strided same": ((5, 4, 6, 1), (3, 3, 3, 2), volumes((2, 2, 2), "same")),
    "gaps": ((4, 5, 5, 1), (1, 2, 2, 2), volumes((2, 3, 3), "same")),
    "dilated": ((5, 5, 6, 1), (2, 2, 3, 2), volumes(dilation=(3, 2, 2))),
    "dilated same": ((4, 5, 4, 2), (3, 3, 2, 1), volumes(padding="same", dilation=(2, 2, 3))),
    "explicit": ((3, 3, 4, 2), (2, 3, 3, 2), volumes((1, 2, 1), "explicit", (1, 0, 1, 1, 0, 2))),
    "depth only": ((6, 2, 3, 2), (3, 1, 1, 2), volumes((2, 1, 1), "same")),
    "plane": ((1, 4, 5, 2), (1, 3, 3, 2), volumes(padding="same")),
}

PLAIN = (conv, conv_input_grad, conv_kernel_grad)
DEPTHWISE = (depthwise, depthwise_input_grad, depthwise_kernel_grad)


def family(
    prefix: str, refs: Any, data: Any, kernel: Any, outputs: int, attrs: dict[str, Any], **options: Any
) -> list[OpCase]:
    """The cases of a convolution and of its two gradients."""
    x, k = In((None, *data)), In(kernel)
    g = In(output_shape(x.shape, kernel, outputs, **attrs))
    options = {"attrs": attrs, "tol": 5e-6, **options}
    return [
        OpCase(prefix, refs[0], [x, k], **options),
        OpCase(f"{prefix}_input_grad", refs[1], [g, k, x], **options),
        OpCase(f"{prefix}_kernel_grad", refs[2], [x, g, k], **options),
    ]


def _cases() -> list[OpCase]:
    cases = []
    for label, (data, (kh, kw, o), attrs) in GEOMETRIES.items():
        kernel = (kh, kw, data[2], o)
        cases += family("conv2d", PLAIN, data, kernel, o, attrs, label=label)
        cases += family("depthwise_conv2d", DEPTHWISE, data, kernel, data[2] * o, attrs, label=label)
    for label, (data, (*size, o), attrs) in VOLUMES.items():
        cases += family("conv3d", PLAIN, data, (*size, data[3], o), o, attrs, label=label)
    # Sizes at which the blocked kernels have full blocks and edges.
    large: dict[str, Any] = {"tol": 1e-5, "grad": False}
    for data, size, o, attrs in (
        ((9, 10, 16), (3, 3), 24, attributes(padding="same")),
        ((8, 7, 3), (3, 3), 32, attributes((2, 2), "same")),
        ((6, 9, 33), (1, 1), 17, attributes()),
        ((4, 5, 9, 12), (3, 3, 3), 20, volumes(padding="same")),
        ((6, 5, 7, 2), (3, 3, 3), 33, volumes((2, 2, 2), "same")),
        ((3, 4, 5, 18), (1, 1, 1), 17, volumes()),
    ):
        name, label = f"conv{len(size)}d", f"large {size[0]}x{data[-1]}"
        cases += family(name, PLAIN, data, (*size, data[-1], o), o, attrs, label=label, **large)
    for mult in (1, 2):
        data, kernel, attrs = (6, 7, 20), (3, 3, 20, mult), attributes(padding="same")
        cases += family(
            "depthwise_conv2d", DEPTHWISE, data, kernel, 20 * mult, attrs, label=f"large {mult}", **large
        )
    return cases


CASES = _cases()
