"""Functions, gradients, phases, choices (BEHAVIOURS 18.2-18.4, 18.13)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, compute

from pykeras import backend as K

# ---- functions


def test_function():
    x, y = K.placeholder((None, 2)), K.placeholder((2,))
    f = K.function([x, y], [x + y, K.sum(x)], name="both")
    a, b = f([np.ones((3, 2)), [1, 2]])
    np.testing.assert_array_equal(a, np.tile([2, 3], (3, 1)))
    assert b == 6 and isinstance(b, np.float32)
    assert f([np.ones((1, 2)), np.zeros(2)])[0].shape == (1, 2)  # another batch size
    assert f((np.ones((1, 2)), np.zeros(2)))[1] == 2
    assert f.inputs == [x, y] and f.name == "both"


def test_lists_are_required():
    x = K.placeholder((2,))
    for bad in ((x, [x]), ([x], x), ([x], [x], x)):
        with pytest.raises(TypeError, match="list or tuple"):
            K.function(*bad)
    f = K.function([x], [x + 1.0])
    with pytest.raises(TypeError, match="list or tuple"):
        f(np.ones(2))


def test_wrong_feeds():
    x = K.placeholder((None, 3), name="pixels")
    f = K.function([x], [x * 2.0])
    with pytest.raises(ValueError, match="pixels"):
        f([np.ones((2, 4))])
    with pytest.raises(ValueError):
        f([np.ones(3)])
    with pytest.raises(ValueError):
        f([["a"]])
    with pytest.raises(ValueError, match="takes 1"):
        f([np.ones((2, 3))] * 2)


def test_missing_placeholder():
    x, y = K.placeholder((2,)), K.placeholder((2,), name="forgotten")
    with pytest.raises(ValueError, match="forgotten"):
        K.function([x], [x + y])([np.ones(2)])


def test_arrays_of_other_kinds_are_converted():
    x = K.placeholder((2, 3))
    f = K.function([x], [x * 1.0])
    want = np.arange(6).reshape(2, 3)
    for data in (
        want,
        want.tolist(),
        want.astype("float64"),
        want.astype("float32").T.copy().T,
        want[::-1][::-1],
    ):
        np.testing.assert_array_equal(f([data])[0], want)


def test_what_can_be_an_output():
    x, v = K.placeholder((2,)), K.variable([5.0, 6.0])
    got = K.function([x], [x, v, x, K.constant(3.0), 2.0])([np.ones(2)])
    for g, want in zip(got, ([1, 1], [5, 6], [1, 1], 3, 2)):
        np.testing.assert_array_equal(g, want)
    got[1][:] = 0
    np.testing.assert_array_equal(K.get_value(v), [5, 6])


def test_intermediate_tensors_can_be_fed():
    x = K.placeholder((2,))
    h = x * 2.0
    np.testing.assert_array_equal(K.function([h], [h + 1.0])([np.ones(2)])[0], [2, 2])


def test_updates_of_both_kinds():
    x, v, w = K.placeholder(()), K.variable(1.0), K.variable(0.0)
    f = K.function([x], [v + 0.0], updates=[(v, v * x), K.update_add(w, v)])
    assert f([3.0]) == [1.0]
    assert K.get_value(v) == 3.0 and K.get_value(w) == 1.0  # all see the old values
    with pytest.raises(TypeError, match="pair"):
        K.function([x], [x], updates=[x])


def test_keywords():
    x, y = K.placeholder(()), K.placeholder(())
    v = K.variable(0.0)
    f = K.function([x], [x + y], feed_dict={y: 5.0}, fetches=[K.update_add(v, 1.0), x * 2.0])
    assert f([1.0]) == [6.0] and K.get_value(v) == 1.0
    with pytest.raises(ValueError, match="Invalid argument 'speed'"):
        K.function([x], [x], speed="high")


def test_describe():
    x = K.placeholder((None, 3))
    text = K.function([x], [K.softmax(x)]).describe([np.ones((2, 3))])
    assert "softmax" in text


def test_profile():
    x = K.placeholder((None, 3))
    steps = K.function([x], [K.softmax(x)], name="f").profile([np.ones((2, 3))], repeats=3)
    assert any(op == "softmax" and seconds >= 0 for op, _, seconds in steps)


# ---- gradients


def test_gradients():
    """BEHAVIOURS 18.4."""
    x, w = K.placeholder((2,)), K.variable([3.0, 4.0])
    other = K.variable(1.0)
    loss = K.sum(K.square(x * w))
    gx, gw, none = K.gradients(loss, [x, w, other])
    assert none is None
    a, b = K.function([x], [gx, gw])([np.array([1, 2])])
    np.testing.assert_allclose(a, [18, 64])
    np.testing.assert_allclose(b, [6, 32])
    assert len(K.gradients(loss, w)) == 1


def test_a_loss_with_axes_counts_summed():
    x = K.placeholder((3,))
    g = K.gradients(x * x, x)
    np.testing.assert_allclose(K.function([x], g)([np.array([1, 2, 3])])[0], [2, 4, 6])


def test_gradients_for_what_lies_between():
    x = K.placeholder((2,))
    h = K.tanh(x)
    g = K.function([x], K.gradients(K.sum(h * h), h))([np.array([0.5, 1.0])])[0]
    np.testing.assert_allclose(g, 2 * np.tanh([0.5, 1.0]), rtol=1e-5)


def test_gradients_of_gradients():
    x = K.placeholder((2,), dtype="float64")
    y = K.sum(x**3 * K.exp(x))
    for _ in range(3):
        y = K.gradients(y, x)[0]
    data = np.array([0.3, -0.7])
    want = (data**3 + 9 * data**2 + 18 * data + 6) * np.exp(data)
    np.testing.assert_allclose(K.function([x], [y])([data])[0], want, rtol=1e-10)


def test_gradient_penalty():
    x, w = K.placeholder((None, 3)), K.variable(array(3, 1))
    score = K.tanh(K.dot(x, w))
    slope = K.gradients(score, x)[0]
    penalty = K.mean(K.square(K.sqrt(K.sum(K.square(slope), 1)) - 1.0))
    g = K.function([x], [penalty, *K.gradients(penalty, w)])
    data = array(4, 3)
    value, gradient = g([data])
    step = 1e-3
    K.set_value(w, K.get_value(w) + np.float32([[step], [0], [0]]))
    assert abs((g([data])[0] - value) / step - gradient[0, 0]) < 0.02


def test_gradients_refuse_arrays():
    with pytest.raises(TypeError, match="none"):
        K.gradients(K.variable(1.0), np.ones(2))


# ---- phases


def test_learning_phase_is_fed_in_any_form():
    """BEHAVIOURS 18.2."""
    x = K.placeholder((2,))
    y = K.in_train_phase(x * 10.0, x)
    assert y._uses_learning_phase
    f = K.function([x, K.learning_phase()], [y])
    for phase in (1, 1.0, True, np.float32(1), np.array(1), np.array([1.0])):
        np.testing.assert_array_equal(f([np.ones(2), phase])[0], [10, 10])
    for phase in (0, 0.0, False, np.array(0.0)):
        np.testing.assert_array_equal(f([np.ones(2), phase])[0], [1, 1])
    g = K.function([K.learning_phase(), x], [y])
    np.testing.assert_array_equal(g([1, np.ones(2)])[0], [10, 10])


def test_18_2_a_learning_phase_that_is_left_out():
    """It is an input, but the caller gives the others only: it has its default."""
    x = K.placeholder((None, 2))
    y = K.in_train_phase(x * 2.0, x)
    f = K.function([x, K.learning_phase()], [y])
    assert f([np.ones((1, 2))])[0].tolist() == [[1, 1]]
    assert f([np.ones((1, 2)), 1])[0].tolist() == [[2, 2]]
    with pytest.raises(ValueError, match="takes 2 arrays, but it received 0"):
        f([])
    with pytest.raises(ValueError, match="takes 2 arrays, but it received 1"):
        K.function([K.learning_phase(), x], [y])([1])


def test_18_2_a_learning_phase_without_effect():
    """As functions that scripts build from a model's inputs get it, along with what `fit` hands over."""
    x = K.placeholder((2,))
    f = K.function([x], [2 * x])
    for phase in (0, 1, 1.0, np.float32(0)):
        assert f([[1, 2], phase])[0].tolist() == [2, 4]
    for more in ([2], [[0, 1]], [1, 1]):
        with pytest.raises(ValueError, match=f"takes 1 arrays, but it received {1 + len(more)}"):
            f([[1, 2], *more])


def test_unfed_learning_phase_is_test():
    x = K.placeholder((2,))
    np.testing.assert_array_equal(K.function([x], [K.in_train_phase(x * 10.0, x)])([np.ones(2)])[0], [1, 1])
    np.testing.assert_array_equal(K.function([x], [K.in_test_phase(x * 10.0, x)])([np.ones(2)])[0], [10, 10])


def test_fixed_learning_phase():
    """BEHAVIOURS 18.3: branches that are not taken are not built."""
    never = lambda: pytest.fail("built")
    x = K.placeholder((2,))
    K.set_learning_phase(1)
    assert K.learning_phase() == 1
    y = K.in_train_phase(lambda: x, never)
    assert y is x and not y._uses_learning_phase
    K.set_learning_phase(0)
    assert K.in_train_phase(never, lambda: x) is x
    assert K.in_test_phase(lambda: x, never) is x
    f = K.function([x, K.learning_phase()], [y + 1.0])  # the number is ignored
    np.testing.assert_array_equal(f([np.ones(2), 0])[0], [2, 2])
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)
    K.clear_session()
    assert K.is_tensor(K.learning_phase())


def test_training_argument():
    x = K.placeholder((2,))
    never = lambda: pytest.fail("built")
    assert K.in_train_phase(x, never, training=True) is x
    assert K.in_train_phase(x, never, training=1) is x
    assert K.in_train_phase(never, x, training=False) is x
    flag = K.placeholder((), dtype="bool")
    f = K.function([x, flag], [K.in_train_phase(x * 2.0, x, training=flag)])
    np.testing.assert_array_equal(f([np.ones(2), True])[0], [2, 2])
    np.testing.assert_array_equal(f([np.ones(2), False])[0], [1, 1])


def test_the_phase_as_a_number():
    got = compute(lambda x: x * (K.cast(K.learning_phase(), "float32") + 1.0), np.ones(2, "float32"), phase=1)
    np.testing.assert_array_equal(got, [2, 2])


def test_gradients_through_a_phase():
    x = K.placeholder((2,))
    y = K.in_train_phase(lambda: x * 10.0, lambda: x * 3.0)
    g = K.gradients(K.sum(y), x)
    assert g[0]._uses_learning_phase
    f = K.function([x, K.learning_phase()], g)
    assert f([np.ones(2), 1])[0][0] == 10 and f([np.ones(2), 0])[0][0] == 3


# ---- switch


def test_switch():
    x, y = array(2, 3), array(2, 3, seed=1)
    for flag in (True, False):
        check(lambda x, y, c: K.switch(c, x, y), lambda x, y, c: x if c else y, x, y, np.array(flag))
        check(
            lambda x, y, c: K.switch(c, lambda: x, lambda: y),
            lambda x, y, c: x if c else y,
            x,
            y,
            np.float32(flag),
        )
        assert compute(lambda x, f=flag: K.switch(f, x, K.zeros_like(x)), x).any() == flag
    check(lambda x, y: K.switch(x > 0.0, x, y), lambda x, y: np.where(x > 0, x, y), x, y)
    rows = np.array([True, False])
    check(lambda x, y, c: K.switch(c, x, y), lambda x, y, c: np.where(c[:, None], x, y), x, y, rows)
    check(lambda x, c: K.switch(c, x, 0.0), lambda x, c: np.where(c, x, 0), x, np.array(False))
    with pytest.raises(ValueError, match="Rank of `condition`"):
        K.switch(K.placeholder((2, 3)), K.placeholder((2,)), K.placeholder((2,)))


def test_sessions_say_what_to_use():
    with pytest.raises(RuntimeError, match=r"K\.get_value"):
        K.get_session()
    with pytest.warns(UserWarning, match="no sessions"):
        K.set_session(None)
    with pytest.raises(AttributeError, match="TensorFlow"):
        K.tf.Session()
    with pytest.raises(AttributeError, match=r"`K.mean` for `tf.reduce_mean`"):
        K.tf.reduce_mean(K.ones((2,)))
