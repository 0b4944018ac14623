"""NASNet-A, whose cells were found by a search.

Source: B. Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition",
https://arxiv.org/abs/1707.07012; the public behaviour of keras/applications/nasnet.py (2.1.6), in both
layouts.
"""

from __future__ import annotations

import os
import re
from typing import Any

from .. import backend as K
from ..layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Cropping2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConv2D,
    ZeroPadding2D,
    add,
    concatenate,
)
from ..utils._warn import warn
from ..utils.namespaces import held_by, public_names
from . import imagenet_utils
from ._build import WeightFile, channels_of, check_arguments, finish, picture_size, pool, shape_of, start
from .imagenet_utils import decode_predictions

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_BASE = "https://github.com/titu1994/Keras-NASNet/releases/download/v1.2/"
NASNET_MOBILE_WEIGHT_PATH = _BASE + "NASNet-mobile.h5"
NASNET_MOBILE_WEIGHT_PATH_NO_TOP = _BASE + "NASNet-mobile-no-top.h5"
NASNET_LARGE_WEIGHT_PATH = _BASE + "NASNet-large.h5"
NASNET_LARGE_WEIGHT_PATH_NO_TOP = _BASE + "NASNet-large-no-top.h5"

# default size of the pictures → files with and without the classifier
_FILES = {
    224: (
        WeightFile("nasnet_mobile.h5", NASNET_MOBILE_WEIGHT_PATH, ("020fb642bf7360b370c678b08e0adf61",)),
        WeightFile(
            "nasnet_mobile_no_top.h5", NASNET_MOBILE_WEIGHT_PATH_NO_TOP, ("1ed92395b5b598bdda52abe5c0dbfd63",)
        ),
    ),
    331: (
        WeightFile("nasnet_large.h5", NASNET_LARGE_WEIGHT_PATH, ("11577c9a518f0070763c2b964a382f17",)),
        WeightFile(
            "nasnet_large_no_top.h5", NASNET_LARGE_WEIGHT_PATH_NO_TOP, ("d81d89dc07e6e56530c4e77faddd61b5",)
        ),
    ),
}


def _axis() -> int:
    return 1 if K.image_data_format() == "channels_first" else -1


def _bn(x: Any, name: str) -> Any:
    return BatchNormalization(axis=_axis(), momentum=0.9997, epsilon=1e-3, name=name)(x)


def _conv(x: Any, filters: int, name: str) -> Any:
    """A 1x1 convolution."""
    layer = Conv2D(filters, (1, 1), padding="same", use_bias=False, kernel_initializer="he_normal", name=name)
    return layer(x)


def _separable(x: Any, filters: int, size: int, block: str, stride: int = 1) -> Any:
    """Twice: relu, separable convolution, batch normalization; the stride is in the first one."""
    for i in (1, 2):
        x = Activation("relu")(x)
        x = SeparableConv2D(
            filters,
            (size, size),
            strides=(stride, stride) if i == 1 else (1, 1),
            padding="same",
            use_bias=False,
            kernel_initializer="he_normal",
            name=f"separable_conv_{i}_{block}",
        )(x)
        x = _bn(x, f"separable_conv_{i}_bn_{block}")
    return x


def _average(x: Any, name: str, stride: int = 1) -> Any:
    return AveragePooling2D((3, 3), strides=(stride, stride), padding="same", name=name)(x)


def _maximum(x: Any, name: str) -> Any:
    return MaxPooling2D((3, 3), strides=(2, 2), padding="same", name=name)(x)


class _Cells:
    """The network while it is built: the outputs of the last cell and of the one before."""

    def __init__(self, x: Any) -> None:
        self.x = x
        self.before: Any = None
        # whether the cell between the two halved rows and columns
        self.halved = False

    def _adjusted(self, filters: int, block: str) -> Any:
        """The output before the last one, with the size of the last one and the given number of channels."""
        p = self.before
        if p is None:
            return self.x
        there, wanted = picture_size(shape_of(p)), picture_size(shape_of(self.x))
        unequal = self.halved if None in (*there, *wanted) else there[1] != wanted[1]
        if unequal:
            p = Activation("relu", name=f"adjust_relu_1_{block}")(p)
            halves = []
            for i in (1, 2):
                half = p
                if i == 2:  # the pixels between those that the first half sees
                    half = ZeroPadding2D(((0, 1), (0, 1)))(half)
                    half = Cropping2D(((1, 0), (1, 0)))(half)
                half = AveragePooling2D(
                    (1, 1), strides=(2, 2), padding="valid", name=f"adjust_avg_pool_{i}_{block}"
                )(half)
                halves.append(_conv(half, filters // 2, f"adjust_conv_{i}_{block}"))
            return _bn(concatenate(halves, axis=_axis()), f"adjust_bn_{block}")
        if channels_of(p) != filters:
            p = Activation("relu")(p)
            p = _conv(p, filters, f"adjust_conv_projection_{block}")
            p = _bn(p, f"adjust_bn_{block}")
        return p

    def normal(self, filters: int, block: str) -> None:
        """A cell that keeps the size."""
        p = self._adjusted(filters, block)
        h = Activation("relu")(self.x)
        h = _conv(h, filters, f"normal_conv_1_{block}")
        h = _bn(h, f"normal_bn_1_{block}")
        left = _separable(h, filters, 5, f"normal_left1_{block}")
        right = _separable(p, filters, 3, f"normal_right1_{block}")
        x1 = add([left, right], name=f"normal_add_1_{block}")
        left = _separable(p, filters, 5, f"normal_left2_{block}")
        right = _separable(p, filters, 3, f"normal_right2_{block}")
        x2 = add([left, right], name=f"normal_add_2_{block}")
        x3 = add([_average(h, f"normal_left3_{block}"), p], name=f"normal_add_3_{block}")
        left = _average(p, f"normal_left4_{block}")
        right = _average(p, f"normal_right4_{block}")
        x4 = add([left, right], name=f"normal_add_4_{block}")
        x5 = add([_separable(h, filters, 3, f"normal_left5_{block}"), h], name=f"normal_add_5_{block}")
        x = concatenate([p, x1, x2, x3, x4, x5], axis=_axis(), name=f"normal_concat_{block}")
        self.before, self.x, self.halved = self.x, x, False

    def reduction(self, filters: int, block: str, keep_before: bool = False) -> None:
        """A cell that halves rows and columns; with `keep_before` the next cell skips its input."""
        p = self._adjusted(filters, block)
        h = Activation("relu")(self.x)
        h = _conv(h, filters, f"reduction_conv_1_{block}")
        h = _bn(h, f"reduction_bn_1_{block}")
        left = _separable(h, filters, 5, f"reduction_left1_{block}", 2)
        right = _separable(p, filters, 7, f"reduction_right1_{block}", 2)
        x1 = add([left, right], name=f"reduction_add_1_{block}")
        left = _maximum(h, f"reduction_left2_{block}")
        right = _separable(p, filters, 7, f"reduction_right2_{block}", 2)
        x2 = add([left, right], name=f"reduction_add_2_{block}")
        left = _average(h, f"reduction_left3_{block}", 2)
        right = _separable(p, filters, 5, f"reduction_right3_{block}", 2)
        x3 = add([left, right], name=f"reduction_add3_{block}")
        x4 = add([x2, _average(x1, f"reduction_left4_{block}")])
        left = _separable(x1, filters, 3, f"reduction_left4_{block}")
        x5 = add([left, _maximum(h, f"reduction_right5_{block}")], name=f"reduction_add4_{block}")
        x = concatenate([x2, x3, x4, x5], axis=_axis(), name=f"reduction_concat_{block}")
        if not keep_before:
            self.before = self.x
        self.x, self.halved = x, True


def NASNet(
    input_shape: Any = None,
    penultimate_filters: int = 4032,
    num_blocks: int = 6,
    stem_block_filters: int = 96,
    skip_reduction: bool = True,
    filter_multiplier: int = 2,
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    default_size: int | None = None,
) -> Any:
    """Builds a NASNet-A, called NASNet (num_blocks @ penultimate_filters) in the paper.

    Args:
        input_shape: shape of one picture, at least 32x32; by default `default_size` with `include_top`,
            else any size.
        penultimate_filters: channels before the classifier, a multiple of 24.
        num_blocks: normal cells in each of the three parts.
        stem_block_filters: filters of the first convolution.
        skip_reduction: whether the cell after a reduction skips the reduction's input.
        filter_multiplier: how many times as many filters each part has as the one before.
        include_top: whether the model ends in its classifier.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        pooling: without `include_top`: None for (n, rows, columns, channels), 'avg' or 'max' for (n,
            channels).
        classes: number of classes.
        default_size: rows and columns of the pictures, 331 by default; with 224 and 331 there are weights.

    Returns:
        model of the name 'NASNet'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'tf') first.
    """
    check_arguments(weights, include_top, classes, pooling)
    if weights == "imagenet" and input_shape is not None and None in tuple(input_shape):
        raise ValueError(
            "When specifying the input shape of a NASNet and loading `ImageNet` weights, the input_shape "
            f"argument must be static (no None entries). Got: `input_shape={input_shape}`."
        )
    if penultimate_filters % 24 != 0:
        raise ValueError(
            "For NASNet-A models, the value of `penultimate_filters` needs to be divisible by 24. "
            f"Current value: {penultimate_filters}"
        )
    size = 331 if default_size is None else default_size
    if weights == "imagenet" and size not in _FILES:
        raise ValueError("ImageNet weights can only be loaded with NASNetLarge or NASNetMobile")
    first, _ = start(input_tensor, input_shape, size, 32, include_top, weights)
    filters = penultimate_filters // 24

    x = Conv2D(
        stem_block_filters,
        (3, 3),
        strides=(2, 2),
        padding="valid",
        use_bias=False,
        kernel_initializer="he_normal",
        name="stem_conv1",
    )(first)
    cells = _Cells(_bn(x, "stem_bn1"))
    cells.reduction(filters // filter_multiplier**2, "stem_1")
    cells.reduction(filters // filter_multiplier, "stem_2")
    for part in range(3):
        width = filters * filter_multiplier**part
        if part:
            cells.reduction(width, f"reduce_{part * num_blocks}", keep_before=skip_reduction)
        for i in range(num_blocks):
            cells.normal(width, str(part * num_blocks + i + (1 if part else 0)))
    x = Activation("relu")(cells.x)
    if include_top:
        x = GlobalAveragePooling2D()(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    else:
        x = pool(x, pooling)
    model = finish(input_tensor, first, x, "NASNet", weights, include_top, _FILES.get(size))
    if weights not in (None, "imagenet"):
        _check_writer(weights)
    return model


def _check_writer(path: Any) -> None:
    """Warns if a file's weights belong to tf.keras's form of the network, since they fit this one as well."""
    from ..saving import h5file

    with h5file.reading(path, "load_weights") as file:
        version = h5file.text_attribute(file, "keras_version") or ""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if version.endswith("-tf") or (numbers and (int(numbers[1]), int(numbers[2])) >= (2, 3)):
        warn(
            f"{os.fspath(path)!r} was written by Keras {version}, whose NASNet sees zeros around the picture "
            "where it halves its size; this one, as in Keras 2.1.6, leaves the border out. Predictions will "
            "differ. A whole model that was saved there by `model.save('x.h5')` comes back with `load_model` "
            "as it was"
        )


def NASNetLarge(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds NASNet-A (6 @ 4032) for pictures of 331x331. Arguments as for `NASNet`."""
    return NASNet(
        input_shape,
        4032,
        6,
        96,
        True,
        2,
        include_top,
        weights,
        input_tensor,
        pooling,
        classes,
        default_size=331,
    )


def NASNetMobile(
    input_shape: Any = None,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds NASNet-A (4 @ 1056) for pictures of 224x224. Arguments as for `NASNet`."""
    return NASNet(
        input_shape,
        1056,
        4,
        32,
        False,
        2,
        include_top,
        weights,
        input_tensor,
        pooling,
        classes,
        default_size=224,
    )


def preprocess_input(x: Any, data_format: str | None = None) -> Any:
    """Scales pictures from 0 … 255 to -1 … 1, in place where possible; see `imagenet_utils`."""
    return imagenet_utils.preprocess_input(x, data_format, mode="tf")


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
