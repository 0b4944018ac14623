"""Writes training.npz and training.json: three training steps of small models in tf_keras.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_training.py

Each case trains one model on one batch: losses of the steps (before each update), all weights afterwards, and
the prediction. Every layer with weights takes part, with regularizers and constraints on each of them; the
optimizers take turns. Data and first weights are drawn by both sides (`draw` of make_layers.py).

Where Keras 2.1.6 counts otherwise than tf_keras, this side follows Keras (DECISIONS.md): activity
regularizers sum over the batch, `clipnorm` means the norm of all gradients, Adagrad begins at zero, rows
of an embedding that were not read keep their momentum, and weighted losses divide by the share of non-
zero weights. Moving variances are left out: tf_keras corrects them otherwise
(tests/layers/test_behaviour.py has Keras's formula).
"""

import json

import numpy as np
import tensorflow as tf
from make_layers import HERE, draw, keras
from make_recurrent import DEFAULTS

OPTIMIZERS = [
    ["SGD", {"lr": 0.1}],
    ["SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}],
    ["SGD", {"lr": 0.2, "momentum": 0.5, "decay": 0.3, "clipvalue": 0.1}],
    ["RMSprop", {"lr": 0.01, "decay": 0.1}],
    ["Adagrad", {"lr": 0.05}],
    ["Adadelta", {"lr": 1.0}],
    ["Adam", {"lr": 0.02, "clipnorm": 0.5}],
    ["Adam", {"lr": 0.02, "amsgrad": True, "decay": 0.2}],
    ["Adamax", {"lr": 0.02}],
    ["Nadam", {"lr": 0.02}],
]

# Written as names and numbers, which both sides turn into objects.
REGULARIZERS = [{"l1": 0.02}, {"l2": 0.05}, {"l1": 0.01, "l2": 0.03}]
CONSTRAINTS = [
    ["NonNeg", {}],
    ["MaxNorm", {"max_value": 0.8, "axis": 0}],
    ["UnitNorm", {"axis": 0}],
    ["MinMaxNorm", {"min_value": 0.5, "max_value": 0.9, "rate": 0.7, "axis": 0}],
]
CONV = {"filters": 3, "kernel_size": 2}
RNN = {"units": 3}

# (class, config, input shape, names of its weights) — one case without, one with penalties and projections
LAYERS = [
    ("Dense", {"units": 4, "activation": "tanh"}, (5,), ["kernel", "bias"]),
    ("Dense", {"units": 4, "activation": "relu"}, (3, 5), ["kernel", "bias"]),
    ("Conv1D", {**CONV, "padding": "causal", "dilation_rate": 2}, (7, 2), ["kernel", "bias"]),
    ("Conv2D", {**CONV, "strides": 2, "padding": "same", "activation": "elu"}, (6, 5, 2), ["kernel", "bias"]),
    ("Conv2DTranspose", {**CONV, "strides": 2}, (3, 4, 2), ["kernel", "bias"]),
    ("DepthwiseConv2D", {"kernel_size": 2, "depth_multiplier": 2}, (5, 4, 2), ["depthwise", "bias"]),
    ("SeparableConv1D", {**CONV, "depth_multiplier": 2}, (6, 2), ["depthwise", "pointwise", "bias"]),
    ("SeparableConv2D", {**CONV, "padding": "same"}, (5, 4, 2), ["depthwise", "pointwise", "bias"]),
    ("LocallyConnected1D", {**CONV, "activation": "sigmoid"}, (6, 2), ["kernel", "bias"]),
    ("LocallyConnected2D", {**CONV, "strides": 2}, (5, 4, 2), ["kernel", "bias"]),
    ("BatchNormalization", {}, (5,), ["beta", "gamma"]),
    ("BatchNormalization", {"axis": 1}, (3, 4, 2), ["beta", "gamma"]),
    ("Embedding", {"input_dim": 6, "output_dim": 3}, (4,), ["embeddings"]),
    ("PReLU", {"shared_axes": [1]}, (4, 3), ["alpha"]),
    ("SimpleRNN", {**RNN}, (4, 3), ["kernel", "recurrent", "bias"]),
    ("GRU", {**RNN, "return_sequences": True}, (4, 3), ["kernel", "recurrent", "bias"]),
    ("GRU", {**RNN, "reset_after": True, "implementation": 2}, (4, 3), ["kernel", "recurrent", "bias"]),
    ("LSTM", {**RNN, "go_backwards": True}, (4, 3), ["kernel", "recurrent", "bias"]),
    ("LSTM", {**RNN, "unroll": True, "return_sequences": True}, (4, 3), ["kernel", "recurrent", "bias"]),
    ("ConvLSTM2D", {**CONV, "padding": "same"}, (3, 4, 4, 1), ["kernel", "recurrent", "bias"]),
]

# (loss, activation of the last layer, kind of targets)
LOSSES = [
    ("mean_squared_error", "linear", "real"),
    ("mean_absolute_error", "linear", "real"),
    ("mean_absolute_percentage_error", "linear", "real"),
    ("mean_squared_logarithmic_error", "softplus", "positive"),
    ("squared_hinge", "tanh", "sign"),
    ("hinge", "tanh", "sign"),
    ("categorical_hinge", "sigmoid", "onehot"),
    ("logcosh", "linear", "real"),
    ("categorical_crossentropy", "softmax", "onehot"),
    ("sparse_categorical_crossentropy", "softmax", "class"),
    ("binary_crossentropy", "sigmoid", "bits"),
    ("kullback_leibler_divergence", "softmax", "onehot"),
    ("poisson", "softplus", "positive"),
    ("cosine_proximity", "linear", "real"),
]


def cases():
    """Yields records: layers (class, config), shape, loss, targets, optimizer, weighted."""
    head = ["Dense", {"units": 2}]
    for i, (name, config, shape, weights) in enumerate(LAYERS):
        recurrent = "recurrent" in weights and "units" in config
        vector = not config.get("return_sequences") if recurrent else len(shape) == 1 and name != "Embedding"
        flat = [] if vector else [["Flatten", {}]]
        plain = {"layers": [[name, config], *flat, head], "shape": shape}
        yield {**plain, "optimizer": OPTIMIZERS[i % len(OPTIMIZERS)]}
        rules = {}
        for k, weight in enumerate(weights):
            rules[weight + "_regularizer"] = REGULARIZERS[(i + k) % 3]
            rules[weight + "_constraint"] = CONSTRAINTS[(i + k) % 4]
        if name not in ("BatchNormalization", "PReLU"):
            rules["activity_regularizer"] = REGULARIZERS[i % 3]
        yield {
            "layers": [[name, {**config, **rules}], *flat, head],
            "shape": shape,
            "optimizer": OPTIMIZERS[(i + 3) % len(OPTIMIZERS)],
        }
    for i, (loss, activation, targets) in enumerate(LOSSES):
        layers = [
            ["Dense", {"units": 5, "activation": "tanh"}],
            ["Dense", {"units": 3, "activation": activation}],
        ]
        record = {"layers": layers, "shape": (4,), "loss": loss, "targets": targets}
        yield {**record, "optimizer": OPTIMIZERS[i % len(OPTIMIZERS)]}
        yield {**record, "optimizer": OPTIMIZERS[(i + 5) % len(OPTIMIZERS)], "weighted": True}
    inner = {"class": "LSTM", "config": RNN}
    several = [
        [["TimeDistributed", {"layer": {"class": "Dense", "config": {"units": 3}}}], ["GRU", RNN]],
        [["Bidirectional", {"layer": inner, "merge_mode": "sum"}]],
        [
            ["Bidirectional", {"layer": {"class": "GRU", "config": {**RNN, "return_sequences": True}}}],
            ["LSTM", RNN],
        ],
        [["Masking", {"mask_value": 0.0}], ["LSTM", {**RNN, "return_sequences": True}], ["GRU", RNN]],
        [["ActivityRegularization", {"l1": 0.01, "l2": 0.02}], ["Flatten", {}]],
        [["LeakyReLU", {}], ["ThresholdedReLU", {"theta": 0.1}], ["Flatten", {}]],
        [
            ["ELU", {}],
            ["MaxPooling1D", {}],
            ["ZeroPadding1D", {}],
            ["Conv1D", CONV],
            ["GlobalMaxPooling1D", {}],
        ],
        [
            ["UpSampling1D", {}],
            ["Conv1D", CONV],
            ["AveragePooling1D", {}],
            ["Cropping1D", {}],
            ["Flatten", {}],
        ],
        [
            ["Permute", {"dims": [2, 1]}],
            ["Reshape", {"target_shape": [2, 6]}],
            ["GlobalAveragePooling1D", {}],
        ],
        [
            ["Conv1D", {**CONV, "use_bias": False}],
            ["BatchNormalization", {"momentum": 0.5}],
            ["Activation", {"activation": "selu"}],
            ["Flatten", {}],
        ],
        [
            ["SimpleRNN", RNN],
            ["RepeatVector", {"n": 2}],
            ["LSTM", {**RNN, "return_sequences": True}],
            ["Flatten", {}],
        ],
    ]
    for i, layers in enumerate(several):
        first = [["Dense", {"units": 3}]] if i in (4, 5, 6, 7) else []
        yield {
            "layers": [*first, *layers, head],
            "shape": (4, 3),
            "optimizer": OPTIMIZERS[(i + 1) % len(OPTIMIZERS)],
        }
    pictures = [
        [["Conv2D", CONV], ["MaxPooling2D", {}], ["SeparableConv2D", CONV], ["GlobalAveragePooling2D", {}]],
        [
            ["ZeroPadding2D", {}],
            ["Conv2D", CONV],
            ["AveragePooling2D", {}],
            ["Cropping2D", {"cropping": 1}],
            ["Flatten", {}],
        ],
        [["UpSampling2D", {}], ["Conv2D", {**CONV, "strides": 3}], ["PReLU", {}], ["GlobalMaxPooling2D", {}]],
        [
            ["Conv2D", {**CONV, "use_bias": False}],
            ["BatchNormalization", {}],
            ["Softmax", {}],
            ["Flatten", {}],
        ],
    ]
    for i, layers in enumerate(pictures):
        yield {
            "layers": [*layers, head],
            "shape": (6, 6, 2),
            "optimizer": OPTIMIZERS[(i + 6) % len(OPTIMIZERS)],
        }


def regularizer(config, samples=1):
    """L1L2, times the number of samples where tf_keras divides by it."""
    l1, l2 = config.get("l1", 0.0), config.get("l2", 0.0)
    plain = keras.regularizers.L1L2(l1=l1, l2=l2)
    return (lambda x: samples * plain(x)) if samples > 1 else plain


def build(name, config, samples):
    config = {**DEFAULTS.get(name, {}), **config}
    for key, value in config.items():
        if key.endswith("regularizer"):
            config[key] = regularizer(value, samples if key.startswith("activity") else 1)
        elif key.endswith("constraint"):
            config[key] = getattr(keras.constraints, value[0])(**value[1])
    if "layer" in config:
        config["layer"] = build(config["layer"]["class"], config["layer"]["config"], samples)
    if name == "ActivityRegularization":
        penalty = regularizer(config, samples)
        return keras.layers.Lambda(lambda x: x, activity_regularizer=penalty)
    layer = getattr(keras.layers, name)(**config)
    if name == "Bidirectional":
        layer.forward_layer.zero_output_for_mask = layer.backward_layer.zero_output_for_mask = False
    return layer


def data(index, record, outputs):
    """(inputs, targets, weights of the samples)."""
    x = draw(1000 * index, (4, *record["shape"]))
    if record["layers"][0][0] == "Embedding":
        x = np.floor((x + 1) * 3).astype("int32")
    if record["layers"][0][0] == "Masking":
        x[1, 2:] = x[2, :1] = 0
    raw = draw(1000 * index + 1, outputs)
    kind = record.get("targets", "real")
    classes = raw.argmax(axis=-1)
    y = {
        "real": raw,
        "positive": np.abs(raw),
        "sign": np.where(raw < 0, -1.0, 1.0).astype("float32"),
        "bits": (raw > 0).astype("float32"),
        "onehot": np.eye(outputs[-1], dtype="float32")[classes],
        "class": classes[..., None].astype("float32"),
    }[kind]
    weights = np.array([2.0, 0.0, 0.5, 1.0] if record.get("weighted") else [1.0] * 4, "float32")
    return x, y, weights


def optimizer_of(name, config):
    config = dict(config)
    config["learning_rate"] = config.pop("lr")
    if "clipnorm" in config:
        config["global_clipnorm"] = config.pop("clipnorm")
    if name == "Adagrad":
        config["initial_accumulator_value"] = 0.0
    return getattr(keras.optimizers.legacy, name)(**config)


def run(index, record):
    """Returns {suffix: array}: losses, weights w, prediction y."""
    first = np.float32 if record["layers"][0][0] != "Embedding" else np.int32
    x = keras.layers.Input(record["shape"], batch_size=4, dtype=first)
    y = x
    for name, config in record["layers"]:
        y = build(name, config, 4)(y)
    model = keras.Model(x, y)
    start = []
    for i, variable in enumerate(model.weights):
        value = draw(1000 * index + 100 + i, variable.shape) * 0.7
        start.append(np.abs(value) + 0.5 if "variance" in variable.name else value)
        variable.assign(start[-1])
    inputs, targets, weights = data(index, record, tuple(y.shape))
    name = record.get("loss", "mean_squared_error")
    function = getattr(keras.losses, "cosine_similarity" if name == "cosine_proximity" else name)
    optimizer = optimizer_of(*record["optimizer"])
    losses = []
    for _ in range(3):
        with tf.GradientTape() as tape:
            value = function(targets, model(inputs, training=True))
            value = (
                tf.reduce_mean(value, axis=list(range(1, len(value.shape))))
                if len(value.shape) > 1
                else value
            )
            loss = tf.reduce_mean(value * weights / np.mean(weights != 0)) + sum(model.losses)
        grads = [tf.convert_to_tensor(g) for g in tape.gradient(loss, model.trainable_weights)]
        optimizer.apply_gradients(zip(grads, model.trainable_weights))
        losses.append(float(loss))
    kept = [v for v in model.weights if "variance" not in v.name]
    arrays = {f"w{i}": v.numpy() for i, v in enumerate(kept)}
    arrays["losses"] = np.array(losses)
    if not any("variance" in v.name for v in model.weights):
        arrays["y"] = model(inputs, training=False).numpy()
    return arrays


def main():
    arrays, records = {}, []
    for i, record in enumerate(cases()):
        result = run(i, record)
        records.append({"class": record["layers"][0][0], **record, "arrays": sorted(result)})
        arrays.update({f"models/{i}/{key}": np.asarray(value, "float32") for key, value in result.items()})
    np.savez_compressed(HERE / "training.npz", **arrays)
    text = ",\n".join(json.dumps(record) for record in records)
    (HERE / "training.json").write_text('{"models": [\n' + text + "\n]}\n")
    print(len(records), "cases,", len(arrays), "arrays")


if __name__ == "__main__":
    main()
