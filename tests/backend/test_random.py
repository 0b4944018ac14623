"""Random tensors (BEHAVIOURS 1.10, 18.14)."""

from __future__ import annotations

import numpy as np
import pytest

from pykeras import backend as K

N = 20000


def draw(x):
    return np.asarray(K.function([], [x])([])[0], "float64")


def test_normal():
    x = draw(K.random_normal((N,), 1.0, 2.0, seed=1))
    assert abs(x.mean() - 1) < 0.06 and abs(x.std() - 2) < 0.06
    assert abs(np.mean(np.abs(x - 1) < 2) - 0.6827) < 0.02


def test_uniform():
    x = draw(K.random_uniform((N,), -1.0, 3.0, seed=1))
    assert -1 <= x.min() < -0.99 and 2.99 < x.max() < 3 and abs(x.mean() - 1) < 0.05


def test_truncated_normal():
    x = draw(K.truncated_normal((N,), 1.0, 0.5, seed=1))
    assert np.abs(x - 1).max() <= 1.0 and abs(x.std() - 0.5 * 0.8796) < 0.01


def test_binomial():
    x = draw(K.random_binomial((N,), 0.25, seed=1))
    assert set(np.unique(x)) == {0, 1} and abs(x.mean() - 0.25) < 0.02


def test_18_14_parameters_that_are_tensors():
    """A number, and one per column, computed when the function runs."""
    p = K.placeholder((4,))
    one = K.sum(p)
    outputs = [
        K.random_binomial((N, 4), p, seed=1),
        K.random_normal((N, 4), p, one, seed=1),
        K.random_uniform((N, 4), -p, one, seed=1),
        K.truncated_normal((N, 4), 3.0, p, seed=1),
        K.random_uniform((N, 4), 10 * p, 20, dtype="int32", seed=1),
    ]
    assert [x.dtype for x in outputs] == ["float32"] * 4 + ["int32"]
    chance = np.array([0.0, 0.2, 0.7, 1.0])
    bits, normal, even, cut, whole = K.function([p], outputs)([chance])
    np.testing.assert_allclose(bits.mean(axis=0), chance, atol=0.02)
    assert set(np.unique(bits)) == {0, 1}
    np.testing.assert_allclose(normal.mean(axis=0), chance, atol=0.06)
    np.testing.assert_allclose(normal.std(axis=0), 1.9, atol=0.06)
    np.testing.assert_allclose(even.mean(axis=0), (1.9 - chance) / 2, atol=0.06)
    assert (even >= -chance).all() and (even < 1.9001).all()
    assert (np.abs(cut - 3) <= 2 * chance + 1e-5).all() and cut[:, 3].std() > 0.8
    assert whole.min(axis=0).tolist() == [0, 2, 7, 10] and whole.max() == 19
    fixed = K.function([], [K.random_normal((N, 4), chance, 1.0, seed=1)])([])[0]
    np.testing.assert_allclose(fixed.mean(axis=0), chance, atol=0.06)


def test_whole_numbers():
    x = K.random_uniform((N,), 0, 4, dtype="int32", seed=1)
    assert x.dtype == "int32" and set(np.unique(draw(x))) == {0, 1, 2, 3}


@pytest.mark.parametrize("f", [K.random_normal, K.random_uniform, K.truncated_normal])
def test_seeds(f):
    assert np.array_equal(draw(f((9,), seed=5)), draw(f((9,), seed=5)))
    assert not np.array_equal(draw(f((9,), seed=5)), draw(f((9,), seed=6)))
    assert not np.array_equal(draw(f((9,))), draw(f((9,))))
    np.random.seed(7)
    one = draw(f((9,)))
    np.random.seed(7)
    assert np.array_equal(draw(f((9,))), one)


@pytest.mark.parametrize(
    ("make", "bound"),
    [
        (lambda: K.random_normal((3,)), 10**7),
        (lambda: K.random_uniform((3,)), 10**7),
        (lambda: K.random_binomial((3,), 0.5), 10**7),
        (lambda: K.truncated_normal((3,)), 10**7),
        (lambda: K.dropout(K.ones((3,)), 0.5), 10**7),
        (lambda: K.random_normal_variable((3,), 0.0, 1.0), 10**9),
        (lambda: K.random_uniform_variable((3,), 0.0, 1.0), 10**9),
    ],
)
def test_1_10_one_number_of_numpys_generator_while_building(make, bound):
    np.random.seed(3)
    tensor = make()
    after = np.random.get_state()[2]
    np.random.seed(3)
    np.random.randint(bound)
    assert np.random.get_state()[2] == after
    before = np.random.get_state()[2]
    K.eval(tensor)  # computing draws nothing
    assert np.random.get_state()[2] == before


def test_shapes_of_tensors():
    x = K.placeholder((None, 3, None))
    n = K.shape(x)
    cases = [
        (n, (4, 3, 5)),
        ((n[0], 7), (4, 7)),
        ((n[2], 2, n[0]), (5, 2, 4)),
        ((n[0], 1), (4, 1)),
        (n[:2], (4, 3)),
    ]
    outputs = [K.random_normal(shape, seed=1) for shape, _ in cases]
    assert outputs[1].shape == (None, 7) and outputs[0].shape == (None, 3, None)
    results = K.function([x], outputs)([np.zeros((4, 3, 5))])
    assert [r.shape for r in results] == [shape for _, shape in cases]
    assert all(np.unique(r).size == r.size for r in results)


def test_the_function_counts_its_draws():
    f = K.function([], [K.random_uniform((5,), seed=1)])
    a, b = f([])[0], f([])[0]
    assert not np.array_equal(a, b) and f.step == 2
    f.step = 1
    assert np.array_equal(f([])[0], b)
