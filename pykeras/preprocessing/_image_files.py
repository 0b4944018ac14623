"""Images in files, and as arrays. Pillow is needed for files only, and imported when one is touched.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6; RGBA and `save_img` as in 2.2.4).
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..backend.common import floatx, normalize_data_format

_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
CHANNELS = {"grayscale": 1, "rgb": 3, "rgba": 4}


def pillow() -> Any:
    """Returns the module PIL.Image.

    Raises:
        ImportError: Pillow is not there.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Could not import PIL.Image. Reading and writing images needs Pillow: pip install pillow"
        ) from error
    return Image


def check_target_size(target_size: Any) -> tuple[int, int]:
    """Returns (height, width) of what stands for it.

    Raises:
        ValueError: these are not two positive whole numbers.
    """
    try:
        height, width = (int(n) for n in target_size)
        fits = height > 0 and width > 0 and (height, width) == tuple(target_size)
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError(
            f"`target_size` must be two positive integers (height, width). Received: {target_size!r}"
        )
    return height, width


def check_color_mode(color_mode: Any) -> str:
    """Returns the colour mode.

    Raises:
        ValueError: there is no such mode.
    """
    if color_mode not in _MODES:
        raise ValueError(f"Invalid color mode: {color_mode!r}; expected 'rgb', 'rgba', or 'grayscale'.")
    return str(color_mode)


def load_img(
    path: Any,
    grayscale: bool = False,
    target_size: Any = None,
    interpolation: str = "nearest",
    color_mode: str = "rgb",
) -> Any:
    """Reads an image file.

    Args:
        path: the file: a path, or a binary file object.
        grayscale: the old way to say color_mode='grayscale'.
        target_size: (height, width) in pixels to which it is brought; None leaves it.
        interpolation: how: 'nearest', 'bilinear', 'bicubic', 'hamming', 'box' or 'lanczos'.
        color_mode: 'rgb', 'rgba' or 'grayscale', whatever the file holds. Files with 16 bits per pixel are
            brought to 8.

    Returns:
        A PIL image with mode 'RGB', 'RGBA' or 'L'.

    Raises:
        ImportError: Pillow is not there.
        FileNotFoundError: there is no such file.
        OSError: the file is no image, or broken.
        ValueError: colour mode, size or interpolation is unknown, or the file holds numbers that are no
            colours.

    Example:
        >>> img_to_array(load_img("cat.png", target_size=(150, 150))).shape
        (150, 150, 3)
    """
    image_module = pillow()
    mode = _MODES["grayscale" if grayscale else check_color_mode(color_mode)]
    if target_size is not None:
        height, width = check_target_size(target_size)
    if interpolation not in _FILTERS:
        raise ValueError(
            f"Invalid interpolation method {interpolation} specified. Supported methods are "
            f"{', '.join(_FILTERS)}"
        )
    try:
        with image_module.open(path) as image:
            image.load()
            if image.mode in ("I", "F") or image.mode.startswith("I;"):
                image = _to_8_bits(image_module, image, path)
            if image.mode != mode:
                image = image.convert(mode)
    except FileNotFoundError:
        raise
    except (OSError, SyntaxError, EOFError) as error:  # Pillow's errors for files that are broken
        kind = type(error) if isinstance(error, OSError) else OSError  # such as UnidentifiedImageError
        raise kind(f"Cannot read the image {path!s}: {error}") from error
    if target_size is not None and image.size != (width, height):
        image = image.resize((width, height), getattr(image_module.Resampling, interpolation.upper()))
    return image


def _to_8_bits(image_module: Any, image: Any, path: Any) -> Any:
    """Brings wide pixels to mode 'L': values up to 255 stay, up to 65535 lose their lower byte.

    A plain conversion would cut all values at 255, and turn such pictures white.
    """
    values = np.asarray(image)
    low, high = values.min(initial=0), values.max(initial=0)
    sixteen = image.mode.startswith("I;16")
    if not (low >= 0 and high <= 65535) or (image.mode == "F" and high > 255):
        raise ValueError(
            f"The image {path!s} has mode {image.mode} with values from {low} to {high}, which are no "
            "colours: open it with PIL.Image.open, scale it to 0…255 yourself, or use flow() with arrays"
        )
    if sixteen or high > 255:
        values = values.astype("int64") >> 8
    return image_module.fromarray(values.astype("uint8"))


def img_to_array(img: Any, data_format: str | None = None, dtype: npt.DTypeLike | None = None) -> np.ndarray:
    """Turns an image into an array.

    Args:
        img: a PIL image, or anything that NumPy takes for an array of rank 2 or 3.
        data_format: where the channels go; None for the configured layout.
        dtype: None for the configured float type.

    Returns:
        An array of shape (height, width, channels) or (channels, height, width).

    Raises:
        ValueError: the image has another rank, or the data format is unknown.

    Example:
        >>> img_to_array([[0, 255]]).shape
        (1, 2, 1)
    """
    data_format = normalize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or floatx())
    if x.ndim == 2:
        x = x[:, :, None]
    elif x.ndim != 3:
        raise ValueError(f"Unsupported image shape: {x.shape}; an image has rank 2 or 3")
    return np.ascontiguousarray(x.transpose(2, 0, 1)) if data_format == "channels_first" else x


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: npt.DTypeLike | None = None
) -> Any:
    """Turns an array into a PIL image.

    Args:
        x: one image, with 1, 3 or 4 channels.
        data_format: where the channels are; None for the configured layout.
        scale: bring the values to 0…255: an image with negative ones is raised until the least is 0, then
            all are divided by the greatest.
        dtype: the type in which this is computed; None for the configured float type.

    Returns:
        A PIL image with mode 'L', 'RGB' or 'RGBA'.

    Raises:
        ImportError: Pillow is not there.
        ValueError: the rank is not 3, or there is another number of channels.

    Example:
        >>> array_to_img(np.zeros((2, 3, 1))).size
        (3, 2)
    """
    image_module = pillow()
    x = np.asarray(x, dtype=dtype or floatx())
    if x.ndim != 3:
        raise ValueError(
            f"Expected image array to have rank 3 (single image). Got array with shape: {x.shape}"
        )
    if normalize_data_format(data_format) == "channels_first":
        x = x.transpose(1, 2, 0)
    if x.shape[2] not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {x.shape[2]}; an image has 1, 3 or 4 channels")
    if scale and x.size:
        x = x + max(-x.min(), 0)
        greatest = x.max()
        if greatest != 0:
            x = x / greatest
        x = x * 255
    pixels = np.ascontiguousarray(x.astype("uint8"))
    return image_module.fromarray(pixels[:, :, 0] if x.shape[2] == 1 else pixels)


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array as an image file.

    Args:
        path: the file: a path, or a binary file object.
        x: one image, with 1, 3 or 4 channels.
        data_format: where the channels are; None for the configured layout.
        file_format: 'png', 'jpeg' …; None goes by the name of the file.
        scale: bring the values to 0…255, see `array_to_img`.
        **kwargs: passed to the image's `save`.

    Raises:
        ImportError: Pillow is not there.
        ValueError: the array is no image, or the file format is unknown.

    Example:
        >>> save_img("noise.png", np.random.rand(8, 8, 3))
    """
    image = array_to_img(x, data_format, scale)
    file_format = "jpeg" if file_format and file_format.lower() == "jpg" else file_format
    wanted = file_format or os.path.splitext(str(path))[1].lstrip(".")
    if image.mode == "RGBA" and wanted.lower() in ("jpg", "jpeg"):
        warnings.warn("The JPG format does not support RGBA images, converting to RGB.", stacklevel=2)
        image = image.convert("RGB")
    try:
        image.save(path, format=file_format, **kwargs)
    except KeyError as error:
        raise ValueError(
            f"Unknown `file_format` {file_format!r}: take what Pillow can write, such as 'png' or 'jpeg'"
        ) from error


def list_pictures(directory: str, ext: str | Iterable[str] = "jpg|jpeg|bmp|png|ppm") -> list[str]:
    """Lists the image files of a folder and of those within it.

    Args:
        directory: the folder.
        ext: the endings that count, separated by |, or a list of them; letter case does not matter.

    Returns:
        Paths that begin with `directory`, sorted.

    Example:
        >>> list_pictures("cats")
        ['cats/1.jpg', 'cats/2.png']
    """
    endings = ext if isinstance(ext, str) else "|".join(ext)
    name = re.compile(rf".+\.(?:{endings})", re.IGNORECASE)
    return sorted(
        os.path.join(root, file)
        for root, _, files in os.walk(directory)
        for file in files
        if name.fullmatch(file)
    )
