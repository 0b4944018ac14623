"""Convolutions, poolings, padding, resizing over three spatial axes (BEHAVIOURS 4.9-4.15, 18.10, 18.11)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from backend.test_conv import first, windows
from backend.tools import array, check, check_gradients, compute

from pykeras import backend as K

LAST, FIRST = "channels_last", "channels_first"


def np_windows(x, size, strides, dilation, padding, fill=0.0):
    """(samples, three places, three taps, channels): the cells under the kernel."""
    axes = [windows(x.shape[1 + i], size[i], strides[i], dilation[i], padding) for i in range(3)]
    x = np.pad(x, ((0, 0), *((before, after) for _, before, after in axes), (0, 0)), constant_values=fill)
    out = np.empty((len(x), *(n for n, _, _ in axes), *size, x.shape[-1]), x.dtype)
    for tap in itertools.product(*map(range, size)):
        begin = [t * d for t, d in zip(tap, dilation)]
        cells = [slice(b, b + s * (n - 1) + 1, s) for b, s, (n, _, _) in zip(begin, strides, axes)]
        out[:, :, :, :, tap[0], tap[1], tap[2]] = x[:, cells[0], cells[1], cells[2]]
    return out


def np_conv3d(x, k, strides=(1, 1, 1), padding="valid", dilation=(1, 1, 1)):
    return np.einsum("nzyxabci,abcio->nzyxo", np_windows(x, k.shape[:3], strides, dilation, padding), k)


def np_transposed(g, k, shape, strides, padding):
    """What `shape` gets back when np_conv3d with the kernel's channels swapped gave g."""
    place = np.arange(np.prod(shape[1:4]), dtype="float64").reshape(1, *shape[1:4], 1) + 1  # 0: padding
    under = np_windows(place, k.shape[:3], strides, (1, 1, 1), padding).astype(int)[0, ..., 0]
    out = np.zeros((shape[0], place.size + 1, shape[4]))
    for at in np.ndindex(*under.shape):
        out[:, under[at]] += g[:, at[0], at[1], at[2]] @ k[at[3:]].T
    return out[:, 1:].reshape(shape)


CONFIGS = [
    ((3, 3, 3), (1, 1, 1), "valid", (1, 1, 1)),
    ((3, 2, 3), (1, 1, 1), "same", (1, 1, 1)),
    ((2, 3, 2), (2, 1, 3), "same", (1, 1, 1)),
    ((1, 3, 2), (2, 2, 1), "valid", (1, 1, 1)),
    ((3, 2, 2), (1, 1, 1), "same", (2, 1, 3)),
    ((2, 2, 1), (1, 1, 1), "valid", (2, 3, 1)),
    ((1, 1, 1), (2, 2, 2), "same", (1, 1, 1)),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_conv3d(config):
    """BEHAVIOURS 4.9, 4.10, 18.11, in both layouts."""
    size, strides, padding, dilation = config
    oracle = lambda x, k: np_conv3d(x, k, strides, padding, dilation)
    k = array(*size, 3, 4)
    build = lambda x, k: K.conv3d(x, k, strides, padding, LAST, dilation)
    check(build, oracle, array(2, 5, 6, 4, 3), k, tol=1e-4)
    build = lambda x, k: K.conv3d(x, k, strides, padding, FIRST, dilation)
    check(build, first(oracle), array(2, 3, 5, 6, 4), k, tol=1e-4)


def test_numbers_and_layouts():
    """One int stands for three, and the configured layout for None."""
    x, k = array(1, 4, 4, 5, 2), array(2, 2, 2, 2, 3)
    got = compute(lambda x, k: K.conv3d(x, k, 2, "SAME"), x, k)
    np.testing.assert_allclose(got, np_conv3d(x, k, (2, 2, 2), "same"), rtol=1e-4, atol=1e-5)
    K.set_image_data_format(FIRST)
    assert K.conv3d(K.placeholder((None, 2, 7, 6, 5)), K.variable(k)).shape == (None, 3, 6, 5, 4)
    assert K.pool3d(K.placeholder((None, 2, 7, 6, 5)), 2, 2).shape == (None, 2, 3, 3, 2)


TRANSPOSED = [
    ((3, 3, 3), (2, 2, 2), "same", (6, 4, 8)),
    ((2, 3, 1), (1, 2, 3), "valid", (4, 5, 12)),
    ((2, 2, 2), (3, 3, 3), "valid", (9, 6, 12)),
    ((3, 2, 3), (1, 1, 1), "same", (3, 2, 4)),
    ((3, 3, 3), (2, 2, 2), "same", (5, 3, 7)),
]


@pytest.mark.parametrize(("size", "strides", "padding", "out"), TRANSPOSED, ids=str)
def test_conv3d_transpose(size, strides, padding, out):
    """BEHAVIOURS 4.11."""
    k = array(*size, 2, 5)
    oracle = lambda x, k: np_transposed(x, k, (2, *out, 2), strides, padding)
    build = lambda x, k: K.conv3d_transpose(x, k, (2, *out, 2), strides, padding, LAST)
    check(build, oracle, array(2, 3, 2, 4, 5), k, tol=1e-4)
    build = lambda x, k: K.conv3d_transpose(x, k, (2, 2, *out), strides, padding, FIRST)
    check(build, first(oracle), array(2, 5, 3, 2, 4), k, tol=1e-4)


@pytest.mark.parametrize("axes", [2, 3])
def test_transposed_of_unknown_sizes(axes):
    """Sizes that are tensors, or None, are those of Keras's layers: with output_padding and dilation too."""
    convolve = K.conv2d_transpose if axes == 2 else K.conv3d_transpose
    known = (3, 2, 4)[:axes]
    x, k = K.placeholder((None,) * (axes + 1) + (5,)), K.variable(array(*(3, 2, 3)[:axes], 2, 5))
    data = array(2, *known, 5)
    fixed = K.placeholder(data.shape)
    for strides, padding, more, out in [
        (2, "same", {}, (6, 4, 8)),
        (2, "valid", {}, (7, 4, 9)),
        (3, "valid", {"output_padding": 1}, (10, 6, 13)),
        (2, "same", {"output_padding": (0, 1, 0)[:axes]}, (5, 3, 7)),
        (1, "valid", {"dilation_rate": 2}, (7, 4, 8)),
        (1, "same", {"dilation_rate": 3}, known),
    ]:
        options = {"strides": strides, "padding": padding, **more}
        y = convolve(x, k, (K.shape(x)[0], *(None,) * axes, 2), **options)
        assert y.shape == (None,) * (axes + 1) + (2,)
        want = convolve(fixed, k, (2, *out[:axes], 2), **options)
        got, want = K.function([x], [y])([data])[0], K.function([fixed], [want])([data])[0]
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"),
    [((2, 2, 2), (2, 2, 2)), ((3, 2, 1), (1, 1, 1)), ((3, 3, 3), (2, 2, 2)), ((1, 2, 3), (2, 3, 1))],
)
def test_pool3d(size, strides, padding):
    """BEHAVIOURS 4.15: padding takes no part."""
    one = (1, 1, 1)

    def biggest(x):
        return np_windows(x, size, strides, one, padding, -np.inf).max((4, 5, 6))

    def average(x):
        return np.nanmean(np_windows(x, size, strides, one, padding, np.nan), axis=(4, 5, 6))

    for mode, oracle in (("max", biggest), ("avg", average)):
        check(lambda x, m=mode: K.pool3d(x, size, strides, padding, LAST, m), oracle, array(2, 5, 4, 7, 3))
        check(
            lambda x, m=mode: K.pool3d(x, size, strides, padding, FIRST, m),
            first(oracle),
            array(2, 3, 5, 4, 7),
        )


def test_gradients():
    x = array(1, 3, 4, 3, 2)
    check_gradients(
        lambda x, k: K.conv3d(x, k, (2, 1, 1), "same", dilation_rate=(1, 1, 1)), x, array(2, 3, 2, 2, 2)
    )
    check_gradients(lambda x, k: K.conv3d(x, k, 1, "valid", None, (2, 1, 1)), x, array(2, 2, 1, 2, 2))
    check_gradients(
        lambda x, k: K.conv3d_transpose(x, k, (1, 5, 8, 6, 2), (2, 2, 2), "same"),
        array(1, 3, 4, 3, 2),
        array(2, 3, 2, 2, 2),
    )
    for mode in ("max", "avg"):
        check_gradients(lambda x, mode=mode: K.pool3d(x, (2, 3, 2), (1, 2, 2), "same", None, mode), x)


def test_second_derivative_through_max_pooling():
    x = K.placeholder((1, 2, 4, 4, 1), dtype="float64")
    where = K.gradients(K.sum(K.square(K.pool3d(x, (2, 2, 2), (2, 2, 2)))), x)[0]
    twice = K.gradients(K.sum(where), x)[0]
    data = np.arange(32.0).reshape(1, 2, 4, 4, 1)
    got = K.function([x], [twice])([data])[0].reshape(2, 4, 4)
    want = np.zeros((2, 4, 4))
    want[1, 1::2, 1::2] = 2  # the largest of each window comes last
    np.testing.assert_array_equal(got, want)


def test_padding_and_resizing_in_both_layouts():
    """BEHAVIOURS 18.10."""
    x = array(1, 2, 3, 2, 4)
    pads = ((1, 0), (0, 2), (3, 1))
    check(lambda x: K.spatial_3d_padding(x, pads, FIRST), lambda x: np.pad(x, ((0, 0), (0, 0), *pads)), x)
    check(lambda x: K.spatial_3d_padding(x), lambda x: np.pad(x, ((0, 0), *[(1, 1)] * 3, (0, 0))), x)
    check(lambda x: K.resize_volumes(x, 2, 1, 3, FIRST), lambda x: x.repeat(2, 2).repeat(3, 4), x)
    check_gradients(lambda x: K.resize_volumes(x, 2, 3, 1, LAST), array(1, 2, 2, 1, 2))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda x, k: K.conv3d(x[:, 0], k), "`conv3d` needs a tensor with 5 axes"),
        (lambda x, k: K.conv3d(x, k, (2, 2)), "`strides` must be 3 positive ints"),
        (lambda x, k: K.conv3d(x, k, 2, dilation_rate=2), "cannot be combined with a dilation rate"),
        (lambda x, k: K.conv3d(x, k, padding="causal"), "Invalid padding"),
        (lambda x, k: K.conv3d(x, k, data_format="last"), "data_format"),
        (lambda x, k: K.conv3d(x, k[..., :1, :]), "channels and the kernel's differ: 2 and 1"),
        (lambda x, k: K.conv3d(x[:, :1], k), "too small: depth 1 for a kernel of 2"),
        (lambda x, k: K.conv3d_transpose(x, k, (1, 4, 4, 2)), "`output_shape` needs 5 sizes, not 4"),
        (lambda x, k: K.conv3d_transpose(x, k, (1, 9, 4, 4, 2)), "gives .*, not"),
        (lambda x, k: K.pool3d(x[0], 2), "`pool3d` needs a tensor with 5 axes"),
        (lambda x, k: K.pool3d(x, (2, 2)), "`pool_size` must be 3 positive ints"),
        (lambda x, k: K.pool3d(x, 2, pool_mode="sum"), "Invalid pooling mode"),
        (lambda x, k: K.pool3d(x, (4, 1, 1)), "too small: depth 3 for a window of 4"),
    ],
)
def test_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build(K.placeholder((1, 3, 4, 4, 2)), K.placeholder((2, 2, 2, 2, 2)))
