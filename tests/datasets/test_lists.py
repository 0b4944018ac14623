"""Lists of numbers read from pickles without an object for each: the same as the plain way, or not at all."""

import pickle
import random

import numpy as np
import pytest

from pykeras._cython.lists import make_lists, split_pickle, take_lists
from pykeras.datasets._files import load_npz
from pykeras.datasets._pickles import Ragged, read_lists, read_pickle


def ragged(lists):
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    return array


def as_lists(found):
    return make_lists(found.words, found.lengths).tolist()


@pytest.mark.parametrize("protocol", [1, 2, 3])
@pytest.mark.parametrize(
    "lists",
    [
        [[1, 2, 3], [], [300, 70_000, 2**31 - 1], [7]],
        [[5]],
        [[], []],
        [list(range(2500)), list(range(1001)), [0]],
        [[n] * (n % 4) for n in range(1203)],
        [[]] * 0,
        [[n] for n in range(ord("]"))],
        [[n] for n in range(ord("]") * 257)],
    ],
    ids=["sizes", "one", "empty", "long", "many", "none", "93", "23901"],
)
def test_the_same_as_the_plain_way(lists, protocol):
    data = pickle.dumps(ragged(lists), protocol)
    assert as_lists(read_lists(data)) == read_pickle(data).tolist() == lists


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        [[1], [2]],
        {"a": [1]},
        7,
        ragged([[1, None], [2]]),
        ragged([[1, [2]], [3]]),
        ragged([[1], 5]),
        ragged([[1], "text"]),
        ragged([[2**40], [1]]),
        ragged([[1], [1.5]]),
        ragged([[[]], []]),
        ragged([[1], [2]]).reshape(2, 1),
        np.arange(3),
    ],
    ids=str,
)
@pytest.mark.parametrize("protocol", range(6))
def test_anything_else_is_left_to_the_plain_way(value, protocol):
    assert read_lists(pickle.dumps(value, protocol)) is None


def test_a_list_that_occurs_twice_is_left_to_the_plain_way():
    same = [1, 2]
    data = pickle.dumps(ragged([same, [3], same]), 2)
    assert read_lists(data) is None
    assert read_pickle(data).tolist() == [[1, 2], [3], [1, 2]]


def test_damaged_pickles():
    """Whatever single bytes become: never another result than that of the plain way."""
    rng = random.Random(0)
    whole = pickle.dumps(ragged([[1, 2], [], [300], [70_000, 4]]), 2)
    agreed = 0
    for _ in range(3000):
        data = bytearray(whole)
        place = rng.randrange(len(data))
        byte = rng.choice(b"](eatbq.KMJh0N\x94") if rng.random() < 0.7 else rng.randrange(256)
        if rng.random() < 0.6:
            data[place] = byte
        elif rng.random() < 0.5:
            del data[place]
        else:
            data.insert(place, byte)
        found = read_lists(bytes(data))
        if found is not None:
            assert as_lists(found) == read_pickle(bytes(data)).tolist()
            agreed += 1
        for start in (-1, 0, place, len(data) - 1, len(data), 10**9):
            split_pickle(bytes(data), start)
        assert read_lists(bytes(data[:place])) is None
    assert agreed > 100


def test_order():
    lists = Ragged(np.array([1, 2, 3, 4, 5, 6]), np.array([2, 0, 3, 1]))
    assert as_lists(lists[np.array([3, 2, 1])]) == [[6], [3, 4, 5], []]
    assert as_lists(lists[np.arange(0)]) == []
    assert len(lists) == 4
    for wrong in (4, -1):
        with pytest.raises(IndexError, match=f"no list {wrong} among 4"):
            lists[np.array([wrong])]
    for lengths in ([2, 2], [4, -1]):
        with pytest.raises(ValueError, match="longer than there are numbers"):
            take_lists(np.arange(3), np.array(lengths), np.array([0]))


def test_python_lists_share_their_numbers():
    first, second = make_lists(np.array([1000, 2**40, -3, 1000]), np.array([3, 1]))
    assert (first, second) == ([1000, 2**40, -3], [1000])
    assert all(type(n) is int for n in first)
    assert first[0] is second[0]
    for lengths in ([3], [5], [-1, 5]):
        with pytest.raises(ValueError, match="do not add up"):
            make_lists(np.arange(4), np.array(lengths))


def test_files(tmp_path):
    """Files of other protocols and of other things are read the plain way."""
    lists, path = ragged([[1, 2], [3]]), str(tmp_path / "a.npz")
    np.savez(path, lists=lists, words=ragged([["a"], ["b"]]), plain=np.arange(3))
    got = load_npz(path, "lists", "words", "plain", ragged=True)
    assert got[1].tolist() == [["a"], ["b"]] and got[2].tolist() == [0, 1, 2]
    assert (as_lists(got[0]) if isinstance(got[0], Ragged) else got[0].tolist()) == [[1, 2], [3]]
