"""Checks that other packages use on their own layers.

Source: the public behaviour of keras/utils/test_utils.py (2.1.6).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .generic_utils import has_arg
from .namespaces import held_by

# pytest collects modules of this name when a test suite imports from it
__test__ = False


def get_test_data(
    num_train: int = 1000,
    num_test: int = 500,
    input_shape: Any = (10,),
    output_shape: Any = (2,),
    classification: bool = True,
    num_classes: int = 2,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Makes data that a small model can learn: noise around a value that depends on the class.

    Args:
        num_train: number of training samples.
        num_test: number of test samples.
        input_shape: shape of one sample.
        output_shape: shape of one target (regression only).
        classification: integer class targets, otherwise float targets.
        num_classes: number of classes.

    Returns:
        (x_train, y_train), (x_test, y_test); drawn from NumPy's global generator.
    """
    count = num_train + num_test
    if classification:
        y: np.ndarray = np.random.randint(0, num_classes, size=(count,))
        level: np.ndarray = y
    else:
        level = np.random.random((count,))
        y = np.zeros((count, *output_shape))
        y += level.reshape((-1,) + (1,) * len(output_shape))
    x = np.random.normal(size=(count, *input_shape)) * 0.7
    x += level.reshape((-1,) + (1,) * len(input_shape))
    return (x[:num_train], y[:num_train]), (x[num_train:], y[num_train:])


def layer_test(
    layer_cls: Any,
    kwargs: Any = {},  # noqa: B006 (the signature scripts know; it is never changed)
    input_shape: Any = None,
    input_dtype: Any = None,
    input_data: Any = None,
    expected_output: Any = None,
    expected_output_dtype: Any = None,
    fixed_batch_size: bool = False,
) -> np.ndarray:
    """Puts a layer through everything that layers must survive.

    Weights out and in, shape inference against real outputs, configs of layer and models, training, both
    kinds of model.

    Args:
        layer_cls: the class.
        kwargs: its arguments.
        input_shape: shape of the input with the batch; unknown sizes None.
        input_dtype: dtype of the input, by default `floatx()`.
        input_data: the input, drawn at random if missing.
        expected_output: what the layer must return.
        expected_output_dtype: dtype that it must have, by default the input's.
        fixed_batch_size: give the model the batch size.

    Returns:
        the layer's output.

    Raises:
        AssertionError: a check failed.
    """
    from .. import backend as K
    from ..layers import Input
    from ..models import Model, Sequential

    if input_data is None:
        if not input_shape:
            raise ValueError("layer_test needs `input_shape` or `input_data`")
        input_dtype = input_dtype or K.floatx()
        sizes = [size if size is not None else np.random.randint(1, 4) for size in input_shape]
        input_data = (10 * np.random.random(sizes)).astype(input_dtype)
    else:
        input_shape = input_shape or input_data.shape
        input_dtype = input_dtype or input_data.dtype.name
    expected_output_dtype = expected_output_dtype or input_dtype

    layer = layer_cls(**kwargs)
    weights = layer.get_weights()
    layer.set_weights(weights)
    if has_arg(layer_cls.__init__, "weights"):
        layer_cls(**{**kwargs, "weights": weights})

    options = {"batch_shape": input_shape} if fixed_batch_size else {"shape": input_shape[1:]}
    x = Input(dtype=input_dtype, **options)
    y = layer(x)
    assert K.dtype(y) == expected_output_dtype, (K.dtype(y), expected_output_dtype)

    expected_shape = layer.compute_output_shape(input_shape)
    model = Model(x, y)
    output = model.predict(input_data)
    for expected, actual in zip(expected_shape, output.shape):
        assert expected is None or expected == actual, (expected_shape, output.shape)
    if expected_output is not None:
        np.testing.assert_allclose(output, expected_output, rtol=1e-3)

    again = Model.from_config(model.get_config(), {layer_cls.__name__: layer_cls})
    stack = Sequential([layer_cls.from_config({**layer.get_config(), "batch_input_shape": input_shape})])
    stack_again = Sequential.from_config(stack.get_config(), {layer_cls.__name__: layer_cls})
    if model.weights:
        for other in (again, stack, stack_again):
            other.set_weights(model.get_weights())
            np.testing.assert_allclose(other.predict(input_data), output, rtol=1e-3)

    # last, because it changes the weights
    for trained in (model, stack) if has_arg(layer.call, "training") else (stack,):
        trained.compile("rmsprop", "mse")
        trained.train_on_batch(input_data, output)
    return output


def keras_test(func: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a test so that names and graph start anew after it."""

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        from .. import backend as K

        try:
            return func(*args, **kwargs)
        finally:
            K.clear_session()

    return wrapper


# What scripts also import from here.
__getattr__ = held_by(__name__)
