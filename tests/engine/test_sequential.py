"""Stacks of layers: growing, shrinking, building late, predicting classes, configs."""

import numpy as np
import pytest

from pykeras import backend as K
from pykeras.callbacks import Callback
from pykeras.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Embedding,
    Input,
    InputLayer,
    Lambda,
)
from pykeras.models import Model, Sequential, model_from_json


def stack(**kwargs):
    return Sequential([Dense(3, activation="relu", input_shape=(2,)), Dense(1)], **kwargs)


def test_2_3_names():
    model = stack()
    assert model.name == "sequential_1"
    assert model.input_names == ["dense_1_input"]
    assert stack(name="mine").name == "mine"


def test_2_14_layers_are_what_was_added():
    model = stack()
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2"]
    explicit = Sequential([InputLayer((2,)), Dense(1)])
    assert [layer.name for layer in explicit.layers] == ["dense_3"]
    assert isinstance(model.model.layers[0], InputLayer)


def test_2_15_get_layer_does_not_count_the_input():  # 22.10
    model = stack()
    assert model.get_layer(index=0).name == "dense_1"
    assert model.get_layer("dense_2") is model.layers[1]
    with pytest.raises(ValueError, match="model only has 2 layers"):
        model.get_layer(index=2)


def test_2_16_models_in_a_stack():
    inner = stack()
    outer = Sequential([inner, Activation("sigmoid")])
    assert outer.input_shape == (None, 2)
    assert [layer.name for layer in outer.layers] == [inner.name, "activation_1"]
    data = np.random.rand(3, 2)
    np.testing.assert_allclose(outer.predict(data), 1 / (1 + np.exp(-inner.predict(data))), rtol=1e-5)
    functional = Model(x := Input((2,)), Dense(2)(x))
    assert Sequential([functional, Dense(1)]).predict(data).shape == (3, 1)


def test_2_17_add_checks():
    model = stack()
    with pytest.raises(TypeError, match="must be an instance of class Layer"):
        model.add("dense")
    with pytest.raises(TypeError, match="give `input_shape` to the first layer"):
        Sequential([Input((3,)), Dense(2)])
    with pytest.raises(ValueError, match="single output"):
        model.add(Lambda(lambda x: [x, x], output_shape=lambda s: [s, s]))
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=2"):
        model.add(Conv2D(1, 1))
    assert len(model.layers) == 2
    two = Model([a := Input((2,)), b := Input((2,))], Concatenate()([a, b]))
    with pytest.raises(ValueError, match="single input"):
        Sequential([two])


def test_2_17_pop():
    model = stack()
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    assert model.predict(x).shape == (4, 1)
    model.pop()
    assert [layer.name for layer in model.layers] == ["dense_1"]
    assert model.output_shape == (None, 3)
    assert model.predict(x).shape == (4, 3)
    with pytest.raises(RuntimeError, match="needs to be compiled"):
        model.fit(x, np.ones((4, 3)), verbose=0)
    model.add(Dense(5))
    assert model.predict(x).shape == (4, 5)
    for _ in range(2):
        model.pop()
    assert model.layers == []
    with pytest.raises(TypeError, match="no layers in the model"):
        model.pop()
    model.add(Dense(4, input_shape=(2,)))
    assert model.predict(x).shape == (4, 4)


def test_2_18_not_compiled():
    model = stack()
    x, y = np.ones((4, 2)), np.ones((4, 1))
    for call in (model.fit, model.evaluate, model.train_on_batch, model.test_on_batch):
        with pytest.raises(RuntimeError, match="needs to be compiled before being used"):
            call(x, y)
    with pytest.raises(RuntimeError, match="You must compile a model before training/testing"):
        model.fit(x, y)
    with pytest.raises(RuntimeError, match="You must compile your model before using it"):
        model._make_train_function()
    assert model.predict(x).shape == (4, 1)


def test_2_18_inner_model():
    model = stack(name="mine")
    model.compile("sgd", "mse")
    assert model.model.name == "mine_model"
    assert model.model is model.model
    x, y = np.ones((4, 2)), np.ones((4, 1))
    assert model.model.optimizer is model.optimizer
    before = model.predict(x)
    model.model.train_on_batch(x, y)
    assert not np.array_equal(model.predict(x), before)
    np.testing.assert_array_equal(model.model.predict(x), model.predict(x))


def test_2_18_callbacks_see_the_stack():
    model = stack()
    model.compile("sgd", "mse")
    assert model.model.callback_model is model
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model)

    model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[Watch()], verbose=0)
    model.model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=[Watch()], verbose=0)
    assert seen == [model, model]


def test_7_7_loss_weights_of_a_stack():
    model = stack()
    model.compile("sgd", "mse", loss_weights=[3.0])
    x = np.ones((4, 2))
    error = model.predict(x) - 1.0
    assert model.test_on_batch(x, np.ones((4, 1))) == pytest.approx(3 * (error**2).mean(), rel=1e-5)


def test_2_17_built_with_the_first_data():
    model = Sequential([Dense(3, activation="relu"), Dense(1)])
    assert not model.built
    assert [layer.name for layer in model.layers] == ["dense_1", "dense_2"]
    with pytest.raises(ValueError, match="has not been built yet"):
        model.get_weights()
    with pytest.raises(ValueError, match="must get an `input_shape` or `batch_input_shape` argument"):
        model.build()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(np.ones((8, 2)), np.ones(8), verbose=0)
    assert sorted(history.history) == ["loss", "mean_absolute_error"]
    assert model.input_shape == (None, 2)
    assert model.layers[0].count_params() == 9


def test_building_late_in_other_ways():
    model = Sequential([Dense(3), Dense(1)])
    model.build((None, 4))
    assert model.output_shape == (None, 1)
    assert len(model.get_weights()) == 4
    assert Sequential([Dense(2)]).predict(np.ones((3, 5))).shape == (3, 2)
    on_batch = Sequential([Dense(2)])
    assert on_batch.predict_on_batch(np.ones((3, 5))).shape == (3, 2)
    called = Sequential([Dense(2)])
    assert K.int_shape(called(Input((6,)))) == (None, 2)
    shapeless = Sequential()
    shapeless.add(Dense(2))
    shapeless.pop()
    assert shapeless.layers == []
    with pytest.raises(ValueError, match="empty"):
        Sequential().build((None, 2))


def test_failed_build_leaves_the_stack():
    model = Sequential([Dense(3), Conv2D(1, 1)])
    with pytest.raises(ValueError, match="expected ndim=4"):
        model.build((None, 4))
    assert len(model.layers) == 2


def test_batch_shape_and_dtype_of_the_first_layer():
    model = Sequential([Embedding(3, 2, batch_input_shape=(5, 4), dtype="int32")])
    assert K.int_shape(model.inputs[0]) == (5, 4)
    assert K.dtype(model.inputs[0]) == "int32"


def test_3_1_3_config():
    model = stack(name="mine")
    config = model.get_config()
    assert config["name"] == "mine"
    assert [entry["class_name"] for entry in config["layers"]] == ["Dense", "Dense"]
    twin = Sequential.from_config(config)
    assert twin.name == "mine"
    assert twin.get_config() == config
    bare = Sequential.from_config(config["layers"])
    assert bare.output_shape == (None, 1)
    assert bare.name.startswith("sequential_")


def test_3_1_3_shape_survives_in_every_case():
    by_hand = Sequential([InputLayer((2,)), Activation("relu"), Dense(1)])
    late = Sequential([Dense(1)])
    late.build((None, 3))
    nested = Sequential([stack(), Dense(1)])
    for model in (by_hand, late, nested):
        twin = model_from_json(model.to_json())
        assert twin.input_shape == model.input_shape
        assert twin.output_shape == model.output_shape
        twin.set_weights(model.get_weights())
    assert model_from_json(Sequential([Dense(1)]).to_json()).built is False


def test_sharing_layers_between_stacks():
    shared = Dense(3, input_shape=(2,))
    a = Sequential([shared, Dense(1)])
    b = Sequential([shared, Dense(2)])
    x = np.random.rand(4, 2)
    assert a.predict(x).shape == (4, 1)
    assert b.predict(x).shape == (4, 2)
    a.compile("sgd", "mse")
    before = b.predict(x)
    a.train_on_batch(x, np.ones((4, 1)))
    assert not np.array_equal(before, b.predict(x))


def test_9_16_predict_classes():
    x = np.random.rand(6, 2)
    many = Sequential([Dense(4, activation="softmax", input_shape=(2,))])
    np.testing.assert_array_equal(many.predict_classes(x), many.predict(x).argmax(axis=-1))
    assert many.predict_classes(x).shape == (6,)
    one = Sequential([Dense(1, activation="sigmoid", input_shape=(2,))])
    classes = one.predict_classes(x)
    assert classes.shape == (6, 1)
    assert classes.dtype == np.int32
    np.testing.assert_array_equal(classes, one.predict(x) > 0.5)
    assert not hasattr(Model, "predict_classes")


def test_9_16_predict_proba():
    x = np.random.rand(6, 2)
    model = Sequential([Dense(1, input_shape=(2,), bias_initializer="ones")])
    model.set_weights([np.ones((2, 1)), np.ones(1)])
    with pytest.warns(UserWarning, match="invalid probability values"):
        np.testing.assert_array_equal(model.predict_proba(x), model.predict(x))


def test_2_19_trainable_flag():
    model = stack()
    model.trainable = False
    assert model.trainable_weights == []
    assert model.model.trainable_weights == []
    model.trainable = True
    model.layers[0].trainable = False
    assert len(model.trainable_weights) == 2


def test_updates_of_the_stack():
    model = Sequential([BatchNormalization(input_shape=(2,)), Dense(1)])
    assert len(model.updates) == 2
    model.layers[0].trainable = False
    assert model.updates == []
