"""`model.summary()`, line by line (9.21 of the list of behaviours)."""

import pytest

from pykeras import layers as L
from pykeras.models import Model, Sequential
from pykeras.utils import layer_utils


def lines(model, **kwargs):
    out = []
    model.summary(print_fn=out.append, **kwargs)
    return out


def mlp():
    return Sequential(
        [
            L.Dense(32, activation="relu", input_shape=(784,), name="dense_1"),
            L.BatchNormalization(name="bn"),
            L.Dense(10, name="dense_2"),
        ]
    )


def test_sequential():
    assert lines(mlp()) == [
        "_" * 65,
        "Layer (type)                 Output Shape              Param #   ",
        "=" * 65,
        "dense_1 (Dense)              (None, 32)                25120     ",
        "_" * 65,
        "bn (BatchNormalization)      (None, 32)                128       ",
        "_" * 65,
        "dense_2 (Dense)              (None, 10)                330       ",
        "=" * 65,
        "Total params: 25,578",
        "Trainable params: 25,514",
        "Non-trainable params: 64",
        "_" * 65,
    ]


def test_printed_by_default(capsys):
    mlp().summary()
    out = capsys.readouterr().out
    assert out.startswith("_" * 65 + "\nLayer (type)")
    assert out.count("\n") == 13


def test_graph_shows_connections():
    a = L.Input((4,), name="a")
    shared = L.Dense(4, name="shared")
    u = shared(a)
    out = L.add([u, shared(u)], name="sum")
    text = lines(Model(a, out))
    assert text[0] == "_" * 98
    assert text[1] == (
        "Layer (type)                    Output Shape         Param #     Connected to                     "
    )
    assert text[3].split() == ["a", "(InputLayer)", "(None,", "4)", "0"]
    assert text[5].split() == ["shared", "(Dense)", "(None,", "4)", "20", "a[0][0]"]
    assert text[6] == " " * 65 + "shared[0][0]".ljust(33)
    assert text[8].split()[-1] == "shared[0][0]"
    assert text[9].split() == ["shared[1][0]"]
    assert "Total params: 20" in text


def test_functional_chain_looks_sequential():
    a = L.Input((4,), name="a")
    text = lines(Model(a, L.Dense(2, name="d")(a)))
    assert text[0] == "_" * 65
    assert text[3].startswith("a (InputLayer)               (None, 4)                 0")


def test_shared_layer_with_different_shapes():
    conv = L.Conv2D(2, 3, name="conv")
    ends = [L.GlobalMaxPooling2D()(conv(L.Input((n, n, 1)))) for n in (8, 9)]
    model = Model(
        [e._keras_history[0].input._keras_history[0].get_input_at(i) for i, e in enumerate(ends)], ends
    )
    row = next(line for line in lines(model) if line.startswith("conv (Conv2D)"))
    assert "multiple" in row


def test_width_and_positions():
    text = lines(mlp(), line_length=40, positions=[0.5, 0.8, 1.0])
    assert text[0] == "_" * 40
    assert text[3] == "dense_1 (Dense)     (None, 32)  25120   "
    text = lines(mlp(), line_length=40, positions=[10, 20, 40])
    assert text[3] == "dense_1 ( (None, 32 25120               "  # cells are cut, one blank between them


def test_frozen_layers_and_what_compile_collected():
    model = mlp()
    model.layers[0].trainable = False
    assert "Trainable params: 394" in lines(model)
    model.compile("sgd", "mse")
    model.layers[0].trainable = True
    with pytest.warns(UserWarning, match="Discrepancy between trainable weights"):
        text = lines(model)
    assert "Trainable params: 394" in text


def test_count_params_counts_distinct_weights():
    layer = L.Dense(3)
    layer.build((None, 4))
    assert layer_utils.count_params(layer.weights + layer.weights) == 15


def test_convert_dense_weights_data_format():  # 15.7
    import numpy as np

    dense = L.Dense(2)
    dense.build((None, 24))
    kernel = np.arange(48.0).reshape(24, 2)
    dense.set_weights([kernel, np.zeros(2)])
    layer_utils.convert_dense_weights_data_format(dense, (4, 2, 3), "channels_first")
    rows = kernel.reshape(2, 3, 4, 2).transpose(2, 0, 1, 3).reshape(24, 2)
    assert (dense.get_weights()[0] == rows).all()
    layer_utils.convert_dense_weights_data_format(dense, (2, 3, 4), "channels_last")
    assert (dense.get_weights()[0] == kernel).all()
    with pytest.raises(ValueError, match="target_data_format"):
        layer_utils.convert_dense_weights_data_format(dense, (2, 3, 4), "last")


def test_convert_all_kernels_in_model():  # 15.7
    model = Sequential([L.Conv2D(2, 3, input_shape=(5, 5, 1)), L.Flatten(), L.Dense(1)])
    before = model.get_weights()
    layer_utils.convert_all_kernels_in_model(model)
    after = model.get_weights()
    assert (after[0] == before[0][::-1, ::-1]).all()
    assert all((a == b).all() for a, b in zip(after[1:], before[1:]))


def test_convert_kernels_of_a_layer_that_several_models_share():  # 15.7
    conv = L.Conv2D(2, 3, padding="same", input_shape=(5, 5, 2))
    inner = Sequential([conv])
    x = L.Input((5, 5, 2))
    model = Model(x, L.concatenate([inner(x), conv(x)]))
    before = conv.get_weights()[0]
    layer_utils.convert_all_kernels_in_model(model)
    assert (conv.get_weights()[0] == before[::-1, ::-1]).all()
