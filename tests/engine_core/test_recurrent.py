"""LSTM and GRU as fused ops: against NumPy, against their own definition as a scan, gradients twice."""

import itertools

import numpy as np
import pytest
from cases.recurrent import ACTIVATIONS, gru, lstm

from pykeras import _core


def arrays(kind, reset_after=False, masked=False, steps=4, batch=3, units=5, dtype="float64", seed=0):
    rng = np.random.RandomState(seed)
    gates = 4 if kind == "lstm" else 3
    out = [
        rng.randn(steps, batch, gates * units),
        rng.randn(units, gates * units) * 0.5,
        rng.randn(batch, units),
    ]
    if kind == "lstm":
        out.append(rng.randn(batch, units))
    if reset_after:
        out.append(rng.randn(gates * units))
    out = [a.astype(dtype) for a in out]
    if masked:
        mask = rng.rand(steps, batch) > 0.4
        mask[:, 0] = False  # a row that is masked throughout
        out.append(mask)
    return out


def oracle(kind, data, **options):
    return (lstm if kind == "lstm" else gru)(*data, **options)


def graph(kind, data, **attrs):
    # Steps and rows of a batch are unknown.
    unknown = {0: 2, 2: 1, len(data) - 1: 2 if data[-1].dtype == bool else 1}
    if kind == "lstm":
        unknown[3] = 1
    inputs = []
    for i, a in enumerate(data):
        k = unknown.get(i, 0) if a.ndim > 1 else 0
        inputs.append(_core.placeholder((None,) * k + a.shape[k:], a.dtype.name, "in"))
    return inputs, _core.op(kind, inputs, attrs, kind)


CASES = [
    (kind, after, masked, reverse)
    for kind, after in [("lstm", False), ("gru", False), ("gru", True)]
    for masked, reverse in itertools.product([False, True], repeat=2)
]


@pytest.fixture(params=["reference", *_core.isas()])
def place(request):
    """Every device, and every instruction set of the CPU."""
    before = _core.isa()
    if request.param == "reference":
        _core.set_device("reference")
    else:
        _core.set_isa(request.param)
    yield request.param
    _core.set_device("cpu")
    _core.set_isa(before)


@pytest.mark.parametrize(("kind", "after", "masked", "reverse"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values(place, kind, after, masked, reverse, dtype):
    for steps, batch, units in [(4, 3, 5), (1, 1, 1), (3, 19, 33)]:
        data = arrays(kind, after, masked, steps, batch, units, dtype)
        inputs, out = graph(kind, data, reset_after=after, masked=masked, reverse=reverse)
        n = 2 if kind == "lstm" else 1
        got = _core.Function(inputs, out[:n], [], "f")(data)
        got_saving = _core.Function(inputs, out, [], "f")(data)
        want = oracle(kind, data, reset_after=after, masked=masked, reverse=reverse)
        for a, b, c in zip(got, want, got_saving):
            np.testing.assert_allclose(a, b, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-6)
            np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
@pytest.mark.parametrize("act", ACTIVATIONS)
def test_activations(place, kind, act):
    for act_, rec_act in [(act, "sigmoid"), ("tanh", act)]:
        data = [a * 0.3 for a in arrays(kind)]
        inputs, out = graph(kind, data, act=act_, rec_act=rec_act)
        want = oracle(kind, data, act=act_, rec_act=rec_act)
        got = _core.Function(inputs, out[:1], [], "f")(data)[0]
        np.testing.assert_allclose(got, want[0], rtol=1e-9)
        check_gradients(kind, data, inputs, out, 1)


def scalar_loss(out, n, seed=5):
    rng = np.random.RandomState(seed)
    total = None
    for value in out[:n]:
        weights = _core.constant(rng.randn(value.shape[-1]))
        part = _core.op("mul", [value, weights], {})[0]
        part = _core.op("sum", [part], {"axes": list(range(len(value.shape)))})[0]
        total = part if total is None else _core.op("add", [total, part], {})[0]
    return total


def check_gradients(kind, data, inputs, out, n, eps=1e-6, rtol=1e-5):
    loss = scalar_loss(out, n)
    floats = [i for i, a in enumerate(data) if a.dtype != bool]
    f = _core.Function(inputs, [loss], [], "loss")
    grads = _core.Function(inputs, _core.gradients([loss], [inputs[i] for i in floats]), [], "gradients")(
        data
    )
    rng = np.random.RandomState(7)
    for i, g in zip(floats, grads):
        # A random direction tests all elements at once.
        d = rng.randn(*data[i].shape)
        ends = []
        for sign in (1, -1):
            moved = [a + sign * eps * d if j == i else a for j, a in enumerate(data)]
            ends.append(float(f(moved)[0]))
        np.testing.assert_allclose((g * d).sum(), (ends[0] - ends[1]) / (2 * eps), rtol=rtol, atol=1e-7)


@pytest.mark.parametrize(("kind", "after", "masked", "reverse"), CASES)
def test_gradients(place, kind, after, masked, reverse):
    data = arrays(kind, after, masked)
    inputs, out = graph(kind, data, reset_after=after, masked=masked, reverse=reverse, rec_act="sigmoid")
    check_gradients(kind, data, inputs, out, 2 if kind == "lstm" else 1)


@pytest.mark.parametrize(("kind", "after", "masked", "reverse"), CASES)
def test_second_derivatives(kind, after, masked, reverse):
    data = arrays(kind, after, masked, steps=3, batch=2, units=2)
    inputs, out = graph(kind, data, reset_after=after, masked=masked, reverse=reverse, rec_act="sigmoid")
    (g,) = _core.gradients([scalar_loss(out, 1)], [inputs[1]])
    square = _core.op("square", [g], {})[0]
    check_gradients(kind, data, inputs, [square], 1, rtol=1e-4)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_same_bits_for_any_threads_and_any_batch(kind):
    data = arrays(kind, batch=50, units=40, steps=6, dtype="float32")
    inputs, out = graph(kind, data)
    loss = _core.op("sum", [_core.op("square", [out[0]], {})[0]], {"axes": [0, 1, 2]})[0]
    f = _core.Function(inputs, [out[0], *_core.gradients([loss], inputs)], [], "f")
    try:
        results = []
        for threads in (1, 2, 7):
            _core.set_num_threads(threads)
            results.append(f(data))
        for other in results[1:]:
            for a, b in zip(results[0], other):
                np.testing.assert_array_equal(a, b)
    finally:
        _core.set_num_threads(0)
    predict = _core.Function(inputs, out[:1], [], "predict")
    some = [data[0][:, 7:12], data[1], *(a[7:12] for a in data[2:])]
    np.testing.assert_array_equal(predict(some)[0], results[0][0][:, 7:12])


def test_errors_name_what_does_not_fit():
    data = arrays("lstm")
    data[2] = np.zeros((3, 6))
    with pytest.raises(ValueError, match=r"'lstm' of 'lstm'.*units of weights and state differ.*\(None, 6\)"):
        graph("lstm", data)
    with pytest.raises(ValueError, match="takes 5 inputs"):
        graph("lstm", arrays("lstm"), masked=True)
