"""Three training steps of small models against tf_keras (golden/make_training.py and make_volumes.py): layers
with penalties and projections on each weight, losses with and without weights of samples, all optimizers
(BEHAVIOURS 4, 6, 7.9, 10, 11, 12.6, 12.7)."""

import numpy as np
import pytest
from layer_golden import assert_close, draw, expected, records

from pykeras import constraints, layers, optimizers, regularizers
from pykeras.models import Model


def build(name, config):
    config = dict(config)
    for key, value in config.items():
        if key.endswith("regularizer"):
            config[key] = regularizers.L1L2(**value)
        elif key.endswith("constraint"):
            config[key] = getattr(constraints, value[0])(**value[1])
    if "layer" in config:
        config["layer"] = build(config["layer"]["class"], config["layer"]["config"])
    return getattr(layers, name)(**config)


def data(index, record, outputs):
    """(inputs, targets, weights of the samples); the rules of make_training.py."""
    x = draw(1000 * index, (4, *record["shape"]))
    if record["class"] == "Embedding":
        x = np.floor((x + 1) * 3).astype("int32")
    if record["class"] == "Masking":
        x[1, 2:] = x[2, :1] = 0
    raw = draw(1000 * index + 1, outputs)
    classes = raw.argmax(axis=-1)
    y = {
        "real": raw,
        "positive": np.abs(raw),
        "sign": np.where(raw < 0, -1.0, 1.0),
        "bits": (raw > 0).astype("float32"),
        "onehot": np.eye(outputs[-1], dtype="float32")[classes],
        "class": classes[..., None],
    }[record.get("targets", "real")]
    return x, y, np.array([2.0, 0.0, 0.5, 1.0]) if record.get("weighted") else None


def models(file):
    """Parameters of pytest: (index, record) of every model of a golden file."""
    return [
        pytest.param(i, r, id=f"{i}-{r['class']}-{r.get('loss', 'mse')}-{r['optimizer'][0]}")
        for i, r in enumerate(records(file)["models"])
    ]


@pytest.mark.parametrize(("index", "record"), models("training"))
def test_three_steps(index, record):
    check_three_steps(index, record, "training")


@pytest.mark.parametrize(("index", "record"), models("volumes"))
def test_three_steps_on_volumes(index, record):
    """Models of make_volumes.py: 3D convolutions and poolings, alone, over time, and after a ConvLSTM2D."""
    check_three_steps(index, record, "volumes")


def check_three_steps(index, record, file):
    """Losses, weights and predictions of one model."""
    x = layers.Input(batch_shape=(4, *record["shape"]))
    y = x
    for name, config in record["layers"]:
        y = build(name, config)(y)
    model = Model(x, y)
    names = [w.name for layer in model.layers for w in layer.weights]
    start = [draw(1000 * index + 100 + i, w.shape) * 0.7 for i, w in enumerate(model.get_weights())]
    start = [np.abs(w) + 0.5 if "variance" in n else w for n, w in zip(names, start, strict=True)]
    model.set_weights(start)
    kind, config = record["optimizer"]
    model.compile(getattr(optimizers, kind)(**config), record.get("loss", "mean_squared_error"))
    inputs, targets, weights = data(index, record, tuple(model.output_shape))
    losses = [model.train_on_batch(inputs, targets, sample_weight=weights) for _ in range(3)]
    wanted = expected("models", index, file)
    kept = [w for n, w in zip(names, model.get_weights()) if "variance" not in n]
    assert len(kept) == sum(key[0] == "w" for key in wanted)
    assert_close(losses[:1], wanted["losses"][:1], f"first loss of {record}", 1e-5)
    assert_close(losses, wanted["losses"], f"losses of {record}", 1e-4)
    for i, value in enumerate(kept):
        assert_close(value, wanted[f"w{i}"], f"weight {i} of {record}", 1e-4)
    if "y" in wanted:
        assert_close(model.predict(inputs, batch_size=4), wanted["y"], f"prediction of {record}", 1e-4)
