"""Every hook of every callback, in Keras's order (9.9, 13.1)."""

import numpy as np
import pytest

from pykeras.callbacks import Callback
from pykeras.layers import Dense
from pykeras.models import Sequential
from pykeras.utils import Sequence

X, Y = np.ones((5, 3), "float32"), np.ones((5, 1), "float32")
HOOKS = ("set_params", "set_model", "on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end")
HOOKS += ("on_batch_begin", "on_batch_end")


class Pairs(Sequence):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        rows = slice(index * 3, index * 3 + 3)
        return X[rows], Y[rows]


def spy(name, record):
    """A callback that notes its hooks, with the number and what the logs hold."""

    def noting(hook):
        def method(self, *arguments):
            getattr(Callback, hook)(self, *arguments)
            number = f" {arguments[0]}" if isinstance(arguments[0], int) else ""
            logs = sorted(arguments[-1]) if hook.startswith("on_") and arguments[-1] else []
            record.append(f"{name} {hook}{number} {','.join(logs)}".strip())

        return method

    return type("Spy", (Callback,), {hook: noting(hook) for hook in HOOKS})()


def net(record):
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    model._make_train_function()
    model._make_test_function()
    for name in ("train_function", "test_function"):
        inner = getattr(model, name)

        def step(ins, inner=inner, name=name):
            record.append(f"    {name} {len(ins[0])}")
            return inner(ins)

        step.inputs = inner.inputs
        setattr(model, name, step)
    return model


BATCH = "batch,loss,mean_absolute_error,size"
EPOCH = "loss,mean_absolute_error"
WITH_VAL = EPOCH + ",val_loss,val_mean_absolute_error"


def epoch(number, logs=WITH_VAL, validation=True):
    lines = [f"{n} on_epoch_begin {number}" for n in "ab"]
    for batch, size in enumerate((3, 2)):
        lines += [f"{n} on_batch_begin {batch} batch,size" for n in "ab"]
        lines += [f"    train_function {size}"]
        lines += [f"{n} on_batch_end {batch} {BATCH}" for n in "ab"]
    if validation == "arrays of fit_generator":
        lines += ["    test_function 2", "    test_function 2", "    test_function 1"]
    elif validation:
        lines += ["    test_function 3", "    test_function 2"]
    return lines + [f"{n} on_epoch_end {number} {logs}" for n in "ab"]


START = [f"{n} {hook}" for hook in ("set_model", "set_params", "on_train_begin") for n in "ab"]
END = [f"{n} on_train_end" for n in "ab"]


def run(how):
    record = []
    model = net(record)
    how(model, {"callbacks": [spy("a", record), spy("b", record)], "verbose": 0, "epochs": 2})
    return record


@pytest.mark.parametrize(
    ("how", "wanted"),
    [
        (
            lambda m, k: m.fit(X, Y, 3, shuffle=False, validation_data=(X, Y), **k),
            START + epoch(0) + epoch(1) + END,
        ),
        (
            lambda m, k: m.fit(X, Y, 3, shuffle=False, **k),
            START + epoch(0, EPOCH, False) + epoch(1, EPOCH, False) + END,
        ),
        (
            lambda m, k: m.fit_generator(Pairs(), shuffle=False, **k),
            START + epoch(0, EPOCH, False) + epoch(1, EPOCH, False) + END,
        ),
        (
            lambda m, k: m.fit_generator(Pairs(), shuffle=False, validation_data=Pairs(), **k),
            START + epoch(0) + epoch(1) + END,
        ),
        (
            lambda m, k: m.fit_generator(Pairs(), shuffle=False, validation_data=(X, Y), workers=0, **k),
            START
            + epoch(0, validation="arrays of fit_generator")
            + epoch(1, validation="arrays of fit_generator")
            + END,
        ),
        (
            lambda m, k: m.fit_generator(Pairs(), shuffle=False, initial_epoch=1, **k),
            START + epoch(1, EPOCH, False) + END,
        ),
    ],
    ids=["fit, validating", "fit", "generator", "generator, Sequence", "generator, arrays", "initial_epoch"],
)
def test_13_1_order_of_all_hooks(how, wanted):
    assert run(how) == wanted


def test_what_evaluate_and_predict_leave_alone():
    record = []
    model = net(record)
    model.fit(X, Y, verbose=0, callbacks=[spy("a", record)])
    count = len(record)
    model.evaluate(X, Y, verbose=0)
    model.predict(X)
    model.evaluate_generator(Pairs())
    assert [line for line in record[count:] if not line.startswith("    ")] == []
