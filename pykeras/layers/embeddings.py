"""Embedding: vectors looked up by index.

Source: the public behaviour of keras/layers/embeddings.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import Layer
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.namespaces import held_by
from ._support import add_part, adopt, describe


class Embedding(Layer):
    """Turns integers into trainable vectors.

    Args:
        input_dim: number of vectors: largest index + 1.
        output_dim: length of a vector.
        embeddings_initializer: first values.
        embeddings_regularizer: penalty on the vectors.
        activity_regularizer: penalty on the output.
        embeddings_constraint: projection after each update.
        mask_zero: whether index 0 means "no word here"; later layers then skip these steps.
        input_length: length of the sequences if it is always the same (an int, or a tuple for several axes).

    Input (batch, length) of indices, output (batch, length, output_dim). An index outside 0 … input_dim − 1
    is an error
    that names the layer.
    """

    @interfaces.legacy_embedding_support
    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        activity_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            if isinstance(input_length, (list, tuple)):
                kwargs["input_shape"] = tuple(input_length)
            else:
                kwargs["input_shape"] = (input_length,) if input_length else (None,)
        super().__init__(**kwargs)
        self.input_dim = conv_utils.normalize_count(input_dim, "input_dim")
        self.output_dim = conv_utils.normalize_count(output_dim, "output_dim")
        self.mask_zero = mask_zero
        self.supports_masking = bool(mask_zero)
        self.input_length = input_length
        adopt(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            activity_regularizer=activity_regularizer,
            embeddings_constraint=embeddings_constraint,
        )

    def build(self, input_shape: Any) -> None:
        # Old files give the *input's* type here, which may be an integer's.
        dtype = getattr(self, "dtype", None)
        self.embeddings = add_part(
            self,
            "embeddings",
            (self.input_dim, self.output_dim),
            dtype=dtype if dtype in ("float32", "float64") else None,
        )
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return K.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self.input_length is None:
            return (*input_shape, self.output_dim)
        lengths = self.input_length
        lengths = list(lengths) if isinstance(lengths, (list, tuple)) else [lengths]
        found = tuple(input_shape[1:])
        if len(lengths) != len(found) or any(
            a is not None and b is not None and a != b for a, b in zip(lengths, found)
        ):
            raise ValueError(
                f'"input_length" of layer {self.name} is {self.input_length}, but received input has shape '
                f"{tuple(input_shape)}"
            )
        return (input_shape[0], *(b if a is None else a for a, b in zip(lengths, found)), self.output_dim)

    def call(self, inputs: Any) -> Any:
        if K.dtype(inputs) not in ("int32", "int64"):
            inputs = K.cast(inputs, "int32")
        return K.gather(self.embeddings, inputs)

    def get_config(self) -> dict[str, Any]:
        config = {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "mask_zero": self.mask_zero,
            "input_length": self.input_length,
        }
        config.update(
            describe(
                self,
                "embeddings_initializer",
                "embeddings_regularizer",
                "activity_regularizer",
                "embeddings_constraint",
            )
        )
        return {**super().get_config(), **config}


# What scripts also import from here.
__getattr__ = held_by(__name__)
