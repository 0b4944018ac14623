"""tf_keras reads our files and predicts the same. Needs tf_keras, here or in another environment:

pip install tensorflow-cpu tf_keras
PYKERAS_TF_PYTHON=/that/environment/bin/python python -m pytest tests/saving/test_tf_keras_reads.py
"""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from pykeras import layers as L
from pykeras.models import Model, Sequential

pytest.importorskip("h5py")

PYTHON = os.environ.get("PYKERAS_TF_PYTHON")
if PYTHON is None and importlib.util.find_spec("tf_keras"):
    PYTHON = sys.executable

pytestmark = pytest.mark.skipif(
    PYTHON is None, reason="tf_keras is not installed (or name its PYKERAS_TF_PYTHON)"
)

CHILD = """
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tf_keras as keras

folder = sys.argv[1]
for name in sys.argv[2:]:
    model = keras.models.load_model(f"{folder}/{name}.h5", compile=not name.endswith("_raw"))
    data = np.load(f"{folder}/{name}.npz")
    inputs = [data[k] for k in sorted(data.files)]
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    np.savez(f"{folder}/{name}.out.npz", **{f"y{i}": y for i, y in enumerate(outputs)})
    if not name.endswith("_raw"):
        pairs = [values if len(values) > 1 else values[0] for values in (inputs, outputs)]
        model.evaluate(*pairs, verbose=0)
"""


def mlp(optimizer="adam"):
    model = Sequential([L.Dense(5, activation="tanh", input_shape=(4,)), L.BatchNormalization(), L.Dense(3)])
    model.compile(optimizer, "mse", metrics=["accuracy"])
    x = np.random.rand(8, 4)
    model.fit(x, np.random.rand(8, 3), verbose=0)
    return model, [x]


def pictures():
    model = Sequential(
        [
            L.ZeroPadding2D(((1, 0), (2, 1)), input_shape=(8, 7, 3)),
            L.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
            L.BatchNormalization(axis=3),
            L.LeakyReLU(0.2),
            L.UpSampling2D(2),
            L.SeparableConv2D(5, (3, 2), depth_multiplier=2),
            L.PReLU(shared_axes=[1, 2]),
            L.DepthwiseConv2D(3, padding="same", activation="relu"),
            L.Cropping2D(((1, 1), (0, 1))),
            L.MaxPooling2D(2, padding="same"),
            L.ELU(0.5),
            L.AveragePooling2D(2),
            L.Permute((2, 3, 1)),
            L.Permute((3, 1, 2)),
            L.GlobalAveragePooling2D(),
            L.Reshape((5, 1)),
            L.Flatten(),
            L.ReLU(6.0),
            L.Dense(3, kernel_regularizer="l1", kernel_constraint="max_norm"),
            L.Softmax(),
        ]
    )
    return model, [np.random.rand(2, 8, 7, 3)]


def volumes():
    model = Sequential(
        [
            L.Conv3D(4, (3, 3, 2), strides=(1, 2, 1), padding="same", input_shape=(5, 6, 4, 2)),
            L.ReLU(),
            L.ZeroPadding3D(((1, 0), (0, 1), (1, 1))),
            L.MaxPooling3D(2, padding="same"),
            L.Conv3DTranspose(3, (2, 1, 3), strides=2),
            L.UpSampling3D((1, 2, 1)),
            L.AveragePooling3D((2, 2, 1)),
            L.Cropping3D(((0, 1), (1, 0), (0, 0))),
            L.GlobalMaxPooling3D(),
        ]
    )
    return model, [np.random.rand(2, 5, 6, 4, 2)]


def sequences():
    model = Sequential(
        [
            L.Embedding(9, 4, input_length=10),
            L.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="relu"),
            L.MaxPooling1D(2),
            L.GlobalMaxPooling1D(),
            L.Dropout(0.5),
            L.Dense(2),
        ]
    )
    return model, [np.random.randint(0, 9, (3, 10))]


def graph():
    inner = Sequential([L.Dense(4, input_shape=(3,)), L.ReLU()], name="inner")
    left, right = L.Input((3,), name="left"), L.Input((3,), name="right")
    u, v = inner(left), inner(right)
    ends = [
        L.Dense(2, name="p")(L.concatenate([u, L.multiply([u, v])])),
        L.Activation("softplus", name="q")(L.subtract([L.maximum([u, v]), L.average([u, v])])),
    ]
    model = Model([left, right], ends)
    model.compile("sgd", ["mse", "mae"], loss_weights=[1, 2.0], metrics={"p": "mae"})
    return model, [np.random.rand(3, 3), np.random.rand(3, 3)]


def test_tf_keras_predicts_the_same(tmp_path):
    made = {
        "mlp_adam": mlp(),
        "mlp_sgd": mlp("sgd"),
        "mlp_rmsprop": mlp("rmsprop"),
        "pictures_raw": pictures(),
        "volumes_raw": volumes(),
        "sequences_raw": sequences(),
        "graph": graph(),
    }
    for name, (model, inputs) in made.items():
        if name.endswith("raw"):
            model.set_weights([w + 0.3 * np.random.rand(*w.shape) for w in model.get_weights()])
        model.save(tmp_path / f"{name}.h5")
        np.savez(tmp_path / f"{name}.npz", **{f"x{i}": x for i, x in enumerate(inputs)})
    command = [PYTHON, "-c", CHILD, str(tmp_path), *made]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr[-3000:]
    for name, (model, inputs) in made.items():
        ours = model.predict(inputs if len(inputs) > 1 else inputs[0])
        ours = ours if isinstance(ours, list) else [ours]
        with np.load(tmp_path / f"{name}.out.npz") as theirs:
            assert len(theirs.files) == len(ours)
            for i, y in enumerate(ours):
                assert np.abs(y - theirs[f"y{i}"]).max() <= 1e-5 * np.abs(y).max(), name
