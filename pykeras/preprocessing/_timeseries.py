"""Batches of windows over a series of measurements.

Source: the public behaviour of keras/preprocessing/sequence.py (2.1.6; JSON as in 2.2.4).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from ..utils.data_utils import Sequence


class TimeseriesGenerator(Sequence):
    """Batches of windows over a time series, each with the target of the step after it.

    A sample for step t is data[t − length : t : sampling_rate] and its target targets[t]. The first t is
    start_index + length, the last one end_index.

    Args:
        data: the steps, shape (steps, ...): an array, a list, or anything that can be sliced and has a shape.
        targets: one target per step, shape (steps, ...).
        length: steps of data that a window spans.
        sampling_rate: take every so many steps within a window.
        stride: steps from one window to the next.
        start_index, end_index: the first and last step that is used; None for the last one there is.
        shuffle: draw windows at random from numpy's global generator, with replacement.
        reverse: the latest step of a window first.
        batch_size: windows per batch; the last one may have fewer, unless they are drawn.

    Raises:
        ValueError: data and targets differ in length, no step is left for a window, or a number that must be
            positive is not.

    Example:
        >>> series = np.arange(50.0)
        >>> x, y = TimeseriesGenerator(series, series, length=10, sampling_rate=2, batch_size=2)[0]
        >>> x, y
        (array([[0., 2., 4., 6., 8.],
               [1., 3., 5., 7., 9.]]), array([10., 11.]))
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length "
                f"is {len(targets)}"
            )
        counts = {
            "length": length,
            "sampling_rate": sampling_rate,
            "stride": stride,
            "batch_size": batch_size,
        }
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {count}")
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no "
                "part of the sequence would be left to be used as current step."
            )
        if start_index < 0 or self.end_index >= len(data):
            raise ValueError(
                f"`start_index` {start_index} and `end_index` {end_index} must lie in the {len(data)} steps"
            )

    def __len__(self) -> int:
        steps = self.end_index - self.start_index + 1
        return -(-steps // (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"Batch {index} was asked for, but there are only {len(self)}")
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            span = self.batch_size * self.stride
            first = self.start_index + span * (index % len(self))
            rows = np.arange(first, min(first + span, self.end_index + 1), self.stride)
        samples = _windows(self.data, rows, self.length, self.sampling_rate)
        return samples[:, ::-1] if self.reverse else samples, _take(self.targets, rows)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, data and targets as JSON strings.

        Raises:
            TypeError: data or targets cannot be written as JSON.
        """
        return {
            "data": _to_json("Data", self.data),
            "targets": _to_json("Targets", self.targets),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index - self.length,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs: Any) -> str:
        """Returns the generator with its data as JSON, which `timeseries_generator_from_json` reads.

        Args:
            **kwargs: passed to `json.dumps`.
        """
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def timeseries_generator_from_json(json_string: str) -> TimeseriesGenerator:
    """Makes a generator from the JSON that `TimeseriesGenerator.to_json` wrote.

    Raises:
        ValueError: this is no JSON of a TimeseriesGenerator.
    """
    try:
        config = dict(json.loads(json_string)["config"])
        config.update({name: json.loads(config[name]) for name in ("data", "targets")})
        return TimeseriesGenerator(**config)
    except (KeyError, TypeError) as error:
        raise ValueError(f"This is no JSON of a TimeseriesGenerator: {error!r}") from error


def _windows(steps: Any, rows: np.ndarray, length: int, rate: int) -> np.ndarray:
    """For each row, every `rate`-th of the `length` steps before it, in at least double precision."""
    if not _in_memory(steps):
        offsets = np.arange(-length, 0, rate)
        if rows.max() - rows.min() > 4 * len(rows) * length:  # drawn from far apart
            return np.stack([_take(steps, row + offsets) for row in rows])
        return _take(steps, rows[:, None] + offsets)
    array = np.asarray(steps)
    first, *rest = array.strides
    every = np.lib.stride_tricks.as_strided(
        array,
        (len(array) - length + 1, -(-length // rate), *array.shape[1:]),
        (first, first * rate, *rest),
        writeable=False,
    )
    return _double(every[rows - length])


def _take(steps: Any, indices: np.ndarray) -> np.ndarray:
    """The steps at `indices`, in at least double precision; a file is read in one slice."""
    if _in_memory(steps):
        return _double(np.asarray(steps)[indices])
    first = int(indices.min())
    return _double(np.asarray(steps[first : int(indices.max()) + 1])[indices - first])


def _in_memory(steps: Any) -> bool:
    return isinstance(steps, np.ndarray | list | tuple) or hasattr(steps, "iloc")


def _double(values: np.ndarray) -> np.ndarray:
    if values.dtype == object:  # such as the rows of a table with columns of several types
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError):
            return values
    return values.astype(np.result_type(values.dtype, np.float64), copy=False)


def _to_json(what: str, steps: Any) -> str:
    try:
        return json.dumps(steps.tolist() if isinstance(steps, np.ndarray | np.generic) else steps)
    except TypeError as error:
        raise TypeError(f"{what} not JSON Serializable: {type(steps).__name__}") from error
