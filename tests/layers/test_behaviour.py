"""What layers do beyond the golden numbers: randomness, masks, statistics, open sizes (BEHAVIOURS 4, 5)."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import Input


def run(output, inputs, arrays, phase=0):
    outputs = output if isinstance(output, list) else [output]
    values = K.function([*inputs, K.learning_phase()], outputs)([*arrays, phase])
    return values if isinstance(output, list) else values[0]


# ------------------------------------------------------------------------------------------ random layers


def test_dropout():
    """4.3: active in training only; kept units grow by 1/(1 − rate)."""
    x = Input(shape=(1000,))
    y = layers.Dropout(0.25)(x)
    assert y._uses_learning_phase
    ones = np.ones((4, 1000), "float32")
    assert run(y, [x], [ones]).tolist() == ones.tolist()
    out = run(y, [x], [ones], 1)
    assert set(np.unique(out).tolist()) == {0.0, float(np.float32(1) / np.float32(0.75))}
    assert abs((out == 0).mean() - 0.25) < 0.03


@pytest.mark.parametrize("rate", [0, 1, -3, 2])
def test_dropout_off(rate):
    """4.3: the rate is clipped to [0, 1]; 0 and 1 do nothing."""
    x = Input(shape=(8,))
    ones = np.ones((2, 8), "float32")
    layer = layers.Dropout(rate)
    assert 0 <= layer.rate <= 1
    assert run(layer(x), [x], [ones], 1).tolist() == ones.tolist()


@pytest.mark.parametrize(
    ("layer", "shape", "shared_axes"),
    [
        (lambda: layers.Dropout(0.5, noise_shape=(None, 1, None)), (40, 5, 8), (1,)),
        (lambda: layers.SpatialDropout1D(0.5), (40, 5, 8), (1,)),
        (lambda: layers.SpatialDropout2D(0.5), (40, 3, 4, 8), (1, 2)),
        (lambda: layers.SpatialDropout2D(0.5, data_format="channels_first"), (40, 8, 3, 4), (2, 3)),
    ],
)
def test_dropout_of_whole_maps(layer, shape, shared_axes):
    """4.3: the decision is shared along axes of size 1 in the noise shape."""
    x = Input(shape=shape[1:])
    out = run(layer()(x), [x], [np.ones(shape, "float32")], 1)
    spread = out.max(axis=shared_axes) - out.min(axis=shared_axes)
    assert not spread.any()
    assert 0.3 < (out.mean(axis=shared_axes) == 0).mean() < 0.7


def test_seed_of_numpy_fixes_dropout():
    """1.10: without a seed of its own a layer takes one from NumPy's global generator when it is called."""
    ones = np.ones((2, 50), "float32")

    def once():
        np.random.seed(7)
        x = Input(shape=(50,))
        return run(layers.Dropout(0.5)(x), [x], [ones], 1)

    first = once()
    assert first.tolist() == once().tolist()
    np.random.seed(8)
    x = Input(shape=(50,))
    assert first.tolist() != run(layers.Dropout(0.5)(x), [x], [ones], 1).tolist()


def test_noise_layers():
    """4.4: moments of the noise, and nothing outside of training."""
    x = Input(shape=(2000,))
    data = np.full((5, 2000), 2.0, "float32")
    for layer, stddev in ((layers.GaussianNoise(0.5), 0.5), (layers.GaussianDropout(0.2), 2 * 0.25**0.5)):
        y = layer(x)
        assert run(y, [x], [data]).tolist() == data.tolist()
        out = run(y, [x], [data], 1)
        assert abs(out.mean() - 2.0) < 0.05 and abs(out.std() - stddev) < 0.05
    normal = np.random.RandomState(3).normal(size=(5, 2000)).astype("float32")
    y = layers.AlphaDropout(0.2)(x)
    assert run(y, [x], [normal]).tolist() == normal.tolist()
    out = run(y, [x], [normal], 1)
    assert abs(out.mean()) < 0.06 and abs(out.std() - 1) < 0.06


# ---------------------------------------------------------------------------------------- batch normalization


def test_moving_statistics():
    """4.17, 22.1, DECISIONS: plain average, variance corrected once by n / (n − (1 + ε))."""
    for shape, axis in (((8, 3), -1), ((4, 5, 3), -1), ((4, 3, 2, 5), 1)):
        x = Input(shape=shape[1:])
        layer = layers.BatchNormalization(axis=axis, momentum=0.9)
        y = layer(x)
        assert len(layer.updates) == 2 and len(layer.get_updates_for(x)) == 2
        data = np.random.RandomState(0).normal(2, 3, shape).astype("float32")
        reduced = tuple(i for i in range(len(shape)) if i != axis % len(shape))
        n = np.prod([shape[i] for i in reduced])
        function = K.function([x, K.learning_phase()], [y], updates=layer.updates)
        mean = np.zeros(3)
        variance = np.ones(3)
        for _ in range(3):
            function([data, 1])
            mean = 0.9 * mean + 0.1 * data.mean(reduced)
            variance = 0.9 * variance + 0.1 * data.var(reduced) * n / (n - (1 + 1e-3))
        gamma, beta, moving_mean, moving_variance = layer.get_weights()
        np.testing.assert_allclose(moving_mean, mean, rtol=1e-5)
        np.testing.assert_allclose(moving_variance, variance, rtol=1e-5)
        assert gamma.tolist() == [1, 1, 1] and beta.tolist() == [0, 0, 0]


def test_training_false_at_call_time():
    """4.17: `training=False` means inference only and no updates."""
    for training in (False, 0):
        x = Input(shape=(3,))
        layer = layers.BatchNormalization()
        y = layer(x, training=training)
        assert not layer.updates
        data = np.ones((2, 3), "float32")
        np.testing.assert_allclose(run(y, [x], [data], 1), data / np.sqrt(1.001), rtol=1e-6)


def test_frozen_statistics_stop():
    """2.20, DECISIONS: a frozen layer has no updates, but still uses the batch's statistics in training."""
    x = Input(shape=(2,))
    layer = layers.BatchNormalization()
    y = layer(x)
    layer.trainable = False
    assert layer.updates == [] and layer.trainable_weights == []
    out = run(y, [x], [np.array([[1, 5], [3, 9]], "float32")], 1)
    np.testing.assert_allclose(out, [[-1, -1], [1, 1]], atol=1e-3)


def test_weight_order():
    """3.2.12, 3.2.13: gamma, beta, mean, variance."""
    layer = layers.BatchNormalization(name="bn")
    layer(Input(shape=(4,)))
    assert [w.name for w in layer.weights] == [
        "bn/gamma:0",
        "bn/beta:0",
        "bn/moving_mean:0",
        "bn/moving_variance:0",
    ]


# ----------------------------------------------------------------------------------------------------- masks


def masked(shape=(4, 3)):
    """Returns (input, masked tensor, data, mask): steps 1 and 3 of the first sample are skipped."""
    x = Input(shape=shape)
    data = np.random.RandomState(1).uniform(1, 2, (2, *shape)).astype("float32")
    data[0, [1, 3]] = 0.0
    mask = np.ones((2, shape[0]), bool)
    mask[0, [1, 3]] = False
    return x, layers.Masking()(x), data, mask


def mask_of(tensor):
    layer, node, index = tensor._keras_history
    found = layer.get_output_mask_at(node)
    return found[index] if isinstance(found, list) else found


def test_masking_layer():
    """4.7: the mask is any(x ≠ value) over the last axis; skipped steps become 0."""
    x = Input(shape=(3, 2))
    y = layers.Masking(mask_value=-1.0)(x)
    data = np.array([[[-1, -1], [-1, 2], [3, 4]]], "float32")
    out, mask = run([y, mask_of(y)], [x], [data])
    assert mask.tolist() == [[False, True, True]]
    assert out.tolist() == [[[0, 0], [-1, 2], [3, 4]]]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Dense(2),
        lambda: layers.Activation("relu"),
        lambda: layers.Dropout(0.5),
        lambda: layers.SpatialDropout1D(0.5),
        lambda: layers.GaussianNoise(0.5),
        lambda: layers.GaussianDropout(0.5),
        lambda: layers.AlphaDropout(0.5),
        lambda: layers.LeakyReLU(),
        lambda: layers.PReLU(),
        lambda: layers.ELU(),
        lambda: layers.ThresholdedReLU(),
        lambda: layers.Softmax(),
        lambda: layers.ReLU(),
        lambda: layers.BatchNormalization(),
        lambda: layers.ActivityRegularization(l1=0.1),
    ],
)
def test_masks_pass_through(layer):
    """5.2."""
    x, y, data, mask = masked()
    assert run(mask_of(layer()(y)), [x], [data]).tolist() == mask.tolist()


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Reshape((12,)),
        lambda: layers.Permute((2, 1)),
        lambda: layers.Flatten(),
        lambda: layers.Conv1D(2, 2),
        lambda: layers.SeparableConv1D(2, 2),
        lambda: layers.MaxPooling1D(),
        lambda: layers.AveragePooling1D(),
        lambda: layers.GlobalMaxPooling1D(),
        lambda: layers.UpSampling1D(),
        lambda: layers.ZeroPadding1D(),
        lambda: layers.Cropping1D(),
    ],
)
def test_masks_refused(layer):
    """5.1, 5.2."""
    _, y, _, _ = masked()
    with pytest.raises(TypeError, match="does not support masking, but was passed an input_mask"):
        layer()(y)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.RepeatVector(2),
        lambda: layers.Conv2D(2, 3),
        lambda: layers.Conv2DTranspose(2, 3),
        lambda: layers.Conv3D(2, 3),
        lambda: layers.Conv3DTranspose(2, 3),
        lambda: layers.DepthwiseConv2D(3),
        lambda: layers.MaxPooling2D(),
        lambda: layers.MaxPooling3D(),
        lambda: layers.AveragePooling3D(),
        lambda: layers.AveragePooling2D(),
        lambda: layers.GlobalMaxPooling2D(),
        lambda: layers.GlobalAveragePooling2D(),
        lambda: layers.UpSampling2D(),
        lambda: layers.ZeroPadding2D(),
        lambda: layers.Cropping2D(),
        lambda: layers.LocallyConnected1D(2, 2),
        lambda: layers.LocallyConnected2D(2, 2),
    ],
)
def test_masks_refused_by_layers_of_other_ranks(layer):
    """5.1, 5.2."""
    made = layer()
    shape = {"RepeatVector": (4,), "LocallyConnected1D": (4, 3)}.get(type(made).__name__, (4, 4, 3))
    shape = (4, *shape) if "3D" in type(made).__name__ else shape
    x = Input(shape)
    mask = K.placeholder((None, 4), dtype="bool")
    with pytest.raises(
        TypeError, match=f"{made.name} does not support masking, but was passed an input_mask"
    ):
        made(layers.Lambda(lambda t: t * 1.0, mask=mask)(x))


def test_global_average_of_masked_steps():
    """5.2, 22.7, DECISIONS: the mean counts the unmasked steps only, and the mask ends here."""
    x, y, data, mask = masked()
    pooled = layers.GlobalAveragePooling1D()(y)
    assert mask_of(pooled) is None
    wanted = np.stack([data[i][mask[i]].mean(axis=0) for i in range(2)])
    np.testing.assert_allclose(run(pooled, [x], [data]), wanted, rtol=1e-5)


def test_embedding_mask():
    """4.19, 5.2: index 0 is the pad value with mask_zero; without, any mask is dropped."""
    x = Input(shape=(3,))
    y = layers.Embedding(5, 2, mask_zero=True)(x)
    assert run(mask_of(y), [x], [[[0, 2, 4]]]).tolist() == [[False, True, True]]
    assert mask_of(layers.Embedding(5, 2)(x)) is None


def test_lambda_drops_masks():
    """5.2: no error, the mask ends unless `mask=` was given."""
    x, y, data, mask = masked()
    assert mask_of(layers.Lambda(lambda t: t * 2.0)(y)) is None
    kept = layers.Lambda(lambda t: t * 2.0, mask=lambda inputs, m: m)(y)
    assert run(mask_of(kept), [x], [data]).tolist() == mask.tolist()


def test_merged_masks():
    """5.2: logical and of the given masks; none if there is none; Dot drops them."""
    x1, y1, data1, mask1 = masked()
    x2, y2, data2, mask2 = masked()
    data2[1, 0] = 0.0
    mask2[1, 0] = False
    both = mask_of(layers.add([y1, y2]))
    assert run(both, [x1, x2], [data1, data2]).tolist() == (mask1 & mask2).tolist()
    one = mask_of(layers.multiply([y1, x2]))
    assert run(one, [x1, x2], [data1, data2]).tolist() == mask1.tolist()
    assert mask_of(layers.average([x1, x2])) is None
    assert mask_of(layers.dot([y1, y2], axes=2)) is None


def test_concatenated_masks():
    """5.2: along the features all masks must hold; along time they follow each other."""
    x1, y1, data1, mask1 = masked()
    x2, _, data2, _ = masked()
    features = mask_of(layers.concatenate([y1, x2]))
    assert run(features, [x1, x2], [data1, data2]).tolist() == mask1.tolist()
    time = mask_of(layers.concatenate([y1, x2], axis=1))
    wanted = np.concatenate([mask1, np.ones((2, 4), bool)], axis=1)
    assert run(time, [x1, x2], [data1, data2]).tolist() == wanted.tolist()


# ----------------------------------------------------------------------------------------- shapes and others


@pytest.mark.parametrize(
    ("layer", "shape", "wanted"),
    [
        (
            lambda: layers.Conv2D(4, 3, padding="same", strides=2),
            (None, None, None, 3),
            (None, None, None, 4),
        ),
        (lambda: layers.Conv1D(4, 3), (None, None, 3), (None, None, 4)),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2), (None, None, 5, 3), (None, None, 11, 4)),
        (lambda: layers.MaxPooling2D(), (None, 9, None, 3), (None, 4, None, 3)),
        (lambda: layers.Conv3D(4, 3, strides=2), (None, None, 7, None, 3), (None, None, 3, None, 4)),
        (
            lambda: layers.Conv3DTranspose(4, 3, strides=2, output_padding=1),
            (None, None, None, 5, 3),
            (None, None, None, 12, 4),
        ),
        (lambda: layers.Conv2DTranspose(4, 3, dilation_rate=2), (None, None, 5, 3), (None, None, 9, 4)),
        (lambda: layers.AveragePooling3D(3), (None, None, 9, None, 3), (None, None, 3, None, 3)),
        (lambda: layers.UpSampling2D(3), (None, None, 4, 2), (None, None, 12, 2)),
        (lambda: layers.ZeroPadding2D(2), (None, None, 4, 2), (None, None, 8, 2)),
        (lambda: layers.Cropping1D(2), (None, None, 2), (None, None, 2)),
        (lambda: layers.GlobalAveragePooling2D(), (None, None, None, 7), (None, 7)),
        (lambda: layers.Reshape((3, -1)), (None, 6), (None, 3, 2)),
        (lambda: layers.Reshape((-1, 3)), (None, None, 6), (None, None, 3)),
        (lambda: layers.Dense(7), (None, None, 6), (None, None, 7)),
        (lambda: layers.SeparableConv2D(4, 3), (None, None, None, 3), (None, None, None, 4)),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), (None, None, 6, 3), (None, None, 4, 6)),
    ],
)
def test_open_sizes(layer, shape, wanted):
    """2.10, 4.9, 4.11: unknown sizes stay unknown, and the graph works with them."""
    x = Input(batch_shape=shape)
    y = layer()(x)
    assert K.int_shape(y) == wanted
    data = np.random.RandomState(0).normal(size=[12 if n is None else n for n in shape]).astype("float32")
    out = run(y, [x], [data])
    assert all(a is None or a == b for a, b in zip(wanted, out.shape))


def test_flatten_follows_the_configured_layout():
    """4.5, DECISIONS: data_format=None means the configured one; rows of channels_last come out."""
    data = np.arange(24, dtype="float32").reshape(1, 2, 3, 4)
    K.set_image_data_format("channels_first")
    layer = layers.Flatten()
    assert layer.data_format == "channels_first"
    x = Input(shape=(2, 3, 4))
    assert run(layer(x), [x], [data]).tolist() == np.moveaxis(data, 1, -1).reshape(1, -1).tolist()


def test_dense_bias_under_channels_first():
    """4.1: the bias belongs to the last axis whatever the picture layout is."""
    K.set_image_data_format("channels_first")
    x = Input(shape=(3, 5))
    layer = layers.Dense(2, bias_initializer="ones", kernel_initializer="zeros")
    assert run(layer(x), [x], [np.zeros((1, 3, 5))]).tolist() == np.ones((1, 3, 2)).tolist()


def test_causal():
    """4.9: no output step sees a later input step."""
    x = Input(shape=(8, 1))
    y = layers.Conv1D(1, 3, padding="causal", dilation_rate=2, kernel_initializer="ones")(x)
    data = np.zeros((1, 8, 1), "float32")
    data[0, 3] = 1.0
    assert run(y, [x], [data])[0, :, 0].tolist() == [0, 0, 0, 1, 0, 1, 0, 1]


def test_channels_first_of_1d_layers():
    """2.2.4's data_format of the 1D layers."""
    data = np.random.RandomState(0).normal(size=(2, 7, 3)).astype("float32")
    last, first = Input(shape=(7, 3)), Input(shape=(3, 7))
    for make in (
        lambda **k: layers.MaxPooling1D(**k),
        lambda **k: layers.AveragePooling1D(3, 2, "same", **k),
        lambda **k: layers.Conv1D(2, 3, kernel_initializer="ones", **k),
        lambda **k: layers.GlobalAveragePooling1D(**k),
        lambda **k: layers.GlobalMaxPooling1D(**k),
    ):
        wanted = run(make()(last), [last], [data])
        layer = make(data_format="channels_first")
        assert layer.get_config()["data_format"] == "channels_first"
        got = run(layer(first), [first], [data.transpose(0, 2, 1)])
        np.testing.assert_allclose(got.transpose(0, 2, 1) if got.ndim == 3 else got, wanted, rtol=1e-5)


def test_functional_merges_pass_keywords():
    """4.21: add, concatenate … return tensors and hand keywords to the layer."""
    x, y = Input(shape=(2, 3)), Input(shape=(2, 3))
    for function in (
        layers.add,
        layers.subtract,
        layers.multiply,
        layers.average,
        layers.maximum,
        layers.minimum,
    ):
        out = function([x, y], name="joined_" + function.__name__)
        assert out._keras_history[0].name == "joined_" + function.__name__
    assert K.int_shape(layers.concatenate([x, y], axis=1, name="c")) == (None, 4, 3)
    assert K.int_shape(layers.dot([x, y], axes=2, name="d")) == (None, 2, 2)


def test_lower_ranks_get_axes_after_the_batch():
    """4.21."""
    x, y = Input(batch_shape=(2, 3, 4)), Input(batch_shape=(2, 4))
    a, b = np.ones((2, 3, 4), "float32"), np.arange(8, dtype="float32").reshape(2, 4)
    out = layers.add([x, y])
    assert K.int_shape(out) == (2, 3, 4)
    assert run(out, [x, y], [a, b]).tolist() == (a + b[:, None]).tolist()


def test_embedding_shapes():
    """4.19, 2.5, 2.26: an input shape always; input_length may be a tuple; the input may be of floats."""
    assert layers.Embedding(5, 2).batch_input_shape == (None, None)
    assert layers.Embedding(5, 2, input_length=7).batch_input_shape == (None, 7)
    assert layers.Embedding(5, 2, input_length=(3, 4)).compute_output_shape((None, 3, None)) == (
        None,
        3,
        4,
        2,
    )
    with pytest.raises(ValueError, match="input_length"):
        layers.Embedding(5, 2, input_length=7).compute_output_shape((None, 6))
    layer = layers.Embedding(5, 2, dtype="int32")
    x = Input(shape=(3,))
    layer(x)
    assert K.dtype(layer.embeddings) == "float32"


def test_embedding_out_of_range_names_the_layer():
    """4.19, DECISIONS: an error on every device."""
    x = Input(shape=(1,))
    y = layers.Embedding(5, 2, name="words")(x)
    with pytest.raises(Exception, match="words"):
        run(y, [x], [[[5]]])


def test_activity_regularization():
    """12.6: sums over the whole batch."""
    x = Input(shape=(2,))
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    layer(x)
    (loss,) = layer.losses
    data = np.array([[1, -2], [3, 0]], "float32")
    assert float(run(loss, [x], [data])) == pytest.approx(0.5 * 6 + 0.25 * 14)


def test_weight_names_and_regularizers():
    """2.21, 3.2.13: names of weights; a regularizer adds its loss at build."""
    layer = layers.Conv2D(4, 3, kernel_regularizer="l2", name="conv")
    layer(Input(shape=(5, 5, 3)))
    assert [(w.name, K.int_shape(w)) for w in layer.weights] == [
        ("conv/kernel:0", (3, 3, 3, 4)),
        ("conv/bias:0", (4,)),
    ]
    assert len(layer.losses) == 1
    kernel = layer.get_weights()[0]
    assert float(K.eval(layer.losses[0])) == pytest.approx(0.01 * (kernel**2).sum(), rel=1e-5)
