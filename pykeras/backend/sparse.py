"""Sparse matrices: what they are made of, how SciPy's are fed, and what can be computed with them.

A sparse tensor is not one value of the engine but four: elements, their columns and the bounds of the rows,
as in SciPy's CSR format, and the number of columns as the shape of an empty array. So memory goes with the
elements.

Source: the public behaviour of keras/backend/tensorflow_backend.py (2.1.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import engine
from .engine import Tensor, op, op_all
from .names import TensorShape, current_scope, unique_name

__all__ = ["is_sparse", "to_dense"]

Parts = tuple[Tensor, Tensor, Tensor, Tensor]


class SparseTensor(Tensor):
    """A matrix, of shape (rows, columns), most of whose elements are zero.

    It can be fed, multiplied by a dense matrix (`K.dot`) or a number, joined with others (`K.concatenate`)
    and made dense (`K.to_dense`); everything else is a TypeError that says so.

    Args:
        parts: elements (n,), columns (n,) int32, row bounds (rows + 1,) int64, and an empty (0, columns).
        name: its name.
    """

    _sparse = True

    def __init__(self, parts: Sequence[Tensor], name: str | None = None) -> None:
        data, indices, indptr, width = parts
        self._parts: Parts = (data, indices, indptr, width)
        self._name = name
        bounds = indptr.shape[0]
        self.shape = TensorShape((None if bounds is None else bounds - 1, width.shape[1]))
        self.dtype = data.dtype
        self._uses_learning_phase = any(part._uses_learning_phase for part in parts)

    @property
    def name(self) -> str:
        """Name like 'input_1:0', unique among all tensors."""
        if self._name is None:
            scope = current_scope()
            self._name = unique_name(f"{scope}/sparse" if scope else "sparse") + ":0"
        return self._name

    @property
    def _value(self) -> Any:  # type: ignore[override]
        where = f" of {current_scope()!r}" if current_scope() else ""
        raise TypeError(
            f"The tensor {self.name!r} is sparse, and this operation{where} takes dense tensors only. "
            "Sparse may be the first factor of `K.dot`, what `K.concatenate` joins and the input of `Dense`; "
            "elsewhere make it dense: `K.to_dense(x)`, in a model `Lambda(K.to_dense)(x)`."
        )

    def set(self, value: Any) -> None:
        """Raises TypeError: sparse variables keep the value that they were made with."""
        raise TypeError(
            f"The sparse tensor {self.name!r} cannot be changed; feed a `K.placeholder(sparse=True)` instead."
        )

    def _with(self, data: Tensor) -> SparseTensor:
        return SparseTensor((data, *self._parts[1:]))

    def __mul__(self, other: Any) -> Tensor:
        if np.ndim(other) if not isinstance(other, Tensor) else other.shape:
            return super().__mul__(other)  # which raises
        return self._with(self._parts[0] * other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Tensor:
        if np.ndim(other) if not isinstance(other, Tensor) else other.shape:
            return super().__truediv__(other)
        return self._with(self._parts[0] / other)

    def __neg__(self) -> Tensor:
        return self._with(-self._parts[0])


# ---- SciPy's matrices -----------------------------------------------------------------------------------


def _room(n: int) -> int:
    """Length of the arrays for n elements: at most a quarter more, so that batches can share a plan."""
    step = 1 << max(0, n.bit_length() - 3)
    return max(1, -(-n // step) * step)


def _compressed(value: Any, where: str) -> tuple[Any, Any, Any, tuple[int, int]]:
    """data, indices, indptr and shape of a SciPy matrix of any format, or of a dense array."""
    if engine.is_scipy_sparse(value):
        if len(value.shape) == 2:
            value = value.tocsr()
            return value.data, value.indices, value.indptr, value.shape
    else:
        value = np.asarray(value)
        if value.ndim == 2:
            rows, columns = np.nonzero(value)
            bounds = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=value.shape[0]))])
            return value[rows, columns], columns, bounds, value.shape
    raise ValueError(f"{where} is a sparse matrix with 2 axes; it cannot take data of shape {value.shape}.")


def fed_arrays(tensor: SparseTensor, value: Any) -> list[np.ndarray]:
    """Returns the arrays to feed for the parts of a sparse tensor.

    Args:
        tensor: the tensor to feed.
        value: SciPy sparse matrix of any format, or a dense array of 2 axes.
    Raises: ValueError for another shape than the tensor's.
    """
    data, indices, indptr, shape = _compressed(value, f"The input {tensor.name!r}")
    if any(want is not None and want != n for want, n in zip(tensor.shape, shape)):
        raise ValueError(
            f"The input {tensor.name!r} expects shape {tuple(tensor.shape)}, got a matrix of shape "
            f"{tuple(shape)}."
        )
    used = int(indptr[-1])
    arrays = [np.zeros(_room(used), dtype) for dtype in (tensor.dtype, "int32")]
    arrays[0][:used] = data[:used]
    arrays[1][:used] = indices[:used]
    return [*arrays, np.asarray(indptr, "int64"), np.empty((0, shape[1]), "uint8")]


def fetched_matrix(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray, width: np.ndarray) -> Any:
    """Returns the SciPy matrix that the parts of a sparse tensor make.

    Raises: ImportError without SciPy.
    """
    try:
        from scipy.sparse import csr_matrix
    except ImportError as error:
        raise ImportError(
            "A sparse tensor as a result needs SciPy (`pip install scipy`); or make it dense: `K.to_dense`."
        ) from error
    used = int(indptr[-1])
    return csr_matrix((data[:used], indices[:used], indptr), shape=(len(indptr) - 1, width.shape[1]))


# ---- making ---------------------------------------------------------------------------------------------


def sparse_placeholder(shape: tuple[int | None, ...], dtype: str, name: str | None) -> SparseTensor:
    """Returns a sparse tensor that is fed.

    Raises: ValueError unless `shape` has two sizes.
    """
    if len(shape) != 2:
        raise ValueError(
            f"A sparse tensor is a matrix, of shape (rows, columns); {shape} has {len(shape)} sizes."
        )
    rows, columns = shape
    name = name or "Placeholder"
    data = engine.placeholder((None,), dtype, name)
    indices = engine.placeholder((None,), "int32", name + "_indices")
    indptr = engine.placeholder((None if rows is None else rows + 1,), "int64", name + "_indptr")
    width = engine.placeholder((0, columns), "uint8", name + "_width")
    return SparseTensor((data, indices, indptr, width), data.name)


def sparse_constant(value: Any, dtype: str, name: str | None = None) -> SparseTensor:
    """Returns a sparse tensor with the elements of a SciPy matrix; it cannot be changed."""
    data, indices, indptr, shape = _compressed(value, "A sparse variable")
    used = int(indptr[-1])
    arrays = (data[:used].astype(dtype), indices[:used].astype("int32"), np.asarray(indptr, "int64"))
    parts = [engine.constant(np.ascontiguousarray(a)) for a in (*arrays, np.empty((0, shape[1]), "uint8"))]
    return SparseTensor(parts, None if name is None else unique_name(name) + ":0")


def first_of_rows(x: Tensor, lengths: Tensor) -> SparseTensor:
    """Returns the first elements of each row of x (rows, n), as many as `lengths` (rows,) says."""
    width = op("cast", x[:0], dtype="uint8")
    return SparseTensor([*op_all("sparse_rows", x, lengths), width])


# ---- computing ------------------------------------------------------------------------------------------


def is_sparse(tensor: Any) -> bool:
    """Tells whether the tensor is sparse."""
    return isinstance(tensor, SparseTensor)


def to_dense(tensor: Any) -> Tensor:
    """Returns a sparse tensor's elements as a dense tensor; a dense tensor itself."""
    return op("sparse_to_dense", *tensor._parts) if isinstance(tensor, SparseTensor) else tensor


def sparse_dot(x: SparseTensor, y: Tensor) -> Tensor:
    """Returns the product of a sparse and a dense matrix: (rows, k) · (k, n) → (rows, n), dense."""
    return op("sparse_matmul", *x._parts, y)


def sparse_concatenate(tensors: Sequence[SparseTensor], axis: int) -> SparseTensor:
    """Joins sparse matrices: below each other (axis 0), or side by side (axis 1)."""
    result = tensors[0]
    for tensor in tensors[1:]:
        parts = op_all("sparse_concat", *result._parts, *tensor._parts, axis=axis)
        widths = (result._parts[3], tensor._parts[3])
        result = SparseTensor([*parts, op("concat", *widths, axis=1) if axis else widths[0]])
    return result if len(tensors) > 1 else SparseTensor(result._parts)


def sparse_cast(x: SparseTensor, dtype: str) -> SparseTensor:
    """Returns x with elements of another type."""
    return x._with(op("cast", x._parts[0], dtype=dtype))
