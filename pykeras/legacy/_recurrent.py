"""The base classes of recurrent layers before Keras 2.0.9: subclasses define `step`, there are no cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..utils import conv_utils
from ..utils.generic_utils import to_list


class Recurrent(Layer):
    """Base for layers that define `step(inputs, states)`; new code wraps a cell in `RNN` instead.

    Args:
        return_sequences: whether to return the outputs of all steps, not just the last.
        return_state: whether to return the last states after the output.
        go_backwards: whether to process the steps in reversed order (and return them so).
        stateful: whether a batch starts with the states that the batch before ended with.
        unroll: whether to lay out all steps in the graph; their number must be known.
        implementation: kept for subclasses.

    A subclass sets `units`, and in `build` the attributes `states` (a list, None where a state starts at
    zero) and `state_spec`; it may override `get_constants`, `preprocess_input` and `get_initial_state` (or
    `get_initial_states`, its name in the first releases of Keras 2).
    Input (batch, time, features).
    """

    units: int
    states: list[Any]

    def __init__(
        self,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        implementation: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.implementation = implementation
        self.supports_masking = True
        self.input_spec = [InputSpec(ndim=3)]
        self.state_spec: Any = None
        self.dropout = 0
        self.recurrent_dropout = 0

    def step(self, inputs: Any, states: Any) -> Any:
        """Computes one step. Subclasses define it.

        Args:
            inputs: (batch, features).
            states: list of states, then the constants.

        Returns:
            (output, list of new states).
        """
        raise NotImplementedError(f"{type(self).__name__} does not define `step`.")

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        batch, steps = input_shape[:2]
        output: Any = (batch, steps, self.units) if self.return_sequences else (batch, self.units)
        return [output] + [(batch, self.units) for _ in self.states] if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(mask, list):
            mask = mask[0]
        output = mask if self.return_sequences else None
        return [output] + [None for _ in self.states] if self.return_state else output

    def get_constants(self, inputs: Any, training: Any = None) -> list[Any]:
        """Returns tensors that every step gets after its states."""
        return []

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Returns the states before the first step: zeros of shape (batch, units)."""
        return self.get_initial_states(inputs)

    def get_initial_states(self, inputs: Any) -> list[Any]:
        """The older name of `get_initial_state`, for layers that override it."""
        zeros = K.sum(K.zeros_like(inputs), axis=(1, 2))
        return [K.tile(K.expand_dims(zeros), [1, self.units]) for _ in self.states]

    def preprocess_input(self, inputs: Any, training: Any = None) -> Any:
        """Returns what is cut into steps; override it to multiply all steps at once."""
        return inputs

    def __call__(self, inputs: Any, initial_state: Any = None, **kwargs: Any) -> Any:
        if isinstance(inputs, (list, tuple)):
            inputs, *given = inputs
            if given:
                initial_state = given
        if initial_state is None:
            return super().__call__(inputs, **kwargs)
        states = to_list(initial_state, allow_tuple=True)
        keras_tensors = [hasattr(x, "_keras_history") for x in states]
        if not all(keras_tensors):
            if any(keras_tensors):
                raise ValueError(
                    "The initial state of an RNN layer cannot be specified with a mix of Keras tensors and "
                    "non-Keras tensors"
                )
            return super().__call__(inputs, initial_state=states, **kwargs)
        spec = self.input_spec
        self.input_spec = to_list(spec) + [None] * len(states)
        try:
            return super().__call__([inputs, *states], **kwargs)
        finally:
            self.input_spec = to_list(self.input_spec)[:1]

    def call(self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None) -> Any:
        if isinstance(inputs, (list, tuple)):
            inputs, *initial_state = inputs
        if isinstance(mask, list):
            mask = mask[0]
        if initial_state is None:
            initial_state = self.states if self.stateful else self.get_initial_state(inputs)
        if len(initial_state) != len(self.states):
            raise ValueError(
                f"Layer {self.name} has {len(self.states)} states but was passed {len(initial_state)} "
                "initial states."
            )
        shape: Any = K.int_shape(inputs)
        steps = shape[1]
        if self.unroll and steps in (None, 1):
            raise ValueError("Cannot unroll a RNN if the time dimension is undefined or equal to 1.")
        last, outputs, states = K.rnn(
            self.step,
            self.preprocess_input(inputs, training=None),
            list(initial_state),
            go_backwards=self.go_backwards,
            mask=mask,
            constants=self.get_constants(inputs, training=training),
            unroll=self.unroll,
            input_length=steps,
        )
        if self.stateful:
            self.add_update(list(zip(self.states, states)), inputs)
        output = outputs if self.return_sequences else last
        if self.return_state and any(output is state for state in states):
            output = K.identity(output)  # two outputs of a layer are two tensors
        return [output, *states] if self.return_state else output

    def _state_shape(self, index: int) -> tuple[Any, ...]:
        """Shape of a state of a stateful layer."""
        return (self._batch_size(), self.units)

    def _batch_size(self) -> int:
        spec = to_list(self.input_spec)[0]
        batch = getattr(self, "batch_input_shape", spec.shape or (None,))[0] or (spec.shape or (None,))[0]
        if not batch:
            raise ValueError(
                "If a RNN is stateful, it needs to know its batch size: pass `batch_input_shape` to the "
                "first layer of a Sequential model, or `batch_shape` to the `Input` of a functional one."
            )
        return batch

    def reset_states(self, states: Any = None) -> None:
        """Sets the states of a stateful layer.

        Args:
            states: array or list of arrays, one per state; None for zeros.

        Raises:
            AttributeError: the layer is not stateful.
            ValueError: wrong number or shapes.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        shapes = [self._state_shape(i) for i in range(len(self.states))]
        if self.states[0] is None:
            self.states = [K.zeros(shape) for shape in shapes]
        values = [np.zeros(s) for s in shapes] if states is None else to_list(states, allow_tuple=True)
        if len(values) != len(shapes):
            raise ValueError(
                f"Layer {self.name} expects {len(shapes)} states, but it received {len(values)} state values."
            )
        for i, (value, shape) in enumerate(zip(values, shapes)):
            if np.shape(value) != tuple(shape):
                raise ValueError(
                    f"State {i} is incompatible with layer {self.name}: expected shape={shape}, found "
                    f"shape={np.shape(value)}"
                )
        K.batch_set_value(list(zip(self.states, values)))

    def get_config(self) -> dict[str, Any]:
        names = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll", "implementation")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class ConvRecurrent2D(Recurrent):
    """Base of recurrent layers over pictures; new code uses `ConvRNN2D` with a cell.

    Args:
        filters: number of output channels.
        kernel_size, strides, dilation_rate: int or (rows, cols).
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        return_sequences, go_backwards, stateful: as in `Recurrent`.

    Input (batch, time, rows, cols, channels) or (batch, time, channels, rows, cols).
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            return_sequences=return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs
        )
        self.filters = filters
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, 2, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, 2, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, 2, "dilation_rate")
        self.input_spec = [InputSpec(ndim=5)]

    def _picture_shape(self, input_shape: Any) -> tuple[Any, ...]:
        first = self.data_format == "channels_first"
        sizes = input_shape[3:5] if first else input_shape[2:4]
        pairs = zip(sizes, self.kernel_size, self.strides, self.dilation_rate)
        sizes = [conv_utils.conv_output_length(n, k, self.padding, s, d) for n, k, s, d in pairs]
        return (self.filters, *sizes) if first else (*sizes, self.filters)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        picture = self._picture_shape(input_shape)
        batch, steps = input_shape[:2]
        output: Any = (batch, steps, *picture) if self.return_sequences else (batch, *picture)
        return [output] + [(batch, *picture) for _ in range(2)] if self.return_state else output

    def _state_shape(self, index: int) -> tuple[Any, ...]:
        shape = to_list(self.input_spec)[0].shape or getattr(self, "batch_input_shape", None)
        return (self._batch_size(), *self._picture_shape(shape))

    def get_config(self) -> dict[str, Any]:
        names = ("filters", "kernel_size", "strides", "padding", "data_format", "dilation_rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
