"""Configs of Keras 1, tf.keras and Keras 3, put into our words."""

import copy
import json

import h5py
import numpy as np
import pytest

from pykeras import backend as K
from pykeras import layers
from pykeras.models import Model, load_model, model_from_json
from pykeras.saving.dialects import clean_model_config
from pykeras.saving.training_config import sort_state

INPUT = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 4], "name": "in"}}


def clean_layer(class_name, config, **kwargs):
    """The cleaned config of one layer inside a Sequential."""
    config = {"name": "x", **config}
    model = {"class_name": "Sequential", "config": [INPUT, {"class_name": class_name, "config": config}]}
    before = copy.deepcopy(model)
    layer = clean_model_config(model, **kwargs)["config"][1]
    assert model == before  # the caller's config is never changed
    return layer["class_name"], layer["config"]


# ---- Keras 1 (19.1)


def test_keras1_dense():
    old = {
        "output_dim": 3,
        "init": "glorot_uniform",
        "activation": "relu",
        "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.5},
        "b_regularizer": None,
        "W_constraint": {"name": "MaxNorm", "m": 2, "axis": 0},
        "b_constraint": None,
        "bias": True,
        "input_dim": 4,
        "input_dtype": "float32",
        "batch_input_shape": [None, 4],
    }
    assert clean_layer("Dense", old) == (
        "Dense",
        {
            "name": "x",
            "units": 3,
            "kernel_initializer": "glorot_uniform",
            "activation": "relu",
            "kernel_regularizer": {"class_name": "L1L2", "config": {"l1": 0.0, "l2": 0.5}},
            "bias_regularizer": None,
            "kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}},
            "bias_constraint": None,
            "use_bias": True,
            "dtype": "float32",
            "batch_input_shape": [None, 4],
        },
    )


def test_keras1_convolution():
    old = {
        "nb_filter": 8,
        "nb_row": 3,
        "nb_col": 2,
        "subsample": [1, 2],
        "border_mode": "same",
        "dim_ordering": "th",
        "activity_regularizer": None,
    }
    assert clean_layer("Convolution2D", old) == (
        "Conv2D",
        {
            "name": "x",
            "filters": 8,
            "kernel_size": [3, 2],
            "strides": [1, 2],
            "padding": "same",
            "data_format": "channels_first",
            "activity_regularizer": None,
        },
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            ("Convolution1D", {"nb_filter": 2, "filter_length": 3, "subsample_length": 2}),
            ("Conv1D", {"filters": 2, "kernel_size": 3, "strides": 2}),
        ),
        (("Dropout", {"p": 0.5}), ("Dropout", {"rate": 0.5})),
        (("GaussianNoise", {"sigma": 0.5}), ("GaussianNoise", {"stddev": 0.5})),
        (
            ("MaxPooling1D", {"pool_length": 2, "stride": 2, "border_mode": "valid"}),
            ("MaxPooling1D", {"pool_size": 2, "strides": 2, "padding": "valid"}),
        ),
        (
            ("MaxPooling2D", {"pool_size": [2, 2], "dim_ordering": "tf"}),
            ("MaxPooling2D", {"pool_size": [2, 2], "data_format": "channels_last"}),
        ),
        (
            (
                "Convolution3D",
                {
                    "nb_filter": 2,
                    "kernel_dim1": 3,
                    "kernel_dim2": 4,
                    "kernel_dim3": 5,
                    "subsample": [1, 2, 1],
                },
            ),
            ("Conv3D", {"filters": 2, "kernel_size": [3, 4, 5], "strides": [1, 2, 1]}),
        ),
        (
            ("AveragePooling3D", {"pool_size": [2, 2, 2], "border_mode": "same", "dim_ordering": "th"}),
            (
                "AveragePooling3D",
                {"pool_size": [2, 2, 2], "padding": "same", "data_format": "channels_first"},
            ),
        ),
        (("TimeDistributedDense", {"output_dim": 3, "input_length": 5}), ("Dense", {"units": 3})),
        (
            ("BatchNormalization", {"mode": 0, "beta_init": "zero"}),
            ("BatchNormalization", {"beta_initializer": "zero"}),
        ),
        (
            ("Embedding", {"input_dim": 9, "output_dim": 3, "init": "uniform"}),
            ("Embedding", {"input_dim": 9, "output_dim": 3, "embeddings_initializer": "uniform"}),
        ),
        (
            ("AtrousConvolution2D", {"nb_filter": 1, "nb_row": 2, "nb_col": 2, "atrous_rate": [2, 2]}),
            ("Conv2D", {"filters": 1, "kernel_size": [2, 2], "dilation_rate": [2, 2]}),
        ),
        (("Merge", {"mode": "sum"}), ("Add", {})),
        (("Merge", {"mode": "concat", "concat_axis": 1, "mode_type": "raw"}), ("Concatenate", {"axis": 1})),
        (("Merge", {"mode": "cos", "dot_axes": [[1], [1]]}), ("Dot", {"axes": [1, 1], "normalize": True})),
    ],
)
def test_keras1_names(old, new):
    class_name, config = new
    assert clean_layer(*old) == (class_name, {"name": "x", **config})


def test_keras1_merge_by_a_function_and_bn_modes_are_refused():
    with pytest.raises(ValueError, match="never runs code"):
        clean_layer("Merge", {"mode": "b'code'", "mode_type": "lambda"})
    with pytest.raises(ValueError, match="mode=1"):
        clean_layer("BatchNormalization", {"mode": 1})


# ---- tf.keras and Keras 3


def test_tf_keras_batch_normalization():
    config = {
        "trainable": True,
        "dtype": "float32",
        "axis": [3],
        "momentum": 0.9,
        "fused": True,
        "renorm": False,
        "synchronized": False,
        "virtual_batch_size": None,
    }
    expected = ("BatchNormalization", {"name": "x", "trainable": True, "axis": 3, "momentum": 0.9})
    assert clean_layer("BatchNormalizationV1", config) == expected
    assert clean_layer("Keras>BatchNormalization", config) == expected
    with pytest.raises(ValueError, match="several axes"):
        clean_layer("BatchNormalization", {"axis": [1, 2]})


def test_tf_keras_objects():
    config = {
        "units": 2,
        "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": 3, "dtype": "float32"}},
        "bias_initializer": {
            "module": "keras.initializers",
            "class_name": "Zeros",
            "config": {"dtype": "float32"},
            "registered_name": None,
        },
        "kernel_regularizer": {"class_name": "L2", "config": {"l2": 0.5}},
        "activation": {
            "module": "builtins",
            "class_name": "function",
            "config": "relu",
            "registered_name": "f",
        },
    }
    scaling = {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": 3}
    assert clean_layer("Dense", config)[1] == {
        "name": "x",
        "units": 2,
        "kernel_initializer": {"class_name": "VarianceScaling", "config": scaling},
        "bias_initializer": {"class_name": "Zeros", "config": {}},
        "kernel_regularizer": {"class_name": "L1L2", "config": {"l2": 0.5}},
        "activation": "relu",
    }


def test_unknown_initializers_matter_only_without_weights():
    config = {"units": 2, "kernel_initializer": "<lambda>"}
    assert clean_layer("Dense", config)[1]["kernel_initializer"] == "<lambda>"
    assert clean_layer("Dense", config, weights_follow=True)[1]["kernel_initializer"] == "zeros"
    mine = {"<lambda>": object()}
    kept = clean_layer("Dense", config, weights_follow=True, custom_objects=mine)[1]
    assert kept["kernel_initializer"] == "<lambda>"


def test_harmless_and_harmful_settings():
    neutral = {"filters": 1, "kernel_size": [1, 1], "groups": 1, "autocast": True}
    assert clean_layer("Conv2D", neutral)[1] == {"name": "x", "filters": 1, "kernel_size": [1, 1]}
    with pytest.raises(ValueError, match=r"'x' \(Conv2D\) has the setting groups=2"):
        clean_layer("Conv2D", {**neutral, "groups": 2})
    with pytest.raises(ValueError, match="keepdims"):
        clean_layer("GlobalMaxPooling2D", {"keepdims": True})


@pytest.mark.parametrize(
    ("dtype", "clean"),
    [
        ("float32", "float32"),
        ("mixed_float16", "float32"),
        ("uint16", "int32"),
        ("int64", "int64"),
        ({"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}}, "float32"),
    ],
)
def test_dtypes(dtype, clean):
    config = {"batch_shape": [None, 2], "dtype": dtype, "ragged": False, "sparse": False, "name": "in"}
    model = {"class_name": "Sequential", "config": [{"class_name": "InputLayer", "config": config}]}
    assert clean_model_config(model)["config"][0]["config"] == {
        "batch_input_shape": [None, 2],
        "dtype": clean,
        "name": "in",
        "sparse": False,
    }


def test_ragged_is_refused():
    with pytest.raises(ValueError, match="ragged"):
        clean_layer("InputLayer", {"batch_input_shape": [None, None], "ragged": True})


def test_sequential_gets_the_shape_it_was_built_with():
    layers = [{"class_name": "Dense", "config": {"units": 1, "name": "d"}}]
    body = {"name": "s", "layers": layers, "build_input_shape": [None, 4]}
    cleaned = clean_model_config({"class_name": "Sequential", "config": body})
    assert cleaned["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 4]
    assert cleaned["config"]["name"] == "s"


def functional(nodes, **ends):
    dense = {"class_name": "Dense", "name": "d", "config": {"units": 1, "name": "d"}, "inbound_nodes": nodes}
    layers = [{**INPUT, "name": "in", "inbound_nodes": []}, dense]
    config = {"name": "m", "layers": layers, "input_layers": [["in", 0, 0]], "output_layers": [["d", 0, 0]]}
    return {"class_name": "Functional", "config": {**config, **ends}}


KERAS3_TENSOR = {
    "class_name": "__keras_tensor__",
    "config": {"shape": [None, 4], "dtype": "float32", "keras_history": ["in", 0, 0]},
}


@pytest.mark.parametrize(
    "nodes",
    [
        [[["in", 0, 0, {}]]],
        [[["in", 0, 0]]],
        [["in", 0, 0, {}]],
        [{"a": ["in", 0, 0, {}]}],
        [{"args": [KERAS3_TENSOR], "kwargs": {"mask": None, "training": False}}],
        [{"args": [[KERAS3_TENSOR]], "kwargs": {}}],
    ],
)
def test_inbound_nodes(nodes):  # 3.1.1
    layer = clean_model_config(functional(nodes))["config"]["layers"][1]
    assert [[entry[:3] for entry in node] for node in layer["inbound_nodes"]] == [[["in", 0, 0]]]
    assert all(entry[3:] in ([], [{}]) for node in layer["inbound_nodes"] for entry in node)


@pytest.mark.parametrize("end", [["in", 0, 0], [["in", 0, 0]], [[["in", 0, 0]]], {"a": ["in", 0, 0]}])
def test_ends_of_a_model(end):
    config = clean_model_config(functional([[["in", 0, 0]]], input_layers=end))
    assert config["class_name"] == "Model"
    assert config["config"]["input_layers"] == [["in", 0, 0]]


def test_bare_get_config():
    bare = functional([[["in", 0, 0]]])["config"]
    assert clean_model_config(bare)["class_name"] == "Model"


def test_keras3_tuples_are_lists():
    marked = {"class_name": "__tuple__", "items": [2, 3]}
    assert clean_layer("Reshape", {"target_shape": marked})[1]["target_shape"] == [2, 3]


# ---- what a config may name


def test_all_unknown_layers_are_named():  # 3.1.9, 20
    body = [INPUT] + [{"class_name": n, "config": {"name": n}} for n in ("Foo", "Dense", "Bar", "Foo")]
    body[2]["config"]["units"] = 1
    with pytest.raises(
        ValueError, match=r"Unknown layer: Bar, Foo\..*custom_objects=\{'Bar': Bar, 'Foo': Foo\}"
    ):
        clean_model_config({"class_name": "Sequential", "config": body})
    known = {"Foo": object, "Bar": object}
    assert clean_model_config({"class_name": "Sequential", "config": body}, known)


@pytest.mark.parametrize("name", ["np", "deserialize", "os", "__name__", "K", "Any", "importlib"])
def test_only_layers_can_be_named(name):
    with pytest.raises(ValueError, match="Unknown layer"):
        clean_layer(name, {})


@pytest.mark.parametrize("config", [None, [], "text", {"a": 1}, {"class_name": 3, "config": {}}])
def test_no_config_of_a_model(config):
    with pytest.raises(ValueError, match="not the config of a"):
        clean_model_config(config)


def test_deep_nesting_is_an_error_not_a_crash():
    config = {"class_name": "Sequential", "config": []}
    for _ in range(5000):
        config = {"class_name": "Sequential", "config": [config]}
    with pytest.raises(ValueError, match="nested too deeply"):
        clean_model_config(config)


# ---- optimizer state


@pytest.mark.parametrize(
    ("kind", "names", "order"),
    [
        ("Adam", ["Adam/iterations:0", "training/Adam/Variable:0"], None),
        ("Adam", ["param_0", "param_1"], None),
        ("Adam", ["Adam/iter:0", "Adam/d/k/m:0", "Adam/d/k/v:0"], [0, 1, 2]),
        ("Adam", ["iteration:0", "Adam/m/a:0", "Adam/v/a:0", "Adam/m/b:0", "Adam/v/b:0"], [0, 1, 3, 2, 4]),
        (
            "Adam",
            ["iteration", "learning_rate", "adam/d_kernel_momentum", "adam/d_kernel_velocity"],
            [0, 2, 3],
        ),
        ("Adam", ["Adam/iter:0", "Adam/m/kernel/v:0", "Adam/m/kernel/m:0"], [0, 2, 1]),
        ("RMSprop", ["RMSprop/iter:0", "RMSprop/a/rms:0"], [0, 1]),
        ("Adadelta", ["Adadelta/iter:0", "Adadelta/a/accum_var:0", "Adadelta/a/accum_grad:0"], [0, 2, 1]),
        ("Mine", ["iter:0"], None),
    ],
)
def test_order_of_the_optimizer_state(kind, names, order):  # 3.2.6
    assert sort_state(names, kind) == order


def test_flatten_of_old_files_moves_nothing():
    """4.5: a file without the setting (up to 2.1.5) keeps its order of features under any configuration."""
    assert clean_layer("Flatten", {})[1]["data_format"] == "channels_last"
    assert clean_layer("Flatten", {"data_format": "channels_first"})[1]["data_format"] == "channels_first"
    K.set_image_data_format("channels_first")
    flat = {"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [None, 2, 3, 4]}}
    model = model_from_json(json.dumps({"class_name": "Sequential", "config": [flat]}))
    data = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(model.predict(data), data.reshape(1, -1))


@pytest.mark.parametrize(
    ("version", "reverse"),
    [
        ("2.1.6", True),
        ("2.2.2", True),
        ("2.2.3", False),
        ("2.2.4", False),
        ("2.2.4-tf", False),
        (None, False),
    ],
)
def test_order_of_stacked_states_follows_the_writer(version, reverse, tmp_path):
    """6.11, DECISIONS: before 2.2.3 the states ran from the last cell to the first; files of both load."""
    x = layers.Input((4, 2), name="x")
    rnn = layers.RNN([layers.GRUCell(3), layers.LSTMCell(5)], return_state=True, name="rnn")
    model = Model(x, rnn(x))
    data = np.random.RandomState(0).randn(2, 4, 2)
    wanted = model.predict(data)
    assert [a.shape[1] for a in wanted] == [5, 3, 5, 5]
    model.save(tmp_path / "new.h5")
    with h5py.File(tmp_path / "new.h5", "r+") as file:
        assert b"reverse_state_order" not in file.attrs["model_config"].encode()
        if version is None:
            version = "2.2.4"
        file.attrs["keras_version"] = version.encode()
    text = json.loads(model.to_json())
    text["keras_version"] = version
    for twin in (load_model(tmp_path / "new.h5", compile=False), model_from_json(json.dumps(text))):
        twin.set_weights(model.get_weights())
        output, *states = twin.predict(data)
        order = [wanted[2], wanted[3], wanted[1]] if reverse else wanted[1:]
        for a, b in zip([output, *states], [wanted[0], *order], strict=True):
            np.testing.assert_array_equal(a, b)
        again = Model.from_config(twin.get_config())  # and the copy keeps the order
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict(data)[1], order[0])
