"""Helpers of the backend tests: feeding arrays, numerical gradients."""

from __future__ import annotations

import numpy as np

from pykeras import backend as K


def feed(*arrays, unknown=False):
    """Placeholders for arrays: of their shapes, or with every size unknown."""
    return [
        K.placeholder((None,) * a.ndim if unknown else a.shape, dtype=a.dtype.name)
        for a in map(np.asarray, arrays)
    ]


def compute(build, *arrays, unknown=False, phase=None):
    """The value of build(placeholders…) for these arrays."""
    inputs = feed(*arrays, unknown=unknown)
    output = build(*inputs)
    if phase is None:
        return K.function(inputs, [output])(list(arrays))[0]
    return K.function([*inputs, K.learning_phase()], [output])([*arrays, phase])[0]


def check(build, oracle, *arrays, tol=1e-5, shape=None):
    """build must give what oracle gives, with known and with unknown sizes; shapes must be as announced."""
    want = np.asarray(oracle(*arrays))
    for unknown in (False, True):
        inputs = feed(*arrays, unknown=unknown)
        output = build(*inputs)
        got = np.asarray(K.function(inputs, [output])(list(arrays))[0])
        assert got.shape == want.shape
        assert len(output.shape) == want.ndim
        assert all(n is None or n == m for n, m in zip(output.shape, want.shape)), (output.shape, want.shape)
        if not unknown:
            assert None not in output.shape
        assert got.dtype.name == output.dtype
        np.testing.assert_allclose(got, want, rtol=tol, atol=tol)


def check_gradients(build, *arrays, eps=1e-6, tol=1e-6):
    """Gradients of a weighted sum of build(…) against central differences, in float64."""
    arrays = [np.asarray(a, dtype="float64") for a in arrays]
    inputs = feed(*arrays)
    output = build(*inputs)
    sizes = tuple(output.shape)
    weights = np.random.RandomState(7).normal(size=sizes)
    loss = K.sum(output * weights)
    value = K.function(inputs, [loss])
    gradients = K.function(inputs, K.gradients(loss, inputs))(list(arrays))
    for which, (array, gradient) in enumerate(zip(arrays, gradients)):
        assert gradient.shape == array.shape
        for place in np.ndindex(*array.shape):
            moved = [a.copy() for a in arrays]
            moved[which][place] += eps
            up = value(moved)[0]
            moved[which][place] -= 2 * eps
            down = value(moved)[0]
            np.testing.assert_allclose(gradient[place], (up - down) / (2 * eps), rtol=1e-4, atol=tol)


def array(*shape, seed=0, low=-2.0, high=2.0, dtype="float32"):
    """Reproducible numbers from [low, high)."""
    return np.random.RandomState(seed + 31 * len(shape) + sum(shape)).uniform(low, high, shape).astype(dtype)
