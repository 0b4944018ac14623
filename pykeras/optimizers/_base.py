"""What all optimizers share: clipping, state, configs of several dialects.

Source: the public behaviour of keras/optimizers.py (2.1.6); formulas from the papers named at each class.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .. import backend as K
from ..utils.keras1_calls import legacy_get_updates_support

# Keys of newer Keras and tf.keras configs that have no counterpart here and do not change the formulas when
# unset.
_FOREIGN_KEYS = frozenset(
    {
        "centered",
        "ema_momentum",
        "ema_overwrite_frequency",
        "gradient_accumulation_steps",
        "initial_accumulator_value",
        "is_legacy_optimizer",
        "jit_compile",
        "loss_scale_factor",
        "momentum",
        "name",
        "use_ema",
        "weight_decay",
    }
)

# Of these, the ones that would change the formulas if they were set.
_FOREIGN_FEATURES = ("centered", "momentum", "use_ema", "weight_decay")


def clip_norm(g: Any, c: float, n: Any) -> Any:
    """Scales a gradient by c / n if n ≥ c.

    Args:
        g: gradient tensor.
        c: largest norm; 0 or less switches the clipping off.
        n: scalar tensor, the norm (of all gradients together).

    Returns:
        tensor of g's shape.
    """
    return g if c <= 0 else g * _norm_factor(c, n)


def _norm_factor(c: float, n: Any) -> Any:
    # c/0 is inf, so a zero gradient stays as it is.
    return K.minimum(c / n, 1.0)


class Optimizer:
    """Base class.

    Args:
        clipnorm: scale all gradients so that their joint Euclidean norm is at most this (0 or less: off).
        clipvalue: clip each gradient element to ±this (0 or less: off).

    Raises:
        TypeError: another keyword.

    Subclasses override `get_updates(loss, params)`, fill `self.updates` and `self.weights`, and call
    `self.get_gradients`.
    """

    lr: Any
    decay: Any
    iterations: Any

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("name", None)
        for key in kwargs:
            if key not in ("clipnorm", "clipvalue"):
                raise TypeError(f"Unexpected keyword argument passed to optimizer: {key}")
        for key, value in kwargs.items():
            if value is not None:
                setattr(self, key, value)
        self.updates: list[Any] = []
        self.weights: list[Any] = []

    # ------------------------------------------------------------------------------------------- to override

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        """Builds one training step.

        Args:
            loss: scalar tensor.
            params: variables to train.

        Returns:
            list of updates for `K.function`.
        """
        raise NotImplementedError

    # ----------------------------------------------------------------------------------------------- for all

    def get_gradients(self, loss: Any, params: list[Any]) -> list[Any]:
        """Gradients of the loss, clipped as asked.

        Raises:
            ValueError: the loss does not depend on a parameter in a differentiable way.
        """
        grads = K.gradients(loss, params)
        lost = [p.name for p, g in zip(params, grads) if g is None]
        if lost:
            raise ValueError(
                f"The gradient is `None` for {', '.join(lost)}: the loss does not reach these weights "
                "through "
                "differentiable operations. Usual culprits: K.argmax, K.round, K.equal and other "
                "comparisons, a "
                "Lambda that casts to int, or a layer whose output is not used by the loss."
            )
        bound = getattr(self, "clipnorm", 0)
        if bound > 0:
            factor = _norm_factor(bound, K.sqrt(sum(K.sum(K.square(g)) for g in grads)))
            grads = [g * factor for g in grads]
        bound = getattr(self, "clipvalue", 0)
        if bound > 0:
            grads = [K.clip(g, -bound, bound) for g in grads]
        return grads

    def get_weights(self) -> list[np.ndarray]:
        """Returns the state (step counter and slots) as arrays, in the order of `self.weights`."""
        return K.batch_get_value(self.weights)

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the state.

        Args:
            weights: arrays as `get_weights` returns them; a leading step counter (Keras 2.3, tf.keras) is
                accepted
                where this optimizer's list has none.

        Raises:
            ValueError: wrong number of arrays, or a wrong shape.
        """
        weights = list(weights)
        targets = list(self.weights)
        iterations = getattr(self, "iterations", None)
        if len(weights) == len(targets) + 1 and iterations is not None and np.size(weights[0]) == 1:
            if all(w is not iterations for w in targets):
                targets = [iterations, *targets]
        if len(weights) != len(targets):
            raise ValueError(
                f"The optimizer {type(self).__name__} has {len(targets)} state arrays, but {len(weights)} "
                "were given."
            )
        pairs = []
        for variable, value in zip(targets, weights):
            shape: Any = K.int_shape(variable)
            if np.size(value) == 1 and math.prod(shape) == 1:
                value = np.reshape(value, shape)  # a counter may be stored with an axis of its own
            if shape != np.shape(value):
                raise ValueError(
                    f"Optimizer weight shape {shape} not compatible with provided weight shape "
                    f"{np.shape(value)} "
                    f"({variable.name})"
                )
            pairs.append((variable, value))
        K.batch_set_value(pairs)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments with their current values."""
        return {key: getattr(self, key) for key in ("clipnorm", "clipvalue") if hasattr(self, key)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Builds the optimizer from a config of Keras 2 or tf.keras.

        Args:
            config: as `get_config` returns it; `learning_rate` may stand for `lr`, keys of newer dialects
                are dropped
                (with a warning if they were in use).
        """
        return cls(**_translate(cls, config))

    # ----------------------------------------------------------------------------------------------- helpers

    @property
    def learning_rate(self) -> Any:
        """The newer name of `lr`."""
        if "learning_rate" in self.__dict__:
            return self.__dict__["learning_rate"]
        return self.lr

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(getattr(type(self), "lr", None), property):
            # a class of Keras 2.3's time, which keeps the rate here and makes `lr` the other name
            self.__dict__["learning_rate"] = value
        elif isinstance(value, (int, float)) and K.is_variable(getattr(self, "lr", None)):
            K.set_value(self.lr, value)
        else:
            self.lr = value

    def _start(self, kwargs: dict[str, Any], lr: float, **hyper: Any) -> None:
        """Runs the base constructor and makes the variables that `K.set_value` may change during training."""
        rate = kwargs.pop("learning_rate", None)
        Optimizer.__init__(self, **kwargs)
        with K.name_scope(type(self).__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr if rate is None else rate, name="lr")
            for name, value in hyper.items():
                setattr(self, name, K.variable(value, name=name))
        self.initial_decay = float(hyper.get("decay", 0.0))

    def _step(self) -> tuple[Any, Any]:
        """Returns the decayed learning rate and the number of this step (1, 2, …) as scalar tensors."""
        before = K.cast(self.iterations, K.floatx())
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * before))
        return lr, before + 1.0

    def _slots(self, params: list[Any]) -> list[Any]:
        return [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]

    def _assign(self, param: Any, new_value: Any) -> None:
        constraint = getattr(param, "constraint", None)
        if constraint is not None:
            new_value = constraint(new_value)
        self.updates.append(K.update(param, new_value))

    def _values(self, *names: str) -> dict[str, Any]:
        return {name: float(K.get_value(getattr(self, name))) for name in names}


def _translate(cls: type[Optimizer], config: dict[str, Any]) -> dict[str, Any]:
    """Config of any dialect → keyword arguments of `cls`, which may know the rate by its newer name only."""
    config = dict(config)
    code = cls.__init__.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    rate = "lr" if "lr" in known or "lr" in config else "learning_rate"
    if "learning_rate" in config:
        config[rate] = config.pop("learning_rate")
    if isinstance(config.get(rate), dict):
        schedule = config[rate].get("config", {})
        config[rate] = schedule.get("initial_learning_rate", 0.001)
        warnings.warn(
            f"{cls.__name__}: the learning rate schedule of the file is not supported; the rate stays at "
            f"{config[rate]}. A LearningRateScheduler callback does the same job.",
            stacklevel=3,
        )
    if config.get("global_clipnorm") is not None:
        config["clipnorm"] = config["global_clipnorm"]
    config.pop("global_clipnorm", None)
    for key in ("clipnorm", "clipvalue", "decay"):
        if key in config and config[key] is None:
            del config[key]
    for key in list(config):
        if key in known or key not in _FOREIGN_KEYS:
            continue
        if key in _FOREIGN_FEATURES and config[key]:
            warnings.warn(
                f"{cls.__name__}: `{key}={config[key]}` of the file is not supported and is ignored.",
                stacklevel=3,
            )
        del config[key]
    return config
