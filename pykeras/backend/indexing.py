"""Slices of tensors: what `x[…]` means."""

from __future__ import annotations

from typing import Any

import numpy as np

from .engine import Tensor, op, to_tensor


def known_size(n: Any) -> Any:
    """The number that a scalar tensor is known to hold, being a size that is stated; else what is given."""
    dims = n._dims if isinstance(n, Tensor) and not n.shape else None
    return dims[0] if dims is not None and isinstance(dims[0], int) else n


def index(x: Tensor, key: Any) -> Tensor:
    """Returns x[key] for ints, slices, Ellipsis, None and scalar tensors, with NumPy's meaning.

    The bounds of a slice may be scalar tensors too, computed from sizes such as `K.shape(x)[1]`: the shape
    of the result must be known when a function has its inputs.

    Raises:
        IndexError: too many indices, or an int beyond a known size.
        TypeError: a key of another kind. A tensor of any rank may be the only key; it picks along axis 0.
    """
    keys = key if isinstance(key, tuple) else (key,)
    if any(isinstance(k, Tensor) and k.dtype == "bool" for k in keys):
        raise TypeError(
            f"The tensor {x.name!r} cannot be indexed by a mask: how much is left would depend on the data. "
            "Multiply by `K.cast(mask, K.floatx())`, or choose with `K.switch(mask, x, K.zeros_like(x))`."
        )
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
    computed: dict[int, slice] = {}  # axes of x that are cut at computed bounds
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
            k = slice(known_size(k.start), known_size(k.stop), k.step)
            if isinstance(k.step, Tensor):
                raise TypeError("The step of a slice must be a Python int or None.")
            if k.step is not None and int(k.step) == 0:
                raise ValueError("The step of a slice cannot be 0.")
            if isinstance(k.start, Tensor) or isinstance(k.stop, Tensor):
                computed[axis] = k
            else:
                if k.start is not None:
                    begin[axis], begin_open[axis] = int(k.start), 0
                if k.stop is not None:
                    end[axis], end_open[axis] = int(k.stop), 0
                strides[axis] = 1 if k.step is None else int(k.step)
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
        elif _is_whole_scalar(k):
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
    if computed:
        result = _cut(result, computed)
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


def _is_whole_scalar(x: Any) -> bool:
    return isinstance(x, Tensor) and len(x.shape) == 0 and x.dtype not in ("bool", "float32", "float64")


def _cut(x: Tensor, cuts: dict[int, slice]) -> Tensor:
    """Cuts axes at bounds of which some are tensors."""
    slices = [cuts.get(axis, slice(None)) for axis in range(len(x.shape))]
    bounds = []
    for bound in [*(s.start for s in slices), *(s.stop for s in slices)]:
        if isinstance(bound, Tensor) and not _is_whole_scalar(bound):
            raise TypeError(f"A tensor that bounds a slice must be a scalar of whole numbers, not {bound!r}.")
        bound = to_tensor(0 if bound is None else bound, "int64")
        bounds.append(op("expand_dims", op("cast", bound, dtype="int64"), axis=0))
    return op(
        "slice",
        x,
        op("concat", *bounds, axis=0),
        begin=[0] * len(slices),
        end=[0] * len(slices),
        strides=[1 if s.step is None else int(s.step) for s in slices],
        begin_mask=[int(s.start is None) for s in slices],
        end_mask=[int(s.stop is None) for s in slices],
    )
