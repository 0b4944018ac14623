"""The Lambda layer, and what may happen to its function when a config is read.

Source: the public behaviour of keras/layers/core.py (2.1.6), except that bytecode in a file is never run.
"""

from __future__ import annotations

import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.base_layer import Layer
from ..legacy import interfaces
from ..utils.generic_utils import func_dump, get_custom_objects, has_arg

# Code text → function, for the functions that this process wrote into configs. A config whose code is among
# them asks
# for a function that the user's own program holds already, so clone_model and from_config need no bytecode.
_KNOWN: OrderedDict[str, Callable[..., Any]] = OrderedDict()
_KNOWN_LIMIT = 512


def _dump(function: Any) -> tuple[Any, str]:
    """Returns (content, type) of a function for a config."""
    if isinstance(function, types.FunctionType):
        content = func_dump(function)
        _KNOWN[content[0].strip()] = function
        while len(_KNOWN) > _KNOWN_LIMIT:
            _KNOWN.popitem(last=False)
        return content, "lambda"
    return function.__name__, "function"


def _recall(content: Any) -> Callable[..., Any] | None:
    """Finds the function of a dumped content if this very process dumped it; never unpacks code."""
    code, defaults, closure = content if isinstance(content, (list, tuple)) else (content, None, None)
    function = _KNOWN.get(code.strip()) if isinstance(code, str) else None
    if function is None:
        return None
    cells = function.__closure__ or ()
    same_cells = all(cell.cell_contents is value for cell, value in zip(cells, closure or ()))
    if same_cells and len(cells) == len(closure or ()) and function.__defaults__ is defaults:
        return function
    if len(cells) != len(closure or ()):
        return None
    return types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        tuple(defaults) if defaults is not None else None,
        tuple(types.CellType(value) for value in closure or ()),
    )


class Lambda(Layer):
    """Wraps a function of tensors as a layer.

    Args:
        function: takes the input (or list of inputs), the entries of `arguments` as keywords, and `mask` if
            it has such
            a parameter; returns a tensor.
        output_shape: shape without the batch, or a function from input shape(s) to output shape; None lets
            the
            function run on placeholders.
        mask: the output's mask, or a function (inputs, mask) → mask.
        arguments: keyword arguments for the function.

    Weights used inside the function are not tracked. Files store the function as bytecode, which is never
    run when
    they are read: pass the function again, ``load_model(path, custom_objects={'name of the layer':
    function})``.
    """

    @interfaces.legacy_lambda_support
    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.function = function
        self.arguments = dict(arguments) if arguments else {}
        if mask is not None:
            self.supports_masking = True
        self.mask = mask
        if output_shape is not None and not callable(output_shape):
            if not isinstance(output_shape, (tuple, list)):
                raise TypeError(
                    "In Lambda, `output_shape` must be a list, a tuple, or a function. Received: "
                    f"{output_shape}"
                )
            output_shape = tuple(output_shape)
        self._output_shape = output_shape

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return self._infer_output_shape(input_shape)
        if isinstance(self._output_shape, tuple):
            batch = input_shape[0][0] if isinstance(input_shape, list) else input_shape[0]
            return (batch, *self._output_shape)
        shape = self._output_shape(input_shape)
        if not isinstance(shape, (list, tuple)):
            raise ValueError(
                f"The `output_shape` function of layer {self.name} must return a tuple or list of tuples."
            )
        return (
            tuple(shape)
            if not shape or not isinstance(shape[0], (list, tuple))
            else [tuple(s) for s in shape]
        )

    def _infer_output_shape(self, input_shape: Any) -> Any:
        several = isinstance(input_shape, list)
        inputs = [K.placeholder(shape=shape) for shape in (input_shape if several else [input_shape])]
        result = self.call(inputs if several else inputs[0])
        if isinstance(result, (list, tuple)):
            return [K.int_shape(x) for x in result]
        return K.int_shape(result)

    def call(self, inputs: Any, mask: Any = None) -> Any:
        arguments = self.arguments
        if has_arg(self.function, "mask"):
            arguments = {**arguments, "mask": mask}
        return self.function(inputs, **arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        function, function_type = _dump(self.function)
        output_shape, output_shape_type = self._output_shape, "raw"
        if callable(output_shape):
            output_shape, output_shape_type = _dump(output_shape)
        config = {
            "function": function,
            "function_type": function_type,
            "output_shape": output_shape,
            "output_shape_type": output_shape_type,
            "arguments": self.arguments,
        }
        return {**super().get_config(), **config}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Lambda:
        """Builds the layer without running anything that the config holds.

        Args:
            config: as `get_config` returns it.
            custom_objects: functions by the layer's name, or by their own name where the config has it.

        Raises:
            ValueError: the function is not known here.
        """
        config = dict(config)
        known = {**get_custom_objects(), **(custom_objects or {})}
        name = config.get("name")
        function_type = config.pop("function_type", "lambda")
        shape_type = config.pop("output_shape_type", "raw")
        for foreign in ("module", "output_shape_module"):
            config.pop(foreign, None)

        if name in known and callable(known[name]):
            function = known[name]
        elif function_type == "function":
            function = known.get(config["function"])
        else:
            function = _recall(config["function"])
        if function is None:
            raise ValueError(_refusal(name, config["function"], function_type))
        config["function"] = function

        if shape_type == "function":
            config["output_shape"] = known.get(config["output_shape"])
        elif shape_type != "raw":
            # Without the shape's function the shape is found by running the layer's function on placeholders.
            config["output_shape"] = _recall(config["output_shape"])
        config["arguments"] = {
            key: np.array(value["value"])
            if isinstance(value, dict) and value.get("type") == "ndarray"
            else value
            for key, value in (config.get("arguments") or {}).items()
        }
        return cls(**config)


def _refusal(name: Any, content: Any, function_type: str) -> str:
    if function_type == "function":
        what, key = f"the function `{content}`, which is not known here", content
    else:
        what, key = "its function as Python bytecode, and loading never runs code from a file", name
    return (
        f"The Lambda layer {name!r} stores {what}. Define the function in your program and pass it with "
        "the file: "
        f"custom_objects={{{key!r}: my_function}}. The function takes the layer's input tensor and "
        "returns a tensor."
    )
