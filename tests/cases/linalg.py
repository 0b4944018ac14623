"""Matrix products."""

from __future__ import annotations

import itertools

import numpy as np

from . import In, OpCase


def matmul(a: np.ndarray, b: np.ndarray, trans_a: bool, trans_b: bool) -> np.ndarray:
    return (np.swapaxes(a, -1, -2) if trans_a else a) @ (np.swapaxes(b, -1, -2) if trans_b else b)


def _matrix(rows: int | None, columns: int | None, transposed: bool, lead: tuple[int | None, ...] = ()) -> In:
    return In((*lead, columns, rows) if transposed else (*lead, rows, columns))


def _cases() -> list[OpCase]:
    cases = []
    # One row, odd sizes around the edges of register blocks, more than one block of k.
    sizes: list[tuple[int | None, int, int]] = [
        (None, 5, 4),
        (1, 7, 3),
        (17, 9, 1),
        (3, 33, 70),
        (20, 300, 40),
    ]
    for ta, tb in itertools.product((False, True), repeat=2):
        attrs = {"trans_a": ta, "trans_b": tb}
        label = "t" * ta + "n" * (not ta) + "t" * tb + "n" * (not tb)
        for m, k, n in sizes:
            small = k < 33
            cases.append(
                OpCase(
                    "matmul",
                    matmul,
                    [_matrix(m, k, ta), _matrix(k, n, tb)],
                    attrs,
                    label=f"{label}-{m}x{k}x{n}",
                    tol=5e-6,
                    grad=small,
                )
            )
        for lead in ((None,), (None, 2), (2, 3)):
            inputs = [_matrix(4, 5, ta, lead), _matrix(5, 3, tb, lead)]
            cases.append(
                OpCase("batch_matmul", matmul, inputs, attrs, label=f"{label}-{len(lead)}{lead[0]}", tol=5e-6)
            )
    return cases


CASES = _cases()
