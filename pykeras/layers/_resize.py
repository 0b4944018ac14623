"""Layers that pad, crop and enlarge.

Source: the public behaviour of keras/layers/convolutional.py (2.1.6; `interpolation` from 2.2.4).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ._support import join_shape, split_shape


def _pairs(value: Any, rank: int, name: str) -> tuple[tuple[int, ...], ...]:
    """int, tuple of ints (symmetric per axis) or tuple of pairs → one (before, after) per axis."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if not hasattr(value, "__len__") or len(value) != rank:
        raise ValueError(f"`{name}` should have {rank} elements. Found: {value}")
    return tuple(conv_utils.normalize_tuple(pair, 2, f"entry {i} of {name}") for i, pair in enumerate(value))


class UpSampling1D(Layer):
    """Repeats each time step.

    Args:
        size: number of repetitions.
    """

    @interfaces.legacy_upsampling1d_support
    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = int(size)
        self.input_spec = InputSpec(ndim=3)

    def compute_output_shape(self, input_shape: Any) -> Any:
        steps = None if input_shape[1] is None else self.size * input_shape[1]
        return (input_shape[0], steps, input_shape[2])

    def call(self, inputs: Any) -> Any:
        return K.repeat_elements(inputs, self.size, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


class UpSampling2D(Layer):
    """Enlarges pictures by integer factors.

    Args:
        size: int or (rows, cols).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
        interpolation: 'nearest' (repeats) or 'bilinear'.
    """

    @interfaces.legacy_upsampling2d_support
    def __init__(
        self,
        size: Any = (2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.size = conv_utils.normalize_tuple(size, 2, "size")
        if interpolation not in ("nearest", "bilinear"):
            raise ValueError(
                f'`interpolation` should be one of "nearest" or "bilinear". Received: {interpolation}'
            )
        self.interpolation = interpolation
        self.input_spec = InputSpec(ndim=4)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [None if n is None else n * factor for n, factor in zip(spatial, self.size)]
        return join_shape(batch, lengths, channels, self.data_format)

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return K.resize_images(inputs, self.size[0], self.size[1], self.data_format)
        return K.resize_images(
            inputs, self.size[0], self.size[1], self.data_format, interpolation=self.interpolation
        )

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "size": self.size, "data_format": self.data_format}
        if self.interpolation != "nearest":
            config["interpolation"] = self.interpolation
        return config


class UpSampling3D(Layer):
    """Enlarges volumes by integer factors, repeating elements.

    Args:
        size: int or (depth, rows, cols).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    @interfaces.legacy_upsampling3d_support
    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = conv_utils.normalize_tuple(size, 3, "size")
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [None if n is None else n * factor for n, factor in zip(spatial, self.size)]
        return join_shape(batch, lengths, channels, self.data_format)

    def call(self, inputs: Any) -> Any:
        return K.resize_volumes(inputs, self.size[0], self.size[1], self.size[2], self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


class ZeroPadding1D(Layer):
    """Adds zeros before and after a sequence.

    Args:
        padding: int or (before, after).
    """

    def __init__(self, padding: Any = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = conv_utils.normalize_tuple(padding, 2, "padding")
        self.input_spec = InputSpec(ndim=3)

    def compute_output_shape(self, input_shape: Any) -> Any:
        steps = None if input_shape[1] is None else input_shape[1] + sum(self.padding)
        return (input_shape[0], steps, input_shape[2])

    def call(self, inputs: Any) -> Any:
        return K.temporal_padding(inputs, padding=self.padding)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding}


class _ZeroPadding(Layer):
    """Base of the paddings of pictures and volumes."""

    rank = 2

    def __init__(self, padding: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.padding = _pairs(padding, self.rank, "padding")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [None if n is None else n + sum(pair) for n, pair in zip(spatial, self.padding)]
        return join_shape(batch, lengths, channels, self.data_format)

    def call(self, inputs: Any) -> Any:
        pad = K.spatial_2d_padding if self.rank == 2 else K.spatial_3d_padding
        return pad(inputs, padding=self.padding, data_format=self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class ZeroPadding2D(_ZeroPadding):
    """Adds zeros around pictures.

    Args:
        padding: int, (rows, cols), or ((top, bottom), (left, right)).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    @interfaces.legacy_zeropadding2d_support
    def __init__(self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Adds zeros around volumes.

    Args:
        padding: int, one int per axis, or one (before, after) per axis.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    rank = 3

    @interfaces.legacy_zeropadding3d_support
    def __init__(self, padding: Any = (1, 1, 1), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(padding, data_format, **kwargs)


def _crop(layer: Layer, inputs: Any, cropping: Any, first_axis: int) -> Any:
    """Cuts (before, after) off each axis from `first_axis` on."""
    shape: Any = K.int_shape(inputs)
    key = [slice(None)] * len(shape)
    for axis, (before, after) in enumerate(cropping, start=first_axis):
        size = shape[axis]
        if size is not None and before + after >= size:
            raise ValueError(
                f"Layer {layer.name} cannot crop {before} + {after} elements off axis {axis} of an input "
                "of shape "
                f"{tuple(shape)}: nothing would be left."
            )
        key[axis] = slice(before, -after if after else None)
    return inputs[tuple(key)]


class Cropping1D(Layer):
    """Cuts steps off both ends of a sequence.

    Args:
        cropping: int or (before, after).
    """

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cropping = conv_utils.normalize_tuple(cropping, 2, "cropping")
        self.input_spec = InputSpec(ndim=3)

    def compute_output_shape(self, input_shape: Any) -> Any:
        steps = None if input_shape[1] is None else input_shape[1] - sum(self.cropping)
        return (input_shape[0], steps, input_shape[2])

    def call(self, inputs: Any) -> Any:
        return _crop(self, inputs, (self.cropping,), 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping}


class _Cropping(Layer):
    """Base of the croppings of pictures and volumes."""

    rank = 2

    def __init__(self, cropping: Any, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.cropping = _pairs(cropping, self.rank, "cropping")
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, spatial, channels = split_shape(input_shape, self.data_format)
        lengths = [None if n is None else n - sum(pair) for n, pair in zip(spatial, self.cropping)]
        return join_shape(batch, lengths, channels, self.data_format)

    def call(self, inputs: Any) -> Any:
        return _crop(self, inputs, self.cropping, 2 if self.data_format == "channels_first" else 1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cropping": self.cropping, "data_format": self.data_format}


class Cropping2D(_Cropping):
    """Cuts rows and columns off pictures.

    Args:
        cropping: int, (rows, cols), or ((top, bottom), (left, right)).
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    @interfaces.legacy_cropping2d_support
    def __init__(
        self, cropping: Any = ((0, 0), (0, 0)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts the borders off volumes.

    Args:
        cropping: int, one int per axis, or one (before, after) per axis.
        data_format: 'channels_last', 'channels_first' or None for the configured one.
    """

    rank = 3

    @interfaces.legacy_cropping3d_support
    def __init__(
        self, cropping: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
