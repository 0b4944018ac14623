"""VGG19, a network of 19 layers with weights; see `_vgg`."""

from __future__ import annotations

from typing import Any

from ..utils.namespaces import held_by, public_names
from ._build import WeightFile
from ._vgg import vgg
from .imagenet_utils import decode_predictions, preprocess_input

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_BASE = "https://github.com/fchollet/deep-learning-models/releases/download/v0.1/"
WEIGHTS_PATH = _BASE + "vgg19_weights_tf_dim_ordering_tf_kernels.h5"
WEIGHTS_PATH_NO_TOP = _BASE + "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"

_FILES = (
    WeightFile(
        "vgg19_weights_tf_dim_ordering_tf_kernels.h5", WEIGHTS_PATH, ("cbe5617147190e668d6c5d5026f83318",)
    ),
    WeightFile(
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        WEIGHTS_PATH_NO_TOP,
        ("253f8cb515780f3b799900260a226db6",),
    ),
)


def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
) -> Any:
    """Builds VGG19.

    Args:
        include_top: whether the model ends in its three dense layers.
        weights: None for random ones, 'imagenet' for the published ones, or the path of a weight file.
        input_tensor: tensor to use as the pictures, instead of a new input.
        input_shape: shape of one picture, at least 32x32; by default 224x224 with `include_top`, else any
            size.
        pooling: without `include_top`: None for (n, rows, columns, 512), 'avg' or 'max' for (n, 512).
        classes: number of classes.

    Returns:
        model of the name 'vgg19'.

    Raises:
        ValueError: arguments that do not go together, or a shape that cannot be.

    Pictures go through `preprocess_input` (mode 'caffe') first.
    """
    return vgg(
        "vgg19", (2, 2, 4, 4, 4), _FILES, include_top, weights, input_tensor, input_shape, pooling, classes
    )


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
