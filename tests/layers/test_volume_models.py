"""Models over volumes: built, trained, shown, saved; files of Keras 1 (BEHAVIOURS 3.2.10, 4.9-4.16)."""

import json

import numpy as np
import pytest

from pykeras import layers as L
from pykeras.models import Model, Sequential, clone_model, load_model, model_from_json


def numbers(*shape):
    return np.random.RandomState(0).uniform(-1, 1, shape).astype("float32")


def classifier(**options):
    first = options.get("data_format") == "channels_first"
    return Sequential(
        [
            L.Conv3D(8, 3, activation="relu", input_shape=(1, 8, 8, 8) if first else (8, 8, 8, 1), **options),
            L.MaxPool3D(**options),
            L.SpatialDropout3D(0.1, **options),
            L.Convolution3D(8, (2, 2, 2), padding="same", activation="relu", **options),
            L.GlobalAvgPool3D(**options),
            L.Dense(2, activation="softmax"),
        ]
    )


def balls_and_bars(n):
    """Volumes with a ball or a bar at a random place, and which of the two."""
    rng = np.random.RandomState(1)
    x = rng.normal(0, 0.1, (n, 8, 8, 8, 1)).astype("float32")
    kinds = rng.randint(0, 2, n)
    at = np.arange(8)
    for volume, kind in zip(x, kinds):
        a, b, c = rng.randint(2, 6, 3)
        if kind:
            volume[:, b : b + 2, c : c + 2, 0] += 1
        else:
            distance = (at[:, None, None] - a) ** 2 + (at[:, None] - b) ** 2 + (at - c) ** 2
            volume[distance < 6, 0] += 1
    return x, np.eye(2)[kinds]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_classifier_learns(data_format):
    x, y = balls_and_bars(160)
    if data_format == "channels_first":
        x = np.moveaxis(x, -1, 1)
    np.random.seed(3)
    model = classifier(data_format=data_format)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.lr = 0.01
    model.fit(x, y, epochs=12, batch_size=16, verbose=0)
    assert model.evaluate(x, y, verbose=0)[1] > 0.9


def test_a_film_is_continued():
    """The model of the conv_lstm example: ConvLSTM2D layers under a Conv3D that draws the next picture."""
    np.random.seed(4)
    model = Sequential(
        [
            L.ConvLSTM2D(6, (3, 3), padding="same", return_sequences=True, input_shape=(None, 6, 6, 1)),
            L.BatchNormalization(),
            L.Conv3D(1, (3, 3, 3), activation="sigmoid", padding="same", data_format="channels_last"),
        ]
    )
    model.compile("adadelta", "binary_crossentropy")
    assert model.output_shape == (None, None, 6, 6, 1)
    films = np.zeros((12, 5, 6, 6, 1), "float32")
    for i, film in enumerate(films):  # a dot that moves one column per picture
        film[np.arange(5), i % 6, (np.arange(5) + i) % 6] = 1
    history = model.fit(films[:, :-1], films[:, 1:], epochs=15, batch_size=3, verbose=0)
    losses = history.history["loss"]
    assert losses[-1] < 0.5 * losses[0]
    assert model.predict(films[:, :2]).shape == (12, 2, 6, 6, 1)


def test_over_time():
    """Films through TimeDistributed are what the pictures are, one by one."""
    convolution, pool = L.Conv3D(3, 2, activation="tanh"), L.MaxPooling3D(2)
    x = L.Input((3, 4, 5, 4, 2))
    model = Model(x, L.TimeDistributed(pool)(L.TimeDistributed(convolution)(x)))
    one = L.Input((4, 5, 4, 2))
    alone = Model(one, pool(convolution(one)))
    films = numbers(2, 3, 4, 5, 4, 2)
    assert model.output_shape == (None, 3, 1, 2, 1, 3)
    np.testing.assert_allclose(
        model.predict(films), np.stack([alone.predict(f) for f in films]), rtol=1e-5, atol=1e-6
    )


def test_summary():
    lines = []
    classifier().summary(print_fn=lines.append)
    assert lines[3] == "conv3d_1 (Conv3D)            (None, 6, 6, 6, 8)        224       "
    assert lines[5] == "max_pooling3d_1 (MaxPooling3 (None, 3, 3, 3, 8)        0         "
    assert lines[9] == "conv3d_2 (Conv3D)            (None, 3, 3, 3, 8)        520       "


def every_layer(data_format):
    options = {"data_format": data_format}
    shape = (2, 4, 5, 6) if data_format == "channels_first" else (4, 5, 6, 2)
    return Sequential(
        [
            L.ZeroPadding3D((1, 2, 0), input_shape=shape, **options),
            L.Conv3D(3, (2, 3, 1), dilation_rate=(1, 2, 1), kernel_regularizer="l2", **options),
            L.Conv3DTranspose(4, 2, strides=(2, 1, 3), output_padding=(1, 0, 2), use_bias=False, **options),
            L.AveragePooling3D((2, 1, 3), strides=2, padding="same", **options),
            L.UpSampling3D((1, 2, 1), **options),
            L.Cropping3D(((0, 1), (1, 0), (1, 1)), **options),
            L.MaxPooling3D((1, 2, 2), **options),
            L.GlobalMaxPooling3D(**options),
        ]
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_saved_and_copied(tmp_path, data_format):
    model = every_layer(data_format)
    model.set_weights([numbers(*w.shape) for w in model.get_weights()])
    x = numbers(3, *model.input_shape[1:])
    wanted = model.predict(x)
    assert np.abs(wanted).min() > 0
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "m.h5", compile=False).predict(x), wanted)
    for again in (model_from_json(model.to_json()), clone_model(model)):
        assert again.get_config() == model.get_config()
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(x), wanted)


def keras1_file(path, ordering, backend, kernel, bias):
    """A file as Keras 1 wrote it: the names of the weights are all that tells the backend."""
    h5py = pytest.importorskip("h5py")
    config = {
        "name": "convolution3d_1",
        "nb_filter": 2,
        "kernel_dim1": 2,
        "kernel_dim2": 3,
        "kernel_dim3": 1,
        "subsample": [1, 2, 1],
        "border_mode": "valid",
        "dim_ordering": ordering,
        "init": "glorot_uniform",
        "activation": "linear",
        "bias": True,
        "batch_input_shape": [None, 4, 3, 5, 3] if ordering == "th" else [None, 3, 5, 3, 4],
        "input_dtype": "float32",
    }
    model = {"class_name": "Sequential", "config": [{"class_name": "Convolution3D", "config": config}]}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"convolution3d_1"]
        group = weights.create_group("convolution3d_1")
        names = [f"convolution3d_1_{letter}" + ":0" * (backend == "tensorflow") for letter in "Wb"]
        group.attrs["weight_names"] = [name.encode() for name in names]
        group[names[0]], group[names[1]] = kernel, bias


@pytest.mark.parametrize("backend", ["tensorflow", "theano"])
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_a_file_of_keras_1(tmp_path, ordering, backend):
    """3.2.10: kernels of dim_ordering 'th' were (filters, channels, three sizes); Theano turns them."""
    kernel, bias = numbers(2, 3, 1, 4, 2), numbers(2)
    stored = kernel[::-1, ::-1, ::-1] if backend == "theano" else kernel
    stored = stored.transpose(4, 3, 0, 1, 2) if ordering == "th" else stored
    keras1_file(tmp_path / "old.h5", ordering, backend, stored, bias)
    model = load_model(tmp_path / "old.h5", compile=False)
    (layer,) = model.layers
    assert type(layer) is L.Conv3D and layer.strides == (1, 2, 1) and layer.kernel_size == (2, 3, 1)
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)
    x = numbers(2, 3, 5, 3, 4)
    wanted = np.zeros((2, 2, 2, 3, 2))
    for a, b in np.ndindex(2, 3):
        wanted += x[:, a : a + 2, b : b + 3 : 2] @ kernel[a, b, 0]
    got = model.predict(x if ordering == "tf" else np.moveaxis(x, -1, 1))
    got = got if ordering == "tf" else np.moveaxis(got, 1, -1)
    np.testing.assert_allclose(got, wanted + bias, rtol=1e-4, atol=1e-5)


def test_aliases():
    assert L.Convolution3D is L.Conv3D
    assert L.Deconvolution3D is L.Deconv3D is L.Conv3DTranspose
    assert L.MaxPool3D is L.MaxPooling3D and L.AvgPool3D is L.AveragePooling3D
    assert issubclass(L.Conv3DTranspose, L.Conv3D)
    assert issubclass(L.Conv2DTranspose, L.Conv2D)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: L.Conv3D(2, 3)(L.Input((5, 5, 5))), "expected ndim=5, found ndim=4"),
        (lambda: L.Conv3D(2, (3, 3)), "tuple of 3 integers"),
        (lambda: L.Conv3D(2, 3)(L.Input((5, 5, 5, None))), "channel dimension"),
        (lambda: L.Conv3D(2, 3)(L.Input((2, 5, 5, 1))), "conv3d_1.*too small: depth 2 for a kernel of 3"),
        (lambda: L.Conv3D(2, 3, strides=2, dilation_rate=2)(L.Input((9, 9, 9, 1))), "dilation rate"),
        (lambda: L.Conv3DTranspose(2, 3, strides=2, output_padding=2), "must be greater than output padding"),
        (lambda: L.MaxPooling3D(padding="causal")(L.Input((4, 4, 4, 1))), "Invalid padding"),
        (lambda: L.AveragePooling3D((2, 2)), "tuple of 3 integers"),
    ],
)
def test_20_errors(make, words):
    with pytest.raises(ValueError, match=words):
        make()
