"""ImageNet: pictures before the network, predictions after it, and the size of the input.

Source: the public behaviour of keras/applications/imagenet_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..utils._warn import warn
from ..utils.data_utils import get_file

CLASS_INDEX: dict[str, list[str]] | None = None
CLASS_INDEX_PATH = "https://s3.amazonaws.com/deep-learning-models/image-models/imagenet_class_index.json"
_CLASS_INDEX_HASH = "c2c37ea517e94d9795004a39431a14cb"

# mode → (divisor, means, deviations or None); the means are in the order of the channels after `mode` has run
_CAFFE_MEAN = (103.939, 116.779, 123.68)
_TORCH_MEAN = (0.485, 0.456, 0.406)
_TORCH_STD = (0.229, 0.224, 0.225)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Turns pictures with values from 0 to 255 into what a network was trained with.

    An array of floats is changed in place (copy it first if it is still needed); other arrays are copied.

    Args:
        x: RGB pictures, array or tensor: (rows, columns, 3) or (n, rows, columns, 3), or with further axes
            before these; channels first accordingly.
        data_format: 'channels_last' or 'channels_first'; None means the configured one.
        mode: 'caffe' reverses the channels to BGR and subtracts ImageNet's mean colour; 'tf' scales to -1
            … 1; 'torch' scales to 0 … 1 and standardises each channel with ImageNet's mean and deviation.

    Returns:
        array or tensor of the same shape. With mode 'caffe' an array is a view of `x` with its channels
        reversed.

    Raises:
        ValueError: unknown `data_format` or `mode`; with modes 'caffe' and 'torch', pictures that do not have
            three channels.

    Example:
        >>> preprocess_input(np.array([[[255.0, 127.5, 0.0]]]), mode='tf')
        array([[[ 1.,  0., -1.]]])
    """
    data_format = K.normalize_data_format(data_format)
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f"Unknown mode: {mode!r}. Expected 'caffe', 'tf' or 'torch'.")
    if K.is_tensor(x):
        _check_channels(K.int_shape(x), data_format, mode)
        return _preprocess_tensor(x, data_format, mode)
    x = np.asarray(x)
    _check_channels(x.shape, data_format, mode)
    if not issubclass(x.dtype.type, np.floating):
        x = x.astype(K.floatx())
    elif not x.flags.writeable:
        x = x.copy()
    # one picture at a time, which stays in the processor's cache from one step to the next
    for index in np.ndindex(x.shape[:-3]):
        _preprocess_picture(x[index + (...,)], data_format, mode)
    return _reverse(x, data_format) if mode == "caffe" else x


def _check_channels(shape: Any, data_format: str, mode: str) -> None:
    """Raises ValueError if the channels are not red, green and blue where the mode has a number for each."""
    if mode == "tf":
        return
    axis = -1 if data_format == "channels_last" else -3
    if len(shape) < -axis or shape[axis] not in (3, None):
        raise ValueError(
            f"preprocess_input with mode {mode!r} and {data_format!r} expects pictures with 3 channels (RGB)."
            f" Got shape {tuple(shape)}; `load_img(path)` turns pictures of other modes into RGB"
        )


def _reverse(x: Any, data_format: str) -> Any:
    """RGB ↔ BGR."""
    return x[..., ::-1] if data_format == "channels_last" else x[..., ::-1, :, :]


def _preprocess_picture(x: np.ndarray, data_format: str, mode: str) -> None:
    """Changes one picture in place, all but the order of its channels."""
    if mode == "tf":
        x /= 127.5
        x -= 1.0
        return
    # here the channels are still in the order RGB
    mean = _spread(_CAFFE_MEAN[::-1] if mode == "caffe" else _TORCH_MEAN, x, data_format)
    rows = x
    if data_format == "channels_last" and x.ndim == 3 and x.flags.c_contiguous:
        rows = x.reshape(len(x), -1)  # whole rows at a time are much faster than three numbers at a time
        mean = np.tile(mean, x.shape[1])
    if mode == "torch":
        rows /= 255.0
    rows -= mean
    if mode == "torch":
        deviation = _spread(_TORCH_STD, x, data_format)
        rows /= np.tile(deviation, x.shape[1]) if rows is not x else deviation


def _spread(values: tuple[float, ...], x: np.ndarray, data_format: str) -> np.ndarray:
    """One value per channel, in a shape that goes with a picture."""
    array = np.array(values, dtype=x.dtype)
    return array if data_format == "channels_last" else array.reshape(3, 1, 1)


def _preprocess_tensor(x: Any, data_format: str, mode: str) -> Any:
    if not K.dtype(x).startswith("float"):
        x = K.cast(x, K.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0

    def constant(values: tuple[float, ...]) -> Any:
        shape = (3,) if data_format == "channels_last" else (3, 1, 1)
        return K.constant(np.reshape(values, shape), dtype=K.dtype(x))

    if mode == "torch":
        return (x / 255.0 - constant(_TORCH_MEAN)) / constant(_TORCH_STD)
    return _reverse(x, data_format) - constant(_CAFFE_MEAN)


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """Names the classes that an ImageNet model finds most probable.

    The table of names is the file `imagenet_class_index.json` in Keras's folder `models`, fetched if need be.

    Args:
        preds: predictions of shape (n, 1000).
        top: number of classes per picture.

    Returns:
        for each picture a list of (WordNet number, name, score), the best one first.

    Raises:
        ValueError: `preds` has another shape.
        OSError: the table is not there and cannot be fetched.
    """
    global CLASS_INDEX
    preds = np.asarray(preds)
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise ValueError(
            "`decode_predictions` expects a batch of predictions (i.e. a 2D array of shape (samples, 1000)). "
            f"Found array with shape: {preds.shape}"
        )
    if CLASS_INDEX is None:
        import json

        path = get_file(
            "imagenet_class_index.json", CLASS_INDEX_PATH, cache_subdir="models", file_hash=_CLASS_INDEX_HASH
        )
        with open(path, encoding="utf-8") as file:
            CLASS_INDEX = json.load(file)
    results = []
    for scores in preds:
        best = scores.argsort()[::-1][:top]
        results.append([(*CLASS_INDEX[str(i)], scores[i]) for i in best])
    return results  # type: ignore[return-value]


def _obtain_input_shape(
    input_shape: Any,
    default_size: int,
    min_size: int,
    data_format: str,
    require_flatten: bool,
    weights: Any = None,
) -> tuple[int | None, ...]:
    """Returns the shape of one picture, checked.

    Args:
        input_shape: what the caller asks for, or None.
        default_size: rows and columns of the published model.
        min_size: smallest number of rows and of columns.
        data_format: 'channels_last' or 'channels_first'.
        require_flatten: whether rows and columns must be known (the model ends in a classifier).
        weights: None, 'imagenet' or a path; with 'imagenet' there must be three channels.

    Raises:
        ValueError: the shape cannot be.
    """
    channels_at = 0 if data_format == "channels_first" else -1
    channels = 3
    if input_shape is not None and not _is_shape(input_shape):
        raise ValueError(f"`input_shape` must be a tuple of three integers. Received: {input_shape!r}")
    if input_shape is not None and weights != "imagenet":
        channels = input_shape[channels_at]
        if channels not in (1, 3):
            warn(
                "This model usually expects 1 or 3 input channels. However, it was passed an input_shape "
                f"with {channels} input channels."
            )

    def shape(size: int | None) -> tuple[int | None, ...]:
        return (channels, size, size) if data_format == "channels_first" else (size, size, channels)

    if input_shape is None:
        return shape(default_size if require_flatten else None)
    input_shape = tuple(input_shape)
    if weights == "imagenet" and require_flatten and input_shape != shape(default_size):
        raise ValueError(
            "When setting `include_top=True` and loading `imagenet` weights, `input_shape` should be "
            f"{shape(default_size)}. Received: {input_shape}"
        )
    if weights == "imagenet" and input_shape[channels_at] != 3:
        raise ValueError(f"The input must have 3 channels; got `input_shape={input_shape}`")
    sizes = input_shape[1:] if data_format == "channels_first" else input_shape[:2]
    if any(size is not None and size < min_size for size in sizes):
        first = data_format == "channels_first"
        order = "(channels, rows, columns)" if first else "(rows, columns, channels)"
        raise ValueError(
            f"Input size must be at least {min_size}x{min_size}; got `input_shape={input_shape}`, which with "
            f"{data_format!r} means {order}. Enlarge the pictures, for instance by "
            f"`load_img(path, target_size=({min_size}, {min_size}))`"
        )
    if require_flatten and None in input_shape:
        raise ValueError(
            "If `include_top` is True, you should specify a static `input_shape`. "
            f"Got `input_shape={input_shape}`"
        )
    return input_shape


def _is_shape(shape: Any) -> bool:
    """Three sizes, known or not."""
    return (
        isinstance(shape, (tuple, list))
        and len(shape) == 3
        and all(size is None or isinstance(size, (int, np.integer)) for size in shape)
    )
