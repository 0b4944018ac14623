"""Weights of other times and backends (3.2.10 of the list of behaviours), on stand-ins for layers."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.saving import preprocess_weights_for_loading as convert


def layer(kind, *shapes, **attributes):
    """An object of a class called `kind` with variables of the given shapes."""
    made = type(kind, (), {"name": "x", "non_trainable_weights": [], **attributes})()
    made.weights = made.trainable_weights = [K.zeros(shape) for shape in shapes]
    return made


def numbered(*shapes):
    return [np.arange(np.prod(shape), dtype="float32").reshape(shape) for shape in shapes]


def test_nothing_to_convert():
    weights = numbered((3, 4), (4,))
    for version in ("1.2.2", "2.1.6", "2.11.0", "3.5.0", None):
        got = convert(layer("Dense", (3, 4), (4,)), weights, version, "tensorflow")
        assert all(a is b for a, b in zip(got, weights))
    assert convert(layer("Activation"), []) == []


def test_unknown_backend():  # 3.2.11
    with pytest.raises(ValueError, match="Unknown backend 'abacus'"):
        convert(layer("Dense", (1, 1)), numbered((1, 1)), "2.1.6", "abacus")


# ---- convolutions


@pytest.mark.parametrize("kind", ["Conv1D", "Conv2D", "Conv3D"])
def test_theano_kernels_are_turned(kind):
    shape = (2, 3, 4)[: int(kind[4])] + (2, 5)
    kernel, bias = numbered(shape, (5,))
    target = layer(kind, shape, (5,), data_format="channels_last")
    spatial = (slice(None, None, -1),) * int(kind[4])
    assert np.array_equal(convert(target, [kernel, bias], "2.1.6", "theano")[0], kernel[spatial])
    for backend in ("tensorflow", "cntk", None):
        assert np.array_equal(convert(target, [kernel, bias], "2.1.6", backend)[0], kernel)


def test_a_kernel_that_does_not_fit_is_transposed():
    target = layer("Conv2D", (4, 5, 3, 8), data_format="channels_last")
    kernel = numbered((3, 8, 5, 4))[0]
    got = convert(target, [kernel], "2.0.0", "tensorflow")[0]
    assert np.array_equal(got, kernel.transpose(3, 2, 0, 1))
    # one of another architecture keeps its shape, which the error then shows
    assert convert(target, numbered((7, 8, 5, 4)), "2.0.0", "tensorflow")[0].shape == (7, 8, 5, 4)


def test_keras1_convolutions():
    one = layer("Conv1D", (3, 2, 5), kernel_size=(3,), filters=5, data_format="channels_last")
    kernel = numbered((3, 1, 2, 5))[0]
    assert np.array_equal(convert(one, [kernel], "1.2.2", "tensorflow")[0], kernel[:, 0])
    theano = numbered((5, 2, 3, 1))[0]  # (filters, in, length, 1)
    assert np.array_equal(convert(one, [theano], "1", None)[0], theano[..., 0].transpose(2, 1, 0))

    first = layer("Conv2D", (3, 4, 2, 5), data_format="channels_first")
    kernel = numbered((5, 2, 3, 4))[0]
    expected = kernel.transpose(2, 3, 1, 0)
    assert np.array_equal(convert(first, [kernel], "1.2.2", "tensorflow")[0], expected)
    assert np.array_equal(convert(first, [kernel], "1.2.2", "theano")[0], expected[::-1, ::-1])

    last = layer("Conv2D", (3, 4, 2, 5), data_format="channels_last")
    kernel = numbered((3, 4, 2, 5))[0]
    assert np.array_equal(convert(last, [kernel], "1.2.2", "tensorflow")[0], kernel)

    first = layer("Conv3D", (3, 4, 1, 2, 5), data_format="channels_first")
    kernel = numbered((5, 2, 3, 4, 1))[0]
    expected = kernel.transpose(2, 3, 4, 1, 0)
    assert np.array_equal(convert(first, [kernel], "1.2.2", "tensorflow")[0], expected)
    assert np.array_equal(convert(first, [kernel], "1.2.2", "theano")[0], expected[::-1, ::-1, ::-1])
    last = layer("Conv3D", (3, 4, 1, 2, 5), data_format="channels_last")
    kernel = numbered((3, 4, 1, 2, 5))[0]
    assert np.array_equal(convert(last, [kernel], "1.2.2", "tensorflow")[0], kernel)

    up = layer("Conv2DTranspose", (3, 4, 5, 2), data_format="channels_last")
    kernel = numbered((3, 4, 2, 5))[0]
    assert np.array_equal(convert(up, [kernel], "1.2.2", "tensorflow")[0], kernel.transpose(0, 1, 3, 2))


def test_reshape():  # 3.2.9
    kernel = numbered((6, 5))[0]
    target = layer("Conv1D", (3, 2, 5), kernel_size=(3,), filters=5, data_format="channels_last")
    assert convert(target, [kernel], "2.1.6", "tensorflow")[0].shape == (6, 5)
    got = convert(target, [kernel], "2.1.6", "tensorflow", reshape=True)[0]
    assert np.array_equal(got, kernel.reshape(3, 2, 5))


# ---- recurrent layers


def gates(kind, names, units=2, inputs=3):
    """Keras 1's arrays, gate by gate in the order of `names`, and ours, side by side."""
    w, u, b = (
        {n: np.random.rand(*shape) for n in names} for shape in ((inputs, units), (units, units), (units,))
    )
    stored = [array for n in names for array in (w[n], u[n], b[n])]
    ours = {"LSTM": "ifco", "GRU": "zrh"}[kind]
    wanted = [np.concatenate([part[n] for n in ours], -1) for part in (w, u, b)]
    return stored, wanted


@pytest.mark.parametrize(("kind", "names"), [("LSTM", "icfo"), ("GRU", "zrh")])
def test_keras1_gates(kind, names):
    stored, wanted = gates(kind, names)
    target = layer(kind, *[w.shape for w in wanted], reset_after=False)
    got = convert(target, stored, "1.2.2", "tensorflow")
    assert all(np.array_equal(a, b) for a, b in zip(got, wanted))


def test_wrappers_convert_their_layers():
    stored, wanted = gates("LSTM", "icfo")
    inner = layer("LSTM", *[w.shape for w in wanted])
    both = layer("Bidirectional", forward_layer=inner, backward_layer=inner)
    both.weights = inner.weights * 2
    got = convert(both, stored * 2, "1.2.2", "tensorflow")
    assert all(np.array_equal(a, b) for a, b in zip(got, wanted * 2))
    conv = layer("Conv2D", (3, 3, 1, 1), data_format="channels_last")
    timed = layer("TimeDistributed", layer=conv)
    kernel = numbered((3, 3, 1, 1))[0]
    assert np.array_equal(convert(timed, [kernel], "2.1.6", "theano")[0], kernel[::-1, ::-1])


@pytest.mark.parametrize("count", [4, 3])
def test_cudnn_and_back(count):
    ours, theirs = ("LSTM", "CuDNNLSTM") if count == 4 else ("GRU", "CuDNNGRU")
    units, inputs = 2, 3
    kernel, recurrent = np.random.rand(inputs, count * units), np.random.rand(units, count * units)
    bias = np.random.rand(4 * units) if count == 4 else np.random.rand(2, 3 * units)
    to = convert(layer(theirs), [kernel, recurrent, bias], "2.2.4", "tensorflow")
    assert to[2].shape == (2 * count * units,)
    # cuDNN keeps each gate's matrix by columns
    first = to[0][:, :units]
    assert np.array_equal(first.ravel(), kernel[:, :units].T.ravel())
    assert np.array_equal(to[1][:, :units], recurrent[:, :units].T)
    back = convert(layer(ours, reset_after=True), to, "2.2.4", "tensorflow")
    assert all(np.allclose(a, b) for a, b in zip(back, [kernel, recurrent, bias]))


def test_gru_without_reset_after_has_no_cudnn_form():
    weights = numbered((3, 6), (2, 6), (6,))
    with pytest.raises(ValueError, match="GRU weights cannot be loaded into CuDNNGRU layer 'x'"):
        convert(layer("CuDNNGRU"), weights, "2.2.4", "tensorflow")
    with pytest.raises(ValueError, match="reset_after"):
        convert(layer("GRU", reset_after=False), numbered((3, 6), (2, 6), (12,)), "2.2.4", "tensorflow")


# ---- nested models


def test_nested_models_convert_leaf_by_leaf():
    conv = layer("Conv2D", (3, 3, 1, 1), (1,), data_format="channels_last")
    norm = layer("BatchNormalization", (1,), (1,))
    norm.non_trainable_weights = [K.zeros((1,)), K.zeros((1,))]
    norm.weights = norm.trainable_weights + norm.non_trainable_weights
    model = layer("Model", layers=[norm, conv])
    model.weights = norm.trainable_weights + conv.weights + norm.non_trainable_weights
    weights = numbered((1,), (1,), (3, 3, 1, 1), (1,), (1,), (1,))
    for version in ("2.1.6", "1.2.2"):
        got = convert(model, weights, version, "theano")
        assert np.array_equal(got[2], weights[2][::-1, ::-1])
        assert all(np.array_equal(got[i], weights[i]) for i in (0, 1, 3, 4, 5))
