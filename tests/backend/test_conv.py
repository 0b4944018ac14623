"""Convolutions, pooling, bias (BEHAVIOURS 4.9-4.16, 18.11)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from backend.tools import array, check, check_gradients, compute

from pykeras import backend as K


def windows(n, k, s, d, padding):
    """Number of windows and padding in front and behind: TensorFlow's rule (4.10)."""
    span = (k - 1) * d + 1
    if padding == "valid":
        return (n - span) // s + 1, 0, 0
    out = -(-n // s)
    total = max((out - 1) * s + span - n, 0)
    return out, total // 2, total - total // 2


def np_windows(x, size, strides, dilation, padding, fill=0.0):
    """(samples, rows, columns, height, width, channels): the pixels under the kernel, place by place."""
    (h, top, bottom), (w, left, right) = (
        windows(x.shape[1 + i], size[i], strides[i], dilation[i], padding) for i in (0, 1)
    )
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    out = np.empty((x.shape[0], h, w, *size, x.shape[3]), x.dtype)
    for i, j, a, b in itertools.product(range(h), range(w), range(size[0]), range(size[1])):
        out[:, i, j, a, b] = x[:, i * strides[0] + a * dilation[0], j * strides[1] + b * dilation[1]]
    return out


def np_conv2d(x, k, strides=(1, 1), padding="valid", dilation=(1, 1)):
    return np.einsum("nijabc,abco->nijo", np_windows(x, k.shape[:2], strides, dilation, padding), k)


def np_depthwise(x, k, strides=(1, 1), padding="valid", dilation=(1, 1)):
    y = np.einsum("nijabc,abcm->nijcm", np_windows(x, k.shape[:2], strides, dilation, padding), k)
    return y.reshape(*y.shape[:3], -1)


def first(f):
    """The same with channels in second place."""
    return lambda x, *rest: np.moveaxis(f(np.moveaxis(x, 1, -1), *rest), -1, 1)


CONFIGS = [
    ((3, 3), (1, 1), "valid", (1, 1)),
    ((3, 3), (1, 1), "same", (1, 1)),
    ((2, 3), (2, 2), "same", (1, 1)),
    ((3, 2), (2, 1), "valid", (1, 1)),
    ((3, 3), (1, 1), "same", (2, 1)),
    ((2, 2), (1, 1), "valid", (2, 3)),
    ((1, 1), (2, 2), "same", (1, 1)),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_conv2d(config):
    size, strides, padding, dilation = config
    x, k = array(2, 7, 6, 3), array(*size, 3, 4)
    build = lambda x, k: K.conv2d(x, k, strides, padding, "channels_last", dilation)
    check(build, lambda x, k: np_conv2d(x, k, strides, padding, dilation), x, k, tol=1e-4)


def test_conv2d_channels_first():
    x, k = array(2, 3, 7, 6), array(3, 2, 3, 4)
    build = lambda x, k: K.conv2d(x, k, (2, 1), "same", "channels_first")
    check(build, first(lambda x, k: np_conv2d(x, k, (2, 1), "same")), x, k, tol=1e-4)
    K.set_image_data_format("channels_first")
    assert K.conv2d(K.placeholder((None, 3, 7, 6)), K.variable(k)).shape == (None, 4, 5, 5)


def test_conv2d_is_one_node():
    x, k = K.placeholder((None, 8, 8, 3)), K.variable(np.zeros((3, 3, 3, 4)))
    y = K.conv2d(x, k)
    assert y._value.op == "conv2d" and [v.id for v in y._value.inputs] == [x._value.id, k._value.id]
    assert y.shape == (None, 6, 6, 4)
    assert K.conv2d(K.placeholder((None, None, None, 3)), k, padding="same").shape == (None, None, None, 4)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "hole"), [(1, 1), (2, 1), (1, 2)])
def test_conv1d(padding, stride, hole):
    def oracle(x, k):
        return np_conv2d(x[:, None], k[None], (1, stride), padding, (1, hole))[:, 0]

    x, k = array(2, 9, 3), array(3, 3, 4)
    check(lambda x, k: K.conv1d(x, k, stride, padding, "channels_last", hole), oracle, x, k, tol=1e-4)
    x = array(2, 3, 9)
    check(lambda x, k: K.conv1d(x, k, stride, padding, "channels_first", hole), first(oracle), x, k, tol=1e-4)


@pytest.mark.parametrize(("stride", "hole"), [(1, 1), (1, 2), (2, 1)])
def test_causal_conv1d(stride, hole):
    x, k = array(2, 9, 3), array(3, 3, 4)

    def oracle(x, k):
        padded = np.pad(x, ((0, 0), (hole * 2, 0), (0, 0)))
        return np_conv2d(padded[:, None], k[None], (1, stride), "valid", (1, hole))[:, 0]

    build = lambda x, k: K.conv1d(x, K.reshape(k, (3, 3, 4)), stride, "causal", "channels_last", hole)
    check(build, oracle, x, k, tol=1e-4)


@pytest.mark.parametrize("config", CONFIGS[:5], ids=str)
def test_depthwise_and_separable(config):
    size, strides, padding, dilation = config
    if strides[0] != strides[1]:
        strides = (2, 2)
    x, d, p = array(2, 7, 6, 3), array(*size, 3, 2), array(1, 1, 6, 4)
    check(
        lambda x, d: K.depthwise_conv2d(x, d, strides, padding, "channels_last", dilation),
        lambda x, d: np_depthwise(x, d, strides, padding, dilation),
        x, d, tol=1e-4,
    )  # fmt: skip
    check(
        lambda x, d, p: K.separable_conv2d(x, d, p, strides, padding, "channels_last", dilation),
        lambda x, d, p: np_depthwise(x, d, strides, padding, dilation) @ p[0, 0],
        x, d, p, tol=1e-4,
    )  # fmt: skip


def test_depthwise_channels_first():
    check(
        lambda x, d: K.depthwise_conv2d(x, d, data_format="channels_first"),
        first(np_depthwise),
        array(2, 3, 5, 5),
        array(2, 2, 3, 2),
        tol=1e-4,
    )


@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "same"), (2, "valid")])
def test_separable_conv1d(stride, padding):
    def oracle(x, d, p):
        return (np_depthwise(x[:, None], d[None], (1, stride), padding) @ p[0])[:, 0]

    x, d, p = array(2, 9, 3), array(3, 3, 2), array(1, 6, 4)
    check(
        lambda x, d, p: K.separable_conv1d(x, d, p, stride, padding, "channels_last"),
        oracle,
        x,
        d,
        p,
        tol=1e-4,
    )


def np_transposed(x, k, shape, strides, padding):
    """Adjoint of np_conv2d: every pixel of x laid down with the kernel."""
    n, h, w, channels = shape
    place = np.arange(h * w, dtype="float64").reshape(1, h, w, 1) + 1
    under = np_windows(place, k.shape[:2], strides, (1, 1), padding).astype(int)[0, ..., 0]
    out = np.zeros((n, h * w + 1, channels))
    for i, j, a, b in itertools.product(*map(range, under.shape)):
        out[:, under[i, j, a, b]] += x[:, i, j] @ k[a, b].T
    return out[:, 1:].reshape(shape)


@pytest.mark.parametrize(
    ("size", "strides", "padding", "out"),
    [((3, 3), (2, 2), "same", (8, 6)), ((3, 2), (2, 2), "valid", (9, 6)), ((2, 2), (3, 3), "valid", (12, 9)),
     ((3, 3), (1, 1), "same", (4, 3)), ((3, 3), (1, 1), "valid", (6, 5)), ((3, 3), (2, 2), "same", (7, 5))],
    ids=str,
)  # fmt: skip
def test_conv2d_transpose(size, strides, padding, out):
    """BEHAVIOURS 4.11."""
    x, k = array(2, 4, 3, 5), array(*size, 2, 5)
    build = lambda x, k: K.conv2d_transpose(x, k, (2, *out, 2), strides, padding, "channels_last")
    check(build, lambda x, k: np_transposed(x, k, (2, *out, 2), strides, padding), x, k, tol=1e-4)


def test_conv2d_transpose_of_unknown_sizes():
    x = K.placeholder((None, None, None, 5))
    k = K.variable(array(3, 2, 2, 5))
    n = K.shape(x)
    data = array(2, 4, 3, 5)
    for padding, rows, columns in (("same", n[1] * 2, n[2] * 2), ("valid", n[1] * 2 + 1, n[2] * 2)):
        y = K.conv2d_transpose(x, k, (n[0], rows, columns, 2), (2, 2), padding)
        assert y.shape == (None, None, None, 2)
        shape = (2, 8 + (padding == "valid"), 6, 2)
        want = np_transposed(data, K.get_value(k), shape, (2, 2), padding)
        np.testing.assert_allclose(K.function([x], [y])([data])[0], want, rtol=1e-4, atol=1e-4)


def test_conv2d_transpose_channels_first():
    x, k = array(2, 5, 4, 3), array(3, 3, 2, 5)
    build = lambda x, k: K.conv2d_transpose(x, k, (2, 2, 8, 6), (2, 2), "same", "channels_first")
    check(build, first(lambda x, k: np_transposed(x, k, (2, 8, 6, 2), (2, 2), "same")), x, k, tol=1e-4)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("size", "strides"), [((2, 2), (2, 2)), ((3, 2), (1, 1)), ((3, 3), (2, 2)), ((2, 3), (3, 1))]
)
def test_pool2d(size, strides, padding):
    """BEHAVIOURS 4.15: padding takes no part."""

    def biggest(x):
        return np_windows(x, size, strides, (1, 1), padding, -np.inf).max((3, 4))

    def average(x):
        return np.nanmean(np_windows(x, size, strides, (1, 1), padding, np.nan), axis=(3, 4))

    x = array(2, 7, 6, 3)
    for mode, oracle in (("max", biggest), ("avg", average)):
        for layout, wrap in (("channels_last", lambda f: f), ("channels_first", first)):
            data = x if layout == "channels_last" else np.ascontiguousarray(np.moveaxis(x, -1, 1))
            check(
                lambda x, mode=mode, layout=layout: K.pool2d(x, size, strides, padding, layout, mode),
                wrap(oracle),
                data,
            )


def test_bias_add():
    """BEHAVIOURS 18.11: rank 1, or one less than x."""
    x = array(2, 3, 4, 5)
    check(lambda x, b: K.bias_add(x, b), lambda x, b: x + b, x, array(5))
    check(lambda x, b: K.bias_add(x, b), lambda x, b: x + b, x, array(3, 4, 5))
    check(lambda x, b: K.bias_add(x, b, "channels_first"), lambda x, b: x + b[:, None, None], x, array(3))
    check(
        lambda x, b: K.bias_add(x, b, "channels_first"),
        lambda x, b: x + b.transpose(2, 0, 1),
        x,
        array(4, 5, 3),
    )
    check(
        lambda x, b: K.bias_add(x, b, "channels_first"), lambda x, b: x + b[:, None], array(2, 3, 4), array(3)
    )
    check(lambda x, b: K.bias_add(x, b), lambda x, b: x + b, array(2, 5), array(5))
    y = K.bias_add(K.placeholder((2, 5)), K.placeholder((5,)))
    assert y._value.op == "add"
    with pytest.raises(ValueError, match="Unexpected bias dimensions 2"):
        K.bias_add(K.placeholder((2, 3, 4, 5)), K.placeholder((4, 5)))


def test_local_conv1d():
    x, k = array(2, 8, 3), array(3, 9, 4)  # 3 places of length 3, 2 apart

    def oracle(x, k):
        return np.stack([x[:, 2 * i : 2 * i + 3].reshape(2, 9) @ k[i] for i in range(3)], 1)

    check_known(lambda x, k: K.local_conv1d(x, k, (3,), (2,)), oracle, x, k)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_local_conv2d(layout):
    last = layout == "channels_last"
    x = array(2, 5, 6, 3) if last else array(2, 3, 5, 6)
    k = array(2 * 5, 3 * 2 * 3, 4)  # windows of 3 × 2, at 2 × 5 places

    def oracle(x, k):
        out = np.zeros((2, 2, 5, 4))
        for i, j in itertools.product(range(2), range(5)):
            rows, columns = slice(2 * i, 2 * i + 3), slice(j, j + 2)
            part = x[:, rows, columns] if last else x[:, :, rows, columns]
            out[:, i, j] = part.reshape(2, -1) @ k[5 * i + j]
        return out if last else np.moveaxis(out, -1, 1)

    check_known(lambda x, k: K.local_conv2d(x, k, (3, 2), (2, 1), (2, 5), layout), oracle, x, k)


def check_known(build, oracle, *arrays):
    """Like check, for functions that need known sizes."""
    np.testing.assert_allclose(compute(build, *arrays), oracle(*arrays), rtol=1e-4, atol=1e-4)


def test_refusals():
    x, k = K.placeholder((2, 8, 8, 3)), K.placeholder((3, 3, 3, 4))
    with pytest.raises(ValueError, match="cannot be combined"):
        K.conv2d(x, k, strides=(2, 2), dilation_rate=(2, 2))
    with pytest.raises(ValueError, match="Invalid padding"):
        K.conv2d(x, k, padding="full")
    with pytest.raises(ValueError, match="data_format"):
        K.conv2d(x, k, data_format="first")
    with pytest.raises(ValueError, match="4 axes"):
        K.conv2d(K.placeholder((2, 8, 3)), k)
    with pytest.raises(ValueError):
        K.conv2d(x, K.placeholder((3, 3, 5, 4)))
    with pytest.raises(ValueError, match="pooling mode"):
        K.pool2d(x, (2, 2), pool_mode="median")


@pytest.mark.parametrize("config", CONFIGS[:6], ids=str)
def test_conv_gradients(config):
    size, strides, padding, dilation = config
    x, k = array(1, 5, 4, 2), array(*size, 2, 2)
    check_gradients(lambda x, k: K.conv2d(x, k, strides, padding, "channels_last", dilation), x, k)
    if strides[0] == strides[1]:
        check_gradients(lambda x, k: K.depthwise_conv2d(x, k, strides, padding, None, dilation), x, k)


def test_other_gradients():
    x = array(1, 5, 4, 2)
    for mode in ("max", "avg"):
        check_gradients(lambda x, mode=mode: K.pool2d(x, (2, 3), (2, 2), "same", None, mode), x)
    check_gradients(
        lambda x, k: K.conv2d_transpose(x, k, (1, 9, 8, 2), (2, 2), "same"),
        array(1, 5, 4, 2),
        array(3, 3, 2, 2),
    )
    check_gradients(lambda x, k: K.conv1d(x, k, 1, "causal"), array(2, 5, 2), array(2, 2, 3))


def test_second_derivative_through_max_pooling():
    """The what-where autoencoder of the examples needs it (BEHAVIOURS 18.4)."""
    x = K.placeholder((1, 4, 4, 1), dtype="float64")
    where = K.gradients(K.sum(K.square(K.pool2d(x, (2, 2), (2, 2)))), x)[0]
    twice = K.gradients(K.sum(where), x)[0]
    data = np.arange(16.0).reshape(1, 4, 4, 1)
    got = K.function([x], [twice])([data])[0].reshape(4, 4)
    want = np.zeros((4, 4))
    want[1::2, 1::2] = 2
    np.testing.assert_array_equal(got, want)
