"""Gradient descent with momentum, RMSprop, Adagrad and Adadelta.

Source: the public behaviour of keras/optimizers.py (2.1.6); formulas from the papers named at each class.
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils.keras1_calls import legacy_get_updates_support
from ._base import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    Args:
        lr: learning rate (`learning_rate` is accepted too).
        momentum: share of the last step that is added to this one.
        decay: the rate is divided by 1 + decay·(steps so far).
        nesterov: look ahead along the momentum.
    """

    momentum: Any

    def __init__(
        self,
        lr: float = 0.01,
        momentum: float = 0.0,
        decay: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, momentum=momentum, decay=decay)
        self.nesterov = nesterov

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, _ = self._step()
        moments = self._slots(params)
        self.weights = [self.iterations, *moments]
        for p, g, m in zip(params, grads, moments):
            v = self.momentum * m - lr * g
            self.updates.append(K.update(m, v))
            step = self.momentum * v - lr * g if self.nesterov else v
            self._assign(p, p + step)
        return self.updates

    def get_config(self) -> dict[str, Any]:
        config = self._values("lr", "momentum", "decay")
        return {**super().get_config(), **config, "nesterov": self.nesterov}


class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradients.

    Args:
        lr: learning rate.
        rho: share of the old mean kept at each step.
        epsilon: added to the root; None means `K.epsilon()`.
        decay: as in `SGD`.

    Source: Tieleman & Hinton 2012, lecture 6e of "Neural Networks for Machine Learning".
    """

    rho: Any

    def __init__(
        self,
        lr: float = 0.001,
        rho: float = 0.9,
        epsilon: float | None = None,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, rho=rho, decay=decay)
        self.epsilon = K.epsilon() if epsilon is None else epsilon

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, _ = self._step()
        rho = self.rho
        rest = 1.0 - rho
        self.weights = self._slots(params)
        for p, g, a in zip(params, grads, self.weights):
            new_a = rho * a + rest * K.square(g)
            self.updates.append(K.update(a, new_a))
            self._assign(p, p - lr * g / (K.sqrt(new_a) + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._values("lr", "rho", "decay"), "epsilon": self.epsilon}


class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients so far.

    Args:
        lr: learning rate.
        epsilon: as in `RMSprop`.
        decay: as in `SGD`.

    Source: Duchi et al. 2011, JMLR 12.
    """

    def __init__(
        self, lr: float = 0.01, epsilon: float | None = None, decay: float = 0.0, **kwargs: Any
    ) -> None:
        self._start(kwargs, lr, decay=decay)
        self.epsilon = K.epsilon() if epsilon is None else epsilon

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, _ = self._step()
        self.weights = self._slots(params)
        for p, g, a in zip(params, grads, self.weights):
            new_a = a + K.square(g)
            self.updates.append(K.update(a, new_a))
            self._assign(p, p - lr * g / (K.sqrt(new_a) + self.epsilon))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._values("lr", "decay"), "epsilon": self.epsilon}


class Adadelta(Optimizer):
    """Scales by the ratio of running root mean squares of steps and gradients.

    Args:
        lr: learning rate, best left at 1.
        rho: as in `RMSprop`.
        epsilon: as in `RMSprop`.
        decay: as in `SGD`.

    Source: Zeiler 2012, http://arxiv.org/abs/1212.5701
    """

    def __init__(
        self,
        lr: float = 1.0,
        rho: float = 0.95,
        epsilon: float | None = None,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        self._start(kwargs, lr, decay=decay)
        self.rho = rho
        self.epsilon = K.epsilon() if epsilon is None else epsilon

    @legacy_get_updates_support
    def get_updates(self, loss: Any, params: list[Any]) -> list[Any]:
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr, _ = self._step()
        accumulators = self._slots(params)
        deltas = self._slots(params)
        self.weights = [*accumulators, *deltas]
        for p, g, a, d in zip(params, grads, accumulators, deltas):
            new_a = self.rho * a + (1.0 - self.rho) * K.square(g)
            self.updates.append(K.update(a, new_a))
            step = g * K.sqrt(d + self.epsilon) / K.sqrt(new_a + self.epsilon)
            self._assign(p, p - lr * step)
            self.updates.append(K.update(d, self.rho * d + (1.0 - self.rho) * K.square(step)))
        return self.updates

    def get_config(self) -> dict[str, Any]:
        config = self._values("lr", "decay")
        return {**super().get_config(), **config, "rho": self.rho, "epsilon": self.epsilon}
