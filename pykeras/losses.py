"""Loss functions: (y_true, y_pred) → one value per sample (and per time step, if there are any).

The mean over samples, weights and masks is taken by the training loop.

Source: the public behaviour of keras/losses.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from . import backend as K
from .utils.generic_utils import deserialize_keras_object, serialize_keras_object
from .utils.identifiers import own_names


def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of (p − t)² over the last axis."""
    return K.mean(K.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of |p − t| over the last axis."""
    return K.mean(K.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 · mean of |t − p| / max(|t|, ε) over the last axis."""
    share = K.abs((y_true - y_pred) / K.clip(K.abs(y_true), K.epsilon(), None))
    return 100.0 * K.mean(share, axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """Mean of (log(p + 1) − log(t + 1))² over the last axis; values below ε count as ε."""
    log_pred = K.log(K.clip(y_pred, K.epsilon(), None) + 1.0)
    log_true = K.log(K.clip(y_true, K.epsilon(), None) + 1.0)
    return K.mean(K.square(log_pred - log_true), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of max(0, 1 − t·p)² over the last axis, t being −1 or 1."""
    return K.mean(K.square(K.maximum(1.0 - y_true * y_pred, 0.0)), axis=-1)


def hinge(y_true: Any, y_pred: Any) -> Any:
    """Mean of max(0, 1 − t·p) over the last axis, t being −1 or 1."""
    return K.mean(K.maximum(1.0 - y_true * y_pred, 0.0), axis=-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(0, best wrong class − right class + 1), targets one-hot."""
    right = K.sum(y_true * y_pred, axis=-1)
    wrong = K.max((1.0 - y_true) * y_pred, axis=-1)
    return K.maximum(0.0, wrong - right + 1.0)


def logcosh(y_true: Any, y_pred: Any) -> Any:
    """Mean of log(cosh(p − t)) over the last axis: about d²/2 near 0 and |d| − log 2 far away."""
    # log(cosh d) = d + softplus(−2d) − log 2 does not overflow.
    difference = y_pred - y_true
    return K.mean(difference + K.softplus(-2.0 * difference) - 0.6931471805599453, axis=-1)


def categorical_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """−Σ t·log p over the last axis, p renormalised to sum 1 and clipped to [ε, 1 − ε]."""
    return K.categorical_crossentropy(y_true, y_pred)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """Crossentropy for integer class targets of shape (batch, …) or (batch, …, 1)."""
    return K.sparse_categorical_crossentropy(y_true, y_pred)


def binary_crossentropy(y_true: Any, y_pred: Any) -> Any:
    """Mean of −t·log p − (1 − t)·log(1 − p) over the last axis, p clipped to [ε, 1 − ε]."""
    return K.mean(K.binary_crossentropy(y_true, y_pred), axis=-1)


def kullback_leibler_divergence(y_true: Any, y_pred: Any) -> Any:
    """Σ t·log(t / p) over the last axis, both clipped to [ε, 1]."""
    y_true = K.clip(y_true, K.epsilon(), 1)
    y_pred = K.clip(y_pred, K.epsilon(), 1)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Mean of p − t·log(p + ε) over the last axis."""
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


def cosine_proximity(y_true: Any, y_pred: Any) -> Any:
    """Minus the cosine of the angle between target and prediction (−1 is best)."""
    return -K.sum(K.l2_normalize(y_true, axis=-1) * K.l2_normalize(y_pred, axis=-1), axis=-1)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
cosine = cosine_proximity


def serialize(loss: Any) -> Any:
    """Returns the loss's name (or class and config of an object that has one)."""
    return serialize_keras_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Finds a loss by name, or builds one from class name and config.

    Raises:
        ValueError: "Unknown loss function".
    """
    return deserialize_keras_object(name, own_names(globals()), custom_objects, "loss function")


def get(identifier: Any) -> Any:
    """Returns a loss function.

    Args:
        identifier: None, a name, a config, or any callable (y_true, y_pred).

    Raises:
        ValueError: anything else, or an unknown name.
    """
    if identifier is None:
        return None
    if isinstance(identifier, (str, dict)):
        return deserialize(identifier)
    if callable(identifier):
        return identifier
    raise ValueError(f"Could not interpret loss function identifier: {identifier}")
