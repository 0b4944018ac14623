"""Writes files/*.h5 and files/*.npz: small models as tf_keras saves them, with what tf_keras computes from
them.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_files.py

In each npz: inputs x0 x1 …, outputs y0 y1 …; for the trained ones also targets t0 … and the weights w0 w1
… after one more batch, which come out right only if the optimizer's state was restored.
"""

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import h5py
import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers as L

HERE = Path(__file__).parent / "files"
rng = np.random.RandomState(7)


def draw(*shape):
    return rng.uniform(-1, 1, shape).astype("float32")


def as_list(x):
    return x if isinstance(x, list) else [x]


def shake(model):
    """Gives every weight a value that its initializer would not, so that none can be forgotten unnoticed."""
    model.set_weights([w + 0.3 * np.abs(draw(*w.shape)) for w in model.get_weights()])


def save(name, model, inputs, targets=None, batches=3):
    arrays = {}
    if targets is not None:
        for _ in range(batches):
            model.train_on_batch(inputs, targets)
        arrays |= {f"t{i}": t for i, t in enumerate(as_list(targets))}
    arrays |= {f"x{i}": x for i, x in enumerate(as_list(inputs))}
    arrays |= {f"y{i}": y for i, y in enumerate(as_list(model.predict(inputs, verbose=0)))}
    model.save(HERE / f"{name}.h5", save_format="h5")
    if targets is not None:
        model.train_on_batch(inputs, targets)
        arrays |= {f"w{i}": w for i, w in enumerate(model.get_weights())}
    np.savez(HERE / f"{name}.npz", **arrays)


def mlp():
    return keras.Sequential(
        [
            L.Dense(5, activation="relu", input_shape=(4,)),
            L.BatchNormalization(),
            L.Dense(3, activation="softmax", kernel_initializer="he_normal", kernel_regularizer="l2"),
        ]
    )


def optimizers():
    legacy, new = keras.optimizers.legacy, keras.optimizers
    made = {
        "adam": new.Adam(0.01),
        "adam_legacy": legacy.Adam(0.01),
        "amsgrad_legacy": legacy.Adam(0.01, amsgrad=True),
        "sgd": new.SGD(0.01),
        "sgd_momentum": new.SGD(0.01, momentum=0.9, nesterov=True),
        "sgd_legacy": legacy.SGD(0.01, momentum=0.9, decay=0.1),
        "rmsprop": new.RMSprop(0.01),
        "adagrad_legacy": legacy.Adagrad(0.01, initial_accumulator_value=0.0),
        "adadelta_legacy": legacy.Adadelta(1.0),
    }
    x = draw(8, 4)
    t = np.eye(3, dtype="float32")[rng.randint(0, 3, 8)]
    for name, optimizer in made.items():
        model = mlp()
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        save(f"mlp_{name}", model, x, t)


def graph():
    a, b = L.Input((4,), name="a"), L.Input((3,), name="b")
    shared = L.Dense(4, activation="tanh", name="shared")
    u = shared(a)
    v = shared(u)
    merged = L.Concatenate()([L.Add()([u, v]), b, L.Multiply()([u, v])])
    first = L.Dense(2, name="first")(L.Dropout(0.5)(merged))
    second = L.Dense(1, activation="sigmoid", name="second")(L.Average()([u, v]))
    model = keras.Model([a, b], [first, second])
    model.compile(
        "sgd",
        {"first": "mse", "second": "binary_crossentropy"},
        loss_weights={"first": 1.0, "second": 0.5},
        metrics={"second": "accuracy"},
    )
    save("graph", model, [draw(3, 4), draw(3, 3)])


def pictures():
    model = keras.Sequential(
        [
            L.ZeroPadding2D(((1, 0), (2, 1)), input_shape=(8, 7, 3)),
            L.Conv2D(4, 3, strides=2, padding="same", use_bias=False),
            L.BatchNormalization(axis=3, momentum=0.9),
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
            L.ReLU(max_value=6.0),
            L.Dense(3),
            L.Softmax(),
        ]
    )
    shake(model)
    save("pictures", model, draw(2, 8, 7, 3))


def volumes():
    model = keras.Sequential(
        [
            L.Conv3D(4, (3, 3, 2), strides=(1, 2, 1), padding="same", input_shape=(5, 6, 4, 2)),
            L.ReLU(),
            L.ZeroPadding3D(((1, 0), (0, 1), (1, 1))),
            L.MaxPooling3D(2, padding="same"),
            L.Conv3DTranspose(3, (2, 1, 3), strides=2),
            L.UpSampling3D((1, 2, 1)),
            L.AveragePooling3D((2, 2, 1)),
            L.Cropping3D(((0, 1), (1, 0), (0, 0))),
            L.SpatialDropout3D(0.5),
            L.GlobalMaxPooling3D(),
            L.Dense(2),
        ]
    )
    shake(model)
    save("volumes", model, draw(2, 5, 6, 4, 2))


def sequences():
    """Built by its first call, with lengths unknown."""
    model = keras.Sequential(
        [
            L.Embedding(9, 4),
            L.Conv1D(5, 3, padding="causal", dilation_rate=2, activation="relu"),
            L.MaxPooling1D(2),
            L.GlobalMaxPooling1D(),
            L.Dense(2),
        ]
    )
    x = rng.randint(0, 9, (3, 10)).astype("int32")
    model.predict(x, verbose=0)
    shake(model)
    save("sequences", model, x)


def deferred():
    """As `sequences`, but the file says nothing at all."""
    model = keras.Sequential([L.Dense(3, activation="tanh"), L.Dense(2)])
    model.predict(draw(1, 4), verbose=0)
    save("deferred", model, draw(2, 4))
    with h5py.File(HERE / "deferred.h5", "a") as file:
        config = json.loads(file.attrs["model_config"])
        body = config["config"]
        body.pop("build_input_shape", None)
        body["layers"] = [layer for layer in body["layers"] if layer["class_name"] != "InputLayer"]
        body["layers"][0]["config"].pop("batch_input_shape", None)
        file.attrs["model_config"] = json.dumps(config)


def nested():
    inner = keras.Sequential([L.Dense(4, input_shape=(3,)), L.BatchNormalization(), L.ReLU()], name="inner")
    deep_in = L.Input((4,))
    deep = keras.Model(deep_in, [L.Dense(2)(deep_in), L.Dense(3)(deep_in)], name="deep")
    left, right = L.Input((3,)), L.Input((3,))
    two, three = deep(L.Subtract()([inner(left), inner(right)]))
    model = keras.Model([left, right], [L.Dense(1)(two), three])
    inner.layers[0].trainable = False
    shake(model)
    save("nested", model, [draw(3, 3), draw(3, 3)])


def weights_only():
    model = mlp()
    shake(model)
    model.save_weights(HERE / "weights_only.h5")
    x = draw(2, 4)
    np.savez(HERE / "weights_only.npz", x0=x, y0=model.predict(x, verbose=0))


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    keras.utils.set_random_seed(7)
    for make in (optimizers, graph, pictures, sequences, deferred, nested, weights_only, volumes):
        keras.backend.clear_session()
        make()
    print(f"tensorflow {tf.__version__}, tf_keras {keras.__version__}")
