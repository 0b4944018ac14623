"""Slices of tensors: what `x[…]` means."""

from __future__ import annotations

from typing import Any

import numpy as np

from .engine import Tensor, op


def index(x: Tensor, key: Any) -> Tensor:
    """Returns x[key] for ints, slices, Ellipsis, None and scalar tensors, with NumPy's meaning.

    Raises:
        IndexError: too many indices, or an int beyond a known size.
        TypeError: a key of another kind. A tensor of any rank may be the only key; it picks along axis 0.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if len(keys) == 1 and isinstance(keys[0], Tensor):
        return op("gather", x, keys[0])
    rank = len(x.shape)
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > rank:
        raise IndexError(f"Too many indices for {x.name!r} of shape {tuple(x.shape)}: {used}.")
    if not any(k is Ellipsis for k in keys):
        keys = (*keys, Ellipsis)
    begin, end, strides = [0] * rank, [0] * rank, [1] * rank
    begin_open, end_open = [1] * rank, [1] * rank
    dropped: list[int] = []  # axes of x that an int takes away
    taken: dict[int, Tensor] = {}  # axes of x that a computed position takes away
    added: list[int] = []  # axes of the result that None puts in
    axis = place = 0
    seen_ellipsis = False
    for k in keys:
        if k is None:
            added.append(place)
            place += 1
        elif k is Ellipsis:
            if seen_ellipsis:
                raise IndexError("An index can hold only one Ellipsis ('...').")
            seen_ellipsis = True
            axis += rank - used
            place += rank - used
        elif isinstance(k, slice):
            if any(isinstance(part, Tensor) for part in (k.start, k.stop, k.step)):
                raise TypeError(
                    "Bounds of a slice must be Python ints or None; use `K.gather` for computed places."
                )
            if k.start is not None:
                begin[axis], begin_open[axis] = int(k.start), 0
            if k.stop is not None:
                end[axis], end_open[axis] = int(k.stop), 0
            strides[axis] = 1 if k.step is None else int(k.step)
            if strides[axis] == 0:
                raise ValueError("The step of a slice cannot be 0.")
            axis += 1
            place += 1
        elif isinstance(k, (int, np.integer)) and not isinstance(k, (bool, np.bool_)):
            i, size = int(k), x.shape[axis]
            if size is not None and not -size <= i < size:
                raise IndexError(f"Index {i} is beyond axis {axis} of {x.name!r}, whose size is {size}.")
            begin[axis], begin_open[axis] = i, 0
            if i != -1:
                end[axis], end_open[axis] = i + 1, 0
            dropped.append(axis)
            axis += 1
        elif isinstance(k, Tensor) and len(k.shape) == 0 and k.dtype not in ("bool", "float32", "float64"):
            taken[axis] = k
            axis += 1
        else:
            kinds = "ints, slices, Ellipsis, None and scalar tensors of whole numbers"
            raise TypeError(f"A tensor can be indexed by {kinds}, not by {k!r}.")
    result = x
    if not all(begin_open) or not all(end_open) or any(s != 1 for s in strides):
        result = op(
            "slice", x, begin=begin, end=end, strides=strides, begin_mask=begin_open, end_mask=end_open
        )
    for i in sorted([*dropped, *taken], reverse=True):
        if i in taken:
            perm = [i, *(j for j in range(len(result.shape)) if j != i)]
            result = op("gather", op("transpose", result, perm=perm) if i else result, taken[i])
        else:
            result = op("squeeze", result, axis=i)
    for i in added:
        result = op("expand_dims", result, axis=i)
    if result is x:
        return op("identity", x)
    if x._dims is not None and len(keys) == 2 and keys[0] is not None and keys[0] is not Ellipsis:
        dims = x._dims[keys[0]]
        result._dims = dims if isinstance(keys[0], slice) else [dims]
    return result
