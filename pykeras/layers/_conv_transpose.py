"""Transposed convolutions.

Source: the public behaviour of keras/layers/convolutional.py (2.1.6; `output_padding` and `dilation_rate`
from 2.2.4).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..legacy import interfaces
from ..utils import conv_utils
from ._conv import Conv2D, Conv3D, _Conv
from ._support import add_part, join_shape, split_shape


class _Transposed(_Conv):
    """What the transposed convolutions do otherwise than the plain ones that they derive from."""

    output_padding: tuple[int, ...] | None

    def _pad_output(self, output_padding: Any) -> None:
        """Checks and stores the argument."""
        self.output_padding = None
        if output_padding is not None:
            self.output_padding = conv_utils.normalize_tuple(output_padding, self.rank, "output_padding")
            for stride, extra in zip(self.strides, self.output_padding):
                if extra >= stride:
                    raise ValueError(
                        f"Stride {self.strides} must be greater than output padding {self.output_padding}"
                    )

    def build(self, input_shape: Any) -> None:
        channels = self._input_channels(input_shape)
        self.kernel = add_part(self, "kernel", (*self.kernel_size, self.filters, channels))
        self.bias = self._add_bias(self.filters)
        self.built = True

    def _lengths(self, spatial: Any) -> list[Any]:
        extra = self.output_padding or (None,) * self.rank
        return [
            conv_utils.deconv_length(n, stride, size, self.padding, padding, dilation)
            for n, stride, size, padding, dilation in zip(
                spatial, self.strides, self.kernel_size, extra, self.dilation_rate
            )
        ]

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, _ = split_shape(input_shape, self.data_format)
        return join_shape(batch, self._lengths(spatial), self.filters, self.data_format)

    def call(self, inputs: Any) -> Any:
        convolve = K.conv2d_transpose if self.rank == 2 else K.conv3d_transpose
        output = convolve(
            inputs,
            self.kernel,
            self.compute_output_shape(K.int_shape(inputs)),
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
            output_padding=self.output_padding,
        )
        return self._finish(output)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        # Keys of 2.2.4, written only where 2.1.6 could not express the layer.
        if self.dilation_rate == (1,) * self.rank:
            del config["dilation_rate"]
        if self.output_padding is not None:
            config["output_padding"] = self.output_padding
        return config


class Conv2DTranspose(_Transposed, Conv2D):
    """Transposed convolution: the gradient of a `Conv2D` with respect to its input, as a layer.

    Args:
        filters: number of output channels.
        kernel_size: int or (rows, cols).
        strides: int or (rows, cols): factor by which the picture grows.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        output_padding: int or (rows, cols) smaller than the strides, added to the output's size; None for
            the size that the padding implies.
        dilation_rate: int or (rows, cols).
        Others: as in `Dense`.

    Weights: kernel (rows, cols, filters, channels), bias (filters,).
    """

    @interfaces.legacy_deconv2d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
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
        self._pad_output(output_padding)


class Conv3DTranspose(_Transposed, Conv3D):
    """Transposed convolution: the gradient of a `Conv3D` with respect to its input, as a layer.

    Args:
        filters: number of output channels.
        kernel_size: int or (depth, rows, cols).
        strides: int or (depth, rows, cols): factor by which the volume grows.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        output_padding: int or (depth, rows, cols) smaller than the strides, added to the output's size; None
            for the size that the padding implies.
        dilation_rate: int or (depth, rows, cols).
        Others: as in `Dense`.

    Weights: kernel (depth, rows, cols, filters, channels), bias (filters,).
    """

    @interfaces.legacy_conv3d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
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
        self._pad_output(output_padding)
