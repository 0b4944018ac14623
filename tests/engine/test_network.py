"""Functional graphs: construction, order of layers, nesting, weights, configs, copies."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from engine import layer_order

from pykeras import backend as K
from pykeras.layers import (
    Activation,
    Add,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    Masking,
    add,
    concatenate,
)
from pykeras.models import Model, Sequential, clone_model, model_from_json


def branched():
    """Two inputs, a shared layer, two outputs."""
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    both = concatenate([shared(a), shared(b)], name="both")
    return Model([a, b], [Dense(1, name="p")(both), Dense(2, name="q")(both)], name="net")


def arrays(n=5):
    return [np.random.rand(n, 4), np.random.rand(n, 4)]


# ------------------------------------------------------------------------------------------ construction


def test_2_12_names_must_be_unique():
    x = Input((2,))
    with pytest.raises(RuntimeError, match='"same" is used 2 times'):
        Model(x, Dense(2, name="same")(Dense(2, name="same")(x)))


def test_2_12_graph_disconnected():
    a, b = Input((2,)), Input((2,))
    with pytest.raises(RuntimeError, match=r"^Graph disconnected"):
        Model(a, add([a, b]))


def test_2_12_inputs_must_be_keras_tensors():
    x = K.placeholder((None, 2))
    with pytest.raises(TypeError, match="Input tensors to a Model must be Keras tensors"):
        Model(x, x)


def test_2_12_outputs_must_be_keras_tensors():
    x = Input((2,))
    with pytest.raises(TypeError, match="Output tensors to a Model must be Keras tensors"):
        Model(x, K.square(x))


def test_2_12_inputs_come_from_input_layers():
    x = Input((2,))
    h = Dense(2)(x)
    with pytest.warns(UserWarning, match="must come from"), pytest.raises(TypeError, match="InputLayer"):
        Model(h, Dense(1)(h))


def test_2_12_inputs_once_outputs_often():
    x = Input((2,))
    y = Dense(1)(x)
    with pytest.raises(ValueError, match="redundant"):
        Model([x, x], y)
    with pytest.warns(UserWarning, match="redundant"):
        model = Model(x, [y, y])
    assert len(model.predict(np.ones((3, 2)))) == 2


def test_2_12_cycle():
    x = Input((2,))
    first, second = Dense(2), Dense(2)
    y = second(first(x))
    first._inbound_nodes[0].inbound_layers[:] = [second]
    with pytest.raises(RuntimeError, match="cycle"):
        Model(x, y)


def test_unused_input_is_kept():
    a, b = Input((2,)), Input((3,))
    model = Model([a, b], Dense(1)(a))
    assert model.predict([np.ones((4, 2)), np.ones((4, 3))]).shape == (4, 1)


def test_keras_1_keywords_warn():
    x = Input((2,))
    with pytest.warns(UserWarning, match="inputs="):
        model = Model(input=x, output=Dense(1)(x))
    assert model.output_shape == (None, 1)


# ------------------------------------------------------------------------------------------ layer order


def test_2_13_order_of_layers():
    a, b = Input((4,), name="a"), Input((4,), name="b")
    late = Dense(4, name="late")(b)
    deep = Dense(4, name="deep2")(Dense(4, name="deep1")(a))
    model = Model([a, b], add([late, deep], name="sum"))
    # depth 3: a · depth 2: b is met before deep1, because `late` is the first input of the sum
    assert [layer.name for layer in model.layers] == ["a", "b", "deep1", "late", "deep2", "sum"]


def test_2_13_shared_layer_is_as_deep_as_its_deepest_call():
    x = Input((4,), name="x")
    shared = Dense(4, name="shared")
    first = shared(x)
    model = Model(x, add([shared(Dense(4, name="mid")(first)), Dense(4, name="side")(x)], name="sum"))
    assert [layer.name for layer in model.layers] == ["x", "shared", "mid", "side", "sum"]


def test_2_13_very_deep_graph():
    x = y = Input((2,))
    for _ in range(1500):  # deeper than Python's recursion limit
        y = Activation("linear")(y)
    assert len(Model(x, y).layers) == 1501


def test_2_14_functional_layers_include_inputs():
    assert [layer.name for layer in branched().layers][:2] == ["a", "b"]


def test_2_15_get_layer():
    model = branched()
    assert model.get_layer("shared") is model.get_layer(index=2)
    assert model.get_layer("p", index=0).name == "a"
    with pytest.raises(ValueError, match="No such layer: nobody"):
        model.get_layer("nobody")
    with pytest.raises(ValueError, match="index 99 but model only has 6 layers"):
        model.get_layer(index=99)
    with pytest.raises(ValueError, match="Provide either"):
        model.get_layer()


def test_names_of_ends():
    model = branched()
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["p", "q"]
    assert [layer.name for layer in model.output_layers] == ["p", "q"]
    assert model.input_shape == [(None, 4), (None, 4)]
    assert model.output_shape == [(None, 1), (None, 2)]
    assert model.input is model.inputs
    assert "shared_ib-1" in model.container_nodes
    assert sum(len(nodes) for nodes in model.nodes_by_depth.values()) == 7


# ------------------------------------------------------------------------------------------ sub-models


def test_sub_model_cut_at_any_tensor():
    x = Input((6, 6, 1))
    h = Conv2D(2, 3, name="conv")(x)
    model = Model(x, Dense(1)(Flatten()(h)))
    features = Model(model.input, model.get_layer("conv").output)
    data = np.random.rand(2, 6, 6, 1)
    assert features.predict(data).shape == (2, 4, 4, 2)
    kernel = model.get_layer("conv").get_weights()[0]
    expected = sum(data[:, i : i + 4, j : j + 4, :] * kernel[i, j] for i in range(3) for j in range(3))
    np.testing.assert_allclose(features.predict(data), expected, rtol=1e-4, atol=1e-5)


def test_2_16_a_model_is_a_layer():
    inner = branched()
    data = arrays()
    expected = inner.predict(data)
    u, v = Input((4,)), Input((4,))
    outputs = inner([u, v])
    outer = Model([u, v], outputs)
    for got, wanted in zip(outer.predict(data), expected):
        np.testing.assert_array_equal(got, wanted)
    assert inner([u, v])[0]._keras_history[1] == 2
    assert inner.call([u, v])[0] is inner.call([u, v])[0]
    assert inner.compute_output_shape([(7, 4), (7, 4)]) == [(7, 1), (7, 2)]
    assert inner.compute_output_shape([(None, 4), (None, 4)]) == [(None, 1), (None, 2)]


def test_the_ends_of_a_model_stay_its_own():
    inner = branched()
    inputs, outputs = inner.input, inner.output
    inner([Input((4,)), Input((4,))])
    assert inner.input == inputs
    assert inner.output == outputs
    assert inner.output_shape == [(None, 1), (None, 2)]
    assert inner.get_output_at(1) != outputs


def test_a_model_called_on_its_own_inputs():
    # as autoencoders do it: Model(picture, decoder(encoder(picture)))
    x = Input((4,))
    inner = Model(x, Dense(3)(x))
    outer = Model(x, Dense(2)(inner(x)))
    assert inner.output._keras_history[0] is inner.layers[1]
    assert [layer.name for layer in outer.layers] == [
        x._keras_history[0].name,
        inner.name,
        outer.layers[2].name,
    ]
    again = Model.from_config(outer.get_config())
    again.set_weights(outer.get_weights())
    data = np.random.rand(5, 4)
    np.testing.assert_array_equal(again.predict(data), outer.predict(data))


def test_an_input_may_be_an_output():
    x = Input((3,))
    same, other = Model(x, [x, Dense(1)(x)]).predict(np.ones((2, 3)))
    np.testing.assert_array_equal(same, np.ones((2, 3)))
    assert other.shape == (2, 1)


def test_2_16_nested_to_any_depth():
    net = Sequential([Dense(3, input_shape=(2,))])
    for _ in range(4):
        x = Input((2,) if net.input_shape == (None, 2) else (3,))
        net = Model(x, net(x))
    outer = Sequential([net, Dense(1)])
    assert outer.predict(np.ones((2, 2))).shape == (2, 1)
    assert len(outer.get_weights()) == 4


def test_2_16_masks_go_through_nested_models():
    x = Input((3, 2))
    inner = Model(x, Activation("relu")(Masking()(x)))
    z = Input((3, 2))
    inner(z)
    assert inner.get_output_mask_at(1) is not None
    y = Input((3, 2))
    with pytest.raises(TypeError, match="does not support masking"):
        Flatten()(inner(y))


# ---------------------------------------------------------------------------------- weights, losses, updates


def test_2_22_orders_of_weights():
    x = Input((2,))
    model = Model(x, Dense(1, name="out")(BatchNormalization(name="bn")(x)))
    names = [w.name for w in model.weights]
    assert names[:2] == ["bn/gamma:0", "bn/beta:0"]
    assert names[2:4] == ["out/kernel:0", "out/bias:0"]
    assert names[4:] == ["bn/moving_mean:0", "bn/moving_variance:0"]
    shapes = [w.shape for w in model.get_weights()]
    assert shapes == [(2,), (2,), (2,), (2,), (2, 1), (1,)]
    model.set_weights([np.full(s, i, dtype="float32") for i, s in enumerate(shapes)])
    assert [w.flat[0] for w in model.get_weights()] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="expecting 6 weights"):
        model.set_weights([np.ones(2)])


def test_2_19_trainable_of_the_model():
    model = branched()
    assert len(model.trainable_weights) == 6
    model.trainable = False
    assert model.trainable_weights == []
    assert len(model.non_trainable_weights) == 6
    assert all(layer.trainable for layer in model.layers if layer.weights)
    model.trainable = True
    model.get_layer("shared").trainable = False
    assert len(model.trainable_weights) == 4


def test_losses_of_nested_models_follow_the_call():
    x = Input((2,))
    inner = Model(x, Dense(2, kernel_regularizer="l2", activity_regularizer="l2")(x))
    u, v = Input((2,)), Input((2,))
    outer = Model([u, v], add([inner(u), inner(v)]))
    assert len(inner.losses) == 2
    assert len(outer.losses) == 3  # the kernel's once, the activity's per call
    assert len(Model(u, inner(u)).losses) == 2


def test_2_20_updates_of_nested_models_follow_the_flags():
    x = Input((2,))
    bn = BatchNormalization()
    inner = Model(x, bn(x))
    z = Input((2,))
    outer = Model(z, inner(z))
    assert len(outer.updates) == 2
    bn.trainable = False
    assert outer.updates == []
    bn.trainable = True
    inner.trainable = False
    assert outer.updates == []
    inner.trainable = True
    assert len(outer.updates) == 2
    assert len(inner.updates) == 2


def test_uses_learning_phase():
    x = Input((2,))
    assert Model(x, Dropout(0.5)(x)).uses_learning_phase
    assert not Model(x, Dense(1)(x)).uses_learning_phase


# ------------------------------------------------------------------------------------------ configs


def test_3_1_1_config():
    config = branched().get_config()
    assert list(config) == ["name", "layers", "input_layers", "output_layers"]
    assert config["input_layers"] == [["a", 0, 0], ["b", 0, 0]]
    assert config["output_layers"] == [["p", 0, 0], ["q", 0, 0]]
    shared = config["layers"][2]
    assert shared["inbound_nodes"] == [[["a", 0, 0, {}]], [["b", 0, 0, {}]]]
    assert config["layers"][3]["inbound_nodes"] == [[["shared", 0, 0, {}], ["shared", 1, 0, {}]]]


def round_trip(model, **kwargs):
    twin = model_from_json(model.to_json(), **kwargs)
    twin.set_weights(model.get_weights())
    return twin


def test_3_1_1_round_trip_with_shared_layers():
    model = branched()
    twin = round_trip(model)
    assert json.loads(twin.to_json()) == json.loads(model.to_json())
    data = arrays()
    for a, b in zip(model.predict(data), twin.predict(data)):
        np.testing.assert_array_equal(a, b)


def test_3_1_1_nodes_are_numbered_within_the_model():
    x, z = Input((2,), name="x"), Input((2,), name="z")
    layer = Dense(2, name="d")
    layer(x)
    config = Model(z, layer(z)).get_config()
    assert config["output_layers"] == [["d", 0, 0]]
    assert Model.from_config(config).predict(np.ones((1, 2))).shape == (1, 2)


def test_3_1_1_first_node_of_nested_models_counts():
    inner = branched()
    u, v = Input((4,), name="u"), Input((4,), name="v")
    outer = Model([u, v], inner([v, u]))
    config = outer.get_config()
    assert config["output_layers"] == [["net", 1, 0], ["net", 1, 1]]
    twin = round_trip(outer)
    data = arrays()
    for a, b in zip(outer.predict(data), twin.predict(data)):
        np.testing.assert_array_equal(a, b)


def test_other_dialects_of_connections():
    config = branched().get_config()
    layers = {entry["name"]: entry for entry in config["layers"]}
    layers["shared"]["inbound_nodes"] = [[["a", 0, 0]], {"inputs": ["b", 0, 0, {}]}]  # three entries, a dict
    layers["p"]["inbound_nodes"] = [["both", 0, 0, {}]]  # no inner list
    config["input_layers"] = {"a": ["a", 0, 0], "b": ["b", 0, 0]}
    model = Model.from_config(config)
    assert [K.int_shape(x) for x in model.outputs] == [(None, 1), (None, 2)]
    single = Model(x := Input((2,), name="x"), Dense(1, name="y")(x)).get_config()
    single["input_layers"], single["output_layers"] = ["x", 0, 0], ["y", 0, 0]
    assert Model.from_config(single).output_shape == (None, 1)


def test_nested_models_counted_from_zero():
    inner = Model(i := Input((2,), name="i"), Dense(2, name="d")(i), name="inner")
    outer = Model(x := Input((2,), name="x"), inner(x))
    config = outer.get_config()
    config["output_layers"] = [["inner", 0, 0]]
    assert Model.from_config(config).output_shape == (None, 2)


def test_3_1_2_layers_in_any_order():
    config = branched().get_config()
    config["layers"].reverse()
    model = Model.from_config(config)
    assert model.input_names == ["a", "b"]


def test_broken_configs():
    config = branched().get_config()
    config["layers"][3]["inbound_nodes"] = [[["nobody", 0, 0, {}]]]
    with pytest.raises(ValueError, match="nobody"):
        Model.from_config(config)
    config = branched().get_config()
    config["layers"][2]["inbound_nodes"] = [[["p", 0, 0, {}]]]
    with pytest.raises(ValueError, match="never made"):
        Model.from_config(config)
    config = branched().get_config()
    config["layers"][2]["class_name"] = "Nothing"
    with pytest.raises(ValueError, match="Unknown layer"):
        Model.from_config(config)


def test_custom_layers_need_to_be_named():
    class Twice(Layer):
        def call(self, inputs):
            return inputs * 2.0

    model = Model(x := Input((2,)), Twice()(x))
    twin = Model.from_config(model.get_config(), custom_objects={"Twice": Twice})
    np.testing.assert_array_equal(twin.predict(np.ones((1, 2))), [[2, 2]])


def test_keyword_arguments_of_calls():
    class Power(Layer):
        def call(self, inputs, n=1):
            return inputs**n

    model = Model(x := Input((1,)), Power()(x, n=3))
    twin = Model.from_config(model.get_config(), custom_objects={"Power": Power})
    np.testing.assert_allclose(twin.predict(np.full((1, 1), 2.0)), [[8.0]])
    outer = Model(z := Input((1,)), model(z))
    np.testing.assert_allclose(outer.predict(np.full((1, 1), 2.0)), [[8.0]])


def test_3_1_1_arguments_that_are_not_plain_warn():
    class Plus(Layer):
        def call(self, inputs, other=None):
            return inputs + other

    x = Input((1,))
    other = Dense(1)(x)
    model = Model(x, add([other, Plus(name="plus")(x, other=other)]))
    with pytest.warns(UserWarning, match="non-serializable keyword arguments"):
        config = model.get_config()
    plus = next(entry for entry in config["layers"] if entry["name"] == "plus")
    assert plus["inbound_nodes"][0][0][3] == {}


def test_float_input_of_embedding_inside_sequential():
    # 2.26
    model = Sequential([Embedding(5, 2, input_length=3)])
    assert K.dtype(model.inputs[0]) == "float32"
    assert model.predict(np.array([[0, 1, 4]])).shape == (1, 3, 2)


# ------------------------------------------------------------------------------------------ clone


def test_2_25_clone_functional():
    model = branched()
    twin = clone_model(model)
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]
    assert not {id(w) for w in twin.weights} & {id(w) for w in model.weights}
    twin.set_weights(model.get_weights())
    data = arrays()
    for a, b in zip(model.predict(data), twin.predict(data)):
        np.testing.assert_array_equal(a, b)


def test_2_25_clone_on_tensors():
    model = Model(x := Input((2,), name="x"), Dense(1)(x))
    twin = clone_model(model, K.placeholder((None, 2)))
    assert twin.input_names == ["input_wrapper_for_x"]
    twin = clone_model(model, Input((2,), name="z"))
    assert twin.input_names == ["z"]
    with pytest.raises(ValueError, match="1 inputs"):
        clone_model(model, [Input((2,)), Input((2,))])


def test_2_25_clone_sequential():
    model = Sequential([Dense(3, input_shape=(2,)), Dense(1)])
    twin = clone_model(model)
    assert isinstance(twin, Sequential)
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict(np.ones((1, 2))), model.predict(np.ones((1, 2))))
    on_tensor = clone_model(model, K.placeholder((None, 2)))
    assert on_tensor.predict(np.ones((1, 2))).shape == (1, 1)
    with pytest.raises(ValueError, match="Model"):
        clone_model(Dense(1))


def test_clone_keeps_arguments_and_nesting():
    inner = Sequential([Dense(2, input_shape=(2,))])
    model = Model(x := Input((2,)), Lambda(lambda t: t + 1)(inner(x)))
    twin = clone_model(model)
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin.predict(np.ones((1, 2))), model.predict(np.ones((1, 2))))


def test_concatenate_layer_in_config():
    a, b = Input((1,)), Input((1,))
    model = Model([a, b], Concatenate()([a, b]))
    assert round_trip(model).output_shape == (None, 2)


@pytest.mark.parametrize("seed", layer_order.SEEDS)
def test_2_13_order_and_numbering_as_recorded(seed):
    keras = SimpleNamespace(Model=Model, Input=Input, Dense=Dense, Add=Add)
    recorded = json.loads(layer_order.GOLDEN.read_text())[seed]
    assert layer_order.describe(layer_order.random_model(seed, keras)) == recorded
