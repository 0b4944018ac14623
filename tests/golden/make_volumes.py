"""Writes volumes.npz and volumes.json: what tf_keras computes for the layers of three spatial axes.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_volumes.py

Outputs and gradients by the rules of make_layers.py, three training steps by those of make_training.py.
"""

import json

import numpy as np
from make_layers import HERE, layer_case
from make_training import CONSTRAINTS, OPTIMIZERS, REGULARIZERS, run

CONV = {"filters": 3, "kernel_size": (2, 3, 2)}
VOLUME, FIRST = [(2, 4, 5, 6, 2)], [(2, 2, 4, 5, 6)]
FIRST_FORMAT = {"data_format": "channels_first"}

LAYERS = [
    ("4.9", "Conv3D", {**CONV, "activation": "relu"}, VOLUME, {}),
    ("4.9", "Conv3D", {"filters": 4, "kernel_size": 3, "use_bias": False}, VOLUME, {}),
    ("4.9", "Conv3D", {"filters": 4, "kernel_size": 1, "activation": "sigmoid"}, VOLUME, {}),
    ("4.9", "Conv3D", {**CONV, "strides": (1, 2, 3)}, VOLUME, {}),
    ("4.9", "Conv3D", {**CONV, "dilation_rate": (2, 2, 1)}, VOLUME, {}),
    ("4.9", "Conv3D", {**CONV, "dilation_rate": 2, "padding": "same", "activation": "tanh"}, VOLUME, {}),
    ("4.10", "Conv3D", {**CONV, "padding": "same"}, VOLUME, {}),
    ("4.10", "Conv3D", {**CONV, "padding": "same", "strides": 2}, VOLUME, {}),
    ("4.10", "Conv3D", {"filters": 2, "kernel_size": (4, 1, 5), "padding": "same"}, VOLUME, {}),
    ("4.12", "Conv3D", {**CONV, **FIRST_FORMAT, "activation": "elu"}, FIRST, {}),
    ("4.12", "Conv3D", {**CONV, **FIRST_FORMAT, "padding": "same", "strides": (2, 1, 2)}, FIRST, {}),
    ("4.11", "Conv3DTranspose", CONV, [(2, 2, 3, 4, 2)], {}),
    ("4.11", "Conv3DTranspose", {**CONV, "padding": "same", "use_bias": False}, [(2, 2, 3, 4, 2)], {}),
    ("4.11", "Conv3DTranspose", {**CONV, "strides": 2, "activation": "tanh"}, [(2, 2, 3, 2, 2)], {}),
    ("4.11", "Conv3DTranspose", {**CONV, "strides": (1, 2, 3), "padding": "same"}, [(2, 2, 3, 2, 2)], {}),
    ("4.11", "Conv3DTranspose", {**CONV, "strides": 3, "output_padding": (2, 1, 0)}, [(1, 2, 2, 2, 2)], {}),
    (
        "4.11",
        "Conv3DTranspose",
        {**CONV, "strides": 2, "padding": "same", "output_padding": (1, 0, 1)},
        [(1, 2, 3, 2, 2)],
        {},
    ),
    ("4.12", "Conv3DTranspose", {**CONV, **FIRST_FORMAT, "strides": 2}, [(1, 2, 2, 3, 2)], {}),
    *[
        (item, name + "Pooling3D", dict(config), shapes, {})
        for name in ("Max", "Average")
        for item, config, shapes in (
            ("4.15", {}, VOLUME),
            ("4.15", {"padding": "same"}, [(2, 3, 5, 4, 2)]),
            ("4.15", {"pool_size": 3, "strides": 2, "padding": "same"}, VOLUME),
            ("4.15", {"pool_size": (2, 3, 1), "strides": 1}, VOLUME),
            ("4.15", {"pool_size": (3, 2, 2), "strides": (1, 2, 3), "padding": "same"}, VOLUME),
            ("4.15", {"pool_size": (1, 2, 2), "strides": (2, 3, 3)}, VOLUME),
            ("4.12", {**FIRST_FORMAT, "pool_size": (2, 2, 3), "padding": "same"}, FIRST),
        )
    ],
    ("4.14", "UpSampling3D", {"size": (2, 1, 3)}, VOLUME, {}),
    ("4.13", "ZeroPadding3D", {"padding": (1, 2, 0), **FIRST_FORMAT}, FIRST, {}),
    ("4.13", "Cropping3D", {"cropping": ((0, 1), (2, 0), (1, 1))}, VOLUME, {}),
    ("4.16", "GlobalMaxPooling3D", {}, VOLUME, {}),
    ("4.16", "GlobalAveragePooling3D", {}, VOLUME, {}),
]

HEAD = ["Dense", {"units": 2}]
FLAT = ["Flatten", {}]


def rules(i):
    """Penalties and projections for kernel and bias."""
    return {
        "kernel_regularizer": REGULARIZERS[i % 3],
        "bias_regularizer": REGULARIZERS[(i + 1) % 3],
        "activity_regularizer": REGULARIZERS[(i + 2) % 3],
        "kernel_constraint": CONSTRAINTS[i % 4],
        "bias_constraint": CONSTRAINTS[(i + 1) % 4],
    }


MODELS = [
    ([["Conv3D", {**CONV, "activation": "tanh"}], FLAT, HEAD], (3, 4, 4, 2)),
    ([["Conv3D", {**CONV, **rules(0)}], FLAT, HEAD], (3, 4, 4, 2)),
    ([["Conv3D", {**CONV, **rules(2), "strides": 2, "padding": "same"}], FLAT, HEAD], (3, 4, 5, 2)),
    ([["Conv3DTranspose", {**CONV, "strides": 2}], FLAT, HEAD], (2, 2, 3, 2)),
    ([["Conv3DTranspose", {**CONV, **rules(1), "padding": "same"}], FLAT, HEAD], (2, 2, 3, 2)),
    (
        [
            ["Conv3D", {**CONV, "activation": "relu", "padding": "same"}],
            ["MaxPooling3D", {}],
            ["Conv3D", {"filters": 4, "kernel_size": 2, "use_bias": False}],
            ["BatchNormalization", {}],
            ["Activation", {"activation": "elu"}],
            ["GlobalAveragePooling3D", {}],
            HEAD,
        ],
        (4, 6, 6, 1),
    ),
    (
        [
            ["ZeroPadding3D", {}],
            ["Conv3D", {**CONV, "activation": "relu"}],
            ["AveragePooling3D", {"padding": "same"}],
            ["UpSampling3D", {"size": [1, 2, 1]}],
            ["Cropping3D", {"cropping": [0, 1, 0]}],
            FLAT,
            HEAD,
        ],
        (3, 4, 4, 2),
    ),
    (
        [
            ["TimeDistributed", {"layer": {"class": "Conv3D", "config": {**CONV, "activation": "tanh"}}}],
            ["TimeDistributed", {"layer": {"class": "MaxPooling3D", "config": {}}}],
            FLAT,
            HEAD,
        ],
        (3, 3, 4, 3, 1),
    ),
    # predicts the next pictures of a film
    (
        [
            ["ConvLSTM2D", {"filters": 3, "kernel_size": 3, "padding": "same", "return_sequences": True}],
            ["BatchNormalization", {}],
            ["Conv3D", {"filters": 1, "kernel_size": 3, "activation": "sigmoid", "padding": "same"}],
        ],
        (3, 5, 4, 1),
    ),
]


def main():
    arrays, cases = {}, {"layers": [], "models": []}

    def keep(group, i, record, result):
        cases[group].append({**record, "arrays": sorted(result)})
        arrays.update({f"{group}/{i}/{key}": np.asarray(value, "float32") for key, value in result.items()})

    for i, (item, name, config, shapes, extra) in enumerate(LAYERS):
        record = {"item": item, "class": name, "config": config, "shapes": shapes, **extra}
        keep("layers", i, record, layer_case(i, name, config, shapes, extra))
    for i, (layers, shape) in enumerate(MODELS):
        record = {"class": layers[0][0], "layers": layers, "shape": shape}
        record["optimizer"] = OPTIMIZERS[(3 * i) % len(OPTIMIZERS)]
        keep("models", i, record, run(i, record))
    np.savez_compressed(HERE / "volumes.npz", **arrays)
    lines = ",\n".join(
        f'"{group}": [\n' + ",\n".join(json.dumps(record) for record in records) + "\n]"
        for group, records in cases.items()
    )
    (HERE / "volumes.json").write_text("{\n" + lines + "\n}\n")
    print(sum(len(records) for records in cases.values()), "cases,", len(arrays), "arrays")


if __name__ == "__main__":
    main()
