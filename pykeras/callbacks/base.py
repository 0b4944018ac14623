"""The callback protocol, the list that drives it, and the callbacks that only watch.

Source: the public behaviour of keras/callbacks.py (2.1.6).
"""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

# A hook that takes longer than this many seconds (median of the last batches) may be worth a warning.
_SLOW_HOOK = 0.1


def alias(name: str, known: Any) -> str:
    """Returns the name under which `known` holds `name`: 'acc' and 'accuracy' stand for each other.

    Args:
        name: a log name such as 'val_accuracy'.
        known: a container of log names.

    Returns:
        `name` itself, or its other spelling if only that one is known.
    """
    if name in known or not isinstance(name, str):
        return name
    for mine, other in (("accuracy", "acc"), ("acc", "accuracy")):
        if name == mine or name.endswith("_" + mine):
            spelled = name[: len(name) - len(mine)] + other
            if spelled in known:
                return spelled
    return name


class Logs(dict):
    """A dict of log values that finds 'accuracy' under 'acc' and the reverse; iterating shows real names."""

    def __missing__(self, key: Any) -> Any:
        real = alias(key, self.keys())
        if real == key:
            raise KeyError(key)
        return dict.__getitem__(self, real)

    def __contains__(self, key: Any) -> bool:
        return dict.__contains__(self, key) or alias(key, self.keys()) != key

    def get(self, key: Any, default: Any = None) -> Any:
        return dict.get(self, alias(key, self.keys()), default)


def log_value(logs: dict[str, Any], name: str) -> Any:
    """Returns the value of a monitored quantity, None if there is none."""
    return logs.get(alias(name, logs.keys()))


class Callback:
    """Base class: override any of the hooks.

    Attributes:
        params: dict with batch_size, epochs, steps, samples, verbose, do_validation, metrics.
        model: the model being trained.
        validation_data: the validation arrays, or None.

    Epoch and batch numbers start at 0. All callbacks get the same `logs` dict, so an entry that one adds is
    seen by the later ones.
    """

    # class attributes, because many a subclass forgets to call this class's __init__
    validation_data: Any = None
    model: Any = None
    params: Any = None

    def __init__(self) -> None:
        self.validation_data = None
        self.model = None

    def set_params(self, params: dict[str, Any]) -> None:
        """Receives the parameters of the run."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model."""
        self.model = model

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before the first batch of an epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after an epoch and its validation; `logs` holds the epoch's means and the val_ values."""

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called before a batch; `logs` holds batch and size."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Called after a batch; `logs` holds batch, size, loss and metrics."""

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Called once before training."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Called once after training."""


class CallbackList:
    """Calls the hooks of several callbacks in order, and warns about slow batch hooks.

    Args:
        callbacks: list of `Callback`, or None.
        queue_length: number of batches over which hook times are taken.
    """

    def __init__(self, callbacks: list[Any] | None = None, queue_length: int = 10) -> None:
        self.callbacks: list[Any] = list(callbacks or [])
        self.queue_length = queue_length
        self._reset_times()
        self._batch_entered = 0.0

    def _reset_times(self) -> None:
        self._batch_time = 0.0
        self._begin_times: deque[float] = deque(maxlen=self.queue_length)
        self._end_times: deque[float] = deque(maxlen=self.queue_length)

    def append(self, callback: Any) -> None:
        """Adds a callback at the end."""
        self.callbacks.append(callback)

    def set_params(self, params: dict[str, Any]) -> None:
        """Passes the parameters on."""
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Passes the model on."""
        for callback in self.callbacks:
            callback.set_model(model)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_epoch_begin."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)
        self._reset_times()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_epoch_end."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_batch_begin."""
        logs = {} if logs is None else logs
        start = time.perf_counter()
        for callback in self.callbacks:
            callback.on_batch_begin(batch, logs)
        now = time.perf_counter()
        self._begin_times.append(now - start)
        self._warn_if_slow("on_batch_begin", self._begin_times)
        self._batch_entered = now

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_batch_end."""
        logs = {} if logs is None else logs
        start = time.perf_counter()
        self._batch_time = start - self._batch_entered
        for callback in self.callbacks:
            callback.on_batch_end(batch, logs)
        self._end_times.append(time.perf_counter() - start)
        self._warn_if_slow("on_batch_end", self._end_times)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_train_begin."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Calls every callback's on_train_end."""
        logs = {} if logs is None else logs
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def _warn_if_slow(self, hook: str, times: deque[float]) -> None:
        if times[-1] <= _SLOW_HOOK:  # the usual case costs one comparison
            return
        ordered = sorted(times)
        median = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        if self._batch_time > 0.0 and median > 0.95 * self._batch_time and median > _SLOW_HOOK:
            warnings.warn(
                f"Method {hook}() is slow compared to the batch update ({median:f} s). Check your callbacks.",
                stacklevel=3,
            )

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)


class BaseLogger(Callback):
    """Turns the batch values of an epoch into their means, weighted by batch size.

    Args:
        stateful_metrics: names whose last value is taken as it is.
    """

    def __init__(self, stateful_metrics: Any = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or [])
        self.seen = np.float64(0)
        self.totals: dict[str, Any] = {}

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.seen = np.float64(0)
        self.totals = {}

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        size = np.float64(logs.get("size", 0))  # in single precision the sums would lose digits
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            elif name in self.totals:
                self.totals[name] += value * size
            else:
                self.totals[name] = value * size

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if logs is None:
            return
        for name in self.params["metrics"]:
            if name in self.totals:
                # the dict is shared: later callbacks read the means from it
                if name in self.stateful_metrics:
                    logs[name] = self.totals[name]
                else:
                    mean = self.totals[name] / self.seen
                    logs[name] = float(mean) if mean.ndim == 0 else mean


class TerminateOnNaN(Callback):
    """Stops training when the loss of a batch is NaN or infinite."""

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            print(f"Batch {batch}: Invalid loss, terminating training")
            self.model.stop_training = True


class History(Callback):
    """Records the epoch values; `fit` returns it.

    Attributes:
        epoch: list of epoch numbers.
        history: dict name → list of values, one per epoch. It answers to 'accuracy' as to 'acc'.
    """

    def __init__(self) -> None:
        super().__init__()
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = Logs()

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.epoch = []
        self.history = Logs()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            dict.setdefault(self.history, name, []).append(value)


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin, on_epoch_end: called with (epoch, logs).
        on_batch_begin, on_batch_end: called with (batch, logs).
        on_train_begin, on_train_end: called with (logs).
        **kwargs: become attributes.
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_batch_begin: Callable[..., Any] | None = None,
        on_batch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.__dict__.update(kwargs)
        hooks = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_batch_begin": on_batch_begin,
            "on_batch_end": on_batch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
        }
        # hooks that were not given stay the base class's empty ones
        self.__dict__.update({name: hook for name, hook in hooks.items() if hook is not None})
