"""The symbolic graph: building, types, errors, gradients of any sub-graph."""

import gc

import numpy as np
import pytest

from pykeras import _core


def op(name, *inputs, scope="", **attrs):
    return _core.op(name, list(inputs), attrs, scope)[0]


def const(x, dtype="float64"):
    return _core.constant(np.asarray(x, dtype))


def evaluate(*values):
    return _core.Function([], list(values), [], "test")([])


def test_unknown_dimensions_survive_until_a_run():
    x = _core.placeholder((None, 4), "float32", "x")
    y = op("matmul", x, const(np.ones((4, 3)), "float32"))
    assert y.shape == (None, 3)
    f = _core.Function([x], [y], [], "f")
    for n in (1, 5):
        assert f([np.ones((n, 4), "float32")])[0].shape == (n, 3)


def test_shape_errors_name_op_layer_and_shapes():
    x = _core.placeholder((None, 4), "float32", "x")
    with pytest.raises(ValueError, match=r"'matmul' of 'dense_1'.*\(None, 4\)") as error:
        op("matmul", x, const(np.ones((5, 3)), "float32"), scope="dense_1")
    assert "(5, 3)" in str(error.value)
    with pytest.raises(ValueError, match="could not be broadcast"):
        op("add", const(np.ones(3)), const(np.ones(4)))
    with pytest.raises(ValueError, match="dtype"):
        op("add", const(np.ones(3)), const(np.ones(3), "float32"))
    with pytest.raises(ValueError, match="no op 'frobnicate'"):
        op("frobnicate", x)
    with pytest.raises(ValueError, match="no attribute 'axxis'"):
        op("softmax", x, axxis=1)


def test_feeding_errors():
    x = _core.placeholder((None, 4), "float32", "x")
    y = op("neg", x)
    with pytest.raises(ValueError, match="placeholder 'x'"):
        _core.Function([], [y], [], "f")
    f = _core.Function([x], [y], [], "f")
    with pytest.raises(ValueError, match=r"expects shape \(None, 4\), got an array of shape \(2, 5\)"):
        f([np.ones((2, 5), "float32")])
    with pytest.raises(ValueError, match="takes 1 arrays"):
        f([])
    with pytest.raises((ValueError, TypeError)):
        f([np.array(["a", "b", "c", "d"])])


def test_intermediate_values_can_be_fed():
    x = _core.placeholder((None,), "float64", "x")
    middle = op("exp", x)
    y = op("square", middle)
    assert _core.Function([middle], [y], [], "f")([np.array([3.0])])[0] == 9.0


def test_gradient_with_respect_to_an_intermediate_value():
    x = const([1.0, 2.0])
    middle = op("square", x)
    y = op("sum", op("mul", middle, middle), axes=[0])
    g_middle, g_x = _core.gradients([y], [middle, x])
    np.testing.assert_allclose(evaluate(g_middle, g_x), [[2.0, 8.0], [4.0, 32.0]])


def test_unconnected_gradient_is_none():
    x, z = const([1.0]), const([1.0])
    assert _core.gradients([op("exp", x)], [z]) == [None]
    stopped = op("stop_gradient", op("exp", x))
    assert _core.gradients([op("mul", stopped, stopped)], [x]) == [None]


def test_third_derivative():
    x = const(0.7)
    y = op("tanh", x)
    for _ in range(3):
        (y,) = _core.gradients([y], [x])
    t = np.tanh(0.7)
    s = 1 - t * t
    np.testing.assert_allclose(evaluate(y)[0], -2 * s * s + 4 * t * t * s, rtol=1e-12)


def test_gradient_needs_a_float():
    with pytest.raises(ValueError, match="float"):
        _core.gradients([const([1], "int32")], [const([1.0])])


def test_a_value_used_many_times_collects_its_gradients():
    x = const([3.0])
    y = op("add", op("mul", x, x), op("add", x, x))
    np.testing.assert_allclose(evaluate(_core.gradients([y], [x])[0])[0], [8.0])


def test_very_deep_graphs_neither_overflow_nor_leak():
    x = _core.placeholder((None,), "float32", "x")
    y = x
    for _ in range(50_000):
        y = op("neg", y)
    f = _core.Function([x], [y], [], "deep")
    assert f([np.ones(1, "float32")])[0] == 1.0
    del y, f
    gc.collect()


def test_shape_arithmetic_is_folded_when_shapes_are_known():
    x = _core.placeholder((None, 6), "float32", "x")
    shape = op("shape", x)
    rows = op("slice", shape, begin=[0], end=[1], strides=[1], begin_mask=[0], end_mask=[0])
    target = op("concat", rows, const([2, 3], "int32"), axis=0)
    y = _core.op("reshape", [x, target], {"shape": [-1, 2, 3]}, "r")[0]
    f = _core.Function([x], [y], [], "f")
    data = np.arange(12, dtype="float32").reshape(2, 6)
    np.testing.assert_array_equal(f([data])[0], data.reshape(2, 2, 3))
    assert " 0 steps" in f.describe([data])
