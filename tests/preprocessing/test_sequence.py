"""Padding, windows over time series, pairs of words (BEHAVIOURS 14.10 to 14.12)."""

import random

import h5py
import numpy as np
import pytest

from pykeras.preprocessing.sequence import (
    TimeseriesGenerator,
    _remove_long_seq,
    make_sampling_table,
    pad_sequences,
    skipgrams,
    timeseries_generator_from_json,
)
from pykeras.utils import Sequence


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


@pytest.mark.parametrize("dtype", [">i4", ">f8", object, "complex64"])
def test_14_10_any_dtype(dtype):
    got = pad_sequences([[1, 2], [3]], dtype=dtype)
    assert got.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(got, np.array([[1, 2], [0, 3]]).astype(dtype))
    assert pad_sequences([["a", "bc"], ["d"]], dtype=object, value="").tolist() == [["a", "bc"], ["", "d"]]


def test_14_10_errors():
    with pytest.raises(ValueError, match="must be iterable"):
        pad_sequences(5)
    with pytest.raises(ValueError, match=r"non-iterable: 2"):
        pad_sequences([[1], 2])
    with pytest.raises(ValueError, match='Padding type "front" not understood'):
        pad_sequences([[1]], padding="front")
    with pytest.raises(ValueError, match='Truncating type "end" not understood'):
        pad_sequences([[1]], truncating="end")
    with pytest.raises(ValueError, match=r"`dtype` int32 is not compatible with the padding `value` 'x'"):
        pad_sequences([[1]], value="x")
    with pytest.raises(OverflowError, match=r"does not fit into `dtype='int32'`.*int64"):
        pad_sequences([[2**40]])
    assert pad_sequences([[2**40]], dtype="int64")[0, 0] == 2**40


# ---------------------------------------------------------------------------------------------- time series


def plain_windows(data, targets, length, sampling_rate=1, stride=1, start=0, end=None):
    """The definition of 14.11, row by row."""
    steps = range(start + length, (len(data) - 1 if end is None else end) + 1, stride)
    return np.array([data[t - length : t : sampling_rate] for t in steps]), np.array(
        [targets[t] for t in steps]
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"sampling_rate": 2},
        {"sampling_rate": 3},  # does not divide the length
        {"stride": 2},
        {"stride": 3, "sampling_rate": 2, "start_index": 4, "end_index": 20},
        {"end_index": 10},
    ],
)
@pytest.mark.parametrize("shape", [(30,), (30, 2), (30, 2, 3)])
def test_14_11_rows(shape, settings):
    data = np.random.RandomState(0).normal(size=shape)
    targets = np.arange(60.0).reshape(30, 2)
    series = TimeseriesGenerator(data, targets, length=5, batch_size=4, **settings)
    x, y = plain_windows(
        data,
        targets,
        5,
        settings.get("sampling_rate", 1),
        settings.get("stride", 1),
        settings.get("start_index", 0),
        settings.get("end_index"),
    )
    batches = [series[i] for i in range(len(series))]
    assert len(series) == -(-len(x) // 4)
    np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), x)
    np.testing.assert_array_equal(np.concatenate([b[1] for b in batches]), y)
    flipped = TimeseriesGenerator(data, targets, length=5, batch_size=4, reverse=True, **settings)
    np.testing.assert_array_equal(flipped[0][0], batches[0][0][:, ::-1])


def test_14_11_defaults_and_the_documented_example():
    series = np.arange(50)[:, None]
    generator = TimeseriesGenerator(series, series, length=10, sampling_rate=2, batch_size=2)
    assert isinstance(generator, Sequence)
    assert len(generator) == 20
    x, y = generator[0]
    np.testing.assert_array_equal(x[..., 0], [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]])
    np.testing.assert_array_equal(y, [[10], [11]])
    assert x.dtype == y.dtype == np.float64
    assert TimeseriesGenerator(series, series, 10).batch_size == 128
    assert sum(1 for _ in generator) == 20  # one pass


def test_14_11_shuffled_rows_come_with_replacement():
    series = np.arange(12.0)
    generator = TimeseriesGenerator(series, series, 3, shuffle=True, batch_size=50)
    np.random.seed(4)
    x, y = generator[0]
    np.random.seed(4)
    rows = np.random.randint(3, 12, size=50)
    np.testing.assert_array_equal(y, rows)
    np.testing.assert_array_equal(x, rows[:, None] + [-3, -2, -1])


@pytest.mark.parametrize("shuffle", [False, True])
def test_14_11_lists_and_files(shuffle, tmp_path):
    series = np.random.RandomState(1).normal(size=(900, 2))
    with h5py.File(tmp_path / "series.h5", "w") as file:
        file["x"] = series
        wanted = None
        for data in (series, series.tolist(), file["x"]):
            np.random.seed(0)
            x, y = TimeseriesGenerator(data, data, 4, shuffle=shuffle, batch_size=6)[0]
            wanted = wanted or (x, y)
            np.testing.assert_array_equal(x, wanted[0])
            np.testing.assert_array_equal(y, wanted[1])


def test_14_11_objects_that_are_numbers():
    """As of a table with columns of several types: batches are floats, which a model takes."""
    numbers = np.arange(10).astype(object)
    x, y = TimeseriesGenerator(numbers, numbers, 3)[0]
    assert x.dtype == y.dtype == np.float64
    np.testing.assert_array_equal(x[0], [0, 1, 2])
    words = np.array(list("abcdef"), dtype=object)
    assert TimeseriesGenerator(words, words, 2)[0][0][0].tolist() == ["a", "b"]


def test_14_11_json_there_and_back():
    series = np.arange(20.0)
    first = TimeseriesGenerator(series, series * 2, 3, stride=2, start_index=1, end_index=15, batch_size=4)
    again = timeseries_generator_from_json(first.to_json())
    assert again.get_config() == first.get_config()
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    with pytest.raises(ValueError, match="no JSON of a TimeseriesGenerator"):
        timeseries_generator_from_json("{}")
    with pytest.raises(TypeError, match="Data not JSON Serializable"):
        TimeseriesGenerator([object()] * 5, [1] * 5, 2).to_json()


def test_14_11_errors():
    series = np.arange(10.0)
    with pytest.raises(ValueError, match=r"`start_index.length=10 > end_index=9` is disallowed"):
        TimeseriesGenerator(series, series, 10)
    with pytest.raises(ValueError, match=r"same length. Data length is 10 while target length is 9"):
        TimeseriesGenerator(series, series[1:], 2)
    with pytest.raises(ValueError, match="`sampling_rate` must be at least 1"):
        TimeseriesGenerator(series, series, 2, sampling_rate=0)
    with pytest.raises(ValueError, match="must lie in the 10 steps"):
        TimeseriesGenerator(series, series, 2, end_index=10)
    with pytest.raises(IndexError, match="Batch 1 was asked for, but there are only 1"):
        TimeseriesGenerator(series, series, 2)[1]


# ------------------------------------------------------------------------------------------- pairs of words


def plain_skipgrams(sequence, size, window, negative, shuffle, categorical, table, seed):
    """The definition of 14.12 with Python's own `random` functions."""
    couples, labels = [], []
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    for i, word in enumerate(sequence):
        if not word or (table is not None and table[word] < random.random()):
            continue
        for j in range(max(0, i - window), min(len(sequence), i + window + 1)):
            if j != i and sequence[j]:
                couples.append([word, sequence[j]])
                labels.append(yes)
    if negative > 0:
        count = int(len(labels) * negative)
        words = [couple[0] for couple in couples]
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, size - 1)] for i in range(count)]
        labels += [no] * count
    if shuffle:
        if seed is None:
            seed = random.randint(0, 10_000_000)
        for items in (couples, labels):
            random.seed(seed)
            random.shuffle(items)
    return couples, labels


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("table", [None, make_sampling_table(40, 1e-3)], ids=["all", "sampled"])
@pytest.mark.parametrize(("shuffle", "categorical"), [(True, False), (True, True), (False, True)])
@pytest.mark.parametrize("negative", [0.0, 1.0, 2.3])
def test_14_12_skipgrams(negative, shuffle, categorical, table, seed):
    sequence = np.random.RandomState(5).randint(0, 40, 60).tolist()
    random.seed(11)
    wanted = plain_skipgrams(sequence, 40, 3, negative, shuffle, categorical, table, seed)
    after = random.random()
    random.seed(11)
    got = skipgrams(sequence, 40, 3, negative, shuffle, categorical, table, seed)
    assert got == wanted
    assert random.random() == after  # the generator has moved alike


def test_14_12_index_0_is_skipped_and_defaults():
    couples, labels = skipgrams([1, 0, 2], 3, negative_samples=0, shuffle=False)
    assert (couples, labels) == ([[1, 2], [2, 1]], [1, 1])
    couples, labels = skipgrams(np.arange(1, 8), 8)
    assert len(couples) == 2 * sum(labels)
    assert skipgrams([], 5) == ([], [])


def test_14_12_sampling_table():
    table = make_sampling_table(1000)
    assert table.shape == (1000,)
    rank = np.r_[1, np.arange(1, 1000)]
    frequency = 1 / (rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank))  # Zipf's law
    np.testing.assert_allclose(table, np.minimum(1, np.sqrt(1e-5 / frequency)), rtol=1e-12)
    assert make_sampling_table(50, 1.0)[-1] == 1.0


def test_14_12_errors():
    with pytest.raises(IndexError, match="Word 9 is beyond the sampling table, which has 5 entries"):
        skipgrams([1, 9], 10, sampling_table=make_sampling_table(5))
    with pytest.raises(ValueError, match=r"`vocabulary_size` must be a whole number. Received: 2.5"):
        skipgrams([1, 2], 2.5)
    assert skipgrams([1, 2], 1e2, seed=1)[0]  # but 1e2 is one
    with pytest.raises(ValueError, match=r"1 to `vocabulary_size` - 1. Received: 1"):
        skipgrams([1, 1], 1)
    with pytest.raises(ValueError, match="`size` must be at least 1"):
        make_sampling_table(0)


def test_21_remove_long_seq():
    assert _remove_long_seq(3, [[1], [1, 2, 3], [1, 2]], [7, 8, 9]) == ([[1], [1, 2]], [7, 9])
