"""K.dot and K.batch_dot (BEHAVIOURS 18.5)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients

from pykeras import backend as K


def np_dot(x, y):
    if y.ndim == 1:
        return x @ y
    return np.tensordot(x, y, ((x.ndim - 1,), (y.ndim - 2,)))


PAIRS = [
    ((2, 3), (3, 4)),
    ((2, 5, 3), (3, 4)),
    ((2, 3), (4, 3, 5)),
    ((2, 5, 3), (4, 3, 5)),
    ((2, 2, 2, 3), (3, 1)),
    ((3,), (3, 4)),
    ((2, 3), (3,)),
    ((3,), (3,)),
    ((2, 4, 3), (3,)),
]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
def test_dot(a, b):
    check(K.dot, np_dot, array(*a), array(*b))


def test_dot_keeps_known_sizes():
    x, w = K.placeholder((None, None, 3)), K.variable(np.ones((3, 4)))
    assert K.dot(x, w).shape == (None, None, 4)
    assert K.dot(K.placeholder((None, 7, 3)), w).shape == (None, 7, 4)
    assert K.dot(K.placeholder((2, 3)), K.placeholder((4, 3, 5))).shape == (2, 4, 5)


def test_dot_of_matrices_is_one_node():
    x, w = K.placeholder((None, 3)), K.variable(np.ones((3, 4)))
    y = K.dot(x, w)
    assert y._value.op == "matmul" and [v.id for v in y._value.inputs] == [x._value.id, w._value.id]


def test_dot_checks_sizes():
    with pytest.raises(ValueError):
        K.dot(K.placeholder((2, 3)), K.placeholder((4, 5)))
    with pytest.raises(ValueError, match="scalars"):
        K.dot(K.placeholder(()), K.placeholder((4, 5)))


# The meaning of Keras 2.1.6 with TensorFlow, written with einsum.
BATCH = [
    ((4, 3), (4, 3), 1, "bi,bi->b"),
    ((4, 3), (4, 3), None, "bi,bi->b"),
    ((4, 2, 3), (4, 3, 5), None, "bij,bjk->bik"),
    ((4, 2, 3), (4, 3, 5), [2, 1], "bij,bjk->bik"),
    ((4, 2, 3), (4, 5, 3), 2, "bij,bkj->bik"),
    ((4, 3, 2), (4, 3, 5), 1, "bji,bjk->bik"),
    ((4, 3, 2), (4, 5, 3), [1, 2], "bji,bkj->bik"),
    ((4, 3), (4, 3, 5), [1, 1], "bj,bjk->bk"),
    ((4, 3), (4, 5, 3), [1, 2], "bj,bkj->bk"),
    ((4, 2, 3), (4, 3), [2, 1], "bij,bj->bi"),
    ((4, 3, 2), (4, 3), [1, 1], "bji,bj->bi"),
    ((4, 2, 3), (4, 2, 3, 5), [2, 2], "bni,bnid->bnd"),
    ((4, 2, 5), (4, 2, 3, 5), [2, 3], "bnd,bnid->bni"),
    ((4, 2, 3, 5), (4, 2, 5, 6), [3, 2], "bnij,bnjk->bnik"),
]


@pytest.mark.parametrize(("a", "b", "axes", "sums"), BATCH, ids=[f"{c[0]}{c[1]}{c[2]}" for c in BATCH])
def test_batch_dot(a, b, axes, sums):
    def oracle(x, y):
        result = np.einsum(sums, x, y)
        return result[:, None] if result.ndim == 1 else result

    check(lambda x, y: K.batch_dot(x, y, axes), oracle, array(*a), array(*b))


def test_batch_dot_of_unknown_batch():
    x, y = K.placeholder((None, 3)), K.placeholder((None, 3))
    assert K.batch_dot(x, y, 1).shape == (None, 1)
    assert K.batch_dot(K.placeholder((None, 2, 3)), K.placeholder((None, 3, 5))).shape == (None, 2, 5)


def test_products_of_whole_numbers():
    """As layers that lay out coordinates do: ones times `K.arange`."""
    a, b = np.array([[1, 2], [3, -4]], "int32"), np.array([[5], [60_000]], "int32")
    check(K.dot, np.dot, a, b)
    check(lambda x, y: K.batch_dot(x, y, axes=[2, 1]), np.matmul, np.stack([a, a + 1]), np.stack([b, b]))
    with pytest.raises(ValueError, match=r"one dtype, .* K.cast"):
        K.dot(K.constant(a, "int32"), K.constant(b, "float32"))


def test_batch_dot_refuses():
    with pytest.raises(ValueError, match="at least 2 axes"):
        K.batch_dot(K.placeholder((2,)), K.placeholder((2, 3)))
    with pytest.raises(ValueError, match="batch axes"):
        K.batch_dot(K.placeholder((2, 3, 4, 5)), K.placeholder((2, 3, 4, 5)), 1)


@pytest.mark.parametrize("case", [0, 2, 4, 6, 8, 11], ids=str)
def test_batch_dot_gradients(case):
    a, b, axes, _ = BATCH[case]
    check_gradients(lambda x, y: K.batch_dot(x, y, axes), array(*a), array(*b))


def test_dot_gradients():
    check_gradients(K.dot, array(2, 3), array(3, 2))
    check_gradients(K.dot, array(2, 2, 3), array(2, 3, 2))
