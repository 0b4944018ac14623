"""`compile`, the three functions of a model, and the checks of what is fed to them.

Source: the public behaviour of keras/engine/training.py (2.1.6, 2.2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from .. import optimizers
from ..utils._warn import warn
from ..utils.generic_utils import to_list, unpack_singleton
from . import base_layer, compile_utils
from . import training_utils as checks
from .input_layer import Input
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


class CompiledNetwork(Network):
    """A network with a loss, an optimizer and functions; `Model` adds the loops."""

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
    metrics_tensors: list[Any] = []
    metrics_updates: list[Any] = []
    stateful_metric_names: list[str] = []
    stateful_metric_functions: list[Any] = []

    # -------------------------------------------------------------------------------------- compile

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
            loss: name or function; list or dict by output name for several outputs; None if `add_loss`
                gives one.
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
        for i, (name, fn, output) in enumerate(zip(names, loss_fns, self.outputs)):
            if i in skipped:
                continue
            with K.name_scope(name + "_loss"):
                objective = compile_utils.weighted_masked_objective(fn)
                value = objective(targets[i], output, weights[i], masks[i])
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

    # ------------------------------------------------------------------------------------ functions

    @property
    def _uses_learning_phase(self) -> bool:
        return self.uses_learning_phase

    def _uses_dynamic_learning_phase(self) -> bool:
        """Whether the model's functions have the learning phase among their inputs."""
        return self.uses_learning_phase and not isinstance(K.learning_phase(), int)

    def _check_trainable_weights_consistency(self) -> None:
        """Warns if `trainable` flags have changed since `compile`."""
        if self._collected_trainable_weights is None:
            return
        if len(unique(self.trainable_weights)) != len(self._collected_trainable_weights):
            warn(
                "Discrepancy between trainable weights and collected trainable weights, did you set "
                "`model.trainable` without calling `model.compile` after ?",
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
        """Builds `train_function`: (inputs, targets, weights[, phase]) → loss, metrics; with all updates."""
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
        """Builds `predict_function`: inputs[, phase] → outputs. Call it before predicting from threads."""
        if self.predict_function is not None:
            return
        self._require_built("its outputs")
        function = K.function(
            self._feed_inputs + self._phase_inputs(*(self.outputs or ())),
            [K.to_dense(x) for x in self.outputs or ()],
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
        shape: Any = self._feed_input_shapes[0]
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
        x: Any = self._feed_input_shapes[0]
        y: Any = self._feed_output_shapes[0]
        if len(x) < 2 or x[0] is not None or None in x[1:] or y is None or len(y) < 2 or None in y[1:]:
            return None
        if self._feed_loss_fns[0] is compile_utils.losses.categorical_crossentropy and y[-1] == 1:
            return None
        dtypes = [np.dtype(K.dtype(t)) for t in (self._feed_inputs[0], self._feed_targets[0])]
        phase = len(self.train_function.inputs) > 3
        return dtypes[0], tuple(x[1:]), dtypes[1], tuple(y[1:]), phase

    # ------------------------------------------------------------------------------------ user data

    def _set_inputs(self, inputs: Any) -> None:
        """Builds a model that is defined by its `call` method, for the first data that it sees."""
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
        inputs = getattr(function, "inputs", None)
        if inputs is None:  # a script has put a function of its own in place of ours
            return [*ins, float(phase)] if self._uses_dynamic_learning_phase() else ins
        return [*ins, float(phase)] if len(inputs) > len(ins) else ins
