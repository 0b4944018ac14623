"""Convolutions that treat each channel on its own.

Source: the public behaviour of keras/layers/convolutional.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..legacy import interfaces
from ._conv import Conv2D, _Conv, sequence_shape
from ._support import add_part, adopt


class _SeparableConv(_Conv):
    """Base: a depthwise convolution followed by a pointwise one.

    Args:
        rank: number of spatial axes.
        depth_multiplier: depthwise output channels per input channel.
        depthwise_…, pointwise_…: settings of the two kernels.
        Others: as in `_Conv`.
    """

    _config_names = (
        "activation",
        "depthwise_initializer",
        "pointwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "pointwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "pointwise_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=rank,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        adopt(
            self,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self._input_channels(input_shape)
        multiplier = self.depth_multiplier
        self.depthwise_kernel = add_part(
            self, "depthwise", (*self.kernel_size, channels, multiplier), "depthwise_kernel"
        )
        self.pointwise_kernel = add_part(
            self, "pointwise", (*(1,) * self.rank, channels * multiplier, self.filters), "pointwise_kernel"
        )
        self.bias = self._add_bias(self.filters)
        self.built = True

    def call(self, inputs: Any) -> Any:
        size = self.rank == 1
        output = (K.separable_conv1d if size else K.separable_conv2d)(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides=self.strides[0] if size else self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate[0] if size else self.dilation_rate,
        )
        return self._finish(output)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"]
        return {**config, "depth_multiplier": self.depth_multiplier}


class SeparableConv1D(_SeparableConv):
    """Depthwise convolution along time followed by a mix of the features at each step.

    Args:
        filters: number of output features.
        kernel_size: window length.
        strides: step between windows.
        padding: 'valid', 'same' or 'causal' (zeros in front).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        dilation_rate: step between the window's taps.
        depth_multiplier: depthwise outputs per input feature.
        Others: as in `Dense`, once for each kernel.

    Weights: depthwise_kernel (length, features, multiplier), pointwise_kernel (1, features·multiplier,
        filters), bias.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
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
            depth_multiplier=depth_multiplier,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )


class SeparableConv2D(_SeparableConv):
    """Depthwise convolution of a picture followed by a mix of the channels at each place.

    Args:
        filters: number of output channels.
        kernel_size: int or (rows, cols).
        strides: int or (rows, cols).
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        dilation_rate: int or (rows, cols).
        depth_multiplier: depthwise outputs per input channel.
        Others: as in `Dense`, once for each kernel.

    Weights: depthwise_kernel (rows, cols, channels, multiplier), pointwise_kernel (1, 1,
        channels·multiplier, filters),
    bias (filters,).
    """

    @interfaces.legacy_separable_conv2d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
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
            depth_multiplier=depth_multiplier,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )


class DepthwiseConv2D(Conv2D):
    """Convolution of each channel of a picture on its own.

    Args:
        kernel_size: int or (rows, cols).
        strides: int or (rows, cols).
        padding: 'valid' or 'same'.
        depth_multiplier: outputs per input channel.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        dilation_rate: int or (rows, cols).
        Others: as in `Dense`.

    Output channel c·depth_multiplier + m comes from input channel c.
    Weights: depthwise_kernel (rows, cols, channels, depth_multiplier), bias (channels·depth_multiplier,).
    """

    _config_names = (
        "activation",
        "depthwise_initializer",
        "bias_initializer",
        "depthwise_regularizer",
        "bias_regularizer",
        "activity_regularizer",
        "depthwise_constraint",
        "bias_constraint",
    )

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters=None,  # type: ignore[arg-type]
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.depth_multiplier = depth_multiplier
        adopt(
            self,
            depthwise_initializer=depthwise_initializer,
            depthwise_regularizer=depthwise_regularizer,
            depthwise_constraint=depthwise_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = self._input_channels(input_shape)
        self.depthwise_kernel = add_part(
            self, "depthwise", (*self.kernel_size, channels, self.depth_multiplier), "depthwise_kernel"
        )
        self.bias = self._add_bias(channels * self.depth_multiplier)
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        output = K.depthwise_conv2d(
            inputs,
            self.depthwise_kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return self._finish(output)

    def _output_channels(self, channels: Any) -> Any:
        return channels * self.depth_multiplier

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["filters"]
        return {**config, "depth_multiplier": self.depth_multiplier}
