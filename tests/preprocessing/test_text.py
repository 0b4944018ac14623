"""Words, hashes and the Tokenizer (BEHAVIOURS 14.13 to 14.15, 19.4)."""

import json
import math
from collections import Counter
from hashlib import md5

import numpy as np
import pytest

from pykeras.preprocessing import text
from pykeras.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
POEM = [
    "The time has come, the Walrus said, to talk of many things:",
    "Of shoes--and ships--and sealing-wax--of cabbages--and kings--",
    "And why the sea is boiling hot--and whether pigs have wings.",
]


def plain_words(line, filters=FILTERS, lower=True, split=" "):
    """The definition, character by character."""
    line = line.lower() if lower else line
    return [word for word in "".join(split if c in filters else c for c in line).split(split) if word]


@pytest.mark.parametrize(
    "line", [*POEM, "", "   ", "don't", "Çà et là: «naïve»", "日本 語,テスト", "😀 a😀b,c"]
)
@pytest.mark.parametrize(
    "settings", [{}, {"lower": False}, {"filters": "aé語😀"}, {"filters": ""}, {"split": "e"}]
)
def test_14_13_words(line, settings):
    assert text_to_word_sequence(line, **settings) == plain_words(line, **settings)


def test_14_13_filters_leave_only_the_apostrophe():
    assert text_to_word_sequence("".join(map(chr, range(33, 65))) + "\t\n") == ["'", "0123456789"]
    assert text_to_word_sequence("a b", filters=["a"]) == ["b"]
    # other white space is no separator, as in Keras
    assert text_to_word_sequence("a\r\x0bb\u00a0c") == ["a\r\x0bb\u00a0c"]


def test_14_13_long_separators():
    assert text_to_word_sequence("one, two<br>three", filters=",", split="<br>") == ["one", " two", "three"]


def test_14_13_order_of_the_vocabulary():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["b a c", "a b", "a d"])
    assert tokenizer.word_index == {"a": 1, "b": 2, "c": 3, "d": 4}  # falling counts, ties by appearance
    assert tokenizer.index_word == {1: "a", 2: "b", 3: "c", 4: "d"}
    assert list(tokenizer.word_counts.items()) == [("b", 2), ("a", 3), ("c", 1), ("d", 1)]
    assert tokenizer.word_docs == {"a": 3, "b": 2, "c": 1, "d": 1}
    assert tokenizer.index_docs == {1: 3, 2: 2, 3: 1, 4: 1}
    assert tokenizer.document_count == 3
    tokenizer.fit_on_texts(["d d d d", "e"])  # counting goes on
    assert tokenizer.word_index == {"d": 1, "a": 2, "b": 3, "c": 4, "e": 5}
    assert tokenizer.word_docs["d"] == 2
    assert tokenizer.document_count == 5


def test_14_13_counts_of_many_words_are_those_of_a_counter():
    rng = np.random.RandomState(3)
    documents = [[f"w{n}" for n in rng.zipf(1.2, 300) % 4000] for _ in range(40)]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(" ".join(document) for document in documents)
    assert tokenizer.word_counts == Counter(word for document in documents for word in document)
    assert tokenizer.word_docs == Counter(word for document in documents for word in set(document))
    sequences = tokenizer.texts_to_sequences([" ".join(documents[7])])
    assert [tokenizer.index_word[number] for number in sequences[0]] == documents[7]


def test_14_13_num_words_and_unknown_words():
    tokenizer = Tokenizer(num_words=3)
    tokenizer.fit_on_texts(["a a a b b c"])
    assert len(tokenizer.word_index) == 3  # all of them
    assert tokenizer.texts_to_sequences(["a b c x"]) == [[1, 2]]  # numbers below num_words
    assert tokenizer.sequences_to_texts([[1, 2, 3, 9, 1]]) == ["a b a"]


def test_14_13_num_words_written_as_a_float():
    """Scripts say 1e4; Keras compares numbers with it, so that a fraction works as well."""
    for limit in (3.0, 2.5):
        tokenizer = Tokenizer(num_words=limit)
        tokenizer.fit_on_texts(["a a a b b c"])
        assert tokenizer.texts_to_sequences(["a b c x"]) == [[1, 2]]
        assert tokenizer.sequences_to_texts([[1, 2, 3]]) == ["a b"]
        assert tokenizer.texts_to_matrix(["a b c"]).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("settings", [{}, {"char_level": True}, {"split": "th"}])
def test_14_13_texts_in_an_array(lower, settings):
    """An array of texts has elements of a kind of str that is NumPy's."""
    one, other = Tokenizer(lower=lower, **settings), Tokenizer(lower=lower, **settings)
    one.fit_on_texts(np.array(POEM))
    other.fit_on_texts(POEM)
    assert one.get_config() == other.get_config()
    assert one.texts_to_sequences(np.array(POEM)) == other.texts_to_sequences(POEM)


def test_14_13_oov_token():
    tokenizer = Tokenizer(num_words=3, oov_token="<?>")
    tokenizer.fit_on_texts(["a a a b b c"])
    assert tokenizer.word_index == {"<?>": 1, "a": 2, "b": 3, "c": 4}
    assert tokenizer.texts_to_sequences(["a b c x"]) == [[2, 1, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 3, 77]]) == ["a <?> <?>"]
    assert Tokenizer(oov_token="?").texts_to_sequences(["before any fit"]) == [[]]


def test_14_13_characters_and_lists_of_tokens():
    tokenizer = Tokenizer(char_level=True)
    tokenizer.fit_on_texts(["Aab", "b"])
    assert tokenizer.word_index == {"a": 1, "b": 2}
    assert tokenizer.texts_to_sequences(["BAx"]) == [[2, 1]]
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts([["New York", "is"], ("new york", "big")])
    assert tokenizer.word_counts == {"new york": 2, "is": 1, "big": 1}
    tokenizer = Tokenizer(lower=False)
    tokenizer.fit_on_texts([[3, 3, "A"]])
    assert tokenizer.texts_to_sequences([["A", 3]]) == [[2, 1]]


def test_14_13_generators():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(line for line in POEM)
    lazily = tokenizer.texts_to_sequences_generator(iter(POEM))
    assert next(lazily) == tokenizer.texts_to_sequences(POEM)[0]
    back = tokenizer.sequences_to_texts_generator(tokenizer.texts_to_sequences(POEM))
    assert list(back) == [" ".join(plain_words(line)) for line in POEM]


def test_14_13_fit_on_sequences():
    tokenizer = Tokenizer(num_words=5)
    tokenizer.fit_on_sequences([[1, 2, 2], [2, 4]])
    tokenizer.fit_on_sequences(iter([[2]]))
    assert tokenizer.index_docs == {1: 1, 2: 3, 4: 1}
    assert tokenizer.document_count == 3


@pytest.mark.parametrize("num_words", [None, 6])
@pytest.mark.parametrize("mode", ["binary", "count", "freq", "tfidf"])
def test_14_14_matrices(mode, num_words):
    tokenizer = Tokenizer(num_words=num_words)
    tokenizer.fit_on_texts(POEM)
    got = tokenizer.texts_to_matrix([*POEM, "", "the the unheard of"], mode=mode)
    width = num_words or len(tokenizer.word_index) + 1
    assert got.shape == (5, width)
    assert got.dtype == np.float64
    want = np.zeros((5, width))
    for i, line in enumerate([*POEM, "", "the the unheard of"]):
        numbers = [tokenizer.word_index[w] for w in plain_words(line) if w in tokenizer.word_index]
        numbers = [n for n in numbers if n < width]
        for n, c in Counter(numbers).items():
            df = tokenizer.index_docs[n]
            want[i, n] = {
                "binary": 1,
                "count": c,
                "freq": c / len(numbers),
                "tfidf": (1 + math.log(c)) * math.log(1 + 3 / (1 + df)),
            }[mode]
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_14_14_sequences_beyond_the_columns_and_their_length():
    got = Tokenizer(num_words=3).sequences_to_matrix([[1, 1, 7, 2]], mode="freq")
    np.testing.assert_array_equal(got, [[0, 0.5, 0.25]])


def test_14_15_hashes():
    words = plain_words(POEM[0])
    want = [int(md5(word.encode()).hexdigest(), 16) % 49 + 1 for word in words]
    assert hashing_trick(POEM[0], 50, "md5") == want
    assert hashing_trick(POEM[0], 50, len) == [len(word) % 49 + 1 for word in words]
    assert one_hot(POEM[0], 50) == hashing_trick(POEM[0], 50) == [hash(w) % 49 + 1 for w in words]


def test_19_4_nb_words():
    with pytest.warns(UserWarning, match="renamed `num_words`"):
        assert Tokenizer(nb_words=7).num_words == 7
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        Tokenizer(words=7)


def test_json_there_and_back():
    tokenizer = Tokenizer(num_words=9, oov_token="?", lower=False)
    tokenizer.fit_on_texts(POEM)
    again = tokenizer_from_json(tokenizer.to_json(indent=1))
    assert vars(again) == vars(tokenizer)
    assert again.texts_to_sequences(POEM) == tokenizer.texts_to_sequences(POEM)
    config = json.loads(tokenizer.to_json())
    assert config["class_name"] == "Tokenizer"
    assert json.loads(config["config"]["index_word"])["1"] == "?"  # tables are JSON within JSON, as in 2.2.4
    assert again.get_config() == tokenizer.get_config()


@pytest.mark.parametrize("broken", ["{", "[]", "{}", '{"config": {"num_words": 3}}', '{"config": 5}'])
def test_json_of_something_else(broken):
    with pytest.raises(ValueError, match="no JSON of a Tokenizer"):
        tokenizer_from_json(broken)


def test_errors():
    tokenizer = Tokenizer()
    with pytest.raises(TypeError, match=r"Text 1 is nan \(float\)"):
        tokenizer.fit_on_texts(["a", float("nan")])
    assert (tokenizer.document_count, tokenizer.word_counts) == (0, {})
    with pytest.raises(ValueError, match="Specify a dimension"):
        tokenizer.sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="before using tfidf mode"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ValueError, match="Unknown vectorization mode: 'idf'"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], "idf")
    with pytest.raises(ValueError, match="-1 is negative"):
        Tokenizer(num_words=3).sequences_to_matrix([[-1]])
    with pytest.raises(TypeError):
        Tokenizer(num_words=3).sequences_to_matrix([["a"]])
    with pytest.raises(TypeError, match=r"must be a str. Received: 5"):
        text_to_word_sequence(5)
    with pytest.raises(ValueError, match="`split` must be"):
        text_to_word_sequence("a", split="")
    with pytest.raises(ValueError, match=r"`filters` must be single characters. Received: 'ab'"):
        text_to_word_sequence("a", filters=["c", "ab"])
    with pytest.raises(ValueError, match="at least 2"):
        hashing_trick("a", 1)
    with pytest.raises(ValueError, match="'sha'"):
        hashing_trick("a", 5, "sha")


def test_maketrans_is_pythons():
    assert text.maketrans is str.maketrans
