"""Reductions (BEHAVIOURS 18.6)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients

from pykeras import backend as K

X = array(3, 4, 5)
NAMES = ["sum", "mean", "prod", "max", "min", "var", "std"]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, 1, -1, [0, 1], [-1, 0], (1, 2), [0, 1, 2]], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_reductions(name, axis, keepdims):
    f, g = getattr(K, name), getattr(np, name)
    at = None if axis is None else axis if isinstance(axis, int) else tuple(axis)
    check(lambda x: f(x, axis, keepdims), lambda x: g(x, axis=at, keepdims=keepdims), X, tol=1e-4)


@pytest.mark.parametrize("axis", [None, 0, -1, [0, 2]], ids=str)
def test_logsumexp(axis):
    at = tuple(axis) if isinstance(axis, list) else axis
    check(lambda x: K.logsumexp(x, axis), lambda x: np.log(np.sum(np.exp(x), axis=at)), X)
    check(
        lambda x: K.logsumexp(x, axis, True), lambda x: np.log(np.sum(np.exp(x), axis=at, keepdims=True)), X
    )
    big = K.eval(K.logsumexp(K.constant([1000.0, 1000.0])))
    np.testing.assert_allclose(big, 1000 + np.log(2), rtol=1e-6)
    assert K.eval(K.logsumexp(K.constant([-np.inf, -np.inf]))) == -np.inf


@pytest.mark.parametrize("name", ["any", "all"])
def test_any_all(name):
    f, g = getattr(K, name), getattr(np, name)
    x = np.array([[0, 1, 2], [0, 0, 0], [1, 1, 1]], "float32")
    for axis in (None, 0, -1):
        check(lambda x, axis=axis: f(x, axis), lambda x, axis=axis: g(x != 0, axis=axis), x)
    check(lambda x: f(x > 0.5, 1, True), lambda x: g(x > 0.5, axis=1, keepdims=True), x)


def test_argmax_argmin():
    x = np.array([[1, 3, 3], [2, 2, 1]], "float32")
    for axis in (0, 1, -1):
        check(lambda x, axis=axis: K.argmax(x, axis), lambda x, axis=axis: np.argmax(x, axis), x)
        check(lambda x, axis=axis: K.argmin(x, axis), lambda x, axis=axis: np.argmin(x, axis), x)
    assert K.argmax(K.placeholder((2, 3))).dtype == "int64"


def test_bools_and_whole_numbers():
    b = np.array([[True, False], [True, True]])
    check(lambda x: K.mean(x, 1), lambda x: x.mean(1), b)
    check(K.sum, lambda x: x.astype("float32").sum(), b)
    check(K.var, np.var, b)
    assert K.mean(K.placeholder((2,), dtype="bool")).dtype == "float32"
    check(K.sum, np.sum, np.array([1, 2, 3], "int32"))
    check(K.mean, np.mean, np.array([1, 2], "int32"))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_running(axis):
    check(lambda x: K.cumsum(x, axis), lambda x: np.cumsum(x, axis), X)
    check(lambda x: K.cumprod(x, axis), lambda x: np.cumprod(x, axis), X)


def test_l2_normalize():
    check(lambda x: K.l2_normalize(x, 1), lambda x: x / np.sqrt(np.sum(x * x, 1, keepdims=True)), X)
    check(K.l2_normalize, lambda x: x / np.sqrt(np.sum(x * x)), X)
    check(lambda x: K.l2_normalize(x, -1), np.zeros_like, np.zeros((2, 3), "float32"))


def test_no_axes_at_all():
    check(lambda x: K.sum(x, []), lambda x: x, X)
    check(K.sum, lambda x: x, np.float32(3))


def test_lists_of_tensors_count_as_stacked():
    """`K.prod([K.shape(x)[i] for i in axes])`, `K.mean([loss, other])`."""
    x, y = array(3, 4), array(3, 4)
    check(lambda x: K.prod([K.shape(x)[0], 5, K.shape(x)[1]]), lambda x: np.int32(60), x)
    check(lambda x, y: K.mean([x, y], axis=0), lambda x, y: (x + y) / 2, x, y)
    check(lambda x, y: K.max([[x, y], [y, 1 - y]]), lambda x, y: np.max([x, y, 1 - y]), x, y)
    check(lambda x, y: x * [y, y], lambda x, y: np.stack([x * y, x * y]), x, y)


def test_wrong_axis():
    with pytest.raises(ValueError, match="Axis 2"):
        K.sum(K.placeholder((3, 4)), 2)


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "var", "std", "logsumexp", "l2_normalize"])
def test_gradients(name):
    f = getattr(K, name)
    check_gradients(lambda x: f(x, 1), array(2, 3, 2))
    check_gradients(lambda x: f(x, None), array(2, 3))


def test_gradients_of_running():
    check_gradients(lambda x: K.cumsum(x, 1), array(2, 3))


def test_python_reductions_of_the_old_module():
    """`py_all` and `py_sum` of the old module: Python's own for plain values, ours for tensors."""
    old = K.tensorflow_backend
    assert old.py_all([1, True]) is True and old.py_all([1, 0]) is False
    assert old.py_sum([1, 2, 3]) == 6 and old.py_sum(i for i in range(4)) == 6
    x = np.array([[1.0, 0.0], [2.0, 3.0]], "float32")
    np.testing.assert_array_equal(K.eval(old.py_all(K.constant(x), axis=1)), [False, True])
    np.testing.assert_array_equal(K.eval(old.py_sum(x, axis=0, keepdims=True)), [[3.0, 3.0]])
