"""DenseNet121, 169 and 201: each block sees the outputs of all blocks before it.

Source: G. Huang et al., "Densely Connected Convolutional Networks", https://arxiv.org/abs/1608.06993; the
public behaviour of keras/applications/densenet.py (2.1.6), with the last activation, which 2.1.6 forgets,
from 2.2.4.
"""

from __future__ import annotations

from typing import Any

from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    ZeroPadding2D,
)
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import WeightFile, channel_axis, channels_of, check_arguments, finish, pool, start
from .imagenet_utils import decode_predictions

__all__ = [
    "DenseNet",
    "DenseNet121",
    "DenseNet169",
    "DenseNet201",
    "conv_block",
    "decode_predictions",
    "dense_block",
    "preprocess_input",
    "transition_block",
]

_BASE = "https://github.com/keras-team/keras-applications/releases/download/densenet/"
_NAME = "densenet{}_weights_tf_dim_ordering_tf_kernels{}.h5"
DENSENET121_WEIGHT_PATH = _BASE + _NAME.format(121, "")
DENSENET121_WEIGHT_PATH_NO_TOP = _BASE + _NAME.format(121, "_notop")
DENSENET169_WEIGHT_PATH = _BASE + _NAME.format(169, "")
DENSENET169_WEIGHT_PATH_NO_TOP = _BASE + _NAME.format(169, "_notop")
DENSENET201_WEIGHT_PATH = _BASE + _NAME.format(201, "")
DENSENET201_WEIGHT_PATH_NO_TOP = _BASE + _NAME.format(201, "_notop")

# name of the model → number of blocks in its four parts, and the hashes (2.2.4's, then 2.1.6's) of its files
# with and without the classifier
_KINDS: dict[str, tuple[list[int], tuple[str, str], tuple[str, str]]] = {
    "densenet121": (
        [6, 12, 24, 16],
        ("9d60b8095a5708f2dcce2bca79d332c7", "0962ca643bae20f9b6771cb844dca3b0"),
        ("30ee3e1110167f948a6b9946edeeb738", "4912a53fbd2a69346e7f2c0b5ec8c6d3"),
    ),
    "densenet169": (
        [6, 12, 32, 32],
        ("d699b8f76981ab1b30698df4c175e90b", "bcf9965cf5064a5f9eb6d7dc69386f43"),
        ("b8c4d4c20dd625c148057b9ff1c1176b", "50662582284e4cf834ce40ab4dfa58c6"),
    ),
    "densenet201": (
        [6, 12, 48, 32],
        ("1ceb130c1ea1b78c3bf6114dbdfd8807", "7bb75edd58cb43163be7e0005fbe95ef"),
        ("c13680b51ded0fb44dff2d8f86ac8bb1", "1c2de60ee40562448dbac34a0737e798"),
    ),
}


def _files(kind: str) -> tuple[WeightFile, WeightFile]:
    _, top, notop = _KINDS[kind]
    name, bare = (_NAME.format(kind[-3:], ending) for ending in ("", "_notop"))
    return WeightFile(name, _BASE + name, top), WeightFile(bare, _BASE + bare, notop)


def _bn(x: Any, name: str) -> Any:
    return BatchNormalization(axis=channel_axis(), epsilon=1.001e-5, name=name)(x)


def dense_block(x: Any, blocks: int, name: str) -> Any:
    """Blocks one after the other, each adding 32 channels.

    Args:
        x: pictures of features.
        blocks: number of blocks.
        name: beginning of the layers' names.
    """
    for i in range(blocks):
        x = conv_block(x, 32, name=f"{name}_block{i + 1}")
    return x


def transition_block(x: Any, reduction: float, name: str) -> Any:
    """Fewer channels, half as many rows and columns.

    Args:
        x: pictures of features.
        reduction: share of the channels that remains.
        name: beginning of the layers' names.
    """
    x = _bn(x, f"{name}_bn")
    x = Activation("relu", name=f"{name}_relu")(x)
    x = Conv2D(int(channels_of(x) * reduction), 1, use_bias=False, name=f"{name}_conv")(x)
    return AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def conv_block(x: Any, growth_rate: int, name: str) -> Any:
    """Two convolutions whose output is put beside their input.

    Args:
        x: pictures of features.
        growth_rate: number of channels to add.
        name: beginning of the layers' names.
    """
    y = _bn(x, f"{name}_0_bn")
    y = Activation("relu", name=f"{name}_0_relu")(y)
    y = Conv2D(4 * growth_rate, 1, use_bias=False, name=f"{name}_1_conv")(y)
    y = _bn(y, f"{name}_1_bn")
    y = Activation("relu", name=f"{name}_1_relu")(y)
    y = Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(y)
    return Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, y])


def DenseNet(
    blocks: Any,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds a DenseNet.

    Args:
        blocks: number of blocks in each of the four parts.
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else
            any size.
        pooling: without `include_top`: None for (n, rows, columns, channels), 'avg' or 'max' for (n,
            channels).
        classes: number of classes.

    Returns:
        model of the name 'densenet121', 'densenet169', 'densenet201' or, with other blocks, 'densenet'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'torch') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 224, 32, include_top, weights)
    x = ZeroPadding2D(((3, 3), (3, 3)))(first)
    x = Conv2D(64, 7, strides=2, use_bias=False, name="conv1/conv")(x)
    x = _bn(x, "conv1/bn")
    x = Activation("relu", name="conv1/relu")(x)
    x = ZeroPadding2D(((1, 1), (1, 1)))(x)
    x = MaxPooling2D(3, strides=2, name="pool1")(x)
    for part, count in enumerate(blocks, 2):
        if part > 2:
            x = transition_block(x, 0.5, name=f"pool{part - 1}")
        x = dense_block(x, count, name=f"conv{part}")
    x = _bn(x, "bn")
    x = Activation("relu", name="relu")(x)
    if include_top:
        x = GlobalAveragePooling2D(name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="fc1000")(x)
    else:
        x = pool(x, pooling, ("avg_pool", "max_pool"))
    kind = next((name for name, (known, *_) in _KINDS.items() if list(blocks) == known), None)
    files = None if kind is None else _files(kind)
    return finish(input_tensor, first, x, kind or "densenet", weights, include_top, files)


def DenseNet121(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds DenseNet121. Arguments as for `DenseNet`; 1024 channels at the end."""
    blocks, *_ = _KINDS["densenet121"]
    return DenseNet(blocks, include_top, weights, input_tensor, input_shape, pooling, classes)


def DenseNet169(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds DenseNet169. Arguments as for `DenseNet`; 1664 channels at the end."""
    blocks, *_ = _KINDS["densenet169"]
    return DenseNet(blocks, include_top, weights, input_tensor, input_shape, pooling, classes)


def DenseNet201(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds DenseNet201. Arguments as for `DenseNet`; 1920 channels at the end."""
    blocks, *_ = _KINDS["densenet201"]
    return DenseNet(blocks, include_top, weights, input_tensor, input_shape, pooling, classes)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales to 0 … 1 and standardises each channel, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="torch")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
