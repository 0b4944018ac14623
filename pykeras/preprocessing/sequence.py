"""Preparing sequences for a network: padding, pairs of words, windows over time series.

Source: the public behaviour of keras/preprocessing/sequence.py (2.1.6).
"""

from __future__ import annotations

import random
from collections import abc
from typing import Any

import numpy as np
import numpy.typing as npt

from .._cython.sequences import write_rows
from .._cython.skipgrams import pairs_in_windows, random_pairs, shuffle_together
from ..utils.namespaces import held_by, public_names
from ._timeseries import TimeseriesGenerator, timeseries_generator_from_json

__all__ = [
    "TimeseriesGenerator",
    "make_sampling_table",
    "pad_sequences",
    "skipgrams",
    "timeseries_generator_from_json",
]

_FAST = ("int32", "int64", "float32", "float64")


def pad_sequences(
    sequences: abc.Iterable[abc.Sequence[Any]],
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
        OverflowError: a number does not fit into `dtype`.

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
    try:
        out = np.full((len(rows), maxlen, *step_shape), value, dtype=dtype)
    except ValueError as error:
        if not isinstance(value, str):
            raise
        raise ValueError(
            f"`dtype` {dtype} is not compatible with the padding `value` {value!r} ({error}). Take "
            "`dtype=object` for text of any length."
        ) from error
    # Text as the tokenizer gives it: lists of numbers, of which most of the time would go into making arrays.
    fast = not step_shape and out.dtype.isnative and out.dtype.name in _FAST
    if fast and all(type(row) in (list, tuple) for row in rows):
        try:
            write_rows(out, rows, padding == "pre", truncating == "pre")
            return out
        except OverflowError as error:  # which NumPy 1 would let pass, cut to what fits
            raise OverflowError(
                f"An element does not fit into `dtype={out.dtype.name!r}`: {error}. Take 'int64'."
            ) from error
        except (TypeError, ValueError):
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


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Makes the table of probabilities with which `skipgrams` keeps words, by their rank.

    Frequent words are kept more rarely, as in word2vec: min(1, √(t / f)), with t the factor and f the
    frequency that Zipf's law gives the rank, about 1 / (rank · (ln(rank) + γ) + 1/2 − 1/(12 rank)).

    Args:
        size: number of words.
        sampling_factor: t; a smaller one keeps fewer frequent words.

    Returns:
        An array of shape (size,), float64: element i for the word of rank i.

    Raises:
        ValueError: `size` is below 1.

    Example:
        >>> make_sampling_table(3).round(5)
        array([0.00315, 0.00315, 0.00548])
    """
    if size < 1:
        raise ValueError(f"`size` must be at least 1. Received: {size}")
    rank = np.maximum(np.arange(size), 1)
    inverse_frequency = rank * (np.log(rank) + 0.577) + 0.5 - 1.0 / (12.0 * rank)
    return np.minimum(1.0, np.sqrt(sampling_factor * inverse_frequency))


def skipgrams(
    sequence: abc.Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list[list[int]], list[Any]]:
    """Makes pairs of words that stand near each other, and pairs with random words.

    Draws from Python's `random`, in Keras's order.

    Args:
        sequence: the numbers of a text's words; 0 is no word and left out.
        vocabulary_size: the largest number + 1.
        window_size: how far from a word its neighbours may stand.
        negative_samples: pairs with a random word, as a share of the pairs of neighbours; 0 for none.
        shuffle: shuffle the pairs; otherwise those of neighbours come first, from left to right.
        categorical: labels [0, 1] for neighbours and [1, 0] for random words, rather than 1 and 0.
        sampling_table: the probability of keeping each word, from `make_sampling_table`; None keeps all.
        seed: seeds `random` before the pairs are shuffled.

    Returns:
        The pairs, and a label for each.

    Raises:
        ValueError: random words are wanted from a vocabulary that has none.
        IndexError: a word is beyond the sampling table.

    Example:
        >>> skipgrams([1, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
        ([[1, 2], [2, 1], [2, 3], [3, 2]], [1, 1, 1, 1])
    """
    size = int(vocabulary_size)  # 1e4 is one as well
    if size != vocabulary_size:
        raise ValueError(f"`vocabulary_size` must be a whole number. Received: {vocabulary_size}")
    words = list(sequence)
    centres = [at for at, word in enumerate(words) if word]
    if sampling_table is not None:
        table = np.asarray(sampling_table).tolist()
        if beyond := [words[at] for at in centres if words[at] >= len(table)]:
            raise IndexError(f"Word {beyond[0]} is beyond the sampling table, which has {len(table)} entries")
        centres = [at for at in centres if table[words[at]] >= random.random()]
    couples = pairs_in_windows(words, centres, window_size)
    positive, negative = ([0, 1], [1, 0]) if categorical else (1, 0)
    labels: list[Any] = [positive] * len(couples)

    if negative_samples > 0:
        count = int(len(labels) * negative_samples)
        if count and size < 2:
            raise ValueError(
                f"Random words are drawn from 1 to `vocabulary_size` - 1. Received: {vocabulary_size}"
            )
        firsts = [couple[0] for couple in couples]
        shuffle_together(random.getrandbits, firsts)
        couples += random_pairs(random.getrandbits, firsts, size, count)
        labels += [negative] * count

    if categorical:
        labels = [list(label) for label in labels]
    if shuffle:
        random.seed(random.randint(0, 10_000_000) if seed is None else seed)
        shuffle_together(random.getrandbits, couples, labels)
    return couples, labels


def _remove_long_seq(
    maxlen: int, seq: abc.Iterable[Any], label: abc.Iterable[Any]
) -> tuple[list[Any], list[Any]]:
    """Returns the sequences shorter than `maxlen`, and their labels."""
    kept = [(x, y) for x, y in zip(seq, label) if len(x) < maxlen]
    return [x for x, _ in kept], [y for _, y in kept]


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
