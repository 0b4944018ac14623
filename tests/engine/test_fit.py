"""fit: epochs, validation, shuffling, callbacks, interruptions."""

import re

import numpy as np
import pytest
from engine.training_models import X, Y, simple

from pykeras import backend as K
from pykeras import optimizers
from pykeras.callbacks import Callback, LambdaCallback, TerminateOnNaN
from pykeras.layers import (
    Dense,
    Dropout,
    Input,
    Lambda,
)
from pykeras.models import Model, Sequential


def test_9_1_defaults_and_old_keywords():
    model = simple()
    seen = []
    model.fit(
        np.ones((70, 3)),
        np.ones(70),
        verbose=0,
        callbacks=[LambdaCallback(on_batch_begin=lambda i, logs: seen.append(dict(logs)))],
    )
    assert seen == [{"batch": 0, "size": 32}, {"batch": 1, "size": 32}, {"batch": 2, "size": 6}]
    with pytest.warns(UserWarning, match="nb_epoch"):
        assert model.fit(X, Y, nb_epoch=3, verbose=0).epoch == [0, 1, 2]
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        model.fit(X, Y, colour=3)


def test_9_2_initial_epoch():
    assert simple().fit(X, Y, epochs=5, initial_epoch=3, verbose=0).epoch == [3, 4]
    assert simple().fit(X, Y, epochs=2, initial_epoch=3, verbose=0).epoch == []


def test_9_3_validation_split_is_the_last_part():
    model = simple(optimizer=optimizers.SGD(lr=0.0))
    weights = np.arange(20.0)
    history = model.fit(
        X, Y + weights[:, None], sample_weight=weights, validation_split=0.25, verbose=0
    ).history
    expected = model.evaluate(X[15:], (Y + weights[:, None])[15:], sample_weight=weights[15:], verbose=0)
    assert history["val_loss"][0] == pytest.approx(expected)
    other = (X[:4], Y[:4] + 7)
    history = model.fit(X, Y, validation_split=0.25, validation_data=other, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(49, rel=1e-4)


def test_9_3_validation_data_forms():
    model = simple()
    model.fit(X, Y, validation_data=[X, Y], verbose=0)
    history = model.fit(X, Y, validation_data=(X, Y, np.ones(20)), verbose=0)
    assert "val_loss" in history.history
    with pytest.raises(ValueError, match="however it contains 1 items"):
        model.fit(X, Y, validation_data=(X,), verbose=0)


def test_9_4_and_9_20_what_is_printed(capsys):
    model = simple()
    model.fit(X, Y, verbose=0, validation_split=0.5)
    assert capsys.readouterr().out == ""
    model.fit(X, Y, verbose=2, epochs=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["Train on 10 samples, validate on 10 samples", "Epoch 1/2"]
    assert re.match(r" - \d+s - loss: \S+ - val_loss: \S+$", lines[2])
    model.fit(X, Y, verbose=1)
    out = capsys.readouterr().out
    assert "Train on" not in out
    assert "20/20 [==============================]" in out


def test_9_5_shuffling_uses_numpys_generator():
    seen = []
    model = Sequential([Lambda(lambda x: x, input_shape=(1,)), Dense(1)])
    model.compile("sgd", "mse")
    run = model._make_train_function
    data = np.arange(10.0)

    def order(shuffle):
        seen.clear()
        run()
        function = model.train_function
        model.train_function = lambda ins: seen.extend(ins[0][:, 0].tolist()) or [0.0]
        model.train_function.inputs = function.inputs
        model.fit(data, data, batch_size=3, shuffle=shuffle, verbose=0)
        model.train_function = function
        return list(seen)

    assert order(False) == list(range(10))
    np.random.seed(3)
    shuffled = order(True)
    np.random.seed(3)
    expected = np.arange(10)
    np.random.shuffle(expected)
    assert shuffled == expected.tolist()
    batches = order("batch")
    assert sorted(batches) == list(range(10))
    assert batches[2] - batches[1] == batches[1] - batches[0] == 1
    assert batches[-1] == 9


def test_9_6_epoch_values_are_weighted_by_batch_size():
    model = simple(optimizer=optimizers.SGD(lr=0.0), metrics=["mae"])
    history = model.fit(X, Y + np.arange(20)[:, None], batch_size=8, verbose=0).history
    loss, mae = model.evaluate(X, Y + np.arange(20)[:, None], verbose=0)
    assert history["loss"][0] == pytest.approx(loss, rel=1e-5)
    assert history["mean_absolute_error"][0] == pytest.approx(mae, rel=1e-5)


def test_9_6_every_batch_counts_one_in_steps():
    x = Input(tensor=K.constant(X))
    model = Model(x, Dense(1)(x))
    model.compile("sgd", "mse", target_tensors=K.constant(Y))
    losses = []
    watch = LambdaCallback(on_batch_end=lambda i, logs: losses.append(logs["loss"]))
    history = model.fit(steps_per_epoch=4, callbacks=[watch], verbose=0).history
    assert len(losses) == 4 and losses[0] > losses[-1]
    assert history["loss"][0] == pytest.approx(np.mean(losses), rel=1e-6)


def test_9_7_validation_sees_the_new_weights_in_the_test_phase():
    model = Sequential([Dense(3, input_shape=(3,)), Dropout(0.5), Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-6)


def test_9_8_history():
    model = simple()
    first = model.fit(X, Y, epochs=2, verbose=0)
    assert first is model.history
    assert first.epoch == [0, 1]
    second = model.fit(X, Y, verbose=0)
    assert second is not first
    assert len(first.history["loss"]) == 2
    assert isinstance(first.history["loss"][0], float)


class Recorder(Callback):
    def __init__(self):
        self.events = []  # no call of the base constructor: many scripts forget it (13.10)

    def __getattribute__(self, name):
        if name.startswith("on_"):
            return lambda *args: self.events.append((name, args[0] if len(args) > 1 else None))
        return super().__getattribute__(name)


def test_9_9_and_9_10_callbacks():
    model = simple(metrics=["mae"])
    recorder = Recorder()
    model.fit(X, Y, batch_size=10, validation_data=(X, Y), callbacks=[recorder], verbose=0)
    assert [name for name, _ in recorder.events] == [
        "on_train_begin",
        "on_epoch_begin",
        "on_batch_begin",
        "on_batch_end",
        "on_batch_begin",
        "on_batch_end",
        "on_epoch_end",
        "on_train_end",
    ]
    assert recorder.model is model
    names = ["loss", "mean_absolute_error", "val_loss", "val_mean_absolute_error"]
    assert recorder.params == {
        "batch_size": 10,
        "epochs": 1,
        "steps": None,
        "samples": 20,
        "verbose": 0,
        "do_validation": True,
        "metrics": names,
    }
    x, y, w = recorder.validation_data
    assert (x.shape, y.shape, w.shape) == ((20, 3), (20, 1), (20,))


def test_9_10_learning_phase_in_validation_data():
    model = Sequential([Dropout(0.5, input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    recorder = Recorder()
    model.fit(X, Y, validation_split=0.5, callbacks=[recorder], verbose=0)
    x, _, weights, phase = recorder.validation_data
    assert (x.shape, weights.shape, phase) == ((10, 3), (10,), 0.0)
    model.fit(X, Y, callbacks=[recorder], verbose=0)
    assert not recorder.validation_data


def test_9_11_stopping_in_a_batch():
    model = simple()
    stop = LambdaCallback(on_batch_end=lambda i, logs: setattr(model, "stop_training", i == 1))
    recorder = Recorder()
    history = model.fit(
        X, Y, batch_size=5, epochs=3, validation_data=(X, Y), callbacks=[stop, recorder], verbose=0
    )
    names = [name for name, _ in recorder.events]
    assert names.count("on_batch_end") == 2
    assert names[-2:] == ["on_epoch_end", "on_train_end"]
    assert list(history.history) == ["loss"]  # no validation
    assert history.epoch == [0]


def test_9_11_stopping_a_stepwise_fit_still_validates():
    x = Input(tensor=K.constant(X))
    model = Model(x, Dense(1)(x))
    model.compile("sgd", "mse", target_tensors=K.constant(Y))
    stop = LambdaCallback(on_batch_end=lambda i, logs: setattr(model, "stop_training", i == 1))
    recorder = Recorder()
    history = model.fit(
        steps_per_epoch=5,
        epochs=3,
        validation_data=(None, None),
        validation_steps=2,
        callbacks=[stop, recorder],
        verbose=0,
    )
    assert [name for name, _ in recorder.events].count("on_batch_end") == 2
    assert set(history.history) == {"loss", "val_loss"} and history.epoch == [0]


def test_9_11_stopping_after_an_epoch():
    model = simple()
    stop = LambdaCallback(on_epoch_end=lambda i, logs: setattr(model, "stop_training", i == 1))
    history = model.fit(X, Y, epochs=9, validation_data=(X, Y), callbacks=[stop], verbose=0)
    assert history.epoch == [0, 1]
    assert len(history.history["val_loss"]) == 2


def test_nan_in_the_loss(capsys):
    model = simple()
    bad = X.copy()
    bad[7] = np.nan
    history = model.fit(
        bad, Y, batch_size=5, epochs=4, shuffle=False, callbacks=[TerminateOnNaN()], verbose=0
    )
    assert "Batch 1: Invalid loss, terminating training" in capsys.readouterr().out
    assert history.epoch == [0]
    assert np.isnan(history.history["loss"][0])


def test_interrupting_fit_leaves_a_usable_model():
    reference = simple(optimizer=optimizers.Adam(lr=0.01))
    model = simple(optimizer=optimizers.Adam(lr=0.01))

    def interrupt(batch, logs):
        if batch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(
            X, Y, batch_size=5, shuffle=False, callbacks=[LambdaCallback(on_batch_end=interrupt)], verbose=0
        )
    # three steps were made, whole ones
    for start in (0, 5, 10):
        reference.train_on_batch(X[start : start + 5], Y[start : start + 5])
    for a, b in zip(model.get_weights(), reference.get_weights()):
        np.testing.assert_array_equal(a, b)
    assert K.get_value(model.optimizer.iterations) == 3
    assert len(model.fit(X, Y, epochs=2, verbose=0).epoch) == 2
    assert np.isfinite(model.evaluate(X, Y, verbose=0))


def test_a_real_ctrl_c():
    import os
    import signal
    import threading

    model = simple()
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    big = np.ones((64, 3), "float32")
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(big, big[:, :1], epochs=10**6, verbose=0)
    timer.join()
    assert np.isfinite(model.train_on_batch(X, Y))
    assert model.fit(X, Y, verbose=0).epoch == [0]


def test_an_error_in_a_callback_leaves_a_usable_model():
    model = simple()

    def fail(epoch, logs):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        model.fit(X, Y, callbacks=[LambdaCallback(on_epoch_end=fail)], verbose=0)
    assert model.fit(X, Y, verbose=0).epoch == [0]


def test_data_is_not_copied_and_not_changed():
    model = simple()
    recorder = Recorder()
    x = X.copy()
    model.fit(x, Y, validation_split=0.5, callbacks=[recorder], verbose=0)
    assert np.shares_memory(recorder.validation_data[0], x)
    np.testing.assert_array_equal(x, X)
