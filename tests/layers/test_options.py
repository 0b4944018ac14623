"""Arguments of the layers that change shapes or numbers, each against plain NumPy (BEHAVIOURS 4)."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import Input
from pykeras.models import Model


def run(layer, x):
    i = Input(shape=x.shape[1:])
    return Model(i, layer(i)).predict(x)


def numbers(*shape):
    return np.random.RandomState(0).uniform(-1, 1, shape).astype("float32")


# ------------------------------------------------------------------------------------------ layouts


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Conv2D(2, 3),
        lambda: layers.Conv2DTranspose(2, 3),
        lambda: layers.DepthwiseConv2D(3),
        lambda: layers.SeparableConv2D(2, 3),
        lambda: layers.MaxPooling2D(),
        lambda: layers.AveragePooling2D(),
        lambda: layers.GlobalMaxPooling2D(),
        lambda: layers.GlobalAveragePooling2D(),
        lambda: layers.UpSampling2D(),
        lambda: layers.ZeroPadding2D(),
        lambda: layers.Cropping2D(((1, 1), (1, 1))),
        lambda: layers.LocallyConnected2D(2, 3),
        lambda: layers.SpatialDropout2D(0.5),
        lambda: layers.Conv3D(2, 3),
        lambda: layers.Conv3DTranspose(2, 3),
        lambda: layers.MaxPooling3D(),
        lambda: layers.AveragePooling3D(),
        lambda: layers.UpSampling3D(),
        lambda: layers.ZeroPadding3D(),
        lambda: layers.Cropping3D(),
        lambda: layers.GlobalMaxPooling3D(),
        lambda: layers.GlobalAveragePooling3D(),
        lambda: layers.ConvLSTM2D(2, 3),
    ],
)
def test_4_12_layout_is_the_configured_one_at_construction(make):
    before = make()
    K.set_image_data_format("channels_first")
    after = make()
    K.set_image_data_format("channels_last")
    assert (before.data_format, after.data_format) == ("channels_last", "channels_first")
    spatial = 3 if "3D" in type(after).__name__ else 2
    time = (2,) if isinstance(after, layers.ConvLSTM2D) else ()
    x = numbers(2, *time, *(6,) * spatial, 3)
    axis = len(time) + 1
    y_last = before(i_last := Input(x.shape[1:]))
    y_first = after(i_first := Input(np.moveaxis(x, -1, axis).shape[1:]))
    for a, b in zip(before.weights, after.weights):
        assert K.int_shape(a) == K.int_shape(b)  # kernels never change layout
    weights = before.get_weights()
    if isinstance(after, layers.LocallyConnected2D):  # flattened patches follow the layout of the input
        kernel = weights[0].reshape(-1, 3, 3, 3, 2)
        weights[0] = np.moveaxis(kernel, 3, 1).reshape(weights[0].shape)
    after.set_weights(weights)
    last = K.function([i_last, K.learning_phase()], [y_last])([x, 0])[0]
    first = K.function([i_first, K.learning_phase()], [y_first])([np.moveaxis(x, -1, axis), 0])[0]
    first = np.moveaxis(first, 1, -1) if first.ndim > 2 else first
    np.testing.assert_allclose(first, last, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Conv1D(2, 3),
        lambda: layers.MaxPooling1D(),
        lambda: layers.AveragePooling1D(),
        lambda: layers.ZeroPadding1D(),
        lambda: layers.UpSampling1D(),
        lambda: layers.Cropping1D(),
        lambda: layers.GlobalMaxPooling1D(),
        lambda: layers.GlobalAveragePooling1D(),
    ],
)
def test_4_12_sequences_are_always_channels_last(make):
    x = numbers(2, 8, 3)
    plain = make()
    wanted = run(plain, x)
    K.set_image_data_format("channels_first")
    layer = make()
    i = Input((8, 3))
    y = layer(i)
    layer.set_weights(plain.get_weights())
    np.testing.assert_array_equal(K.function([i], [y])([x])[0], wanted)


# ------------------------------------------------------------------------------------------ borders, sizes


@pytest.mark.parametrize(
    ("cls", "argument", "pairs"),
    [
        (layers.ZeroPadding1D, 2, [(2, 2)]),
        (layers.ZeroPadding1D, (1, 3), [(1, 3)]),
        (layers.ZeroPadding2D, 2, [(2, 2), (2, 2)]),
        (layers.ZeroPadding2D, (1, 2), [(1, 1), (2, 2)]),
        (layers.ZeroPadding2D, ((1, 0), (2, 3)), [(1, 0), (2, 3)]),
        (layers.ZeroPadding3D, 1, [(1, 1)] * 3),
        (layers.ZeroPadding3D, (0, 1, 2), [(0, 0), (1, 1), (2, 2)]),
        (layers.ZeroPadding3D, [[1, 0], [0, 2], [1, 1]], [(1, 0), (0, 2), (1, 1)]),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_4_13_zero_padding(cls, argument, pairs, data_format):
    x = numbers(2, *(4, 5, 6)[: len(pairs)], 3)
    first = data_format == "channels_first" and len(pairs) > 1
    layer = cls(argument, **({"data_format": data_format} if len(pairs) > 1 else {}))
    wanted = np.pad(x, [(0, 0), *pairs, (0, 0)])
    got = run(layer, np.moveaxis(x, -1, 1) if first else x)
    np.testing.assert_array_equal(np.moveaxis(got, 1, -1) if first else got, wanted)


@pytest.mark.parametrize(
    ("cls", "argument", "pairs"),
    [
        (layers.Cropping1D, 2, [(2, 2)]),
        (layers.Cropping1D, (0, 1), [(0, 1)]),
        (layers.Cropping2D, 1, [(1, 1), (1, 1)]),
        (layers.Cropping2D, (2, 1), [(2, 2), (1, 1)]),
        (layers.Cropping2D, ((1, 0), (2, 3)), [(1, 0), (2, 3)]),
        (layers.Cropping3D, 2, [(2, 2)] * 3),
        (layers.Cropping3D, (0, 1, 2), [(0, 0), (1, 1), (2, 2)]),
        (layers.Cropping3D, [[1, 0], [0, 2], [1, 1]], [(1, 0), (0, 2), (1, 1)]),
    ],
)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_4_13_cropping(cls, argument, pairs, data_format):
    x = numbers(2, *(5, 6, 7)[: len(pairs)], 3)
    first = data_format == "channels_first" and len(pairs) > 1
    layer = cls(argument, **({"data_format": data_format} if len(pairs) > 1 else {}))
    key = (slice(None), *(slice(a, n - b) for (a, b), n in zip(pairs, x.shape[1:])))
    got = run(layer, np.moveaxis(x, -1, 1) if first else x)
    np.testing.assert_array_equal(np.moveaxis(got, 1, -1) if first else got, x[key])


def test_4_13_defaults():
    assert layers.ZeroPadding1D().padding == (1, 1)
    assert layers.ZeroPadding2D().padding == ((1, 1), (1, 1))
    assert layers.ZeroPadding3D().padding == ((1, 1), (1, 1), (1, 1))
    assert layers.Cropping1D().cropping == (1, 1)
    assert layers.Cropping2D().cropping == ((0, 0), (0, 0))
    assert layers.Cropping3D().cropping == ((1, 1), (1, 1), (1, 1))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_4_14_up_sampling_repeats(data_format):
    first = data_format == "channels_first"
    x = numbers(2, 3, 2)
    np.testing.assert_array_equal(run(layers.UpSampling1D(3), x), x.repeat(3, axis=1))
    assert (layers.UpSampling1D().size, layers.UpSampling2D().size) == (2, (2, 2))
    assert layers.UpSampling3D().size == (2, 2, 2)
    for cls, size in (
        (layers.UpSampling2D, (2, 3)),
        (layers.UpSampling3D, (1, 2, 3)),
        (layers.UpSampling2D, 2),
    ):
        rank = 3 if cls is layers.UpSampling3D else 2
        x = numbers(2, *(2, 3, 4)[:rank], 2)
        wanted = x
        for axis, factor in enumerate(np.broadcast_to(size, rank), start=1):
            wanted = wanted.repeat(factor, axis=axis)
        got = run(cls(size, data_format=data_format), np.moveaxis(x, -1, 1) if first else x)
        np.testing.assert_array_equal(np.moveaxis(got, 1, -1) if first else got, wanted)


def test_4_14_bilinear():
    """Corners of pixels coincide: a ramp stays a ramp between the outermost centres."""
    x = np.arange(4, dtype="float32").reshape(1, 1, 4, 1)
    got = run(layers.UpSampling2D((1, 2), interpolation="bilinear"), x)[0, 0, :, 0]
    np.testing.assert_allclose(got, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3], rtol=1e-6)
    config = layers.UpSampling2D(interpolation="bilinear").get_config()
    assert config["interpolation"] == "bilinear"


# ------------------------------------------------------------------------------------------ activations


def test_4_20_advanced_activations():
    x = np.array([[-2.0, -0.5, 0.0, 0.5, 1.0, 1.5]], "float32")
    np.testing.assert_allclose(run(layers.LeakyReLU(), x), np.where(x > 0, x, 0.3 * x), rtol=1e-6)
    np.testing.assert_allclose(run(layers.ELU(), x), np.where(x > 0, x, np.expm1(x)), rtol=1e-6)
    np.testing.assert_allclose(run(layers.ELU(0.5), x), np.where(x > 0, x, 0.5 * np.expm1(x)), rtol=1e-6)
    assert run(layers.ThresholdedReLU(), x).tolist() == [[0, 0, 0, 0, 0, 1.5]]  # 1 is not above 1
    assert run(layers.ThresholdedReLU(0.25), x).tolist() == [[0, 0, 0, 0.5, 1, 1.5]]
    e = np.exp(x)
    np.testing.assert_allclose(run(layers.Softmax(), x), e / e.sum(), rtol=1e-5)


def test_4_20_softmax_along_another_axis():
    x = numbers(2, 3, 4)
    e = np.exp(x)
    np.testing.assert_allclose(run(layers.Softmax(axis=1), x), e / e.sum(axis=1, keepdims=True), rtol=1e-5)
    assert layers.Softmax().axis == -1


def test_4_20_prelu_shares_where_told_to():
    x = numbers(2, 3, 4, 5)
    for shared, shape in ((None, (3, 4, 5)), ([1, 2], (1, 1, 5)), (3, (3, 4, 1))):
        alpha = np.random.RandomState(1).uniform(0, 1, shape).astype("float32")
        layer = layers.PReLU(shared_axes=shared, weights=[alpha])
        np.testing.assert_allclose(run(layer, x), np.where(x > 0, x, alpha * x), rtol=1e-6)
        assert K.int_shape(layer.alpha) == shape
    assert not run(layers.PReLU(), -np.abs(x)).any()  # alpha begins at zero


# ------------------------------------------------------------------------------------------ smaller ones


def test_4_3_volumes_drop_whole_maps():
    for data_format, axes in (("channels_last", (1, 2, 3)), ("channels_first", (2, 3, 4))):
        i = Input((4, 4, 4, 4))
        y = layers.SpatialDropout3D(0.5, data_format=data_format)(i)
        out = K.function([i, K.learning_phase()], [y])([np.ones((20, 4, 4, 4, 4)), 1])[0]
        assert not (out.max(axis=axes) - out.min(axis=axes)).any()
        assert 0.2 < (out.mean(axis=axes) == 0).mean() < 0.8
        assert set(np.unique(out)) == {0.0, 2.0}


def test_4_4_alpha_dropout_is_affine_in_what_it_keeps():
    """Dropped units get SELU's lower limit; then one affine map restores mean and variance."""
    rate, limit = 0.3, -1.6732632423543772 * 1.0507009873554805
    i = Input((500,))
    y = layers.AlphaDropout(rate)(i)
    x = numbers(4, 500)
    out = K.function([i, K.learning_phase()], [y])([x, 1])[0]
    a = ((1 - rate) * (1 + rate * limit**2)) ** -0.5
    b = -a * limit * rate
    kept = np.isclose(out, a * x + b, atol=1e-5)
    np.testing.assert_allclose(out[~kept], a * limit + b, rtol=1e-4)
    assert abs(kept.mean() - 0.7) < 0.05


def test_4_5_flatten_is_row_major():
    x = numbers(2, 3, 4, 5)
    np.testing.assert_array_equal(run(layers.Flatten(), x), x.reshape(2, -1))


def test_4_6_reshape_permute_repeat():
    x = numbers(2, 3, 4)
    np.testing.assert_array_equal(run(layers.Reshape((2, -1)), x), x.reshape(2, 2, 6))
    np.testing.assert_array_equal(run(layers.Permute((2, 1)), x), x.transpose(0, 2, 1))
    np.testing.assert_array_equal(run(layers.RepeatVector(3), x[:, 0]), x[:, :1].repeat(3, axis=1))


def test_4_8_variables_inside_a_lambda_are_not_tracked():
    w = K.variable(np.full((1, 3), 2.0))
    layer = layers.Lambda(lambda t: t * w)
    x = numbers(2, 3)
    np.testing.assert_allclose(run(layer, x), 2 * x)
    assert layer.weights == [] and layer.trainable_weights == []


def test_4_9_padding_is_lower_cased():
    assert layers.Conv2D(2, 3, padding="SAME").padding == "same"
    assert layers.Conv1D(2, 3, padding="Causal").padding == "causal"
    assert layers.MaxPooling2D(padding="Valid").padding == "valid"


@pytest.mark.parametrize("n", [5, 6, 9])
@pytest.mark.parametrize(("k", "s", "d"), [(3, 1, 1), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
def test_4_9_output_lengths(n, k, s, d):
    spread = (k - 1) * d + 1
    for padding, wanted in (
        ("same", -(-n // s)),
        ("valid", -(-(n - spread + 1) // s)),
        ("causal", -(-n // s)),
    ):
        layer = layers.Conv1D(2, k, strides=s, dilation_rate=d, padding=padding)
        assert layer.compute_output_shape((None, n, 1)) == (None, wanted, 2)
        assert run(layer, numbers(1, n, 1)).shape == (1, wanted, 2)


def test_4_10_same_pads_more_behind():
    """Even kernels and strides: ⌊p/2⌋ in front, the rest behind."""
    x = np.arange(1, 7, dtype="float32").reshape(1, 6, 1)
    layer = layers.Conv1D(1, 4, padding="same", use_bias=False, weights=[np.ones((4, 1, 1))])
    padded = np.pad(x[0, :, 0], (1, 2))
    assert run(layer, x)[0, :, 0].tolist() == [padded[i : i + 4].sum() for i in range(6)]
    layer = layers.Conv1D(1, 3, strides=2, padding="same", use_bias=False, weights=[np.ones((3, 1, 1))])
    padded = np.pad(x[0, :, 0], (0, 1))
    assert run(layer, x)[0, :, 0].tolist() == [padded[i : i + 3].sum() for i in (0, 2, 4)]


@pytest.mark.parametrize(("k", "s"), [(3, 1), (3, 2), (2, 3), (4, 2)])
def test_4_11_transposed_lengths(k, s):
    for padding, wanted in (("valid", 5 * s + max(k - s, 0)), ("same", 5 * s)):
        layer = layers.Conv2DTranspose(1, (k, 1), strides=(s, 1), padding=padding)
        assert run(layer, numbers(1, 5, 1, 2)).shape == (1, wanted, 1, 1)
        layer = layers.Conv3DTranspose(1, (1, k, 1), strides=(1, s, 1), padding=padding)
        assert run(layer, numbers(1, 2, 5, 1, 2)).shape == (1, 2, wanted, 1, 1)


def test_4_15_strides_are_the_pool_size():
    layer = layers.AveragePooling2D((3, 2))
    assert layer.strides == (3, 2) and layers.MaxPooling1D(3).strides == (3,)
    assert layers.MaxPooling3D().strides == (2, 2, 2) and layers.AveragePooling3D(3).strides == (3, 3, 3)
    x = numbers(1, 6, 4, 1)
    wanted = x.reshape(1, 2, 3, 2, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(run(layer, x), wanted, rtol=1e-5)


def test_4_15_padding_is_not_counted():
    x = np.full((1, 3, 3, 1), -2.0, "float32")
    for cls in (layers.AveragePooling2D, layers.MaxPooling2D):
        assert run(cls(2, padding="same"), x).tolist() == np.full((1, 2, 2, 1), -2.0).tolist()
    x = np.full((1, 3, 3, 3, 1), -2.0, "float32")
    for cls in (layers.AveragePooling3D, layers.MaxPooling3D):
        assert run(cls(2, padding="same"), x).tolist() == np.full((1, 2, 2, 2, 1), -2.0).tolist()


def test_4_16_global_pooling_drops_axes():
    x = numbers(2, 3, 4, 5)
    np.testing.assert_allclose(run(layers.GlobalAveragePooling2D(), x), x.mean(axis=(1, 2)), atol=1e-6)
    np.testing.assert_array_equal(run(layers.GlobalMaxPooling1D(), x[:, 0]), x[:, 0].max(axis=1))


def test_4_22_locally_connected_kernels():
    """Each place has a kernel of its own; shapes as in files (3.2.13)."""
    x = numbers(2, 5, 3)
    kernel, bias = numbers(3, 9, 4), numbers(3, 4)
    layer = layers.LocallyConnected1D(4, 3, weights=[kernel, bias])
    wanted = np.stack([x[:, i : i + 3].reshape(2, 9) @ kernel[i] + bias[i] for i in range(3)], axis=1)
    np.testing.assert_allclose(run(layer, x), wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="valid"):
        layers.LocallyConnected2D(2, 3, padding="same")


def test_4_23_bias_of_conv_lstm():
    layer = layers.ConvLSTM2D(3, 2, bias_initializer="zeros")
    layer(Input((2, 4, 4, 1)))
    assert layer.get_weights()[2].tolist() == [0] * 3 + [1] * 3 + [0] * 6
    plain = layers.ConvLSTM2D(3, 2, unit_forget_bias=False)
    plain(Input((2, 4, 4, 1)))
    assert not plain.get_weights()[2].any()


def test_4_23_recurrent_convolution_keeps_the_size():
    """Input convolution with the given padding and strides; the state's convolution is 'same', stride 1."""
    x = numbers(1, 2, 6, 6, 1)
    layer = layers.ConvLSTM2D(1, 3, strides=2, padding="valid", return_sequences=True)
    i = Input(x.shape[1:])
    model = Model(i, layer(i))
    kernel, recurrent, bias = layer.get_weights()

    def conv(x, k, stride, pad):
        x = np.pad(x, pad)
        n = (x.shape[0] - 3) // stride + 1
        at = range(0, n * stride, stride)
        return np.array([[np.tensordot(x[i : i + 3, j : j + 3], k[:, :, 0], 2) for j in at] for i in at])

    h = c = np.zeros((2, 2))
    steps = []
    for t in range(2):
        z = conv(x[0, t, :, :, 0], kernel, 2, 0) + conv(h, recurrent, 1, 1) + bias
        gate = np.clip(0.2 * z + 0.5, 0, 1)
        c = gate[..., 1] * c + gate[..., 0] * np.tanh(z[..., 2])
        h = gate[..., 3] * np.tanh(c)
        steps.append(h)
    np.testing.assert_allclose(model.predict(x)[0, ..., 0], steps, rtol=1e-4, atol=1e-5)


def test_4_23_no_unrolling():
    with pytest.raises(TypeError, match=r"[Uu]nroll"):
        layers.ConvLSTM2D(2, 3, unroll=True)
