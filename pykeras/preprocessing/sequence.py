"""Preparing sequences for a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._cython.sequences import write_rows

_FAST = ("int32", "int64", "float32", "float64")


def pad_sequences(
    sequences: Iterable[Sequence[Any]],
    maxlen: int | None = None,
    dtype: npt.DTypeLike = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Brings sequences to one length: short ones are padded, long ones cut.

    Args:
        sequences: n sequences, each of numbers or of equally shaped arrays (vectors per step).
        maxlen: the length wanted; None takes the longest sequence's.
        dtype: dtype of the result.
        padding: 'pre' pads in front, 'post' behind.
        truncating: 'pre' drops the first steps of a sequence that is too long, 'post' the last.
        value: what to pad with; a number, or an array of a step's shape.

    Returns:
        An array of shape (n, maxlen, ...).

    Raises:
        ValueError: `sequences` does not hold sequences, their steps differ in shape, or `padding` or
            `truncating` is neither 'pre' nor 'post'.

    Example:
        >>> pad_sequences([[1, 2, 3], [4]], maxlen=2)
        array([[2, 3],
               [0, 4]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    rows = list(sequences)
    for row in rows:
        if not hasattr(row, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {row!r}")
    for name, choice in (("Truncating", truncating), ("Padding", padding)):
        if choice not in ("pre", "post"):
            raise ValueError(f'{name} type "{choice}" not understood: use "pre" or "post".')
    if maxlen is None:
        maxlen = max((len(row) for row in rows), default=0)

    step_shape = next((np.shape(row)[1:] for row in rows if len(row)), ())
    out = np.full((len(rows), maxlen, *step_shape), value, dtype=dtype)
    # Text as the tokenizer gives it: lists of numbers, of which most of the time would go into making arrays.
    if not step_shape and out.dtype.name in _FAST and all(type(row) in (list, tuple) for row in rows):
        try:
            write_rows(out, rows, padding == "pre", truncating == "pre")
            return out
        except (TypeError, ValueError, OverflowError):
            out.fill(value)  # NumPy decides what such elements mean, or how to refuse them
    for i, row in enumerate(rows):
        if not len(row) or not maxlen:
            continue
        cut = np.asarray(row[-maxlen:] if truncating == "pre" else row[:maxlen], dtype=out.dtype)
        if cut.shape[1:] != step_shape:
            raise ValueError(
                f"Shape of sample {cut.shape[1:]} of sequence at position {i} is different from "
                f"expected shape {step_shape}"
            )
        if padding == "pre":
            out[i, -len(cut) :] = cut
        else:
            out[i, : len(cut)] = cut
    return out
