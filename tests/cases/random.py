"""Draws of random numbers: Philox4x32-10 and the distributions made of it, in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import In, OpCase

STEP = 11  # the run number under which the test body runs every case


def philox(seed: int, n: int, step: int = STEP) -> np.ndarray:
    """The first n words of a draw, after Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"."""
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    block = np.arange((n + 3) // 4, dtype=np.uint64)
    c = [block & low, block >> shift, np.full_like(block, step & 0xFFFFFFFF), np.full_like(block, step >> 32)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> shift) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> shift) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(c, 1).reshape(-1)[:n]


def fractions(seed: int, n: int) -> np.ndarray:
    """Uniform in [0, 1), multiples of 2^-24."""
    return (philox(seed, n) >> np.uint64(8)) * 2.0**-24


def _size(arrays: tuple[np.ndarray, ...], shape: list[int]) -> tuple[tuple[int, ...], int]:
    out = arrays[0].shape if arrays else tuple(shape)
    return out, math.prod(out)


def uniform(*like: np.ndarray, shape: Any = (), min: float, max: float, seed: int, dtype: str) -> np.ndarray:
    out, n = _size(like, shape)
    low, width = np.dtype(dtype).type(min), np.dtype(dtype).type(max - min)
    return (float(low) + fractions(seed, n) * float(width)).astype(dtype).reshape(out)


def normal(
    *like: np.ndarray, shape: Any = (), mean: float, stddev: float, seed: int, dtype: str
) -> np.ndarray:
    out, n = _size(like, shape)
    u = fractions(seed, (n + 3) // 4 * 4).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(u[:, 0] + 2.0**-24)), 2 * np.pi * u[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return (mean + stddev * pairs.reshape(-1)[:n]).reshape(out)


def truncated(
    *like: np.ndarray, shape: Any = (), mean: float, stddev: float, seed: int, dtype: str
) -> np.ndarray:
    """The inverse of the truncated distribution function, by bisection."""
    out, n = _size(like, shape)
    wanted = (2 * (fractions(seed, n) + 2.0**-25) - 1) * math.erf(math.sqrt(2))
    low, high = np.full(n, -2.0), np.full(n, 2.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = np.array([math.erf(x / math.sqrt(2)) for x in middle]) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (mean + stddev * low).reshape(out)


def binomial(*like: np.ndarray, shape: Any = (), p: float, seed: int, dtype: str) -> np.ndarray:
    out, n = _size(like, shape)
    return (fractions(seed, n) < np.float32(p)).astype(dtype).reshape(out)


def dropout(x: np.ndarray, rate: float, seed: int, noise_shape: Any = ()) -> np.ndarray:
    shape = [n if wanted == -1 else wanted for n, wanted in zip(x.shape, noise_shape or x.shape, strict=True)]
    mask = fractions(seed, math.prod(shape)).reshape(shape) >= np.float32(rate)
    return x * mask / (1 - rate)


X = In((None, 3, 5))
BIG = 2**40 + 12345


def draws(op: str, ref: Any, tol: float, tol64: float | None = None, **parameters: float) -> list[OpCase]:
    cases = []
    tols: Any = {"tol": tol, "tol64": tol64}
    for dtype in ("float32", "float64"):
        attrs = {**parameters, "seed": 1337, "dtype": dtype}
        cases += [
            OpCase(op, ref, [], {**attrs, "shape": [7, 5]}, label=dtype, **tols),
            OpCase(op, ref, [], {**attrs, "shape": [1001], "seed": BIG}, label=f"{dtype} odd", **tols),
            OpCase(op, ref, [], {**attrs, "shape": []}, label=f"{dtype} scalar", **tols),
            OpCase(op, ref, [In((None, 3), dtype)], attrs, label=f"{dtype} like", **tols),
        ]
    return cases


CASES = [
    *draws("random_uniform", uniform, 0.0, min=-0.3, max=0.7),
    *draws("random_normal", normal, 2e-6, mean=0.5, stddev=2.0),
    # The formula is good to single precision, in both types.
    *draws("truncated_normal", truncated, 2e-6, 1e-6, mean=-0.5, stddev=0.05),
    *draws("random_binomial", binomial, 0.0, p=0.3),
    *[OpCase("dropout", dropout, [X], {"rate": r, "seed": 42}, label=str(r)) for r in (0.0, 0.25, 0.9)],
    OpCase("dropout", dropout, [X], {"rate": 0.5, "seed": 3, "noise_shape": [-1, 1, 5]}, label="noise"),
    OpCase("dropout", dropout, [X], {"rate": 0.5, "seed": 3, "noise_shape": [1, -1, 1]}, label="noise axis"),
]
