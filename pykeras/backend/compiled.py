"""Compiled functions: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .engine import CoreFunction, Tensor, Update, Variable, is_phase, is_scipy_sparse, to_tensor
from .sparse import SparseTensor, fed_arrays, fetched_matrix


def _assigned(updates: Iterable[Any]) -> list[tuple[Variable, Tensor]]:
    """One new value per variable; several updates of one variable are chained where they know how."""
    values: dict[Variable, Tensor] = {}
    for update in updates:
        if update is None:
            continue
        if not isinstance(update, Update):
            try:
                variable, value = update
            except (TypeError, ValueError):
                raise TypeError(
                    f"An update must be a pair (variable, new value) or come from `K.update`, not {update!r}."
                ) from None
            update = Update(variable, to_tensor(value, variable.dtype))
        variable = update.variable
        if variable in values and update.step is not None:
            values[variable] = update.step(values[variable])
        else:
            values[variable] = update.value
    return list(values.items())


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    return tensor._parts if isinstance(tensor, SparseTensor) else (tensor,)


def _is_phase(x: Any) -> bool:
    return np.ndim(x) == 0 and x in (0, 1)


class Function:
    """A compiled computation. Called with a list of arrays, it returns a list of arrays.

    Args:
        inputs: list of placeholders (any tensor can be fed); the learning phase may be among them.
        outputs: list of tensors to compute.
        updates: list of updates or (variable, new value) pairs, stored after the outputs are computed.
        name: shown in error messages.
        session_kwargs: `feed_dict` (values of further placeholders) and `fetches` (computed, not returned;
            or updates). `options` and `run_metadata` are accepted and have no meaning here.
    Raises: TypeError if a list is not one; ValueError for unknown keywords.
    """

    def __init__(
        self,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        updates: Sequence[Any] | None = None,
        name: str | None = None,
        **session_kwargs: Any,
    ) -> None:
        updates = [] if updates is None else updates
        for text, value in (("inputs", inputs), ("outputs", outputs), ("updates", updates)):
            if not isinstance(value, (list, tuple)):
                raise TypeError(f"`{text}` of a backend function should be a list or tuple, not {value!r}.")
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.name = name or ""
        self.feed_dict = dict(session_kwargs.pop("feed_dict", None) or {})
        fetches = session_kwargs.pop("fetches", None) or []
        self.fetches = list(fetches) if isinstance(fetches, (list, tuple)) else [fetches]
        for key in session_kwargs:
            if key not in ("options", "run_metadata"):
                raise ValueError(f"Invalid argument {key!r} passed to a backend function.")
        self.session_kwargs = session_kwargs
        self.updates_op = [*updates, *(f for f in self.fetches if not isinstance(f, Tensor))]

        self._phase_at: list[int] = []
        self._ignored: list[int] = []  # a learning phase that is a fixed number: nothing to feed
        fed: list[Tensor] = []
        for i, tensor in enumerate([*self.inputs, *self.feed_dict]):
            if is_phase(tensor):
                self._phase_at.append(i)
            elif isinstance(tensor, Tensor):
                fed.append(tensor)
            elif isinstance(tensor, (int, np.integer)):
                self._ignored.append(i)
            else:
                raise TypeError(f"Input {i} of a backend function is no tensor: {tensor!r}.")
        self._arity = len(self.inputs)
        self._fed = fed
        simple = not self._ignored and not self.feed_dict and not any(t._sparse for t in fed)
        self._plain = simple and not self._phase_at
        # The usual case with a phase: `inputs + [K.learning_phase()]`.
        self._phase_last = simple and self._phase_at == [self._arity - 1]
        outputs_ = [to_tensor(t) for t in self.outputs]
        extra = [t for t in self.fetches if isinstance(t, Tensor)]
        self._n_outputs = len(outputs_)
        self._scalars = [i for i, t in enumerate(outputs_) if not t.shape]
        # Not the outputs of layers: batches of different widths could not be put together.
        self._cut = [i for i, t in enumerate(outputs_) if t._cut and not hasattr(t, "_keras_history")]
        self._sparse = [i for i, t in enumerate(outputs_) if t._sparse]
        self._run = CoreFunction(
            [part._value for t in fed for part in _parts(t)],
            [part._value for t in [*outputs_, *extra] for part in _parts(t)],
            [(variable._var, value._value) for variable, value in _assigned(self.updates_op)],
            self.name,
        )

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Computes the outputs.

        Args: inputs: one array per input. Other numbers become the input's type; the learning phase is
            fed as 0 or 1 (int, bool or float), and is 0 where it comes last and is left out. One more number
            at the end counts as a phase that has no effect. SciPy sparse matrices are made dense, unless
            the input is sparse.
        Returns: one array per output (a NumPy number for a scalar, a SciPy matrix for a sparse tensor).
        Raises: TypeError if `inputs` is no list; ValueError for a wrong number of arrays or a wrong shape.
        """
        if self._plain and type(inputs) is list and len(inputs) == self._arity:
            arrays, phase = inputs, 0
        elif self._phase_last and type(inputs) is list and len(inputs) == self._arity:
            arrays, phase = inputs[:-1], 1 if inputs[-1] else 0
        else:
            arrays, phase = self._sort_out(inputs)
        try:
            results = self._run(arrays, phase)  # which converts arrays of other types
        except ValueError:
            if not any(map(is_scipy_sparse, arrays)):
                raise
            results = self._run([a.toarray() if is_scipy_sparse(a) else a for a in arrays], phase)
        for i in self._sparse:
            results[i : i + 4] = [fetched_matrix(*results[i : i + 4])]
        for i in self._scalars:
            results[i] = results[i][()]
        for i in self._cut:
            longest = (results[i] != -1).sum(axis=1).max(initial=0)
            results[i] = results[i][:, :longest].copy()
        return results[: self._n_outputs] if self.fetches else results

    def _sort_out(self, inputs: Sequence[Any]) -> tuple[list[Any], int]:
        """Splits what the caller gave into arrays for the core and the phase."""
        if not isinstance(inputs, (list, tuple)):
            raise TypeError(
                f"`inputs` of a backend function should be a list or tuple, not {type(inputs).__name__}."
            )
        if len(inputs) == self._arity - 1 and self._phase_at == [self._arity - 1]:
            inputs = [*inputs, 0]  # a learning phase that is left out has its default
        elif len(inputs) == self._arity + 1 and not self._phase_at and _is_phase(inputs[-1]):
            inputs = inputs[:-1]  # a phase that nothing here depends on, as `fit` hands to train functions
        if len(inputs) != self._arity:
            raise ValueError(
                f"The function {self.name!r} takes {self._arity} arrays, but it received {len(inputs)}."
            )
        values = [*inputs, *self.feed_dict.values()]
        phase = 0
        for i in self._phase_at:
            phase = int(bool(np.asarray(values[i]).reshape(())))
        skip = {*self._phase_at, *self._ignored}
        kept = [value for i, value in enumerate(values) if i not in skip]
        arrays: list[Any] = []
        for tensor, value in zip(self._fed, kept):
            arrays += fed_arrays(tensor, value) if isinstance(tensor, SparseTensor) else [value]
        return arrays, phase

    @property
    def step(self) -> int:
        """Counter of the random draws: the same step gives the same numbers. Rises by one with every call."""
        return self._run.step

    @step.setter
    def step(self, value: int) -> None:
        self._run.step = value

    def describe(self, inputs: Sequence[Any]) -> str:
        """Returns the plan for arrays of these shapes as text: steps, buffers, kernels."""
        arrays, phase = self._sort_out(inputs)
        return self._run.describe([np.asarray(a) for a in arrays], phase)

    def profile(self, inputs: Sequence[Any], repeats: int = 5) -> list[tuple[str, str, float]]:
        """Runs the function several times, updates included, and measures its steps.

        Returns: (op, scope, median time in seconds) for each step of the plan.
        """
        arrays, phase = self._sort_out(inputs)
        return self._run.profile([np.asarray(a) for a in arrays], phase, repeats)
