"""ConvLSTM2D: its states, in wrappers, as encoder and decoder (BEHAVIOURS 4.23, 6.6, 6.9, 6.10)."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import LSTM, Bidirectional, Conv2D, ConvLSTM2D, Flatten, Input, TimeDistributed
from pykeras.models import Model, Sequential

X = np.random.RandomState(0).rand(2, 3, 5, 5, 2)


def test_6_9_a_sequence_in_two_halves():
    """The states of the first half are the initial states of the second."""
    layer = ConvLSTM2D(4, 3, padding="same", return_sequences=True, return_state=True)
    x, h, c = Input((None, 5, 5, 2)), Input((5, 5, 4)), Input((5, 5, 4))
    model = Model([x, h, c], layer(x, initial_state=[h, c]))
    assert model.output_shape == [(None, None, 5, 5, 4), (None, 5, 5, 4), (None, 5, 5, 4)]
    start = [np.random.RandomState(i).rand(2, 5, 5, 4) for i in range(2)]
    whole = model.predict([X, *start])
    first = model.predict([X[:, :2], *start])
    second = model.predict([X[:, 2:], *first[1:]])
    np.testing.assert_allclose(np.concatenate([first[0], second[0]], axis=1), whole[0], atol=1e-6)
    for a, b in zip(second[1:], whole[1:], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    as_list = Model([x, h, c], layer([x, h, c]))
    np.testing.assert_array_equal(as_list.predict([X, *start])[0], whole[0])


def test_6_10_stateful():
    model = Sequential([ConvLSTM2D(2, 2, stateful=True, padding="same", batch_input_shape=(2, 3, 5, 5, 2))])
    layer = model.layers[0]
    first = model.predict(X, batch_size=2)
    assert not np.allclose(model.predict(X, batch_size=2), first)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=2), first)
    layer.reset_states([np.ones((2, 5, 5, 2)), np.zeros((2, 5, 5, 2))])
    assert K.get_value(layer.states[0]).sum() == 100
    with pytest.raises(ValueError, match=r"State 0 is incompatible.*expected shape=\(2, 5, 5, 2\)"):
        layer.reset_states([np.ones((2, 5, 5, 3)), np.zeros((2, 5, 5, 2))])


def test_6_6_dropout_in_training_only():
    layer = ConvLSTM2D(2, 2, padding="same", dropout=0.4, recurrent_dropout=0.4)
    i = Input((3, 5, 5, 2))
    f = K.function([i, K.learning_phase()], [layer(i)])
    test = f([X, 0])[0]
    np.testing.assert_array_equal(test, f([X, 0])[0])
    assert not np.allclose(f([X, 1])[0], test) and not np.allclose(f([X, 1])[0], f([X, 1])[0])


def test_in_wrappers():
    both = Bidirectional(ConvLSTM2D(2, 2, padding="same", return_sequences=True), input_shape=(3, 5, 5, 2))
    model = Sequential([both, TimeDistributed(Flatten()), LSTM(2)])
    model.compile("sgd", "mse")
    first, second = (model.train_on_batch(X, np.ones((2, 2))) for _ in range(2))
    assert second < first


def test_encoder_and_decoder():
    x = Input((3, 5, 5, 2))
    _, h, c = ConvLSTM2D(2, 3, padding="same", return_state=True)(x)
    y = ConvLSTM2D(2, 3, padding="same", return_sequences=True)([x, h, c])
    model = Model(x, TimeDistributed(Conv2D(1, 1))(y))
    model.compile("adam", "mse")
    assert np.isfinite(model.train_on_batch(X, X[..., :1]))
    twin = Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
