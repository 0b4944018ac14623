"""evaluate, predict, one batch at a time, the functions of a model."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from engine.training_models import TWO, X, Y, double, mse, simple

from pykeras import backend as K
from pykeras import optimizers
from pykeras.layers import (
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Input,
    concatenate,
)
from pykeras.models import Model, Sequential


def test_9_12_evaluate():
    model = simple()
    value = model.evaluate(X, Y + 1, batch_size=7, verbose=0)
    assert isinstance(value, float)
    assert value == pytest.approx(mse(model.predict(X), Y + 1), rel=1e-5)
    assert len(simple(metrics=["mae"]).evaluate(X, Y, verbose=0)) == 2
    with pytest.raises(ValueError, match="If steps is set, the `batch_size` must be None"):
        model.evaluate(X, Y, batch_size=3, steps=2)


def test_9_12_verbose(capsys):
    model = simple()
    model.predict(X)
    assert capsys.readouterr().out == ""
    model.evaluate(X, Y)
    assert "20/20 [===" in capsys.readouterr().out
    model.predict(X, verbose=1, batch_size=3)
    assert "20/20 [===" in capsys.readouterr().out


def test_9_12_predict():
    model = double()
    p, q = model.predict(X, batch_size=7)
    assert (p.shape, q.shape) == ((20, 1), (20, 2))
    for a, b in zip(model.predict(X), (p, q)):
        np.testing.assert_array_equal(a, b)  # a row does not depend on its batch
    assert simple().predict(np.ones((0, 3))).shape == (0, 1)


def test_9_13_order_of_arguments():
    for model in (simple(), Model(x := Input((3,)), Dense(1)(x))):
        model.compile("sgd", "mse")
        expected = model.test_on_batch(X, Y + 1, np.full(20, 3.0))
        assert model.train_on_batch(X, Y + 1, np.full(20, 3.0)) == pytest.approx(expected)


def test_9_13_phases():
    model = Sequential([Dropout(0.5, input_shape=(3,)), Activation("linear")])
    model.compile("sgd", "mse")
    x = np.ones((50, 3))
    assert model.test_on_batch(x, x) == 0
    assert model.train_on_batch(x, x) == pytest.approx(1, rel=0.5)
    assert model.evaluate(x, x, verbose=0) == 0


def test_9_13_results():
    assert np.ndim(simple().train_on_batch(X, Y)) == 0
    values = simple(metrics=["mae"]).train_on_batch(X, Y)
    assert isinstance(values, list)
    assert len(values) == 2


def test_fast_paths_equal_the_slow_ones():
    fast, slow = simple(metrics=["mae"]), simple(metrics=["mae"])
    for _ in range(4):
        a = fast.train_on_batch(X, Y + 1)
        b = slow.train_on_batch(X, Y + 1, sample_weight=np.ones(20))
        np.testing.assert_array_equal(a, b)
    for _ in range(2):
        np.testing.assert_array_equal(fast.predict_on_batch(X), slow.predict(X))
    np.testing.assert_array_equal(fast.predict_on_batch(X[::2]), slow.predict(X[::2]))
    np.testing.assert_array_equal(fast.predict_on_batch(np.asfortranarray(X)), slow.predict(X))
    np.testing.assert_array_equal(fast.predict_on_batch(X.astype("float64")), slow.predict(X))
    np.testing.assert_array_equal(fast.predict_on_batch([X]), slow.predict(X))
    assert len(double().predict_on_batch(X)) == 2


def test_fast_paths_with_a_learning_phase():
    model = Sequential([Dropout(0.5, input_shape=(3,)), Dense(1)])
    for _ in range(3):
        np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X))
    model.compile("sgd", "mse")
    for _ in range(3):
        assert np.isfinite(model.train_on_batch(X, Y))


def test_9_17_functions():
    model = simple()
    assert model.train_function is model.test_function is model.predict_function is None
    model._make_predict_function()
    function = model.predict_function
    model.predict(X)
    assert model.predict_function is function
    np.testing.assert_array_equal(function([X])[0], model.predict(X))
    model._make_train_function()
    loss = model.train_function([X, Y, np.ones(20)])
    assert loss[0] == pytest.approx(0, abs=1e-6)


def test_9_18_and_9_19_loss_before_the_update():
    model = simple(metrics=["mse"])
    expected = mse(model.predict(X), Y + 1)
    loss, metric = model.train_on_batch(X, Y + 1)
    assert loss == pytest.approx(expected, rel=1e-5)
    assert metric == pytest.approx(expected, rel=1e-5)
    assert mse(model.predict(X), Y + 1) < expected


def test_9_19_fixed_learning_phase():
    K.set_learning_phase(1)
    model = Sequential([Dropout(0.5, input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    ones = np.ones((20, 3))
    assert len(np.unique(model.predict(ones))) > 1


def test_4_18_updates_run_in_training_only():
    model = Sequential([BatchNormalization(input_shape=(3,), momentum=0.5)])
    model.compile("sgd", "mse")
    start = model.get_weights()[2]
    model.predict(X)
    model.evaluate(X, X, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], start)
    model.train_on_batch(X, X)
    np.testing.assert_allclose(model.get_weights()[2], X.mean(0) / 2, rtol=1e-5)


def test_21_private_names():
    model = double(metrics=["mae"])
    assert len(model._feed_inputs) == 1
    assert len(model._feed_outputs) == len(model._feed_targets) == len(model._feed_sample_weights) == 2
    assert model._feed_input_names == ["a"]
    assert len(model._collected_trainable_weights) == 4
    assert len(model.metrics_tensors) == 4
    assert len(model.sample_weights) == len(model.targets) == len(model.loss_functions) == 2
    assert K.ndim(model.total_loss) == 0
    model._check_trainable_weights_consistency()


def test_seed_makes_a_run_repeatable():
    def run():
        K.clear_session()
        np.random.seed(5)
        model = Sequential([Dense(8, activation="relu", input_shape=(3,)), Dropout(0.3), Dense(1)])
        model.compile("adam", "mse")
        model.fit(X, Y, epochs=3, batch_size=4, verbose=0)
        return model.predict(X)

    np.testing.assert_array_equal(run(), run())


def test_random_numbers_continue_where_training_stopped():
    """Dropout's masks depend on the number of steps made, not on the function that made them."""
    model = Sequential([Dropout(0.5, seed=3, input_shape=(3,)), Dense(1, kernel_initializer="ones")])
    x = np.ones((1, 3), "float32")

    def next_losses(steps_before):
        optimizer = optimizers.SGD(lr=0.0)
        K.set_value(optimizer.iterations, steps_before)
        model.compile(optimizer, "mse")
        return [model.train_on_batch(x, x[:, :1]) for _ in range(6)]

    whole, rest = next_losses(0), next_losses(3)
    np.testing.assert_array_equal(whole[3:], rest[:3])
    assert len(set(whole)) > 1
    assert model.train_function.step == 9


def test_pickle_and_deepcopy():
    model = simple(optimizer="adam", metrics=["mae"])
    model.fit(X, Y + 1, verbose=0)
    functional = double()
    functional.fit(X, TWO, verbose=0)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert type(twin) is type(model)
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
        assert K.get_value(twin.optimizer.iterations) == 1
    for a, b in zip(copy.deepcopy(functional).predict(X), functional.predict(X)):
        np.testing.assert_array_equal(a, b)
    assert copy.deepcopy(Sequential([Dense(1)])).built is False


def test_multi_input_training():
    a, b = Input((3,)), Input((3,))
    model = Model([a, b], Dense(1)(concatenate([a, b])))
    model.compile("adam", "mse")
    history = model.fit([X, X], Y, epochs=30, batch_size=5, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_double_precision():
    K.set_floatx("float64")
    model = simple(optimizer="adam", metrics=["mae"])
    x = X.astype("float64")
    history = model.fit(x, Y, batch_size=6, validation_split=0.2, verbose=0).history
    assert np.isfinite(history["val_loss"][0])
    assert model.predict_on_batch(x).dtype == np.float64
    assert np.isfinite(model.train_on_batch(x, Y.astype("float64"))[0])
    assert all(w.dtype == np.float64 for w in model.get_weights())


def test_several_threads_predict_at_once():
    model = simple()
    expected = model.predict(X)  # made before the threads start, as scripts do (9.17)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: model.predict_on_batch(X), range(200)):
            np.testing.assert_array_equal(result, expected)
