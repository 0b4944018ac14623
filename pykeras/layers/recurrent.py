"""Recurrent layers.

Source: the public behaviour of keras/layers/recurrent.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

import warnings
from typing import Any

from .. import activations, regularizers
from .. import backend as K
from ..backend import recurrent as fused
from ..legacy import interfaces
from ..utils.namespaces import held_by, public_names
from ._rnn_base import RNN, StackedRNNCells, _standardize_args
from ._rnn_cells import (
    GRUCell,
    LSTMCell,
    SimpleRNNCell,
    _generate_dropout_mask,
    checked_implementation,
    drops,
    pick,
)
from ._support import describe

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
    "_generate_dropout_mask",
    "_standardize_args",
    "_time_distributed_dense",
]

_RNN_ARGUMENTS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")


def _forward(cls: Any) -> Any:
    """Gives a layer read-only properties for its cell's arguments."""

    def of_cell(name: str) -> property:
        return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")

    for name in cls.CELL.ARGUMENTS:
        setattr(cls, name, of_cell(name))
    return cls


def _fused_name(activation: Any) -> str | None:
    """Returns the engine's key of an activation function, None if the fused ops do not know it."""
    name = getattr(activation, "__name__", None)
    known = name in fused.ACTIVATIONS and activation is getattr(activations, name, None)
    return name if known else None


class _CellRNN(RNN):
    """Base of SimpleRNN, GRU and LSTM: their cell, and the input product of all steps at once."""

    CELL: Any

    def __init__(self, scope: dict[str, Any], kwargs: dict[str, Any]) -> None:
        cell = self.CELL(**pick(scope, self.CELL.ARGUMENTS))
        super().__init__(cell, **pick(scope, _RNN_ARGUMENTS), **kwargs)
        self.activity_regularizer = regularizers.get(scope["activity_regularizer"])

    def _run(
        self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        cell = self.cell
        # A subclass of the cell, or one with another `call`, gets its steps one by one.
        if self.unroll or constants or type(cell) is not self.CELL:
            return super()._run(inputs, states, mask, training, constants)
        cell.draw_masks(inputs, training)
        try:
            product = cell.sequence_product(inputs, training, fused.project)

            def by_steps() -> list[Any]:
                return self._by_steps(product, states, mask, training)

            if not self._can_fuse():
                results = by_steps()
            elif not drops(cell.recurrent_dropout):
                results = self._at_once(product, states, mask)
            else:  # the fused op has no masks for the state, but there are none in the test phase
                results = _in_train_phase(
                    by_steps, lambda: self._at_once(product, states, mask), len(states) + 2, training
                )
        finally:
            cell.forget_masks()
        return results[0], results[1], results[2:]

    def _by_steps(self, product: Any, states: list[Any], mask: Any, training: Any) -> list[Any]:
        """[last output, outputs, *states] through a loop over the (time first) input product."""
        last, outputs, states = self._loop(
            lambda x, carried: self.cell.step(x, carried, training), fused.swap_time(product), states, mask
        )
        return [last, outputs, *states]

    def _at_once(self, product: Any, states: list[Any], mask: Any) -> list[Any]:
        """The same through the fused op."""
        outputs, states = self._fused(product, states, mask)
        outputs = fused.swap_time(outputs)
        if self.go_backwards and self.return_sequences:
            outputs = K.reverse(outputs, 1)
        return [states[0], outputs, *states]

    def _can_fuse(self) -> bool:
        return False

    def _fused(self, product: Any, states: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        """Returns the outputs (time first, in the order of the input) and the last states."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        of_cell = self.cell.get_config()
        config.update({name: of_cell[name] for name in self.CELL.ARGUMENTS})
        return {**config, **describe(self, "activity_regularizer")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        if config.get("implementation") == 0:
            config = {**config, "implementation": 1}
        return cls(**config)


def _in_train_phase(train: Any, test: Any, count: int, training: Any) -> list[Any]:
    """`K.in_train_phase` for functions that return lists."""
    if training is not None and not K.is_tensor(training):
        return train() if training else test()
    if training is None and not K.is_tensor(K.learning_phase()):
        return train() if K.learning_phase() else test()
    pairs = list(zip(train(), test()))
    assert len(pairs) == count
    return [K.in_train_phase(a, b, training=training) for a, b in pairs]


@_forward
class SimpleRNN(_CellRNN):
    """Fully connected recurrent layer: h = activation(x·W + b + h·U).

    Args:
        units: size of the state and the output.
        activation: name or callable.
        use_bias: whether there is a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, recurrent_constraint, bias_constraint: projections after each update.
        dropout: share of the inputs to drop; one mask holds for all steps.
        recurrent_dropout: share of the state to drop, likewise.
        Others: as in `RNN`.

    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).
    """

    CELL = SimpleRNNCell

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if "implementation" in kwargs:
            kwargs.pop("implementation")
            warnings.warn(
                "The `implementation` argument in `SimpleRNN` has been deprecated. Please remove it from "
                "your layer call.",
                stacklevel=2,
            )
        super().__init__(locals(), kwargs)

    def call(  # type: ignore[override]
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        return cls(**{key: value for key, value in config.items() if key != "implementation"})


@_forward
class GRU(_CellRNN):
    """Gated recurrent unit (Cho et al. 2014): h = z·h + (1 − z)·candidate.

    Args:
        units: size of the state and the output.
        activation: of the candidate; name or callable.
        recurrent_activation: of the gates.
        implementation: 1 draws dropout masks for each gate, 2 one for all; no other difference.
        reset_after: apply the reset gate to the recurrent product (as cuDNN does), not to the state before.
        Others: as in `SimpleRNN`.

    Weights: kernel (features, 3·units), recurrent_kernel (units, 3·units), bias (3·units,), or
    (2, 3·units) with `reset_after`; the gates z, r and the candidate side by side.
    """

    CELL = GRUCell

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        reset_after: bool = False,
        **kwargs: Any,
    ) -> None:
        implementation = checked_implementation(implementation)
        super().__init__(locals(), kwargs)

    def call(  # type: ignore[override]
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    def _can_fuse(self) -> bool:
        cell = self.cell
        return None not in (_fused_name(cell.activation), _fused_name(cell.recurrent_activation))

    def _fused(self, product: Any, states: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        cell = self.cell
        return fused.gru(
            product,
            cell.recurrent_kernel,
            states,
            str(_fused_name(cell.activation)),
            str(_fused_name(cell.recurrent_activation)),
            cell.recurrent_bias(),
            cell.reset_after,
            mask,
            self.go_backwards,
        )


@_forward
class LSTM(_CellRNN):
    """Long short-term memory (Hochreiter & Schmidhuber 1997).

    Args:
        units: size of the states and the output.
        activation: of the new memory and of the output; name or callable.
        recurrent_activation: of the gates.
        unit_forget_bias: begin with ones in the forget gate's bias.
        implementation: 1 draws dropout masks for each gate, 2 one for all; no other difference.
        Others: as in `SimpleRNN`.

    Weights: kernel (features, 4·units), recurrent_kernel (units, 4·units), bias (4·units,); the gates i, f,
    the new memory c and the gate o side by side. States: h and c.
    """

    CELL = LSTMCell

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "hard_sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        implementation: int = 1,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        implementation = checked_implementation(implementation)
        super().__init__(locals(), kwargs)

    def call(  # type: ignore[override]
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    def _can_fuse(self) -> bool:
        cell = self.cell
        return None not in (_fused_name(cell.activation), _fused_name(cell.recurrent_activation))

    def _fused(self, product: Any, states: list[Any], mask: Any) -> tuple[Any, list[Any]]:
        cell = self.cell
        return fused.lstm(
            product,
            cell.recurrent_kernel,
            states,
            str(_fused_name(cell.activation)),
            str(_fused_name(cell.recurrent_activation)),
            mask,
            self.go_backwards,
        )


def _time_distributed_dense(
    x: Any,
    w: Any,
    b: Any = None,
    dropout: float | None = None,
    input_dim: int | None = None,
    output_dim: int | None = None,
    timesteps: int | None = None,
    training: Any = None,
) -> Any:
    """Applies the same weights at every step: a helper that recurrent layers of others import from here.

    Args:
        x: (batch, steps, inputs).
        w: (inputs, outputs).
        b: (outputs,), or None.
        dropout: share of the inputs to drop in the training phase, the same ones at every step.
        input_dim: not needed, the shapes say it; so are `output_dim` and `timesteps`.
        output_dim: see `input_dim`.
        timesteps: see `input_dim`.
        training: True, False, or None for the learning phase.

    Returns: tensor (batch, steps, outputs).

    Source: Keras 2.0.0 to 2.0.8.
    """
    if dropout is not None and 0.0 < dropout < 1.0:
        inputs, sizes = x, K.shape(x)
        noise_shape = (sizes[0], 1, sizes[2])
        x = K.in_train_phase(lambda: K.dropout(inputs, dropout, noise_shape), inputs, training=training)
    y = K.dot(x, w)
    return y if b is None else K.bias_add(y, b)


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
