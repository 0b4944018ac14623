"""Activations with parameters of their own.

Source: the public behaviour of keras/layers/advanced_activations.py (2.1.6; `ReLU` from 2.2.4).
"""

from __future__ import annotations

from typing import Any

from .. import activations
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.namespaces import held_by
from ._support import add_part, adopt, describe, require_known


class _Elementwise(Layer):
    """Base: the output has the input's shape, masks pass through."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class LeakyReLU(_Elementwise):
    """x where x > 0, else alpha·x.

    Args:
        alpha: slope on the negative side, ≥ 0.
    """

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = K.cast_to_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        return K.relu(inputs, alpha=float(self.alpha))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": float(self.alpha)}


class PReLU(_Elementwise):
    """x where x > 0, else alpha·x with a trainable alpha per element.

    Args:
        alpha_initializer: first values.
        alpha_regularizer: penalty.
        alpha_constraint: projection after each update.
        shared_axes: axes (counted with the batch as 0) along which one alpha serves all elements, for
            example [1, 2]
            after a channels_last 2D convolution.

    Weights: alpha of the input's shape without the batch, 1 along shared axes.
    """

    @interfaces.legacy_prelu_support
    def __init__(
        self,
        alpha_initializer: Any = "zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        adopt(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        if shared_axes is not None and not isinstance(shared_axes, (list, tuple)):
            shared_axes = [shared_axes]
        self.shared_axes = None if shared_axes is None else list(shared_axes)

    def build(self, input_shape: Any) -> None:
        rank = len(input_shape)
        shared = {axis % rank for axis in self.shared_axes or ()}
        own = [axis for axis in range(1, rank) if axis not in shared]
        shape = [1] * (rank - 1)
        for axis in own:
            shape[axis - 1] = require_known(input_shape[axis], self, f"dimension {axis}", input_shape)
        self.alpha = add_part(self, "alpha", tuple(shape))
        self.input_spec = InputSpec(ndim=rank, axes={axis: input_shape[axis] for axis in own})
        self.built = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return K.relu(inputs) - self.alpha * K.relu(-inputs)

    def get_config(self) -> dict[str, Any]:
        config = describe(self, "alpha_initializer", "alpha_regularizer", "alpha_constraint")
        return {**super().get_config(), **config, "shared_axes": self.shared_axes}


class ELU(_Elementwise):
    """x where x > 0, else alpha·(exp(x) − 1).

    Args:
        alpha: minus the limit on the negative side.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = K.cast_to_floatx(alpha)

    def call(self, inputs: Any) -> Any:
        return K.elu(inputs, float(self.alpha))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": float(self.alpha)}


class ThresholdedReLU(_Elementwise):
    """x where x > theta, else 0.

    Args:
        theta: the threshold, ≥ 0.
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.theta = K.cast_to_floatx(theta)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs * K.cast(K.greater(inputs, float(self.theta)), K.dtype(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "theta": float(self.theta)}


class Softmax(_Elementwise):
    """Softmax over one axis.

    Args:
        axis: the axis that sums to 1 afterwards.
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis

    def call(self, inputs: Any) -> Any:
        return activations.softmax(inputs, axis=self.axis)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "axis": self.axis}


class ReLU(_Elementwise):
    """Rectifier.

    Args:
        max_value: largest output (≥ 0), None for no limit.
        negative_slope: slope below the threshold (≥ 0).
        threshold: value where the unit begins to pass its input on.

    Raises:
        ValueError: a negative max_value or negative_slope.
    """

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0.0:
            raise ValueError(f"max_value of ReLU layer cannot be negative value: {max_value}")
        if negative_slope is None or negative_slope < 0.0:
            raise ValueError(f"negative_slope of ReLU layer cannot be negative value: {negative_slope}")
        self.max_value = None if max_value is None else K.cast_to_floatx(max_value)
        self.negative_slope = K.cast_to_floatx(negative_slope)
        self.threshold = K.cast_to_floatx(0.0 if threshold is None else threshold)

    def call(self, inputs: Any) -> Any:
        return activations.relu(
            inputs,
            alpha=float(self.negative_slope),
            max_value=None if self.max_value is None else float(self.max_value),
            threshold=float(self.threshold),
        )

    def get_config(self) -> dict[str, Any]:
        config = {
            "max_value": None if self.max_value is None else float(self.max_value),
            "negative_slope": float(self.negative_slope),
            "threshold": float(self.threshold),
        }
        return {**super().get_config(), **config}


# What scripts also import from here.
__getattr__ = held_by(__name__)
