"""K.rnn, map_fn, foldl, foldr (BEHAVIOURS 5.3, 6.8, 18.12, 18.13)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients, compute, feed

from pykeras import backend as K

W, U = array(3, 4), array(4, 4)


def np_rnn(x, w, u, h, backwards=False, mask=None, zero_before=False):
    """A plain recurrent network; returns all outputs in the order of processing, and the last state."""
    outputs = []
    before = np.zeros_like(h) if zero_before else h
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        new = np.tanh(x[:, t] @ w + h @ u)
        here = np.ones(len(x), bool) if mask is None else mask[:, t].astype(bool)
        h = np.where(here[:, None], new, h)
        before = np.where(here[:, None], new, before)
        outputs.append(before)
    return np.stack(outputs, 1), h


def build(what, **keywords):
    def rnn(x, w, u, h, *mask):
        def step(x, states):
            h = K.tanh(K.dot(x, w) + K.dot(states[0], states[1]))
            return h, [h]

        last, outputs, states = K.rnn(step, x, [h], constants=[u], mask=mask[0] if mask else None, **keywords)
        return {"last": last, "outputs": outputs, "state": states[0]}[what]

    return rnn


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_rnn(backwards, masked, unroll):
    x, h = array(2, 5, 3), array(2, 4)
    arrays = [x, W, U, h]
    if masked:
        arrays.append(np.array([[0, 1, 1, 0, 1], [1, 1, 0, 0, 0]], "float32"))
    for what in ("last", "outputs", "state"):

        def oracle(x, w, u, h, *mask, what=what):
            outputs, state = np_rnn(x, w, u, h, backwards, mask[0] if mask else None, zero_before=unroll)
            return {"last": outputs[:, -1], "outputs": outputs, "state": state}[what]

        graph = build(what, go_backwards=backwards, unroll=unroll)
        if unroll:
            np.testing.assert_allclose(compute(graph, *arrays), oracle(*arrays), rtol=1e-5, atol=1e-5)
        else:
            check(graph, oracle, *arrays)


@pytest.mark.parametrize("unroll", [False, True])
def test_gradients_of_rnn(unroll):
    mask = np.array([[1, 0, 1], [1, 1, 0]])
    graph = lambda x, w, u, h: build("outputs", unroll=unroll)(x, w, u, h, K.constant(mask))
    check_gradients(graph, array(2, 3, 2), array(2, 2), array(2, 2, seed=1), array(2, 2, seed=2))
    graph = lambda x, w, u, h: build("last", unroll=unroll, go_backwards=True)(x, w, u, h)
    check_gradients(graph, array(2, 3, 2), array(2, 2), array(2, 2, seed=1), array(2, 2, seed=2))


def test_shapes_of_rnn():
    x = K.placeholder((None, 7, 3))
    h = K.zeros((K.shape(x)[0], 4))
    w = K.variable(W)

    def step(x, states):
        new = K.relu(K.dot(x, w) + states[0])
        return new, [new]

    last, outputs, states = K.rnn(step, x, [h])
    assert last.shape == (None, 4) == states[0].shape and outputs.shape == (None, 7, 4)


def test_a_step_without_states():
    """As TimeDistributed uses it."""
    w = K.variable(W)
    x = array(2, 5, 3)
    for what in (0, 1):
        got = compute(lambda x, what=what: K.rnn(lambda x, _: (K.dot(x, w), []), x, [])[what], x)
        np.testing.assert_allclose(got, (x @ W)[:, -1] if what == 0 else x @ W, rtol=1e-5)


def test_output_other_than_the_state():
    x = array(2, 4, 3)

    def run(x, what):
        return K.rnn(
            lambda x, s: (K.sum(s[0] + x, -1, keepdims=True), [s[0] + x]), x, [K.zeros_like(x[:, 0])]
        )[what]

    sums = np.cumsum(x, 1)
    check(lambda x: run(x, 1), lambda x: sums.sum(-1, keepdims=True), x)
    check(lambda x: run(x, 0), lambda x: sums[:, -1].sum(-1, keepdims=True), x)


def test_phase_inside_a_step():
    x = K.placeholder((2, 3, 4))
    step = lambda x, s: (K.in_train_phase(x * 10.0, x) + s[0], s)
    last, outputs, _ = K.rnn(step, x, [K.zeros((2, 4))])
    assert last._uses_learning_phase and outputs._uses_learning_phase
    f = K.function([x, K.learning_phase()], [outputs])
    assert f([np.ones((2, 3, 4)), 1])[0].max() == 10 and f([np.ones((2, 3, 4)), 0])[0].max() == 1


def test_rnn_refuses():
    step = lambda x, s: (x, s)
    with pytest.raises(ValueError, match="at least 2D"):
        K.rnn(step, K.placeholder((2,)), [])
    with pytest.raises(ValueError, match="fixed number of timesteps"):
        K.rnn(step, K.placeholder((2, None, 3)), [], unroll=True)
    with pytest.raises(ValueError, match="No initial states"):
        K.rnn(step, K.placeholder((2, 3, 3)), [], mask=K.placeholder((2, 3)))
    with pytest.raises(ValueError, match="states"):
        K.rnn(lambda x, s: (x, []), K.placeholder((2, 3, 3)), [K.zeros((2, 3))])
    with pytest.raises(ValueError):
        K.rnn(lambda x, s: (x, [x]), K.placeholder((2, 3, 3)), [K.zeros((2, 5))])


def test_map_fn():
    x, y = array(4, 3), array(4, 3, seed=1)
    check(lambda x: K.map_fn(lambda v: K.sum(v) * v, x), lambda x: x.sum(1, keepdims=True) * x, x)
    check(lambda x, y: K.map_fn(lambda v: v[0] * v[1], [x, y]), lambda x, y: x * y, x, y)
    inputs = feed(x)
    two = K.map_fn(lambda v: [v * 2.0, K.max(v)], inputs[0])
    got = K.function(inputs, two)([x])
    np.testing.assert_allclose(got[1], x.max(1))
    check_gradients(lambda x: K.map_fn(lambda v: K.sum(v) * v, x), x)


def test_folds():
    x = array(5, 3)
    less = lambda a, b: a * 0.5 - b
    check(lambda x: K.foldl(less, x), lambda x: np_fold(less, x), x)
    check(lambda x: K.foldr(less, x), lambda x: np_fold(less, x[::-1]), x)
    start = np.ones(3, "float32")
    check(lambda x: K.foldl(less, x, start), lambda x: np_fold(less, x, start), x)
    check(lambda x: K.foldr(less, x, K.constant(start)), lambda x: np_fold(less, x[::-1], start), x)
    check_gradients(lambda x: K.foldl(lambda a, b: a * b, x), x)


def np_fold(f, x, start=None):
    items = list(x)
    value = items.pop(0) if start is None else start
    for item in items:
        value = f(value, item)
    return value
