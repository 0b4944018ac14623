"""Ops that move elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import In, OpCase, integers, values

X = In((None, 3, 4))
WHOLE = In((None, 3, 4), domain=integers(0, 100))
OTHERS = ("int32", "int64", "uint8", "bool")


def both(op: str, ref: Any, x: In, attrs: dict[str, Any], label: str = "") -> list[OpCase]:
    """The case on floats, and on every other dtype."""
    bits = In(x.shape, x.dtype, integers(0, 2))
    return [
        OpCase(op, ref, [x], attrs, label=label),
        OpCase(op, ref, [bits], attrs, label=f"{label}int", dtypes=OTHERS),
    ]


def flatten_from(x: np.ndarray, axis: int) -> np.ndarray:
    return x.reshape(*x.shape[:axis], int(np.prod(x.shape[axis:], initial=1)))


def broadcast_to(x: np.ndarray, shape: list[int]) -> np.ndarray:
    extra = len(shape) - x.ndim
    return np.broadcast_to(x, [x.shape[i - extra] if n == -1 else n for i, n in enumerate(shape)])


def concat_part(g: np.ndarray, *parts: np.ndarray, axis: int, index: int) -> np.ndarray:
    ends = np.cumsum([p.shape[axis] for p in parts])
    return np.split(g, ends[:-1], axis)[index]


def slices(begin: Any, end: Any, strides: Any, begin_mask: Any, end_mask: Any) -> tuple[slice, ...]:
    return tuple(
        slice(None if bm else b, None if em else e, s)
        for b, e, s, bm, em in zip(begin, end, strides, begin_mask, end_mask, strict=True)
    )


def take(x: np.ndarray, **attrs: Any) -> np.ndarray:
    return x[slices(**attrs)]


def put(g: np.ndarray, x: np.ndarray, **attrs: Any) -> np.ndarray:
    out = np.zeros(x.shape, g.dtype)
    out[slices(**attrs)] = g
    return out


def slice_attrs(*parts: slice) -> dict[str, Any]:
    return {
        "begin": [p.start or 0 for p in parts],
        "end": [p.stop or 0 for p in parts],
        "strides": [p.step or 1 for p in parts],
        "begin_mask": [int(p.start is None) for p in parts],
        "end_mask": [int(p.stop is None) for p in parts],
    }


def pad(x: np.ndarray, before: list[int], after: list[int], value: float) -> np.ndarray:
    return np.pad(x, list(zip(before, after, strict=True)), constant_values=value)


def crop(x: np.ndarray, before: list[int], after: list[int], value: float = 0) -> np.ndarray:
    return x[tuple(slice(b, n - a) for b, a, n in zip(before, after, x.shape, strict=True))]


def tile_grad(g: np.ndarray, x: np.ndarray, reps: list[int]) -> np.ndarray:
    pairs = [n for pair in zip(reps, x.shape, strict=True) for n in pair]
    return g.reshape(pairs).sum(axis=tuple(range(0, 2 * x.ndim, 2)))


def repeat_grad(g: np.ndarray, x: np.ndarray, axis: int, n: int) -> np.ndarray:
    shape = list(x.shape)
    shape.insert(axis + 1, n)
    return g.reshape(shape).sum(axis=axis + 1)


SLICES: dict[str, tuple[tuple[slice, ...], tuple[int, ...]]] = {
    # (slices, shape of the result with the batch whole)
    "plain": ((slice(None), slice(1, 3), slice(0, 2)), (2, 2)),
    "open": ((slice(None), slice(1, None), slice(None, -1)), (2, 3)),
    "steps": ((slice(None), slice(None, None, 2), slice(1, None, 2)), (2, 2)),
    "backwards": ((slice(None, None, -1), slice(None, None, -1), slice(3, 0, -2)), (3, 2)),
    "negative": ((slice(None), slice(-2, None), slice(-3, -1)), (2, 2)),
    "beyond": ((slice(None), slice(-10, 10), slice(2, 100)), (3, 2)),
    "empty": ((slice(None), slice(2, 1), slice(None)), (0, 4)),
    "back out": ((slice(None), slice(10, None, -1), slice(None, -10, -1)), (3, 4)),
}
PADS = {"before": [0, 1, 2], "after": [0, 2, 0]}
PART = {"axis": 1, "index": 1}

CASES = [
    *both("reshape", lambda x, shape: x.reshape(shape), X, {"shape": [-1, 12]}),
    *both("reshape", lambda x, shape: x.reshape(shape), In((2, 3, 4)), {"shape": [4, 6]}, "known"),
    *both("reshape", lambda x, shape: x.reshape(shape), X, {"shape": [-1]}, "flat"),
    OpCase(
        "reshape",
        lambda x, s, shape: x.reshape(s),
        [X, In((2,), "int32", values(-1, 6))],
        {"shape": [-1, 6]},
        label="tensor",
    ),
    OpCase("reshape_like", lambda x, ref: x.reshape(ref.shape), [X, In((None, 2, 6))]),
    *both("flatten_from", flatten_from, X, {"axis": 1}, "1"),
    *both("flatten_from", flatten_from, X, {"axis": 0}, "0"),
    *both("flatten_from", flatten_from, X, {"axis": 3}, "3"),
    *both("expand_dims", lambda x, axis: np.expand_dims(x, axis), X, {"axis": 1}, "1"),
    *both("expand_dims", lambda x, axis: np.expand_dims(x, axis), X, {"axis": -1}, "-1"),
    *both("squeeze", lambda x, axis: np.squeeze(x, axis), In((None, 1, 4)), {"axis": 1}),
    *both("squeeze", lambda x, axis: np.squeeze(x, axis), In((None, 4, 1)), {"axis": -1}, "-1"),
    *[
        case
        for perm in ([0, 2, 1], [2, 1, 0], [1, 2, 0], [0, 1, 2])
        for case in both("transpose", lambda x, perm: np.transpose(x, perm), X, {"perm": perm}, str(perm))
    ],
    *both("transpose", lambda x, perm: np.transpose(x, perm), In((None, 5)), {"perm": [1, 0]}, "2d"),
    *both(
        "transpose", lambda x, perm: np.transpose(x, perm), In((None, 2, 3, 4)), {"perm": [0, 3, 1, 2]}, "4d"
    ),
    *both(
        "transpose",
        lambda x, perm: np.transpose(x, perm),
        In((None, 2, 3, 2, 2)),
        {"perm": [4, 0, 3, 1, 2]},
        "5d",
    ),
    *both("broadcast_to", broadcast_to, In((None, 1, 4)), {"shape": [-1, 3, 4]}),
    *both("broadcast_to", broadcast_to, In((3, 1)), {"shape": [2, -1, 5]}, "new axis"),
    *both("broadcast_to", broadcast_to, In(()), {"shape": [2, 3]}, "scalar"),
    *[
        OpCase(
            "concat",
            lambda *x, axis: np.concatenate(x, axis),
            [X, In(other), In(other)],
            {"axis": axis},
            label=str(axis),
        )
        for axis, other in ((0, (5, 3, 4)), (1, (None, 2, 4)), (-1, (None, 3, 1)))
    ],
    OpCase("concat", lambda *x, axis: np.concatenate(x, axis), [X], {"axis": 0}, label="one"),
    OpCase(
        "concat",
        lambda *x, axis: np.concatenate(x, axis),
        [WHOLE, WHOLE],
        {"axis": 2},
        label="int",
        dtypes=OTHERS[:3],
    ),
    OpCase("concat_part", concat_part, [In((None, 6, 4)), X, In((None, 2, 4)), In((None, 1, 4))], PART),
    OpCase(
        "concat_part",
        concat_part,
        [X, In((None, 3, 1)), In((None, 3, 3))],
        {"axis": -1, "index": 0},
        label="last",
    ),
    *[
        case
        for label, (parts, _) in SLICES.items()
        for case in both("slice", take, X, slice_attrs(*parts), label)
    ],
    OpCase("slice", take, [In((5, 3, 4))], slice_attrs(slice(1, 4), slice(0, 1), slice(None)), label="batch"),
    *[
        OpCase("slice_grad", put, [In((None, *shape)), X], slice_attrs(*parts), label=label)
        for label, (parts, shape) in SLICES.items()
    ],
    OpCase("pad", pad, [X], {**PADS, "value": 0.0}),
    OpCase("pad", pad, [X], {"before": [1, 0, 0], "after": [0, 0, 1], "value": -7.0}, label="value"),
    OpCase("pad", pad, [WHOLE], {**PADS, "value": 9}, label="int", dtypes=OTHERS[:3]),
    *both("crop", crop, X, {"before": [0, 1, 2], "after": [0, 1, 0]}),
    *both("crop", crop, X, {"before": [0, 3, 0], "after": [0, 0, 0]}, "empty"),
    *both("tile", lambda x, reps: np.tile(x, reps), X, {"reps": [1, 2, 3]}),
    *both("tile", lambda x, reps: np.tile(x, reps), X, {"reps": [2, 1, 1]}, "batch"),
    OpCase("tile_grad", tile_grad, [In((None, 6, 12)), X], {"reps": [1, 2, 3]}),
    *both("repeat", lambda x, axis, n: np.repeat(x, n, axis), X, {"axis": 1, "n": 3}),
    *both("repeat", lambda x, axis, n: np.repeat(x, n, axis), X, {"axis": 2, "n": 2}, "last"),
    OpCase("repeat_grad", repeat_grad, [In((None, 9, 4)), X], {"axis": 1, "n": 3}),
    *both("reverse", lambda x, axes: np.flip(x, axes), X, {"axes": [1]}, "1"),
    *both("reverse", lambda x, axes: np.flip(x, axes), X, {"axes": [0, 2]}, "02"),
]
