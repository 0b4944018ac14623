"""What IMDB and Reuters have in common: texts as lists of word ranks, cut and shifted as asked for.

Source: the public behaviour of keras/datasets/imdb.py and reuters.py (2.1.6).
"""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np

from .._cython.lists import make_lists
from ._files import unusable
from ._pickles import Ragged


def num_words_from(num_words: int | None, kwargs: dict[str, Any]) -> int | None:
    """Reads Keras 1's name of `num_words`, `nb_words`, with a warning.

    Raises:
        TypeError: other keywords.
    """
    if "nb_words" in kwargs:
        warnings.warn(
            "The `nb_words` argument in `load_data` has been renamed `num_words`.", UserWarning, stacklevel=3
        )
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
    return num_words


class Texts:
    """Many lists of word ranks, laid one behind the other.

    Args:
        lists: the lists of integers: an array, or `Ragged`.
        path: their file, for errors.
        start_char: put before each text, whose ranks then grow by `index_from`; None for no such mark.
        index_from: what is added to the ranks.
    """

    def __init__(self, lists: Any, path: str, start_char: int | None, index_from: int | None) -> None:
        if isinstance(lists, Ragged):
            words, lengths = lists.words, lists.lengths
        else:
            words, lengths = self._laid_out(lists, path)
        if start_char is not None or index_from:
            words += index_from or 0
        if start_char is not None:
            starts = np.cumsum(lengths) - lengths
            words = np.insert(words, starts, start_char)
            lengths += 1
        self.words, self.lengths = words, lengths

    @staticmethod
    def _laid_out(lists: Any, path: str) -> tuple[np.ndarray, np.ndarray]:
        try:
            lengths = np.fromiter(map(len, lists), dtype=np.int64, count=len(lists))
            flat = itertools.chain.from_iterable(lists)
            return np.fromiter(flat, dtype=np.int64, count=int(lengths.sum())), lengths
        except (TypeError, ValueError, OverflowError) as error:
            raise unusable(path, f"its texts are not lists of numbers ({error})") from error

    def __len__(self) -> int:
        return len(self.lengths)

    def keep(self, chosen: np.ndarray) -> None:
        """Keeps the texts whose entry in a boolean array is True."""
        self.words = self.words[np.repeat(chosen, self.lengths)]
        self.lengths = self.lengths[chosen]

    def largest(self) -> int:
        """The largest number in any text."""
        return int(self.words.max())

    def cut(self, skip_top: int, num_words: int, oov_char: int | None) -> None:
        """Replaces (or with None removes) the numbers outside of skip_top … num_words - 1."""
        known = (self.words >= skip_top) & (self.words < num_words)
        if oov_char is not None:
            self.words[~known] = oov_char
            return
        of_text = np.repeat(np.arange(len(self.lengths)), self.lengths)
        self.lengths = np.bincount(of_text[known], minlength=len(self.lengths))
        self.words = self.words[known]

    def lists(self) -> np.ndarray:
        """Returns an array of objects: one list of Python integers per text."""
        return make_lists(self.words, self.lengths)


def shuffled(generator: np.random.RandomState, *arrays: Any) -> list[Any]:
    """Returns the arrays with their rows in a random order, the same for all of them."""
    order = np.arange(len(arrays[0]))
    generator.shuffle(order)
    return [array[order] for array in arrays]


def shorter(texts: Texts, labels: np.ndarray, maxlen: int) -> np.ndarray:
    """Drops the texts that have `maxlen` words or more, and returns the labels of the others."""
    chosen = texts.lengths < maxlen
    texts.keep(chosen)
    return labels[chosen]


def check_some_left(maxlen: int, *parts: Texts) -> None:
    """Raises ValueError if one of the parts is empty."""
    if not all(len(part) for part in parts):
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. "
            f"Increase maxlen."
        )
