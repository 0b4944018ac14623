"""The recurrent layer around any cell, and cells put on top of each other.

Source: the public behaviour of keras/layers/recurrent.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from ..backend.recurrent import per_sample
from ..engine.base_layer import InputSpec, Layer
from ..utils.generic_utils import has_arg, to_list
from ._conv import sequence_shape
from ._support import shape_of

Shape = tuple[Any, ...]


def sizes_of(cell: Any) -> list[int]:
    """Returns the sizes of a cell's states."""
    size = cell.state_size
    return [int(n) for n in size] if hasattr(size, "__len__") else [int(size)]


def output_size(cell: Any) -> int:
    """Returns the size of a cell's output: its `output_size`, or its first state's."""
    size = getattr(cell, "output_size", None)
    return int(size) if size is not None else sizes_of(cell)[0]


def for_each_cell(cell: Any, method: str, *arguments: Any) -> None:
    """Calls a method of a cell, or of the cells inside it, where it exists."""
    for inner in getattr(cell, "cells", None) or [cell]:
        if inner is not cell:
            for_each_cell(inner, method, *arguments)
        elif hasattr(inner, method):
            getattr(inner, method)(*arguments)


def _cell_from(config: Any, custom_objects: dict[str, Any] | None) -> Any:
    from . import deserialize  # the package imports this module

    return deserialize(config, custom_objects=custom_objects)


class StackedRNNCells(Layer):
    """Several cells as one: the output of each is the input of the next.

    Args:
        cells: list of cells.
        reverse_state_order: list the states from the last cell to the first, as Keras before 2.2.3 did.
    """

    def __init__(self, cells: Any, reverse_state_order: bool = False, **kwargs: Any) -> None:
        for cell in cells:
            check_cell(cell, "All cells must have")
        self.cells = list(cells)
        self.reverse_state_order = bool(reverse_state_order)
        super().__init__(**kwargs)

    def _state_cells(self) -> list[Any]:
        return self.cells[::-1] if self.reverse_state_order else self.cells

    @property
    def state_size(self) -> Any:
        """Sizes of the states of all cells, in one tuple."""
        return tuple(n for cell in self._state_cells() for n in sizes_of(cell))

    @property
    def output_size(self) -> int:
        """Size of the last cell's output."""
        return output_size(self.cells[-1])

    def call(self, inputs: Any, states: Any, constants: Any = None, **kwargs: Any) -> tuple[Any, list[Any]]:
        taken: dict[int, list[Any]] = {}
        start = 0
        for cell in self._state_cells():
            end = start + len(sizes_of(cell))
            taken[id(cell)] = list(states[start:end])
            start = end
        for cell in self.cells:
            more = {key: value for key, value in kwargs.items() if has_arg(cell.call, key)}
            if constants is not None and has_arg(cell.call, "constants"):
                more["constants"] = constants
            inputs, new = cell.call(inputs, taken[id(cell)], **more)
            taken[id(cell)] = list(new)
        return inputs, [state for cell in self._state_cells() for state in taken[id(cell)]]

    def build(self, input_shape: Any) -> None:
        constants: list[Any] = []
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            input_shape, constants = input_shape[0], list(input_shape[1:])
        for cell in self.cells:
            if isinstance(cell, Layer):
                if constants and has_arg(cell.call, "constants"):
                    cell.build([input_shape, *constants])
                else:
                    cell.build(input_shape)
                cell.built = True
            input_shape = (input_shape[0], output_size(cell))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        cells = [{"class_name": type(c).__name__, "config": c.get_config()} for c in self.cells]
        config: dict[str, Any] = {"cells": cells}
        if self.reverse_state_order:
            config["reverse_state_order"] = True
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        return cls([_cell_from(entry, custom_objects) for entry in config.pop("cells")], **config)

    def _layers(self) -> list[Layer]:
        return [cell for cell in self.cells if isinstance(cell, Layer)]

    @property
    def trainable_weights(self) -> list[Any]:
        """The trainable variables of all cells."""
        return [w for cell in self._layers() for w in cell.trainable_weights] if self.trainable else []

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of stacked cells are those of the cells.")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables of all cells."""
        weights = [w for cell in self._layers() for w in cell.non_trainable_weights]
        if not self.trainable:
            return [w for cell in self._layers() for w in cell.trainable_weights] + weights
        return weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of stacked cells are those of the cells.")

    def get_weights(self) -> list[Any]:
        """Returns the weights of all cells, cell by cell."""
        return [array for cell in self._layers() for array in cell.get_weights()]

    def set_weights(self, weights: Any) -> None:
        """Sets the weights of all cells; order as in `get_weights`."""
        weights = list(weights)
        wanted = sum(len(cell.weights) for cell in self._layers())
        if len(weights) != wanted:
            raise ValueError(f"Layer {self.name} has {wanted} weights, but {len(weights)} arrays were given.")
        for cell in self._layers():
            n = len(cell.weights)
            cell.set_weights(weights[:n])
            weights = weights[n:]

    @property
    def losses(self) -> list[Any]:
        """The losses of all cells."""
        return [loss for cell in self._layers() for loss in cell.losses] + self._losses

    def get_losses_for(self, inputs: Any = None) -> list[Any]:
        """Returns the cells' losses that depend on these inputs."""
        found = [loss for cell in self._layers() for loss in cell.get_losses_for(inputs)]
        return found + super().get_losses_for(inputs)


def check_cell(cell: Any, start: str = "`cell` should have") -> None:
    """Raises ValueError for what is no cell."""
    if not hasattr(cell, "call"):
        raise ValueError(f"{start} a `call` method. The RNN was passed: {cell}")
    if not hasattr(cell, "state_size"):
        raise ValueError(
            f"{start} an attribute `state_size` (integer or tuple of integers, one per state). The RNN was "
            f"passed: {cell}"
        )


def _standardize_args(
    inputs: Any, initial_state: Any, constants: Any, num_constants: int | None
) -> tuple[Any, list[Any] | None, list[Any] | None]:
    """Sorts the inputs of a call: a list stands for the sequence, the states and the constants.

    Returns: (sequence, list of states or None, list of constants or None).
    """
    if isinstance(inputs, (list, tuple)):
        if initial_state is not None or constants is not None:
            if len(inputs) > 1:
                raise ValueError(
                    "Give the states and constants of a recurrent layer either in the list of its inputs or "
                    "by keyword, not both."
                )
        inputs = list(inputs)
        if num_constants:
            constants = inputs[-num_constants:] if constants is None else constants
            inputs = inputs[:-num_constants] if len(inputs) > num_constants else inputs
        if len(inputs) > 1:
            initial_state = inputs[1:]
        inputs = inputs[0]

    def listed(x: Any) -> list[Any] | None:
        return None if x is None else to_list(x, allow_tuple=True)

    return inputs, listed(initial_state), listed(constants)


class RNN(Layer):
    """Runs a cell over a sequence.

    Args:
        cell: object with `call(inputs, states) → (output, new states)` and `state_size` (int or tuple of
            ints; the first is the output's size unless there is an `output_size`), and perhaps
            `build(input_shape)`; or a list of cells, which are stacked.
        return_sequences: return the output of every step, not only the last.
        return_state: return the last states too: [output, *states].
        go_backwards: begin with the last step; sequences come out in the order of processing.
        stateful: begin each batch with the states at the end of the one before; needs a batch size.
        unroll: build the graph of every step; needs a known number of steps.

    Input (batch, steps, features), with a mask (batch, steps) if there is one: masked steps repeat the
    output and keep the states. The first states are zeros unless `initial_state=` (tensor or list) or further
    elements of a list of inputs say otherwise; `constants=` reach every step of a cell whose `call` takes
    them.
    """

    activity_regularizer: Any = None
    cell: Any

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        **kwargs: Any,
    ) -> None:
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        check_cell(cell)
        self._num_constants: int | None = kwargs.pop("num_constants", None) or None
        sequence_shape(kwargs)
        super().__init__(**kwargs)
        self.cell = cell
        self._start(return_sequences, return_state, go_backwards, stateful, unroll)

    def _start(self, sequences: bool, state: bool, backwards: bool, stateful: bool, unroll: bool) -> None:
        self.return_sequences = sequences
        self.return_state = state
        self.go_backwards = backwards
        self.stateful = stateful
        self.unroll = unroll
        self.supports_masking = True
        self.input_spec = [InputSpec(ndim=3)]
        self.state_spec: Any = None
        self.constants_spec: Any = None
        self._states: list[Any] | None = None

    # ---- states

    @property
    def states(self) -> list[Any]:
        """The variables of a stateful layer, before they exist a list of None."""
        return [None] * len(sizes_of(self.cell)) if self._states is None else self._states

    @states.setter
    def states(self, states: list[Any]) -> None:
        self._states = states

    def _state_shapes(self, batch: Any) -> list[Shape]:
        return [(batch, n) for n in sizes_of(self.cell)]

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Returns zero states for a sequence (samples, steps, …)."""
        return [per_sample(inputs, shape[1:], 0.0) for shape in self._state_shapes(None)]

    def reset_states(self, states: Any = None) -> None:
        """Sets the states of a stateful layer.

        Args:
            states: array or list of arrays; None means zeros.

        Raises:
            AttributeError: the layer is not stateful.
            ValueError: the batch size is unknown, or number or shape of the arrays is wrong.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        batch = self.input_spec[0].shape[0] if self.input_spec[0].shape else None
        if not batch:
            raise ValueError(
                "If a RNN is stateful, it needs to know its batch size: pass `batch_input_shape` to the "
                "first layer of a Sequential model, or `batch_shape` to the `Input` of a functional one."
            )
        shapes = self._state_shapes(batch)
        if self._states is None:
            self._states = [K.zeros(shape, name=f"state_{i}") for i, shape in enumerate(shapes)]
        if states is None:
            values = [np.zeros(shape) for shape in shapes]
        else:
            values = to_list(states, allow_tuple=True)
            if len(values) != len(shapes):
                raise ValueError(
                    f"Layer {self.name} expects {len(shapes)} states, but it received {len(values)} state "
                    f"values. Input received: {states}"
                )
            for i, (value, shape) in enumerate(zip(values, shapes)):
                if np.shape(value) != shape:
                    raise ValueError(
                        f"State {i} is incompatible with layer {self.name}: expected shape={shape}, found "
                        f"shape={np.shape(value)}"
                    )
        K.batch_set_value(list(zip(self._states, values)))

    # ---- shapes, weights

    def build(self, input_shape: Any) -> None:
        constants: list[Any] = []
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            if self._num_constants:
                constants = input_shape[-self._num_constants :]
            input_shape = input_shape[0]
        batch = input_shape[0] if self.stateful else None
        self.input_spec[0] = InputSpec(shape=(batch, None, *input_shape[2:]))
        if isinstance(self.cell, Layer):
            step = (input_shape[0], *input_shape[2:])
            self.cell.build([step, *constants] if constants else step)
            self.cell.built = True
        self._check_state_spec()
        if self.stateful:
            self.reset_states()
        self.built = True

    def _check_state_spec(self) -> None:
        sizes = sizes_of(self.cell)
        if self.state_spec is None:
            self.state_spec = [InputSpec(shape=(None, n)) for n in sizes]
        elif [spec.shape[-1] for spec in self.state_spec] != sizes:
            raise ValueError(
                "An `initial_state` was passed that is not compatible with `cell.state_size`. Received "
                f"`state_spec`={self.state_spec}; however `cell.state_size` is {self.cell.state_size}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            input_shape = input_shape[0]
        return self._join_shapes(input_shape, (output_size(self.cell),), self._state_shapes(input_shape[0]))

    def _join_shapes(self, input_shape: Any, output: Shape, states: list[Shape]) -> Any:
        steps = (input_shape[1],) if self.return_sequences else ()
        shape = (input_shape[0], *steps, *output)
        return [shape, *states] if self.return_state else shape

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(mask, list):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        return [mask, *(None for _ in self.states)] if self.return_state else mask

    def _cell_layers(self) -> list[Layer]:
        return [self.cell] if isinstance(self.cell, Layer) else []

    @property
    def trainable_weights(self) -> list[Any]:
        """The trainable variables of the cell."""
        if not self.trainable:
            return []
        return [w for cell in self._cell_layers() for w in cell.trainable_weights] + self._trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        self._trainable_weights = weights

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables of the cell."""
        cells = self._cell_layers()
        if self.trainable:
            return [w for cell in cells for w in cell.non_trainable_weights] + self._non_trainable_weights
        own = self._trainable_weights + self._non_trainable_weights
        return [w for cell in cells for w in cell.weights] + own

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        self._non_trainable_weights = weights

    @property
    def losses(self) -> list[Any]:
        """The losses of the cell and of the layer."""
        return [loss for cell in self._cell_layers() for loss in cell.losses] + self._losses

    def get_losses_for(self, inputs: Any = None) -> list[Any]:
        """Returns the losses of cell and layer that depend on these inputs (None: on no input)."""
        found = [loss for cell in self._cell_layers() for loss in cell.get_losses_for(inputs)]
        return found + super().get_losses_for(inputs)

    # ---- calls

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        inputs, states, fixed = _standardize_args(inputs, initial_state, constants, self._num_constants)
        if states is None and fixed is None:
            return super().__call__(inputs, **kwargs)
        more = [*(states or []), *(fixed or [])]
        kinds = {K.is_keras_tensor(x) for x in more}
        if len(kinds) > 1:
            raise ValueError(
                "The initial state or constants of an RNN layer cannot be specified with a mix of Keras "
                "tensors and non-Keras tensors (a Keras tensor is one that a layer returned)."
            )
        specs = []
        if states is not None:
            self.state_spec = [InputSpec(shape=shape_of(x)) for x in states]
            if self.built:
                self._check_state_spec()
            specs += self.state_spec
        if fixed is not None:
            self._check_constants(fixed)
            self._num_constants = len(fixed)
            self.constants_spec = [InputSpec(shape=shape_of(x)) for x in fixed]
            specs += self.constants_spec
        spec = self.input_spec
        first = spec[0] if isinstance(spec, list) else spec
        if states is not None and self.built and first.shape is not None:
            # explicit states free the call from a stateful layer's batch size
            first = InputSpec(shape=(None, *first.shape[1:]))
        if kinds == {True}:
            self.input_spec = [first, *specs]
            arguments: list[Any] = [[inputs, *more]]
        else:
            self.input_spec = [first]
            arguments = [inputs]
            if states is not None:
                kwargs["initial_state"] = states
            if fixed is not None:
                kwargs["constants"] = fixed
        try:
            built = self.built
            return super().__call__(*arguments, **kwargs)
        finally:
            self.input_spec = self.input_spec[:1] if not built else spec

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        given = inputs
        inputs, states, constants = _standardize_args(inputs, initial_state, constants, self._num_constants)
        if isinstance(mask, list):
            mask = mask[0]
        if states is None:
            states = list(self.states) if self.stateful else self.get_initial_state(inputs)
        if len(states) != len(self.states):
            raise ValueError(
                f"Layer {self.name} has {len(self.states)} states but was passed {len(states)} initial "
                "states."
            )
        if self.unroll and shape_of(inputs)[1] in (None, 1):
            raise ValueError(
                "Cannot unroll a RNN if the time dimension is undefined or equal to 1. Give the number of "
                f"steps with `input_shape` or `batch_input_shape`; layer {self.name} got the input shape "
                f"{shape_of(inputs)}."
            )
        last, outputs, new_states = self._run(inputs, states, mask, training, constants)
        if self.stateful:
            pairs = list(zip(self.states, new_states))
            if all(shape_of(new)[0] in (None, shape_of(old)[0]) for old, new in pairs):
                self.add_update(pairs, given)
        output = outputs if self.return_sequences else last
        if self.return_state and any(output is state for state in new_states):
            output = K.identity(output)  # two outputs of a layer are two tensors
        return [output, *new_states] if self.return_state else output

    def _check_constants(self, constants: Any) -> None:
        if constants and not has_arg(self.cell.call, "constants"):
            raise ValueError(
                f"RNN cell does not support constants: {type(self.cell).__name__}.call has none."
            )

    def _run(
        self, inputs: Any, states: list[Any], mask: Any, training: Any, constants: Any
    ) -> tuple[Any, Any, list[Any]]:
        """Returns the last output, all outputs in the order of processing, and the last states."""
        cell = self.cell
        kwargs = (
            {"training": training}
            if has_arg(cell.call, "training", isinstance(cell, StackedRNNCells))
            else {}
        )
        self._check_constants(constants)
        n = len(states)

        def step(x: Any, carried: Any) -> Any:
            if constants:
                return cell.call(x, carried[:n], constants=carried[n:], **kwargs)
            return cell.call(x, carried, **kwargs)

        for_each_cell(cell, "draw_masks", inputs, training)
        try:
            return self._loop(step, inputs, states, mask, constants)
        finally:
            for_each_cell(cell, "forget_masks")

    def _loop(
        self, step: Callable[..., Any], inputs: Any, states: list[Any], mask: Any, constants: Any = None
    ) -> tuple[Any, Any, list[Any]]:
        turned = (
            mask is not None and isinstance(self.cell, StackedRNNCells) and not self.cell.reverse_state_order
        )
        if turned:
            # A masked step repeats its first state as its output, so the last cell's must come first.
            n = len(states)
            front = n - len(sizes_of(self.cell.cells[-1]))
            order = [*range(front, n), *range(front)]
            back = [order.index(i) for i in range(n)]
            plain = step

            def step(x: Any, carried: Any) -> Any:
                output, new = plain(x, [*(carried[i] for i in back), *carried[n:]])
                return output, [new[i] for i in order]

            states = [states[i] for i in order]
        last, outputs, states = K.rnn(
            step,
            inputs,
            states,
            go_backwards=self.go_backwards,
            mask=mask,
            constants=constants,
            unroll=self.unroll,
            input_length=shape_of(inputs)[1],
        )
        return last, outputs, [states[i] for i in back] if turned else list(states)

    # ---- config

    def get_config(self) -> dict[str, Any]:
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
        config: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self._num_constants is not None:
            config["num_constants"] = self._num_constants
        config["cell"] = {"class_name": type(self.cell).__name__, "config": self.cell.get_config()}
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        config = dict(config)
        cell = _cell_from(config.pop("cell"), custom_objects)
        return cls(cell, **config)
