"""Gathering the rows of shuffled batches."""

import numpy as np
import pytest

from pykeras._cython.rows import gather_rows
from pykeras.engine import training_utils
from pykeras.engine.training import _slice_arrays


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "uint8", "bool", "int64", ">f4"])
@pytest.mark.parametrize("shape", [(50, 300), (50, 7, 3), (50,), (50, 0), (50, 1)])
def test_the_same_as_take(dtype, shape):
    x = (np.random.rand(*shape) * 100).astype(dtype)
    for rows in (
        np.random.permutation(50),
        np.array([3]),
        np.array([], dtype=int),
        np.array([7, 7, 0], "int32"),
    ):
        found = gather_rows(x, rows)
        np.testing.assert_array_equal(found, x.take(rows, axis=0))
        assert (found.dtype, found.flags.c_contiguous, found.flags.owndata) == (x.dtype, True, True)


def test_rows_at_the_ends_of_a_large_array():
    x = np.arange(3 * 10000.0).reshape(3, 10000)
    np.testing.assert_array_equal(gather_rows(x, np.array([2, 0, 2])), x[[2, 0, 2]])
    x.flags.writeable = False
    np.testing.assert_array_equal(gather_rows(x, np.array([1])), x[[1]])


def test_what_it_refuses():
    x = np.ones((4, 3))
    for rows in ([4], [0, -1], [2**40]):
        with pytest.raises(IndexError, match="outside 0 to 3"):
            gather_rows(x, np.array(rows))
    with pytest.raises(IndexError):
        gather_rows(x[:0], np.array([0]))
    with pytest.raises(TypeError, match="only arrays of numbers"):
        gather_rows(np.array([[object()]]), np.array([0]))
    with pytest.raises(ValueError, match="contiguous"):
        gather_rows(np.ones((4, 6))[:, ::2], np.array([0]))


@pytest.mark.parametrize("columns", [10, 1000])
def test_batches_of_any_array(columns):
    """Long rows go one way, short ones another, and what is not contiguous is gathered too."""
    assert 10 * 4 < training_utils._LONG_ROW <= 1000 * 4
    x = np.random.rand(20, columns).astype("float32")
    rows = np.random.permutation(20)[:7]
    for array in (x, x[:, ::-1], np.asfortranarray(x), x[::2].repeat(2, axis=0), x.view(np.matrix)):
        np.testing.assert_array_equal(_slice_arrays([array], rows)[0], array[rows])
