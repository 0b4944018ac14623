"""What all architectures share: their arguments, first tensor, last layers and weight files."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from .. import backend as K
from ..layers import GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from ..models import Model
from ..utils._download import cached_path
from ..utils._warn import warn
from ..utils.data_utils import get_file, validate_file
from ..utils.layer_utils import get_source_inputs
from .imagenet_utils import _obtain_input_shape


class WeightFile(NamedTuple):
    """A published weight file: its name in Keras's folder `models`, its URL, and the MD5 it may have.

    The first hash is that of the file behind the URL; further ones are those of older releases of it.
    """

    name: str
    origin: str
    hashes: tuple[str, ...] = ()

    def path(self) -> str:
        """Returns where the file lies, fetched if need be."""
        cached = cached_path(self.name, "models")
        if cached is not None and any(validate_file(cached, md5, "md5") for md5 in self.hashes[1:]):
            return cached
        return get_file(
            self.name, self.origin, cache_subdir="models", file_hash=self.hashes[0] if self.hashes else None
        )


def check_arguments(weights: Any, include_top: bool, classes: int, pooling: Any) -> None:
    """Raises ValueError for weights that are neither None, 'imagenet' nor a file, and what goes with them."""
    path = isinstance(weights, (str, os.PathLike)) and os.path.exists(weights)
    if not (weights is None or path or (isinstance(weights, str) and weights == "imagenet")):
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), `imagenet` (pre-"
            f"training on ImageNet), or the path to the weights file to be loaded. Received: {weights!r}"
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(
            'If using `weights` as `"imagenet"` with `include_top` as true, `classes` should be 1000. '
            f"Received: {classes}. For other classes take include_top=False and add a layer of your own"
        )
    if include_top and not (isinstance(classes, (int, np.integer)) and classes > 0):
        raise ValueError(f"`classes` must be a whole number above 0. Received: {classes!r}")
    if pooling not in (None, "avg", "max"):
        raise ValueError(f"`pooling` must be None, 'avg' or 'max'. Received: {pooling!r}")


def check_width(alpha: float, depth_multiplier: int) -> None:
    """Raises ValueError for a width of MobileNet that leaves no filters."""
    if not alpha > 0:
        raise ValueError(f"`alpha` must be above 0. Received: {alpha!r}")
    if not (isinstance(depth_multiplier, (int, np.integer)) and depth_multiplier > 0):
        raise ValueError(f"`depth_multiplier` must be a whole number above 0. Received: {depth_multiplier!r}")


def channel_axis() -> int:
    """Axis of the channels in the configured layout."""
    return 1 if K.image_data_format() == "channels_first" else 3


def shape_of(x: Any) -> tuple[Any, ...]:
    """Shape of a tensor with its batch axis."""
    shape: Any = K.int_shape(x)
    return shape


def channels_of(x: Any) -> int:
    """Number of channels of a batch of pictures."""
    return shape_of(x)[channel_axis()]


def picture_size(shape: Any) -> tuple[Any, Any]:
    """Rows and columns of a shape, with or without its batch axis, in the configured layout."""
    shape = tuple(shape)[-3:]
    return (shape[1], shape[2]) if K.image_data_format() == "channels_first" else (shape[0], shape[1])


def published_size(input_shape: Any, sizes: tuple[int, ...]) -> int:
    """The size that decides about the weights: the asked one if there are weights for it, else 224."""
    if isinstance(input_shape, (tuple, list)) and len(input_shape) == 3:
        rows, columns = picture_size(input_shape)
        if rows == columns and rows in sizes:
            return rows
    return 224


def weight_rows(rows: Any, columns: Any, sizes: tuple[int, ...]) -> int:
    """The size in the name of a weight file.

    Raises:
        ValueError: there are no weights for this size.
    """
    if rows is None and columns is None:
        warn("MobileNet shape is undefined. Weights for input shape (224, 224) will be loaded.")
        return 224
    if rows != columns or rows not in sizes:
        raise ValueError(
            "If imagenet weights are being loaded, input must have a static square shape (one of "
            f"{', '.join(str((size, size)) for size in sizes)}). Received: {rows}x{columns}"
        )
    return rows


def start(
    input_tensor: Any,
    input_shape: Any,
    default_size: int,
    min_size: int,
    require_flatten: bool,
    weights: Any,
) -> tuple[Any, tuple[Any, ...]]:
    """Returns the tensor that the first layer gets and the shape of one picture.

    A given tensor keeps its own shape, whatever `input_shape` says; one that no layer made becomes an
    input that is not fed.
    """
    shape = _obtain_input_shape(
        input_shape, default_size, min_size, K.image_data_format(), require_flatten, weights
    )
    if input_tensor is None:
        return Input(shape=shape), shape
    if K.is_keras_tensor(input_tensor):
        return input_tensor, shape
    return Input(tensor=input_tensor), shape


def pool(x: Any, pooling: str | None, names: tuple[str | None, str | None] = (None, None)) -> Any:
    """The end without a classifier: a picture of features, or their mean or maximum over rows and columns."""
    if pooling == "avg":
        return GlobalAveragePooling2D(name=names[0])(x)
    if pooling == "max":
        return GlobalMaxPooling2D(name=names[1])(x)
    return x


def finish(
    input_tensor: Any,
    first: Any,
    x: Any,
    name: str,
    weights: Any = None,
    include_top: bool = True,
    files: tuple[WeightFile, WeightFile] | None = None,
) -> Any:
    """Makes the model and loads its weights.

    Args:
        input_tensor: the caller's tensor, or None; what it is computed from becomes the model's input.
        first: the tensor that the first layer gets.
        x: output.
        name: the model's name.
        weights: None, 'imagenet' or a path; files are matched layer after layer.
        include_top: whether the model ends in its classifier.
        files: the published files with and without the classifier.
    """
    made = input_tensor is not None and K.is_keras_tensor(input_tensor)
    model = Model(get_source_inputs(input_tensor) if made else first, x, name=name)
    if weights == "imagenet":
        if files is None:
            raise ValueError(f"There are no ImageNet weights for this form of {name}")
        model.load_weights((files[0] if include_top else files[1]).path())
    elif weights is not None:
        _load_own(model, weights, include_top)
    return model


def _load_own(model: Any, path: Any, include_top: bool) -> None:
    """Loads a file of the user's. Raises ValueError, with what may be the matter, if it does not fit."""
    try:
        model.load_weights(path)
    except ValueError as error:
        raise ValueError(
            f"{os.fspath(path)!r} does not fit this {model.name} with `include_top={include_top}`: "
            f"{str(error).rstrip('.')}. Was it written with `include_top={not include_top}`, other "
            "`classes`, another width or another library's form of the network (tf.keras has another "
            "ResNet50)? A whole model that was saved there by `model.save('x.h5')` comes back with "
            "`load_model`, whatever its form"
        ) from error
