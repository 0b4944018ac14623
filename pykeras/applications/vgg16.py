"""VGG16, a network of 16 layers with weights; see `_vgg`."""

from __future__ import annotations

from typing import Any

from ..utils.namespaces import held_by, public_names
from ._build import WeightFile
from ._vgg import vgg
from .imagenet_utils import decode_predictions, preprocess_input

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_BASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
WEIGHTS_PATH = _BASE + "vgg16_weights_tf_dim_ordering_tf_kernels.h5"
WEIGHTS_PATH_NO_TOP = _BASE + "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels.h5", WEIGHTS_PATH, ("64373286793e3c8b2b4e3219cbf3544b",)
    ),
    WeightFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        WEIGHTS_PATH_NO_TOP,
        ("6d6bbae143d832006294945121d1f1fc",),
    ),
)


def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds VGG16.

    Args:
        include_top: whether the model ends in its three dense layers.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else any
            size.
        pooling: without `include_top`: None for (n, rows, columns, 512), 'avg' or 'max' for (n, 512).
        classes: number of classes.

    Returns:
        model of the name 'vgg16'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'caffe') first.
    """
    return vgg(
        "vgg16", (2, 2, 3, 3, 3), _FILES, include_top, weights, input_tensor, input_shape, pooling, classes
    )


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
