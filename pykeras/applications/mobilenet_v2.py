"""MobileNetV2: narrow trunks, and blocks that widen them for the depthwise convolution.

Source: M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
https://arxiv.org/abs/1801.04381; the public behaviour of keras/applications/mobilenet_v2.py (2.2.4), in both
layouts.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..layers import (
    Add,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    ReLU,
    ZeroPadding2D,
)
from . import imagenet_utils
from ._build import (
    WeightFile,
    channel_axis,
    channels_of,
    check_arguments,
    check_width,
    finish,
    picture_size,
    pool,
    published_size,
    shape_of,
    start,
    weight_rows,
)

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

BASE_WEIGHT_PATH = "https://github.com/JonathanCMitchell/mobilenet_v2_keras/releases/download/v1.1/"

_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SIZES = (96, 128, 160, 192, 224)
# filters of a group of blocks, how many there are, and the stride of the first one
_GROUPS = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))


def _divisible(filters: float) -> int:
    """The multiple of 8 next to a number of filters, at least 8 and at least 90 % of it."""
    nearest = max(8, int(filters + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * filters else nearest


def _bn(x: Any, name: str) -> Any:
    return BatchNormalization(axis=channel_axis(), epsilon=1e-3, momentum=0.999, name=name)(x)


def _pad_for_stride_2(x: Any, name: str) -> Any:
    """Pads as 'same' would for a 3x3 convolution of stride 2: only one side where the size is even."""
    sizes = picture_size(shape_of(x))
    # an unknown size counts as even, which the published sizes are at every depth
    padding = tuple((0 if size is None or size % 2 == 0 else 1, 1) for size in sizes)
    return ZeroPadding2D(padding, name=name)(x)


def _block(x: Any, filters: int, stride: int, multiplier: int, number: int) -> Any:
    """Widens (but for block 0), convolves channel by channel, narrows; a short cut if nothing changes."""
    channels = channels_of(x)
    prefix = f"block_{number}_" if number else "expanded_conv_"
    y = x
    if number:
        y = Conv2D(6 * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand")(y)
        y = _bn(y, f"{prefix}expand_BN")
        y = ReLU(6.0, name=f"{prefix}expand_relu")(y)
    if stride == 2:
        y = _pad_for_stride_2(y, f"{prefix}pad")
    y = DepthwiseConv2D(
        3,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        depth_multiplier=multiplier,
        use_bias=False,
        name=f"{prefix}depthwise",
    )(y)
    y = _bn(y, f"{prefix}depthwise_BN")
    y = ReLU(6.0, name=f"{prefix}depthwise_relu")(y)
    y = Conv2D(filters, 1, padding="same", use_bias=False, name=f"{prefix}project")(y)
    y = _bn(y, f"{prefix}project_BN")
    return Add(name=f"{prefix}add")([x, y]) if stride == 1 and channels == filters else y


def _files(alpha: float, rows: int) -> tuple[WeightFile, WeightFile]:
    base = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}"
    top, bare = (WeightFile(name, BASE_WEIGHT_PATH + name) for name in (f"{base}.h5", f"{base}_no_top.h5"))
    return top, bare


def _check_shapes(input_shape: Any, input_tensor: Any) -> None:
    """Raises ValueError if a given tensor is none, or a given shape contradicts it."""
    if input_tensor is None:
        return
    K.is_keras_tensor(input_tensor)  # says so itself if it is no tensor at all
    if input_shape is None:
        return
    for asked, there in zip(picture_size(input_shape), picture_size(shape_of(input_tensor))):
        if asked is not None and there is not None and asked != there:
            raise ValueError(
                f"input_shape: {input_shape} and input_tensor: {input_tensor} do not meet the same shape "
                "requirements. Give only one of them"
            )


def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    **kwargs: Any,
) -> Any:
    """Builds MobileNetV2.

    Args:
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else any
            size. There are published weights for 96x96, 128x128, 160x160, 192x192 and 224x224.
        alpha: width: every number of filters is multiplied with it; published are 0.35, 0.5, 0.75, 1, 1.3
            and 1.4.
        depth_multiplier: filters per channel of the depthwise convolutions; published is 1.
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        pooling: without `include_top`: None for (n, rows, columns, 1280), 'avg' or 'max' for (n, 1280).
        classes: number of classes.

    Returns:
        model of the name 'mobilenetv2_<alpha>_<rows>'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.
        TypeError: other keywords.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
    check_arguments(weights, include_top, classes, pooling)
    check_width(alpha, depth_multiplier)
    _check_shapes(input_shape, input_tensor)
    given = input_shape if input_tensor is None else shape_of(input_tensor)[1:]
    size = published_size(given, _SIZES)
    first, shape = start(input_tensor, input_shape, size, 32, include_top, weights)
    rows, columns = picture_size(shape)
    files = None
    if weights == "imagenet":
        if depth_multiplier != 1:
            raise ValueError("If imagenet weights are being loaded, depth multiplier must be 1")
        if alpha not in _WIDTHS:
            raise ValueError(
                "If imagenet weights are being loaded, alpha can be one of `0.35`, `0.50`, `0.75`, `1.0`, "
                f"`1.3` or `1.4` only. Received: {alpha}"
            )
        rows = weight_rows(rows, columns, _SIZES)
        files = _files(alpha, rows)

    x = _pad_for_stride_2(first, "Conv1_pad")
    x = Conv2D(_divisible(32 * alpha), 3, strides=(2, 2), padding="valid", use_bias=False, name="Conv1")(x)
    x = _bn(x, "bn_Conv1")
    x = ReLU(6.0, name="Conv1_relu")(x)
    number = 0
    for filters, count, stride in _GROUPS:
        for i in range(count):
            x = _block(x, _divisible(int(filters * alpha)), stride if i == 0 else 1, depth_multiplier, number)
            number += 1
    # wider than 1280 for wider networks, but never narrower
    last = _divisible(1280 * alpha) if alpha > 1.0 else 1280
    x = Conv2D(last, 1, use_bias=False, name="Conv_1")(x)
    x = _bn(x, "Conv_1_bn")
    x = ReLU(6.0, name="out_relu")(x)
    if include_top:
        x = GlobalAveragePooling2D()(x)
        x = Dense(classes, activation="softmax", use_bias=True, name="Logits")(x)
    else:
        x = pool(x, pooling)
    name = f"mobilenetv2_{alpha:.2f}_{rows}"
    return finish(input_tensor, first, x, name, weights, include_top, files)


def preprocess_input(x: Any, **kwargs: Any) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, **{**kwargs, "mode": "tf"})


def decode_predictions(preds: Any, top: int = 5, **kwargs: Any) -> Any:
    """Names the most probable classes; see `imagenet_utils.decode_predictions`."""
    return imagenet_utils.decode_predictions(preds, top=top, **kwargs)
