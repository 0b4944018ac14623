"""Variables, constants, placeholders and what K tells about them (BEHAVIOURS 2.9, 18.8, 18.9)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array

from pykeras import backend as K


@pytest.fixture(autouse=True)
def fresh_names():
    K.clear_session()


def test_variable_of_an_array():
    x = K.variable([[1, 2], [3, 4]], name="w")
    assert x.dtype == "float32" == K.dtype(x)
    assert K.int_shape(x) == (2, 2) == x._keras_shape
    assert x.get_shape().as_list() == [2, 2]
    assert x.name == "w:0" and x.op.name == "w"
    np.testing.assert_array_equal(K.get_value(x), [[1, 2], [3, 4]])


def test_get_value_gives_a_copy():
    x = K.variable(np.zeros(3))
    K.get_value(x)[:] = 1
    np.testing.assert_array_equal(K.get_value(x), np.zeros(3))


def test_scalar_variables_read_as_numbers():
    value = K.get_value(K.variable(0.5))
    assert isinstance(value, np.float32) and value == 0.5
    assert K.get_value(K.variable(3, dtype="int64")).dtype == np.int64


def test_constraint_is_kept():
    rule = lambda w: w
    x = K.variable(0.0, constraint=rule)
    assert x.constraint is rule and x._constraint is rule


def test_variable_of_a_tensor_is_computed_when_read():
    x = K.variable(K.random_uniform((3, 4), seed=5))
    first = K.get_value(x)
    assert first.shape == (3, 4) and first.std() > 0
    np.testing.assert_array_equal(first, K.get_value(x))


def test_variable_of_a_tensor_of_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="fully known shape"):
        K.variable(K.placeholder((None, 2)))


def test_names_within_scopes_are_unique():
    with K.name_scope("dense_1"):
        a, b = K.variable(0.0, name="kernel"), K.variable(0.0, name="kernel")
        with K.name_scope("inner"):
            c = K.variable(0.0, name="bias")
        d = K.constant(1.0) + a
    assert [a.name, b.name, c.name] == ["dense_1/kernel:0", "dense_1/kernel_1:0", "dense_1/inner/bias:0"]
    assert d.name.startswith("dense_1/add")
    assert K.variable(0.0, name="kernel").name == "kernel:0"


def test_placeholder():
    x = K.placeholder((None, 3), name="x")
    assert x.shape == (None, 3) and K.ndim(x) == 2 and x.dtype == "float32" and x.name == "x:0"
    assert K.placeholder(ndim=3).shape == (None, None, None)
    assert K.placeholder((), dtype="int32").shape == ()
    assert K.is_placeholder(x) and not K.is_placeholder(x + 1.0)
    with pytest.raises(ValueError, match="ndim"):
        K.placeholder()


def test_unknown_types_are_refused():
    with pytest.raises(TypeError, match="complex64"):
        K.placeholder((1,), dtype="complex64")


def test_constant():
    np.testing.assert_array_equal(K.eval(K.constant([1, 2])), np.array([1, 2], "float32"))
    np.testing.assert_array_equal(K.eval(K.constant(7, shape=(2, 3))), np.full((2, 3), 7.0))
    np.testing.assert_array_equal(K.eval(K.constant([1, 2, 3, 4], shape=(2, 2))), [[1, 2], [3, 4]])
    assert K.constant(1, dtype="int32").dtype == "int32"


def test_zeros_ones_eye_are_variables():
    for x, want in ((K.zeros((2, 3)), np.zeros((2, 3))), (K.ones((2,)), np.ones(2)), (K.eye(3), np.eye(3))):
        assert K.is_variable(x)
        np.testing.assert_array_equal(K.get_value(x), want)


def test_zeros_of_a_tensors_size():
    x = K.placeholder((None, 2))
    y = K.zeros((K.shape(x)[0], 4))
    assert y.shape == (None, 4)
    assert K.function([x], [y])([np.ones((3, 2))])[0].shape == (3, 4)


def test_zeros_like_ones_like_identity():
    x = K.placeholder((None, 2), dtype="int32")
    a, b, c = K.zeros_like(x), K.ones_like(x, dtype="float32"), K.identity(x)
    got = K.function([x], [a, b, c])([np.full((3, 2), 5, "int32")])
    np.testing.assert_array_equal(got[0], np.zeros((3, 2)))
    np.testing.assert_array_equal(got[1], np.ones((3, 2)))
    np.testing.assert_array_equal(got[2], np.full((3, 2), 5))
    assert [g.dtype.name for g in got] == ["int32", "float32", "int32"]
    assert c is not x


def test_random_variables_follow_numpys_seed():
    """BEHAVIOURS 1.10."""
    np.random.seed(3)
    a = K.get_value(K.random_uniform_variable((50,), -1, 2))
    np.random.seed(3)
    b = K.get_value(K.random_uniform_variable((50,), -1, 2))
    np.testing.assert_array_equal(a, b)
    assert -1 <= a.min() < a.max() < 2
    c = K.get_value(K.random_normal_variable((4000,), 1.0, 0.5, seed=4))
    assert abs(c.mean() - 1) < 0.05 and abs(c.std() - 0.5) < 0.05


def test_set_value():
    x = K.variable(np.zeros((2, 2)))
    K.set_value(x, [[1, 2], [3, 4]])
    K.batch_set_value([(x, K.get_value(x) * 2)])
    np.testing.assert_array_equal(K.batch_get_value([x, x])[1], [[2, 4], [6, 8]])
    assert K.batch_get_value([]) == []
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        K.set_value(x, np.zeros(3))


def test_updates():
    x, y = K.variable(1.0), K.variable(10.0)
    run = K.function([], [x * 1.0], updates=[K.update_add(x, 2.0), K.update_sub(y, 4), (K.variable(0.0), x)])
    assert run([]) == [1.0]  # outputs see the old value
    assert run([]) == [3.0]
    assert K.get_value(x) == 5.0 and K.get_value(y) == 2.0
    K.function([], [], updates=[K.update(x, y + 1.0)])([])
    assert K.get_value(x) == 3.0


def test_moving_average_update():
    x = K.variable([1.0, 2.0])
    value = K.placeholder((2,))
    update = K.moving_average_update(x, value, 0.9)
    variable, new = update
    assert variable is x and new.shape == (2,)
    K.function([value], [], updates=[update])([np.array([11.0, 2.0])])
    np.testing.assert_allclose(K.get_value(x), [2.0, 2.0], rtol=1e-6)


def test_two_updates_of_one_variable_follow_each_other():
    x = K.variable(100.0)
    updates = [K.moving_average_update(x, v, 0.5) for v in (0.0, 20.0)]
    K.function([], [], updates=updates)([])
    assert K.get_value(x) == 35.0


def test_what_is_what():
    x, v = K.placeholder((2,)), K.variable(0.0)
    assert K.is_tensor(x) and K.is_tensor(v) and not K.is_tensor(np.zeros(2))
    assert K.is_variable(v) and not K.is_variable(x)
    assert K.is_keras_tensor(x) is False
    x._keras_history = (None, 0, 0)
    assert K.is_keras_tensor(x) is True
    with pytest.raises(ValueError, match="symbolic tensor"):
        K.is_keras_tensor(np.zeros(2))


def test_int_shape_prefers_what_layers_noted():
    """BEHAVIOURS 2.10."""
    x = K.placeholder((None, 4)) + 0.0
    assert K.int_shape(x) == (None, 4)
    x._keras_shape = (None, 99)
    assert K.int_shape(x) == (None, 99)


def test_count_params_and_dtype():
    assert K.count_params(K.zeros((3, 4))) == 12
    assert K.count_params(K.variable(1.0)) == 1
    assert K.get_variable_shape(K.zeros((3, 4))) == (3, 4)


def test_cast():
    x = K.placeholder((None,))
    assert K.cast(x, "float32") is x
    y = K.cast(x, "int32")
    np.testing.assert_array_equal(K.function([x], [y])([np.array([1.7, -1.7])])[0], [1, -1])
    np.testing.assert_array_equal(K.eval(K.cast(K.constant([0.0, 2.0]), "bool")), [False, True])


def test_uids():
    """BEHAVIOURS 2.2."""
    assert [K.get_uid("a"), K.get_uid("a"), K.get_uid("b")] == [1, 2, 1]
    K.reset_uids()
    assert K.get_uid("a") == 1
    K.clear_session()
    assert K.get_uid("a") == 1


def test_free_attributes_and_identity():
    x = K.placeholder((2,))
    x.anything = 1
    assert len({x, x + 0.0}) == 2 and x == x and x != x + 0.0
    assert "shape=(2,)" in repr(x)


def test_eval_of_a_random_tensor_draws_anew():
    x = K.random_uniform((20,), seed=1)
    assert not np.array_equal(K.eval(x), K.eval(x))
    np.testing.assert_allclose(K.eval(array(3)), array(3))


def test_asking_for_the_value_of_an_update_carries_it_out():
    """As `session.run(update)` does, which `K.get_value` and `K.batch_get_value` are elsewhere."""
    a, b = K.variable([1.0, 2.0]), K.variable([10.0, 20.0])
    double = K.update(a, 2 * a)
    for wanted in ([2, 4], [4, 8]):
        assert K.get_value(double).tolist() == wanted
        assert K.get_value(a).tolist() == wanted
    swap = [K.update(a, b), K.update(b, a)]  # at the same time, so each sees the old value of the other
    assert [x.tolist() for x in K.batch_get_value([*swap, 3 * a])] == [[10, 20], [4, 8], [12, 24]]
    assert [x.tolist() for x in K.batch_get_value([a, b])] == [[10, 20], [4, 8]]
    K.batch_get_value(swap)
    assert [x.tolist() for x in K.batch_get_value([a, b])] == [[4, 8], [10, 20]]
