"""Convolutions that have a kernel of their own at each place.

Source: the public behaviour of keras/layers/local.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.namespaces import held_by
from ._conv import _Conv, sequence_shape
from ._support import add_part, channel_axis, split_shape


class _LocallyConnected(_Conv):
    """Base: arguments of a convolution, weights per output place.

    Raises:
        ValueError: another padding than 'valid', or sizes that are not known.
    """

    def __init__(self, rank: int, filters: int, kernel_size: Any, padding: str, **kwargs: Any) -> None:
        super().__init__(rank=rank, filters=filters, kernel_size=kernel_size, padding=padding, **kwargs)
        if self.padding != "valid":
            raise ValueError(
                f'Invalid border mode for {type(self).__name__} (only "valid" is supported): {padding}'
            )

    def build(self, input_shape: Any) -> None:
        _, spatial, channels = split_shape(input_shape, self.data_format)
        if None in spatial or channels is None:
            raise ValueError(
                f"The spatial dimensions of the inputs to a {type(self).__name__} layer ({self.name}) "
                "should be "
                f"fully-defined, but layer received the inputs shape {tuple(input_shape)}"
            )
        _, places, _ = split_shape(self.compute_output_shape(input_shape), self.data_format)
        inputs, count = channels, 1
        for size, length in zip(self.kernel_size, places):
            inputs, count = inputs * size, count * length
        self.kernel = add_part(self, "kernel", (count, inputs, self.filters))
        self.bias = add_part(self, "bias", (*places, self.filters)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=self.rank + 2, axes={channel_axis(self.data_format): channels})
        self.built = True

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["rank"], config["dilation_rate"]
        return config


class LocallyConnected1D(_LocallyConnected):
    """`Conv1D` with a kernel of its own for each step.

    Args: as in `Conv1D`; the padding must be 'valid', and the input's length known.

    Weights: kernel (output steps, kernel_size·features, filters), bias (output steps, filters).
    """

    @interfaces.legacy_conv1d_support
    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
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
        **kwargs: Any,
    ) -> None:
        sequence_shape(kwargs)
        # one layout only: the original ignores this argument
        conv_utils.normalize_data_format(data_format)
        super().__init__(
            rank=1,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format="channels_last",
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

    def call(self, inputs: Any) -> Any:
        output = K.local_conv1d(inputs, self.kernel, self.kernel_size, self.strides, self.data_format)
        return self._finish(output)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["data_format"]
        return config


class LocallyConnected2D(_LocallyConnected):
    """`Conv2D` with a kernel of its own for each output place.

    Args: as in `Conv2D`; the padding must be 'valid', and the input's rows and columns known.

    Weights: kernel (output rows·cols, kernel rows·cols·channels, filters), bias (output rows, output cols,
        filters).
    """

    @interfaces.legacy_conv2d_support
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
        **kwargs: Any,
    ) -> None:
        super().__init__(
            rank=2,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
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

    def call(self, inputs: Any) -> Any:
        _, places, _ = split_shape(self.compute_output_shape(K.int_shape(inputs)), self.data_format)
        output = K.local_conv2d(inputs, self.kernel, self.kernel_size, self.strides, places, self.data_format)
        return self._finish(output)


# What scripts also import from here.
__getattr__ = held_by(__name__)
