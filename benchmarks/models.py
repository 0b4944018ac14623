"""The models that are compared, written once for any package with the Keras 2 API."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

Arrays = tuple[np.ndarray, np.ndarray]


def mnist_cnn(keras: ModuleType, rate: dict[str, float]) -> Any:
    """The classic MNIST network: two convolutions, pooling, dropout, two dense layers."""
    model = keras.models.Sequential()
    model.add(keras.layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(keras.layers.Conv2D(64, (3, 3), activation="relu"))
    model.add(keras.layers.MaxPooling2D(pool_size=(2, 2)))
    model.add(keras.layers.Dropout(0.25))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(128, activation="relu"))
    model.add(keras.layers.Dropout(0.5))
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.Adadelta(**rate, rho=0.95)
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def mlp(keras: ModuleType, rate: dict[str, float]) -> Any:
    """The smallest useful network, 10-32-32-1: what a call costs beside its arithmetic."""
    model = keras.models.Sequential()
    model.add(keras.layers.Dense(32, activation="relu", input_shape=(10,)))
    model.add(keras.layers.Dense(32, activation="relu"))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(**rate))
    return model


def deep_cnn(keras: ModuleType, rate: dict[str, float]) -> Any:
    """Three stages of convolution, batch normalization, relu on 32×32 colour pictures; a global average."""
    model = keras.models.Sequential()
    first = {"input_shape": (32, 32, 3)}
    for filters in (32, 64, 128):
        for _ in range(2):
            model.add(keras.layers.Conv2D(filters, (3, 3), padding="same", use_bias=False, **first))
            model.add(keras.layers.BatchNormalization())
            model.add(keras.layers.Activation("relu"))
            first = {}
        model.add(keras.layers.MaxPooling2D())
    model.add(keras.layers.GlobalAveragePooling2D())
    model.add(keras.layers.Dense(10, activation="softmax"))
    optimizer = keras.optimizers.SGD(**rate, momentum=0.9, nesterov=True)
    model.compile(loss="categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return model


def text(keras: ModuleType, rate: dict[str, float]) -> Any:
    """Word vectors, averaged, then two dense layers: 200 words of a vocabulary of 20,000."""
    model = keras.models.Sequential()
    model.add(keras.layers.Embedding(20000, 64, input_length=200))
    model.add(keras.layers.GlobalAveragePooling1D())
    model.add(keras.layers.Dense(64, activation="relu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.Adam(**rate), metrics=["accuracy"])
    return model


def pictures(shape: tuple[int, ...]) -> Callable[[np.random.RandomState, int], Arrays]:
    """Make a generator of noise pictures in 0..1 with one of ten classes each, one-hot."""

    def make(random: np.random.RandomState, n: int) -> Arrays:
        x = random.rand(n, *shape).astype("float32")
        return x, np.eye(10, dtype="float32")[random.randint(10, size=n)]

    return make


def numbers(random: np.random.RandomState, n: int) -> Arrays:
    """Ten normal features and their mean."""
    x = random.randn(n, 10).astype("float32")
    return x, x.mean(axis=1, keepdims=True)


def sentences(random: np.random.RandomState, n: int) -> Arrays:
    """200 word numbers, rare words rarer, and a yes or no."""
    x = np.minimum(random.zipf(1.3, size=(n, 200)), 19999).astype("int32")
    return x, random.randint(2, size=(n, 1)).astype("float32")


@dataclass(frozen=True)
class Case:
    """One model: how to build it, its data, batch sizes, and whether training is free of chance."""

    build: Callable[[ModuleType, dict[str, float]], Any]
    data: Callable[[np.random.RandomState, int], Arrays]
    learning_rate: float
    predict_batches: tuple[int, ...]
    train_batches: tuple[int, ...]
    deterministic: bool


CASES = {
    "mnist_cnn": Case(mnist_cnn, pictures((28, 28, 1)), 1.0, (1, 128), (128,), False),
    "mlp": Case(mlp, numbers, 0.01, (1, 32), (32,), True),
    "deep_cnn": Case(deep_cnn, pictures((32, 32, 3)), 0.01, (1, 32), (32,), True),
    "text": Case(text, sentences, 0.001, (1, 64), (64,), True),
}
