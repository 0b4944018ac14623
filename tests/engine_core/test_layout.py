"""channels_first models keep their data channels_last inside: transposes at the edges only, equal numbers."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.layers import (
    Activation,
    AveragePooling2D,
    AveragePooling3D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Conv3D,
    Conv3DTranspose,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    Input,
    LeakyReLU,
    MaxPooling2D,
    MaxPooling3D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from pykeras.models import Model


def network(data_format, top):
    """A small convolutional network with a branch; the same weights in both formats."""
    first = data_format == "channels_first"
    axis = 1 if first else -1
    options = {"data_format": data_format}
    x = Input((3, 12, 10) if first else (12, 10, 3))
    y = Conv2D(8, 3, **options)(x)
    y = BatchNormalization(axis=axis)(y)
    y = Activation("relu")(y)
    a = ZeroPadding2D(((1, 0), (2, 1)), **options)(y)
    a = Conv2D(6, 2, strides=2, **options)(a)
    a = LeakyReLU(0.1)(a)
    b = MaxPooling2D(2, **options)(y)
    b = Conv2D(6, (2, 1), padding="same", activation="tanh", **options)(b)
    b = AveragePooling2D(1, **options)(b)
    if top == "pool":
        y = Concatenate(axis=axis)([GlobalAveragePooling2D(**options)(t) for t in (a, b)])
    else:
        y = Flatten(data_format=data_format)(b)
    y = Dense(4)(y)
    return Model(x, y)


def volume_network(data_format, top):
    """The same kind of network over volumes."""
    first = data_format == "channels_first"
    axis = 1 if first else -1
    options = {"data_format": data_format}
    x = Input((2, 6, 7, 6) if first else (6, 7, 6, 2))
    y = Conv3D(6, 3, **options)(x)
    y = BatchNormalization(axis=axis)(y)
    y = Activation("relu")(y)
    a = ZeroPadding3D(((1, 0), (2, 1), (0, 1)), **options)(y)
    a = Conv3D(4, 2, strides=2, **options)(a)
    a = LeakyReLU(0.1)(a)
    b = MaxPooling3D(2, **options)(y)
    b = Conv3DTranspose(4, (2, 1, 2), padding="same", strides=2, activation="tanh", **options)(b)
    b = AveragePooling3D((1, 2, 1), **options)(b)
    if top == "pool":
        y = Concatenate(axis=axis)([GlobalAveragePooling3D(**options)(t) for t in (a, b)])
    else:
        y = Flatten(data_format=data_format)(b)
    return Model(x, Dense(4)(y))


@pytest.mark.parametrize(
    ("build", "size"), [(network, (12, 10, 3)), (volume_network, (6, 7, 6, 2))], ids=["images", "volumes"]
)
@pytest.mark.parametrize("top", ["pool", "flatten"])
def test_equal_numbers_in_both_formats(top, build, size):
    """4.12."""
    rng = np.random.RandomState(0)
    images, targets = rng.rand(5, *size).astype("float32"), rng.rand(5, 4).astype("float32")
    results = []
    weights = None
    for data_format in ("channels_last", "channels_first"):
        model = build(data_format, top)
        model.compile("sgd", "mse")
        weights = weights or model.get_weights()
        model.set_weights(weights)
        x = images if data_format == "channels_last" else np.moveaxis(images, -1, 1)
        before = model.predict(x)
        losses = [model.train_on_batch(x, targets) for _ in range(3)]
        results.append([before, losses, *model.get_weights()])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("build", [network, volume_network], ids=["images", "volumes"])
def test_transposes_at_the_edges_only(build):
    model = build("channels_first", "pool")
    x = np.zeros((2, *model.input_shape[1:]), "float32")
    predict = K.function([model.input], [model.output])
    assert predict.describe([x]).count("transpose(") == 1
    loss = K.mean(K.square(model.output))
    train = K.function(
        [model.input, K.learning_phase()],
        [loss, *K.gradients(loss, model.trainable_weights)],
        [(w, v) for w, v in model.updates],
    )
    assert train.describe([x, 1]).count("transpose(") == 1


def test_a_transposed_result_is_a_result():
    x = K.placeholder((None, 3, 4, 5))
    y = K.permute_dimensions(x, (0, 2, 3, 1))
    z = K.relu(y + 1.0)
    data = np.random.RandomState(1).randn(2, 3, 4, 5).astype("float32")
    got = K.function(
        [x], [y, z, K.sum(z, axis=1), K.sum(z, axis=(0, 1, 2)), K.max(z, axis=3, keepdims=True)]
    )([data])
    y = data.transpose(0, 2, 3, 1)
    z = np.maximum(y + 1, 0)
    want = [y, z, z.sum(1), z.sum((0, 1, 2)), z.max(3, keepdims=True)]
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=1e-5)
