"""Layers that only Keras 1 had (BEHAVIOURS 4.24, 1.9, 3.1.12)."""

import importlib

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import Dense, Highway, Input, MaxoutDense, Merge, Recurrent, merge
from pykeras.legacy.models import legacy_sequential_layers, needs_legacy_support
from pykeras.models import Model, Sequential, clone_model

pytestmark = pytest.mark.filterwarnings("ignore:The `(Merge|merge|Highway|MaxoutDense|Atrous)")

A = np.array([[1.0, 2.0, -3.0]], "float32")
B = np.array([[2.0, -1.0, 5.0]], "float32")


def run(layer, *arrays):
    inputs = [Input(a.shape[1:]) for a in arrays]
    model = Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    result = model.predict(list(arrays))
    assert model.output_shape[1:] == result.shape[1:]
    return result, model


@pytest.mark.parametrize(
    ("mode", "wanted"),
    [
        ("sum", A + B),
        ("mul", A * B),
        ("ave", (A + B) / 2),
        ("max", np.maximum(A, B)),
        ("concat", np.concatenate([A, B], 1)),
        ("dot", [[-15.0]]),
        ("cos", [[-15.0 / np.sqrt(14 * 30)]]),
        (lambda x, factor=1: x[0] - factor * x[1], A - B),
    ],
)
def test_4_24_merge(mode, wanted):
    result, model = run(Merge(mode=mode), A, B)
    np.testing.assert_allclose(result, wanted, rtol=1e-6)
    np.testing.assert_allclose(clone_model(model).predict([A, B]), result)
    inputs = [Input((3,)), Input((3,))]
    np.testing.assert_allclose(Model(inputs, merge(inputs, mode=mode)).predict([A, B]), wanted, rtol=1e-6)


def test_4_24_merge_with_a_function():
    layer = Merge(mode=lambda x, k: x[0] * k, arguments={"k": 3}, output_shape=(3,), name="scaled")
    np.testing.assert_allclose(run(layer, A, B)[0], 3 * A)
    with pytest.raises(TypeError, match="Invalid merge mode"):
        Merge(mode="sums")
    config = {**layer.get_config(), "mode": ["unknown code", None, None]}
    with pytest.raises(ValueError, match="never run"):
        Merge.from_config(config)


def test_1_9_merge_is_the_function_and_a_submodule():
    from pykeras.layers.merge import add

    assert callable(merge) and callable(add)
    assert merge is layers.merge
    with pytest.warns(UserWarning, match="`merge` function is deprecated"):
        merge([Input((3,)), Input((3,))])
    module = importlib.import_module("pykeras.layers.merge")
    assert module.add is add
    assert K.int_shape(module([Input((3,)), Input((3,))], mode="concat")) == (None, 6)


def test_2_3_name_of_a_merge():
    K.clear_session()
    assert Merge().name == "merge_1"


def branches():
    left = Sequential([Dense(2, input_shape=(3,)), Dense(4, name="left_top")])
    right = Sequential([Dense(4, input_shape=(3,), name="right_top")])
    model = Sequential()
    model.add(Merge([left, right], mode="concat"))
    model.add(Dense(1))
    return left, right, model


def test_3_1_12_a_stack_that_begins_with_a_merge():
    left, right, model = branches()
    assert needs_legacy_support(model) and not needs_legacy_support(left)
    dense = [w for layer in legacy_sequential_layers(model) for w in layer.weights]
    wanted = left.weights + right.weights + model.layers[-1].weights
    assert [id(w) for w in dense] == [id(w) for w in wanted]
    assert len(model.get_weights()) == 8

    joined = np.concatenate([left.predict(A), right.predict(B)], 1)
    kernel, bias = model.layers[-1].get_weights()
    np.testing.assert_allclose(model.predict([A, B]), joined @ kernel + bias, rtol=1e-5)
    model.compile("sgd", "mse")
    before = left.get_weights()[0]
    model.fit([A, B], np.ones((1, 1)), verbose=0)
    assert not np.array_equal(before, left.get_weights()[0])


def test_3_1_12_its_config():
    _, _, model = branches()
    for copy in (Sequential.from_config(model.get_config()), Sequential.legacy_from_config(OLD)):
        assert [w.shape for w in copy.get_weights()] == [w.shape for w in model.get_weights()]
        copy.set_weights(model.get_weights())
        np.testing.assert_allclose(copy.predict([A, B]), model.predict([A, B]), rtol=1e-5)
    assert [entry["class_name"] for entry in model.legacy_get_config()] == ["Merge", "Dense"]


def old_dense(n, **more):
    return {"class_name": "Dense", "config": {"output_dim": n, "activation": "linear", **more}}


OLD = [
    {
        "class_name": "Merge",
        "config": {
            "mode": "concat",
            "mode_type": "raw",
            "concat_axis": -1,
            "dot_axes": -1,
            "name": "merge_1",
            "layers": [
                {
                    "class_name": "Sequential",
                    "config": [old_dense(2, batch_input_shape=[None, 3]), old_dense(4)],
                },
                {"class_name": "Sequential", "config": [old_dense(4, batch_input_shape=[None, 3])]},
            ],
        },
    },
    old_dense(1),
]


def test_4_24_highway():
    layer = Highway(activation="tanh", input_dim=3)
    result, model = run(layer, A)
    w, w_carry, b, b_carry = layer.get_weights()
    np.testing.assert_array_equal(b_carry, np.ones(3))
    gate = 1 / (1 + np.exp(-(A @ w_carry + b_carry)))
    np.testing.assert_allclose(result, np.tanh(A @ w + b) * gate + (1 - gate) * A, rtol=1e-5)
    copy = clone_model(model)
    copy.set_weights(model.get_weights())
    np.testing.assert_allclose(copy.predict(A), result)


def test_4_24_maxout():
    layer = MaxoutDense(2, nb_feature=3, W_regularizer="l2")
    result, model = run(layer, A)
    w, b = layer.get_weights()
    np.testing.assert_allclose(result, (np.einsum("nd,kdo->nko", A, w) + b).max(axis=1), rtol=1e-5)
    assert len(layer.losses) == 1
    assert clone_model(model).get_weights()[0].shape == (3, 3, 2)


def test_highway_and_maxout_from_files(tmp_path):
    model = Sequential([Highway(input_dim=3, W_regularizer="l2"), MaxoutDense(2)])
    model.save(tmp_path / "m.h5")
    from pykeras.models import load_model

    np.testing.assert_allclose(load_model(tmp_path / "m.h5").predict(A), model.predict(A))


def test_4_24_atrous():
    with pytest.warns(UserWarning, match="`AtrousConvolution1D` layer has been deprecated"):
        assert layers.AtrousConv1D(2, 3, atrous_rate=2).dilation_rate == (2,)
    layer = layers.convolutional.AtrousConv2D(2, 3, 3, atrous_rate=(2, 2))
    assert isinstance(layer, layers.Conv2D) and layer.dilation_rate == (2, 2)
    assert layers.AtrousConv2D is layers.AtrousConvolution2D


class Sum(Recurrent):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        self.input_spec[0] = layers.InputSpec(shape=(input_shape[0], None, input_shape[2]))
        self.states = [None]
        self.state_spec = layers.InputSpec(shape=(input_shape[0], self.units))
        if self.stateful:
            self.reset_states()
        self.built = True

    def step(self, inputs, states):
        total = states[0] + inputs
        return total, [total]


X = np.arange(12, dtype="float32").reshape(2, 3, 2)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("unroll", [False, True])
def test_4_24_recurrent(sequences, backwards, unroll):
    layer = Sum(2, return_sequences=sequences, go_backwards=backwards, unroll=unroll)
    wanted = (X[:, ::-1] if backwards else X).cumsum(axis=1)
    np.testing.assert_allclose(run(layer, X)[0], wanted if sequences else wanted[:, -1])
    assert layer.get_config()["go_backwards"] is backwards
    with pytest.raises(AttributeError, match="must be stateful"):
        layer.reset_states()


def test_4_24_recurrent_states_and_masks():
    x, start = Input((3, 2)), Input((2,))
    output, state = Sum(2, return_state=True)(x, initial_state=start)
    results = Model([x, start], [output, state]).predict([X, np.ones((2, 2))])
    for result in results:
        np.testing.assert_allclose(result, X.sum(axis=1) + 1)

    x = Input((3, 2))
    model = Model(x, Sum(2)(layers.Masking(mask_value=4.0)(x)))
    masked = X.copy()
    masked[0, 2] = 4.0
    np.testing.assert_allclose(model.predict(masked)[0], X[0, :2].sum(axis=0))

    x = Input(batch_shape=(2, 3, 2))
    layer = Sum(2, stateful=True)
    model = Model(x, layer(x))
    model.predict(X, batch_size=2)
    np.testing.assert_allclose(model.predict(X, batch_size=2), 2 * X.sum(axis=1))
    layer.reset_states()
    np.testing.assert_allclose(model.predict(X, batch_size=2), X.sum(axis=1))
    with pytest.raises(ValueError, match="expects 1 states"):
        layer.reset_states([X, X])
    with pytest.raises(NotImplementedError):
        Recurrent().step(None, [])


@pytest.mark.parametrize("name", ["get_initial_state", "get_initial_states"])
def test_recurrent_asks_for_states_by_both_names(name):
    first = lambda self, inputs: [inputs[:, 0] * 10]
    np.testing.assert_allclose(run(type("Own", (Sum,), {name: first})(2), X)[0], X.sum(axis=1) + X[:, 0] * 10)


def test_4_24_conv_recurrent_2d():
    layer = layers.ConvRecurrent2D(4, 3, padding="same", return_sequences=True)
    assert layer.compute_output_shape((None, 5, 8, 8, 1)) == (None, 5, 8, 8, 4)
    assert layers.ConvRecurrent2D.from_config(layer.get_config()).kernel_size == (3, 3)
