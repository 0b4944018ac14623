"""Writes recurrent.npz and recurrent.json: what tf_keras computes for recurrent layers and wrappers.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_recurrent.py

Inputs, weights, masks and output gradients are not stored: both sides draw them from NumPy's RandomState
(`draw` and `mask` below; tests/layers/test_recurrent_golden.py has the same rules). CuDNN layers are compared
with LSTM and GRU of the same meaning, so their weights are drawn in the layout of those.
"""

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras

HERE = Path(__file__).parent
# The defaults of Keras 2.1.6, which tf_keras has changed.
DEFAULTS = {"LSTM": {"recurrent_activation": "hard_sigmoid"}, "SimpleRNN": {}}
DEFAULTS["GRU"] = {"recurrent_activation": "hard_sigmoid", "reset_after": False}
DEFAULTS["ConvLSTM2D"] = {}
DEFAULTS.update({name + "Cell": DEFAULTS[name] for name in ("LSTM", "SimpleRNN", "GRU")})
SHAPE = (3, 5, 4)


def recurrent_cases():
    """Yields (item, class, config, shape, extra).

    extra: mask, states, inner (class and config), cells (a list of these), fixed (needs the batch size).
    """
    kinds = [("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": True})]
    for name, base in kinds:
        yield "6.1", name, {"units": 3, **base}, SHAPE, {}
        yield "6.1", name, {"units": 3, "use_bias": False, **base}, SHAPE, {}
        yield "6.7", name, {"units": 3, "return_sequences": True, "return_state": True, **base}, SHAPE, {}
        yield "6.8", name, {"units": 3, "return_sequences": True, "go_backwards": True, **base}, SHAPE, {}
        yield "6.8", name, {"units": 3, "go_backwards": True, **base}, SHAPE, {"mask": True}
        yield "5.3", name, {"units": 3, "return_sequences": True, **base}, SHAPE, {"mask": True}
        yield "5.3", name, {"units": 3, **base}, SHAPE, {"mask": True, "states": True}
        yield "6.8", name, {"units": 3, "unroll": True, "return_sequences": True, **base}, SHAPE, {}
        yield "6.9", name, {"units": 3, "return_state": True, **base}, SHAPE, {"states": True}
        yield "6.1", name, {"units": 9, "activation": "relu", **base}, (2, 4, 2), {}
        if name != "SimpleRNN":
            for act in ("softsign", "elu", "linear", "selu"):
                yield "6.1", name, {"units": 3, "activation": act, **base}, SHAPE, {}
            for act in ("sigmoid", "softplus", "tanh"):
                yield "6.1", name, {"units": 3, "recurrent_activation": act, **base}, SHAPE, {}
            yield "6.5", name, {"units": 3, "implementation": 2, **base}, SHAPE, {}
    inner = {"units": 3, "return_sequences": True}
    for mode in ("concat", "sum", "mul", "ave", None):
        yield "6.13", "Bidirectional", {"merge_mode": mode}, SHAPE, {"inner": ["LSTM", inner]}
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["GRU", {"units": 3}]}
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["GRU", inner], "mask": True}
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["LSTM", {"units": 3, "return_state": True}]}
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["SimpleRNN", {"units": 3, "go_backwards": True}]}
    yield "6.14", "TimeDistributed", {}, SHAPE, {"inner": ["Dense", {"units": 2, "activation": "tanh"}]}
    conv = {"filters": 2, "kernel_size": 2}
    yield "6.14", "TimeDistributed", {}, (2, 3, 4, 4, 2), {"inner": ["Conv2D", conv]}
    picture = (2, 3, 4, 5, 2)
    yield "4.23", "ConvLSTM2D", {**conv}, picture, {}
    yield "4.23", "ConvLSTM2D", {**conv, "padding": "same", "return_sequences": True}, picture, {}
    yield "4.23", "ConvLSTM2D", {**conv, "strides": 2, "go_backwards": True}, picture, {}
    yield "4.23", "ConvLSTM2D", {**conv, "use_bias": False, "dilation_rate": 2}, picture, {}
    yield "6.4", "CuDNNLSTM", {"units": 3, "return_sequences": True}, SHAPE, {}
    yield "6.4", "CuDNNLSTM", {"units": 3, "return_state": True}, SHAPE, {"states": True}
    yield "6.4", "CuDNNGRU", {"units": 3, "return_sequences": True}, SHAPE, {}
    yield "6.4", "CuDNNGRU", {"units": 3}, SHAPE, {"states": True}
    yield from further_cases()


def further_cases():
    """Rarer options. New cases go to the end: the numbers of a case depend on its place."""
    sequences = {"units": 3, "return_sequences": True}
    for mode in ("sum", "mul", None):
        yield (
            "6.13",
            "Bidirectional",
            {"merge_mode": mode},
            SHAPE,
            {"inner": ["GRU", sequences], "mask": True},
        )
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["LSTM", sequences], "states": True}
    yield "6.13", "Bidirectional", {}, SHAPE, {"inner": ["GRU", {"units": 2}], "states": True, "mask": True}
    reset = {"units": 3, "reset_after": True, "return_state": True}
    yield "6.13", "Bidirectional", {"merge_mode": "ave"}, SHAPE, {"inner": ["GRU", reset]}
    yield "6.14", "TimeDistributed", {}, (2, 3, 4, 2), {"inner": ["LSTM", {"units": 3}]}
    yield "6.14", "TimeDistributed", {}, (2, 3, 6, 2), {"inner": ["Conv1D", {"filters": 2, "kernel_size": 3}]}
    yield "6.14", "TimeDistributed", {}, (2, 3, 4), {"inner": ["PReLU", {}]}
    conv, picture = {"filters": 2, "kernel_size": (2, 3)}, (2, 3, 5, 5, 2)
    yield "4.23", "ConvLSTM2D", {**conv, "return_state": True}, picture, {}
    yield "4.23", "ConvLSTM2D", {**conv, "activation": "relu", "padding": "same"}, picture, {}
    gates = {"recurrent_activation": "sigmoid", "activation": "softsign"}
    yield "4.23", "ConvLSTM2D", {**conv, **gates, "strides": (1, 2)}, picture, {}
    backwards = {"go_backwards": True, "return_sequences": True}
    yield "4.23", "ConvLSTM2D", {**conv, **backwards, "padding": "same", "dilation_rate": 2}, picture, {}
    yield "4.23", "ConvLSTM2D", {**conv, "return_sequences": True}, picture, {"mask": True}
    for name, base in (("SimpleRNN", {}), ("LSTM", {}), ("GRU", {}), ("GRU", {"reset_after": True})):
        stateful = {"units": 3, "stateful": True, "return_sequences": True, **base}
        yield "6.10", name, stateful, SHAPE, {"fixed": True}
        yield "6.10", name, {**stateful, "go_backwards": True}, SHAPE, {"fixed": True, "mask": True}
        if name != "SimpleRNN":
            both = {"activation": "relu", "recurrent_activation": "sigmoid", "use_bias": False}
            yield "6.1", name, {"units": 3, **both, **base}, SHAPE, {"mask": True}
            yield "6.8", name, {"units": 3, "unroll": True, **base}, SHAPE, {"mask": True, "states": True}
    yield "6.10", "CuDNNGRU", {"units": 3, "stateful": True, "return_sequences": True}, SHAPE, {"fixed": True}
    cells = [["LSTMCell", {"units": 3}], ["GRUCell", {"units": 2}], ["SimpleRNNCell", {"units": 4}]]
    yield "6.11", "RNN", {"return_sequences": True}, SHAPE, {"cells": cells}
    yield "6.11", "RNN", {"return_state": True}, SHAPE, {"cells": cells[:2], "mask": True}
    yield "6.11", "RNN", {"go_backwards": True}, SHAPE, {"cells": cells[1:2]}
    yield "6.11", "RNN", {"unroll": True}, SHAPE, {"cells": cells[::-1]}


def draw(seed, shape):
    """Uniform in (−1, 1), float32."""
    return np.random.RandomState(seed).uniform(-1, 1, tuple(shape)).astype("float32")


def mask(seed, shape):
    """(samples, time): true with holes; the last sample is masked throughout."""
    result = np.random.RandomState(seed).rand(*shape[:2]) > 0.4
    result[-1] = False
    return result


def build(name, config, extra):
    if "inner" in extra:
        inner, arguments = extra["inner"]
        wrapper = getattr(keras.layers, name)(build(inner, arguments, {}), **config)
        if name == "Bidirectional":  # Keras 2 repeats outputs where tf_keras gives zeros
            wrapper.forward_layer.zero_output_for_mask = wrapper.backward_layer.zero_output_for_mask = False
        return wrapper
    if "cells" in extra:
        return keras.layers.RNN([build(*cell, {}) for cell in extra["cells"]], **config)
    if name.startswith("CuDNN"):
        name, config = name[5:], {**config, "recurrent_activation": "sigmoid"}
        config = {**config, "reset_after": True} if name == "GRU" else config
    return getattr(keras.layers, name)(**{**DEFAULTS.get(name, {}), **config})


def run(index, name, config, shape, extra):
    """Returns {suffix: array}: outputs y, gradients dx and dw, weights w after three steps of descent."""
    layer = build(name, config, extra)
    x = tf.constant(draw(1000 * index, shape))
    kwargs = {}
    if "mask" in extra:
        on = mask(1000 * index + 1, shape)
        # where a sample begins masked, tf_keras gives zeros and Keras 2.1.6 the initial state
        on[:, 0] |= "states" in extra
        kwargs["mask"] = tf.constant(on)
    if "states" in extra:
        inner, arguments = extra.get("inner", [name, config])
        count = (2 if "LSTM" in inner else 1) * (2 if name == "Bidirectional" else 1)
        states = [draw(1000 * index + 10 + i, (shape[0], arguments["units"])) for i in range(count)]
        kwargs["initial_state"] = [tf.constant(s) for s in states]
    layer(x, **kwargs)
    if "fixed" in extra:
        layer.reset_states()
    layer.set_weights([draw(1000 * index + 100 + i, w.shape) * 0.7 for i, w in enumerate(layer.weights)])
    arrays = {}
    for step in range(3):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = tf.nest.flatten(layer(x, **kwargs))
            total = sum(
                tf.reduce_sum(y * draw(1000 * index + 200 + i, y.shape)) for i, y in enumerate(outputs)
            )
        grads = tape.gradient(total, [x, *layer.trainable_weights])
        if step == 0:
            arrays.update({f"y{i}": y.numpy() for i, y in enumerate(outputs)})
            arrays["dx"] = grads[0].numpy()
            arrays.update({f"dw{i}": g.numpy() for i, g in enumerate(grads[1:])})
        for w, g in zip(layer.trainable_weights, grads[1:]):
            w.assign_sub(0.05 * g)
    arrays.update({f"w{i}": w.numpy() for i, w in enumerate(layer.trainable_weights)})
    return arrays


def main():
    arrays, records = {}, []
    for i, (item, name, config, shape, extra) in enumerate(recurrent_cases()):
        result = run(i, name, config, shape, extra)
        records.append({"item": item, "class": name, "config": config, "shape": shape, **extra})
        arrays.update({f"{i}/{key}": np.asarray(value, "float32") for key, value in result.items()})
    np.savez_compressed(HERE / "recurrent.npz", **arrays)
    text = ",\n".join(json.dumps(record) for record in records)
    (HERE / "recurrent.json").write_text(f"[\n{text}\n]\n")
    print(len(records), "cases,", len(arrays), "arrays")


if __name__ == "__main__":
    main()
