"""ResNet50: blocks of three convolutions around which a short cut leads.

Source: K. He et al., "Deep Residual Learning for Image Recognition", https://arxiv.org/abs/1512.03385;
the public behaviour of keras/applications/resnet50.py (2.1.6): no padding before the first pooling, and
the 7x7 average also without the classifier.
"""

from __future__ import annotations

from typing import Any

from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
    add,
)
from ..utils.namespaces import held_by, public_names
from ._build import WeightFile, channel_axis, check_arguments, finish, pool, shape_of, start
from .imagenet_utils import decode_predictions, preprocess_input

__all__ = ["ResNet50", "conv_block", "decode_predictions", "identity_block", "preprocess_input"]

_BASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.2/"
WEIGHTS_PATH = _BASE + "resnet50_weights_tf_dim_ordering_tf_kernels.h5"
WEIGHTS_PATH_NO_TOP = _BASE + "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(
        "resnet50_weights_tf_dim_ordering_tf_kernels.h5", WEIGHTS_PATH, ("a7b3fe01876f51b976af0dea6bc144eb",)
    ),
    WeightFile(
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        WEIGHTS_PATH_NO_TOP,
        ("a268eb855778b3df3c7506639542a6af",),
    ),
)

# per stage, from 2 on: the three filter numbers and how many blocks there are
_STAGES = (((64, 64, 256), 3), ((128, 128, 512), 4), ((256, 256, 1024), 6), ((512, 512, 2048), 3))


def _conv_bn(x: Any, filters: int, kernel: Any, names: str, **more: Any) -> Any:
    """Convolution `res<names>` and batch normalization `bn<names>`."""
    x = Conv2D(filters, kernel, name=f"res{names}", **more)(x)
    return BatchNormalization(axis=channel_axis(), name=f"bn{names}")(x)


def _main_path(x: Any, kernel_size: Any, filters: Any, names: str, strides: Any) -> Any:
    x = _conv_bn(x, filters[0], (1, 1), f"{names}2a", strides=strides)
    x = Activation("relu")(x)
    x = _conv_bn(x, filters[1], kernel_size, f"{names}2b", padding="same")
    x = Activation("relu")(x)
    return _conv_bn(x, filters[2], (1, 1), f"{names}2c")


def identity_block(input_tensor: Any, kernel_size: Any, filters: Any, stage: int, block: str) -> Any:
    """A block whose short cut is the input itself.

    Args:
        input_tensor: pictures of features, with `filters[2]` channels.
        kernel_size: size of the middle convolution.
        filters: filters of the three convolutions.
        stage: number of the stage, for the layers' names.
        block: letter of the block, for the layers' names.

    Returns:
        tensor of the input's shape.
    """
    x = _main_path(input_tensor, kernel_size, filters, f"{stage}{block}_branch", (1, 1))
    return Activation("relu")(add([x, input_tensor]))


def conv_block(
    input_tensor: Any, kernel_size: Any, filters: Any, stage: int, block: str, strides: Any = (2, 2)
) -> Any:
    """A block with a convolution in its short cut.

    Args:
        input_tensor: pictures of features.
        kernel_size: size of the middle convolution.
        filters: filters of the three convolutions.
        stage: number of the stage, for the layers' names.
        block: letter of the block, for the layers' names.
        strides: strides of the first convolution and of that in the short cut.

    Returns:
        tensor with `filters[2]` channels.
    """
    names = f"{stage}{block}_branch"
    x = _main_path(input_tensor, kernel_size, filters, names, strides)
    shortcut = _conv_bn(input_tensor, filters[2], (1, 1), f"{names}1", strides=strides)
    return Activation("relu")(add([x, shortcut]))


def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds ResNet50.

    Args:
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else
            any size. The average over 7x7 cells at the end needs 197x197; smaller pictures do without it,
            and with `include_top` take the average of what there is.
        pooling: without `include_top`: None for (n, rows, columns, 2048), 'avg' or 'max' for (n, 2048).
        classes: number of classes.

    Returns:
        model of the name 'resnet50'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'caffe') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 224, 32, include_top, weights)
    x = ZeroPadding2D((3, 3), name="conv1_pad")(first)
    x = Conv2D(64, (7, 7), strides=(2, 2), padding="valid", name="conv1")(x)
    x = BatchNormalization(axis=channel_axis(), name="bn_conv1")(x)
    x = Activation("relu")(x)
    x = MaxPooling2D((3, 3), strides=(2, 2))(x)
    for stage, (filters, blocks) in enumerate(_STAGES, 2):
        x = conv_block(x, 3, filters, stage, "a", strides=(1, 1) if stage == 2 else (2, 2))
        for block in "bcdef"[: blocks - 1]:
            x = identity_block(x, 3, filters, stage, block)
    large = all(size is None or size >= 7 for size in shape_of(x)[1:])
    if large:
        x = AveragePooling2D((7, 7), name="avg_pool")(x)
    if include_top:
        x = Flatten()(x) if large else GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="fc1000")(x)
    else:
        x = pool(x, pooling)
    return finish(input_tensor, first, x, "resnet50", weights, include_top, _FILES)


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
