"""Recurrent layers beyond the numbers of tf_keras: paths, states, masks, dropout, configs, errors."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import GRU, LSTM, RNN, Input, SimpleRNN
from pykeras.models import Model, Sequential

X = np.random.RandomState(0).randn(4, 6, 3).astype("float32")
KINDS = [(SimpleRNN, {}), (LSTM, {}), (GRU, {}), (GRU, {"reset_after": True})]


def run(layer, x=X, mask=None, weights=None):
    i = Input(shape=x.shape[1:])
    m = Input(shape=(x.shape[1],), dtype="bool")
    model = Model([i, m], layer(i, mask=m) if mask is not None else [layer(i), layers.Lambda(lambda t: t)(m)])
    if weights is not None:
        layer.set_weights(weights)
    mask = np.ones(x.shape[:2], bool) if mask is None else mask
    out = model.predict([x, mask])
    return out[0] if isinstance(out, list) else out


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("cls", "more"), KINDS)
def test_fused_op_loop_and_unrolled_steps_agree(cls, more, backwards, masked):
    """6.1 to 6.8: three ways to the same numbers, a row masked throughout included (5.3)."""
    mask = np.random.RandomState(1).rand(4, 6) > 0.4
    mask[2] = False
    mask = mask if masked else None
    options = {"return_sequences": True, "go_backwards": backwards}
    layer = cls(5, **options, **more)
    first = run(layer, mask=mask)
    by_cell = RNN(type(layer.cell)(5, **more), **options)
    np.testing.assert_allclose(run(by_cell, mask=mask, weights=layer.get_weights()), first, atol=1e-6)
    unrolled = cls(5, unroll=True, **options, **more)
    np.testing.assert_allclose(run(unrolled, mask=mask, weights=layer.get_weights()), first, atol=1e-6)


@pytest.mark.parametrize("implementation", [1, 2])
@pytest.mark.parametrize("cls", [LSTM, GRU, SimpleRNN])
def test_dropout_is_one_mask_per_sequence(cls, implementation):
    """6.6: the same inputs are dropped at every step, anew for each batch; nothing in the test phase."""
    more = {} if cls is SimpleRNN else {"implementation": implementation}
    layer = cls(40, dropout=0.5, activation="linear", use_bias=False, return_sequences=True, **more)
    x = np.ones((2, 5, 30), "float32")
    i = Input((5, 30))
    f = K.function([i, K.learning_phase()], [layer(i)])
    gates = {LSTM: 4, GRU: 3, SimpleRNN: 1}[cls]
    layer.set_weights([np.ones((30, 40 * gates)) / 100, np.zeros((40, 40 * gates))])
    test, train = f([x, 0])[0], f([x, 1])[0]
    assert (test[0] == test[1]).all()
    if cls is SimpleRNN:
        np.testing.assert_allclose(train[:, 0], train[:, -1])
    assert not np.array_equal(train, f([x, 1])[0])


def test_recurrent_dropout_trains_through_the_loop():
    """6.6: in the test phase the layer is the same as without."""
    layer = LSTM(5, recurrent_dropout=0.5)
    i = Input((6, 3))
    f = K.function([i, K.learning_phase()], [layer(i)])
    plain = run(LSTM(5), weights=layer.get_weights())
    np.testing.assert_allclose(f([X, 0])[0], plain, atol=1e-6)
    a, b = f([X, 1])[0], f([X, 1])[0]
    assert not np.allclose(a, plain) and not np.allclose(a, b)


def test_stateful():
    """6.10."""
    model = Sequential([LSTM(5, stateful=True, batch_input_shape=(4, 3, 3))])
    whole = run(LSTM(5), weights=model.get_weights())
    model.predict(X[:, :3], batch_size=4)
    np.testing.assert_allclose(model.predict(X[:, 3:], batch_size=4), whole, atol=1e-6)
    model.reset_states()
    first = model.predict(X[:, :3], batch_size=4)
    h, c = (K.get_value(s) for s in model.layers[0].states)
    np.testing.assert_array_equal(h, first)
    model.layers[0].reset_states([h, c])
    np.testing.assert_allclose(model.predict(X[:, 3:], batch_size=4), whole, atol=1e-6)
    with pytest.raises(ValueError, match="expects 2 states, but it received 1"):
        model.layers[0].reset_states([h])
    with pytest.raises(ValueError, match="State 1 is incompatible"):
        model.layers[0].reset_states([h, c[:2]])
    with pytest.raises(ValueError, match="batch size"):
        LSTM(5, stateful=True)(Input((3, 3)))
    with pytest.raises(AttributeError, match="must be stateful"):
        LSTM(5).reset_states()


def test_other_batch_size_through_explicit_states():
    """6.9, 6.10: a stateful layer serves another batch size when its states are given."""
    layer = LSTM(5, stateful=True, return_state=True)
    Model(*(lambda i: (i, layer(i)))(Input(batch_shape=(4, 6, 3))))
    i, h, c = Input((None, 3)), Input((5,)), Input((5,))
    model = Model([i, h, c], layer(i, initial_state=[h, c]))
    y, h1, c1 = model.layers[-1](i, initial_state=[h, c])
    f = K.function([i, h, c], [y, h1, c1])
    zero = np.zeros((1, 5), "float32")
    state = [zero, zero]
    for t in range(6):
        y, *state = f([X[:1, t : t + 1], *state])
    np.testing.assert_allclose(y, run(LSTM(5), X[:1], weights=layer.get_weights()), atol=1e-6)


def test_stacked_cells_and_their_order():
    """6.11: the first cell's states come first, the other way round on request."""
    cells = [layers.LSTMCell(4), layers.GRUCell(5)]
    layer = RNN(cells, return_state=True)
    i = Input((6, 3))
    model = Model(i, layer(i))
    out = model.predict(X)
    assert [a.shape[1] for a in out] == [5, 4, 4, 5]
    np.testing.assert_array_equal(out[0], out[3])
    assert layers.StackedRNNCells(cells).state_size == (4, 4, 5)
    old = layers.StackedRNNCells(cells, reverse_state_order=True)
    assert old.state_size == (5, 4, 4)
    again = layers.StackedRNNCells.from_config(old.get_config())
    assert again.state_size == (5, 4, 4)
    clone = Model.from_config(model.get_config())
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(X)[0], out[0])


@pytest.mark.parametrize(
    ("make", "shape", "error", "words"),
    [
        (lambda: LSTM(3, unroll=True), (None, 2), ValueError, "Cannot unroll a RNN"),
        (lambda: LSTM(3, unroll=True), (1, 2), ValueError, "Cannot unroll a RNN"),
        (lambda: LSTM(3), (4,), ValueError, "expected ndim=3, found ndim=2"),
        (lambda: LSTM(3), (4, None), ValueError, "should be defined"),
        (lambda: RNN(object()), (4, 2), ValueError, "`call` method"),
        (lambda: layers.TimeDistributed(layers.Dense(2)), (4,), ValueError, "at least 3 axes"),
        (lambda: layers.Bidirectional(LSTM(2), merge_mode="x"), (4, 2), ValueError, "Invalid merge mode"),
        (lambda: layers.ConvLSTM2D(2, 3), (4, 2), ValueError, "expected ndim=5"),
        (lambda: layers.ConvRNN2D([]), (4, 2), TypeError, "stack convolutional cells"),
        (lambda: LSTM(3, unit=2), (4, 2), TypeError, "Keyword argument not understood"),
    ],
)
def test_errors(make, shape, error, words):
    """20, 6.8, 6.13, 6.14, 4.23."""
    with pytest.raises(error, match=words):
        make()(Input(shape))


def test_states_that_do_not_fit():
    """6.9, 20."""
    i, h = Input((4, 2)), Input((3,))
    with pytest.raises(ValueError, match="mix of Keras"):
        LSTM(3)(i, initial_state=[h, K.zeros((1, 3))])
    with pytest.raises(ValueError, match=r"passed 1 initial|not compatible"):
        LSTM(3)(i, initial_state=[h])
    with pytest.raises(ValueError, match="even number"):
        layers.Bidirectional(GRU(3))(i, initial_state=[h])
    with pytest.raises(ValueError, match="Masking is not supported"):
        layers.CuDNNGRU(3)(layers.Masking()(i))


def test_old_configs():
    """6.5, 3.1.11."""
    with pytest.warns(UserWarning, match="implementation=0"):
        LSTM(3, implementation=0)
    assert GRU.from_config({**GRU(3).get_config(), "implementation": 0}).implementation == 1
    assert SimpleRNN.from_config({**SimpleRNN(3).get_config(), "implementation": 1}).units == 3


def test_bidirectional_weights_take_effect():
    """6.13, 22.4, DECISIONS: `weights=` is used."""
    donor = layers.Bidirectional(GRU(3))
    donor(Input((4, 2)))
    layer = layers.Bidirectional(GRU(3), weights=donor.get_weights())
    layer(Input((4, 2)))
    for a, b in zip(layer.get_weights(), donor.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_22_8_weights_of_stacked_cells():
    """Every cell gets its own ones, frozen cells in between too."""
    cells = layers.StackedRNNCells([layers.LSTMCell(3), layers.SimpleRNNCell(4), layers.GRUCell(2)])
    RNN(cells)(Input((5, 6)))
    cells.cells[1].trainable = False
    wanted = [np.random.rand(*w.shape).astype("float32") for w in cells.get_weights()]
    cells.set_weights(wanted)
    assert len(wanted) == 9
    for a, b in zip(cells.get_weights(), wanted):
        np.testing.assert_array_equal(a, b)
    apart = [w for cell in cells.cells for w in cell.get_weights()]
    assert sorted(w.shape for w in apart) == sorted(w.shape for w in wanted)
    for cell in cells.cells:  # each array is in the cell that it has the shape for
        assert all(any(np.array_equal(w, b) for b in wanted) for w in cell.get_weights())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: LSTM(4, recurrent_activation="sigmoid"),
        lambda: GRU(4, return_sequences=True, recurrent_activation="sigmoid"),
        lambda: GRU(4, reset_after=True, recurrent_activation="sigmoid"),
        lambda: SimpleRNN(4, go_backwards=True),
        lambda: layers.Bidirectional(LSTM(3, recurrent_activation="sigmoid")),
        lambda: RNN([layers.LSTMCell(3), layers.GRUCell(2)]),
    ],
)
def test_18_4_second_derivatives(make, masked):
    """A gradient penalty on sequences, against differences of it along a direction."""
    K.set_floatx("float64")
    x = Input((None, 3))
    y = make()(layers.Masking()(x) if masked else x)
    penalty = K.sum(K.square(K.gradients(K.sum(K.square(y)), x)[0]))
    f = K.function([x], [penalty, K.gradients(penalty, x)[0]])
    random = np.random.RandomState(0)
    data, way = random.randn(2, 5, 3), random.randn(2, 5, 3)
    if masked:
        data[0, 2] = way[0, 2] = data[1] = way[1] = 0
    slope = (f([data + 1e-5 * way])[0] - f([data - 1e-5 * way])[0]) / 2e-5
    assert (f([data])[1] * way).sum() == pytest.approx(slope, rel=1e-6)
    assert abs(slope) > 1e-4
