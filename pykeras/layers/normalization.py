"""Batch normalization.

Source: the public behaviour of keras/layers/normalization.py (2.1.6); the moving averages are plain ones.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.namespaces import held_by
from ._support import add_part, adopt, describe, require_known


class BatchNormalization(Layer):
    """Shifts and scales each channel to mean 0 and variance 1, then by trainable beta and gamma.

    In training the statistics are those of the batch, and moving averages of them are kept; otherwise those
    averages
    are used.

    Args:
        axis: the channel axis (1 after channels_first convolutions).
        momentum: share of the old moving average kept at each step.
        epsilon: added to the variance.
        center: whether there is a beta.
        scale: whether there is a gamma.
        beta_initializer, gamma_initializer: first values of the trainable weights.
        moving_mean_initializer, moving_variance_initializer: first values of the averages.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: projections after each update.

    Weights, all (channels,): gamma, beta; not trainable: moving_mean, moving_variance.
    Source: Ioffe & Szegedy 2015, http://arxiv.org/abs/1502.03167
    """

    @interfaces.legacy_batchnorm_support
    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        if isinstance(axis, (list, tuple)):
            # tf.keras writes a list of one
            if len(axis) != 1:
                raise ValueError(f"BatchNormalization works over one channel axis. Received: axis={axis}")
            axis = axis[0]
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        adopt(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape: Any) -> None:
        channels = require_known(input_shape[self.axis], self, f"axis {self.axis}", input_shape)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = add_part(self, "gamma", (channels,))
        if self.center:
            self.beta = add_part(self, "beta", (channels,))
        self.moving_mean = add_part(self, "moving_mean", (channels,), trainable=False)
        self.moving_variance = add_part(self, "moving_variance", (channels,), trainable=False)
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Any:
        shape: Any = K.int_shape(inputs)
        axis = self.axis % len(shape)
        reduced = [i for i in range(len(shape)) if i != axis]

        def with_moving() -> Any:
            weights = [self.moving_mean, self.moving_variance, self.beta, self.gamma]
            if axis != len(shape) - 1:
                spread = tuple(-1 if i == axis else 1 for i in range(len(shape)))
                weights = [None if w is None else K.reshape(w, spread) for w in weights]
            mean, variance, beta, gamma = weights
            return K.batch_normalization(inputs, mean, variance, beta, gamma, self.epsilon)

        if training is not None and not K.is_tensor(training) and not training:
            return with_moving()

        normed, mean, variance = K.normalize_batch_in_training(
            inputs, self.gamma, self.beta, reduced, epsilon=self.epsilon
        )
        # The batch's variance is that of a population; the average estimates the variance of what it came
        # from.
        count: Any = 1.0
        for i in reduced:
            size = shape[i]
            count = count * (K.cast(K.shape(inputs)[i], K.dtype(inputs)) if size is None else float(size))
        variance = variance * (count / (count - (1.0 + self.epsilon)))
        self.add_update(
            [
                K.moving_average_update(self.moving_mean, mean, self.momentum),
                K.moving_average_update(self.moving_variance, variance, self.momentum),
            ],
            inputs,
        )
        return K.in_train_phase(normed, with_moving, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
        }
        config.update(
            describe(
                self,
                "beta_initializer",
                "gamma_initializer",
                "moving_mean_initializer",
                "moving_variance_initializer",
                "beta_regularizer",
                "gamma_regularizer",
                "beta_constraint",
                "gamma_constraint",
            )
        )
        return {**super().get_config(), **config}


# What scripts also import from here.
__getattr__ = held_by(__name__)
