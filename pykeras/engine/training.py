"""Models that can be trained.

Source: the public behaviour of keras/engine/training.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from ..utils.generic_utils import unpack_singleton
from ..utils.keras1_calls import legacy_generator_methods_support
from ..utils.namespaces import held_by
from . import base_layer, compile_utils, pickling, training_arrays, training_generator
from . import training_utils as checks
from .compiled import CompiledNetwork


class Model(CompiledNetwork):
    """A graph of layers with training, evaluation and prediction.

    Args:
        inputs: tensor or list of tensors that `Input` returned.
        outputs: tensor or list of tensors computed from them.
        name: unique name; made from the class name if missing.

    A subclass may instead take no tensors, assign layers to attributes in its constructor and override
    `call`.

    Example:
        >>> x = Input((16,))
        >>> model = Model(x, Dense(1)(x))
        >>> model.compile('sgd', 'mse')
        >>> history = model.fit(np.ones((8, 16)), np.ones(8), verbose=0)
    """

    # ------------------------------------------------------------------------------ fit and friends

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: Any = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Trains on arrays.

        Args:
            x: inputs: array, list of arrays, or dict by input name; first axis samples.
            y: targets: the same by output.
            batch_size: samples per step, 32 if None.
            epochs: number of the epoch at which to stop.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch.
            callbacks: list of `Callback`, or a single one.
            validation_split: share of the samples, taken from the end, to validate on.
            validation_data: (x, y) or (x, y, sample_weight) to validate on.
            shuffle: new order of samples in each epoch; 'batch' keeps neighbours together (for HDF5 data).
            class_weight: dict class → weight in the loss.
            sample_weight: weights in the loss, (samples,) or, in the temporal mode, (samples, steps).
            initial_epoch: number of the first epoch.
            steps_per_epoch: steps per epoch, for inputs that are not fed.
            validation_steps: the same for the validation.

        Returns:
            `History`; its `history` maps names of loss and metrics to lists, one value per epoch.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: the data does not fit the model.
        """
        if batch_size is None and steps_per_epoch is None:
            batch_size = 32
        if "nb_epoch" in kwargs:
            warnings.warn("The `nb_epoch` argument in `fit` has been renamed `epochs`.", stacklevel=2)
            epochs = kwargs.pop("nb_epoch")
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self._require_compiled()
        if x is None and y is None and steps_per_epoch is None:
            raise ValueError(
                "If fitting from data tensors, you should specify the `steps_per_epoch` argument."
            )
        xs, ys, weights = self._standardize_user_data(
            x, y, sample_weight, class_weight, batch_size=batch_size
        )
        ins = xs + ys + weights
        val_ins: list[Any] | None = None
        val_data = checks.validation_parts(validation_data)
        if val_data is not None:
            parts = self._standardize_user_data(*val_data, batch_size=batch_size)
            val_ins = [array for part in parts for array in part]
        elif validation_split and 0.0 < validation_split < 1.0:
            if not ins:
                raise ValueError("`validation_split` needs data that is fed as arrays.")
            samples = int(ins[0].shape[0])
            split_at = int(samples * (1.0 - validation_split))
            val_ins = [checks.row_range(array, split_at, samples) for array in ins]
            ins = [checks.row_range(array, 0, split_at) for array in ins]
        elif validation_steps:
            val_ins = []

        self._make_train_function()
        ins = self._with_phase(self.train_function, ins, 1)
        metrics = list(self.metrics_names)
        val_f = None
        if val_ins is not None:
            self._make_test_function()
            val_f = self.test_function
            val_ins = self._with_phase(val_f, val_ins, 0)
            metrics += ["val_" + name for name in self.metrics_names]
        return training_arrays.fit_loop(
            self,
            self.train_function,
            ins,
            out_labels=self.metrics_names,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            val_f=val_f,
            val_ins=val_ins,
            shuffle=shuffle,
            callback_metrics=copy.copy(metrics),
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
    ) -> Any:
        """Computes loss and metrics in the test phase.

        Args:
            x: inputs, as in `fit`.
            y: targets, as in `fit`.
            batch_size: samples per step, 32 if None.
            verbose: 1 shows a progress bar.
            sample_weight: weights, as in `fit`.
            steps: number of steps, for inputs that are not fed.

        Returns:
            the loss; or a list in the order of `metrics_names` if there are metrics or several outputs.
        """
        if batch_size is None and steps is None:
            batch_size = 32
        if x is None and y is None and steps is None:
            self._require_compiled()
            raise ValueError("If evaluating from data tensors, you should specify the `steps` argument.")
        xs, ys, weights = self._standardize_user_data(x, y, sample_weight, batch_size=batch_size)
        self._make_test_function()
        ins = self._with_phase(self.test_function, xs + ys + weights, 0)
        return training_arrays.test_loop(self, self.test_function, ins, batch_size, verbose, steps)

    def predict(
        self, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None
    ) -> Any:
        """Computes the outputs for any number of samples. Needs no `compile`.

        Args:
            x: inputs, as in `fit`.
            batch_size: samples per step, 32 if None.
            verbose: 1 shows a progress bar.
            steps: number of steps, for inputs that are not fed.

        Returns:
            array (samples, …), or a list of arrays if there are several outputs.
        """
        if batch_size is None and steps is None:
            batch_size = 32
        if x is None and steps is None:
            raise ValueError("If predicting from data tensors, you should specify the `steps` argument.")
        xs = self._standardize_inputs(x, check_batch_axis=False)
        if self.stateful and batch_size and xs and xs[0].shape[0] > batch_size:
            if xs[0].shape[0] % batch_size:
                raise ValueError(
                    "In a stateful network, you should only pass inputs with a number of samples that "
                    f"can be divided by the batch size. Found: {xs[0].shape[0]} samples. Batch size: "
                    f"{batch_size}."
                )
        checks.check_array_lengths(xs, [], [])
        self._make_predict_function()
        ins = self._with_phase(self.predict_function, xs, 0)
        return training_arrays.predict_loop(self, self.predict_function, ins, batch_size, verbose, steps)

    # ----------------------------------------------------------------------------------- generators

    @legacy_generator_methods_support
    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Trains on batches that a generator or a `Sequence` makes while the model is training.

        Args:
            generator: yields (x, y) or (x, y, sample_weight) for ever; or a `Sequence` of such batches.
            steps_per_epoch: batches per epoch; the length of the `Sequence` if missing.
            epochs: number of the epoch at which to stop.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch.
            callbacks: list of `Callback`, or a single one.
            validation_data: (x, y) or (x, y, sample_weight), a generator, or a `Sequence`.
            validation_steps: batches of the validation generator; the length of the `Sequence` if missing.
            class_weight: dict class → weight in the loss.
            max_queue_size: number of batches that may wait.
            workers: threads (or processes) that make batches; 0 makes them in the caller's thread.
            use_multiprocessing: processes instead of threads. They are spawned: the data must be picklable,
                and a script must do its work below `if __name__ == '__main__':`. Otherwise threads do it,
                and a warning says why.
            shuffle: new order of the batches of a `Sequence` in each epoch.
            initial_epoch: number of the first epoch.

        Returns:
            `History`, as `fit` does.

        Raises:
            ValueError: the number of steps is missing, or the generator yields something else.
            StopIteration: the generator ends too early.

        Example:
            >>> def batches():
            ...     while True:
            ...         x = np.random.rand(8, 16)
            ...         yield x, x.sum(axis=1)
            >>> history = model.fit_generator(batches(), steps_per_epoch=10, epochs=2, verbose=0)
        """
        return training_generator.fit_generator(
            self,
            generator,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            class_weight=class_weight,
            feeding=training_generator.Feeding(max_queue_size, workers, use_multiprocessing),
            shuffle=shuffle,
            initial_epoch=initial_epoch,
        )

    @legacy_generator_methods_support
    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """Computes loss and metrics over batches of a generator or a `Sequence`, in the test phase.

        Args:
            generator: as in `fit_generator`.
            steps: number of batches; the length of the `Sequence` if missing.
            max_queue_size, workers, use_multiprocessing: as in `fit_generator`.
            verbose: 1 shows a progress bar.

        Returns:
            the loss, or a list in the order of `metrics_names`: means over the batches, weighted by size.
        """
        feeding = training_generator.Feeding(max_queue_size, workers, use_multiprocessing)
        return training_generator.evaluate_generator(self, generator, steps, feeding, verbose)

    @legacy_generator_methods_support
    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
    ) -> Any:
        """Computes the outputs for batches of a generator or a `Sequence`.

        Args:
            generator: yields x, (x, y) or (x, y, sample_weight); or a `Sequence` of such batches.
            steps: number of batches; the length of the `Sequence` if missing.
            max_queue_size, workers, use_multiprocessing: as in `fit_generator`.
            verbose: 1 shows a progress bar.

        Returns:
            array (samples, …), or a list of arrays if there are several outputs.
        """
        feeding = training_generator.Feeding(max_queue_size, workers, use_multiprocessing)
        return training_generator.predict_generator(self, generator, steps, feeding, verbose)

    # ------------------------------------------------------------------------------------ one batch

    def train_on_batch(self, x: Any, y: Any, sample_weight: Any = None, class_weight: Any = None) -> Any:
        """Makes one training step.

        Args:
            x: inputs of one batch, as in `fit`.
            y: targets.
            sample_weight: weights in the loss.
            class_weight: dict class → weight.

        Returns:
            the loss before the step; or a list in the order of `metrics_names`.
        """
        if sample_weight is None and class_weight is None and self.train_function is not None:
            ins = self._ready_batch(x, y)
            if ins is not None and self._trainable_seen == base_layer.trainable_changes():
                outs = self.train_function([*ins, 1.0] if self._fast_train[4] else ins)
                return outs[0] if len(outs) == 1 else outs
        xs, ys, weights = self._standardize_user_data(x, y, sample_weight, class_weight)
        self._make_train_function()
        ins = checks.slice_arrays(xs + ys + weights, 0, _length(xs + ys))
        return unpack_singleton(self.train_function(self._with_phase(self.train_function, ins, 1)))

    def _ready_batch(self, x: Any, y: Any) -> list[Any] | None:
        """Returns the inputs of a function if x and y need neither checks nor conversion, otherwise None."""
        fast = self._fast_train
        if fast is None or not type(x) is np.ndarray is type(y):
            return None
        x_type, x_shape, y_type, y_shape, _ = fast
        if x.dtype != x_type or y.dtype != y_type or x.shape[1:] != x_shape or y.shape[1:] != y_shape:
            return None
        n = len(x)
        return [x, y, checks.unit_weights(n)] if len(y) == n else None

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Computes loss and metrics of one batch in the test phase.

        Args:
            x: inputs of one batch, as in `fit`.
            y: targets.
            sample_weight: weights in the loss.

        Returns:
            the loss; or a list in the order of `metrics_names`.
        """
        if sample_weight is None and self.test_function is not None:
            ready = self._ready_batch(x, y)
            if ready is not None:
                return unpack_singleton(self.test_function(self._with_phase(self.test_function, ready, 0)))
        xs, ys, weights = self._standardize_user_data(x, y, sample_weight)
        self._make_test_function()
        ins = checks.slice_arrays(xs + ys + weights, 0, _length(xs + ys))
        return unpack_singleton(self.test_function(self._with_phase(self.test_function, ins, 0)))

    def predict_on_batch(self, x: Any) -> Any:
        """Computes the outputs for one batch.

        Args:
            x: inputs of one batch, as in `fit`.

        Returns:
            array, or a list of arrays if there are several outputs.
        """
        fast = self._fast_predict
        if fast is not None and type(x) is np.ndarray:
            function, dtype, shape, phase, single = fast
            if x.dtype == dtype and x.shape[1:] == shape and function is self.predict_function:
                outs = function([x, 0] if phase else [x])
                return outs[0] if single else outs
        xs = self._standardize_inputs(x, check_batch_axis=True)
        self._make_predict_function()
        return unpack_singleton(self.predict_function(self._with_phase(self.predict_function, xs, 0)))

    # --------------------------------------------------------------------------------------------- copies

    def __reduce__(self) -> Any:
        return pickling.from_bytes, (pickling.to_bytes(self),)


def _length(arrays: list[Any]) -> int:
    """Returns the number of rows of the first array; 0 if nothing is fed."""
    return int(arrays[0].shape[0]) if arrays else 0


# names that scripts import from here
_make_batches = checks.make_batches
_slice_arrays = checks.slice_arrays
_standardize_input_data = checks.standardize_input_data
_weighted_masked_objective = compile_utils.weighted_masked_objective


# What scripts also import from here.
__getattr__ = held_by(__name__)
