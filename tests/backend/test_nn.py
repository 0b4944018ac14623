"""Softmax, normalisation, dropout, crossentropies (BEHAVIOURS 4.3, 4.17, 10.2, 18.14)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients, compute

from pykeras import backend as K

EPS = 1e-7


def np_softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_softmax(axis):
    check(lambda x: K.softmax(x, axis), lambda x: np_softmax(x, axis), array(3, 4, 5))
    check(lambda x: K.softmax(x), np_softmax, np.float32([[1000, 1000, -1000]]))
    assert K.softmax(K.placeholder((2, 3)))._value.op == "softmax"


def one_hot(n, c):
    return np.eye(c, dtype="float32")[np.random.RandomState(0).randint(c, size=n)]


def test_categorical_crossentropy():
    t, p = one_hot(6, 4), array(6, 4, low=0.01, high=3)
    oracle = lambda t, p: -np.sum(t * np.log(p / p.sum(-1, keepdims=True)), -1)
    check(lambda t, p: K.categorical_crossentropy(t, p), oracle, t, p)
    check(
        lambda t, z: K.categorical_crossentropy(t, z, True),
        lambda t, z: oracle(t, np_softmax(z)),
        t,
        array(6, 4),
    )
    t3, p3 = one_hot(6, 4).reshape(2, 3, 4), array(2, 3, 4, low=0.01, high=3)
    check(lambda t, p: K.categorical_crossentropy(t, p), oracle, t3, p3)


def test_categorical_crossentropy_is_clipped():
    t, p = np.float32([[1, 0]]), np.float32([[0, 1]])
    got = compute(K.categorical_crossentropy, t, p)
    np.testing.assert_allclose(got, [-np.log(EPS)], rtol=1e-5)


def test_the_fuzz_factor_is_read_at_building_time():
    K.set_epsilon(1e-3)
    got = compute(K.categorical_crossentropy, np.float32([[1, 0]]), np.float32([[0, 1]]))
    np.testing.assert_allclose(got, [-np.log(1e-3)], rtol=1e-5)


def np_sparse(t, p):
    logits = np.log(np.clip(p, EPS, 1 - EPS))
    logp = np.log(np_softmax(logits))
    return -np.take_along_axis(logp, t.astype(int)[..., None], -1)[..., 0]


@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_sparse_categorical_crossentropy(dtype):
    t, p = np.array([0, 3, 1], dtype), np_softmax(array(3, 4))
    check(lambda t, p: K.sparse_categorical_crossentropy(t, p), np_sparse, t, p)
    check(
        lambda t, p: K.sparse_categorical_crossentropy(t, p),
        lambda t, p: np_sparse(t[:, 0], p),
        t[:, None],
        p,
    )
    logits = array(3, 4)
    check(
        lambda t, z: K.sparse_categorical_crossentropy(t, z, True),
        lambda t, z: np_sparse(t, np_softmax(z)),
        t, logits,
    )  # fmt: skip
    t = np.array([[0, 3, 1], [2, 2, 0]], dtype)
    p = np_softmax(array(2, 3, 4))
    check(lambda t, p: K.sparse_categorical_crossentropy(t, p), np_sparse, t, p)
    check(lambda t, p: K.sparse_categorical_crossentropy(t[..., None], p), np_sparse, t, p)


def test_sparse_categorical_crossentropy_refuses_other_ranks():
    with pytest.raises(ValueError, match="Class numbers"):
        K.sparse_categorical_crossentropy(K.placeholder((6,)), K.placeholder((2, 3, 4)))


def test_binary_crossentropy():
    t = (array(5, 3) > 0).astype("float32")
    p = array(5, 3, low=0.01, high=0.99, seed=3)
    oracle = lambda t, p: -t * np.log(p) - (1 - t) * np.log(1 - p)
    check(lambda t, p: K.binary_crossentropy(t, p), oracle, t, p)
    z = array(5, 3, low=-20, high=20)
    sigmoid = lambda z: 1 / (1 + np.exp(-z.astype("float64")))
    check(lambda t, z: K.binary_crossentropy(t, z, True), lambda t, z: oracle(t, sigmoid(z)), t, z)
    extreme = compute(K.binary_crossentropy, np.float32([0, 1, 0]), np.float32([1, 0, 0]))
    np.testing.assert_allclose(extreme, [-np.log(EPS), -np.log(EPS), 0], atol=0.2)
    huge = compute(
        lambda t, z: K.binary_crossentropy(t, z, True), np.float32([0, 1]), np.float32([500, -500])
    )
    np.testing.assert_allclose(huge, [500, 500])


def test_crossentropy_gradients():
    t = one_hot(3, 4).astype("float64")
    check_gradients(lambda p: K.categorical_crossentropy(t, p), array(3, 4, low=0.2, high=1))
    check_gradients(lambda z: K.categorical_crossentropy(t, z, True), array(3, 4))
    check_gradients(
        lambda z: K.sparse_categorical_crossentropy(np.array([0, 3, 1]), K.softmax(z)), array(3, 4)
    )
    b = np.float64([[0, 1, 1]])
    check_gradients(lambda z: K.binary_crossentropy(b, z, True), np.array([[0.7, -1.2, 2.0]]))
    check_gradients(lambda z: K.binary_crossentropy(b, K.sigmoid(z)), np.array([[0.7, -1.2, 2.0]]))


def test_gradient_of_binary_crossentropy_at_one_half():
    z = K.placeholder((1,))
    g = K.function([z], K.gradients(K.binary_crossentropy(np.ones(1), z, True), z))
    np.testing.assert_allclose(g([np.zeros(1)])[0], [-0.5])


def test_in_top_k():
    p = np.float32([[0.1, 0.5, 0.4], [0.6, 0.3, 0.1]])
    check(
        lambda p, t: K.in_top_k(p, t, 1), lambda p, t: np.array([True, False]), p, np.array([1, 2], "int32")
    )
    check(
        lambda p, t: K.in_top_k(p, t, 2), lambda p, t: np.array([True, False]), p, np.array([2, 2], "int32")
    )
    check(lambda p, t: K.in_top_k(p, t, 1), lambda p, t: np.array([True, True]), p, np.float32([1, 0]))


# ---- batch normalization


@pytest.mark.parametrize(
    ("shape", "axis"), [((6, 3), 1), ((2, 4, 3), 2), ((2, 3, 4, 5), 3), ((2, 3, 4, 5), 1)]
)
def test_normalize_batch_in_training(shape, axis):
    axes = [i for i in range(len(shape)) if i != axis]
    n = shape[axis]
    wide = [1] * len(shape)
    wide[axis] = n

    def oracle(x, gamma, beta):
        mean, var = x.mean(tuple(axes), keepdims=True), x.var(tuple(axes), keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-3) * gamma.reshape(wide) + beta.reshape(wide)

    x, gamma, beta = array(*shape), array(n, low=0.5), array(n, seed=4)
    for which, want in enumerate(
        (oracle, lambda x, *_: x.mean(tuple(axes)), lambda x, *_: x.var(tuple(axes)))
    ):
        check(
            lambda *a, which=which: K.normalize_batch_in_training(*a, axes, 1e-3)[which],
            want,
            x,
            gamma,
            beta,
            tol=1e-4,
        )
    bare = compute(lambda x: K.normalize_batch_in_training(x, None, None, axes, 1e-3)[0], x)
    np.testing.assert_allclose(bare, oracle(x, np.ones(n), np.zeros(n)), rtol=1e-3, atol=1e-4)
    y, mean, _ = K.normalize_batch_in_training(K.placeholder(shape), K.zeros(n), K.zeros(n), axes)
    assert y._value.op == "batch_norm_train" and mean.shape == (n,)


def test_normalize_batch_over_other_axes():
    x = array(4, 3, 5)
    y = compute(lambda x: K.normalize_batch_in_training(x, None, None, [0], 1e-3)[0], x)
    np.testing.assert_allclose(y, (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-3), rtol=1e-4, atol=1e-5)
    got = compute(lambda x, g: K.normalize_batch_in_training(x, g, g, [0], 1e-3)[0], x, array(3, 5))
    np.testing.assert_allclose(got, y * array(3, 5) + array(3, 5), rtol=1e-4, atol=1e-5)
    mean = compute(lambda x: K.normalize_batch_in_training(x, None, None, [0, 1, 2])[1], x)
    np.testing.assert_allclose(mean, x.mean(), rtol=1e-4, atol=1e-6)


def test_batch_normalization():
    x = array(4, 3)
    m, v, b, g = (array(3, seed=i, low=0.5) for i in range(4))
    oracle = lambda x, m, v, b, g: (x - m) / np.sqrt(v + 1e-3) * g + b
    check(lambda *a: K.batch_normalization(*a), oracle, x, m, v, b, g)
    check(
        lambda x, m, v: K.batch_normalization(x, m, v, None, None, 0.1),
        lambda x, m, v: (x - m) / np.sqrt(v + 0.1),
        x,
        m,
        v,
    )
    check(
        lambda x, m: K.batch_normalization(x, K.reshape(m, (1, -1, 1)), K.reshape(m, (1, -1, 1)), None, None),
        lambda x, m: (x - m[:, None]) / np.sqrt(m[:, None] + 1e-3),
        array(2, 3, 4), m,
    )  # fmt: skip


def test_normalisation_gradients():
    x, g, b = array(4, 3), array(3, low=0.5), array(3)
    check_gradients(lambda x, g, b: K.normalize_batch_in_training(x, g, b, [0])[0], x, g, b)
    check_gradients(lambda x: K.normalize_batch_in_training(x, None, None, [0])[2], x)


# ---- dropout


def test_dropout():
    x = np.ones((200, 50), "float32")
    y = compute(lambda x: K.dropout(x, 0.3, seed=1), x)
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 0.02


def test_dropout_noise_shape():
    """BEHAVIOURS 4.3: None is the size of x."""
    x = np.ones((30, 5, 7), "float32")
    for shape in ((None, 1, 7), (30, 1, 7), (-1, 1, None)):
        y = compute(lambda x, shape=shape: K.dropout(x, 0.5, shape, seed=1), x)
        assert (y == y[:, :1]).all() and not (y == y[:, :, :1]).all()
    y = compute(lambda x: K.dropout(x, 0.5, (K.shape(x)[0], 1, K.shape(x)[2]), seed=1), x, unknown=True)
    assert (y == y[:, :1]).all()


def test_dropout_draws_anew_and_repeats_by_step():
    x = K.placeholder((50,))
    f = K.function([x], [K.dropout(x, 0.5, seed=3)])
    one, two = (f([np.ones(50)])[0] for _ in range(2))
    assert not np.array_equal(one, two)
    f.step = 0
    np.testing.assert_array_equal(f([np.ones(50)])[0], one)


def test_gradient_of_dropout_uses_the_same_mask():
    x = K.placeholder((100,))
    y = K.dropout(x, 0.5, seed=3)
    value, gradient = K.function([x], [y, *K.gradients(K.sum(y), x)])([np.ones(100)])
    np.testing.assert_array_equal(value, gradient)


def test_dropout_levels():
    x = array(3, 4)
    np.testing.assert_array_equal(compute(lambda x: K.dropout(x, 0.0), x), x)
    for level in (1.0, -0.1):
        with pytest.raises(ValueError, match="share to drop"):
            K.dropout(K.placeholder((2,)), level)
