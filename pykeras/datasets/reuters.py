"""Reuters newswire: 11,228 texts as lists of word ranks, of 46 topics.

Source: Reuters-21578, D. D. Lewis; the public behaviour of keras/datasets/reuters.py (2.1.6), except that
NumPy's global generator is not seeded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.namespaces import held_by
from ._files import find_file, load_npz, load_word_index
from ._sequences import Texts, check_some_left, num_words_from, shorter, shuffled

_ORIGIN = "https://s3.amazonaws.com/text-datasets/reuters.npz"
_HASH = "87aedbeb0cb229e378797a632c1997b6"
_INDEX_ORIGIN = "https://s3.amazonaws.com/text-datasets/reuters_word_index.json"
_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"

Part = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[Part, Part]:
    """Loads the texts, shuffled and then split.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.
        num_words: numbers from here on become `oov_char`; None takes the largest number that occurs, so
            that this one word becomes `oov_char` too.
        skip_top: numbers below become `oov_char`.
        maxlen: only texts shorter than this are kept (the start mark counts).
        test_split: share of the test part.
        seed: seed of the shuffling.
        start_char: first number of each text; None for none.
        oov_char: what stands for words that are cut out; None drops them.
        index_from: added to each word's rank, so that small numbers are free for marks.
        **kwargs: `nb_words`, the older name of `num_words`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists of integers, and int64 labels 0 to 45.

    Raises:
        OSError: the file is not there and cannot be fetched.
        ValueError: it is broken, `maxlen` leaves nothing, or `test_split` is out of range.
        TypeError: other keywords.
    """
    num_words = num_words_from(num_words, kwargs)
    if not 0 <= test_split <= 1:
        raise ValueError(f"`test_split` must be from 0 to 1. Received: {test_split}")
    file = find_file(path, _ORIGIN, _HASH)
    x, y = load_npz(file, "x", "y", ragged=True)
    x, y = shuffled(np.random.RandomState(seed), x, y)
    texts = Texts(x, file, start_char, index_from)
    if maxlen:
        y = shorter(texts, y, maxlen)
        check_some_left(maxlen, texts)
    texts.cut(skip_top, num_words or texts.largest(), oov_char)
    lists = texts.lists()
    split = int(len(lists) * (1 - test_split))
    return (lists[:split], y[:split]), (lists[split:], y[split:])


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """Returns word → rank, from 1 for the most frequent word; `load_data` adds `index_from` to it.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.
    """
    return load_word_index(find_file(path, _INDEX_ORIGIN, _INDEX_HASH))


# What scripts also import from here.
__getattr__ = held_by(__name__)
