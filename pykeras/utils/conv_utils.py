"""Shape arithmetic and argument checks of the convolution and pooling layers.

Source: the public behaviour of keras/utils/conv_utils.py (2.1.6 and 2.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .namespaces import held_by


def normalize_count(value: Any, name: str) -> int:
    """Turns a number of filters, units and the like into an int.

    `64 / 2` is a float in Python 3, but means 32 in scripts as old as Python 2.

    Args:
        value: a whole number above 0, of any numeric type.
        name: what to call the argument in errors ('filters' …).

    Returns:
        the number.

    Raises:
        ValueError: anything else.
    """
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = 0
    if number < 1 or number != value:
        raise ValueError(f"The `{name}` argument must be a whole number above 0. Received: {value!r}")
    return number


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """Turns an int or a sequence of ints into a tuple of n ints.

    Args:
        value: an int (repeated n times) or a sequence of n ints.
        n: length wanted.
        name: what to call the argument in errors ('kernel_size' …).

    Returns:
        tuple of n ints.

    Raises:
        ValueError: wrong length or an item that is no integer.
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return (int(value),) * n
    problem = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    try:
        items = tuple(value)
    except TypeError:
        raise ValueError(problem) from None
    if len(items) != n:
        raise ValueError(problem)
    result = []
    for item in items:
        try:
            number = int(item)
        except (TypeError, ValueError):
            number = None
        if number is None or number != item:
            raise ValueError(f"{problem} including element {item!r} of type {type(item).__name__}")
        result.append(number)
    return tuple(result)


def normalize_padding(value: Any) -> str:
    """Returns the padding mode in lower case.

    Args:
        value: 'valid', 'same', 'causal' (1D convolutions only) or 'full', in any case.

    Raises:
        ValueError: anything else.
    """
    allowed = {"valid", "same", "causal", "full"}
    padding = value.lower() if isinstance(value, str) else value
    if padding not in allowed:
        raise ValueError(
            f'The `padding` argument must be "valid" or "same" (or "causal" for Conv1D). Received: {value}'
        )
    return padding


def normalize_data_format(value: Any) -> str:
    """Returns 'channels_last' or 'channels_first'; None means the configured default.

    Raises:
        ValueError: another value.
    """
    if value is None:
        from .. import backend as K

        value = K.image_data_format()
    data_format = value.lower() if isinstance(value, str) else value
    if data_format not in {"channels_first", "channels_last"}:
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return data_format


def convert_kernel(kernel: np.ndarray) -> np.ndarray:
    """Turns a convolution kernel by 180° (Theano convolves where others correlate).

    Args:
        kernel: shape (*size, in, out), 3 to 5 dimensions.

    Returns:
        array of the same shape and dtype.

    Raises:
        ValueError: another rank.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"Invalid kernel shape: {kernel.shape}")
    spatial = (slice(None, None, -1),) * (kernel.ndim - 2)
    return np.copy(kernel[spatial])


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Length of a convolution's output along one axis.

    Args:
        input_length: length of the input, None if unknown.
        filter_size: kernel length.
        padding: 'same', 'valid', 'causal' or 'full'.
        stride: step between outputs.
        dilation: step between kernel taps.

    Returns:
        the length, or None.
    """
    if input_length is None:
        return None
    if padding not in {"same", "valid", "full", "causal"}:
        raise ValueError(f"Unknown padding: {padding}")
    extent = filter_size + (filter_size - 1) * (dilation - 1)
    if padding in ("same", "causal"):
        length = input_length
    elif padding == "valid":
        length = input_length - extent + 1
    else:
        length = input_length + extent - 1
    return (length + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """Length of the input whose convolution has the given output length (None if unknown)."""
    if output_length is None:
        return None
    if padding not in {"same", "valid", "full"}:
        raise ValueError(f"Unknown padding: {padding}")
    margin = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * margin + filter_size


def deconv_length(
    dim_size: int | None,
    stride_size: int,
    kernel_size: int,
    padding: str,
    output_padding: int | None = None,
    dilation: int = 1,
) -> int | None:
    """Length of a transposed convolution's output along one axis.

    Args:
        dim_size: length of the input, None if unknown.
        stride_size: step.
        kernel_size: kernel length.
        padding: 'same', 'valid' or 'full'.
        output_padding: extra length; None takes the length that the padding mode implies.
        dilation: step between kernel taps.

    Returns:
        the length, or None.
    """
    if padding not in {"same", "valid", "full"}:
        raise ValueError(f"Unknown padding: {padding}")
    if dim_size is None:
        return None
    extent = kernel_size + (kernel_size - 1) * (dilation - 1)
    if output_padding is None:
        if padding == "valid":
            return dim_size * stride_size + max(extent - stride_size, 0)
        if padding == "full":
            return dim_size * stride_size - (stride_size + extent - 2)
        return dim_size * stride_size
    margin = {"same": extent // 2, "valid": 0, "full": extent - 1}[padding]
    return (dim_size - 1) * stride_size + extent - 2 * margin + output_padding


# What scripts also import from here.
__getattr__ = held_by(__name__)
