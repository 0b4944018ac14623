"""The Lambda layer (BEHAVIOURS 4.8, 3.1.10; DECISIONS: bytecode in a file is never run)."""

import json

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import _lambda


def value_of(layer, x, shape=None):
    tensor = layers.Input(batch_shape=shape or (None, *x.shape[1:]))
    return K.function([tensor], [layer(tensor)])([x])[0]


def test_output_shape_is_found_by_running():
    """4.8: without `output_shape` the function runs on placeholders."""
    layer = layers.Lambda(lambda x: K.mean(x, axis=1))
    assert layer.compute_output_shape((None, 3, 4)) == (None, 4)
    x = np.ones((2, 3, 4), "float32")
    assert value_of(layer, x).shape == (2, 4)


def test_output_shape_given():
    """4.8: a tuple lacks the batch size; a function gets the input's shape."""
    assert layers.Lambda(abs, output_shape=(5,)).compute_output_shape((7, 3)) == (7, 5)
    assert layers.Lambda(abs, output_shape=[5]).compute_output_shape([(7, 3), (7, 1)]) == (7, 5)
    computed = layers.Lambda(abs, output_shape=lambda s: (s[0], 2 * s[1]))
    assert computed.compute_output_shape((None, 3)) == (None, 6)
    with pytest.raises(TypeError, match="output_shape"):
        layers.Lambda(abs, output_shape=5)


def test_arguments_and_mask():
    """4.8: `arguments` go in as keywords; a `mask` parameter gets the mask; `mask=` sets the output's."""
    layer = layers.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})
    assert value_of(layer, np.ones((1, 2), "float32")).tolist() == [[3.0, 3.0]]
    seen = []

    def remember(x, mask=None):
        seen.append(mask)
        return x * 1.0

    layer = layers.Lambda(remember)
    tensor = layers.Input(shape=(3, 2))
    layer(layers.Masking()(tensor))
    assert any(mask is not None for mask in seen)
    assert layer.compute_mask(tensor, None) is None
    made = layers.Lambda(abs, mask=lambda inputs, mask: "new")
    assert made.supports_masking and made.compute_mask(None, None) == "new"


def test_config_stays_in_the_process():
    """3.1.10: a config that this process wrote gives the function back without unpacking bytecode."""
    factor = K.constant(2.0)
    layer = layers.Lambda(lambda x, extra=1.0: x * factor + extra, output_shape=lambda s: s, name="double")
    config = layer.get_config()
    assert config["function_type"] == "lambda" and config["output_shape_type"] == "lambda"
    again = layers.Lambda.from_config(config)
    assert again.function is layer.function
    assert value_of(again, np.ones((1, 2), "float32")).tolist() == [[3.0, 3.0]]


def test_same_code_other_closure():
    """3.1.10: two lambdas of one line differ in what they close over."""
    makers = [layers.Lambda(lambda x, _k=k: x * _k, name=f"times{k}") for k in (2.0, 5.0)]
    configs = [json.loads(json.dumps(layer.get_config())) for layer in makers]
    for config, factor in zip(configs, (2.0, 5.0)):
        layer = layers.Lambda.from_config(config)
        assert value_of(layer, np.ones((1, 1), "float32")).tolist() == [[factor]]


def test_foreign_bytecode_is_refused():
    """3.1.10, DECISIONS: the error names the layer and says what to do."""
    layer = layers.Lambda(lambda x: x + 41.0, name="plus_one")
    config = json.loads(json.dumps(layer.get_config()))
    _lambda._KNOWN.clear()  # as in another process
    with pytest.raises(ValueError, match=r"'plus_one'.*custom_objects=\{'plus_one'"):
        layers.Lambda.from_config(config)
    with pytest.raises(ValueError, match="plus_one"):
        layers.deserialize({"class_name": "Lambda", "config": config})
    again = layers.deserialize({"class_name": "Lambda", "config": config}, {"plus_one": lambda x: x + 1.0})
    assert value_of(again, np.zeros((1, 1), "float32")).tolist() == [[1.0]]


def test_named_function_and_array_arguments():
    """3.1.10: type 'function' is resolved by name; arrays come back from their dict form."""
    config = {
        "name": "l",
        "function": "scale",
        "function_type": "function",
        "output_shape": None,
        "output_shape_type": "raw",
        "arguments": {"by": {"type": "ndarray", "value": [2.0, 3.0]}},
    }
    with pytest.raises(ValueError, match="scale"):
        layers.Lambda.from_config(dict(config))
    layer = layers.Lambda.from_config(dict(config), {"scale": lambda x, by: x * by})
    assert isinstance(layer.arguments["by"], np.ndarray)
    assert value_of(layer, np.ones((1, 2), "float32")).tolist() == [[2.0, 3.0]]
