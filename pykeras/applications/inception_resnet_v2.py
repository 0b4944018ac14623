"""InceptionResNetV2: Inception's branches with short cuts around them.

Source: C. Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", https://arxiv.org/abs/1602.07261; the public behaviour of
keras/applications/inception_resnet_v2.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    CustomScaleLayer,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import WeightFile, channel_axis, channels_of, check_arguments, finish, pool, start
from .imagenet_utils import decode_predictions

__all__ = [
    "InceptionResNetV2",
    "conv2d_bn",
    "decode_predictions",
    "inception_resnet_block",
    "preprocess_input",
]

BASE_WEIGHT_URL = "https://github.com/fchollet/deep-learning-models/releases/download/v0.7/"
_NAME = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels.h5"
_NAME_NO_TOP = "inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(_NAME, BASE_WEIGHT_URL + _NAME, ("e693bd0210a403b3192acc6073ad2e96",)),
    WeightFile(_NAME_NO_TOP, BASE_WEIGHT_URL + _NAME_NO_TOP, ("d19885ff4a710c122648d3b5c3b684e4",)),
)

# What the three kinds of blocks have beside the trunk: convolutions (filters, kernel) one after the other.
_BRANCHES: dict[str, tuple[tuple[tuple[int, Any], ...], ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}


def conv2d_bn(
    x: Any,
    filters: int,
    kernel_size: Any,
    strides: Any = 1,
    padding: str = "same",
    activation: str | None = "relu",
    use_bias: bool = False,
    name: str | None = None,
) -> Any:
    """Convolution, batch normalization without gamma (unless there is a bias), activation.

    Args:
        x: pictures.
        filters: number of filters.
        kernel_size: size of the kernel.
        strides: strides of the convolution.
        padding: its padding.
        activation: name of the activation, None for none.
        use_bias: give the convolution a bias and leave out the normalization.
        name: name of the convolution; the other layers are called `<name>_bn` and `<name>_ac`.

    Returns:
        tensor with `filters` channels.
    """
    x = Conv2D(filters, kernel_size, strides=strides, padding=padding, use_bias=use_bias, name=name)(x)
    if not use_bias:
        bn_name = None if name is None else f"{name}_bn"
        x = BatchNormalization(axis=channel_axis(), scale=False, name=bn_name)(x)
    if activation is not None:
        x = Activation(activation, name=None if name is None else f"{name}_ac")(x)
    return x


def _branch(x: Any, kernels: tuple[tuple[int, Any], ...], shrink: bool = False) -> Any:
    """Convolutions one after the other; with `shrink` the last one halves rows and columns."""
    for i, (filters, kernel) in enumerate(kernels):
        if shrink and i == len(kernels) - 1:
            x = conv2d_bn(x, filters, kernel, strides=2, padding="valid")
        else:
            x = conv2d_bn(x, filters, kernel)
    return x


def inception_resnet_block(
    x: Any, scale: float, block_type: str, block_idx: int, activation: str | None = "relu"
) -> Any:
    """Adds branches of convolutions to a trunk.

    Args:
        x: the trunk.
        scale: what the branches are multiplied with.
        block_type: 'block35', 'block17' or 'block8', as the paper calls them.
        block_idx: number for the layers' names, `<block_type>_<block_idx>`.
        activation: name of the activation at the end, None for none.

    Returns:
        tensor of the trunk's shape.

    Raises:
        ValueError: another `block_type`.
    """
    if block_type not in _BRANCHES:
        raise ValueError(
            'Unknown Inception-ResNet block type. Expects "block35", "block17" or "block8", '
            f"but got: {block_type}"
        )
    branches = [_branch(x, kernels) for kernels in _BRANCHES[block_type]]
    name = f"{block_type}_{block_idx}"
    mixed = Concatenate(axis=channel_axis(), name=f"{name}_mixed")(branches)
    up = conv2d_bn(mixed, channels_of(x), 1, activation=None, use_bias=True, name=f"{name}_conv")
    x = CustomScaleLayer(scale, name=name)([x, up])
    if activation is not None:
        x = Activation(activation, name=f"{name}_ac")(x)
    return x


def _stem(x: Any) -> Any:
    x = conv2d_bn(x, 32, 3, strides=2, padding="valid")
    x = conv2d_bn(x, 32, 3, padding="valid")
    x = conv2d_bn(x, 64, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = conv2d_bn(x, 80, 1, padding="valid")
    x = conv2d_bn(x, 192, 3, padding="valid")
    x = MaxPooling2D(3, strides=2)(x)
    branches = [
        _branch(x, ((96, 1),)),
        _branch(x, ((48, 1), (64, 5))),
        _branch(x, ((64, 1), (96, 3), (96, 3))),
    ]
    pooled = AveragePooling2D(3, strides=1, padding="same")(x)
    branches.append(conv2d_bn(pooled, 64, 1))
    return Concatenate(axis=channel_axis(), name="mixed_5b")(branches)


def _shrink(x: Any, name: str, *branches: tuple[tuple[int, Any], ...]) -> Any:
    """A block that halves rows and columns."""
    made = [_branch(x, kernels, shrink=True) for kernels in branches]
    made.append(MaxPooling2D(3, strides=2, padding="valid")(x))
    return Concatenate(axis=channel_axis(), name=name)(made)


def InceptionResNetV2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds InceptionResNetV2.

    Args:
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 75x75; by default any; made for 299x299.
        pooling: without `include_top`: None for (n, rows, columns, 1536), 'avg' or 'max' for (n, 1536).
        classes: number of classes.

    Returns:
        model of the name 'inception_resnet_v2'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 299, 75, False, weights)
    x = _stem(first)
    for number in range(1, 11):
        x = inception_resnet_block(x, 0.17, "block35", number)
    x = _shrink(x, "mixed_6a", ((384, 3),), ((256, 1), (256, 3), (384, 3)))
    for number in range(1, 21):
        x = inception_resnet_block(x, 0.1, "block17", number)
    x = _shrink(x, "mixed_7a", ((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3)))
    for number in range(1, 10):
        x = inception_resnet_block(x, 0.2, "block8", number)
    x = inception_resnet_block(x, 1.0, "block8", 10, activation=None)
    x = conv2d_bn(x, 1536, 1, name="conv_7b")
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    else:
        x = pool(x, pooling)
    return finish(input_tensor, first, x, "inception_resnet_v2", weights, include_top, _FILES)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
