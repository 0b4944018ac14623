"""Xception: separable convolutions with short cuts.

Source: F. Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions",
https://arxiv.org/abs/1610.02357; the public behaviour of keras/applications/xception.py (2.1.6), in both
layouts.
"""

from __future__ import annotations

from typing import Any

from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    add,
)
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import WeightFile, channel_axis, check_arguments, finish, pool, start
from .imagenet_utils import decode_predictions

__all__ = ["Xception", "decode_predictions", "preprocess_input"]

_BASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.4/"
TF_WEIGHTS_PATH = _BASE + "xception_weights_tf_dim_ordering_tf_kernels.h5"
TF_WEIGHTS_PATH_NO_TOP = _BASE + "xception_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(
        "xception_weights_tf_dim_ordering_tf_kernels.h5",
        TF_WEIGHTS_PATH,
        ("0a58e3b7378bc2990ea3b43d5981f1f6",),
    ),
    WeightFile(
        "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
        TF_WEIGHTS_PATH_NO_TOP,
        ("b0042744bf5b25fce3cb969f33bebb97",),
    ),
)


def _bn(x: Any, name: str | None = None) -> Any:
    return BatchNormalization(axis=channel_axis(), name=name)(x)


def _sepconv(x: Any, filters: int, name: str) -> Any:
    x = SeparableConv2D(filters, (3, 3), padding="same", use_bias=False, name=name)(x)
    return _bn(x, f"{name}_bn")


def _shrinking_block(x: Any, block: str, filters: tuple[int, int]) -> Any:
    """Two separable convolutions and pooling, with a convolution of stride 2 in the short cut."""
    residual = Conv2D(filters[1], (1, 1), strides=(2, 2), padding="same", use_bias=False)(x)
    residual = _bn(residual)
    if block != "block2":  # there the activation before is its own layer already
        x = Activation("relu", name=f"{block}_sepconv1_act")(x)
    x = _sepconv(x, filters[0], f"{block}_sepconv1")
    x = Activation("relu", name=f"{block}_sepconv2_act")(x)
    x = _sepconv(x, filters[1], f"{block}_sepconv2")
    x = MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=f"{block}_pool")(x)
    return add([x, residual])


def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds Xception.

    Args:
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 71x71; by default any; made for 299x299.
        pooling: without `include_top`: None for (n, rows, columns, 2048), 'avg' or 'max' for (n, 2048).
        classes: number of classes.

    Returns:
        model of the name 'xception'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 299, 71, False, weights)
    x = first
    for i, filters in enumerate((32, 64), 1):
        strides = (2, 2) if i == 1 else (1, 1)
        x = Conv2D(filters, (3, 3), strides=strides, use_bias=False, name=f"block1_conv{i}")(x)
        x = _bn(x, f"block1_conv{i}_bn")
        x = Activation("relu", name=f"block1_conv{i}_act")(x)
    for block, filters in (("block2", 128), ("block3", 256), ("block4", 728)):
        x = _shrinking_block(x, block, (filters, filters))
    for number in range(5, 13):
        residual = x
        for i in (1, 2, 3):
            x = Activation("relu", name=f"block{number}_sepconv{i}_act")(x)
            x = _sepconv(x, 728, f"block{number}_sepconv{i}")
        x = add([x, residual])
    x = _shrinking_block(x, "block13", (728, 1024))
    for i, filters in enumerate((1536, 2048), 1):
        x = _sepconv(x, filters, f"block14_sepconv{i}")
        x = Activation("relu", name=f"block14_sepconv{i}_act")(x)
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    else:
        x = pool(x, pooling)
    return finish(input_tensor, first, x, "xception", weights, include_top, _FILES)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
