"""Pooling over windows and over all positions.

Source: the public behaviour of keras/layers/pooling.py (2.1.6; `data_format` of the 1D layers and masks in
GlobalAveragePooling1D from 2.2).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.namespaces import held_by
from ._support import join_shape, split_shape


class _Pooling(Layer):
    """Base of the window poolings: checks arguments and knows the output's shape."""

    rank = 2
    mode = "max"

    def __init__(self, pool_size: Any, strides: Any, padding: str, data_format: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = conv_utils.normalize_tuple(pool_size, self.rank, "pool_size")
        self.strides = conv_utils.normalize_tuple(
            pool_size if strides is None else strides, self.rank, "strides"
        )
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [
            conv_utils.conv_output_length(n, pool, self.padding, stride)
            for n, pool, stride in zip(spatial, self.pool_size, self.strides)
        ]
        return join_shape(batch, lengths, channels, self.data_format)

    def call(self, inputs: Any) -> Any:
        return self._pooling_function(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def _pooling_function(
        self, inputs: Any, pool_size: Any, strides: Any, padding: str, data_format: str
    ) -> Any:
        pool = K.pool3d if self.rank == 3 else K.pool2d  # sequences are pictures of one row
        return pool(inputs, pool_size, strides, padding, data_format, pool_mode=self.mode)

    def get_config(self) -> dict[str, Any]:
        config = {
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }
        return {**super().get_config(), **config}


class _Pooling1D(_Pooling):
    """Base of the 1D window poolings: a picture of one row."""

    rank = 1

    @interfaces.legacy_pooling1d_support
    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str = "channels_last",
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        row_axis = 2 if self.data_format == "channels_first" else 1
        output = self._pooling_function(
            K.expand_dims(inputs, row_axis),
            (1, *self.pool_size),
            (1, *self.strides),
            self.padding,
            self.data_format,
        )
        return K.squeeze(output, row_axis)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.data_format == "channels_last":
            del config["data_format"]
        return config


class MaxPooling1D(_Pooling1D):
    """Largest value of each window along time.

    Args:
        pool_size: window length.
        strides: step between windows, None for pool_size.
        padding: 'valid' or 'same'.
        data_format: 'channels_last' or 'channels_first'.

    Input (batch, time, features), output (batch, fewer steps, features).
    """


class AveragePooling1D(_Pooling1D):
    """Mean of each window along time; 'same' divides by the number of real steps in the window.

    Args: as in `MaxPooling1D`.
    """

    mode = "avg"


class _Pooling2D(_Pooling):
    @interfaces.legacy_pooling2d_support
    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling2D(_Pooling2D):
    """Largest value of each window of a picture.

    Args:
        pool_size: int or (rows, cols).
        strides: int or (rows, cols), None for pool_size.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.

    Input (batch, rows, cols, channels) or (batch, channels, rows, cols), output the same with fewer rows
    and cols.
    """


class AveragePooling2D(_Pooling2D):
    """Mean of each window of a picture; 'same' divides by the number of real cells in the window.

    Args: as in `MaxPooling2D`.
    """

    mode = "avg"


class _Pooling3D(_Pooling):
    rank = 3

    @interfaces.legacy_pooling3d_support
    def __init__(
        self,
        pool_size: Any = (2, 2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class MaxPooling3D(_Pooling3D):
    """Largest value of each window of a volume.

    Args:
        pool_size: int or (depth, rows, cols).
        strides: int or (depth, rows, cols), None for pool_size.
        padding: 'valid' or 'same'.
        data_format: 'channels_last', 'channels_first' or None for the configured one.

    Input (batch, depth, rows, cols, channels) or (batch, channels, depth, rows, cols), output the same with
    shorter spatial axes.
    """


class AveragePooling3D(_Pooling3D):
    """Mean of each window of a volume; 'same' divides by the number of real cells in the window.

    Args: as in `MaxPooling3D`.
    """

    mode = "avg"


class _GlobalPooling(Layer):
    """Base of the poolings over all positions."""

    rank = 2

    def __init__(self, data_format: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, _, channels = split_shape(input_shape, self.data_format)
        return (batch, channels)

    def _axes(self) -> list[int]:
        first = 2 if self.data_format == "channels_first" else 1
        return list(range(first, first + self.rank))

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if self.rank > 1 or self.data_format != "channels_last":
            config["data_format"] = self.data_format
        return config


class GlobalAveragePooling1D(_GlobalPooling):
    """Mean over time: (batch, time, features) → (batch, features); masked steps do not count.

    Args:
        data_format: 'channels_last' or 'channels_first'.
    """

    rank = 1

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        axis = self._axes()[0]
        if mask is None:
            return K.mean(inputs, axis=axis)
        weights = K.expand_dims(K.cast(mask, K.dtype(inputs)), 1 if axis == 2 else -1)
        return K.sum(inputs * weights, axis=axis) / K.sum(weights, axis=axis)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


class GlobalMaxPooling1D(_GlobalPooling):
    """Largest value over time: (batch, time, features) → (batch, features).

    Args:
        data_format: 'channels_last' or 'channels_first'.
    """

    rank = 1

    def __init__(self, data_format: str = "channels_last", **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes()[0])


class GlobalAveragePooling2D(_GlobalPooling):
    """Mean over rows and cols: (batch, rows, cols, channels) → (batch, channels).

    Args:
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes())


class GlobalMaxPooling2D(_GlobalPooling):
    """Largest value over rows and cols: (batch, rows, cols, channels) → (batch, channels).

    Args:
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes())


class GlobalAveragePooling3D(_GlobalPooling):
    """Mean over the three spatial axes: (batch, d1, d2, d3, channels) → (batch, channels).

    Args:
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    rank = 3

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.mean(inputs, axis=self._axes())


class GlobalMaxPooling3D(_GlobalPooling):
    """Largest value over the three spatial axes: (batch, d1, d2, d3, channels) → (batch, channels).

    Args:
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    rank = 3

    @interfaces.legacy_global_pooling_support
    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format, **kwargs)

    def call(self, inputs: Any) -> Any:
        return K.max(inputs, axis=self._axes())


AvgPool1D = AveragePooling1D
MaxPool1D = MaxPooling1D
AvgPool2D = AveragePooling2D
MaxPool2D = MaxPooling2D
AvgPool3D = AveragePooling3D
MaxPool3D = MaxPooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
GlobalAvgPool3D = GlobalAveragePooling3D


# What scripts also import from here.
__getattr__ = held_by(__name__)
