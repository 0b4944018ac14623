"""The progress bar that `fit`, `evaluate` and `predict` draw.

Source: the behaviour of keras/utils/generic_utils.py `Progbar` (2.1.6), character by character.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np


class Progbar:
    """Draws progress and running means on standard output.

    Args:
        target: number of steps (or samples) of the whole run, None if unknown.
        width: width of the bar in characters.
        verbose: 0 nothing, 1 a bar, 2 one line at the end.
        interval: shortest time between two drawings, in seconds (the last one is always drawn).
        stateful_metrics: names whose values are shown as given instead of averaged.

    Example:
        >>> bar = Progbar(2, verbose=2)
        >>> bar.add(1, [('loss', 1.0)])
        >>> bar.add(1, [('loss', 0.5)])
         - 0s - loss: 0.7500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 30,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.stateful_metrics = set(stateful_metrics) if stateful_metrics else set()
        self.seen_so_far = 0
        # name → [weighted sum, weight], or the bare value of a stateful metric, in the order of display
        self._values: dict[str, Any] = {}
        self._total_width = 0
        self._start = time.time()
        self._last_update = 0.0

    @property
    def _dynamic_display(self) -> bool:
        stream = sys.stdout
        return (hasattr(stream, "isatty") and stream.isatty()) or "ipykernel" in sys.modules

    def update(self, current: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Moves the bar.

        Args:
            current: steps (or samples) done so far, in total.
            values: (name, value) pairs; each value is the mean over the steps since the last update.
        """
        self._accumulate(current, values or ())
        now = time.time()
        if self.verbose == 1:
            last = self.target is None or current >= self.target
            if not last and now - self._last_update < self.interval:
                return
            self._draw(current, now)
        elif self.verbose == 2 and (self.target is None or current >= self.target):
            self._write(f" - {now - self._start:.0f}s{self._values_text()}\n")
        self._last_update = now

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Moves the bar by `n` steps; `values` as for `update`."""
        self.update(self.seen_so_far + n, values)

    def _accumulate(self, current: int, values: Iterable[tuple[str, Any]]) -> None:
        steps = current - self.seen_so_far
        for name, value in values:
            if name in self.stateful_metrics:
                self._values[name] = value
            elif name in self._values:
                entry = self._values[name]
                entry[0] += value * steps
                entry[1] += steps
            else:
                self._values[name] = [value * steps, steps]
        self.seen_so_far = current

    def _values_text(self) -> str:
        text = ""
        for name, entry in self._values.items():
            if isinstance(entry, list):
                mean = float(np.mean(entry[0] / max(1, entry[1])))
                text += f" - {name}: {mean:.4f}" if abs(mean) > 1e-3 else f" - {name}: {mean:.4e}"
            else:
                text += f" - {name}: {entry}"
        return text

    def _bar_text(self, current: int) -> str:
        if self.target is None:
            return f"{current:7d}/Unknown"
        whole = int(self.target)  # scripts pass len(x) / batch_size as well
        digits = len(str(whole))
        share = current / self.target if self.target else 1.0
        done = int(self.width * share)
        arrow = ""
        if done > 0:
            arrow = "=" * (done - 1) + (">" if current < self.target else "=")
        return f"{int(current):{digits}d}/{whole} [" + arrow + "." * (self.width - done) + "]"

    def _time_text(self, current: int, now: float) -> str:
        elapsed = now - self._start
        per_step = elapsed / current if current else 0.0
        if self.target is not None and current < self.target:
            eta = int(per_step * (self.target - current))
            if eta > 3600:
                return f" - ETA: {eta // 3600}:{eta % 3600 // 60:02d}:{eta % 60:02d}"
            if eta > 60:
                return f" - ETA: {eta // 60}:{eta % 60:02d}"
            return f" - ETA: {eta}s"
        if per_step >= 1:
            unit = f"{per_step:.0f}s"
        elif per_step >= 1e-3:
            unit = f"{per_step * 1e3:.0f}ms"
        else:
            unit = f"{per_step * 1e6:.0f}us"
        return f" - {elapsed:.0f}s {unit}/step"

    def _draw(self, current: int, now: float) -> None:
        before = self._total_width
        lead = "\b" * before + "\r" if self._dynamic_display else "\n"
        text = self._bar_text(current) + self._time_text(current, now) + self._values_text()
        self._total_width = len(text)
        # blanks wipe what the previous, longer line left on a terminal
        text += " " * max(0, before - len(text))
        if self.target is not None and current >= self.target:
            text += "\n"
        self._write(lead + text)

    @staticmethod
    def _write(text: str) -> None:
        if sys.stdout is not None:  # programs without a console have none
            sys.stdout.write(text)
            sys.stdout.flush()
