"""Recurrent layers step by step in NumPy: gates, states, weights, masks (BEHAVIOURS 5, 6)."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import constraints, layers, regularizers
from pykeras.layers import GRU, LSTM, RNN, Bidirectional, CuDNNGRU, CuDNNLSTM, Input, Layer, SimpleRNN
from pykeras.models import Model, Sequential

X = np.random.RandomState(0).randn(4, 6, 3)


def hard_sigmoid(x):
    return np.clip(0.2 * x + 0.5, 0, 1)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def np_lstm(x, kernel, recurrent, bias, gate=hard_sigmoid, act=np.tanh):
    """All h of an LSTM, and the last c; gates side by side: i, f, c, o (6.2, 3.2.13)."""
    h = c = np.zeros((len(x), len(recurrent)))
    outputs = []
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=1)
        c = gate(f) * c + gate(i) * act(g)
        h = gate(o) * act(c)
        outputs.append(h)
    return np.stack(outputs, axis=1), c


def np_gru(x, kernel, recurrent, bias, inner=None, gate=hard_sigmoid):
    """All h of a GRU; gates z, r, h (6.3). `inner` is the recurrent bias: then the reset comes after."""
    h = np.zeros((len(x), len(recurrent)))
    n = len(recurrent)
    outputs = []
    for t in range(x.shape[1]):
        xz, xr, xh = np.split(x[:, t] @ kernel + bias, 3, axis=1)
        if inner is None:
            z = gate(xz + h @ recurrent[:, :n])
            r = gate(xr + h @ recurrent[:, n : 2 * n])
            candidate = np.tanh(xh + (r * h) @ recurrent[:, 2 * n :])
        else:
            hz, hr, hh = np.split(h @ recurrent + inner, 3, axis=1)
            z, r = gate(xz + hz), gate(xr + hr)
            candidate = np.tanh(xh + r * hh)
        h = z * h + (1 - z) * candidate  # z keeps the old state
        outputs.append(h)
    return np.stack(outputs, axis=1)


def built(layer, shape=(6, 3)):
    """(model of the layer, its weights replaced by random ones)."""
    i = Input(shape)
    model = Model(i, layer(i))
    random = np.random.RandomState(1)
    layer.set_weights([random.uniform(-0.7, 0.7, w.shape) for w in layer.get_weights()])
    return model, layer.get_weights()


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------------------ gates


def test_6_1_defaults():
    for layer in (LSTM(2), GRU(2)):
        assert layer.activation.__name__ == "tanh"
        assert layer.recurrent_activation.__name__ == "hard_sigmoid"
        assert layer.implementation == 1
        assert type(layer.kernel_initializer).__name__ == "VarianceScaling"
        assert type(layer.recurrent_initializer).__name__ == "Orthogonal"
        assert type(layer.bias_initializer).__name__ == "Zeros"
    assert LSTM(2).unit_forget_bias
    for cls in (LSTM, GRU, SimpleRNN):
        layer = cls(2)
        flags = (layer.return_sequences, layer.return_state, layer.go_backwards, layer.stateful, layer.unroll)
        assert flags == (False,) * 5


def test_6_2_lstm():
    model, weights = built(LSTM(4, return_sequences=True, return_state=True))
    outputs, h, c = model.predict(X)
    wanted, last_c = np_lstm(X, *weights)
    close(outputs, wanted)
    close(h, wanted[:, -1])  # states are h, then c
    close(c, last_c)


def test_6_2_forget_bias():
    layer = LSTM(2, bias_initializer="zeros")
    built_bias = Model(i := Input((6, 3)), layer(i)).get_weights()[2]
    assert built_bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    layer = LSTM(2, bias_initializer=lambda shape, dtype=None: np.full(shape, 0.25))
    Model(i := Input((6, 3)), layer(i))
    assert layer.get_weights()[2].tolist() == [0.25, 0.25, 1, 1, 0.25, 0.25, 0.25, 0.25]
    layer = LSTM(2, unit_forget_bias=False)
    Model(i := Input((6, 3)), layer(i))
    assert not layer.get_weights()[2].any()


def test_6_3_gru():
    model, weights = built(GRU(4, return_sequences=True))
    close(model.predict(X), np_gru(X, *weights))
    model, (kernel, recurrent, bias) = built(GRU(4, return_sequences=True, reset_after=True))
    assert bias.shape == (2, 12)
    close(model.predict(X), np_gru(X, kernel, recurrent, bias[0], bias[1]))


def cudnn_blocks(kernel, gates):
    """(n, gates·units) in cuDNN's layout: each gate holds its matrix transposed."""
    blocks = np.split(kernel, gates, axis=1)
    return np.concatenate([b.reshape(b.shape[1], b.shape[0]).T for b in blocks], axis=1)


def test_6_4_cudnn_lstm():
    model, (kernel, recurrent, bias) = built(CuDNNLSTM(4, return_sequences=True))
    assert bias.shape == (32,)
    kernel, recurrent = cudnn_blocks(kernel, 4), cudnn_blocks(recurrent, 4)
    wanted, _ = np_lstm(X, kernel, recurrent, bias[:16] + bias[16:], gate=sigmoid)
    close(model.predict(X), wanted)
    layer = CuDNNLSTM(2)
    Model(i := Input((6, 3)), layer(i))
    assert layer.get_weights()[2].tolist() == [0] * 10 + [1, 1] + [0] * 4  # the sixth of eight blocks


def test_6_4_cudnn_gru():
    model, (kernel, recurrent, bias) = built(CuDNNGRU(4, return_sequences=True))
    assert bias.shape == (24,)
    kernel, recurrent = cudnn_blocks(kernel, 3), cudnn_blocks(recurrent, 3)
    close(model.predict(X), np_gru(X, kernel, recurrent, bias[:12], bias[12:], gate=sigmoid))
    assert not hasattr(CuDNNGRU(2), "activation")


@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_6_5_implementations_agree(cls):
    first, _ = built(cls(4, implementation=1))
    second, _ = built(cls(4, implementation=2))
    np.testing.assert_array_equal(first.predict(X), second.predict(X))


# ------------------------------------------------------------------------------------------ states


@pytest.mark.parametrize(
    ("cls", "states"), [(SimpleRNN, 1), (GRU, 1), (LSTM, 2), (CuDNNGRU, 1), (CuDNNLSTM, 2)]
)
def test_6_7_return_state(cls, states):
    layer = cls(4, return_state=True)
    model, _ = built(layer)
    output, *last = model.predict(X)
    assert len(last) == states
    assert layer.compute_output_shape((None, 6, 3)) == [(None, 4)] * (1 + states)
    np.testing.assert_array_equal(output, last[0])
    layer = cls(4, return_state=True, return_sequences=True)
    model, _ = built(layer)
    sequence, *again = model.predict(X)
    assert sequence.shape == (4, 6, 4)
    assert layer.compute_output_shape((None, 6, 3)) == [(None, 6, 4), *[(None, 4)] * states]
    np.testing.assert_array_equal(sequence[:, -1], output)
    for a, b in zip(last, again, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_6_8_backwards_order(cls):
    model, _ = built(cls(4, return_sequences=True, go_backwards=True))
    forwards, _ = built(cls(4, return_sequences=True))
    close(model.predict(X), forwards.predict(X[:, ::-1]))


def test_6_6_recurrent_dropout_is_one_mask_per_sequence():
    """The same units of the state are dropped at every step, and others in the next batch."""
    layer = SimpleRNN(50, activation="linear", use_bias=False, return_sequences=True, recurrent_dropout=0.5)
    i, h = Input((4, 1)), Input((50,))
    f = K.function([i, h, K.learning_phase()], [layer(i, initial_state=h)])
    layer.set_weights([np.zeros((1, 50)), np.eye(50)])
    data = [np.zeros((8, 4, 1)), np.ones((8, 50))]
    out = f([*data, 1])[0]
    for t in range(4):  # dropped once is dropped for good; the others double at every step
        assert set(np.unique(out[:, t])) == {0.0, 2.0 ** (t + 1)}
    np.testing.assert_array_equal(out[:, 0] > 0, out[:, 3] > 0)
    assert not np.array_equal(f([*data, 1])[0] > 0, out > 0)
    assert (f([*data, 0])[0] == 1).all()


@pytest.mark.parametrize("rate", ["dropout", "recurrent_dropout"])
@pytest.mark.parametrize("cls", [LSTM, GRU])
def test_6_5_masks_per_gate_or_one_for_all(cls, rate):
    """With one feature (or unit) a sample's mask is a number per gate: 2 outcomes if shared, else more."""
    outcomes = []
    for implementation in (2, 1):
        layer = cls(1, implementation=implementation, **{rate: 0.5})
        i, h = Input((1, 1)), [Input((1,)) for _ in range(2 if cls is LSTM else 1)]
        y = layer(i, initial_state=h)
        gates = 4 if cls is LSTM else 3
        layer.set_weights([np.ones((1, gates)), np.full((1, gates), 0.7), np.linspace(-0.3, 0.3, gates)])
        f = K.function([i, *h, K.learning_phase()], [y])
        ones = [np.ones((400, 1, 1)), *(np.ones((400, 1)) for _ in h)]
        outcomes.append(len(np.unique(f([*ones, 1])[0].round(5))))
    assert outcomes[0] == 2 < outcomes[1]


class Plain:
    """A cell that is no layer: nothing but `state_size` and `call`."""

    state_size = 3

    def call(self, inputs, states):
        h = inputs + 0.5 * states[0]
        return h, [h]


def test_6_11_the_least_that_a_cell_needs():
    model = Model(i := Input((6, 3)), RNN(Plain(), return_sequences=True)(i))
    h, wanted = np.zeros((4, 3)), []
    for t in range(6):
        h = X[:, t] + 0.5 * h
        wanted.append(h)
    close(model.predict(X), np.stack(wanted, axis=1))


def test_6_11_the_first_state_size_is_that_of_the_output():
    class Pair(Layer):
        state_size = (2, 3)

        def call(self, inputs, states):
            return inputs[:, :2], [inputs[:, :2], inputs + states[1]]

    layer = RNN(Pair(), return_state=True)
    output, first, second = Model(i := Input((6, 3)), layer(i)).predict(X)
    assert layer.compute_output_shape((None, 6, 3)) == [(None, 2), (None, 2), (None, 3)]
    close(output, X[:, -1, :2])
    close(first, output)
    close(second, X.sum(axis=1))
    with pytest.raises(ValueError, match="state_size"):
        RNN(type("NoSize", (), {"call": lambda self, inputs, states: None})())


class Sum(Layer):
    """A cell with a constant: h + x·w + constant."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units
        self.shapes = []

    def build(self, input_shape):
        self.shapes.append(input_shape)
        features = input_shape[0][-1] if isinstance(input_shape, list) else input_shape[-1]
        self.w = self.add_weight("w", (features, self.units), initializer="ones")
        super().build(input_shape)

    def call(self, inputs, states, constants=None):
        h = states[0] + K.dot(inputs, self.w)
        if constants is not None:
            h = h + constants[0]
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_6_9_constants_reach_every_step():
    x, c = Input((6, 3)), Input((2,))
    cell = Sum(2)
    layer = RNN(cell)
    model = Model([x, c], layer(x, constants=c))
    assert cell.shapes == [[(None, 3), (None, 2)]]
    assert layer.get_config()["num_constants"] == 1
    constant = np.random.RandomState(2).rand(4, 2)
    wanted = X.sum(axis=(1, 2))[:, None] + 6 * constant
    close(model.predict([X, constant]), wanted)
    assert len(layer._inbound_nodes[0].inbound_layers) == 2
    as_list = RNN(Sum(2), num_constants=1)
    close(Model([x, c], as_list([x, c])).predict([X, constant]), wanted)
    h = Input((2,))
    both = RNN(Sum(2))
    start = np.random.RandomState(3).rand(4, 2)
    result = Model([x, h, c], both(x, initial_state=h, constants=c)).predict([X, start, constant])
    close(result, wanted + start)
    twin = Model.from_config(model.get_config(), custom_objects={"Sum": Sum})
    close(twin.predict([X, constant]), wanted)


def test_6_9_a_cell_without_constants_refuses_them():
    with pytest.raises(ValueError, match="does not support constants"):
        RNN(layers.GRUCell(2))(Input((6, 3)), constants=Input((2,)))


def test_6_9_states_in_the_list_of_inputs():
    x, h, c = Input((6, 3)), Input((4,)), Input((4,))
    layer = LSTM(4)
    by_keyword = Model([x, h, c], layer(x, initial_state=[h, c]))
    by_list = Model([x, h, c], layer([x, h, c]))
    data = [X, np.random.rand(4, 4), np.random.rand(4, 4)]
    np.testing.assert_array_equal(by_keyword.predict(data), by_list.predict(data))
    assert len(layer._inbound_nodes) == 2 and len(layer._inbound_nodes[0].inbound_layers) == 3
    fixed = Model(x, layer(x, initial_state=[K.ones((4, 4)), K.zeros((4, 4))]))
    ones = by_list.predict([X, np.ones((4, 4)), np.zeros((4, 4))])
    np.testing.assert_array_equal(fixed.predict(X, batch_size=4), ones)


# ------------------------------------------------------------------------------------------ stateful


def test_6_10_states_live_through_fit_evaluate_and_predict():
    model = Sequential([GRU(3, stateful=True, batch_input_shape=(2, 3, 3), name="memory"), layers.Dense(1)])
    model.compile("sgd", "mse")
    memory = model.layers[0]
    y = np.zeros((4, 1))

    def state():
        return K.get_value(memory.states[0])

    assert memory.states[0].shape == (2, 3) and not state().any()
    for run in (
        lambda: model.predict(X[:, :3], batch_size=2),
        lambda: model.evaluate(X[:, :3], y, batch_size=2, verbose=0),
        lambda: model.fit(X[:, :3], y, batch_size=2, shuffle=False, verbose=0),
    ):
        before = state()
        run()
        assert not np.array_equal(state(), before)
    model.reset_states()
    assert not state().any()


def test_6_10_fit_does_not_reset_between_epochs():
    def trained(epochs, resets):
        model = Sequential([SimpleRNN(2, stateful=True, batch_input_shape=(4, 6, 3))])
        model.compile("sgd", "mse")
        K.set_value(model.optimizer.lr, 0.0)
        model.set_weights([np.ones((3, 2)) / 4, np.eye(2) / 2, np.zeros(2)])
        for _ in range(resets):
            model.fit(X, np.zeros((4, 2)), batch_size=4, epochs=epochs, shuffle=False, verbose=0)
        return K.get_value(model.layers[0].states[0])

    np.testing.assert_array_equal(trained(2, 1), trained(1, 2))
    assert not np.array_equal(trained(2, 1), trained(1, 1))


def test_6_10_and_20_numbers_of_samples():
    model = Sequential([SimpleRNN(2, stateful=True, batch_input_shape=(2, 6, 3))])
    model.compile("sgd", "mse")
    words = "number of samples that can be divided by the batch size"
    with pytest.raises(ValueError, match=words):
        model.fit(X[:3], np.zeros((3, 2)), batch_size=2, verbose=0)
    with pytest.raises(ValueError, match=words):
        model.evaluate(X[:3], np.zeros((3, 2)), batch_size=2, verbose=0)
    with pytest.raises(ValueError, match=words):
        model.predict(X[:3], batch_size=2)
    assert model.predict(X[:2]).shape == (2, 2)  # fewer than a batch of 32


def test_6_10_every_stateful_layer_is_visited():
    stack = [GRU(3, stateful=True, return_sequences=True, batch_input_shape=(4, 6, 3)), GRU(2, stateful=True)]
    model = Sequential([*stack])
    first = model.predict(X, batch_size=4)
    second = model.predict(X, batch_size=4)
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=4), first)
    both = Sequential([Bidirectional(LSTM(2, stateful=True), batch_input_shape=(4, 6, 3))])
    first = both.predict(X, batch_size=4)
    assert not np.allclose(both.predict(X, batch_size=4), first)
    both.reset_states()
    np.testing.assert_array_equal(both.predict(X, batch_size=4), first)


@pytest.mark.parametrize("depth", [1, 2])
def test_6_10_stateful_layers_inside_models(depth):
    """However deep: predict carries the states on, reset_states finds them, nothing else is updated."""
    inner = Sequential(
        [layers.BatchNormalization(batch_input_shape=(4, 6, 3)), GRU(2, stateful=True, return_sequences=True)]
    )
    model = Sequential([inner])
    for _ in range(depth - 1):
        i = Input(batch_shape=(4, 6, 3))
        model = Model(i, layers.Activation("linear")(model(i)))
    model.compile("sgd", "mse")
    statistics = inner.layers[0].get_weights()
    first = model.predict(X, batch_size=4)
    assert not np.allclose(model.predict(X, batch_size=4), first)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(X, batch_size=4), first)
    state = K.get_value(inner.layers[1].states[0])
    model.evaluate(X, np.zeros((4, 6, 2)), batch_size=4, verbose=0)
    assert not np.array_equal(K.get_value(inner.layers[1].states[0]), state)
    for a, b in zip(statistics, inner.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    model.fit(X, np.zeros((4, 6, 2)), batch_size=4, verbose=0)
    assert not np.array_equal(inner.layers[0].get_weights()[2], statistics[2])


def test_6_10_two_models_around_one_stateful_layer():
    """Each model moves the states by its own call of the layer only."""
    layer = GRU(2, stateful=True)
    i, j = Input(batch_shape=(4, 6, 3)), Input(batch_shape=(4, 6, 3))
    one, other = Model(i, layer(i)), Model(j, layer(layers.Lambda(lambda t: 2.0 * t)(j)))
    plain = one.predict(X, batch_size=4)
    one.reset_states()
    other.predict(X, batch_size=4)
    one.reset_states()
    np.testing.assert_array_equal(one.predict(X, batch_size=4), plain)
    np.testing.assert_array_equal(K.get_value(layer.states[0]), plain)


# ------------------------------------------------------------------------------------------ properties


@pytest.mark.parametrize("cls", [SimpleRNN, GRU, LSTM])
def test_6_12_the_cell_has_what_belongs_to_weights(cls):
    layer = cls(
        3,
        kernel_regularizer="l2",
        recurrent_regularizer=regularizers.l1(0.1),
        bias_regularizer="l1",
        kernel_constraint="nonneg",
        recurrent_constraint="unitnorm",
        bias_constraint="maxnorm",
        activity_regularizer="l2",
    )
    model = Model(i := Input((6, 3)), layer(i))
    assert layer.units == layer.cell.units == 3
    assert layer.activation is layer.cell.activation
    assert layer.kernel_initializer is layer.cell.kernel_initializer
    with pytest.raises(AttributeError):
        layer.units = 4
    assert not hasattr(layer, "kernel") and K.int_shape(layer.cell.kernel)[0] == 3
    assert isinstance(layer.cell.kernel.constraint, constraints.NonNeg)
    assert isinstance(layer.cell.recurrent_kernel.constraint, constraints.UnitNorm)
    assert isinstance(layer.cell.bias.constraint, constraints.MaxNorm)
    assert len(layer.losses) == 4 and len(layer.get_losses_for(None)) == 3
    kernel, recurrent, bias = layer.get_weights()
    penalty = 0.01 * (kernel**2).sum() + 0.1 * np.abs(recurrent).sum() + 0.01 * np.abs(bias).sum()
    model.compile("sgd", lambda t, p: 0.0 * p[:, 0])
    activity = 0.01 * (model.predict(X) ** 2).sum()
    loss = model.test_on_batch(X, np.zeros((4, 3)))
    assert loss == pytest.approx(penalty + activity, rel=1e-4)
    model.train_on_batch(X, np.zeros((4, 3)))
    assert (layer.get_weights()[0] >= 0).all()
    np.testing.assert_allclose((layer.get_weights()[1] ** 2).sum(axis=0), 1, rtol=1e-4)


def test_6_13_names_weights_and_states():
    layer = Bidirectional(LSTM(2, return_state=True, name="memory"))
    i = Input((6, 3))
    model = Model(i, layer(i))
    assert layer.forward_layer.name == "forward_memory"
    assert layer.backward_layer.name == "backward_memory"
    assert layer.backward_layer.go_backwards and not layer.forward_layer.go_backwards
    wanted = layer.forward_layer.get_weights() + layer.backward_layer.get_weights()
    for a, b in zip(layer.get_weights(), wanted, strict=True):
        np.testing.assert_array_equal(a, b)
    output, fh, fc, bh, bc = model.predict(X)
    np.testing.assert_array_equal(output, np.concatenate([fh, bh], axis=1))
    kernel, recurrent, bias = layer.backward_layer.get_weights()
    close(bc, np_lstm(X[:, ::-1], kernel, recurrent, bias)[1])
    close(fc, np_lstm(X, *layer.forward_layer.get_weights())[1])


@pytest.mark.parametrize("mode", ["concat", "sum", "mul", "ave", None])
def test_6_13_backward_sequences_are_turned_before_merging(mode):
    layer = Bidirectional(GRU(2, return_sequences=True), merge_mode=mode)
    i = Input((6, 3))
    result = Model(i, layer(i)).predict(X)
    forward = np_gru(X, *layer.forward_layer.get_weights())
    backward = np_gru(X[:, ::-1], *layer.backward_layer.get_weights())[:, ::-1]
    wanted = {
        "concat": np.concatenate([forward, backward], axis=-1),
        "sum": forward + backward,
        "mul": forward * backward,
        "ave": (forward + backward) / 2,
    }
    if mode is None:
        close(result[0], forward)
        close(result[1], backward)
    else:
        close(result, wanted[mode])


def test_6_14_dropout_differs_per_step():
    i = Input((6, 30))
    y = layers.TimeDistributed(layers.Dropout(0.5))(i)
    out = K.function([i, K.learning_phase()], [y])([np.ones((2, 6, 30)), 1])[0]
    assert not np.array_equal(out[:, 0], out[:, 1])


@pytest.mark.parametrize("batch", [None, 4])
def test_6_14_models_and_layers_at_each_step(batch):
    inner = Sequential([layers.Dense(5, activation="tanh", input_shape=(3,)), layers.Dense(2)])
    i = Input(batch_shape=(batch, 6, 3))
    for layer in (inner, layers.Lambda(lambda x: x[:, :2] * 2.0)):
        model = Model(i, layers.TimeDistributed(layer)(i))
        one = Model(s := Input((3,)), layer(s))
        wanted = np.stack([one.predict(X[:, t]) for t in range(6)], axis=1)
        close(model.predict(X, batch_size=4), wanted)
        assert model.output_shape == (batch, 6, 2)


# ------------------------------------------------------------------------------------------ masks


def mask_of(tensor):
    layer, node, index = tensor._keras_history
    found = layer.get_output_mask_at(node)
    return found[index] if isinstance(found, list) else found


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: SimpleRNN(2, **k),
        lambda **k: GRU(2, **k),
        lambda **k: LSTM(2, **k),
        lambda **k: RNN(layers.GRUCell(2), **k),
        lambda **k: Bidirectional(LSTM(2, **k)),
    ],
)
def test_5_2_recurrent_layers_pass_masks_on_with_sequences_only(make):
    x = layers.Masking()(Input((6, 3)))
    assert mask_of(make()(x)) is None
    assert mask_of(make(return_sequences=True)(x)) is mask_of(x)
    output, *states = make(return_sequences=True, return_state=True)(x)
    assert mask_of(output) is mask_of(x)
    assert all(mask_of(state) is None for state in states)


def test_5_2_wrappers_and_conv_lstm():
    x = layers.Masking()(Input((6, 3)))
    assert mask_of(layers.TimeDistributed(layers.Dense(2))(x)) is mask_of(x)
    pair = Bidirectional(GRU(2, return_sequences=True), merge_mode=None)(x)
    assert [mask_of(y) for y in pair] == [mask_of(x)] * 2
    for cls in (CuDNNGRU, CuDNNLSTM):
        with pytest.raises(ValueError, match="Masking is not supported"):
            cls(2)(x)
    pictures = Input((3, 4, 4, 1))
    mask = K.any(K.not_equal(pictures, 0.0), axis=[2, 3, 4])
    layer = layers.ConvLSTM2D(2, 2, return_sequences=True)
    y = layer(pictures, mask=mask)
    assert layer.compute_mask(pictures, mask) is mask
    data = np.random.RandomState(0).rand(2, 3, 4, 4, 1)
    data[0, 1] = 0
    out = K.function([pictures], [y])([data])[0]
    np.testing.assert_array_equal(out[0, 1], out[0, 0])
    assert not np.array_equal(out[1, 1], out[1, 0])


@pytest.mark.parametrize(
    "make", [lambda: LSTM(3, return_sequences=True), lambda: GRU(3, return_sequences=True)]
)
def test_5_3_masked_steps_repeat(make):
    """First steps that are masked give the initial state's output, zeros."""
    x = X.copy()
    x[0, :2] = x[0, 4] = x[1] = 0
    model = Model(i := Input((None, 3)), make()(layers.Masking()(i)))
    out = model.predict(x)
    assert not out[0, :2].any() and not out[1].any()
    np.testing.assert_array_equal(out[0, 4], out[0, 3])
    short = model.predict(x[:1, [2, 3, 5]])
    close(out[0, [2, 3, 5]], short[0])


def test_5_3_the_first_state_stands_for_the_output():
    """A custom cell with another first state shows it at masked steps."""

    class Odd(Layer):
        state_size = (3, 3)

        def call(self, inputs, states):
            return inputs, [states[0] - 1.0, inputs]

    x = np.ones((1, 3, 3))
    x[0, 1] = 0
    model = Model(i := Input((3, 3)), RNN(Odd(), return_sequences=True)(layers.Masking()(i)))
    assert model.predict(x)[0, :, 0].tolist() == [1.0, -1.0, 1.0]


def test_variable_lengths():
    """One model, batches of any number of steps; a longer, masked one gives the same."""
    model = Sequential([layers.Masking(input_shape=(None, 3)), LSTM(4, return_sequences=True), GRU(2)])
    model.compile("sgd", "mse")
    short = model.predict(X)
    padded = np.concatenate([X, np.zeros((4, 5, 3))], axis=1)
    close(model.predict(padded), short)
    for steps in (1, 2, 6):
        assert np.isfinite(model.train_on_batch(X[:, :steps], np.zeros((4, 2))))
