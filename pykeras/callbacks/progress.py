"""Callbacks that report progress: on the terminal and in a CSV file.

Source: the public behaviour of keras/callbacks.py (2.1.6).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..utils.progbar import Progbar
from .base import Callback


class ProgbarLogger(Callback):
    """Draws the progress bar of `fit`.

    Args:
        count_mode: 'samples' or 'steps': what the bar counts.
        stateful_metrics: names that are shown as they are instead of averaged.

    Raises:
        ValueError: another count mode.
    """

    def __init__(self, count_mode: str = "samples", stateful_metrics: Any = None) -> None:
        super().__init__()
        if count_mode not in ("samples", "steps"):
            raise ValueError(f"Unknown `count_mode`: {count_mode}. Use 'samples' or 'steps'")
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or [])
        self.verbose = 0
        self.epochs: int | None = None
        self.target: int | None = None
        self.seen = 0
        self.log_values: list[tuple[str, Any]] = []
        self.progbar: Progbar | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.verbose = self.params["verbose"]
        self.epochs = self.params["epochs"]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self.seen = 0
        self.log_values = []
        if not self.verbose:
            return
        print(f"Epoch {epoch + 1}/{self.epochs}")
        self.target = self.params["steps" if self.use_steps else "samples"]
        self.progbar = Progbar(self.target, verbose=self.verbose, stateful_metrics=self.stateful_metrics)

    def on_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.target is None or self.seen < self.target:
            self.log_values = []

    def on_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.progbar is None:
            return
        logs = logs or {}
        self.seen += 1 if self.use_steps else logs.get("size", 0)
        self._collect(logs)
        # the last batch is drawn at the end of the epoch, together with the validation values
        if self.target is None or self.seen < self.target:
            self.progbar.update(self.seen, self.log_values)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.progbar is None:
            return
        self._collect(logs or {})
        self.progbar.update(self.seen, self.log_values)

    def _collect(self, logs: dict[str, Any]) -> None:
        self.log_values += [(name, logs[name]) for name in self.params["metrics"] if name in logs]


class CSVLogger(Callback):
    """Writes one line per epoch to a CSV file: the epoch, then the log values in alphabetical order.

    Args:
        filename: path of the file.
        separator: between the columns.
        append: True keeps what an existing file holds.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = filename
        self.sep = separator
        self.append = append
        self.append_header = True
        self.keys: list[str] | None = None
        self.writer: Any = None
        self.csv_file: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.append and os.path.exists(self.filename):
            self.append_header = os.path.getsize(self.filename) == 0
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        if self.keys is None:
            self.keys = sorted(logs)
        if self.writer is None:
            self.writer = csv.DictWriter(self.csv_file, fieldnames=["epoch", *self.keys], delimiter=self.sep)
            if self.append_header:
                self.writer.writeheader()
        # an epoch that was cut short lacks the validation values: NA keeps the table rectangular
        row = {name: _cell(logs[name]) if name in logs else "NA" for name in self.keys}
        self.writer.writerow({"epoch": epoch, **row})
        self.csv_file.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
        self.csv_file = None
        self.writer = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    if isinstance(value, Iterable):
        return '"[{}]"'.format(", ".join(map(str, value)))
    return value
