"""Writes options.npz and options.json: what tf_keras computes for further options of layers.

    pip install tensorflow-cpu tf_keras
    python tests/golden/make_options.py

The rules are those of make_layers.py, which holds the commoner cases.
"""

import json

import numpy as np
from make_layers import HERE, layer_case

CONV2D = {"filters": 3, "kernel_size": (2, 3), "activation": "tanh"}
PICTURE, FIRST = [(2, 6, 5, 2)], [(2, 2, 6, 5)]

OPTIONS = [
    *[
        ("4.1", "Dense", {"units": 3, "activation": act}, [(3, 5)], {})
        for act in ("selu", "softplus", "softsign")
    ],
    *[
        ("4.1", "Dense", {"units": 3, "activation": act}, [(3, 5)], {})
        for act in ("exponential", "hard_sigmoid")
    ],
    ("4.7", "Masking", {"mask_value": 0.5}, [(2, 3, 4)], {}),
    ("4.5", "Flatten", {"data_format": "channels_first"}, [(2, 3, 4)], {}),
    ("4.6", "Reshape", {"target_shape": (2, 3, 4)}, [(2, 4, 6)], {}),
    ("4.6", "RepeatVector", {"n": 1}, [(3, 2)], {}),
    # one-dimensional convolutions
    (
        "4.9",
        "Conv1D",
        {"filters": 2, "kernel_size": 3, "dilation_rate": 3, "padding": "same"},
        [(2, 9, 3)],
        {},
    ),
    ("4.9", "Conv1D", {"filters": 2, "kernel_size": 1, "strides": 3, "use_bias": False}, [(2, 9, 3)], {}),
    (
        "4.9",
        "Conv1D",
        {"filters": 2, "kernel_size": 3, "padding": "causal", "activation": "elu"},
        [(2, 9, 3)],
        {},
    ),
    ("3.2.13", "SeparableConv1D", {"filters": 2, "kernel_size": 3, "dilation_rate": 2}, [(2, 9, 3)], {}),
    (
        "3.2.13",
        "SeparableConv1D",
        {"filters": 2, "kernel_size": 3, "padding": "causal", "activation": "tanh", "use_bias": False},
        [(2, 9, 3)],
        {},
    ),
    # two-dimensional convolutions
    ("4.12", "Conv2D", {**CONV2D, "strides": (2, 1), "data_format": "channels_first"}, FIRST, {}),
    ("4.12", "Conv2D", {**CONV2D, "dilation_rate": 2, "data_format": "channels_first"}, [(2, 2, 8, 8)], {}),
    ("4.9", "Conv2D", {**CONV2D, "strides": (3, 2), "padding": "same"}, PICTURE, {}),
    ("4.11", "Conv2DTranspose", {**CONV2D, "use_bias": False}, PICTURE, {}),
    ("4.11", "Conv2DTranspose", {**CONV2D, "padding": "same"}, PICTURE, {}),
    ("4.11", "Conv2DTranspose", {**CONV2D, "strides": 3, "output_padding": 2}, PICTURE, {}),
    (
        "4.11",
        "Conv2DTranspose",
        {**CONV2D, "strides": 2, "padding": "same", "output_padding": (1, 0)},
        PICTURE,
        {},
    ),
    (
        "4.11",
        "Conv2DTranspose",
        {**CONV2D, "strides": 2, "padding": "same", "data_format": "channels_first"},
        FIRST,
        {},
    ),
    ("3.2.13", "DepthwiseConv2D", {"kernel_size": 2, "dilation_rate": 2, "use_bias": False}, PICTURE, {}),
    (
        "3.2.13",
        "DepthwiseConv2D",
        {
            "kernel_size": 3,
            "strides": 2,
            "padding": "same",
            "depth_multiplier": 3,
            "data_format": "channels_first",
        },
        FIRST,
        {},
    ),
    ("3.2.13", "SeparableConv2D", {**CONV2D, "data_format": "channels_first", "padding": "same"}, FIRST, {}),
    ("3.2.13", "SeparableConv2D", {**CONV2D, "use_bias": False, "depth_multiplier": 3}, PICTURE, {}),
    ("4.22", "LocallyConnected1D", {"filters": 2, "kernel_size": 2, "activation": "relu"}, [(2, 6, 3)], {}),
    ("4.22", "LocallyConnected1D", {"filters": 2, "kernel_size": 4, "use_bias": False}, [(2, 6, 3)], {}),
    (
        "4.22",
        "LocallyConnected2D",
        {"filters": 2, "kernel_size": (1, 3), "strides": (2, 2)},
        [(2, 5, 6, 2)],
        {},
    ),
    # pooling
    *[
        ("4.12", name + "Pooling2D", dict(config), [(2, 3, 7, 6)], {})
        for name in ("Max", "Average")
        for config in (
            {"data_format": "channels_first", "pool_size": 3, "strides": 2, "padding": "same"},
            {"data_format": "channels_first", "pool_size": (1, 3), "strides": (3, 1)},
        )
    ],
    *[
        ("4.15", name + "Pooling2D", {"pool_size": 3, "strides": 4}, [(2, 8, 9, 2)], {})
        for name in ("Max", "Average")
    ],
    ("4.16", "GlobalMaxPooling2D", {"data_format": "channels_first"}, [(2, 3, 5, 4)], {}),
    ("4.16", "GlobalMaxPooling3D", {"data_format": "channels_first"}, [(2, 3, 2, 3, 2)], {}),
    ("4.16", "GlobalAveragePooling3D", {}, [(2, 3, 2, 2, 3)], {}),
    # sizes
    (
        "4.14",
        "UpSampling2D",
        {"size": (2, 3), "interpolation": "bilinear", "data_format": "channels_first"},
        FIRST,
        {},
    ),
    ("4.14", "UpSampling3D", {"size": 2, "data_format": "channels_first"}, [(1, 2, 2, 3, 2)], {}),
    ("4.13", "ZeroPadding3D", {"padding": (1, 0, 2), "data_format": "channels_first"}, [(1, 2, 2, 3, 2)], {}),
    ("4.13", "Cropping3D", {"cropping": (1, 0, 1)}, [(1, 3, 3, 4, 2)], {}),
    # normalization, embedding, activations with parameters
    ("4.18", "BatchNormalization", {"axis": 2, "epsilon": 0.1}, [(2, 3, 4, 5)], {"training": True}),
    ("4.18", "BatchNormalization", {"center": False, "scale": False}, [(6, 3)], {"training": True}),
    ("4.17", "BatchNormalization", {"scale": False, "axis": 1}, [(2, 3, 4)], {}),
    ("4.19", "Embedding", {"input_dim": 6, "output_dim": 4, "mask_zero": True}, [(3, 4)], {"ints": 6}),
    ("4.19", "Embedding", {"input_dim": 3, "output_dim": 2, "input_length": 2}, [(4, 2)], {"ints": 3}),
    ("4.20", "PReLU", {"shared_axes": [1]}, [(2, 3, 4)], {}),
    ("4.20", "LeakyReLU", {"alpha": 0.0}, [(3, 5)], {}),
    ("4.20", "Softmax", {}, [(2, 3, 4)], {}),
    ("4.20", "ReLU", {}, [(3, 5)], {}),
    ("4.20", "ReLU", {"threshold": 0.3}, [(3, 5)], {}),
    # joins
    ("4.21", "Maximum", {}, [(2, 3, 1), (2, 1, 4)], {}),
    ("4.21", "Minimum", {}, [(2, 3, 4), (2, 3, 4)], {}),
    ("4.21", "Average", {}, [(2, 3, 4), (2, 1, 1)], {}),
    ("4.21", "Subtract", {}, [(2, 3, 4), (2, 3, 1)], {}),
    ("4.21", "Concatenate", {"axis": 2}, [(2, 3, 4, 2), (2, 3, 1, 2)], {}),
    ("4.21", "Dot", {"axes": -1}, [(3, 4), (3, 4)], {}),
    ("4.21", "Dot", {"axes": (2, 1), "normalize": True}, [(2, 3, 4), (2, 4, 5)], {}),
    ("4.21", "Dot", {"axes": (1, 1)}, [(2, 3, 4), (2, 3)], {}),
]


def main():
    arrays, records = {}, []
    for i, (item, name, config, shapes, extra) in enumerate(OPTIONS):
        result = layer_case(i, name, config, shapes, extra)
        records.append(
            {
                "item": item,
                "class": name,
                "config": config,
                "shapes": shapes,
                **extra,
                "arrays": sorted(result),
            }
        )
        arrays.update({f"layers/{i}/{key}": np.asarray(value, "float32") for key, value in result.items()})
    np.savez_compressed(HERE / "options.npz", **arrays)
    text = ",\n".join(json.dumps(record) for record in records)
    (HERE / "options.json").write_text('{"layers": [\n' + text + "\n]}\n")
    print(len(records), "cases,", len(arrays), "arrays")


if __name__ == "__main__":
    main()
