"""Models that are defined by their `call` method."""

import numpy as np
import pytest
from engine.training_models import X, Y

from pykeras.layers import (
    Dense,
    Dropout,
    Input,
)
from pykeras.models import Model


class Perceptron(Model):
    def __init__(self):
        super().__init__()
        self.hidden = Dense(8, activation="relu", kernel_regularizer="l2")
        self.drop = Dropout(0.1)
        self.out = Dense(1)

    def call(self, inputs):
        return self.out(self.drop(self.hidden(inputs)))


def test_model_defined_by_its_call():
    model = Perceptron()
    assert [layer.name for layer in model.layers] == ["dense_1", "dropout_1", "dense_2"]
    model.compile("adam", "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=40, batch_size=5, validation_split=0.2, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert model.predict(X).shape == (20, 1)
    assert len(model.get_weights()) == 4
    assert len(model.losses) == 1
    assert len(model.evaluate(X, Y, verbose=0)) == 2
    with pytest.raises(NotImplementedError):
        model.get_config()


def test_model_defined_by_its_call_without_compile():
    model = Perceptron()
    with pytest.raises(ValueError, match="has not been built yet"):
        model.get_weights()
    assert model.predict_on_batch(X).shape == (20, 1)
    assert model.predict(X).shape == (20, 1)


def test_model_defined_by_its_call_as_a_layer():
    x = Input((3,))
    model = Model(x, Perceptron()(x))
    model.compile("sgd", "mse")
    assert len(model.trainable_weights) == 4
    assert np.isfinite(model.train_on_batch(X, Y))


def test_model_defined_by_its_call_needs_the_base_constructor():
    class Forgetful(Model):
        def __init__(self):
            self.out = Dense(1)

    with pytest.raises(RuntimeError, match=r"super\(\).__init__\(\)"):
        Forgetful()
