"""Recurrent layers against tf_keras: outputs, gradients, three steps (golden/make_recurrent.py)."""

import json
from pathlib import Path

import numpy as np
import pytest
from layer_golden import assert_close, draw

from pykeras import backend as K
from pykeras import layers
from pykeras.saving.convert import convert_rnn_weights

FOLDER = Path(__file__).resolve().parents[1] / "golden"
CASES = json.loads((FOLDER / "recurrent.json").read_text())
with np.load(FOLDER / "recurrent.npz") as archive:
    ARRAYS = {name: archive[name] for name in archive.files}


def draw_mask(seed, shape):
    result = np.random.RandomState(seed).rand(*shape[:2]) > 0.4
    result[-1] = False
    return result


def build(name, config, inner=None, cells=None):
    if inner:
        return getattr(layers, name)(build(*inner), **config)
    if cells:
        return layers.RNN([build(*cell) for cell in cells], **config)
    return getattr(layers, name)(**config)


class _As:
    """What `convert_rnn_weights` reads of a target layer."""

    name = "x"
    reset_after = True


def plain(layer, arrays):
    """Arrays of a CuDNN layer in the layout of LSTM or GRU; their gradients convert the same way."""
    target = type(type(layer).__name__[5:], (_As,), {})()
    return convert_rnn_weights(target, arrays)


@pytest.mark.parametrize("fixed", [False, True], ids=["open", "fixed"])
@pytest.mark.parametrize(
    "index", range(len(CASES)), ids=lambda i: f"{CASES[i]['class']}-{CASES[i]['item']}-{i}"
)
def test_golden(index, fixed):
    """5.3, 6.1 to 6.11, 6.13, 6.14, 4.23: the item is in the test's name."""
    case = CASES[index]
    config, shape, name = case["config"], case["shape"], case["class"]
    layer = build(name, config, case.get("inner"), case.get("cells"))
    x = draw(1000 * index, shape)
    known = fixed or config.get("unroll") or "fixed" in case
    inputs = [layers.Input(batch_shape=tuple(shape) if known else (None, None, *shape[2:]))]
    data = [x]
    kwargs = {}
    if "states" in case:
        inner, arguments = case.get("inner", [name, config])
        count = (2 if "LSTM" in inner else 1) * (2 if name == "Bidirectional" else 1)
        data += [draw(1000 * index + 10 + i, (shape[0], arguments["units"])) for i in range(count)]
        inputs += [layers.Input(shape=(arguments["units"],)) for _ in range(count)]
        kwargs["initial_state"] = inputs[1:]
    if "mask" in case:
        on = draw_mask(1000 * index + 1, shape)
        on[:, 0] |= "states" in case
        data.append(on)
        inputs.append(layers.Input(shape=(None,), dtype="bool"))
        kwargs["mask"] = inputs[-1]
    outputs = layer(inputs[0], **kwargs)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    weights = layer.trainable_weights
    cudnn = name.startswith("CuDNN")
    wanted = {key.split("/")[1]: v for key, v in ARRAYS.items() if key.startswith(f"{index}/")}
    start = [draw(1000 * index + 100 + i, wanted[f"w{i}"].shape) * 0.7 for i in range(len(weights))]
    layer.set_weights(convert_rnn_weights(layer, start) if cudnn else start)
    total = sum(
        K.sum(y * K.constant(draw(1000 * index + 200 + i, wanted[f"y{i}"].shape)))
        for i, y in enumerate(outputs)
    )
    grads = K.gradients(total, [inputs[0], *weights])
    steps = [(w, w - 0.05 * g) for w, g in zip(weights, grads[1:])]
    function = K.function(inputs, [*outputs, *grads], updates=steps + layer.updates)
    first = function(data)
    n = len(outputs)
    dws = first[n + 1 :]
    # half of the LSTM's bias went into each of two biases: each has the whole gradient
    if cudnn:
        dws = plain(layer, [*dws[:2], dws[2] if name == "CuDNNGRU" else dws[2] * 0.5])
    result = {f"y{i}": y for i, y in enumerate(first[:n])}
    result["dx"] = first[n]
    result.update({f"dw{i}": g for i, g in enumerate(dws)})
    if name != "CuDNNLSTM":  # descent on two biases goes twice as far
        for _ in range(2):
            function(data)
        after = K.batch_get_value(weights)
        result.update({f"w{i}": w for i, w in enumerate(plain(layer, after) if cudnn else after)})
    for key, value in result.items():
        assert_close(value, wanted[key], f"{case} {key}", 1e-4 if key[0] == "w" else 1e-5)
