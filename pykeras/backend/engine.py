"""The only importer of the compiled core: symbolic tensors, variables, functions and what they share.

Everything else of the package is written against this module and never sees `_core`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

try:
    from .. import _core
except ImportError as error:
    from pathlib import Path

    package = Path(__file__).parent.parent
    if any(package.glob("_core*.so")):  # not for this Python or system; the error says why
        raise
    raise ImportError(
        f"The compiled core is missing in {package}. If these are the sources, start Python in another "
        "folder, so that it finds the installed package, or build the core in place (docs/architecture.md)."
    ) from error
from . import common
from .names import (
    FLOAT_DTYPES,
    TensorShape,
    _local,
    current_scope,
    dtype_name,
    reset_names,
    scoped_name,
    unique_name,
)

_core_op = _core.op


# ---- tensors --------------------------------------------------------------------------------------------


class _Op:
    """What scripts read from `tensor.op`: name, type and inputs of the node."""

    __slots__ = ("inputs", "name", "type")

    def __init__(self, tensor: Tensor) -> None:
        self.name = tensor.name.rsplit(":", 1)[0]
        self.type = tensor._value.op
        self.inputs = [Tensor(value) for value in tensor._value.inputs]


class Tensor:
    """Symbolic result of an op: shape, type and name, but no data.

    Carries free attributes; the layers put `_keras_shape`, `_keras_history` and `_uses_learning_phase` on it.
    Equality and hash go by identity: compare elements with `K.equal`.
    """

    __array_priority__ = 100
    __array_ufunc__ = None  # makes `ndarray + tensor` come to __radd__

    _keras_shape: Any  # set by layers only
    _keras_history: Any
    _uses_learning_phase: bool = False
    _sparse: bool = False
    _cut: bool = False  # rows end with −1: as a result, only as wide as the longest needs (ctc.py)
    # Where the elements are sizes of other tensors (K.shape): one entry per element, see movement.py.
    _dims: list[Any] | None = None

    def __init__(self, value: _core.Value, name: str | None = None) -> None:
        self._value = value
        self._name = name
        self.shape = TensorShape(value.shape)
        self.dtype: str = value.dtype

    @property
    def name(self) -> str:
        """Name like 'dense_1/matmul:0', unique among all tensors."""
        if self._name is None:
            value = self._value
            base = f"{value.scope}/{value.op}" if value.scope else value.op
            self._name = f"{unique_name(base)}:{value.index}"
        return self._name

    @property
    def op(self) -> _Op:
        """The node that makes this tensor."""
        return _Op(self)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    def get_shape(self) -> TensorShape:
        """Returns the static shape."""
        return self.shape

    def set_shape(self, shape: Sequence[int | None]) -> None:
        """States sizes that the ops before could not tell; known ones must agree.

        Raises: ValueError if they do not.
        """
        sizes = [None if n is None or int(n) < 0 else int(n) for n in shape]
        if len(sizes) != len(self.shape) or any(
            None not in (a, b) and a != b for a, b in zip(sizes, self.shape)
        ):
            raise ValueError(
                f"The tensor {self.name!r} of shape {tuple(self.shape)} cannot be {tuple(sizes)}."
            )
        if any(a is not None and b is None for a, b in zip(sizes, self.shape)):
            known = [-1 if a is None and b is None else a or b or 0 for a, b in zip(sizes, self.shape)]
            self._value = op("reshape", self, op("shape", self), shape=known)._value
            self.shape = TensorShape(self._value.shape)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} shape={tuple(self.shape)} dtype={self.dtype}>"

    def __bool__(self) -> bool:
        raise TypeError(
            f"The symbolic tensor {self.name!r} has no truth value while the graph is built. "
            "Use `K.switch` to choose between tensors, or `is None` to test for absence."
        )

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError(
            f"The symbolic tensor {self.name!r} holds no data and cannot become a NumPy array. "
            "Use functions of `keras.backend`, or `K.eval` to compute it."
        )

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError(f"The tensor {self.name!r} is a scalar and cannot be iterated over.")
        n = self.shape[0]
        if n is None:
            raise TypeError(f"The tensor {self.name!r} cannot be iterated over: its first size is unknown.")
        return iter([self[i] for i in range(n)])

    def __getitem__(self, key: Any) -> Tensor:
        from .indexing import index  # stands above this module

        return index(self, key)

    # Arithmetic. Python numbers and arrays take the tensor's type.

    def __add__(self, other: Any) -> Tensor:
        return binary("add", self, other)

    def __radd__(self, other: Any) -> Tensor:
        return binary("add", other, self)

    def __sub__(self, other: Any) -> Tensor:
        return binary("sub", self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return binary("sub", other, self)

    def __mul__(self, other: Any) -> Tensor:
        return binary("mul", self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return binary("mul", other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return _true_divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _true_divide(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return _floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return _floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return binary("floor_mod", self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return binary("floor_mod", other, self)

    def __pow__(self, other: Any) -> Tensor:
        return power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return binary("pow", other, self)

    def __matmul__(self, other: Any) -> Tensor:
        other = to_tensor(other, self.dtype)
        return op("matmul" if len(self.shape) == 2 == len(other.shape) else "batch_matmul", self, other)

    def __neg__(self) -> Tensor:
        return op("neg", self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return op("abs", self)

    def __lt__(self, other: Any) -> Tensor:
        return binary("less", self, other)

    def __le__(self, other: Any) -> Tensor:
        return binary("less_equal", self, other)

    def __gt__(self, other: Any) -> Tensor:
        return binary("greater", self, other)

    def __ge__(self, other: Any) -> Tensor:
        return binary("greater_equal", self, other)

    def __and__(self, other: Any) -> Tensor:
        return binary("logical_and", self, other)

    def __rand__(self, other: Any) -> Tensor:
        return binary("logical_and", other, self)

    def __or__(self, other: Any) -> Tensor:
        return binary("logical_or", self, other)

    def __ror__(self, other: Any) -> Tensor:
        return binary("logical_or", other, self)

    def __xor__(self, other: Any) -> Tensor:
        return binary("not_equal", self, other)

    def __invert__(self) -> Tensor:
        return op("logical_not", self)


class Variable(Tensor):
    """A tensor whose value is kept between calls: a weight, an optimizer slot, a counter.

    Args:
        shape: fully known shape.
        dtype: name of the type.
        name: last part of the name; the current scope is put in front.
        constraint: function that the optimizer applies to new values, or None.
    """

    trainable = True  # what `add_weight` was told; for scripts that make a weight like another

    def __init__(
        self,
        shape: Sequence[int],
        dtype: str,
        name: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        full = scoped_name(name or "Variable")
        self._var = _core.Variable(tuple(shape), dtype, full)
        super().__init__(self._var.value, full + ":0")
        self._keras_shape = tuple(self.shape)
        self.constraint = constraint

    def __bool__(self) -> bool:
        return True  # scripts ask `if self.bias:` for whether a layer has one, never for its numbers

    @property
    def _constraint(self) -> Callable[[Tensor], Tensor] | None:
        return self.constraint

    def get(self) -> np.ndarray:
        """Returns a copy of the value, as an array of the variable's shape."""
        return self._var.get()

    def set(self, value: Any) -> None:
        """Stores `value` (an array or number of the variable's shape), cast to the variable's type.

        Raises: ValueError if the shape differs.
        """
        array = np.asarray(value, dtype=self.dtype, order="C")
        if array.shape != self.shape:
            raise ValueError(
                f"The variable {self.name!r} has shape {tuple(self.shape)}; "
                f"a value of shape {array.shape} cannot be stored in it."
            )
        self._var.set(array)

    def set_initializer(self, tensor: Tensor) -> None:
        """Makes `tensor` the initial value; it is computed when the variable is first read."""
        self._var.set_initializer(tensor._value)


class Update:
    """New value for a variable, to be stored after a function has computed its outputs.

    Unpacks like the pair (variable, value). Where given, `step` makes the new value from any old one: several
    updates of one variable in the same function then follow each other instead of the last one winning.
    """

    __slots__ = ("_run", "step", "value", "variable")

    def __init__(
        self, variable: Variable, value: Tensor, step: Callable[[Tensor], Tensor] | None = None
    ) -> None:
        if not isinstance(variable, Variable):
            raise TypeError(f"Only variables can be updated, not {variable!r}.")
        self.variable = variable
        self.value = value
        self.step = step
        self._run: tuple[list[Any], Any] | None = None  # the last `K.batch_get_value` that it led

    def __iter__(self) -> Iterator[Any]:
        return iter((self.variable, self.value))

    def __repr__(self) -> str:
        return f"<Update of {self.variable.name!r}>"


# ---- building nodes -------------------------------------------------------------------------------------


def op(name: str, *inputs: Tensor, **attrs: Any) -> Tensor:
    """Adds a node with one output.

    Args:
        name: an op of the catalogue.
        inputs: tensors.
        attrs: the op's attributes.
    Returns: its output.
    Raises: ValueError if the op refuses these shapes, types or attributes.
    """
    result = Tensor(_core_op(name, [t._value for t in inputs], attrs, _local.scope)[0])
    for t in inputs:
        if t._uses_learning_phase:
            result._uses_learning_phase = True
            break
    return result


def op_all(name: str, *inputs: Tensor, **attrs: Any) -> list[Tensor]:
    """Adds a node and returns all its outputs; otherwise like `op`."""
    results = [Tensor(value) for value in _core_op(name, [t._value for t in inputs], attrs, _local.scope)]
    if any(t._uses_learning_phase for t in inputs):
        for result in results:
            result._uses_learning_phase = True
    return results


def is_scipy_sparse(x: Any) -> bool:
    """Tells whether `x` is a SciPy sparse matrix, without importing SciPy."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(x))


def to_array(x: Any, dtype: str | None = None) -> np.ndarray:
    """Returns a Python number, list or array as an array of one of the engine's types.

    Args:
        x: the data; a SciPy sparse matrix becomes dense.
        dtype: the wanted type. None keeps an array's own type; Python floats become `floatx()` and whole
            numbers int32.
    Raises: TypeError for what holds no numbers, and for fractions where `dtype` is a whole-number type.
    """
    if is_scipy_sparse(x):
        x = x.toarray()
    array = np.asarray(x)
    kind = array.dtype.kind
    if kind not in "fiub":
        raise TypeError(f"Cannot make a tensor of {x!r} (type {type(x).__name__}).")
    if dtype is None:
        if isinstance(x, (np.ndarray, np.generic)):
            dtype = dtype_name(array.dtype)
        else:
            dtype = {"f": common._FLOATX, "b": "bool"}.get(kind, "int32")
    elif kind == "f" and dtype not in FLOAT_DTYPES and not np.array_equal(array, np.floor(array)):
        raise TypeError(f"Cannot use {x!r} together with a tensor of type {dtype}: it holds fractions.")
    return np.asarray(array, dtype=dtype, order="C")


def constant(array: np.ndarray, name: str | None = None) -> Tensor:
    """Returns a tensor with the array's data."""
    return Tensor(_core.constant(array), None if name is None else scoped_name(name) + ":0")


def _tensor_in(x: Any) -> Tensor | None:
    """A tensor that lists and tuples hold, if any."""
    if isinstance(x, (list, tuple)):
        for item in x:
            found = item if isinstance(item, Tensor) else _tensor_in(item)
            if found is not None:
                return found
    return None


def to_tensor(x: Any, dtype: str | None = None) -> Tensor:
    """Returns tensors as they are, lists of tensors stacked, and makes constants of everything else.

    Args: as `to_array`; `dtype` is not applied to tensors.
    """
    if isinstance(x, Tensor):
        return x
    inner = _tensor_in(x)
    if inner is not None:
        items = [op("expand_dims", to_tensor(t, inner.dtype), axis=0) for t in x]
        return op("concat", *items, axis=0)
    return Tensor(_core.constant(to_array(x, dtype)))


def placeholder(shape: Sequence[int | None], dtype: str, name: str | None = None) -> Tensor:
    """Returns a tensor whose data a function receives when it is called."""
    full = scoped_name(name or "Placeholder")
    return Tensor(_core.placeholder(tuple(shape), dtype, full), full + ":0")


def binary(name: str, x: Any, y: Any) -> Tensor:
    """Adds a pointwise node of two operands; one that is no tensor takes the other's type."""
    if not isinstance(x, Tensor):
        y = to_tensor(y)
        x = to_tensor(x, y.dtype)
    elif not isinstance(y, Tensor):
        y = to_tensor(y, x.dtype)
    return op(name, x, y)


def power(x: Tensor, a: Any) -> Tensor:
    """Returns x**a; squares have an op of their own."""
    if not isinstance(a, Tensor) and np.ndim(a) == 0 and a == 2:
        return op("square", x)
    return binary("pow", x, a)


def _true_divide(x: Any, y: Any) -> Tensor:
    if isinstance(x, Tensor) and x.dtype not in FLOAT_DTYPES:
        x = op("cast", x, dtype=common._FLOATX)
    if isinstance(y, Tensor) and y.dtype not in FLOAT_DTYPES:
        y = op("cast", y, dtype=common._FLOATX)
    return binary("div", x, y)


def _floor_divide(x: Any, y: Any) -> Tensor:
    if not isinstance(x, Tensor):
        x = to_tensor(x, y.dtype)
    y = to_tensor(y, x.dtype)
    if x.dtype in FLOAT_DTYPES:
        return op("floor", op("div", x, y))
    # float64 holds all whole numbers that sizes and indices can be.
    quotient = op("div", op("cast", x, dtype="float64"), op("cast", y, dtype="float64"))
    return op("cast", op("floor", quotient), dtype=x.dtype)


# ---- learning phase -------------------------------------------------------------------------------------

_phase_tensor: Tensor | None = None
_fixed_phase: int | None = None


def phase_tensor() -> Tensor:
    """Returns the process's symbolic learning phase, a bool scalar that is false unless fed."""
    global _phase_tensor
    if _phase_tensor is None:
        _phase_tensor = Tensor(_core.learning_phase(), "keras_learning_phase:0")
        _phase_tensor._uses_learning_phase = True
    return _phase_tensor


def clear_session() -> None:
    """Forgets names, counters and a fixed learning phase. Models built before keep working."""
    global _fixed_phase
    reset_names()
    _fixed_phase = None


def learning_phase() -> Any:
    """Returns the learning phase: the int that was fixed, otherwise a symbolic bool scalar."""
    return phase_tensor() if _fixed_phase is None else _fixed_phase


def set_learning_phase(value: int) -> None:
    """Fixes the learning phase, 0 (test) or 1 (train), for everything built from now on.

    Raises: ValueError for any other value.
    """
    global _fixed_phase
    if value not in (0, 1):
        raise ValueError(f"The learning phase must be 0 or 1, not {value!r}.")
    _fixed_phase = int(value)


def is_phase(x: Any) -> bool:
    """Tells whether `x` is the symbolic learning phase itself."""
    return (
        isinstance(x, Tensor)
        and _phase_tensor is not None
        and not x._sparse
        and x._value.id == _phase_tensor._value.id
    )


# ---- functions and gradients ----------------------------------------------------------------------------


def gradients(
    ys: Sequence[Tensor], xs: Sequence[Tensor], grad_ys: Sequence[Tensor | None] | None = None
) -> list[Tensor | None]:
    """Returns the gradients of the sum of `ys` for each of `xs`, None where there is no path.

    Args: grad_ys: weights of the ys' elements, of the same shapes; None stands for ones.
    """
    seeds = None if grad_ys is None else [None if g is None else g._value for g in grad_ys]
    phase = any(y._uses_learning_phase for y in ys)
    results: list[Tensor | None] = []
    for value in _core.gradients([y._value for y in ys], [x._value for x in xs], seeds):
        tensor = None if value is None else Tensor(value)
        if tensor is not None and phase:
            tensor._uses_learning_phase = True
        results.append(tensor)
    return results


def scan(
    body: Callable[[list[Tensor], list[Tensor]], tuple[Sequence[Tensor], Sequence[Tensor]]],
    initial: Sequence[Tensor],
    sequences: Sequence[Tensor],
    reverse: bool = False,
) -> tuple[list[Tensor], list[Tensor]]:
    """Runs a loop over the first axis of some tensors.

    Args:
        body: gets the carried tensors and one element of each sequence; returns their next values and what
            it emits. Called once, to build the graph of a step; it may use other tensors.
        initial: the carried tensors before the first step; their shapes and types stay.
        sequences: tensors of equal first size.
        reverse: go from the last element to the first. What is emitted keeps the sequences' order.
    Returns: the carried tensors after the last step, and the emitted ones stacked along a new first axis.
    Raises: ValueError if a carried tensor changes shape or type.
    """
    carry = [Tensor(_core.placeholder(tuple(t.shape), t.dtype, "carry")) for t in initial]
    elements = [Tensor(_core.placeholder(tuple(t.shape[1:]), t.dtype, "element")) for t in sequences]
    for inner, outer in zip([*carry, *elements], [*initial, *sequences]):
        inner._uses_learning_phase = outer._uses_learning_phase
    following, emitted = body(carry, elements)
    values = _core.scan(
        [t._value for t in carry],
        [t._value for t in elements],
        [t._value for t in following],
        [t._value for t in emitted],
        [t._value for t in initial],
        [t._value for t in sequences],
        reverse,
        current_scope(),
    )
    results = [Tensor(value) for value in values]
    for result, inner in zip(results, [*following, *emitted]):
        result._uses_learning_phase = inner._uses_learning_phase
    n = len(carry)
    return results[:n], results[n:]


CoreFunction = _core.Function


# ---- devices --------------------------------------------------------------------------------------------

set_device = _core.set_device
get_device = _core.get_device
devices = _core.devices
set_num_threads = _core.set_num_threads
get_num_threads = _core.get_num_threads
isa = _core.isa
isas = _core.isas
set_isa = _core.set_isa
fma_peak = _core.fma_peak
op_info = _core.op_info
op_names = _core.op_names
set_pass = _core.set_pass
passes = _core.passes
