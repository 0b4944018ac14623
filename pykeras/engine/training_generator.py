"""The loops over generators and Sequences: fit, evaluate, predict.

Source: the public behaviour of keras/engine/training.py (2.1.6), engine/training_generator.py (2.2.4).
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..utils._sequence import is_sequence
from ..utils._warn import warn
from ..utils.generic_utils import Progbar, to_list, unpack_singleton
from .training_arrays import running, start_callbacks, test_loop


@dataclass
class Feeding:
    """How batches are made: how many may wait, by how many workers, threads or processes."""

    max_queue_size: int = 10
    workers: int = 1
    use_multiprocessing: bool = False


def fit_generator(
    model: Any,
    generator: Any,
    steps_per_epoch: int | None,
    epochs: int,
    verbose: int,
    callbacks: Any,
    validation_data: Any,
    validation_steps: int | None,
    class_weight: Any,
    feeding: Feeding,
    shuffle: bool,
    initial_epoch: int,
) -> Any:
    """Trains for several epochs; the arguments are those of `Model.fit_generator`.

    Returns:
        the `History` callback.
    """
    model._require_compiled()
    steps = _number_of_steps(generator, steps_per_epoch, "steps_per_epoch")
    generator = _built(model, generator)
    validation = _Validation(model, validation_data, validation_steps, feeding)
    labels = list(model.metrics_names)
    runs = max(0, epochs - initial_epoch)

    hooks, seen_model = start_callbacks(
        model,
        callbacks,
        {
            "epochs": epochs,
            "steps": steps,
            "verbose": verbose,
            "do_validation": validation.wanted,
            "metrics": labels + ["val_" + name for name in labels] * validation.wanted,
        },
        count_steps=True,
    )
    if validation.arrays is not None:
        for callback in hooks:
            callback.validation_data = validation.arrays
    # Only now are the first batches drawn: a generator may be a callback that prepares itself when training
    # begins.
    with contextlib.ExitStack() as stack:
        batches = stack.enter_context(_feed(generator, steps * runs, feeding, shuffle))
        stack.enter_context(validation.started(runs))
        for epoch in range(initial_epoch, epochs):
            for metric in model.stateful_metric_functions:
                metric.reset_states()
            hooks.on_epoch_begin(epoch)
            epoch_logs: dict[str, Any] = {}
            for index in range(steps):
                x, y, weights = _unpacked(_next(batches, index, steps, "steps_per_epoch", epochs=runs))
                size = _batch_size(x)
                logs: dict[str, Any] = {"batch": index, "size": size}
                hooks.on_batch_begin(index, logs)
                values = model.train_on_batch(x, y, sample_weight=weights, class_weight=class_weight)
                logs.update(zip(labels, to_list(values)))
                hooks.on_batch_end(index, logs)
                # after the last batch, even if that one asked to stop
                if index == steps - 1 and validation.wanted:
                    values = to_list(validation.run(size))
                    epoch_logs.update(zip(("val_" + name for name in labels), values))
                if seen_model.stop_training:
                    break
            hooks.on_epoch_end(epoch, epoch_logs)
            if seen_model.stop_training:
                break
    hooks.on_train_end()
    return model.history


def evaluate_generator(
    model: Any, generator: Any, steps: int | None, feeding: Feeding, verbose: int = 0
) -> Any:
    """Averages loss and metrics over batches; the arguments are those of `Model.evaluate_generator`."""
    model._require_compiled()
    steps = _number_of_steps(generator, steps, "steps")
    generator = _built(model, generator)
    with _feed(generator, steps, feeding) as batches:
        return _evaluate(model, batches, steps, verbose)


def _evaluate(model: Any, batches: Iterator[Any], steps: int, verbose: int = 0, name: str = "steps") -> Any:
    for metric in model.stateful_metric_functions:
        metric.reset_states()
    bar = Progbar(target=steps) if verbose == 1 else None
    rows, sizes = [], []
    for index in range(steps):
        x, y, weights = _unpacked(_next(batches, index, steps, name))
        size = _batch_size(x)
        rows.append([np.float64(v) for v in to_list(model.test_on_batch(x, y, sample_weight=weights))])
        sizes.append(size)
        if bar is not None:
            bar.update(index + 1)
    outs = []
    for label, values in zip(model.metrics_names, zip(*rows)):
        stateful = label in model.stateful_metric_names
        value = values[-1] if stateful else np.average(np.asarray(values), axis=0, weights=sizes)
        outs.append(float(value) if np.ndim(value) == 0 else value)
    return unpack_singleton(outs)


def predict_generator(
    model: Any, generator: Any, steps: int | None, feeding: Feeding, verbose: int = 0
) -> Any:
    """Computes the outputs for batches; the arguments are those of `Model.predict_generator`."""
    steps = _number_of_steps(generator, steps, "steps")
    generator = _built(model, generator)
    bar = Progbar(target=steps) if verbose == 1 else None
    parts: list[list[Any]] = []
    with _feed(generator, steps, feeding) as batches:
        for index in range(steps):
            batch = _next(batches, index, steps, "steps")
            x = _unpacked(batch)[0] if isinstance(batch, tuple) else batch
            parts.append(to_list(model.predict_on_batch(x)))
            if bar is not None:
                bar.update(index + 1)
    outs = [column[0] if len(column) == 1 else np.concatenate(column) for column in zip(*parts)]
    return unpack_singleton(outs)


class _Validation:
    """What `fit_generator` validates on: arrays, a generator, a Sequence, or nothing."""

    def __init__(self, model: Any, data: Any, steps: int | None, feeding: Feeding) -> None:
        self.model = model
        self.wanted = bool(data is not None and (not hasattr(data, "__len__") or len(data)))
        self.feeding = feeding
        self.source = data if is_sequence(data) or hasattr(data, "__next__") else None
        self.steps = 0
        self.arrays: list[Any] | None = None
        self._batches: Iterator[Any] = iter(())
        if not self.wanted:
            return
        model._make_train_function()
        model._make_test_function()
        if self.source is not None:
            self.steps = _number_of_steps(data, steps, "validation_steps")
            return
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ValueError(
                "`validation_data` should be a tuple `(val_x, val_y, val_sample_weight)` or `(val_x, "
                f"val_y)`. Found: {_shown(data)}"
            )
        xs, ys, weights = model._standardize_user_data(*(*data, None)[:3])
        self.arrays = model._with_phase(model.test_function, xs + ys + weights, 0)

    @contextlib.contextmanager
    def started(self, epochs: int) -> Iterator[None]:
        """Lets the workers of a generator run for all epochs: its batches go on from one to the next."""
        if self.source is None:
            yield
            return
        with _feed(self.source, self.steps * epochs, self.feeding) as self._batches:
            yield

    def run(self, batch_size: int) -> Any:
        """Evaluates once; arrays in batches of `batch_size`."""
        if self.source is not None:
            return _evaluate(self.model, self._batches, self.steps, name="validation_steps")
        return test_loop(self.model, self.model.test_function, self.arrays or [], batch_size)


# ------------------------------------------------------------------------------------------------ batches


def _built(model: Any, generator: Any) -> Any:
    """Builds a model that waits for its first data; returns the generator with nothing lost from it."""
    if model.inputs is not None or not (is_sequence(generator) or hasattr(generator, "__next__")):
        return generator
    first = generator[0] if is_sequence(generator) else next(generator, None)
    x = first[0] if isinstance(first, tuple) else first
    if x is not None:
        model._standardize_inputs(x, check_batch_axis=False)
    return generator if is_sequence(generator) else itertools.chain([first], generator)


@contextlib.contextmanager
def _feed(generator: Any, count: int, feeding: Feeding, shuffle: bool = False) -> Iterator[Iterator[Any]]:
    """Gives an iterator over `count` batches that are made ahead, and stops the workers in the end."""
    whole = is_sequence(generator)
    if not whole and not hasattr(generator, "__next__"):
        raise TypeError(
            f"A generator or a `keras.utils.Sequence` is expected. Found: {_shown(generator)}. For arrays "
            "use `fit`, `evaluate` and `predict`; call a generator function to get its generator."
        )
    if feeding.workers < 1:
        yield _endless(generator, shuffle) if whole else iter(generator)
        return
    from ..utils._worker_process import NotSendable, why_not  # not before they are needed
    from ..utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer

    def started(processes: bool) -> contextlib.AbstractContextManager[Iterator[Any]]:
        enqueuer: Any
        if whole:
            enqueuer = OrderedEnqueuer(generator, processes, shuffle)
        else:
            enqueuer = GeneratorEnqueuer(generator, processes)
        enqueuer.batches_wanted = count
        return running(enqueuer, feeding.workers, feeding.max_queue_size)

    with contextlib.ExitStack() as stack:
        batches = None
        if feeding.use_multiprocessing:
            reason = why_not(generator)
            if reason is None:
                if not whole and feeding.workers > 1:
                    warn(
                        "Using a generator with `use_multiprocessing=True` and multiple workers may "
                        "duplicate your data. Please consider using the `keras.utils.Sequence` class."
                    )
                try:
                    batches = stack.enter_context(started(processes=True))
                except NotSendable as error:
                    reason = str(error)
            if reason is not None:
                # Keras handed data and script down by fork, which is not safe beside threads.
                warn(f"Batches are made in threads, in spite of `use_multiprocessing=True`: {reason}")
        if batches is None:
            batches = stack.enter_context(started(processes=False))
        yield batches


def _endless(sequence: Any, shuffle: bool) -> Iterator[Any]:
    """Yields the batches of a Sequence, pass after pass, in the caller's thread."""
    while True:
        order = np.arange(len(sequence))
        if shuffle:
            np.random.shuffle(order)
        for position, index in enumerate(order.tolist()):
            try:
                batch = sequence[index]
            except StopIteration:  # of an iterator that it reads from; must not leave a generator
                return
            if position == len(order) - 1:
                sequence.on_epoch_end()
            yield batch


def _number_of_steps(generator: Any, steps: int | None, name: str) -> int:
    if steps is not None:
        if steps <= 0:
            raise ValueError(f"`{name}` should be at least 1. Found: {steps}")
        return math.ceil(steps)  # scripts write len(x) / batch_size
    if not is_sequence(generator):
        raise ValueError(
            f"`{name}=None` is only valid for a generator based on the `keras.utils.Sequence` class. Please "
            f"specify `{name}` or use the `keras.utils.Sequence` class."
        )
    if len(generator) < 1:
        raise ValueError(f"{type(generator).__name__} has no batches: its length is 0.")
    return len(generator)


def _next(batches: Iterator[Any], index: int, steps: int, name: str, epochs: int | None = None) -> Any:
    try:
        return next(batches)
    except StopIteration:
        per = " * epochs" if epochs is not None else ""
        count = steps * (epochs or 1)
        raise StopIteration(
            f"The generator ran out of data at batch {index + 1} of {steps}. Make sure that it can generate "
            f"at least `{name}{per}` batches (in this case, {count}): a generator should loop over its data "
            "for ever."
        ) from None


def _unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """Returns (x, y, sample_weight) of what a generator yielded."""
    if isinstance(batch, (tuple, list)) and len(batch) in (2, 3):
        x, y, weights = (*batch, None)[:3]
        return x, y, weights
    raise ValueError(
        "Output of generator should be a tuple `(x, y, sample_weight)` or `(x, y)`. Found: " + _shown(batch)
    )


def _batch_size(x: Any) -> int:
    """Returns the number of samples in a batch."""
    if isinstance(x, dict):
        x = next(iter(x.values()), None)
    elif isinstance(x, (list, tuple)) and x and hasattr(x[0], "shape") and len(x[0].shape):
        x = x[0]
    if x is None:
        return 1
    shape = getattr(x, "shape", None)
    size = int(shape[0]) if shape else len(x)
    if size == 0 and not (isinstance(x, (list, tuple))):  # [] stands for a model without inputs
        raise ValueError("Received an empty batch. Batches should at least contain one item.")
    return size or 1


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else text[:200] + "..."
