"""First values of weights.

An initializer is any callable (shape, dtype=None) → tensor. Random ones return random tensors, not arrays:
a variable
evaluates its tensor when it is first read, so a model that only loads a file never draws them.

Source: the public behaviour of keras/initializers.py (2.1.6), with 2.2.0's correction of truncated normals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, has_arg, serialize_keras_object
from .utils.identifiers import from_name, own_names

# Standard deviation of a standard normal that is cut off at ±2.
TRUNCATED_STDDEV = 0.87962566103423978


class Initializer:
    """Base class: `initializer(shape, dtype=None)` returns a tensor."""

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """Builds the initializer from what `get_config` returned (tf.keras's `dtype` is ignored)."""
        return cls(**{key: value for key, value in config.items() if key != "dtype"})


class Zeros(Initializer):
    """All 0."""

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.constant(0, shape=shape, dtype=dtype)


class Ones(Initializer):
    """All 1."""

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.constant(1, shape=shape, dtype=dtype)


class Constant(Initializer):
    """One value everywhere.

    Args:
        value: a number, or an array of the weight's shape.
    """

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.constant(self.value, shape=shape, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


class RandomNormal(Initializer):
    """Normal distribution.

    Args:
        mean: mean.
        stddev: standard deviation.
        seed: int, or None to draw one from NumPy's global generator at each call.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.random_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class RandomUniform(Initializer):
    """Uniform distribution.

    Args:
        minval: lower bound.
        maxval: upper bound.
        seed: as in `RandomNormal`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval = minval
        self.maxval = maxval
        self.seed = seed

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.random_uniform(shape, self.minval, self.maxval, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed}


class TruncatedNormal(Initializer):
    """Normal distribution whose values beyond two standard deviations are drawn again.

    Args:
        mean: mean.
        stddev: standard deviation *before* the truncation.
        seed: as in `RandomNormal`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean = mean
        self.stddev = stddev
        self.seed = seed

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        return K.truncated_normal(shape, self.mean, self.stddev, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"mean": self.mean, "stddev": self.stddev, "seed": self.seed}


class VarianceScaling(Initializer):
    """Random values whose variance is scale / fan.

    Args:
        scale: positive factor.
        mode: 'fan_in', 'fan_out' or 'fan_avg'.
        distribution: 'normal' (truncated; so is 'truncated_normal', tf.keras's name), 'uniform' or
            'untruncated_normal'.
        seed: as in `RandomNormal`.

    Raises:
        ValueError: a scale ≤ 0, or an unknown mode or distribution.
    """

    def __init__(
        self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: int | None = None
    ) -> None:
        if scale <= 0.0:
            raise ValueError(f"`scale` must be a positive float. Got: {scale}")
        mode = mode.lower()
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f'Invalid `mode` argument: expected one of "fan_in", "fan_out", "fan_avg" but got {mode}'
            )
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f'Invalid `distribution` argument: expected one of "normal", "uniform" but got {distribution}'
            )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.seed = seed

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        fan_in, fan_out = _compute_fans(shape)
        fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        variance = self.scale / max(1.0, fan)
        if self.distribution == "uniform":
            limit = float(np.sqrt(3.0 * variance))
            return K.random_uniform(shape, -limit, limit, dtype=dtype, seed=self.seed)
        stddev = float(np.sqrt(variance))
        if self.distribution == "untruncated_normal":
            return K.random_normal(shape, 0.0, stddev, dtype=dtype, seed=self.seed)
        return K.truncated_normal(shape, 0.0, stddev / TRUNCATED_STDDEV, dtype=dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"scale": self.scale, "mode": self.mode, "distribution": self.distribution, "seed": self.seed}


class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns (axes before the last count as one).

    Args:
        gain: factor.
        seed: seed of the NumPy generator; None uses NumPy's global one. A seed leaves the global generator
            alone.

    Source: Saxe et al. 2013, http://arxiv.org/abs/1312.6120
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain = gain
        self.seed = seed

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        flat = (int(np.prod(shape[:-1])), int(shape[-1]))
        normal = np.random.normal if self.seed is None else np.random.RandomState(self.seed).normal
        left, _, right = np.linalg.svd(normal(0.0, 1.0, flat), full_matrices=False)
        matrix = left if left.shape == flat else right
        return K.constant(self.gain * matrix.reshape(tuple(shape)), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "seed": self.seed}


class Identity(Initializer):
    """The identity matrix times a factor; only for square 2D weights.

    Args:
        gain: factor.
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: str | None = None) -> Any:
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(
                f"Identity matrix initializer can only be used for 2D square matrices. Got shape {shape}"
            )
        return K.constant(self.gain * np.identity(int(shape[0])), dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain}


def lecun_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform within ±√(3 / fan_in). Source: LeCun et al. 1998, Efficient Backprop."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="uniform", seed=seed)


def lecun_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with standard deviation √(1 / fan_in). Source: Klambauer et al. 2017."""
    return VarianceScaling(scale=1.0, mode="fan_in", distribution="normal", seed=seed)


def glorot_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform within ±√(6 / (fan_in + fan_out)). Source: Glorot & Bengio 2010."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="uniform", seed=seed)


def glorot_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with standard deviation √(2 / (fan_in + fan_out)). Source: Glorot & Bengio 2010."""
    return VarianceScaling(scale=1.0, mode="fan_avg", distribution="normal", seed=seed)


def he_uniform(seed: int | None = None) -> VarianceScaling:
    """Uniform within ±√(6 / fan_in). Source: He et al. 2015, http://arxiv.org/abs/1502.01852"""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="uniform", seed=seed)


def he_normal(seed: int | None = None) -> VarianceScaling:
    """Truncated normal with standard deviation √(2 / fan_in). Source: He et al. 2015."""
    return VarianceScaling(scale=2.0, mode="fan_in", distribution="normal", seed=seed)


zero = zeros = Zeros
one = ones = Ones
constant = Constant
uniform = random_uniform = RandomUniform
normal = random_normal = RandomNormal
truncated_normal = TruncatedNormal
identity = Identity
orthogonal = Orthogonal

# tf.keras writes these as classes.
GlorotUniform = glorot_uniform
GlorotNormal = glorot_normal
HeUniform = he_uniform
HeNormal = he_normal
LecunUniform = lecun_uniform
LecunNormal = lecun_normal


def _compute_fans(shape: Any, data_format: str = "channels_last") -> tuple[float, float]:
    """Inputs and outputs per unit of a weight.

    Args:
        shape: shape of the weight.
        data_format: place of the channels in the *kernel*: (*size, in, out) for channels_last, (out, in,
            *size) else.

    Returns:
        (fan_in, fan_out)
    """
    if len(shape) == 2:
        return float(shape[0]), float(shape[1])
    if len(shape) in (3, 4, 5):
        if data_format == "channels_last":
            field, inputs, outputs = shape[:-2], shape[-2], shape[-1]
        elif data_format == "channels_first":
            field, inputs, outputs = shape[2:], shape[1], shape[0]
        else:
            raise ValueError(f"Invalid data_format: {data_format}")
        cells = float(np.prod(field))
        return inputs * cells, outputs * cells
    root = float(np.sqrt(np.prod(shape)))
    return root, root


def initial_value(initializer: Any, shape: Any, dtype: str) -> Any:
    """Calls an initializer, with `dtype` only if it has such a parameter; returns a tensor or an array."""
    return initializer(shape, dtype=dtype) if has_arg(initializer, "dtype", True) else initializer(shape)


def serialize(initializer: Any) -> Any:
    """Returns class name and config (or the name of a plain function)."""
    return serialize_keras_object(initializer)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Builds an initializer from class name and config.

    Raises:
        ValueError: "Unknown initializer".
    """
    return deserialize_keras_object(config, own_names(globals()), custom_objects, "initializer")


def get(identifier: Any) -> Any:
    """Returns an initializer.

    Args:
        identifier: a name, a config, or any callable (shape, dtype=None).

    Raises:
        ValueError: anything else, or an unknown name.
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if isinstance(identifier, str):
        return from_name(identifier, deserialize)
    if callable(identifier):
        # A class that was passed instead of an instance is meant with its defaults.
        if isinstance(identifier, type) and issubclass(identifier, Initializer):
            return identifier()
        return identifier
    raise ValueError(f"Could not interpret initializer identifier: {identifier}")
