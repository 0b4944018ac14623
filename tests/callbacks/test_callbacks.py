"""Callbacks, driven by hand as `fit` drives them. Numbers in comments are items of the list of behaviours."""

import re
import time
import warnings

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import callbacks as C


class Optimizer:
    def __init__(self, lr):
        self.lr = K.variable(lr)


class FakeModel:
    """Stands in for a model: remembers what callbacks do to it."""

    def __init__(self, lr=0.1):
        self.optimizer = Optimizer(lr)
        self.stop_training = False
        self.saved = []
        self.weights = 0

    def save(self, path, overwrite=True):
        self.saved.append(("model", path))

    def save_weights(self, path, overwrite=True):
        self.saved.append(("weights", path))

    def get_weights(self):
        return [self.weights]

    def set_weights(self, weights):
        (self.weights,) = weights


def drive(callback, values, name="val_loss", model=None):
    """Runs epochs whose monitored values are given; returns the model and the number of epochs run."""
    model = model or FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    count = 0
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.weights = epoch
        callback.on_epoch_end(epoch, {name: value})
        count += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return model, count


# ---- the list and the watchers


def test_hooks_share_one_logs_dict_and_come_in_order():  # 13.1, 13.10
    seen = []

    class Adds(C.Callback):
        def __init__(self):
            pass  # many forget super().__init__()

        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = epoch

    class Reads(C.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(logs["extra"])

    callbacks = C.CallbackList([Adds()])
    callbacks.append(Reads())
    assert len(list(callbacks)) == 2
    callbacks.set_params({"epochs": 1})
    callbacks.set_model("the model")
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_batch_begin(0)
    callbacks.on_batch_end(0)
    callbacks.on_epoch_end(3)
    callbacks.on_train_end()
    assert seen == [3]
    assert [c.model for c in callbacks] == ["the model"] * 2
    assert callbacks.callbacks[0].validation_data is None


def test_slow_hooks_are_warned_about():  # 13.2
    slow = C.LambdaCallback(on_batch_end=lambda batch, logs: time.sleep(0.11))
    callbacks = C.CallbackList([slow])
    callbacks.on_epoch_begin(0)
    callbacks.on_batch_begin(0)
    with pytest.warns(UserWarning, match="on_batch_end.* is slow compared to the batch update"):
        callbacks.on_batch_end(0)


def test_quick_hooks_are_not():
    callbacks = C.CallbackList([C.Callback()])
    callbacks.on_epoch_begin(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for batch in range(3):
            callbacks.on_batch_begin(batch)
            callbacks.on_batch_end(batch)


def test_base_logger_weights_by_batch_size():  # 9.6
    logger = C.BaseLogger(stateful_metrics=["count"])
    logger.set_params({"metrics": ["loss", "count", "val_loss"]})
    logger.on_epoch_begin(0)
    logger.on_batch_end(0, {"batch": 0, "size": 3, "loss": 1.0, "count": 3})
    logger.on_batch_end(1, {"batch": 1, "size": 1, "loss": 5.0, "count": 4})
    logs = {}
    logger.on_epoch_end(0, logs)
    assert logs == {"loss": 2.0, "count": 4}


def test_history_and_its_aliases():  # 9.8, 7.4
    history = C.History()
    history.on_train_begin()
    for epoch in (5, 6):
        history.on_epoch_end(epoch, {"loss": 1.0, "acc": 0.5, "val_acc": 0.25, "out_acc": 0.75})
    assert history.epoch == [5, 6]
    record = history.history
    assert set(record) == {"loss", "acc", "val_acc", "out_acc"}
    assert record["accuracy"] == record["acc"] == [0.5, 0.5]
    assert record["val_accuracy"] == [0.25, 0.25]
    assert record["out_accuracy"] == [0.75, 0.75]
    assert record.get("val_accuracy") == [0.25, 0.25]
    assert "accuracy" in record and "val_loss" not in record
    assert record.get("val_loss") is None
    with pytest.raises(KeyError):
        record["val_loss"]
    history.on_train_begin()
    assert history.history == {} and history.epoch == []


def test_history_answers_the_other_way_round():
    history = C.History()
    history.on_epoch_end(0, {"accuracy": 1})
    assert history.history["acc"] == [1]


@pytest.mark.parametrize("loss", [np.nan, np.inf, -np.inf])
def test_terminate_on_nan(loss, capsys):  # 13.8
    callback = C.TerminateOnNaN()
    model = FakeModel()
    callback.set_model(model)
    callback.on_batch_end(0, {"loss": 1.0})
    assert not model.stop_training
    callback.on_batch_end(7, {"loss": np.float32(loss)})
    assert model.stop_training
    assert capsys.readouterr().out == "Batch 7: Invalid loss, terminating training\n"


def test_lambda_callback():  # 13.8
    calls = []
    hooks = ("on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end")
    functions = {name: (lambda i, logs, name=name: calls.append(name)) for name in hooks}
    functions |= {
        name: (lambda logs, name=name: calls.append(name)) for name in ("on_train_begin", "on_train_end")
    }
    callback = C.LambdaCallback(**functions, colour="blue")
    assert callback.colour == "blue"
    for name in hooks:
        getattr(callback, name)(0, {})
    callback.on_train_begin({})
    callback.on_train_end({})
    assert calls == [*hooks, "on_train_begin", "on_train_end"]
    C.LambdaCallback().on_epoch_end(0, {})


# ---- progress


def test_progbar_logger(capsys):  # 9.20, 13.8
    logger = C.ProgbarLogger()
    logger.set_params(
        {"verbose": 1, "epochs": 3, "samples": 4, "steps": None, "metrics": ["loss", "val_loss"]}
    )
    logger.on_train_begin()
    logger.on_epoch_begin(1)
    for batch, loss in enumerate((1.0, 3.0)):
        logs = {"batch": batch, "size": 2, "loss": loss}
        logger.on_batch_begin(batch, logs)
        logger.on_batch_end(batch, logs)
    logger.on_epoch_end(1, {"loss": 2.0, "val_loss": 4.0})
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "Epoch 2/3"
    assert lines[2].startswith("2/4 [==============>...............] - ETA:")
    assert lines[3].startswith("4/4 [==============================] - 0s ")
    assert re.search(r" \d+[mu]?s/step - loss: 2\.0000 - val_loss: 4\.0000$", lines[3])


def test_progbar_logger_silent_and_steps(capsys):
    logger = C.ProgbarLogger("steps")
    logger.set_params({"verbose": 0, "epochs": 1, "steps": 2, "samples": None, "metrics": ["loss"]})
    for verbose in (0, 2):
        logger.params["verbose"] = verbose
        logger.on_train_begin()
        logger.on_epoch_begin(0)
        for batch in (0, 1):
            logger.on_batch_begin(batch, {})
            logger.on_batch_end(batch, {"size": 8, "loss": 0.5})
        logger.on_epoch_end(0, {"loss": 0.5})
    assert capsys.readouterr().out == "Epoch 1/1\n - 0s - loss: 0.5000\n"
    with pytest.raises(ValueError, match="Unknown `count_mode`"):
        C.ProgbarLogger("minutes")


def test_csv_logger(tmp_path):  # 13.7
    path = tmp_path / "log.csv"
    logger = C.CSVLogger(str(path), separator=";")
    logger.set_model(FakeModel())
    logger.on_train_begin()
    logger.on_epoch_end(0, {"val_loss": 0.5, "loss": 1.0, "list": [1, 2]})
    text = 'epoch;list;loss;val_loss\r\n0;"""[1, 2]""";1.0;0.5\r\n'
    assert path.read_bytes().decode() == text  # flushed each epoch
    logger.on_epoch_end(1, {"loss": 2.0, "list": []})
    logger.on_train_end()
    assert path.read_bytes().decode().splitlines()[-1] == '1;"""[]""";2.0;NA'


def test_csv_logger_appends(tmp_path):  # 13.7
    path = tmp_path / "log.csv"
    for epoch in (0, 1):
        logger = C.CSVLogger(path, append=True)
        logger.on_train_begin()
        logger.on_epoch_end(epoch, {"loss": np.array(1.5)})
        logger.on_train_end()
    assert path.read_text().split() == ["epoch,loss", "0,1.5", "1,1.5"]


# ---- saving


def test_checkpoint_every_epoch(capsys):  # 13.3
    callback = C.ModelCheckpoint("w.{epoch:02d}-{val_loss:.2f}.h5", verbose=1, save_weights_only=True)
    model, _ = drive(callback, [0.5, 0.25])
    assert model.saved == [("weights", "w.01-0.50.h5"), ("weights", "w.02-0.25.h5")]
    assert capsys.readouterr().out.startswith("\nEpoch 00001: saving model to w.01-0.50.h5\n")


def test_checkpoint_best_only(capsys):  # 13.3
    callback = C.ModelCheckpoint("best.h5", verbose=1, save_best_only=True)
    model, _ = drive(callback, [0.5, 0.6, 0.12345])
    assert model.saved == [("model", "best.h5")] * 2
    assert capsys.readouterr().out == (
        "\nEpoch 00001: val_loss improved from inf to 0.50000, saving model to best.h5\n"
        "\nEpoch 00002: val_loss did not improve from 0.50000\n"
        "\nEpoch 00003: val_loss improved from 0.50000 to 0.12345, saving model to best.h5\n"
    )


def test_checkpoint_modes_and_period():  # 13.3
    assert C.ModelCheckpoint("x", monitor="val_acc").best == -np.inf
    assert C.ModelCheckpoint("x", monitor="fmeasure_1").best == -np.inf
    assert C.ModelCheckpoint("x", monitor="val_acc", mode="min").best == np.inf
    with pytest.warns(RuntimeWarning, match="fallback to auto mode"):
        C.ModelCheckpoint("x", mode="best")
    model, _ = drive(C.ModelCheckpoint("{epoch}", period=2), [1, 1, 1, 1, 1])
    assert [path for _, path in model.saved] == ["2", "4"]


def test_checkpoint_missing_log():  # 13.3
    with pytest.warns(RuntimeWarning, match="val_loss available, skipping"):
        model, _ = drive(C.ModelCheckpoint("x", save_best_only=True), [1], name="loss")
    assert model.saved == []
    with pytest.raises(KeyError):
        drive(C.ModelCheckpoint("{val_acc}.h5"), [1])


def test_checkpoint_answers_to_accuracy():  # 7.4
    callback = C.ModelCheckpoint("{val_accuracy:.1f}", monitor="val_accuracy", save_best_only=True)
    model, _ = drive(callback, [0.5, 0.25, 0.75], name="val_acc")
    assert model.saved == [("model", "0.5"), ("model", "0.8")]


def test_checkpoint_saves_again_after_a_failed_save():
    callback = C.ModelCheckpoint("x", save_best_only=True)
    model = FakeModel()

    def full(path, overwrite):
        raise OSError("disk full")

    model.save = full
    with pytest.raises(OSError, match="disk full"):
        drive(callback, [0.5], model=model)
    assert callback.best == np.inf


# ---- stopping


@pytest.mark.parametrize(
    ("arguments", "values", "epochs", "stopped"),
    [
        ({}, [1, 0.9, 0.95, 0.5], 3, 2),
        ({"patience": 2}, [1, 0.9, 0.95, 0.96, 0.5], 4, 3),
        ({"patience": 2}, [1, 0.9, 0.95, 0.8, 0.7], 5, 0),
        ({"min_delta": 0.2}, [1, 0.9], 2, 1),  # too small an improvement
        ({}, [1, 1], 2, 1),  # the comparison is strict
        ({"monitor": "val_acc"}, [0.1, 0.2, 0.15], 3, 2),
        ({"mode": "max"}, [0.1, 0.2, 0.15], 3, 2),
        ({"baseline": 0.5}, [0.6], 1, 0),
        ({"baseline": 0.5, "patience": 2}, [0.9, 0.7, 0.4], 2, 1),  # better each time, but never than that
        ({"baseline": 0.5, "patience": 2}, [0.9, 0.4, 0.45, 0.42, 0.3], 4, 3),
    ],
)
def test_early_stopping(arguments, values, epochs, stopped, capsys):  # 13.4
    callback = C.EarlyStopping(verbose=1, **arguments)
    _, count = drive(callback, values, name=callback.monitor)
    assert (count, callback.stopped_epoch) == (epochs, stopped)
    expected = f"Epoch {stopped + 1:05d}: early stopping\n" if stopped else ""
    assert capsys.readouterr().out == expected


def test_early_stopping_restores_the_best_weights():  # 13.4
    model, _ = drive(C.EarlyStopping(patience=2, restore_best_weights=True), [3, 1, 2, 2])
    assert model.weights == 1
    # nothing was better than the baseline: there is nothing to go back to
    callback = C.EarlyStopping(baseline=0.5, patience=2, restore_best_weights=True)
    model, count = drive(callback, [0.9, 0.7, 0.4])
    assert (model.weights, count) == (1, 2)


def test_early_stopping_can_be_used_again():  # 13.4
    callback = C.EarlyStopping()
    drive(callback, [1, 2])
    _, count = drive(callback, [5, 4, 6])
    assert count == 3


def test_early_stopping_missing_metric():  # 13.4, 20
    with pytest.warns(RuntimeWarning, match="val_loss.*not available. Available metrics are: loss"):
        _, count = drive(C.EarlyStopping(), [1, 2], name="loss")
    assert count == 2


# ---- learning rates


def lr_of(model):
    return float(K.get_value(model.optimizer.lr))


def test_plateau(capsys):  # 13.5
    callback = C.ReduceLROnPlateau(factor=0.5, patience=2, verbose=1, min_lr=0.03)
    model = FakeModel(0.1)
    rates = []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate([1, 1, 1, 1, 1, 1, 1]):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        rates.append(round(float(logs["lr"]), 6))
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.03, 0.03]
    out = capsys.readouterr().out
    assert out.startswith("\nEpoch 00003: ReduceLROnPlateau reducing learning rate to 0.05")
    assert out.count("reducing") == 2


def test_plateau_cooldown():  # 13.5
    callback = C.ReduceLROnPlateau(factor=0.5, patience=1, cooldown=2)
    model, _ = drive(callback, [1, 1, 1, 1], model=FakeModel(1.0))
    assert lr_of(model) == 0.25  # after epochs 2 and 4; epoch 3 is cooldown
    assert callback.in_cooldown()


def test_plateau_min_delta_and_old_name():  # 13.5
    with pytest.warns(UserWarning, match="epsilon"):
        callback = C.ReduceLROnPlateau(patience=1, epsilon=0.5, monitor="loss")
    assert callback.min_delta == 0.5
    model, _ = drive(callback, [1, 0.6], name="loss", model=FakeModel(1.0))
    assert lr_of(model) == pytest.approx(0.1)
    with pytest.raises(ValueError, match=r"factor >= 1\.0"):
        C.ReduceLROnPlateau(factor=1.0)
    with pytest.raises(TypeError, match="not understood"):
        C.ReduceLROnPlateau(color=1)


def test_plateau_missing_metric():  # 20
    with pytest.warns(RuntimeWarning, match="Available metrics are: loss,lr"):
        drive(C.ReduceLROnPlateau(), [1], name="loss")


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        (lambda epoch: 0.5, 0.5),
        (lambda epoch, lr: lr * 2, 0.5),
        (lambda epoch, rate: rate * 4, 1.0),
        (lambda epoch, base=3.0: base, 3.0),
        (lambda epoch: np.float32(2.0), 2.0),
    ],
)
def test_scheduler(schedule, rate, capsys):  # 13.6
    callback = C.LearningRateScheduler(schedule, verbose=1)
    model = FakeModel(0.25)
    callback.set_model(model)
    callback.on_epoch_begin(1)
    assert lr_of(model) == rate
    expected = f"\nEpoch 00002: LearningRateScheduler setting learning rate to {rate}.\n"
    assert capsys.readouterr().out == expected


def test_scheduler_errors():  # 13.6
    callback = C.LearningRateScheduler(lambda epoch: 1)
    callback.set_model(FakeModel())
    with pytest.raises(ValueError, match="should be float"):
        callback.on_epoch_begin(0)
    callback.model.optimizer = object()
    with pytest.raises(ValueError, match='must have a "lr" attribute'):
        callback.on_epoch_begin(0)

    def broken(epoch, lr):
        return lr + None

    callback = C.LearningRateScheduler(broken)
    callback.set_model(FakeModel())
    with pytest.raises(TypeError, match="unsupported operand"):
        callback.on_epoch_begin(0)
