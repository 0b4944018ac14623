"""Dense, dropout, shape and masking layers.

Source: the public behaviour of keras/layers/core.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import activations, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.namespaces import held_by, public_names
from ._lambda import Lambda
from ._support import add_part, adopt, describe, require_known

__all__ = [
    "Activation",
    "ActivityRegularization",
    "Dense",
    "Dropout",
    "Flatten",
    "Lambda",
    "Masking",
    "Permute",
    "RepeatVector",
    "Reshape",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
]


class Masking(Layer):
    """Marks the time steps to skip: those whose features all equal one value.

    Args:
        mask_value: the value.

    Input (batch, time, features); output the same with the skipped steps set to 0, and a mask (batch, time).
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.mask_value = mask_value

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.any(K.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        kept = K.any(K.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return inputs * K.cast(kept, K.dtype(inputs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}


class Dropout(Layer):
    """Sets a random share of the inputs to 0 during training and scales the rest by 1 / (1 − rate).

    Args:
        rate: share to drop, clipped to [0, 1]; 0 and 1 switch the layer off.
        noise_shape: shape of the mask; 1 shares the decision along an axis, None takes the input's size.
        seed: int, or None to draw one from NumPy's global generator.
    """

    @interfaces.legacy_dropout_support
    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = min(1.0, max(0.0, rate))
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Any) -> Any:
        """Returns the mask's shape, None standing for the input's size; None for the input's shape."""
        return None if self.noise_shape is None else tuple(self.noise_shape)

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0.0 < self.rate < 1.0:
            return inputs
        noise_shape = self._get_noise_shape(inputs)
        return K.in_train_phase(
            lambda: K.dropout(inputs, self.rate, noise_shape, seed=self.seed), inputs, training=training
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {"rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
        return {**super().get_config(), **config}


class SpatialDropout1D(Dropout):
    """Dropout of whole feature maps of a sequence.

    Args:
        rate: share of the features to drop.

    Input and output (batch, time, features).
    """

    @interfaces.legacy_spatialdropout1d_support
    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def _get_noise_shape(self, inputs: Any) -> Any:
        return (None, 1, None)


class SpatialDropout2D(Dropout):
    """Dropout of whole feature maps of a picture.

    Args:
        rate: share of the feature maps to drop.
        data_format: 'channels_last', 'channels_first' or None for the configured one.

    Input and output (batch, rows, cols, channels) or (batch, channels, rows, cols).
    """

    @interfaces.legacy_spatialdropoutNd_support
    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def _get_noise_shape(self, inputs: Any) -> Any:
        return (None, None, 1, 1) if self.data_format == "channels_first" else (None, 1, 1, None)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        # Keras 2.1.6 forgets the layout; the key is written only where forgetting it would change the model.
        if "channels_first" in (self.data_format, K.image_data_format()):
            config["data_format"] = self.data_format
        return config


class SpatialDropout3D(Dropout):
    """Dropout of whole feature maps of a volume.

    Args: as in `SpatialDropout2D`.
    """

    @interfaces.legacy_spatialdropoutNd_support
    def __init__(self, rate: float, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.data_format = conv_utils.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)

    def _get_noise_shape(self, inputs: Any) -> Any:
        return (None, None, 1, 1, 1) if self.data_format == "channels_first" else (None, 1, 1, 1, None)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        if "channels_first" in (self.data_format, K.image_data_format()):
            config["data_format"] = self.data_format
        return config


class Activation(Layer):
    """Applies an activation function.

    Args:
        activation: name or callable.
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **describe(self, "activation")}


class Reshape(Layer):
    """Gives each sample another shape.

    Args:
        target_shape: new shape without the batch; one entry may be −1 if the input's shape is known.

    Raises:
        ValueError: the numbers of elements differ.
    """

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def _fix_unknown_dimension(self, input_shape: Any, output_shape: Any) -> tuple[Any, ...]:
        """Replaces a −1 in `output_shape` (both without the batch)."""
        problem = (
            f"total size of new array must be unchanged: layer {self.name} cannot turn samples of shape "
            f"{tuple(input_shape)} into {tuple(output_shape)}"
        )
        if tuple(output_shape).count(-1) > 1:
            raise ValueError(
                f"Can only specify one unknown dimension. Layer {self.name} got the target shape "
                f"{tuple(output_shape)}"
            )
        known = int(np.prod([size for size in output_shape if size != -1], dtype="int64"))
        original = int(np.prod(input_shape, dtype="int64"))
        if -1 in output_shape:
            if known == 0 or original % known:
                raise ValueError(problem)
            return tuple(original // known if size == -1 else size for size in output_shape)
        if original != known:
            raise ValueError(problem)
        return tuple(output_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if None in input_shape[1:]:
            # Where the input is not known in full, neither is what stands for −1.
            return (input_shape[0], *(None if size == -1 else size for size in self.target_shape))
        return (input_shape[0], *self._fix_unknown_dimension(input_shape[1:], self.target_shape))

    def call(self, inputs: Any) -> Any:
        target = self.compute_output_shape(K.int_shape(inputs))[1:]
        if None in target:
            return K.reshape(inputs, (K.shape(inputs)[0], *self.target_shape))
        return K.reshape(inputs, (-1, *target))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Reorders the axes of each sample.

    Args:
        dims: the input axes in their new order, counted from 1 (the batch is not among them).
    """

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Invalid permutation `dims` {self.dims}: it must hold each of 1 … n once.")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def call(self, inputs: Any) -> Any:
        return K.permute_dimensions(inputs, (0, *self.dims))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "dims": self.dims}


class Flatten(Layer):
    """Turns each sample into a vector, row by row.

    Args:
        data_format: 'channels_first' moves the channels to the end first, so that weights fit models of
            either
            layout; None means the configured one.

    Raises:
        ValueError: a size other than the batch's is not known.
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.input_spec = InputSpec(min_ndim=3)
        self.data_format = conv_utils.normalize_data_format(data_format)

    def compute_output_shape(self, input_shape: Any) -> Any:
        if None in input_shape[1:]:
            raise ValueError(
                f'The shape of the input to "Flatten" (layer {self.name}) is not fully defined (got '
                f"{tuple(input_shape[1:])}). Make sure to pass a complete `input_shape` or "
                "`batch_input_shape` to "
                "the first layer of the model."
            )
        return (input_shape[0], int(np.prod(input_shape[1:], dtype="int64")))

    def call(self, inputs: Any) -> Any:
        rank = K.ndim(inputs)
        if self.data_format == "channels_first" and rank > 2:
            inputs = K.permute_dimensions(inputs, (0, *range(2, rank), 1))
        return K.batch_flatten(inputs)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}


class RepeatVector(Layer):
    """Repeats a vector n times: (batch, features) → (batch, n, features).

    Args:
        n: number of repetitions.
    """

    def __init__(self, n: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n = conv_utils.normalize_count(n, "n")
        self.input_spec = InputSpec(ndim=2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.n, input_shape[1])

    def call(self, inputs: Any) -> Any:
        return K.repeat(inputs, self.n)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "n": self.n}


class Dense(Layer):
    """Fully connected layer: activation(inputs · kernel + bias) over the last axis, for any rank ≥ 2.

    Args:
        units: size of the output's last axis.
        activation: name or callable, None for none.
        use_bias: whether there is a bias.
        kernel_initializer, bias_initializer: first values of the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the output.
        kernel_constraint, bias_constraint: projections after each update.

    Weights: kernel (input features, units), bias (units,).
    """

    activation: Any

    @interfaces.legacy_dense_support
    def __init__(
        self,
        units: int,
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
        if "input_shape" not in kwargs and "input_dim" in kwargs:
            kwargs["input_shape"] = (kwargs.pop("input_dim"),)
        super().__init__(**kwargs)
        self.units = conv_utils.normalize_count(units, "units")
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
        self.input_spec = InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        features = require_known(input_shape[-1], self, "last dimension", input_shape)
        self.kernel = add_part(self, "kernel", (features, self.units))
        self.bias = None
        if self.use_bias:
            self.bias = add_part(self, "bias", (self.units,))
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self.built = True

    def call(self, inputs: Any) -> Any:
        output = K.dot(inputs, self.kernel)
        if self.use_bias:
            output = K.bias_add(output, self.bias, data_format="channels_last")
        return self.activation(output)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict[str, Any]:
        config = {"units": self.units, "use_bias": self.use_bias}
        config.update(
            describe(
                self,
                "activation",
                "kernel_initializer",
                "bias_initializer",
                "kernel_regularizer",
                "bias_regularizer",
                "activity_regularizer",
                "kernel_constraint",
                "bias_constraint",
            )
        )
        return {**super().get_config(), **config}


class ActivityRegularization(Layer):
    """Passes its input on and adds l1·Σ|x| + l2·Σx² (over the whole batch) to the loss.

    Args:
        l1: factor of the absolute values.
        l2: factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.l1 = l1
        self.l2 = l2
        self.activity_regularizer = regularizers.L1L2(l1=l1, l2=l2)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
