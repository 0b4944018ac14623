"""Plain convolutions, and what all convolutions share.

Source: the public behaviour of keras/layers/convolutional.py (2.1.6; `data_format` of Conv1D from 2.2.4).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ._support import add_part, adopt, channel_axis, describe, join_shape, require_known, split_shape


class _Conv(Layer):
    """Base of the convolutions: arguments, weights, shapes and config.

    Args:
        rank: number of spatial axes.
        filters: number of output channels.
        kernel_size, strides, dilation_rate: int or one int per spatial axis.
        padding: 'valid', 'same', or 'causal' (1D).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        Others: as in `Dense`.
    """

    filters: Any
    activation: Any

    # Entries of the config beyond the shape arguments; subclasses with other weights have others.
    _config_names: tuple[str, ...] = (
        "activation",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "kernel_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        rank: int,
        filters: int | None,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.rank = rank
        self.filters = None if filters is None else conv_utils.normalize_count(filters, "filters")
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, rank, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, rank, "dilation_rate")
        self.use_bias = use_bias
        adopt(
            self,
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(ndim=rank + 2)

    def _input_channels(self, input_shape: Any) -> int:
        """Returns the number of input channels and fixes it in the input specification."""
        axis = channel_axis(self.data_format)
        if len(input_shape) != self.rank + 2:
            raise ValueError(
                f"Inputs to `{type(self).__name__}` (layer {self.name}) should have rank {self.rank + 2}. "
                f"Received input shape: {tuple(input_shape)}"
            )
        channels = require_known(input_shape[axis], self, "channel dimension", input_shape)
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={axis: channels})
        return channels

    def _add_bias(self, channels: int) -> Any:
        return add_part(self, "bias", (channels,)) if self.use_bias else None

    def build(self, input_shape: Any) -> None:
        channels = self._input_channels(input_shape)
        self.kernel = add_part(self, "kernel", (*self.kernel_size, channels, self.filters))
        self.bias = self._add_bias(self.filters)
        self.built = True

    def _finish(self, output: Any) -> Any:
        """Adds the bias and applies the activation."""
        if self.use_bias:
            output = K.bias_add(output, self.bias, data_format=self.data_format)
        return self.activation(output)

    def call(self, inputs: Any) -> Any:
        convolve = {1: "conv1d", 2: "conv2d", 3: "conv3d"}[self.rank]
        size = self.rank == 1
        output = getattr(K, convolve)(
            inputs,
            self.kernel,
            strides=self.strides[0] if size else self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate[0] if size else self.dilation_rate,
        )
        return self._finish(output)

    def _output_channels(self, channels: Any) -> Any:
        return self.filters

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [
            conv_utils.conv_output_length(n, size, self.padding, stride, dilation=dilation)
            for n, size, stride, dilation in zip(spatial, self.kernel_size, self.strides, self.dilation_rate)
        ]
        return join_shape(batch, lengths, self._output_channels(channels), self.data_format)

    def get_config(self) -> dict[str, Any]:
        config = {
            "rank": self.rank,
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "use_bias": self.use_bias,
        }
        return {**super().get_config(), **config, **describe(self, *self._config_names)}


def sequence_shape(kwargs: dict[str, Any]) -> None:
    """Turns the keywords input_dim and input_length of a sequence layer into input_shape."""
    if "input_dim" in kwargs or "input_length" in kwargs:
        length, features = kwargs.pop("input_length", None), kwargs.pop("input_dim", None)
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["input_shape"] = (length, features)


class Conv1D(_Conv):
    """Convolution along time.

    Args:
        filters: number of output features.
        kernel_size: window length.
        strides: step between windows.
        padding: 'valid', 'same' or 'causal' (zeros in front, so that no step sees a later one).
        dilation_rate: step between the window's taps.
        data_format: 'channels_last' or 'channels_first'.
        Others: as in `Dense`.

    Input (batch, steps, features), output (batch, new steps, filters).
    Weights: kernel (kernel_size, features, filters), bias (filters,).
    """

    @interfaces.legacy_conv1d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        data_format: str = "channels_last",
        **kwargs: Any,
    ) -> None:
        sequence_shape(kwargs)
        super().__init__(
            rank=1,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"]
        if self.data_format == "channels_last":
            del config["data_format"]  # 2.1.6 knows no other layout here
        return config


class Conv2D(_Conv):
    """Convolution over pictures.

    Args:
        filters: number of output channels.
        kernel_size: int or (rows, cols).
        strides: int or (rows, cols).
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        dilation_rate: int or (rows, cols), the step between the window's taps.
        Others: as in `Dense`.

    Input (batch, rows, cols, channels) or (batch, channels, rows, cols).
    Weights: kernel (rows, cols, channels, filters) in both layouts, bias (filters,).
    """

    @interfaces.legacy_conv2d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=2,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"]
        return config


class Conv3D(_Conv):
    """Convolution over volumes.

    Args:
        filters: number of output channels.
        kernel_size: int or (depth, rows, cols).
        strides: int or (depth, rows, cols).
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        dilation_rate: int or (depth, rows, cols), the step between the window's taps.
        Others: as in `Dense`.

    Input (batch, depth, rows, cols, channels) or (batch, channels, depth, rows, cols).
    Weights: kernel (depth, rows, cols, channels, filters) in both layouts, bias (filters,).
    """

    @interfaces.legacy_conv3d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=3,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"]
        return config
