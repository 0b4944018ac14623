"""Calls in the words of Keras 1 (BEHAVIOURS 19)."""

import inspect
import warnings

import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.layers import Conv2D, Dense, Embedding
from pykeras.legacy import interfaces

KERNEL = {"W_regularizer": "l2", "b_regularizer": "l1", "W_constraint": "nonneg", "b_constraint": "nonneg"}
TH = {"dim_ordering": "th"}

# name, positional arguments, keywords of Keras 1, what the warning shows
CALLS = [
    ("Dense", (), {"output_dim": 3, "init": "zero", "bias": False}, "units=3, kernel_initializer="),
    ("Dense", (3,), KERNEL, 'kernel_regularizer="l2"'),
    ("Conv1D", (), {"nb_filter": 2, "filter_length": 3}, "filters=2, kernel_size=3"),
    ("Convolution1D", (2, 3), {"subsample_length": 2, "border_mode": "same"}, 'strides=2, padding="same"'),
    ("Conv1D", (2, 3), {"input_dim": 4, "input_length": 5}, "input_shape=(5, 4)"),
    ("LocallyConnected1D", (2,), {"filter_length": 3}, "kernel_size=3"),
    ("Convolution2D", (2, 3, 4), {}, "`Conv2D(2, kernel_size=(3, 4))`"),
    ("Conv2D", (2, 3), {"nb_col": 4}, "kernel_size=(3, 4)"),
    ("Conv2D", (2,), {"nb_row": 3, "nb_col": 4}, "kernel_size=(3, 4)"),
    ("Conv2D", (), {"nb_filter": 2, "nb_row": 3, "nb_col": 4}, "filters=2"),
    ("Conv2D", (2, 3), {"subsample": (2, 2), **TH, **KERNEL}, 'data_format="channels_first"'),
    ("LocallyConnected2D", (2, 3, 3), {}, "kernel_size=(3, 3)"),
    ("Convolution3D", (2, 3, 4, 5), {}, "`Conv3D(2, kernel_size=(3, 4, 5))`"),
    ("Conv3D", (2, 3), {"kernel_dim2": 4, "kernel_dim3": 5}, "kernel_size=(3, 4, 5)"),
    ("Conv3D", (), {"nb_filter": 2, "kernel_dim1": 3, "kernel_dim2": 4, "kernel_dim3": 5}, "filters=2"),
    ("Conv3D", (2, 3), {"subsample": (2, 1, 2), **TH, **KERNEL}, 'data_format="channels_first"'),
    ("Conv3DTranspose", (2, 3), {"border_mode": "same"}, 'padding="same"'),
    ("Deconvolution2D", (2, 3, 3, (None, 4, 4, 2)), {}, "kernel_size=(3, 3)"),
    ("Conv2DTranspose", (2, 3), {"output_shape": (None, 4, 4, 2), "border_mode": "same"}, 'padding="same"'),
    ("SeparableConv2D", (2, 3, 3), {"init": "one"}, 'depthwise_initializer="one"'),
    ("SeparableConv2D", (2, 3), {"b_regularizer": "l2"}, 'bias_regularizer="l2"'),
    ("MaxPooling1D", (), {"pool_length": 3, "stride": 2}, "pool_size=3, strides=2"),
    ("AveragePooling1D", (), {"border_mode": "same"}, 'padding="same"'),
    ("MaxPooling2D", ((2, 2),), {**TH, "border_mode": "same"}, 'data_format="channels_first"'),
    ("AveragePooling2D", (), TH, 'data_format="channels_first"'),
    ("GlobalMaxPooling2D", (), TH, 'data_format="channels_first"'),
    ("GlobalAveragePooling2D", (), TH, 'data_format="channels_first"'),
    ("MaxPooling3D", ((2, 2, 1),), {**TH, "border_mode": "same"}, 'padding="same"'),
    ("AveragePooling3D", (), TH, 'data_format="channels_first"'),
    ("GlobalMaxPooling3D", (), TH, 'data_format="channels_first"'),
    ("GlobalAveragePooling3D", (), TH, 'data_format="channels_first"'),
    ("UpSampling1D", (), {"length": 3}, "size=3"),
    ("UpSampling2D", (), TH, 'data_format="channels_first"'),
    ("UpSampling3D", (), TH, 'data_format="channels_first"'),
    ("ZeroPadding2D", ((1, 2, 3, 4),), {}, "((1, 2), (3, 4))"),
    ("ZeroPadding2D", (), {"padding": {"top_pad": 1, "right_pad": 2}}, "padding=((1, 0), (0, 2))"),
    ("ZeroPadding3D", (), TH, 'data_format="channels_first"'),
    ("Cropping2D", (), TH, 'data_format="channels_first"'),
    ("Cropping3D", (), TH, 'data_format="channels_first"'),
    ("Dropout", (), {"p": 0.5}, "rate=0.5"),
    ("SpatialDropout1D", (), {"p": 0.5}, "rate=0.5"),
    ("SpatialDropout2D", (), {"p": 0.5, **TH}, "rate=0.5"),
    ("SpatialDropout3D", (), {"p": 0.5, **TH}, "rate=0.5"),
    ("GaussianDropout", (), {"p": 0.5}, "rate=0.5"),
    ("GaussianNoise", (), {"sigma": 0.5}, "stddev=0.5"),
    ("Embedding", (5, 2), {"init": "normal", "W_regularizer": "l2"}, 'embeddings_initializer="normal"'),
    ("BatchNormalization", (), {"mode": 0}, "`BatchNormalization()`"),
    ("BatchNormalization", (), {"beta_init": "one", "gamma_init": "zero"}, 'gamma_initializer="zero"'),
    ("PReLU", (), {"init": "one"}, 'alpha_initializer="one"'),
    ("SimpleRNN", (), {"output_dim": 3, "inner_init": "normal"}, 'recurrent_initializer="normal"'),
    ("GRU", (3,), {"inner_activation": "sigmoid", "dropout_W": 0.2, "dropout_U": 0.1}, "dropout=0.2"),
    ("LSTM", (3,), {"forget_bias_init": "one", "U_regularizer": "l2"}, "unit_forget_bias=True"),
    ("LSTM", (3,), {"input_dim": 4, "input_length": 6}, "input_shape=(6, 4)"),
    ("LSTM", (3,), {"consume_less": "gpu"}, "implementation=2"),
    ("ConvLSTM2D", (), {"nb_filter": 2, "nb_row": 3, "nb_col": 3}, "kernel_size=(3, 3)"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "shown"), CALLS)
def test_19_1_converted_calls(name, args, kwargs, shown):
    cls = getattr(layers, name)
    with pytest.warns(UserWarning, match="^Update your `") as caught:
        layer = cls(*args, **dict(kwargs))
    text = str(caught[-1].message)
    assert text.startswith(f"Update your `{cls.__name__}` call to the Keras 2 API: `{cls.__name__}(")
    assert shown in text
    assert caught[-1].filename == __file__
    assert isinstance(layer, cls)


def test_19_1_the_values_arrive():
    with pytest.warns(UserWarning):
        layer = Conv2D(7, 3, 5, border_mode="same", subsample=(2, 1), dim_ordering="th", bias=False)
    assert (layer.filters, layer.kernel_size, layer.strides) == (7, (3, 5), (2, 1))
    assert (layer.padding, layer.data_format, layer.use_bias) == ("same", "channels_first", False)
    with pytest.warns(UserWarning):
        assert Dense(output_dim=3, input_dim=4).batch_input_shape == (None, 4)
    with pytest.warns(UserWarning):
        assert Conv2D(7, 3, dim_ordering="default").data_format == K.image_data_format()


def test_19_1_embedding_dropout_is_gone():
    with pytest.warns(UserWarning, match="`dropout` argument is no longer supported in `Embedding`"):
        Embedding(5, 2, dropout=0.2)


def test_19_1_subclasses_are_named_and_the_caller_is_shown():
    class Mine(Dense):
        def __init__(self, **kwargs):
            super().__init__(output_dim=3, **kwargs)

    with pytest.warns(UserWarning, match=r"Update your `Mine` call .*`Mine\(units=3\)`") as caught:
        Mine()
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "words"),
    [
        ("Dense", (), {"units": 3, "output_dim": 3}, "both the legacy keyword argument `output_dim`"),
        ("Dense", (3,), {"output_dim": 3}, "both the legacy keyword"),
        ("Conv2D", (3, 3, 3), {"kernel_size": 3}, "both the legacy keyword"),
        ("LSTM", (3,), {"unit_forget_bias": True, "forget_bias_init": "one"}, "both the legacy keyword"),
        ("SeparableConv2D", (3, 3), {"init": "one", "pointwise_initializer": "one"}, "both the legacy"),
        ("Dense", (3, "relu"), {}, "can accept only 1 positional arguments"),
        ("Conv2D", (3, 3, (1, 1)), {}, "can accept only 2 positional arguments"),
        ("Conv2D", (3, 3, 3, 3), {}, "at most 3 positional arguments"),
        ("Conv3D", (3, 3, 3, 3, 3), {}, "at most 4 positional arguments"),
        ("Conv3D", (3, 3, 3, 3), {"kernel_size": 3}, "both the legacy keyword"),
        ("MaxPooling3D", (2, 2, "same", "channels_last"), {}, "can accept only 3 positional arguments"),
        ("LSTM", (3, "tanh"), {}, "can accept only 1 positional arguments"),
        ("BatchNormalization", (1,), {}, "can accept only 0 positional arguments"),
        ("BatchNormalization", (), {"mode": 1}, "no longer exists"),
        ("Embedding", (3, 2, "uniform"), {}, "can accept only 2 positional arguments"),
        ("Dropout", (0.5, None, 1, 2), {}, "can accept only 3 positional arguments"),
        ("Lambda", (abs, None, None), {}, "can accept only 2 positional arguments"),
        ("Conv2D", (3, 3), {"nb_rows": 3}, "Keyword argument not understood"),
    ],
)
def test_19_2_errors(name, args, kwargs, words):
    with pytest.raises(TypeError, match=words), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        getattr(layers, name)(*args, **kwargs)


def test_keras_2_calls_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Dense(3, activation="relu", input_dim=4)
        Conv2D(3, (3, 3), padding="same")
        layers.Dropout(0.5, None, 1)
        layers.LSTM(3, input_shape=(4, 5))
        layers.ZeroPadding2D(((1, 1), (2, 2)))
        assert list(inspect.signature(Dense).parameters)[:2] == ["units", "activation"]


def test_19_3_generator_methods():
    class Flow:
        batch_size = 10

    class Model:
        @interfaces.legacy_generator_methods_support
        def fit_generator(self, generator, steps_per_epoch=None, epochs=1, **kwargs):
            return steps_per_epoch, epochs, kwargs

    old = {"nb_epoch": 2, "nb_worker": 3, "pickle_safe": True, "max_q_size": 4, "nb_val_samples": 5}
    with pytest.warns(UserWarning, match="Update your `fit_generator` call to the Keras 2 API"):
        result = Model().fit_generator(Flow(), samples_per_epoch=100, **old)
    more = {"workers": 3, "use_multiprocessing": True, "max_queue_size": 4, "validation_steps": 5}
    assert result == (10, 2, more)
    with pytest.warns(UserWarning):
        assert Model().fit_generator(iter(()), samples_per_epoch=100)[0] == 100
    with pytest.raises(TypeError, match="only 3 positional arguments"):
        Model().fit_generator(Flow(), 1, 2, 3)


def test_19_1_input_dtype_and_optimizers():
    class Anything:
        @interfaces.legacy_input_support
        def __init__(self, dtype=None):
            self.dtype = dtype

        @interfaces.legacy_get_updates_support
        def get_updates(self, loss, params):
            return loss, params

        @interfaces.legacy_add_weight_support
        def add_weight(self, name, shape, initializer=None):
            return name, shape, initializer

    with pytest.warns(UserWarning, match=r'`Anything\(dtype="int32"\)`'):
        thing = Anything(input_dtype="int32")
    assert thing.dtype == "int32"
    with pytest.warns(UserWarning):
        assert thing.get_updates(["p"], [], "loss") == ("loss", ["p"])
    with pytest.raises(ValueError, match="no constraints"):
        thing.get_updates(["p"], {"p": abs}, "loss")
    assert thing.add_weight((2, 3), initializer="one", name="W") == ("W", (2, 3), "one")


def test_19_1_input_layer():
    with pytest.warns(UserWarning, match="Update your `InputLayer` call"):
        assert layers.InputLayer((3,), input_dtype="int32").dtype == "int32"


def test_19_1_model_constructor():
    from pykeras.models import Model

    x = layers.Input((3,))
    with pytest.warns(UserWarning, match="Update your `Model` call to the Keras 2 API"):
        model = Model(input=x, output=Dense(2)(x))
    assert model.output_shape == (None, 2)
    with pytest.raises(TypeError, match="both the legacy keyword"):
        Model(input=x, inputs=x, output=x)
    assert list(inspect.signature(Model).parameters) == ["inputs", "outputs", "name"]


def test_2_21_add_weight_takes_the_shape_first():
    layer = Dense(2)
    assert K.int_shape(layer.add_weight((2, 3), initializer="zeros", name="w")) == (2, 3)
    assert K.int_shape(layer.add_weight("v", (4,))) == (4,)
    assert layer.add_weight((4,), "u").name.split("/")[-1] == "u:0"
