"""Private and semi-private names that scripts use: they are there and do their work (BEHAVIOURS 21)."""

import h5py
import numpy as np
import pytest

from pykeras import backend as K
from pykeras.applications.imagenet_utils import _obtain_input_shape
from pykeras.backend import tensorflow_backend
from pykeras.engine import topology, training
from pykeras.layers import BatchNormalization, Dense, Dropout, Input, add
from pykeras.models import Model, Sequential
from pykeras.preprocessing.sequence import _remove_long_seq
from pykeras.utils.generic_utils import func_dump, func_load, has_arg

X = np.random.RandomState(0).rand(8, 3).astype("float32")


def two_outputs():
    """a -> shared, used twice -> p and q."""
    a = Input((3,), name="a")
    shared = Dense(3, name="shared", activity_regularizer="l2")
    both = add([shared(a), shared(Dropout(0.5, name="drop")(a))])
    model = Model(a, [Dense(1, name="p")(both), BatchNormalization(name="q")(both)])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


# ---- modules


def test_applications():
    assert _obtain_input_shape(None, 224, 48, "channels_last", True) == (224, 224, 3)


def test_backend():
    assert tensorflow_backend._to_tensor([1, 2], "float32").dtype == "float32"
    assert isinstance(tensorflow_backend._get_available_gpus(), list)
    assert tensorflow_backend._SESSION is None
    assert K._BACKEND == K.backend() == "tensorflow"
    for name in ("set_session", "get_session"):
        assert getattr(tensorflow_backend, name) is getattr(K, name)
    for call in (lambda: K.get_session(), lambda: K.tf.Session()):  # they say what to use instead
        with pytest.raises((RuntimeError, AttributeError), match="there are no sessions here"):
            call()
    with pytest.warns(UserWarning, match="`K.set_session` has no effect"):
        K.set_session(None)


def test_generic_utils():
    assert func_load(*func_dump(lambda x, y=3: x + y))(1) == 4
    assert has_arg(func_load, "code") and not has_arg(func_load, "nothing")


def test_sequences():
    assert _remove_long_seq(3, [[1], [1, 2, 3]], [7, 8]) == ([[1]], [7])


def test_helpers_of_training():
    (found,) = training._standardize_input_data({"x": np.ones(4)}, ["x"], [(None, 1)])
    assert found.shape == (4, 1)
    assert training._make_batches(10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert [part.tolist() for part in training._slice_arrays([np.arange(5)], 1, 3)] == [[1, 2]]


def test_helpers_of_files(tmp_path):
    def net():
        return Sequential([Dense(2, input_shape=(3,), name="one"), Dense(1, name="two")])

    source, by_order, by_name = net(), net(), net()
    with h5py.File(tmp_path / "w.h5", "w") as file:
        topology.save_weights_to_hdf5_group(file, source.layers)
    with h5py.File(tmp_path / "w.h5", "r") as file:
        topology.load_weights_from_hdf5_group(file, by_order.layers)
        topology.load_weights_from_hdf5_group_by_name(file, by_name.layers)
    for model in (by_order, by_name):
        np.testing.assert_array_equal(model.predict(X), source.predict(X))
    weights = source.layers[0].get_weights()
    again = topology.preprocess_weights_for_loading(source.layers[0], weights, "2.1.6", "tensorflow")
    np.testing.assert_array_equal(again[0], weights[0])


# ---- models


def test_functions_of_a_model():
    model = two_outputs()
    assert model.predict_function is model.train_function is model.test_function is None
    model._make_predict_function()
    model._make_train_function()
    model._make_test_function()
    made = model.train_function
    model._make_train_function()  # once only
    assert model.train_function is made
    assert len(model.predict_function([X, 0.0])) == 2
    y = [np.ones((8, 1)), np.ones((8, 3))]
    results = model.test_function([X, *y, np.ones(8), np.ones(8), 0.0])
    assert results == pytest.approx(model.evaluate(X, y, batch_size=8, verbose=0), rel=1e-5)


def test_what_a_compiled_model_is_fed():
    model = two_outputs()
    assert model._feed_inputs == model.inputs
    assert model._feed_input_names == model.input_names == ["a"]
    assert model._feed_outputs == model.outputs and model.output_names == ["p", "q"]
    assert model._feed_targets == model.targets
    assert model._feed_sample_weights == model.sample_weights
    assert [K.ndim(t) for t in model.targets] == [2, 2] and [K.ndim(w) for w in model.sample_weights] == [
        1,
        1,
    ]
    assert [layer.name for layer in model.input_layers] == ["a"]
    assert [layer.name for layer in model.output_layers] == ["p", "q"]


def test_what_a_compiled_model_computes():
    model = two_outputs()
    assert K.ndim(model.total_loss) == 0
    assert model.metrics_names == [
        "loss",
        "p_loss",
        "q_loss",
        "p_mean_absolute_error",
        "q_mean_absolute_error",
    ]
    assert len(model.metrics_tensors) == len(model.metrics_names) - 1
    assert [f.__name__ for f in model.loss_functions] == ["mean_squared_error"] * 2
    # as scripts do it that train on their own
    f = K.function(
        [*model._feed_inputs, *model.targets, *model.sample_weights, K.learning_phase()],
        [model.total_loss, *model.metrics_tensors],
    )
    y = [np.ones((8, 1)), np.ones((8, 3))]
    values = f([X, *y, np.ones(8), np.ones(8), 0])
    assert [float(v) for v in values] == pytest.approx(model.test_on_batch(X, y), rel=1e-5)


def test_trainable_weights_that_compile_collected():
    model = two_outputs()
    assert [id(w) for w in model._collected_trainable_weights] == [id(w) for w in model.trainable_weights]
    model._check_trainable_weights_consistency()
    model.get_layer("p").trainable = False
    with pytest.warns(UserWarning, match="Discrepancy between trainable weights"):
        model._check_trainable_weights_consistency()


# ---- graphs


def test_nodes():
    model = two_outputs()
    shared, drop = model.get_layer("shared"), model.get_layer("drop")
    assert [node.outbound_layer for node in shared._inbound_nodes] == [shared, shared]
    assert shared.inbound_nodes == shared._inbound_nodes
    assert drop.outbound_nodes == drop._outbound_nodes == [shared._inbound_nodes[1]]
    assert drop.outbound_nodes[0].inbound_layers == [drop]
    drop.outbound_nodes = []  # as scripts do that cut layers off
    assert drop._outbound_nodes == []
    assert model.container_nodes == model._container_nodes == {
        "a_ib-0", "drop_ib-0", "shared_ib-0", "shared_ib-1", "add_1_ib-0", "p_ib-0", "q_ib-0"
    }  # fmt: skip
    assert model.nodes_by_depth is model._nodes_by_depth
    assert sorted(model.nodes_by_depth) == [0, 1, 2, 3, 4]
    assert {node.outbound_layer.name for node in model.nodes_by_depth[0]} == {"p", "q"}


def test_what_a_tensor_knows():
    layer = Dense(2)
    y = layer(Dropout(0.5)(Input((3,))))
    assert y._keras_history == (layer, 0, 0) and y._keras_history[0] is layer
    assert y._keras_shape == (None, 2)
    assert y._uses_learning_phase is True
    assert not getattr(Input((3,)), "_uses_learning_phase", False)


def test_lists_of_a_layer():
    x = Input((3,))
    norm = BatchNormalization(gamma_regularizer="l2")
    norm(x)
    assert [id(w) for w in norm._trainable_weights] == [id(norm.gamma), id(norm.beta)]
    assert [id(w) for w in norm._non_trainable_weights] == [id(norm.moving_mean), id(norm.moving_variance)]
    assert len(norm._losses) == len(norm.losses) == 1 and len(norm._updates) == 2
    dense = Dense(3, activity_regularizer="l2")
    dense(x)
    assert sum(len(losses) for losses in dense._per_input_losses.values()) == 1
    assert dense.get_losses_for(x) == next(iter(dense._per_input_losses.values())) == dense._losses


@pytest.mark.parametrize("name", ["initial_weights", "_initial_weights"])
def test_initial_weights(name):
    given = [np.full((3, 2), 7.0, "float32"), np.ones(2, "float32")]
    layer = Dense(2, weights=given)
    assert getattr(layer, name) is given
    later = Dense(2)
    setattr(later, name, given)
    for made in (layer, later):
        made(Input((3,)))
        np.testing.assert_array_equal(made.get_weights()[0], given[0])


def test_time_distributed_dense_of_old_scripts():
    """keras.layers.recurrent._time_distributed_dense, which newer versions of Keras 2 had no more."""
    from pykeras.layers.recurrent import _time_distributed_dense

    x = np.random.rand(2, 5, 3).astype("float32")
    w, b = np.random.rand(3, 4).astype("float32"), np.random.rand(4).astype("float32")
    y = _time_distributed_dense(K.constant(x), K.constant(w), K.constant(b), timesteps=5)
    np.testing.assert_allclose(K.eval(y), x @ w + b, rtol=1e-5)
    dropped = _time_distributed_dense(K.ones((40, 5, 3)), K.eye(3), dropout=0.5, training=True)
    kept = K.eval(dropped)
    assert set(np.unique(kept)) == {0.0, 2.0} and (kept == kept[:, :1]).all()  # one mask for all steps


def test_a_train_function_of_the_script():
    """As wrappers of optimizers put in: our function made by hand, followed by updates every few batches."""
    a = Input((3,))
    model = Model(a, Dense(1, kernel_initializer="ones")(Dropout(0.5)(a)))
    model.compile("sgd", "mse")
    inputs = model._feed_inputs + model._feed_targets + model._feed_sample_weights
    assert model._uses_dynamic_learning_phase()
    inputs += [K.learning_phase()]
    updates = model.optimizer.get_updates(params=model._collected_trainable_weights, loss=model.total_loss)
    step = K.function(
        inputs,
        [model.total_loss, *model.metrics_tensors],
        updates=model.updates + updates + model.metrics_updates,
        **model._function_kwargs,
    )
    slow = [K.variable(K.get_value(p)) for p in model.trainable_weights]
    pairs = list(zip(slow, model.trainable_weights))
    forward = [K.update(q, q + 0.5 * (p - q)) for q, p in pairs]
    back = [K.update(p, q) for q, p in pairs]
    phases = []

    def train(arrays):
        phases.append(arrays[-1])
        results = step(arrays)
        K.batch_get_value(forward)
        K.batch_get_value(back)
        return results

    model.train_function = train
    before = model.get_weights()
    history = model.fit(X, np.ones((8, 1)), batch_size=4, epochs=2, verbose=0).history
    model.train_on_batch(X, np.ones((8, 1)))
    assert phases == [1.0] * 5 and len(history["loss"]) == 2
    assert not np.allclose(before[0], model.get_weights()[0])
    for q, p in pairs:
        np.testing.assert_array_equal(K.get_value(q), K.get_value(p))


def test_weights_tell_what_they_are_for():
    layer = BatchNormalization()
    layer.build((None, 2))
    assert [w.trainable for w in layer.weights] == [True, True, False, False]
    assert K.variable(1.0).trainable


def test_a_convolution_of_the_script():
    """Made from the base class, whose config has the rank, with a weight before it is built."""
    from pykeras.layers.convolutional import _Conv

    class Scaled(_Conv):
        def __init__(self, filters, kernel_size, **kwargs):
            super().__init__(rank=2, filters=filters, kernel_size=kernel_size, **kwargs)
            self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones", trainable=False)

        def call(self, inputs):
            return K.bias_add(K.conv2d(inputs, self.kernel * self.scale), self.bias)

        def get_config(self):
            config = super().get_config()
            assert config.pop("rank") == 2
            return config

    a = Input((5, 5, 1))
    layer = Scaled(2, 3)
    model = Model(a, layer(a))
    assert [w.shape for w in layer.get_weights()] == [(3, 3, 1, 2), (2,), (1,)]
    copy = Model.from_config(model.get_config(), custom_objects={"Scaled": Scaled})
    copy.set_weights(model.get_weights())
    data = np.ones((1, 5, 5, 1))
    np.testing.assert_array_equal(copy.predict(data), model.predict(data))
