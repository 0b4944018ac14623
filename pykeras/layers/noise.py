"""Layers that add or multiply random noise during training.

Source: the public behaviour of keras/layers/noise.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..activations import SELU_ALPHA, SELU_SCALE
from ..engine.base_layer import Layer
from ..legacy import interfaces
from ..utils.namespaces import held_by


class GaussianNoise(Layer):
    """Adds noise N(0, stddev²) during training.

    Args:
        stddev: standard deviation.
    """

    @interfaces.legacy_gaussiannoise_support
    def __init__(self, stddev: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.stddev = stddev

    def call(self, inputs: Any, training: Any = None) -> Any:
        def noised() -> Any:
            return inputs + K.random_normal(shape=K.shape(inputs), mean=0.0, stddev=self.stddev)

        return K.in_train_phase(noised, inputs, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(Layer):
    """Multiplies by noise N(1, rate / (1 − rate)) during training.

    Args:
        rate: as in `Dropout`; outside (0, 1) the layer does nothing.

    Source: Srivastava et al. 2014, section 10.
    """

    @interfaces.legacy_gaussiandropout_support
    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.rate = rate

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0 < self.rate < 1:
            return inputs

        def noised() -> Any:
            stddev = (self.rate / (1.0 - self.rate)) ** 0.5
            return inputs * K.random_normal(shape=K.shape(inputs), mean=1.0, stddev=stddev)

        return K.in_train_phase(noised, inputs, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(Layer):
    """Dropout that keeps mean and variance for SELU networks.

    Args:
        rate: share of the inputs set to SELU's negative limit; outside (0, 1) the layer does nothing.
        noise_shape: shape of the mask; None in it takes the input's size.
        seed: int, or None to draw one from NumPy's global generator.

    Source: Klambauer et al. 2017, http://arxiv.org/abs/1706.02515
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed
        self.supports_masking = True

    def _get_noise_shape(self, inputs: Any) -> Any:
        sizes = K.shape(inputs)
        if self.noise_shape is None:
            return sizes
        return tuple(sizes[axis] if size is None else size for axis, size in enumerate(self.noise_shape))

    def call(self, inputs: Any, training: Any = None) -> Any:
        if not 0.0 < self.rate < 1.0:
            return inputs
        limit = -SELU_ALPHA * SELU_SCALE
        scale = ((1.0 - self.rate) * (1.0 + self.rate * limit**2)) ** -0.5
        shift = -scale * limit * self.rate

        def dropped() -> Any:
            draw = K.random_uniform(self._get_noise_shape(inputs), seed=self.seed)
            kept = K.cast(K.greater_equal(draw, self.rate), K.dtype(inputs))
            return scale * (inputs * kept + limit * (1.0 - kept)) + shift

        return K.in_train_phase(dropped, inputs, training=training)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "rate": self.rate}
        # Keras 2.1.6 writes the rate alone; the others follow only where they were given.
        if self.noise_shape is not None:
            config["noise_shape"] = self.noise_shape
        if self.seed is not None:
            config["seed"] = self.seed
        return config


# What scripts also import from here.
__getattr__ = held_by(__name__)
