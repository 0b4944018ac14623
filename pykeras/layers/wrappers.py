"""Layers around layers.

Source: the public behaviour of keras/layers/wrappers.py (2.1.6; masks of TimeDistributed as in 2.2.4).
"""

from __future__ import annotations

import copy
from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer, _input_key
from ..engine.network_config import layer_config
from ..utils.generic_utils import has_arg, to_list
from ..utils.namespaces import held_by, public_names
from ._rnn_base import _standardize_args
from ._support import shape_of

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]


class Wrapper(Layer):
    """Base of layers that apply another layer: weights, losses and updates are that layer's.

    Args:
        layer: the layer inside.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        self.layer = layer
        # the inputs that the inner layer was called on, by the wrapper's own
        self._input_map: dict[str, Any] = {}
        if "trainable" not in kwargs:
            kwargs["trainable"] = layer.trainable
        super().__init__(**kwargs)

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    @property
    def activity_regularizer(self) -> Any:
        """The inner layer's penalty on its output."""
        return getattr(self.layer, "activity_regularizer", None)

    @property
    def trainable(self) -> bool:
        """The inner layer's flag."""
        return self.layer.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.layer.trainable = value

    @property
    def trainable_weights(self) -> list[Any]:
        """The inner layer's trainable variables."""
        return self.layer.trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a wrapper are those of its layer.")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The inner layer's other variables."""
        return self.layer.non_trainable_weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a wrapper are those of its layer.")

    def _inner_layers(self) -> list[Layer]:
        return [self.layer]

    @property
    def updates(self) -> list[Any]:
        """The inner layer's updates."""
        return [update for layer in self._inner_layers() for update in layer.updates] + self._updates

    @property
    def losses(self) -> list[Any]:
        """The inner layer's losses."""
        return [loss for layer in self._inner_layers() for loss in layer.losses] + self._losses

    def _inner_inputs(self, inputs: Any) -> Any:
        return inputs if inputs is None else self._input_map.get(_input_key(inputs), inputs)

    def get_updates_for(self, inputs: Any = None) -> list[Any]:
        """Returns the updates that depend on these inputs of the wrapper."""
        found = [u for x in self._inner_layers() for u in x.get_updates_for(self._inner_inputs(inputs))]
        return found + super().get_updates_for(inputs)

    def get_losses_for(self, inputs: Any = None) -> list[Any]:
        """Returns the losses that depend on these inputs of the wrapper."""
        found = [u for x in self._inner_layers() for u in x.get_losses_for(self._inner_inputs(inputs))]
        return found + super().get_losses_for(inputs)

    def get_weights(self) -> list[Any]:
        """Returns the inner layer's weights."""
        return self.layer.get_weights()

    def set_weights(self, weights: Any) -> None:
        """Sets the inner layer's weights."""
        self.layer.set_weights(weights)

    def get_config(self) -> dict[str, Any]:
        inner = {"class_name": type(self.layer).__name__, "config": layer_config(self.layer)}
        return {**super().get_config(), "layer": inner}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        from . import deserialize  # the package imports this module

        config = dict(config)
        return cls(deserialize(config.pop("layer"), custom_objects=custom_objects), **config)


def _by_sample(layer: Any) -> bool:
    """Whether a layer of this package treats each sample alone (or, like BatchNormalization, the whole batch
    in a way that a loop over time could not)."""
    inner = getattr(layer, "layers", None) or ([layer.layer] if hasattr(layer, "layer") else [])
    if inner:
        return all(_by_sample(x) for x in inner)
    ours = type(layer).__module__.startswith(__name__.split(".", 1)[0] + ".")
    return ours and type(layer).__name__ != "Lambda"


class TimeDistributed(Wrapper):
    """Applies a layer to each step of a sequence.

    Args:
        layer: layer or model.

    Input (batch, time, …) with the inner layer's input behind the time axis; output likewise. Steps and
    samples are merged into one batch; only where the batch size is fixed and the inner layer is not known to
    treat each sample alone (Lambda, custom layers), a loop applies it step by step.
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        if len(input_shape) < 3:
            raise ValueError(
                f"`TimeDistributed` (layer {self.name}) needs inputs with at least 3 axes (batch, time, …), "
                f"got the shape {tuple(input_shape)}."
            )
        self.input_spec = InputSpec(shape=(None, None, *input_shape[2:]))
        if not self.layer.built:
            self.layer.build((input_shape[0], *input_shape[2:]))
            self.layer.built = True
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.layer.compute_output_shape((input_shape[0], *input_shape[2:]))
        return (shape[0], input_shape[1], *shape[1:])

    def _flat(self, x: Any) -> Any:
        """(batch, time, …) → (batch·time, …)."""
        rest = [(K.shape(x)[i] if n is None else n) for i, n in enumerate(shape_of(x)) if i > 1]
        result = K.reshape(x, (-1, *rest))
        result._uses_learning_phase = getattr(x, "_uses_learning_phase", False)
        return result

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        layer = self.layer
        kwargs: dict[str, Any] = {}
        if has_arg(layer.call, "training") and training is not None:
            kwargs["training"] = training
        shape = shape_of(inputs)
        if shape[0] is not None and not _by_sample(layer):

            def step(x: Any, _: Any) -> tuple[Any, list[Any]]:
                return layer.call(x, **kwargs), []

            return K.rnn(step, inputs, [], input_length=shape[1], unroll=False)[1]
        # a mask of steps alone says nothing about what lies inside them
        if mask is not None and K.ndim(mask) > 2 and has_arg(layer.call, "mask"):
            kwargs["mask"] = self._flat(mask)
        flat = self._flat(inputs)
        self._input_map[_input_key(inputs)] = flat
        self._keyed_tensors.append(inputs)
        result = layer.call(flat, **kwargs)
        steps = [K.shape(inputs)[i] if n is None else n for i, n in enumerate(shape[:2])]
        known = self.compute_output_shape(shape)[2:]
        rest = [K.shape(result)[i + 1] if n is None else n for i, n in enumerate(known)]
        return K.reshape(result, (*steps, *rest))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        inner = None
        if mask is None or K.ndim(mask) > 2:
            flat = self._input_map.get(_input_key(inputs))
            if flat is None or (mask is not None and not self.layer.supports_masking):
                inner = None
            else:
                inner = self.layer.compute_mask(flat, None if mask is None else self._flat(mask))
        if inner is not None:
            sizes = [K.shape(inputs)[i] if n is None else n for i, n in enumerate(shape_of(inputs)[:2])]
            rest = [K.shape(inner)[i] if n is None else n for i, n in enumerate(shape_of(inner)) if i > 0]
            return K.reshape(inner, (*sizes, *rest))
        while mask is not None and K.ndim(mask) > 2:
            mask = K.any(mask, axis=-1)
        return mask


class Bidirectional(Wrapper):
    """Runs a recurrent layer in both directions.

    Args:
        layer: recurrent layer; a copy runs forwards, another one backwards.
        merge_mode: how to join the outputs: 'concat', 'sum', 'mul', 'ave', or None for a list of both.
        weights: arrays to start with, those of the forward layer first.

    Input, masks and states as in the layer; `initial_state` holds the forward states, then the backward ones,
    and so do the states that `return_state` gives.
    """

    layer: Any

    def __init__(
        self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, **kwargs: Any
    ) -> None:
        if merge_mode not in ("sum", "mul", "ave", "concat", None):
            raise ValueError(
                'Invalid merge mode. Merge mode should be one of {"sum", "mul", "ave", "concat", None}, '
                f"not {merge_mode!r}."
            )
        self.forward_layer = copy.copy(layer)
        config = layer.get_config()
        config["go_backwards"] = not config["go_backwards"]
        self.backward_layer = type(layer).from_config(config)
        self.forward_layer.name = "forward_" + layer.name
        self.backward_layer.name = "backward_" + layer.name
        self.merge_mode = merge_mode
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self._num_constants: int | None = kwargs.pop("num_constants", None)
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self.input_spec = layer.input_spec
        if weights is not None:
            self._initial_weights = weights

    @property
    def trainable(self) -> bool:
        """Whether the weights of both directions are updated in training."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for layer in self._inner_layers():
            layer.trainable = value

    def _inner_layers(self) -> list[Any]:
        return [self.forward_layer, self.backward_layer]

    @property
    def trainable_weights(self) -> list[Any]:
        """The trainable variables of both directions."""
        return self.forward_layer.trainable_weights + self.backward_layer.trainable_weights

    @trainable_weights.setter
    def trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a wrapper are those of its layer.")

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The other variables of both directions."""
        return self.forward_layer.non_trainable_weights + self.backward_layer.non_trainable_weights

    @non_trainable_weights.setter
    def non_trainable_weights(self, weights: list[Any]) -> None:
        raise AttributeError("The weights of a wrapper are those of its layer.")

    @property
    def constraints(self) -> dict[Any, Any]:
        """Constraints by weight."""
        return {w: w.constraint for w in self.trainable_weights if getattr(w, "constraint", None) is not None}

    def get_weights(self) -> list[Any]:
        """Returns the weights of the forward layer, then those of the backward layer."""
        return self.forward_layer.get_weights() + self.backward_layer.get_weights()

    def set_weights(self, weights: Any) -> None:
        """Sets the weights; order as in `get_weights`."""
        half = len(weights) // 2
        self.forward_layer.set_weights(weights[:half])
        self.backward_layer.set_weights(weights[half:])

    def build(self, input_shape: Any) -> None:  # type: ignore[override]
        for layer in self._inner_layers():
            with K.name_scope(layer.name):
                layer.build(input_shape)
                layer.built = True
        self.built = True

    def reset_states(self) -> None:
        """Sets the states of both directions to zero."""
        for layer in self._inner_layers():
            layer.reset_states()

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = self.forward_layer.compute_output_shape(input_shape)
        states: list[Any] = []
        if self.return_state:
            states, shapes = shapes[1:], shapes[0]
        shape = tuple(shapes)
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        if self.merge_mode is None:
            return [shape, shape, *states, *states]
        return [shape, *states, *states] if self.return_state else shape

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        inputs, states, fixed = _standardize_args(inputs, initial_state, constants, self._num_constants)
        if states is not None and len(states) % 2:
            raise ValueError(
                "When passing `initial_state` to a Bidirectional RNN, the state should be a list containing "
                f"the states of the forward and the backward layer, an even number; got {len(states)}."
            )
        if fixed is not None:
            self._num_constants = len(fixed)
            for layer in self._inner_layers():
                layer._num_constants = len(fixed)
        more = [*(states or []), *(fixed or [])]
        if not more:
            return super().__call__(inputs, **kwargs)
        kinds = {K.is_keras_tensor(x) for x in more}
        if len(kinds) > 1:
            raise ValueError(
                "The initial state of a Bidirectional layer cannot be specified with a mix of Keras tensors "
                "and non-Keras tensors."
            )
        if kinds == {False}:
            if states is not None:
                kwargs["initial_state"] = states
            if fixed is not None:
                kwargs["constants"] = fixed
            return super().__call__(inputs, **kwargs)
        spec = self.input_spec
        self.input_spec = [*to_list(spec)[:1], *(InputSpec(shape=shape_of(x)) for x in more)]
        try:
            return super().__call__([inputs, *more], **kwargs)
        finally:
            self.input_spec = spec

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: Any = None,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        given = inputs
        inputs, states, constants = _standardize_args(inputs, initial_state, constants, self._num_constants)
        if isinstance(mask, list):
            mask = mask[0]
        results = []
        for i, layer in enumerate(self._inner_layers()):
            kwargs: dict[str, Any] = {}
            for name, value in (("training", training), ("mask", mask), ("constants", constants)):
                if value is not None and has_arg(layer.call, name):
                    kwargs[name] = value
            if states is not None:
                half = len(states) // 2
                kwargs["initial_state"] = states[half:] if i else states[:half]
            results.append(layer.call(inputs, **kwargs))
        self._input_map[_input_key(given)] = inputs
        self._keyed_tensors += to_list(given)
        forward, backward = results
        new_states: list[Any] = []
        if self.return_state:
            new_states = [*forward[1:], *backward[1:]]
            forward, backward = forward[0], backward[0]
        if self.return_sequences:
            # the first layer may itself run backwards: what it gives is the order of the result
            backward = K.reverse(backward, 1)
        merge: Any = {
            "concat": lambda a, b: K.concatenate([a, b]),
            "sum": lambda a, b: a + b,
            "ave": lambda a, b: (a + b) / 2,
            "mul": lambda a, b: a * b,
            None: lambda a, b: [a, b],
        }[self.merge_mode]
        output = merge(forward, backward)
        if self.merge_mode is None:
            return [*output, *new_states]
        return [output, *new_states] if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        if isinstance(mask, list):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        masks = [mask, mask] if self.merge_mode is None else [mask]
        if self.return_state:
            return [*masks, *([None] * 2 * len(self.forward_layer.states))]
        return masks if len(masks) > 1 else mask

    def get_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {"merge_mode": self.merge_mode}
        if self._num_constants is not None:
            config["num_constants"] = self._num_constants
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
        return super().from_config(config, custom_objects)


# What scripts also import from here.
__getattr__ = held_by(__name__)
__all__ += public_names(__name__)
