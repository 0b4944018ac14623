"""The errors and warnings that users search for: type and words (BEHAVIOURS 20, bullet by bullet)."""

import builtins
import re

import numpy as np
import pytest

from pykeras import (
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from pykeras import backend as K
from pykeras import layers as L
from pykeras.layers import Dense, Input, InputSpec, Layer
from pykeras.models import Model, Sequential, load_model, save_model

X, Y = np.ones((8, 3)), np.ones((8, 1))


def small(**kwargs):
    model = Sequential([Dense(1, input_shape=(3,), name="d", **kwargs)])
    model.compile("sgd", "mse")
    return model


# 20.1: ranks, shapes, numbers of inputs


def test_shapes_at_fit():
    with pytest.raises(ValueError, match="Error when checking input: expected d_input to have 2 dimensions"):
        small().fit(np.ones((8, 3, 1)), Y)
    with pytest.raises(ValueError, match=r"expected d to have shape \(1,\) but got array with shape \(2,\)"):
        small().fit(X, np.ones((8, 2)))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (InputSpec(ndim=3), "expected ndim=3, found ndim=2"),
        (InputSpec(min_ndim=3), "expected min_ndim=3, found ndim=2"),
        (InputSpec(max_ndim=1), "expected max_ndim=1, found ndim=2"),
        (InputSpec(axes={-1: 5}), "expected axis -1 of input shape to have value 5"),
        (InputSpec(shape=(None, 5)), r"expected shape=\(None, 5\), found shape=\(None, 3\)"),
        (InputSpec(dtype="int32"), "expected dtype=int32, found dtype=float32"),
        ([InputSpec(ndim=2), InputSpec(ndim=2)], "expects 2 inputs, but it received 1 input tensors"),
    ],
)
def test_shapes_at_graph_time(spec, words):
    layer = Layer(name="x")
    layer.input_spec = spec
    with pytest.raises(ValueError, match=words) as error:
        layer(Input((3,)))
    assert "layer x" in str(error.value).lower()


def test_number_of_inputs():
    layer = Dense(2, name="x")
    layer(Input((3,)))
    with pytest.raises(ValueError, match="Layer x expects 1 inputs, but it received 2 input tensors"):
        layer([Input((3,)), Input((3,))])


# 20.2, 20.3, 20.4


@pytest.mark.parametrize("thing", [np.ones((2, 3)), 3, "text", [1.0, 2.0]])
def test_not_a_tensor(thing):
    with pytest.raises(ValueError, match="isn't a symbolic tensor"):
        Dense(1)(thing)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_not_compiled(method):
    x = Input((3,))
    model = Model(x, Dense(1)(x))
    with pytest.raises(RuntimeError, match=r"You must compile a model before training/testing\."):
        getattr(model, method)(X, Y)
    stack = Sequential([Dense(1, input_shape=(3,))])
    with pytest.raises(RuntimeError, match=r"The model needs to be compiled before being used\."):
        getattr(stack, method)(X, Y)


@pytest.mark.parametrize("method", ["_make_train_function", "_make_test_function"])
def test_functions_of_a_model_that_is_not_compiled(method):
    x = Input((3,))
    with pytest.raises(RuntimeError, match=r"You must compile your model before using it\."):
        getattr(Model(x, Dense(1)(x)), method)()


def test_no_input_shape():
    words = "must get an `input_shape` or `batch_input_shape` argument"
    with pytest.raises(ValueError, match=words):
        Sequential([Dense(1)]).build()


# 20.5: graphs


def test_several_nodes():
    layer = Dense(1, name="shared")
    layer(Input((3,)))
    layer(Input((3,)))
    with pytest.raises(AttributeError, match="shared has multiple inbound nodes"):
        layer.output  # noqa: B018


def test_graphs():
    x = Input((3,))
    y = Dense(1)(x)
    with pytest.raises(RuntimeError, match="Graph disconnected"):
        Model(Input((3,)), y)
    with pytest.raises(TypeError, match=r"Output tensors to a Model must be Keras tensors.*Lambda") as error:
        Model(x, K.square(y))
    assert "square" in str(error.value).lower()
    with pytest.raises(TypeError, match="Input tensors to a Model must be Keras tensors"):
        Model(K.placeholder((None, 3)), y)


# 20.6: files


def test_weights_of_another_model(tmp_path):
    small().save_weights(tmp_path / "one.h5")
    two = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
    words = "You are trying to load a weight file containing 1 layers into a model with 2 layers."
    with pytest.raises(ValueError, match=re.escape(words)):
        two.load_weights(tmp_path / "one.h5")


# 20.7: recurrent layers


def test_recurrent():
    model = Sequential([layers.LSTM(1, stateful=True, batch_input_shape=(4, 2, 3))])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"divided by the batch size.*6 samples"):
        model.fit(np.ones((6, 2, 3)), np.ones((6, 1)), batch_size=4)
    with pytest.raises(
        ValueError, match="Cannot unroll a RNN if the time dimension is undefined or equal to 1"
    ):
        layers.GRU(2, unroll=True)(Input((None, 3)))
    with pytest.raises(ValueError, match="mix of Keras tensors and non-Keras tensors"):
        layers.LSTM(2)(Input((4, 3)), initial_state=[Input((2,)), K.zeros((1, 2))])
    with pytest.raises(ValueError, match="it needs to know its batch size"):
        layers.GRU(2, stateful=True)(Input((4, 3)))


# 20.8: names


@pytest.mark.parametrize(
    ("get", "unknown", "uninterpretable"),
    [
        (initializers.get, "Unknown initializer", "Could not interpret initializer identifier"),
        (regularizers.get, "Unknown regularizer", "Could not interpret regularizer identifier"),
        (constraints.get, "Unknown constraint", "Could not interpret constraint identifier"),
        (
            activations.get,
            "Unknown activation function",
            "Could not interpret activation function identifier",
        ),
        (losses.get, "Unknown loss function", "Could not interpret loss function identifier"),
        (metrics.get, "Unknown metric function", "Could not interpret metric function identifier"),
        (optimizers.get, "Unknown optimizer", "Could not interpret optimizer identifier"),
    ],
)
def test_names(get, unknown, uninterpretable):
    with pytest.raises(ValueError, match=f"{unknown}: ?no_such_thing"):
        get("no_such_thing")
    with pytest.raises(ValueError, match=uninterpretable):
        get(3.5)


def test_name_of_a_layer():
    with pytest.raises(ValueError, match=r"Unknown layer: ?NoSuchThing"):
        layers.deserialize({"class_name": "NoSuchThing", "config": {}})


# 20.9: merges


def test_merges():
    a, b = Input((2, 3)), Input((4, 3))
    words = r"Operands could not be broadcast together with shapes \(2, 3\) \(4, 3\)"
    with pytest.raises(ValueError, match=words):
        layers.add([a, b])
    with pytest.raises(ValueError, match="matching shapes except for the concat axis"):
        layers.concatenate([a, b])


# 20.10: keywords


def test_keywords():
    with pytest.raises(TypeError, match=r"Keyword argument not understood: .*unit"):
        Dense(2, unit=3)
    with pytest.raises(TypeError, match=r"Unrecognized keyword arguments: .*colour"):
        small().fit(X, Y, colour=1)
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: rate"):
        optimizers.SGD(rate=1)


# 20.11: packages that are not there


def test_no_h5py(monkeypatch, tmp_path):
    plain = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "h5py":
            raise ImportError("no h5py")
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for call, name in (
        (lambda: save_model(small(), tmp_path / "m.h5"), "save_model"),
        (lambda: load_model(tmp_path / "m.h5"), "load_model"),
        (lambda: small().save_weights(tmp_path / "w.h5"), "save_weights"),
    ):
        with pytest.raises(ImportError, match=f"`{name}` requires h5py"):
            call()


# 20.12: warnings


def test_warnings_name_what_there_is(tmp_path):
    x = Input((3,))
    h = Dense(1, name="p")(x)
    with pytest.warns(UserWarning, match='Output "q" missing from loss dictionary'):
        Model(x, [h, layers.Activation("relu", name="q")(h)]).compile("sgd", {"p": "mse"})
    for callback in (callbacks.EarlyStopping("val_acc"), callbacks.ReduceLROnPlateau("val_acc")):
        with pytest.warns(Warning, match="conditioned on metric `val_acc` which is not available.*loss"):
            small().fit(X, Y, callbacks=[callback], verbose=0)
    model = small()
    model.train_on_batch(X, Y)
    model.layers[0].trainable = False
    words = "Discrepancy between trainable weights and collected trainable weights"
    with pytest.warns(UserWarning, match=words):
        model.train_on_batch(X, Y)
    Sequential([Dense(1, input_shape=(3,))]).save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="No training configuration found in save file"):
        load_model(tmp_path / "m.h5")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda n: L.Dense(n), "units"),
        (lambda n: L.LSTM(n), "units"),
        (lambda n: L.CuDNNGRU(n), "units"),
        (lambda n: L.Conv1D(n, 3), "filters"),
        (lambda n: L.SeparableConv2D(n, 3), "filters"),
        (lambda n: L.Conv3DTranspose(n, 3), "filters"),
        (lambda n: L.LocallyConnected1D(n, 3), "filters"),
        (lambda n: L.ConvLSTM2D(n, 3), "filters"),
        (lambda n: L.Embedding(n, 3), "input_dim"),
        (lambda n: L.Embedding(3, n), "output_dim"),
        (lambda n: L.RepeatVector(n), "n"),
    ],
)
def test_numbers_of_units(make, name):
    for wrong in (0, -3, 2.5):
        with pytest.raises(ValueError, match=f"The `{name}` argument must be a whole number above 0"):
            make(wrong)
    made = make(8 / 2).get_config()[name]
    assert made == 4 and type(made) is int
