"""Models that can be trained.

Source: the public behaviour of keras/engine/training.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from .. import backend as K
from .. import optimizers
from ..utils.generic_utils import to_list, unpack_singleton
from . import base_layer, compile_utils, training_arrays
from . import training_utils as checks
from .network import Network, unique

# the attributes that `compile` and the `_make_…_function` methods set
TRAINING_STATE = (
    "_collected_trainable_weights",
    "_deferred_compile",
    "_fast_predict",
    "_fast_train",
    "_feed_loss_fns",
    "_feed_output_names",
    "_feed_output_shapes",
    "_feed_outputs",
    "_feed_sample_weight_modes",
    "_feed_sample_weights",
    "_feed_targets",
    "_function_kwargs",
    "_is_compiled",
    "_per_output_losses",
    "_trainable_seen",
    "loss",
    "loss_functions",
    "loss_weights",
    "loss_weights_list",
    "metrics",
    "metrics_names",
    "metrics_tensors",
    "metrics_updates",
    "optimizer",
    "predict_function",
    "sample_weight_mode",
    "sample_weight_modes",
    "sample_weights",
    "stateful_metric_functions",
    "stateful_metric_names",
    "targets",
    "test_function",
    "total_loss",
    "train_function",
    "weighted_metrics",
)


class Model(Network):
    """A graph of layers with training, evaluation and prediction.

    Args:
        inputs: tensor or list of tensors that `Input` returned.
        outputs: tensor or list of tensors computed from them.
        name: unique name; made from the class name if missing.

    A subclass may instead take no tensors, assign layers to attributes in its constructor and override `call`.

    Example:
        >>> x = Input((16,))
        >>> model = Model(x, Dense(1)(x))
        >>> model.compile('sgd', 'mse')
        >>> history = model.fit(np.ones((8, 16)), np.ones(8), verbose=0)
    """

    stop_training = False
    history: Any = None
    callback_model: Any = None
    optimizer: Any = None
    loss: Any = None
    total_loss: Any = None
    train_function: Any = None
    test_function: Any = None
    predict_function: Any = None
    _is_compiled = False
    _deferred_compile: Any = None
    _collected_trainable_weights: Any = None
    _fast_train: Any = None
    _fast_predict: Any = None
    _trainable_seen = -1
    metrics_names: list[str] = ["loss"]
    stateful_metric_names: list[str] = []
    stateful_metric_functions: list[Any] = []

    # -------------------------------------------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: Any,
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        **kwargs: Any,
    ) -> None:
        """Sets what to minimise and how.

        Args:
            optimizer: name or object.
            loss: name or function; list or dict by output name for several outputs; None if `add_loss` gives one.
            metrics: names or functions to report; dict by output name for several outputs.
            loss_weights: factors of the outputs' losses, list or dict.
            sample_weight_mode: 'temporal' for weights per time step; list or dict for several outputs.
            weighted_metrics: metrics that take the sample weights into account.
            target_tensors: tensors to use as targets instead of data.
            **kwargs: for `K.function`.

        Raises:
            ValueError: unknown names, wrong numbers of entries, or no loss at all.
        """
        optimizer = optimizers.get(optimizer)
        arguments = (loss, loss_weights, sample_weight_mode, target_tensors, metrics, weighted_metrics)
        if not self.built or self.outputs is None:
            self._deferred_compile = (optimizer, arguments, kwargs)
        else:
            self._prepare_training(*arguments)
        # from here on nothing fails: a compile that does leaves the model as it was
        self.optimizer = optimizer
        self.loss = loss if loss is not None else []
        self.metrics = metrics if metrics is not None else []
        self.loss_weights = loss_weights
        self.sample_weight_mode = sample_weight_mode
        self.weighted_metrics = weighted_metrics
        self._function_kwargs = kwargs
        self.train_function = self.test_function = self.predict_function = None
        self._fast_train = self._fast_predict = None
        self._is_compiled = True

    def _finish_compile(self) -> None:
        """Does what `compile` could not do before the model was built."""
        if self._deferred_compile is not None:
            _, arguments, _ = self._deferred_compile
            self._prepare_training(*arguments)
            self._deferred_compile = None

    def _prepare_training(
        self,
        loss: Any,
        loss_weights: Any,
        sample_weight_mode: Any,
        target_tensors: Any,
        metrics: Any,
        weighted_metrics: Any,
    ) -> None:
        """Builds loss and metrics, and notes what has to be fed."""
        assert self.outputs is not None
        names = self.output_names
        shapes = [K.int_shape(x) for x in self.outputs]
        loss_fns = compile_utils.loss_functions(loss, names)
        skipped = {i for i, fn in enumerate(loss_fns) if fn is None}
        factors = compile_utils.loss_weights_by_output(loss_weights, names)
        modes = compile_utils.sample_weight_modes_by_output(sample_weight_mode, names, skipped)
        targets, unfed = compile_utils.target_placeholders(target_tensors, self, skipped)
        weights = [
            None
            if i in skipped or i in unfed
            else K.placeholder(ndim=2 if modes[i] else 1, name=name + "_sample_weights")
            for i, name in enumerate(names)
        ]
        masks = self._output_masks()

        state: dict[str, Any] = {"metrics_names": ["loss"], "metrics_tensors": []}
        total: Any = None
        per_output: list[Any] = []
        for i, (name, fn, output) in enumerate(zip(names, loss_fns, self.outputs)):
            if i in skipped:
                continue
            with K.name_scope(name + "_loss"):
                objective = compile_utils.weighted_masked_objective(fn)
                value = objective(targets[i], output, weights[i], masks[i])
            per_output.append(value)
            if len(names) > 1:
                state["metrics_names"].append(name + "_loss")
                state["metrics_tensors"].append(value)
            term = value if factors[i] == 1.0 else value * factors[i]
            total = term if total is None else total + term
        layer_losses = self.losses
        if total is None and not layer_losses:
            raise ValueError("The model cannot be compiled because it has no loss to optimize.")
        for term in layer_losses:
            total = term if total is None else total + term

        self._add_metrics(state, metrics, weighted_metrics, (loss_fns, targets, weights, masks, shapes))
        trained = [i for i in range(len(names)) if i not in skipped]
        fed = [i for i in trained if i not in unfed]
        self.__dict__.update(state)
        self.total_loss = total
        self._per_output_losses = per_output
        self.loss_functions = loss_fns
        self.loss_weights_list = factors
        self.sample_weight_modes = modes
        self.sample_weights = weights
        self.targets = targets
        self._feed_outputs = [self.outputs[i] for i in trained]
        self._feed_output_names = [names[i] for i in fed]
        self._feed_output_shapes = [compile_utils.expected_target_shape(loss_fns[i], shapes[i]) for i in fed]
        self._feed_loss_fns = [loss_fns[i] for i in fed]
        self._feed_targets = [targets[i] for i in fed]
        self._feed_sample_weights = [weights[i] for i in fed]
        self._feed_sample_weight_modes = [modes[i] for i in fed]
        self._collected_trainable_weights = unique(self.trainable_weights)

    def _add_metrics(self, state: dict[str, Any], metrics: Any, weighted: Any, tensors: Any) -> None:
        assert self.outputs is not None
        loss_fns, targets, weights, masks, shapes = tensors
        names = self.output_names
        plain = compile_utils.metrics_by_output(metrics, names)
        with_weights = compile_utils.metrics_by_output(weighted, names)
        state.update(metrics_updates=[], stateful_metric_names=[], stateful_metric_functions=[])
        for i, output_name in enumerate(names):
            if loss_fns[i] is None:
                continue
            todo = [(m, None, "") for m in plain[i]] + [(m, weights[i], "weighted_") for m in with_weights[i]]
            for metric, weight, prefix in todo:
                fn, name = compile_utils.metric_function(metric, shapes[i], loss_fns[i])
                name = prefix + name
                objective = compile_utils.weighted_masked_objective(fn)
                with K.name_scope(name.strip("<>")):
                    value = objective(targets[i], self.outputs[i], weight, masks[i])
                if len(names) > 1:
                    name = f"{output_name}_{name}"
                base, n = name, 0
                while name in state["metrics_names"]:
                    n += 1
                    name = f"{base}_{n}"
                state["metrics_names"].append(name)
                state["metrics_tensors"].append(value)
                if compile_utils.is_stateful_metric(fn):
                    state["stateful_metric_names"].append(name)
                    state["stateful_metric_functions"].append(fn)
                    state["metrics_updates"] += fn.updates

    def _output_masks(self) -> list[Any]:
        assert self.outputs is not None
        if not self._is_graph_network:
            return [None] * len(self.outputs)
        return to_list(self._inbound_nodes[0].output_masks)

    # ------------------------------------------------------------------------------------------------ functions

    @property
    def _uses_learning_phase(self) -> bool:
        return self.uses_learning_phase

    def _check_trainable_weights_consistency(self) -> None:
        """Warns if `trainable` flags have changed since `compile`."""
        if self._collected_trainable_weights is None:
            return
        if len(unique(self.trainable_weights)) != len(self._collected_trainable_weights):
            warnings.warn(
                "Discrepancy between trainable weights and collected trainable weights, did you set "
                "`model.trainable` without calling `model.compile` after ?",
                stacklevel=4,
            )

    def _require_compiled(self) -> None:
        if not self._is_compiled:
            if type(self).__name__ == "Sequential":
                raise RuntimeError(
                    "The model needs to be compiled before being used. You must compile a model before "
                    "training/testing. Use `model.compile(optimizer, loss)`."
                )
            raise RuntimeError(
                "You must compile a model before training/testing. Use `model.compile(optimizer, loss)`."
            )

    def _phase_inputs(self, *outputs: Any) -> list[Any]:
        phase = K.learning_phase()
        if isinstance(phase, int) or not any(getattr(x, "_uses_learning_phase", False) for x in outputs):
            return []
        return [phase]

    def _make_train_function(self) -> None:
        """Builds `train_function`: (inputs, targets, weights[, phase]) → loss and metrics, with all updates."""
        if not self._is_compiled:
            raise RuntimeError("You must compile your model before using it.")
        self._finish_compile()
        self._check_trainable_weights_consistency()
        self._trainable_seen = base_layer.trainable_changes()
        if self.train_function is not None:
            return
        with K.name_scope("training"), K.name_scope(type(self.optimizer).__name__):
            steps = self.optimizer.get_updates(params=self._collected_trainable_weights, loss=self.total_loss)
        updates = [*self.updates, *steps, *self.metrics_updates]
        outputs = [self.total_loss, *self.metrics_tensors]
        phase = self._phase_inputs(*outputs, *(u[1] for u in map(tuple, updates)))
        function = K.function(
            self._feed_inputs + self._feed_targets + self._feed_sample_weights + phase,
            outputs,
            updates=updates,
            name="train_function",
            **self._function_kwargs,
        )
        # a model that was loaded goes on drawing its random numbers where it stopped
        iterations = getattr(self.optimizer, "iterations", None)
        if iterations is not None:
            function.step = int(K.get_value(iterations))
        self.train_function = function
        self._fast_train = self._fast_training_inputs()

    def _make_test_function(self) -> None:
        """Builds `test_function`: (inputs, targets, weights[, phase]) → loss and metrics."""
        if not self._is_compiled:
            raise RuntimeError("You must compile your model before using it.")
        self._finish_compile()
        if self.test_function is not None:
            return
        outputs = [self.total_loss, *self.metrics_tensors]
        self.test_function = K.function(
            self._feed_inputs + self._feed_targets + self._feed_sample_weights + self._phase_inputs(*outputs),
            outputs,
            updates=[*self.state_updates, *self.metrics_updates],
            name="test_function",
            **self._function_kwargs,
        )

    def _make_predict_function(self) -> None:
        """Builds `predict_function`: inputs[, phase] → outputs. Call it once before predicting from threads."""
        if self.predict_function is not None:
            return
        self._require_built("its outputs")
        function = K.function(
            self._feed_inputs + self._phase_inputs(*(self.outputs or ())),
            self.outputs,
            updates=self.state_updates,
            name="predict_function",
            **self.__dict__.get("_function_kwargs", {}),
        )
        self._fast_predict = self._fast_prediction_input(function)
        self.predict_function = function

    def _fast_prediction_input(self, function: Any) -> Any:
        """Returns what `predict_on_batch` compares to skip the checks, None if they are needed."""
        if len(self._feed_inputs) != 1 or self.stateful:
            return None
        shape = self._feed_input_shapes[0]
        if len(shape) < 2 or shape[0] is not None or None in shape[1:]:
            return None
        phase = len(function.inputs) > 1
        single = len(self.outputs or ()) == 1
        return function, np.dtype(K.dtype(self._feed_inputs[0])), tuple(shape[1:]), phase, single

    def _fast_training_inputs(self) -> Any:
        """Returns what `train_on_batch` compares to skip the checks, None if they are needed."""
        if len(self._feed_inputs) != 1 or len(self._feed_targets) != 1 or self.stateful:
            return None
        if self._feed_sample_weight_modes != [None]:
            return None
        x, y = self._feed_input_shapes[0], self._feed_output_shapes[0]
        if len(x) < 2 or x[0] is not None or None in x[1:] or y is None or len(y) < 2 or None in y[1:]:
            return None
        if self._feed_loss_fns[0] is compile_utils.losses.categorical_crossentropy and y[-1] == 1:
            return None
        dtypes = [np.dtype(K.dtype(t)) for t in (self._feed_inputs[0], self._feed_targets[0])]
        phase = len(self.train_function.inputs) > 3
        return dtypes[0], tuple(x[1:]), dtypes[1], tuple(y[1:]), phase

    # ----------------------------------------------------------------------------------------------- user data

    def _set_inputs(self, inputs: Any) -> None:
        """Builds a model that is defined by its `call` method for the first data that it sees (list of arrays)."""
        from .input_layer import Input

        tensors = [
            Input((*np.shape(x)[1:],), dtype=K.floatx(), name=f"input_{i + 1}") for i, x in enumerate(inputs)
        ]
        outputs = to_list(self(unpack_singleton(tensors)), allow_tuple=True)
        self.inputs = self._feed_inputs = tensors
        self.outputs = outputs
        self.input_names = self._feed_input_names = [f"input_{i + 1}" for i in range(len(tensors))]
        self.output_names = [f"output_{i + 1}" for i in range(len(outputs))]
        self._feed_input_shapes = [K.int_shape(x) for x in tensors]
        self._finish_compile()

    def _standardize_inputs(self, x: Any, check_batch_axis: bool) -> list[Any]:
        if self.inputs is None:
            first = list(x.values()) if isinstance(x, dict) else x
            arrays = first if isinstance(first, (list, tuple)) else [first]
            if not arrays or not all(hasattr(a, "shape") for a in arrays):
                arrays = [np.asarray(x)]
            self._set_inputs([np.expand_dims(a, 1) if a.ndim == 1 else a for a in arrays])
        return checks.standardize_input_data(
            x, self._feed_input_names, self._feed_input_shapes, check_batch_axis, "input"
        )

    def _standardize_user_data(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        check_array_lengths: bool = True,
        batch_size: int | None = None,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Checks the data; returns lists of input, target and weight arrays."""
        self._require_compiled()
        xs = self._standardize_inputs(x, check_batch_axis=False)
        self._finish_compile()
        ys = checks.standardize_input_data(
            y, self._feed_output_names, self._without_batch(self._feed_output_shapes), False, "target"
        )
        for name, target in zip(self._feed_output_names, ys):
            if target is None:
                raise ValueError(f'No data provided for "{name}": the loss of this output needs targets.')
        sample_weights = checks.weights_by_output(sample_weight, self._feed_output_names, "sample_weight")
        class_weights = checks.weights_by_output(class_weight, self._feed_output_names, "class_weight")
        weights = [
            checks.standardize_weights(target, sw, cw, mode)
            for target, sw, cw, mode in zip(ys, sample_weights, class_weights, self._feed_sample_weight_modes)
        ]
        if check_array_lengths:
            checks.check_array_lengths(xs, ys, weights)
        checks.check_loss_and_target_compatibility(ys, self._feed_loss_fns, self._feed_output_shapes)
        if self.stateful and batch_size and xs and xs[0].shape[0] % batch_size:
            raise ValueError(
                f"In a stateful network, you should only pass inputs with a number of samples that can be "
                f"divided by the batch size. Found: {xs[0].shape[0]} samples"
            )
        return xs, ys, weights

    @staticmethod
    def _without_batch(shapes: list[Any]) -> list[Any]:
        return [None if shape is None else (None, *shape[1:]) for shape in shapes]

    def _with_phase(self, function: Any, ins: list[Any], phase: int) -> list[Any]:
        # by the function's arity: the learning phase may have been fixed since it was made
        return [*ins, float(phase)] if len(function.inputs) > len(ins) else ins

    # ------------------------------------------------------------------------------------------ fit and friends

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
            callbacks: list of `Callback`.
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
        if validation_data:
            if len(validation_data) not in (2, 3):
                raise ValueError(
                    f"When passing validation_data, it must contain 2 (x_val, y_val) or 3 (x_val, y_val, "
                    f"val_sample_weights) items, however it contains {len(validation_data)} items"
                )
            val_x, val_y, *val_weight = validation_data
            parts = self._standardize_user_data(val_x, val_y, *val_weight, batch_size=batch_size)
            val_ins = [array for part in parts for array in part]
        elif validation_split and 0.0 < validation_split < 1.0:
            if not ins:
                raise ValueError("`validation_split` needs data that is fed as arrays.")
            samples = int(ins[0].shape[0])
            split_at = int(samples * (1.0 - validation_split))
            val_ins = [array[split_at:] for array in ins]
            ins = [array[:split_at] for array in ins]
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
                    f"In a stateful network, you should only pass inputs with a number of samples that can be "
                    f"divided by the batch size. Found: {xs[0].shape[0]} samples. Batch size: {batch_size}."
                )
        checks.check_array_lengths(xs, [], [])
        self._make_predict_function()
        ins = self._with_phase(self.predict_function, xs, 0)
        return training_arrays.predict_loop(self, self.predict_function, ins, batch_size, verbose, steps)

    # ------------------------------------------------------------------------------------------------- one batch

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
        fast = self._fast_train
        if fast is not None and sample_weight is None and class_weight is None:
            x_type, x_shape, y_type, y_shape, phase = fast
            if (
                type(x) is np.ndarray is type(y)
                and x.dtype is x_type
                and y.dtype is y_type
                and x.shape[1:] == x_shape
                and y.shape[1:] == y_shape
                and len(x) == len(y)
                and self.train_function is not None
                and self._trainable_seen == base_layer.trainable_changes()
            ):
                ones = checks.unit_weights(len(x))
                outs = self.train_function([x, y, ones, 1.0] if phase else [x, y, ones])
                return outs[0] if len(outs) == 1 else outs
        xs, ys, weights = self._standardize_user_data(x, y, sample_weight, class_weight)
        self._make_train_function()
        ins = checks.slice_arrays(xs + ys + weights, 0, _length(xs + ys))
        return unpack_singleton(self.train_function(self._with_phase(self.train_function, ins, 1)))

    def test_on_batch(self, x: Any, y: Any, sample_weight: Any = None) -> Any:
        """Computes loss and metrics of one batch in the test phase.

        Args:
            x: inputs of one batch, as in `fit`.
            y: targets.
            sample_weight: weights in the loss.

        Returns:
            the loss; or a list in the order of `metrics_names`.
        """
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
            if x.dtype is dtype and x.shape[1:] == shape and function is self.predict_function:
                outs = function([x, 0] if phase else [x])
                return outs[0] if single else outs
        xs = self._standardize_inputs(x, check_batch_axis=True)
        self._make_predict_function()
        return unpack_singleton(self.predict_function(self._with_phase(self.predict_function, xs, 0)))


def _length(arrays: list[Any]) -> int:
    """Returns the number of rows of the first array; 0 if nothing is fed."""
    return int(arrays[0].shape[0]) if arrays else 0


# names that scripts import from here
_make_batches = checks.make_batches
_slice_arrays = checks.slice_arrays
_standardize_input_data = checks.standardize_input_data
_weighted_masked_objective = compile_utils.weighted_masked_objective
