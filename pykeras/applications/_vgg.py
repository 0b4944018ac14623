"""VGG16 and VGG19: blocks of 3x3 convolutions and pooling, then three dense layers.

Source: K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
https://arxiv.org/abs/1409.1556; the public behaviour of keras/applications/vgg16.py and vgg19.py (2.1.6).
"""

from __future__ import annotations

from typing import Any

from ..layers import Conv2D, Dense, Flatten, MaxPooling2D
from ._build import WeightFile, check_arguments, finish, pool, start

_FILTERS = (64, 128, 256, 512, 512)


def vgg(
    name: str,
    depths: tuple[int, ...],
    files: tuple[WeightFile, WeightFile],
    include_top: bool,
    weights: Any,
    input_tensor: Any,
    input_shape: Any,
    pooling: str | None,
    classes: int,
) -> Any:
    """Builds a VGG network.

    Args:
        name: the model's name.
        depths: number of convolutions in each of the five blocks.
        files: the published weights with and without the classifier.

    The other arguments are those of `VGG16`.
    """
    check_arguments(weights, include_top, classes, pooling)
    first, _ = start(input_tensor, input_shape, 224, 32, include_top, weights)
    x = first
    for block, (depth, filters) in enumerate(zip(depths, _FILTERS), 1):
        for i in range(1, depth + 1):
            layer = Conv2D(filters, (3, 3), activation="relu", padding="same", name=f"block{block}_conv{i}")
            x = layer(x)
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    else:
        x = pool(x, pooling)
    return finish(input_tensor, first, x, name, weights, include_top, files)
