"""Callbacks inside `fit`, with real models. Numbers in comments are items of the list of behaviours."""

import csv
import re

import numpy as np
import pytest

from pykeras import backend as K
from pykeras import callbacks as C
from pykeras import layers as L
from pykeras import optimizers
from pykeras.models import Sequential, load_model
from pykeras.utils import Sequence


def data(n=20):
    x = np.random.rand(n, 4).astype("float32")
    return x, (x.sum(1) > 2).astype("float32")


def net(lr=0.1):
    model = Sequential([L.Dense(4, activation="tanh", input_shape=(4,)), L.Dense(1, activation="sigmoid")])
    model.compile(optimizers.SGD(lr), "binary_crossentropy", metrics=["accuracy"])
    return model


def test_output_of_fit(capsys):  # 9.4, 9.20
    x, y = data()
    net().fit(x, y, batch_size=10, epochs=2, validation_split=0.5)
    out = capsys.readouterr().out
    number = r"\d\.\d{4}"
    values = f" - loss: {number} - acc: {number} - val_loss: {number} - val_acc: {number}"
    epochs = "".join(rf"Epoch {i}/2\n\n10/10 \[=+\] - \ds \d+[mu]?s/step{values}\n" for i in (1, 2))
    assert re.fullmatch("Train on 10 samples, validate on 10 samples\n" + epochs, out), out


def test_history(capsys):  # 9.8
    x, y = data()
    model = net()
    history = model.fit(x, y, epochs=5, initial_epoch=3, validation_data=(x, y), verbose=0)
    assert history is model.history
    assert history.epoch == [3, 4]
    assert set(history.history) == {"loss", "acc", "val_loss", "val_acc"}
    assert history.history["val_accuracy"] == history.history["val_acc"]
    assert capsys.readouterr().out == ""


def test_epoch_values_are_means_over_samples():  # 9.6, 22.7
    x, y = data(5)
    model = net(lr=0.0)
    history = model.fit(x, y, batch_size=2, verbose=0)
    loss, acc = model.evaluate(x, y, verbose=0)
    assert history.history["loss"][0] == pytest.approx(loss, rel=1e-5)
    assert history.history["acc"][0] == pytest.approx(acc, rel=1e-5)


def test_checkpoints_can_be_loaded(tmp_path):  # 13.3
    pytest.importorskip("h5py")
    x, y = data()
    model = net()
    best = C.ModelCheckpoint(str(tmp_path / "best.h5"), monitor="val_accuracy", save_best_only=True)
    each = C.ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss:.3f}.h5", save_weights_only=True)
    history = model.fit(x, y, epochs=3, validation_data=(x, y), verbose=0, callbacks=[best, each])
    names = sorted(path.name for path in tmp_path.glob("0*.h5"))
    losses = history.history["val_loss"]
    assert names == [f"{i + 1:02d}-{loss:.3f}.h5" for i, loss in enumerate(losses)]
    other = net()
    other.load_weights(tmp_path / names[-1])
    assert all(np.array_equal(a, b) for a, b in zip(other.get_weights(), model.get_weights()))
    wanted = max(history.history["val_acc"])
    assert load_model(tmp_path / "best.h5").evaluate(x, y, verbose=0)[1] == pytest.approx(wanted)


def test_early_stopping_goes_back_to_the_best():  # 13.4
    x, y = data()
    model = net(lr=-0.5)  # it gets worse from the start
    weights = []
    keep = C.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    stop = C.EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(x, y, epochs=10, verbose=0, callbacks=[keep, stop])
    assert (len(history.epoch), stop.stopped_epoch) == (3, 2)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights[0]))


def test_learning_rates(tmp_path):  # 13.5, 13.6, 13.7
    x, y = data()
    model = net()
    schedule = C.LearningRateScheduler(lambda epoch: 0.5 / (epoch + 1))
    plateau = C.ReduceLROnPlateau(monitor="loss", patience=100)
    log = C.CSVLogger(tmp_path / "log.csv")
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[schedule, plateau, log])
    assert history.history["lr"] == [0.5, 0.25]
    assert K.get_value(model.optimizer.lr) == np.float32(0.25)
    with open(tmp_path / "log.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["epoch", "acc", "loss", "lr"]
    assert [row[0] for row in rows[1:]] == ["0", "1"]
    assert [float(row[2]) for row in rows[1:]] == pytest.approx(history.history["loss"])


def test_nan_stops_training(capsys):  # 13.8
    x, y = data()
    x[5] = np.nan
    history = net().fit(
        x, y, batch_size=4, epochs=9, shuffle=False, verbose=0, callbacks=[C.TerminateOnNaN()]
    )
    assert len(history.epoch) == 1
    assert capsys.readouterr().out == "Batch 1: Invalid loss, terminating training\n"


@pytest.mark.parametrize("given", [lambda c: c, lambda c: (c,), lambda c: C.CallbackList([c])])
def test_13_10_one_callback_or_several(given):
    model, history = net(), C.History()
    x = np.ones((4, 4))
    model.fit(x, x[:, :1], verbose=0, callbacks=given(history))
    assert list(history.history) == ["loss", "acc"]
    for nothing in (None, []):
        model.fit(x, x[:, :1], verbose=0, callbacks=nothing)


class BatchesAndCallback(Sequence, C.Callback):
    """Can be iterated, but is one callback."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return np.ones((4, 4)), np.ones((4, 1))

    def on_epoch_end(self, epoch=None, logs=None):
        self.seen = logs


def test_a_sequence_that_is_the_callback():
    batches = BatchesAndCallback()
    net().fit_generator(batches, verbose=0, callbacks=batches, workers=0)
    assert "loss" in batches.seen


@pytest.mark.parametrize("wrong", [C.EarlyStopping, print, None, [C.History()]])
def test_what_is_no_callback(wrong):
    model = net()
    with pytest.raises(TypeError, match=r"list of objects of `keras.callbacks.Callback`, such as .*Found: "):
        model.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0, callbacks=[wrong])
    with pytest.raises(TypeError, match="a function goes into a `LambdaCallback`"):
        model.fit(np.ones((4, 4)), np.ones((4, 1)), verbose=0, callbacks=print)


def test_what_callbacks_are_told():  # 9.10
    seen = {}

    class Spy(C.Callback):
        def on_train_begin(self, logs=None):
            seen.update(self.params)
            seen["model"] = self.model

        def on_batch_end(self, batch, logs=None):
            seen["batch"] = dict(logs)
            seen["validation_data"] = self.validation_data

    x, y = data()
    model = net()
    model.fit(x, y, batch_size=8, epochs=2, validation_data=(x[:3], y[:3]), verbose=0, callbacks=[Spy()])
    assert (seen["batch_size"], seen["epochs"], seen["samples"], seen["steps"]) == (8, 2, 20, None)
    assert (seen["verbose"], seen["do_validation"]) == (0, True)
    assert seen["metrics"] == ["loss", "acc", "val_loss", "val_acc"]
    assert seen["model"] is model
    assert seen["validation_data"][0].shape == (3, 4)
    assert set(seen["batch"]) == {"batch", "size", "loss", "acc"}
    assert (seen["batch"]["batch"], seen["batch"]["size"]) == (2, 4)


def test_stopping_in_the_middle_of_an_epoch():  # 9.11
    x, y = data()
    model = net()
    batches = []

    class Stop(C.Callback):
        def on_batch_end(self, batch, logs=None):
            batches.append(batch)
            self.model.stop_training = batch == 1

    history = model.fit(x, y, batch_size=4, epochs=3, validation_data=(x, y), verbose=0, callbacks=[Stop()])
    assert batches == [0, 1]
    assert "val_loss" not in history.history and len(history.history["loss"]) == 1
