"""The loops over arrays: fit, predict, evaluate.

Source: the public behaviour of keras/engine/training.py (2.1.6) and keras/engine/training_arrays.py (2.2.4).
"""

from __future__ import annotations

import contextlib
import copy
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import callbacks as cbks
from ..utils._h5mapped import mapped_rows
from ..utils.generic_utils import Progbar, to_list, unpack_singleton
from .training_utils import Arrays, batch_shuffle, check_num_samples, make_batches, slice_arrays

# Bytes of a batch in memory from which gathering its rows costs more than passing it between threads.
_LARGE_BATCH = 4 << 20
_MOST_TOGETHER = 8


def fit_loop(
    model: Any,
    f: Any,
    ins: Arrays,
    out_labels: list[str] | None = None,
    batch_size: int | None = None,
    epochs: int = 100,
    verbose: int = 1,
    callbacks: Any = None,
    val_f: Any = None,
    val_ins: Arrays | None = None,
    shuffle: Any = True,
    callback_metrics: list[str] | None = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
) -> Any:
    """Trains for several epochs.

    Args:
        model: the model.
        f: training function, list of arrays → list of values.
        ins: the data: arrays with a common number of rows; the learning phase (a number) may be last.
        out_labels: names of the values.
        batch_size: rows per batch.
        epochs: number at which to stop (not a count, if initial_epoch > 0).
        verbose: 0 silent, 1 progress bar, 2 one line per epoch.
        callbacks: list of callbacks.
        val_f: function for validation, or None.
        val_ins: its data.
        shuffle: True, False, or 'batch' for whole batches.
        callback_metrics: names that the callbacks are told of.
        initial_epoch: number of the first epoch.
        steps_per_epoch: calls of `f` on all data per epoch, instead of batches.
        validation_steps: calls of `val_f` on all data, instead of batches.

    Returns:
        the `History` callback.
    """
    val_ins = val_ins or []
    do_validation = bool(val_f and (val_ins or validation_steps))
    if do_validation and verbose and all(hasattr(x[0], "shape") for x in (ins, val_ins) if x):
        print(f"Train on {ins[0].shape[0]} samples, validate on {val_ins[0].shape[0]} samples")
    if validation_steps and steps_per_epoch is None:
        raise ValueError(
            "Can only use `validation_steps` when doing step-wise training, i.e. `steps_per_epoch` "
            "must be set."
        )
    samples = check_num_samples(ins, batch_size, steps_per_epoch, "steps_per_epoch")
    labels = out_labels or []

    hooks, seen_model = start_callbacks(
        model,
        callbacks,
        {
            "batch_size": batch_size,
            "epochs": epochs,
            "steps": steps_per_epoch,
            "samples": samples,
            "verbose": verbose,
            "do_validation": do_validation,
            "metrics": copy.copy(callback_metrics or []),
        },
        count_steps=steps_per_epoch is not None,
    )
    for callback in hooks:
        callback.validation_data = val_ins

    rows = _Rows(ins, samples, batch_size, shuffle) if samples is not None else None
    for epoch in range(initial_epoch, epochs):
        for metric in model.stateful_metric_functions:
            metric.reset_states()
        hooks.on_epoch_begin(epoch)
        epoch_logs: dict[str, Any] = {}
        stopped = False
        with rows.epoch() if rows is not None else _whole(ins, steps_per_epoch) as batches:
            for index, (batch, size) in enumerate(batches):
                logs: dict[str, Any] = {"batch": index, "size": size}
                hooks.on_batch_begin(index, logs)
                for label, value in zip(labels, f(batch)):
                    logs[label] = value
                hooks.on_batch_end(index, logs)
                if seen_model.stop_training:
                    stopped = True
                    break
        # stopping between batches of arrays leaves out the validation; step-wise training does not
        if do_validation and not (stopped and rows is not None):
            if rows is not None:
                values = test_loop(model, val_f, val_ins, batch_size=batch_size, verbose=0)
            else:
                values = test_loop(model, val_f, val_ins, steps=validation_steps, verbose=0)
            for label, value in zip(labels, to_list(values)):
                epoch_logs["val_" + label] = value
        hooks.on_epoch_end(epoch, epoch_logs)
        if seen_model.stop_training:
            break
    hooks.on_train_end()
    return model.history


def start_callbacks(model: Any, callbacks: Any, params: dict[str, Any], count_steps: bool) -> tuple[Any, Any]:
    """Brings the callbacks of a run in order, tells them about it and calls their on_train_begin.

    Args:
        model: the model; gets a new `history`.
        callbacks: list of the user's callbacks, a single one, or None.
        params: what they are told.
        count_steps: whether the progress bar counts steps instead of samples.

    Returns:
        the `CallbackList`, and the model that callbacks see (and whose `stop_training` counts).
    """
    model.history = cbks.History()
    stateful = list(model.stateful_metric_names)
    chain: list[Any] = [cbks.BaseLogger(stateful_metrics=stateful)]
    if params["verbose"]:
        chain.append(cbks.ProgbarLogger("steps" if count_steps else "samples", stateful_metrics=stateful))
    chain += _listed(callbacks)
    chain.append(model.history)
    hooks = cbks.CallbackList(chain)
    seen_model = getattr(model, "callback_model", None) or model
    hooks.set_model(seen_model)
    hooks.set_params(params)
    hooks.on_train_begin()
    seen_model.stop_training = False
    return hooks, seen_model


def _listed(callbacks: Any) -> list[Any]:
    if isinstance(callbacks, cbks.Callback):
        return [callbacks]
    found = list(callbacks or ()) if callbacks is None or hasattr(callbacks, "__iter__") else [callbacks]
    for callback in found:
        if isinstance(callback, type) or not hasattr(callback, "set_model"):
            raise TypeError(
                "`callbacks` should be a list of objects of `keras.callbacks.Callback`, such as "
                f"`[EarlyStopping()]`; a function goes into a `LambdaCallback`. Found: {callback!r}"
            )
    return found


@contextlib.contextmanager
def running(enqueuer: Any, workers: int = 1, max_queue_size: int = 10) -> Iterator[Iterator[Any]]:
    """Starts an enqueuer, gives an iterator over its batches, and stops it in the end."""
    try:
        enqueuer.start(workers, max_queue_size)
        yield enqueuer.get()
    except BaseException:
        enqueuer.stop(timeout=0.2)  # do not keep the user waiting for the message
        raise
    enqueuer.stop()


def _whole(ins: Arrays, steps: int | None) -> contextlib.nullcontext[Iterator[tuple[Arrays, int]]]:
    """Gives all data once per step, as one batch that counts 1."""
    return contextlib.nullcontext(iter([(ins, 1)] * (steps or 0)))


class _Rows:
    """Cuts arrays into batches, in an order that changes from epoch to epoch."""

    def __init__(self, ins: Arrays, samples: int, batch_size: int | None, shuffle: Any = False) -> None:
        self.batch_size = batch_size or 32
        self.shuffle = shuffle
        self.samples = samples
        # the learning phase is a number at the end, not rows
        self.tail = ins[-1:] if ins and isinstance(ins[-1], (int, float)) else []
        self.arrays = ins[: len(ins) - len(self.tail)]
        self.batches = make_batches(samples, self.batch_size)
        # rows in a random order are gathered, and a file's cannot be (`_gather` says so); one batch is not
        # worth the look at the file
        views = len(self.batches) > 1 and (not shuffle or shuffle == "batch")
        self.mapped = mapped_rows(self.arrays) if views else None
        self.group = self._read_together()
        self.order = np.arange(samples) if shuffle else None

    def _read_together(self) -> int:
        """Returns how many batches a thread should prepare at a time beside the computation; 0: none.

        Handing batches from thread to thread has a price, which small ones share.
        """
        arrays = [x for x in self.arrays if x is not None and getattr(x, "strides", None) != (0,)]
        in_memory = all(type(x) is np.ndarray for x in arrays)
        if in_memory and not self.shuffle:
            return 0  # views
        row = sum(int(np.prod(x.shape[1:])) * np.dtype(x.dtype).itemsize for x in arrays)
        size = max(1, row * self.batch_size)
        if in_memory and size < _LARGE_BATCH:
            return 0
        return min(_MOST_TOGETHER, max(1, _LARGE_BATCH // size))

    @contextlib.contextmanager
    def epoch(self) -> Iterator[Iterator[tuple[Arrays, int]]]:
        """Gives an iterator over (inputs of the function, number of rows) for each batch of a new epoch."""
        places: Iterator[Any] = iter(self.batches)
        if self.order is not None:
            places = self._new_order(self.order)
        sizes = [stop - start for start, stop in self.batches]
        if self.mapped is not None:
            ranges = list(places)
            with self.mapped.lease() as lease:
                if lease.held() and all(len(place) == 2 for place in ranges):
                    yield zip(self._from_pages(self.mapped, lease, ranges), sizes)
                    return
            self.mapped.check()
            places = iter(ranges)
        sized = zip((self.taken(*place) for place in places), sizes)
        if not self.group or len(self.batches) < 2:
            yield sized
            return
        from ..utils.data_utils import GeneratorEnqueuer  # not before it is needed

        groups = iter(lambda: list(itertools.islice(sized, self.group)), [])
        with running(GeneratorEnqueuer(groups), max_queue_size=2) as ahead:
            yield itertools.chain.from_iterable(ahead)

    def _new_order(self, order: np.ndarray) -> Iterator[Any]:
        """Shuffles `order` in place, at once; gives for each batch (first, last + 1) or (rows,)."""
        if self.shuffle == "batch":
            order[:] = batch_shuffle(order, self.batch_size)
        else:
            np.random.shuffle(order)
        return map(self._place, self.batches)

    def _place(self, batch: tuple[int, int]) -> Any:
        start, stop = batch
        rows = self.order[start:stop]  # type: ignore[index]
        if self.shuffle == "batch" and rows[-1] - rows[0] == stop - start - 1:  # neighbours: a view will do
            return int(rows[0]), int(rows[-1]) + 1
        return (rows,)

    def _from_pages(self, mapped: Any, lease: Any, ranges: list[Any]) -> Iterator[Arrays]:
        """Gives the batches without copying them; through h5py from when the lease is asked back."""
        read_ahead = mapped.reader(ranges)
        for index, place in enumerate(ranges):
            read_ahead(index)
            if lease.held():
                yield slice_arrays(mapped.arrays, *place) + self.tail
            else:
                batch = self.taken(*place)
                mapped.check()
                yield batch

    def taken(self, start: Any, stop: int | None = None) -> Arrays:
        """Returns the inputs of the function for some rows, given as to `slice_arrays`."""
        return slice_arrays(self.arrays, start, stop) + self.tail


def predict_loop(
    model: Any,
    f: Any,
    ins: Arrays,
    batch_size: int | None = 32,
    verbose: int = 0,
    steps: int | None = None,
) -> Any:
    """Computes the outputs for all rows.

    Args:
        model: the model.
        f: prediction function.
        ins: the data, as in `fit_loop`.
        batch_size: rows per batch.
        verbose: 1 shows a progress bar.
        steps: calls of `f` on all data, instead of batches.

    Returns:
        array, or list of arrays if there are several outputs.
    """
    samples = check_num_samples(ins, None if steps is not None else batch_size, steps, "steps")
    bar = Progbar(target=steps if samples is None else samples) if verbose == 1 else None
    if samples is None:
        parts: list[Any] = []
        for step in range(steps or 0):
            parts.append(f(ins))
            if bar is not None:
                bar.update(step + 1)
        columns = zip(*parts)
        return unpack_singleton([p[0] if len(p) == 1 else np.concatenate(p, axis=0) for p in columns])

    outs: list[Any] = []
    seen = 0
    rows = _Rows(ins, samples, batch_size)
    if len(rows.batches) == 1 and bar is None:  # the usual case of a program that answers requests
        return unpack_singleton(f(rows.taken(0, samples)))
    with rows.epoch() as batches:
        for batch, size in batches:
            results = f(batch)
            if size == samples:
                outs = results
            else:
                if not outs:
                    outs = [np.empty((samples, *r.shape[1:]), dtype=r.dtype) for r in results]
                for out, result in zip(outs, results):
                    out[seen : seen + size] = result
            seen += size
            if bar is not None:
                bar.update(seen)
    if not outs:  # no rows at all
        outs = [np.zeros((0, *(n or 0 for n in x.shape[1:])), dtype=x.dtype) for x in model.outputs]
    return unpack_singleton(outs)


def test_loop(
    model: Any,
    f: Any,
    ins: Arrays,
    batch_size: int | None = None,
    verbose: int = 0,
    steps: int | None = None,
) -> Any:
    """Averages loss and metrics over all rows.

    Args:
        model: the model.
        f: test function.
        ins: the data, as in `fit_loop`.
        batch_size: rows per batch.
        verbose: 1 shows a progress bar.
        steps: calls of `f` on all data, instead of batches.

    Returns:
        number, or list of numbers in the order of `model.metrics_names`.
    """
    for metric in model.stateful_metric_functions:
        metric.reset_states()
    stateful = {i for i, name in enumerate(model.metrics_names) if name in model.stateful_metric_names}
    samples = check_num_samples(ins, batch_size, steps, "steps")
    bar = Progbar(target=steps if samples is None else samples) if verbose == 1 else None
    totals: list[Any] = []
    seen = 0
    with _Rows(ins, samples, batch_size).epoch() if samples is not None else _whole(ins, steps) as batches:
        for batch, size in batches:
            results = f(batch)
            if not totals:
                totals = [np.float64(0.0)] * len(results)
            for i, value in enumerate(results):
                totals[i] = value if i in stateful else totals[i] + np.float64(value) * size
            seen += size
            if bar is not None:
                bar.update(seen)
    outs = [value if i in stateful else value / seen for i, value in enumerate(totals)]
    # plain numbers: they end up in logs, which people print and write as JSON
    return unpack_singleton([float(value) if np.ndim(value) == 0 else value for value in outs])
