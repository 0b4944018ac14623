"""Recurrent layers whose products are convolutions.

Source: the public behaviour of keras/layers/convolutional_recurrent.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import regularizers
from ..backend.recurrent import per_sample
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.namespaces import held_by, public_names
from ._rnn_base import RNN, Shape
from ._rnn_cells import Masks, add_lstm_bias, drops, pick, share
from ._support import (
    add_part,
    adopt,
    channel_axis,
    describe,
    join_shape,
    require_known,
    shape_of,
    split_shape,
)

__all__ = ["ConvLSTM2D", "ConvLSTM2DCell", "ConvRNN2D"]


class ConvRNN2D(RNN):
    """Runs a convolutional cell over a sequence of pictures.

    Args: as in `RNN`; stacked cells and unrolling are refused.

    Input (batch, time, rows, cols, channels) or (batch, time, channels, rows, cols), as the cell's
    `data_format` says.
    """

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
        if unroll:
            raise TypeError("Unrolling isn't possible with convolutional RNNs.")
        if isinstance(cell, (list, tuple)):
            raise TypeError("It is not possible at the moment to stack convolutional cells.")
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)
        self.input_spec = [InputSpec(ndim=5)]
        self._places: Shape = (None, None)

    def _output_places(self, input_shape: Any) -> Shape:
        """Rows and columns of the output for an input (batch, time, …)."""
        cell = self.cell
        _, spatial, _ = split_shape((input_shape[0], *input_shape[2:]), cell.data_format)
        return tuple(
            conv_utils.conv_output_length(n, k, cell.padding, stride=s, dilation=d)
            for n, k, s, d in zip(spatial, cell.kernel_size, cell.strides, cell.dilation_rate)
        )

    def _state_shapes(self, batch: Any) -> list[Shape]:
        cell = self.cell
        sizes = cell.state_size if hasattr(cell.state_size, "__len__") else (cell.state_size,)
        return [join_shape(batch, self._places, n, cell.data_format) for n in sizes]

    def build(self, input_shape: Any) -> None:
        first = input_shape[0] if isinstance(input_shape, list) else input_shape
        self._places = self._output_places(first)
        if self.stateful and None in self._places:
            raise ValueError(f"The stateful layer {self.name} needs pictures of known size, got {first}.")
        super().build(input_shape)

    def _check_state_spec(self) -> None:
        axis = channel_axis(self.cell.data_format)
        sizes = [shape[axis] for shape in self._state_shapes(None)]
        if self.state_spec is None:
            self.state_spec = [InputSpec(shape=shape) for shape in self._state_shapes(None)]
        elif [spec.shape[axis] for spec in self.state_spec] != sizes:
            raise ValueError(
                "An `initial_state` was passed that is not compatible with `cell.state_size`. Received "
                f"`state_spec`={self.state_spec}; however `cell.state_size` is {self.cell.state_size}"
            )

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        self_places, self._places = self._places, self._output_places(input_shape)
        try:
            shapes = self._state_shapes(input_shape[0])
        finally:
            self._places = self_places
        return self._join_shapes(input_shape, shapes[0][1:], shapes)

    def get_initial_state(self, inputs: Any) -> list[Any]:
        """Returns zero states for a sequence of pictures."""
        cell = self.cell
        places = self._output_places(shape_of(inputs))
        if None not in places:
            sizes = cell.state_size if hasattr(cell.state_size, "__len__") else (cell.state_size,)
            return [per_sample(inputs, join_shape(None, places, n, cell.data_format)[1:], 0.0) for n in sizes]
        # pictures of unknown size: what the input convolution makes of zeros
        zero = cell.input_conv(K.zeros_like(inputs[:, 0]), cell.kernel, padding=cell.padding) * 0.0
        state = zero[:, : cell.filters] if cell.data_format == "channels_first" else zero[..., : cell.filters]
        return [state for _ in self.states]


class ConvLSTM2DCell(Layer):
    """Step of `ConvLSTM2D`.

    Args: as in `ConvLSTM2D`.
    """

    ARGUMENTS = (
        "filters",
        "kernel_size",
        "strides",
        "padding",
        "data_format",
        "dilation_rate",
        "use_bias",
        "unit_forget_bias",
        "dropout",
        "recurrent_dropout",
    )
    IDENTIFIERS = (
        "activation",
        "recurrent_activation",
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "recurrent_regularizer",
        "bias_regularizer",
        "kernel_constraint",
        "recurrent_constraint",
        "bias_constraint",
    )
    activation: Any
    recurrent_activation: Any

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        identifiers = pick(locals(), self.IDENTIFIERS)
        super().__init__(**kwargs)
        self.filters = conv_utils.normalize_count(filters, "filters")
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, 2, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, 2, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, 2, "dilation_rate")
        self.use_bias = use_bias
        self.unit_forget_bias = unit_forget_bias
        adopt(self, **identifiers)
        self.dropout = share(dropout)
        self.recurrent_dropout = share(recurrent_dropout)
        self.state_size = (filters, filters)
        self._masks: tuple[Masks, Masks] | None = None

    def build(self, input_shape: Any) -> None:
        channels = require_known(
            input_shape[channel_axis(self.data_format)], self, "channel dimension", input_shape
        )
        self.kernel = add_part(self, "kernel", (*self.kernel_size, channels, 4 * self.filters))
        shape = (*self.kernel_size, self.filters, 4 * self.filters)
        self.recurrent_kernel = add_part(self, "recurrent", shape, name="recurrent_kernel")
        self.bias = add_lstm_bias(self, self.filters, before=1, after=2) if self.use_bias else None
        self.built = True

    def draw_masks(self, inputs: Any, training: Any = None) -> None:
        """Draws the masks of one sequence (samples, time, …), the same for all its steps."""
        off = training is not None and not K.is_tensor(training) and not training

        def drawn(rate: float, like: Any) -> Masks:
            if off or not drops(rate):
                return []
            return [K.dropout(K.ones_like(like), rate) for _ in range(4)]

        step = inputs[:, 0]
        state: Any = None
        if drops(self.recurrent_dropout):
            gates = self.input_conv(step, self.kernel, padding=self.padding)
            first = self.data_format == "channels_first"
            state = gates[:, : self.filters] if first else gates[..., : self.filters]
        self._masks = (drawn(self.dropout, step), drawn(self.recurrent_dropout, state))

    def forget_masks(self) -> None:
        """Ends the life of what `draw_masks` drew."""
        self._masks = None

    def input_conv(self, x: Any, w: Any, b: Any = None, padding: str = "valid") -> Any:
        """Convolves an input with strides and dilation, and adds a bias."""
        result = K.conv2d(
            x,
            w,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return result if b is None else K.bias_add(result, b, data_format=self.data_format)

    def recurrent_conv(self, x: Any, w: Any) -> Any:
        """Convolves a state: its size stays."""
        return K.conv2d(x, w, strides=(1, 1), padding="same", data_format=self.data_format)

    def _by_gate(self, convolve: Any, x: Any, kernel: Any, masks: Masks, training: Any) -> Any:
        if not masks:
            return convolve(x, kernel)

        def dropped() -> Any:
            n = self.filters
            parts = [convolve(x * m, kernel[..., i * n : (i + 1) * n]) for i, m in enumerate(masks)]
            return K.concatenate(parts, axis=channel_axis(self.data_format))

        return K.in_train_phase(dropped, lambda: convolve(x, kernel), training=training)

    def call(self, inputs: Any, states: Any, training: Any = None) -> tuple[Any, list[Any]]:
        h, c = states[0], states[1]
        masks: tuple[Masks, Masks] = ([], [])
        if self._masks is not None:
            masks = self._masks
        elif drops(self.dropout) or drops(self.recurrent_dropout):
            self.draw_masks(K.expand_dims(inputs, 1), training)
            masks = self._masks or masks
            self.forget_masks()
        x = self._by_gate(
            lambda a, w: self.input_conv(a, w, padding=self.padding), inputs, self.kernel, masks[0], training
        )
        if self.bias is not None:
            x = K.bias_add(x, self.bias, data_format=self.data_format)
        x = x + self._by_gate(self.recurrent_conv, h, self.recurrent_kernel, masks[1], training)
        n = self.filters
        first = self.data_format == "channels_first"
        gates = [x[:, k * n : (k + 1) * n] if first else x[..., k * n : (k + 1) * n] for k in range(4)]
        i, f = self.recurrent_activation(gates[0]), self.recurrent_activation(gates[1])
        c = f * c + i * self.activation(gates[2])
        h = self.recurrent_activation(gates[3]) * self.activation(c)
        return h, [h, c]

    def get_config(self) -> dict[str, Any]:
        config = {name: getattr(self, name) for name in self.ARGUMENTS}
        return {**super().get_config(), **config, **describe(self, *self.IDENTIFIERS)}


class ConvLSTM2D(ConvRNN2D):
    """LSTM whose products are convolutions (Shi et al. 2015).

    Args:
        filters: number of channels of states and output.
        kernel_size, strides, padding, dilation_rate, data_format: of the input's convolution, as in `Conv2D`;
            the state's convolution keeps its size.
        Others: as in `LSTM`.

    Weights: kernel (rows, cols, channels, 4·filters), recurrent_kernel (rows, cols, filters, 4·filters), bias
    (4·filters,).
    """

    @interfaces.legacy_convlstm2d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        return_sequences: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        names = (*ConvLSTM2DCell.ARGUMENTS, *ConvLSTM2DCell.IDENTIFIERS)
        cell = ConvLSTM2DCell(**pick(locals(), names))
        super().__init__(
            cell,
            return_sequences=return_sequences,
            go_backwards=go_backwards,
            stateful=stateful,
            **kwargs,
        )
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def call(  # type: ignore[override]
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None
    ) -> Any:
        return super().call(inputs, mask=mask, training=training, initial_state=initial_state)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["cell"]
        of_cell = self.cell.get_config()
        names = (*ConvLSTM2DCell.ARGUMENTS, *ConvLSTM2DCell.IDENTIFIERS)
        config.update({name: of_cell[name] for name in names})
        return {**config, **describe(self, "activity_regularizer")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]
        return cls(**config)


def _forward() -> None:
    def of_cell(name: str) -> property:
        return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")

    for name in (*ConvLSTM2DCell.ARGUMENTS, *ConvLSTM2DCell.IDENTIFIERS):
        setattr(ConvLSTM2D, name, of_cell(name))


_forward()


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
