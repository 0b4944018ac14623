"""Entry points of a graph.

Source: the public behaviour of keras/engine/input_layer.py (2.2.4).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..utils.keras1_calls import generate_legacy_interface
from ..utils.keras1_words import pairs
from .base_layer import Layer, Node


class InputLayer(Layer):
    """Holds a placeholder, or a given tensor, as the start of a graph.

    Args:
        input_shape: shape without the batch axis.
        batch_size: size of the batch axis, None if it may vary.
        batch_input_shape: the shape with the batch axis, instead of the two above.
        dtype: type of the placeholder; None means `K.floatx()`.
        input_tensor: existing tensor to use instead of a placeholder; it is fed only if it is a placeholder.
        sparse: whether SciPy sparse matrices may be fed.
        name: name of the layer.

    Raises:
        ValueError: no shape and no tensor, or shapes given twice.
    """

    @generate_legacy_interface(conversions=pairs("input_dtype"))
    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        batch_input_shape: Any = None,
        dtype: str | None = None,
        input_tensor: Any = None,
        sparse: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(dtype=dtype, name=name or f"input_{K.get_uid('input')}", trainable=False)
        self.built = True
        self.sparse = sparse
        self.supports_masking = True
        if input_shape is not None and batch_input_shape is not None:
            raise ValueError(
                "Only provide the input_shape OR batch_input_shape argument to InputLayer, not both."
            )
        if input_tensor is not None and batch_input_shape is None and input_shape is None:
            batch_input_shape = K.int_shape(input_tensor)
        if batch_input_shape is None:
            if input_shape is None:
                raise ValueError(
                    "An Input layer should be passed either a `batch_input_shape` or an `input_shape`."
                )
            batch_input_shape = (batch_size, *input_shape)
        self.batch_input_shape = tuple(None if n is None or n == -1 else int(n) for n in batch_input_shape)

        self.is_placeholder = input_tensor is None or K.is_placeholder(input_tensor)
        if input_tensor is None:
            self.dtype = dtype or K.floatx()
            tensor = K.placeholder(
                shape=self.batch_input_shape, dtype=self.dtype, sparse=sparse, name=self.name
            )
        else:
            self.dtype = dtype or K.dtype(input_tensor)
            tensor = input_tensor
            self.sparse = K.is_sparse(tensor)
            if hasattr(tensor, "_keras_history"):  # another layer's tensor keeps its history
                tensor = K.identity(tensor)
                self.is_placeholder = False
        tensor._keras_shape = self.batch_input_shape
        tensor._uses_learning_phase = getattr(tensor, "_uses_learning_phase", False)
        tensor._keras_history = (self, 0, 0)
        shapes = [self.batch_input_shape]
        Node(self, [], [], [], [tensor], [tensor], [None], [None], shapes, shapes)

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_input_shape": self.batch_input_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputLayer:
        """Makes the layer from a config of Keras 2, tf.keras or Keras 3.

        Raises:
            ValueError: ragged inputs.
        """
        config = dict(config)
        if config.pop("ragged", False):
            raise ValueError(f"The input {config.get('name')} is ragged, which is not supported.")
        for key in ("trainable", "type_spec", "optional", "input_dtype"):
            config.pop(key, None)
        if "batch_shape" in config:
            config["batch_input_shape"] = config.pop("batch_shape")
        config["sparse"] = bool(config.get("sparse", False))
        return cls(**config)


def Input(
    shape: Any = None,
    batch_shape: Any = None,
    name: str | None = None,
    dtype: str | None = None,
    sparse: bool = False,
    tensor: Any = None,
) -> Any:
    """Starts a graph.

    Args:
        shape: shape of one sample, e.g. (28, 28, 1); None in a place stands for any size.
        batch_shape: the same with the batch axis, instead of `shape`.
        name: name of the input; data dicts use it.
        dtype: type of the data; None means `K.floatx()`.
        sparse: whether SciPy sparse matrices may be fed.
        tensor: existing tensor to start from; it is then not fed.

    Returns:
        tensor of the shape asked for.

    Example:
        >>> x = Input((32,))
        >>> K.int_shape(x)
        (None, 32)
    """
    if batch_shape is None and tensor is None and shape is None:
        raise ValueError(
            "Please provide to Input either a `shape` or a `batch_shape` argument. Note that `shape` "
            "does not include the batch dimension."
        )
    if shape is not None and batch_shape is None:
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        batch_shape = (None, *shape)
    layer = InputLayer(
        batch_input_shape=batch_shape, name=name, dtype=dtype, sparse=sparse, input_tensor=tensor
    )
    return layer._inbound_nodes[0].output_tensors[0]
