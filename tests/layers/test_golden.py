"""Layers, optimizers, losses and metrics against numbers of tf_keras (BEHAVIOURS 4, 10, 11; see golden/)."""

import numpy as np
import pytest
from layer_golden import assert_close, cases, draw, expected, targets

from pykeras import backend as K
from pykeras import layers, losses, metrics, optimizers


def run_layer(index, case, known_sizes, file):
    """Returns ({suffix: array}, what it should be) of one layer case.

    Args:
        known_sizes: whether the input's sizes are known when the graph is built.
        file: the golden file.
    """
    layer = getattr(layers, case["class"])(**case["config"])
    ints = case.get("ints")
    shapes = case["shapes"]
    arrays = [draw(1000 * index + i, shape) for i, shape in enumerate(shapes)]
    if ints:
        arrays = [np.floor((x + 1) / 2 * ints).astype("int32") for x in arrays]
    inputs = []
    for shape in shapes:
        batch_shape = shape if known_sizes else [None, *shape[1:]]
        inputs.append(layers.Input(batch_shape=tuple(batch_shape), dtype="int32" if ints else None))
    output = layer(inputs if len(inputs) > 1 else inputs[0])
    weights = []
    for i, variable in enumerate(layer.weights):
        value = draw(1000 * index + 100 + i, K.int_shape(variable))
        weights.append(np.abs(value) + 0.5 if "variance" in variable.name else value)
    layer.set_weights(weights)
    wanted = expected("layers", index, file)
    weight = draw(1000 * index + 200, wanted["y"].shape)
    floats = [] if ints else inputs
    grads = K.gradients(K.sum(output * K.constant(weight)), floats + layer.trainable_weights)
    function = K.function([*inputs, K.learning_phase()], [output, *grads])
    y, *values = function([*arrays, 1 if case.get("training") else 0])
    result = {"y": y}
    result.update({f"dx{i}": v for i, v in enumerate(values[: len(floats)])})
    result.update({f"dw{i}": v for i, v in enumerate(values[len(floats) :])})
    static = layer.compute_output_shape(
        [K.int_shape(x) for x in inputs] if len(inputs) > 1 else K.int_shape(inputs[0])
    )
    assert len(static) == y.ndim
    assert all(a is None or a == b for a, b in zip(static, y.shape)), (static, y.shape)
    return result, wanted


@pytest.mark.parametrize("known_sizes", [True, False], ids=["fixed", "open"])
@pytest.mark.parametrize(("index", "case"), cases("layers"))
def test_layer(index, case, known_sizes):
    """Outputs and gradients; the item is in the test's name."""
    check_layer(index, case, known_sizes, "layers")


@pytest.mark.parametrize("known_sizes", [True, False], ids=["fixed", "open"])
@pytest.mark.parametrize(("index", "case"), cases("layers", "options"))
def test_options_of_a_layer(index, case, known_sizes):
    """The same for the rarer options."""
    check_layer(index, case, known_sizes, "options")


@pytest.mark.parametrize("known_sizes", [True, False], ids=["fixed", "open"])
@pytest.mark.parametrize(("index", "case"), cases("layers", "volumes"))
def test_layer_of_volumes(index, case, known_sizes):
    """The same for the layers of three spatial axes."""
    check_layer(index, case, known_sizes, "volumes")


def check_layer(index, case, known_sizes, file):
    """Compares one layer case."""
    result, wanted = run_layer(index, case, known_sizes, file)
    assert sorted(result) == sorted(wanted)
    for name, value in wanted.items():
        assert_close(result[name], value, f"{case['class']}({case['config']}) {name}", 1e-5)


@pytest.mark.parametrize(("index", "case"), cases("optimizers"))
def test_optimizer(index, case):
    """Five steps on one batch."""
    kernel, bias = K.variable(draw(1, (4, 3))), K.variable(draw(2, (3,)))
    x, y = K.placeholder((None, 4)), K.placeholder((None, 3))
    optimizer = getattr(optimizers, case["class"])(**case["config"])
    loss = K.mean(K.square(K.dot(x, kernel) + bias - y))
    step = K.function([x, y], [loss], updates=optimizer.get_updates(loss, [kernel, bias]))
    for _ in range(5):
        step([draw(3, (8, 4)), draw(4, (8, 3))])
    wanted = expected("optimizers", index)
    assert K.get_value(optimizer.iterations) == 5
    for name, variable in (("kernel", kernel), ("bias", bias)):
        assert_close(K.get_value(variable), wanted[name], f"{case['class']}({case['config']}) {name}")


@pytest.mark.parametrize(("index", "case"), cases("losses"))
def test_loss(index, case):
    """Values and gradients."""
    y_true, y_pred = targets(case["kind"], 50 + 2 * index)
    target, output = K.placeholder((None, y_true.shape[1])), K.placeholder((None, 4))
    value = losses.get(case["name"])(target, output)
    value, grad = K.function([target, output], [value, *K.gradients(value, [output])])([y_true, y_pred])
    wanted = expected("losses", index)
    assert_close(value, wanted["y"], case["name"])
    # 10.2: Keras 2 turns a clipped probability back into a logit, tf_keras adds ε inside the logarithm
    tolerance = 2e-5 if case["name"] == "binary_crossentropy" else 1e-5
    assert_close(grad, wanted["dx"], f"gradient of {case['name']}", tolerance)


@pytest.mark.parametrize(("index", "case"), cases("metrics"))
def test_metric(index, case):
    """Means over the samples (top-k metrics of 2.1.6 return the mean at once)."""
    y_true, y_pred = targets(case["kind"], 150 + 2 * index)
    target, output = K.placeholder((None, y_true.shape[1])), K.placeholder((None, 4))
    value = K.mean(metrics.get(case["name"])(target, output, **case["config"]))
    (value,) = K.function([target, output], [value])([y_true, y_pred])
    assert_close(value, np.mean(expected("metrics", index)["y"]), case["name"])
