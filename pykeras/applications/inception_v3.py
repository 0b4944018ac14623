"""InceptionV3: branches of small and of factorised convolutions, put together again in each block.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision",
https://arxiv.org/abs/1512.00567; the public behaviour of keras/applications/inception_v3.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    concatenate,
)
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import WeightFile, channel_axis, check_arguments, finish, pool, start
from .imagenet_utils import decode_predictions

__all__ = ["InceptionV3", "conv2d_bn", "decode_predictions", "preprocess_input"]

_BASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.5/"
WEIGHTS_PATH = _BASE + "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
WEIGHTS_PATH_NO_TOP = _BASE + "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(
        "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
        WEIGHTS_PATH,
        ("9a0d58056eeedaa3f26cb7ebd46da564",),
    ),
    WeightFile(
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        WEIGHTS_PATH_NO_TOP,
        ("bcbd6486424b2319ff4ef7d526e38f63",),
    ),
)

# A convolution of a branch: filters, rows and columns of its kernel.
_Kernel = tuple[int, int, int]


def conv2d_bn(
    x: Any,
    filters: int,
    num_row: int,
    num_col: int,
    padding: str = "same",
    strides: Any = (1, 1),
    name: str | None = None,
) -> Any:
    """Convolution without bias, batch normalization without gamma, relu.

    Args:
        x: pictures.
        filters: number of filters.
        num_row: rows of the kernel.
        num_col: columns of the kernel.
        padding: padding of the convolution.
        strides: its strides.
        name: name of the activation; the other layers are called `<name>_conv` and `<name>_bn`.

    Returns:
        tensor with `filters` channels.
    """
    conv_name = None if name is None else f"{name}_conv"
    bn_name = None if name is None else f"{name}_bn"
    x = Conv2D(filters, (num_row, num_col), strides=strides, padding=padding, use_bias=False, name=conv_name)(
        x
    )
    x = BatchNormalization(axis=channel_axis(), scale=False, name=bn_name)(x)
    return Activation("relu", name=name)(x)


def _branch(x: Any, *kernels: _Kernel) -> Any:
    """Convolutions one after the other."""
    for filters, rows, columns in kernels:
        x = conv2d_bn(x, filters, rows, columns)
    return x


def _average_branch(x: Any, filters: int) -> Any:
    x = AveragePooling2D((3, 3), strides=(1, 1), padding="same")(x)
    return conv2d_bn(x, filters, 1, 1)


def _shrink(x: Any, filters: int) -> Any:
    """The 3x3 convolution of stride 2 at the end of a branch that halves rows and columns."""
    return conv2d_bn(x, filters, 3, 3, strides=(2, 2), padding="valid")


def _join(branches: list[Any], name: str | None = None) -> Any:
    return concatenate(branches, axis=channel_axis(), name=name)


def _stem(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, 3, strides=(2, 2), padding="valid")
    x = conv2d_bn(x, 32, 3, 3, padding="valid")
    x = conv2d_bn(x, 64, 3, 3)
    x = MaxPooling2D((3, 3), strides=(2, 2))(x)
    x = conv2d_bn(x, 80, 1, 1, padding="valid")
    x = conv2d_bn(x, 192, 3, 3, padding="valid")
    return MaxPooling2D((3, 3), strides=(2, 2))(x)


def _block_5x5(x: Any, pooled: int, name: str) -> Any:
    """Mixed 0 to 2."""
    return _join(
        [
            _branch(x, (64, 1, 1)),
            _branch(x, (48, 1, 1), (64, 5, 5)),
            _branch(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            _average_branch(x, pooled),
        ],
        name,
    )


def _block_7x7(x: Any, width: int, name: str) -> Any:
    """Mixed 4 to 7: 7x7 convolutions as pairs of 1x7 and 7x1."""
    return _join(
        [
            _branch(x, (192, 1, 1)),
            _branch(x, (width, 1, 1), (width, 1, 7), (192, 7, 1)),
            _branch(x, (width, 1, 1), (width, 7, 1), (width, 1, 7), (width, 7, 1), (192, 1, 7)),
            _average_branch(x, 192),
        ],
        name,
    )


def _block_wide(x: Any, number: int) -> Any:
    """Mixed 9 and 10: branches that end in two convolutions side by side."""
    one = _branch(x, (320, 1, 1))
    three = _branch(x, (384, 1, 1))
    three = _join([_branch(three, (384, 1, 3)), _branch(three, (384, 3, 1))], f"mixed9_{number}")
    double = _branch(x, (448, 1, 1), (384, 3, 3))
    double = _join([_branch(double, (384, 1, 3)), _branch(double, (384, 3, 1))])
    return _join([one, three, double, _average_branch(x, 192)], f"mixed{9 + number}")


def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds InceptionV3.

    Args:
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 75x75; by default any; made for 299x299.
        pooling: without `include_top`: None for (n, rows, columns, 2048), 'avg' or 'max' for (n, 2048).
        classes: number of classes.

    Returns:
        model of the name 'inception_v3'; its blocks end in the layers `mixed0` to `mixed10`.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 299, 75, False, weights)
    x = _stem(first)
    for number, pooled in enumerate((32, 64, 64)):
        x = _block_5x5(x, pooled, f"mixed{number}")

    three = _shrink(x, 384)
    double = _shrink(_branch(x, (64, 1, 1), (96, 3, 3)), 96)
    x = _join([three, double, MaxPooling2D((3, 3), strides=(2, 2))(x)], "mixed3")
    for number, width in enumerate((128, 160, 160, 192), 4):
        x = _block_7x7(x, width, f"mixed{number}")

    three = _shrink(_branch(x, (192, 1, 1)), 320)
    seven = _shrink(_branch(x, (192, 1, 1), (192, 1, 7), (192, 7, 1)), 192)
    x = _join([three, seven, MaxPooling2D((3, 3), strides=(2, 2))(x)], "mixed8")
    for number in (0, 1):
        x = _block_wide(x, number)

    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    else:
        x = pool(x, pooling)
    return finish(input_tensor, first, x, "inception_v3", weights, include_top, _FILES)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
