"""Functions that move elements without computing: shapes, slices, joins, repeats, padding."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from .common import normalize_data_format
from .engine import Tensor, binary, op, to_tensor
from .indexing import index as _index
from .indexing import known_size
from .names import FLOAT_DTYPES, dtype_name
from .sparse import SparseTensor, sparse_concatenate, to_dense

__all__ = [
    "arange",
    "batch_flatten",
    "concatenate",
    "expand_dims",
    "flatten",
    "gather",
    "one_hot",
    "permute_dimensions",
    "repeat",
    "repeat_elements",
    "reshape",
    "resize_images",
    "resize_volumes",
    "reverse",
    "shape",
    "size",
    "slice",
    "spatial_2d_padding",
    "spatial_3d_padding",
    "squeeze",
    "stack",
    "temporal_padding",
    "tile",
    "transpose",
]

# A size in a shape under construction: a number (-1: open), a tensor and one of its axes, or any scalar.
_Entry = Any


def normalize_axis(axis: int, rank: int) -> int:
    """Returns `axis` counted from the front.

    Raises: ValueError if there is no such axis.
    """
    if not -rank <= axis < builtins.max(rank, 1):
        raise ValueError(f"Axis {axis} is beyond a tensor with {rank} axes.")
    return int(axis) % rank if rank else 0


def _entries(shape: Any) -> list[_Entry] | None:
    """The sizes that a shape consists of; None if it is a tensor about which nothing is known."""
    if isinstance(shape, Tensor):
        return None if shape._dims is None else list(shape._dims)
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    result: list[_Entry] = []
    for n in shape:
        if isinstance(n, Tensor):
            result.append(n._dims[0] if n._dims is not None and len(n._dims) == 1 else n)
        else:
            result.append(-1 if n is None else int(n))
    return result


def shape_source(shape: Any) -> list[int] | Tensor:
    """Returns what the engine needs to make a tensor of a given shape.

    Args: shape: ints, and scalars computed from sizes such as `K.shape(x)[0]`; or a vector of them.
    Returns: the sizes, if all are known; otherwise some tensor of that shape (only its shape matters).
    Raises: TypeError for a vector of unknown length.
    """
    entries = _entries(shape)
    if entries is None and None in shape.shape:
        raise TypeError(f"The number of axes must be known, which {shape!r} does not tell.")
    if entries is None or any(isinstance(e, Tensor) for e in entries):
        known = (
            [-1] * shape.shape[0] if entries is None else [e if isinstance(e, int) else -1 for e in entries]
        )
        vector = shape if entries is None else _vector(entries)
        return op("fill", vector, shape=known, value=0.0, dtype="float32")
    if all(isinstance(e, int) for e in entries):
        return entries
    first = next(e for e in entries if not isinstance(e, int))[0]
    if len(entries) == len(first.shape) and all(
        e == size if isinstance(e, int) else (e[0] is first and e[1] == i)
        for i, (e, size) in enumerate(zip(entries, first.shape))
    ):
        return first
    result: Tensor | None = None
    for i, e in enumerate(entries):
        if isinstance(e, int):
            continue
        x, axis = e
        line = x
        for other in range(len(x.shape)):
            if other != axis and x.shape[other] != 1:
                line = _first(line, other)
        line = op("reshape", line, shape=[-1 if j == i else 1 for j in range(len(entries))])
        if line.dtype != "float32":
            line = op("cast", line, dtype="float32")
        result = line if result is None else op("add", result, line)
    assert result is not None
    known = [e if isinstance(e, int) else 1 for e in entries]
    if any(n != 1 for n in known):
        result = op("add", result, op("fill", shape=known, value=0.0, dtype="float32"))
    return result


def _first(x: Tensor, axis: int) -> Tensor:
    """x with only the first place along one axis, which stays."""
    return _index(x, (builtins.slice(None),) * axis + (builtins.slice(0, 1),))


def shape(x: Any) -> Tensor:
    """Returns the shape as an int32 vector, known when a function runs."""
    x = to_tensor(x)
    result = op("shape", x)
    result._dims = [(x, i) if n is None else n for i, n in enumerate(x.shape)]
    return result


def size(x: Any, name: str | None = None) -> Tensor:
    """Returns the number of elements, an int32 scalar."""
    x = to_tensor(x)
    return op("axis_size", x, axes=list(range(len(x.shape))), dtype="int32")


def _vector(entries: Sequence[_Entry]) -> Tensor:
    """The sizes as one int32 vector."""
    parts = []
    for e in entries:
        if isinstance(e, tuple):
            e = shape(e[0])[e[1]]
        if isinstance(e, Tensor):
            e = e if e.dtype == "int32" else op("cast", e, dtype="int32")
            parts.append(op("reshape", e, shape=[1]))
        else:
            parts.append(to_tensor(np.array([e], dtype="int32")))
    return parts[0] if len(parts) == 1 else op("concat", *parts, axis=0)


def reshape_to(x: Tensor, entries: Sequence[_Entry]) -> Tensor:
    """Reshapes to sizes that may be tensors' sizes. One that is not a number can be left to the engine."""
    unknown = [i for i, e in enumerate(entries) if not isinstance(e, int)]
    static = [e if isinstance(e, int) else -1 for e in entries]
    if static.count(-1) <= 1:
        return op("reshape", x, shape=static)
    return op(
        "reshape", x, _vector([e if i in unknown else static[i] for i, e in enumerate(entries)]), shape=static
    )


def reshape(x: Any, shape: Any) -> Tensor:
    """Gives x another shape, in row-major order.

    Args: shape: ints, one of which may be -1, and whole-number scalars; or a whole-number vector.
    Raises: ValueError if the numbers of elements differ.
    """
    x = to_tensor(x)
    entries = _entries(shape)
    if entries is not None:
        return reshape_to(x, entries)
    n = shape.shape[0]
    if n is None:
        raise ValueError("The number of axes of the new shape must be known.")
    return op("reshape", x, shape, shape=[-1] * n)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Tensor:
    """Reorders the axes: axis i of the result is axis pattern[i] of x."""
    x = to_tensor(x)
    rank = len(x.shape)
    return op("transpose", x, perm=[normalize_axis(int(i), rank) for i in pattern])


def transpose(x: Any) -> Tensor:
    """Reverses the order of the axes."""
    x = to_tensor(x)
    return op("transpose", x, perm=list(range(len(x.shape)))[::-1])


def flatten(x: Any) -> Tensor:
    """Returns the elements as a vector."""
    return op("reshape", to_tensor(x), shape=[-1])


def batch_flatten(x: Any) -> Tensor:
    """Joins all axes but the first: the result has two."""
    x = to_tensor(x)
    if len(x.shape) == 1:
        return op("expand_dims", x, axis=1)
    return op("flatten_from", x, axis=1)


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """Adds an axis of size 1 at `axis` of the result."""
    x = to_tensor(x)
    return op("expand_dims", x, axis=normalize_axis(axis, len(x.shape) + 1))


def squeeze(x: Any, axis: int) -> Tensor:
    """Removes an axis of size 1.

    Raises: ValueError if its size is known to be another.
    """
    x = to_tensor(x)
    return op("squeeze", x, axis=normalize_axis(axis, len(x.shape)))


def concatenate(tensors: Sequence[Any], axis: int = -1) -> Tensor:
    """Joins tensors along an existing axis. The result is sparse if all of them are.

    Raises: ValueError if another size differs.
    """
    items = [to_tensor(t) for t in tensors]
    if not items:
        raise ValueError("There is nothing to concatenate.")
    axis = normalize_axis(axis, len(items[0].shape))
    sparse = [t for t in items if isinstance(t, SparseTensor)]
    if len(sparse) == len(items):
        return sparse_concatenate(sparse, axis)
    return op("concat", *map(to_dense, items), axis=axis)


def stack(x: Sequence[Any], axis: int = 0) -> Tensor:
    """Joins tensors of equal shape along a new axis."""
    typed = next((t.dtype for t in x if isinstance(t, Tensor)), None)
    items = [to_tensor(t, typed) for t in x]
    if not items:
        raise ValueError("There is nothing to stack.")
    axis = normalize_axis(axis, len(items[0].shape) + 1)
    result = op("concat", *[op("expand_dims", t, axis=axis) for t in items], axis=axis)
    if not items[0].shape:
        dims = [t._dims[0] if isinstance(t, Tensor) and t._dims else t for t in x]
        if all(isinstance(d, (int, tuple)) for d in dims):
            result._dims = dims
    return result


def repeat(x: Any, n: Any) -> Tensor:
    """Repeats a matrix n times: (samples, dim) becomes (samples, n, dim).

    Args: n: an int, or a whole-number scalar computed from sizes such as `K.shape(x)[1]`.
    Raises: ValueError unless x has two axes.
    """
    x = to_tensor(x)
    if len(x.shape) != 2:
        raise ValueError(f"`repeat` needs a tensor with 2 axes, not one of shape {tuple(x.shape)}.")
    n = known_size(n)
    x = op("expand_dims", x, axis=1)
    return _tile_axis(x, n, 1) if isinstance(n, Tensor) else op("repeat", x, axis=1, n=int(n))


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Repeats every element `rep` times along an axis, like `np.repeat`."""
    x = to_tensor(x)
    return op("repeat", x, axis=normalize_axis(axis, len(x.shape)), n=int(rep))


def tile(x: Any, n: Any) -> Tensor:
    """Lays copies of x side by side.

    Args: n: number of copies along each axis: ints, or whole-number scalars computed from sizes such as
        `K.shape(x)[0]`; an int for a vector.
    Raises: ValueError unless there is one number per axis.
    """
    x = to_tensor(x)
    rank = len(x.shape)
    if isinstance(n, Tensor) and n.shape:
        n = [n[i] for i in range(rank)]
    reps = [known_size(i) for i in ([n] if isinstance(n, (int, np.integer, Tensor)) else n)]
    if len(reps) != rank:
        raise ValueError(
            f"`tile` needs {rank} numbers of copies for shape {tuple(x.shape)}, not {len(reps)}."
        )
    known = [1 if isinstance(i, Tensor) else int(i) for i in reps]
    result = op("tile", x, reps=known)
    for axis, copies in enumerate(reps):
        if isinstance(copies, Tensor):
            result = _tile_axis(result, copies, axis)
    return result


def _tile_axis(x: Tensor, copies: Tensor, axis: int) -> Tensor:
    """Copies along one axis, as many as a size that is known when a function runs."""
    rows = expand_dims(arange(copies) * 0, 1) + expand_dims(arange(shape(x)[axis]), 0)
    return _take_along(x, flatten(rows), axis)


def _take_along(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """Picks places along one axis."""
    to_front = [axis, *(i for i in range(len(x.shape)) if i != axis)]
    found = gather(permute_dimensions(x, to_front), places)
    return permute_dimensions(found, np.argsort(to_front).tolist())


def reverse(x: Any, axes: Any) -> Tensor:
    """Reverses the order along one axis or several."""
    x = to_tensor(x)
    listed = [axes] if isinstance(axes, (int, np.integer)) else axes
    return op("reverse", x, axes=sorted({normalize_axis(int(a), len(x.shape)) for a in listed}))


def slice(x: Any, start: Any, size: Any) -> Tensor:
    """Cuts out a block.

    Args:
        start: first place along each axis: ints or whole-number scalars; or one vector.
        size: number of places along each axis, -1 for all that follow: ints, or scalars computed from sizes
            such as `K.shape(x)[1]`; or one vector.
    Raises: ValueError unless both have one number per axis.
    """
    x = to_tensor(x)
    rank = len(x.shape)
    starts, sizes = (
        [v[i] for i in range(v.shape[0] or 0)] if isinstance(v, Tensor) and v.shape else list(v)
        for v in (start, size)
    )
    if not len(starts) == len(sizes) == rank:
        raise ValueError(f"`slice` needs {rank} starts and sizes for shape {tuple(x.shape)}.")
    keys = []
    for axis, (b, n) in enumerate(zip(starts, sizes)):
        if isinstance(b, Tensor) and not isinstance(n, Tensor) and n != -1:
            # a known number of places from anywhere on: where they start may come from data
            x = _take_along(x, arange(int(n)) + op("cast", b, dtype="int32"), axis)
            b, n = 0, -1
        to_end = not isinstance(n, Tensor) and n == -1
        from_start = not isinstance(b, Tensor) and b == 0
        keys.append(builtins.slice(b, None if to_end else n if from_start else b + n))
    return x[tuple(keys)]


def gather(reference: Any, indices: Any) -> Tensor:
    """Picks rows: the result's shape is indices.shape + reference.shape[1:].

    Args: indices: whole-number tensor. A row that does not exist is an error when the function runs.
    """
    reference = to_tensor(reference)
    indices = to_tensor(indices, None if isinstance(indices, (Tensor, np.ndarray)) else "int32")
    if indices.dtype in FLOAT_DTYPES or indices.dtype == "bool":
        raise TypeError(f"Indices must be whole numbers, not {indices.dtype}.")
    if indices.dtype == "uint8":
        indices = op("cast", indices, dtype="int32")
    return op("gather", reference, indices)


def one_hot(indices: Any, num_classes: Any) -> Tensor:
    """Returns floats of shape indices.shape + (num_classes,): 1 at the index, 0 elsewhere.

    Args: num_classes: an int, or a whole-number scalar computed from sizes such as `K.shape(x)[1]`.
    """
    indices, num_classes = to_tensor(indices), known_size(num_classes)
    if indices.dtype not in ("int32", "int64"):
        indices = op("cast", indices, dtype="int32")
    if isinstance(num_classes, Tensor):
        places = arange(num_classes, dtype=indices.dtype)
        found = op("equal", op("expand_dims", indices, axis=len(indices.shape)), places)
        return op("cast", found, dtype=dtype_name(None))
    return op("one_hot", indices, n=int(num_classes), dtype=dtype_name(None))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: str = "int32") -> Tensor:
    """Returns the numbers start, start + step, … below stop (or from 0 below start, with one argument).

    Args: start, stop: numbers, or whole-number scalars computed from sizes such as `K.shape(x)[0]`.
    """
    if stop is None:
        start, stop = 0, start
    if isinstance(start, Tensor) or isinstance(stop, Tensor):
        if not isinstance(step, (int, np.integer)) or step == 0:
            raise TypeError(
                f"`arange` between computed numbers needs a whole `step` other than 0, not {step!r}."
            )
        count = stop
        if isinstance(start, Tensor) or start != 0 or step != 1:
            count = binary("maximum", (stop - start + (step - (1 if step > 0 else -1))) // step, 0)
        source = shape_source([count])
        if isinstance(source, Tensor):  # counts the places of a vector of the right length
            ones = op("fill_like", source, value=1.0, dtype=dtype)
            places = op("cumsum", ones, axis=0, exclusive=True, reverse=False)
            places = places if step == 1 else places * step
            if isinstance(start, Tensor):
                return places + (start if start.dtype == dtype else op("cast", start, dtype=dtype))
            return places if start == 0 else places + start
        stop = source[0]
    if isinstance(step, Tensor):
        raise TypeError("The `step` of `arange` must be a number.")
    if not isinstance(dtype, str) or step == 0:
        raise ValueError("`arange` needs a step other than 0 and the name of a type.")
    if stop < start and step > 0 and start == 0:
        stop = start
    return op("range", start=float(start), stop=float(stop), step=float(step), dtype=dtype_name(dtype))


# ---- padding and resizing -------------------------------------------------------------------------------


def _pad(x: Tensor, spatial: Sequence[Sequence[int]], first: int) -> Tensor:
    rank = len(x.shape)
    before, after = [0] * rank, [0] * rank
    for i, (low, high) in enumerate(spatial):
        before[first + i], after[first + i] = int(low), int(high)
    return op("pad", x, before=before, after=after, value=0.0)


def _pairs(padding: Any, n: int) -> Any:
    if len(padding) != n or any(len(pair) != 2 for pair in padding):
        raise ValueError(f"`padding` must hold {n} pairs (before, after), not {padding!r}.")
    return padding


def temporal_padding(x: Any, padding: Sequence[int] = (1, 1)) -> Tensor:
    """Puts zeros before and after the middle axis of (samples, steps, dim)."""
    return _pad(to_tensor(x), _pairs([padding], 1), 1)


def spatial_2d_padding(x: Any, padding: Any = ((1, 1), (1, 1)), data_format: str | None = None) -> Tensor:
    """Puts zeros around the two spatial axes of a 4D tensor.

    Args: padding: ((top, bottom), (left, right)).
    """
    last = normalize_data_format(data_format) == "channels_last"
    return _pad(to_tensor(x), _pairs(padding, 2), 1 if last else 2)


def spatial_3d_padding(
    x: Any, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None
) -> Tensor:
    """Puts zeros around the three spatial axes of a 5D tensor.

    Args: padding: one pair (before, after) per axis.
    """
    last = normalize_data_format(data_format) == "channels_last"
    return _pad(to_tensor(x), _pairs(padding, 3), 1 if last else 2)


def resize_images(
    x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
) -> Tensor:
    """Enlarges images by whole factors.

    Args:
        x: 4D tensor.
        data_format: its layout.
        interpolation: 'nearest' repeats pixels, 'bilinear' interpolates between centres (as TensorFlow 2).
    Raises: ValueError for an unknown layout or interpolation.
    """
    x = to_tensor(x)
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"`interpolation` must be 'nearest' or 'bilinear', not {interpolation!r}.")
    first = normalize_data_format(data_format) == "channels_first"
    if first:
        x = op("transpose", x, perm=[0, 2, 3, 1])
    factors = [int(height_factor), int(width_factor)]
    if interpolation == "nearest":
        x = op("resize_nearest", x, factors=factors)
    else:
        x = op("resize_bilinear", x, factors=factors, half_pixel=True)
    return op("transpose", x, perm=[0, 3, 1, 2]) if first else x


def resize_volumes(
    x: Any, depth_factor: int, height_factor: int, width_factor: int, data_format: str
) -> Tensor:
    """Enlarges volumes (5D) by whole factors, repeating elements."""
    x = to_tensor(x)
    first = 1 if normalize_data_format(data_format) == "channels_last" else 2
    for i, factor in enumerate((depth_factor, height_factor, width_factor)):
        if factor != 1:
            x = op("repeat", x, axis=first + i, n=int(factor))
    return x
