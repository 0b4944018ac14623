"""What the tests of training share: small data and small models."""

import numpy as np

from pykeras.layers import Dense, Input
from pykeras.models import Model, Sequential

X = np.random.RandomState(0).rand(20, 3).astype("float32")
Y = X.sum(axis=1, keepdims=True)
TWO = [Y, np.concatenate([Y, -Y], axis=1)]


def simple(loss="mse", optimizer="sgd", **kwargs):
    """A compiled model that computes the sum of three inputs."""
    model = Sequential([Dense(1, input_shape=(3,), name="d", kernel_initializer="ones")])
    model.compile(optimizer, loss, **kwargs)
    return model


def double(loss="mse", **kwargs):
    """A compiled model with two outputs, p and q."""
    a = Input((3,), name="a")
    model = Model(a, [Dense(1, name="p")(a), Dense(2, name="q")(a)])
    model.compile("sgd", loss, **kwargs)
    return model


def mse(a, b):
    """Mean squared error of two arrays."""
    return float(np.mean((a - b) ** 2))
