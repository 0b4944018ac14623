"""Callbacks that act on the run: saving, stopping, learning rates.

Source: the public behaviour of keras/callbacks.py (2.1.6; `baseline` and `restore_best_weights` of 2.2.4).
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from .base import Callback, Logs, log_value


def _larger_is_better(monitor: str, mode: str, who: str, extra: tuple[str, ...] = ()) -> bool:
    """Resolves min/max/auto; `extra` are further prefixes of names that count as scores."""
    if mode not in ("auto", "min", "max"):
        warnings.warn(f"{who} mode {mode} is unknown, fallback to auto mode.", RuntimeWarning, stacklevel=3)
        mode = "auto"
    if mode == "auto":
        return "acc" in monitor or monitor.startswith(extra)
    return mode == "max"


def _warn_missing(what: str, monitor: str, logs: dict[str, Any]) -> None:
    available = ",".join(logs)
    warnings.warn(
        f"{what} conditioned on metric `{monitor}` which is not available. "
        f"Available metrics are: {available}",
        RuntimeWarning,
        stacklevel=3,
    )


class ModelCheckpoint(Callback):
    """Saves the model every `period` epochs.

    Args:
        filepath: path; may contain fields such as '{epoch:02d}-{val_loss:.2f}' (epochs count from 1).
        monitor: log name that decides which model is the best.
        verbose: 1 prints what is done.
        save_best_only: keep the file unless the monitored value improved.
        save_weights_only: `save_weights` instead of `save`.
        mode: 'min', 'max' or 'auto' (by the name).
        period: epochs between two saves.

    Raises:
        KeyError: at the end of an epoch, if the path names a log value that does not exist.
    """

    def __init__(
        self,
        filepath: Any,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        super().__init__()
        self.monitor = monitor
        self.verbose = verbose
        self.filepath = filepath
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.period = period
        self.epochs_since_last_save = 0
        larger = _larger_is_better(monitor, mode, "ModelCheckpoint", ("fmeasure",))
        self.monitor_op: Callable[..., Any] = np.greater if larger else np.less
        self.best: Any = -np.inf if larger else np.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        self.epochs_since_last_save += 1
        if self.epochs_since_last_save < self.period:
            return
        self.epochs_since_last_save = 0
        fields = Logs(logs)
        fields["epoch"] = epoch + 1
        filepath = os.fspath(self.filepath).format_map(fields)
        head = f"\nEpoch {epoch + 1:05d}: "
        if not self.save_best_only:
            if self.verbose > 0:
                print(f"{head}saving model to {filepath}")
            self._save(filepath)
            return
        current = log_value(logs, self.monitor)
        if current is None:
            warnings.warn(
                f"Can save best model only with {self.monitor} available, skipping.",
                RuntimeWarning,
                stacklevel=2,
            )
        elif self.monitor_op(current, self.best):
            if self.verbose > 0:
                change = f"improved from {self.best:0.5f} to {current:0.5f}"
                print(f"{head}{self.monitor} {change}, saving model to {filepath}")
            self._save(filepath)
            # remembered only now: if saving failed, the next improvement over the old file is saved
            self.best = current
        elif self.verbose > 0:
            print(f"{head}{self.monitor} did not improve from {self.best:0.5f}")

    def _save(self, filepath: str) -> None:
        if self.save_weights_only:
            self.model.save_weights(filepath, overwrite=True)
        else:
            self.model.save(filepath, overwrite=True)


class EarlyStopping(Callback):
    """Stops when a monitored value has not improved for `patience` epochs.

    Args:
        monitor: log name.
        min_delta: smallest change that counts as an improvement.
        patience: epochs without improvement after which training stops.
        verbose: 1 prints when it stops.
        mode: 'min', 'max' or 'auto' (by the name).
        baseline: the first value to beat, None for no such value.
        restore_best_weights: go back to the weights of the best epoch when stopping.

    Attributes:
        stopped_epoch: the epoch (from 0) after which it stopped, 0 if it did not.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        super().__init__()
        self.monitor = monitor
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.best_weights: Any = None
        self.wait = 0
        self.stopped_epoch = 0
        larger = _larger_is_better(monitor, mode, "EarlyStopping")
        self.monitor_op: Callable[..., Any] = np.greater if larger else np.less
        self.min_delta = abs(min_delta) if larger else -abs(min_delta)
        self.best: Any = -np.inf if larger else np.inf

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best_weights = None
        if self.baseline is not None:
            self.best = self.baseline
        else:
            self.best = np.inf if self.monitor_op is np.less else -np.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.monitor_op(current - self.min_delta, self.best):
            self.best = current
            self.wait = 0
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            return
        self.wait += 1
        if self.wait < self.patience:
            return
        self.stopped_epoch = epoch
        self.model.stop_training = True
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                print("Restoring model weights from the end of the best epoch")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: dict[str, Any]) -> Any:
        """Returns the monitored value; warns and returns None if the logs do not have it."""
        current = log_value(logs, self.monitor)
        if current is None:
            _warn_missing("Early stopping", self.monitor, logs)
        return current

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            print(f"Epoch {self.stopped_epoch + 1:05d}: early stopping")


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch.

    Args:
        schedule: function of (epoch) or (epoch, lr) that returns the new rate as a float.
        verbose: 1 prints the rate.

    Raises:
        ValueError: in `fit`, if the optimizer has no `lr` or the schedule returns anything but a float.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not hasattr(self.model.optimizer, "lr"):
            raise ValueError('Optimizer must have a "lr" attribute.')
        rate = self._next(epoch, float(K.get_value(self.model.optimizer.lr)))
        if not isinstance(rate, (float, np.floating)):
            raise ValueError(
                f'The output of the "schedule" function should be float, got {rate!r} ({type(rate).__name__})'
            )
        K.set_value(self.model.optimizer.lr, rate)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: LearningRateScheduler setting learning rate to {rate}.")

    def _next(self, epoch: int, rate: float) -> Any:
        # The signature decides, so that a TypeError inside the schedule is not taken for a wrong call.
        try:
            parameters = inspect.signature(self.schedule).parameters
        except (TypeError, ValueError):
            return self.schedule(epoch)
        kinds = inspect.Parameter
        if "lr" in parameters and parameters["lr"].kind is not kinds.POSITIONAL_ONLY:
            return self.schedule(epoch, lr=rate)
        if any(p.kind is kinds.VAR_KEYWORD for p in parameters.values()):
            return self.schedule(epoch, lr=rate)
        required = [
            p
            for p in parameters.values()
            if p.default is kinds.empty and p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)
        ]
        return self.schedule(epoch, rate) if len(required) > 1 else self.schedule(epoch)


class ReduceLROnPlateau(Callback):
    """Lowers the learning rate when a monitored value stagnates. Adds 'lr' to the logs.

    Args:
        monitor: log name.
        factor: the rate is multiplied by it; below 1.
        patience: epochs without improvement before the rate is lowered.
        verbose: 1 prints when it is.
        mode: 'min', 'max' or 'auto' (by the name).
        min_delta: smallest change that counts as an improvement (`epsilon` is its old name).
        cooldown: epochs after a change that do not count.
        min_lr: lowest rate.

    Raises:
        ValueError: factor ≥ 1.
        TypeError: an unknown keyword.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")
            warnings.warn(
                "`epsilon` argument is deprecated and will be removed, use `min_delta` instead.", stacklevel=2
            )
        if kwargs:
            raise TypeError(f"ReduceLROnPlateau: Keyword argument not understood: {', '.join(kwargs)}")
        if factor >= 1.0:
            raise ValueError("ReduceLROnPlateau does not support a factor >= 1.0.")
        self.monitor = monitor
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.mode = mode
        self.min_delta = min_delta
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.cooldown_counter = 0
        self.wait = 0
        self.best: Any = 0
        self.monitor_op: Callable[[Any, Any], Any] = np.less
        self._reset()

    def _reset(self) -> None:
        larger = _larger_is_better(self.monitor, self.mode, "ReduceLROnPlateau")
        if larger:
            self.monitor_op = lambda value, best: np.greater(value, best + self.min_delta)
        else:
            self.monitor_op = lambda value, best: np.less(value, best - self.min_delta)
        self.best = -np.inf if larger else np.inf
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last change is so recent that epochs do not count."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {} if logs is None else logs
        logs["lr"] = K.get_value(self.model.optimizer.lr)
        current = log_value(logs, self.monitor)
        if current is None:
            _warn_missing("Reduce LR on plateau", self.monitor, logs)
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.monitor_op(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def _reduce(self, epoch: int) -> None:
        old = float(K.get_value(self.model.optimizer.lr))
        if old <= self.min_lr:
            return
        new = max(old * self.factor, self.min_lr)
        K.set_value(self.model.optimizer.lr, new)
        if self.verbose > 0:
            print(f"\nEpoch {epoch + 1:05d}: ReduceLROnPlateau reducing learning rate to {new}.")
        self.cooldown_counter = self.cooldown
        self.wait = 0
