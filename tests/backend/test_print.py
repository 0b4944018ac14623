"""18.16: `K.print_tensor` returns its input and prints when it is evaluated, to the error stream."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import Dense, Input, Lambda
from pykeras.models import Model


@pytest.mark.parametrize(
    ("value", "dtype", "text"),
    [
        (1.5, "float32", "1.5"),
        ([1, 2, 3], "int32", "[1 2 3]"),
        ([1, 2, 3, 4], "int64", "[1 2 3 ...]"),
        ([[1.0, 0.25], [3.0, 4.0]], "float64", "[[1 0.25] [3 4]]"),
        ([[[7]]] * 4, "uint8", "[[[7]] [[7]] [[7]] ...]"),
        ([True, False], "bool", "[True False]"),
        (np.zeros((2, 0)), "float32", "[[] []]"),
        ([np.nan, -np.inf], "float32", "[nan -inf]"),
    ],
)
def test_prints_message_and_first_elements(value, dtype, text, capfd):
    """18.16"""
    x = K.placeholder(np.shape(value), dtype=dtype)
    y = K.print_tensor(x, "x = ")
    assert capfd.readouterr() == ("", "")  # not while the graph is built
    function = K.function([x], [y])
    result = function([np.asarray(value)])[0]
    assert capfd.readouterr() == ("", f"x = {text}\n")
    np.testing.assert_array_equal(result, np.asarray(value, dtype=dtype))
    function([np.asarray(value)])
    assert capfd.readouterr().err == f"x = {text}\n"


def test_no_message_and_shape_stay(capfd):
    """18.16"""
    x = K.placeholder((None, 3))
    y = K.print_tensor(x)
    assert tuple(y.shape) == (None, 3) and y.dtype == "float32"
    K.function([x], [y + 1])([np.ones((1, 3))])
    assert capfd.readouterr().err == "[[1 1 1]]\n"


def test_constants_and_weights_are_printed_in_every_call(capfd):
    """What stays from run to run is computed once; what prints is not."""
    w = K.variable([2.0])
    function = K.function([], [K.print_tensor(w, "w ") * 3.0, K.print_tensor(K.constant([5.0]), "c ")])
    for _ in range(2):
        function([])
    assert sorted(capfd.readouterr().err.split("\n")) == ["", "c [5]", "c [5]", "w [2]", "w [2]"]


def test_equal_prints_are_both_made(capfd):
    x = K.placeholder((1,))
    K.function([x], [K.print_tensor(x, "a") + K.print_tensor(x, "a")])([[1.0]])
    assert capfd.readouterr().err == "a[1]\na[1]\n"


def test_only_what_is_evaluated_prints(capfd):
    x = K.placeholder((1,))
    K.print_tensor(x, "unused")
    K.function([x], [K.switch(K.constant(True), x, K.print_tensor(x, "other"))])([[1.0]])
    assert capfd.readouterr().err == ""


def test_passes_keep_it(capfd):
    """Neither fusing of pointwise ops nor dropping of what zeros are multiplied by takes it away."""
    x = K.placeholder((2, 2))
    y = K.relu(K.print_tensor(K.exp(x) + 1.0, "in the middle ") * 2.0)
    z = K.zeros_like(x) * K.print_tensor(x, "times zero ")
    function = K.function([x], [y, z])
    function([np.zeros((2, 2))])
    lines = capfd.readouterr().err.strip().split("\n")
    assert sorted(lines) == ["in the middle [[2 2] [2 2]]", "times zero [[0 0] [0 0]]"]


def test_gradient_passes_through(capfd):
    """18.16: printed once for value and gradient together."""
    x = K.placeholder((2,))
    y = K.sum(K.square(K.print_tensor(x, "x ")))
    value, gradient = K.function([x], [y, *K.gradients(y, [x])])([[1.0, 3.0]])
    assert value == 10.0
    np.testing.assert_array_equal(gradient, [2.0, 6.0])
    assert capfd.readouterr().err == "x [1 3]\n"


def test_in_loops_once_per_step(capfd):
    """Also with a gradient, whose steps compute the loop's values again."""
    x = K.placeholder((3,))
    y = K.map_fn(lambda e: K.square(K.print_tensor(K.square(e), "e ")), x)
    gradient = K.gradients(K.sum(y), [x])[0]
    result = K.function([x], [y, gradient])([[1.0, 2.0, 3.0]])
    np.testing.assert_allclose(result[0], [1.0, 16.0, 81.0])
    np.testing.assert_allclose(result[1], [4.0, 32.0, 108.0])
    assert capfd.readouterr().err == "e 1\ne 4\ne 9\n"
    constant = K.map_fn(lambda e: e + K.print_tensor(K.constant(1.0), "one "), x)
    K.function([x], [constant])([[1.0, 2.0, 3.0]])
    assert capfd.readouterr().err == "one 1\n" * 3


def test_in_a_model(capfd):
    inputs = Input((2,))
    outputs = Dense(1, kernel_initializer="ones")(Lambda(lambda t: K.print_tensor(t, "batch "))(inputs))
    model = Model(inputs, outputs)
    model.compile("sgd", "mse")
    model.predict(np.ones((1, 2)))
    assert capfd.readouterr().err == "batch [[1 1]]\n"
    model.train_on_batch(np.ones((1, 2)), np.ones((1, 1)))
    assert capfd.readouterr().err == "batch [[1 1]]\n"
