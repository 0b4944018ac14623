"""Adam, Adamax and Nadam.

Source: the public behaviour of keras/optimizers.py (2.1.6); formulas from the papers named at each class.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from ..utils.keras1_calls import legacy_get_updates_support
from ._base import Optimizer


class Adam(Optimizer):
    """Running means of gradients and of their squares, corrected for their start at 0.

    Args:
        lr: learning rate.
        beta_1: share of the old mean of gradients kept at each step.
        beta_2: share of the old mean of squares kept at each step.
        epsilon: as in `RMSprop` (outside the bias correction).
        decay: as in `SGD`.
        amsgrad: divide by the largest mean of squares so far.

    Source: Kingma & Ba 2014, http://arxiv.org/abs/1412.6980; Reddi et al. 2018 (amsgrad).
    """

    beta_1: Any
    beta_2: Any

    def __init__(
        self,
        lr: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        decay: float = 0.0,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, beta_1=beta_1, beta_2=beta_2, decay=decay)
        self.epsilon = K.epsilon() if epsilon is None else epsilon
        self.amsgrad = amsgrad

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, t = self._step()
        beta_1, beta_2 = self.beta_1, self.beta_2
        rest_1, rest_2 = 1.0 - beta_1, 1.0 - beta_2
        lr_t = lr * (K.sqrt(1.0 - K.pow(beta_2, t)) / (1.0 - K.pow(beta_1, t)))
        ms = self._slots(params)
        vs = self._slots(params)
        # Without amsgrad the third slot is a placeholder of one element, as in the files of Keras 2.1.3 and
        # later.
        vhats = self._slots(params) if self.amsgrad else [K.zeros((1,)) for _ in params]
        self.weights = [self.iterations, *ms, *vs, *vhats]
        for p, g, m, v, vhat in zip(params, grads, ms, vs, vhats):
            new_m = beta_1 * m + rest_1 * g
            new_v = beta_2 * v + rest_2 * K.square(g)
            scale = new_v
            if self.amsgrad:
                scale = K.maximum(vhat, new_v)
                self.updates.append(K.update(vhat, scale))
            self.updates.append(K.update(m, new_m))
            self.updates.append(K.update(v, new_v))
            self._assign(p, p - lr_t * new_m / (K.sqrt(scale) + self.epsilon))
        return self.updates

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the state; lists of 1 + 2n arrays (Keras up to 2.1.2, tf.keras) leave the third slots at 0."""
        count = (len(self.weights) - 1) // 3
        if count and len(weights) == 1 + 2 * count:
            blank = [np.zeros_like(K.get_value(w)) for w in self.weights[1 + 2 * count :]]
            weights = [*weights, *blank]
        super().set_weights(weights)

    def get_config(self) -> dict[str, Any]:
        config = self._values("lr", "beta_1", "beta_2", "decay")
        return {**super().get_config(), **config, "epsilon": self.epsilon, "amsgrad": self.amsgrad}


class Adamax(Optimizer):
    """Adam with the largest gradient (infinity norm) in place of the mean square.

    Args:
        lr: learning rate.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `RMSprop`.
        decay: as in `SGD`.

    Source: Kingma & Ba 2014, section 7.
    """

    beta_1: Any
    beta_2: Any

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, beta_1=beta_1, beta_2=beta_2, decay=decay)
        self.epsilon = K.epsilon() if epsilon is None else epsilon

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, t = self._step()
        beta_1, beta_2 = self.beta_1, self.beta_2
        rest_1 = 1.0 - beta_1
        lr_t = lr / (1.0 - K.pow(beta_1, t))
        ms = self._slots(params)
        us = self._slots(params)
        self.weights = [self.iterations, *ms, *us]
        for p, g, m, u in zip(params, grads, ms, us):
            new_m = beta_1 * m + rest_1 * g
            new_u = K.maximum(beta_2 * u, K.abs(g))
            self.updates.append(K.update(m, new_m))
            self.updates.append(K.update(u, new_u))
            self._assign(p, p - lr_t * new_m / (new_u + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        config = self._values("lr", "beta_1", "beta_2", "decay")
        return {**super().get_config(), **config, "epsilon": self.epsilon}


class Nadam(Optimizer):
    """Adam with Nesterov momentum and a momentum schedule.

    Args:
        lr: learning rate.
        beta_1: as in `Adam`.
        beta_2: as in `Adam`.
        epsilon: as in `RMSprop`.
        schedule_decay: speed at which the momentum rises to beta_1.

    Source: Dozat 2015, "Incorporating Nesterov Momentum into Adam".
    """

    beta_1: Any
    beta_2: Any

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float | None = None,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, beta_1=beta_1, beta_2=beta_2)
        with K.name_scope(type(self).__name__):
            self.m_schedule = K.variable(1.0, name="m_schedule")
        self.epsilon = K.epsilon() if epsilon is None else epsilon
        self.schedule_decay = schedule_decay

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """As the base class; tf.keras calls the schedule's decay `decay`."""
        config = dict(config)
        if "decay" in config:
            config.setdefault("schedule_decay", config["decay"])
            del config["decay"]
        return super().from_config(config)

    def _momentum(self, t: Any) -> Any:
        """The scheduled momentum of step t."""
        power = K.pow(K.constant(0.96), t * self.schedule_decay)
        return self.beta_1 * (1.0 - 0.5 * power)

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, t = self._step()
        beta_1, beta_2 = self.beta_1, self.beta_2
        rest_1, rest_2 = 1.0 - beta_1, 1.0 - beta_2
        now, following = self._momentum(t), self._momentum(t + 1.0)
        schedule = self.m_schedule * now
        self.updates.append(K.update(self.m_schedule, schedule))
        share_g = (1.0 - now) / (1.0 - schedule)
        share_m = following / (1.0 - schedule * following)
        correction = 1.0 / (1.0 - K.pow(beta_2, t))
        ms = self._slots(params)
        vs = self._slots(params)
        self.weights = [self.iterations, *ms, *vs]
        for p, g, m, v in zip(params, grads, ms, vs):
            new_m = beta_1 * m + rest_1 * g
            new_v = beta_2 * v + rest_2 * K.square(g)
            self.updates.append(K.update(m, new_m))
            self.updates.append(K.update(v, new_v))
            mean = share_g * g + share_m * new_m
            self._assign(p, p - lr * mean / (K.sqrt(correction * new_v) + self.epsilon))
        return self.updates

    def set_weights(self, weights: list[Any]) -> None:
        """Sets the state; the schedule's product is in no file and computed from the step counter."""
        super().set_weights(weights)
        steps = int(K.get_value(self.iterations))
        product = np.asarray(1.0, K.floatx())
        # The product reaches 0 in float32 within about a thousand steps, after which it cannot change.
        for start in range(0, steps, 1024):
            t = np.arange(start + 1, min(start + 1024, steps) + 1)
            for factor in K.get_value(self._momentum(K.constant(t))) if t.size else ():
                product = product * factor
            if product == 0:
                break
        K.set_value(self.m_schedule, product)

    def get_config(self) -> dict[str, Any]:
        config = self._values("lr", "beta_1", "beta_2")
        return {
            **super().get_config(),
            **config,
            "epsilon": self.epsilon,
            "schedule_decay": self.schedule_decay,
        }
