"""MobileNet: depthwise and pointwise convolutions in turn, as narrow as the device needs.

Source: A. G. Howard et al., "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", https://arxiv.org/abs/1704.04861; the public behaviour of keras/applications/mobilenet.py
(2.1.6), with the padding and the ReLU layers of 2.2.4, in both layouts.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    ReLU,
    Reshape,
    Softmax,
    ZeroPadding2D,
)
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import (
    WeightFile,
    check_arguments,
    check_width,
    finish,
    picture_size,
    pool,
    published_size,
    start,
    weight_rows,
)
from .imagenet_utils import decode_predictions

__all__ = ["DepthwiseConv2D", "MobileNet", "decode_predictions", "preprocess_input", "relu6"]

BASE_WEIGHT_PATH = "https://github.com/fchollet/deep-learning-models/releases/download/v0.6/"

# width → how the weight files call it
_WIDTHS = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0", 0.25: "2_5"}
_SIZES = (128, 160, 192, 224)
# pointwise filters of the 13 blocks; where the stride is 2
_FILTERS = (64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
_SHRINKING = (2, 4, 6, 12)


def relu6(x: Any) -> Any:
    """`min(max(x, 0), 6)`, the activation that older files of MobileNet name.

    Such files are read with `custom_objects={'relu6': relu6, 'DepthwiseConv2D': DepthwiseConv2D}`.
    """
    return K.relu(x, max_value=6)


def _bn_relu6(x: Any, name: str) -> Any:
    axis = 1 if K.image_data_format() == "channels_first" else -1
    x = BatchNormalization(axis=axis, name=f"{name}_bn")(x)
    return ReLU(6.0, name=f"{name}_relu")(x)


def _block(x: Any, filters: int, depth_multiplier: int, number: int) -> Any:
    """A depthwise and a pointwise convolution, each with normalization and activation."""
    shrink = number in _SHRINKING
    if shrink:
        x = ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = DepthwiseConv2D(
        (3, 3),
        padding="valid" if shrink else "same",
        depth_multiplier=depth_multiplier,
        strides=(2, 2) if shrink else (1, 1),
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = _bn_relu6(x, f"conv_dw_{number}")
    x = Conv2D(filters, (1, 1), padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return _bn_relu6(x, f"conv_pw_{number}")


def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 1e-3,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds MobileNet.

    Args:
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else any
            size. There are published weights for 128x128, 160x160, 192x192 and 224x224.
        alpha: width: every number of filters is multiplied with it; published are 0.25, 0.5, 0.75 and 1.
        depth_multiplier: filters per channel of the depthwise convolutions; published is 1.
        dropout: rate of the dropout before the classifier.
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        pooling: without `include_top`: None for (n, rows, columns, 1024 alpha), 'avg' or 'max' for (n,
            1024 alpha).
        classes: number of classes.

    Returns:
        model of the name 'mobilenet_<alpha>_<rows>'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    check_width(alpha, depth_multiplier)
    size = published_size(input_shape, _SIZES)
    first, shape = start(input_tensor, input_shape, size, 32, include_top, weights)
    rows, columns = picture_size(shape)
    files = None
    if weights == "imagenet":
        if depth_multiplier != 1:
            raise ValueError("If imagenet weights are being loaded, depth multiplier must be 1")
        if alpha not in _WIDTHS:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of `0.25`, `0.50`, `0.75` or `1.0` "
                f"only. Received: {alpha}"
            )
        rows = weight_rows(rows, columns, _SIZES)
        names = (f"mobilenet_{_WIDTHS[alpha]}_{rows}_tf{ending}.h5" for ending in ("", "_no_top"))
        top, bare = (WeightFile(name, BASE_WEIGHT_PATH + name) for name in names)
        files = top, bare

    x = ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(first)
    x = Conv2D(int(32 * alpha), (3, 3), padding="valid", use_bias=False, strides=(2, 2), name="conv1")(x)
    x = _bn_relu6(x, "conv1")
    for number, filters in enumerate(_FILTERS, 1):
        x = _block(x, int(filters * alpha), depth_multiplier, number)
    if include_top:
        width = int(1024 * alpha)
        x = GlobalAveragePooling2D()(x)
        one = (width, 1, 1) if K.image_data_format() == "channels_first" else (1, 1, width)
        x = Reshape(one, name="reshape_1")(x)
        x = Dropout(dropout, name="dropout")(x)
        x = Conv2D(classes, (1, 1), padding="same", name="conv_preds")(x)
        if K.image_data_format() == "channels_first":
            x = Softmax(axis=1, name="act_softmax")(x)
        else:
            x = Activation("softmax", name="act_softmax")(x)
        x = Reshape((classes,), name="reshape_2")(x)
    else:
        x = pool(x, pooling)
    name = f"mobilenet_{alpha:.2f}_{rows}"
    return finish(input_tensor, first, x, name, weights, include_top, files)


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
