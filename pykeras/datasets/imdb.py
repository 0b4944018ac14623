"""IMDB: 50,000 film reviews as lists of word ranks, half of them positive.

Source: A. L. Maas et al., "Learning Word Vectors for Sentiment Analysis", ACL 2011; the public behaviour of
keras/datasets/imdb.py (2.1.6). Unlike there, `maxlen` leaves each review in its part, and NumPy's global
generator is not seeded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.namespaces import held_by
from ._files import find_file, load_npz, load_word_index
from ._sequences import Texts, check_some_left, num_words_from, shorter, shuffled

_ORIGIN = "https://s3.amazonaws.com/text-datasets/imdb.npz"
_HASH = "599dadb1135973df5b59232a0e9a887c"
_INDEX_ORIGIN = "https://s3.amazonaws.com/text-datasets/imdb_word_index.json"
_INDEX_HASH = "bfafd718b763782e994055a2d397834f"

Part = tuple[np.ndarray, np.ndarray]


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: Any,
) -> tuple[Part, Part]:
    """Loads the reviews, shuffled.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.
        num_words: numbers from here on become `oov_char`; None takes the largest number that occurs, so
            that this one word becomes `oov_char` too.
        skip_top: numbers below become `oov_char`.
        maxlen: only reviews shorter than this are kept (the start mark counts).
        seed: seed of the shuffling.
        start_char: first number of each review; None for none.
        oov_char: what stands for words that are cut out; None drops them.
        index_from: added to each word's rank, so that small numbers are free for marks.
        **kwargs: `nb_words`, the older name of `num_words`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of 25,000 lists of integers, and int64 labels 0 or 1.

    Raises:
        OSError: the file is not there and cannot be fetched.
        ValueError: it is broken, or `maxlen` leaves nothing.
        TypeError: other keywords.
    """
    num_words = num_words_from(num_words, kwargs)
    file = find_file(path, _ORIGIN, _HASH)
    x_train, y_train, x_test, y_test = load_npz(file, "x_train", "y_train", "x_test", "y_test", ragged=True)
    generator = np.random.RandomState(seed)
    x_train, y_train = shuffled(generator, x_train, y_train)
    x_test, y_test = shuffled(generator, x_test, y_test)
    train = Texts(x_train, file, start_char, index_from)
    test = Texts(x_test, file, start_char, index_from)
    if maxlen:
        y_train, y_test = shorter(train, y_train, maxlen), shorter(test, y_test, maxlen)
        check_some_left(maxlen, train, test)
    limit = num_words or max(train.largest(), test.largest())
    train.cut(skip_top, limit, oov_char)
    test.cut(skip_top, limit, oov_char)
    return (train.lists(), y_train), (test.lists(), y_test)


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """Returns word → rank, from 1 for the most frequent word; `load_data` adds `index_from` to it.

    Args:
        path: name below Keras's `datasets` folder, or an absolute path.
    """
    return load_word_index(find_file(path, _INDEX_ORIGIN, _INDEX_HASH))


# What scripts also import from here.
__getattr__ = held_by(__name__)
