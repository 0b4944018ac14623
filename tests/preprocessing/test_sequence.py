"""pad_sequences (BEHAVIOURS 14.10)."""

import numpy as np
import pytest

from pykeras.preprocessing.sequence import pad_sequences


def plain(sequences, maxlen, dtype, padding, truncating, value):
    """The definition, element by element."""
    out = np.full((len(sequences), maxlen), value, dtype)
    for i, s in enumerate(sequences):
        s = list(s)[len(s) - min(len(s), maxlen) :] if truncating == "pre" else list(s)[:maxlen]
        at = maxlen - len(s) if padding == "pre" else 0
        for k, x in enumerate(s):
            out[i, at + k] = x
    return out


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64", "int16", "uint8"])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_14_10_every_combination(dtype, padding, truncating):
    rng = np.random.RandomState(0)
    ragged = [rng.randint(0, 100, n).tolist() for n in (0, 1, 3, 7, 5)]
    for sequences in (ragged, [tuple(s) for s in ragged], [np.array(s, "int64") for s in ragged]):
        for maxlen in (None, 1, 4, 9):
            got = pad_sequences(sequences, maxlen, dtype, padding, truncating, value=3)
            want = plain(sequences, maxlen or 7, dtype, padding, truncating, 3)
            assert got.dtype == want.dtype
            np.testing.assert_array_equal(got, want)


def test_14_10_defaults():
    got = pad_sequences([[1, 2, 3], [4]], maxlen=2)
    np.testing.assert_array_equal(got, [[2, 3], [0, 4]])
    assert got.dtype == np.int32
    assert pad_sequences([]).shape == (0, 0)
    assert pad_sequences([[], []]).shape == (2, 0)


def test_14_10_sequences_of_vectors():
    got = pad_sequences([[[1, 2]], [[3, 4], [5, 6], [7, 8]]], maxlen=2, value=-1.0, dtype="float32")
    np.testing.assert_array_equal(got, [[[-1, -1], [1, 2]], [[5, 6], [7, 8]]])
    with pytest.raises(ValueError, match="position 1 is different from expected shape"):
        pad_sequences([[[1, 2]], [[3, 4, 5]]])


def test_14_10_fractions_become_whole_numbers_as_in_numpy():
    np.testing.assert_array_equal(pad_sequences([[1.7, 2.2], [3]]), [[1, 2], [0, 3]])


def test_14_10_errors():
    with pytest.raises(ValueError, match="must be iterable"):
        pad_sequences(5)
    with pytest.raises(ValueError, match=r"non-iterable: 2"):
        pad_sequences([[1], 2])
    with pytest.raises(ValueError, match='Padding type "front" not understood'):
        pad_sequences([[1]], padding="front")
    with pytest.raises(ValueError, match='Truncating type "end" not understood'):
        pad_sequences([[1]], truncating="end")
    with pytest.raises(OverflowError):
        pad_sequences([[2**40]])
