"""Models over volumes and films in pykeras and tf_keras, with the protocol of compare.py.

    python benchmarks/volumes.py [case …] [options of compare.py]

Cases: voxels (a classifier of 32³ voxels, batch 16), segmentation (to a quarter and back by transposed
convolutions, 32³ voxels, batch 4), clips (a classifier of 8 pictures of 64 × 64 in colour, batch 4), film
(ConvLSTM2D layers under a Conv3D, as in Keras's example conv_lstm, 8 pictures of 24 × 24, batch 4).
"""

import os
import sys
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models

Rate = dict[str, float]


def voxels(keras: ModuleType, rate: Rate) -> Any:
    """Three convolutions and poolings, two dense layers."""
    layers = keras.layers
    model = keras.models.Sequential()
    model.add(layers.Conv3D(16, 3, padding="same", activation="relu", input_shape=(32, 32, 32, 1)))
    model.add(layers.MaxPooling3D())
    for filters in (32, 64):
        model.add(layers.Conv3D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling3D())
    model.add(layers.Flatten())
    model.add(layers.Dense(128, activation="relu"))
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(**rate))
    return model


def segmentation(keras: ModuleType, rate: Rate) -> Any:
    """An encoder and a decoder with two links between them."""
    layers = keras.layers
    inputs = layers.Input((32, 32, 32, 1))
    fine = layers.Conv3D(16, 3, padding="same", activation="relu")(inputs)
    middle = layers.Conv3D(32, 3, padding="same", activation="relu")(layers.MaxPooling3D()(fine))
    coarse = layers.Conv3D(64, 3, padding="same", activation="relu")(layers.MaxPooling3D()(middle))
    up = layers.Conv3DTranspose(32, 2, strides=2)(coarse)
    up = layers.Conv3D(32, 3, padding="same", activation="relu")(layers.concatenate([up, middle]))
    up = layers.Conv3DTranspose(16, 2, strides=2)(up)
    up = layers.Conv3D(16, 3, padding="same", activation="relu")(layers.concatenate([up, fine]))
    model = keras.models.Model(inputs, layers.Conv3D(1, 1, activation="sigmoid")(up))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(**rate))
    return model


def clips(keras: ModuleType, rate: Rate) -> Any:
    """Convolutions over space and time, pooled over space first."""
    layers = keras.layers
    model = keras.models.Sequential()
    model.add(layers.Conv3D(32, 3, padding="same", activation="relu", input_shape=(8, 64, 64, 3)))
    model.add(layers.MaxPooling3D((1, 2, 2)))
    model.add(layers.Conv3D(64, 3, padding="same", activation="relu"))
    model.add(layers.MaxPooling3D())
    model.add(layers.Conv3D(128, 3, padding="same", activation="relu"))
    model.add(layers.GlobalAveragePooling3D())
    model.add(layers.Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.SGD(**rate))
    return model


def film(keras: ModuleType, rate: Rate) -> Any:
    """Predicts the next picture for every picture."""
    layers = keras.layers
    convolution = {"padding": "same", "return_sequences": True, "recurrent_activation": "hard_sigmoid"}
    model = keras.models.Sequential()
    model.add(layers.ConvLSTM2D(16, 3, input_shape=(8, 24, 24, 1), **convolution))
    model.add(layers.ConvLSTM2D(16, 3, **convolution))
    model.add(layers.Conv3D(1, 3, activation="sigmoid", padding="same"))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.SGD(**rate))
    return model


def masks(random: np.random.RandomState, n: int) -> models.Arrays:
    """Volumes and which of their voxels are bright."""
    x = random.rand(n, 32, 32, 32, 1).astype("float32")
    return x, (x > 0.7).astype("float32")


def dots(random: np.random.RandomState, n: int) -> models.Arrays:
    """Films of sparse dots, and the same one picture later."""
    x = (random.rand(n, 9, 24, 24, 1) > 0.9).astype("float32")
    return x[:, :-1], x[:, 1:]


CASES = {
    "voxels": models.Case(voxels, models.pictures((32, 32, 32, 1)), 0.01, (1, 16), (16,), True),
    "segmentation": models.Case(segmentation, masks, 0.01, (1, 4), (4,), True),
    "clips": models.Case(clips, models.pictures((8, 64, 64, 3)), 0.01, (1, 4), (4,), True),
    "film": models.Case(film, dots, 0.01, (1, 4), (4,), True),
}


def main() -> int:
    """Run these cases instead of those of compare.py."""
    import compare  # not for the workers, which import the cases

    models.CASES.clear()
    models.CASES.update(CASES)
    return compare.main()


if __name__ == "__main__":
    sys.exit(main())
