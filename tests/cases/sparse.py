"""Sparse matrices in compressed rows: data, indices, indptr, and the number of columns as a shape."""

from __future__ import annotations

import itertools

import numpy as np

from . import FLOATS, In, OpCase, integers

TYPES = (*FLOATS, "int32", "int64", "uint8")


def bounds(rows: int) -> In:
    """Rows of different lengths, the first one empty; behind them the arrays have an element to spare."""

    def draw(arrays: list[np.ndarray]) -> np.ndarray:
        used = max(0, len(arrays[-2]) - 1)
        inner = np.sort((np.arange(rows - 2) * 7 + 3) % (used + 1))
        return np.concatenate([[0, 0], inner, [used]])

    return In((rows + 1,), "int64", derive=draw)


def matrix(rows: int, columns: int, domain: In | None = None) -> list[In]:
    """The four inputs of a matrix; the batch is the number of elements, some of them at one place."""
    data = In((None,)) if domain is None else domain
    return [data, In((None,), "int32", integers(0, columns)), bounds(rows), In((0, columns))]


def dense(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, width: np.ndarray) -> np.ndarray:
    out = np.zeros((len(indptr) - 1, width.shape[1]), data.dtype)
    for row, (begin, end) in enumerate(itertools.pairwise(indptr)):
        np.add.at(out[row], indices[begin:end], data[begin:end])
    return out


def padded(rows: list[tuple[np.ndarray, np.ndarray]], room: int) -> tuple[np.ndarray, ...]:
    """data, indices and indptr of rows (values, columns), zeros behind."""
    data = np.concatenate([values for values, _ in rows])
    indices = np.concatenate([columns for _, columns in rows])
    spare = (0, room - len(data))
    indptr = np.cumsum([0] + [len(values) for values, _ in rows])
    return np.pad(data, spare), np.pad(indices, spare).astype("int32"), indptr


def rows_of(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(data[a:b], indices[a:b]) for a, b in itertools.pairwise(indptr)]


def concat(*inputs: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    first, second = rows_of(*inputs[:3]), rows_of(*inputs[4:7])
    if axis == 1:
        shift = inputs[3].shape[1]
        joined = [
            (np.concatenate([a, b]), np.concatenate([i, j + shift])) for (a, i), (b, j) in zip(first, second)
        ]
    else:
        joined = first + second
    return padded(joined, len(inputs[0]) + len(inputs[4]))


def rows(x: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, ...]:
    return padded([(row[:n], np.arange(n)) for row, n in zip(x, lengths)], x.size)


CASES = [
    *[
        OpCase(
            "sparse_matmul",
            lambda *a: dense(*a[:4]) @ a[4],
            [*matrix(3, 4), In((4, n))],
            label=str(n),
            wrt=[4],
        )
        for n in (1, 3, 37, 70, 150)
    ],
    *[
        OpCase(
            "sparse_matmul_grad",
            lambda *a: dense(*a[:4]).T @ a[4],
            [*matrix(4, 3), In((4, n))],
            label=str(n),
            wrt=[4],
        )
        for n in (1, 5, 37, 150)
    ],
    OpCase("sparse_to_dense", dense, matrix(3, 5, In((None,), domain=integers(0, 9))), dtypes=TYPES),
    OpCase("sparse_to_dense", dense, matrix(2, 1), label="one column"),
    *[
        OpCase(
            "sparse_concat",
            concat,
            [*matrix(3, first), *matrix(3, second)],
            {"axis": axis},
            label=f"{axis} {first} {second}",
        )
        for axis, first, second in ((0, 4, 4), (1, 4, 2), (1, 1, 7))
    ],
    OpCase(
        "sparse_concat",
        concat,
        [
            *matrix(3, 4, In((None,), domain=integers(0, 9))),
            *matrix(2, 4, In((None,), domain=integers(0, 9))),
        ],
        {"axis": 0},
        label="types",
        dtypes=TYPES,
    ),
    *[
        OpCase(
            "sparse_rows",
            rows,
            [In((None, 4), domain=integers(0, 9)), In((None,), d, integers(0, 5))],
            label=d,
            dtypes=TYPES,
        )
        for d in ("int32", "int64")
    ],
]
