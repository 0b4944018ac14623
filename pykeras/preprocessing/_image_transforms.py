"""Transformations of one image: moved, in other colours, mirrored.

Source: the public behaviour of keras/preprocessing/image.py (2.1.6; the `apply_*` functions as in 2.2.4).
Images are moved with linear interpolation, exactly as SciPy's `ndimage.affine_transform` does it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .._cython import images
from ..backend.common import floatx, normalize_data_format

Matrix = tuple[float, float, float, float, float, float]  # the first two rows of a 3 × 3 matrix


def check_fill_mode(fill_mode: Any) -> str:
    """Returns the fill mode.

    Raises:
        ValueError: there is no such mode.
    """
    if fill_mode not in images.MODES:
        raise ValueError(
            f"`fill_mode` must be 'constant', 'nearest', 'reflect' or 'wrap'. Received: {fill_mode!r}"
        )
    return str(fill_mode)


def check_pair(name: str, pair: Any) -> tuple[Any, Any]:
    """Returns the two numbers of a range.

    Raises:
        ValueError: these are not two.
    """
    if np.ndim(pair) != 1 or len(pair) != 2:
        raise ValueError(f"`{name}` should be a tuple or list of two floats. Received: {pair!r}")
    return pair[0], pair[1]


def uniform(low: float, high: float) -> float:
    """Draws what `np.random.uniform(low, high)` would draw, in a fraction of its time."""
    return low + (high - low) * np.random.random_sample()


def draw_shift(shift_range: Any, size: int) -> float:
    """Draws a shift in pixels, with the draws that `np.random.choice` makes for whole numbers and lists."""
    if not np.size(shift_range) or (np.ndim(shift_range) == 0 and not shift_range):
        return 0
    if np.ndim(shift_range) or isinstance(shift_range, int | np.integer):
        values = np.asarray(shift_range) if np.ndim(shift_range) else None
        place = np.random.randint(0, int(shift_range) if values is None else len(values))
        shift = place if values is None else values[place].item()
        shift *= (-1, 1)[np.random.randint(0, 2)]
        most = 1 if values is None else np.abs(values).max()
    else:
        shift = uniform(-shift_range, shift_range)
        most = abs(shift_range)
    return shift * size if most < 1 else shift


def _check_image(x: Any) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 3:
        raise ValueError(f"An image must have rank 3. Got an array with shape {x.shape}")
    return x


def _axes(row_axis: int, col_axis: int, channel_axis: int) -> tuple[int, int, int]:
    axes = (row_axis % 3, col_axis % 3, channel_axis % 3)
    if sorted(axes) != [0, 1, 2]:
        raise ValueError(
            "Rows, columns and channels must be different axes. "
            f"Received: {row_axis}, {col_axis}, {channel_axis}"
        )
    return axes


def transform_matrix_offset_center(matrix: Any, x: float, y: float) -> np.ndarray:
    """Makes a matrix act about the centre of an image: (x / 2 + 0.5, y / 2 + 0.5).

    Args:
        matrix: 3 × 3, acting on (row, column, 1).
        x: height in pixels.
        y: width in pixels.

    Returns:
        A 3 × 3 matrix.

    Example:
        >>> transform_matrix_offset_center(np.diag([2.0, 2.0, 1.0]), 3, 3)[:2, 2]
        array([-2., -2.])
    """
    out = np.array(matrix, dtype=float)
    centre = np.array([float(x) / 2 + 0.5, float(y) / 2 + 0.5])
    out[:2, 2] = out[:2, :2] @ -centre + (out[:2, 2] + centre)
    return out


def affine_matrix(
    shape: tuple[int, int], theta: float, tx: float, ty: float, shear: float, zx: float, zy: float
) -> Matrix | None:
    """Joins rotation, shift, shear and zoom, in this order, about the centre of an image.

    Args:
        shape: height and width in pixels.
        theta, shear: degrees.
        tx, ty: pixels along the rows and columns.
        zx, zy: factors along the rows and columns.

    Returns:
        The first two rows of the matrix; None where nothing changes.
    """
    if theta == 0 and tx == 0 and ty == 0 and shear == 0 and zx == 1 and zy == 1:
        return None
    a, b, c, d, top, left = 1.0, 0.0, 0.0, 1.0, float(tx), float(ty)
    if theta != 0:
        cos, sin = math.cos(math.radians(theta)), math.sin(math.radians(theta))
        a, b, c, d = cos, -sin, sin, cos
        top, left = a * tx + b * ty, c * tx + d * ty
    if shear != 0:
        sin, cos = math.sin(math.radians(shear)), math.cos(math.radians(shear))
        a, b, c, d = a, b * cos - a * sin, c, d * cos - c * sin
    if zx != 1 or zy != 1:
        a, b, c, d = a * zx, b * zy, c * zx, d * zy
    row, col = shape[0] / 2 + 0.5, shape[1] / 2 + 0.5
    top = a * -row + b * -col + (top + row)
    left = c * -row + d * -col + (left + col)
    return a, b, top, c, d, left


def move(
    x: np.ndarray, matrix: Sequence[float], axes: tuple[int, int, int], fill_mode: str, cval: float
) -> np.ndarray:
    """Returns an image moved by a matrix; whole numbers are rounded, as SciPy does it, and truth values too.

    Args:
        x: one image.
        matrix: the first two rows of the matrix from places in the result to places in `x`.
        axes: those of rows, columns and channels.
        fill_mode, cval: what stands beyond the border.
    """
    work = np.dtype("float32") if x.dtype == np.float16 else np.dtype(float)
    source = x if x.dtype in (np.float32, np.float64) else x.astype(work)
    out = np.empty_like(source, order="C")
    images.affine(source.transpose(axes), out.transpose(axes), matrix, images.MODES[fill_mode], cval)
    if x.dtype.kind == "b":
        out = out >= 0.5
    elif x.dtype.kind in "iu":
        limits = np.iinfo(x.dtype)
        out = np.clip(np.trunc(out + np.copysign(0.5, out)), limits.min, limits.max)
    return out.astype(x.dtype, copy=False)


def apply_transform(
    x: Any, transform_matrix: Any, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """Moves an image by a matrix.

    Args:
        x: one image of rank 3.
        transform_matrix: 3 × 3: turns (row, column, 1) of a pixel of the result into its place in `x`.
        channel_axis: the axis of the channels; of the others, the first one is the rows.
        fill_mode: what stands beyond the border: 'nearest' repeats the last pixel, 'constant' is `cval`,
            'reflect' mirrors, 'wrap' begins anew.
        cval: the value for 'constant'.

    Returns:
        The moved image, with shape and dtype of `x`.

    Raises:
        ValueError: the rank is not 3, or the fill mode is unknown.

    Example:
        >>> one_down = np.array([[1, 0, -1], [0, 1, 0], [0, 0, 1]])
        >>> apply_transform(np.array([[[1], [2], [3]]]), one_down)[0, :, 0]
        array([1, 1, 2])
    """
    x = _check_image(x)
    rows, columns = (axis for axis in range(3) if axis != channel_axis % 3)
    matrix = np.asarray(transform_matrix, dtype=float)[:2, :3].ravel().tolist()
    return move(x, matrix, (rows, columns, channel_axis % 3), check_fill_mode(fill_mode), cval)


def apply_affine_transform(
    x: Any,
    theta: float = 0,
    tx: float = 0,
    ty: float = 0,
    shear: float = 0,
    zx: float = 1,
    zy: float = 1,
    row_axis: int = 0,
    col_axis: int = 1,
    channel_axis: int = 2,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """Rotates, shifts, shears and zooms an image about its centre.

    Args:
        x: one image of rank 3.
        theta: rotation in degrees.
        tx, ty: shift along the rows and columns in pixels.
        shear: shear angle in degrees.
        zx, zy: zoom along the rows and columns; below 1 the picture grows.
        row_axis, col_axis, channel_axis: the axes of `x`.
        fill_mode, cval: what stands beyond the border, see `apply_transform`.

    Returns:
        The moved image; `x` itself where nothing changes.

    Raises:
        ValueError: the rank is not 3, or the fill mode is unknown.

    Example:
        >>> apply_affine_transform(np.arange(3.0).reshape(3, 1, 1), tx=1)[:, 0, 0]
        array([1., 2., 2.])
    """
    x = _check_image(x)
    axes = _axes(row_axis, col_axis, channel_axis)
    matrix = affine_matrix((x.shape[axes[0]], x.shape[axes[1]]), theta, tx, ty, shear, zx, zy)
    return x if matrix is None else move(x, matrix, axes, check_fill_mode(fill_mode), cval)


def random_rotation(
    x: Any,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """Rotates an image by an angle between −`rg` and `rg` degrees, drawn from numpy's global generator.

    Args:
        x: one image of rank 3.
        rg: the largest angle in degrees.
        row_axis, col_axis, channel_axis: the axes of `x`.
        fill_mode, cval: what stands beyond the border, see `apply_transform`.

    Returns:
        The rotated image.

    Example:
        >>> random_rotation(np.ones((3, 8, 8)), 30).shape
        (3, 8, 8)
    """
    theta = uniform(-rg, rg)
    return apply_affine_transform(x, theta, 0, 0, 0, 1, 1, row_axis, col_axis, channel_axis, fill_mode, cval)


def random_shift(
    x: Any,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """Shifts an image by up to `hrg` of its height and `wrg` of its width, either way.

    Args:
        x: one image of rank 3.
        wrg, hrg: fractions of width and height.
        row_axis, col_axis, channel_axis: the axes of `x`.
        fill_mode, cval: what stands beyond the border, see `apply_transform`.

    Returns:
        The shifted image. The height is drawn first.

    Example:
        >>> random_shift(np.ones((3, 8, 8)), 0.1, 0.1).shape
        (3, 8, 8)
    """
    x = _check_image(x)
    tx = uniform(-hrg, hrg) * x.shape[row_axis]
    ty = uniform(-wrg, wrg) * x.shape[col_axis]
    axes = _axes(row_axis, col_axis, channel_axis)
    return move(x, (1, 0, tx, 0, 1, ty), axes, check_fill_mode(fill_mode), cval)


def random_shear(
    x: Any,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """Shears an image by an angle between −`intensity` and `intensity` degrees.

    Args:
        x: one image of rank 3.
        intensity: the largest angle in degrees.
        row_axis, col_axis, channel_axis: the axes of `x`.
        fill_mode, cval: what stands beyond the border, see `apply_transform`.

    Returns:
        The sheared image.

    Example:
        >>> random_shear(np.ones((3, 8, 8)), 20).shape
        (3, 8, 8)
    """
    shear = uniform(-intensity, intensity)
    return apply_affine_transform(x, 0, 0, 0, shear, 1, 1, row_axis, col_axis, channel_axis, fill_mode, cval)


def random_zoom(
    x: Any,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """Zooms an image by two factors, for rows and columns, drawn from a range.

    Args:
        x: one image of rank 3.
        zoom_range: the least and the greatest factor.
        row_axis, col_axis, channel_axis: the axes of `x`.
        fill_mode, cval: what stands beyond the border, see `apply_transform`.

    Returns:
        The zoomed image. Nothing is drawn for the range (1, 1).

    Raises:
        ValueError: the range is not two numbers.

    Example:
        >>> random_zoom(np.ones((3, 8, 8)), (0.8, 1.2)).shape
        (3, 8, 8)
    """
    low, high = check_pair("zoom_range", zoom_range)
    zx, zy = (1.0, 1.0) if low == high == 1 else (uniform(low, high), uniform(low, high))
    return apply_affine_transform(x, 0, 0, 0, 0, zx, zy, row_axis, col_axis, channel_axis, fill_mode, cval)


def rows_of_pixels(x: np.ndarray, channel_axis: int) -> list[tuple[np.ndarray, slice]]:
    """The values of a C-contiguous image as rows, each with the channels that come in turn there.

    One row where the channels are the last axis, one for each channel where they are the first.
    """
    if channel_axis == x.ndim - 1:
        return [(x.reshape(-1), slice(None))]
    return [(plane.reshape(-1), slice(k, k + 1)) for k, plane in enumerate(x)]


def shift_in_place(x: np.ndarray, intensity: Any, channel_axis: int) -> None:
    """Adds to the channels of a C-contiguous float image, within the range of values that it has.

    Raises:
        ValueError: there is neither one number nor one for each channel.
    """
    channels = x.shape[channel_axis]
    values = np.asarray(intensity, dtype=x.dtype).ravel()
    if len(values) != channels:
        if len(values) != 1:
            raise ValueError(f"{len(values)} channel shifts were given for {channels} channels")
        values = values.repeat(channels)
    low, high = x.min(), x.max()
    for row, part in rows_of_pixels(x, channel_axis):
        images.shift_channels(row, values[part], low, high)


def apply_channel_shift(x: Any, intensity: Any, channel_axis: int = 0) -> np.ndarray:
    """Adds a number to the channels of an image, within the range of values that it has.

    Args:
        x: one image of rank 3.
        intensity: what to add: one number, or one for each channel.
        channel_axis: the axis of the channels.

    Returns:
        The image in other colours, floats.

    Raises:
        ValueError: the rank is not 3, or there are more numbers than channels.

    Example:
        >>> apply_channel_shift(np.array([[[0.0, 5.0, 9.0]]]), 3)
        array([[[3., 8., 9.]]])
    """
    x = _check_image(x)
    half = x.dtype == np.float16
    dtype = np.dtype("float32" if half else x.dtype if x.dtype in (np.float32, np.float64) else float)
    # The channels first, unless they are last.
    source = x if channel_axis in (2, -1) else np.moveaxis(x, channel_axis, 0)
    out = np.array(source, dtype=dtype, order="C")
    if out.size:
        shift_in_place(out, intensity, 2 if source is x else 0)
    out = out.astype("float16") if half else out
    return out if source is x else np.moveaxis(out, 0, channel_axis)


def random_channel_shift(x: Any, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """Adds to each channel of an image a number between −`intensity` and `intensity`.

    Args:
        x: one image of rank 3.
        intensity: the largest number.
        channel_axis: the axis of the channels.

    Returns:
        The image in other colours, floats, within the range of values that it had.

    Example:
        >>> random_channel_shift(np.random.rand(3, 8, 8), 0.2).shape
        (3, 8, 8)
    """
    x = _check_image(x)
    shifts = [uniform(-intensity, intensity) for _ in range(x.shape[channel_axis])]
    return apply_channel_shift(x, shifts, channel_axis)


def brighten(x: np.ndarray, out: np.ndarray, factor: float, channel_axis: int) -> None:
    """Brings a C-contiguous float image to 0…255 and multiplies its colours; may be in place."""
    channels = x.shape[channel_axis]
    if channels not in (1, 3, 4):
        raise ValueError(f"Unsupported channel number: {channels}; brightness needs 1, 3 or 4 channels")
    if x.size:
        values = np.full(channels, factor, x.dtype)
        values[3:] = 1  # opacity
        low, high = x.min(), x.max()
        rows = zip(rows_of_pixels(x, channel_axis), rows_of_pixels(out, channel_axis))
        for (row, part), (to, _) in rows:
            images.brighten(row, to, low, high, values[part])


def apply_brightness_shift(x: Any, brightness: float, data_format: str | None = None) -> np.ndarray:
    """Makes an image darker or brighter.

    The image becomes one of 8 bits first (see `array_to_img`), so its range of values changes.

    Args:
        x: one image, with 1, 3 or 4 channels.
        brightness: the factor: 0 gives black, 1 the image as it is.
        data_format: where the channels are; None for the configured layout.

    Returns:
        An array of whole numbers from 0 to 255, of the configured float type.

    Raises:
        ValueError: the rank is not 3, or there is another number of channels.

    Example:
        >>> apply_brightness_shift(np.array([[[0.0], [1.0]]]), 0.5).ravel()
        array([  0., 127.], dtype=float32)
    """
    dtype = floatx() if floatx() in ("float32", "float64") else "float32"
    x = np.ascontiguousarray(_check_image(x), dtype=dtype)
    out = np.empty_like(x)
    brighten(x, out, brightness, 0 if normalize_data_format(data_format) == "channels_first" else 2)
    return out.astype(floatx(), copy=False)


def random_brightness(x: Any, brightness_range: Sequence[float]) -> np.ndarray:
    """Makes an image darker or brighter by a factor drawn from a range.

    Args:
        x: one image in the configured layout, with 1, 3 or 4 channels.
        brightness_range: the least and the greatest factor.

    Returns:
        An array of whole numbers from 0 to 255; see `apply_brightness_shift`.

    Raises:
        ValueError: the range is not two numbers, or this is no image.

    Example:
        >>> random_brightness(np.random.rand(8, 8, 3), (0.5, 1.5)).shape
        (8, 8, 3)
    """
    low, high = check_pair("brightness_range", brightness_range)
    return apply_brightness_shift(x, uniform(low, high))


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """Mirrors an array along one axis.

    Args:
        x: an array.
        axis: the axis.

    Returns:
        A view of `x`.

    Example:
        >>> flip_axis([[1, 2, 3]], 1)
        array([[3, 2, 1]])
    """
    return np.flip(np.asarray(x), axis)
