r"""Turning text into numbers: words, hashes, and a vocabulary with its matrices.

Source: the public behaviour of keras/preprocessing/text.py (2.1.6; the place of `oov_token`, lower case for
lists of tokens and for characters, `sequences_to_texts` and JSON as in 2.2.4).
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from hashlib import md5
from typing import Any

import numpy as np

from .._cython.tokens import add_counts, count_tokens, look_up, split_words
from ..utils.namespaces import held_by, public_names

__all__ = [
    "Tokenizer",
    "hashing_trick",
    "maketrans",
    "one_hot",
    "text_to_word_sequence",
    "tokenizer_from_json",
]

maketrans = str.maketrans

_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


@lru_cache(maxsize=16)
def _ends_of_words(characters: tuple[str, ...], split: str) -> tuple[bytes, frozenset[str]]:
    """Where words end: 128 flags for ASCII, and the other characters."""
    ends = {*characters, split}
    return bytes(chr(code) in ends for code in range(128)), frozenset(c for c in ends if ord(c) >= 128)


def text_to_word_sequence(
    text: str, filters: Iterable[str] = _FILTERS, lower: bool = True, split: str = " "
) -> list[str]:
    r"""Splits a text into words.

    Args:
        text: the text.
        filters: characters that are taken out, each as if it were `split`; a string or a list. The default is
            the punctuation of ASCII except the apostrophe, with tab and newline.
        lower: turn the text into lower case first.
        split: what separates words.

    Returns:
        The words in their order; empty ones are left out.

    Raises:
        TypeError: `text` is no str.
        ValueError: `split` is empty, or a filter is no single character.

    Example:
        >>> text_to_word_sequence("Don't panic: it's only\ttext!")
        ["don't", 'panic', "it's", 'only', 'text']
    """
    if not isinstance(text, str):
        raise TypeError(f"A text must be a str. Received: {text!r} ({type(text).__name__})")
    if not split:
        raise ValueError("`split` must be what separates words, such as ' '. Received: ''")
    text = str(text.lower() if lower else text)  # a plain str, also from a NumPy array
    characters = tuple(filters)
    if len(split) == 1 and all(len(c) == 1 for c in characters):
        return split_words(text, *_ends_of_words(characters, split))
    if long := [c for c in characters if len(c) != 1]:
        raise ValueError(f"`filters` must be single characters. Received: {long[0]!r}")
    table: dict[int, str | int | None] = {ord(c): split for c in characters}
    return [word for word in text.translate(table).split(split) if word]


def one_hot(
    text: str, n: int, filters: Iterable[str] = _FILTERS, lower: bool = True, split: str = " "
) -> list[int]:
    """Turns each word of a text into a number by Python's `hash`.

    Python salts the hash of strings, so the numbers differ from one run to the next unless PYTHONHASHSEED is
    set; `hashing_trick(…, hash_function='md5')` gives the same ones everywhere.

    Args:
        text: the text.
        n: numbers are at most n − 1.
        filters, lower, split: as in `text_to_word_sequence`.

    Returns:
        A number from 1 to n − 1 for each word; different words may share one.

    Raises:
        ValueError: `n` is below 2.

    Example:
        >>> len(one_hot("the cat sat", 50))
        3
    """
    return hashing_trick(text, n, hash, filters, lower, split)


def hashing_trick(
    text: str,
    n: int,
    hash_function: Callable[[str], int] | str | None = None,
    filters: Iterable[str] = _FILTERS,
    lower: bool = True,
    split: str = " ",
) -> list[int]:
    """Turns each word of a text into a number by a hash function.

    Args:
        text: the text.
        n: numbers are at most n − 1; 0 is never given.
        hash_function: None for Python's `hash` (other numbers in each run), 'md5' (the same numbers
            everywhere), or a function that turns a str into an int.
        filters, lower, split: as in `text_to_word_sequence`.

    Returns:
        hash mod (n − 1) + 1 of each word; different words may share a number.

    Raises:
        ValueError: `n` is below 2, or the hash function is unknown.

    Example:
        >>> hashing_trick("the cat sat", 50, "md5")
        [43, 32, 29]
    """
    if n < 2:
        raise ValueError(f"`n` must be at least 2, for numbers from 1 to n - 1. Received: {n}")
    function: Callable[[str], int]
    if hash_function is None:
        function = hash
    elif hash_function == "md5":
        function = _md5
    elif callable(hash_function):
        function = hash_function
    else:
        raise ValueError(f"`hash_function` must be None, 'md5' or a function. Received: {hash_function!r}")
    return [function(word) % (n - 1) + 1 for word in text_to_word_sequence(text, filters, lower, split)]


def _md5(word: str) -> int:
    return int.from_bytes(md5(word.encode(), usedforsecurity=False).digest(), "big")


class Tokenizer:
    """A vocabulary: numbers the words of texts, and turns texts into sequences or matrices of numbers.

    Words are numbered from 1 by falling frequency, equally frequent ones by first appearance; 0 stands for no
    word. `word_index` holds all of them; `num_words` counts only when texts are translated.

    Args:
        num_words: only numbers below this one are given to words; None for all.
        filters: characters that are taken out of texts.
        lower: turn texts and tokens into lower case.
        split: what separates words.
        char_level: every character is a token.
        oov_token: what stands for words that are unknown or beyond `num_words`; it gets number 1. None leaves
            such words out.
        document_count: the number of texts seen so far.

    Attributes:
        word_counts: word → how often it was seen, in the order of first appearance.
        word_docs: word → how many texts held it.
        word_index, index_word: word → number, and back.
        index_docs: number → how many texts held its word.
        document_count: how many texts were seen.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat sat", "the dog"])
        >>> tokenizer.texts_to_sequences(["the dog sat on the cat"])
        [[1, 4, 3, 1, 2]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: Iterable[str] = _FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        document_count: int = 0,
        **kwargs: Any,
    ) -> None:
        if "nb_words" in kwargs:
            warnings.warn(
                "The `nb_words` argument in `Tokenizer` has been renamed `num_words`.", stacklevel=2
            )
            num_words = kwargs.pop("nb_words")
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.word_counts: dict[Any, int] = {}
        self.word_docs: dict[Any, int] = {}
        self.index_docs: dict[int, int] = {}
        self.word_index: dict[Any, int] = {}
        self.index_word: dict[int, Any] = {}
        self.filters = filters
        self.split = split
        self.lower = lower
        self.num_words = num_words
        self.document_count = document_count
        self.char_level = char_level
        self.oov_token = oov_token

    def _tokens(self, texts: Iterable[Any]) -> Iterator[Any]:
        """Yields the tokens of each text: characters of a str, or words, or a list of tokens as it is."""
        for number, text in enumerate(texts):
            if isinstance(text, str):
                if self.char_level:
                    yield text.lower() if self.lower else text
                else:
                    yield text_to_word_sequence(text, self.filters, self.lower, self.split)
            elif isinstance(text, list | tuple | np.ndarray):
                yield [t.lower() if isinstance(t, str) else t for t in text] if self.lower else text
            else:
                raise TypeError(
                    f"Text {number} is {text!r} ({type(text).__name__}): a text must be a str, or a list of "
                    "tokens. Replace missing texts by ''."
                )

    def fit_on_texts(self, texts: Iterable[str | list[str]]) -> None:
        """Adds texts to the vocabulary, and numbers it anew.

        Args:
            texts: texts, or lists of tokens; any iterable. Further calls go on counting.

        Raises:
            TypeError: one of them is neither; nothing has been counted then.
        """
        self.document_count += count_tokens(self._tokens(texts), self.word_counts, self.word_docs)
        words = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            words.insert(0, self.oov_token)
        self.word_index = {word: number for number, word in enumerate(words, 1)}
        self.index_word = {number: word for word, number in self.word_index.items()}
        self.index_docs.update((self.word_index[word], count) for word, count in self.word_docs.items())

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Counts in how many sequences each number is: what 'tfidf' needs where there are no texts.

        Args:
            sequences: lists of numbers.
        """
        counts: dict[int, int] = {}
        self.document_count += count_tokens(sequences, counts, self.index_docs)

    def texts_to_sequences(self, texts: Iterable[str | list[str]]) -> list[list[int]]:
        """Turns texts into lists of numbers.

        Args:
            texts: texts, or lists of tokens.

        Returns:
            A list of numbers for each text. Words that are unknown or beyond `num_words` are left out, or
            become the number of `oov_token`.
        """
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[str | list[str]]) -> Iterator[list[int]]:
        """Yields what `texts_to_sequences` returns, one text at a time."""
        unknown = self._unknown()
        limit = self._limit()
        for tokens in self._tokens(texts):
            yield look_up(tokens, self.word_index, limit, unknown)

    def _limit(self) -> int:
        """`num_words` as a whole number, which scripts may have written as 1e4; 0 for no limit."""
        return math.ceil(self.num_words or 0)

    def _unknown(self) -> int | None:
        """The number of `oov_token`, if there is one."""
        return None if self.oov_token is None else self.word_index.get(self.oov_token)

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Turns lists of numbers back into texts.

        Args:
            sequences: lists of numbers.

        Returns:
            The words of each, joined by spaces. Unknown numbers are left out, or become `oov_token`.
        """
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yields what `sequences_to_texts` returns, one text at a time."""
        unknown = self._unknown()
        limit = self.num_words or float("inf")
        for sequence in sequences:
            words = []
            for number in sequence:
                word = self.index_word.get(number)
                if word is not None and number < limit:
                    words.append(word)
                elif unknown is not None:
                    words.append(self.oov_token)
            yield " ".join(words)

    def texts_to_matrix(self, texts: Iterable[str | list[str]], mode: str = "binary") -> np.ndarray:
        """Turns texts into rows, one column per word.

        Args:
            texts: texts, or lists of tokens.
            mode: see `sequences_to_matrix`.

        Returns:
            An array of shape (texts, columns), float64.
        """
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences: Any, mode: str = "binary") -> np.ndarray:
        """Turns lists of numbers into rows, one column per word.

        Args:
            sequences: lists of numbers; those beyond the columns are left out.
            mode: what stands in the column of a word that is there c times: 'binary' 1, 'count' c, 'freq' c
                by the length of the sequence, 'tfidf' (1 + ln c) · ln(1 + texts / (1 + texts with the word)).

        Returns:
            An array of shape (sequences, `num_words` or size of the vocabulary + 1), float64.

        Raises:
            ValueError: the mode is unknown, there is neither `num_words` nor a vocabulary, 'tfidf' before any
                text was counted, or a number is negative.
        """
        if mode not in _MODES:
            raise ValueError(f"Unknown vectorization mode: {mode!r}; expected one of {', '.join(_MODES)}")
        if not self.num_words and not self.word_index:
            raise ValueError("Specify a dimension (num_words argument), or fit on some text data first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")
        sequences = list(sequences)
        out = np.zeros((len(sequences), self._limit() or len(self.word_index) + 1))
        for row, sequence in zip(out, sequences):
            places = add_counts(row, sequence)
            if mode == "count" or not places:
                continue
            if mode == "binary":
                row[places] = 1
            elif mode == "freq":
                row[places] /= len(sequence)
            else:
                holding = np.array([self.index_docs.get(place, 0) for place in places])
                row[places] = (1 + np.log(row[places])) * np.log(1 + self.document_count / (1 + holding))
        return out

    def get_config(self) -> dict[str, Any]:
        """Returns the settings and the vocabulary; the dictionaries as JSON strings."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs: Any) -> str:
        """Returns the tokenizer as JSON, which `tokenizer_from_json` reads.

        Args:
            **kwargs: passed to `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Makes a tokenizer from the JSON that `Tokenizer.to_json` wrote.

    Args:
        json_string: the JSON, also of tf.keras and Keras 2.3.

    Returns:
        The tokenizer with its vocabulary.

    Raises:
        ValueError: this is no JSON of a tokenizer.

    Example:
        >>> tokenizer_from_json(tokenizer.to_json()).word_index == tokenizer.word_index
        True
    """
    try:
        config = dict(json.loads(json_string)["config"])
        tables = {
            name: json.loads(config.pop(name))
            for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        }
        tokenizer = Tokenizer(**config)
        # JSON knows only strings as keys.
        for name in ("index_docs", "index_word"):
            tables[name] = {int(number): value for number, value in tables[name].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"This is no JSON of a Tokenizer, as its to_json() writes it: {error!r}") from error
    for name, table in tables.items():
        setattr(tokenizer, name, table)
    return tokenizer


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
