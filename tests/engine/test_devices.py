"""The same training on the `cpu` device and on `reference`: nothing above the kernels assumes the CPU."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.backend import engine
from pykeras.datasets import digits
from pykeras.layers import LSTM, BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Reshape
from pykeras.models import Sequential


def convolutional():
    return [
        Conv2D(8, 3, activation="relu", input_shape=(8, 8, 1)),
        BatchNormalization(),
        MaxPooling2D(2),
        Dropout(0.2, seed=5),
        Flatten(),
        Dense(10, activation="softmax"),
    ]


def recurrent():
    return [Reshape((8, 8), input_shape=(8, 8, 1)), LSTM(16), Dense(10, activation="softmax")]


def train(device, layers):
    """Losses of a short fit, the weights after it and some predictions, all made on `device`."""
    before = engine.get_device()
    engine.set_device(device)
    try:
        K.clear_session()
        np.random.seed(3)
        (x, y), (x_test, _) = digits.load_data()
        model = Sequential(layers())
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        data = x[:320, ..., None] / 16.0, y[:320, None]
        history = model.fit(*data, batch_size=40, epochs=3, validation_split=0.25, verbose=0).history
        pictures = x_test[:20, ..., None] / 16.0
        predictions = model.predict(pictures)
        phase = [0] if model.uses_learning_phase else []
        plan = model.predict_function.describe([pictures.astype("float32"), *phase])
        assert plan.startswith(f"device {device},"), plan
        return history, model.get_weights(), predictions
    finally:
        engine.set_device(before)


@pytest.mark.parametrize("layers", [convolutional, recurrent])
def test_a_small_fit_on_both_devices(layers):
    history, weights, predictions = train("cpu", layers)
    history_, weights_, predictions_ = train("reference", layers)
    assert history_["loss"][-1] < history_["loss"][0]
    for name, values in history.items():
        np.testing.assert_allclose(history_[name], values, rtol=1e-5, err_msg=name)
    for a, b in zip(weights_, weights):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(predictions_, predictions, atol=1e-6)
