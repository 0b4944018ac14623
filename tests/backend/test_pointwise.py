"""Pointwise functions (BEHAVIOURS 18.7)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients

from pykeras import backend as K

X = np.concatenate([array(3, 5), np.array([[0.0, -0.5, 0.5, 1.5, 2.5]], "float32")])


def np_elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


UNARY = {
    "square": (K.square, np.square),
    "abs": (K.abs, np.abs),
    "sqrt": (K.sqrt, lambda x: np.sqrt(np.maximum(x, 0))),
    "exp": (K.exp, np.exp),
    "round": (K.round, np.round),
    "sign": (K.sign, np.sign),
    "sin": (K.sin, np.sin),
    "cos": (K.cos, np.cos),
    "sigmoid": (K.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    "hard_sigmoid": (K.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    "tanh": (K.tanh, np.tanh),
    "softplus": (K.softplus, lambda x: np.log1p(np.exp(x))),
    "softsign": (K.softsign, lambda x: x / (1 + np.abs(x))),
    "relu": (K.relu, lambda x: np.maximum(x, 0)),
    "elu": (K.elu, lambda x: np_elu(x, 1.0)),
    "elu_alpha": (lambda x: K.elu(x, 0.3), lambda x: np_elu(x, 0.3)),
    "leaky": (lambda x: K.relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "relu_max": (lambda x: K.relu(x, max_value=1.0), lambda x: np.clip(x, 0, 1)),
    "relu_all": (lambda x: K.relu(x, 0.5, 1.0), lambda x: np.where(x > 0, np.minimum(x, 1), 0.5 * x)),
    "relu_falling": (lambda x: K.relu(x, -0.5, 1.0), lambda x: np.where(x > 0, np.minimum(x, 1), -0.5 * x)),
    "relu_threshold": (
        lambda x: K.relu(x, 0.5, 1.8, 1.0),
        lambda x: np.where(x > 1, np.minimum(x, 1.8), 0.5 * (x - 1)),
    ),
    "clip": (lambda x: K.clip(x, -0.5, 0.7), lambda x: np.clip(x, -0.5, 0.7)),
    "clip_open": (lambda x: K.clip(x, 0.5, None), lambda x: np.maximum(x, 0.5)),
    "clip_crossed": (lambda x: K.clip(x, 0.5, 0.0), lambda x: np.full_like(x, 0.5)),
    "pow": (lambda x: K.pow(x, 3), lambda x: x**3),
    "identity": (K.stop_gradient, lambda x: x),
}


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    check(*UNARY[name], X)


def test_log():
    check(K.log, np.log, np.abs(X) + 0.1)


BINARY = {
    "maximum": (K.maximum, np.maximum),
    "minimum": (K.minimum, np.minimum),
    "equal": (K.equal, np.equal),
    "not_equal": (K.not_equal, np.not_equal),
    "greater": (K.greater, np.greater),
    "greater_equal": (K.greater_equal, np.greater_equal),
    "less": (K.less, np.less),
    "less_equal": (K.less_equal, np.less_equal),
}


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    f, g = BINARY[name]
    y = np.round(X)
    check(f, g, X, y)
    check(lambda x: f(x, 0.5), lambda x: g(x, np.float32(0.5)), X)
    check(lambda x: f(0.5, x), lambda x: g(np.float32(0.5), x), X)
    assert f(K.constant(1.0), 1).dtype == ("float32" if "imum" in name else "bool")


def test_clip_with_tensors_and_whole_numbers():
    check(lambda x, lo: K.clip(x, lo, 1.0), lambda x, lo: np.clip(x, lo, 1), X, np.float32([[-0.3]]))
    check(lambda x: K.clip(x, 0, 5), lambda x: np.clip(x, 0, 5), np.array([-3, 3, 9], "int32"))


SMOOTH = [n for n in UNARY if n not in ("round", "sign", "sqrt", "identity")]


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients(name):
    x = array(2, 4, seed=9)
    x = x[np.abs(x) > 0.05].reshape(-1)  # away from kinks at 0
    check_gradients(UNARY[name][0], x)


def test_gradient_of_sqrt_and_log():
    check_gradients(lambda x: K.sqrt(x) + K.log(x), array(5, low=0.5, high=2))


def test_gradients_at_the_kinks_are_tensorflows():
    x = K.placeholder((3,))
    edges = np.array([0.0, 1.0, 6.0])
    for f, want in (
        (K.relu, [0, 1, 1]),
        (lambda x: K.relu(x, max_value=6.0), [0, 1, 1]),
        (lambda x: K.clip(x, 0.0, 6.0), [1, 1, 1]),
        (K.abs, [0, 1, 1]),
        (lambda x: K.maximum(x, 1.0), [0, 1, 1]),
        (lambda x: K.relu(x, threshold=1.0), [0, 0, 1]),
    ):
        np.testing.assert_array_equal(K.function([x], K.gradients(f(x), x))([edges])[0], want)


def test_stop_gradient_takes_lists():
    x = K.variable(3.0)
    a, b = K.stop_gradient([x * x, x])
    assert K.gradients(a + b, x) == [None]
    assert K.eval(a) == 9.0


def test_activations_are_one_node_each():
    """So that a kernel's epilogue can take them up."""
    x = K.placeholder((2, 2))
    for f in (K.relu, K.sigmoid, K.tanh, K.hard_sigmoid, K.softplus, K.softsign, K.elu):
        y = f(x)
        assert [v.id for v in y._value.inputs] == [x._value.id]
