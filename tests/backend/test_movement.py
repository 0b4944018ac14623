"""Shapes, joins, repeats, padding (BEHAVIOURS 18.10)."""

from __future__ import annotations

import numpy as np
import pytest
from backend.tools import array, check, check_gradients, compute

from pykeras import backend as K

X = array(2, 3, 4)


def test_shape_and_size():
    check(K.shape, lambda x: np.array(x.shape, "int32"), X)
    check(lambda x: K.shape(x)[1], lambda x: np.int32(3), X)
    check(lambda x: K.shape(x)[-2:], lambda x: np.array([3, 4], "int32"), X)
    check(lambda x: K.shape(x)[0] * K.shape(x)[1] + 1, lambda x: np.int32(7), X)
    check(K.size, lambda x: np.int32(24), X)
    assert K.shape(K.placeholder((None, 2))).shape == (2,)


def test_reshape():
    check(lambda x: K.reshape(x, (6, 4)), lambda x: x.reshape(6, 4), X)
    check(lambda x: K.reshape(x, (-1, 2, 2)), lambda x: x.reshape(-1, 2, 2), X)
    check(lambda x: K.reshape(x, [-1]), lambda x: x.ravel(), X)
    check(lambda x: K.reshape(x, -1), lambda x: x.ravel(), X)
    check(K.flatten, np.ravel, X)
    check(K.batch_flatten, lambda x: x.reshape(2, 12), X)
    check(K.batch_flatten, lambda x: x.reshape(2, 1), array(2))


def test_reshape_to_sizes_of_tensors():
    x = K.placeholder((None, None, 4))
    n = K.shape(x)
    y = K.reshape(x, (n[0], n[1], 2, 2))
    assert y.shape[2:] == (2, 2) and len(y.shape) == 4
    z = K.reshape(x, (n[0] * n[1], 4))
    w = K.reshape(x, K.shape(K.permute_dimensions(x, (1, 0, 2))))
    u = K.reshape(x, K.stack([n[1], 4, n[0]]))
    got = K.function([x], [y, z, w, u])([X])
    for g, shape in zip(got, [(2, 3, 2, 2), (6, 4), (3, 2, 4), (3, 4, 2)]):
        np.testing.assert_array_equal(g, X.reshape(shape))


def test_reshape_to_wrong_sizes():
    with pytest.raises(ValueError):
        K.reshape(K.placeholder((2, 3)), (4, 2))
    f = K.function([x := K.placeholder((None, 3))], [K.reshape(x, (-1, 2))])
    with pytest.raises(ValueError):
        f([np.ones((1, 3))])


def test_transposes():
    check(lambda x: K.permute_dimensions(x, (2, 0, 1)), lambda x: x.transpose(2, 0, 1), X)
    check(K.transpose, lambda x: x.T, array(2, 5))
    check(lambda x: K.permute_dimensions(x, (0, -1, 1)), lambda x: x.transpose(0, 2, 1), X)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_expand_squeeze_stack_concatenate(axis):
    y = array(2, 3, 4, seed=5)
    check(lambda x: K.expand_dims(x, axis), lambda x: np.expand_dims(x, axis), X)
    check(
        lambda x: K.squeeze(K.expand_dims(x, axis), axis if axis >= 0 else -1),
        lambda x: x,
        X,
    )
    check(lambda a, b: K.stack([a, b], axis), lambda a, b: np.stack([a, b], axis), X, y)
    check(lambda a, b: K.concatenate([a, b], axis), lambda a, b: np.concatenate([a, b], axis), X, y)


def test_concatenate_mixes_with_arrays_and_checks():
    ones = np.ones((2, 1, 4), "float32")
    check(lambda x: K.concatenate([x, ones], 1), lambda x: np.concatenate([x, ones], 1), X)
    with pytest.raises(ValueError):
        K.concatenate([K.placeholder((2, 3)), K.placeholder((3, 3))], axis=1)
    with pytest.raises(ValueError, match="Axis 2"):
        K.concatenate([K.placeholder((2, 3)), K.placeholder((2, 3))], axis=2)
    with pytest.raises(ValueError):
        K.squeeze(K.placeholder((2, 3)), 0)


def test_repeats():
    check(lambda x: K.repeat(x, 3), lambda x: np.stack([x] * 3, 1), array(2, 5))
    check(lambda x: K.repeat_elements(x, 2, 1), lambda x: np.repeat(x, 2, 1), X)
    check(lambda x: K.repeat_elements(x, 3, -1), lambda x: np.repeat(x, 3, -1), X)
    check(lambda x: K.tile(x, (1, 2, 3)), lambda x: np.tile(x, (1, 2, 3)), X)
    check(lambda x: K.tile(x, 2), lambda x: np.tile(x, 2), array(3))
    with pytest.raises(ValueError, match="numbers of copies"):
        K.tile(K.placeholder((2, 3)), [2])
    with pytest.raises(ValueError, match="2 axes"):
        K.repeat(K.placeholder((2, 3, 4)), 2)


def test_tile_by_sizes_of_tensors():
    """As many copies as another tensor has rows, as positional encodings do it."""
    x, other = K.placeholder((None, 3)), K.placeholder((None, None))
    ways = [[K.shape(other)[0], 1], [2, K.shape(other)[1]], (K.shape(other)[0], K.shape(other)[1])]
    outputs = [K.tile(x, way) for way in ways] + [K.tile(x, K.shape(other))]
    row = K.flatten(K.tile(K.expand_dims(K.arange(0, K.shape(x)[0]), 0), [K.shape(other)[0], 1]))
    gradient = K.gradients(K.sum(K.square(outputs[2])), x)[0]
    data, size = array(2, 3), np.zeros((4, 5))
    found = K.function([x, other], [*outputs, row, gradient])([data, size])
    wanted = [np.tile(data, n) for n in ((4, 1), (2, 5), (4, 5), (4, 5))]
    for got, want in zip(found, [*wanted, np.tile(np.arange(2), 4), 2 * 20 * data]):
        np.testing.assert_allclose(got, want, rtol=1e-6)
    assert outputs[0].shape == (None, 3)
    with pytest.raises(ValueError, match=r"`tile` needs 2 numbers of copies"):
        K.tile(x, K.shape(other)[0])


def test_reverse():
    check(lambda x: K.reverse(x, 1), lambda x: x[:, ::-1], X)
    check(lambda x: K.reverse(x, [0, -1]), lambda x: x[::-1, :, ::-1], X)


def test_slice():
    check(lambda x: K.slice(x, (0, 1, 1), (-1, 2, 3)), lambda x: x[:, 1:3, 1:4], X)
    with pytest.raises(ValueError, match="3 starts"):
        K.slice(K.placeholder((2, 3, 4)), (0,), (1,))


def test_slice_from_computed_places():
    """Starts may come from data where the size is a number; sizes from the sizes of other tensors."""
    i = np.array(1, "int32")
    check(lambda x, i: K.slice(x, [0, i, 0], [-1, 2, 3]), lambda x, i: x[:, i : i + 2, :3], X, i)
    got = compute(lambda x, y: K.slice(x, [0, 0, K.shape(y)[0]], [K.shape(y)[0], -1, -1]), X, array(1, 2))
    np.testing.assert_array_equal(got, X[:1, :, 1:])
    got = compute(lambda x, y: K.slice(x, K.shape(y) * 0, K.shape(y)), X, array(1, 2, 3))
    np.testing.assert_array_equal(got, X[:1, :2, :3])


def test_slice_at_each_step_of_a_loop():
    """As decoders that look at one place of a sequence per step do."""

    def step(x, states):
        counter, whole = states
        found = K.slice(whole, [0, K.cast(counter, "int32")[0, 0]], [-1, 2])
        return K.sum(found, axis=1, keepdims=True), [counter + 1]

    rows = array(2, 5)
    x = K.constant(np.zeros((2, 4, 1)))
    whole = K.constant(rows)
    _, outputs, _ = K.rnn(step, x, [K.zeros((2, 1))], constants=[whole], unroll=False)
    np.testing.assert_allclose(K.eval(outputs)[..., 0], rows[:, :-1] + rows[:, 1:], rtol=1e-6)


def test_gather():
    table = array(5, 3)
    for dtype in ("int32", "int64", "uint8"):
        i = np.array([[0, 4], [2, 2]], dtype)
        check(lambda t, i: K.gather(t, i), lambda t, i: t[i], table, i)
    np.testing.assert_array_equal(compute(lambda t: K.gather(t, [1, 1]), table), table[[1, 1]])
    with pytest.raises(TypeError, match="whole numbers"):
        K.gather(K.placeholder((2, 2)), K.placeholder((2,)))


def test_gather_beyond_the_table_is_an_error_that_names_the_place():
    with K.name_scope("embedding_7"):
        i = K.placeholder((None,), dtype="int32")
        f = K.function([i], [K.gather(K.zeros((4, 2)), i)])
    for bad in (4, -1):
        with pytest.raises(ValueError, match="embedding_7"):
            f([np.array([bad])])


def test_gradient_of_gather_adds_up():
    table = K.variable(np.zeros((4, 2)))
    i = K.placeholder((None,), dtype="int32")
    g = K.gradients(K.sum(K.gather(table, i)), table)
    got = K.function([i], g)([np.array([1, 3, 1])])[0]
    np.testing.assert_array_equal(got, [[0, 0], [2, 2], [0, 0], [1, 1]])


def test_one_hot():
    i = np.array([[0, 2], [1, 0]], "int32")
    check(lambda i: K.one_hot(i, 3), lambda i: np.eye(3, dtype="float32")[i], i)
    check(lambda i: K.one_hot(i, 3), lambda i: np.eye(3, dtype="float32")[i.astype(int)], i.astype("float32"))


def test_arange_between_computed_sizes():
    """18.10: parts of an axis whose size is known only when the function runs."""
    x = K.placeholder((None, 2))
    n = K.shape(x)[0]
    third = n // 3
    parts = [K.arange(third, n), K.arange(third * 2, n, 2), K.arange(n, 0, -2), K.arange(n, third)]
    run = K.function([x], [*parts, K.arange(1, n, 3, dtype="int64"), K.gather(x, K.arange(third, n))])
    for rows in (0, 1, 2, 7, 3000):  # the last one is too long to be folded into the plan
        data = np.random.random((rows, 2)).astype("float32")
        third_of = rows // 3
        want = [np.arange(third_of, rows), np.arange(third_of * 2, rows, 2), np.arange(rows, 0, -2), []]
        got = run([data])
        for g, w in zip(got, [*want, np.arange(1, rows, 3), data[third_of:]]):
            np.testing.assert_array_equal(g, w)
        assert [g.dtype.name for g in got[:5]] == ["int32"] * 4 + ["int64"]
    with pytest.raises(TypeError, match="whole `step`"):
        K.arange(third, n, 0.5)
    with pytest.raises(TypeError, match="must be a number"):
        K.arange(0, 5, n)


def test_computed_shapes():
    """18.8: shapes may be calculated from other shapes, never from data."""
    x = K.placeholder((None, 4))
    n = K.shape(x)[0]
    run = K.function([x], [K.zeros((n // 2, 3)), K.ones(K.shape(x) + 1), K.zeros([n * 2, K.shape(x)[1]])])
    assert [a.shape for a in run([np.zeros((5, 4))])] == [(2, 3), (6, 5), (10, 4)]
    assert run([np.zeros((2, 4))])[1].min() == 1
    assert K.function([x], [K.random_uniform((n * 2, 3))])([np.zeros((5, 4))])[0].shape == (10, 3)
    with pytest.raises(TypeError, match="number of axes"):
        K.zeros(K.placeholder((None,), dtype="int32"))
    by_data = K.function([x], [K.zeros((K.cast(K.sum(x), "int32"),))])
    with pytest.raises(ValueError, match="depends on their values"):
        by_data([np.ones((2, 4))])


def test_arange():
    for args in ((5,), (2, 7), (2, 9, 3), (5, 1, -2), (0, 1, 0.25)):
        dtype = "float32" if any(isinstance(a, float) for a in args) else "int32"
        got = K.eval(K.arange(*args, dtype=dtype))
        np.testing.assert_array_equal(got, np.arange(*args).astype(dtype))
        assert got.dtype.name == dtype
    assert K.arange(5).dtype == "int32"
    np.testing.assert_array_equal(compute(lambda x: K.arange(K.shape(x)[1]), X, unknown=True), [0, 1, 2])


def test_padding():
    pads = ((1, 2), (0, 3))
    check(lambda x: K.temporal_padding(x, (1, 2)), lambda x: np.pad(x, ((0, 0), (1, 2), (0, 0))), X)
    x = array(2, 3, 4, 5)
    for layout, at in (("channels_last", 1), ("channels_first", 2)):
        width = [(0, 0)] * 4
        width[at : at + 2] = pads
        check(
            lambda x, layout=layout: K.spatial_2d_padding(x, pads, layout),
            lambda x, width=width: np.pad(x, width),
            x,
        )
    x = array(1, 2, 2, 2, 3)
    check(
        lambda x: K.spatial_3d_padding(x, ((1, 0), (0, 1), (2, 2))),
        lambda x: np.pad(x, ((0, 0), (1, 0), (0, 1), (2, 2), (0, 0))),
        x,
    )
    check(
        lambda x: K.spatial_2d_padding(x),
        lambda x: np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))),
        array(1, 2, 2, 1),
    )


def test_resizing():
    x = array(2, 3, 4, 5)
    check(lambda x: K.resize_images(x, 2, 3, "channels_last"), lambda x: x.repeat(2, 1).repeat(3, 2), x)
    check(lambda x: K.resize_images(x, 2, 3, "channels_first"), lambda x: x.repeat(2, 2).repeat(3, 3), x)
    x = array(1, 2, 2, 3, 2)
    check(lambda x: K.resize_volumes(x, 2, 1, 3, "channels_last"), lambda x: x.repeat(2, 1).repeat(3, 3), x)
    with pytest.raises(ValueError, match="data_format"):
        K.resize_images(K.placeholder((1, 2, 2, 1)), 2, 2, "rows_first")


def np_bilinear(x, factor, axis):
    n = x.shape[axis]
    at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.floor(at).astype(int)
    t = (at - low).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return x.take(low, axis) * (1 - t) + x.take(np.minimum(low + 1, n - 1), axis) * t


def test_bilinear_resizing():
    """With the centres of pixels as sample points, like tf_keras."""
    x = array(2, 3, 4, 2)
    check(
        lambda x: K.resize_images(x, 2, 3, "channels_last", "bilinear"),
        lambda x: np_bilinear(np_bilinear(x, 2, 1), 3, 2),
        x,
    )


@pytest.mark.parametrize(
    "build",
    [
        lambda x: K.reshape(x, (-1, 2)),
        lambda x: K.permute_dimensions(x, (2, 0, 1)),
        lambda x: K.batch_flatten(x),
        lambda x: K.expand_dims(x, 1),
        lambda x: K.concatenate([x, x * 2.0], 1),
        lambda x: K.stack([x, x * 2.0], -1),
        lambda x: K.tile(x, (2, 1, 2)),
        lambda x: K.repeat_elements(x, 2, 1),
        lambda x: K.reverse(x, 1),
        lambda x: x[:, ::-1, 1],
        lambda x: x[..., -1:],
        lambda x: K.temporal_padding(x),
        lambda x: K.resize_images(K.expand_dims(x), 2, 2, "channels_last"),
    ],
    ids=range(13),
)
def test_gradients(build):
    check_gradients(build, array(2, 3, 2))


@pytest.mark.parametrize(("n", "static"), [(None, None), (3, 3)], ids=["open", "stated"])
def test_sizes_of_other_tensors_as_numbers(n, static):
    """How often `K.repeat` repeats, how many classes `K.one_hot` has: attention layers ask the input."""
    other, x, places = K.placeholder((None, n)), K.placeholder((2, 4)), K.placeholder((2, 2), dtype="int32")
    size = K.shape(other)[1]
    repeated, hot, tiled = K.repeat(x, size), K.one_hot(places, size), K.tile(x, [size, 1])
    assert tuple(repeated.shape) == (2, static, 4) and tuple(hot.shape) == (2, 2, static)
    assert tuple(tiled.shape) == (static and 2 * static, 4)
    gradient = K.gradients(K.sum(K.square(repeated)), x)[0]
    data, at = array(2, 4), np.array([[0, 2], [-1, 5]], "int32")
    found = K.function([other, x, places], [repeated, hot, tiled, gradient])([np.zeros((5, 3)), data, at])
    np.testing.assert_array_equal(found[0], np.repeat(data[:, None], 3, axis=1))
    np.testing.assert_array_equal(found[1], [[[1, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 0]]])
    np.testing.assert_array_equal(found[2], np.tile(data, (3, 1)))
    np.testing.assert_allclose(found[3], 6 * data, rtol=1e-6)
