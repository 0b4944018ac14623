"""A stack of layers.

Source: the public behaviour of keras/models.py (2.1.6) and keras/engine/sequential.py (2.2.4).
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

from .. import backend as K
from .base_layer import Layer
from .compiled import TRAINING_STATE
from .graph import get_source_inputs
from .input_layer import Input, InputLayer
from .network import Network
from .network_config import layer_config
from .training import Model


class Sequential(Model):
    """A stack of layers, each with one input and one output.

    Args:
        layers: layers to add.
        name: unique name; made from the class name if missing.

    The first layer needs `input_shape=`; without it, the weights are made when the model first sees data.

    Example:
        >>> model = Sequential([Dense(32, activation='relu', input_shape=(16,)), Dense(1)])
        >>> model.output_shape
        (None, 1)
    """

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._build_input_shape: Any = None
        self._below = 0  # how many of the layers were not added but connected to the first one before
        self._inner: Any = None
        for layer in layers or ():
            self.add(layer)

    def __setattr__(self, name: str, value: Any) -> None:
        # layers get in by `add` only
        object.__setattr__(self, name, value)

    @property
    def layers(self) -> list[Layer]:
        """The layers that were added, without the one that holds the input."""
        if self._layers and isinstance(self._layers[0], InputLayer):
            return self._layers[1:]
        return self._layers

    @property
    def model(self) -> Any:
        """The same stack as a functional `Model`, input layer included; compiled if this model is."""
        if not self._is_graph_network:
            self.build()
        if self._inner is None:
            self._inner = Model(self.inputs, self.outputs, name=self.name + "_model")
            object.__setattr__(self._inner, "callback_model", self)
        for key in TRAINING_STATE:
            if key in self.__dict__:
                object.__setattr__(self._inner, key, self.__dict__[key])
        self._inner._trainable = self.trainable
        return self._inner

    def add(self, layer: Any) -> None:
        """Puts a layer (or model) on top.

        Args:
            layer: a layer or model.

        Raises:
            TypeError: it is no layer.
            ValueError: it has several inputs or outputs, or does not fit the layer below.
        """
        if not isinstance(layer, Layer):
            hint = "; give `input_shape` to the first layer instead of an input" if K.is_tensor(layer) else ""
            raise TypeError(f"The added layer must be an instance of class Layer. Found: {layer}{hint}")
        outputs: list[Any] | None = None
        if not self._layers:
            outputs = self._start_with(layer)
        elif self.outputs:
            result = layer(self.outputs[0])
            if isinstance(result, list):
                raise _several("outputs")
            outputs = [result]
        if outputs is None:  # the shape is not known yet
            self._layers.append(layer)
            self._restart()
            return
        self._stack(outputs, [layer])

    def _start_with(self, layer: Any) -> list[Any] | None:
        """Gives the first layer its input; returns its output, or None if nothing says what it takes."""
        if not layer._inbound_nodes or isinstance(layer, Network):
            shape, dtype = _input_of(layer)
            if shape is None:
                return None
            result = layer(Input(batch_shape=shape, dtype=dtype, name=layer.name + "_input"))
        else:
            if len(layer._inbound_nodes) != 1:
                raise ValueError(
                    "A layer added to a Sequential model must not already be connected somewhere else. "
                    f"Model received layer {layer.name} which has {len(layer._inbound_nodes)} "
                    "pre-existing inbound connections."
                )
            result = layer._inbound_nodes[0].output_tensors
            result = result[0] if len(result) == 1 else result
        if isinstance(result, list):
            raise _several("outputs")
        return [result]

    def _stack(self, outputs: list[Any], new_layers: list[Any]) -> None:
        """Ends the stack at `outputs`; keeps the order in which layers were added."""
        old = list(self._layers)
        inputs = get_source_inputs(outputs[0])
        self._connect(inputs, outputs)
        order = old + new_layers
        # the input layer; more, if the first layer was connected to others already
        before = [layer for layer in self._layers if not any(layer is other for other in order)]
        if not old:
            branch_by_branch = getattr(order[0], "branch_layers", None)  # of a Keras 1 `Merge`
            if branch_by_branch is not None:
                before = branch_by_branch(before)
            self._below = len(before)
        self._layers = before + order
        self._restart()

    def _restart(self) -> None:
        """Forgets the functions made for the old stack."""
        self.train_function = self.test_function = self.predict_function = None
        self._inner = None
        self._is_compiled = False

    def pop(self) -> None:
        """Takes the last layer off; the model must be compiled again.

        Raises:
            TypeError: there is none.
        """
        if not self.layers:
            raise TypeError("There are no layers in the model.")
        layer = self._layers.pop()
        if self._is_graph_network:
            node = next((n for n in layer._inbound_nodes if n in self._network_nodes), None)
            if node is not None:
                for source in node.inbound_layers:
                    source._outbound_nodes.remove(node)
            if not self.layers:
                self._layers = []
                self.inputs = self.outputs = None
                self._inbound_nodes = []
                self._is_graph_network = False
                self.built = False
            else:
                top = self._layers[-1]
                last = next(n for n in reversed(top._inbound_nodes) if n in self._network_nodes)
                self._connect_again(last.output_tensors)
        self._restart()

    def _connect_again(self, outputs: list[Any]) -> None:
        kept = self._layers
        self._connect(list(self.inputs or ()), outputs)
        self._layers = kept

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of a stack whose first layer was given no input shape.

        Args:
            input_shape: shape with the batch axis.

        Raises:
            ValueError: no shape is known.
        """
        if self._is_graph_network:
            return
        if not self._layers:
            raise ValueError("The Sequential model cannot be built: it is empty. Add some layers first.")
        if input_shape is None:
            raise ValueError(
                "The first layer in a Sequential model must get an `input_shape` or `batch_input_shape` "
                "argument, or `build` the batch_input_shape of the data."
            )
        if isinstance(input_shape, list) and input_shape and isinstance(input_shape[0], (list, tuple)):
            input_shape = input_shape[0]
        shape = tuple(None if n is None else int(n) for n in input_shape)
        stack, self._layers = self._layers, []
        x = Input(batch_shape=shape, dtype=_input_of(stack[0])[1], name=stack[0].name + "_input")
        try:
            for layer in stack:
                x = layer(x)
                if isinstance(x, list):
                    raise _several("outputs")
        except BaseException:
            self._layers = stack
            raise
        compiled = self._is_compiled
        self._stack([x], stack)
        self._is_compiled = compiled
        self._build_input_shape = shape

    def _set_inputs(self, inputs: Any) -> None:
        """Builds the stack for the first data that it sees (list of arrays)."""
        if len(inputs) != 1:
            raise _several("inputs")
        self.build((None, *np.shape(inputs[0])[1:]))
        self._finish_compile()

    def call(self, inputs: Any, mask: Any = None) -> Any:
        """Applies the stack to another tensor."""
        if not self._is_graph_network:
            self.build(K.int_shape(inputs[0] if isinstance(inputs, list) else inputs))
        return super().call(inputs, mask)

    # ---------------------------------------------------------------------------------- predictions

    def predict_proba(
        self, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None
    ) -> Any:
        """`predict`, with a warning if the values cannot be probabilities.

        Args:
            x: input array.
            batch_size: samples per batch, 32 if None.
            verbose: 1 shows a progress bar.
            steps: number of batches, for inputs that are not fed.

        Returns:
            array of predictions.
        """
        preds = self.predict(x, batch_size, verbose, steps=steps)
        if preds.size and (preds.min() < 0.0 or preds.max() > 1.0):
            warnings.warn(
                "Network returning invalid probability values. The last layer might not normalize "
                "predictions into probabilities (like softmax or sigmoid would).",
                stacklevel=2,
            )
        return preds

    def predict_classes(
        self, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None
    ) -> Any:
        """Returns the most likely class of each sample.

        Args:
            x: input array.
            batch_size: samples per batch, 32 if None.
            verbose: 1 shows a progress bar.
            steps: number of batches, for inputs that are not fed.

        Returns:
            int64 array of shape (samples,); int32 of shape (samples, 1) if the last axis of the output is 1.
        """
        proba = self.predict(x, batch_size, verbose, steps=steps)
        if proba.shape[-1] > 1:
            return proba.argmax(axis=-1)
        return (proba > 0.5).astype("int32")

    # -------------------------------------------------------------------------------------- configs

    def get_config(self) -> Any:
        """Returns the name and the configs of the layers."""
        layers = list(self._layers[self._below :] if self._below > 1 else self.layers)
        if self._below <= 1 and self._is_graph_network and self._build_input_shape is None and layers:
            # an input layer that was added by hand holds the shape, unless the next layer does too
            if self._layers[0] is not layers[0] and _input_of(layers[0])[0] is None:
                layers = list(self._layers)
        config: dict[str, Any] = {
            "name": self.name,
            "layers": [
                {"class_name": type(layer).__name__, "config": copy.deepcopy(layer_config(layer))}
                for layer in layers
            ],
        }
        if self._build_input_shape is not None:
            config["build_input_shape"] = self._build_input_shape
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """Makes a new stack (with new weights).

        Args:
            config: dict as `get_config` returns it, or the list of layers alone (Keras before 2.2.3).
            custom_objects: dict name → class or function, for classes that this package does not know.
        """
        from ..layers import deserialize  # layers stand above the engine

        if isinstance(config, list):
            name, entries, shape = None, config, None
        else:
            name, entries, shape = config.get("name"), config["layers"], config.get("build_input_shape")
        model = cls(name=name)
        for entry in entries:
            model.add(deserialize(entry, custom_objects=custom_objects))
        if shape and not model._is_graph_network and model._layers:
            model.build(shape)
        if isinstance(config, dict) and config.get("trainable") is False:
            model.trainable = False
        return model

    def legacy_get_config(self) -> list[dict[str, Any]]:
        """Returns the configs of the layers alone, as Keras wrote them before 2.2.3."""
        return self.get_config()["layers"]

    @classmethod
    def legacy_from_config(cls, config: Any, layer_cache: Any = None) -> Any:
        """Makes a stack from a Keras 1 config, which may begin with a `Merge` of other stacks.

        Args:
            config: list of layer configs.
            layer_cache: not used.
        """
        from ..saving.dialects import clean_model_config  # stands above the engine

        return cls.from_config(clean_model_config({"class_name": "Sequential", "config": config})["config"])

    @property
    def regularizers(self) -> list[Any]:
        """The regularizers of the layers' weights and outputs."""
        found = [
            value
            for layer in self.layers
            for key, value in vars(layer).items()
            if key.endswith("_regularizer")
        ]
        return [value for value in found if value is not None]


def _several(what: str) -> ValueError:
    return ValueError(
        f"All layers in a Sequential model should have a single {what[:-1]} tensor. For "
        f"multi-{what[:-1]} layers, use the functional API."
    )


def _input_of(layer: Any) -> tuple[Any, Any]:
    """Returns (shape with the batch axis or None, dtype or None) of what a first layer takes."""
    if isinstance(layer, Network):
        if layer.inputs is not None:
            if len(layer.inputs) != 1:
                raise _several("inputs")
            return K.int_shape(layer.inputs[0]), K.dtype(layer.inputs[0])
        return _input_of(layer.layers[0]) if layer.layers else (None, None)
    return getattr(layer, "batch_input_shape", None), getattr(layer, "dtype", None)
