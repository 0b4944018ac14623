"""Operators and indexing of tensors (BEHAVIOURS 18.1)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients, compute

from pykeras import backend as K

A, B = array(3, 4, low=0.5), array(3, 4, seed=1, low=0.5)

BINARY = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "floordiv": lambda x, y: x // y,
    "mod": lambda x, y: x % y,
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "gt": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
}


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    f = BINARY[name]
    check(f, f, A, B)
    check(lambda x: f(x, 1.5), lambda x: f(x, 1.5), A)
    check(lambda x: f(1.5, x), lambda x: f(1.5, x), A)
    check(lambda x: f(x, B), lambda x: f(x, B), A)
    check(lambda x: f(B, x), lambda x: f(B, x), A)


def test_broadcasting_and_numpy_types():
    check(lambda x: x + np.arange(4), lambda x: x + np.arange(4, dtype="float32"), A)
    check(lambda x: np.float64(2) * x, lambda x: 2 * x, A)
    check(lambda x: np.ones((2, 1, 1)) * x, lambda x: np.ones((2, 1, 1), "float32") * x, A)
    assert (np.float64(2) * K.placeholder((2,))).dtype == "float32"


def test_unary():
    check(lambda x: -x, lambda x: -x, A)
    check(lambda x: abs(x), abs, A - 1)
    check(lambda x: +x * 1, lambda x: x, A)
    check(lambda x: x**2, np.square, A)
    check(lambda x: ~(x > 1.0), lambda x: ~(x > 1), A)
    check(lambda x: (x > 1.0) & (x < 1.5) | (x > 1.8), lambda x: (x > 1) & (x < 1.5) | (x > 1.8), A)


def test_whole_numbers():
    i = np.array([7, -7, 5], "int32")
    check(lambda x: x + 1, lambda x: x + 1, i)
    check(lambda x: x // 2, lambda x: x // 2, i)
    check(lambda x: x % 4, lambda x: x % 4, i)
    check(lambda x: x / 2, lambda x: x / 2, i)
    with pytest.raises(TypeError, match="fractions"):
        K.placeholder((3,), dtype="int32") + 0.5


def test_matmul_operator():
    check(lambda x, y: x @ y, np.matmul, A, B.T.copy())
    check(lambda x, y: x @ y, np.matmul, array(2, 3, 4), array(2, 4, 5))


def test_augmented_assignment_rebinds():
    x = K.variable(1.0)
    y = x
    y += 2.0
    assert K.eval(x) == 1.0 and K.eval(y) == 3.0


def test_equality_is_identity():
    x = K.placeholder((2,))
    assert x == x and not x == K.placeholder((2,)) and x in {x: 1}


KEYS = [
    np.s_[0],
    np.s_[-1],
    np.s_[1:3],
    np.s_[:, 1],
    np.s_[:, -2:],
    np.s_[::2],
    np.s_[::-1],
    np.s_[:, ::-2],
    np.s_[3:0:-1, 1],
    np.s_[..., 0],
    np.s_[..., None],
    np.s_[None],
    np.s_[:, None, 1:],
    np.s_[1, ..., 2],
    np.s_[..., -1:],
    np.s_[1:-1, :, 0],
    np.s_[:],
    np.s_[-3:-1, ..., ::-1],
    np.s_[np.int64(1)],
]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_indexing(key):
    check(lambda x: x[key], lambda x: x[key], array(4, 3, 5))


def test_indexing_by_a_tensor():
    check(lambda x, i: x[i], lambda x, i: x[i], A, np.array([2, 0], "int32"))


@pytest.mark.parametrize(
    ("build", "oracle"),
    [
        (lambda x, i: x[:, i], lambda x, i: x[:, i]),
        (lambda x, i: x[..., i], lambda x, i: x[..., i]),
        (lambda x, i: x[i, ::-1, i], lambda x, i: x[i, ::-1, i]),
        (lambda x, i: x[1, i, None, 1:], lambda x, i: x[1, i, None, 1:]),
        (lambda x, i: x[1:, i, -1], lambda x, i: x[1:, i, -1]),
    ],
    ids=range(5),
)
def test_indexing_by_a_scalar_tensor(build, oracle):
    """As scripts that look at one class do: `model.output[:, K.argmax(model.output[0])]`."""
    x = array(3, 4, 3)
    check(build, oracle, x, np.array(2, "int32"))
    check_gradients(lambda x: build(x, K.constant(1, dtype="int64")), x)


@pytest.mark.parametrize(
    ("build", "oracle"),
    [
        (lambda x, n: x[:, :n], lambda x, n: x[:, :n]),
        (lambda x, n: x[:, n - 1 : n + 1, 1:3], lambda x, n: x[:, n - 1 : n + 1, 1:3]),
        (lambda x, n: x[0, -n:, ::2], lambda x, n: x[0, -n:, ::2]),
        (lambda x, n: x[:, n::-1, None, n], lambda x, n: x[:, n::-1, None, n]),
        (lambda x, n: x[n // 2 : 10 * n, ..., n:], lambda x, n: x[n // 2 : 10 * n, ..., n:]),
        (lambda x, n: x[n:1, :n], lambda x, n: x[n:1, :n]),
    ],
    ids=range(6),
)
def test_slices_between_computed_sizes(build, oracle):
    """As layers that cut a table to the length of what they get: `table[:K.shape(inputs)[1]]`."""
    x = array(3, 5, 4)
    for length in (2, 3):
        other = array(7, length)
        for unknown in (False, True):
            got = compute(lambda x, y: build(x, K.shape(y)[1]), x, other, unknown=unknown)
            np.testing.assert_array_equal(got, oracle(x, length))
    inputs, other = K.placeholder((3, 5, 4), dtype="float64"), K.placeholder((7, None))
    loss = K.sum(K.square(build(inputs, K.shape(other)[1])))
    first = K.gradients(loss, inputs)[0]
    second = K.gradients(K.sum(first * first * inputs), inputs)[0]
    found = K.function([inputs, other], [first, second])([x, np.zeros((7, 2))])
    taken = np.zeros(x.shape)
    taken[np.isin(np.arange(x.size).reshape(x.shape), oracle(np.arange(x.size).reshape(x.shape), 2))] = 1
    np.testing.assert_allclose(found[0], 2 * x * taken)  # d x² = 2 x, where taken
    np.testing.assert_allclose(found[1], 12 * x**2 * taken, rtol=1e-6)  # d (2 x)² x = 12 x²


def test_slices_to_sizes_that_are_stated_have_stated_shapes():
    x, y = K.placeholder((None, 6)), K.placeholder((None, 4))
    assert x[:, : K.shape(y)[1]].shape == (None, 4)
    assert x[:, K.shape(y)[1] :].shape == (None, 2)
    assert x[:, : K.shape(y)[0]].shape == (None, None)


def test_wrong_indices():
    x = K.placeholder((3, None))
    for key in (3, -4):
        with pytest.raises(IndexError, match="size is 3"):
            x[key]
    with pytest.raises(IndexError, match="Too many"):
        x[0, 0, 0]
    with pytest.raises(TypeError, match="ints, slices"):
        x["a"]
    for mask in (x > 0, (slice(None), x[0] > 0)):
        with pytest.raises(TypeError, match=r"cannot be indexed by a mask: .*K.switch"):
            x[mask]
    with pytest.raises(TypeError, match="bounds a slice must be a scalar of whole numbers"):
        x[: K.constant(1.0)]
    with pytest.raises(TypeError, match="step of a slice"):
        x[:: K.shape(x)[1]]
    with pytest.raises(ValueError, match="step of a slice cannot be 0"):
        x[: K.shape(x)[1] : 0]
    n = K.placeholder((), dtype="int32")
    with pytest.raises(ValueError, match="depends on their values"):
        K.function([x, n], [x[:, :n]])([np.zeros((3, 4)), 2])
    with pytest.raises(TypeError, match="scalar tensors of whole numbers"):
        x[:, K.constant(1.0)]


def test_parts_of_static_shapes_are_static_shapes():
    shape = K.placeholder((None, 3, 4)).get_shape()
    assert shape[1:].as_list() == [3, 4] and shape[1:].num_elements() == 12


def test_sizes_have_the_value_of_tensorflow_1():
    shape = K.placeholder((None, 3, 4)).shape
    assert shape[1] == 3 and shape[-1].value == 4 and type(shape[1].value) is int
    assert (shape[1] * shape[2]).value == 12 and (2 * shape[1] - 1).value == 5
    assert (shape[2] // 2 + 1).value == 3 and (shape[2] % shape[1]).value == 1
    assert shape[1] / 2 == shape[1] * 0.5 == 1.5 and shape[0] is None
    assert K.eval(K.ones((shape[1], shape[2])) * shape[1]).sum() == 36
    assert shape[1:].is_fully_defined() and not shape[:2].is_fully_defined()
    assert shape[-1] == 4 and shape[1:] == (3, 4)


def test_set_shape_states_what_is_not_known():
    """As `_time_distributed_dense` of older recurrent layers does after a reshape."""
    x = K.placeholder((None, None, 3))
    y = 2 * x
    y.set_shape([None, 4, 3])
    assert tuple(y.shape) == (None, 4, 3) == K.int_shape(y)
    assert K.flatten(y[0]).shape == (12,)
    y.set_shape((None, None, 3))
    assert tuple(y.shape) == (None, 4, 3)
    np.testing.assert_array_equal(K.function([x], [y])([np.ones((2, 4, 3))])[0], np.full((2, 4, 3), 2))
    for wrong in ([None, 4, 2], [None, 3, 3], [None, 4]):
        with pytest.raises(ValueError, match=r"cannot be"):
            y.set_shape(wrong)
    with pytest.raises(ValueError, match=r"stated to be of shape \(None, 4, 3\), got \(2, 5, 3\)"):
        K.function([x], [y])([np.ones((2, 5, 3))])


def test_iteration_over_known_axes():
    rows = list(K.constant([[1, 2], [3, 4], [5, 6]]))
    assert [K.eval(r).tolist() for r in rows] == [[1, 2], [3, 4], [5, 6]]
    with pytest.raises(TypeError, match="first size is unknown"):
        iter(K.placeholder((None, 2)))
    with pytest.raises(TypeError, match="scalar"):
        iter(K.constant(1.0))


def test_no_truth_value_and_no_array():
    x = K.placeholder((2,))
    with pytest.raises(TypeError, match="truth value"):
        bool(x > 1.0)
    with pytest.raises(TypeError, match=r"K\.eval"):
        np.array(x)
    with pytest.raises(TypeError):
        len(x)


def test_variable_is_there():
    bias = K.variable(0.0)
    assert bias
    with pytest.raises(TypeError, match="truth value"):
        bool(bias > 1.0)


def test_wrong_operands():
    x = K.placeholder((2, 3), name="left")
    with pytest.raises(ValueError):
        x + K.placeholder((2, 4))
    with pytest.raises(ValueError):
        x + K.placeholder((2, 3), dtype="float64")
    with pytest.raises(TypeError, match="Cannot make a tensor"):
        x + "a"


def test_the_phase_mark_is_passed_on():
    x = K.placeholder((2,))
    y = K.in_train_phase(x, x * 2.0)
    assert y._uses_learning_phase and (K.sum(-y) + 1.0)._uses_learning_phase
    assert not (x + 1.0)._uses_learning_phase


def test_operators_within_a_function():
    got = compute(lambda x: 1 - 2 * x[:, 0] / 4 + x[:, 1] ** 3, A)
    np.testing.assert_allclose(got, 1 - A[:, 0] / 2 + A[:, 1] ** 3, rtol=1e-5)
