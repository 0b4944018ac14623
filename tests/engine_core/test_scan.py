"""The loop over a sequence: values, gradients, what it captures, random draws."""

import numpy as np
import pytest

from pykeras import _core


def op(name, *inputs, scope="", **attrs):
    return _core.op(name, list(inputs), attrs, scope)[0]


def const(x):
    return _core.constant(np.asarray(x, "float64"))


def rnn(x, h0, w, u, reverse=False, steps=None):
    """tanh(x·w + h·u) over time-major x; returns the last state and the sequence of states."""
    units = u.shape[1]
    h = _core.placeholder((None, units), "float64", "h")
    x_t = _core.placeholder((None, x.shape[-1]), "float64", "x_t")
    new = op("tanh", op("add", op("matmul", x_t, w), op("matmul", h, u)))
    return _core.scan([h], [x_t], [new], [new], [h0], [x], reverse=reverse, scope="rnn")


def numpy_rnn(x, h, w, u, reverse=False):
    out = np.zeros((len(x), *h.shape))
    for t in range(len(x))[:: -1 if reverse else 1]:
        out[t] = h = np.tanh(x[t] @ w + h @ u)
    return h, out


@pytest.fixture(params=["cpu", "reference"])
def device(request):
    _core.set_device(request.param)
    yield
    _core.set_device("cpu")


@pytest.fixture
def data():
    rng = np.random.RandomState(0)
    return [rng.randn(5, 2, 3), rng.randn(2, 4), rng.randn(3, 4) * 0.5, rng.randn(4, 4) * 0.5]


@pytest.mark.parametrize("reverse", [False, True])
def test_values(device, data, reverse):
    x = _core.placeholder((None, None, 3), "float64", "x")
    last, sequence = rnn(x, *map(const, data[1:]), reverse=reverse)
    assert sequence.shape == (None, 2, 4)
    f = _core.Function([x], [last, sequence], [], "f")
    for steps in (5, 1):
        got = f([data[0][:steps]])
        want = numpy_rnn(data[0][:steps], *data[1:], reverse=reverse)
        for a, b in zip(got, want):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_no_steps(data):
    x = _core.placeholder((None, 2, 3), "float64", "x")
    last, sequence = rnn(x, *map(const, data[1:]))
    got = _core.Function([x], [last, sequence], [], "f")([data[0][:0]])
    np.testing.assert_array_equal(got[0], data[1])
    assert got[1].shape == (0, 2, 4)


def loss_of(values, reverse=False):
    last, sequence = rnn(*values, reverse=reverse)
    weights = const(np.random.RandomState(1).randn(5, 2, 4))
    return op(
        "add",
        op("sum", op("square", last), axes=[0, 1]),
        op("sum", op("mul", sequence, weights), axes=[0, 1, 2]),
    )


def numeric(f, arrays, i, eps=1e-6):
    grad = np.zeros_like(arrays[i])
    for at in np.ndindex(*grad.shape):
        ends = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[i][at] += sign * eps
            ends.append(float(f(moved)))
        grad[at] = (ends[0] - ends[1]) / (2 * eps)
    return grad


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_of_everything(device, data, reverse):
    inputs = [_core.placeholder(a.shape, "float64", "in") for a in data]
    loss = loss_of(inputs, reverse)
    f = _core.Function(inputs, [loss], [], "loss")
    grads = _core.Function(inputs, _core.gradients([loss], inputs), [], "gradients")(data)
    for i, g in enumerate(grads):
        np.testing.assert_allclose(g, numeric(lambda a: f(a)[0], data, i), rtol=1e-6, atol=1e-7)


def test_second_derivatives(data):
    inputs = [_core.placeholder(a.shape, "float64", "in") for a in data]
    (gu,) = _core.gradients([loss_of(inputs)], [inputs[3]])
    penalty = op("sum", op("square", gu), axes=[0, 1])
    f = _core.Function(inputs, [penalty], [], "penalty")
    (gw,) = _core.gradients([penalty], [inputs[2]])
    got = _core.Function(inputs, [gw], [], "second")(data)[0]
    np.testing.assert_allclose(got, numeric(lambda a: f(a)[0], data, 2), rtol=1e-5, atol=1e-6)


def test_a_map_has_no_state():
    x = _core.placeholder((None, 3), "float64", "x")
    x_t = _core.placeholder((3,), "float64", "x_t")
    (y,) = _core.scan([], [x_t], [], [op("square", x_t)], [], [x])
    data = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(_core.Function([x], [y], [], "f")([data])[0], data**2)


def test_dropout_draws_anew_in_every_step_and_the_same_backwards():
    x = _core.placeholder((None, 50), "float64", "x")
    s, x_t = _core.placeholder((50,), "float64", "s"), _core.placeholder((50,), "float64", "x_t")
    dropped = op("dropout", x_t, rate=0.5, seed=11)
    last, sequence = _core.scan([s], [x_t], [op("add", s, dropped)], [dropped], [const(np.zeros(50))], [x])
    (gx,) = _core.gradients([op("sum", last, axes=[0])], [x])
    seq, g = _core.Function([x], [sequence, gx], [], "f")([np.ones((4, 50))])
    assert (seq[0] != seq[1]).any()
    np.testing.assert_array_equal(seq, g)


def test_a_state_must_keep_its_shape():
    x = _core.placeholder((None, 2), "float64", "x")
    s, x_t = _core.placeholder((2,), "float64", "s"), _core.placeholder((2,), "float64", "x_t")
    with pytest.raises(ValueError, match=r"'my_rnn'.*starts with shape.*and becomes"):
        _core.scan([s], [x_t], [op("concat", s, x_t, axis=0)], [], [const([0.0, 0.0])], [x], scope="my_rnn")


def test_what_was_drawn_before_the_loop_is_the_same_in_every_step():
    x = _core.placeholder((None, 50), "float64", "x")
    mask = op("dropout", const(np.ones(50)), rate=0.5, seed=11)
    s, x_t = _core.placeholder((50,), "float64", "s"), _core.placeholder((50,), "float64", "x_t")
    dropped = op("mul", x_t, op("square", mask))
    last, sequence = _core.scan([s], [x_t], [op("add", s, dropped)], [dropped], [const(np.zeros(50))], [x])
    (gx,) = _core.gradients([op("sum", last, axes=[0])], [x])
    seq, g, m = _core.Function([x], [sequence, gx, mask], [], "f")([np.ones((4, 50))])
    np.testing.assert_array_equal(seq, np.tile(m**2, (4, 1)))
    np.testing.assert_array_equal(seq, g)
