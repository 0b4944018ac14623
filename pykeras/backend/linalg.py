"""Products of matrices and of batches of them."""

from __future__ import annotations

from typing import Any

from .engine import Tensor, op, to_tensor
from .movement import normalize_axis, reshape_to
from .names import FLOAT_DTYPES
from .sparse import SparseTensor, sparse_dot

__all__ = ["batch_dot", "dot"]


def _pair(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Both operands as tensors; one that is no tensor takes the other's type."""
    if isinstance(x, Tensor):
        return x, to_tensor(y, x.dtype)
    y = to_tensor(y)
    return to_tensor(x, y.dtype), y


def _sizes(x: Tensor) -> list[Any]:
    """The sizes of x, unknown ones as (x, axis)."""
    return [(x, i) if n is None else n for i, n in enumerate(x.shape)]


def _product(x: Tensor, y: Tensor) -> Tensor:
    """The product of two matrices."""
    return sparse_dot(x, y) if isinstance(x, SparseTensor) else _multiply("matmul", x, y)


def _multiply(name: str, x: Tensor, y: Tensor, **attrs: Any) -> Tensor:
    """A matrix product of floats, or of whole numbers: these become float64, which holds them exactly."""
    if x.dtype in FLOAT_DTYPES or x.dtype != y.dtype or x.dtype == "bool":
        return op(name, x, y, **attrs)
    wide = (op("cast", t, dtype="float64") for t in (x, y))
    return op("cast", op(name, *wide, **attrs), dtype=x.dtype)


def dot(x: Any, y: Any) -> Tensor:
    """Multiplies x with y: the last axis of x with the second-last of y (the only one of a vector).

    Args:
        x: tensor of shape (…, k), or a sparse one of shape (rows, k).
        y: tensor of shape (k,), (k, n) or (…, k, n).
    Returns: tensor of shape x.shape[:-1] + y.shape[:-2] + y.shape[-1:].
    Raises: ValueError if the two sizes differ or one operand is a scalar.
    """
    x, y = _pair(x, y)
    rank_x, rank_y = len(x.shape), len(y.shape)
    if rank_x == 2 == rank_y:
        return _product(x, y)
    if not rank_x or not rank_y:
        raise ValueError("`dot` needs tensors with axes; multiply by scalars with `*`.")
    rows = _sizes(x)[:-1]
    columns = [] if rank_y == 1 else _sizes(y)[:-2] + _sizes(y)[-1:]
    if rank_x != 2:
        x = reshape_to(x, [-1, _sizes(x)[-1]])
    if rank_y == 1:
        y = op("expand_dims", y, axis=1)
    elif rank_y > 2:
        inner = _sizes(y)[-2]
        y = op("transpose", y, perm=[rank_y - 2, *range(rank_y - 2), rank_y - 1])
        y = reshape_to(y, [inner, -1])
    result = _product(x, y)
    if rank_x == 2 and rank_y == 1:
        return op("squeeze", result, axis=1)
    if rank_x == 2:
        rows = _sizes(result)[:1]
    return reshape_to(result, rows + columns)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Tensor:
    """Multiplies x with y sample by sample.

    The tensor with fewer axes gets axes of size 1 appended; the last two axes are multiplied as matrices,
    all axes before them are batch axes. Two matrices give one number per sample.

    Args:
        x, y: tensors with two axes or more.
        axes: the axis of x and the axis of y to sum over, as a pair, or one int for both. None: the last
            of x, the second-last of y.
    Returns: the products; shape (batch, 1) for two matrices.
    Raises: ValueError for tensors with less than two axes, or an axis outside the last two.
    """
    x, y = _pair(x, y)
    rank_x, rank_y = len(x.shape), len(y.shape)
    if rank_x < 2 or rank_y < 2:
        raise ValueError(
            f"`batch_dot` needs at least 2 axes, not shapes {tuple(x.shape)} and {tuple(y.shape)}."
        )
    if axes is None:
        axes = (rank_x - 1, rank_y - 2 if rank_y > 2 else 1)
    elif isinstance(axes, int):
        axes = (axes, axes)
    if len(axes) != 2:
        raise ValueError(f"`axes` of `batch_dot` must be an int or a pair, not {axes!r}.")
    axis_x, axis_y = normalize_axis(axes[0], rank_x), normalize_axis(axes[1], rank_y)
    if rank_x == 2 == rank_y:
        if axis_x != axis_y:
            return op("expand_dims", op("sum", _transposed(x) * y, axes=[axis_y], keepdims=False), axis=1)
        result = op("sum", op("mul", x, y), axes=[axis_x], keepdims=False)
        return op("expand_dims", result, axis=1)
    missing = rank_x - rank_y
    for _ in range(missing):
        y = op("expand_dims", y, axis=len(y.shape))
    for _ in range(-missing):
        x = op("expand_dims", x, axis=len(x.shape))
    rank = len(x.shape)
    if axis_x < rank - 2 or axis_y < rank - 2:
        raise ValueError(
            f"`batch_dot` sums over the last two axes; axes {tuple(axes)} of shapes {tuple(x.shape)} and "
            f"{tuple(y.shape)} are batch axes. Bring them to the end with `permute_dimensions`."
        )
    result = _multiply("batch_matmul", x, y, trans_a=axis_x != rank - 1, trans_b=axis_y == rank - 1)
    if missing:
        first = rank_x + rank_y - 3 if missing > 0 else rank_x - 1
        for axis in reversed(range(first, first + abs(missing))):
            result = op("squeeze", result, axis=axis)
    if len(result.shape) == 1:
        result = op("expand_dims", result, axis=1)
    return result


def _transposed(x: Tensor) -> Tensor:
    return op("transpose", x, perm=[1, 0])
