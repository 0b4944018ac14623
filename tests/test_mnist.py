"""The classic MNIST network on the real pictures: a small run always, the full one with `-m slow`."""

import numpy as np
import pytest

from pykeras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from pykeras.models import Sequential
from pykeras.optimizers import Adadelta
from pykeras.utils import to_categorical


@pytest.fixture(scope="module")
def mnist(shared_folder):
    """`(x_train, y_train), (x_test, y_test)`, pictures float32 (n, 28, 28, 1) in 0..1, labels one-hot."""
    with np.load(shared_folder / "data" / "datasets" / "mnist.npz") as data:
        parts = [
            (
                data[f"x_{part}"][..., np.newaxis].astype("float32") / 255,
                to_categorical(data[f"y_{part}"], 10),
            )
            for part in ("train", "test")
        ]
    return parts


def classic_network() -> Sequential:
    """Two convolutions, pooling, two dense layers, dropout twice; Adadelta with learning rate 1."""
    model = Sequential()
    model.add(Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=(28, 28, 1)))
    model.add(Conv2D(64, (3, 3), activation="relu"))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Dropout(0.25))
    model.add(Flatten())
    model.add(Dense(128, activation="relu"))
    model.add(Dropout(0.5))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer=Adadelta(lr=1.0), metrics=["accuracy"])
    return model


def test_one_small_epoch(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    model = classic_network()
    assert model.count_params() == 1199882
    history = model.fit(x_train[:6000], y_train[:6000], batch_size=128, epochs=1, verbose=0)
    loss, accuracy = model.evaluate(x_test[:1000], y_test[:1000], verbose=0)
    assert history.history["acc"][0] > 0.6
    # Over eight seeds tf_keras reaches 0.836 to 0.907 here and pykeras 0.855 to 0.906: one seed says no more.
    assert accuracy > 0.8
    assert loss < 0.6


@pytest.mark.slow
def test_four_epochs(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    model = classic_network()
    model.fit(x_train, y_train, batch_size=128, epochs=4, verbose=2, validation_data=(x_test, y_test))
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    assert accuracy >= 0.985
    assert loss < 0.05
