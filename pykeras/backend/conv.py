"""Convolutions, pooling and bias.

The engine computes channels_last in two and three dimensions; everything else is brought to that.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from ..utils import conv_utils
from .common import normalize_data_format
from .engine import Tensor, op, to_tensor
from .movement import reshape_to

__all__ = [
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "conv3d_transpose",
    "depthwise_conv2d",
    "local_conv1d",
    "local_conv2d",
    "pool2d",
    "pool3d",
    "separable_conv1d",
    "separable_conv2d",
]

_TO_LAST = {3: [0, 2, 1], 4: [0, 2, 3, 1], 5: [0, 2, 3, 4, 1]}
_TO_FIRST = {3: [0, 2, 1], 4: [0, 3, 1, 2], 5: [0, 4, 1, 2, 3]}


def _numbers(value: Any, n: int, name: str) -> list[int]:
    """An int, or a list of n ints, as a list."""
    result = [int(value)] * n if isinstance(value, int) else [int(v) for v in value]
    if len(result) != n or builtins.min(result) < 1:
        raise ValueError(f"`{name}` must be {n} positive ints, not {value!r}.")
    return result


def _padding(padding: str, also: Sequence[str] = ()) -> str:
    name = padding.lower() if isinstance(padding, str) else padding
    if name not in ("same", "valid", *also):
        raise ValueError(f"Invalid padding: {padding!r}. Expected 'same' or 'valid'.")
    return name


def _check_rank(x: Tensor, rank: int, what: str) -> None:
    if len(x.shape) != rank:
        raise ValueError(f"{what} needs a tensor with {rank} axes, not one of shape {tuple(x.shape)}.")


def _strides_or_dilation(strides: Sequence[int], dilation: Sequence[int]) -> None:
    if any(s != 1 for s in strides) and any(d != 1 for d in dilation):
        raise ValueError(
            f"Strides other than 1 cannot be combined with a dilation rate other than 1; "
            f"got strides {tuple(strides)} and dilation_rate {tuple(dilation)}."
        )


def to_last(x: Tensor, data_format: str) -> Tensor:
    """Brings the channels of a channels_first tensor to the end."""
    if data_format == "channels_last":
        return x
    return op("transpose", x, perm=_TO_LAST[len(x.shape)])


def from_last(x: Tensor, data_format: str) -> Tensor:
    """The reverse of `to_last`."""
    if data_format == "channels_last":
        return x
    return op("transpose", x, perm=_TO_FIRST[len(x.shape)])


def conv2d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Correlates images with a kernel.

    Args:
        x: tensor of shape (samples, rows, columns, channels), or (samples, channels, rows, columns).
        kernel: tensor of shape (height, width, channels, filters), in either layout.
        strides: steps along rows and columns.
        padding: 'same' or 'valid'.
        data_format: layout of x and the result; None means the configured one.
        dilation_rate: distance between the kernel's elements; not together with strides.
    Raises: ValueError for arguments that do not fit each other.
    """
    return _convolve(2, x, kernel, strides, padding, data_format, dilation_rate)


def conv3d(
    x: Any,
    kernel: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
) -> Tensor:
    """Correlates volumes with a kernel.

    Args:
        x: tensor of shape (samples, depth, rows, columns, channels), or with the channels second.
        kernel: tensor of shape (depth, height, width, channels, filters), in either layout.
        strides, padding, data_format, dilation_rate: as in `conv2d`, with one number more.
    Raises: ValueError for arguments that do not fit each other.
    """
    return _convolve(3, x, kernel, strides, padding, data_format, dilation_rate)


def _convolve(
    axes: int, x: Any, kernel: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any
) -> Tensor:
    """`conv2d` or `conv3d`."""
    data_format = normalize_data_format(data_format)
    x, kernel = to_tensor(x), to_tensor(kernel)
    _check_rank(x, axes + 2, f"`conv{axes}d`")
    steps, holes = _numbers(strides, axes, "strides"), _numbers(dilation_rate, axes, "dilation_rate")
    _strides_or_dilation(steps, holes)
    x = to_last(x, data_format)
    result = op(f"conv{axes}d", x, kernel, strides=steps, padding=_padding(padding), dilation=holes)
    return from_last(result, data_format)


def conv1d(
    x: Any,
    kernel: Any,
    strides: int = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int = 1,
) -> Tensor:
    """Correlates sequences with a kernel.

    Args:
        x: tensor of shape (samples, steps, channels), or (samples, channels, steps).
        kernel: tensor of shape (length, channels, filters).
        strides, dilation_rate: ints (or lists of one).
        padding: 'same', 'valid', or 'causal', by which step t of the result depends on no later step of x.
        data_format: layout of x and the result; None means the configured one.
    """
    data_format = normalize_data_format(data_format)
    x, kernel = to_tensor(x), to_tensor(kernel)
    _check_rank(x, 3, "`conv1d`")
    step, hole = _numbers(strides, 1, "strides")[0], _numbers(dilation_rate, 1, "dilation_rate")[0]
    _strides_or_dilation([step], [hole])
    attrs: dict[str, Any] = {
        "strides": [1, step],
        "padding": _padding(padding, ["causal"]),
        "dilation": [1, hole],
    }
    if attrs["padding"] == "causal":
        length = kernel.shape[0]
        if length is None:
            raise ValueError("A causal convolution needs a kernel of known length.")
        attrs.update(padding="explicit", pads=[0, 0, hole * (length - 1), 0])
    rows = op("expand_dims", to_last(x, data_format), axis=1)
    result = op("conv2d", rows, op("expand_dims", kernel, axis=0), **attrs)
    return from_last(op("squeeze", result, axis=1), data_format)


def _transposed_reference(x: Tensor, sizes: list[Any], strides: list[int], longer: list[int]) -> Tensor:
    """A tensor with the shape of a transposed convolution's result; only its shape is used.

    Sizes that are not numbers follow from x: the batch is x's, and the spatial ones are its sizes times the
    strides and so many places longer, which may be a negative number.
    """
    rank = len(sizes)
    reference = op("slice", x, begin=[0] * rank, end=[0] * (rank - 1) + [1], strides=[1] * rank,
                   begin_mask=[1] * rank, end_mask=[1] * (rank - 1) + [0])  # fmt: skip
    known = [1] * (rank - 1) + [sizes[-1]]
    none = [0] * rank
    after, cut = list(none), list(none)
    for axis in range(1, rank - 1):
        if isinstance(sizes[axis], int):
            known[axis] = sizes[axis]
            reference = _one(reference, axis)
            continue
        if strides[axis - 1] != 1:
            reference = op("repeat", reference, axis=axis, n=strides[axis - 1])
        after[axis] = builtins.max(longer[axis - 1], 0)
        cut[axis] = builtins.max(-longer[axis - 1], 0)
    if any(after):
        reference = op("pad", reference, before=none, after=after, value=0.0)
    if any(cut):
        reference = op("crop", reference, before=none, after=cut)
    if isinstance(sizes[0], int):
        known[0] = sizes[0]
        reference = _one(reference, 0)
    return op("add", reference, op("fill", shape=known, value=0.0, dtype=x.dtype))


def _one(x: Tensor, axis: int) -> Tensor:
    """x with only the first place along one axis, which stays."""
    return x[(builtins.slice(None),) * axis + (builtins.slice(0, 1),)] if x.shape[axis] != 1 else x


def conv2d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
    output_padding: Any = None,
) -> Tensor:
    """The gradient of a convolution for its input, used as a layer that enlarges images.

    Args:
        x: 4D tensor.
        kernel: tensor of shape (height, width, filters, channels of x).
        output_shape: shape of the result in the layout of x. The batch size may be a tensor, such as
            `K.shape(x)[0]`; rows and columns that are tensors or None are taken to be what Keras's layers
            compute, for which `output_padding` says how much is added.
        strides, padding, data_format, dilation_rate: as in `conv2d`.
        output_padding: see there.
    Raises: ValueError for arguments that do not fit each other.
    """
    return _convolve_transposed(
        2, x, kernel, output_shape, strides, padding, data_format, dilation_rate, output_padding
    )


def conv3d_transpose(
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1, 1),
    output_padding: Any = None,
) -> Tensor:
    """`conv2d_transpose` of volumes.

    Args:
        x: 5D tensor.
        kernel: tensor of shape (depth, height, width, filters, channels of x).
        output_shape, output_padding: as in `conv2d_transpose`.
        strides, padding, data_format, dilation_rate: as in `conv3d`.
    Raises: ValueError for arguments that do not fit each other.
    """
    return _convolve_transposed(
        3, x, kernel, output_shape, strides, padding, data_format, dilation_rate, output_padding
    )


def _convolve_transposed(
    axes: int,
    x: Any,
    kernel: Any,
    output_shape: Any,
    strides: Any,
    padding: str,
    data_format: str | None,
    dilation_rate: Any,
    output_padding: Any,
) -> Tensor:
    """`conv2d_transpose` or `conv3d_transpose`."""
    data_format = normalize_data_format(data_format)
    x, kernel = to_tensor(x), to_tensor(kernel)
    rank = axes + 2
    _check_rank(x, rank, f"`conv{axes}d_transpose`")
    steps, holes = _numbers(strides, axes, "strides"), _numbers(dilation_rate, axes, "dilation_rate")
    _strides_or_dilation(steps, holes)
    mode = _padding(padding)
    if isinstance(output_shape, Tensor):
        output_shape = [output_shape[i] for i in range(rank)]
    sizes = [None if n is None or isinstance(n, Tensor) or n == -1 else int(n) for n in output_shape]
    if len(sizes) != rank:
        raise ValueError(f"`output_shape` needs {rank} sizes, not {len(sizes)}.")
    if data_format == "channels_first":
        sizes = [sizes[0], *sizes[2:], sizes[1]]
    if sizes[-1] is None:
        sizes[-1] = kernel.shape[axes]
    x = to_last(x, data_format)
    if sizes[0] is not None and x.shape[0] == sizes[0]:
        sizes[0] = x.shape[0]
    extra = (
        [None] * axes
        if output_padding is None
        else conv_utils.normalize_tuple(output_padding, axes, "output_padding")
    )
    longer = [0] * axes
    for i, size in enumerate(kernel.shape[:axes]):
        if size is not None:
            longer[i] = conv_utils.deconv_length(0, steps[i], size, mode, extra[i], holes[i]) or 0
    reference = _transposed_reference(x, sizes, steps, longer)
    name = f"conv{axes}d_input_grad"
    result = op(name, x, kernel, reference, strides=steps, padding=mode, dilation=holes)
    return from_last(result, data_format)


def depthwise_conv2d(
    x: Any,
    depthwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """Correlates each channel with kernels of its own.

    Args:
        depthwise_kernel: tensor of shape (height, width, channels, multiplier); channel c gives the channels
            c·multiplier … of the result.
        x, strides, padding, data_format, dilation_rate: as in `conv2d`.
    """
    data_format = normalize_data_format(data_format)
    x, kernel = to_tensor(x), to_tensor(depthwise_kernel)
    _check_rank(x, 4, "`depthwise_conv2d`")
    steps, holes = _numbers(strides, 2, "strides"), _numbers(dilation_rate, 2, "dilation_rate")
    _strides_or_dilation(steps, holes)
    result = op(
        "depthwise_conv2d",
        to_last(x, data_format),
        kernel,
        strides=steps,
        padding=_padding(padding),
        dilation=holes,
    )
    return from_last(result, data_format)


def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = (1, 1),
) -> Tensor:
    """A depthwise convolution, followed by a 1×1 convolution that mixes the channels.

    Args:
        depthwise_kernel: tensor of shape (height, width, channels, multiplier).
        pointwise_kernel: tensor of shape (1, 1, channels·multiplier, filters).
        x, strides, padding, data_format, dilation_rate: as in `conv2d`; strides and dilation belong to the
            depthwise part.
    """
    data_format = normalize_data_format(data_format)
    x = to_last(to_tensor(x), data_format)
    result = depthwise_conv2d(x, depthwise_kernel, strides, padding, "channels_last", dilation_rate)
    result = conv2d(result, pointwise_kernel, (1, 1), "valid", "channels_last")
    return from_last(result, data_format)


def separable_conv1d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """`separable_conv2d` of sequences.

    Args:
        x: tensor of shape (samples, steps, channels), or (samples, channels, steps).
        depthwise_kernel: tensor of shape (length, channels, multiplier).
        pointwise_kernel: tensor of shape (1, channels·multiplier, filters).
        padding: as in `conv1d`.
    """
    data_format = normalize_data_format(data_format)
    x = to_tensor(x)
    _check_rank(x, 3, "`separable_conv1d`")
    # The same stride along both axes: the added one has a single place, where the stride has no effect.
    step, hole = _numbers(strides, 1, "strides")[0], _numbers(dilation_rate, 1, "dilation_rate")[0]
    rows = op("expand_dims", to_last(x, data_format), axis=1)
    depthwise_kernel = to_tensor(depthwise_kernel)
    if _padding(padding, ["causal"]) == "causal":
        if depthwise_kernel.shape[0] is None:
            raise ValueError("A causal convolution needs a kernel of known length.")
        in_front = hole * (depthwise_kernel.shape[0] - 1)
        rows = op("pad", rows, before=[0, 0, in_front, 0], after=[0] * 4, value=0.0)
        padding = "valid"
    depthwise = op("expand_dims", to_tensor(depthwise_kernel), axis=0)
    pointwise = op("expand_dims", to_tensor(pointwise_kernel), axis=0)
    result = separable_conv2d(rows, depthwise, pointwise, (step, step), padding, "channels_last", (1, hole))
    return from_last(op("squeeze", result, axis=1), data_format)


def pool2d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Reduces windows of images to their maximum or mean.

    Args:
        x: 4D tensor.
        pool_size: rows and columns of a window.
        strides: distance of windows.
        padding: 'same' or 'valid'; padding takes no part in the maximum or the mean.
        pool_mode: 'max' or 'avg'.
    Raises: ValueError for an unknown padding or mode.
    """
    return _pool(2, x, pool_size, strides, padding, data_format, pool_mode)


def pool3d(
    x: Any,
    pool_size: Any,
    strides: Any = (1, 1, 1),
    padding: str = "valid",
    data_format: str | None = None,
    pool_mode: str = "max",
) -> Tensor:
    """Reduces windows of volumes to their maximum or mean.

    Args:
        x: 5D tensor.
        pool_size: depth, rows and columns of a window.
        strides, padding, data_format, pool_mode: as in `pool2d`, with one number more.
    Raises: ValueError for an unknown padding or mode.
    """
    return _pool(3, x, pool_size, strides, padding, data_format, pool_mode)


def _pool(
    axes: int, x: Any, pool_size: Any, strides: Any, padding: str, data_format: str | None, pool_mode: str
) -> Tensor:
    """`pool2d` or `pool3d`."""
    data_format = normalize_data_format(data_format)
    x = to_tensor(x)
    _check_rank(x, axes + 2, f"`pool{axes}d`")
    if pool_mode not in ("max", "avg"):
        raise ValueError(f"Invalid pooling mode: {pool_mode!r}. Expected 'max' or 'avg'.")
    result = op(
        f"{pool_mode}_pool{axes}d",
        to_last(x, data_format),
        pool=_numbers(pool_size, axes, "pool_size"),
        strides=_numbers(strides, axes, "strides"),
        padding=_padding(padding),
    )
    return from_last(result, data_format)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Tensor:
    """Adds a bias.

    Args:
        x: tensor of any rank; only with 3 to 5 axes does the layout matter.
        bias: vector of one value per channel, or tensor of one value per place and channel (channels last).
        data_format: layout of x; None means the configured one.
    Raises: ValueError if the bias has another number of axes.
    """
    data_format = normalize_data_format(data_format)
    x, bias = to_tensor(x), to_tensor(bias)
    rank, axes = len(x.shape), len(bias.shape)
    if axes not in (1, rank - 1):
        raise ValueError(f"Unexpected bias dimensions {axes}, expect to be 1 or {rank - 1} dimensions.")
    if data_format == "channels_first" and 3 <= rank <= 5:
        if axes == 1:
            bias = op("reshape", bias, shape=[-1] + [1] * (rank - 2))
        else:
            bias = op("transpose", bias, perm=[axes - 1, *range(axes - 1)])
    return op("add", x, bias)


def local_conv1d(
    inputs: Any, kernel: Any, kernel_size: Any, strides: Any, data_format: str | None = None
) -> Tensor:
    """A convolution without shared weights, along sequences.

    Args:
        inputs: tensor of shape (samples, steps, channels), or (samples, channels, steps).
        kernel: tensor of shape (output steps, length·channels, filters).
        kernel_size: [length].
        strides: [step].
    Returns: tensor of shape (samples, output steps, filters), in either layout.
    """
    data_format = normalize_data_format(data_format)
    inputs, kernel = to_tensor(inputs), to_tensor(kernel)
    step, length = _numbers(strides, 1, "strides")[0], _numbers(kernel_size, 1, "kernel_size")[0]
    n = _known(kernel.shape[0])
    parts = [
        inputs[:, i : i + step * (n - 1) + 1 : step] for i in range(length)
    ]  # each (samples, output steps, channels)
    return _local(parts, kernel)


def local_conv2d(
    inputs: Any,
    kernel: Any,
    kernel_size: Any,
    strides: Any,
    output_shape: Any,
    data_format: str | None = None,
) -> Tensor:
    """A convolution without shared weights, over images.

    Args:
        inputs: 4D tensor.
        kernel: tensor of shape (output rows·columns, height·width·channels, filters); with channels_first the
            middle axis counts channels·height·width.
        kernel_size: (height, width).
        strides: (rows, columns).
        output_shape: (output rows, output columns).
    Returns: tensor of shape (samples, output rows, output columns, filters), or with the filters second.
    """
    data_format = normalize_data_format(data_format)
    inputs, kernel = to_tensor(inputs), to_tensor(kernel)
    _check_rank(inputs, 4, "`local_conv2d`")
    down, right = _numbers(strides, 2, "strides")
    height, width = _numbers(kernel_size, 2, "kernel_size")
    rows, columns = (int(n) for n in output_shape)
    x = to_last(inputs, data_format)
    parts = []
    for i in range(height):
        for j in range(width):
            part = x[:, i : i + down * (rows - 1) + 1 : down, j : j + right * (columns - 1) + 1 : right]
            parts.append(reshape_to(part, [-1, rows * columns, _known(x.shape[3])]))
    if data_format == "channels_first":  # the kernel's rows are ordered (channel, place)
        channels = _known(x.shape[3])
        places, filters = height * width, _known(kernel.shape[2])
        kernel = op("reshape", kernel, shape=[rows * columns, channels, places, filters])
        kernel = op("transpose", kernel, perm=[0, 2, 1, 3])
        kernel = op("reshape", kernel, shape=[rows * columns, channels * places, filters])
    result = _local(parts, kernel)
    result = reshape_to(result, [-1, rows, columns, _known(kernel.shape[2])])
    return from_last(result, data_format)


def _local(parts: list[Tensor], kernel: Tensor) -> Tensor:
    """Products per output place.

    Args: parts: (samples, places, channels) each. kernel: (places, parts·channels, filters).
    Returns: (samples, places, filters).
    """
    x = parts[0] if len(parts) == 1 else op("concat", *parts, axis=2)
    by_place = op("transpose", x, perm=[1, 0, 2])
    return op("transpose", op("batch_matmul", by_place, kernel, trans_a=False, trans_b=False), perm=[1, 0, 2])


def _known(n: int | None) -> int:
    if n is None:
        raise ValueError("Locally connected layers need fully known sizes, save that of the batch.")
    return n
