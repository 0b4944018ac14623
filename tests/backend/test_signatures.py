"""18.18: calls as other engines' backends take them. 18.17: convolutions of doubles."""

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

from pykeras import backend as K

TARGET = Path(__file__).resolve().parents[3] / "shared" / "keras" / "api-target.json"


def test_positional_calls_of_other_engines():
    """18.18: the same arguments in the same places, whatever they are called there."""
    x, y = K.variable([1.0, 2.0]), K.placeholder((2,))
    np.testing.assert_array_equal(K.batch_get_value([x])[0], [1.0, 2.0])
    # updates=[] there, None here: both mean none
    for updates in ([], None):
        np.testing.assert_array_equal(K.function([y], [y * 2.0], updates)([[1.0, 3.0]])[0], [2.0, 6.0])
    K.function([], [], [K.moving_average_update(x, K.constant([3.0, 4.0]), 0.5)])([])
    np.testing.assert_array_equal(K.get_value(x), [2.0, 3.0])
    # a seed is one argument more than Theano's has
    assert K.int_shape(K.random_normal_variable((2, 3), 0.0, 1.0, "float32", "normal")) == (2, 3)
    assert K.int_shape(K.random_uniform_variable((2, 3), 0.0, 1.0, "float32", "uniform")) == (2, 3)
    assert K.int_shape(K.placeholder((None, 3), None, "float32", False, "input")) == (None, 3)


@pytest.mark.parametrize(
    ("call", "keyword"),
    [
        (lambda: K.batch_get_value(xs=[]), "xs"),
        (lambda: K.moving_average_update(variable=K.variable(1.0), value=1.0, momentum=0.5), "variable"),
        (lambda: K.placeholder((2,), dynamic_axis_num=1), "dynamic_axis_num"),
    ],
)
def test_keywords_of_other_engines_are_named(call, keyword):
    """18.18: what only another engine's function is called with is an error that names it."""
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{keyword}'"):
        call()


@pytest.mark.skipif(not TARGET.exists(), reason="the list of public names is not beside the repository")
def test_no_other_function_differs():
    """18.18: the functions above are all whose signatures differ between the engines."""
    different = {name for name, entry in json.loads(TARGET.read_text()).items() if "sig_elsewhere" in entry}
    names = "batch_get_value function moving_average_update placeholder random_normal_variable "
    names += "random_uniform_variable"
    assert different == {f"keras.backend.{name}" for name in names.split()}
    for name in names.split():
        ours = list(inspect.signature(getattr(K, name)).parameters)
        theirs = json.loads(TARGET.read_text())[f"keras.backend.{name}"]["sig_elsewhere"].values()
        assert all(len(ours) >= len(s.split(",")) - ("dynamic" in s) for s in theirs)


def test_convolutions_of_doubles_are_computed_in_doubles():
    """18.17: TensorFlow casts them to float32 and back; here nothing is lost."""
    rng = np.random.RandomState(0)
    x, k = rng.normal(size=(1, 5, 6, 3)), rng.normal(size=(2, 3, 3, 4))
    want = sum(np.tensordot(x[:, i : i + 4, j : j + 4], k[i, j], axes=1) for i in range(2) for j in range(3))
    found = K.eval(K.conv2d(K.constant(x, "float64"), K.constant(k, "float64")))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, want, rtol=1e-13, atol=1e-13)
    line = K.eval(K.conv1d(K.constant(x[0], "float64"), K.constant(k[0], "float64")))
    want = sum(np.tensordot(x[0, :, j : j + 4], k[0, j], axes=1) for j in range(3))
    assert line.dtype == np.float64
    np.testing.assert_allclose(line, want, rtol=1e-13, atol=1e-13)
