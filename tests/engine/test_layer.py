"""The layer: names, the calling protocol, weights, connections, masks, losses and updates."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import regularizers
from pykeras.engine import InputSpec
from pykeras.engine.topology import _to_snake_case
from pykeras.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    Masking,
    MaxPooling2D,
    PReLU,
    add,
)
from pykeras.models import Model, model_from_json


class Scale(Layer):
    """A custom layer with one weight; its build does not call the base class."""

    def build(self, input_shape):
        self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * self.factor


# ------------------------------------------------------------------------------------------ names


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("Dense", "dense"),
        ("Conv2D", "conv2d"),
        ("BatchNormalization", "batch_normalization"),
        ("MaxPooling2D", "max_pooling2d"),
        ("LSTM", "lstm"),
        ("TimeDistributed", "time_distributed"),
        ("Conv2DTranspose", "conv2d_transpose"),
        ("CuDNNLSTM", "cu_dnnlstm"),
        ("PReLU", "p_re_lu"),
        ("LeakyReLU", "leaky_re_lu"),
        ("ELU", "elu"),
        ("ConvLSTM2D", "conv_lst_m2d"),
        ("_Hidden", "private__hidden"),
    ],
)
def test_2_1_snake_case(class_name, expected):
    assert _to_snake_case(class_name) == expected


def test_2_1_default_names_count_per_class():
    assert [Dense(1).name, Dense(1).name, Conv2D(1, 1).name] == ["dense_1", "dense_2", "conv2d_1"]
    assert MaxPooling2D().name == "max_pooling2d_1"
    assert PReLU().name == "p_re_lu_1"


def test_2_2_counter_restarts_with_the_session():
    assert Dense(1).name == "dense_1"
    K.clear_session()
    assert Dense(1).name == "dense_1"
    assert Dense(1, name="mine").name == "mine"
    assert Dense(1).name == "dense_2"


def test_2_2_counters_belong_to_class_names_and_loading_uses_none():
    class dense(Dense):  # another class, of the same name in snake case
        pass

    assert [Dense(1).name, dense(1).name, Dense(1).name] == ["dense_1", "dense_1", "dense_2"]
    model = Model(x := Input((2,)), Dense(1)(Dense(1)(x)))
    text = model.to_json()
    assert Dense(1).name == "dense_5"
    model_from_json(text)
    assert Dense(1).name == "dense_6"
    K.reset_uids()
    assert Dense(1).name == "dense_1"


def test_2_3_inputs_and_models():
    x = Input((2,))
    assert x._keras_history[0].name == "input_1"
    assert Model(x, Dense(1)(x)).name == "model_1"

    class Twin(Model):
        pass

    assert Twin(x, Dense(1)(x)).name == "twin_1"


# ------------------------------------------------------------------------------------------ arguments


def test_2_4_unknown_keyword():
    with pytest.raises(TypeError, match="Keyword argument not understood"):
        Dense(1, colour="red")


def test_2_4_allowed_keywords():
    layer = Dense(
        2,
        batch_input_shape=(4, 3),
        dtype="float64",
        name="d",
        trainable=False,
        weights=[np.ones((3, 2)), np.zeros(2)],
    )
    assert (layer.name, layer.dtype, layer.trainable, layer.batch_input_shape) == (
        "d",
        "float64",
        False,
        (4, 3),
    )
    assert Dense(2, input_shape=(3,), batch_size=4).batch_input_shape == (4, 3)
    assert Dense(2, input_shape=(3,), input_dtype="int32").dtype == "int32"


def test_2_6_shape_and_dtype_only_if_given():
    plain = Dense(1)
    assert not hasattr(plain, "batch_input_shape")
    assert not hasattr(plain, "dtype")
    assert "dtype" not in plain.get_config()
    shaped = Dense(1, input_shape=(3,), batch_size=5)
    assert shaped.batch_input_shape == (5, 3)
    assert shaped.get_config()["batch_input_shape"] == (5, 3)
    assert shaped.dtype == "float32"


def test_2_5_embedding_always_has_a_shape():
    assert Embedding(10, 2).batch_input_shape == (None, None)
    assert Embedding(10, 2, input_length=4).batch_input_shape == (None, 4)


# ------------------------------------------------------------------------------------------ calling


def test_2_7_build_once_with_the_shape():
    seen = []

    class Watch(Layer):
        def build(self, input_shape):
            seen.append(input_shape)
            super().build(input_shape)

    layer = Watch()
    layer(Input((3,)))
    layer(Input((3,)))
    assert seen == [(None, 3)]
    merge = Watch()
    merge.call = lambda inputs: inputs[0] + inputs[1]
    merge.compute_output_shape = lambda shapes: shapes[0]
    merge([Input((3,)), Input((3,))])
    assert seen[-1] == [(None, 3), (None, 3)]


def test_2_7_initial_weights():
    kernel, bias = np.ones((3, 2)), np.full(2, 0.5)
    layer = Dense(2, weights=[kernel, bias])
    model = Model(x := Input((3,)), layer(x))
    np.testing.assert_allclose(model.predict(np.ones((1, 3))), [[3.5, 3.5]])


def test_2_7_returned_input_becomes_another_tensor():
    x = Input((3,))
    y = Layer()(x)
    assert y is not x
    assert y._keras_history[0].name == "layer_1"
    np.testing.assert_array_equal(Model(x, y).predict(np.ones((2, 3))), np.ones((2, 3)))


def test_2_7_a_list_of_one_output_is_that_output():
    """As layers for any number of inputs do: `return [f(x) for x in to_list(inputs)]`."""

    class Doubled(Layer):
        def call(self, inputs):
            return [2 * x for x in (inputs if isinstance(inputs, list) else [inputs])]

        def compute_output_shape(self, input_shape):
            return input_shape

    a, b = Input((2,)), Input((3,))
    one, two = Doubled()(a), Doubled()([a, b])
    assert K.int_shape(one) == (None, 2) and one._keras_history[2] == 0
    assert [K.int_shape(x) for x in two] == [(None, 2), (None, 3)]
    model = Model([a, b], [one, *two])
    found = model.predict([np.ones((1, 2)), np.ones((1, 3))])
    assert [x.tolist() for x in found] == [[[2, 2]], [[2, 2]], [[2, 2, 2]]]


def test_2_7_list_is_copied():
    tensors = [Input((3,)), Input((3,))]
    add_layer = add(tensors)._keras_history[0]
    tensors.append(None)
    assert len(add_layer._inbound_nodes[0].input_tensors) == 2


def test_2_8_base_build_is_not_needed():
    x = Input((4,))
    layer = Scale()
    y = layer(x)
    assert layer.built
    assert layer.factor.name == "scale_1/factor:0"
    assert layer.count_params() == 4
    np.testing.assert_array_equal(Model(x, y).predict(np.ones((2, 4))), np.ones((2, 4)))


def test_2_8_the_shape_rule_of_keras_1_only_warns():
    class Old(Layer):
        def get_output_shape_for(self, input_shape):
            return (input_shape[0], 99)

    with pytest.warns(UserWarning, match="`get_output_shape_for`.*no `compute_output_shape`"):
        y = Old()(Input((3,)))
    assert y._keras_shape == (None, 3)


def test_2_9_attributes_of_tensors():
    y = Dense(3)(Input((2,)))
    layer, node, index = y._keras_history
    assert (layer.name, node, index) == ("dense_1", 0, 0)
    assert y._keras_shape == (None, 3)
    assert y.get_shape().as_list() == [None, 3]
    assert not y._uses_learning_phase
    assert y.dtype == "float32"


def test_2_10_shape_without_compute_output_shape_is_the_inputs():
    class Narrow(Layer):
        def call(self, inputs):
            return inputs[:, :1]

    y = Narrow()(Input((3,)))
    assert K.int_shape(y) == (None, 3)


def test_20_not_a_tensor():
    with pytest.raises(ValueError, match="isn't a symbolic tensor"):
        Dense(1)(np.ones((2, 3)))
    with pytest.raises(ValueError, match="isn't a symbolic tensor"):
        Dense(1)("text")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (InputSpec(ndim=3), "expected ndim=3, found ndim=2"),
        (InputSpec(min_ndim=3), "expected min_ndim=3, found ndim=2"),
        (InputSpec(max_ndim=1), "expected max_ndim=1, found ndim=2"),
        (InputSpec(dtype="int32"), "expected dtype=int32, found dtype=float32"),
        (InputSpec(axes={-1: 5}), "expected axis -1 of input shape to have value 5 but got shape"),
        (InputSpec(shape=(None, 5)), r"expected shape=\(None, 5\), found shape=\(None, 4\)"),
    ],
)
def test_20_input_spec(spec, message):
    layer = Layer(name="x")
    layer.input_spec = spec
    with pytest.raises(ValueError, match="Input 0 is incompatible with layer x: " + message):
        layer(Input((4,)))


def test_20_wrong_rank_at_graph_time():
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=2"):
        Conv2D(2, 3)(Input((4,)))
    with pytest.raises(ValueError, match="expected min_ndim=2, found ndim=1"):
        Dense(2)(Input(()))


def test_20_number_of_inputs():
    layer = Dense(2)
    layer(Input((4,)))
    with pytest.raises(ValueError, match="expects 1 inputs, but it received 2 input tensors"):
        layer([Input((4,)), Input((4,))])


def test_20_second_call_with_another_size():
    layer = Dense(2)
    layer(Input((4,)))
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 4"):
        layer(Input((5,)))


def test_engine_error_names_the_layer():
    class Broken(Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight("kernel", (7, 2))

        def call(self, inputs):
            return K.dot(inputs, self.kernel)

    with pytest.raises(ValueError, match="broken_1"):
        Broken()(Input((4,)))


# ------------------------------------------------------------------------------------------ connections


def test_2_11_one_node():
    x = Input((2,))
    layer = Dense(3)
    y = layer(x)
    assert layer.input is x
    assert layer.output is y
    assert layer.input_shape == (None, 2)
    assert layer.output_shape == (None, 3)
    assert layer.input_mask is None
    assert layer.output_mask is None
    assert layer.inbound_nodes is layer._inbound_nodes
    assert len(x._keras_history[0].outbound_nodes) == 1


def test_2_11_several_nodes():
    layer = Conv2D(4, 3)
    a, b = Input((8, 8, 1)), Input((9, 9, 1))
    ya, yb = layer(a), layer(b)
    for name in ("input", "output", "input_mask", "output_mask"):
        with pytest.raises(AttributeError, match="multiple inbound nodes"):
            getattr(layer, name)
    for name in ("input_shape", "output_shape"):
        with pytest.raises(AttributeError, match="multiple inbound nodes with different"):
            getattr(layer, name)
    assert layer.get_input_at(0) is a
    assert layer.get_output_at(1) is yb
    assert layer.get_input_shape_at(1) == (None, 9, 9, 1)
    assert layer.get_output_shape_at(0) == (None, 6, 6, 4)
    assert layer.get_input_mask_at(0) is None
    assert layer.get_output_mask_at(1) is None
    assert ya is not yb
    with pytest.raises(ValueError, match="only 2 inbound nodes"):
        layer.get_output_at(2)


def test_2_11_shapes_that_agree():
    layer = Dense(3)
    layer(Input((2,)))
    layer(Input((2,)))
    assert layer.output_shape == (None, 3)


def test_2_11_not_connected():
    layer = Dense(3)
    with pytest.raises(AttributeError, match="is not connected"):
        _ = layer.input
    with pytest.raises(AttributeError, match="has no inbound nodes"):
        _ = layer.output
    with pytest.raises(AttributeError, match="never been called"):
        _ = layer.output_shape
    with pytest.raises(RuntimeError, match="never been called"):
        layer.get_input_at(0)


# ------------------------------------------------------------------------------------------ weights


def test_2_21_add_weight_in_both_orders():
    layer = Layer()
    new = layer.add_weight("a", (2, 3), initializer="zeros")
    old = layer.add_weight((4,), "b", initializer="ones", trainable=False)
    assert new.shape == (2, 3)
    assert old.shape == (4,)
    assert layer.trainable_weights == [new]
    assert layer.non_trainable_weights == [old]
    np.testing.assert_array_equal(K.get_value(old), np.ones(4))


def test_12_5_initializer_is_any_callable():
    layer = Layer()
    with_dtype = layer.add_weight("a", (2,), initializer=lambda shape, dtype=None: np.full(shape, 2, dtype))
    without = layer.add_weight("b", (2,), initializer=lambda shape: np.full(shape, 3.0))
    np.testing.assert_array_equal(K.get_value(with_dtype), [2, 2])
    np.testing.assert_array_equal(K.get_value(without), [3, 3])


def test_2_21_regularizer_is_added_at_once():
    layer = Layer()
    layer.add_weight("w", (2,), initializer="ones", regularizer=regularizers.l2(0.5))
    assert len(layer.losses) == 1
    assert layer.get_losses_for(None) == layer.losses
    assert K.eval(layer.losses[0]) == pytest.approx(1.0)


def test_2_22_weights_trainable_first():
    layer = BatchNormalization()
    layer(Input((2,)))
    names = [w.name.split("/")[-1] for w in layer.weights]
    assert names == ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 4


def test_2_23_set_weights_errors():
    layer = Dense(2, name="mine")
    layer(Input((3,)))
    before = layer.get_weights()
    with pytest.raises(
        ValueError, match=r'layer "mine" with a  weight list of length 1.*expecting 2 weights'
    ):
        layer.set_weights([np.ones((3, 2))])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        layer.set_weights([np.ones((3, 2)), np.ones(3)])
    for a, b in zip(before, layer.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_2_24_count_params():
    layer = Dense(2)
    with pytest.raises(RuntimeError, match="isn't built"):
        layer.count_params()
    layer(Input((3,)))
    assert layer.count_params() == 8


def test_2_24_losses_and_updates_by_input():
    x, z = Input((2,)), Input((2,))
    layer = BatchNormalization()
    layer(x)
    first = list(layer.updates)
    layer(z)
    assert len(first) == 2
    assert layer.get_updates_for(x) == first
    assert len(layer.updates) == 4
    assert layer.get_updates_for(None) == []
    dense = Dense(2, activity_regularizer="l2", kernel_regularizer="l2")
    dense(x)
    assert len(dense.get_losses_for(x)) == 1
    assert len(dense.get_losses_for(None)) == 1
    assert len(dense.losses) == 2


def test_2_20_frozen_layers_have_no_updates():
    layer = BatchNormalization()
    layer(x := Input((2,)))
    layer.trainable = False
    assert layer.updates == []
    assert layer.get_updates_for(x) == []
    layer.stateful = True
    assert len(layer.updates) == 2


def test_config_round_trip():
    layer = Dense(3, activation="relu", name="a", trainable=False, input_shape=(2,))
    twin = Dense.from_config(layer.get_config())
    assert twin.get_config() == layer.get_config()
    assert twin.trainable is False


# ------------------------------------------------------------------------------------------ masks


def test_5_1_refusing_a_mask():
    with pytest.raises(TypeError, match="does not support masking, but was passed an input_mask"):
        Flatten()(Masking()(Input((3, 2))))


def test_5_2_mask_reaches_call_only_if_asked_for():
    got = []

    class Asks(Layer):
        supports_masking = True

        def call(self, inputs, mask=None):
            got.append(mask)
            return inputs * 1.0

    x = Masking()(Input((3, 2)))
    y = Activation("relu")(x)
    assert y._keras_history[0].output_mask is x._keras_history[0].output_mask
    z = Asks()(y)
    assert got == [x._keras_history[0].output_mask]
    assert z._keras_history[0].output_mask is got[0]
    Asks()(Input((3, 2)))
    assert got[-1] is None


def test_2_7_a_mask_of_the_caller_wins():
    got = []

    class Asks(Layer):
        supports_masking = True

        def call(self, inputs, mask=None):
            got.append(mask)
            return inputs * 1.0

    mine = K.placeholder((None, 3), dtype="bool")
    Asks()(Masking()(Input((3, 2))), mask=mine)
    assert got == [mine]


# ------------------------------------------------------------------------------------------ input


def test_2_26_input():
    x = Input((3,), name="a", dtype="int32")
    assert (K.int_shape(x), K.dtype(x)) == ((None, 3), "int32")
    assert K.int_shape(Input(batch_shape=(4, 3))) == (4, 3)
    assert K.dtype(Input((3,))) == "float32"
    with pytest.raises(ValueError, match="`shape` or a `batch_shape`"):
        Input()


def test_2_26_input_from_a_tensor_is_not_fed():
    constant = K.constant(np.arange(6.0).reshape(3, 2))
    x = Input(tensor=constant)
    y = Lambda(lambda t: t * 2)(x)
    model = Model(x, y)
    assert model._feed_inputs == []
    np.testing.assert_array_equal(model.predict(None, steps=1), np.arange(6).reshape(3, 2) * 2.0)
    fed = Input(tensor=K.placeholder((None, 2)))
    assert fed._keras_history[0].is_placeholder
