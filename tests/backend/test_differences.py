"""Where the backends of Keras differed among themselves (BEHAVIOURS 18.17, 18.18)."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from backend.tools import array

from pykeras import backend as K
from pykeras.layers import Conv2D, Input
from pykeras.models import Model


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_18_17_convolutions_of_doubles(padding):
    """TensorFlow's computed them in float32; here they are computed as they come, so the float32 result is
    the same to its own precision, and sums that float32 loses stay."""
    x, k = array(2, 7, 6, 3, dtype="float64"), array(3, 3, 3, 4, dtype="float64")

    def run(dtype):
        a, b = K.placeholder(x.shape, dtype=dtype), K.placeholder(k.shape, dtype=dtype)
        return K.function([a, b], [K.conv2d(a, b, padding=padding)])([x, k])[0]

    double, single = run("float64"), run("float32")
    assert (double.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(double, single, rtol=1e-4, atol=1e-4)
    a = K.placeholder((1, 1, 1, 2), dtype="float64")
    kernel = K.constant(np.ones((1, 1, 2, 1)), dtype="float64")
    tiny = K.function([a], [K.conv2d(a, kernel)])([np.array([1.0, 1e-12]).reshape(1, 1, 1, 2)])[0]
    assert tiny[0, 0, 0, 0] - 1.0 == pytest.approx(1e-12, rel=1e-3)


def test_18_17_a_model_of_doubles():
    K.set_floatx("float64")
    i = Input((5, 5, 2))
    model = Model(i, Conv2D(3, 2)(i))
    model.compile("sgd", "mse")
    x = array(2, 5, 5, 2, dtype="float64")
    assert model.predict(x).dtype == np.float64
    assert np.isfinite(model.train_on_batch(x, np.zeros((2, 4, 4, 3))))


def test_18_18_parameters_are_those_of_the_tensorflow_backend():
    def parameters(function):
        return list(inspect.signature(function).parameters)

    assert parameters(K.batch_get_value) == ["ops"]
    assert parameters(K.function)[:3] == ["inputs", "outputs", "updates"]
    assert parameters(K.moving_average_update) == ["x", "value", "momentum"]
    assert parameters(K.placeholder)[:5] == ["shape", "ndim", "dtype", "sparse", "name"]
    for draw in (K.random_normal_variable, K.random_uniform_variable):
        assert parameters(draw)[3:] == ["dtype", "name", "seed"]


def test_18_18_positional_calls_mean_the_same_on_every_backend():
    v = K.variable([1.0, 2.0])
    assert [a.tolist() for a in K.batch_get_value([v])] == [[1.0, 2.0]]
    f = K.function([], [v + 0.0], [K.moving_average_update(v, [3.0, 4.0], 0.5)])
    assert f([])[0].tolist() == [1.0, 2.0]
    assert K.get_value(v).tolist() == [2.0, 3.0]
    assert K.function([], [v * 2.0], updates=[])([])[0].tolist() == [4.0, 6.0]
    assert K.int_shape(K.random_uniform_variable((3,), 0.0, 1.0, "float64", "u")) == (3,)
