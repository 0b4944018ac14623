"""Layers that only Keras 1 and early Keras 2 had.

Source: the public behaviour of keras/legacy/layers.py (2.1.6).
"""

from __future__ import annotations

import warnings
from typing import Any

from .. import activations, constraints, initializers, regularizers
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..utils.namespaces import held_by, public_names
from ._atrous import AtrousConvolution1D, AtrousConvolution2D
from ._merge import Merge, merge
from ._recurrent import ConvRecurrent2D, Recurrent

__all__ = [
    "AtrousConvolution1D",
    "AtrousConvolution2D",
    "ConvRecurrent2D",
    "Highway",
    "MaxoutDense",
    "Merge",
    "Recurrent",
    "merge",
]


class _OldDense(Layer):
    """What Highway and MaxoutDense share: arguments under their Keras 1 names, and the config.

    Args:
        init: first values of the kernels.
        weights: arrays to start with.
        W_regularizer, b_regularizer, activity_regularizer: penalties.
        W_constraint, b_constraint: projections after each update.
        bias: whether there is a bias.
        input_dim: number of input features, on a model's first layer.
    """

    def __init__(
        self,
        init: Any,
        weights: Any,
        W_regularizer: Any,
        b_regularizer: Any,
        activity_regularizer: Any,
        W_constraint: Any,
        b_constraint: Any,
        bias: bool,
        input_dim: int | None,
        **kwargs: Any,
    ) -> None:
        warnings.warn(
            f"The `{type(self).__name__}` layer is deprecated and will be removed some day; nothing in "
            f"Keras 2 replaces it.",
            stacklevel=3,
        )
        if input_dim:
            kwargs["input_shape"] = (input_dim,)
        super().__init__(**kwargs)
        self.init = initializers.get(init)
        self.W_regularizer = regularizers.get(W_regularizer)
        self.b_regularizer = regularizers.get(b_regularizer)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.W_constraint = constraints.get(W_constraint)
        self.b_constraint = constraints.get(b_constraint)
        self.bias = bias
        self.initial_weights = weights
        self.input_dim = input_dim
        self.input_spec = InputSpec(ndim=2)

    def _kernel(self, name: str, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=self.init,
            regularizer=self.W_regularizer,
            constraint=self.W_constraint,
        )

    def _offset(self, name: str, shape: tuple[int, ...], initializer: str) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=self.b_regularizer,
            constraint=self.b_constraint,
        )

    def get_config(self) -> dict[str, Any]:
        config = {
            "init": initializers.serialize(self.init),
            "W_regularizer": regularizers.serialize(self.W_regularizer),
            "b_regularizer": regularizers.serialize(self.b_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "W_constraint": constraints.serialize(self.W_constraint),
            "b_constraint": constraints.serialize(self.b_constraint),
            "bias": self.bias,
            "input_dim": self.input_dim,
        }
        return {**super().get_config(), **config}


class MaxoutDense(_OldDense):
    """The largest of several dense layers, element by element.

    Args:
        output_dim: size of the output.
        nb_feature: number of dense layers.
        Others: as in Keras 1's Dense (init, W_regularizer … bias, input_dim).

    Input (batch, features), output (batch, output_dim).
    Weights: W (nb_feature, features, output_dim), b (nb_feature, output_dim).
    Source: Goodfellow et al. 2013, http://arxiv.org/abs/1302.4389
    """

    def __init__(
        self,
        output_dim: int,
        nb_feature: int = 4,
        init: Any = "glorot_uniform",
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            init,
            weights,
            W_regularizer,
            b_regularizer,
            activity_regularizer,
            W_constraint,
            b_constraint,
            bias,
            input_dim,
            **kwargs,
        )
        self.output_dim = output_dim
        self.nb_feature = nb_feature

    def build(self, input_shape: Any) -> None:
        features = input_shape[1]
        self.input_spec = InputSpec(dtype=K.floatx(), shape=(None, features))
        self.W = self._kernel("W", (self.nb_feature, features, self.output_dim))
        self.b = self._offset("b", (self.nb_feature, self.output_dim), "zeros") if self.bias else None
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (input_shape[0], self.output_dim)

    def call(self, x: Any) -> Any:
        output = K.dot(x, self.W)
        if self.bias:
            output = output + self.b
        return K.max(output, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_dim": self.output_dim, "nb_feature": self.nb_feature}


class Highway(_OldDense):
    """A dense layer beside the input itself, mixed by a learned gate: t·dense(x) + (1 − t)·x.

    Args:
        activation: of the dense part.
        Others: as in Keras 1's Dense (init, W_regularizer … bias, input_dim).

    Input and output (batch, features).
    Weights: W, W_carry (features, features), b, b_carry (features,); b_carry starts at 1.
    Source: Srivastava et al. 2015, http://arxiv.org/abs/1505.00387
    """

    def __init__(
        self,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        W_regularizer: Any = None,
        b_regularizer: Any = None,
        activity_regularizer: Any = None,
        W_constraint: Any = None,
        b_constraint: Any = None,
        bias: bool = True,
        input_dim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            init,
            weights,
            W_regularizer,
            b_regularizer,
            activity_regularizer,
            W_constraint,
            b_constraint,
            bias,
            input_dim,
            **kwargs,
        )
        self.activation: Any = activations.get(activation)

    def build(self, input_shape: Any) -> None:
        features = input_shape[1]
        self.input_spec = InputSpec(dtype=K.floatx(), shape=(None, features))
        self.W = self._kernel("W", (features, features))
        self.W_carry = self._kernel("W_carry", (features, features))
        self.b = self.b_carry = None
        if self.bias:
            self.b = self._offset("b", (features,), "zeros")
            self.b_carry = self._offset("b_carry", (features,), "ones")
        self.built = True

    def call(self, x: Any) -> Any:
        gate, output = K.dot(x, self.W_carry), K.dot(x, self.W)
        if self.bias:
            gate, output = gate + self.b_carry, output + self.b
        gate = K.sigmoid(gate)
        return self.activation(output) * gate + (1.0 - gate) * x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
