"""Writes layers.npz and layers.json: what tf_keras computes for layers, optimizers, losses and metrics.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_layers.py

Inputs, weights and output gradients are not stored: both sides draw them from NumPy's RandomState, whose
numbers never
change (`draw` below; tests/layer_golden.py has the same rules). tf_keras cannot run channels_first
convolutions on a
CPU, so those cases run channels_last on transposed inputs.
"""

import json
import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import backend as K

HERE = Path(__file__).parent

# (BEHAVIOURS item, class, config, input shapes, extra) — extra: training, ints (index bound), positive
LAYERS = [
    ("4.1", "Dense", {"units": 4, "activation": "relu"}, [(3, 5)], {}),
    ("4.1", "Dense", {"units": 4, "use_bias": False, "activation": "tanh"}, [(2, 3, 5)], {}),
    ("4.1", "Dense", {"units": 3, "activation": "softmax"}, [(2, 2, 2, 5)], {}),
    ("4.1", "Dense", {"units": 4, "activity_regularizer": None, "activation": "elu"}, [(1, 5)], {}),
    *[
        ("4.2", "Activation", {"activation": name}, [(4, 6)], {})
        for name in (
            "linear",
            "relu",
            "elu",
            "selu",
            "softplus",
            "softsign",
            "tanh",
            "sigmoid",
            "hard_sigmoid",
            "softmax",
            "exponential",
        )
    ],
    ("4.3", "Dropout", {"rate": 0.5}, [(3, 4)], {}),
    ("4.4", "GaussianNoise", {"stddev": 0.5}, [(3, 4)], {}),
    ("4.4", "GaussianDropout", {"rate": 0.5}, [(3, 4)], {}),
    ("4.4", "AlphaDropout", {"rate": 0.5}, [(3, 4)], {}),
    ("4.5", "Flatten", {}, [(2, 3, 4)], {}),
    ("4.5", "Flatten", {}, [(2, 3, 2, 4)], {}),
    ("4.5", "Flatten", {"data_format": "channels_first"}, [(2, 4, 3, 2)], {}),
    ("4.6", "Reshape", {"target_shape": (4, 3)}, [(2, 12)], {}),
    ("4.6", "Reshape", {"target_shape": (3, -1)}, [(2, 2, 6)], {}),
    ("4.6", "Permute", {"dims": (2, 1)}, [(2, 3, 4)], {}),
    ("4.6", "Permute", {"dims": (3, 1, 2)}, [(2, 3, 4, 5)], {}),
    ("4.6", "RepeatVector", {"n": 3}, [(2, 4)], {}),
    ("4.9", "Conv1D", {"filters": 4, "kernel_size": 3, "activation": "relu"}, [(2, 9, 3)], {}),
    ("4.9", "Conv1D", {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2}, [(2, 9, 3)], {}),
    (
        "4.9",
        "Conv1D",
        {"filters": 4, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
        [(2, 9, 3)],
        {},
    ),
    ("4.9", "Conv1D", {"filters": 4, "kernel_size": 2, "padding": "causal", "strides": 2}, [(2, 8, 3)], {}),
    (
        "4.9",
        "Conv1D",
        {"filters": 2, "kernel_size": 4, "dilation_rate": 2, "use_bias": False},
        [(2, 11, 3)],
        {},
    ),
    ("4.9", "Conv2D", {"filters": 4, "kernel_size": 3, "activation": "relu"}, [(2, 6, 7, 3)], {}),
    (
        "4.10",
        "Conv2D",
        {"filters": 4, "kernel_size": (3, 3), "padding": "same", "strides": 2},
        [(2, 7, 6, 3)],
        {},
    ),
    ("4.10", "Conv2D", {"filters": 2, "kernel_size": (2, 4), "padding": "same"}, [(2, 5, 6, 3)], {}),
    (
        "4.10",
        "Conv2D",
        {"filters": 2, "kernel_size": (5, 2), "padding": "same", "strides": (2, 3)},
        [(1, 8, 8, 2)],
        {},
    ),
    ("4.9", "Conv2D", {"filters": 3, "kernel_size": 3, "dilation_rate": 2}, [(2, 8, 7, 2)], {}),
    (
        "4.9",
        "Conv2D",
        {"filters": 3, "kernel_size": 3, "dilation_rate": (2, 3), "padding": "same"},
        [(1, 8, 7, 2)],
        {},
    ),
    (
        "4.9",
        "Conv2D",
        {"filters": 5, "kernel_size": 1, "use_bias": False, "activation": "sigmoid"},
        [(2, 4, 4, 3)],
        {},
    ),
    (
        "4.12",
        "Conv2D",
        {"filters": 4, "kernel_size": 3, "padding": "same", "data_format": "channels_first"},
        [(2, 3, 5, 6)],
        {},
    ),
    ("4.11", "Conv2DTranspose", {"filters": 2, "kernel_size": 3}, [(2, 4, 5, 3)], {}),
    (
        "4.11",
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same"},
        [(2, 4, 5, 3)],
        {},
    ),
    ("4.11", "Conv2DTranspose", {"filters": 2, "kernel_size": (2, 4), "strides": (3, 2)}, [(2, 3, 4, 2)], {}),
    (
        "4.11",
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "output_padding": 0},
        [(1, 4, 4, 2)],
        {},
    ),
    (
        "4.11",
        "Conv2DTranspose",
        {"filters": 2, "kernel_size": 3, "strides": 2, "data_format": "channels_first"},
        [(1, 3, 4, 4)],
        {},
    ),
    (
        "3.2.13",
        "DepthwiseConv2D",
        {"kernel_size": 3, "depth_multiplier": 2, "activation": "relu"},
        [(2, 6, 5, 3)],
        {},
    ),
    ("3.2.13", "DepthwiseConv2D", {"kernel_size": 3, "strides": 2, "padding": "same"}, [(2, 7, 6, 3)], {}),
    (
        "3.2.13",
        "DepthwiseConv2D",
        {"kernel_size": (3, 2), "data_format": "channels_first"},
        [(1, 2, 6, 5)],
        {},
    ),
    (
        "3.2.13",
        "SeparableConv2D",
        {"filters": 4, "kernel_size": 3, "depth_multiplier": 2},
        [(2, 6, 6, 3)],
        {},
    ),
    (
        "3.2.13",
        "SeparableConv2D",
        {"filters": 4, "kernel_size": 3, "padding": "same", "strides": 2},
        [(2, 7, 6, 3)],
        {},
    ),
    ("3.2.13", "SeparableConv2D", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, [(1, 7, 7, 2)], {}),
    ("3.2.13", "SeparableConv1D", {"filters": 4, "kernel_size": 3, "padding": "same"}, [(2, 7, 3)], {}),
    (
        "3.2.13",
        "SeparableConv1D",
        {"filters": 4, "kernel_size": 3, "strides": 2, "depth_multiplier": 2},
        [(2, 8, 3)],
        {},
    ),
    ("4.14", "UpSampling1D", {"size": 3}, [(2, 4, 3)], {}),
    ("4.14", "UpSampling2D", {"size": (2, 3)}, [(2, 3, 4, 2)], {}),
    ("4.14", "UpSampling2D", {"size": 2, "data_format": "channels_first"}, [(2, 2, 3, 4)], {}),
    ("4.13", "ZeroPadding1D", {"padding": (1, 2)}, [(2, 4, 3)], {}),
    ("4.13", "ZeroPadding2D", {"padding": 2}, [(1, 3, 4, 2)], {}),
    (
        "4.13",
        "ZeroPadding2D",
        {"padding": ((1, 0), (2, 3)), "data_format": "channels_first"},
        [(1, 2, 3, 4)],
        {},
    ),
    ("4.13", "Cropping1D", {"cropping": (1, 2)}, [(2, 6, 3)], {}),
    ("4.13", "Cropping2D", {"cropping": (1, 2)}, [(1, 5, 6, 2)], {}),
    (
        "4.13",
        "Cropping2D",
        {"cropping": ((1, 0), (0, 2)), "data_format": "channels_first"},
        [(1, 2, 4, 5)],
        {},
    ),
    *[
        ("4.15", name + "Pooling1D", dict(config), [(2, 9, 3)], {})
        for name in ("Max", "Average")
        for config in ({}, {"pool_size": 3, "strides": 2, "padding": "same"}, {"pool_size": 4, "strides": 1})
    ],
    *[
        ("4.15", name + "Pooling2D", dict(config), [(2, 7, 6, 3)], {})
        for name in ("Max", "Average")
        for config in (
            {},
            {"pool_size": 3, "strides": 2, "padding": "same"},
            {"pool_size": (2, 3), "strides": 1},
        )
    ],
    ("4.12", "MaxPooling2D", {"data_format": "channels_first"}, [(2, 3, 6, 4)], {}),
    ("4.16", "GlobalMaxPooling1D", {}, [(2, 5, 3)], {}),
    ("4.16", "GlobalAveragePooling1D", {}, [(2, 5, 3)], {}),
    ("4.16", "GlobalMaxPooling2D", {}, [(2, 5, 4, 3)], {}),
    ("4.16", "GlobalAveragePooling2D", {}, [(2, 5, 4, 3)], {}),
    ("4.16", "GlobalAveragePooling2D", {"data_format": "channels_first"}, [(2, 3, 5, 4)], {}),
    ("4.17", "BatchNormalization", {}, [(6, 4)], {}),
    ("4.18", "BatchNormalization", {}, [(6, 4)], {"training": True}),
    ("4.17", "BatchNormalization", {"axis": 1, "epsilon": 1e-2}, [(2, 3, 4, 5)], {}),
    ("4.18", "BatchNormalization", {"axis": 1}, [(2, 3, 4, 5)], {"training": True}),
    ("4.18", "BatchNormalization", {"scale": False}, [(3, 4, 4, 2)], {"training": True}),
    ("4.18", "BatchNormalization", {"center": False}, [(3, 5, 4)], {"training": True}),
    ("4.17", "BatchNormalization", {"center": False, "scale": False}, [(3, 5, 4)], {}),
    ("4.19", "Embedding", {"input_dim": 7, "output_dim": 3}, [(2, 5)], {"ints": 7}),
    ("4.20", "LeakyReLU", {}, [(3, 5)], {}),
    ("4.20", "LeakyReLU", {"alpha": 0.05}, [(3, 5)], {}),
    ("4.20", "ELU", {"alpha": 0.7}, [(3, 5)], {}),
    ("4.20", "ThresholdedReLU", {"theta": 0.3}, [(3, 5)], {}),
    ("4.20", "PReLU", {}, [(3, 4, 5)], {}),
    ("4.20", "PReLU", {"shared_axes": [1, 2]}, [(2, 3, 4, 2)], {}),
    ("4.20", "Softmax", {"axis": 1}, [(2, 3, 4)], {}),
    ("4.20", "ReLU", {"max_value": 0.6}, [(3, 5)], {}),
    ("4.20", "ReLU", {"max_value": 0.6, "negative_slope": 0.2, "threshold": 0.1}, [(3, 5)], {}),
    ("4.20", "ReLU", {"negative_slope": 0.3}, [(3, 5)], {}),
    *[
        ("4.21", name, {}, [(2, 3, 4), (2, 3, 4), (2, 3, 4)], {})
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    ],
    ("4.21", "Subtract", {}, [(2, 3, 4), (2, 3, 4)], {}),
    ("4.21", "Add", {}, [(2, 3, 4), (2, 1, 4)], {}),
    ("4.21", "Multiply", {}, [(2, 1, 1, 3), (2, 4, 2, 3)], {}),
    ("4.21", "Concatenate", {}, [(2, 3, 4), (2, 3, 1)], {}),
    ("4.21", "Concatenate", {"axis": 1}, [(2, 3, 4), (2, 2, 4), (2, 1, 4)], {}),
    ("4.21", "Dot", {"axes": 1}, [(3, 4), (3, 4)], {}),
    ("4.21", "Dot", {"axes": 1, "normalize": True}, [(3, 4), (3, 4)], {}),
    ("4.21", "Dot", {"axes": 2}, [(2, 3, 4), (2, 5, 4)], {}),
    ("4.21", "Dot", {"axes": (2, 1)}, [(2, 3, 4), (2, 4, 5)], {}),
    ("4.21", "Dot", {"axes": (1, 2), "normalize": True}, [(2, 3, 4), (2, 5, 3)], {}),
    ("4.14", "UpSampling2D", {"size": 2, "interpolation": "bilinear"}, [(2, 3, 4, 2)], {}),
    ("4.14", "UpSampling2D", {"size": (3, 2), "interpolation": "bilinear"}, [(1, 4, 3, 2)], {}),
    ("4.14", "UpSampling3D", {"size": (1, 2, 3)}, [(1, 2, 3, 2, 2)], {}),
    ("4.13", "ZeroPadding3D", {"padding": ((1, 0), (2, 1), (0, 3))}, [(1, 2, 3, 2, 2)], {}),
    ("4.13", "Cropping3D", {"cropping": ((1, 0), (1, 1), (0, 1))}, [(1, 3, 4, 3, 2)], {}),
    ("4.13", "Cropping3D", {"data_format": "channels_first"}, [(1, 2, 4, 3, 5)], {}),
    ("4.16", "GlobalMaxPooling3D", {}, [(2, 3, 2, 2, 3)], {}),
    ("4.16", "GlobalAveragePooling3D", {"data_format": "channels_first"}, [(2, 3, 2, 2, 3)], {}),
    ("4.22", "LocallyConnected1D", {"filters": 4, "kernel_size": 3, "strides": 2}, [(2, 9, 3)], {}),
    (
        "4.22",
        "LocallyConnected2D",
        {"filters": 3, "kernel_size": (3, 2), "activation": "relu"},
        [(2, 5, 4, 2)],
        {},
    ),
    (
        "4.22",
        "LocallyConnected2D",
        {"filters": 3, "kernel_size": 2, "strides": (2, 1), "use_bias": False},
        [(1, 5, 4, 2)],
        {},
    ),
]

# (item, class, config here, config of tf_keras's legacy optimizer)
OPTIMIZERS = [
    ("11.3", "SGD", {"lr": 0.1}, {}),
    ("11.3", "SGD", {"lr": 0.1, "momentum": 0.9}, {}),
    ("11.3", "SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, {}),
    ("11.2", "SGD", {"lr": 0.1, "momentum": 0.5, "decay": 0.1}, {}),
    ("11.1", "SGD", {"lr": 0.1, "clipnorm": 0.3}, {"clipnorm": None, "global_clipnorm": 0.3}),
    ("11.1", "SGD", {"lr": 0.1, "clipnorm": 100.0}, {"clipnorm": None, "global_clipnorm": 100.0}),
    ("11.1", "SGD", {"lr": 0.1, "clipvalue": 0.05}, {}),
    ("11.4", "RMSprop", {"lr": 0.01}, {}),
    ("11.4", "RMSprop", {"lr": 0.01, "rho": 0.7, "epsilon": 1e-3, "decay": 0.1}, {}),
    ("11.4", "Adagrad", {"lr": 0.1}, {"initial_accumulator_value": 0.0}),
    ("11.4", "Adagrad", {"lr": 0.1, "decay": 0.1, "epsilon": 1e-3}, {"initial_accumulator_value": 0.0}),
    ("11.4", "Adadelta", {"lr": 1.0}, {}),
    ("11.4", "Adadelta", {"lr": 0.5, "rho": 0.8, "epsilon": 1e-3}, {}),
    ("11.5", "Adam", {"lr": 0.05}, {}),
    ("11.5", "Adam", {"lr": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "decay": 0.1}, {}),
    ("11.5", "Adam", {"lr": 0.05, "beta_2": 0.6, "amsgrad": True}, {}),
    ("11.5", "Adamax", {"lr": 0.05}, {}),
    ("11.5", "Adamax", {"lr": 0.05, "beta_1": 0.7, "beta_2": 0.8, "decay": 0.1}, {}),
    ("11.6", "Nadam", {"lr": 0.05}, {}),
    ("11.6", "Nadam", {"lr": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}, {}),
]

# (item, name, kind of targets)
LOSSES = [
    ("10.1", "mean_squared_error", "real"),
    ("10.1", "mean_absolute_error", "real"),
    ("10.3", "mean_absolute_percentage_error", "real"),
    ("10.3", "mean_squared_logarithmic_error", "share"),
    ("10.3", "squared_hinge", "sign"),
    ("10.3", "hinge", "sign"),
    ("10.3", "categorical_hinge", "onehot"),
    ("10.3", "logcosh", "real"),
    ("10.2", "categorical_crossentropy", "onehot"),
    ("10.2", "sparse_categorical_crossentropy", "class"),
    ("10.2", "binary_crossentropy", "bits"),
    ("10.3", "kullback_leibler_divergence", "share"),
    ("10.3", "poisson", "share"),
    ("10.3", "cosine_proximity", "real"),
]

METRICS = [
    ("10.5", "binary_accuracy", "bits", {}),
    ("10.5", "categorical_accuracy", "onehot", {}),
    ("10.5", "sparse_categorical_accuracy", "class", {}),
    ("10.5", "top_k_categorical_accuracy", "onehot", {"k": 2}),
    ("10.5", "sparse_top_k_categorical_accuracy", "class", {"k": 2}),
]


def draw(seed, shape):
    """Uniform in (−1, 1), float32."""
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def to_last(x):
    return np.moveaxis(x, 1, -1)


def to_first(x):
    return np.moveaxis(x, -1, 1)


def layer_case(index, name, config, shapes, extra):
    """Returns {suffix: array} of one layer case."""
    config = dict(config)
    first = config.get("data_format") == "channels_first" and name != "Flatten"
    if first:
        config["data_format"] = "channels_last"
    layer = getattr(keras.layers, name)(**config)
    inputs = [draw(1000 * index + i, shape) for i, shape in enumerate(shapes)]
    if "ints" in extra:
        inputs = [np.floor((x + 1) / 2 * extra["ints"]).astype("int32") for x in inputs]
    if first:
        inputs = [to_last(x) for x in inputs]
    tensors = [tf.constant(x) for x in inputs]
    argument = tensors if len(tensors) > 1 else tensors[0]
    layer(argument)
    weights = []
    for i, variable in enumerate(layer.weights):
        value = draw(1000 * index + 100 + i, variable.shape)
        weights.append(np.abs(value) + 0.5 if "variance" in variable.name else value)
    layer.set_weights(weights)
    training = extra.get("training", False)
    with tf.GradientTape() as tape:
        floats = [t for t in tensors if t.dtype.is_floating]
        tape.watch(floats)
        output = layer(argument, training=training) if training else layer(argument)
        shape = output.shape if not first or len(output.shape) < 3 else to_first(output.numpy()).shape
        weight = draw(1000 * index + 200, shape)
        if first and len(output.shape) > 2:
            weight = to_last(weight)
        total = tf.reduce_sum(output * weight)
    grads = tape.gradient(total, floats + layer.trainable_weights)
    grads = [tf.convert_to_tensor(g).numpy() for g in grads]
    result = output.numpy()
    if first:
        result = to_first(result) if result.ndim > 2 else result
        grads = [to_first(g) if i < len(floats) else g for i, g in enumerate(grads)]
    arrays = {"y": result}
    arrays.update({f"dx{i}": g for i, g in enumerate(grads[: len(floats)])})
    arrays.update({f"dw{i}": g for i, g in enumerate(grads[len(floats) :])})
    return arrays


def optimizer_case(index, name, config, override):
    """Returns {suffix: array}: two weights after five steps on one batch."""
    config = {**config, **override}
    config["learning_rate"] = config.pop("lr")
    config = {key: value for key, value in config.items() if value is not None}
    optimizer = getattr(keras.optimizers.legacy, name)(**config)
    kernel, bias = tf.Variable(draw(1, (4, 3))), tf.Variable(draw(2, (3,)))
    x, y = draw(3, (8, 4)), draw(4, (8, 3))
    for _ in range(5):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.matmul(x, kernel) + bias - y))
        pairs = zip(tape.gradient(loss, [kernel, bias]), [kernel, bias])
        optimizer.apply_gradients(pairs)
    return {"kernel": kernel.numpy(), "bias": bias.numpy()}


def targets(kind, seed):
    """Returns (y_true, y_pred) of shape (6, 4), or (6, 1) for classes."""
    raw, pred = draw(seed, (6, 4)), draw(seed + 1, (6, 4))
    share = np.abs(pred) / np.abs(pred).sum(axis=-1, keepdims=True)
    if kind == "real":
        return raw, pred
    if kind == "share":
        return np.abs(raw), np.abs(pred)
    if kind == "sign":
        return np.sign(raw), pred
    if kind == "bits":
        return (raw > 0).astype("float32"), np.abs(pred)
    classes = raw.argmax(axis=-1)
    if kind == "class":
        return classes[:, None].astype("float32"), share
    return np.eye(4, dtype="float32")[classes], share


def loss_case(index, name, kind):
    y_true, y_pred = targets(kind, 50 + 2 * index)
    pred = tf.constant(y_pred)
    if name == "cosine_proximity":
        function = keras.losses.cosine_similarity
    else:
        function = getattr(keras.losses, name)
    with tf.GradientTape() as tape:
        tape.watch(pred)
        value = function(tf.constant(y_true), pred)
    return {"y": value.numpy(), "dx": tape.gradient(value, pred).numpy()}


def metric_case(index, name, kind, config):
    y_true, y_pred = targets(kind, 150 + 2 * index)
    value = getattr(keras.metrics, name)(y_true, y_pred, **config)
    return {"y": np.asarray(K.get_value(value), "float32")}


def main():
    arrays, cases = {}, {"layers": [], "optimizers": [], "losses": [], "metrics": []}

    def keep(group, index, record, result):
        record["arrays"] = sorted(result)
        cases[group].append(record)
        arrays.update(
            {f"{group}/{index}/{key}": np.asarray(value, "float32") for key, value in result.items()}
        )

    for i, (item, name, config, shapes, extra) in enumerate(LAYERS):
        record = {"item": item, "class": name, "config": config, "shapes": shapes, **extra}
        keep("layers", i, record, layer_case(i, name, config, shapes, extra))
    for i, (item, name, config, override) in enumerate(OPTIMIZERS):
        keep(
            "optimizers",
            i,
            {"item": item, "class": name, "config": config},
            optimizer_case(i, name, config, override),
        )
    for i, (item, name, kind) in enumerate(LOSSES):
        keep("losses", i, {"item": item, "name": name, "kind": kind}, loss_case(i, name, kind))
    for i, (item, name, kind, config) in enumerate(METRICS):
        record = {"item": item, "name": name, "kind": kind, "config": config}
        keep("metrics", i, record, metric_case(i, name, kind, config))
    np.savez_compressed(HERE / "layers.npz", **arrays)
    lines = ",\n".join(
        f'"{group}": [\n' + ",\n".join(json.dumps(record) for record in records) + "\n]"
        for group, records in cases.items()
    )
    (HERE / "layers.json").write_text("{\n" + lines + "\n}\n")
    print(sum(len(records) for records in cases.values()), "cases,", len(arrays), "arrays")


if __name__ == "__main__":
    main()
