"""The layer that ends each block of InceptionResNetV2 (see applications)."""

from __future__ import annotations

from typing import Any

from ..engine.base_layer import Layer


class CustomScaleLayer(Layer):
    """Adds a scaled branch to its trunk: ``inputs[0] + scale * inputs[1]``.

    Keras 2 has a Lambda here, which cannot be read back without its code; tf_keras has a layer of this name.

    Args:
        scale: the factor.

    Source: the layer of that name in tf_keras/src/applications/inception_resnet_v2.py.
    """

    def __init__(self, scale: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs: Any) -> Any:
        return inputs[0] + inputs[1] * self.scale

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "scale": self.scale}
