"""Making tensors and variables, reading and writing them, and asking about them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .compiled import Function
from .engine import Tensor, Update, Variable, is_scipy_sparse, op, to_array, to_tensor
from .engine import constant as _constant
from .engine import placeholder as _placeholder
from .movement import shape_source
from .names import dtype_name
from .sparse import SparseTensor, sparse_cast, sparse_constant, sparse_placeholder, to_dense

__all__ = [
    "batch_get_value",
    "batch_set_value",
    "cast",
    "constant",
    "count_params",
    "dtype",
    "eval",
    "eye",
    "get_value",
    "get_variable_shape",
    "identity",
    "int_shape",
    "is_keras_tensor",
    "is_placeholder",
    "is_tensor",
    "is_variable",
    "manual_variable_initialization",
    "moving_average_update",
    "ndim",
    "ones",
    "ones_like",
    "placeholder",
    "random_normal_variable",
    "random_uniform_variable",
    "set_value",
    "update",
    "update_add",
    "update_sub",
    "variable",
    "zeros",
    "zeros_like",
]


# Larger filled constants are made when a function runs: a config must not be able to fill the memory.
_LARGE = 2**20


# ---- making ---------------------------------------------------------------------------------------------


def variable(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    constraint: Callable[[Tensor], Tensor] | None = None,
) -> Any:
    """Makes a variable.

    Args:
        value: initial value: number, array, or a tensor of known shape, which is computed when the variable
            is first read. A SciPy sparse matrix makes a sparse tensor, which keeps its value.
        dtype: type; None means `floatx()`.
        name: last part of the name.
        constraint: function that optimizers apply to new values.
    Returns: the variable, of the value's shape.
    Raises: ValueError if a tensor's shape is not fully known.
    """
    kind = dtype_name(dtype)
    if isinstance(value, Tensor):
        if not value.shape.is_fully_defined():
            raise ValueError(
                f"A variable needs a fully known shape, but {value.name!r} has shape {tuple(value.shape)}."
            )
        result = Variable(value.shape, kind, name, constraint)
        result.set_initializer(cast(value, kind))
        return result
    if is_scipy_sparse(value):
        return sparse_constant(value, kind, name)
    array = np.asarray(value, dtype=kind)
    result = Variable(array.shape, kind, name, constraint)
    result._var.set(np.asarray(array, order="C"))
    return result


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """Makes a constant.

    Args:
        value: number or array.
        dtype: type; None means `floatx()`.
        shape: shape to give the constant; a single number fills it.
        name: its name.
    Raises: ValueError if the value does not fit `shape`.
    """
    array = to_array(value, dtype_name(dtype))
    if shape is not None:
        wanted = (shape,) if isinstance(shape, int) else tuple(shape)
        if array.size == 1 and math.prod(wanted) > _LARGE:
            number = float(array.reshape(()))
            return op("fill", shape=list(wanted), value=number, dtype=dtype_name(array.dtype))
        array = np.full(wanted, array.reshape(())) if array.size == 1 else array.reshape(wanted)
    return _constant(np.asarray(array, order="C"), name)


def placeholder(
    shape: Any = None,
    ndim: int | None = None,
    dtype: Any = None,
    sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """Makes a placeholder, a tensor that gets its data when a function is called.

    Args:
        shape: sizes, None where unknown.
        ndim: number of axes of unknown size, used if `shape` is not given.
        dtype: type; None means `floatx()`.
        sparse: make a sparse tensor, which is fed SciPy sparse matrices (or arrays) of two axes.
        name: its name.
    Raises: ValueError if neither `shape` nor `ndim` is given, or a sparse tensor would not be a matrix.
    """
    if shape is None:
        if ndim is None:
            raise ValueError("A placeholder needs its `shape` or its number of axes, `ndim`.")
        shape = (None,) * ndim
    sizes = tuple(None if n is None or n == -1 else int(n) for n in shape)
    make = sparse_placeholder if sparse else _placeholder
    result: Tensor = make(sizes, dtype_name(dtype), name)
    result._keras_shape = sizes
    return result


def _filled(shape: Any, value: float, dtype: Any, name: str | None) -> Tensor:
    kind = dtype_name(dtype)
    sizes = shape_source(shape)
    if isinstance(sizes, Tensor):  # not a variable: its size is known only when a function runs
        return op("fill_like", sizes, value=float(value), dtype=kind)
    return variable(np.full(sizes, value, dtype=kind), kind, name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Makes a variable of zeros. (A tensor, if `shape` holds sizes that are tensors.)"""
    return _filled(shape, 0, dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Makes a variable of ones. (A tensor, if `shape` holds sizes that are tensors.)"""
    return _filled(shape, 1, dtype, name)


def eye(size: int, dtype: Any = None, name: str | None = None) -> Variable:
    """Makes a variable holding the identity matrix, of shape (size, size)."""
    kind = dtype_name(dtype)
    return variable(np.eye(size, dtype=kind), kind, name)


def _like(x: Any, value: float, dtype: Any) -> Tensor:
    x = to_tensor(x)
    return op("fill_like", x, value=value, dtype=x.dtype if dtype is None else dtype_name(dtype))


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Returns zeros of x's shape, and of its type unless `dtype` is given."""
    return _like(x, 0.0, dtype)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Returns ones of x's shape, and of its type unless `dtype` is given."""
    return _like(x, 1.0, dtype)


def identity(x: Any, name: str | None = None) -> Tensor:
    """Returns a new tensor of the same content."""
    if isinstance(x, SparseTensor):
        return SparseTensor(x._parts)
    return op("identity", to_tensor(x))


def _random_variable(
    kind: str, shape: Any, dtype: Any, name: str | None, seed: int | None, **attrs: float
) -> Variable:
    if seed is None:
        seed = int(np.random.randint(10**9))
    type_ = dtype_name(dtype)
    parameters: dict[str, Any] = {k: float(v) for k, v in attrs.items()}
    parameters.update(shape=[int(n) for n in shape], seed=int(seed), dtype=type_)
    return variable(op(kind, **parameters), type_, name)


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """Makes a variable with values drawn evenly from [low, high)."""
    return _random_variable("random_uniform", shape, dtype, name, seed, min=low, max=high)


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: Any = None,
    name: str | None = None,
    seed: int | None = None,
) -> Variable:
    """Makes a variable with values drawn from a normal distribution of standard deviation `scale`."""
    return _random_variable("random_normal", shape, dtype, name, seed, mean=mean, stddev=scale)


def cast(x: Any, dtype: Any) -> Tensor:
    """Returns x in another type; x itself if it has that type already."""
    kind = dtype_name(dtype)
    x = to_tensor(x)
    if x.dtype == kind:
        return x
    if isinstance(x, SparseTensor):
        return sparse_cast(x, kind)
    result = op("cast", x, dtype=kind)
    result._dims = x._dims
    return result


# ---- asking ---------------------------------------------------------------------------------------------


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """Returns the shape as a tuple, None for unknown sizes; the layers' own note goes first."""
    noted = getattr(x, "_keras_shape", None)
    if noted is not None:
        return noted
    if isinstance(x, Tensor):
        return tuple(x.shape)
    shape = getattr(x, "shape", None)
    return tuple(shape) if shape is not None else None


def get_variable_shape(x: Any) -> tuple[int | None, ...] | None:
    """Returns the variable's shape as a tuple."""
    return int_shape(x)


def ndim(x: Any) -> int:
    """Returns the number of axes."""
    return len(x.shape) if isinstance(x, Tensor) else np.ndim(x)


def dtype(x: Any) -> str:
    """Returns the name of the tensor's type."""
    return x.dtype if isinstance(x, Tensor) else np.asarray(x).dtype.name


def count_params(x: Any) -> int:
    """Returns the number of elements of a variable.

    Raises: ValueError if its shape is not fully known.
    """
    n = to_tensor(x).shape.num_elements()
    if n is None:
        raise ValueError(f"The number of elements of {x!r} is unknown.")
    return n


def is_tensor(x: Any) -> bool:
    """Tells whether x is a symbolic tensor or a variable."""
    return isinstance(x, Tensor)


def is_variable(x: Any) -> bool:
    """Tells whether x is a variable."""
    return isinstance(x, Variable)


def is_placeholder(x: Any) -> bool:
    """Tells whether x is a placeholder."""
    if isinstance(x, SparseTensor):
        x = x._parts[0]
    return isinstance(x, Tensor) and x._value.op == "placeholder"


def is_keras_tensor(x: Any) -> bool:
    """Tells whether x was returned by a Keras layer (Input included).

    Raises: ValueError if x is no symbolic tensor at all.
    """
    if not isinstance(x, Tensor):
        raise ValueError(
            f"Unexpectedly found an instance of type `{type(x)}`. Expected a symbolic tensor instance."
        )
    return hasattr(x, "_keras_history")


# ---- reading and writing --------------------------------------------------------------------------------


def eval(x: Any) -> Any:
    """Computes x now.

    Args: x: variable, or tensor that depends on no placeholder; sparse ones become dense. An update is
        carried out.
    Returns: array, or a NumPy number for a scalar; the new value for an update.
    """
    if isinstance(x, Variable):
        return x._var.get()[()]
    if isinstance(x, Update):
        return batch_get_value([x])[0]
    x = to_tensor(x)
    function = getattr(x, "_eval", None)
    if function is None:
        function = Function([], [to_dense(x)], name="eval")
        x._eval = function
    return function([])[0]


def get_value(x: Any) -> Any:
    """Returns a variable's value: an array, or a NumPy number for a scalar."""
    return eval(x)


def batch_get_value(ops: Iterable[Any]) -> list[Any]:
    """Returns the values of several variables, or carries out several updates at the same time."""
    ops = list(ops)
    updates = [x for x in ops if isinstance(x, Update)]
    if not updates:
        return [eval(x) for x in ops]
    made = updates[0]._run
    if made is None or len(made[0]) != len(ops) or any(x is not y for x, y in zip(made[0], ops)):
        outputs = [x.value if isinstance(x, Update) else to_dense(to_tensor(x)) for x in ops]
        made = updates[0]._run = (ops, Function([], outputs, updates, name="updates"))
    return list(made[1]([]))


def set_value(x: Variable, value: Any) -> None:
    """Stores a new value (number or array of the variable's shape) in a variable, cast to its type.

    Raises: ValueError if the shape differs.
    """
    x.set(value)


def batch_set_value(tuples: Iterable[tuple[Variable, Any]]) -> None:
    """Stores values in several variables.

    Args: tuples: pairs (variable, value).
    """
    for x, value in tuples:
        x.set(value)


# ---- updates --------------------------------------------------------------------------------------------


def _typed(x: Tensor, value: Any) -> Tensor:
    return cast(value, x.dtype) if isinstance(value, Tensor) else to_tensor(value, x.dtype)


def update(x: Variable, new_x: Any) -> Update:
    """Returns the update that stores `new_x` in x."""
    return Update(x, _typed(x, new_x))


def update_add(x: Variable, increment: Any) -> Update:
    """Returns the update that adds `increment` to x."""
    step = _typed(x, increment)
    return Update(x, op("add", x, step), lambda old: op("add", old, step))


def update_sub(x: Variable, decrement: Any) -> Update:
    """Returns the update that subtracts `decrement` from x."""
    step = _typed(x, decrement)
    return Update(x, op("sub", x, step), lambda old: op("sub", old, step))


def moving_average_update(x: Variable, value: Any, momentum: float) -> Update:
    """Returns the update x ← momentum·x + (1 − momentum)·value."""
    new = to_tensor(value, x.dtype)

    def step(old: Tensor) -> Tensor:
        return old * momentum + new * (1.0 - momentum)

    return Update(x, step(x), step)


_manual_initialization = False


def manual_variable_initialization(value: bool) -> None:
    """Accepted for old scripts: variables here always have a value, there is nothing to initialise."""
    global _manual_initialization
    _manual_initialization = bool(value)
