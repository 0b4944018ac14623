"""Configs of layers, initializers, regularizers, constraints and optimizers (BEHAVIOURS 3.1)."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import constraints, initializers, layers, losses, metrics, optimizers, regularizers
from pykeras.models import Model

KEYS = json.loads((Path(__file__).parent / "config_keys.json").read_text())

ARGUMENTS = {
    "Activation": {"activation": "relu"},
    "AlphaDropout": {"rate": 0.2},
    "Conv1D": {"filters": 2, "kernel_size": 3},
    "Conv2D": {"filters": 2, "kernel_size": 3},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 3},
    "Conv3D": {"filters": 2, "kernel_size": 3},
    "Conv3DTranspose": {"filters": 2, "kernel_size": 3},
    "Dense": {"units": 3},
    "DepthwiseConv2D": {"kernel_size": 3},
    "Dot": {"axes": 1},
    "Dropout": {"rate": 0.2},
    "Embedding": {"input_dim": 4, "output_dim": 3},
    "GaussianDropout": {"rate": 0.2},
    "GaussianNoise": {"stddev": 0.2},
    "Lambda": {"function": abs},
    "LocallyConnected1D": {"filters": 2, "kernel_size": 3},
    "LocallyConnected2D": {"filters": 2, "kernel_size": 3},
    "Permute": {"dims": (2, 1)},
    "RepeatVector": {"n": 2},
    "Reshape": {"target_shape": (2, 2)},
    "SeparableConv1D": {"filters": 2, "kernel_size": 3},
    "SeparableConv2D": {"filters": 2, "kernel_size": 3},
    "SpatialDropout1D": {"rate": 0.2},
    "SpatialDropout2D": {"rate": 0.2},
    "SpatialDropout3D": {"rate": 0.2},
}


def make(path, **more):
    module, name = path.rsplit(".", 1)
    cls = getattr(importlib.import_module(f"pykeras.{module}"), name)
    return cls(**{**ARGUMENTS.get(name, {}), **more})


@pytest.mark.parametrize("path", sorted(KEYS))
def test_keys(path):
    """3.1.11: exactly the keys of 2.1.6 (an Embedding always has an input shape, so two more: 2.5, 2.6)."""
    keys = set(make(path).get_config())
    if path.endswith("Embedding"):
        keys -= {"batch_input_shape", "dtype"}
    assert sorted(keys) == KEYS[path]


@pytest.mark.parametrize("path", sorted(path for path in KEYS if path.startswith("layers.")))
def test_round_trip_through_json(path):
    """3.1.6: constructors take the lists that JSON makes of tuples."""
    if path.endswith("Lambda"):
        pytest.skip("its function is not JSON's business: test_lambda.py")
    layer = make(path, name="chosen", trainable=False)
    config = json.loads(json.dumps(layer.get_config()))
    again = layers.deserialize({"class_name": type(layer).__name__, "config": config})
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    assert again.name == "chosen" and again.trainable is False


def test_input_shape_keys():
    """2.6: batch_input_shape and dtype appear only where a shape was given."""
    assert "batch_input_shape" not in layers.Dense(2).get_config()
    config = layers.Dense(2, input_shape=(3,)).get_config()
    assert tuple(config["batch_input_shape"]) == (None, 3) and config["dtype"] == "float32"
    assert tuple(layers.Dense(2, input_dim=5).get_config()["batch_input_shape"]) == (None, 5)  # 2.5


def test_floats_pass_through_floatx():
    """3.1.7."""
    assert regularizers.l2(0.01).get_config() == {"l1": 0.0, "l2": 0.009999999776482582}
    assert layers.LeakyReLU(0.3).get_config()["alpha"] == 0.30000001192092896
    assert optimizers.Adam(lr=0.001).get_config()["lr"] == 0.0010000000474974513
    assert optimizers.RMSprop().get_config()["epsilon"] == 1e-7  # 11.7


def test_how_parts_are_written():
    """3.1.8."""
    config = layers.Dense(2, activation="relu", kernel_constraint="maxnorm").get_config()
    assert config["kernel_initializer"] == {
        "class_name": "VarianceScaling",
        "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
    }
    assert config["bias_initializer"] == {"class_name": "Zeros", "config": {}}
    assert config["activation"] == "relu"
    assert config["kernel_regularizer"] is None
    assert config["kernel_constraint"] == {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}}


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (initializers, "glorot_uniform zeros zero one ones uniform normal random_normal orthogonal identity "
                       "lecun_normal he_uniform truncated_normal constant VarianceScaling GlorotUniform"),
        (constraints, "maxnorm nonneg unitnorm max_norm non_neg unit_norm min_max_norm MinMaxNorm"),
        (regularizers, "l1 l2 l1_l2 L1L2"),
        (optimizers, "sgd SGD rmsprop RMSprop adam Adam ADAM nadam adamax Adagrad Adadelta"),
        (losses, "mse MSE mae MAE mape msle kld KLD cosine hinge logcosh poisson binary_crossentropy"),
        (metrics, "mse MAE mape MSLE cosine binary_accuracy top_k_categorical_accuracy"),
    ],
)  # fmt: skip
def test_aliases(module, names):
    """3.1.8, 10.4, 11.10: names of all spellings resolve, and what was read serialises again."""
    for name in names.split():
        found = module.get(name)
        assert callable(found) or isinstance(found, optimizers.Optimizer)
        assert module.serialize(found)


@pytest.mark.parametrize(
    ("module", "kind"),
    [
        (initializers, "initializer"),
        (regularizers, "regularizer"),
        (constraints, "constraint"),
        (losses, "loss function"),
        (metrics, "metric function"),
        (optimizers, "optimizer"),
    ],
)
def test_unknown_names(module, kind):
    """3.1.9, 10.6, 20: the words that people search for."""
    with pytest.raises(ValueError, match=f"Unknown {kind}: ?no_such_thing"):
        module.get("no_such_thing")
    with pytest.raises(ValueError, match="Could not interpret"):
        module.get(17)
    # helpers of the module are no objects of it
    with pytest.raises(ValueError, match="Unknown"):
        module.deserialize({"class_name": "deserialize_keras_object", "config": {}})


def test_unknown_layer():
    """3.1.9, 20."""
    with pytest.raises(ValueError, match="Unknown layer: NoSuchLayer"):
        layers.deserialize({"class_name": "NoSuchLayer", "config": {}})
    with pytest.raises(ValueError, match="Unknown layer"):
        layers.deserialize({"class_name": "deserialize_keras_object", "config": {}})


def test_custom_function_by_name():
    """3.1.9, 12.5: a custom initializer or regularizer that is a plain function is used as it is."""
    from pykeras.utils import CustomObjectScope

    def sevens(shape, dtype=None):
        return K.constant(7, shape=shape, dtype=dtype)

    with CustomObjectScope({"sevens": sevens}):
        assert initializers.get("sevens") is sevens
        layer = layers.Dense.from_config({"units": 2, "kernel_initializer": "sevens"})
    assert layer.kernel_initializer is sevens
    assert layer.get_config()["kernel_initializer"] == "sevens"


def test_registered_on_the_module():
    """Old scripts register a loss with `keras.losses.name = function`; it can be named afterwards."""

    def my_loss(y_true, y_pred):
        return K.mean(y_pred - y_true)

    losses.my_loss = my_loss
    try:
        assert losses.get("my_loss") is my_loss
    finally:
        del losses.my_loss


def test_metric_config_dict():
    """22: `metrics.get` of a config dict builds what the dict says."""

    class Twice:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, y_true, y_pred):
            return self.factor * K.mean(y_pred)

    metric = metrics.deserialize({"class_name": "Twice", "config": {"factor": 3}}, {"Twice": Twice})
    assert isinstance(metric, Twice) and metric.factor == 3


def test_other_dialects():
    """Names and values that tf.keras writes."""
    layer = layers.deserialize({"class_name": "BatchNormalizationV1", "config": {"axis": [3], "name": "bn"}})
    assert isinstance(layer, layers.BatchNormalization) and layer.axis == 3
    initializer = initializers.get(
        {"class_name": "RandomNormal", "config": {"stddev": 0.1, "dtype": "float32"}}
    )
    assert initializer.stddev == 0.1
    assert regularizers.get({"class_name": "L2", "config": {"l2": 0.5}}).get_config() == {
        "l1": 0.0,
        "l2": 0.5,
    }
    assert layers.Softmax(axis=[-1]).axis == -1
    for name in (
        "Convolution2D",
        "SeparableConvolution2D",
        "Deconvolution2D",
        "AvgPool2D",
        "GlobalMaxPool1D",
    ):
        assert hasattr(layers, name)


@pytest.mark.parametrize(
    ("name", "config", "wanted"),
    [
        ("Adam", {"name": "Adam", "learning_rate": 0.5, "decay": 0.0, "beta_1": 0.9, "epsilon": None}, 0.5),
        ("SGD", {"name": "SGD", "learning_rate": 0.25, "weight_decay": None, "clipnorm": None,
                 "global_clipnorm": None, "use_ema": False, "ema_momentum": 0.99, "jit_compile": True,
                 "is_legacy_optimizer": False, "ema_overwrite_frequency": None, "clipvalue": None,
                 "momentum": 0.0, "nesterov": False}, 0.25),
        ("RMSprop", {"learning_rate": 0.5, "rho": 0.9, "momentum": 0.0, "centered": False, "name": "x"}, 0.5),
        ("Adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.1, "epsilon": 1e-7}, 0.5),
        ("Nadam", {"learning_rate": 0.5, "decay": 0.004, "name": "Nadam"}, 0.5),
    ],
)  # fmt: skip
def test_optimizer_dialects(name, config, wanted, recwarn):
    """11.1: configs of Keras 2.3 and tf.keras are read; keys that change nothing go silently."""
    optimizer = optimizers.deserialize({"class_name": name, "config": config})
    assert K.get_value(optimizer.lr) == np.float32(wanted)
    assert optimizer.learning_rate is optimizer.lr
    assert not recwarn.list


def test_optimizer_dialect_warns_of_what_it_cannot_do():
    with pytest.warns(UserWarning, match="momentum"):
        optimizers.RMSprop.from_config({"learning_rate": 0.1, "momentum": 0.9})
    schedule = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": 0.5, "decay_rate": 0.9}}
    with pytest.warns(UserWarning, match="LearningRateScheduler"):
        optimizer = optimizers.Adam.from_config({"learning_rate": schedule})
    assert K.get_value(optimizer.lr) == 0.5
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: lrate"):
        optimizers.Adam(lrate=1.0)


@pytest.mark.parametrize("kind", [layers.SpatialDropout2D, layers.SpatialDropout3D])
@pytest.mark.parametrize("made_under", ["channels_last", "channels_first"])
@pytest.mark.parametrize("read_under", ["channels_last", "channels_first"])
@pytest.mark.parametrize("given", [None, "channels_last", "channels_first"])
def test_22_2_layout_of_a_dropout_is_not_lost(kind, made_under, read_under, given):
    """Wherever it is not the one that all forget, it is written; the original constructors take the key."""
    K.set_image_data_format(made_under)
    layer = kind(0.5, data_format=given)
    config = json.loads(json.dumps(layer.get_config()))
    assert ("data_format" in config) is not (layer.data_format == made_under == "channels_last")
    if "data_format" in config:
        K.set_image_data_format(read_under)
    assert kind.from_config(config).data_format == layer.data_format == (given or made_under)


def test_22_2_noise_of_an_alpha_dropout_is_not_lost():
    layer = layers.AlphaDropout(0.5, noise_shape=(None, 1), seed=7)
    again = layers.AlphaDropout.from_config(json.loads(json.dumps(layer.get_config())))
    assert (again.rate, tuple(again.noise_shape), again.seed) == (0.5, (None, 1), 7)


def test_22_6_a_metric_from_its_config():
    class Counts(layers.Layer):
        def __init__(self, step=1, **kwargs):
            super().__init__(**kwargs)
            self.step = step

        def get_config(self):
            return {**super().get_config(), "step": self.step}

    from pykeras.utils import CustomObjectScope

    with CustomObjectScope({"Counts": Counts}):
        found = metrics.get({"class_name": "Counts", "config": {"step": 3}})
        assert type(found) is Counts and found.step == 3
        assert metrics.get(metrics.serialize(found)).get_config() == found.get_config()
    with pytest.raises(ValueError, match="Improper config format"):
        metrics.get({"step": 3})


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_22_9_type_of_a_recurrent_layer(kind):
    """The type of the input comes back from the config; a configured double precision goes all the way."""
    config = kind(2, input_shape=(4, 3), dtype="float64").get_config()
    again = kind.from_config(config)
    assert (again.dtype, again.batch_input_shape) == ("float64", (None, 4, 3))
    K.set_floatx("float64")
    layer = kind(2, return_state=True)
    made = Model(i := layers.Input((4, 3)), layer(i))
    assert {w.dtype for w in layer.get_weights()} == {np.dtype("float64")}
    assert {y.dtype for y in made.predict(np.ones((2, 4, 3)))} == {np.dtype("float64")}
